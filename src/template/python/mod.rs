//! Filters, tests and lookups that are Python plugins, run by a Python on this machine.
//!
//! Plugins are files beside the playbook, in roles, in configured directories and in collections.
//! Nothing of Python is started before a template needs one of them; then one process serves the
//! whole run (`driver.py`). It ends with the run, and no call waits for it without end.

mod files;
mod foreign;
mod process;
mod wire;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::rc::{Rc, Weak};
use std::time::Duration;

use serde_json::{Value as Wire, json};

use super::Templar;
use super::lookups::{self, User};
use super::templar::Variables;
use crate::compat::Level;
use crate::diag::{Error, Kind, Notice, Result, Sources};
use crate::jinja::{Plugin, Plugins};
use crate::value::{Args, Dict, Runtime, Str, Value};
use files::Files;
use foreign::PluginFunction;
use process::Process;

/// Where Python plugins are, and what runs them.
#[derive(Clone, Default)]
pub struct PythonOptions {
    /// Directories of filters, tests and lookups from the settings.
    pub directories: [Vec<PathBuf>; 3],
    /// Directories that hold `ansible_collections`.
    pub collections: Vec<PathBuf>,
    /// The program, where it is given.
    pub interpreter: Option<String>,
    /// How long one answer may take; zero starts no Python at all.
    pub limit: Duration,
    /// The settings' file, for Ansible's own code.
    pub config: Option<PathBuf>,
}

/// What sort of plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Sort {
    Filter,
    Test,
    Lookup,
}

impl Sort {
    fn name(self) -> &'static str {
        match self {
            Sort::Filter => "filter",
            Sort::Test => "test",
            Sort::Lookup => "lookup",
        }
    }
}

impl From<Plugin> for Sort {
    fn from(plugin: Plugin) -> Sort {
        match plugin {
            Plugin::Filter => Sort::Filter,
            Plugin::Test => Sort::Test,
        }
    }
}

/// The Python plugins of a run.
pub(super) struct Python {
    options: PythonOptions,
    sources: Sources,
    environment: BTreeMap<String, String>,
    base_dir: PathBuf,
    level: Level,
    files: RefCell<Files>,
    process: RefCell<Option<Rc<Process>>>,
    /// Filters and tests that are known, by sort and name; `None` for names that nothing has.
    known: RefCell<HashMap<(Sort, String), Option<String>>>,
    me: Weak<Python>,
}

/// What Python says about an exception.
struct Raised {
    bases: Vec<String>,
    message: String,
    causes: Vec<String>,
}

impl Raised {
    fn of(error: &Wire) -> Raised {
        let texts = |value: &Wire| -> Vec<String> {
            let items = value.as_array().into_iter().flatten();
            items
                .filter_map(|item| item.as_str().map(str::to_owned))
                .collect()
        };
        let causes = error["causes"].as_array().into_iter().flatten();
        Raised {
            bases: texts(&error["bases"]),
            message: error["message"].as_str().unwrap_or_default().to_owned(),
            causes: causes
                .filter_map(|cause| cause["message"].as_str().map(str::to_owned))
                .collect(),
        }
    }

    fn is(&self, class: &str) -> bool {
        self.bases.iter().any(|base| base == class)
    }

    /// Says that Ansible's own code is missing there.
    fn wants_ansible(&self) -> bool {
        self.is("ImportError") && self.message.contains("'ansible")
    }

    fn error(&self, names_causes: bool) -> Error {
        let kind = if self.is("AnsibleUndefinedVariable") || self.is("UndefinedError") {
            Kind::Undefined
        } else if self.is("ZeroDivisionError") {
            Kind::Arithmetic
        } else if self.is("TypeError") {
            Kind::Type
        } else if self.is("ValueError") {
            Kind::Value
        } else {
            Kind::Filter
        };
        let mut message = self.message.clone();
        for cause in self.causes.iter().filter(|_| names_causes) {
            if !message.contains(cause.as_str()) {
                message = format!("{}: {cause}", message.trim_end_matches(['.', ':', ' ']));
            }
        }
        Error::new(kind, message)
    }
}

impl Python {
    pub(super) fn new(
        options: PythonOptions,
        sources: Sources,
        environment: BTreeMap<String, String>,
        base_dir: PathBuf,
        level: Level,
    ) -> Rc<Python> {
        let mut files = Files::default();
        for (sort, dirs) in [Sort::Filter, Sort::Test, Sort::Lookup]
            .into_iter()
            .zip(&options.directories)
        {
            for dir in dirs {
                files.add(sort, dir);
            }
        }
        Rc::new_cyclic(|me| Python {
            options,
            sources,
            environment,
            base_dir,
            level,
            files: RefCell::new(files),
            process: RefCell::default(),
            known: RefCell::default(),
            me: me.clone(),
        })
    }

    /// Adds the plugins of a playbook's or role's directory.
    pub(super) fn add(&self, dir: &Path) {
        let mut added = false;
        for sort in [Sort::Filter, Sort::Test, Sort::Lookup] {
            let dir = dir.join(format!("{}_plugins", sort.name()));
            added |= self.files.borrow_mut().add_first(sort, &dir);
        }
        if added {
            self.known.borrow_mut().clear();
        }
    }

    /// Returns the running Python, started where it is not yet.
    fn process(&self) -> Result<Rc<Process>> {
        if let Some(process) = &*self.process.borrow() {
            return Ok(process.clone());
        }
        let collections = self.options.collections.iter();
        let settings = json!({
            "collections": collections.map(|dir| dir.to_string_lossy()).collect::<Vec<_>>(),
            "directory": self.base_dir.to_string_lossy(),
            "trust": self.level.native_results(),
        });
        let started = Rc::new(process::start(&self.environment, &self.options, &settings)?);
        *self.process.borrow_mut() = Some(started.clone());
        Ok(started)
    }

    /// Sends a request and serves what Python asks for until its answer is there.
    fn request(
        &self,
        message: &Wire,
        templar: Option<&Templar>,
    ) -> Result<std::result::Result<Wire, Raised>> {
        let process = self.process()?;
        let done = self.conversation(&process, message, templar);
        if done.is_err() {
            process.kill();
            *self.process.borrow_mut() = None;
            self.known.borrow_mut().clear();
        }
        done
    }

    fn conversation(
        &self,
        process: &Process,
        message: &Wire,
        templar: Option<&Templar>,
    ) -> Result<std::result::Result<Wire, Raised>> {
        process.send(message)?;
        loop {
            let mut answer = process.receive(self.options.limit)?;
            if let Some(error) = answer.get("error") {
                return Ok(Err(Raised::of(error)));
            }
            if answer.get("ask").is_none() {
                return Ok(Ok(answer["ok"].take()));
            }
            let reply = match templar {
                Some(templar) => self.asked(&answer, templar),
                None => Err(Error::new(Kind::Internal, "no templates are at hand")),
            };
            process.send(&match reply {
                Ok(value) => json!({ "ok": value }),
                Err(error) => {
                    let class = match error.kind() {
                        Kind::Undefined => "AnsibleUndefinedVariable",
                        _ => "AnsibleError",
                    };
                    json!({ "error": { "class": class, "message": error.full_message() } })
                }
            })?;
        }
    }

    /// Answers what a plugin asks for.
    fn asked(&self, message: &Wire, templar: &Templar) -> Result<Wire> {
        let name = message["name"].as_str().unwrap_or_default();
        match message["ask"].as_str().unwrap_or_default() {
            "names" => {
                let mut names = templar.0.vars.names();
                if !names.iter().any(|known| known == SEARCH_PATH) {
                    names.push(SEARCH_PATH.to_owned());
                }
                Ok(json!(names))
            }
            "rendered" => match templar.variable(name)? {
                Some(value) => Ok(Wire::Array(vec![wire::encode(&value)?])),
                None => Ok(Wire::Null),
            },
            // As it is written: what a plugin wants rendered, it renders.
            "variable" => match templar.0.vars.get(name) {
                Some(value) => Ok(Wire::Array(vec![wire::encode(&value)?])),
                None if name == SEARCH_PATH => {
                    let path = templar.0.vars.search_path();
                    let path: Vec<_> = path.iter().map(|dir| dir.to_string_lossy()).collect();
                    Ok(json!([path]))
                }
                None => Ok(Wire::Null),
            },
            "render" => {
                let value = self.decode(&message["value"])?;
                let trusts_all = !templar.level().native_results();
                let value = value.map_leaves(&mut |leaf| match leaf {
                    Value::Str(text) if trusts_all => Value::Str(text.clone().with_trust(true)),
                    other => other.clone(),
                });
                let extra = self.decode(&message["variables"])?;
                let templar = match extra {
                    Value::Dict(extra) if !extra.is_empty() => templar.with(extra),
                    _ => templar.clone(),
                };
                wire::encode(&templar.render(&value)?)
            }
            kind @ ("filter" | "test") => {
                let args = self.args(&message["args"], &message["kwargs"])?;
                let value = templar.with_runtime(|runtime| {
                    if kind == "filter" {
                        runtime.filter(name, args)
                    } else {
                        runtime.test(name, args).map(Value::Bool)
                    }
                })?;
                wire::encode(&value)
            }
            other => Err(Error::new(
                Kind::Internal,
                format!("unknown question `{other}`"),
            )),
        }
    }

    fn decode(&self, value: &Wire) -> Result<Value> {
        wire::decode(value, &self.me)
    }

    fn args(&self, positional: &Wire, keyword: &Wire) -> Result<Args> {
        let mut args = Args::default();
        if let Value::List(list) = self.decode(positional)? {
            args.positional = list.to_vec();
        }
        if let Value::Dict(dict) = self.decode(keyword)? {
            let pairs = dict.to_vec().into_iter();
            args.keyword = pairs
                .map(|(key, value)| (key.value().to_str(), value))
                .collect();
        }
        Ok(args)
    }

    /// Returns the file of a filter or test, where a Python plugin has it.
    fn file_of(&self, sort: Sort, name: &str) -> Result<Option<String>> {
        let key = (sort, name.to_owned());
        if let Some(found) = self.known.borrow().get(&key) {
            return Ok(found.clone());
        }
        let found = if name.matches('.').count() >= 2 {
            self.find_in_collection(sort, name)?
        } else {
            self.load_files(sort, name)?;
            self.known.borrow().get(&key).cloned().flatten()
        };
        self.known.borrow_mut().insert(key, found.clone());
        Ok(found)
    }

    /// Loads all files of a sort; notes the names that they define.
    fn load_files(&self, sort: Sort, wanted: &str) -> Result<()> {
        let files = self.files.borrow().of(sort);
        if files.is_empty() {
            return Ok(());
        }
        let shown: Vec<_> = files.iter().map(|file| file.to_string_lossy()).collect();
        let message = json!({ "op": "names", "kind": sort.name(), "files": shown });
        let answer = self
            .request(&message, None)
            .map_err(|error| match self.files.borrow().mentioning(sort, wanted) {
                Some(file) => unusable(sort, wanted, &file.to_string_lossy(), error),
                None => error,
            })?
            .map_err(|raised| raised.error(false))?;
        let mut known = self.known.borrow_mut();
        for pair in answer["found"].as_array().into_iter().flatten() {
            if let (Some(name), Some(file)) = (pair[0].as_str(), pair[1].as_str()) {
                known
                    .entry((sort, name.to_owned()))
                    .or_insert_with(|| Some(file.to_owned()));
            }
        }
        for failed in answer["failed"].as_array().into_iter().flatten() {
            let file = failed[0].as_str().unwrap_or_default();
            let raised = Raised::of(&failed[1]);
            if raised.wants_ansible()
                && self.files.borrow().mentions(Path::new(file), wanted)
                && !known.contains_key(&(sort, wanted.to_owned()))
            {
                return Err(self.wants_ansible(sort, wanted, file, &raised));
            }
        }
        Ok(())
    }

    fn find_in_collection(&self, sort: Sort, name: &str) -> Result<Option<String>> {
        let installed = files::in_collection(&self.options.collections, sort, name);
        if installed.is_none() && process::interpreters(&self.environment, &self.options).is_empty()
        {
            return Ok(None);
        }
        let message = json!({ "op": "collection", "kind": sort.name(), "name": name });
        let answer = match (self.request(&message, None), installed) {
            (Err(error), Some(dir)) => {
                return Err(unusable(sort, name, &dir.to_string_lossy(), error));
            }
            (answer, _) => answer?.map_err(|raised| raised.error(false))?,
        };
        let found = answer["found"].as_str().map(str::to_owned);
        for failed in answer["failed"].as_array().into_iter().flatten() {
            let file = failed[0].as_str().unwrap_or_default();
            let raised = Raised::of(&failed[1]);
            if raised.wants_ansible() && found.is_none() {
                return Err(self.wants_ansible(sort, name, file, &raised));
            }
            self.sources.note(Notice::warning(format!(
                "Skipping {} plugins in {file}'; an error occurred while loading: {}",
                sort.name(),
                raised.message
            )));
        }
        Ok(found)
    }

    fn wants_ansible(&self, sort: Sort, name: &str, file: &str, raised: &Raised) -> Error {
        let process = self.process.borrow();
        let python = process
            .as_ref()
            .map_or("python3", |process| process.program());
        Error::new(
            Kind::Unsupported,
            format!("the {} plugin '{name}' of {file} can't be loaded: {}", sort.name(), raised.message),
        )
        .help(format!(
            "it needs Ansible's own code: install ansible-core for {python}, or put the `ansible-playbook` of an installed one on PATH"
        ))
    }

    /// Calls a filter or test.
    fn call(
        &self,
        sort: Sort,
        name: &str,
        file: &str,
        templar: Option<&Templar>,
        args: &Args,
    ) -> Result<Value> {
        let given = args
            .positional
            .iter()
            .chain(args.keyword.iter().map(|(_, value)| value));
        for value in given {
            if let Value::Undefined(undefined) = value {
                return Err(undefined.error());
            }
        }
        let message = json!({
            "op": "call", "kind": sort.name(), "file": file, "name": name,
            "args": wire::encode_all(&args.positional)?, "kwargs": wire::encode_pairs(&args.keyword)?,
        });
        let names_failed = templar.is_none_or(|templar| templar.level().names_failed_steps());
        match self.request(&message, templar)? {
            Ok(value) => self.decode(&value),
            Err(raised) => {
                let error = raised.error(names_failed);
                if !names_failed || error.kind() == Kind::Undefined {
                    return Err(error);
                }
                let message = format!(
                    "The {} plugin '{name}' failed: {}",
                    sort.name(),
                    error.message()
                );
                Err(error.kind_as(Kind::Filter).message_as(message))
            }
        }
    }

    /// Says whether a lookup may be found here.
    pub(super) fn lookup_file(&self, name: &str) -> Option<PathBuf> {
        self.files.borrow().named(Sort::Lookup, name)
    }

    /// Runs a lookup, whose variables may be rendered; `None` where there is no such plugin.
    pub(super) fn lookup(
        &self,
        templar: &Templar,
        name: &str,
        terms: &[Value],
        options: &[(String, Value)],
        user: User,
    ) -> Result<Option<Vec<Value>>> {
        let file = self.lookup_file(name.strip_prefix("ansible.legacy.").unwrap_or(name));
        let in_collection = name.matches('.').count() >= 2 && !name.starts_with("ansible.builtin.");
        if file.is_none() && !in_collection {
            return Ok(None);
        }
        let installed = files::in_collection(&self.options.collections, Sort::Lookup, name);
        if file.is_none()
            && installed.is_none()
            && process::interpreters(&self.environment, &self.options).is_empty()
        {
            return Ok(None);
        }
        let place = file.clone().or(installed).unwrap_or_default();
        let is_undefined = |value: &Value| value.is_undefined();
        let undefined = terms.iter().find(|term| is_undefined(term));
        let message = json!({
            "op": "lookup", "name": name, "file": file.as_ref().map(|file| file.to_string_lossy()),
            "terms": wire::encode_all(terms)?, "kwargs": wire::encode_pairs(options)?,
            "undefined": undefined.is_some(), "rendered": user == User::Loop && templar.level().renders_elements_lazily(),
        });
        let answer = match self.request(&message, Some(templar)) {
            Ok(answer) => answer,
            Err(error) => {
                return Err(unusable(
                    Sort::Lookup,
                    name,
                    &place.to_string_lossy(),
                    error,
                ));
            }
        };
        let mut answer = match answer {
            Ok(answer) => answer,
            Err(raised) if raised.wants_ansible() => {
                return Err(self.wants_ansible(
                    Sort::Lookup,
                    name,
                    &place.to_string_lossy(),
                    &raised,
                ));
            }
            Err(raised) => return Err(self.failed_lookup(name, &raised, user)),
        };
        if answer.get("missing").is_some() {
            return Ok(None);
        }
        if answer.get("undefined").is_some() {
            return Ok(undefined.map(|value| vec![value.clone()]));
        }
        if let Some(class) = answer["returned"].as_str() {
            let kind = if user == User::Template && self.level == Level::V2_18 {
                Kind::Plugin
            } else {
                Kind::Filter
            };
            return Err(Error::new(
                kind,
                self.level.lookup_gave_no_list(name, class),
            ));
        }
        match self.decode(&answer["made"].take())? {
            Value::List(list) => Ok(Some(list.to_vec())),
            other => Ok(Some(vec![other])),
        }
    }

    /// Words the error of a lookup, where a template before 2.19 does it by the error's class.
    fn failed_lookup(&self, name: &str, raised: &Raised, user: User) -> Error {
        let error = raised.error(self.level.names_failed_steps());
        if self.level.names_failed_steps() || user == User::Loop || error.kind() == Kind::Undefined
        {
            return error;
        }
        let class = raised.bases.first().map_or("Exception", String::as_str);
        let message = self
            .level
            .failed_plugin_lookup(name, class, error.message());
        error.message_as(message).kind_as(Kind::Plugin)
    }

    /// Reads an attribute of a value that stays in Python.
    fn attribute(&self, id: u64, name: &str, templar: Option<&Templar>) -> Result<Option<Value>> {
        let message = json!({ "op": "attribute", "id": id, "name": name });
        match self.request(&message, templar)? {
            Ok(Wire::Array(found)) => found.first().map(|value| self.decode(value)).transpose(),
            Ok(_) => Ok(None),
            Err(raised) => Err(raised.error(false)),
        }
    }

    /// Calls a value that stays in Python.
    fn invoke(&self, id: u64, args: &Args, templar: Option<&Templar>) -> Result<Value> {
        let message = json!({
            "op": "invoke", "id": id,
            "args": wire::encode_all(&args.positional)?, "kwargs": wire::encode_pairs(&args.keyword)?,
        });
        match self.request(&message, templar)? {
            Ok(value) => self.decode(&value),
            Err(raised) => Err(raised.error(false)),
        }
    }
}

/// The variable that says where files are looked for.
const SEARCH_PATH: &str = "ansible_search_path";

/// Says which plugin can't be run, and why.
fn unusable(sort: Sort, name: &str, file: &str, error: Error) -> Error {
    let of = if file.is_empty() {
        String::new()
    } else {
        format!(" of {file}")
    };
    Error::new(
        Kind::Unsupported,
        format!("the {} plugin '{name}'{of} can't be run", sort.name()),
    )
    .caused_by(error)
}

impl Plugins for Python {
    fn find(&self, plugin: Plugin, name: &str, is_known: bool) -> Result<Option<Value>> {
        let sort = Sort::from(plugin);
        let short = name.strip_prefix("ansible.legacy.").unwrap_or(name);
        let is_short = !short.contains('.');
        if name.starts_with("ansible.builtin.")
            || is_short && !self.files.borrow().may_have(sort, short, is_known)
            || !is_short && (is_known || name.matches('.').count() < 2)
        {
            return Ok(None);
        }
        let found = self.file_of(sort, short)?;
        let Some(me) = self.me.upgrade() else {
            return Ok(None);
        };
        Ok(found.map(|file| {
            Value::Object(Rc::new(PluginFunction::new(
                me,
                sort,
                short.to_owned(),
                file,
            )))
        }))
    }
}

/// Variables with some more in front.
struct Overlay {
    extra: Dict,
    below: Rc<dyn Variables>,
}

impl Variables for Overlay {
    fn get(&self, name: &str) -> Option<Value> {
        self.extra.get(name).or_else(|| self.below.get(name))
    }

    fn names(&self) -> Vec<String> {
        let mut names = self.below.names();
        for key in self.extra.keys() {
            if let Some(name) = key.as_str()
                && !names.iter().any(|known| known == name)
            {
                names.push(name.to_owned());
            }
        }
        names
    }

    fn search_path(&self) -> Vec<PathBuf> {
        self.below.search_path()
    }
}

impl Templar {
    /// Makes a templar with some more variables.
    fn with(&self, extra: Dict) -> Templar {
        let below = self.0.vars.clone();
        Templar::new(self.0.shared.clone(), Rc::new(Overlay { extra, below }))
    }

    /// Calls a function with what filters and tests are run by.
    pub(super) fn with_runtime<T>(
        &self,
        f: impl FnOnce(&mut dyn Runtime) -> Result<T>,
    ) -> Result<T> {
        let context = super::templar::TemplarContext::new(self, "", None);
        self.0.shared.env.with_runtime(&context, f)
    }
}

/// Returns the templar of a runtime, where it has one.
fn templar_of(runtime: &mut dyn Runtime) -> Option<Templar> {
    lookups::templar(runtime).ok()
}

/// Makes untrusted text of what Python printed or raised.
fn text(value: impl AsRef<str>) -> Str {
    Str::new(value)
}
