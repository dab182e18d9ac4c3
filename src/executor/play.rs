//! A play: its hosts, batches, phases; the linear strategy; what failures do to the play.
//!
//! **Source:** "Controlling playbook execution: strategies and more" and "Error handling in
//! playbooks" of Ansible's documentation, and what `ansible-playbook` was seen to do.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::cursor::{AfterFailure, Cursor, Order, Step};
use super::run::{Runner, Status};
use super::{handlers, include, meta, task};
use crate::diag::{Error, Kind, Result};
use crate::executor::job::Job;
use crate::playbook::{Item, Play, Task};
use crate::value::Value;
use crate::vars::PlayNames;

/// How a play ended.
pub(super) struct Ended {
    pub status: Status,
    /// Nothing may follow: all hosts of a batch failed.
    pub stop: bool,
}

/// The hosts of a batch and what became of them.
pub(super) struct Batch {
    pub play: Rc<PlayNames>,
    /// In order; those that left stay listed.
    pub hosts: Vec<Rc<str>>,
    pub failed: HashSet<Rc<str>>,
    pub unreachable: HashSet<Rc<str>>,
    /// Hosts that `meta: end_host` took out, without blame.
    pub ended: HashSet<Rc<str>>,
    /// Handlers notified, per host, by task id.
    pub notified: HashMap<Rc<str>, HashSet<u64>>,
    pub cursors: HashMap<Rc<str>, Cursor>,
    pub order: Order,
    /// `meta: end_play` or `end_batch`.
    pub over: bool,
    /// `meta: end_play`: no further batch.
    pub play_over: bool,
}

impl Batch {
    /// Says whether a host still takes part.
    pub(super) fn is_in(&self, host: &str) -> bool {
        !self.failed.contains(host)
            && !self.unreachable.contains(host)
            && !self.ended.contains(host)
    }

    /// Returns the hosts that still take part, in order.
    pub(super) fn live(&self) -> Vec<Rc<str>> {
        self.hosts
            .iter()
            .filter(|host| self.is_in(host))
            .cloned()
            .collect()
    }

    fn drop_host(&self, host: &str) {
        self.play.drop_host(host);
    }
}

impl Runner {
    /// Runs one play.
    ///
    /// # Errors
    /// What ends the run: a wrong pattern, a task that can't be loaded.
    pub(super) fn play(&mut self, play: &Rc<Play>) -> Result<Ended> {
        self.current = None;
        self.loader.enter(&play.dir);
        let names = Rc::new(PlayNames::new(play.clone(), Vec::new()));
        let base = self.templar("localhost", Some(&names), None);
        let pattern = pattern_text(
            &base
                .render(&play.hosts)
                .map_err(|error| place(error, play))?,
        )?;
        let matched = self.hosts_of(&pattern)?;
        let order = match &play.order {
            Some(order) => base.render(order)?.to_str(),
            None => "inventory".to_owned(),
        };
        let hosts: Vec<Rc<str>> = ordered(matched, &order)?
            .iter()
            .map(|host| host.as_str().into())
            .collect();
        let all: Vec<String> = hosts.iter().map(ToString::to_string).collect();
        let names = Rc::new(PlayNames::new(play.clone(), all));
        let title = match &play.name {
            Some(name) => base
                .render(name)
                .map_or_else(|_| name.to_str(), |name| name.to_str()),
            None => pattern.clone(),
        };
        self.check_keywords(play)?;
        self.report.play_start(play, &title, self.options.check);
        if hosts.is_empty() {
            self.report.no_hosts_matched();
            return Ok(Ended {
                status: Status::Ok,
                stop: false,
            });
        }
        let hosts: Vec<Rc<str>> = hosts
            .into_iter()
            .filter(|host| !self.lost_hosts.contains(host))
            .collect();
        let strategy = match &play.strategy {
            Some(strategy) => base.render(strategy)?.to_str(),
            None => "linear".to_owned(),
        };
        if !matches!(
            strategy.rsplit('.').next(),
            Some("linear" | "mitogen_linear")
        ) {
            return Err(Error::new(
                Kind::Unsupported,
                format!("the strategy `{strategy}` is not supported"),
            )
            .at(play.span)
            .help("`linear` is"));
        }
        self.current = Some(names.clone());
        let mut ended = Ended {
            status: Status::Ok,
            stop: false,
        };
        let batches = self.batches(play, &names, hosts)?;
        for (number, batch) in batches.into_iter().enumerate() {
            if number > 0 {
                self.report.play_start(play, &title, self.options.check);
            }
            let batch = self.batch(play, &names, batch)?;
            if !batch.unreachable.is_empty() {
                ended.status = Status::Unreachable;
            } else if !batch.failed.is_empty() && ended.status != Status::Unreachable {
                ended.status = Status::Failed;
            }
            let gone = batch.failed.len() + batch.unreachable.len();
            if gone > 0 && gone == batch.hosts.len() {
                ended.stop = true;
                break;
            }
            if batch.play_over {
                break;
            }
        }
        Ok(ended)
    }

    /// Refuses a play whose own keywords have values of a wrong type.
    fn check_keywords(&self, play: &Play) -> Result<()> {
        let Some(Value::Str(written)) = &play.gather_facts else {
            return Ok(());
        };
        let is_fine = written.contains("{{")
            || crate::template::to_bool(&Value::Str(written.clone())).is_some();
        if is_fine || !self.level.checks_play_keywords() {
            return Ok(());
        }
        let (message, cause) = self.level.keyword_no_boolean("gather_facts", written);
        let own = self.level.places_keywords();
        let error = Error::new(Kind::Parse, message);
        let error = match written.span().filter(|_| own) {
            Some(span) => error.at(span),
            None => error.at(play.span),
        };
        Err(match (cause, written.span()) {
            (Some(cause), Some(span)) => error.caused_by(Error::new(Kind::Parse, cause).at(span)),
            _ => error,
        })
    }

    fn hosts_of(&mut self, pattern: &str) -> Result<Vec<String>> {
        let inventory = self.store.inventory().clone();
        let matched = inventory.borrow_mut().select(pattern)?;
        for warning in matched.warnings {
            self.report.notice(warning);
        }
        Ok(matched.hosts)
    }

    /// Splits a play's hosts as `serial` says.
    fn batches(
        &self,
        play: &Play,
        names: &Rc<PlayNames>,
        hosts: Vec<Rc<str>>,
    ) -> Result<Vec<Vec<Rc<str>>>> {
        let Some(first) = hosts.first().cloned() else {
            return Ok(Vec::new());
        };
        let templar = self.templar(&first, Some(names), None);
        let mut sizes = Vec::new();
        for size in &play.serial {
            let rendered = templar.render(size)?;
            let parts = match &rendered {
                Value::List(list) => list.to_vec(),
                one => vec![one.clone()],
            };
            for part in parts {
                sizes.push(batch_size(&part, hosts.len())?);
            }
        }
        let mut rest = hosts.as_slice();
        let mut batches = Vec::new();
        let mut number = 0;
        while !rest.is_empty() {
            let size = match sizes.get(number).or(sizes.last()) {
                Some(0) | None => rest.len(),
                Some(size) => (*size).min(rest.len()),
            };
            let (now, later) = rest.split_at(size);
            batches.push(now.to_vec());
            rest = later;
            number += 1;
        }
        Ok(batches)
    }

    fn batch(
        &mut self,
        play: &Rc<Play>,
        names: &Rc<PlayNames>,
        hosts: Vec<Rc<str>>,
    ) -> Result<Batch> {
        let list: Vec<String> = hosts.iter().map(ToString::to_string).collect();
        names.start_batch(&list);
        let mut batch = Batch {
            play: names.clone(),
            hosts,
            failed: HashSet::new(),
            unreachable: HashSet::new(),
            ended: HashSet::new(),
            notified: HashMap::new(),
            cursors: HashMap::new(),
            order: Order::default(),
            over: false,
            play_over: false,
        };
        self.roles_done.clear();
        self.load_vars_files(play, &batch)?;
        let mut first = self.gathering(play, &batch)?;
        first.extend(play.pre_tasks.iter().cloned());
        let mut middle = play.roles.clone();
        middle.extend(play.tasks.iter().cloned());
        for items in [first, middle, play.post_tasks.clone()] {
            if batch.over {
                break;
            }
            let items = self.selected(&items);
            self.phase(&mut batch, &items)?;
            if !batch.over || self.forces_handlers(play) {
                handlers::flush(self, &mut batch)?;
            }
        }
        for host in batch.failed.iter().chain(batch.unreachable.iter()) {
            self.lost_hosts.insert(host.clone());
        }
        Ok(batch)
    }

    /// Says whether handlers run on hosts that failed.
    pub(super) fn forces_handlers(&self, play: &Play) -> bool {
        match &play.force_handlers {
            Some(Value::Bool(force)) => *force,
            Some(other) => crate::template::to_bool(other).unwrap_or(false),
            None => self.options.force_handlers,
        }
    }

    /// Runs tasks on the batch, in lockstep.
    pub(super) fn phase(&mut self, batch: &mut Batch, items: &[Item]) -> Result<()> {
        batch.cursors = batch
            .live()
            .into_iter()
            .map(|host| (host, Cursor::new(items)))
            .collect();
        batch.order = Order::new(items);
        loop {
            if batch.over {
                return Ok(());
            }
            let mut next: Vec<(Rc<str>, Rc<Task>)> = Vec::new();
            for host in batch.hosts.clone() {
                if let Some(task) = self.next_task(batch, &host) {
                    next.push((host, task));
                }
            }
            let wanted: HashSet<u64> = next.iter().map(|(_, task)| task.id).collect();
            let Some(turn) = batch.order.turn(&wanted) else {
                return Ok(());
            };
            let hosts: Vec<Rc<str>> = next
                .iter()
                .filter(|(_, task)| task.id == turn)
                .map(|(host, _)| host.clone())
                .collect();
            let Some(task) = next
                .into_iter()
                .find(|(_, task)| task.id == turn)
                .map(|(_, task)| task)
            else {
                return Ok(());
            };
            self.step(batch, &task, &hosts)?;
            self.judge_batch(batch, &task);
        }
    }

    fn next_task(&mut self, batch: &mut Batch, host: &Rc<str>) -> Option<Rc<Task>> {
        if batch.unreachable.contains(host) || batch.ended.contains(host) {
            return None;
        }
        let done = self.roles_done.entry(host.clone()).or_default();
        let cursor = batch.cursors.get_mut(host)?;
        loop {
            match cursor.peek(done) {
                Step::Task(task) => return Some(task),
                Step::RoleEnd(role) => {
                    done.insert(role.identity.clone());
                }
                Step::End => return None,
            }
        }
    }

    /// Runs one task on the hosts whose turn it is.
    fn step(&mut self, batch: &mut Batch, task: &Rc<Task>, hosts: &[Rc<str>]) -> Result<()> {
        if !self.is_started(batch, task, hosts) {
            for host in hosts {
                advance(batch, host);
            }
            return Ok(());
        }
        if task.action.resolved == "meta" {
            return meta::run(self, batch, task, hosts);
        }
        let once = hosts
            .first()
            .is_some_and(|host| self.is_run_once(task, host));
        let on: &[Rc<str>] = if once { &hosts[..1] } else { hosts };
        for host in hosts {
            advance(batch, host);
        }
        let includes = self.run_task(batch, task, on, hosts)?;
        include::carry_out(self, batch, task, includes)
    }

    /// Runs a task that is not `meta`, tells about it, and returns what it includes.
    pub(super) fn run_task(
        &mut self,
        batch: &mut Batch,
        task: &Rc<Task>,
        on: &[Rc<str>],
        all: &[Rc<str>],
    ) -> Result<Vec<include::Wanted>> {
        let play = batch.play.clone();
        let title = self.title(&play, task, on.first().map_or("localhost", |host| host));
        let check = self.options.check;
        self.report.task_start(task, &title, check);
        let mut includes = Vec::new();
        let mut problem = Ok(());
        let once = on.len() < all.len();
        let is_include = matches!(
            task.action.resolved.as_str(),
            "include_tasks" | "include_role"
        );
        task::run(
            self,
            &play,
            task,
            on,
            &mut |runner: &mut Runner, job: &mut Job| {
                runner.report.notes(task, job);
                if job.outcome().is_none() {
                    return;
                }
                if is_include && job.unreachable().is_none() {
                    match include::wanted(runner, task, job) {
                        Ok(found) => includes.extend(found),
                        Err(error) => job.fail_with(error),
                    }
                }
                if let Err(error) =
                    runner.take_outcome(batch, task, job, if once { all } else { &[] })
                    && problem.is_ok()
                {
                    problem = Err(error);
                }
            },
        )?;
        problem.map(|()| includes)
    }

    /// Renders a task's name for the screen; a name that can't be rendered is shown as written.
    pub(super) fn title(&self, play: &Rc<PlayNames>, task: &Rc<Task>, host: &str) -> String {
        let written = task.title();
        let shown = if written.contains("{{") || written.contains("{%") {
            let templar = self.templar(host, Some(play), Some(task));
            task.name
                .as_ref()
                .and_then(|name| templar.render(name).ok())
                .map_or_else(|| written.to_string(), |name| name.to_str())
        } else {
            written.to_string()
        };
        match &task.role {
            Some(role) if !task.implicit => {
                let role_name = if role.collection.is_empty() {
                    role.name.clone()
                } else {
                    format!("{}.{}", role.collection, role.name)
                };
                format!("{role_name} : {shown}")
            }
            _ => shown,
        }
    }

    /// Takes a host's outcome into account: registers, notifies, fails, counts.
    fn take_outcome(
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
        let settings = &task.settings;
        let yes = |job: &Job, value: &Option<Value>| -> bool {
            value.as_ref().is_some_and(|value| {
                job.templar()
                    .render(value)
                    .ok()
                    .and_then(|v| crate::template::to_bool(&v))
                    .unwrap_or(false)
            })
        };
        if job.unreachable().is_some() {
            let ignored = yes(job, &settings.ignore_unreachable);
            self.report.unreachable(task, job, ignored);
            if ignored {
                return Ok(());
            }
            batch.unreachable.insert(host.clone());
            batch.drop_host(&host);
            return Ok(());
        }
        let failed = outcome.is("failed");
        if let Some(name) = &task.register {
            let registered = registered(&outcome.result);
            for name_of in registered_for(&host, also) {
                self.store.set_fact(&name_of, name, registered.clone());
            }
        }
        if failed {
            let ignored = yes(job, &settings.ignore_errors);
            if ignored {
                self.report.failed(task, job, true);
            } else {
                self.report.failed(task, job, false);
                let hosts: Vec<Rc<str>> = if also.is_empty() {
                    vec![host.clone()]
                } else {
                    also.to_vec()
                };
                for one in hosts {
                    self.fail_host(batch, task, &one, &outcome, one == host);
                }
                return Ok(());
            }
        }
        if outcome.is("changed") && !settings.notify.is_empty() {
            handlers::notify(self, batch, task, job, also)?;
        }
        if !failed {
            self.report.succeeded(task, job);
        }
        Ok(())
    }

    /// Records a failure of a host: a rescue takes over, or it leaves the play.
    pub(super) fn fail_host(
        &mut self,
        batch: &mut Batch,
        task: &Rc<Task>,
        host: &Rc<str>,
        outcome: &super::judge::Outcome,
        counts: bool,
    ) {
        let after = match batch.cursors.get_mut(host) {
            Some(cursor) => cursor.fail(),
            None => AfterFailure::Failed,
        };
        match after {
            AfterFailure::Rescued => {
                self.store
                    .set_fact(host, "ansible_failed_task", failed_task(task));
                self.store
                    .set_fact(host, "ansible_failed_result", registered(&outcome.result));
                if counts {
                    self.report.count_rescued(host);
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
    fn judge_batch(&mut self, batch: &mut Batch, task: &Rc<Task>) {
        let gone = batch.failed.len() + batch.unreachable.len();
        if gone == 0 {
            return;
        }
        let fatal = match &task.settings.any_errors_fatal {
            Some(value) => crate::template::to_bool(value).unwrap_or_else(|| {
                let templar = self.templar(&batch.hosts[0], Some(&batch.play), Some(task));
                templar
                    .render(value)
                    .ok()
                    .and_then(|v| crate::template::to_bool(&v))
                    .unwrap_or(false)
            }),
            None => self.options.any_errors_fatal,
        };
        let fatal = fatal
            && !task
                .settings
                .ignore_errors
                .as_ref()
                .is_some_and(Value::truth);
        let too_many = batch
            .play
            .play
            .max_fail_percentage
            .as_ref()
            .is_some_and(|limit| {
                let limit = limit
                    .as_f64()
                    .or_else(|| limit.to_str().trim_end_matches('%').parse().ok());
                limit
                    .is_some_and(|limit| (gone as f64) * 100.0 / (batch.hosts.len() as f64) > limit)
            });
        if fatal || too_many {
            for host in batch.live() {
                if let Some(cursor) = batch.cursors.get_mut(&host)
                    && cursor.fail() == AfterFailure::Failed
                {
                    batch.failed.insert(host.clone());
                    batch.drop_host(&host);
                }
            }
        }
        if batch.live().is_empty()
            && !batch.over
            && batch.ended.is_empty()
            && self.nothing_left(batch)
        {
            if fatal || too_many {
                self.report.no_hosts_left();
            }
            batch.over = true;
        }
    }

    /// Says whether no host has a task left, `always` sections included.
    fn nothing_left(&mut self, batch: &mut Batch) -> bool {
        for host in batch.hosts.clone() {
            if self.next_task(batch, &host).is_some() {
                return false;
            }
        }
        true
    }

    /// Says whether the task that `--start-at-task` names has been reached.
    fn is_started(&mut self, batch: &Batch, task: &Rc<Task>, hosts: &[Rc<str>]) -> bool {
        if self.started {
            return true;
        }
        let Some(wanted) = self.options.start_at_task.clone() else {
            return true;
        };
        if task.implicit {
            return true;
        }
        let host = hosts.first().map_or("localhost", |host| host);
        let title = self.title(&batch.play, task, host);
        let short = title.rsplit(" : ").next().unwrap_or(&title).to_owned();
        let matches = |text: &str| {
            text == wanted
                || globset::Glob::new(&wanted)
                    .is_ok_and(|glob| glob.compile_matcher().is_match(text))
        };
        if matches(&title) || matches(&short) || matches(&task.title()) {
            self.started = true;
        }
        self.started
    }
}

/// Moves a host past the task that is being run.
fn advance(batch: &mut Batch, host: &str) {
    if let Some(cursor) = batch.cursors.get_mut(host) {
        cursor.advance();
    }
}

fn registered_for(host: &Rc<str>, also: &[Rc<str>]) -> Vec<String> {
    if also.is_empty() {
        vec![host.to_string()]
    } else {
        also.iter().map(ToString::to_string).collect()
    }
}

/// Returns a result as `register` shows it: without private keys, with `failed`.
fn registered(result: &crate::value::Dict) -> Value {
    let clean = super::report::without_private(result);
    if !clean.contains("failed") {
        clean.set("failed", false);
    }
    Value::Dict(clean)
}

/// Returns what `ansible_failed_task` shows.
fn failed_task(task: &Task) -> Value {
    Value::dict([
        ("name", Value::str(task.title().as_ref())),
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

fn pattern_text(value: &Value) -> Result<String> {
    match value {
        Value::List(list) => {
            let parts: Vec<String> = list.to_vec().iter().map(Value::to_str).collect();
            Ok(parts.join(","))
        }
        Value::Str(text) => Ok(text.as_str().to_owned()),
        other => Err(Error::type_error(format!(
            "Hosts list must be a sequence or string. Please check your playbook. (found {})",
            other.type_name()
        ))),
    }
}

fn place(error: Error, play: &Play) -> Error {
    error.at(play.span)
}

/// Puts hosts in the order a play asks for.
fn ordered(mut hosts: Vec<String>, order: &str) -> Result<Vec<String>> {
    match order {
        "inventory" => {}
        "reverse_inventory" => hosts.reverse(),
        "sorted" => hosts.sort(),
        "reverse_sorted" => {
            hosts.sort();
            hosts.reverse();
        }
        "shuffle" => {
            use rand::seq::SliceRandom;
            hosts.shuffle(&mut rand::rng());
        }
        other => {
            return Err(Error::new(
                Kind::Value,
                format!("Invalid 'order' specified for inventory hosts: {other}"),
            ));
        }
    }
    Ok(hosts)
}

/// Returns how many hosts a `serial` entry means; zero is all.
fn batch_size(value: &Value, hosts: usize) -> Result<usize> {
    let text = value.to_str();
    let wrong = || {
        Error::new(
            Kind::Value,
            format!("`serial` is a number or a percentage, found `{text}`"),
        )
    };
    if let Some(percent) = text.strip_suffix('%') {
        let percent: f64 = percent.trim().parse().map_err(|_| wrong())?;
        return Ok(((percent / 100.0 * hosts as f64) as usize).max(1));
    }
    let number: i64 = text.trim().parse().map_err(|_| wrong())?;
    Ok(number.max(0) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_of_hosts_is_at_least_one() {
        assert_eq!(batch_size(&Value::str("30%"), 10).expect("size"), 3);
        assert_eq!(batch_size(&Value::str("1%"), 3).expect("size"), 1);
        assert_eq!(batch_size(&Value::from(2), 3).expect("size"), 2);
        assert!(batch_size(&Value::str("many"), 3).is_err());
    }

    #[test]
    fn a_pattern_may_be_a_list() {
        let list = Value::list(vec![Value::str("a"), Value::str("b")]);
        assert_eq!(pattern_text(&list).expect("text"), "a,b");
        assert!(pattern_text(&Value::from(1)).is_err());
    }
}
