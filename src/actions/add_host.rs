//! `add_host`: a host of the run's inventory, with groups and variables.

use super::{Context, Prepared};
use crate::diag::{Error, Kind, Result};
use crate::value::{Dict, Value};

/// Arguments that are no variables of the host.
const OWN: &[&str] = &["name", "hostname", "groupname", "groups"];

pub(super) fn run(context: &Context, args: Dict) -> Result<Prepared> {
    let given = |names: &[&str]| {
        let all = names.iter().filter_map(|name| args.get(name));
        all.into_iter().find(|value| !value.is_none())
    };
    let Some(name) = given(&["name", "hostname", "host"]) else {
        return Err(Error::new(Kind::Argument, context.level.host_needs_name()));
    };
    let name = name.to_str();
    let (name, port) = name_and_port(&name);
    let vars = Dict::new();
    for (key, value) in args.to_vec() {
        if !key.as_str().is_some_and(|name| OWN.contains(&name)) {
            vars.set_key(key, value);
        }
    }
    if let Some(port) = port {
        vars.set("ansible_ssh_port", Value::from(i64::from(port)));
    }
    let host = Value::dict([
        ("host_name", Value::str(name)),
        (
            "groups",
            Value::list(groups(given(&["groupname", "groups", "group"]))),
        ),
        ("host_vars", Value::Dict(vars)),
    ]);
    Ok(Prepared::Done(Dict::from_iter([
        ("changed".into(), Value::Bool(true)),
        ("add_host".into(), host),
    ])))
}

/// Returns the groups of a list, or of a text with commas, each once.
fn groups(given: Option<Value>) -> Vec<Value> {
    let names: Vec<String> = match given {
        None => Vec::new(),
        Some(Value::List(list)) => list.to_vec().iter().map(Value::to_str).collect(),
        Some(text) => text.to_str().split(',').map(str::to_owned).collect(),
    };
    let mut out: Vec<Value> = Vec::new();
    for name in names {
        let name = Value::str(name.trim());
        if name.truth() && !out.contains(&name) {
            out.push(name);
        }
    }
    out
}

/// Takes the port off a name, an IPv6 address in brackets among them.
fn name_and_port(text: &str) -> (&str, Option<u16>) {
    let Some((name, port)) = text.rsplit_once(':') else {
        return (text, None);
    };
    let bare = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    match port.parse() {
        Ok(port) if bare.is_some() || !name.contains(':') => (bare.unwrap_or(name), Some(port)),
        _ => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::name_and_port;

    #[test]
    fn a_port_stands_behind_a_name_or_a_bracketed_address() {
        assert_eq!(name_and_port("h"), ("h", None));
        assert_eq!(name_and_port("h:22"), ("h", Some(22)));
        assert_eq!(name_and_port("::1"), ("::1", None));
        assert_eq!(name_and_port("[::1]:22"), ("::1", Some(22)));
    }
}
