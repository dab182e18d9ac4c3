//! What a template's output becomes: a value, by the rules of the level.

use crate::compat::Level;
use crate::diag::Result;
use crate::value::{Str, Value, from_json_text, literal};

/// One piece is its value; several are text; none is `None`.
pub(super) fn native(pieces: Vec<Value>, level: Level) -> Result<Value> {
    let mut pieces = pieces;
    match pieces.len() {
        0 if level.empty_template_is_none() => Ok(Value::None),
        0 => Ok(Value::str("")),
        1 => Ok(pieces.remove(0)),
        _ => Ok(Value::Str(Str::new(
            pieces.iter().map(text).collect::<String>(),
        ))),
    }
}

fn text(value: &Value) -> String {
    if value.is_none() {
        String::new()
    } else {
        value.to_str()
    }
}

/// Reads text back as data where it looks like a container or a boolean.
///
/// **Source:** Ansible before 2.19.
pub(super) fn from_text(text: &str) -> Value {
    let candidate =
        text.starts_with('{') || text.starts_with('[') || matches!(text, "True" | "False");
    if candidate {
        if let Some(value) = literal(text) {
            return value;
        }
        if let Ok(value) = from_json_text(text) {
            return value;
        }
    }
    Value::str(text)
}

/// Filters whose text is never read back.
///
/// **Source:** the default of Ansible's setting `STRING_TYPE_FILTERS`.
const TEXT_FILTERS: &[&str] = &[
    "string",
    "to_json",
    "to_nice_json",
    "to_yaml",
    "to_nice_yaml",
    "ppretty",
    "json",
];

/// Says whether an output of a template ends in a filter whose text is never read back.
pub(super) fn stays_text(template: &str) -> bool {
    template.split("}}").any(|output| {
        let Some((_, last)) = output.rsplit_once('|') else {
            return false;
        };
        let last = last.trim();
        let end = last
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(last.len());
        let (name, rest) = last.split_at(end);
        let rest = rest.trim();
        TEXT_FILTERS.contains(&name) && (rest.is_empty() || rest.ends_with(')'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_becomes_json_stays_text() {
        assert!(stays_text("{{ a | to_json }}"));
        assert!(stays_text("{{ (a | to_nice_json(indent=2)) }}"));
        assert!(!stays_text("{{ a | to_json | from_json }}"));
        assert!(!stays_text("{{ a }}"));
    }

    #[test]
    fn text_that_reads_as_a_container_becomes_one() {
        assert_eq!(from_text("[1, 'a']").repr(), "[1, 'a']");
        assert_eq!(from_text("{\"a\": true}").repr(), "{'a': True}");
        assert_eq!(from_text("True").repr(), "True");
        assert_eq!(from_text("5").repr(), "'5'");
        assert_eq!(from_text("[a").repr(), "'[a'");
    }
}
