//! `password`: passwords made by chance and kept in files of the controller.
//!
//! **Source:** the documentation of Ansible's lookup `password`, and the files it was seen to write.

use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rand::RngExt;

use super::{failed, option};
use crate::config::expand_home;
use crate::diag::{Error, Kind, Result, os_message};
use crate::template::crypt::{Scheme, Settings};
use crate::template::templar::Templar;
use crate::template::twister::Twister;
use crate::value::Value;

/// Where nothing is kept.
const NOWHERE: &str = "/dev/null";

/// The parameters that a term may have behind its path.
const KNOWN: &[&str] = &["length", "encrypt", "chars", "ident", "seed"];

/// The longest password that is made.
const MAX_LENGTH: i64 = 1_000_000;

/// What a password is made of.
struct Wanted {
    path: String,
    length: i64,
    chars: Vec<String>,
    seed: Option<Value>,
    encrypt: Option<String>,
    ident: Option<String>,
}

/// A password with what its hash needs.
struct Kept {
    password: String,
    salt: Option<String>,
    ident: Option<String>,
}

pub(super) fn password(
    templar: &Templar,
    terms: &[Value],
    options: &[(String, Value)],
) -> Result<Vec<Value>> {
    terms
        .iter()
        .map(|term| {
            let Value::Str(text) = term else {
                let kind = term.type_name();
                return Err(failed(format!("'{kind}' object has no attribute 'split'")));
            };
            one(templar, &Wanted::read(text, options)?).map(Value::from)
        })
        .collect()
}

impl Wanted {
    fn read(term: &str, options: &[(String, Value)]) -> Result<Wanted> {
        let (first, rest) = term.split_once(' ').unwrap_or((term, ""));
        let mut path = first.to_owned();
        let mut given: Vec<(String, Value)> = options.to_vec();
        let mut strange = Vec::new();
        for word in words(rest)? {
            match word.split_once('=') {
                Some((key, value)) if KNOWN.contains(&key) => {
                    given.retain(|(known, _)| known != key);
                    given.push((key.to_owned(), Value::str(unquoted(value))));
                }
                Some((key, _)) => strange.push(key.to_owned()),
                None => path = format!("{path} {word}"),
            }
        }
        if !strange.is_empty() {
            return Err(failed(format!(
                "Unrecognized parameter(s) given to password lookup: {}",
                strange.join(", ")
            )));
        }
        let text = |key: &str| {
            option(&given, key)
                .filter(|value| !value.is_none())
                .map(Value::to_str)
        };
        let length = match option(&given, "length").filter(|value| !value.is_none()) {
            None => 20,
            Some(value) => whole(value)?,
        };
        Ok(Wanted {
            path,
            length,
            chars: chars(option(&given, "chars")),
            seed: option(&given, "seed")
                .filter(|seed| seed.truth())
                .map(|seed| Value::str(seed.to_str())),
            encrypt: text("encrypt").filter(|name| !name.is_empty()),
            ident: text("ident").filter(|name| !name.is_empty()),
        })
    }

    /// Makes a password.
    fn make(&self) -> Result<String> {
        let all = self.chars.iter().flat_map(|name| class(name));
        let pool: Vec<char> = all.filter(|c| !matches!(c, '"' | '\'')).collect();
        let length = self.length.clamp(0, MAX_LENGTH);
        if pool.is_empty() && length > 0 {
            return Err(failed("Cannot choose from an empty sequence"));
        }
        let mut pick: Box<dyn FnMut() -> usize> = match &self.seed {
            Some(seed) => {
                let mut twister = Twister::seeded(seed)?;
                let count = pool.len() as u64;
                Box::new(move || twister.below(count) as usize)
            }
            None => {
                let (mut rng, count) = (rand::rng(), pool.len());
                Box::new(move || rng.random_range(0..count))
            }
        };
        Ok((0..length).map(|_| pool[pick()]).collect())
    }
}

fn whole(value: &Value) -> Result<i64> {
    let number = match value {
        Value::Str(text) => text.trim().parse().ok(),
        other => other.as_i64(),
    };
    number.ok_or_else(|| {
        failed(format!(
            "Config 'length' for 'password' lookup plugin from 'Direct' has an invalid value: Invalid value provided for 'integer': {}",
            value.repr()
        ))
    })
}

/// Splits at blanks outside of quotes.
fn words(text: &str) -> Result<Vec<String>> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (None, ' ') => words.extend(Some(std::mem::take(&mut word)).filter(|w| !w.is_empty())),
            (None, '"' | '\'') => {
                quote = Some(c);
                word.push(c);
            }
            (Some(open), _) if open == c => {
                quote = None;
                word.push(c);
            }
            _ => word.push(c),
        }
    }
    if quote.is_some() {
        return Err(failed(format!(
            "failed at splitting arguments, either an unbalanced jinja2 block or quotes: {text}"
        )));
    }
    words.extend(Some(word).filter(|w| !w.is_empty()));
    Ok(words)
}

fn unquoted(text: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = text
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
        {
            return inner;
        }
    }
    text
}

/// Returns the names of sets of characters; in text, two commas stand for one.
fn chars(given: Option<&Value>) -> Vec<String> {
    match given {
        None | Some(Value::None) => ["ascii_letters", "digits", ".,:-_"]
            .map(str::to_owned)
            .to_vec(),
        Some(Value::List(list)) => list.to_vec().iter().map(Value::to_str).collect(),
        Some(text) => {
            let text = text.to_str();
            let comma = text.contains(",,").then(|| ",".to_owned());
            comma
                .into_iter()
                .chain(
                    text.replace(",,", ",")
                        .split(',')
                        .filter(|part| !part.is_empty())
                        .map(str::to_owned),
                )
                .collect()
        }
    }
}

/// Returns the characters of a set of Python's module `string`, or those of the text itself.
fn class(name: &str) -> Vec<char> {
    const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
    const WHITESPACE: &str = " \t\n\r\x0b\x0c";
    match name {
        "ascii_letters" => ('a'..='z').chain('A'..='Z').collect(),
        "ascii_lowercase" => ('a'..='z').collect(),
        "ascii_uppercase" => ('A'..='Z').collect(),
        "digits" => ('0'..='9').collect(),
        "hexdigits" => ('0'..='9').chain('a'..='f').chain('A'..='F').collect(),
        "octdigits" => ('0'..='7').collect(),
        "punctuation" => PUNCTUATION.chars().collect(),
        "whitespace" => WHITESPACE.chars().collect(),
        "printable" => ["digits", "ascii_letters", "punctuation", "whitespace"]
            .iter()
            .flat_map(|name| class(name))
            .collect(),
        other => other.chars().collect(),
    }
}

fn one(templar: &Templar, wanted: &Wanted) -> Result<String> {
    let level = templar.level();
    let path = file(templar, &wanted.path);
    let keeps = path != Path::new(NOWHERE);
    let known = if keeps { read(&path)? } else { None };
    let was_known = known.is_some();
    let mut changed = !was_known;
    let mut kept = match known {
        Some(kept) => kept,
        None => Kept {
            password: wanted.make()?,
            salt: None,
            ident: None,
        },
    };
    let scheme = match &wanted.encrypt {
        None => None,
        Some(name) => Some(Scheme::of(name, level).map_err(|_| {
            failed(format!(
                "Installed passlib version 1.7.4 does not support the '{name}' algorithm."
            ))
        })?),
    };
    if let Some(scheme) = scheme {
        if kept.salt.is_none() {
            kept.salt = Some(scheme.random_salt());
            changed = true;
        }
        let own = wanted.ident.clone();
        let own = own.or_else(|| {
            (scheme == Scheme::Bcrypt && kept.ident.is_none()).then(|| "2b".to_owned())
        });
        match (&kept.ident, own) {
            (Some(stored), Some(own)) if *stored != own => {
                return Err(failed(format!(
                    "The ident parameter provided ({stored}) does not match the stored one ({own})."
                )));
            }
            (None, Some(own)) => {
                kept.ident = Some(own);
                changed = true;
            }
            _ => {}
        }
    }
    if keeps && changed {
        let text = kept.text(scheme.is_some());
        if was_known {
            write(&path, &text, false)?;
        } else if !write(&path, &text, true)? {
            // Somebody else has made it in the meantime: that one counts.
            return one(templar, wanted);
        }
    }
    match scheme {
        None => Ok(kept.password),
        Some(scheme) => scheme.hash(
            &Value::str(&kept.password),
            &Settings {
                salt: kept.salt.map(Value::from),
                ident: kept.ident.map(Value::from),
                ..Settings::default()
            },
            level,
        ),
    }
}

impl Kept {
    /// Returns what its file holds.
    fn text(&self, encrypted: bool) -> String {
        let mut text = self.password.clone();
        if let Some(salt) = self.salt.as_ref().filter(|_| encrypted) {
            text.push_str(&format!(" salt={salt}"));
            if let Some(ident) = &self.ident {
                text.push_str(&format!(" ident={ident}"));
            }
        }
        text.push('\n');
        text
    }
}

/// Relative files are beside the playbook.
fn file(templar: &Templar, name: &str) -> PathBuf {
    let path = expand_home(name);
    match templar.0.vars.search_path().last() {
        Some(dir) => crate::config::normal_path(&dir.join(path)),
        None => path,
    }
}

fn refused(path: &Path, error: &std::io::Error) -> Error {
    let code = error.raw_os_error().unwrap_or(0);
    let shown = Value::Bytes(path.to_string_lossy().as_bytes().into()).repr();
    Error::new(
        Kind::Filter,
        format!("[Errno {code}] {}: {shown}", os_message(error)),
    )
}

/// Reads a password that is kept; `None` where there is none yet.
fn read(path: &Path) -> Result<Option<Kept>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refused(path, &error)),
    };
    let text = String::from_utf8_lossy(&bytes);
    let mut rest = text.trim_end_matches('\n');
    let mut take = |mark: &str| {
        let at = rest.rfind(mark)?;
        let value = rest[at + mark.len()..].to_owned();
        rest = &rest[..at];
        Some(value)
    };
    let ident = take(" ident=");
    let salt = take(" salt=");
    Ok(Some(Kept {
        password: rest.to_owned(),
        salt,
        ident,
    }))
}

/// Writes a file that only its owner may read; false where it is there already and must not be.
fn write(path: &Path, text: &str, new: bool) -> Result<bool> {
    if let Some(parent) = path.parent() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)
            .map_err(|error| refused(parent, &error))?;
    }
    let opened = std::fs::OpenOptions::new()
        .write(true)
        .create_new(new)
        .truncate(!new)
        .mode(0o600)
        .open(path);
    let mut file = match opened {
        Err(error) if new && error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(false),
        opened => opened.map_err(|error| refused(path, &error))?,
    };
    let only_owner = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    file.set_permissions(only_owner)
        .and_then(|()| file.write_all(text.as_bytes()))
        .map_err(|error| refused(path, &error))?;
    Ok(true)
}
