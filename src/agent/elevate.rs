//! Becoming another user: a second agent, started through sudo, su or doas.
//!
//! The first agent starts it and relays frames. The password goes to the method's standard input
//! and nowhere else; nothing is sent before the second agent has said its marker.

use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::message::{Become, Reply, Request};
use super::peer::Peer;
use super::process::Process;
use super::{boot, frame};
use crate::value::Secret;

/// How long a method may take until its agent speaks.
///
/// **Source:** Ansible's own limit for a prompt, which its message names.
const PATIENCE: Duration = Duration::from_secs(12);

/// An agent that runs as another user. Fields are dropped in their order: the streams before the
/// process.
pub(super) struct Elevated {
    peer: Peer,
    _process: Process,
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
        if wanted.user.starts_with('-') || wanted.user.is_empty() {
            return Err(format!(
                "the user `{}` can't be become: it would be read as an option",
                wanted.user
            ));
        }
        let marker = super::marker();
        let program = Program::for_user(&wanted.user)?;
        let path = program.path.to_string_lossy().into_owned();
        let locale = std::env::var("LC_ALL").ok();
        let argv = argv(
            wanted,
            password.is_some(),
            locale.as_deref(),
            &path,
            &marker,
        );
        let mut command = Command::new(&argv[0]);
        // What the method says is recognised by its words; the agent gets the user's own language.
        command.args(&argv[1..]).env("LC_ALL", "C");
        let (mut process, mut input, mut output) = Process::start(&mut command)?;
        if let Some(password) = password {
            let _ = input.write_all(format!("{}\n", password.expose()).as_bytes());
            let _ = input.flush();
        }
        let (ready, started) = channel();
        let hello = boot::hello(&marker);
        std::thread::spawn(move || {
            if frame::skip_to(&mut output, hello.as_bytes()).is_ok() {
                let _ = ready.send(output);
            }
        });
        let deadline = Instant::now() + PATIENCE;
        let output = loop {
            match started.recv_timeout(Duration::from_millis(50)) {
                Ok(output) => break output,
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(message) = refusal(wanted, &process.said()) {
                        process.end();
                        return Err(message);
                    }
                    if Instant::now() >= deadline {
                        return Err(format!(
                            "Timeout ({}s) waiting for privilege escalation prompt: {}",
                            PATIENCE.as_secs(),
                            process.end().trim()
                        ));
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let said = process.end();
                    return Err(refusal(wanted, &said).unwrap_or_else(|| {
                        format!(
                            "the become method `{}` ended: {}",
                            wanted.method,
                            said.trim()
                        )
                    }));
                }
            }
        };
        let peer = Peer::start(input, output, &marker).map_err(|error| {
            format!(
                "the agent of the other user is gone: {}",
                crate::diag::os_message(&error)
            )
        })?;
        drop(program);
        Ok(Elevated {
            peer,
            _process: process,
        })
    }

    /// Passes a request on and waits for its answer.
    ///
    /// # Errors
    /// That the other agent is gone, or says nothing.
    pub(super) fn run(&mut self, request: Request) -> Result<Reply, String> {
        self.peer
            .ask(request)
            .map_err(|why| format!("the agent of the other user is gone: {why}"))
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

/// Builds the method's command line; `locale` is what `LC_ALL` is for the agent, if anything.
fn argv(
    wanted: &Become,
    has_password: bool,
    locale: Option<&str>,
    path: &str,
    marker: &str,
) -> Vec<String> {
    let exe = wanted.exe.clone().unwrap_or_else(|| wanted.method.clone());
    let mut argv = vec![exe];
    let flags = |default: &[&str]| -> Vec<String> {
        match &wanted.flags {
            Some(flags) => shlex::split(flags).unwrap_or_default(),
            None => default.iter().map(|flag| (*flag).to_owned()).collect(),
        }
    };
    let mut command = vec!["env".to_owned()];
    match locale {
        Some(locale) => command.push(format!("LC_ALL={locale}")),
        None => command.extend(["-u", "LC_ALL"].map(str::to_owned)),
    }
    command.extend([path, super::AGENT_ARGUMENT, marker].map(str::to_owned));
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
        let mut why = "no temporary directory can be written".to_owned();
        for base in ["/var/tmp", "/tmp", "/dev/shm"] {
            let dir = PathBuf::from(base).join(format!("regrole-{}", super::marker()));
            if std::fs::create_dir(&dir).is_err() {
                continue;
            }
            let program = Program {
                path: dir.join("regrole"),
                made: Some(dir),
            };
            match program.place(&own) {
                Ok(()) => return Ok(program),
                Err(error) => why = format!("{base}: {}", crate::diag::os_message(&error)),
            }
        }
        Err(format!("can't place the agent for {user}: {why}"))
    }

    /// Copies the program and sees that it can be executed there.
    fn place(&self, own: &Path) -> std::io::Result<()> {
        let readable = std::fs::Permissions::from_mode(0o755);
        if let Some(dir) = &self.made {
            std::fs::set_permissions(dir, readable.clone())?;
        }
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o755)
            .open(&self.path)?;
        file.write_all(&std::fs::read(own)?)?;
        file.set_permissions(readable)?;
        drop(file);
        Command::new(&self.path)
            .arg(super::PROBE_ARGUMENT)
            .stdin(Stdio::null())
            .output()
            .map(|_| ())
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
            let line = argv(&wanted(method), true, None, "/a", "m").join(" ");
            assert!(line.contains("deploy") && line.contains("/a"), "{line}");
        }
        assert_eq!(
            argv(&wanted("sudo"), false, Some("C.UTF-8"), "/a", "m").join(" "),
            "sudo -H -S -n -u deploy -- env LC_ALL=C.UTF-8 /a __agent m"
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
