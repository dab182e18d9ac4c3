//! Passwords for `ssh`, through its askpass program, which is this binary.
//!
//! `ssh` is told where to ask by a socket in a directory that only this user may enter; the password
//! itself is in no argument, no environment and no file.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Command, ExitCode};

use crate::value::Secret;

/// Names the socket in the environment of the one `ssh` process that needs it.
const SOCKET: &str = "REGROLE_ASKPASS_SOCKET";

/// Answers if this process was started by `ssh` to ask for a password.
pub fn answer() -> Option<ExitCode> {
    let path = std::env::var_os(SOCKET)?;
    let mut text = String::new();
    let read = UnixStream::connect(path).and_then(|mut stream| stream.read_to_string(&mut text));
    if read.is_err() {
        return Some(ExitCode::FAILURE);
    }
    println!("{text}");
    Some(ExitCode::SUCCESS)
}

/// Answers one `ssh` process while it lives.
pub(super) struct Askpass {
    _dir: tempfile::TempDir,
}

impl Askpass {
    /// Prepares a command so that it asks here.
    ///
    /// # Errors
    /// What the operating system says about the socket.
    pub(super) fn prepare(
        command: &mut Command,
        password: &Secret<String>,
    ) -> std::io::Result<Askpass> {
        let dir = tempfile::Builder::new().prefix("rg").tempdir()?;
        let path = dir.path().join("ask");
        let listener = UnixListener::bind(&path)?;
        let secret = password.clone();
        std::thread::spawn(move || {
            // Asked once per connection; a second question means that the answer was wrong.
            if let Ok((mut stream, _)) = listener.accept() {
                let _ = stream.write_all(secret.expose().as_bytes());
            }
        });
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
