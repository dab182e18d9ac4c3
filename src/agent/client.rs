//! The controller's side: connections to hosts, each with a thread of its own.
//!
//! Requests to one connection are answered in order; connections work in parallel. A host that says
//! nothing for [`SILENCE`] is not reachable any more.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::askpass::Askpass;
use super::boot::{self, Answer, Binary};
use super::frame::{self, Message};
use super::message::{Reply, Request};
use super::{AGENT_ARGUMENT, Counters, serve};
use crate::transport::ssh;
use crate::value::Secret;

/// How long a host may say nothing while it works.
const SILENCE: Duration = Duration::from_secs(15);

/// The way to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionKind {
    /// This machine.
    Local,
    /// The system's `ssh`.
    Ssh,
}

/// How to connect to a host.
#[derive(Clone, Debug)]
pub struct ConnectionSpec {
    /// The host's name in the inventory.
    pub host: String,
    /// The way.
    pub kind: ConnectionKind,
    /// Name or address to connect to.
    pub address: String,
    /// Port, where given.
    pub port: Option<u16>,
    /// User, where given.
    pub user: Option<String>,
    /// The user's password, where given.
    pub password: Option<Secret<String>>,
    /// Identity file.
    pub private_key: Option<PathBuf>,
    /// The ssh program.
    pub ssh_executable: String,
    /// `ssh_args`.
    pub ssh_args: Option<String>,
    /// `ssh_common_args`.
    pub common_args: Option<String>,
    /// `ssh_extra_args`.
    pub extra_args: Option<String>,
    /// Whether host keys are checked.
    pub host_key_checking: bool,
    /// Seconds to wait for the connection.
    pub connect_timeout: u64,
    /// A further directory for the agent.
    pub remote_tmp: Option<String>,
    /// Use shell commands in place of the agent.
    pub force_shell: bool,
}

/// What a connection has to say.
#[derive(Debug)]
pub enum Event {
    /// A request was answered; the connection's key comes first.
    Reply(String, Reply),
    /// A host can't be reached, in Ansible's words; all its requests are lost.
    Unreachable(String, String),
}

/// Runs requests over a plain shell where the agent can't run.
pub(super) type ShellHandler = dyn Fn(&mut ChildStdin, &mut ChildStdout, &Request) -> std::io::Result<Vec<serde_json::Value>>
    + Send
    + Sync;

struct Connection {
    requests: Sender<Request>,
    spec: Arc<ConnectionSpec>,
    counters: Arc<Counters>,
}

/// All connections of a run.
pub struct Pool {
    events: Sender<Event>,
    connections: HashMap<String, Connection>,
    binary: Arc<Mutex<Option<Arc<Binary>>>>,
    shell: Arc<ShellHandler>,
}

impl Pool {
    /// Makes a pool that reports to a channel; `shell` serves hosts where the agent can't run.
    pub fn new(events: Sender<Event>, shell: Arc<ShellHandler>) -> Pool {
        Pool {
            events,
            connections: HashMap::new(),
            binary: Arc::default(),
            shell,
        }
    }

    /// Makes sure that there is a connection of that key; it connects with its first request.
    pub fn ensure(&mut self, key: &str, spec: &ConnectionSpec) {
        if self.connections.contains_key(key) {
            return;
        }
        let (requests, rx) = channel();
        let spec = Arc::new(spec.clone());
        let counters = Arc::new(Counters::default());
        let worker = Worker {
            key: key.to_owned(),
            spec: spec.clone(),
            events: self.events.clone(),
            binary: self.binary.clone(),
            shell: self.shell.clone(),
            counters: counters.clone(),
            link: None,
        };
        std::thread::spawn(move || worker.run(&rx));
        self.connections.insert(
            key.to_owned(),
            Connection {
                requests,
                spec,
                counters,
            },
        );
    }

    /// Sends a request with the bytes of its items. The password is for becoming another user.
    pub fn send(
        &mut self,
        key: &str,
        mut request: Request,
        blobs: Vec<Vec<u8>>,
        become_password: Option<Secret<String>>,
    ) {
        let mut blobs: Vec<Option<Vec<u8>>> = blobs.into_iter().map(Some).collect();
        for item in &mut request.items {
            if let Some(bytes) = item
                .content
                .and_then(|index| blobs.get_mut(index))
                .and_then(Option::take)
            {
                item.bytes = bytes;
            }
        }
        if let Some(password) = become_password {
            request
                .settings
                .insert(serve::PASSWORD.to_owned(), password.expose().clone());
        }
        let Some(connection) = self.connections.get(key) else {
            return;
        };
        if connection.requests.send(request).is_err() {
            let _ = self.events.send(Event::Unreachable(
                key.to_owned(),
                "the connection is gone".to_owned(),
            ));
        }
    }

    /// Ends all connections of a host (`meta: reset_connection`).
    pub fn reset_host(&mut self, host: &str) {
        self.connections
            .retain(|_, connection| connection.spec.host != host);
    }

    /// Returns the counts of each connection: host, counts.
    pub fn counters(&self) -> Vec<(String, Arc<Counters>)> {
        self.connections
            .values()
            .map(|c| (c.spec.host.clone(), c.counters.clone()))
            .collect()
    }

    /// Ends all connections.
    pub fn close_all(&mut self) {
        self.connections.clear();
    }
}

/// An open way to a host.
struct Link {
    child: Child,
    input: ChildStdin,
    answers: Answers,
    _askpass: Option<Askpass>,
}

enum Answers {
    /// The agent's frames, read by a thread.
    Agent(Receiver<Message>),
    /// A shell's output.
    Shell(ChildStdout),
}

impl Drop for Link {
    fn drop(&mut self) {
        // The agent ends at the end of its input; a process that doesn't is ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Worker {
    key: String,
    spec: Arc<ConnectionSpec>,
    events: Sender<Event>,
    binary: Arc<Mutex<Option<Arc<Binary>>>>,
    shell: Arc<ShellHandler>,
    counters: Arc<Counters>,
    link: Option<Link>,
}

impl Worker {
    fn run(mut self, requests: &Receiver<Request>) {
        while let Ok(request) = requests.recv() {
            let event = match self.serve(request) {
                Ok(reply) => Event::Reply(self.key.clone(), reply),
                Err(message) => {
                    self.link = None;
                    Event::Unreachable(self.key.clone(), message)
                }
            };
            if self.events.send(event).is_err() {
                return;
            }
        }
    }

    fn serve(&mut self, request: Request) -> Result<Reply, String> {
        if self.link.is_none() {
            self.link = Some(self.connect()?);
        }
        let Some(link) = &mut self.link else {
            return Err("no connection".to_owned());
        };
        Counters::add(&self.counters.round_trips, 1);
        let id = request.id;
        match &mut link.answers {
            Answers::Shell(output) => {
                let results = (self.shell)(&mut link.input, output, &request)
                    .map_err(|error| lost(&error.to_string()))?;
                Ok(Reply { id, results })
            }
            Answers::Agent(answers) => {
                frame::write(&mut link.input, &Message::Request(Box::new(request)))
                    .map_err(|error| lost(&crate::diag::os_message(&error)))?;
                loop {
                    match answers.recv_timeout(SILENCE) {
                        Ok(Message::Reply(reply)) if reply.id == id => return Ok(*reply),
                        Ok(_) => {}
                        Err(RecvTimeoutError::Timeout) => {
                            return Err(lost(&format!(
                                "nothing heard for {} s",
                                SILENCE.as_secs()
                            )));
                        }
                        Err(RecvTimeoutError::Disconnected) => {
                            return Err(lost("the connection was closed"));
                        }
                    }
                }
            }
        }
    }

    fn connect(&self) -> Result<Link, String> {
        match self.spec.kind {
            ConnectionKind::Local => self.local(),
            ConnectionKind::Ssh => self.ssh(),
        }
    }

    fn local(&self) -> Result<Link, String> {
        let marker = super::marker();
        let exe = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new(exe);
        command.args([AGENT_ARGUMENT, &marker]);
        let (mut child, input, mut output, _) = spawn(&mut command)?;
        if let Err(error) = frame::skip_to(&mut output, marker.as_bytes()) {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("the local agent did not start: {error}"));
        }
        ready(child, input, output, &marker, None)
    }

    fn binary(&self) -> Result<Arc<Binary>, String> {
        let mut slot = self
            .binary
            .lock()
            .map_err(|_| "the agent's binary is gone".to_owned())?;
        if let Some(binary) = slot.as_ref() {
            return Ok(binary.clone());
        }
        let binary = Arc::new(Binary::own().map_err(|error| error.to_string())?);
        *slot = Some(binary.clone());
        Ok(binary)
    }

    fn ssh(&self) -> Result<Link, String> {
        let spec = &self.spec;
        let marker = super::marker();
        let binary = self.binary()?;
        let script = boot::script(
            &marker,
            &binary.hash,
            spec.remote_tmp.as_deref(),
            spec.force_shell,
        );
        // The login shell may be any; the script is for a POSIX one.
        let remote = format!(
            "exec /bin/sh -c {}",
            shlex::try_quote(&script).unwrap_or_default()
        );
        let argv = ssh::argv(
            &ssh::Options {
                executable: spec.ssh_executable.clone(),
                address: spec.address.clone(),
                port: spec.port,
                user: spec.user.clone(),
                private_key: spec.private_key.clone(),
                host_key_checking: spec.host_key_checking,
                has_password: spec.password.is_some(),
                connect_timeout: spec.connect_timeout,
                ssh_args: spec.ssh_args.clone(),
                common_args: spec.common_args.clone(),
                extra_args: spec.extra_args.clone(),
            },
            &remote,
        )
        .map_err(|error| error.full_message())?;
        let mut command = Command::new(&argv[0]);
        command.args(&argv[1..]);
        let askpass = match &spec.password {
            Some(password) => {
                Some(Askpass::prepare(&mut command, password).map_err(|error| error.to_string())?)
            }
            None => None,
        };
        let (mut child, mut input, mut output, said) = spawn(&mut command)?;
        let refuse = |child: &mut Child| {
            let _ = child.kill();
            let _ = child.wait();
            std::thread::sleep(Duration::from_millis(20));
            let text = said.lock().map(|text| text.clone()).unwrap_or_default();
            refusal(&text, spec.password.is_some())
        };
        loop {
            let mut letter = [0];
            let passed = frame::skip_to(&mut output, marker.as_bytes());
            if passed.is_err() || output.read_exact(&mut letter).is_err() {
                return Err(refuse(&mut child));
            }
            Counters::add(&self.counters.boot_round_trips, 1);
            match boot::answer(letter[0]) {
                Some(Answer::Runs) => {
                    // The agent's own marker follows the script's.
                    if frame::skip_to(&mut output, marker.as_bytes()).is_err() {
                        return Err(refuse(&mut child));
                    }
                    return ready(child, input, output, &marker, askpass);
                }
                Some(wants @ (Answer::WantsPacked | Answer::WantsPlain)) => {
                    let bytes = if wants == Answer::WantsPacked {
                        binary.packed()
                    } else {
                        binary.plain()
                    };
                    Counters::add(&self.counters.upload_bytes, bytes.len() as u64);
                    let length = format!("{}\n", bytes.len());
                    let sent = input
                        .write_all(length.as_bytes())
                        .and_then(|()| input.write_all(bytes))
                        .and_then(|()| input.flush());
                    if sent.is_err() {
                        return Err(refuse(&mut child));
                    }
                }
                Some(Answer::Shell) => {
                    return Ok(Link {
                        child,
                        input,
                        answers: Answers::Shell(output),
                        _askpass: askpass,
                    });
                }
                None => return Err(lost("the host answered something unknown")),
            }
        }
    }
}

/// Starts reading the agent's frames.
fn ready(
    child: Child,
    mut input: ChildStdin,
    mut output: ChildStdout,
    marker: &str,
    askpass: Option<Askpass>,
) -> Result<Link, String> {
    input
        .write_all(marker.as_bytes())
        .and_then(|()| input.flush())
        .map_err(|error| lost(&crate::diag::os_message(&error)))?;
    let (tx, rx) = channel();
    std::thread::spawn(move || {
        while let Ok(Some(message)) = frame::read(&mut output) {
            if tx.send(message).is_err() {
                return;
            }
        }
    });
    Ok(Link {
        child,
        input,
        answers: Answers::Agent(rx),
        _askpass: askpass,
    })
}

type Spawned = (Child, ChildStdin, ChildStdout, Arc<Mutex<String>>);

/// Starts a process; what it says on standard error is collected.
fn spawn(command: &mut Command) -> Result<Spawned, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{name}: {}", crate::diag::os_message(&error)))?;
    let (Some(input), Some(output), Some(mut errors)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(format!("{name} has no streams"));
    };
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
    Ok((child, input, output, said))
}

fn lost(why: &str) -> String {
    format!("Failed to connect to the host via ssh: {why}")
}

/// Words what `ssh` said as Ansible does.
fn refusal(text: &str, has_password: bool) -> String {
    let text = text.trim();
    if has_password && text.contains("Permission denied") {
        return format!("Invalid/incorrect password: {text}");
    }
    format!("Failed to connect to the host via ssh: {text}")
}
