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
        Value::None if level.strict_conditions() => Err(empty()),
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
        _ if level.strict_conditions() => {
            Err(Error::new(Kind::Type, "Conditional expressions must be strings.").note(NOTE))
        }
        other => Ok(other.truth()),
    }
}

fn expression(templar: &Templar, written: &Str) -> Result<bool> {
    let level = templar.0.shared.options.level;
    if written.trim().is_empty() {
        return if level.strict_conditions() {
            Err(placed(empty(), written))
        } else {
            Ok(true)
        };
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
    if is_template(&text) && (!level.strict_conditions() || is_all_template(&text)) {
        // What delimiters give is the condition.
        let made = templar
            .template(&text)
            .map_err(|error| failed(level, written, error))?;
        if level.warns_of_all_delimiters()
            || !matches!(made, Value::Str(_) | Value::None | Value::Undefined(_))
        {
            warn_of_delimiters(templar, &text);
        }
        match made {
            Value::Bool(b) => return Ok(b),
            Value::Str(inner) if level.strict_conditions() && inner.trim().is_empty() => {
                return Err(placed(empty(), &text));
            }
            Value::Str(inner) if level.strict_conditions() && !inner.is_trusted() => {
                return Err(untrusted(if inner.origin().is_some() {
                    &inner
                } else {
                    &text
                }));
            }
            Value::Str(inner) if inner.origin().is_some() => text = inner,
            Value::Str(inner) => text = text.like(inner.as_str()),
            Value::None if level.strict_conditions() => {
                return Err(empty());
            }
            other if level.strict_conditions() => {
                return Err(not_boolean(templar, &other, &text));
            }
            other => return Ok(other.truth()),
        }
    }
    let value = templar
        .expression_of(&text, &level.condition_template(&text), true)
        .map_err(|error| failed(level, written, error))?;
    match value {
        Value::Bool(b) => Ok(b),
        other if level.strict_conditions() => Err(not_boolean(templar, &other, &text)),
        other => {
            warn_of(templar, &other, &text);
            Ok(other.truth())
        }
    }
}

/// Says whether a text is one template from end to end, as far as its ends show.
fn is_all_template(text: &str) -> bool {
    let text = text.trim();
    let encloses = |start, end| text.starts_with(start) && text.ends_with(end);
    encloses("{{", "}}") || encloses("{%", "%}") || encloses("{#", "#}")
}

/// Says that delimiters don't belong into a condition.
fn warn_of_delimiters(templar: &Templar, text: &Str) {
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
}

/// Says that there is no condition.
fn empty() -> Error {
    Error::new(Kind::Type, "Empty conditional expressions are not allowed.").note(NOTE)
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
        if error.kind() == Kind::TemplateSyntax && is_template(text) && !is_all_template(text) {
            let start = "Syntax error in expression";
            let message = error.message().replacen(
                start,
                &format!("{start}. Template delimiters are not supported in expressions"),
                1,
            );
            return error.message_as(message);
        }
        if matches!(error.kind(), Kind::TemplateSyntax | Kind::Untrusted) {
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

/// Says that a text that is no template of the user's stands where one is evaluated.
pub(super) fn untrusted(text: &Str) -> Error {
    let error = Error::new(
        Kind::Untrusted,
        "Encountered untrusted template or expression.",
    )
    .note(
        "Templates and expressions must be defined by trusted sources such as playbooks or roles, not untrusted sources such as module results.",
    );
    placed(error, text)
}

/// Returns where a condition's value comes from, as far as it is known.
fn origin(templar: &Templar, value: &Value, text: &Str) -> Option<String> {
    let own = match value {
        Value::None => return Some("<unknown>".to_owned()),
        Value::Str(made) => made.span(),
        _ => None,
    };
    let name = text.trim();
    let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let span = match templar.0.vars.get(name) {
        _ if own.is_some() => own,
        Some(Value::Str(raw)) => raw.span().or(text.span()),
        // It is where the variable is written, which only texts remember.
        _ if is_name => None,
        _ => text.span(),
    };
    span.map(|span| templar.0.shared.options.sources.locate(span).to_string())
}

fn not_boolean(templar: &Templar, value: &Value, text: &Str) -> Error {
    let from = origin(templar, value, text).map(|place| format!(" at '{place}'"));
    let truth = if value.truth() { "True" } else { "False" };
    let kind = match value {
        Value::Tuple(_) => "list",
        other => other.type_name(),
    };
    let error = Error::new(
        Kind::Type,
        format!(
            "Conditional result ({truth}) was derived from value of type '{}'{}. Conditionals must have a boolean result.",
            kind,
            from.unwrap_or_default()
        ),
    )
    .note(NOTE)
    .help("compare it (`x | length > 0`), convert it (`x | bool`), or set `compat` to the level the content is written for");
    placed(error, text)
}
