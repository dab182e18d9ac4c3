//! What an X.509 certificate says.
//!
//! **Source:** RFC 5280; the documentation of `community.crypto.x509_certificate_info` for keys and forms.

use std::net::{Ipv4Addr, Ipv6Addr};

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Encode, Reader, SliceReader, Tag};
use num_bigint::BigInt;
use shake::digest::{ExtendableOutput, Update};

use super::names::{long, short};
use super::{colons, pems, text};
use crate::diag::{Error, Result};
use crate::template::filters::encode::digest;
use crate::template::filters::failed;
use crate::value::{Args, Dict, Runtime, Value};

/// The algorithms of Python's `hashlib.algorithms_guaranteed`.
const HASHES: &[&str] = &[
    "md5",
    "sha1",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "sha3_224",
    "sha3_256",
    "sha3_384",
    "sha3_512",
    "shake_128",
    "shake_256",
    "blake2b",
    "blake2s",
];

/// What the bits of the key usage mean, the first one first.
const KEY_USES: &[&str] = &[
    "Digital Signature",
    "Non Repudiation",
    "Key Encipherment",
    "Data Encipherment",
    "Key Agreement",
    "Certificate Sign",
    "CRL Sign",
    "Encipher Only",
    "Decipher Only",
];

const FAQ: &str = "Unable to load PEM file. See https://cryptography.io/en/latest/faq/#why-can-t-i-import-my-pem-file for more details.";

fn broken(error: der::Error) -> Error {
    failed(format!("error parsing asn1 value: {error}"))
}

fn missing(what: &str) -> Error {
    failed(format!("error parsing asn1 value: {what} is missing"))
}

/// Reads the parts of a sequence or set.
fn parts(any: AnyRef<'_>) -> Result<Vec<AnyRef<'_>>> {
    let mut reader = SliceReader::new(any.value()).map_err(broken)?;
    let mut out = Vec::new();
    while !reader.is_finished() {
        out.push(AnyRef::decode(&mut reader).map_err(broken)?);
    }
    Ok(out)
}

fn read(bytes: &[u8]) -> Result<AnyRef<'_>> {
    AnyRef::from_der(bytes).map_err(broken)
}

fn oid(any: AnyRef) -> Result<String> {
    let oid: ObjectIdentifier = any.decode_as().map_err(broken)?;
    Ok(oid.to_string())
}

fn integer(any: AnyRef) -> Value {
    Value::from_big(BigInt::from_signed_bytes_be(any.value()))
}

/// Returns the bytes of a bit string that has whole bytes.
fn bits(any: AnyRef<'_>) -> Result<&[u8]> {
    any.value().get(1..).ok_or_else(|| missing("a bit string"))
}

/// Returns the number of a tag that belongs to its context.
fn context(any: AnyRef) -> Option<u32> {
    match der::Tagged::tag(&any) {
        Tag::ContextSpecific { number, .. } => Some(number.value()),
        _ => None,
    }
}

/// Reads text of any kind of string.
fn string(any: AnyRef) -> String {
    let bytes = any.value();
    match der::Tagged::tag(&any) {
        Tag::BmpString => {
            let units: Vec<u16> = bytes
                .chunks_exact(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
                .collect();
            String::from_utf16_lossy(&units)
        }
        Tag::TeletexString => bytes.iter().map(|byte| char::from(*byte)).collect(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Reads a distinguished name: object identifiers and texts.
fn name(any: AnyRef) -> Result<Vec<(String, String)>> {
    let mut out = Vec::new();
    for set in parts(any)? {
        for pair in parts(set)? {
            let [kind, value] = parts(pair)?[..] else {
                return Err(missing("an attribute of a name"));
            };
            out.push((oid(kind)?, string(value)));
        }
    }
    Ok(out)
}

/// Writes a distinguished name in one line, the last part first.
///
/// **Source:** RFC 4514.
fn one_line(name: &[(String, String)]) -> String {
    let escaped = |text: &str| -> String {
        let last = text.chars().count().saturating_sub(1);
        text.chars()
            .enumerate()
            .map(|(at, c)| match c {
                ',' | '+' | '"' | '\\' | '<' | '>' | ';' => format!("\\{c}"),
                '#' | ' ' if at == 0 => format!("\\{c}"),
                ' ' if at == last => "\\ ".to_owned(),
                '\0' => "\\00".to_owned(),
                c => c.to_string(),
            })
            .collect()
    };
    let parts: Vec<String> = name
        .iter()
        .rev()
        .map(|(oid, text)| format!("{}={}", short(oid), escaped(text)))
        .collect();
    parts.join(",")
}

fn general_name(any: AnyRef) -> Result<String> {
    let bytes = any.value();
    let text = || String::from_utf8_lossy(bytes);
    Ok(match context(any) {
        Some(0) => {
            let inner = parts(any)?;
            let [kind, value] = inner[..] else {
                return Err(missing("a name of another kind"));
            };
            format!("otherName:{};{}", oid(kind)?, colons(value.value()))
        }
        Some(1) => format!("email:{}", text()),
        Some(2) => format!("DNS:{}", text()),
        Some(4) => format!("dirName:{}", one_line(&name(read(bytes)?)?)),
        Some(6) => format!("URI:{}", text()),
        Some(7) => {
            let four = <[u8; 4]>::try_from(bytes).map(|b| Ipv4Addr::from(b).to_string());
            let six = <[u8; 16]>::try_from(bytes).map(|b| Ipv6Addr::from(b).to_string());
            let address = four.or(six).map_err(|_| missing("an address"))?;
            format!("IP:{address}")
        }
        Some(8) => {
            let oid =
                ObjectIdentifier::from_bytes(bytes).map_err(|_| missing("an object identifier"))?;
            format!("RID:{oid}")
        }
        _ => return Err(missing("a kind of name")),
    })
}

fn general_names(any: AnyRef) -> Result<Value> {
    let names = parts(any)?.into_iter();
    let names: Result<Vec<Value>> = names
        .map(|any| Ok(Value::from(general_name(any)?)))
        .collect();
    Ok(Value::list(names?))
}

/// Writes a time as ASN.1's `GeneralizedTime` has it.
fn time(any: AnyRef) -> String {
    let text = string(any);
    if der::Tagged::tag(&any) != Tag::UtcTime {
        return text;
    }
    let year = text.get(..2).and_then(|year| year.parse::<u8>().ok());
    let century = if year.is_some_and(|year| year >= 50) {
        "19"
    } else {
        "20"
    };
    format!("{century}{text}")
}

/// Returns the digests of some bytes by all algorithms.
fn fingerprints(bytes: &[u8]) -> Result<Value> {
    let mut out = Vec::new();
    for kind in HASHES {
        let digest = match *kind {
            "shake_128" => long_digest(shake::Shake128::default(), bytes),
            "shake_256" => long_digest(shake::Shake256::default(), bytes),
            kind => digest(kind, bytes)?,
        };
        out.push((*kind, Value::from(colons(&digest))));
    }
    Ok(Value::dict(out))
}

/// Returns 32 bytes of a digest that may have any length.
fn long_digest<H: Update + ExtendableOutput>(mut hasher: H, bytes: &[u8]) -> Vec<u8> {
    let mut out = [0; 32];
    hasher.update(bytes);
    hasher.finalize_xof_into(&mut out);
    out.to_vec()
}

/// Writes bytes as a PEM object.
fn pem(label: &str, bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap_or(""))
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

/// Returns the kind of a public key and its numbers.
fn public_key(any: AnyRef) -> Result<(String, Value)> {
    let [algorithm, key] = parts(any)?[..] else {
        return Err(missing("the public key"));
    };
    let algorithm = parts(algorithm)?;
    let kind = oid(*algorithm.first().ok_or_else(|| missing("an algorithm"))?)?;
    let key = bits(key)?;
    let size = |number: &[u8]| {
        let number = BigInt::from_signed_bytes_be(number);
        Value::from(i64::try_from(number.bits()).unwrap_or(i64::MAX))
    };
    let plain = |name: &str| Ok((name.to_owned(), Value::dict(Vec::<(&str, Value)>::new())));
    match kind.as_str() {
        "1.2.840.113549.1.1.1" => {
            let [modulus, exponent] = parts(read(key)?)?[..] else {
                return Err(missing("an RSA key"));
            };
            let data = [
                ("size", size(modulus.value())),
                ("modulus", integer(modulus)),
                ("exponent", integer(exponent)),
            ];
            Ok(("RSA".to_owned(), Value::dict(data)))
        }
        "1.2.840.10045.2.1" => {
            let curve = oid(*algorithm.get(1).ok_or_else(|| missing("a curve"))?)?;
            let curve = long(&curve).to_owned();
            let point = key.strip_prefix(&[4]).filter(|point| point.len() % 2 == 0);
            let point =
                point.ok_or_else(|| failed("compressed points of curves are not supported"))?;
            let (x, y) = point.split_at(point.len() / 2);
            let number =
                |bytes| Value::from_big(BigInt::from_bytes_be(num_bigint::Sign::Plus, bytes));
            let digits: String = curve
                .chars()
                .skip_while(|c| !c.is_ascii_digit())
                .take_while(char::is_ascii_digit)
                .collect();
            let data = [
                ("curve", Value::from(curve)),
                ("x", number(x)),
                ("y", number(y)),
                (
                    "exponent_size",
                    digits.parse::<i64>().map_or(Value::None, Value::from),
                ),
            ];
            Ok(("ECC".to_owned(), Value::dict(data)))
        }
        "1.2.840.10040.4.1" => {
            let numbers = parts(*algorithm.get(1).ok_or_else(|| missing("a DSA key"))?)?;
            let [p, q, g] = numbers[..] else {
                return Err(missing("a DSA key"));
            };
            let data = [
                ("size", size(p.value())),
                ("p", integer(p)),
                ("q", integer(q)),
                ("g", integer(g)),
                ("y", integer(read(key)?)),
            ];
            Ok(("DSA".to_owned(), Value::dict(data)))
        }
        "1.3.101.110" => plain("X25519"),
        "1.3.101.111" => plain("X448"),
        "1.3.101.112" => plain("Ed25519"),
        "1.3.101.113" => plain("Ed448"),
        other => plain(&format!("unknown ({other})")),
    }
}

/// An extension: whether it is critical, and its bytes.
struct Extension {
    oid: String,
    critical: bool,
    value: Vec<u8>,
}

fn extensions(any: AnyRef) -> Result<Vec<Extension>> {
    let list = parts(any)?;
    let list = *list
        .first()
        .ok_or_else(|| missing("the list of extensions"))?;
    let mut out = Vec::new();
    for extension in parts(list)? {
        let cells = parts(extension)?;
        let ([first, last] | [first, _, last]) = cells[..] else {
            return Err(missing("an extension"));
        };
        out.push(Extension {
            oid: oid(first)?,
            critical: cells.len() == 3 && cells[1].value().first() != Some(&0),
            value: last.value().to_vec(),
        });
    }
    Ok(out)
}

fn key_usage(any: AnyRef) -> Result<Value> {
    let bytes = bits(any)?;
    let mut uses: Vec<&str> = KEY_USES
        .iter()
        .enumerate()
        .filter(|(at, _)| {
            bytes
                .get(at / 8)
                .is_some_and(|byte| byte & (0x80 >> (at % 8)) != 0)
        })
        .map(|(_, name)| *name)
        .collect();
    uses.sort_unstable();
    Ok(Value::list(uses.into_iter().map(Value::str).collect()))
}

fn extended_key_usage(any: AnyRef) -> Result<Value> {
    let mut uses = Vec::new();
    for any in parts(any)? {
        uses.push(long(&oid(any)?).to_owned());
    }
    uses.sort();
    Ok(Value::list(uses.into_iter().map(Value::from).collect()))
}

fn basic_constraints(any: AnyRef) -> Result<Value> {
    let cells = parts(any)?;
    let is_flag = |any: &&AnyRef| der::Tagged::tag(*any) == Tag::Boolean;
    let is_ca = cells
        .iter()
        .find(is_flag)
        .is_some_and(|any| any.value() != [0]);
    let mut out = vec![Value::str(if is_ca { "CA:TRUE" } else { "CA:FALSE" })];
    if let Some(length) = cells
        .iter()
        .find(|any| der::Tagged::tag(*any) == Tag::Integer)
    {
        out.push(Value::from(format!("pathlen:{}", integer(*length))));
    }
    Ok(Value::list(out))
}

/// Returns the address that belongs to a way of access.
fn access(any: AnyRef, wanted: &str) -> Result<Value> {
    for way in parts(any)? {
        let [kind, place] = parts(way)?[..] else {
            return Err(missing("a way of access"));
        };
        if oid(kind)? == wanted && context(place) == Some(6) {
            return Ok(Value::from(
                String::from_utf8_lossy(place.value()).into_owned(),
            ));
        }
    }
    Ok(Value::None)
}

fn name_values(name: &[(String, String)]) -> (Value, Value) {
    let pairs = name.iter().map(|(oid, text)| (long(oid), Value::str(text)));
    let ordered = name
        .iter()
        .map(|(oid, text)| Value::list(vec![Value::str(long(oid)), Value::str(text)]));
    (Value::dict(pairs), Value::list(ordered.collect()))
}

/// Reads the first certificate of a text.
fn certificate(text: &str) -> Result<Vec<u8>> {
    let found = pems(text);
    if found.is_empty() {
        return Err(failed(format!("{FAQ} MalformedFraming")));
    }
    let is_certificate = |label: &str| matches!(label, "CERTIFICATE" | "X509 CERTIFICATE");
    let Some((_, body)) = found.iter().find(|(label, _)| is_certificate(label)) else {
        return Err(failed(
            "Valid PEM but no BEGIN CERTIFICATE/END CERTIFICATE delimiters. Are you sure this is a certificate?",
        ));
    };
    let inside: String = body
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .map(str::trim)
        .collect();
    // Padding may be left out, as cryptography allows.
    let engine = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent),
    );
    engine
        .decode(inside)
        .map_err(|error| failed(format!("{FAQ} InvalidData({error})")))
}

pub(super) fn info(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [data, encoding] =
        args.bind("x509_certificate_info_filter", ["data", "name_encoding"], 1)?;
    let data = text("x509_certificate_info", data)?;
    let encoding = encoding.map_or_else(|| "ignore".to_owned(), |value| value.to_str());
    if !["ignore", "idna", "unicode"].contains(&encoding.as_str()) {
        return Err(failed(format!(
            "The name_encoding option must be one of the values \"ignore\", \"idna\", or \"unicode\", not \"{encoding}\""
        )));
    }
    let der = certificate(&data)?;
    let shown = described(&der)?;
    let names = shown
        .get("subject_alt_name")
        .filter(|_| encoding != "ignore");
    if names.is_some_and(|names| !names.to_str().is_ascii() || names.to_str().contains("xn--")) {
        return Err(failed(format!(
            "`name_encoding={encoding}` is not supported where a name has letters beyond ASCII"
        ))
        .help("leave `name_encoding` out: names stay as the certificate has them"));
    }
    Ok(Value::Dict(shown))
}

/// Returns all that a certificate says.
fn described(der: &[u8]) -> Result<Dict> {
    let whole = parts(read(der)?)?;
    let [body, algorithm, _] = whole[..] else {
        return Err(missing("a part of the certificate"));
    };
    let mut fields = parts(body)?;
    let version = if fields.first().and_then(|any| context(*any)) == Some(0) {
        let field = fields.remove(0);
        integer(read(field.value())?).as_i64().unwrap_or(0) + 1
    } else {
        1
    };
    let [serial, _, issuer, validity, subject, key, ref rest @ ..] = fields[..] else {
        return Err(missing("a field of the certificate"));
    };
    let found = match rest.iter().find(|any| context(**any) == Some(3)) {
        Some(any) => extensions(*any)?,
        None => Vec::new(),
    };
    let extension = |oid: &str| found.iter().find(|extension| extension.oid == oid);
    // What an extension says, and whether it is critical.
    let said = |oid: &str, tell: &dyn Fn(AnyRef) -> Result<Value>| -> Result<(Value, Value)> {
        Ok(match extension(oid) {
            Some(extension) => (
                tell(read(&extension.value)?)?,
                Value::Bool(extension.critical),
            ),
            None => (Value::None, Value::Bool(false)),
        })
    };
    let out = Dict::new();
    let first = |any| -> Result<String> {
        oid(*parts(any)?.first().ok_or_else(|| missing("an algorithm"))?)
    };
    out.set("signature_algorithm", Value::str(long(&first(algorithm)?)));
    for (what, any) in [("subject", subject), ("issuer", issuer)] {
        let (values, ordered) = name_values(&name(any)?);
        out.set(what, values);
        out.set(format!("{what}_ordered"), ordered);
    }
    out.set("version", Value::from(version));
    let stapling = |any: AnyRef| {
        let asks = parts(any)?.iter().any(|any| any.value() == [5]);
        Ok(Value::Bool(asks))
    };
    let tellers: [(&str, &str, &dyn Fn(AnyRef) -> Result<Value>); 5] = [
        ("key_usage", "2.5.29.15", &key_usage),
        ("extended_key_usage", "2.5.29.37", &extended_key_usage),
        ("basic_constraints", "2.5.29.19", &basic_constraints),
        ("ocsp_must_staple", "1.3.6.1.5.5.7.1.24", &stapling),
        ("subject_alt_name", "2.5.29.17", &general_names),
    ];
    for (what, oid, tell) in tellers {
        let (value, critical) = said(oid, tell)?;
        out.set(what, value);
        out.set(format!("{what}_critical"), critical);
    }
    let [from, until] = parts(validity)?[..] else {
        return Err(missing("the validity"));
    };
    let until = time(until);
    let now = jiff::Timestamp::now().strftime("%Y%m%d%H%M%SZ").to_string();
    out.set("not_before", Value::from(time(from)));
    out.set("not_after", Value::str(&until));
    out.set("expired", Value::Bool(until < now));
    let spki = key.to_der().map_err(broken)?;
    let (kind, numbers) = public_key(key)?;
    out.set("public_key", Value::from(pem("PUBLIC KEY", &spki)));
    out.set("public_key_type", Value::from(kind));
    out.set("public_key_data", numbers);
    out.set("public_key_fingerprints", fingerprints(&spki)?);
    out.set("fingerprints", fingerprints(der)?);
    let identifier = |any: AnyRef| Ok(Value::from(colons(any.value())));
    out.set("subject_key_identifier", said("2.5.29.14", &identifier)?.0);
    for (number, what) in [
        (0, "authority_key_identifier"),
        (1, "authority_cert_issuer"),
        (2, "authority_cert_serial_number"),
    ] {
        let tell = |any: AnyRef| {
            let cells = parts(any)?;
            let Some(cell) = cells.iter().find(|any| context(**any) == Some(number)) else {
                return Ok(Value::None);
            };
            match number {
                0 => Ok(Value::from(colons(cell.value()))),
                1 => general_names(*cell),
                _ => Ok(integer(*cell)),
            }
        };
        out.set(what, said("2.5.29.35", &tell)?.0);
    }
    out.set("serial_number", integer(serial));
    let by_oid = found.iter().map(|extension| {
        let value = Value::from(STANDARD.encode(&extension.value));
        let critical = Value::Bool(extension.critical);
        (
            extension.oid.as_str(),
            Value::dict([("critical", critical), ("value", value)]),
        )
    });
    out.set("extensions_by_oid", Value::dict(by_oid));
    for (what, way) in [
        ("ocsp_uri", "1.3.6.1.5.5.7.48.1"),
        ("issuer_uri", "1.3.6.1.5.5.7.48.2"),
    ] {
        out.set(what, said("1.3.6.1.5.5.7.1.1", &|any| access(any, way))?.0);
    }
    Ok(out)
}
