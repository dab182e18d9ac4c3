//! `password_hash`: hashes of passwords for `/etc/shadow` and the like.

use super::known;
use crate::diag::{Error, Result};
use crate::jinja::Row;
use crate::template::crypt::{Scheme, Settings};
use crate::template::lookups::templar;
use crate::value::{Args, Runtime, Value};

pub(super) static TABLE: &[Row] = &[Row::new(
    "password_hash",
    password_hash,
    "Hashes a password as Unix does.",
    "'secret' | password_hash('md5', 'salt') => '$1$salt$ez2vlPGdaLYkJam5pWs/Y1'",
)];

fn password_hash(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let name = "get_encrypted_password";
    let level = templar(runtime)?.level();
    let [secret, kind, salt, salt_size, rounds, ident] = if level.knows_bcrypt_idents() {
        args.bind(
            name,
            [
                "password",
                "hashtype",
                "salt",
                "salt_size",
                "rounds",
                "ident",
            ],
            1,
        )?
    } else {
        let [secret, kind, salt, size, rounds] = args.bind(
            name,
            ["password", "hashtype", "salt", "salt_size", "rounds"],
            1,
        )?;
        [secret, kind, salt, size, rounds, None]
    };
    let secret = known(secret)?;
    let kind = match kind {
        None => "sha512".to_owned(),
        Some(Value::List(_) | Value::Dict(_)) => {
            let found = kind.as_ref().map_or("", Value::type_name);
            return Err(Error::type_error(format!("unhashable type: '{found}'")));
        }
        Some(kind) => kind.to_str(),
    };
    let settings = Settings {
        salt,
        salt_size,
        rounds,
        ident,
    };
    let scheme = Scheme::of(&kind, level)?;
    scheme.hash(&secret, &settings, level).map(Value::from)
}
