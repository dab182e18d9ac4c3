//! Executable inventories: programs that print JSON for `--list` and `--host NAME`.
//!
//! **Source:** "Developing dynamic inventory" of Ansible's documentation.

use std::process::Command;

use super::reader::Reader;
use crate::diag::{Error, Kind, Notice, Result, Span};
use crate::value::{Dict, Key, Str, Value, from_json_text, json_error};

/// Runs a program and reads what it prints.
///
/// # Errors
/// That it can't be started, fails, or prints something else than an inventory.
pub(super) fn read(reader: &mut Reader) -> Result<()> {
    let place = reader
        .sources
        .add_name(format!("<inventory script output from '{}'>", reader.path));
    let mut script = Script { reader, place };
    let data = script.list()?;
    let hostvars = data.get("_meta").and_then(|meta| match meta {
        Value::Dict(meta) => meta.get("hostvars"),
        _ => None,
    });
    let mut names = Vec::new();
    for (key, value) in data.to_vec() {
        let name = key.value().to_str();
        if name != "_meta" {
            script.group(&name, &value, &mut names)?;
        }
    }
    if hostvars.is_none() && script.is_strict() {
        script.deprecated(
            "Inventory scripts should always provide 'meta.hostvars'. Host variables will be collected by running the inventory script with the '--host' option for each host.",
        );
    }
    for name in names {
        let vars = match &hostvars {
            Some(Value::Dict(all)) => all.get(&name).unwrap_or_else(|| Value::Dict(Dict::new())),
            Some(_) => Value::Dict(Dict::new()),
            None => script.host(&name)?,
        };
        let host = script.reader.inventory.add_host(&name, None);
        for (key, value) in script.dict(&vars)?.to_vec() {
            script.reader.set_host_var(host, key.value(), value, place);
        }
    }
    Ok(())
}

/// A program whose output is read.
struct Script<'a, 'b> {
    reader: &'a mut Reader<'b>,
    place: Span,
}

fn wrong(message: impl Into<String>) -> Error {
    Error::new(Kind::Inventory, message)
}

impl Script<'_, '_> {
    /// Says whether shapes are checked and named as since 2.19.
    fn is_strict(&self) -> bool {
        self.reader.options.level.checks_script_output()
    }

    fn deprecated(&self, message: impl Into<String>) {
        self.reader.note(
            Notice::deprecation(message, "2.23")
                .by("inventory plugin 'script'")
                .at(Some(self.place)),
        );
    }

    fn list(&self) -> Result<Dict> {
        let text = self.run(&["--list"])?;
        let path = self.reader.path;
        let data = if self.is_strict() {
            json(&text).map_err(|why| {
                wrong(format!(
                    "Unable to get JSON decoder for inventory script result: Value could not be parsed as JSON: {why}"
                ))
            })?
        } else {
            let again = self.reader.options.level.repeats_causes();
            json(&text).map_err(|why| {
                let rest = if again {
                    format!(". {why}")
                } else {
                    String::new()
                };
                wrong(format!(
                    "failed to parse executable inventory script results from {path}: {why}{rest}"
                ))
            })?
        };
        match data {
            Value::Dict(data) => Ok(data),
            other if self.is_strict() => Err(wrong(format!(
                "Unable to get JSON decoder for inventory script result: Value is '{}' instead of 'dict'.",
                other.type_name()
            ))),
            _ => Err(wrong(format!(
                "failed to parse executable inventory script results from {path}: needs to be a json dict"
            ))),
        }
    }

    fn host(&self, name: &str) -> Result<Value> {
        let text = self.run(&["--host", name])?;
        if text.trim().is_empty() {
            // Before 2.19 nothing was no mapping.
            return Ok(if self.is_strict() {
                Value::Dict(Dict::new())
            } else {
                Value::None
            });
        }
        json(&text).map_err(|_| {
            wrong(format!(
                "could not parse post variable response: {name}, {text}"
            ))
        })
    }

    fn dict(&self, vars: &Value) -> Result<Dict> {
        match vars {
            Value::Dict(vars) => Ok(vars.clone()),
            other => Err(wrong(format!(
                "Invalid data from file, expected dictionary and got:\n\n{other}"
            ))),
        }
    }

    fn group(&mut self, name: &str, value: &Value, names: &mut Vec<String>) -> Result<()> {
        let safe = self.reader.safe_group_name(name);
        let index = self.reader.inventory.add_group(&safe);
        let parts = match value {
            Value::Dict(parts) => parts.clone(),
            other => {
                if self.is_strict() {
                    self.deprecated(format!(
                        "Group '{name}' was converted to 'dict' from '{}'.",
                        other.type_name()
                    ));
                }
                [(Key::str("hosts"), other.clone())].into_iter().collect()
            }
        };
        let known = ["hosts", "vars", "children"]
            .iter()
            .any(|key| parts.contains(key));
        let parts = if known {
            parts
        } else {
            if self.is_strict() {
                self.deprecated(format!(
                    "Treating malformed group '{name}' as the sole host of that group. Variables provided in this manner cannot be templated."
                ));
            }
            [
                (Key::str("hosts"), Value::list(vec![Value::str(name)])),
                (Key::str("vars"), Value::Dict(parts)),
            ]
            .into_iter()
            .collect()
        };
        if let Some(hosts) = parts.get("hosts") {
            let Value::List(hosts) = &hosts else {
                return Err(self.bad_part(name, &parts, "hosts", "list"));
            };
            for host in hosts.to_vec() {
                let host = host.to_str();
                self.reader.inventory.add_host(&host, Some(&safe));
                names.push(host);
            }
        }
        if let Some(vars) = parts.get("vars") {
            let Value::Dict(vars) = &vars else {
                return Err(self.bad_part(name, &parts, "vars", "dict"));
            };
            for (key, value) in vars.to_vec() {
                self.reader
                    .set_group_var(index, key.value(), value, self.place)?;
            }
        }
        if let Some(Value::List(children)) = parts.get("children") {
            for child in children.to_vec() {
                let child = self.reader.safe_group_name(&child.to_str());
                let child = self.reader.inventory.add_group(&child);
                self.reader.inventory.add_child(index, child)?;
            }
        }
        Ok(())
    }

    fn bad_part(&self, group: &str, parts: &Dict, part: &str, wanted: &str) -> Error {
        if self.is_strict() {
            let found = parts.get(part).unwrap_or(Value::None);
            return wrong(format!(
                "Value contains '{group}.{part}' which is '{}' instead of '{wanted}'.",
                found.type_name()
            ));
        }
        let what = if part == "hosts" {
            "the host list"
        } else {
            "variables"
        };
        wrong(format!(
            "You defined a group '{group}' with bad data for {what}:\n {}",
            Value::Dict(parts.clone())
        ))
    }

    fn run(&self, args: &[&str]) -> Result<String> {
        let path = self.reader.path;
        let mut command = Command::new(path);
        command.args(args).stdin(std::process::Stdio::null());
        let output = command.output().map_err(|error| {
            let (number, words) = (
                error.raw_os_error().unwrap_or_default(),
                crate::diag::os_message(&error),
            );
            let args = args.join(" ");
            wrong(if self.is_strict() {
                format!(
                    "Failed to execute inventory script command '{path} {args}': [Errno {number}] {words}: '{path}'"
                )
            } else {
                format!("problem running {path} {args} ([Errno {number}] {words}: '{path}')")
            })
        })?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if !output.status.success() {
            return Err(if self.is_strict() {
                let code = output.status.code().unwrap_or(-1);
                let error = wrong(format!(
                    "Inventory script returned non-zero exit code {code}."
                ));
                match said.trim_end() {
                    "" => error,
                    said => error.help(format!("Standard error from inventory script:\n{said}")),
                }
            } else {
                wrong(format!(
                    "Inventory script ({path}) had an execution error: {said}"
                ))
            });
        }
        String::from_utf8(output.stdout).map_err(|_| {
            wrong(format!(
                "Inventory {path} contained characters that cannot be interpreted as UTF-8"
            ))
        })
    }
}

/// Reads JSON; its strings are the inventory's author's, so they are templates.
fn json(text: &str) -> Result<Value, String> {
    match from_json_text(text) {
        Ok(value) => Ok(value.map_leaves(&mut |leaf| match leaf {
            Value::Str(text) => Value::Str(Str::trusted(text.as_str())),
            other => other.clone(),
        })),
        Err(error) => Err(json_error(text).unwrap_or_else(|| error.message().to_owned())),
    }
}
