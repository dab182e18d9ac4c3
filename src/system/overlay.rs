//! A copy-on-write view of a machine: reads fall through, writes stay in memory.
//!
//! Dry runs act on it, so a later task sees the directory that an earlier one "made". Commands that
//! only look run on the machine below; others aren't run and what they would do is unknown.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::{
    Access, Algorithm, Command, Effect, Executed, FileType, Identity, SetTime, Stat, System, Time,
    WriteAs, digest, errno, optional, os_error, path::resolve,
};

/// What is in memory for one inode.
struct Inode {
    stat: Stat,
    body: Body,
}

#[derive(Clone)]
enum Body {
    Bytes(Rc<[u8]>),
    /// The content is that of a file below; only the metadata differ.
    Below(PathBuf),
    /// A directory; entries of the machine below shine through unless it is new.
    Directory {
        new: bool,
    },
    Link(PathBuf),
    /// Another kind of file of the machine below.
    Special,
}

/// Two names of one file share the inode.
type Shared = Rc<RefCell<Inode>>;

/// A view of a machine on which nothing changes the machine.
pub struct Overlay {
    below: Box<dyn System>,
    /// By path without links; `None` where the name has been removed.
    entries: RefCell<BTreeMap<PathBuf, Option<Shared>>>,
    facts: RefCell<BTreeSet<String>>,
    inodes: Cell<u64>,
}

impl Overlay {
    /// Makes a view of a machine with nothing changed yet.
    pub fn new(below: Box<dyn System>) -> Overlay {
        Overlay {
            below,
            entries: RefCell::default(),
            facts: RefCell::default(),
            inodes: Cell::new(1 << 40),
        }
    }

    fn untouched(&self) -> bool {
        self.entries.borrow().is_empty()
    }

    /// Returns the path with all links resolved.
    fn resolved(&self, path: &Path) -> io::Result<PathBuf> {
        // A relative path starts where the process does.
        let path = if path.is_absolute() {
            path.to_path_buf()
        } else {
            self.current_dir()?.join(path)
        };
        resolve(&path, &|part| match optional(self.lstat_placed(part)) {
            Ok(Some(stat)) if stat.is(FileType::Link) => self.readlink_placed(part).map(Some),
            _ => Ok(None),
        })
    }

    fn readlink_placed(&self, path: &Path) -> io::Result<PathBuf> {
        match self.entry(path) {
            Some(Some(inode)) => match &inode.borrow().body {
                Body::Link(target) => Ok(target.clone()),
                _ => Err(os_error(errno::EINVAL)),
            },
            Some(None) => Err(os_error(errno::ENOENT)),
            None if self.shows_below(path) => self.below.readlink(path),
            None => Err(os_error(errno::ENOENT)),
        }
    }

    /// Returns the path with links resolved in all parts but the last.
    fn place(&self, path: &Path) -> io::Result<PathBuf> {
        match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) => Ok(self.resolved(parent)?.join(name)),
            _ => self.resolved(path),
        }
    }

    /// Says whether what is below at a placed path still shows.
    fn shows_below(&self, path: &Path) -> bool {
        let entries = self.entries.borrow();
        path.ancestors()
            .skip(1)
            .all(|parent| match entries.get(parent) {
                None => true,
                Some(None) => false,
                Some(Some(inode)) => {
                    matches!(inode.borrow().body, Body::Directory { new: false })
                }
            })
    }

    fn entry(&self, path: &Path) -> Option<Option<Shared>> {
        self.entries.borrow().get(path).cloned()
    }

    fn lstat_placed(&self, path: &Path) -> io::Result<Stat> {
        match self.entry(path) {
            Some(Some(inode)) => Ok(inode.borrow().stat),
            Some(None) => Err(os_error(errno::ENOENT)),
            None if self.shows_below(path) => self.below.lstat(path),
            None => Err(os_error(self.missing(path))),
        }
    }

    /// Tells "no such file" from "a parent is no directory".
    fn missing(&self, path: &Path) -> i32 {
        let entries = self.entries.borrow();
        let nearest = path
            .ancestors()
            .skip(1)
            .find_map(|parent| entries.get(parent));
        match nearest {
            Some(Some(inode)) if !inode.borrow().stat.is(FileType::Directory) => errno::ENOTDIR,
            _ => errno::ENOENT,
        }
    }

    /// Brings the inode at a placed path into memory.
    fn own(&self, path: &Path) -> io::Result<Shared> {
        if let Some(Some(inode)) = self.entry(path) {
            return Ok(inode);
        }
        let stat = self.lstat_placed(path)?;
        let body = match stat.file_type() {
            FileType::File => Body::Below(path.to_owned()),
            FileType::Directory => Body::Directory { new: false },
            FileType::Link => Body::Link(self.below.readlink(path)?),
            _ => Body::Special,
        };
        let inode = Rc::new(RefCell::new(Inode { stat, body }));
        self.entries
            .borrow_mut()
            .insert(path.to_owned(), Some(inode.clone()));
        Ok(inode)
    }

    /// Checks that a name may be made or removed in the directory that holds it.
    fn may_change_directory_of(&self, path: &Path) -> io::Result<()> {
        let parent = path.parent().unwrap_or(Path::new("/"));
        if !self.lstat_placed(parent)?.is(FileType::Directory) {
            return Err(os_error(errno::ENOTDIR));
        }
        if self.access(parent, Access::Write)? && self.access(parent, Access::Execute)? {
            Ok(())
        } else {
            Err(os_error(errno::EACCES))
        }
    }

    fn may_own(&self, stat: &Stat) -> io::Result<()> {
        let uid = self.below.identity()?.uid;
        if uid == 0 || uid == stat.uid {
            Ok(())
        } else {
            Err(os_error(errno::EPERM))
        }
    }

    fn now(&self) -> io::Result<Time> {
        let local = self.below.local_now()?;
        Ok(Time {
            seconds: self.below.mktime(local)?,
            nanoseconds: local.subsec_nanosecond().unsigned_abs(),
        })
    }

    fn new_inode(&self, mode: u32, size: u64, body: Body) -> io::Result<Shared> {
        let Identity { uid, gid, .. } = self.below.identity()?;
        let now = self.now()?;
        self.inodes.set(self.inodes.get() + 1);
        Ok(Rc::new(RefCell::new(Inode {
            stat: Stat {
                mode,
                uid,
                gid,
                size,
                nlink: if matches!(body, Body::Directory { .. }) {
                    2
                } else {
                    1
                },
                inode: self.inodes.get(),
                blocks: size.div_ceil(4096) * 8,
                block_size: 4096,
                atime: now,
                mtime: now,
                ctime: now,
                ..Stat::default()
            },
            body,
        })))
    }

    fn insert(&self, path: PathBuf, inode: Shared) {
        self.forget_under(&path);
        self.entries.borrow_mut().insert(path, Some(inode));
    }

    fn forget_under(&self, path: &Path) {
        self.entries
            .borrow_mut()
            .retain(|entry, _| entry == path || !entry.starts_with(path));
    }

    fn remove(&self, path: PathBuf) {
        self.forget_under(&path);
        if let Some(Some(inode)) = self.entry(&path) {
            let mut inode = inode.borrow_mut();
            inode.stat.nlink = inode.stat.nlink.saturating_sub(1);
        }
        self.entries.borrow_mut().insert(path, None);
    }

    fn exists_placed(&self, path: &Path) -> io::Result<bool> {
        Ok(optional(self.lstat_placed(path))?.is_some())
    }

    /// Returns where the content of a file is: bytes in memory, or a path below.
    fn content(&self, path: &Path) -> io::Result<Result<Rc<[u8]>, PathBuf>> {
        let path = self.resolved(path)?;
        let stat = self.lstat_placed(&path)?;
        if stat.is(FileType::Directory) {
            return Err(os_error(errno::EISDIR));
        }
        match self.entry(&path) {
            Some(Some(inode)) => match &inode.borrow().body {
                Body::Bytes(bytes) => Ok(Ok(bytes.clone())),
                Body::Below(below) => Ok(Err(below.clone())),
                _ => Err(os_error(errno::EINVAL)),
            },
            _ => Ok(Err(path)),
        }
    }
}

impl System for Overlay {
    fn exec(&self, command: &Command) -> io::Result<Executed> {
        if command.effect == Effect::Write {
            return Ok(Executed::Unknown);
        }
        if let Some(cwd) = &command.cwd {
            let here = self.stat(cwd)?;
            if !here.is(FileType::Directory) {
                return Err(os_error(errno::ENOTDIR));
            }
            if self.below.stat(cwd).is_err() {
                // The directory exists only in this dry run.
                return Ok(Executed::Unknown);
            }
        }
        self.below.exec(command)
    }

    fn env(&self, name: &str) -> Option<String> {
        self.below.env(name)
    }

    fn current_dir(&self) -> io::Result<PathBuf> {
        self.below.current_dir()
    }

    fn identity(&self) -> io::Result<Identity> {
        self.below.identity()
    }

    fn umask(&self) -> io::Result<u32> {
        self.below.umask()
    }

    fn local_now(&self) -> io::Result<jiff::civil::DateTime> {
        self.below.local_now()
    }

    fn mktime(&self, local: jiff::civil::DateTime) -> io::Result<i64> {
        self.below.mktime(local)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        if self.untouched() {
            return self.below.read(path);
        }
        match self.content(path)? {
            Ok(bytes) => Ok(bytes.to_vec()),
            Err(below) => self.below.read(&below),
        }
    }

    fn digest(&self, path: &Path, algorithm: Algorithm) -> io::Result<String> {
        if self.untouched() {
            return self.below.digest(path, algorithm);
        }
        match self.content(path)? {
            Ok(bytes) => Ok(digest(&bytes, algorithm)),
            Err(below) => self.below.digest(&below, algorithm),
        }
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        if self.untouched() {
            return self.below.stat(path);
        }
        self.lstat_placed(&self.resolved(path)?)
    }

    fn lstat(&self, path: &Path) -> io::Result<Stat> {
        if self.untouched() {
            return self.below.lstat(path);
        }
        self.lstat_placed(&self.place(path)?)
    }

    fn access(&self, path: &Path, access: Access) -> io::Result<bool> {
        if self.untouched() {
            return self.below.access(path, access);
        }
        let path = self.resolved(path)?;
        let Some(Some(inode)) = self.entry(&path) else {
            return if self.exists_placed(&path)? {
                self.below.access(&path, access)
            } else {
                Ok(false)
            };
        };
        let stat = inode.borrow().stat;
        let bit = match access {
            Access::Read => 4,
            Access::Write => 2,
            Access::Execute => 1,
        };
        let who = self.below.identity()?;
        if who.uid == 0 {
            return Ok(access != Access::Execute
                || stat.is(FileType::Directory)
                || stat.mode & 0o111 != 0);
        }
        let shift = if who.uid == stat.uid {
            6
        } else if who.gid == stat.gid || who.groups.contains(&stat.gid) {
            3
        } else {
            0
        };
        Ok(stat.mode >> shift & bit != 0)
    }

    fn readdir(&self, path: &Path) -> io::Result<Vec<OsString>> {
        if self.untouched() {
            return self.below.readdir(path);
        }
        let path = self.resolved(path)?;
        if !self.lstat_placed(&path)?.is(FileType::Directory) {
            return Err(os_error(errno::ENOTDIR));
        }
        let mut names: BTreeSet<OsString> = if self.shows_below(&path.join("x")) {
            self.below.readdir(&path)?.into_iter().collect()
        } else {
            BTreeSet::new()
        };
        for (entry, inode) in self.entries.borrow().iter() {
            if entry.parent() == Some(&path)
                && let Some(name) = entry.file_name()
            {
                if inode.is_some() {
                    names.insert(name.to_owned());
                } else {
                    names.remove(name);
                }
            }
        }
        Ok(names.into_iter().collect())
    }

    fn readlink(&self, path: &Path) -> io::Result<PathBuf> {
        if self.untouched() {
            return self.below.readlink(path);
        }
        self.readlink_placed(&self.place(path)?)
    }

    fn write_atomic(&self, path: &Path, content: &[u8], how: WriteAs) -> io::Result<()> {
        let path = self.place(path)?;
        self.may_change_directory_of(&path)?;
        if optional(self.lstat_placed(&path))?.is_some_and(|s| s.is(FileType::Directory)) {
            return Err(os_error(errno::EISDIR));
        }
        let inode = self.new_inode(
            FileType::File.bits() | (how.mode & 0o7777),
            content.len() as u64,
            Body::Bytes(content.into()),
        )?;
        {
            let mut inode = inode.borrow_mut();
            inode.stat.uid = how.uid.unwrap_or(inode.stat.uid);
            inode.stat.gid = how.gid.unwrap_or(inode.stat.gid);
        }
        self.insert(path, inode);
        Ok(())
    }

    fn write_in_place(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let path = self.resolved(path)?;
        let stat = self.lstat_placed(&path)?;
        if stat.is(FileType::Directory) {
            return Err(os_error(errno::EISDIR));
        }
        if !self.access(&path, Access::Write)? {
            return Err(os_error(errno::EACCES));
        }
        let now = self.now()?;
        let inode = self.own(&path)?;
        let mut inode = inode.borrow_mut();
        inode.body = Body::Bytes(content.into());
        inode.stat.size = content.len() as u64;
        inode.stat.mtime = now;
        Ok(())
    }

    fn mkdir(&self, path: &Path, mode: u32) -> io::Result<()> {
        let path = self.place(path)?;
        if self.exists_placed(&path)? {
            return Err(os_error(errno::EEXIST));
        }
        self.may_change_directory_of(&path)?;
        let mode = FileType::Directory.bits() | (mode & 0o7777 & !self.below.umask()?);
        let inode = self.new_inode(mode, 4096, Body::Directory { new: true })?;
        self.insert(path, inode);
        Ok(())
    }

    fn symlink(&self, target: &Path, link: &Path) -> io::Result<()> {
        let link = self.place(link)?;
        if self.exists_placed(&link)? {
            return Err(os_error(errno::EEXIST));
        }
        self.may_change_directory_of(&link)?;
        let inode = self.new_inode(
            FileType::Link.bits() | 0o777,
            target.as_os_str().len() as u64,
            Body::Link(target.to_owned()),
        )?;
        self.insert(link, inode);
        Ok(())
    }

    fn hardlink(&self, source: &Path, link: &Path) -> io::Result<()> {
        let source = self.resolved(source)?;
        let link = self.place(link)?;
        if self.lstat_placed(&source)?.is(FileType::Directory) {
            return Err(os_error(errno::EPERM));
        }
        if self.exists_placed(&link)? {
            return Err(os_error(errno::EEXIST));
        }
        self.may_change_directory_of(&link)?;
        let inode = self.own(&source)?;
        inode.borrow_mut().stat.nlink += 1;
        self.insert(link, inode);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let (from, to) = (self.place(from)?, self.place(to)?);
        if self.lstat_placed(&from)?.is(FileType::Directory) {
            // No module moves a directory.
            return Err(os_error(errno::EISDIR));
        }
        if optional(self.lstat_placed(&to))?.is_some_and(|s| s.is(FileType::Directory)) {
            return Err(os_error(errno::EISDIR));
        }
        self.may_change_directory_of(&from)?;
        self.may_change_directory_of(&to)?;
        let inode = self.own(&from)?;
        self.insert(to, inode);
        self.entries.borrow_mut().insert(from, None);
        Ok(())
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        let path = self.place(path)?;
        if self.lstat_placed(&path)?.is(FileType::Directory) {
            return Err(os_error(errno::EISDIR));
        }
        self.may_change_directory_of(&path)?;
        self.remove(path);
        Ok(())
    }

    fn rmdir(&self, path: &Path) -> io::Result<()> {
        let path = self.place(path)?;
        if !self.lstat_placed(&path)?.is(FileType::Directory) {
            return Err(os_error(errno::ENOTDIR));
        }
        if !self.readdir(&path)?.is_empty() {
            return Err(os_error(errno::ENOTEMPTY));
        }
        self.may_change_directory_of(&path)?;
        self.remove(path);
        Ok(())
    }

    fn remove_tree(&self, path: &Path) -> io::Result<()> {
        let path = self.place(path)?;
        if !self.lstat_placed(&path)?.is(FileType::Directory) {
            return Err(os_error(errno::ENOTDIR));
        }
        self.may_change_directory_of(&path)?;
        self.remove(path);
        Ok(())
    }

    fn chmod(&self, path: &Path, mode: u32) -> io::Result<()> {
        let path = self.resolved(path)?;
        self.may_own(&self.lstat_placed(&path)?)?;
        let inode = self.own(&path)?;
        let mut inode = inode.borrow_mut();
        inode.stat.mode = (inode.stat.mode & !0o7777) | (mode & 0o7777);
        Ok(())
    }

    fn chown(
        &self,
        path: &Path,
        uid: Option<u32>,
        gid: Option<u32>,
        follow: bool,
    ) -> io::Result<()> {
        let path = if follow {
            self.resolved(path)?
        } else {
            self.place(path)?
        };
        let stat = self.lstat_placed(&path)?;
        let who = self.below.identity()?;
        let mine = who.uid == stat.uid;
        let gives_away = uid.is_some_and(|uid| uid != stat.uid);
        let strange = gid.is_some_and(|g| g != who.gid && !who.groups.contains(&g));
        if who.uid != 0 && (!mine || gives_away || strange) {
            return Err(os_error(errno::EPERM));
        }
        let inode = self.own(&path)?;
        let mut inode = inode.borrow_mut();
        inode.stat.uid = uid.unwrap_or(inode.stat.uid);
        inode.stat.gid = gid.unwrap_or(inode.stat.gid);
        if inode.stat.is(FileType::File) && (uid.is_some() || gid.is_some()) {
            // As the kernel does: a change of owner takes set-user-id and set-group-id away.
            inode.stat.mode &= !0o4000;
            if inode.stat.mode & 0o010 != 0 {
                inode.stat.mode &= !0o2000;
            }
        }
        Ok(())
    }

    fn utimes(
        &self,
        path: &Path,
        access: SetTime,
        modification: SetTime,
        follow: bool,
    ) -> io::Result<()> {
        let path = if follow {
            self.resolved(path)?
        } else {
            self.place(path)?
        };
        self.may_own(&self.lstat_placed(&path)?)?;
        let now = self.now()?;
        let set = |old: Time, new: SetTime| match new {
            SetTime::Keep => old,
            SetTime::Now => now,
            SetTime::At(time) => time,
        };
        let inode = self.own(&path)?;
        let mut inode = inode.borrow_mut();
        inode.stat.atime = set(inode.stat.atime, access);
        inode.stat.mtime = set(inode.stat.mtime, modification);
        Ok(())
    }

    fn predict(&self, fact: &str) {
        self.facts.borrow_mut().insert(fact.to_owned());
    }

    fn predicted(&self, fact: &str) -> bool {
        self.facts.borrow().contains(fact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::{Fake, Real};

    fn how(mode: u32) -> WriteAs {
        WriteAs {
            mode,
            uid: None,
            gid: None,
        }
    }

    #[test]
    fn nothing_reaches_the_machine_below() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let below = dir.path().join("kept");
        std::fs::write(&below, "old").expect("write");
        let view = Overlay::new(Box::new(Real));
        view.write_atomic(&below, b"new", how(0o600))
            .expect("write");
        view.mkdir(&dir.path().join("d"), 0o755).expect("mkdir");
        view.write_atomic(&dir.path().join("d/f"), b"x", how(0o644))
            .expect("a file in a directory of this dry run");
        assert_eq!(view.read(&below).expect("read"), b"new");
        assert_eq!(
            view.readdir(dir.path()).expect("readdir"),
            vec![OsString::from("d"), OsString::from("kept")]
        );
        assert_eq!(std::fs::read(&below).expect("read"), b"old");
        assert!(!dir.path().join("d").exists());
    }

    #[test]
    fn a_removed_tree_is_gone_and_a_new_directory_of_its_name_is_empty() {
        let below = Fake::new().directory("/a", 0o755).file("/a/f", 0o644, "x");
        let view = Overlay::new(Box::new(below));
        view.remove_tree(Path::new("/a")).expect("remove");
        assert_eq!(
            view.read(Path::new("/a/f"))
                .expect_err("gone")
                .raw_os_error(),
            Some(errno::ENOENT)
        );
        view.mkdir(Path::new("/a"), 0o700).expect("mkdir");
        assert!(view.readdir(Path::new("/a")).expect("readdir").is_empty());
        assert!(view.stat(Path::new("/a/f")).is_err());
    }

    #[test]
    fn links_of_both_sides_are_followed() {
        let below = Fake::new()
            .directory("/real", 0o755)
            .file("/real/f", 0o644, "x")
            .link("/old", "/real");
        let view = Overlay::new(Box::new(below));
        view.symlink(Path::new("old"), Path::new("/new"))
            .expect("link");
        assert_eq!(view.read(Path::new("/new/f")).expect("read"), b"x");
        view.write_atomic(Path::new("/new/f"), b"y", how(0o644))
            .expect("write");
        assert_eq!(view.read(Path::new("/real/f")).expect("read"), b"y");
        assert_eq!(view.read(Path::new("/old/f")).expect("read"), b"y");
        assert!(
            view.lstat(Path::new("/old"))
                .expect("stat")
                .is(FileType::Link)
        );
    }

    #[test]
    fn a_changed_mode_keeps_the_content_below() {
        let below = Fake::new().file("/f", 0o644, "x");
        let view = Overlay::new(Box::new(below));
        view.chmod(Path::new("/f"), 0o600).expect("chmod");
        assert_eq!(view.read(Path::new("/f")).expect("read"), b"x");
        assert_eq!(view.stat(Path::new("/f")).expect("stat").mode, 0o100_600);
    }

    #[test]
    fn a_second_name_sees_what_is_written_through_the_first() {
        let view = Overlay::new(Box::new(Fake::new().file("/f", 0o644, "x")));
        view.hardlink(Path::new("/f"), Path::new("/g"))
            .expect("link");
        view.write_in_place(Path::new("/g"), b"y").expect("write");
        assert_eq!(view.read(Path::new("/f")).expect("read"), b"y");
        assert_eq!(view.stat(Path::new("/f")).expect("stat").nlink, 2);
    }

    #[test]
    fn a_command_that_writes_is_not_run() {
        let view = Overlay::new(Box::new(Fake::new().answer(&["true"], 0, "", "")));
        assert_eq!(
            view.exec(&Command::write(["true"])).expect("known"),
            Executed::Unknown
        );
        assert!(matches!(
            view.exec(&Command::read(["true"])),
            Ok(Executed::Ran(_))
        ));
    }
}
