//! The test hosts themselves: what every other test over SSH relies on.

use crate::support::lab::{Lab, Variant};

#[test]
fn every_host_is_reached_by_the_inventory_and_is_a_machine_of_its_own() {
    reach_every_host(&Lab::up(&[Variant::Python, Variant::Python]));
}

#[test]
fn hosts_on_loopback_are_reached_in_the_same_way() {
    reach_every_host(&Lab::on_loopback(2));
}

fn reach_every_host(lab: &Lab) {
    let hosts = std::fs::read_to_string(lab.state().join("hosts")).expect("the lab answers");
    for (line, name) in hosts.lines().zip(["node1", "node2"]) {
        let [_, _, address, port] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let output = lab
            .controller_command("ssh")
            .args(["-F", "/dev/null", "-o", "BatchMode=yes", "-p", port, "-i"])
            .arg(lab.state().join("id"))
            .arg("-o")
            .arg(format!(
                "UserKnownHostsFile={}",
                lab.state().join("known_hosts").display()
            ))
            .args([address, "hostname"])
            .output()
            .expect("the lab answers");
        assert!(output.status.success(), "{output:?}");
        if lab.is_privileged() {
            assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{name}\n"));
        }
    }
    if lab.is_privileged() {
        lab.enter("node1", &["touch", "/only-here"]);
        assert!(
            lab.tree("node1", "/only-here")
                .starts_with("f 0644 root:root ")
        );
        assert_eq!(
            lab.tree("node2", "/only-here"),
            "missing - - - /only-here\n"
        );
    }
}

#[test]
fn the_controller_has_no_way_out() {
    let lab = Lab::up(&[Variant::Python]);
    if lab.is_privileged() {
        let routes = lab
            .controller_command("ip")
            .args(["route", "show", "default"])
            .output()
            .unwrap();
        assert!(routes.status.success());
        assert!(routes.stdout.is_empty(), "{routes:?}");
    }
}

#[test]
fn a_noexec_host_runs_nothing_that_was_written_to_it() {
    let lab = Lab::up(&[Variant::Noexec]);
    if lab.is_privileged() {
        let script = r#"for dir in /tmp /var/tmp /dev/shm /run /root /home /etc /opt /srv /mnt /var /small / /usr /usr/local/bin; do
            cp /bin/true "$dir/probe" 2>/dev/null && "$dir/probe" 2>/dev/null && echo "$dir"
        done; true"#;
        assert_eq!(lab.enter("node1", &["sh", "-c", script]), "");
    }
}

#[test]
fn a_lab_that_cannot_be_made_leaves_nothing_behind() {
    let scratch = tempfile::tempdir().unwrap();
    let state = scratch.path().join("lab");
    let output =
        std::process::Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/hosts"))
            .args(["up", "python", "no-such-variant", "--state"])
            .arg(&state)
            .output()
            .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(!state.exists());
}

#[test]
fn the_minimal_host_has_no_python() {
    let lab = Lab::up(&[Variant::Minbase]);
    if lab.is_privileged() {
        assert_eq!(
            lab.enter(
                "node1",
                &["sh", "-c", "ls /usr/bin/python* 2>/dev/null; true"]
            ),
            ""
        );
        let inventory = std::fs::read_to_string(lab.inventory()).unwrap();
        assert!(!inventory.contains("ansible_python_interpreter"));
    }
}

#[test]
fn a_host_can_be_cut_off_and_joined_again() {
    let lab = Lab::up(&[Variant::Python]);
    if lab.is_privileged() {
        let answers = || {
            lab.controller_command("timeout")
                .args(["1", "bash", "-c", "exec 3<>/dev/tcp/10.77.0.11/22"])
                .output()
                .unwrap()
                .status
                .success()
        };
        assert!(answers());
        lab.cut("node1");
        assert!(!answers());
        lab.join("node1");
        assert!(answers());
    }
}
