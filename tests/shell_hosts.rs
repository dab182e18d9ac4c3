//! Hosts where the agent can't run: what modules do over shell commands is what the agent does.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::support::lab::{Lab, Variant};
use crate::support::sandbox::{Ended, Sandbox};

/// Hosts that have to be alike: one with the agent, and one without it or told not to use it.
const ALIKE: [&[&str]; 2] = [&["node1", "node3"], &["node2", "forced"]];

/// Every module, in the ways that a playbook uses it.
const MODULES: &str = r#"
- hosts: all
  gather_facts: false
  ignore_errors: true
  vars: {base: /srv/base}
  tasks:
    - ping:
    - file: {path: "{{ base }}/a/b", state: directory, mode: "0750", owner: deploy, group: nopass}
    - file: {path: "{{ base }}/a b's\"ä\n", state: touch, mode: "0600"}
    - file: {path: "{{ base }}/touched", state: touch, modification_time: "202401020304.05", access_time: "202401020304.05"}
    - copy: {content: "one\ntwo\n", dest: "{{ base }}/f", mode: "0640", owner: deploy}
    - copy: {content: "one\ntwo\nthree\n", dest: "{{ base }}/f", backup: true}
    - copy: {content: "one\ntwo\nthree\n", dest: "{{ base }}/f"}
    - copy: {src: bytes, dest: "{{ base }}/", mode: "u=rw,go="}
    - copy: {src: bytes, dest: "{{ base }}/new/dir/", directory_mode: "0711"}
    - copy: {src: "{{ base }}/bytes", dest: "{{ base }}/copied", remote_src: true}
    - copy: {content: x, dest: "{{ base }}/checked", validate: grep x %s}
    - copy: {content: y, dest: "{{ base }}/checked", validate: grep x %s}
    - copy: {content: x, dest: "{{ base }}/a"}
    - copy: {content: x, dest: "{{ base }}/none/x"}
    - template: {src: t.j2, dest: "{{ base }}/t", mode: preserve}
    - lineinfile: {path: "{{ base }}/f", regexp: "^two", line: "2 %s \\ ' \""}
    - lineinfile: {path: "{{ base }}/f", line: last, insertafter: EOF}
    - lineinfile: {path: "{{ base }}/f", regexp: one, state: absent}
    - lineinfile: {path: "{{ base }}/new lines", line: x, create: true, mode: "0604"}
    - file: {src: f, path: "{{ base }}/link", state: link}
    - file: {src: nowhere, path: "{{ base }}/dangling", state: link, force: true}
    - file: {src: "{{ base }}/f", path: "{{ base }}/hard", state: hard}
    - file: {path: "{{ base }}", recurse: true, group: nopass, mode: "u=rwX,g=rX,o="}
    - file: {path: "{{ base }}/f", state: directory}
    - file: {path: "{{ base }}/nothing", mode: "0644"}
    - file: {path: "{{ base }}/new/dir", state: absent}
    - file: {path: "{{ base }}/hard", state: absent}
    - stat: {path: "{{ item }}"}
      loop: ["{{ base }}/f", "{{ base }}/link", "{{ base }}/a", "{{ base }}/none", /etc/shadow, /dev/null]
    - stat: {path: "{{ base }}/link", follow: true, checksum_algorithm: sha256}
    - slurp: {src: "{{ base }}/bytes"}
    - slurp: {src: "{{ base }}"}
    - command: cat {{ base }}/f
    - command: {argv: [printf, "%s|", "a b", "", "*", "$HOME", "ä"], chdir: "{{ base }}"}
    - command: {cmd: cat, stdin: "in\nput"}
    - command: no-such-program --option
    - command: {cmd: pwd, chdir: /no/such/directory}
    - command: {cmd: touch made, chdir: "{{ base }}", creates: made}
    - command: {cmd: touch made, chdir: "{{ base }}", creates: made}
    - command: {cmd: rm made, chdir: "{{ base }}", removes: made}
    - shell: |
        echo "to stdout: $A $LC_ALL"; echo to stderr >&2
        umask; id -un; echo $HOME
        exit 3
      environment: {A: "it's\nb", LC_ALL: C.UTF-8}
    - shell: kill -9 $$
    - shell: set -o pipefail; yes | head -n 1
      args: {executable: /bin/bash}
    - shell: sleep 30
      timeout: 1
    - raw: echo raw; echo err >&2; exit 1
    - shell: printf '\000\377\303\244'
    - command: id
      become: true
      become_user: nopass
    - copy: {content: theirs, dest: /home/nopass/own}
      become: true
      become_user: nopass
    - copy: {content: x, dest: /etc/not-mine}
      become: true
      become_user: nopass
    - slurp: {src: /etc/shadow}
      become: true
      become_user: nopass
    - stat: {path: /root/.ssh}
      become: true
      become_user: nopass
    - command: id -un
"#;

/// What differs from host to host or from time to time.
const PASSING: &[&str] = &[
    "start",
    "end",
    "delta",
    "atime",
    "mtime",
    "ctime",
    "inode",
    "dev",
    "backup_file",
    // What file systems differ in.
    "size",
    "blocks",
    "block_size",
    "nlink",
    "version",
    "attributes",
    "attr_flags",
];

struct World {
    lab: Lab,
    sandbox: Sandbox,
}

impl World {
    /// Makes the hosts; `None` without root, where no host is a machine of its own.
    fn up(programs: &[&std::path::Path]) -> Option<World> {
        let lab = Lab::up_with(
            &[
                Variant::Python,
                Variant::Minbase,
                Variant::Noexec,
                Variant::Minbase,
            ],
            programs,
        );
        if !lab.is_privileged() {
            return None;
        }
        let sandbox = Sandbox::new();
        let state = lab.state();
        let mut inventory = format!(
            "[all:vars]\nansible_user=root\nansible_ssh_private_key_file={state}/id\nansible_ssh_common_args='-F /dev/null -o IdentitiesOnly=yes -o UserKnownHostsFile={state}/known_hosts'\n[all]\n",
            state = state.display()
        );
        for (name, number) in [("node1", 1), ("node2", 2), ("node3", 3), ("forced", 4)] {
            inventory += &format!("{name} ansible_host=10.77.0.1{number}");
            if name == "forced" {
                inventory += " ansible_regrole_agent=shell";
            }
            inventory.push('\n');
        }
        sandbox.write("hosts.ini", &inventory);
        Some(World { lab, sandbox })
    }

    fn run(&self, args: &[&str]) -> Ended {
        let output = self
            .lab
            .controller_command(env!("CARGO_BIN_EXE_regrole"))
            .current_dir(self.sandbox.path(""))
            .args(args)
            .env("REGROLE_COUNTERS", self.sandbox.path("counters.json"))
            .stdin(std::process::Stdio::null())
            .output()
            .expect("the binary starts");
        Ended {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Returns the real name of a host.
    fn node(name: &str) -> &str {
        if name == "forced" { "node4" } else { name }
    }
}

/// Takes out of a result what differs from host to host anyway.
fn lasting(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|key, _| !PASSING.contains(&key.as_str()));
            fields.values_mut().for_each(lasting);
        }
        Value::Array(items) => items.iter_mut().for_each(lasting),
        Value::String(text) if text.contains("/tmp/.ansible_validate_") => {
            *text = "a temporary file".to_owned();
        }
        _ => {}
    }
}

/// Returns every result of a host, in order: status and what the module returned.
fn results(ended: &Ended, host: &str) -> Vec<(String, Value)> {
    ended
        .out
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|event| event["host"] == host && event["event"] != "recap")
        .map(|mut event| {
            lasting(&mut event["result"]);
            let status = format!("{} {} {}", event["event"], event["action"], event["status"]);
            (status, event["result"].take())
        })
        .collect()
}

fn assert_alike(ended: &Ended, what: &str) {
    for hosts in ALIKE {
        let first = results(ended, hosts[0]);
        assert!(
            first.len() > 50,
            "{what}: {} results\n{}",
            first.len(),
            ended.err
        );
        for host in &hosts[1..] {
            let other = results(ended, host);
            for (ours, theirs) in other.iter().zip(&first) {
                assert_eq!(ours, theirs, "{what}: {host} and {}", hosts[0]);
            }
            assert_eq!(other.len(), first.len(), "{what}: {host}");
        }
    }
}

#[test]
fn modules_over_shell_commands_do_and_say_what_the_agent_does() {
    let Some(world) = World::up(&[]) else { return };
    let bytes: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    std::fs::write(world.sandbox.path("bytes"), bytes).expect("a file");
    world
        .sandbox
        .write("t.j2", "{{ inventory_hostname[:0] }}templated {{ base }}\n");
    world.sandbox.write("site.yml", MODULES);

    let dry = world.run(&["run", "--json", "-C", "-D", "-i", "hosts.ini", "site.yml"]);
    assert_alike(&dry, "dry run");
    for host in ALIKE.concat() {
        assert_eq!(
            world.lab.tree(World::node(host), "/srv/base"),
            "missing - - - /srv/base\n",
            "a dry run wrote to {host}"
        );
    }
    let wet = world.run(&["run", "--json", "-D", "-i", "hosts.ini", "site.yml"]);
    assert_alike(&wet, "run");
    let again = world.run(&["run", "--json", "-D", "-i", "hosts.ini", "site.yml"]);
    assert_alike(&again, "second run");
    for hosts in ALIKE {
        let tree = |host: &str| {
            let all = world.lab.tree(World::node(host), "/srv/base")
                + &world.lab.tree(World::node(host), "/home/nopass/own");
            // The names of backups hold a time.
            all.lines()
                .filter(|line| !line.ends_with('~'))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        for host in &hosts[1..] {
            assert_eq!(tree(host), tree(hosts[0]), "{host}");
        }
    }
    for host in ALIKE.concat() {
        let script = "find /tmp /var/tmp /dev/shm /run /srv /root /home -xdev \\( -name '.regrole*' -o -name '.ansible*' \\) 2>/dev/null; ps -eo args | grep -a '[_]rg_\\|[s]leep'";
        let left = world
            .lab
            .enter(World::node(host), &["sh", "-c", &format!("{script}; true")]);
        let left: Vec<&str> = left.lines().collect();
        assert_eq!(left, Vec::<&str>::new(), "left behind on {host}");
    }
}

/// A kubectl that keeps what it applied.
const KUBECTL: &str = r#"#!/bin/sh
for word; do case $word in --filename=*) file=${word#--filename=} ;; diff) diff=1 ;; esac; done
if [ "$file" = - ]; then exit 0; fi
mkdir -p /var/lib/fake-kubectl; kept=/var/lib/fake-kubectl/${file##*/}
if [ ! -e "$kept" ]; then said=created; elif cmp -s "$file" "$kept"; then said=unchanged; else said=configured; fi
cp "$file" "$kept"; echo "object/${file##*/} $said"
"#;

#[test]
fn the_registry_role_works_over_shell_commands() {
    let scratch = tempfile::tempdir().expect("a directory");
    let kubectl = scratch.path().join("kubectl");
    std::fs::write(&kubectl, KUBECTL).expect("a file");
    std::fs::set_permissions(&kubectl, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    let Some(world) = World::up(&[&kubectl]) else {
        return;
    };
    let all = std::fs::read_to_string(world.sandbox.path("hosts.ini")).expect("an inventory");
    let (head, hosts) = all.split_once("[all]\n").expect("hosts");
    let role = concat!(env!("CARGO_MANIFEST_DIR"), "/roles/registry");
    let mut trees = Vec::new();
    for host in ["node1", "node3", "forced"] {
        let line = hosts
            .lines()
            .find(|line| line.starts_with(host))
            .expect("a host");
        let name = format!("{host}.ini");
        world.sandbox.write(
            &name,
            &format!("{head}[kube_control_plane]\n{line}\n[kube_node]\n{host}\n"),
        );
        let recap = |ended: &Ended| {
            let line = ended
                .out
                .lines()
                .find(|line| line.starts_with(host) && line.contains(" : ok="))
                .unwrap_or_else(|| panic!("{}", ended.all()));
            line.split_once(" : ")
                .map(|(_, counts)| counts.trim().to_owned())
                .expect("counts")
        };
        let first = world.run(&["run", "-i", &name, role]);
        assert_eq!(first.code, 0, "{}", first.all());
        let second = world.run(&["run", "-i", &name, role]);
        assert_eq!(
            recap(&first),
            "ok=5    changed=3    unreachable=0    failed=0    skipped=0    rescued=0    ignored=0"
        );
        assert_eq!(
            recap(&second),
            "ok=5    changed=0    unreachable=0    failed=0    skipped=0    rescued=0    ignored=0"
        );
        trees.push(
            world.lab.tree(World::node(host), "/etc/kubernetes")
                + &world.lab.tree(World::node(host), "/var/lib/fake-kubectl"),
        );
    }
    assert!(trees[0].contains("registry-deployment.yml"), "{}", trees[0]);
    assert!(trees.iter().all(|tree| *tree == trees[0]), "{trees:#?}");
}
