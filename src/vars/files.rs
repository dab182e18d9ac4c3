//! Variable files: `group_vars/` and `host_vars/` beside inventories and playbooks, and single files.
//!
//! **Source:** "Organizing host and group variables" of Ansible's documentation: a name means the
//! file itself, or with `.yml`, `.yaml`, `.json`, or a directory whose files are read in order.

use std::path::{Path, PathBuf};

use super::{Layer, Level};
use crate::diag::{Error, Kind, Result, Sources};
use crate::inventory::Inventory;
use crate::value::{Dict, Value};
use crate::yaml;

/// Endings of variable files, in the order in which they are looked for.
const ENDINGS: &[&str] = &["", ".yml", ".yaml", ".json"];

/// Reads a file of variables; an empty one has none.
///
/// # Errors
/// That it can't be read or is no mapping, with its place.
pub fn load_file(sources: &Sources, path: &Path) -> Result<Dict> {
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
    let Some(node) = yaml::load(sources, source)? else {
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

/// Returns a host's inventory variables, lowest precedence first.
///
/// `playbook_dirs` are where playbooks have their `group_vars` and `host_vars`.
///
/// # Errors
/// A variable file that can't be read.
pub fn host_layers(
    sources: &Sources,
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
        for (from, vars) in named(sources, dirs, "group_vars", "all")? {
            add(&from, vars);
        }
    }
    for dirs in [&beside[..], playbook_dirs] {
        for name in &groups {
            for (from, vars) in named(sources, dirs, "group_vars", name)? {
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
        for (from, vars) in named(sources, dirs, "host_vars", host)? {
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
    sources: &Sources,
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
                let vars = load_file(sources, &path)?;
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
        let layers =
            host_layers(&sources, &inventory, &[dir.path().join("play")], "h").expect("layers");
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
}
