//! Runs compiled templates and expressions.

mod access;
mod expression;
mod loops;
mod macros;
mod output;
mod runtime;
mod scope;
mod statement;
mod templates;
mod translation;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use output::Out;
pub use output::{native_value, plain_data};
pub(super) use scope::Scope;

use super::ast::{Block, Range};
use super::environment::{Context, Environment, Expression, Options, Template};
use crate::diag::{Error, Kind, Result};
use crate::value::Value;

/// How deep macros, includes and variables may call each other.
const MAX_DEPTH: usize = 120;

/// How many steps loops may take in one rendering.
const MAX_STEPS: u64 = 10_000_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Break,
    Continue,
}

type Chain = Vec<(Rc<Block>, Rc<Template>)>;

/// One rendering.
pub(super) struct Machine<'a> {
    env: &'a Environment,
    context: &'a dyn Context,
    options: &'a Options,
    template: Option<Rc<Template>>,
    place: super::Place,
    scope: Rc<Scope>,
    blocks: Rc<RefCell<HashMap<Rc<str>, Chain>>>,
    parent: Option<Rc<Template>>,
    silent: bool,
    isolated: bool,
    autoescape: bool,
    out: Out,
    depth: usize,
    steps: Cell<u64>,
}

impl<'a> Machine<'a> {
    pub(super) fn new(
        env: &'a Environment,
        context: &'a dyn Context,
        options: &'a Options,
    ) -> Machine<'a> {
        Machine {
            env,
            context,
            options,
            template: None,
            place: super::Place::Nowhere,
            scope: Scope::new(None),
            blocks: Rc::default(),
            parent: None,
            silent: false,
            isolated: false,
            autoescape: options.autoescape,
            out: Out::Text(String::new()),
            depth: 0,
            steps: Cell::new(0),
        }
    }

    pub(super) fn render(mut self, template: &Rc<Template>) -> Result<String> {
        self.out = Out::Text(String::with_capacity(template.last_length.get()));
        self.whole(template)?;
        let text = self.out.text();
        template.last_length.set(text.len());
        Ok(text)
    }

    pub(super) fn render_late(self, template: &Rc<Template>) -> Result<String> {
        let none_is_empty = self.options.none_is_empty;
        let nothing = |piece: &Value| piece.is_undefined() || none_is_empty && piece.is_none();
        let pieces = self.pieces(template)?;
        let shown = pieces.iter().filter(|piece| !nothing(piece));
        Ok(shown.map(Value::to_str).collect())
    }

    pub(super) fn pieces(mut self, template: &Rc<Template>) -> Result<Vec<Value>> {
        self.out = Out::Pieces(Vec::new());
        self.whole(template)?;
        match self.out {
            Out::Pieces(pieces) | Out::Raw(pieces) => Ok(pieces),
            Out::Text(text) => Ok(vec![Value::str(text)]),
        }
    }

    pub(super) fn expression(mut self, expression: &Rc<Expression>) -> Result<Value> {
        self.place = expression.place;
        self.eval(&expression.code.0)
    }

    fn span(&self, range: Range) -> Option<crate::diag::Span> {
        match self.place {
            super::Place::Source(source, offset) => Some(crate::diag::Span::new(
                source,
                (offset + range.start) as usize,
                (offset + range.end.max(range.start + 1)) as usize,
            )),
            super::Place::Scalar(span) => Some(span),
            super::Place::Nowhere => None,
        }
    }

    /// Gives an undefined value the kind that the options ask for.
    fn undefined(&self, value: Value) -> Value {
        match value {
            Value::Undefined(undefined) if undefined.kind() != self.options.undefined => {
                let kind = self.options.undefined;
                Value::undefined(undefined.as_ref().clone().of_kind(kind))
            }
            value => value,
        }
    }

    fn placed(&self, error: Error, range: Range) -> Error {
        match self.span(range) {
            Some(span) => error.at(span),
            None => error,
        }
    }

    fn deeper<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= MAX_DEPTH {
            return Err(Error::new(
                Kind::Recursion,
                "maximum recursion depth exceeded",
            ));
        }
        self.depth += 1;
        let result = f(self);
        self.depth -= 1;
        result
    }

    fn step(&self) -> Result<()> {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        if steps > MAX_STEPS {
            return Err(Error::new(
                Kind::Recursion,
                format!("more than {MAX_STEPS} loop steps in one template"),
            ));
        }
        Ok(())
    }

    /// Runs nodes in a scope of their own.
    fn scoped(&mut self, f: impl FnOnce(&mut Self) -> Result<Flow>) -> Result<Flow> {
        let inner = Scope::new(Some(self.scope.clone()));
        self.inside(&inner, f)
    }

    /// Runs something in a scope that there is.
    fn inside(
        &mut self,
        scope: &Rc<Scope>,
        f: impl FnOnce(&mut Self) -> Result<Flow>,
    ) -> Result<Flow> {
        let outer = std::mem::replace(&mut self.scope, scope.clone());
        let result = f(self);
        self.scope = outer;
        result
    }
}
