//! Magic variables: what the engine itself says about run, play and host.
//!
//! **Source:** "Special variables" of Ansible's documentation.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;

use crate::inventory::Inventory;
use crate::playbook::{Item, Play, Role};
use crate::template::Shared;
use crate::value::{Dict, Key, Value};

/// All names that magic variables have, in the order in which they are listed.
pub(super) const NAMES: &[&str] = &[
    "inventory_hostname",
    "inventory_hostname_short",
    "inventory_dir",
    "inventory_file",
    "group_names",
    "groups",
    "hostvars",
    "omit",
    "ansible_facts",
    "ansible_version",
    "ansible_check_mode",
    "ansible_diff_mode",
    "ansible_forks",
    "ansible_verbosity",
    "ansible_limit",
    "ansible_run_tags",
    "ansible_skip_tags",
    "ansible_inventory_sources",
    "ansible_config_file",
    "environment",
    "ansible_playbook_python",
    "playbook_dir",
    "ansible_play_name",
    "ansible_play_hosts",
    "ansible_play_hosts_all",
    "ansible_play_batch",
    "play_hosts",
    "ansible_play_role_names",
    "ansible_role_names",
    "ansible_dependent_role_names",
    "role_names",
    "role_name",
    "role_path",
    "ansible_role_name",
    "ansible_parent_role_names",
    "ansible_parent_role_paths",
    "ansible_collection_name",
    "ansible_search_path",
];

/// What is the same for the whole run.
pub struct RunNames {
    /// Where the run was started; the base of relative paths without a playbook.
    pub base_dir: PathBuf,
    /// What all templating shares: filters, tests, lookups, level.
    pub templates: Rc<Shared>,
    /// Variables with fixed values: `ansible_version`, `ansible_check_mode`, `omit`, ….
    pub fixed: Dict,
    /// `hash_behaviour` is `merge`: mappings of several levels become one.
    pub merges_dicts: bool,
    /// `inventory_hostname_short` cuts addresses as well.
    pub shortens_addresses: bool,
}

impl RunNames {
    /// Returns a magic variable that is the same for all hosts.
    pub fn magic(&self, name: &str) -> Option<Value> {
        self.fixed.get(name)
    }
}

/// What is the same for one play: its hosts, roles and files.
pub struct PlayNames {
    /// The play.
    pub play: Rc<Play>,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    hosts_all: Vec<String>,
    batch: Vec<String>,
    /// Those of the batch that still take part.
    batch_left: Vec<String>,
    /// Those of the play that still take part.
    hosts: Vec<String>,
    roles: Vec<Rc<Role>>,
    /// Those whose names are told.
    listed_roles: Vec<Rc<Role>>,
    handlers: Vec<Item>,
    vars_files: HashMap<String, Vec<(Rc<str>, Dict)>>,
}

impl PlayNames {
    /// Starts a play on some hosts.
    pub fn new(play: Rc<Play>, hosts: Vec<String>) -> PlayNames {
        let roles = play.role_list.clone();
        let state = State {
            batch: hosts.clone(),
            batch_left: hosts.clone(),
            hosts: hosts.clone(),
            hosts_all: hosts,
            listed_roles: roles.clone(),
            roles,
            ..State::default()
        };
        PlayNames {
            play,
            state: RefCell::new(state),
        }
    }

    /// Starts a batch of `serial`.
    pub fn start_batch(&self, hosts: &[String]) {
        let mut state = self.state.borrow_mut();
        state.batch = hosts.to_vec();
        state.batch_left = hosts.to_vec();
    }

    /// Takes a host that failed or could not be reached off the list.
    pub fn drop_host(&self, host: &str) {
        let mut state = self.state.borrow_mut();
        state.hosts.retain(|known| known != host);
        state.batch_left.retain(|known| known != host);
    }

    /// Adds a role that an include brought; `is_listed` tells its name with those of the play.
    pub fn add_role(&self, role: &Rc<Role>, is_listed: bool) {
        let mut state = self.state.borrow_mut();
        if !state.roles.iter().any(|known| Rc::ptr_eq(known, role)) {
            state.roles.push(role.clone());
            if is_listed {
                state.listed_roles.push(role.clone());
            }
        }
    }

    /// Adds handlers that an included role brought; they come before the play's own.
    pub fn add_handlers(&self, handlers: &[Item]) {
        self.state
            .borrow_mut()
            .handlers
            .extend(handlers.iter().cloned());
    }

    /// Returns all handlers: those of the play and its roles, then those that includes brought.
    pub fn handlers(&self) -> Vec<Item> {
        let mut all = self.play.handlers.clone();
        all.extend(self.state.borrow().handlers.iter().cloned());
        all
    }

    /// Returns the hosts of the batch that is running.
    pub fn batch(&self) -> Vec<String> {
        self.state.borrow().batch.clone()
    }

    /// Returns the roles of the play, in order.
    pub fn roles(&self) -> Vec<Rc<Role>> {
        self.state.borrow().roles.clone()
    }

    /// Sets what a host's `vars_files` contain.
    pub fn set_vars_files(&self, host: &str, files: Vec<(Rc<str>, Dict)>) {
        self.state
            .borrow_mut()
            .vars_files
            .insert(host.to_owned(), files);
    }

    /// Returns what a host's `vars_files` contain, in order.
    pub fn vars_files(&self, host: &str) -> Vec<(Rc<str>, Dict)> {
        self.state
            .borrow()
            .vars_files
            .get(host)
            .cloned()
            .unwrap_or_default()
    }

    /// Returns a magic variable of the play.
    pub fn magic(&self, name: &str) -> Option<Value> {
        let state = self.state.borrow();
        let list = |names: &[String]| Value::list(names.iter().map(Value::str).collect());
        Some(match name {
            "playbook_dir" => Value::str(self.play.dir.to_string_lossy()),
            "ansible_play_name" => match &self.play.name {
                Some(name) => name.clone(),
                None => self.play.hosts.clone(),
            },
            "ansible_play_hosts" => list(&state.hosts),
            "ansible_play_hosts_all" => list(&state.hosts_all),
            "ansible_play_batch" | "play_hosts" => list(&state.batch_left),
            "ansible_play_role_names" | "role_names" => list(&used_names(&state.listed_roles)),
            "ansible_dependent_role_names" => list(&dependency_names(&state.listed_roles)),
            "ansible_role_names" => {
                let mut names = dependency_names(&state.listed_roles);
                for name in used_names(&state.listed_roles) {
                    if !names.contains(&name) {
                        names.push(name);
                    }
                }
                list(&names)
            }
            _ => return None,
        })
    }
}

/// Returns the names of roles that plays and tasks use, in order, each as often as it is used.
fn used_names(roles: &[Rc<Role>]) -> Vec<String> {
    let brought = dependencies(roles);
    roles
        .iter()
        .filter(|role| !brought.iter().any(|other| Rc::ptr_eq(other, role)))
        .map(|role| role.name.clone())
        .collect()
}

/// Returns the names of roles that other roles depend on, each once.
fn dependency_names(roles: &[Rc<Role>]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for role in dependencies(roles) {
        if !names.contains(&role.name) {
            names.push(role.name.clone());
        }
    }
    names
}

/// Returns all roles that some roles depend on, and what those depend on.
fn dependencies(roles: &[Rc<Role>]) -> Vec<Rc<Role>> {
    let mut found: Vec<Rc<Role>> = Vec::new();
    let mut open: Vec<Rc<Role>> = roles.to_vec();
    while let Some(role) = open.pop() {
        for dependency in &role.dependencies {
            if !found.iter().any(|known| Rc::ptr_eq(known, dependency)) {
                found.push(dependency.clone());
                open.push(dependency.clone());
            }
        }
    }
    found
}

/// Returns a magic variable that depends on the inventory and a host.
pub(super) fn of_host(
    inventory: &Inventory,
    host: &str,
    name: &str,
    shortens_addresses: bool,
) -> Option<Value> {
    Some(match name {
        "inventory_hostname" | "inventory_hostname_short" | "group_names" if host.is_empty() => {
            return None;
        }
        "inventory_hostname" => Value::str(host),
        "inventory_hostname_short" => Value::str(short_name(host, shortens_addresses)),
        "group_names" => Value::list(inventory.group_names(host).iter().map(Value::str).collect()),
        "groups" => Value::Dict(
            inventory
                .groups_with_hosts()
                .into_iter()
                .map(|(group, hosts)| {
                    (
                        Key::str(group),
                        Value::list(hosts.iter().map(Value::str).collect()),
                    )
                })
                .collect(),
        ),
        "inventory_dir" => inventory.source_of(host)?.dir.clone().into(),
        "inventory_file" => inventory.source_of(host)?.file.clone().into(),
        _ => return None,
    })
}

/// Returns a host's name up to the first dot, or all of an address.
fn short_name(host: &str, shortens_addresses: bool) -> &str {
    if !shortens_addresses && host.parse::<std::net::IpAddr>().is_ok() {
        return host;
    }
    host.split('.').next().unwrap_or(host)
}
