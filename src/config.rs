//! Settings: defaults, ansible.cfg, environment.
//!
//! One table says where each setting comes from. Flags are the command line's own.
//!
//! **Source:** "Ansible Configuration Settings" of Ansible's documentation.

mod known;

pub use known::{Known, is_plugin, known};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::diag::{Error, Kind, Notice, Result, Sources, Span};

/// A setting: where it stands in ansible.cfg, which variables set it, what it is without.
pub struct Setting {
    /// The name that the program knows it by.
    pub name: &'static str,
    /// Section and key in ansible.cfg.
    pub ini: &'static [(&'static str, &'static str)],
    /// Environment variables, first one wins.
    pub env: &'static [&'static str],
    /// Its value where nothing sets it; empty is none.
    pub default: &'static str,
    /// What it does.
    pub doc: &'static str,
}

const fn row(
    name: &'static str,
    ini: &'static [(&'static str, &'static str)],
    env: &'static [&'static str],
    default: &'static str,
    doc: &'static str,
) -> Setting {
    Setting {
        name,
        ini,
        env,
        default,
        doc,
    }
}

/// All settings.
pub static TABLE: &[Setting] = &[
    row(
        "ask_vault_pass",
        &[("defaults", "ask_vault_pass")],
        &["ANSIBLE_ASK_VAULT_PASS"],
        "no",
        "Ask for the vault's password.",
    ),
    row(
        "vault_id_match",
        &[("defaults", "vault_id_match")],
        &["ANSIBLE_VAULT_ID_MATCH"],
        "no",
        "Try only passwords of the identity that a vault names.",
    ),
    row(
        "vault_identity",
        &[("defaults", "vault_identity")],
        &["ANSIBLE_VAULT_IDENTITY"],
        "default",
        "The identity of passwords that are given without one.",
    ),
    row(
        "vault_identity_list",
        &[("defaults", "vault_identity_list")],
        &["ANSIBLE_VAULT_IDENTITY_LIST"],
        "",
        "Identities and where their passwords are, with commas.",
    ),
    row(
        "vault_password_file",
        &[("defaults", "vault_password_file")],
        &["ANSIBLE_VAULT_PASSWORD_FILE"],
        "",
        "The file of the vault's password, or a program that prints it.",
    ),
    row(
        "any_errors_fatal",
        &[("defaults", "any_errors_fatal")],
        &["ANSIBLE_ANY_ERRORS_FATAL"],
        "no",
        "A failure on one host ends the play for all.",
    ),
    row(
        "become",
        &[("privilege_escalation", "become")],
        &["ANSIBLE_BECOME"],
        "no",
        "Become another user.",
    ),
    row(
        "become_exe",
        &[("privilege_escalation", "become_exe")],
        &["ANSIBLE_BECOME_EXE"],
        "",
        "The executable that changes the user.",
    ),
    row(
        "become_flags",
        &[("privilege_escalation", "become_flags")],
        &["ANSIBLE_BECOME_FLAGS"],
        "",
        "Flags for it.",
    ),
    row(
        "become_method",
        &[("privilege_escalation", "become_method")],
        &["ANSIBLE_BECOME_METHOD"],
        "",
        "The way to change the user.",
    ),
    row(
        "become_user",
        &[("privilege_escalation", "become_user")],
        &["ANSIBLE_BECOME_USER"],
        "",
        "The user to become.",
    ),
    row(
        "check_mode_markers",
        &[("defaults", "check_mode_markers")],
        &["ANSIBLE_CHECK_MODE_MARKERS"],
        "no",
        "Mark dry runs on the screen.",
    ),
    row(
        "collections_path",
        &[
            ("defaults", "collections_path"),
            ("defaults", "collections_paths"),
        ],
        &["ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_COLLECTIONS_PATHS"],
        "",
        "Where collections are, with colons.",
    ),
    row(
        "compat",
        &[("regrole", "compat")],
        &["REGROLE_COMPAT"],
        "",
        "The compatibility level: 2.9, 2.18 or 2.19.",
    ),
    row(
        "deprecation_warnings",
        &[("defaults", "deprecation_warnings")],
        &["ANSIBLE_DEPRECATION_WARNINGS"],
        "yes",
        "Warn of what a later version takes away.",
    ),
    row(
        "diff_always",
        &[("diff", "always")],
        &["ANSIBLE_DIFF_ALWAYS"],
        "no",
        "Show differences.",
    ),
    row(
        "duplicate_dict_key",
        &[("defaults", "duplicate_dict_key")],
        &["ANSIBLE_DUPLICATE_YAML_DICT_KEY"],
        "warn",
        "What a key is that stands twice in a mapping of YAML: error, warn or ignore.",
    ),
    row(
        "display_failed_stderr",
        &[("defaults", "display_failed_stderr")],
        &["ANSIBLE_DISPLAY_FAILED_STDERR"],
        "no",
        "Print failures to standard error.",
    ),
    row(
        "display_ok_hosts",
        &[("defaults", "display_ok_hosts")],
        &["ANSIBLE_DISPLAY_OK_HOSTS"],
        "yes",
        "Print results without change.",
    ),
    row(
        "display_skipped_hosts",
        &[("defaults", "display_skipped_hosts")],
        &["ANSIBLE_DISPLAY_SKIPPED_HOSTS", "DISPLAY_SKIPPED_HOSTS"],
        "yes",
        "Print what is skipped.",
    ),
    row(
        "filter_plugins",
        &[("defaults", "filter_plugins")],
        &["ANSIBLE_FILTER_PLUGINS"],
        "",
        "Where filters that are Python plugins are, with colons.",
    ),
    row(
        "force_color",
        &[],
        &["ANSIBLE_FORCE_COLOR"],
        "no",
        "Use colours on a pipe as well.",
    ),
    row(
        "force_handlers",
        &[("defaults", "force_handlers")],
        &["ANSIBLE_FORCE_HANDLERS"],
        "no",
        "Run notified handlers even where a task failed.",
    ),
    row(
        "force_valid_group_names",
        &[("defaults", "force_valid_group_names")],
        &["ANSIBLE_TRANSFORM_INVALID_GROUP_CHARS"],
        "never",
        "What to do with odd group names: never, ignore, always, silently.",
    ),
    row(
        "forks",
        &[("defaults", "forks")],
        &["ANSIBLE_FORKS"],
        "",
        "Hosts at the same time; no bound where not set.",
    ),
    row(
        "gathering",
        &[("defaults", "gathering")],
        &["ANSIBLE_GATHERING"],
        "implicit",
        "When facts are gathered.",
    ),
    row(
        "hash_behaviour",
        &[("defaults", "hash_behaviour")],
        &["ANSIBLE_HASH_BEHAVIOUR"],
        "replace",
        "Whether a variable that is a mapping replaces one of lower precedence, or merges with it.",
    ),
    row(
        "hints",
        &[("regrole", "hints")],
        &["REGROLE_HINTS"],
        "yes",
        "Add to Ansible's words, on standard error, what to do about an error.",
    ),
    row(
        "host_key_checking",
        &[
            ("defaults", "host_key_checking"),
            ("ssh_connection", "host_key_checking"),
        ],
        &["ANSIBLE_HOST_KEY_CHECKING", "ANSIBLE_SSH_HOST_KEY_CHECKING"],
        "yes",
        "Refuse unknown host keys.",
    ),
    row(
        "inventory",
        &[("defaults", "inventory")],
        &["ANSIBLE_INVENTORY"],
        "",
        "Inventory sources, with commas.",
    ),
    row(
        "inventory_any_unparsed_is_failed",
        &[("inventory", "any_unparsed_is_failed")],
        &["ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED"],
        "no",
        "A source that can't be read is an error.",
    ),
    row(
        "inventory_ignore_extensions",
        &[
            ("defaults", "inventory_ignore_extensions"),
            ("inventory", "ignore_extensions"),
        ],
        &["ANSIBLE_INVENTORY_IGNORE"],
        "",
        "Endings of files that inventory directories don't mean.",
    ),
    row(
        "jinja2_extensions",
        &[("defaults", "jinja2_extensions")],
        &["ANSIBLE_JINJA2_EXTENSIONS"],
        "",
        "The extensions of Jinja2 that templates may use, with commas: jinja2.ext.do, .loopcontrols, .i18n, .debug.",
    ),
    row(
        "inventory_ignore_patterns",
        &[
            ("defaults", "inventory_ignore_patterns"),
            ("inventory", "ignore_patterns"),
        ],
        &["ANSIBLE_INVENTORY_IGNORE_REGEX"],
        "",
        "Names of files that inventory directories don't mean, as regular expressions.",
    ),
    row(
        "inventory_unparsed_is_failed",
        &[("inventory", "unparsed_is_failed")],
        &["ANSIBLE_INVENTORY_UNPARSED_FAILED"],
        "no",
        "It is an error that no source can be read.",
    ),
    row(
        "inventory_unparsed_warning",
        &[("inventory", "inventory_unparsed_warning")],
        &["ANSIBLE_INVENTORY_UNPARSED_WARNING"],
        "yes",
        "Warn where no source can be read.",
    ),
    row(
        "kube_force",
        &[("regrole", "kube_force")],
        &["REGROLE_KUBE_FORCE"],
        "",
        "`never`: an object that can't be changed is an error, not recreated.",
    ),
    row(
        "lookup_plugins",
        &[("defaults", "lookup_plugins")],
        &["ANSIBLE_LOOKUP_PLUGINS"],
        "",
        "Where lookups that are Python plugins are, with colons.",
    ),
    row(
        "localhost_warning",
        &[("defaults", "localhost_warning")],
        &["ANSIBLE_LOCALHOST_WARNING"],
        "yes",
        "Warn where there are no hosts but the implicit localhost.",
    ),
    row(
        "nocolor",
        &[("defaults", "nocolor")],
        &["ANSIBLE_NOCOLOR", "NO_COLOR"],
        "no",
        "Use no colours.",
    ),
    row(
        "private_key_file",
        &[("defaults", "private_key_file")],
        &["ANSIBLE_PRIVATE_KEY_FILE"],
        "",
        "The key to log in with.",
    ),
    row(
        "python",
        &[("regrole", "python")],
        &["REGROLE_PYTHON"],
        "",
        "The Python that runs filters, tests and lookups that are Python plugins.",
    ),
    row(
        "python_timeout",
        &[("regrole", "python_timeout")],
        &["REGROLE_PYTHON_TIMEOUT"],
        "300",
        "How many seconds one of them may take.",
    ),
    row(
        "remote_tmp",
        &[("defaults", "remote_tmp")],
        &["ANSIBLE_REMOTE_TMP", "ANSIBLE_REMOTE_TEMP"],
        "",
        "A further directory for the agent.",
    ),
    row(
        "remote_user",
        &[("defaults", "remote_user")],
        &["ANSIBLE_REMOTE_USER"],
        "",
        "The user to log in as.",
    ),
    row(
        "roles_path",
        &[("defaults", "roles_path")],
        &["ANSIBLE_ROLES_PATH"],
        "",
        "Where roles are, with colons.",
    ),
    row(
        "show_task_path_on_failure",
        &[("defaults", "show_task_path_on_failure")],
        &["ANSIBLE_SHOW_TASK_PATH_ON_FAILURE"],
        "no",
        "Print where a failed task is written.",
    ),
    row(
        "control_path",
        &[("ssh_connection", "control_path")],
        &["ANSIBLE_SSH_CONTROL_PATH"],
        "",
        "Name of the socket of shared ssh connections.",
    ),
    row(
        "control_path_dir",
        &[("ssh_connection", "control_path_dir")],
        &["ANSIBLE_SSH_CONTROL_PATH_DIR"],
        "~/.ansible/cp",
        "Directory of the sockets of shared ssh connections.",
    ),
    row(
        "ssh_args",
        &[("ssh_connection", "ssh_args")],
        &["ANSIBLE_SSH_ARGS"],
        "-C -o ControlMaster=auto -o ControlPersist=60s",
        "Arguments for ssh.",
    ),
    row(
        "ssh_common_args",
        &[("ssh_connection", "ssh_common_args")],
        &["ANSIBLE_SSH_COMMON_ARGS"],
        "",
        "Further arguments for ssh.",
    ),
    row(
        "ssh_executable",
        &[("ssh_connection", "ssh_executable")],
        &["ANSIBLE_SSH_EXECUTABLE"],
        "",
        "The ssh program.",
    ),
    row(
        "ssh_extra_args",
        &[("ssh_connection", "ssh_extra_args")],
        &["ANSIBLE_SSH_EXTRA_ARGS"],
        "",
        "Further arguments for ssh.",
    ),
    row(
        "test_plugins",
        &[("defaults", "test_plugins")],
        &["ANSIBLE_TEST_PLUGINS"],
        "",
        "Where tests that are Python plugins are, with colons.",
    ),
    row(
        "timeout",
        &[("defaults", "timeout")],
        &["ANSIBLE_TIMEOUT"],
        "10",
        "Seconds to wait for a connection.",
    ),
    row(
        "transport",
        &[("defaults", "transport")],
        &["ANSIBLE_TRANSPORT"],
        "",
        "The way to connect.",
    ),
    row(
        "verbosity",
        &[("defaults", "verbosity")],
        &["ANSIBLE_VERBOSITY"],
        "0",
        "Number of -v.",
    ),
];

/// The settings of a run.
#[derive(Clone, Debug, Default)]
pub struct Config {
    values: BTreeMap<&'static str, String>,
    path: Option<PathBuf>,
    file: Entries,
    environment: BTreeMap<String, String>,
}

impl Config {
    /// Reads the configuration file and the environment.
    ///
    /// The file is `$ANSIBLE_CONFIG`, `./ansible.cfg` (not in a directory that others can write),
    /// `~/.ansible.cfg` or `/etc/ansible/ansible.cfg`.
    ///
    /// # Errors
    /// A file that can't be read, with its place.
    pub fn load(sources: &Sources, environment: &BTreeMap<String, String>) -> Result<Config> {
        let path = find(sources, environment);
        let mut file = Entries::new();
        if let Some(path) = &path {
            let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, &error))?;
            file = parse(sources, path, &text)?;
        }
        let mut config = Config {
            values: BTreeMap::new(),
            path,
            file,
            environment: environment.clone(),
        };
        let base = config.base();
        let mut values = BTreeMap::new();
        for setting in TABLE {
            let from_env = setting
                .env
                .iter()
                .find_map(|name| environment.get(*name).cloned());
            let from_file = || {
                setting.ini.iter().find_map(|(section, key)| {
                    let value = config
                        .file
                        .get(&((*section).to_owned(), (*key).to_owned()))?;
                    Some(if is_path(setting.name) {
                        let separator = if has_colons(setting.name) { ":" } else { "," };
                        beside(&base, value, separator, environment)
                    } else {
                        unquoted(value).to_owned()
                    })
                })
            };
            let value = from_env
                .or_else(from_file)
                .unwrap_or_else(|| setting.default.to_owned());
            if !value.is_empty() {
                values.insert(setting.name, value);
            }
        }
        config.values = values;
        if let Some(path) = &config.path {
            note_unused(sources, path, &config.file);
        }
        Ok(config)
    }

    /// Returns the directory of the configuration file.
    fn base(&self) -> PathBuf {
        let dir = self.path.as_ref().and_then(|path| path.parent());
        dir.map(Path::to_path_buf).unwrap_or_default()
    }

    /// Returns the configuration file that was read.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Returns a setting as text.
    pub fn text(&self, name: &str) -> Option<String> {
        self.values.get(name).cloned()
    }

    /// Returns a setting as a boolean.
    pub fn flag(&self, name: &str) -> bool {
        self.values
            .get(name)
            .is_some_and(|text| crate::value::to_bool(&text.as_str().into()).unwrap_or(false))
    }

    /// Returns a setting as a number.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.values
            .get(name)
            .and_then(|text| text.trim().parse().ok())
    }

    /// Returns a setting as a list: parts with commas, or with colons for paths.
    pub fn list(&self, name: &str) -> Vec<String> {
        let separator = if has_colons(name) { ':' } else { ',' };
        self.values
            .get(name)
            .map(|text| {
                text.split(separator)
                    .map(|part| part.trim().to_owned())
                    .filter(|part| !part.is_empty())
                    .collect()
            })
            .unwrap_or_default()
    }
}

fn is_path(name: &str) -> bool {
    has_colons(name)
        || matches!(
            name,
            "control_path_dir" | "inventory" | "private_key_file" | "vault_password_file"
        )
}

/// Says whether a setting is a list of directories with colons between them.
fn has_colons(name: &str) -> bool {
    matches!(
        name,
        "collections_path" | "filter_plugins" | "lookup_plugins" | "roles_path" | "test_plugins"
    )
}

/// Relative paths in a configuration file start at the file.
fn beside(
    base: &Path,
    value: &str,
    separator: &str,
    environment: &BTreeMap<String, String>,
) -> String {
    value
        .split(separator)
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| {
            let here = std::env::current_dir().unwrap_or_default();
            let part = part.replace("{{CWD}}", &here.to_string_lossy());
            let path = expand_home(&expand_variables(&part, environment));
            let path = normal_path(&base.join(path));
            path.to_string_lossy().into_owned()
        })
        .collect::<Vec<_>>()
        .join(separator)
}

/// Puts environment variables in place of `$NAME` and `${NAME}`; unknown ones stay.
fn expand_variables(text: &str, environment: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let braced = after
            .strip_prefix('{')
            .and_then(|inside| inside.split_once('}'));
        let end = after
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(after.len());
        let (name, next) = braced.unwrap_or(after.split_at(end));
        match environment.get(name) {
            Some(value) => {
                out.push_str(value);
                rest = next;
            }
            None => {
                out.push('$');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// Takes `.` and `..` out of a path, as names alone say.
pub fn normal_path(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// Tells which settings of a file have no effect, for those who ask for more words.
fn note_unused(sources: &Sources, path: &Path, file: &Entries) {
    let is_used = |section: &str, key: &str| {
        TABLE
            .iter()
            .any(|row| row.ini.iter().any(|(s, k)| *s == section && *k == key))
    };
    let unused: Vec<String> = file
        .keys()
        .filter(|(section, key)| !is_used(section, key))
        .map(|(section, key)| format!("[{section}] {key}"))
        .collect();
    if !unused.is_empty() {
        sources.note(Notice::detail(format!(
            "settings in {} that have no effect here: {}",
            path.display(),
            unused.join(", ")
        )));
    }
}

/// Puts the user's home directory in place of a leading `~`.
pub fn expand_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

fn find(sources: &Sources, environment: &BTreeMap<String, String>) -> Option<PathBuf> {
    if let Some(given) = environment.get("ANSIBLE_CONFIG") {
        let path = PathBuf::from(given);
        let path = if path.is_dir() {
            path.join("ansible.cfg")
        } else {
            path
        };
        if path.is_file() {
            return std::path::absolute(path).ok();
        }
    }
    let here = std::env::current_dir().ok()?;
    if here.join("ansible.cfg").is_file() {
        if !is_world_writable(&here) {
            return Some(here.join("ansible.cfg"));
        }
        sources.note(Notice::warning(format!(
            "Ansible is being run in a world writable directory ({}), ignoring it as an ansible.cfg source. For more information see https://docs.ansible.com/ansible/devel/reference_appendices/config.html#cfg-in-world-writable-dir",
            here.display()
        )));
    }
    let home = environment
        .get("HOME")
        .map(|home| Path::new(home).join(".ansible.cfg"));
    home.into_iter()
        .chain([PathBuf::from("/etc/ansible/ansible.cfg")])
        .find(|path| path.is_file())
}

fn is_world_writable(dir: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(dir).is_ok_and(|meta| meta.permissions().mode() & 0o002 != 0)
}

type Entries = BTreeMap<(String, String), String>;

fn parse(sources: &Sources, path: &Path, text: &str) -> Result<Entries> {
    let source = sources.add(path.to_string_lossy().into_owned(), text);
    let mut out: Entries = BTreeMap::new();
    let mut section = String::new();
    let mut last: Option<(String, String)> = None;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with([' ', '\t']) {
            // A continuation of the value before it.
            if let Some(value) = last.as_ref().and_then(|key| out.get_mut(key)) {
                value.push('\n');
                value.push_str(trimmed);
            }
            continue;
        }
        if let Some(name) = trimmed
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
        {
            name.0.clone_into(&mut section);
            continue;
        }
        let Some((key, value)) = trimmed.split_once(['=', ':']) else {
            return Err(Error::new(
                Kind::Usage,
                format!("expected `key = value`, found `{trimmed}`"),
            )
            .at(Span::new(source, start, start + trimmed.len())));
        };
        // A comment follows a blank and a semicolon.
        let value = value.split(" ;").next().unwrap_or("").trim();
        let key = (section.clone(), key.trim().to_lowercase());
        out.insert(key.clone(), value.to_owned());
        last = Some(key);
    }
    Ok(out)
}

/// Takes one pair of quotes off a value.
fn unquoted(value: &str) -> &str {
    ['"', '\'']
        .iter()
        .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_stands_once_with_a_doc_line() {
        let mut names: Vec<&str> = TABLE.iter().map(|row| row.name).collect();
        names.dedup();
        assert_eq!(names.len(), TABLE.len());
        assert!(TABLE.iter().all(|row| row.doc.ends_with('.')));
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("ansible.cfg");
        std::fs::write(
            &path,
            "[defaults]\nforks = 7 ; many\nroles_path = roles:/x\n[regrole]\ncompat=2.9\n",
        )
        .expect("a file");
        let environment = [
            ("ANSIBLE_CONFIG", path.to_str().expect("text")),
            ("ANSIBLE_FORKS", "3"),
        ];
        let environment = environment
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let config = Config::load(&Sources::default(), &environment).expect("a configuration");
        assert_eq!(config.number("forks"), Some(3));
        assert_eq!(config.text("compat").as_deref(), Some("2.9"));
        assert_eq!(
            config.list("roles_path"),
            [
                dir.path().join("roles").to_string_lossy().into_owned(),
                "/x".into()
            ]
        );
    }
}
