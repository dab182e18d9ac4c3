//! A play's `vars_files`: they are looked for before the play, and for each host before its tasks.
//!
//! **Source:** what `ansible-playbook` was seen to do with names that need facts, names that are
//! undefined and files that aren't there.

use std::path::PathBuf;
use std::rc::Rc;

use super::run::Runner;
use crate::diag::{Error, Kind, Notice, Result};
use crate::playbook::VarsFile;
use crate::template::Templar;
use crate::value::{Dict, Value};
use crate::vars::{PlayNames, View};

/// What a file of variables is called, and what it holds.
type Loaded = (Rc<str>, Dict);

impl Runner {
    /// Loads what is found without a host, to tell what is wrong before the play is announced.
    pub(super) fn check_vars_files(&self, names: &Rc<PlayNames>) -> Result<()> {
        self.vars_files_of(names, "", false).map(drop)
    }

    /// Loads the files of some hosts: a name may depend on the host and on its facts.
    ///
    /// `for_task` refuses undefined names of hosts whose facts are known.
    pub(super) fn load_vars_files(
        &self,
        names: &Rc<PlayNames>,
        hosts: &[Rc<str>],
        for_task: bool,
    ) -> Result<()> {
        if names.play.vars_files.is_empty() {
            return Ok(());
        }
        for host in hosts {
            let files = self.vars_files_of(names, host, for_task)?;
            names.set_vars_files(host, files);
        }
        Ok(())
    }

    fn vars_files_of(
        &self,
        names: &Rc<PlayNames>,
        host: &str,
        for_task: bool,
    ) -> Result<Vec<Loaded>> {
        let known = names.vars_files(host);
        let mut files: Vec<Loaded> = Vec::new();
        for entry in &names.play.vars_files {
            // A name may use variables of the files before it.
            names.set_vars_files(host, files.clone());
            let path = match self.vars_file(names, host, entry) {
                Ok(path) => path,
                Err(Missing::Undefined(name, error)) => {
                    let facts = self.store.facts_namespace(host);
                    if for_task && facts.get("module_setup").is_some() {
                        return Err(self.level.undefined_vars_file(&name, entry.span, error));
                    }
                    if self.level.warns_of_skipped_vars_files() {
                        let message = "skipping vars_files item due to an undefined variable";
                        self.sources
                            .note(Notice::warning(message).at(Some(entry.span)));
                    }
                    None
                }
                Err(Missing::Refused(error)) => return Err(error),
            };
            let Some(path) = path else {
                continue;
            };
            let from: Rc<str> = path.to_string_lossy().into();
            let vars = match known.iter().find(|(known, _)| *known == from) {
                Some((_, vars)) => vars.clone(),
                None => {
                    crate::vars::load_file(&self.sources, &path).map_err(|error| {
                        match error.kind() {
                            Kind::Vault => self.level.unreadable_vars_file(&from, error),
                            _ => error,
                        }
                    })?
                }
            };
            files.push((from, vars));
        }
        Ok(files)
    }

    /// Returns the file that an entry means for a host; none where the level lets it be missing.
    fn vars_file(
        &self,
        names: &Rc<PlayNames>,
        host: &str,
        entry: &VarsFile,
    ) -> std::result::Result<Option<PathBuf>, Missing> {
        let view = View::new(&self.store, host, Some(names), None).without_set_facts();
        let templar = Templar::new(self.templates.clone(), Rc::new(view));
        let candidates = match &entry.names {
            Value::List(list) => list.to_vec(),
            one => vec![one.clone()],
        };
        for written in &candidates {
            let refused =
                |found: &Value| Missing::Refused(self.level.no_vars_file_name(found, entry.span));
            if !matches!(written, Value::Str(_)) {
                return Err(refused(written));
            }
            let name = match templar.render(written) {
                Ok(Value::Str(name)) => name,
                Ok(other) => return Err(refused(&other)),
                Err(error) if error.kind() == Kind::Undefined => {
                    return Err(Missing::Undefined(written.to_str(), error));
                }
                Err(error) => return Err(Missing::Refused(error.at(entry.span))),
            };
            let dir = &names.play.dir;
            let name = name.as_str();
            let in_vars = self.level.finds_vars_files_in_vars();
            let places = in_vars.then(|| dir.join("vars").join(name));
            let mut places = places.into_iter().chain([dir.join(name)]);
            // A directory is no file, as which an empty name would be taken.
            if let Some(path) = places.find(|path| path.exists() && !path.is_dir()) {
                return Ok(Some(path));
            }
        }
        match self.level.missing_vars_file(&entry.names) {
            Some(error) => Err(Missing::Refused(error)),
            None => Ok(None),
        }
    }
}

/// Why an entry has no file.
enum Missing {
    /// A name, as written, needs a variable that isn't there.
    Undefined(String, Error),
    Refused(Error),
}
