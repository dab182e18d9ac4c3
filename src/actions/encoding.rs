//! The encodings that `template` writes (`output_encoding`).

use crate::diag::{Error, Kind, Result};

/// Encodes text; names are Python's, in any case, with `-` or `_`.
///
/// # Errors
/// An encoding that isn't known; a character that it doesn't have.
pub(super) fn encode(text: &str, name: &str) -> Result<Vec<u8>> {
    let short: String = name
        .to_ascii_lowercase()
        .chars()
        .filter(|c| !matches!(c, '-' | '_' | ' '))
        .collect();
    let wide = |big: bool| -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| {
                if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            })
            .collect()
    };
    let widest = |big: bool| -> Vec<u8> {
        text.chars()
            .flat_map(|c| {
                if big {
                    u32::from(c).to_be_bytes()
                } else {
                    u32::from(c).to_le_bytes()
                }
            })
            .collect()
    };
    let marked = |mark: &[u8], bytes: Vec<u8>| [mark, &bytes].concat();
    match short.as_str() {
        "utf8" | "u8" | "utf" => Ok(text.as_bytes().to_vec()),
        "utf8sig" => Ok(marked(b"\xef\xbb\xbf", text.as_bytes().to_vec())),
        "ascii" | "usascii" | "646" => narrow(text, name, "ordinal not in range(128)", 0x80),
        "latin1" | "iso88591" | "latin" | "l1" | "8859" | "cp819" => {
            narrow(text, name, "ordinal not in range(256)", 0x100)
        }
        "utf16le" => Ok(wide(false)),
        "utf16be" => Ok(wide(true)),
        "utf16" | "u16" => Ok(marked(b"\xff\xfe", wide(false))),
        "utf32le" => Ok(widest(false)),
        "utf32be" => Ok(widest(true)),
        "utf32" | "u32" => Ok(marked(b"\xff\xfe\0\0", widest(false))),
        _ => Err(Error::new(
            Kind::Unsupported,
            format!("`output_encoding: {name}` is not supported"),
        )
        .help("use utf-8, ascii, iso-8859-1, utf-16 or utf-32 (with -le or -be)")),
    }
}

/// Encodes characters below a limit as one byte each.
fn narrow(text: &str, name: &str, why: &str, limit: u32) -> Result<Vec<u8>> {
    let codec = if limit == 0x80 { "ascii" } else { "latin-1" };
    let _ = name;
    text.chars()
        .enumerate()
        .map(|(at, c)| match u8::try_from(u32::from(c)) {
            Ok(byte) if u32::from(byte) < limit => Ok(byte),
            _ => Err(Error::value_error(format!(
                "'{codec}' codec can't encode character '{}' in position {at}: {why}",
                c.escape_unicode()
            ))),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn text_is_written_in_the_encoding_asked_for() {
        let bytes = |name| encode("aü", name).expect("known");
        assert_eq!(bytes("UTF-8"), b"a\xc3\xbc");
        assert_eq!(bytes("iso-8859-1"), b"a\xfc");
        assert_eq!(bytes("utf_16_be"), b"\0a\0\xfc");
        assert_eq!(bytes("utf-16"), b"\xff\xfea\0\xfc\0");
    }

    #[test]
    fn what_an_encoding_does_not_have_is_an_error() {
        assert!(encode("ü", "ascii").is_err());
        assert!(encode("€", "latin-1").is_err());
        assert!(encode("a", "klingon").is_err());
    }
}
