//! Processors, memory, firmware, uptime; disks and mounts through [`super::storage`].

use super::host::Host;
use super::storage;
use crate::value::{Dict, Value};

pub(super) fn hardware(host: &Host<'_>, facts: &Dict) {
    processors(host, facts);
    memory(host, facts);
    firmware(host, facts);
    storage::devices(host, facts);
    let uptime = host.line("/proc/uptime").unwrap_or_default();
    if let Some(seconds) = uptime.split('.').next().and_then(|s| s.parse::<i64>().ok()) {
        facts.set("uptime_seconds", seconds);
    }
    storage::mounts(host, facts);
    storage::lvm(host, facts);
}

/// Sums `/proc/cpuinfo` up.
fn processors(host: &Host<'_>, facts: &Dict) {
    let text = host.text("/proc/cpuinfo").unwrap_or_default();
    let (mut listed, mut sockets) = (Vec::new(), Vec::new());
    let (mut cores, mut siblings, mut number) = (None, None, 0_i64);
    for line in text.lines() {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        match name.trim() {
            "processor" => {
                number += 1;
                listed.push(Value::str(value));
            }
            "vendor_id" | "model name" | "Processor" | "Vendor" | "cpu" => {
                listed.push(Value::str(value));
            }
            "physical id" if !sockets.contains(&value) => sockets.push(value),
            "cpu cores" => cores = value.parse::<i64>().ok(),
            "siblings" => siblings = value.parse::<i64>().ok(),
            "flags" | "Features" if facts.get("flags").is_none() => {
                facts.set(
                    "flags",
                    value.split_whitespace().map(Value::str).collect::<Vec<_>>(),
                );
            }
            _ => {}
        }
    }
    let count = if sockets.is_empty() {
        number
    } else {
        sockets.len() as i64
    };
    let cores = cores.filter(|_| !sockets.is_empty()).unwrap_or(1);
    let threads = siblings.map_or(1, |siblings| (siblings / cores.max(1)).max(1));
    facts.set("processor", listed);
    facts.set("processor_count", count);
    facts.set("processor_cores", cores);
    facts.set("processor_threads_per_core", threads);
    facts.set("processor_vcpus", count * cores * threads);
    facts.set("processor_nproc", usable(host).unwrap_or(number));
}

/// Counts the processors that the process may use.
fn usable(host: &Host<'_>) -> Option<i64> {
    let status = host.text("/proc/self/status")?;
    let list = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    list.trim()
        .split(',')
        .map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            Some(last.parse::<i64>().ok()? - first.parse::<i64>().ok()? + 1)
        })
        .sum()
}

/// Reports `/proc/meminfo` in MiB.
fn memory(host: &Host<'_>, facts: &Dict) {
    let text = host.text("/proc/meminfo").unwrap_or_default();
    let mib = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .and_then(|rest| rest.split_whitespace().next()?.parse::<i64>().ok())
            .map_or(0, |kib| kib / 1024)
    };
    let (total, free) = (mib("MemTotal"), mib("MemFree"));
    let (swap, swap_free) = (mib("SwapTotal"), mib("SwapFree"));
    let without_cache = free + mib("Cached") + mib("Buffers");
    facts.set("memtotal_mb", total);
    facts.set("memfree_mb", free);
    facts.set("swaptotal_mb", swap);
    facts.set("swapfree_mb", swap_free);
    let numbers = |pairs: &[(&str, i64)]| {
        Value::dict(
            pairs
                .iter()
                .map(|&(name, number)| (name, Value::from(number))),
        )
    };
    facts.set(
        "memory_mb",
        Value::dict([
            (
                "real",
                numbers(&[("total", total), ("used", total - free), ("free", free)]),
            ),
            (
                "nocache",
                numbers(&[("free", without_cache), ("used", total - without_cache)]),
            ),
            (
                "swap",
                numbers(&[
                    ("total", swap),
                    ("free", swap_free),
                    ("used", swap - swap_free),
                    ("cached", mib("SwapCached")),
                ]),
            ),
        ]),
    );
}

/// What the number of a chassis stands for, from 0.
///
/// **Source:** the SMBIOS specification, "System Enclosure or Chassis Types".
const CHASSIS: &[&str] = &[
    "Unknown",
    "Other",
    "Unknown",
    "Desktop",
    "Low Profile Desktop",
    "Pizza Box",
    "Mini Tower",
    "Tower",
    "Portable",
    "Laptop",
    "Notebook",
    "Hand Held",
    "Docking Station",
    "All In One",
    "Sub Notebook",
    "Space-saving",
    "Lunch Box",
    "Main Server Chassis",
    "Expansion Chassis",
    "Sub Chassis",
    "Bus Expansion Chassis",
    "Peripheral Chassis",
    "RAID Chassis",
    "Rack Mount Chassis",
    "Sealed-case PC",
    "Multi-system",
    "CompactPCI",
    "AdvancedTCA",
    "Blade",
    "Blade Enclosing",
    "Tablet",
    "Convertible",
    "Detachable",
    "IoT Gateway",
    "Embedded PC",
    "Mini PC",
    "Stick PC",
];

/// Reports what the firmware's tables say; `NA` where the kernel doesn't tell.
fn firmware(host: &Host<'_>, facts: &Dict) {
    for (fact, file) in [
        ("bios_date", "bios_date"),
        ("bios_vendor", "bios_vendor"),
        ("bios_version", "bios_version"),
        ("board_asset_tag", "board_asset_tag"),
        ("board_name", "board_name"),
        ("board_serial", "board_serial"),
        ("board_vendor", "board_vendor"),
        ("board_version", "board_version"),
        ("chassis_asset_tag", "chassis_asset_tag"),
        ("chassis_serial", "chassis_serial"),
        ("chassis_vendor", "chassis_vendor"),
        ("chassis_version", "chassis_version"),
        ("form_factor", "chassis_type"),
        ("product_name", "product_name"),
        ("product_serial", "product_serial"),
        ("product_uuid", "product_uuid"),
        ("product_version", "product_version"),
        ("system_vendor", "sys_vendor"),
    ] {
        let said = host.line(format!("/sys/devices/virtual/dmi/id/{file}"));
        let said = match said {
            Some(number) if fact == "form_factor" => number
                .parse::<usize>()
                .ok()
                .and_then(|number| CHASSIS.get(number))
                .map_or_else(|| format!("unknown ({number})"), |&name| name.to_owned()),
            Some(text) => text,
            None => "NA".to_owned(),
        };
        facts.set(fact, said);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::system::Fake;

    fn count(cpuinfo: &str) -> Vec<String> {
        let machine = Fake::new()
            .directory("/proc", 0o755)
            .file("/proc/cpuinfo", 0o644, cpuinfo);
        let environment = BTreeMap::new();
        let facts = Dict::new();
        processors(&Host::new(&machine, &environment), &facts);
        ["count", "cores", "threads_per_core", "vcpus"]
            .iter()
            .map(|name| {
                facts
                    .get(&format!("processor_{name}"))
                    .expect("there")
                    .to_str()
            })
            .collect()
    }

    #[test]
    fn processors_are_counted_by_socket_core_and_thread() {
        let one = |number: u8, socket: u8| {
            format!(
                "processor\t: {number}\nvendor_id\t: X\nphysical id\t: {socket}\nsiblings\t: 4\ncpu cores\t: 2\n\n"
            )
        };
        let two_sockets: String = (0..8).map(|n| one(n, n / 4)).collect();
        assert_eq!(count(&two_sockets), ["2", "2", "2", "8"]);
        assert_eq!(
            count("processor\t: 0\nBogoMIPS\t: 1\n\nprocessor\t: 1\n"),
            ["2", "1", "1", "2"]
        );
    }
}
