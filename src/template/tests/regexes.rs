//! Tests by regular expressions.

use super::failed;
use crate::diag::Result;
use crate::jinja::Row;
use crate::template::filters::translate_between;
use crate::value::{Args, Runtime, Value};

pub(super) static TABLE: &[Row] = &[
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
];

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
    let (before, behind) = match kind.as_str() {
        "match" => ("\\A(?:", ")"),
        "fullmatch" => ("\\A(?:", ")\\z"),
        _ => ("", ""),
    };
    let (ignore_case, multi_line) = (flag(ignore_case), flag(multi_line));
    let regex = translate_between(before, &pattern, behind, ignore_case, multi_line, false)?;
    regex
        .is_match(&text)
        .map(Value::Bool)
        .map_err(|error| failed(error.to_string()))
}
