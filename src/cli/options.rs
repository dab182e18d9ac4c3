//! Flags, named as ansible-playbook names them.

use clap::{ArgAction, Args};

use super::vault::VaultArgs;
use crate::diag::{Error, Kind, Result};

/// Flags of `run` and `playbook`.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct RunArgs {
    /// Playbooks, or roles by name or directory; none: the directory's main playbook, else its roles.
    pub(super) what: Vec<String>,
    /// Inventory: a file, a directory, a program, or hosts with commas.
    #[arg(
        short = 'i',
        long = "inventory",
        alias = "inventory-file",
        value_name = "INVENTORY"
    )]
    pub(super) inventory: Vec<String>,
    /// Only hosts that match this pattern as well.
    #[arg(short = 'l', long, value_name = "PATTERN")]
    pub(super) limit: Option<String>,
    /// Only plays and tasks with these tags.
    #[arg(short = 't', long, value_name = "TAGS")]
    pub(super) tags: Vec<String>,
    /// No plays and tasks with these tags.
    #[arg(long, value_name = "TAGS")]
    pub(super) skip_tags: Vec<String>,
    /// Variables: `key=value`, YAML or JSON, or `@file`.
    #[arg(short = 'e', long, value_name = "VARS")]
    pub(super) extra_vars: Vec<String>,
    /// Hosts at the same time; no bound where not given.
    #[arg(short = 'f', long, value_name = "N")]
    pub(super) forks: Option<usize>,
    /// Change nothing, say what would change.
    #[arg(short = 'C', long)]
    pub(super) check: bool,
    /// Show differences of files.
    #[arg(short = 'D', long)]
    pub(super) diff: bool,
    /// Say more; up to five times.
    #[arg(short = 'v', long = "verbose", action = ArgAction::Count)]
    pub(super) verbose: u8,
    /// Become another user.
    #[arg(short = 'b', long)]
    pub(super) r#become: bool,
    /// The user to become.
    #[arg(long, value_name = "USER")]
    pub(super) become_user: Option<String>,
    /// The way to become it.
    #[arg(long, value_name = "METHOD")]
    pub(super) become_method: Option<String>,
    /// Ask for the password to become another user.
    #[arg(short = 'K', long)]
    pub(super) ask_become_pass: bool,
    /// Read that password from a file.
    #[arg(long, value_name = "FILE", alias = "become-pass-file")]
    pub(super) become_password_file: Option<String>,
    /// Ask for the password to log in.
    #[arg(short = 'k', long)]
    pub(super) ask_pass: bool,
    /// Read that password from a file.
    #[arg(long, value_name = "FILE", alias = "conn-pass-file")]
    pub(super) connection_password_file: Option<String>,
    /// The user to log in as.
    #[arg(short = 'u', long = "user", value_name = "USER")]
    pub(super) user: Option<String>,
    /// The key to log in with.
    #[arg(long, value_name = "FILE", alias = "key-file")]
    pub(super) private_key: Option<String>,
    /// The way to connect: ssh or local.
    #[arg(short = 'c', long, value_name = "KIND")]
    pub(super) connection: Option<String>,
    /// Seconds to wait for a connection.
    #[arg(short = 'T', long, value_name = "SECONDS")]
    pub(super) timeout: Option<u64>,
    /// Arguments for ssh.
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    pub(super) ssh_common_args: Option<String>,
    /// Further arguments for ssh.
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    pub(super) ssh_extra_args: Option<String>,
    /// Arguments for sftp; nothing here uses it.
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    pub(super) sftp_extra_args: Option<String>,
    /// Arguments for scp; nothing here uses it.
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    pub(super) scp_extra_args: Option<String>,
    /// Confirm each task before it runs; not supported.
    #[arg(long)]
    pub(super) step: bool,
    /// Further directories of modules; not supported.
    #[arg(short = 'M', long, value_name = "PATH")]
    pub(super) module_path: Option<String>,
    #[command(flatten)]
    pub(super) vault: VaultArgs,
    /// Start at the task of this name.
    #[arg(long, value_name = "NAME")]
    pub(super) start_at_task: Option<String>,
    /// Run notified handlers even where a task failed.
    #[arg(long)]
    pub(super) force_handlers: bool,
    /// Only list the hosts.
    #[arg(long)]
    pub(super) list_hosts: bool,
    /// Only list the tasks.
    #[arg(long)]
    pub(super) list_tasks: bool,
    /// Only list the tags.
    #[arg(long)]
    pub(super) list_tags: bool,
    /// Only check the syntax.
    #[arg(long)]
    pub(super) syntax_check: bool,
    /// Print which Ansible is reproduced, by what, and where the settings come from.
    #[arg(long)]
    pub(super) version: bool,
    /// Forget cached facts first.
    #[arg(long)]
    pub(super) flush_cache: bool,
    /// The compatibility level: 2.9, 2.18 or 2.19.
    #[arg(long, value_name = "LEVEL")]
    pub(super) compat: Option<String>,
    /// Print events as JSON, one object a line.
    #[arg(long)]
    pub(super) json: bool,
}

impl RunArgs {
    /// Refuses what Ansible's programs take and this one can't do, rather than passing over it.
    ///
    /// # Errors
    /// The first such flag.
    pub(super) fn refuse_unsupported(&self) -> Result<()> {
        for (given, flag, help) in [
            (
                self.step,
                "--step",
                "`--check --diff` shows what a run would do; `--start-at-task` and `--tags` run a part of it",
            ),
            (
                self.module_path.is_some(),
                "--module-path",
                "only the modules that the README lists can be used",
            ),
        ] {
            if given {
                return Err(
                    Error::new(Kind::Usage, format!("`{flag}` is not supported")).help(help),
                );
            }
        }
        Ok(())
    }
}

/// Flags of `plan`.
#[derive(Args, Clone, Debug)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pub(super) run: RunArgs,
    /// Write what would change to a file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<String>,
    /// Exit 2 where something would change, 0 where nothing would, 1 on failure.
    #[arg(long)]
    pub(super) detailed_exitcode: bool,
}
