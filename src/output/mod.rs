//! Events to people and programs.
//!
//! The executor tells what happens as [`Event`]s; a [`Callback`] shows them. Nothing here decides
//! anything.

mod diff;
mod error;
mod event;
mod human;
mod json;
mod stats;
mod status;

pub use diff::unified;
pub use error::blocks as error_blocks;
pub use event::{Callback, Event, ResultKind, Shown};
pub use human::{Human, HumanOptions};
pub use json::Json;
pub use stats::{Counts, Stats};
pub use status::Status;
