//! The crate's one error type.

use super::Span;

/// The result of anything that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of thing went wrong; decides exit codes and how a result reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// YAML that can't be read.
    Yaml,
    /// A playbook, role or task that isn't one: unknown keyword, wrong type, unknown module.
    Parse,
    /// A template's syntax.
    TemplateSyntax,
    /// A variable, attribute or item that isn't there.
    Undefined,
    /// Text of a host or a file where a template of the user's is needed.
    Untrusted,
    /// A Python `TypeError`.
    Type,
    /// A Python `ValueError`.
    Value,
    /// A Jinja2 `TemplateRuntimeError` or `FilterArgumentError`, a Python `AttributeError` or
    /// `SyntaxError`.
    Runtime,
    /// A Python `ZeroDivisionError` or `OverflowError`.
    Arithmetic,
    /// A filter, test, lookup or function that failed for a reason of its own.
    Filter,
    /// A plugin's error that is worded as the level has it.
    Plugin,
    /// A variable that needs itself, or nesting beyond the documented limit.
    Recursion,
    /// Something documented that this program doesn't do.
    Unsupported,
    /// A file, role, template or host that isn't there.
    NotFound,
    /// A vault that can't be opened.
    Vault,
    /// An inventory that can't be read or a pattern that matches nothing.
    Inventory,
    /// Wrong command-line arguments or settings.
    Usage,
    /// Command-line arguments that don't go together, or name what isn't there.
    Options,
    /// A host that can't be reached or stopped answering.
    Unreachable,
    /// A keyword's value that can't become what it must be.
    Conversion,
    /// Arguments that a module refuses.
    Argument,
    /// A module that ran and failed.
    Module,
    /// The operating system said no.
    Io,
    /// The user has stopped the run.
    Interrupted,
    /// A promise of this program's own code that didn't hold.
    Internal,
}

/// A place in a source and what is to be said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is there; may be empty.
    pub text: String,
}

/// What a YAML scanner said, in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Syntax {
    /// What is wrong, and where.
    pub problem: (String, Span),
    /// What was being read, and where that began.
    pub context: Option<(String, Span)>,
}

/// An error: message, places, help, cause.
///
/// The first label is where it happened; further labels show how it was reached.
#[derive(Clone, Debug)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    kind: Kind,
    message: String,
    labels: Vec<Label>,
    note: Option<String>,
    help: Option<String>,
    cause: Option<Error>,
    syntax: Option<Syntax>,
}

impl Error {
    /// Makes an error without a place.
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error(Box::new(Inner {
            kind,
            message: message.into(),
            labels: Vec::new(),
            note: None,
            help: None,
            cause: None,
            syntax: None,
        }))
    }

    /// Makes a [`Kind::Type`] error.
    pub fn type_error(message: impl Into<String>) -> Error {
        Error::new(Kind::Type, message)
    }

    /// Makes a [`Kind::Runtime`] error.
    pub fn runtime(message: impl Into<String>) -> Error {
        Error::new(Kind::Runtime, message)
    }

    /// Makes a [`Kind::Value`] error.
    pub fn value_error(message: impl Into<String>) -> Error {
        Error::new(Kind::Value, message)
    }

    /// Makes a [`Kind::Io`] error that names the path and says what the system said.
    pub fn io(path: impl AsRef<std::path::Path>, error: &std::io::Error) -> Error {
        Error::new(
            Kind::Io,
            format!("`{}`: {}", path.as_ref().display(), os_message(error)),
        )
    }

    /// Adds the place where it happened, unless one is known already.
    #[must_use]
    pub fn at(mut self, span: Span) -> Error {
        if self.0.labels.is_empty() {
            self.0.labels.push(Label {
                span,
                text: String::new(),
            });
        }
        self
    }

    /// Adds a further place: how the first one was reached.
    #[must_use]
    pub fn via(mut self, span: Span, text: impl Into<String>) -> Error {
        self.0.labels.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Says what Ansible itself says below the place.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Error {
        self.0.note = Some(note.into());
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Error {
        self.0.help = Some(help.into());
        self
    }

    /// Adds to what is said about what to do.
    #[must_use]
    pub fn also_help(mut self, help: impl Into<String>) -> Error {
        let help = help.into();
        self.0.help = Some(match self.0.help.take() {
            Some(known) => format!("{known}; {help}"),
            None => help,
        });
        self
    }

    /// Attaches what caused it.
    #[must_use]
    pub fn caused_by(mut self, cause: Error) -> Error {
        self.0.cause = Some(cause);
        self
    }

    /// Attaches what a YAML scanner said.
    #[must_use]
    pub fn said(mut self, syntax: Syntax) -> Error {
        self.0.syntax = Some(syntax);
        self
    }

    /// Takes the places away: the level's words have none.
    #[must_use]
    pub fn nowhere(mut self) -> Error {
        self.0.labels.clear();
        self
    }

    /// Returns what a YAML scanner said, for YAML that can't be read.
    pub fn syntax(&self) -> Option<&Syntax> {
        self.0.syntax.as_ref()
    }

    /// Replaces the message.
    #[must_use]
    pub fn message_as(mut self, message: impl Into<String>) -> Error {
        self.0.message = message.into();
        self
    }

    /// Replaces the kind.
    #[must_use]
    pub fn kind_as(mut self, kind: Kind) -> Error {
        self.0.kind = kind;
        self
    }

    /// Returns the kind.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Returns the message alone, without places, help or cause.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns what Ansible itself says below the place, if anything.
    pub fn note_text(&self) -> Option<&str> {
        self.0.note.as_deref()
    }

    /// Returns the help, if any.
    pub fn help_text(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// Returns where it happened, if known.
    pub fn span(&self) -> Option<Span> {
        self.0.labels.first().map(|label| label.span)
    }

    /// Returns all places, the first being where it happened.
    pub fn labels(&self) -> &[Label] {
        &self.0.labels
    }

    /// Returns what caused it.
    pub fn cause(&self) -> Option<&Error> {
        self.0.cause.as_ref()
    }

    /// Returns the messages of this error and its causes, outermost first, joined as Ansible
    /// joins them (`outer: inner`).
    pub fn full_message(&self) -> String {
        let mut text = self.0.message.clone();
        let mut next = self.cause();
        while let Some(error) = next {
            text.push_str(": ");
            text.push_str(&error.0.message);
            next = error.cause();
        }
        text
    }
}

/// Says what the operating system said, in its own words, without Rust's `(os error N)`.
pub(crate) fn os_message(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error ") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.full_message())
    }
}

impl std::error::Error for Error {}
