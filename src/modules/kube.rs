//! `kube`: kubespray's module, with honest results.
//!
//! `changed` is true only when kubectl says that it made, configured or removed something. Where
//! kubespray's module always passes `--force`, this one applies without it first; what the server
//! refuses to change in place is named, then deleted and recreated (`kube_force = never` forbids
//! that). In a dry run the manifest's bytes go to `kubectl diff` on standard input.
//!
//! **Source:** arguments and command lines as observed of kubespray's `library/kube.py`.

mod diff;
mod manifest;

use std::path::Path;

use super::outcome::{Fail, errno_text};
use super::{Default, Invocation, Kind, Module, Param, Ran, Spec};
use crate::system::{Command, Effect, Executed, Output, System, errno};
use crate::value::{Dict, Value};

/// The table's row.
pub(super) const MODULE: Module = Module {
    name: "kube",
    spec: Spec {
        params: &[
            Param::new("name", Kind::Str),
            Param::new("filename", Kind::List)
                .elements(Kind::Str)
                .aliases(&["files", "file", "filenames"]),
            Param::new("namespace", Kind::Str),
            Param::new("resource", Kind::Str),
            Param::new("label", Kind::Str),
            Param::new("server", Kind::Str),
            Param::new("kubectl", Kind::Str),
            Param::new("kubeconfig", Kind::Str),
            Param::new("force", Kind::Bool).default(Default::Bool(false)),
            Param::new("wait", Kind::Bool).default(Default::Bool(false)),
            Param::new("all", Kind::Bool).default(Default::Bool(false)),
            Param::new("log_level", Kind::Int).default(Default::Int(0)),
            Param::new("state", Kind::Str)
                .choices(&[
                    "present", "absent", "latest", "reloaded", "stopped", "exists",
                ])
                .default(Default::Str("present")),
            Param::new("recursive", Kind::Bool).default(Default::Bool(false)),
        ],
        file: false,
        mutually_exclusive: &[],
        required_if: &[],
    },
    doc: "Applies, removes and looks at Kubernetes objects with kubectl.",
    example: "- kube:\n    kubectl: /usr/local/bin/kubectl\n    filename: /etc/kubernetes/registry-svc.yml\n    state: latest",
    run,
};

fn run(invocation: &Invocation<'_>, system: &dyn System) -> Ran {
    let kube = Kube { invocation, system };
    match invocation.text("state").as_deref() {
        Some("absent") => kube.delete(),
        Some("exists") => kube.exists(),
        Some("stopped") => kube.stop(),
        _ => kube.apply(),
    }
}

struct Kube<'a> {
    invocation: &'a Invocation<'a>,
    system: &'a dyn System,
}

impl Kube<'_> {
    fn files(&self) -> Vec<String> {
        self.invocation.list("filename").unwrap_or_default()
    }

    fn command(&self, verb: &[&str], effect: Effect) -> Command {
        let mut argv = vec![
            self.invocation
                .text("kubectl")
                .unwrap_or_else(|| "kubectl".into()),
        ];
        let given = [
            ("server", "server"),
            ("kubeconfig", "kubeconfig"),
            ("namespace", "namespace"),
        ];
        for (name, option) in given {
            if let Some(value) = self.invocation.text(name) {
                argv.push(format!("--{option}={value}"));
            }
        }
        if let Some(level) = self.invocation.text("log_level").filter(|l| l != "0") {
            argv.push(format!("--v={level}"));
        }
        argv.extend(verb.iter().map(|v| (*v).to_owned()));
        let mut command = Command {
            effect,
            ..Command::read(argv)
        };
        for (name, value) in self.invocation.context.environment {
            command = command.env(name, value);
        }
        command
    }

    fn exec(&self, command: &Command) -> Result<Option<Output>, Fail> {
        match self.system.exec(command) {
            Ok(Executed::Ran(output)) => Ok(Some(output)),
            Ok(Executed::Unknown) => Ok(None),
            Err(e) => {
                let name = &command.argv[0];
                let why = if e.raw_os_error() == Some(errno::ENOENT) {
                    format!("kubectl not found: {name}")
                } else {
                    format!("can't run {name}: {}", errno_text(&e))
                };
                Err(Fail::new(format!("{why} ({})", self.subject())))
            }
        }
    }

    /// Names what the call is about, for messages.
    fn subject(&self) -> String {
        let files = self.files();
        if files.is_empty() {
            let part = |name| self.invocation.text(name).unwrap_or_default();
            format!("{} {}", part("resource"), part("name"))
                .trim()
                .to_owned()
        } else {
            files.join(",")
        }
    }

    fn refused(&self, command: &Command, output: &Output) -> Fail {
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        let said = if err.trim().is_empty() { &out } else { &err };
        Fail::new(format!(
            "error running kubectl ({}) command (rc={}) for {}: {}",
            command.argv.join(" "),
            output.rc,
            self.subject(),
            said.trim()
        ))
        .with("rc", output.rc)
        .with("stdout", out.as_str())
        .with("stderr", err.as_str())
    }

    fn apply(&self) -> Ran {
        let files = self.files();
        if files.is_empty() {
            return Err(Fail::new("filename required to create"));
        }
        let mut verb = vec!["apply".to_owned()];
        if self.invocation.is("wait") {
            verb.push("--wait".into());
        }
        if self.invocation.is("recursive") {
            verb.push("--recursive=True".into());
        }
        verb.push(format!("--filename={}", files.join(",")));
        let verb: Vec<&str> = verb.iter().map(String::as_str).collect();
        // A diff of what is about to change must be taken before it changes.
        let foreseen = if self.invocation.context.diff {
            Some(self.foresee(&files)?)
        } else {
            None
        };
        let command = self.command(&verb, Effect::Write);
        let Some(output) = self.exec(&command)? else {
            let foreseen = match foreseen {
                Some(foreseen) => foreseen,
                None => self.foresee(&files)?,
            };
            return Ok(foreseen.result());
        };
        let mut output = output;
        let mut recreated = Vec::new();
        if output.rc != 0 {
            recreated = immutable(&text(&output.stderr));
            if recreated.is_empty() {
                return Err(self.refused(&command, &output));
            }
            self.may_recreate(&recreated)?;
            let mut forced = verb.clone();
            forced.insert(1, "--force");
            let command = self.command(&forced, Effect::Write);
            let second = self.exec(&command)?.unwrap_or_default();
            if second.rc != 0 {
                return Err(self
                    .refused(&command, &second)
                    .with("recreated", names(&recreated)));
            }
            // The first pass may have made objects that the second finds unchanged.
            let mut stdout = output.stdout.clone();
            stdout.extend_from_slice(&second.stdout);
            output = Output { stdout, ..second };
        }
        let out = text(&output.stdout);
        let result = Dict::new();
        result.set("changed", !recreated.is_empty() || changes(&out));
        result.set("rc", output.rc);
        result.set("stdout", out.as_str());
        result.set("stdout_lines", super::command::lines(&out));
        result.set("stderr", text(&output.stderr));
        let mut message = format!("success: {}", out.lines().collect::<Vec<_>>().join(" "));
        if !recreated.is_empty() {
            message.push_str(&format!(
                "; deleted and recreated: {}",
                recreated.join("; ")
            ));
            result.set("recreated", names(&recreated));
        }
        result.set("msg", message);
        if let Some(foreseen) = foreseen {
            result.set("diff", foreseen.diffs());
        }
        Ok(result)
    }

    fn may_recreate(&self, objects: &[String]) -> Result<(), Fail> {
        let setting = self.invocation.context.settings.get("kube_force");
        if setting.is_some_and(|s| s == "never") {
            return Err(Fail::new(format!(
                "the server refuses to change in place, and kube_force = never forbids to delete and recreate: {}",
                objects.join("; ")
            )));
        }
        Ok(())
    }

    /// Says what applying would do; nothing is written on the machine or the server.
    fn foresee(&self, files: &[String]) -> Result<diff::Foreseen, Fail> {
        let (bytes, elsewhere) =
            manifest::read(self.system, files, self.invocation.is("recursive"))
                .map_err(Fail::new)?;
        let source = if elsewhere.is_empty() {
            "--filename=-".to_owned()
        } else {
            format!("--filename={}", elsewhere.join(","))
        };
        let mut objects = manifest::objects(&bytes, &self.subject()).map_err(Fail::new)?;
        let default = self
            .invocation
            .text("namespace")
            .unwrap_or_else(|| "default".into());
        for object in &mut objects {
            if object.namespace.is_none() && !object.is_cluster_wide() {
                object.namespace = Some(default.clone());
            }
        }
        let key = |what: &str| {
            format!(
                "kube {} {} {what}",
                self.invocation.text("kubeconfig").unwrap_or_default(),
                self.invocation.text("server").unwrap_or_default()
            )
        };
        let mut foreseen = diff::Foreseen::default();
        let ask = |stdin: &[u8]| -> Result<(Command, Output), Fail> {
            let mut command = self
                .command(&["diff", &source], Effect::Read)
                .stdin(stdin)
                .env("KUBECTL_EXTERNAL_DIFF", "diff -u -N");
            // kubectl hands both sides to diff as files; memory keeps them off every disk.
            if self.system.stat(Path::new("/dev/shm")).is_ok() {
                command = command.env("TMPDIR", "/dev/shm");
            }
            let output = self.exec(&command)?.unwrap_or_default();
            Ok((command, output))
        };
        let (command, output) = ask(&bytes)?;
        if output.rc <= 1 && text(&output.stderr).trim().is_empty() || output.rc == 0 {
            foreseen.add(&text(&output.stdout));
        } else {
            // One object that can't be diffed hides the others, so each is asked for by itself.
            if objects.is_empty() {
                return Err(self.refused(&command, &output));
            }
            let made_here: Vec<String> = objects
                .iter()
                .filter(|o| o.kind == "Namespace")
                .map(|o| o.name.clone())
                .collect();
            for object in &objects {
                let (command, output) = ask(object.text.as_bytes())?;
                let err = text(&output.stderr);
                if output.rc <= 1 && err.trim().is_empty() || output.rc == 0 {
                    foreseen.add(&text(&output.stdout));
                    continue;
                }
                let space = object.namespace.clone().unwrap_or_default();
                let no_space = err.contains(&format!("namespaces \"{space}\" not found"));
                let expected = made_here.contains(&space)
                    || self.system.predicted(&key(&format!("Namespace/{space}")));
                let no_kind = err.contains("no matches for kind");
                let kind_expected = self
                    .system
                    .predicted(&key(&format!("kind {}", object.kind)));
                let refused = immutable(&err);
                if no_space && expected || no_kind && kind_expected {
                    foreseen.creates(object);
                } else if refused.is_empty() {
                    return Err(self.refused(&command, &output));
                } else {
                    self.may_recreate(&refused)?;
                    foreseen.recreates(object, refused);
                }
            }
        }
        for object in &objects {
            self.system
                .predict(&key(&format!("{}/{}", object.kind, object.name)));
            if let Some(kind) = &object.defines {
                self.system.predict(&key(&format!("kind {kind}")));
            }
        }
        Ok(foreseen)
    }

    /// Returns the words that name what `get` and `delete` are about.
    fn target(&self, verb: &str) -> Result<Vec<String>, Fail> {
        let files = self.files();
        let mut words = vec![verb.to_owned()];
        if files.is_empty() {
            let Some(resource) = self.invocation.text("resource") else {
                return Err(Fail::new(format!(
                    "resource required to {verb} without filename"
                )));
            };
            words.push(resource);
            if let Some(name) = self.invocation.text("name") {
                words.push(name);
            }
            if let Some(label) = self.invocation.text("label") {
                words.push(format!("--selector={label}"));
            }
            if self.invocation.is("all") {
                words.push(if verb == "get" {
                    "--all-namespaces".into()
                } else {
                    "--all".into()
                });
            }
        } else {
            words.push(format!("--filename={}", files.join(",")));
            if self.invocation.is("recursive") {
                words.push("--recursive=True".into());
            }
        }
        Ok(words)
    }

    /// Lists what is there; empty where nothing is.
    fn there(&self) -> Result<String, Fail> {
        let mut words = self.target("get")?;
        words.push("--no-headers".into());
        words.push("--ignore-not-found".into());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let command = self.command(&words, Effect::Read);
        let output = self.exec(&command)?.unwrap_or_default();
        let err = text(&output.stderr);
        if output.rc != 0 && !err.contains("NotFound") && !err.contains("no matches for kind") {
            return Err(self.refused(&command, &output));
        }
        Ok(text(&output.stdout))
    }

    fn exists(&self) -> Ran {
        let found = !self.there()?.trim().is_empty();
        let result = Dict::new();
        result.set("changed", false);
        result.set("msg", if found { "True" } else { "False" });
        result.set("rc", 0);
        Ok(result)
    }

    fn stop(&self) -> Ran {
        // `kubectl stop` is gone; deleting is what it did.
        self.delete()
    }

    fn delete(&self) -> Ran {
        let found = self.there()?;
        let result = Dict::new();
        if found.trim().is_empty() {
            result.set("changed", false);
            result.set("rc", 0);
            result.set("msg", "success: ");
            return Ok(result);
        }
        let mut words = self.target("delete")?;
        words.push("--ignore-not-found".into());
        if self.invocation.is("force") {
            words.push("--force".into());
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let command = self.command(&words, Effect::Write);
        match self.exec(&command)? {
            None => {
                result.set("changed", true);
                result.set("rc", 0);
                let gone: Vec<&str> = found
                    .lines()
                    .filter_map(|l| l.split_whitespace().next())
                    .collect();
                result.set("msg", format!("would delete: {}", gone.join(" ")));
            }
            Some(output) if output.rc != 0 => return Err(self.refused(&command, &output)),
            Some(output) => {
                let out = text(&output.stdout);
                result.set("changed", changes(&out));
                result.set("rc", output.rc);
                result.set("stdout", out.as_str());
                result.set("stdout_lines", super::command::lines(&out));
                result.set(
                    "msg",
                    format!("success: {}", out.lines().collect::<Vec<_>>().join(" ")),
                );
            }
        }
        Ok(result)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn names(objects: &[String]) -> Value {
    Value::list(objects.iter().map(|o| o.as_str().into()).collect())
}

/// Says whether kubectl's lines (`service/registry configured`) report a change.
fn changes(stdout: &str) -> bool {
    stdout.lines().any(|line| {
        let line = line.trim();
        [
            "created",
            "configured",
            "deleted",
            "replaced",
            "pruned",
            "serverside-applied",
        ]
        .iter()
        .any(|word| {
            line.ends_with(&format!(" {word}"))
                || line.contains(&format!(" {word} ("))
                || line.contains("\" deleted")
        })
    })
}

/// Returns the server's sentences about objects that it won't change in place; empty where the
/// refusal is of another kind.
fn immutable(stderr: &str) -> Vec<String> {
    const WORDS: &[&str] = &[
        "field is immutable",
        "is immutable",
        "may not change once set",
        "may not be changed",
        "Forbidden: updates to",
        "Forbidden: pod updates may not change",
        "Error from server (Conflict)",
        "the object has been modified",
    ];
    let mut found = Vec::new();
    let mut sentence: Vec<String> = Vec::new();
    let mut finish = |sentence: &mut Vec<String>| -> bool {
        if sentence.is_empty() {
            return true;
        }
        let text = sentence.join(" ");
        sentence.clear();
        let fits = WORDS.iter().any(|w| text.contains(w));
        if fits {
            found.push(text);
        }
        fits
    };
    let mut all = true;
    for line in stderr.lines().filter(|l| !l.starts_with("Warning:")) {
        let starts =
            line.starts_with("The ") || line.starts_with("Error") || line.starts_with("error");
        if starts {
            all &= finish(&mut sentence);
        }
        if !line.trim().is_empty() {
            sentence.push(line.trim().to_owned());
        }
    }
    all &= finish(&mut sentence);
    if all { found } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::modules::{RunContext, run};
    use crate::system::{Fake, Overlay};

    const MANIFEST: &str =
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n  namespace: n\ndata:\n  a: '1'\n";

    fn kube(machine: &dyn System, settings: &[(&str, &str)]) -> Dict {
        let empty = BTreeMap::new();
        let settings = settings
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let context = RunContext {
            check: false,
            diff: false,
            environment: &empty,
            settings: &settings,
            content: None,
        };
        let args = Value::dict([
            ("filename", Value::from("/m.yml")),
            ("state", "latest".into()),
        ]);
        run("kube", args.as_dict().expect("dict"), &context, machine)
    }

    const APPLY: &[&str] = &["kubectl", "apply", "--filename=/m.yml"];
    const FORCE: &[&str] = &["kubectl", "apply", "--force", "--filename=/m.yml"];
    const REFUSED: &str =
        "The Service \"r\" is invalid: spec.clusterIP: Invalid value: \"1\": field is immutable\n";

    #[test]
    fn only_what_kubectl_changed_counts_as_changed() {
        for (said, changed) in [
            ("configmap/c unchanged\n", false),
            ("configmap/c created\n", true),
            ("configmap/c unchanged\nservice/s configured\n", true),
        ] {
            let machine = Fake::new().answer(APPLY, 0, said, "");
            let result = kube(&machine, &[]);
            assert_eq!(result.get("changed"), Some(Value::from(changed)), "{said}");
        }
    }

    #[test]
    fn an_immutable_field_is_forced_and_said() {
        let machine = Fake::new().answer(APPLY, 1, "", REFUSED).answer(
            FORCE,
            0,
            "service/r configured\n",
            "",
        );
        let result = kube(&machine, &[]);
        assert_eq!(result.get("changed"), Some(Value::from(true)));
        let message = result.get("msg").expect("msg").to_str();
        assert!(
            message.contains("deleted and recreated: The Service \"r\""),
            "{message}"
        );
    }

    #[test]
    fn kube_force_never_makes_it_an_error() {
        let machine = Fake::new().answer(APPLY, 1, "", REFUSED);
        let result = kube(&machine, &[("kube_force", "never")]);
        assert_eq!(result.get("failed"), Some(Value::from(true)));
        assert_eq!(machine.commands().len(), 1);
    }

    #[test]
    fn a_manifest_that_is_wrong_is_not_forced() {
        let machine = Fake::new().answer(
            APPLY,
            1,
            "",
            "The Service \"r\" is invalid: spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive\n",
        );
        let result = kube(&machine, &[]);
        assert_eq!(result.get("failed"), Some(Value::from(true)));
        assert_eq!(machine.commands().len(), 1);
    }

    #[test]
    fn a_dry_run_diffs_the_bytes_of_the_overlay() {
        let said = "diff -u -N /t/LIVE-1/v1.ConfigMap.n.c /t/MERGED-2/v1.ConfigMap.n.c\n--- /t/LIVE-1/v1.ConfigMap.n.c\tx\n+++ /t/MERGED-2/v1.ConfigMap.n.c\ty\n@@ -1 +1 @@\n-  a: '0'\n+  a: '1'\n";
        let view = Overlay::new(Box::new(Fake::new().answer(
            &["kubectl", "diff", "--filename=-"],
            1,
            said,
            "",
        )));
        let how = crate::system::WriteAs {
            mode: 0o644,
            uid: None,
            gid: None,
        };
        view.write_atomic(Path::new("/m.yml"), MANIFEST.as_bytes(), how)
            .expect("write");
        let result = kube(&view, &[]);
        assert_eq!(result.get("changed"), Some(Value::from(true)), "{result:?}");
        let message = result.get("msg").expect("msg").to_str();
        assert_eq!(message, "would configure: ConfigMap n/c");
    }

    #[test]
    fn objects_in_a_namespace_of_the_same_manifest_would_be_created() {
        let both =
            format!("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: n\n---\n{MANIFEST}");
        let missing = "Error from server (NotFound): namespaces \"n\" not found\n";
        let made = "diff -u -N /t/LIVE-1/v1.Namespace..n /t/MERGED-2/v1.Namespace..n\n--- /t/LIVE-1/v1.Namespace..n\tx\n+++ /t/MERGED-2/v1.Namespace..n\ty\n@@ -0,0 +1 @@\n+kind: Namespace\n";
        let diff = &["kubectl", "diff", "--filename=-"];
        let view = Overlay::new(Box::new(
            Fake::new()
                .file("/m.yml", 0o644, both)
                .answer(diff, 1, made, missing)
                .answer(diff, 1, made, "")
                .answer(diff, 1, "", missing),
        ));
        let message = kube(&view, &[]).get("msg").expect("msg").to_str();
        assert_eq!(message, "would create: Namespace n, ConfigMap n/c");
    }
}
