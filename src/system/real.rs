//! This machine.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Gid, Timespec, Timestamps, Uid};

use super::{
    Access, Command, Executed, Identity, SetTime, Stat, System, Time, WriteAs, child, errno,
    os_error,
};

/// The machine that the process runs on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Real;

impl System for Real {
    fn exec(&self, command: &Command) -> io::Result<Executed> {
        child::run(command).map(Executed::Ran)
    }

    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn current_dir(&self) -> io::Result<PathBuf> {
        std::env::current_dir()
    }

    fn identity(&self) -> io::Result<Identity> {
        Ok(Identity {
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
            groups: rustix::process::getgroups()?
                .into_iter()
                .map(Gid::as_raw)
                .collect(),
        })
    }

    fn umask(&self) -> io::Result<u32> {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let stated = status
            .lines()
            .find_map(|line| u32::from_str_radix(line.strip_prefix("Umask:")?.trim(), 8).ok());
        Ok(stated.unwrap_or_else(|| {
            let mask = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
            rustix::process::umask(mask);
            mask.as_raw_mode()
        }))
    }

    fn local_now(&self) -> io::Result<jiff::civil::DateTime> {
        Ok(jiff::Zoned::now().datetime())
    }

    fn mktime(&self, local: jiff::civil::DateTime) -> io::Result<i64> {
        local
            .to_zoned(jiff::tz::TimeZone::system())
            .map(|zoned| zoned.timestamp().as_second())
            .map_err(|_| os_error(errno::EINVAL))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        fs::metadata(path).map(|m| stat_of(&m))
    }

    fn lstat(&self, path: &Path) -> io::Result<Stat> {
        fs::symlink_metadata(path).map(|m| stat_of(&m))
    }

    fn access(&self, path: &Path, access: Access) -> io::Result<bool> {
        let wanted = match access {
            Access::Read => rustix::fs::Access::READ_OK,
            Access::Write => rustix::fs::Access::WRITE_OK,
            Access::Execute => rustix::fs::Access::EXEC_OK,
        };
        Ok(rustix::fs::accessat(CWD, path, wanted, AtFlags::EACCESS).is_ok())
    }

    fn readdir(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let mut names = fs::read_dir(path)?
            .map(|entry| entry.map(|e| e.file_name()))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    }

    fn readlink(&self, path: &Path) -> io::Result<PathBuf> {
        fs::read_link(path)
    }

    fn write_atomic(&self, path: &Path, content: &[u8], how: WriteAs) -> io::Result<()> {
        let parent = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let mut file = tempfile::Builder::new()
            .prefix(".ansible_tmp")
            .permissions(fs::Permissions::from_mode(0o600))
            .tempfile_in(parent)
            .map_err(without_path)?;
        file.write_all(content).map_err(without_path)?;
        if how.uid.is_some() || how.gid.is_some() {
            let made = file.as_file().metadata()?;
            let uid = how.uid.filter(|uid| *uid != made.uid());
            let gid = how.gid.filter(|gid| *gid != made.gid());
            if uid.is_some() || gid.is_some() {
                rustix::fs::fchown(
                    file.as_file(),
                    uid.map(Uid::from_raw),
                    gid.map(Gid::from_raw),
                )?;
            }
        }
        file.as_file()
            .set_permissions(fs::Permissions::from_mode(how.mode & 0o7777))?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|e| e.error)?;
        sync_directory(parent);
        Ok(())
    }

    fn write_in_place(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).truncate(true).open(path)?;
        file.write_all(content)?;
        file.sync_all()
    }

    fn mkdir(&self, path: &Path, mode: u32) -> io::Result<()> {
        fs::DirBuilder::new().mode(mode).create(path)
    }

    fn symlink(&self, target: &Path, link: &Path) -> io::Result<()> {
        std::os::unix::fs::symlink(target, link)
    }

    fn hardlink(&self, source: &Path, link: &Path) -> io::Result<()> {
        Ok(rustix::fs::linkat(
            CWD,
            source,
            CWD,
            link,
            AtFlags::SYMLINK_FOLLOW,
        )?)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        Ok(rustix::fs::unlink(path)?)
    }

    fn rmdir(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    fn remove_tree(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }

    fn chmod(&self, path: &Path, mode: u32) -> io::Result<()> {
        fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o7777))
    }

    fn chown(
        &self,
        path: &Path,
        uid: Option<u32>,
        gid: Option<u32>,
        follow: bool,
    ) -> io::Result<()> {
        Ok(rustix::fs::chownat(
            CWD,
            path,
            uid.map(Uid::from_raw),
            gid.map(Gid::from_raw),
            flags(follow),
        )?)
    }

    fn utimes(
        &self,
        path: &Path,
        access: SetTime,
        modification: SetTime,
        follow: bool,
    ) -> io::Result<()> {
        let times = Timestamps {
            last_access: timespec(access),
            last_modification: timespec(modification),
        };
        Ok(rustix::fs::utimensat(CWD, path, &times, flags(follow))?)
    }
}

fn flags(follow: bool) -> AtFlags {
    if follow {
        AtFlags::empty()
    } else {
        AtFlags::SYMLINK_NOFOLLOW
    }
}

fn timespec(time: SetTime) -> Timespec {
    match time {
        SetTime::Keep => Timespec {
            tv_sec: 0,
            tv_nsec: rustix::fs::UTIME_OMIT,
        },
        SetTime::Now => Timespec {
            tv_sec: 0,
            tv_nsec: rustix::fs::UTIME_NOW,
        },
        SetTime::At(time) => Timespec {
            tv_sec: time.seconds,
            tv_nsec: i64::from(time.nanoseconds),
        },
    }
}

fn stat_of(meta: &fs::Metadata) -> Stat {
    let time = |seconds, nanoseconds: i64| Time {
        seconds,
        nanoseconds: nanoseconds as u32,
    };
    Stat {
        mode: meta.mode(),
        uid: meta.uid(),
        gid: meta.gid(),
        size: meta.size(),
        nlink: meta.nlink(),
        inode: meta.ino(),
        dev: meta.dev(),
        rdev: meta.rdev(),
        blocks: meta.blocks(),
        block_size: meta.blksize(),
        atime: time(meta.atime(), meta.atime_nsec()),
        mtime: time(meta.mtime(), meta.mtime_nsec()),
        ctime: time(meta.ctime(), meta.ctime_nsec()),
    }
}

/// Gives back the system's own error; the temporary file's name helps nobody.
fn without_path(error: io::Error) -> io::Error {
    let inner = error
        .get_ref()
        .and_then(|e| e.source())
        .and_then(|e| e.downcast_ref::<io::Error>())
        .and_then(io::Error::raw_os_error);
    match error.raw_os_error().or(inner) {
        Some(number) => os_error(number),
        // `tempfile` keeps only the kind where it adds the path.
        None => match error.kind() {
            io::ErrorKind::NotFound => os_error(errno::ENOENT),
            io::ErrorKind::PermissionDenied => os_error(errno::EACCES),
            io::ErrorKind::NotADirectory => os_error(errno::ENOTDIR),
            io::ErrorKind::ReadOnlyFilesystem => os_error(errno::EROFS),
            io::ErrorKind::StorageFull => os_error(errno::ENOSPC),
            _ => error,
        },
    }
}

/// Makes a rename durable; file systems that can't sync a directory are as durable as they get.
fn sync_directory(path: &Path) {
    if let Ok(directory) = File::open(path) {
        let _ = directory.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_file_has_the_mode_asked_for_and_no_temporary_file_stays() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("f");
        let how = WriteAs {
            mode: 0o640,
            uid: None,
            gid: None,
        };
        Real.write_atomic(&path, b"one", how).expect("write");
        Real.write_atomic(&path, b"two", how).expect("write");
        assert_eq!(Real.read(&path).expect("read"), b"two");
        assert_eq!(Real.stat(&path).expect("stat").permissions(), 0o640);
        assert_eq!(Real.readdir(dir.path()).expect("readdir").len(), 1);
    }

    #[test]
    fn a_missing_parent_is_the_system_s_own_error() {
        let how = WriteAs {
            mode: 0o644,
            uid: None,
            gid: None,
        };
        let error = Real
            .write_atomic(Path::new("/nonexistent/x"), b"", how)
            .expect_err("no parent");
        assert_eq!(error.raw_os_error(), Some(errno::ENOENT));
    }
}
