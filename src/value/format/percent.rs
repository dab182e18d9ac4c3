//! `format % args`.

use num_traits::Signed;

use super::MAX_WIDTH;
use super::float::float_digits;
use super::spec::{Spec, big, cut, finish, pad};
use crate::diag::{Error, Result};
use crate::value::{Str, Value};

/// Applies `format % args`.
///
/// # Errors
/// Python's `TypeError` and `ValueError` for arguments that don't fit.
pub fn percent(format: &Str, args: &Value) -> Result<Value> {
    let mut out = String::new();
    let mut chars = format.chars().peekable();
    let list: Vec<Value> = match args {
        Value::Tuple(items) => items.to_vec(),
        one => vec![one.clone()],
    };
    let mut next = 0usize;
    let mut used_mapping = false;
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut value = None;
        if chars.peek() == Some(&'(') {
            chars.next();
            let mut name = String::new();
            for c in chars.by_ref() {
                if c == ')' {
                    break;
                }
                name.push(c);
            }
            let Value::Dict(dict) = args else {
                return Err(Error::type_error("format requires a mapping"));
            };
            used_mapping = true;
            value = Some(
                dict.get(&name)
                    .ok_or_else(|| Error::value_error(format!("'{name}'")))?,
            );
        }
        let mut spec = Spec {
            fill: ' ',
            ..Spec::default()
        };
        while let Some(flag) = chars.peek().copied().filter(|c| "-+ 0#".contains(*c)) {
            chars.next();
            match flag {
                '-' => spec.align = Some('<'),
                '+' => spec.sign = '+',
                ' ' if spec.sign != '+' => spec.sign = ' ',
                '0' => spec.zero = true,
                '#' => spec.alternate = true,
                _ => {}
            }
        }
        let mut take = || -> Result<Value> {
            let value = list.get(next).cloned();
            next += 1;
            value.ok_or_else(|| Error::type_error("not enough arguments for format string"))
        };
        let mut count =
            |chars: &mut std::iter::Peekable<std::str::Chars>| -> Result<Option<usize>> {
                if chars.peek() == Some(&'*') {
                    chars.next();
                    let number = take()?
                        .as_i64()
                        .ok_or_else(|| Error::type_error("* wants int"))?;
                    return Ok(Some(number.unsigned_abs() as usize));
                }
                let mut digits = String::new();
                while let Some(digit) = chars.peek().copied().filter(char::is_ascii_digit) {
                    digits.push(digit);
                    chars.next();
                }
                Ok(digits.parse().ok())
            };
        spec.width = count(&mut chars)?.unwrap_or(0);
        if chars.peek() == Some(&'.') {
            chars.next();
            spec.precision = Some(count(&mut chars)?.unwrap_or(0));
        }
        if spec.width.max(spec.precision.unwrap_or(0)) > MAX_WIDTH {
            return Err(Error::new(
                crate::diag::Kind::Arithmetic,
                format!("a field wider than {MAX_WIDTH} characters"),
            ));
        }
        while chars.peek().is_some_and(|c| "hlL".contains(*c)) {
            chars.next();
        }
        let Some(kind) = chars.next() else {
            return Err(Error::value_error("incomplete format"));
        };
        if kind == '%' {
            out.push('%');
            continue;
        }
        let value = match value {
            Some(value) => value,
            None => {
                let value = list.get(next).cloned();
                next += 1;
                value.ok_or_else(|| Error::type_error("not enough arguments for format string"))?
            }
        };
        if let Value::Undefined(undefined) = &value {
            return Err(undefined.error());
        }
        let made = percent_one(kind, &value, &mut spec).map_err(|error| {
            if !error.message().starts_with("unsupported format character") {
                return error;
            }
            let used = format.chars().count() - chars.clone().count() - 1;
            let message = format!("{} at index {used}", error.message());
            error.message_as(message)
        })?;
        if format.is_markup() && !matches!(&value, Value::Str(text) if text.is_markup()) {
            out.push_str(&crate::value::escape_html(&made));
        } else {
            out.push_str(&made);
        }
        crate::value::ops::fits(out.len())?;
    }
    if next < list.len()
        && !used_mapping
        && !matches!(args, Value::Dict(_) | Value::List(_) | Value::Bytes(_))
    {
        return Err(Error::type_error(
            "not all arguments converted during string formatting",
        ));
    }
    Ok(Value::Str(Str::new(out).with_markup(format.is_markup())))
}

/// Escapes what isn't ASCII, as Python's `ascii()` does.
pub(super) fn ascii(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match u32::from(c) {
            0..=0x7f => out.push(c),
            code @ 0x80..=0xff => out.push_str(&format!("\\x{code:02x}")),
            code @ 0x100..=0xffff => out.push_str(&format!("\\u{code:04x}")),
            code => out.push_str(&format!("\\U{code:08x}")),
        }
    }
    out
}

fn percent_one(kind: char, value: &Value, spec: &mut Spec) -> Result<String> {
    let number = |what: &str| {
        Error::type_error(format!(
            "%{kind} format: {what} is required, not {}",
            value.type_name()
        ))
    };
    match kind {
        's' | 'r' | 'a' => {
            let text = match kind {
                's' => value.to_str(),
                'r' => value.repr(),
                _ => ascii(&value.repr()),
            };
            let text = cut(&text, spec.precision);
            spec.zero = false;
            Ok(pad(&text, spec.align.unwrap_or('>'), ' ', spec.width))
        }
        'c' => {
            let text = match value {
                Value::Str(text) if text.chars().count() == 1 => text.to_string(),
                other => other
                    .as_i64()
                    .and_then(|code| char::from_u32(code as u32))
                    .map(String::from)
                    .ok_or_else(|| Error::type_error("%c requires int or char"))?,
            };
            Ok(pad(&text, spec.align.unwrap_or('>'), ' ', spec.width))
        }
        'd' | 'i' | 'u' => {
            let whole = match value {
                Value::Float(_) => crate::value::ops::to_integer(value, 10),
                Value::Bool(_) | Value::Int(_) | Value::Big(_) => Some(value.clone()),
                _ => None,
            };
            let whole = whole
                .and_then(|v| big(&v))
                .ok_or_else(|| number("a real number"))?;
            let digits = whole.abs().to_string();
            let digits = format!(
                "{digits:0>width$}",
                width = spec.precision.unwrap_or(0).min(MAX_WIDTH)
            );
            Ok(finish(spec, whole.is_negative(), "", &digits))
        }
        'x' | 'X' | 'o' => {
            let whole = big(value).ok_or_else(|| number("an integer"))?;
            let digits = whole.abs().to_str_radix(if kind == 'o' { 8 } else { 16 });
            let digits = if kind == 'X' {
                digits.to_uppercase()
            } else {
                digits
            };
            let prefix = match (spec.alternate, kind) {
                (true, 'x') => "0x",
                (true, 'X') => "0X",
                (true, _) => "0o",
                _ => "",
            };
            Ok(finish(spec, whole.is_negative(), prefix, &digits))
        }
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
            let float = value.as_f64().ok_or_else(|| {
                Error::type_error(format!("must be real number, not {}", value.type_name()))
            })?;
            let digits = float_digits(
                float.abs(),
                kind,
                spec.precision.unwrap_or(6),
                spec.alternate,
            );
            Ok(finish(
                spec,
                float.is_sign_negative() && !float.is_nan(),
                "",
                &digits,
            ))
        }
        other => Err(Error::value_error(format!(
            "unsupported format character '{other}' (0x{:x})",
            other as u32
        ))),
    }
}
