//! Methods of Python's built-in types, as far as the sandbox lets templates call them.

use crate::diag::{Error, Result};
use crate::value::format::str_format;
use crate::value::ops::fits;
use crate::value::{Args, Dict, Key, List, Runtime, Set, Str, Value};

const STR: &[&str] = &[
    "capitalize",
    "casefold",
    "center",
    "count",
    "encode",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "format_map",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "upper",
    "zfill",
];
const LIST: &[&str] = &[
    "append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse",
    "sort",
];
const TUPLE: &[&str] = &["count", "index"];
const DICT: &[&str] = &[
    "clear",
    "copy",
    "fromkeys",
    "get",
    "items",
    "keys",
    "pop",
    "popitem",
    "setdefault",
    "update",
    "values",
];
const SET: &[&str] = &[
    "add",
    "clear",
    "copy",
    "difference",
    "discard",
    "intersection",
    "isdisjoint",
    "issubset",
    "issuperset",
    "pop",
    "remove",
    "symmetric_difference",
    "union",
    "update",
];
const INT: &[&str] = &["bit_length", "conjugate"];
const FLOAT: &[&str] = &["is_integer", "conjugate"];
const BYTES: &[&str] = &["decode", "hex"];

/// Says whether a name is a method of dicts, which stands in front of a key of that name.
pub fn is_dict_method(name: &str) -> bool {
    DICT.contains(&name)
}

/// Says whether a value has a method.
pub(super) fn exists(object: &Value, name: &str) -> bool {
    let names = match object {
        Value::Str(_) => STR,
        Value::List(_) => LIST,
        Value::Tuple(_) => TUPLE,
        Value::Dict(_) => DICT,
        Value::Set(_) => SET,
        Value::Int(_) | Value::Big(_) | Value::Bool(_) => INT,
        Value::Float(_) => FLOAT,
        Value::Bytes(_) => BYTES,
        _ => return false,
    };
    names.contains(&name)
}

/// Calls a method; `None` where the value has none of that name.
pub(super) fn call(
    runtime: &mut dyn Runtime,
    object: &Value,
    name: &str,
    args: Args,
) -> Result<Option<Value>> {
    if !exists(object, name) {
        return Ok(None);
    }
    match object {
        Value::Str(text) => str_method(runtime, text, name, args).map(Some),
        Value::List(list) => list_method(runtime, list, name, args).map(Some),
        Value::Tuple(items) => {
            list_method(runtime, &List::new(items.to_vec()), name, args).map(Some)
        }
        Value::Dict(dict) => dict_method(dict, name, args).map(Some),
        Value::Set(set) => set_method(set, name, args).map(Some),
        Value::Int(_) | Value::Big(_) | Value::Bool(_) => Ok(Some(match name {
            "bit_length" => match object {
                Value::Big(big) => Value::from(big.bits()),
                other => {
                    let number = other.as_i64().unwrap_or(0).unsigned_abs();
                    Value::from(u64::from(64 - number.leading_zeros()))
                }
            },
            _ => object.clone(),
        })),
        Value::Float(float) => Ok(Some(match name {
            "is_integer" => Value::Bool(float.fract() == 0.0 && float.is_finite()),
            _ => object.clone(),
        })),
        Value::Bytes(bytes) => Ok(Some(match name {
            "hex" => Value::str(bytes.iter().map(|b| format!("{b:02x}")).collect::<String>()),
            _ => Value::str(std::str::from_utf8(bytes).map_err(|error| {
                Error::value_error(format!(
                    "'utf-8' codec can't decode byte in position {}: invalid start byte",
                    error.valid_up_to()
                ))
            })?),
        })),
        _ => Ok(None),
    }
}

fn text_of(value: &Value, what: &str) -> Result<Str> {
    match value {
        Value::Str(text) => Ok(text.clone()),
        Value::Undefined(undefined) => Err(undefined.error()),
        other => Err(Error::type_error(format!(
            "{what} must be str, not {}",
            other.type_name()
        ))),
    }
}

fn number_of(value: Option<&Value>, default: i64) -> Result<i64> {
    match value {
        None | Some(Value::None) => Ok(default),
        Some(Value::Undefined(undefined)) => Err(undefined.error()),
        Some(value) => value.as_i64().ok_or_else(|| {
            Error::type_error(format!(
                "'{}' object cannot be interpreted as an integer",
                value.type_name()
            ))
        }),
    }
}

fn str_method(runtime: &mut dyn Runtime, text: &Str, name: &str, args: Args) -> Result<Value> {
    let s = text.as_str();
    let like = |made: String| Value::Str(Str::new(made).with_markup(text.is_markup()));
    let predicate = |test: fn(char) -> bool| Value::Bool(!s.is_empty() && s.chars().all(test));
    Ok(match name {
        "format" => like(str_format(runtime, s, &args)?),
        "format_map" => {
            let [map] = args.bind("format_map", ["mapping"], 1)?;
            let keyword = match map {
                Some(Value::Dict(dict)) => dict
                    .to_vec()
                    .into_iter()
                    .map(|(k, v)| (k.value().to_str(), v))
                    .collect(),
                _ => Vec::new(),
            };
            like(str_format(
                runtime,
                s,
                &Args {
                    positional: Vec::new(),
                    keyword,
                },
            )?)
        }
        "upper" => like(s.to_uppercase()),
        "lower" => like(s.to_lowercase()),
        "casefold" => like(s.to_lowercase().replace('ß', "ss")),
        "capitalize" => like(capitalize(s)),
        "title" => like(title(s)),
        "swapcase" => like(
            s.chars()
                .flat_map(|c| -> Vec<char> {
                    if c.is_uppercase() {
                        c.to_lowercase().collect()
                    } else {
                        c.to_uppercase().collect()
                    }
                })
                .collect(),
        ),
        "strip" | "lstrip" | "rstrip" => {
            let [chars] = args.bind(name, ["chars"], 0)?;
            let set: Option<Vec<char>> = match chars {
                None | Some(Value::None) => None,
                Some(value) => Some(text_of(&value, "strip arg")?.chars().collect()),
            };
            let test = |c: char| {
                set.as_ref()
                    .map_or_else(|| c.is_whitespace(), |set| set.contains(&c))
            };
            like(
                match name {
                    "strip" => s.trim_matches(test),
                    "lstrip" => s.trim_start_matches(test),
                    _ => s.trim_end_matches(test),
                }
                .to_owned(),
            )
        }
        "split" | "rsplit" => {
            let [separator, most] = args.bind(name, ["sep", "maxsplit"], 0)?;
            let most = number_of(most.as_ref(), -1)?;
            let separator = match separator {
                None | Some(Value::None) => None,
                Some(value) => Some(text_of(&value, "must be str or None, not")?),
            };
            if separator.as_ref().is_some_and(|s| s.is_empty()) {
                return Err(Error::value_error("empty separator"));
            }
            let parts = if name == "split" {
                split(s, separator.as_deref(), most)
            } else {
                rsplit(s, separator.as_deref(), most)
            };
            Value::list(parts.into_iter().map(like).collect())
        }
        "splitlines" => {
            let [keep] = args.bind(name, ["keepends"], 0)?;
            let keep = keep.is_some_and(|v| v.truth());
            Value::list(lines(s, keep).into_iter().map(like).collect())
        }
        "join" => {
            let [items] = args.bind(name, ["iterable"], 1)?;
            let mut out = String::new();
            for (index, item) in items.unwrap_or(Value::None).items()?.enumerate() {
                if index > 0 {
                    out.push_str(s);
                }
                match &item {
                    Value::Str(part) => {
                        fits(out.len() + part.as_str().len())?;
                        out.push_str(part);
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
            like(out)
        }
        "replace" => {
            let [old, new, count] = args.bind(name, ["old", "new", "count"], 2)?;
            let old = text_of(&old.unwrap_or(Value::None), "replace() argument 1")?;
            let new = text_of(&new.unwrap_or(Value::None), "replace() argument 2")?;
            fits(
                s.len()
                    + s.matches(old.as_str())
                        .count()
                        .saturating_mul(new.as_str().len()),
            )?;
            like(match number_of(count.as_ref(), -1)? {
                count if count < 0 => s.replace(old.as_str(), &new),
                count => s.replacen(old.as_str(), &new, count as usize),
            })
        }
        "startswith" | "endswith" => {
            let [wanted, start, end] = args.bind(name, ["prefix", "start", "end"], 1)?;
            let part = part(s, number_of(start.as_ref(), 0)?, end.as_ref())?;
            let wanted = match wanted.unwrap_or(Value::None) {
                Value::Tuple(items) => items.to_vec(),
                one => vec![one],
            };
            let mut found = false;
            for one in wanted {
                let one = text_of(&one, &format!("{name} first arg"))?;
                found |= if name == "startswith" {
                    part.starts_with(one.as_str())
                } else {
                    part.ends_with(one.as_str())
                };
            }
            Value::Bool(found)
        }
        "find" | "index" | "rfind" | "rindex" | "count" => {
            let [wanted, start, end] = args.bind(name, ["sub", "start", "end"], 1)?;
            let wanted = text_of(&wanted.unwrap_or(Value::None), "must be str, not")?;
            let from = number_of(start.as_ref(), 0)?;
            let inside = part(s, from, end.as_ref())?;
            if name == "count" {
                let count = if wanted.is_empty() {
                    inside.chars().count() + 1
                } else {
                    inside.matches(wanted.as_str()).count()
                };
                return Ok(Value::from(count));
            }
            let found = if name.starts_with('r') {
                inside.rfind(wanted.as_str())
            } else {
                inside.find(wanted.as_str())
            };
            let length = s.chars().count() as i64;
            let from = if from < 0 {
                (from + length).max(0)
            } else {
                from
            };
            match found {
                Some(at) => Value::Int(from + inside[..at].chars().count() as i64),
                None if name.ends_with("find") => Value::Int(-1),
                None => return Err(Error::value_error("substring not found")),
            }
        }
        "partition" | "rpartition" => {
            let [separator] = args.bind(name, ["sep"], 1)?;
            let separator = text_of(&separator.unwrap_or(Value::None), "must be str, not")?;
            let found = if name == "partition" {
                s.find(separator.as_str())
            } else {
                s.rfind(separator.as_str())
            };
            let parts = match found {
                Some(at) => [
                    &s[..at],
                    separator.as_str(),
                    &s[at + separator.as_str().len()..],
                ],
                None if name == "partition" => [s, "", ""],
                None => ["", "", s],
            };
            Value::tuple(parts.iter().map(|part| like((*part).to_owned())).collect())
        }
        "removeprefix" | "removesuffix" => {
            let [fix] = args.bind(name, ["prefix"], 1)?;
            let fix = text_of(&fix.unwrap_or(Value::None), &format!("{name}() argument"))?;
            let cut = if name == "removeprefix" {
                s.strip_prefix(fix.as_str())
            } else {
                s.strip_suffix(fix.as_str())
            };
            like(cut.unwrap_or(s).to_owned())
        }
        "center" | "ljust" | "rjust" => {
            let [width, fill] = args.bind(name, ["width", "fillchar"], 1)?;
            let width = number_of(width.as_ref(), 0)?.max(0) as usize;
            fits(width)?;
            let fill = match fill {
                None => ' ',
                Some(value) => {
                    let fill = text_of(&value, "The fill character")?;
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
            let missing = width.saturating_sub(s.chars().count());
            // Python puts the odd blank on the left only where the width is odd.
            let left = match name {
                "center" => missing / 2 + (missing & width & 1),
                "ljust" => 0,
                _ => missing,
            };
            let pad = |count| std::iter::repeat_n(fill, count).collect::<String>();
            like(format!("{}{s}{}", pad(left), pad(missing - left)))
        }
        "zfill" => {
            let [width] = args.bind(name, ["width"], 1)?;
            let width = number_of(width.as_ref(), 0)?.max(0) as usize;
            fits(width)?;
            let (sign, digits) = match s.strip_prefix(['+', '-']) {
                Some(rest) => (&s[..1], rest),
                None => ("", s),
            };
            let missing = width.saturating_sub(s.chars().count());
            like(format!("{sign}{}{digits}", "0".repeat(missing)))
        }
        "expandtabs" => {
            let [size] = args.bind(name, ["tabsize"], 0)?;
            let size = number_of(size.as_ref(), 8)?.clamp(0, 1000) as usize;
            let mut out = String::new();
            let mut column = 0;
            for c in s.chars() {
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
            like(out)
        }
        "encode" => Value::Bytes(s.as_bytes().into()),
        "isalpha" => predicate(char::is_alphabetic),
        "isdigit" | "isdecimal" | "isnumeric" => predicate(char::is_numeric),
        "isalnum" => predicate(char::is_alphanumeric),
        "isspace" => predicate(char::is_whitespace),
        "isascii" => Value::Bool(s.is_ascii()),
        "isprintable" => Value::Bool(!s.chars().any(char::is_control)),
        "islower" => {
            Value::Bool(s.chars().any(char::is_lowercase) && !s.chars().any(char::is_uppercase))
        }
        "isupper" => {
            Value::Bool(s.chars().any(char::is_uppercase) && !s.chars().any(char::is_lowercase))
        }
        "istitle" => Value::Bool(s.chars().any(char::is_alphabetic) && title(s) == s),
        "isidentifier" => Value::Bool(
            s.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && s.chars().all(|c| c.is_alphanumeric() || c == '_'),
        ),
        _ => {
            return Err(Error::type_error(format!(
                "'str' object has no method '{name}'"
            )));
        }
    })
}

/// Returns the first character in upper case, the rest in lower case.
pub(super) fn capitalize(s: &str) -> String {
    let mut chars = s.chars();
    match chars.next() {
        Some(first) => first
            .to_uppercase()
            .chain(chars.flat_map(char::to_lowercase))
            .collect(),
        None => String::new(),
    }
}

fn title(s: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in s.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphabetic();
    }
    out
}

/// Returns the characters between two indices, which may be negative.
fn part<'a>(s: &'a str, start: i64, end: Option<&Value>) -> Result<&'a str> {
    let length = s.chars().count() as i64;
    let clamp = |at: i64| (if at < 0 { at + length } else { at }).clamp(0, length);
    let (from, to) = (clamp(start), clamp(number_of(end, length)?));
    let offset = |at: i64| {
        s.char_indices()
            .nth(at as usize)
            .map_or(s.len(), |(offset, _)| offset)
    };
    Ok(if from > to {
        ""
    } else {
        &s[offset(from)..offset(to)]
    })
}

fn split(s: &str, separator: Option<&str>, most: i64) -> Vec<String> {
    let own = |parts: Vec<&str>| parts.into_iter().map(str::to_owned).collect();
    match (separator, most) {
        (Some(separator), most) if most < 0 => own(s.split(separator).collect()),
        (Some(separator), most) => own(s.splitn(most as usize + 1, separator).collect()),
        (None, most) if most < 0 => own(s.split_whitespace().collect()),
        (None, most) => {
            let mut out = Vec::new();
            let mut rest = s.trim_start();
            while !rest.is_empty() {
                if out.len() as i64 == most {
                    out.push(rest.trim_end().to_owned());
                    break;
                }
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                out.push(rest[..end].to_owned());
                rest = rest[end..].trim_start();
            }
            out
        }
    }
}

fn rsplit(s: &str, separator: Option<&str>, most: i64) -> Vec<String> {
    if most < 0 {
        return split(s, separator, -1);
    }
    let mut out: Vec<String> = Vec::new();
    match separator {
        Some(separator) => out.extend(s.rsplitn(most as usize + 1, separator).map(str::to_owned)),
        None => {
            let mut rest = s.trim_end();
            while !rest.is_empty() {
                if out.len() as i64 == most {
                    out.push(rest.trim_start().to_owned());
                    break;
                }
                let start = rest.rfind(char::is_whitespace).map_or(0, |at| {
                    at + rest[at..].chars().next().map_or(1, char::len_utf8)
                });
                out.push(rest[start..].to_owned());
                rest = rest[..start].trim_end();
            }
        }
    }
    out.reverse();
    out
}

fn lines(s: &str, keep: bool) -> Vec<String> {
    let mut out = Vec::new();
    let mut line = String::new();
    let mut chars = s.chars().peekable();
    while let Some(c) = chars.next() {
        let is_end = matches!(
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
        );
        if !is_end {
            line.push(c);
            continue;
        }
        if keep {
            line.push(c);
        }
        if c == '\r' && chars.peek() == Some(&'\n') {
            chars.next();
            if keep {
                line.push('\n');
            }
        }
        out.push(std::mem::take(&mut line));
    }
    if !line.is_empty() {
        out.push(line);
    }
    out
}

fn list_method(
    runtime: &mut dyn Runtime,
    list: &List,
    name: &str,
    mut args: Args,
) -> Result<Value> {
    Ok(match name {
        "append" => {
            let [item] = args.bind(name, ["object"], 1)?;
            list.push(item.unwrap_or(Value::None));
            Value::None
        }
        "extend" => {
            let [items] = args.bind(name, ["iterable"], 1)?;
            let items: Vec<Value> = items.unwrap_or(Value::None).items()?.collect();
            list.borrow_mut().extend(items);
            Value::None
        }
        "insert" => {
            let [at, item] = args.bind(name, ["index", "object"], 2)?;
            let length = list.len() as i64;
            let at = number_of(at.as_ref(), 0)?;
            let at = (if at < 0 { at + length } else { at }).clamp(0, length) as usize;
            list.borrow_mut().insert(at, item.unwrap_or(Value::None));
            Value::None
        }
        "pop" => {
            let [at] = args.bind(name, ["index"], 0)?;
            let length = list.len() as i64;
            if length == 0 {
                return Err(Error::value_error("pop from empty list"));
            }
            let at = number_of(at.as_ref(), -1)?;
            let at = if at < 0 { at + length } else { at };
            if !(0..length).contains(&at) {
                return Err(Error::value_error("pop index out of range"));
            }
            list.borrow_mut().remove(at as usize)
        }
        "remove" | "index" => {
            let [item, start, end] = args.bind(name, ["value", "start", "stop"], 1)?;
            let item = item.unwrap_or(Value::None);
            let length = list.len() as i64;
            let clamp = |at: i64| (if at < 0 { at + length } else { at }).clamp(0, length) as usize;
            let (from, to) = (
                clamp(number_of(start.as_ref(), 0)?),
                clamp(number_of(end.as_ref(), length)?),
            );
            let found = list
                .borrow()
                .iter()
                .take(to)
                .enumerate()
                .skip(from)
                .find(|(_, one)| **one == item)
                .map(|(at, _)| at);
            match (found, name) {
                (Some(at), "remove") => {
                    list.borrow_mut().remove(at);
                    Value::None
                }
                (Some(at), _) => Value::from(at),
                (None, "remove") => {
                    return Err(Error::value_error("list.remove(x): x not in list"));
                }
                (None, _) => {
                    return Err(Error::value_error(format!(
                        "{} is not in list",
                        item.repr()
                    )));
                }
            }
        }
        "count" => {
            let [item] = args.bind(name, ["value"], 1)?;
            let item = item.unwrap_or(Value::None);
            Value::from(list.borrow().iter().filter(|one| **one == item).count())
        }
        "reverse" => {
            list.borrow_mut().reverse();
            Value::None
        }
        "clear" => {
            list.borrow_mut().clear();
            Value::None
        }
        "copy" => Value::list(list.to_vec()),
        "sort" => {
            let reverse = args.take("reverse").is_some_and(|v| v.truth());
            let key = args.take("key").filter(|v| !v.is_none());
            let mut items = Vec::new();
            for item in list.to_vec() {
                let by = match &key {
                    Some(key) => runtime.call(key, Args::positional(vec![item.clone()]))?,
                    None => item.clone(),
                };
                items.push((by, item));
            }
            let mut problem = None;
            items.sort_by(|a, b| {
                let order = a.0.order(&b.0, "<").unwrap_or_else(|error| {
                    problem.get_or_insert(error);
                    None
                });
                let order = order.unwrap_or(std::cmp::Ordering::Equal);
                if reverse { order.reverse() } else { order }
            });
            if let Some(error) = problem {
                return Err(error);
            }
            *list.borrow_mut() = items.into_iter().map(|(_, item)| item).collect();
            Value::None
        }
        _ => {
            return Err(Error::type_error(format!(
                "'list' object has no method '{name}'"
            )));
        }
    })
}

fn dict_method(dict: &Dict, name: &str, args: Args) -> Result<Value> {
    Ok(match name {
        "get" => {
            let [key, default] = args.bind(name, ["key", "default"], 1)?;
            let key = Key::new(key.unwrap_or(Value::None))?;
            dict.get_key(&key).or(default).unwrap_or(Value::None)
        }
        "items" => Value::list(
            dict.to_vec()
                .into_iter()
                .map(|(k, v)| Value::tuple(vec![k.into_value(), v]))
                .collect(),
        ),
        "keys" => Value::list(dict.keys().into_iter().map(Key::into_value).collect()),
        "values" => Value::list(dict.to_vec().into_iter().map(|(_, v)| v).collect()),
        "copy" => Value::Dict(dict.copy()),
        "clear" => {
            dict.borrow_mut().clear();
            Value::None
        }
        "update" => {
            if let Some(first) = args.positional.first() {
                super::globals::fill(dict, first)?;
            }
            for (key, value) in args.keyword {
                dict.set(key, value);
            }
            Value::None
        }
        "pop" => {
            let [key, default] = args.bind(name, ["key", "default"], 1)?;
            let key = Key::new(key.unwrap_or(Value::None))?;
            let found = dict.borrow_mut().shift_remove(&key);
            match found.or(default) {
                Some(value) => value,
                None => return Err(Error::value_error(key.value().repr())),
            }
        }
        "popitem" => match dict.borrow_mut().pop() {
            Some((key, value)) => Value::tuple(vec![key.into_value(), value]),
            None => return Err(Error::value_error("'popitem(): dictionary is empty'")),
        },
        "setdefault" => {
            let [key, default] = args.bind(name, ["key", "default"], 1)?;
            let key = Key::new(key.unwrap_or(Value::None))?;
            let known = dict.get_key(&key);
            match known {
                Some(value) => value,
                None => {
                    let value = default.unwrap_or(Value::None);
                    dict.set_key(key, value.clone());
                    value
                }
            }
        }
        "fromkeys" => {
            let [keys, value] = args.bind(name, ["iterable", "value"], 1)?;
            let made = Dict::new();
            for key in keys.unwrap_or(Value::None).items()? {
                made.set_key(Key::new(key)?, value.clone().unwrap_or(Value::None));
            }
            Value::Dict(made)
        }
        _ => {
            return Err(Error::type_error(format!(
                "'dict' object has no method '{name}'"
            )));
        }
    })
}

fn set_method(set: &Set, name: &str, args: Args) -> Result<Value> {
    let keys = |value: &Value| -> Result<Vec<Key>> { value.items()?.map(Key::new).collect() };
    let mut others = Vec::new();
    for value in &args.positional {
        if !matches!(name, "add" | "discard" | "remove") {
            others.push(keys(value)?);
        }
    }
    let one = || Key::new(args.positional.first().cloned().unwrap_or(Value::None));
    Ok(match name {
        "add" => {
            set.borrow_mut().insert(one()?);
            Value::None
        }
        "discard" | "remove" => {
            let removed = set.borrow_mut().shift_remove(&one()?);
            if !removed && name == "remove" {
                return Err(Error::value_error(one()?.value().repr()));
            }
            Value::None
        }
        "clear" => {
            set.borrow_mut().clear();
            Value::None
        }
        "pop" => match set.borrow_mut().pop() {
            Some(key) => key.into_value(),
            None => return Err(Error::value_error("'pop from an empty set'")),
        },
        "update" => {
            set.borrow_mut().extend(others.into_iter().flatten());
            Value::None
        }
        "copy" => Value::Set(set.to_vec().into_iter().collect()),
        "union" => Value::Set(
            set.to_vec()
                .into_iter()
                .chain(others.into_iter().flatten())
                .collect(),
        ),
        "difference" => Value::Set(
            set.to_vec()
                .into_iter()
                .filter(|key| !others.iter().any(|other| other.contains(key)))
                .collect(),
        ),
        "intersection" => Value::Set(
            set.to_vec()
                .into_iter()
                .filter(|key| others.iter().all(|other| other.contains(key)))
                .collect(),
        ),
        "symmetric_difference" => {
            let other: Vec<Key> = others.into_iter().flatten().collect();
            let own = set.to_vec();
            let left = own.iter().filter(|key| !other.contains(key)).cloned();
            Value::Set(
                left.chain(other.iter().filter(|key| !own.contains(key)).cloned())
                    .collect(),
            )
        }
        "issubset" => Value::Bool(
            set.to_vec()
                .iter()
                .all(|key| others.iter().all(|o| o.contains(key))),
        ),
        "issuperset" => Value::Bool(others.iter().flatten().all(|key| set.contains(key))),
        "isdisjoint" => Value::Bool(!others.iter().flatten().any(|key| set.contains(key))),
        _ => {
            return Err(Error::type_error(format!(
                "'set' object has no method '{name}'"
            )));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Environment, MapContext, Place};
    use crate::value::Value;

    #[test]
    fn results_without_end_are_refused_before_memory_is_asked_for() {
        let env = Environment::new();
        let none: [(&str, Value); 0] = [];
        let context = MapContext::new(none);
        for text in [
            "('a'*1000000).replace('a','b'*1000000)",
            "('a'*1000000)|replace('a','b'*1000000)",
            "('b'*1000000).join('a'*1000000)",
            "[1]|batch(10**12,0)",
            "[1]|slice(10**9)",
            "'a'.ljust(10**12)",
            "'a'.zfill(10**12)",
            "'a' * 10**12",
        ] {
            let expression = env
                .compile_expression(text, Place::Nowhere, true)
                .expect(text);
            assert!(env.evaluate(&expression, &context).is_err(), "{text}");
        }
    }
}
