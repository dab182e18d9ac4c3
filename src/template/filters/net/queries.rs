//! The questions that `ipaddr` answers.
//!
//! **Source:** the documentation of `ansible.utils.ipaddr`, and its answers as recorded.

use super::address::{Address, LINK_LOCAL, LOOPBACK, MULTICAST, PRIVATE};
use crate::diag::{Error, Result};
use crate::template::filters::failed;
use crate::value::Value;

/// Answers a question about an address; `given` is how it was written,
/// `filter` which filter asks.
pub(super) fn ask(address: Address, given: &Value, query: &str, filter: &str) -> Result<Value> {
    let a = address;
    let text = |bits: u128| Value::str(a.text(bits));
    let cidr = |bits: u128| Value::str(a.with_prefix(bits));
    let written = || match given {
        Value::Str(text) => Value::str(text.as_str()),
        _ => cidr(a.bits),
    };
    let only = |is: bool| if is { written() } else { Value::None };
    // Networks of one or two addresses are as good as hosts.
    let is_host = !a.is_network() || (a.host_mask() == 1 && !a.v6);
    let usable = || -> Result<Option<(u128, u128)>> {
        if !a.has_prefix {
            return Err(failed("Not a network address"));
        }
        Ok(a.usable())
    };
    Ok(match query {
        "" if a.has_prefix => cidr(a.bits),
        "" => text(a.bits),
        "bool" => Value::Bool(true),
        "address" | "ip" if is_host || a.v6 => text(a.bits),
        "address" | "ip" => Value::None,
        "address/prefix" | "gateway" | "gw" | "host/prefix" | "hostnet" | "ip/prefix"
        | "router" => {
            if is_host {
                cidr(a.bits)
            } else {
                Value::Bool(false)
            }
        }
        "host" if is_host => cidr(a.bits),
        "host" => Value::None,
        "broadcast" if a.host_mask() > 1 => text(a.last()),
        "broadcast" => Value::None,
        "cidr" => cidr(a.bits),
        "net" if a.is_network() => cidr(a.network()),
        "net" => Value::None,
        "network" | "network_id" => text(a.network()),
        "network/prefix" | "subnet" => cidr(a.network()),
        "netmask" => text(a.net_mask()),
        "hostmask" | "wildcard" => text(a.host_mask()),
        "ip_netmask" | "address_netmask" => {
            Value::str(format!("{} {}", a.text(a.bits), a.text(a.net_mask())))
        }
        "ip_wildcard" => Value::str(format!("{} {}", a.text(a.bits), a.text(a.host_mask()))),
        "network_netmask" => {
            Value::str(format!("{} {}", a.text(a.network()), a.text(a.net_mask())))
        }
        "network_wildcard" => {
            Value::str(format!("{} {}", a.text(a.network()), a.text(a.host_mask())))
        }
        "prefix" => Value::from(a.prefix),
        "size" => Value::from_big(a.size()),
        "size_usable" => match usable_size(a) {
            Some(size) => size,
            None => Value::Int(0),
        },
        "version" => Value::Int(if a.v6 { 6 } else { 4 }),
        "type" => Value::str(if a.is_network() { "network" } else { "address" }),
        "int" if a.has_prefix => Value::str(format!("{}/{}", a.bits, a.prefix)),
        "int" => Value::from_big(a.bits.into()),
        "revdns" => Value::str(a.reverse_name()),
        "first_usable" => usable()?.map_or(Value::None, |(first, _)| text(first)),
        "last_usable" => usable()?.map_or(Value::None, |(_, last)| text(last)),
        "range_usable" => usable()?.map_or(Value::None, |(first, last)| {
            Value::str(format!("{}-{}", a.text(first), a.text(last)))
        }),
        "next_usable" => match usable()? {
            Some((_, last)) if a.bits < last => text(a.bits + 1),
            _ => Value::None,
        },
        "previous_usable" => match usable()? {
            Some((first, _)) if a.bits > first => text(a.bits - 1),
            _ => Value::None,
        },
        "peer" => peer(a)?,
        "ipv4" if !a.v6 => written(),
        "ipv4" => Value::Bool(false),
        "ipv6" if a.v6 => written(),
        "ipv6" => Value::str(format!("::ffff:{}/{}", a.text(a.bits), a.prefix + 96)),
        "6to4" if !a.v6 && (a.is_single() || a.bits != a.network() || !a.has_prefix) => Value::str(
            format!("2002:{:04x}:{:04x}::1/48", a.bits >> 16, a.bits & 0xffff),
        ),
        "6to4" => Value::Bool(false),
        "private" => only(a.is_in(PRIVATE)),
        "public" => only(!a.is_in(PRIVATE) && !a.is_in(MULTICAST)),
        "loopback" | "lo" => only(a.is_in(LOOPBACK)),
        "link-local" | "lla" => only(a.is_in(LINK_LOCAL)),
        "multicast" => only(a.is_in(MULTICAST)),
        "unicast" => only(!a.is_in(MULTICAST)),
        other => {
            if let Ok(index) = other.parse::<i128>() {
                return Ok(numbered(a, index));
            }
            match Address::parse(other) {
                Some(network) => only(network.contains(a)),
                // As observed: `ipaddr` stumbles over its own name.
                None if filter == "ipaddr" => {
                    return Err(Error::type_error(
                        "unsupported operand type(s) for +: 'NoneType' and 'str'",
                    )
                    .help(format!("`{other}` is no query of `ipaddr`")));
                }
                None => return Err(failed(format!("{filter}: unknown filter type: {other}"))),
            }
        }
    })
}

fn usable_size(a: Address) -> Option<Value> {
    let (first, last) = a.usable()?;
    Some(Value::from_big(num_bigint::BigInt::from(last - first) + 1))
}

/// Returns the address of a number in the network; negative numbers count from the end.
fn numbered(a: Address, index: i128) -> Value {
    if !a.has_prefix {
        return Value::str(a.text(a.bits));
    }
    if a.is_single() {
        return Value::str(a.with_prefix(a.bits));
    }
    match nth(a, index) {
        Some(bits) => Value::str(a.with_prefix(bits)),
        None => Value::Bool(false),
    }
}

/// Returns the bits of a network's address number so many.
pub(super) fn nth(a: Address, index: i128) -> Option<u128> {
    let distance = if index < 0 {
        let back = index.unsigned_abs() - 1;
        a.host_mask().checked_sub(back)?
    } else {
        index.unsigned_abs()
    };
    (distance <= a.host_mask()).then(|| a.network() + distance)
}

/// Returns the other end of a network of two hosts.
fn peer(a: Address) -> Result<Value> {
    let offset = a.bits - a.network();
    match (a.host_mask(), offset) {
        (1, offset) => Ok(Value::str(a.text(a.network() + (1 - offset)))),
        (3, 1 | 2) => Ok(Value::str(a.text(a.network() + 3 - offset))),
        (3, _) => Err(failed("Not a host address")),
        _ => Err(failed("Not a point-to-point network")),
    }
}
