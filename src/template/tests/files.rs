//! Tests of files and paths of the controller.

use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::first;
use crate::diag::{Error, Kind, Result, os_message};
use crate::jinja::Row;
use crate::value::{Args, Runtime, Value};

pub(super) static TABLE: &[Row] = &[
    Row::new(
        "abs",
        |_, a| path(a, std::path::Path::is_absolute),
        "Is an absolute path.",
        "'/a' is abs => True",
    ),
    Row::new(
        "directory",
        |_, a| path(a, std::path::Path::is_dir),
        "Is a directory of the controller.",
        "'/' is directory => True",
    ),
    Row::new(
        "exists",
        |_, a| path(a, std::path::Path::exists),
        "Exists on the controller.",
        "'/' is exists => True",
    ),
    Row::new(
        "file",
        |_, a| path(a, std::path::Path::is_file),
        "Is a file of the controller.",
        "'/' is file => False",
    ),
    Row::new(
        "link",
        |_, a| path(a, std::path::Path::is_symlink),
        "Is a link of the controller.",
        "'/' is link => False",
    ),
    Row::new(
        "link_exists",
        |_, a| path(a, |p| p.symlink_metadata().is_ok()),
        "Exists, perhaps as a broken link.",
        "'/' is link_exists => True",
    ),
    Row::new(
        "is_dir",
        |_, a| path(a, Path::is_dir),
        "Is a directory.",
        "'/' is is_dir => True",
    ),
    Row::new(
        "is_file",
        |_, a| path(a, Path::is_file),
        "Is a file.",
        "'/' is is_file => False",
    ),
    Row::new(
        "is_link",
        |_, a| path(a, Path::is_symlink),
        "Is a symbolic link.",
        "'/' is is_link => False",
    ),
    Row::new(
        "is_abs",
        |_, a| path(a, Path::is_absolute),
        "Is an absolute path.",
        "'a' is is_abs => False",
    ),
    Row::new(
        "mount",
        |_, a| path(a, is_mount),
        "A file system is mounted there.",
        "'/' is mount => True",
    ),
    Row::new(
        "is_mount",
        |_, a| path(a, is_mount),
        "A file system is mounted there.",
        "'/' is is_mount => True",
    ),
    Row::new(
        "same_file",
        same_file,
        "Is the same file.",
        "'/' is same_file('/..') => True",
    ),
    Row::new(
        "is_same_file",
        same_file,
        "Is the same file.",
        "'/' is is_same_file('/..') => True",
    ),
    Row::new(
        "vaulted_file",
        vaulted_file,
        "Is a file of the controller that is encrypted with vault.",
        "'/dev/null' is vaulted_file => False",
    ),
];

fn vaulted_file(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let value = first(args)?;
    let path = value.to_str();
    let read = || -> std::io::Result<Vec<u8>> {
        let mut start = Vec::new();
        let file = std::fs::File::open(&path)?;
        file.take(MARK.len() as u64).read_to_end(&mut start)?;
        Ok(start)
    };
    let start = read().map_err(|error| {
        let said = format!(
            "[Errno {}] {}: {}",
            error.raw_os_error().unwrap_or(0),
            os_message(&error),
            Value::Bytes(path.as_bytes().into()).repr()
        );
        let level = crate::template::lookups::templar(runtime).map(|t| t.level());
        let message = level.unwrap_or_default().no_vaulted_file(&value, &said);
        Error::new(Kind::Filter, message)
    })?;
    Ok(Value::Bool(start == MARK))
}

/// What encrypted files begin with.
const MARK: &[u8] = b"$ANSIBLE_VAULT";

fn path(args: Args, test: fn(&Path) -> bool) -> Result<Value> {
    Ok(Value::Bool(test(Path::new(&first(args)?.to_str()))))
}

fn is_mount(path: &Path) -> bool {
    let (Ok(own), Ok(parent)) = (path.symlink_metadata(), path.join("..").metadata()) else {
        return false;
    };
    !own.file_type().is_symlink() && (own.dev() != parent.dev() || own.ino() == parent.ino())
}

fn same_file(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [a, b] = args.bind("samefile", ["f1", "f2"], 2)?;
    let stat = |value: Option<Value>| {
        let text = value.unwrap_or(Value::None).to_str();
        std::fs::metadata(&text)
            .map_err(|error| crate::diag::Error::io(&text, &error))
            .map(|meta| (meta.dev(), meta.ino()))
    };
    Ok(Value::Bool(stat(a)? == stat(b)?))
}
