//! One task on one host: condition, loop, arguments, invocations, results.
//!
//! A job never waits. [`Job::step`] goes on until it needs an answer from a host ([`Wait::Reply`]),
//! some time ([`Wait::Until`]), or is done. All items of a loop go to the host in one request,
//! unless `until`, `pause` or `break_when` ask for one after the other.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::connection::{self, Target};
use super::judge::{self, Outcome};
use super::run::Runner;
use crate::actions::{self, Prepared, Remote};
use crate::agent::message::{Item as WireItem, Reply, Request};
use crate::compat::Level;
use crate::diag::{Error, Kind, Result};
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
    target: Option<Target>,
    outcome: Option<Outcome>,
    attempts: i64,
    prepared: bool,
}

/// One task on one host.
pub(super) struct Job {
    /// The host whose task it is.
    pub host: Rc<str>,
    /// The host that it is delegated to, if any.
    pub delegated: Option<String>,
    /// That host's address, where it differs from its name.
    pub delegated_address: Option<String>,
    /// What people are to be told, not yet told.
    pub notes: Vec<Note>,
    /// Where the task runs dry.
    pub check: bool,
    /// Where its results are not shown.
    pub no_log: bool,
    task: Rc<Task>,
    view: Rc<View>,
    templar: Templar,
    is_loop: bool,
    one_by_one: bool,
    invocations: Vec<Invocation>,
    at: usize,
    wait: Option<Wait>,
    /// The invocations that the request on its way belongs to.
    sent: Vec<usize>,
    diff: bool,
    finished: Option<Outcome>,
    unreachable: Option<String>,
}

impl Job {
    /// Prepares a task on a host; errors become its outcome.
    pub(super) fn new(
        runner: &Runner,
        play: &Rc<PlayNames>,
        task: &Rc<Task>,
        host: &Rc<str>,
    ) -> Job {
        let view = Rc::new(View::new(&runner.store, host, Some(play), Some(task)));
        let templar = Templar::new(runner.templates.clone(), view.clone());
        let mut job = Job {
            host: host.clone(),
            delegated: None,
            delegated_address: None,
            notes: Vec::new(),
            check: runner.options.check,
            no_log: false,
            task: task.clone(),
            view,
            templar,
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
            unreachable: None,
        };
        if let Err(error) = job.start(runner) {
            job.finished = Some(Outcome::failed(wrap(error)));
        }
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
        self.finished = Some(Outcome::failed(wrap(error)));
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

    /// Sets the loop variables of an item again, for an include that works per item.
    pub(super) fn enter_item(&self, index: usize) -> Result<()> {
        match self.invocations.get(index).and_then(|one| one.item.clone()) {
            Some(item) => self.set_item(index, &item),
            None => Ok(()),
        }
    }

    /// Returns the name of the loop's variable.
    pub(super) fn loop_var(&self) -> Result<String> {
        match &self.task.loop_control.loop_var {
            Some(name) => Ok(self.templar.render(name)?.to_str()),
            None => Ok("item".to_owned()),
        }
    }

    fn start(&mut self, runner: &Runner) -> Result<()> {
        let settings = &self.task.settings;
        if let Some(check) = &settings.check_mode {
            self.check = self.keyword_bool("check_mode", check)?;
        }
        if let Some(diff) = &settings.diff {
            self.diff = self.keyword_bool("diff", diff)?;
        }
        if let Some(no_log) = &settings.no_log
            && !self.is_loop
        {
            self.no_log = self.keyword_bool("no_log", no_log)?;
        }
        self.view
            .set_local("ansible_check_mode", Value::Bool(self.check));
        let Some(repeat) = self.task.r#loop.clone() else {
            self.invocations.push(Invocation::new(None));
            return Ok(());
        };
        let items = match self
            .templar
            .loop_items(repeat.with.as_deref(), &repeat.items)
        {
            Ok(items) => items,
            Err(error) => {
                // A condition that is false without the item spares the loop.
                return match self.first_false() {
                    Ok(Some(condition)) => {
                        self.finished = Some(judge::skipped(&condition));
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
        if let Some(no_log) = &self.task.settings.no_log {
            // Rendered with the first item at hand: it may depend on it.
            if let Some(item) = self.invocations.first().and_then(|one| one.item.clone()) {
                self.set_item(0, &item)?;
            }
            self.no_log = self.keyword_bool("no_log", no_log)?;
        }
        let _ = runner;
        Ok(())
    }

    fn keyword_bool(&self, keyword: &str, value: &Value) -> Result<bool> {
        let rendered = self
            .templar
            .render(value)
            .map_err(|error| judge::keyword_error(keyword, error))?;
        crate::template::to_bool(&rendered).ok_or_else(|| {
            Error::new(
                Kind::Value,
                format!(
                    "the value of `{keyword}` is no boolean: found `{}`",
                    rendered.to_str()
                ),
            )
        })
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
            if !self.invocations[index].prepared {
                self.prepare(runner, index);
            }
        }
        // Tell about what is settled, in order.
        while self.at < last && self.invocations[self.at].outcome.is_some() {
            self.settle(runner, self.at);
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

    /// Between two items: waits for `pause`, or ends the loop for `break_when`.
    fn pause_or_break(&mut self) -> bool {
        let control = self.task.loop_control.clone();
        if !control.break_when.is_empty()
            && judge::all(&self.templar, &control.break_when).unwrap_or(false)
        {
            self.invocations.truncate(self.at);
            return true;
        }
        if let Some(pause) = &control.pause
            && self.at < self.invocations.len()
            && let Ok(seconds) = self.templar.render(pause)
            && let Some(seconds) = seconds.as_f64().or_else(|| seconds.to_str().parse().ok())
            && seconds > 0.0
        {
            self.wait = Some(Wait::Until(
                Instant::now() + Duration::from_secs_f64(seconds),
            ));
        }
        true
    }

    /// Sets the variables of a loop's item.
    fn set_item(&self, index: usize, item: &Value) -> Result<()> {
        let name = self.loop_var()?;
        let control = &self.task.loop_control;
        self.set(&name, item.clone());
        self.set("ansible_loop_var", Value::str(&name));
        if let Some(index_var) = &control.index_var {
            let index_var = self.templar.render(index_var)?.to_str();
            self.set(&index_var, Value::from(index));
            self.set("ansible_index_var", Value::str(&index_var));
        }
        if let Some(extended) = &control.extended
            && self.keyword_bool("extended", extended)?
        {
            self.set("ansible_loop", self.extended(index)?);
        }
        Ok(())
    }

    fn set(&self, name: &str, value: Value) {
        self.view.set_local(name, value);
        self.templar.forget(name);
    }

    fn extended(&self, index: usize) -> Result<Value> {
        let count = self.invocations.len();
        let item = |at: usize| self.invocations.get(at).and_then(|one| one.item.clone());
        let facts = Dict::new();
        let all_items = match &self.task.loop_control.extended_allitems {
            Some(value) => self.keyword_bool("extended_allitems", value)?,
            None => true,
        };
        if all_items {
            let all = (0..count).filter_map(item).collect();
            facts.set("allitems", Value::list(all));
        }
        facts.set("index", index + 1);
        facts.set("index0", index);
        facts.set("first", index == 0);
        facts.set("last", index + 1 == count);
        facts.set("length", count);
        facts.set("revindex", count - index);
        facts.set("revindex0", count - index - 1);
        if let Some(next) = item(index + 1) {
            facts.set("nextitem", next);
        }
        if let Some(previous) = index.checked_sub(1).and_then(item) {
            facts.set("previtem", previous);
        }
        Ok(Value::Dict(facts))
    }

    /// Returns the first condition of the task that doesn't hold.
    fn first_false(&self) -> Result<Option<Value>> {
        for condition in &self.task.settings.when {
            if !self.templar.condition(condition)? {
                return Ok(Some(condition.clone()));
            }
        }
        Ok(None)
    }

    fn prepare(&mut self, runner: &mut Runner, index: usize) {
        self.invocations[index].prepared = true;
        if let Err(error) = self.prepare_item(runner, index) {
            self.invocations[index].outcome = Some(Outcome::failed(wrap(error)));
        }
    }

    fn prepare_item(&mut self, runner: &mut Runner, index: usize) -> Result<()> {
        if let Some(item) = self.invocations[index].item.clone() {
            self.set_item(index, &item)?;
        }
        let condition = self.first_false().map_err(|error| match error.kind() {
            Kind::Unsupported => error,
            _ => error,
        })?;
        if let Some(condition) = condition {
            self.invocations[index].outcome = Some(judge::skipped(&condition));
            return Ok(());
        }
        let task = self.task.clone();
        if let Some(delegate) = &task.settings.delegate_to {
            let name = self.templar.render(delegate)?.to_str();
            self.delegated = Some(name).filter(|name| !name.is_empty());
        }
        let name = task.action.resolved.as_str();
        if matches!(name, "include_tasks" | "include_role") {
            // The executor carries these out; what it needs is the rendered arguments.
            let args = self.render_args(&task, &[])?;
            let result = Dict::new();
            result.set("_include_args", args);
            result.set("changed", false);
            self.invocations[index].outcome = Some(Outcome::of(result));
            return Ok(());
        }
        let action = actions::find(name);
        let args = self.render_args(&task, action.map_or(&[], |row| row.raw))?;
        let prepared = match action {
            Some(row) => {
                let search_path = crate::template::Variables::search_path(self.view.as_ref());
                let context = actions::Context {
                    templar: &self.templar,
                    search_path: &search_path,
                    task_dir: runner.task_dir(&task),
                    sources: &runner.sources,
                    level: runner.level,
                    diff: self.diff,
                };
                (row.function)(&context, args)
                    .map_err(|error| Error::new(Kind::Module, "Action failed").caused_by(error))?
            }
            None => Prepared::Remote(Remote {
                module: name.to_owned(),
                args,
                content: None,
            }),
        };
        let one = &mut self.invocations[index];
        match prepared {
            Prepared::Done(result) => {
                self.apply_facts(runner, &result);
                self.invocations[index].outcome = Some(Outcome::of(result));
                return Ok(());
            }
            Prepared::Remote(remote) => one.queue.push_back(remote),
            Prepared::Many(steps, sum) => {
                one.queue.extend(steps);
                one.sum = Some(sum);
                if one.queue.is_empty() {
                    one.outcome = one.sum.clone().map(Outcome::of);
                    return Ok(());
                }
            }
        }
        let target = connection::target(
            runner,
            &self.view,
            &self.templar,
            &task,
            self.delegated.as_deref(),
        )?;
        self.delegated_address = self
            .delegated
            .as_ref()
            .and_then(|to| Some(target.spec.address.clone()).filter(|address| address != to));
        self.invocations[index].target = Some(target);
        Ok(())
    }

    fn render_args(&self, task: &Task, raw: &[&str]) -> Result<Dict> {
        let finalize = |error: Error| {
            Error::new(
                Kind::Value,
                format!(
                    "Finalization of task args for '{}' failed",
                    full_name(&task.action.resolved)
                ),
            )
            .at(task.span)
            .caused_by(error)
        };
        let args = Dict::new();
        for defaults in &task.settings.module_defaults {
            let rendered = self.templar.render(defaults).map_err(finalize)?;
            for name in [
                &task.action.name,
                &task.action.resolved,
                &full_name(&task.action.resolved),
            ] {
                if let Some(Value::Dict(found)) = rendered.get(name) {
                    for (key, value) in found.to_vec() {
                        args.set_key(key, value);
                    }
                }
            }
        }
        if let Some(variable) = task.action.args.get("_variable_params") {
            match self.templar.render(&variable).map_err(finalize)? {
                Value::Dict(found) => {
                    for (key, value) in found.to_vec() {
                        args.set_key(key, value);
                    }
                }
                other => {
                    return Err(Error::type_error(format!(
                        "args must resolve to a 'dict', not '{}'",
                        other.type_name()
                    )));
                }
            }
        }
        for (key, value) in task.action.args.to_vec() {
            let name = key.as_str().unwrap_or_default().to_owned();
            if name == "_variable_params" {
                continue;
            }
            // A name may be a template itself (`set_fact: {"{{ x }}_name": …}`).
            let key = match key.value() {
                Value::Str(text) if text.contains("{{") => {
                    let name = self
                        .templar
                        .render(&Value::Str(text.clone().with_trust(true)));
                    crate::value::Key::new(name.map_err(finalize)?)?
                }
                _ => key,
            };
            if raw.contains(&name.as_str()) {
                args.set_key(key, value);
                continue;
            }
            let rendered = self.templar.render(&value).map_err(|error| {
                finalize(
                    Error::new(
                        Kind::Value,
                        format!("Error while resolving value for '{name}'"),
                    )
                    .caused_by(error),
                )
            })?;
            if !self.templar.is_omit(&rendered) {
                args.set_key(key, self.templar.strip_omit(&rendered));
            }
        }
        Ok(args)
    }

    /// Sends the next invocations that go to the same place in the same way.
    fn send(&mut self, runner: &mut Runner, last: usize) {
        let mut batch: Vec<(usize, Remote)> = Vec::new();
        let mut place: Option<(Target, String)> = None;
        'items: for index in self.at..last {
            let one = &mut self.invocations[index];
            if one.outcome.is_some() {
                continue;
            }
            let Some(target) = one.target.clone() else {
                break;
            };
            while let Some(next) = one.queue.front() {
                let same = place
                    .as_ref()
                    .is_none_or(|(known, module)| *module == next.module && known.same(&target));
                if !same {
                    break 'items;
                }
                place.get_or_insert_with(|| (target.clone(), next.module.clone()));
                if let Some(remote) = one.queue.pop_front() {
                    batch.push((index, remote));
                }
            }
        }
        let Some((target, module)) = place else {
            self.finished = Some(Outcome::failed(Error::new(
                Kind::Internal,
                "nothing to send",
            )));
            return;
        };
        let request = self.request(runner, &target, module, &batch);
        match request {
            Ok((request, blobs)) => {
                self.sent = batch.iter().map(|(index, _)| *index).collect();
                self.wait = Some(Wait::Reply(request.id));
                runner.send(&target, request, blobs);
            }
            Err(error) => self.finished = Some(Outcome::failed(wrap(error))),
        }
    }

    fn request(
        &mut self,
        runner: &mut Runner,
        target: &Target,
        module: String,
        batch: &[(usize, Remote)],
    ) -> Result<(Request, Vec<Vec<u8>>)> {
        let mut blobs = Vec::new();
        let mut items = Vec::with_capacity(batch.len());
        for (_, remote) in batch {
            let content = remote.content.as_ref().map(|bytes| {
                blobs.push(bytes.clone());
                blobs.len() - 1
            });
            let args = Value::Dict(remote.args.clone()).to_wire()?;
            items.push(WireItem {
                args,
                content,
                bytes: Vec::new(),
            });
        }
        let timeout = match &self.task.settings.timeout {
            Some(value) => {
                let rendered = self.templar.render(value)?;
                rendered
                    .as_i64()
                    .or_else(|| rendered.to_str().trim().parse().ok())
                    .unwrap_or(0)
                    .max(0)
            }
            None => 0,
        };
        let mut settings = BTreeMap::new();
        if let Some(force) = &runner.options.kube_force {
            settings.insert("kube_force".to_owned(), force.clone());
        }
        let request = Request {
            id: runner.next_id(),
            module,
            items,
            check: self.check,
            diff: self.diff,
            environment: target.environment.clone(),
            r#become: target.r#become.clone(),
            become_password: None,
            timeout: timeout as u64,
            settings,
        };
        Ok((request, blobs))
    }

    /// Takes the answer to the request it waits for.
    pub(super) fn reply(&mut self, runner: &mut Runner, reply: &Reply) {
        self.wait = None;
        let sent = std::mem::take(&mut self.sent);
        for (position, index) in sent.iter().enumerate() {
            let result = reply.results.get(position).map_or_else(
                || actions::failed("the host gave no result"),
                |wire| match Value::from_wire(wire) {
                    Value::Dict(dict) => dict,
                    other => {
                        actions::failed(format!("expected a result, found {}", other.type_name()))
                    }
                },
            );
            match result.get("timedout") {
                Some(limit) => self.stopped(runner.level, *index, limit),
                None => self.take_result(runner, *index, result),
            }
        }
    }

    /// Takes note that an invocation was stopped at the task's time limit: nothing is judged or
    /// tried again then.
    fn stopped(&mut self, level: Level, index: usize, limit: Value) {
        let seconds = match &limit {
            Value::Dict(limit) => limit.get("period").unwrap_or(Value::None),
            _ => Value::None,
        };
        let message = level.timed_out(&self.task.action.name, &seconds);
        let error = Error::new(Kind::Module, "Task failed")
            .at(self.task.span)
            .caused_by(Error::new(Kind::Module, message.clone()));
        let outcome = Outcome::failed(error);
        if !level.shows_error_blocks() {
            outcome.result.set("msg", message);
        }
        outcome.result.set("timedout", limit);
        let one = &mut self.invocations[index];
        one.queue.clear();
        one.outcome = Some(outcome);
    }

    fn take_result(&mut self, runner: &mut Runner, index: usize, result: Dict) {
        self.apply_facts(runner, &result);
        let one = &mut self.invocations[index];
        let failed = result.get("failed").is_some_and(|value| value.truth());
        let Some(sum) = one.sum.clone() else {
            one.outcome = Some(Outcome::of(result));
            return;
        };
        if failed {
            one.queue.clear();
            one.outcome = Some(Outcome::of(result));
            return;
        }
        if result.get("changed").is_some_and(|value| value.truth()) {
            sum.set("changed", true);
        }
        if let Some(facts) = result.get("ansible_facts") {
            sum.set("ansible_facts", facts);
        }
        if let Some(Value::List(new)) = result.get("diff").map(listed) {
            let all = match sum.get("diff") {
                Some(Value::List(all)) => all,
                _ => crate::value::List::default(),
            };
            all.borrow_mut().extend(new.to_vec());
            sum.set("diff", all);
        }
        if one.queue.is_empty() {
            one.outcome = Some(Outcome::of(sum));
        }
    }

    /// Takes note that the host can't be reached.
    pub(super) fn lost(&mut self, message: &str) {
        self.wait = None;
        self.unreachable = Some(message.to_owned());
        let result = Dict::new();
        result.set("unreachable", true);
        result.set("msg", message);
        result.set("changed", false);
        self.finished = Some(Outcome::of(result));
    }

    /// Stores facts that a result carries.
    fn apply_facts(&self, runner: &Runner, result: &Dict) {
        let Some(Value::Dict(facts)) = result.get("ansible_facts") else {
            return;
        };
        let delegate_facts = self
            .task
            .settings
            .delegate_facts
            .as_ref()
            .is_some_and(|value| self.keyword_bool("delegate_facts", value).unwrap_or(false));
        let host = match (&self.delegated, delegate_facts) {
            (Some(delegated), true) => delegated.as_str(),
            _ => &self.host,
        };
        for host in runner.fact_hosts(&self.task, host) {
            match self.task.action.resolved.as_str() {
                "set_fact" => {
                    for (key, value) in facts.to_vec() {
                        if let Some(name) = key.as_str() {
                            runner.store.set_fact(&host, name, value);
                        }
                    }
                }
                "include_vars" => runner.store.add_include_vars(&host, &facts),
                _ => runner.store.add_facts(&host, &facts),
            }
        }
        for key in facts.keys() {
            if let Some(name) = key.as_str() {
                self.templar.forget(name);
            }
        }
        self.templar.forget("ansible_facts");
    }

    /// Judges a settled invocation: retries it, or tells about it.
    fn settle(&mut self, runner: &mut Runner, index: usize) {
        if let Some(item) = self.invocations[index].item.clone() {
            let _ = self.set_item(index, &item);
        }
        let Some(mut outcome) = self.invocations[index].outcome.take() else {
            return;
        };
        judge::complete(&mut outcome);
        let carried_out = outcome.error.is_none() && !outcome.is("skipped");
        if outcome.is("failed") && outcome.error.is_none() {
            outcome.error = Some(self.module_error(&outcome));
        }
        if carried_out {
            judge::judge(&self.task.clone(), &self.view, &self.templar, &mut outcome);
            if self.try_again(runner, index, &mut outcome) {
                return;
            }
            if outcome.is("failed") && outcome.error.is_none() {
                outcome.error = Some(self.module_error(&outcome));
            }
        }
        if outcome.is("failed") && !outcome.result.contains("exception") {
            outcome.result.set("exception", "(traceback unavailable)");
        }
        if let Some(item) = self.invocations[index].item.clone() {
            self.label(&item, &mut outcome);
            self.notes.push(Note::Item(outcome.clone()));
        }
        self.invocations[index].outcome = Some(outcome);
    }

    fn module_error(&self, outcome: &Outcome) -> Error {
        let message = outcome
            .result
            .get("msg")
            .map_or_else(|| "unknown error".to_owned(), |m| m.to_str());
        let by_action = actions::find(&self.task.action.resolved).is_some();
        let what = if by_action {
            "Action failed"
        } else {
            "Module failed"
        };
        Error::new(Kind::Module, "Task failed")
            .at(self.task.span)
            .caused_by(Error::new(Kind::Module, what).caused_by(Error::new(Kind::Module, message)))
    }

    /// Schedules another attempt where `until` is not satisfied and one is left.
    fn try_again(&mut self, runner: &mut Runner, index: usize, outcome: &mut Outcome) -> bool {
        if self.task.until.is_empty() && self.task.retries.is_none() {
            return false;
        }
        let number = |value: &Option<Value>, default: f64| {
            value.as_ref().map_or(default, |value| {
                self.templar
                    .render(value)
                    .ok()
                    .and_then(|v| v.as_f64().or_else(|| v.to_str().trim().parse().ok()))
                    .unwrap_or(default)
            })
        };
        let retries = number(&self.task.retries, 3.0) as i64;
        let delay = number(&self.task.delay, 5.0).max(0.0);
        self.invocations[index].attempts += 1;
        let attempts = self.invocations[index].attempts;
        outcome.result.set("attempts", attempts);
        match judge::is_enough(&self.task, &self.view, &self.templar, outcome) {
            Ok(true) => return false,
            Ok(false) => {}
            Err(error) => {
                *outcome = Outcome::failed(wrap(error));
                return false;
            }
        }
        // As observed: `retries: N` makes N + 1 attempts, and the count shown stops at N.
        if attempts > retries {
            outcome.result.set("attempts", retries);
            outcome.result.set("failed", true);
            if outcome.error.is_none() {
                outcome.error = Some(self.module_error(outcome));
            }
            return false;
        }
        self.notes.push(Note::Retry {
            left: retries - attempts + 1,
            outcome: outcome.clone(),
        });
        let one = &mut self.invocations[index];
        one.prepared = false;
        one.outcome = None;
        one.queue.clear();
        self.wait = Some(Wait::Until(Instant::now() + Duration::from_secs_f64(delay)));
        let _ = runner;
        true
    }

    /// Writes the item and its label into an item's result.
    fn label(&self, item: &Value, outcome: &mut Outcome) {
        let name = self.loop_var().unwrap_or_else(|_| "item".to_owned());
        outcome.result.set(&name, item.clone());
        outcome.result.set("ansible_loop_var", name.as_str());
        let control = &self.task.loop_control;
        if control.index_var.is_some() {
            for key in ["ansible_index_var"] {
                if let Some(value) = crate::template::Variables::get(self.view.as_ref(), key) {
                    let index_name = value.to_str();
                    if let Some(index) =
                        crate::template::Variables::get(self.view.as_ref(), &index_name)
                    {
                        outcome.result.set(&index_name, index);
                    }
                    outcome.result.set(key, value);
                }
            }
        }
        if control.extended.is_some()
            && let Some(value) = crate::template::Variables::get(self.view.as_ref(), "ansible_loop")
        {
            outcome.result.set("ansible_loop", value);
        }
        let label = match &control.label {
            Some(label) => self.templar.render(label).unwrap_or_else(|_| Value::None),
            None => item.clone(),
        };
        outcome.result.set("_ansible_item_label", label);
    }

    fn finish(&mut self) {
        if self.finished.is_some() {
            return;
        }
        if self.is_loop {
            let items: Vec<Outcome> = self
                .invocations
                .iter()
                .filter_map(|one| one.outcome.clone())
                .collect();
            self.finished = Some(judge::sum_up(items));
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
            target: None,
            outcome: None,
            attempts: 0,
            prepared: false,
        }
    }
}

/// Puts "Task failed" around an error, once.
fn wrap(error: Error) -> Error {
    if error.message() == "Task failed" {
        return error;
    }
    Error::new(Kind::Module, "Task failed").caused_by(error)
}

fn listed(value: Value) -> Value {
    match value {
        Value::List(_) => value,
        other => Value::list(vec![other]),
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
