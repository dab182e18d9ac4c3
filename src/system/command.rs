//! Commands to run: argument vectors, never shell strings, except through one place that quotes.

use std::path::PathBuf;
use std::time::Duration;

/// Whether running a command may change anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It only looks; dry runs run it.
    Read,
    /// It may change something; dry runs don't run it.
    Write,
}

/// A command with everything it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Executable (looked up in `PATH` unless it has a slash) and its arguments.
    pub argv: Vec<String>,
    /// Bytes on standard input; closed after them.
    pub stdin: Vec<u8>,
    /// Environment variables set on top of the process's own.
    pub env: Vec<(String, String)>,
    /// Working directory; the process's own where absent.
    pub cwd: Option<PathBuf>,
    /// Time after which it is killed, with its children; none where absent.
    pub timeout: Option<Duration>,
    /// Mode bits that files it makes are made without; the process's own where absent.
    pub umask: Option<u32>,
    /// Whether it changes anything.
    pub effect: Effect,
}

impl Command {
    /// Makes a command that only looks.
    pub fn read<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Command {
        Command {
            argv: argv.into_iter().map(Into::into).collect(),
            stdin: Vec::new(),
            env: Vec::new(),
            cwd: None,
            timeout: None,
            umask: None,
            effect: Effect::Read,
        }
    }

    /// Makes a command that may change something.
    pub fn write<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Command {
        Command {
            effect: Effect::Write,
            ..Command::read(argv)
        }
    }

    /// Gives the command bytes to read.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Command {
        self.stdin = bytes.into();
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Command {
        self.env.push((name.into(), value.into()));
        self
    }
}

/// What a command wrote and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Exit status; minus the signal's number where one ended it, as Python has it.
    pub rc: i32,
    /// Bytes of standard output.
    pub stdout: Vec<u8>,
    /// Bytes of standard error.
    pub stderr: Vec<u8>,
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Executed {
    /// It ran.
    Ran(Output),
    /// It changes something and this is a dry run: what it would do is not known.
    Unknown,
}
