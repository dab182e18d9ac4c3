//! Filters of `community.general` that make lists and dicts out of others, and out of text.

use super::keys::{How, Keys};
use super::{failed, known};
use crate::diag::{Error, Result};
use crate::jinja::Row;
use crate::template::csv_rows;
use crate::template::ini::{Fault, Ini, IniStyle};
use crate::value::ops::{Operator, apply};
use crate::value::{Args, Dict, Key, Runtime, Value};

pub(super) static TABLE: &[Row] = &[
    Row::new(
        "dict_kv",
        dict_kv,
        "Makes a dict of a value and its key.",
        "1 | community.general.dict_kv('a') => {'a': 1}",
    ),
    Row::new(
        "replace_keys",
        replace_keys,
        "Renames keys of each dict.",
        "[{'a': 1}] | community.general.replace_keys(target=[{'before': 'a', 'after': 'b'}]) => [{'b': 1}]",
    ),
    Row::new(
        "lists_union",
        |_, a| combined(a, |all, list| all.iter().chain(list).cloned().collect()),
        "Returns the items of all lists, each once.",
        "[1, 2] | community.general.lists_union([2, 3]) => [1, 2, 3]",
    ),
    Row::new(
        "lists_intersect",
        |_, a| combined(a, |all, list| keep(all, |item| list.contains(item))),
        "Returns the items that are in all lists.",
        "[1, 2] | community.general.lists_intersect([2, 3]) => [2]",
    ),
    Row::new(
        "lists_difference",
        |_, a| combined(a, |all, list| keep(all, |item| !list.contains(item))),
        "Returns the items that are in none of the further lists.",
        "[1, 2] | community.general.lists_difference([2, 3]) => [1]",
    ),
    Row::new(
        "lists_symmetric_difference",
        |_, a| {
            combined(a, |all, list| {
                let mut out = keep(all, |item| !list.contains(item));
                out.extend(keep(list, |item| !all.contains(item)));
                out
            })
        },
        "Returns the items that are in one of two lists only.",
        "[1, 2] | community.general.lists_symmetric_difference([2, 3]) => [1, 3]",
    ),
    Row::new(
        "groupby_as_dict",
        group_by,
        "Makes a dict of dicts, by one of their values.",
        "[{'n': 'a'}] | community.general.groupby_as_dict('n') => {'a': {'n': 'a'}}",
    ),
    Row::new(
        "accumulate",
        accumulate,
        "Returns the sums of the first items.",
        "[1, 2] | community.general.accumulate => [1, 3]",
    ),
    Row::new(
        "crc32",
        crc32,
        "Returns the CRC-32 of text, in hex.",
        "'abc' | community.general.crc32 => '352441c2'",
    ),
    Row::new(
        "from_csv",
        from_csv,
        "Reads separated values as dicts.",
        "'a,b\n1,2' | community.general.from_csv => [{'a': '1', 'b': '2'}]",
    ),
    Row::new(
        "from_ini",
        from_ini,
        "Reads the sections of an INI text.",
        "'[s]\na=1' | community.general.from_ini => {'s': {'a': '1'}}",
    ),
    Row::new(
        "to_ini",
        to_ini,
        "Writes dicts as the sections of an INI text.",
        "{'s': {'a': 1}} | community.general.to_ini => '[s]\\na = 1\\n'",
    ),
];

fn dict_kv(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, key] = args.bind("dict_kv", ["value", "key"], 2)?;
    let made = Dict::new();
    made.set_key(Key::new(known(key)?)?, known(value)?);
    Ok(Value::Dict(made))
}

fn replace_keys(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [data, target, how] =
        args.bind("replace_keys", ["data", "target", "matching_parameter"], 2)?;
    let how = how.and_then(|how| How::named(&how.to_str()));
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for rule in known(target)?.items()? {
        let (Some(old), Some(new)) = (rule.get("before"), rule.get("after")) else {
            return Err(failed(
                "All items of target must be dictionaries with the keys `before` and `after`",
            ));
        };
        before.push(old.to_str());
        after.push(new);
    }
    let keys = Keys::new(before, how.unwrap_or(How::Equal))?;
    let mut out = Vec::new();
    for item in known(data)?.items()? {
        let Value::Dict(dict) = &item else {
            return Err(failed(format!(
                "The elements of the data list must be dictionaries, found {}",
                item.type_name()
            )));
        };
        let made = Dict::new();
        for (key, value) in dict.to_vec() {
            match keys.find(key.value())? {
                Some(rule) => made.set_key(Key::new(after[rule].clone())?, value),
                None => made.set_key(key, value),
            }
        }
        out.push(Value::Dict(made));
    }
    Ok(Value::list(out))
}

fn keep(items: &[Value], wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
    items.iter().filter(|item| wanted(item)).cloned().collect()
}

/// Combines lists one after another; each item stays once, where it was first.
fn combined(mut args: Args, combine: fn(&[Value], &[Value]) -> Vec<Value>) -> Result<Value> {
    let flatten = args.take("flatten").is_some_and(|flatten| flatten.truth());
    let mut lists = Vec::new();
    for given in args.positional {
        let Value::List(list) = known(Some(given))? else {
            return Err(failed("All arguments must be lists"));
        };
        lists.push(list.to_vec());
    }
    if flatten {
        let inner = lists.into_iter().flatten();
        lists = inner
            .map(|list| Ok(list.items()?.collect()))
            .collect::<Result<_>>()?;
    }
    let mut lists = lists.into_iter();
    let mut all = unique(&lists.next().unwrap_or_default());
    for list in lists {
        all = unique(&combine(&all, &list));
    }
    Ok(Value::list(all))
}

fn unique(items: &[Value]) -> Vec<Value> {
    let mut out: Vec<Value> = Vec::new();
    for item in items {
        if !out.contains(item) {
            out.push(item.clone());
        }
    }
    out
}

fn group_by(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [sequence, attribute] = args.bind("groupby_as_dict", ["sequence", "attribute"], 2)?;
    let attribute = known(attribute)?.to_str();
    let made = Dict::new();
    for (index, item) in known(sequence)?.items()?.enumerate() {
        let Value::Dict(dict) = &item else {
            return Err(failed(format!(
                "Sequence element #{index} is not a mapping"
            )));
        };
        let Some(value) = dict.get(&attribute) else {
            return Err(failed(format!(
                "Attribute not contained in element #{index} of sequence"
            )));
        };
        let key = Key::new(value)?;
        if made.get_key(&key).is_some() {
            return Err(failed(format!(
                "Multiple sequence entries have attribute value {}",
                key.value().repr()
            )));
        }
        made.set_key(key, item);
    }
    Ok(Value::Dict(made))
}

fn accumulate(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [sequence] = args.bind("list_accumulate", ["sequence"], 1)?;
    let mut out: Vec<Value> = Vec::new();
    for item in known(sequence)?.items()? {
        out.push(match out.last() {
            Some(sum) => apply(Operator::Add, sum, &item)?,
            None => item,
        });
    }
    Ok(Value::list(out))
}

fn crc32(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value] = args.bind("crc32s", ["value"], 1)?;
    let Value::Str(text) = known(value)? else {
        return Err(failed("wrong value type, expected a string"));
    };
    let mut sum = flate2::Crc::new();
    sum.update(text.as_bytes());
    Ok(Value::from(format!("{:x}", sum.sum())))
}

fn from_csv(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let names = [
        "data",
        "dialect",
        "fieldnames",
        "delimiter",
        "skipinitialspace",
        "strict",
    ];
    let [data, dialect, fields, delimiter, _, _] = args.bind("from_csv", names, 1)?;
    let dialect = dialect.map_or_else(|| "excel".to_owned(), |dialect| dialect.to_str());
    let delimiter = match (delimiter.filter(Value::truth), dialect.as_str()) {
        (Some(given), _) => given.to_str(),
        (None, "excel" | "unix") => ",".to_owned(),
        (None, "excel-tab") => "\t".to_owned(),
        (None, other) => {
            return Err(failed(format!(
                "Dialect '{other}' is not supported by your version of python."
            )));
        }
    };
    let [delimiter] = delimiter.as_bytes() else {
        return Err(Error::type_error(
            "\"delimiter\" must be a 1-character string",
        ));
    };
    let mut rows = csv_rows(&known(data)?.to_str(), *delimiter)?.into_iter();
    let names: Vec<String> = match fields.filter(Value::truth) {
        Some(given) => given.items()?.map(|name| name.to_str()).collect(),
        None => rows.next().unwrap_or_default(),
    };
    let dicts = rows.map(|row| {
        let made = Dict::new();
        for (index, name) in names.iter().enumerate() {
            made.set(name, row.get(index).map(Value::str));
        }
        if row.len() > names.len() {
            // What has no name is a list under none.
            let rest = row[names.len()..].iter().map(Value::str).collect();
            if let Ok(none) = Key::new(Value::None) {
                made.set_key(none, Value::list(rest));
            }
        }
        Value::Dict(made)
    });
    Ok(Value::list(dicts.collect()))
}

fn from_ini(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [text] = args.bind("from_ini", ["obj"], 1)?;
    let Value::Str(text) = known(text)? else {
        return Err(failed("from_ini requires a str"));
    };
    let style = IniStyle {
        case_sensitive: true,
        ..IniStyle::default()
    };
    let ini = Ini::read(&text, style).map_err(|fault| {
        let (Fault::Duplicate(said) | Fault::Other(said)) = fault;
        failed(format!("from_ini failed to parse given string: {said}"))
    })?;
    let made = Dict::new();
    for section in ini.names() {
        let options = ini.all(section).into_iter();
        made.set(
            section,
            Value::dict(options.map(|(name, value)| (name, value.map_or(Value::None, Value::str)))),
        );
    }
    Ok(Value::Dict(made))
}

fn to_ini(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [data] = args.bind("to_ini", ["obj"], 1)?;
    let Value::Dict(data) = known(data)? else {
        return Err(failed("to_ini requires a dict"));
    };
    if data.is_empty() {
        return Err(failed(
            "to_ini received an empty dict. An empty dict cannot be converted.",
        ));
    }
    let mut sections = Vec::new();
    for (name, options) in data.to_vec() {
        let mut text = format!("[{}]\n", name.value());
        let Value::Dict(options) = &options else {
            return Err(failed(format!(
                "to_ini failed to parse given dict: '{}' object has no attribute 'items'",
                options.type_name()
            )));
        };
        for (key, value) in options.to_vec() {
            let value = value.to_str().replace('\n', "\n\t");
            text.push_str(&format!("{} = {value}\n", key.value()));
        }
        sections.push(text);
    }
    Ok(Value::from(sections.join("\n")))
}
