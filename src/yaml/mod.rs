//! YAML 1.1 as `PyYAML` resolves it, with positions.

mod compose;
mod emit;
mod node;
mod resolve;

pub use compose::{Loaded, load, load_all};
pub use emit::{EmitStyle, emit, emit_with_anchors};
pub use node::{Data, Node};
pub(crate) use resolve::timestamp;
