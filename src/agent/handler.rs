//! Runs the modules that requests name.

use super::message::Request;
use super::serve::Handler;
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
            return run(request, overlay);
        }
        run(request, &Real)
    })
}

/// Runs all items of a request on a machine.
pub(super) fn run(request: &Request, system: &dyn System) -> Vec<serde_json::Value> {
    request
        .items
        .iter()
        .map(|item| {
            let args = match Value::from_wire(&item.args) {
                Value::Dict(args) => args,
                _ => Dict::new(),
            };
            let context = RunContext {
                check: request.check,
                diff: request.diff,
                environment: &request.environment,
                settings: &request.settings,
                content: item.content.map(|_| item.bytes.as_slice()),
            };
            let result = modules::run(&request.module, &args, &context, system);
            Value::Dict(result).to_wire().unwrap_or_else(|error| {
                serde_json::json!({"failed": true, "changed": false, "msg": error.full_message()})
            })
        })
        .collect()
}
