//! Evaluates expressions.

use std::rc::Rc;

use super::Machine;
use super::access::{slice, unsafe_attribute};
use crate::diag::{Error, Kind, Result};
use crate::jinja::ast::{CallArgs, Compare, Expr, ExprKind, Range};
use crate::jinja::environment::PathKey;
use crate::jinja::methods::{self, special};
use crate::jinja::objects::{BlockRef, Bound, SelfObject};
use crate::value::{
    Args, Dict, Key, List, Runtime, Str, Undefined, UndefinedKind, Value, escape_html, ops,
};

impl Machine<'_> {
    pub(super) fn truth(&mut self, expr: &Expr) -> Result<bool> {
        match self.eval(expr)? {
            Value::Undefined(undefined) if undefined.is_silent() => Ok(false),
            value => self.is_true(&value, expr.range),
        }
    }

    /// Returns the truth of an operand, which no undefined value has unless it may be used.
    fn is_true(&self, value: &Value, range: Range) -> Result<bool> {
        match value {
            Value::Undefined(undefined) if !undefined.is_lenient() => {
                Err(self.placed(undefined.error(), range))
            }
            value => Ok(value.truth()),
        }
    }

    pub(super) fn eval(&mut self, expr: &Expr) -> Result<Value> {
        self.eval_inside(expr)
            .map_err(|error| self.placed(error, expr.range))
    }

    pub(super) fn eval_all(&mut self, exprs: &[Expr]) -> Result<Vec<Value>> {
        exprs.iter().map(|expr| self.eval(expr)).collect()
    }

    pub(super) fn eval_inside(&mut self, expr: &Expr) -> Result<Value> {
        Ok(match &expr.kind {
            ExprKind::Const(Value::Str(text)) if text.is_trusted() => {
                let context = self.context;
                self.deeper(|_| context.literal(text))?
            }
            ExprKind::Const(value) => value.clone(),
            ExprKind::Name(_) | ExprKind::Attr(..) | ExprKind::Item(..) => return self.path(expr),
            ExprKind::Tuple(items) => Value::tuple(self.eval_all(items)?),
            ExprKind::List(items) => {
                let list = List::new(self.eval_all(items)?);
                list.mark_read();
                Value::List(list)
            }
            ExprKind::Dict(pairs) => {
                let dict = Dict::new();
                for (key, value) in pairs {
                    let key = Key::new(self.eval(key)?)?;
                    let value = self.eval(value)?;
                    dict.set_key(key, value);
                }
                Value::Dict(dict)
            }
            ExprKind::Slice(object, bounds) => {
                let object = self.eval(object)?;
                let mut parts = [None, None, None];
                for (slot, bound) in parts.iter_mut().zip(bounds.iter()) {
                    if let Some(bound) = bound {
                        *slot = match self.eval(bound)? {
                            Value::None => None,
                            value => Some(value.as_i64().ok_or_else(|| match &value {
                                Value::Undefined(undefined) => undefined.error(),
                                _ => Error::type_error("slice indices must be integers or None or have an __index__ method"),
                            })?),
                        };
                    }
                }
                slice(&object, parts)?
            }
            ExprKind::Call(callee, args) => {
                let args = self.args(args)?;
                let called = self.call_expr(callee, args, expr.range);
                return self.deferred(called, expr.range);
            }
            ExprKind::Filter(inner, name, args) => {
                let value = match inner {
                    Some(inner) => self.eval(inner)?,
                    None => Value::None,
                };
                let filtered = self.apply_filter(name, value, args, expr.range);
                return self.deferred(filtered, expr.range);
            }
            ExprKind::Test(inner, name, args) => {
                let value = self.eval(inner)?;
                let mut args = self.args(args)?;
                args.positional.insert(0, value);
                let tested = self.test(name, args).map(Value::Bool);
                return self.deferred(tested, expr.range);
            }
            ExprKind::Not(inner) => Value::Bool(!self.truth(inner)?),
            ExprKind::Neg(inner) => ops::negate(&self.eval(inner)?)?,
            ExprKind::Pos(inner) => match self.eval(inner)? {
                Value::Bool(b) => Value::Int(i64::from(b)),
                value if value.is_number() => value,
                Value::Undefined(undefined) => return Err(undefined.error()),
                other => {
                    return Err(Error::type_error(format!(
                        "bad operand type for unary +: '{}'",
                        other.type_name()
                    )));
                }
            },
            ExprKind::Binary(operator, left, right) => {
                let is_written = matches!(right.kind, ExprKind::List(_));
                let left = self.eval(left)?;
                let right = self.eval(right)?;
                if self.options.plain_data
                    && *operator == ops::Operator::Add
                    && !is_written
                    && let Some(error) = ops::no_lazy_sum(&left, &right)
                {
                    return Err(error);
                }
                if *operator == ops::Operator::Mod && matches!(left, Value::Str(_)) {
                    self.all_defined(&right)?;
                }
                ops::apply(*operator, &left, &right)?
            }
            ExprKind::Concat(parts) => {
                let mut text = String::new();
                let values = self.eval_all(parts)?;
                let markup = self.autoescape
                    && self.options.joins_markup
                    && values
                        .iter()
                        .any(|value| matches!(value, Value::Str(s) if s.is_markup()));
                for value in values {
                    match &value {
                        Value::Undefined(undefined) if undefined.is_silent() => {}
                        Value::Undefined(undefined) => return Err(undefined.error()),
                        Value::Str(part) if markup && part.is_markup() => text.push_str(part),
                        other => {
                            self.all_defined(other)?;
                            let shown = other.to_str();
                            text.push_str(&if markup { escape_html(&shown) } else { shown });
                        }
                    }
                    ops::fits(text.len())?;
                }
                Value::Str(Str::new(text).with_markup(markup))
            }
            ExprKind::And(left, right) => {
                let value = self.eval(left)?;
                if self.is_true(&value, left.range)? {
                    self.eval(right)?
                } else {
                    value
                }
            }
            ExprKind::Or(left, right) => {
                let value = self.eval(left)?;
                if self.is_true(&value, left.range)? {
                    value
                } else {
                    self.eval(right)?
                }
            }
            ExprKind::Compare(first, rest) => {
                let mut left = self.eval(first)?;
                for (operator, right) in rest {
                    let right = self.eval(right)?;
                    if !compare(*operator, &left, &right)? {
                        return Ok(Value::Bool(false));
                    }
                    left = right;
                }
                Value::Bool(true)
            }
            ExprKind::Cond(test, then, otherwise) => {
                if self.truth(test)? {
                    return self.eval(then);
                }
                match otherwise {
                    Some(otherwise) => return self.eval(otherwise),
                    None => {
                        let missing = Undefined::silent(
                            "the inline if-expression evaluated to false and no else section was defined.",
                        );
                        // It is Jinja2's plain undefined value, whatever other ones are.
                        Value::undefined(match self.options.undefined {
                            UndefinedKind::Marker => missing,
                            _ => missing.of_kind(UndefinedKind::Lenient),
                        })
                    }
                }
            }
        })
    }

    /// Evaluates a name with the attributes and items behind it. What the context can reach by
    /// itself, it reaches without making ready what lies beside.
    pub(super) fn path(&mut self, expr: &Expr) -> Result<Value> {
        let mut root = expr;
        while let ExprKind::Attr(object, _) | ExprKind::Item(object, _) = &root.kind {
            root = object;
        }
        let value = match &root.kind {
            ExprKind::Name(name) => match self.scope.get(name) {
                Some(value) => value,
                None => return self.free_path(expr, root, name),
            },
            _ => self.eval(root)?,
        };
        // What is written here is no lazy container.
        let is_written = matches!(root.kind, ExprKind::List(_) | ExprKind::Dict(_));
        let value = self.follow(expr, value)?;
        match value.downcast::<Bound>() {
            Some(method) if is_written => Ok(Value::Object(Rc::new(method.eager()))),
            _ => Ok(value),
        }
    }

    /// Follows a path from the value of its root.
    fn follow(&mut self, expr: &Expr, root: Value) -> Result<Value> {
        let value = match &expr.kind {
            ExprKind::Attr(object, name) => {
                let object = self.follow(object, root)?;
                self.attribute(&object, name)
            }
            ExprKind::Item(object, key) => {
                let object = self.follow(object, root)?;
                let key = self.eval(key)?;
                self.item(&object, &key)
            }
            _ => return Ok(root),
        };
        value
            .map(|value| self.placed_undefined(value, expr.range))
            .map_err(|error| self.placed(error, expr.range))
    }

    /// Follows a path from a name that the template doesn't define: the context gets all of it, so
    /// that it may make ready no more than what is asked for.
    fn free_path(&mut self, expr: &Expr, root: &Expr, name: &str) -> Result<Value> {
        let mut chain: Vec<&Expr> = Vec::new();
        let mut step = expr;
        while let ExprKind::Attr(object, _) | ExprKind::Item(object, _) = &step.kind {
            chain.push(step);
            step = object;
        }
        chain.reverse();
        let mut keys: Vec<PathKey> = Vec::with_capacity(chain.len());
        for step in &chain {
            keys.push(match &step.kind {
                ExprKind::Item(_, key) => PathKey {
                    value: self.eval(key)?,
                    is_attribute: false,
                },
                ExprKind::Attr(_, name) => PathKey {
                    value: Value::Str(Str::from_shared(name.clone())),
                    is_attribute: true,
                },
                _ => continue,
            });
        }
        let (value, done) = self
            .free(name, &keys)
            .map_err(|error| self.placed(error, root.range))?;
        let at = done.checked_sub(1).map_or(root, |last| chain[last]);
        let mut value = self.placed_undefined(value, at.range);
        for (step, key) in chain.iter().zip(&keys).skip(done) {
            value = match &key.value {
                Value::Str(name) if key.is_attribute => self.attribute(&value, name),
                key => self.item(&value, key),
            }
            .map(|value| self.placed_undefined(value, step.range))
            .map_err(|error| self.placed(error, step.range))?;
        }
        Ok(value)
    }

    /// Says where an undefined value came up, unless that is known.
    fn placed_undefined(&self, value: Value, range: Range) -> Value {
        match value {
            Value::Undefined(undefined) if !undefined.is_placed() => match self.span(range) {
                Some(span) => Value::undefined(undefined.as_ref().clone().at(span)),
                None => Value::Undefined(undefined),
            },
            value => value,
        }
    }

    /// Resolves a name that the template doesn't define.
    pub(super) fn free(&mut self, name: &str, keys: &[PathKey]) -> Result<(Value, usize)> {
        if !self.isolated {
            let context = self.context;
            if let Some(found) = self.deeper(|machine| context.resolve_path(machine, name, keys))? {
                return Ok(found);
            }
        }
        if name == "self" {
            let blocks = Dict::new();
            let scope = self.top_scope();
            for block in self.blocks.borrow().keys() {
                let reference = BlockRef {
                    name: block.clone(),
                    level: 0,
                    scope: scope.clone(),
                };
                blocks.set(&**block, Value::Object(Rc::new(reference)));
            }
            return Ok((Value::Object(Rc::new(SelfObject { blocks })), 0));
        }
        if let Some(global) = self.env.globals.get(name) {
            return Ok((global.clone(), 0));
        }
        let missing = Value::undefined(self.context.missing(name));
        Ok((self.undefined(missing), 0))
    }

    pub(super) fn args(&mut self, args: &CallArgs) -> Result<Args> {
        let mut out = Args::positional(self.eval_all(&args.positional)?);
        if let Some(star) = &args.star {
            let more = self.eval(star)?;
            out.positional.extend(more.items()?);
        }
        for (name, value) in &args.keyword {
            out.keyword.push((name.to_string(), self.eval(value)?));
        }
        if let Some(double) = &args.double_star {
            match self.eval(double)? {
                Value::Dict(dict) => {
                    for (key, value) in dict.to_vec() {
                        out.keyword.push((key.value().to_str(), value));
                    }
                }
                Value::Undefined(undefined) => return Err(undefined.error()),
                other => {
                    return Err(Error::type_error(format!(
                        "argument after ** must be a mapping, not {}",
                        other.type_name()
                    )));
                }
            }
        }
        Ok(out)
    }

    pub(super) fn call_expr(&mut self, callee: &Expr, args: Args, range: Range) -> Result<Value> {
        if let ExprKind::Attr(object, name) = &callee.kind {
            let object = self.eval(object)?;
            if let Value::Undefined(undefined) = &object {
                return Err(self.placed(undefined.error(), range));
            }
            if name.starts_with("__") {
                if !self.options.sandboxed
                    && let Some(value) = special::call(self, &object, name, args)?
                {
                    return Ok(value);
                }
                return Err(unsafe_attribute(&object, name));
            }
            if matches!(object, Value::Str(_)) && &**name == "format" {
                let named = args.keyword.iter().map(|(_, value)| value);
                for value in args.positional.iter().chain(named) {
                    self.all_defined(value)?;
                }
            }
            let done = match &object {
                Value::Object(inner) => inner.call_method(self, name, args.clone())?,
                _ => methods::call(self, &object, name, args.clone())?,
            };
            if let Some(value) = done {
                // Where values are plain data, a view of a dict is a list.
                return match value {
                    Value::Object(view)
                        if self.options.plain_data && view.type_name().starts_with("dict_") =>
                    {
                        Ok(Value::list(view.iterate().unwrap_or_default()))
                    }
                    value => Ok(value),
                };
            }
            let callee = self.attribute(&object, name)?;
            return self.call(&callee, args);
        }
        let callee = self.eval(callee)?;
        self.call(&callee, args)
    }

    /// Makes an undefined value of what a call or filter raised, where that is told when it is used.
    fn deferred(&self, result: Result<Value>, range: Range) -> Result<Value> {
        match result {
            Err(error) if self.options.plain_data && is_deferred(&error) => Ok(Value::undefined(
                Undefined::failed(self.placed(error, range)),
            )),
            result => result,
        }
    }

    pub(super) fn apply_filter(
        &mut self,
        name: &str,
        value: Value,
        args: &CallArgs,
        range: Range,
    ) -> Result<Value> {
        let mut args = self.args(args)?;
        args.positional.insert(0, value);
        self.filter(name, args)
            .map_err(|error| self.placed(error, range))
    }
}

/// Says whether an error is one of values, rather than of the template or the run.
fn is_deferred(error: &Error) -> bool {
    matches!(
        error.kind(),
        Kind::Undefined | Kind::Type | Kind::Value | Kind::Arithmetic | Kind::Filter
    )
}

fn compare(operator: Compare, left: &Value, right: &Value) -> Result<bool> {
    use std::cmp::Ordering;
    let order = |operator: &str, accept: fn(Ordering) -> bool| {
        left.order(right, operator)
            .map(|order| order.is_some_and(accept))
    };
    match operator {
        Compare::Eq | Compare::Ne => {
            for side in [left, right] {
                if let Value::Undefined(undefined) = side
                    && !undefined.is_lenient()
                {
                    return Err(undefined.error());
                }
            }
            Ok((left == right) == (operator == Compare::Eq))
        }
        Compare::Lt => order("<", Ordering::is_lt),
        Compare::Le => order("<=", Ordering::is_le),
        Compare::Gt => order(">", Ordering::is_gt),
        Compare::Ge => order(">=", Ordering::is_ge),
        Compare::In => ops::contains(right, left),
        Compare::NotIn => ops::contains(right, left).map(|is| !is),
    }
}
