//! Filters that encode, decode and hash.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::Digest;

use super::{failed, known, only};
use crate::diag::Result;
use crate::jinja::Row;
use crate::value::{Args, Runtime, Value};

pub(super) static TABLE: &[Row] = &[
    Row::new(
        "b64encode",
        b64encode,
        "Encodes in base64.",
        "'a' | b64encode => 'YQ=='",
    ),
    Row::new(
        "b64decode",
        b64decode,
        "Decodes base64.",
        "'YQ==' | b64decode => 'a'",
    ),
    Row::new(
        "hash",
        hash,
        "Hashes text, in hex.",
        "'a' | hash('md5') => '0cc175b9c0f1b6a831c399e269772661'",
    ),
    Row::new(
        "md5",
        |_, a| hashed("md5", &bytes(&only(a)?)),
        "Hashes with MD5.",
        "'a' | md5 => '0cc175b9c0f1b6a831c399e269772661'",
    ),
    Row::new(
        "sha1",
        |_, a| hashed("sha1", &bytes(&only(a)?)),
        "Hashes with SHA-1.",
        "'a' | sha1 => '86f7e437faa5a7fce15d1ddcb9eaeaea377667b8'",
    ),
    Row::new(
        "checksum",
        |_, a| hashed("sha1", &bytes(&only(a)?)),
        "Hashes with SHA-1.",
        "'a' | checksum => '86f7e437faa5a7fce15d1ddcb9eaeaea377667b8'",
    ),
];

fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::Bytes(bytes) => bytes.to_vec(),
        other => other.to_str().into_bytes(),
    }
}

fn b64encode(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, encoding] = args.bind("b64encode", ["string", "encoding"], 1)?;
    utf8(encoding)?;
    Ok(Value::str(STANDARD.encode(bytes(&known(value)?))))
}

fn b64decode(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, encoding] = args.bind("b64decode", ["string", "encoding"], 1)?;
    utf8(encoding)?;
    let text: String = known(value)?
        .to_str()
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect();
    let decoded = STANDARD
        .decode(text)
        .map_err(|error| failed(format!("base64: {error}")))?;
    Ok(Value::str(String::from_utf8_lossy(&decoded)))
}

fn utf8(encoding: Option<Value>) -> Result<()> {
    match encoding.map(|e| e.to_str().to_ascii_lowercase()).as_deref() {
        None | Some("utf-8" | "utf8" | "ascii" | "none") => Ok(()),
        Some(other) => Err(failed(format!(
            "the encoding `{other}` is not supported; `utf-8` is"
        ))),
    }
}

fn hash(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, kind] = args.bind("hash", ["data", "hashtype"], 1)?;
    let kind = kind.map_or_else(|| "sha1".to_owned(), |k| k.to_str());
    hashed(&kind, &bytes(&known(value)?))
}

fn hashed(kind: &str, data: &[u8]) -> Result<Value> {
    let hex = |digest: &[u8]| {
        Value::str(
            digest
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect::<String>(),
        )
    };
    Ok(match kind {
        "md5" => hex(&md5::Md5::digest(data)),
        "sha1" => hex(&sha1::Sha1::digest(data)),
        "sha224" => hex(&sha2::Sha224::digest(data)),
        "sha256" => hex(&sha2::Sha256::digest(data)),
        "sha384" => hex(&sha2::Sha384::digest(data)),
        "sha512" => hex(&sha2::Sha512::digest(data)),
        other => return Err(failed(format!("unsupported hash type {other}"))),
    })
}
