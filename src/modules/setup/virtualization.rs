//! Whether the machine is virtual, and of which kind.

use super::host::Host;
use crate::value::{Dict, Value};

/// What the checks found, strongest first.
#[derive(Default)]
struct Found {
    guest: Vec<&'static str>,
    hosts: Vec<&'static str>,
    decided: Option<(&'static str, &'static str)>,
}

impl Found {
    fn guest(&mut self, tech: &'static str) {
        if !self.guest.contains(&tech) {
            self.guest.push(tech);
        }
        self.decided.get_or_insert((tech, "guest"));
    }

    fn host(&mut self, tech: &'static str) {
        if !self.hosts.contains(&tech) {
            self.hosts.push(tech);
        }
        self.decided.get_or_insert((tech, "host"));
    }
}

pub(super) fn virtualization(host: &Host<'_>, facts: &Dict) {
    let mut found = Found::default();
    containers(host, &mut found);
    firmware(host, &mut found);
    kernel(host, &mut found);
    let (kind, role) = found.decided.unwrap_or(("NA", "NA"));
    facts.set("virtualization_type", kind);
    facts.set("virtualization_role", role);
    let texts = |names: &[&'static str]| -> Value {
        Value::list(names.iter().map(|&name| Value::str(name)).collect())
    };
    facts.set("virtualization_tech_guest", texts(&found.guest));
    facts.set("virtualization_tech_host", texts(&found.hosts));
}

fn containers(host: &Host<'_>, found: &mut Found) {
    let groups = host.text("/proc/1/cgroup").unwrap_or_default();
    let in_docker = groups
        .lines()
        .any(|line| line.contains("/docker/") || line.contains("/docker-"));
    if in_docker || host.exists("/.dockerenv") {
        found.guest("docker");
        found.guest("container");
    }
    if groups
        .lines()
        .any(|line| line.contains("/lxc/") || line.contains("/machine.slice/machine-lxc"))
    {
        found.guest("lxc");
        found.guest("container");
    }
    let environment = host.text("/proc/1/environ").unwrap_or_default();
    for variable in environment.split('\0') {
        match variable.strip_prefix("container=") {
            Some("lxc") => {
                found.guest("lxc");
                found.guest("container");
            }
            Some("podman") => {
                found.guest("podman");
                found.guest("container");
            }
            Some(kind) if !kind.is_empty() => found.guest("container"),
            _ => {}
        }
    }
    if host.exists("/proc/vz") && !host.exists("/proc/lve") {
        if host.exists("/proc/bc") {
            found.host("openvz");
        } else {
            found.guest("openvz");
        }
    }
    if host.line("/run/systemd/container").is_some() {
        found.guest("container");
    }
    if host.exists("/proc/xen")
        || host.exists("/sys/hypervisor/type")
            && host.line("/sys/hypervisor/type").as_deref() == Some("xen")
    {
        let is_host = host
            .text("/proc/xen/capabilities")
            .is_some_and(|text| text.contains("control_d"));
        if is_host {
            found.host("xen");
        } else {
            found.guest("xen");
        }
    }
}

/// What the firmware's tables name, and which kind of machine that is.
const FIRMWARE: &[(&str, &str, &str)] = &[
    ("product_name", "KVM", "kvm"),
    ("product_name", "KVM Server", "kvm"),
    ("product_name", "Bochs", "kvm"),
    ("product_name", "AHV", "kvm"),
    ("product_name", "RHEV Hypervisor", "RHEV"),
    ("product_name", "OpenStack Compute", "openstack"),
    ("product_name", "OpenStack Nova", "openstack"),
    ("product_name", "Google Compute Engine", "kvm"),
    ("product_name", "VirtualBox", "virtualbox"),
    ("product_name", "VMware Virtual Platform", "VMware"),
    ("product_name", "VMware7,1", "VMware"),
    ("product_name", "Virtual Machine", "VirtualPC"),
    ("bios_vendor", "Xen", "xen"),
    ("bios_vendor", "innotek GmbH", "virtualbox"),
    ("bios_vendor", "Amazon EC2", "kvm"),
    ("bios_vendor", "DigitalOcean", "kvm"),
    ("bios_vendor", "Hetzner", "kvm"),
    ("bios_vendor", "Vultr", "kvm"),
    ("sys_vendor", "KVM Cloud", "kvm"),
    ("sys_vendor", "oVirt", "kvm"),
    ("sys_vendor", "QEMU", "kvm"),
    ("sys_vendor", "Amazon EC2", "kvm"),
    ("sys_vendor", "DigitalOcean", "kvm"),
    ("sys_vendor", "Google", "kvm"),
    ("sys_vendor", "Hetzner", "kvm"),
    ("sys_vendor", "Linode", "kvm"),
    ("sys_vendor", "Scaleway", "kvm"),
    ("sys_vendor", "Nutanix", "kvm"),
    ("sys_vendor", "VMware, Inc.", "VMware"),
    (
        "sys_vendor",
        "Parallels Software International Inc.",
        "parallels",
    ),
    ("sys_vendor", "OpenStack Foundation", "openstack"),
];

fn firmware(host: &Host<'_>, found: &mut Found) {
    for (file, text, kind) in FIRMWARE {
        if host
            .line(format!("/sys/devices/virtual/dmi/id/{file}"))
            .as_deref()
            == Some(text)
        {
            found.guest(kind);
        }
    }
}

fn kernel(host: &Host<'_>, found: &mut Found) {
    let cpu = host.text("/proc/cpuinfo").unwrap_or_default();
    if cpu
        .lines()
        .any(|line| line.starts_with("model name") && line.contains("QEMU Virtual CPU"))
    {
        found.guest("kvm");
    }
    if cpu
        .lines()
        .any(|line| line.starts_with("vendor_id") && line.contains("User Mode Linux"))
    {
        found.guest("uml");
    }
    if cpu
        .lines()
        .any(|line| line.starts_with("vendor_id") && line.contains("PowerVM Lx86"))
    {
        found.guest("powervm_lx86");
    }
    let modules = host.text("/proc/modules").unwrap_or_default();
    let loaded = |name: &str| {
        modules
            .lines()
            .any(|line| line.split_whitespace().next() == Some(name))
    };
    if loaded("kvm") || host.exists("/dev/kvm") {
        if host.exists("/usr/bin/vdsm") || host.exists("/rhev/") {
            found.host("RHEV");
        } else {
            found.host("kvm");
        }
    }
    if loaded("vboxdrv") {
        found.host("virtualbox");
    }
    if loaded("virtio") {
        found.guest("kvm");
    }
}
