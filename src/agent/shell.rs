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
    why: &str,
    request: &Request,
) -> io::Result<Vec<serde_json::Value>> {
    let one = serde_json::json!({
        "failed": true,
        "changed": false,
        "msg": format!("the agent can't run on this host: {why}"),
    });
    Ok(vec![one; request.items.len()])
}
