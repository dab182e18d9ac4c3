//! YAML inventories: groups with `hosts`, `vars` and `children`.
//!
//! **Source:** the `ansible.builtin.yaml` inventory plugin's documentation, and what
//! ansible-inventory was seen to say.

use super::range;
use super::reader::Reader;
use crate::diag::{Error, Kind, Notice, Result};
use crate::value::Value;
use crate::yaml::{Data, Node};

/// The keys of a group.
const SECTIONS: [&str; 3] = ["vars", "children", "hosts"];

/// Reads a YAML document into an inventory.
///
/// # Errors
/// What is no group where one is expected.
pub(super) fn read(reader: &mut Reader, document: Option<&Node>) -> Result<()> {
    let groups = match document.map(|node| (&node.data, node)) {
        None => return Err(wrong("Parsed empty YAML file")),
        Some((Data::Mapping(groups), _)) if groups.is_empty() => {
            return Err(wrong("Parsed empty YAML file"));
        }
        Some((Data::Mapping(groups), _)) => groups,
        Some((_, node)) if !node.to_value().truth() => {
            return Err(wrong("Parsed empty YAML file"));
        }
        Some((_, node)) => {
            return Err(wrong(format!(
                "YAML inventory has invalid structure, it should be a dictionary, got: {}",
                reader.options.level.yaml_type(&node.to_value())
            )));
        }
    };
    if document.is_some_and(|node| {
        node.get("plugin")
            .is_some_and(|name| name.to_value().truth())
    }) {
        return Err(wrong("Plugin configuration YAML file, not YAML inventory"));
    }
    for (key, value) in groups {
        group(reader, key, value)?;
    }
    Ok(())
}

/// Says why a YAML file is no configuration of an inventory plugin.
pub(super) fn refuse_plugin(document: Option<&Node>, path: &str) -> Error {
    let name = document
        .and_then(|node| node.get("plugin"))
        .map(Node::to_value);
    match name.filter(Value::truth) {
        Some(name) => wrong(format!(
            "inventory config '{path}' specifies unknown plugin '{name}'"
        )),
        None => wrong(format!(
            "no root 'plugin' key found, '{path}' is not a valid YAML inventory plugin config file"
        )),
    }
}

fn wrong(message: impl Into<String>) -> Error {
    Error::new(Kind::Inventory, message)
}

fn group(reader: &mut Reader, key: &Node, value: &Node) -> Result<String> {
    let key = key.to_value();
    let name = match key.as_str() {
        Some(text) => reader.safe_group_name(text),
        None => key.to_str(),
    };
    let none = Vec::new();
    let sections = match &value.data {
        Data::Mapping(sections) => sections,
        Data::Scalar(Value::None) => &none,
        _ => {
            reader.note(Notice::warning(format!(
                "Skipping '{name}' as this is not a valid group definition"
            )));
            return Ok(name);
        }
    };
    if key.as_str().is_none() {
        return Err(wrong(format!(
            "Unable to add group {name}: Invalid group name supplied, expected a string but got {} for {name}",
            reader.options.level.yaml_type(&key)
        )));
    }
    let index = reader.inventory.add_group(&name);
    for section in SECTIONS {
        if let Some(content) = value.get(section)
            && !matches!(
                &content.data,
                Data::Mapping(_) | Data::Scalar(Value::None | Value::Str(_))
            )
        {
            return Err(wrong(format!(
                "Invalid \"{section}\" entry for \"{name}\" group, requires a dictionary, found \"{}\" instead.",
                reader.options.level.yaml_type(&content.to_value())
            )));
        }
    }
    for (section, content) in sections {
        let what = section.to_value().to_str();
        let known = SECTIONS.contains(&what.as_str());
        // A single name is a mapping without content.
        let single = match &content.data {
            Data::Scalar(Value::Str(_)) if known => vec![(
                content.clone(),
                Node {
                    span: content.span,
                    data: Data::Scalar(Value::None),
                },
            )],
            _ => Vec::new(),
        };
        let entries = match &content.data {
            Data::Mapping(entries) => entries,
            Data::Scalar(Value::None) => continue,
            Data::Scalar(Value::Str(_)) if known => &single,
            _ => {
                reader.note(Notice::warning(format!(
                    "Skipping key ({what}) in group ({name}) as it is not a mapping, it is a {}",
                    reader.options.level.yaml_type(&content.to_value())
                )));
                continue;
            }
        };
        match what.as_str() {
            "vars" => {
                for (key, value) in entries {
                    reader.set_group_var(index, &key.to_value(), value.to_value(), key.span)?;
                }
            }
            "children" => {
                for (key, value) in entries {
                    let child = group(reader, key, value)?;
                    if !reader.inventory.has_group(&child) {
                        return Err(wrong(format!("{child} is not a known host nor group")));
                    }
                    let child = reader.inventory.add_group(&child);
                    reader.inventory.add_child(index, child)?;
                }
            }
            "hosts" => {
                for (key, value) in entries {
                    host(reader, &name, key, value)?;
                }
            }
            other => reader.note(Notice::warning(format!(
                "Skipping unexpected key ({other}) in group ({name}), only \"vars\", \"children\" and \"hosts\" are valid"
            ))),
        }
    }
    Ok(name)
}

fn host(reader: &mut Reader, group: &str, key: &Node, value: &Node) -> Result<()> {
    let pattern = key.to_value();
    let Some(text) = pattern.as_str() else {
        return Err(wrong(reader.options.level.host_is_no_text(&pattern)));
    };
    let (names, port) = range::hosts(text)?;
    let none = Vec::new();
    let vars = match &value.data {
        Data::Mapping(vars) => vars,
        other
            if !matches!(other, Data::Sequence(items) if !items.is_empty())
                && !value.to_value().truth() =>
        {
            &none
        }
        _ => {
            return Err(wrong(format!(
                "Invalid data from file, expected dictionary and got:\n\n{}",
                value.to_value()
            )));
        }
    };
    for name in names {
        let host = reader.inventory.add_host_at(&name, Some(group), port);
        for (key, value) in vars {
            reader.set_host_var(host, &key.to_value(), value.to_value(), key.span);
        }
    }
    Ok(())
}
