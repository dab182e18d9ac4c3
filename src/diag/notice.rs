//! What is odd but doesn't stop a run: warnings and deprecations.

use super::{Error, Span};

/// How much a notice matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Something is odd.
    Warning,
    /// Something will stop working in the version that is named.
    Deprecation(&'static str),
    /// Something went wrong that doesn't end the run by itself.
    Error,
    /// What this program adds to Ansible's words: what to do about something.
    Hint,
    /// What this program adds only where more words are asked for (`-v`).
    Detail,
}

/// Where the odd thing is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nowhere in particular, or the message says it.
    Nowhere,
    /// Here.
    At(Span),
    /// In a text that stands in no file.
    Text(String),
}

/// A warning as plain data: message, place, what follows the place.
#[derive(Clone, Debug)]
pub struct Notice {
    /// How much it matters.
    pub weight: Weight,
    /// The message.
    pub message: String,
    /// Where it is.
    pub place: Place,
    /// What stands below the place.
    pub help: Option<String>,
    /// All of it as Ansible before 2.19 words it, where that differs from the message.
    pub older: Option<Box<Notice>>,
    /// What takes the thing away, where it isn't ansible-core as a whole.
    pub part: Option<&'static str>,
    /// The error that it tells of.
    pub cause: Option<Error>,
}

impl Notice {
    /// Makes a warning without a place.
    pub fn warning(message: impl Into<String>) -> Notice {
        Notice {
            weight: Weight::Warning,
            message: message.into(),
            place: Place::Nowhere,
            help: None,
            older: None,
            part: None,
            cause: None,
        }
    }

    /// Makes a notice of something that a version of Ansible takes away.
    pub fn deprecation(message: impl Into<String>, version: &'static str) -> Notice {
        Notice {
            weight: Weight::Deprecation(version),
            ..Notice::warning(message)
        }
    }

    /// Makes a notice of an error that doesn't end the run by itself.
    pub fn error(message: impl Into<String>) -> Notice {
        Notice {
            weight: Weight::Error,
            ..Notice::warning(message)
        }
    }

    /// Makes a notice for those who ask for more words.
    pub fn detail(message: impl Into<String>) -> Notice {
        Notice {
            weight: Weight::Detail,
            ..Notice::warning(message)
        }
    }

    /// Makes a hint.
    pub fn hint(message: impl Into<String>) -> Notice {
        Notice {
            weight: Weight::Hint,
            ..Notice::warning(message)
        }
    }

    /// Adds the place, if there is one.
    #[must_use]
    pub fn at(mut self, span: Option<Span>) -> Notice {
        if let Some(span) = span {
            self.place = Place::At(span);
        }
        self
    }

    /// Says that it is about a text that stands in no file.
    #[must_use]
    pub fn about(mut self, text: impl Into<String>) -> Notice {
        self.place = Place::Text(text.into());
        self
    }

    /// Adds what stands below the place.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Notice {
        self.help = Some(help.into());
        self
    }

    /// Says which part of ansible-core takes the thing away.
    #[must_use]
    pub fn by(mut self, part: &'static str) -> Notice {
        self.part = Some(part);
        self
    }

    /// Attaches the error that it tells of; a colon stands before its words.
    #[must_use]
    pub fn caused_by(mut self, cause: Error) -> Notice {
        self.cause = Some(cause);
        self
    }

    /// Says how Ansible before 2.19 words it.
    #[must_use]
    pub fn older(mut self, notice: Notice) -> Notice {
        self.older = Some(Box::new(notice));
        self
    }
}

impl From<String> for Notice {
    fn from(message: String) -> Notice {
        Notice::warning(message)
    }
}
