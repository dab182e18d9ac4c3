use std::io::{Seek, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command as Process, Stdio};
use std::time::Duration;

use super::*;
use crate::system::Real;

/// Returns the shells of this machine that hosts have: program and first arguments.
pub(in crate::system) fn shells() -> Vec<(String, Vec<&'static str>)> {
    let found = |name: &str| {
        ["/bin", "/usr/bin"]
            .map(|dir| format!("{dir}/{name}"))
            .into_iter()
            .find(|path| Path::new(path).exists())
    };
    [
        ("dash", vec![]),
        ("bash", vec!["--posix"]),
        ("busybox", vec!["sh"]),
    ]
    .into_iter()
    .filter_map(|(name, first)| Some((found(name)?, first)))
    .collect()
}

/// Gives a process these bytes to read.
pub(in crate::system) fn input(bytes: &[u8]) -> Stdio {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes).expect("it is written");
    file.rewind().expect("it is read from its start");
    file.into()
}

/// A shell of this machine that serves, and a directory to work in.
struct Host {
    shell: Shell,
    name: String,
    dir: tempfile::TempDir,
    process: Child,
}

impl Host {
    /// Starts one of each kind. That of busybox has only busybox's programs.
    fn all() -> Vec<Host> {
        shells()
            .into_iter()
            .map(|(program, first)| Host::start(&program, &first, None))
            .collect()
    }

    fn start(program: &str, first: &[&str], path: Option<&Path>) -> Host {
        let dir = tempfile::tempdir().expect("a directory");
        let mut command = Process::new(program);
        command
            .args(first)
            .env("OWN", "a=b\nc")
            .env("LC_ALL", "C.UTF-8");
        if let Some(path) = path {
            command.env("PATH", path);
        } else if program.ends_with("busybox") {
            let tools = dir.path().join("tools");
            std::fs::create_dir(&tools).expect("a directory");
            let installed = Process::new(program)
                .args(["--install", "-s"])
                .arg(&tools)
                .status();
            assert!(installed.expect("it runs").success());
            command.env("PATH", tools);
        }
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("a shell");
        let input = process.stdin.take().expect("a pipe");
        let output = process.stdout.take().expect("a pipe");
        let session =
            Session::start(input, output).unwrap_or_else(|why| panic!("{program}: {why}"));
        let name = program.rsplit('/').next().unwrap_or_default().to_owned();
        Host {
            shell: Shell::new(Rc::new(session)),
            name,
            dir,
            process,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Says what both machines say to the same call.
    fn same<T: PartialEq + std::fmt::Debug>(
        &self,
        what: &str,
        ask: impl Fn(&dyn System) -> io::Result<T>,
    ) {
        let told = |result: io::Result<T>| {
            result.map_err(|error| (error.raw_os_error(), error.to_string()))
        };
        let (real, shell) = (told(ask(&Real)), told(ask(&self.shell)));
        assert_eq!(shell, real, "{what} by {}", self.name);
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn how(mode: u32) -> WriteAs {
    WriteAs {
        mode,
        uid: None,
        gid: None,
    }
}

/// Names that shells and programs like to misread.
fn names() -> Vec<OsString> {
    let mut names: Vec<OsString> = [
        "plain",
        "a b",
        "-n",
        "--",
        "*",
        "$HOME",
        "it's",
        "`x`",
        "back\\slash",
        "new\nline",
        "end\n",
        ".hidden",
        "..two",
        "ä€",
        "a=b",
        "\t",
    ]
    .iter()
    .map(OsString::from)
    .collect();
    names.push(OsStr::from_bytes(b"\x81\x84\xff\x01").to_owned());
    names
}

#[test]
fn what_is_read_is_the_same_as_on_the_machine_itself() {
    for host in Host::all() {
        for name in names() {
            std::fs::write(host.dir.path().join(name), b"x").expect("a file");
        }
        let all: Vec<u8> = (0..=255).chain(*b"\n\n\0").collect();
        std::fs::write(host.path("bytes"), &all).expect("a file");
        std::fs::write(host.path("empty"), b"").expect("a file");
        std::fs::create_dir(host.path("dir")).expect("a directory");
        std::fs::set_permissions(host.path("dir"), std::fs::Permissions::from_mode(0o2711))
            .expect("a mode");
        std::os::unix::fs::symlink("bytes", host.path("link")).expect("a link");
        std::os::unix::fs::symlink("dir", host.path("link-dir")).expect("a link");
        std::os::unix::fs::symlink("no\nwhere\n", host.path("dangling")).expect("a link");
        std::os::unix::fs::symlink("loop", host.path("loop")).expect("a link");
        host.same("readdir", |s| s.readdir(host.dir.path()));
        host.same("an empty readdir", |s| s.readdir(&host.path("dir")));
        host.same("readdir of a file", |s| s.readdir(&host.path("bytes")));
        host.same("readdir of nothing", |s| s.readdir(&host.path("none")));
        let mut paths: Vec<PathBuf> = names().into_iter().map(PathBuf::from).collect();
        paths.extend(
            [
                "bytes",
                "empty",
                "dir",
                "link",
                "link-dir",
                "dangling",
                "loop",
                "none",
                "bytes/under",
                "dir/none",
                "",
            ]
            .map(PathBuf::from),
        );
        let mut paths: Vec<PathBuf> = paths
            .iter()
            .map(|path| host.dir.path().join(path))
            .collect();
        paths.extend(["/dev/null", "/", "/proc/self/mounts", "/dev"].map(PathBuf::from));
        for path in &paths {
            let shown = format!("{}", path.display());
            // Reading itself changes the time of access, and busybox knows no fractions.
            let still = |stat: Stat| Stat {
                atime: Time::default(),
                mtime: if host.name == "busybox" {
                    Time {
                        nanoseconds: 0,
                        ..stat.mtime
                    }
                } else {
                    stat.mtime
                },
                ctime: if host.name == "busybox" {
                    Time {
                        nanoseconds: 0,
                        ..stat.ctime
                    }
                } else {
                    stat.ctime
                },
                inode: if path.starts_with("/proc") {
                    0
                } else {
                    stat.inode
                },
                ..stat
            };
            if !path.starts_with("/proc") {
                host.same(&format!("lstat {shown}"), |s| s.lstat(path).map(still));
                host.same(&format!("stat {shown}"), |s| s.stat(path).map(still));
            }
            host.same(&format!("readlink {shown}"), |s| s.readlink(path));
            for access in [Access::Read, Access::Write, Access::Execute] {
                host.same(&format!("{access:?} {shown}"), |s| s.access(path, access));
            }
            if !path.starts_with("/proc") {
                host.same(&format!("read {shown}"), |s| s.read(path));
                host.same(&format!("sha1 {shown}"), |s| {
                    s.digest(path, Algorithm::Sha1)
                });
            }
        }
        host.same("identity", |s| s.identity().map(|who| (who.uid, who.gid)));
        host.same("umask", |s| s.umask());
        let date = jiff::civil::date(2024, 5, 6).at(7, 8, 9, 0);
        host.same("mktime", |s| s.mktime(date));
        assert_eq!(host.shell.env("OWN").as_deref(), Some("a=b\nc"));
        assert_eq!(host.shell.env("LC_ALL").as_deref(), Some("C.UTF-8"));
        host.same("current_dir", |s| s.current_dir());
        let (here, there) = (
            Real.local_now().expect("now"),
            host.shell.local_now().expect("now"),
        );
        let apart = here.duration_since(there).abs();
        // The zone is the machine's; how exact the time is depends on how busy it is.
        assert!(apart < jiff::SignedDuration::from_mins(10), "{apart}");
    }
}

/// Lists a tree: type, mode, content or target, name.
fn tree(root: &Path) -> Vec<(u32, Vec<u8>, PathBuf)> {
    walkdir::WalkDir::new(root)
        .sort_by_file_name()
        .min_depth(1)
        .into_iter()
        .map(|entry| {
            let entry = entry.expect("an entry");
            let stat = Real.lstat(entry.path()).expect("a stat");
            let content = match stat.file_type() {
                FileType::File => std::fs::read(entry.path()).expect("content"),
                FileType::Link => std::fs::read_link(entry.path())
                    .expect("a target")
                    .into_os_string()
                    .into_vec(),
                _ => Vec::new(),
            };
            let name = entry.path().strip_prefix(root).expect("inside").to_owned();
            (stat.mode, content, name)
        })
        .collect()
}

#[test]
fn what_is_changed_is_the_same_as_on_the_machine_itself() {
    for host in Host::all() {
        let script = |root: &Path, s: &dyn System| -> Vec<String> {
            std::fs::create_dir(root).expect("a directory");
            let at = |name: &str| root.join(name);
            let mut told = Vec::new();
            let mut tell = |what: &str, result: io::Result<()>| {
                told.push(format!(
                    "{what}: {:?}",
                    result.map_err(|e| (e.raw_os_error(), e.to_string()))
                ));
            };
            let all: Vec<u8> = (0..=255).cycle().take(200_000).collect();
            tell("mkdir", s.mkdir(&at("d"), 0o777));
            tell("mkdir 1", s.mkdir(&at("d1"), 0o1733));
            tell("mkdir again", s.mkdir(&at("d"), 0o777));
            tell("mkdir below nothing", s.mkdir(&at("x/y"), 0o777));
            for name in names() {
                tell(
                    "write",
                    s.write_atomic(&at("d").join(&name), name.as_bytes(), how(0o604)),
                );
            }
            tell("write much", s.write_atomic(&at("f"), &all, how(0o640)));
            tell(
                "write over",
                s.write_atomic(&at("f"), &all[1..], how(0o4755)),
            );
            tell("write nothing", s.write_atomic(&at("e"), b"", how(0o000)));
            tell("mkdir below a file", s.mkdir(&at("f/y"), 0o777));
            tell(
                "write below a file",
                s.write_atomic(&at("f/y"), b"", how(0o600)),
            );
            tell(
                "write below nothing",
                s.write_atomic(&at("x/y"), b"", how(0o600)),
            );
            tell(
                "write over a directory",
                s.write_atomic(&at("d"), b"", how(0o600)),
            );
            let owned = WriteAs {
                mode: 0o644,
                uid: Some(rustix::process::geteuid().as_raw()),
                gid: Some(rustix::process::getegid().as_raw()),
            };
            tell("write owned", s.write_atomic(&at("o"), b"o", owned));
            tell("symlink", s.symlink(Path::new("d"), &at("l")));
            tell("symlink", s.symlink(Path::new("-nowhere\n"), &at("-l")));
            tell("symlink again", s.symlink(Path::new("d"), &at("l")));
            tell(
                "symlink over a directory",
                s.symlink(Path::new("d"), &at("d")),
            );
            tell(
                "write over a link to a directory",
                s.write_atomic(&at("l"), b"file", how(0o644)),
            );
            tell("in place", s.write_in_place(&at("f"), b"in place\0"));
            tell("in place of nothing", s.write_in_place(&at("none"), b"x"));
            tell("in place of a directory", s.write_in_place(&at("d"), b"x"));
            tell("symlink", s.symlink(Path::new("f"), &at("lf")));
            tell(
                "in place through a link",
                s.write_in_place(&at("lf"), b"through"),
            );
            tell("hardlink", s.hardlink(&at("f"), &at("h")));
            tell("hardlink of a link", s.hardlink(&at("lf"), &at("h2")));
            tell("hardlink of nothing", s.hardlink(&at("none"), &at("h3")));
            tell("hardlink over", s.hardlink(&at("f"), &at("e")));
            tell("rename", s.rename(&at("h"), &at("h4")));
            tell("rename over", s.rename(&at("o"), &at("e")));
            tell("rename nothing", s.rename(&at("none"), &at("e")));
            tell("rename over a directory", s.rename(&at("e"), &at("d1")));
            tell("chmod of a directory", s.chmod(&at("d"), 0o2755));
            tell("chmod of a directory", s.chmod(&at("d"), 0o755));
            tell("chmod of nothing", s.chmod(&at("none"), 0o755));
            tell("chown", s.chown(&at("f"), owned.uid, owned.gid, true));
            tell(
                "chown of a link",
                s.chown(&at("-l"), owned.uid, None, false),
            );
            tell(
                "chown of what a link means",
                s.chown(&at("-l"), owned.uid, None, true),
            );
            tell("unlink", s.unlink(&at("h2")));
            tell("unlink a link", s.unlink(&at("-l")));
            tell("unlink nothing", s.unlink(&at("none")));
            tell("unlink a directory", s.unlink(&at("d1")));
            tell("rmdir", s.rmdir(&at("d1")));
            tell("rmdir nothing", s.rmdir(&at("d1")));
            tell("rmdir of a file", s.rmdir(&at("f")));
            tell("rmdir full", s.rmdir(&at("d")));
            tell("mkdir", s.mkdir(&at("t"), 0o777));
            tell("mkdir", s.mkdir(&at("t/u"), 0o700));
            tell("write", s.write_atomic(&at("t/u/-f"), b"x", how(0o600)));
            tell("symlink", s.symlink(&at("d"), &at("t/l")));
            tell("remove_tree", s.remove_tree(&at("t")));
            tell("remove_tree of nothing", s.remove_tree(&at("t")));
            let then = SetTime::At(Time {
                seconds: 1_000_000_000,
                nanoseconds: 0,
            });
            tell("utimes", s.utimes(&at("f"), then, SetTime::Keep, true));
            tell("utimes", s.utimes(&at("f"), SetTime::Keep, then, true));
            tell("utimes", s.utimes(&at("e"), then, then, true));
            tell("utimes of a link", s.utimes(&at("lf"), then, then, false));
            tell(
                "utimes of nothing",
                s.utimes(&at("none"), SetTime::Now, SetTime::Now, true),
            );
            told
        };
        let (ours, theirs) = (host.path("shell"), host.path("real"));
        let shell: Vec<String> = script(&ours, &host.shell);
        let real: Vec<String> = script(&theirs, &Real);
        assert_eq!(shell, real, "{}", host.name);
        assert_eq!(tree(&ours), tree(&theirs), "{}", host.name);
        for name in ["f", "e", "lf"] {
            let times = |root: &Path| {
                Real.lstat(&root.join(name))
                    .map(|s| {
                        (
                            name,
                            s.atime.seconds == 1_000_000_000,
                            s.mtime.seconds == 1_000_000_000,
                        )
                    })
                    .expect("a stat")
            };
            assert_eq!(times(&ours), times(&theirs), "{}", host.name);
        }
    }
}

fn ran(executed: io::Result<Executed>) -> Result<Output, (Option<i32>, String)> {
    match executed {
        Ok(Executed::Ran(output)) => Ok(output),
        Ok(Executed::Unknown) => Err((None, "unknown".to_owned())),
        Err(error) => Err((error.raw_os_error(), error.to_string())),
    }
}

#[test]
fn commands_end_in_the_same_way_as_on_the_machine_itself() {
    for host in Host::all() {
        let sh = |script: &str| Command::write(["/bin/sh", "-c", script]);
        let all: String = (1..=127)
            .chain([233, 8364])
            .filter_map(char::from_u32)
            .collect();
        std::fs::write(host.path("plain"), "not executable").expect("a file");
        std::fs::write(host.path("odd"), "#!/no/such/interpreter\n").expect("a file");
        std::fs::set_permissions(host.path("odd"), std::fs::Permissions::from_mode(0o755))
            .expect("a mode");
        let own = |name: &str| host.path(name).to_string_lossy().into_owned();
        let mut cases = vec![
            sh("printf 'out\\0\\377'; echo err >&2; exit 3"),
            sh("kill -9 $$"),
            sh("kill -TERM $$"),
            sh("exit 137"),
            sh("exit 143; echo Killed >&2"),
            sh("exit 127"),
            sh("echo 'env: x: No such file or directory' >&2; exit 127"),
            sh("cat"),
            sh("cat; exit 2").stdin(all.as_bytes()),
            sh("exit 0").stdin(vec![b'x'; 300_000]),
            sh("read -r a; echo \"$a\"; cat").stdin("one\ntwo\n"),
            sh("umask; echo \"$A|$LC_ALL|$OWN|$PWD|${OLDPWD-none}\"; echo \"$0 $#\"; ls /proc/self/fd | wc -l").env("A", "it's\n"),
            sh("echo \"$LC_ALL\"; env | grep -a ^odd").env("LC_ALL", "C").env("odd-name", "x y"),
            sh("trap '' PIPE; echo ok"),
            sh("yes | head -n 1"),
            Command::read(["printf", "%s|", &all, "", " ", "-n", "*"]),
            Command::read(["no-such-program"]),
            Command::read(["/no/such/program", "x"]),
            Command::read([own("plain")]),
            Command::read([own("odd")]),
            Command::read(["/"]),
            Command::read(["a=b"]),
            Command::read(["/usr/bin/env", "no-such-program"]),
            Command::read([""]),
            Command::read(["echo", &"x".repeat(200_000)]),
        ];
        let mut inside = sh("pwd; umask; echo \"$PWD ${OLDPWD-none}\"");
        inside.cwd = Some(host.dir.path().to_owned());
        inside.umask = Some(0o27);
        cases.push(inside.clone());
        inside.cwd = Some(host.path("none"));
        cases.push(inside.clone());
        inside.cwd = Some(host.path("plain"));
        cases.push(inside);
        // The environment that the shell was started with is not this process's.
        for (key, value) in [("OWN", "a=b\nc"), ("LC_ALL", "C.UTF-8")] {
            for case in &mut cases {
                if !case.env.iter().any(|(known, _)| known == key) {
                    case.env.push((key.to_owned(), value.to_owned()));
                }
            }
        }
        for case in cases {
            let real = ran(Real.exec(&case));
            let shell = ran(host.shell.exec(&case));
            let text = |r: &Result<Output, (Option<i32>, String)>| match r {
                Ok(o) => format!(
                    "{} {:?} {:?}",
                    o.rc,
                    String::from_utf8_lossy(&o.stdout),
                    String::from_utf8_lossy(&o.stderr)
                ),
                Err((number, text)) => format!("{number:?} {text}"),
            };
            assert_eq!(
                text(&shell),
                text(&real),
                "{:?} by {}",
                case.argv,
                host.name
            );
        }
        assert_eq!(left_in_tmp(&host), Vec::<PathBuf>::new());
    }
}

/// Finds files of this session that still have a name.
fn left_in_tmp(_host: &Host) -> Vec<PathBuf> {
    std::fs::read_dir("/tmp")
        .expect("it can be read")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.to_string_lossy().contains("/.regrole-") && path.to_string_lossy().ends_with(".o")
        })
        .collect()
}

#[test]
fn output_of_any_size_arrives_whole() {
    for host in Host::all() {
        let script = "i=0; while [ $i -lt 300 ]; do head -c 10000 /dev/zero; i=$((i+1)); done; head -c 100000 /dev/zero >&2";
        let output =
            ran(host.shell.exec(&Command::read(["/bin/sh", "-c", script]))).expect("it runs");
        assert_eq!(
            (output.rc, output.stdout.len(), output.stderr.len()),
            (0, 3_000_000, 100_000),
            "{}",
            host.name
        );
    }
}

#[test]
fn a_background_process_that_keeps_the_output_open_is_not_waited_for() {
    for host in Host::all() {
        let started = Instant::now();
        let script = "(sleep 0.1; echo soon; sleep 20; echo late) & echo done";
        let command = Command::write(["/bin/sh", "-c", script]);
        let output = ran(host.shell.exec(&command)).expect("it runs");
        assert_eq!(output.stdout, b"done\nsoon\n", "{}", host.name);
        assert!(started.elapsed() < Duration::from_secs(15), "{}", host.name);
    }
}

#[test]
fn a_command_that_takes_too_long_is_ended_with_its_children_and_the_shell_goes_on() {
    for host in Host::all() {
        let mut command = Command::write(["/bin/sh", "-c", "sleep 61 | sleep 61"]);
        command.timeout = Some(Duration::from_millis(300));
        let error = ran(host.shell.exec(&command)).expect_err("it is stopped");
        assert_eq!(error.0, Some(errno::ETIMEDOUT), "{}", host.name);
        let output = ran(host.shell.exec(&Command::read(["echo", "on"]))).expect("it runs");
        assert_eq!(output.stdout, b"on\n", "{}", host.name);
    }
}

#[test]
fn what_runs_ends_when_the_controller_is_gone_and_no_process_stays() {
    for (program, first) in shells() {
        let dir = tempfile::tempdir().expect("a directory");
        let alive = dir.path().join("alive");
        let mut process = Process::new(&program)
            .args(first)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let input = process.stdin.take().expect("a pipe");
        let output = process.stdout.take().expect("a pipe");
        // The thread that waits for the answer keeps the input open; this copy closes it.
        let (input, closed) = Closing::new(input);
        let script = format!("while sleep 0.1; do echo >>{}; done", alive.display());
        std::thread::spawn(move || {
            let session = Session::start(input, output).expect("a session");
            let shell = Shell::new(Rc::new(session));
            let _ = shell.exec(&Command::write(["/bin/sh", "-c", &script]));
        });
        let started = Instant::now();
        while !alive.exists() {
            let passed = started.elapsed();
            assert!(passed < Duration::from_secs(30), "{program}: no start");
            std::thread::sleep(Duration::from_millis(20));
        }
        closed.close();
        let ended = Instant::now();
        while process.try_wait().expect("a child").is_none() {
            let passed = ended.elapsed();
            assert!(passed < Duration::from_secs(5), "{program}: it stays");
            std::thread::sleep(Duration::from_millis(20));
        }
        let length = || std::fs::metadata(&alive).map_or(0, |m| m.len());
        let before = length();
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(length(), before, "{program}: the command goes on");
    }
}

/// A stream that another thread can close.
struct Closing(std::sync::Arc<std::sync::Mutex<Option<std::process::ChildStdin>>>);

impl Closing {
    fn new(input: std::process::ChildStdin) -> (Closing, Closing) {
        let shared = std::sync::Arc::new(std::sync::Mutex::new(Some(input)));
        (Closing(shared.clone()), Closing(shared))
    }

    fn close(&self) {
        self.0.lock().expect("nobody panicked").take();
    }
}

impl Write for Closing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.lock().expect("nobody panicked").as_mut() {
            Some(input) => input.write(bytes),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_host_without_a_needed_program_says_which() {
    let dir = tempfile::tempdir().expect("a directory");
    for name in ["cat", "env", "head", "id", "date", "rm"] {
        let from = ["/usr/bin", "/bin"].map(|dir| Path::new(dir).join(name));
        let from = from.iter().find(|path| path.exists()).expect(name);
        std::os::unix::fs::symlink(from, dir.path().join(name)).expect("a link");
    }
    let mut process = Process::new("/bin/sh")
        .env("PATH", dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell");
    let (input, output) = (process.stdin.take(), process.stdout.take());
    let started = Session::start(input.expect("a pipe"), output.expect("a pipe"));
    let why = started.err().expect("it can't serve");
    assert_eq!(
        why,
        "the shell commands that work in place of the agent need what this host does not have: chmod chown ln mkdir mv readlink rmdir sleep stat touch wc"
    );
    let _ = process.wait();
}
