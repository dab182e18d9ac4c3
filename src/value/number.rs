//! Numbers: parsing and Python's text of floats.

use num_bigint::BigInt;

use super::Value;

/// Parses decimal integers of any size into values.
pub struct Number;

impl Number {
    /// Reads a decimal integer (sign allowed, no blanks) of any size.
    pub fn integer(text: &str) -> Option<Value> {
        if let Ok(small) = text.parse::<i64>() {
            return Some(Value::Int(small));
        }
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        text.parse::<BigInt>().ok().map(Value::from_big)
    }
}

/// Returns `repr()` of a float: the shortest digits that read back the same.
///
/// **Source:** Python's `float.__repr__`: exponents from 1e16 up and below 1e-4.
pub fn float_repr(number: f64) -> String {
    if number.is_nan() {
        return "nan".into();
    }
    if number.is_infinite() {
        return if number > 0.0 {
            "inf".into()
        } else {
            "-inf".into()
        };
    }
    if number == 0.0 {
        return if number.is_sign_negative() {
            "-0.0".into()
        } else {
            "0.0".into()
        };
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = format!("{number}");
        return if plain.contains('.') {
            plain
        } else {
            plain + ".0"
        };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_in_python() {
        for (number, text) in [
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e16, "1e+16"),
            (123_456_789_012_345_680.0, "1.2345678901234568e+17"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (-0.0, "-0.0"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(float_repr(number), text);
        }
    }

    #[test]
    fn integers_have_no_upper_bound() {
        assert_eq!(
            Number::integer("1180591620717411303424")
                .map(|v| v.repr())
                .as_deref(),
            Some("1180591620717411303424")
        );
        assert!(Number::integer("1_0").is_none());
        assert!(Number::integer("-").is_none());
    }
}
