//! Paths on a machine: what they lead to and where executables are.

use std::io;
use std::path::{Component, Path, PathBuf};

use super::{Access, FileType, System, errno, optional, os_error};

/// Returns the path without links, `.` and `..`, as Python's `os.path.realpath`: parts that don't
/// exist are kept.
///
/// # Errors
/// Too many links.
pub fn canonical(system: &dyn System, path: &Path) -> io::Result<PathBuf> {
    // A relative path starts where the process does.
    let path = if path.is_absolute() {
        path.to_path_buf()
    } else {
        system.current_dir()?.join(path)
    };
    resolve(&path, &|part| match optional(system.lstat(part)) {
        Ok(Some(stat)) if stat.is(FileType::Link) => system.readlink(part).map(Some),
        _ => Ok(None),
    })
}

/// As [`canonical`], with a function that says what a path is a link to, if it is one; it is asked
/// for paths whose parents are resolved.
pub(super) fn resolve(
    path: &Path,
    link: &dyn Fn(&Path) -> io::Result<Option<PathBuf>>,
) -> io::Result<PathBuf> {
    fn walk(
        path: &Path,
        link: &dyn Fn(&Path) -> io::Result<Option<PathBuf>>,
        links: &mut usize,
    ) -> io::Result<PathBuf> {
        let mut done = PathBuf::from("/");
        for part in path.components() {
            match part {
                Component::RootDir => done = PathBuf::from("/"),
                Component::ParentDir => {
                    done.pop();
                }
                Component::Normal(name) => {
                    let next = done.join(name);
                    match link(&next)? {
                        Some(target) => {
                            *links += 1;
                            if *links > 40 {
                                return Err(os_error(errno::ELOOP));
                            }
                            done = walk(&done.join(target), link, links)?;
                        }
                        None => done = next,
                    }
                }
                Component::CurDir | Component::Prefix(_) => {}
            }
        }
        Ok(done)
    }
    walk(path, link, &mut 0)
}

/// Looks an executable up in a `PATH`; a name with a slash is itself.
pub fn which(system: &dyn System, name: &str, search: &str) -> Option<PathBuf> {
    let executable = |path: &Path| {
        system.stat(path).is_ok_and(|s| !s.is(FileType::Directory))
            && system.access(path, Access::Execute).unwrap_or(false)
    };
    if name.contains('/') {
        let path = PathBuf::from(name);
        return executable(&path).then_some(path);
    }
    search
        .split(':')
        .filter(|dir| !dir.is_empty())
        .map(|dir| Path::new(dir).join(name))
        .find(|path| executable(path))
}
