//! Variables that a template sets.

use std::cell::RefCell;
use std::rc::Rc;

use crate::jinja::name::Name;
use crate::value::Value;

/// Variables that a template sets, innermost first.
pub(in crate::jinja) struct Scope {
    pub(super) vars: RefCell<Vec<(Name, Value)>>,
    pub(super) parent: Option<Rc<Scope>>,
    hides_loop: bool,
}

impl Scope {
    pub(super) fn new(parent: Option<Rc<Scope>>) -> Rc<Scope> {
        Rc::new(Scope {
            vars: RefCell::default(),
            parent,
            hides_loop: false,
        })
    }

    /// Makes the scope of an included template, which doesn't see the `loop` around it.
    pub(super) fn without_loop(parent: Option<Rc<Scope>>) -> Rc<Scope> {
        Rc::new(Scope {
            vars: RefCell::default(),
            parent,
            hides_loop: true,
        })
    }

    /// Takes all variables out.
    pub(super) fn clear(&mut self) {
        self.vars.get_mut().clear();
    }

    pub(super) fn get(&self, name: &Name) -> Option<Value> {
        let mut scope = Some(self);
        while let Some(one) = scope {
            if let Some((_, value)) = one
                .vars
                .borrow()
                .iter()
                .rev()
                .find(|(known, _)| known == name)
            {
                return Some(value.clone());
            }
            if one.hides_loop && **name == *"loop" {
                return None;
            }
            scope = one.parent.as_deref();
        }
        None
    }

    /// Returns the scopes from the outermost to this one.
    pub(super) fn with_parents(&self) -> Vec<&Scope> {
        let mut all = vec![self];
        while let Some(parent) = all.last().and_then(|scope| scope.parent.as_deref()) {
            all.push(parent);
        }
        all.reverse();
        all
    }

    pub(super) fn set(&self, name: &Name, value: Value) {
        let mut vars = self.vars.borrow_mut();
        match vars.iter_mut().find(|(known, _)| known == name) {
            Some((_, slot)) => *slot = value,
            None => vars.push((name.clone(), value)),
        }
    }
}
