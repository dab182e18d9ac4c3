//! Ranges in host names: `node[1:3]`, `node[01:10:2]`, `[a:c]`; names with ports.
//!
//! **Source:** "How to build your inventory" of Ansible's documentation, and what ansible-inventory
//! was seen to do with odd names.

use crate::diag::{Error, Kind, Result};
use crate::value::{Value, ops};

/// How many hosts one pattern may mean.
const MAX_HOSTS: usize = 1_000_000;

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Reads an integer as Python's `int` does.
///
/// # Errors
/// Python's `ValueError`.
pub(super) fn int(value: &Value) -> Result<i64> {
    let number = match value {
        Value::Str(_) => ops::to_integer(value, 10),
        other => Some(other.clone()),
    };
    number.and_then(|number| number.as_i64()).ok_or_else(|| {
        Error::value_error(format!(
            "invalid literal for int() with base 10: {}",
            value.repr()
        ))
    })
}

/// Reads a host pattern of an INI inventory: the names that it means, and the port.
///
/// # Errors
/// As [`hosts`]; a colon at the end.
pub(super) fn hosts_of_line(pattern: &str) -> Result<(Vec<String>, Option<i64>)> {
    if pattern.trim().ends_with(':') && !pattern.contains('[') {
        return Err(Error::new(
            Kind::Inventory,
            format!(
                "Invalid host pattern '{pattern}' supplied, ending in ':' is not allowed, this character is reserved to provide a port."
            ),
        ));
    }
    if pattern == "---" {
        return Err(Error::new(
            Kind::Inventory,
            "Invalid host pattern '---' supplied, '---' is normally a sign this is a YAML file.",
        ));
    }
    hosts(pattern)
}

/// Reads a host pattern of an inventory: the names that it means, and the port.
///
/// # Errors
/// A range that can't be read.
pub(super) fn hosts(pattern: &str) -> Result<(Vec<String>, Option<i64>)> {
    let (name, port) = address(pattern, true).unwrap_or((pattern.to_owned(), None));
    Ok((expand(&name)?, port))
}

/// Splits a network address from its port; none where it isn't one.
pub(super) fn address(text: &str, with_ranges: bool) -> Option<(String, Option<i64>)> {
    let port_of = |text: &str| -> Option<i64> {
        (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse().ok())
            .flatten()
    };
    let mut found = (text, None);
    if let Some((host, port)) = text.rsplit_once(':')
        && let Some(port) = port_of(port)
    {
        if let Some(inside) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
            found = (inside, Some(port));
        } else if !has_colon_outside_ranges(host) {
            found = (host, Some(port));
        }
    }
    is_address(found.0, with_ranges).then(|| (found.0.to_owned(), found.1))
}

fn has_colon_outside_ranges(host: &str) -> bool {
    let mut inside = false;
    host.chars().any(|c| {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            _ => {}
        }
        c == ':' && !inside
    })
}

/// Says whether a text is an IPv4 or IPv6 address or a host name, ranges in place of parts allowed.
fn is_address(host: &str, with_ranges: bool) -> bool {
    if host.parse::<std::net::Ipv6Addr>().is_ok() {
        return true;
    }
    // A range stands for a letter or digit.
    let mut plain = String::new();
    let mut rest = host;
    while let Some(open) = rest.find('[') {
        let Some(close) = rest[open..].find(']').filter(|_| with_ranges) else {
            return false;
        };
        let inside = &rest[open + 1..open + close];
        let parts: Vec<&str> = inside.split(':').collect();
        let is_number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let is_letter =
            |part: &str| part.len() == 1 && part.bytes().all(|b| b.is_ascii_alphabetic());
        let is_range = match parts[..] {
            [from, to] | [from, to, _] => {
                (is_number(from) && is_number(to) && !to.is_empty())
                    || (is_letter(from) && is_letter(to))
            }
            _ => false,
        } && parts
            .get(2)
            .is_none_or(|step| !step.is_empty() && is_number(step));
        if !is_range {
            return false;
        }
        plain.push_str(&rest[..open]);
        plain.push('0');
        rest = &rest[open + close + 1..];
    }
    plain.push_str(rest);
    let word = |c: char| c.is_alphanumeric() || c == '_';
    !plain.is_empty()
        && plain.split('.').all(|label| {
            label.chars().next().is_some_and(word)
                && label.chars().next_back().is_some_and(word)
                && label.chars().all(|c| word(c) || c == '-')
                && label.chars().count() <= 63
        })
}

/// Unfolds the ranges of a host name, leftmost slowest.
///
/// # Errors
/// A range without an end, with unlike ends, or too large.
pub(super) fn expand(name: &str) -> Result<Vec<String>> {
    let mut out = Vec::new();
    unfold(name, &mut out)?;
    Ok(out)
}

fn unfold(name: &str, out: &mut Vec<String>) -> Result<()> {
    if !name.contains('[') {
        if out.len() >= MAX_HOSTS {
            return wrong(format!("a host range means more than {MAX_HOSTS} hosts"));
        }
        out.push(name.to_owned());
        return Ok(());
    }
    // Ansible marks the brackets with bars before it cuts at them.
    let marked = name.replacen('[', "|", 1).replacen(']', "|", 1);
    let parts: Vec<&str> = marked.split('|').collect();
    let [head, inside, tail] = parts[..] else {
        return wrong(if parts.len() < 3 {
            format!(
                "not enough values to unpack (expected 3, got {})",
                parts.len()
            )
        } else {
            "too many values to unpack (expected 3)".to_owned()
        });
    };
    for middle in middles(inside)? {
        unfold(&format!("{head}{middle}{tail}"), out)?;
    }
    Ok(())
}

fn wrong<T>(message: impl Into<String>) -> Result<T> {
    Err(Error::new(Kind::Inventory, message))
}

/// Unfolds what stands in one pair of brackets.
fn middles(inside: &str) -> Result<Vec<String>> {
    let parts: Vec<&str> = inside.split(':').collect();
    let (begin, end, step) = match parts[..] {
        [begin, end] => (begin, end, "1"),
        [begin, end, step] => (begin, end, step),
        _ => return wrong("host range must be begin:end or begin:end:step"),
    };
    let begin = if begin.is_empty() { "0" } else { begin };
    if end.is_empty() {
        return wrong("host range must specify end value");
    }
    let width = if begin.starts_with('0') && begin.len() > 1 {
        if begin.len() != end.len() {
            return wrong("host range must specify equal-length begin and end formats");
        }
        begin.len()
    } else {
        0
    };
    if let (Some(from), Some(to)) = (LETTERS.find(begin), LETTERS.find(end)) {
        if from > to {
            return wrong("host range must have begin <= end");
        }
        if let Some(step) = step.parse::<usize>().ok().filter(|step| *step > 0) {
            return Ok(LETTERS[from..=to]
                .chars()
                .step_by(step)
                .map(String::from)
                .collect());
        }
    }
    let number = |text: &str| int(&Value::str(text));
    let (from, to, step) = (
        number(begin)?,
        number(end)?.saturating_add(1),
        number(step)?,
    );
    if step == 0 {
        return Err(Error::value_error("range() arg 3 must not be zero"));
    }
    let mut out = Vec::new();
    let mut at = from;
    while (step > 0 && at < to) || (step < 0 && at > to) {
        if out.len() >= MAX_HOSTS {
            return wrong(format!("a host range means more than {MAX_HOSTS} hosts"));
        }
        out.push(format!("{at:0width$}"));
        let Some(next) = at.checked_add(step) else {
            break;
        };
        at = next;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_unfold_with_padding_steps_and_letters() {
        for (name, hosts) in [
            ("node[1:3]", "node1 node2 node3"),
            ("n[08:10].x", "n08.x n09.x n10.x"),
            ("[a:c]", "a b c"),
            ("n[0:6:3]", "n0 n3 n6"),
            ("r[1:2]c[a:b]", "r1ca r1cb r2ca r2cb"),
            ("n[:1]", "n0 n1"),
            ("n[3:1]", ""),
        ] {
            assert_eq!(expand(name).expect("a range").join(" "), hosts);
        }
        for wrong in ["n[1:", "n[1:]", "n[01:100]", "n[a:3]", "n[1:2:0]", "n[]"] {
            assert!(expand(wrong).is_err(), "{wrong}");
        }
        assert!(expand("n[0:99999999999]").is_err());
        assert!(expand("[1:9999][1:9999][1:9999]").is_err());
    }

    #[test]
    fn ports_stand_behind_addresses_and_names_only() {
        for (pattern, hosts_, port) in [
            ("a.example:2222", "a.example", Some(2222)),
            ("[::1]:22", "::1", Some(22)),
            ("2001:db8::1", "2001:db8::1", None),
            ("n[1:2]:80", "n1 n2", Some(80)),
            ("h1:x", "h1:x", None),
            ("a!b:22", "a!b:22", None),
        ] {
            let (names, found) = hosts(pattern).expect("a pattern");
            assert_eq!(
                (names.join(" ").as_str(), found),
                (hosts_, port),
                "{pattern}"
            );
        }
    }
}
