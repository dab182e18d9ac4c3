//! Hosts where the agent can't run: what is said about them.

use std::io;
use std::process::{ChildStdin, ChildStdout};

use super::message::Request;

/// Serves a request on a host that only has a shell.
///
/// # Errors
/// Never; what can't be done is a failed result.
pub fn serve_over_shell(
    _input: &mut ChildStdin,
    _output: &mut ChildStdout,
    request: &Request,
) -> io::Result<Vec<serde_json::Value>> {
    let one = serde_json::json!({
        "failed": true,
        "changed": false,
        "msg": "the agent can't run on this host: it has another CPU, or no directory where programs may be executed",
    });
    Ok(vec![one; request.items.len()])
}
