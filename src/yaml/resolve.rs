//! What a plain scalar means in YAML 1.1.
//!
//! **Source:** `PyYAML`'s `Resolver` and `SafeConstructor`: `1e3` is a string (a float needs a dot),
//! `0o7` is a string, `0777` is octal, `1:30` counts in sixties, only listed words are booleans.

use base64::Engine;
use num_bigint::BigInt;

use crate::diag::{Error, Result};
use crate::value::{Moment, Str, Value};

/// Resolves a plain scalar without a tag.
pub(super) fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::None,
        _ => {}
    }
    if let Some(bool) = boolean(text) {
        return Value::Bool(bool);
    }
    let first = text.as_bytes()[0];
    if matches!(first, b'0'..=b'9' | b'-' | b'+' | b'.') {
        if let Some(number) = integer(text) {
            return number;
        }
        if let Some(number) = float(text) {
            return Value::Float(number);
        }
        if let Some(moment) = timestamp(text) {
            return moment.value();
        }
    }
    Value::Str(Str::trusted(text))
}

/// Resolves a scalar with one of YAML's own tags; `None` where the tag is not one.
pub(super) fn tagged(tag: &str, text: &str) -> Option<Result<Value>> {
    let wrong = |what: &str| Err(Error::value_error(format!("`{text}` is no {what}")));
    Some(match tag.strip_prefix("tag:yaml.org,2002:")? {
        "null" => Ok(Value::None),
        "bool" => boolean(text).map_or_else(|| wrong("boolean"), |b| Ok(Value::Bool(b))),
        "int" => integer(text).map_or_else(|| wrong("integer"), Ok),
        "float" => float(text)
            .or_else(|| text.parse().ok())
            .map_or_else(|| wrong("number"), |f| Ok(Value::Float(f))),
        "timestamp" => timestamp(text).map_or_else(|| wrong("date"), |m| Ok(m.value())),
        "binary" => {
            let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            base64::engine::general_purpose::STANDARD
                .decode(digits)
                .map_or_else(|_| wrong("base64"), |bytes| Ok(Value::Bytes(bytes.into())))
        }
        _ => return None,
    })
}

/// Reads `2024-01-02`, or a date with a time: `2024-01-02T03:04:05.6+02:00`.
pub(crate) fn timestamp(text: &str) -> Option<Moment> {
    let digits = |text: &str, least: usize, most: usize| -> Option<i16> {
        let fits = (least..=most).contains(&text.len());
        (fits && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse().ok())
            .flatten()
    };
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || c == '-'))
        .unwrap_or(text.len());
    let (day, rest) = text.split_at(end);
    let least = if rest.is_empty() { 2 } else { 1 };
    let mut parts = day.split('-');
    let year = digits(parts.next()?, 4, 4)?;
    let month = digits(parts.next()?, least, 2)?;
    let day = digits(parts.next()?, least, 2)?;
    if parts.next().is_some() {
        return None;
    }
    let date = jiff::civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    let date = date.ok()?;
    if rest.is_empty() {
        return Some(Moment::Date(date));
    }
    let rest = rest
        .strip_prefix(['T', 't'])
        .or_else(|| rest.strip_prefix([' ', '\t']))?
        .trim_start_matches([' ', '\t']);
    let end = rest
        .find(|c: char| !(c.is_ascii_digit() || c == ':'))
        .unwrap_or(rest.len());
    let (clock, mut rest) = rest.split_at(end);
    let mut parts = clock.split(':');
    let hour = digits(parts.next()?, 1, 2)?;
    let minute = digits(parts.next()?, 2, 2)?;
    let second = digits(parts.next()?, 2, 2)?;
    if parts.next().is_some() {
        return None;
    }
    let mut micros = 0;
    if let Some(after) = rest.strip_prefix('.') {
        let end = after
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(after.len());
        let (fraction, behind) = after.split_at(end);
        micros = format!("{fraction:0<6}").get(..6)?.parse::<i32>().ok()?;
        rest = behind;
    }
    let time = jiff::civil::Time::new(
        i8::try_from(hour).ok()?,
        i8::try_from(minute).ok()?,
        i8::try_from(second).ok()?,
        micros * 1000,
    );
    let zone = rest.trim_start_matches([' ', '\t']);
    let offset = match zone.strip_prefix(['+', '-']) {
        None if zone.is_empty() => None,
        None if zone == "Z" => Some(0),
        None => return None,
        Some(zone_text) => {
            let (hours, minutes) = match zone_text.split_once(':') {
                Some((hours, minutes)) => (digits(hours, 1, 2)?, digits(minutes, 2, 2)?),
                None => (digits(zone_text, 1, 2)?, 0),
            };
            let seconds = i32::from(hours) * 3600 + i32::from(minutes) * 60;
            Some(if zone.starts_with('-') {
                -seconds
            } else {
                seconds
            })
        }
    };
    Some(Moment::DateTime(date.to_datetime(time.ok()?), offset))
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn integer(text: &str) -> Option<Value> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let plain = |digits: &str| digits.replace('_', "");
    let all = |digits: &str, test: fn(u8) -> bool| {
        !digits.is_empty() && digits.bytes().all(|b| b == b'_' || test(b))
    };
    let number = if let Some(bits) = digits.strip_prefix("0b") {
        if !all(bits, |b| matches!(b, b'0' | b'1')) {
            return None;
        }
        BigInt::parse_bytes(plain(bits).as_bytes(), 2)?
    } else if let Some(hex) = digits.strip_prefix("0x") {
        if !all(hex, |b| b.is_ascii_hexdigit()) {
            return None;
        }
        BigInt::parse_bytes(plain(hex).as_bytes(), 16)?
    } else if digits == "0" {
        BigInt::from(0)
    } else if digits.contains(':') {
        sixties(digits)?
    } else if let Some(octal) = digits.strip_prefix('0') {
        if !all(octal, |b| matches!(b, b'0'..=b'7')) {
            return None;
        }
        let octal = plain(octal);
        if octal.is_empty() {
            BigInt::from(0)
        } else {
            BigInt::parse_bytes(octal.as_bytes(), 8)?
        }
    } else {
        if !digits.starts_with(|c: char| matches!(c, '1'..='9'))
            || !all(digits, |b| b.is_ascii_digit())
        {
            return None;
        }
        BigInt::parse_bytes(plain(digits).as_bytes(), 10)?
    };
    Some(Value::from_big(if negative { -number } else { number }))
}

fn sixties(digits: &str) -> Option<BigInt> {
    let mut parts = digits.split(':');
    let first = parts.next()?;
    if !first.starts_with(|c: char| matches!(c, '1'..='9'))
        || !first.bytes().all(|b| b.is_ascii_digit() || b == b'_')
    {
        return None;
    }
    let mut number: BigInt = first.replace('_', "").parse().ok()?;
    for part in parts {
        let valid = match part.as_bytes() {
            [one] => one.is_ascii_digit(),
            [ten, one] => matches!(ten, b'0'..=b'5') && one.is_ascii_digit(),
            _ => false,
        };
        if !valid {
            return None;
        }
        number = number * 60 + part.parse::<u32>().ok()?;
    }
    Some(number)
}

fn float(text: &str) -> Option<f64> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'-' => (-1.0, &text[1..]),
        b'+' => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    match rest {
        ".inf" | ".Inf" | ".INF" => return Some(sign * f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" if rest.len() == text.len() => return Some(f64::NAN),
        _ => {}
    }
    if rest.contains(':') {
        let (whole, fraction) = rest.split_once('.')?;
        if !fraction.bytes().all(|b| b.is_ascii_digit() || b == b'_') {
            return None;
        }
        let mut number = 0.0;
        for (index, part) in whole.split(':').enumerate() {
            let valid = if index == 0 {
                part.starts_with(|c: char| c.is_ascii_digit())
            } else {
                part.len() == 1 || (part.len() == 2 && matches!(part.as_bytes()[0], b'0'..=b'5'))
            };
            if !valid || !part.bytes().all(|b| b.is_ascii_digit() || b == b'_') {
                return None;
            }
            number = number * 60.0 + part.replace('_', "").parse::<f64>().ok()?;
        }
        let fraction: f64 = format!("0.{}", fraction.replace('_', ""))
            .parse()
            .unwrap_or(0.0);
        return Some(sign * (number + fraction));
    }
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    // A dot is required, a signed exponent if there is one.
    let (whole, fraction) = mantissa.split_once('.')?;
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    if whole.is_empty() && !fraction.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if !whole.is_empty() && !whole.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if let Some(exponent) = exponent {
        let number = exponent.strip_prefix(['+', '-'])?;
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
    }
    let plain = rest.replace('_', "");
    let plain = if plain.starts_with('.') {
        format!("0{plain}")
    } else {
        plain
    };
    plain
        .replace(".e", ".0e")
        .replace(".E", ".0E")
        .parse::<f64>()
        .ok()
        .map(|number| sign * number)
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn plain_scalars_resolve_as_in_pyyaml() {
        for (text, repr) in [
            ("yes", "True"),
            ("No", "False"),
            ("on", "True"),
            ("y", "'y'"),
            ("0644", "420"),
            ("0o644", "'0o644'"),
            ("08", "'08'"),
            ("1:30", "90"),
            ("01:30", "'01:30'"),
            ("1_000", "1000"),
            ("0x1F", "31"),
            ("1e3", "'1e3'"),
            ("1.0e+3", "1000.0"),
            ("1.5", "1.5"),
            (".5", "0.5"),
            ("1.", "1.0"),
            ("-.inf", "-inf"),
            ("~", "None"),
            ("1.2.3", "'1.2.3'"),
            ("10.0.0.1", "'10.0.0.1'"),
            ("-", "'-'"),
            ("+1", "1"),
            ("-012", "-10"),
            ("190:20:30.15", "685230.15"),
        ] {
            assert_eq!(plain(text).repr(), repr, "{text}");
        }
    }
}
