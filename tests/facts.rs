//! Facts beside Ansible's own, gathered on this machine one after the other.

use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value};

/// What differs from moment to moment, or tells which program asked.
const MOVING: &[&str] = &[
    "ansible_date_time",
    "ansible_env",
    "ansible_loadavg",
    "ansible_memfree_mb",
    "ansible_memory_mb",
    "ansible_mounts",
    "ansible_python",
    "ansible_python_version",
    "ansible_uptime_seconds",
];

/// Lists that are sets: Ansible's order is that of the directory, or of a hash.
const SETS: &[&str] = &[
    "ansible_interfaces",
    "ansible_virtualization_tech_guest",
    "ansible_virtualization_tech_host",
];

const PLAYBOOK: &str = "
- hosts: all
  gather_facts: false
  tasks:
    - setup:
      register: found
    - copy:
        content: \"{{ found.ansible_facts | to_json }}\"
        dest: \"{{ file }}\"
";

fn gather(dir: &Path, name: &str, mut command: Command) -> Map<String, Value> {
    let file = dir.join(name);
    let output = command
        .current_dir(dir)
        .env("ANSIBLE_LOCALHOST_WARNING", "false")
        .args(["-i", "here,", "-c", "local", "site.yml", "-e"])
        .arg(format!("file={}", file.display()))
        .output()
        .expect("it can be run");
    assert!(output.status.success(), "{output:?}");
    let text = std::fs::read_to_string(file).expect("the facts are there");
    let facts: Map<String, Value> = serde_json::from_str(&text).expect("facts are JSON");
    facts
}

fn settled(facts: Map<String, Value>) -> Vec<(String, String)> {
    let mut settled: Vec<(String, String)> = facts
        .into_iter()
        .map(|(name, value)| {
            let value = match (name.as_str(), value) {
                (name, _) if MOVING.contains(&name) => String::new(),
                (name, Value::Array(items)) if SETS.contains(&name) => {
                    let mut items: Vec<String> = items.iter().map(Value::to_string).collect();
                    items.sort();
                    items.join(" ")
                }
                (_, value) => sorted(value).to_string(),
            };
            (name, value)
        })
        .collect();
    settled.sort();
    settled
}

/// Sorts the keys of all mappings.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<(String, Value)> = map.into_iter().collect();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            pairs.into_iter().map(|(k, v)| (k, sorted(v))).collect()
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

#[test]
fn all_facts_of_this_machine_are_those_that_ansible_gathers() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("site.yml"), PLAYBOOK).expect("it can be written");
    let oracle = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/oracle"))
        .arg("2.19")
        .output()
        .expect("tests/parity/oracle can be run");
    assert!(oracle.status.success(), "{oracle:?}");
    let programs = String::from_utf8_lossy(&oracle.stdout).trim().to_owned();
    let mut ansible = Command::new(format!("{programs}/ansible-playbook"));
    ansible
        .args([
            "-e",
            &format!("ansible_python_interpreter={programs}/python"),
        ])
        .env("HOME", dir.path());
    let mut regrole = Command::new(env!("CARGO_BIN_EXE_regrole"));
    regrole.arg("playbook").env("HOME", dir.path());
    let theirs = settled(gather(dir.path(), "theirs.json", ansible));
    let ours = settled(gather(dir.path(), "ours.json", regrole));
    let lines = |facts: &[(String, String)]| -> String {
        facts
            .iter()
            .map(|(name, value)| format!("{name}: {value}\n"))
            .collect()
    };
    pretty_compare(&lines(&theirs), &lines(&ours));
}

fn pretty_compare(theirs: &str, ours: &str) {
    let difference = similar::TextDiff::from_lines(theirs, ours)
        .unified_diff()
        .context_radius(0)
        .header("ansible", "regrole")
        .to_string();
    assert!(difference.is_empty(), "{difference}");
}
