//! Builds nodes out of the scanner's events: anchors, merge keys, duplicate keys, tags.
//!
//! **Source:** `PyYAML`'s `Composer` and `SafeConstructor`, as observed.

use std::collections::HashMap;
use std::rc::Rc;

use libyaml_safer::{Encoding, Event, EventData, Mark, Parser, ScalarStyle};

use super::resolve;
use super::{Data, Node};
use crate::diag::{DuplicateKeys, Error, Kind, Notice, Result, SourceId, Sources, Span, Syntax};
use crate::value::{Key, MAX_DEPTH, Origin, Str, Value, Vaulted};

/// How many nodes aliases may unfold to in one document.
const MAX_UNFOLDED: usize = 2_000_000;

/// What a source holds.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The documents in order; `None` for an empty one.
    pub documents: Vec<Option<Node>>,
}

/// Reads a source that holds one document.
///
/// # Errors
/// YAML that can't be read; more than one document; an unknown tag.
pub fn load(sources: &Sources, source: SourceId) -> Result<Option<Node>> {
    let loaded = load_all(sources, source)?;
    let mut documents = loaded.documents.into_iter();
    let first = documents.next().flatten();
    match documents.next() {
        None => Ok(first),
        Some(second) => {
            let error = Error::new(
                Kind::Yaml,
                "YAML parsing failed: Expected a single document in the stream but found another document.",
            );
            Err(match second {
                Some(node) => error.at(node.span),
                None => error.at(Span::new(source, 0, 0)),
            })
        }
    }
}

/// Reads all documents of a source.
///
/// # Errors
/// As [`load`].
pub fn load_all(sources: &Sources, source: SourceId) -> Result<Loaded> {
    let text = sources.text(source);
    if text.ends_with('\\') {
        // The scanner can't stand a backslash at the very end of a quoted scalar. With a newline
        // behind it, that is the error it should be; where it is none, all is well without.
        let longer = Sources::default();
        let id = longer.add(sources.name(source), format!("{text}\n"));
        if let Err(error) = load_all(&longer, id) {
            let end = Span::new(source, text.len(), text.len());
            return Err(Error::new(error.kind(), error.message()).at(end));
        }
    }
    if let Some(error) = comma_behind_tag(&text, source) {
        return Err(error);
    }
    // The scanner can't stand a block scalar that ends without a newline: it gets one, which its value loses again.
    let ended;
    let mut bytes = if text.ends_with('\n') || !text.contains(['|', '>']) {
        text.as_bytes()
    } else {
        ended = format!("{text}\n");
        ended.as_bytes()
    };
    let mut parser = scanner();
    parser.set_input_string(&mut bytes);
    let mut composer = Composer {
        parser,
        sources,
        source,
        text: &text,
        anchors: HashMap::new(),
        loaded: Loaded::default(),
        unfolded: 0,
        depth: 0,
    };
    composer.stream()?;
    Ok(composer.loaded)
}

/// Makes a scanner of text: left to find out about the encoding, it takes a first character such as `Ａ` for half a
/// byte order mark.
fn scanner<'r>() -> Parser<&'r mut &'r [u8]> {
    let mut parser = Parser::new();
    parser.set_encoding(Encoding::Utf8);
    parser
}

/// Finds a tag that has a comma right behind it, as in `[!!str, a]`, at which the scanner panics.
///
/// What could be one is set apart by a blank; where a tag is read there then, it is one. What can't be
/// read just before one is an error here: the scanner may have come to the tag by then.
fn comma_behind_tag(text: &str, source: SourceId) -> Option<Error> {
    let mut apart = String::new();
    let mut found = Vec::new();
    let mut done = 0;
    for (at, _) in text.match_indices('!') {
        let rest = &text[at..];
        let Some(end) = rest.find(|c: char| c.is_whitespace() || c == ',') else {
            break;
        };
        if !rest[end..].starts_with(',') {
            continue;
        }
        // Several may have the same comma behind them.
        if at + end > done {
            apart.push_str(&text[done..at + end]);
            apart.push(' ');
            done = at + end;
        }
        found.push((apart.len() - 1 - end, at + end));
    }
    if found.is_empty() {
        return None;
    }
    apart.push_str(&text[done..]);
    apart.push('\n');
    let mut bytes = apart.as_bytes();
    let mut parser = scanner();
    parser.set_input_string(&mut bytes);
    let mut told = 0;
    loop {
        let event = match parser.parse() {
            Ok(event) => event,
            Err(error) => {
                let at = error.problem_mark().map_or(0, |mark| mark.index as usize);
                // The scanner looks no further ahead than a key may be long.
                if !found.iter().any(|(tag, _)| (told..at + 1024).contains(tag)) {
                    return None;
                }
                let blanks = found.iter().filter(|(tag, _)| *tag < at).count();
                let at = (at - blanks.min(at)).min(text.len());
                let message = format!("YAML parsing failed: {}", sentence(error.problem()));
                return Some(Error::new(Kind::Yaml, message).at(Span::new(source, at, at + 1)));
            }
        };
        if matches!(event.data, EventData::StreamEnd) {
            return None;
        }
        let node = event.start_mark.index as usize..=event.end_mark.index as usize;
        told = *node.end();
        for (tag, comma) in found.iter().filter(|(tag, _)| node.contains(tag)) {
            let before = apart.get(*node.start()..*tag).unwrap_or("").trim_end();
            let is_anchor = before.starts_with('&') && !before.contains(char::is_whitespace);
            if before.is_empty() || is_anchor {
                let message = "YAML parsing failed: A tag has a comma right behind it.";
                return Some(
                    Error::new(Kind::Yaml, message)
                        .at(Span::new(source, *comma, comma + 1))
                        .help("put a blank between them"),
                );
            }
        }
    }
}

struct Composer<'a> {
    parser: Parser<&'a mut &'a [u8]>,
    sources: &'a Sources,
    source: SourceId,
    text: &'a str,
    anchors: HashMap<String, Node>,
    loaded: Loaded,
    unfolded: usize,
    depth: usize,
}

impl Composer<'_> {
    fn next(&mut self) -> Result<Event> {
        self.parser.parse().map_err(|error| self.syntax(&error))
    }

    fn span(&self, start: Mark, end: Mark) -> Span {
        let at = |mark: Mark| (mark.index as usize).min(self.text.len());
        Span::new(self.source, at(start), at(end))
    }

    /// Takes the newline off a block scalar that the source ends with, where it has none.
    ///
    /// A last line of blanks is a line of the scalar where it is longer than the indentation.
    fn unended(&self, mut value: String, span: Span) -> String {
        let (start, end) = (span.start as usize, span.end as usize);
        if self.text.ends_with('\n')
            || !value.ends_with('\n')
            || !self.text[end..].trim().is_empty()
        {
            return value;
        }
        let header = self.text[start..].lines().next().unwrap_or("");
        let head = header.split('#').next().unwrap_or("");
        let keeps = head
            .rsplit(['|', '>'])
            .next()
            .is_some_and(|chomping| chomping.contains('+'));
        let last = self.text.rsplit('\n').next().unwrap_or("");
        let line = value[..value.len() - 1].rsplit('\n').next().unwrap_or("");
        let is_blank = !line.is_empty() && line.trim().is_empty();
        if keeps || is_blank || !last.trim().is_empty() {
            value.pop();
        }
        value
    }

    fn stream(&mut self) -> Result<()> {
        loop {
            let event = self.next()?;
            match event.data {
                EventData::StreamEnd => return Ok(()),
                EventData::DocumentStart { .. } => {
                    self.anchors.clear();
                    let first = self.next()?;
                    let empty = matches!(&first.data, EventData::Scalar { value, style, .. }
                        if value.is_empty() && *style == ScalarStyle::Plain
                            && first.start_mark.index == first.end_mark.index);
                    let node = self.node(first)?;
                    self.loaded.documents.push((!empty).then_some(node));
                    self.next()?;
                }
                _ => {}
            }
        }
    }

    fn node(&mut self, event: Event) -> Result<Node> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let span = self.span(event.start_mark, event.end_mark);
            return Err(
                Error::new(Kind::Yaml, format!("nested deeper than {MAX_DEPTH} levels")).at(span),
            );
        }
        let node = self.node_inside(event);
        self.depth -= 1;
        node
    }

    fn node_inside(&mut self, event: Event) -> Result<Node> {
        let span = self.span(event.start_mark, event.end_mark);
        match event.data {
            EventData::Alias { anchor } => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return Err(Error::new(
                        Kind::Yaml,
                        "YAML parsing failed: Found undefined alias.",
                    )
                    .at(span)
                    .help(format!("no `&{anchor}` stands before it")));
                };
                self.unfolded += size(&node);
                if self.unfolded > MAX_UNFOLDED {
                    return Err(Error::new(
                        Kind::Yaml,
                        format!("aliases unfold to more than {MAX_UNFOLDED} values"),
                    )
                    .at(span));
                }
                Ok(node)
            }
            EventData::Scalar {
                anchor,
                tag,
                value,
                plain_implicit,
                style,
                ..
            } => {
                let value = match style {
                    ScalarStyle::Literal | ScalarStyle::Folded => self.unended(value, span),
                    _ => value,
                };
                let data = self.scalar(tag.as_deref(), value, plain_implicit, style, span)?;
                Ok(self.keep(anchor, Node { span, data }))
            }
            EventData::SequenceStart { anchor, tag, .. } => {
                self.no_tag(tag.as_deref(), "tag:yaml.org,2002:seq", span)?;
                let mut items = Vec::new();
                let end = loop {
                    let event = self.next()?;
                    if matches!(event.data, EventData::SequenceEnd) {
                        break event.end_mark;
                    }
                    items.push(self.node(event)?);
                };
                let span = self.span(event.start_mark, end);
                let data = Data::Sequence(items);
                let mut node = Node { span, data };
                if tag.as_deref() == Some("!unsafe") {
                    distrust(&mut node);
                }
                Ok(self.keep(anchor, node))
            }
            EventData::MappingStart { anchor, tag, .. } => {
                self.no_tag(tag.as_deref(), "tag:yaml.org,2002:map", span)?;
                let mut pairs = Vec::new();
                let end = loop {
                    let event = self.next()?;
                    if matches!(event.data, EventData::MappingEnd) {
                        break event.end_mark;
                    }
                    let key = self.node(event)?;
                    let event = self.next()?;
                    let value = self.node(event)?;
                    pairs.push((key, value));
                };
                let span = self.span(event.start_mark, end);
                let pairs = self.mapping(pairs, span)?;
                let data = Data::Mapping(pairs);
                let mut node = Node { span, data };
                if tag.as_deref() == Some("!unsafe") {
                    distrust(&mut node);
                }
                Ok(self.keep(anchor, node))
            }
            other => Err(Error::new(
                Kind::Yaml,
                format!("unexpected event in a document: {other:?}"),
            )
            .at(span)),
        }
    }

    fn keep(&mut self, anchor: Option<String>, node: Node) -> Node {
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, node.clone());
        }
        node
    }

    fn scalar(
        &self,
        tag: Option<&str>,
        value: String,
        plain: bool,
        style: ScalarStyle,
        span: Span,
    ) -> Result<Data> {
        let text = |value: &str| Value::Str(Str::trusted(value));
        let value = match tag {
            None if plain && style == ScalarStyle::Plain => resolve::plain(&value),
            None | Some("!" | "tag:yaml.org,2002:str") => text(&value),
            Some("!unsafe") => Value::Str(Str::new(&value)),
            Some("!vault" | "!vault-encrypted") => {
                let origin = Origin {
                    source: self.source,
                    offset: span.start,
                };
                let envelope = Str::new(&value).with_origin(origin);
                Value::Object(Rc::new(Vaulted { envelope }))
            }
            Some(tag) => match resolve::tagged(tag, &value) {
                Some(resolved) => resolved.map_err(|error| error.at(span))?,
                None => return Err(self.unknown_tag(tag, span)),
            },
        };
        Ok(Data::Scalar(value))
    }

    fn no_tag(&self, tag: Option<&str>, own: &str, span: Span) -> Result<()> {
        match tag {
            None | Some("!") => Ok(()),
            Some(tag) if tag == own => Ok(()),
            Some("!unsafe") => Ok(()),
            Some(tag) => Err(self.unknown_tag(tag, span)),
        }
    }

    fn unknown_tag(&self, tag: &str, span: Span) -> Error {
        Error::new(
            Kind::Yaml,
            format!("YAML parsing failed: Could not determine a constructor for the tag '{tag}'."),
        )
        .at(span)
        .help("known tags are `!unsafe`, `!vault`, and YAML's own such as `!!str`")
    }

    /// Applies merge keys, refuses keys that can't be keys, lets the last of duplicates win.
    fn mapping(&self, pairs: Vec<(Node, Node)>, whole: Span) -> Result<Vec<(Node, Node)>> {
        let is_merge = |key: &Node| {
            matches!(&key.data, Data::Scalar(Value::Str(text))
            if text.as_str() == "<<" && &self.text[key.span.start as usize..key.span.end as usize] == "<<")
        };
        let mut merged: Vec<(Node, Node)> = Vec::new();
        let mut own: Vec<(Node, Node)> = Vec::new();
        for (key, value) in pairs {
            if !is_merge(&key) {
                own.push((key, value));
                continue;
            }
            let span = value.span;
            let not_mapping = || {
                Error::new(
                    Kind::Yaml,
                    "expected a mapping or list of mappings for merging",
                )
                .at(span)
            };
            match value.data {
                Data::Mapping(inner) => merged.extend(inner),
                // Of several mappings the first wins: later ones come first here.
                Data::Sequence(items) => {
                    let mut all = Vec::new();
                    for item in items {
                        match item.data {
                            Data::Mapping(inner) => all.push(inner),
                            _ => return Err(not_mapping()),
                        }
                    }
                    merged.extend(all.into_iter().rev().flatten());
                }
                Data::Scalar(_) => return Err(not_mapping()),
            }
        }
        let mut out: Vec<(Node, Node)> = Vec::with_capacity(merged.len() + own.len());
        let mut places: HashMap<Key, usize> = HashMap::new();
        for (key, value) in merged.into_iter().chain(own) {
            let name = Key::new(key.to_value()).map_err(|error| {
                Error::new(Kind::Yaml, "found unhashable key").at(key.span).caused_by(error).help(
                    "a value that begins with `{{` must be quoted, or YAML reads it as a mapping",
                )
            })?;
            if let Some(at) = places.get(&name) {
                self.duplicate(&key, name.value(), whole)?;
                let at: usize = *at;
                out[at].1 = value;
            } else {
                places.insert(name, out.len());
                out.push((key, value));
            }
        }
        Ok(out)
    }

    /// Warns of a key that stands twice in a mapping, or whatever it was said to be.
    fn duplicate(&self, key: &Node, name: &Value, whole: Span) -> Result<()> {
        match self.sources.duplicate_keys() {
            DuplicateKeys::Warn => {}
            DuplicateKeys::Ignore => return Ok(()),
            DuplicateKeys::Error => {
                let said = format!(
                    "YAML parsing failed: Found duplicate mapping key {}.",
                    name.repr()
                );
                return Err(Error::new(Kind::Yaml, said).at(key.span));
            }
        }
        let at = self.sources.locate(whole);
        let notice = Notice::warning(format!("Found duplicate mapping key {}.", name.repr()));
        let notice = match name {
            Value::Str(_) => notice.at(Some(key.span)),
            other => notice.about(other.to_str()),
        };
        self.sources.note(notice.help("Using last defined value only.").older(Notice::warning(format!(
            "While constructing a mapping from {}, line {}, column {}, found a duplicate dict key ({}). Using last defined value only.",
            at.file, at.line, at.column, name.to_str()
        ))));
        Ok(())
    }

    fn syntax(&self, error: &libyaml_safer::Error) -> Error {
        let place = |mark: Option<&Mark>| {
            let mut at = mark.map_or(0, |mark| (mark.index as usize).min(self.text.len()));
            // The scanner counts a byte order mark as it likes.
            while !self.text.is_char_boundary(at) {
                at -= 1;
            }
            Span::new(self.source, at, at + 1)
        };
        let span = place(error.problem_mark().or(error.context_mark()).as_ref());
        let at = span.start as usize;
        let problem = error.problem();
        let (guess, help) = self.guess(at, problem).unzip();
        let message = match guess {
            Some(guess) => guess.to_owned(),
            None => sentence(&match error.context() {
                Some(context) => format!("{context} {problem}"),
                None => problem.to_owned(),
            }),
        };
        let found = Error::new(Kind::Yaml, format!("YAML parsing failed: {message}"))
            .at(span)
            .said(Syntax {
                problem: (problem.to_owned(), span),
                context: error
                    .context()
                    .map(|context| (context.to_owned(), place(error.context_mark().as_ref()))),
            });
        match help {
            Some(help) => found.help(help),
            None => found,
        }
    }

    /// Guesses what is meant where the scanner gave up: Ansible's words for it, and what to do.
    fn guess(&self, at: usize, problem: &str) -> Option<(&'static str, &'static str)> {
        let start = self.text[..at].rfind('\n').map_or(0, |n| n + 1);
        let end = self.text[at..]
            .find('\n')
            .map_or(self.text.len(), |n| at + n);
        let line = &self.text[start..end];
        let indent: &str = &line[..line.len() - line.trim_start().len()];
        if indent.contains('\t') || self.text[at..].starts_with('\t') {
            return Some((
                "Tabs are usually invalid in YAML.",
                "YAML does not allow tabs for indentation: use blanks",
            ));
        }
        if line.contains(": {{") {
            return Some((
                "This may be an issue with missing quotes around a template block.",
                "a value that begins with `{{` must be quoted: \"{{ … }}\"",
            ));
        }
        if problem == "mapping values are not allowed in this context" {
            return Some((
                "Colons in unquoted values must be followed by a non-space character.",
                "a value that contains `: ` must be quoted",
            ));
        }
        if self.text[..at].trim_end_matches(' ').ends_with(['"', '\'']) && at > start {
            return Some((
                "Values starting with a quote must end with the same quote.",
                "put quotes of the other kind around all of the value",
            ));
        }
        None
    }
}

/// Makes a sentence of a scanner's words.
fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    let first = chars.next().map(char::to_uppercase).into_iter().flatten();
    format!("{}{}.", first.collect::<String>(), chars.as_str())
}

fn size(node: &Node) -> usize {
    match &node.data {
        Data::Scalar(_) => 1,
        Data::Sequence(items) => 1 + items.iter().map(size).sum::<usize>(),
        Data::Mapping(pairs) => 1 + pairs.iter().map(|(k, v)| size(k) + size(v)).sum::<usize>(),
    }
}

/// Takes the trust of all texts in a node away: `!unsafe` on a list or mapping.
fn distrust(node: &mut Node) {
    match &mut node.data {
        Data::Scalar(Value::Str(text)) => *text = text.clone().with_trust(false),
        Data::Scalar(_) => {}
        Data::Sequence(items) => items.iter_mut().for_each(distrust),
        Data::Mapping(pairs) => {
            for (key, value) in pairs {
                distrust(key);
                distrust(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Value> {
        let sources = Sources::default();
        let id = sources.add("t.yml", text);
        Ok(load(&sources, id)?.map_or(Value::None, |node| node.to_value()))
    }

    #[test]
    fn mappings_merge_and_their_own_keys_win() {
        let value = read("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\n").expect("yaml");
        assert_eq!(
            value.repr(),
            "{'a': {'x': 1, 'y': 2}, 'b': {'x': 1, 'y': 3}}"
        );
    }

    #[test]
    fn a_tab_is_named_as_the_cause() {
        let error = read("a:\n\tb: 1\n").expect_err("no yaml");
        assert!(
            error.help_text().is_some_and(|help| help.contains("tabs")),
            "{error}"
        );
    }

    #[test]
    fn unsafe_lists_and_mappings_have_unsafe_strings_all_the_way_down() {
        let value = read("!unsafe\n- a: ['{{ x }}', 1]\n").expect("yaml");
        let mut trusted = 0;
        let _ = value.map_leaves(&mut |leaf| {
            trusted += usize::from(matches!(leaf, Value::Str(text) if text.is_trusted()));
            leaf.clone()
        });
        assert_eq!(trusted, 0);
        assert_eq!(value.repr(), "[{'a': ['{{ x }}', 1]}]");
    }

    #[test]
    fn strings_are_trusted_unless_unsafe() {
        let value = read("- '{{ x }}'\n- !unsafe '{{ x }}'\n").expect("yaml");
        let trust: Vec<bool> = value
            .items()
            .expect("list")
            .map(|item| matches!(item, Value::Str(text) if text.is_trusted()))
            .collect();
        assert_eq!(trust, [true, false]);
    }

    #[test]
    fn aliases_cannot_unfold_without_end() {
        let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for n in 1..12 {
            let list = vec![format!("*a{}", n - 1); 10].join(",");
            text.push_str(&format!("a{n}: &a{n} [{list}]\n"));
        }
        assert!(read(&text).is_err());
    }
}
