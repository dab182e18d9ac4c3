//! `assert`: fails unless all conditions hold.

use super::{Context, Prepared, boolean, only};
use crate::diag::{Error, Kind, Result};
use crate::value::{Dict, Value};

pub(super) fn run(context: &Context, args: Dict) -> Result<Prepared> {
    only(
        "assert",
        &args,
        &["fail_msg", "msg", "quiet", "success_msg", "that"],
    )?;
    let Some(that) = args.get("that") else {
        return Err(Error::new(
            Kind::Argument,
            "missing required arguments: that",
        ));
    };
    let message = |names: &[&str], default: &str| {
        names
            .iter()
            .find_map(|name| args.get(name).filter(|value| !value.is_none()))
            .unwrap_or_else(|| Value::str(default))
    };
    let fail_message = message(&["fail_msg", "msg"], "Assertion failed");
    let success_message = message(&["success_msg"], "All assertions passed");
    let quiet = boolean(&args, "quiet", false)?;
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
