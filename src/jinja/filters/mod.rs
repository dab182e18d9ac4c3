//! Jinja2's own filters, by family. Adding one is a function and a row of its family's table.

mod html;
mod links;
mod mapping;
mod number;
mod pretty;
mod select;
mod sequence;
mod text;

use std::cmp::Ordering;

pub use pretty::pretty;
pub(super) use pretty::pretty_within;

use super::Row;
use crate::diag::{Error, Result};
use crate::value::{Args, Dict, Runtime, Str, Value};

/// All filters, by family.
pub static FAMILIES: &[(&str, &[Row])] = &[
    ("text", text::TABLE),
    ("markup and URLs", html::TABLE),
    ("links", links::TABLE),
    ("numbers", number::TABLE),
    ("sequences", sequence::TABLE),
    ("choosing, reading, grouping", select::TABLE),
    ("dicts", mapping::TABLE),
];

/// Returns the filtered value; an undefined one raises, unless it may be used.
fn first_arg(args: Args) -> Result<Value> {
    match args.positional.into_iter().next() {
        Some(value) => known(Some(value)),
        None => Err(Error::type_error("a filter needs a value")),
    }
}

/// Returns an argument; an undefined one raises, unless it may be used as an empty text or list.
fn known(value: Option<Value>) -> Result<Value> {
    match value {
        Some(Value::Undefined(undefined)) if !undefined.is_lenient() => Err(undefined.error()),
        Some(value) => Ok(value),
        None => Ok(Value::None),
    }
}

/// Returns an argument that must be a number, so that no undefined one will do.
fn defined(value: Option<Value>) -> Result<Value> {
    match value {
        Some(Value::Undefined(undefined)) => Err(undefined.error()),
        value => known(value),
    }
}

fn text(name: &str, args: Args, f: fn(&str) -> String) -> Result<Value> {
    let [value] = args.bind(name, ["s"], 1)?;
    let value = known(value)?;
    Ok(Value::Str(match &value {
        Value::Str(text) => Str::new(f(text)).with_markup(text.is_markup()),
        other => Str::new(f(&other.to_str())),
    }))
}

fn mapping(value: &Value) -> Result<Dict> {
    match value {
        Value::Dict(dict) => Ok(dict.clone()),
        Value::Object(object) => object.as_mapping().ok_or_else(|| {
            Error::type_error(format!("expected a mapping, found {}", value.type_name()))
        }),
        other => Err(Error::runtime(format!(
            "'{}' object has no attribute 'items'",
            other.type_name()
        ))),
    }
}

/// Returns what to compare: text without case, unless case counts.
fn folded(value: &Value, case_sensitive: bool) -> Value {
    match value {
        Value::Str(text) if !case_sensitive && !is_lower(text) => Value::str(text.to_lowercase()),
        other => other.clone(),
    }
}

/// Says whether plain text has no capitals, as nearly all names.
fn is_lower(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
}

/// Sorts pairs of (what to compare, item), stable.
pub(super) fn sorted(mut pairs: Vec<(Value, Value)>, reverse: bool) -> Result<Vec<Value>> {
    let mut problem = None;
    pairs.sort_by(|a, b| {
        if a.0.is_none() && b.0.is_none() {
            return Ordering::Equal;
        }
        let order = a.0.order(&b.0, "<").unwrap_or_else(|error| {
            problem.get_or_insert(error);
            None
        });
        let order = order.unwrap_or(Ordering::Equal);
        if reverse { order.reverse() } else { order }
    });
    match problem {
        Some(error) => Err(error),
        None => Ok(pairs.into_iter().map(|(_, item)| item).collect()),
    }
}

/// Reads `a.b.0` of an item.
fn read(
    runtime: &mut dyn Runtime,
    item: &Value,
    path: &Value,
    default: Option<&Value>,
) -> Result<Value> {
    let mut value = item.clone();
    let parts: Vec<Value> = match path {
        // One name, as nearly always, needs no taking apart.
        Value::Str(name)
            if !name.contains('.') && !name.starts_with(|c: char| c.is_ascii_digit()) =>
        {
            let value = runtime.item(item, path)?;
            return Ok(match default {
                Some(default) if value.is_undefined() => default.clone(),
                _ => value,
            });
        }
        Value::Str(path) => path
            .split('.')
            .map(|part| match part.parse::<i64>() {
                Ok(index) if part.bytes().all(|b| b.is_ascii_digit()) => Value::Int(index),
                _ => Value::str(part),
            })
            .collect(),
        other => vec![other.clone()],
    };
    for part in parts {
        value = runtime.item(&value, &part)?;
        if value.is_undefined()
            && let Some(default) = default
        {
            return Ok(default.clone());
        }
    }
    Ok(value)
}

#[cfg(test)]
mod table_tests {
    use super::super::{Environment, MapContext, Place};
    use super::FAMILIES;
    use crate::jinja::Row;
    use crate::value::Value;

    fn rows() -> impl Iterator<Item = &'static Row> {
        let filters = FAMILIES.iter().flat_map(|(_, rows)| *rows);
        filters.chain(crate::jinja::TESTS)
    }

    #[test]
    fn every_example_of_filters_and_tests_holds() {
        let env = Environment::new();
        let none: [(&str, Value); 0] = [];
        let context = MapContext::new(none);
        for row in rows() {
            let (text, wanted) = row.example.rsplit_once(" => ").expect(row.name);
            let expression = env
                .compile_expression(&text.replace("\\n", "\n"), Place::Nowhere, true)
                .expect(row.name);
            let value = env.evaluate(&expression, &context).expect(row.name);
            assert_eq!(value.repr(), wanted, "{}", row.name);
            assert!(row.doc.ends_with('.'), "{}", row.name);
        }
    }

    #[test]
    fn no_name_stands_twice() {
        let filters = FAMILIES.iter().flat_map(|(_, rows)| *rows).collect();
        for rows in [filters, crate::jinja::TESTS.iter().collect::<Vec<_>>()] {
            let mut names: Vec<&str> = rows.iter().map(|row| row.name).collect();
            names.sort_unstable();
            let count = names.len();
            names.dedup();
            assert_eq!(names.len(), count);
        }
    }
}
