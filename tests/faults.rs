//! What goes wrong between controller and hosts: each host is named, the others go on, and nothing
//! stays behind.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::lab::{Lab, Variant};
use crate::support::sandbox::Sandbox;

/// A lab and a project that reaches its hosts.
struct World {
    lab: Lab,
    sandbox: Sandbox,
}

impl World {
    /// Makes hosts of the machine's own root; `None` without root. `hosts` are lines of an
    /// inventory, in which `NODE1` stands for an address.
    fn up(count: usize, hosts: &str) -> Option<World> {
        let lab = Lab::up(&vec![Variant::Python; count]);
        if !lab.is_privileged() {
            return None;
        }
        let sandbox = Sandbox::new();
        let mut inventory = format!(
            "[all:vars]\nansible_user=root\nansible_ssh_private_key_file={state}/id\n\
             ansible_ssh_common_args='-F /dev/null -o IdentitiesOnly=yes -o UserKnownHostsFile={state}/known_hosts'\n[all]\n{hosts}",
            state = lab.state().display()
        );
        for number in 1..=count {
            inventory = inventory.replace(
                &format!("NODE{number}"),
                &format!("ansible_host=10.77.0.1{number}"),
            );
        }
        sandbox.write("hosts.ini", &inventory);
        Some(World { lab, sandbox })
    }

    fn command(&self, tasks: &str, more: &[&str]) -> Command {
        let head = "- hosts: all\n  gather_facts: false\n  tasks:\n";
        self.sandbox.write("site.yml", &format!("{head}{tasks}"));
        let mut command = self.lab.controller_command(env!("CARGO_BIN_EXE_regrole"));
        command
            .current_dir(self.sandbox.path(""))
            .args(["run", "-i", "hosts.ini", "site.yml"])
            .args(more)
            .stdin(Stdio::null());
        command
    }

    /// Runs tasks to their end: exit code, all that was printed.
    fn run(&self, tasks: &str, more: &[&str]) -> (i32, String) {
        let output = self.command(tasks, more).output().expect("it starts");
        let all = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&all).into_owned();
        (output.status.code().unwrap_or(-1), text)
    }

    fn start(&self, tasks: &str, more: &[&str]) -> Child {
        self.command(tasks, more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts")
    }

    fn sh(&self, node: &str, script: &str) -> String {
        self.lab
            .enter(node, &["sh", "-c", &format!("{script}\ntrue")])
    }

    /// Waits until a command of a task runs on a host.
    fn wait_for_task(&self, node: &str) {
        wait_until("the task begins", Duration::from_mins(2), || {
            !self.sh(node, "ls /run/begun 2>/dev/null").is_empty()
        });
    }

    /// Waits until nothing of ours runs on a host any more.
    fn wait_for_silence(&self, node: &str) {
        let ours = "ps -eo args | grep -a '[s]leep\\|[_]_agent\\|^/bin/sh'";
        // What must not take longer than 5 seconds may on a machine that has other things to do.
        wait_until("everything ends", Duration::from_secs(20), || {
            self.sh(node, ours).is_empty()
        });
    }
}

/// A task that says when it begins, and takes long.
const LONG: &str = "    - shell: touch /run/begun; sleep 4321\n";

/// The two ways to serve a host.
const BOTH: &str = "agent NODE1\nshell NODE2 ansible_regrole_agent=shell\n";

fn wait_until(what: &str, limit: Duration, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < limit, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn ended(child: Child) -> (i32, String) {
    let output = child.wait_with_output().expect("it ends");
    let all = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&all).into_owned();
    (output.status.code().unwrap_or(-1), text)
}

/// Returns what is said about a host that failed or is not reached.
fn fatal<'a>(all: &'a str, host: &str) -> &'a str {
    all.lines()
        .find(|line| line.starts_with(&format!("fatal: [{host}]")))
        .unwrap_or_else(|| panic!("nothing about {host} in:\n{all}"))
}

#[test]
fn hosts_that_are_lost_in_mid_task_are_named_and_the_others_go_on() {
    let hosts = "cut1 NODE1\ncut2 NODE2 ansible_regrole_agent=shell\n\
                 killed1 NODE3\nkilled2 NODE4 ansible_regrole_agent=shell\n\
                 fine NODE5\nnowhere ansible_host=no-such-host.invalid\n";
    let Some(world) = World::up(5, hosts) else {
        return;
    };
    let tasks = "    - shell: touch /run/begun; [ {{ inventory_hostname }} = fine ] || sleep 4321\n    - command: echo goes on\n";
    let run = world.start(tasks, &[]);
    for node in ["node1", "node2", "node3", "node4", "node5"] {
        world.wait_for_task(node);
    }
    world.lab.cut("node1");
    world.lab.cut("node2");
    world.sh("node3", "kill -9 $(pgrep -f -o __agent)");
    world.sh("node4", "kill -9 $(pgrep -o -x sh)");
    let (code, all) = ended(run);
    assert_eq!(code, 4, "{all}");
    for host in ["cut1", "cut2", "killed1", "killed2", "nowhere"] {
        let line = fatal(&all, host);
        assert!(line.contains("UNREACHABLE!"), "{line}");
        assert!(
            line.contains("Failed to connect to the host via ssh"),
            "{line}"
        );
    }
    assert!(fatal(&all, "nowhere").contains("no-such-host.invalid"));
    let fine = all.lines().find(|line| line.starts_with("fine "));
    assert!(fine.is_some_and(|line| line.contains("ok=2 ")), "{all}");
    for node in ["node4", "node5"] {
        world.wait_for_silence(node);
    }
    // What an agent has started outlives it when it is killed, as what Ansible's modules start does.
    assert_eq!(world.sh("node3", "ps -eo args | grep -a '[_]_agent'"), "");
}

#[test]
fn an_interrupted_run_says_so_and_leaves_nothing_running() {
    let Some(world) = World::up(2, BOTH) else {
        return;
    };
    let run = world.start(LONG, &[]);
    for node in ["node1", "node2"] {
        world.wait_for_task(node);
    }
    let pid = rustix::process::Pid::from_child(&run);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it runs");
    let (code, all) = ended(run);
    assert_eq!(code, 99, "{all}");
    assert!(
        all.ends_with("[ERROR]: User interrupted execution\n"),
        "{all}"
    );
    for node in ["node1", "node2"] {
        world.wait_for_silence(node);
    }
}

#[test]
fn nothing_stays_on_hosts_of_either_kind_when_the_controller_is_killed() {
    let Some(world) = World::up(2, BOTH) else {
        return;
    };
    for node in ["node1", "node2"] {
        world.sh(node, "chmod 777 /run");
    }
    let mut run = world.start(LONG, &["-b", "-e", "ansible_become_user=nopass"]);
    for node in ["node1", "node2"] {
        world.wait_for_task(node);
    }
    run.kill().expect("it runs");
    let _ = run.wait();
    for node in ["node1", "node2"] {
        world.wait_for_silence(node);
        let left = world.sh(
            node,
            "find /tmp /var/tmp /dev/shm /run -name '.regrole-*' -type f; find /tmp /var/tmp -name 'regrole-*'",
        );
        assert_eq!(left, "", "left behind on {node}");
    }
}

#[test]
fn noise_of_logins_is_passed_over() {
    let Some(world) = World::up(2, BOTH) else {
        return;
    };
    for node in ["node1", "node2"] {
        world.sh(
            node,
            "printf 'Authorized use only\\n' >/etc/banner; echo 'Banner /etc/banner' >>/etc/ssh/sshd_config; kill -HUP 1
             echo 'echo noise on standard error >&2; seq 3000; printf \"no line break\"' >/root/.bashrc",
        );
    }
    let tasks = "    - command: echo clean\n      register: r\n    - assert: {that: r.stdout == 'clean' and r.stderr == '', quiet: true}\n";
    std::thread::sleep(Duration::from_millis(500));
    let (code, all) = world.run(tasks, &[]);
    assert_eq!(code, 0, "{all}");
    assert!(
        !all.contains("noise") && !all.contains("Authorized"),
        "{all}"
    );
}

#[test]
fn the_login_shell_may_be_any() {
    let shells = [
        "/bin/dash",
        "/bin/bash",
        "/usr/bin/zsh",
        "/bin/tcsh",
        "/usr/bin/fish",
        "/usr/bin/mksh",
    ];
    let mut hosts = String::new();
    let mut make = String::new();
    for shell in shells
        .iter()
        .filter(|path| std::path::Path::new(path).exists())
    {
        let name = shell.rsplit('/').next().unwrap_or_default();
        for (kind, more) in [("agent", ""), ("shell", " ansible_regrole_agent=shell")] {
            let user = format!("{kind}-{name}");
            hosts += &format!("{user} NODE1 ansible_user={user}{more}\n");
            let uid = 3000 + hosts.len();
            make += &format!(
                "echo {user}:x:{uid}:2002::/home/{user}:{shell} >>/etc/passwd; echo '{user}:*:19000:0:99999:7:::' >>/etc/shadow
                 echo '{user} ALL=(ALL:ALL) NOPASSWD: ALL' >>/etc/sudoers
                 cp -r /home/nopass /home/{user}
                 for rc in .bashrc .zshenv; do echo 'printf noise; printf noise >&2' >/home/{user}/$rc; done
                 echo 'echo -n noise' >/home/{user}/.tcshrc; chown -R {uid} /home/{user}\n"
            );
        }
    }
    let Some(world) = World::up(1, &hosts) else {
        return;
    };
    world.sh("node1", &make);
    let tasks = "    - command: id -un\n      register: r\n    - assert: {that: r.stdout == inventory_hostname and r.stderr == '', quiet: true}\n\
                 \x20   - {command: id -un, become: true, register: r}\n    - assert: {that: r.stdout == 'root', quiet: true}\n\
                 \x20   - {command: id -un, become: true, become_method: su, become_user: \"{{ ansible_user }}\", register: r, when: false}\n";
    let (code, all) = world.run(tasks, &[]);
    assert_eq!(code, 0, "{all}");
}

#[test]
fn sudo_is_understood_whatever_it_says() {
    let hosts = "right1 NODE1 ansible_become_password=deploy-password\n\
                 right2 NODE2 ansible_become_password=deploy-password ansible_regrole_agent=shell\n\
                 wrong1 NODE1 ansible_become_password=other-password\n\
                 wrong2 NODE2 ansible_become_password=other-password ansible_regrole_agent=shell\n\
                 missing1 NODE1\n\
                 missing2 NODE2 ansible_regrole_agent=shell\n\
                 hangs2 NODE2 ansible_regrole_agent=shell ansible_become_exe=/usr/local/bin/sudo-hangs\n\
                 none2 NODE2 ansible_regrole_agent=shell ansible_become_exe=no-such-sudo\n";
    let Some(world) = World::up(2, hosts) else {
        return;
    };
    for node in ["node1", "node2"] {
        world.sh(
            node,
            "printf 'Defaults lecture=always, insults, passprompt_override\\nDefaults passprompt=\"Kennwort: \", badpass_message=\"Falsch!\"\\n' >>/etc/sudoers",
        );
    }
    let (code, all) = world.run(
        "    - command: id -un\n      register: r\n    - assert: {that: r.stdout == 'root', quiet: true}\n",
        &["-b", "-e", "ansible_user=deploy"],
    );
    assert_eq!(code, 2, "{all}");
    for host in ["right1", "right2"] {
        let recap = all.lines().rev().find(|line| line.starts_with(host));
        assert!(
            recap.is_some_and(|line| line.contains("ok=2 ")),
            "{host}: {all}"
        );
    }
    for (host, said) in [
        ("wrong1", "Incorrect sudo password"),
        ("wrong2", "Incorrect sudo password"),
        ("missing1", "Missing sudo password"),
        ("missing2", "Missing sudo password"),
        (
            "hangs2",
            "Timeout (12s) waiting for privilege escalation prompt: \"",
        ),
        ("none2", "no-such-sudo: No such file or directory"),
    ] {
        assert!(fatal(&all, host).contains(said), "{}", fatal(&all, host));
    }
    let more = [
        "-b",
        "-e",
        "ansible_user=deploy",
        "-vvvv",
        "-l",
        "right*:wrong*",
    ];
    let (_, all) = world.run("    - command: id -un\n", &more);
    let shown = all.contains("deploy-password") || all.contains("other-password");
    assert!(!shown && all.contains("Incorrect sudo password"), "{all}");
}

#[test]
fn passwords_and_environments_are_in_no_list_of_processes() {
    let hosts = "agent NODE1\nshell NODE2 ansible_regrole_agent=shell\n";
    let Some(world) = World::up(2, hosts) else {
        return;
    };
    for node in ["node1", "node2"] {
        world.sh(node, "chmod 777 /run");
    }
    let tasks = "    - shell: touch /run/begun; sleep 4321\n      environment: {KEY: s3cret-key}\n";
    let secrets = "ansible_become_password: deploy-password\n";
    world.sandbox.write("secrets.yml", secrets);
    let more = ["-b", "-e", "ansible_user=deploy", "-e", "@secrets.yml"];
    let mut run = world.start(tasks, &more);
    for node in ["node1", "node2"] {
        world.wait_for_task(node);
        let seen = world.sh(
            node,
            "cat /proc/[0-9]*/cmdline | tr '\\0' '\\n' | grep -a '[d]eploy-password\\|[s]3cret-key'; cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -a '[d]eploy-password'",
        );
        assert_eq!(seen, "", "shown on {node}");
    }
    run.kill().expect("it runs");
    let _ = run.wait();
}

#[test]
fn a_host_that_is_full_is_served_over_shell_commands_and_keeps_nothing_of_the_agent() {
    let Some(world) = World::up(1, "full NODE1\n") else {
        return;
    };
    world.sh(
        "node1",
        "for dir in /tmp /root /dev/shm; do mount -o remount,size=64k $dir; done; mount -t tmpfs -o size=64k,mode=1777 tmpfs /var/tmp",
    );
    let tasks = "    - command: echo works\n    - copy: {content: \"{{ 'x' * 200000 }}\", dest: /small/f}\n";
    let (code, all) = world.run(tasks, &[]);
    assert_eq!(code, 2, "{all}");
    assert!(all.contains("changed: [full]"), "{all}");
    assert!(
        fatal(&all, "full").contains("No space left on device"),
        "{all}"
    );
    let left = world.sh(
        "node1",
        "find /tmp /root /dev/shm /var/tmp /small -type f -size +0 ! -path '*/.ssh/*'",
    );
    assert_eq!(left, "");
}

#[test]
fn large_output_arrives_whole() {
    let Some(world) = World::up(2, BOTH) else {
        return;
    };
    let tasks = "    - shell: head -c 20000000 /dev/zero | tr '\\0' x\n      register: r\n    - assert: {that: r.stdout | length == 20000000, quiet: true}\n      no_log: true\n";
    let (code, all) = world.run(tasks, &[]);
    assert_eq!(code, 0, "{}", &all[all.len().saturating_sub(2000)..]);
}
