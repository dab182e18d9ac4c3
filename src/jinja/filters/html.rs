//! Filters of markup and URLs.

use std::fmt::Write;

use super::{first_arg, known, mapping};
use crate::diag::{Error, Result};
use crate::jinja::Row;
use crate::value::{Args, JsonStyle, Runtime, Str, Value, escape_html};

/// The family.
pub(super) static TABLE: &[Row] = &[
    Row::new(
        "e",
        escape,
        "Escapes for HTML.",
        "'<' | e | string => Markup('&lt;')",
    ),
    Row::new(
        "escape",
        escape,
        "Escapes for HTML.",
        "'<' | escape | length => 4",
    ),
    Row::new(
        "forceescape",
        force_escape,
        "Escapes for HTML, even markup.",
        "'<' | forceescape | length => 4",
    ),
    Row::new(
        "safe",
        |_, a| {
            Ok(Value::Str(
                Str::new(first_arg(a)?.to_str()).with_markup(true),
            ))
        },
        "Marks text as markup.",
        "'<' | safe | length => 1",
    ),
    Row::new(
        "striptags",
        strip_tags,
        "Takes markup off.",
        "'<b>x</b>' | striptags => 'x'",
    ),
    Row::new(
        "tojson",
        to_json,
        "Writes JSON that is safe in HTML.",
        "[1] | tojson | string => Markup('[1]')",
    ),
    Row::new(
        "urlencode",
        url_encode,
        "Escapes for URLs.",
        "'a b/c' | urlencode => 'a%20b/c'",
    ),
    Row::new(
        "xmlattr",
        xml_attr,
        "Writes attributes of an XML tag.",
        "{'a': 'b'} | xmlattr => ' a=\"b\"'",
    ),
];

fn escape(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    Ok(match first_arg(args)? {
        Value::Str(text) if text.is_markup() => Value::Str(text),
        other => Value::Str(Str::new(escape_html(&other.to_str())).with_markup(true)),
    })
}

fn force_escape(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let text = first_arg(args)?.to_str();
    Ok(Value::Str(Str::new(escape_html(&text)).with_markup(true)))
}

fn strip_tags(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let text = first_arg(args)?.to_str();
    let out = without(&without(&text, "<!--", "-->"), "<", ">");
    let words: Vec<&str> = out.split_whitespace().collect();
    let plain = words.join(" ");
    let plain = plain
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&#34;", "\"")
        .replace("&#39;", "'");
    Ok(Value::str(plain.replace("&amp;", "&")))
}

/// Takes out what stands between two marks, and the marks; one that isn't closed stays.
fn without(text: &str, open: &str, close: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once(open) {
        let Some((_, after)) = inside.split_once(close) else {
            break;
        };
        out.push_str(before);
        rest = after;
    }
    out + rest
}

fn to_json(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, indent] = args.bind("do_tojson", ["value", "indent"], 1)?;
    let style = match indent.and_then(|i| i.as_i64()) {
        Some(indent) => JsonStyle {
            sort_keys: true,
            ..JsonStyle::indented(indent.clamp(0, 100) as usize)
        },
        None => JsonStyle {
            sort_keys: true,
            ..JsonStyle::default()
        },
    };
    let mut out = String::new();
    for c in known(value)?.to_json(&style)?.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\'' => out.push_str("\\u0027"),
            c => out.push(c),
        }
    }
    Ok(Value::Str(Str::new(out).with_markup(true)))
}

fn url_encode(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let value = first_arg(args)?;
    let pairs: Vec<(Value, Value)> = match &value {
        Value::Dict(dict) => dict
            .to_vec()
            .into_iter()
            .map(|(k, v)| (k.into_value(), v))
            .collect(),
        Value::List(_) | Value::Tuple(_) => {
            let mut pairs = Vec::new();
            for pair in value.items()? {
                let parts: Vec<Value> = pair.items()?.collect();
                match &parts[..] {
                    [key, value] => pairs.push((key.clone(), value.clone())),
                    [_, _, ..] => {
                        return Err(Error::value_error("too many values to unpack (expected 2)"));
                    }
                    few => {
                        return Err(Error::value_error(format!(
                            "not enough values to unpack (expected 2, got {})",
                            few.len()
                        )));
                    }
                }
            }
            pairs
        }
        other => return Ok(Value::str(quoted(&other.to_str(), "/"))),
    };
    let parts: Vec<String> = pairs
        .iter()
        .map(|(key, value)| {
            let part = |v: &Value| quoted(&v.to_str(), "").replace("%20", "+");
            format!("{}={}", part(key), part(value))
        })
        .collect();
    Ok(Value::str(parts.join("&")))
}

/// Escapes all but letters, digits, `_.-~` and what is given.
fn quoted(text: &str, safe: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric()
            || b"_.-~".contains(&byte)
            || safe.as_bytes().contains(&byte)
        {
            out.push(byte as char);
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn xml_attr(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, space] = args.bind("do_xmlattr", ["d", "autospace"], 1)?;
    let mut parts = Vec::new();
    for (key, value) in mapping(&known(value)?)?.to_vec() {
        if value.is_none() || value.is_undefined() {
            continue;
        }
        let key = key.value().to_str();
        if key.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '>' | '=')) {
            return Err(Error::value_error(format!(
                "Invalid character in attribute name: '{key}'"
            )));
        }
        parts.push(format!(
            "{}=\"{}\"",
            escape_html(&key),
            escape_html(&value.to_str())
        ));
    }
    let mut out = parts.join(" ");
    if !out.is_empty() && space.is_none_or(|s| s.truth()) {
        out.insert(0, ' ');
    }
    Ok(Value::Str(Str::new(out).with_markup(runtime.autoescape())))
}
