//! What all subcommands share from the first moment: texts, environment, standard error.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::Path;
use std::rc::Rc;

use super::setup;
use super::vault::VaultArgs;
use crate::compat::Level;
use crate::config::Config;
use crate::diag::{DuplicateKeys, Error, Kind, Notice, Result, Sources};
use crate::output::{NoticeOptions, Notices, error_text, hints};
use crate::vault::{Fault, Keyring};

/// One call of the program.
pub(super) struct Session {
    /// All texts.
    pub(super) sources: Sources,
    /// The environment, as text.
    pub(super) environment: BTreeMap<String, String>,
    /// Tells warnings.
    pub(super) notices: Notices,
}

/// The level of a run and why it is that one.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    pub(super) level: Level,
    pub(super) reason: String,
    /// The level was found, not given.
    pub(super) is_pinned: bool,
}

impl Session {
    pub(super) fn new() -> Session {
        let sources = Sources::default();
        Session {
            environment: setup::environment(),
            notices: Notices::new(sources.clone(), Box::new(std::io::stderr())),
            sources,
        }
    }

    /// Reads the settings and decides the level; `dir` is where the content is.
    ///
    /// # Errors
    /// Settings that can't be read; a level that isn't one.
    pub(super) fn configure(
        &self,
        compat: Option<&str>,
        dir: &Path,
        verbosity: u8,
    ) -> Result<(Config, Chosen)> {
        let config = Config::load(&self.sources, &self.environment)?;
        let chosen = choose(compat, &config, dir)?;
        self.sources
            .take_duplicate_keys(duplicate_keys(&config, chosen.level)?);
        let terminal = std::io::stdout().is_terminal();
        self.notices.configure(NoticeOptions {
            level: chosen.level,
            columns: columns(),
            color: (terminal && !config.flag("nocolor")) || config.flag("force_color"),
            deprecations: config.flag("deprecation_warnings"),
            hints: config.flag("hints"),
            details: verbosity > 0 || config.number("verbosity").is_some_and(|count| count > 0),
        });
        Ok((config, chosen))
    }

    /// Reads the passwords of vaults; from then on, encrypted files are read as if they weren't.
    ///
    /// # Errors
    /// A password that can't be had.
    pub(super) fn unlock(
        &self,
        args: &VaultArgs,
        settings: &(Config, Chosen),
    ) -> Result<Rc<Keyring>> {
        let level = settings.1.level;
        let keyring = Rc::new(args.keyring(&self.sources, &settings.0, level)?);
        let (keys, sources) = (keyring.clone(), self.sources.clone());
        self.sources.open_with(Rc::new(move |path, bytes| {
            keys.decrypt(bytes).map_err(|fault| {
                let message = level.unreadable_vault_file(&fault, &path.to_string_lossy());
                let error = Error::new(Kind::Vault, message);
                if level.shows_error_blocks() && fault != Fault::NoSecrets {
                    error.at(sources.add_name(path.to_string_lossy()))
                } else {
                    error
                }
            })
        }));
        Ok(keyring)
    }

    /// Tells what was odd in the texts read so far.
    pub(super) fn tell_notices(&self) {
        for notice in self.sources.take_notices() {
            self.notices.tell(&notice);
        }
    }

    /// Tells an error that ends the program and returns the exit code.
    pub(super) fn fail(&self, error: &Error) -> u8 {
        use std::io::Write;
        self.tell_notices();
        let level = self.notices.options().level;
        // Standard error that went away is not our failure.
        let _ = std::io::stderr().write_all(error_text(error, &self.sources, level).as_bytes());
        for hint in hints(error, &self.sources, false) {
            self.notices.tell(&Notice::hint(hint));
        }
        code_of(error)
    }
}

/// Returns the width of the terminal less one, at least 79.
pub(super) fn columns() -> usize {
    rustix::termios::tcgetwinsize(std::io::stdout())
        .ok()
        .filter(|_| std::io::stdout().is_terminal())
        .map_or(79, |size| {
            usize::from(size.ws_col).saturating_sub(1).max(79)
        })
}

/// Decides the level: flag, environment, configuration, what the project pins, the newest.
fn choose(flag: Option<&str>, config: &Config, dir: &Path) -> Result<Chosen> {
    let parse = |text: &str, from: &str| {
        Level::parse(text)
            .map(|level| Chosen {
                level,
                reason: from.to_owned(),
                is_pinned: false,
            })
            .ok_or_else(|| {
                Error::new(
                    Kind::Usage,
                    format!("{from}: unknown compatibility level `{text}`"),
                )
                .help("known levels are 2.9, 2.18 and 2.19")
            })
    };
    if let Some(text) = flag {
        return parse(text, "--compat");
    }
    if let Some(text) = config.text("compat") {
        return parse(&text, "REGROLE_COMPAT or [regrole] compat");
    }
    Ok(match Level::pinned_by(dir) {
        Some((level, reason)) => Chosen {
            level,
            reason,
            is_pinned: true,
        },
        None => Chosen {
            level: Level::default(),
            reason: "nothing says otherwise".to_owned(),
            is_pinned: false,
        },
    })
}

/// Reads what keys are that stand twice in a mapping.
fn duplicate_keys(config: &Config, level: Level) -> Result<DuplicateKeys> {
    match config.text("duplicate_dict_key").as_deref() {
        None | Some("warn") => Ok(DuplicateKeys::Warn),
        Some("error") => Ok(DuplicateKeys::Error),
        Some("ignore") => Ok(DuplicateKeys::Ignore),
        Some(other) => match level.invalid_setting(
            "DUPLICATE_YAML_DICT_KEY",
            other,
            &["error", "warn", "ignore"],
        ) {
            Some(said) => Err(Error::new(Kind::Options, said)),
            None => Ok(DuplicateKeys::Ignore),
        },
    }
}

/// Returns ansible-playbook's exit code for an error outside of tasks.
fn code_of(error: &Error) -> u8 {
    match error.kind() {
        Kind::Yaml | Kind::Parse | Kind::Unsupported | Kind::TemplateSyntax | Kind::Recursion => 4,
        Kind::Usage => 2,
        Kind::Interrupted => 99,
        Kind::Options => 5,
        Kind::Internal => 250,
        _ => 1,
    }
}
