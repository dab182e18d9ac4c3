//! The envelope of a vault: a header line, then hexadecimal digits in lines of 80.
//!
//! **Source:** "Ansible Vault payload format 1.1 - 1.2" of Ansible's documentation; what is wrong
//! with an envelope is told as Ansible tells it, which says what Python said.

use std::fmt::Write;

/// What every envelope begins with.
const MARK: &[u8] = b"$ANSIBLE_VAULT";

/// The only cipher that there is.
const CIPHER: &str = "AES256";

/// How many digits a line has.
const WIDTH: usize = 80;

/// Why a vault can't be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no password at all.
    NoSecrets,
    /// None of the passwords opens it.
    NoneFits,
    /// It is no vault.
    NotEncrypted,
    /// It names a cipher that there isn't.
    Cipher(String),
    /// Its envelope is broken: what is wrong, in Ansible's words, and with which part of it.
    Format(String, Vec<u8>),
}

/// What is inside of an envelope.
pub(super) struct Body {
    pub(super) salt: Vec<u8>,
    pub(super) tag: Vec<u8>,
    pub(super) encrypted: Vec<u8>,
}

/// Says whether bytes are a vault.
pub fn is_encrypted(bytes: &[u8]) -> bool {
    bytes.starts_with(MARK) && bytes.is_ascii()
}

/// Writes an envelope.
pub(super) fn write(body: &Body, id: Option<&str>) -> String {
    let inner = [&body.salt, &body.tag, &body.encrypted].map(|part| hex(part));
    let digits = hex(inner.join("\n").as_bytes());
    let mut out = match id.filter(|id| *id != super::DEFAULT_ID && !id.is_empty()) {
        Some(id) => format!("$ANSIBLE_VAULT;1.2;{CIPHER};{id}\n"),
        None => format!("$ANSIBLE_VAULT;1.1;{CIPHER}\n"),
    };
    for at in (0..digits.len()).step_by(WIDTH) {
        out.push_str(&digits[at..digits.len().min(at + WIDTH)]);
        out.push('\n');
    }
    out
}

/// Reads an envelope: the identity it names, and what is inside.
pub(super) fn read(bytes: &[u8]) -> Result<(Option<String>, Body), Fault> {
    if !is_encrypted(bytes) {
        return Err(Fault::NotEncrypted);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Fault::NotEncrypted)?;
    let mut lines = text.lines();
    let header: Vec<&str> = lines
        .next()
        .unwrap_or_default()
        .trim()
        .split(';')
        .map(str::trim)
        .collect();
    let [_, version, cipher, rest @ ..] = &header[..] else {
        return Err(Fault::Format(
            "Vault envelope format error: list index out of range".to_owned(),
            bytes.to_vec(),
        ));
    };
    if *cipher != CIPHER {
        return Err(Fault::Cipher((*cipher).to_owned()));
    }
    let id = match rest {
        [id, ..] if *version == "1.2" => Some((*id).to_owned()),
        _ => None,
    };
    let digits: String = lines.map(str::trim).collect();
    let inner = unhex(digits.as_bytes())?;
    let parts: Vec<&[u8]> = inner.splitn(3, |byte| *byte == b'\n').collect();
    let [salt, tag, encrypted] = parts[..] else {
        let count = parts.len();
        return Err(Fault::Format(
            format!(
                "Vault vaulttext format error: not enough values to unpack (expected 3, got {count})"
            ),
            digits.into_bytes(),
        ));
    };
    let body = Body {
        salt: unhex(salt)?,
        tag: unhex(tag)?,
        encrypted: unhex(encrypted)?,
    };
    Ok((id, body))
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

fn unhex(digits: &[u8]) -> Result<Vec<u8>, Fault> {
    let wrong = |what: &str| {
        let said = format!("Vault format unhexlify error: {what}");
        Fault::Format(said, digits.to_vec())
    };
    let value = |digit: u8| char::from(digit).to_digit(16).map(|value| value as u8);
    if digits.len() % 2 == 1 {
        return Err(wrong("Odd-length string"));
    }
    digits
        .chunks_exact(2)
        .map(|pair| Some(value(pair[0])? << 4 | value(pair[1])?))
        .collect::<Option<_>>()
        .ok_or_else(|| wrong("Non-hexadecimal digit found"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Fault {
        read(text.as_bytes()).err().expect("a fault")
    }

    #[test]
    fn a_broken_envelope_is_told_as_ansible_tells_it() {
        let format = |text: &str, part: &str| Fault::Format(text.to_owned(), part.into());
        assert_eq!(fault("hello"), Fault::NotEncrypted);
        assert_eq!(
            fault("$ANSIBLE_VAULT;1.1\n61\n"),
            format(
                "Vault envelope format error: list index out of range",
                "$ANSIBLE_VAULT;1.1\n61\n"
            )
        );
        assert_eq!(
            fault("$ANSIBLE_VAULT;1.1;AES\n61\n"),
            Fault::Cipher("AES".to_owned())
        );
        assert_eq!(
            fault("$ANSIBLE_VAULT;1.1;AES256\nzz\n"),
            format(
                "Vault format unhexlify error: Non-hexadecimal digit found",
                "zz"
            )
        );
        assert_eq!(
            fault("$ANSIBLE_VAULT;1.1;AES256\n6\n"),
            format("Vault format unhexlify error: Odd-length string", "6")
        );
        assert_eq!(
            fault("$ANSIBLE_VAULT;1.1;AES256\n616263\n"),
            format(
                "Vault vaulttext format error: not enough values to unpack (expected 3, got 1)",
                "616263"
            )
        );
    }
}
