//! What crossed the wire, for people who measure.

use std::sync::atomic::{AtomicU64, Ordering};

/// The counts of one connection.
#[derive(Debug, Default)]
pub struct Counters {
    /// Exchanges before the first request: booting the agent.
    pub boot_round_trips: AtomicU64,
    /// Requests answered.
    pub round_trips: AtomicU64,
    /// Bytes of the agent's own upload.
    pub upload_bytes: AtomicU64,
}

impl Counters {
    pub(super) fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Ordering::Relaxed);
    }

    /// Returns the counts as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "boot_round_trips": self.boot_round_trips.load(Ordering::Relaxed),
            "round_trips": self.round_trips.load(Ordering::Relaxed),
            "upload_bytes": self.upload_bytes.load(Ordering::Relaxed),
        })
    }
}
