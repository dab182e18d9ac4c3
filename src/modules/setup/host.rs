//! What collectors ask of the machine.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::system::{Command, Executed, System, which};
use crate::value::Dict;

/// The machine that facts are about.
pub(super) struct Host<'a> {
    pub(super) system: &'a dyn System,
    /// Environment variables of the task, on top of the process's own.
    pub(super) environment: &'a BTreeMap<String, String>,
    /// How long one program may take, in seconds.
    pub(super) seconds: u64,
    /// Where local facts are.
    pub(super) fact_path: PathBuf,
    /// What the host's Python says about itself, where there is one.
    pub(super) python: OnceCell<Option<Dict>>,
}

impl<'a> Host<'a> {
    /// Looks at a machine with the module's defaults.
    pub(super) fn new(
        system: &'a dyn System,
        environment: &'a BTreeMap<String, String>,
    ) -> Host<'a> {
        Host {
            system,
            environment,
            seconds: 10,
            fact_path: "/etc/ansible/facts.d".into(),
            python: OnceCell::new(),
        }
    }

    /// Returns a file's text; `None` where it can't be read.
    pub(super) fn text(&self, path: impl AsRef<Path>) -> Option<String> {
        let bytes = self.system.read(path.as_ref()).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Returns a file's text without white space around it.
    pub(super) fn line(&self, path: impl AsRef<Path>) -> Option<String> {
        self.text(path).map(|text| text.trim().to_owned())
    }

    /// Says whether a path leads somewhere.
    pub(super) fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.system.stat(path.as_ref()).is_ok()
    }

    /// Returns the names in a directory; none where it can't be read.
    pub(super) fn names(&self, path: impl AsRef<Path>) -> Vec<String> {
        self.system
            .readdir(path.as_ref())
            .unwrap_or_default()
            .into_iter()
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    }

    /// Returns the last part of what a symbolic link says.
    pub(super) fn link_name(&self, path: impl AsRef<Path>) -> Option<String> {
        let target = self.system.readlink(path.as_ref()).ok()?;
        Some(target.file_name()?.to_string_lossy().into_owned())
    }

    /// Finds a program in `PATH` or where system programs are.
    pub(super) fn program(&self, name: &str) -> Option<PathBuf> {
        let path = self.system.env("PATH").unwrap_or_default();
        which(
            self.system,
            name,
            &format!("{path}:/sbin:/usr/sbin:/usr/local/sbin"),
        )
    }

    /// Runs a program in the C locale and returns what it printed, where it ended well.
    pub(super) fn output(&self, argv: &[&str]) -> Option<String> {
        let (name, rest) = argv.split_first()?;
        let program = self.program(name)?.to_string_lossy().into_owned();
        let rest = rest.iter().map(|&arg| arg.to_owned());
        let mut command = Command::read(std::iter::once(program).chain(rest)).env("LC_ALL", "C");
        command.timeout = Some(Duration::from_secs(self.seconds));
        match self.system.exec(&command).ok()? {
            Executed::Ran(output) if output.rc == 0 => {
                Some(String::from_utf8_lossy(&output.stdout).into_owned())
            }
            _ => None,
        }
    }
}

/// Splits `KEY=value` lines, as shells read them; quotes around values are taken off.
pub(super) fn assignments(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| line.trim().split_once('='))
        .filter(|(name, _)| !name.starts_with('#'))
        .map(|(name, value)| {
            let value = value.trim();
            let bare = ['"', '\'']
                .iter()
                .find_map(|&quote| value.strip_prefix(quote)?.strip_suffix(quote));
            (name.to_owned(), bare.unwrap_or(value).to_owned())
        })
        .collect()
}
