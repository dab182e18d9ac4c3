//! What runs here: kernel, processor kind, names of the host, Python where there is one.

use super::host::Host;
use crate::value::{Dict, Value, from_json_text};

pub(super) fn platform(host: &Host<'_>, facts: &Dict) {
    let kernel = |name: &str| host.line(format!("/proc/sys/kernel/{name}"));
    let machine = kernel("arch").or_else(|| host.output(&["uname", "-m"]));
    let machine = machine.unwrap_or_default().trim().to_owned();
    let node = kernel("hostname").unwrap_or_default();
    let fqdn = fqdn(host, &node);
    facts.set(
        "system",
        kernel("ostype").unwrap_or_else(|| "Linux".to_owned()),
    );
    facts.set("kernel", kernel("osrelease").unwrap_or_default());
    facts.set("kernel_version", kernel("version").unwrap_or_default());
    let domain = fqdn.split_once('.').map_or("", |(_, domain)| domain);
    facts.set("domain", domain);
    facts.set("hostname", node.split('.').next().unwrap_or_default());
    facts.set("fqdn", fqdn.as_str());
    facts.set("nodename", node.as_str());
    let architecture = match machine.as_str() {
        "i486" | "i586" | "i686" => "i386",
        other => other,
    };
    facts.set("machine", machine.as_str());
    facts.set("architecture", architecture);
    let bits = user_space_bits(host, &machine);
    facts.set("userspace_bits", bits);
    facts.set(
        "userspace_architecture",
        match (machine.as_str(), bits) {
            ("x86_64", "32") => "i386",
            _ => architecture,
        },
    );
    let id = ["/var/lib/dbus/machine-id", "/etc/machine-id"]
        .iter()
        .find_map(|path| host.line(path).filter(|id| !id.is_empty()));
    if let Some(id) = id {
        facts.set("machine_id", id);
    }
    if let Some(version) = answer(host).and_then(|python| python.get("python_version")) {
        facts.set("python_version", version);
    }
}

/// Says how wide programs are: they may be 32 bit under a 64 bit kernel.
fn user_space_bits(host: &Host<'_>, machine: &str) -> &'static str {
    let said = host.output(&["getconf", "LONG_BIT"]).unwrap_or_default();
    match said.trim() {
        "32" => "32",
        "64" => "64",
        _ if machine.contains("64") => "64",
        _ => "32",
    }
}

/// Returns the host's full name: the first name with a dot among those of its address.
fn fqdn(host: &Host<'_>, node: &str) -> String {
    let entries = host.text("/etc/hosts").unwrap_or_default();
    let own = names_of(&entries, |_, names| names.contains(&node));
    let own = match own {
        Some((address, _)) => names_of(&entries, |at, _| at == address),
        None => None,
    };
    let resolved;
    let names = match own {
        Some((_, names)) => names,
        None => {
            resolved = host
                .output(&["getent", "hosts", "--", node])
                .unwrap_or_default();
            names_of(&resolved, |_, _| true).map_or_else(Vec::new, |(_, names)| names)
        }
    };
    let full = names.iter().find(|name| name.contains('.'));
    full.or(names.first()).map_or(node, |name| name).to_owned()
}

/// Finds a line of a hosts file by its address and names.
fn names_of(text: &str, wanted: impl Fn(&str, &[&str]) -> bool) -> Option<(&str, Vec<&str>)> {
    text.lines().find_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let address = words.next()?;
        let names: Vec<&str> = words.collect();
        wanted(address, &names).then_some((address, names))
    })
}

/// The program that prints what is said about Python; it must work in every Python 3 and 2.7.
const ASK: &str = "import sys,json,platform\ntry:\n import ssl;c=hasattr(ssl,'SSLContext')\nexcept ImportError:\n c=False\nv=sys.version_info\nprint(json.dumps({'executable':sys.executable,'has_sslcontext':c,'type':getattr(getattr(sys,'implementation',None),'name','cpython'),'version_info':list(v),'python_version':platform.python_version()}))";

/// Asks the host's Python about itself; once.
fn answer<'h>(host: &'h Host<'_>) -> Option<&'h Dict> {
    let ask = || {
        let name = ["python3", "python", "/usr/libexec/platform-python"]
            .into_iter()
            .find(|name| host.program(name).is_some())?;
        match from_json_text(&host.output(&[name, "-c", ASK])?) {
            Ok(Value::Dict(python)) => Some(python),
            _ => None,
        }
    };
    host.python.get_or_init(ask).as_ref()
}

pub(super) fn python(host: &Host<'_>, facts: &Dict) {
    let Some(python) = answer(host).map(Dict::copy) else {
        return;
    };
    python.remove("python_version");
    let Some(Value::List(info)) = python.get("version_info") else {
        return;
    };
    let version = Dict::new();
    let parts = ["major", "minor", "micro", "releaselevel", "serial"];
    for (name, value) in parts.into_iter().zip(info.to_vec()) {
        version.set(name, value);
    }
    python.set("version", version);
    facts.set("python", python);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::system::Fake;

    #[test]
    fn the_full_name_is_the_first_with_a_dot_of_the_same_address() {
        let machine = Fake::new().file(
            "/etc/hosts",
            0o644,
            "127.0.0.1 localhost\n10.0.0.7 n1.example.org n1 # ours\n127.0.1.1 n2\n",
        );
        let environment = BTreeMap::new();
        let host = Host::new(&machine, &environment);
        assert_eq!(fqdn(&host, "n1"), "n1.example.org");
        assert_eq!(fqdn(&host, "n2"), "n2");
        assert_eq!(fqdn(&host, "n3"), "n3");
    }
}
