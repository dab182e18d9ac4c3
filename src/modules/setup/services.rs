//! What installs packages and what runs services.

use super::host::Host;
use crate::value::Dict;

/// Package managers by the path of their program; the first that is there counts, unless the
/// family has one of its own.
const PACKAGE_MANAGERS: &[(&str, &str)] = &[
    ("/usr/bin/rpm-ostree", "atomic_container"),
    ("/usr/bin/dnf5", "dnf5"),
    ("/usr/bin/dnf-3", "dnf"),
    ("/usr/bin/dnf", "dnf"),
    ("/usr/bin/yum", "yum"),
    ("/usr/bin/apt-get", "apt"),
    ("/usr/bin/zypper", "zypper"),
    ("/usr/sbin/urpmi", "urpmi"),
    ("/usr/bin/pacman", "pacman"),
    ("/sbin/apk", "apk"),
    ("/usr/sbin/swupd", "swupd"),
    ("/usr/bin/swupd", "swupd"),
    ("/usr/sbin/sorcery", "sorcery"),
    ("/usr/bin/installp", "installp"),
    ("/usr/bin/emerge", "portage"),
    ("/bin/opkg", "opkg"),
    ("/usr/bin/xbps-install", "xbps"),
    ("/opt/homebrew/bin/brew", "homebrew"),
];

/// Managers that only count on their own families: others install them as tools.
const OF_FAMILY: &[(&str, &[&str])] = &[
    ("apt", &["Debian", "Altlinux"]),
    ("dnf", &["RedHat"]),
    ("dnf5", &["RedHat"]),
    ("yum", &["RedHat"]),
    ("zypper", &["Suse"]),
    ("pacman", &["Archlinux"]),
    ("portage", &["Gentoo"]),
];

pub(super) fn pkg_mgr(host: &Host<'_>, facts: &Dict) {
    let family = facts
        .get("os_family")
        .map(|f| f.to_str())
        .unwrap_or_default();
    let known = OF_FAMILY
        .iter()
        .any(|(_, families)| families.contains(&family.as_str()));
    let ostree = host.exists("/run/ostree-booted");
    let usual = |name: &str| match name {
        "atomic_container" => ostree,
        name => {
            let own = OF_FAMILY.iter().find(|(manager, _)| *manager == name);
            !known || own.is_some_and(|(_, families)| families.contains(&family.as_str()))
        }
    };
    let found = PACKAGE_MANAGERS
        .iter()
        .find(|(path, name)| usual(name) && host.exists(path))
        .or_else(|| {
            PACKAGE_MANAGERS
                .iter()
                .find(|(path, name)| *name != "atomic_container" && host.exists(path))
        });
    facts.set("pkg_mgr", found.map_or("unknown", |(_, name)| name));
}

fn runs_systemd(host: &Host<'_>) -> bool {
    [
        "/run/systemd/system/",
        "/dev/.run/systemd/",
        "/dev/.systemd/",
    ]
    .iter()
    .any(|path| host.exists(path))
}

pub(super) fn service_mgr(host: &Host<'_>, facts: &Dict) {
    let first = host.line("/proc/1/comm").unwrap_or_default();
    let name = match first.as_str() {
        "procd" => "openwrt_init".to_owned(),
        "runit-init" => "runit".to_owned(),
        "svscan" => "svc".to_owned(),
        "openrc-init" => "openrc".to_owned(),
        "" | "init" | "sh" | "bash" | "dash" | "ash" | "zsh" | "COMMAND" => behind_init(host),
        other => other.to_owned(),
    };
    facts.set("service_mgr", name);
}

/// Tells what calls itself `init`, or what would run if the machine were booted.
fn behind_init(host: &Host<'_>) -> String {
    let init = host.link_name("/sbin/init").unwrap_or_default();
    if host.program("systemctl").is_some() && (runs_systemd(host) || init == "systemd") {
        "systemd"
    } else if host.program("initctl").is_some() && host.exists("/etc/init/") {
        "upstart"
    } else if host.exists("/sbin/openrc") {
        "openrc"
    } else if host.exists("/etc/init.d/") {
        "sysvinit"
    } else {
        "service"
    }
    .to_owned()
}

pub(super) fn systemd(host: &Host<'_>, facts: &Dict) {
    if !runs_systemd(host) {
        return;
    }
    let Some(said) = host.output(&["systemctl", "--version"]) else {
        return;
    };
    let mut lines = said.lines();
    let version = lines.next().and_then(|line| line.split_whitespace().nth(1));
    let systemd = Dict::new();
    if let Some(version) = version.and_then(|version| version.parse::<i64>().ok()) {
        systemd.set("version", version);
    }
    systemd.set("features", lines.next().unwrap_or_default());
    facts.set("systemd", systemd);
}
