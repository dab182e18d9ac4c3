//! Words that differ between the levels.
//!
//! **Source:** what Ansible 2.9 and ansible-core 2.18 and 2.19 print.

use super::Level;
use crate::diag::{Error, Kind, Notice, Span};
use crate::value::Value;
use crate::vault::Fault;

/// What a YAML value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape<'a> {
    /// A mapping.
    Mapping,
    /// A sequence.
    Sequence,
    /// A string.
    Text,
    /// A number, a boolean, nothing, by Python's name of its type.
    Other(&'a str),
}

impl Level {
    /// Warns of a template in the place of all arguments.
    pub fn unsafe_args_warning(self) -> &'static str {
        if self >= Level::V2_19 {
            "Using a template for task args is unsafe in some situations (see https://docs.ansible.com/ansible/devel/reference_appendices/faq.html#argsplat-unsafe)."
        } else {
            "Using a variable for a task's 'args' is unsafe in some situations (see https://docs.ansible.com/ansible/devel/reference_appendices/faq.html#argsplat-unsafe)"
        }
    }

    /// Words a setting's value that is none of its choices; 2.9 takes any.
    pub fn invalid_setting(self, name: &str, value: &str, choices: &[&str]) -> Option<String> {
        let choices = choices.join(", ");
        match self {
            Level::V2_9 => None,
            Level::V2_18 => Some(format!(
                "Invalid value \"{value}\" for configuration option \"setting: {name} \", valid values are: {choices}"
            )),
            Level::V2_19 => Some(format!(
                "Invalid value '{value}' for config '{name}'. Valid values are: {choices}"
            )),
        }
    }

    /// Returns the error of an `args` that is neither a mapping nor a template.
    pub fn no_task_args(self, task: Span, args: Span) -> Error {
        let bare = "Complex args containing variables cannot use bare variables (without Jinja2 delimiters), and must use the full variable style ('{{var_name}}')";
        let older = |message: String| Error::new(Kind::Parse, message).at(task);
        match self {
            Level::V2_9 => older(bare.to_owned()),
            Level::V2_18 => older(format!("{bare}. {bare}")),
            Level::V2_19 => Error::new(
                Kind::Parse,
                "The value of the task `args` keyword is invalid.",
            )
            .at(args)
            .note("A mapping or template which resolves to a mapping is required."),
        }
    }

    /// Says that `add_host` has no name.
    pub fn host_needs_name(self) -> &'static str {
        if self >= Level::V2_18 {
            "name, host or hostname needs to be provided"
        } else {
            "name or hostname arg needs to be provided"
        }
    }

    /// Words what a template in the place of all arguments gave, and is no dict; 2.9 does without.
    pub fn no_arguments(self, found: &Value) -> Option<String> {
        match self {
            Level::V2_9 => None,
            Level::V2_18 => Some(format!("invalid or malformed argument: '{found}'")),
            Level::V2_19 => Some(format!(
                "Task args must resolve to a 'dict' not '{}'.",
                found.type_name()
            )),
        }
    }

    /// Says whether a `#jinja2:` header that names no option is an error.
    pub fn refuses_unknown_overrides(self) -> bool {
        self >= Level::V2_19
    }

    /// Returns the error of a pair in a `#jinja2:` header that is none.
    pub fn malformed_override(self, pair: &str) -> Error {
        if self >= Level::V2_19 {
            Error::new(
                Kind::TemplateSyntax,
                format!(
                    "Syntax error in template: Missing key-value separator `:` in '#jinja2:' override pair '{pair}'."
                ),
            )
        } else {
            Error::new(
                Kind::Filter,
                format!(
                    "failed to parse jinja2 override '{}'. Did you use something different from colon as key-value separator?",
                    pair.trim()
                ),
            )
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

    /// Returns the message of a lookup that is a plugin and failed in a template with an error of
    /// some class.
    pub fn failed_plugin_lookup(self, name: &str, class: &str, error: &str) -> String {
        let full = format!("ansible.errors.{class}");
        let is_own = class == "AnsibleLookupError" && self >= Level::V2_18;
        self.failed_lookup(name, Some(full.as_str()).filter(|_| !is_own), error)
    }

    /// Returns the message of a lookup that failed in a template; `class` is Python's class of the
    /// error, `None` where the lookup itself says all that is to say.
    pub fn failed_lookup(self, name: &str, class: Option<&str>, error: &str) -> String {
        let class = match (self, class) {
            (Level::V2_19, _) => return format!("The lookup plugin '{name}' failed: {error}"),
            (Level::V2_18, None) => return error.to_owned(),
            (_, None) if name == "first_found" => "ansible.errors.AnsibleLookupError",
            (_, class) => class.unwrap_or("ansible.errors.AnsibleError"),
        };
        let message = format!(
            "An unhandled exception occurred while running the lookup plugin '{name}'. Error was a <class '{class}'>, original message: {error}"
        );
        if self.repeats_wrapped_errors() {
            format!("{message}. {error}")
        } else {
            message
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

    /// Returns the message of the `file` lookup for a file that isn't there.
    pub fn no_looked_up_file(self, name: &str) -> String {
        match self {
            Level::V2_19 => format!(
                "Unable to access the file '{name}': File not found. Use -vvvvv to see paths searched."
            ),
            Level::V2_18 => format!(
                "The 'file' lookup had an issue accessing the file '{name}'. file not found, use -vvvvv to see paths searched"
            ),
            Level::V2_9 => format!("could not locate file in lookup: {name}"),
        }
    }

    /// Returns what Python says of a value that was read from a file, in a message.
    pub fn class_of(self, shape: Shape) -> String {
        let name = match (self.shows_error_blocks(), shape) {
            (true, Shape::Mapping) => "ansible.module_utils._internal._datatag._AnsibleTaggedDict",
            (true, Shape::Sequence) => "ansible.module_utils._internal._datatag._AnsibleTaggedList",
            (true, Shape::Text) => "ansible.module_utils._internal._datatag._AnsibleTaggedStr",
            (true, Shape::Other("int")) => {
                "ansible.module_utils._internal._datatag._AnsibleTaggedInt"
            }
            (true, Shape::Other("float")) => {
                "ansible.module_utils._internal._datatag._AnsibleTaggedFloat"
            }
            (false, Shape::Mapping) => "ansible.parsing.yaml.objects.AnsibleMapping",
            (false, Shape::Sequence) => "ansible.parsing.yaml.objects.AnsibleSequence",
            (false, Shape::Text) => "ansible.parsing.yaml.objects.AnsibleUnicode",
            (_, Shape::Other(name)) => name,
        };
        format!("<class '{name}'>")
    }

    /// Says why a vault can't be opened.
    pub fn vault_fault(self, fault: &Fault) -> String {
        let is_newest = self.shows_error_blocks();
        let dot = if is_newest { "." } else { "" };
        match fault {
            Fault::NoSecrets => format!("Attempting to decrypt but no vault secrets found{dot}"),
            Fault::NoneFits => {
                format!("Decryption failed (no vault secrets were found that could decrypt){dot}")
            }
            Fault::NotEncrypted if is_newest => "Input is not vault encrypted data.".to_owned(),
            Fault::NotEncrypted if self == Level::V2_18 => {
                "input is not vault encrypted data. ".to_owned()
            }
            Fault::NotEncrypted => "input is not vault encrypted data".to_owned(),
            Fault::Cipher(name) if is_newest => format!("Cipher '{name}' could not be found."),
            Fault::Cipher(name) => format!("{name} cipher could not be found"),
            Fault::Format(said, _) => said.clone(),
        }
    }

    /// Says why a password can't be hashed.
    pub fn no_password_hash(self, said: &str) -> String {
        match self {
            Level::V2_19 => format!("Could not hash the secret: {said}"),
            Level::V2_18 => {
                let message = format!("Could not hash the secret.. {said}");
                format!("{message}. {message}")
            }
            Level::V2_9 => said.to_owned(),
        }
    }

    /// Says that there is no such way of hashing passwords.
    pub fn no_such_scheme(self, name: &str) -> String {
        let older = format!("passlib does not support '{name}' algorithm");
        match self {
            Level::V2_19 => format!(
                "{name} is not in the list of supported passlib algorithms: md5, blowfish, sha256, sha512"
            ),
            Level::V2_18 => format!("{older}. {older}"),
            Level::V2_9 => older,
        }
    }

    /// Says that a filter could not encrypt or decrypt.
    pub fn failed_vault(self, what: &str, said: &str) -> String {
        if self.repeats_wrapped_errors() {
            format!("{what}: {said}. {said}")
        } else {
            format!("{what}: {said}")
        }
    }

    /// Says that a filter for vaults got something that is no text.
    pub fn no_text_for_vault(self, wanted: &str, found: &str) -> Error {
        let colon = if self.shows_error_blocks() { "" } else { ":" };
        let dot = if self.shows_error_blocks() { "." } else { "" };
        Error::type_error(format!(
            "{wanted}, instead we got{colon} <class '{found}'>{dot}"
        ))
    }

    /// Says that a file can't be asked whether it is a vault.
    pub fn no_vaulted_file(self, path: &Value, said: &str) -> String {
        if self.shows_error_blocks() {
            format!("Cannot test if the file {} is a vault: {said}", path.repr())
        } else {
            format!(
                "Cannot test if the file {} is a vault. {said}",
                path.to_str()
            )
        }
    }

    /// Says that the lookup `ini` has no such option.
    pub fn no_ini_option(self, name: &str) -> String {
        if self.shows_error_blocks() {
            format!("'{name}' is not a valid option.")
        } else {
            format!("{name} is not a valid option.")
        }
    }

    /// Says that an INI file has an option twice.
    pub fn duplicate_ini_option(self, path: &str, said: &str) -> String {
        format!("Duplicate option in '{path}': {said}")
    }

    /// Says that an INI file has no such section.
    pub fn no_ini_section(self, section: &str, path: &str) -> String {
        if self.shows_error_blocks() {
            format!("No section '{section}' in '{path}'.")
        } else {
            format!("No section '{section}' in {path}")
        }
    }

    /// Says that an environment variable is not there.
    pub fn no_environment_variable(self, name: &str) -> String {
        if self.shows_error_blocks() {
            format!("The environment variable '{name}' is not set.")
        } else {
            format!("The \"env\" lookup, found an undefined variable: {name}")
        }
    }

    /// Says that `first_found` can't do with a term.
    pub fn no_candidate(self, kind: &str, text: &str) -> String {
        if self.shows_error_blocks() {
            format!("Invalid term supplied. A string, dict or list is required, not '{kind}').")
        } else {
            format!(
                "Invalid term supplied, can handle string, mapping or list of strings but got: <class '{kind}'> for {text}"
            )
        }
    }

    /// Says that a file that is to be read is a directory.
    pub fn is_directory(self, path: &str) -> Error {
        let message = if self.shows_error_blocks() {
            format!(
                "An error occurred while trying to read the file '{path}': [Errno 21] Is a directory: '{path}'"
            )
        } else {
            let said = format!("[Errno 21] Is a directory: b'{path}'");
            format!("an error occurred while trying to read the file '{path}': {said}. {said}")
        };
        Error::new(Kind::Io, message)
    }

    /// Says that an option of a lookup has a value that it can't have.
    pub fn no_choice_of_lookup(
        self,
        lookup: &str,
        name: &str,
        found: &str,
        choices: &[&str],
    ) -> String {
        if self.shows_error_blocks() {
            format!("Invalid value '{found}' for config '{name}' for '{lookup}' lookup plugin.")
        } else {
            format!(
                "Invalid value \"{found}\" for configuration option \"plugin_type: lookup plugin: {lookup} setting: {name} \", valid values are: {}",
                choices.join(", ")
            )
        }
    }

    /// Says that the lookup `config` has only a part of a plugin's name.
    pub fn half_a_plugin(self) -> String {
        let dot = if self.shows_error_blocks() { "." } else { "" };
        format!(
            "Both plugin_type and plugin_name are required, cannot use one without the other{dot}"
        )
    }

    /// Says that there is no such plugin to have settings.
    pub fn no_plugin_of_lookup(self, kind: &str, name: &str) -> String {
        if self.shows_error_blocks() {
            format!("Unable to load {kind} plugin '{name}'.")
        } else {
            format!("Unable to load {kind} plugin \"{name}\"")
        }
    }

    /// Says that a setting's name is no text.
    pub fn no_setting_name(self, found: &Value) -> String {
        let kind = found.type_name();
        if self.shows_error_blocks() {
            format!(
                "Invalid setting identifier, {} is not a <class 'str'>, its a <class '{kind}'>.",
                found.repr()
            )
        } else {
            format!(
                "Invalid setting identifier, \"{found}\" is not a string, its a <class '{kind}'>"
            )
        }
    }

    /// Says that there is no such setting, of a plugin or of Ansible itself.
    pub fn no_setting(self, name: &str, plugin: Option<(&str, &str)>) -> String {
        let missing = format!("Unable to find setting {name}");
        match (self, plugin) {
            (Level::V2_19, None) => format!("No config definition exists for '{name}'."),
            (Level::V2_19, Some((kind, plugin))) => {
                format!("No config definition exists for '{name}' for '{plugin}' {kind} plugin.")
            }
            (Level::V2_18, None) => {
                let cause = format!("module 'ansible.constants' has no attribute '{name}'");
                format!("{missing}. {cause}. {cause}")
            }
            (Level::V2_18, Some((kind, plugin))) => {
                let cause = format!(
                    "Requested entry (plugin_type: {kind} plugin: {plugin} setting: {name} ) was not defined in configuration."
                );
                format!("{missing}. {cause}. {cause}")
            }
            (Level::V2_9, _) => missing,
        }
    }

    /// Returns a setting's value with where it came from; Ansible 2.18 doesn't say that of its own settings.
    pub fn setting_and_origin(self, value: Value, origin: &str, is_own: bool) -> Value {
        match self {
            Level::V2_19 => Value::list(vec![value, Value::str(origin)]),
            Level::V2_18 if is_own => Value::tuple(vec![value, Value::None]),
            Level::V2_18 => Value::tuple(vec![value, Value::str(origin)]),
            Level::V2_9 => value,
        }
    }

    /// Returns what stands between an address and why it could not be read.
    pub fn colon_behind_url(self) -> &'static str {
        if self.shows_error_blocks() { ":" } else { " :" }
    }

    /// Says that a setting of a lookup can't become what it must be.
    pub fn wrong_lookup_setting(
        self,
        lookup: &str,
        name: &str,
        wanted: &str,
        found: &Value,
    ) -> Error {
        let found = found.repr();
        let message = if self.shows_error_blocks() {
            format!(
                "Config '{name}' for '{lookup}' lookup plugin from 'Direct' has an invalid value: Invalid value provided for '{wanted}': {found}"
            )
        } else {
            let told = match wanted {
                "float" => format!("could not convert string to float: {found}"),
                "dict" | "dictionary" => {
                    format!("Invalid type provided for \"dictionary\": {found}")
                }
                _ => String::new(),
            };
            format!(
                "Invalid type for configuration option plugin_type: lookup plugin: {lookup} setting: {name} (from Direct): {told}"
            )
        };
        Error::new(Kind::Argument, message)
    }

    /// Says that the `file` lookup can't read a file.
    pub fn no_access_of_lookup(self, name: &str, cause: Error) -> Error {
        match self {
            Level::V2_19 => Error::new(
                Kind::Argument,
                format!("Unable to access the file '{name}'"),
            )
            .caused_by(cause),
            Level::V2_18 => Error::new(
                Kind::Argument,
                format!(
                    "The 'file' lookup had an issue accessing the file '{name}'. {}",
                    cause.message()
                ),
            ),
            Level::V2_9 => cause,
        }
    }

    /// Says that a name in `vars_files` stays undefined though the host's facts are known.
    pub fn undefined_vars_file(self, name: &str, at: Span, cause: Error) -> Error {
        let error = Error::new(
            Kind::Undefined,
            format!(
                "an undefined variable was found when attempting to template the vars_files item '{name}'"
            ),
        )
        .at(at);
        if self.shows_error_blocks() {
            error.caused_by(cause)
        } else {
            error
        }
    }

    /// Says that a value can't name a file of `vars_files`.
    pub fn no_vars_file_name(self, found: &Value, at: Span) -> Error {
        if self.shows_error_blocks() {
            let said = format!(
                "Invalid `vars_files` value of type '{}'.",
                found.type_name()
            );
            let help = "A `vars_files` value should either be a string or list of strings.";
            // Nothing has no place.
            return match found {
                Value::None => Error::new(Kind::Parse, format!("{said} {help}")),
                _ => Error::new(Kind::Parse, said).at(at).note(help),
            };
        }
        Error::new(
            Kind::Argument,
            format!(
                "Invalid vars_files entry found: {}\nvars_files entries should be either a string type or a list of string types after template expansion",
                found.repr()
            ),
        )
    }

    /// Says that none of the files of an entry of `vars_files` is there; newer levels go on.
    pub fn missing_vars_file(self, entry: &Value) -> Option<Error> {
        (self == Level::V2_9).then(|| {
            Error::new(
                Kind::NotFound,
                format!(
                    "vars file {} was not found\nCould not find file on the Ansible Controller.\nIf you are using a module and expect the file to exist on the remote, see the remote_src option",
                    entry.to_str()
                ),
            )
        })
    }

    /// Says that a file of `vars_files` can't be decrypted.
    pub fn unreadable_vars_file(self, path: &str, cause: Error) -> Error {
        match self {
            Level::V2_19 => Error::new(Kind::Vault, format!("Invalid vars_files file '{path}'"))
                .caused_by(cause),
            Level::V2_18 => {
                let message = format!("Invalid vars_file '{path}'.. {}", cause.message());
                cause.message_as(message)
            }
            Level::V2_9 => cause,
        }
    }

    /// Returns the error of a variable that is a vault which can't be opened; `unknown` is a place
    /// that says so.
    pub fn undecryptable(self, fault: &Fault, unknown: Span) -> Error {
        let said = self.vault_fault(fault);
        if !self.shows_error_blocks() {
            return Error::new(Kind::Vault, said);
        }
        let message = "Attempt to use undecryptable variable";
        match fault {
            // What is wrong with the text has a place of its own, and shows the text.
            Fault::Format(_, bytes) => Error::new(Kind::Vault, message).caused_by(
                Error::new(Kind::Vault, said)
                    .at(unknown)
                    .note(Value::Bytes(bytes.clone().into()).repr()),
            ),
            _ => Error::new(Kind::Vault, format!("{message}: {said}")),
        }
    }

    /// Says whether it is told where a variable is written that is a vault and can't be opened.
    pub fn places_vault_fault(self, fault: &Fault) -> bool {
        match self {
            Level::V2_19 => true,
            Level::V2_18 => matches!(fault, Fault::Format(..)),
            Level::V2_9 => false,
        }
    }

    /// Says why a file that is a vault can't be opened.
    pub fn unreadable_vault_file(self, fault: &Fault, path: &str) -> String {
        let message = self.vault_fault(fault);
        match fault {
            Fault::NoneFits if !self.shows_error_blocks() => format!("{message} on {path}"),
            _ => message,
        }
    }

    /// Says that a playbook is no list.
    pub fn playbook_is_no_list(self, class: &str, path: &str) -> String {
        let message = format!("A playbook must be a list of plays, got a {class} instead");
        if self == Level::V2_9 {
            message
        } else {
            format!("{message}: {path}")
        }
    }

    /// Says that a field is missing.
    pub fn field_required(self, name: &str) -> String {
        if self.shows_error_blocks() {
            format!("The field '{name}' is required but was not set.")
        } else {
            format!("the field '{name}' is required but was not set")
        }
    }

    /// Says that no host is left by a limit.
    pub fn no_hosts_to_target(self) -> &'static str {
        if self == Level::V2_9 {
            "Specified hosts and/or --limit does not match any hosts"
        } else {
            "Specified inventory, host pattern and/or --limit leaves us with no hosts to target."
        }
    }

    /// Says that a file of the controller can't be read, with the operating system's words.
    pub fn file_unreadable(self, path: &str, why: &str) -> (String, Option<String>) {
        let dot = if self.shows_error_blocks() { "." } else { "" };
        let message = format!(
            "Unable to retrieve file contents{dot}\nCould not find or access '{path}' on the Ansible Controller.\nIf you are using a module and expect the file to exist on the remote, see the remote_src option"
        );
        let cause = self
            .shows_error_blocks()
            .then(|| format!("[Errno 2] {why}: '{path}'"));
        (message, cause)
    }

    /// Says whether errors in a keyword's name or a missing field are placed at the keyword,
    /// rather than at the play or nowhere.
    pub fn places_keywords(self) -> bool {
        self.shows_error_blocks()
    }

    /// Says whether `ansible_config_file` is there without such a file.
    pub fn always_names_the_config_file(self) -> bool {
        self > Level::V2_9
    }

    /// Says whether `hostvars` lists the implicit localhost.
    pub fn hostvars_list_localhost(self) -> bool {
        self == Level::V2_18
    }

    /// Says whether a task's name is shown without its role, because the name contains it.
    pub fn role_is_implied(self, role: &str, task: &str) -> bool {
        self == Level::V2_9 && task.contains(role)
    }

    /// Says whether `--list-tags` names the tags of tasks that run only when asked for.
    pub fn lists_tags_of_never(self) -> bool {
        self > Level::V2_9
    }

    /// Says whether an included role is told, and each include's item.
    pub fn tells_included_roles(self) -> bool {
        self > Level::V2_9
    }

    /// Says whether errors in the name of a task are shown in it.
    pub fn shows_errors_in_names(self) -> bool {
        self.shows_error_blocks()
    }

    /// Says whether a loop with `no_log` names no items and ends with a line of the task.
    pub fn sums_up_censored_loops(self) -> bool {
        self < Level::V2_19
    }

    /// Says whether strings read from files are told from others by `type_debug`.
    pub fn names_yaml_strings(self) -> bool {
        self < Level::V2_19
    }

    /// Says whether variables named like the template language's globals are warned of.
    pub fn reserves_globals(self) -> bool {
        self > Level::V2_9
    }

    /// Says whether a variable named `omit` is warned of.
    pub fn reserves_omit(self) -> bool {
        self > Level::V2_18
    }

    /// Says whether the variable `play_hosts` is deprecated aloud.
    pub fn warns_of_play_hosts(self) -> bool {
        self > Level::V2_18
    }

    /// Says that a loop's variable is taken already; `task` is the task's name.
    pub fn loop_variable_in_use(self, name: &str, task: &str) -> Notice {
        let what = format!("The loop variable '{name}' is already in use.");
        let advice = "You should set the `loop_var` value in the `loop_control` option for the task to something else to avoid variable collisions and unexpected behavior.";
        let task = if self == Level::V2_9 {
            String::new()
        } else {
            format!("TASK: {task}: ")
        };
        Notice::warning(&what)
            .about(name)
            .help(advice)
            .older(Notice::warning(format!("{task}{what} {advice}")))
    }

    /// Says that a file to include isn't there.
    pub fn not_included(self, path: &str) -> String {
        let dot = if self.shows_error_blocks() { "" } else { "." };
        format!("Could not find or access '{path}' on the Ansible Controller{dot}")
    }

    /// Says whether the variables of an `import_role` reach the whole play.
    pub fn imports_share_variables(self) -> bool {
        self == Level::V2_9
    }

    /// Says whether a notified name finds its handlers when they run, rather than at once.
    pub fn saves_notifications(self) -> bool {
        self > Level::V2_9
    }

    /// Says whether `show_task_path_on_failure` is a setting.
    pub fn shows_task_paths(self) -> bool {
        self > Level::V2_9
    }

    /// Returns the version as `--version` shows it behind the program's name.
    pub fn version_shown(self) -> String {
        let (major, minor, revision) = self.full_version();
        let full = format!("{major}.{minor}.{revision}");
        if self == Level::V2_9 {
            full
        } else {
            format!("[core {full}]")
        }
    }

    /// Says whether a YAML error shows all of what the scanner said.
    pub fn shows_scanner_context(self) -> bool {
        self > Level::V2_9
    }

    /// Says whether `gather_facts` of a play must be a boolean.
    pub fn checks_play_keywords(self) -> bool {
        self > Level::V2_9
    }

    /// Returns the message of a keyword that needs an undefined variable; `None` where the message
    /// is made of its causes.
    pub fn keyword_undefined(self, keyword: &str, said: &str) -> Option<String> {
        let joint = match self {
            Level::V2_9 => " The error was:",
            Level::V2_18 => ".",
            Level::V2_19 => return None,
        };
        Some(format!(
            "The field '{keyword}' has an invalid value, which includes an undefined variable.{joint} {said}"
        ))
    }

    /// Says that a keyword's value can't be converted to a type: the message, and the cause where
    /// that is apart.
    pub fn keyword_not_converted(
        self,
        keyword: &str,
        kind: &str,
        written: &str,
        value: &str,
    ) -> (String, Option<String>) {
        match self {
            Level::V2_19 => (
                format!("Error processing keyword '{keyword}'"),
                Some(format!(
                    "The value '{value}' could not be converted to '{kind}'."
                )),
            ),
            Level::V2_18 => {
                let why = match kind {
                    "bool" => self.no_boolean(value),
                    "float" => format!("could not convert string to float: '{value}'"),
                    _ => String::new(),
                };
                (
                    format!(
                        "the field '{keyword}' has an invalid value ('{written}'), and could not be converted to {kind}.. {why}"
                    ),
                    None,
                )
            }
            Level::V2_9 => (
                format!(
                    "the field '{keyword}' has an invalid value ({written}), and could not be converted to an {kind}.The error was: invalid literal for int() with base 10: '{value}'"
                ),
                None,
            ),
        }
    }

    /// Says whether what is undefined in a list or dict is an error only where it is used.
    pub fn renders_elements_lazily(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether a variable that needs an undefined one is undefined itself, rather than an error
    /// wherever it is named.
    pub fn undefined_inside_has_default(self) -> bool {
        self >= Level::V2_18
    }

    /// Says whether what a loop registers says that all of its items were skipped.
    pub fn registers_skipped_loops(self) -> bool {
        self >= Level::V2_18
    }

    /// Says whether a host that a task is delegated to is shown with its address.
    pub fn shows_delegated_addresses(self) -> bool {
        self >= Level::V2_18
    }

    /// Says whether filters on sets give lists in the order of Python's sets.
    pub fn makes_sets_of_lists(self) -> bool {
        self >= Level::V2_18
    }

    /// Says whether ssh's arguments are among the variables of how a host is reached.
    pub fn shows_ssh_arguments(self) -> bool {
        self == Level::V2_9
    }

    /// Says whether a loop's label sees the variables of how a host is reached.
    pub fn labels_see_connections(self) -> bool {
        self != Level::V2_18
    }

    /// Says whether keywords take words that are no boolean for false.
    pub fn takes_other_words_for_false(self) -> bool {
        self == Level::V2_9
    }

    /// Says whether `delay` is a whole number of seconds.
    pub fn delays_whole_seconds(self) -> bool {
        self == Level::V2_9
    }
}
