//! `file`: files, directories, links, and their owners and modes.

use std::path::{Path, PathBuf};

use super::outcome::{Fail, errno_text};
use super::perms::Wanted;
use super::{Default, Invocation, Kind, Module, Param, Ran, Spec};
use crate::system::{FileType, SetTime, Stat, System, Time, WriteAs, canonical, errno, optional};
use crate::value::{Dict, Value};

/// The table's row.
pub(super) const MODULE: Module = Module {
    name: "file",
    spec: Spec {
        params: &[
            Param::new("state", Kind::Str).choices(&[
                "absent",
                "directory",
                "file",
                "hard",
                "link",
                "touch",
            ]),
            Param::new("path", Kind::Path)
                .required()
                .aliases(&["dest", "name"]),
            Param::new("_original_basename", Kind::Str),
            Param::new("recurse", Kind::Bool).default(Default::Bool(false)),
            Param::new("force", Kind::Bool).default(Default::Bool(false)),
            Param::new("follow", Kind::Bool).default(Default::Bool(true)),
            Param::new("_diff_peek", Kind::Bool),
            Param::new("src", Kind::Path),
            Param::new("modification_time", Kind::Str),
            Param::new("modification_time_format", Kind::Str)
                .default(Default::Str("%Y%m%d%H%M.%S")),
            Param::new("access_time", Kind::Str),
            Param::new("access_time_format", Kind::Str).default(Default::Str("%Y%m%d%H%M.%S")),
        ],
        file: true,
        mutually_exclusive: &[],
        required_if: &[],
    },
    legacy: false,
    settle: None,
    doc: "Makes and removes files, directories and links, and sets owner and mode.",
    example: "- file:\n    path: /etc/app\n    state: directory\n    mode: '0755'",
    run,
};

/// What a call works with.
struct Job<'a> {
    invocation: &'a Invocation<'a>,
    system: &'a dyn System,
    path: PathBuf,
    wanted: Wanted,
    follow: bool,
    before: Dict,
    after: Dict,
}

fn run(invocation: &Invocation<'_>, system: &dyn System) -> Ran {
    let mut path = invocation.path("path").unwrap_or_default();
    let source = invocation.path("src");
    let was = state_of(system, &path);
    let follow = invocation.is("follow");
    let state = invocation.text("state").unwrap_or_else(|| match was {
        _ if invocation.is("recurse") => "directory".into(),
        "absent" => "file".into(),
        was => was.to_owned(),
    });
    invocation.params.set("state", state.as_str());
    // A directory as path takes the source's name, where no directory is asked for.
    if !matches!(state.as_str(), "link" | "absent") && path_is_directory(system, &path) {
        let base = invocation.text("_original_basename").or_else(|| {
            source
                .as_ref()?
                .file_name()
                .map(|n| n.to_string_lossy().into_owned())
        });
        if let Some(base) = base {
            path.push(base);
            invocation.params.set("path", path.display().to_string());
        }
    }
    let failed = |message: &str| Fail::new(message).with("path", path.display().to_string());
    if invocation.is("recurse") && state != "directory" {
        return Err(failed("recurse option requires state to be 'directory'"));
    }
    if source.is_some()
        && !matches!(state.as_str(), "link" | "hard")
        && invocation.context.level.refuses_stray_source()
    {
        return Err(failed("src option requires state to be 'link' or 'hard'"));
    }
    let stray = source.is_some() && !matches!(state.as_str(), "link" | "hard");
    let (before, after) = (Dict::new(), Dict::new());
    let was = state_of(system, &path);
    for side in [&before, &after] {
        side.set("path", path.display().to_string());
    }
    if was != state {
        before.set("state", was);
        after.set("state", state.as_str());
        if state == "absent" && was == "directory" {
            let (directories, files) = contents(system, &path);
            let inner = Dict::new();
            inner.set("directories", Value::list(directories));
            inner.set("files", Value::list(files));
            before.set("path_content", inner);
        }
    }
    let job = Job {
        invocation,
        system,
        wanted: Wanted::of(invocation),
        path,
        follow,
        before,
        after,
    };
    let result = match state.as_str() {
        "absent" => job.absent(was),
        "directory" => job.directory(was),
        "file" => job.file(was),
        "hard" => job.hard(was),
        "link" => job.link(was),
        _ => job.touch(was),
    }?;
    if stray {
        let warning = "The src option requires state to be 'link' or 'hard'.  This will become an error in Ansible 2.10";
        result.set("warnings", Value::list(vec![warning.into()]));
    }
    let diff = Dict::new();
    diff.set("before", job.before);
    diff.set("after", job.after);
    if !(state == "absent" && was == "absent") {
        result.set("diff", diff);
    }
    Ok(result)
}

/// Names what a path is, as Ansible does: a file of several names is `hard`.
fn state_of(system: &dyn System, path: &Path) -> &'static str {
    match system.lstat(path) {
        Err(_) => "absent",
        Ok(stat) => match stat.file_type() {
            FileType::Link => "link",
            FileType::Directory => "directory",
            _ if stat.nlink > 1 => "hard",
            _ => "file",
        },
    }
}

fn path_is_directory(system: &dyn System, path: &Path) -> bool {
    system.stat(path).is_ok_and(|s| s.is(FileType::Directory))
}

fn contents(system: &dyn System, path: &Path) -> (Vec<Value>, Vec<Value>) {
    let (mut directories, mut files) = (Vec::new(), Vec::new());
    for name in system.readdir(path).unwrap_or_default() {
        let inner = path.join(&name);
        if system
            .lstat(&inner)
            .is_ok_and(|s| s.is(FileType::Directory))
        {
            directories.push(inner.display().to_string().into());
            let (d, f) = contents(system, &inner);
            directories.extend(d);
            files.extend(f);
        } else {
            files.push(inner.display().to_string().into());
        }
    }
    (directories, files)
}

impl Job<'_> {
    fn fail(&self, message: impl AsRef<str>) -> Fail {
        Fail::new(message).with("path", self.path.display().to_string())
    }

    fn shown(&self) -> String {
        self.path.display().to_string()
    }

    fn result(&self, key: &str, changed: bool) -> Dict {
        let result = Dict::new();
        result.set(key, self.shown());
        result.set("changed", changed);
        result
    }

    fn apply(&self, path: &Path) -> Result<bool, Fail> {
        self.wanted.apply(
            self.system,
            path,
            self.follow,
            Some((&self.before, &self.after)),
        )
    }

    fn absent(&self, was: &str) -> Ran {
        let removed = match was {
            "absent" => {
                let result = self.result("path", false);
                result.set("state", "absent");
                return Ok(result);
            }
            "directory" => self
                .system
                .remove_tree(&self.path)
                .map_err(|e| Fail::new(format!("rmtree failed: {}", errno_text(&e)))),
            _ => match self.system.unlink(&self.path) {
                Err(e) if e.raw_os_error() != Some(errno::ENOENT) => {
                    Err(self.fail(format!("unlinking failed: {} ", errno_text(&e))))
                }
                _ => Ok(()),
            },
        };
        removed?;
        let result = self.result("path", true);
        result.set("state", "absent");
        Ok(result)
    }

    fn file(&self, was: &str) -> Ran {
        let mut path = self.path.clone();
        let mut was = was;
        if was == "link" && self.follow {
            path = canonical(self.system, &path).map_err(|e| self.fail(errno_text(&e)))?;
            was = state_of(self.system, &path);
        }
        let shown = path.display();
        if !matches!(was, "file" | "hard") {
            let fail = Fail::new(format!("file ({shown}) is {was}, cannot continue"))
                .with("path", shown.to_string())
                .with("state", was);
            return Err(fail);
        }
        let changed = self.apply(&path)? | self.times(&path)?;
        let result = Dict::new();
        result.set("path", shown.to_string());
        result.set("changed", changed);
        Ok(result)
    }

    fn directory(&self, was: &str) -> Ran {
        if self.path.as_os_str().is_empty() {
            return Err(self.fail(
                "There was an issue creating  as requested: [Errno 2] No such file or directory: b''",
            ));
        }
        let mut path = self.path.clone();
        let mut was = was;
        if was == "link" && self.follow {
            path = canonical(self.system, &path).map_err(|e| self.fail(errno_text(&e)))?;
            was = state_of(self.system, &path);
        }
        let mut changed = false;
        if was == "absent" {
            let mut current = PathBuf::new();
            for part in path.components() {
                current.push(part);
                if self.system.stat(&current).is_ok() {
                    continue;
                }
                match self.system.mkdir(&current, 0o777) {
                    Ok(()) => {
                        changed = true;
                        self.apply(&current)?;
                    }
                    Err(e) if e.raw_os_error() == Some(errno::EEXIST) => {}
                    Err(e) => {
                        return Err(self.fail(format!(
                            "There was an issue creating {} as requested: {}: b'{}'",
                            current.display(),
                            errno_text(&e),
                            current.display()
                        )));
                    }
                }
            }
        } else if was != "directory" {
            return Err(self.fail(format!("{} already exists as a {was}", path.display())));
        }
        changed |= self.apply(&path)?;
        changed |= self.times(&path)?;
        if self.invocation.is("recurse") {
            changed |= self.recurse(&path)?;
        }
        let result = self.result("path", changed);
        result.set("path", path.display().to_string());
        Ok(result)
    }

    fn recurse(&self, directory: &Path) -> Result<bool, Fail> {
        let mut changed = false;
        let names = self
            .system
            .readdir(directory)
            .map_err(|e| self.fail(errno_text(&e)))?;
        for name in names {
            let inner = directory.join(name);
            let Ok(stat) = self.system.lstat(&inner) else {
                continue;
            };
            let plain = |path: &Path, follow| self.wanted.apply(self.system, path, follow, None);
            if stat.is(FileType::Link) {
                if self.follow
                    && let Ok(target) = canonical(self.system, &inner)
                    && self.system.stat(&target).is_ok()
                {
                    changed |= plain(&target, false)?;
                    if path_is_directory(self.system, &target) {
                        changed |= self.recurse(&target)?;
                    }
                } else {
                    changed |= plain(&inner, false)?;
                }
            } else {
                changed |= plain(&inner, false)?;
                if stat.is(FileType::Directory) {
                    changed |= self.recurse(&inner)?;
                }
            }
        }
        Ok(changed)
    }

    fn touch(&self, was: &str) -> Ran {
        let mut path = self.path.clone();
        let mut was = was;
        if was == "link" && self.follow {
            path = canonical(self.system, &path).map_err(|e| self.fail(errno_text(&e)))?;
            was = state_of(self.system, &path);
        }
        let fail = |message: String| Fail::new(message).with("path", path.display().to_string());
        let preserve = was != "absent";
        let modification = self.time("modification_time", preserve)?;
        let access = self.time("access_time", preserve)?;
        let mut changed = false;
        if was == "absent" {
            let how = WriteAs {
                mode: 0o666 & !self.system.umask().unwrap_or(0o022),
                uid: None,
                gid: None,
            };
            self.system.write_atomic(&path, b"", how).map_err(|e| {
                let said = format!("{}: b'{}'", errno_text(&e), path.display());
                let message = "Error, could not touch target";
                if self
                    .invocation
                    .context
                    .level
                    .checks_command_before_it_runs()
                {
                    fail(format!("{message}.")).because(said)
                } else {
                    fail(format!("{message}: {said}"))
                }
            })?;
            changed = true;
        }
        changed |= self.apply(&path)?;
        changed |= self.set_times(&path, access, modification, preserve)?;
        let result = Dict::new();
        result.set("dest", self.shown());
        result.set("changed", changed);
        Ok(result)
    }

    /// Brings the times asked for by a state that doesn't touch: without a wish they stay.
    fn times(&self, path: &Path) -> Result<bool, Fail> {
        let wanted = |key: &str| match self.invocation.text(key) {
            Some(_) => self.time(key, true),
            None => Ok(SetTime::Keep),
        };
        let (access, modification) = (wanted("access_time")?, wanted("modification_time")?);
        self.set_times(path, access, modification, true)
    }

    fn set_times(
        &self,
        path: &Path,
        access: SetTime,
        modification: SetTime,
        noted: bool,
    ) -> Result<bool, Fail> {
        if access == SetTime::Keep && modification == SetTime::Keep {
            return Ok(false);
        }
        let fail = |message: String| Fail::new(message).with("path", path.display().to_string());
        let old = self.system.stat(path).map_err(|e| fail(errno_text(&e)))?;
        let same =
            |wanted: SetTime, have: Time| wanted == SetTime::Keep || wanted == SetTime::At(have);
        if same(access, old.atime) && same(modification, old.mtime) {
            return Ok(false);
        }
        self.system
            .utimes(path, access, modification, true)
            .map_err(|e| {
                fail(format!(
                    "Error while updating modification or access time: {}",
                    errno_text(&e)
                ))
            })?;
        if noted && let Ok(new) = self.system.stat(path) {
            for (key, from, to) in [
                ("atime", old.atime, new.atime),
                ("mtime", old.mtime, new.mtime),
            ] {
                if from != to {
                    self.before.set(key, from.as_f64());
                    self.after.set(key, to.as_f64());
                }
            }
        }
        Ok(true)
    }

    fn time(&self, key: &str, exists: bool) -> Result<SetTime, Fail> {
        let Some(text) = self.invocation.text(key) else {
            return Ok(SetTime::Now);
        };
        match text.as_str() {
            "now" => Ok(SetTime::Now),
            "preserve" if exists => Ok(SetTime::Keep),
            "preserve" => Ok(SetTime::Now),
            given => {
                let format = self
                    .invocation
                    .text(&format!("{key}_format"))
                    .unwrap_or_default();
                let bad = |why: String| {
                    Fail::new(format!(
                        "Error while obtaining timestamp for time {given} using format {format}: {why}"
                    ))
                };
                let local = jiff::civil::DateTime::strptime(&format, given).map_err(|_| {
                    bad(format!(
                        "time data '{given}' does not match format '{format}'"
                    ))
                })?;
                let seconds = self.system.mktime(local).map_err(|e| bad(errno_text(&e)))?;
                Ok(SetTime::At(Time {
                    seconds,
                    nanoseconds: 0,
                }))
            }
        }
    }

    fn link(&self, was: &str) -> Ran {
        let force = self.invocation.is("force");
        let path = &self.path;
        let source = match self.invocation.text("src") {
            Some(source) => source,
            None if was == "link" && self.follow => match self.system.readlink(path) {
                Ok(target) => target.display().to_string(),
                Err(e) => return Err(self.fail(errno_text(&e))),
            },
            None if matches!(was, "absent" | "link") => {
                return Err(Fail::new("src is required for creating new symlinks"));
            }
            None => String::new(),
        };
        let relative_to = if was == "directory" {
            path.clone()
        } else {
            path.parent().map(Path::to_owned).unwrap_or_default()
        };
        let absolute = relative_to.join(&source);
        let fail = |m: String| self.fail(m).with("src", source.as_str());
        let there = self.system.stat(&absolute).is_ok();
        // Where a link goes already is nobody's wish.
        let quote = self.invocation.context.level.force_quote();
        if !force && !there && self.invocation.text("src").is_some() {
            return Err(fail(format!(
                "src file does not exist, use {quote}force=yes{quote} if you really want to create the link: {}",
                absolute.display()
            )));
        }
        let mut changed = false;
        match was {
            "directory" if !force => {
                return Err(self.fail(format!(
                    "refusing to convert from directory to symlink for {}",
                    self.shown()
                )));
            }
            "directory" if !self.system.readdir(path).unwrap_or_default().is_empty() => {
                return Err(self.fail(format!(
                    "the directory {} is not empty, refusing to convert it",
                    self.shown()
                )));
            }
            "file" | "hard" if !force => {
                let name = if was == "hard" { "hard" } else { "file" };
                return Err(self.fail(format!(
                    "refusing to convert from {name} to symlink for {}",
                    self.shown()
                )));
            }
            _ => {}
        }
        let current = if was == "link" {
            self.system
                .readlink(path)
                .ok()
                .map(|t| t.display().to_string())
        } else {
            None
        };
        if current.as_deref() != Some(source.as_str()) {
            if let Some(current) = &current {
                self.before.set("src", current.as_str());
                self.after.set("src", source.as_str());
            }
            self.place_link(was, &source, |link| {
                self.system.symlink(Path::new(&source), link)
            })?;
            changed = true;
        }
        let result = self.result("dest", changed);
        result.set("src", source.as_str());
        // Without a target there is nothing to set modes on.
        if !(self.follow && self.system.stat(path).is_err()) {
            let target = if self.follow {
                canonical(self.system, path).unwrap_or_else(|_| path.clone())
            } else {
                path.clone()
            };
            let changed = changed | self.apply(&target)?;
            result.set("changed", changed);
        } else if self.wanted.mode.is_some()
            || self.wanted.owner.is_some()
            || self.wanted.group.is_some()
            || self.follow
        {
            result.set(
                "warnings",
                Value::list(vec![
                    "Cannot set fs attributes on a non-existent symlink target. follow should be set to False to avoid this."
                        .into(),
                ]),
            );
        }
        Ok(result)
    }

    /// Makes a link at the path; what is there is replaced in one step where that can be done.
    fn place_link(
        &self,
        was: &str,
        source: &str,
        make: impl Fn(&Path) -> std::io::Result<()>,
    ) -> Result<(), Fail> {
        let fail = |e: std::io::Error| {
            self.fail(format!(
                "Error while linking: {}: b'{source}' -> b'{}'",
                errno_text(&e),
                self.shown()
            ))
        };
        if was == "absent" {
            return make(&self.path).map_err(fail);
        }
        let name = format!(
            ".{}.{}.{}.tmp",
            self.path.file_name().unwrap_or_default().to_string_lossy(),
            std::process::id(),
            self.system.local_now().map_err(fail)?.strftime("%H%M%S%f")
        );
        let temporary = self.path.with_file_name(name);
        make(&temporary).map_err(fail)?;
        let cleared = if was == "directory" {
            self.system.rmdir(&self.path)
        } else {
            Ok(())
        };
        let placed = cleared.and_then(|()| self.system.rename(&temporary, &self.path));
        if let Err(e) = placed {
            let _ = self.system.unlink(&temporary);
            return Err(
                Fail::new(format!("Error while replacing: {}", errno_text(&e)))
                    .with("path", self.shown()),
            );
        }
        // Renaming one name of a file over another name of the same file leaves both.
        let _ = self.system.unlink(&temporary);
        Ok(())
    }

    fn hard(&self, was: &str) -> Ran {
        let force = self.invocation.is("force");
        let dest = |message: String| {
            Fail::new(message)
                .with("dest", self.shown())
                .with("src", self.invocation.text("src").unwrap_or_default())
        };
        let Some(source) = self.invocation.path("src") else {
            if was == "absent" {
                return Err(Fail::new("src is required for creating new hardlinks"));
            }
            let changed = self.apply(&self.path)?;
            return Ok(self.result("dest", changed));
        };
        let Ok(target) = self.system.stat(&source) else {
            return Err(dest("src does not exist".into()));
        };
        let mut changed = false;
        let have: Option<Stat> =
            optional(self.system.lstat(&self.path)).map_err(|e| self.fail(errno_text(&e)))?;
        let same = have.is_some_and(|h| h.inode == target.inode && h.dev == target.dev);
        match was {
            "directory" => {
                return Err(dest(format!(
                    "refusing to convert from directory to hard link for {}",
                    self.shown()
                )));
            }
            "hard" if !same && !force => {
                return Err(dest(
                    "Cannot link, different hard link exists at destination".into(),
                ));
            }
            "file" if !same && !force => {
                return Err(dest(format!("Cannot link, {was} exists at destination")));
            }
            _ => {}
        }
        if !same {
            let shown = source.display().to_string();
            self.place_link(was, &shown, |link| self.system.hardlink(&source, link))?;
            changed = true;
        }
        changed |= self.apply(&self.path)?;
        let result = self.result("dest", changed);
        result.set("src", source.display().to_string());
        Ok(result)
    }
}
