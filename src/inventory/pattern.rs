//! Host patterns: `web[1:3]:&eu:!old`, `~regex`, `*.example.org`, `@file`.
//!
//! **Source:** "Patterns: targeting hosts and groups" of Ansible's documentation.

use super::data::Inventory;
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
    /// A regular expression or subscript that can't be read.
    pub fn select(&mut self, pattern: &str) -> Result<Matched> {
        let mut matched = self.evaluate(&split(pattern))?;
        if let Some(limit) = self.limit.clone() {
            let allowed = self.evaluate(&limit)?;
            matched.warnings.extend(allowed.warnings);
            matched.hosts.retain(|host| allowed.hosts.contains(host));
        }
        Ok(matched)
    }

    fn evaluate(&self, parts: &[String]) -> Result<Matched> {
        let mut warnings = Vec::new();
        let mut hosts: Vec<String> = Vec::new();
        let sorted = |sign: fn(&str) -> bool| parts.iter().filter(move |part| sign(part));
        let mut plain: Vec<String> = sorted(|p| !p.starts_with(['&', '!'])).cloned().collect();
        if plain.is_empty() {
            plain.push("all".to_owned());
        }
        for part in &plain {
            for host in self.one(part, &mut warnings)? {
                if !hosts.contains(&host) {
                    hosts.push(host);
                }
            }
        }
        for part in sorted(|p| p.starts_with('&')) {
            let keep = self.one(&part[1..], &mut warnings)?;
            hosts.retain(|host| keep.contains(host));
        }
        for part in sorted(|p| p.starts_with('!')) {
            let drop = self.one(&part[1..], &mut warnings)?;
            hosts.retain(|host| !drop.contains(host));
        }
        Ok(Matched { hosts, warnings })
    }

    fn one(&self, pattern: &str, warnings: &mut Vec<String>) -> Result<Vec<String>> {
        // A host's own name means it, whatever characters are in it.
        if self.has_host(pattern) {
            return Ok(vec![pattern.to_owned()]);
        }
        let (name, subscript) = subscript(pattern)?;
        let found = self.enumerate(name, warnings)?;
        Ok(match subscript {
            None => found,
            Some((from, to)) => {
                let count = found.len() as i64;
                let at = |index: i64| if index < 0 { index + count } else { index };
                let (from, to) = (
                    at(from).max(0),
                    to.map_or(at(from), |to| at(to).min(count - 1)),
                );
                found
                    .into_iter()
                    .enumerate()
                    .filter(|(index, _)| (from..=to).contains(&(*index as i64)))
                    .map(|(_, host)| host)
                    .collect()
            }
        })
    }

    fn enumerate(&self, pattern: &str, warnings: &mut Vec<String>) -> Result<Vec<String>> {
        let test = Test::new(pattern)?;
        let mut out: Vec<String> = Vec::new();
        let groups: Vec<usize> = (0..self.groups().len())
            .filter(|g| test.matches(&self.groups()[*g].name))
            .collect();
        for group in &groups {
            for host in self.hosts_of(*group) {
                let name = self.hosts()[host].name.clone();
                if !out.contains(&name) {
                    out.push(name);
                }
            }
        }
        if groups.is_empty() || pattern.starts_with('~') || pattern.contains(['.', '?', '*', '[']) {
            for host in self.hosts() {
                if test.matches(&host.name) && !out.contains(&host.name) {
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
    Glob(globset::GlobMatcher),
    Name(String),
}

impl Test {
    fn new(pattern: &str) -> Result<Test> {
        let wrong =
            |why: String| Error::new(Kind::Inventory, format!("host pattern `{pattern}`: {why}"));
        if let Some(regex) = pattern.strip_prefix('~') {
            return fancy_regex::Regex::new(&format!("^(?:{regex})"))
                .map(Test::Regex)
                .map_err(|error| wrong(error.to_string()));
        }
        if pattern.contains(['*', '?', '[']) {
            return globset::GlobBuilder::new(pattern)
                .backslash_escape(false)
                .build()
                .map(|glob| Test::Glob(glob.compile_matcher()))
                .map_err(|error| wrong(error.to_string()));
        }
        Ok(Test::Name(pattern.to_owned()))
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Test::Regex(regex) => regex.is_match(name).unwrap_or(false),
            Test::Glob(glob) => glob.is_match(name),
            Test::Name(wanted) => wanted == name,
        }
    }
}

type Range = (i64, Option<i64>);

/// Takes `[3]`, `[1:4]`, `[2:]` or `[-1]` off the end of a pattern.
fn subscript(pattern: &str) -> Result<(&str, Option<Range>)> {
    if pattern.starts_with('~') || !pattern.ends_with(']') {
        return Ok((pattern, None));
    }
    let Some(open) = pattern.rfind('[') else {
        return Ok((pattern, None));
    };
    let inside = &pattern[open + 1..pattern.len() - 1];
    let number = |text: &str| text.parse::<i64>().ok();
    let range = match inside
        .split_once([':', '-'])
        .filter(|(first, _)| !first.is_empty())
    {
        Some((first, "")) => number(first).map(|first| (first, Some(i64::MAX >> 1))),
        Some((first, last)) => number(first)
            .zip(number(last))
            .map(|(first, last)| (first, Some(last))),
        None => match inside.strip_prefix(':') {
            Some(last) => number(last).map(|last| (0, Some(last))),
            None => number(inside).map(|only| (only, None)),
        },
    };
    Ok(match range {
        Some(range) => (&pattern[..open], Some(range)),
        // Not a subscript: a character class.
        None => (pattern, None),
    })
}

/// Splits a pattern at commas and colons; colons inside brackets and in IPv6 addresses stay.
pub fn split(pattern: &str) -> Vec<String> {
    let trimmed = pattern.trim();
    if trimmed.contains(',') {
        return trimmed.split(',').flat_map(split).collect();
    }
    if trimmed.is_empty() {
        return Vec::new();
    }
    if trimmed.parse::<std::net::Ipv6Addr>().is_ok() || trimmed.starts_with('~') {
        return vec![trimmed.to_owned()];
    }
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut depth = 0usize;
    for c in trimmed.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
    parts.push(part);
    parts
        .into_iter()
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect()
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
            inventory.add_host(host, Some(group), None);
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
