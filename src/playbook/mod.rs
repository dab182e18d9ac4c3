//! Plays, blocks, tasks, handlers and roles as plain data with places.

mod model;

pub use model::{Action, Block, Item, Loop, LoopControl, Play, Playbook, Role, Settings, Task};
