//! Names that variables should not have: those of keywords and of what templates can call.
//!
//! **Source:** "Playbook Keywords" of Ansible's documentation, and which names ansible-core was
//! seen to warn of.

use crate::compat::Level;
use crate::diag::Notice;
use crate::value::{Dict, Value};

const NAMES: &[&str] = &[
    "action",
    "always",
    "any_errors_fatal",
    "args",
    "async",
    "become",
    "become_exe",
    "become_flags",
    "become_method",
    "become_user",
    "block",
    "changed_when",
    "check_mode",
    "collections",
    "connection",
    "cycler",
    "debugger",
    "delay",
    "delegate_facts",
    "delegate_to",
    "dict",
    "diff",
    "environment",
    "fact_path",
    "failed_when",
    "force_handlers",
    "gather_facts",
    "gather_timeout",
    "handlers",
    "hosts",
    "ignore_errors",
    "ignore_unreachable",
    "joiner",
    "lipsum",
    "local_action",
    "lookup",
    "loop",
    "loop_control",
    "max_fail_percentage",
    "module_defaults",
    "name",
    "namespace",
    "no_log",
    "notify",
    "now",
    "order",
    "poll",
    "port",
    "post_tasks",
    "pre_tasks",
    "q",
    "query",
    "range",
    "register",
    "remote_user",
    "rescue",
    "retries",
    "roles",
    "run_once",
    "serial",
    "strategy",
    "tags",
    "tasks",
    "throttle",
    "timeout",
    "undef",
    "until",
    "vars_files",
    "vars_prompt",
    "when",
];

/// Returns a warning for each variable that has such a name.
pub fn reserved_names(vars: &Dict, level: Level) -> Vec<Notice> {
    if !level.warns_of_reserved_names() {
        return Vec::new();
    }
    vars.borrow()
        .keys()
        .filter_map(|key| match key.value() {
            Value::Str(name) if NAMES.contains(&name.as_str()) => Some(
                Notice::warning(format!("Found variable using reserved name '{name}'."))
                    .at(name.span())
                    .older(Notice::warning(format!(
                        "Found variable using reserved name: {name}"
                    ))),
            ),
            _ => None,
        })
        .collect()
}
