//! The linear strategy: every task on all hosts whose turn it is, one after the other.
//!
//! **Source:** "Controlling playbook execution: strategies and more" of Ansible's documentation,
//! and what `ansible-playbook` was seen to do.

use std::collections::HashSet;
use std::rc::Rc;

use super::batch::Batch;
use super::cursor::{Cursor, Order, Step};
use super::job::Job;
use super::run::Runner;
use super::{include, meta, task};
use crate::diag::{Notice, Result};
use crate::playbook::{Item, Task};
use crate::template::Templar;
use crate::value::{Str, Value};
use crate::vars::PlayNames;

impl Runner {
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
            batch.failed_now.clear();
            self.step(batch, &task, &hosts)?;
            let failed = std::mem::take(&mut batch.failed_now);
            self.judge_batch(batch, &task, &failed);
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
        let once = task.action.resolved == "add_host"
            || hosts
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
        self.load_vars_files(&play, on, true)?;
        let title = self.title(&play, task, on.first().map_or("localhost", |host| host));
        let check = match &task.settings.check_mode {
            Some(own) => crate::template::to_bool(own).unwrap_or(self.options.check),
            None => self.options.check,
        };
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
        let shown = match &task.name {
            Some(Value::Str(name)) if written.contains("{{") || written.contains("{%") => {
                self.rendered_name(name, &self.templar(host, Some(play), Some(task)))
            }
            _ => written.to_string(),
        };
        match &task.role {
            Some(role) if !task.implicit => {
                let role_name = if role.collection.is_empty() {
                    role.name.clone()
                } else {
                    format!("{}.{}", role.collection, role.name)
                };
                let is_named = task
                    .name
                    .as_ref()
                    .and_then(Value::as_str)
                    .is_some_and(|name| !name.is_empty());
                if is_named && self.level.role_is_implied(&role_name, &written) {
                    return shown;
                }
                format!("{role_name} : {shown}")
            }
            _ => shown,
        }
    }

    /// Renders a name; what can't be rendered stays as written, or says why, as the level has it.
    fn rendered_name(&self, name: &Str, templar: &Templar) -> String {
        if let Ok(rendered) = templar.render(&Value::Str(name.clone())) {
            return rendered.to_str();
        }
        if !self.level.shows_errors_in_names() {
            return name.to_string();
        }
        let mut out = String::new();
        let mut errors = Vec::new();
        let mut rest = name.as_str();
        while let Some(begin) = rest.find("{{") {
            let Some(length) = rest[begin..].find("}}") else {
                break;
            };
            let end = begin + length + 2;
            out.push_str(&rest[..begin]);
            match templar.render(&Value::Str(name.like(&rest[begin..end]))) {
                Ok(value) => out.push_str(&value.to_str()),
                Err(error) => {
                    let said = format!("error {} - {}", errors.len() + 1, error.full_message());
                    out.push_str(&format!("<< {said} >>"));
                    errors.push(said);
                }
            }
            rest = &rest[end..];
        }
        out.push_str(rest);
        let plural = if errors.len() == 1 { "" } else { "s" };
        self.sources.note(
            Notice::warning(format!(
                "Encountered {} template error{plural}.\n{}",
                errors.len(),
                errors.join("\n")
            ))
            .at(name.span()),
        );
        out
    }

    /// Says whether no host has a task left, `always` sections included.
    pub(super) fn nothing_left(&mut self, batch: &mut Batch) -> bool {
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
