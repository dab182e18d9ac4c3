//! `debug`: prints a message or a variable.

use super::{Context, Prepared, only, text};
use crate::diag::{Error, Kind, Result};
use crate::value::{Dict, Value};

pub(super) fn run(context: &Context, args: Dict) -> Result<Prepared> {
    only("debug", &args, &["msg", "var", "verbosity"])?;
    if args.contains("msg") && args.contains("var") {
        return Err(Error::new(Kind::Argument, context.level.msg_and_var()));
    }
    let result = Dict::new();
    let least: i64 = match text(&args, "verbosity") {
        Some(text) => text.trim().parse().map_err(|_| {
            Error::new(
                Kind::Argument,
                format!(
                    "argument 'verbosity' is of type str and we were unable to convert to int: invalid literal for int() with base 10: '{text}'"
                ),
            )
        })?,
        None => 0,
    };
    if least > i64::from(context.templar.verbosity()) {
        result.set("skipped_reason", "Verbosity threshold not met.");
        result.set("skipped", true);
        return Ok(Prepared::Done(result));
    }
    match args.get("var") {
        None => {
            let message = args
                .get("msg")
                .unwrap_or_else(|| Value::str("Hello world!"));
            result.set("msg", message);
        }
        Some(Value::Str(name)) => {
            let value = context.templar.debug_var(&name)?;
            result.set(name.as_str(), value);
        }
        // A list or dict is shown under its type's name.
        Some(other) => {
            let value = context.templar.render(&other)?;
            let name = format!("<class '{}'>", other.type_name());
            result.set(name, value);
        }
    }
    result.set("_ansible_verbose_always", true);
    result.set("changed", false);
    Ok(Prepared::Done(result))
}
