//! The main job against the real API server: plans that come true, upgrades, nothing written by a
//! plan.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::support::kube::{Real, kubectls};
use crate::support::lab::{Lab, Variant};
use crate::support::sandbox::{Ended, Sandbox};
use crate::support::watch::{Watch, kept};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Lines that the server writes for itself with every change of an object.
fn is_bookkeeping(line: &str) -> bool {
    const STARTS: &[&str] = &[
        "resourceVersion:",
        "generation:",
        "time:",
        "f:",
        "k:{",
        ".: {}",
        "deprecated.daemonset.template.generation:",
        "{\"apiVersion\"",
    ];
    let text = line.trim_start();
    STARTS.iter().any(|start| text.starts_with(start))
}

/// Returns the lines that differ, marked as in a unified diff.
fn changed_lines(before: &str, after: &str) -> Vec<String> {
    similar::TextDiff::from_lines(before, after)
        .iter_all_changes()
        .filter(|change| change.tag() != similar::ChangeTag::Equal)
        .filter(|change| !is_bookkeeping(change.value()))
        .map(|change| format!("{}{}", change.tag(), change.value().trim_end()))
        .collect()
}

/// Returns, by object, what differs between two moments of the server.
fn differences(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for name in before.keys().chain(after.keys()) {
        let side =
            |objects: &BTreeMap<String, String>| objects.get(name).cloned().unwrap_or_default();
        if side(before) != side(after) {
            all.insert(name.clone(), changed_lines(&side(before), &side(after)));
        }
    }
    all
}

/// Returns, by object, the lines of a plan's diffs of objects.
fn planned(plan: &Path) -> BTreeMap<String, Vec<String>> {
    let text = std::fs::read_to_string(plan).expect("the plan's file");
    let plan: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for change in plan["changes"].as_array().expect("changes") {
        if !change["task"].as_str().expect("a task").contains("Apply") {
            continue;
        }
        let mut object = String::new();
        for line in change["diff"].as_str().expect("a diff").lines() {
            if let Some(name) = line.strip_prefix("+++ after: ") {
                name.clone_into(&mut object);
                all.insert(object.clone(), Vec::new());
            } else if line.starts_with(['+', '-']) && !line.starts_with("---") {
                all.get_mut(&object)
                    .expect("a header")
                    .push(line.to_owned());
            }
        }
    }
    all
}

/// Three hosts without Python whose first reaches a real API server as root.
struct World {
    real: Real,
    lab: Lab,
    sandbox: Sandbox,
    kubectl: PathBuf,
}

impl World {
    fn new() -> World {
        let kubectl = kubectls()
            .pop()
            .expect("tests/kube/get-kubectl fetches two");
        let lab = Lab::up_with(&[Variant::Minbase; 3], &[&kubectl]);
        let real = Real::start_for(&lab);
        if lab.is_privileged() {
            let config = std::fs::read_to_string(real.kubeconfig()).expect("a kubeconfig");
            let script = "umask 077; mkdir -p /root/.kube; printf %s \"$1\" > /root/.kube/config";
            lab.enter("node1", &["sh", "-c", script, "sh", &config]);
        }
        World {
            real,
            lab,
            sandbox: Sandbox::new(),
            kubectl,
        }
    }

    fn run(&self, verb: &str, more: &[&str]) -> Ended {
        let mut command = self.lab.controller_command(env!("CARGO_BIN_EXE_regrole"));
        command
            .args([verb, "-i"])
            .arg(self.lab.inventory())
            .arg(format!("{ROOT}/roles/registry"))
            .args(["-e", "registry_namespace=images"])
            .args(more)
            .env("HOME", self.sandbox.path("."));
        if !self.lab.is_privileged() {
            command
                .arg("-e")
                .arg(format!(
                    "bin_dir={}",
                    self.kubectl.parent().expect("a directory").display()
                ))
                .env("KUBECONFIG", self.real.kubeconfig());
        }
        let output = command.output().expect("the binary starts");
        Ended {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    fn objects(&self) -> BTreeMap<String, String> {
        self.real.objects(&self.kubectl)
    }
}

#[test]
fn a_plan_shows_what_a_run_then_changes_and_writes_nothing_anywhere() {
    let world = World::new();
    let first = world.run("run", &[]);
    assert_eq!(first.code, 0, "{}", first.all());
    let nothing = world.run("plan", &["--detailed-exitcode"]);
    assert_eq!(nothing.code, 0, "{}", nothing.all());
    assert!(
        nothing.out.contains("nothing would change"),
        "{}",
        nothing.out
    );

    let before = world.objects();
    let hosts = ["node1", "node2", "node3"];
    let directories: Vec<PathBuf> = hosts
        .iter()
        .flat_map(|host| kept(&world.lab.root(host)))
        .collect();
    let watch = Watch::start(&directories);
    let file = world.sandbox.path("plan.json");
    let out = file.to_str().expect("a path");
    let port = ["-e", "registry_port=5001"];
    let plan = world.run(
        "plan",
        &[&port[..], &["--detailed-exitcode", "--out", out]].concat(),
    );
    assert_eq!(plan.code, 2, "{}", plan.all());
    assert_eq!(
        watch.events(),
        Vec::<String>::new(),
        "the plan wrote to a host"
    );
    assert_eq!(world.objects(), before, "the plan wrote to the server");

    let second = world.run("run", &port);
    assert_eq!(second.code, 0, "{}", second.all());
    let happened = differences(&before, &world.objects());
    assert_eq!(planned(&file), happened);
    let changed: Vec<&String> = happened.keys().collect();
    assert_eq!(
        changed,
        [
            "DaemonSet images/registry-proxy",
            "Deployment images/registry",
            "Service images/registry"
        ]
    );
    let again = world.run("plan", &[&port[..], &["--detailed-exitcode"]].concat());
    assert_eq!(again.code, 0, "{}", again.all());
}

#[test]
fn a_first_plan_on_an_empty_cluster_writes_only_the_agent() {
    let world = World::new();
    if !world.lab.is_privileged() {
        // Without root all hosts share the machine's file system, where the agent is already.
        return;
    }
    let before = world.objects();
    let watch = Watch::start(&kept(&world.lab.root("node1")));
    let plan = world.run("plan", &[]);
    assert_eq!(plan.code, 0, "{}", plan.all());
    let events = watch.events();
    let other: Vec<&String> = events
        .iter()
        .filter(|event| !event.contains("/root/root/.cache"))
        .collect();
    assert!(other.is_empty(), "{other:?}");
    assert_eq!(world.objects(), before, "the plan wrote to the server");
    assert!(
        plan.out.contains("create: Namespace images"),
        "{}",
        plan.out
    );
}

/// A project of one local host that applies to a real API server.
struct Local {
    real: Real,
    sandbox: Sandbox,
}

impl Local {
    fn new() -> Local {
        Local {
            real: Real::start(),
            sandbox: Sandbox::new(),
        }
    }

    fn run(&self, verb: &str, args: &[&str]) -> Ended {
        let output = self
            .sandbox
            .command(&[&[verb, "-i", "inventory.ini"], args].concat())
            .env("KUBECONFIG", self.real.kubeconfig())
            .output()
            .expect("the binary starts");
        Ended {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

#[test]
fn every_manifest_of_the_role_settles_with_an_old_and_a_new_kubectl() {
    let local = Local::new();
    let role = format!("{ROOT}/roles/registry");
    let etc = local.sandbox.path("etc");
    let etc = format!("kube_config_dir={}", etc.display());
    local.sandbox.write(
        "inventory.ini",
        "[kube_control_plane]\nhere ansible_connection=local\n[kube_node]\nhere\n",
    );
    // The two that tests/kube/get-kubectl fetches.
    for (turn, kubectl) in kubectls().iter().rev().take(2).enumerate() {
        let bin = local.sandbox.path(&format!("bin{turn}"));
        // Some kubectl look at the name they are called by: a program of its own, no link.
        let script = format!("#!/bin/sh\nexec {} \"$@\"\n", kubectl.display());
        local.sandbox.write(&format!("bin{turn}/kubectl"), &script);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(bin.join("kubectl"), mode).expect("a mode");
        let bin = format!("bin_dir={}", bin.display());
        let everything = [
            "registry_namespace=all",
            "registry_storage_class=fast",
            "podsecuritypolicy_enabled=true",
            "apparmor_enabled=true",
        ];
        let mut args = vec![role.as_str(), "-e", &etc, "-e", &bin];
        for variable in everything {
            args.extend(["-e", variable]);
        }
        let first = local.run("run", &args);
        assert_eq!(first.code, 0, "{}", first.all());
        assert_eq!(first.out.contains("changed=0"), turn > 0, "{}", first.out);
        let second = local.run("run", &args);
        assert!(second.out.contains("changed=0"), "{}", second.out);
    }
    let made = local.real.objects(&kubectls()[0]);
    let ours = made
        .keys()
        .filter(|name| name.contains("registry") || *name == "Namespace /all");
    assert_eq!(ours.count(), 13, "{:?}", made.keys());
}

/// What a cluster has, and what it is to have, where the server refuses to change it in place.
const UPGRADES: &[(&str, &str, &str)] = &[
    (
        "workload.yml",
        "workload-selector.yml",
        "ReplicaSet calibration/depot",
    ),
    (
        "service.yml",
        "service-headless.yml",
        "Service calibration/depot",
    ),
    (
        "binding.yml",
        "binding-role.yml",
        "RoleBinding calibration/psp:calibration",
    ),
    (
        "claim.yml",
        "claim-larger.yml",
        "PersistentVolumeClaim calibration/depot",
    ),
];

#[test]
fn what_can_t_be_changed_in_place_is_named_then_deleted_and_recreated() {
    let local = Local::new();
    let manifests = format!("{ROOT}/tests/kube/calibration");
    for kubectl in kubectls() {
        let program = kubectl.to_str().expect("a path");
        let uids = || {
            let all = local.real.objects(&kubectl);
            let uid = |yaml: &String| {
                let line = yaml.lines().find(|line| line.starts_with("  uid:"));
                line.unwrap_or_default().to_owned()
            };
            all.iter()
                .map(|(name, yaml)| (name.clone(), uid(yaml)))
                .collect::<BTreeMap<_, _>>()
        };
        let namespace = format!("{manifests}/namespace.yml");
        local.real.kubectl(&kubectl, &["apply", "-f", &namespace]);
        for (old, new, object) in UPGRADES {
            let old = format!("{manifests}/{old}");
            local.real.kubectl(&kubectl, &["apply", "-f", &old]);
            local.sandbox.write(
                "site.yml",
                &format!(
                    "- hosts: all\n  gather_facts: false\n  tasks:\n    - name: Upgrade\n      kube: {{kubectl: {program}, filename: {manifests}/{new}, state: latest}}\n"
                ),
            );
            let before = uids();
            local
                .sandbox
                .write("ansible.cfg", "[regrole]\nkube_force = never\n");
            for verb in ["plan", "run"] {
                let never = local.run(verb, &["site.yml"]);
                assert_eq!(never.code, 2, "{}", never.all());
                assert!(
                    never.out.contains("kube_force = never forbids"),
                    "{}",
                    never.all()
                );
            }
            local.sandbox.write("ansible.cfg", "");
            let plan = local.run("plan", &["site.yml"]);
            assert_eq!(plan.code, 0, "{}", plan.all());
            assert!(
                plan.out.contains(&format!("delete and recreate: {object}")),
                "{object}: {}",
                plan.all()
            );
            assert!(
                plan.out.contains("\n-") && plan.out.contains("\n+"),
                "{}",
                plan.out
            );
            assert_eq!(uids(), before);

            let run = local.run("run", &["site.yml"]);
            assert_eq!(run.code, 0, "{}", run.all());
            assert!(
                run.all()
                    .contains("deleted and recreated what the server refuses to change in place"),
                "{}",
                run.all()
            );
            let after = uids();
            let replaced: Vec<&String> = before
                .keys()
                .filter(|name| after.get(*name) != before.get(*name))
                .collect();
            assert_eq!(replaced, [object]);
            let again = local.run("run", &["site.yml"]);
            assert!(again.out.contains("changed=0"), "{}", again.all());
            let delete = format!("{manifests}/{new}");
            local.real.kubectl(&kubectl, &["delete", "-f", &delete]);
        }
    }
}
