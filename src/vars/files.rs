//! Variable files: `group_vars/` and `host_vars/` beside inventories and playbooks, and single files.
//!
//! **Source:** "Organizing host and group variables" of Ansible's documentation: a name means the
//! file itself, or with `.yml`, `.yaml`, `.json`, or a directory whose files are read in order.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::{Layer, Level as Precedence};
use crate::compat::Level;
use crate::diag::{Error, Kind, Notice, Result, Sources, Span};
use crate::inventory::{Group, Host, Inventory, is_localhost};
use crate::value::{Dict, Str, Value};
use crate::yaml;

/// Endings of variable files, in the order in which they are looked for.
const ENDINGS: &[&str] = &["", ".yml", ".yaml", ".json"];

/// Reads a file of variables; an empty one has none.
///
/// # Errors
/// That it can't be read or is no mapping, with its place.
pub fn load_file(sources: &Sources, path: &Path) -> Result<Dict> {
    match load_value(sources, path)? {
        (Value::Dict(dict), _) => Ok(dict),
        (other, span) => Err(Error::new(
            Kind::Parse,
            format!(
                "{} must be stored as a dictionary/hash, found {}",
                path.display(),
                other.type_name()
            ),
        )
        .at(span)),
    }
}

/// Reads a file of variables as whatever it holds; nothing is an empty mapping.
fn load_value(sources: &Sources, path: &Path) -> Result<(Value, Span)> {
    let content = sources.read(path)?;
    let text = String::from_utf8(content.bytes)
        .map_err(|_| Error::new(Kind::Yaml, format!("`{}` is not UTF-8", path.display())))?;
    let source = sources.add(path.to_string_lossy().into_owned(), text);
    if content.is_secret {
        sources.hide(source);
    }
    let empty = || Value::Dict(Dict::new());
    Ok(match yaml::load(sources, source)? {
        None => (empty(), Span::new(source, 0, 0)),
        Some(node) => match node.to_value() {
            Value::None => (empty(), node.span),
            value => (value, node.span),
        },
    })
}

/// Reads the variable files beside inventories and playbooks, each once.
pub struct VarFiles {
    sources: Sources,
    level: Level,
    /// Where playbooks have their `group_vars` and `host_vars`.
    playbook_dirs: Vec<PathBuf>,
    /// The controller's Python, which an implicit `localhost` would use.
    python: Option<String>,
    /// What `DIR/group_vars` and `DIR/host_vars` hold.
    listings: RefCell<HashMap<PathBuf, Rc<HashSet<String>>>>,
    /// What a path without ending means.
    found: RefCell<HashMap<PathBuf, Rc<Vec<Layer>>>>,
}

impl VarFiles {
    /// Reads nothing yet.
    pub fn new(
        sources: &Sources,
        level: Level,
        playbook_dirs: Vec<PathBuf>,
        python: Option<String>,
    ) -> VarFiles {
        VarFiles {
            sources: sources.clone(),
            level,
            playbook_dirs,
            python,
            listings: RefCell::default(),
            found: RefCell::default(),
        }
    }

    /// Returns a host's inventory variables, lowest precedence first.
    ///
    /// # Errors
    /// A variable file that can't be read.
    pub fn host_layers(&self, inventory: &Inventory, host: &str) -> Result<Vec<Layer>> {
        let mut layers = Vec::new();
        let groups: Vec<&Group> = inventory
            .groups_of(host)
            .into_iter()
            .map(|group| &inventory.groups()[group])
            .collect();
        let beside = beside_inventory(inventory);
        for group in inventory
            .group("all")
            .into_iter()
            .chain(groups.iter().copied())
        {
            add(
                &mut layers,
                &format!("inventory, group {}", group.name),
                &group.vars,
            );
        }
        for dirs in [&beside, &self.playbook_dirs] {
            self.named(dirs, "group_vars", &["all"], &mut layers)?;
        }
        let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
        for dirs in [&beside, &self.playbook_dirs] {
            self.named(dirs, "group_vars", &names, &mut layers)?;
        }
        if let Some(known) = inventory.host(host) {
            add(&mut layers, "inventory, host", &known.vars);
        } else if is_localhost(host) {
            let local = Dict::new();
            local.set("ansible_connection", Str::trusted("local"));
            if let Some(python) = &self.python {
                local.set("ansible_python_interpreter", Str::trusted(python));
            }
            add(&mut layers, "implicit localhost", &local);
        }
        for dirs in [&beside, &self.playbook_dirs] {
            self.named(dirs, "host_vars", &[host], &mut layers)?;
        }
        Ok(layers)
    }

    /// Returns a group's own variables: those of the sources, then those of its files.
    ///
    /// # Errors
    /// A variable file that can't be read.
    pub fn group_vars(&self, inventory: &Inventory, group: &Group) -> Result<Dict> {
        self.own(inventory, "group_vars", &group.name, &group.vars)
    }

    /// Returns a host's own variables: those of the sources, then those of its files.
    ///
    /// # Errors
    /// A variable file that can't be read.
    pub fn host_vars(&self, inventory: &Inventory, host: &Host) -> Result<Dict> {
        self.own(inventory, "host_vars", &host.name, &host.vars)
    }

    fn own(&self, inventory: &Inventory, kind: &str, name: &str, vars: &Dict) -> Result<Dict> {
        let mut layers = Vec::new();
        add(&mut layers, "inventory", vars);
        for dirs in [&beside_inventory(inventory), &self.playbook_dirs] {
            self.named(dirs, kind, &[name], &mut layers)?;
        }
        Ok(layers
            .iter()
            .flat_map(|layer| layer.vars.to_vec())
            .collect())
    }

    /// Adds what `DIR/KIND/NAME` means, for each directory and in it for each name.
    fn named(
        &self,
        dirs: &[PathBuf],
        kind: &str,
        names: &[&str],
        layers: &mut Vec<Layer>,
    ) -> Result<()> {
        for dir in dirs {
            let base = dir.join(kind);
            let listing = self.listing(&base);
            if listing.is_empty() {
                continue;
            }
            for name in names
                .iter()
                .filter(|name| !name.is_empty() && !name.starts_with('/'))
            {
                let first = name.split('/').next().unwrap_or(name);
                let is_there = name.contains('/') && listing.contains(first);
                let ending = ENDINGS
                    .iter()
                    .find(|ending| is_there || listing.contains(&format!("{name}{ending}")));
                if ending.is_some() {
                    // What a template does to one host's list is not seen by another host.
                    let own = |layer: &Layer| Layer {
                        vars: own_values(&layer.vars),
                        ..layer.clone()
                    };
                    layers.extend(self.read(&base.join(name))?.iter().map(own));
                }
            }
        }
        Ok(())
    }

    fn listing(&self, dir: &Path) -> Rc<HashSet<String>> {
        if let Some(known) = self.listings.borrow().get(dir) {
            return known.clone();
        }
        if dir.exists() && !dir.is_dir() {
            let kind = dir.file_name().unwrap_or_default().to_string_lossy();
            self.sources.note(Notice::warning(format!(
                "Found {kind} that is not a directory, skipping: {}",
                dir.display()
            )));
        }
        let names: Rc<HashSet<String>> = Rc::new(
            std::fs::read_dir(dir)
                .map(|entries| {
                    entries
                        .flatten()
                        .map(|entry| entry.file_name().to_string_lossy().into_owned())
                        .collect()
                })
                .unwrap_or_default(),
        );
        self.listings
            .borrow_mut()
            .insert(dir.to_path_buf(), names.clone());
        names
    }

    /// Reads the file or directory that a path without ending means.
    fn read(&self, base: &Path) -> Result<Rc<Vec<Layer>>> {
        if let Some(known) = self.found.borrow().get(base) {
            return Ok(known.clone());
        }
        let mut files = Vec::new();
        for ending in ENDINGS {
            let mut path = base.as_os_str().to_owned();
            path.push(ending);
            let path = PathBuf::from(path);
            if path.is_dir() {
                inside(&path, &mut files);
            } else if path.exists() {
                files.push(path);
            } else {
                continue;
            }
            break;
        }
        let mut layers = Vec::new();
        for path in files {
            let shown = path.to_string_lossy();
            let loaded = load_value(&self.sources, &path).map_err(|error| match error.kind() {
                // As Ansible, which doesn't say in which file.
                Kind::Vault => {
                    Error::new(Kind::Parse, error.message()).help(format!("`{shown}` is encrypted"))
                }
                _ => error,
            })?;
            match loaded {
                (Value::Dict(vars), _) => add(&mut layers, &shown, &vars),
                (other, span) => {
                    return Err(Error::new(
                        Kind::Parse,
                        self.level.variables_are_no_mapping(&shown, &other),
                    )
                    .help(format!(
                        "{} has to hold a mapping of names to values",
                        self.sources.locate(span)
                    )));
                }
            }
        }
        let layers = Rc::new(layers);
        self.found
            .borrow_mut()
            .insert(base.to_path_buf(), layers.clone());
        Ok(layers)
    }
}

/// Copies variables, and the lists and mappings in them.
fn own_values(vars: &Dict) -> Dict {
    vars.to_vec()
        .into_iter()
        .map(|(key, value)| (key, value.map_leaves(&mut Clone::clone)))
        .collect()
}

fn add(layers: &mut Vec<Layer>, from: &str, vars: &Dict) {
    if !vars.is_empty() {
        layers.push(Layer {
            level: Precedence::Inventory,
            from: from.into(),
            vars: vars.clone(),
        });
    }
}

/// Returns the directories of the inventory's sources.
fn beside_inventory(inventory: &Inventory) -> Vec<PathBuf> {
    let mut dirs: Vec<PathBuf> = Vec::new();
    for source in &inventory.sources {
        let dir = if source.is_dir() {
            Some(source.as_path())
        } else {
            source.parent()
        };
        if let Some(dir) = dir
            && !dirs.iter().any(|known| known == dir)
        {
            dirs.push(dir.to_path_buf());
        }
    }
    dirs
}

/// Collects the variable files of a directory, sorted, directories inside included.
fn inside(dir: &Path, out: &mut Vec<PathBuf>) {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .map(|entries| {
            entries
                .flatten()
                .map(|e| e.file_name().to_string_lossy().into_owned())
                .collect()
        })
        .unwrap_or_default();
    names.sort();
    for name in names
        .iter()
        .filter(|name| !name.starts_with('.') && !name.ends_with('~'))
    {
        let path = dir.join(name);
        let extension = path
            .extension()
            .map(|e| format!(".{}", e.to_string_lossy()))
            .unwrap_or_default();
        if path.is_dir() && extension.is_empty() {
            inside(&path, out);
        } else if path.is_file() && ENDINGS.contains(&extension.as_str()) {
            out.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_rise_from_group_all_to_host_vars_of_the_playbook() {
        let dir = tempfile::tempdir().expect("a directory");
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            std::fs::write(path, text).expect("a file");
        };
        write(
            "inv/hosts",
            "[g]\nh x=inventory-host\n[g:vars]\nx=inventory-group\n",
        );
        write("inv/group_vars/all.yml", "x: inv-all\n");
        write("inv/group_vars/g/b.yml", "x: inv-g-b\n");
        write("inv/group_vars/g/a.yaml", "x: inv-g-a\n");
        write("inv/host_vars/h", "x: inv-h\n");
        write("play/group_vars/all", "x: play-all\n");
        write("play/group_vars/g.json", "{\"x\": \"play-g\"}\n");
        write("play/host_vars/h.yml", "x: play-h\n");
        let sources = Sources::default();
        let given = [dir.path().join("inv/hosts").to_string_lossy().into_owned()];
        let inventory = crate::inventory::load(
            &sources,
            &given,
            &crate::inventory::SourceOptions::default(),
        )
        .expect("an inventory");
        let files = VarFiles::new(
            &sources,
            Level::default(),
            vec![dir.path().join("play")],
            None,
        );
        let layers = files.host_layers(&inventory, "h").expect("layers");
        let values: Vec<String> = layers
            .iter()
            .filter_map(|layer| layer.vars.get("x"))
            .map(|value| value.to_str())
            .collect();
        assert_eq!(
            values,
            [
                "inventory-group",
                "inv-all",
                "play-all",
                "inv-g-a",
                "inv-g-b",
                "play-g",
                "inventory-host",
                "inv-h",
                "play-h"
            ]
        );
    }

    #[test]
    fn a_file_of_many_hosts_is_read_once_and_each_host_has_values_of_its_own() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("group_vars/all");
        std::fs::create_dir(dir.path().join("group_vars")).expect("a directory");
        std::fs::write(&file, "x: [1]\n").expect("a file");
        let playbook_dirs = vec![dir.path().to_path_buf()];
        let files = VarFiles::new(&Sources::default(), Level::default(), playbook_dirs, None);
        let inventory = Inventory::default();
        let of = |host: &str| {
            let layers = files.host_layers(&inventory, host).expect("layers");
            match layers.iter().find_map(|layer| layer.vars.get("x")) {
                Some(Value::List(list)) => list,
                other => panic!("{other:?}"),
            }
        };
        let first = of("a");
        std::fs::write(&file, "x: [2]\n").expect("a file");
        let second = of("b");
        first.push(Value::from(9));
        assert_eq!(Value::List(second), Value::list(vec![Value::from(1)]));
    }
}
