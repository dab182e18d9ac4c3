//! Filters of numbers.

use std::cmp::Ordering;

use super::{defined, first_arg};
use crate::diag::{Error, Result};
use crate::jinja::Row;
use crate::value::{Args, Runtime, Value, ops};

/// The family.
pub(super) static TABLE: &[Row] = &[
    Row::new("abs", abs, "Returns the absolute value.", "-3 | abs => 3"),
    Row::new(
        "filesizeformat",
        file_size,
        "Writes a number of bytes for people.",
        "1000 | filesizeformat => '1.0 kB'",
    ),
    Row::new(
        "float",
        to_float,
        "Converts to a float.",
        "'1.5' | float => 1.5",
    ),
    Row::new("int", to_int, "Converts to an integer.", "'3' | int => 3"),
    Row::new(
        "round",
        round,
        "Rounds a number.",
        "2.567 | round(1) => 2.6",
    ),
];

fn abs(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let value = first_arg(args)?;
    let negative = match &value {
        Value::Float(f) => f.is_sign_negative(),
        Value::Bool(b) => return Ok(Value::Int(i64::from(*b))),
        other => other
            .order(&Value::Int(0), "<")
            .map_err(|_| bad_abs(&value))?
            .is_some_and(Ordering::is_lt),
    };
    if !value.is_number() {
        return Err(bad_abs(&value));
    }
    if negative {
        ops::negate(&value)
    } else {
        Ok(value)
    }
}

fn bad_abs(value: &Value) -> Error {
    Error::type_error(format!(
        "bad operand type for abs(): '{}'",
        value.type_name()
    ))
}

fn file_size(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, binary] = args.bind("do_filesizeformat", ["value", "binary"], 1)?;
    let bytes = match defined(value)? {
        Value::Str(text) => text.trim().parse::<f64>().map_err(|_| {
            Error::value_error(format!(
                "could not convert string to float: {}",
                crate::value::str_repr(&text)
            ))
        })?,
        other => other.as_f64().ok_or_else(|| {
            Error::type_error(format!(
                "float() argument must be a string or a real number, not '{}'",
                other.type_name()
            ))
        })?,
    };
    let binary = binary.is_some_and(|v| v.truth());
    let base: f64 = if binary { 1024.0 } else { 1000.0 };
    let units = if binary {
        ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"]
    } else {
        ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"]
    };
    if bytes == 1.0 {
        return Ok(Value::str("1 Byte"));
    }
    if bytes < base {
        return Ok(Value::str(format!("{} Bytes", bytes as i64)));
    }
    let mut unit = base;
    for name in units {
        unit *= base;
        if bytes < unit || name.starts_with('Y') {
            return Ok(Value::str(format!("{:.1} {name}", base * bytes / unit)));
        }
    }
    Ok(Value::str(""))
}

fn to_float(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, default] = args.bind("do_float", ["value", "default"], 1)?;
    let number = match defined(value)? {
        Value::Str(text) => {
            let plain = text.trim().replace('_', "");
            match plain.to_ascii_lowercase().trim_start_matches(['+', '-']) {
                "inf" | "infinity" | "nan" => plain.to_ascii_lowercase().parse::<f64>().ok(),
                other if other.starts_with(|c: char| c.is_ascii_digit() || c == '.') => {
                    plain.parse().ok()
                }
                _ => None,
            }
        }
        other => other.as_f64(),
    };
    Ok(number.map_or_else(|| default.unwrap_or(Value::Float(0.0)), Value::Float))
}

fn to_int(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, default, base] = args.bind("do_int", ["value", "default", "base"], 1)?;
    let value = defined(value)?;
    let base = base.and_then(|b| b.as_i64()).unwrap_or(10).clamp(2, 36) as u32;
    if let Some(number) = ops::to_integer(&value, base) {
        return Ok(number);
    }
    // Text such as `1.5` goes by way of float.
    if let Value::Str(text) = &value
        && let Ok(number) = text.trim().parse::<f64>()
        && number.is_finite()
    {
        return Ok(ops::to_integer(&Value::Float(number), 10).unwrap_or(Value::Int(0)));
    }
    Ok(default.unwrap_or(Value::Int(0)))
}

fn round(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, precision, method] = args.bind("do_round", ["value", "precision", "method"], 1)?;
    let value = defined(value)?;
    let precision = precision
        .and_then(|p| p.as_i64())
        .unwrap_or(0)
        .clamp(-300, 300) as i32;
    let method = method.map_or_else(|| "common".to_owned(), |m| m.to_str());
    let number = value.as_f64().ok_or_else(|| {
        let is_sequence = matches!(value, Value::Str(_) | Value::List(_) | Value::Tuple(_));
        Error::type_error(match method.as_str() {
            "ceil" | "floor" if is_sequence && precision < 0 => {
                "can't multiply sequence by non-int of type 'float'".to_owned()
            }
            "ceil" | "floor" if is_sequence => {
                format!("must be real number, not {}", value.type_name())
            }
            _ => format!("type {} doesn't define __round__ method", value.type_name()),
        })
    })?;
    let factor = 10f64.powi(precision);
    let rounded = match method.as_str() {
        // Python rounds to a whole number, whose zero has no sign.
        "ceil" => ((number * factor).ceil() + 0.0) / factor,
        "floor" => ((number * factor).floor() + 0.0) / factor,
        "common" => {
            if matches!(value, Value::Int(_) | Value::Big(_) | Value::Bool(_)) && precision >= 0 {
                return Ok(ops::to_integer(&value, 10).unwrap_or(value));
            }
            round_half_even(number, precision)
        }
        _ => return Err(Error::value_error("method must be common, ceil or floor")),
    };
    // Whole numbers stay whole numbers.
    match (&value, method.as_str()) {
        (Value::Int(_) | Value::Big(_) | Value::Bool(_), "common") => {
            Ok(ops::to_integer(&Value::Float(rounded), 10).unwrap_or(Value::Float(rounded)))
        }
        _ => Ok(Value::Float(rounded)),
    }
}

/// Rounds as Python does: by the exact decimal value, halves to even.
fn round_half_even(number: f64, precision: i32) -> f64 {
    if !number.is_finite() {
        return number;
    }
    if precision >= 0 {
        // Rust's formatting rounds the exact value, halves to even.
        return format!("{number:.*}", precision as usize)
            .parse()
            .unwrap_or(number);
    }
    let factor = 10f64.powi(-precision);
    let scaled = number / factor;
    let whole = scaled.trunc();
    let rest = (scaled - whole).abs();
    let up = rest > 0.5 || (rest == 0.5 && whole % 2.0 != 0.0);
    (if up { whole + scaled.signum() } else { whole }) * factor
}
