//! What kubectl's lines and the server's sentences say.

/// Says whether kubectl's lines (`service/registry configured`) report a change.
pub(super) fn changes(stdout: &str) -> bool {
    stdout.lines().any(is_change)
}

/// Returns kubectl's lines that report a change.
pub(super) fn changed(stdout: &str) -> Vec<&str> {
    stdout
        .lines()
        .map(str::trim)
        .filter(|line| is_change(line))
        .collect()
}

fn is_change(line: &str) -> bool {
    const WORDS: &[&str] = &[
        "created",
        "configured",
        "deleted",
        "replaced",
        "pruned",
        "serverside-applied",
    ];
    // `kubectl delete` says `service "x" deleted`, and newer ones `… deleted from ns namespace`.
    let line = line.trim();
    line.contains("\" deleted")
        || WORDS
            .iter()
            .any(|word| line.ends_with(&format!(" {word}")) || line.contains(&format!(" {word} (")))
}

/// Says whether all that the server refused is an update that another one overtook.
pub(super) fn is_conflict(stderr: &str) -> bool {
    let sentences = sentences(&without_log(stderr));
    !sentences.is_empty() && sentences.iter().all(|s| s.contains(CONFLICT))
}

const CONFLICT: &str = "the object has been modified";

/// Returns the server's sentences about objects that it won't change in place; empty where any
/// refusal is of another kind.
pub(super) fn immutable(stderr: &str) -> Vec<String> {
    const WORDS: &[&str] = &[
        "field is immutable",
        "is immutable",
        "may not change once set",
        "may not be changed",
        "can not be unset",
        "cannot change roleRef",
        "Forbidden: updates to",
        "Forbidden: pod updates may not change",
        CONFLICT,
    ];
    let sentences = sentences(&without_log(stderr));
    if sentences
        .iter()
        .all(|sentence| WORDS.iter().any(|word| sentence.contains(word)))
    {
        sentences.iter().map(|text| without_dump(text)).collect()
    } else {
        Vec::new()
    }
}

/// Takes out what kubectl logs (`--v`): lines that begin with a letter and a date, and theirs.
pub(super) fn without_log(stderr: &str) -> String {
    let is_log = |line: &&str| {
        let begins = line.starts_with(['I', 'W', 'E', 'F'])
            && line.len() > 5
            && line.bytes().skip(1).take(4).all(|b| b.is_ascii_digit());
        begins || line.starts_with(['\t', ' '])
    };
    let kept: Vec<&str> = stderr.lines().filter(|line| !is_log(line)).collect();
    kept.join("\n")
}

/// Splits standard error into what is said of each object; a list of reasons stays with it.
fn sentences(stderr: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for line in stderr
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("Warning:"))
    {
        let begins = ["The ", "Error", "error"]
            .iter()
            .any(|w| line.starts_with(w));
        match all.last_mut() {
            Some(last) if !begins => {
                last.push(' ');
                last.push_str(line);
            }
            _ => all.push(line.to_owned()),
        }
    }
    all
}

/// Takes out the Go structure that some servers print between the field and the reason, as in
/// `spec.selector: Invalid value: v1.LabelSelector{…}: field is immutable`.
fn without_dump(sentence: &str) -> String {
    let Some(at) = sentence.find(": Invalid value: ") else {
        return sentence.to_owned();
    };
    let value = &sentence[at..];
    match (value.find('{'), value.rfind("}: ")) {
        (Some(open), Some(close)) if open < close => {
            format!("{}{}", &sentence[..at], &value[close + 1..])
        }
        _ => sentence.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_about_changes_are_told_from_others() {
        for line in [
            "service/r created",
            "service/r configured (server dry run)",
            "service \"r\" deleted",
            "service \"r\" deleted from n namespace",
            "service/r serverside-applied",
        ] {
            assert!(changes(line), "{line}");
        }
        for line in [
            "service/created unchanged",
            "",
            "service/r unchanged (server dry run)",
        ] {
            assert!(!changes(line), "{line}");
        }
    }

    #[test]
    fn a_refusal_of_another_kind_forces_nothing() {
        let fixed = "The Service \"r\" is invalid: spec.clusterIP: Invalid value: \"1\": field is immutable\n";
        let wrong = "The Service \"s\" is invalid: spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive\n";
        assert_eq!(immutable(fixed).len(), 1);
        assert_eq!(immutable(wrong).len(), 0);
        assert_eq!(immutable(&format!("{fixed}{wrong}")).len(), 0);
        assert_eq!(immutable("").len(), 0);
    }

    #[test]
    fn what_kubectl_logs_is_not_what_the_server_refused() {
        let said = "I1124 06:47:16.109764   12784 round_trippers.go:632] \"Response\" headers=<\n\tDate: now\n >\nThe Service \"r\" is invalid: spec.clusterIP: field is immutable\n";
        assert_eq!(
            immutable(said),
            ["The Service \"r\" is invalid: spec.clusterIP: field is immutable"]
        );
    }

    #[test]
    fn the_dump_of_a_structure_is_left_out() {
        let said = "The Deployment \"r\" is invalid: spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{\"a\":\"b\"}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable";
        assert_eq!(
            immutable(said),
            ["The Deployment \"r\" is invalid: spec.selector: field is immutable"]
        );
    }
}
