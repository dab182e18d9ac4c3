//! The hosts of a play that run together, and what became of them.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::cursor::{Cursor, Order};
use crate::vars::PlayNames;

/// The hosts of a batch and what became of them.
pub(super) struct Batch {
    pub play: Rc<PlayNames>,
    /// In order; those that left stay listed.
    pub hosts: Vec<Rc<str>>,
    pub failed: HashSet<Rc<str>>,
    pub unreachable: HashSet<Rc<str>>,
    /// Hosts that the task that runs failed on or could not reach.
    pub failed_now: Vec<Rc<str>>,
    /// Hosts that `meta: end_host` took out, without blame.
    pub ended: HashSet<Rc<str>>,
    /// Handlers notified, per host, by task id.
    pub notified: HashMap<Rc<str>, HashSet<u64>>,
    /// Names notified whose handlers are looked for when handlers run, per host.
    pub saved: HashMap<Rc<str>, Vec<String>>,
    pub cursors: HashMap<Rc<str>, Cursor>,
    pub order: Order,
    /// `meta: end_play` or `end_batch`.
    pub over: bool,
    /// `meta: end_play`: no further batch.
    pub play_over: bool,
    /// Something could not be loaded, and no host is to blame.
    pub is_broken: bool,
}

impl Batch {
    /// Says whether a host still takes part.
    pub(super) fn is_in(&self, host: &str) -> bool {
        !self.failed.contains(host)
            && !self.unreachable.contains(host)
            && !self.ended.contains(host)
    }

    /// Returns the hosts that still take part, in order.
    pub(super) fn live(&self) -> Vec<Rc<str>> {
        self.hosts
            .iter()
            .filter(|host| self.is_in(host))
            .cloned()
            .collect()
    }

    /// Returns how many hosts failed or could not be reached.
    pub(super) fn gone(&self) -> usize {
        self.failed.len() + self.unreachable.len()
    }

    /// Takes a host off the list of those that the play runs on.
    pub(super) fn drop_host(&self, host: &str) {
        self.play.drop_host(host);
    }
}
