//! Lookups that read files or run programs on the controller.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Options, failed, option, refused, text_of};
use crate::diag::{Kind, Result};
use crate::template::FileOptions;
use crate::template::file::render_value;
use crate::template::templar::Templar;
use crate::value::Value;

pub(super) fn find(templar: &Templar, sub: &str, name: &str) -> Option<PathBuf> {
    let path = Path::new(name);
    if path.is_absolute() {
        return path.exists().then(|| path.to_path_buf());
    }
    templar
        .0
        .vars
        .search_path()
        .iter()
        .flat_map(|dir| [dir.join(sub).join(path), dir.join(path)])
        .find(|path| path.exists())
}

pub(super) fn flag(options: Options, name: &str, default: bool) -> bool {
    option(options, name).map_or(default, |value| {
        crate::template::to_bool(value).unwrap_or(false)
    })
}

pub(super) fn file(templar: &Templar, terms: &[Value], options: Options) -> Result<Vec<Value>> {
    let mut out = Vec::new();
    for term in terms {
        let level = templar.level();
        let name = text_of(term, "startswith")?;
        let path =
            find(templar, "files", name).ok_or_else(|| refused(level.no_looked_up_file(name)))?;
        if path.is_dir() {
            let shown = crate::config::normal_path(&path);
            let cause = level.is_directory(&shown.to_string_lossy());
            return Err(level.no_access_of_lookup(name, cause));
        }
        let content = templar.0.shared.options.sources.read(&path);
        let bytes = content
            .map_err(|error| match error.kind() {
                Kind::Vault => level.no_access_of_lookup(name, error),
                _ => error,
            })?
            .bytes;
        let mut text = String::from_utf8_lossy(&bytes).into_owned();
        if flag(options, "lstrip", false) {
            text = text.trim_start().to_owned();
        }
        if flag(options, "rstrip", true) {
            text.truncate(text.trim_end().len());
        }
        out.push(Value::str(text));
    }
    Ok(out)
}

pub(super) fn template(templar: &Templar, terms: &[Value], options: Options) -> Result<Vec<Value>> {
    let mut out = Vec::new();
    let trims = templar.level().template_lookup_trims();
    let vars = match option(options, "template_vars") {
        None | Some(Value::None) => None,
        Some(Value::Dict(vars)) => Some(vars.clone()),
        Some(other) => {
            let level = templar.level();
            return Err(level.wrong_lookup_setting("template", "template_vars", "dict", other));
        }
    };
    for term in terms {
        let name = term.to_str();
        let path = find(templar, "templates", &name).ok_or_else(|| {
            failed(format!(
                "the template file {name} could not be found for the lookup"
            ))
        })?;
        let text = |key: &str| {
            option(options, key)
                .filter(|v| !v.is_none())
                .map(Value::to_str)
        };
        let given = FileOptions {
            variable_start: text("variable_start_string"),
            variable_end: text("variable_end_string"),
            comment_start: text("comment_start_string"),
            comment_end: text("comment_end_string"),
            trim_blocks: !trims || flag(options, "trim_blocks", true),
            lstrip_blocks: trims && flag(options, "lstrip_blocks", false),
            vars: vars.clone(),
            ..FileOptions::default()
        };
        let search = templar.0.vars.search_path();
        let reads_back = flag(options, "convert_data", true);
        out.push(render_value(templar, &path, &search, &given, reads_back)?);
    }
    Ok(out)
}

pub(super) fn fileglob(
    templar: &Templar,
    terms: &[Value],
    _options: Options,
) -> Result<Vec<Value>> {
    let mut out = Vec::new();
    for term in terms {
        let pattern = term.to_str();
        let (dir, name) = pattern.rsplit_once('/').unwrap_or(("", &pattern));
        let dirs: Vec<PathBuf> = if dir.starts_with('/') {
            vec![PathBuf::from(dir)]
        } else {
            let path = templar.0.vars.search_path();
            path.iter()
                .flat_map(|base| [base.join("files").join(dir), base.join(dir)])
                .collect()
        };
        // Braces mean nothing in Python's patterns.
        let name = name.replace('{', "[{]").replace('}', "[}]");
        let glob = globset::GlobBuilder::new(&name)
            .literal_separator(true)
            .build()
            .map_err(|error| failed(error.to_string()))?
            .compile_matcher();
        for dir in dirs {
            let Ok(entries) = std::fs::read_dir(&dir) else {
                continue;
            };
            let mut found: Vec<PathBuf> = entries
                .flatten()
                .map(|entry| entry.path())
                .filter(|path| path.is_file() && path.file_name().is_some_and(|n| glob.is_match(n)))
                .collect();
            found.sort();
            if !found.is_empty() {
                out.extend(found.iter().map(|path| Value::str(path.to_string_lossy())));
                break;
            }
        }
    }
    Ok(out)
}

/// Splits text at any of some characters.
fn parts(text: &str, separators: &[char]) -> Vec<String> {
    text.split(separators)
        .map(|part| part.trim().to_owned())
        .collect()
}

/// Takes lists in lists apart.
fn flat(items: Vec<Value>) -> Vec<Value> {
    items
        .into_iter()
        .flat_map(|item| match item {
            Value::List(list) => list.to_vec(),
            other => vec![other],
        })
        .collect()
}

pub(super) fn first_found(
    templar: &Templar,
    terms: &[Value],
    options: Options,
) -> Result<Vec<Value>> {
    let mut candidates: Vec<(Option<String>, String)> = Vec::new();
    let mut skip = flag(options, "skip", false);
    let list = |value: Option<&Value>| -> Vec<String> {
        match value {
            Some(Value::List(list)) => list.to_vec().iter().map(Value::to_str).collect(),
            Some(Value::None) | None => Vec::new(),
            Some(one) => parts(&one.to_str(), &[',', ';']),
        }
    };
    let directories = |value: Option<&Value>| -> Vec<String> {
        match value {
            Some(Value::Str(text)) => parts(text, &[',', ':', ';']),
            other => list(other),
        }
    };
    let mut add = |files: Vec<String>, paths: Vec<String>| {
        if paths.is_empty() {
            candidates.extend(files.into_iter().map(|file| (None, file)));
        } else {
            for path in &paths {
                candidates.extend(files.iter().map(|file| (Some(path.clone()), file.clone())));
            }
        }
    };
    let paths = directories(option(options, "paths"));
    add(list(option(options, "files")), paths.clone());
    let paths = if templar.level().joins_terms_and_paths() {
        paths
    } else {
        Vec::new()
    };
    for term in terms {
        match term {
            Value::Dict(dict) => {
                skip |= dict
                    .get("skip")
                    .is_some_and(|v| crate::template::to_bool(&v).unwrap_or(false));
                add(
                    list(dict.get("files").as_ref()),
                    directories(dict.get("paths").as_ref()),
                );
            }
            Value::List(inner) => add(
                flat(inner.to_vec()).iter().map(Value::to_str).collect(),
                paths.clone(),
            ),
            Value::Str(text) => add(parts(text, &[',', ';']), paths.clone()),
            other => {
                let kind = other.type_name();
                return Err(refused(templar.level().no_candidate(kind, &other.to_str())));
            }
        }
    }
    let sub = option(options, super::SUBDIR).map_or_else(|| "files".to_owned(), Value::to_str);
    for (dir, name) in candidates {
        let wanted = match dir {
            Some(dir) => Path::new(&dir).join(&name).to_string_lossy().into_owned(),
            None => name,
        };
        if let Some(found) = find(templar, &sub, &wanted) {
            return Ok(vec![Value::str(found.to_string_lossy())]);
        }
    }
    if skip {
        return Ok(Vec::new());
    }
    Err(refused(templar.level().no_first_found()))
}

fn output(templar: &Templar, term: &Value) -> Result<Vec<u8>> {
    let command = term.to_str();
    let done = Command::new("/bin/sh")
        .arg("-c")
        .arg(&command)
        .current_dir(if templar.0.shared.options.base_dir.is_dir() {
            &templar.0.shared.options.base_dir
        } else {
            Path::new(".")
        })
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(|error| failed(format!("lookup_plugin.pipe({command}): {error}")))?;
    if done.status.success() {
        return Ok(done.stdout);
    }
    Err(failed(format!(
        "lookup_plugin.pipe({command}) returned {}",
        done.status.code().unwrap_or(-1)
    )))
}

pub(super) fn pipe(templar: &Templar, terms: &[Value], _options: Options) -> Result<Vec<Value>> {
    terms
        .iter()
        .map(|term| {
            let bytes = output(templar, term)?;
            Ok(Value::str(String::from_utf8_lossy(&bytes).trim_end()))
        })
        .collect()
}

pub(super) fn lines(templar: &Templar, terms: &[Value], _options: Options) -> Result<Vec<Value>> {
    let mut out = Vec::new();
    for term in terms {
        let bytes = output(templar, term).map_err(|error| {
            let message = error
                .message()
                .replace("lookup_plugin.pipe(", "lookup_plugin.lines(");
            error.message_as(message)
        })?;
        out.extend(String::from_utf8_lossy(&bytes).lines().map(Value::str));
    }
    Ok(out)
}

/// Reads files as they are.
pub(super) fn unvault(templar: &Templar, terms: &[Value], _options: Options) -> Result<Vec<Value>> {
    let mut out = Vec::new();
    for term in terms {
        let name = term.to_str();
        let path = find(templar, "files", &name)
            .ok_or_else(|| failed(format!("Unable to find file matching \"{name}\" ")))?;
        let bytes = templar.0.shared.options.sources.read(&path)?.bytes;
        out.push(Value::str(String::from_utf8_lossy(&bytes)));
    }
    Ok(out)
}
