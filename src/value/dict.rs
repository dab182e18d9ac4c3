//! Dictionaries.

use std::cell::{Ref, RefCell, RefMut};
use std::rc::Rc;

use indexmap::IndexMap;

use super::{Key, Value};

/// The map inside a [`Dict`]; looked up by [`Key`] or by `&str`.
pub type Map = IndexMap<Key, Value, foldhash::fast::RandomState>;

/// A Python `dict`, insertion order kept: clones share the items.
#[derive(Clone, Default)]
pub struct Dict(Rc<RefCell<Map>>);

impl Dict {
    /// Makes an empty dict.
    pub fn new() -> Dict {
        Dict::default()
    }

    /// Makes a dict of a map.
    pub fn from_map(map: Map) -> Dict {
        Dict(Rc::new(RefCell::new(map)))
    }

    /// Returns the number of items.
    pub fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Says whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// Returns the item of a string key.
    pub fn get(&self, key: &str) -> Option<Value> {
        self.0.borrow().get(key).cloned()
    }

    /// Returns the item of any key.
    pub fn get_key(&self, key: &Key) -> Option<Value> {
        self.0.borrow().get(key).cloned()
    }

    /// Says whether a string key is in.
    pub fn contains(&self, key: &str) -> bool {
        self.0.borrow().contains_key(key)
    }

    /// Sets an item by string key; a key that exists keeps its place.
    pub fn set(&self, key: impl AsRef<str>, value: impl Into<Value>) {
        self.0.borrow_mut().insert(Key::str(key), value.into());
    }

    /// Sets an item by any key; a key that exists keeps its place.
    pub fn set_key(&self, key: Key, value: Value) {
        self.0.borrow_mut().insert(key, value);
    }

    /// Takes an item out; the others keep their order.
    pub fn remove(&self, key: &str) -> Option<Value> {
        self.0.borrow_mut().shift_remove(key)
    }

    /// Copies the items out.
    pub fn to_vec(&self) -> Vec<(Key, Value)> {
        self.0
            .borrow()
            .iter()
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    }

    /// Copies the keys out.
    pub fn keys(&self) -> Vec<Key> {
        self.0.borrow().keys().cloned().collect()
    }

    /// Makes another dict of the same items (one level).
    #[must_use]
    pub fn copy(&self) -> Dict {
        Dict::from_map(self.0.borrow().clone())
    }

    /// Looks at the items; nothing may change the dict meanwhile.
    pub fn borrow(&self) -> Ref<'_, Map> {
        self.0.borrow()
    }

    /// Changes the items; nothing may look at the dict meanwhile.
    pub fn borrow_mut(&self) -> RefMut<'_, Map> {
        self.0.borrow_mut()
    }

    /// Says whether both are the same object.
    pub fn is(&self, other: &Dict) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// Returns a number that identifies the object while it lives, as Python's `id()`.
    pub fn id(&self) -> usize {
        Rc::as_ptr(&self.0).cast::<()>() as usize
    }
}

impl FromIterator<(Key, Value)> for Dict {
    fn from_iter<I: IntoIterator<Item = (Key, Value)>>(items: I) -> Dict {
        Dict::from_map(items.into_iter().collect())
    }
}

impl std::fmt::Debug for Dict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&Value::Dict(self.clone()).repr())
    }
}
