//! The passwords of vaults: flags, settings, files, programs, prompts.
//!
//! **Source:** "Managing vault passwords" of Ansible's documentation; the words are as printed by
//! Ansible.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;

use crate::compat::Level;
use crate::config::{Config, expand_home, normal_path};
use crate::diag::{Error, Kind, Notice, Result, Sources};
use crate::value::Value;
use crate::vault::{DEFAULT_ID, Keyring};

/// Flags about vaults.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct VaultArgs {
    /// Ask for the vault's password.
    #[arg(
        short = 'J',
        long,
        alias = "ask-vault-pass",
        conflicts_with = "vault_password_file"
    )]
    ask_vault_password: bool,
    /// A vault's identity and where its password is: `ID@FILE`, `ID@prompt`, or one without `ID@`.
    #[arg(long, value_name = "ID")]
    vault_id: Vec<String>,
    /// Read the vault's password from a file, or from a program that prints it.
    #[arg(long, value_name = "FILE", alias = "vault-pass-file")]
    vault_password_file: Vec<String>,
}

/// Where a password comes from.
enum Origin {
    /// It is asked for; `--ask-vault-pass` doesn't say whose it is.
    Prompt {
        named: bool,
    },
    File(PathBuf),
}

impl VaultArgs {
    /// Reads all passwords that flags and settings name.
    ///
    /// # Errors
    /// A password that can't be had.
    pub(super) fn keyring(
        &self,
        sources: &Sources,
        config: &Config,
        level: Level,
    ) -> Result<Keyring> {
        let mut keyring = Keyring::default();
        if config.flag("vault_id_match") {
            keyring.require_named();
        }
        let default_id = config
            .text("vault_identity")
            .unwrap_or_else(|| DEFAULT_ID.to_owned());
        for (id, origin) in self.origins(config, &default_id) {
            let password = match &origin {
                Origin::Prompt { named } => asked(sources, &id, *named)?,
                Origin::File(path) => Reader {
                    sources,
                    level,
                    id: &id,
                    path,
                }
                .password()?,
            };
            keyring.add(&id, password);
        }
        Ok(keyring)
    }

    fn origins(&self, config: &Config, default_id: &str) -> Vec<(String, Origin)> {
        let file = |path: &str| Origin::File(expand_home(path));
        let mut found: Vec<(String, Origin)> = config
            .list("vault_identity_list")
            .iter()
            .chain(&self.vault_id)
            .map(|given| {
                let (id, place) = match given.split_once('@') {
                    Some((id, place)) if !id.is_empty() => (id, place),
                    Some((_, place)) => (default_id, place),
                    None => (default_id, given.as_str()),
                };
                let origin = match place {
                    "prompt" => Origin::Prompt { named: true },
                    "prompt_ask_vault_pass" => Origin::Prompt { named: false },
                    path => file(path),
                };
                (id.to_owned(), origin)
            })
            .collect();
        for path in &self.vault_password_file {
            found.push((default_id.to_owned(), file(path)));
        }
        let asks = self.ask_vault_password || config.flag("ask_vault_pass");
        if self.vault_password_file.is_empty()
            && !asks
            && let Some(path) = config.text("vault_password_file")
        {
            found.push((default_id.to_owned(), file(&path)));
        }
        if asks && self.vault_password_file.is_empty() {
            found.push((default_id.to_owned(), Origin::Prompt { named: false }));
        }
        found
    }
}

fn asked(sources: &Sources, id: &str, named: bool) -> Result<Vec<u8>> {
    let prompt = if named {
        format!("Vault password ({id}): ")
    } else {
        "Vault password: ".to_owned()
    };
    let message = match super::run::ask_for(&prompt)? {
        None => format!("EOFError (ctrl-d) on prompt for ({id})"),
        Some(password) if password.expose().is_empty() => {
            format!("Invalid vault password was provided from prompt ({id})")
        }
        Some(password) => return Ok(password.expose().clone().into_bytes()),
    };
    sources.note(Notice::warning(format!(
        "Error in vault password prompt ({id}): {message}"
    )));
    Err(Error::new(Kind::Vault, message))
}

/// Reads one password from a file or a program.
struct Reader<'a> {
    sources: &'a Sources,
    level: Level,
    id: &'a str,
    path: &'a Path,
}

impl Reader<'_> {
    fn password(&self) -> Result<Vec<u8>> {
        let path = std::path::absolute(self.path).unwrap_or_else(|_| self.path.to_path_buf());
        let path = normal_path(&path);
        let shown = path.display();
        if !path.exists() {
            let message = format!("The vault password file {shown} was not found");
            return Err(self.not_found(message));
        }
        if path.is_dir() && self.level.knows_vault_directories() {
            let message =
                format!("The vault password file provided '{shown}' can not be a directory");
            return Err(self.not_found(message));
        }
        let is_program =
            std::fs::metadata(&path).is_ok_and(|meta| meta.permissions().mode() & 0o111 != 0);
        let (bytes, kind) = if is_program {
            (self.printed(&path)?, "script")
        } else {
            let bytes = std::fs::read(&path).map_err(|error| {
                let said = crate::diag::os_message(&error);
                self.not_loaded(format!(
                    "Could not read vault password file {shown}: {said}"
                ))
            })?;
            let content = self.sources.opened(&path, bytes)?;
            (content.bytes.trim_ascii().to_vec(), "file")
        };
        if bytes.is_empty() {
            return Err(self.not_loaded(format!(
                "Invalid vault password was provided from {kind} ({shown})"
            )));
        }
        Ok(bytes)
    }

    /// Returns what a program prints. One whose name ends in `-client` is told the identity.
    fn printed(&self, path: &Path) -> Result<Vec<u8>> {
        let shown = path.display();
        let is_client = path
            .file_stem()
            .is_some_and(|stem| stem.to_string_lossy().ends_with("-client"));
        let mut command = Command::new(path);
        command.stdout(Stdio::piped());
        if is_client {
            command.args(["--vault-id", self.id]).stderr(Stdio::piped());
        }
        let done = command
            .spawn()
            .and_then(std::process::Child::wait_with_output)
            .map_err(|error| {
                let code = error.raw_os_error().unwrap_or(0);
                let said = crate::diag::os_message(&error);
                self.not_loaded(format!(
                    "Problem running vault password script {shown} ([Errno {code}] {said}: '{shown}'). If this is not a script, remove the executable bit from the file."
                ))
            })?;
        if done.status.success() {
            let end = done
                .stdout
                .iter()
                .rposition(|b| !matches!(b, b'\r' | b'\n'));
            let start = done.stdout.iter().position(|b| !matches!(b, b'\r' | b'\n'));
            return Ok(match (start, end) {
                (Some(start), Some(end)) => done.stdout[start..=end].to_vec(),
                _ => Vec::new(),
            });
        }
        use std::os::unix::process::ExitStatusExt;
        let code = done
            .status
            .code()
            .unwrap_or_else(|| -done.status.signal().unwrap_or(0));
        let said = Value::Bytes(done.stderr.into()).repr();
        let id = self.id;
        Err(self.not_loaded(match (is_client, code) {
            (true, 2) => format!(
                "Vault password client script {shown} did not find a secret for vault-id={id}: {said}"
            ),
            (true, _) => format!(
                "Vault password client script {shown} returned non-zero ({code}) when getting secret for vault-id={id}: {said}"
            ),
            (false, _) => format!("Vault password script {shown} returned non-zero ({code}): None"),
        }))
    }

    fn not_found(&self, message: String) -> Error {
        if self.level.knows_vault_directories() {
            self.sources.note(Notice::warning(format!(
                "Error getting vault password file ({}): {message}",
                self.id
            )));
        }
        Error::new(Kind::Vault, message)
    }

    fn not_loaded(&self, message: String) -> Error {
        self.sources.note(Notice::warning(format!(
            "Error in vault password file loading ({}): {message}",
            self.id
        )));
        Error::new(Kind::Vault, message)
    }
}
