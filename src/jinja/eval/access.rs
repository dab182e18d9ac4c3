//! Attributes, items and slices of values.

use crate::diag::{Error, Kind, Result};
use crate::value::{Str, Value};

pub(super) fn unsafe_attribute(object: &Value, name: &str) -> Error {
    Error::new(
        Kind::Undefined,
        format!(
            "access to attribute '{name}' of '{}' object is unsafe.",
            object.type_name()
        ),
    )
}

/// Applies `object[start:stop:step]`.
pub(super) fn slice(object: &Value, [start, stop, step]: [Option<i64>; 3]) -> Result<Value> {
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(Error::value_error("slice step cannot be zero"));
    }
    let pick = |length: usize| -> Vec<usize> {
        let length = length as i64;
        let clamp = |value: i64, low: i64, high: i64| {
            let value = if value < 0 {
                value.saturating_add(length)
            } else {
                value
            };
            value.clamp(low, high)
        };
        let mut out = Vec::new();
        if step > 0 {
            let from = start.map_or(0, |s| clamp(s, 0, length));
            let to = stop.map_or(length, |s| clamp(s, 0, length));
            let mut at = from;
            while at < to {
                out.push(at as usize);
                at = at.saturating_add(step);
            }
        } else {
            let from = start.map_or(length - 1, |s| clamp(s, -1, length - 1));
            let to = stop.map_or(-1, |s| clamp(s, -1, length - 1));
            let mut at = from;
            while at > to {
                out.push(at as usize);
                at = at.saturating_add(step);
            }
        }
        out
    };
    Ok(match object {
        Value::Str(text) => {
            let chars: Vec<char> = text.chars().collect();
            let part: String = pick(chars.len()).into_iter().map(|at| chars[at]).collect();
            Value::Str(Str::new(part).with_markup(text.is_markup()))
        }
        Value::List(list) => {
            let items = list.borrow();
            Value::list(
                pick(items.len())
                    .into_iter()
                    .map(|at| items[at].clone())
                    .collect(),
            )
        }
        Value::Tuple(items) => Value::tuple(
            pick(items.len())
                .into_iter()
                .map(|at| items[at].clone())
                .collect(),
        ),
        Value::Bytes(bytes) => {
            Value::Bytes(pick(bytes.len()).into_iter().map(|at| bytes[at]).collect())
        }
        Value::Range(first, _, by) => {
            let picked = pick(object.len().unwrap_or(0));
            let number = |at: usize| first + by * at as i64;
            match (picked.first(), picked.len()) {
                (None, _) => Value::Range(0, 0, 1),
                (Some(from), length) => {
                    let by = by.saturating_mul(step);
                    let start = number(*from);
                    Value::Range(start, start.saturating_add(by * length as i64), by)
                }
            }
        }
        Value::Undefined(undefined) => return Err(undefined.error()),
        Value::Dict(_) => return Err(Error::type_error("unhashable type: 'slice'")),
        other => {
            return Err(Error::type_error(format!(
                "'{}' object is not subscriptable",
                other.type_name()
            )));
        }
    })
}

/// Returns an element of a sequence; negative indices count from the end.
pub(super) fn element(object: &Value, index: i64) -> Result<Option<Value>> {
    let length = object.len().unwrap_or(0) as i64;
    let at = if index < 0 { index + length } else { index };
    if !(0..length).contains(&at) {
        return Ok(None);
    }
    let at = at as usize;
    Ok(match object {
        Value::List(list) => list.get(at),
        Value::Tuple(items) => items.get(at).cloned(),
        Value::Str(text) => text.chars().nth(at).map(|c| Value::str(c.to_string())),
        Value::Bytes(bytes) => bytes.get(at).map(|byte| Value::Int(i64::from(*byte))),
        Value::Range(..) => object.items()?.nth(at),
        _ => None,
    })
}
