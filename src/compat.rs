//! The compatibility levels, and every point where they differ.
//!
//! Content is pinned to versions of Ansible, so one setting decides all differences. It comes from
//! `--compat`, `REGROLE_COMPAT` or `[regrole] compat`, else from what the project pins
//! ([`Level::pinned_by`]), else it is the newest.

mod words;

use std::path::Path;

use serde::{Deserialize, Serialize};

pub use words::Shape;

use crate::value::{JsonStyle, UndefinedKind, Value};

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

    /// Says whether `add_host` is a change even where nothing is new.
    pub fn always_adds_hosts(self) -> bool {
        self == Level::V2_9
    }

    /// Says whether what macros and blocks write is read back as data, as the whole output is.
    pub fn reads_captured_text(self) -> bool {
        self == Level::V2_18
    }

    /// Says whether settings of Jinja2 are deprecated aloud.
    pub fn deprecates_jinja_settings(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether `{% debug %}` fails, because the names of filters aren't known beforehand.
    pub fn fails_debug_tag(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether `lookup('template', …, convert_data=False)` keeps its text where it is all of a value.
    pub fn keeps_looked_up_text(self) -> bool {
        self == Level::V2_18
    }

    /// Says whether output shows ranges and views of dicts as lists.
    pub fn lists_output(self) -> bool {
        self == Level::V2_18
    }

    /// Returns what a name that isn't there gives.
    pub fn undefined_kind(self) -> UndefinedKind {
        match self {
            Level::V2_9 => UndefinedKind::Object { says_name: false },
            Level::V2_18 => UndefinedKind::Object { says_name: true },
            Level::V2_19 => UndefinedKind::Marker,
        }
    }

    /// Says whether `{% autoescape true %}` escapes output, rather than only what is joined with
    /// markup.
    pub fn escapes_output(self) -> bool {
        self < Level::V2_18
    }

    /// Says whether a template without output gives `None`, rather than the empty string.
    pub fn empty_template_is_none(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether YAML is written by `PyYAML` itself, not by libyaml: a plain scalar ends with `...`, and double
    /// quotes are folded before a backslash.
    pub fn writes_yaml_by_python(self) -> bool {
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

    /// Says whether delimiters in a condition are told of even where they give its text.
    pub fn warns_of_all_delimiters(self) -> bool {
        self <= Level::V2_18
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

    /// Returns the message of `sequence` for what is no number.
    ///
    /// `repr` shows it where it was given by its name.
    pub fn no_number_of_sequence(self, key: &str, text: &str, repr: Option<&str>) -> String {
        let is_shorthand = repr.is_none();
        let repr = repr.map_or_else(|| crate::value::str_repr(text), str::to_owned);
        match self {
            Level::V2_19 => format!(
                "Config '{key}' for 'sequence' lookup plugin from 'Direct' has an invalid value: Invalid value provided for 'integer': {repr}"
            ),
            Level::V2_18 => format!(
                "Invalid type for configuration option plugin_type: lookup plugin: sequence setting: {key} (from Direct): "
            ),
            Level::V2_9 if is_shorthand => format!("can't parse {key}={text} as integer"),
            Level::V2_9 => format!("can't parse arg {key}={repr} as integer"),
        }
    }

    /// Says whether numbers of `sequence` may be hexadecimal, octal or binary.
    pub fn sequences_take_any_base(self) -> bool {
        self < Level::V2_18
    }

    /// Says whether `sequence` counts with options alone.
    pub fn sequences_need_no_terms(self) -> bool {
        self >= Level::V2_19
    }

    /// Shows keys of a dict as an error message does.
    pub fn dict_keys(self, names: &str) -> String {
        if self < Level::V2_18 {
            format!("dict_keys({names})")
        } else {
            names.to_owned()
        }
    }

    /// Returns the message of the `vars` lookup for what can't be a name.
    pub fn no_variables_name(self, term: &Value) -> String {
        let kind = term.type_name();
        if self >= Level::V2_19 {
            format!("Variable name must be 'str' not '{kind}'.")
        } else {
            format!(
                "Invalid setting identifier, \"{term}\" is not a string, its a <class '{kind}'>"
            )
        }
    }

    /// Says whether `debug` renders `var` as any argument before it evaluates it.
    pub fn renders_debug_var(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether an item that is skipped is seen under the registered name.
    pub fn registers_each_item(self) -> bool {
        self >= Level::V2_18
    }

    /// Says whether texts in a condition that are templates are rendered.
    pub fn renders_literals_of_conditions(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether a variable `ansible_managed` is used in template files.
    pub fn ansible_managed_is_a_variable(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether a template inside a text of a template is warned of.
    pub fn warns_of_embedded_templates(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether `key=value` arguments beside `args` are deprecated aloud.
    pub fn deprecates_pairs_with_args(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether a template in the place of all arguments is warned of before it is known what
    /// it gives.
    pub fn warns_of_any_template_for_arguments(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether lookups of loops are given `wantlist`.
    pub fn tells_loops_to_lookups(self) -> bool {
        self <= Level::V2_18
    }

    /// Returns the message of a lookup plugin that returned a value of some class, and no list.
    pub fn lookup_gave_no_list(self, name: &str, class: &str) -> String {
        if self >= Level::V2_19 {
            format!("returned {class} instead of <class 'list'>")
        } else {
            format!(
                "The lookup plugin '{name}' was expected to return a list, got '{class}' instead. The lookup plugin '{name}' needs to be changed to return a list. "
            )
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

    /// Says whether a directory in place of a vault's password file is told apart, and a missing
    /// file warned of.
    pub fn knows_vault_directories(self) -> bool {
        self >= Level::V2_18
    }

    /// Says whether texts of vaults are strings like others, rather than of a type of their own.
    pub fn vaulted_texts_are_strings(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether passwords are hashed with passlib's numbers of rounds, rather than 5000.
    pub fn hashes_with_many_rounds(self) -> bool {
        self >= Level::V2_18
    }

    /// Says whether `password_hash` knows the kinds of bcrypt.
    pub fn knows_bcrypt_idents(self) -> bool {
        self >= Level::V2_18
    }

    /// Says whether a salt of bcrypt is mended before its length is looked at.
    pub fn checks_bcrypt_padding(self) -> bool {
        self >= Level::V2_18
    }

    /// Says whether the size of a salt has to be a number, rather than what reads as one.
    pub fn wants_whole_salt_size(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether a hash that there isn't is nothing, rather than an error.
    pub fn unknown_hash_is_none(self) -> bool {
        self < Level::V2_18
    }

    /// Says whether the options of the lookup `template` for blanks are followed.
    pub fn template_lookup_trims(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether JSON has texts of vaults as they are encrypted.
    pub fn json_keeps_vaults(self) -> bool {
        self < Level::V2_18
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

    /// Says whether ansible-inventory sorts hosts and groups by name.
    pub fn sorts_inventory(self) -> bool {
        self == Level::V2_9
    }

    /// Says whether ansible-inventory knows `--limit` and `--extra-vars`.
    pub fn inventory_takes_limit(self) -> bool {
        self >= Level::V2_18
    }

    /// Says whether ansible-inventory's JSON is ASCII.
    pub fn inventory_is_ascii(self) -> bool {
        self == Level::V2_9
    }

    /// Says whether ansible-inventory marks strings that are no templates for one host as well.
    pub fn marks_unsafe_of_one_host(self) -> bool {
        self < Level::V2_19
    }

    /// Says whether ansible-inventory's YAML shows groups without hosts.
    pub fn inventory_shows_empty_groups(self) -> bool {
        self == Level::V2_9
    }

    /// Says whether variables of inventories that have the name of a keyword are warned of.
    pub fn warns_of_reserved_names(self) -> bool {
        self >= Level::V2_18
    }

    /// Says whether files of `vars_files` are looked for in `vars/` first.
    pub fn finds_vars_files_in_vars(self) -> bool {
        self >= Level::V2_18
    }

    /// Says whether entries of `vars_files` with undefined names are warned of.
    pub fn warns_of_skipped_vars_files(self) -> bool {
        self >= Level::V2_19
    }

    /// Returns what ansible-inventory's `_meta` says about the form of its output.
    pub fn inventory_profile(self) -> Option<&'static str> {
        (self >= Level::V2_19).then_some("inventory_legacy")
    }

    /// Says whether variables of inventories with names that templates can't use are deprecated.
    pub fn deprecates_odd_variable_names(self) -> bool {
        self >= Level::V2_19
    }

    /// Returns the endings of files that inventory directories don't mean.
    pub fn ignored_inventory_extensions(self) -> Vec<&'static str> {
        let mut all = vec![
            ".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg",
            ".retry",
        ];
        if self < Level::V2_19 {
            all.push(".ini");
        }
        all
    }

    /// Returns the message for a host of a YAML inventory whose name is no text.
    pub fn host_is_no_text(self, name: &Value) -> String {
        if self == Level::V2_9 {
            format!("argument of type '{}' is not iterable", name.type_name())
        } else {
            format!(
                "Host pattern {name} must be a string. Enclose integers/floats in quotation marks."
            )
        }
    }

    /// Says whether `inventory_hostname_short` cuts addresses at their first dot as well.
    pub fn shortens_addresses(self) -> bool {
        self == Level::V2_9
    }

    /// Says whether names of roles that an include brings are among the play's.
    pub fn lists_included_roles(self) -> bool {
        self >= Level::V2_18
    }

    /// Says whether the result of a skipped task names the condition that was false.
    pub fn tells_false_conditions(self) -> bool {
        self >= Level::V2_18
    }

    /// Says whether a source that isn't there counts as one that can't be read.
    pub fn counts_missing_sources(self) -> bool {
        self >= Level::V2_18
    }

    /// Says whether a run without any inventory is warned of whatever the settings say.
    pub fn always_warns_of_no_inventory(self) -> bool {
        self == Level::V2_9
    }

    /// Says whether a file is run to get an inventory.
    pub fn runs_inventory(self, is_executable: bool, has_shebang: bool) -> bool {
        if self >= Level::V2_19 {
            is_executable
        } else {
            is_executable || has_shebang
        }
    }

    /// Says whether tuples and sets of INI inventories become lists.
    pub fn has_lists_for_tuples(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether the shape of what inventory programs print is checked part by part.
    pub fn checks_script_output(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether messages end in their cause once more.
    pub fn repeats_causes(self) -> bool {
        self == Level::V2_18
    }

    /// Says whether TOML inventories are read without a further library.
    pub fn has_toml_inventories(self) -> bool {
        self >= Level::V2_19
    }

    /// Returns the message for a line in brackets that is no section of an INI inventory.
    pub fn invalid_section_entry(self, line: &str) -> String {
        let blank = if self == Level::V2_9 { "" } else { " " };
        format!(
            "Invalid section entry: '{line}'. Please make sure that there are no spaces{blank}in the section entry, and that there are no other invalid characters"
        )
    }

    /// Returns the message for variables of a group that an INI inventory doesn't declare.
    pub fn vars_of_undefined_group(self, group: &str) -> String {
        if self >= Level::V2_19 {
            format!("Section [{group}:vars] not valid for undefined group '{group}'.")
        } else {
            format!("Section [{group}:vars] not valid for undefined group: {group}")
        }
    }

    /// Returns the message for a child that an INI inventory doesn't declare.
    pub fn child_is_undefined_group(self, group: &str, child: &str) -> String {
        if self >= Level::V2_19 {
            format!("Section [{group}:children] includes undefined group '{child}'.")
        } else {
            format!("Section [{group}:children] includes undefined group: {child}")
        }
    }

    /// Returns the message for a file of variables that holds something else than a mapping.
    pub fn variables_are_no_mapping(self, path: &str, found: &Value) -> String {
        let class = self.yaml_class(found);
        let class = class.rsplit('.').next().unwrap_or_default();
        let why =
            format!("failed to combine variables, expected dicts but got a 'dict' and a '{class}'");
        match self {
            Level::V2_9 => {
                let found = found.to_json(&JsonStyle::default()).unwrap_or_default();
                format!("{why}: \n{{}}\n{found}")
            }
            Level::V2_18 => format!("Could not process '{path}'.. {why}."),
            Level::V2_19 => format!("Could not process '{path}': {why}."),
        }
    }

    /// Returns the Python type that a value from YAML has, as messages show it.
    pub fn yaml_type(self, value: &Value) -> String {
        format!("<class '{}'>", self.yaml_class(value))
    }

    fn yaml_class(self, value: &Value) -> String {
        let since =
            |name: &str| format!("ansible.module_utils._internal._datatag._AnsibleTagged{name}");
        let before = |name: &str| format!("ansible.parsing.yaml.objects.Ansible{name}");
        match (self >= Level::V2_19, value) {
            (true, Value::Str(_)) => since("Str"),
            (true, Value::List(_)) => since("List"),
            (true, Value::Dict(_)) => since("Dict"),
            (true, Value::Int(_) | Value::Big(_)) => since("Int"),
            (true, Value::Float(_)) => since("Float"),
            (false, Value::Str(_)) => before("Unicode"),
            (false, Value::List(_)) => before("Sequence"),
            (false, Value::Dict(_)) => before("Mapping"),
            (_, other) => other.type_name().to_owned(),
        }
    }

    /// Returns the level that a project pins, and where it does: `requirements.txt` in the
    /// directory or one above it, up to three levels, and the files that it includes.
    pub fn pinned_by(dir: &Path) -> Option<(Level, String)> {
        let start = std::path::absolute(dir).ok()?;
        start
            .ancestors()
            .take(4)
            .find_map(|parent| pinned_in(&parent.join("requirements.txt"), MAX_INCLUDES))
    }
}

/// How deep requirements files may include each other.
const MAX_INCLUDES: usize = 5;

/// Reads a requirements file and those that it includes.
fn pinned_in(file: &Path, left: usize) -> Option<(Level, String)> {
    let text = std::fs::read_to_string(file).ok()?;
    let mut included = None;
    for line in text.lines() {
        if let Some((level, line)) = pin(line) {
            return Some((level, format!("`{line}` in {}", file.display())));
        }
        if let Some(other) = include(line)
            && left > 0
            && included.is_none()
        {
            included = pinned_in(&file.parent()?.join(other), left - 1);
        }
    }
    included
}

/// Reads the file that a line of a requirements file includes.
fn include(line: &str) -> Option<&str> {
    let line = line.split(" #").next().unwrap_or(line).trim();
    ["-r", "--requirement", "-c", "--constraint"]
        .iter()
        .find_map(|flag| {
            let rest = line.strip_prefix(flag)?;
            let name = rest.trim_start_matches(['=', ' ', '\t']);
            (rest.starts_with(['=', ' ', '\t']) && !name.is_empty()).then_some(name)
        })
}

/// A version's numbers.
type Version = Vec<u32>;

/// Reads one line of a requirements file: which level does it ask for?
///
/// The newest release line that all its conditions allow decides, as pip would install it.
fn pin(line: &str) -> Option<(Level, &str)> {
    let line = line.split('#').next().unwrap_or("").trim();
    let required = line.split(';').next().unwrap_or("").trim();
    let end = required
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
        .unwrap_or(required.len());
    let (name, mut conditions) = required.split_at(end);
    if let Some((_, rest)) = conditions.strip_prefix('[').and_then(|c| c.split_once(']')) {
        conditions = rest;
    }
    let lines: Vec<(Version, Level)> = match name.to_ascii_lowercase().replace('_', "-").as_str() {
        // The community package's major version follows ansible-core's minor one.
        "ansible" => [(vec![2], Level::V2_9), (vec![3], Level::V2_9)]
            .into_iter()
            .chain((4..=11).map(|major| (vec![major], Level::V2_18)))
            .chain((12..=20).map(|major| (vec![major], Level::V2_19)))
            .collect(),
        "ansible-base" => vec![(vec![2, 10], Level::V2_9)],
        "ansible-core" => (11..=18)
            .map(|minor| (vec![2, minor], Level::V2_18))
            .chain((19..=30).map(|minor| (vec![2, minor], Level::V2_19)))
            .collect(),
        _ => return None,
    };
    let conditions: Vec<&str> = conditions
        .trim()
        .trim_matches(['(', ')'])
        .split(',')
        .map(str::trim)
        .filter(|condition| !condition.is_empty())
        .collect();
    if conditions.is_empty() {
        return None;
    }
    lines
        .into_iter()
        .rev()
        .find(|(release, _)| conditions.iter().all(|c| may_hold(c, release)))
        .map(|(_, level)| (level, line))
}

/// Says whether a version of a release line may meet a condition like `>=2.18`.
fn may_hold(condition: &str, release: &[u32]) -> bool {
    let end = condition
        .find(|c: char| !"=~!<>".contains(c))
        .unwrap_or(condition.len());
    let (operator, version) = condition.split_at(end);
    let version: Version = version
        .trim()
        .split('.')
        .map_while(|part| {
            let digits = part
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(part.len());
            part[..digits].parse().ok()
        })
        .collect();
    // The line's first and last version, beside the one that is named.
    let same = version.len().min(release.len());
    let order = release[..same].cmp(&version[..same]);
    let is_in = order.is_eq();
    match operator {
        "==" | "===" => is_in,
        "~=" => match version.len() {
            // The last number may grow: `~=10.0` is any 10.
            0..=2 => version.first() == release.first() && (order.is_ge() || is_in),
            _ => is_in,
        },
        ">=" | ">" => order.is_ge(),
        "<=" => order.is_le(),
        "<" => order.is_lt() || (is_in && version.iter().skip(same).any(|number| *number > 0)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_pin_a_level() {
        for (line, level) in [
            ("ansible==2.9.18", Some(Level::V2_9)),
            ("ansible==2.9.*", Some(Level::V2_9)),
            ("ansible>=2.9,<2.10", Some(Level::V2_9)),
            ("ansible==2.10.7", Some(Level::V2_9)),
            ("ansible-base~=2.10.0", Some(Level::V2_9)),
            ("ansible==11.13.0", Some(Level::V2_18)),
            ("ansible == 11.*", Some(Level::V2_18)),
            ("ansible~=10.0", Some(Level::V2_18)),
            ("ansible>=5,<6", Some(Level::V2_18)),
            (
                "Ansible[azure]==9.8.0; python_version > '3.9'",
                Some(Level::V2_18),
            ),
            ("ansible-core>=2.18,<2.19", Some(Level::V2_18)),
            ("ansible-core>=2.18.0,<2.19.0", Some(Level::V2_18)),
            ("ansible_core<=2.16.3", Some(Level::V2_18)),
            ("ansible-core~=2.17.0", Some(Level::V2_18)),
            ("ansible-core~=2.17", Some(Level::V2_19)),
            ("ansible-core>=2.19,<2.20  # new", Some(Level::V2_19)),
            ("ansible-core>=2.16", Some(Level::V2_19)),
            ("ansible~=12.0", Some(Level::V2_19)),
            ("ansible", None),
            ("ansible-lint==24.1.0", None),
            ("jinja2==2.11.3", None),
            ("# ansible==2.9.18", None),
        ] {
            assert_eq!(pin(line).map(|(level, _)| level), level, "{line}");
        }
    }

    #[test]
    fn requirements_of_included_files_and_of_directories_above_count() {
        let dir = tempfile::tempdir().expect("a directory");
        let write = |name: &str, text: &str| {
            std::fs::write(dir.path().join(name), text).expect("a file");
        };
        let inner = dir.path().join("a/b");
        std::fs::create_dir_all(&inner).expect("a directory");
        write(
            "requirements.txt",
            "# tools\n-r pins.txt  # versions\nnetaddr==1\n",
        );
        write("pins.txt", "-r requirements.txt\nansible==2.9.20\n");
        let (level, reason) = Level::pinned_by(&inner).expect("a level");
        assert_eq!(level, Level::V2_9);
        assert!(reason.starts_with("`ansible==2.9.20` in "), "{reason}");
        write("requirements.txt", "-r pins.txt\nansible-core==2.18.1\n");
        let (level, _) = Level::pinned_by(&inner).expect("a level");
        assert_eq!(level, Level::V2_18);
    }
}
