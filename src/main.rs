//! The `regrole` binary: the controller, and the agent that it sends to its hosts.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args: Vec<std::ffi::OsString> = std::env::args_os().collect();
    match args.get(1).and_then(|first| first.to_str()) {
        Some(regrole::agent::AGENT_ARGUMENT) => {
            let marker = args
                .get(2)
                .map(|marker| marker.to_string_lossy().into_owned())
                .unwrap_or_default();
            return regrole::agent::serve(&marker, regrole::agent::modules_handler());
        }
        Some(regrole::agent::PROBE_ARGUMENT) => return ExitCode::SUCCESS,
        _ => {}
    }
    if let Some(code) = regrole::agent::answer_askpass() {
        return code;
    }
    if args.is_empty() {
        args.push("regrole".into());
    }
    regrole::cli::main(args)
}
