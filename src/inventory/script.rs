//! Executable inventories: programs that print JSON for `--list` and `--host NAME`.
//!
//! **Source:** "Developing dynamic inventory" of Ansible's documentation. What a program prints is
//! data: its strings are never templates.

use std::path::Path;
use std::process::Command;

use super::data::Inventory;
use crate::diag::{Error, Kind, Result};
use crate::value::{Dict, Value, from_json_text};

/// Runs a program and reads what it prints.
///
/// # Errors
/// That it can't be started, fails, or prints something else than an inventory.
pub(super) fn read(inventory: &mut Inventory, path: &Path) -> Result<()> {
    let Value::Dict(data) = run(path, &["--list"])? else {
        return Err(Error::new(
            Kind::Inventory,
            format!("{}: needs to be a json dict", path.display()),
        ));
    };
    let hostvars = data.get("_meta").map(|meta| match meta.get("hostvars") {
        Some(Value::Dict(vars)) => vars,
        _ => Dict::new(),
    });
    for (key, value) in data.to_vec() {
        let name = key.value().to_str();
        if name != "_meta" {
            group(inventory, &name, &value, path)?;
        }
    }
    for name in inventory.host_names() {
        let vars = match &hostvars {
            Some(all) => all.get(&name),
            None => Some(run(path, &["--host", &name])?),
        };
        if let Some(Value::Dict(vars)) = vars {
            let host = inventory.add_host(&name, None, None);
            for (key, value) in vars.to_vec() {
                inventory.set_host_var(host, &key.value().to_str(), value);
            }
        }
    }
    Ok(())
}

fn group(inventory: &mut Inventory, name: &str, value: &Value, path: &Path) -> Result<()> {
    let index = inventory.add_group(name);
    let hosts = |inventory: &mut Inventory, list: &Value| {
        for host in list.items().into_iter().flatten() {
            inventory.add_host(&host.to_str(), Some(name), Some(path));
        }
    };
    match value {
        Value::List(_) => hosts(inventory, value),
        Value::Dict(parts) => {
            let plain = !["hosts", "vars", "children"]
                .iter()
                .any(|key| parts.contains(key));
            if plain {
                // A mapping of variables alone is a host in a group of its own name.
                let host = inventory.add_host(name, Some(name), Some(path));
                for (key, value) in parts.to_vec() {
                    inventory.set_host_var(host, &key.value().to_str(), value);
                }
                return Ok(());
            }
            if let Some(list) = parts.get("hosts") {
                hosts(inventory, &list);
            }
            if let Some(Value::Dict(vars)) = parts.get("vars") {
                for (key, value) in vars.to_vec() {
                    inventory.set_group_var(index, &key.value().to_str(), value);
                }
            }
            for child in parts
                .get("children")
                .map(|list| list.items())
                .transpose()?
                .into_iter()
                .flatten()
            {
                let child = inventory.add_group(&child.to_str());
                inventory.add_child(index, child)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn run(path: &Path, args: &[&str]) -> Result<Value> {
    let failed = |why: String| {
        Error::new(
            Kind::Inventory,
            format!(
                "Inventory script ({}) had an execution error: {why}",
                path.display()
            ),
        )
    };
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let output = Command::new(&absolute)
        .args(args)
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        ));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    if text.trim().is_empty() {
        return Ok(Value::Dict(Dict::new()));
    }
    from_json_text(&text).map_err(|error| {
        Error::new(
            Kind::Inventory,
            format!(
                "failed to parse executable inventory script results from {}",
                path.display()
            ),
        )
        .caused_by(error)
    })
}
