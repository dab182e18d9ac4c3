//! Jinja2's own global functions.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;

use super::objects::{Cycler, Joiner, Namespace};
use crate::diag::{Error, Kind, Result};
use crate::value::{Args, Dict, Function, Key, Runtime, Value};

/// How many items `range` may have, as in Jinja2's sandbox.
const MAX_RANGE: usize = 10_000_000;

pub(super) fn all() -> HashMap<String, Value> {
    let functions: [(&'static str, Function); 5] = [
        ("range", range),
        ("dict", dict),
        ("namespace", namespace),
        ("cycler", cycler),
        ("joiner", joiner),
    ];
    functions
        .into_iter()
        .map(|(name, function)| (name.to_owned(), Value::function(name, function)))
        .collect()
}

fn range(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let mut numbers = Vec::new();
    for value in &args.positional {
        if let Value::Undefined(undefined) = value {
            return Err(undefined.error());
        }
        numbers.push(value.as_i64().ok_or_else(|| {
            Error::type_error(format!(
                "'{}' object cannot be interpreted as an integer",
                value.type_name()
            ))
        })?);
    }
    let (start, stop, step) = match numbers[..] {
        [stop] => (0, stop, 1),
        [start, stop] => (start, stop, 1),
        [start, stop, step] => (start, stop, step),
        _ => {
            return Err(Error::type_error(format!(
                "range expected at most 3 arguments, got {}",
                numbers.len()
            )));
        }
    };
    if step == 0 {
        return Err(Error::value_error("range() arg 3 must not be zero"));
    }
    let made = Value::Range(start, stop, step);
    if made.len().unwrap_or(0) > MAX_RANGE {
        return Err(Error::new(
            Kind::Arithmetic,
            format!(
                "Range too big. The sandbox blocks ranges larger than MAX_RANGE ({MAX_RANGE})."
            ),
        ));
    }
    Ok(made)
}

fn dict(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let made = Dict::new();
    if let Some(first) = args.positional.first() {
        fill(&made, first)?;
    }
    for (key, value) in args.keyword {
        made.set(key, value);
    }
    Ok(Value::Dict(made))
}

/// Fills a dict from a mapping or from pairs.
pub(super) fn fill(made: &Dict, from: &Value) -> Result<()> {
    match from {
        Value::Dict(dict) => {
            for (key, value) in dict.to_vec() {
                made.set_key(key, value);
            }
        }
        other => {
            for (index, pair) in other.items()?.enumerate() {
                let items: Vec<Value> = pair.items()?.collect();
                let [key, value] = &items[..] else {
                    return Err(Error::value_error(format!(
                        "dictionary update sequence element #{index} has length {}; 2 is required",
                        items.len()
                    )));
                };
                made.set_key(Key::new(key.clone())?, value.clone());
            }
        }
    }
    Ok(())
}

fn namespace(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    match dict(runtime, args)? {
        Value::Dict(dict) => Ok(Value::Object(Rc::new(Namespace(dict)))),
        other => Ok(other),
    }
}

fn cycler(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    if args.positional.is_empty() {
        return Err(Error::type_error("at least one item has to be provided"));
    }
    Ok(Value::Object(Rc::new(Cycler {
        items: args.positional,
        at: Cell::new(0),
    })))
}

fn joiner(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [separator] = args.bind("joiner", ["sep"], 0)?;
    let separator = separator.unwrap_or_else(|| Value::str(", "));
    Ok(Value::Object(Rc::new(Joiner {
        separator,
        used: Cell::new(false),
    })))
}
