//! Values as messages: JSON, in which what JSON has no form for is a map of one key that says its kind.
//!
//! Lists are arrays; `d` dict, `t` tuple, `s` set, `T` text that may be a template, `M` markup, `f` a
//! float that is no number, `b` bytes in Base64, `r` range, `D` a date, `u` undefined, `o` omit, `h`
//! an object that stays in Python.

use std::rc::Weak;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Wire, json};

use super::foreign::Foreign;
use super::{Python, text};
use crate::diag::{Error, Kind, Result};
use crate::value::{Dict, Key, MAX_DEPTH, Moment, Number, Set, Undefined, Value};

/// Makes a message of a value.
pub(super) fn encode(value: &Value) -> Result<Wire> {
    deep(value, 0)
}

/// Makes a message of several values.
pub(super) fn encode_all(values: &[Value]) -> Result<Wire> {
    values.iter().map(encode).collect()
}

/// Makes a message of named values.
pub(super) fn encode_pairs(pairs: &[(String, Value)]) -> Result<Wire> {
    let pairs: Vec<Wire> = pairs
        .iter()
        .map(|(name, value)| Ok(json!([name, encode(value)?])))
        .collect::<Result<_>>()?;
    Ok(json!({ "d": pairs }))
}

fn deep(value: &Value, depth: usize) -> Result<Wire> {
    if depth > MAX_DEPTH {
        return Err(Error::new(
            Kind::Recursion,
            "the value is nested too deeply for a Python plugin",
        ));
    }
    let all = |items: Vec<Value>| -> Result<Vec<Wire>> {
        items.iter().map(|item| deep(item, depth + 1)).collect()
    };
    Ok(match value {
        Value::None => Wire::Null,
        Value::Bool(truth) => Wire::Bool(*truth),
        Value::Int(number) => json!(number),
        Value::Big(_) => {
            serde_json::from_str(&value.to_str()).map_err(|_| untransferable(value))?
        }
        Value::Float(number) if number.is_finite() => {
            serde_json::from_str(&value.repr()).unwrap_or_else(|_| json!(number))
        }
        Value::Float(_) => json!({ "f": value.repr() }),
        Value::Str(text) if text.is_markup() => json!({ "M": text.as_str() }),
        Value::Str(text) if text.is_trusted() => json!({ "T": text.as_str() }),
        Value::Str(text) => json!(text.as_str()),
        Value::Bytes(bytes) => json!({ "b": STANDARD.encode(bytes) }),
        Value::List(list) => Wire::Array(all(list.to_vec())?),
        Value::Tuple(items) => json!({ "t": all(items.to_vec())? }),
        Value::Set(set) => {
            let keys = set.to_vec().iter().map(|key| key.value().clone()).collect();
            json!({ "s": all(keys)? })
        }
        Value::Range(start, stop, step) => json!({ "r": [start, stop, step] }),
        Value::Dict(dict) => dict_of(dict, depth)?,
        Value::Undefined(undefined) => json!({ "u": undefined.error().message() }),
        Value::Object(object) => {
            if let Some(foreign) = value.downcast::<Foreign>() {
                json!({ "h": foreign.id })
            } else if let Some(moment) = value.downcast::<Moment>() {
                match moment {
                    Moment::Span(_) => return Err(untransferable(value)),
                    Moment::Date(_) => json!({ "D": ["date", value.to_str()] }),
                    Moment::DateTime(..) => json!({ "D": ["datetime", value.to_str()] }),
                }
            } else if object.type_name() == "Omit" {
                json!({ "o": 1 })
            } else if let Some(dict) = object.as_mapping() {
                dict_of(&dict, depth)?
            } else if let Some(items) = object.iterate() {
                Wire::Array(all(items)?)
            } else {
                return Err(untransferable(value));
            }
        }
    })
}

fn dict_of(dict: &Dict, depth: usize) -> Result<Wire> {
    let pairs: Vec<Wire> = dict
        .to_vec()
        .iter()
        .map(|(key, item)| {
            Ok(json!([
                deep(key.value(), depth + 1)?,
                deep(item, depth + 1)?
            ]))
        })
        .collect::<Result<_>>()?;
    Ok(json!({ "d": pairs }))
}

fn untransferable(value: &Value) -> Error {
    Error::type_error(format!(
        "a value of type '{}' can't be handed to a Python plugin",
        value.type_name()
    ))
}

/// Makes a value of a message.
pub(super) fn decode(wire: &Wire, python: &Weak<Python>) -> Result<Value> {
    let all = |items: &Wire| -> Result<Vec<Value>> {
        let items = items.as_array().into_iter().flatten();
        items.map(|item| decode(item, python)).collect()
    };
    Ok(match wire {
        Wire::Null => Value::None,
        Wire::Bool(truth) => Value::Bool(*truth),
        Wire::Number(number) => {
            let text = number.to_string();
            Number::integer(&text).unwrap_or_else(|| Value::Float(text.parse().unwrap_or(f64::NAN)))
        }
        Wire::String(plain) => Value::Str(text(plain)),
        Wire::Array(_) => Value::list(all(wire)?),
        Wire::Object(map) => {
            let (kind, inner) = map.iter().next().ok_or_else(strange)?;
            let plain = || inner.as_str().ok_or_else(strange);
            match kind.as_str() {
                "d" => {
                    let made = Dict::new();
                    for pair in inner.as_array().into_iter().flatten() {
                        made.set_key(
                            Key::new(decode(&pair[0], python)?)?,
                            decode(&pair[1], python)?,
                        );
                    }
                    Value::Dict(made)
                }
                "t" => Value::tuple(all(inner)?),
                "s" => {
                    let keys = all(inner)?.into_iter().map(Key::new);
                    Value::Set(keys.collect::<Result<Set>>()?)
                }
                "T" => Value::Str(text(plain()?).with_trust(true)),
                "M" => Value::Str(text(plain()?).with_markup(true)),
                "f" => Value::Float(plain()?.parse().map_err(|_| strange())?),
                "b" => Value::Bytes(STANDARD.decode(plain()?).map_err(|_| strange())?.into()),
                "r" => {
                    let at = |index: usize| inner[index].as_i64().ok_or_else(strange);
                    Value::Range(at(0)?, at(1)?, at(2)?.max(1))
                }
                "D" => crate::yaml::timestamp(inner[1].as_str().unwrap_or_default())
                    .ok_or_else(strange)?
                    .value(),
                "u" => Value::undefined(Undefined::hint(plain()?)),
                "o" => crate::template::omit(crate::compat::Level::default()),
                "h" => Value::Object(std::rc::Rc::new(Foreign {
                    python: python.clone(),
                    id: inner[0].as_u64().ok_or_else(strange)?,
                    class: inner[1].as_str().unwrap_or_default().to_owned(),
                    repr: inner[2].as_str().unwrap_or_default().to_owned(),
                    text: inner[3].as_str().unwrap_or_default().to_owned(),
                    callable: inner[4].as_bool().unwrap_or(false),
                })),
                _ => return Err(strange()),
            }
        }
    })
}

fn strange() -> Error {
    Error::new(Kind::Internal, "a message of Python can't be read")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_types_on_the_way() {
        let values = Value::list(vec![
            Value::None,
            Value::Bool(true),
            Value::Int(-3),
            Value::Float(1.0),
            Value::Float(f64::INFINITY),
            Value::str("a\u{e9}\n"),
            Value::Bytes(vec![0, 255].into()),
            Value::tuple(vec![Value::Int(1), Value::list(vec![])]),
            Value::Range(0, 3, 1),
            Value::Dict(
                [(Key::new(Value::Int(1)).expect("a key"), Value::str("x"))]
                    .into_iter()
                    .collect(),
            ),
        ]);
        let wire = encode(&values).expect("a message");
        let back = decode(&wire, &Weak::new()).expect("a value");
        assert_eq!(back.repr(), values.repr());
    }
}
