//! Runs plays: strategy, tasks, loops, handlers, includes.
//!
//! One thread owns all state. Waiting happens in one place, [`task`], on the channel that the
//! connections answer to; everything else is plain calls.

mod aftermath;
mod batch;
mod connection;
mod cursor;
mod failure;
mod handlers;
mod include;
mod inventory;
mod job;
mod judge;
mod keywords;
mod linear;
mod magic;
mod meta;
mod options;
mod play;
mod reached;
mod report;
mod run;
mod select;
mod task;
mod vars_files;

pub use cursor::AfterFailure;
pub use magic::fixed as fixed_variables;
pub use options::{BecomeDefaults, Options};
pub use report::Reporter;
pub use run::{Runner, Status};
pub use select::wanted as tags_select;
