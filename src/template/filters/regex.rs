//! Filters on regular expressions, and the translation of Python's to ours.

use fancy_regex::Regex;

use super::{failed, flag, known};
use crate::diag::Result;
use crate::jinja::Row;
use crate::template::regex_fault::regex_fault;
use crate::value::{Args, Replacement, Runtime, Value};

pub(super) static TABLE: &[Row] = &[
    Row::new(
        "regex_replace",
        replace,
        "Replaces what matches.",
        "'abc' | regex_replace('b+', 'x') => 'axc'",
    ),
    Row::new(
        "regex_search",
        search,
        "Finds the first match.",
        "'abc' | regex_search('b.') => 'bc'",
    ),
    Row::new(
        "regex_findall",
        find_all,
        "Finds all matches.",
        "'a1b2' | regex_findall('[0-9]') => ['1', '2']",
    ),
    Row::new(
        "regex_escape",
        escape,
        "Escapes what is special.",
        "'a.b' | regex_escape => 'a\\\\.b'",
    ),
];

/// Compiles a regular expression of Python's.
///
/// # Errors
/// An expression that can't be read.
pub(in crate::template) fn translate(
    pattern: &str,
    ignore_case: bool,
    multi_line: bool,
    dot_all: bool,
) -> Result<Regex> {
    translate_between("", pattern, "", ignore_case, multi_line, dot_all)
}

/// Makes a regular expression of Python's with something before and behind it ours.
pub(in crate::template) fn translate_between(
    before: &str,
    pattern: &str,
    behind: &str,
    ignore_case: bool,
    multi_line: bool,
    dot_all: bool,
) -> Result<Regex> {
    if let Some(said) = regex_fault(pattern) {
        return Err(failed(said));
    }
    let mut flags = String::new();
    for (on, flag) in [(ignore_case, 'i'), (multi_line, 'm'), (dot_all, 's')] {
        if on {
            flags.push(flag);
        }
    }
    // Python's `$` also matches before a newline at the end; `\Z` is our `\z`.
    let mut text = if flags.is_empty() {
        String::new()
    } else {
        format!("(?{flags})")
    };
    text.push_str(before);
    let mut chars = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('Z') => text.push_str("\\z"),
                Some(next) => {
                    text.push('\\');
                    text.push(next);
                }
                None => text.push('\\'),
            },
            '[' if !in_class => {
                in_class = true;
                text.push('[');
                if chars.peek() == Some(&'^') {
                    text.extend(chars.next());
                }
                if chars.peek() == Some(&']') {
                    chars.next();
                    text.push_str("\\]");
                }
            }
            // Inside a class an opening bracket stands for itself in Python.
            '[' => text.push_str("\\["),
            '&' | '~' if in_class => {
                text.push('\\');
                text.push(c);
            }
            ']' => {
                in_class = false;
                text.push(']');
            }
            '$' if !in_class && !multi_line => text.push_str("(?=\\n?\\z)"),
            c => text.push(c),
        }
    }
    text.push_str(behind);
    Regex::new(&text)
        .map_err(|error| failed(format!("the regular expression `{pattern}`: {error}")))
}

fn replace(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [
        value,
        pattern,
        replacement,
        ignore_case,
        multi_line,
        count,
        required,
    ] = args.bind(
        "regex_replace",
        [
            "value",
            "pattern",
            "replacement",
            "ignorecase",
            "multiline",
            "count",
            "mandatory_count",
        ],
        1,
    )?;
    let text = known(value)?.to_str();
    let word = |value: Option<Value>| value.map(|v| v.to_str()).unwrap_or_default();
    let pattern = word(pattern);
    let regex = translate(&pattern, flag(ignore_case), flag(multi_line), false)?;
    let replacement =
        Replacement::parse(&word(replacement), &regex).map_err(crate::diag::Error::value_error)?;
    let most = count.and_then(|c| c.as_i64()).unwrap_or(0).max(0) as usize;
    let mut out = String::new();
    let mut at = 0;
    let mut done = 0i64;
    for captures in regex.captures_iter(text.as_str()) {
        let captures = captures.map_err(|error| failed(error.to_string()))?;
        let Some(whole) = captures.get(0) else {
            continue;
        };
        out.push_str(&text[at..whole.start()]);
        out.push_str(&replacement.expand(&captures));
        at = whole.end();
        done += 1;
        if most > 0 && done as usize >= most {
            break;
        }
    }
    if let Some(required) = required.and_then(|r| r.as_i64())
        && required > 0
        && done != required
    {
        return Err(failed(format!(
            "'{pattern}' should match {required} times, but matches {done} times in '{text}'"
        )));
    }
    out.push_str(&text[at..]);
    Ok(Value::str(out))
}

fn search(_runtime: &mut dyn Runtime, mut args: Args) -> Result<Value> {
    let (ignore_case, multi_line) = (flag(args.take("ignorecase")), flag(args.take("multiline")));
    let mut positional = args.positional.into_iter();
    let text = known(positional.next())?.to_str();
    let pattern = known(positional.next())?.to_str();
    let regex = translate(&pattern, ignore_case, multi_line, false)?;
    let found = regex
        .captures(&text)
        .map_err(|error| failed(error.to_string()))?;
    let wanted: Vec<String> = positional.map(|v| v.to_str()).collect();
    let is_group = |group: &String| {
        group.starts_with("\\g<")
            || group
                .strip_prefix('\\')
                .is_some_and(|g| g.parse::<usize>().is_ok())
    };
    if !wanted.iter().all(is_group) {
        return Err(failed("Unknown argument"));
    }
    let Some(captures) = found else {
        return Ok(Value::None);
    };
    if wanted.is_empty() {
        return Ok(captures
            .get(0)
            .map_or(Value::None, |m| Value::str(m.as_str())));
    }
    let mut out = Vec::new();
    for group in wanted {
        let found = if let Some(name) = group.strip_prefix("\\g<").and_then(|g| g.strip_suffix('>'))
        {
            match name.parse::<usize>() {
                Ok(index) => captures.get(index),
                Err(_) => captures.name(name),
            }
        } else if let Some(index) = group
            .strip_prefix('\\')
            .and_then(|g| g.parse::<usize>().ok())
        {
            if index >= captures.len() {
                return Err(failed("no such group"));
            }
            captures.get(index)
        } else {
            None
        };
        out.push(found.map_or(Value::None, |m| Value::str(m.as_str())));
    }
    Ok(Value::list(out))
}

fn find_all(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, pattern, multi_line, ignore_case] = args.bind(
        "regex_findall",
        ["value", "regex", "multiline", "ignorecase"],
        2,
    )?;
    let text = known(value)?.to_str();
    let regex = translate(
        &known(pattern)?.to_str(),
        flag(ignore_case),
        flag(multi_line),
        false,
    )?;
    let mut out = Vec::new();
    for captures in regex.captures_iter(text.as_str()) {
        let captures = captures.map_err(|error| failed(error.to_string()))?;
        let group = |at: usize| Value::str(captures.get(at).map_or("", |m| m.as_str()));
        out.push(match captures.len() {
            1 => group(0),
            2 => group(1),
            count => Value::tuple((1..count).map(group).collect()),
        });
    }
    Ok(Value::list(out))
}

fn escape(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, kind] = args.bind("regex_escape", ["string", "re_type"], 1)?;
    let text = known(value)?.to_str();
    let kind = kind.map_or_else(|| "python".to_owned(), |kind| kind.to_str());
    let special = match kind.as_str() {
        "python" => "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}",
        "posix_basic" => "[].^$*\\",
        "posix_extended" => {
            return Err(failed(format!("Regex type ({kind}) not yet implemented")));
        }
        other => return Err(failed(format!("Invalid regex type ({other})"))),
    };
    let mut out = String::new();
    for c in text.chars() {
        if special.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    Ok(Value::str(out))
}
