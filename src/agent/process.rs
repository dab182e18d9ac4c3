//! A child process whose three streams are pipes, and the limit on how long it may make no progress.

use std::io::Read;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The most that is kept of what a process says on standard error, in bytes.
const MOST_SAID: usize = 1 << 16;

/// A started process. It is given a moment to end by itself when dropped, then it is ended.
pub(super) struct Process {
    child: Child,
    said: Arc<Mutex<String>>,
    quiet: Receiver<()>,
}

impl Process {
    /// Starts a process; what it says on standard error is collected.
    ///
    /// # Errors
    /// What the operating system says, behind the program's name.
    pub(super) fn start(
        command: &mut Command,
    ) -> Result<(Process, ChildStdin, ChildStdout), String> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{name}: {}", crate::diag::os_message(&error)))?;
        let (Some(input), Some(output), Some(errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(format!("{name} has no streams"));
        };
        let said = Arc::new(Mutex::new(String::new()));
        let (done, quiet) = channel();
        let heard = said.clone();
        std::thread::spawn(move || {
            collect(errors, &heard);
            drop(done);
        });
        let process = Process { child, said, quiet };
        Ok((process, input, output))
    }

    /// Returns what the process has said on standard error until now.
    pub(super) fn said(&self) -> String {
        self.said
            .lock()
            .map(|text| text.clone())
            .unwrap_or_default()
    }

    /// Ends the process and returns all that it said.
    pub(super) fn end(&mut self) -> String {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Something that it left behind may still hold the stream; its words are not waited for.
        let _ = self.quiet.recv_timeout(Duration::from_secs(1));
        self.said()
    }

    /// Ends the process when it has made no progress for so long; see [`Watch::progress`].
    pub(super) fn watch(&self, limit: Duration) -> Watch {
        let state = Arc::new(Mutex::new(Some(Instant::now())));
        let (stop, stopped) = channel();
        let watched = state.clone();
        // The process is waited for only after the watch, so that the number stays its own.
        let pid = rustix::process::Pid::from_child(&self.child);
        std::thread::spawn(move || {
            let mut left = limit;
            while stopped.recv_timeout(left) == Err(RecvTimeoutError::Timeout) {
                let Ok(mut since) = watched.lock() else {
                    return;
                };
                left = since.map_or(Duration::ZERO, |at| limit.saturating_sub(at.elapsed()));
                if left.is_zero() {
                    *since = None;
                    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
                    return;
                }
            }
        });
        Watch {
            state,
            limit,
            _stop: stop,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Its input has ended: an agent ends what it has started, and then itself.
        let deadline = Instant::now() + Duration::from_secs(2);
        while let Ok(None) = self.child.try_wait() {
            if Instant::now() >= deadline {
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A limit on how long a process may make no progress; it holds until this is dropped.
pub(super) struct Watch {
    /// When there was progress last; `None` once the process was ended.
    state: Arc<Mutex<Option<Instant>>>,
    limit: Duration,
    _stop: Sender<()>,
}

impl Watch {
    /// Takes note that something was heard or could be sent.
    pub(super) fn progress(&self) {
        if let Ok(mut since) = self.state.lock()
            && since.is_some()
        {
            *since = Some(Instant::now());
        }
    }

    /// Does something that the process has to wait for: that is no time of its own.
    pub(super) fn aside<T>(&self, work: impl FnOnce() -> T) -> T {
        /// Longer than any work takes.
        const FAR: Duration = Duration::from_secs(1 << 20);
        if let Ok(mut since) = self.state.lock() {
            *since = since.map(|_| Instant::now() + FAR);
        }
        let done = work();
        self.progress();
        done
    }

    /// Says whether the limit has passed, and which it was.
    pub(super) fn expired(&self) -> Option<Duration> {
        let since = self.state.lock().ok()?;
        since.is_none().then_some(self.limit)
    }
}

fn collect(mut stream: impl Read, into: &Mutex<String>) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        if let Ok(mut text) = into.lock()
            && text.len() < MOST_SAID
        {
            text.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> (Process, ChildStdin, ChildStdout) {
        Process::start(Command::new("sh").args(["-c", script])).expect("a shell")
    }

    #[test]
    fn all_that_a_process_said_is_there_when_it_has_ended() {
        let (mut process, _input, mut output) = shell("echo one >&2; echo; echo two >&2");
        let _ = output.read_to_end(&mut Vec::new());
        assert_eq!(process.end(), "one\ntwo\n");
    }

    #[test]
    fn a_process_without_progress_is_ended_and_one_with_progress_is_not() {
        let (process, _input, mut output) = shell("exec sleep 60");
        let watch = process.watch(Duration::from_millis(100));
        let _ = output.read_to_end(&mut Vec::new());
        assert_eq!(watch.expired(), Some(Duration::from_millis(100)));

        let (process, _input, mut output) = shell("for i in 1 2 3 4; do sleep 0.2; echo; done");
        let watch = process.watch(Duration::from_secs(20));
        let mut byte = [0];
        while output.read(&mut byte).is_ok_and(|count| count > 0) {
            watch.progress();
        }
        assert_eq!(watch.expired(), None);
    }

    #[test]
    fn what_a_process_has_to_wait_for_is_no_time_of_its_own() {
        let (process, input, _output) = shell("cat >/dev/null");
        let watch = process.watch(Duration::from_millis(200));
        watch.aside(|| std::thread::sleep(Duration::from_millis(500)));
        assert_eq!(watch.expired(), None);
        drop(input);
    }

    #[test]
    fn a_process_may_end_by_itself_when_its_input_has_ended() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("ended");
        let (process, input, _output) = shell(&format!("cat; echo done >{}", path.display()));
        drop(input);
        drop(process);
        assert_eq!(std::fs::read(path).expect("it ended"), b"done\n");
    }
}
