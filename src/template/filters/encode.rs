//! Filters that encode, decode and hash.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use sha1::Digest;

use super::{failed, known};
use crate::diag::{Error, Kind, Result};
use crate::jinja::Row;
use crate::template::lookups::templar;
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
        "to_uuid",
        to_uuid,
        "Makes a UUID (version 5) of text.",
        "'a' | to_uuid | length => 36",
    ),
    Row::new(
        "hash",
        hash,
        "Hashes text, in hex.",
        "'a' | hash('md5') => '0cc175b9c0f1b6a831c399e269772661'",
    ),
    Row::new(
        "md5",
        |_, a| {
            let [data] = a.bind("md5s", ["data"], 1)?;
            hashed("md5", &bytes(&known(data)?))
        },
        "Hashes with MD5.",
        "'a' | md5 => '0cc175b9c0f1b6a831c399e269772661'",
    ),
    Row::new(
        "sha1",
        sha1,
        "Hashes with SHA-1.",
        "'a' | sha1 => '86f7e437faa5a7fce15d1ddcb9eaeaea377667b8'",
    ),
    Row::new(
        "checksum",
        sha1,
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

/// How text is turned into bytes and back.
#[derive(Clone, Copy)]
enum Encoding {
    Utf8,
    Latin1,
    Utf16 { little: bool, marked: bool },
}

impl Encoding {
    fn of(name: Option<Value>) -> Result<Encoding> {
        let name = name
            .filter(|name| !name.is_none())
            .map(|name| name.to_str());
        let plain = name.as_deref().unwrap_or("utf-8").to_ascii_lowercase();
        Ok(match plain.replace('_', "-").as_str() {
            "utf-8" | "utf8" | "ascii" => Encoding::Utf8,
            "latin-1" | "latin1" | "iso-8859-1" => Encoding::Latin1,
            "utf-16-le" | "utf-16le" => Encoding::Utf16 {
                little: true,
                marked: false,
            },
            "utf-16-be" | "utf-16be" => Encoding::Utf16 {
                little: false,
                marked: false,
            },
            "utf-16" | "utf16" => Encoding::Utf16 {
                little: true,
                marked: true,
            },
            other => return Err(failed(format!("unknown encoding: {other}"))),
        })
    }

    fn encode(self, text: &str) -> Vec<u8> {
        match self {
            Encoding::Utf8 => text.as_bytes().to_vec(),
            Encoding::Latin1 => text
                .chars()
                .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'))
                .collect(),
            Encoding::Utf16 { little, marked } => {
                let mark = marked.then_some(0xfeffu16);
                mark.into_iter()
                    .chain(text.encode_utf16())
                    .flat_map(|unit| {
                        if little {
                            unit.to_le_bytes()
                        } else {
                            unit.to_be_bytes()
                        }
                    })
                    .collect()
            }
        }
    }

    fn decode(self, bytes: &[u8]) -> String {
        match self {
            Encoding::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            Encoding::Latin1 => bytes.iter().map(|b| char::from(*b)).collect(),
            Encoding::Utf16 { little, marked } => {
                let (bytes, little) = match bytes {
                    [0xff, 0xfe, rest @ ..] if marked => (rest, true),
                    [0xfe, 0xff, rest @ ..] if marked => (rest, false),
                    all => (all, little),
                };
                let units: Vec<u16> = bytes
                    .chunks_exact(2)
                    .map(|pair| {
                        let pair = [pair[0], pair[1]];
                        if little {
                            u16::from_le_bytes(pair)
                        } else {
                            u16::from_be_bytes(pair)
                        }
                    })
                    .collect();
                String::from_utf16_lossy(&units)
            }
        }
    }
}

/// Decodes bytes of a named encoding.
pub(in crate::template) fn decoded(bytes: &[u8], encoding: &str) -> Result<String> {
    Ok(Encoding::of(Some(Value::str(encoding)))?.decode(bytes))
}

fn b64encode(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, encoding, urlsafe] =
        args.bind("b64encode", ["string", "encoding", "urlsafe"], 1)?;
    let encoding = Encoding::of(encoding)?;
    let data = match known(value)? {
        Value::Bytes(bytes) => bytes.to_vec(),
        other => encoding.encode(&other.to_str()),
    };
    Ok(Value::str(if urlsafe.is_some_and(|u| u.truth()) {
        URL_SAFE.encode(data)
    } else {
        STANDARD.encode(data)
    }))
}

fn b64decode(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, encoding, urlsafe] =
        args.bind("b64decode", ["string", "encoding", "urlsafe"], 1)?;
    let encoding = Encoding::of(encoding)?;
    let urlsafe = urlsafe.is_some_and(|u| u.truth());
    // As Python reads it: what is no digit is passed over, padding must be whole.
    let text = known(value)?.to_str();
    let text = if urlsafe {
        text.replace('-', "+").replace('_', "/")
    } else {
        text
    };
    let mut digits: String = text
        .chars()
        .take_while(|c| *c != '=')
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/'))
        .collect();
    let padding = text.matches('=').count();
    let rest = digits.len() % 4;
    if rest == 1 {
        return Err(failed(format!(
            "Invalid base64-encoded string: number of data characters ({}) cannot be 1 more than a multiple of 4",
            digits.len()
        )));
    }
    if rest != 0 && padding < 4 - rest {
        return Err(failed("Incorrect padding"));
    }
    digits.push_str(&"=".repeat((4 - rest) % 4));
    let lenient = base64::engine::GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        base64::engine::GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
    );
    let decoded = lenient
        .decode(digits)
        .map_err(|error| failed(format!("base64: {error}")))?;
    Ok(Value::str(encoding.decode(&decoded)))
}

/// Ansible's own namespace of UUIDs.
const NAMESPACE: &str = "361e6d51-faec-444a-9079-341386da8e2e";

fn to_uuid(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, namespace] = args.bind("to_uuid", ["string", "namespace"], 1)?;
    let namespace = namespace.map_or_else(|| NAMESPACE.to_owned(), |n| n.to_str());
    let digits: String = namespace.chars().filter(|c| *c != '-').collect();
    let wrong = || {
        failed(format!(
            "Invalid value '{namespace}' for 'namespace': badly formed hexadecimal UUID string"
        ))
    };
    if digits.len() != 32 {
        return Err(wrong());
    }
    let number = u128::from_str_radix(&digits, 16).map_err(|_| wrong())?;
    let mut data = number.to_be_bytes().to_vec();
    data.extend(bytes(&known(value)?));
    let digest = sha1::Sha1::digest(&data);
    let mut made = [0u8; 16];
    made.copy_from_slice(&digest[..16]);
    made[6] = made[6] & 0x0f | 0x50;
    made[8] = made[8] & 0x3f | 0x80;
    let hex: String = made.iter().map(|b| format!("{b:02x}")).collect();
    Ok(Value::str(format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )))
}

fn hash(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, kind] = args.bind("get_hash", ["data", "hashtype"], 1)?;
    let kind = match kind {
        None => "sha1".to_owned(),
        Some(Value::Str(kind)) => kind.to_string(),
        Some(_) => NO_NAME.to_owned(),
    };
    let made = hashed(&kind, &bytes(&known(value)?));
    let is_lenient = templar(runtime).is_ok_and(|t| t.level().unknown_hash_is_none());
    match made {
        Err(error) if is_lenient && error.kind() == Kind::Filter => Ok(Value::None),
        made => made,
    }
}

fn sha1(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [data, function] = args.bind("secure_hash_s", ["data", "hash_func"], 1)?;
    if let Some(function) = function {
        let kind = function.type_name();
        return Err(Error::type_error(format!(
            "'{kind}' object is not callable"
        )));
    }
    hashed("sha1", &bytes(&known(data)?))
}

/// In place of the name of a hash that is no text.
const NO_NAME: &str = "\0";

fn hashed(kind: &str, data: &[u8]) -> Result<Value> {
    let hex = digest(kind, data)?;
    let hex: String = hex.iter().map(|b| format!("{b:02x}")).collect();
    Ok(Value::from(hex))
}

/// Returns the digest of some bytes by an algorithm of Python's `hashlib`.
pub(super) fn digest(kind: &str, data: &[u8]) -> Result<Vec<u8>> {
    // Names that Python's hashlib makes itself are spelled in one way, those of OpenSSL in any.
    let openssl = kind.to_ascii_lowercase();
    Ok(match openssl.as_str() {
        "md5" => md5::Md5::digest(data).to_vec(),
        "sha1" => sha1::Sha1::digest(data).to_vec(),
        "sha224" => sha2::Sha224::digest(data).to_vec(),
        "sha256" => sha2::Sha256::digest(data).to_vec(),
        "sha384" => sha2::Sha384::digest(data).to_vec(),
        "sha512" => sha2::Sha512::digest(data).to_vec(),
        "sha512_224" | "sha512-224" => sha2::Sha512_224::digest(data).to_vec(),
        "sha512_256" | "sha512-256" => sha2::Sha512_256::digest(data).to_vec(),
        "sha3_224" | "sha3-224" => sha3::Sha3_224::digest(data).to_vec(),
        "sha3_256" | "sha3-256" => sha3::Sha3_256::digest(data).to_vec(),
        "sha3_384" | "sha3-384" => sha3::Sha3_384::digest(data).to_vec(),
        "sha3_512" | "sha3-512" => sha3::Sha3_512::digest(data).to_vec(),
        "blake2b" | "blake2b512" => blake2::Blake2b512::digest(data).to_vec(),
        "blake2s" | "blake2s256" => blake2::Blake2s256::digest(data).to_vec(),
        "ripemd160" | "rmd160" => ripemd::Ripemd160::digest(data).to_vec(),
        "sm3" => sm3::Sm3::digest(data).to_vec(),
        "md5-sha1" => [&md5::Md5::digest(data)[..], &sha1::Sha1::digest(data)[..]].concat(),
        "shake_128" | "shake_256" | "shake128" | "shake256" => {
            return Err(Error::type_error(
                "hexdigest() missing required argument 'length' (pos 1)",
            ));
        }
        NO_NAME => return Err(failed("name must be a string")),
        _ => return Err(failed(format!("unsupported hash type {kind}"))),
    })
}
