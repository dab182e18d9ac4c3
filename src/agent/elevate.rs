//! Becoming another user: a second agent, started through sudo, su or doas.
//!
//! The first agent starts it and relays frames. The password goes to the method's standard input
//! and nowhere else; nothing is sent before the second agent has said its marker.

use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::frame::{self, Message};
use super::message::{Become, Reply, Request};
use crate::value::Secret;

/// How long a method may take until its agent speaks.
///
/// **Source:** Ansible's own limit for a prompt, which its message names.
const PATIENCE: Duration = Duration::from_secs(12);

/// An agent that runs as another user.
pub(super) struct Elevated {
    child: Child,
    input: ChildStdin,
    replies: Receiver<Reply>,
}

impl Elevated {
    /// Starts an agent as another user.
    ///
    /// # Errors
    /// Ansible's words for a missing or wrong password and for a method that doesn't answer.
    pub(super) fn start(
        wanted: &Become,
        password: Option<&Secret<String>>,
    ) -> Result<Elevated, String> {
        let marker = super::marker();
        let program = Program::for_user(&wanted.user)?;
        let path = program.path.to_string_lossy().into_owned();
        let argv = argv(wanted, password.is_some(), &path, &marker);
        let mut child = Command::new(&argv[0])
            .args(&argv[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {}", argv[0], crate::diag::os_message(&error)))?;
        let (Some(mut input), Some(mut output), Some(mut errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err("the become method has no streams".to_owned());
        };
        if let Some(password) = password {
            let _ = input.write_all(format!("{}\n", password.expose()).as_bytes());
            let _ = input.flush();
        }
        let said = Arc::new(Mutex::new(String::new()));
        let heard = said.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count) = errors.read(&mut buffer) {
                if count == 0 {
                    return;
                }
                if let Ok(mut text) = heard.lock()
                    && text.len() < 1 << 16
                {
                    text.push_str(&String::from_utf8_lossy(&buffer[..count]));
                }
            }
        });
        let (ready, started) = channel();
        let (tx, replies) = channel();
        let own = marker.clone().into_bytes();
        std::thread::spawn(move || {
            if frame::skip_to(&mut output, &own).is_err() {
                return;
            }
            if ready.send(()).is_err() {
                return;
            }
            while let Ok(Some(message)) = frame::read(&mut output) {
                if let Message::Reply(reply) = message
                    && tx.send(*reply).is_err()
                {
                    return;
                }
            }
        });
        let deadline = Instant::now() + PATIENCE;
        loop {
            match started.recv_timeout(Duration::from_millis(50)) {
                Ok(()) => break,
                Err(RecvTimeoutError::Timeout) => {
                    let text = said.lock().map(|text| text.clone()).unwrap_or_default();
                    if let Some(message) = refusal(wanted, &text) {
                        let _ = child.kill();
                        let _ = child.wait();
                        return Err(message);
                    }
                    if Instant::now() >= deadline {
                        let _ = child.kill();
                        let _ = child.wait();
                        return Err(format!(
                            "Timeout ({}s) waiting for privilege escalation prompt: {}",
                            PATIENCE.as_secs(),
                            text.trim()
                        ));
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let _ = child.wait();
                    // What it said may still be on its way.
                    std::thread::sleep(Duration::from_millis(50));
                    let text = said.lock().map(|text| text.clone()).unwrap_or_default();
                    return Err(refusal(wanted, &text).unwrap_or_else(|| {
                        format!(
                            "the become method `{}` ended: {}",
                            wanted.method,
                            text.trim()
                        )
                    }));
                }
            }
        }
        if input.write_all(marker.as_bytes()).is_err() {
            return Err("the agent of the other user is gone".to_owned());
        }
        drop(program);
        Ok(Elevated {
            child,
            input,
            replies,
        })
    }

    /// Passes a request on and waits for its answer.
    ///
    /// # Errors
    /// That the other agent is gone.
    pub(super) fn run(&mut self, request: Request) -> Result<Reply, String> {
        let gone = |_| "the agent of the other user is gone".to_owned();
        frame::write(&mut self.input, &Message::Request(Box::new(request))).map_err(gone)?;
        self.replies
            .recv()
            .map_err(|_| "the agent of the other user is gone".to_owned())
    }
}

impl Drop for Elevated {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Recognises what a method says when it refuses.
fn refusal(wanted: &Become, text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let any = |parts: &[&str]| parts.iter().any(|part| lower.contains(part));
    if any(&[
        "a password is required",
        "a terminal is required",
        "authorization required",
    ]) {
        return Some(format!("Missing {} password", wanted.method));
    }
    if any(&[
        "sorry, try again",
        "incorrect password",
        "authentication failure",
        "auth failed",
        "incorrect password attempt",
    ]) {
        return Some(format!("Incorrect {} password", wanted.method));
    }
    if any(&[
        "not in the sudoers",
        "is not allowed to",
        "unknown user",
        "does not exist",
        "command not found",
    ]) {
        return Some(text.trim().to_owned());
    }
    None
}

/// Builds the method's command line.
fn argv(wanted: &Become, has_password: bool, path: &str, marker: &str) -> Vec<String> {
    let exe = wanted.exe.clone().unwrap_or_else(|| wanted.method.clone());
    let mut argv = vec![exe];
    let flags = |default: &[&str]| -> Vec<String> {
        match &wanted.flags {
            Some(flags) => shlex::split(flags).unwrap_or_default(),
            None => default.iter().map(|flag| (*flag).to_owned()).collect(),
        }
    };
    let command = [path, super::AGENT_ARGUMENT, marker].map(str::to_owned);
    match wanted.method.as_str() {
        "su" => {
            argv.extend(flags(&[]));
            argv.push(wanted.user.clone());
            argv.push("-c".to_owned());
            argv.push(shlex::try_join(command.iter().map(String::as_str)).unwrap_or_default());
        }
        "doas" => {
            argv.extend(flags(&[]));
            if !has_password {
                argv.push("-n".to_owned());
            }
            argv.extend(["-u".to_owned(), wanted.user.clone()]);
            argv.extend(command);
        }
        _ => {
            argv.extend(flags(&["-H", "-S"]));
            if has_password {
                argv.retain(|flag| flag != "-n");
                argv.extend(["-p".to_owned(), String::new()]);
            } else if !argv.iter().any(|flag| flag == "-n") {
                argv.push("-n".to_owned());
            }
            argv.extend(["-u".to_owned(), wanted.user.clone(), "--".to_owned()]);
            argv.extend(command);
        }
    }
    argv
}

/// The agent's own file, where the other user may run it.
struct Program {
    path: PathBuf,
    made: Option<PathBuf>,
}

impl Program {
    /// Root may run this very file; for others a copy is made that vanishes once it runs.
    fn for_user(user: &str) -> Result<Program, String> {
        let own = std::env::current_exe().map_err(|error| error.to_string())?;
        if user == "root" {
            return Ok(Program {
                path: own,
                made: None,
            });
        }
        let failed = |error: std::io::Error| {
            format!(
                "can't place the agent for {user}: {}",
                crate::diag::os_message(&error)
            )
        };
        for base in ["/var/tmp", "/tmp", "/dev/shm"] {
            let dir = PathBuf::from(base).join(format!("regrole-{}", super::marker().trim()));
            if std::fs::create_dir(&dir).is_err() {
                continue;
            }
            let path = dir.join("regrole");
            let placed = std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o755))
                .and_then(|()| std::fs::read(&own))
                .and_then(|bytes| {
                    let mut file = std::fs::OpenOptions::new()
                        .write(true)
                        .create_new(true)
                        .mode(0o755)
                        .open(&path)?;
                    file.write_all(&bytes)?;
                    file.set_permissions(std::fs::Permissions::from_mode(0o755))
                });
            let program = Program {
                path,
                made: Some(dir),
            };
            placed.map_err(failed)?;
            return Ok(program);
        }
        Err(format!(
            "can't place the agent for {user}: no temporary directory can be written"
        ))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(dir) = &self.made {
            let _ = std::fs::remove_dir_all(dir);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(method: &str) -> Become {
        Become {
            method: method.into(),
            user: "deploy".into(),
            exe: None,
            flags: None,
        }
    }

    #[test]
    fn the_password_is_never_an_argument() {
        for method in ["sudo", "su", "doas"] {
            let line = argv(&wanted(method), true, "/a", "m").join(" ");
            assert!(line.contains("deploy") && line.contains("/a"), "{line}");
        }
        assert_eq!(
            argv(&wanted("sudo"), false, "/a", "m")[..4],
            ["sudo", "-H", "-S", "-n"]
        );
    }

    #[test]
    fn refusals_are_told_in_ansibles_words() {
        let said = |text: &str| refusal(&wanted("sudo"), text);
        assert_eq!(
            said("sudo: a password is required").as_deref(),
            Some("Missing sudo password")
        );
        assert_eq!(
            said("Sorry, try again.").as_deref(),
            Some("Incorrect sudo password")
        );
        assert_eq!(said(""), None);
    }
}
