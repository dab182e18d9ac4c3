//! `kube`: kubespray's module, with honest results.
//!
//! `changed` is true only when kubectl says that it made, configured or removed something. Where
//! kubespray's module always passes `--force`, this one applies without it first; what the server
//! refuses to change in place is named, then deleted and recreated (`kube_force = never` forbids
//! that). In a dry run the manifest's bytes go to `kubectl apply --dry-run=server` on standard
//! input: unlike `kubectl diff`, that writes no files.
//!
//! **Source:** arguments and command lines as observed of kubespray's `library/kube.py`.

mod apply;
mod foresee;
mod manifest;
mod object;
mod secret;
mod words;

pub use secret::hide_secrets;

use super::outcome::{Fail, errno_text};
use super::{Default, Invocation, Kind, Module, Param, Ran, Spec};
use crate::system::{Command, Effect, Executed, Output, System, errno};
use crate::value::Dict;

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
    legacy: false,
    settle: None,
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
        let mut files = self.invocation.list("filename").unwrap_or_default();
        files.retain(|file| !file.is_empty());
        files
    }

    fn command(&self, verb: &[&str], effect: Effect) -> Command {
        let mut argv = vec![
            self.invocation
                .text("kubectl")
                .unwrap_or_else(|| "kubectl".into()),
        ];
        let mut option = |name: &str, given: Option<String>| {
            if let Some(value) = given {
                argv.push(format!("--{name}={value}"));
            }
        };
        option("server", self.invocation.text("server"));
        option("kubeconfig", self.invocation.text("kubeconfig"));
        option("v", self.log_level());
        option("namespace", self.invocation.text("namespace"));
        if effect == Effect::Read {
            // kubectl's cache of what the server offers is a file too; who only looks writes none.
            argv.push("--cache-dir=/dev/null/none".to_owned());
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

    /// Returns how much kubectl is to tell. From 8 on it tells whole requests and answers, which
    /// nobody may see where the manifest has a Secret.
    fn log_level(&self) -> Option<String> {
        const WITHOUT_BODIES: i64 = 7;
        let level = self.invocation.params.get("log_level")?.as_i64()?;
        let level = if level > WITHOUT_BODIES && !self.secrets().is_empty() {
            WITHOUT_BODIES
        } else {
            level
        };
        (level != 0).then(|| level.to_string())
    }

    /// Returns the values of the manifest's Secrets; none where it can't be read.
    fn secrets(&self) -> Vec<String> {
        let recursive = self.invocation.is("recursive");
        manifest::read(self.system, &self.files(), recursive).map_or_else(
            |_| Vec::new(),
            |(bytes, _)| secret::secret_values(&text(&bytes)),
        )
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

    /// Fails with what kubectl said; what it did all the same is said too.
    fn refused(&self, command: &Command, output: &Output) -> Fail {
        let (out, err) = (self.told(&output.stdout), self.told(&output.stderr));
        let said = [words::without_log(&err), err.clone(), out.clone()];
        let said = said.iter().find(|said| !said.trim().is_empty());
        let said = said.map_or("", |said| said.trim());
        let mut message = format!(
            "error running kubectl ({}) command (rc={}) for {}: {}",
            command.argv.join(" "),
            output.rc,
            self.subject(),
            said
        );
        let done = match command.effect {
            Effect::Write => words::changed(&out),
            Effect::Read => Vec::new(),
        };
        if !done.is_empty() && !err.trim().is_empty() {
            message.push_str(&format!("; done nevertheless: {}", done.join(", ")));
        }
        Fail::new(message)
            .with("changed", !done.is_empty())
            .with("rc", output.rc)
            .with("stdout", out.as_str())
            .with("stderr", err.as_str())
    }

    /// Returns what kubectl printed as it may be shown: without values of the manifest's Secrets,
    /// and with the manifest's own name where it came by standard input.
    fn told(&self, printed: &[u8]) -> String {
        let said = text(printed);
        if said.is_empty() {
            return said;
        }
        let said = secret::conceal(&said, &self.secrets());
        let files = self.files();
        match files.as_slice() {
            [one] => said
                .replace("\"STDIN\"", &format!("\"{one}\""))
                .replace("parsing STDIN", &format!("parsing {one}")),
            _ => said,
        }
    }

    /// Returns the words that name what `get` and `delete` are about.
    fn target(&self, verb: &str) -> Result<Vec<String>, Fail> {
        let files = self.files();
        let mut words = vec![verb.to_owned()];
        if files.is_empty() {
            let Some(resource) = self.invocation.text("resource") else {
                return Err(Fail::new("resource required without filename"));
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
                result.set("changed", words::changes(&out));
                result.set("rc", output.rc);
                result.set("stdout", out.as_str());
                result.set("stdout_lines", super::lines(&out));
                result.set("msg", format!("success: {}", apply::one_line(&out)));
            }
        }
        Ok(result)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::modules::{RunContext, run};
    use crate::system::{Fake, Overlay};
    use crate::value::Value;

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
            level: crate::compat::Level::default(),
            environment: &empty,
            settings: &settings,
            content: None,
            header: None,
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

    const DRY: &[&str] = &[
        "kubectl",
        "--cache-dir=/dev/null/none",
        "apply",
        "--dry-run=server",
        "--filename=-",
    ];
    const DRY_OBJECTS: &[&str] = &[
        "kubectl",
        "--cache-dir=/dev/null/none",
        "apply",
        "--dry-run=server",
        "--output=yaml",
        "--filename=-",
    ];
    const GET_OBJECTS: &[&str] = &[
        "kubectl",
        "--cache-dir=/dev/null/none",
        "get",
        "--ignore-not-found",
        "--output=yaml",
        "--filename=-",
    ];

    fn said(result: &Dict) -> String {
        result.get("msg").expect("msg").to_str()
    }

    #[test]
    fn a_dry_run_asks_about_the_bytes_of_the_overlay() {
        let old = MANIFEST.replace("'1'", "'0'");
        let machine = Fake::new()
            .answer(DRY, 0, "configmap/c configured (server dry run)\n", "")
            .answer(DRY_OBJECTS, 0, MANIFEST, "")
            .answer(GET_OBJECTS, 0, &old, "");
        let view = Overlay::new(Box::new(machine));
        let how = crate::system::WriteAs {
            mode: 0o644,
            uid: None,
            gid: None,
        };
        view.write_atomic(Path::new("/m.yml"), MANIFEST.as_bytes(), how)
            .expect("write");
        let result = kube(&view, &[]);
        assert_eq!(result.get("changed"), Some(Value::from(true)), "{result:?}");
        assert_eq!(said(&result), "would configure: ConfigMap n/c");
    }

    #[test]
    fn a_dry_run_that_finds_nothing_to_do_asks_once() {
        let machine = Fake::new().file("/m.yml", 0o644, MANIFEST).answer(
            DRY,
            0,
            "configmap/c unchanged (server dry run)\n",
            "",
        );
        let result = kube(&Overlay::new(Box::new(machine)), &[]);
        assert_eq!(result.get("changed"), Some(Value::from(false)));
        assert_eq!(said(&result), "nothing would change");
    }

    #[test]
    fn objects_in_a_namespace_of_the_same_manifest_would_be_created() {
        let space = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: n\n";
        let missing = "Error from server (NotFound): error when creating \"STDIN\": namespaces \"n\" not found\n";
        let made = "namespace/n created (server dry run)\n";
        let view = Overlay::new(Box::new(
            Fake::new()
                .file("/m.yml", 0o644, format!("{space}---\n{MANIFEST}"))
                .answer(DRY, 1, made, missing)
                .answer(DRY, 0, made, "")
                .answer(DRY, 1, "", missing)
                .answer(DRY_OBJECTS, 0, space, ""),
        ));
        assert_eq!(
            said(&kube(&view, &[])),
            "would create: Namespace n, ConfigMap n/c"
        );
    }

    #[test]
    fn what_was_applied_before_a_failure_is_said() {
        let machine = Fake::new().answer(
            APPLY,
            1,
            "configmap/a created\nconfigmap/b unchanged\n",
            "Error from server (Forbidden): error when creating \"/m.yml\": no\n",
        );
        let result = kube(&machine, &[]);
        assert_eq!(result.get("changed"), Some(Value::from(true)));
        assert!(
            said(&result).ends_with("no; done nevertheless: configmap/a created"),
            "{}",
            said(&result)
        );
    }

    #[test]
    fn an_update_that_another_one_overtook_is_tried_again() {
        let overtaken = "Error from server (Conflict): error when applying patch: Operation cannot be fulfilled on configmaps \"c\": the object has been modified; please apply your changes to the latest version and try again\n";
        let machine = Fake::new().answer(APPLY, 1, "", overtaken).answer(
            APPLY,
            0,
            "configmap/c configured\n",
            "",
        );
        let result = kube(&machine, &[]);
        assert_eq!(result.get("changed"), Some(Value::from(true)));
        assert!(!result.contains("recreated"));
    }

    #[test]
    fn a_failure_quotes_no_value_of_a_secret() {
        let secret =
            "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {p: hunter2}\n";
        let machine = Fake::new().file("/m.yml", 0o644, secret).answer(
            APPLY,
            1,
            "",
            "The request is invalid: patch: Invalid value: \"map[stringData:map[p:hunter2]]\": no\n",
        );
        let shown = format!("{:?}", kube(&machine, &[]));
        assert!(
            shown.contains("The request is invalid") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
    /// Arguments as JSON; kubectl's command lines with what each prints; `changed` and `msg`.
    type Call = (
        &'static str,
        &'static [(&'static str, &'static str)],
        bool,
        &'static str,
    );

    const UNCHANGED: &str = "service/r unchanged\n";
    const GONE: &str = "service \"r\" deleted\n";

    /// **Source:** kubespray's module, called with a kubectl that writes its arguments down. Ours
    /// applies without `--force`, looks without a cache, takes what isn't there for granted when
    /// it deletes, and says `changed` of a deletion.
    const CALLS: &[Call] = &[
        (
            r#"{"filename": "/a"}"#,
            &[("apply --filename=/a", UNCHANGED)],
            false,
            "success: service/r unchanged",
        ),
        (
            r#"{"filename": ["/a", "/b"], "state": "latest"}"#,
            &[("apply --filename=/a,/b", "a created\nb unchanged\n")],
            true,
            "success: a created b unchanged",
        ),
        (
            r#"{"files": ["/a"]}"#,
            &[("apply --filename=/a", UNCHANGED)],
            false,
            "success: service/r unchanged",
        ),
        (
            r#"{"filenames": "/a,/b"}"#,
            &[("apply --filename=/a,/b", UNCHANGED)],
            false,
            "success: service/r unchanged",
        ),
        (
            r#"{"file": "/a", "state": "reloaded"}"#,
            &[("apply --filename=/a", UNCHANGED)],
            false,
            "success: service/r unchanged",
        ),
        (
            r#"{"filename": "/a", "server": "http://x", "kubeconfig": "/k", "log_level": 7, "namespace": "ns", "force": true, "wait": true, "recursive": true, "state": "latest"}"#,
            &[(
                "--server=http://x --kubeconfig=/k --v=7 --namespace=ns apply --wait --recursive=True --filename=/a",
                UNCHANGED,
            )],
            false,
            "success: service/r unchanged",
        ),
        (
            r#"{"filename": "/a", "label": "x=y", "all": true, "name": "n", "resource": "svc"}"#,
            &[("apply --filename=/a", UNCHANGED)],
            false,
            "success: service/r unchanged",
        ),
        (
            r#"{"filename": "/a", "state": "exists", "recursive": true}"#,
            &[("get --filename=/a --recursive=True", "r 1\n")],
            false,
            "True",
        ),
        (
            r#"{"name": "n", "resource": "svc", "namespace": "ns", "state": "exists"}"#,
            &[("--namespace=ns get svc n", "")],
            false,
            "False",
        ),
        (
            r#"{"resource": "svc", "all": true, "state": "exists"}"#,
            &[("get svc --all-namespaces", "r 1\n")],
            false,
            "True",
        ),
        (
            r#"{"resource": "svc", "label": "a=b", "state": "exists"}"#,
            &[("get svc --selector=a=b", "r 1\n")],
            false,
            "True",
        ),
        (
            r#"{"filename": "/a", "state": "absent"}"#,
            &[("get --filename=/a", "")],
            false,
            "success: ",
        ),
        (
            r#"{"filename": "/a", "state": "absent"}"#,
            &[
                ("get --filename=/a", "r 1\n"),
                ("delete --filename=/a", GONE),
            ],
            true,
            "success: service \"r\" deleted",
        ),
        (
            r#"{"name": "n", "resource": "svc", "namespace": "ns", "state": "absent"}"#,
            &[
                ("--namespace=ns get svc n", "r 1\n"),
                ("--namespace=ns delete svc n", GONE),
            ],
            true,
            "success: service \"r\" deleted",
        ),
        (
            r#"{"resource": "svc", "label": "a=b", "state": "stopped"}"#,
            &[
                ("get svc --selector=a=b", "r 1\n"),
                ("delete svc --selector=a=b", GONE),
            ],
            true,
            "success: service \"r\" deleted",
        ),
        (
            r#"{"resource": "svc", "all": true, "state": "absent"}"#,
            &[
                ("get svc --all-namespaces", "r 1\n"),
                ("delete svc --all", GONE),
            ],
            true,
            "success: service \"r\" deleted",
        ),
        (
            r#"{"name": "n", "resource": "svc"}"#,
            &[],
            false,
            "filename required to create",
        ),
        (
            r#"{"filename": "", "state": "latest"}"#,
            &[],
            false,
            "filename required to reload",
        ),
        (
            r#"{"name": "n", "state": "absent"}"#,
            &[],
            false,
            "resource required without filename",
        ),
        (
            r#"{"state": "exists"}"#,
            &[],
            false,
            "resource required without filename",
        ),
        (
            r#"{"filename": "/a", "state": "bogus"}"#,
            &[],
            false,
            "value of state must be one of: present, absent, latest, reloaded, stopped, exists, got: bogus",
        ),
    ];

    #[test]
    fn arguments_become_the_command_lines_of_kubespray_s_module() {
        for (args, lines, changed, message) in CALLS {
            let mut machine = Fake::new();
            for (line, stdout) in *lines {
                let words: Vec<&str> = line.split(' ').collect();
                let verb = words
                    .iter()
                    .position(|w| !w.starts_with('-'))
                    .expect("a verb");
                let mut argv = vec!["kubectl"];
                argv.extend(&words[..verb]);
                if words[verb] == "get" {
                    argv.push("--cache-dir=/dev/null/none");
                }
                argv.extend(&words[verb..]);
                match words[verb] {
                    "get" => argv.extend(["--no-headers", "--ignore-not-found"]),
                    "delete" => argv.push("--ignore-not-found"),
                    _ => {}
                }
                machine = machine.answer(&argv, 0, stdout, "");
            }
            let empty = BTreeMap::new();
            let context = RunContext {
                check: false,
                diff: false,
                level: crate::compat::Level::default(),
                environment: &empty,
                settings: &empty,
                content: None,
                header: None,
            };
            let args = crate::value::from_json_text(args).expect("JSON");
            let result = run("kube", args.as_dict().expect("dict"), &context, &machine);
            assert_eq!(said(&result), *message, "{args:?}");
            assert_eq!(
                result.get("changed"),
                Some(Value::from(*changed)),
                "{args:?}"
            );
            assert_eq!(machine.commands().len(), lines.len(), "{args:?}");
        }
    }
}
