//! What the recap counts.

use std::collections::BTreeMap;

/// The counts of one host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tasks that ended well, changed ones included.
    pub ok: u32,
    /// Tasks that changed something.
    pub changed: u32,
    /// Tasks that could not reach the host.
    pub unreachable: u32,
    /// Tasks whose failure took the host out.
    pub failed: u32,
    /// Tasks that a condition kept from running.
    pub skipped: u32,
    /// Tasks whose failure a rescue caught.
    pub rescued: u32,
    /// Tasks whose failure was ignored.
    pub ignored: u32,
}

/// The counts of all hosts, by name.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// In the order in which the recap lists them.
    pub hosts: BTreeMap<String, Counts>,
}

impl Stats {
    /// Returns a host's counts, to add to.
    pub fn of(&mut self, host: &str) -> &mut Counts {
        self.hosts.entry(host.to_owned()).or_default()
    }
}
