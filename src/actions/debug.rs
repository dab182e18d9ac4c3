//! `debug`: prints a message or a variable.

use super::{Context, Prepared, bind, refuse, unknown};
use crate::diag::{Error, Kind as ErrorKind, Result};
use crate::modules::{Default, Kind, Param, Spec};
use crate::value::{Dict, Value};

const SPEC: Spec = Spec {
    params: &[
        Param::new("msg", Kind::Raw),
        Param::new("var", Kind::Raw),
        Param::new("verbosity", Kind::Int).default(Default::Int(0)),
    ],
    file: false,
    mutually_exclusive: &[&["msg", "var"]],
    required_if: &[],
};

pub(super) fn run(context: &Context, args: Dict) -> Result<Prepared> {
    if !context.level.debug_checks_as_modules() {
        if let Some(strange) = unknown(&args, &["msg", "var", "verbosity"]).first() {
            return refuse(format!("Invalid options for debug: {strange}"));
        }
        if args.contains("msg") && args.contains("var") {
            return refuse("'msg' and 'var' are incompatible options");
        }
    }
    let checked = bind(context, "debug", &SPEC, &args)?;
    let least = checked
        .get("verbosity")
        .and_then(|v| v.as_i64())
        .unwrap_or(0);
    let result = Dict::new();
    if least > i64::from(context.templar.verbosity()) {
        result.set("skipped_reason", "Verbosity threshold not met.");
        result.set("skipped", true);
        return Ok(Prepared::Done(result));
    }
    match args.get("var") {
        Some(Value::None) if context.level.renders_debug_var() => {
            result.set("msg", "Hello world!");
        }
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
        Some(other) if context.level.renders_debug_var() => {
            return Err(Error::new(
                ErrorKind::Argument,
                format!(
                    "argument 'var' is of type {} and we were unable to convert to _check_type_str_no_conversion: '{other}' is not a string and conversion is not allowed",
                    other.type_name()
                ),
            ));
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
