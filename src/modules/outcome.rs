//! What modules return.

use std::path::Path;

use crate::diag::os_message;
use crate::value::{Dict, Value};

/// A module's result, or its failure.
pub type Ran = Result<Dict, Fail>;

/// The key of what caused a failure; the controller takes it out of the result.
pub const CAUSE: &str = "_ansible_cause";

/// The key that says who failed, where it isn't the module (see [`By`]); the controller takes it out
/// of the result.
const FAILED_BY: &str = "_ansible_failed_by";

/// The key of a result that reports nothing about the path it names.
pub(super) const BARE: &str = "_ansible_bare";

/// Who fails in Ansible, where the same thing is found out on the host here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The action on the controller, as a result.
    Action,
    /// The action on the controller, as an error.
    Raised,
    /// The action on the controller, as an error of its own words.
    Purpose,
    /// The module, which ends with an exception of its own.
    Crash,
}

impl By {
    const ALL: [By; 4] = [By::Action, By::Raised, By::Purpose, By::Crash];

    fn name(self) -> &'static str {
        match self {
            By::Action => "action",
            By::Raised => "raised",
            By::Purpose => "purpose",
            By::Crash => "crash",
        }
    }

    /// Says in a failed result who failed.
    pub(super) fn mark(self, result: &Dict) {
        result.set(FAILED_BY, self.name());
    }

    /// Takes the key out of a result.
    pub fn take(result: &Dict) -> Option<By> {
        let name = result.remove(FAILED_BY)?.to_str();
        By::ALL.into_iter().find(|by| by.name() == name)
    }
}

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

    /// Says what caused it; people see that behind the message, and scripts the message alone.
    #[must_use]
    pub fn because(self, cause: impl Into<String>) -> Fail {
        self.with(CAUSE, cause.into())
    }

    /// Fails as a module of Ansible's fails that ends with an exception of its own.
    pub fn crash(message: impl AsRef<str>) -> Fail {
        Fail::new(message).with(FAILED_BY, By::Crash.name())
    }

    /// Fails as the controller's half does, with a result.
    #[must_use]
    pub fn by_action(self) -> Fail {
        self.with(FAILED_BY, By::Action.name())
    }

    /// Fails as the controller's half does, with an error whose words are the whole message.
    #[must_use]
    pub fn on_purpose(self) -> Fail {
        self.with(FAILED_BY, By::Purpose.name())
    }

    /// Fails as the controller's half does, with an error.
    #[must_use]
    pub fn raised(self) -> Fail {
        self.with(FAILED_BY, By::Raised.name())
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

/// As [`errno_text`], with the path as Python shows text.
pub(super) fn errno_named(error: &std::io::Error, path: &Path) -> String {
    format!("{}: '{}'", errno_text(error), path.display())
}

/// As [`errno_text`], with the path as Python shows bytes.
pub(super) fn errno_path(error: &std::io::Error, path: &Path) -> String {
    format!("{}: b'{}'", errno_text(error), path.display())
}
