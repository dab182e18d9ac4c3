//! The value model of Python, as Jinja templates and Ansible see it.
//!
//! Lists and dicts are shared and mutable as Python's are: a clone is another name for the same
//! object. Strings carry whether they are trusted to be templates, whether they are markup, and
//! where they were written. Nothing here knows Jinja or Ansible.
//!
//! ```
//! use regrole::value::Value;
//! let list = Value::from(vec![Value::from(1), Value::from("a")]);
//! assert_eq!(list.repr(), "[1, 'a']");
//! assert!(Value::from(1) == Value::from(true));
//! ```

mod args;
mod compare;
mod dict;
pub mod format;
mod groups;
mod iter;
mod json;
mod json_error;
mod key;
mod list;
mod literal;
mod moment;
mod number;
mod object;
pub mod ops;
mod repr;
mod secret;
mod set_order;
mod str;
mod truth;
mod undefined;
mod vaulted;

use std::rc::Rc;

use num_bigint::BigInt;
use num_traits::ToPrimitive;

pub use args::Args;
pub use dict::{Dict, Map};
pub use groups::Replacement;
pub use iter::Items;
pub use json::{JsonStyle, from_json_text};
pub use json_error::json_error;
pub use key::Key;
pub use list::{List, Set};
pub use literal::literal;
pub use moment::{Moment, strftime};
pub use number::{Number, float_repr};
pub use object::{Builtin, Function, Object, Runtime};
pub use repr::str_repr;
pub use secret::Secret;
pub(crate) use set_order::NumberSet;
pub use str::{Origin, Str};
pub use truth::to_bool;
pub use undefined::{Undefined, UndefinedKind};
pub use vaulted::Vaulted;

/// A Python value.
///
/// The tag takes a whole word, so that values are moved word by word: with a smaller one the compiler
/// copies what is behind it in pieces, and the processor waits for each.
#[derive(Clone)]
#[repr(u64)]
pub enum Value {
    /// A name, attribute or item that isn't there; an error when used, except where tested.
    Undefined(Rc<Undefined>),
    /// `None`.
    None,
    /// `bool`.
    Bool(bool),
    /// An `int` that fits; larger ones are [`Value::Big`]. Use [`Value::from_big`] to build.
    Int(i64),
    /// An `int` outside the range of `i64`.
    Big(Rc<BigInt>),
    /// `float`.
    Float(f64),
    /// `str`, or Markup when [`Str::is_markup`].
    Str(Str),
    /// `bytes`.
    Bytes(Rc<[u8]>),
    /// `list`.
    List(List),
    /// `tuple`.
    Tuple(Rc<[Value]>),
    /// `dict`.
    Dict(Dict),
    /// `set`, in insertion order.
    Set(Set),
    /// `range(start, stop, step)`; step is never zero.
    Range(i64, i64, i64),
    /// Anything else: functions, namespaces, loops, dates, views.
    Object(Rc<dyn Object>),
}

impl Value {
    /// Makes an untrusted string.
    pub fn str(text: impl AsRef<str>) -> Value {
        Value::Str(Str::new(text))
    }

    /// Makes an `int`, small or big.
    pub fn from_big(number: BigInt) -> Value {
        match number.to_i64() {
            Some(small) => Value::Int(small),
            None => Value::Big(Rc::new(number)),
        }
    }

    /// Makes a list.
    pub fn list(items: Vec<Value>) -> Value {
        Value::List(List::new(items))
    }

    /// Makes a tuple.
    pub fn tuple(items: Vec<Value>) -> Value {
        Value::Tuple(items.into())
    }

    /// Makes a dict with string keys, in the order given.
    pub fn dict<K: AsRef<str>>(pairs: impl IntoIterator<Item = (K, Value)>) -> Value {
        Value::Dict(pairs.into_iter().map(|(k, v)| (Key::str(k), v)).collect())
    }

    /// Makes a callable of a plain function.
    pub fn function(name: &'static str, function: Function) -> Value {
        Value::Object(Rc::new(Builtin {
            name,
            function,
            is_class: false,
        }))
    }

    /// Makes a callable that stands for a class of Python's.
    pub fn class(name: &'static str, function: Function) -> Value {
        Value::Object(Rc::new(Builtin {
            name,
            function,
            is_class: true,
        }))
    }

    /// Makes an undefined value that says a name isn't there.
    pub fn undefined(undefined: Undefined) -> Value {
        Value::Undefined(Rc::new(undefined))
    }

    /// Returns Python's name of the type: `str`, `int`, `NoneType`, …
    pub fn type_name(&self) -> &str {
        match self {
            Value::Undefined(_) => "Undefined",
            Value::None => "NoneType",
            Value::Bool(_) => "bool",
            Value::Int(_) | Value::Big(_) => "int",
            Value::Float(_) => "float",
            Value::Str(text) if text.is_markup() => "Markup",
            Value::Str(text) if text.is_final() => "NativeJinjaText",
            Value::Str(_) => "str",
            Value::Bytes(_) => "bytes",
            Value::List(_) => "list",
            Value::Tuple(_) => "tuple",
            Value::Dict(_) => "dict",
            Value::Set(_) => "set",
            Value::Range(..) => "range",
            Value::Object(object) => object.type_name(),
        }
    }

    /// Returns Python's truth of the value; undefined is false.
    pub fn truth(&self) -> bool {
        match self {
            Value::Undefined(_) | Value::None => false,
            Value::Bool(b) => *b,
            Value::Int(i) => *i != 0,
            Value::Big(_) => true,
            Value::Float(f) => *f != 0.0,
            Value::Str(s) => !s.is_empty(),
            Value::Bytes(b) => !b.is_empty(),
            Value::List(l) => !l.is_empty(),
            Value::Tuple(t) => !t.is_empty(),
            Value::Dict(d) => !d.is_empty(),
            Value::Set(s) => !s.is_empty(),
            Value::Range(..) => self.len() != Some(0),
            Value::Object(object) => object.truth(),
        }
    }

    /// Returns `len()` where the type has one.
    pub fn len(&self) -> Option<usize> {
        match self {
            Value::Str(s) => Some(s.chars().count()),
            Value::Bytes(b) => Some(b.len()),
            Value::List(l) => Some(l.len()),
            Value::Tuple(t) => Some(t.len()),
            Value::Dict(d) => Some(d.len()),
            Value::Set(s) => Some(s.len()),
            Value::Range(start, stop, step) => {
                let (start, stop, step) =
                    (i128::from(*start), i128::from(*stop), i128::from(*step));
                let span = if step > 0 { stop - start } else { start - stop };
                Some(((span.max(0) + step.abs() - 1) / step.abs()) as usize)
            }
            Value::Object(object) => object.len(),
            Value::Undefined(undefined) if undefined.is_lenient() => Some(0),
            _ => None,
        }
    }

    /// Says whether the value is undefined.
    pub fn is_undefined(&self) -> bool {
        matches!(self, Value::Undefined(_))
    }

    /// Says whether the value is `None`.
    pub fn is_none(&self) -> bool {
        matches!(self, Value::None)
    }

    /// Returns the text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(s) => Some(s.as_str()),
            _ => None,
        }
    }

    /// Returns the number of an `int` or `bool` that fits `i64`.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Int(i) => Some(*i),
            Value::Bool(b) => Some(i64::from(*b)),
            _ => None,
        }
    }

    /// Returns the dict, if it is one.
    pub fn as_dict(&self) -> Option<&Dict> {
        match self {
            Value::Dict(d) => Some(d),
            _ => None,
        }
    }

    /// Returns the list, if it is one.
    pub fn as_list(&self) -> Option<&List> {
        match self {
            Value::List(l) => Some(l),
            _ => None,
        }
    }

    /// Returns a dict's item by string key; `None` where the value is no dict or has no such key.
    pub fn get(&self, key: &str) -> Option<Value> {
        self.as_dict().and_then(|dict| dict.get(key))
    }

    /// Returns the object behind, if it is of type `T`.
    pub fn downcast<T: Object>(&self) -> Option<&T> {
        match self {
            Value::Object(object) => {
                let any: &dyn std::any::Any = object.as_ref();
                any.downcast_ref()
            }
            _ => None,
        }
    }

    /// Finds what is undefined in a list, tuple or dict, or is so itself.
    pub fn undefined_inside(&self) -> Option<Rc<Undefined>> {
        fn walk(value: &Value, depth: usize) -> Option<Rc<Undefined>> {
            match value {
                _ if depth > MAX_DEPTH => None,
                Value::Undefined(undefined) => Some(undefined.clone()),
                Value::List(list) => list.borrow().iter().find_map(|item| walk(item, depth + 1)),
                Value::Tuple(items) => items.iter().find_map(|item| walk(item, depth + 1)),
                Value::Dict(dict) => dict
                    .borrow()
                    .values()
                    .find_map(|item| walk(item, depth + 1)),
                _ => None,
            }
        }
        walk(self, 0)
    }

    /// Copies lists and dicts all the way down, so that nothing is shared with the original.
    ///
    /// A list or dict that contains itself is cut at [`MAX_DEPTH`] levels.
    #[must_use]
    pub fn deep_copy(&self) -> Value {
        self.map_leaves(&mut |leaf| leaf.clone())
    }

    /// Copies lists, tuples and dicts, passing every leaf that is a value (not a key) through `f`.
    #[must_use]
    pub fn map_leaves(&self, f: &mut dyn FnMut(&Value) -> Value) -> Value {
        fn walk(value: &Value, depth: usize, f: &mut dyn FnMut(&Value) -> Value) -> Value {
            if depth == MAX_DEPTH {
                return Value::None;
            }
            match value {
                Value::List(list) => Value::list(
                    list.to_vec()
                        .iter()
                        .map(|v| walk(v, depth + 1, f))
                        .collect(),
                ),
                Value::Tuple(items) => {
                    Value::tuple(items.iter().map(|v| walk(v, depth + 1, f)).collect())
                }
                Value::Dict(dict) => Value::Dict(
                    dict.to_vec()
                        .into_iter()
                        .map(|(k, v)| (k, walk(&v, depth + 1, f)))
                        .collect(),
                ),
                leaf => f(leaf),
            }
        }
        walk(self, 0, f)
    }
}

/// Escapes text for HTML, as markupsafe does.
pub fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// How deep values may nest before they are refused or cut.
pub const MAX_DEPTH: usize = 200;

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}
impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Int(value)
    }
}
impl From<i32> for Value {
    fn from(value: i32) -> Value {
        Value::Int(i64::from(value))
    }
}
impl From<u32> for Value {
    fn from(value: u32) -> Value {
        Value::Int(i64::from(value))
    }
}
impl From<usize> for Value {
    fn from(value: usize) -> Value {
        Value::Int(value as i64)
    }
}
impl From<u64> for Value {
    fn from(value: u64) -> Value {
        Value::from_big(BigInt::from(value))
    }
}
impl From<f64> for Value {
    fn from(value: f64) -> Value {
        Value::Float(value)
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Value {
        Value::str(value)
    }
}
impl From<String> for Value {
    fn from(value: String) -> Value {
        Value::str(value)
    }
}
impl From<Str> for Value {
    fn from(value: Str) -> Value {
        Value::Str(value)
    }
}
impl From<Vec<Value>> for Value {
    fn from(value: Vec<Value>) -> Value {
        Value::list(value)
    }
}
impl From<Dict> for Value {
    fn from(value: Dict) -> Value {
        Value::Dict(value)
    }
}
impl From<List> for Value {
    fn from(value: List) -> Value {
        Value::List(value)
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::None, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_takes_four_words_and_so_does_a_result_of_one() {
        assert_eq!(size_of::<Value>(), 32);
        assert_eq!(size_of::<Option<Value>>(), 32);
        assert_eq!(size_of::<crate::diag::Result<Value>>(), 32);
    }
}
