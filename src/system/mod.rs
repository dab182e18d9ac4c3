//! The machine as modules see it: one trait, several backings.
//!
//! [`Real`] acts on this machine, [`Shell`] on the machine behind a POSIX shell, [`Overlay`] keeps
//! every change in memory (dry runs), [`Fake`] is a machine made of data for tests. What can be built from these primitives (accounts, `which`,
//! checksums) is a free function here, not a method.
//!
//! ```
//! use regrole::system::{Fake, System};
//! let machine = Fake::new().file("/etc/motd", 0o644, "hello\n");
//! assert_eq!(machine.read("/etc/motd".as_ref()).unwrap(), b"hello\n");
//! ```

pub mod accounts;
mod child;
mod command;
mod fake;
mod overlay;
mod path;
mod real;
pub mod shell;
mod stat;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

pub use command::{Command, Effect, Executed, Output};
pub use fake::Fake;
pub use overlay::Overlay;
pub use path::{canonical, which};
pub use real::Real;
pub use shell::{Ended, Session, Shell};
pub use stat::{FileType, Stat, Time};

/// Numbers of the errors that modules tell apart or backings make themselves (Linux).
pub mod errno {
    /// Operation not permitted.
    pub const EPERM: i32 = 1;
    /// No such file or directory.
    pub const ENOENT: i32 = 2;
    /// Permission denied.
    pub const EACCES: i32 = 13;
    /// Device or resource busy.
    pub const EBUSY: i32 = 16;
    /// File exists.
    pub const EEXIST: i32 = 17;
    /// Invalid cross-device link.
    pub const EXDEV: i32 = 18;
    /// Not a directory.
    pub const ENOTDIR: i32 = 20;
    /// Is a directory.
    pub const EISDIR: i32 = 21;
    /// Invalid argument.
    pub const EINVAL: i32 = 22;
    /// Text file busy.
    pub const ETXTBSY: i32 = 26;
    /// No space left on device.
    pub const ENOSPC: i32 = 28;
    /// Read-only file system.
    pub const EROFS: i32 = 30;
    /// Directory not empty.
    pub const ENOTEMPTY: i32 = 39;
    /// Too many levels of symbolic links.
    pub const ELOOP: i32 = 40;
    /// The command ran longer than its time limit.
    pub const ETIMEDOUT: i32 = 110;
}

/// Who the process is on the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Effective user id.
    pub uid: u32,
    /// Effective group id.
    pub gid: u32,
    /// Supplementary group ids.
    pub groups: Vec<u32>,
}

/// What [`System::access`] asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// `R_OK`
    Read,
    /// `W_OK`
    Write,
    /// `X_OK`
    Execute,
}

/// A hash of a file's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// MD5, 32 hex digits.
    Md5,
    /// SHA-1, Ansible's `checksum`.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// What [`System::utimes`] sets a time to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SetTime {
    /// Leaves it.
    Keep,
    /// The machine's current time.
    Now,
    /// A given time.
    At(Time),
}

/// How [`System::write_atomic`] leaves the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteAs {
    /// Permission bits, `0o7777`; exact, the umask doesn't apply.
    pub mode: u32,
    /// Owner and group; each is left as the process makes files where absent.
    pub uid: Option<u32>,
    /// See `uid`.
    pub gid: Option<u32>,
}

/// A machine. Errors carry the operating system's number ([`io::Error::raw_os_error`]).
///
/// Paths are absolute. Calls follow symbolic links unless they say otherwise.
pub trait System {
    /// Runs a command to its end and collects what it wrote.
    ///
    /// # Errors
    /// The executable can't be started; [`errno::ETIMEDOUT`] when the time limit has passed.
    fn exec(&self, command: &Command) -> io::Result<Executed>;

    /// Returns an environment variable of the process on the machine.
    fn env(&self, name: &str) -> Option<String>;

    /// Returns the directory that relative paths start in.
    fn current_dir(&self) -> io::Result<PathBuf>;

    /// Returns who the process is.
    fn identity(&self) -> io::Result<Identity>;

    /// Returns the mode bits that new files are made without.
    fn umask(&self) -> io::Result<u32>;

    /// Returns the machine's local time (microseconds matter, the zone is the machine's).
    fn local_now(&self) -> io::Result<jiff::civil::DateTime>;

    /// Turns a local time of the machine into seconds since the epoch.
    fn mktime(&self, local: jiff::civil::DateTime) -> io::Result<i64>;

    /// Reads a whole file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Returns the hash of a file's content, in hex.
    fn digest(&self, path: &Path, algorithm: Algorithm) -> io::Result<String> {
        Ok(digest(&self.read(path)?, algorithm))
    }

    /// Returns what a path leads to.
    fn stat(&self, path: &Path) -> io::Result<Stat>;

    /// Returns what a path names, which may be a symbolic link.
    fn lstat(&self, path: &Path) -> io::Result<Stat>;

    /// Says whether the process may do something with a path.
    fn access(&self, path: &Path, access: Access) -> io::Result<bool>;

    /// Returns the names in a directory, sorted, without `.` and `..`.
    fn readdir(&self, path: &Path) -> io::Result<Vec<OsString>>;

    /// Returns what a symbolic link says.
    fn readlink(&self, path: &Path) -> io::Result<PathBuf>;

    /// Replaces or makes a file so that readers see the old bytes or the new ones.
    ///
    /// A temporary file in the same directory (made exclusively, mode 0600) is written, given owner
    /// and mode, synced and renamed; the directory is synced. A symbolic link at `path` is
    /// replaced, not followed. Nothing is left behind on failure.
    fn write_atomic(&self, path: &Path, content: &[u8], how: WriteAs) -> io::Result<()>;

    /// Truncates and writes a file that exists (`unsafe_writes`); mode and owner stay.
    fn write_in_place(&self, path: &Path, content: &[u8]) -> io::Result<()>;

    /// Makes a directory with the mode given; the umask applies.
    fn mkdir(&self, path: &Path, mode: u32) -> io::Result<()>;

    /// Makes a symbolic link at `link` that says `target`.
    fn symlink(&self, target: &Path, link: &Path) -> io::Result<()>;

    /// Makes another name for a file; a symbolic link as `source` is followed.
    fn hardlink(&self, source: &Path, link: &Path) -> io::Result<()>;

    /// Moves a name within one file system, replacing a file or link of that name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a name that is no directory.
    fn unlink(&self, path: &Path) -> io::Result<()>;

    /// Removes an empty directory.
    fn rmdir(&self, path: &Path) -> io::Result<()>;

    /// Removes a directory and all within; links are removed, not followed.
    fn remove_tree(&self, path: &Path) -> io::Result<()> {
        for name in self.readdir(path)? {
            let inner = path.join(name);
            if self.lstat(&inner)?.is(FileType::Directory) {
                self.remove_tree(&inner)?;
            } else {
                self.unlink(&inner)?;
            }
        }
        self.rmdir(path)
    }

    /// Sets the permission bits, `0o7777`.
    fn chmod(&self, path: &Path, mode: u32) -> io::Result<()>;

    /// Sets owner, group or both; a symbolic link itself is changed unless `follow`.
    fn chown(
        &self,
        path: &Path,
        uid: Option<u32>,
        gid: Option<u32>,
        follow: bool,
    ) -> io::Result<()>;

    /// Sets the times of access and modification; a symbolic link itself unless `follow`.
    fn utimes(
        &self,
        path: &Path,
        access: SetTime,
        modification: SetTime,
        follow: bool,
    ) -> io::Result<()>;

    /// Remembers, in a dry run, that a task would make something that isn't a file.
    ///
    /// Machines that really change ignore it.
    fn predict(&self, fact: &str) {
        let _ = fact;
    }

    /// Says whether an earlier task of this dry run would have made it.
    fn predicted(&self, fact: &str) -> bool {
        let _ = fact;
        false
    }
}

/// Hashes bytes; hex digits, lower case.
pub fn digest(bytes: &[u8], algorithm: Algorithm) -> String {
    use sha2::Digest;
    fn hex(bytes: impl AsRef<[u8]>) -> String {
        use std::fmt::Write;
        bytes.as_ref().iter().fold(String::new(), |mut out, b| {
            let _ = write!(out, "{b:02x}");
            out
        })
    }
    match algorithm {
        Algorithm::Md5 => hex(md5::Md5::digest(bytes)),
        Algorithm::Sha1 => hex(sha1::Sha1::digest(bytes)),
        Algorithm::Sha224 => hex(sha2::Sha224::digest(bytes)),
        Algorithm::Sha256 => hex(sha2::Sha256::digest(bytes)),
        Algorithm::Sha384 => hex(sha2::Sha384::digest(bytes)),
        Algorithm::Sha512 => hex(sha2::Sha512::digest(bytes)),
    }
}

/// Makes an error of the operating system's number.
pub fn os_error(number: i32) -> io::Error {
    io::Error::from_raw_os_error(number)
}

/// Turns "isn't there" into `None`: no such entry, or a parent that is no directory.
pub fn optional<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(e) if matches!(e.raw_os_error(), Some(errno::ENOENT | errno::ENOTDIR)) => Ok(None),
        Err(e) => Err(e),
    }
}
