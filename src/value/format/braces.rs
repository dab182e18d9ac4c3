//! `text.format(…)`.

use super::percent::ascii;
use super::spec::format_value;
use crate::diag::{Error, Kind, Result};
use crate::value::ops::fits;
use crate::value::{Args, Runtime, Str, Value, escape_html, str_repr};

/// How fields without a number are counted.
#[derive(Clone, Copy)]
enum Numbering {
    Undecided,
    Automatic(usize),
    Manual,
}

/// Applies `text.format(*args, **kwargs)`; in markup, what fills the fields is escaped.
///
/// # Errors
/// Python's errors for missing fields and wrong braces.
pub fn str_format(runtime: &mut dyn Runtime, text: &Str, args: &Args) -> Result<String> {
    let mut out = String::new();
    let mut auto = Numbering::Undecided;
    let chars: Vec<char> = text.chars().collect();
    fields(
        runtime,
        (&chars, text.is_markup()),
        args,
        &mut auto,
        &mut out,
        0,
    )?;
    Ok(out)
}

fn fields(
    runtime: &mut dyn Runtime,
    (chars, escapes): (&[char], bool),
    args: &Args,
    auto: &mut Numbering,
    out: &mut String,
    depth: usize,
) -> Result<()> {
    if depth > 2 {
        return Err(Error::value_error("Max string recursion exceeded"));
    }
    let mut at = 0;
    while at < chars.len() {
        match chars[at] {
            '{' if chars.get(at + 1) == Some(&'{') => {
                out.push('{');
                at += 2;
            }
            '}' if chars.get(at + 1) == Some(&'}') => {
                out.push('}');
                at += 2;
            }
            '}' => {
                return Err(Error::value_error(
                    "Single '}' encountered in format string",
                ));
            }
            '{' => {
                let mut level = 1;
                let start = at + 1;
                if start == chars.len() {
                    return Err(Error::value_error(
                        "Single '{' encountered in format string",
                    ));
                }
                at = start;
                while at < chars.len() && level > 0 {
                    match chars[at] {
                        '{' => level += 1,
                        '}' => level -= 1,
                        _ => {}
                    }
                    at += 1;
                }
                if level > 0 {
                    return Err(Error::value_error("expected '}' before end of string"));
                }
                let inside = &chars[start..at - 1];
                let colon = inside
                    .iter()
                    .position(|c| *c == ':')
                    .unwrap_or(inside.len());
                let (head, spec) = (&inside[..colon], inside.get(colon + 1..).unwrap_or(&[]));
                let bang = head.iter().position(|c| *c == '!');
                let name: String = head[..bang.unwrap_or(head.len())].iter().collect();
                let value = lookup(runtime, &name, args, auto)?;
                let value = match bang.and_then(|bang| head.get(bang + 1)) {
                    Some('r') => Value::str(match &value {
                        Value::Str(text) => str_repr(text),
                        other => other.repr(),
                    }),
                    Some('s') => Value::str(value.to_str()),
                    Some('a') => Value::str(ascii(&value.repr())),
                    Some(other) => {
                        return Err(Error::value_error(format!(
                            "Unknown conversion specifier {other}"
                        )));
                    }
                    None => value,
                };
                let mut made = String::new();
                fields(runtime, (spec, false), args, auto, &mut made, depth + 1)?;
                let filled = format_value(&value, &made)?;
                if escapes && !matches!(&value, Value::Str(part) if part.is_markup()) {
                    out.push_str(&escape_html(&filled));
                } else {
                    out.push_str(&filled);
                }
                fits(out.len())?;
            }
            c => {
                out.push(c);
                at += 1;
            }
        }
    }
    Ok(())
}

fn lookup(
    runtime: &mut dyn Runtime,
    name: &str,
    args: &Args,
    auto: &mut Numbering,
) -> Result<Value> {
    let end = name.find(['.', '[']).unwrap_or(name.len());
    let (first, mut rest) = name.split_at(end);
    let mut value = if first.is_empty() || first.bytes().all(|b| b.is_ascii_digit()) {
        let index = match (first.parse::<usize>(), *auto) {
            (Ok(_), Numbering::Automatic(_)) => {
                return Err(Error::value_error(
                    "cannot switch from automatic field numbering to manual field specification",
                ));
            }
            (Ok(index), _) => {
                *auto = Numbering::Manual;
                index
            }
            (Err(_), Numbering::Manual) => {
                return Err(Error::value_error(
                    "cannot switch from manual field specification to automatic field numbering",
                ));
            }
            (Err(_), Numbering::Automatic(next)) => {
                *auto = Numbering::Automatic(next + 1);
                next
            }
            (Err(_), Numbering::Undecided) => {
                *auto = Numbering::Automatic(1);
                0
            }
        };
        args.positional.get(index).cloned().ok_or_else(|| {
            Error::new(
                Kind::Value,
                format!("Replacement index {index} out of range for positional args tuple"),
            )
        })?
    } else {
        args.keyword
            .iter()
            .find(|(key, _)| key == first)
            .map(|(_, value)| value.clone())
            .ok_or_else(|| Error::value_error(format!("'{first}'")))?
    };
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let name = &after[..end];
            // Items are no attributes here.
            if value.get(name).is_some() && !matches!(value, Value::Object(_)) {
                return Err(Error::new(
                    Kind::Value,
                    format!("'{}' object has no attribute '{name}'", value.type_name()),
                ));
            }
            value = runtime.attribute(&value, name)?;
            rest = &after[end..];
        } else {
            let after = rest.strip_prefix('[').unwrap_or(rest);
            let Some(end) = after.find(']') else {
                return Err(Error::value_error("Missing ']' in format string"));
            };
            let key = &after[..end];
            let key = key
                .parse::<i64>()
                .map_or_else(|_| Value::str(key), Value::Int);
            value = runtime.item(&value, &key)?;
            rest = &after[end + 1..];
        }
    }
    Ok(value)
}
