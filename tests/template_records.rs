//! Expressions and templates recorded from real Ansible (`tests/parity/record-templates`), through
//! `eval --json-lines`: values by their `repr()`, errors by their messages.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::eval::{answers, comparable};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/templates")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(directory().join(name)).expect(name)
}

/// A case: its family, its name, and what is asked.
struct Case {
    family: String,
    name: String,
    request: Value,
}

/// Reads the files of cases: lines of expressions, and blocks of templates.
fn cases() -> Vec<Case> {
    let vars: Value = serde_json::from_str(&read("vars.json")).expect("variables");
    let mut names: Vec<PathBuf> = std::fs::read_dir(directory())
        .expect("the cases")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    names.sort();
    let text_of = |path: &Path| std::fs::read_to_string(path).expect("a file");
    let family = |path: &Path| {
        path.file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned()
    };
    let ends = |path: &Path, end: &str| path.extension().is_some_and(|e| e == end);
    let mut out = Vec::new();
    let mut files = serde_json::Map::new();
    let mut templates = Vec::new();
    for path in &names {
        let text = text_of(path);
        // The lists of open cases are no cases.
        if family(path).starts_with("open") {
            continue;
        }
        if ends(path, "txt") {
            for line in text.lines() {
                if !line.trim().is_empty() && !line.starts_with('#') {
                    out.push(Case {
                        family: family(path),
                        name: line.to_owned(),
                        request: json!({"template": format!("{{{{ {line} }}}}"), "vars": vars, "mode": "native"}),
                    });
                }
            }
        } else if ends(path, "j2") {
            for block in format!("\n{text}").split("\n=== ").skip(1) {
                let (head, body) = block.split_once('\n').unwrap_or((block, ""));
                let (name, options) = head.split_once(' ').unwrap_or((head, ""));
                if let Some(file) = name.strip_prefix("file:") {
                    files.insert(file.to_owned(), json!(body));
                    continue;
                }
                let options: serde_json::Map<String, Value> = options
                    .split(' ')
                    .filter_map(|pair| pair.split_once('='))
                    .map(|(key, value)| (key.to_owned(), json!(value.trim_matches('\''))))
                    .collect();
                templates.push((family(path), name.to_owned(), body.to_owned(), options));
            }
        }
    }
    for (family, name, body, options) in templates {
        out.push(Case {
            family,
            name,
            request: json!({"template": body, "vars": vars, "templates": files, "options": options, "mode": "text"}),
        });
    }
    out
}

#[test]
fn expressions_and_templates_come_out_as_ansible_2_19_makes_them() {
    check("2.19");
}

#[test]
fn expressions_and_templates_come_out_as_ansible_2_18_makes_them() {
    check("2.18");
}

#[test]
fn expressions_and_templates_come_out_as_ansible_2_9_makes_them() {
    check("2.9");
}

fn check(level: &str) {
    let expected: BTreeMap<String, BTreeMap<String, Value>> =
        serde_json::from_str(&read(&format!("expected.{level}.json"))).expect("what is recorded");
    let open_file = directory().join(format!("open.{level}.txt"));
    let open: BTreeSet<String> = std::fs::read_to_string(&open_file)
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect();
    let mut cases = cases();
    if level == "2.9" {
        // Ansible 2.9 finds no filters in collections of today.
        let collections = ["ansible.utils.", "community.general.", "community.crypto."];
        cases.retain(|case| !collections.iter().any(|name| case.name.contains(name)));
    }
    let asked = |case: &Case| {
        let mut request = case.request.clone();
        request["compat"] = json!(level);
        request
    };
    let all = answers(cases.iter().map(asked).collect());
    let mut differ = BTreeMap::new();
    let mut same = BTreeSet::new();
    for (case, answer) in cases.iter().zip(&all) {
        let line = format!("{} | {}", case.family, case.name);
        let Some(wanted) = expected
            .get(&case.family)
            .and_then(|family| family.get(&case.name))
        else {
            differ.insert(
                line,
                "is not recorded: run tests/parity/record-templates".to_owned(),
            );
            continue;
        };
        let told = |value: &Value| {
            value
                .get("err")
                .and_then(Value::as_str)
                .map(comparable)
                .or_else(|| value.get("out").map(|out| format!("={out}")))
        };
        if wanted["repeatable"] == false || told(wanted) == told(answer) {
            same.insert(line);
        } else {
            differ.insert(line, format!("wanted {wanted}, got {answer}"));
        }
    }
    if std::env::var_os("REGROLE_PARITY_UPDATE").is_some() {
        let list: String = differ.keys().map(|line| format!("{line}\n")).collect();
        std::fs::write(&open_file, list).expect("the list of open cases");
        return;
    }
    let wrong: Vec<String> = differ
        .iter()
        .filter(|(line, _)| !open.contains(*line))
        .map(|(line, how)| format!("{line}\n    {how}"))
        .collect();
    let mended: Vec<&String> = open.iter().filter(|line| same.contains(*line)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(mended.is_empty(), "take these off the list: {mended:#?}");
}
