//! `copy`: places bytes at a path; the target half of `copy` and `template`.
//!
//! The controller sends the bytes ([`super::RunContext::content`]) and names their source in `src`
//! (for results and diffs) and `_original_basename` (for a directory as `dest`). With `remote_src`
//! the source is on the machine itself.

use std::path::{Path, PathBuf};

use super::outcome::{Fail, errno_text};
use super::perms::{Wanted, backup};
use super::{Default, Invocation, Kind, Module, Param, Ran, Spec};
use crate::system::{
    Access, Algorithm, Command, Executed, FileType, System, WriteAs, canonical, digest, errno,
    optional,
};
use crate::value::{Dict, Value};

/// The table's row.
pub(super) const MODULE: Module = Module {
    name: "copy",
    spec: Spec {
        params: &[
            Param::new("src", Kind::Path),
            Param::new("_original_basename", Kind::Str),
            Param::new("content", Kind::Str).no_log(),
            Param::new("dest", Kind::Path).required(),
            Param::new("backup", Kind::Bool).default(Default::Bool(false)),
            Param::new("force", Kind::Bool).default(Default::Bool(true)),
            Param::new("validate", Kind::Str),
            Param::new("directory_mode", Kind::Raw),
            Param::new("remote_src", Kind::Bool).default(Default::Bool(false)),
            Param::new("local_follow", Kind::Bool),
            Param::new("checksum", Kind::Str),
            Param::new("follow", Kind::Bool).default(Default::Bool(false)),
        ],
        file: true,
        mutually_exclusive: &[],
        required_if: &[],
    },
    doc: "Copies a file to the host.",
    example: "- copy:\n    src: app.conf\n    dest: /etc/app.conf\n    mode: '0644'",
    run,
};

fn run(invocation: &Invocation<'_>, system: &dyn System) -> Ran {
    let source = invocation.text("src");
    let shown = invocation.text("dest").unwrap_or_default();
    if invocation.is("remote_src") {
        let Some(source) = source else {
            return Err(Fail::new("src (or content) is required"));
        };
        return remote(invocation, system, Path::new(&source), &shown);
    }
    let content = match (invocation.context.content, invocation.text("content")) {
        (Some(bytes), _) => bytes.to_vec(),
        (None, Some(text)) => text.into_bytes(),
        (None, None) => return Err(Fail::new("src (or content) is required")),
    };
    let placed = Placement {
        invocation,
        system,
        wanted: Wanted::of(invocation),
        content,
        source,
        remote: false,
    };
    let base = invocation.text("_original_basename");
    let dest = placed.destination(&shown, base.as_deref())?;
    placed.place(dest)
}

/// One file to place.
struct Placement<'a> {
    invocation: &'a Invocation<'a>,
    system: &'a dyn System,
    wanted: Wanted,
    content: Vec<u8>,
    source: Option<String>,
    remote: bool,
}

impl Placement<'_> {
    /// Says where the file goes: into a directory under its own name, made where `dest` ends in `/`.
    fn destination(&self, shown: &str, base: Option<&str>) -> Result<PathBuf, Fail> {
        let dest = Path::new(shown);
        let directory = self
            .system
            .stat(dest)
            .is_ok_and(|s| s.is(FileType::Directory));
        if !directory && !shown.ends_with('/') {
            return Ok(dest.to_owned());
        }
        let Some(base) = base.filter(|b| !b.is_empty()) else {
            return Err(Fail::new("can not use content with a dir as dest"));
        };
        if !directory {
            make_directories(self.invocation, self.system, dest)?;
        }
        let joined = format!("{}/{base}", shown.trim_end_matches('/'));
        Ok(PathBuf::from(joined))
    }

    fn place(&self, dest: PathBuf) -> Ran {
        let system = self.system;
        let shown = dest.display().to_string();
        let checksum = digest(&self.content, Algorithm::Sha1);
        let fail = |message: String| Fail::new(message).with("checksum", checksum.as_str());
        if let Some(expected) = self.invocation.text("checksum")
            && expected != checksum
        {
            return Err(fail(
                "Copied file does not match the expected checksum. Transfer failed.".into(),
            )
            .with("expected_checksum", expected));
        }
        let os = |e: &std::io::Error| fail(errno_text(e));
        let follow = self.invocation.is("follow");
        let target = if follow {
            canonical(system, &dest).map_err(|e| os(&e))?
        } else {
            dest.clone()
        };
        let have = optional(system.lstat(&target)).map_err(|e| os(&e))?;
        let result = Dict::new();
        result.set("dest", shown.as_str());
        let source = || match &self.source {
            Some(source) => Value::from(source.as_str()),
            None => Value::None,
        };
        if have.is_some() && !self.invocation.is("force") {
            if self.remote {
                result.set("msg", "file already exists");
            }
            if self.source.is_some() {
                result.set("src", source());
            }
            result.set("changed", false);
            return Ok(result);
        }
        let is_link = have.is_some_and(|s| s.is(FileType::Link));
        let followed = system.stat(&target).ok();
        if followed.is_some_and(|s| s.is(FileType::Directory)) {
            return Err(fail(format!("{shown} is a directory")));
        }
        let same = !is_link
            && have.is_some()
            && system
                .digest(&target, Algorithm::Sha1)
                .is_ok_and(|have| have == checksum);
        result.set("checksum", checksum.as_str());
        if same {
            let (before, after) = (Dict::new(), Dict::new());
            before.set("path", shown.as_str());
            after.set("path", shown.as_str());
            let changed = self
                .wanted
                .apply(system, &target, follow, Some((&before, &after)))?;
            result.set("changed", changed);
            if self.remote {
                result.set("src", source());
                result.set("md5sum", digest(&self.content, Algorithm::Md5));
            } else {
                result.set("path", shown);
            }
            let diff = Dict::new();
            diff.set("before", before);
            diff.set("after", after);
            result.set("diff", diff);
            return Ok(result);
        }
        self.check_parent(&target).map_err(&fail)?;
        self.validate(&fail)?;
        let diff = self.diff(&target, &shown, have.is_some());
        if self.invocation.is("backup")
            && followed.is_some()
            && let Some(name) = backup(system, &target)?
        {
            result.set("backup_file", name);
        }
        let kept = have.filter(|_| !is_link);
        let umask = system.umask().map_err(|e| os(&e))?;
        let how = WriteAs {
            mode: kept.map_or(0o666 & !umask, |s| s.permissions()),
            uid: kept.map(|s| s.uid),
            gid: kept.map(|s| s.gid),
        };
        self.write(&target, how).map_err(|e| {
            fail(format!(
                "failed to copy: {} to {shown}: {}",
                self.source.as_deref().unwrap_or("content"),
                errno_text(&e)
            ))
        })?;
        self.wanted.apply(system, &target, true, None)?;
        result.set("changed", true);
        result.set("md5sum", digest(&self.content, Algorithm::Md5));
        if self.source.is_some() {
            result.set("src", source());
        }
        if !self.remote {
            result.set("diff", Value::list(vec![diff.into()]));
        }
        Ok(result)
    }

    /// Writes the file; the mode asked for is set with the content where it is a plain number, so
    /// that no reader ever sees the bytes under a wider mode.
    fn write(&self, target: &Path, mut how: WriteAs) -> std::io::Result<()> {
        if let Some(mode) = &self.wanted.mode
            && let Ok(stat) = super::perms::parse_mode(
                mode,
                &crate::system::Stat {
                    mode: FileType::File.bits() | how.mode,
                    ..crate::system::Stat::default()
                },
                self.system.umask().unwrap_or(0o022),
            )
        {
            how.mode = stat;
        }
        let written = self.system.write_atomic(target, &self.content, how);
        match written {
            Err(e)
                if self.invocation.is("unsafe_writes")
                    && matches!(
                        e.raw_os_error(),
                        Some(
                            errno::EPERM
                                | errno::EACCES
                                | errno::EXDEV
                                | errno::ETXTBSY
                                | errno::EROFS
                                | 16
                        )
                    )
                    && self.system.stat(target).is_ok() =>
            {
                self.system.write_in_place(target, &self.content)
            }
            other => other,
        }
    }

    fn check_parent(&self, target: &Path) -> Result<(), String> {
        let parent = target.parent().unwrap_or(Path::new("/"));
        match self.system.stat(parent) {
            Err(e) if e.raw_os_error() == Some(errno::EACCES) => Err(format!(
                "Destination directory {} is not accessible",
                parent.display()
            )),
            Err(_) => Err(format!(
                "Destination directory {} does not exist",
                parent.display()
            )),
            Ok(_) => {
                let writable = self.system.access(parent, Access::Write).unwrap_or(true);
                if writable || self.invocation.is("unsafe_writes") {
                    Ok(())
                } else {
                    Err(format!("Destination {} not writable", parent.display()))
                }
            }
        }
    }

    fn validate(&self, fail: &dyn Fn(String) -> Fail) -> Result<(), Fail> {
        let Some(validate) = self.invocation.text("validate") else {
            return Ok(());
        };
        if !validate.contains("%s") {
            return Err(fail(format!("validate must contain %s: {validate}")));
        }
        if let Some(output) = check_with(self.invocation, self.system, &validate, &self.content)? {
            return Err(fail("failed to validate".into())
                .with("exit_status", output.rc)
                .with(
                    "stdout",
                    String::from_utf8_lossy(&output.stdout).into_owned(),
                )
                .with(
                    "stderr",
                    String::from_utf8_lossy(&output.stderr).into_owned(),
                ));
        }
        Ok(())
    }

    fn diff(&self, target: &Path, shown: &str, exists: bool) -> Dict {
        let diff = Dict::new();
        if !self.invocation.context.diff {
            return diff;
        }
        let side = |key: &str, header: String, bytes: &[u8]| {
            if bytes.contains(&0) {
                let which = if key == "before" { "dst" } else { "src" };
                diff.set(format!("{which}_binary"), 1);
            } else {
                diff.set(format!("{key}_header"), header);
                diff.set(key, String::from_utf8_lossy(bytes).into_owned());
            }
        };
        if exists {
            let before = self.system.read(target).unwrap_or_default();
            side("before", shown.to_owned(), &before);
        } else {
            diff.set("before", "");
        }
        let header = self
            .source
            .clone()
            .unwrap_or_else(|| "dynamically generated".into());
        side("after", header, &self.content);
        diff
    }
}

/// Runs a validation command on content in a temporary file; the output if it says no.
///
/// In a dry run nothing is validated, as it isn't by Ansible.
pub(super) fn check_with(
    invocation: &Invocation<'_>,
    system: &dyn System,
    validate: &str,
    content: &[u8],
) -> Result<Option<crate::system::Output>, Fail> {
    let fail = |e: std::io::Error| Fail::new(format!("failed to validate: {}", errno_text(&e)));
    let directory = system.env("TMPDIR").unwrap_or_else(|| "/tmp".into());
    let stamp = system.local_now().map_err(fail)?.strftime("%H%M%S%f");
    let temporary = format!(
        "{directory}/.ansible_validate_{}_{stamp}",
        std::process::id()
    );
    let how = WriteAs {
        mode: 0o600,
        uid: None,
        gid: None,
    };
    let path = Path::new(&temporary);
    system.write_atomic(path, content, how).map_err(fail)?;
    let words = shlex::split(&validate.replace("%s", &temporary)).unwrap_or_default();
    let mut command = Command::write(words);
    for (name, value) in invocation.context.environment {
        command = command.env(name, value);
    }
    let executed = system.exec(&command);
    let _ = system.unlink(path);
    match executed.map_err(fail)? {
        Executed::Ran(output) if output.rc != 0 => Ok(Some(output)),
        _ => Ok(None),
    }
}

/// Makes a directory with its parents; `directory_mode` applies to those made.
fn make_directories(
    invocation: &Invocation<'_>,
    system: &dyn System,
    path: &Path,
) -> Result<bool, Fail> {
    let wanted = Wanted {
        mode: invocation
            .params
            .get("directory_mode")
            .filter(|m| !m.is_none() && m.as_str() != Some("preserve")),
        ..Wanted::of(invocation)
    };
    let mut current = PathBuf::new();
    let mut changed = false;
    for part in path.components() {
        current.push(part);
        if system.stat(&current).is_ok() {
            continue;
        }
        system
            .mkdir(&current, 0o777)
            .map_err(|e| Fail::new(format!("{}: b'{}'", errno_text(&e), current.display())))?;
        wanted.apply(system, &current, true, None)?;
        changed = true;
    }
    Ok(changed)
}

fn remote(invocation: &Invocation<'_>, system: &dyn System, source: &Path, shown: &str) -> Ran {
    let Ok(stat) = system.stat(source) else {
        return Err(Fail::new(format!("Source {} not found", source.display())));
    };
    if !system.access(source, Access::Read).unwrap_or(false) {
        return Err(Fail::new(format!(
            "Source {} not readable",
            source.display()
        )));
    }
    if !stat.is(FileType::Directory) {
        let one = Placement {
            invocation,
            system,
            wanted: preserved(invocation, &stat),
            content: system.read(source).map_err(|e| Fail::new(errno_text(&e)))?,
            source: Some(source.display().to_string()),
            remote: true,
        };
        let base = source.file_name().map(|n| n.to_string_lossy().into_owned());
        let dest = one.destination(shown, base.as_deref())?;
        return one.place(dest);
    }
    let mut dest = PathBuf::from(shown);
    if !source.display().to_string().ends_with('/')
        && let Some(name) = source.file_name()
        && system.stat(&dest).is_ok()
    {
        dest.push(name);
    }
    let changed = tree(invocation, system, source, &dest)?;
    let result = Dict::new();
    result.set("changed", changed);
    result.set("dest", shown);
    result.set("src", source.display().to_string());
    result.set("checksum", Value::None);
    result.set("md5sum", Value::None);
    Ok(result)
}

fn preserved(invocation: &Invocation<'_>, stat: &crate::system::Stat) -> Wanted {
    let mut wanted = Wanted::of(invocation);
    let mode = invocation.params.get("mode");
    if mode.is_some_and(|m| m.as_str() == Some("preserve")) {
        wanted.mode = Some(Value::from(super::perms::octal(stat.permissions())));
    }
    wanted
}

fn tree(
    invocation: &Invocation<'_>,
    system: &dyn System,
    source: &Path,
    dest: &Path,
) -> Result<bool, Fail> {
    let fail = |e: std::io::Error| Fail::new(errno_text(&e));
    let mut changed = make_directories(invocation, system, dest)?;
    for name in system.readdir(source).map_err(fail)? {
        let (from, to) = (source.join(&name), dest.join(&name));
        let stat = system.lstat(&from).map_err(fail)?;
        match stat.file_type() {
            FileType::Directory => changed |= tree(invocation, system, &from, &to)?,
            FileType::Link if !invocation.is("local_follow") => {
                let target = system.readlink(&from).map_err(fail)?;
                if system.readlink(&to).ok().as_ref() != Some(&target) {
                    if system.lstat(&to).is_ok() {
                        system.unlink(&to).map_err(fail)?;
                    }
                    system.symlink(&target, &to).map_err(fail)?;
                    changed = true;
                }
            }
            _ => {
                let one = Placement {
                    invocation,
                    system,
                    wanted: preserved(invocation, &stat),
                    content: system.read(&from).map_err(fail)?,
                    source: Some(from.display().to_string()),
                    remote: true,
                };
                changed |= one.place(to)?.get("changed").is_some_and(|c| c.truth());
            }
        }
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::modules::{RunContext, run};
    use crate::system::{Fake, System};
    use crate::value::{Dict, Value};

    fn copy(machine: &dyn System, args: &[(&str, &str)], content: &[u8]) -> Dict {
        let empty = BTreeMap::new();
        let context = RunContext {
            check: false,
            diff: true,
            environment: &empty,
            settings: &empty,
            content: Some(content),
        };
        let args = Value::dict(args.iter().map(|(k, v)| (*k, Value::from(*v))));
        let result = run("copy", args.as_dict().expect("dict"), &context, machine);
        result.remove("invocation");
        result
    }

    #[test]
    fn a_new_file_is_reported_as_ansible_reports_it() {
        let machine = Fake::new();
        let result = copy(
            &machine,
            &[("src", "/c/s"), ("dest", "/tmp/o"), ("mode", "0640")],
            b"new\n",
        );
        let expected = "{'dest': '/tmp/o', 'checksum': '389cc6b7ae5a659383eab5dfc253764eccf84732', 'changed': True, 'md5sum': '9cd599a3523898e6a12e13ec787da50a', 'src': '/c/s', 'diff': [{'before': '', 'after_header': '/c/s', 'after': 'new\\n'}], 'uid': 0, 'gid': 0, 'owner': 'root', 'group': 'root', 'mode': '0640', 'state': 'file', 'size': 4}";
        assert_eq!(Value::Dict(result).repr(), expected);
        let second = copy(
            &machine,
            &[("src", "/c/s"), ("dest", "/tmp/o"), ("mode", "0640")],
            b"new\n",
        );
        assert_eq!(second.get("changed"), Some(Value::from(false)));
    }

    #[test]
    fn a_missing_parent_fails_in_ansible_s_words() {
        let result = copy(&Fake::new(), &[("dest", "/no/f")], b"x");
        assert_eq!(
            result.get("msg"),
            Some(Value::from("Destination directory /no does not exist"))
        );
    }

    #[test]
    fn a_directory_as_destination_takes_the_source_s_name() {
        let machine = Fake::new();
        let args = [("dest", "/tmp/"), ("_original_basename", "a.conf")];
        assert_eq!(
            copy(&machine, &args, b"x").get("dest"),
            Some(Value::from("/tmp/a.conf"))
        );
        assert_eq!(
            copy(&machine, &[("dest", "/tmp")], b"x").get("msg"),
            Some(Value::from("can not use content with a dir as dest"))
        );
    }
}
