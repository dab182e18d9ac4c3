//! What a task's results do to the play: facts, notified handlers, hosts that leave.
//!
//! **Source:** "Error handling in playbooks" of Ansible's documentation, and what
//! `ansible-playbook` was seen to do.

use std::rc::Rc;

use super::batch::Batch;
use super::cursor::AfterFailure;
use super::handlers;
use super::job::Job;
use super::judge::Outcome;
use super::run::Runner;
use crate::compat::Level;
use crate::diag::Result;
use crate::playbook::Task;
use crate::value::{Dict, Value};

impl Runner {
    /// Takes a host's outcome into account: registers, notifies, fails, counts.
    ///
    /// `also` are the hosts that a `run_once` task stands for, its own among them.
    pub(super) fn take_outcome(
        &mut self,
        batch: &mut Batch,
        task: &Rc<Task>,
        job: &mut Job,
        also: &[Rc<str>],
    ) -> Result<()> {
        let host = job.host.clone();
        let Some(outcome) = job.outcome().cloned() else {
            return Ok(());
        };
        let hosts: &[Rc<str>] = if also.is_empty() {
            std::slice::from_ref(&host)
        } else {
            also
        };
        if let Some(name) = &task.register {
            let registered = registered(self.level, task, &outcome.result);
            for one in hosts {
                self.store.set_fact(one, name, registered.clone());
            }
        }
        if job.unreachable().is_some() {
            self.lose_host(batch, task, job);
            return Ok(());
        }
        let failed = outcome.is("failed");
        if failed {
            let ignored = is_on(job, "ignore_errors", task.settings.ignore_errors.as_ref());
            self.report.failed(task, job, ignored);
            if !ignored {
                for one in hosts {
                    self.fail_host(batch, task, one, &outcome, *one == host);
                }
                return Ok(());
            }
        }
        if outcome.is("changed") && !task.settings.notify.is_empty() {
            handlers::notify(self, batch, task, job)?;
        }
        if !failed {
            let counts_not =
                task.action.resolved == "include_role" && !self.level.tells_included_roles();
            self.report.succeeded(task, job, counts_not);
        }
        Ok(())
    }

    /// Takes note that a host could not be reached; it leaves the play unless that is ignored.
    fn lose_host(&mut self, batch: &mut Batch, task: &Rc<Task>, job: &mut Job) {
        let host = job.host.clone();
        let ignored = is_on(
            job,
            "ignore_unreachable",
            task.settings.ignore_unreachable.as_ref(),
        );
        let as_skipped = ignored && self.level.skips_ignored_unreachable();
        if as_skipped && let Some(outcome) = job.outcome() {
            let reason = format!("Host {host} is unreachable");
            outcome.result.set("skip_reason", reason);
        }
        self.report.unreachable(task, job, ignored, as_skipped);
        if !ignored {
            batch.failed_now.push(host.clone());
            batch.unreachable.insert(host.clone());
            batch.drop_host(&host);
        }
    }

    /// Records a failure of a host: a rescue takes over, or it leaves the play.
    pub(super) fn fail_host(
        &mut self,
        batch: &mut Batch,
        task: &Rc<Task>,
        host: &Rc<str>,
        outcome: &Outcome,
        counts: bool,
    ) {
        batch.failed_now.push(host.clone());
        let after = match batch.cursors.get_mut(host) {
            Some(cursor) => cursor.fail(),
            None => AfterFailure::Failed,
        };
        match after {
            AfterFailure::Rescued { from_rescue } => {
                self.store
                    .set_fact(host, "ansible_failed_task", failed_task(task));
                self.store.set_fact(
                    host,
                    "ansible_failed_result",
                    registered(self.level, task, &outcome.result),
                );
                match counts {
                    true if from_rescue && self.level.counts_failed_rescues() => {
                        self.report.count_failed(host);
                    }
                    true => self.report.count_rescued(host),
                    false => {}
                }
            }
            AfterFailure::Failed => {
                if counts {
                    self.report.count_failed(host);
                }
                batch.failed.insert(host.clone());
                batch.drop_host(host);
            }
        }
    }

    /// Ends the batch where a failure is fatal for all, or too many failed.
    ///
    /// `failed` says whether the task failed on a host, be it that a rescue takes over.
    pub(super) fn judge_batch(&mut self, batch: &mut Batch, task: &Rc<Task>, failed: &[Rc<str>]) {
        let gone = batch.gone();
        if gone == 0 && failed.is_empty() {
            return;
        }
        let counts = |host: &Rc<str>| self.level.rescues_are_fatal() || !batch.is_in(host);
        let fatal = failed.iter().any(counts) && self.is_fatal(batch, task);
        let too_many = is_too_many(batch, gone);
        if fatal || too_many {
            for host in batch.live() {
                if !failed.contains(&host)
                    && let Some(cursor) = batch.cursors.get_mut(&host)
                    && cursor.fail() == AfterFailure::Failed
                {
                    batch.failed.insert(host.clone());
                    batch.drop_host(&host);
                }
            }
        }
        let is_over = batch.live().is_empty() && batch.ended.is_empty() && !batch.over;
        if is_over && self.nothing_left(batch) {
            let by_one = fatal || self.is_run_once(task, &batch.hosts[0]);
            let lines = match (too_many, by_one && self.level.tells_no_hosts_left()) {
                // As observed: once by the check, once by the strategy.
                (true, _) => 2,
                (false, told) => usize::from(told),
            };
            for _ in 0..lines {
                self.report.no_hosts_left();
            }
            batch.over = true;
        }
    }

    /// Says whether a task's failure on one host is one for all.
    fn is_fatal(&self, batch: &Batch, task: &Rc<Task>) -> bool {
        let settings = &task.settings;
        if settings.ignore_errors.as_ref().is_some_and(Value::truth) {
            return false;
        }
        match &settings.any_errors_fatal {
            None => self.options.any_errors_fatal,
            Some(value) => {
                let templar = self.templar(&batch.hosts[0], Some(&batch.play), Some(task));
                let rendered = templar.render(value).ok();
                rendered
                    .and_then(|value| crate::template::to_bool(&value))
                    .unwrap_or(false)
            }
        }
    }
}

/// Says whether more hosts left than `max_fail_percentage` allows.
fn is_too_many(batch: &Batch, gone: usize) -> bool {
    let Some(limit) = &batch.play.play.max_fail_percentage else {
        return false;
    };
    let limit = limit
        .as_f64()
        .or_else(|| limit.to_str().trim_end_matches('%').parse().ok());
    limit.is_some_and(|limit| (gone as f64) * 100.0 / (batch.hosts.len() as f64) > limit)
}

/// Says whether a keyword of a task is on for a job's host; one that can't be converted counts as it
/// is written.
fn is_on(job: &Job, name: &str, keyword: Option<&Value>) -> bool {
    keyword.is_some_and(|value| match job.keywords().bool(name, value) {
        Ok(on) => on.unwrap_or(false),
        Err(_) => value.truth(),
    })
}

/// Returns a result as `register` shows it: without private keys; with `failed`, where the task ran
/// and has no loop.
fn registered(level: Level, task: &Task, result: &Dict) -> Value {
    let clean = super::report::without_private(result);
    clean.remove("invocation");
    if task.r#loop.is_none() && !clean.contains("failed") && !clean.contains("skipped") {
        clean.set("failed", false);
    }
    let is_empty = |results: Value| !results.truth();
    if !level.registers_skipped_loops() && !clean.get("results").is_none_or(is_empty) {
        clean.remove("skipped");
    }
    Value::Dict(clean)
}

/// Returns what `ansible_failed_task` shows.
fn failed_task(task: &Task) -> Value {
    Value::dict([
        ("name", task.name.clone().unwrap_or_else(|| Value::str(""))),
        ("action", Value::str(&task.action.name)),
        (
            "args",
            Value::Dict(task.action.args.clone()).map_leaves(&mut |leaf| match leaf {
                Value::Str(text) => Value::Str(text.clone().with_trust(false)),
                other => other.clone(),
            }),
        ),
    ])
}
