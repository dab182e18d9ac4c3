//! Hashes of passwords as the files of Unix have them, for `password_hash` and the lookup `password`.
//!
//! **Source:** what Ansible makes with passlib 1.7.4 and bcrypt 4.0: its defaults, limits and words.

use md5::Digest;
use rand::RngExt;

use crate::compat::Level;
use crate::diag::{Error, Kind, Result};
use crate::value::Value;

/// The digits of salts and hashes, lowest first.
const DIGITS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The digits of bcrypt, in its own order.
const BCRYPT_DIGITS: &[u8; 64] =
    b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// How many bytes of a password passlib takes.
const MAX_SECRET: usize = 4096;

/// How many bytes of a password bcrypt looks at.
const BCRYPT_SECRET: usize = 72;

/// How many rounds the SHA schemes take where their hashes don't say it.
const IMPLICIT_ROUNDS: i64 = 5000;

/// A way of hashing passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Md5,
    Bcrypt,
    Sha256,
    Sha512,
}

/// How a password is hashed, as given.
#[derive(Default)]
pub(super) struct Settings {
    pub(super) salt: Option<Value>,
    pub(super) salt_size: Option<Value>,
    pub(super) rounds: Option<Value>,
    pub(super) ident: Option<Value>,
}

impl Scheme {
    /// Finds a scheme by Ansible's name or passlib's.
    pub(super) fn of(name: &str, level: Level) -> Result<Scheme> {
        Ok(match name {
            "md5" | "md5_crypt" => Scheme::Md5,
            "blowfish" | "bcrypt" => Scheme::Bcrypt,
            "sha256" | "sha256_crypt" => Scheme::Sha256,
            "sha512" | "sha512_crypt" => Scheme::Sha512,
            other => return Err(Error::new(Kind::Filter, level.no_such_scheme(other))),
        })
    }

    /// Returns passlib's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Scheme::Md5 => "md5_crypt",
            Scheme::Bcrypt => "bcrypt",
            Scheme::Sha256 => "sha256_crypt",
            Scheme::Sha512 => "sha512_crypt",
        }
    }

    /// Returns how many characters a salt has where none is given, the most that there may be.
    pub(super) fn salt_size(self) -> usize {
        match self {
            Scheme::Md5 => 8,
            Scheme::Bcrypt => 22,
            Scheme::Sha256 | Scheme::Sha512 => 16,
        }
    }

    fn rounds(self, level: Level) -> i64 {
        match self {
            Scheme::Bcrypt => 12,
            Scheme::Md5 => 1000,
            _ if !level.hashes_with_many_rounds() => IMPLICIT_ROUNDS,
            Scheme::Sha256 => 535_000,
            Scheme::Sha512 => 656_000,
        }
    }

    /// Hashes a password.
    pub(super) fn hash(self, secret: &Value, settings: &Settings, level: Level) -> Result<String> {
        let refused = |said: String| Error::new(Kind::Filter, level.no_password_hash(&said));
        let given = |value: &Option<Value>| value.clone().filter(Value::truth);
        let salt = given(&settings.salt)
            .map(|salt| self.given_salt(&salt.to_str(), level))
            .transpose()?;
        let size = given(&settings.salt_size);
        let rounds = given(&settings.rounds)
            .map(|rounds| self.given_rounds(&rounds, level))
            .transpose()?;
        let ident = given(&settings.ident).filter(|_| self == Scheme::Bcrypt);
        let ident = ident.map_or_else(|| "2b".to_owned(), |ident| ident.to_str());
        let ident = ident.trim_matches('$');
        if !matches!(ident, "2" | "2a" | "2b" | "2y") {
            return Err(refused(format!("invalid ident: '{ident}'")));
        }
        let salt = match salt {
            Some(salt) => salt,
            None => self.new_salt(size.as_ref(), level)?,
        };
        let secret = match secret {
            Value::Str(text) => text.as_bytes(),
            Value::Bytes(bytes) => bytes,
            other => {
                let kind = match other {
                    Value::None => "None",
                    other => other.type_name(),
                };
                return Err(Error::type_error(format!(
                    "secret must be unicode or bytes, not {kind}"
                )));
            }
        };
        if secret.len() > MAX_SECRET {
            return Err(refused("password exceeds maximum allowed size".to_owned()));
        }
        if secret.contains(&0) {
            return Err(refused(match self {
                Scheme::Bcrypt => "bcrypt does not allow NULL bytes in password".to_owned(),
                _ => "null character in secret".to_owned(),
            }));
        }
        let rounds = rounds.unwrap_or_else(|| self.rounds(level));
        Ok(match self {
            Scheme::Md5 => md5(secret, &salt),
            Scheme::Bcrypt => bcrypt(secret, &salt, rounds as u32, ident),
            Scheme::Sha256 | Scheme::Sha512 => self.sha(secret, &salt, rounds),
        })
    }

    /// Checks a salt that was given.
    fn given_salt(self, salt: &str, level: Level) -> Result<String> {
        let refused = |said: String| Error::new(Kind::Filter, level.no_password_hash(&said));
        let (name, most) = (self.name(), self.salt_size());
        if self == Scheme::Bcrypt && salt.len() % 4 == 1 && level.checks_bcrypt_padding() {
            return Err(Error::value_error("source length must != 1 mod 4"));
        }
        if !salt.bytes().all(|byte| DIGITS.contains(&byte)) {
            return Err(refused(format!("invalid characters in {name} salt")));
        }
        let bound = if self == Scheme::Bcrypt {
            "exactly"
        } else {
            "<="
        };
        if salt.len() > most {
            return Err(refused(format!(
                "salt too large ({name} requires {bound} {most} chars)"
            )));
        }
        if self != Scheme::Bcrypt {
            return Ok(salt.to_owned());
        }
        if salt.len() < most {
            return Err(refused(format!(
                "salt too small ({name} requires {bound} {most} chars)"
            )));
        }
        // 22 digits are 132 bits, of which 128 count.
        let raw = bcrypt_salt(salt);
        Ok(bcrypt_text(&raw)[..most].to_owned())
    }

    fn given_rounds(self, rounds: &Value, level: Level) -> Result<i64> {
        let refused = |said: String| Error::new(Kind::Filter, level.no_password_hash(&said));
        if self == Scheme::Md5 {
            return Err(Error::type_error(
                "MinimalHandler.using() got an unexpected keyword argument 'rounds'",
            ));
        }
        let count = match rounds {
            Value::Int(_) | Value::Bool(_) => rounds.as_i64().unwrap_or(0),
            Value::Big(_) => i64::MAX,
            Value::Str(text) => text.trim().parse().map_err(|_| {
                refused(format!(
                    "invalid literal for int() with base 10: {}",
                    rounds.repr()
                ))
            })?,
            other => {
                return Err(Error::type_error(format!(
                    "min_desired_rounds must be integer, not {}",
                    other.type_name()
                )));
            }
        };
        let (least, most) = match self {
            Scheme::Bcrypt => (4, 31),
            _ => (1000, 999_999_999),
        };
        let name = self.name();
        if count < least {
            return Err(refused(format!(
                "{name}: min_desired_rounds ({count}) is too low, must be at least {least}"
            )));
        }
        if count > most {
            return Err(refused(format!(
                "{name}: min_desired_rounds ({count}) is too large, cannot be more than {most}"
            )));
        }
        Ok(count)
    }

    /// Returns a salt of the usual size.
    pub(super) fn random_salt(self) -> String {
        random_digits(self.salt_size())
    }

    fn new_salt(self, size: Option<&Value>, level: Level) -> Result<String> {
        let refused = |said: String| Error::new(Kind::Filter, level.no_password_hash(&said));
        let (name, most) = (self.name(), self.salt_size());
        let count = match size {
            None => most as i64,
            Some(Value::Str(text)) if !level.wants_whole_salt_size() => {
                text.trim().parse().map_err(|_| {
                    Error::value_error(format!(
                        "invalid literal for int() with base 10: {}",
                        crate::value::str_repr(text)
                    ))
                })?
            }
            Some(value) => value
                .as_i64()
                .ok_or_else(|| Error::type_error("salt_size must be an integer"))?,
        };
        if self == Scheme::Bcrypt && count != most as i64 {
            return Err(refused(format!(
                "{name}: salt_size ({count}) must be exactly {most}"
            )));
        }
        if count < 0 {
            return Err(refused(format!(
                "{name}: salt_size ({count}) below min_salt_size (0)"
            )));
        }
        if count > most as i64 {
            return Err(refused(format!(
                "{name}: salt_size ({count}) above max_salt_size ({most})"
            )));
        }
        let salt = random_digits(count as usize);
        if self == Scheme::Bcrypt {
            return self.given_salt(&salt, level);
        }
        Ok(salt)
    }

    fn sha(self, secret: &[u8], salt: &str, rounds: i64) -> String {
        let params = sha_crypt::Params::new(rounds as u32).expect("the rounds are in the range");
        let (mark, digest) = if self == Scheme::Sha256 {
            let digest = sha_crypt::sha256_crypt(secret, salt.as_bytes(), params);
            ('5', encode(&ordered(&digest, &SHA256_ORDER)))
        } else {
            let digest = sha_crypt::sha512_crypt(secret, salt.as_bytes(), params);
            ('6', encode(&ordered(&digest, &SHA512_ORDER)))
        };
        if rounds == IMPLICIT_ROUNDS {
            format!("${mark}${salt}${digest}")
        } else {
            format!("${mark}$rounds={rounds}${salt}${digest}")
        }
    }
}

fn random_digits(count: usize) -> String {
    let mut rng = rand::rng();
    (0..count)
        .map(|_| char::from(DIGITS[rng.random_range(0..DIGITS.len())]))
        .collect()
}

/// The order in which the bytes of a digest are written.
const SHA256_ORDER: [usize; 32] = [
    20, 10, 0, 11, 1, 21, 2, 22, 12, 23, 13, 3, 14, 4, 24, 5, 25, 15, 26, 16, 6, 17, 7, 27, 8, 28,
    18, 29, 19, 9, 30, 31,
];

/// The order in which the bytes of a digest are written.
const SHA512_ORDER: [usize; 64] = [
    42, 21, 0, 1, 43, 22, 23, 2, 44, 45, 24, 3, 4, 46, 25, 26, 5, 47, 48, 27, 6, 7, 49, 28, 29, 8,
    50, 51, 30, 9, 10, 52, 31, 32, 11, 53, 54, 33, 12, 13, 55, 34, 35, 14, 56, 57, 36, 15, 16, 58,
    37, 38, 17, 59, 60, 39, 18, 19, 61, 40, 41, 20, 62, 63,
];

/// The order in which the bytes of a digest are written.
const MD5_ORDER: [usize; 16] = [12, 6, 0, 13, 7, 1, 14, 8, 2, 15, 9, 3, 5, 10, 4, 11];

fn ordered(digest: &[u8], order: &[usize]) -> Vec<u8> {
    order.iter().map(|at| digest[*at]).collect()
}

/// Writes bytes as digits, six bits each, the lowest of three bytes first.
fn encode(bytes: &[u8]) -> String {
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let number = group
            .iter()
            .rev()
            .fold(0u32, |number, byte| number << 8 | u32::from(*byte));
        for at in 0..=group.len() {
            out.push(char::from(DIGITS[(number >> (6 * at)) as usize & 63]));
        }
    }
    out
}

/// Hashes as `crypt()` with `$1$`.
///
/// **Source:** Poul-Henning Kamp's description of the algorithm (FreeBSD, 1994).
fn md5(secret: &[u8], salt: &str) -> String {
    let hash = |parts: &[&[u8]]| -> [u8; 16] {
        let mut hasher = md5::Md5::new();
        for part in parts {
            hasher.update(part);
        }
        hasher.finalize().into()
    };
    let salt_bytes = salt.as_bytes();
    let inner = hash(&[secret, salt_bytes, secret]);
    let mut first: Vec<u8> = [secret, b"$1$", salt_bytes].concat();
    first.extend(inner.iter().cycle().take(secret.len()));
    let mut length = secret.len();
    while length > 0 {
        first.push(if length & 1 == 1 {
            0
        } else {
            secret.first().copied().unwrap_or(0)
        });
        length >>= 1;
    }
    let mut digest = hash(&[&first]);
    for round in 0..1000 {
        let mut parts: Vec<&[u8]> = Vec::with_capacity(4);
        let before = digest;
        let is_odd = round % 2 == 1;
        parts.push(if is_odd { secret } else { &before });
        if round % 3 != 0 {
            parts.push(salt_bytes);
        }
        if round % 7 != 0 {
            parts.push(secret);
        }
        parts.push(if is_odd { &before } else { secret });
        digest = hash(&parts);
    }
    format!("$1${salt}${}", encode(&ordered(&digest, &MD5_ORDER)))
}

fn bcrypt(secret: &[u8], salt: &str, rounds: u32, ident: &str) -> String {
    let mut key = secret.to_vec();
    if ident == "2" {
        // The oldest kind repeats the password without a zero byte between.
        key = key.iter().copied().cycle().take(BCRYPT_SECRET).collect();
    }
    if key.len() < BCRYPT_SECRET {
        key.push(0);
    }
    key.truncate(BCRYPT_SECRET);
    let digest = bcrypt::bcrypt(rounds, bcrypt_salt(salt), &key);
    format!(
        "${ident}${rounds:02}${salt}{}",
        &bcrypt_text(&digest[..23])[..31]
    )
}

/// Writes bytes as bcrypt does: six bits a digit, the highest first.
fn bcrypt_text(bytes: &[u8]) -> String {
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let mut wide = [0u8; 4];
        wide[1..=group.len()].copy_from_slice(group);
        let number = u32::from_be_bytes(wide);
        for at in 0..=group.len() {
            out.push(char::from(
                BCRYPT_DIGITS[(number >> (18 - 6 * at)) as usize & 63],
            ));
        }
    }
    out
}

/// Reads the 16 bytes of a salt of 22 digits.
fn bcrypt_salt(text: &str) -> [u8; 16] {
    let mut number: u128 = 0;
    let mut bits = 0;
    for byte in text.bytes().take(22) {
        let digit = BCRYPT_DIGITS.iter().position(|known| *known == byte);
        let digit = digit.unwrap_or(0) as u128;
        let taken = 6.min(128 - bits);
        number = number << taken | digit >> (6 - taken);
        bits += taken;
    }
    number.to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(scheme: Scheme, secret: &str, salt: &str, rounds: i64) -> String {
        let settings = Settings {
            salt: Some(salt.into()),
            rounds: Some(rounds.into()),
            ..Settings::default()
        };
        scheme
            .hash(&secret.into(), &settings, Level::default())
            .expect("a hash")
    }

    #[test]
    fn hashes_are_those_of_passlib() {
        assert_eq!(
            hash(Scheme::Sha256, "hi", "saltsalt", 1000),
            "$5$rounds=1000$saltsalt$cjy8ukVMox6hN.WtUstEutgZYp./doAu7oapIdS5.0A"
        );
        assert_eq!(
            hash(Scheme::Sha512, "hi", "saltsalt", 5000),
            "$6$saltsalt$oqY9/g1dcZJOoj57Z5HMuPM3s2DqplTWZw2O58Y7m0ch37uk1h/7HhvX2zWbg1WCTQ/Mfg4i0mbZ3CPA4juKe/"
        );
        assert_eq!(
            hash(Scheme::Md5, "hi", "saltsalt", 0),
            "$1$saltsalt$qoN69b89smBEcC5W7c3Wu."
        );
        assert_eq!(
            hash(Scheme::Bcrypt, "hi", "1234567890123456789012", 4),
            "$2b$04$123456789012345678901u7p9OKJycDrLyQcJgyMAKcOgun1jn9nq"
        );
    }
}
