//! Hosts that can't be reached or won't let us in: each is named, in Ansible's words; others go on.

use crate::support::lab::{Lab, Variant};
use crate::support::sandbox::Sandbox;

const PLAY: &str = "- hosts: all
  gather_facts: false
  tasks:
    - command: whoami
      register: who
    - assert: {that: who.stdout == 'root', quiet: true}
";

#[test]
fn hosts_that_refuse_are_named_and_the_others_go_on() {
    let lab = Lab::up(&[Variant::Python]);
    if !lab.is_privileged() {
        // Without root there are no other users and no addresses of their own to test with.
        return;
    }
    let state = lab.state();
    let state = state.display();
    let options =
        format!("-F /dev/null -o UserKnownHostsFile={state}/known_hosts -o IdentitiesOnly=yes");
    let changed = format!(
        "-F /dev/null -o UserKnownHostsFile={state}/known_hosts.changed -o IdentitiesOnly=yes"
    );
    let sandbox = Sandbox::new();
    sandbox.write(
        "hosts.ini",
        &format!(
            "[all:vars]\nansible_user=root\nansible_ssh_private_key_file={state}/id\nansible_ssh_common_args='{options}'\n\
             [all]\n\
             good ansible_host=10.77.0.11\n\
             refused ansible_host=10.77.0.1\n\
             down ansible_host=10.77.0.250\n\
             keyrefused ansible_host=10.77.0.11 ansible_user=stranger\n\
             keychanged ansible_host=10.77.0.11 ansible_ssh_common_args='{changed}'\n\
             wrong ansible_host=10.77.0.11 ansible_user=deploy ansible_become=true ansible_become_password=wrong\n\
             missing ansible_host=10.77.0.11 ansible_user=deploy ansible_become=true\n\
             right ansible_host=10.77.0.11 ansible_user=deploy ansible_become=true ansible_become_password=deploy-password\n\
             hangs ansible_host=10.77.0.11 ansible_become=true ansible_become_exe=/usr/local/bin/sudo-hangs\n"
        ),
    );
    sandbox.write("site.yml", PLAY);
    let output = lab
        .controller_command(env!("CARGO_BIN_EXE_regrole"))
        .args(["run", "-T", "10", "-i"])
        .arg(sandbox.path("hosts.ini"))
        .arg(sandbox.path("site.yml"))
        .output()
        .expect("the binary starts");
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    for (host, said) in [
        (
            "refused",
            "UNREACHABLE! => {\"changed\": false, \"msg\": \"Task failed: Failed to connect to the host via ssh: ssh: connect to host 10.77.0.1 port 22: Connection refused",
        ),
        (
            "down",
            "UNREACHABLE! => {\"changed\": false, \"msg\": \"Task failed: Failed to connect to the host via ssh: ssh: connect to host 10.77.0.250 port 22: ",
        ),
        ("keyrefused", "Permission denied (publickey"),
        ("keychanged", "REMOTE HOST IDENTIFICATION HAS CHANGED"),
        ("wrong", "Incorrect sudo password"),
        ("missing", "Missing sudo password"),
        (
            "hangs",
            "Timeout (12s) waiting for privilege escalation prompt: ",
        ),
    ] {
        let line = out
            .lines()
            .find(|line| line.starts_with(&format!("fatal: [{host}]")))
            .unwrap_or_else(|| panic!("nothing about {host} in:\n{out}"));
        assert!(line.contains(said), "{line}");
    }
    for host in ["good", "right"] {
        let recap = out
            .lines()
            .find(|line| line.starts_with(host))
            .unwrap_or_default();
        assert!(recap.contains("ok=2 "), "{host}: {out}");
    }
    assert!(
        !out.contains("deploy-password"),
        "a password was shown:\n{out}"
    );
    assert_eq!(output.status.code(), Some(4));
}

#[test]
fn a_full_disk_leaves_no_file_behind() {
    let lab = Lab::up(&[Variant::Python]);
    if !lab.is_privileged() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write(
        "site.yml",
        "- hosts: all\n  gather_facts: false\n  tasks:\n    - copy: {content: \"{{ 'x' * 200000 }}\", dest: /small/f}\n",
    );
    let output = lab
        .controller_command(env!("CARGO_BIN_EXE_regrole"))
        .args(["run", "-i"])
        .arg(lab.inventory())
        .arg(sandbox.path("site.yml"))
        .output()
        .expect("the binary starts");
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(out.contains("No space left on device"), "{out}");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(lab.enter("node1", &["find", "/small", "-type", "f"]), "");
}
