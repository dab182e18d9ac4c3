//! Every kubectl on this machine against the stand-in: create, apply, diff, delete, get.

use crate::support::kube::{StandIn, kubectls, run_kubectl};
use std::fs;
use std::path::PathBuf;

const SHOP: &str = r#"apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: till, namespace: shop}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: till, namespace: shop, labels: {app: till}}
spec:
  replicas: 1
  selector: {matchLabels: {app: till}}
  template:
    metadata: {labels: {app: till}}
    spec:
      serviceAccountName: till
      containers:
      - name: till
        image: registry.example/till:1
        env:
        - {name: ADDRESS, value: ":5000"}
        ports:
        - {containerPort: 5000, protocol: TCP}
"#;

/// Runs `test` with each kubectl there is; says so where there is none.
fn with_each_kubectl(test: impl Fn(&StandIn, &PathBuf)) {
    let all = kubectls();
    if all.is_empty() {
        eprintln!("no kubectl on this machine: nothing was tested");
    }
    for kubectl in all {
        test(&StandIn::start("127.0.0.1:0"), &kubectl);
    }
}

fn manifest(standin: &StandIn, name: &str, text: &str) -> String {
    let path = standin.directory().join(name);
    fs::write(&path, text).expect("a manifest");
    path.to_string_lossy().into_owned()
}

#[test]
fn applying_twice_changes_nothing_the_second_time() {
    with_each_kubectl(|standin, kubectl| {
        let file = manifest(standin, "shop.yml", SHOP);
        let (code, out, err) = standin.kubectl(kubectl, &["apply", "-f", &file]);
        assert_eq!(
            (code, out.matches(" created").count()),
            (0, 3),
            "{}: {out}{err}",
            kubectl.display()
        );
        let before = standin.writes().len();
        let (code, out, err) = standin.kubectl(kubectl, &["apply", "-f", &file]);
        assert_eq!(
            (code, out.matches(" unchanged").count()),
            (0, 3),
            "{}: {out}{err}",
            kubectl.display()
        );
        assert_eq!(standin.writes().len(), before);
    });
}

#[test]
fn diff_shows_the_changed_line_and_writes_nothing() {
    with_each_kubectl(|standin, kubectl| {
        let file = manifest(standin, "shop.yml", SHOP);
        standin.kubectl(kubectl, &["apply", "-f", &file]);
        let writes = standin.writes();
        let (code, out, err) = standin.kubectl(kubectl, &["diff", "-f", &file]);
        assert_eq!(
            (code, out.as_str()),
            (0, ""),
            "{}: {err}",
            kubectl.display()
        );
        let changed = manifest(standin, "changed.yml", &SHOP.replace(":5000\"", ":5001\""));
        let (code, out, err) = standin.kubectl(kubectl, &["diff", "-f", &changed]);
        assert_eq!(code, 1, "{}: {out}{err}", kubectl.display());
        assert!(
            out.contains("-          value: :5000")
                || out.contains("-        - value: :5000")
                || out.contains("value: :5001"),
            "{out}"
        );
        assert_eq!(standin.writes(), writes);
    });
}

#[test]
fn a_changed_selector_needs_force_which_deletes_and_creates() {
    with_each_kubectl(|standin, kubectl| {
        let file = manifest(standin, "shop.yml", SHOP);
        standin.kubectl(kubectl, &["apply", "-f", &file]);
        let changed = manifest(
            standin,
            "changed.yml",
            &SHOP.replace("{app: till}", "{app: till, version: \"2\"}"),
        );
        let (code, _, err) = standin.kubectl(kubectl, &["apply", "-f", &changed]);
        assert_eq!(code, 1, "{}", kubectl.display());
        assert!(
            err.contains("is invalid: spec.selector: Invalid value:")
                && err.contains("field is immutable"),
            "{err}"
        );
        let (code, out, err) = standin.kubectl(kubectl, &["apply", "--force", "-f", &changed]);
        assert_eq!(code, 0, "{}: {out}{err}", kubectl.display());
        let (_, version, _) = standin.kubectl(
            kubectl,
            &[
                "get",
                "rs",
                "till",
                "-n",
                "shop",
                "-o",
                "jsonpath={.spec.selector.matchLabels.version}",
            ],
        );
        assert_eq!(version, "2");
    });
}

#[test]
fn delete_waits_until_the_object_is_gone() {
    with_each_kubectl(|standin, kubectl| {
        let file = manifest(standin, "shop.yml", SHOP);
        standin.kubectl(kubectl, &["apply", "-f", &file]);
        let (code, out, err) = standin.kubectl(kubectl, &["delete", "--timeout=10s", "-f", &file]);
        assert_eq!(code, 0, "{}: {out}{err}", kubectl.display());
        let (code, _, err) = standin.kubectl(kubectl, &["get", "namespace", "shop"]);
        assert_eq!(code, 1);
        assert!(
            err.contains("Error from server (NotFound): namespaces \"shop\" not found"),
            "{err}"
        );
    });
}

#[test]
fn get_prints_the_columns_of_the_kind() {
    with_each_kubectl(|standin, kubectl| {
        let file = manifest(standin, "shop.yml", SHOP);
        standin.kubectl(kubectl, &["apply", "-f", &file]);
        let (_, out, _) = standin.kubectl(kubectl, &["get", "rs", "-n", "shop"]);
        let head: Vec<&str> = out
            .lines()
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        assert_eq!(head, ["NAME", "DESIRED", "CURRENT", "READY", "AGE"]);
    });
}

#[test]
fn a_wrong_type_and_an_unknown_field_fail_and_create_nothing() {
    with_each_kubectl(|standin, kubectl| {
        let file = manifest(standin, "shop.yml", SHOP);
        standin.kubectl(kubectl, &["apply", "-f", &file]);
        standin.kubectl(kubectl, &["delete", "rs", "till", "-n", "shop"]);
        let only_set = SHOP.split("---\n").last().unwrap_or_default();
        for (change, word) in [("replicas: many", "replicas"), ("replicaz: 1", "replicaz")] {
            let bad = manifest(standin, "bad.yml", &only_set.replace("replicas: 1", change));
            let (code, out, err) = standin.kubectl(kubectl, &["apply", "-f", &bad]);
            assert_eq!(code, 1, "{}: {out}", kubectl.display());
            assert!(err.contains(word), "{err}");
        }
        let (code, ..) = standin.kubectl(kubectl, &["get", "rs", "till", "-n", "shop"]);
        assert_eq!(code, 1);
    });
}

#[test]
fn a_readers_apply_is_forbidden_in_the_real_servers_words() {
    with_each_kubectl(|standin, kubectl| {
        let file = manifest(standin, "shop.yml", SHOP);
        standin.kubectl(kubectl, &["apply", "-f", &file]);
        let changed = manifest(
            standin,
            "changed.yml",
            &SHOP.replace("replicas: 1", "replicas: 2"),
        );
        let (code, out, err) = run_kubectl(
            kubectl,
            &standin.readonly_kubeconfig(),
            standin.directory(),
            &["apply", "-f", &changed],
        );
        assert_eq!(code, 1, "{}: {out}", kubectl.display());
        assert!(err.contains("cannot patch resource \"replicasets\" in API group \"apps\" in the namespace \"shop\""), "{err}");
        let (code, _, err) = run_kubectl(
            kubectl,
            &standin.stranger_kubeconfig(),
            standin.directory(),
            &["get", "rs", "-n", "shop"],
        );
        assert_eq!(code, 1);
        assert!(
            err.contains("Unauthorized") || err.contains("logged in"),
            "{err}"
        );
    });
}
