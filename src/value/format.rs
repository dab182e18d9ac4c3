//! Python's string formatting: `%`, `str.format`, `format()`.

use num_bigint::BigInt;
use num_traits::Signed;

use super::{Args, Runtime, Str, Value, float_repr, str_repr};
use crate::diag::{Error, Result};

/// The widest field that is made, in characters.
const MAX_WIDTH: usize = 1 << 20;

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
        out.push_str(&percent_one(kind, &value, &mut spec)?);
    }
    if next < list.len() && !used_mapping && !matches!(args, Value::Dict(_)) {
        return Err(Error::type_error(
            "not all arguments converted during string formatting",
        ));
    }
    Ok(Value::str(out))
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
            let text = if kind == 's' {
                value.to_str()
            } else {
                value.repr()
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
                Value::Float(_) => super::ops::to_integer(value, 10),
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

fn big(value: &Value) -> Option<BigInt> {
    match value {
        Value::Bool(b) => Some(BigInt::from(u8::from(*b))),
        Value::Int(i) => Some(BigInt::from(*i)),
        Value::Big(big) => Some(big.as_ref().clone()),
        _ => None,
    }
}

fn cut(text: &str, precision: Option<usize>) -> String {
    match precision {
        Some(precision) => text.chars().take(precision).collect(),
        None => text.to_owned(),
    }
}

/// A field's format.
#[derive(Clone, Debug, Default)]
struct Spec {
    fill: char,
    align: Option<char>,
    sign: char,
    alternate: bool,
    zero: bool,
    width: usize,
    group: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

/// Puts sign, prefix and padding around digits.
fn finish(spec: &Spec, negative: bool, prefix: &str, digits: &str) -> String {
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

fn pad(text: &str, align: char, fill: char, width: usize) -> String {
    let missing = width.min(MAX_WIDTH).saturating_sub(text.chars().count());
    let (left, right) = match align {
        '<' => (0, missing),
        '^' => (missing / 2, missing - missing / 2),
        _ => (missing, 0),
    };
    let make = |count| std::iter::repeat_n(fill, count).collect::<String>();
    format!("{}{text}{}", make(left), make(right))
}

/// Writes a non-negative float in one of Python's float formats.
fn float_digits(number: f64, kind: char, precision: usize, alternate: bool) -> String {
    let precision = precision.min(1000);
    let upper = kind.is_ascii_uppercase();
    let text = if number.is_nan() {
        "nan".to_owned()
    } else if number.is_infinite() {
        "inf".to_owned()
    } else {
        match kind.to_ascii_lowercase() {
            'f' => format!("{number:.precision$}"),
            'e' => exponent(&format!("{number:.precision$e}")),
            _ => general(number, precision.max(1), alternate),
        }
    };
    if upper { text.to_uppercase() } else { text }
}

fn exponent(text: &str) -> String {
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let number: i32 = exponent.parse().unwrap_or(0);
    format!(
        "{digits}e{}{:02}",
        if number < 0 { '-' } else { '+' },
        number.abs()
    )
}

fn general(number: f64, precision: usize, alternate: bool) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{number:.*e}", precision - 1);
    let power: i32 = scientific
        .split_once('e')
        .and_then(|(_, e)| e.parse().ok())
        .unwrap_or(0);
    let trim = |text: &str| {
        if alternate || !text.contains('.') {
            text.to_owned()
        } else {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    };
    if power < -4 || power >= precision as i32 {
        let (digits, _) = scientific.split_once('e').unwrap_or((&scientific, ""));
        exponent(&format!("{}e{power}", trim(digits)))
    } else {
        trim(&format!(
            "{number:.*}",
            (precision as i32 - 1 - power).max(0) as usize
        ))
    }
}

fn group(digits: &str, separator: char) -> String {
    let (whole, rest) = digits
        .find(['.', 'e'])
        .map_or((digits, ""), |at| digits.split_at(at));
    let mut out = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
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
            let digits = spec
                .group
                .map_or(digits.clone(), |separator| group(&digits, separator));
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

fn parse(text: &str, value: &Value) -> Result<Spec> {
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

/// Applies `text.format(*args, **kwargs)`.
///
/// # Errors
/// Python's errors for missing fields and wrong braces.
pub fn str_format(runtime: &mut dyn Runtime, text: &str, args: &Args) -> Result<String> {
    let mut out = String::new();
    let mut auto = 0usize;
    let chars: Vec<char> = text.chars().collect();
    fields(runtime, &chars, args, &mut auto, &mut out, 0)?;
    Ok(out)
}

fn fields(
    runtime: &mut dyn Runtime,
    chars: &[char],
    args: &Args,
    auto: &mut usize,
    out: &mut String,
    depth: usize,
) -> Result<()> {
    if depth > 2 {
        return Err(Error::value_error("Max string recursion exceeded"));
    }
    let mut at = 0;
    while at < chars.len() {
        match chars[at] {
            '{' if chars.get(at + 1) == Some(&'{') => {
                out.push('{');
                at += 2;
            }
            '}' if chars.get(at + 1) == Some(&'}') => {
                out.push('}');
                at += 2;
            }
            '}' => {
                return Err(Error::value_error(
                    "Single '}' encountered in format string",
                ));
            }
            '{' => {
                let mut level = 1;
                let start = at + 1;
                at = start;
                while at < chars.len() && level > 0 {
                    match chars[at] {
                        '{' => level += 1,
                        '}' => level -= 1,
                        _ => {}
                    }
                    at += 1;
                }
                if level > 0 {
                    return Err(Error::value_error("expected '}' before end of string"));
                }
                let inside = &chars[start..at - 1];
                let colon = inside
                    .iter()
                    .position(|c| *c == ':')
                    .unwrap_or(inside.len());
                let (head, spec) = (&inside[..colon], inside.get(colon + 1..).unwrap_or(&[]));
                let bang = head.iter().position(|c| *c == '!');
                let name: String = head[..bang.unwrap_or(head.len())].iter().collect();
                let value = lookup(runtime, &name, args, auto)?;
                let value = match bang.and_then(|bang| head.get(bang + 1)) {
                    Some('r') => Value::str(match &value {
                        Value::Str(text) => str_repr(text),
                        other => other.repr(),
                    }),
                    Some('s') => Value::str(value.to_str()),
                    _ => value,
                };
                let mut made = String::new();
                fields(runtime, spec, args, auto, &mut made, depth + 1)?;
                out.push_str(&format_value(&value, &made)?);
            }
            c => {
                out.push(c);
                at += 1;
            }
        }
    }
    Ok(())
}

fn lookup(runtime: &mut dyn Runtime, name: &str, args: &Args, auto: &mut usize) -> Result<Value> {
    let end = name.find(['.', '[']).unwrap_or(name.len());
    let (first, mut rest) = name.split_at(end);
    let mut value = if first.is_empty() || first.bytes().all(|b| b.is_ascii_digit()) {
        let index = match first.parse() {
            Ok(index) => index,
            Err(_) => {
                *auto += 1;
                *auto - 1
            }
        };
        args.positional.get(index).cloned().ok_or_else(|| {
            Error::new(
                crate::diag::Kind::Value,
                format!("Replacement index {index} out of range for positional args tuple"),
            )
        })?
    } else {
        args.keyword
            .iter()
            .find(|(key, _)| key == first)
            .map(|(_, value)| value.clone())
            .ok_or_else(|| Error::value_error(format!("'{first}'")))?
    };
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            value = runtime.attribute(&value, &after[..end])?;
            rest = &after[end..];
        } else {
            let after = rest.strip_prefix('[').unwrap_or(rest);
            let Some(end) = after.find(']') else {
                return Err(Error::value_error("Missing ']' in format string"));
            };
            let key = &after[..end];
            let key = key
                .parse::<i64>()
                .map_or_else(|_| Value::str(key), Value::Int);
            value = runtime.item(&value, &key)?;
            rest = &after[end + 1..];
        }
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_formats_as_python_does() {
        let one = |format: &str, value: Value| {
            percent(&Str::new(format), &value)
                .expect("formatted")
                .to_str()
        };
        assert_eq!(
            one(
                "%s-%05d",
                Value::tuple(vec![Value::str("a"), Value::from(42)])
            ),
            "a-00042"
        );
        assert_eq!(one("%x %%", Value::tuple(vec![Value::from(255)])), "ff %");
        assert_eq!(
            one(
                "%.2f|%-5s|",
                Value::tuple(vec![Value::from(2.71), Value::str("a")])
            ),
            "2.71|a    |"
        );
        assert_eq!(one("%(k)s", Value::dict([("k", Value::from(1))])), "1");
        assert_eq!(
            one(
                "%g %e",
                Value::tuple(vec![Value::from(0.00001), Value::from(12345.678)])
            ),
            "1e-05 1.234568e+04"
        );
        assert!(percent(&Str::new("%d"), &Value::str("x")).is_err());
        assert!(percent(&Str::new("%s %s"), &Value::str("x")).is_err());
    }

    #[test]
    fn format_specs_are_pythons() {
        for (value, spec, text) in [
            (Value::from(1_234_567), ",", "1,234,567"),
            (Value::from(42), "08.3f", "0042.000"),
            (Value::from(255), "#x", "0xff"),
            (Value::str("a"), "^5", "  a  "),
            (Value::str("abc"), "*>5.2", "***ab"),
            (Value::from(0.5), ".0%", "50%"),
            (Value::from(-3), "=+5", "-   3"),
        ] {
            assert_eq!(format_value(&value, spec).expect(spec), text, "{spec}");
        }
    }
}
