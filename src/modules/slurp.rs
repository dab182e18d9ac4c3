//! `slurp`: gives a file's content, base64-encoded.

use base64::Engine;

use super::outcome::errno_path;
use super::{Fail, Invocation, Kind, Module, Param, Ran, Spec};
use crate::system::{System, errno};
use crate::value::Dict;

/// The table's row.
pub(super) const MODULE: Module = Module {
    name: "slurp",
    spec: Spec {
        params: &[Param::new("src", Kind::Path).required().aliases(&["path"])],
        file: false,
        mutually_exclusive: &[],
        required_if: &[],
    },
    doc: "Reads a file from the host as base64.",
    example: "- slurp:\n    src: /etc/hostname\n  register: hostname_file",
    run,
};

fn run(invocation: &Invocation<'_>, system: &dyn System) -> Ran {
    let source = invocation.path("src").unwrap_or_default();
    let shown = source.display();
    let bytes = system.read(&source).map_err(|e| {
        Fail::new(match e.raw_os_error() {
            Some(errno::ENOENT) => format!("File not found: {shown}"),
            Some(errno::EACCES) => format!("File is not readable: {shown}"),
            Some(errno::EISDIR) => {
                format!("Source is a directory and must be a file: {shown}")
            }
            _ => format!("unable to slurp file: {}", errno_path(&e, &source)),
        })
    })?;
    let result = Dict::new();
    result.set(
        "content",
        base64::engine::general_purpose::STANDARD.encode(&bytes),
    );
    result.set("source", source.display().to_string());
    result.set("encoding", "base64");
    Ok(result)
}
