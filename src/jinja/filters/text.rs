//! Filters of text.

use super::{first_arg, known, pretty, text};
use crate::diag::{Error, Result};
use crate::jinja::Row;
use crate::jinja::methods;
use crate::value::{Args, Runtime, Str, Value, escape_html, format, ops};

/// The family.
pub(super) static TABLE: &[Row] = &[
    Row::new(
        "capitalize",
        |_, a| text("do_capitalize", a, methods::capitalize),
        "Makes the first letter a capital.",
        "'aB' | capitalize => 'Ab'",
    ),
    Row::new(
        "center",
        center,
        "Puts text in the middle of a width.",
        "'a' | center(3) => ' a '",
    ),
    Row::new(
        "format",
        format_filter,
        "Applies `%` formatting.",
        "'%s-%s' | format(1, 2) => '1-2'",
    ),
    Row::new(
        "indent",
        indent,
        "Indents lines.",
        "'a\\nb' | indent(2) => 'a\\n  b'",
    ),
    Row::new(
        "lower",
        |_, a| text("do_lower", a, str::to_lowercase),
        "Makes lower case.",
        "'A' | lower => 'a'",
    ),
    Row::new(
        "replace",
        replace,
        "Replaces text.",
        "'aa' | replace('a', 'b') => 'bb'",
    ),
    Row::new("string", string, "Makes text.", "1 | string => '1'"),
    Row::new(
        "title",
        title,
        "Makes each word's first letter a capital.",
        "'ab cd' | title => 'Ab Cd'",
    ),
    Row::new(
        "trim",
        trim,
        "Takes blanks off both ends.",
        "' a ' | trim => 'a'",
    ),
    Row::new(
        "truncate",
        truncate,
        "Cuts text off.",
        "'abcdefghij' | truncate(5, true, '', 0) => 'abcde'",
    ),
    Row::new(
        "upper",
        |_, a| text("do_upper", a, str::to_uppercase),
        "Makes upper case.",
        "'a' | upper => 'A'",
    ),
    Row::new(
        "wordcount",
        |_, a| Ok(Value::from(word_count(&first_arg(a)?.to_str()))),
        "Counts words.",
        "'a b' | wordcount => 2",
    ),
    Row::new(
        "wordwrap",
        word_wrap,
        "Breaks lines.",
        "'aa bb' | wordwrap(2) => 'aa\\nbb'",
    ),
    Row::new(
        "pprint",
        |_, a| Ok(Value::str(pretty(&first_arg(a)?))),
        "Shows a value for debugging, in lines of 80 characters.",
        "'a' | pprint => \"'a'\"",
    ),
];

fn center(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, width] = args.bind("do_center", ["value", "width"], 1)?;
    let text = Value::str(known(value)?.to_str());
    let args = Args::positional(vec![width.unwrap_or(Value::Int(80))]);
    methods::call(runtime, &text, "center", args).map(|value| value.unwrap_or(Value::None))
}

fn format_filter(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let mut positional = args.positional.into_iter();
    let text = match positional.next() {
        Some(Value::Undefined(undefined)) => return Err(undefined.error()),
        Some(value) => Str::new(value.to_str()),
        None => Str::new(""),
    };
    let rest: Vec<Value> = positional.collect();
    if !rest.is_empty() && !args.keyword.is_empty() {
        return Err(Error::value_error(
            "can't handle positional and keyword arguments at the same time",
        ));
    }
    let given = if args.keyword.is_empty() {
        Value::tuple(rest)
    } else {
        Value::dict(args.keyword)
    };
    format::percent(&text, &given)
}

fn indent(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, width, first, blank] =
        args.bind("do_indent", ["s", "width", "first", "blank"], 1)?;
    let value = known(value)?;
    // Jinja2 adds a newline first, which only a list takes as well.
    let text = match &value {
        Value::Str(text) => text.clone(),
        Value::List(_) => return Err(no_lines(&value)),
        Value::Undefined(undefined) => return Err(undefined.error()),
        other => {
            return Err(Error::type_error(format!(
                "unsupported operand type(s) for +=: '{}' and 'str'",
                other.type_name()
            )));
        }
    };
    let markup = text.is_markup();
    let prefix = match width {
        Some(Value::Str(text)) => text.to_string(),
        Some(other) => {
            let count = usize::try_from(other.as_i64().unwrap_or(4)).unwrap_or(0);
            ops::fits(count)?;
            " ".repeat(count)
        }
        None => "    ".to_owned(),
    };
    let first = first.is_some_and(|v| v.truth());
    let blank = blank.is_some_and(|v| v.truth());
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<&str> = text.split('\n').collect();
    ops::fits(text.len() + prefix.len().saturating_mul(lines.len()))?;
    let mut out = String::new();
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            out.push('\n');
            if blank || !line.is_empty() {
                out.push_str(&prefix);
            }
        } else if first {
            out.push_str(&prefix);
        }
        out.push_str(line);
    }
    Ok(Value::Str(Str::new(out).with_markup(markup)))
}

/// Says that a value isn't text, as Python does where it is split into lines.
fn no_lines(value: &Value) -> Error {
    Error::runtime(format!(
        "'{}' object has no attribute 'splitlines'",
        value.type_name()
    ))
}

fn replace(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, old, new, count] = args.bind("do_replace", ["s", "old", "new", "count"], 3)?;
    let (value, old, new) = (known(value)?, known(old)?, known(new)?);
    let is_markup = |value: &Value| matches!(value, Value::Str(s) if s.is_markup());
    // Without escaping all of it is text.
    let markup = runtime.autoescape() && [&value, &old, &new].into_iter().any(is_markup);
    let escaped = |value: &Value| {
        if markup && !is_markup(value) {
            escape_html(&value.to_str())
        } else {
            value.to_str()
        }
    };
    let (text, old, new) = (escaped(&value), old.to_str(), escaped(&new));
    let count = count.and_then(|c| c.as_i64()).unwrap_or(-1);
    let made = methods::replaced(&text, &old, &new, count)?;
    Ok(Value::Str(Str::new(made).with_markup(markup)))
}

fn string(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    Ok(match first_arg(args)? {
        Value::Str(text) => Value::Str(text),
        other => Value::str(other.to_str()),
    })
}

fn title(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    // Words begin behind blanks, hyphens and opening brackets.
    text("do_title", args, |s| {
        let mut out = String::new();
        let mut start = true;
        for c in s.chars() {
            if start {
                out.extend(c.to_uppercase());
            } else {
                out.extend(c.to_lowercase());
            }
            start = c.is_whitespace() || matches!(c, '-' | '(' | '{' | '[' | '<');
        }
        out
    })
}

fn trim(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, chars] = args.bind("do_trim", ["value", "chars"], 1)?;
    let value = known(value)?;
    let text = value.to_str();
    let trimmed = match chars.filter(|c| !c.is_none()) {
        Some(chars) => {
            let set: Vec<char> = chars.to_str().chars().collect();
            text.trim_matches(|c| set.contains(&c)).to_owned()
        }
        None => text.trim_matches(methods::is_space).to_owned(),
    };
    let markup = matches!(&value, Value::Str(s) if s.is_markup());
    Ok(Value::Str(Str::new(trimmed).with_markup(markup)))
}

fn truncate(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, length, kill, end, leeway] = args.bind(
        "do_truncate",
        ["s", "length", "killwords", "end", "leeway"],
        1,
    )?;
    let value = known(value)?;
    let Value::Str(text) = &value else {
        return Err(Error::type_error(format!(
            "object of type '{}' has no len()",
            value.type_name()
        )));
    };
    let number = |value: Option<Value>, default: i64| {
        value
            .filter(|value| !value.is_none())
            .and_then(|value| value.as_i64())
            .unwrap_or(default)
    };
    let length = number(length, 255);
    let leeway = number(leeway, 5);
    let end = end.map_or_else(|| "...".to_owned(), |e| e.to_str());
    let ending = end.chars().count() as i64;
    if length < ending {
        return Err(Error::value_error(format!(
            "expected length >= {ending}, got {length}"
        )));
    }
    if leeway < 0 {
        return Err(Error::value_error(format!(
            "expected leeway >= 0, got {leeway}"
        )));
    }
    if text.chars().count() as i64 <= length.saturating_add(leeway) {
        return Ok(value.clone());
    }
    let cut: String = text.chars().take((length - ending) as usize).collect();
    if kill.is_some_and(|k| k.truth()) {
        return Ok(Value::str(cut + &end));
    }
    let words = cut.rsplit_once(' ').map_or(cut.as_str(), |(head, _)| head);
    Ok(Value::str(format!("{words}{end}")))
}

fn word_count(text: &str) -> usize {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .count()
}

fn word_wrap(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, width, long, wrap, hyphens] = args.bind(
        "do_wordwrap",
        [
            "s",
            "width",
            "break_long_words",
            "wrapstring",
            "break_on_hyphens",
        ],
        1,
    )?;
    let text = match known(value)? {
        Value::Str(text) => text.to_string(),
        Value::Undefined(undefined) => return Err(undefined.error()),
        other => return Err(no_lines(&other)),
    };
    let width = width.and_then(|w| w.as_i64()).unwrap_or(79);
    let Ok(width) = usize::try_from(width.max(0)).map(|width| width.min(1 << 20)) else {
        return Ok(Value::str(text));
    };
    if width == 0 {
        return Err(Error::value_error("invalid width 0 (must be > 0)"));
    }
    let long = long.is_none_or(|b| b.truth());
    let hyphens = hyphens.is_none_or(|b| b.truth());
    let wrap = wrap
        .filter(|w| !w.is_none())
        .map_or_else(|| "\n".to_owned(), |w| w.to_str());
    let mut lines = Vec::new();
    for line in text.lines() {
        lines.push(wrapped(line, width, long, hyphens).join(&wrap));
    }
    Ok(Value::str(lines.join(&wrap)))
}

/// Breaks one line where it is too long.
///
/// **Source:** Python's `textwrap.TextWrapper`, as documented.
fn wrapped(line: &str, width: usize, long: bool, hyphens: bool) -> Vec<String> {
    let mut chunks: std::collections::VecDeque<Vec<char>> = chunks(line, hyphens).into();
    let is_blank = |chunk: &Vec<char>| chunk.iter().all(|c| methods::is_space(*c));
    let mut lines: Vec<String> = Vec::new();
    while !chunks.is_empty() {
        let mut current: Vec<Vec<char>> = Vec::new();
        let mut length = 0;
        if !lines.is_empty() && chunks.front().is_some_and(is_blank) {
            chunks.pop_front();
        }
        while let Some(chunk) = chunks.front() {
            if length + chunk.len() > width {
                break;
            }
            length += chunk.len();
            current.extend(chunks.pop_front());
        }
        if let Some(chunk) = chunks.front_mut()
            && chunk.len() > width
        {
            if long {
                let room = (width - length).max(usize::from(width < 1));
                let mut end = room;
                if hyphens
                    && chunk.len() > room
                    && let Some(at) = chunk[..room].iter().rposition(|c| *c == '-')
                    && at > 0
                    && chunk[..at].iter().any(|c| *c != '-')
                {
                    end = at + 1;
                }
                let rest = chunk.split_off(end);
                current.push(std::mem::replace(chunk, rest));
            } else if current.is_empty() {
                current.extend(chunks.pop_front());
            }
        }
        if current.last().is_some_and(is_blank) {
            current.pop();
        }
        if !current.is_empty() {
            lines.push(current.into_iter().flatten().collect());
        }
    }
    lines
}

/// Splits a line into words, blanks between them, and parts of words that end with a hyphen.
fn chunks(line: &str, hyphens: bool) -> Vec<Vec<char>> {
    let chars: Vec<char> = line.chars().collect();
    let mut out: Vec<Vec<char>> = Vec::new();
    let is_word = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric() || *c == '_');
    let is_letter = |c: Option<&char>| is_word(c) && !c.is_some_and(char::is_ascii_digit);
    for (at, c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| chars[at]);
        let behind_hyphen = hyphens
            && before == Some('-')
            && at >= 3
            && is_letter(chars.get(at - 2))
            && is_word(chars.get(at - 3))
            && is_word(Some(c))
            && is_letter(chars.get(at + 1));
        let turns = before.is_none_or(|b| methods::is_space(b) != methods::is_space(*c));
        match out.last_mut() {
            Some(chunk) if !turns && !behind_hyphen => chunk.push(*c),
            _ => out.push(vec![*c]),
        }
    }
    out
}
