//! Filters of `ansible.utils` that look into nested data, and choose and rename keys in it.

use std::rc::Rc;

use super::keys::{How, Keys};
use super::{failed, known};
use crate::diag::Result;
use crate::jinja::Row;
use crate::template::lookups::templar;
use crate::template::{MapVariables, Templar};
use crate::value::{Args, Dict, Key, MAX_DEPTH, Runtime, Str, Value};

pub(super) static TABLE: &[Row] = &[
    Row::new(
        "get_path",
        get_path,
        "Returns what is at a path in nested data.",
        "{'a': [{'b': 1}]} | ansible.utils.get_path('a[0].b') => 1",
    ),
    Row::new(
        "index_of",
        index_of,
        "Returns the places of the items that pass a test.",
        "[3, 4, 5] | ansible.utils.index_of('odd') => [0, 2]",
    ),
    Row::new(
        "keep_keys",
        keep_keys,
        "Keeps some keys, at any depth.",
        "{'a': {'b': 1, 'c': 2}} | ansible.utils.keep_keys(['b']) => {'a': {'b': 1}}",
    ),
    Row::new(
        "param_list_compare",
        compare_lists,
        "Says which of the wanted names there are; `all` and `!name` are understood.",
        "['a', 'b'] | ansible.utils.param_list_compare(['all', '!b']) => {'actionable': ['a'], 'unsupported': []}",
    ),
    Row::new(
        "remove_keys",
        remove_keys,
        "Drops some keys, at any depth.",
        "{'a': {'b': 1, 'c': 2}} | ansible.utils.remove_keys(['b']) => {'a': {'c': 2}}",
    ),
    Row::new(
        "replace_keys",
        replace_keys,
        "Renames keys, at any depth.",
        "{'a': {'b': 1}} | ansible.utils.replace_keys([{'before': 'b', 'after': 'c'}]) => {'a': {'c': 1}}",
    ),
    Row::new(
        "to_paths",
        to_paths,
        "Makes a flat dict of paths out of nested data.",
        "{'a': [1, {'b': 2}]} | ansible.utils.to_paths => {'a[0]': 1, 'a[1].b': 2}",
    ),
];

/// Binds arguments as `ansible.utils` checks them: what isn't known and what is missing is listed.
pub(super) fn checked<const N: usize>(
    args: Args,
    names: [&str; N],
    required: usize,
) -> Result<[Option<Value>; N]> {
    let mut out: [Option<Value>; N] = std::array::from_fn(|_| None);
    for (cell, value) in out.iter_mut().zip(args.positional) {
        *cell = Some(known(Some(value))?);
    }
    for (name, value) in args.keyword {
        let Some(at) = names.iter().position(|known| **known == *name) else {
            let mut all = names;
            all.sort_unstable();
            let said = format!("{name}. Supported parameters include: {}.", all.join(", "));
            return Err(listed(said));
        };
        out[at] = Some(known(Some(value))?);
    }
    let mut missing: Vec<&str> = (0..required)
        .filter(|at| out[*at].is_none())
        .map(|at| names[at])
        .collect();
    missing.sort_unstable();
    if missing.is_empty() {
        return Ok(out);
    }
    Err(listed(format!(
        "missing required arguments: {}",
        missing.join(", ")
    )))
}

/// Refuses data that is nested so deeply that looking through it would never end.
fn shallow(value: &Value, depth: usize) -> Result<()> {
    if depth > MAX_DEPTH {
        return Err(failed("the data is nested too deeply"));
    }
    match value {
        Value::Dict(dict) => dict
            .to_vec()
            .iter()
            .try_for_each(|(_, item)| shallow(item, depth + 1)),
        Value::List(list) => list
            .to_vec()
            .iter()
            .try_for_each(|item| shallow(item, depth + 1)),
        _ => Ok(()),
    }
}

/// Makes an error that says a list of one text, as checks of arguments do.
pub(super) fn listed(said: String) -> crate::diag::Error {
    let said = Value::list(vec![Value::from(said)]).repr();
    crate::diag::Error::new(crate::diag::Kind::Argument, said)
}

fn is_set(value: Option<Value>) -> Result<bool> {
    truth_of(value, "wantlist", false)
}

/// Reads an argument that is a boolean.
pub(super) fn truth_of(value: Option<Value>, name: &str, default: bool) -> Result<bool> {
    match value.filter(|value| !value.is_none()) {
        None => Ok(default),
        Some(value) => crate::value::to_bool(&value).ok_or_else(|| {
            let kind = value.type_name();
            listed(format!(
                "argument '{name}' is of type {kind} and we were unable to convert to bool: The value '{value}' is not a valid boolean."
            ))
        }),
    }
}

pub(in crate::template) fn to_paths(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [data, prepend, list] = checked(args, ["var", "prepend", "wantlist"], 1)?;
    let data = data.unwrap_or(Value::None);
    shallow(&data, 0)?;
    let start = prepend.filter(Value::truth).map(|text| text.to_str());
    let made = Dict::new();
    match &data {
        Value::Dict(dict) if dict.is_empty() => return Ok(data),
        Value::List(list) if list.is_empty() => return Ok(data),
        _ => add_paths(&made, start, &data)?,
    }
    Ok(wrapped(Value::Dict(made), is_set(list)?))
}

/// Puts a value into a list where one is wanted.
fn wrapped(value: Value, in_list: bool) -> Value {
    match value {
        list @ Value::List(_) => list,
        value if in_list => Value::list(vec![value]),
        value => value,
    }
}

/// Adds the paths of all leaves; an empty list or dict is a leaf.
fn add_paths(made: &Dict, path: Option<String>, value: &Value) -> Result<()> {
    match value {
        Value::Dict(dict) if !dict.is_empty() => {
            for (key, inner) in dict.to_vec() {
                let step = match (&path, key.value()) {
                    // What is at the top may be no text.
                    (None, key) if !matches!(inner, Value::Dict(_) | Value::List(_)) => {
                        made.set_key(Key::new(key.clone())?, inner);
                        continue;
                    }
                    (None, key) => key.to_str(),
                    (Some(path), Value::Str(name)) if is_name(name) => format!("{path}.{name}"),
                    (Some(path), Value::Str(name)) => format!("{path}['{name}']"),
                    (Some(path), key) => format!("{path}[{key}]"),
                };
                add_paths(made, Some(step), &inner)?;
            }
        }
        Value::List(list) if !list.is_empty() => {
            for (at, inner) in list.to_vec().iter().enumerate() {
                let step = format!("{}[{at}]", path.as_deref().unwrap_or(""));
                add_paths(made, Some(step), inner)?;
            }
        }
        leaf => made.set(path.unwrap_or_default(), leaf.clone()),
    }
    Ok(())
}

/// Says whether a key can stand behind a dot.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

pub(in crate::template) fn get_path(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let mut args = args;
    // By position there are two; more of them are ignored.
    args.positional.truncate(2);
    let [data, path, list] = checked(args, ["var", "path", "wantlist"], 2)?;
    let Some(Value::Dict(data)) = data else {
        let kind = data.map_or_else(|| "NoneType".to_owned(), |data| data.type_name().to_owned());
        return Err(crate::diag::Error::type_error(format!(
            "jinja2.environment.Template.render() argument after ** must be a mapping, not {kind}"
        )));
    };
    let path = path.map_or_else(String::new, |path| path.to_str());
    let shared = templar(runtime)?.0.shared.clone();
    let inside = Templar::new(shared, Rc::new(MapVariables::new(data, Vec::new())));
    let found = inside
        .render(&Value::Str(Str::trusted(format!("{{{{ {path} }}}}"))))
        .map_err(
            |error| match error.message().strip_prefix("Syntax error in template: ") {
                Some(said) => failed(said),
                None => error,
            },
        )?;
    Ok(wrapped(known(Some(found))?, is_set(list)?))
}

pub(in crate::template) fn index_of(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let names = [
        "data",
        "test",
        "value",
        "key",
        "fail_on_missing",
        "wantlist",
    ];
    let [data, test, value, key, fails, list] = checked(args, names, 2)?;
    let items = match data.unwrap_or(Value::None) {
        Value::List(list) => list.to_vec(),
        Value::Dict(_) => {
            return Err(listed(
                "argument 'data' is of type dict and we were unable to convert to list: <class 'dict'> cannot be converted to a list".to_owned(),
            ));
        }
        Value::Str(text) => text.split(',').map(Value::str).collect(),
        one => vec![Value::from(one.to_str())],
    };
    let test = test.map_or_else(String::new, |test| test.to_str());
    let told = |said: String| failed(format!("Error when using plugin 'index_of': {said}"));
    let (name, wanted) = match test.strip_prefix('!').or_else(|| test.strip_prefix("not ")) {
        Some(name) => (name.trim(), false),
        None => (test.as_str(), true),
    };
    let fails = is_set(fails)?;
    let mut found = Vec::new();
    for (at, item) in items.into_iter().enumerate() {
        let tested = match &key {
            None => item,
            Some(key) => {
                let Value::Dict(dict) = &item else {
                    let kind = item.type_name();
                    return Err(told(format!(
                        "When a key name is provided, all list entries are required to be dictionaries, got  and {kind}"
                    )));
                };
                match dict.get_key(&Key::new(key.clone())?) {
                    Some(value) => value,
                    None if fails => {
                        return Err(told(format!(
                            " and '{key}' was not found in '{}' at [{at}]. fail_on_missing=True",
                            item.repr()
                        )));
                    }
                    None => continue,
                }
            }
        };
        let mut positional = vec![tested.clone()];
        positional.extend(value.clone());
        let passes = runtime.test(name, Args { positional, keyword: Vec::new() }).map_err(|error| {
            let kind = tested.type_name();
            let other = value.clone().unwrap_or(Value::None);
            let said = match error.kind() {
                crate::diag::Kind::NotFound | crate::diag::Kind::TemplateSyntax => {
                    format!("the test '{name}' was not found.")
                }
                _ => error.full_message(),
            };
            told(format!(
                "Error encountered when testing value '{tested}' (type={kind}) against '{other}' (type={kind}) with '{name}'.  Error was: {said}"
            ))
        })?;
        if passes == wanted {
            found.push(Value::from(at as i64));
        }
    }
    Ok(match &found[..] {
        [one] if !is_set(list)? => one.clone(),
        _ => Value::list(found),
    })
}

/// Reads data, keys and how keys are compared.
fn choosing(args: Args, name: &str, what: &str) -> Result<(Value, Keys)> {
    let [data, target, how] = checked(args, ["data", "target", "matching_parameter"], 2)?;
    let data = container(data.unwrap_or(Value::None), name, what)?;
    let keys = match target.unwrap_or(Value::None) {
        Value::Str(text) => text.split(',').map(str::to_owned).collect(),
        list @ (Value::List(_) | Value::Tuple(_)) => {
            list.items()?.map(|key| key.to_str()).collect()
        }
        one => vec![one.to_str()],
    };
    Ok((data, Keys::new(keys, how_of(how)?)?))
}

/// Returns nested data; anything else is refused.
fn container(data: Value, name: &str, what: &str) -> Result<Value> {
    match data {
        Value::Dict(_) | Value::List(_) => shallow(&data, 0).map(|()| data),
        _ => Err(failed(format!(
            "Error when using plugin '{name}': Input is not valid for {what}"
        ))),
    }
}

fn how_of(how: Option<Value>) -> Result<How> {
    let Some(how) = how.filter(|how| !how.is_none()) else {
        return Ok(How::Equal);
    };
    How::named(&how.to_str()).ok_or_else(|| {
        listed(format!(
            "value of matching_parameter must be one of: starts_with, ends_with, regex, got: {how}"
        ))
    })
}

fn keep_keys(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let (data, keys) = choosing(args, "keep_keys", "keep operation")?;
    kept(&data, &keys)
}

fn kept(value: &Value, keys: &Keys) -> Result<Value> {
    Ok(match value {
        Value::Dict(dict) => {
            let made = Dict::new();
            for (key, inner) in dict.to_vec() {
                if keys.find(key.value())?.is_some() {
                    made.set_key(key, inner);
                } else if matches!(inner, Value::Dict(_) | Value::List(_)) {
                    let inner = kept(&inner, keys)?;
                    if inner.truth() {
                        made.set_key(key, inner);
                    }
                }
            }
            Value::Dict(made)
        }
        Value::List(list) => {
            let items: Result<Vec<Value>> =
                list.to_vec().iter().map(|item| kept(item, keys)).collect();
            Value::list(items?)
        }
        other => other.clone(),
    })
}

fn remove_keys(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let (data, keys) = choosing(args, "remove_keys", "attribute removal")?;
    without(&data, &keys)
}

fn without(value: &Value, keys: &Keys) -> Result<Value> {
    Ok(match value {
        Value::Dict(dict) => {
            let made = Dict::new();
            for (key, inner) in dict.to_vec() {
                if keys.find(key.value())?.is_none() {
                    made.set_key(key, without(&inner, keys)?);
                }
            }
            Value::Dict(made)
        }
        Value::List(list) => {
            let mut out = Vec::new();
            for item in list.to_vec() {
                let is_nested = matches!(item, Value::Dict(_) | Value::List(_));
                let item = without(&item, keys)?;
                if item.truth() || !is_nested {
                    out.push(item);
                }
            }
            Value::list(out)
        }
        other => other.clone(),
    })
}

fn replace_keys(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [data, target, how] = checked(args, ["data", "target", "matching_parameter"], 2)?;
    let mut data = container(
        data.unwrap_or(Value::None),
        "replace_keys",
        "replace operation",
    )?;
    let how = how_of(how)?;
    let rules = match target.unwrap_or(Value::None) {
        list @ Value::List(_) => list.items()?.collect(),
        one => vec![one],
    };
    for rule in rules {
        let Value::Dict(rule) = rule else {
            let said = "dictionary requested, could not parse JSON or key=value";
            let kind = rule.type_name();
            let more = format!(
                "Elements value for option 'target' is of type {kind} and we were unable to convert to dict: {said}"
            );
            return Err(failed(
                Value::list(vec![Value::str(said), Value::from(more)]).repr(),
            ));
        };
        let before = rule.get("before").unwrap_or(Value::None);
        let after = Key::new(rule.get("after").unwrap_or(Value::None))?;
        data = renamed(&data, &Keys::new(vec![before.to_str()], how)?, &after)?;
    }
    Ok(data)
}

fn renamed(value: &Value, keys: &Keys, after: &Key) -> Result<Value> {
    Ok(match value {
        Value::Dict(dict) => {
            let made = Dict::new();
            let all = dict.to_vec();
            for (key, inner) in &all {
                made.set_key(key.clone(), renamed(inner, keys, after)?);
            }
            for (key, _) in all {
                if keys.find(key.value())?.is_none() {
                    continue;
                }
                let taken = made.borrow_mut().shift_remove(&key);
                if let Some(inner) = taken {
                    made.set_key(after.clone(), inner);
                }
            }
            Value::Dict(made)
        }
        Value::List(list) => {
            let items = list.to_vec();
            let items: Result<Vec<Value>> = items
                .iter()
                .map(|item| renamed(item, keys, after))
                .collect();
            Value::list(items?)
        }
        other => other.clone(),
    })
}

fn compare_lists(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let mut given = args.positional.into_iter();
    let mut take = |name: &str| -> Result<Vec<Value>> {
        let keyword = args.keyword.iter().find(|(known, _)| **known == *name);
        match known(
            given
                .next()
                .or_else(|| keyword.map(|(_, value)| value.clone())),
        )? {
            Value::None => Err(failed(
                "Missing either 'base' or 'other value in filter input,refer 'ansible.utils.param_list_compare' filter plugin documentation for details",
            )),
            Value::Str(text) => Ok(text.split(',').map(Value::str).collect()),
            list => Ok(list.items()?.collect()),
        }
    };
    let (base, target) = (take("base")?, take("target")?);
    let all = target.iter().any(|name| name.as_str() == Some("all"));
    let excluded: Vec<String> = target
        .iter()
        .filter_map(|name| name.as_str()?.strip_prefix('!').map(str::to_owned))
        .collect();
    let is_excluded = |name: &Value| {
        name.as_str()
            .is_some_and(|name| excluded.iter().any(|e| e == name))
    };
    let plain = |name: &&Value| {
        let text = name.as_str().unwrap_or("");
        text != "all" && !text.starts_with('!')
    };
    let wanted: Vec<Value> = if all {
        base.clone()
    } else {
        target.iter().filter(plain).cloned().collect()
    };
    let actionable = wanted
        .iter()
        .filter(|name| base.contains(name) && !is_excluded(name));
    let unsupported = target
        .iter()
        .filter(plain)
        .filter(|name| !base.contains(name));
    Ok(Value::dict([
        ("actionable", Value::list(actionable.cloned().collect())),
        ("unsupported", Value::list(unsupported.cloned().collect())),
    ]))
}
