//! Versions and their order, by each of the schemes that the `version` test knows.
//!
//! **Source:** Python's `distutils.version` (loose, strict), semver.org 2.0.0, PEP 440.

use std::cmp::Ordering;

/// A part of a loose version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Digits.
    Number(u128),
    /// Letters and the like.
    Word(String),
}

/// A loose version: digits and letters take turns, dots between.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Loose(Vec<Part>);

impl Loose {
    /// Splits a version.
    pub(super) fn of(text: &str) -> Loose {
        let mut out = Vec::new();
        let mut rest = text;
        let class = |c: char| {
            if c.is_ascii_digit() {
                0
            } else if c.is_ascii_lowercase() {
                1
            } else {
                2
            }
        };
        while let Some(c) = rest.chars().next() {
            if c == '.' {
                rest = &rest[1..];
                continue;
            }
            let end = rest
                .find(|d: char| d == '.' || class(d) != class(c))
                .unwrap_or(rest.len());
            let (part, next) = rest.split_at(end);
            out.push(match part.parse() {
                Ok(number) if c.is_ascii_digit() => Part::Number(number),
                _ => Part::Word(part.to_owned()),
            });
            rest = next;
        }
        Loose(out)
    }

    /// Orders two versions.
    ///
    /// # Errors
    /// Python's words for a number that meets a word.
    pub(super) fn compare(&self, other: &Loose) -> Result<Ordering, String> {
        for (a, b) in self.0.iter().zip(&other.0) {
            let types = |a: &str, b: &str| {
                Err(format!(
                    "'<' not supported between instances of '{a}' and '{b}'"
                ))
            };
            match (a, b) {
                (Part::Number(_), Part::Word(_)) => return types("int", "str"),
                (Part::Word(_), Part::Number(_)) => return types("str", "int"),
                (a, b) if a != b => return Ok(a.cmp(b)),
                _ => {}
            }
        }
        Ok(self.0.len().cmp(&other.0.len()))
    }
}

/// Orders strict versions: two or three numbers, then `a` or `b` with a number.
pub(super) fn strict(a: &str, b: &str) -> Result<Ordering, String> {
    Ok(strict_key(a)?.cmp(&strict_key(b)?))
}

fn strict_key(text: &str) -> Result<([u128; 3], (u8, char, u128)), String> {
    let wrong = || format!("invalid version number '{text}'");
    let at = text.find(['a', 'b']).unwrap_or(text.len());
    let (numbers, mark) = text.split_at(at);
    let mut out = [0; 3];
    let parts: Vec<&str> = numbers.split('.').collect();
    if !(2..=3).contains(&parts.len()) {
        return Err(wrong());
    }
    for (slot, part) in out.iter_mut().zip(parts) {
        *slot = digits(part).ok_or_else(wrong)?;
    }
    let mark = match mark.chars().next() {
        None => (1, ' ', 0),
        Some(letter) => (0, letter, digits(&mark[1..]).ok_or_else(wrong)?),
    };
    Ok((out, mark))
}

fn digits(text: &str) -> Option<u128> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// Orders semantic versions.
pub(super) fn semantic(a: &str, b: &str) -> Result<Ordering, String> {
    let (a, b) = (semantic_parts(a)?, semantic_parts(b)?);
    Ok(a.0
        .cmp(&b.0)
        .then_with(|| match (a.1.is_empty(), b.1.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            _ => a.1.cmp(&b.1),
        }))
}

fn semantic_parts(text: &str) -> Result<([u128; 3], Vec<Part>), String> {
    let wrong = || format!("invalid semantic version '{text}'");
    let plain = text.split('+').next().unwrap_or("");
    let (numbers, pre) = match plain.split_once('-') {
        Some((numbers, pre)) => (numbers, Some(pre)),
        None => (plain, None),
    };
    let mut out = [0; 3];
    let parts: Vec<&str> = numbers.split('.').collect();
    if parts.len() != 3 {
        return Err(wrong());
    }
    for (slot, part) in out.iter_mut().zip(parts) {
        if part.len() > 1 && part.starts_with('0') {
            return Err(wrong());
        }
        *slot = digits(part).ok_or_else(wrong)?;
    }
    let pre = match pre {
        None => Vec::new(),
        Some("") => return Err(wrong()),
        Some(pre) => pre
            .split('.')
            .map(|part| digits(part).map_or_else(|| Part::Word(part.to_owned()), Part::Number))
            .collect(),
    };
    Ok((out, pre))
}

/// Orders Python's own versions.
pub(super) fn pep440(a: &str, b: &str) -> Result<Ordering, String> {
    Ok(pep440_key(a)?.cmp(&pep440_key(b)?))
}

/// What comes first counts first: epoch, release, pre, post, dev, local.
type Pep440 = (
    u128,
    Vec<u128>,
    (i8, u128),
    (i8, u128),
    (i8, u128),
    Vec<Part>,
);

fn pep440_key(text: &str) -> Result<Pep440, String> {
    let wrong = || format!("Invalid version: '{text}'");
    let lower = text.trim().to_lowercase();
    let plain = lower.strip_prefix('v').unwrap_or(&lower);
    let (plain, local) = match plain.split_once('+') {
        Some((plain, local)) => (plain, local),
        None => (plain, ""),
    };
    let (epoch, plain) = match plain.split_once('!') {
        Some((epoch, rest)) => (digits(epoch).ok_or_else(wrong)?, rest),
        None => (0, plain),
    };
    let end = plain
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(plain.len());
    let (release, mut rest) = plain.split_at(end);
    let mut numbers = Vec::new();
    for part in release.trim_end_matches('.').split('.') {
        numbers.push(digits(part).ok_or_else(wrong)?);
    }
    while numbers.len() > 1 && numbers.last() == Some(&0) {
        numbers.pop();
    }
    let (mut pre, mut post, mut dev) = (None, None, None);
    while !rest.is_empty() {
        rest = rest.trim_start_matches(['.', '-', '_']);
        let end = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let after = after.strip_prefix(['.', '-', '_']).unwrap_or(after);
        let end = after
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(after.len());
        let (number, next) = after.split_at(end);
        let number = digits(number).unwrap_or(0);
        match word {
            "a" | "alpha" => pre = Some((0, number)),
            "b" | "beta" => pre = Some((1, number)),
            "c" | "rc" | "pre" | "preview" => pre = Some((2, number)),
            "post" | "rev" | "r" | "" if !rest.is_empty() => post = Some((1, number)),
            "dev" => dev = Some((0, number)),
            _ => return Err(wrong()),
        }
        if next.len() == rest.len() {
            return Err(wrong());
        }
        rest = next;
    }
    let pre = match (pre, post, dev) {
        (Some(pre), ..) => pre,
        // A development release of a release comes before its pre-releases.
        (None, None, Some(_)) => (-1, 0),
        _ => (3, 0),
    };
    let local = local
        .split(['.', '-', '_'])
        .filter(|part| !part.is_empty())
        .map(|part| digits(part).map_or_else(|| Part::Word(part.to_owned()), Part::Number))
        .collect();
    Ok((
        epoch,
        numbers,
        pre,
        post.unwrap_or((0, 0)),
        dev.unwrap_or((1, 0)),
        local,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scheme_orders_as_its_definition_says() {
        let less: [(fn(&str, &str) -> Result<Ordering, String>, &str, &str); 8] = [
            (semantic, "1.0.0-rc1", "1.0.0"),
            (semantic, "1.0.0-alpha.1", "1.0.0-alpha.beta"),
            (semantic, "1.0.0-rc.2", "1.0.0-rc.11"),
            (pep440, "1.0rc1", "1.0"),
            (pep440, "1.0.dev1", "1.0a1"),
            (pep440, "1.0", "1.0.post1"),
            (strict, "1.5a1", "1.5"),
            (strict, "1.5", "1.5.1"),
        ];
        for (scheme, a, b) in less {
            assert_eq!(scheme(a, b), Ok(Ordering::Less), "{a} {b}");
        }
        assert_eq!(pep440("1.0", "1.0.0"), Ok(Ordering::Equal));
        assert!(strict("1.2.3.4", "1").is_err());
        assert!(semantic("1.2", "1.2.0").is_err());
        assert!(Loose::of("1.2.x").compare(&Loose::of("1.2.3")).is_err());
    }
}
