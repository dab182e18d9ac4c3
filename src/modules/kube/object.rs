//! Objects in the words of `kubectl … --output=yaml`, as people are shown them.

/// Splits kubectl's YAML into its objects: a `List` has one an item, else there is one or none.
pub(super) fn objects(yaml: &str) -> Vec<String> {
    if yaml.trim().is_empty() {
        return Vec::new();
    }
    let is_list = yaml.lines().any(|line| line == "kind: List");
    if !is_list {
        return vec![yaml.to_owned()];
    }
    let mut all: Vec<String> = Vec::new();
    let inside = yaml
        .lines()
        .skip_while(|line| *line != "items:")
        .skip(1)
        .take_while(|line| line.is_empty() || line.starts_with([' ', '-']));
    for line in inside {
        if line.starts_with("- ") {
            all.push(String::new());
        }
        if let Some(last) = all.last_mut() {
            last.push_str(line.get(2..).unwrap_or_default());
            last.push('\n');
        }
    }
    all
}

/// Says whether the server alone keeps this: `path` is the top-level key, the key below and the
/// annotation.
fn is_bookkeeping(path: &[&str]) -> bool {
    const META: [&str; 6] = [
        "creationTimestamp",
        "generation",
        "managedFields",
        "resourceVersion",
        "selfLink",
        "uid",
    ];
    const NOTES: [&str; 2] = [
        "deprecated.daemonset.template.generation",
        "kubectl.kubernetes.io/last-applied-configuration",
    ];
    match path {
        ["status"] => true,
        ["metadata", key] => META.contains(key),
        ["metadata", "annotations", key] => NOTES.contains(key),
        _ => false,
    }
}

/// Takes out what the server keeps for itself: it changes with every write and tells nobody
/// anything about what a manifest asks for.
pub(super) fn without_bookkeeping(object: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut path: Vec<&str> = Vec::new();
    let mut skipped: Option<usize> = None;
    for line in object.lines() {
        let depth = line.len() - line.trim_start().len();
        if let Some(level) = skipped {
            let item = depth == level && line.trim_start().starts_with("- ");
            if line.trim().is_empty() || depth > level || item {
                continue;
            }
            skipped = None;
        }
        // Deeper lines belong to nothing that is looked at, or are text.
        if depth.is_multiple_of(2) && depth <= 4 && !line.trim().is_empty() {
            path.truncate(depth / 2);
            if path.len() == depth / 2 {
                path.push(key_of(line));
                if is_bookkeeping(&path) {
                    skipped = Some(depth);
                    continue;
                }
            }
        }
        kept.push(line);
    }
    let mut out = String::new();
    for (at, line) in kept.iter().enumerate() {
        let next = kept.get(at + 1).copied().unwrap_or_default();
        if *line == "  annotations:" && !next.starts_with("    ") {
            continue;
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}

fn key_of(line: &str) -> &str {
    let line = line.trim_start();
    line.split_once(':').map_or(line, |(key, _)| key)
}

/// Stands in for a value that the server will choose.
const UNKNOWN: &str = "(not known until applied)";

/// Replaces what a dry run had the server choose, and a real run will have it choose anew: a
/// Service's addresses and node ports, where neither the manifest nor the living object has them.
pub(super) fn without_guesses(after: &str, before: &str, manifest: &str) -> String {
    const CHOSEN: [&str; 4] = ["clusterIP", "clusterIPs", "nodePort", "healthCheckNodePort"];
    if !after.lines().any(|line| line == "kind: Service") {
        return after.to_owned();
    }
    let chosen = |key: &str| {
        let given = [format!("{key}:"), format!("\"{key}\"")];
        CHOSEN.contains(&key) && !given.iter().any(|given| manifest.contains(given.as_str()))
    };
    let mut out = String::new();
    let mut list = None;
    for line in after.lines() {
        let key = key_of(line);
        let depth = line.len() - line.trim_start().len();
        let living = before.lines().any(|old| old == line);
        if list == Some(depth) && line.trim_start().starts_with("- ") && !living {
            out.push_str(&format!("{}- {UNKNOWN}\n", " ".repeat(depth)));
            continue;
        }
        let is_head = line.ends_with(':');
        list = (is_head && chosen(key)).then_some(depth);
        if !is_head && chosen(key) && !living && !line.ends_with(": None") {
            out.push_str(&format!("{}{key}: {UNKNOWN}\n", " ".repeat(depth)));
        } else {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIVE: &str = "apiVersion: v1\nkind: Service\nmetadata:\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: |\n      {\"a\":1}\n  creationTimestamp: \"2024-05-06T07:08:09Z\"\n  labels:\n    uid: mine\n  managedFields:\n  - apiVersion: v1\n    time: now\n  name: r\n  uid: 1-2\nspec:\n  clusterIP: 10.0.0.7\n  clusterIPs:\n  - 10.0.0.7\n  ports:\n  - port: 5000\n    uid: 3\nstatus:\n  loadBalancer: {}\n";

    #[test]
    fn what_the_server_keeps_for_itself_is_left_out() {
        assert_eq!(
            without_bookkeeping(LIVE),
            "apiVersion: v1\nkind: Service\nmetadata:\n  labels:\n    uid: mine\n  name: r\nspec:\n  clusterIP: 10.0.0.7\n  clusterIPs:\n  - 10.0.0.7\n  ports:\n  - port: 5000\n    uid: 3\n"
        );
    }

    #[test]
    fn text_that_looks_like_bookkeeping_stays() {
        let text = "data:\n  f: |\n    status:\n    metadata:\n      uid: 1\nkind: ConfigMap\nmetadata:\n  annotations:\n    mine: x\n";
        assert_eq!(without_bookkeeping(text), text);
    }

    #[test]
    fn a_list_is_split_into_its_objects() {
        let list = "apiVersion: v1\nitems:\n- apiVersion: v1\n  data:\n    a: |\n      x\n\n      y\n  kind: ConfigMap\n- kind: Secret\nkind: List\nmetadata:\n  resourceVersion: \"\"\n";
        assert_eq!(
            objects(list),
            [
                "apiVersion: v1\ndata:\n  a: |\n    x\n\n    y\nkind: ConfigMap\n",
                "kind: Secret\n"
            ]
        );
        assert_eq!(objects("kind: Pod\n"), ["kind: Pod\n"]);
        assert!(objects("\n").is_empty());
    }

    #[test]
    fn what_the_server_will_choose_is_not_guessed() {
        let new = without_guesses(LIVE, "", "kind: Service\n");
        assert!(!new.contains("10.0.0.7"), "{new}");
        assert!(
            new.contains(
                "  clusterIPs:\n  - (not known until applied)\n  ports:\n  - port: 5000\n"
            ),
            "{new}"
        );
        assert_eq!(without_guesses(LIVE, LIVE, "kind: Service\n"), LIVE);
        let given = "spec:\n  clusterIP: 10.0.0.7\n  clusterIPs: [10.0.0.7]\n";
        assert_eq!(without_guesses(LIVE, "", given), LIVE);
    }
}
