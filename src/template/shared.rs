//! What all templating of a run shares: the engine with Ansible's filters, tests and lookups.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::python::{Python, PythonOptions};
use super::{filters, lookups, tests};
use crate::compat::Level;
use crate::config::Config;
use crate::diag::{Error, Result, Sources};
use crate::jinja::{Environment, Extension, Loaded, Loader, Options, Place};
use crate::vault::Keyring;

/// What a run's templating is made with.
#[derive(Clone, Default)]
pub struct SharedOptions {
    /// The compatibility level.
    pub level: Level,
    /// All texts.
    pub sources: Sources,
    /// The settings, for `lookup('config')`.
    pub config: Rc<Config>,
    /// Environment variables, for `lookup('env')`.
    pub environment: BTreeMap<String, String>,
    /// Number of `-v`.
    pub verbosity: u8,
    /// What opens vaults.
    pub keyring: Rc<Keyring>,
    /// The working directory of programs that lookups start.
    pub base_dir: PathBuf,
    /// Where Python plugins are.
    pub python: PythonOptions,
    /// The extensions of Jinja2 that templates may use.
    pub extensions: BTreeSet<Extension>,
}

/// The engine and the options of a run.
pub struct Shared {
    /// The engine.
    pub(super) env: Environment,
    /// The options.
    pub(super) options: SharedOptions,
    /// How values of variables and arguments are read: their backslashes stand for themselves.
    pub(super) value_options: Options,
    pub(super) lookups: HashMap<&'static str, lookups::Function>,
    pub(super) files: Rc<Files>,
    pub(super) python: Rc<Python>,
}

impl Shared {
    /// Returns the compatibility level.
    pub fn level(&self) -> Level {
        self.options.level
    }

    /// Adds the Python plugins of a playbook's or role's directory.
    pub fn add_plugins(&self, dir: &Path) {
        self.python.add(dir);
    }

    /// Makes the engine with all that Ansible has.
    pub fn new(options: SharedOptions) -> Rc<Shared> {
        let mut env = Environment::new();
        for family in filters::FAMILIES {
            for row in family.rows {
                if family.is_short {
                    env.filters.insert(row.name, row.function);
                }
                for collection in family.collections {
                    env.filters.insert(full(collection, row.name), row.function);
                }
            }
        }
        for row in tests::FAMILIES.iter().flat_map(|(_, rows)| *rows) {
            env.tests.insert(row.name, row.function);
        }
        for (collection, _, rows) in tests::COLLECTIONS {
            for row in *rows {
                env.tests.insert(full(collection, row.name), row.function);
            }
        }
        if options.level.names_yaml_strings() {
            env.filters.insert("type_debug", filters::older_type_debug);
        }
        if options.level.native_results() {
            env.filters.insert("pprint", filters::newer_pprint);
        }
        // Everything of Ansible's own collection has its full name as well.
        let all: Vec<_> = env
            .filters
            .iter()
            .map(|(name, function)| (*name, *function))
            .collect();
        for (name, function) in all.iter().filter(|(name, _)| !name.contains('.')) {
            env.filters.insert(full("ansible.builtin", name), *function);
        }
        let all: Vec<_> = env
            .tests
            .iter()
            .map(|(name, function)| (*name, *function))
            .collect();
        for (name, function) in all.iter().filter(|(name, _)| !name.contains('.')) {
            env.tests.insert(full("ansible.builtin", name), *function);
        }
        for (name, function) in lookups::GLOBALS {
            env.globals.insert(
                (*name).to_owned(),
                crate::value::Value::function(name, *function),
            );
        }
        env.worded = Some(if options.level.names_failed_steps() {
            super::wording::of_plugin
        } else {
            super::wording::of_older_plugin
        });
        env.captured = super::results::captured(options.level);
        env.filtered = options
            .level
            .reads_captured_text()
            .then_some(super::results::filtered);
        env.options = Options {
            trim_blocks: true,
            none_is_empty: true,
            plain_data: options.level.native_results(),
            defined_output: options.level.undefined_inside_has_default(),
            escapes_output: options.level.escapes_output(),
            sandboxed: options.level.native_results(),
            joins_markup: options.level.native_results(),
            lists_output: options.level.lists_output(),
            // Files are text throughout, where values are read back.
            captures_text: options.level.reads_captured_text(),
            undefined: options.level.undefined_kind(),
            ..Options::default()
        };
        for extension in &options.extensions {
            env.extend(*extension);
        }
        let value_options = Options {
            literal_backslashes: true,
            captures_text: false,
            ..env.options.clone()
        };
        let files = Rc::new(Files {
            sources: options.sources.clone(),
            path: std::cell::RefCell::default(),
        });
        env.loader = Some(files.clone());
        let python = Python::new(
            options.python.clone(),
            options.sources.clone(),
            options.environment.clone(),
            options.base_dir.clone(),
            options.level,
        );
        env.plugins = Some(python.clone());
        let lookups = lookups::TABLE
            .iter()
            .map(|row| (row.name, row.function))
            .collect();
        Rc::new(Shared {
            env,
            options,
            value_options,
            lookups,
            files,
            python,
        })
    }
}

/// Joins a collection's name with one of its own.
fn full(collection: &str, name: &str) -> &'static str {
    Box::leak(format!("{collection}.{name}").into_boxed_str())
}

/// Finds included templates along the search path of the template that is rendered.
pub(super) struct Files {
    sources: Sources,
    pub(super) path: std::cell::RefCell<Vec<PathBuf>>,
}

impl Loader for Files {
    fn missing(&self, name: &str) -> String {
        let path = self.path.borrow();
        let places: Vec<String> = path.iter().map(|p| format!("'{}'", p.display())).collect();
        let plural = if places.len() == 1 { "" } else { "s" };
        format!(
            "'{name}' not found in search path{plural}: {}",
            places.join(", ")
        )
    }

    fn load(&self, name: &str, parent: &str) -> Result<Option<Loaded>> {
        let mut places = Vec::new();
        if let Some(dir) = Path::new(parent).parent() {
            places.push(dir.join(name));
        }
        places.extend(self.path.borrow().iter().map(|dir| dir.join(name)));
        let Some(found) = places.into_iter().find(|path| path.is_file()) else {
            return Ok(None);
        };
        // As Ansible: one that is encrypted is included as it is.
        let bytes = std::fs::read(&found).map_err(|error| Error::io(&found, &error))?;
        let text = super::file::text(bytes, &found)?;
        let shown = found.to_string_lossy().into_owned();
        let source = self.sources.add_whole(shown.clone(), text.clone());
        Ok(Some(Loaded {
            text: text.into(),
            place: Place::Source(source, 0),
            name: shown,
            trusted: true,
        }))
    }
}
