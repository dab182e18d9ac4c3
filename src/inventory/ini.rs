//! INI inventories.
//!
//! **Source:** the `ansible.builtin.ini` inventory plugin's documentation: values of host lines and
//! of `:vars` sections are Python literals where they read as one, else text.

use std::collections::HashMap;

use super::range;
use super::reader::Reader;
use crate::compat::Level;
use crate::diag::{Error, Kind, Result, SourceId, Span};
use crate::value::{Origin, Str, Value, literal};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Hosts,
    Vars,
    Children,
}

/// Why a group must be declared somewhere in the file.
enum Pending {
    /// A section sets its variables.
    Vars { span: Span },
    /// Groups name it as their child.
    Child { span: Span, parents: Vec<String> },
}

/// Reads INI text into an inventory.
///
/// # Errors
/// The line that can't be read, with its place where Ansible before 2.19 says it.
pub(super) fn read(reader: &mut Reader, text: &str, source: SourceId) -> Result<()> {
    let mut file = File {
        reader,
        source,
        section: Section::Hosts,
        group: "ungrouped".to_owned(),
        pending: Vec::new(),
        index: HashMap::new(),
    };
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let start = offset + (line.len() - line.trim_start().len());
        offset += line.len();
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        file.line(line, Span::new(source, start, start + line.len()))?;
    }
    file.end()
}

struct File<'a, 'b> {
    reader: &'a mut Reader<'b>,
    source: SourceId,
    section: Section,
    group: String,
    pending: Vec<(String, Option<Pending>)>,
    index: HashMap<String, usize>,
}

impl File<'_, '_> {
    fn line(&mut self, line: &str, span: Span) -> Result<()> {
        let wrong = |message: String| Error::new(Kind::Inventory, message).at(span);
        if let Some((name, kind)) = header(line) {
            return self.header(name, kind, span);
        }
        if line.starts_with('[') && line.ends_with(']') {
            return Err(wrong(self.reader.options.level.invalid_section_entry(line)));
        }
        match self.section {
            Section::Hosts => self.hosts(line, span),
            Section::Vars => {
                let Some((name, value)) = line.split_once('=') else {
                    return Err(wrong(format!("Expected key=value, got: {line}")));
                };
                let name = self.name(name.trim(), span);
                let value = typed(
                    value.trim(),
                    self.source,
                    span.start,
                    self.reader.options.level,
                );
                let group = self.reader.inventory.add_group(&self.group);
                self.reader.set_group_var(group, &name, value, span)
            }
            Section::Children => {
                let Some(name) = group_name(line) else {
                    return Err(wrong(format!("Expected group name, got: {line}")));
                };
                self.child(name, span)
            }
        }
    }

    fn header(&mut self, name: &str, kind: &str, span: Span) -> Result<()> {
        self.group = self.reader.safe_group_name(name);
        self.section = match kind {
            "" | "hosts" => Section::Hosts,
            "vars" => Section::Vars,
            "children" => Section::Children,
            other => {
                return Err(Error::new(
                    Kind::Inventory,
                    format!("Section [{}:{other}] has unknown type: {other}", self.group),
                )
                .at(span));
            }
        };
        if !self.reader.inventory.has_group(&self.group) {
            if self.section == Section::Vars && !self.index.contains_key(&self.group) {
                self.wait(self.group.clone(), Pending::Vars { span });
            }
            self.reader.inventory.add_group(&self.group);
        }
        if self.section != Section::Vars
            && let Some(at) = self.index.remove(&self.group)
            && let Some(Pending::Child { parents, .. }) = self.pending[at].1.take()
        {
            let inner = self.reader.inventory.add_group(&self.group);
            for parent in parents {
                let outer = self.reader.inventory.add_group(&parent);
                self.reader.inventory.add_child(outer, inner)?;
            }
        }
        Ok(())
    }

    fn child(&mut self, name: &str, span: Span) -> Result<()> {
        let name = self.reader.safe_group_name(name);
        if self.reader.inventory.has_group(&name) && !self.index.contains_key(&name) {
            let outer = self.reader.inventory.add_group(&self.group);
            let inner = self.reader.inventory.add_group(&name);
            return self.reader.inventory.add_child(outer, inner);
        }
        let parent = self.group.clone();
        match self.index.get(&name).map(|at| &mut self.pending[*at].1) {
            Some(Some(Pending::Child { parents, .. })) => parents.push(parent),
            Some(waiting @ Some(Pending::Vars { .. })) => {
                *waiting = Some(Pending::Child {
                    span,
                    parents: vec![parent],
                });
            }
            _ => self.wait(
                name,
                Pending::Child {
                    span,
                    parents: vec![parent],
                },
            ),
        }
        Ok(())
    }

    fn wait(&mut self, name: String, pending: Pending) {
        self.index.insert(name.clone(), self.pending.len());
        self.pending.push((name, Some(pending)));
    }

    fn hosts(&mut self, line: &str, span: Span) -> Result<()> {
        let words = words(line).map_err(|why| {
            Error::value_error(format!("Error parsing host definition '{line}': {why}")).at(span)
        })?;
        let Some((pattern, pairs)) = words.split_first() else {
            return Ok(());
        };
        let (names, port) = range::hosts_of_line(pattern)?;
        let mut vars = Vec::with_capacity(pairs.len());
        for pair in pairs {
            let Some((key, value)) = pair.split_once('=') else {
                return Err(Error::new(
                    Kind::Inventory,
                    format!("Expected key=value host variable assignment, got: {pair}"),
                )
                .at(span));
            };
            vars.push((
                self.name(key, span),
                typed(value, self.source, span.start, self.reader.options.level),
            ));
        }
        for name in names {
            let host = self
                .reader
                .inventory
                .add_host_at(&name, Some(&self.group), port);
            for (key, value) in &vars {
                self.reader.set_host_var(host, key, value.clone(), span);
            }
        }
        Ok(())
    }

    /// Returns a variable's name, which knows its line.
    fn name(&self, name: &str, span: Span) -> Value {
        Value::Str(Str::trusted(name).with_origin(Origin {
            source: self.source,
            offset: span.start,
        }))
    }

    /// Refuses what was named but never declared.
    fn end(&self) -> Result<()> {
        let level = self.reader.options.level;
        for (name, pending) in &self.pending {
            let (message, span) = match pending {
                None => continue,
                Some(Pending::Vars { span }) => (level.vars_of_undefined_group(name), *span),
                Some(Pending::Child { span, parents }) => (
                    level.child_is_undefined_group(parents.last().map_or("", String::as_str), name),
                    *span,
                ),
            };
            return Err(Error::new(Kind::Inventory, message).at(span));
        }
        Ok(())
    }
}

/// Reads `[name]` and `[name:kind]`; a comment may follow.
fn header(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix('[')?;
    let (inside, rest) = rest.split_once(']')?;
    let rest = rest.trim_start();
    if !(rest.is_empty() || rest.starts_with('#')) {
        return None;
    }
    let word =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_');
    match inside.split_once(':') {
        None => is_group_name(inside).then_some((inside, "")),
        Some((name, kind)) => (is_group_name(name) && word(kind)).then_some((name, kind)),
    }
}

/// Reads a group's name in a `:children` section; a comment may follow.
fn group_name(line: &str) -> Option<&str> {
    let end = line.find(char::is_whitespace).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    // A comment needs no blank before it, but a name keeps what it can.
    let (name, rest) = match name.find([':', ']']) {
        Some(_) => return None,
        None => (name, rest.trim_start()),
    };
    (is_group_name(name) && (rest.is_empty() || rest.starts_with('#'))).then_some(name)
}

fn is_group_name(name: &str) -> bool {
    !name.is_empty() && !name.contains([':', ']']) && !name.contains(char::is_whitespace)
}

/// Makes lists of tuples and sets, at levels where variables know no others.
fn as_since(value: Value, level: Level) -> Value {
    if !level.has_lists_for_tuples() {
        return value;
    }
    match &value {
        Value::Tuple(_) | Value::Set(_) | Value::List(_) => Value::list(
            value
                .items()
                .into_iter()
                .flatten()
                .map(|item| as_since(item, level))
                .collect(),
        ),
        Value::Dict(dict) => Value::Dict(
            dict.to_vec()
                .into_iter()
                .map(|(key, item)| (key, as_since(item, level)))
                .collect(),
        ),
        _ => value,
    }
}

/// Reads a value: a Python literal, else text. Text may be a template.
fn typed(text: &str, source: SourceId, offset: u32, level: Level) -> Value {
    let trust = |text: &str| Value::Str(Str::trusted(text).with_origin(Origin { source, offset }));
    match literal(text).map(|value| as_since(value, level)) {
        Some(value) => value.map_leaves(&mut |leaf| match leaf {
            Value::Str(text) => trust(text),
            other => other.clone(),
        }),
        None => trust(text),
    }
}

/// Splits a host line as a POSIX shell would, comments included; quotes are taken off.
fn words(line: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut open = false;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '#' => break,
            '\'' | '"' => {
                open = true;
                loop {
                    match chars.next() {
                        Some(inner) if inner == c => break,
                        Some('\\') if c == '"' => match chars.next() {
                            Some(escaped @ ('"' | '\\')) => word.push(escaped),
                            Some(other) => {
                                word.push('\\');
                                word.push(other);
                            }
                            None => return Err("No closing quotation"),
                        },
                        Some(inner) => word.push(inner),
                        None => return Err("No closing quotation"),
                    }
                }
            }
            '\\' => {
                open = true;
                word.push(chars.next().ok_or("No escaped character")?);
            }
            c if c.is_whitespace() => {
                if open || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                    open = false;
                }
            }
            c => word.push(c),
        }
    }
    if open || !word.is_empty() {
        words.push(word);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Sources;
    use crate::inventory::{Inventory, SourceOptions};

    fn parsed(text: &str) -> Result<Inventory> {
        let sources = Sources::default();
        let id = sources.add("h.ini", text);
        let mut inventory = Inventory::default();
        let options = SourceOptions::default();
        read(
            &mut Reader::new(&mut inventory, &sources, &options, "h.ini"),
            text,
            id,
        )?;
        inventory.reconcile();
        Ok(inventory)
    }

    #[test]
    fn host_lines_carry_typed_values_ports_and_comments() {
        let inventory = parsed("[g]\nnode[1:2]:2222 a=1 b='x y' c=True d=\"[1, 2]\" e=yes # no\n")
            .expect("ini");
        let host = inventory.host("node2").expect("a host");
        assert_eq!(
            Value::Dict(host.vars.clone()).repr(),
            "{'ansible_port': 2222, 'a': 1, 'b': 'x y', 'c': True, 'd': [1, 2], 'e': 'yes'}"
        );
    }

    #[test]
    fn sections_define_children_and_variables() {
        let inventory =
            parsed("[k:children]\na\n[a]\nh1\n[k:vars]\nx = 0.5\ny=a b\n").expect("ini");
        let group = inventory.group("k").expect("a group");
        assert_eq!(
            Value::Dict(group.vars.clone()).repr(),
            "{'x': 0.5, 'y': 'a b'}"
        );
        assert_eq!(inventory.group_names("h1"), ["a", "k"]);
    }

    #[test]
    fn a_line_that_is_no_pair_is_placed() {
        let error = parsed("[g:vars]\nnope\n").expect_err("an error");
        assert_eq!(error.message(), "Expected key=value, got: nope");
        assert_eq!(error.span().map(|span| span.start), Some(9));
    }
}
