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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_reads_as_a_container_becomes_one() {
        assert_eq!(from_text("[1, 'a']").repr(), "[1, 'a']");
        assert_eq!(from_text("{\"a\": true}").repr(), "{'a': True}");
        assert_eq!(from_text("True").repr(), "True");
        assert_eq!(from_text("5").repr(), "'5'");
        assert_eq!(from_text("[a").repr(), "'[a'");
    }
}
