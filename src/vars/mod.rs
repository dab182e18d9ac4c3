//! Variables: precedence levels as references to layers, facts, magic variables, hostvars.
//!
//! Nothing is copied and nothing is rendered here: a [`View`] walks its layers, highest first, and
//! gives the raw value that wins. Rendering is the template layer's.

mod files;
mod hostvars;
mod magic;
mod store;
mod view;

pub use files::{VarFiles, load_file};
pub use hostvars::HostVars;
pub use magic::{PlayNames, RunNames};
pub use store::Store;
pub use view::{Layer, Level, View};
