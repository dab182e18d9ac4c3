//! Lists and sets.

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::rc::Rc;

use indexmap::IndexSet;

use super::{Key, Value};

/// A Python `list`: clones share the items.
///
/// It knows which of its items were looked at since it was made, because Ansible 2.19 makes items
/// when they are first read, and `list.count` there finds only those.
#[derive(Clone, Default)]
pub struct List(Rc<Inner>);

#[derive(Default)]
struct Inner {
    items: RefCell<Vec<Value>>,
    /// One bit for each of the first 63 items that was read by itself; all of them: every item was.
    read: Cell<u64>,
}

impl List {
    /// Makes a list of items.
    pub fn new(items: Vec<Value>) -> List {
        List(Rc::new(Inner {
            items: RefCell::new(items),
            read: Cell::new(0),
        }))
    }

    /// Returns the number of items.
    pub fn len(&self) -> usize {
        self.0.items.borrow().len()
    }

    /// Says whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.items.borrow().is_empty()
    }

    /// Returns the item at an index from zero.
    pub fn get(&self, index: usize) -> Option<Value> {
        self.0
            .read
            .set(self.0.read.get() | 1 << index.min(u64::BITS as usize - 1));
        self.0.items.borrow().get(index).cloned()
    }

    /// Appends an item.
    pub fn push(&self, item: Value) {
        self.0.items.borrow_mut().push(item);
    }

    /// Copies the items out.
    pub fn to_vec(&self) -> Vec<Value> {
        self.borrow().clone()
    }

    /// Looks at the items; nothing may change the list meanwhile.
    pub fn borrow(&self) -> Ref<'_, Vec<Value>> {
        self.mark_read();
        self.0.items.borrow()
    }

    /// Changes the items; nothing may look at the list meanwhile.
    pub fn borrow_mut(&self) -> RefMut<'_, Vec<Value>> {
        self.mark_read();
        self.0.items.borrow_mut()
    }

    /// Takes all items for looked at.
    pub fn mark_read(&self) {
        self.0.read.set(u64::MAX);
    }

    /// Copies those items out that were looked at since the list was made.
    pub fn read_items(&self) -> Vec<Value> {
        let read = self.0.read.get();
        let items = self.0.items.borrow();
        let is_read = |index: usize| read >> index.min(u64::BITS as usize - 1) & 1 == 1;
        let read = items
            .iter()
            .enumerate()
            .filter(|(index, _)| is_read(*index));
        read.map(|(_, item)| item.clone()).collect()
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
