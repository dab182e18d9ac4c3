//! The main job: the registry role against an API server, on this machine and on test hosts.

use crate::support::kube::{StandIn, kubectls};
use crate::support::lab::{Lab, Variant};
use crate::support::sandbox::{Ended, Sandbox};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A project of one local host that applies to a stand-in API server.
struct World {
    api: StandIn,
    sandbox: Sandbox,
    kubectl: std::path::PathBuf,
}

impl World {
    fn new() -> World {
        let api = StandIn::start("127.0.0.1:0");
        let sandbox = Sandbox::new();
        sandbox.write(
            "inventory.ini",
            "[kube_control_plane]\nhere ansible_connection=local\n[kube_node]\nhere\n",
        );
        let kubectl = kubectls()
            .into_iter()
            .next()
            .expect("a kubectl on this machine");
        World {
            api,
            sandbox,
            kubectl,
        }
    }

    fn run(&self, verb: &str, kubeconfig: &std::path::Path, more: &[&str]) -> Ended {
        let role = format!("{ROOT}/roles/registry");
        let out = self.sandbox.path("etc");
        // The role calls `bin_dir/kubectl`.
        let bin = self.sandbox.path("bin");
        std::fs::create_dir_all(&bin).expect("a directory");
        let script = format!("#!/bin/sh\nexec {} \"$@\"\n", self.kubectl.display());
        let path = bin.join("kubectl");
        std::fs::write(&path, script).expect("a file");
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
        let vars = [
            format!("kube_config_dir={}", out.display()),
            format!("bin_dir={}", bin.display()),
            "registry_namespace=images".to_owned(),
        ];
        let mut args = vec![verb, "-i", "inventory.ini", role.as_str()];
        for var in &vars {
            args.extend(["-e", var]);
        }
        args.extend(more);
        let output = self
            .sandbox
            .command(&args)
            .env("KUBECONFIG", kubeconfig)
            .output()
            .expect("the binary starts");
        Ended {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

fn recap(ended: &Ended, host: &str) -> String {
    let line = ended
        .out
        .lines()
        .find(|line| line.starts_with(host) && line.contains(" : ok="))
        .unwrap_or_else(|| panic!("no recap of {host} in:\n{}", ended.all()));
    line.split_whitespace()
        .skip(2)
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn the_role_is_planned_applied_and_then_left_alone() {
    let world = World::new();
    let kubeconfig = world.api.kubeconfig();
    let before = world.api.writes().len();
    let plan = world.run("plan", &kubeconfig, &[]);
    assert_eq!(plan.code, 0, "{}", plan.all());
    assert!(
        plan.out
            .contains("would change  here: registry : Registry | Apply the manifests"),
        "{}",
        plan.out
    );
    assert_eq!(
        world.api.writes().len(),
        before,
        "a plan wrote to the API server"
    );
    assert!(!world.sandbox.path("etc").exists(), "a plan wrote a file");

    let first = world.run("run", &kubeconfig, &[]);
    assert_eq!(first.code, 0, "{}", first.all());
    assert_eq!(
        recap(&first, "here"),
        "ok=5 changed=3 unreachable=0 failed=0 skipped=0 rescued=0 ignored=0"
    );
    let second = world.run("run", &kubeconfig, &[]);
    assert_eq!(
        recap(&second, "here"),
        "ok=5 changed=0 unreachable=0 failed=0 skipped=0 rescued=0 ignored=0"
    );

    let nothing = world.run("plan", &kubeconfig, &["--detailed-exitcode"]);
    assert!(
        nothing.out.contains("nothing would change"),
        "{}",
        nothing.out
    );
    assert_eq!(nothing.code, 0);
    let other = world.run(
        "plan",
        &kubeconfig,
        &["-e", "registry_port=5001", "--detailed-exitcode"],
    );
    assert_eq!(other.code, 2, "{}", other.all());
    for object in [
        "Service images/registry",
        "Deployment images/registry",
        "DaemonSet images/registry-proxy",
    ] {
        assert!(
            other.out.contains(&format!("+++ after: {object}")),
            "{object} in {}",
            other.out
        );
    }
    assert!(
        !other.out.contains("+++ after: ServiceAccount")
            && !other.out.contains("+++ after: Namespace"),
        "{}",
        other.out
    );
}

#[test]
fn a_server_that_refuses_is_quoted_with_the_object() {
    let world = World::new();
    let refused = world.run("run", &world.api.readonly_kubeconfig(), &[]);
    assert_eq!(refused.code, 2, "{}", refused.all());
    assert!(
        refused.out.contains("orbidden") && refused.out.contains("images"),
        "{}",
        refused.out
    );
}

#[test]
fn an_api_server_that_is_down_is_said() {
    let world = World::new();
    let gone = world.sandbox.path("gone");
    std::fs::write(
        &gone,
        "apiVersion: v1\nkind: Config\nclusters: [{name: a, cluster: {server: 'http://127.0.0.1:1'}}]\nusers: [{name: a, user: {}}]\ncontexts: [{name: a, context: {cluster: a, user: a}}]\ncurrent-context: a\n",
    )
    .expect("a file");
    let down = world.run("run", &gone, &[]);
    assert_eq!(down.code, 2, "{}", down.all());
    assert!(down.out.contains("127.0.0.1:1"), "{}", down.out);
}

const FILES: &str = "- hosts: all
  gather_facts: false
  tasks:
    - file: {path: /etc/kubernetes/addons, state: directory, mode: '0750'}
    - copy: {content: 'on {{ inventory_hostname }}', dest: /etc/kubernetes/addons/where, mode: '0640'}
    - command: cat /etc/kubernetes/addons/where
      register: where
      changed_when: false
    - assert: {that: where.stdout == 'on ' ~ inventory_hostname, quiet: true}
    - command: mkdir -p /etc/kubernetes/addons/made
      args: {creates: /etc/kubernetes/addons/made}
    - command: id -un
      become: true
      become_user: deploy
      register: who
      changed_when: false
    - assert: {that: who.stdout == 'deploy', quiet: true}
";

#[test]
fn hosts_with_and_without_python_are_served_alike_over_ssh() {
    let lab = Lab::up(&[Variant::Python, Variant::Minbase]);
    if !lab.is_privileged() {
        // Without root all hosts share one file system and one user: nothing to become.
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("site.yml", FILES);
    let run = || {
        let output = lab
            .controller_command(env!("CARGO_BIN_EXE_regrole"))
            .args(["run", "-i"])
            .arg(lab.inventory())
            .arg(sandbox.path("site.yml"))
            .output()
            .expect("the binary starts");
        Ended {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    };
    let first = run();
    assert_eq!(first.code, 0, "{}", first.all());
    let again = run();
    for host in ["node1", "node2"] {
        assert_eq!(
            recap(&first, host),
            "ok=7 changed=3 unreachable=0 failed=0 skipped=0 rescued=0 ignored=0"
        );
        assert_eq!(
            recap(&again, host),
            "ok=7 changed=0 unreachable=0 failed=0 skipped=0 rescued=0 ignored=0"
        );
        let tree = lab.tree(host, "/etc/kubernetes/addons");
        assert!(
            tree.contains("750 root:root") && tree.contains("640 root:root"),
            "{tree}"
        );
    }
}
