//! Events to people and programs.
//!
//! The executor tells what happens as [`Event`]s; a [`Callback`] shows them. Nothing here decides
//! anything.

mod appears;
mod color;
mod diff;
mod error;
mod event;
mod human;
mod json;
mod notice;
mod stats;
mod status;
mod wrap;

pub use appears::appears;
pub use diff::unified;
pub use error::{error_text, hints, reason_text};
pub use event::{Callback, Event, ResultKind, Shown};
pub use human::{Human, HumanOptions};
pub use json::Json;
pub use notice::{NoticeOptions, Notices};
pub use stats::{Counts, Stats};
pub use status::Status;
