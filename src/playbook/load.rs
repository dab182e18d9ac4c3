//! Reads playbook files, task files and roles, and resolves what is static in them.
//!
//! A [`Loader`] is shared by the whole run: it numbers tasks, caches roles and, later, loads what
//! dynamic includes name.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::model::{Item, Play, Playbook, Role, Settings, Task};
use super::parse;
use crate::compat::{Level, Shape};
use crate::diag::{Error, Kind, Result, Sources, Span};
use crate::value::{Dict, Value};
use crate::yaml::{self, Node};

/// What a module or action name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// The name in the tables.
    Known(String),
    /// Ansible has it, this program doesn't.
    Unsupported,
    /// Nobody has it; the nearest name that exists, if one is near.
    Unknown(Option<String>),
}

/// Renders what static imports name, with the variables that are known while loading.
pub type StaticRender = dyn Fn(&Value, &[Dict]) -> Result<Value>;

/// What a loader has to know.
pub struct LoaderOptions {
    /// Where roles are looked for besides the playbook's own `roles`.
    pub roles_path: Vec<PathBuf>,
    /// The level, for removed forms.
    pub level: Level,
    /// Resolves names of modules and actions.
    pub resolve: Box<dyn Fn(&str) -> Resolved>,
    /// Renders names in static imports.
    pub render: Box<StaticRender>,
    /// Is told the directory of each playbook and role that is read.
    pub opened: Box<dyn Fn(&Path)>,
}

/// Reads playbooks, roles and task files. Clones share everything.
#[derive(Clone)]
pub struct Loader(pub(super) Rc<Inner>);

pub(super) struct Inner {
    pub(super) sources: Sources,
    pub(super) options: LoaderOptions,
    next: Cell<u64>,
    /// The directory of the playbook whose plays are being read or run.
    pub(super) dir: RefCell<PathBuf>,
}

/// A role that a task includes while the play runs.
#[derive(Clone, Debug, Default)]
pub struct IncludeRole {
    /// Its name.
    pub name: String,
    /// Where the name is written, if that is known.
    pub place: Option<Span>,
    /// The tasks file in place of `main`.
    pub tasks_from: Option<String>,
    /// The vars file in place of `main`.
    pub vars_from: Option<String>,
    /// The defaults file in place of `main`.
    pub defaults_from: Option<String>,
    /// The handlers file in place of `main`.
    pub handlers_from: Option<String>,
    /// The rest of the play sees its variables.
    pub public: bool,
    /// It may run more than once.
    pub allow_duplicates: bool,
    /// Keywords for its tasks.
    pub apply: Option<Dict>,
}

/// What including a role brings.
#[derive(Clone, Debug)]
pub struct Included {
    /// Its tasks, dependencies before.
    pub items: Vec<Item>,
    /// The roles, dependencies before.
    pub roles: Vec<Rc<Role>>,
    /// Their handlers.
    pub handlers: Vec<Item>,
}

impl Loader {
    /// Makes a loader.
    pub fn new(sources: Sources, options: LoaderOptions) -> Loader {
        Loader(Rc::new(Inner {
            sources,
            options,
            next: Cell::new(1),
            dir: RefCell::default(),
        }))
    }

    /// Renders a name with the variables that are known while loading; one that can't be rendered
    /// is as written.
    pub fn shown(&self, name: &Value, vars: &Dict) -> String {
        (self.0.options.render)(name, std::slice::from_ref(vars))
            .map_or_else(|_| name.to_str(), |name| name.to_str())
    }

    pub(super) fn next_id(&self) -> u64 {
        let id = self.0.next.get();
        self.0.next.set(id + 1);
        id
    }

    /// Says which playbook's plays run now: its directory is where roles are looked for.
    pub fn enter(&self, dir: &Path) {
        (self.0.options.opened)(dir);
        *self.0.dir.borrow_mut() = dir.to_path_buf();
    }

    /// Reads a playbook and everything that it imports statically.
    ///
    /// # Errors
    /// What is wrong in it, with its place.
    pub fn playbook(&self, path: &Path) -> Result<Playbook> {
        let mut plays = Vec::new();
        self.plays_of(path, &Settings::default(), 0, &mut plays)?;
        Ok(Playbook {
            path: path.to_path_buf(),
            plays,
        })
    }

    /// Makes a playbook of YAML text that stands in no file, as if it were in a directory.
    ///
    /// # Errors
    /// As [`Loader::playbook`].
    pub fn playbook_text(&self, dir: &Path, name: &str, text: &str) -> Result<Playbook> {
        let source = self.0.sources.add(name, text);
        let mut plays = Vec::new();
        if let Some(node) = yaml::load(&self.0.sources, source)? {
            self.enter(dir);
            self.plays_in(&node, dir, &Settings::default(), 0, &mut plays)?;
        }
        Ok(Playbook {
            path: dir.join(name),
            plays,
        })
    }

    fn plays_of(
        &self,
        path: &Path,
        outer: &Settings,
        depth: usize,
        plays: &mut Vec<Rc<Play>>,
    ) -> Result<()> {
        if depth > 50 {
            return Err(Error::new(
                Kind::Recursion,
                format!("`{}` imports itself", path.display()),
            ));
        }
        let dir = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            _ => PathBuf::from("."),
        };
        let dir = std::path::absolute(&dir).unwrap_or(dir);
        let Some(node) = self.read(path)? else {
            return Err(Error::new(
                Kind::Parse,
                format!("Empty playbook, nothing to do: {}", path.display()),
            ));
        };
        self.enter(&dir);
        self.plays_in(&node, &dir, outer, depth, plays)?;
        self.enter(&dir);
        Ok(())
    }

    fn plays_in(
        &self,
        node: &Node,
        dir: &Path,
        outer: &Settings,
        depth: usize,
        plays: &mut Vec<Rc<Play>>,
    ) -> Result<()> {
        let yaml::Data::Sequence(entries) = &node.data else {
            return Err(Error::new(
                Kind::Parse,
                self.0.options.level.playbook_is_no_list(
                    &self.0.options.level.class_of(shape(node)),
                    &self.0.sources.name(node.span.source),
                ),
            )
            .at(node.span));
        };
        for entry in entries {
            let import = [
                "import_playbook",
                "ansible.builtin.import_playbook",
                "ansible.legacy.import_playbook",
                "include",
            ]
            .iter()
            .find_map(|key| entry.get(key));
            match import {
                Some(named) => {
                    let settings = parse::import_settings(self, entry, outer)?;
                    let name = (self.0.options.render)(&named.to_value(), &settings.vars)
                        .map_err(|error| error.at(named.span))?
                        .to_str();
                    let path = dir.join(name.trim());
                    if !path.exists() {
                        return Err(Error::new(
                            Kind::NotFound,
                            format!("the playbook: {} could not be found", path.display()),
                        )
                        .at(named.span));
                    }
                    self.plays_of(&path, &settings, depth + 1, plays)?;
                    self.enter(dir);
                }
                None => plays.push(Rc::new(parse::play(self, entry, dir, outer)?)),
            }
        }
        Ok(())
    }

    /// Reads a YAML file; `None` where it is empty.
    pub(super) fn read(&self, path: &Path) -> Result<Option<Node>> {
        let bytes = std::fs::read(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::new(
                Kind::NotFound,
                format!("the playbook: {} could not be found", path.display()),
            ),
            _ => Error::io(path, &error),
        })?;
        let content = self.0.sources.opened(path, bytes)?;
        let text = String::from_utf8(content.bytes).map_err(|error| {
            Error::new(Kind::Yaml, format!("`{}` is not UTF-8", path.display()))
                .caused_by(Error::new(Kind::Yaml, error.utf8_error().to_string()))
        })?;
        let shown = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let source = self
            .0
            .sources
            .add(shown.to_string_lossy().into_owned(), text);
        if content.is_secret {
            self.0.sources.hide(source);
        }
        yaml::load(&self.0.sources, source)
    }

    /// Finds the file that an include or import of tasks names.
    ///
    /// # Errors
    /// That it isn't there, with what was looked for.
    pub fn tasks_file(&self, task: &Task, name: &str, task_dir: &Path) -> Result<PathBuf> {
        self.find_tasks(name, task.role.as_deref(), task_dir)
            .map_err(|(error, path)| {
                let dynamic = self.0.options.level.not_included(&path);
                let help = format!("included at {}", self.0.sources.locate(task.span));
                if self.0.options.level.shows_error_blocks() {
                    Error::new(Kind::NotFound, dynamic)
                        .caused_by(error)
                        .help(help)
                } else {
                    error.message_as(dynamic).also_help(help)
                }
            })
    }

    pub(super) fn find_tasks(
        &self,
        name: &str,
        role: Option<&Role>,
        task_dir: &Path,
    ) -> Result<PathBuf, (Error, String)> {
        let mut places = Vec::new();
        if Path::new(name).is_absolute() {
            places.push(PathBuf::from(name));
        } else {
            if let Some(role) = role {
                places.push(role.path.join("tasks").join(name));
            }
            places.push(task_dir.join(name));
            if let Some(role) = role {
                places.push(role.path.join(name));
            }
            places.push(self.0.dir.borrow().join(name));
        }
        match places.iter().find(|path| path.is_file()) {
            Some(found) => Ok(found.clone()),
            None => {
                let first = places.first().map_or_else(
                    || name.to_owned(),
                    |path| path.to_string_lossy().into_owned(),
                );
                Err((self.unreadable(&places, &first), first))
            }
        }
    }

    /// Says that a file is in none of some places.
    fn unreadable(&self, places: &[PathBuf], first: &str) -> Error {
        let (message, cause) = self
            .0
            .options
            .level
            .file_unreadable(first, "No such file or directory");
        let mut searched: Vec<String> = places
            .iter()
            .map(|path| path.to_string_lossy().into_owned())
            .collect();
        searched.dedup();
        let error =
            Error::new(Kind::NotFound, message).help(format!("looked for {}", searched.join(", ")));
        match cause {
            Some(cause) => error.caused_by(Error::new(Kind::Io, cause)),
            None => error,
        }
    }

    /// Reads the tasks that a dynamic include names; `vars` are its loop's variables.
    ///
    /// # Errors
    /// What is wrong in the file, with its place.
    pub fn include_tasks(&self, task: &Task, path: &Path, vars: &Dict) -> Result<Vec<Item>> {
        let mut settings = task.scope.as_ref().clone();
        inherit_include(&mut settings, task, vars);
        parse::apply(self, &mut settings, task)?;
        self.tasks_in(path, &settings, task.role.as_ref(), task.is_handler)
    }

    pub(super) fn tasks_in(
        &self,
        path: &Path,
        settings: &Settings,
        role: Option<&Rc<Role>>,
        handlers: bool,
    ) -> Result<Vec<Item>> {
        match self.read(path)? {
            None => Ok(Vec::new()),
            Some(node) => parse::items(self, &node, settings, role, handlers, path),
        }
    }

    /// Reads a role that a dynamic include names; `vars` are its loop's variables.
    ///
    /// # Errors
    /// What is wrong in the role, with its place.
    pub fn include_role(
        &self,
        task: &Task,
        include: &IncludeRole,
        vars: &Dict,
    ) -> Result<Included> {
        let mut settings = task.scope.as_ref().clone();
        inherit_include(&mut settings, task, vars);
        parse::apply(self, &mut settings, task)?;
        super::role::include(self, include, &settings, task)
    }
}

/// Gives included tasks the variables of the include: its `vars` and its loop's.
fn inherit_include(settings: &mut Settings, task: &Task, vars: &Dict) {
    for own in &task.settings.vars[task.scope.vars.len().min(task.settings.vars.len())..] {
        settings.include_params.push(own.clone());
    }
    if !vars.is_empty() {
        settings.include_params.push(vars.clone());
    }
}

/// Returns where the arguments of an include or import of a role name it.
pub fn role_place(args: &Dict) -> Option<Span> {
    match args.get("name").or_else(|| args.get("role")) {
        Some(Value::Str(name)) => name.span(),
        _ => None,
    }
}

fn shape(node: &Node) -> Shape<'_> {
    match &node.data {
        yaml::Data::Mapping(_) => Shape::Mapping,
        yaml::Data::Sequence(_) => Shape::Sequence,
        yaml::Data::Scalar(Value::Str(_)) => Shape::Text,
        yaml::Data::Scalar(value) => Shape::Other(value.type_name()),
    }
}

/// Says what a node is, by the name of its Python type.
pub(super) fn describe(node: &Node) -> String {
    match &node.data {
        yaml::Data::Mapping(_) => "<class 'dict'>".to_owned(),
        yaml::Data::Sequence(_) => "<class 'list'>".to_owned(),
        yaml::Data::Scalar(value) => format!("<class '{}'>", value.type_name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loader() -> (Loader, Sources) {
        let sources = Sources::default();
        let options = LoaderOptions {
            roles_path: Vec::new(),
            level: Level::V2_19,
            resolve: Box::new(|name| match name {
                "debug" | "command" | "import_tasks" | "meta" => Resolved::Known(name.to_owned()),
                "user" => Resolved::Unsupported,
                _ => Resolved::Unknown(None),
            }),
            render: Box::new(|value, _| Ok(value.clone())),
            opened: Box::new(|_| ()),
        };
        (Loader::new(sources.clone(), options), sources)
    }

    fn read(text: &str) -> std::result::Result<Playbook, (String, String)> {
        let (loader, sources) = loader();
        loader
            .playbook_text(Path::new("/nowhere"), "site.yml", text)
            .map_err(|error| {
                let at = error
                    .span()
                    .map(|span| sources.locate(span).to_string())
                    .unwrap_or_default();
                (at, error.full_message())
            })
    }

    #[test]
    fn blocks_pass_their_settings_on() {
        let playbook = read(
            "- hosts: all\n  become: true\n  tasks:\n    - when: a\n      tags: [x]\n      vars: {v: 1}\n      block:\n        - debug: msg=1\n          when: b\n          tags: y\n",
        )
        .expect("a playbook");
        let Item::Block(block) = &playbook.plays[0].tasks[0] else {
            panic!("a block")
        };
        let Item::Task(task) = &block.body[0] else {
            panic!("a task")
        };
        assert_eq!(task.settings.tags, ["x", "y"]);
        assert_eq!(task.settings.when, [Value::str("a"), Value::str("b")]);
        assert_eq!(task.settings.r#become, Some(Value::Bool(true)));
        assert_eq!(task.settings.vars.len(), 1);
        assert_eq!(task.action.args.get("msg"), Some(Value::str("1")));
    }

    #[test]
    fn mistakes_are_placed() {
        for (text, place, message) in [
            (
                "- hosts: all\n  taks: []\n",
                "site.yml:2:3",
                "'taks' is not a valid attribute for a Play",
            ),
            (
                "- hosts: all\n  tasks:\n    - debgu: x\n",
                "site.yml:3:7",
                "couldn't resolve module/action 'debgu'",
            ),
            (
                "- hosts: all\n  tasks:\n    - user: name=x\n",
                "site.yml:3:7",
                "the module 'user' is not supported",
            ),
            (
                "- hosts: all\n  tasks:\n    - when: x\n",
                "site.yml:3:7",
                "no module/action detected in task.",
            ),
            (
                "- hosts: all\n  tasks:\n    - command: x\n      async: 3\n",
                "site.yml:4:7",
                "the keyword `async`",
            ),
            (
                "- hosts: all\n  roles: [nope]\n",
                "site.yml:2:11",
                "the role 'nope' was not found in",
            ),
            (
                "- tasks: []\n",
                "site.yml:1:3",
                "The field 'hosts' is required but was not set.",
            ),
            (
                "- hosts: all\n  tasks:\n    - rescue: []\n",
                "site.yml:3:7",
                "'rescue' keyword cannot be used without 'block'",
            ),
        ] {
            let (at, said) = read(text).expect_err(text);
            assert_eq!(at, place, "{text}");
            assert!(said.starts_with(message), "{said}");
        }
    }
}
