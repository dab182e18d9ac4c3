//! The controller's side: connections to hosts, each with a thread of its own.
//!
//! Requests to one connection are answered in order; connections work in parallel.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{ChildStdin, ChildStdout, Command};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::askpass::Askpass;
use super::binary::Binary;
use super::boot::{self, Answer};
use super::frame;
use super::message::{Reply, Request};
use super::peer::Peer;
use super::process::{Process, Watch};
use super::shell::ShellHost;
use super::{AGENT_ARGUMENT, Counters};
use crate::transport::ssh;
use crate::value::Secret;

/// How many times the connection's timeout may pass without progress until the agent runs: `ssh`
/// keeps the timeout itself, but a login shell, or a key that wants to be touched, can take longer.
const PATIENCE: u32 = 6;

/// How much of the agent's binary is sent between two looks at the clock, in bytes.
const CHUNK: usize = 1 << 16;

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
    /// `control_path`: the name of the socket of shared connections.
    pub control_path: Option<String>,
    /// `control_path_dir`: where these sockets are.
    pub control_path_dir: Option<PathBuf>,
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
}

impl Pool {
    /// Makes a pool that reports to a channel.
    pub fn new(events: Sender<Event>) -> Pool {
        Pool {
            events,
            connections: HashMap::new(),
            binary: Arc::default(),
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
            counters: counters.clone(),
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
        request.become_password = become_password;
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

    /// Ends all connections of a host (`meta: reset_connection`), also one that outlives runs, so
    /// that the next one is a new login.
    pub fn reset_host(&mut self, host: &str) {
        for (_, connection) in self
            .connections
            .extract_if(|_, connection| connection.spec.host == host)
        {
            let options = options(&connection.spec);
            if connection.spec.kind == ConnectionKind::Ssh
                && options.shares_connections()
                && let Ok(argv) = ssh::stop_argv(&options)
            {
                // Where there is none, ssh says so and nothing is lost.
                let _ = Command::new(&argv[0]).args(&argv[1..]).output();
            }
        }
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

/// An open way to a host. Fields are dropped in their order: the streams before the process.
struct Link {
    answers: Answers,
    _process: Process,
    _askpass: Option<Askpass>,
}

enum Answers {
    /// The agent answers.
    Agent(Peer),
    /// A shell serves, because the agent can't run on the host.
    Shell(Box<ShellHost>),
}

struct Worker {
    key: String,
    spec: Arc<ConnectionSpec>,
    events: Sender<Event>,
    binary: Arc<Mutex<Option<Arc<Binary>>>>,
    counters: Arc<Counters>,
}

impl Worker {
    fn run(self, requests: &Receiver<Request>) {
        let mut link = None;
        while let Ok(request) = requests.recv() {
            let event = match self.serve(&mut link, request) {
                Ok(reply) => Event::Reply(self.key.clone(), reply),
                Err(message) => {
                    link = None;
                    Event::Unreachable(self.key.clone(), message)
                }
            };
            if self.events.send(event).is_err() {
                return;
            }
        }
    }

    fn serve(&self, link: &mut Option<Link>, request: Request) -> Result<Reply, String> {
        if matches!(link, Some(Link { answers: Answers::Shell(host), .. }) if host.is_lost()) {
            *link = None;
        }
        let link = match link {
            Some(link) => link,
            None => link.insert(self.connect()?),
        };
        match &mut link.answers {
            Answers::Shell(host) => {
                let results = host.run(&request).map_err(|why| self.lost(&why));
                Counters::add(&self.counters.round_trips, host.exchanges());
                let id = request.id;
                results.map(|results| Reply { id, results })
            }
            Answers::Agent(peer) => {
                Counters::add(&self.counters.round_trips, 1);
                peer.ask(request).map_err(|why| self.lost(&why))
            }
        }
    }

    fn lost(&self, why: &str) -> String {
        lost(self.spec.kind, why)
    }

    fn connect(&self) -> Result<Link, String> {
        match self.spec.kind {
            ConnectionKind::Local => self.local(),
            ConnectionKind::Ssh => self.ssh(),
        }
    }

    fn local(&self) -> Result<Link, String> {
        if self.spec.force_shell {
            let mut command = Command::new("/bin/sh");
            let (process, input, output) = Process::start(command.process_group(0))?;
            return self.shell(process, input, output, None);
        }
        let marker = super::marker();
        let exe = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new(exe);
        // An interrupt from the terminal is the controller's to hear; the agent ends with its input.
        command.args([AGENT_ARGUMENT, &marker]).process_group(0);
        let (process, input, mut output) = Process::start(&mut command)?;
        frame::skip_to(&mut output, boot::hello(&marker).as_bytes())
            .map_err(|error| format!("the local agent did not start: {error}"))?;
        self.ready(process, input, output, &marker, None)
    }

    /// Begins the exchange of frames.
    fn ready(
        &self,
        process: Process,
        input: ChildStdin,
        output: ChildStdout,
        marker: &str,
        askpass: Option<Askpass>,
    ) -> Result<Link, String> {
        let peer = Peer::start(input, output, marker)
            .map_err(|error| self.lost(&crate::diag::os_message(&error)))?;
        Ok(Link {
            answers: Answers::Agent(peer),
            _process: process,
            _askpass: askpass,
        })
    }

    /// Makes a shell that reads commands serve.
    fn shell(
        &self,
        process: Process,
        input: ChildStdin,
        output: ChildStdout,
        askpass: Option<Askpass>,
    ) -> Result<Link, String> {
        let host = ShellHost::start(input, output).map_err(|why| self.lost(&why))?;
        Ok(Link {
            answers: Answers::Shell(Box::new(host)),
            _process: process,
            _askpass: askpass,
        })
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
            binary.identity(),
            spec.remote_tmp.as_deref(),
            spec.force_shell,
        );
        // The login shell may be any, with whatever quoting; the script is for a POSIX one.
        let argv =
            ssh::argv(&options(spec), "exec /bin/sh").map_err(|error| error.full_message())?;
        let mut command = Command::new(&argv[0]);
        command.args(&argv[1..]);
        let askpass = match &spec.password {
            Some(password) => {
                let asks = ssh::PasswordPrompts::of(&argv);
                Some(
                    Askpass::prepare(&mut command, password, asks)
                        .map_err(|error| error.to_string())?,
                )
            }
            None => None,
        };
        let (mut process, mut input, mut output) = Process::start(&mut command)?;
        let seconds = u32::try_from(spec.connect_timeout.max(1)).unwrap_or(u32::MAX);
        let watch = process.watch(Duration::from_secs(1) * seconds.saturating_mul(PATIENCE));
        let refuse = |process: &mut Process| {
            let said = process.end();
            match watch.expired() {
                Some(limit) => self.lost(&format!(
                    "nothing heard for {} s before the agent ran: the login or its shell hangs",
                    limit.as_secs()
                )),
                None => refusal(&said, spec.password.is_some()),
            }
        };
        if upload(&mut input, script.as_bytes(), &watch).is_err() {
            return Err(refuse(&mut process));
        }
        loop {
            let mut letter = [0];
            let passed = frame::skip_to(&mut output, marker.as_bytes());
            if passed.is_err() || output.read_exact(&mut letter).is_err() {
                return Err(refuse(&mut process));
            }
            watch.progress();
            Counters::add(&self.counters.boot_round_trips, 1);
            match boot::answer(letter[0]) {
                Some(Answer::Runs) => {
                    return self.ready(process, input, output, &marker, askpass);
                }
                Some(wants @ (Answer::WantsPacked | Answer::WantsPlain)) => {
                    let own = watch.aside(|| binary.upload())?;
                    let bytes = if wants == Answer::WantsPacked {
                        &own.packed
                    } else {
                        &own.plain
                    };
                    Counters::add(&self.counters.upload_bytes, bytes.len() as u64);
                    let head = format!("{} {}\n", bytes.len(), own.checksum);
                    if upload(&mut input, head.as_bytes(), &watch).is_err()
                        || upload(&mut input, bytes, &watch).is_err()
                    {
                        return Err(refuse(&mut process));
                    }
                }
                Some(Answer::Shell) => {
                    if frame::skip_to(&mut output, b"\n").is_err() {
                        return Err(refuse(&mut process));
                    }
                    return self.shell(process, input, output, askpass);
                }
                None => return Err(self.lost("the host answered something unknown")),
            }
        }
    }
}

/// Returns what `ssh` is to be told; makes the directory where connections that share one meet.
fn options(spec: &ConnectionSpec) -> ssh::Options {
    let mut options = ssh::Options {
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
        control_path: spec.control_path.clone(),
        control_path_dir: spec.control_path_dir.clone(),
    };
    if let Some(directory) = &options.control_path_dir
        && options.shares_connections()
        && std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .is_err()
    {
        options.control_path_dir = None;
    }
    options
}

/// Sends bytes; every piece that could be sent is progress.
fn upload(input: &mut ChildStdin, bytes: &[u8], watch: &Watch) -> std::io::Result<()> {
    for chunk in bytes.chunks(CHUNK) {
        input.write_all(chunk)?;
        watch.progress();
    }
    input.flush()
}

/// Words the loss of a host as Ansible does.
fn lost(kind: ConnectionKind, why: &str) -> String {
    match kind {
        ConnectionKind::Ssh => format!("Failed to connect to the host via ssh: {why}"),
        ConnectionKind::Local => format!("the local agent is gone: {why}"),
    }
}

/// Words what `ssh` said as Ansible does.
fn refusal(text: &str, has_password: bool) -> String {
    let text = text.trim();
    if has_password && text.contains("Permission denied") {
        return format!("Invalid/incorrect password: {text}");
    }
    lost(ConnectionKind::Ssh, text)
}
