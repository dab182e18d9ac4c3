//! Runs compiled templates and expressions.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::ast::{
    Block, CallArgs, Compare, Expr, ExprKind, For, Macro, Node, NodeKind, Range, Target,
};
use super::environment::{Context, Environment, Expression, Options, PathKey, Template};
use super::methods;
use super::objects::{
    BlockRef, LoopState, MacroObject, Module, Recursion, RecursiveCode, SelfObject,
};
use crate::diag::{Error, Kind, Result};
use crate::value::{Args, Dict, Key, Runtime, Str, Undefined, Value, escape_html, ops};

/// How deep macros, includes and variables may call each other.
const MAX_DEPTH: usize = 120;
/// How many steps loops may take in one rendering.
const MAX_STEPS: u64 = 200_000_000;

/// Variables that a template sets, innermost first.
pub(super) struct Scope {
    vars: RefCell<Vec<(Rc<str>, Value)>>,
    parent: Option<Rc<Scope>>,
}

impl Scope {
    fn new(parent: Option<Rc<Scope>>) -> Rc<Scope> {
        Rc::new(Scope {
            vars: RefCell::default(),
            parent,
        })
    }

    fn get(&self, name: &str) -> Option<Value> {
        let mut scope = Some(self);
        while let Some(one) = scope {
            if let Some((_, value)) = one
                .vars
                .borrow()
                .iter()
                .rev()
                .find(|(known, _)| &**known == name)
            {
                return Some(value.clone());
            }
            scope = one.parent.as_deref();
        }
        None
    }

    fn set(&self, name: &Rc<str>, value: Value) {
        let mut vars = self.vars.borrow_mut();
        match vars.iter_mut().find(|(known, _)| known == name) {
            Some((_, slot)) => *slot = value,
            None => vars.push((name.clone(), value)),
        }
    }
}

/// Where output goes.
enum Out {
    Text(String),
    Pieces(Vec<Value>),
}

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
        self.whole(template)?;
        Ok(self.text())
    }

    pub(super) fn pieces(mut self, template: &Rc<Template>) -> Result<Vec<Value>> {
        self.out = Out::Pieces(Vec::new());
        self.whole(template)?;
        match self.out {
            Out::Pieces(pieces) => Ok(pieces),
            Out::Text(text) => Ok(vec![Value::str(text)]),
        }
    }

    pub(super) fn expression(mut self, expression: &Rc<Expression>) -> Result<Value> {
        self.place = expression.place;
        self.eval(&expression.code.0)
    }

    fn text(self) -> String {
        match self.out {
            Out::Text(text) => text,
            Out::Pieces(pieces) => pieces.iter().map(Value::to_str).collect(),
        }
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

    // ---- templates

    /// Runs a template and what it extends, in the current scope.
    fn whole(&mut self, template: &Rc<Template>) -> Result<()> {
        let mut current = template.clone();
        loop {
            self.collect_blocks(&current);
            self.template = Some(current.clone());
            self.place = current.place;
            self.parent = None;
            self.silent = false;
            let nodes: Vec<&Node> = current.code.iter().map(|node| &node.0).collect();
            for node in nodes {
                self.node(node)?;
            }
            match self.parent.take() {
                Some(parent) => current = parent,
                None => return Ok(()),
            }
        }
    }

    fn collect_blocks(&mut self, template: &Rc<Template>) {
        fn walk(nodes: &[Node], template: &Rc<Template>, found: &mut Vec<Rc<Block>>) {
            for node in nodes {
                match &node.kind {
                    NodeKind::Block(block) => {
                        found.push(block.clone());
                        walk(&block.body, template, found);
                    }
                    NodeKind::If(branches, otherwise) => {
                        for (_, body) in branches {
                            walk(body, template, found);
                        }
                        walk(otherwise, template, found);
                    }
                    NodeKind::For(repeat) => {
                        walk(&repeat.body, template, found);
                        walk(&repeat.otherwise, template, found);
                    }
                    NodeKind::With(_, body)
                    | NodeKind::Autoescape(_, body)
                    | NodeKind::FilterBlock(_, body)
                    | NodeKind::SetBlock(_, _, body) => walk(body, template, found),
                    _ => {}
                }
            }
        }
        let mut found = Vec::new();
        for node in &template.code {
            walk(std::slice::from_ref(&node.0), template, &mut found);
        }
        let mut blocks = self.blocks.borrow_mut();
        for block in found {
            blocks
                .entry(block.name.clone())
                .or_default()
                .push((block, template.clone()));
        }
    }

    fn nodes(&mut self, nodes: &[Node]) -> Result<Flow> {
        for node in nodes {
            match self.node(node)? {
                Flow::On => {}
                flow => return Ok(flow),
            }
        }
        Ok(Flow::On)
    }

    /// Runs nodes in a scope of their own.
    fn scoped(&mut self, f: impl FnOnce(&mut Self) -> Result<Flow>) -> Result<Flow> {
        let inner = Scope::new(Some(self.scope.clone()));
        let outer = std::mem::replace(&mut self.scope, inner);
        let result = f(self);
        self.scope = outer;
        result
    }

    /// Runs nodes and returns their output as text.
    fn captured(&mut self, f: impl FnOnce(&mut Self) -> Result<()>) -> Result<String> {
        let outer = std::mem::replace(&mut self.out, Out::Text(String::new()));
        let silent = std::mem::replace(&mut self.silent, false);
        let result = f(self);
        self.silent = silent;
        let inner = std::mem::replace(&mut self.out, outer);
        result?;
        match inner {
            Out::Text(text) => Ok(text),
            Out::Pieces(_) => Ok(String::new()),
        }
    }

    fn emit(&mut self, value: Value) -> Result<()> {
        if self.silent {
            return Ok(());
        }
        let value = match value {
            Value::Undefined(undefined) => return Err(undefined.error()),
            Value::None if self.options.none_is_empty && matches!(self.out, Out::Text(_)) => {
                Value::str("")
            }
            value if self.options.plain_data => plain_data(&value, 0)?,
            value => value,
        };
        match &mut self.out {
            Out::Pieces(pieces) => pieces.push(value),
            Out::Text(text) => match &value {
                Value::Str(part) if self.autoescape && !part.is_markup() => {
                    text.push_str(&escape_html(part));
                }
                Value::Str(part) => text.push_str(part),
                other if self.autoescape => text.push_str(&escape_html(&other.to_str())),
                other => text.push_str(&other.to_str()),
            },
        }
        Ok(())
    }

    fn emit_text(&mut self, part: &Rc<str>) {
        if self.silent {
            return;
        }
        let newline = &self.options.newline_sequence;
        let converted = if newline == "\n" {
            None
        } else {
            Some(part.replace('\n', newline))
        };
        match &mut self.out {
            Out::Pieces(pieces) => pieces.push(Value::str(converted.as_deref().unwrap_or(part))),
            Out::Text(text) => text.push_str(converted.as_deref().unwrap_or(part)),
        }
    }

    fn node(&mut self, node: &Node) -> Result<Flow> {
        match &node.kind {
            NodeKind::Text(text) => self.emit_text(text),
            NodeKind::Output(expr) => {
                let value = self.eval(expr)?;
                self.emit(value)
                    .map_err(|error| self.placed(error, expr.range))?;
            }
            NodeKind::If(branches, otherwise) => {
                for (test, body) in branches {
                    if self.truth(test)? {
                        return self.nodes(body);
                    }
                }
                return self.nodes(otherwise);
            }
            NodeKind::For(repeat) => {
                let iterated = self.eval(&repeat.iter)?;
                return self.for_loop(repeat, &iterated, 1);
            }
            NodeKind::Set(target, value) => {
                let value = self.eval(value)?;
                self.assign(target, value)
                    .map_err(|error| self.placed(error, node.range))?;
            }
            NodeKind::SetBlock(target, filters, body) => {
                let mut value = self.block_text(body)?;
                for (name, args) in filters {
                    value = self.apply_filter(name, value, args, node.range)?;
                }
                self.assign(target, value)
                    .map_err(|error| self.placed(error, node.range))?;
            }
            NodeKind::Macro(code) => {
                let object = self.macro_object(code, false);
                self.scope.set(&code.name, object);
            }
            NodeKind::CallBlock(code, call) => {
                let caller = self.macro_object(code, true);
                let ExprKind::Call(callee, args) = &call.kind else {
                    return Ok(Flow::On);
                };
                let mut args = self.args(args)?;
                args.keyword.push(("caller".to_owned(), caller));
                let value = self.call_expr(callee, args, call.range)?;
                self.emit(value)
                    .map_err(|error| self.placed(error, node.range))?;
            }
            NodeKind::FilterBlock(filters, body) => {
                let mut value = self.block_text(body)?;
                for (name, args) in filters {
                    value = self.apply_filter(name, value, args, node.range)?;
                }
                self.emit(value)
                    .map_err(|error| self.placed(error, node.range))?;
            }
            NodeKind::With(pairs, body) => {
                let mut values = Vec::new();
                for (target, value) in pairs {
                    values.push((target, self.eval(value)?));
                }
                return self.scoped(|machine| {
                    for (target, value) in values {
                        machine.assign(target, value)?;
                    }
                    machine.nodes(body)
                });
            }
            NodeKind::Block(block) => {
                if !self.silent {
                    self.block(&block.name, 0, block.scoped)
                        .map_err(|error| self.placed(error, node.range))?;
                }
            }
            NodeKind::Extends(name) => {
                let value = self.eval(name)?;
                let parent = self.named(&value, name.range)?;
                if self.parent.is_some() {
                    return Err(self.placed(
                        Error::new(Kind::TemplateSyntax, "extended multiple times"),
                        node.range,
                    ));
                }
                self.parent = Some(parent);
                self.silent = true;
            }
            NodeKind::Include {
                names,
                ignore_missing,
                with_context,
            } => {
                self.include(names, *ignore_missing, *with_context, node.range)?;
            }
            NodeKind::Import {
                name,
                target,
                with_context,
            } => {
                let module = self.import(name, *with_context)?;
                self.scope.set(target, Value::Object(module));
            }
            NodeKind::FromImport {
                name,
                names,
                with_context,
            } => {
                let module = self.import(name, *with_context)?;
                for (what, alias) in names {
                    let value = module.exports.get(what).unwrap_or_else(|| {
                        Value::undefined(Undefined::hint(format!(
                            "the template '{}' (imported on line ?) does not export the requested name '{what}'",
                            module.name
                        )))
                    });
                    self.scope.set(alias, value);
                }
            }
            NodeKind::Autoescape(on, body) => {
                let on = self.truth(on)?;
                let before = std::mem::replace(&mut self.autoescape, on);
                let flow = self.scoped(|machine| machine.nodes(body));
                self.autoescape = before;
                return flow;
            }
            NodeKind::Do(expr) => {
                self.eval(expr)?;
            }
            NodeKind::Break => return Ok(Flow::Break),
            NodeKind::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::On)
    }

    /// Renders nodes in a scope of their own to a value: text, markup where escaping is on.
    fn block_text(&mut self, body: &[Node]) -> Result<Value> {
        let text =
            self.captured(|machine| machine.scoped(|machine| machine.nodes(body)).map(|_| ()))?;
        Ok(Value::Str(Str::new(text).with_markup(self.autoescape)))
    }

    fn for_loop(&mut self, repeat: &Rc<For>, iterated: &Value, depth: usize) -> Result<Flow> {
        let mut items: Vec<Value> = iterated
            .items()
            .map_err(|error| self.placed(error, repeat.iter.range))?
            .inspect(|_| {})
            .collect();
        if let Some(filter) = &repeat.filter {
            let mut kept = Vec::new();
            for item in items {
                let mut keep = false;
                self.scoped(|machine| {
                    machine.assign(&repeat.target, item.clone())?;
                    keep = machine.truth(filter)?;
                    Ok(Flow::On)
                })?;
                if keep {
                    kept.push(item);
                }
            }
            items = kept;
        }
        if items.is_empty() {
            return self.scoped(|machine| machine.nodes(&repeat.otherwise));
        }
        let count = items.len();
        let state = Rc::new(LoopState {
            items,
            index: Cell::new(0),
            depth,
            last_changed: RefCell::default(),
        });
        let object = match (&self.template, repeat.recursive) {
            (Some(template), true) => Value::Object(Rc::new(Recursion {
                state: state.clone(),
                code: Rc::new(RecursiveCode {
                    template: template.clone(),
                    node: repeat.clone(),
                    scope: self.scope.clone(),
                }),
            })),
            _ => Value::Object(state.clone()),
        };
        let loop_name: Rc<str> = "loop".into();
        for index in 0..count {
            self.step()?;
            state.index.set(index);
            let item = state.items[index].clone();
            let flow = self.scoped(|machine| {
                machine.scope.set(&loop_name, object.clone());
                machine
                    .assign(&repeat.target, item)
                    .map_err(|error| machine.placed(error, repeat.iter.range))?;
                machine.nodes(&repeat.body)
            })?;
            if flow == Flow::Break {
                break;
            }
        }
        Ok(Flow::On)
    }

    fn assign(&mut self, target: &Target, value: Value) -> Result<()> {
        match target {
            Target::Name(name) => self.scope.set(name, value),
            Target::Attr(name, attribute) => match self.scope.get(name) {
                Some(Value::Object(object)) if object.type_name() == "Namespace" => {
                    object.set_attribute(attribute, value)?;
                }
                _ => {
                    return Err(Error::new(
                        Kind::Type,
                        "cannot assign attribute on non-namespace object",
                    ));
                }
            },
            Target::Tuple(targets) => {
                let items: Vec<Value> = value
                    .items()
                    .map_err(|error| match value {
                        Value::Undefined(_) => error,
                        _ => Error::type_error(format!(
                            "cannot unpack non-iterable {} object",
                            value.type_name()
                        )),
                    })?
                    .collect();
                if items.len() < targets.len() {
                    return Err(Error::value_error(format!(
                        "not enough values to unpack (expected {}, got {})",
                        targets.len(),
                        items.len()
                    )));
                }
                if items.len() > targets.len() {
                    return Err(Error::value_error(format!(
                        "too many values to unpack (expected {})",
                        targets.len()
                    )));
                }
                for (target, item) in targets.iter().zip(items) {
                    self.assign(target, item)?;
                }
            }
        }
        Ok(())
    }

    fn macro_object(&self, code: &Rc<Macro>, caller_block: bool) -> Value {
        match &self.template {
            Some(template) => Value::Object(Rc::new(MacroObject {
                code: code.clone(),
                template: template.clone(),
                scope: self.scope.clone(),
                caller_block,
            })),
            None => Value::None,
        }
    }

    /// Renders the block that wins for a name, or one it overrides.
    fn block(&mut self, name: &Rc<str>, level: usize, keeps_scope: bool) -> Result<()> {
        let found = self
            .blocks
            .borrow()
            .get(name)
            .and_then(|chain| chain.get(level).cloned());
        let Some((block, template)) = found else {
            return Ok(());
        };
        if block.required {
            return Err(Error::new(
                Kind::TemplateSyntax,
                format!("Required block '{name}' not found"),
            ));
        }
        // Blocks don't see the scope around them, unless they say so; they see the top level.
        let base = if keeps_scope || block.scoped {
            self.scope.clone()
        } else {
            self.top_scope()
        };
        let inner = Scope::new(Some(base.clone()));
        inner.set(
            &"super".into(),
            Value::Object(Rc::new(BlockRef {
                name: name.clone(),
                level: level + 1,
                scope: base,
            })),
        );
        self.in_template(&template, inner, |machine| {
            machine.nodes(&block.body).map(|_| ())
        })
    }

    fn top_scope(&self) -> Rc<Scope> {
        let mut scope = self.scope.clone();
        while let Some(parent) = scope.parent.clone() {
            scope = parent;
        }
        scope
    }

    /// Runs something as part of another template, in a scope.
    fn in_template<T>(
        &mut self,
        template: &Rc<Template>,
        scope: Rc<Scope>,
        f: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let outer_scope = std::mem::replace(&mut self.scope, scope);
        let outer_template = self.template.replace(template.clone());
        let outer_place = std::mem::replace(&mut self.place, template.place);
        let silent = std::mem::replace(&mut self.silent, false);
        let result = self.deeper(f);
        self.silent = silent;
        self.place = outer_place;
        self.template = outer_template;
        self.scope = outer_scope;
        result
    }

    // ---- other templates

    fn named(&mut self, name: &Value, range: Range) -> Result<Rc<Template>> {
        let text = match name {
            Value::Str(text) => text.to_string(),
            Value::Undefined(undefined) => return Err(self.placed(undefined.error(), range)),
            other => {
                return Err(self.placed(
                    Error::type_error(format!(
                        "a template's name is text, found {}",
                        other.type_name()
                    )),
                    range,
                ));
            }
        };
        let parent = self
            .template
            .as_ref()
            .map(|t| t.name.clone())
            .unwrap_or_default();
        match self.env.load(&text, &parent, self.options) {
            Ok(Some(template)) => Ok(template),
            Ok(None) => Err(self.placed(Error::new(Kind::NotFound, text), range)),
            Err(error) => Err(self.reached(error, range, "included from here")),
        }
    }

    fn reached(&self, error: Error, range: Range, how: &str) -> Error {
        match self.span(range) {
            Some(span) if error.span().is_some() => error.via(span, how),
            Some(span) => error.at(span),
            None => error,
        }
    }

    fn include(
        &mut self,
        names: &Expr,
        ignore: bool,
        with_context: bool,
        range: Range,
    ) -> Result<()> {
        let value = self.eval(names)?;
        let candidates = match &value {
            Value::List(list) => list.to_vec(),
            Value::Tuple(items) => items.to_vec(),
            one => vec![one.clone()],
        };
        let mut found = None;
        for candidate in &candidates {
            match self.named(candidate, range) {
                Ok(template) => {
                    found = Some(template);
                    break;
                }
                Err(error) if error.kind() == Kind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        let Some(template) = found else {
            if ignore {
                return Ok(());
            }
            let names: Vec<String> = candidates.iter().map(Value::to_str).collect();
            let message = match &names[..] {
                [one] => one.clone(),
                many => format!(
                    "none of the templates given were found: {}",
                    many.join(", ")
                ),
            };
            return Err(self.placed(Error::new(Kind::NotFound, message), range));
        };
        let scope = Scope::new(with_context.then(|| self.scope.clone()));
        let isolated = self.isolated;
        self.isolated = isolated || !with_context;
        let blocks = std::mem::take(&mut self.blocks);
        let parent = self.parent.take();
        let silent = self.silent;
        let result = self.in_template(&template, scope, |machine| machine.whole(&template));
        self.silent = silent;
        self.parent = parent;
        self.blocks = blocks;
        self.isolated = isolated;
        result.map_err(|error| self.reached(error, range, "included from here"))
    }

    fn import(&mut self, name: &Expr, with_context: bool) -> Result<Rc<Module>> {
        let value = self.eval(name)?;
        let template = self.named(&value, name.range)?;
        let scope = Scope::new(with_context.then(|| self.scope.clone()));
        let isolated = self.isolated;
        self.isolated = isolated || !with_context;
        let blocks = std::mem::take(&mut self.blocks);
        let parent = self.parent.take();
        let inner = scope.clone();
        let text = self.captured(|machine| {
            machine.in_template(&template, inner, |machine| machine.whole(&template))
        });
        self.parent = parent;
        self.blocks = blocks;
        self.isolated = isolated;
        let text = text.map_err(|error| self.reached(error, name.range, "imported from here"))?;
        let exports = Dict::new();
        for (name, value) in scope.vars.borrow().iter() {
            if !name.starts_with('_') {
                exports.set(&**name, value.clone());
            }
        }
        Ok(Rc::new(Module {
            name: template.name.clone(),
            text,
            exports,
        }))
    }

    // ---- expressions

    fn truth(&mut self, expr: &Expr) -> Result<bool> {
        match self.eval(expr)? {
            Value::Undefined(undefined) => Err(self.placed(undefined.error(), expr.range)),
            value => Ok(value.truth()),
        }
    }

    fn eval(&mut self, expr: &Expr) -> Result<Value> {
        self.eval_inside(expr)
            .map_err(|error| self.placed(error, expr.range))
    }

    fn eval_all(&mut self, exprs: &[Expr]) -> Result<Vec<Value>> {
        exprs.iter().map(|expr| self.eval(expr)).collect()
    }

    fn eval_inside(&mut self, expr: &Expr) -> Result<Value> {
        Ok(match &expr.kind {
            ExprKind::Const(value) => value.clone(),
            ExprKind::Name(_) | ExprKind::Attr(..) | ExprKind::Item(..) => return self.path(expr),
            ExprKind::Tuple(items) => Value::tuple(self.eval_all(items)?),
            ExprKind::List(items) => Value::list(self.eval_all(items)?),
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
                return self.call_expr(callee, args, expr.range);
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
                let mut args = self.args(args)?;
                args.positional.insert(0, value);
                return self.test(name, args).map(Value::Bool);
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
                let left = self.eval(left)?;
                let right = self.eval(right)?;
                ops::apply(*operator, &left, &right)?
            }
            ExprKind::Concat(parts) => {
                let mut text = String::new();
                let mut markup = self.autoescape;
                let values = self.eval_all(parts)?;
                markup |= values
                    .iter()
                    .any(|value| matches!(value, Value::Str(s) if s.is_markup()));
                for value in values {
                    match &value {
                        Value::Undefined(undefined) => return Err(undefined.error()),
                        Value::Str(part) if markup && !part.is_markup() => {
                            text.push_str(&escape_html(part));
                        }
                        other => text.push_str(&other.to_str()),
                    }
                }
                Value::Str(Str::new(text).with_markup(markup))
            }
            ExprKind::And(left, right) => {
                let value = self.eval(left)?;
                if let Value::Undefined(undefined) = &value {
                    return Err(self.placed(undefined.error(), left.range));
                }
                if value.truth() {
                    self.eval(right)?
                } else {
                    value
                }
            }
            ExprKind::Or(left, right) => {
                let value = self.eval(left)?;
                if let Value::Undefined(undefined) = &value {
                    return Err(self.placed(undefined.error(), left.range));
                }
                if value.truth() {
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
                    None => Value::undefined(Undefined::hint(
                        "the inline if-expression evaluated to false and no else section was defined.",
                    )),
                }
            }
        })
    }

    /// Evaluates a name with the attributes and items behind it. What the context can reach by
    /// itself, it reaches without making ready what lies beside.
    fn path(&mut self, expr: &Expr) -> Result<Value> {
        let mut chain: Vec<(&Expr, Step)> = Vec::new();
        let mut root = expr;
        loop {
            match &root.kind {
                ExprKind::Attr(object, name) => {
                    chain.push((root, Step::Attr(name)));
                    root = object;
                }
                ExprKind::Item(object, key) => {
                    chain.push((root, Step::Item(key)));
                    root = object;
                }
                _ => break,
            }
        }
        chain.reverse();
        let mut done = 0;
        let mut keys: Vec<PathKey> = Vec::with_capacity(chain.len());
        let mut value = match &root.kind {
            ExprKind::Name(name) => match self.scope.get(name) {
                Some(value) => value,
                None => {
                    for (_, step) in &chain {
                        keys.push(match step {
                            Step::Attr(name) => PathKey {
                                value: Value::str(&***name),
                                is_attribute: true,
                            },
                            Step::Item(key) => PathKey {
                                value: self.eval(key)?,
                                is_attribute: false,
                            },
                        });
                    }
                    let (value, consumed) = self
                        .free(name, &keys)
                        .map_err(|error| self.placed(error, root.range))?;
                    done = consumed;
                    match value {
                        Value::Undefined(undefined) if undefined.error().span().is_none() => {
                            let at = if done > 0 {
                                chain[done - 1].0.range
                            } else {
                                root.range
                            };
                            match self.span(at) {
                                Some(span) => Value::undefined(undefined.as_ref().clone().at(span)),
                                None => Value::Undefined(undefined),
                            }
                        }
                        value => value,
                    }
                }
            },
            _ => self.eval(root)?,
        };
        for (index, (at, step)) in chain.iter().enumerate().skip(done) {
            let key = match (keys.get(index), step) {
                (Some(key), _) => key.clone(),
                (None, Step::Attr(name)) => PathKey {
                    value: Value::str(&***name),
                    is_attribute: true,
                },
                (None, Step::Item(key)) => PathKey {
                    value: self.eval(key)?,
                    is_attribute: false,
                },
            };
            value = if key.is_attribute {
                let name = key.value.to_str();
                self.attribute(&value, &name)
            } else {
                self.item(&value, &key.value)
            }
            .map_err(|error| self.placed(error, at.range))?;
            if let Value::Undefined(undefined) = &value
                && undefined.error().span().is_none()
                && let Some(span) = self.span(at.range)
            {
                value = Value::undefined(undefined.as_ref().clone().at(span));
            }
        }
        Ok(value)
    }

    /// Resolves a name that the template doesn't define.
    fn free(&mut self, name: &str, keys: &[PathKey]) -> Result<(Value, usize)> {
        if !self.isolated {
            let context = self.context;
            if let Some(found) = self.deeper(|machine| context.resolve_path(machine, name, keys))? {
                return Ok(found);
            }
        }
        if name == "self" {
            let blocks = Dict::new();
            for block in self.blocks.borrow().keys() {
                let reference = BlockRef {
                    name: block.clone(),
                    level: 0,
                    scope: self.scope.clone(),
                };
                blocks.set(&**block, Value::Object(Rc::new(reference)));
            }
            return Ok((Value::Object(Rc::new(SelfObject { blocks })), 0));
        }
        if let Some(global) = self.env.globals.get(name) {
            return Ok((global.clone(), 0));
        }
        Ok((Value::undefined(self.context.missing(name)), 0))
    }

    fn args(&mut self, args: &CallArgs) -> Result<Args> {
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

    fn call_expr(&mut self, callee: &Expr, args: Args, range: Range) -> Result<Value> {
        if let ExprKind::Attr(object, name) = &callee.kind {
            let object = self.eval(object)?;
            if let Value::Undefined(undefined) = &object {
                return Err(self.placed(undefined.error(), range));
            }
            if name.starts_with('_') {
                return Err(unsafe_attribute(&object, name));
            }
            let done = match &object {
                Value::Object(inner) => inner.call_method(self, name, args.clone())?,
                _ => methods::call(self, &object, name, args.clone())?,
            };
            if let Some(value) = done {
                return Ok(value);
            }
            let callee = self.attribute(&object, name)?;
            return self.call(&callee, args);
        }
        let callee = self.eval(callee)?;
        self.call(&callee, args)
    }

    fn apply_filter(
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

    fn call_macro(&mut self, object: &MacroObject, args: Args) -> Result<Value> {
        let code = &object.code;
        let scope = Scope::new(Some(object.scope.clone()));
        let mut positional = args.positional.into_iter();
        let mut keyword = args.keyword;
        let missing_from = code.params.len() - code.defaults.len();
        let mut given: Vec<Option<Value>> = Vec::new();
        for name in &code.params {
            let mut value = positional.next();
            if let Some(at) = keyword.iter().position(|(known, _)| **known == **name) {
                if value.is_some() {
                    return Err(Error::type_error(format!(
                        "macro '{}' got multiple values for argument '{name}'",
                        code.name
                    )));
                }
                value = Some(keyword.remove(at).1);
            }
            given.push(value);
        }
        let rest: Vec<Value> = positional.collect();
        if code.uses_varargs {
            scope.set(&"varargs".into(), Value::tuple(rest));
        } else if !rest.is_empty() {
            return Err(Error::type_error(format!(
                "macro '{}' takes not more than {} argument(s)",
                code.name,
                code.params.len()
            )));
        }
        if let Some(at) = keyword.iter().position(|(known, _)| known == "caller") {
            let (_, caller) = keyword.remove(at);
            if code.uses_caller {
                scope.set(&"caller".into(), caller);
            } else {
                return Err(Error::type_error(format!(
                    "macro '{}' was invoked with two values for the special caller argument or does not use it",
                    code.name
                )));
            }
        } else if code.uses_caller && !object.caller_block {
            scope.set(
                &"caller".into(),
                Value::undefined(Undefined::hint("No caller defined")),
            );
        }
        if code.uses_kwargs {
            scope.set(&"kwargs".into(), Value::dict(keyword));
        } else if let Some((name, _)) = keyword.first() {
            return Err(Error::type_error(format!(
                "macro '{}' takes no keyword argument '{name}'",
                code.name
            )));
        }
        let template = object.template.clone();
        let code = code.clone();
        let text = self.captured(|machine| {
            machine.in_template(&template, scope, |machine| {
                for (index, name) in code.params.iter().enumerate() {
                    let value = match given[index].take() {
                        Some(value) => value,
                        None if index >= missing_from => {
                            machine.eval(&code.defaults[index - missing_from])?
                        }
                        None => Value::undefined(Undefined::hint(format!(
                            "parameter '{name}' was not provided"
                        ))),
                    };
                    machine.scope.set(name, value);
                }
                machine.nodes(&code.body).map(|_| ())
            })
        });
        Ok(Value::Str(Str::new(text?).with_markup(self.autoescape)))
    }
}

enum Step<'e> {
    Attr(&'e Rc<str>),
    Item(&'e Expr),
}

fn unsafe_attribute(object: &Value, name: &str) -> Error {
    Error::new(
        Kind::Type,
        format!(
            "access to attribute '{name}' of '{}' object is unsafe.",
            object.type_name()
        ),
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
                if let Value::Undefined(undefined) = side {
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

/// Turns output into plain data.
fn plain_data(value: &Value, depth: usize) -> Result<Value> {
    if depth > crate::value::MAX_DEPTH {
        return Ok(value.clone());
    }
    let all = |items: &[Value]| -> Result<Value> {
        Ok(Value::list(
            items
                .iter()
                .map(|item| plain_data(item, depth + 1))
                .collect::<Result<_>>()?,
        ))
    };
    Ok(match value {
        Value::Tuple(items) => all(items)?,
        Value::List(list) => {
            let items = list.to_vec();
            if items.iter().all(is_plain_data) {
                value.clone()
            } else {
                all(&items)?
            }
        }
        Value::Dict(dict) => {
            let items = dict.to_vec();
            if items
                .iter()
                .all(|(key, item)| is_plain_data(key.value()) && is_plain_data(item))
            {
                return Ok(value.clone());
            }
            let made = Dict::new();
            for (key, item) in items {
                made.set_key(
                    Key::new(plain_data(key.value(), depth + 1)?)?,
                    plain_data(&item, depth + 1)?,
                );
            }
            Value::Dict(made)
        }
        Value::Str(text) if text.is_markup() => Value::Str(text.clone().with_markup(false)),
        Value::Range(..) => all(&value.items()?.collect::<Vec<_>>())?,
        Value::Object(object) if object.as_mapping().is_none() => match object.iterate() {
            Some(items) => all(&items)?,
            None if object.is_callable() || object.type_name() == "LoopContext" => {
                return Err(Error::type_error(format!(
                    "Type '{}' is unsupported for variable storage.",
                    object.type_name()
                )));
            }
            None => value.clone(),
        },
        other => other.clone(),
    })
}

fn is_plain_data(value: &Value) -> bool {
    matches!(
        value,
        Value::None
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Big(_)
            | Value::Float(_)
            | Value::Undefined(_)
    ) || matches!(value, Value::Str(text) if !text.is_markup())
}

/// Applies `object[start:stop:step]`.
fn slice(object: &Value, [start, stop, step]: [Option<i64>; 3]) -> Result<Value> {
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(Error::value_error("slice step cannot be zero"));
    }
    let pick = |length: usize| -> Vec<usize> {
        let length = length as i64;
        let clamp = |value: i64, low: i64, high: i64| {
            let value = if value < 0 {
                value.saturating_add(length)
            } else {
                value
            };
            value.clamp(low, high)
        };
        let mut out = Vec::new();
        if step > 0 {
            let from = start.map_or(0, |s| clamp(s, 0, length));
            let to = stop.map_or(length, |s| clamp(s, 0, length));
            let mut at = from;
            while at < to {
                out.push(at as usize);
                at = at.saturating_add(step);
            }
        } else {
            let from = start.map_or(length - 1, |s| clamp(s, -1, length - 1));
            let to = stop.map_or(-1, |s| clamp(s, -1, length - 1));
            let mut at = from;
            while at > to {
                out.push(at as usize);
                at = at.saturating_add(step);
            }
        }
        out
    };
    Ok(match object {
        Value::Str(text) => {
            let chars: Vec<char> = text.chars().collect();
            let part: String = pick(chars.len()).into_iter().map(|at| chars[at]).collect();
            Value::Str(Str::new(part).with_markup(text.is_markup()))
        }
        Value::List(list) => {
            let items = list.borrow();
            Value::list(
                pick(items.len())
                    .into_iter()
                    .map(|at| items[at].clone())
                    .collect(),
            )
        }
        Value::Tuple(items) => Value::tuple(
            pick(items.len())
                .into_iter()
                .map(|at| items[at].clone())
                .collect(),
        ),
        Value::Bytes(bytes) => {
            Value::Bytes(pick(bytes.len()).into_iter().map(|at| bytes[at]).collect())
        }
        Value::Range(..) => {
            let items: Vec<Value> = object.items()?.collect();
            Value::list(
                pick(items.len())
                    .into_iter()
                    .map(|at| items[at].clone())
                    .collect(),
            )
        }
        Value::Undefined(undefined) => return Err(undefined.error()),
        other => Value::undefined(Undefined::hint(format!(
            "object of type '{}' has no attribute 'slice'",
            other.type_name()
        ))),
    })
}

impl Runtime for Machine<'_> {
    fn call(&mut self, callee: &Value, args: Args) -> Result<Value> {
        let object = match callee {
            Value::Object(object) => object.clone(),
            Value::Undefined(undefined) => return Err(undefined.error()),
            other => {
                return Err(Error::type_error(format!(
                    "'{}' object is not callable",
                    other.type_name()
                )));
            }
        };
        if let Some(code) = callee.downcast::<MacroObject>() {
            return self.call_macro(code, args);
        }
        if let Some(recursion) = callee.downcast::<Recursion>() {
            let code = recursion.code.clone();
            let iterated = args.positional.into_iter().next().unwrap_or(Value::None);
            let depth = recursion.state.depth + 1;
            let text = self.captured(|machine| {
                machine.in_template(&code.template, code.scope.clone(), |machine| {
                    machine.for_loop(&code.node, &iterated, depth).map(|_| ())
                })
            })?;
            return Ok(Value::Str(Str::new(text).with_markup(self.autoescape)));
        }
        if let Some(block) = callee.downcast::<BlockRef>() {
            let exists = self
                .blocks
                .borrow()
                .get(&block.name)
                .is_some_and(|chain| chain.len() > block.level);
            if !exists {
                return Err(Error::new(
                    Kind::Undefined,
                    format!("there is no parent block called '{}'.", block.name),
                ));
            }
            let (name, level, scope) = (block.name.clone(), block.level, block.scope.clone());
            let outer = std::mem::replace(&mut self.scope, scope);
            let text = self.captured(|machine| machine.block(&name, level, true));
            self.scope = outer;
            return Ok(Value::Str(Str::new(text?).with_markup(self.autoescape)));
        }
        self.deeper(|machine| object.call(machine, args))
    }

    fn filter(&mut self, name: &str, args: Args) -> Result<Value> {
        let Some(function) = self.env.filters.get(name).copied() else {
            let error = Error::new(Kind::TemplateSyntax, format!("No filter named '{name}'."));
            return Err(
                match crate::diag::closest(name, self.env.filters.keys().copied()) {
                    Some(near) => error.help(format!("did you mean `{near}`?")),
                    None => error,
                },
            );
        };
        // An undefined argument makes an undefined result; it is said when that is used.
        if !matches!(
            name.rsplit('.').next(),
            Some("default" | "d" | "mandatory" | "type_debug" | "items")
        ) {
            let given = args
                .positional
                .iter()
                .chain(args.keyword.iter().map(|(_, value)| value));
            for value in given {
                if let Value::Undefined(_) = value {
                    return Ok(value.clone());
                }
            }
        }
        function(self, args)
    }

    fn test(&mut self, name: &str, args: Args) -> Result<bool> {
        let Some(function) = self.env.tests.get(name).copied() else {
            let error = Error::new(Kind::TemplateSyntax, format!("No test named '{name}'."));
            return Err(
                match crate::diag::closest(name, self.env.tests.keys().copied()) {
                    Some(near) => error.help(format!("did you mean `{near}`?")),
                    None => error,
                },
            );
        };
        function(self, args).map(|value| value.truth())
    }

    fn resolve(&mut self, name: &str) -> Result<Option<Value>> {
        if let Some(value) = self.scope.get(name) {
            return Ok(Some(value));
        }
        let context = self.context;
        self.deeper(|machine| context.resolve(machine, name))
    }

    fn attribute(&mut self, object: &Value, name: &str) -> Result<Value> {
        if let Value::Undefined(_) = object {
            return Ok(object.clone());
        }
        if name.starts_with('_') {
            return Err(unsafe_attribute(object, name));
        }
        match object {
            Value::Object(inner) => {
                if let Some(value) = inner.attribute(self, name)? {
                    return Ok(value);
                }
                if let Some(value) = inner.item(self, &Value::str(name))? {
                    return Ok(value);
                }
            }
            _ => {
                if methods::exists(object, name) {
                    return Ok(Value::Object(Rc::new(super::objects::Bound {
                        object: object.clone(),
                        name: name.into(),
                    })));
                }
                if let Some(value) = object.get(name) {
                    return Ok(value);
                }
            }
        }
        Ok(Value::undefined(Undefined::hint(format!(
            "object of type '{}' has no attribute '{name}'",
            object.type_name()
        ))))
    }

    fn item(&mut self, object: &Value, key: &Value) -> Result<Value> {
        for value in [object, key] {
            if let Value::Undefined(_) = value {
                return Ok(value.clone());
            }
        }
        let found = match object {
            Value::Dict(dict) => match Key::new(key.clone()) {
                Ok(key) => dict.get_key(&key),
                Err(_) => None,
            },
            Value::List(_)
            | Value::Tuple(_)
            | Value::Str(_)
            | Value::Bytes(_)
            | Value::Range(..) => match key.as_i64() {
                Some(index) => element(object, index)?,
                None => None,
            },
            Value::Object(inner) => inner.item(self, key)?,
            _ => None,
        };
        if let Some(value) = found {
            return Ok(value);
        }
        if let Value::Str(name) = key {
            if name.starts_with('_') {
                return Err(unsafe_attribute(object, name));
            }
            if let Value::Object(inner) = object {
                if let Some(value) = inner.attribute(self, name)? {
                    return Ok(value);
                }
            } else if methods::exists(object, name) {
                return Ok(Value::Object(Rc::new(super::objects::Bound {
                    object: object.clone(),
                    name: name.shared(),
                })));
            }
            return Ok(Value::undefined(Undefined::hint(format!(
                "object of type '{}' has no attribute '{name}'",
                object.type_name()
            ))));
        }
        Ok(Value::undefined(Undefined::hint(format!(
            "object of type '{}' has no attribute {}",
            object.type_name(),
            key.repr()
        ))))
    }

    fn autoescape(&self) -> bool {
        self.autoescape
    }

    fn embedder(&self) -> Rc<dyn Any> {
        self.context.embedder()
    }
}

/// Returns an element of a sequence; negative indices count from the end.
fn element(object: &Value, index: i64) -> Result<Option<Value>> {
    let length = object.len().unwrap_or(0) as i64;
    let at = if index < 0 { index + length } else { index };
    if !(0..length).contains(&at) {
        return Ok(None);
    }
    let at = at as usize;
    Ok(match object {
        Value::List(list) => list.get(at),
        Value::Tuple(items) => items.get(at).cloned(),
        Value::Str(text) => text.chars().nth(at).map(|c| Value::str(c.to_string())),
        Value::Bytes(bytes) => bytes.get(at).map(|byte| Value::Int(i64::from(*byte))),
        Value::Range(..) => object.items()?.nth(at),
        _ => None,
    })
}
