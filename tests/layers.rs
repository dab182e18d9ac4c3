//! The layers of `docs/architecture.md`, enforced: a layer imports only from lower ones.

use std::path::Path;

use walkdir::WalkDir;

/// Each layer's number, and the layers of the same number that it may import as well.
const LAYERS: &[(&str, u8, &[&str])] = &[
    ("diag", 0, &[]),
    ("value", 0, &["diag"]),
    ("yaml", 1, &[]),
    ("vault", 1, &[]),
    ("jinja", 1, &[]),
    ("http", 1, &[]),
    ("compat", 2, &["yaml", "jinja"]),
    ("config", 2, &["compat"]),
    ("template", 2, &["compat", "config"]),
    ("inventory", 2, &["compat", "config"]),
    ("playbook", 2, &["compat", "config"]),
    ("vars", 3, &[]),
    ("system", 3, &[]),
    ("modules", 3, &["system"]),
    ("transport", 4, &[]),
    ("agent", 4, &["transport"]),
    ("actions", 4, &["agent"]),
    ("output", 5, &[]),
    ("executor", 5, &["output"]),
    ("cli", 6, &[]),
];

/// Modules run on the target; none of these may be known there.
const NOT_ON_TARGETS: &[&str] = &[
    "template",
    "playbook",
    "vars",
    "transport",
    "output",
    "executor",
];

fn layer(name: &str) -> Option<&'static (&'static str, u8, &'static [&'static str])> {
    LAYERS.iter().find(|(known, ..)| *known == name)
}

/// Returns what a file imports from the crate, with line numbers.
fn imports(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("//") {
            continue;
        }
        let mut rest = line;
        while let Some(at) = rest.find("crate::") {
            rest = &rest[at + "crate::".len()..];
            let name: String = rest
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            found.push((number + 1, name));
        }
    }
    found
}

#[test]
fn a_layer_imports_only_from_lower_layers() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for entry in WalkDir::new(&src) {
        let entry = entry.expect("src can be read");
        let path = entry.path().strip_prefix(&src).expect("inside src");
        if path.extension().is_none_or(|e| e != "rs") {
            continue;
        }
        let first = path
            .iter()
            .next()
            .map(|p| p.to_string_lossy().into_owned())
            .unwrap_or_default();
        let own = first.trim_end_matches(".rs");
        let Some((_, number, beside)) = layer(own) else {
            assert!(matches!(own, "lib" | "main"), "{own} has no layer");
            continue;
        };
        let text = std::fs::read_to_string(entry.path()).expect("a source file");
        for (line, name) in imports(&text) {
            let Some((_, other, _)) = layer(&name) else {
                continue;
            };
            let on_target = own != "modules" || !NOT_ON_TARGETS.contains(&name.as_str());
            let allowed = name == own || other < number || beside.contains(&name.as_str());
            if !(allowed && on_target) {
                wrong.push(format!("{}:{line} imports {name}", path.display()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "against the layers:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn no_module_looks_at_check_mode() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/modules");
    for entry in WalkDir::new(src) {
        let entry = entry.expect("src/modules can be read");
        if entry.path().extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(entry.path()).expect("a source file");
            assert!(
                !text.contains("if check_mode"),
                "{}",
                entry.path().display()
            );
        }
    }
}
