//! Ansible's filters, by family. Adding one is a function and a row of its family's table.

mod crypto;
mod data;
mod encode;
mod facts;
mod general;
mod json_reader;
mod keys;
mod list;
mod math;
mod net;
mod password;
mod path;
mod query;
mod random;
mod regex;
mod structure;
mod text;
mod time;
mod units;
mod vault;

pub use data::merge_dicts;
pub(super) use encode::decoded;
pub(super) use net::TESTS as NET_TESTS;
pub(super) use random::bad_seed;
pub(super) use regex::{translate, translate_between};
pub(super) use structure::{get_path, index_of, to_paths};
pub(super) use text::{newer_pprint, older_type_debug};
pub(super) use units::revealed;

use crate::diag::{Error, Result};
use crate::jinja::Row;
use crate::value::{Args, Value};

/// Filters of one kind.
pub struct Family {
    /// What they are about.
    pub title: &'static str,
    /// The collections whose names they have besides their short ones.
    pub collections: &'static [&'static str],
    /// Whether they have short names besides.
    pub is_short: bool,
    /// The filters.
    pub rows: &'static [Row],
}

const fn builtin(title: &'static str, rows: &'static [Row]) -> Family {
    Family {
        title,
        collections: &["ansible.builtin"],
        is_short: true,
        rows,
    }
}

/// All filters that Jinja2 itself doesn't have, by family.
pub static FAMILIES: &[Family] = &[
    builtin("Text", text::TABLE),
    builtin("Lists", list::TABLE),
    builtin("Chance", random::TABLE),
    builtin("Dicts and data", data::TABLE),
    builtin("Encoding and hashes", encode::TABLE),
    builtin("Vault", vault::TABLE),
    builtin("Passwords", password::TABLE),
    builtin("Paths and URLs", path::TABLE),
    builtin("Regular expressions", regex::TABLE),
    builtin("Dates and times", time::TABLE),
    builtin("Numbers", math::TABLE),
    Family {
        title: "Addresses and networks",
        collections: &["ansible.utils", "ansible.netcommon", "ansible.builtin"],
        is_short: true,
        rows: net::TABLE,
    },
    Family {
        title: "Structures",
        collections: &["ansible.utils"],
        is_short: false,
        rows: structure::TABLE,
    },
    Family {
        title: "Facts of several sources",
        collections: &["ansible.utils"],
        is_short: false,
        rows: facts::TABLE,
    },
    Family {
        title: "Units, types and forms",
        collections: &["community.general"],
        is_short: false,
        rows: units::TABLE,
    },
    Family {
        title: "Certificates",
        collections: &["community.crypto"],
        is_short: false,
        rows: crypto::TABLE,
    },
    Family {
        title: "Collections of data",
        collections: &["community.general"],
        is_short: true,
        rows: query::TABLE,
    },
    Family {
        title: "Lists, tables and sections",
        collections: &["community.general"],
        is_short: true,
        rows: general::TABLE,
    },
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

pub(super) fn failed(message: impl Into<String>) -> Error {
    Error::new(crate::diag::Kind::Filter, message)
}

/// Makes the error of a filter that got a value of a wrong type.
fn mistyped(message: impl Into<String>) -> Error {
    Error::type_error(message)
}

#[cfg(test)]
mod table_tests {
    use super::FAMILIES;
    use crate::template::{MapVariables, Shared, SharedOptions, Templar};
    use crate::value::{Dict, Str};
    use std::rc::Rc;

    #[test]
    fn every_example_of_filters_and_tests_holds() {
        let shared = Shared::new(SharedOptions::default());
        let templar = Templar::new(shared, Rc::new(MapVariables::new(Dict::new(), vec![])));
        for row in FAMILIES
            .iter()
            .flat_map(|family| family.rows)
            .chain(crate::template::TESTS.iter().flat_map(|(_, rows)| *rows))
            .chain(
                crate::template::COLLECTION_TESTS
                    .iter()
                    .flat_map(|(.., rows)| *rows),
            )
        {
            let (text, wanted) = row.example.rsplit_once(" => ").expect(row.name);
            let value = templar.expression(&Str::trusted(text)).expect(row.name);
            assert_eq!(value.repr(), wanted, "{}", row.name);
            assert!(row.doc.ends_with('.'), "{}", row.name);
        }
    }
}
