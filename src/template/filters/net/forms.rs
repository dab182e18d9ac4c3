//! Other forms of addresses and networks: hexadecimal, written out, address by address.

use super::address::Address;
use super::{failed, known};
use crate::diag::{Error, Result};
use crate::value::{Args, Runtime, Value};

/// How many addresses of a network are listed at most.
const MAX_LISTED: u128 = 1 << 20;

/// Reads a single address.
fn single(value: Option<Value>) -> Result<Address> {
    let value = known(value)?;
    let found = Address::read(&value).filter(|address| !address.has_prefix);
    found.ok_or_else(|| {
        failed(format!(
            "You must pass a valid IP address; {value} is invalid"
        ))
    })
}

pub(super) fn ip4_hex(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [address, delimiter] = args.bind("ip4_hex", ["arg", "delimiter"], 1)?;
    let address = single(address)?;
    if address.v6 {
        return Err(Error::value_error(format!(
            "invalid literal for int() with base 10: '{}'",
            address.text(address.bits)
        )));
    }
    let delimiter = delimiter.map_or_else(String::new, |d| d.to_str());
    let bytes = (address.bits as u32).to_be_bytes();
    let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Value::from(bytes.join(&delimiter)))
}

pub(super) fn ipv6form(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, format] = args.bind("ipv6form", ["value", "format"], 1)?;
    let format = known(format)?;
    if format.is_none() {
        return Err(failed(
            "You must pass valid format; None is not a valid format",
        ));
    }
    let format = format.to_str();
    if !matches!(format.as_str(), "compress" | "expand" | "x509") {
        return Err(failed(format!(
            "['value of format must be one of: compress, expand, x509, got: {format}']"
        )));
    }
    let address = single(value)?;
    if !address.v6 {
        return Ok(Value::from(address.text(address.bits)));
    }
    let groups: Vec<String> = (0..8)
        .rev()
        .map(|at| {
            let group = (address.bits >> (16 * at)) & 0xffff;
            if format == "expand" {
                format!("{group:04x}")
            } else {
                format!("{group:x}")
            }
        })
        .collect();
    Ok(Value::from(if format == "compress" {
        address.text(address.bits)
    } else {
        groups.join(":")
    }))
}

pub(super) fn usable_range(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [ip] = args.bind("usable_range", ["ip"], 1)?;
    let ip = known(ip)?;
    let wrong = |said: String| failed(format!("Error while using plugin 'usable_range': {said}"));
    let network = Address::read(&ip).ok_or_else(|| {
        wrong(format!(
            "{} does not appear to be an IPv4 or IPv6 network",
            ip.repr()
        ))
    })?;
    let (first, last) = if network.has_prefix {
        (network.network(), network.last())
    } else {
        (network.bits, network.bits)
    };
    if network.has_prefix && network.bits != first {
        return Err(wrong(format!("{ip} has host bits set")));
    }
    if last - first >= MAX_LISTED {
        return Err(wrong(format!(
            "{ip} has more than {MAX_LISTED} addresses, which are too many to list"
        )));
    }
    let all = (first..=last).map(|bits| Value::from(network.text(bits)));
    let all: Vec<Value> = all.collect();
    let count = Value::from(all.len());
    Ok(Value::dict([
        ("usable_ips", Value::list(all)),
        ("number_of_ips", count),
    ]))
}

/// Returns so many bits of an address, from its start or, below zero, from its end.
pub(super) fn ipcut(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, amount] = args.bind("ipcut", ["value", "amount"], 1)?;
    let value = known(value)?;
    let text = value.to_str();
    let address: std::net::IpAddr = text.parse().map_err(|_| {
        failed(format!(
            "You must pass a valid IP address; {text} is invalid"
        ))
    })?;
    let amount = known(amount)?;
    let count: i64 = match amount.as_i64() {
        Some(count) => count,
        None => amount.to_str().trim().parse().map_err(|_| {
            failed(format!(
                "You must pass an integer for arithmetic; {amount} is not a valid integer"
            ))
        })?,
    };
    let (number, width, group) = match address {
        std::net::IpAddr::V4(address) => (u128::from(u32::from(address)), 32, 8),
        std::net::IpAddr::V6(address) => (u128::from(address), 128, 16),
    };
    let bits: Vec<bool> = (0..width).rev().map(|at| number >> at & 1 == 1).collect();
    let wanted = usize::try_from(count.unsigned_abs())
        .unwrap_or(width)
        .min(width);
    let kept = if count < 0 {
        &bits[width - wanted..]
    } else {
        &bits[..wanted]
    };
    let parts: Vec<String> = kept
        .chunks(group)
        .map(|chunk| {
            chunk
                .iter()
                .fold(0_u32, |sum, bit| sum * 2 + u32::from(*bit))
        })
        .map(|part| {
            if group == 8 {
                part.to_string()
            } else {
                format!("{part:x}")
            }
        })
        .collect();
    Ok(Value::from(parts.join(if group == 8 { "." } else { ":" })))
}
