//! What templates do with each other: `extends`, blocks, `include`, `import`.

use std::rc::Rc;

use super::{Machine, Scope};
use crate::diag::{Error, Kind, Result};
use crate::jinja::ast::{Expr, Range};
use crate::jinja::environment::Template;
use crate::jinja::objects::{BlockRef, Module};
use crate::value::{Dict, Value};

impl Machine<'_> {
    /// Runs a template and what it extends, in the current scope.
    pub(super) fn whole(&mut self, template: &Rc<Template>) -> Result<()> {
        let mut current = template.clone();
        loop {
            self.collect_blocks(&current);
            self.template = Some(current.clone());
            self.place = current.place;
            self.parent = None;
            self.silent = false;
            for node in &current.code {
                self.node(&node.0)?;
            }
            match self.parent.take() {
                Some(parent) => current = parent,
                None => return Ok(()),
            }
        }
    }

    fn collect_blocks(&mut self, template: &Rc<Template>) {
        if template.blocks.is_empty() {
            return;
        }
        let mut blocks = self.blocks.borrow_mut();
        for block in &template.blocks {
            blocks
                .entry(block.name.clone())
                .or_default()
                .push((block.clone(), template.clone()));
        }
    }

    /// Renders the block that wins for a name, or one it overrides.
    pub(super) fn block(&mut self, name: &Rc<str>, level: usize, keeps_scope: bool) -> Result<()> {
        let found = self
            .blocks
            .borrow()
            .get(name)
            .and_then(|chain| chain.get(level).cloned());
        let Some((block, template)) = found else {
            return Ok(());
        };
        if block.required {
            return Err(Error::runtime(format!("Required block '{name}' not found")));
        }
        // Blocks don't see the scope around them, unless they say so; they see the top level.
        let base = if keeps_scope || block.scoped {
            self.scope.clone()
        } else {
            self.top_scope()
        };
        let inner = Scope::new(Some(base.clone()));
        inner.set(
            &self.env.names.parent,
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

    pub(super) fn top_scope(&self) -> Rc<Scope> {
        let mut scope = self.scope.clone();
        while let Some(parent) = scope.parent.clone() {
            scope = parent;
        }
        scope
    }

    /// Runs something as part of another template, in a scope.
    pub(super) fn in_template<T>(
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

    pub(super) fn named(&mut self, name: &Value, range: Range) -> Result<Rc<Template>> {
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
            Ok(None) => {
                let message = match &self.env.loader {
                    Some(loader) => loader.missing(&text),
                    None => text,
                };
                Err(self.placed(Error::new(Kind::NotFound, message), range))
            }
            Err(error) => Err(self.reached(error, range, "included from here")),
        }
    }

    pub(super) fn reached(&self, error: Error, range: Range, how: &str) -> Error {
        match self.span(range) {
            Some(span) if error.span().is_some() => error.via(span, how),
            Some(span) => error.at(span),
            None => error,
        }
    }

    pub(super) fn include(
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
                [one] => match &self.env.loader {
                    Some(loader) => loader.missing(one),
                    None => one.clone(),
                },
                many => format!(
                    "none of the templates given were found: {}",
                    many.join(", ")
                ),
            };
            return Err(self.placed(Error::new(Kind::NotFound, message), range));
        };
        let scope = Scope::without_loop(with_context.then(|| self.scope.clone()));
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

    pub(super) fn import(&mut self, name: &Expr, with_context: bool) -> Result<Rc<Module>> {
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
            text: match text {
                Value::None | Value::Undefined(_) => String::new(),
                text => text.to_str(),
            },
            exports,
        }))
    }
}
