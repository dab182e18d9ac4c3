//! `format(value, spec)` and what `%` shares with it.

use num_bigint::BigInt;
use num_traits::Signed;

use super::MAX_WIDTH;
use super::float::{float_digits, general};
use crate::diag::{Error, Result};
use crate::value::{Value, float_repr};

pub(super) fn big(value: &Value) -> Option<BigInt> {
    match value {
        Value::Bool(b) => Some(BigInt::from(u8::from(*b))),
        Value::Int(i) => Some(BigInt::from(*i)),
        Value::Big(big) => Some(big.as_ref().clone()),
        _ => None,
    }
}

pub(super) fn cut(text: &str, precision: Option<usize>) -> String {
    match precision {
        Some(precision) => text.chars().take(precision).collect(),
        None => text.to_owned(),
    }
}

/// A field's format.
#[derive(Clone, Debug, Default)]
pub(super) struct Spec {
    pub(super) fill: char,
    pub(super) align: Option<char>,
    pub(super) sign: char,
    pub(super) alternate: bool,
    pub(super) zero: bool,
    pub(super) width: usize,
    pub(super) group: Option<char>,
    pub(super) precision: Option<usize>,
    pub(super) kind: Option<char>,
}

/// Puts sign, prefix and padding around digits.
pub(super) fn finish(spec: &Spec, negative: bool, prefix: &str, digits: &str) -> String {
    let sign = match (negative, spec.sign) {
        (true, _) => "-",
        (false, '+') => "+",
        (false, ' ') => " ",
        _ => "",
    };
    let width = spec.width.min(MAX_WIDTH);
    let align = spec.align.unwrap_or(if spec.zero { '=' } else { '>' });
    if align == '=' || (spec.zero && spec.align.is_none()) {
        let fill = if spec.zero { '0' } else { spec.fill };
        let used = sign.chars().count() + prefix.len() + digits.chars().count();
        let padding: String = std::iter::repeat_n(fill, width.saturating_sub(used)).collect();
        return format!("{sign}{prefix}{padding}{digits}");
    }
    let fill = if spec.fill == '\0' { ' ' } else { spec.fill };
    pad(&format!("{sign}{prefix}{digits}"), align, fill, width)
}

pub(super) fn pad(text: &str, align: char, fill: char, width: usize) -> String {
    let missing = width.min(MAX_WIDTH).saturating_sub(text.chars().count());
    let (left, right) = match align {
        '<' => (0, missing),
        '^' => (missing / 2, missing - missing / 2),
        _ => (missing, 0),
    };
    let make = |count| std::iter::repeat_n(fill, count).collect::<String>();
    format!("{}{text}{}", make(left), make(right))
}

pub(super) fn group(digits: &str, separator: char) -> String {
    grouped(digits, separator, 3)
}

fn grouped(digits: &str, separator: char, size: usize) -> String {
    let (whole, rest) = digits
        .find(['.', 'e'])
        .map_or((digits, ""), |at| digits.split_at(at));
    let mut out = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % size == 0 {
            out.push(separator);
        }
        out.push(digit);
    }
    out + rest
}

/// Applies `format(value, spec)`.
///
/// # Errors
/// Python's `ValueError` for a format that the type doesn't have.
pub fn format_value(value: &Value, text: &str) -> Result<String> {
    if let Value::Undefined(undefined) = value {
        return Err(undefined.error());
    }
    if text.is_empty() {
        return Ok(value.to_str());
    }
    let mut spec = parse(text, value)?;
    let unknown = |kind: char| {
        Error::value_error(format!(
            "Unknown format code '{kind}' for object of type '{}'",
            value.type_name()
        ))
    };
    match value {
        Value::Str(text) => {
            if let Some(kind) = spec.kind.filter(|kind| *kind != 's') {
                return Err(unknown(kind));
            }
            let fill = if spec.fill == '\0' { ' ' } else { spec.fill };
            Ok(pad(
                &cut(text, spec.precision),
                spec.align.unwrap_or('<'),
                fill,
                spec.width,
            ))
        }
        Value::Bool(_) | Value::Int(_) | Value::Big(_)
            if !matches!(spec.kind, Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%')) =>
        {
            let whole = big(value).unwrap_or_default();
            if spec.precision.is_some() {
                return Err(Error::value_error(
                    "Precision not allowed in integer format specifier",
                ));
            }
            let (radix, prefix) = match spec.kind {
                None | Some('d' | 'n') => (10, ""),
                Some('b') => (2, "0b"),
                Some('o') => (8, "0o"),
                Some('x') => (16, "0x"),
                Some('X') => (16, "0X"),
                Some('c') => {
                    let text = value
                        .as_i64()
                        .and_then(|code| char::from_u32(code as u32))
                        .map(String::from);
                    let text =
                        text.ok_or_else(|| Error::value_error("%c arg not in range(0x110000)"))?;
                    return Ok(pad(&text, spec.align.unwrap_or('<'), ' ', spec.width));
                }
                Some(kind) => return Err(unknown(kind)),
            };
            let digits = whole.abs().to_str_radix(radix);
            let digits = if spec.kind == Some('X') {
                digits.to_uppercase()
            } else {
                digits
            };
            let digits = spec.group.map_or(digits.clone(), |separator| {
                grouped(&digits, separator, if radix == 10 { 3 } else { 4 })
            });
            Ok(finish(
                &spec,
                whole.is_negative(),
                if spec.alternate { prefix } else { "" },
                &digits,
            ))
        }
        Value::Float(_) | Value::Bool(_) | Value::Int(_) | Value::Big(_) => {
            let float = value.as_f64().unwrap_or(f64::NAN);
            let negative = float.is_sign_negative() && !float.is_nan();
            let digits = match spec.kind {
                None => match spec.precision {
                    None => float_repr(float.abs()),
                    Some(precision) => {
                        let text = general(float.abs(), precision.max(1), false);
                        if text.contains(['.', 'e']) || precision <= text.len() {
                            text
                        } else {
                            format!("{text}.0")
                        }
                    }
                },
                Some('%') => format!(
                    "{:.*}%",
                    spec.precision.unwrap_or(6).min(1000),
                    float.abs() * 100.0
                ),
                Some('n') => float_digits(
                    float.abs(),
                    'g',
                    spec.precision.unwrap_or(6),
                    spec.alternate,
                ),
                Some(kind @ ('e' | 'E' | 'f' | 'F' | 'g' | 'G')) => float_digits(
                    float.abs(),
                    kind,
                    spec.precision.unwrap_or(6),
                    spec.alternate,
                ),
                Some(kind) => return Err(unknown(kind)),
            };
            let digits = spec
                .group
                .map_or(digits.clone(), |separator| group(&digits, separator));
            if spec.align.is_none() {
                spec.align = if spec.zero { Some('=') } else { Some('>') };
            }
            Ok(finish(&spec, negative, "", &digits))
        }
        other => Err(Error::type_error(format!(
            "unsupported format string passed to {}.__format__",
            other.type_name()
        ))),
    }
}

pub(super) fn parse(text: &str, value: &Value) -> Result<Spec> {
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    let mut spec = Spec::default();
    let is_align = |c: Option<&char>| c.is_some_and(|c| "<>=^".contains(*c));
    if is_align(chars.get(1)) {
        spec.fill = chars[0];
        spec.align = Some(chars[1]);
        at = 2;
    } else if is_align(chars.first()) {
        spec.fill = ' ';
        spec.align = Some(chars[0]);
        at = 1;
    }
    let take = |wanted: &str, at: &mut usize| -> Option<char> {
        let c = chars.get(*at).copied().filter(|c| wanted.contains(*c))?;
        *at += 1;
        Some(c)
    };
    if let Some(sign) = take("+- ", &mut at) {
        spec.sign = sign;
    }
    if take("z", &mut at).is_some() && !matches!(value, Value::Float(_)) {
        return Err(Error::value_error(match value {
            Value::Str(_) => "Negative zero coercion (z) not allowed in string format specifier",
            _ => "Negative zero coercion (z) not allowed in integer format specifier",
        }));
    }
    spec.alternate = take("#", &mut at).is_some();
    if take("0", &mut at).is_some() {
        spec.zero = spec.align.is_none();
        if spec.align.is_some() && spec.fill == '\0' {
            spec.fill = '0';
        }
    }
    let digits = |at: &mut usize| -> Option<usize> {
        let start = *at;
        while chars.get(*at).is_some_and(char::is_ascii_digit) {
            *at += 1;
        }
        chars[start..*at].iter().collect::<String>().parse().ok()
    };
    spec.width = digits(&mut at).unwrap_or(0);
    spec.group = take(",_", &mut at);
    if take(".", &mut at).is_some() {
        spec.precision = Some(
            digits(&mut at)
                .ok_or_else(|| Error::value_error("Format specifier missing precision"))?,
        );
    }
    spec.kind = chars.get(at).copied();
    if at + 1 < chars.len() || spec.width > MAX_WIDTH {
        return Err(Error::value_error(format!(
            "Invalid format specifier '{text}' for object of type '{}'",
            value.type_name()
        )));
    }
    Ok(spec)
}
