//! Which distribution runs here, by the files that distributions leave in `/etc`.
//!
//! **Source:** `ansible.builtin.setup` of ansible-core 2.19, observed on recorded trees of such
//! files (`tests/facts/distributions.yml`).

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::host::{Host, assignments};
use crate::value::{Dict, Value};

/// Families of distributions that share package managers and paths.
const FAMILIES: &[(&str, &[&str])] = &[
    (
        "RedHat",
        &[
            "RedHat",
            "RHEL",
            "Fedora",
            "CentOS",
            "Scientific",
            "SLC",
            "Ascendos",
            "CloudLinux",
            "PSBM",
            "OracleLinux",
            "OVS",
            "OEL",
            "Amazon",
            "Amzn",
            "Virtuozzo",
            "XenServer",
            "Alibaba",
            "EulerOS",
            "openEuler",
            "AlmaLinux",
            "Rocky",
            "TencentOS",
            "EuroLinux",
            "Kylin Linux Advanced Server",
            "MIRACLE",
        ],
    ),
    (
        "Debian",
        &[
            "Debian",
            "Ubuntu",
            "Raspbian",
            "Neon",
            "KDE neon",
            "Linux Mint",
            "SteamOS",
            "Devuan",
            "Kali",
            "Cumulus Linux",
            "Pop!_OS",
            "Parrot",
            "Pardus GNU/Linux",
            "Uos",
            "Deepin",
            "OSMC",
        ],
    ),
    (
        "Suse",
        &[
            "SuSE",
            "SLES",
            "SLED",
            "openSUSE",
            "openSUSE Tumbleweed",
            "SLES_SAP",
            "SUSE_LINUX",
            "openSUSE Leap",
            "ALP-Dolomite",
            "SL-Micro",
            "openSUSE MicroOS",
        ],
    ),
    ("Archlinux", &["Archlinux", "Antergos", "Manjaro"]),
    ("Gentoo", &["Gentoo", "Funtoo"]),
    ("Altlinux", &["Altlinux"]),
    ("Alpine", &["Alpine"]),
    ("ClearLinux", &["Clear Linux OS", "Clear Linux Mix"]),
];

/// What one set of files says.
struct Found {
    name: String,
    /// The file that said it, and the kind of its content.
    file: &'static str,
    variety: &'static str,
    /// The words that were looked for in it.
    search: Option<&'static str>,
    version: String,
    release: String,
    minor: Option<String>,
}

pub(super) fn distribution(host: &Host<'_>, facts: &Dict) {
    let found = find(host);
    let family = FAMILIES
        .iter()
        .find(|(_, members)| members.contains(&found.name.as_str()))
        .map_or(found.name.as_str(), |(family, _)| family);
    facts.set("distribution", found.name.as_str());
    facts.set("distribution_release", found.release);
    facts.set("distribution_version", found.version.as_str());
    let major = found.version.split('.').next().unwrap_or_default();
    facts.set("distribution_major_version", major);
    facts.set("distribution_file_path", found.file);
    facts.set("distribution_file_variety", found.variety);
    if found.variety != "Archlinux" {
        facts.set("distribution_file_parsed", true);
    }
    if let Some(words) = found.search {
        facts.set("distribution_file_search_string", words);
    }
    if let Some(minor) = found.minor {
        facts.set("distribution_minor_version", minor);
    }
    facts.set("os_family", family);
}

fn find(host: &Host<'_>) -> Found {
    let text = |path: &str| host.text(path).filter(|text| !text.trim().is_empty());
    let os_text = text("/etc/os-release").or_else(|| text("/usr/lib/os-release"));
    let os_text = os_text.unwrap_or_default();
    let os = assignments(&os_text);
    let get = |name: &str| os.get(name).map(String::as_str).unwrap_or_default();
    let release = codename(&os);
    let version = match get("VERSION_ID") {
        "" => "NA".to_owned(),
        id => id.to_owned(),
    };
    let base = Found {
        name: get("NAME").to_owned(),
        file: "/etc/os-release",
        variety: "NA",
        search: None,
        version,
        release,
        minor: None,
    };
    let base = match red_hat(&text, &os, base) {
        ControlFlow::Break(found) => return found,
        ControlFlow::Continue(base) => base,
    };
    match get("ID") {
        "amzn" => Found {
            name: "Amazon".to_owned(),
            variety: "Amazon",
            minor: Some(
                base.version
                    .split_once('.')
                    .map_or("NA", |(_, minor)| minor)
                    .to_owned(),
            ),
            ..base
        },
        "alpine" => {
            let version = text("/etc/alpine-release").map_or(base.version, |v| v.trim().to_owned());
            Found {
                name: "Alpine".to_owned(),
                file: "/etc/alpine-release",
                variety: "Alpine",
                version,
                ..base
            }
        }
        "arch" => Found {
            name: "Archlinux".to_owned(),
            file: if host.exists("/etc/arch-release") {
                "/etc/arch-release"
            } else {
                base.file
            },
            variety: "Archlinux",
            ..base
        },
        id if id.starts_with("opensuse") || id.starts_with("sle") => suse(&os, base),
        "clear-linux-os" => Found {
            file: "/usr/lib/os-release",
            variety: "ClearLinux",
            release: id_of(&os),
            ..base
        },
        "flatcar" => Found {
            name: "Flatcar".to_owned(),
            variety: "Flatcar",
            ..base
        },
        _ => debian(&text, &os_text, &os, base),
    }
}

fn id_of(os: &BTreeMap<String, String>) -> String {
    os.get("ID").cloned().unwrap_or_default()
}

/// Returns the code name: said, or in parentheses behind the version.
fn codename(os: &BTreeMap<String, String>) -> String {
    if let Some(name) = os.get("VERSION_CODENAME").or(os.get("UBUNTU_CODENAME")) {
        return name.clone();
    }
    let version = os.get("VERSION").map(String::as_str).unwrap_or_default();
    version
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(')'))
        .map_or("NA", |(name, _)| name)
        .to_owned()
}

/// Reads the files of Red Hat's family; goes on with `base` where there are none.
fn red_hat(
    text: &dyn Fn(&str) -> Option<String>,
    os: &BTreeMap<String, String>,
    base: Found,
) -> ControlFlow<Found, Found> {
    if text("/etc/oracle-release").is_some_and(|said| said.contains("Oracle Linux")) {
        return ControlFlow::Break(Found {
            name: "OracleLinux".to_owned(),
            file: "/etc/oracle-release",
            variety: "OracleLinux",
            search: Some("Oracle Linux"),
            ..base
        });
    }
    if text("/etc/centos-release").is_some_and(|said| said.contains("CentOS Stream")) {
        return ControlFlow::Break(Found {
            name: "CentOS".to_owned(),
            file: "/etc/centos-release",
            variety: "CentOS",
            release: "Stream".to_owned(),
            ..base
        });
    }
    let Some(said) = text("/etc/redhat-release") else {
        return ControlFlow::Continue(base);
    };
    let is_red_hat = said.contains("Red Hat");
    let first = said.split_whitespace().next().unwrap_or_default();
    let mut version = base.version.clone();
    if os.get("ID").is_some_and(|id| id == "centos")
        && let Some(full) = said
            .split_whitespace()
            .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))
    {
        version = full.split('.').take(2).collect::<Vec<_>>().join(".");
    }
    ControlFlow::Break(Found {
        name: if is_red_hat { "RedHat" } else { first }.to_owned(),
        file: "/etc/redhat-release",
        variety: "RedHat",
        search: is_red_hat.then_some("Red Hat"),
        version,
        ..base
    })
}

fn suse(os: &BTreeMap<String, String>, base: Found) -> Found {
    let name = match os.get("ID").map(String::as_str).unwrap_or_default() {
        "opensuse-leap" => "openSUSE Leap".to_owned(),
        "opensuse-tumbleweed" => "openSUSE Tumbleweed".to_owned(),
        "opensuse-microos" => "openSUSE MicroOS".to_owned(),
        "sles_sap" => "SLES_SAP".to_owned(),
        _ => base.name.clone(),
    };
    let release = match base.version.split_once('.') {
        Some((_, minor)) => minor.to_owned(),
        None if name.starts_with("openSUSE") => String::new(),
        None => "0".to_owned(),
    };
    Found {
        name,
        variety: "SUSE",
        release,
        ..base
    }
}

/// Debian and what is made of it; anything else is named as it names itself.
fn debian(
    text: &dyn Fn(&str) -> Option<String>,
    os_text: &str,
    os: &BTreeMap<String, String>,
    base: Found,
) -> Found {
    let get = |name: &str| os.get(name).map(String::as_str).unwrap_or_default();
    let name = if os_text.contains("Debian") || os_text.contains("Raspbian") {
        "Debian"
    } else if os_text.contains("Ubuntu") {
        "Ubuntu"
    } else {
        match get("ID") {
            "linuxmint" => "Linux Mint",
            "kali" => "Kali",
            "steamos" => "SteamOS",
            "devuan" => "Devuan",
            "parrot" => "Parrot",
            "cumulus-linux" => "Cumulus Linux",
            "uos" => "Uos",
            "deepin" => "Deepin",
            _ => return base,
        }
    };
    let full = text("/etc/debian_version").map(|version| version.trim().to_owned());
    let mut found = Found {
        name: name.to_owned(),
        variety: "Debian",
        ..base
    };
    if let (Some(full), "Debian") = (full, name) {
        found.minor = full.split_once('.').map(|(_, minor)| minor.to_owned());
        if get("ID") == "debian" {
            found.version = full;
        }
    }
    found
}

/// Reports what the Linux Standard Base's program, or its file, says.
pub(super) fn lsb(host: &Host<'_>, facts: &Dict) {
    let lsb = Dict::new();
    if let Some(said) = host.output(&["lsb_release", "-a"]) {
        for line in said.lines() {
            let Some((label, value)) = line.split_once(':') else {
                continue;
            };
            let key = match label {
                "Distributor ID" => "id",
                "Description" => "description",
                "Release" => "release",
                "Codename" => "codename",
                _ => continue,
            };
            lsb.set(key, value.trim());
        }
    } else if let Some(file) = host.text("/etc/lsb-release") {
        let said = assignments(&file);
        for (name, key) in [
            ("DISTRIB_ID", "id"),
            ("DISTRIB_RELEASE", "release"),
            ("DISTRIB_DESCRIPTION", "description"),
            ("DISTRIB_CODENAME", "codename"),
        ] {
            if let Some(value) = said.get(name) {
                lsb.set(key, value.as_str());
            }
        }
    }
    if let Some(release) = lsb.get("release") {
        let release = release.to_str();
        lsb.set(
            "major_release",
            release.split('.').next().unwrap_or_default(),
        );
    }
    facts.set("lsb", Value::Dict(lsb));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::system::Fake;

    /// The files of a distribution, and what Ansible makes of them.
    #[derive(serde::Deserialize)]
    struct Tree {
        files: BTreeMap<String, String>,
        facts: BTreeMap<String, serde_json::Value>,
    }

    fn machine(files: &BTreeMap<String, String>) -> Fake {
        let mut machine = Fake::new()
            .directory("/usr", 0o755)
            .directory("/usr/lib", 0o755);
        for (path, content) in files {
            let parent = Path::new(path).parent().expect("a directory");
            if parent != Path::new("/etc") {
                machine = machine.directory(&parent.to_string_lossy(), 0o755);
            }
            machine = machine.file(path, 0o644, content);
        }
        machine
    }

    #[test]
    fn distributions_are_named_as_ansible_names_them() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/facts/distributions.yml");
        let text = std::fs::read_to_string(file).expect("the record is there");
        let trees: BTreeMap<String, Tree> =
            serde_yaml::from_str(&text).expect("the record can be read");
        assert!(trees.len() > 20);
        for (name, tree) in trees {
            let machine = machine(&tree.files);
            let environment = BTreeMap::new();
            let host = Host::new(&machine, &environment);
            let facts = Dict::new();
            distribution(&host, &facts);
            lsb(&host, &facts);
            let found = Value::Dict(facts)
                .to_json(&crate::value::JsonStyle::default())
                .expect("plain data");
            let found: BTreeMap<String, serde_json::Value> =
                serde_json::from_str(&found).expect("JSON");
            assert_eq!(found, tree.facts, "{name}");
        }
    }
}
