//! Names that templates use, made so that equal names are the same object.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Deref;
use std::rc::Rc;

use super::methods;

/// A name of a variable, attribute or parameter. Equal names are one object, so comparing them
/// takes no look at their texts.
#[derive(Clone)]
pub(super) struct Name(Rc<Entry>);

struct Entry {
    text: Rc<str>,
    is_key: bool,
}

type Known = HashMap<Rc<str>, Name, foldhash::fast::RandomState>;

thread_local! {
    /// All names that were met. Only templates' texts have names, so it is no larger than these.
    static KNOWN: RefCell<Known> = RefCell::default();
}

impl Name {
    /// Returns the name that is written so.
    pub(super) fn of(text: &str) -> Name {
        KNOWN.with_borrow_mut(|known| match known.get(text) {
            Some(name) => name.clone(),
            None => {
                let shared: Rc<str> = text.into();
                let name = Name(Rc::new(Entry {
                    text: shared.clone(),
                    is_key: !text.starts_with("__") && !methods::is_dict_method(text),
                }));
                known.insert(shared, name.clone());
                name
            }
        })
    }

    /// Returns the name that is written so, if a template has used it.
    pub(super) fn known(text: &str) -> Option<Name> {
        KNOWN.with_borrow(|known| known.get(text).cloned())
    }

    /// Returns the text.
    pub(super) fn shared(&self) -> Rc<str> {
        self.0.text.clone()
    }

    /// Says whether an attribute of this name of a dict can only be one of its items.
    pub(super) fn is_key(&self) -> bool {
        self.0.is_key
    }
}

impl Deref for Name {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0.text
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        &**self == other
    }
}

impl std::fmt::Debug for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&**self, f)
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_are_one_object() {
        assert_eq!(Name::of("alpha"), Name::of("alpha"));
        assert_ne!(Name::of("alpha"), Name::of("beta"));
        assert_eq!(Name::known("alpha"), Some(Name::of("alpha")));
        assert_eq!(Name::known("never written"), None);
    }

    #[test]
    fn methods_and_special_names_are_more_than_keys() {
        for (text, is_key) in [("port", true), ("items", false), ("__class__", false)] {
            assert_eq!(Name::of(text).is_key(), is_key, "{text}");
        }
    }
}
