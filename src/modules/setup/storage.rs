//! Disks, mounts, logical volumes, and the names that storage networks know the host by.

use std::collections::BTreeMap;
use std::path::Path;

use super::host::Host;
use crate::system::canonical;
use crate::value::{Dict, Value};

/// File systems that another machine serves: one that hangs must not hold up the others.
const REMOTE: &[&str] = &[
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "glusterfs",
    "ceph",
    "fuse.glusterfs",
    "fuse.sshfs",
];

pub(super) fn devices(host: &Host<'_>, facts: &Dict) {
    let links = Links::read(host);
    let devices = Dict::new();
    for name in host.names("/sys/block") {
        devices.set(&name, device(host, &name, &links));
    }
    facts.set("devices", devices);
    facts.set("device_links", links.all());
}

/// What names under `/dev/disk` lead to which device, and what is built on which.
struct Links {
    kinds: Vec<(&'static str, BTreeMap<String, Vec<String>>)>,
}

impl Links {
    fn read(host: &Host<'_>) -> Links {
        let mut kinds = Vec::new();
        for (kind, dir) in [
            ("ids", "by-id"),
            ("uuids", "by-uuid"),
            ("labels", "by-label"),
        ] {
            let mut map: BTreeMap<String, Vec<String>> = BTreeMap::new();
            let dir = format!("/dev/disk/{dir}");
            for name in host.names(&dir) {
                if let Some(device) = host.link_name(format!("{dir}/{name}")) {
                    map.entry(device).or_default().push(unescaped(&name));
                }
            }
            kinds.push((kind, map));
        }
        let mut masters: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for master in host.names("/sys/block") {
            for slave in host.names(format!("/sys/block/{master}/slaves")) {
                masters.entry(slave).or_default().push(master.clone());
            }
        }
        kinds.push(("masters", masters));
        Links { kinds }
    }

    fn of(&self, device: &str) -> Value {
        let links = Dict::new();
        for (kind, map) in &self.kinds {
            links.set(kind, texts(map.get(device).map_or(&[][..], Vec::as_slice)));
        }
        Value::Dict(links)
    }

    fn all(&self) -> Value {
        let all = Dict::new();
        for (kind, map) in &self.kinds {
            let of_kind = Dict::new();
            for (device, names) in map {
                of_kind.set(device, texts(names));
            }
            all.set(kind, of_kind);
        }
        Value::Dict(all)
    }
}

fn texts(names: &[String]) -> Value {
    Value::list(names.iter().map(Value::str).collect())
}

/// Reads `\xHH` of a link's name as the byte it stands for.
fn unescaped(name: &str) -> String {
    let mut out = Vec::new();
    let mut rest = name.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = (first == b'\\' && after.first() == Some(&b'x'))
            .then(|| after.get(1..3))
            .flatten()
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code {
            Some(byte) => {
                out.push(byte);
                rest = &after[3..];
            }
            None => {
                out.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Words a number of bytes as the module does: `256.00 GB`.
fn human(bytes: u64) -> String {
    let units = ["Bytes", "KB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < units.len() {
        size /= 1024.0;
        unit += 1;
    }
    format!("{size:.2} {}", units[unit])
}

fn device(host: &Host<'_>, name: &str, links: &Links) -> Dict {
    let base = format!("/sys/block/{name}");
    let file = |file: &str| {
        host.line(format!("{base}/{file}"))
            .filter(|text| !text.is_empty())
    };
    let or_none = |text: Option<String>| text.map_or(Value::None, Value::from);
    let about = Dict::new();
    about.set("virtual", 1);
    about.set("links", links.of(name));
    for (key, path) in [
        ("vendor", "device/vendor"),
        ("model", "device/model"),
        ("sas_address", "device/sas_address"),
        ("sas_device_handle", "device/sas_device_handle"),
    ] {
        about.set(key, or_none(file(path)));
    }
    if let Some(serial) = file("device/serial") {
        about.set("serial", serial);
    }
    if let Some(wwn) = file("device/wwid") {
        about.set("wwn", wwn);
    }
    about.set("removable", or_none(file("removable")));
    about.set(
        "support_discard",
        or_none(file("queue/discard_granularity")),
    );
    about.set("partitions", partitions(host, name, &base, links));
    about.set("rotational", or_none(file("queue/rotational")));
    let scheduler = file("queue/scheduler").unwrap_or_default();
    let chosen = scheduler
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'));
    about.set(
        "scheduler_mode",
        chosen.map_or(scheduler.as_str(), |(name, _)| name),
    );
    let sectors: u64 = file("size").and_then(|size| size.parse().ok()).unwrap_or(0);
    let sector_size = file("queue/logical_block_size").unwrap_or_else(|| "512".to_owned());
    about.set("sectors", sectors);
    about.set("sectorsize", sector_size);
    // The kernel counts in units of 512 bytes, whatever the device's sectors are.
    about.set("size", human(sectors * 512));
    about.set("host", "");
    let holders: Vec<Value> = host
        .names(format!("{base}/holders"))
        .into_iter()
        .map(
            |holder| match host.line(format!("/sys/block/{holder}/dm/name")) {
                Some(mapped) => Value::str(mapped),
                None => Value::from(holder),
            },
        )
        .collect();
    about.set("holders", holders);
    about
}

fn partitions(host: &Host<'_>, disk: &str, base: &str, links: &Links) -> Dict {
    let partitions = Dict::new();
    for name in host.names(base) {
        let dir = format!("{base}/{name}");
        if !name.starts_with(disk) || !host.exists(format!("{dir}/partition")) {
            continue;
        }
        let about = Dict::new();
        about.set("links", links.of(&name));
        about.set(
            "start",
            host.line(format!("{dir}/start"))
                .unwrap_or_else(|| "0".to_owned()),
        );
        let sectors: u64 = host
            .line(format!("{dir}/size"))
            .and_then(|s| s.parse().ok())
            .unwrap_or(0);
        about.set("sectors", sectors);
        about.set(
            "sectorsize",
            host.line(format!("{base}/queue/logical_block_size"))
                .unwrap_or_else(|| "512".to_owned()),
        );
        about.set("size", human(sectors * 512));
        let uuids = links.kinds.iter().find(|(kind, _)| *kind == "uuids");
        let uuid = uuids.and_then(|(_, map)| map.get(&name)?.first().cloned());
        about.set("uuid", uuid.map_or(Value::None, Value::from));
        about.set(
            "holders",
            host.names(format!("{dir}/holders"))
                .into_iter()
                .map(Value::from)
                .collect::<Vec<_>>(),
        );
        partitions.set(&name, about);
    }
    partitions
}

pub(super) fn mounts(host: &Host<'_>, facts: &Dict) {
    let table = host.text("/etc/mtab").or_else(|| host.text("/proc/mounts"));
    let bound = bind_mounts(host);
    let rows: Vec<Vec<String>> = table
        .unwrap_or_default()
        .lines()
        .map(|line| line.split_whitespace().map(octal).collect::<Vec<_>>())
        .filter(|row| row.len() >= 4)
        .filter(|row| {
            (row[0].starts_with(['/', '\\']) || row[0].contains(":/")) && row[2] != "none"
        })
        .collect();
    let (remote, own): (Vec<_>, Vec<_>) = rows
        .iter()
        .partition(|row| REMOTE.contains(&row[2].as_str()));
    let mut sizes = usage(
        host,
        &own.iter().map(|row| row[1].as_str()).collect::<Vec<_>>(),
    );
    for row in remote {
        sizes.extend(usage(host, &[row[1].as_str()]));
    }
    let uuids = uuids(host);
    let mut all = Vec::new();
    for row in &rows {
        let mut options = row[3].clone();
        if bound.contains(&row[1]) {
            options.push_str(",bind");
        }
        let about = Dict::new();
        about.set("mount", row[1].as_str());
        about.set("device", row[0].as_str());
        about.set("fstype", row[2].as_str());
        about.set("options", options);
        let number = |at: usize| row.get(at).and_then(|n| n.parse::<i64>().ok()).unwrap_or(0);
        about.set("dump", number(4));
        about.set("passno", number(5));
        if let Some(size) = sizes.get(&row[1]) {
            size.add_to(&about);
        }
        let real =
            canonical(host.system, Path::new(&row[0])).unwrap_or_else(|_| row[0].clone().into());
        let uuid = uuids.get(&real.to_string_lossy().into_owned());
        about.set("uuid", uuid.map_or("N/A", String::as_str));
        all.push(Value::Dict(about));
    }
    facts.set("mounts", all);
}

/// Reads `\NNN` of the mount table.
fn octal(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = (first == b'\\').then(|| after.get(..3)).flatten();
        let code = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        out.push(code.unwrap_or(first));
        rest = if code.is_some() { &after[3..] } else { after };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Returns the mount points that show a part of a file system.
fn bind_mounts(host: &Host<'_>) -> Vec<String> {
    let text = host.text("/proc/self/mountinfo").unwrap_or_default();
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace().skip(3);
            let (root, point) = (words.next()?, words.next()?);
            (root != "/").then(|| octal(point))
        })
        .collect()
}

/// Blocks and inodes of a file system.
struct Usage {
    block_size: i64,
    blocks: i64,
    available: i64,
    inodes: i64,
    inodes_free: i64,
}

impl Usage {
    fn add_to(&self, about: &Dict) {
        about.set("size_total", self.block_size * self.blocks);
        about.set("size_available", self.block_size * self.available);
        about.set("block_size", self.block_size);
        about.set("block_total", self.blocks);
        about.set("block_available", self.available);
        about.set("block_used", self.blocks - self.available);
        about.set("inode_total", self.inodes);
        about.set("inode_available", self.inodes_free);
        about.set("inode_used", self.inodes - self.inodes_free);
    }
}

/// Asks how full file systems are, all in one go.
fn usage(host: &Host<'_>, points: &[&str]) -> BTreeMap<String, Usage> {
    let mut found = BTreeMap::new();
    if points.is_empty() {
        return found;
    }
    let mut argv = vec!["stat", "-f", "-c", "%S %b %a %c %d", "--"];
    argv.extend(points);
    let said = host.output(&argv).unwrap_or_default();
    for (point, line) in points.iter().zip(said.lines()) {
        let numbers: Vec<i64> = line
            .split_whitespace()
            .filter_map(|n| n.parse().ok())
            .collect();
        if let [block_size, blocks, available, inodes, inodes_free] = numbers[..] {
            let usage = Usage {
                block_size,
                blocks,
                available,
                inodes,
                inodes_free,
            };
            found.insert((*point).to_owned(), usage);
        }
    }
    found
}

/// Returns the identifiers of file systems by device.
fn uuids(host: &Host<'_>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let said = host
        .output(&[
            "lsblk",
            "--list",
            "--noheadings",
            "--paths",
            "--output",
            "NAME,UUID",
            "--exclude",
            "2",
        ])
        .unwrap_or_default();
    for line in said.lines() {
        if let Some((device, uuid)) = line.trim().split_once(char::is_whitespace) {
            found.insert(device.to_owned(), uuid.trim().to_owned());
        }
    }
    found
}

/// Reports logical volumes; only root may ask for them.
pub(super) fn lvm(host: &Host<'_>, facts: &Dict) {
    let is_root = host
        .system
        .identity()
        .is_ok_and(|identity| identity.uid == 0);
    if !is_root || host.program("vgs").is_none() || host.program("lvs").is_none() {
        facts.set("lvm", "N/A");
        return;
    }
    let ask = |program: &str, fields: &str, key: usize, named: &[(&str, usize)]| {
        let said = host
            .output(&[
                program,
                "--noheadings",
                "--nosuffix",
                "--units",
                "g",
                "--separator",
                ",",
                "-o",
                fields,
            ])
            .unwrap_or_default();
        let all = Dict::new();
        for line in said.lines() {
            let items: Vec<&str> = line.trim().split(',').collect();
            let Some(name) = items.get(key) else { continue };
            let about = Dict::new();
            for (label, at) in named {
                about.set(label, items.get(*at).copied().unwrap_or_default());
            }
            all.set(name, about);
        }
        all
    };
    let lvm = Dict::new();
    lvm.set(
        "vgs",
        ask(
            "vgs",
            "vg_name,pv_count,lv_count,vg_size,vg_free",
            0,
            &[("size_g", 3), ("free_g", 4), ("num_lvs", 2), ("num_pvs", 1)],
        ),
    );
    lvm.set(
        "lvs",
        ask(
            "lvs",
            "lv_name,vg_name,lv_size",
            0,
            &[("size_g", 2), ("vg", 1)],
        ),
    );
    lvm.set(
        "pvs",
        ask(
            "pvs",
            "pv_name,vg_name,pv_size,pv_free",
            0,
            &[("size_g", 2), ("free_g", 3), ("vg", 1)],
        ),
    );
    facts.set("lvm", lvm);
}

pub(super) fn iscsi(host: &Host<'_>, facts: &Dict) {
    let text = host
        .text("/etc/iscsi/initiatorname.iscsi")
        .unwrap_or_default();
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("InitiatorName="));
    facts.set("iscsi_iqn", name.unwrap_or_default());
}

pub(super) fn nvme(host: &Host<'_>, facts: &Dict) {
    let text = host.text("/etc/nvme/hostnqn").unwrap_or_default();
    let name = text.lines().find(|line| line.starts_with("nqn."));
    facts.set("hostnqn", name.unwrap_or_default());
}

pub(super) fn fibre_channel(host: &Host<'_>, facts: &Dict) {
    let names: Vec<Value> = host
        .names("/sys/class/fc_host")
        .iter()
        .filter_map(|name| host.line(format!("/sys/class/fc_host/{name}/port_name")))
        .map(|name| Value::str(name.trim_start_matches("0x")))
        .collect();
    facts.set("fibre_channel_wwn", names);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_were_written() {
        assert_eq!(octal("/mnt/a\\040b"), "/mnt/a b");
        assert_eq!(octal("\\"), "\\");
        assert_eq!(unescaped("a\\x20b\\xZ"), "a b\\xZ");
        assert_eq!(human(0), "0.00 Bytes");
        assert_eq!(human(512 * 536_870_912), "256.00 GB");
    }
}
