//! Where output goes, and what happens to values on the way.

use std::rc::Rc;

use super::Machine;
use crate::diag::Result;
use crate::jinja::ast::Node;
use crate::value::{Dict, Key, Str, Value, escape_html, literal, ops};

/// Where output goes.
pub(super) enum Out {
    Text(String),
    Pieces(Vec<Value>),
    /// As they are, undefined ones too.
    Raw(Vec<Value>),
}

impl Out {
    /// Returns all of it as text.
    pub(super) fn text(self) -> String {
        match self {
            Out::Text(text) => text,
            Out::Pieces(pieces) | Out::Raw(pieces) => pieces.iter().map(Value::to_str).collect(),
        }
    }
}

impl Machine<'_> {
    /// Runs nodes and returns their output: text, markup where escaping is on, or the value that it
    /// is where results are native.
    pub(super) fn captured(&mut self, f: impl FnOnce(&mut Self) -> Result<()>) -> Result<Value> {
        let captured = self.env.captured.filter(|_| !self.options.captures_text);
        let inner = match captured {
            Some(captured) if captured.is_raw => Out::Raw(Vec::new()),
            Some(_) => Out::Pieces(Vec::new()),
            None => Out::Text(String::new()),
        };
        let outer = std::mem::replace(&mut self.out, inner);
        let silent = std::mem::replace(&mut self.silent, false);
        let result = f(self);
        self.silent = silent;
        let inner = std::mem::replace(&mut self.out, outer);
        result?;
        Ok(match (inner, captured) {
            (Out::Pieces(pieces) | Out::Raw(pieces), Some(captured)) => (captured.make)(pieces)?,
            (inner, _) => Value::Str(Str::new(inner.text()).with_markup(self.autoescape)),
        })
    }

    /// Captures nodes in a scope of their own.
    pub(super) fn block_text(&mut self, body: &[Node]) -> Result<Value> {
        self.captured(|machine| machine.scoped(|machine| machine.nodes(body)).map(|_| ()))
    }

    pub(super) fn emit(&mut self, value: &Value) -> Result<()> {
        if self.silent {
            return Ok(());
        }
        if let Out::Raw(pieces) = &mut self.out {
            pieces.push(value.clone());
            return Ok(());
        }
        let escapes = self.autoescape && self.options.escapes_output;
        // Most output is text and numbers, which nothing changes.
        match (&mut self.out, value) {
            (Out::Text(text), Value::Str(part)) if !escapes => {
                text.push_str(part);
                return ops::fits(text.len());
            }
            (Out::Text(text), Value::Int(number)) => {
                text.push_str(itoa::Buffer::new().format(*number));
                return ops::fits(text.len());
            }
            _ => {}
        }
        let value = match value {
            Value::Undefined(undefined) if undefined.is_silent() => match self.out {
                Out::Text(_) => return Ok(()),
                Out::Pieces(_) | Out::Raw(_) => value.clone(),
            },
            Value::Undefined(undefined) => return Err(undefined.error()),
            Value::None if self.options.none_is_empty && matches!(self.out, Out::Text(_)) => {
                Value::str("")
            }
            value if self.options.plain_data => plain_data(value, 0)?,
            value if self.options.lists_output => listed(value),
            value => value.clone(),
        };
        if self.options.defined_output
            && matches!(self.out, Out::Text(_))
            && let Some(undefined) = value.undefined_inside()
        {
            return Err(undefined.error());
        }
        match &mut self.out {
            Out::Pieces(pieces) | Out::Raw(pieces) => pieces.push(value),
            Out::Text(text) => match &value {
                Value::Str(part) if escapes && !part.is_markup() => {
                    text.push_str(&escape_html(part));
                }
                Value::Str(part) => text.push_str(part),
                other if escapes => text.push_str(&escape_html(&other.to_str())),
                other => text.push_str(&other.to_str()),
            },
        }
        if let Out::Text(text) = &self.out {
            ops::fits(text.len())?;
        }
        Ok(())
    }

    pub(super) fn emit_text(&mut self, part: &Rc<str>) {
        if self.silent {
            return;
        }
        let newline = &self.options.newline_sequence;
        let converted = if newline == "\n" {
            None
        } else {
            Some(part.replace('\n', newline))
        };
        match &mut self.out {
            Out::Pieces(pieces) | Out::Raw(pieces) => pieces.push(match converted {
                Some(converted) => Value::str(converted),
                None => Value::Str(Str::from_shared(part.clone())),
            }),
            Out::Text(text) => text.push_str(converted.as_deref().unwrap_or(part)),
        }
    }
}

/// Makes a list of what only gives items, and text of bytes.
///
/// **Source:** what Ansible 2.18 shows of `range()`, `d.keys()` and `s.encode()`.
fn listed(value: &Value) -> Value {
    match value {
        Value::Range(..) => value
            .items()
            .map_or_else(|_| Value::None, |items| Value::list(items.collect())),
        Value::Bytes(bytes) => Value::str(String::from_utf8_lossy(bytes)),
        Value::Object(view) if view.type_name().starts_with("dict_") => {
            Value::list(view.iterate().unwrap_or_default())
        }
        _ => value.clone(),
    }
}

/// Makes one value of the pieces of an output: nothing is `None`, one piece is itself, and text is
/// read as the Python literal that it is written as, where it is one.
///
/// **Source:** Jinja2's documentation of `NativeEnvironment`.
pub fn native_value(mut pieces: Vec<Value>) -> Value {
    let text = match pieces.len() {
        0 => return Value::None,
        1 => match pieces.remove(0) {
            Value::Str(text) => text,
            value => return value,
        },
        _ => Str::new(pieces.iter().map(Value::to_str).collect::<String>()),
    };
    // Python takes blanks in front for indentation, and so for an error.
    let read = if text.starts_with([' ', '\t']) {
        None
    } else {
        literal(&text)
    };
    read.unwrap_or(Value::Str(text))
}

/// Turns output into plain data: tuples and views become lists, markup becomes text.
pub fn plain_data(value: &Value, depth: usize) -> Result<Value> {
    if depth > crate::value::MAX_DEPTH {
        return Ok(value.clone());
    }
    let all = |items: &[Value]| -> Result<Value> {
        Ok(Value::list(
            items
                .iter()
                .map(|item| plain_data(item, depth + 1))
                .collect::<Result<_>>()?,
        ))
    };
    Ok(match value {
        Value::Tuple(items) => all(items)?,
        Value::List(list) => {
            let items = list.to_vec();
            if items.iter().all(is_plain_data) {
                value.clone()
            } else {
                all(&items)?
            }
        }
        Value::Dict(dict) => {
            let items = dict.to_vec();
            if items
                .iter()
                .all(|(key, item)| is_plain_data(key.value()) && is_plain_data(item))
            {
                return Ok(value.clone());
            }
            let made = Dict::new();
            for (key, item) in items {
                made.set_key(
                    Key::new(plain_data(key.value(), depth + 1)?)?,
                    plain_data(&item, depth + 1)?,
                );
            }
            Value::Dict(made)
        }
        Value::Str(text) if text.is_markup() => Value::Str(text.clone().with_markup(false)),
        Value::Object(object) if object.as_mapping().is_none() => match object.iterate() {
            Some(items) => all(&items)?,
            None => value.clone(),
        },
        other => other.clone(),
    })
}

fn is_plain_data(value: &Value) -> bool {
    matches!(
        value,
        Value::None
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Big(_)
            | Value::Float(_)
            | Value::Undefined(_)
    ) || matches!(value, Value::Str(text) if !text.is_markup())
}
