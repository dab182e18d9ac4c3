//! What a template's output becomes: a value, by the rules of the level.

use crate::compat::Level;
use crate::diag::{Error, Result};
use crate::jinja::{Captured, plain_data};
use crate::value::{MAX_DEPTH, Str, Undefined, Value, from_json_text, literal};

/// One piece is its value; several are text, in which `None` is nothing; none is `None`.
pub(super) fn native(pieces: Vec<Value>, level: Level) -> Result<Value> {
    let none = pieces.is_empty();
    let mut pieces = pieces;
    if pieces.len() > 1 {
        pieces.retain(|piece| !piece.is_none());
    }
    match pieces.len() {
        0 if none && !level.empty_template_is_none() => Ok(Value::str("")),
        0 => Ok(Value::None),
        1 => {
            let value = pieces.remove(0);
            storable(&value, 0)?;
            Ok(value)
        }
        _ => {
            for piece in pieces.iter().filter(|piece| !piece.is_undefined()) {
                super::templar::check(piece, 0)?;
            }
            Ok(Value::Str(Str::new(
                pieces.iter().map(text).collect::<String>(),
            )))
        }
    }
}

/// Returns how a level makes the value of what a macro, a block or a `set` block wrote; `None` where
/// it is its text.
pub(super) fn captured(level: Level) -> Option<Captured> {
    if level.native_results() {
        Some(Captured {
            make: of_pieces,
            is_raw: true,
        })
    } else if level.reads_captured_text() {
        Some(Captured {
            make: of_text,
            is_raw: false,
        })
    } else {
        None
    }
}

/// One piece is its value, whatever it is; several are text, unless one of them is undefined.
fn of_pieces(mut pieces: Vec<Value>) -> Result<Value> {
    if pieces.len() == 1 {
        return Ok(pieces.remove(0));
    }
    let mut undefined = pieces.iter().filter_map(Value::undefined_inside);
    if let Some(undefined) = undefined.find(|undefined| !undefined.is_silent()) {
        return Ok(Value::Undefined(undefined));
    }
    let plain: Result<Vec<Value>> = pieces.iter().map(|piece| plain_data(piece, 0)).collect();
    let made = plain.and_then(|pieces| native(pieces, Level::V2_19));
    Ok(made.unwrap_or_else(|error| Value::undefined(Undefined::failed(error))))
}

/// Text is read back as data, but for what a filter made to be text.
fn of_text(mut pieces: Vec<Value>) -> Result<Value> {
    let mut inner = pieces.iter().filter(|piece| !piece.is_undefined());
    if let Some(undefined) = inner.find_map(Value::undefined_inside) {
        return Err(undefined.error());
    }
    Ok(match &pieces[..] {
        [Value::Str(text)] if text.is_final() => pieces.remove(0),
        pieces => {
            let shown = pieces.iter().filter(|piece| !piece.is_none());
            from_text(&shown.map(text).collect::<String>())
        }
    })
}

/// Marks what filters made to be text.
pub(super) fn filtered(name: &str, value: Value) -> Value {
    match value {
        Value::Str(text) if TEXT_FILTERS.contains(&name) => Value::Str(text.as_final()),
        value => value,
    }
}

/// Refuses what no variable can hold: ranges, functions, what isn't there.
fn storable(value: &Value, depth: usize) -> Result<()> {
    let refused = match value {
        Value::Range(..) => true,
        Value::Undefined(undefined) => undefined.is_silent(),
        Value::Object(object) => !object.is_storable(),
        Value::List(list) if depth < MAX_DEPTH => {
            return list
                .borrow()
                .iter()
                .try_for_each(|item| storable(item, depth + 1));
        }
        Value::Dict(dict) if depth < MAX_DEPTH => {
            return dict
                .borrow()
                .values()
                .try_for_each(|item| storable(item, depth + 1));
        }
        _ => false,
    };
    if refused {
        return Err(Error::type_error(format!(
            "Type '{}' is unsupported for variable storage.",
            value.type_name()
        )));
    }
    Ok(())
}

/// Says whether a value is or has a set.
pub(super) fn has_sets(value: &Value, depth: usize) -> bool {
    if depth > MAX_DEPTH {
        return false;
    }
    match value {
        Value::Set(_) => true,
        Value::List(list) => list.borrow().iter().any(|item| has_sets(item, depth + 1)),
        Value::Tuple(items) => items.iter().any(|item| has_sets(item, depth + 1)),
        Value::Dict(dict) => dict.borrow().values().any(|item| has_sets(item, depth + 1)),
        _ => false,
    }
}

fn text(value: &Value) -> String {
    if value.is_undefined() {
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
pub(super) fn stays_text(template: &str, level: Level) -> bool {
    let keeps_looked_up = ["convert_data=False", "convert_data=false"]
        .iter()
        .any(|option| template.contains(option));
    if level.keeps_looked_up_text() && keeps_looked_up && template.contains("lookup(") {
        return true;
    }
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
        assert!(stays_text("{{ a | to_json }}", Level::V2_18));
        assert!(stays_text(
            "{{ (a | to_nice_json(indent=2)) }}",
            Level::V2_18
        ));
        assert!(!stays_text("{{ a | to_json | from_json }}", Level::V2_18));
        assert!(!stays_text("{{ a }}", Level::V2_18));
        assert!(stays_text(
            "{{ lookup('template', 'a', convert_data=False) }}",
            Level::V2_18
        ));
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
