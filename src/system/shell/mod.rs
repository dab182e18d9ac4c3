//! A machine of POSIX shell commands, for hosts where the agent can't run.
//!
//! Every call is one exchange with a shell on the host ([`Session`]). What it needs there, besides
//! a POSIX shell (dash, bash, busybox): `cat chmod chown date env head id ln mkdir mv readlink rm
//! rmdir sleep stat touch wc` and `/proc`. `setsid`, `sync` and `sha1sum` with its kin are used
//! where they are.
//!
//! What differs from the agent: SIGINT and SIGPIPE of a command are told as exit status 130 and 141;
//! durability is as good as the host's `sync`; with busybox, times have no fractions.

mod errors;
mod session;
mod words;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::{
    Access, Algorithm, Command, Executed, FileType, Identity, Output, SetTime, Stat, System, Time,
    WriteAs, digest, errno, os_error,
};
pub use session::{Ended, Session, marker};
use words::Line;

/// The machine behind a shell. Copies are the same machine.
#[derive(Clone)]
pub struct Shell {
    session: Rc<Session>,
    seen: Rc<RefCell<HashMap<PathBuf, Seen>>>,
    keeps: Rc<Cell<bool>>,
    accounts: Rc<RefCell<HashMap<PathBuf, Vec<u8>>>>,
}

/// What one exchange tells of a path. Each answer is given once, so that who asks again gets news;
/// for views, which ask for every part of every path, it is good for [`FRESH`].
#[derive(Debug)]
struct Seen {
    at: Instant,
    lstat: Option<Told<Stat>>,
    stat: Option<Told<Stat>>,
    access: [Option<bool>; 3],
    target: Option<PathBuf>,
}

/// How long a view may be given the same answer.
const FRESH: Duration = Duration::from_secs(1);

/// An answer that can be given more than once: errors are what the host's programs said.
type Told<T> = Result<T, String>;

/// Gives an answer, and keeps it where it may be given again.
fn give<T: Clone>(slot: &mut Option<T>, keep: bool) -> Option<T> {
    if keep { slot.clone() } else { slot.take() }
}

impl Shell {
    /// Makes the machine of a shell that serves.
    pub fn new(session: Rc<Session>) -> Shell {
        Shell {
            session,
            seen: Rc::default(),
            keeps: Rc::default(),
            accounts: Rc::default(),
        }
    }

    /// Begins another task; `is_view` says that nothing is to change.
    pub fn begin(&self, is_view: bool) {
        self.keeps.set(is_view);
        self.forget();
    }

    /// Forgets what was told before.
    fn forget(&self) {
        self.seen.borrow_mut().clear();
        self.accounts.borrow_mut().clear();
    }

    /// Runs one of the prelude's functions on words; the answer is its output.
    fn run(&self, function: &str, words: &[&OsStr]) -> io::Result<Vec<u8>> {
        self.send(function, words, &[])
    }

    /// As [`Shell::run`], for what changes the machine.
    fn change(&self, command: &str, words: &[&OsStr]) -> io::Result<()> {
        self.forget();
        self.run(&format!("_rg_p MARKER {command}"), words)
            .map(drop)
    }

    fn send(&self, function: &str, words: &[&OsStr], bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut line = Line::default();
        let words: Vec<String> = words.iter().map(|word| line.word(word)).collect();
        let parts = self.session.ask(
            |marker| {
                let function = function.replace("MARKER", marker);
                line.with(&format!("{function} {}", words.join(" ")))
            },
            bytes,
            2,
        )?;
        let [answer, status] = <[Vec<u8>; 2]>::try_from(parts)
            .map_err(|_| io::Error::other("the host's shell answered something unknown"))?;
        let status = String::from_utf8_lossy(&status).into_owned();
        match status.split_once(' ') {
            Some(("0", _)) => Ok(answer),
            Some((_, said)) => Err(errors::error(said)),
            None => Err(io::Error::other(
                "the host's shell answered something unknown",
            )),
        }
    }

    /// Asks about a path, unless the answer that `take` wants is still there.
    fn look<T>(&self, path: &Path, take: impl Fn(&mut Seen, bool) -> Option<T>) -> io::Result<T> {
        let keep = self.keeps.get();
        if let Some(seen) = self.seen.borrow_mut().get_mut(path)
            && (!keep || seen.at.elapsed() < FRESH)
            && let Some(known) = take(seen, keep)
        {
            return Ok(known);
        }
        let answer = self.run("_rg_q MARKER", &[path.as_os_str()])?;
        let mut seen = seen(&answer)
            .ok_or_else(|| io::Error::other("the host's `stat` answered something unknown"))?;
        let taken = take(&mut seen, keep)
            .ok_or_else(|| io::Error::other("the host's `stat` answered something unknown"))?;
        self.seen.borrow_mut().insert(path.to_owned(), seen);
        Ok(taken)
    }
}

impl System for Shell {
    fn exec(&self, command: &Command) -> io::Result<Executed> {
        self.forget();
        if let Some(cwd) = &command.cwd {
            if !self.stat(cwd)?.is(FileType::Directory) {
                return Err(os_error(errno::ENOTDIR));
            }
            if !self.access(cwd, Access::Execute)? {
                return Err(os_error(errno::EACCES));
            }
            self.forget();
        }
        self.execute(command).map(Executed::Ran)
    }

    fn env(&self, name: &str) -> Option<String> {
        let facts = self.session.facts();
        let found = facts.environment.into_iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value)
    }

    fn current_dir(&self) -> io::Result<PathBuf> {
        Ok(OsString::from_vec(self.session.facts().directory).into())
    }

    fn identity(&self) -> io::Result<Identity> {
        Ok(self.session.facts().identity)
    }

    fn umask(&self) -> io::Result<u32> {
        Ok(self.session.facts().umask)
    }

    fn local_now(&self) -> io::Result<jiff::civil::DateTime> {
        Ok(self.session.local_now())
    }

    fn mktime(&self, local: jiff::civil::DateTime) -> io::Result<i64> {
        let text = local.strftime("%Y-%m-%d %H:%M:%S").to_string();
        let answer = self.run("_rg_p MARKER date +%s -d", &[OsStr::new(&text)])?;
        let text = String::from_utf8_lossy(&answer).into_owned();
        text.trim().parse().map_err(|_| os_error(errno::EINVAL))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        // Names are looked up several times a task; whatever may change them forgets this.
        let accounts = [Path::new("/etc/passwd"), Path::new("/etc/group")].contains(&path);
        if accounts && let Some(known) = self.accounts.borrow().get(path) {
            return Ok(known.clone());
        }
        let bytes = self.run("_rg_p MARKER cat --", &[path.as_os_str()])?;
        if accounts {
            self.accounts
                .borrow_mut()
                .insert(path.to_owned(), bytes.clone());
        }
        Ok(bytes)
    }

    fn digest(&self, path: &Path, algorithm: Algorithm) -> io::Result<String> {
        let program = match algorithm {
            Algorithm::Md5 => "md5sum",
            Algorithm::Sha1 => "sha1sum",
            Algorithm::Sha224 => "sha224sum",
            Algorithm::Sha256 => "sha256sum",
            Algorithm::Sha384 => "sha384sum",
            Algorithm::Sha512 => "sha512sum",
        };
        // Without the program, the content comes here.
        let answer = self.run(
            &format!("_rg_p MARKER _rg_sum {program}"),
            &[path.as_os_str()],
        )?;
        match answer.split_first() {
            Some((b'=', sum)) => {
                let text = String::from_utf8_lossy(sum).into_owned();
                let sum = text.split_whitespace().next().unwrap_or_default();
                Ok(sum.to_owned())
            }
            _ => Ok(digest(&self.read(path)?, algorithm)),
        }
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        self.look(path, |seen, keep| give(&mut seen.stat, keep))?
            .map_err(|said| errors::error(&said))
    }

    fn lstat(&self, path: &Path) -> io::Result<Stat> {
        self.look(path, |seen, keep| give(&mut seen.lstat, keep))?
            .map_err(|said| errors::error(&said))
    }

    fn access(&self, path: &Path, access: Access) -> io::Result<bool> {
        self.look(path, |seen, keep| {
            give(&mut seen.access[access as usize], keep)
        })
    }

    fn readdir(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let answer = self.run("_rg_ls MARKER", &[path.as_os_str()])?;
        let mut names: Vec<OsString> = answer
            .split(|byte| *byte == 0)
            .filter(|name| !name.is_empty())
            .map(|name| OsString::from_vec(name.to_vec()))
            .collect();
        names.sort();
        // Two patterns can name one file.
        names.dedup();
        Ok(names)
    }

    fn readlink(&self, path: &Path) -> io::Result<PathBuf> {
        // What is no link has no target; why not is told by what it is.
        self.look(path, |seen, keep| match give(&mut seen.target, keep) {
            Some(target) => Some(Ok(target)),
            None => match give(&mut seen.lstat, keep)? {
                Ok(stat) if stat.is(FileType::Link) => None,
                Ok(_) => Some(Err(os_error(errno::EINVAL))),
                Err(said) => Some(Err(errors::error(&said))),
            },
        })?
    }

    fn write_atomic(&self, path: &Path, content: &[u8], how: WriteAs) -> io::Result<()> {
        self.forget();
        let parent = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let temporary = parent.join(format!(".ansible_tmp{}", &marker()[..12]));
        let number = |id: Option<u32>| id.map(|id| id.to_string()).unwrap_or_default();
        let owner = match (how.uid, how.gid) {
            (None, None) => String::new(),
            (uid, None) => number(uid),
            (uid, gid) => format!("{}:{}", number(uid), number(gid)),
        };
        let written = self.send(
            "_rg_w MARKER",
            &[
                parent.as_os_str(),
                temporary.as_os_str(),
                path.as_os_str(),
                OsStr::new(&content.len().to_string()),
                OsStr::new(&mode_words(how.mode)),
                OsStr::new(&owner),
            ],
            content,
        );
        written.map(drop).map_err(|error| self.exact(parent, error))
    }

    fn write_in_place(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        self.forget();
        let length = content.len().to_string();
        let words = [path.as_os_str(), OsStr::new(&length)];
        self.send("_rg_i MARKER", &words, content).map(drop)
    }

    fn mkdir(&self, path: &Path, mode: u32) -> io::Result<()> {
        // The umask applies, which `mkdir -m` leaves out of account.
        let mode = match mode & 0o7777 {
            0o777 => String::new(),
            mode => mode_words(mode & !self.umask()?),
        };
        self.change("_rg_mkdir", &[path.as_os_str(), OsStr::new(&mode)])
    }

    fn symlink(&self, target: &Path, link: &Path) -> io::Result<()> {
        self.change("_rg_ln", &[target.as_os_str(), link.as_os_str()])
    }

    fn hardlink(&self, source: &Path, link: &Path) -> io::Result<()> {
        self.change("_rg_lnh", &[source.as_os_str(), link.as_os_str()])
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change("_rg_mv", &[from.as_os_str(), to.as_os_str()])
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        self.change("_rg_rm", &[path.as_os_str()])
    }

    fn rmdir(&self, path: &Path) -> io::Result<()> {
        self.change("rmdir --", &[path.as_os_str()])
    }

    fn remove_tree(&self, path: &Path) -> io::Result<()> {
        self.change("_rg_rmr", &[path.as_os_str()])
    }

    fn chmod(&self, path: &Path, mode: u32) -> io::Result<()> {
        let mode = mode_words(mode);
        self.change("chmod --", &[OsStr::new(&mode), path.as_os_str()])
    }

    fn chown(
        &self,
        path: &Path,
        uid: Option<u32>,
        gid: Option<u32>,
        follow: bool,
    ) -> io::Result<()> {
        let number = |id: Option<u32>| id.map(|id| id.to_string()).unwrap_or_default();
        let owner = match (uid, gid) {
            (None, None) => return Ok(()),
            (uid, None) => number(uid),
            (uid, gid) => format!("{}:{}", number(uid), number(gid)),
        };
        let command = if follow { "chown --" } else { "chown -h --" };
        self.change(command, &[OsStr::new(&owner), path.as_os_str()])
    }

    fn utimes(
        &self,
        path: &Path,
        access: SetTime,
        modification: SetTime,
        follow: bool,
    ) -> io::Result<()> {
        let touch = |which: &[&str], time: SetTime| {
            let mut words = vec![path.as_os_str()];
            words.extend(which.iter().map(OsStr::new));
            if !follow {
                words.push(OsStr::new("-h"));
            }
            let date = match time {
                SetTime::Keep => return Ok(()),
                SetTime::Now => None,
                SetTime::At(time) if time.nanoseconds == 0 => Some(format!("@{}", time.seconds)),
                SetTime::At(time) => Some(format!("@{}.{:09}", time.seconds, time.nanoseconds)),
            };
            if let Some(date) = &date {
                words.extend([OsStr::new("-d"), OsStr::new(date)]);
            }
            self.change("_rg_touch", &words)
        };
        if access == modification {
            return touch(&[], access);
        }
        touch(&["-a"], access)?;
        touch(&["-m"], modification)
    }
}

impl Shell {
    /// Tells "no such directory" from "no directory" where a shell has one word for both.
    fn exact(&self, parent: &Path, error: io::Error) -> io::Error {
        if error.raw_os_error() != Some(errno::ENOENT) {
            return error;
        }
        match self.stat(parent) {
            Ok(stat) if !stat.is(FileType::Directory) => os_error(errno::ENOTDIR),
            Ok(_) => error,
            Err(error) => error,
        }
    }

    fn execute(&self, command: &Command) -> io::Result<Output> {
        let Some(program) = command.argv.first() else {
            return Err(os_error(errno::ENOENT));
        };
        let facts = self.session.facts();
        if facts.scratch.is_empty() {
            return Err(io::Error::other(
                "no directory can be written on the host to keep the output of commands in while they run (looked at: $TMPDIR, /tmp, /dev/shm, /var/tmp, /run, $HOME)",
            ));
        }
        let mut line = Line::default();
        let mut body = String::new();
        let mut options = Vec::new();
        let mut restored: Vec<(&str, Option<&str>)> = Vec::new();
        let given = |name: &str| command.env.iter().any(|(key, _)| key == name);
        for name in ["LC_ALL", "PWD", "OLDPWD"] {
            if !given(name) {
                let own = facts.environment.iter().find(|(key, _)| key == name);
                restored.push((name, own.map(|(_, value)| value.as_str())));
            }
        }
        let umask = command.umask.unwrap_or(facts.umask);
        body.push_str(&format!("umask {umask:04o}; "));
        if let Some(cwd) = &command.cwd {
            let word = line.word(cwd);
            body.push_str(&format!("CDPATH= cd -- {word} || exit 126; "));
        }
        let mut pairs = Vec::new();
        for (name, value) in &command.env {
            // `env` looks its own words up with the locale that it is started with, and what it
            // is told stands in the list of processes for a moment.
            if is_plain(name) && name != "LC_ALL" {
                let word = line.word(value);
                body.push_str(&format!("{name}={word}; export {name}; "));
            } else {
                pairs.push(line.word(format!("{name}={value}")));
            }
        }
        for (name, value) in restored {
            match value {
                Some(value) => pairs.push(line.word(format!("{name}={value}"))),
                None => options.push(format!("-u {name}")),
            }
        }
        let argv: Vec<String> = command.argv.iter().map(|word| line.word(word)).collect();
        let executed = if program.contains('=') {
            // `env` would take it for a variable.
            format!("/bin/sh -c 'exec \"$0\" \"$@\"' {}", argv.join(" "))
        } else {
            argv.join(" ")
        };
        body.push_str(&format!(
            "exec ${{_rg_s:+\"$_rg_s\"}} \"$_rg_e\" {} -- {} {executed}",
            options.join(" "),
            pairs.join(" ")
        ));
        let length = command.stdin.len();
        let limit = command.timeout.map(|limit| Instant::now() + limit);
        let before = self.session.stop_before(limit);
        let parts = self.session.ask(
            |marker| line.with(&format!("_rg_c() {{ {body}; }}; _rg_x {marker} {length}")),
            &command.stdin,
            3,
        );
        self.session.stop_at(before);
        let parts = parts?;
        if limit.is_some_and(|limit| limit <= Instant::now()) {
            return Err(os_error(errno::ETIMEDOUT));
        }
        let [stdout, stderr, status] = <[Vec<u8>; 3]>::try_from(parts)
            .map_err(|_| io::Error::other("the host's shell answered something unknown"))?;
        let status = String::from_utf8_lossy(&status).into_owned();
        self.ended(program, stdout, stderr, &status)
    }

    /// Reads how a command ended: its status, how much the shell had to say about it, the time.
    fn ended(
        &self,
        program: &str,
        stdout: Vec<u8>,
        stderr: Vec<u8>,
        status: &str,
    ) -> io::Result<Output> {
        let (code, about) = status.split_once(' ').unwrap_or((status, ""));
        let Ok(rc) = code.parse::<i32>() else {
            return Err(io::Error::other(
                "the output of commands can't be kept on the host while they run",
            ));
        };
        let (said, now) = about.split_once(' ').unwrap_or((about, ""));
        if !matches!(said, "" | "1") {
            // Its input could not be kept.
            return Err(errors::error(about));
        }
        self.session.set_clock(now);
        if matches!(rc, 126 | 127)
            && let Some(number) = not_started(program, &stderr)
        {
            return Err(os_error(number));
        }
        // Shells say a word about a command that a signal has ended, but not about one that ends
        // with such a status by itself.
        let rc = if rc > 128 && !said.is_empty() {
            128 - rc
        } else {
            rc
        };
        Ok(Output { rc, stdout, stderr })
    }
}

/// Recognises what `env`, or the shell before it, says when a program can't be executed.
fn not_started(program: &str, stderr: &[u8]) -> Option<i32> {
    let text = String::from_utf8_lossy(stderr);
    let (before, words) = text.lines().next()?.rsplit_once(": ")?;
    // Where the arguments are too long, already `env` can't be executed.
    let last = before.rsplit(['/', ' ']).next().unwrap_or_default();
    let too_long = words == "Argument list too long" && matches!(last, "setsid" | "env");
    let by_shell = program.contains('=') && before.ends_with(&format!("exec: {program}"));
    let by_env = before.split_once("env: ").is_some_and(|(path, name)| {
        let name = name.strip_prefix("can't execute ").unwrap_or(name);
        let odd = !program.bytes().all(|byte| byte.is_ascii_graphic());
        let own = odd || name.trim_matches('\'') == program;
        own && (path.is_empty() || path.starts_with('/') && path.ends_with('/'))
    });
    (too_long || by_shell || by_env)
        .then(|| errors::number(words))
        .flatten()
}

/// Says whether a shell can have a variable of that name.
fn is_plain(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with("_rg_")
        && !matches!(
            name,
            "IFS" | "PATH" | "UID" | "EUID" | "PPID" | "PWD" | "OLDPWD" | "SHELLOPTS" | "BASHOPTS"
        )
}

/// Writes a mode so that every `chmod` sets all of its bits, also of a directory.
fn mode_words(mode: u32) -> String {
    format!("0{:04o}", mode & 0o7777)
}

/// Reads what the host says of a path.
fn seen(answer: &[u8]) -> Option<Seen> {
    let mut lines = answer.splitn(4, |byte| *byte == b'\n');
    let mut text = || Some(String::from_utf8_lossy(lines.next()?).into_owned());
    let (first, second, access) = (text()?, text()?, text()?);
    let lstat = looked(&first)?;
    let stat = match (second.as_str(), &lstat) {
        ("=", Ok(stat)) => Ok(*stat),
        ("=", Err(_)) => looked(&first)?,
        (other, _) => looked(other)?,
    };
    let is_link = lstat.as_ref().is_ok_and(|stat| stat.is(FileType::Link));
    let target = lines.next().filter(|_| is_link);
    Some(Seen {
        at: Instant::now(),
        lstat: Some(lstat),
        stat: Some(stat),
        access: ['r', 'w', 'x'].map(|letter| Some(access.contains(letter))),
        target: target.map(|target| OsString::from_vec(target.to_vec()).into()),
    })
}

/// Reads a status and fields, or the error that stands in their place.
fn looked(line: &str) -> Option<Told<Stat>> {
    let (status, fields) = line.split_once(' ')?;
    if status != "0" {
        return Some(Err(fields.to_owned()));
    }
    let mut fields = fields.split(' ');
    let mut number = |radix| u64::from_str_radix(fields.next()?, radix).ok();
    let mode = number(16)? as u32;
    let (uid, gid) = (number(10)? as u32, number(10)? as u32);
    let (size, nlink, inode, dev) = (number(10)?, number(10)?, number(10)?, number(10)?);
    let (major, minor) = (number(16)? as u32, number(16)? as u32);
    let (blocks, block_size) = (number(10)?, number(10)?);
    let mut time = || {
        let text = fields.next()?;
        let (seconds, rest) = text.split_once('.').unwrap_or((text, "0"));
        Some(Time {
            seconds: seconds.parse().ok()?,
            nanoseconds: rest.parse().ok()?,
        })
    };
    Some(Ok(Stat {
        mode,
        uid,
        gid,
        size,
        nlink,
        inode,
        dev,
        rdev: rustix::fs::makedev(major, minor),
        blocks,
        block_size,
        atime: time()?,
        mtime: time()?,
        ctime: time()?,
    }))
}

#[cfg(test)]
pub(super) mod tests;
