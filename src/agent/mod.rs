//! The process on the target and the protocol it speaks.
//!
//! The binary is its own agent: started with [`AGENT_ARGUMENT`] it serves requests on standard
//! input and output. The controller's side is [`Pool`]: one connection per host and user.

mod askpass;
mod binary;
mod boot;
mod client;
mod counters;
mod elevate;
pub mod frame;
mod handler;
pub mod message;
mod peer;
mod process;
mod serve;
mod shell;

pub use askpass::answer as answer_askpass;
pub use client::{ConnectionKind, ConnectionSpec, Event, Pool};
pub use counters::Counters;
pub use handler::modules_handler;
pub use serve::{Handler, serve};

/// The first argument that makes the binary an agent; the second is the marker.
pub const AGENT_ARGUMENT: &str = "__agent";

/// The first argument with which the binary only says that it can run here.
pub const PROBE_ARGUMENT: &str = "__probe";

use crate::system::shell::marker;
