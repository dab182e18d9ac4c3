//! Methods of `bytes`.

use super::{Method, Takes, method};
use crate::diag::{Error, Result};
use crate::value::{Args, Runtime, Value};

/// The methods.
pub(super) static TABLE: &[Method<[u8]>] = &[
    method(
        "decode",
        Takes::Named(&["encoding", "errors"]),
        decode,
        "Makes text of UTF-8.",
        "'ä'.encode().decode() => 'ä'",
    ),
    method(
        "hex",
        Takes::Anything,
        |_, bytes, _| {
            Ok(Value::str(
                bytes
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect::<String>(),
            ))
        },
        "Writes each byte as two digits.",
        "'aä'.encode().hex() => '61c3a4'",
    ),
];

fn decode(_runtime: &mut dyn Runtime, bytes: &[u8], args: Args) -> Result<Value> {
    let errors = args
        .positional
        .get(1)
        .map(Value::to_str)
        .unwrap_or_default();
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Value::str(text)),
        Err(_) if errors == "replace" => Ok(Value::str(String::from_utf8_lossy(bytes))),
        Err(error) => {
            let at = error.valid_up_to();
            let byte = bytes.get(at).copied().unwrap_or(0);
            Err(Error::value_error(format!(
                "'utf-8' codec can't decode byte 0x{byte:02x} in position {at}: invalid start byte"
            )))
        }
    }
}
