//! Variable files: `group_vars/` and `host_vars/` beside inventories and playbooks, and single files.
//!
//! **Source:** "Organizing host and group variables" of Ansible's documentation: a name means the
//! file itself, or with `.yml`, `.yaml`, `.json`, or a directory whose files are read in order.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::{Layer, Level};
use crate::diag::{Error, Kind, Result, Sources};
use crate::inventory::Inventory;
use crate::value::{Dict, Value};
use crate::yaml::{self, Node};

/// Endings of variable files, in the order in which they are looked for.
const ENDINGS: &[&str] = &["", ".yml", ".yaml", ".json"];

/// Reads a file of variables; an empty one has none.
///
/// # Errors
/// That it can't be read or is no mapping, with its place.
pub fn load_file(sources: &Sources, path: &Path) -> Result<Dict> {
    variables(path, read(sources, path)?.as_ref())
}

fn read(sources: &Sources, path: &Path) -> Result<Option<Node>> {
    let bytes = std::fs::read(path).map_err(|error| Error::io(path, &error))?;
    if bytes.starts_with(b"$ANSIBLE_VAULT;") {
        return Err(Error::new(
            Kind::Unsupported,
            format!(
                "`{}` is encrypted with vault, which is not supported",
                path.display()
            ),
        ));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| Error::new(Kind::Yaml, format!("`{}` is not UTF-8", path.display())))?;
    let source = sources.add(path.to_string_lossy().into_owned(), text);
    yaml::load(sources, source)
}

fn variables(path: &Path, node: Option<&Node>) -> Result<Dict> {
    let Some(node) = node else {
        return Ok(Dict::new());
    };
    match node.to_value() {
        Value::Dict(dict) => Ok(dict),
        Value::None => Ok(Dict::new()),
        other => Err(Error::new(
            Kind::Parse,
            format!(
                "{} must be stored as a dictionary/hash, found {}",
                path.display(),
                other.type_name()
            ),
        )
        .at(node.span)),
    }
}

/// The variable files that a run has read: each once, however many hosts it is for.
pub struct VarFiles {
    sources: Sources,
    known: RefCell<HashMap<PathBuf, Option<Node>>>,
}

impl VarFiles {
    /// Nothing is read yet; texts will be kept in `sources`.
    pub fn new(sources: Sources) -> VarFiles {
        VarFiles {
            sources,
            known: RefCell::default(),
        }
    }

    /// Returns a file's variables as values of their own: what a template does to one host's list
    /// is not seen by another host.
    fn load(&self, path: &Path) -> Result<Dict> {
        if let Some(node) = self.known.borrow().get(path) {
            return variables(path, node.as_ref());
        }
        let node = read(&self.sources, path)?;
        let made = variables(path, node.as_ref());
        self.known.borrow_mut().insert(path.to_path_buf(), node);
        made
    }
}

/// Returns a host's inventory variables, lowest precedence first.
///
/// `playbook_dirs` are where playbooks have their `group_vars` and `host_vars`.
///
/// # Errors
/// A variable file that can't be read.
pub fn host_layers(
    files: &VarFiles,
    inventory: &Inventory,
    playbook_dirs: &[PathBuf],
    host: &str,
) -> Result<Vec<Layer>> {
    let mut layers = Vec::new();
    let mut add = |from: &str, vars: Dict| {
        if !vars.is_empty() {
            layers.push(Layer {
                level: Level::Inventory,
                from: from.into(),
                vars,
            });
        }
    };
    let groups: Vec<&str> = inventory
        .groups_of(host)
        .into_iter()
        .map(|group| inventory.groups()[group].name.as_str())
        .collect();
    let beside = beside_inventory(inventory);
    if let Some(all) = inventory.group("all") {
        add("inventory, group all", all.vars.clone());
    }
    for name in &groups {
        if let Some(group) = inventory.group(name) {
            add(&format!("inventory, group {name}"), group.vars.clone());
        }
    }
    for dirs in [&beside[..], playbook_dirs] {
        for (from, vars) in named(files, dirs, "group_vars", "all")? {
            add(&from, vars);
        }
    }
    for dirs in [&beside[..], playbook_dirs] {
        for name in &groups {
            for (from, vars) in named(files, dirs, "group_vars", name)? {
                add(&from, vars);
            }
        }
    }
    if let Some(known) = inventory.host(host) {
        add("inventory, host", known.vars.clone());
    } else if matches!(host, "localhost" | "127.0.0.1" | "::1") {
        let local = Dict::new();
        local.set("ansible_connection", "local");
        add("implicit localhost", local);
    }
    for dirs in [&beside[..], playbook_dirs] {
        for (from, vars) in named(files, dirs, "host_vars", host)? {
            add(&from, vars);
        }
    }
    Ok(layers)
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

/// Reads what `DIR/group_vars/NAME` means, for each directory.
fn named(
    files: &VarFiles,
    dirs: &[PathBuf],
    kind: &str,
    name: &str,
) -> Result<Vec<(String, Dict)>> {
    let mut out = Vec::new();
    if name.is_empty() || name.contains('/') || name == "." || name == ".." {
        return Ok(out);
    }
    for dir in dirs {
        let base = dir.join(kind);
        if !base.is_dir() {
            continue;
        }
        for ending in ENDINGS {
            let path = base.join(format!("{name}{ending}"));
            let mut found = Vec::new();
            if path.is_dir() {
                inside(&path, &mut found);
            } else if path.is_file() {
                found.push(path);
            } else {
                continue;
            }
            for path in found {
                let vars = files.load(&path)?;
                out.push((path.to_string_lossy().into_owned(), vars));
            }
            break;
        }
    }
    Ok(out)
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
        let layers = host_layers(
            &VarFiles::new(sources),
            &inventory,
            &[dir.path().join("play")],
            "h",
        )
        .expect("layers");
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
        let files = VarFiles::new(Sources::default());
        let inventory = Inventory::default();
        let of = |host: &str| {
            let layers = host_layers(&files, &inventory, &[dir.path().to_path_buf()], host);
            let layers = layers.expect("layers");
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
