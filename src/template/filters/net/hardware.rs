//! Hardware addresses.

use super::{failed, known, network_of, text_or};
use crate::diag::Result;
use crate::value::{Args, Runtime, Value};

/// Reads the six bytes of an address in any notation.
fn bytes(text: &str) -> Option<[u8; 6]> {
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    let known = text
        .chars()
        .all(|c| c.is_ascii_hexdigit() || matches!(c, ':' | '-' | '.'));
    if !known || digits.len() != 12 {
        return None;
    }
    let mut out = [0; 6];
    for (at, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(out)
}

pub(super) fn hwaddr(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, query, _alias] = args.bind("hwaddr", ["value", "query", "alias"], 1)?;
    let text = known(value)?.to_str();
    let query = text_or(query, "");
    let Some(bytes) = bytes(&text) else {
        return match query.as_str() {
            "" | "bool" => Ok(Value::Bool(false)),
            _ => Err(failed(format!("hwaddr: not a hardware address: {text}"))),
        };
    };
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    let grouped = |size: usize, separator: &str| {
        hex.as_bytes()
            .chunks(size)
            .map(|part| String::from_utf8_lossy(part).into_owned())
            .collect::<Vec<_>>()
            .join(separator)
    };
    Ok(match query.as_str() {
        "" => Value::str(text),
        "bool" => Value::Bool(true),
        "bare" => Value::str(hex.to_uppercase()),
        "cisco" => Value::str(grouped(4, ".")),
        "eui48" | "win" => Value::str(grouped(2, "-").to_uppercase()),
        "linux" => Value::str(grouped(2, ":")),
        "unix" => Value::str(
            bytes
                .iter()
                .map(|b| format!("{b:x}"))
                .collect::<Vec<_>>()
                .join(":"),
        ),
        "pgsql" | "postgresql" | "psql" => Value::str(grouped(6, ":")),
        "int" => Value::Int(bytes.iter().fold(0, |n, b| n * 256 + i64::from(*b))),
        other => return Err(failed(format!("hwaddr: unknown filter type: {other}"))),
    })
}

pub(super) fn slaac(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, query] = args.bind("slaac", ["value", "query"], 1)?;
    let value = known(value)?;
    let Ok(network) = network_of(&value) else {
        return Ok(Value::Bool(false));
    };
    let Some(bytes) = bytes(&text_or(query, "")).filter(|_| network.v6) else {
        return Ok(Value::Bool(false));
    };
    let (maker, device) = bytes.split_at(3);
    let mut host = [0; 8];
    host[..3].copy_from_slice(maker);
    host[3..5].copy_from_slice(&[0xff, 0xfe]);
    host[5..].copy_from_slice(device);
    host[0] ^= 2;
    let host = u64::from_be_bytes(host);
    Ok(Value::str(
        network.text(network.network() | u128::from(host)),
    ))
}

pub(super) fn is_mac(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let value = known(args.positional.into_iter().next())?;
    let Value::Str(text) = &value else {
        let kind = value.type_name();
        return Err(crate::diag::Error::type_error(format!(
            "expected string or bytes-like object, got '{kind}'"
        )));
    };
    Ok(Value::Bool(bytes(text).is_some()))
}
