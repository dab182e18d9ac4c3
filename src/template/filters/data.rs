//! Filters for dicts and serialised data: combine, JSON, YAML.

use super::{failed, flag, known, mistyped, only};
use crate::diag::{Error, Result, Sources};
use crate::jinja::Row;
use crate::value::{Args, Dict, JsonStyle, Key, Runtime, Value, from_json_text};
use crate::yaml;

pub(super) static TABLE: &[Row] = &[
    Row::new(
        "combine",
        combine,
        "Merges dicts.",
        "{'a': 1} | combine({'b': 2}) => {'a': 1, 'b': 2}",
    ),
    Row::new(
        "dict2items",
        dict_to_items,
        "Makes a list of a dict's items.",
        "{'a': 1} | dict2items => [{'key': 'a', 'value': 1}]",
    ),
    Row::new(
        "items2dict",
        items_to_dict,
        "Makes a dict of a list of items.",
        "[{'key': 'a', 'value': 1}] | items2dict => {'a': 1}",
    ),
    Row::new(
        "rekey_on_member",
        rekey_on_member,
        "Makes a dict of dicts, by a member of each.",
        "[{'k': 'a'}] | rekey_on_member('k') => {'a': {'k': 'a'}}",
    ),
    Row::new(
        "to_json",
        to_json,
        "Writes JSON.",
        "{'a': [1, none]} | to_json => '{\"a\": [1, null]}'",
    ),
    Row::new(
        "to_nice_json",
        to_nice_json,
        "Writes JSON for people.",
        "[1] | to_nice_json => '[\\n    1\\n]'",
    ),
    Row::new(
        "from_json",
        from_json,
        "Reads JSON.",
        "'[1]' | from_json => [1]",
    ),
    Row::new(
        "to_yaml",
        to_yaml,
        "Writes YAML.",
        "{'a': 1} | to_yaml => '{a: 1}\\n'",
    ),
    Row::new(
        "to_nice_yaml",
        to_nice_yaml,
        "Writes YAML for people.",
        "{'a': [1]} | to_nice_yaml => 'a:\\n- 1\\n'",
    ),
    Row::new(
        "from_yaml",
        from_yaml,
        "Reads YAML.",
        "'a: yes' | from_yaml => {'a': True}",
    ),
    Row::new(
        "from_yaml_all",
        from_yaml_all,
        "Reads several YAML documents.",
        "'1\\n---\\n2' | from_yaml_all | list => [1, 2]",
    ),
];

fn dict_of(value: &Value) -> Option<Dict> {
    match value {
        Value::Dict(dict) => Some(dict.clone()),
        Value::Object(object) => object.as_mapping(),
        _ => None,
    }
}

fn combine(_runtime: &mut dyn Runtime, mut args: Args) -> Result<Value> {
    let recursive = flag(args.take("recursive"));
    let lists = args
        .take("list_merge")
        .map_or_else(|| "replace".to_owned(), |v| v.to_str());
    if !matches!(
        lists.as_str(),
        "replace" | "keep" | "append" | "prepend" | "append_rp" | "prepend_rp"
    ) {
        return Err(failed(
            "merge_hash: 'list_merge' argument can only be equal to 'replace', 'keep', 'append', 'prepend', 'append_rp' or 'prepend_rp'",
        ));
    }
    if !args.keyword.is_empty() {
        return Err(failed(
            "'recursive' and 'list_merge' are the only valid keyword arguments",
        ));
    }
    let mut parts = Vec::new();
    for value in args.positional {
        match known(Some(value))? {
            // Lists of dicts are taken apart.
            Value::List(list) => parts.extend(list.to_vec()),
            value => parts.push(value),
        }
    }
    // What is nothing is left out, and the last is looked at first.
    parts.retain(|part| !part.is_none() && !matches!(part.as_str(), Some("None" | "null")));
    let Some(mut out) = parts.pop() else {
        return Ok(Value::Dict(Dict::new()));
    };
    for part in parts.into_iter().rev() {
        let (Some(low), Some(high)) = (dict_of(&part), dict_of(&out)) else {
            return Err(failed(format!(
                "failed to combine variables, expected dicts but got a '{}' and a '{}'.",
                part.type_name(),
                out.type_name()
            )));
        };
        out = Value::Dict(merged(&low, &high, recursive, &lists, 0));
    }
    Ok(out)
}

/// Merges two mappings and the mappings in them; the second one's values win, lists are replaced.
pub fn merge_dicts(low: &Dict, high: &Dict) -> Dict {
    merged(low, high, true, "replace", 0)
}

pub(super) fn merged(low: &Dict, high: &Dict, recursive: bool, lists: &str, depth: usize) -> Dict {
    let (low_value, high_value) = (Value::Dict(low.clone()), Value::Dict(high.clone()));
    if low.is_empty() || low_value == high_value {
        return high.copy();
    }
    let out = low.copy();
    for (key, value) in high.to_vec() {
        let merged = match (low.get_key(&key), &value) {
            (Some(Value::Dict(a)), Value::Dict(b))
                if recursive && depth < crate::value::MAX_DEPTH =>
            {
                Value::Dict(merged(&a, b, recursive, lists, depth + 1))
            }
            (Some(Value::List(a)), Value::List(b)) => {
                let (a, b) = (a.to_vec(), b.to_vec());
                let join =
                    |x: Vec<Value>, y: Vec<Value>| Value::list(x.into_iter().chain(y).collect());
                let without =
                    |x: Vec<Value>, y: &[Value]| x.into_iter().filter(|i| !y.contains(i)).collect();
                match lists {
                    "keep" => Value::list(a),
                    "append" => join(a, b),
                    "prepend" => join(b, a),
                    "append_rp" => join(without(a, &b), b),
                    "prepend_rp" => {
                        let rest = without(a, &b);
                        join(b, rest)
                    }
                    _ => Value::list(b),
                }
            }
            _ => value,
        };
        out.set_key(key, merged);
    }
    out
}

fn dict_to_items(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, key_name, value_name] =
        args.bind("dict2items", ["mydict", "key_name", "value_name"], 1)?;
    let value = known(value)?;
    let Some(dict) = dict_of(&value) else {
        return Err(mistyped(format!(
            "dict2items requires a dictionary, got <class '{}'> instead.",
            value.type_name()
        )));
    };
    let name = |value: Option<Value>, default: &str| {
        value.map_or_else(|| default.to_owned(), |v| v.to_str())
    };
    let (key_name, value_name) = (name(key_name, "key"), name(value_name, "value"));
    Ok(Value::list(
        dict.to_vec()
            .into_iter()
            .map(|(key, value)| Value::dict([(&key_name, key.into_value()), (&value_name, value)]))
            .collect(),
    ))
}

fn items_to_dict(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, key_name, value_name] =
        args.bind("items2dict", ["mylist", "key_name", "value_name"], 1)?;
    let name = |value: Option<Value>, default: &str| value.unwrap_or_else(|| Value::str(default));
    let (key_name, value_name) = (name(key_name, "key"), name(value_name, "value"));
    let value = known(value)?;
    if !matches!(value, Value::List(_) | Value::Tuple(_)) {
        return Err(mistyped(format!(
            "items2dict requires a list, got <class '{}'> instead.",
            value.type_name()
        )));
    }
    let items: Vec<Value> = value.items()?.collect();
    if !items.iter().all(|item| dict_of(item).is_some()) {
        return Err(mistyped(format!(
            "items2dict requires a list of dictionaries, got {} instead.",
            value.repr()
        )));
    }
    let has_both = |item: &Value| {
        let names = [&key_name, &value_name];
        names.iter().all(|name| item.get(&name.to_str()).is_some())
    };
    if !items.iter().all(has_both) {
        return Err(mistyped(format!(
            "items2dict requires each dictionary in the list to contain the keys '{key_name}' and '{value_name}', got {} instead.",
            value.repr()
        )));
    }
    let out = Dict::new();
    for item in items {
        let (key, value) = (
            runtime.item(&item, &key_name)?,
            runtime.item(&item, &value_name)?,
        );
        if let Value::Undefined(undefined) = &key {
            return Err(undefined.error());
        }
        out.set_key(Key::new(key)?, value);
    }
    Ok(Value::Dict(out))
}

fn rekey_on_member(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, key, duplicates] =
        args.bind("rekey_on_member", ["data", "key", "duplicates"], 2)?;
    let (value, key) = (known(value)?, known(key)?.to_str());
    let duplicates = duplicates.map_or_else(|| "error".to_owned(), |d| d.to_str());
    if duplicates != "error" && duplicates != "overwrite" {
        return Err(failed(format!(
            "duplicates parameter to rekey_on_member has unknown value '{duplicates}'"
        )));
    }
    let items: Vec<Value> = match dict_of(&value) {
        Some(dict) => dict.to_vec().into_iter().map(|(_, item)| item).collect(),
        None if matches!(value, Value::Str(_)) => {
            return Err(mistyped("Type is not a valid list, set, or dict"));
        }
        None => value
            .items()
            .map_err(|_| mistyped("Type is not a valid list, set, or dict"))?
            .collect(),
    };
    let out = Dict::new();
    for item in items {
        let Some(dict) = dict_of(&item) else {
            return Err(mistyped("List item is not a valid dict"));
        };
        let Some(member) = dict.get(&key) else {
            return Err(failed(format!("Key '{key}' was not found.")));
        };
        let member = Key::new(member)?;
        if duplicates == "error" && out.get_key(&member).is_some() {
            return Err(failed(format!(
                "Key {} is not unique, cannot convert to dict.",
                member.value().repr()
            )));
        }
        out.set_key(member, item);
    }
    Ok(Value::Dict(out))
}

fn style(args: &mut Args, nice: bool) -> JsonStyle {
    let indent = args.take("indent").and_then(|v| v.as_i64());
    let sort = args.take("sort_keys").map(|v| v.truth());
    let ascii = args.take("ensure_ascii").is_none_or(|v| v.truth());
    args.take("preprocess_unsafe");
    args.take("vault_to_text");
    let (indent, sort) = if nice {
        (Some(indent.unwrap_or(4)), sort.unwrap_or(true))
    } else {
        (indent, sort.unwrap_or(false))
    };
    let base = match indent {
        Some(indent) => JsonStyle::indented(indent.clamp(0, 100) as usize),
        None => JsonStyle::default(),
    };
    let mut style = JsonStyle {
        sort_keys: sort,
        ascii,
        ..base
    };
    if let Some(Value::Tuple(parts)) = args.take("separators") {
        let fixed = |value: Option<&Value>, compact: &'static str, spaced: &'static str| {
            value.map_or(spaced, |v| {
                if v.as_str() == Some(compact) {
                    compact
                } else {
                    spaced
                }
            })
        };
        style.item_separator = fixed(parts.first(), ",", ", ");
        style.key_separator = fixed(parts.get(1), ":", ": ");
    }
    style
}

fn json(runtime: &mut dyn Runtime, mut args: Args, nice: bool) -> Result<Value> {
    let style = style(&mut args, nice);
    let value = only(args)?;
    let value = match crate::template::lookups::templar(runtime) {
        Ok(templar) if templar.level().json_keeps_vaults() => templar.revaulted(&value),
        _ => value,
    };
    value.to_json(&style).map(Value::from)
}

fn to_json(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    json(runtime, args, false)
}

fn to_nice_json(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    json(runtime, args, true)
}

fn from_json(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, _profile] = args.bind("from_json", ["a", "profile"], 1)?;
    let value = known(value)?;
    if !matches!(value, Value::Str(_) | Value::Bytes(_)) {
        return Err(crate::diag::Error::type_error(format!(
            "the JSON object must be str, bytes or bytearray, not {}",
            value.type_name()
        )));
    }
    let text = value.to_str();
    from_json_text(&text).or_else(|_| super::json_reader::read(&text))
}

/// Refuses options of `yaml.dump` that aren't followed, and those that there aren't.
fn refuse_options(args: &Args) -> Result<()> {
    match args.keyword.first().map(|(name, _)| &**name) {
        None => Ok(()),
        Some("allow_unicode") => Err(failed(
            "yaml.dump() got multiple values for keyword argument 'allow_unicode'",
        )),
        Some(name @ ("canonical" | "line_break" | "encoding" | "version" | "tags" | "stream")) => {
            Err(failed(format!(
                "`{name}` is not supported by the YAML filters"
            )))
        }
        Some(name) => Err(Error::type_error(format!(
            "dump_all() got an unexpected keyword argument '{name}'"
        ))),
    }
}

fn emit(
    runtime: &mut dyn Runtime,
    mut args: Args,
    default_indent: usize,
    flow: bool,
) -> Result<Value> {
    let by_python = crate::template::lookups::templar(runtime)
        .is_ok_and(|templar| templar.level().writes_yaml_by_python());
    let number = |value: Option<Value>, default: usize| match value {
        None | Some(Value::None) => Ok(default),
        Some(value) => match value.as_i64() {
            Some(number) => Ok(usize::try_from(number).unwrap_or(0)),
            None => Err(failed("an integer is required")),
        },
    };
    let by_position = (args.positional.len() > 1).then(|| args.positional.remove(1));
    let indent = number(by_position.or_else(|| args.take("indent")), default_indent)?;
    let width = number(args.take("width"), 80)?;
    let sort = args.take("sort_keys").is_none_or(|v| v.truth());
    let explicit_start = flag(args.take("explicit_start"));
    let explicit_end = flag(args.take("explicit_end"));
    // Styles that there aren't are none.
    let scalars = args.take("default_style").and_then(|style| {
        let style = style.as_str()?;
        ["|", ">", "\"", "'"]
            .contains(&style)
            .then(|| style.chars().next())?
    });
    let flow = match args.take("default_flow_style") {
        Some(Value::None) => None,
        Some(value) => Some(value.truth()),
        None if flow => None,
        None => Some(false),
    };
    refuse_options(&args)?;
    let style = yaml::EmitStyle {
        by_python,
        explicit_start,
        explicit_end,
        indent,
        width,
        sort_keys: sort,
        flow,
        scalars,
    };
    let value = only(args)?;
    let value = match crate::template::lookups::templar(runtime) {
        Ok(templar) => templar.revaulted(&value),
        Err(_) => value,
    };
    yaml::emit(&value, &style).map(Value::from)
}

pub(super) fn to_yaml(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    emit(runtime, args, 2, true)
}

pub(super) fn to_nice_yaml(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    emit(runtime, args, 4, false)
}

fn documents(text: &str) -> Result<Vec<Value>> {
    let sources = Sources::default();
    let id = sources.add("<from_yaml>", text);
    let loaded = yaml::load_all(&sources, id).map_err(|error| {
        let message = error.full_message();
        let message = message
            .strip_prefix("YAML parsing failed: ")
            .unwrap_or(&message);
        match error.span().map(|span| {
            let at = sources.locate(span);
            (at.line, at.column)
        }) {
            Some((line, column)) => failed(format!(
                "{message}\n  in \"<unicode string>\", line {line}, column {column}"
            )),
            None => failed(message),
        }
    })?;
    let plain = |value: Value| {
        value.map_leaves(&mut |leaf| match leaf {
            Value::Str(text) => Value::str(text),
            other => other.clone(),
        })
    };
    Ok(loaded
        .documents
        .into_iter()
        .map(|node| node.map_or(Value::None, |node| plain(node.to_value())))
        .collect())
}

fn from_yaml(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let value = only(args)?;
    let Value::Str(text) = &value else {
        return Ok(value);
    };
    let mut all = documents(text)?.into_iter();
    let first = all.next().unwrap_or(Value::None);
    match all.next() {
        Some(_) => Err(failed("expected a single document in the stream")),
        None => Ok(first),
    }
}

fn from_yaml_all(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let value = only(args)?;
    let Value::Str(text) = &value else {
        return Ok(value);
    };
    documents(text).map(Value::list)
}
