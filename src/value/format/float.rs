//! The texts of floats.

/// Writes a non-negative float in one of Python's float formats.
pub(super) fn float_digits(number: f64, kind: char, precision: usize, alternate: bool) -> String {
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

pub(super) fn general(number: f64, precision: usize, alternate: bool) -> String {
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
