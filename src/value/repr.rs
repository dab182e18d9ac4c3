//! `repr()` and `str()` of Python.

use std::fmt::Write;

use super::{MAX_DEPTH, Value, float_repr};

impl Value {
    /// Returns Python's `repr()`.
    pub fn repr(&self) -> String {
        let mut out = String::new();
        write_repr(&mut out, self, &mut Vec::new());
        out
    }

    /// Returns Python's `str()`; an undefined gives the empty string (callers that must raise check
    /// first).
    pub fn to_str(&self) -> String {
        match self {
            Value::Str(text) => text.as_str().to_owned(),
            Value::Object(object) => object.str(),
            Value::Undefined(_) => String::new(),
            other => other.repr(),
        }
    }
}

fn write_repr(out: &mut String, value: &Value, open: &mut Vec<usize>) {
    // Longer than any text may be: whoever asked refuses it.
    if out.len() > super::ops::MAX_REPEATED {
        return;
    }
    match value {
        Value::Undefined(undefined) => out.push_str(&undefined.repr()),
        Value::None => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Int(i) => {
            let _ = write!(out, "{i}");
        }
        Value::Big(big) => {
            let _ = write!(out, "{big}");
        }
        Value::Float(f) => out.push_str(&float_repr(*f)),
        Value::Str(text) if text.is_markup() => {
            let _ = write!(out, "Markup({})", str_repr(text));
        }
        Value::Str(text) => out.push_str(&str_repr(text)),
        Value::Bytes(bytes) => bytes_repr(out, bytes),
        Value::List(list) => {
            if open.contains(&list.id()) || open.len() >= MAX_DEPTH {
                out.push_str("[...]");
                return;
            }
            open.push(list.id());
            out.push('[');
            write_items(out, &list.borrow(), open);
            out.push(']');
            open.pop();
        }
        Value::Tuple(_) if open.len() >= MAX_DEPTH => out.push_str("(...)"),
        Value::Tuple(items) => {
            open.push(0);
            out.push('(');
            write_items(out, items, open);
            out.push_str(if items.len() == 1 { ",)" } else { ")" });
            open.pop();
        }
        Value::Dict(dict) => {
            if open.contains(&dict.id()) || open.len() >= MAX_DEPTH {
                out.push_str("{...}");
                return;
            }
            open.push(dict.id());
            out.push('{');
            for (index, (key, item)) in dict.borrow().iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_repr(out, key.value(), open);
                out.push_str(": ");
                write_repr(out, item, open);
            }
            out.push('}');
            open.pop();
        }
        Value::Set(set) => {
            if set.is_empty() {
                out.push_str("set()");
                return;
            }
            out.push('{');
            let items: Vec<Value> = set.borrow().iter().map(|k| k.value().clone()).collect();
            write_items(out, &items, open);
            out.push('}');
        }
        Value::Range(start, stop, 1) => {
            let _ = write!(out, "range({start}, {stop})");
        }
        Value::Range(start, stop, step) => {
            let _ = write!(out, "range({start}, {stop}, {step})");
        }
        Value::Object(object) => out.push_str(&object.repr()),
    }
}

fn write_items(out: &mut String, items: &[Value], open: &mut Vec<usize>) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write_repr(out, item, open);
    }
}

fn bytes_repr(out: &mut String, bytes: &[u8]) {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') {
        b'"'
    } else {
        b'\''
    };
    out.push('b');
    out.push(quote as char);
    for byte in bytes {
        match byte {
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b'\\' => out.push_str("\\\\"),
            b if *b == quote => {
                out.push('\\');
                out.push(*b as char);
            }
            0x20..0x7f => out.push(*byte as char),
            _ => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push(quote as char);
}

/// Returns Python's `repr()` of a string: single quotes unless only single quotes are inside.
pub fn str_repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            ' '..='~' => out.push(c),
            c if is_printable(c) => out.push(c),
            c => {
                let code = c as u32;
                let _ = match code {
                    0..=0xff => write!(out, "\\x{code:02x}"),
                    0x100..=0xffff => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push(quote);
    out
}

/// Says whether `repr()` shows a character as it is (`str.isprintable`).
///
/// Categories Other and Separator are not printable, but for the space. The ranges below are those
/// of assigned format, separator and private characters; unassigned ones count as printable.
fn is_printable(c: char) -> bool {
    !(c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(c as u32,
            0xad | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x890..=0x891 | 0x8e2 | 0x180e
            | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0xe000..=0xf8ff | 0xfeff
            | 0xfff0..=0xfffb | 0xfffe..=0xffff | 0x110bd | 0x110cd | 0x13430..=0x1343f
            | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff | 0xf0000..=0x0010_ffff))
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.repr())
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_chosen_as_python_does() {
        assert_eq!(str_repr("a"), "'a'");
        assert_eq!(str_repr("it's"), "\"it's\"");
        assert_eq!(str_repr("it's \"q\""), "'it\\'s \"q\"'");
        assert_eq!(str_repr("é\u{a0}\u{1}\n"), "'é\\xa0\\x01\\n'");
    }

    #[test]
    fn a_list_that_contains_itself_is_cut() {
        let list = crate::value::List::new(vec![Value::from(1)]);
        list.push(Value::List(list.clone()));
        assert_eq!(Value::List(list.clone()).repr(), "[1, [...]]");
        list.borrow_mut().clear();
    }

    #[test]
    fn tuples_of_one_keep_their_comma() {
        assert_eq!(Value::tuple(vec![Value::None]).repr(), "(None,)");
    }
}
