//! `copy`: places bytes at a path; the target half of `copy` and `template`.
//!
//! The controller sends the bytes ([`super::RunContext::content`]) and names their source in `src`
//! (for results and diffs) and `_original_basename` (for a directory as `dest`). With `remote_src`
//! the source is on the machine itself.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::outcome::BARE;
use super::outcome::{Fail, errno_text};
use super::perms::{Wanted, backup, replace};
use super::{Default, Invocation, Kind, Module, Param, Ran, RunContext, Spec};
use crate::diag::os_message;
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
    legacy: true,
    settle: Some(settle),
    doc: "Copies a file to the host.",
    example: "- copy:\n    src: app.conf\n    dest: /etc/app.conf\n    mode: '0644'",
    run,
};

/// What is looked at first: where nothing is to be placed, Ansible's `copy` ends here and the
/// other arguments are nobody's business.
const FIRST: Spec = Spec {
    params: &[
        Param::new("src", Kind::Path),
        Param::new("dest", Kind::Path).required(),
        Param::new("_original_basename", Kind::Str),
        Param::new("force", Kind::Bool).default(Default::Bool(true)),
        Param::new("follow", Kind::Bool).default(Default::Bool(false)),
    ],
    file: true,
    mutually_exclusive: &[],
    required_if: &[],
};

/// Answers where the file is there already, or must not be replaced; `None` where it is to be placed.
fn settle(args: &Dict, context: &RunContext<'_>, system: &dyn System) -> Option<Ran> {
    let content = context.content?;
    let few: Dict = args
        .to_vec()
        .into_iter()
        .filter(|(key, _)| {
            key.as_str()
                .is_some_and(|name| FIRST.all(context.level).any(|p| p.name == name))
        })
        .collect();
    let expand = |text: &str| super::expand(system, context.environment, text);
    let params = FIRST.bind("copy", &few, &expand, context.level).ok()?;
    let invocation = Invocation {
        module: "copy",
        params,
        context: *context,
    };
    let file = Placement::sent(&invocation, system, content);
    let base = invocation.text("_original_basename");
    let dest = match file.destination(&invocation.text("dest")?, base.as_deref()) {
        Ok(dest) => dest,
        Err(fail) => return Some(Err(fail)),
    };
    match file.keep(&dest) {
        Ok(None) => None,
        Ok(Some(result)) => Some(Ok(result)),
        Err(fail) => Some(Err(fail)),
    }
}

fn run(invocation: &Invocation<'_>, system: &dyn System) -> Ran {
    let source = invocation.text("src");
    let shown = invocation.text("dest").unwrap_or_default();
    if invocation.is("remote_src") {
        let Some(source) = source else {
            return Err(Fail::new("src (or content) is required"));
        };
        return remote(invocation, system, &source, &shown);
    }
    let text = invocation.text("content");
    let content = match (invocation.context.content, &text) {
        (Some(bytes), _) => bytes,
        (None, Some(text)) => text.as_bytes(),
        (None, None) => return Err(Fail::new("src (or content) is required")),
    };
    let file = Placement::sent(invocation, system, content);
    let base = invocation.text("_original_basename");
    let dest = file.destination(&shown, base.as_deref())?;
    if let Some(parent) = dest.parent()
        && base.is_some()
        && system.stat(parent).is_err()
        && (shown.ends_with('/') || base.as_deref().is_some_and(|base| base.contains('/')))
    {
        make_directories(invocation, system, parent)?;
    }
    file.place(&dest)
}

/// One file to place.
struct Placement<'a> {
    invocation: &'a Invocation<'a>,
    system: &'a dyn System,
    wanted: Wanted,
    content: Cow<'a, [u8]>,
    checksum: String,
    source: Option<String>,
    remote: bool,
}

impl<'a> Placement<'a> {
    /// A file that the controller sends.
    fn sent(
        invocation: &'a Invocation<'a>,
        system: &'a dyn System,
        content: &'a [u8],
    ) -> Placement<'a> {
        Placement {
            invocation,
            system,
            wanted: Wanted::of(invocation),
            checksum: digest(content, Algorithm::Sha1),
            content: Cow::Borrowed(content),
            source: invocation.text("src"),
            remote: false,
        }
    }

    /// A file of the machine itself.
    fn local(
        invocation: &'a Invocation<'a>,
        system: &'a dyn System,
        source: &Path,
        wanted: Wanted,
    ) -> Result<Placement<'a>, Fail> {
        let content = system.read(source).map_err(|e| Fail::new(errno_text(&e)))?;
        Ok(Placement {
            invocation,
            system,
            wanted,
            checksum: digest(&content, Algorithm::Sha1),
            content: Cow::Owned(content),
            source: Some(source.display().to_string()),
            remote: true,
        })
    }

    /// Fails; the controller's half of `copy` adds the checksum of what it sent.
    fn fail(&self, message: impl AsRef<str>) -> Fail {
        let fail = Fail::new(message);
        if self.remote {
            return fail;
        }
        fail.with("checksum", self.checksum.as_str())
    }

    /// Says where the file goes: into a directory under its own name.
    fn destination(&self, shown: &str, base: Option<&str>) -> Result<PathBuf, Fail> {
        let dest = Path::new(shown);
        let directory = match self.system.stat(dest) {
            Ok(stat) => stat.is(FileType::Directory),
            Err(e) if e.raw_os_error() == Some(errno::ENOTDIR) && !self.remote => {
                return Err(Fail::new(format!(
                    "Failed to get information on remote file ({shown}): {}",
                    os_message(&e)
                ))
                .raised());
            }
            Err(_) => false,
        };
        if !directory && !shown.ends_with('/') {
            return Ok(dest.to_owned());
        }
        let Some(base) = base.filter(|b| !b.is_empty()) else {
            return Err(Fail::new("can not use content with a dir as dest").by_action());
        };
        let here = if shown.starts_with(['/', '.', '~']) || shown.ends_with('/') {
            ""
        } else {
            "./"
        };
        Ok(PathBuf::from(format!(
            "{here}{}/{base}",
            shown.trim_end_matches('/')
        )))
    }

    /// Returns the path that is to be changed: where a link leads to, if it is to be followed.
    fn target(&self, dest: &Path) -> Result<PathBuf, Fail> {
        let is_link = self
            .system
            .lstat(dest)
            .is_ok_and(|stat| stat.is(FileType::Link));
        if is_link && self.invocation.is("follow") {
            return canonical(self.system, dest).map_err(|e| self.fail(errno_text(&e)));
        }
        Ok(dest.to_owned())
    }

    /// Returns the result where nothing is to be placed: the file must not be replaced, or is the
    /// same; then its owner and mode are brought to what is wanted.
    fn keep(&self, dest: &Path) -> Result<Option<Dict>, Fail> {
        let system = self.system;
        let target = self.target(dest)?;
        let shown = target.display().to_string();
        let have = optional(system.lstat(&target)).map_err(|e| self.fail(errno_text(&e)))?;
        let Some(have) = have else {
            return Ok(None);
        };
        let result = Dict::new();
        result.set("dest", shown.as_str());
        if !self.invocation.is("force") {
            if self.remote {
                result.set("msg", "file already exists");
            } else {
                result.set(BARE, true);
            }
            if let Some(source) = &self.source {
                result.set("src", source.as_str());
            }
            result.set("changed", false);
            return Ok(Some(result));
        }
        let same = !have.is(FileType::Link)
            && system
                .digest(&target, Algorithm::Sha1)
                .is_ok_and(|have| have == self.checksum);
        if !same {
            return Ok(None);
        }
        result.set("checksum", self.checksum.as_str());
        let (before, after) = (Dict::new(), Dict::new());
        before.set("path", shown.as_str());
        after.set("path", shown.as_str());
        let follow = self.invocation.is("follow");
        let changed = self
            .wanted
            .apply(system, &target, follow, Some((&before, &after)))
            .map_err(|fail| fail.with("checksum", self.checksum.as_str()))?;
        result.set("changed", changed);
        if self.remote {
            if let Some(source) = &self.source {
                result.set("src", source.as_str());
            }
            result.set("md5sum", digest(&self.content, Algorithm::Md5));
        } else {
            result.set("path", shown);
        }
        let diff = Dict::new();
        diff.set("before", before);
        diff.set("after", after);
        result.set("diff", diff);
        Ok(Some(result))
    }

    fn place(&self, dest: &Path) -> Ran {
        let system = self.system;
        if let Some(expected) = self.invocation.text("checksum")
            && expected != self.checksum
        {
            return Err(self
                .fail("Copied file does not match the expected checksum. Transfer failed.")
                .with("checksum", self.checksum.as_str())
                .with("expected_checksum", expected));
        }
        if let Some(result) = self.keep(dest)? {
            return Ok(result);
        }
        let os = |e: std::io::Error| self.fail(errno_text(&e));
        let target = self.target(dest)?;
        let shown = target.display().to_string();
        let have = optional(system.lstat(&target)).map_err(os)?;
        let is_link = have.is_some_and(|s| s.is(FileType::Link));
        let followed = system.stat(&target).ok();
        if followed.is_some_and(|s| s.is(FileType::Directory)) && !is_link {
            return Err(self.fail(format!("{shown} is a directory")));
        }
        self.check_parent(&target).map_err(|m| self.fail(m))?;
        self.validate()?;
        let diff = self.diff(&target, &shown, have.is_some());
        let result = Dict::new();
        result.set("dest", shown.as_str());
        result.set("checksum", self.checksum.as_str());
        if self.invocation.is("backup")
            && followed.is_some()
            && let Some(name) = backup(system, &target)?
        {
            result.set("backup_file", name);
        }
        let kept = have.filter(|_| !is_link);
        let umask = system.umask().map_err(os)?;
        let how = WriteAs {
            mode: kept.map_or(0o666 & !umask, |s| s.permissions()),
            uid: kept.map(|s| s.uid),
            gid: kept.map(|s| s.gid),
        };
        self.write(&target, how).map_err(|e| {
            self.fail(format!(
                "failed to copy: {} to {shown}: {}",
                self.source.as_deref().unwrap_or("content"),
                errno_text(&e)
            ))
        })?;
        self.wanted
            .apply(system, &target, true, None)
            .map_err(|fail| {
                if self.remote {
                    fail
                } else {
                    fail.with("checksum", self.checksum.as_str())
                }
            })?;
        result.set("changed", true);
        result.set("md5sum", digest(&self.content, Algorithm::Md5));
        if let Some(source) = &self.source {
            result.set("src", source.as_str());
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
        replace(
            self.system,
            target,
            &self.content,
            how,
            self.invocation.is("unsafe_writes"),
        )
    }

    fn check_parent(&self, target: &Path) -> Result<(), String> {
        let parent = match target.parent() {
            Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
            Some(parent) => parent,
            None => Path::new("/"),
        };
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

    fn validate(&self) -> Result<(), Fail> {
        let Some(validate) = self.invocation.text("validate") else {
            return Ok(());
        };
        if !validate.contains("%s") {
            return Err(self.fail(format!("validate must contain %s: {validate}")));
        }
        if let Some(output) = check_with(self.invocation, self.system, &validate, &self.content)? {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            return Err(self
                .fail("failed to validate")
                .with("exit_status", output.rc)
                .with("stdout", text(&output.stdout))
                .with("stderr", text(&output.stderr)));
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
        let header = match (self.invocation.context.header, &self.source) {
            (Some(header), _) => header.to_owned(),
            (None, Some(source)) => source.clone(),
            (None, None) => shown.to_owned(),
        };
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

fn remote(invocation: &Invocation<'_>, system: &dyn System, source: &str, shown: &str) -> Ran {
    let path = Path::new(source);
    let Ok(stat) = system.stat(path) else {
        return Err(Fail::new(format!("Source {source} not found")));
    };
    if !system.access(path, Access::Read).unwrap_or(false) {
        return Err(Fail::new(format!("Source {source} not readable")));
    }
    if !stat.is(FileType::Directory) {
        let one = Placement::local(invocation, system, path, preserved(invocation, &stat))?;
        let base = path.file_name().map(|n| n.to_string_lossy().into_owned());
        let dest = one.destination(shown, base.as_deref())?;
        if shown.ends_with('/') {
            make_directories(invocation, system, Path::new(shown))?;
        }
        return one.place(&dest);
    }
    remote_tree(invocation, system, source, shown)
}

/// Copies a directory of the machine itself: into `dest` under its own name, or its content where
/// `src` ends in `/`.
///
/// **Source:** as observed: what is inside keeps its modes; `mode` and owner are for the directory
/// that the result names.
fn remote_tree(invocation: &Invocation<'_>, system: &dyn System, source: &str, shown: &str) -> Ran {
    let path = Path::new(source);
    let exists = system
        .stat(Path::new(shown))
        .is_ok_and(|s| s.is(FileType::Directory));
    let name = match (source.ends_with('/'), path.file_name()) {
        (false, Some(name)) => name.to_string_lossy().into_owned(),
        _ => String::new(),
    };
    let joined = format!("{}/{name}", shown.trim_end_matches('/'));
    let root = if exists || !name.is_empty() {
        joined
    } else {
        shown.to_owned()
    };
    let mut changed = false;
    if !exists && !name.is_empty() {
        changed |= make_directories(
            &Invocation {
                module: invocation.module,
                params: Dict::new(),
                context: invocation.context,
            },
            system,
            Path::new(shown),
        )?;
    }
    changed |= tree(invocation, system, path, Path::new(&root))?;
    let named = if exists { root.as_str() } else { shown };
    let (before, after) = (Dict::new(), Dict::new());
    changed |= preserved(invocation, &system.stat(path).unwrap_or_default()).apply(
        system,
        Path::new(named),
        true,
        Some((&before, &after)),
    )?;
    let result = Dict::new();
    result.set("changed", changed);
    result.set("dest", named);
    result.set("src", source);
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
    let mut changed = false;
    if system.stat(dest).is_err() {
        let mode = system.stat(source).map_err(fail)?.permissions();
        system.mkdir(dest, 0o700).map_err(fail)?;
        system.chmod(dest, mode).map_err(fail)?;
        changed = true;
    }
    for name in system.readdir(source).map_err(fail)? {
        let (from, to) = (source.join(&name), dest.join(&name));
        let stat = system.lstat(&from).map_err(fail)?;
        match stat.file_type() {
            FileType::Directory => changed |= tree(invocation, system, &from, &to)?,
            FileType::Link => {
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
                let wanted = Wanted {
                    mode: Some(Value::from(super::perms::octal(stat.permissions()))),
                    ..Wanted::default()
                };
                let one = Placement::local(invocation, system, &from, wanted)?;
                changed |= one.place(&to)?.get("changed").is_some_and(|c| c.truth());
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
            level: crate::compat::Level::default(),
            environment: &empty,
            settings: &empty,
            content: Some(content),
            header: None,
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
