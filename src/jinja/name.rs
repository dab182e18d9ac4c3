//! Names that templates use, made so that equal names are the same object.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Deref;
use std::rc::Rc;

use super::methods;

/// A name of a variable, attribute or parameter. Equal names of one environment are one object, so
/// comparing them takes no look at their texts.
#[derive(Clone)]
pub(super) struct Name(Rc<Entry>);

struct Entry {
    text: Rc<str>,
    is_key: bool,
}

/// The names that the templates of an environment use, those of the engine itself among them.
///
/// It grows with the names in templates' texts, and with nothing that data holds.
pub(super) struct Names {
    known: RefCell<HashMap<Rc<str>, Name, foldhash::fast::RandomState>>,
    /// `loop`
    pub(super) loops: Name,
    /// `caller`
    pub(super) caller: Name,
    /// `varargs`
    pub(super) varargs: Name,
    /// `kwargs`
    pub(super) kwargs: Name,
    /// `super`
    pub(super) parent: Name,
}

impl Names {
    pub(super) fn new() -> Names {
        let [loops, caller, varargs, kwargs, parent] =
            ["loop", "caller", "varargs", "kwargs", "super"].map(Name::new);
        let all = [&loops, &caller, &varargs, &kwargs, &parent];
        let known = all.map(|name| (name.shared(), name.clone()));
        Names {
            known: RefCell::new(known.into_iter().collect()),
            loops,
            caller,
            varargs,
            kwargs,
            parent,
        }
    }

    /// Returns the name that is written so.
    pub(super) fn of(&self, text: &str) -> Name {
        if let Some(name) = self.known(text) {
            return name;
        }
        let name = Name::new(text);
        self.known.borrow_mut().insert(name.shared(), name.clone());
        name
    }

    /// Returns the name that is written so, if a template has used it.
    pub(super) fn known(&self, text: &str) -> Option<Name> {
        self.known.borrow().get(text).cloned()
    }
}

impl Name {
    fn new(text: &str) -> Name {
        Name(Rc::new(Entry {
            text: text.into(),
            is_key: !text.starts_with("__") && !methods::is_dict_method(text),
        }))
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
        let names = Names::new();
        assert_eq!(names.of("alpha"), names.of("alpha"));
        assert_ne!(names.of("alpha"), names.of("beta"));
        assert_eq!(names.known("alpha"), Some(names.of("alpha")));
        assert_eq!(names.known("never written"), None);
        assert_eq!(names.of("loop"), names.loops);
    }

    #[test]
    fn methods_and_special_names_are_more_than_keys() {
        let names = Names::new();
        for (text, is_key) in [("port", true), ("items", false), ("__class__", false)] {
            assert_eq!(names.of(text).is_key(), is_key, "{text}");
        }
    }
}
