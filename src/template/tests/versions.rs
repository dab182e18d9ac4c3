//! Tests of versions.

use std::cmp::Ordering;

use super::failed;
use crate::diag::Result;
use crate::jinja::Row;
use crate::template::version::{self, Loose};
use crate::value::{Args, Runtime, Value};

pub(super) static TABLE: &[Row] = &[
    Row::new(
        "version",
        version,
        "Compares versions.",
        "'1.10' is version('1.9', '>') => True",
    ),
    Row::new(
        "version_compare",
        version,
        "Compares versions.",
        "'1.0' is version_compare('1.0', 'eq') => True",
    ),
];

fn version(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, other, operator, strict, kind] = args.bind(
        "version_compare",
        ["value", "version", "operator", "strict", "version_type"],
        2,
    )?;
    let text = |value: Option<Value>| match value {
        Some(Value::Undefined(undefined)) => Err(undefined.error()),
        Some(value) => Ok(value.to_str()),
        None => Ok(String::new()),
    };
    let (value, other) = (text(value)?, text(other)?);
    if value.is_empty() {
        return Err(failed("Input version value cannot be empty"));
    }
    if other.is_empty() {
        return Err(failed(
            "Version parameter to compare against cannot be empty",
        ));
    }
    let strict = strict
        .filter(|strict| !strict.is_none())
        .map(|strict| strict.truth());
    let kind = kind
        .filter(|kind| !kind.is_none())
        .map(|kind| kind.to_str());
    let order: fn(&str, &str) -> std::result::Result<Ordering, String> = match (
        kind.as_deref(),
        strict,
    ) {
        (Some(_), Some(_)) => {
            return Err(failed("Cannot specify both 'strict' and 'version_type'"));
        }
        (None | Some("loose"), None | Some(false)) => |a, b| Loose::of(a).compare(&Loose::of(b)),
        (None, Some(true)) | (Some("strict"), _) => version::strict,
        (Some("semver" | "semantic"), _) => version::semantic,
        (Some("pep440"), _) => version::pep440,
        (Some(other), _) => {
            return Err(failed(format!(
                "Invalid version type ({other}). Must be one of 'loose', 'strict', 'semver', 'semantic', 'pep440'"
            )));
        }
    };
    let operator = operator.map_or_else(|| "eq".to_owned(), |o| o.to_str());
    let holds: fn(Ordering) -> bool = match operator.as_str() {
        "==" | "=" | "eq" => Ordering::is_eq,
        "<" | "lt" => Ordering::is_lt,
        "<=" | "le" => Ordering::is_le,
        ">" | "gt" => Ordering::is_gt,
        ">=" | "ge" => Ordering::is_ge,
        "!=" | "<>" | "ne" => Ordering::is_ne,
        other => {
            return Err(failed(format!(
                "Invalid operator type ({other}). Must be one of '==', '=', 'eq', '<', 'lt', '<=', 'le', '>', 'gt', '>=', 'ge', '!=', '<>', 'ne'"
            )));
        }
    };
    order(&value, &other)
        .map(|order| Value::Bool(holds(order)))
        .map_err(|message| failed(format!("Version comparison failed: {message}")))
}
