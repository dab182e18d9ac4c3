//! `setup`: facts about the machine, with Ansible's keys and types.
//!
//! Facts come in parts, one [`Collector`] each; `gather_subset` names parts, or any fact that a
//! part has. Everything is read through [`System`]: files first, programs only where no file says
//! it, so nothing needs Python on the target.
//!
//! **Source:** the documentation of `ansible.builtin.setup`, and what ansible-core 2.19 reports.

mod distribution;
mod hardware;
mod host;
mod kernel;
mod local;
mod network;
mod platform;
mod services;
mod session;
mod storage;
mod virtualization;

use self::host::Host;
use super::{Default, Fail, Invocation, Kind, Module, Param, Ran, Spec};
use crate::system::System;
use crate::value::{Dict, Value};

/// The table's row.
pub(super) const MODULE: Module = Module {
    name: "setup",
    spec: Spec {
        params: &[
            Param::new("gather_subset", Kind::List)
                .elements(Kind::Str)
                .default(Default::List(&["all"])),
            Param::new("gather_timeout", Kind::Int).default(Default::Int(10)),
            Param::new("filter", Kind::List)
                .elements(Kind::Str)
                .default(Default::List(&[])),
            Param::new("fact_path", Kind::Path).default(Default::Str("/etc/ansible/facts.d")),
        ],
        file: false,
        mutually_exclusive: &[],
        required_if: &[],
    },
    legacy: false,
    settle: None,
    doc: "Gathers facts about the machine.",
    example: "- setup:\n    gather_subset: [\"!all\", network]",
    run,
};

/// One part of the facts.
struct Collector {
    /// Its name in `gather_subset`.
    name: &'static str,
    /// Facts that stand for it there.
    facts: &'static [&'static str],
    /// Part of `min`, which is gathered unless refused.
    minimal: bool,
    /// Parts that are gathered along with it.
    needs: &'static [&'static str],
    /// Adds its facts, named without `ansible_`.
    collect: fn(&Host<'_>, &Dict),
}

const fn part(
    name: &'static str,
    facts: &'static [&'static str],
    collect: fn(&Host<'_>, &Dict),
) -> Collector {
    Collector {
        name,
        facts,
        minimal: false,
        needs: &[],
        collect,
    }
}

const fn minimal(
    name: &'static str,
    facts: &'static [&'static str],
    collect: fn(&Host<'_>, &Dict),
) -> Collector {
    Collector {
        minimal: true,
        ..part(name, facts, collect)
    }
}

impl Collector {
    const fn with(mut self, needs: &'static [&'static str]) -> Collector {
        self.needs = needs;
        self
    }
}

/// All parts. Those that others need stand before them.
const COLLECTORS: &[Collector] = &[
    minimal(
        "platform",
        &[
            "architecture",
            "kernel",
            "kernel_version",
            "machine",
            "machine_id",
            "python_version",
            "system",
        ],
        platform::platform,
    ),
    minimal(
        "distribution",
        &[
            "distribution_major_version",
            "distribution_release",
            "distribution_version",
            "os_family",
        ],
        distribution::distribution,
    ),
    minimal("lsb", &[], distribution::lsb),
    minimal("apparmor", &[], kernel::apparmor),
    minimal(
        "caps",
        &["system_capabilities", "system_capabilities_enforced"],
        kernel::capabilities,
    ),
    minimal("cmdline", &[], kernel::cmdline),
    minimal("date_time", &[], session::date_time),
    minimal("dns", &[], network::dns),
    minimal("env", &[], session::env),
    minimal("fips", &[], kernel::fips),
    minimal("local", &[], local::local),
    minimal("pkg_mgr", &[], services::pkg_mgr).with(&["distribution"]),
    minimal("python", &[], platform::python),
    minimal("selinux", &[], kernel::selinux),
    minimal("service_mgr", &[], services::service_mgr).with(&["platform", "distribution"]),
    minimal(
        "ssh_pub_keys",
        &[
            "ssh_host_key_dsa_public",
            "ssh_host_key_ecdsa_public",
            "ssh_host_key_ed25519_public",
            "ssh_host_key_rsa_public",
            "ssh_host_pub_keys",
        ],
        session::ssh_host_keys,
    ),
    minimal("systemd", &[], services::systemd),
    minimal(
        "user",
        &[
            "effective_group_ids",
            "effective_user_id",
            "real_user_id",
            "user_dir",
            "user_gecos",
            "user_gid",
            "user_id",
            "user_shell",
            "user_uid",
        ],
        session::user,
    ),
    part("chroot", &["is_chroot"], kernel::chroot),
    part("facter", &[], local::facter),
    part("fibre_channel_wwn", &[], storage::fibre_channel),
    part(
        "hardware",
        &[
            "devices",
            "mounts",
            "processor",
            "processor_cores",
            "processor_count",
        ],
        hardware::hardware,
    )
    .with(&["platform"]),
    part("iscsi", &[], storage::iscsi),
    part("loadavg", &[], kernel::loadavg),
    part(
        "network",
        &[
            "all_ipv4_addresses",
            "all_ipv6_addresses",
            "default_ipv4",
            "default_ipv6",
            "interfaces",
        ],
        network::network,
    )
    .with(&["platform", "distribution"]),
    part("nvme", &[], storage::nvme),
    part("ohai", &[], local::ohai),
    part(
        "virtual",
        &[
            "virtualization_role",
            "virtualization_tech_guest",
            "virtualization_tech_host",
            "virtualization_type",
        ],
        virtualization::virtualization,
    ),
];

fn run(invocation: &Invocation<'_>, system: &dyn System) -> Ran {
    let subset = invocation.list("gather_subset").unwrap_or_default();
    let chosen = choose(&subset).map_err(Fail::new)?;
    let mut host = Host::new(system, invocation.context.environment);
    let seconds = invocation.params.get("gather_timeout");
    if let Some(seconds) = seconds.and_then(|v| v.as_i64()) {
        host.seconds = u64::try_from(seconds).unwrap_or(0);
    }
    if let Some(path) = invocation.path("fact_path") {
        host.fact_path = path;
    }
    let facts = Dict::new();
    for collector in COLLECTORS {
        if chosen.contains(&collector.name) {
            (collector.collect)(&host, &facts);
        }
    }
    let filter: Vec<String> = invocation
        .list("filter")
        .unwrap_or_default()
        .into_iter()
        .filter(|pattern| !pattern.is_empty() && pattern != "*")
        .collect();
    let result = Dict::new();
    result.set("ansible_facts", named(&facts, &filter, &subset));
    Ok(result)
}

/// Gives facts their `ansible_` names and leaves out what the filter doesn't want.
fn named(facts: &Dict, filter: &[String], subset: &[String]) -> Dict {
    let patterns: Vec<globset::GlobMatcher> = filter
        .iter()
        .filter_map(|pattern| {
            let own = ["ansible_", "facter", "ohai"];
            let named = own.iter().any(|prefix| pattern.starts_with(prefix));
            let pattern = if named {
                pattern.clone()
            } else {
                format!("ansible_{pattern}")
            };
            Some(globset::Glob::new(&pattern).ok()?.compile_matcher())
        })
        .collect();
    let out = Dict::new();
    for (key, value) in facts.to_vec() {
        let name = key.value().to_str();
        let name = if name.starts_with("facter_") || name.starts_with("ohai_") {
            name
        } else {
            format!("ansible_{}", name.replace(['-', ':'], "_"))
        };
        if filter.is_empty() || patterns.iter().any(|pattern| pattern.is_match(&name)) {
            out.set(name, value);
        }
    }
    if filter.is_empty() {
        let subset = subset.iter().map(Value::str).collect::<Vec<_>>();
        out.set("gather_subset", subset);
        out.set("module_setup", true);
    }
    out
}

/// Returns the parts that `gather_subset` asks for.
///
/// `min` is in unless refused. A part that is named is in even where it is also refused.
fn choose(subset: &[String]) -> Result<Vec<&'static str>, String> {
    let find = |name: &str| {
        COLLECTORS
            .iter()
            .find(|part| part.name == name || part.facts.contains(&name))
            .ok_or_else(|| bad_subset(name))
    };
    let all_of = |minimal: bool| {
        COLLECTORS
            .iter()
            .filter(move |part| part.minimal == minimal)
            .map(|part| part.name)
    };
    let (mut added, mut named, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    let mut min = true;
    for name in subset {
        match name.as_str() {
            "all" => added.extend(all_of(true).chain(all_of(false))),
            "min" => added.extend(all_of(true)),
            "!all" => refused.extend(all_of(false)),
            "!min" => min = false,
            _ => match name.strip_prefix('!') {
                Some(name) => refused.push(find(name)?.name),
                None => named.push(find(name)?.name),
            },
        }
    }
    if min {
        added.extend(all_of(true));
    }
    added.retain(|name| !refused.contains(name));
    added.extend(named);
    let needed: Vec<&str> = COLLECTORS
        .iter()
        .filter(|part| added.contains(&part.name))
        .flat_map(|part| part.needs.iter().copied())
        .collect();
    added.extend(needed);
    Ok(added)
}

/// Words the refusal as Ansible does.
fn bad_subset(name: &str) -> String {
    let mut names: Vec<&str> = COLLECTORS
        .iter()
        .flat_map(|part| std::iter::once(part.name).chain(part.facts.iter().copied()))
        .chain(["all"])
        .collect();
    names.sort_unstable();
    format!(
        "Bad subset '{name}' given to Ansible. gather_subset options allowed: {}",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(subset: &[&str]) -> Vec<&'static str> {
        let subset: Vec<String> = subset.iter().map(|&s| s.to_owned()).collect();
        let mut parts = choose(&subset).expect("a known subset");
        parts.sort_unstable();
        parts.dedup();
        parts
    }

    #[test]
    fn subsets_add_and_refuse_as_ansible_has_it() {
        let minimal = chosen(&["!all"]);
        assert_eq!(chosen(&["min"]), minimal);
        assert_eq!(chosen(&["!hardware"]), minimal);
        assert_eq!(chosen(&["all"]).len(), COLLECTORS.len());
        assert_eq!(chosen(&["!all", "!min"]), Vec::<&str>::new());
        assert_eq!(chosen(&["!all", "!min", "dns", "!dns"]), ["dns"]);
        assert_eq!(
            chosen(&["!all", "!min", "default_ipv4"]),
            ["distribution", "network", "platform"]
        );
        assert!(!chosen(&["!all", "!dns"]).contains(&"dns"));
        assert!(!chosen(&["all", "!network"]).contains(&"network"));
    }

    #[test]
    fn an_unknown_subset_is_refused_with_the_known_ones() {
        let message = choose(&["nope".to_owned()]).expect_err("unknown");
        assert!(message.starts_with("Bad subset 'nope' given to Ansible. gather_subset options allowed: all, all_ipv4_addresses, "));
        assert!(message.ends_with(", virtualization_tech_host, virtualization_type"));
    }

    #[test]
    fn what_a_part_needs_stands_before_it() {
        for (index, part) in COLLECTORS.iter().enumerate() {
            for need in part.needs {
                assert!(
                    COLLECTORS[..index]
                        .iter()
                        .any(|before| before.name == *need)
                );
            }
        }
    }
}
