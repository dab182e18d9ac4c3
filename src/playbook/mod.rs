//! Plays, blocks, tasks, handlers and roles as plain data with places.

mod args;
pub mod keywords;
mod load;
mod model;
mod parse;
mod role;

pub use args::parse_pairs;
pub use keywords::reserved_names;
pub use load::{IncludeRole, Included, Loader, LoaderOptions, Resolved, StaticRender, role_place};
pub use model::{
    Action, Block, Item, Loop, LoopControl, Play, Playbook, Role, Settings, Task, VarsFile,
};
