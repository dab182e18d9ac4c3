//! What runs on the target: one file is one module.
//!
//! A module sees its checked arguments and a [`System`], nothing else. It observes, decides and
//! applies; a dry run is the same code on another `System`. [`run`] is the only entry.

mod command;
mod command_warnings;
mod copy;
mod file;
mod kube;
mod lineinfile;
mod outcome;
mod perms;
mod ping;
mod raw;
mod setup;
mod slurp;
mod spec;
mod stat;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::compat::Level;
use crate::system::{Algorithm, System, accounts, digest};
use crate::value::{Dict, Value};

pub use kube::hide_secrets;
pub use outcome::{By, CAUSE, Fail, Ran};
pub use spec::{Default, FILE_PARAMS, Kind, Param, Spec};

/// The hint that becomes [`RunContext::header`].
pub const HEADER: &str = "_ansible_diff_header";

/// What a module is told besides its arguments.
#[derive(Clone, Copy)]
pub struct RunContext<'a> {
    /// The system is a dry run's; for results only, modules don't ask.
    pub check: bool,
    /// Results carry `diff`.
    pub diff: bool,
    /// The compatibility level, for results and messages.
    pub level: Level,
    /// Environment variables of the task.
    pub environment: &'a BTreeMap<String, String>,
    /// Settings that modules read, such as `kube_force`.
    pub settings: &'a BTreeMap<String, String>,
    /// The bytes to place, where the controller sends some.
    pub content: Option<&'a [u8]>,
    /// What a diff says the new content comes from, where the controller knows better than the
    /// module.
    pub header: Option<&'a str>,
}

/// One call of a module.
pub struct Invocation<'a> {
    /// The name it was called by.
    pub module: &'a str,
    /// Every parameter of its [`Spec`], converted, defaults filled in.
    pub params: Dict,
    /// The rest.
    pub context: RunContext<'a>,
}

impl Invocation<'_> {
    /// Returns a parameter's text; `None` where it isn't given.
    pub fn text(&self, name: &str) -> Option<String> {
        self.params
            .get(name)
            .filter(|v| !v.is_none())
            .map(|v| v.to_str())
    }

    /// Returns a path parameter.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.text(name).map(PathBuf::from)
    }

    /// Says whether a parameter is true; one that isn't given is false.
    pub fn is(&self, name: &str) -> bool {
        self.params.get(name).is_some_and(|v| v.truth())
    }

    /// Returns the items of a list parameter as text; `None` where it isn't given.
    pub fn list(&self, name: &str) -> Option<Vec<String>> {
        match self.params.get(name)? {
            Value::List(list) => Some(list.to_vec().iter().map(Value::to_str).collect()),
            _ => None,
        }
    }
}

/// The signature of what answers early; `None` leaves it to the module.
pub type Settle = fn(&Dict, &RunContext<'_>, &dyn System) -> Option<Ran>;

/// One module.
pub struct Module {
    /// Its short name; `ansible.builtin.NAME` and `ansible.legacy.NAME` are the same.
    pub name: &'static str,
    /// Its parameters.
    pub spec: Spec,
    /// An action of the controller runs it, so that messages of newer levels name it in full.
    pub legacy: bool,
    /// What it does, one sentence.
    pub doc: &'static str,
    /// An example task, as YAML.
    pub example: &'static str,
    /// Answers before all arguments are looked at, where nothing is to do.
    pub settle: Option<Settle>,
    /// Runs it.
    pub run: fn(&Invocation<'_>, &dyn System) -> Ran,
}

/// All modules, by name.
pub const TABLE: &[Module] = &[
    command::COMMAND,
    copy::MODULE,
    file::MODULE,
    kube::MODULE,
    lineinfile::MODULE,
    ping::MODULE,
    raw::MODULE,
    setup::MODULE,
    command::SHELL,
    slurp::MODULE,
    stat::MODULE,
];

/// Finds a module by its short or full name.
pub fn find(name: &str) -> Option<&'static Module> {
    let short = name
        .strip_prefix("ansible.builtin.")
        .or_else(|| name.strip_prefix("ansible.legacy."))
        .unwrap_or(name);
    TABLE.iter().find(|module| module.name == short)
}

/// Runs a module and returns Ansible's result: `changed`, `failed`, `msg`, `diff`, `invocation`, ….
///
/// A name that isn't in the table, or arguments that the module refuses, are a failed result.
pub fn run(name: &str, args: &Dict, context: &RunContext<'_>, system: &dyn System) -> Dict {
    let Some(module) = find(name) else {
        return Fail::new(format!("The module {name} was not found")).result();
    };
    let header = args.get(HEADER).map(|text| text.to_str());
    let context = &RunContext {
        header: header.as_deref().or(context.header),
        ..*context
    };
    let expand = |text: &str| expand(system, context.environment, text);
    let given = Dict::new();
    for (key, value) in args.to_vec() {
        // The controller's own hints travel beside the arguments.
        let hint = key.as_str().is_some_and(|k| k.starts_with("_ansible_"));
        if !hint {
            given.set_key(key, value);
        }
    }
    let shown = if module.legacy && context.level.names_legacy_modules() {
        format!("ansible.legacy.{}", module.name)
    } else {
        module.name.to_owned()
    };
    if let Some(ran) = module.settle.and_then(|f| f(&given, context, system)) {
        return with_invocation(finished(ran, context, system), module, &given);
    }
    let params = match module.spec.bind(&shown, &given, &expand, context.level) {
        Ok(params) => params,
        Err(message) => {
            let fail = Fail::new(message);
            // What the controller sent is known by its checksum, whatever becomes of it.
            let fail = match context.content {
                Some(content) => fail.with("checksum", digest(content, Algorithm::Sha1)),
                None => fail,
            };
            return with_invocation(fail.result(), module, &given);
        }
    };
    let invocation = Invocation {
        module: name,
        params,
        context: *context,
    };
    let ran = (module.run)(&invocation, system);
    let result = finished(ran, context, system);
    let mut warnings = module.spec.doubled(&given, context.level);
    if let Some(Value::List(own)) = result.get("warnings") {
        warnings.extend(own.to_vec().iter().map(Value::to_str));
    }
    if !warnings.is_empty() {
        result.set(
            "warnings",
            Value::list(warnings.into_iter().map(Value::from).collect()),
        );
    }
    with_invocation(result, module, &invocation.params)
}

/// Adds what the results of all modules have.
fn finished(ran: Ran, context: &RunContext<'_>, system: &dyn System) -> Dict {
    let result = match ran {
        Ok(result) => {
            if !result.contains("changed") {
                result.set("changed", false);
            }
            result
        }
        Err(fail) => fail.result(),
    };
    if result.remove(outcome::BARE).is_none() {
        perms::add_path_info(system, &result);
    }
    add_lines(&result);
    if !context.diff {
        result.remove("diff");
    }
    result
}

/// Adds the lines of output that a result carries.
fn add_lines(result: &Dict) {
    for stream in ["stdout", "stderr"] {
        let key = format!("{stream}_lines");
        if let Some(text) = result.get(stream)
            && !result.contains(&key)
        {
            result.set(key, lines(&text.to_str()));
        }
    }
}

/// Splits output into lines as Python's `splitlines()`.
fn lines(text: &str) -> Value {
    if text.is_empty() {
        return Value::list(vec![]);
    }
    let text = text.replace("\r\n", "\n").replace(
        [
            '\r', '\x0b', '\x0c', '\x1c', '\x1d', '\x1e', '\u{85}', '\u{2028}', '\u{2029}',
        ],
        "\n",
    );
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Value::list(text.split('\n').map(Value::from).collect())
}

fn with_invocation(result: Dict, module: &Module, params: &Dict) -> Dict {
    if module.name == "raw" {
        return result;
    }
    let shown = params.copy();
    for param in module.spec.all(Level::default()).filter(|p| p.no_log) {
        if shown.get(param.name).is_some_and(|v| !v.is_none()) {
            shown.set(param.name, "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER");
        }
    }
    let invocation = Dict::new();
    invocation.set("module_args", shown);
    result.set("invocation", invocation);
    result
}

/// Expands `~`, `~user`, `$NAME` and `${NAME}` of a path; unknown ones stay.
fn expand(system: &dyn System, environment: &BTreeMap<String, String>, text: &str) -> String {
    let lookup = |name: &str| environment.get(name).cloned().or_else(|| system.env(name));
    let mut out = String::new();
    let mut rest = text;
    if let Some(tail) = text.strip_prefix('~') {
        let (user, after) = tail.split_at(tail.find('/').unwrap_or(tail.len()));
        let home = if user.is_empty() {
            lookup("HOME").or_else(|| {
                let uid = system.identity().ok()?.uid;
                accounts::user_by_id(system, uid).map(|u| u.home)
            })
        } else {
            accounts::user(system, user).map(|u| u.home)
        };
        if let Some(home) = home {
            out.push_str(home.trim_end_matches('/'));
            rest = after;
        }
    }
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let tail = &rest[at + 1..];
        let (name, used) = if let Some(inner) = tail.strip_prefix('{') {
            match inner.find('}') {
                Some(end) => (&inner[..end], end + 2),
                None => ("", 0),
            }
        } else {
            let end = tail
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .unwrap_or(tail.len());
            (&tail[..end], end)
        };
        match lookup(name).filter(|_| !name.is_empty()) {
            Some(value) => out.push_str(&value),
            None => {
                out.push('$');
                out.push_str(&tail[..used]);
            }
        }
        rest = &tail[used..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn module_names_are_unique_sorted_and_documented() {
        for pair in TABLE.windows(2) {
            assert!(pair[0].name < pair[1].name, "{}", pair[1].name);
        }
        for module in TABLE {
            assert!(module.doc.ends_with('.') && module.example.contains(module.name));
            for param in module.spec.all(Level::default()) {
                if let Default::Str(text) = param.default {
                    assert!(param.choices.is_empty() || param.choices.contains(&text));
                }
            }
        }
    }
}
