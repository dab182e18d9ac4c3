//! Jinja2's own filters.

use std::cmp::Ordering;
use std::fmt::Write;

use super::environment::Row;
use super::methods;
use crate::diag::{Error, Result};
use crate::value::{
    Args, Dict, JsonStyle, Key, Runtime, Str, Undefined, Value, escape_html, format, ops,
};

/// All filters.
pub static TABLE: &[Row] = &[
    row("abs", abs, "Returns the absolute value.", "-3 | abs => 3"),
    row(
        "attr",
        attr,
        "Reads an attribute by name.",
        "{'a': 1} | attr('items') is callable => True",
    ),
    row(
        "batch",
        batch,
        "Groups items into lists of a size.",
        "[1, 2, 3] | batch(2) | list => [[1, 2], [3]]",
    ),
    row(
        "capitalize",
        |_, a| text(a, methods::capitalize),
        "Makes the first letter a capital.",
        "'aB' | capitalize => 'Ab'",
    ),
    row(
        "center",
        center,
        "Puts text in the middle of a width.",
        "'a' | center(3) => ' a '",
    ),
    row("count", length, "Counts items.", "[1, 2] | count => 2"),
    row(
        "d",
        default,
        "Stands in for what doesn't exist.",
        "nope | d(1) => 1",
    ),
    row(
        "default",
        default,
        "Stands in for what doesn't exist.",
        "'' | default(1, true) => 1",
    ),
    row(
        "dictsort",
        dict_sort,
        "Sorts a dict's items.",
        "{'b': 1, 'a': 2} | dictsort => [('a', 2), ('b', 1)]",
    ),
    row(
        "e",
        escape,
        "Escapes for HTML.",
        "'<' | e | string => Markup('&lt;')",
    ),
    row(
        "escape",
        escape,
        "Escapes for HTML.",
        "'<' | escape | length => 4",
    ),
    row(
        "filesizeformat",
        file_size,
        "Writes a number of bytes for people.",
        "1000 | filesizeformat => '1.0 kB'",
    ),
    row(
        "first",
        first,
        "Returns the first item.",
        "[1, 2] | first => 1",
    ),
    row(
        "float",
        to_float,
        "Converts to a float.",
        "'1.5' | float => 1.5",
    ),
    row(
        "forceescape",
        force_escape,
        "Escapes for HTML, even markup.",
        "'<' | forceescape | length => 4",
    ),
    row(
        "format",
        format_filter,
        "Applies `%` formatting.",
        "'%s-%s' | format(1, 2) => '1-2'",
    ),
    row(
        "groupby",
        group_by,
        "Groups items by an attribute.",
        "[{'a': 1}] | groupby('a') | length => 1",
    ),
    row(
        "indent",
        indent,
        "Indents lines.",
        "'a\\nb' | indent(2) => 'a\\n  b'",
    ),
    row("int", to_int, "Converts to an integer.", "'3' | int => 3"),
    row(
        "items",
        items,
        "Returns a dict's items.",
        "{'a': 1} | items | list => [('a', 1)]",
    ),
    row(
        "join",
        join,
        "Joins items into text.",
        "[1, 2] | join('-') => '1-2'",
    ),
    row("last", last, "Returns the last item.", "[1, 2] | last => 2"),
    row("length", length, "Counts items.", "'abc' | length => 3"),
    row("list", list, "Makes a list.", "'ab' | list => ['a', 'b']"),
    row(
        "lower",
        |_, a| text(a, str::to_lowercase),
        "Makes lower case.",
        "'A' | lower => 'a'",
    ),
    row(
        "map",
        map,
        "Applies a filter, or reads an attribute, of each item.",
        "['a'] | map('upper') | list => ['A']",
    ),
    row(
        "max",
        |r, a| extreme(r, a, Ordering::Greater),
        "Returns the greatest item.",
        "[1, 3, 2] | max => 3",
    ),
    row(
        "min",
        |r, a| extreme(r, a, Ordering::Less),
        "Returns the least item.",
        "[2, 1] | min => 1",
    ),
    row(
        "pprint",
        |_, a| Ok(Value::str(first_arg(a)?.repr())),
        "Shows a value for debugging.",
        "'a' | pprint => \"'a'\"",
    ),
    row("random", random, "Picks an item.", "[1] | random => 1"),
    row(
        "reject",
        |r, a| select(r, a, false, false),
        "Drops items that pass a test.",
        "[1, 2] | reject('odd') | list => [2]",
    ),
    row(
        "rejectattr",
        |r, a| select(r, a, false, true),
        "Drops items whose attribute passes a test.",
        "[{'a': 0}] | rejectattr('a') | list => [{'a': 0}]",
    ),
    row(
        "replace",
        replace,
        "Replaces text.",
        "'aa' | replace('a', 'b') => 'bb'",
    ),
    row(
        "reverse",
        reverse,
        "Reverses text or items.",
        "[1, 2] | reverse | list => [2, 1]",
    ),
    row(
        "round",
        round,
        "Rounds a number.",
        "2.567 | round(1) => 2.6",
    ),
    row(
        "safe",
        |_, a| {
            Ok(Value::Str(
                Str::new(first_arg(a)?.to_str()).with_markup(true),
            ))
        },
        "Marks text as markup.",
        "'<' | safe | length => 1",
    ),
    row(
        "select",
        |r, a| select(r, a, true, false),
        "Keeps items that pass a test.",
        "[0, 1] | select | list => [1]",
    ),
    row(
        "selectattr",
        |r, a| select(r, a, true, true),
        "Keeps items whose attribute passes a test.",
        "[{'a': 1}] | selectattr('a', 'eq', 1) | list => [{'a': 1}]",
    ),
    row(
        "slice",
        slice,
        "Cuts items into so many lists.",
        "[1, 2, 3] | slice(2) | list => [[1, 2], [3]]",
    ),
    row("sort", sort, "Sorts items.", "[2, 1] | sort => [1, 2]"),
    row("string", string, "Makes text.", "1 | string => '1'"),
    row(
        "striptags",
        strip_tags,
        "Takes markup off.",
        "'<b>x</b>' | striptags => 'x'",
    ),
    row("sum", sum, "Adds items up.", "[1, 2] | sum => 3"),
    row(
        "title",
        title,
        "Makes each word's first letter a capital.",
        "'ab cd' | title => 'Ab Cd'",
    ),
    row(
        "tojson",
        to_json,
        "Writes JSON that is safe in HTML.",
        "[1] | tojson | string => Markup('[1]')",
    ),
    row(
        "trim",
        trim,
        "Takes blanks off both ends.",
        "' a ' | trim => 'a'",
    ),
    row(
        "truncate",
        truncate,
        "Cuts text off.",
        "'abcdefghij' | truncate(5, true, '', 0) => 'abcde'",
    ),
    row(
        "unique",
        unique,
        "Drops items seen before.",
        "[1, 1, 2] | unique | list => [1, 2]",
    ),
    row(
        "upper",
        |_, a| text(a, str::to_uppercase),
        "Makes upper case.",
        "'a' | upper => 'A'",
    ),
    row(
        "urlencode",
        url_encode,
        "Escapes for URLs.",
        "'a b/c' | urlencode => 'a%20b/c'",
    ),
    row(
        "wordcount",
        |_, a| Ok(Value::from(word_count(&first_arg(a)?.to_str()))),
        "Counts words.",
        "'a b' | wordcount => 2",
    ),
    row(
        "wordwrap",
        word_wrap,
        "Breaks lines.",
        "'aa bb' | wordwrap(2) => 'aa\\nbb'",
    ),
    row(
        "xmlattr",
        xml_attr,
        "Writes attributes of an XML tag.",
        "{'a': 'b'} | xmlattr | string => Markup(' a=\"b\"')",
    ),
];

const fn row(
    name: &'static str,
    function: crate::value::Function,
    doc: &'static str,
    example: &'static str,
) -> Row {
    Row {
        name,
        function,
        doc,
        example,
    }
}

/// Returns the filtered value; an undefined one raises.
fn first_arg(args: Args) -> Result<Value> {
    match args.positional.into_iter().next() {
        Some(Value::Undefined(undefined)) => Err(undefined.error()),
        Some(value) => Ok(value),
        None => Err(Error::type_error("a filter needs a value")),
    }
}

fn known(value: Option<Value>) -> Result<Value> {
    match value {
        Some(Value::Undefined(undefined)) => Err(undefined.error()),
        Some(value) => Ok(value),
        None => Ok(Value::None),
    }
}

fn text(args: Args, f: fn(&str) -> String) -> Result<Value> {
    let value = first_arg(args)?;
    let markup = matches!(&value, Value::Str(s) if s.is_markup());
    Ok(Value::Str(Str::new(f(&value.to_str())).with_markup(markup)))
}

fn abs(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let value = first_arg(args)?;
    let negative = match &value {
        Value::Float(f) => f.is_sign_negative(),
        Value::Bool(b) => return Ok(Value::Int(i64::from(*b))),
        other => other
            .order(&Value::Int(0), "<")
            .map_err(|_| bad_abs(&value))?
            .is_some_and(Ordering::is_lt),
    };
    if !value.is_number() {
        return Err(bad_abs(&value));
    }
    if negative {
        ops::negate(&value)
    } else {
        Ok(value)
    }
}

fn bad_abs(value: &Value) -> Error {
    Error::type_error(format!(
        "bad operand type for abs(): '{}'",
        value.type_name()
    ))
}

fn attr(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, name] = args.bind("attr", ["obj", "name"], 2)?;
    let (value, name) = (value.unwrap_or(Value::None), known(name)?.to_str());
    // Attributes only, never items.
    match &value {
        Value::Dict(_) if !methods::exists(&value, &name) => Ok(Value::undefined(Undefined::hint(
            format!("object of type 'dict' has no attribute '{name}'"),
        ))),
        _ => runtime.attribute(&value, &name),
    }
}

fn batch(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, count, fill] = args.bind("batch", ["value", "linecount", "fill_with"], 2)?;
    let count = known(count)?.as_i64().unwrap_or(1).max(1) as usize;
    ops::fits(count)?;
    let items: Vec<Value> = known(value)?.items()?.collect();
    let mut out: Vec<Value> = Vec::new();
    for chunk in items.chunks(count) {
        let mut chunk = chunk.to_vec();
        if let Some(fill) = fill.as_ref().filter(|fill| !fill.is_none()) {
            chunk.resize(count, fill.clone());
        }
        out.push(Value::list(chunk));
    }
    Ok(Value::list(out))
}

fn center(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, width] = args.bind("center", ["value", "width"], 1)?;
    let text = Value::str(known(value)?.to_str());
    let args = Args::positional(vec![width.unwrap_or(Value::Int(80))]);
    methods::call(runtime, &text, "center", args).map(|value| value.unwrap_or(Value::None))
}

fn default(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, default, boolean] =
        args.bind("default", ["value", "default_value", "boolean"], 1)?;
    let default = default.unwrap_or_else(|| Value::str(""));
    let boolean = boolean.is_some_and(|value| value.truth());
    match value.unwrap_or(Value::None) {
        // What exists and can't be rendered is no case for a default.
        Value::Undefined(undefined) if !undefined.is_missing() => Err(undefined.error()),
        Value::Undefined(_) => Ok(default),
        value if boolean && !value.truth() => Ok(default),
        value => Ok(value),
    }
}

fn dict_sort(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, case, by, reverse] =
        args.bind("dictsort", ["value", "case_sensitive", "by", "reverse"], 1)?;
    let case = case.is_some_and(|v| v.truth());
    let at = match by.map(|v| v.to_str()).as_deref() {
        None | Some("key") => 0,
        Some("value") => 1,
        _ => {
            return Err(Error::value_error(
                "You can only sort by either \"key\" or \"value\"",
            ));
        }
    };
    let dict = mapping(&known(value)?)?;
    let pairs = dict
        .to_vec()
        .into_iter()
        .map(|(key, value)| {
            let pair = [key.into_value(), value];
            (folded(&pair[at], case), Value::tuple(pair.to_vec()))
        })
        .collect();
    sorted(pairs, reverse.is_some_and(|v| v.truth()))
}

fn mapping(value: &Value) -> Result<Dict> {
    match value {
        Value::Dict(dict) => Ok(dict.clone()),
        Value::Object(object) => object.as_mapping().ok_or_else(|| {
            Error::type_error(format!("expected a mapping, found {}", value.type_name()))
        }),
        other => Err(Error::type_error(format!(
            "'{}' object has no attribute 'items'",
            other.type_name()
        ))),
    }
}

/// Returns what to compare: text without case, unless case counts.
fn folded(value: &Value, case_sensitive: bool) -> Value {
    match value {
        Value::Str(text) if !case_sensitive => Value::str(text.to_lowercase()),
        other => other.clone(),
    }
}

/// Sorts pairs of (what to compare, item), stable.
fn sorted(mut pairs: Vec<(Value, Value)>, reverse: bool) -> Result<Value> {
    let mut problem = None;
    pairs.sort_by(|a, b| {
        let order = a.0.order(&b.0, "<").unwrap_or_else(|error| {
            problem.get_or_insert(error);
            None
        });
        let order = order.unwrap_or(Ordering::Equal);
        if reverse { order.reverse() } else { order }
    });
    match problem {
        Some(error) => Err(error),
        None => Ok(Value::list(
            pairs.into_iter().map(|(_, item)| item).collect(),
        )),
    }
}

fn escape(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    Ok(match first_arg(args)? {
        Value::Str(text) if text.is_markup() => Value::Str(text),
        other => Value::Str(Str::new(escape_html(&other.to_str())).with_markup(true)),
    })
}

fn force_escape(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let text = first_arg(args)?.to_str();
    Ok(Value::Str(Str::new(escape_html(&text)).with_markup(true)))
}

fn file_size(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, binary] = args.bind("filesizeformat", ["value", "binary"], 1)?;
    let bytes = match known(value)? {
        Value::Str(text) => text.trim().parse::<f64>().unwrap_or(0.0),
        other => other.as_f64().unwrap_or(0.0),
    };
    let binary = binary.is_some_and(|v| v.truth());
    let base: f64 = if binary { 1024.0 } else { 1000.0 };
    let units = if binary {
        ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"]
    } else {
        ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"]
    };
    if bytes == 1.0 {
        return Ok(Value::str("1 Byte"));
    }
    if bytes < base {
        return Ok(Value::str(format!("{} Bytes", bytes as i64)));
    }
    let mut unit = base;
    for name in units {
        unit *= base;
        if bytes < unit || name.starts_with('Y') {
            return Ok(Value::str(format!("{:.1} {name}", base * bytes / unit)));
        }
    }
    Ok(Value::str(""))
}

fn first(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    Ok(first_arg(args)?
        .items()?
        .next()
        .unwrap_or_else(|| Value::undefined(Undefined::hint("No first item, sequence was empty."))))
}

fn last(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    Ok(first_arg(args)?
        .items()?
        .last()
        .unwrap_or_else(|| Value::undefined(Undefined::hint("No last item, sequence was empty."))))
}

fn to_float(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, default] = args.bind("float", ["value", "default"], 1)?;
    let number = match known(value)? {
        Value::Str(text) => {
            let plain = text.trim().replace('_', "");
            match plain.to_ascii_lowercase().trim_start_matches(['+', '-']) {
                "inf" | "infinity" | "nan" => plain.to_ascii_lowercase().parse::<f64>().ok(),
                other if other.starts_with(|c: char| c.is_ascii_digit() || c == '.') => {
                    plain.parse().ok()
                }
                _ => None,
            }
        }
        other => other.as_f64(),
    };
    Ok(number.map_or_else(|| default.unwrap_or(Value::Float(0.0)), Value::Float))
}

fn to_int(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, default, base] = args.bind("int", ["value", "default", "base"], 1)?;
    let value = known(value)?;
    let base = base.and_then(|b| b.as_i64()).unwrap_or(10).clamp(2, 36) as u32;
    if let Some(number) = ops::to_integer(&value, base) {
        return Ok(number);
    }
    // Text such as `1.5` goes by way of float.
    if let Value::Str(text) = &value
        && let Ok(number) = text.trim().parse::<f64>()
        && number.is_finite()
    {
        return Ok(ops::to_integer(&Value::Float(number), 10).unwrap_or(Value::Int(0)));
    }
    Ok(default.unwrap_or(Value::Int(0)))
}

fn format_filter(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let mut positional = args.positional.into_iter();
    let text = match positional.next() {
        Some(Value::Undefined(undefined)) => return Err(undefined.error()),
        Some(value) => Str::new(value.to_str()),
        None => Str::new(""),
    };
    let rest: Vec<Value> = positional.collect();
    if !rest.is_empty() && !args.keyword.is_empty() {
        return Err(Error::value_error(
            "can't handle positional and keyword arguments at the same time",
        ));
    }
    let given = if args.keyword.is_empty() {
        Value::tuple(rest)
    } else {
        Value::dict(args.keyword)
    };
    format::percent(&text, &given)
}

/// Reads `a.b.0` of an item.
fn read(
    runtime: &mut dyn Runtime,
    item: &Value,
    path: &Value,
    default: Option<&Value>,
) -> Result<Value> {
    let mut value = item.clone();
    let parts: Vec<Value> = match path {
        Value::Str(path) => path
            .split('.')
            .map(|part| match part.parse::<i64>() {
                Ok(index) if part.bytes().all(|b| b.is_ascii_digit()) => Value::Int(index),
                _ => Value::str(part),
            })
            .collect(),
        other => vec![other.clone()],
    };
    for part in parts {
        value = runtime.item(&value, &part)?;
        if value.is_undefined()
            && let Some(default) = default
        {
            return Ok(default.clone());
        }
    }
    Ok(value)
}

fn group_by(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, attribute, default, case] = args.bind(
        "groupby",
        ["value", "attribute", "default", "case_sensitive"],
        2,
    )?;
    let attribute = known(attribute)?;
    let case = case.is_some_and(|v| v.truth());
    let mut pairs = Vec::new();
    for item in known(value)?.items()? {
        let by = read(runtime, &item, &attribute, default.as_ref())?;
        if let Value::Undefined(undefined) = &by {
            return Err(undefined.error());
        }
        pairs.push((folded(&by, case), Value::tuple(vec![by, item])));
    }
    let Value::List(sorted) = sorted(pairs, false)? else {
        return Ok(Value::None);
    };
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for pair in sorted.to_vec() {
        let Value::Tuple(pair) = pair else { continue };
        match groups.last_mut() {
            Some((by, items)) if folded(by, case) == folded(&pair[0], case) => {
                items.push(pair[1].clone());
            }
            _ => groups.push((pair[0].clone(), vec![pair[1].clone()])),
        }
    }
    Ok(Value::list(
        groups
            .into_iter()
            .map(|(by, items)| Value::Object(std::rc::Rc::new(Group { by, items })))
            .collect(),
    ))
}

/// A group of `groupby`: a pair with names.
struct Group {
    by: Value,
    items: Vec<Value>,
}

impl crate::value::Object for Group {
    fn type_name(&self) -> &'static str {
        "_GroupTuple"
    }

    fn repr(&self) -> String {
        Value::tuple(vec![self.by.clone(), Value::list(self.items.clone())]).repr()
    }

    fn len(&self) -> Option<usize> {
        Some(2)
    }

    fn attribute(&self, _runtime: &mut dyn Runtime, name: &str) -> Result<Option<Value>> {
        Ok(match name {
            "grouper" => Some(self.by.clone()),
            "list" => Some(Value::list(self.items.clone())),
            _ => None,
        })
    }

    fn item(&self, _runtime: &mut dyn Runtime, key: &Value) -> Result<Option<Value>> {
        Ok(match key.as_i64() {
            Some(0 | -2) => Some(self.by.clone()),
            Some(1 | -1) => Some(Value::list(self.items.clone())),
            _ => None,
        })
    }

    fn iterate(&self) -> Option<Vec<Value>> {
        Some(vec![self.by.clone(), Value::list(self.items.clone())])
    }
}

fn indent(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, width, first, blank] = args.bind("indent", ["s", "width", "first", "blank"], 1)?;
    let value = known(value)?;
    let markup = matches!(&value, Value::Str(s) if s.is_markup());
    let text = value.to_str();
    let prefix = match width {
        Some(Value::Str(text)) => text.to_string(),
        Some(other) => " ".repeat(other.as_i64().unwrap_or(4).clamp(0, 100_000) as usize),
        None => "    ".to_owned(),
    };
    let first = first.is_some_and(|v| v.truth());
    let blank = blank.is_some_and(|v| v.truth());
    let text = text + "\n";
    let mut lines: Vec<&str> = text.split('\n').collect();
    // The newline that was put at the end is none of the text's own.
    lines.pop();
    let mut out = String::new();
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            out.push('\n');
            if blank || !line.is_empty() {
                out.push_str(&prefix);
            }
        } else if first {
            out.push_str(&prefix);
        }
        out.push_str(line);
    }
    Ok(Value::Str(Str::new(out).with_markup(markup)))
}

fn items(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    match args.positional.into_iter().next() {
        Some(Value::Undefined(_)) => Ok(Value::list(Vec::new())),
        Some(value) => match mapping(&value) {
            Ok(dict) => Ok(Value::list(
                dict.to_vec()
                    .into_iter()
                    .map(|(k, v)| Value::tuple(vec![k.into_value(), v]))
                    .collect(),
            )),
            Err(_) => Err(Error::type_error("Can only get item pairs from a mapping.")),
        },
        None => Err(Error::type_error("a filter needs a value")),
    }
}

fn join(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, separator, attribute] = args.bind("join", ["value", "d", "attribute"], 1)?;
    let separator = separator.map(|s| s.to_str()).unwrap_or_default();
    let escaping = runtime.autoescape();
    let mut out = String::new();
    for (index, item) in known(value)?.items()?.enumerate() {
        if index > 0 {
            out.push_str(&separator);
        }
        let item = match &attribute {
            Some(path) if !path.is_none() => read(runtime, &item, path, None)?,
            _ => item,
        };
        match &item {
            Value::Undefined(undefined) => return Err(undefined.error()),
            Value::Str(text) if escaping && !text.is_markup() => out.push_str(&escape_html(text)),
            other => out.push_str(&other.to_str()),
        }
    }
    Ok(Value::Str(Str::new(out).with_markup(escaping)))
}

fn length(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let value = first_arg(args)?;
    value.len().map(Value::from).ok_or_else(|| {
        Error::type_error(format!(
            "object of type '{}' has no len()",
            value.type_name()
        ))
    })
}

fn list(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    Ok(Value::list(first_arg(args)?.items()?.collect()))
}

fn map(runtime: &mut dyn Runtime, mut args: Args) -> Result<Value> {
    if args.positional.is_empty() {
        return Err(Error::type_error("a filter needs a value"));
    }
    let value = known(Some(args.positional.remove(0)))?;
    let items: Vec<Value> = value.items()?.collect();
    let mut out = Vec::with_capacity(items.len());
    if args.positional.is_empty()
        && let Some(attribute) = args.take("attribute")
    {
        let default = args.take("default");
        if let Some((name, _)) = args.keyword.first() {
            return Err(Error::type_error(format!(
                "Unexpected keyword argument '{name}'"
            )));
        }
        for item in items {
            out.push(read(runtime, &item, &attribute, default.as_ref())?);
        }
        return Ok(Value::list(out));
    }
    if args.positional.is_empty() {
        return Err(Error::type_error("map requires a filter argument"));
    }
    let name = args.positional.remove(0).to_str();
    for item in items {
        let mut call = args.clone();
        call.positional.insert(0, item);
        out.push(runtime.filter(&name, call)?);
    }
    Ok(Value::list(out))
}

fn select(
    runtime: &mut dyn Runtime,
    mut args: Args,
    keep: bool,
    by_attribute: bool,
) -> Result<Value> {
    if args.positional.is_empty() {
        return Err(Error::type_error("a filter needs a value"));
    }
    let value = known(Some(args.positional.remove(0)))?;
    let attribute = if by_attribute {
        if args.positional.is_empty() {
            return Err(Error::type_error("Missing parameter for attribute name"));
        }
        Some(args.positional.remove(0))
    } else {
        None
    };
    let test = if args.positional.is_empty() {
        None
    } else {
        Some(args.positional.remove(0).to_str())
    };
    let mut out = Vec::new();
    for item in value.items()? {
        let tested = match &attribute {
            Some(path) => read(runtime, &item, path, None)?,
            None => item.clone(),
        };
        let passes = match &test {
            Some(name) => {
                let mut call = args.clone();
                call.positional.insert(0, tested);
                runtime.test(name, call)?
            }
            None => match tested {
                Value::Undefined(undefined) => return Err(undefined.error()),
                value => value.truth(),
            },
        };
        if passes == keep {
            out.push(item);
        }
    }
    Ok(Value::list(out))
}

fn extreme(runtime: &mut dyn Runtime, args: Args, wanted: Ordering) -> Result<Value> {
    let [value, case, attribute] = args.bind("max", ["value", "case_sensitive", "attribute"], 1)?;
    let case = case.is_some_and(|v| v.truth());
    let mut best: Option<(Value, Value)> = None;
    for item in known(value)?.items()? {
        let by = match &attribute {
            Some(path) if !path.is_none() => read(runtime, &item, path, None)?,
            _ => item.clone(),
        };
        let by = folded(&by, case);
        let better = match &best {
            Some((known, _)) => {
                by.order(known, if wanted == Ordering::Less { "<" } else { ">" })? == Some(wanted)
            }
            None => true,
        };
        if better {
            best = Some((by, item));
        }
    }
    Ok(best.map_or_else(
        || Value::undefined(Undefined::hint("No aggregated item, sequence was empty.")),
        |(_, item)| item,
    ))
}

fn random(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    use rand::seq::IndexedRandom;
    let items: Vec<Value> = first_arg(args)?.items()?.collect();
    Ok(items.choose(&mut rand::rng()).cloned().unwrap_or_else(|| {
        Value::undefined(Undefined::hint("No random item, sequence was empty."))
    }))
}

fn replace(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, old, new, count] = args.bind("replace", ["s", "old", "new", "count"], 3)?;
    let value = known(value)?;
    let markup = matches!(&value, Value::Str(s) if s.is_markup());
    let (text, old, new) = (value.to_str(), known(old)?.to_str(), known(new)?.to_str());
    ops::fits(text.len() + text.matches(old.as_str()).count().saturating_mul(new.len()))?;
    let made = match count.and_then(|c| c.as_i64()) {
        Some(count) if count >= 0 => text.replacen(&old, &new, count as usize),
        _ => text.replace(&old, &new),
    };
    Ok(Value::Str(Str::new(made).with_markup(markup)))
}

fn reverse(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    match first_arg(args)? {
        Value::Str(text) => Ok(Value::str(text.chars().rev().collect::<String>())),
        other => {
            let mut items: Vec<Value> = other.items()?.collect();
            items.reverse();
            Ok(Value::list(items))
        }
    }
}

fn round(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, precision, method] = args.bind("round", ["value", "precision", "method"], 1)?;
    let value = known(value)?;
    let precision = precision
        .and_then(|p| p.as_i64())
        .unwrap_or(0)
        .clamp(-300, 300) as i32;
    let method = method.map_or_else(|| "common".to_owned(), |m| m.to_str());
    let number = value.as_f64().ok_or_else(|| {
        Error::type_error(format!(
            "type {} doesn't define __round__ method",
            value.type_name()
        ))
    })?;
    let factor = 10f64.powi(precision);
    let rounded = match method.as_str() {
        "ceil" => (number * factor).ceil() / factor,
        "floor" => (number * factor).floor() / factor,
        "common" => {
            if matches!(value, Value::Int(_) | Value::Big(_) | Value::Bool(_)) && precision >= 0 {
                return Ok(value);
            }
            round_half_even(number, precision)
        }
        _ => return Err(Error::value_error("method must be common, ceil or floor")),
    };
    // Whole numbers stay whole numbers.
    match (&value, method.as_str()) {
        (Value::Int(_) | Value::Big(_) | Value::Bool(_), "common") => {
            Ok(ops::to_integer(&Value::Float(rounded), 10).unwrap_or(Value::Float(rounded)))
        }
        _ => Ok(Value::Float(rounded)),
    }
}

/// Rounds as Python does: by the exact decimal value, halves to even.
fn round_half_even(number: f64, precision: i32) -> f64 {
    if !number.is_finite() {
        return number;
    }
    if precision >= 0 {
        // Rust's formatting rounds the exact value, halves to even.
        return format!("{number:.*}", precision as usize)
            .parse()
            .unwrap_or(number);
    }
    let factor = 10f64.powi(-precision);
    let scaled = number / factor;
    let whole = scaled.trunc();
    let rest = (scaled - whole).abs();
    let up = rest > 0.5 || (rest == 0.5 && whole % 2.0 != 0.0);
    (if up { whole + scaled.signum() } else { whole }) * factor
}

fn slice(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, count, fill] = args.bind("slice", ["value", "slices", "fill_with"], 2)?;
    let count = known(count)?.as_i64().unwrap_or(1).max(1) as usize;
    ops::fits(count)?;
    let items: Vec<Value> = known(value)?.items()?.collect();
    let (per, extra) = (items.len() / count, items.len() % count);
    let mut at = 0;
    let mut out = Vec::new();
    for number in 0..count {
        let size = per + usize::from(number < extra);
        let mut part = items[at..at + size].to_vec();
        at += size;
        if let Some(fill) = fill.as_ref().filter(|fill| !fill.is_none())
            && number >= extra
            && extra > 0
        {
            part.push(fill.clone());
        }
        out.push(Value::list(part));
    }
    Ok(Value::list(out))
}

fn sort(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, reverse, case, attribute] = args.bind(
        "sort",
        ["value", "reverse", "case_sensitive", "attribute"],
        1,
    )?;
    let case = case.is_some_and(|v| v.truth());
    let mut pairs = Vec::new();
    for item in known(value)?.items()? {
        let by = match &attribute {
            Some(Value::Str(paths)) => {
                let mut parts = Vec::new();
                for path in paths.split(',') {
                    let part = read(runtime, &item, &Value::str(path.trim()), None)?;
                    parts.push(folded(&part, case));
                }
                match &parts[..] {
                    [one] => one.clone(),
                    _ => Value::tuple(parts),
                }
            }
            Some(path) if !path.is_none() => folded(&read(runtime, &item, path, None)?, case),
            _ => folded(&item, case),
        };
        pairs.push((by, item));
    }
    sorted(pairs, reverse.is_some_and(|v| v.truth()))
}

fn string(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    Ok(match first_arg(args)? {
        Value::Str(text) => Value::Str(text),
        other => Value::str(other.to_str()),
    })
}

fn strip_tags(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let text = first_arg(args)?.to_str();
    let mut out = String::new();
    let mut inside = false;
    for c in text.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => inside = false,
            c if !inside => out.push(c),
            _ => {}
        }
    }
    let words: Vec<&str> = out.split_whitespace().collect();
    let plain = words.join(" ");
    let plain = plain
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&#34;", "\"")
        .replace("&#39;", "'");
    Ok(Value::str(plain.replace("&amp;", "&")))
}

fn sum(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, attribute, start] = args.bind("sum", ["iterable", "attribute", "start"], 1)?;
    let mut total = start.unwrap_or(Value::Int(0));
    for item in known(value)?.items()? {
        let item = match &attribute {
            Some(path) if !path.is_none() => read(runtime, &item, path, None)?,
            _ => item,
        };
        total = ops::apply(ops::Operator::Add, &total, &item)?;
    }
    Ok(total)
}

fn title(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    // Words begin behind blanks, hyphens and opening brackets.
    text(args, |s| {
        let mut out = String::new();
        let mut start = true;
        for c in s.chars() {
            if start {
                out.extend(c.to_uppercase());
            } else {
                out.extend(c.to_lowercase());
            }
            start = c.is_whitespace() || matches!(c, '-' | '(' | '{' | '[' | '<');
        }
        out
    })
}

fn to_json(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, indent] = args.bind("tojson", ["value", "indent"], 1)?;
    let style = match indent.and_then(|i| i.as_i64()) {
        Some(indent) => JsonStyle {
            sort_keys: true,
            ..JsonStyle::indented(indent.clamp(0, 100) as usize)
        },
        None => JsonStyle {
            sort_keys: true,
            ..JsonStyle::default()
        },
    };
    let mut out = String::new();
    for c in known(value)?.to_json(&style)?.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\'' => out.push_str("\\u0027"),
            c => out.push(c),
        }
    }
    Ok(Value::Str(Str::new(out).with_markup(true)))
}

fn trim(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, chars] = args.bind("trim", ["value", "chars"], 1)?;
    let value = known(value)?;
    let text = value.to_str();
    let trimmed = match chars.filter(|c| !c.is_none()) {
        Some(chars) => {
            let set: Vec<char> = chars.to_str().chars().collect();
            text.trim_matches(|c| set.contains(&c)).to_owned()
        }
        None => text.trim().to_owned(),
    };
    let markup = matches!(&value, Value::Str(s) if s.is_markup());
    Ok(Value::Str(Str::new(trimmed).with_markup(markup)))
}

fn truncate(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, length, kill, end, leeway] =
        args.bind("truncate", ["s", "length", "killwords", "end", "leeway"], 1)?;
    let text = known(value)?.to_str();
    let length = length.and_then(|l| l.as_i64()).unwrap_or(255).max(0) as usize;
    let end = end.map_or_else(|| "...".to_owned(), |e| e.to_str());
    let leeway = leeway.and_then(|l| l.as_i64()).unwrap_or(5).max(0) as usize;
    let count = text.chars().count();
    if count <= length + leeway {
        return Ok(Value::str(text));
    }
    let keep = length.saturating_sub(end.chars().count());
    let cut: String = text.chars().take(keep).collect();
    if kill.is_some_and(|k| k.truth()) {
        return Ok(Value::str(cut + &end));
    }
    let words = cut.rsplit_once(' ').map_or(cut.as_str(), |(head, _)| head);
    Ok(Value::str(format!("{words}{end}")))
}

fn unique(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, case, attribute] =
        args.bind("unique", ["value", "case_sensitive", "attribute"], 1)?;
    let case = case.is_some_and(|v| v.truth());
    let mut seen: Vec<Value> = Vec::new();
    let mut keys = std::collections::HashSet::new();
    let mut out = Vec::new();
    for item in known(value)?.items()? {
        let by = match &attribute {
            Some(path) if !path.is_none() => read(runtime, &item, path, None)?,
            _ => item.clone(),
        };
        let by = folded(&by, case);
        let fresh = match Key::new(by.clone()) {
            Ok(key) => keys.insert(key),
            Err(_) if seen.contains(&by) => false,
            Err(_) => {
                seen.push(by);
                true
            }
        };
        if fresh {
            out.push(item);
        }
    }
    Ok(Value::list(out))
}

fn url_encode(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let value = first_arg(args)?;
    let pairs: Vec<(Value, Value)> = match &value {
        Value::Dict(dict) => dict
            .to_vec()
            .into_iter()
            .map(|(k, v)| (k.into_value(), v))
            .collect(),
        Value::List(_) | Value::Tuple(_) => {
            let mut pairs = Vec::new();
            for pair in value.items()? {
                let parts: Vec<Value> = pair.items()?.collect();
                if let [key, value] = &parts[..] {
                    pairs.push((key.clone(), value.clone()));
                }
            }
            pairs
        }
        other => return Ok(Value::str(quoted(&other.to_str(), "/"))),
    };
    let parts: Vec<String> = pairs
        .iter()
        .map(|(key, value)| {
            let part = |v: &Value| quoted(&v.to_str(), "").replace("%20", "+");
            format!("{}={}", part(key), part(value))
        })
        .collect();
    Ok(Value::str(parts.join("&")))
}

/// Escapes all but letters, digits, `_.-~` and what is given.
fn quoted(text: &str, safe: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric()
            || b"_.-~".contains(&byte)
            || safe.as_bytes().contains(&byte)
        {
            out.push(byte as char);
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn word_count(text: &str) -> usize {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .count()
}

fn word_wrap(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, width, break_long, wrap, hyphens] = args.bind(
        "wordwrap",
        [
            "s",
            "width",
            "break_long_words",
            "wrapstring",
            "break_on_hyphens",
        ],
        1,
    )?;
    let text = known(value)?.to_str();
    let width = width.and_then(|w| w.as_i64()).unwrap_or(79).max(1) as usize;
    let break_long = break_long.is_none_or(|b| b.truth());
    let _ = hyphens;
    let wrap = wrap
        .filter(|w| !w.is_none())
        .map_or_else(|| "\n".to_owned(), |w| w.to_str());
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split(' ').filter(|word| !word.is_empty()) {
            let mut word = word.to_owned();
            let room = |line: &str| {
                width.saturating_sub(line.chars().count() + usize::from(!line.is_empty()))
            };
            if word.chars().count() > room(&line) && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            while break_long && word.chars().count() > width {
                lines.push(word.chars().take(width).collect());
                word = word.chars().skip(width).collect();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
        lines.push(line);
    }
    Ok(Value::str(lines.join(&wrap)))
}

fn xml_attr(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, space] = args.bind("xmlattr", ["d", "autospace"], 1)?;
    let mut parts = Vec::new();
    for (key, value) in mapping(&known(value)?)?.to_vec() {
        if value.is_none() || value.is_undefined() {
            continue;
        }
        let key = key.value().to_str();
        if key.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '>' | '=')) {
            return Err(Error::value_error(format!(
                "Invalid character in attribute name: '{key}'"
            )));
        }
        parts.push(format!(
            "{}=\"{}\"",
            escape_html(&key),
            escape_html(&value.to_str())
        ));
    }
    let mut out = parts.join(" ");
    if !out.is_empty() && space.is_none_or(|s| s.truth()) {
        out.insert(0, ' ');
    }
    Ok(Value::Str(Str::new(out).with_markup(true)))
}

#[cfg(test)]
mod table_tests {
    use super::super::{Environment, MapContext, Place};
    use super::*;

    #[test]
    fn every_example_of_filters_and_tests_holds() {
        let env = Environment::new();
        let none: [(&str, Value); 0] = [];
        let context = MapContext::new(none);
        for row in TABLE.iter().chain(super::super::tests::TABLE) {
            let (text, wanted) = row.example.rsplit_once(" => ").expect(row.name);
            let expression = env
                .compile_expression(&text.replace("\\n", "\n"), Place::Nowhere, true)
                .expect(row.name);
            let value = env.evaluate(&expression, &context).expect(row.name);
            assert_eq!(value.repr(), wanted, "{}", row.name);
            assert!(row.doc.ends_with('.'), "{}", row.name);
        }
    }

    #[test]
    fn no_name_stands_twice() {
        for table in [TABLE, super::super::tests::TABLE] {
            let mut names: Vec<&str> = table.iter().map(|row| row.name).collect();
            names.sort_unstable();
            let count = names.len();
            names.dedup();
            assert_eq!(names.len(), count);
        }
    }
}
