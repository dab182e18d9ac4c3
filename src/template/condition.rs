//! Conditions: `when`, `failed_when`, `until`, `assert`.

use super::templar::{Templar, is_template};
use crate::compat::Level;
use crate::diag::{Error, Kind, Notice, Result};
use crate::value::{Str, Value};

/// What Ansible 2.19 says below a condition that is no boolean.
const NOTE: &str = "Broken conditionals can be temporarily allowed with the `ALLOW_BROKEN_CONDITIONALS` configuration option.";

/// Evaluates a condition by the rules of the level.
pub(super) fn evaluate(templar: &Templar, condition: &Value) -> Result<bool> {
    let level = templar.0.shared.options.level;
    match condition {
        Value::Bool(b) => Ok(*b),
        Value::None => Ok(true),
        Value::List(list) => {
            for item in list.to_vec() {
                if !evaluate(templar, &item)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Value::Str(text) => expression(templar, text),
        Value::Undefined(undefined) => Err(undefined.error()),
        other if level.strict_conditions() => Err(not_boolean(templar, other, None)),
        other => Ok(other.truth()),
    }
}

fn expression(templar: &Templar, written: &Str) -> Result<bool> {
    let level = templar.0.shared.options.level;
    if written.trim().is_empty() {
        return Ok(true);
    }
    let mut text = written.clone();
    if level.bare_conditions()
        && let Some(Value::Str(inner)) = templar.0.vars.get(text.trim())
    {
        // A bare name that holds text: the text is the condition.
        let message = format!(
            "evaluating '{written}' as a bare variable, this behaviour will go away and you might need to add |bool to the expression in the future. Also see CONDITIONAL_BARE_VARS configuration toggle"
        );
        let sources = &templar.0.shared.options.sources;
        sources.note(Notice::deprecation(message, "2.12"));
        if inner.trim().is_empty() {
            return Ok(false);
        }
        text = inner;
    }
    if is_template(&text) {
        // Delimiters don't belong here; what they give is the condition.
        templar.0.shared.options.sources.note(
            Notice::deprecation(
                "Conditionals should not be surrounded by templating delimiters such as {{ }} or {% %}.",
                "2.23",
            )
            .at(text.span())
            .older(Notice::warning(format!(
                "conditional statements should not include jinja2 templating delimiters such as {{{{ }}}} or {{% %}}. Found: {text}"
            ))),
        );
        let made = templar
            .template(&text)
            .map_err(|error| failed(level, written, error))?;
        match made {
            Value::Bool(b) => return Ok(b),
            Value::Str(inner) => text = text.like(inner.as_str()),
            other if level.strict_conditions() => {
                return Err(not_boolean(templar, &other, Some(&text)));
            }
            other => return Ok(other.truth()),
        }
    }
    let value = templar
        .expression_of(&text, &level.condition_template(&text))
        .map_err(|error| failed(level, written, error))?;
    match value {
        Value::Bool(b) => Ok(b),
        other if level.strict_conditions() => Err(not_boolean(templar, &other, Some(&text))),
        other => {
            warn_of(templar, &other, &text);
            Ok(other.truth())
        }
    }
}

/// Says that a condition is no boolean, where the level says so.
fn warn_of(templar: &Templar, value: &Value, text: &Str) {
    let sources = &templar.0.shared.options.sources;
    let Some(span) = text
        .span()
        .filter(|_| templar.level().warns_of_conditions())
    else {
        return;
    };
    let at = sources.locate(span);
    let kind = match value {
        Value::Str(text) if text.span().is_some() => "AnsibleUnicode",
        other => other.type_name(),
    };
    let truth = if value.truth() { "True" } else { "False" };
    let message = format!(
        "Conditional result at location {} {}:{} was of type '{kind}'. Conditional results should only be True or False. The result was interpreted as {truth}",
        at.file, at.line, at.column
    );
    sources.note(Notice::deprecation(message, "2.19"));
}

/// Says which condition an error is about.
fn failed(level: Level, text: &Str, error: Error) -> Error {
    if level.names_failed_steps() {
        if error.kind() == Kind::TemplateSyntax {
            return error;
        }
        let is_vault = |error: &Error| error.kind() == Kind::Vault;
        if error.cause().is_some_and(is_vault) {
            return placed(error, text);
        }
        let named = Error::new(error.kind(), "Error while evaluating conditional");
        return placed(named, text).caused_by(error);
    }
    let said = error.full_message();
    let said = if error.kind() == Kind::Undefined {
        format!("error while evaluating conditional ({text}): {said}")
    } else {
        said
    };
    let message = format!("The conditional check '{text}' failed. The error was: {said}");
    let mut named = placed(Error::new(error.kind(), message), text);
    for label in error.labels() {
        named = named.via(label.span, "used here");
    }
    match error.help_text() {
        Some(help) => named.help(help),
        None => named,
    }
}

fn placed(error: Error, text: &Str) -> Error {
    match text.span() {
        Some(span) => error.at(span),
        None => error,
    }
}

fn not_boolean(templar: &Templar, value: &Value, text: Option<&Str>) -> Error {
    let from = match value {
        Value::Str(made) => made.span().map(|span| {
            let sources = &templar.0.shared.options.sources;
            format!(" at '{}'", sources.locate(span))
        }),
        _ => None,
    };
    let truth = if value.truth() { "True" } else { "False" };
    let error = Error::new(
        Kind::Type,
        format!(
            "Conditional result ({truth}) was derived from value of type '{}'{}. Conditionals must have a boolean result.",
            value.type_name(),
            from.unwrap_or_default()
        ),
    )
    .note(NOTE)
    .help("compare it (`x | length > 0`), convert it (`x | bool`), or set `compat` to the level the content is written for");
    match text {
        Some(text) => placed(error, text),
        None => error,
    }
}
