//! Template cases recorded from ansible-core 2.19's own templating, through `eval --json-lines`.

use std::io::Write;
use std::process::Stdio;

use crate::support::sandbox::Sandbox;

/// Cases that don't come out as recorded, each with its reason. The list may only shrink.
const OPEN: &[(u64, &str)] = &[
    (122, "a range in text prints as a list"),
    (550, "`urlize` is not there"),
    (555, "markup stays markup through `~`"),
    (
        617,
        "`list.count` counts `True` for 1 as Python does; the record says otherwise",
    ),
    (620, "a range becomes a list instead of being refused"),
    (621, "`lipsum` is not there"),
    (
        656,
        "`groupby` takes its default where the record has an error",
    ),
    (701, "two `None`s side by side give the empty text"),
];

#[test]
fn template_cases_come_out_as_recorded() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/parity/template_cases.json"
    );
    let text = std::fs::read_to_string(path).expect("the cases");
    let cases: Vec<serde_json::Value> = serde_json::from_str(&text).expect("cases are JSON");
    let sandbox = Sandbox::new();
    let mut child = sandbox
        .command(&["eval", "--json-lines"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut input = child.stdin.take().expect("a pipe");
    let requests: Vec<String> = cases
        .iter()
        .map(|case| {
            serde_json::json!({
                "template": case["t"], "vars": case["vars"], "templates": case["templates"],
                "options": case["opts"], "mode": case["mode"],
            })
            .to_string()
        })
        .collect();
    let writer = std::thread::spawn(move || {
        for request in requests {
            writeln!(input, "{request}").expect("the binary reads");
        }
    });
    let output = child.wait_with_output().expect("the binary ends");
    writer.join().expect("all was written");
    let answers: Vec<serde_json::Value> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("answers are JSON"))
        .collect();
    assert_eq!(answers.len(), cases.len());
    let mut wrong = Vec::new();
    let mut mended = Vec::new();
    for (case, answer) in cases.iter().zip(&answers) {
        let wanted = &case["expect"]["ansible"];
        let same = match wanted.get("err") {
            Some(_) => answer.get("err").is_some(),
            None => answer.get("out") == wanted.get("out"),
        };
        let id = case["id"].as_u64().expect("an id");
        let open = OPEN.iter().any(|(known, _)| *known == id);
        if !same && !open {
            wrong.push(format!("{id} {}: wanted {wanted}, got {answer}", case["t"]));
        }
        if same && open {
            mended.push(id);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(mended.is_empty(), "take these off the list: {mended:?}");
}
