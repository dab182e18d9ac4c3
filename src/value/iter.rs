//! Iteration.

use super::Value;
use crate::diag::{Error, Result};

/// How many items one iteration may have.
const MAX_ITEMS: usize = 20_000_000;

/// The items of an iteration; lists are snapshots, ranges are made one by one.
pub enum Items {
    /// Items at hand.
    Ready(std::vec::IntoIter<Value>),
    /// The rest of a range: next, items left, step.
    Range(i64, usize, i64),
}

impl Iterator for Items {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        match self {
            Items::Ready(items) => items.next(),
            Items::Range(next, left, step) => {
                *left = left.checked_sub(1)?;
                let value = Value::Int(*next);
                *next = next.wrapping_add(*step);
                Some(value)
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Items::Ready(items) => items.size_hint(),
            Items::Range(_, left, _) => (*left, Some(*left)),
        }
    }
}

impl ExactSizeIterator for Items {}

impl Value {
    /// Iterates as Python's `for` does: items of sequences, keys of dicts, characters of strings.
    ///
    /// # Errors
    /// `'int' object is not iterable`; the undefined's own error.
    pub fn items(&self) -> Result<Items> {
        let ready = match self {
            Value::List(list) => list.to_vec(),
            Value::Tuple(items) => items.to_vec(),
            Value::Dict(dict) => dict.borrow().keys().map(|k| k.value().clone()).collect(),
            Value::Set(set) => set.borrow().iter().map(|k| k.value().clone()).collect(),
            Value::Str(text) => {
                let mut buffer = [0; 4];
                text.chars()
                    .map(|c| Value::str(c.encode_utf8(&mut buffer)))
                    .collect()
            }
            Value::Bytes(bytes) => bytes.iter().map(|b| Value::Int(i64::from(*b))).collect(),
            Value::Range(start, _, step) => {
                let length = self.len().unwrap_or(0);
                if length > MAX_ITEMS {
                    return Err(Error::new(
                        crate::diag::Kind::Arithmetic,
                        format!("more than {MAX_ITEMS} items in a range that is gone through"),
                    ));
                }
                return Ok(Items::Range(*start, length, *step));
            }
            Value::Undefined(undefined) if undefined.is_lenient() => Vec::new(),
            Value::Undefined(undefined) => return Err(undefined.error()),
            Value::Object(object) => match object.iterate() {
                Some(items) => items,
                None => return Err(self.not_iterable()),
            },
            _ => return Err(self.not_iterable()),
        };
        Ok(Items::Ready(ready.into_iter()))
    }

    fn not_iterable(&self) -> Error {
        Error::type_error(format!("'{}' object is not iterable", self.type_name()))
    }
}
