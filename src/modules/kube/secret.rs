//! Keeps the data of Secrets out of everything that is shown.

use crate::diag::Sources;
use crate::value::{Dict, Value};
use crate::yaml::{self, EmitStyle};

/// Stands in for a value that is not shown.
pub(super) const HIDDEN: &str = "********";

/// Below these keys of a Secret nothing is shown.
const DATA: [&str; 2] = ["data", "stringData"];

/// The annotation in which `kubectl apply` repeats the whole object.
const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Hides the data of the Secrets in two texts that are compared; `None` where neither has a Secret.
///
/// What differs between them is marked, so that a change is still seen. A text that looks like a
/// Secret and can't be read is hidden as a whole.
#[must_use]
pub fn hide_secrets(before: &str, after: &str) -> Option<(String, String)> {
    if !mentions_secret(before) && !mentions_secret(after) {
        return None;
    }
    let (Some(old), Some(new)) = (documents(before), documents(after)) else {
        let whole = |text: &str| {
            if text.is_empty() {
                String::new()
            } else {
                format!("{HIDDEN}\n")
            }
        };
        return Some((whole(before), whole(after)));
    };
    let (old_values, new_values) = (values_of(&old), values_of(&new));
    if old_values.is_empty() && new_values.is_empty() {
        return None;
    }
    Some((
        show(&old, &new_values, "before"),
        show(&new, &old_values, "after"),
    ))
}

/// Returns every value of every Secret of a manifest, as it is written there.
pub(super) fn secret_values(manifest: &str) -> Vec<String> {
    if !mentions_secret(manifest) {
        return Vec::new();
    }
    let documents = documents(manifest).unwrap_or_default();
    let mut all: Vec<String> = values_of(&documents).into_iter().map(|(_, v)| v).collect();
    // Longer ones first: one may be part of another.
    all.sort_by_key(|value| std::cmp::Reverse(value.len()));
    all.retain(|value| !value.is_empty());
    all
}

/// Replaces values of Secrets in what kubectl or the server said.
pub(super) fn conceal(said: &str, values: &[String]) -> String {
    /// Behind these the server quotes a part of what it was sent, cut anywhere.
    const QUOTES: &[&str] = &[
        ", error found in #",
        "Invalid value: \"map[",
        "Invalid value: \"{",
        "Request Body:",
        "Response Body:",
    ];
    if values.is_empty() {
        return said.to_owned();
    }
    let mut out = String::with_capacity(said.len());
    for line in said.split_inclusive('\n') {
        let (body, end) = match line.strip_suffix('\n') {
            Some(body) => (body, "\n"),
            None => (line, ""),
        };
        let quoted = QUOTES.iter().filter_map(|q| body.find(q)).min();
        match quoted {
            Some(at) => {
                out.push_str(&body[..at]);
                out.push_str(HIDDEN);
            }
            None => out.push_str(body),
        }
        out.push_str(end);
    }
    for value in values {
        out = out.replace(value.as_str(), HIDDEN);
        let escaped = format!("{value:?}");
        let escaped = &escaped[1..escaped.len() - 1];
        if escaped != value {
            out = out.replace(escaped, HIDDEN);
        }
    }
    out
}

fn mentions_secret(text: &str) -> bool {
    text.contains("Secret")
}

fn documents(text: &str) -> Option<Vec<Value>> {
    let sources = Sources::default();
    let id = sources.add("manifest", text);
    let loaded = yaml::load_all(&sources, id).ok()?;
    let nodes = loaded.documents.into_iter().flatten();
    Some(nodes.map(|node| node.to_value()).collect())
}

/// Where a value is: the object's name and namespace, then the key.
type Place = (String, String);

fn values_of(documents: &[Value]) -> Vec<(Place, String)> {
    let mut all = Vec::new();
    for document in documents {
        collect(document, &mut all);
    }
    all
}

fn collect(value: &Value, all: &mut Vec<(Place, String)>) {
    match value {
        Value::List(list) => list.to_vec().iter().for_each(|item| collect(item, all)),
        Value::Dict(dict) if is_secret(dict) => {
            let name = name_of(dict);
            for key in DATA {
                if let Some(Value::Dict(data)) = dict.get(key) {
                    for (inner, value) in data.to_vec() {
                        let place = (name.clone(), inner.value().to_str());
                        all.push((place, value.to_str()));
                    }
                }
            }
        }
        Value::Dict(dict) => dict.to_vec().iter().for_each(|(_, v)| collect(v, all)),
        _ => {}
    }
}

fn is_secret(dict: &Dict) -> bool {
    dict.get("kind")
        .is_some_and(|kind| kind.to_str() == "Secret")
        && dict.contains("apiVersion")
}

fn name_of(secret: &Dict) -> String {
    let meta = secret.get("metadata").unwrap_or(Value::None);
    let part = |key| meta.get(key).map(|v| v.to_str()).unwrap_or_default();
    format!("{}/{}", part("namespace"), part("name"))
}

fn show(documents: &[Value], other: &[(Place, String)], side: &str) -> String {
    let style = EmitStyle {
        width: usize::MAX,
        ..EmitStyle::default()
    };
    let shown: Vec<String> = documents
        .iter()
        .map(|document| {
            let hidden = hide(document, other, side);
            yaml::emit(&hidden, &style).unwrap_or_else(|_| format!("{HIDDEN}\n"))
        })
        .collect();
    shown.join("---\n")
}

fn hide(value: &Value, other: &[(Place, String)], side: &str) -> Value {
    match value {
        Value::List(list) => {
            Value::list(list.to_vec().iter().map(|v| hide(v, other, side)).collect())
        }
        Value::Dict(dict) if is_secret(dict) => hide_one(dict, other, side),
        Value::Dict(dict) => {
            let copy = Dict::new();
            for (key, inner) in dict.to_vec() {
                copy.set_key(key, hide(&inner, other, side));
            }
            Value::Dict(copy)
        }
        plain => plain.clone(),
    }
}

fn hide_one(secret: &Dict, other: &[(Place, String)], side: &str) -> Value {
    let copy = secret.copy();
    let name = name_of(secret);
    for key in DATA {
        match secret.get(key) {
            Some(Value::Dict(data)) => {
                let hidden = Dict::new();
                for (inner, value) in data.to_vec() {
                    let place = (name.clone(), inner.value().to_str());
                    let same = other.contains(&(place, value.to_str()));
                    let mark = if same || other.is_empty() {
                        HIDDEN.to_owned()
                    } else {
                        format!("{HIDDEN} ({side})")
                    };
                    hidden.set_key(inner, Value::from(mark));
                }
                copy.set(key, Value::Dict(hidden));
            }
            Some(Value::None) | None => {}
            Some(_) => copy.set(key, HIDDEN),
        }
    }
    if let Some(Value::Dict(meta)) = secret.get("metadata")
        && let Some(Value::Dict(notes)) = meta.get("annotations")
        && notes.contains(APPLIED)
    {
        let (meta, notes) = (meta.copy(), notes.copy());
        notes.set(APPLIED, HIDDEN);
        meta.set("annotations", Value::Dict(notes));
        copy.set("metadata", Value::Dict(meta));
    }
    Value::Dict(copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, annotations: {kubectl.kubernetes.io/last-applied-configuration: 'x hunter2'}}\ndata: {p: aHVudGVyMg==, same: c2FtZQ==}\nstringData:\n  q: |\n    hunter2\n";

    #[test]
    fn no_value_is_shown_and_what_differs_is_marked() {
        let other = SECRET.replace("aHVudGVyMg==", "b3RoZXI=");
        let (before, after) = hide_secrets(SECRET, &other).expect("it has a Secret");
        for text in [&before, &after] {
            for value in ["aHVudGVyMg==", "b3RoZXI=", "hunter2", "c2FtZQ=="] {
                assert!(!text.contains(value), "{text}");
            }
        }
        assert!(
            before.contains("p: '******** (before)'") && before.contains("same: '********'"),
            "{before}"
        );
        assert!(after.contains("p: '******** (after)'"), "{after}");
    }

    #[test]
    fn secrets_in_lists_are_hidden_and_other_documents_stay() {
        let list = format!(
            "kind: ConfigMap\ndata: {{a: shown}}\n---\nkind: List\nitems:\n- {}",
            SECRET.replace('\n', "\n  ")
        );
        let (_, after) = hide_secrets("", &list).expect("it has a Secret");
        assert!(
            after.contains("a: shown") && !after.contains("hunter2"),
            "{after}"
        );
    }

    #[test]
    fn a_secret_that_can_t_be_read_is_hidden_as_a_whole() {
        let (_, after) = hide_secrets("", "kind: Secret\n\tdata: {p: hunter2}\n").expect("hidden");
        assert_eq!(after, "********\n");
    }

    #[test]
    fn texts_without_secrets_stay() {
        assert_eq!(hide_secrets("a: 1\n", "a: 2\n"), None);
        assert_eq!(
            hide_secrets(
                "secretName: s\n",
                "kind: RoleBinding\nmetadata: {name: Secret}\n"
            ),
            None
        );
    }

    #[test]
    fn what_the_server_quotes_is_concealed() {
        let values = secret_values(SECRET);
        let said = "cannot be handled: illegal base64 data, error found in #10 byte of ...|VudGVyMg==\"|...\nother aHVudGVyMg== line\nstringData:map[q:hunter2\\n]\n";
        let shown = conceal(said, &values);
        assert_eq!(
            shown,
            "cannot be handled: illegal base64 data********\nother ******** line\nstringData:map[q:********]\n"
        );
    }
}
