//! Runs the nodes of a template.

use super::{Flow, Machine};
use crate::diag::{Error, Result};
use crate::jinja::ast::{ExprKind, Node, NodeKind, Target};
use crate::value::{Undefined, Value};

impl Machine<'_> {
    pub(super) fn nodes(&mut self, nodes: &[Node]) -> Result<Flow> {
        for node in nodes {
            match self.node(node)? {
                Flow::On => {}
                flow => return Ok(flow),
            }
        }
        Ok(Flow::On)
    }

    pub(super) fn node(&mut self, node: &Node) -> Result<Flow> {
        match &node.kind {
            NodeKind::Text(text) => self.emit_text(text),
            NodeKind::Output(expr) => {
                let value = self.eval(expr)?;
                self.emit(&value)
                    .map_err(|error| self.placed(error, expr.range))?;
            }
            NodeKind::Print(exprs) => {
                for expr in exprs {
                    let value = self.eval(expr)?;
                    self.emit(&value)
                        .map_err(|error| self.placed(error, expr.range))?;
                }
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
                let mut args = self.args(None, args)?;
                args.keyword.push(("caller".to_owned(), caller));
                let called = self.call_expr(callee, args, call.range);
                let value = self.deferred(called, call.range)?;
                self.emit(&value)
                    .map_err(|error| self.placed(error, node.range))?;
            }
            NodeKind::FilterBlock(filters, body) => {
                let mut value = self.block_text(body)?;
                for (name, args) in filters {
                    value = self.apply_filter(name, value, args, node.range)?;
                }
                self.emit(&value)
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
                    return Err(self.placed(Error::runtime("extended multiple times"), node.range));
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
                        self.undefined(Value::undefined(Undefined::hint(format!(
                            "the template '{}' (imported on line ?) does not export the requested name '{what}'",
                            module.name
                        ))))
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
            NodeKind::Trans(trans) => {
                let text = self.translation(trans, node.range)?;
                self.emit(&text)
                    .map_err(|error| self.placed(error, node.range))?;
            }
            NodeKind::Debug => {
                let shown = self
                    .shown_context()
                    .map_err(|error| self.placed(error, node.range))?;
                self.emit(&shown)
                    .map_err(|error| self.placed(error, node.range))?;
            }
            NodeKind::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::On)
    }

    pub(super) fn assign(&mut self, target: &Target, value: Value) -> Result<()> {
        match target {
            Target::Name(name) => self.scope.set(name, value),
            Target::Attr(name, attribute) => match self.scope.get(name) {
                Some(Value::Object(object)) if object.type_name() == "Namespace" => {
                    object.set_attribute(attribute, value)?;
                }
                _ => {
                    return Err(Error::runtime(
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
}
