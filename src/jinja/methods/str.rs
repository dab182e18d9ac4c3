//! Methods of `str`.

use super::{Method, Takes, bounds, integer, method};
use crate::diag::{Error, Kind, Result};
use crate::value::format::str_format;
use crate::value::ops::fits;
use crate::value::{Args, Dict, Key, Runtime, Str, Value, escape_html};

/// The methods.
pub(super) static TABLE: &[Method<Str>] = &[
    method(
        "capitalize",
        Takes::Nothing,
        |_, text, _| Ok(like(text, capitalize(text))),
        "Makes the first letter a capital, the rest small.",
        "'aB'.capitalize() => 'Ab'",
    ),
    method(
        "casefold",
        Takes::Nothing,
        |_, text, _| Ok(like(text, text.to_lowercase().replace('ß', "ss"))),
        "Makes text to compare without case.",
        "'Aß'.casefold() => 'ass'",
    ),
    method(
        "center",
        Takes::Between(1, 2),
        |_, text, args| pad(text, &args, Side::Both),
        "Puts text in the middle of a width.",
        "'a'.center(4, '-') => '-a--'",
    ),
    method(
        "count",
        Takes::AtLeast(1, 3),
        |_, text, args| search(text, &args, Search::Count),
        "Counts a part.",
        "'abab'.count('ab') => 2",
    ),
    method(
        "encode",
        Takes::Named(&["encoding", "errors"]),
        encode,
        "Returns the bytes.",
        "'a'.encode() => b'a'",
    ),
    method(
        "endswith",
        Takes::AtLeast(1, 3),
        |_, text, args| affix(text, &args, "endswith"),
        "Says whether text ends with a part.",
        "'abc'.endswith(('b', 'c')) => True",
    ),
    method(
        "expandtabs",
        Takes::Named(&["tabsize"]),
        expand_tabs,
        "Makes blanks of tabs.",
        "'a\\tb'.expandtabs(4) => 'a   b'",
    ),
    method(
        "find",
        Takes::AtLeast(1, 3),
        |_, text, args| search(text, &args, Search::Find),
        "Finds a part; -1 where there is none.",
        "'abc'.find('c') => 2",
    ),
    method(
        "format",
        Takes::Anything,
        |runtime, text, args| Ok(like(text, str_format(runtime, text, &args)?)),
        "Fills the fields of a format.",
        "'{}-{a}'.format(1, a=2) => '1-2'",
    ),
    method(
        "format_map",
        Takes::One,
        format_map,
        "Fills the fields of a format from a mapping.",
        "'{a}'.format_map({'a': 1}) => '1'",
    ),
    method(
        "index",
        Takes::AtLeast(1, 3),
        |_, text, args| search(text, &args, Search::Index),
        "Finds a part, which must be there.",
        "'abc'.index('b') => 1",
    ),
    method(
        "isalnum",
        Takes::Nothing,
        |_, text, _| Ok(each(text, |c| c.is_alphabetic() || c.is_numeric())),
        "Says whether there are only letters and digits.",
        "'a1'.isalnum() => True",
    ),
    method(
        "isalpha",
        Takes::Nothing,
        |_, text, _| Ok(each(text, char::is_alphabetic)),
        "Says whether there are only letters.",
        "'a1'.isalpha() => False",
    ),
    method(
        "isascii",
        Takes::Nothing,
        |_, text, _| Ok(Value::Bool(text.is_ascii())),
        "Says whether there is only ASCII.",
        "'ä'.isascii() => False",
    ),
    method(
        "isdecimal",
        Takes::Nothing,
        |_, text, _| Ok(each(text, is_decimal)),
        "Says whether there are only decimal digits.",
        "'12'.isdecimal() => True",
    ),
    method(
        "isdigit",
        Takes::Nothing,
        |_, text, _| Ok(each(text, is_digit)),
        "Says whether there are only digits.",
        "'1²'.isdigit() => True",
    ),
    method(
        "isidentifier",
        Takes::Nothing,
        |_, text, _| {
            let is = text.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && text.chars().all(|c| c.is_alphanumeric() || c == '_');
            Ok(Value::Bool(is))
        },
        "Says whether it could name a variable.",
        "'a_1'.isidentifier() => True",
    ),
    method(
        "islower",
        Takes::Nothing,
        |_, text, _| {
            let is = text.chars().any(char::is_lowercase) && !text.chars().any(char::is_uppercase);
            Ok(Value::Bool(is))
        },
        "Says whether there are letters and all are small.",
        "'a1'.islower() => True",
    ),
    method(
        "isnumeric",
        Takes::Nothing,
        |_, text, _| Ok(each(text, char::is_numeric)),
        "Says whether there are only numbers.",
        "'½'.isnumeric() => True",
    ),
    method(
        "isprintable",
        Takes::Nothing,
        |_, text, _| Ok(Value::Bool(text.chars().all(is_printable))),
        "Says whether all of it can be printed.",
        "'a\\n'.isprintable() => False",
    ),
    method(
        "isspace",
        Takes::Nothing,
        |_, text, _| Ok(each(text, is_space)),
        "Says whether there are only blanks.",
        "' '.isspace() => True",
    ),
    method(
        "istitle",
        Takes::Nothing,
        |_, text, _| Ok(Value::Bool(is_title(text))),
        "Says whether each word begins with a capital.",
        "'Ab Cd'.istitle() => True",
    ),
    method(
        "isupper",
        Takes::Nothing,
        |_, text, _| {
            let is = text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase);
            Ok(Value::Bool(is))
        },
        "Says whether there are letters and all are capitals.",
        "'A1'.isupper() => True",
    ),
    method(
        "join",
        Takes::One,
        join,
        "Puts text between texts.",
        "'-'.join(['a', 'b']) => 'a-b'",
    ),
    method(
        "ljust",
        Takes::Between(1, 2),
        |_, text, args| pad(text, &args, Side::Right),
        "Fills up to a width behind.",
        "'a'.ljust(3, '.') => 'a..'",
    ),
    method(
        "lower",
        Takes::Nothing,
        |_, text, _| Ok(like(text, text.to_lowercase())),
        "Makes small letters.",
        "'AB'.lower() => 'ab'",
    ),
    method(
        "lstrip",
        Takes::Between(0, 1),
        |_, text, args| strip(text, &args, "lstrip"),
        "Takes blanks off in front.",
        "' a '.lstrip() => 'a '",
    ),
    method(
        "maketrans",
        Takes::Between(1, 3),
        make_trans,
        "Makes a table for `translate`.",
        "''.maketrans('ab', 'xy') => {97: 120, 98: 121}",
    ),
    method(
        "partition",
        Takes::One,
        |_, text, args| partition(text, &args, false),
        "Splits at the first separator, which stays.",
        "'a=b=c'.partition('=') => ('a', '=', 'b=c')",
    ),
    method(
        "removeprefix",
        Takes::One,
        |_, text, args| remove_affix(text, &args, "removeprefix"),
        "Takes a beginning off.",
        "'abc'.removeprefix('a') => 'bc'",
    ),
    method(
        "removesuffix",
        Takes::One,
        |_, text, args| remove_affix(text, &args, "removesuffix"),
        "Takes an end off.",
        "'abc'.removesuffix('c') => 'ab'",
    ),
    method(
        "replace",
        Takes::Between(2, 3),
        replace,
        "Replaces a part.",
        "'aab'.replace('a', 'x', 1) => 'xab'",
    ),
    method(
        "rfind",
        Takes::AtLeast(1, 3),
        |_, text, args| search(text, &args, Search::RightFind),
        "Finds a part from the end; -1 where there is none.",
        "'abab'.rfind('a') => 2",
    ),
    method(
        "rindex",
        Takes::AtLeast(1, 3),
        |_, text, args| search(text, &args, Search::RightIndex),
        "Finds a part from the end, which must be there.",
        "'abab'.rindex('b') => 3",
    ),
    method(
        "rjust",
        Takes::Between(1, 2),
        |_, text, args| pad(text, &args, Side::Left),
        "Fills up to a width in front.",
        "'a'.rjust(3) => '  a'",
    ),
    method(
        "rpartition",
        Takes::One,
        |_, text, args| partition(text, &args, true),
        "Splits at the last separator, which stays.",
        "'a=b=c'.rpartition('=') => ('a=b', '=', 'c')",
    ),
    method(
        "rsplit",
        Takes::Named(&["sep", "maxsplit"]),
        |_, text, args| split(text, &args, true),
        "Splits, from the end.",
        "'a,b,c'.rsplit(',', 1) => ['a,b', 'c']",
    ),
    method(
        "rstrip",
        Takes::Between(0, 1),
        |_, text, args| strip(text, &args, "rstrip"),
        "Takes blanks off behind.",
        "' a '.rstrip() => ' a'",
    ),
    method(
        "split",
        Takes::Named(&["sep", "maxsplit"]),
        |_, text, args| split(text, &args, false),
        "Splits.",
        "'a b  c'.split() => ['a', 'b', 'c']",
    ),
    method(
        "splitlines",
        Takes::Named(&["keepends"]),
        split_lines,
        "Splits into lines.",
        "'a\\nb'.splitlines() => ['a', 'b']",
    ),
    method(
        "startswith",
        Takes::AtLeast(1, 3),
        |_, text, args| affix(text, &args, "startswith"),
        "Says whether text begins with a part.",
        "'abc'.startswith('b', 1) => True",
    ),
    method(
        "strip",
        Takes::Between(0, 1),
        |_, text, args| strip(text, &args, "strip"),
        "Takes blanks, or other characters, off both ends.",
        "'xax'.strip('x') => 'a'",
    ),
    method(
        "swapcase",
        Takes::Nothing,
        |_, text, _| Ok(like(text, swap_case(text))),
        "Turns small letters into capitals and back.",
        "'aB'.swapcase() => 'Ab'",
    ),
    method(
        "title",
        Takes::Nothing,
        |_, text, _| Ok(like(text, title(text))),
        "Makes each word begin with a capital.",
        "'ab cd'.title() => 'Ab Cd'",
    ),
    method(
        "translate",
        Takes::One,
        translate,
        "Replaces characters by a table.",
        "'ab'.translate({97: 'x', 98: none}) => 'x'",
    ),
    method(
        "upper",
        Takes::Nothing,
        |_, text, _| Ok(like(text, text.to_uppercase())),
        "Makes capitals.",
        "'ab'.upper() => 'AB'",
    ),
    method(
        "zfill",
        Takes::One,
        zero_fill,
        "Fills up with zeros behind the sign.",
        "'-1'.zfill(4) => '-001'",
    ),
];

/// Makes text that is markup where the method's own is.
fn like(text: &Str, made: String) -> Value {
    Value::Str(Str::new(made).with_markup(text.is_markup()))
}

/// Returns a text argument; `what` says in front of its type what is wrong with another.
fn text_of(value: Option<&Value>, what: &str) -> Result<Str> {
    match value {
        Some(Value::Str(text)) => Ok(text.clone()),
        Some(Value::Undefined(undefined)) => Err(undefined.error()),
        other => Err(Error::type_error(format!(
            "{what}, not {}",
            other.map_or("NoneType", Value::type_name)
        ))),
    }
}

/// Says whether a character is a blank to Python.
pub(in crate::jinja) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// The zeros of the scripts that have decimal digits.
const ZEROS: &[u32] = &[
    0x30, 0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66,
    0xDE6, 0xE50, 0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90,
    0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
];

fn is_decimal(c: char) -> bool {
    let code = u32::from(c);
    ZEROS.iter().any(|zero| (*zero..*zero + 10).contains(&code))
}

fn is_digit(c: char) -> bool {
    is_decimal(c)
        || matches!(c, '²' | '³' | '¹' | '⁰' | '⁴'..='⁹' | '₀'..='₉' | '①'..='⑨' | '⑴'..='⑼' | '⒈'..='⒐')
}

fn is_printable(c: char) -> bool {
    c == ' '
        || !(c.is_control()
            || c.is_whitespace()
            || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{feff}'))
}

fn each(text: &Str, test: fn(char) -> bool) -> Value {
    Value::Bool(!text.is_empty() && text.chars().all(test))
}

/// Returns the first character in upper case, the rest in lower case.
pub(in crate::jinja) fn capitalize(s: &str) -> String {
    let mut chars = s.chars();
    match chars.next() {
        Some(first) => title_case(first)
            .chain(chars.flat_map(char::to_lowercase))
            .collect(),
        None => String::new(),
    }
}

/// Returns a letter as it begins a word: `ß` makes `Ss`.
fn title_case(c: char) -> impl Iterator<Item = char> {
    let mut upper = c.to_uppercase();
    upper
        .next()
        .into_iter()
        .chain(upper.flat_map(char::to_lowercase).collect::<Vec<_>>())
}

fn is_cased(c: char) -> bool {
    c.is_lowercase() || c.is_uppercase()
}

fn title(s: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in s.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(title_case(c));
        }
        inside = is_cased(c);
    }
    out
}

fn is_title(s: &str) -> bool {
    let mut any = false;
    let mut inside = false;
    for c in s.chars() {
        if c.is_uppercase() == inside && is_cased(c) {
            return false;
        }
        inside = is_cased(c);
        any |= inside;
    }
    any
}

fn swap_case(s: &str) -> String {
    let mut out = String::new();
    for c in s.chars() {
        if c.is_uppercase() {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
    }
    out
}

fn format_map(runtime: &mut dyn Runtime, text: &Str, args: Args) -> Result<Value> {
    let mut given = Args::default();
    if let Some(Value::Dict(dict)) = args.positional.first() {
        let items = dict.to_vec().into_iter();
        given.keyword = items
            .map(|(key, value)| (key.value().to_str(), value))
            .collect();
    }
    Ok(like(text, str_format(runtime, text, &given)?))
}

fn strip(text: &Str, args: &Args, name: &str) -> Result<Value> {
    let set: Option<Vec<char>> = match args.positional.first() {
        None | Some(Value::None) => None,
        Some(Value::Str(chars)) => Some(chars.chars().collect()),
        Some(Value::Undefined(undefined)) => return Err(undefined.error()),
        Some(_) => {
            return Err(Error::type_error(format!("{name} arg must be None or str")));
        }
    };
    let test = |c: char| {
        set.as_ref()
            .map_or_else(|| is_space(c), |set| set.contains(&c))
    };
    let rest = match name {
        "strip" => text.trim_matches(test),
        "lstrip" => text.trim_start_matches(test),
        _ => text.trim_end_matches(test),
    };
    Ok(like(text, rest.to_owned()))
}

fn split(text: &Str, args: &Args, from_end: bool) -> Result<Value> {
    let given = &args.positional;
    let most = integer(given.get(1), -1)?;
    let separator = match given.first() {
        None | Some(Value::None) => None,
        value => Some(text_of(value, "must be str or None")?),
    };
    if separator
        .as_ref()
        .is_some_and(|separator| separator.is_empty())
    {
        return Err(Error::value_error("empty separator"));
    }
    let most = usize::try_from(most).unwrap_or(usize::MAX - 1);
    let parts: Vec<&str> = match (&separator, from_end) {
        (Some(separator), false) => text.splitn(most + 1, separator.as_str()).collect(),
        (Some(separator), true) => {
            let mut parts: Vec<&str> = text.rsplitn(most + 1, separator.as_str()).collect();
            parts.reverse();
            parts
        }
        (None, false) => words(text, most),
        (None, true) => words_from_end(text, most),
    };
    Ok(Value::list(
        parts
            .into_iter()
            .map(|part| like(text, part.to_owned()))
            .collect(),
    ))
}

fn words(text: &str, most: usize) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    while !rest.is_empty() {
        if out.len() == most {
            out.push(rest);
            break;
        }
        let end = rest.find(is_space).unwrap_or(rest.len());
        out.push(&rest[..end]);
        rest = rest[end..].trim_start_matches(is_space);
    }
    out
}

fn words_from_end(text: &str, most: usize) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = text.trim_end_matches(is_space);
    while !rest.is_empty() {
        if out.len() == most {
            out.push(rest);
            break;
        }
        let start = rest
            .char_indices()
            .rev()
            .find(|(_, c)| is_space(*c))
            .map_or(0, |(at, c)| at + c.len_utf8());
        out.push(&rest[start..]);
        rest = rest[..start].trim_end_matches(is_space);
    }
    out.reverse();
    out
}

/// Says whether a line ends with a character.
fn ends_line(c: char) -> bool {
    matches!(
        c,
        '\n' | '\r'
            | '\u{b}'
            | '\u{c}'
            | '\u{1c}'
            | '\u{1d}'
            | '\u{1e}'
            | '\u{85}'
            | '\u{2028}'
            | '\u{2029}'
    )
}

/// Splits text into lines, each with its end.
pub(in crate::jinja) fn lines(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = match rest.char_indices().find(|(_, c)| ends_line(*c)) {
            None => rest.len(),
            Some((at, '\r')) if rest[at + 1..].starts_with('\n') => at + 2,
            Some((at, c)) => at + c.len_utf8(),
        };
        let (line, others) = rest.split_at(end);
        out.push(line);
        rest = others;
    }
    out
}

fn split_lines(_runtime: &mut dyn Runtime, text: &Str, args: Args) -> Result<Value> {
    let keep = args.positional.first().is_some_and(Value::truth);
    let plain = |line: &str| match line.strip_suffix("\r\n") {
        Some(line) => line.len(),
        None => line.strip_suffix(ends_line).unwrap_or(line).len(),
    };
    let shown = |line: &str| line[..if keep { line.len() } else { plain(line) }].to_owned();
    let lines = lines(text).into_iter();
    Ok(Value::list(
        lines.map(|line| like(text, shown(line))).collect(),
    ))
}

fn join(_runtime: &mut dyn Runtime, text: &Str, args: Args) -> Result<Value> {
    let items = args.positional.into_iter().next().unwrap_or(Value::None);
    let items = match &items {
        Value::Undefined(undefined) => return Err(undefined.error()),
        items => items
            .items()
            .map_err(|_| Error::type_error("can only join an iterable"))?,
    };
    let mut out = String::new();
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push_str(text);
        }
        match &item {
            Value::Str(part) => {
                fits(out.len() + part.as_str().len())?;
                if text.is_markup() && !part.is_markup() {
                    out.push_str(&escape_html(part));
                } else {
                    out.push_str(part);
                }
            }
            Value::Undefined(undefined) => return Err(undefined.error()),
            other => {
                return Err(Error::type_error(format!(
                    "sequence item {index}: expected str instance, {} found",
                    other.type_name()
                )));
            }
        }
    }
    Ok(like(text, out))
}

fn replace(_runtime: &mut dyn Runtime, text: &Str, args: Args) -> Result<Value> {
    let given = &args.positional;
    let old = text_of(given.first(), "replace() argument 1 must be str")?;
    let new = text_of(given.get(1), "replace() argument 2 must be str")?;
    let count = integer(given.get(2), -1)?;
    replaced(text, &old, &new, count).map(|made| like(text, made))
}

/// Replaces the first so many, all of them where the count is negative.
pub(in crate::jinja) fn replaced(text: &str, old: &str, new: &str, count: i64) -> Result<String> {
    fits(text.len() + text.matches(old).count().saturating_mul(new.len()))?;
    Ok(match usize::try_from(count) {
        Ok(count) => text.replacen(old, new, count),
        Err(_) => text.replace(old, new),
    })
}

/// Returns the part of the text that two optional bounds choose, and where it begins.
fn section<'t>(
    text: &'t str,
    start: Option<&Value>,
    end: Option<&Value>,
) -> Result<Option<(&'t str, usize)>> {
    let length = text.chars().count();
    let (from, to) = bounds(length, start, end)?;
    let beyond = start
        .and_then(Value::as_i64)
        .is_some_and(|start| start > length as i64);
    if from > to || beyond {
        return Ok(None);
    }
    let offset = |at: usize| {
        text.char_indices()
            .nth(at)
            .map_or(text.len(), |(offset, _)| offset)
    };
    Ok(Some((&text[offset(from)..offset(to)], from)))
}

fn affix(text: &Str, args: &Args, name: &str) -> Result<Value> {
    let given = &args.positional;
    let part = section(text, given.get(1), given.get(2))?;
    let wanted = match given.first() {
        Some(Value::Tuple(items)) => items
            .iter()
            .map(|item| {
                text_of(
                    Some(item),
                    &format!("tuple for {name} must only contain str"),
                )
            })
            .collect::<Result<Vec<_>>>()?,
        one => vec![text_of(
            one,
            &format!("{name} first arg must be str or a tuple of str"),
        )?],
    };
    Ok(Value::Bool(part.is_some_and(|(part, _)| {
        wanted.iter().any(|wanted| match name {
            "startswith" => part.starts_with(wanted.as_str()),
            _ => part.ends_with(wanted.as_str()),
        })
    })))
}

/// What is asked about a part.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Search {
    Count,
    Find,
    Index,
    RightFind,
    RightIndex,
}

fn search(text: &Str, args: &Args, what: Search) -> Result<Value> {
    let given = &args.positional;
    let wanted = text_of(given.first(), "must be str")?;
    let inside = section(text, given.get(1), given.get(2))?;
    if what == Search::Count {
        return Ok(Value::from(match inside {
            None => 0,
            Some((part, _)) if wanted.is_empty() => part.chars().count() + 1,
            Some((part, _)) => part.matches(wanted.as_str()).count(),
        }));
    }
    let found = inside.and_then(|(part, from)| {
        let at = match what {
            Search::RightFind | Search::RightIndex => part.rfind(wanted.as_str()),
            _ => part.find(wanted.as_str()),
        }?;
        Some(from + part[..at].chars().count())
    });
    match found {
        Some(at) => Ok(Value::from(at)),
        None if matches!(what, Search::Find | Search::RightFind) => Ok(Value::Int(-1)),
        None => Err(Error::value_error("substring not found")),
    }
}

fn partition(text: &Str, args: &Args, from_end: bool) -> Result<Value> {
    let separator = text_of(args.positional.first(), "must be str")?;
    if separator.is_empty() {
        return Err(Error::value_error("empty separator"));
    }
    let found = if from_end {
        text.rfind(separator.as_str())
    } else {
        text.find(separator.as_str())
    };
    let parts = match found {
        Some(at) => [
            &text[..at],
            separator.as_str(),
            &text[at + separator.as_str().len()..],
        ],
        None if from_end => ["", "", text.as_str()],
        None => [text.as_str(), "", ""],
    };
    Ok(Value::tuple(
        parts
            .iter()
            .map(|part| like(text, (*part).to_owned()))
            .collect(),
    ))
}

fn remove_affix(text: &Str, args: &Args, name: &str) -> Result<Value> {
    let affix = text_of(
        args.positional.first(),
        &format!("{name}() argument must be str"),
    )?;
    let rest = if name == "removeprefix" {
        text.strip_prefix(affix.as_str())
    } else {
        text.strip_suffix(affix.as_str())
    };
    Ok(like(text, rest.unwrap_or(text).to_owned()))
}

/// Where blanks go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
    Both,
}

fn pad(text: &Str, args: &Args, side: Side) -> Result<Value> {
    let given = &args.positional;
    let width = usize::try_from(integer(given.first(), 0)?).unwrap_or(0);
    let fill = match given.get(1) {
        None => ' ',
        value => {
            let fill = text_of(value, "The fill character must be a unicode character")?;
            let mut chars = fill.chars();
            match (chars.next(), chars.next()) {
                (Some(c), None) => c,
                _ => {
                    return Err(Error::type_error(
                        "The fill character must be exactly one character long",
                    ));
                }
            }
        }
    };
    fits(width)?;
    let missing = width.saturating_sub(text.chars().count());
    // Python puts the odd blank on the left only where the width is odd.
    let left = match side {
        Side::Both => missing / 2 + (missing & width & 1),
        Side::Right => 0,
        Side::Left => missing,
    };
    let blanks = |count| std::iter::repeat_n(fill, count).collect::<String>();
    let made = format!(
        "{}{}{}",
        blanks(left),
        text.as_str(),
        blanks(missing - left)
    );
    Ok(like(text, made))
}

fn zero_fill(_runtime: &mut dyn Runtime, text: &Str, args: Args) -> Result<Value> {
    let width = usize::try_from(integer(args.positional.first(), 0)?).unwrap_or(0);
    fits(width)?;
    let (sign, digits) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (&text[..1], rest),
        None => ("", text.as_str()),
    };
    let missing = width.saturating_sub(text.chars().count());
    Ok(like(text, format!("{sign}{}{digits}", "0".repeat(missing))))
}

fn expand_tabs(_runtime: &mut dyn Runtime, text: &Str, args: Args) -> Result<Value> {
    let size = usize::try_from(integer(args.positional.first(), 8)?).unwrap_or(0);
    fits(text.as_str().len() + text.matches('\t').count().saturating_mul(size))?;
    let mut out = String::new();
    let mut column = 0;
    for c in text.chars() {
        match c {
            '\t' if size > 0 => {
                let count = size - column % size;
                out.extend(std::iter::repeat_n(' ', count));
                column += count;
            }
            '\t' => {}
            '\n' | '\r' => {
                out.push(c);
                column = 0;
            }
            c => {
                out.push(c);
                column += 1;
            }
        }
    }
    Ok(like(text, out))
}

fn encode(_runtime: &mut dyn Runtime, text: &Str, args: Args) -> Result<Value> {
    let option = |at: usize, default: &str| match args.positional.get(at) {
        None | Some(Value::None) => default.to_owned(),
        Some(value) => value.to_str(),
    };
    let (encoding, errors) = (option(0, "utf-8"), option(1, "strict"));
    let limit = match encoding.to_lowercase().replace('_', "-").as_str() {
        "utf-8" | "utf8" => return Ok(Value::Bytes(text.as_bytes().into())),
        "ascii" | "us-ascii" => 128,
        "latin-1" | "latin1" | "iso-8859-1" => 256,
        _ => {
            return Err(Error::new(
                Kind::Value,
                format!("unknown encoding: {encoding}"),
            ));
        }
    };
    let mut out = Vec::new();
    for (at, c) in text.chars().enumerate() {
        let code = u32::from(c);
        match (code < limit, errors.as_str()) {
            (true, _) => out.push(code as u8),
            (false, "ignore") => {}
            (false, "replace") => out.push(b'?'),
            (false, "xmlcharrefreplace") => out.extend(format!("&#{code};").into_bytes()),
            _ => {
                let codec = if limit == 128 { "ascii" } else { "latin-1" };
                return Err(Error::value_error(format!(
                    "'{codec}' codec can't encode character {} in position {at}: ordinal not in range({limit})",
                    quoted(c)
                )));
            }
        }
    }
    Ok(Value::Bytes(out.into()))
}

/// Writes a character that isn't ASCII as Python's `ascii()` does.
fn quoted(c: char) -> String {
    match u32::from(c) {
        code @ 0..=0xff => format!("'\\x{code:02x}'"),
        code @ 0x100..=0xffff => format!("'\\u{code:04x}'"),
        code => format!("'\\U{code:08x}'"),
    }
}

fn make_trans(_runtime: &mut dyn Runtime, _text: &Str, args: Args) -> Result<Value> {
    let given = &args.positional;
    let made = Dict::new();
    let code = |c: char| Key::new(Value::Int(i64::from(u32::from(c))));
    if let [one] = &given[..] {
        let Value::Dict(dict) = one else {
            return Err(Error::type_error(
                "if you give only one argument to maketrans it must be a dict",
            ));
        };
        for (key, value) in dict.to_vec() {
            let key = match key.value() {
                Value::Str(text) if text.chars().count() == 1 => {
                    code(text.chars().next().unwrap_or(' '))?
                }
                Value::Str(_) => {
                    return Err(Error::value_error(
                        "string keys in translate table must be of length 1",
                    ));
                }
                _ => key,
            };
            made.set_key(key, value);
        }
        return Ok(Value::Dict(made));
    }
    let from = text_of(given.first(), "maketrans() argument 1 must be str")?;
    let to = text_of(given.get(1), "maketrans() argument 2 must be str")?;
    if from.chars().count() != to.chars().count() {
        return Err(Error::value_error(
            "the first two maketrans arguments must have equal length",
        ));
    }
    for (from, to) in from.chars().zip(to.chars()) {
        made.set_key(code(from)?, Value::Int(i64::from(u32::from(to))));
    }
    if let Some(gone) = given.get(2) {
        for c in text_of(Some(gone), "maketrans() argument 3 must be str")?.chars() {
            made.set_key(code(c)?, Value::None);
        }
    }
    Ok(Value::Dict(made))
}

fn translate(runtime: &mut dyn Runtime, text: &Str, args: Args) -> Result<Value> {
    let table = args.positional.into_iter().next().unwrap_or(Value::None);
    if !matches!(
        table,
        Value::Dict(_) | Value::List(_) | Value::Str(_) | Value::Tuple(_) | Value::Object(_)
    ) {
        return Err(Error::type_error(format!(
            "'{}' object is not subscriptable",
            table.type_name()
        )));
    }
    let mut out = String::new();
    for c in text.chars() {
        match runtime.item(&table, &Value::Int(i64::from(u32::from(c))))? {
            Value::Undefined(_) => out.push(c),
            Value::None => {}
            Value::Str(to) => out.push_str(&to),
            other => match other.as_i64().and_then(|code| u32::try_from(code).ok()) {
                Some(code) => out.extend(char::from_u32(code)),
                None => {
                    return Err(Error::type_error(
                        "character mapping must return integer, None or str",
                    ));
                }
            },
        }
        fits(out.len())?;
    }
    Ok(like(text, out))
}
