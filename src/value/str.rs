//! Strings that know whether they are templates and where they were written.

use std::ops::Deref;
use std::rc::Rc;

use crate::diag::{SourceId, Span};

/// Where a string's text begins in a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The text it was read from.
    pub source: SourceId,
    /// Offset of the scalar's first byte (of its quote or block indicator, if any).
    pub offset: u32,
}

const TRUSTED: u32 = 1;
const MARKUP: u32 = 2;
const PLACED: u32 = 4;
const FINAL: u32 = 8;
const SHIFT: u32 = 4;

/// A Python `str`: shared text plus trust, markup and origin. Equality looks at the text only.
#[derive(Clone)]
pub struct Str {
    text: Rc<str>,
    /// Flags in the low bits, the source's index above them.
    flags: u32,
    offset: u32,
}

impl Str {
    /// Makes an untrusted string without an origin.
    pub fn new(text: impl AsRef<str>) -> Str {
        Str {
            text: Rc::from(text.as_ref()),
            flags: 0,
            offset: 0,
        }
    }

    /// Makes an untrusted string of a text that is shared with others.
    pub fn from_shared(text: Rc<str>) -> Str {
        Str {
            text,
            flags: 0,
            offset: 0,
        }
    }

    /// Makes a string that may be rendered as a template.
    pub fn trusted(text: impl AsRef<str>) -> Str {
        Str::new(text).with_trust(true)
    }

    /// Sets the trust.
    #[must_use]
    pub fn with_trust(mut self, trusted: bool) -> Str {
        self.flags = if trusted {
            self.flags | TRUSTED
        } else {
            self.flags & !TRUSTED
        };
        self
    }

    /// Sets whether the text is markup that autoescaping leaves alone.
    #[must_use]
    pub fn with_markup(mut self, markup: bool) -> Str {
        self.flags = if markup {
            self.flags | MARKUP
        } else {
            self.flags & !MARKUP
        };
        self
    }

    /// Says that the text is never read back as data (Ansible's `NativeJinjaText`).
    #[must_use]
    pub fn as_final(mut self) -> Str {
        self.flags |= FINAL;
        self
    }

    /// Says whether the text is never read back as data.
    pub fn is_final(&self) -> bool {
        self.flags & FINAL != 0
    }

    /// Says where the text was written.
    #[must_use]
    pub fn with_origin(mut self, origin: Origin) -> Str {
        self.flags =
            (self.flags & (TRUSTED | MARKUP | FINAL)) | PLACED | (origin.source.index() << SHIFT);
        self.offset = origin.offset;
        self
    }

    /// Gives another text the trust and origin of this one.
    #[must_use]
    pub fn like(&self, text: impl AsRef<str>) -> Str {
        Str {
            text: Rc::from(text.as_ref()),
            flags: self.flags,
            offset: self.offset,
        }
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the shared text.
    pub fn shared(&self) -> Rc<str> {
        self.text.clone()
    }

    /// Says whether the text may be rendered as a template.
    pub fn is_trusted(&self) -> bool {
        self.flags & TRUSTED != 0
    }

    /// Says whether autoescaping leaves the text alone.
    pub fn is_markup(&self) -> bool {
        self.flags & MARKUP != 0
    }

    /// Returns where the text was written, if known.
    pub fn origin(&self) -> Option<Origin> {
        (self.flags & PLACED != 0).then(|| Origin {
            source: SourceId::from_index(self.flags >> SHIFT),
            offset: self.offset,
        })
    }

    /// Returns a span at the start of the text, one byte long, if its origin is known.
    pub fn span(&self) -> Option<Span> {
        self.origin().map(|o| Span {
            source: o.source,
            start: o.offset,
            end: o.offset + 1,
        })
    }
}

impl Deref for Str {
    type Target = str;
    fn deref(&self) -> &str {
        &self.text
    }
}

impl AsRef<str> for Str {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Str {
    fn eq(&self, other: &Str) -> bool {
        self.text == other.text
    }
}
impl Eq for Str {}

impl std::fmt::Debug for Str {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&*self.text, f)
    }
}

impl std::fmt::Display for Str {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Str {
        Str::new(text)
    }
}
impl From<String> for Str {
    fn from(text: String) -> Str {
        Str::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_and_trust_travel_with_the_text() {
        let origin = Origin {
            source: SourceId::from_index(7),
            offset: 42,
        };
        let text = Str::trusted("x").with_origin(origin);
        assert_eq!(text.like("y").origin(), Some(origin));
        assert!(text.like("y").is_trusted());
        assert!(!text.clone().with_trust(false).is_trusted());
        assert_eq!(Str::new("a").origin(), None);
    }
}
