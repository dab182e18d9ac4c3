//! Python's special methods, by which templates change and read containers where no sandbox is.

use crate::diag::{Error, Kind, Result};
use crate::value::{Args, Key, Runtime, Value, ops};

/// Calls a special method; `None` where the value has none of that name.
pub(in crate::jinja) fn call(
    runtime: &mut dyn Runtime,
    object: &Value,
    name: &str,
    args: Args,
) -> Result<Option<Value>> {
    let [first, second] = args.bind(name, ["key", "value"], 0)?;
    let key = first.unwrap_or(Value::None);
    Ok(Some(match (name, object) {
        ("__setitem__", Value::Dict(dict)) => {
            dict.set_key(Key::new(key)?, second.unwrap_or(Value::None));
            Value::None
        }
        ("__setitem__", Value::List(list)) => {
            let index = position(&key, list.len())?;
            list.borrow_mut()[index] = second.unwrap_or(Value::None);
            Value::None
        }
        ("__delitem__", Value::Dict(dict)) => {
            let key = Key::new(key)?;
            let removed = dict.borrow_mut().shift_remove(&key);
            removed.ok_or_else(|| Error::new(Kind::Value, key.value().repr()))?;
            Value::None
        }
        ("__delitem__", Value::List(list)) => {
            let index = position(&key, list.len())?;
            list.borrow_mut().remove(index);
            Value::None
        }
        ("__getitem__", Value::Dict(_) | Value::List(_) | Value::Tuple(_) | Value::Str(_)) => {
            runtime.item(object, &key)?
        }
        ("__contains__", _) => Value::Bool(ops::contains(object, &key)?),
        ("__str__", _) => Value::str(object.to_str()),
        ("__len__", _) => match object.len() {
            Some(length) => Value::from(length),
            None => return Ok(None),
        },
        _ => return Ok(None),
    }))
}

fn position(index: &Value, length: usize) -> Result<usize> {
    let Some(index) = index.as_i64() else {
        return Err(Error::type_error(format!(
            "list indices must be integers or slices, not {}",
            index.type_name()
        )));
    };
    let at = if index < 0 {
        index + length as i64
    } else {
        index
    };
    match usize::try_from(at) {
        Ok(at) if at < length => Ok(at),
        _ => Err(Error::new(
            Kind::Value,
            "list assignment index out of range",
        )),
    }
}
