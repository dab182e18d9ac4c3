//! Host patterns: `web[1:3]:&eu:!old`, `~regex`, `*.example.org`, `@file`.
//!
//! **Source:** "Patterns: targeting hosts and groups" of Ansible's documentation.

use std::collections::HashSet;

use super::data::Inventory;
use super::range;
use crate::diag::{Error, Kind, Result};

/// Says whether a name means the controller, which is there without being in the inventory.
pub fn is_localhost(name: &str) -> bool {
    matches!(name, "localhost" | "127.0.0.1" | "::1")
}

/// The hosts that a pattern means.
#[derive(Clone, Debug, Default)]
pub struct Matched {
    /// Their names, in order.
    pub hosts: Vec<String>,
    /// Parts of the pattern that match nothing, as warnings.
    pub warnings: Vec<String>,
}

impl Inventory {
    /// Returns the hosts that a pattern means, less those that the limit leaves out.
    ///
    /// # Errors
    /// A regular expression that can't be read; a subscript beyond the hosts.
    pub fn select(&self, pattern: &str) -> Result<Matched> {
        let mut matched = self.evaluate(&split(pattern))?;
        if let Some(limit) = &self.limit {
            let allowed = self.evaluate(limit)?;
            let names: HashSet<&String> = allowed.hosts.iter().collect();
            matched.hosts.retain(|host| names.contains(host));
            matched.warnings.extend(allowed.warnings);
        }
        Ok(matched)
    }

    fn evaluate(&self, parts: &[String]) -> Result<Matched> {
        let mut warnings = Vec::new();
        let mut hosts: Vec<String> = Vec::new();
        let mut seen: HashSet<String> = HashSet::new();
        let sorted = |sign: fn(&str) -> bool| parts.iter().filter(move |part| sign(part));
        let mut plain: Vec<String> = sorted(|p| !p.starts_with(['&', '!'])).cloned().collect();
        if plain.is_empty() {
            plain.push("all".to_owned());
        }
        for part in &plain {
            for host in self.one(part, &mut warnings)? {
                if seen.insert(host.clone()) {
                    hosts.push(host);
                }
            }
        }
        for part in sorted(|p| p.starts_with('&')) {
            let keep: HashSet<String> = self.one(&part[1..], &mut warnings)?.into_iter().collect();
            hosts.retain(|host| keep.contains(host));
        }
        for part in sorted(|p| p.starts_with('!')) {
            let drop: HashSet<String> = self.one(&part[1..], &mut warnings)?.into_iter().collect();
            hosts.retain(|host| !drop.contains(host));
        }
        Ok(Matched { hosts, warnings })
    }

    fn one(&self, pattern: &str, warnings: &mut Vec<String>) -> Result<Vec<String>> {
        // A host's own name means it, whatever characters are in it.
        if self.has_host(pattern) {
            return Ok(vec![pattern.to_owned()]);
        }
        let (name, subscript) = subscript(pattern);
        if subscript.is_some_and(|(_, to)| to.is_some()) && inner_dash(pattern) {
            warnings.push(
                "Use [x:y] inclusive subscripts instead of [x-y] which has been removed".to_owned(),
            );
        }
        let found = self.enumerate(name, warnings)?;
        let count = found.len() as i64;
        Ok(match subscript {
            None => found,
            Some(_) if found.is_empty() => found,
            Some((from, to)) => match to.filter(|to| *to != 0) {
                None => {
                    let at = if from < 0 { from + count } else { from };
                    let Some(host) = usize::try_from(at).ok().and_then(|at| found.get(at)) else {
                        return Err(Error::new(
                            Kind::Inventory,
                            format!("No hosts matched the subscripted pattern '{pattern}'"),
                        ));
                    };
                    vec![host.clone()]
                }
                Some(to) => {
                    let end = if to == -1 {
                        count
                    } else {
                        to.saturating_add(1).min(count)
                    };
                    let from = from.clamp(0, end);
                    found[from as usize..end as usize].to_vec()
                }
            },
        })
    }

    fn enumerate(&self, pattern: &str, warnings: &mut Vec<String>) -> Result<Vec<String>> {
        let test = Test::new(pattern)?;
        let mut out: Vec<String> = Vec::new();
        let mut seen: HashSet<usize> = HashSet::new();
        let groups: Vec<usize> = (0..self.groups().len())
            .filter(|g| test.matches(&self.groups()[*g].name))
            .collect();
        for group in &groups {
            for host in self.hosts_of(*group) {
                if seen.insert(host) {
                    out.push(self.hosts()[host].name.clone());
                }
            }
        }
        if groups.is_empty() || pattern.starts_with('~') || pattern.contains(['.', '?', '*', '[']) {
            for (index, host) in self.hosts().iter().enumerate() {
                if test.matches(&host.name) && seen.insert(index) {
                    out.push(host.name.clone());
                }
            }
        }
        if out.is_empty() && is_localhost(pattern) {
            out.push(pattern.to_owned());
        }
        if out.is_empty() && groups.is_empty() && pattern != "all" {
            warnings.push(format!(
                "Could not match supplied host pattern, ignoring: {pattern}"
            ));
        }
        Ok(out)
    }
}

enum Test {
    Regex(fancy_regex::Regex),
    Name(String),
}

impl Test {
    fn new(pattern: &str) -> Result<Test> {
        let regex = match pattern.strip_prefix('~') {
            Some(regex) => format!("^(?:{regex})"),
            None if pattern.contains(['*', '?', '[']) => glob(pattern),
            None => return Ok(Test::Name(pattern.to_owned())),
        };
        fancy_regex::Regex::new(&regex)
            .map(Test::Regex)
            .map_err(|_| {
                Error::new(
                    Kind::Inventory,
                    format!("Invalid host list pattern: {pattern}"),
                )
            })
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Test::Regex(regex) => regex.is_match(name).unwrap_or(false),
            Test::Name(wanted) => wanted == name,
        }
    }
}

/// Turns a shell pattern into a regular expression, as Python's `fnmatch` does.
fn glob(pattern: &str) -> String {
    let mut out = String::from(r"(?s)\A");
    let chars: Vec<char> = pattern.chars().collect();
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        at += 1;
        match c {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            '[' => {
                // A closing bracket that comes first stands for itself.
                let first = at + usize::from(chars.get(at) == Some(&'!'));
                let from = first + usize::from(chars.get(first) == Some(&']'));
                match chars.iter().skip(from).position(|c| *c == ']') {
                    None => out.push_str(r"\["),
                    Some(length) => {
                        out.push('[');
                        if first > at {
                            out.push('^');
                        }
                        for c in &chars[first..from + length] {
                            if matches!(c, '\\' | '[' | ']' | '^' | '&' | '~') {
                                out.push('\\');
                            }
                            out.push(*c);
                        }
                        out.push(']');
                        at = from + length + 1;
                    }
                }
            }
            c => out.push_str(&fancy_regex::escape(&c.to_string())),
        }
    }
    out.push_str(r"\z");
    out
}

/// Says whether a pattern's subscript is written with a dash.
fn inner_dash(pattern: &str) -> bool {
    pattern
        .rfind('[')
        .is_some_and(|open| !pattern[open..].contains(':'))
}

type Range = (i64, Option<i64>);

/// Takes `[3]`, `[1:4]`, `[2:]` or `[-1]` off the end of a pattern.
fn subscript(pattern: &str) -> (&str, Option<Range>) {
    let none = (pattern, None);
    if pattern.starts_with('~') || !pattern.ends_with(']') {
        return none;
    }
    let Some(open) = pattern.rfind('[').filter(|open| *open > 0) else {
        return none;
    };
    let inside = &pattern[open + 1..pattern.len() - 1];
    let digits = |text: &str| {
        (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse::<i64>().ok())
            .flatten()
    };
    let only = match inside.strip_prefix('-') {
        Some(rest) => digits(rest).map(|number| -number),
        None => digits(inside),
    };
    let range = only.map(|only| (only, None)).or_else(|| {
        let (first, last) = inside.split_once([':', '-'])?;
        let last = if last.is_empty() { -1 } else { digits(last)? };
        Some((digits(first)?, Some(last)))
    });
    match range {
        Some(range) => (&pattern[..open], Some(range)),
        // Not a subscript: a character class.
        None => none,
    }
}

/// Splits a pattern at commas, else at colons; colons inside brackets and in addresses stay.
pub fn split(pattern: &str) -> Vec<String> {
    let trimmed = |parts: Vec<String>| -> Vec<String> {
        parts
            .into_iter()
            .map(|part| part.trim().to_owned())
            .filter(|part| !part.is_empty())
            .collect()
    };
    if pattern.contains(',') {
        return trimmed(pattern.split(',').map(str::to_owned).collect());
    }
    if range::address(pattern, true).is_some() {
        return trimmed(vec![pattern.to_owned()]);
    }
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut depth = 0usize;
    for c in pattern.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            c if depth == 0 && (c == ':' || c.is_whitespace()) => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
    parts.push(part);
    trimmed(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inventory() -> Inventory {
        let mut inventory = Inventory::default();
        for (host, group) in [
            ("w1", "web"),
            ("w2", "web"),
            ("w3", "web"),
            ("w2", "old"),
            ("d1", "db"),
        ] {
            inventory.add_host(host, Some(group));
        }
        inventory.reconcile();
        inventory
    }

    #[test]
    fn patterns_select_as_documented() {
        for (pattern, hosts) in [
            ("all", "w1 w2 w3 d1"),
            ("web:!old", "w1 w3"),
            ("web:&old", "w2"),
            ("web[0]", "w1"),
            ("web[-1]", "w3"),
            ("web[1:2]", "w2 w3"),
            ("web[1:]", "w2 w3"),
            ("w*", "w1 w2 w3"),
            ("~[wd]1", "w1 d1"),
            ("d1,w1", "d1 w1"),
            ("!web", "d1"),
            ("localhost", "localhost"),
        ] {
            let matched = inventory().select(pattern).expect("a pattern");
            assert_eq!(matched.hosts.join(" "), hosts, "{pattern}");
        }
        let nothing = inventory().select("nope").expect("a pattern");
        assert_eq!(
            nothing.warnings,
            ["Could not match supplied host pattern, ignoring: nope"]
        );
    }
}
