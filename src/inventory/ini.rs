//! INI inventories.
//!
//! **Source:** the `ansible.builtin.ini` inventory plugin's documentation: values of host lines and
//! of `:vars` sections are Python literals where they read as one, else text.

use std::path::Path;

use super::data::Inventory;
use super::range;
use crate::diag::{Error, Kind, Result, SourceId, Span};
use crate::value::{Origin, Str, Value, literal};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Hosts,
    Vars,
    Children,
}

/// Reads INI text into an inventory.
///
/// # Errors
/// The line that can't be read, with its place.
pub(super) fn read(
    inventory: &mut Inventory,
    text: &str,
    source: SourceId,
    path: &Path,
) -> Result<()> {
    let mut section = Section::Hosts;
    let mut group = "ungrouped".to_owned();
    let mut pending: Vec<(String, Span)> = Vec::new();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let start = offset + (line.len() - line.trim_start().len());
        offset += line.len();
        let line = line.trim();
        let span = Span::new(source, start, start + line.len().max(1));
        let place = |error: Error| error.at(span);
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with('[') && header(line).is_some() {
            let (name, kind) = header(line).unwrap_or_default();
            group = name.to_owned();
            section = match kind {
                "" | "hosts" => Section::Hosts,
                "vars" => Section::Vars,
                "children" => Section::Children,
                other => {
                    return Err(Error::new(
                        Kind::Inventory,
                        format!("Section [{group}:{other}] has unknown type: {other}"),
                    )
                    .at(span)
                    .help("known types are hosts, vars and children"));
                }
            };
            if section == Section::Vars {
                // Its group may be declared further down.
                if !inventory.has_group(&group) {
                    pending.push((group.clone(), span));
                }
            }
            inventory.add_group(&group);
            continue;
        }
        if section != Section::Vars {
            pending.retain(|(name, _)| *name != group);
        }
        match section {
            Section::Hosts => {
                host_line(inventory, line, &group, source, start, path).map_err(place)?;
            }
            Section::Vars => {
                let Some((name, value)) = line.split_once('=') else {
                    return Err(place(Error::new(
                        Kind::Inventory,
                        format!("Expected key=value, got: {line}"),
                    )));
                };
                let index = inventory.add_group(&group);
                inventory.set_group_var(index, name.trim(), typed(value.trim(), source, start));
            }
            Section::Children => {
                let name = line.split('#').next().unwrap_or("").trim();
                if name.is_empty() || name.contains(char::is_whitespace) {
                    return Err(place(Error::new(
                        Kind::Inventory,
                        format!("Expected group name, got: {line}"),
                    )));
                }
                let (outer, inner) = (inventory.add_group(&group), inventory.add_group(name));
                pending.retain(|(known, _)| known != name);
                inventory.add_child(outer, inner).map_err(place)?;
            }
        }
    }
    Ok(())
}

/// Reads `[name]` and `[name:kind]`; a comment may follow.
fn header(line: &str) -> Option<(&str, &str)> {
    let end = line.find(']')?;
    let rest = line[end + 1..].trim();
    if !(rest.is_empty() || rest.starts_with(['#', ';'])) {
        return None;
    }
    let inside = line[1..end].trim();
    let (name, kind) = inside.split_once(':').unwrap_or((inside, ""));
    (!name.is_empty()
        && !name.contains(char::is_whitespace)
        && !kind.bytes().all(|b| b.is_ascii_digit())
        || kind.is_empty())
    .then_some((name, kind))
}

fn host_line(
    inventory: &mut Inventory,
    line: &str,
    group: &str,
    source: SourceId,
    offset: usize,
    path: &Path,
) -> Result<()> {
    let words = words(line)?;
    let Some((pattern, pairs)) = words.split_first() else {
        return Ok(());
    };
    let (names, port) = name_and_port(pattern)?;
    for name in names {
        if name.is_empty() || name.starts_with('-') {
            return Err(Error::new(
                Kind::Inventory,
                format!("`{name}` is no host name"),
            ));
        }
        let host = inventory.add_host(&name, Some(group), Some(path));
        if let Some(port) = port {
            inventory.set_host_var(host, "ansible_port", Value::Int(port));
        }
        for pair in pairs {
            let Some((key, value)) = pair.split_once('=') else {
                return Err(Error::new(
                    Kind::Inventory,
                    format!("Expected key=value host variable assignment, got: {pair}"),
                ));
            };
            inventory.set_host_var(host, key, typed(value, source, offset));
        }
    }
    Ok(())
}

/// Splits `name:port`; IPv6 addresses need brackets to carry a port.
fn name_and_port(pattern: &str) -> Result<(Vec<String>, Option<i64>)> {
    if let Some(rest) = pattern.strip_prefix('[')
        && let Some((address, after)) = rest.split_once(']')
        && address.parse::<std::net::Ipv6Addr>().is_ok()
    {
        return Ok((
            vec![address.to_owned()],
            after.strip_prefix(':').and_then(|p| p.parse().ok()),
        ));
    }
    let outside = pattern.rfind(']').map_or(0, |at| at + 1);
    if let Some(colon) = pattern[outside..].rfind(':')
        && pattern[outside..].matches(':').count() == 1
        && let Ok(port) = pattern[outside + colon + 1..].parse::<i64>()
    {
        return Ok((range::expand(&pattern[..outside + colon])?, Some(port)));
    }
    if pattern.matches(':').count() > 1 && !pattern.contains('[') {
        return Ok((vec![pattern.to_owned()], None));
    }
    Ok((range::expand(pattern)?, None))
}

/// Reads a value: a Python literal, else text. Text may be a template.
fn typed(text: &str, source: SourceId, offset: usize) -> Value {
    let trust = |text: &str| {
        Value::Str(Str::trusted(text).with_origin(Origin {
            source,
            offset: offset as u32,
        }))
    };
    match literal(text) {
        Some(value) => value.map_leaves(&mut |leaf| match leaf {
            Value::Str(text) => trust(text),
            other => other.clone(),
        }),
        None => trust(text),
    }
}

/// Splits a host line as a POSIX shell would, comments included; quotes are taken off.
fn words(line: &str) -> Result<Vec<String>> {
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
                            None => return Err(unclosed(line)),
                        },
                        Some(inner) => word.push(inner),
                        None => return Err(unclosed(line)),
                    }
                }
            }
            '\\' => {
                open = true;
                word.extend(chars.next());
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

fn unclosed(line: &str) -> Error {
    Error::new(
        Kind::Inventory,
        format!("Error parsing host definition '{line}': No closing quotation"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Sources;

    fn parsed(text: &str) -> Result<Inventory> {
        let sources = Sources::default();
        let id = sources.add("h.ini", text);
        let mut inventory = Inventory::default();
        read(&mut inventory, text, id, Path::new("h.ini"))?;
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
