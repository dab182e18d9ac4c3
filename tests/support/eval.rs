//! Runs `regrole eval --json-lines`.

use std::io::Write;
use std::process::Stdio;

use super::sandbox::Sandbox;

/// Sends requests and returns the answers, in the same order.
pub(crate) fn answers(requests: Vec<serde_json::Value>) -> Vec<serde_json::Value> {
    let sandbox = Sandbox::new();
    let count = requests.len();
    let mut child = sandbox
        .command(&["eval", "--json-lines"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut input = child.stdin.take().expect("a pipe");
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
    assert_eq!(answers.len(), count, "the binary stopped early");
    answers
}

/// Takes out of a message what differs from machine to machine, and what Python's own classes are
/// called inside of Ansible.
pub(crate) fn comparable(message: &str) -> String {
    let mut text = message.to_owned();
    for (python, plain) in [
        ("_AnsibleTaggedStr", "str"),
        ("_AnsibleLazyTemplateDict", "dict"),
        ("_AnsibleLazyTemplateList", "list"),
    ] {
        text = text.replace(python, plain);
    }
    match text.find(" not found in search path") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}
