//! How errors of templates are worded: by what they are since 2.19, by the text of every template
//! that they come through before.
//!
//! **Source:** as printed by ansible-core 2.19 and 2.18 and Ansible 2.9.

use crate::compat::Level;
use crate::diag::{Error, Kind, Notice, Span};
use crate::jinja::Plugin;
use crate::value::Value;

/// How many variables deep Python's stack lets Ansible before 2.19 follow a cycle.
const OLD_DEPTH: usize = 136;

/// What is rendered.
#[derive(Clone, Copy)]
pub(super) enum What {
    Template,
    Expression,
}

impl What {
    fn name(self) -> &'static str {
        match self {
            What::Template => "template",
            What::Expression => "expression",
        }
    }
}

/// Says which filter or test failed, as 2.19 does.
pub(super) fn of_plugin(plugin: Plugin, name: &str, error: Error) -> Error {
    let told = [
        "The filter plugin '",
        "The test plugin '",
        "The lookup plugin '",
        "Error rendering ",
        "Syntax error in ",
    ]
    .iter()
    .any(|start| error.message().starts_with(start));
    if told || matches!(error.kind(), Kind::Undefined | Kind::Recursion) {
        return error;
    }
    let kind = match plugin {
        Plugin::Filter => "filter",
        Plugin::Test => "test",
    };
    let full = if name.contains('.') {
        name.to_owned()
    } else {
        format!("ansible.builtin.{name}")
    };
    let message = format!(
        "The {kind} plugin '{full}' failed: {}",
        error.message().trim()
    );
    error.kind_as(Kind::Filter).message_as(message)
}

/// Words what a filter or test raised, as Ansible did before 2.19.
pub(super) fn of_older_plugin(_: Plugin, _: &str, error: Error) -> Error {
    let said = error.message();
    let quoted = |start: &str, end: &str| {
        let name = said.strip_prefix(start)?.strip_suffix(end)?;
        Some(name.trim_matches('\'').to_owned())
    };
    let words = if let Some(name) = quoted("Mandatory variable ", " not defined.") {
        format!("Mandatory variable '{name}'  not defined.")
    } else if let Some(key) = quoted("Key ", " is not unique, cannot convert to dict.") {
        format!("Key {key} is not unique, cannot correctly turn into dict")
    } else if let Some(key) = quoted("Key ", " was not found.") {
        format!("Key {key} was not found")
    } else {
        return error;
    };
    error.message_as(words)
}

/// Words what rendering raised; before 2.19 with the text of the template.
pub(super) fn of(level: Level, what: What, text: &str, error: Error) -> Error {
    match error.kind() {
        Kind::TemplateSyntax => of_syntax(level, what, text, error),
        Kind::Vault if level.names_failed_steps() => {
            let message = format!("Error rendering {}", what.name());
            Error::new(Kind::Filter, message).caused_by(error)
        }
        Kind::Type | Kind::Value | Kind::Runtime | Kind::Arithmetic | Kind::NotFound
            if level.names_failed_steps()
                && !error.message().starts_with("The lookup plugin '") =>
        {
            let message = format!("Error rendering {}: {}", what.name(), error.message());
            error.message_as(message).kind_as(Kind::Filter)
        }
        Kind::Type if !level.names_failed_steps() => {
            let message = repeated(
                level,
                format!("Unexpected templating type error occurred on ({text})"),
                error.message(),
            );
            error.message_as(message).kind_as(Kind::Filter)
        }
        Kind::Undefined if !level.names_failed_steps() => {
            let message = old_missing(error.message());
            error.message_as(message)
        }
        _ => error,
    }
}

/// Places an error about a vault that can't be opened at what needs it.
pub(super) fn of_vault(error: Error, place: Option<Span>) -> Error {
    let is_vault = |cause: &Error| cause.kind() == Kind::Vault;
    match place {
        Some(place) if error.cause().is_some_and(is_vault) => error.at(place),
        _ => error,
    }
}

fn of_syntax(level: Level, what: What, text: &str, error: Error) -> Error {
    if error.kind() != Kind::TemplateSyntax || error.cause().is_some() {
        return error;
    }
    let said = error.message();
    if level.names_failed_steps() {
        if said.starts_with("Syntax error in ") {
            return error;
        }
        let message = format!("Syntax error in {}: {said}", what.name());
        return error.message_as(message);
    }
    let said = &level.missing_plugin(said);
    let message = format!("template error while templating string: {said}. String: {text}");
    let message = if level.repeats_wrapped_errors() {
        format!("{message}. {said}")
    } else {
        message
    };
    error.message_as(message).kind_as(Kind::Filter)
}

/// Words what rendering a variable raised, for the template that uses it.
pub(super) fn of_variable(level: Level, raw: &Value, error: Error) -> Error {
    if level.names_failed_steps() || error.kind() == Kind::Vault {
        return error;
    }
    if error.kind() == Kind::Undefined {
        let message = format!("{}: {}", raw.to_str(), old_missing(error.message()));
        return error.message_as(message);
    }
    let message = wrapped(&raw.to_str(), class(error.kind()), error.message());
    error.message_as(message).kind_as(Kind::Filter)
}

/// Words a cycle of variables; `open` are those being rendered, as written, outermost first.
pub(super) fn of_cycle(level: Level, open: &[Value], cycle: &[Value]) -> Error {
    let message = "Recursive loop detected in template";
    if level.names_failed_steps() {
        return Error::new(Kind::Recursion, message).caused_by(Error::new(
            Kind::Recursion,
            "maximum recursion depth exceeded",
        ));
    }
    // Ansible follows the cycle until Python's stack ends, and every round adds to the message.
    let rounds = OLD_DEPTH.saturating_sub(open.len());
    let text = |round: usize| cycle[round % cycle.len()].to_str();
    let last = rounds.saturating_sub(1);
    let mut said = format!("recursive loop detected in template string: {}", text(last));
    if level.repeats_wrapped_errors() {
        said.push_str(". maximum recursion depth exceeded while calling a Python object");
    }
    for round in (0..rounds).rev() {
        said = wrapped(&text(round), class(Kind::Filter), &said);
    }
    Error::new(Kind::Filter, said)
}

fn wrapped(text: &str, class: &str, said: &str) -> String {
    format!(
        "An unhandled exception occurred while templating '{text}'. Error was a <class '{class}'>, original message: {said}"
    )
}

/// Says which errors are marked in a text that stands at some place.
pub(crate) fn marked(errors: &[Error], place: Option<Span>) -> Notice {
    let plural = if errors.len() == 1 { "" } else { "s" };
    let mut message = format!("Encountered {} template error{plural}.", errors.len());
    for (index, error) in errors.iter().enumerate() {
        message.push_str(&format!("\nerror {} - {}", index + 1, error.full_message()));
    }
    Notice::warning(message).at(place)
}

/// Returns the class that Python has for an error.
pub(crate) fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Arithmetic => "ZeroDivisionError",
        Kind::Value => "ValueError",
        Kind::Type => "TypeError",
        Kind::Runtime => "jinja2.exceptions.TemplateRuntimeError",
        Kind::Undefined => "ansible.errors.AnsibleUndefinedVariable",
        _ => "ansible.errors.AnsibleError",
    }
}

fn repeated(level: Level, message: String, said: &str) -> String {
    if level.repeats_wrapped_errors() {
        format!("{message}: {said}. {said}")
    } else {
        format!("{message}: {said}")
    }
}

/// Words a missing attribute or element as Jinja2 itself does.
fn old_missing(message: &str) -> String {
    if message.starts_with("hostvars[") {
        return format!("\"{message}\" is undefined");
    }
    let Some((kind, name)) = message
        .strip_prefix("object of type '")
        .and_then(|rest| rest.split_once("' has no attribute "))
    else {
        return message.to_owned();
    };
    match (kind, name.starts_with('\'')) {
        ("NoneType", _) => format!("'None' has no attribute {name}"),
        ("LoopContext" | "TemplateReference", true) => {
            format!("'jinja2.runtime.{kind} object' has no attribute {name}")
        }
        ("Namespace" | "Cycler" | "Joiner", true) => {
            format!("'jinja2.utils.{kind} object' has no attribute {name}")
        }
        ("TemplateModule", true) => {
            format!("'jinja2.environment.{kind} object' has no attribute {name}")
        }
        (_, true) => format!("'{kind} object' has no attribute {name}"),
        (_, false) => format!("{kind} object has no element {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undefined(message: &str) -> Error {
        Error::new(Kind::Undefined, message)
    }

    #[test]
    fn variables_on_the_way_are_named_before_2_19() {
        let error = of_variable(
            Level::V2_18,
            &Value::str("{{ a.b }}"),
            undefined("object of type 'dict' has no attribute 'b'"),
        );
        assert_eq!(
            error.message(),
            "{{ a.b }}: 'dict object' has no attribute 'b'"
        );
        let error = of_variable(Level::V2_19, &Value::str("{{ a }}"), undefined("x"));
        assert_eq!(error.message(), "x");
    }

    #[test]
    fn a_syntax_error_is_worded_once_and_shows_its_text_before_2_19() {
        let error = || Error::new(Kind::TemplateSyntax, "No filter named 'f'.");
        for (level, message) in [
            (
                Level::V2_19,
                "Syntax error in template: No filter named 'f'.",
            ),
            (
                Level::V2_18,
                "template error while templating string: Could not load \"f\": 'f'. String: {{ 1|f }}. Could not load \"f\": 'f'",
            ),
            (
                Level::V2_9,
                "template error while templating string: No filter named 'f'.. String: {{ 1|f }}",
            ),
        ] {
            let once = of(level, What::Template, "{{ 1|f }}", error());
            assert_eq!(of(level, What::Template, "x", once).message(), message);
        }
    }

    #[test]
    fn a_cycle_is_followed_as_far_as_python_does() {
        let texts = [Value::str("{{ b }}"), Value::str("{{ a }}")];
        let error = of_cycle(Level::V2_9, &texts, &texts);
        let said = error.message();
        assert_eq!(said.matches("An unhandled").count(), OLD_DEPTH - 2);
        assert!(said.ends_with("in template string: {{ a }}"), "{said}");
    }
}
