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

/// Notifies the handlers that a changed task names, on some hosts.
///
/// # Errors
/// A name that no handler has.
pub(super) fn notify(
    runner: &mut Runner,
    batch: &mut Batch,
    task: &Rc<Task>,
    job: &Job,
    hosts: &[Rc<str>],
) -> Result<()> {
    let handlers = all(batch);
    for wanted in &task.settings.notify {
        let rendered = job.templar().render(wanted)?;
        let names = match &rendered {
            Value::List(list) => list.to_vec(),
            one => vec![one.clone()],
        };
        for name in names.iter().map(Value::to_str) {
            let mut found = Vec::new();
            // The last definition of a name wins.
            for handler in handlers.iter().rev() {
                if is_named(runner, batch, handler, &name, &job.host) {
                    found.push(handler.id);
                    break;
                }
            }
            for handler in &handlers {
                if handler.listen.contains(&name) && !found.contains(&handler.id) {
                    found.push(handler.id);
                }
            }
            if found.is_empty() {
                return Err(Error::new(
                    Kind::NotFound,
                    format!(
                        "The requested handler '{name}' was not found in either the main handlers list nor in the listening handlers list"
                    ),
                ));
            }
            for host in hosts {
                for id in &found {
                    if batch.notified.entry(host.clone()).or_default().insert(*id) {
                        runner.report.notified(&name, host);
                    }
                }
            }
        }
    }
    Ok(())
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
    for handler in handlers {
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
