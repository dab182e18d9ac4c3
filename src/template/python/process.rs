//! The Python process: which program, its start, and messages with a limit of time.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use serde_json::Value as Wire;

use super::PythonOptions;
use crate::diag::{Error, Kind, Result};

/// What the process runs.
const DRIVER: &str = include_str!("driver.py");

/// Reads the driver from standard input, so that it isn't in the list of processes.
const START: &str =
    "import sys;exec(compile(sys.stdin.buffer.read(int(sys.argv[1])),'regrole-plugins','exec'))";

/// How long the start may take.
const START_LIMIT: Duration = Duration::from_mins(1);

/// A running Python.
pub(super) struct Process {
    program: String,
    child: RefCell<Child>,
    stdin: RefCell<Option<ChildStdin>>,
    lines: Receiver<Vec<u8>>,
}

/// Starts the Python that has Ansible, or the first that runs where none has.
pub(super) fn start(
    environment: &BTreeMap<String, String>,
    options: &PythonOptions,
    settings: &Wire,
) -> Result<Process> {
    let mut plain = None;
    let mut problem = None;
    for program in interpreters(environment, options) {
        match run(&program, environment, options, settings) {
            Ok((process, true)) => return Ok(process),
            Ok((process, false)) => plain = plain.or(Some(process)),
            Err(error) => problem = problem.or(Some(error)),
        }
    }
    if let Some(process) = plain {
        return Ok(process);
    }
    let error = Error::new(Kind::NotFound, "no Python was found to run it");
    let help = "install python3, with ansible-core where the plugin needs it, or name one by `REGROLE_PYTHON`";
    Err(match problem {
        Some(problem) => problem,
        None => error,
    }
    .help(help))
}

/// Returns the Pythons to try: the one given; those that run Ansible's programs; those on PATH.
pub(super) fn interpreters(
    environment: &BTreeMap<String, String>,
    options: &PythonOptions,
) -> Vec<String> {
    if options.limit.is_zero() {
        return Vec::new();
    }
    if let Some(given) = &options.interpreter {
        return vec![given.clone()];
    }
    let path = environment.get("PATH").map_or("", String::as_str);
    let dirs: Vec<PathBuf> = std::env::split_paths(path).collect();
    let mut found: Vec<String> = Vec::new();
    let mut add = |program: String| {
        if !found.contains(&program) {
            found.push(program);
        }
    };
    for name in ["ansible-playbook", "ansible"] {
        for dir in &dirs {
            if let Some(program) = shebang(&dir.join(name)) {
                add(program);
            }
        }
    }
    for name in ["python3", "python"] {
        let program = dirs.iter().map(|dir| dir.join(name));
        if let Some(program) = program.into_iter().find(|path| path.is_file()) {
            add(program.to_string_lossy().into_owned());
        }
    }
    found
}

/// Returns the Python of a script's first line.
fn shebang(path: &Path) -> Option<String> {
    use std::io::Read;
    let mut start = [0; 256];
    let read = std::fs::File::open(path).ok()?.read(&mut start).ok()?;
    let text = String::from_utf8_lossy(&start[..read]).into_owned();
    let line = text.strip_prefix("#!")?.lines().next()?;
    let program = line.split_whitespace().next()?;
    let name = Path::new(program)
        .file_name()?
        .to_string_lossy()
        .into_owned();
    name.starts_with("python").then(|| program.to_owned())
}

fn run(
    program: &str,
    environment: &BTreeMap<String, String>,
    options: &PythonOptions,
    settings: &Wire,
) -> Result<(Process, bool)> {
    let mut command = Command::new(program);
    command
        .args(["-c", START, &DRIVER.len().to_string()])
        .env_clear()
        .envs(environment)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    if let Some(config) = &options.config {
        command.env("ANSIBLE_CONFIG", config);
    }
    let mut child = command
        .spawn()
        .map_err(|error| Error::io(program, &error))?;
    let stdout = child.stdout.take();
    let stdin = child.stdin.take();
    let (sender, lines) = channel();
    if let Some(stdout) = stdout {
        // Ends with the process, whose end of the pipe it reads.
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            loop {
                let mut line = Vec::new();
                match reader.read_until(b'\n', &mut line) {
                    Ok(read) if read > 0 => {
                        if sender.send(line).is_err() {
                            return;
                        }
                    }
                    _ => return,
                }
            }
        });
    }
    let process = Process {
        program: program.to_owned(),
        child: RefCell::new(child),
        stdin: RefCell::new(stdin),
        lines,
    };
    process.write(DRIVER.as_bytes())?;
    process.send(settings)?;
    let hello = process.receive(START_LIMIT)?;
    let has_ansible = hello["ok"]["ansible"].as_bool().unwrap_or(false);
    Ok((process, has_ansible))
}

impl Process {
    /// Returns the program that it runs.
    pub(super) fn program(&self) -> &str {
        &self.program
    }

    /// Sends a message.
    pub(super) fn send(&self, message: &Wire) -> Result<()> {
        let mut line = message.to_string().into_bytes();
        line.push(b'\n');
        self.write(&line)
    }

    fn write(&self, bytes: &[u8]) -> Result<()> {
        let mut stdin = self.stdin.borrow_mut();
        let written = match stdin.as_mut() {
            Some(pipe) => pipe.write_all(bytes).and_then(|()| pipe.flush()),
            None => return Err(self.ended()),
        };
        written.map_err(|_| self.ended())
    }

    /// Waits for a message, no longer than the limit.
    pub(super) fn receive(&self, limit: Duration) -> Result<Wire> {
        match self.lines.recv_timeout(limit) {
            Ok(line) => serde_json::from_slice(&line).map_err(|_| {
                let text = String::from_utf8_lossy(&line).into_owned();
                Error::new(Kind::Internal, format!("{} answered what is no message: {}", self.program, text.trim()))
            }),
            Err(RecvTimeoutError::Timeout) => Err(Error::new(
                Kind::Io,
                format!("{} gave no answer within {} seconds", self.program, limit.as_secs()),
            )
            .help("`python_timeout` under `[regrole]` in ansible.cfg, or `REGROLE_PYTHON_TIMEOUT`, sets the limit in seconds")),
            Err(RecvTimeoutError::Disconnected) => Err(self.ended()),
        }
    }

    fn ended(&self) -> Error {
        let status = self.child.borrow_mut().try_wait().ok().flatten();
        let how = status.map_or_else(String::new, |status| format!(" ({status})"));
        Error::new(
            Kind::Io,
            format!("{} ended before it answered{how}", self.program),
        )
    }

    /// Ends the process.
    pub(super) fn kill(&self) {
        self.stdin.borrow_mut().take();
        let mut child = self.child.borrow_mut();
        // It may have ended already.
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
