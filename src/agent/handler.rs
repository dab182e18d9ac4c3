//! Runs the modules that requests name.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::message::Request;
use super::serve::{self, Handler};
use crate::modules::{self, RunContext};
use crate::system::{Overlay, Real, System};
use crate::value::{Dict, Value};

/// Makes the handler of an agent: modules on the real machine, or, in a dry run, on a view of it
/// that keeps every change of the run in memory.
pub fn modules_handler() -> Handler {
    let mut overlay: Option<Overlay> = None;
    Box::new(move |request| {
        if request.check {
            let overlay = overlay.get_or_insert_with(|| Overlay::new(Box::new(Real)));
            return run(request, overlay, &stop_own);
        }
        run(request, &Real, &stop_own)
    })
}

/// Sets a time limit on what a machine runs from now on; what it returns ends the limit and says
/// whether it has passed.
pub(super) type SetLimit = dyn Fn(Duration) -> Box<dyn FnOnce() -> bool>;

/// Runs all items of a request on a machine.
///
/// The request's time limit holds for each item: what still runs then is stopped, and the item's
/// result is that it was (see [`timed_out`]).
pub(super) fn run(
    request: &Request,
    system: &dyn System,
    set_limit: &SetLimit,
) -> Vec<serde_json::Value> {
    request
        .items
        .iter()
        .map(|item| {
            let limit =
                (request.timeout > 0).then(|| set_limit(Duration::from_secs(request.timeout)));
            let args = match Value::from_wire(&item.args) {
                Value::Dict(args) => args,
                _ => Dict::new(),
            };
            let context = RunContext {
                check: request.check,
                diff: request.diff,
                level: request.level,
                environment: &request.environment,
                settings: &request.settings,
                header: None,
                content: item.content.map(|_| item.bytes.as_slice()),
            };
            let result = modules::run(&request.module, &args, &context, system);
            if limit.is_some_and(|has_passed| has_passed()) {
                return timed_out(request.timeout);
            }
            Value::Dict(result).to_wire().unwrap_or_else(|error| {
                serde_json::json!({"failed": true, "changed": false, "msg": error.full_message()})
            })
        })
        .collect()
}

/// Returns the result of an item that was stopped at the task's time limit, in seconds. The
/// controller words it, because the words depend on the compatibility level.
pub(super) fn timed_out(seconds: u64) -> serde_json::Value {
    serde_json::json!({"failed": true, "changed": false, "timedout": {"period": seconds}})
}

/// Sets a time limit on what this process has started.
fn stop_own(limit: Duration) -> Box<dyn FnOnce() -> bool> {
    let limit = Limit::start(limit);
    Box::new(move || limit.has_passed())
}

/// A time limit on what this process has started.
struct Limit {
    passed: Arc<AtomicBool>,
    _stop: Sender<()>,
}

impl Limit {
    fn start(limit: Duration) -> Limit {
        let passed = Arc::new(AtomicBool::new(false));
        let (stop, stopped) = channel();
        let noted = passed.clone();
        std::thread::spawn(move || {
            let mut left = limit;
            // A module may start one command after the other: all of them are stopped.
            while stopped.recv_timeout(left) == Err(RecvTimeoutError::Timeout) {
                noted.store(true, Ordering::Relaxed);
                serve::stop_children();
                left = Duration::from_millis(50);
            }
        });
        Limit {
            passed,
            _stop: stop,
        }
    }

    fn has_passed(self) -> bool {
        self.passed.load(Ordering::Relaxed)
    }
}
