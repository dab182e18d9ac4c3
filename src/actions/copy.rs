//! `copy`: copies files of the controller to the host.

use std::path::Path;

use walkdir::WalkDir;

use super::{Context, Prepared, Remote, boolean, files, text};
use crate::diag::{Error, Kind, Result};
use crate::value::{Dict, JsonStyle, Value};

pub(super) fn run(context: &Context, args: Dict) -> Result<Prepared> {
    let src = text(&args, "src");
    let content = args.get("content").filter(|value| !value.is_none());
    let dest = text(&args, "dest");
    if src.is_none() && content.is_none() {
        return Err(Error::new(Kind::Argument, "src (or content) is required"));
    }
    if src.is_some() && content.is_some() {
        return Err(Error::new(
            Kind::Argument,
            "src and content are mutually exclusive",
        ));
    }
    let Some(dest) = dest else {
        return Err(Error::new(Kind::Argument, "dest is required"));
    };
    if content.is_some() && dest.ends_with('/') {
        return Err(Error::new(
            Kind::Argument,
            "can not use content with a dir as dest",
        ));
    }
    let module_args = args.copy();
    if let Some(content) = content {
        module_args.remove("content");
        module_args.remove("src");
        return Ok(Prepared::Remote(Remote {
            module: "copy".into(),
            args: module_args,
            content: Some(bytes_of(&content)?),
        }));
    }
    let src = src.unwrap_or_default();
    if boolean(&args, "remote_src", false)? {
        return Ok(Prepared::Remote(Remote {
            module: "copy".into(),
            args: module_args,
            content: None,
        }));
    }
    let path = files::find(context, "files", &src)?;
    if path.is_dir() {
        return directory(&args, &path, src.ends_with('/'), &dest);
    }
    module_args.set("src", path.to_string_lossy().as_ref());
    one_file(&path, &module_args).map(Prepared::Remote)
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

fn one_file(path: &Path, module_args: &Dict) -> Result<Remote> {
    let bytes = std::fs::read(path).map_err(|error| Error::io(path, &error))?;
    let name = path
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    module_args.set("_original_basename", name);
    if text(module_args, "mode").as_deref() == Some("preserve") {
        use std::os::unix::fs::PermissionsExt;
        let meta = std::fs::metadata(path).map_err(|error| Error::io(path, &error))?;
        module_args.set(
            "mode",
            format!("0{:03o}", meta.permissions().mode() & 0o7777),
        );
    }
    Ok(Remote {
        module: "copy".into(),
        args: module_args.clone(),
        content: Some(bytes),
    })
}

/// Copies a directory: its content for `src/`, the directory itself without the slash.
fn directory(args: &Dict, path: &Path, content_only: bool, dest: &str) -> Result<Prepared> {
    let base = if content_only {
        path
    } else {
        path.parent().unwrap_or(path)
    };
    let mut steps = Vec::new();
    let root = Path::new(dest);
    for entry in WalkDir::new(path).sort_by_file_name() {
        let entry = entry.map_err(|error| Error::new(Kind::Io, error.to_string()))?;
        let relative = entry.path().strip_prefix(base).unwrap_or(entry.path());
        let target = root.join(relative);
        if entry.file_type().is_dir() {
            let dir_args = Dict::new();
            dir_args.set("path", target.to_string_lossy().as_ref());
            dir_args.set("state", "directory");
            for name in ["owner", "group"] {
                if let Some(value) = args.get(name) {
                    dir_args.set(name, value);
                }
            }
            if let Some(mode) = args.get("directory_mode") {
                dir_args.set("mode", mode);
            }
            steps.push(Remote {
                module: "file".into(),
                args: dir_args,
                content: None,
            });
        } else {
            let file_args = args.copy();
            file_args.set("src", entry.path().to_string_lossy().as_ref());
            file_args.set("dest", target.to_string_lossy().as_ref());
            steps.push(one_file(entry.path(), &file_args)?);
        }
    }
    let result = Dict::new();
    result.set("dest", dest);
    result.set("src", text(args, "src").unwrap_or_default());
    result.set("changed", false);
    Ok(Prepared::Many(steps, result))
}
