//! What modules return.

use std::path::Path;

use crate::diag::os_message;
use crate::value::{Dict, Value};

/// A module's result, or its failure.
pub type Ran = Result<Dict, Fail>;

/// A failed result; carries `msg` and whatever else the module reports.
#[derive(Debug)]
pub struct Fail(Dict);

impl Fail {
    /// Fails with a message.
    pub fn new(message: impl AsRef<str>) -> Fail {
        let result = Dict::new();
        result.set("msg", message.as_ref());
        result.set("failed", true);
        Fail(result)
    }

    /// Adds a key to the result.
    #[must_use]
    pub fn with(self, key: &str, value: impl Into<Value>) -> Fail {
        self.0.set(key, value);
        self
    }

    /// Returns the result.
    pub fn result(self) -> Dict {
        if !self.0.contains("changed") {
            self.0.set("changed", false);
        }
        self.0
    }
}

/// Words an error of the operating system as Python does: `[Errno 2] No such file or directory`.
pub(super) fn errno_text(error: &std::io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => format!("[Errno {number}] {}", os_message(error)),
        None => error.to_string(),
    }
}

/// As [`errno_text`], with the path as Python shows bytes.
pub(super) fn errno_path(error: &std::io::Error, path: &Path) -> String {
    format!("{}: b'{}'", errno_text(error), path.display())
}
