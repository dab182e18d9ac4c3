//! The registry role by Ansible and by regrole, each on three hosts of its own: the same trees,
//! the same words, the same counts.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::support::kube::kubectls;
use crate::support::lab::{Lab, Variant};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const HOSTS: [&str; 3] = ["node1", "node2", "node3"];

const PLAY: &str = "- hosts: kube_control_plane
  gather_facts: false
  environment: {KUBECONFIG: \"{{ kubeconfig }}\"}
  roles: [registry]
";

/// Three hosts, and a stand-in API server that they reach.
struct Cluster {
    api: Child,
    lab: Lab,
    project: tempfile::TempDir,
    kubectl: PathBuf,
}

impl Cluster {
    fn new() -> Cluster {
        let kubectl = kubectls()
            .pop()
            .expect("tests/kube/get-kubectl fetches two");
        let lab = Lab::up_with(&[Variant::Python; 3], &[&kubectl]);
        let standin = Path::new(env!("CARGO_BIN_EXE_regrole")).with_file_name("examples");
        let listen = if lab.is_privileged() {
            "10.77.0.1:0"
        } else {
            "127.0.0.1:0"
        };
        let mut api = lab
            .controller_command(standin.join("standin-apiserver"))
            .args(["--listen", listen, "--until-stdin-closes"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the stand-in starts");
        let mut line = String::new();
        BufReader::new(api.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("the stand-in speaks");
        let url = line.trim().strip_prefix("listening on ").expect(&line);
        let config = format!(
            "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {{server: '{url}'}}}}]\nusers: [{{name: u, user: {{}}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\ncurrent-context: c\n"
        );
        let project = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(project.path().join("site.yml"), PLAY).expect("a file");
        if lab.is_privileged() {
            let script = "umask 077; printf %s \"$1\" > /root/kubeconfig";
            lab.enter("node1", &["sh", "-c", script, "sh", &config]);
        } else {
            std::fs::write(project.path().join("kubeconfig"), config).expect("a file");
        }
        Cluster {
            api,
            lab,
            project,
            kubectl,
        }
    }

    /// Runs the role with a program that takes ansible-playbook's arguments.
    fn play(&self, program: &Path, first: &[&str]) -> String {
        let mut command = self.lab.controller_command(program);
        command
            .args(first)
            .arg("-i")
            .arg(format!("{ROOT}/inventory/sample/inventory.ini"))
            .arg("-i")
            .arg(self.lab.inventory())
            .current_dir(self.project.path())
            .arg("site.yml")
            .env("ANSIBLE_ROLES_PATH", format!("{ROOT}/roles"))
            .env("ANSIBLE_LIBRARY", format!("{ROOT}/tests/kube/library"))
            .env("ANSIBLE_NOCOLOR", "1")
            .env("ANSIBLE_HOST_KEY_CHECKING", "1")
            .env("HOME", self.project.path())
            .env("LC_ALL", "C.UTF-8");
        let kubeconfig = if self.lab.is_privileged() {
            PathBuf::from("/root/kubeconfig")
        } else {
            let bin = self.kubectl.parent().expect("a directory");
            command.arg("-e").arg(format!("bin_dir={}", bin.display()));
            self.project.path().join("kubeconfig")
        };
        command
            .arg("-e")
            .arg(format!("kubeconfig={}", kubeconfig.display()));
        let output = command.output().expect("the program starts");
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {out}{err}", program.display());
        out
    }

    /// Lists the trees that the role leaves: type, mode, owner, content's hash, path.
    fn trees(&self) -> String {
        let state = self.lab.state();
        let trees = HOSTS.iter().map(|host| {
            let tree = if self.lab.is_privileged() {
                self.lab.tree(host, "/etc/kubernetes")
            } else {
                self.lab
                    .tree(host, &format!("{}/{host}.root/etc", state.display()))
            };
            format!("{host}\n{tree}")
        });
        let all: String = trees.collect();
        all.replace(&state.display().to_string(), "STATE")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.api.stdin.take());
        let _ = self.api.wait();
    }
}

/// Returns lines in an order that doesn't depend on which host answered first.
fn sorted(out: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = out.lines().collect();
    lines.sort_unstable();
    lines
}

fn ansible() -> PathBuf {
    let output = Command::new(format!("{ROOT}/tests/parity/oracle"))
        .arg("2.19")
        .output()
        .expect("the script can be run");
    assert!(output.status.success(), "{output:?}");
    let programs = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Path::new(&programs).join("ansible-playbook")
}

#[test]
fn ansible_and_regrole_leave_the_same_trees_and_the_same_words_on_three_hosts() {
    let regrole = Path::new(env!("CARGO_BIN_EXE_regrole"));
    let ansible = ansible();
    let (theirs, ours) = (Cluster::new(), Cluster::new());
    for changed in [true, false] {
        let their_words = theirs.play(&ansible, &[]);
        let our_words = ours.play(regrole, &["run"]);
        assert_eq!(sorted(&our_words), sorted(&their_words));
        assert_eq!(our_words.contains("changed=0"), !changed, "{our_words}");
        let (their_trees, our_trees) = (theirs.trees(), ours.trees());
        assert!(our_trees.contains("registry-deployment.yml"), "{our_trees}");
        assert_eq!(our_trees, their_trees);
    }
    // Each finds nothing to do where the other has been.
    for words in [theirs.play(regrole, &["run"]), ours.play(&ansible, &[])] {
        for host in HOSTS {
            let recap = words
                .lines()
                .find(|l| l.starts_with(host) && l.contains(" : ok="));
            assert!(recap.is_some_and(|l| l.contains(" changed=0 ")), "{words}");
        }
    }
}
