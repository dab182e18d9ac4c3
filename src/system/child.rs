//! Runs a command on this machine and collects what it writes.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal};

use super::{Command, Output, errno, os_error};

/// How long the output of a command that has ended may be silent while something that it started
/// keeps it open.
///
/// **Source:** `command` of Ansible, observed: what a background process writes later is not told.
const SILENCE: Duration = Duration::from_secs(1);

/// How often the end of a command is looked for where the kernel doesn't tell.
const PAUSE: Duration = Duration::from_millis(20);

/// Runs a command to its end.
///
/// # Errors
/// It can't be started; [`errno::ETIMEDOUT`] when its time limit has passed.
pub(super) fn run(command: &Command) -> io::Result<Output> {
    let mut child = spawn(command)?;
    let deadline = command.timeout.map(|limit| Instant::now() + limit);
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    // Not waited for: what the command has left behind may never read its input.
    let input = stdin.map(|mut pipe| {
        let bytes = command.stdin.clone();
        std::thread::spawn(move || {
            // A command that doesn't read all of its input is no failure.
            let _ = pipe.write_all(&bytes);
        })
    });
    let mut pipes = [
        Pipe::new(stdout.map(OwnedFd::from)),
        Pipe::new(stderr.map(OwnedFd::from)),
    ];
    let in_time = collect(&child, &mut pipes, deadline)?;
    if !in_time {
        let group = Pid::from_child(&child);
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
    let status = child.wait()?;
    drop(input);
    if !in_time {
        return Err(os_error(errno::ETIMEDOUT));
    }
    let [stdout, stderr] = pipes.map(|pipe| pipe.bytes);
    Ok(Output {
        rc: status
            .code()
            .unwrap_or_else(|| -status.signal().unwrap_or(1)),
        stdout,
        stderr,
    })
}

fn spawn(command: &Command) -> io::Result<Child> {
    let Some((program, arguments)) = command.argv.split_first() else {
        return Err(os_error(errno::ENOENT));
    };
    let mut process = std::process::Command::new(program);
    process
        .args(arguments)
        .envs(command.env.iter().map(|(k, v)| (k, v)))
        .stdin(if command.stdin.is_empty() {
            Stdio::null()
        } else {
            Stdio::piped()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Its own group, so that a time limit reaches its children too.
        .process_group(0);
    if let Some(cwd) = &command.cwd {
        process.current_dir(cwd);
    }
    let restore = command
        .umask
        .map(|mask| rustix::process::umask(rustix::fs::Mode::from_raw_mode(mask)));
    let spawned = process.spawn();
    if let Some(mask) = restore {
        rustix::process::umask(mask);
    }
    spawned
}

/// One stream of a command, and what has come out of it.
struct Pipe {
    stream: Option<std::fs::File>,
    bytes: Vec<u8>,
}

impl Pipe {
    fn new(stream: Option<OwnedFd>) -> Pipe {
        Pipe {
            stream: stream.map(std::fs::File::from),
            bytes: Vec::new(),
        }
    }

    /// Takes what is there; the stream goes when it has ended.
    fn take(&mut self) -> io::Result<()> {
        let Some(stream) = &mut self.stream else {
            return Ok(());
        };
        let mut piece = vec![0; 1 << 16];
        match stream.read(&mut piece) {
            Ok(0) => self.stream = None,
            Ok(count) => self.bytes.extend_from_slice(&piece[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Reads both streams until the command has ended and they have too, or are silent; `false` when
/// the deadline has passed first.
fn collect(child: &Child, pipes: &mut [Pipe; 2], deadline: Option<Instant>) -> io::Result<bool> {
    let pid = Pid::from_child(child);
    let ending = rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok();
    let mut ended = false;
    loop {
        let open = pipes.iter().any(|pipe| pipe.stream.is_some());
        if ended && !open {
            return Ok(true);
        }
        let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Ok(false);
        }
        let pause = match (&ending, ended) {
            (_, true) => Some(SILENCE),
            (Some(_), false) => None,
            (None, false) => Some(PAUSE),
        };
        let limit = [pause, left].into_iter().flatten().min();
        let watched: Vec<(usize, BorrowedFd<'_>)> = pipes
            .iter()
            .map(|pipe| pipe.stream.as_ref().map(AsFd::as_fd))
            .chain([ending.as_ref().filter(|_| !ended).map(AsFd::as_fd)])
            .enumerate()
            .filter_map(|(index, fd)| Some((index, fd?)))
            .collect();
        let mut asked: Vec<PollFd<'_>> = watched
            .iter()
            .map(|(_, fd)| PollFd::from_borrowed_fd(*fd, PollFlags::IN))
            .collect();
        let limit = limit.map(|limit| Timespec {
            tv_sec: limit.as_secs() as i64,
            tv_nsec: i64::from(limit.subsec_nanos()),
        });
        match poll(&mut asked, limit.as_ref()) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let ready: Vec<usize> = watched
            .iter()
            .zip(&asked)
            .filter(|(_, answer)| !answer.revents().is_empty())
            .map(|((index, _), _)| *index)
            .collect();
        if ready.is_empty()
            && ended
            && pause == Some(SILENCE)
            && left.is_none_or(|left| left > SILENCE)
        {
            return Ok(true);
        }
        for index in &ready {
            match pipes.get_mut(*index) {
                Some(pipe) => pipe.take()?,
                None => ended = true,
            }
        }
        if ending.is_none() && !ended {
            ended = has_ended(pid)?;
        }
    }
}

/// Says whether a child has ended, and leaves it to be waited for.
fn has_ended(pid: Pid) -> io::Result<bool> {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    Ok(waitid(WaitId::Pid(pid), options)?.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        Command::read(["sh", "-c", script])
    }

    #[test]
    fn a_command_gets_its_input_and_gives_its_status() {
        let command = sh("cat; echo \"$A\" >&2; exit 3").stdin("in").env("A", "b");
        let output = run(&command).expect("runs");
        assert_eq!(
            (output.rc, &output.stdout[..], &output.stderr[..]),
            (3, &b"in"[..], &b"b\n"[..])
        );
    }

    #[test]
    fn a_command_that_takes_too_long_is_killed_with_its_children() {
        let mut command = sh("sleep 60 | sleep 60");
        command.timeout = Some(Duration::from_millis(100));
        let error = run(&command).expect_err("time limit");
        assert_eq!(error.raw_os_error(), Some(errno::ETIMEDOUT));
    }

    #[test]
    fn a_background_process_that_keeps_the_output_open_is_not_waited_for() {
        let script = "(sleep 0.1; echo soon; sleep 60; echo late) & echo now";
        let output = run(&sh(script)).expect("runs");
        assert_eq!(output.stdout, b"now\nsoon\n");
    }

    #[test]
    fn a_command_that_closes_its_output_is_waited_for() {
        let output = run(&sh("exec >&- 2>&-; sleep 0.2; exit 4")).expect("runs");
        assert_eq!(output.rc, 4);
    }

    #[test]
    fn input_that_is_not_read_is_no_failure() {
        let output = run(&sh("echo done").stdin(vec![0; 1 << 20])).expect("runs");
        assert_eq!(output.stdout, b"done\n");
    }
}
