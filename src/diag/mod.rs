//! Errors with places: what is wrong, where, why, and what to do about it.
//!
//! One error type serves the whole crate. Leaf code raises without a position; whoever owns the
//! text attaches the [`Span`] once. Only [`render`] turns an error into an excerpt with carets.
//!
//! ```
//! use regrole::diag::{Error, Kind, Sources};
//! let sources = Sources::default();
//! let id = sources.add("site.yml", "- hosts: all\n  taks: []\n");
//! let error = Error::new(Kind::Parse, "'taks' is not a valid attribute for a Play")
//!     .at(sources.span(id, 15, 19))
//!     .help("did you mean `tasks`?");
//! assert!(error.render(&sources).contains("site.yml:2:3"));
//! ```

mod error;
mod notice;
mod render;
mod source;
mod suggest;

pub(crate) use error::os_message;
pub use error::{Error, Kind, Label, Result, Syntax};
pub use notice::{Notice, Place, Weight};
pub use source::{Content, DuplicateKeys, Exactness, Location, Opener, SourceId, Sources, Span};
pub use suggest::closest;
