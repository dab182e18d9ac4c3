//! Mode, owner and group: what all modules that place files share.

use std::path::Path;

use super::Invocation;
use super::outcome::{Fail, errno_text};
use crate::system::{FileType, Stat, System, WriteAs, accounts, errno, optional};
use crate::value::{Dict, Value};

/// The permissions asked for; absent ones stay as they are.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) mode: Option<Value>,
    pub(super) owner: Option<String>,
    pub(super) group: Option<String>,
}

impl Wanted {
    /// Reads the common parameters. `mode: preserve` counts as none.
    pub(super) fn of(invocation: &Invocation<'_>) -> Wanted {
        let mode = invocation
            .params
            .get("mode")
            .filter(|m| !m.is_none() && m.as_str() != Some("preserve"));
        Wanted {
            mode,
            owner: invocation.text("owner"),
            group: invocation.text("group"),
        }
    }

    /// Brings a path to what is wanted and says whether anything changed.
    ///
    /// Owner, then group, then mode, as Ansible; what differs is noted in `diff`'s `before` and
    /// `after`.
    pub(super) fn apply(
        &self,
        system: &dyn System,
        path: &Path,
        follow: bool,
        diff: Option<(&Dict, &Dict)>,
    ) -> Result<bool, Fail> {
        let failed = |message: &str| Fail::new(message).with("path", path.display().to_string());
        let look = || {
            if follow {
                system.stat(path)
            } else {
                system.lstat(path)
            }
        };
        let note = |key: &str, before: Value, after: Value| {
            if let Some((b, a)) = diff {
                b.set(key, before);
                a.set(key, after);
            }
        };
        let mut changed = false;
        let stat = match optional(look()) {
            Ok(Some(stat)) => stat,
            Ok(None) => return Ok(false),
            Err(e) => return Err(failed(&errno_text(&e))),
        };
        if let Some(owner) = &self.owner {
            let uid = user_id(system, owner)
                .ok_or_else(|| failed(&format!("chown failed: failed to look up user {owner}")))?;
            if uid != stat.uid {
                note("owner", stat.uid.into(), uid.into());
                system
                    .chown(path, Some(uid), None, follow)
                    .map_err(|e| failed("chown failed").with("details", errno_text(&e)))?;
                changed = true;
            }
        }
        if let Some(group) = &self.group {
            let gid = group_id(system, group)
                .ok_or_else(|| failed(&format!("chgrp failed: failed to look up group {group}")))?;
            if gid != stat.gid {
                note("group", stat.gid.into(), gid.into());
                system
                    .chown(path, None, Some(gid), follow)
                    .map_err(|_| failed("chgrp failed"))?;
                changed = true;
            }
        }
        if let Some(mode) = &self.mode {
            // The change of owner may have cleared bits.
            let stat = look().map_err(|e| failed(&errno_text(&e)))?;
            let umask = system.umask().unwrap_or(0o022);
            let mode = parse_mode(mode, &stat, umask)
                .map_err(|(message, details)| failed(message).with("details", details))?;
            if mode != stat.permissions() && !stat.is(FileType::Link) {
                note("mode", octal(stat.permissions()).into(), octal(mode).into());
                system
                    .chmod(path, mode)
                    .map_err(|e| failed("chmod failed").with("details", errno_text(&e)))?;
                changed = true;
            }
        }
        Ok(changed)
    }
}

/// Writes a mode as results show it.
pub(super) fn octal(mode: u32) -> String {
    format!("{mode:04o}")
}

fn user_id(system: &dyn System, owner: &str) -> Option<u32> {
    owner
        .parse()
        .ok()
        .or_else(|| accounts::user(system, owner).map(|u| u.uid))
}

fn group_id(system: &dyn System, group: &str) -> Option<u32> {
    group
        .parse()
        .ok()
        .or_else(|| accounts::group(system, group).map(|g| g.gid))
}

const MODE_FORM: &str = "mode must be in octal or symbolic form";

/// Reads a mode: a number, octal text, or symbolic (`u=rwX,g-w`) against what there is.
///
/// # Errors
/// Ansible's message and its details.
pub(super) fn parse_mode(
    mode: &Value,
    stat: &Stat,
    umask: u32,
) -> Result<u32, (&'static str, String)> {
    let number = match mode {
        Value::Int(i) => Some(*i),
        other => {
            let text = other.to_str();
            let digits = text
                .trim()
                .strip_prefix("0o")
                .unwrap_or(text.trim())
                .to_owned();
            match i64::from_str_radix(&digits, 8) {
                // Of text, what is no permission is cut off.
                Ok(number) => Some(number & 0o7777),
                Err(_) => {
                    return symbolic(&text, stat, umask).map_err(|details| (MODE_FORM, details));
                }
            }
        }
    };
    match number {
        Some(n @ 0..=0o7777) => Ok(n as u32),
        Some(n) => Err((
            "Invalid mode supplied, only permission info is allowed",
            n.to_string(),
        )),
        None => Err((MODE_FORM, String::new())),
    }
}

fn symbolic(text: &str, stat: &Stat, umask: u32) -> Result<u32, String> {
    let mut mode = stat.permissions();
    let directory = stat.is(FileType::Directory);
    for clause in text.split(',') {
        let bad = || format!("bad symbolic permission for mode: {clause}");
        let at = clause.find(['+', '-', '=']).ok_or_else(bad)?;
        let users = &clause[..at];
        if !users.chars().all(|c| "ugoa".contains(c)) {
            return Err(bad());
        }
        let masked = users.is_empty();
        let users: String = if masked || users.contains('a') {
            "ugo".into()
        } else {
            users.into()
        };
        let mut rest = &clause[at..];
        while let Some(operator) = rest.chars().next() {
            let tail = &rest[1..];
            let end = tail.find(['+', '-', '=']).unwrap_or(tail.len());
            let perms = &tail[..end];
            rest = &tail[end..];
            if !perms.chars().all(|c| "rwxXstugo".contains(c)) {
                return Err(bad());
            }
            for user in users.chars() {
                let shift = match user {
                    'u' => 6,
                    'g' => 3,
                    _ => 0,
                };
                let mut bits = 0;
                for perm in perms.chars() {
                    bits |= match perm {
                        'r' => 4 << shift,
                        'w' => 2 << shift,
                        'x' => 1 << shift,
                        'X' if directory || stat.mode & 0o111 != 0 => 1 << shift,
                        's' if user == 'u' => 0o4000,
                        's' if user == 'g' => 0o2000,
                        't' if user == 'o' => 0o1000,
                        'u' => (mode >> 6 & 7) << shift,
                        'g' => (mode >> 3 & 7) << shift,
                        'o' => (mode & 7) << shift,
                        _ => 0,
                    };
                }
                if masked {
                    bits &= !umask;
                }
                let special = match user {
                    'u' => 0o4000,
                    'g' => 0o2000,
                    _ => 0o1000,
                };
                mode = match operator {
                    '+' => mode | bits,
                    '-' => mode & !bits,
                    _ => (mode & !((7 << shift) | special)) | bits,
                };
            }
        }
    }
    Ok(mode)
}

/// Adds what Ansible reports about `path` (or `dest`) of any result.
///
/// **Source:** every module's result that has one of these keys has owner, mode, size and state.
pub(super) fn add_path_info(system: &dyn System, result: &Dict) {
    let Some(path) = result.get("path").or_else(|| result.get("dest")) else {
        return;
    };
    let text = path.to_str();
    let path = Path::new(&text);
    let (true, Ok(stat)) = (system.stat(path).is_ok(), system.lstat(path)) else {
        return;
    };
    result.set("uid", stat.uid);
    result.set("gid", stat.gid);
    result.set("owner", owner_name(system, stat.uid));
    result.set("group", group_name(system, stat.gid));
    result.set("mode", octal(stat.permissions()));
    result.set(
        "state",
        match stat.file_type() {
            FileType::Link => "link",
            FileType::Directory => "directory",
            _ if stat.nlink > 1 => "hard",
            _ => "file",
        },
    );
    result.set("size", stat.size);
}

/// Returns a user's name, or the number where it has none.
pub(super) fn owner_name(system: &dyn System, uid: u32) -> String {
    accounts::user_by_id(system, uid).map_or_else(|| uid.to_string(), |u| u.name)
}

/// Returns a group's name, or the number where it has none.
pub(super) fn group_name(system: &dyn System, gid: u32) -> String {
    accounts::group_by_id(system, gid).map_or_else(|| gid.to_string(), |g| g.name)
}

/// Replaces a file in one step; with `unsafe_writes`, where the file system doesn't allow that (a
/// file that is mounted, or can't be renamed over), by writing into it.
pub(super) fn replace(
    system: &dyn System,
    path: &Path,
    content: &[u8],
    how: WriteAs,
    in_place: bool,
) -> std::io::Result<()> {
    match system.write_atomic(path, content, how) {
        Err(e)
            if in_place
                && matches!(
                    e.raw_os_error(),
                    Some(
                        errno::EPERM
                            | errno::EACCES
                            | errno::EBUSY
                            | errno::EXDEV
                            | errno::ETXTBSY
                            | errno::EROFS
                    )
                )
                && system.stat(path).is_ok() =>
        {
            system.write_in_place(path, content)
        }
        other => other,
    }
}

/// Copies a file to a backup beside it and returns the backup's name.
///
/// **Source:** Ansible's naming, `PATH.PID.YYYY-MM-DD@HH:MM:SS~`.
pub(super) fn backup(system: &dyn System, path: &Path) -> Result<Option<String>, Fail> {
    let failed = |e: std::io::Error| {
        Fail::new(format!(
            "Could not make backup of {}: {}",
            path.display(),
            errno_text(&e)
        ))
    };
    let Some(stat) = optional(system.stat(path)).map_err(failed)? else {
        return Ok(None);
    };
    let now = system.local_now().map_err(failed)?;
    let name = format!(
        "{}.{}.{}~",
        path.display(),
        std::process::id(),
        now.strftime("%Y-%m-%d@%H:%M:%S")
    );
    let content = system.read(path).map_err(failed)?;
    let how = WriteAs {
        mode: stat.permissions(),
        uid: Some(stat.uid),
        gid: Some(stat.gid),
    };
    let copy = Path::new(&name);
    system.write_atomic(copy, &content, how).map_err(failed)?;
    let (atime, mtime) = (
        crate::system::SetTime::At(stat.atime),
        crate::system::SetTime::At(stat.mtime),
    );
    system.utimes(copy, atime, mtime, true).map_err(failed)?;
    Ok(Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(text: &str, mode: u32) -> Result<u32, (&'static str, String)> {
        let stat = Stat {
            mode,
            ..Stat::default()
        };
        parse_mode(&text.into(), &stat, 0o022)
    }

    #[test]
    fn modes_are_read_in_octal_and_symbolic_form() {
        assert_eq!(mode("0640", 0o100_644), Ok(0o640));
        assert_eq!(mode("u=rwX,g=r,o=", 0o100_777), Ok(0o740));
        assert_eq!(mode("u=rwX,g=rX,o=", 0o100_644), Ok(0o640));
        assert_eq!(mode("a+x", 0o100_644), Ok(0o755));
        assert_eq!(mode("+w", 0o100_444), Ok(0o644));
        assert_eq!(mode("g=u", 0o100_640), Ok(0o660));
        assert_eq!(mode("o+t", 0o040_755), Ok(0o1755));
    }

    #[test]
    fn a_mode_that_is_none_is_refused_in_ansible_s_words() {
        assert_eq!(mode("zz", 0o644).map_err(|e| e.0), Err(MODE_FORM));
        assert_eq!(
            parse_mode(&Value::from(0o10_000), &Stat::default(), 0).map_err(|e| e.0),
            Err("Invalid mode supplied, only permission info is allowed")
        );
    }
}
