//! Template cases recorded from ansible-core 2.19's own templating, through `eval --json-lines`.

use crate::support::eval::{answers, comparable};

#[test]
fn template_cases_come_out_as_recorded() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/parity/template_cases.json"
    );
    let text = std::fs::read_to_string(path).expect("the cases");
    let cases: Vec<serde_json::Value> = serde_json::from_str(&text).expect("cases are JSON");
    let requests = cases
        .iter()
        .map(|case| {
            serde_json::json!({
                "template": case["t"], "vars": case["vars"], "templates": case["templates"],
                "options": case["opts"], "mode": case["mode"],
            })
        })
        .collect();
    let answers = answers(requests);
    let mut wrong = Vec::new();
    for (case, answer) in cases.iter().zip(&answers) {
        let wanted = &case["expect"]["ansible"];
        let same = match wanted.get("err") {
            Some(error) => {
                let told = |error: &serde_json::Value| error.as_str().map(comparable);
                answer.get("err").and_then(told) == told(error)
            }
            None => answer.get("out") == wanted.get("out"),
        };
        if !same {
            let (id, template) = (&case["id"], &case["t"]);
            wrong.push(format!("{id} {template}: wanted {wanted}, got {answer}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
