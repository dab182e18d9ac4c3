//! Real hosts to test against, for the lifetime of a value: see `tests/lab/README.md`.
//!
//! A test that can't have its hosts fails; it is never skipped. Only where the machine isn't
//! root's, each host is an sshd of the current user on a loopback port ([`Lab::is_privileged`]).
//!
//! ```ignore
//! let lab = Lab::up(&[Variant::Python, Variant::Minbase]);
//! lab.controller_command(bin).arg("-i").arg(lab.inventory()).assert().success();
//! assert_eq!(lab.tree("node1", "/etc/motd"), "missing - - - /etc/motd\n");
//! ```

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Names what kind of root file system a host gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    /// The machine's own root, with whatever Python it has.
    Python,
    /// A minimal Debian without Python.
    Minbase,
    /// A root on which nothing that can be written can be executed.
    Noexec,
}

impl Variant {
    fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Minbase => "minbase",
            Self::Noexec => "noexec",
        }
    }
}

/// Holds a running lab; dropping it takes the hosts down.
#[derive(Debug)]
pub(crate) struct Lab {
    /// The temporary directory that the state directory is made in.
    scratch: tempfile::TempDir,
    privileged: bool,
}

impl Lab {
    /// Makes one host per variant, named `node1`, `node2`, … in their order.
    pub(crate) fn up(variants: &[Variant]) -> Self {
        Self::up_with(variants, &[])
    }

    /// Makes hosts as [`Lab::up`] does, with programs in their `/usr/local/bin`.
    ///
    /// Without root there is nowhere to install to, so that a test which passes programs has to
    /// say where they are itself.
    pub(crate) fn up_with(variants: &[Variant], programs: &[&Path]) -> Self {
        if !rustix::process::geteuid().is_root() {
            return Self::on_loopback(variants.len());
        }
        let lab = Self::new(true);
        let mut hosts = lab.script("hosts");
        hosts
            .arg("up")
            .args(variants.iter().map(|variant| variant.name()));
        for program in programs {
            hosts.arg("--install").arg(program);
        }
        lab.start(hosts)
    }

    /// Makes hosts that are each an sshd of the current user on a loopback port.
    pub(crate) fn on_loopback(count: usize) -> Self {
        let lab = Self::new(false);
        let mut hosts = lab.script("hosts");
        hosts.args(["up", &count.to_string(), "--unprivileged"]);
        lab.start(hosts)
    }

    fn new(privileged: bool) -> Self {
        // Sockets of ssh's connection sharing lie in there; their paths must be short.
        let scratch = tempfile::Builder::new()
            .prefix("rg")
            .tempdir_in("/tmp")
            .expect("a temporary directory");
        Self {
            scratch,
            privileged,
        }
    }

    fn start(self, mut hosts: Command) -> Self {
        // A killed test takes its hosts with it.
        hosts.arg("--owner").arg(std::process::id().to_string());
        run(&mut hosts);
        self
    }

    /// Says whether hosts are namespaces of their own, with every variant and user.
    pub(crate) fn is_privileged(&self) -> bool {
        self.privileged
    }

    /// Returns the directory of the lab's files: `inventory.ini`, `id`, `known_hosts`, ….
    pub(crate) fn state(&self) -> PathBuf {
        self.scratch.path().join("lab")
    }

    /// Returns the inventory that reaches every host.
    pub(crate) fn inventory(&self) -> PathBuf {
        self.state().join("inventory.ini")
    }

    /// Starts a command line that runs `program` where the hosts can be reached.
    pub(crate) fn controller_command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.script("in");
        command.arg(program);
        command
    }

    /// Runs a command on a host past its sshd, and returns what it printed.
    pub(crate) fn enter(&self, host: &str, argv: &[&str]) -> String {
        let mut command = self.script("enter");
        command.arg(host).args(argv);
        run(&mut command)
    }

    /// Lists what lies under a path of a host: type, mode, owner:group, sha256 and path a line.
    pub(crate) fn tree(&self, host: &str, path: &str) -> String {
        let mut command = self.script("tree");
        command.arg(host).arg(path);
        run(&mut command)
    }

    /// Returns a host's root directory as this machine sees it.
    ///
    /// Without root, hosts share the machine's: it is the directory that a host's files go to.
    pub(crate) fn root(&self, host: &str) -> PathBuf {
        if !self.privileged {
            return self.state().join(format!("{host}.root"));
        }
        let pid = run(self.script("hosts").args(["pid", host]));
        PathBuf::from(format!("/proc/{}/root", pid.trim()))
    }

    /// Takes a host's network away; connections to it hang.
    pub(crate) fn cut(&self, host: &str) {
        run(self.script("hosts").args(["cut", host]));
    }

    /// Gives a host its network back.
    pub(crate) fn join(&self, host: &str) {
        run(self.script("hosts").args(["join", host]));
    }

    fn script(&self, name: &str) -> Command {
        let mut command = Command::new(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("tests/lab")
                .join(name),
        );
        command.env("REGROLE_LAB", self.state());
        command
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // A panic here would hide the test's own.
        let _ = self.script("hosts").arg("down").output();
    }
}

/// Runs a command that has to succeed, and returns its standard output.
fn run(command: &mut Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("the lab's scripts can be run");
    assert!(
        status.success(),
        "{command:?}: {status}\n{}",
        String::from_utf8_lossy(&stderr)
    );
    String::from_utf8(stdout).expect("the lab's scripts print UTF-8")
}
