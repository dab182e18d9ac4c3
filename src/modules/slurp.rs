//! `slurp`: gives a file's content, base64-encoded.

use base64::Engine;

use super::outcome::errno_named;
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
    legacy: false,
    settle: None,
    doc: "Reads a file from the host as base64.",
    example: "- slurp:\n    src: /etc/hostname\n  register: hostname_file",
    run,
};

fn run(invocation: &Invocation<'_>, system: &dyn System) -> Ran {
    let source = invocation.path("src").unwrap_or_default();
    let shown = source.display();
    let level = invocation.context.level;
    let bytes = system.read(&source).map_err(|e| {
        let number = e.raw_os_error();
        let message = match number {
            Some(errno::ENOENT) if level.names_slurp_errors_in_capitals() => {
                format!("File not found: {shown}")
            }
            Some(errno::ENOENT) => format!("file not found: {shown}"),
            Some(errno::EACCES) if level.names_slurp_errors_in_capitals() => {
                format!("File is not readable: {shown}")
            }
            Some(errno::EACCES) => format!("file is not readable: {shown}"),
            Some(errno::EISDIR) if level.names_slurp_errors_in_capitals() => {
                format!("Source is a directory and must be a file: {shown}")
            }
            Some(errno::EISDIR) => format!("source is a directory and must be a file: {shown}"),
            // The braces are Ansible's own.
            _ if level.names_slurp_errors_in_capitals() => {
                "Unable to slurp file: {source}".to_owned()
            }
            _ => format!("unable to slurp file: {}", errno_named(&e, &source)),
        };
        Fail::new(message).because(errno_named(&e, &source))
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
