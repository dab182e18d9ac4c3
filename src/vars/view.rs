//! The variables that one task sees on one host.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use super::{HostVars, PlayNames, Store};
use crate::playbook::{Role, Task};
use crate::template::{Variables, merge_dicts};
use crate::value::{Dict, Value};

/// Where a variable's value comes from, lowest precedence first.
///
/// **Source:** "Understanding variable precedence" of Ansible's documentation (levels 2 to 22).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// A role's `defaults/`.
    RoleDefaults,
    /// Inventory: group and host variables in the order of their own precedence.
    Inventory,
    /// Facts.
    Facts,
    /// A play's `vars`.
    PlayVars,
    /// A play's `vars_files`.
    PlayVarsFiles,
    /// A role's `vars/`.
    RoleVars,
    /// `vars` of blocks, imports and the task.
    TaskVars,
    /// `include_vars`.
    IncludeVars,
    /// `set_fact` and `register`.
    SetFacts,
    /// Parameters of a role's use.
    RoleParams,
    /// Variables given to an include.
    IncludeParams,
    /// `-e`.
    Extra,
    /// Set by the engine itself.
    Magic,
    /// Loop variables.
    Loop,
}

/// Some variables of one level.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Its precedence.
    pub level: Level,
    /// Where they come from, for people: a file, a role's name.
    pub from: Rc<str>,
    /// The variables, as written.
    pub vars: Dict,
}

/// What has a value for some names where nothing else has; none of them is listed.
pub(super) type LastResort = dyn Fn(&str) -> Option<Value>;

/// The variables that one task sees on one host.
pub struct View {
    store: Store,
    host: Rc<str>,
    play: Option<Rc<PlayNames>>,
    role: Option<Rc<Role>>,
    /// Highest first.
    layers: Vec<Layer>,
    /// `environment` of the task, outermost first.
    environment: Vec<Value>,
    locals: RefCell<Dict>,
    last_resort: RefCell<Option<Rc<LastResort>>>,
    search_path: Vec<PathBuf>,
    /// The directory of the file that the task is written in.
    task_dir: Option<PathBuf>,
}

impl View {
    /// Makes the view of a task; without a task, that of a play's or host's own variables; with an
    /// empty name for the host, that of the play's alone.
    pub fn new(
        store: &Store,
        host: &str,
        play: Option<&Rc<PlayNames>>,
        task: Option<&Task>,
    ) -> View {
        let mut layers = Vec::with_capacity(24);
        let mut add = |level: Level, from: &str, vars: &Dict| {
            // Layers that grow while the task runs stay, empty as they may be.
            if !vars.is_empty() || matches!(level, Level::SetFacts | Level::IncludeVars) {
                layers.push(Layer {
                    level,
                    from: from.into(),
                    vars: vars.clone(),
                });
            }
        };
        let role = task.and_then(|task| task.role.clone());
        if let Some(play) = play {
            for known in play.roles().iter().filter(|role| role.public) {
                add_defaults(&mut add, known);
            }
        }
        if let Some(role) = &role {
            add_defaults(&mut add, role);
        }
        if !host.is_empty() {
            for layer in store.host_layers(host).iter() {
                add(layer.level, &layer.from, &layer.vars);
            }
        }
        add(Level::Facts, "facts", &store.injected_facts(host));
        if let Some(play) = play {
            add(Level::PlayVars, "play vars", &play.play.vars);
            for (from, vars) in play.vars_files(host) {
                add(Level::PlayVarsFiles, &from, &vars);
            }
            for known in play.roles().iter().filter(|role| role.public) {
                add_role_vars(&mut add, known);
            }
        }
        if let Some(role) = &role {
            add_role_vars(&mut add, role);
        }
        if let Some(task) = task {
            for vars in &task.settings.vars {
                add(Level::TaskVars, "task vars", vars);
            }
        }
        add(
            Level::IncludeVars,
            "include_vars",
            &store.include_vars(host),
        );
        add(Level::SetFacts, "set_fact/register", &store.set_facts(host));
        if let Some(role) = &role {
            for parent in &role.parents {
                add(Level::RoleParams, &parent.name, &parent.params);
            }
            add(Level::RoleParams, &role.name, &role.params);
        }
        if let Some(task) = task {
            for vars in &task.settings.include_params {
                add(Level::IncludeParams, "include", vars);
            }
        }
        add(Level::Extra, "extra vars", store.extra());
        layers.reverse();
        let search_path = search_path(store, play, role.as_deref());
        View {
            store: store.clone(),
            host: host.into(),
            play: play.cloned(),
            role,
            layers,
            environment: task.map_or_else(Vec::new, |task| task.settings.environment.clone()),
            locals: RefCell::new(Dict::new()),
            last_resort: RefCell::default(),
            search_path,
            task_dir: None,
        }
    }

    /// Leaves out what tasks set, except for facts.
    #[must_use]
    pub fn without_set_facts(mut self) -> View {
        self.layers
            .retain(|layer| !matches!(layer.level, Level::SetFacts | Level::IncludeVars));
        self
    }

    /// Looks for files beside the task's file as well.
    #[must_use]
    pub fn beside(mut self, task_dir: PathBuf) -> View {
        self.task_dir = Some(task_dir);
        self
    }

    /// Returns where the task's role, its parents and its play are.
    pub fn roles_and_play(&self) -> &[PathBuf] {
        &self.search_path
    }

    /// Adds what is the same for all of a play, but not the play's variables.
    #[must_use]
    pub(super) fn seen_from(mut self, play: Option<&Rc<PlayNames>>) -> View {
        self.search_path = search_path(&self.store, play, None);
        self.play = play.cloned();
        self
    }

    /// Sets a variable above all others: a loop's item, a label, a result under judgement.
    pub fn set_local(&self, name: &str, value: Value) {
        self.locals.borrow().set(name, value);
    }

    /// Takes a local variable away.
    pub fn remove_local(&self, name: &str) {
        self.locals.borrow().remove(name);
    }

    /// Returns all layers, highest precedence first.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Returns where the variables of all hosts are.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the host.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the role of the task, if it stands in one.
    pub fn role(&self) -> Option<&Rc<Role>> {
        self.role.as_ref()
    }

    fn magic(&self, name: &str) -> Option<Value> {
        match name {
            "hostvars" => Some(HostVars::all(&self.store, self.play.as_ref())),
            "ansible_facts" => Some(Value::Dict(self.store.facts_namespace(&self.host))),
            "role_name" | "ansible_role_name" => {
                self.role.as_ref().map(|role| Value::str(&role.name))
            }
            "role_path" => self
                .role
                .as_ref()
                .map(|role| Value::str(role.path.to_string_lossy())),
            "ansible_parent_role_names" | "ansible_parent_role_paths"
                if self
                    .role
                    .as_ref()
                    .is_some_and(|role| role.parents.is_empty()) =>
            {
                None
            }
            "ansible_parent_role_names" => self.role.as_ref().map(|role| {
                Value::list(
                    role.parents
                        .iter()
                        .rev()
                        .map(|parent| Value::str(&parent.name))
                        .collect(),
                )
            }),
            "ansible_parent_role_paths" => self.role.as_ref().map(|role| {
                Value::list(
                    role.parents
                        .iter()
                        .rev()
                        .map(|p| Value::str(p.path.to_string_lossy()))
                        .collect(),
                )
            }),
            "environment" => Some(Value::list(self.environment.clone())),
            "ansible_collection_name" => self
                .role
                .as_ref()
                .map(|role| Value::str(&role.collection))
                .filter(Value::truth),
            "ansible_search_path" => Some(Value::list(
                Variables::search_path(self)
                    .iter()
                    .map(|path| Value::str(path.to_string_lossy()))
                    .collect(),
            )),
            _ => self
                .play
                .as_ref()
                .and_then(|play| play.magic(name))
                .or_else(|| self.store.magic(&self.host, name)),
        }
    }
}

impl View {
    /// Sets what is asked last.
    pub fn set_last_resort(&self, last_resort: Rc<LastResort>) {
        *self.last_resort.borrow_mut() = Some(last_resort);
    }

    /// Says whether something sets a variable.
    pub fn has(&self, name: &str) -> bool {
        self.stored(name).is_some()
    }

    fn stored(&self, name: &str) -> Option<Value> {
        if let Some(local) = self.locals.borrow().get(name) {
            return Some(local);
        }
        // What goes before facts goes before all of them as well.
        let above_facts = |layer: &&Layer| name == "ansible_facts" && layer.level > Level::Facts;
        let mut above = self.layers.iter().filter(above_facts);
        if !above.any(|layer| layer.vars.get(name).is_some())
            && let Some(magic) = self.magic(name)
        {
            return Some(magic);
        }
        let mut found = self.layers.iter().filter_map(|layer| layer.vars.get(name));
        let highest = found.next()?;
        if !self.store.run_names().merges_dicts {
            return Some(highest);
        }
        // With `hash_behaviour=merge`, mappings of lower precedence shine through.
        let Value::Dict(mut merged) = highest else {
            return Some(highest);
        };
        for lower in found {
            let Value::Dict(lower) = lower else {
                break;
            };
            merged = merge_dicts(&lower, &merged);
        }
        Some(Value::Dict(merged))
    }
}

impl Variables for View {
    fn get(&self, name: &str) -> Option<Value> {
        self.stored(name).or_else(|| {
            let last_resort = self.last_resort.borrow().clone()?;
            last_resort(name)
        })
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        let text = |keys: Vec<crate::value::Key>| {
            keys.into_iter()
                .filter_map(|key| key.as_str().map(str::to_owned))
        };
        let magic = super::magic::NAMES
            .iter()
            .filter(|name| self.magic(name).is_some());
        let all = magic
            .map(|name| (*name).to_owned())
            .chain(text(self.locals.borrow().keys()))
            .chain(self.layers.iter().flat_map(|layer| text(layer.vars.keys())));
        for name in all {
            if seen.insert(name.clone()) {
                names.push(name);
            }
        }
        names
    }

    fn search_path(&self) -> Vec<PathBuf> {
        let mut path = self.search_path.clone();
        if let Some(dir) = &self.task_dir
            && !path.contains(dir)
        {
            path.insert(path.len().saturating_sub(1), dir.clone());
        }
        path
    }
}

/// Adds a role's defaults, those of its dependencies before, those of its parents between.
fn add_defaults(add: &mut dyn FnMut(Level, &str, &Dict), role: &Role) {
    for dependency in &role.dependencies {
        add_defaults(add, dependency);
    }
    for parent in &role.parents {
        add(Level::RoleDefaults, &parent.name, &parent.defaults);
    }
    add(Level::RoleDefaults, &role.name, &role.defaults);
}

fn add_role_vars(add: &mut dyn FnMut(Level, &str, &Dict), role: &Role) {
    for dependency in &role.dependencies {
        add_role_vars(add, dependency);
    }
    for parent in &role.parents {
        add(Level::RoleVars, &parent.name, &parent.vars);
    }
    add(Level::RoleVars, &role.name, &role.vars);
}

/// Returns where relative files are looked for: the role, the roles that brought it, the play.
fn search_path(store: &Store, play: Option<&Rc<PlayNames>>, role: Option<&Role>) -> Vec<PathBuf> {
    let mut path = Vec::new();
    if let Some(role) = role {
        path.push(role.path.clone());
        path.extend(role.parents.iter().rev().map(|parent| parent.path.clone()));
    }
    match play {
        Some(play) => path.push(play.play.dir.clone()),
        None => path.push(store.base_dir()),
    }
    path
}
