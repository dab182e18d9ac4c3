//! Filters for addresses and networks: the `ipaddr` family of `ansible.utils`.

mod address;
mod forms;
mod hardware;
mod queries;
mod tests;

use super::{failed, known};
use crate::diag::Result;
use crate::jinja::Row;
use crate::value::{Args, Runtime, Value};
use address::Address;
pub(in crate::template) use tests::TABLE as TESTS;

pub(super) static TABLE: &[Row] = &[
    Row::new(
        "ip4_hex",
        forms::ip4_hex,
        "Writes an address of version 4 in hex.",
        "'10.0.0.1' | ansible.utils.ip4_hex => '0a000001'",
    ),
    Row::new(
        "ipcut",
        forms::ipcut,
        "Returns so many bits of an address, from its start or its end.",
        "'10.1.2.3' | ansible.utils.ipcut(-16) => '2.3'",
    ),
    Row::new(
        "ipv6form",
        forms::ipv6form,
        "Writes an address of version 6 out, or short.",
        "'::1' | ansible.utils.ipv6form('x509') => '0:0:0:0:0:0:0:1'",
    ),
    Row::new(
        "usable_range",
        forms::usable_range,
        "Lists the addresses of a network.",
        "'10.0.0.0/31' | ansible.utils.usable_range => {'usable_ips': ['10.0.0.0', '10.0.0.1'], 'number_of_ips': 2}",
    ),
    Row::new(
        "ipaddr",
        |_, a| versions(a, "ipaddr", None),
        "Checks an address or network, or answers a question about it.",
        "'10.0.0.7/24' | ansible.utils.ipaddr('network') => '10.0.0.0'",
    ),
    Row::new(
        "ipv4",
        |_, a| versions(a, "ipv4", Some(false)),
        "As `ipaddr`, for addresses of version 4.",
        "['10.0.0.1', '::1'] | ansible.utils.ipv4 => ['10.0.0.1']",
    ),
    Row::new(
        "ipv6",
        |_, a| versions(a, "ipv6", Some(true)),
        "As `ipaddr`, for addresses of version 6.",
        "['10.0.0.1', '::1'] | ansible.utils.ipv6 => ['::1']",
    ),
    Row::new(
        "ipwrap",
        wrap,
        "Puts brackets around addresses of version 6.",
        "'::1' | ansible.utils.ipwrap => '[::1]'",
    ),
    Row::new(
        "ipsubnet",
        subnet,
        "Counts or picks subnets.",
        "'10.0.0.0/24' | ansible.utils.ipsubnet(26, 1) => '10.0.0.64/26'",
    ),
    Row::new(
        "ipmath",
        math,
        "Adds a number to an address.",
        "'10.0.0.5' | ansible.utils.ipmath(5) => '10.0.0.10'",
    ),
    Row::new(
        "nthhost",
        nth_host,
        "Returns the address of a number in a network.",
        "'10.0.0.0/24' | ansible.utils.nthhost(5) => '10.0.0.5'",
    ),
    Row::new(
        "next_nth_usable",
        |_, a| neighbour(a, "next_nth_usable", 1),
        "Returns a usable address so many further.",
        "'10.0.0.5/24' | ansible.utils.next_nth_usable(2) => '10.0.0.7'",
    ),
    Row::new(
        "previous_nth_usable",
        |_, a| neighbour(a, "previous_nth_usable", -1),
        "Returns a usable address so many back.",
        "'10.0.0.5/24' | ansible.utils.previous_nth_usable(2) => '10.0.0.3'",
    ),
    Row::new(
        "network_in_network",
        in_network,
        "Says whether a network is inside another.",
        "'10.0.0.0/24' | ansible.utils.network_in_network('10.0.0.128/25') => True",
    ),
    Row::new(
        "network_in_usable",
        in_usable,
        "Says whether an address is usable in a network.",
        "'10.0.0.0/24' | ansible.utils.network_in_usable('10.0.0.255') => False",
    ),
    Row::new(
        "reduce_on_network",
        reduce,
        "Keeps addresses that are in a network.",
        "['10.0.0.1', '10.1.0.1'] | ansible.utils.reduce_on_network('10.0.0.0/24') => ['10.0.0.1']",
    ),
    Row::new(
        "cidr_merge",
        merge,
        "Merges networks, or spans them by one.",
        "['10.0.0.0/24', '10.0.1.0/24'] | ansible.utils.cidr_merge => ['10.0.0.0/23']",
    ),
    Row::new(
        "hwaddr",
        hardware::hwaddr,
        "Checks a hardware address, or writes it another way.",
        "'1a:2b:3c:4d:5e:6f' | ansible.utils.hwaddr('cisco') => '1a2b.3c4d.5e6f'",
    ),
    Row::new(
        "macaddr",
        hardware::hwaddr,
        "Checks a hardware address, or writes it another way.",
        "'1a2b3c4d5e6f' | ansible.utils.macaddr('linux') => '1a:2b:3c:4d:5e:6f'",
    ),
    Row::new(
        "slaac",
        hardware::slaac,
        "Makes the address that a hardware address has in a network.",
        "'fdcf:1894:23b5:d38c::/64' | ansible.utils.slaac('c2:31:b3:83:bf:2b') => 'fdcf:1894:23b5:d38c:c031:b3ff:fe83:bf2b'",
    ),
];

fn text_or(value: Option<Value>, default: &str) -> String {
    value
        .filter(|v| !v.is_none())
        .map_or_else(|| default.to_owned(), |v| v.to_str())
}

fn versions(args: Args, name: &str, v6: Option<bool>) -> Result<Value> {
    let [value, query, _version, _alias] =
        args.bind(name, ["value", "query", "version", "alias"], 1)?;
    let query = text_or(query, "");
    let one = |value: &Value| -> Result<Value> {
        if let Value::Undefined(undefined) = value {
            return Err(undefined.error());
        }
        let address = match (Address::read(value), v6) {
            // A small number is an address of either version.
            (Some(a), Some(true)) if !a.v6 && !matches!(value, Value::Str(_)) => {
                Some(Address::single(true, a.bits))
            }
            (Some(a), Some(v6)) if a.v6 != v6 => None,
            (address, _) => address,
        };
        match address {
            Some(address) => queries::ask(address, value, &query, name),
            None => Ok(Value::Bool(false)),
        }
    };
    match known(value)? {
        Value::Bool(_) => Ok(Value::Bool(false)),
        list @ (Value::List(_) | Value::Tuple(_)) => {
            let mut out = Vec::new();
            for item in list.items()? {
                let answer = one(&item)?;
                if answer.truth() {
                    out.push(answer);
                }
            }
            Ok(Value::list(out))
        }
        value => one(&value),
    }
}

fn wrap(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, _query] = args.bind("ipwrap", ["value", "query"], 1)?;
    let one = |value: &Value| -> Value {
        match Address::read(value) {
            Some(a) if a.v6 && a.has_prefix => {
                Value::str(format!("[{}]/{}", a.text(a.bits), a.prefix))
            }
            Some(a) if a.v6 => Value::str(format!("[{}]", a.text(a.bits))),
            Some(a) if a.has_prefix => Value::str(a.with_prefix(a.bits)),
            _ => value.clone(),
        }
    };
    match known(value)? {
        list @ (Value::List(_) | Value::Tuple(_)) => {
            Ok(Value::list(list.items()?.map(|item| one(&item)).collect()))
        }
        value @ (Value::Str(_) | Value::Bool(_)) => Ok(one(&value)),
        other => Err(failed(format!(
            "Unrecognized type <<class '{}'>> for ipwrap filter <value>",
            other.type_name()
        ))),
    }
}

fn network_of(value: &Value) -> Result<Address> {
    match value {
        Value::Undefined(undefined) => Err(undefined.error()),
        value => Address::read(value).ok_or_else(|| {
            failed(format!(
                "expected an address or a network, found `{}`",
                value.to_str()
            ))
        }),
    }
}

fn subnet(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, query, index] = args.bind("ipsubnet", ["value", "query", "index"], 1)?;
    let Some(own) = Address::read(&known(value)?) else {
        return Ok(Value::Bool(false));
    };
    let Some(query) = query.filter(|q| !q.is_none() && q.to_str() != "") else {
        return Ok(Value::str(own.with_prefix(own.network())));
    };
    let index = index
        .filter(|i| !i.is_none())
        .and_then(|i| i.to_str().parse::<i128>().ok());
    if let Ok(prefix) = query.to_str().parse::<u32>() {
        if prefix > own.width() {
            return Ok(Value::Bool(false));
        }
        let sub = Address { prefix, ..own };
        if own.is_single() || prefix < own.prefix {
            // The networks around an address, the smallest first.
            let around = Address {
                bits: own.bits,
                prefix: match index {
                    Some(index) => {
                        let at = u32::try_from(index.max(0)).unwrap_or(u32::MAX);
                        (prefix.saturating_add(at)).min(own.width())
                    }
                    None => prefix,
                },
                ..own
            };
            return Ok(Value::str(around.with_prefix(around.network())));
        }
        let count = 1u128.checked_shl(prefix - own.prefix).unwrap_or(u128::MAX);
        let Some(index) = index else {
            return Ok(Value::str(count.to_string()));
        };
        let at = if index < 0 {
            count.checked_sub(index.unsigned_abs())
        } else {
            Some(index.unsigned_abs())
        };
        let step = sub.host_mask().saturating_add(1);
        return Ok(match at.filter(|at| *at < count) {
            Some(at) => Value::str(sub.with_prefix(own.network() + at * step)),
            None => Value::Bool(false),
        });
    }
    let around = network_of(&query)?;
    if !around.contains(own) {
        return Ok(Value::Bool(false));
    }
    let step = own.host_mask().saturating_add(1);
    let number = (own.network() - around.network()) / step + 1;
    Ok(Value::str(number.to_string()))
}

fn math(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, amount] = args.bind("ipmath", ["value", "amount"], 2)?;
    let own = network_of(&known(value)?)?;
    let amount = known(amount)?
        .as_i64()
        .ok_or_else(|| failed("You must pass an integer for arithmetic; it was not"))?;
    let bits = own
        .bits
        .checked_add_signed(i128::from(amount))
        .filter(|bits| own.v6 || *bits <= u128::from(u32::MAX))
        .ok_or_else(|| failed("the address lies beyond all addresses"))?;
    Ok(Value::str(own.text(bits)))
}

fn nth_host(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, query] = args.bind("nthhost", ["value", "query"], 1)?;
    let own = network_of(&known(value)?)?;
    let index = text_or(query, "").parse::<i128>().ok();
    Ok(match index.and_then(|index| queries::nth(own, index)) {
        Some(bits) => Value::str(own.text(bits)),
        None => Value::Bool(false),
    })
}

fn neighbour(args: Args, name: &str, direction: i128) -> Result<Value> {
    let [value, offset] = args.bind(name, ["value", "offset"], 2)?;
    let own = network_of(&known(value)?)?;
    let offset = i128::from(known(offset)?.as_i64().unwrap_or(0)) * direction;
    let moved = own.bits.checked_add_signed(offset);
    Ok(match (own.usable(), moved) {
        (Some((first, last)), Some(bits)) if first <= bits && bits <= last => {
            Value::str(own.text(bits))
        }
        _ => Value::None,
    })
}

fn in_network(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, inner] = args.bind("network_in_network", ["value", "test"], 2)?;
    let (own, inner) = (network_of(&known(value)?)?, network_of(&known(inner)?)?);
    Ok(Value::Bool(own.contains(inner)))
}

fn in_usable(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, inner] = args.bind("network_in_usable", ["value", "test"], 2)?;
    let (own, inner) = (network_of(&known(value)?)?, network_of(&known(inner)?)?);
    Ok(Value::Bool(own.usable().is_some_and(|(first, last)| {
        own.v6 == inner.v6 && (first..=last).contains(&inner.bits)
    })))
}

fn reduce(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, network] = args.bind("reduce_on_network", ["value", "network"], 2)?;
    let network = network_of(&known(network)?)?;
    let items: Vec<Value> = match known(value)? {
        list @ (Value::List(_) | Value::Tuple(_)) => list.items()?.collect(),
        one => vec![one],
    };
    Ok(Value::list(
        items
            .into_iter()
            .filter(|item| Address::read(item).is_some_and(|a| network.contains(a)))
            .collect(),
    ))
}

fn merge(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, action] = args.bind("cidr_merge", ["value", "action"], 1)?;
    let mut networks = Vec::new();
    for item in known(value)?.items()? {
        let a = network_of(&item)?;
        networks.push(Address {
            bits: a.network(),
            ..a
        });
    }
    networks.sort_by_key(|a| (a.v6, a.bits, a.prefix));
    match text_or(action, "merge").as_str() {
        "merge" => {}
        "span" => return Ok(span(&networks)),
        other => return Err(failed(format!("cidr_merge: invalid action '{other}'"))),
    }
    let mut merged: Vec<Address> = Vec::new();
    for network in networks {
        if merged.last().is_some_and(|last| last.contains(network)) {
            continue;
        }
        merged.push(network);
        while let [.., a, b] = merged[..] {
            let whole = Address {
                prefix: a.prefix.saturating_sub(1),
                ..a
            };
            let pair = a.v6 == b.v6 && a.prefix == b.prefix && a.prefix > 0;
            if !(pair && a.bits == whole.network() && b.bits == a.last() + 1) {
                break;
            }
            merged.truncate(merged.len() - 2);
            merged.push(whole);
        }
    }
    Ok(Value::list(
        merged
            .into_iter()
            .map(|a| Value::str(a.with_prefix(a.bits)))
            .collect(),
    ))
}

fn span(networks: &[Address]) -> Value {
    let (Some(first), Some(last)) = (networks.first(), networks.iter().map(|a| a.last()).max())
    else {
        return Value::None;
    };
    let mut whole = *first;
    while whole.last() < last && whole.prefix > 0 {
        whole.prefix -= 1;
    }
    Value::str(whole.with_prefix(whole.network()))
}
