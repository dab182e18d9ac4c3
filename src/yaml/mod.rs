//! YAML 1.1 as PyYAML resolves it, with positions.

mod node;

pub use node::{Data, Node};
