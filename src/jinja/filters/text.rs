//! Filters of text.

use super::{first_arg, known, text};
use crate::diag::{Error, Result};
use crate::jinja::Row;
use crate::jinja::methods;
use crate::value::{Args, Runtime, Str, Value, format};

/// The family.
pub(super) static TABLE: &[Row] = &[
    Row::new(
        "capitalize",
        |_, a| text(a, methods::capitalize),
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
        |_, a| text(a, str::to_lowercase),
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
        |_, a| text(a, str::to_uppercase),
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
        |_, a| Ok(Value::str(first_arg(a)?.repr())),
        "Shows a value for debugging.",
        "'a' | pprint => \"'a'\"",
    ),
];

fn center(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, width] = args.bind("center", ["value", "width"], 1)?;
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
    let [value, width, first, blank] = args.bind("indent", ["s", "width", "first", "blank"], 1)?;
    let value = known(value)?;
    let markup = matches!(&value, Value::Str(s) if s.is_markup());
    let text = value.to_str();
    let prefix = match width {
        Some(Value::Str(text)) => text.to_string(),
        Some(other) => " ".repeat(other.as_i64().unwrap_or(4).clamp(0, 100_000) as usize),
        None => "    ".to_owned(),
    };
    let first = first.is_some_and(|v| v.truth());
    let blank = blank.is_some_and(|v| v.truth());
    let text = text + "\n";
    let mut lines: Vec<&str> = text.split('\n').collect();
    // The newline that was put at the end is none of the text's own.
    lines.pop();
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

fn replace(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, old, new, count] = args.bind("replace", ["s", "old", "new", "count"], 3)?;
    let value = known(value)?;
    let markup = matches!(&value, Value::Str(s) if s.is_markup());
    let (text, old, new) = (value.to_str(), known(old)?.to_str(), known(new)?.to_str());
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
    text(args, |s| {
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
    let [value, chars] = args.bind("trim", ["value", "chars"], 1)?;
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
    let [value, length, kill, end, leeway] =
        args.bind("truncate", ["s", "length", "killwords", "end", "leeway"], 1)?;
    let text = known(value)?.to_str();
    let length = length.and_then(|l| l.as_i64()).unwrap_or(255).max(0) as usize;
    let end = end.map_or_else(|| "...".to_owned(), |e| e.to_str());
    let leeway = leeway.and_then(|l| l.as_i64()).unwrap_or(5).max(0) as usize;
    let count = text.chars().count();
    if count <= length + leeway {
        return Ok(Value::str(text));
    }
    let keep = length.saturating_sub(end.chars().count());
    let cut: String = text.chars().take(keep).collect();
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
    let [value, width, break_long, wrap, hyphens] = args.bind(
        "wordwrap",
        [
            "s",
            "width",
            "break_long_words",
            "wrapstring",
            "break_on_hyphens",
        ],
        1,
    )?;
    let text = known(value)?.to_str();
    let width = width.and_then(|w| w.as_i64()).unwrap_or(79).max(1) as usize;
    let break_long = break_long.is_none_or(|b| b.truth());
    let _ = hyphens;
    let wrap = wrap
        .filter(|w| !w.is_none())
        .map_or_else(|| "\n".to_owned(), |w| w.to_str());
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split(' ').filter(|word| !word.is_empty()) {
            let mut word = word.to_owned();
            let room = |line: &str| {
                width.saturating_sub(line.chars().count() + usize::from(!line.is_empty()))
            };
            if word.chars().count() > room(&line) && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            while break_long && word.chars().count() > width {
                lines.push(word.chars().take(width).collect());
                word = word.chars().skip(width).collect();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
        lines.push(line);
    }
    Ok(Value::str(lines.join(&wrap)))
}
