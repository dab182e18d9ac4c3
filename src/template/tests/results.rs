//! Tests of tasks' results.

use super::{failed, tested};
use crate::diag::Result;
use crate::jinja::Row;
use crate::value::{Args, Runtime, Value};

pub(super) static TABLE: &[Row] = &[
    Row::new(
        "failed",
        |_, a| result(a, "failed"),
        "A task's result failed.",
        "{'failed': true} is failed => True",
    ),
    Row::new(
        "failure",
        |_, a| result(a, "failed"),
        "A task's result failed.",
        "{'failed': false} is failure => False",
    ),
    Row::new(
        "succeeded",
        succeeded,
        "A task's result did not fail.",
        "{} is succeeded => True",
    ),
    Row::new(
        "success",
        succeeded,
        "A task's result did not fail.",
        "{} is success => True",
    ),
    Row::new(
        "successful",
        succeeded,
        "A task's result did not fail.",
        "{} is successful => True",
    ),
    Row::new(
        "changed",
        changed,
        "A task changed something.",
        "{'changed': true} is changed => True",
    ),
    Row::new(
        "change",
        changed,
        "A task changed something.",
        "{'changed': true} is change => True",
    ),
    Row::new(
        "skipped",
        |_, a| result(a, "skipped"),
        "A task was skipped.",
        "{'skipped': true} is skipped => True",
    ),
    Row::new(
        "skip",
        |_, a| result(a, "skipped"),
        "A task was skipped.",
        "{} is skip => False",
    ),
    Row::new(
        "unreachable",
        |_, a| result(a, "unreachable"),
        "The host could not be reached.",
        "{'unreachable': true} is unreachable => True",
    ),
    Row::new(
        "reachable",
        |_, a| result(a, "unreachable").map(|v| Value::Bool(!v.truth())),
        "The host could be reached.",
        "{} is reachable => True",
    ),
    Row::new(
        "finished",
        |_, a| result(a, "finished"),
        "An asynchronous task has ended.",
        "{'finished': 1} is finished => True",
    ),
    Row::new(
        "started",
        |_, a| result(a, "started"),
        "An asynchronous task has begun.",
        "{'started': 1} is started => True",
    ),
    Row::new(
        "timedout",
        timed_out,
        "A task was stopped at its time limit.",
        "{'timedout': {'period': 5}} is timedout => True",
    ),
];

fn result(args: Args, key: &str) -> Result<Value> {
    let value = tested(args)?;
    match &value {
        Value::Dict(dict) => Ok(Value::Bool(dict.get(key).is_some_and(|v| v.truth()))),
        _ => Err(failed(format!("The '{key}' test expects a dictionary"))),
    }
}

fn succeeded(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    result(args, "failed").map(|value| Value::Bool(!value.truth()))
}

fn changed(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let value = tested(args)?;
    let Value::Dict(dict) = &value else {
        return Err(failed("The 'changed' test expects a dictionary"));
    };
    if let Some(changed) = dict.get("changed") {
        return Ok(Value::Bool(changed.truth()));
    }
    let any = match dict.get("results") {
        Some(Value::List(list)) => list
            .to_vec()
            .iter()
            .any(|item| item.get("changed").is_some_and(|v| v.truth())),
        _ => false,
    };
    Ok(Value::Bool(any))
}

fn timed_out(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let value = tested(args)?;
    let Value::Dict(dict) = &value else {
        return Err(failed("The 'timedout' test expects a dictionary"));
    };
    let period = dict.get("timedout").and_then(|timed| timed.get("period"));
    Ok(period.unwrap_or(Value::Bool(false)))
}
