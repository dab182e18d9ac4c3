//! `ping`: says that modules can run.

use super::{Default, Fail, Invocation, Kind, Module, Param, Ran, Spec};
use crate::system::System;
use crate::value::Dict;

/// The table's row.
pub(super) const MODULE: Module = Module {
    name: "ping",
    spec: Spec {
        params: &[Param::new("data", Kind::Str).default(Default::Str("pong"))],
        file: false,
        mutually_exclusive: &[],
        required_if: &[],
    },
    legacy: false,
    settle: None,
    doc: "Answers `pong` where modules can run.",
    example: "- ping:",
    run,
};

fn run(invocation: &Invocation<'_>, _: &dyn System) -> Ran {
    let data = invocation.text("data").unwrap_or_default();
    if data == "crash" {
        return Err(Fail::crash("boom"));
    }
    let result = Dict::new();
    result.set("ping", data);
    Ok(result)
}
