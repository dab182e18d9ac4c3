//! Methods of `int` and `float`.

use num_bigint::BigInt;
use num_traits::{FromPrimitive, Signed};

use super::{Method, Takes, integer, method};
use crate::diag::{Error, Kind, Result};
use crate::value::{Args, Runtime, Value};

/// The methods of integers and booleans.
pub(super) static INT: &[Method<Value>] = &[
    method(
        "as_integer_ratio",
        Takes::Nothing,
        |_, number, _| Ok(Value::tuple(vec![plain(number), Value::Int(1)])),
        "Returns the number as a fraction.",
        "3.as_integer_ratio() => (3, 1)",
    ),
    method(
        "bit_count",
        Takes::Nothing,
        |_, number, _| {
            let (_, bytes) = big(number).to_bytes_le();
            Ok(Value::from(
                bytes.iter().map(|b| b.count_ones()).sum::<u32>(),
            ))
        },
        "Counts the ones of the number in binary.",
        "5.bit_count() => 2",
    ),
    method(
        "bit_length",
        Takes::Nothing,
        |_, number, _| Ok(Value::from(big(number).bits())),
        "Counts the binary digits.",
        "255.bit_length() => 8",
    ),
    method(
        "conjugate",
        Takes::Nothing,
        |_, number, _| Ok(plain(number)),
        "Returns the number.",
        "3.conjugate() => 3",
    ),
    method(
        "to_bytes",
        Takes::Named(&["length", "byteorder", "signed"]),
        to_bytes,
        "Returns the number's bytes.",
        "258.to_bytes(2, 'big') => b'\\x01\\x02'",
    ),
];

/// The methods of floats.
pub(super) static FLOAT: &[Method<f64>] = &[
    method(
        "as_integer_ratio",
        Takes::Nothing,
        |_, number, _| ratio(*number),
        "Returns the number as a fraction.",
        "0.5.as_integer_ratio() => (1, 2)",
    ),
    method(
        "conjugate",
        Takes::Nothing,
        |_, number, _| Ok(Value::Float(*number)),
        "Returns the number.",
        "1.5.conjugate() => 1.5",
    ),
    method(
        "hex",
        Takes::Nothing,
        |_, number, _| Ok(Value::str(hex(*number))),
        "Writes the number in hexadecimal.",
        "1.5.hex() => '0x1.8000000000000p+0'",
    ),
    method(
        "is_integer",
        Takes::Nothing,
        |_, number, _| Ok(Value::Bool(number.fract() == 0.0 && number.is_finite())),
        "Says whether there is nothing behind the point.",
        "2.0.is_integer() => True",
    ),
];

fn big(number: &Value) -> BigInt {
    match number {
        Value::Big(big) => big.as_ref().clone(),
        other => BigInt::from(other.as_i64().unwrap_or(0)),
    }
}

fn plain(number: &Value) -> Value {
    match number {
        Value::Bool(b) => Value::Int(i64::from(*b)),
        other => other.clone(),
    }
}

fn to_bytes(_runtime: &mut dyn Runtime, number: &Value, args: Args) -> Result<Value> {
    let given = &args.positional;
    let length = usize::try_from(integer(given.first(), 1)?)
        .map_err(|_| Error::value_error("length argument must be non-negative"))?;
    crate::value::ops::fits(length)?;
    let order = match given.get(1) {
        None | Some(Value::None) => "big".to_owned(),
        Some(value) => value.to_str(),
    };
    if order != "big" && order != "little" {
        return Err(Error::value_error(
            "byteorder must be either 'little' or 'big'",
        ));
    }
    let signed = given.get(2).is_some_and(Value::truth);
    let number = big(number);
    if number.is_negative() && !signed {
        return Err(Error::new(
            Kind::Arithmetic,
            "can't convert negative int to unsigned",
        ));
    }
    let mut bytes = if signed {
        number.to_signed_bytes_le()
    } else {
        number.to_bytes_le().1
    };
    while bytes.len() > length && bytes.last() == Some(&0) {
        bytes.pop();
    }
    if bytes.len() > length {
        return Err(Error::new(Kind::Arithmetic, "int too big to convert"));
    }
    bytes.resize(length, if number.is_negative() { 0xff } else { 0 });
    if order == "big" {
        bytes.reverse();
    }
    Ok(Value::Bytes(bytes.into()))
}

/// Splits a finite float into a whole mantissa and a power of two.
fn parts(number: f64) -> (u64, i32) {
    let bits = number.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32;
    let mantissa = bits & 0x000f_ffff_ffff_ffff;
    if exponent == 0 {
        (mantissa, -1074)
    } else {
        (mantissa | 1 << 52, exponent - 1075)
    }
}

fn ratio(number: f64) -> Result<Value> {
    if number.is_nan() {
        return Err(Error::value_error("cannot convert NaN to integer ratio"));
    }
    if number.is_infinite() {
        return Err(Error::new(
            Kind::Arithmetic,
            "cannot convert Infinity to integer ratio",
        ));
    }
    if number.fract() == 0.0 {
        let whole = BigInt::from_f64(number).unwrap_or_default();
        return Ok(Value::tuple(vec![Value::from_big(whole), Value::Int(1)]));
    }
    let (mantissa, exponent) = parts(number);
    let twos = mantissa.trailing_zeros();
    let mut over = BigInt::from(mantissa >> twos);
    if number.is_sign_negative() {
        over = -over;
    }
    let under = BigInt::from(1) << (-(exponent + twos as i32)).max(0) as usize;
    Ok(Value::tuple(vec![
        Value::from_big(over),
        Value::from_big(under),
    ]))
}

fn hex(number: f64) -> String {
    let sign = if number.is_sign_negative() && !number.is_nan() {
        "-"
    } else {
        ""
    };
    if !number.is_finite() {
        return crate::value::float_repr(number);
    }
    if number == 0.0 {
        return format!("{sign}0x0.0p+0");
    }
    let bits = number.to_bits();
    let raw = ((bits >> 52) & 0x7ff) as i32;
    let (lead, power) = if raw == 0 {
        (0, -1022)
    } else {
        (1, raw - 1023)
    };
    let mark = if power < 0 { '-' } else { '+' };
    format!(
        "{sign}0x{lead}.{:013x}p{mark}{}",
        bits & 0x000f_ffff_ffff_ffff,
        power.abs()
    )
}
