//! What a run is told to run: playbooks, roles, or what the directory holds.

use std::path::{Path, PathBuf};

use crate::diag::{Error, Kind, Result};

/// What is to be run.
pub(super) enum Targets {
    Playbooks(Vec<PathBuf>),
    Roles(Vec<String>),
}

impl Targets {
    /// Returns the directory that the content is relative to.
    pub(super) fn dir(&self) -> PathBuf {
        match self {
            Targets::Playbooks(paths) => paths
                .first()
                .and_then(|path| path.parent())
                .filter(|dir| !dir.as_os_str().is_empty())
                .map_or_else(|| PathBuf::from("."), Path::to_path_buf),
            Targets::Roles(_) => PathBuf::from("."),
        }
        .canonicalize()
        .unwrap_or_else(|_| PathBuf::from("."))
    }
}

/// Decides what the arguments mean: playbooks, roles, or what the directory holds.
pub(super) fn targets(what: &[String]) -> Result<Targets> {
    if what.is_empty() {
        for name in ["site.yml", "site.yaml", "cluster.yml"] {
            if Path::new(name).is_file() {
                return Ok(Targets::Playbooks(vec![name.into()]));
            }
        }
        let mut roles: Vec<String> = std::fs::read_dir("roles")
            .map(|entries| {
                entries
                    .flatten()
                    .filter(|entry| entry.path().is_dir())
                    .map(|entry| entry.file_name().to_string_lossy().into_owned())
                    .collect()
            })
            .unwrap_or_default();
        roles.sort();
        if roles.is_empty() {
            return Err(Error::new(
                Kind::Usage,
                "nothing to run: no playbook, and no roles in `roles/`",
            )
            .help("name a playbook or a role"));
        }
        return Ok(Targets::Roles(roles));
    }
    let is_playbook = |name: &String| {
        name.ends_with(".yml") || name.ends_with(".yaml") || Path::new(name).is_file()
    };
    if what.iter().all(is_playbook) {
        return Ok(Targets::Playbooks(what.iter().map(PathBuf::from).collect()));
    }
    if what.iter().any(is_playbook) {
        return Err(Error::new(
            Kind::Usage,
            "playbooks and roles can't be mixed in one run",
        ));
    }
    Ok(Targets::Roles(
        what.iter()
            .map(|name| {
                let path = Path::new(name);
                if path.join("tasks").is_dir() {
                    path.canonicalize()
                        .map_or_else(|_| name.clone(), |p| p.to_string_lossy().into_owned())
                } else {
                    name.clone()
                }
            })
            .collect(),
    ))
}
