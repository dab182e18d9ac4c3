//! Inventories: sources, groups, hosts, patterns.
//!
//! Hosts and groups keep the order in which they were first named; that is the order in which
//! plays take hosts.

mod data;
mod ini;
mod pattern;
mod range;
mod reader;
mod script;
mod source;
mod yaml;

pub use data::{Group, Host, HostSource, Inventory};
pub use pattern::{Matched, is_localhost, split as split_pattern};
pub use reader::GroupNames;
pub use source::{DEFAULT_SOURCE, SourceOptions, load};
