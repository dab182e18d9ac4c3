//! `copy`: copies files of the controller to the host.

use std::path::Path;

use walkdir::WalkDir;

use super::{Context, Prepared, Remote, files, flag, local_tmp, refuse, text};
use crate::diag::{Error, Kind, Result};
use crate::modules::HEADER;
use crate::value::{Dict, JsonStyle, Value};

pub(super) fn run(context: &Context, args: Dict) -> Result<Prepared> {
    let src = text(&args, "src").filter(|src| !src.is_empty());
    let content = args.get("content").filter(|value| !value.is_none());
    let dest = text(&args, "dest").filter(|dest| !dest.is_empty());
    if src.is_none() && content.is_none() {
        return refuse("src (or content) is required");
    }
    let Some(dest) = dest else {
        return refuse("dest is required");
    };
    if src.is_some() && content.is_some() {
        return refuse("src and content are mutually exclusive");
    }
    if content.is_some() && dest.ends_with('/') {
        return refuse("can not use content with a dir as dest");
    }
    let module_args = args.copy();
    if let Some(content) = content {
        module_args.remove("content");
        module_args.remove("src");
        let bytes = bytes_of(&content)?;
        // Ansible writes content to a file of its own first, and shows that one's name.
        if context.level.shows_content_as_file() {
            module_args.set(HEADER, format!("{}tmp0", local_tmp()));
        } else if bytes.is_empty() {
            module_args.set(HEADER, format!("{}.0", local_tmp()));
        }
        return Ok(Prepared::Remote(Remote {
            module: "copy".into(),
            args: module_args,
            content: Some(bytes),
        }));
    }
    let src = src.unwrap_or_default();
    if flag(&args, "remote_src", false) {
        return Ok(Prepared::Remote(Remote {
            module: "copy".into(),
            args: module_args,
            content: None,
        }));
    }
    let path = files::find(context, "files", &src).map_err(|error| {
        if context.level.wraps_missing_source() {
            let message = format!("Unexpected AnsibleActionFail error: {}", error.message());
            return error.message_as(message).kind_as(Kind::Argument);
        }
        error
    })?;
    if path.is_dir() {
        return directory(context, &args, &path, src.ends_with('/'), &dest);
    }
    module_args.set("src", path.to_string_lossy().as_ref());
    one_file(context, &path, &module_args).map(Prepared::Remote)
}

/// Returns what `content:` writes: text as it is, data as JSON.
fn bytes_of(content: &Value) -> Result<Vec<u8>> {
    match content {
        Value::Str(text) => Ok(text.as_bytes().to_vec()),
        Value::Bytes(bytes) => Ok(bytes.to_vec()),
        Value::Dict(_) | Value::List(_) | Value::Tuple(_) => {
            Ok(content.to_json(&JsonStyle::default())?.into_bytes())
        }
        other => Ok(other.to_str().into_bytes()),
    }
}

fn one_file(context: &Context, path: &Path, module_args: &Dict) -> Result<Remote> {
    let bytes = std::fs::read(path).map_err(|error| Error::io(path, &error))?;
    let bytes = if flag(module_args, "decrypt", true) {
        context.sources.opened(path, bytes)?.bytes
    } else {
        bytes
    };
    let name = path
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    module_args.set("_original_basename", name);
    module_args.remove("decrypt");
    files::preserve_mode(module_args, path)?;
    Ok(Remote {
        module: "copy".into(),
        args: module_args.clone(),
        content: Some(bytes),
    })
}

/// Copies a directory: its content for `src/`, the directory itself without the slash. Files come
/// first and make the directories they are in; then all directories and links are looked at.
fn directory(
    context: &Context,
    args: &Dict,
    path: &Path,
    content_only: bool,
    dest: &str,
) -> Result<Prepared> {
    let base = if content_only {
        path
    } else {
        path.parent().unwrap_or(path)
    };
    let root = format!("{}/", dest.trim_end_matches('/'));
    let follow = flag(args, "local_follow", true);
    let (mut files, mut others) = (Vec::new(), Vec::new());
    for entry in WalkDir::new(path)
        .follow_links(follow)
        .min_depth(1)
        .sort_by_file_name()
    {
        let entry = entry.map_err(|error| Error::new(Kind::Io, error.to_string()))?;
        let relative = entry
            .path()
            .strip_prefix(base)
            .unwrap_or(entry.path())
            .to_string_lossy()
            .into_owned();
        let kind = entry.file_type();
        if kind.is_dir() || kind.is_symlink() {
            others.push(beside(args, &entry, &format!("{root}{relative}"))?);
        } else {
            let file_args = args.copy();
            file_args.set("src", entry.path().to_string_lossy().as_ref());
            file_args.set("dest", root.as_str());
            let file = one_file(context, entry.path(), &file_args)?;
            file.args.set("_original_basename", relative);
            files.push(file);
        }
    }
    files.extend(others);
    let result = Dict::new();
    result.set("dest", root);
    result.set("src", path_as_given(args, path));
    result.set("changed", false);
    Ok(Prepared::Many(files, result))
}

fn path_as_given(args: &Dict, path: &Path) -> String {
    let slash = text(args, "src").is_some_and(|src| src.ends_with('/'));
    let path = path.to_string_lossy();
    if slash {
        format!("{}/", path.trim_end_matches('/'))
    } else {
        path.into_owned()
    }
}

/// Makes the step for a directory or a link of a tree.
fn beside(args: &Dict, entry: &walkdir::DirEntry, path: &str) -> Result<Remote> {
    let step = Dict::new();
    step.set("path", path);
    for name in ["owner", "group"] {
        if let Some(value) = args.get(name) {
            step.set(name, value);
        }
    }
    if entry.file_type().is_dir() {
        step.set("state", "directory");
        if let Some(mode) = args.get("directory_mode") {
            step.set("mode", mode);
        }
    } else {
        let target =
            std::fs::read_link(entry.path()).map_err(|error| Error::io(entry.path(), &error))?;
        step.set("state", "link");
        step.set("src", target.to_string_lossy().as_ref());
        step.set("force", true);
        step.set("follow", false);
    }
    Ok(Remote {
        module: "file".into(),
        args: step,
        content: None,
    })
}
