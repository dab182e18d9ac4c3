//! `include_vars`: loads variables from files of the controller.

use std::path::{Path, PathBuf};

use super::{Context, Prepared, failed, files, flag, text, unknown};
use crate::diag::{Error, Kind, Result};
use crate::value::{Dict, Key, Value};

/// Arguments that go with a directory only.
const OF_DIRECTORY: &[&str] = &[
    "dir",
    "depth",
    "files_matching",
    "ignore_files",
    "extensions",
    "ignore_unknown_extensions",
];

/// Arguments that go with a single file only.
const OF_FILE: &[&str] = &["file", "_raw_params"];

/// Arguments that go with both.
const OF_BOTH: &[&str] = &["name", "hash_behaviour"];

pub(super) fn run(context: &Context, args: Dict) -> Result<Prepared> {
    let known = [OF_DIRECTORY, OF_FILE, OF_BOTH].concat();
    if let Some(strange) = unknown(&args, &known).first() {
        return Err(Error::value_error(format!(
            "{strange} is not a valid option in include_vars"
        )));
    }
    let any = |names: &[&str]| names.iter().any(|name| args.contains(name));
    if any(OF_DIRECTORY) && any(OF_FILE) {
        return Err(Error::value_error(
            "You are mixing file only and dir only arguments, these are incompatible",
        ));
    }
    let merge = match text(&args, "hash_behaviour").as_deref() {
        None | Some("replace") => false,
        Some("merge") => true,
        Some(other) => {
            return Err(Error::value_error(format!(
                "`hash_behaviour` is `merge` or `replace`, found `{other}`"
            )));
        }
    };
    let vars = Dict::new();
    let mut loaded = Vec::new();
    let ended = load(context, &args, &mut |path| {
        let found = crate::vars::load_file(context.sources, path).map_err(|error| {
            if error.kind() == Kind::Parse {
                return format!("{} must be stored as a dictionary/hash", path.display());
            }
            error.full_message()
        })?;
        loaded.push(path.to_owned());
        for (key, value) in found.to_vec() {
            let value = match (merge, vars.get_key(&key), &value) {
                (true, Some(Value::Dict(old)), Value::Dict(new)) => Value::Dict(merged(&old, new)),
                _ => value,
            };
            vars.set_key(key, value);
        }
        Ok(())
    });
    // The name keeps its place, for warnings about it.
    let name = text(&args, "name").and(args.get("name"));
    let facts = |vars: Dict| match name.clone().map(Key::new) {
        Some(Ok(name)) => {
            let outer = Dict::new();
            outer.set_key(name, Value::Dict(vars));
            outer
        }
        _ => vars,
    };
    let result = match ended {
        Ok(()) => {
            let result = Dict::new();
            result.set("ansible_facts", facts(vars));
            result
        }
        Err(message) => {
            let result = failed("");
            result.remove("msg");
            result.set("message", message);
            result.set("ansible_facts", facts(Dict::new()));
            result
        }
    };
    result.set(
        "ansible_included_var_files",
        Value::list(
            loaded
                .iter()
                .map(|path| Value::str(path.to_string_lossy()))
                .collect(),
        ),
    );
    result.set("changed", false);
    Ok(Prepared::Done(result))
}

/// Gives each file that the arguments name to `take`, in order; the first that can't be taken ends it.
fn load(
    context: &Context,
    args: &Dict,
    take: &mut dyn FnMut(&Path) -> std::result::Result<(), String>,
) -> std::result::Result<(), String> {
    if let Some(dir) = text(args, "dir") {
        return Directory::of(context, args, &dir)?.load(take);
    }
    let Some(file) = text(args, "file").or_else(|| text(args, "_raw_params")) else {
        return Err("Could not find file on the Ansible Controller.\nIf you are using a module and expect the file to exist on the remote, see the remote_src option".to_owned());
    };
    let path = files::find(context, "vars", file.trim()).map_err(|e| e.full_message())?;
    take(&path)
}

fn merged(old: &Dict, new: &Dict) -> Dict {
    let out = old.copy();
    for (key, value) in new.to_vec() {
        let value = match (out.get_key(&key), &value) {
            (Some(Value::Dict(a)), Value::Dict(b)) => Value::Dict(merged(&a, b)),
            _ => value,
        };
        out.set_key(key, value);
    }
    out
}

/// A directory of variable files, and which of them count.
struct Directory {
    root: PathBuf,
    extensions: Vec<String>,
    ignored: Vec<fancy_regex::Regex>,
    matching: Option<fancy_regex::Regex>,
    depth: usize,
    skips_unknown: bool,
}

impl Directory {
    fn of(context: &Context, args: &Dict, dir: &str) -> std::result::Result<Directory, String> {
        let root = place(context, dir);
        if !root.exists() {
            return Err(format!("{} directory does not exist", root.display()));
        }
        if !root.is_dir() {
            return Err(format!("{} is not a directory", root.display()));
        }
        let regex = |pattern: &str| {
            fancy_regex::Regex::new(pattern).map_err(|error| format!("`{pattern}`: {error}"))
        };
        let extensions = match args.get("extensions") {
            Some(Value::List(items)) => items.to_vec().iter().map(Value::to_str).collect(),
            // A text is a list of characters there.
            Some(Value::Str(text)) => text.chars().map(|c| c.to_string()).collect(),
            _ => vec!["yaml".to_owned(), "yml".to_owned(), "json".to_owned()],
        };
        let ignored: Vec<String> = match args.get("ignore_files") {
            Some(Value::List(items)) => items.to_vec().iter().map(Value::to_str).collect(),
            Some(Value::Str(text)) => text.split_whitespace().map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        Ok(Directory {
            root,
            extensions,
            ignored: ignored
                .iter()
                .map(|pattern| regex(&format!("{pattern}$")))
                .collect::<std::result::Result<_, _>>()?,
            matching: text(args, "files_matching")
                .map(|pattern| regex(&pattern))
                .transpose()?,
            depth: text(args, "depth")
                .and_then(|text| text.trim().parse().ok())
                .unwrap_or(0),
            skips_unknown: flag(args, "ignore_unknown_extensions", false),
        })
    }

    fn load(
        &self,
        take: &mut dyn FnMut(&Path) -> std::result::Result<(), String>,
    ) -> std::result::Result<(), String> {
        self.walk(&self.root, 1, take)
    }

    /// Takes the files of a directory, then those of the directories in it, each by name.
    fn walk(
        &self,
        dir: &Path,
        level: usize,
        take: &mut dyn FnMut(&Path) -> std::result::Result<(), String>,
    ) -> std::result::Result<(), String> {
        let mut inside: Vec<PathBuf> = std::fs::read_dir(dir)
            .map_err(|error| Error::io(dir, &error).full_message())?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect();
        inside.sort();
        let (directories, plain): (Vec<PathBuf>, Vec<PathBuf>) =
            inside.into_iter().partition(|path| path.is_dir());
        for path in plain {
            if self.counts(&path)? {
                take(&path)?;
            }
        }
        if self.depth == 0 || level < self.depth {
            for path in directories {
                self.walk(&path, level + 1, take)?;
            }
        }
        Ok(())
    }

    fn counts(&self, path: &Path) -> std::result::Result<bool, String> {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let matches = |regex: &fancy_regex::Regex| regex.is_match(&name).unwrap_or(false);
        if self.ignored.iter().any(matches) || self.matching.as_ref().is_some_and(|m| !matches(m)) {
            return Ok(false);
        }
        let extension = path.extension().map(|e| e.to_string_lossy().into_owned());
        if extension.is_some_and(|extension| self.extensions.contains(&extension)) {
            return Ok(true);
        }
        if self.skips_unknown {
            return Ok(false);
        }
        Err(format!(
            "{} does not have a valid extension: {}",
            path.display(),
            self.extensions.join(", ")
        ))
    }
}

/// Returns where a directory is: below the role's `vars`, or beside the task's file.
fn place(context: &Context, dir: &str) -> PathBuf {
    let path = Path::new(dir);
    if path.is_absolute() {
        return path.to_owned();
    }
    match context.search_path {
        [role, _, ..] if path.starts_with("vars") => role.join(path),
        [role, _, ..] => role.join("vars").join(path),
        _ => context.task_dir.join(path),
    }
}
