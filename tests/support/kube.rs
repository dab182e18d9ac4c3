//! API servers for a test, a stand-in and the real one, and the kubectl programs that can talk to them.
//!
//! ```ignore
//! let api = StandIn::start("127.0.0.1:0");
//! let kubectl = kube::kubectl().first();
//! // run `kubectl --kubeconfig {api.kubeconfig()} …`, then look at api.writes()
//! ```

use crate::standin::{Options, Server};
use crate::support::lab::Lab;
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A running stand-in API server in this process; it ends with this value.
pub(crate) struct StandIn {
    server: Server,
    directory: tempfile::TempDir,
}

impl StandIn {
    /// Starts one on that address (`127.0.0.1:0` takes any free port), with an administrator and a reader.
    pub(crate) fn start(address: &str) -> Self {
        Self::start_version(address, None)
    }

    /// Starts one that says it is that version, e.g. `1.20.2`.
    pub(crate) fn start_version(address: &str, version: Option<&str>) -> Self {
        let address: SocketAddr = address.parse().expect("an address with a port");
        let directory = tempfile::tempdir().expect("a temporary directory");
        let tokens = directory.path().join("tokens.csv");
        fs::write(
            &tokens,
            "admin-token,admin,1,\"system:masters\"\nreader-token,reader,2,\"readers\"\n",
        )
        .expect("a token file");
        let options = Options {
            version: version.map(str::to_owned),
            token_file: Some(tokens),
            log: None,
        };
        let server = Server::start(address, &options).expect("the stand-in starts");
        let standin = Self { server, directory };
        for (file, token) in [
            ("kubeconfig", "admin-token"),
            ("readonly.kubeconfig", "reader-token"),
            ("stranger.kubeconfig", "no-such-token"),
        ] {
            fs::write(
                standin.directory.path().join(file),
                kubeconfig(&standin.url(), token),
            )
            .expect("a kubeconfig");
        }
        standin
    }

    /// Returns the server's address as `http://ADDRESS:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Returns the administrator's kubeconfig.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.directory.path().join("kubeconfig")
    }

    /// Returns the kubeconfig of a user who may only read (403 for writes).
    pub(crate) fn readonly_kubeconfig(&self) -> PathBuf {
        self.directory.path().join("readonly.kubeconfig")
    }

    /// Returns a kubeconfig whose token the server doesn't know (401).
    pub(crate) fn stranger_kubeconfig(&self) -> PathBuf {
        self.directory.path().join("stranger.kubeconfig")
    }

    /// Returns all requests so far, one line each: `METHOD /path?query STATUS`.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.server.requests()
    }

    /// Returns the requests that were accepted and may have changed something: no reads, no dry runs.
    pub(crate) fn writes(&self) -> Vec<String> {
        let accepted = |line: &str| {
            line.rsplit(' ')
                .next()
                .is_some_and(|status| status.starts_with('2'))
        };
        self.requests()
            .into_iter()
            .filter(|line| {
                !line.starts_with("GET ") && !line.contains("dryRun=All") && accepted(line)
            })
            .collect()
    }

    /// Runs kubectl as the administrator; returns its exit code, standard output and standard error.
    pub(crate) fn kubectl(&self, kubectl: &Path, arguments: &[&str]) -> (i32, String, String) {
        run_kubectl(
            kubectl,
            &self.kubeconfig(),
            self.directory.path(),
            arguments,
        )
    }

    /// Returns a directory that lives as long as the server.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }
}

/// A real kube-apiserver with etcd; both end with this value, or with the test's process.
pub(crate) struct Real {
    directory: tempfile::TempDir,
    /// The lab whose hosts reach it.
    lab: Option<PathBuf>,
}

impl Real {
    /// Starts one on loopback.
    pub(crate) fn start() -> Self {
        Self::start_at(None, "127.0.0.1")
    }

    /// Starts one where the hosts of a lab reach it.
    pub(crate) fn start_for(lab: &Lab) -> Self {
        if lab.is_privileged() {
            Self::start_at(Some(lab.state()), "10.77.0.1")
        } else {
            Self::start()
        }
    }

    fn start_at(lab: Option<PathBuf>, address: &str) -> Self {
        let real = Self {
            directory: tempfile::tempdir().expect("a temporary directory"),
            lab,
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kube/start-apiserver");
        let output = real
            .command(&script)
            .args(["--owner", &std::process::id().to_string()])
            .arg(real.directory.path())
            .arg(address)
            .output()
            .expect("the script can be run");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        real
    }

    /// Starts a command line that runs `program` where the server can be reached.
    fn command(&self, program: &Path) -> Command {
        let Some(lab) = &self.lab else {
            return Command::new(program);
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/in");
        let mut command = Command::new(script);
        command.env("REGROLE_LAB", lab).arg(program);
        command
    }

    /// Returns the administrator's kubeconfig.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.directory.path().join("kubeconfig")
    }

    /// Returns the kubeconfig of a user who may only read (403 for writes).
    pub(crate) fn readonly_kubeconfig(&self) -> PathBuf {
        self.directory.path().join("readonly.kubeconfig")
    }

    /// Runs kubectl as the administrator; returns its standard output.
    pub(crate) fn kubectl(&self, kubectl: &Path, arguments: &[&str]) -> String {
        let output = self
            .command(kubectl)
            .arg("--kubeconfig")
            .arg(self.kubeconfig())
            .args(arguments)
            .env("HOME", self.directory.path())
            .output()
            .expect("kubectl runs");
        assert!(
            output.status.success(),
            "kubectl {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Returns the objects that the tests' roles deal with: `KIND NAMESPACE/NAME`, and the whole as
    /// YAML with the server's version of it.
    pub(crate) fn objects(&self, kubectl: &Path) -> BTreeMap<String, String> {
        const KINDS: &str = "namespaces,serviceaccounts,configmaps,secrets,services,persistentvolumeclaims,deployments,daemonsets,replicasets,pods,roles,rolebindings,podsecuritypolicies";
        const NAMES: &str = r"jsonpath={range .items[*]}{.kind}{' '}{.metadata.namespace}{'/'}{.metadata.name}{'\n'}{end}";
        let names = self.kubectl(kubectl, &["get", KINDS, "-A", "-o", NAMES]);
        let yaml = self.kubectl(kubectl, &["get", KINDS, "-A", "-o", "yaml"]);
        let mut items: Vec<String> = Vec::new();
        for line in yaml.lines().skip_while(|line| *line != "items:").skip(1) {
            if line.starts_with("- ") {
                items.push(String::new());
            } else if !line.starts_with(' ') && !line.is_empty() {
                break;
            }
            let item = items.last_mut().expect("a first item");
            item.push_str(line.get(2..).unwrap_or_default());
            item.push('\n');
        }
        let names: Vec<String> = names.lines().map(str::to_owned).collect();
        assert_eq!(names.len(), items.len(), "{yaml}");
        names.into_iter().zip(items).collect()
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kube/stop-apiserver");
        // A panic here would hide the test's own.
        let _ = Command::new(script).arg(self.directory.path()).output();
    }
}

/// Returns a kubeconfig for that server and token. The token is in the URL: kubectl sends none over plain HTTP.
pub(crate) fn kubeconfig(url: &str, token: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: test\n  cluster: {{server: \"{url}/token/{token}\"}}\nusers:\n- name: user\n  user: {{}}\n\
         contexts:\n- name: test\n  context: {{cluster: test, user: user}}\ncurrent-context: test\n"
    )
}

/// Runs kubectl with a clean environment.
pub(crate) fn run_kubectl(
    kubectl: &Path,
    kubeconfig: &Path,
    home: &Path,
    arguments: &[&str],
) -> (i32, String, String) {
    let output = Command::new(kubectl)
        .arg("--kubeconfig")
        .arg(kubeconfig)
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", home)
        .output()
        .expect("kubectl runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap_or(-1),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// Lists the kubectl programs on this machine: the one in `PATH`, and those that `tests/kube/get-kubectl` fetched.
pub(crate) fn kubectls() -> Vec<PathBuf> {
    let in_path = std::env::var_os("PATH")
        .into_iter()
        .flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>())
        .map(|directory| directory.join("kubectl"))
        .find(|program| program.is_file());
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let fetched = cache.into_iter().flat_map(|cache| {
        ["1.20", "1.37"].map(|version| {
            cache
                .join("regrole")
                .join(format!("kubectl-{version}"))
                .join("kubectl")
        })
    });
    in_path
        .into_iter()
        .chain(fetched.filter(|program| program.is_file()))
        .collect()
}
