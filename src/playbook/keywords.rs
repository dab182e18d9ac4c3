//! Every keyword of plays, roles, blocks and tasks, and where it may stand.
//!
//! **Source:** "Playbook Keywords" of Ansible's documentation, ansible-core 2.19.

use crate::compat::Level;
use crate::diag::{Notice, Span};
use crate::value::{Dict, Value};

/// Where a keyword may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A play.
    Play,
    /// An entry of `roles:`.
    Role,
    /// A block.
    Block,
    /// A task.
    Task,
    /// A handler.
    Handler,
}

impl Place {
    /// Returns Ansible's name for it, as its messages have it.
    pub fn name(self) -> &'static str {
        match self {
            Place::Play => "Play",
            Place::Role => "RoleInclude",
            Place::Block => "Block",
            Place::Task => "Task",
            Place::Handler => "Handler",
        }
    }

    fn letter(self) -> char {
        match self {
            Place::Play => 'p',
            Place::Role => 'r',
            Place::Block => 'b',
            Place::Task => 't',
            Place::Handler => 'h',
        }
    }
}

/// A keyword.
#[derive(Clone, Copy, Debug)]
pub struct Keyword {
    /// Its name.
    pub name: &'static str,
    /// Where it may stand, a letter a place: `p`lay, `r`ole, `b`lock, `t`ask, `h`andler.
    pub places: &'static str,
    /// Whether this program does what it says; one that it doesn't is an error at load time.
    pub supported: bool,
    /// What it does.
    pub doc: &'static str,
}

const fn row(name: &'static str, places: &'static str, doc: &'static str) -> Keyword {
    Keyword {
        name,
        places,
        supported: true,
        doc,
    }
}

const fn not_yet(name: &'static str, places: &'static str, doc: &'static str) -> Keyword {
    Keyword {
        name,
        places,
        supported: false,
        doc,
    }
}

/// All keywords.
pub static TABLE: &[Keyword] = &[
    row(
        "action",
        "th",
        "The module or action to run, in its oldest form.",
    ),
    row(
        "any_errors_fatal",
        "prbth",
        "A failure on one host ends the play for all.",
    ),
    row("args", "th", "Arguments in a mapping of their own."),
    not_yet(
        "async",
        "th",
        "Runs the task detached for at most so many seconds.",
    ),
    row("become", "prbth", "Runs as another user."),
    row(
        "become_exe",
        "prbth",
        "The executable that changes the user.",
    ),
    row("become_flags", "prbth", "Flags for it."),
    row("become_method", "prbth", "The way to change the user."),
    row("become_user", "prbth", "The user to become."),
    row(
        "changed_when",
        "th",
        "Conditions that say whether the task changed something.",
    ),
    row(
        "check_mode",
        "prbth",
        "Runs dry, or not, whatever the run says.",
    ),
    row(
        "collections",
        "prbth",
        "Collections to look for modules and roles in.",
    ),
    row("connection", "prbth", "The way to connect."),
    not_yet("debugger", "prbth", "Starts the debugger."),
    row("delay", "th", "Seconds between attempts."),
    row(
        "delegate_facts",
        "bth",
        "Gives facts to the host that the task is delegated to.",
    ),
    row("delegate_to", "bth", "Runs on another host."),
    row(
        "diff",
        "prbth",
        "Shows differences, or not, whatever the run says.",
    ),
    row("environment", "prbth", "Environment variables."),
    not_yet("fact_path", "p", "Where local facts are on the hosts."),
    row(
        "failed_when",
        "th",
        "Conditions that say whether the task failed.",
    ),
    row(
        "force_handlers",
        "p",
        "Runs notified handlers even where a task failed.",
    ),
    row("gather_facts", "p", "Gathers facts first."),
    row("gather_subset", "p", "Which facts."),
    row("gather_timeout", "p", "Seconds for each part of it."),
    row("handlers", "p", "Tasks that run when notified."),
    row("hosts", "p", "The hosts, as a pattern."),
    row("ignore_errors", "prbth", "Goes on after a failure."),
    row(
        "ignore_unreachable",
        "prbth",
        "Goes on where the host can't be reached.",
    ),
    row("listen", "h", "Topics that notify the handler."),
    row("local_action", "th", "As `action`, on the controller."),
    row("loop", "th", "Repeats the task for each item."),
    row("loop_control", "th", "How the loop behaves."),
    row(
        "max_fail_percentage",
        "p",
        "Ends the play when more hosts fail.",
    ),
    row(
        "module_defaults",
        "prbth",
        "Arguments that modules have by default.",
    ),
    row("name", "prbth", "What people call it."),
    row("no_log", "prbth", "Keeps results off the screen."),
    row("notify", "bth", "Handlers to run when something changed."),
    row("order", "p", "The order of the hosts."),
    not_yet("poll", "th", "Seconds between looks at an `async` task."),
    row("port", "prbth", "The port to connect to."),
    row("post_tasks", "p", "Tasks after the roles and tasks."),
    row("pre_tasks", "p", "Tasks before the roles."),
    row("register", "th", "The variable that gets the result."),
    row("remote_user", "prbth", "The user to log in as."),
    row("retries", "th", "Attempts after the first."),
    row("roles", "p", "Roles to run."),
    row("run_once", "prbth", "Runs on one host for all."),
    row("serial", "p", "Hosts in a batch."),
    row("strategy", "p", "How hosts and tasks take turns."),
    row("tags", "prbth", "Names to select tasks by."),
    row("tasks", "p", "Tasks after the roles."),
    row("throttle", "prbth", "At most so many hosts at once."),
    row("timeout", "prbth", "Seconds after which a task is stopped."),
    row("until", "th", "Conditions that end the attempts."),
    row("vars", "prbth", "Variables."),
    row("vars_files", "p", "Files with variables."),
    not_yet("vars_prompt", "p", "Variables to ask for."),
    row("when", "rbth", "Conditions that must hold."),
    row("block", "b", "The tasks of a block."),
    row("rescue", "b", "Tasks that run where the block failed."),
    row("always", "b", "Tasks that run in any case."),
    row("role", "r", "The role's name."),
];

/// Returns the keyword of a name in a place.
pub fn find(name: &str, place: Place) -> Option<&'static Keyword> {
    TABLE
        .iter()
        .find(|row| row.name == name && row.places.contains(place.letter()))
}

/// Returns the names of all keywords of a place.
pub fn names(place: Place) -> impl Iterator<Item = &'static str> {
    TABLE
        .iter()
        .filter(move |row| row.places.contains(place.letter()))
        .map(|row| row.name)
}

/// Says whether a variable of this name is warned of: the name means something else.
pub(super) fn is_reserved(name: &str, level: Level) -> bool {
    const GLOBALS: &[&str] = &[
        "cycler",
        "dict",
        "joiner",
        "lipsum",
        "lookup",
        "namespace",
        "now",
        "q",
        "query",
        "range",
        "undef",
    ];
    match name {
        "omit" => level.reserves_omit(),
        "vars" | "gather_subset" => false,
        _ if GLOBALS.contains(&name) => level.reserves_globals(),
        _ => TABLE
            .iter()
            .any(|row| row.name == name && row.places.contains(['p', 'b', 't'])),
    }
}

/// Makes the warning of a reserved name.
pub(super) fn reserved(name: &str, span: Option<Span>) -> Notice {
    Notice::warning(format!("Found variable using reserved name '{name}'."))
        .at(span)
        .older(Notice::warning(format!(
            "Found variable using reserved name: {name}"
        )))
}

/// Returns a warning for each variable whose name is reserved, where the level tells of them while
/// it runs.
pub fn reserved_names(vars: &Dict, level: Level) -> Vec<Notice> {
    if !level.warns_of_reserved_names() {
        return Vec::new();
    }
    vars.keys()
        .iter()
        .filter_map(|key| match key.value() {
            Value::Str(name) if is_reserved(name, level) => Some(reserved(name, name.span())),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_keyword_stands_once_with_places_and_a_doc_line() {
        let mut seen = std::collections::HashSet::new();
        for row in TABLE {
            assert!(seen.insert(row.name), "{} stands twice", row.name);
            assert!(row.places.chars().all(|c| "prbth".contains(c)) && !row.places.is_empty());
            assert!(row.doc.ends_with('.'), "{}", row.name);
        }
    }
}
