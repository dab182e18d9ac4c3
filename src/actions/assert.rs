//! `assert`: fails unless all conditions hold.

use super::{Context, Prepared, bind, unknown};
use crate::diag::{Error, Kind as ErrorKind, Result};
use crate::modules::{Default, Kind, Param, Spec};
use crate::value::{Dict, Value, to_bool};

const SPEC: Spec = Spec {
    params: &[
        Param::new("fail_msg", Kind::StrOrList).aliases(&["msg"]),
        Param::new("success_msg", Kind::StrOrList),
        Param::new("quiet", Kind::Bool).default(Default::Bool(false)),
        Param::new("that", Kind::Raw).required(),
    ],
    file: false,
    mutually_exclusive: &[],
    required_if: &[],
};

/// Checks the arguments as Ansible before 2.19 does: what is no boolean is false.
fn checked(args: &Dict) -> Result<()> {
    let strange = unknown(args, &["fail_msg", "msg", "quiet", "success_msg", "that"]);
    if !strange.is_empty() {
        return Err(Error::new(
            ErrorKind::Argument,
            format!("Invalid options for assert: {}", strange.join(",")),
        ));
    }
    if !args.contains("that") {
        return Err(Error::value_error(
            "conditional required in \"that\" string",
        ));
    }
    for (names, shown) in [
        (&["fail_msg", "msg"][..], "fail_msg or msg"),
        (&["success_msg"][..], "success_msg"),
    ] {
        let given = names.iter().find_map(|name| args.get(name));
        if let Some(value) = given.filter(|v| !v.is_none())
            && !matches!(value, Value::Str(_) | Value::List(_))
        {
            return Err(Error::value_error(format!(
                "Incorrect type for {shown}, expected a string or list and got <class '{}'>",
                value.type_name()
            )));
        }
    }
    Ok(())
}

/// Returns the conditions, which a template may give all at once.
fn conditions(context: &Context, that: Value) -> Result<Value> {
    let is_template = matches!(&that, Value::Str(text) if text.is_trusted() && text.contains("{{"));
    if !is_template || !context.level.native_results() {
        return Ok(that);
    }
    match context.templar.render(&that) {
        Ok(made @ Value::List(_)) => Ok(made),
        // Whatever else it gives is judged as one condition.
        _ => Ok(that),
    }
}

pub(super) fn run(context: &Context, args: Dict) -> Result<Prepared> {
    if context.level.assert_checks_as_modules() {
        bind(context, "assert", &SPEC, &args)?;
    } else {
        checked(&args)?;
    }
    let that = conditions(context, args.get("that").unwrap_or(Value::None))?;
    let message = |names: &[&str], default: &str| {
        names
            .iter()
            .find_map(|name| args.get(name).filter(|value| !value.is_none()))
            .unwrap_or_else(|| Value::str(default))
    };
    let fail_message = message(&["fail_msg", "msg"], "Assertion failed");
    let success_message = message(&["success_msg"], "All assertions passed");
    let quiet = args
        .get("quiet")
        .is_some_and(|value| to_bool(&value).unwrap_or(false));
    let conditions = match &that {
        Value::List(list) => list.to_vec(),
        one => vec![one.clone()],
    };
    let result = Dict::new();
    if !quiet {
        result.set("_ansible_verbose_always", true);
    }
    for condition in conditions {
        if !context.templar.condition(&condition)? {
            result.set("failed", true);
            result.set("evaluated_to", false);
            result.set("assertion", condition);
            result.set("msg", fail_message);
            result.set("changed", false);
            return Ok(Prepared::Done(result));
        }
    }
    result.set("changed", false);
    result.set("msg", success_message);
    Ok(Prepared::Done(result))
}
