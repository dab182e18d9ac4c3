//! Passwords for `ssh`, through its askpass program, which is this binary.
//!
//! `ssh` is told where to ask by a socket in a directory that only this user may enter; the password
//! itself is in no argument, no environment and no file.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, ExitCode};

use crate::transport::ssh::PasswordPrompts;
use crate::value::Secret;

/// Names the socket in the environment of the one `ssh` process that needs it.
const SOCKET: &str = "REGROLE_ASKPASS_SOCKET";

/// Answers if this process was started by `ssh` to ask something: the question goes to the run
/// that started `ssh`, which knows whether the password is the answer.
pub fn answer() -> Option<ExitCode> {
    let path = std::env::var_os(SOCKET)?;
    let question = std::env::args().nth(1).unwrap_or_default();
    Some(match ask(Path::new(&path), &question) {
        Ok(Some(answer)) => {
            println!("{answer}");
            ExitCode::SUCCESS
        }
        Ok(None) | Err(_) => ExitCode::FAILURE,
    })
}

/// Asks at a socket; `None` where the question isn't for the password.
fn ask(path: &Path, question: &str) -> std::io::Result<Option<String>> {
    let mut stream = UnixStream::connect(path)?;
    stream.write_all(question.as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.strip_prefix(KNOWN).map(str::to_owned))
}

/// Precedes an answer, which may be empty.
const KNOWN: &str = "=";

/// Answers one `ssh` process while it lives.
pub(super) struct Askpass {
    _dir: tempfile::TempDir,
}

impl Askpass {
    /// Prepares a command so that it asks here; the password answers these prompts only.
    ///
    /// # Errors
    /// What the operating system says about the socket.
    pub(super) fn prepare(
        command: &mut Command,
        password: &Secret<String>,
        prompts: PasswordPrompts,
    ) -> std::io::Result<Askpass> {
        let dir = tempfile::Builder::new().prefix("rg").tempdir()?;
        let path = dir.path().join("ask");
        serve(&path, password.clone(), prompts)?;
        command
            .env("SSH_ASKPASS", std::env::current_exe()?)
            .env("SSH_ASKPASS_REQUIRE", "force")
            .env(
                "DISPLAY",
                std::env::var_os("DISPLAY").unwrap_or_else(|| ":0".into()),
            )
            .env(SOCKET, &path);
        Ok(Askpass { _dir: dir })
    }
}

fn serve(path: &Path, password: Secret<String>, prompts: PasswordPrompts) -> std::io::Result<()> {
    let listener = UnixListener::bind(path)?;
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut question = String::new();
            let asked = (&mut stream).take(1 << 12).read_to_string(&mut question);
            if asked.is_ok() && prompts.matches(&question) {
                let _ = stream.write_all(KNOWN.as_bytes());
                let _ = stream.write_all(password.expose().as_bytes());
                // A second question for it means that the answer was wrong.
                return;
            }
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_given_once_and_only_to_the_question_for_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("ask");
        let prompts = PasswordPrompts::new("ann", "h");
        serve(&path, Secret::new("s3cret".to_owned()), prompts).expect("a socket");
        let asked = |question: &str| ask(&path, question).ok().flatten();
        assert_eq!(asked("continue connecting (yes/no)?"), None);
        assert_eq!(asked("ann@other's password: "), None);
        assert_eq!(asked("ann@h's password: ").as_deref(), Some("s3cret"));
        assert_eq!(asked("ann@h's password: "), None);
    }
}
