//! What `keys()`, `values()` and `items()` of a dict give: views that follow the dict.

use std::rc::Rc;

use crate::value::{Dict, Key, Object, Value};

/// What a view shows of its dict.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::jinja) enum Shows {
    Keys,
    Values,
    Items,
}

/// A view of a dict.
pub(in crate::jinja) struct DictView {
    dict: Dict,
    shows: Shows,
}

impl DictView {
    /// Makes a view.
    pub(super) fn of(dict: &Dict, shows: Shows) -> Value {
        Value::Object(Rc::new(DictView {
            dict: dict.clone(),
            shows,
        }))
    }

    fn items(&self) -> Vec<Value> {
        let items = self.dict.borrow();
        match self.shows {
            Shows::Keys => items.keys().map(|key| key.value().clone()).collect(),
            Shows::Values => items.values().cloned().collect(),
            Shows::Items => items
                .iter()
                .map(|(key, value)| Value::tuple(vec![key.value().clone(), value.clone()]))
                .collect(),
        }
    }
}

impl Object for DictView {
    fn type_name(&self) -> &'static str {
        match self.shows {
            Shows::Keys => "dict_keys",
            Shows::Values => "dict_values",
            Shows::Items => "dict_items",
        }
    }

    fn repr(&self) -> String {
        format!("{}({})", self.type_name(), Value::list(self.items()).repr())
    }

    fn len(&self) -> Option<usize> {
        Some(self.dict.len())
    }

    fn iterate(&self) -> Option<Vec<Value>> {
        Some(self.items())
    }

    fn equals(&self, other: &dyn Object) -> bool {
        let any: &dyn std::any::Any = other;
        let Some(other) = any.downcast_ref::<DictView>() else {
            return false;
        };
        if std::ptr::eq(self, other) {
            return true;
        }
        if self.shows == Shows::Values || other.shows == Shows::Values {
            return false;
        }
        let keys = |items: Vec<Value>| -> Option<Vec<Key>> {
            items.into_iter().map(|item| Key::new(item).ok()).collect()
        };
        match (keys(self.items()), keys(other.items())) {
            (Some(a), Some(b)) => a.len() == b.len() && a.iter().all(|key| b.contains(key)),
            _ => false,
        }
    }
}
