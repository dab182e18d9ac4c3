//! What applying would do, out of `kubectl diff`'s text; data of Secrets is never shown.

use super::manifest::Object;
use crate::value::{Dict, Value};

/// What would happen to objects.
#[derive(Default)]
pub(super) struct Foreseen {
    changes: Vec<Change>,
}

struct Change {
    verb: &'static str,
    object: String,
    text: String,
    why: Vec<String>,
}

impl Foreseen {
    /// Adds the objects of a unified diff.
    pub(super) fn add(&mut self, text: &str) {
        let mut name = String::new();
        let mut body = String::new();
        for line in text.lines() {
            if line.starts_with("diff ") {
                self.finish(&name, &body);
                body.clear();
                name = line.rsplit('/').next().unwrap_or_default().to_owned();
            } else if line.starts_with("--- ") || line.starts_with("+++ ") {
                // Names of temporary files; the object's own name stands in for them.
                let path = line[4..].split('\t').next().unwrap_or_default();
                let base = path.rsplit('/').next().unwrap_or_default();
                if name.is_empty() {
                    base.clone_into(&mut name);
                }
            } else {
                body.push_str(line);
                body.push('\n');
            }
        }
        self.finish(&name, &body);
    }

    fn finish(&mut self, name: &str, body: &str) {
        if name.is_empty() || body.is_empty() {
            return;
        }
        let object = object_name(name);
        let created = body.starts_with("@@ -0,0 ");
        let secret = object.starts_with("Secret ");
        let body = if secret {
            masked(body)
        } else {
            body.to_owned()
        };
        let (from, to) = if created {
            ("/dev/null".to_owned(), object.clone())
        } else {
            (object.clone(), object.clone())
        };
        self.changes.push(Change {
            verb: if created { "create" } else { "configure" },
            text: format!("--- {from}\n+++ {to}\n{body}"),
            object,
            why: Vec::new(),
        });
    }

    /// Adds an object that can't be diffed yet since what holds it doesn't exist yet.
    pub(super) fn creates(&mut self, object: &Object) {
        let lines: String = object.text.lines().map(|l| format!("+{l}\n")).collect();
        let header = format!("@@ -0,0 +1,{} @@\n", object.text.lines().count());
        let body = format!("{header}{lines}");
        let body = if object.kind == "Secret" {
            masked(&body)
        } else {
            body
        };
        let name = object.shown();
        self.changes.push(Change {
            verb: "create",
            text: format!("--- /dev/null\n+++ {name}\n{body}"),
            object: name,
            why: Vec::new(),
        });
    }

    /// Adds an object that the server won't change in place.
    pub(super) fn recreates(&mut self, object: &Object, why: Vec<String>) {
        let name = object.shown();
        self.changes.push(Change {
            verb: "delete and recreate",
            text: format!("--- {name}\n+++ {name} (deleted and recreated)\n"),
            object: name,
            why,
        });
    }

    /// Returns one diff per object, ready to be shown.
    pub(super) fn diffs(&self) -> Value {
        Value::list(
            self.changes
                .iter()
                .map(|change| Value::dict([("prepared", Value::from(change.text.as_str()))]))
                .collect(),
        )
    }

    /// Returns a dry run's result.
    pub(super) fn result(&self) -> Dict {
        let result = Dict::new();
        result.set("changed", !self.changes.is_empty());
        result.set("rc", 0);
        result.set("diff", self.diffs());
        let mut said = Vec::new();
        let mut recreated = Vec::new();
        for verb in ["create", "configure", "delete and recreate"] {
            let these: Vec<&str> = self
                .changes
                .iter()
                .filter(|c| c.verb == verb)
                .map(|c| c.object.as_str())
                .collect();
            if !these.is_empty() {
                said.push(format!("would {verb}: {}", these.join(", ")));
            }
        }
        for change in &self.changes {
            recreated.extend(change.why.iter().map(|w| Value::from(w.as_str())));
        }
        if !recreated.is_empty() {
            result.set("recreated", Value::list(recreated));
        }
        let message = if said.is_empty() {
            "nothing would change".to_owned()
        } else {
            said.join("; ")
        };
        result.set("msg", message);
        result
    }
}

/// Turns kubectl's file name (`apps.v1.DaemonSet.ns.name`) into `DaemonSet ns/name`.
fn object_name(file: &str) -> String {
    let parts: Vec<&str> = file.split('.').collect();
    let kind = parts
        .iter()
        .position(|p| p.chars().next().is_some_and(char::is_uppercase));
    match kind {
        Some(at) if parts.len() > at + 2 => {
            let (space, name) = (parts[at + 1], parts[at + 2..].join("."));
            if space.is_empty() {
                format!("{} {name}", parts[at])
            } else {
                format!("{} {space}/{name}", parts[at])
            }
        }
        _ => file.to_owned(),
    }
}

/// Hides the values below `data:` and `stringData:`, and the annotation that repeats them.
fn masked(body: &str) -> String {
    let mut out = String::new();
    let mut inside: Option<usize> = None;
    for line in body.lines() {
        let (mark, rest) = match line.chars().next() {
            Some('+' | '-' | ' ') => line.split_at(1),
            _ => ("", line),
        };
        let indent = rest.len() - rest.trim_start().len();
        let key = rest.trim_start().split(':').next().unwrap_or_default();
        if mark.is_empty() && line.starts_with("@@") {
            // What a new hunk belongs to is unknown until a line says so.
            inside = Some(0);
            out.push_str(line.split(" @@").next().unwrap_or(line));
            out.push_str(" @@\n");
            continue;
        }
        if indent == 0 && !rest.is_empty() {
            inside = matches!(key, "data" | "stringData").then_some(0);
            let value = rest.split_once(':').map_or("", |(_, v)| v.trim());
            if inside.is_some() && !value.is_empty() {
                out.push_str(&format!("{mark}{key}: ********\n"));
            } else {
                out.push_str(&format!("{mark}{rest}\n"));
            }
            continue;
        }
        if key.contains("last-applied-configuration") {
            out.push_str(&format!("{mark}{}{key}: ********\n", " ".repeat(indent)));
        } else if inside.is_some() {
            if rest.contains(':') && indent <= 2 {
                out.push_str(&format!("{mark}{}{key}: ********\n", " ".repeat(indent)));
            } else {
                out.push_str(&format!("{mark}{}********\n", " ".repeat(indent)));
            }
        } else if rest.contains("\"data\"") || rest.contains("\"stringData\"") {
            out.push_str(&format!("{mark}{}********\n", " ".repeat(indent)));
        } else {
            out.push_str(&format!("{mark}{rest}\n"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kubectl_s_file_names_are_read() {
        assert_eq!(
            object_name("v1.Service.kube-system.registry"),
            "Service kube-system/registry"
        );
        assert_eq!(
            object_name("rbac.authorization.k8s.io.v1.ClusterRole..psp:registry"),
            "ClusterRole psp:registry"
        );
    }

    #[test]
    fn data_of_secrets_is_never_shown() {
        let mut foreseen = Foreseen::default();
        foreseen.add("diff -u -N /t/LIVE-1/v1.Secret.n.s /t/MERGED-2/v1.Secret.n.s\n--- /t/LIVE-1/v1.Secret.n.s\n+++ /t/MERGED-2/v1.Secret.n.s\n@@ -1,4 +1,4 @@\n apiVersion: v1\n data:\n-  p: c2VjcmV0\n+  p: b3RoZXI=\n kind: Secret\n");
        let text = foreseen.diffs().to_str();
        assert!(
            !text.contains("c2VjcmV0") && !text.contains("b3RoZXI="),
            "{text}"
        );
        assert!(
            text.contains("+  p: ********") && text.contains("kind: Secret"),
            "{text}"
        );
    }
}
