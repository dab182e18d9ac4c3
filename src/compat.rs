//! The compatibility levels, and every point where they differ.
//!
//! Content is pinned to versions of Ansible, so one setting decides all differences. It comes from
//! `--compat`, `REGROLE_COMPAT` or `[regrole] compat`, else from what the project pins
//! ([`Level::pinned_by`]), else it is the newest.

mod words;

use std::path::Path;

use serde::{Deserialize, Serialize};

pub use words::Shape;

use crate::value::Value;

/// The version of Ansible whose behaviour is reproduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum Level {
    /// Ansible 2.9.
    V2_9,
    /// ansible-core 2.18.
    V2_18,
    /// ansible-core 2.19.
    #[default]
    V2_19,
}

impl Level {
    /// Reads a level as people write it: `2.9`, `2.18`, `2.19`.
    pub fn parse(text: &str) -> Option<Level> {
        match text.trim() {
            "2.9" => Some(Level::V2_9),
            "2.18" => Some(Level::V2_18),
            "2.19" => Some(Level::V2_19),
            _ => None,
        }
    }

    /// Returns the level as people write it.
    pub fn name(self) -> &'static str {
        match self {
            Level::V2_9 => "2.9",
            Level::V2_18 => "2.18",
            Level::V2_19 => "2.19",
        }
    }

    /// Returns the version that `ansible_version` reports: the newest of the level's line.
    pub fn full_version(self) -> (u32, u32, u32) {
        match self {
            Level::V2_9 => (2, 9, 27),
            Level::V2_18 => (2, 18, 19),
            Level::V2_19 => (2, 19, 14),
        }
    }

    /// Returns the variable `ansible_version`.
    pub fn ansible_version(self) -> Value {
        let (major, minor, revision) = self.full_version();
        let full = format!("{major}.{minor}.{revision}");
        Value::dict([
            ("full", Value::str(&full)),
            ("major", Value::from(major)),
            ("minor", Value::from(minor)),
            ("revision", Value::from(revision)),
            ("string", Value::str(&full)),
        ])
    }

    /// Says whether a template that is one expression gives its value, rather than text that is
    /// read back as data.
    pub fn native_results(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether a template without output gives `None`, rather than the empty string.
    pub fn empty_template_is_none(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether a YAML document that is a plain scalar is written with `...` behind it.
    pub fn ends_open_documents(self) -> bool {
        self == Level::V2_9
    }

    /// Says whether `none | bool` is `false`, rather than `none`.
    pub fn none_is_false(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether a condition must be a boolean, rather than anything with a truth.
    pub fn strict_conditions(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether a condition that is no boolean is deprecated aloud.
    pub fn warns_of_conditions(self) -> bool {
        self == Level::V2_18
    }

    /// Says whether a condition that is a bare variable holding text is evaluated once more.
    pub fn bare_conditions(self) -> bool {
        self == Level::V2_9
    }

    /// Says whether the bare `include` of tasks and playbooks exists.
    pub fn has_bare_include(self) -> bool {
        self < Level::V2_18
    }

    /// Says whether failures are printed as `[ERROR]` blocks with their origin.
    pub fn shows_error_blocks(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether the message of a failed task begins with what was being done (`Task failed: …`).
    pub fn names_failed_steps(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether the message of an error ends with that of the error that it wraps.
    pub fn repeats_wrapped_errors(self) -> bool {
        self == Level::V2_18
    }

    /// Says whether errors of code in an action are announced above the result, with where to see
    /// more.
    pub fn announces_exceptions(self, action: &str) -> bool {
        self == Level::V2_18 || self == Level::V2_9 && action == "copy"
    }

    /// Says whether an error of a condition is placed at the condition, rather than at its task.
    pub fn places_conditions(self) -> bool {
        self >= Level::V2_18
    }

    /// Says whether a loop goes on where the arguments or conditions of an item are wrong.
    pub fn loops_over_errors(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether a result stays where `changed_when` or `failed_when` can't be evaluated.
    pub fn keeps_misjudged_results(self) -> bool {
        self >= Level::V2_18
    }

    /// Returns the template that Ansible evaluates a condition with; errors before 2.19 show it.
    pub fn condition_template(self, condition: &str) -> String {
        if self >= Level::V2_18 {
            format!(
                "{{% set __cres = {condition} %}}{{{{ [true if __cres else false, __cres.__class__.__name__] }}}}"
            )
        } else {
            format!("{{% if {condition} %}} True {{% else %}} False {{% endif %}}")
        }
    }

    /// Returns the message of a lookup that there isn't.
    pub fn no_such_lookup(self, name: &str) -> String {
        if self >= Level::V2_19 {
            format!("The lookup plugin '{name}' was not found.")
        } else {
            format!("lookup plugin ({name}) not found")
        }
    }

    /// Returns the message of a lookup that failed in a template.
    pub fn failed_lookup(self, name: &str, error: &str) -> String {
        match self {
            Level::V2_19 => format!("The lookup plugin '{name}' failed: {error}"),
            Level::V2_18 => error.to_owned(),
            Level::V2_9 => format!(
                "An unhandled exception occurred while running the lookup plugin '{name}'. Error was a <class 'ansible.errors.AnsibleError'>, original message: {error}"
            ),
        }
    }

    /// Returns the message of `first_found` where none is.
    pub fn no_first_found(self) -> &'static str {
        if self >= Level::V2_18 {
            "No file was found when using first_found."
        } else {
            "No file was found when using first_found. Use errors='ignore' to allow this task to be skipped if no files are found"
        }
    }

    /// Returns the message of the `dict` lookup for what is no dict.
    pub fn not_a_dict(self, found: &Value) -> String {
        if self >= Level::V2_19 {
            format!(
                "the 'dict' lookup plugin expects a dictionary, got '{found}' of type <class '{}'>)",
                found.type_name()
            )
        } else {
            "with_dict expects a dict".to_owned()
        }
    }

    /// Says whether a loop whose items were all skipped is said to be skipped as well.
    pub fn tells_skipped_loops(self) -> bool {
        self >= Level::V2_18
    }

    /// Says whether a host that a task is delegated to is shown where it is the task's own.
    pub fn shows_delegation_to_itself(self) -> bool {
        self < Level::V2_18
    }

    /// Says whether a retry is told with its host and the task's own action.
    pub fn tells_host_of_retries(self) -> bool {
        self >= Level::V2_18
    }

    /// Says whether a host that can't be reached and needn't be counts as skipped, not as ignored.
    pub fn skips_ignored_unreachable(self) -> bool {
        self < Level::V2_18
    }

    /// Says whether `meta` tasks have a heading.
    pub fn tells_meta_tasks(self) -> bool {
        self >= Level::V2_18
    }

    /// Says whether `omit` is text, which stays where it stands inside of lists.
    pub fn omits_by_text(self) -> bool {
        self < Level::V2_19
    }

    /// Returns the message of a filter or test that there isn't, where `said` is about one.
    pub fn missing_plugin(self, said: &str) -> String {
        let name = said
            .strip_prefix("No filter named '")
            .or_else(|| said.strip_prefix("No test named '"))
            .and_then(|rest| rest.strip_suffix("'."));
        match name {
            Some(name) if self == Level::V2_18 => format!("Could not load \"{name}\": '{name}'"),
            _ => said.to_owned(),
        }
    }

    /// Returns the message of `debug` with both of its parameters.
    pub fn msg_and_var(self) -> &'static str {
        if self >= Level::V2_18 {
            "parameters are mutually exclusive: msg|var"
        } else {
            "'msg' and 'var' are incompatible options"
        }
    }

    /// Says whether a play says that all of its hosts have left, after an error that is fatal for
    /// all of them.
    pub fn tells_no_hosts_left(self) -> bool {
        self < Level::V2_18
    }

    /// Says whether a failed rescue counts as a failure although another rescue catches it.
    pub fn counts_failed_rescues(self) -> bool {
        self < Level::V2_18
    }

    /// Says whether `debug` shows the variables of its loop.
    pub fn debugs_loop_variables(self) -> bool {
        self < Level::V2_19
    }

    /// Returns what a loop whose items failed says.
    pub fn failed_loop(self) -> &'static str {
        if self >= Level::V2_18 {
            "One or more items failed"
        } else {
            "All items completed"
        }
    }

    /// Says whether `debug` shows texts in the place of what is undefined inside of a variable.
    pub fn marks_errors(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether `retries` without `until` tries again until the task succeeds.
    pub fn retries_without_until(self) -> bool {
        self >= Level::V2_18
    }

    /// Says whether a failure that a rescue catches is one for all where any is fatal.
    pub fn rescues_are_fatal(self) -> bool {
        self >= Level::V2_18
    }

    /// Says whether `first_found` looks for its terms in its `paths`.
    pub fn joins_terms_and_paths(self) -> bool {
        self >= Level::V2_18
    }

    /// Returns the message of a task whose arguments need a variable that isn't there.
    pub fn undefined_in_arguments(self, error: &str) -> String {
        let joint = if self >= Level::V2_18 {
            ". "
        } else {
            " The error was: "
        };
        format!("The task includes an option with an undefined variable.{joint}{error}")
    }

    /// Returns the message of a task whose arguments can't be made.
    pub fn wrong_arguments(self, args: &str, error: &str) -> String {
        let joint = if self >= Level::V2_18 {
            "dict.. "
        } else {
            "an dict.The error was: "
        };
        format!(
            "the field 'args' has an invalid value ({args}), and could not be converted to {joint}{error}"
        )
    }

    /// Says whether arguments that a module doesn't know are refused before all others.
    pub fn unknown_arguments_first(self) -> bool {
        self == Level::V2_9
    }

    /// Says whether `None` is refused as a path, rather than taken as not given.
    pub fn none_is_no_path(self) -> bool {
        self == Level::V2_18
    }

    /// Returns a type's name as messages about arguments show it.
    pub fn type_in_message(self, value: &Value) -> String {
        let name = value.type_name();
        if self >= Level::V2_19 {
            name.to_owned()
        } else {
            format!("<class '{name}'>")
        }
    }

    /// Returns the reason why a text is no boolean.
    pub fn no_boolean(self, text: &str) -> String {
        let gap = if self >= Level::V2_19 { " " } else { "  " };
        // The order is that of Python's sets there, with its hashes fixed.
        let words = if self >= Level::V2_18 {
            "0, 'y', 'true', 1, 'f', 'n', 'off', 't', '0', 'no', 'false', '1', 'on', 'yes'"
        } else {
            "0, 1, 'n', 'no', 'off', '0', 't', 'f', 'false', '1', 'true', 'on', 'y', 'yes'"
        };
        format!("The value '{text}' is not a valid boolean.{gap}Valid booleans include: {words}")
    }

    /// Returns the message about an argument of a wrong type.
    pub fn argument_refused(self, name: &str, kind: &str, value: &Value, why: &str) -> String {
        let quote = if self >= Level::V2_18 { "'" } else { "" };
        format!(
            "argument {quote}{name}{quote} is of type {} and we were unable to convert to {kind}: {why}",
            self.type_in_message(value)
        )
    }

    /// Returns the message about arguments that a module doesn't know.
    pub fn unknown_arguments(
        self,
        module: &str,
        unknown: &str,
        supported: &str,
        aliases: &str,
    ) -> String {
        if self == Level::V2_9 {
            return format!(
                "Unsupported parameters for ({module}) module: {unknown} Supported parameters include: {supported}"
            );
        }
        let aliases = if aliases.is_empty() {
            String::new()
        } else {
            format!(" ({aliases})")
        };
        format!(
            "Unsupported parameters for ({module}) module: {unknown}. Supported parameters include: {supported}{aliases}."
        )
    }

    /// Says whether `shell` refuses `expand_argument_vars`.
    pub fn shell_refuses_expansion(self) -> bool {
        self >= Level::V2_18
    }

    /// Says whether `file` refuses a source where no link is asked for.
    pub fn refuses_stray_source(self) -> bool {
        self >= Level::V2_18
    }

    /// Says whether commands that a module stands for are warned of.
    pub fn warns_of_commands(self) -> bool {
        self == Level::V2_9
    }

    /// Says whether `set_fact` without facts fails.
    pub fn wants_facts(self) -> bool {
        self >= Level::V2_18
    }

    /// Returns the quote around `force=yes` in a message of `file`.
    pub fn force_quote(self) -> char {
        if self >= Level::V2_19 { '\'' } else { '"' }
    }

    /// Says whether results of commands that didn't run have all keys of those that did.
    pub fn reports_commands_fully(self) -> bool {
        self >= Level::V2_18
    }

    /// Says whether a command that can't be run is refused as other wrong arguments are, and an
    /// error of the system stands behind the message rather than in it.
    pub fn checks_command_before_it_runs(self) -> bool {
        self >= Level::V2_19
    }

    /// Returns the message of a command without a command.
    pub fn no_command(self) -> &'static str {
        if self >= Level::V2_19 {
            "one of the following is required: _raw_params, cmd, argv"
        } else {
            "no command given"
        }
    }

    /// Returns the message of a command that is given in two ways.
    pub fn command_and_argv(self) -> &'static str {
        if self >= Level::V2_19 {
            "parameters are mutually exclusive: _raw_params|cmd|argv"
        } else {
            "only command or argv can be given, not both"
        }
    }

    /// Says whether messages of `slurp` begin with a capital.
    pub fn names_slurp_errors_in_capitals(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether `debug` checks its arguments as modules do.
    pub fn debug_checks_as_modules(self) -> bool {
        self >= Level::V2_18
    }

    /// Says whether `assert` checks its arguments as modules do.
    pub fn assert_checks_as_modules(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether Python's keywords can be names of variables.
    pub fn keywords_are_names(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether `set_fact` gives its facts in the order of their names.
    pub fn sorts_facts(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether the diff of `copy` with `content` names Ansible's own temporary file.
    pub fn shows_content_as_file(self) -> bool {
        self == Level::V2_9
    }

    /// Says whether the error about a missing source of `copy` is wrapped in another.
    pub fn wraps_missing_source(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether a message about unknown arguments names the modules that actions run by the
    /// full name of the collection they come from.
    pub fn names_legacy_modules(self) -> bool {
        self >= Level::V2_18
    }

    /// Returns the message of a task that was stopped at its time limit.
    pub fn timed_out(self, action: &str, seconds: &Value) -> String {
        if self >= Level::V2_19 {
            format!("Timed out after {seconds} second(s).")
        } else {
            format!(
                "The {action} action failed to execute in the expected time frame ({seconds}) and was terminated"
            )
        }
    }

    /// Returns the level that a project pins, and where it does: `requirements.txt` in the
    /// directory or one above it, up to three levels.
    pub fn pinned_by(dir: &Path) -> Option<(Level, String)> {
        let start = std::path::absolute(dir).ok()?;
        for parent in start.ancestors().take(4) {
            let file = parent.join("requirements.txt");
            let Ok(text) = std::fs::read_to_string(&file) else {
                continue;
            };
            if let Some((level, line)) = text.lines().find_map(pin) {
                return Some((level, format!("`{line}` in {}", file.display())));
            }
        }
        None
    }
}

/// Reads one line of a requirements file: which level does it ask for?
fn pin(line: &str) -> Option<(Level, &str)> {
    let line = line.split('#').next().unwrap_or("").trim();
    let (name, version) = line.split_once(['=', '~', '>', '<'])?;
    let version = version.trim_start_matches(['=', '~', '>', '<', ' ']);
    let mut numbers = version
        .split(['.', ',', ' '])
        .map(|part| part.parse::<u32>().ok());
    let (major, minor) = (numbers.next().flatten()?, numbers.next().flatten());
    let level = match (name.trim(), major, minor) {
        ("ansible", 2, _) | ("ansible-base", ..) => Level::V2_9,
        // The community package's major version follows ansible-core's minor one.
        ("ansible", 3..=11, _) => Level::V2_18,
        ("ansible", 12.., _) => Level::V2_19,
        ("ansible-core", 2, Some(minor)) if minor <= 18 => Level::V2_18,
        ("ansible-core", ..) => Level::V2_19,
        _ => return None,
    };
    Some((level, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_pin_a_level() {
        for (line, level) in [
            ("ansible==2.9.18", Some(Level::V2_9)),
            ("ansible==11.13.0", Some(Level::V2_18)),
            ("ansible-core>=2.19,<2.20  # new", Some(Level::V2_19)),
            ("ansible~=12.0", Some(Level::V2_19)),
            ("jinja2==2.11.3", None),
            ("# ansible==2.9.18", None),
        ] {
            assert_eq!(pin(line).map(|(level, _)| level), level, "{line}");
        }
    }
}
