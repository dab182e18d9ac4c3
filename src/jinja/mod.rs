//! A Jinja2 engine on Python's value model. Knows nothing of Ansible.
//!
//! ```
//! use regrole::jinja::{Environment, MapContext, Place};
//! use regrole::value::Value;
//! let env = Environment::new();
//! let template = env.compile("{% for n in items %}{{ n * 2 }} {% endfor %}", Place::Nowhere, true).unwrap();
//! let context = MapContext::new([("items", Value::list(vec![Value::from(1), Value::from(2)]))]);
//! assert_eq!(env.render(&template, &context).unwrap(), "2 4 ");
//! ```

mod ast;
mod environment;
mod eval;
mod extensions;
mod filters;
mod globals;
mod lexer;
mod methods;
mod name;
mod objects;
mod parser;
mod table;
mod tests;
mod translations;

pub use environment::{
    Captured, Compiled, Context, Environment, Expression, Filtered, Functions, Loaded, Loader,
    MapContext, Options, PathKey, Place, Plugin, Plugins, Template, Worded,
};
pub use eval::{native_value, plain_data};
pub use extensions::Extension;
pub use filters::{FAMILIES as FILTERS, pretty};
pub use methods::{changes_values, is_dict_method};
pub use table::Row;
pub use tests::TABLE as TESTS;
pub use translations::Catalog;
