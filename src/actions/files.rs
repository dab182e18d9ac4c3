//! Where actions find files on the controller.

use std::path::{Path, PathBuf};

use super::Context;
use crate::diag::{Error, Kind, Result};
use crate::value::Dict;

/// Finds a file that an action names, in the order Ansible looks: for each directory of the
/// search path its `sub` directory and itself, then beside the task's file, then the play's.
///
/// # Errors
/// Ansible's "Could not find or access", with the places that were searched.
pub(super) fn find(context: &Context, sub: &str, name: &str) -> Result<PathBuf> {
    let places = places(context, sub, name);
    match places.iter().find(|path| path.exists()) {
        Some(found) => Ok(found.clone()),
        None => Err(Error::new(
            Kind::NotFound,
            format!(
                "Could not find or access '{name}'\nSearched in:\n\t{} on the Ansible Controller.\nIf you are using a module and expect the file to exist on the remote, see the remote_src option",
                places
                    .iter()
                    .map(|p| p.to_string_lossy().into_owned())
                    .collect::<Vec<_>>()
                    .join("\n\t")
            ),
        )),
    }
}

fn places(context: &Context, sub: &str, name: &str) -> Vec<PathBuf> {
    let path = expand_home(name);
    if path.is_absolute() {
        return vec![path];
    }
    let mut places = Vec::new();
    let inside = Path::new(name).starts_with(sub);
    let mut look = |dir: &Path| {
        if !inside {
            places.push(dir.join(sub).join(&path));
        }
        places.push(dir.join(&path));
    };
    let (roles, play) = context
        .search_path
        .split_at(context.search_path.len().saturating_sub(1));
    for dir in roles {
        look(dir);
    }
    look(&context.task_dir);
    for dir in play {
        look(dir);
    }
    places
}

/// Turns `mode: preserve` into the mode of a file here.
///
/// # Errors
/// What the system says about the file.
pub(super) fn preserve_mode(args: &Dict, path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if args
        .get("mode")
        .is_some_and(|mode| mode.as_str() == Some("preserve"))
    {
        let meta = std::fs::metadata(path).map_err(|error| Error::io(path, &error))?;
        args.set(
            "mode",
            format!("0{:03o}", meta.permissions().mode() & 0o7777),
        );
    }
    Ok(())
}

/// Replaces a leading `~` by the home directory of the user who runs this.
fn expand_home(name: &str) -> PathBuf {
    match (name.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(name),
    }
}
