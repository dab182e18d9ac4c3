//! Where inventories come from: files, directories, programs, lists of hosts.

use std::path::{Path, PathBuf};

use super::data::Inventory;
use super::{ini, pattern, range, script, yaml};
use crate::diag::{Error, Kind, Result, Sources};

/// What is left out of inventory directories, by ending.
///
/// **Source:** the default of `inventory_ignore_extensions` in ansible-core 2.19.
const IGNORED: &[&str] = &[
    ".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry",
];

/// How sources are read.
#[derive(Clone, Debug, Default)]
pub struct SourceOptions {
    /// Endings of files that are left out of directories besides the usual ones.
    pub ignored_extensions: Vec<String>,
    /// `--limit`, as given.
    pub limit: Option<String>,
}

/// Reads sources in order; a later one adds to an earlier one.
///
/// A source that can't be read is a warning, as in Ansible; the inventory says so.
///
/// # Errors
/// A limit that can't be read.
pub fn load(sources: &Sources, given: &[String], options: &SourceOptions) -> Result<Inventory> {
    let mut inventory = Inventory::default();
    for source in given {
        if source.contains(',') && !Path::new(source).exists() {
            for name in source
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
            {
                let names = range::expand(name).unwrap_or_else(|_| vec![name.to_owned()]);
                for name in names {
                    let (name, port) = match name.rsplit_once(':') {
                        Some((host, port))
                            if !host.contains(':') && port.parse::<u16>().is_ok() =>
                        {
                            (host.to_owned(), port.parse::<i64>().ok())
                        }
                        _ => (name, None),
                    };
                    let host = inventory.add_host(&name, Some("ungrouped"), None);
                    if let Some(port) = port {
                        inventory.set_host_var(host, "ansible_port", port.into());
                    }
                }
            }
            inventory.is_parsed = true;
            continue;
        }
        let path = std::path::absolute(source).unwrap_or_else(|_| PathBuf::from(source));
        inventory.sources.push(path.clone());
        one(sources, &mut inventory, &path, options);
    }
    inventory.reconcile();
    if let Some(limit) = &options.limit {
        inventory.limit = Some(limit_of(limit)?);
    }
    Ok(inventory)
}

/// Splits a limit; `@file` names a file with a pattern a line.
fn limit_of(limit: &str) -> Result<Vec<String>> {
    let mut parts = Vec::new();
    for part in pattern::split(limit) {
        match part.strip_prefix('@') {
            None => parts.push(part),
            Some(file) => {
                let text = std::fs::read_to_string(file).map_err(|error| {
                    Error::new(Kind::Usage, format!("Unable to find limit file {file}"))
                        .caused_by(Error::io(file, &error))
                })?;
                parts.extend(
                    text.lines()
                        .map(|line| line.trim().to_owned())
                        .filter(|line| !line.is_empty()),
                );
            }
        }
    }
    Ok(parts)
}

fn one(sources: &Sources, inventory: &mut Inventory, path: &Path, options: &SourceOptions) {
    if path.is_dir() {
        for entry in entries(path, options) {
            one(sources, inventory, &entry, options);
        }
        return;
    }
    // A source that fails half-way leaves nothing behind.
    let before = inventory.clone();
    match file(sources, inventory, path) {
        Ok(()) => inventory.is_parsed = true,
        Err(error) => {
            *inventory = before;
            if path.exists() {
                inventory.warnings.push(format!(
                    "Failed to parse inventory '{}': {}",
                    path.display(),
                    match error.span() {
                        Some(span) =>
                            format!("{} ({})", error.full_message(), sources.locate(span)),
                        None => error.full_message(),
                    }
                ));
            }
            inventory.warnings.push(format!(
                "Unable to parse {} as an inventory source",
                path.display()
            ));
        }
    }
}

fn entries(dir: &Path, options: &SourceOptions) -> Vec<PathBuf> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .map(|entries| {
            entries
                .flatten()
                .map(|e| e.file_name().to_string_lossy().into_owned())
                .collect()
        })
        .unwrap_or_default();
    names.sort();
    names
        .into_iter()
        .filter(|name| {
            !name.starts_with('.')
                && !matches!(name.as_str(), "group_vars" | "host_vars" | "vars_plugins")
                && !IGNORED.iter().any(|ending| name.ends_with(ending))
                && !options
                    .ignored_extensions
                    .iter()
                    .any(|ending| name.ends_with(ending.as_str()))
        })
        .map(|name| dir.join(name))
        .collect()
}

fn file(sources: &Sources, inventory: &mut Inventory, path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let meta = std::fs::metadata(path).map_err(|error| Error::io(path, &error))?;
    let bytes = std::fs::read(path).map_err(|error| Error::io(path, &error))?;
    if meta.permissions().mode() & 0o111 != 0 && bytes.starts_with(b"#!") {
        return script::read(inventory, path);
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| Error::new(Kind::Inventory, format!("{} is not UTF-8", path.display())))?;
    let source = sources.add(path.to_string_lossy().into_owned(), text.clone());
    let is_yaml = path
        .extension()
        .is_some_and(|e| e == "yml" || e == "yaml" || e == "json");
    if !is_yaml {
        return ini::read(inventory, &text, source, path);
    }
    match crate::yaml::load(sources, source)? {
        Some(document) => yaml::read(inventory, &document, path),
        None => Err(Error::new(Kind::Inventory, "Parsed empty YAML file")),
    }
}
