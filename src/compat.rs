//! The compatibility levels, and every point where they differ.
//!
//! Content is pinned to versions of Ansible, so one setting decides all differences. It comes from
//! `--compat`, `REGROLE_COMPAT` or `[regrole] compat`, else from what the project pins
//! ([`Level::pinned_by`]), else it is the newest.

mod words;

use std::path::Path;

pub use words::Shape;

use crate::value::Value;

/// The version of Ansible whose behaviour is reproduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
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

    /// Says whether errors of code are announced above the result, with where to see more.
    pub fn announces_exceptions(self) -> bool {
        self == Level::V2_18
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
