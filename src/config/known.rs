//! All of Ansible's settings by Ansible's names, for `lookup('config')` and for options of plugins.
//!
//! `known.tsv` has a line for each: plugin (`shell/sh`; nothing for Ansible itself), name, levels (all where there is
//! nothing), type, default as JSON, environment variables, `section.key` in ansible.cfg, variables.
//!
//! **Source:** `ansible-config list` of Ansible 2.9 and ansible-core 2.18 and 2.19.

use super::{Config, beside, unquoted};
use crate::compat::Level;
use crate::diag::{Error, Kind, Result};
use crate::value::{Value, from_json_text, to_bool};

const TABLE: &str = include_str!("known.tsv");

/// A setting of Ansible's.
pub struct Known {
    name: &'static str,
    kind: &'static str,
    default: &'static str,
    env: &'static str,
    ini: &'static str,
    vars: &'static str,
}

/// Where a setting's value came from, as Ansible says it.
type Origin = String;

/// Returns a plugin's setting, or one of Ansible's own where the plugin is empty.
pub fn known(level: Level, plugin: &str, name: &str) -> Option<Known> {
    lines().find_map(|line| {
        let [owner, own, levels, kind, default, env, ini, vars] = line;
        let is_there = levels.is_empty() || levels.split(' ').any(|known| known == level.name());
        (owner == plugin && own == name && is_there).then_some(Known {
            name: own,
            kind,
            default,
            env,
            ini,
            vars,
        })
    })
}

/// Says whether there is a plugin (`shell/sh`).
pub fn is_plugin(plugin: &str) -> bool {
    lines().any(|line| line[0] == plugin)
}

fn lines() -> impl Iterator<Item = [&'static str; 8]> {
    TABLE.lines().map(|line| {
        let mut cells = line.split('\t');
        std::array::from_fn(|_| cells.next().unwrap_or(""))
    })
}

fn parts(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.split(',').filter(|part| !part.is_empty())
}

impl Known {
    /// Returns the name of its type.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Returns its value in Ansible's order: variables, environment, configuration file, default.
    ///
    /// # Errors
    /// A value that isn't of its type.
    pub fn value(
        &self,
        config: &Config,
        variable: &dyn Fn(&str) -> Result<Option<Value>>,
    ) -> Result<(Value, Origin)> {
        // Of several names, the last one counts.
        for name in parts(self.vars).collect::<Vec<_>>().into_iter().rev() {
            if let Some(value) = variable(name)? {
                return Ok((self.typed(config, &value)?, format!("var: {name}")));
            }
        }
        for name in parts(self.env).collect::<Vec<_>>().into_iter().rev() {
            if let Some(text) = config.environment.get(name) {
                let value = self.typed(config, &Value::str(text))?;
                return Ok((value, format!("env: {name}")));
            }
        }
        for place in parts(self.ini).collect::<Vec<_>>().into_iter().rev() {
            let Some((section, key)) = place.split_once('.') else {
                continue;
            };
            if let Some(text) = config.file.get(&(section.to_owned(), key.to_owned())) {
                let value = self.typed(config, &Value::str(unquoted(text)))?;
                let path = config.path().unwrap_or(std::path::Path::new(""));
                return Ok((value, path.to_string_lossy().into_owned()));
            }
        }
        let mut default = from_json_text(self.default)?;
        if let (Value::Str(text), Some(home)) = (&default, config.environment.get("ANSIBLE_HOME"))
            && let Some(rest) = text.as_str().strip_prefix("~/.ansible")
            && self.name != "ANSIBLE_HOME"
            && self.kind.starts_with("path")
        {
            default = Value::str(format!("{home}{rest}"));
        }
        Ok((self.typed(config, &default)?, "default".to_owned()))
    }

    /// Makes a value of the setting's type.
    pub fn typed(&self, config: &Config, value: &Value) -> Result<Value> {
        let wrong = || {
            let message = format!(
                "Config '{}' has an invalid value: Invalid value provided for '{}': {}",
                self.name,
                self.kind,
                value.repr()
            );
            Error::new(Kind::Argument, message)
        };
        if value.is_none() {
            return Ok(Value::None);
        }
        let split = |separator: char| -> Vec<Value> {
            let text = value.to_str();
            text.split(separator)
                .map(|part| Value::str(part.trim()))
                .collect()
        };
        let path = |value: &Value| {
            let base = config.base();
            Value::str(beside(&base, &value.to_str(), ":", &config.environment))
        };
        Ok(match (self.kind, value) {
            ("bool", _) => Value::Bool(to_bool(value).unwrap_or(false)),
            ("int", Value::Int(_)) => value.clone(),
            ("int", _) => Value::from(value.to_str().trim().parse::<i64>().map_err(|_| wrong())?),
            ("float", _) => Value::Float(match value.as_f64() {
                Some(number) => number,
                None => value.to_str().trim().parse().map_err(|_| wrong())?,
            }),
            ("list", Value::Str(text)) if text.is_empty() => Value::list(Vec::new()),
            ("list", Value::Str(_)) => Value::list(split(',')),
            ("list" | "pathlist" | "pathspec", Value::List(_)) => value.clone(),
            ("pathlist", _) => Value::list(split(',').iter().map(path).collect()),
            ("pathspec", _) => Value::list(split(':').iter().map(path).collect()),
            ("path", _) => path(value),
            ("dict" | "dictionary", Value::Dict(_)) => value.clone(),
            ("list" | "dict" | "dictionary", _) => return Err(wrong()),
            ("str", _) => Value::str(value.to_str()),
            _ => value.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn settings_that_have_an_effect_are_read_from_where_ansible_reads_them() {
        let known: BTreeSet<&str> = lines().flat_map(|line| parts(line[5])).collect();
        // What Ansible takes from elsewhere, or took under another name.
        for row in super::super::TABLE {
            for name in row.env.iter().filter(|name| name.starts_with("ANSIBLE_")) {
                assert!(known.contains(name), "{} reads {name}", row.name);
            }
        }
    }

    #[test]
    fn values_have_the_types_of_their_settings() {
        let mut config = Config::default();
        config
            .environment
            .insert("ANSIBLE_FORKS".to_owned(), "7".to_owned());
        let none = |_: &str| Ok(None);
        let level = Level::default();
        for (name, wanted) in [
            ("DEFAULT_FORKS", "(7, 'env: ANSIBLE_FORKS')"),
            ("DEFAULT_DEBUG", "(False, 'default')"),
            ("TAGS_RUN", "([], 'default')"),
            ("DEFAULT_REMOTE_PORT", "(None, 'default')"),
        ] {
            let setting = known(level, "", name).expect(name);
            let (value, origin) = setting.value(&config, &none).expect(name);
            assert_eq!(Value::tuple(vec![value, origin.into()]).repr(), wanted);
        }
    }
}
