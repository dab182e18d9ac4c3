//! `raw`: a command line handed to the shell as it is.

use super::{By, Fail, Invocation, Kind, Module, Param, Ran, Spec};
use crate::system::{Command, Executed, System};
use crate::value::{Dict, Value};

/// The table's row.
pub(super) const MODULE: Module = Module {
    name: "raw",
    spec: Spec {
        params: &[
            Param::new("_raw_params", Kind::Str),
            Param::new("executable", Kind::Str),
        ],
        file: false,
        mutually_exclusive: &[],
        required_if: &[],
    },
    legacy: false,
    settle: None,
    doc: "Runs a command line through the shell, without any of a module's comfort.",
    example: "- raw: cat /etc/hostname",
    run,
};

fn run(invocation: &Invocation<'_>, system: &dyn System) -> Ran {
    let line = invocation.text("_raw_params").unwrap_or_default();
    let shell = invocation
        .text("executable")
        .unwrap_or_else(|| "/bin/sh".into());
    let command = Command::write([shell.as_str(), "-c", line.as_str()]);
    let result = Dict::new();
    if !invocation.context.environment.is_empty() {
        let warning = "raw module does not support the environment keyword";
        result.set("warnings", Value::list(vec![warning.into()]));
    }
    match system.exec(&command) {
        Ok(Executed::Ran(output)) => {
            let (stdout, stderr) = (
                String::from_utf8_lossy(&output.stdout).into_owned(),
                String::from_utf8_lossy(&output.stderr).into_owned(),
            );
            result.set("rc", output.rc);
            result.set("stdout", stdout);
            result.set("stderr", stderr);
            result.set("changed", true);
            if output.rc != 0 {
                result.set("msg", "non-zero return code");
                result.set("failed", true);
                By::Action.mark(&result);
            }
        }
        Ok(Executed::Unknown) => result.set("skipped", true),
        Err(e) => return Err(Fail::new(super::outcome::errno_text(&e))),
    }
    Ok(result)
}
