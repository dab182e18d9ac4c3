//! Values whose code is in Python: filters, tests, and objects that plugins return.

use std::rc::{Rc, Weak};

use super::{Python, Sort, templar_of};
use crate::diag::{Error, Kind, Result};
use crate::value::{Args, Object, Runtime, Value};

/// A filter or test that is a Python plugin.
pub(super) struct PluginFunction {
    python: Rc<Python>,
    sort: Sort,
    name: String,
    file: String,
}

impl PluginFunction {
    pub(super) fn new(
        python: Rc<Python>,
        sort: Sort,
        name: String,
        file: String,
    ) -> PluginFunction {
        PluginFunction {
            python,
            sort,
            name,
            file,
        }
    }
}

impl Object for PluginFunction {
    fn type_name(&self) -> &'static str {
        "function"
    }

    fn is_callable(&self) -> bool {
        true
    }

    fn call(&self, runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
        let templar = templar_of(runtime);
        self.python
            .call(self.sort, &self.name, &self.file, templar.as_ref(), &args)
    }
}

/// An object that a plugin returned and that is no data; it stays in Python.
pub(super) struct Foreign {
    pub(super) python: Weak<Python>,
    pub(super) id: u64,
    pub(super) class: String,
    pub(super) repr: String,
    pub(super) text: String,
    pub(super) callable: bool,
}

impl Foreign {
    fn python(&self) -> Result<Rc<Python>> {
        self.python
            .upgrade()
            .ok_or_else(|| Error::new(Kind::Internal, "Python has ended"))
    }
}

impl Object for Foreign {
    fn type_name(&self) -> &str {
        &self.class
    }

    fn str(&self) -> String {
        self.text.clone()
    }

    fn repr(&self) -> String {
        self.repr.clone()
    }

    fn attribute(&self, runtime: &mut dyn Runtime, name: &str) -> Result<Option<Value>> {
        let templar = templar_of(runtime);
        self.python()?.attribute(self.id, name, templar.as_ref())
    }

    fn is_callable(&self) -> bool {
        self.callable
    }

    fn call(&self, runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
        let templar = templar_of(runtime);
        self.python()?.invoke(self.id, &args, templar.as_ref())
    }

    fn is_storable(&self) -> bool {
        false
    }
}
