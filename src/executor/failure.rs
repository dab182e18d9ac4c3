//! What a task says that an error kept from going on: its message, in the words of the level.
//!
//! **Source:** as printed by ansible-core 2.19 and 2.18 and Ansible 2.9.

use super::judge::Outcome;
use crate::compat::Level;
use crate::diag::{Error, Kind, Sources};
use crate::output::appears;
use crate::playbook::Task;
use crate::template::error_class;
use crate::value::Value;

/// What a task was doing when an error ended it.
pub(super) enum Step {
    /// Evaluating `when`.
    Condition,
    /// Working out its loop or a keyword.
    Keyword,
    /// Rendering its arguments.
    Arguments,
    /// The controller's half of the module.
    Action,
}

/// What the words of a failure depend on.
pub(super) struct Words<'a> {
    pub level: Level,
    pub sources: &'a Sources,
    pub task: &'a Task,
}

impl Words<'_> {
    /// Makes the outcome of a task that an error ended.
    pub(super) fn outcome(&self, step: &Step, error: Error) -> Outcome {
        if self.level.names_failed_steps() {
            return self.named(step, error);
        }
        let message = match step {
            Step::Condition => self.of_condition(&error),
            Step::Keyword => error.full_message(),
            Step::Arguments => return self.of_arguments(error),
            Step::Action => return self.of_action(error),
        };
        Outcome::failed_saying(message, error)
    }

    /// Since 2.19 the message says what was being done, and the error has it as its causes.
    fn named(&self, step: &Step, error: Error) -> Outcome {
        let is_loop = matches!(step, Step::Keyword) && error.kind() == Kind::Argument;
        if is_loop || error.message() == "Task failed" {
            return Outcome::failed(error);
        }
        let own = error.full_message();
        let refused = matches!(step, Step::Action) && is_refusal(&error);
        let whole = matches!(step, Step::Action) && matches!(error.kind(), Kind::Value | Kind::Io);
        let error = if whole || error.kind() == Kind::Argument {
            error.at(self.task.span)
        } else {
            error
        };
        let named = Error::new(Kind::Module, "Task failed")
            .at(self.task.span)
            .caused_by(error);
        if refused {
            Outcome::failed_saying(own, named)
        } else {
            Outcome::failed(named)
        }
    }

    fn of_condition(&self, error: &Error) -> String {
        let place = match error.span() {
            Some(span) if self.level.places_conditions() => span,
            _ => self.task.span,
        };
        format!("{}{}", error.full_message(), appears(self.sources, place))
    }

    fn of_arguments(&self, error: Error) -> Outcome {
        let said = error.full_message();
        let message = match error.kind() {
            Kind::Undefined => self.level.undefined_in_arguments(&said),
            Kind::Value => {
                let args = Value::Dict(self.task.action.args.clone());
                self.level.wrong_arguments(&args.repr(), &said)
            }
            Kind::Arithmetic => return unexpected(error),
            _ => return Outcome::failed_saying(said, error),
        };
        let message = format!("{message}{}", appears(self.sources, self.task.span));
        Outcome::failed_saying(message, error)
    }

    fn of_action(&self, error: Error) -> Outcome {
        let mut message = error.full_message();
        let exception = match error.kind() {
            // An action that refuses to go on raises nothing that has a trace.
            Kind::Argument => "NoneType: None".to_owned(),
            Kind::NotFound => format!("{}: {message}", error_class(error.kind())),
            Kind::Vault => return Outcome::failed_saying(message, error),
            _ if self.task.action.resolved == "template" => {
                let class = error_class(error.kind());
                let exception = format!("{class}: {message}");
                message = format!("{}: {message}", class.rsplit('.').next().unwrap_or(class));
                exception
            }
            _ => {
                let place = error.span().filter(|_| self.level.places_conditions());
                if let Some(place) = place {
                    message.push_str(&appears(self.sources, place));
                }
                return Outcome::failed_saying(message, error);
            }
        };
        let outcome = Outcome::failed_saying(message, error);
        outcome.result.set("exception", exception);
        if self.task.action.resolved != "debug" {
            outcome.result.set("changed", false);
        }
        outcome
    }
}

/// Says whether an action gave up by its own decision, rather than for an error below it.
fn is_refusal(error: &Error) -> bool {
    matches!(error.kind(), Kind::Argument | Kind::NotFound)
}

/// Makes the outcome of an error that Ansible before 2.19 doesn't expect there.
fn unexpected(error: Error) -> Outcome {
    let exception = format!("{}: {}", error_class(error.kind()), error.full_message());
    let message = "Unexpected failure during module execution.".to_owned();
    let outcome = Outcome::failed_saying(message, error);
    outcome.result.set("exception", exception);
    outcome.result.set("stdout", "");
    outcome
}
