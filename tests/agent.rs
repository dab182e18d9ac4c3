//! Connections and agents: who is asked for which password, what a task's time limit reaches, and
//! what is left on a host when the controller is gone.

use std::time::{Duration, Instant};

use crate::support::lab::{Lab, Variant};
use crate::support::sandbox::Sandbox;

/// Runs a playbook on the hosts of an inventory, where the lab's hosts can be reached.
fn run(lab: &Lab, inventory: &str, playbook: &str, more: &[&str]) -> (i32, String) {
    let sandbox = Sandbox::new();
    sandbox.write("hosts.ini", inventory);
    sandbox.write("site.yml", playbook);
    let output = lab
        .controller_command(env!("CARGO_BIN_EXE_regrole"))
        .args(["run", "-i"])
        .arg(sandbox.path("hosts.ini"))
        .arg(sandbox.path("site.yml"))
        .args(more)
        .stdin(std::process::Stdio::null())
        .output()
        .expect("the binary starts");
    let all = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&all).into_owned(),
    )
}

/// Returns the options with which `ssh` looks at nothing but the lab.
fn options(lab: &Lab) -> String {
    format!(
        "-F /dev/null -o IdentitiesOnly=yes -o UserKnownHostsFile={}/known_hosts",
        lab.state().display()
    )
}

const WHO: &str = "- hosts: all
  gather_facts: false
  tasks:
    - command: id -un
      register: who
    - assert: {that: who.stdout == expected, fail_msg: 'it is {{ who.stdout }}', quiet: true}
";

#[test]
fn users_are_become_by_each_method_with_and_without_password() {
    let lab = Lab::up(&[Variant::Python, Variant::Minbase]);
    if !lab.is_privileged() {
        // Without root there are no other users.
        return;
    }
    let state = lab.state();
    let mut inventory = format!(
        "[all:vars]\nansible_ssh_private_key_file={}/id\nansible_ssh_common_args='{}'\nansible_become=true\n[all]\n",
        state.display(),
        options(&lab)
    );
    // Login user, method, user to become, password, expected user.
    let ways = [
        ("deploy", "sudo", "root", "deploy-password"),
        ("deploy", "su", "root", "root-password"),
        ("nopass", "sudo", "deploy", ""),
        ("root", "su", "nopass", ""),
        ("root", "sudo", "stranger", ""),
    ];
    for (node, address) in [("node1", "10.77.0.11"), ("node2", "10.77.0.12")] {
        for (number, (login, method, user, password)) in ways.iter().enumerate() {
            if node == "node2" && *method == "sudo" {
                // The minimal root has no sudo.
                continue;
            }
            inventory += &format!(
                "{node}-{number} ansible_host={address} ansible_user={login} ansible_become_method={method} ansible_become_user={user} expected={user}"
            );
            if !password.is_empty() {
                inventory += &format!(" ansible_become_password={password}");
            }
            inventory.push('\n');
        }
    }
    let (code, all) = run(&lab, &inventory, WHO, &[]);
    assert_eq!(code, 0, "{all}");
    assert!(!all.contains("-password"), "a password was shown:\n{all}");
    for node in ["node1", "node2"] {
        let left = lab.enter(
            node,
            &["find", "/var/tmp", "/tmp", "/dev/shm", "-name", "regrole-*"],
        );
        assert_eq!(left, "", "left behind on {node}");
    }
}

#[test]
fn a_user_that_reads_as_an_option_is_refused() {
    let sandbox = Sandbox::new();
    let ended = sandbox.play(
        "- hosts: all\n  gather_facts: false\n  tasks:\n    - command: id\n      become: true\n      become_user: --help\n",
    );
    assert_eq!(ended.code, 2, "{}", ended.all());
    assert!(
        ended
            .out
            .contains("the user `--help` can't be become: it would be read as an option"),
        "{}",
        ended.all()
    );
}

#[test]
fn a_password_logs_in_and_is_never_given_to_a_host_on_the_way() {
    let lab = Lab::up(&[Variant::Python, Variant::Python]);
    if !lab.is_privileged() {
        return;
    }
    let inventory = format!(
        "[all:vars]\nansible_user=deploy\nansible_password=deploy-password\nexpected=deploy\n\
         ansible_ssh_common_args='{options}'\n\
         [all]\n\
         direct ansible_host=10.77.0.11\n\
         wrong ansible_host=10.77.0.11 ansible_password=deploy-passwort\n\
         behind ansible_host=10.77.0.12 ansible_ssh_common_args='{options} -J 10.77.0.11'\n\
         unknown ansible_host=10.77.0.11 ansible_ssh_common_args='-F /dev/null -o UserKnownHostsFile=/dev/null'\n",
        options = options(&lab)
    );
    let (code, all) = run(&lab, &inventory, WHO, &["-T", "3"]);
    assert_eq!(code, 4, "{all}");
    assert!(
        all.lines()
            .any(|line| line.starts_with("direct ") && line.contains("ok=2 ")),
        "{all}"
    );
    for (host, said) in [
        ("wrong", "Invalid/incorrect password"),
        ("behind", "Failed to connect to the host via ssh"),
        ("unknown", "Host key verification failed"),
    ] {
        let line = all
            .lines()
            .find(|line| line.starts_with(&format!("fatal: [{host}]: UNREACHABLE!")))
            .unwrap_or_else(|| panic!("nothing about {host} in:\n{all}"));
        assert!(line.contains(said), "{line}");
    }
    // One refused password: that of `wrong`.
    let log = std::fs::read_to_string(lab.state().join("node1.log")).expect("sshd's words");
    assert_eq!(log.matches("Failed password").count(), 1, "{log}");
    assert!(
        !all.contains("deploy-passwor"),
        "a password was shown:\n{all}"
    );
}

#[test]
fn a_time_limit_stops_a_command_with_all_it_has_started() {
    let sandbox = Sandbox::new();
    let late = sandbox.path("late");
    let ended = sandbox.play(&format!(
        "- hosts: all\n  gather_facts: false\n  tasks:\n    - shell: (sleep 3; touch {late}) & sleep 60\n      timeout: 1\n      ignore_errors: true\n      register: r\n    - command: sleep 4\n    - debug: {{msg: '{{{{ r.timedout.period }}}}'}}\n",
        late = late.display()
    ));
    assert_eq!(ended.code, 0, "{}", ended.all());
    assert!(
        ended
            .out
            .contains("Task failed: Timed out after 1 second(s)."),
        "{}",
        ended.out
    );
    assert!(ended.out.contains("\"msg\": 1\n"), "{}", ended.out);
    assert!(!late.exists(), "what the command had started went on");
}

#[test]
fn a_login_that_hangs_is_given_up() {
    let lab = Lab::up(&[Variant::Python]);
    if !lab.is_privileged() {
        return;
    }
    lab.enter(
        "node1",
        &["sh", "-c", "echo 'exec sleep 1000' >/root/.ssh/rc"],
    );
    let inventory = format!(
        "node1 ansible_host=10.77.0.11 ansible_user=root ansible_ssh_private_key_file={}/id ansible_ssh_common_args='{}'\n",
        lab.state().display(),
        options(&lab)
    );
    let (code, all) = run(&lab, &inventory, WHO, &["-T", "1"]);
    assert_eq!(code, 4, "{all}");
    assert!(
        all.contains("nothing heard for 6 s before the agent ran: the login or its shell hangs"),
        "{all}"
    );
}

#[test]
fn nothing_goes_on_when_the_controller_is_killed() {
    let lab = Lab::up(&[Variant::Python]);
    if !lab.is_privileged() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write(
        "site.yml",
        "- hosts: all\n  gather_facts: false\n  tasks:\n    - shell: sleep 4321 | sleep 4321\n    \n",
    );
    let mut controller = lab
        .controller_command(env!("CARGO_BIN_EXE_regrole"))
        .args(["run", "-b", "-e", "ansible_become_user=nopass", "-i"])
        .arg(lab.inventory())
        .arg(sandbox.path("site.yml"))
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the binary starts");
    let running = || {
        let all = lab.enter("node1", &["ps", "-eo", "args"]);
        all.lines()
            .filter(|line| line.contains("sleep 4321") || line.contains("__agent"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    wait_until(Duration::from_mins(2), || {
        running()
            .iter()
            .filter(|line| line.starts_with("sleep"))
            .count()
            == 2
    });
    // `in` executes the program, so that this is the controller itself.
    controller.kill().expect("it runs");
    let _ = controller.wait();
    wait_until(Duration::from_secs(5), || running().is_empty());
}

/// Waits for something to become true; panics when it hasn't in time.
fn wait_until(limit: Duration, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < limit, "it didn't within {limit:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
