//! Evaluates expressions.

use std::rc::Rc;

use super::Machine;
use super::access::{slice, unsafe_attribute};
use crate::diag::{Error, Kind, Result};
use crate::jinja::ast::{CallArgs, Compare, Expr, ExprKind, Link, Path, Range, Step};
use crate::jinja::environment::PathKey;
use crate::jinja::methods::{self, special};
use crate::jinja::name::Name;
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
        // What most expressions are made of comes first.
        match &expr.kind {
            ExprKind::Const(Value::Int(number)) => return Ok(Value::Int(*number)),
            ExprKind::Name(name) => {
                return match self.scope.get(name) {
                    Some(value) => Ok(value),
                    None => self.free_name(name, expr.range),
                };
            }
            ExprKind::Path(path) => return self.path(path),
            _ => {}
        }
        match self.eval_inside(expr) {
            Err(error) => Err(self.placed(error, expr.range)),
            value => value,
        }
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
            ExprKind::Name(_) | ExprKind::Path(_) => return self.eval(expr),
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
                let args = self.args(None, args)?;
                let called = self.call_expr(callee, args, expr.range);
                return self.deferred(called, expr.range);
            }
            ExprKind::Filter(inner, name, args) => {
                let value = match inner {
                    Some(inner) => self.eval(inner)?,
                    None => Value::None,
                };
                return self.apply_filter(name, value, args, expr.range);
            }
            ExprKind::Test(inner, name, args) => {
                let value = self.eval(inner)?;
                let args = self.args(Some(value), args)?;
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

    /// Resolves a name that the template doesn't define.
    fn free_name(&mut self, name: &Name, range: Range) -> Result<Value> {
        match self.free(name, &[], &mut 0) {
            Ok(Value::Undefined(undefined)) => {
                Ok(self.placed_undefined(Value::Undefined(undefined), range))
            }
            Err(error) => Err(self.placed(error, range)),
            known => known,
        }
    }

    /// Evaluates a path; a method that was taken off what is written here is not a lazy container's.
    fn path(&mut self, path: &Path) -> Result<Value> {
        let value = self.path_to(path, path.steps.len())?;
        if matches!(path.root.kind, ExprKind::List(_) | ExprKind::Dict(_))
            && let Some(method) = value.downcast::<Bound>()
        {
            return Ok(Value::Object(Rc::new(method.eager())));
        }
        Ok(value)
    }

    /// Follows the first steps of a path.
    fn path_to(&mut self, path: &Path, count: usize) -> Result<Value> {
        let mut value = match &path.root.kind {
            ExprKind::Name(name) => match self.scope.get(name) {
                Some(value) => value,
                None => return self.free_path(path, name, count),
            },
            _ => self.eval(&path.root)?,
        };
        for step in &path.steps[..count] {
            value = match &step.link {
                Link::Attr(name) => self.attribute_step(&value, name, step.range)?,
                Link::Item(key) => {
                    let key = self
                        .eval(key)
                        .map_err(|error| self.placed(error, step.range))?;
                    self.item_step(&value, &key, step.range)?
                }
            };
        }
        Ok(value)
    }

    /// Follows a path from a name that the template doesn't define: the context gets all of it, so
    /// that it may make ready no more than what is asked for.
    fn free_path(&mut self, path: &Path, name: &Name, count: usize) -> Result<Value> {
        let steps = &path.steps[..count];
        let evaluated;
        let keys = match &path.keys {
            Some(keys) => &keys[..count],
            None => {
                let mut keys = Vec::with_capacity(count);
                for step in steps {
                    keys.push(match (&step.link, step.link.key()) {
                        (_, Some(key)) => key,
                        (Link::Item(key), None) => PathKey {
                            value: self.eval(key)?,
                            is_attribute: false,
                        },
                        (Link::Attr(_), None) => continue,
                    });
                }
                evaluated = keys;
                &evaluated[..]
            }
        };
        let mut done = 0;
        let mut value = self
            .free(name, keys, &mut done)
            .map_err(|error| self.placed(error, path.root.range))?;
        if value.is_undefined() {
            let at = done.checked_sub(1).map(|last| steps[last].range);
            value = self.placed_undefined(value, at.unwrap_or(path.root.range));
        }
        for (step, key) in steps.iter().zip(keys).skip(done) {
            value = match &step.link {
                Link::Attr(name) => self.attribute_step(&value, name, step.range)?,
                Link::Item(_) => self.item_step(&value, &key.value, step.range)?,
            };
        }
        Ok(value)
    }

    #[inline]
    fn attribute_step(&mut self, object: &Value, name: &Name, range: Range) -> Result<Value> {
        if let Value::Dict(dict) = object
            && name.is_key()
            && let Some(value) = dict.get(name)
        {
            return match value {
                Value::Undefined(_) => Ok(self.placed_undefined(value, range)),
                value => Ok(value),
            };
        }
        let found = self.attribute(object, name);
        self.placed_result(found, range)
    }

    fn item_step(&mut self, object: &Value, key: &Value, range: Range) -> Result<Value> {
        let found = self.item(object, key);
        self.placed_result(found, range)
    }

    /// Says where an undefined value or an error came up.
    #[inline]
    fn placed_result(&self, result: Result<Value>, range: Range) -> Result<Value> {
        match result {
            Ok(Value::Undefined(undefined)) => {
                Ok(self.placed_undefined(Value::Undefined(undefined), range))
            }
            Err(error) => Err(self.placed(error, range)),
            known => known,
        }
    }

    /// Says where an undefined value came up, unless that is known.
    fn placed_undefined(&self, value: Value, range: Range) -> Value {
        if let Value::Undefined(undefined) = &value
            && !undefined.is_placed()
            && let Some(span) = self.span(range)
        {
            return Value::undefined(undefined.as_ref().clone().at(span));
        }
        value
    }

    /// Resolves a name, and as much of a path as the context can, beyond what the template defines;
    /// `done` is told how many keys that were.
    fn free(&mut self, name: &str, keys: &[PathKey], done: &mut usize) -> Result<Value> {
        if !self.isolated {
            let context = self.context;
            let found = self.deeper(|machine| context.resolve_path(machine, name, keys, done))?;
            if let Some(value) = found {
                return Ok(value);
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
            return Ok(Value::Object(Rc::new(SelfObject { blocks })));
        }
        if let Some(global) = self.env.globals.get(name) {
            return Ok(global.clone());
        }
        let missing = Value::undefined(self.context.missing(name));
        Ok(self.undefined(missing))
    }

    /// Evaluates arguments; what a filter or test is for goes before them.
    pub(super) fn args(&mut self, first: Option<Value>, args: &CallArgs) -> Result<Args> {
        let count = usize::from(first.is_some()) + args.positional.len();
        let mut out = Args::positional(Vec::with_capacity(count));
        out.positional.extend(first);
        for expr in &args.positional {
            out.positional.push(self.eval(expr)?);
        }
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
        if let ExprKind::Path(path) = &callee.kind
            && let Some((
                Step {
                    link: Link::Attr(name),
                    ..
                },
                before,
            )) = path.steps.split_last()
        {
            let object = self.path_to(path, before.len())?;
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
            let (done, args) = match &object {
                Value::Object(inner) => (inner.call_method(self, name, args.clone())?, args),
                _ if methods::exists(&object, name) => {
                    (methods::call(self, &object, name, args)?, Args::default())
                }
                _ => (None, args),
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
    pub(super) fn deferred(&self, result: Result<Value>, range: Range) -> Result<Value> {
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
        let args = self.args(Some(value), args)?;
        let filtered = self
            .filter(name, args)
            .map_err(|error| self.placed(error, range));
        self.deferred(filtered, range)
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
    if let (Value::Int(left), Value::Int(right)) = (left, right) {
        match operator {
            Compare::Eq => return Ok(left == right),
            Compare::Ne => return Ok(left != right),
            Compare::Lt => return Ok(left < right),
            Compare::Le => return Ok(left <= right),
            Compare::Gt => return Ok(left > right),
            Compare::Ge => return Ok(left >= right),
            Compare::In | Compare::NotIn => {}
        }
    }
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
