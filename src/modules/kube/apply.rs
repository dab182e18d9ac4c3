//! Applying manifests: in place where the server allows it, else by deleting and recreating what
//! it names.

use super::foresee::Foreseen;
use super::{Kube, text, words};
use crate::modules::outcome::{Fail, Ran};
use crate::system::{Command, Effect, Output};
use crate::value::{Dict, Value};

impl Kube<'_> {
    pub(super) fn apply(&self) -> Ran {
        let files = self.files();
        if files.is_empty() {
            let what = match self.invocation.text("state").as_deref() {
                Some("present") => "create",
                _ => "reload",
            };
            return Err(Fail::new(format!("filename required to {what}")));
        }
        // A diff of what is about to change must be taken before it changes.
        let foreseen = if self.invocation.context.diff {
            Some(self.foresee(&files)?)
        } else {
            None
        };
        let command = self.apply_command(&[]);
        let Some(first) = self.exec(&command)? else {
            let foreseen = match foreseen {
                Some(foreseen) => foreseen,
                None => self.foresee(&files)?,
            };
            return Ok(foreseen.result());
        };
        let (output, recreated) = self.settle(&command, first)?;
        Ok(self.applied(&output, &recreated, foreseen.as_ref()))
    }

    fn apply_command(&self, more: &[&str]) -> Command {
        let mut verb = vec!["apply"];
        verb.extend(more);
        if self.invocation.is("wait") {
            verb.push("--wait");
        }
        if self.invocation.is("recursive") {
            verb.push("--recursive=True");
        }
        let files = format!("--filename={}", self.files().join(","));
        verb.push(&files);
        self.command(&verb, Effect::Write)
    }

    /// Deals with what the server refused: an update that another one overtook is tried once
    /// more; what can't be changed in place is deleted and recreated.
    fn settle(&self, command: &Command, first: Output) -> Result<(Output, Vec<String>), Fail> {
        let mut output = first;
        if output.rc != 0 && words::is_conflict(&text(&output.stderr)) {
            output = after(output, self.exec(command)?.unwrap_or_default());
        }
        if output.rc == 0 {
            return Ok((output, Vec::new()));
        }
        let recreated = words::immutable(&text(&output.stderr));
        if recreated.is_empty() {
            return Err(self.refused(command, &output));
        }
        self.may_recreate(&recreated)?;
        let command = self.apply_command(&["--force"]);
        let forced = self.exec(&command)?.unwrap_or_default();
        let output = after(output, forced);
        if output.rc != 0 {
            return Err(self
                .refused(&command, &output)
                .with("recreated", names(&recreated)));
        }
        Ok((output, recreated))
    }

    fn applied(&self, output: &Output, recreated: &[String], foreseen: Option<&Foreseen>) -> Dict {
        let out = text(&output.stdout);
        let result = Dict::new();
        result.set("changed", !recreated.is_empty() || words::changes(&out));
        result.set("rc", output.rc);
        result.set("stdout", out.as_str());
        result.set("stdout_lines", crate::modules::lines(&out));
        result.set("stderr", self.told(&output.stderr));
        let mut message = format!("success: {}", one_line(&out));
        if !recreated.is_empty() {
            message.push_str(&format!(
                "; deleted and recreated: {}",
                recreated.join("; ")
            ));
            result.set("recreated", names(recreated));
            result.set("warnings", recreation("deleted and recreated", recreated));
        }
        result.set("msg", message);
        if let Some(foreseen) = foreseen {
            result.set("diff", foreseen.diffs());
        }
        result
    }

    /// Fails where objects would have to be deleted and recreated, and that is forbidden.
    pub(super) fn may_recreate(&self, objects: &[String]) -> Result<(), Fail> {
        let setting = self.invocation.context.settings.get("kube_force");
        if setting.is_some_and(|s| s == "never") {
            return Err(Fail::new(format!(
                "the server refuses to change in place, and kube_force = never forbids to delete and recreate: {}",
                objects.join("; ")
            )));
        }
        Ok(())
    }
}

/// Puts a second attempt behind a first, which may have made objects that the second finds
/// unchanged.
fn after(first: Output, second: Output) -> Output {
    let mut stdout = first.stdout;
    stdout.extend_from_slice(&second.stdout);
    Output { stdout, ..second }
}

fn names(objects: &[String]) -> Value {
    Value::list(objects.iter().map(|o| o.as_str().into()).collect())
}

/// Warns of objects that are not changed in place: what was theirs alone is gone with them.
pub(super) fn recreation(verb: &str, why: &[String]) -> Value {
    names(&[format!(
        "kube {verb} what the server refuses to change in place: {}",
        why.join("; ")
    )])
}

/// Joins kubectl's lines, as kubespray's module does.
pub(super) fn one_line(out: &str) -> String {
    out.lines().collect::<Vec<_>>().join(" ")
}
