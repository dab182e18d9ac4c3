//! Filters that encrypt and decrypt with vault.

use super::known;
use crate::compat::Level;
use crate::diag::{Error, Kind, Result};
use crate::jinja::Row;
use crate::template::lookups::templar;
use crate::value::{Args, Runtime, Str, Value};
use crate::vault::{Keyring, encrypt, is_encrypted, new_salt};

/// The identity that the filter writes into an envelope.
const FILTER_ID: &str = "filter_default";

pub(super) static TABLE: &[Row] = &[
    Row::new(
        "vault",
        vault,
        "Encrypts text with vault.",
        "('a' | vault('s', 'salt')).split('\\n')[0] => '$ANSIBLE_VAULT;1.2;AES256;filter_default'",
    ),
    Row::new(
        "unvault",
        unvault,
        "Decrypts text of a vault.",
        "'a' | vault('secret') | unvault('secret') => 'a'",
    ),
];

/// Returns a text; raises what Ansible says of anything else.
fn text(level: Level, value: Option<Value>, wanted: &str) -> Result<Str> {
    match known(value)? {
        Value::Str(text) => Ok(text),
        Value::Bytes(bytes) => Ok(Str::new(String::from_utf8_lossy(&bytes))),
        other => Err(level.no_text_for_vault(wanted, other.type_name())),
    }
}

fn vault(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [data, secret, salt, id, wrap] = args.bind(
        "do_vault",
        ["data", "secret", "salt", "vault_id", "wrap_object"],
        2,
    )?;
    let templar = templar(runtime)?;
    let level = templar.level();
    let (data, secret) = (known(data)?, known(secret)?);
    let secret = text(
        level,
        Some(secret),
        "Secret passed is required to be a string",
    )?;
    let data = text(level, Some(data), "Can only vault strings")?;
    let salt = match known(salt)? {
        Value::None => new_salt(),
        given => given.to_str().into_bytes(),
    };
    if salt.is_empty() {
        let said = "Empty or invalid salt passed to encrypt()";
        return Err(Error::new(
            Kind::Filter,
            level.failed_vault("Unable to encrypt", said),
        ));
    }
    let id = id.map_or_else(|| FILTER_ID.to_owned(), |id| id.to_str());
    let envelope = encrypt(data.as_bytes(), secret.as_bytes(), &salt, Some(&id));
    if wrap.is_some_and(|wrap| wrap.truth()) {
        let kept = templar.keyring().keep(&envelope, &data);
        return Ok(Value::Str(Str::from_shared(kept)));
    }
    Ok(Value::str(envelope))
}

fn unvault(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [vault, secret, _id] = args.bind("do_unvault", ["vault", "secret", "vault_id"], 2)?;
    let templar = templar(runtime)?;
    let level = templar.level();
    let (vault, secret) = (known(vault)?, known(secret)?);
    let secret = text(
        level,
        Some(secret),
        "Secret passed is required to be as string",
    )?;
    let envelope = templar.envelope(&vault).map(Str::from_shared);
    let vault = match envelope {
        Some(envelope) => envelope,
        None => text(
            level,
            Some(vault),
            "Vault should be in the form of a string",
        )?,
    };
    if !is_encrypted(vault.as_bytes()) {
        return Ok(Value::Str(vault));
    }
    let mut keyring = Keyring::default();
    keyring.add(FILTER_ID, secret.as_bytes().to_vec());
    let plain = keyring.decrypt(vault.as_bytes()).map_err(|fault| {
        let said = level.vault_fault(&fault);
        Error::new(Kind::Filter, level.failed_vault("Unable to decrypt", &said))
    })?;
    Ok(Value::str(String::from_utf8_lossy(&plain)))
}
