//! What subcommands share: level, inventory, variables, templates.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::session::{Chosen, Session};
use crate::actions;
use crate::compat::Level;
use crate::config::Config;
use crate::diag::{Error, Kind, Notice, Result, Sources};
use crate::executor::{Options, fixed_variables};
use crate::inventory::{self, GroupNames, Inventory, SourceOptions};
use crate::jinja::Extension;
use crate::modules;
use crate::playbook::{Loader, LoaderOptions, Resolved};
use crate::template::{self, MapVariables, PythonOptions, Shared, SharedOptions, Templar};
use crate::value::{Dict, Key, Str, Value, from_json_text};
use crate::vars::{RunNames, Store, VarFiles};
use crate::vault::Keyring;
use crate::yaml;

/// Everything that a run needs before its first play.
pub(super) struct Setup {
    pub(super) chosen: Chosen,
    pub(super) store: Store,
    pub(super) loader: Loader,
    pub(super) config: Config,
    /// The variable files beside inventory and playbook.
    pub(super) files: Rc<VarFiles>,
}

/// Returns the environment as text.
pub(super) fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .map(|(key, value)| {
            (
                key.to_string_lossy().into_owned(),
                value.to_string_lossy().into_owned(),
            )
        })
        .collect()
}

/// Reads `-e`: `key=value …`, YAML or JSON, `@file`.
pub(super) fn extra_vars(sources: &Sources, given: &[String], level: Level) -> Result<Dict> {
    let vars = Dict::new();
    for text in given {
        let found = if let Some(path) = text.strip_prefix('@') {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
            if !path.exists() {
                return Err(unreadable(&path, level));
            }
            crate::vars::load_file(sources, &path)?
        } else if text.trim_start().starts_with(['{', '[']) {
            let source = sources.add("<extra vars>", text.as_str());
            match yaml::load(sources, source)?.map(|node| node.to_value()) {
                Some(Value::Dict(dict)) => dict,
                _ => {
                    return Err(Error::new(
                        Kind::Usage,
                        format!(
                            "Invalid extra vars data supplied. '{text}' could not be made into a dictionary"
                        ),
                    ));
                }
            }
        } else {
            let pairs = crate::playbook::parse_pairs(&Str::trusted(text))
                .map_err(|message| Error::new(Kind::Usage, message))?;
            if let Some(words) = pairs.remove("_raw_params") {
                sources.note(Notice::hint(format!(
                    "`-e`: `{words}` sets nothing, `key=value` is expected"
                )));
            }
            pairs
        };
        for (key, value) in found.to_vec() {
            vars.set_key(key, value);
        }
    }
    Ok(vars)
}

/// Says that a file of variables isn't there.
fn unreadable(path: &Path, level: Level) -> Error {
    let (message, cause) =
        level.file_unreadable(&path.to_string_lossy(), "No such file or directory");
    let error = Error::new(Kind::NotFound, message);
    match cause {
        Some(cause) => error.caused_by(Error::new(Kind::Io, cause)),
        None => error,
    }
}

/// Modules that Ansible or kubespray's collections have and this program doesn't.
const KNOWN_ELSEWHERE: &[&str] = &[
    "apt",
    "apt_key",
    "apt_repository",
    "assemble",
    "async_status",
    "blockinfile",
    "cron",
    "deb822_repository",
    "debconf",
    "dnf",
    "dnf5",
    "dpkg_selections",
    "expect",
    "fetch",
    "find",
    "get_url",
    "getent",
    "git",
    "group",
    "hostname",
    "ini_file",
    "iptables",
    "known_hosts",
    "modprobe",
    "mount",
    "mount_facts",
    "package",
    "package_facts",
    "pause",
    "pip",
    "reboot",
    "replace",
    "rpm_key",
    "script",
    "selinux",
    "service",
    "service_facts",
    "set_stats",
    "subversion",
    "synchronize",
    "sysctl",
    "systemd",
    "systemd_service",
    "sysvinit",
    "tempfile",
    "timezone",
    "unarchive",
    "uri",
    "user",
    "validate_argument_spec",
    "wait_for",
    "wait_for_connection",
    "yum",
    "yum_repository",
    "zypper",
    "include",
    "redhat_subscription",
    "rhsm_repository",
];

/// Resolves the name of a module or action.
fn resolve(name: &str) -> Resolved {
    let short = name
        .strip_prefix("ansible.builtin.")
        .or_else(|| name.strip_prefix("ansible.legacy."))
        .unwrap_or(name);
    if actions::find(short).is_some()
        || actions::BUILT_IN.contains(&short)
        || modules::find(short).is_some()
    {
        return Resolved::Known(short.to_owned());
    }
    let last = short.rsplit('.').next().unwrap_or(short);
    if KNOWN_ELSEWHERE.contains(&last) || name.matches('.').count() >= 2 {
        return Resolved::Unsupported;
    }
    let names = actions::TABLE
        .iter()
        .map(|row| row.name)
        .chain(actions::BUILT_IN.iter().copied())
        .chain(modules::TABLE.iter().map(|module| module.name));
    Resolved::Unknown(crate::diag::closest(short, names).map(str::to_owned))
}

/// Puts together what a run needs. `dir` is the playbook's directory.
pub(super) fn setup(
    session: &Session,
    options: &Options,
    (config, chosen): (Config, Chosen),
    keyring: Rc<Keyring>,
    given_inventories: &[String],
    extra: Dict,
    dir: &Path,
) -> Result<Setup> {
    let sources = &session.sources;
    let level = chosen.level;
    let mut given = given_inventories.to_vec();
    if given.is_empty() {
        given = config.list("inventory");
    }
    if given.is_empty() {
        given.push(inventory::DEFAULT_SOURCE.to_owned());
    }
    let source_options = source_options(&config, level, options.limit.clone());
    let loaded = inventory::load(sources, &given, &source_options)?;
    let inventory = Rc::new(RefCell::new(loaded));
    let base_dir = std::env::current_dir().unwrap_or_default();
    let playbook_dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_path_buf());
    let templates = Shared::new(SharedOptions {
        level,
        sources: sources.clone(),
        config: Rc::new(config.clone()),
        environment: session.environment.clone(),
        verbosity: options.verbosity,
        keyring,
        base_dir: base_dir.clone(),
        python: python_options(&config, &playbook_dir),
        extensions: extensions(&config, level, sources)?,
    });
    let config_path = config
        .path()
        .map(|path| path.to_string_lossy().into_owned());
    let names = RunNames {
        base_dir,
        templates: templates.clone(),
        fixed: fixed_variables(
            options,
            level,
            &shown_sources(&given),
            config_path.as_deref(),
        ),
        shortens_addresses: level.shortens_addresses(),
        merges_dicts: config.text("hash_behaviour").as_deref() == Some("merge"),
    };
    let problems = Rc::new(RefCell::new(Vec::new()));
    let files = Rc::new(VarFiles::new(
        sources,
        level,
        vec![playbook_dir],
        controller_python(&session.environment),
    ));
    let store = store(
        names,
        &inventory,
        extra.clone(),
        files.clone(),
        problems.clone(),
    );
    // Variable files are read now, so that a mistake in one is said before anything runs.
    let hosts = inventory.borrow().host_names();
    for host in &hosts {
        store.host_layers(host);
        if let Some(error) = problems.borrow_mut().pop() {
            return Err(error);
        }
    }
    let static_templates = templates.clone();
    let loader = Loader::new(
        sources.clone(),
        LoaderOptions {
            roles_path: roles_path(&config),
            level,
            resolve: Box::new(resolve),
            render: Box::new(move |value, layers| {
                let vars = Dict::new();
                for layer in layers.iter().chain(std::iter::once(&extra)) {
                    for (key, value) in layer.to_vec() {
                        vars.set_key(key, value);
                    }
                }
                let variables = Rc::new(MapVariables::new(vars, Vec::new()));
                Templar::new(static_templates.clone(), variables).render(value)
            }),
            opened: Box::new(move |dir| templates.add_plugins(dir)),
        },
    );
    Ok(Setup {
        chosen,
        store,
        loader,
        config,
        files,
    })
}

/// Returns sources as `ansible_inventory_sources` has them: files and directories by their whole path.
fn shown_sources(given: &[String]) -> Vec<String> {
    given
        .iter()
        .map(|source| {
            if source.contains(',') {
                return source.clone();
            }
            let path = crate::config::expand_home(source);
            let path = std::path::absolute(&path).unwrap_or(path);
            crate::config::normal_path(&path)
                .to_string_lossy()
                .into_owned()
        })
        .collect()
}

/// Returns how inventory sources are read.
/// Reads what becomes of names of groups that are no names of variables.
pub(super) fn group_names(config: &Config) -> GroupNames {
    GroupNames::parse(&config.text("force_valid_group_names").unwrap_or_default())
}

fn source_options(config: &Config, level: Level, limit: Option<String>) -> SourceOptions {
    SourceOptions {
        level,
        ignored_extensions: config
            .text("inventory_ignore_extensions")
            .map(|_| config.list("inventory_ignore_extensions")),
        ignore_patterns: config.list("inventory_ignore_patterns"),
        group_names: group_names(config),
        any_unparsed_is_failed: config.flag("inventory_any_unparsed_is_failed"),
        unparsed_is_failed: config.flag("inventory_unparsed_is_failed"),
        unparsed_warning: config.flag("inventory_unparsed_warning"),
        limit,
    }
}

/// Makes the store, whose inventory layers come from sources and the files beside them.
fn store(
    names: RunNames,
    inventory: &Rc<RefCell<Inventory>>,
    extra: Dict,
    files: Rc<VarFiles>,
    problems: Rc<RefCell<Vec<Error>>>,
) -> Store {
    Store::new(
        names,
        inventory.clone(),
        extra,
        Box::new(move |inventory, host| {
            files.host_layers(inventory, host).unwrap_or_else(|error| {
                problems.borrow_mut().push(error);
                Vec::new()
            })
        }),
    )
}

/// Returns the controller's Python, as `ansible_playbook_python` tells it.
fn controller_python(environment: &BTreeMap<String, String>) -> Option<String> {
    let path = environment.get("PATH")?;
    std::env::split_paths(path)
        .map(|dir| dir.join("python3"))
        .find(|program| program.is_file())
        .map(|program| program.to_string_lossy().into_owned())
}

/// Returns where Python plugins are, and what runs them.
/// Reads which extensions of Jinja2 templates may use.
fn extensions(config: &Config, level: Level, sources: &Sources) -> Result<BTreeSet<Extension>> {
    let names = config.list("jinja2_extensions");
    if !names.is_empty() && level.deprecates_jinja_settings() {
        sources.note(Notice::deprecation(
            "DEFAULT_JINJA2_EXTENSIONS option. Reason: Jinja2 extensions have been deprecated\n\
             Alternatives: Ansible-supported Jinja plugins (tests, filters, lookups).",
            "2.23",
        ));
    }
    template::extensions(&names)
}

fn python_options(config: &Config, playbook_dir: &Path) -> PythonOptions {
    let paths = |name: &str| -> Vec<PathBuf> {
        let configured = config.list(name);
        configured.iter().map(PathBuf::from).collect()
    };
    let standard = |kind: &str| {
        let own = std::env::home_dir().map(|home| home.join(".ansible"));
        let shared = Some(PathBuf::from("/usr/share/ansible"));
        let places = own.into_iter().chain(shared);
        places.map(|dir| dir.join(kind)).collect::<Vec<_>>()
    };
    let directories = ["filter", "test", "lookup"].map(|kind| {
        let configured = paths(&format!("{kind}_plugins"));
        if configured.is_empty() {
            standard(&format!("plugins/{kind}"))
        } else {
            configured
        }
    });
    let mut collections = vec![playbook_dir.join("collections")];
    let configured = paths("collections_path");
    collections.extend(if configured.is_empty() {
        standard("collections")
    } else {
        configured
    });
    let seconds = config.number("python_timeout").unwrap_or_default();
    PythonOptions {
        directories,
        collections,
        interpreter: config.text("python").filter(|text| !text.is_empty()),
        limit: std::time::Duration::from_secs(u64::try_from(seconds).unwrap_or_default()),
        config: config.path().map(Path::to_path_buf),
    }
}

fn roles_path(config: &Config) -> Vec<PathBuf> {
    let configured = config.list("roles_path");
    if !configured.is_empty() {
        return configured.iter().map(PathBuf::from).collect();
    }
    let mut path = Vec::new();
    if let Some(home) = std::env::home_dir() {
        path.push(home.join(".ansible/roles"));
    }
    path.push("/usr/share/ansible/roles".into());
    path.push("/etc/ansible/roles".into());
    path
}

/// Reads variables for `render` and `eval`: a YAML or JSON file.
pub(super) fn vars_file(sources: &Sources, path: &str) -> Result<Dict> {
    let bytes = sources.read(Path::new(path))?.bytes;
    if path.ends_with(".json")
        && let Ok(Value::Dict(dict)) = from_json_text(&String::from_utf8_lossy(&bytes))
    {
        return Ok(trusted(&dict));
    }
    crate::vars::load_file(sources, Path::new(path))
}

/// Trusts all strings of a dict: they are the user's own.
pub(super) fn trusted(dict: &Dict) -> Dict {
    dict.to_vec()
        .into_iter()
        .map(|(key, value): (Key, Value)| {
            let value = value.map_leaves(&mut |leaf| match leaf {
                Value::Str(text) => Value::Str(text.clone().with_trust(true)),
                other => other.clone(),
            });
            (key, value)
        })
        .collect()
}
