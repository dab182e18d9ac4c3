//! YAML 1.1 as `PyYAML` resolves it, with positions.

mod compose;
mod node;
mod resolve;

pub use compose::{Loaded, load, load_all};
pub use node::{Data, Node};
