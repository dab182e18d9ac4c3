//! The objects, their resource versions, and the news that watchers wait for.

use super::kinds::Kind;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Identifies an object: group, plural, namespace (empty for cluster-wide kinds), name.
pub(crate) type Key = (&'static str, &'static str, String, String);

/// What happened to an object.
#[derive(Clone)]
pub(crate) struct Event {
    pub(crate) version: u64,
    /// `ADDED`, `MODIFIED` or `DELETED`.
    pub(crate) what: &'static str,
    pub(crate) key: Key,
    pub(crate) object: Value,
}

/// All state behind one lock: a write is seen by everybody at once, or not at all.
#[derive(Default)]
pub(crate) struct State {
    objects: BTreeMap<Key, Value>,
    events: Vec<Event>,
    version: u64,
    /// Distinguishes the generated parts (uids, cluster addresses, ports).
    serial: u64,
    closed: bool,
}

/// Shares the state between connections.
#[derive(Default)]
pub(crate) struct Store {
    state: Mutex<State>,
    news: Condvar,
}

/// Makes a key.
pub(crate) fn key(kind: &'static Kind, namespace: &str, name: &str) -> Key {
    (
        kind.group,
        kind.plural,
        namespace.to_owned(),
        name.to_owned(),
    )
}

impl Store {
    /// Locks the state. A thread that panicked while holding it can't have left a half-done write.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the watchers; to be called after writes, with the lock released.
    pub(crate) fn announce(&self) {
        self.news.notify_all();
    }

    /// Ends all watches.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.news.notify_all();
    }

    /// Waits until there are events after position `seen`, at most `patience`. `None` when the server ends.
    pub(crate) fn events_after(&self, seen: usize, patience: Duration) -> Option<Vec<Event>> {
        let state = self.lock();
        let (state, _) = self
            .news
            .wait_timeout_while(state, patience, |state| {
                state.events.len() <= seen && !state.closed
            })
            .unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            None
        } else {
            Some(state.events.get(seen..).unwrap_or_default().to_vec())
        }
    }
}

impl State {
    /// Returns the version of the last write.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Returns how many events there have been.
    pub(crate) fn event_count(&self) -> usize {
        self.events.len()
    }

    /// Returns the position of the first event after a resource version.
    pub(crate) fn position_after(&self, version: u64) -> usize {
        self.events
            .partition_point(|event| event.version <= version)
    }

    /// Returns a number that was not returned before.
    pub(crate) fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// Returns an object.
    pub(crate) fn get(&self, key: &Key) -> Option<&Value> {
        self.objects.get(key)
    }

    /// Iterates over the objects of a kind, of one namespace or (empty) of all.
    pub(crate) fn list<'a>(
        &'a self,
        kind: &'a Kind,
        namespace: &'a str,
    ) -> impl Iterator<Item = &'a Value> + 'a {
        self.objects
            .iter()
            .filter(move |((group, plural, home, _), _)| {
                *group == kind.group
                    && *plural == kind.plural
                    && (namespace.is_empty() || home == namespace)
            })
            .map(|(_, object)| object)
    }

    /// Iterates over all objects.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&Key, &Value)> {
        self.objects.iter()
    }

    /// Writes an object under a new resource version, which it then carries.
    pub(crate) fn put(&mut self, key: Key, mut object: Value) -> Value {
        let what = if self.objects.contains_key(&key) {
            "MODIFIED"
        } else {
            "ADDED"
        };
        object["metadata"]["resourceVersion"] = self.bump().into();
        self.objects.insert(key.clone(), object.clone());
        self.events.push(Event {
            version: self.version,
            what,
            key,
            object: object.clone(),
        });
        object
    }

    /// Removes an object; returns it as it was last.
    pub(crate) fn remove(&mut self, key: &Key) -> Option<Value> {
        let mut object = self.objects.remove(key)?;
        object["metadata"]["resourceVersion"] = self.bump().into();
        self.events.push(Event {
            version: self.version,
            what: "DELETED",
            key: key.clone(),
            object: object.clone(),
        });
        Some(object)
    }

    fn bump(&mut self) -> String {
        self.version += 1;
        self.version.to_string()
    }
}
