//! `inventory_hostnames`: the hosts that a pattern chooses, by the variable `groups`.

use super::{Options, failed};
use crate::diag::Result;
use crate::template::templar::Templar;
use crate::value::Value;

pub(super) fn inventory_hostnames(
    templar: &Templar,
    terms: &[Value],
    _options: Options,
) -> Result<Vec<Value>> {
    let groups = templar
        .variable("groups")?
        .ok_or_else(|| failed("`inventory_hostnames` needs the variable `groups`"))?;
    let mut patterns = Vec::new();
    for term in terms {
        match term {
            Value::List(list) => patterns.extend(list.to_vec().iter().map(Value::to_str)),
            one => patterns.push(one.to_str()),
        }
    }
    let parts: Vec<String> = patterns
        .iter()
        .flat_map(|text| text.split([',', ':', ';']))
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect();
    let hosts_of = |name: &str| -> Vec<String> {
        let of = |value: Option<Value>| -> Vec<String> {
            value
                .and_then(|hosts| hosts.items().ok())
                .map(|hosts| hosts.map(|host| host.to_str()).collect())
                .unwrap_or_default()
        };
        let name = if name == "*" { "all" } else { name };
        if let Some(hosts) = groups.get(name) {
            return of(Some(hosts));
        }
        let all = of(groups.get("all"));
        match globset::Glob::new(name).map(|glob| glob.compile_matcher()) {
            Ok(glob) => all.into_iter().filter(|host| glob.is_match(host)).collect(),
            Err(_) => Vec::new(),
        }
    };
    let mut chosen: Vec<String> = Vec::new();
    let (plain, others): (Vec<&String>, Vec<&String>) =
        parts.iter().partition(|part| !part.starts_with(['!', '&']));
    for part in plain {
        for host in hosts_of(part) {
            if !chosen.contains(&host) {
                chosen.push(host);
            }
        }
    }
    for part in others {
        let hosts = hosts_of(&part[1..]);
        chosen.retain(|host| hosts.contains(host) == part.starts_with('&'));
    }
    Ok(chosen.into_iter().map(Value::from).collect())
}
