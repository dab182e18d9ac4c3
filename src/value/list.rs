//! Lists and sets.

use std::cell::{Ref, RefCell, RefMut};
use std::rc::Rc;

use indexmap::IndexSet;

use super::{Key, Value};

/// A Python `list`: clones share the items.
#[derive(Clone, Default)]
pub struct List(Rc<RefCell<Vec<Value>>>);

impl List {
    /// Makes a list of items.
    pub fn new(items: Vec<Value>) -> List {
        List(Rc::new(RefCell::new(items)))
    }

    /// Returns the number of items.
    pub fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Says whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// Returns the item at an index from zero.
    pub fn get(&self, index: usize) -> Option<Value> {
        self.0.borrow().get(index).cloned()
    }

    /// Appends an item.
    pub fn push(&self, item: Value) {
        self.0.borrow_mut().push(item);
    }

    /// Copies the items out.
    pub fn to_vec(&self) -> Vec<Value> {
        self.0.borrow().clone()
    }

    /// Looks at the items; nothing may change the list meanwhile.
    pub fn borrow(&self) -> Ref<'_, Vec<Value>> {
        self.0.borrow()
    }

    /// Changes the items; nothing may look at the list meanwhile.
    pub fn borrow_mut(&self) -> RefMut<'_, Vec<Value>> {
        self.0.borrow_mut()
    }

    /// Says whether both are the same object.
    pub fn is(&self, other: &List) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// Returns a number that identifies the object while it lives, as Python's `id()`.
    pub fn id(&self) -> usize {
        Rc::as_ptr(&self.0).cast::<()>() as usize
    }
}

impl FromIterator<Value> for List {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> List {
        List::new(items.into_iter().collect())
    }
}

/// A Python `set`, which keeps insertion order here: clones share the items.
#[derive(Clone, Default)]
pub struct Set(Rc<RefCell<IndexSet<Key>>>);

impl Set {
    /// Returns the number of items.
    pub fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Says whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// Says whether the item is in.
    pub fn contains(&self, key: &Key) -> bool {
        self.0.borrow().contains(key)
    }

    /// Copies the items out.
    pub fn to_vec(&self) -> Vec<Key> {
        self.0.borrow().iter().cloned().collect()
    }

    /// Looks at the items.
    pub fn borrow(&self) -> Ref<'_, IndexSet<Key>> {
        self.0.borrow()
    }

    /// Changes the items.
    pub fn borrow_mut(&self) -> RefMut<'_, IndexSet<Key>> {
        self.0.borrow_mut()
    }

    /// Says whether both are the same object.
    pub fn is(&self, other: &Set) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl FromIterator<Key> for Set {
    fn from_iter<I: IntoIterator<Item = Key>>(items: I) -> Set {
        Set(Rc::new(RefCell::new(items.into_iter().collect())))
    }
}

impl std::fmt::Debug for List {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&Value::List(self.clone()).repr())
    }
}
