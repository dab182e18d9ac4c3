//! What applying would do: the server is asked, nothing is written on the machine or the server.

use super::apply::recreation;
use super::manifest::{self, Object};
use super::{Kube, object, secret, text, words};
use crate::modules::outcome::Fail;
use crate::system::{Command, Effect, Output};
use crate::value::{Dict, Value, from_json_text};

/// What would happen to objects.
#[derive(Default)]
pub(super) struct Foreseen {
    changes: Vec<Change>,
}

struct Change {
    verb: &'static str,
    /// Kind, namespace and name, for people.
    object: String,
    before: String,
    after: String,
    /// Why it can't be changed in place.
    why: Vec<String>,
}

impl Foreseen {
    /// Returns one difference per object, ready to be shown.
    pub(super) fn diffs(&self) -> Value {
        let shown = |change: &Change| {
            let (before, after) = secret::hide_secrets(&change.before, &change.after)
                .unwrap_or_else(|| (change.before.clone(), change.after.clone()));
            let name = change.object.as_str();
            let old = match change.verb {
                "create" => "(not there)".to_owned(),
                RECREATE => format!("{name}, as last applied; to be deleted"),
                _ => name.to_owned(),
            };
            let new = match change.verb {
                RECREATE => format!("{name}, created anew"),
                _ => name.to_owned(),
            };
            Value::dict([
                ("before", Value::from(before)),
                ("after", Value::from(after)),
                ("before_header", Value::from(old)),
                ("after_header", Value::from(new)),
            ])
        };
        Value::list(self.changes.iter().map(shown).collect())
    }

    /// Returns a dry run's result.
    pub(super) fn result(&self) -> Dict {
        let result = Dict::new();
        result.set("changed", !self.changes.is_empty());
        result.set("rc", 0);
        result.set("diff", self.diffs());
        let mut said = Vec::new();
        for verb in ["create", "configure", RECREATE] {
            let these = self.changes.iter().filter(|c| c.verb == verb);
            let names: Vec<&str> = these.map(|c| c.object.as_str()).collect();
            if !names.is_empty() {
                said.push(format!("would {verb}: {}", names.join(", ")));
            }
        }
        let why: Vec<Value> = self
            .changes
            .iter()
            .flat_map(|change| &change.why)
            .map(|why| Value::from(why.as_str()))
            .collect();
        if !why.is_empty() {
            let reasons: Vec<String> = why.iter().map(Value::to_str).collect();
            said.push(format!("since {}", reasons.join("; ")));
            result.set(
                "warnings",
                recreation("would delete and recreate", &reasons),
            );
            result.set("recreated", Value::list(why));
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

const RECREATE: &str = "delete and recreate";

/// A manifest to ask about.
struct Asked<'a> {
    /// Goes to kubectl's standard input.
    bytes: &'a [u8],
    /// What kubectl reads: standard input, URLs.
    source: String,
    namespace: String,
}

impl Kube<'_> {
    /// Says what applying would do.
    pub(super) fn foresee(&self, files: &[String]) -> Result<Foreseen, Fail> {
        let recursive = self.invocation.is("recursive");
        let (bytes, mut sources) =
            manifest::read(self.system, files, recursive).map_err(Fail::new)?;
        if !bytes.is_empty() || sources.is_empty() {
            sources.insert(0, "-".to_owned());
        }
        let asked = Asked {
            bytes: &bytes,
            source: format!("--filename={}", sources.join(",")),
            namespace: self
                .invocation
                .text("namespace")
                .unwrap_or_else(|| "default".into()),
        };
        let (command, output) = self.ask(&asked, &["apply", "--dry-run=server"])?;
        let mut objects = match manifest::objects(&bytes, &self.subject()) {
            Ok(objects) => objects,
            // kubectl's words about malformed YAML are those of a real run.
            Err(_) if output.rc != 0 => return Err(self.refused(&command, &output)),
            Err(why) => return Err(Fail::new(why)),
        };
        for object in &mut objects {
            if object.namespace.is_none() && !object.is_cluster_wide() {
                object.namespace = Some(asked.namespace.clone());
            }
        }
        let mut foreseen = Foreseen::default();
        if output.rc == 0 {
            self.compare(&asked, &text(&output.stdout), &mut foreseen)?;
        } else if let [object] = objects.as_slice() {
            self.expect(object, &objects, &command, &output, &mut foreseen)?;
        } else {
            self.foresee_each(&asked, &objects, (&command, &output), &mut foreseen)?;
        }
        for object in &objects {
            self.predict(&format!("{}/{}", object.kind, object.name));
            if let Some(kind) = &object.defines {
                self.predict(&format!("kind {kind}"));
            }
        }
        Ok(foreseen)
    }

    /// One object that is refused hides the others, so each is asked for by itself.
    fn foresee_each(
        &self,
        asked: &Asked<'_>,
        objects: &[Object],
        refused: (&Command, &Output),
        foreseen: &mut Foreseen,
    ) -> Result<(), Fail> {
        if objects.is_empty() {
            return Err(self.refused(refused.0, refused.1));
        }
        for object in objects {
            let one = Asked {
                bytes: object.text.as_bytes(),
                source: "--filename=-".to_owned(),
                namespace: asked.namespace.clone(),
            };
            let (command, output) = self.ask(&one, &["apply", "--dry-run=server"])?;
            if output.rc == 0 {
                self.compare(&one, &text(&output.stdout), foreseen)?;
            } else {
                self.expect(object, objects, &command, &output, foreseen)?;
            }
        }
        Ok(())
    }

    /// Asks kubectl something that changes nothing.
    fn ask(&self, asked: &Asked<'_>, verb: &[&str]) -> Result<(Command, Output), Fail> {
        let mut words = verb.to_vec();
        words.push(&asked.source);
        let command = self.command(&words, Effect::Read).stdin(asked.bytes);
        let output = self.exec(&command)?.unwrap_or_default();
        Ok((command, output))
    }

    /// As [`Self::ask`], for YAML of objects; a refusal is a failure.
    fn ask_objects(&self, asked: &Asked<'_>, verb: &[&str]) -> Result<Vec<String>, Fail> {
        let (command, output) = self.ask(asked, verb)?;
        if output.rc != 0 {
            return Err(self.refused(&command, &output));
        }
        Ok(object::objects(&text(&output.stdout)))
    }

    /// Compares what is there with what would be there, where kubectl says that it would change.
    fn compare(&self, asked: &Asked<'_>, said: &str, foreseen: &mut Foreseen) -> Result<(), Fail> {
        if !words::changes(said) {
            return Ok(());
        }
        let lines: Vec<&str> = said.lines().filter(|line| line.contains('(')).collect();
        let after = self.ask_objects(asked, &["apply", "--dry-run=server", "--output=yaml"])?;
        let all_new = lines.iter().all(|line| line.contains(" created ("));
        let living = if all_new {
            Vec::new()
        } else {
            self.ask_objects(asked, &["get", "--ignore-not-found", "--output=yaml"])?
        };
        let living = living.iter().map(|yaml| (identity(yaml), yaml.as_str()));
        let living: Vec<(Option<String>, &str)> = living.collect();
        let manifest = String::from_utf8_lossy(asked.bytes);
        for (at, new) in after.iter().enumerate() {
            let name = identity(new);
            let old = living
                .iter()
                .find(|(other, _)| *other == name)
                .map(|(_, yaml)| object::without_bookkeeping(yaml));
            let before = old.clone().unwrap_or_default();
            let new = object::without_bookkeeping(new);
            let new = object::without_guesses(&new, &before, &manifest);
            // What the server stores may be the same although kubectl has something to send.
            let unchanged = lines.len() == after.len() && !words::changes(lines[at]);
            if old.is_some() && (unchanged || lines.len() != after.len() && before == new) {
                continue;
            }
            foreseen.changes.push(Change {
                verb: if old.is_some() { "configure" } else { "create" },
                object: name.unwrap_or_default(),
                before,
                after: new,
                why: Vec::new(),
            });
        }
        Ok(())
    }

    /// Deals with an object that the server refuses in a dry run: what it lies in may be made
    /// before it, or it can't be changed in place.
    fn expect(
        &self,
        object: &Object,
        objects: &[Object],
        command: &Command,
        output: &Output,
        foreseen: &mut Foreseen,
    ) -> Result<(), Fail> {
        let err = text(&output.stderr);
        let space = object.namespace.clone().unwrap_or_default();
        let no_space = err.contains(&format!("namespaces \"{space}\" not found"));
        let made_here = objects
            .iter()
            .any(|o| o.kind == "Namespace" && o.name == space);
        let space_expected = made_here || self.predicted(&format!("Namespace/{space}"));
        let no_kind = err.contains("no matches for kind");
        let kind_expected = self.predicted(&format!("kind {}", object.kind));
        let refused = words::immutable(&err);
        let change = |verb, before, after, why| Change {
            verb,
            object: object.shown(),
            before,
            after,
            why,
        };
        if no_space && space_expected || no_kind && kind_expected {
            let after = object.text.clone();
            foreseen
                .changes
                .push(change("create", String::new(), after, Vec::new()));
        } else if refused.is_empty() {
            return Err(self.refused(command, output));
        } else {
            self.may_recreate(&refused)?;
            let (before, after) = self.applied_before(object)?;
            foreseen
                .changes
                .push(change(RECREATE, before, after, refused));
        }
        Ok(())
    }

    /// Returns what was last applied and what is to be applied, in the same form: what a new
    /// object will be given besides can't be asked for while the old one is there.
    fn applied_before(&self, object: &Object) -> Result<(String, String), Fail> {
        let asked = Asked {
            bytes: object.text.as_bytes(),
            source: "--filename=-".to_owned(),
            namespace: String::new(),
        };
        let path = r"--output=jsonpath={.metadata.annotations.kubectl\.kubernetes\.io/last-applied-configuration}";
        let (command, output) = self.ask(&asked, &["get", path])?;
        if output.rc != 0 {
            return Err(self.refused(&command, &output));
        }
        let before = match from_json_text(&text(&output.stdout)) {
            Ok(applied) => {
                let meta = applied.get("metadata").unwrap_or(Value::None);
                let empty = meta.get("annotations").is_some_and(|notes| !notes.truth());
                if let (Some(meta), true) = (meta.as_dict(), empty) {
                    meta.remove("annotations");
                }
                manifest::emit(&applied)
            }
            Err(_) => String::new(),
        };
        let value = manifest::value(&object.text);
        if let (Some(space), Some(Value::Dict(meta))) = (&object.namespace, value.get("metadata")) {
            meta.set("namespace", space.as_str());
        }
        Ok((before, manifest::emit(&value)))
    }

    fn fact(&self, what: &str) -> String {
        let part = |name| self.invocation.text(name).unwrap_or_default();
        format!("kube {} {} {what}", part("kubeconfig"), part("server"))
    }

    fn predict(&self, what: &str) {
        self.system.predict(&self.fact(what));
    }

    fn predicted(&self, what: &str) -> bool {
        self.system.predicted(&self.fact(what))
    }
}

/// Names an object of the server: kind, namespace, name.
fn identity(yaml: &str) -> Option<String> {
    let objects = manifest::objects(yaml.as_bytes(), "kubectl's answer").ok()?;
    objects.first().map(Object::shown)
}
