//! The texts that errors point into.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::rc::Rc;

use super::{Error, Kind, Notice, Result};

/// Names one text of a [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(u32);

impl SourceId {
    /// Returns the number behind the id, for packing.
    pub fn index(self) -> u32 {
        self.0
    }

    /// Makes an id of a number that [`SourceId::index`] gave.
    pub fn from_index(index: u32) -> SourceId {
        SourceId(index)
    }
}

/// A range of bytes in one source, end excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// The text.
    pub source: SourceId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// Makes a span of byte offsets.
    pub fn new(source: SourceId, start: usize, end: usize) -> Span {
        Span {
            source,
            start: start as u32,
            end: end.max(start) as u32,
        }
    }

    /// Returns the span from the start of this one to the end of the other.
    #[must_use]
    pub fn to(self, other: Span) -> Span {
        Span {
            end: other.end.max(self.end),
            ..self
        }
    }
}

/// A place as people read it; line and column count from one, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The source's name, mostly a path.
    pub file: Rc<str>,
    /// Line, from one.
    pub line: usize,
    /// Column in characters, from one.
    pub column: usize,
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// How exactly places in a text are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exactness {
    /// By line and column.
    Column,
    /// By line.
    Line,
    /// Only the text's name is told.
    Name,
}

struct Source {
    name: Rc<str>,
    text: Rc<str>,
    exactness: Exactness,
    is_secret: bool,
}

/// Decrypts the content of a file that is encrypted.
pub type Opener = dyn Fn(&Path, &[u8]) -> Result<Vec<u8>>;

/// What every encrypted file begins with.
const ENCRYPTED: &[u8] = b"$ANSIBLE_VAULT";

/// The content of a file, as it is or decrypted.
pub struct Content {
    /// What is in the file.
    pub bytes: Vec<u8>,
    /// The file itself is encrypted: no excerpt of it may be shown.
    pub is_secret: bool,
}

/// All texts read so far, and what was odd in them. Clones share one store.
#[derive(Clone, Default)]
pub struct Sources(Rc<Store>);

#[derive(Default)]
struct Store {
    texts: RefCell<Vec<Source>>,
    notices: RefCell<Vec<Notice>>,
    opener: RefCell<Option<Rc<Opener>>>,
    duplicate_keys: Cell<DuplicateKeys>,
}

/// What a key that stands twice in a mapping of YAML is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DuplicateKeys {
    /// Something to warn of.
    #[default]
    Warn,
    /// An error.
    Error,
    /// Nothing: the last one counts.
    Ignore,
}

impl Sources {
    /// Says how encrypted files are decrypted.
    pub fn open_with(&self, opener: Rc<Opener>) {
        *self.0.opener.borrow_mut() = Some(opener);
    }

    /// Says what keys are that stand twice in a mapping.
    pub fn take_duplicate_keys(&self, duplicates: DuplicateKeys) {
        self.0.duplicate_keys.set(duplicates);
    }

    /// Returns what keys are that stand twice in a mapping.
    pub fn duplicate_keys(&self) -> DuplicateKeys {
        self.0.duplicate_keys.get()
    }

    /// Reads a file of the playbook's side; one that is encrypted is decrypted.
    ///
    /// # Errors
    /// That it can't be read, or not be decrypted.
    pub fn read(&self, path: &Path) -> Result<Content> {
        let bytes = std::fs::read(path).map_err(|error| Error::io(path, &error))?;
        self.opened(path, bytes)
    }

    /// Decrypts what was read from a file, where it is encrypted.
    ///
    /// # Errors
    /// That it can't be decrypted.
    pub fn opened(&self, path: &Path, bytes: Vec<u8>) -> Result<Content> {
        if !bytes.starts_with(ENCRYPTED) {
            return Ok(Content {
                bytes,
                is_secret: false,
            });
        }
        let opener = self.0.opener.borrow().clone();
        let Some(opener) = opener else {
            let message = "Attempting to decrypt but no vault secrets found";
            return Err(Error::new(Kind::Vault, message));
        };
        Ok(Content {
            bytes: opener(path, &bytes)?,
            is_secret: true,
        })
    }

    /// Shows no excerpt of a text from now on.
    pub fn hide(&self, id: SourceId) {
        if let Some(source) = self.0.texts.borrow_mut().get_mut(id.0 as usize) {
            source.is_secret = true;
        }
    }

    /// Says whether no excerpt of a text may be shown.
    pub fn is_secret(&self, id: SourceId) -> bool {
        let texts = self.0.texts.borrow();
        texts.get(id.0 as usize).is_some_and(|s| s.is_secret)
    }

    /// Keeps a text under a name and returns its id.
    pub fn add(&self, name: impl Into<Rc<str>>, text: impl Into<Rc<str>>) -> SourceId {
        self.add_exact(name, text, Exactness::Column)
    }

    /// Keeps a text whose places are told less exactly.
    pub fn add_exact(
        &self,
        name: impl Into<Rc<str>>,
        text: impl Into<Rc<str>>,
        exactness: Exactness,
    ) -> SourceId {
        let mut all = self.0.texts.borrow_mut();
        all.push(Source {
            name: name.into(),
            text: text.into(),
            exactness,
            is_secret: false,
        });
        SourceId((all.len() - 1) as u32)
    }

    /// Keeps a text of which Ansible's own messages name the file only, not the line.
    pub fn add_whole(&self, name: impl Into<Rc<str>>, text: impl Into<Rc<str>>) -> SourceId {
        self.add_exact(name, text, Exactness::Name)
    }

    /// Keeps a name alone and returns it as a place.
    pub fn add_name(&self, name: impl Into<Rc<str>>) -> Span {
        Span::new(self.add_whole(name, ""), 0, 0)
    }

    /// Returns how exactly places in a source are told.
    pub fn exactness(&self, id: SourceId) -> Exactness {
        self.0
            .texts
            .borrow()
            .get(id.0 as usize)
            .map_or(Exactness::Name, |s| s.exactness)
    }

    /// Returns a source's name; `<unknown>` for an id of another store.
    pub fn name(&self, id: SourceId) -> Rc<str> {
        self.0
            .texts
            .borrow()
            .get(id.0 as usize)
            .map_or_else(|| "<unknown>".into(), |s| s.name.clone())
    }

    /// Returns a source's text; empty for an id of another store.
    pub fn text(&self, id: SourceId) -> Rc<str> {
        self.0
            .texts
            .borrow()
            .get(id.0 as usize)
            .map_or_else(|| "".into(), |s| s.text.clone())
    }

    /// Keeps a notice until [`Sources::take_notices`].
    pub fn note(&self, notice: Notice) {
        self.0.notices.borrow_mut().push(notice);
    }

    /// Takes the notices kept so far, in order.
    pub fn take_notices(&self) -> Vec<Notice> {
        std::mem::take(&mut self.0.notices.borrow_mut())
    }

    /// Makes a span of byte offsets in a source.
    pub fn span(&self, id: SourceId, start: usize, end: usize) -> Span {
        Span::new(id, start, end)
    }

    /// Returns where a span starts.
    pub fn locate(&self, span: Span) -> Location {
        let text = self.text(span.source);
        let mut offset = (span.start as usize).min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &text[..offset];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Location {
            file: self.name(span.source),
            line: before.bytes().filter(|b| *b == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.0.texts.borrow().iter().map(|s| s.name.clone()))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_count_from_one() {
        let sources = Sources::default();
        let id = sources.add("a.yml", "é: 1\nüü: x\n");
        let at = sources.locate(sources.span(id, "é: 1\nüü".len(), 11));
        assert_eq!((at.line, at.column), (2, 3));
        assert_eq!(at.to_string(), "a.yml:2:3");
    }
}
