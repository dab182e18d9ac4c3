//! Groups of a match in a replacement: `\1`, `\g<name>` and escapes, as Python's `re` has them.

use fancy_regex::{Captures, Regex};

/// The replacement of a regular expression, read once.
///
/// **Source:** Python's `re.sub` and `Match.expand`, as documented, and messages as printed by
/// Python 3.11.
#[derive(Debug, PartialEq, Eq)]
pub struct Replacement(Vec<Part>);

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Group(usize),
}

impl Replacement {
    /// Reads a replacement for matches of an expression.
    ///
    /// # Errors
    /// Python's message about a group that there isn't, or an escape.
    pub fn parse(text: &str, regex: &Regex) -> Result<Replacement, String> {
        let chars: Vec<char> = text.chars().collect();
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut at = 0;
        while let Some(&c) = chars.get(at) {
            at += 1;
            if c != '\\' {
                literal.push(c);
                continue;
            }
            let start = at - 1;
            let Some(&escaped) = chars.get(at) else {
                return Err(format!("bad escape (end of pattern) at position {start}"));
            };
            at += 1;
            let group = match escaped {
                'g' => Some(named(&chars, &mut at, regex)?),
                '0'..='9' => match octal(&chars, start, &mut at)? {
                    Some(c) => {
                        literal.push(c);
                        None
                    }
                    None => Some(numbered(&chars, start, &mut at, regex)?),
                },
                'a' => push(&mut literal, '\u{7}'),
                'b' => push(&mut literal, '\u{8}'),
                'f' => push(&mut literal, '\u{c}'),
                'n' => push(&mut literal, '\n'),
                'r' => push(&mut literal, '\r'),
                't' => push(&mut literal, '\t'),
                'v' => push(&mut literal, '\u{b}'),
                '\\' => push(&mut literal, '\\'),
                letter if letter.is_ascii_alphabetic() => {
                    return Err(format!("bad escape \\{letter} at position {start}"));
                }
                other => {
                    literal.push('\\');
                    push(&mut literal, other)
                }
            };
            if let Some(group) = group {
                parts.push(Part::Text(std::mem::take(&mut literal)));
                parts.push(Part::Group(group));
            }
        }
        parts.push(Part::Text(literal));
        Ok(Replacement(parts))
    }

    /// Returns the text that replaces a match; a group that took no part is empty.
    pub fn expand(&self, captures: &Captures<str>) -> String {
        let parts = self.0.iter().map(|part| match part {
            Part::Text(text) => text.as_str(),
            Part::Group(index) => captures.get(*index).map_or("", |group| group.as_str()),
        });
        parts.collect()
    }
}

fn push(literal: &mut String, c: char) -> Option<usize> {
    literal.push(c);
    None
}

/// Reads `<name>` or `<number>` behind `\g`.
fn named(chars: &[char], at: &mut usize, regex: &Regex) -> Result<usize, String> {
    if chars.get(*at) != Some(&'<') {
        return Err(format!("missing < at position {at}"));
    }
    let start = *at + 1;
    let rest = &chars[start..];
    let Some(length) = rest.iter().position(|c| *c == '>') else {
        return Err(if rest.is_empty() {
            format!("missing group name at position {start}")
        } else {
            format!("missing >, unterminated name at position {start}")
        });
    };
    let name: String = rest[..length].iter().collect();
    *at = start + length + 1;
    if name.is_empty() {
        return Err(format!("missing group name at position {start}"));
    }
    if let Ok(index) = name.parse::<usize>() {
        return known(index, start, regex);
    }
    let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if !is_name {
        return Err(format!(
            "bad character in group name '{name}' at position {start}"
        ));
    }
    let index = regex.capture_names().position(|known| known == Some(&name));
    index.ok_or_else(|| format!("unknown group name '{name}'"))
}

/// Reads an octal escape: `\0`, `\07`, three octal digits.
fn octal(chars: &[char], start: usize, at: &mut usize) -> Result<Option<char>, String> {
    let digit = |index: usize| chars.get(index).and_then(|c| c.to_digit(8));
    let value = if chars[start + 1] == '0' {
        let mut value = 0;
        for _ in 0..2 {
            if let Some(next) = digit(*at) {
                value = value * 8 + next;
                *at += 1;
            }
        }
        value
    } else if let (Some(a), Some(b), Some(c)) =
        (digit(start + 1), digit(start + 2), digit(start + 3))
    {
        *at = start + 4;
        a * 64 + b * 8 + c
    } else {
        return Ok(None);
    };
    if value > 0o377 {
        let written: String = chars[start..*at].iter().collect();
        return Err(format!(
            "octal escape value {written} outside of range 0-0o377 at position {start}"
        ));
    }
    Ok(char::from_u32(value))
}

/// Reads the number of a group: one digit or two.
fn numbered(chars: &[char], start: usize, at: &mut usize, regex: &Regex) -> Result<usize, String> {
    let digit = |index: usize| chars.get(index).and_then(|c| c.to_digit(10));
    let mut index = digit(start + 1).unwrap_or(0) as usize;
    if let Some(next) = digit(*at) {
        index = index * 10 + next as usize;
        *at += 1;
    }
    known(index, start + 1, regex)
}

fn known(index: usize, at: usize, regex: &Regex) -> Result<usize, String> {
    if index < regex.captures_len() {
        Ok(index)
    } else {
        Err(format!("invalid group reference {index} at position {at}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(replacement: &str) -> Result<String, String> {
        let regex = Regex::new("(a)(?P<n>b)?(c)?").expect("regex");
        let captures = regex.captures("ab").expect("runs").expect("matches");
        Replacement::parse(replacement, &regex).map(|made| made.expand(&captures))
    }

    #[test]
    fn groups_are_expanded_by_number_and_by_name() {
        assert_eq!(
            expanded("\\2\\g<n>\\g<0>[\\3]\\n\\.\\101"),
            Ok("bbab[]\n\\.A".to_owned())
        );
    }

    #[test]
    fn what_is_wrong_is_said_as_python_does() {
        for (replacement, message) in [
            ("\\7", "invalid group reference 7 at position 1"),
            ("x\\g<7>", "invalid group reference 7 at position 4"),
            ("\\g<m>", "unknown group name 'm'"),
            ("\\g", "missing < at position 2"),
            ("\\g<1", "missing >, unterminated name at position 3"),
            ("\\d", "bad escape \\d at position 0"),
            ("\\", "bad escape (end of pattern) at position 0"),
            (
                "\\400",
                "octal escape value \\400 outside of range 0-0o377 at position 0",
            ),
        ] {
            assert_eq!(expanded(replacement), Err(message.to_owned()));
        }
    }
}
