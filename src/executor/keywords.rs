//! Keywords of tasks whose values have a type: rendered, converted, and refused in the words of the
//! level.
//!
//! **Source:** as printed by ansible-core 2.19 and 2.18 and Ansible 2.9.

use crate::compat::Level;
use crate::diag::{Error, Kind, Result, Sources, Span};
use crate::output::appears;
use crate::playbook::Task;
use crate::template::{Templar, to_bool};
use crate::value::Value;

/// What the value of a keyword must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Bool,
    Int,
    Float,
    Text,
}

/// A keyword, what its value must be, and where a task has it.
type Row = (&'static str, Type, fn(&Task) -> Option<&Value>);

/// Keywords that are checked before a task is carried out, in this order. Those of how a host is
/// reached come first.
const CHECKED: &[Row] = &[
    ("check_mode", Type::Bool, |task| {
        task.settings.check_mode.as_ref()
    }),
    ("diff", Type::Bool, |task| task.settings.diff.as_ref()),
    ("become", Type::Bool, |task| task.settings.r#become.as_ref()),
    ("become_exe", Type::Text, |task| {
        task.settings.become_exe.as_ref()
    }),
    ("become_flags", Type::Text, |task| {
        task.settings.become_flags.as_ref()
    }),
    ("become_method", Type::Text, |task| {
        task.settings.become_method.as_ref()
    }),
    ("become_user", Type::Text, |task| {
        task.settings.become_user.as_ref()
    }),
    ("any_errors_fatal", Type::Bool, |task| {
        task.settings.any_errors_fatal.as_ref()
    }),
    ("delay", Type::Float, |task| task.delay.as_ref()),
    ("delegate_facts", Type::Bool, |task| {
        task.settings.delegate_facts.as_ref()
    }),
    ("ignore_errors", Type::Bool, |task| {
        task.settings.ignore_errors.as_ref()
    }),
    ("ignore_unreachable", Type::Bool, |task| {
        task.settings.ignore_unreachable.as_ref()
    }),
    ("retries", Type::Int, |task| task.retries.as_ref()),
    ("run_once", Type::Bool, |task| {
        task.settings.run_once.as_ref()
    }),
    ("timeout", Type::Int, |task| task.settings.timeout.as_ref()),
];

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
        for (name, wanted, of) in CHECKED {
            match of(self.task) {
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
        self.templar.render(level).map_err(|error| {
            if self.level.keyword_undefined("", "").is_some() {
                return self.not_rendered("environment", level, error);
            }
            // All levels of it together are an object that is written nowhere.
            let all = Value::list(self.task.settings.environment.clone());
            Error::new(Kind::Value, "Error processing keyword 'environment'")
                .note(format!("Origin: <unknown>\n\n{}", all.repr()))
                .caused_by(error)
        })
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

    fn read(&self, name: &str, value: &Value, wanted: Type) -> Result<Value> {
        let rendered = self
            .templar
            .render(value)
            .map_err(|error| self.not_rendered(name, value, error))?;
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
