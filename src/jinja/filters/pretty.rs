//! Values over several lines: what `pprint` shows.

use std::cmp::Ordering;
use std::rc::Rc;

use crate::jinja::methods::lines;
use crate::value::{Dict, MAX_DEPTH, Object, Set, Value};

/// How wide a line may be, in characters.
const WIDTH: usize = 80;

/// Shows a value in lines of 80 characters, the keys of dicts sorted.
///
/// **Source:** the documentation of Python's `pprint.pformat`, with what it does by default.
pub fn pretty(value: &Value) -> String {
    let mut out = Lines::default();
    out.write(&sorted(value, 0, MAX_DEPTH + 1), 0, 0, true);
    out.text
}

/// As [`pretty`], with dots in place of what is nested deeper, and as many items on a line as it has
/// room for (`depth`, `compact`).
pub(in crate::jinja) fn pretty_within(value: &Value, depth: usize) -> String {
    let mut out = Lines {
        compact: true,
        ..Lines::default()
    };
    out.write(&sorted(value, 0, depth), 0, 0, true);
    out.text
}

/// Stands for the items of something that is nested too deep.
struct Dots(&'static str);

impl Object for Dots {
    fn type_name(&self) -> &'static str {
        "dots"
    }

    fn repr(&self) -> String {
        self.0.to_owned()
    }
}

/// Returns a value whose dicts are in the order of their keys.
fn sorted(value: &Value, depth: usize, within: usize) -> Value {
    let all = |items: &[Value]| {
        let items = items.iter();
        items.map(|item| sorted(item, depth + 1, within)).collect()
    };
    let dots = |text| Value::Object(Rc::new(Dots(text)));
    let is_cut = depth >= within && value.len().is_some_and(|len| len > 0);
    match value {
        Value::List(_) if is_cut => dots("[...]"),
        Value::Tuple(_) if is_cut => dots("(...)"),
        Value::Dict(_) if is_cut => dots("{...}"),
        Value::List(list) => Value::list(all(&list.to_vec())),
        Value::Tuple(items) => Value::tuple(all(items)),
        Value::Dict(dict) => {
            let mut pairs = dict.to_vec();
            pairs.sort_by(|(a, _), (b, _)| in_order(a.value(), b.value()));
            let made = Dict::new();
            for (key, item) in pairs {
                made.set_key(key, sorted(&item, depth + 1, within));
            }
            Value::Dict(made)
        }
        other => other.clone(),
    }
}

/// Orders any two values: unlike types by their names.
fn in_order(a: &Value, b: &Value) -> Ordering {
    match a.order(b, "<") {
        Ok(order) => order.unwrap_or(Ordering::Equal),
        Err(_) => a.type_name().cmp(b.type_name()),
    }
}

/// What is written so far.
#[derive(Default)]
struct Lines {
    text: String,
    /// Fills lines with items.
    compact: bool,
}

impl Lines {
    /// Writes a value that begins behind `indent` characters, with `behind` characters to come after it.
    fn write(&mut self, value: &Value, indent: usize, behind: usize, is_top: bool) {
        let short = value.repr();
        if width(&short) <= WIDTH.saturating_sub(indent + behind) {
            self.text.push_str(&short);
            return;
        }
        match value {
            Value::Dict(dict) => {
                self.text.push('{');
                let pairs = dict.to_vec();
                for (at, (key, item)) in pairs.iter().enumerate() {
                    self.separate(at, indent + 1);
                    let key = key.value().repr();
                    self.text.push_str(&key);
                    self.text.push_str(": ");
                    let behind = if at + 1 == pairs.len() { behind + 1 } else { 1 };
                    self.write(item, indent + 1 + width(&key) + 2, behind, false);
                }
                self.text.push('}');
            }
            Value::List(list) => self.write_items("[", &list.to_vec(), "]", indent, behind),
            Value::Tuple(items) if items.len() == 1 => {
                self.write_items("(", items, ",)", indent, behind);
            }
            Value::Tuple(items) => self.write_items("(", items, ")", indent, behind),
            Value::Set(set) if !set.is_empty() => {
                self.write_items("{", &members(set), "}", indent, behind);
            }
            Value::Str(text) => self.write_text(text, indent, behind, is_top),
            _ => self.text.push_str(&short),
        }
    }

    fn write_items(
        &mut self,
        open: &str,
        items: &[Value],
        close: &str,
        indent: usize,
        behind: usize,
    ) {
        self.text.push_str(open);
        if self.compact {
            self.write_filled(items, indent + 1, behind + close.len());
            self.text.push_str(close);
            return;
        }
        for (at, item) in items.iter().enumerate() {
            self.separate(at, indent + 1);
            let is_last = at + 1 == items.len();
            let behind = if is_last { behind + close.len() } else { 1 };
            self.write(item, indent + 1, behind, false);
        }
        self.text.push_str(close);
    }

    /// Writes as many items on each line as it has room for.
    fn write_filled(&mut self, items: &[Value], indent: usize, behind: usize) {
        let mut room = WIDTH.saturating_sub(indent);
        let mut whole = room;
        for (at, item) in items.iter().enumerate() {
            if at + 1 == items.len() {
                whole = whole.saturating_sub(behind - 1);
                room = room.saturating_sub(behind - 1);
            }
            let wanted = width(&item.repr()) + 2;
            let is_full = room < wanted;
            if is_full {
                room = whole;
            }
            let begins = at == 0 || is_full;
            if begins {
                self.separate(at, indent);
            } else {
                self.text.push_str(", ");
            }
            room = room.saturating_sub(wanted);
            let behind = if at + 1 == items.len() { behind } else { 1 };
            self.write(item, indent, behind, false);
        }
    }

    /// Begins a line for each item but the first.
    fn separate(&mut self, at: usize, indent: usize) {
        if at > 0 {
            self.text.push_str(",\n");
            self.text.push_str(&" ".repeat(indent));
        }
    }

    /// Writes text as literals of a line each, broken behind blanks; in parentheses where it is all.
    fn write_text(&mut self, text: &str, indent: usize, behind: usize, is_top: bool) {
        let (indent, behind) = if is_top {
            (indent + 1, behind + 1)
        } else {
            (indent, behind)
        };
        let room = WIDTH.saturating_sub(indent);
        let last_room = room.saturating_sub(behind);
        let lines = lines(text);
        let mut chunks: Vec<String> = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            let is_last_line = at + 1 == lines.len();
            let whole = literal(line);
            if width(&whole) <= if is_last_line { last_room } else { room } {
                chunks.push(whole);
                continue;
            }
            let words = words(line);
            let mut current = String::new();
            for (at, word) in words.iter().enumerate() {
                let is_last = is_last_line && at + 1 == words.len();
                let candidate = format!("{current}{word}");
                if width(&literal(&candidate)) <= if is_last { last_room } else { room } {
                    current = candidate;
                    continue;
                }
                if !current.is_empty() {
                    chunks.push(literal(&current));
                }
                current = (*word).to_owned();
            }
            if !current.is_empty() {
                chunks.push(literal(&current));
            }
        }
        let shown = chunks.join(&format!("\n{}", " ".repeat(indent)));
        if is_top && chunks.len() > 1 {
            self.text.push('(');
            self.text.push_str(&shown);
            self.text.push(')');
        } else {
            self.text.push_str(&shown);
        }
    }
}

fn members(set: &Set) -> Vec<Value> {
    let mut items: Vec<Value> = set.borrow().iter().map(|key| key.value().clone()).collect();
    items.sort_by(in_order);
    items
}

/// Splits a line into words, each with the blanks behind it.
fn words(line: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let blanks = rest[word..].find(|c: char| !c.is_whitespace());
        let (one, others) = rest.split_at(blanks.map_or(rest.len(), |at| word + at));
        out.push(one);
        rest = others;
    }
    out
}

fn literal(text: &str) -> String {
    crate::value::str_repr(text)
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_on_a_line_stays_on_it_with_its_keys_sorted() {
        let value = crate::value::literal("{'b': 1, 'a': {'d': 1, 'c': [1]}}").expect("a literal");
        assert_eq!(pretty(&value), "{'a': {'c': [1], 'd': 1}, 'b': 1}");
    }

    #[test]
    fn long_lists_and_dicts_have_an_item_a_line_below_their_bracket() {
        let value = Value::list(vec![Value::str("x".repeat(50)), Value::str("y".repeat(50))]);
        let key = Value::dict([("k", value.clone()), ("z", Value::None)]);
        let (x, y) = ("x".repeat(50), "y".repeat(50));
        assert_eq!(pretty(&value), format!("['{x}',\n '{y}']"));
        assert_eq!(
            pretty(&key),
            format!("{{'k': ['{x}',\n       '{y}'],\n 'z': None}}")
        );
        let one = Value::tuple(vec![Value::str("x".repeat(90))]);
        assert_eq!(pretty(&one), format!("('{}',)", "x".repeat(90)));
    }

    #[test]
    fn long_text_breaks_behind_blanks() {
        let text = Value::str("aaa bbb ".repeat(15));
        assert_eq!(
            pretty(&text),
            "('aaa bbb aaa bbb aaa bbb aaa bbb aaa bbb aaa bbb aaa bbb aaa bbb aaa bbb aaa '\n 'bbb aaa bbb aaa bbb aaa bbb aaa bbb aaa bbb ')"
        );
    }
}
