//! The value of a name that isn't there.

use std::fmt;
use std::rc::Rc;

use crate::diag::{Error, Kind, Span};

/// What may be done with an undefined value before its error is raised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum UndefinedKind {
    /// Ansible's: attributes, items and filters of it give it again; any other use raises.
    #[default]
    Marker,
    /// Ansible's before 2.19: as a marker, but tests and `type_debug` look at it as at any object.
    Object {
        /// Whether its `repr()` says its name, as since 2.18.
        says_name: bool,
    },
    /// Jinja2's `StrictUndefined`: it can be tested and replaced, nothing else.
    Strict,
    /// Jinja2's `Undefined`: empty text without items, false, and equal to its like.
    Lenient,
    /// Jinja2's `ChainableUndefined`: lenient, and attributes and items of it give it again.
    Chainable,
}

/// A missing name, attribute or item, or a value whose rendering failed; remembers what and where.
///
/// Unless it is of another kind, attribute access on it gives the same undefined again, so the
/// first missing name is the one that is reported. Using it in any other way raises
/// [`Undefined::error`].
#[derive(Clone, Debug)]
pub struct Undefined {
    /// The error that use raises.
    error: Error,
    /// The name that is missing, for "did you mean".
    pub name: Option<String>,
    /// Text and truth take it for nothing.
    silent: bool,
    kind: UndefinedKind,
    advice: Option<Advice>,
}

/// Says what to do about an undefined value, once an error is made of it: most never become one.
#[derive(Clone)]
struct Advice(Rc<dyn Fn() -> Option<String>>);

impl fmt::Debug for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Advice")
    }
}

impl Undefined {
    /// Makes one for a variable name.
    pub fn variable(name: &str) -> Undefined {
        Undefined {
            error: Error::new(Kind::Undefined, format!("'{name}' is undefined")),
            name: Some(name.to_owned()),
            silent: false,
            kind: UndefinedKind::Marker,
            advice: None,
        }
    }

    /// Makes one with a message of its own.
    pub fn hint(message: impl Into<String>) -> Undefined {
        Undefined {
            error: Error::new(Kind::Undefined, message),
            name: None,
            silent: false,
            kind: UndefinedKind::Marker,
            advice: None,
        }
    }

    /// Makes one that is nothing as text: a condition without `else` whose test is false.
    pub fn silent(message: impl Into<String>) -> Undefined {
        Undefined {
            silent: true,
            ..Undefined::hint(message)
        }
    }

    /// Says whether text takes it for nothing.
    pub fn is_silent(&self) -> bool {
        self.silent || self.is_lenient()
    }

    /// Says whether it may be used as an empty text or list.
    pub fn is_lenient(&self) -> bool {
        matches!(self.kind, UndefinedKind::Lenient | UndefinedKind::Chainable)
    }

    /// Says whether its attributes and items are undefined, rather than errors.
    pub fn is_chainable(&self) -> bool {
        matches!(
            self.kind,
            UndefinedKind::Marker | UndefinedKind::Object { .. } | UndefinedKind::Chainable
        )
    }

    /// Says whether a test may look at it without raising its error.
    pub fn is_testable(&self) -> bool {
        self.kind != UndefinedKind::Marker
    }

    /// Returns what Python calls its type.
    pub fn type_name(&self) -> &'static str {
        match self.kind {
            UndefinedKind::Object { .. } => "AnsibleUndefined",
            UndefinedKind::Marker => "UndefinedMarker",
            _ => "Undefined",
        }
    }

    /// Returns `repr()`.
    pub fn repr(&self) -> String {
        match (self.kind, &self.name) {
            (UndefinedKind::Object { says_name: true }, Some(name)) => {
                format!("AnsibleUndefined(hint=None, obj=missing, name='{name}')")
            }
            (UndefinedKind::Object { .. }, _) => "AnsibleUndefined".to_owned(),
            _ => "Undefined".to_owned(),
        }
    }

    /// Returns what may be done with it.
    pub fn kind(&self) -> UndefinedKind {
        self.kind
    }

    /// Says what may be done with it.
    #[must_use]
    pub fn of_kind(mut self, kind: UndefinedKind) -> Undefined {
        self.kind = kind;
        self
    }

    /// Makes one for an error that happened while a value was rendered; use raises that error.
    pub fn failed(error: Error) -> Undefined {
        Undefined {
            error,
            name: None,
            silent: false,
            kind: UndefinedKind::Marker,
            advice: None,
        }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Undefined {
        self.error = self.error.help(help);
        self
    }

    /// Finds out what to do about it when it is used: `None` where nothing is known.
    #[must_use]
    pub fn advised(mut self, advice: impl Fn() -> Option<String> + 'static) -> Undefined {
        self.advice = Some(Advice(Rc::new(advice)));
        self
    }

    /// Says whether it is known where the missing name is used.
    pub fn is_placed(&self) -> bool {
        self.error.span().is_some()
    }

    /// Says where the missing name is used, unless known already.
    #[must_use]
    pub fn at(mut self, span: Span) -> Undefined {
        self.error = self.error.at(span);
        self
    }

    /// Returns the error that using the value raises.
    pub fn error(&self) -> Error {
        let error = self.error.clone();
        match self.advice.as_ref().and_then(|advice| advice.0()) {
            Some(help) => error.help(help),
            None => error,
        }
    }

    /// Says whether the name is missing (true), or its value could not be rendered (false).
    pub fn is_missing(&self) -> bool {
        self.error.kind() == Kind::Undefined
    }
}
