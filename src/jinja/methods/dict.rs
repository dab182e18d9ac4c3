//! Methods of `dict`.

use super::view::{DictView, Shows};
use super::{Method, Takes, method};
use crate::diag::{Error, Kind, Result};
use crate::jinja::globals::fill;
use crate::value::{Args, Dict, Key, Runtime, Value};

/// The methods.
pub(super) static TABLE: &[Method<Dict>] = &[
    method(
        "clear",
        Takes::Nothing,
        |_, dict, _| {
            dict.borrow_mut().clear();
            Ok(Value::None)
        },
        "Takes all items out.",
        "{'a': 1}.clear() => None",
    ),
    method(
        "copy",
        Takes::Nothing,
        |_, dict, _| Ok(Value::Dict(dict.copy())),
        "Copies the dict, one level.",
        "{'a': 1}.copy() => {'a': 1}",
    ),
    method(
        "fromkeys",
        Takes::Between(1, 2),
        from_keys,
        "Makes a dict of keys with one value.",
        "{}.fromkeys('ab', 1) => {'a': 1, 'b': 1}",
    ),
    method(
        "get",
        Takes::Anything,
        get,
        "Returns an item, or a default.",
        "{'a': 1}.get('b', 2) => 2",
    ),
    method(
        "items",
        Takes::Nothing,
        |_, dict, _| Ok(DictView::of(dict, Shows::Items)),
        "Shows keys with their values.",
        "{'a': 1}.items() => dict_items([('a', 1)])",
    ),
    method(
        "keys",
        Takes::Nothing,
        |_, dict, _| Ok(DictView::of(dict, Shows::Keys)),
        "Shows the keys.",
        "{'a': 1}.keys() => dict_keys(['a'])",
    ),
    method(
        "pop",
        Takes::Between(1, 2),
        pop,
        "Takes an item out and returns it.",
        "{'a': 1}.pop('a') => 1",
    ),
    method(
        "popitem",
        Takes::Nothing,
        pop_item,
        "Takes the last item out and returns it.",
        "{'a': 1}.popitem() => ('a', 1)",
    ),
    method(
        "setdefault",
        Takes::Between(1, 2),
        set_default,
        "Returns an item, which is set where it isn't there.",
        "{}.setdefault('a', 1) => 1",
    ),
    method(
        "update",
        Takes::Anything,
        update,
        "Takes items over from a mapping, pairs, or keywords.",
        "{}.update(a=1) => None",
    ),
    method(
        "values",
        Takes::Nothing,
        |_, dict, _| Ok(DictView::of(dict, Shows::Values)),
        "Shows the values.",
        "{'a': 1}.values() => dict_values([1])",
    ),
];

/// Says whether a name is a method: asked for every attribute, and so without a walk over the table.
pub(super) fn is_method(name: &str) -> bool {
    matches!(
        name,
        "clear"
            | "copy"
            | "fromkeys"
            | "get"
            | "items"
            | "keys"
            | "pop"
            | "popitem"
            | "setdefault"
            | "update"
            | "values"
    )
}

/// Splits the arguments of `get`, `pop` and `setdefault`.
fn key_and_default(args: Args) -> Result<(Key, Option<Value>)> {
    let mut given = args.positional.into_iter();
    let key = Key::new(given.next().unwrap_or(Value::None))?;
    Ok((key, given.next()))
}

/// Counts the dict itself among the arguments, as Python does for methods written in Python.
fn with_self(error: Error) -> Error {
    let Some((head, given)) = error
        .message()
        .split_once("takes from 1 to 2 positional arguments but ")
    else {
        return error;
    };
    let count = given
        .split(' ')
        .next()
        .and_then(|count| count.parse::<usize>().ok());
    let message = format!(
        "{head}takes from 2 to 3 positional arguments but {} were given",
        count.unwrap_or(0) + 1
    );
    error.message_as(message)
}

/// Python's `KeyError`.
fn no_key(text: impl Into<String>) -> Error {
    Error::new(Kind::Value, text)
}

fn get(runtime: &mut dyn Runtime, dict: &Dict, args: Args) -> Result<Value> {
    let given = args.positional.len();
    if !runtime.reads_lazily() && args.keyword.is_empty() && !(1..=2).contains(&given) {
        let wanted = if given == 0 {
            "at least 1 argument"
        } else {
            "at most 2 arguments"
        };
        let message = format!("get expected {wanted}, got {given}");
        return Err(Error::type_error(message));
    }
    let [key, default] = args
        .bind("dict.get", ["key", "default"], 1)
        .map_err(with_self)?;
    let args = Args::positional([key, default].into_iter().flatten().collect());
    let (key, default) = key_and_default(args)?;
    Ok(dict.get_key(&key).or(default).unwrap_or(Value::None))
}

fn pop(_runtime: &mut dyn Runtime, dict: &Dict, args: Args) -> Result<Value> {
    let (key, default) = key_and_default(args)?;
    let found = dict.borrow_mut().shift_remove(&key);
    found.or(default).ok_or_else(|| no_key(key.value().repr()))
}

fn pop_item(_runtime: &mut dyn Runtime, dict: &Dict, _args: Args) -> Result<Value> {
    let last = dict.borrow_mut().pop();
    match last {
        Some((key, value)) => Ok(Value::tuple(vec![key.into_value(), value])),
        None => Err(no_key("'popitem(): dictionary is empty'")),
    }
}

fn set_default(_runtime: &mut dyn Runtime, dict: &Dict, args: Args) -> Result<Value> {
    let (key, default) = key_and_default(args)?;
    if let Some(known) = dict.get_key(&key) {
        return Ok(known);
    }
    let value = default.unwrap_or(Value::None);
    dict.set_key(key, value.clone());
    Ok(value)
}

fn from_keys(_runtime: &mut dyn Runtime, _dict: &Dict, args: Args) -> Result<Value> {
    let mut given = args.positional.into_iter();
    let keys = given.next().unwrap_or(Value::None);
    let value = given.next().unwrap_or(Value::None);
    let made = Dict::new();
    for key in keys.items()? {
        made.set_key(Key::new(key)?, value.clone());
    }
    Ok(Value::Dict(made))
}

fn update(_runtime: &mut dyn Runtime, dict: &Dict, args: Args) -> Result<Value> {
    if args.positional.len() > 1 {
        return Err(Error::type_error(format!(
            "update expected at most 1 argument, got {}",
            args.positional.len()
        )));
    }
    if let Some(first) = args.positional.first() {
        fill(dict, first)?;
    }
    for (key, value) in args.keyword {
        dict.set(key, value);
    }
    Ok(Value::None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_methods_of_the_table_are_known_by_name() {
        for method in TABLE {
            assert!(is_method(method.name), "{}", method.name);
        }
        assert!(!is_method("nope"));
    }
}
