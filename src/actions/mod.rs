//! The controller's half of modules that need one: one file is one action.
//!
//! An action gets rendered arguments and either answers at once, or says what the host has to do.
//! Adding one is a file and a row of [`TABLE`].

mod add_host;
mod assert;
mod copy;
mod debug;
mod encoding;
mod fail;
mod files;
mod gather_facts;
mod group_by;
mod include_vars;
mod set_fact;
mod template;

use std::path::PathBuf;

use crate::compat::Level;
use crate::diag::{Error, Kind, Result, Sources};
use crate::modules::Spec;
use crate::template::Templar;
use crate::value::{Dict, Value};

/// What an action may look at.
pub struct Context<'a> {
    /// Renders with the task's variables on its host.
    pub templar: &'a Templar,
    /// Where relative files are looked for: the role's directory, …, the playbook's.
    pub search_path: &'a [PathBuf],
    /// The directory of the file that the task is written in.
    pub task_dir: PathBuf,
    /// All texts, for positions.
    pub sources: &'a Sources,
    /// The compatibility level.
    pub level: Level,
    /// Whether diffs are wanted.
    pub diff: bool,
}

/// What the host has to do for one invocation.
#[derive(Clone, Debug)]
pub struct Remote {
    /// The module to run.
    pub module: String,
    /// Its arguments.
    pub args: Dict,
    /// The content of the file to place.
    pub content: Option<Vec<u8>>,
}

/// What comes of an action on the controller.
#[derive(Clone, Debug)]
pub enum Prepared {
    /// The result, nothing to do on the host.
    Done(Dict),
    /// One invocation on the host; its result is the action's.
    Remote(Remote),
    /// Several invocations in order; the action's result is changed if any is, fails as the first
    /// that fails, has the facts of the last that gives some, and otherwise is the dict given.
    Many(Vec<Remote>, Dict),
}

/// The signature of every action.
///
/// # Errors
/// What fails the task; a result of its own is made of the message.
pub type Function = fn(&Context, Dict) -> Result<Prepared>;

/// An action.
pub struct Row {
    /// Its short name.
    pub name: &'static str,
    /// What it does, for the reference.
    pub doc: &'static str,
    /// Parameters that are templates themselves and are not rendered beforehand.
    pub raw: &'static [&'static str],
    /// Its code.
    pub function: Function,
}

impl Row {
    /// Returns the parameters that are not rendered beforehand.
    pub fn raw(&self, level: Level) -> &'static [&'static str] {
        if self.name == "debug" && level.renders_debug_var() {
            return &[];
        }
        self.raw
    }
}

/// All actions. Names that are not here go to the module of that name on the host.
pub static TABLE: &[Row] = &[
    Row {
        name: "add_host",
        doc: "Adds a host to the run's inventory, for later plays.",
        raw: &[],
        function: add_host::run,
    },
    Row {
        name: "assert",
        doc: "Fails unless all conditions hold.",
        raw: &["that"],
        function: assert::run,
    },
    Row {
        name: "copy",
        doc: "Copies files of the controller to the host.",
        raw: &[],
        function: copy::run,
    },
    Row {
        name: "debug",
        doc: "Prints a message or a variable.",
        raw: &["var"],
        function: debug::run,
    },
    Row {
        name: "fail",
        doc: "Fails with a message.",
        raw: &[],
        function: fail::run,
    },
    Row {
        name: "gather_facts",
        doc: "Gathers facts about the host.",
        raw: &[],
        function: gather_facts::run,
    },
    Row {
        name: "group_by",
        doc: "Puts the host into a group of the run's inventory, by a key.",
        raw: &[],
        function: group_by::run,
    },
    Row {
        name: "include_vars",
        doc: "Loads variables from files.",
        raw: &[],
        function: include_vars::run,
    },
    Row {
        name: "set_fact",
        doc: "Sets variables of the host.",
        raw: &[],
        function: set_fact::run,
    },
    Row {
        name: "template",
        doc: "Renders a template to a file of the host.",
        raw: &[],
        function: template::run,
    },
];

/// Names that the executor itself carries out.
pub const BUILT_IN: &[&str] = &[
    "import_playbook",
    "import_role",
    "import_tasks",
    "include_role",
    "include_tasks",
    "meta",
];

/// Returns the action of a short name.
pub fn find(name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.name == name)
}

/// Makes a failed result of a message.
pub fn failed(message: impl Into<String>) -> Dict {
    let result = Dict::new();
    result.set("failed", true);
    result.set("msg", message.into());
    result
}

/// Refuses to do what a task asks for, as a result of the action's own.
fn refuse(message: impl Into<String>) -> Result<Prepared> {
    let result = failed(message);
    result.set("changed", false);
    Ok(Prepared::Done(result))
}

/// Checks and converts arguments by a module's table of parameters.
fn bind(context: &Context, action: &str, spec: &Spec, args: &Dict) -> Result<Dict> {
    spec.bind(action, args, &str::to_owned, context.level)
        .map_err(|message| Error::new(Kind::Argument, message))
}

/// Returns the names of arguments that are not among those known, sorted.
fn unknown(args: &Dict, known: &[&str]) -> Vec<String> {
    let mut strange: Vec<String> = args
        .keys()
        .iter()
        .map(|key| key.value().to_str())
        .filter(|key| !known.contains(&key.as_str()))
        .collect();
    strange.sort();
    strange
}

/// Returns an argument as text, where it is given and not `None`.
fn text(args: &Dict, name: &str) -> Option<String> {
    args.get(name)
        .filter(|value| !value.is_none())
        .map(|value| value.to_str())
}

/// Reads a boolean argument; what is no boolean is false.
fn flag(args: &Dict, name: &str, default: bool) -> bool {
    match args.get(name) {
        None | Some(Value::None) => default,
        Some(value) => crate::value::to_bool(&value).unwrap_or(false),
    }
}

/// Returns the beginning of the names that Ansible's own temporary files have, as diffs show them.
/// The number differs there from run to run; here it is always the same, so that two runs print
/// the same.
fn local_tmp() -> String {
    let home = std::env::home_dir().unwrap_or_default();
    format!("{}/.ansible/tmp/ansible-local-0/", home.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_one_row_a_doc_line_and_a_file() {
        let mut names: Vec<&str> = TABLE.iter().map(|row| row.name).collect();
        names.sort_unstable();
        let rows = names.clone();
        names.dedup();
        assert_eq!(names, rows, "a name stands twice");
        for row in TABLE {
            assert!(row.doc.ends_with('.'), "{}", row.name);
            let file = format!("{}/src/actions/{}.rs", env!("CARGO_MANIFEST_DIR"), row.name);
            assert!(std::path::Path::new(&file).exists(), "{file}");
        }
    }
}
