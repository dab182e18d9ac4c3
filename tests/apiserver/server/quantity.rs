//! Resource quantities (`10Gi`, `500m`, `1e3`) in the form in which the server writes them.
//!
//! **Source:** the Kubernetes API reference, "Quantity": a canonical number has no fractional digits
//! and the largest exponent that allows it.

const NOT_A_QUANTITY: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL: [(&str, i32); 10] = [
    ("E", 18),
    ("P", 15),
    ("T", 12),
    ("G", 9),
    ("M", 6),
    ("k", 3),
    ("", 0),
    ("m", -3),
    ("u", -6),
    ("n", -9),
];

/// Returns the canonical form of a quantity.
pub(crate) fn canonical(text: &str) -> Result<String, String> {
    let bad = || NOT_A_QUANTITY.to_owned();
    let (negative, rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let end = rest
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(rest.len());
    let (number, suffix) = rest.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || fraction.contains('.') {
        return Err(bad());
    }
    let mantissa: i128 = digits
        .trim_start_matches('0')
        .parse()
        .or_else(|error| {
            if digits.bytes().all(|b| b == b'0') {
                Ok(0)
            } else {
                Err(error)
            }
        })
        .map_err(|_| bad())?;
    let scale = i32::try_from(fraction.len()).map_err(|_| bad())?;
    let sign = if negative && mantissa != 0 { "-" } else { "" };
    if let Some(power) = BINARY
        .iter()
        .position(|one| *one == suffix)
        .filter(|power| *power > 0)
    {
        return binary(mantissa, scale, power as u32)
            .map(|text| format!("{sign}{text}"))
            .ok_or_else(bad);
    }
    let (exponent, scientific) = match DECIMAL.iter().find(|(one, _)| *one == suffix) {
        Some((_, exponent)) => (*exponent, false),
        None => (
            suffix
                .strip_prefix(['e', 'E'])
                .and_then(|digits| digits.parse().ok())
                .ok_or_else(bad)?,
            true,
        ),
    };
    decimal(mantissa, exponent - scale, scientific)
        .map(|text| format!("{sign}{text}"))
        .ok_or_else(bad)
}

/// `mantissa / 10^scale × 1024^power`; what is no whole number is written with a decimal suffix.
fn binary(mantissa: i128, scale: i32, power: u32) -> Option<String> {
    let value = mantissa.checked_mul(1024_i128.checked_pow(power)?)?;
    let divisor = 10_i128.checked_pow(scale.unsigned_abs())?;
    if value % divisor != 0 {
        return decimal(value, -scale, false);
    }
    let mut value = value / divisor;
    let mut suffix = 0;
    while value != 0 && value % 1024 == 0 && suffix + 1 < BINARY.len() {
        value /= 1024;
        suffix += 1;
    }
    Some(format!("{value}{}", BINARY[suffix]))
}

fn decimal(mut mantissa: i128, mut exponent: i32, scientific: bool) -> Option<String> {
    if mantissa == 0 {
        return Some("0".to_owned());
    }
    while mantissa % 10 == 0 {
        mantissa /= 10;
        exponent += 1;
    }
    let step = exponent.div_euclid(3) * 3;
    let mut step = step.min(18);
    if step < -9 {
        // Nothing below a nano: the rest is rounded up.
        let divisor = 10_i128.checked_pow((-9 - exponent).unsigned_abs())?;
        mantissa = (mantissa + divisor - 1) / divisor;
        exponent = -9;
        step = -9;
    }
    let value = mantissa.checked_mul(10_i128.checked_pow((exponent - step).unsigned_abs())?)?;
    if scientific {
        return Some(if step == 0 {
            value.to_string()
        } else {
            format!("{value}e{step}")
        });
    }
    let (suffix, _) = DECIMAL.iter().find(|(_, exponent)| *exponent == step)?;
    Some(format!("{value}{suffix}"))
}
