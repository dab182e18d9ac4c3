//! Runs `{% trans %}` and `{% debug %}`.

use super::Machine;
use crate::diag::Result;
use crate::jinja::ast::{Range, Trans};
use crate::jinja::filters::pretty_within;
use crate::jinja::translations::safe;
use crate::value::{Args, Dict, Runtime, Value, ops};

/// How deep `{% debug %}` shows values.
const DEBUG_DEPTH: usize = 3;

impl Machine<'_> {
    pub(super) fn translation(&mut self, trans: &Trans, range: Range) -> Result<Value> {
        let mut variables = Vec::with_capacity(trans.variables.len());
        for (name, expr) in &trans.variables {
            variables.push((name.to_string(), self.eval(expr)?));
        }
        let gettext = self.eval(&trans.function)?;
        let mut args = Args::default();
        if let Some(context) = &trans.context {
            args.positional.push(Value::str(context.clone()));
        }
        args.positional.push(Value::str(trans.single.clone()));
        if let (Some(plural), Some(counted)) = (&trans.plural, trans.counted) {
            args.positional.push(Value::str(plural.clone()));
            args.positional.push(variables[counted].1.clone());
            // The function knows the number by this name already.
            if trans.newstyle && variables[counted].0 == "num" {
                variables.remove(counted);
            }
        }
        if trans.newstyle {
            args.keyword = variables;
            return self.call(&gettext, args);
        }
        let text = safe(self.call(&gettext, args)?, self.autoescape);
        if variables.is_empty() {
            return Ok(text);
        }
        let variables = Value::dict(variables);
        self.all_defined(&variables)
            .map_err(|error| self.placed(error, range))?;
        ops::apply(ops::Operator::Mod, &text, &variables)
    }

    /// Shows the variables, and the names of filters and tests.
    pub(super) fn shown_context(&mut self) -> Result<Value> {
        let names = |all: Vec<&str>| {
            let mut all = all;
            all.sort_unstable();
            Value::list(all.into_iter().map(Value::str).collect())
        };
        let variables = Dict::new();
        for (name, value) in &self.env.globals {
            variables.set(name, value.clone());
        }
        for (name, value) in self.context.all()?.to_vec() {
            variables.set_key(name, value);
        }
        for scope in self.scope.with_parents() {
            for (name, value) in scope.vars.borrow().iter() {
                variables.set(&**name, value.clone());
            }
        }
        let shown = Value::dict([
            ("context", Value::Dict(variables)),
            ("filters", names(self.env.filters.keys().copied().collect())),
            ("tests", names(self.env.tests.keys().copied().collect())),
        ]);
        Ok(Value::str(pretty_within(&shown, DEBUG_DEPTH)))
    }
}
