//! Turns outcomes into events, and counts them.

use std::rc::Rc;

use super::job::{Job, Note};
use super::judge::Outcome;
use crate::diag::{Error, Notice, Sources};
use crate::modules::hide_secrets;
use crate::output::{Callback, Event, ResultKind, Shown, Stats};
use crate::playbook::{Play, Playbook, Task};
use crate::value::{Dict, Value};
use crate::vars::Store;

/// Tells people and programs what happens.
pub struct Reporter {
    callback: Box<dyn Callback>,
    sources: Sources,
    stats: Stats,
    /// The name of the task that runs, as shown.
    title: String,
    diff: bool,
    /// Every result, for a summary of the run.
    observer: Option<Box<dyn FnMut(&Event)>>,
}

impl Reporter {
    /// Tells one callback.
    pub fn new(callback: Box<dyn Callback>, sources: Sources, diff: bool) -> Reporter {
        Reporter {
            callback,
            sources,
            stats: Stats::default(),
            title: String::new(),
            diff,
            observer: None,
        }
    }

    /// Lets a function see every event as well.
    pub fn observe(&mut self, observer: Box<dyn FnMut(&Event)>) {
        self.observer = Some(observer);
    }

    /// Returns the counts so far.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    fn tell(&mut self, event: Event) {
        for notice in self.sources.take_notices() {
            self.callback.event(&Event::Notice(notice));
        }
        if let Some(observer) = &mut self.observer {
            observer(&event);
        }
        self.callback.event(&event);
    }

    pub(super) fn tick(&mut self) {
        self.callback.tick();
    }

    pub(super) fn playbook_start(&mut self, playbook: &Playbook, check: bool) {
        self.tell(Event::PlaybookStart {
            check,
            path: playbook.path.to_string_lossy().into_owned(),
        });
    }

    pub(super) fn play_start(&mut self, _play: &Rc<Play>, name: &str, check: bool) {
        self.tell(Event::PlayStart {
            name: name.to_owned(),
            check,
        });
    }

    pub(super) fn task_start(&mut self, task: &Task, title: &str, check: bool) {
        let at = self.sources.locate(task.span);
        title.clone_into(&mut self.title);
        self.tell(Event::TaskStart {
            name: title.to_owned(),
            is_handler: task.is_handler,
            path: format!("{}:{}", at.file, at.line),
            check,
        });
    }

    pub(super) fn no_hosts_matched(&mut self) {
        self.tell(Event::NoHostsMatched);
    }

    pub(super) fn no_hosts_left(&mut self) {
        self.tell(Event::NoHostsRemaining);
    }

    /// Tells what is odd, once.
    pub fn notice(&mut self, notice: impl Into<Notice>) {
        self.tell(Event::Notice(notice.into()));
    }

    pub(super) fn notification_saved(&mut self, handler: &str) {
        self.tell(Event::NotificationSaved {
            handler: handler.to_owned(),
        });
    }

    pub(super) fn notified(&mut self, handler: &str, host: &str) {
        self.tell(Event::Notified {
            handler: handler.to_owned(),
            host: host.to_owned(),
        });
    }

    pub(super) fn meta(&mut self, message: &str, host: &str) {
        self.tell(Event::Meta {
            message: message.to_owned(),
            host: host.to_owned(),
        });
    }

    pub(super) fn included(&mut self, what: &str, hosts: &[Rc<str>], item: Option<&Value>) {
        self.tell(Event::Included {
            what: what.to_owned(),
            hosts: hosts.iter().map(ToString::to_string).collect(),
            item: item.cloned(),
        });
    }

    /// Tells what a job noted since it was last asked.
    pub(super) fn notes(&mut self, task: &Task, job: &mut Job) {
        for note in std::mem::take(&mut job.notes) {
            match note {
                Note::Item(outcome) => {
                    let item = outcome.result.get("_ansible_item_label");
                    let kind = kind_of(&outcome);
                    let shown = self.shown(task, job, &outcome, kind, item);
                    self.tell(Event::Item(shown));
                }
                Note::Retry { left, outcome } => {
                    let task = self.title.clone();
                    self.tell(Event::Retry {
                        host: job.host.to_string(),
                        task,
                        left,
                        result: outcome.result.clone(),
                    });
                }
            }
        }
    }

    fn shown(
        &self,
        task: &Task,
        job: &Job,
        outcome: &Outcome,
        kind: ResultKind,
        item: Option<Value>,
    ) -> Shown {
        Shown {
            host: job.host.to_string(),
            delegated: outcome.delegated.clone(),
            kind,
            result: without_secrets(&outcome.result),
            error: outcome.error.clone(),
            item,
            is_loop: task
                .r#loop
                .as_ref()
                .is_some_and(|repeat| repeat.items.truth()),
            action: task.action.resolved.clone(),
            ignored: false,
            no_log: job.no_log,
            diff: job.diff_wanted() || self.diff,
            check: job.check,
        }
    }

    /// Tells that a task went well; `counts_not` keeps it out of the recap.
    pub(super) fn succeeded(&mut self, task: &Task, job: &Job, counts_not: bool) {
        let Some(outcome) = job.outcome() else { return };
        let kind = kind_of(outcome);
        let shown = self.shown(task, job, outcome, kind, None);
        let counts = self.stats.of(&job.host);
        match kind {
            ResultKind::Skipped => counts.skipped += 1,
            ResultKind::Changed => {
                counts.ok += 1;
                counts.changed += 1;
            }
            _ if counts_not => {}
            _ => counts.ok += included(job),
        }
        self.tell(Event::Result(shown));
    }

    pub(super) fn failed(&mut self, task: &Task, job: &Job, ignored: bool) {
        let Some(outcome) = job.outcome() else { return };
        let mut shown = self.shown(task, job, outcome, ResultKind::Failed, None);
        shown.ignored = ignored;
        let counts = self.stats.of(&job.host);
        if ignored {
            counts.ok += 1;
            counts.ignored += 1;
            if outcome.is("changed") {
                counts.changed += 1;
            }
        }
        self.tell(Event::Result(shown));
    }

    /// Tells an error that belongs to no result.
    pub(super) fn error(&mut self, error: &Error) {
        self.tell(Event::Error(error.clone()));
    }

    /// Tells that an include's file or role can't be loaded; it counts as failed only.
    pub(super) fn include_failed(&mut self, task: &Task, host: &Rc<str>, result: Dict) {
        let counts = self.stats.of(host);
        counts.ok = counts.ok.saturating_sub(1);
        self.tell(Event::Result(plain(task, host, ResultKind::Failed, result)));
    }

    /// Tells that a condition kept a `meta` task from running for a host.
    pub(super) fn meta_skipped(&mut self, task: &Task, host: &Rc<str>) {
        self.tell(Event::Result(plain(
            task,
            host,
            ResultKind::Skipped,
            Dict::new(),
        )));
    }

    /// Tells that a host could not be reached; `as_skipped` counts one that needn't as skipped.
    pub(super) fn unreachable(&mut self, task: &Task, job: &Job, ignored: bool, as_skipped: bool) {
        let Some(outcome) = job.outcome() else { return };
        let mut shown = self.shown(task, job, outcome, ResultKind::Unreachable, None);
        shown.ignored = ignored && !as_skipped;
        let counts = self.stats.of(&job.host);
        if shown.ignored {
            counts.ok += 1;
            counts.ignored += 1;
        } else {
            counts.unreachable += 1;
            counts.skipped += u32::from(as_skipped);
        }
        self.tell(Event::Result(shown));
    }

    pub(super) fn count_rescued(&mut self, host: &str) {
        self.stats.of(host).rescued += 1;
    }

    pub(super) fn count_failed(&mut self, host: &str) {
        self.stats.of(host).failed += 1;
    }

    pub(super) fn recap(&mut self, _store: &Store) {
        let stats = self.stats.clone();
        self.tell(Event::Recap(stats));
    }
}

/// Makes what is shown of a result that no job gave.
fn plain(task: &Task, host: &Rc<str>, kind: ResultKind, result: Dict) -> Shown {
    Shown {
        host: host.to_string(),
        delegated: None,
        kind,
        result,
        error: None,
        item: None,
        is_loop: false,
        action: task.action.resolved.clone(),
        ignored: false,
        no_log: false,
        diff: false,
        check: false,
    }
}

/// Returns how often a task that went well counts: an include once for each of its items.
fn included(job: &Job) -> u32 {
    let items = job.item_outcomes();
    let count = items
        .iter()
        .filter(|(_, outcome)| outcome.result.contains("_include_args"))
        .count();
    count.max(1) as u32
}

fn kind_of(outcome: &Outcome) -> ResultKind {
    if outcome.is("failed") {
        ResultKind::Failed
    } else if outcome.is("skipped") {
        ResultKind::Skipped
    } else if outcome.is("changed") {
        ResultKind::Changed
    } else {
        ResultKind::Ok
    }
}

/// Returns a result whose differences show no data of Kubernetes Secrets.
fn without_secrets(result: &Dict) -> Dict {
    let Some(diff) = result.get("diff") else {
        return result.clone();
    };
    let mut hidden = false;
    let mut one = |part: &Value| {
        let side = |key| match part.get(key) {
            Some(Value::Str(text)) => text.as_str().to_owned(),
            _ => String::new(),
        };
        let (Value::Dict(dict), Some((before, after))) =
            (part, hide_secrets(&side("before"), &side("after")))
        else {
            return part.clone();
        };
        hidden = true;
        let dict = dict.copy();
        dict.set("before", before);
        dict.set("after", after);
        Value::Dict(dict)
    };
    let diff = match &diff {
        Value::List(list) => Value::list(list.to_vec().iter().map(one).collect()),
        part => one(part),
    };
    if !hidden {
        return result.clone();
    }
    let result = result.copy();
    result.set("diff", diff);
    result
}

/// Returns a result without the keys that are the engine's own.
pub(super) fn without_private(result: &Dict) -> Dict {
    result
        .to_vec()
        .into_iter()
        .filter(|(key, _)| {
            key.as_str()
                .is_none_or(|name| !name.starts_with("_ansible_") && name != "_include_args")
        })
        .map(|(key, value)| match (key.as_str(), &value) {
            (Some("results"), Value::List(list)) => {
                let cleaned = list
                    .to_vec()
                    .into_iter()
                    .map(|item| match item {
                        Value::Dict(item) => Value::Dict(without_private(&item)),
                        other => other,
                    })
                    .collect();
                (key, Value::list(cleaned))
            }
            _ => (key, value),
        })
        .collect()
}
