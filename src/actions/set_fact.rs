//! `set_fact`: sets variables of the host.

use super::{Context, Prepared};
use crate::diag::{Error, Kind, Result};
use crate::value::{Dict, Value, to_bool};

pub(super) fn run(context: &Context, args: Dict) -> Result<Prepared> {
    let cacheable = args
        .get("cacheable")
        .is_some_and(|value| to_bool(&value).unwrap_or(false));
    let facts = Dict::new();
    for (key, value) in args.to_vec() {
        let Some(name) = key.as_str() else {
            return Err(not_a_name(context, key.value()));
        };
        if name == "cacheable" {
            continue;
        }
        let reserved = if context.level.keywords_are_names() {
            CONSTANTS
        } else {
            KEYWORDS
        };
        if !is_name(name) || reserved.contains(&name) {
            return Err(not_a_name(context, key.value()));
        }
        facts.set_key(key.clone(), native(context, value));
    }
    if facts.is_empty() && context.level.wants_facts() {
        return Err(Error::new(
            Kind::Argument,
            "No key/value pairs provided, at least one is required for this action to succeed",
        ));
    }
    let facts = if context.level.sorts_facts() {
        let mut pairs = facts.to_vec();
        pairs.sort_by(|(a, _), (b, _)| a.as_str().cmp(&b.as_str()));
        pairs.into_iter().collect()
    } else {
        facts
    };
    let result = Dict::new();
    result.set("changed", false);
    result.set("ansible_facts", facts);
    result.set("_ansible_facts_cacheable", cacheable);
    Ok(Prepared::Done(result))
}

/// Turns the words for booleans into booleans where the level's templates give text only.
///
/// **Source:** Ansible before 2.19: `k=yes` and `"{{ true }}"` became booleans in `set_fact`.
fn native(context: &Context, value: Value) -> Value {
    if context.level.native_results() {
        return value;
    }
    match value.as_str().map(str::to_ascii_lowercase).as_deref() {
        Some("true" | "yes") => Value::Bool(true),
        Some("false" | "no") => Value::Bool(false),
        _ => value,
    }
}

fn not_a_name(context: &Context, key: &Value) -> Error {
    let name = key.to_str();
    if context.level.shows_error_blocks() {
        let of_type = match key {
            Value::Str(_) => String::new(),
            other => format!(" of type '{}'", other.type_name()),
        };
        let error = Error::value_error(format!("Invalid variable name '{name}'{of_type}."))
            .note("Variable names must be strings starting with a letter or underscore character, and contain only letters, numbers and underscores.");
        let span = match key {
            Value::Str(text) => text.span(),
            _ => None,
        };
        return match span {
            Some(span) => error.at(span),
            None => error,
        };
    }
    Error::new(
        Kind::Argument,
        format!(
            "The variable name '{name}' is not valid. Variables must start with a letter or underscore character, and contain only letters, numbers and underscores."
        ),
    )
}

/// Names of constants in templates.
const CONSTANTS: &[&str] = &["False", "None", "True", "false", "none", "true"];

/// Python's keywords.
const KEYWORDS: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
    "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while",
    "with", "yield",
];

/// Says whether a text can be a variable's name.
fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn names_begin_with_a_letter_or_underscore() {
        assert!(is_name("_a1"));
        assert!(!is_name("1a") && !is_name("a-b") && !is_name(""));
    }
}
