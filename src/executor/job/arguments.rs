//! A task's arguments: defaults of the module, a whole dict from a variable, what is written.

use super::{Job, full_name};
use crate::diag::{Error, Kind, Notice, Result};
use crate::value::{Dict, Key, Value};

impl Job {
    /// Renders the task's arguments; those in `raw` are left as written.
    pub(super) fn arguments(&self, raw: &[&str]) -> Result<Dict> {
        let args = Dict::new();
        self.module_defaults(&args)
            .and_then(|()| self.whole_dict(&args))
            .and_then(|()| self.written(&args, raw))
            .map_err(|error| self.finalizing(error))?;
        Ok(args)
    }

    /// Adds what `module_defaults` says about the module, under any of its names.
    fn module_defaults(&self, args: &Dict) -> Result<()> {
        let action = &self.task.action;
        for defaults in &self.task.settings.module_defaults {
            let rendered = self.templar.render(defaults)?;
            for name in [&action.name, &action.resolved, &full_name(&action.resolved)] {
                if let Some(Value::Dict(found)) = rendered.get(name) {
                    extend(args, &found);
                }
            }
        }
        Ok(())
    }

    /// Adds the dict of `args: "{{ dict }}"`.
    fn whole_dict(&self, args: &Dict) -> Result<()> {
        let Some(variable) = self.task.action.args.get("_variable_params") else {
            return Ok(());
        };
        let span = match &variable {
            Value::Str(text) => text.span(),
            _ => None,
        };
        let unsafe_args = self.level.unsafe_args_warning();
        let warn = || self.templar.warn(Notice::warning(unsafe_args).at(span));
        let early = self.level.warns_of_any_template_for_arguments();
        if early {
            warn();
        }
        let rendered = self.templar.render(&variable)?;
        let Value::Dict(found) = &rendered else {
            let Some(refused) = self.level.no_arguments(&rendered) else {
                return Ok(());
            };
            let refused = Error::type_error(refused);
            return Err(span.into_iter().fold(refused, Error::at));
        };
        if !early {
            warn();
        }
        extend(args, found);
        Ok(())
    }

    /// Adds what is written at the task itself, without what is `omit`.
    fn written(&self, args: &Dict, raw: &[&str]) -> Result<()> {
        for (key, value) in self.task.action.args.to_vec() {
            let name = key.as_str().unwrap_or_default().to_owned();
            if name == "_variable_params" {
                continue;
            }
            let key = self.argument_name(key)?;
            if raw.contains(&name.as_str()) {
                args.set_key(key, value);
                continue;
            }
            let rendered = self
                .templar
                .render(&value)
                .map_err(|error| self.resolving(&name, &value, error))?;
            if !self.templar.is_omit(&rendered) {
                args.set_key(key, self.templar.strip_omit(&rendered));
            }
        }
        Ok(())
    }

    /// Renders an argument's name: it may be a template (`set_fact: {"{{ x }}_name": …}`).
    fn argument_name(&self, key: Key) -> Result<Key> {
        match key.value() {
            Value::Str(text) if text.contains("{{") => {
                let made = self
                    .templar
                    .render(&Value::Str(text.clone().with_trust(true)))?;
                Key::new(match made {
                    Value::Str(made) if made.origin().is_none() => {
                        Value::Str(text.like(made.as_str()).with_trust(made.is_trusted()))
                    }
                    other => other,
                })
            }
            _ => Ok(key),
        }
    }

    fn finalizing(&self, error: Error) -> Error {
        if !self.level.names_failed_steps() {
            return error;
        }
        let action = &self.task.action;
        Error::new(
            Kind::Value,
            format!(
                "Finalization of task args for '{}' failed",
                full_name(&action.resolved)
            ),
        )
        .at(action.span)
        .caused_by(error)
    }

    fn resolving(&self, name: &str, value: &Value, error: Error) -> Error {
        if !self.level.names_failed_steps() {
            return error;
        }
        let span = match value {
            Value::Str(text) => text.span(),
            _ => None,
        };
        let resolving = Error::new(
            Kind::Value,
            format!("Error while resolving value for '{name}'"),
        );
        // A container doesn't know where it is written; its place is that of the arguments.
        resolving
            .at(span.unwrap_or(self.task.action.span))
            .caused_by(error)
    }
}

fn extend(args: &Dict, found: &Dict) {
    for (key, value) in found.to_vec() {
        args.set_key(key, value);
    }
}
