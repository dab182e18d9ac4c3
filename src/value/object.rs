//! Values with behaviour of their own, and what they may ask of whoever runs them.

use std::any::Any;
use std::rc::Rc;

use super::{Args, Value};
use crate::diag::{Error, Result};

/// What running code (filters, functions, objects) may ask of the interpreter that runs it.
pub trait Runtime {
    /// Calls a callable value.
    fn call(&mut self, callee: &Value, args: Args) -> Result<Value>;
    /// Applies a filter by name; the filtered value is the first positional argument.
    fn filter(&mut self, name: &str, args: Args) -> Result<Value>;
    /// Applies a test by name; the tested value is the first positional argument.
    fn test(&mut self, name: &str, args: Args) -> Result<bool>;
    /// Returns the variable of that name in the current context, rendered.
    fn resolve(&mut self, name: &str) -> Result<Option<Value>>;
    /// Reads `object.name` as an expression would: attribute first, then item.
    fn attribute(&mut self, object: &Value, name: &str) -> Result<Value>;
    /// Reads `object[key]` as an expression would: item first, then attribute.
    fn item(&mut self, object: &Value, key: &Value) -> Result<Value>;
    /// Says whether output is escaped for HTML here.
    fn autoescape(&self) -> bool;
    /// Returns what the embedder of the engine put in for its own functions.
    fn embedder(&self) -> Rc<dyn Any>;
    /// Says whether lists and dicts make their items when they are first read, as Ansible 2.19's do.
    fn reads_lazily(&self) -> bool;
    /// Returns a value that is stored elsewhere, or a copy where the template may change it.
    fn lent(&self, value: Value) -> Value;
}

/// The signature of every filter, test and global function.
///
/// The value that a filter or test is applied to is the first positional argument.
pub type Function = fn(&mut dyn Runtime, Args) -> Result<Value>;

/// A value with behaviour of its own. Everything has a default, as a plain Python object would.
pub trait Object: Any {
    /// Returns Python's name of the type.
    fn type_name(&self) -> &str;

    /// Returns `str()`; the default is as `repr()`.
    fn str(&self) -> String {
        self.repr()
    }

    /// Returns `repr()`.
    fn repr(&self) -> String {
        format!("<{} object>", self.type_name())
    }

    /// Returns the truth; the default is true unless `len()` is zero.
    fn truth(&self) -> bool {
        self.len() != Some(0)
    }

    /// Returns `len()`, where there is one.
    fn len(&self) -> Option<usize> {
        None
    }

    /// Says whether `len()` is zero.
    fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// Returns an attribute.
    fn attribute(&self, _runtime: &mut dyn Runtime, _name: &str) -> Result<Option<Value>> {
        Ok(None)
    }

    /// Sets an attribute (`{% set ns.x = 1 %}`).
    fn set_attribute(&self, name: &str, _value: Value) -> Result<()> {
        Err(Error::type_error(format!(
            "cannot assign attribute `{name}` on a {}",
            self.type_name()
        )))
    }

    /// Returns an item.
    fn item(&self, _runtime: &mut dyn Runtime, _key: &Value) -> Result<Option<Value>> {
        Ok(None)
    }

    /// Calls a method; the default looks for a callable attribute.
    fn call_method(
        &self,
        runtime: &mut dyn Runtime,
        name: &str,
        args: Args,
    ) -> Result<Option<Value>> {
        match self.attribute(runtime, name)? {
            Some(callee) => runtime.call(&callee, args).map(Some),
            None => Ok(None),
        }
    }

    /// Says whether it can be called.
    fn is_callable(&self) -> bool {
        false
    }

    /// Calls it.
    fn call(&self, _runtime: &mut dyn Runtime, _args: Args) -> Result<Value> {
        Err(Error::type_error(format!(
            "'{}' object is not callable",
            self.type_name()
        )))
    }

    /// Says whether a variable may hold it.
    fn is_storable(&self) -> bool {
        !self.is_callable()
    }

    /// Returns the items that iteration gives, where it can be iterated.
    fn iterate(&self) -> Option<Vec<Value>> {
        None
    }

    /// Says whether an item, or a key of a mapping, is in it; `None` where it can't be asked.
    fn contains(&self, item: &Value) -> Option<bool> {
        Some(self.iterate()?.iter().any(|one| one == item))
    }

    /// Returns the dict it stands for, where it is a mapping (so that filters take it for one).
    fn as_mapping(&self) -> Option<super::Dict> {
        None
    }

    /// Says whether another object is equal; the default compares identity.
    fn equals(&self, other: &dyn Object) -> bool {
        std::ptr::eq(
            std::ptr::from_ref(self).cast::<()>(),
            std::ptr::from_ref(other).cast::<()>(),
        )
    }

    /// Orders it against another object, where there is an order.
    fn compare(&self, _other: &dyn Object) -> Option<std::cmp::Ordering> {
        None
    }

    /// Applies an operator with another value; `swapped` where the other stands left.
    fn arithmetic(
        &self,
        _operator: super::ops::Operator,
        _other: &Value,
        _swapped: bool,
    ) -> Option<Result<Value>> {
        None
    }

    /// Returns what JSON and YAML have in its place, where they have something.
    fn json(&self) -> Option<Value> {
        None
    }

    /// Returns a text that is equal for equal objects, to hash by.
    fn hash_text(&self) -> String {
        String::new()
    }
}

/// A plain function as a value.
pub struct Builtin {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub function: Function,
    /// Whether it stands for a class of Python's, as `dict` and `range` do.
    pub is_class: bool,
}

impl Object for Builtin {
    fn type_name(&self) -> &'static str {
        if self.is_class { "type" } else { "function" }
    }

    fn repr(&self) -> String {
        if self.is_class {
            return format!("<class '{}'>", self.name);
        }
        format!("<function {}>", self.name)
    }

    fn is_callable(&self) -> bool {
        true
    }

    fn call(&self, runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
        (self.function)(runtime, args)
    }
}
