//! The `regrole` binary: the controller, and the agent that it sends to its hosts.

fn main() {}
