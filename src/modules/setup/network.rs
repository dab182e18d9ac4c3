//! Interfaces, addresses, default routes, name servers.
//!
//! Interfaces come from `/sys/class/net`, addresses and routes from one call of `ip` each, as
//! no file tells IPv4 addresses.

use super::host::Host;
use crate::value::{Dict, Value};

pub(super) fn dns(host: &Host<'_>, facts: &Dict) {
    let dns = Dict::new();
    let text = host.text("/etc/resolv.conf").unwrap_or_default();
    let add = |name: &str, values: Vec<Value>| match dns.get(name) {
        Some(Value::List(list)) => list.borrow_mut().extend(values),
        _ => dns.set(name, values),
    };
    for line in text.lines() {
        if line.starts_with(['#', ';']) {
            continue;
        }
        let mut words = line.split_whitespace();
        match words.next() {
            Some("nameserver") => add("nameservers", words.map(Value::str).collect()),
            Some("domain") => {
                if let Some(name) = words.next() {
                    dns.set("domain", name);
                }
            }
            Some("search") => dns.set("search", words.map(Value::str).collect::<Vec<_>>()),
            Some("sortlist") => dns.set("sortlist", words.map(Value::str).collect::<Vec<_>>()),
            Some("options") => {
                let options = Dict::new();
                for word in words {
                    match word.split_once(':') {
                        Some((name, value)) => options.set(name, value),
                        None => options.set(word, true),
                    }
                }
                dns.set("options", options);
            }
            _ => {}
        }
    }
    facts.set("dns", dns);
}

pub(super) fn network(host: &Host<'_>, facts: &Dict) {
    if host.program("ip").is_none() {
        return;
    }
    let names: Vec<String> = host
        .names("/sys/class/net")
        .into_iter()
        .filter(|name| host.exists(format!("/sys/class/net/{name}/address")))
        .collect();
    let interfaces = Dict::new();
    for name in &names {
        interfaces.set(name, interface(host, name));
    }
    let (all_v4, all_v6) = addresses(host, &interfaces);
    facts.set(
        "interfaces",
        interfaces
            .keys()
            .iter()
            .map(|key| key.value().clone())
            .collect::<Vec<_>>(),
    );
    for (version, target) in [("4", "8.8.8.8"), ("6", "2404:6800:400a:800::1012")] {
        let default = default_route(host, version, target, &interfaces);
        facts.set(format!("default_ipv{version}"), default);
    }
    facts.set("all_ipv4_addresses", all_v4);
    facts.set("all_ipv6_addresses", all_v6);
    let reachable = Dict::new();
    reachable.set("ipv4", locally_reachable(host, "-4"));
    reachable.set("ipv6", locally_reachable(host, "-6"));
    facts.set("locally_reachable_ips", reachable);
    for (key, value) in interfaces.to_vec() {
        facts.set_key(key, value);
    }
}

/// Describes an interface by what the kernel's files say of it.
fn interface(host: &Host<'_>, name: &str) -> Dict {
    let base = format!("/sys/class/net/{name}");
    let file = |file: &str| {
        host.line(format!("{base}/{file}"))
            .filter(|text| !text.is_empty())
    };
    let about = Dict::new();
    about.set("device", name);
    if let Some(address) = file("address").filter(|address| address != "00:00:00:00:00:00") {
        about.set("macaddress", address);
    }
    if let Some(mtu) = file("mtu").and_then(|mtu| mtu.parse::<i64>().ok()) {
        about.set("mtu", mtu);
    }
    if let Some(state) = file("operstate") {
        about.set("active", state != "down");
    }
    if let Some(module) = host.link_name(format!("{base}/device/driver/module")) {
        about.set("module", module);
    }
    let kind = match file("type").as_deref() {
        Some("1") => Some("ether"),
        Some("32") => Some("infiniband"),
        Some("512") => Some("ppp"),
        Some("772") => Some("loopback"),
        Some("65534") => Some("tunnel"),
        _ => None,
    };
    if let Some(kind) = kind {
        about.set("type", kind);
    }
    if host.exists(format!("{base}/bridge")) {
        about.set("type", "bridge");
        let ports = host
            .names(format!("{base}/brif"))
            .into_iter()
            .map(Value::from);
        about.set("interfaces", ports.collect::<Vec<_>>());
        if let Some(id) = file("bridge/bridge_id") {
            about.set("id", id);
        }
        if let Some(state) = file("bridge/stp_state") {
            about.set("stp", state == "1");
        }
    }
    if host.exists(format!("{base}/bonding")) {
        bond(&about, &file);
    }
    if host.exists(format!("{base}/bonding_slave"))
        && let Some(address) = file("bonding_slave/perm_hwaddr")
    {
        about.set("perm_macaddress", address);
    }
    if let Some(id) = host.link_name(format!("{base}/device")) {
        about.set("pciid", id);
    }
    if let Some(speed) = file("speed").and_then(|speed| speed.parse::<i64>().ok()) {
        about.set("speed", speed);
    }
    let flags = file("flags")
        .and_then(|flags| i64::from_str_radix(flags.trim_start_matches("0x"), 16).ok());
    if let Some(flags) = flags {
        about.set("promisc", flags & 0x0100 != 0);
    }
    about
}

fn bond(about: &Dict, file: &dyn Fn(&str) -> Option<String>) {
    about.set("type", "bonding");
    let slaves = file("bonding/slaves").unwrap_or_default();
    about.set(
        "slaves",
        slaves
            .split_whitespace()
            .map(Value::str)
            .collect::<Vec<_>>(),
    );
    let first = |name: &str| {
        let text = file(&format!("bonding/{name}"))?;
        Some(text.split_whitespace().next()?.to_owned())
    };
    for (key, name) in [
        ("mode", "mode"),
        ("miimon", "miimon"),
        ("lacp_rate", "lacp_rate"),
    ] {
        about.set(key, first(name).map_or(Value::None, Value::from));
    }
    if let Some(primary) = file("bonding/primary") {
        about.set("primary", primary);
        if let Some(all) = file("bonding/all_slaves_active") {
            about.set("all_slaves_active", all == "1");
        }
    }
}

/// Adds the addresses to their interfaces; returns those that others can reach.
fn addresses(host: &Host<'_>, interfaces: &Dict) -> (Vec<Value>, Vec<Value>) {
    let (mut all_v4, mut all_v6) = (Vec::new(), Vec::new());
    let said = host
        .output(&["ip", "-o", "addr", "show"])
        .unwrap_or_default();
    for line in said.lines() {
        let line = line.split('\\').next().unwrap_or(line);
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, device, family, address, rest @ ..] = words.as_slice() else {
            continue;
        };
        let device = device.split('@').next().unwrap_or(device);
        match *family {
            "inet" => {
                let label = rest
                    .last()
                    .copied()
                    .filter(|label| label.starts_with(device));
                let (alone, about) = ipv4(address, rest);
                let secondary = rest.contains(&"secondary");
                place_v4(
                    interfaces,
                    device,
                    label.unwrap_or(device),
                    about,
                    secondary,
                );
                if !alone.starts_with("127.") {
                    all_v4.push(Value::str(alone));
                }
            }
            "inet6" => {
                let (alone, prefix) = address.split_once('/').unwrap_or((address, "128"));
                let scope = rest.iter().skip_while(|word| **word != "scope").nth(1);
                let about = Value::dict([
                    ("address", Value::str(alone)),
                    ("prefix", Value::str(prefix)),
                    ("scope", Value::str(scope.copied().unwrap_or_default())),
                ]);
                if let Some(Value::Dict(interface)) = interfaces.get(device) {
                    append(&interface, "ipv6", about);
                }
                if alone != "::1" {
                    all_v6.push(Value::str(alone));
                }
            }
            _ => {}
        }
    }
    (all_v4, all_v6)
}

fn append(dict: &Dict, key: &str, value: Value) {
    match dict.get(key) {
        Some(Value::List(list)) => list.borrow_mut().push(value),
        _ => dict.set(key, vec![value]),
    }
}

/// Works out an IPv4 address with its network; `address` is `A.B.C.D/prefix`.
fn ipv4<'a>(address: &'a str, rest: &[&str]) -> (&'a str, Dict) {
    let (alone, prefix) = address.split_once('/').unwrap_or((address, "32"));
    let broadcast = rest.iter().skip_while(|word| **word != "brd").nth(1);
    let about = Dict::new();
    about.set("address", alone);
    about.set("broadcast", broadcast.copied().unwrap_or_default());
    if let (Ok(ip), Ok(bits)) = (alone.parse::<std::net::Ipv4Addr>(), prefix.parse::<u8>())
        && let Ok(net) = ipnet::Ipv4Net::new(ip, bits)
    {
        about.set("netmask", net.netmask().to_string());
        about.set("network", net.network().to_string());
    }
    about.set("prefix", prefix);
    (alone, about)
}

/// Puts an address where it belongs: a label of its own is an interface of its own.
fn place_v4(interfaces: &Dict, device: &str, label: &str, about: Dict, secondary: bool) {
    if let Some(Value::Dict(interface)) = interfaces.get(device)
        && secondary
        && label != device
    {
        append(&interface, "ipv4_secondaries", Value::Dict(about.copy()));
    }
    let label = label.replace(':', "_");
    let interface = match interfaces.get(&label) {
        Some(Value::Dict(known)) => known,
        _ => {
            let own = Dict::new();
            interfaces.set(&label, own.clone());
            own
        }
    };
    if secondary || interface.contains("ipv4") {
        append(&interface, "ipv4_secondaries", Value::Dict(about));
    } else {
        interface.set("ipv4", about);
    }
}

/// Asks the kernel which way a packet would go; none is sent.
fn default_route(host: &Host<'_>, version: &str, target: &str, interfaces: &Dict) -> Dict {
    let default = Dict::new();
    let family = format!("-{version}");
    let said = host
        .output(&["ip", &family, "route", "get", target])
        .unwrap_or_default();
    let words: Vec<&str> = said
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let after = |name: &str| {
        words
            .iter()
            .skip_while(|word| **word != name)
            .nth(1)
            .copied()
    };
    if words.first() != Some(&target) {
        return default;
    }
    let (Some(device), Some(source)) = (after("dev"), after("src")) else {
        return default;
    };
    default.set("interface", device);
    default.set("address", source);
    if let Some(gateway) = after("via") {
        default.set("gateway", gateway);
    }
    let Some(Value::Dict(interface)) = interfaces.get(device) else {
        return default;
    };
    let of_address = |key: &str| -> Option<Dict> {
        let lists = match interface.get(key)? {
            Value::List(list) => list.to_vec(),
            one => vec![one],
        };
        lists.into_iter().find_map(|one| match one {
            Value::Dict(one)
                if one
                    .get("address")
                    .is_some_and(|a| a.as_str() == Some(source)) =>
            {
                Some(one)
            }
            _ => None,
        })
    };
    let keys: &[&str] = if version == "4" {
        &["ipv4", "ipv4_secondaries"]
    } else {
        &["ipv6"]
    };
    if let Some(found) = keys.iter().find_map(|key| of_address(key)) {
        for (key, value) in found.to_vec() {
            default.set_key(key, value);
        }
    }
    for key in ["macaddress", "mtu", "type"] {
        if let Some(value) = interface.get(key) {
            default.set(key, value);
        }
    }
    if version == "4" {
        default.set("alias", device);
    }
    default
}

/// Returns the addresses and networks that the machine answers to itself.
fn locally_reachable(host: &Host<'_>, family: &str) -> Value {
    let said = host
        .output(&["ip", family, "route", "show", "table", "local"])
        .unwrap_or_default();
    let mut found = Vec::new();
    for line in said.lines() {
        let mut words = line.split_whitespace();
        if let (Some("local"), Some(what)) = (words.next(), words.next()) {
            let what = Value::str(what);
            if !found.contains(&what) {
                found.push(what);
            }
        }
    }
    Value::list(found)
}
