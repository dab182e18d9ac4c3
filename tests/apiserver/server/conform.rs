//! Reads an object as the real server's Go types do, and writes it as they are written.
//!
//! That is what decides which fields survive: unknown ones are dropped (and reported), empty ones
//! vanish unless the type keeps them (`resources: {}`, `status.replicas: 0`,
//! `creationTimestamp: null`), quantities take their canonical form. A value of a wrong type is an
//! error in the words of Go's JSON decoder.

use super::quantity;
use super::schema::{Field, Schema, Type, short_name};
use serde_json::{Map, Value};

/// Does the reading; collects what was not understood.
struct Reader<'a> {
    schema: &'a Schema,
    unknown: Vec<String>,
}

/// Where the reader is: the innermost object's Go type, and the path in Go's and in strict decoding's form.
#[derive(Clone)]
struct Place {
    owner: String,
    dotted: String,
    indexed: String,
}

/// Returns the object in its normal form and the paths of unknown fields, or what is wrong with a value.
pub(crate) fn conform(
    schema: &Schema,
    definition: &str,
    value: &Value,
) -> Result<(Value, Vec<String>), String> {
    let mut reader = Reader {
        schema,
        unknown: Vec::new(),
    };
    let root = Place {
        owner: short_name(definition, 1),
        dotted: String::new(),
        indexed: String::new(),
    };
    let value = reader.object(definition, value, &root)?;
    Ok((value, reader.unknown))
}

impl Place {
    fn child(&self, owner: &str, field: &str) -> Self {
        let join = |path: &str| {
            if path.is_empty() {
                field.to_owned()
            } else {
                format!("{path}.{field}")
            }
        };
        Self {
            owner: owner.to_owned(),
            dotted: join(&self.dotted),
            indexed: join(&self.indexed),
        }
    }

    fn item(&self, index: usize) -> Self {
        Self {
            indexed: format!("{}[{index}]", self.indexed),
            ..self.clone()
        }
    }

    fn mismatch(&self, value: &Value, ty: &Type) -> String {
        let got = match value {
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        format!(
            "json: cannot unmarshal {got} into Go struct field {}.{} of type {}",
            self.owner,
            self.dotted,
            ty.go()
        )
    }
}

impl Reader<'_> {
    fn object(&mut self, definition: &str, value: &Value, place: &Place) -> Result<Value, String> {
        let schema = self.schema;
        let definition_fields = schema.get(definition);
        let empty = Map::new();
        let given = match value {
            Value::Object(given) => given,
            Value::Null => &empty,
            other => return Err(place.mismatch(other, &Type::Ref(definition.to_owned()))),
        };
        let owner = short_name(definition, 1);
        for key in given.keys() {
            if definition_fields.field(key).is_none() {
                self.unknown.push(place.child(&owner, key).indexed);
            }
        }
        let mut out = Map::new();
        for field in &definition_fields.fields {
            let place = place.child(&owner, &field.name);
            let value = match given.get(&field.name) {
                None | Some(Value::Null) => self.absent(field, &place)?,
                Some(value) => Some(self.value(&field.ty, value, &place)?)
                    .filter(|value| field.zero || field.pointer || !is_zero(&field.ty, value)),
            };
            if let Some(value) = value {
                out.insert(field.name.clone(), value);
            }
        }
        Ok(Value::Object(out))
    }

    /// Returns what is written for a field that has no value.
    fn absent(&mut self, field: &Field, place: &Place) -> Result<Option<Value>, String> {
        if field.pointer {
            return Ok(field.zero.then_some(Value::Null));
        }
        Ok(match &field.ty {
            Type::Ref(name) => Some(self.object(name, &Value::Null, place)?),
            Type::Time => Some(Value::Null),
            Type::Quantity => Some("0".into()),
            Type::IntOrString => Some(0.into()),
            _ if !field.zero => None,
            Type::String => Some("".into()),
            Type::Int32 | Type::Int64 => Some(0.into()),
            Type::Bool => Some(false.into()),
            Type::Bytes | Type::Raw | Type::List(_) | Type::Map(_) => Some(Value::Null),
        })
    }

    fn value(&mut self, ty: &Type, value: &Value, place: &Place) -> Result<Value, String> {
        let mismatch = || Err(place.mismatch(value, ty));
        match (ty, value) {
            (Type::Ref(name), _) => self.object(name, value, place),
            (Type::List(item), Value::Array(given)) => given
                .iter()
                .enumerate()
                .map(|(index, one)| self.value(item, one, &place.item(index)))
                .collect::<Result<_, _>>()
                .map(Value::Array),
            (Type::Map(item), Value::Object(given)) => given
                .iter()
                .map(|(key, one)| Ok((key.clone(), self.value(item, one, place)?)))
                .collect::<Result<_, _>>()
                .map(Value::Object),
            (Type::String, Value::Null) => Ok("".into()),
            (Type::String | Type::Time | Type::IntOrString, Value::String(_))
            | (Type::Bool, Value::Bool(_))
            | (Type::Raw, _) => Ok(value.clone()),
            (Type::Int32 | Type::Int64, Value::Number(number)) => match (number.as_i64(), ty) {
                (Some(whole), Type::Int32) if i32::try_from(whole).is_err() => {
                    mismatch().map_err(|text: String| {
                        text.replacen("number", &format!("number {number}"), 1)
                    })
                }
                (Some(_), _) => Ok(value.clone()),
                (None, _) => mismatch().map_err(|text: String| {
                    text.replacen("number", &format!("number {number}"), 1)
                }),
            },
            (Type::Bytes, Value::String(text)) => match bad_base64_at(text) {
                None => Ok(value.clone()),
                Some(at) => Err(format!("illegal base64 data at input byte {at}")),
            },
            (Type::Quantity, Value::String(text)) => quantity::canonical(text).map(Value::String),
            (Type::Quantity, Value::Number(number)) => {
                quantity::canonical(&number.to_string()).map(Value::String)
            }
            (Type::IntOrString, Value::Number(number)) if number.is_i64() => Ok(value.clone()),
            _ => mismatch(),
        }
    }
}

/// Says whether Go's `omitempty` leaves the value out.
fn is_zero(ty: &Type, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(set) => !set,
        Value::Number(number) => number.as_i64() == Some(0) && !matches!(ty, Type::IntOrString),
        Value::String(text) => {
            text.is_empty() && !matches!(ty, Type::IntOrString | Type::Quantity | Type::Time)
        }
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty() && matches!(ty, Type::Map(_)),
    }
}

/// Returns the position at which Go's decoder gives up on a base64 text.
fn bad_base64_at(text: &str) -> Option<usize> {
    let clean: Vec<(usize, u8)> = text
        .bytes()
        .enumerate()
        .filter(|(_, byte)| !matches!(byte, b'\n' | b'\r'))
        .collect();
    let body = clean
        .iter()
        .position(|(_, byte)| *byte == b'=')
        .unwrap_or(clean.len());
    if let Some((at, _)) = clean[..body]
        .iter()
        .find(|(_, byte)| !(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')))
    {
        return Some(*at);
    }
    let padding = clean.len() - body;
    let expected = (4 - body % 4) % 4;
    if body % 4 == 1 || padding != expected || clean[body..].iter().any(|(_, byte)| *byte != b'=') {
        return Some(if padding > expected {
            clean[body + expected].0
        } else {
            body / 4 * 4
        });
    }
    None
}
