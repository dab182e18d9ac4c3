//! Tests of addresses and networks.

use super::address::{Address, LINK_LOCAL, LOOPBACK, MULTICAST, PRIVATE};
use super::hardware;
use super::network_of;
use crate::diag::Result;
use crate::jinja::Row;
use crate::value::{Args, Value};

/// The tests, all of `ansible.utils`.
pub(in crate::template) static TABLE: &[Row] = &[
    Row::new(
        "ip",
        |_, a| is(a, |_| true),
        "Is an address or a network.",
        "'10.0.0.0/8' is ansible.utils.ip => True",
    ),
    Row::new(
        "ip_address",
        |_, a| is(a, single),
        "Is an address.",
        "'10.0.0.1' is ansible.utils.ip_address => True",
    ),
    Row::new(
        "ipv4",
        |_, a| is(a, |a| !a.v6),
        "Is an address or a network of version 4.",
        "'::1' is ansible.utils.ipv4 => False",
    ),
    Row::new(
        "ipv4_address",
        |_, a| is(a, |a| !a.v6 && single(a)),
        "Is an address of version 4.",
        "'10.0.0.1' is ansible.utils.ipv4_address => True",
    ),
    Row::new(
        "ipv4_netmask",
        |_, a| is(a, |a| !a.v6 && single(a) && mask(a)),
        "Is a mask of version 4.",
        "'255.255.0.0' is ansible.utils.ipv4_netmask => True",
    ),
    Row::new(
        "ipv4_hostmask",
        |_, a| is(a, |a| !a.v6 && single(a) && mask(inverse(a))),
        "Is a host mask of version 4.",
        "'0.0.0.255' is ansible.utils.ipv4_hostmask => True",
    ),
    Row::new(
        "ipv6",
        |_, a| is(a, |a| a.v6),
        "Is an address or a network of version 6.",
        "'::1' is ansible.utils.ipv6 => True",
    ),
    Row::new(
        "ipv6_address",
        |_, a| is(a, |a| a.v6 && single(a)),
        "Is an address of version 6.",
        "'::1' is ansible.utils.ipv6_address => True",
    ),
    Row::new(
        "ipv6_ipv4_mapped",
        |_, a| is(a, |a| a.v6 && single(a) && a.is_in(&["::ffff:0:0/96"])),
        "Is an address of version 4 that is written as one of version 6.",
        "'::ffff:10.0.0.1' is ansible.utils.ipv6_ipv4_mapped => True",
    ),
    Row::new(
        "ipv6_sixtofour",
        |_, a| is(a, |a| a.v6 && single(a) && a.is_in(&["2002::/16"])),
        "Is an address of 6to4.",
        "'2002:c0a8:6464::' is ansible.utils.ipv6_sixtofour => True",
    ),
    Row::new(
        "ipv6_teredo",
        |_, a| is(a, |a| a.v6 && single(a) && a.is_in(&["2001::/32"])),
        "Is an address of Teredo.",
        "'2001::1' is ansible.utils.ipv6_teredo => True",
    ),
    Row::new(
        "loopback",
        |_, a| is(a, |a| single(a) && a.is_in(LOOPBACK)),
        "Is a loopback address.",
        "'127.0.0.1' is ansible.utils.loopback => True",
    ),
    Row::new(
        "mac",
        hardware::is_mac,
        "Is a hardware address.",
        "'1a:2b:3c:4d:5e:6f' is ansible.utils.mac => True",
    ),
    Row::new(
        "multicast",
        |_, a| is(a, |a| single(a) && a.is_in(MULTICAST)),
        "Is a multicast address.",
        "'224.0.0.1' is ansible.utils.multicast => True",
    ),
    Row::new(
        "private",
        |_, a| is(a, |a| single(a) && a.is_in(PRIVATE)),
        "Is a private address.",
        "'10.0.0.1' is ansible.utils.private => True",
    ),
    Row::new(
        "public",
        |_, a| {
            is(a, |a| {
                single(a) && !a.is_in(PRIVATE) && !a.is_in(LINK_LOCAL)
            })
        },
        "Is a public address.",
        "'8.8.8.8' is ansible.utils.public => True",
    ),
    Row::new(
        "reserved",
        |_, a| is(a, |a| single(a) && a.is_in(&["240.0.0.0/4"])),
        "Is a reserved address.",
        "'10.0.0.1' is ansible.utils.reserved => False",
    ),
    Row::new(
        "unspecified",
        |_, a| is(a, |a| single(a) && a.bits == 0),
        "Is the unspecified address.",
        "'0.0.0.0' is ansible.utils.unspecified => True",
    ),
    Row::new(
        "in_network",
        |_, a| pair(a, |inner, outer| outer.contains(inner)),
        "Is inside a network.",
        "'10.0.0.1' is ansible.utils.in_network '10.0.0.0/8' => True",
    ),
    Row::new(
        "subnet_of",
        |_, a| pair(a, |inner, outer| outer.contains(inner)),
        "Is a network inside another.",
        "'10.0.0.0/24' is ansible.utils.subnet_of '10.0.0.0/8' => True",
    ),
    Row::new(
        "supernet_of",
        |_, a| pair(a, Address::contains),
        "Is a network around another.",
        "'10.0.0.0/8' is ansible.utils.supernet_of '10.0.0.0/24' => True",
    ),
    Row::new(
        "in_any_network",
        |_, a| any(a),
        "Is inside one of some networks.",
        "'10.0.0.1' is ansible.utils.in_any_network ['10.0.0.0/8'] => True",
    ),
    Row::new(
        "in_one_network",
        |_, a| any(a),
        "Is inside one of some networks.",
        "'10.0.0.1' is ansible.utils.in_one_network ['::/8'] => False",
    ),
];

fn single(a: Address) -> bool {
    !a.has_prefix
}

fn mask(a: Address) -> bool {
    a.bits != 0 && (a.bits as u32).leading_ones() + (a.bits as u32).trailing_zeros() == 32
}

fn inverse(a: Address) -> Address {
    Address {
        bits: u128::from(!(a.bits as u32)),
        ..a
    }
}

/// Reads text that is an address, or a network without bits of a host.
fn strict(value: &Value) -> Result<Option<Address>> {
    if let Value::Undefined(undefined) = value {
        return Err(undefined.error());
    }
    let text = matches!(value, Value::Str(_));
    Ok(Address::read(value).filter(|a| text && (!a.has_prefix || a.bits == a.network())))
}

fn is(args: Args, test: fn(Address) -> bool) -> Result<Value> {
    let value = args.positional.into_iter().next().unwrap_or(Value::None);
    Ok(Value::Bool(strict(&value)?.is_some_and(test)))
}

fn pair(args: Args, test: fn(Address, Address) -> bool) -> Result<Value> {
    let [a, b] = args.bind("in_network", ["a", "b"], 2)?;
    let (a, b) = (a.unwrap_or(Value::None), b.unwrap_or(Value::None));
    Ok(Value::Bool(match (strict(&a)?, strict(&b)?) {
        (Some(a), Some(b)) => test(a, b),
        _ => false,
    }))
}

fn any(args: Args) -> Result<Value> {
    let [a, networks] = args.bind("in_any_network", ["ip", "networks"], 2)?;
    let Some(a) = strict(&a.unwrap_or(Value::None))? else {
        return Ok(Value::Bool(false));
    };
    let networks = match networks.unwrap_or(Value::None) {
        // As observed: a text is taken for its characters, of which none is a network.
        Value::Str(_) => Vec::new(),
        list => list.items()?.collect(),
    };
    for network in networks {
        if network_of(&network)?.contains(a) {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}
