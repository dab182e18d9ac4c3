//! Filters of `community.crypto`: certificates and serial numbers.

mod certificate;
mod names;

use num_bigint::BigInt;

use super::{failed, known};
use crate::diag::Result;
use crate::jinja::Row;
use crate::value::{Args, Runtime, Str, Value};

pub(super) static TABLE: &[Row] = &[
    Row::new(
        "parse_serial",
        parse_serial,
        "Reads a serial number that is written as bytes in hex.",
        "'11:22:33' | community.crypto.parse_serial => 1122867",
    ),
    Row::new(
        "split_pem",
        split_pem,
        "Returns the PEM objects of a text.",
        "'-----BEGIN X-----\nAAAA\n-----END X-----' | community.crypto.split_pem | length => 1",
    ),
    Row::new(
        "to_serial",
        to_serial,
        "Writes a serial number as bytes in hex.",
        "1122867 | community.crypto.to_serial => '11:22:33'",
    ),
    Row::new(
        "x509_certificate_info",
        certificate::info,
        "Says what an X.509 certificate in PEM says.",
        "('-----BEGIN CERTIFICATE-----\\nMIHFMHmgAwIBAgIBBTAFBgMrZXAwDDEKMAgGA1UEAwwBZTAgFw0yMDAxMDIwMzA0MDVaGA8yMDUxMDEwMjAzMDQwNVowDDEKMAgGA1UEAwwBZTAqMAUGAytlcAMhAMLlYM7+dB7EjM7L4M4PNwH5IQzTtYlgcd+d6idyK04FMAUGAytlcANBAE23jJcBN/wPI2/f9ZckI4mxxN2bsqcgMjKX+dOCtODllrNV8nw5UJ9mlOlzl0ggp0JKZ5hKTOy7SUUiwV06SAE=\\n-----END CERTIFICATE-----' | community.crypto.x509_certificate_info).subject => {'commonName': 'e'}",
    ),
];

/// Returns the text that a filter works on.
fn text(name: &str, value: Option<Value>) -> Result<Str> {
    match known(value)? {
        Value::Str(text) => Ok(text),
        other => Err(failed(format!(
            "The community.crypto.{name} input must be a text type, not <class '{}'>",
            other.type_name()
        ))),
    }
}

/// Writes bytes in hex with colons.
fn colons(bytes: &[u8]) -> String {
    let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    hex.join(":")
}

/// Returns the PEM objects of a text, each with its label.
fn pems(text: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end();
        let label = |start: &str| {
            let rest = bare.strip_prefix(start)?;
            rest.strip_suffix("-----").map(str::to_owned)
        };
        if let Some(label) = label("-----BEGIN ") {
            open = Some((label, String::new()));
        }
        let Some((own, body)) = &mut open else {
            continue;
        };
        body.push_str(line);
        if label("-----END ").is_some_and(|end| end == *own) {
            out.extend(open.take());
        }
    }
    out
}

fn split_pem(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [data] = args.bind("split_pem_filter", ["data"], 1)?;
    let found = pems(&text("split_pem", data)?);
    Ok(Value::list(
        found
            .into_iter()
            .map(|(_, body)| Value::from(body))
            .collect(),
    ))
}

fn parse_serial(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [serial] = args.bind("parse_serial_filter", ["serial_str"], 1)?;
    let serial = known(serial)?;
    let Value::Str(serial) = &serial else {
        return Err(failed(format!(
            "The input for the community.crypto.parse_serial filter must be a string; got <class '{}'> instead",
            serial.type_name()
        )));
    };
    let mut bytes = Vec::new();
    for (index, part) in serial.split(':').enumerate() {
        let wrong = |why: String| {
            let place = ordinal(index + 1);
            failed(format!(
                "The {place} part {} is not a hexadecimal number in range [0, 255]: {why}",
                Value::str(part).repr()
            ))
        };
        let number = i64::from_str_radix(part, 16).map_err(|_| {
            let shown = Value::str(part).repr();
            wrong(format!("invalid literal for int() with base 16: {shown}"))
        })?;
        let byte = u8::try_from(number)
            .map_err(|_| wrong("the value is not in range [0, 255]".to_owned()))?;
        bytes.push(byte);
    }
    Ok(Value::from_big(BigInt::from_bytes_be(
        num_bigint::Sign::Plus,
        &bytes,
    )))
}

/// Writes a place in a row: `1st`, `2nd`, `11th`.
fn ordinal(number: usize) -> String {
    let ending = match (number % 10, number % 100) {
        (1, tens) if tens != 11 => "st",
        (2, tens) if tens != 12 => "nd",
        (3, tens) if tens != 13 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

fn to_serial(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [serial] = args.bind("to_serial_filter", ["serial_int"], 1)?;
    let serial = known(serial)?;
    let number = match &serial {
        Value::Int(number) => BigInt::from(*number),
        Value::Bool(flag) => BigInt::from(i32::from(*flag)),
        Value::Big(number) => (**number).clone(),
        other => {
            return Err(failed(format!(
                "The input for the community.crypto.to_serial filter must be an integer; got <class '{}'> instead",
                other.type_name()
            )));
        }
    };
    if number.sign() == num_bigint::Sign::Minus {
        return Err(failed(
            "The input for the community.crypto.to_serial filter must not be negative",
        ));
    }
    let bytes: Vec<String> = number
        .to_bytes_be()
        .1
        .iter()
        .map(|b| format!("{b:02X}"))
        .collect();
    Ok(Value::from(bytes.join(":")))
}
