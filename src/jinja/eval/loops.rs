//! Runs `for`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::scope::Scope;
use super::{Flow, Machine};
use crate::diag::Result;
use crate::jinja::ast::For;
use crate::jinja::objects::{LoopState, Recursion, RecursiveCode};
use crate::value::Value;

impl Machine<'_> {
    pub(super) fn for_loop(
        &mut self,
        repeat: &Rc<For>,
        iterated: &Value,
        depth: usize,
    ) -> Result<Flow> {
        let mut items: Vec<Value> = iterated
            .items()
            .map_err(|error| self.placed(error, repeat.iter.range))?
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
        let mut inner = Scope::new(Some(self.scope.clone()));
        // As in Jinja2, `else` is for a loop none of whose rounds came to its end.
        let mut is_done = false;
        for index in 0..count {
            self.step()?;
            state.index.set(index);
            let item = state.items[index].clone();
            // A round's scope that nothing kept serves the next one.
            match Rc::get_mut(&mut inner) {
                Some(scope) => scope.clear(),
                None => inner = Scope::new(Some(self.scope.clone())),
            }
            let flow = self.inside(&inner, |machine| {
                if repeat.uses_loop {
                    machine.scope.set(&machine.env.names.loops, object.clone());
                }
                machine
                    .assign(&repeat.target, item)
                    .map_err(|error| machine.placed(error, repeat.iter.range))?;
                machine.nodes(&repeat.body)
            })?;
            match flow {
                Flow::Break => break,
                Flow::Continue => {}
                Flow::On => is_done = true,
            }
        }
        if !is_done {
            return self.scoped(|machine| machine.nodes(&repeat.otherwise));
        }
        Ok(Flow::On)
    }
}
