//! Ansible's tests, by family. Adding one is a function and a row of its family's table.

mod data;
mod files;
mod regexes;
mod results;
mod types;
mod versions;

use crate::diag::{Error, Kind, Result};
use crate::jinja::Row;
use crate::value::{Args, Value};

/// All tests that Jinja2 itself doesn't have, by family.
pub static FAMILIES: &[(&str, &[Row])] = &[
    ("Results of tasks", results::TABLE),
    ("Data", data::TABLE),
    ("Versions", versions::TABLE),
    ("Regular expressions", regexes::TABLE),
    ("Files", files::TABLE),
];

/// Tests that have only their full names: collection, title, tests.
pub static COLLECTIONS: &[(&str, &str, &[Row])] = &[
    (
        "ansible.utils",
        "Addresses and networks",
        crate::template::filters::NET_TESTS,
    ),
    ("community.general", "Types", types::TABLE),
];

/// Returns the tested value; an undefined one raises.
fn first(args: Args) -> Result<Value> {
    match tested(args)? {
        Value::Undefined(undefined) => Err(undefined.error()),
        value => Ok(value),
    }
}

/// Returns the tested value; an undefined one raises where it can't be looked at.
fn tested(args: Args) -> Result<Value> {
    match args.positional.into_iter().next() {
        Some(Value::Undefined(undefined)) if !undefined.is_testable() => Err(undefined.error()),
        Some(value) => Ok(value),
        None => Ok(Value::None),
    }
}

fn failed(message: impl Into<String>) -> Error {
    Error::new(Kind::Filter, message)
}
