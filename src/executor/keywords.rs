//! Keywords of tasks whose values have a type: rendered, converted, and refused in the words of the
//! level.
//!
//! **Source:** as printed by ansible-core 2.19 and 2.18 and Ansible 2.9.

use crate::compat::Level;
use crate::diag::{Error, Kind, Result, Sources, Span};
use crate::output::appears;
use crate::playbook::{Settings, Task};
use crate::template::{Templar, to_bool};
use crate::value::{Dict, Value};

/// What the value of a keyword must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Bool,
    Int,
    Float,
    Text,
}

/// Keywords that are checked before a task is carried out, in this order. Those of how a host is
/// reached come first.
const CHECKED: &[(&str, Type)] = &[
    ("check_mode", Type::Bool),
    ("diff", Type::Bool),
    ("become", Type::Bool),
    ("become_exe", Type::Text),
    ("become_flags", Type::Text),
    ("become_method", Type::Text),
    ("become_user", Type::Text),
    ("any_errors_fatal", Type::Bool),
    ("delay", Type::Float),
    ("delegate_facts", Type::Bool),
    ("ignore_errors", Type::Bool),
    ("ignore_unreachable", Type::Bool),
    ("retries", Type::Int),
    ("run_once", Type::Bool),
    ("timeout", Type::Int),
];

/// Returns a checked keyword that a task has itself or from around it.
fn written<'a>(task: &'a Task, name: &str) -> Option<&'a Value> {
    match name {
        "delay" => task.delay.as_ref(),
        "retries" => task.retries.as_ref(),
        _ => inheritable(&task.settings, name),
    }
}

/// Returns a checked keyword that is passed on to tasks.
fn inheritable<'a>(settings: &'a Settings, name: &str) -> Option<&'a Value> {
    match name {
        "check_mode" => settings.check_mode.as_ref(),
        "diff" => settings.diff.as_ref(),
        "become" => settings.r#become.as_ref(),
        "become_exe" => settings.become_exe.as_ref(),
        "become_flags" => settings.become_flags.as_ref(),
        "become_method" => settings.become_method.as_ref(),
        "become_user" => settings.become_user.as_ref(),
        "connection" => settings.connection.as_ref(),
        "port" => settings.port.as_ref(),
        "remote_user" => settings.remote_user.as_ref(),
        "any_errors_fatal" => settings.any_errors_fatal.as_ref(),
        "delegate_facts" => settings.delegate_facts.as_ref(),
        "ignore_errors" => settings.ignore_errors.as_ref(),
        "ignore_unreachable" => settings.ignore_unreachable.as_ref(),
        "run_once" => settings.run_once.as_ref(),
        "timeout" => settings.timeout.as_ref(),
        _ => None,
    }
}

/// Keywords of how a host is reached: below 2.19, messages about them do not say where they are.
const OF_CONNECTION: [&str; 8] = [
    "check_mode",
    "diff",
    "become",
    "become_user",
    "become_method",
    "become_flags",
    "become_exe",
    "remote_user",
];

/// Reads a task's keywords.
pub(super) struct Keywords<'a> {
    pub level: Level,
    pub sources: &'a Sources,
    pub templar: &'a Templar,
    pub task: &'a Task,
}

impl Keywords<'_> {
    /// Checks all keywords of the task that have a type.
    ///
    /// # Errors
    /// A value that can't be rendered or converted.
    pub(super) fn check(&self) -> Result<()> {
        for (name, wanted) in CHECKED {
            match written(self.task, name) {
                None | Some(Value::Bool(_) | Value::Int(_) | Value::None) => {}
                Some(value) => {
                    self.read(name, value, *wanted)?;
                }
            }
        }
        for level in &self.task.settings.environment {
            self.environment(level)?;
        }
        Ok(())
    }

    /// Renders one level of the task's environment.
    ///
    /// # Errors
    /// As [`Keywords::check`].
    pub(super) fn environment(&self, level: &Value) -> Result<Value> {
        // The facts that it needs are only about to be gathered.
        let gathers = matches!(self.task.action.resolved.as_str(), "setup" | "gather_facts");
        let rendered = match level {
            Value::Dict(written) if gathers => written
                .to_vec()
                .into_iter()
                .filter_map(|(name, value)| match self.templar.render(&value) {
                    Err(error) if error.full_message().contains("'ansible_env'") => None,
                    rendered => Some(rendered.map(|value| (name, value))),
                })
                .collect::<Result<Dict>>()
                .map(Value::Dict),
            _ => self.templar.render(level),
        };
        rendered.map_err(|error| self.no_environment(level, error))
    }

    fn no_environment(&self, level: &Value, error: Error) -> Error {
        if self.level.keyword_undefined("", "").is_some() {
            return self.not_rendered("environment", level, error);
        }
        // All levels of it together are an object that is written nowhere.
        let all = Value::list(self.task.settings.environment.clone());
        Error::new(Kind::Value, "Error processing keyword 'environment'")
            .note(format!("Origin: <unknown>\n\n{}", all.repr()))
            .caused_by(error)
    }

    /// Returns a keyword's value as a boolean; `None` where it is left out.
    ///
    /// # Errors
    /// As [`Keywords::check`].
    pub(super) fn bool(&self, name: &str, value: &Value) -> Result<Option<bool>> {
        let value = self.read(name, value, Type::Bool)?;
        Ok(Some(value.truth()).filter(|_| !value.is_none()))
    }

    /// Returns a keyword's value as a number; absent where there is none.
    ///
    /// # Errors
    /// As [`Keywords::check`].
    pub(super) fn number(
        &self,
        name: &str,
        value: Option<&Value>,
        wanted: Type,
    ) -> Result<Option<f64>> {
        match value {
            Some(value) => Ok(self.read(name, value, wanted)?.as_f64()),
            None => Ok(None),
        }
    }

    /// Returns a keyword's value as text; `None` where it is left out.
    ///
    /// # Errors
    /// A value that can't be rendered.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>> {
        let Some(value) = written(self.task, name) else {
            return Ok(None);
        };
        let value = self.read(name, value, Type::Text)?;
        Ok((!value.is_none()).then(|| value.to_str()))
    }

    fn read(&self, name: &str, value: &Value, wanted: Type) -> Result<Value> {
        let render = |value: &Value| {
            let rendered = self.templar.render(value);
            rendered.map_err(|error| self.not_rendered(name, value, error))
        };
        let (mut value, mut rendered) = (value, render(value)?);
        if self.templar.is_omit(&rendered)
            && let Some(outer) = inheritable(&self.task.scope, name)
        {
            // What stands around the task holds in place of `omit`.
            (value, rendered) = (outer, render(outer)?);
        }
        if rendered.is_none() || self.templar.is_omit(&rendered) {
            return Ok(Value::None);
        }
        let wanted = match wanted {
            Type::Float if self.level.delays_whole_seconds() => Type::Int,
            wanted => wanted,
        };
        let lenient = wanted == Type::Bool && self.level.takes_other_words_for_false();
        converted(&rendered, wanted)
            .or_else(|| lenient.then_some(Value::Bool(false)))
            .ok_or_else(|| self.not_converted(name, value, &rendered, wanted))
    }

    /// Says that a keyword's value could not be rendered.
    fn not_rendered(&self, name: &str, written: &Value, error: Error) -> Error {
        match self.level.keyword_undefined(name, &error.full_message()) {
            Some(said) if error.kind() == Kind::Undefined => self.placed(name, said, Some(error)),
            _ => {
                let own = Error::new(Kind::Value, format!("Error processing keyword '{name}'"));
                at(own, place(written)).caused_by(error)
            }
        }
    }

    /// Says that a keyword's value could not be converted.
    fn not_converted(&self, name: &str, written: &Value, value: &Value, wanted: Type) -> Error {
        let kind = match wanted {
            Type::Bool => "bool",
            Type::Int => "int",
            Type::Float => "float",
            Type::Text => "str",
        };
        let (said, why) =
            self.level
                .keyword_not_converted(name, kind, &written.to_str(), &value.to_str());
        let span = place(written);
        let Some(why) = why else {
            return self.placed(name, said, None);
        };
        let why = at(Error::new(Kind::Conversion, why), place(value).or(span));
        at(Error::new(Kind::Value, said), span).caused_by(why)
    }

    /// Says where the task is, where the level does so for the keyword.
    fn placed(&self, name: &str, said: String, cause: Option<Error>) -> Error {
        let said = if OF_CONNECTION.contains(&name) {
            said
        } else {
            format!("{said}{}", appears(self.sources, self.task.span))
        };
        let error = Error::new(Kind::Value, said);
        match cause.and_then(|cause| cause.help_text().map(str::to_owned)) {
            Some(help) => error.help(help),
            None => error,
        }
    }
}

fn at(error: Error, place: Option<Span>) -> Error {
    match place {
        Some(span) => error.at(span),
        None => error,
    }
}

/// Returns where a text is written.
fn place(value: &Value) -> Option<Span> {
    match value {
        Value::Str(text) => text.span(),
        _ => None,
    }
}

/// Converts a value as Python does; `None` where that can't be done.
fn converted(value: &Value, wanted: Type) -> Option<Value> {
    match wanted {
        Type::Bool => to_bool(value).map(Value::Bool),
        Type::Int => match value {
            Value::Str(text) => text.trim().parse::<i64>().ok().map(Value::from),
            other => other.as_f64().map(|number| Value::from(number as i64)),
        },
        Type::Float => match value {
            Value::Str(text) => text.trim().parse::<f64>().ok().map(Value::Float),
            other => other.as_f64().map(Value::Float),
        },
        Type::Text => Some(value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_converted_as_python_does() {
        for (value, wanted, expected) in [
            (Value::str(" yes "), Type::Bool, Some(Value::Bool(true))),
            (Value::str("perhaps"), Type::Bool, None),
            (Value::str(" 3 "), Type::Int, Some(Value::from(3))),
            (Value::Float(2.9), Type::Int, Some(Value::from(2))),
            (Value::str("2.9"), Type::Int, None),
            (Value::str("2.9"), Type::Float, Some(Value::Float(2.9))),
            (Value::str("soon"), Type::Float, None),
        ] {
            assert_eq!(converted(&value, wanted), expected, "{value} {wanted:?}");
        }
    }
}
