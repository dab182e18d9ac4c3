//! YAML inventories: groups with `hosts`, `vars` and `children`.

use std::path::Path;

use super::data::Inventory;
use super::range;
use crate::diag::{Error, Kind, Result};
use crate::value::Value;
use crate::yaml::{Data, Node};

/// Reads a YAML document into an inventory.
///
/// # Errors
/// What is no group where one is expected, with its place.
pub(super) fn read(inventory: &mut Inventory, document: &Node, path: &Path) -> Result<()> {
    let Data::Mapping(groups) = &document.data else {
        return Err(Error::new(
            Kind::Inventory,
            "YAML inventory has invalid structure, it should be a dictionary",
        )
        .at(document.span));
    };
    for (key, value) in groups {
        if key.as_str() == Some("plugin") {
            return Err(Error::new(
                Kind::Unsupported,
                format!(
                    "the inventory plugin `{}` is not supported",
                    value.to_value().to_str()
                ),
            )
            .at(key.span));
        }
        group(inventory, key, value, path)?;
    }
    Ok(())
}

fn group(inventory: &mut Inventory, key: &Node, value: &Node, path: &Path) -> Result<usize> {
    let name = key.to_value().to_str();
    let index = inventory.add_group(&name);
    let sections = match &value.data {
        Data::Mapping(sections) => sections,
        Data::Scalar(Value::None) => return Ok(index),
        _ => {
            return Err(Error::new(
                Kind::Inventory,
                format!("Invalid data from file, expected dictionary for the group {name}"),
            )
            .at(value.span));
        }
    };
    for (section, content) in sections {
        let what = section.to_value().to_str();
        let entries = match &content.data {
            Data::Mapping(entries) => entries.as_slice(),
            Data::Scalar(Value::None) => &[],
            // A single name is a mapping without content.
            Data::Scalar(Value::Str(text)) if matches!(what.as_str(), "hosts" | "children") => {
                let text = text.to_string();
                if what.as_str() == "hosts" {
                    for host in range::expand(&text).map_err(|error| error.at(content.span))? {
                        inventory.add_host(&host, Some(&name), Some(path));
                    }
                } else {
                    let child = inventory.add_group(&text);
                    inventory
                        .add_child(index, child)
                        .map_err(|error| error.at(content.span))?;
                }
                continue;
            }
            _ => {
                return Err(Error::new(
                    Kind::Inventory,
                    format!("Invalid \"{what}\" entry for \"{name}\" group, requires a dictionary"),
                )
                .at(content.span));
            }
        };
        match what.as_str() {
            "vars" => {
                for (key, value) in entries {
                    inventory.set_group_var(index, &key.to_value().to_str(), value.to_value());
                }
            }
            "children" => {
                for (key, value) in entries {
                    let child = group(inventory, key, value, path)?;
                    inventory.add_child(index, child).map_err(|error| error.at(key.span))?;
                }
            }
            "hosts" => {
                for (key, value) in entries {
                    host(inventory, &name, key, value, path)?;
                }
            }
            other => inventory.warnings.push(format!(
                "Skipping unexpected key ({other}) in group ({name}), only \"vars\", \"children\" and \"hosts\" are valid"
            )),
        }
    }
    Ok(index)
}

fn host(
    inventory: &mut Inventory,
    group: &str,
    key: &Node,
    value: &Node,
    path: &Path,
) -> Result<()> {
    let pattern = key.to_value().to_str();
    for name in range::expand(&pattern).map_err(|error| error.at(key.span))? {
        let host = inventory.add_host(&name, Some(group), Some(path));
        match &value.data {
            Data::Mapping(vars) => {
                for (key, value) in vars {
                    inventory.set_host_var(host, &key.to_value().to_str(), value.to_value());
                }
            }
            Data::Scalar(Value::None) => {}
            _ => {
                return Err(Error::new(
                    Kind::Inventory,
                    format!("expected variables of the host {name}, a dictionary"),
                )
                .at(value.span));
            }
        }
    }
    Ok(())
}
