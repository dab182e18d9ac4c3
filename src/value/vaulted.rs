//! A text that is still encrypted.

use super::{Object, Str, Value};

/// A text that is encrypted, until whoever has its password needs it.
pub struct Vaulted {
    /// The text as it is encrypted, and where it is written.
    pub envelope: Str,
}

impl Object for Vaulted {
    fn type_name(&self) -> &'static str {
        "EncryptedString"
    }

    fn repr(&self) -> String {
        super::str_repr(&self.envelope)
    }

    fn str(&self) -> String {
        self.envelope.to_string()
    }

    fn equals(&self, other: &dyn Object) -> bool {
        let any: &dyn std::any::Any = other;
        any.downcast_ref::<Vaulted>()
            .is_some_and(|other| other.envelope == self.envelope)
    }

    fn json(&self) -> Option<Value> {
        Some(Value::dict([(
            "__ansible_vault",
            Value::str(&self.envelope),
        )]))
    }
}
