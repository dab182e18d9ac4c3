//! Objects that templates have at run time: loops, macros, modules, namespaces, bound methods.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::ast;
use super::environment::Template;
use super::eval::Scope;
use crate::diag::{Error, Result};
use crate::value::{Args, Dict, Object, Runtime, Undefined, Value};

/// `loop` inside a `for`.
pub(super) struct LoopState {
    pub(super) items: Vec<Value>,
    pub(super) index: Cell<usize>,
    pub(super) depth: usize,
    pub(super) last_changed: RefCell<Option<Value>>,
}

impl Object for LoopState {
    fn type_name(&self) -> &'static str {
        "LoopContext"
    }

    fn is_storable(&self) -> bool {
        false
    }

    fn repr(&self) -> String {
        format!(
            "<LoopContext {}/{}>",
            self.index.get() + 1,
            self.items.len()
        )
    }

    fn len(&self) -> Option<usize> {
        Some(self.items.len())
    }

    fn attribute(&self, _runtime: &mut dyn Runtime, name: &str) -> Result<Option<Value>> {
        let (index, count) = (self.index.get(), self.items.len());
        Ok(Some(match name {
            "index" => Value::from(index + 1),
            "index0" => Value::from(index),
            "revindex" => Value::from(count - index),
            "revindex0" => Value::from(count - index - 1),
            "first" => Value::from(index == 0),
            "last" => Value::from(index + 1 == count),
            "length" => Value::from(count),
            "depth" => Value::from(self.depth),
            "depth0" => Value::from(self.depth - 1),
            "previtem" => match index.checked_sub(1).and_then(|at| self.items.get(at)) {
                Some(item) => item.clone(),
                None => Value::undefined(Undefined::hint("there is no previous item")),
            },
            "nextitem" => match self.items.get(index + 1) {
                Some(item) => item.clone(),
                None => Value::undefined(Undefined::hint("there is no next item")),
            },
            _ => return Ok(None),
        }))
    }

    fn call_method(
        &self,
        runtime: &mut dyn Runtime,
        name: &str,
        args: Args,
    ) -> Result<Option<Value>> {
        match name {
            "cycle" => {
                if args.positional.is_empty() {
                    return Err(Error::type_error("no items for cycling given"));
                }
                Ok(Some(
                    args.positional[self.index.get() % args.positional.len()].clone(),
                ))
            }
            "changed" => {
                let now = Value::tuple(args.positional);
                let changed = self.last_changed.borrow().as_ref() != Some(&now);
                *self.last_changed.borrow_mut() = Some(now);
                Ok(Some(Value::from(changed)))
            }
            _ => match self.attribute(runtime, name)? {
                Some(callee) => runtime.call(&callee, args).map(Some),
                None => Ok(None),
            },
        }
    }
}

/// A loop that can be called again: `for … recursive`.
pub(super) struct Recursion {
    pub(super) state: Rc<LoopState>,
    pub(super) code: Rc<RecursiveCode>,
}

/// What a recursive loop runs again.
pub(super) struct RecursiveCode {
    pub(super) template: Rc<Template>,
    pub(super) node: Rc<ast::For>,
    pub(super) scope: Rc<Scope>,
}

impl Object for Recursion {
    fn type_name(&self) -> &'static str {
        "LoopContext"
    }

    fn is_storable(&self) -> bool {
        false
    }

    fn len(&self) -> Option<usize> {
        self.state.len()
    }

    fn attribute(&self, runtime: &mut dyn Runtime, name: &str) -> Result<Option<Value>> {
        self.state.attribute(runtime, name)
    }

    fn call_method(
        &self,
        runtime: &mut dyn Runtime,
        name: &str,
        args: Args,
    ) -> Result<Option<Value>> {
        self.state.call_method(runtime, name, args)
    }

    fn is_callable(&self) -> bool {
        true
    }
}

/// A macro, with the scope it was defined in.
pub(super) struct MacroObject {
    pub(super) code: Rc<ast::Macro>,
    pub(super) template: Rc<Template>,
    pub(super) scope: Rc<Scope>,
    pub(super) caller_block: bool,
    /// It was defined where the variables of the run are not seen.
    pub(super) isolated: bool,
}

impl Object for MacroObject {
    fn type_name(&self) -> &'static str {
        "Macro"
    }

    fn repr(&self) -> String {
        if self.caller_block {
            return "<Macro anonymous>".to_owned();
        }
        format!("<Macro {}>", crate::value::str_repr(&self.code.name))
    }

    fn attribute(&self, _runtime: &mut dyn Runtime, name: &str) -> Result<Option<Value>> {
        Ok(Some(match name {
            "name" if self.caller_block => Value::None,
            "name" => Value::str(&*self.code.name),
            "arguments" => {
                Value::tuple(self.code.params.iter().map(|p| Value::str(&**p)).collect())
            }
            "catch_kwargs" => Value::from(self.code.uses_kwargs),
            "catch_varargs" => Value::from(self.code.uses_varargs),
            "caller" => Value::from(self.code.uses_caller),
            _ => return Ok(None),
        }))
    }

    fn is_callable(&self) -> bool {
        true
    }
}

/// An imported template: its macros and top-level variables.
pub(super) struct Module {
    pub(super) name: Rc<str>,
    pub(super) text: String,
    pub(super) exports: Dict,
}

impl Object for Module {
    fn type_name(&self) -> &'static str {
        "TemplateModule"
    }

    fn str(&self) -> String {
        self.text.clone()
    }

    fn repr(&self) -> String {
        format!("<TemplateModule {}>", crate::value::str_repr(&self.name))
    }

    fn attribute(&self, _runtime: &mut dyn Runtime, name: &str) -> Result<Option<Value>> {
        Ok(self.exports.get(name))
    }
}

/// `namespace()`.
pub(super) struct Namespace(pub(super) Dict);

impl Object for Namespace {
    fn type_name(&self) -> &'static str {
        "Namespace"
    }

    fn is_storable(&self) -> bool {
        false
    }

    fn repr(&self) -> String {
        format!("<Namespace {}>", Value::Dict(self.0.clone()).repr())
    }

    fn attribute(&self, _runtime: &mut dyn Runtime, name: &str) -> Result<Option<Value>> {
        Ok(self.0.get(name))
    }

    fn set_attribute(&self, name: &str, value: Value) -> Result<()> {
        self.0.set(name, value);
        Ok(())
    }

    fn item(&self, _runtime: &mut dyn Runtime, key: &Value) -> Result<Option<Value>> {
        Ok(key.as_str().and_then(|name| self.0.get(name)))
    }
}

/// A method taken off its object without being called yet.
pub(super) struct Bound {
    pub(super) object: Value,
    pub(super) name: Rc<str>,
    /// Whether containers make their items when they are read: the methods that read are then
    /// written in Python.
    pub(super) lazy: bool,
}

impl Bound {
    /// Returns the method of a container that has its items from the beginning.
    pub(super) fn eager(&self) -> Bound {
        Bound {
            object: self.object.clone(),
            name: self.name.clone(),
            lazy: false,
        }
    }
}

impl Object for Bound {
    fn type_name(&self) -> &'static str {
        let reads = match &self.object {
            Value::Dict(_) => matches!(
                &*self.name,
                "values" | "items" | "get" | "copy" | "pop" | "popitem" | "setdefault"
            ),
            Value::List(_) => matches!(&*self.name, "copy" | "index" | "pop" | "remove" | "sort"),
            _ => false,
        };
        if self.lazy && reads {
            return "method";
        }
        "builtin_function_or_method"
    }

    fn repr(&self) -> String {
        format!(
            "<built-in method {} of {} object>",
            self.name,
            self.object.type_name()
        )
    }

    fn is_callable(&self) -> bool {
        true
    }

    fn call(&self, runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
        match super::methods::call(runtime, &self.object, &self.name, args)? {
            Some(value) => Ok(value),
            None => Err(Error::type_error(format!("'{}' is no method", self.name))),
        }
    }
}

/// `cycler()`.
pub(super) struct Cycler {
    pub(super) items: Vec<Value>,
    pub(super) at: Cell<usize>,
}

impl Object for Cycler {
    fn type_name(&self) -> &'static str {
        "Cycler"
    }

    fn is_storable(&self) -> bool {
        false
    }

    fn attribute(&self, _runtime: &mut dyn Runtime, name: &str) -> Result<Option<Value>> {
        Ok((name == "current").then(|| self.items[self.at.get()].clone()))
    }

    fn call_method(
        &self,
        _runtime: &mut dyn Runtime,
        name: &str,
        _args: Args,
    ) -> Result<Option<Value>> {
        Ok(match name {
            "next" => {
                let item = self.items[self.at.get()].clone();
                self.at.set((self.at.get() + 1) % self.items.len());
                Some(item)
            }
            "reset" => {
                self.at.set(0);
                Some(Value::None)
            }
            _ => None,
        })
    }
}

/// `joiner()`.
pub(super) struct Joiner {
    pub(super) separator: Value,
    pub(super) used: Cell<bool>,
}

impl Object for Joiner {
    fn type_name(&self) -> &'static str {
        "Joiner"
    }

    fn is_storable(&self) -> bool {
        false
    }

    fn is_callable(&self) -> bool {
        true
    }

    fn call(&self, _runtime: &mut dyn Runtime, _args: Args) -> Result<Value> {
        Ok(if self.used.replace(true) {
            self.separator.clone()
        } else {
            Value::str("")
        })
    }
}

/// `self` in a template with blocks.
pub(super) struct SelfObject {
    pub(super) blocks: Dict,
}

impl Object for SelfObject {
    fn type_name(&self) -> &'static str {
        "TemplateReference"
    }

    fn attribute(&self, _runtime: &mut dyn Runtime, name: &str) -> Result<Option<Value>> {
        Ok(self.blocks.get(name))
    }
}

/// A block as a callable: `super()`, `self.name()`.
pub(super) struct BlockRef {
    pub(super) name: Rc<str>,
    pub(super) level: usize,
    pub(super) scope: Rc<Scope>,
}

impl Object for BlockRef {
    fn type_name(&self) -> &'static str {
        "BlockReference"
    }

    fn attribute(&self, _runtime: &mut dyn Runtime, name: &str) -> Result<Option<Value>> {
        Ok((name == "super").then(|| {
            Value::Object(Rc::new(BlockRef {
                name: self.name.clone(),
                level: self.level + 1,
                scope: self.scope.clone(),
            }))
        }))
    }

    fn is_callable(&self) -> bool {
        true
    }
}
