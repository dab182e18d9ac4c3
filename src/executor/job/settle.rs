//! What an invocation's result comes to: judged, tried again, or told.

use std::time::{Duration, Instant};

use super::super::failure::Step;
use super::super::judge::{self, Outcome};
use super::super::keywords::Type;
use super::{Failing, Job, Note, Wait};
use crate::diag::{Error, Kind};
use crate::modules::{By, CAUSE};
use crate::value::Value;

impl Job {
    /// Judges a settled invocation: retries it, or tells about it.
    pub(super) fn settle(&mut self, index: usize) {
        if let Some(item) = self.invocations[index].item.clone() {
            // It could be set when the invocation was prepared.
            self.set_item(index, &item).ok();
        }
        let Some(mut outcome) = self.invocations[index].outcome.take() else {
            return;
        };
        let carried_out = outcome.error.is_none() && !outcome.is("skipped");
        if carried_out || self.level.names_failed_steps() {
            judge::complete(&mut outcome);
        }
        outcome
            .delegated
            .clone_from(&self.invocations[index].delegated);
        if carried_out {
            let by_host = self.invocations[index].answered;
            self.explain(
                if by_host {
                    "Module failed"
                } else {
                    "Action failed"
                },
                &mut outcome,
            );
            self.judge(&mut outcome);
            if self.try_again(index, &mut outcome) {
                return;
            }
            self.explain("Action failed", &mut outcome);
        }
        if self.level.names_failed_steps()
            && outcome.is("failed")
            && !outcome.result.contains("exception")
        {
            outcome.result.set("exception", "(traceback unavailable)");
        }
        if let Some(item) = self.invocations[index].item.clone() {
            if !carried_out && self.level.registers_each_item() {
                judge::show(&self.task, &self.view, &self.templar, &outcome.result);
            }
            self.label(&item, &mut outcome);
            self.notes.push(Note::Item(outcome.clone()));
        }
        self.invocations[index].outcome = Some(outcome);
    }

    /// Applies `changed_when` and `failed_when`; a condition that is wrong fails the task.
    fn judge(&self, outcome: &mut Outcome) {
        if let Err(error) = judge::judge(&self.task, &self.view, &self.templar, outcome)
            && !self.level.keeps_misjudged_results()
        {
            *outcome = Outcome::failed_saying(error.full_message(), error);
        }
    }

    /// Gives a failure that is a result an error: what failed, and what it said.
    fn explain(&self, what: &str, outcome: &mut Outcome) {
        if !outcome.is("failed") || outcome.error.is_some() {
            return;
        }
        let place = self.task.span;
        let result = &outcome.result;
        let by = By::take(result);
        let said = result.get("msg").map(|said| said.to_str());
        let is_silent = said.is_none() || matches!(by, Some(By::Raised | By::Crash));
        let said = said.unwrap_or_else(|| "Unknown error.".to_owned());
        let what = match by {
            Some(By::Raised | By::Purpose) => None,
            Some(By::Action) => Some("Action failed"),
            _ => Some(what),
        };
        let cause = result.remove(CAUSE);
        let inner = match (what, cause) {
            (Some(what), None) if said.is_empty() => {
                Error::new(Kind::Module, format!("{what}.")).at(place)
            }
            (what, cause) => {
                let said = match cause {
                    Some(cause) => Error::new(Kind::Module, said.trim_end_matches('.'))
                        .at(place)
                        .caused_by(Error::new(Kind::Module, cause.to_str()).at(place)),
                    None => Error::new(Kind::Module, said).at(place),
                };
                match what {
                    Some(what) => Error::new(Kind::Module, what).at(place).caused_by(said),
                    None => said,
                }
            }
        };
        if !self.level.names_failed_steps() {
            match by {
                // An action that refuses to go on raises nothing that has a trace.
                Some(By::Purpose) => result.set("exception", "NoneType: None"),
                Some(By::Raised) => {
                    result.remove("changed");
                }
                _ => {}
            }
        }
        let error = Error::new(Kind::Module, "Task failed")
            .at(place)
            .caused_by(inner);
        if self.level.names_failed_steps() {
            if is_silent {
                outcome.result.set("msg", error.full_message());
            }
            if !outcome.result.contains("exception") {
                outcome.result.set("exception", "(traceback unavailable)");
            }
        }
        outcome.error = Some(error);
    }

    /// Schedules another attempt where `until` is not satisfied and one is left.
    fn try_again(&mut self, index: usize, outcome: &mut Outcome) -> bool {
        let counts_alone = self.task.retries.is_some() && self.level.retries_without_until();
        if self.task.until.is_empty() && !counts_alone {
            return false;
        }
        // They could be read when the invocation was prepared.
        let number = |name, value: &Option<Value>, wanted, default: f64| {
            let number = self.keywords().number(name, value.as_ref(), wanted);
            number.ok().flatten().unwrap_or(default)
        };
        let retries = number("retries", &self.task.retries, Type::Int, 3.0) as i64;
        let delay = number("delay", &self.task.delay, Type::Float, 5.0).max(0.0);
        self.invocations[index].attempts += 1;
        let attempts = self.invocations[index].attempts;
        outcome.result.set("attempts", attempts);
        match judge::is_enough(&self.task, &self.view, &self.templar, outcome) {
            Ok(true) => return false,
            Ok(false) => {}
            Err(error) => {
                *outcome = self.failed(Failing(Step::Keyword, error));
                return false;
            }
        }
        // As observed: `retries: N` makes N + 1 attempts, and the count shown stops at N.
        if attempts > retries {
            outcome.result.set("attempts", retries);
            outcome.result.set("failed", true);
            return false;
        }
        outcome.result.set("retries", retries + 1);
        self.notes.push(Note::Retry {
            left: retries - attempts + 1,
            outcome: outcome.clone(),
        });
        let one = &mut self.invocations[index];
        one.prepared = false;
        one.outcome = None;
        one.queue.clear();
        self.wait = Some(Wait::Until(Instant::now() + Duration::from_secs_f64(delay)));
        true
    }
}
