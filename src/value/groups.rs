//! Groups of a match in a replacement: `\1`, `\g<name>` and escapes, as Python's `re` has them.

use fancy_regex::Captures;

/// Expands groups and escapes of a replacement; a group that took no part is empty.
///
/// **Source:** Python's `re.sub` and `Match.expand`, as documented.
///
/// # Errors
/// Python's message about a group that there isn't.
pub fn expand_groups(replacement: &str, captures: &Captures<str>) -> Result<String, String> {
    let numbered = |index: usize, at: usize| {
        if index < captures.len() {
            Ok(captures.get(index).map_or("", |m| m.as_str()))
        } else {
            Err(format!("invalid group reference {index} at position {at}"))
        }
    };
    let mut out = String::new();
    let mut chars = replacement.chars().enumerate().peekable();
    while let Some((_, c)) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some((at, 'g')) if chars.peek().is_some_and(|(_, c)| *c == '<') => {
                chars.next();
                let name: String = chars
                    .by_ref()
                    .map(|(_, c)| c)
                    .take_while(|c| *c != '>')
                    .collect();
                out.push_str(match name.parse::<usize>() {
                    Ok(index) => numbered(index, at + 2)?,
                    Err(_) => captures.name(&name).map_or("", |m| m.as_str()),
                });
            }
            Some((at, digit)) if digit.is_ascii_digit() => {
                let mut index = digit.to_digit(10).unwrap_or(0) as usize;
                if let Some(next) = chars.peek().and_then(|(_, c)| c.to_digit(10)) {
                    index = index * 10 + next as usize;
                    chars.next();
                }
                out.push_str(numbered(index, at)?);
            }
            Some((_, 'n')) => out.push('\n'),
            Some((_, 't')) => out.push('\t'),
            Some((_, 'r')) => out.push('\r'),
            Some((_, other)) => {
                if other.is_ascii_alphabetic() {
                    out.push('\\');
                }
                out.push(other);
            }
            None => out.push('\\'),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::expand_groups;

    #[test]
    fn groups_are_expanded_by_number_and_by_name() {
        let regex = fancy_regex::Regex::new("(a)(?P<n>b)?(c)?").expect("regex");
        let captures = regex.captures("ab").expect("runs").expect("matches");
        assert_eq!(
            expand_groups("\\2\\g<n>\\g<0>[\\3]\\n\\.", &captures),
            Ok("bbab[]\n.".to_owned())
        );
        assert_eq!(
            expand_groups("\\7", &captures),
            Err("invalid group reference 7 at position 1".to_owned())
        );
    }
}
