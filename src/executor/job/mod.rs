//! One task on one host: condition, loop, arguments, invocations, results.
//!
//! A job never waits. [`Job::step`] goes on until it needs an answer from a host ([`Wait::Reply`]),
//! some time ([`Wait::Until`]), or is done. All items of a loop go to the host in one request,
//! unless `until`, `pause` or `break_when` ask for one after the other.

mod arguments;
mod loops;
mod prepare;
mod send;
mod settle;

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Instant;

use super::connection::Target;
use super::failure::{Step, Words};
use super::judge::{self, Outcome};
use super::keywords::Keywords;
use super::reached::Reached;
use super::run::Runner;
use crate::actions::Remote;
use crate::compat::Level;
use crate::diag::{Error, Kind, Result, Sources};
use crate::playbook::Task;
use crate::template::Templar;
use crate::value::{Dict, Value};
use crate::vars::{PlayNames, View};

/// What a job waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// The answer to the request of this id.
    Reply(u64),
    /// A moment.
    Until(Instant),
    /// Nothing: the outcome is there.
    Done,
}

/// What people are told while a job runs, in order.
#[derive(Clone, Debug)]
pub(super) enum Note {
    /// An item of a loop is done.
    Item(Outcome),
    /// An attempt failed; some are left.
    Retry { left: i64, outcome: Outcome },
}

struct Invocation {
    /// The loop's item; none without a loop.
    item: Option<Value>,
    /// What the host has still to do, in order.
    queue: VecDeque<Remote>,
    /// The result that several steps add up to.
    sum: Option<Dict>,
    /// The host that it is delegated to, and that host's address where it differs.
    delegated: Option<(String, Option<String>)>,
    target: Option<Target>,
    outcome: Option<Outcome>,
    attempts: i64,
    prepared: bool,
    /// The result is the host's, not the controller's.
    answered: bool,
}

/// One task on one host.
pub(super) struct Job {
    /// The host whose task it is.
    pub host: Rc<str>,
    /// What people are to be told, not yet told.
    pub notes: Vec<Note>,
    /// Where the task runs dry.
    pub check: bool,
    /// Where its results are not shown.
    pub no_log: bool,
    level: Level,
    sources: Sources,
    task: Rc<Task>,
    view: Rc<View>,
    templar: Templar,
    /// How the host is reached, as variables, once the loop is known.
    reached: Option<Rc<Reached>>,
    is_loop: bool,
    one_by_one: bool,
    invocations: Vec<Invocation>,
    at: usize,
    wait: Option<Wait>,
    /// The invocations that the request on its way belongs to.
    sent: Vec<usize>,
    diff: bool,
    finished: Option<Outcome>,
    /// A failure of an item that ends the loop, and the task with it.
    aborted: Option<Outcome>,
    unreachable: Option<String>,
}

/// An error, and what was being done.
struct Failing(Step, Error);

impl Failing {
    /// Makes what turns an error into one of a step.
    fn at(step: Step) -> impl FnOnce(Error) -> Failing {
        move |error| Failing(step, error)
    }
}

impl Job {
    /// Prepares a task on a host; errors become its outcome.
    pub(super) fn new(
        runner: &Runner,
        play: &Rc<PlayNames>,
        task: &Rc<Task>,
        host: &Rc<str>,
    ) -> Job {
        let view = View::new(&runner.store, host, Some(play), Some(task));
        let view = Rc::new(view.beside(runner.task_dir(task)));
        let templar = Templar::new(runner.templates.clone(), view.clone());
        let mut job = Job {
            host: host.clone(),
            level: runner.level,
            sources: runner.sources.clone(),
            notes: Vec::new(),
            check: runner.options.check,
            no_log: false,
            task: task.clone(),
            view,
            templar,
            reached: None,
            is_loop: task.r#loop.is_some(),
            one_by_one: !task.until.is_empty()
                || task.loop_control.pause.is_some()
                || !task.loop_control.break_when.is_empty(),
            invocations: Vec::new(),
            at: 0,
            wait: None,
            sent: Vec::new(),
            diff: runner.options.diff,
            finished: None,
            aborted: None,
            unreachable: None,
        };
        if let Err(error) = job.start() {
            job.finished = Some(job.failed(Failing(Step::Keyword, error)));
        }
        job.reached = Some(Reached::install(runner, play, task, &job.view));
        job
    }

    /// Returns what a finished job came to.
    pub(super) fn outcome(&self) -> Option<&Outcome> {
        self.finished.as_ref()
    }

    /// Returns why the host could not be reached, if so.
    pub(super) fn unreachable(&self) -> Option<&str> {
        self.unreachable.as_deref()
    }

    /// Says whether differences are wanted.
    pub(super) fn diff_wanted(&self) -> bool {
        self.diff
    }

    /// Says whether the job waits for the answer to a request.
    pub(super) fn waits_for(&self, id: u64) -> bool {
        self.wait == Some(Wait::Reply(id))
    }

    /// Says whether the job waits for an answer from a connection.
    pub(super) fn waits_at(&self, key: &str) -> bool {
        matches!(self.wait, Some(Wait::Reply(_)))
            && self.invocations.iter().any(|one| {
                one.outcome.is_none() && one.target.as_ref().is_some_and(|target| target.key == key)
            })
    }

    /// Turns a finished job into a failed one.
    pub(super) fn fail_with(&mut self, error: Error) {
        self.finished = Some(self.failed(Failing(Step::Action, error)));
    }

    /// Makes the outcome of an error.
    fn failed(&self, Failing(step, error): Failing) -> Outcome {
        let words = Words {
            level: self.level,
            sources: &self.sources,
            task: &self.task,
        };
        words.outcome(&step, error)
    }

    /// Returns the templates' view of the task's variables, for what follows the result.
    pub(super) fn templar(&self) -> &Templar {
        &self.templar
    }

    /// Returns the outcomes of the single items, in order; of the task itself without a loop.
    pub(super) fn item_outcomes(&self) -> Vec<(Option<Value>, Outcome)> {
        self.invocations
            .iter()
            .filter_map(|one| Some((one.item.clone(), one.outcome.clone()?)))
            .collect()
    }

    fn start(&mut self) -> Result<()> {
        let settings = &self.task.settings;
        // A value that is wrong is told when conditions hold.
        let (check, diff) = (settings.check_mode.as_ref(), settings.diff.as_ref());
        if let Some(Ok(Some(check))) = check.map(|it| self.keywords().bool("check_mode", it)) {
            self.check = check;
        }
        if let Some(Ok(Some(diff))) = diff.map(|it| self.keywords().bool("diff", it)) {
            self.diff = diff;
        }
        if let Some(no_log) = &settings.no_log
            && !self.is_loop
        {
            self.no_log = self.keyword_bool("no_log", no_log)?;
        }
        let Some(repeat) = self.task.r#loop.clone() else {
            self.invocations.push(Invocation::new(None));
            return Ok(());
        };
        let items = match self.templar.loop_items(
            &self.task.action.resolved,
            repeat.with.as_deref(),
            &repeat.items,
        ) {
            Ok(items) => items,
            Err(error) => {
                // A condition that is false without the item spares the loop.
                return match self.first_false() {
                    Ok(Some(condition)) => {
                        self.finished = Some(judge::skipped(self.level, &condition));
                        Ok(())
                    }
                    _ => Err(error.at(repeat.span)),
                };
            }
        };
        self.invocations = items
            .into_iter()
            .map(|item| Invocation::new(Some(item)))
            .collect();
        let name = self.loop_var()?;
        if !self.invocations.is_empty()
            && crate::template::Variables::get(self.view.as_ref(), &name).is_some()
        {
            let notice = self.level.loop_variable_in_use(&name, &self.task.title());
            self.sources.note(notice);
        }
        if let Some(no_log) = &self.task.settings.no_log {
            // Rendered with the first item at hand: it may depend on it.
            if let Some(item) = self.invocations.first().and_then(|one| one.item.clone()) {
                self.set_item(0, &item)?;
            }
            self.no_log = self.keyword_bool("no_log", no_log)?;
        }
        Ok(())
    }

    /// Reads the task's keywords.
    pub(in crate::executor) fn keywords(&self) -> Keywords<'_> {
        Keywords {
            level: self.level,
            sources: &self.sources,
            templar: &self.templar,
            task: &self.task,
        }
    }

    fn keyword_bool(&self, keyword: &str, value: &Value) -> Result<bool> {
        Ok(self.keywords().bool(keyword, value)?.unwrap_or(false))
    }

    /// Goes on as far as it can without waiting.
    pub(super) fn step(&mut self, runner: &mut Runner) -> Wait {
        loop {
            if self.finished.is_some() || self.unreachable.is_some() {
                return Wait::Done;
            }
            match self.wait {
                Some(Wait::Until(moment)) if Instant::now() >= moment => self.wait = None,
                Some(wait) => return wait,
                None => {}
            }
            self.proceed(runner);
        }
    }

    fn proceed(&mut self, runner: &mut Runner) {
        // Prepare what can be prepared: the current item, or all of them.
        let last = if self.one_by_one {
            (self.at + 1).min(self.invocations.len())
        } else {
            self.invocations.len()
        };
        for index in self.at..last {
            // One that fails may end the loop, and take those behind it away.
            if self.invocations.get(index).is_some_and(|one| !one.prepared) {
                self.prepare(runner, index);
            }
        }
        let last = last.min(self.invocations.len());
        // Tell about what is settled, in order.
        while self.at < last && self.invocations[self.at].outcome.is_some() {
            self.settle(self.at);
            if self.wait.is_some() {
                return;
            }
            self.at += 1;
            if self.one_by_one && self.pause_or_break() {
                break;
            }
        }
        if self.at >= self.invocations.len() {
            self.finish();
            return;
        }
        if self.at < last && self.wait.is_none() {
            self.send(runner, last);
        }
    }

    fn finish(&mut self) {
        if self.finished.is_some() {
            return;
        }
        if let Some(outcome) = self.aborted.take() {
            self.finished = Some(outcome);
            return;
        }
        if self.is_loop {
            let items: Vec<Outcome> = self
                .invocations
                .iter()
                .filter_map(|one| one.outcome.clone())
                .collect();
            self.finished = Some(judge::sum_up(self.level, items));
            return;
        }
        let outcome = self.invocations.first().and_then(|one| one.outcome.clone());
        self.finished = Some(outcome.unwrap_or_else(|| {
            Outcome::failed(Error::new(
                Kind::Internal,
                "the task ended without a result",
            ))
        }));
    }
}

impl Invocation {
    fn new(item: Option<Value>) -> Invocation {
        Invocation {
            item,
            queue: VecDeque::new(),
            sum: None,
            delegated: None,
            target: None,
            outcome: None,
            attempts: 0,
            prepared: false,
            answered: false,
        }
    }
}

/// Returns the full name of a module that Ansible ships.
fn full_name(name: &str) -> String {
    if name.contains('.') {
        name.to_owned()
    } else {
        format!("ansible.builtin.{name}")
    }
}
