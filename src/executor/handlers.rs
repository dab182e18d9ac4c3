//! Handlers: who is notified, and when they run.
//!
//! **Source:** "Handlers: running operations on change" of Ansible's documentation. A handler's
//! name may be given as `role : name`; of handlers with one name the last one defined is meant;
//! every handler that listens to a topic is meant by it.

use std::rc::Rc;

use super::batch::Batch;
use super::include;
use super::job::Job;
use super::run::Runner;
use crate::diag::{Error, Kind, Result};
use crate::playbook::{Item, Task};
use crate::value::Value;

/// Returns all handlers of the play in the order in which they run.
fn all(batch: &Batch) -> Vec<Rc<Task>> {
    fn walk(items: &[Item], out: &mut Vec<Rc<Task>>) {
        for item in items {
            match item {
                Item::Task(task) => out.push(task.clone()),
                Item::Block(block) => {
                    walk(&block.body, out);
                    walk(&block.rescue, out);
                    walk(&block.always, out);
                }
            }
        }
    }
    let mut out = Vec::new();
    walk(&batch.play.handlers(), &mut out);
    out
}

/// Notifies the handlers that a changed task names, on its host.
///
/// # Errors
/// A name that no handler has.
pub(super) fn notify(
    runner: &mut Runner,
    batch: &mut Batch,
    task: &Rc<Task>,
    job: &Job,
) -> Result<()> {
    let handlers = all(batch);
    for wanted in &task.settings.notify {
        let rendered = job.templar().render(wanted)?;
        let names = match &rendered {
            Value::List(list) => list.to_vec(),
            one => vec![one.clone()],
        };
        for name in names.iter().map(Value::to_str) {
            let found = meant(runner, batch, &handlers, &name, &job.host);
            if found.is_empty() {
                return Err(Error::new(
                    Kind::NotFound,
                    format!(
                        "The requested handler '{name}' was not found in either the main handlers list nor in the listening handlers list"
                    ),
                ));
            }
            if runner.level.saves_notifications() {
                runner.report.notification_saved(&name);
                let saved = batch.saved.entry(job.host.clone()).or_default();
                if !saved.contains(&name) {
                    saved.push(name);
                }
                continue;
            }
            let notified = batch.notified.entry(job.host.clone()).or_default();
            for id in found {
                if notified.insert(id) {
                    runner.report.notified(&name, &job.host);
                }
            }
        }
    }
    Ok(())
}

/// Returns the handlers that a name means: the last one defined with it, and all that listen.
fn meant(
    runner: &Runner,
    batch: &Batch,
    handlers: &[Rc<Task>],
    name: &str,
    host: &str,
) -> Vec<u64> {
    let named = handlers
        .iter()
        .rev()
        .find(|handler| is_named(runner, batch, handler, name, host));
    let listening = handlers
        .iter()
        .filter(|handler| handler.listen.iter().any(|topic| topic == name));
    let mut found: Vec<u64> = named.map(|handler| handler.id).into_iter().collect();
    for handler in listening {
        if !found.contains(&handler.id) {
            found.push(handler.id);
        }
    }
    found
}

/// Finds the handlers of the names that were saved: those that includes brought since count.
fn resolve_saved(runner: &mut Runner, batch: &mut Batch, handlers: &[Rc<Task>]) {
    let saved = std::mem::take(&mut batch.saved);
    for host in batch.hosts.clone() {
        for name in saved.get(&host).into_iter().flatten() {
            for id in meant(runner, batch, handlers, name, &host) {
                if batch.notified.entry(host.clone()).or_default().insert(id) {
                    runner.report.notified(name, &host);
                }
            }
        }
    }
}

fn is_named(runner: &Runner, batch: &Batch, handler: &Rc<Task>, name: &str, host: &str) -> bool {
    let title = runner.title(&batch.play, handler, host);
    if title == name {
        return true;
    }
    // `role : name`, and the name alone, both mean a role's handler.
    title
        .split_once(" : ")
        .is_some_and(|(_, short)| short == name)
}

/// Runs the handlers that were notified, in the order in which they are defined.
///
/// # Errors
/// What ends the run.
pub(super) fn flush(runner: &mut Runner, batch: &mut Batch) -> Result<()> {
    let forced = runner.forces_handlers(&batch.play.play);
    let cursors = std::mem::take(&mut batch.cursors);
    let handlers = all(batch);
    for handler in handlers.clone() {
        // A handler may have notified one that follows.
        resolve_saved(runner, batch, &handlers);
        let hosts: Vec<Rc<str>> = batch
            .hosts
            .iter()
            .filter(|host| !batch.unreachable.contains(*host) && !batch.ended.contains(*host))
            .filter(|host| forced || !batch.failed.contains(*host))
            .filter(|host| {
                batch
                    .notified
                    .get(*host)
                    .is_some_and(|ids| ids.contains(&handler.id))
            })
            .cloned()
            .collect();
        if hosts.is_empty() {
            continue;
        }
        for host in &hosts {
            if let Some(ids) = batch.notified.get_mut(host) {
                ids.remove(&handler.id);
            }
        }
        if handler.action.resolved == "meta" {
            super::meta::run(runner, batch, &handler, &hosts)?;
            continue;
        }
        let once = runner.is_run_once(&handler, &hosts[0]);
        let on: &[Rc<str>] = if once { &hosts[..1] } else { &hosts };
        let included = runner.run_task(batch, &handler, on, &hosts)?;
        include::run_now(runner, batch, &handler, included)?;
    }
    batch.cursors = cursors;
    for host in batch.failed.clone() {
        // A host that failed in a handler has nothing left to run.
        if let Some(cursor) = batch.cursors.get_mut(&host)
            && !cursor.is_failed()
        {
            cursor.finish();
        }
    }
    Ok(())
}
