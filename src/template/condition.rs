//! Conditions: `when`, `failed_when`, `until`, `assert`.

use super::templar::{Templar, is_template};
use crate::diag::{Error, Kind, Result};
use crate::value::{Str, Value};

/// Evaluates a condition by the rules of the level.
pub(super) fn evaluate(templar: &Templar, condition: &Value) -> Result<bool> {
    let level = templar.0.shared.options.level;
    match condition {
        Value::Bool(b) => Ok(*b),
        Value::None => Ok(true),
        Value::List(list) => {
            for item in list.to_vec() {
                if !evaluate(templar, &item)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Value::Str(text) => expression(templar, text),
        Value::Undefined(undefined) => Err(undefined.error()),
        other if level.strict_conditions() => Err(not_boolean(other, None)),
        other => Ok(other.truth()),
    }
}

fn expression(templar: &Templar, text: &Str) -> Result<bool> {
    let level = templar.0.shared.options.level;
    if text.trim().is_empty() {
        return Ok(true);
    }
    let mut text = text.clone();
    if level.bare_conditions()
        && let Some(Value::Str(inner)) = templar.0.vars.get(text.trim())
    {
        // A bare name that holds text: the text is the condition.
        if inner.trim().is_empty() {
            return Ok(false);
        }
        text = inner;
    }
    if is_template(&text) {
        // Delimiters don't belong here; what they give is the condition.
        match templar.template(&text)? {
            Value::Bool(b) => return Ok(b),
            Value::Str(inner) => text = text.like(inner.as_str()),
            other if level.strict_conditions() => return Err(not_boolean(&other, Some(&text))),
            other => return Ok(other.truth()),
        }
    }
    let failed = |error: Error| {
        if level.strict_conditions() {
            let wrapped = Error::new(error.kind(), "Error while evaluating conditional");
            let wrapped = match text.span() {
                Some(span) => wrapped.at(span),
                None => wrapped,
            };
            return wrapped.caused_by(error);
        }
        Error::new(
            error.kind(),
            format!(
                "The conditional check '{text}' failed. The error was: error while evaluating conditional ({text}): {}",
                error.full_message()
            ),
        )
    };
    match templar.expression(&text).map_err(failed)? {
        Value::Bool(b) => Ok(b),
        other if level.strict_conditions() => Err(not_boolean(&other, Some(&text))),
        other => Ok(other.truth()),
    }
}

fn not_boolean(value: &Value, text: Option<&Str>) -> Error {
    let from = match text.and_then(Str::origin) {
        Some(_) => String::new(),
        None => String::new(),
    };
    let truth = if value.truth() { "True" } else { "False" };
    let error = Error::new(
        Kind::Type,
        format!(
            "Conditional result ({truth}) was derived from value of type '{}'{from}. Conditionals must have a boolean result.",
            value.type_name()
        ),
    )
    .help("compare it (`x | length > 0`), convert it (`x | bool`), or set `compat` to the level the content is written for");
    match text.and_then(Str::span) {
        Some(span) => error.at(span),
        None => error,
    }
}
