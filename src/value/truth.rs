//! Ansible's words for true and false.

use super::Value;

/// Converts to a boolean by Ansible's words, `yes no on off true false y n t f 1 0` in any case;
/// `None` where it is none.
///
/// **Source:** how boolean options and keywords are read, as documented.
pub fn to_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(b) => Some(*b),
        Value::Str(text) => match text.trim().to_lowercase().as_str() {
            "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Some(true),
            "n" | "no" | "off" | "0" | "false" | "f" | "0.0" => Some(false),
            _ => None,
        },
        Value::Int(1) => Some(true),
        Value::Int(0) => Some(false),
        Value::Float(f) if *f == 1.0 => Some(true),
        Value::Float(f) if *f == 0.0 => Some(false),
        _ => None,
    }
}
