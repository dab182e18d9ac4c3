//! What goes wrong around kubectl: told with host and task, and nothing half done.

use std::path::{Path, PathBuf};

use crate::support::kube::{Real, StandIn, kubectls};
use crate::support::sandbox::{Ended, Sandbox};

const GOOD: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good, namespace: default}\ndata: {a: b}\n";
const INVALID: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: bad, namespace: default}\nspec: {ports: [{port: 0}]}\n";

/// A manifest, the task's arguments besides kubectl and file, whose rights, and what must be said
/// (alternatives, where kubectls differ, with `|` between them).
struct Case {
    name: &'static str,
    manifest: Option<&'static str>,
    args: &'static str,
    who: Who,
    said: &'static [&'static str],
}

#[derive(Clone, Copy, PartialEq)]
enum Who {
    Admin,
    Reader,
    Stranger,
}

const fn case(name: &'static str, manifest: &'static str, said: &'static [&'static str]) -> Case {
    Case {
        name,
        manifest: Some(manifest),
        args: "",
        who: Who::Admin,
        said,
    }
}

const CASES: &[Case] = &[
    Case {
        args: ", kubectl: /nowhere/kubectl",
        ..case(
            "kubectl is missing",
            GOOD,
            &["kubectl not found: /nowhere/kubectl"],
        )
    },
    Case {
        args: ", kubectl: /etc/passwd",
        ..case(
            "kubectl can't be run",
            GOOD,
            &["can't run /etc/passwd", "Permission denied"],
        )
    },
    Case {
        args: ", server: 'http://127.0.0.1:1'",
        ..case("the server is down", GOOD, &["127.0.0.1:1", "refused"])
    },
    Case {
        who: Who::Reader,
        ..case("no right to write", GOOD, &["orbidden", "configmaps"])
    },
    Case {
        who: Who::Stranger,
        ..case(
            "an unknown user",
            GOOD,
            &["nauthorized|to provide credentials"],
        )
    },
    Case {
        args: ", kubeconfig: /nowhere/config",
        ..case("no kubeconfig", GOOD, &["/nowhere/config", "no such file"])
    },
    Case {
        args: ", kubeconfig: /etc/passwd",
        ..case("a kubeconfig that is none", GOOD, &["/etc/passwd"])
    },
    Case {
        manifest: None,
        ..case("no manifest", "", &["m.yml"])
    },
    case(
        "an empty manifest",
        "# nothing\n",
        &["no objects passed to apply", "m.yml"],
    ),
    case(
        "malformed YAML",
        "kind: ConfigMap\n\tdata: {}\n",
        &["m.yml", "line 2"],
    ),
    case("no kind", "metadata: {name: x}\n", &["m.yml", "kind"]),
    case(
        "an unknown kind",
        "apiVersion: example.com/v1\nkind: Gizmo\nmetadata: {name: x}\n",
        &["no matches for kind", "Gizmo", "m.yml"],
    ),
    case(
        "a missing namespace",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: nowhere}\n",
        &["namespaces \\\"nowhere\\\" not found", "m.yml"],
    ),
    case(
        "an invalid object",
        INVALID,
        &["Service \\\"bad\\\" is invalid", "port"],
    ),
    case(
        "a wrong type",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: default}\ndata: [a]\n",
        &["ConfigMap", "m.yml"],
    ),
    Case {
        args: ", namespace: kube-system",
        ..case(
            "another namespace than the manifest's",
            GOOD,
            &["kube-system", "default", "does not match"],
        )
    },
    Case {
        args: ", log_level: many",
        ..case(
            "a number that is none",
            GOOD,
            &["log_level", "unable to convert to int"],
        )
    },
    Case {
        args: ", flename: x",
        ..case(
            "an unknown argument",
            GOOD,
            &["flename", "Unsupported parameters"],
        )
    },
];

/// Where a case runs: a project, a kubectl and the kubeconfigs of a server.
struct World<'a> {
    sandbox: Sandbox,
    kubectl: &'a Path,
    configs: [PathBuf; 3],
}

impl World<'_> {
    fn run(&self, verb: &str, who: Who, manifest: Option<&str>, args: &str) -> Ended {
        let file = self.sandbox.path("m.yml");
        let _ = std::fs::remove_file(&file);
        if let Some(text) = manifest {
            self.sandbox.write("m.yml", text);
        }
        let kubectl = if args.contains("kubectl:") {
            String::new()
        } else {
            format!(", kubectl: {}", self.kubectl.display())
        };
        self.sandbox.write(
            "site.yml",
            &format!(
                "- hosts: all\n  gather_facts: false\n  tasks:\n    - name: Apply it\n      kube: {{filename: {}, state: latest{kubectl}{args}}}\n",
                file.display()
            ),
        );
        let config = &self.configs[who as usize];
        let output = self
            .sandbox
            .command(&[verb, "-i", "inventory.ini", "site.yml"])
            .env("KUBECONFIG", config)
            .output()
            .expect("the binary starts");
        Ended {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    fn all_cases_fail_and_say_why(&self) {
        let mut wrong = String::new();
        for case in CASES {
            for verb in ["run", "plan"] {
                let ended = self.run(verb, case.who, case.manifest, case.args);
                let fatal = |line: &&str| line.starts_with("fatal: [here]: FAILED!");
                let line = ended.out.lines().find(fatal).unwrap_or_default();
                let missing: Vec<_> = case
                    .said
                    .iter()
                    .filter(|s| !s.split('|').any(|s| line.contains(s)))
                    .collect();
                let told = ended.out.contains("TASK [Apply it]") && missing.is_empty();
                if ended.code != 2 || !told {
                    let (name, kubectl) = (case.name, self.kubectl.display());
                    let all = ended.all();
                    wrong.push_str(&format!(
                        "{name} ({verb}, {kubectl}), {missing:?}:\n{all}\n"
                    ));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong}");
    }

    /// The first object of a manifest is applied, the second refused: both are said.
    fn a_part_that_was_applied_is_said(&self) {
        let both = format!("{GOOD}---\n{INVALID}");
        let plan = self.run("plan", Who::Admin, Some(&both), "");
        assert_eq!(plan.code, 2, "{}", plan.all());
        assert!(
            plan.out.contains("Service \\\"bad\\\" is invalid"),
            "{}",
            plan.all()
        );
        assert!(!plan.out.contains("done nevertheless"), "{}", plan.all());
        let run = self.run("run", Who::Admin, Some(&both), "");
        assert_eq!(run.code, 2, "{}", run.all());
        for said in [
            "Service \\\"bad\\\" is invalid",
            "done nevertheless: configmap/good created",
        ] {
            assert!(run.out.contains(said), "{}", run.all());
        }
    }

    /// Neither what is there nor what is to come is shown, nor quoted by the server.
    fn no_data_of_a_secret_is_shown(&self) {
        let secret = |data: &str| {
            format!(
                "apiVersion: v1\nkind: Secret\nmetadata: {{name: s, namespace: default}}\n{data}\n"
            )
        };
        let steps = [
            (
                "data: {p: aHVudGVyMg==}\nstringData:\n  q: |\n    hunter3\n    hunter4",
                0,
            ),
            (
                "data: {p: aHVudGVyNQ==}\nstringData: {q: hunter6, r: hunter7}",
                0,
            ),
            ("data: {p: 'hunter8!'}", 2),
        ];
        let values = [
            "aHVudGVyMg",
            "aHVudGVyNQ",
            "hunter",
            "aHVudGVyMwpodW50ZXI0Cg",
            "aHVudGVyNg",
            "aHVudGVyNw",
        ];
        for (data, code) in steps {
            for verb in ["plan", "run"] {
                let manifest = secret(data);
                let args = if verb == "run" { ", log_level: 9" } else { "" };
                let ended = self.run(verb, Who::Admin, Some(&manifest), args);
                assert_eq!(ended.code, code, "{}", ended.all());
                for value in values {
                    assert!(!ended.all().contains(value), "{value} in {}", ended.all());
                }
                if verb == "plan" && code == 0 {
                    assert!(ended.out.contains("********"), "{}", ended.all());
                }
            }
        }
    }

    fn everything(&self) {
        self.all_cases_fail_and_say_why();
        self.a_part_that_was_applied_is_said();
        self.no_data_of_a_secret_is_shown();
    }
}

#[test]
fn what_kubectl_and_the_stand_in_refuse_is_told_with_host_and_task() {
    for kubectl in kubectls() {
        let api = StandIn::start("127.0.0.1:0");
        let world = World {
            sandbox: Sandbox::new(),
            kubectl: &kubectl,
            configs: [
                api.kubeconfig(),
                api.readonly_kubeconfig(),
                api.stranger_kubeconfig(),
            ],
        };
        world.everything();
    }
}

#[test]
fn what_kubectl_and_the_real_server_refuse_is_told_with_host_and_task() {
    let api = Real::start();
    let kubectl = kubectls()
        .pop()
        .expect("tests/kube/get-kubectl fetches two");
    let sandbox = Sandbox::new();
    let config = std::fs::read_to_string(api.kubeconfig()).expect("a kubeconfig");
    let token = config.find("token: \"").expect("a token") + 8;
    let stranger = format!("{}0000{}", &config[..token], &config[token + 4..]);
    sandbox.write("stranger", &stranger);
    let world = World {
        kubectl: &kubectl,
        configs: [
            api.kubeconfig(),
            api.readonly_kubeconfig(),
            sandbox.path("stranger"),
        ],
        sandbox,
    };
    world.everything();
}

#[test]
fn a_server_that_never_answers_is_left_when_the_task_s_time_is_over() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address");
    let kubectl = kubectls()
        .pop()
        .expect("tests/kube/get-kubectl fetches two");
    let sandbox = Sandbox::new();
    sandbox.write("m.yml", GOOD);
    let ended = sandbox.play(&format!(
        "- hosts: all\n  gather_facts: false\n  tasks:\n    - name: Apply it\n      timeout: 2\n      kube: {{kubectl: {}, filename: {}, server: 'http://{address}'}}\n",
        kubectl.display(),
        sandbox.path("m.yml").display()
    ));
    assert_eq!(ended.code, 2, "{}", ended.all());
    assert!(
        ended.out.contains("fatal: [here]: FAILED!"),
        "{}",
        ended.all()
    );
    assert!(ended.out.contains("2 second"), "{}", ended.all());
}
