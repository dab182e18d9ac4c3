//! JSON in and out, in the shapes of Python's `json` module.

use std::fmt::Write;

use super::{Dict, Key, MAX_DEPTH, Number, Value, float_repr};
use crate::diag::{Error, Kind, Result};

/// How JSON is written.
#[derive(Clone, Debug)]
pub struct JsonStyle {
    /// Blanks per level; `None` writes one line.
    pub indent: Option<usize>,
    /// Sorts the keys of dicts.
    pub sort_keys: bool,
    /// Escapes everything outside ASCII.
    pub ascii: bool,
    /// Between items.
    pub item_separator: &'static str,
    /// Between key and value.
    pub key_separator: &'static str,
}

impl Default for JsonStyle {
    /// As `json.dumps(value)`.
    fn default() -> JsonStyle {
        JsonStyle {
            indent: None,
            sort_keys: false,
            ascii: true,
            item_separator: ", ",
            key_separator: ": ",
        }
    }
}

impl JsonStyle {
    /// As `json.dumps(value, indent=N)`: no blank behind the comma.
    pub fn indented(indent: usize) -> JsonStyle {
        JsonStyle {
            indent: Some(indent),
            item_separator: ",",
            ..JsonStyle::default()
        }
    }

    /// As `json.dumps(value, separators=(',', ':'))`.
    pub fn compact() -> JsonStyle {
        JsonStyle {
            item_separator: ",",
            key_separator: ":",
            ..JsonStyle::default()
        }
    }
}

impl Value {
    /// Writes the value as JSON.
    ///
    /// # Errors
    /// The undefined's own error; `Object of type … is not JSON serializable`; keys that JSON has
    /// no form for; nesting beyond [`MAX_DEPTH`].
    pub fn to_json(&self, style: &JsonStyle) -> Result<String> {
        let mut out = String::new();
        Writer {
            style,
            out: &mut out,
        }
        .value(self, 0)?;
        Ok(out)
    }

    /// Turns the value into the wire's form.
    ///
    /// # Errors
    /// As [`Value::to_json`].
    pub fn to_wire(&self) -> Result<serde_json::Value> {
        let text = self.to_json(&JsonStyle::compact())?;
        serde_json::from_str(&text).map_err(|e| Error::new(Kind::Value, e.to_string()))
    }

    /// Makes a value of the wire's form; strings are untrusted.
    pub fn from_wire(wire: &serde_json::Value) -> Value {
        match wire {
            serde_json::Value::Null => Value::None,
            serde_json::Value::Bool(b) => Value::Bool(*b),
            serde_json::Value::Number(number) => {
                let text = number.to_string();
                Number::integer(&text)
                    .unwrap_or_else(|| Value::Float(text.parse().unwrap_or(f64::NAN)))
            }
            serde_json::Value::String(text) => Value::str(text),
            serde_json::Value::Array(items) => {
                Value::list(items.iter().map(Value::from_wire).collect())
            }
            serde_json::Value::Object(map) => Value::Dict(
                map.iter()
                    .map(|(k, v)| (Key::str(k), Value::from_wire(v)))
                    .collect::<Dict>(),
            ),
        }
    }
}

/// Reads JSON text; strings are untrusted.
///
/// # Errors
/// What is wrong, with line and column of the JSON text.
pub fn from_json_text(text: &str) -> Result<Value> {
    serde_json::from_str(text)
        .map(|wire| Value::from_wire(&wire))
        .map_err(|e| Error::new(Kind::Value, e.to_string()))
}

struct Writer<'a> {
    style: &'a JsonStyle,
    out: &'a mut String,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(Error::value_error("Circular reference detected"));
        }
        match value {
            Value::Undefined(undefined) => return Err(undefined.error()),
            Value::None => self.out.push_str("null"),
            Value::Bool(b) => self.out.push_str(if *b { "true" } else { "false" }),
            Value::Int(_) | Value::Big(_) => self.out.push_str(&value.repr()),
            Value::Float(f) => self.out.push_str(&json_float(*f)),
            Value::Str(text) => self.string(text),
            Value::List(list) => self.array(&list.to_vec(), depth)?,
            Value::Tuple(items) => self.array(items, depth)?,
            Value::Dict(dict) => self.object(dict, depth)?,
            Value::Object(object) => match object.as_mapping() {
                Some(dict) => self.object(&dict, depth)?,
                None => match object.json() {
                    Some(inner) => self.value(&inner, depth)?,
                    None => return Err(no_json(value)),
                },
            },
            Value::Range(..) => self.array(&value.items()?.collect::<Vec<_>>(), depth)?,
            Value::Bytes(_) | Value::Set(_) => return Err(no_json(value)),
        }
        Ok(())
    }

    fn array(&mut self, items: &[Value], depth: usize) -> Result<()> {
        if items.is_empty() {
            self.out.push_str("[]");
            return Ok(());
        }
        self.out.push('[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.out.push_str(self.style.item_separator);
            }
            self.newline(depth + 1);
            self.value(item, depth + 1)?;
        }
        self.newline(depth);
        self.out.push(']');
        Ok(())
    }

    fn object(&mut self, dict: &Dict, depth: usize) -> Result<()> {
        let mut items = Vec::with_capacity(dict.len());
        for (key, item) in dict.to_vec() {
            items.push((json_key(key.value())?, key, item));
        }
        if self.style.sort_keys {
            let mut unlike = None;
            items.sort_by(|a, b| {
                a.1.value()
                    .order(b.1.value(), "<")
                    .unwrap_or_else(|e| {
                        unlike = Some(e);
                        None
                    })
                    .unwrap_or(std::cmp::Ordering::Equal)
            });
            if let Some(error) = unlike {
                return Err(error);
            }
        }
        if items.is_empty() {
            self.out.push_str("{}");
            return Ok(());
        }
        self.out.push('{');
        for (index, (name, _, item)) in items.iter().enumerate() {
            if index > 0 {
                self.out.push_str(self.style.item_separator);
            }
            self.newline(depth + 1);
            self.string(name);
            self.out.push_str(self.style.key_separator);
            self.value(item, depth + 1)?;
        }
        self.newline(depth);
        self.out.push('}');
        Ok(())
    }

    fn newline(&mut self, depth: usize) {
        if let Some(indent) = self.style.indent {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n(' ', indent * depth));
        }
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                c if (c as u32) < 0x20 || (self.style.ascii && (c as u32) > 0x7e) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        let _ = write!(self.out, "\\u{unit:04x}");
                    }
                }
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }
}

fn json_float(number: f64) -> String {
    if number.is_nan() {
        "NaN".into()
    } else if number.is_infinite() {
        if number > 0.0 {
            "Infinity".into()
        } else {
            "-Infinity".into()
        }
    } else {
        float_repr(number)
    }
}

fn json_key(key: &Value) -> Result<String> {
    Ok(match key {
        Value::Str(text) => text.as_str().to_owned(),
        Value::None => "null".into(),
        Value::Bool(b) => if *b { "true" } else { "false" }.into(),
        Value::Int(_) | Value::Big(_) => key.repr(),
        Value::Float(f) => json_float(*f),
        other => {
            return Err(Error::type_error(format!(
                "keys must be str, int, float, bool or None, not {}",
                other.type_name()
            )));
        }
    })
}

fn no_json(value: &Value) -> Error {
    Error::type_error(format!(
        "Object of type {} is not JSON serializable",
        value.type_name()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_spaced_and_escaped_as_in_python() {
        let value = Value::dict([
            ("b", Value::from("é\u{1f600}")),
            ("a", Value::list(vec![Value::from(1.0), Value::None])),
        ]);
        assert_eq!(
            value.to_json(&JsonStyle::default()).expect("json"),
            "{\"b\": \"\\u00e9\\ud83d\\ude00\", \"a\": [1.0, null]}"
        );
        let style = JsonStyle {
            sort_keys: true,
            ..JsonStyle::indented(4)
        };
        assert_eq!(
            value.to_json(&style).expect("json"),
            "{\n    \"a\": [\n        1.0,\n        null\n    ],\n    \"b\": \"\\u00e9\\ud83d\\ude00\"\n}"
        );
    }

    #[test]
    fn json_reads_integers_of_any_size_and_keeps_order() {
        let value = from_json_text("{\"z\": 1180591620717411303424, \"a\": 1.50, \"n\": -3}")
            .expect("json");
        assert_eq!(
            value.repr(),
            "{'z': 1180591620717411303424, 'a': 1.5, 'n': -3}"
        );
    }
}
