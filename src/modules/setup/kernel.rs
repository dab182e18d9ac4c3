//! What the kernel says: its command line, load, and the security modules.

use super::host::{Host, assignments};
use crate::value::{Dict, Value};

pub(super) fn cmdline(host: &Host<'_>, facts: &Dict) {
    let (last, all) = (Dict::new(), Dict::new());
    let text = host.text("/proc/cmdline").unwrap_or_default();
    for word in shlex::split(&text).unwrap_or_default() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Value::str(value)),
            None => (word.as_str(), Value::Bool(true)),
        };
        last.set(name, value.clone());
        let several = match all.get(name) {
            None => value,
            Some(Value::List(list)) => {
                list.borrow_mut().push(value);
                Value::List(list)
            }
            Some(first) => Value::list(vec![first, value]),
        };
        all.set(name, several);
    }
    facts.set("cmdline", last);
    facts.set("proc_cmdline", all);
}

pub(super) fn loadavg(host: &Host<'_>, facts: &Dict) {
    let text = host.text("/proc/loadavg").unwrap_or_default();
    let load = Dict::new();
    for (name, number) in ["1m", "5m", "15m"].into_iter().zip(text.split_whitespace()) {
        load.set(name, number.parse::<f64>().unwrap_or_default());
    }
    facts.set("loadavg", load);
}

pub(super) fn fips(host: &Host<'_>, facts: &Dict) {
    let enabled = host.line("/proc/sys/crypto/fips_enabled");
    facts.set("fips", enabled.as_deref() == Some("1"));
}

pub(super) fn apparmor(host: &Host<'_>, facts: &Dict) {
    let enabled = host.exists("/sys/kernel/security/apparmor");
    let status = if enabled { "enabled" } else { "disabled" };
    facts.set("apparmor", Value::dict([("status", Value::str(status))]));
}

pub(super) fn selinux(host: &Host<'_>, facts: &Dict) {
    let selinux = Dict::new();
    let kernel = |name: &str| host.line(format!("/sys/fs/selinux/{name}"));
    if let Some(version) = kernel("policyvers") {
        let mode = |permissive| {
            if permissive {
                "permissive"
            } else {
                "enforcing"
            }
        };
        let config = assignments(&host.text("/etc/selinux/config").unwrap_or_default());
        let said = |name: &str| config.get(name).map_or("unknown", String::as_str);
        selinux.set("status", "enabled");
        selinux.set(
            "policyvers",
            version
                .parse::<i64>()
                .map_or(Value::str("unknown"), Value::from),
        );
        selinux.set("config_mode", said("SELINUX"));
        selinux.set("mode", mode(kernel("enforce").as_deref() != Some("1")));
        selinux.set("type", said("SELINUXTYPE"));
    } else {
        selinux.set("status", "disabled");
    }
    facts.set("selinux", selinux);
    facts.set("selinux_python_present", true);
}

pub(super) fn capabilities(host: &Host<'_>, facts: &Dict) {
    let said = host.output(&["capsh", "--print"]);
    let current = said
        .as_deref()
        .and_then(|said| said.lines().find_map(|line| line.strip_prefix("Current:")))
        .map(str::trim);
    let (enforced, names) = match current {
        None => ("N/A", Vec::new()),
        Some("=ep") => ("False", Vec::new()),
        Some(current) => {
            let names = current.split('=').nth(1).unwrap_or_default();
            let names = names.split(',').map(|name| Value::str(name.trim()));
            ("True", names.collect())
        }
    };
    facts.set("system_capabilities_enforced", enforced);
    facts.set("system_capabilities", names);
}

/// Compares the root directory with the first process's.
pub(super) fn chroot(host: &Host<'_>, facts: &Dict) {
    let stat = |path: &str| host.system.stat(path.as_ref()).ok();
    let declared = host.system.env("debian_chroot").is_some();
    let is_chroot = match (stat("/"), stat("/proc/1/root/.")) {
        _ if declared => true,
        (Some(own), Some(first)) => (own.dev, own.inode) != (first.dev, first.inode),
        // Not allowed to look: the roots of the usual file systems have known numbers.
        (Some(own), None) => ![2, 32, 64, 96, 128, 256].contains(&own.inode),
        (None, _) => false,
    };
    facts.set("is_chroot", is_chroot);
}
