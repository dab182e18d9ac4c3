//! Ansible's tests.

use std::path::Path;

use super::filters::translate;
use crate::diag::{Error, Kind, Result};
use crate::jinja::Row;
use crate::value::{Args, Runtime, Value};

/// All tests that Jinja2 itself doesn't have.
pub static TESTS_TABLE: &[Row] = &[
    Row::new(
        "failed",
        |_, a| result(a, "failed"),
        "A task's result failed.",
        "{'failed': true} is failed => True",
    ),
    Row::new(
        "failure",
        |_, a| result(a, "failed"),
        "A task's result failed.",
        "{'failed': false} is failure => False",
    ),
    Row::new(
        "succeeded",
        succeeded,
        "A task's result did not fail.",
        "{} is succeeded => True",
    ),
    Row::new(
        "success",
        succeeded,
        "A task's result did not fail.",
        "{} is success => True",
    ),
    Row::new(
        "successful",
        succeeded,
        "A task's result did not fail.",
        "{} is successful => True",
    ),
    Row::new(
        "changed",
        changed,
        "A task changed something.",
        "{'changed': true} is changed => True",
    ),
    Row::new(
        "change",
        changed,
        "A task changed something.",
        "{'changed': true} is change => True",
    ),
    Row::new(
        "skipped",
        |_, a| result(a, "skipped"),
        "A task was skipped.",
        "{'skipped': true} is skipped => True",
    ),
    Row::new(
        "skip",
        |_, a| result(a, "skipped"),
        "A task was skipped.",
        "{} is skip => False",
    ),
    Row::new(
        "finished",
        |_, a| result(a, "finished"),
        "An asynchronous task has ended.",
        "{'finished': 1} is finished => True",
    ),
    Row::new(
        "started",
        |_, a| result(a, "started"),
        "An asynchronous task has begun.",
        "{'started': 1} is started => True",
    ),
    Row::new(
        "unreachable",
        |_, a| result(a, "unreachable"),
        "The host could not be reached.",
        "{'unreachable': true} is unreachable => True",
    ),
    Row::new(
        "reachable",
        |_, a| result(a, "unreachable").map(|v| Value::Bool(!v.truth())),
        "The host could be reached.",
        "{} is reachable => True",
    ),
    Row::new(
        "match",
        |r, a| matches(r, a, "match"),
        "Matches from the start.",
        "'abc' is match('ab') => True",
    ),
    Row::new(
        "search",
        |r, a| matches(r, a, "search"),
        "Matches somewhere.",
        "'abc' is search('b') => True",
    ),
    Row::new(
        "regex",
        |r, a| matches(r, a, ""),
        "Matches somewhere, or as asked.",
        "'abc' is regex('b') => True",
    ),
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
    Row::new(
        "subset",
        |_, a| subset(a, false),
        "Is contained in a list.",
        "[1] is subset([1, 2]) => True",
    ),
    Row::new(
        "superset",
        |_, a| subset(a, true),
        "Contains a list.",
        "[1, 2] is superset([1]) => True",
    ),
    Row::new(
        "issubset",
        |_, a| subset(a, false),
        "Is contained in a list.",
        "[1] is issubset([1, 2]) => True",
    ),
    Row::new(
        "issuperset",
        |_, a| subset(a, true),
        "Contains a list.",
        "[1, 2] is issuperset([1]) => True",
    ),
    Row::new(
        "contains",
        contains,
        "Contains an item.",
        "[1, 2] is contains(1) => True",
    ),
    Row::new(
        "all",
        |_, a| quantified(a, true),
        "All items are true.",
        "[1, 0] is all => False",
    ),
    Row::new(
        "any",
        |_, a| quantified(a, false),
        "Some item is true.",
        "[1, 0] is any => True",
    ),
    Row::new(
        "truthy",
        truthy,
        "Is true in Python's sense.",
        "'a' is truthy => True",
    ),
    Row::new(
        "falsy",
        |r, a| truthy(r, a).map(|v| Value::Bool(!v.truth())),
        "Is false in Python's sense.",
        "'' is falsy => True",
    ),
    Row::new(
        "abs",
        |_, a| path(a, std::path::Path::is_absolute),
        "Is an absolute path.",
        "'/a' is abs => True",
    ),
    Row::new(
        "directory",
        |_, a| path(a, std::path::Path::is_dir),
        "Is a directory of the controller.",
        "'/' is directory => True",
    ),
    Row::new(
        "exists",
        |_, a| path(a, std::path::Path::exists),
        "Exists on the controller.",
        "'/' is exists => True",
    ),
    Row::new(
        "file",
        |_, a| path(a, std::path::Path::is_file),
        "Is a file of the controller.",
        "'/' is file => False",
    ),
    Row::new(
        "link",
        |_, a| path(a, std::path::Path::is_symlink),
        "Is a link of the controller.",
        "'/' is link => False",
    ),
    Row::new(
        "link_exists",
        |_, a| path(a, |p| p.symlink_metadata().is_ok()),
        "Exists, perhaps as a broken link.",
        "'/' is link_exists => True",
    ),
    Row::new(
        "vault_encrypted",
        |_, a| {
            Ok(Value::Bool(
                first(a)?
                    .as_str()
                    .is_some_and(|t| t.starts_with("$ANSIBLE_VAULT;")),
            ))
        },
        "Is encrypted with vault.",
        "'a' is vault_encrypted => False",
    ),
    Row::new(
        "nan",
        |_, a| Ok(Value::Bool(first(a)?.as_f64().is_some_and(f64::is_nan))),
        "Is not a number.",
        "1 is nan => False",
    ),
];

pub use TESTS_TABLE as TABLE;

fn first(args: Args) -> Result<Value> {
    match args.positional.into_iter().next() {
        Some(Value::Undefined(undefined)) => Err(undefined.error()),
        Some(value) => Ok(value),
        None => Ok(Value::None),
    }
}

fn failed(message: impl Into<String>) -> Error {
    Error::new(Kind::Filter, message)
}

fn result(args: Args, key: &str) -> Result<Value> {
    let value = first(args)?;
    match &value {
        Value::Dict(dict) => Ok(Value::Bool(dict.get(key).is_some_and(|v| v.truth()))),
        _ => Err(failed(format!("The '{key}' test expects a dictionary"))),
    }
}

fn succeeded(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    result(args, "failed").map(|value| Value::Bool(!value.truth()))
}

fn changed(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let value = first(args)?;
    let Value::Dict(dict) = &value else {
        return Err(failed("The 'changed' test expects a dictionary"));
    };
    if let Some(changed) = dict.get("changed") {
        return Ok(Value::Bool(changed.truth()));
    }
    let any = match dict.get("results") {
        Some(Value::List(list)) => list
            .to_vec()
            .iter()
            .any(|item| item.get("changed").is_some_and(|v| v.truth())),
        _ => false,
    };
    Ok(Value::Bool(any))
}

fn matches(_runtime: &mut dyn Runtime, args: Args, kind: &str) -> Result<Value> {
    let [value, pattern, ignore_case, multi_line, match_type] = args.bind(
        "regex",
        ["value", "pattern", "ignorecase", "multiline", "match_type"],
        1,
    )?;
    let text = match value {
        Some(Value::Undefined(undefined)) => return Err(undefined.error()),
        value => value.unwrap_or(Value::None).to_str(),
    };
    let flag = |value: Option<Value>| value.is_some_and(|v| v.truth());
    let kind = if kind.is_empty() {
        match_type.map_or_else(|| "search".to_owned(), |m| m.to_str())
    } else {
        kind.to_owned()
    };
    let pattern = pattern.map(|p| p.to_str()).unwrap_or_default();
    let pattern = match kind.as_str() {
        "match" => format!("\\A(?:{pattern})"),
        "fullmatch" => format!("\\A(?:{pattern})\\Z"),
        _ => pattern,
    };
    let regex = translate(&pattern, flag(ignore_case), flag(multi_line), false)?;
    regex
        .is_match(&text)
        .map(Value::Bool)
        .map_err(|error| failed(error.to_string()))
}

/// A part of a version: numbers are less than words where they meet, as in Python's loose versions.
#[derive(PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Part {
    Number(u64),
    Word(String),
}

/// Splits a version at dots and between digits and letters.
fn parts(text: &str) -> Vec<Part> {
    let mut out = Vec::new();
    let mut rest = text.trim();
    while let Some(c) = rest.chars().next() {
        let digits = c.is_ascii_digit();
        if c == '.' {
            rest = &rest[1..];
            continue;
        }
        let end = rest
            .find(|d: char| d == '.' || d.is_ascii_digit() != digits)
            .unwrap_or(rest.len());
        let (part, next) = rest.split_at(end);
        out.push(match part.parse() {
            Ok(number) if digits => Part::Number(number),
            _ => Part::Word(part.to_owned()),
        });
        rest = next;
    }
    out
}

fn version(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, other, operator, strict, kind] = args.bind(
        "version",
        ["value", "version", "operator", "strict", "version_type"],
        2,
    )?;
    let text = |value: Option<Value>| match value {
        Some(Value::Undefined(undefined)) => Err(undefined.error()),
        Some(value) => Ok(value.to_str()),
        None => Ok(String::new()),
    };
    let (value, other) = (text(value)?, text(other)?);
    let _ = (strict, kind);
    if value.is_empty() {
        return Err(failed("Input version value cannot be empty"));
    }
    if other.is_empty() {
        return Err(failed(
            "Version parameter to compare against cannot be empty",
        ));
    }
    let order = parts(&value).cmp(&parts(&other));
    let operator = operator.map_or_else(|| "eq".to_owned(), |o| o.to_str());
    Ok(Value::Bool(match operator.as_str() {
        "==" | "=" | "eq" => order.is_eq(),
        "<" | "lt" => order.is_lt(),
        "<=" | "le" => order.is_le(),
        ">" | "gt" => order.is_gt(),
        ">=" | "ge" => order.is_ge(),
        "!=" | "<>" | "ne" => order.is_ne(),
        other => {
            return Err(failed(format!(
                "Invalid operator type ({other}). Must be one of ['==', '=', '>', '<', '>=', '<=', '!=', '<>', 'eq', 'ge', 'gt', 'le', 'lt', 'ne']"
            )));
        }
    }))
}

fn subset(args: Args, turned: bool) -> Result<Value> {
    let [a, b] = args.bind("subset", ["a", "b"], 2)?;
    let items = |value: Option<Value>| -> Result<Vec<Value>> {
        Ok(value.unwrap_or(Value::None).items()?.collect())
    };
    let (a, b) = (items(a)?, items(b)?);
    let (inner, outer) = if turned { (b, a) } else { (a, b) };
    Ok(Value::Bool(inner.iter().all(|item| outer.contains(item))))
}

fn contains(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [container, item] = args.bind("contains", ["a", "b"], 2)?;
    crate::value::ops::contains(
        &container.unwrap_or(Value::None),
        &item.unwrap_or(Value::None),
    )
    .map(Value::Bool)
}

fn quantified(args: Args, all: bool) -> Result<Value> {
    let value = first(args)?;
    let mut items = value.items()?;
    Ok(Value::Bool(if all {
        items.all(|item| item.truth())
    } else {
        items.any(|item| item.truth())
    }))
}

fn truthy(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, convert] = args.bind("truthy", ["value", "convert_bool"], 1)?;
    let value = match value {
        Some(Value::Undefined(undefined)) => return Err(undefined.error()),
        value => value.unwrap_or(Value::None),
    };
    if convert.is_some_and(|c| c.truth())
        && let Some(converted) = super::to_bool(&value)
    {
        return Ok(Value::Bool(converted));
    }
    Ok(Value::Bool(value.truth()))
}

fn path(args: Args, test: fn(&Path) -> bool) -> Result<Value> {
    Ok(Value::Bool(test(Path::new(&first(args)?.to_str()))))
}
