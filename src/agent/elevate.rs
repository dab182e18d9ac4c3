//! Becoming another user: a second agent, or a second shell, started through sudo, su or doas.
//!
//! The first agent starts the second one and relays frames. The password goes to the method's
//! standard input and nowhere else; nothing more is sent before the other side has said its marker.

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
pub(super) const PATIENCE: Duration = Duration::from_secs(12);

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
        let method = Method::new(wanted, password.is_some())?;
        let marker = super::marker();
        let program = Program::for_user(&wanted.user)?;
        let path = program.path.to_string_lossy().into_owned();
        let locale = std::env::var("LC_ALL").ok();
        let agent = [path, super::AGENT_ARGUMENT.to_owned(), marker.clone()];
        let argv = method.argv(locale.as_deref(), &agent);
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
                    if let Some(message) = method.refusal(&process.said()) {
                        process.end();
                        return Err(message);
                    }
                    if Instant::now() >= deadline {
                        return Err(method.late(&process.end()));
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let said = process.end();
                    return Err(method.refusal(&said).unwrap_or_else(|| method.ended(&said)));
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

/// A way to become a user, and what it says.
pub(super) struct Method<'a> {
    wanted: &'a Become,
    has_password: bool,
    /// What sudo asks with. Nothing else contains it, so that a second question is seen for what it
    /// is, whatever sudo says besides and in whichever language.
    prompt: String,
}

impl Method<'_> {
    /// Checks what is wanted.
    ///
    /// # Errors
    /// A user that would be read as an option.
    pub(super) fn new(wanted: &Become, has_password: bool) -> Result<Method<'_>, String> {
        if wanted.user.starts_with('-') || wanted.user.is_empty() {
            return Err(format!(
                "the user `{}` can't be become: it would be read as an option",
                wanted.user
            ));
        }
        Ok(Method {
            wanted,
            has_password,
            prompt: format!("[regrole {}] password: ", super::marker()),
        })
    }

    /// Recognises what the method says when it refuses.
    pub(super) fn refusal(&self, said: &str) -> Option<String> {
        let method = &self.wanted.method;
        if said.matches(self.prompt.trim_end()).nth(1).is_some() {
            return Some(format!("Incorrect {method} password"));
        }
        let lower = said.to_lowercase();
        let any = |parts: &[&str]| parts.iter().any(|part| lower.contains(part));
        if any(&[
            "a password is required",
            "a terminal is required",
            "authorization required",
        ]) {
            return Some(format!("Missing {method} password"));
        }
        if any(&[
            "sorry, try again",
            "incorrect password",
            "authentication failure",
            "auth failed",
            "incorrect password attempt",
        ]) {
            return Some(format!("Incorrect {method} password"));
        }
        any(&[
            "not in the sudoers",
            "is not allowed to",
            "unknown user",
            "does not exist",
            "command not found",
        ])
        .then(|| self.shown(said))
    }

    /// Words that the method ended without having become the user.
    pub(super) fn ended(&self, said: &str) -> String {
        let shown = self.shown(said);
        let missing = shown.starts_with("env: ") && shown.ends_with(": No such file or directory");
        if missing || shown.ends_with(": not found") {
            // What `env` and shells say of a program that isn't there.
            return format!("{}: No such file or directory", self.program());
        }
        format!("the become method `{}` ended: {shown}", self.wanted.method)
    }

    /// Words that the method did not get anywhere in time, as Ansible does.
    pub(super) fn late(&self, said: &str) -> String {
        format!(
            "Timeout ({}s) waiting for privilege escalation prompt: {}",
            PATIENCE.as_secs(),
            self.shown(said)
        )
    }

    fn shown(&self, said: &str) -> String {
        said.replace(self.prompt.trim_end(), "").trim().to_owned()
    }

    fn program(&self) -> &str {
        self.wanted.exe.as_ref().unwrap_or(&self.wanted.method)
    }

    /// Builds the command line that runs a command as the user; `locale` is what `LC_ALL` is for
    /// the command, if anything.
    pub(super) fn argv(&self, locale: Option<&str>, command: &[String]) -> Vec<String> {
        let wanted = self.wanted;
        let mut argv = vec![self.program().to_owned()];
        let flags = |default: &[&str]| -> Vec<String> {
            match &wanted.flags {
                Some(flags) => shlex::split(flags).unwrap_or_default(),
                None => default.iter().map(|flag| (*flag).to_owned()).collect(),
            }
        };
        let mut inner = vec!["env".to_owned()];
        match locale {
            Some(locale) => inner.push(format!("LC_ALL={locale}")),
            None => inner.extend(["-u", "LC_ALL"].map(str::to_owned)),
        }
        inner.extend_from_slice(command);
        match wanted.method.as_str() {
            "su" => {
                argv.extend(flags(&[]));
                argv.push(wanted.user.clone());
                argv.push("-c".to_owned());
                argv.push(shlex::try_join(inner.iter().map(String::as_str)).unwrap_or_default());
            }
            "doas" => {
                argv.extend(flags(&[]));
                if !self.has_password {
                    argv.push("-n".to_owned());
                }
                argv.extend(["-u".to_owned(), wanted.user.clone()]);
                argv.extend(inner);
            }
            _ => {
                argv.extend(flags(&["-H", "-S"]));
                if self.has_password {
                    argv.retain(|flag| flag != "-n");
                    argv.extend(["-p".to_owned(), self.prompt.clone()]);
                } else if !argv.iter().any(|flag| flag == "-n") {
                    argv.push("-n".to_owned());
                }
                argv.extend(["-u".to_owned(), wanted.user.clone(), "--".to_owned()]);
                argv.extend(inner);
            }
        }
        argv
    }
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
    fn a_command_is_run_as_the_user_and_with_the_locale_it_had() {
        let command = ["/a", "__agent", "m"].map(str::to_owned);
        for method in ["sudo", "su", "doas"] {
            let wanted = wanted(method);
            let method = Method::new(&wanted, true).expect("a user");
            let line = method.argv(None, &command).join(" ");
            assert!(line.contains("deploy") && line.contains("/a"), "{line}");
        }
        let wanted = wanted("sudo");
        let method = Method::new(&wanted, false).expect("a user");
        assert_eq!(
            method.argv(Some("C.UTF-8"), &command).join(" "),
            "sudo -H -S -n -u deploy -- env LC_ALL=C.UTF-8 /a __agent m"
        );
    }

    #[test]
    fn refusals_are_told_in_ansibles_words() {
        let wanted = wanted("sudo");
        let method = Method::new(&wanted, true).expect("a user");
        let said = |text: &str| method.refusal(text);
        assert_eq!(
            said("sudo: a password is required").as_deref(),
            Some("Missing sudo password")
        );
        assert_eq!(
            said("Sorry, try again.").as_deref(),
            Some("Incorrect sudo password")
        );
        let asked = method.prompt.clone();
        assert_eq!(said(&format!("We trust you …\n{asked}")), None);
        assert_eq!(
            said(&format!("{asked}Are you on drugs?\n{asked}")).as_deref(),
            Some("Incorrect sudo password")
        );
        assert_eq!(
            method.late(&asked),
            "Timeout (12s) waiting for privilege escalation prompt: "
        );
        assert_eq!(said(""), None);
    }
}
