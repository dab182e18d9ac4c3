//! Ansible's filters, by family. Adding one is a function and a row of its family's table.

mod data;
mod encode;
mod list;
mod path;
mod regex;
mod text;

pub(super) use regex::translate;
pub(super) use text::older_type_debug;

use crate::diag::{Error, Result};
use crate::jinja::Row;
use crate::value::{Args, Value};

/// All filters that Jinja2 itself doesn't have, by family.
pub static TABLES: &[&[Row]] = &[
    text::TABLE,
    list::TABLE,
    data::TABLE,
    encode::TABLE,
    path::TABLE,
    regex::TABLE,
];

/// Returns an argument; an undefined one raises.
fn known(value: Option<Value>) -> Result<Value> {
    match value {
        Some(Value::Undefined(undefined)) => Err(undefined.error()),
        Some(value) => Ok(value),
        None => Ok(Value::None),
    }
}

/// Returns the filtered value alone.
fn only(args: Args) -> Result<Value> {
    known(args.positional.into_iter().next())
}

fn flag(value: Option<Value>) -> bool {
    value.is_some_and(|value| value.truth())
}

fn failed(message: impl Into<String>) -> Error {
    Error::new(crate::diag::Kind::Filter, message)
}

#[cfg(test)]
mod table_tests {
    use super::TABLES;
    use crate::template::{MapVariables, Shared, SharedOptions, Templar};
    use crate::value::{Dict, Str};
    use std::rc::Rc;

    #[test]
    fn every_example_of_filters_and_tests_holds() {
        let shared = Shared::new(SharedOptions::default());
        let templar = Templar::new(shared, Rc::new(MapVariables::new(Dict::new(), vec![])));
        for row in TABLES
            .iter()
            .flat_map(|table| table.iter())
            .chain(crate::template::TESTS)
        {
            let (text, wanted) = row.example.rsplit_once(" => ").expect(row.name);
            let value = templar.expression(&Str::trusted(text)).expect(row.name);
            assert_eq!(value.repr(), wanted, "{}", row.name);
            assert!(row.doc.ends_with('.'), "{}", row.name);
        }
    }
}
