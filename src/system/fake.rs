//! A machine made of data, for tests: files in memory, commands with recorded answers.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::overlay::Overlay;
use super::{
    Access, Command, Executed, Identity, Output, SetTime, Stat, System, WriteAs, errno, os_error,
};

/// A machine in memory. It starts with `/`, `/etc/passwd`, `/etc/group` and `/tmp`.
///
/// Its time is always 2024-05-06 07:08:09.101112, its umask 022, its user root.
pub struct Fake {
    files: Overlay,
    answers: RefCell<Vec<(Vec<String>, Output)>>,
    asked: RefCell<Vec<Command>>,
    environment: BTreeMap<String, String>,
}

impl Default for Fake {
    fn default() -> Fake {
        Fake::new()
    }
}

impl Fake {
    /// Makes an almost empty machine.
    pub fn new() -> Fake {
        let fake = Fake {
            files: Overlay::new(Box::new(Nothing)),
            answers: RefCell::default(),
            asked: RefCell::default(),
            environment: BTreeMap::from([
                ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
                ("HOME".to_owned(), "/root".to_owned()),
            ]),
        };
        fake.directory("/etc", 0o755)
            .directory("/tmp", 0o1777)
            .file(
                "/etc/passwd",
                0o644,
                "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
            )
            .file("/etc/group", 0o644, "root:x:0:\nadm:x:4:root\nnogroup:x:65534:\n")
    }

    /// Puts a file there; its parent must exist.
    #[must_use]
    pub fn file(self, path: &str, mode: u32, content: impl AsRef<[u8]>) -> Fake {
        let how = WriteAs {
            mode,
            uid: None,
            gid: None,
        };
        // In memory, with the parent there, nothing can fail; a test that forgot it sees the file missing.
        let _ = self
            .files
            .write_atomic(Path::new(path), content.as_ref(), how);
        self
    }

    /// Puts a directory there.
    #[must_use]
    pub fn directory(self, path: &str, mode: u32) -> Fake {
        let _ = self.files.mkdir(Path::new(path), mode);
        let _ = self.files.chmod(Path::new(path), mode);
        self
    }

    /// Puts a symbolic link there.
    #[must_use]
    pub fn link(self, path: &str, target: &str) -> Fake {
        let _ = self.files.symlink(Path::new(target), Path::new(path));
        self
    }

    /// Answers a command line; given several times, in that order, the last one for ever.
    #[must_use]
    pub fn answer(self, argv: &[&str], rc: i32, stdout: &str, stderr: &str) -> Fake {
        self.answers.borrow_mut().push((
            argv.iter().map(|a| (*a).to_owned()).collect(),
            Output {
                rc,
                stdout: stdout.into(),
                stderr: stderr.into(),
            },
        ));
        self
    }

    /// Returns the commands run so far.
    pub fn commands(&self) -> Vec<Command> {
        self.asked.borrow().clone()
    }
}

impl System for Fake {
    fn exec(&self, command: &Command) -> io::Result<Executed> {
        self.asked.borrow_mut().push(command.clone());
        let mut answers = self.answers.borrow_mut();
        let mut matching = answers
            .iter()
            .enumerate()
            .filter(|(_, (argv, _))| *argv == command.argv)
            .map(|(index, _)| index);
        let Some(first) = matching.next() else {
            return Err(os_error(errno::ENOENT));
        };
        let more = matching.next().is_some();
        let output = if more {
            answers.remove(first).1
        } else {
            answers[first].1.clone()
        };
        Ok(Executed::Ran(output))
    }

    fn env(&self, name: &str) -> Option<String> {
        self.environment.get(name).cloned()
    }

    fn current_dir(&self) -> io::Result<PathBuf> {
        Ok(PathBuf::from("/"))
    }
    fn identity(&self) -> io::Result<Identity> {
        Ok(Identity::default())
    }
    fn umask(&self) -> io::Result<u32> {
        Ok(0o022)
    }
    fn local_now(&self) -> io::Result<jiff::civil::DateTime> {
        Nothing.local_now()
    }
    fn mktime(&self, local: jiff::civil::DateTime) -> io::Result<i64> {
        Nothing.mktime(local)
    }
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.files.read(path)
    }
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        self.files.stat(path)
    }
    fn lstat(&self, path: &Path) -> io::Result<Stat> {
        self.files.lstat(path)
    }
    fn access(&self, path: &Path, access: Access) -> io::Result<bool> {
        self.files.access(path, access)
    }
    fn readdir(&self, path: &Path) -> io::Result<Vec<OsString>> {
        self.files.readdir(path)
    }
    fn readlink(&self, path: &Path) -> io::Result<PathBuf> {
        self.files.readlink(path)
    }
    fn write_atomic(&self, path: &Path, content: &[u8], how: WriteAs) -> io::Result<()> {
        self.files.write_atomic(path, content, how)
    }
    fn write_in_place(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        self.files.write_in_place(path, content)
    }
    fn mkdir(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.files.mkdir(path, mode)
    }
    fn symlink(&self, target: &Path, link: &Path) -> io::Result<()> {
        self.files.symlink(target, link)
    }
    fn hardlink(&self, source: &Path, link: &Path) -> io::Result<()> {
        self.files.hardlink(source, link)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.files.rename(from, to)
    }
    fn unlink(&self, path: &Path) -> io::Result<()> {
        self.files.unlink(path)
    }
    fn rmdir(&self, path: &Path) -> io::Result<()> {
        self.files.rmdir(path)
    }
    fn chmod(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.files.chmod(path, mode)
    }
    fn chown(
        &self,
        path: &Path,
        uid: Option<u32>,
        gid: Option<u32>,
        follow: bool,
    ) -> io::Result<()> {
        self.files.chown(path, uid, gid, follow)
    }
    fn utimes(
        &self,
        path: &Path,
        access: SetTime,
        modification: SetTime,
        follow: bool,
    ) -> io::Result<()> {
        self.files.utimes(path, access, modification, follow)
    }
}

/// The machine below: an empty root directory that can't be written.
struct Nothing;

impl System for Nothing {
    fn exec(&self, _: &Command) -> io::Result<Executed> {
        Err(os_error(errno::ENOENT))
    }
    fn env(&self, _: &str) -> Option<String> {
        None
    }
    fn current_dir(&self) -> io::Result<PathBuf> {
        Ok(PathBuf::from("/"))
    }
    fn identity(&self) -> io::Result<Identity> {
        Ok(Identity::default())
    }
    fn umask(&self) -> io::Result<u32> {
        Ok(0o022)
    }
    fn local_now(&self) -> io::Result<jiff::civil::DateTime> {
        jiff::civil::DateTime::new(2024, 5, 6, 7, 8, 9, 101_112_000)
            .map_err(|_| os_error(errno::EINVAL))
    }
    fn mktime(&self, local: jiff::civil::DateTime) -> io::Result<i64> {
        local
            .to_zoned(jiff::tz::TimeZone::UTC)
            .map(|zoned| zoned.timestamp().as_second())
            .map_err(|_| os_error(errno::EINVAL))
    }
    fn read(&self, _: &Path) -> io::Result<Vec<u8>> {
        Err(os_error(errno::ENOENT))
    }
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        self.lstat(path)
    }
    fn lstat(&self, path: &Path) -> io::Result<Stat> {
        if path == Path::new("/") {
            return Ok(Stat {
                mode: 0o040_755,
                nlink: 2,
                inode: 1,
                ..Stat::default()
            });
        }
        Err(os_error(errno::ENOENT))
    }
    fn access(&self, _: &Path, _: Access) -> io::Result<bool> {
        Ok(true)
    }
    fn readdir(&self, path: &Path) -> io::Result<Vec<OsString>> {
        self.lstat(path).map(|_| Vec::new())
    }
    fn readlink(&self, _: &Path) -> io::Result<PathBuf> {
        Err(os_error(errno::ENOENT))
    }
    fn write_atomic(&self, _: &Path, _: &[u8], _: WriteAs) -> io::Result<()> {
        Err(os_error(errno::EROFS))
    }
    fn write_in_place(&self, _: &Path, _: &[u8]) -> io::Result<()> {
        Err(os_error(errno::EROFS))
    }
    fn mkdir(&self, _: &Path, _: u32) -> io::Result<()> {
        Err(os_error(errno::EROFS))
    }
    fn symlink(&self, _: &Path, _: &Path) -> io::Result<()> {
        Err(os_error(errno::EROFS))
    }
    fn hardlink(&self, _: &Path, _: &Path) -> io::Result<()> {
        Err(os_error(errno::EROFS))
    }
    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        Err(os_error(errno::EROFS))
    }
    fn unlink(&self, _: &Path) -> io::Result<()> {
        Err(os_error(errno::EROFS))
    }
    fn rmdir(&self, _: &Path) -> io::Result<()> {
        Err(os_error(errno::EROFS))
    }
    fn chmod(&self, _: &Path, _: u32) -> io::Result<()> {
        Err(os_error(errno::EROFS))
    }
    fn chown(&self, _: &Path, _: Option<u32>, _: Option<u32>, _: bool) -> io::Result<()> {
        Err(os_error(errno::EROFS))
    }
    fn utimes(&self, _: &Path, _: SetTime, _: SetTime, _: bool) -> io::Result<()> {
        Err(os_error(errno::EROFS))
    }
}
