//! What a run is asked to do, apart from its playbooks.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::inventory::GroupNames;
use crate::value::Secret;

/// The options of a run, from flags, environment and configuration.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What becomes of names of groups that are no names of variables.
    pub group_names: GroupNames,
    /// Change nothing, say what would change.
    pub check: bool,
    /// Show differences.
    pub diff: bool,
    /// Run only what carries one of these tags; empty means all.
    pub tags: Vec<String>,
    /// Leave out what carries one of these tags.
    pub skip_tags: Vec<String>,
    /// Start at the first task whose name matches.
    pub start_at_task: Option<String>,
    /// Hosts that are worked on at the same time; zero is no bound.
    pub forks: usize,
    /// `--limit`.
    pub limit: Option<String>,
    /// Becomes true when the user stops the run.
    pub interrupted: Arc<AtomicBool>,
    /// Number of `-v`.
    pub verbosity: u8,
    /// Run notified handlers even where a task failed.
    pub force_handlers: bool,
    /// The kind of connection where nothing else says one.
    pub connection: Option<String>,
    /// The user to log in as where nothing else says one.
    pub remote_user: Option<String>,
    /// The key to log in with where nothing else says one.
    pub private_key: Option<PathBuf>,
    /// The password to log in with where nothing else says one (`-k`).
    pub connection_password: Option<Secret<String>>,
    /// `--ssh-common-args`.
    pub ssh_common_args: Option<String>,
    /// `--ssh-extra-args`.
    pub ssh_extra_args: Option<String>,
    /// `ssh_args` of the configuration.
    pub ssh_args: Option<String>,
    /// `control_path` of the configuration.
    pub control_path: Option<String>,
    /// `control_path_dir` of the configuration.
    pub control_path_dir: Option<String>,
    /// The ssh program.
    pub ssh_executable: Option<String>,
    /// Whether unknown or changed host keys are refused.
    pub host_key_checking: bool,
    /// Seconds to wait for a connection.
    pub timeout: u64,
    /// `remote_tmp`.
    pub remote_tmp: Option<String>,
    /// Privilege escalation where nothing else says one.
    pub r#become: BecomeDefaults,
    /// Whether facts are gathered where a play says nothing (`gathering`).
    pub gather_implicitly: bool,
    /// A failure on one host ends the play for all, where nothing else says so.
    pub any_errors_fatal: bool,
    /// `never` makes a refused `kubectl apply` an error; else the object is recreated.
    pub kube_force: Option<String>,
}

/// Privilege escalation where nothing else says one.
#[derive(Clone, Debug, Default)]
pub struct BecomeDefaults {
    /// `-b`.
    pub on: bool,
    /// `--become-user`.
    pub user: Option<String>,
    /// `--become-method`.
    pub method: Option<String>,
    /// Flags from the configuration.
    pub flags: Option<String>,
    /// Executable from the configuration.
    pub exe: Option<String>,
    /// `-K`.
    pub password: Option<Secret<String>>,
}
