//! Differences, as Ansible shows them.

use std::fmt::Write;

use similar::TextDiff;

use crate::value::{Dict, JsonStyle, Value};

/// Renders what a result carries under `diff`: one difference or a list of them.
///
/// **Source:** Ansible's default callback: unified format, three lines around, headers
/// `before` and `after` with what the module says behind them.
pub fn unified(diff: &Value) -> String {
    let parts = match diff {
        Value::List(list) => list.to_vec(),
        one => vec![one.clone()],
    };
    let mut out = String::new();
    for part in parts {
        if let Value::Dict(part) = part {
            let mut text = String::new();
            one(&mut text, &part);
            if !out.is_empty() && !text.is_empty() {
                out.push('\n');
            }
            out.push_str(&text);
        }
    }
    // Behind a difference there is an empty line, but not behind the word that there is none to see.
    if out
        .lines()
        .last()
        .is_some_and(|last| last.starts_with(SKIPPED))
    {
        out.pop();
    }
    out
}

const SKIPPED: &str = "diff skipped: ";

fn skipped(out: &mut String, why: &str) {
    let _ = writeln!(out, "{SKIPPED}{why}");
}

fn one(out: &mut String, diff: &Dict) {
    for (key, side) in [("dst_binary", "before"), ("src_binary", "after")] {
        if diff.contains(key) {
            let what = if side == "before" {
                "destination"
            } else {
                "source"
            };
            skipped(out, &format!("{what} file appears to be binary"));
        }
    }
    if let Some(limit) = diff.get("dst_larger") {
        skipped(
            out,
            &format!("destination file size is greater than {limit}"),
        );
    }
    if let Some(limit) = diff.get("src_larger") {
        skipped(out, &format!("source file size is greater than {limit}"));
    }
    if let (Some(before), Some(after)) = (diff.get("before"), diff.get("after")) {
        let header = |side: &str| match diff.get(&format!("{side}_header")) {
            Some(name) => format!("{side}: {name}"),
            None => side.to_owned(),
        };
        let (before, after) = (text(&before), text(&after));
        let compared = TextDiff::from_lines(&before, &after);
        let shown = compared
            .unified_diff()
            .context_radius(3)
            .header(&header("before"), &header("after"))
            .missing_newline_hint(true)
            .to_string();
        if !shown.is_empty() {
            out.push_str(&shown);
        }
    }
    if let Some(prepared) = diff.get("prepared") {
        out.push_str(&prepared.to_str());
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Str(text) => text.as_str().to_owned(),
        Value::None => String::new(),
        other => {
            let style = JsonStyle {
                sort_keys: true,
                ..JsonStyle::indented(4)
            };
            let mut text = other.to_json(&style).unwrap_or_else(|_| other.to_str());
            text.push('\n');
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_name_the_file_and_a_missing_newline_is_said() {
        let diff = Value::dict([
            ("before", Value::str("a\n")),
            ("after", Value::str("b")),
            ("before_header", Value::str("/x")),
            ("after_header", Value::str("/y")),
        ]);
        assert_eq!(
            unified(&diff),
            "--- before: /x\n+++ after: /y\n@@ -1 +1 @@\n-a\n+b\n\\ No newline at end of file\n"
        );
    }

    #[test]
    fn data_is_compared_as_sorted_json() {
        let diff = Value::dict([
            (
                "before",
                Value::dict([("path", Value::str("/x")), ("mode", Value::str("0644"))]),
            ),
            (
                "after",
                Value::dict([("path", Value::str("/x")), ("mode", Value::str("0600"))]),
            ),
        ]);
        assert_eq!(
            unified(&diff),
            "--- before\n+++ after\n@@ -1,4 +1,4 @@\n {\n-    \"mode\": \"0644\",\n+    \"mode\": \"0600\",\n     \"path\": \"/x\"\n }\n"
        );
    }
}
