//! Filters for text: booleans, quoting, comments, splitting.

use super::{failed, flag, known, mistyped, only};
use crate::diag::Result;
use crate::jinja::{Row, pretty};
use crate::value::{Args, Runtime, Value};

pub(super) static TABLE: &[Row] = &[
    Row::new(
        "bool",
        boolean,
        "Converts to a boolean.",
        "'yes' | bool => True",
    ),
    Row::new(
        "ternary",
        ternary,
        "Chooses by truth.",
        "true | ternary('a', 'b') => 'a'",
    ),
    Row::new(
        "mandatory",
        mandatory,
        "Raises where a value is undefined.",
        "1 | mandatory => 1",
    ),
    Row::new(
        "quote",
        quote,
        "Quotes for a shell.",
        "'a b' | quote => \"'a b'\"",
    ),
    Row::new(
        "comment",
        comment,
        "Makes a comment of text.",
        "'a' | comment => '#\\n# a\\n#'",
    ),
    Row::new(
        "split",
        split,
        "Splits text.",
        "'a,b' | split(',') => ['a', 'b']",
    ),
    Row::new(
        "type_debug",
        type_debug,
        "Names a value's type.",
        "1 | type_debug => 'int'",
    ),
    Row::new(
        "urldecode",
        url_decode,
        "Decodes URL escapes.",
        "'a%20b' | urldecode => 'a b'",
    ),
    Row::new(
        "human_readable",
        human_readable,
        "Writes a size for people.",
        "1024 | human_readable => '1.00 KB'",
    ),
    Row::new(
        "human_to_bytes",
        human_to_bytes,
        "Reads a size as people write it.",
        "'1K' | human_to_bytes => 1024",
    ),
];

fn boolean(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let value = only(args)?;
    let level = crate::template::lookups::templar(runtime).map(|templar| templar.level());
    Ok(match &value {
        Value::None if level.is_ok_and(crate::compat::Level::none_is_false) => Value::Bool(false),
        Value::None => Value::None,
        Value::Bool(_) => value,
        other => Value::Bool(match other {
            Value::Str(text) => matches!(
                text.to_ascii_lowercase().as_str(),
                "yes" | "on" | "1" | "true" | "y" | "t"
            ),
            other => *other == Value::Int(1),
        }),
    })
}

fn ternary(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, yes, no, none] =
        args.bind("ternary", ["value", "true_val", "false_val", "none_val"], 3)?;
    let value = known(value)?;
    if value.is_none()
        && let Some(none) = none.filter(|none| !none.is_none())
    {
        return Ok(none);
    }
    Ok(if value.truth() { yes } else { no }.unwrap_or(Value::None))
}

fn mandatory(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, message] = args.bind("mandatory", ["a", "msg"], 1)?;
    match value {
        Some(Value::Undefined(undefined)) => Err(match message.filter(|m| !m.is_none()) {
            Some(message) => failed(message.to_str()),
            None => match &undefined.name {
                Some(name) => failed(format!("Mandatory variable '{name}' not defined.")),
                None => failed("Mandatory variable not defined."),
            },
        }),
        value => Ok(value.unwrap_or(Value::None)),
    }
}

fn quote(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let value = only(args)?;
    let text = if value.is_none() {
        String::new()
    } else {
        value.to_str()
    };
    Ok(Value::str(shell_quote(&text)))
}

/// Quotes text as Python's `shlex.quote` does.
fn shell_quote(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "@%_-+=:,./".contains(c);
    if !text.is_empty() && text.chars().all(safe) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\"'\"'"))
}

fn comment(_runtime: &mut dyn Runtime, mut args: Args) -> Result<Value> {
    let text = known(args.positional.first().cloned())?.to_str();
    let style = args
        .positional
        .get(1)
        .map_or_else(|| "plain".to_owned(), Value::to_str);
    let (decoration, begin, end) = match style.as_str() {
        "plain" => ("# ", "", ""),
        "erlang" => ("% ", "", ""),
        "c" => ("// ", "", ""),
        "cblock" => (" * ", "/*", " */"),
        "xml" => (" - ", "<!--", "-->"),
        other => return Err(failed(format!("Invalid style '{other}'."))),
    };
    let mut take = |name: &str, default: &str| {
        args.take(name)
            .map_or_else(|| default.to_owned(), |v| v.to_str())
    };
    let newline = take("newline", "\n");
    let decoration = take("decoration", decoration);
    let (begin, end) = (take("beginning", begin), take("end", end));
    let bare = decoration.trim_end().to_owned();
    let prefix = take("prefix", &bare);
    let postfix = take("postfix", &bare);
    let count =
        |value: Option<Value>| value.and_then(|v| v.as_i64()).unwrap_or(1).clamp(0, 1000) as usize;
    let (before, after) = (
        count(args.take("prefix_count")),
        count(args.take("postfix_count")),
    );
    let mut out = String::new();
    if !begin.is_empty() {
        out.push_str(&begin);
        out.push_str(&newline);
    }
    if !prefix.is_empty() {
        out.push_str(&format!("{prefix}{newline}").repeat(before));
    }
    // As observed: only between two lines is an empty one left without blanks.
    let body = format!("{decoration}{text}")
        .replace(newline.as_str(), &format!("{newline}{decoration}"))
        .replace(
            &format!("{decoration}{newline}"),
            &format!("{}{newline}", decoration.trim_end()),
        );
    out.push_str(&body);
    if !postfix.is_empty() && after > 0 {
        for _ in 0..after {
            out.push_str(&newline);
            out.push_str(&postfix);
        }
    }
    if !end.is_empty() {
        out.push_str(&newline);
        out.push_str(&end);
    }
    Ok(Value::str(out))
}

fn split(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, separator, most] = args.bind("split", ["value", "sep", "maxsplit"], 1)?;
    let value = known(value)?;
    let Value::Str(text) = &value else {
        return Err(mistyped(format!(
            "descriptor 'split' for 'str' objects doesn't apply to a '{}' object",
            value.type_name()
        )));
    };
    let most = most.and_then(|m| m.as_i64()).unwrap_or(-1);
    let parts: Vec<&str> = match separator.filter(|s| !s.is_none()) {
        Some(separator) => {
            let separator = separator.to_str();
            if separator.is_empty() {
                return Err(failed("empty separator"));
            }
            let parts: Vec<String> = if most < 0 {
                text.split(separator.as_str()).map(str::to_owned).collect()
            } else {
                text.splitn(most as usize + 1, separator.as_str())
                    .map(str::to_owned)
                    .collect()
            };
            return Ok(Value::list(parts.into_iter().map(Value::from).collect()));
        }
        None => text.split_whitespace().collect(),
    };
    Ok(Value::list(parts.into_iter().map(Value::str).collect()))
}

fn type_debug(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    Ok(Value::str(match args.positional.first() {
        Some(Value::Undefined(undefined)) => undefined.type_name(),
        Some(value) => value.type_name(),
        None => "NoneType",
    }))
}

/// `pprint` since 2.19: its own lists and dicts are shown on one line.
pub(in crate::template) fn newer_pprint(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let value = only(args)?;
    Ok(Value::str(match &value {
        Value::Str(_) => pretty(&value),
        other => other.repr(),
    }))
}

/// `type_debug` before 2.19: a string read from a file has a type of its own.
pub(in crate::template) fn older_type_debug(
    runtime: &mut dyn Runtime,
    args: Args,
) -> Result<Value> {
    let is_vaulted = args.positional.first().is_some_and(|value| {
        crate::template::lookups::templar(runtime)
            .is_ok_and(|templar| templar.envelope(value).is_some())
    });
    match args.positional.first() {
        Some(_) if is_vaulted => Ok(Value::str("AnsibleVaultEncryptedUnicode")),
        Some(Value::Str(text)) if text.span().is_some() => Ok(Value::str("AnsibleUnicode")),
        _ => type_debug(runtime, args),
    }
}

fn url_decode(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let text = only(args)?.to_str().replace('+', " ");
    let bytes = percent_encoding::percent_decode_str(&text);
    Ok(Value::str(bytes.decode_utf8_lossy()))
}

const UNITS: &[(&str, f64)] = &[
    ("Y", 1_208_925_819_614_629_174_706_176.0),
    ("Z", 1_180_591_620_717_411_303_424.0),
    ("E", 1_152_921_504_606_846_976.0),
    ("P", 1_125_899_906_842_624.0),
    ("T", 1_099_511_627_776.0),
    ("G", 1_073_741_824.0),
    ("M", 1_048_576.0),
    ("K", 1024.0),
];

fn human_readable(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [size, bits, unit] = args.bind("human_readable", ["size", "isbits", "unit"], 1)?;
    let size = known(size)?;
    let number = size
        .as_f64()
        .or_else(|| size.to_str().trim().parse().ok())
        .ok_or_else(|| {
            mistyped(format!(
                "human_readable() failed on bad input: '>=' not supported between instances of '{}' and 'int'",
                size.type_name()
            ))
        })?;
    let base = if flag(bits) { "bits" } else { "Bytes" };
    let wanted = unit
        .filter(|u| !u.is_none())
        .map(|u| u.to_str().to_uppercase());
    let short = if base == "bits" { "b" } else { "B" };
    for (name, factor) in UNITS {
        let fits = match &wanted {
            Some(wanted) => wanted.starts_with(name),
            None => number >= *factor,
        };
        if fits {
            return Ok(Value::str(format!("{:.2} {name}{short}", number / factor)));
        }
    }
    Ok(Value::str(format!("{number:.2} {base}")))
}

fn human_to_bytes(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [size, default, bits] =
        args.bind("human_to_bytes", ["size", "default_unit", "isbits"], 1)?;
    let text = known(size)?.to_str();
    let bits = flag(bits);
    let wrong = |message: String| {
        failed(format!(
            "human_to_bytes() can't interpret the input: {message}"
        ))
    };
    let trimmed = text.trim();
    let end = trimmed
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(trimmed.len());
    let number: f64 = trimmed[..end].parse().map_err(|_| {
        wrong(format!(
            "human_to_bytes() can't interpret following string: {text}"
        ))
    })?;
    let unit = trimmed[end..].trim();
    let unit = if unit.is_empty() {
        default
            .filter(|d| !d.is_none())
            .map(|d| d.to_str())
            .unwrap_or_default()
    } else {
        unit.to_owned()
    };
    let Some(first) = unit.chars().next().map(|c| c.to_ascii_uppercase()) else {
        return Ok(Value::from(number.round() as i64));
    };
    let (short, word) = if bits { ("b", "bit") } else { ("B", "byte") };
    if first == 'B' {
        return Ok(Value::from(number.round() as i64));
    }
    let Some((name, factor)) = UNITS.iter().find(|(name, _)| name.starts_with(first)) else {
        return Err(wrong(format!(
            "human_to_bytes() failed to convert {text} (unit = {unit}). The suffix must be one of Y, Z, E, P, T, G, M, K, B"
        )));
    };
    let rest = &unit[1..];
    let lower = unit.to_lowercase();
    let full = [
        "kilo", "mega", "giga", "tera", "peta", "exa", "zetta", "yotta",
    ]
    .iter()
    .any(|prefix| lower == format!("{prefix}{word}") || lower == format!("{prefix}{word}s"));
    if !(rest.is_empty() || rest == short || full && !lower.ends_with('s')) {
        return Err(wrong(format!(
            "human_to_bytes() failed to convert {text}. Value is not a valid string (expect {name}{short} or {name})"
        )));
    }
    Ok(Value::from((number * factor).round() as i64))
}
