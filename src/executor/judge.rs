//! What a result means: failed, changed, worth another try; and what a loop's results add up to.

use crate::compat::Level;
use crate::diag::{Error, Result};
use crate::playbook::Task;
use crate::template::Templar;
use crate::value::{Dict, Value};
use crate::vars::View;

/// A task's or item's result, and the error behind a failure where there is one with a place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// The result as `register` gives it.
    pub result: Dict,
    /// What failed, with places.
    pub error: Option<Error>,
    /// The host that it was delegated to, and that host's address where it differs.
    pub delegated: Option<(String, Option<String>)>,
}

impl Outcome {
    /// Makes an outcome of a result that a module or action returned.
    pub(super) fn of(result: Dict) -> Outcome {
        Outcome {
            result,
            ..Outcome::default()
        }
    }

    /// Makes a failed outcome of an error.
    pub(super) fn failed(error: Error) -> Outcome {
        Outcome::failed_saying(error.full_message(), error)
    }

    /// Makes a failed outcome of an error, with a message of its own.
    pub(super) fn failed_saying(message: String, error: Error) -> Outcome {
        let result = Dict::new();
        result.set("failed", true);
        result.set("msg", message);
        Outcome {
            error: Some(error),
            ..Outcome::of(result)
        }
    }

    /// Says whether a flag of the result is true.
    pub(super) fn is(&self, flag: &str) -> bool {
        self.result.get(flag).is_some_and(|value| value.truth())
    }
}

/// Fills in what a result leaves open: a return code other than zero fails, nothing changed.
pub(super) fn complete(outcome: &mut Outcome) {
    let result = &outcome.result;
    if !result.contains("failed")
        && let Some(code) = result.get("rc")
        && code.as_i64() != Some(0)
        && code.as_str() != Some("0")
    {
        result.set("failed", true);
    }
    if !result.contains("changed") {
        result.set("changed", false);
    }
}

/// Applies `changed_when` and `failed_when`.
///
/// The result is visible under its registered name while the conditions are evaluated.
///
/// # Errors
/// A condition that can't be evaluated; the result is a failed one then.
pub(super) fn judge(
    task: &Task,
    view: &View,
    templar: &Templar,
    outcome: &mut Outcome,
) -> Result<()> {
    if outcome.is("skipped") {
        return Ok(());
    }
    show(task, view, templar, &outcome.result);
    if !task.changed_when.is_empty() {
        match all(templar, &task.changed_when) {
            Ok(changed) => outcome.result.set("changed", changed),
            Err(error) => return misjudged(outcome, "changed_when_result", error),
        }
    }
    if !task.failed_when.is_empty() {
        match all(templar, &task.failed_when) {
            Ok(failed) => take_failed(outcome, failed),
            Err(error) => return misjudged(outcome, "failed_when_result", error),
        }
    }
    Ok(())
}

fn misjudged(outcome: &mut Outcome, key: &str, error: Error) -> Result<()> {
    outcome.result.set("failed", true);
    outcome.result.set(key, error.full_message());
    Err(error)
}

/// Takes what `failed_when` says.
fn take_failed(outcome: &mut Outcome, failed: bool) {
    outcome.result.set("failed_when_result", failed);
    outcome.result.set("failed", failed);
    if failed {
        return;
    }
    // What the module said about its failure stays, but it isn't one any more.
    if let Some(suppressed) = outcome.result.remove("exception") {
        let key = "failed_when_suppressed_exception";
        outcome.result.set(key, suppressed);
    }
    outcome.error = None;
}

/// Says whether `until` is satisfied; without one, success satisfies.
pub(super) fn is_enough(
    task: &Task,
    view: &View,
    templar: &Templar,
    outcome: &Outcome,
) -> Result<bool> {
    if task.until.is_empty() {
        return Ok(!outcome.is("failed"));
    }
    show(task, view, templar, &outcome.result);
    all(templar, &task.until)
}

/// Makes a result visible under its registered name.
pub(super) fn show(task: &Task, view: &View, templar: &Templar, result: &Dict) {
    if let Some(name) = &task.register {
        view.set_local(name, Value::Dict(result.clone()));
        templar.forget();
    }
}

/// Evaluates conditions in order; the first that doesn't hold decides.
pub(super) fn all(templar: &Templar, conditions: &[Value]) -> Result<bool> {
    for condition in conditions {
        if !templar.condition(condition)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes the result of a step that a condition keeps from running.
pub(super) fn skipped(level: Level, condition: &Value) -> Outcome {
    let result = Dict::new();
    result.set("changed", false);
    result.set("skipped", true);
    result.set("skip_reason", "Conditional result was False");
    if level.tells_false_conditions() {
        result.set("false_condition", condition.clone());
    }
    Outcome::of(result)
}

/// Adds a loop's results up.
pub(super) fn sum_up(level: Level, items: Vec<Outcome>) -> Outcome {
    let result = Dict::new();
    if items.is_empty() {
        result.set("changed", false);
        result.set("skipped", true);
        result.set("skipped_reason", "No items in the list");
        result.set("results", Value::list(Vec::new()));
        return Outcome::of(result);
    }
    let changed = items.iter().any(|item| item.is("changed"));
    let failed = items.iter().any(|item| item.is("failed"));
    let skipped = items.iter().all(|item| item.is("skipped"));
    let error = items
        .iter()
        .find(|item| item.is("failed"))
        .and_then(|item| item.error.clone());
    result.set(
        "results",
        Value::list(
            items
                .iter()
                .map(|item| Value::Dict(item.result.clone()))
                .collect(),
        ),
    );
    result.set("changed", changed);
    result.set("skipped", skipped);
    if failed {
        result.set("failed", true);
        result.set("msg", level.failed_loop());
    } else if skipped {
        result.set("msg", "All items skipped");
    } else {
        result.set("msg", "All items completed");
    }
    Outcome {
        result,
        error,
        delegated: items.last().and_then(|item| item.delegated.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(pairs: &[(&str, bool)]) -> Outcome {
        Outcome::of(
            pairs
                .iter()
                .map(|(k, v)| ((*k).into(), Value::from(*v)))
                .collect(),
        )
    }

    #[test]
    fn a_return_code_other_than_zero_fails() {
        let mut one = Outcome::of(Dict::new());
        one.result.set("rc", 3);
        complete(&mut one);
        assert!(one.is("failed") && !one.is("changed"));
    }

    #[test]
    fn a_loop_changes_if_one_item_does_and_skips_only_if_all_do() {
        let sum = sum_up(
            Level::default(),
            vec![
                outcome(&[("changed", true)]),
                outcome(&[("changed", false), ("skipped", true)]),
            ],
        );
        assert!(sum.is("changed") && !sum.is("skipped"));
        assert_eq!(
            sum.result.get("msg"),
            Some(Value::from("All items completed"))
        );
        let none = sum_up(Level::default(), vec![]);
        assert_eq!(
            none.result.get("skipped_reason"),
            Some(Value::from("No items in the list"))
        );
        let failed = sum_up(
            Level::default(),
            vec![outcome(&[("failed", true)]), outcome(&[])],
        );
        assert_eq!(
            failed.result.get("msg"),
            Some(Value::from("One or more items failed"))
        );
    }
}
