//! What can be a dictionary key or a set member: hashable values.

use std::hash::{Hash, Hasher};

use num_traits::{FromPrimitive, ToPrimitive};

use super::{Str, Value};
use crate::diag::{Error, Result};

/// A hashable value. `1`, `1.0` and `True` are the same key, as in Python.
#[derive(Clone)]
pub struct Key(Value);

impl Key {
    /// Makes a key of a value; lists, dicts and sets are not hashable.
    ///
    /// # Errors
    /// Python's `TypeError`: `unhashable type: 'list'`.
    pub fn new(value: Value) -> Result<Key> {
        match &value {
            Value::List(_) | Value::Dict(_) | Value::Set(_) => Err(Error::type_error(format!(
                "unhashable type: '{}'",
                value.type_name()
            ))),
            Value::Undefined(undefined) => Err(undefined.error()),
            Value::Tuple(items) => {
                for item in items.iter() {
                    Key::new(item.clone())?;
                }
                Ok(Key(value))
            }
            _ => Ok(Key(value)),
        }
    }

    /// Makes a string key.
    pub fn str(text: impl AsRef<str>) -> Key {
        Key(Value::Str(Str::new(text)))
    }

    /// Returns the value.
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// Returns the value, giving up the key.
    pub fn into_value(self) -> Value {
        self.0
    }

    /// Returns the text of a string key.
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_str()
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Key {
        Key::str(text)
    }
}

impl From<Str> for Key {
    fn from(text: Str) -> Key {
        Key(Value::Str(text))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        match (&self.0, &other.0) {
            (Value::Str(a), Value::Str(b)) => a == b,
            (a, b) => a == b,
        }
    }
}
impl Eq for Key {}

impl indexmap::Equivalent<Key> for str {
    fn equivalent(&self, key: &Key) -> bool {
        key.as_str() == Some(self)
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_value(&self.0, state);
    }
}

fn hash_value<H: Hasher>(value: &Value, state: &mut H) {
    match value {
        // Exactly as `str` hashes, so that lookups by `&str` find it.
        Value::Str(text) => text.as_str().hash(state),
        Value::Bool(b) => i64::from(*b).hash(state),
        Value::Int(i) => i.hash(state),
        Value::Big(big) => big.hash(state),
        Value::Float(f) => match f.to_i64().filter(|i| i.to_f64() == Some(*f)) {
            Some(whole) => whole.hash(state),
            None => match num_bigint::BigInt::from_f64(*f).filter(|_| f.fract() == 0.0) {
                Some(big) => big.hash(state),
                None => f.to_bits().hash(state),
            },
        },
        Value::Bytes(bytes) => bytes.hash(state),
        Value::Tuple(items) => {
            for item in items.iter() {
                hash_value(item, state);
            }
        }
        Value::Range(a, b, c) => (a, b, c).hash(state),
        Value::Object(object) => object.hash_text().hash(state),
        Value::None | Value::Undefined(_) | Value::List(_) | Value::Dict(_) | Value::Set(_) => {
            state.write_u8(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Dict;

    #[test]
    fn one_true_and_one_point_zero_are_the_same_key() {
        let dict = Dict::new();
        dict.set_key(
            Key::new(Value::from(1)).expect("hashable"),
            Value::from("a"),
        );
        for same in [Value::from(true), Value::from(1.0)] {
            let key = Key::new(same).expect("hashable");
            assert_eq!(
                dict.get_key(&key)
                    .and_then(|v| v.as_str().map(str::to_owned)),
                Some("a".into())
            );
        }
    }

    #[test]
    fn string_keys_are_found_by_str() {
        let dict = Dict::new();
        dict.set("k", 3);
        assert_eq!(dict.get("k"), Some(Value::from(3)));
        assert!(dict.get("q").is_none());
    }

    #[test]
    fn a_list_is_no_key() {
        let error = Key::new(Value::list(vec![])).err().expect("refused");
        assert_eq!(error.message(), "unhashable type: 'list'");
    }
}
