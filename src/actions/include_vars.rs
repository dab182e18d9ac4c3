//! `include_vars`: loads variables from files of the controller.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::{Context, Prepared, boolean, files, text};
use crate::diag::{Error, Kind, Result};
use crate::value::{Dict, Value};

const KNOWN: &[&str] = &[
    "_raw_params",
    "file",
    "dir",
    "depth",
    "files_matching",
    "ignore_files",
    "extensions",
    "ignore_unknown_extensions",
    "name",
    "hash_behaviour",
];

pub(super) fn run(context: &Context, args: Dict) -> Result<Prepared> {
    for key in args.keys() {
        if key.as_str().is_none_or(|name| !KNOWN.contains(&name)) {
            return Err(Error::new(
                Kind::Argument,
                format!("{} is not a valid option in include_vars", key.value()),
            ));
        }
    }
    let file = text(&args, "file").or_else(|| text(&args, "_raw_params"));
    let found = match (text(&args, "dir"), file) {
        (Some(dir), None) => in_directory(context, &args, &dir)?,
        (None, Some(file)) => match files::find(context, "vars", file.trim()) {
            Ok(found) => vec![found],
            Err(error) => return Ok(Prepared::Done(unread(&error))),
        },
        (Some(_), Some(_)) => {
            return Err(Error::new(
                Kind::Argument,
                "You are mixing file only and dir only arguments, these are incompatible",
            ));
        }
        (None, None) => {
            return Err(Error::new(
                Kind::Argument,
                "include_vars needs a `file` or a `dir`",
            ));
        }
    };
    let merge = match text(&args, "hash_behaviour").as_deref() {
        None | Some("replace") => false,
        Some("merge") => true,
        Some(other) => {
            return Err(Error::new(
                Kind::Argument,
                format!("`hash_behaviour` is `merge` or `replace`, found `{other}`"),
            ));
        }
    };
    let vars = Dict::new();
    for path in &found {
        let loaded = match crate::vars::load_file(context.sources, path) {
            Ok(loaded) => loaded,
            Err(error) => {
                return Ok(Prepared::Done(unread(&error)));
            }
        };
        for (key, value) in loaded.to_vec() {
            let value = match (merge, vars.get_key(&key), &value) {
                (true, Some(Value::Dict(old)), Value::Dict(new)) => Value::Dict(merged(&old, new)),
                _ => value,
            };
            vars.set_key(key, value);
        }
    }
    let facts = match text(&args, "name") {
        Some(name) => {
            let outer = Dict::new();
            outer.set(name, vars);
            outer
        }
        None => vars,
    };
    let result = Dict::new();
    result.set("ansible_facts", facts);
    result.set(
        "ansible_included_var_files",
        Value::list(
            found
                .iter()
                .map(|path| Value::str(path.to_string_lossy()))
                .collect(),
        ),
    );
    result.set("changed", false);
    Ok(Prepared::Done(result))
}

/// Makes the result of a file that can't be read; its message is not called `msg`.
fn unread(error: &Error) -> Dict {
    let result = Dict::new();
    result.set("failed", true);
    result.set("ansible_facts", Dict::new());
    result.set("ansible_included_var_files", Value::list(vec![]));
    result.set("changed", false);
    result.set("message", error.full_message());
    result
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

fn in_directory(context: &Context, args: &Dict, dir: &str) -> Result<Vec<PathBuf>> {
    let root = if Path::new(dir).is_absolute() {
        PathBuf::from(dir)
    } else {
        files::find(context, "vars", dir)?
    };
    if !root.is_dir() {
        return Err(Error::new(
            Kind::NotFound,
            format!("{} directory does not exist", root.display()),
        ));
    }
    let list = |name: &str| -> Vec<String> {
        match args.get(name) {
            Some(Value::List(items)) => items.to_vec().iter().map(Value::to_str).collect(),
            Some(Value::None) | None => Vec::new(),
            Some(one) => one.to_str().split([',', ' ']).map(str::to_owned).collect(),
        }
    };
    let extensions = match list("extensions") {
        given if given.is_empty() => vec!["yaml".into(), "yml".into(), "json".into()],
        given => given,
    };
    let ignored = list("ignore_files");
    let depth: usize = text(args, "depth")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let skip_unknown = boolean(args, "ignore_unknown_extensions", false)?;
    let matching =
        match text(args, "files_matching") {
            Some(pattern) => Some(fancy_regex::Regex::new(&pattern).map_err(|error| {
                Error::new(Kind::Argument, format!("`files_matching`: {error}"))
            })?),
            None => None,
        };
    let mut walk = WalkDir::new(&root).sort_by_file_name();
    if depth > 0 {
        walk = walk.max_depth(depth);
    }
    let mut found = Vec::new();
    for entry in walk {
        let entry = entry.map_err(|error| Error::new(Kind::Io, error.to_string()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !entry.file_type().is_file() && !entry.path().is_file() {
            continue;
        }
        if ignored
            .iter()
            .any(|pattern| name.contains(pattern.as_str()))
        {
            continue;
        }
        if let Some(matching) = &matching
            && !matching.is_match(&name).unwrap_or(false)
        {
            continue;
        }
        let extension = entry
            .path()
            .extension()
            .map(|e| e.to_string_lossy().into_owned());
        if extension.is_some_and(|extension| extensions.contains(&extension)) {
            found.push(entry.into_path());
        } else if !skip_unknown {
            return Err(Error::new(
                Kind::Argument,
                format!(
                    "{} does not have a valid extension: {}",
                    entry.path().display(),
                    extensions.join(", ")
                ),
            ));
        }
    }
    Ok(found)
}
