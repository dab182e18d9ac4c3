//! Facts that the machine's owner keeps there, and those of other programs that gather facts.

use std::path::Path;
use std::time::Duration;

use super::host::Host;
use crate::system::{Access, Command, Executed};
use crate::value::{Dict, Value, from_json_text};

/// Reads `*.fact` files: JSON or INI; executable ones are run and their output is read.
pub(super) fn local(host: &Host<'_>, facts: &Dict) {
    let local = Dict::new();
    for name in host.names(&host.fact_path) {
        if let Some(short) = name.strip_suffix(".fact") {
            local.set(short, one(host, &host.fact_path.join(&name)));
        }
    }
    facts.set("local", local);
}

fn one(host: &Host<'_>, path: &Path) -> Value {
    let executable = host.system.access(path, Access::Execute).unwrap_or(false)
        && host
            .system
            .stat(path)
            .is_ok_and(|stat| stat.permissions() & 0o100 != 0);
    let text = if executable {
        match printed(host, path) {
            Ok(text) => text,
            Err(message) => return Value::str(message),
        }
    } else {
        match host.text(path) {
            Some(text) => text,
            None => {
                return Value::str(format!(
                    "error loading fact - output of running \"{}\" was not utf-8",
                    path.display()
                ));
            }
        }
    };
    match from_json_text(&text) {
        Ok(value) => value,
        Err(_) => ini(&text).map_or_else(
            || {
                Value::str(format!(
                    "error loading facts as JSON or ini - please check content: {}",
                    path.display()
                ))
            },
            Value::Dict,
        ),
    }
}

fn printed(host: &Host<'_>, path: &Path) -> Result<String, String> {
    let shown = path.display();
    let mut command = Command::read([shown.to_string()]);
    command.timeout = Some(Duration::from_secs(host.seconds));
    match host.system.exec(&command) {
        Ok(Executed::Ran(output)) if output.rc == 0 => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(Executed::Ran(output)) => Err(format!(
            "Failure executing fact script ({shown}), rc: {}, err: {}",
            output.rc,
            String::from_utf8_lossy(&output.stderr)
        )),
        Ok(Executed::Unknown) => Err(format!("the fact script ({shown}) is not run in a dry run")),
        Err(error) => Err(format!("Could not execute fact script ({shown}): {error}")),
    }
}

/// Reads sections of `name = value`; `None` where it is something else.
fn ini(text: &str) -> Option<Dict> {
    let all = Dict::new();
    let mut section: Option<Dict> = None;
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            let inner = Dict::new();
            all.set(name, inner.clone());
            section = Some(inner);
            continue;
        }
        let (name, value) = line.split_once(['=', ':'])?;
        section
            .as_ref()?
            .set(name.trim().to_lowercase(), value.trim());
    }
    Some(all)
}

pub(super) fn facter(host: &Host<'_>, facts: &Dict) {
    foreign(host, facts, &["facter", "--json"], "facter_");
}

pub(super) fn ohai(host: &Host<'_>, facts: &Dict) {
    foreign(host, facts, &["ohai"], "ohai_");
}

/// Takes over what another program gathers, under a prefix of its own.
fn foreign(host: &Host<'_>, facts: &Dict, argv: &[&str], prefix: &str) {
    if host.program(argv[0]).is_none() {
        return;
    }
    let said = host
        .output(argv)
        .and_then(|said| from_json_text(&said).ok());
    if let Some(Value::Dict(found)) = said {
        for (key, value) in found.to_vec() {
            facts.set(format!("{prefix}{}", key.value().to_str()), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::system::Fake;

    #[test]
    fn fact_files_are_json_ini_or_programs() {
        let machine = Fake::new()
            .directory("/f", 0o755)
            .file("/f/a.fact", 0o644, "{\"x\": 1}")
            .file("/f/b.fact", 0o644, "[General]\nKey = some words\n")
            .file("/f/c.fact", 0o755, "")
            .file("/f/d.fact", 0o644, "neither")
            .file("/f/ignored.txt", 0o644, "")
            .answer(&["/f/c.fact"], 0, "[1, 2]", "");
        let environment = BTreeMap::new();
        let mut host = Host::new(&machine, &environment);
        host.fact_path = "/f".into();
        let facts = Dict::new();
        local(&host, &facts);
        assert_eq!(
            Value::Dict(facts).repr(),
            "{'local': {'a': {'x': 1}, 'b': {'General': {'key': 'some words'}}, 'c': [1, 2], 'd': 'error loading facts as JSON or ini - please check content: /f/d.fact'}}"
        );
    }
}
