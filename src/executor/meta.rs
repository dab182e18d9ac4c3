//! `meta`: tasks that steer the run itself.

use std::rc::Rc;

use super::batch::Batch;
use super::handlers;
use super::run::Runner;
use crate::diag::{Error, Kind, Result};
use crate::playbook::Task;

/// Carries a `meta` task out for the hosts whose turn it is.
///
/// # Errors
/// An action that doesn't exist or isn't supported; a condition that can't be evaluated.
pub(super) fn run(
    runner: &mut Runner,
    batch: &mut Batch,
    task: &Rc<Task>,
    hosts: &[Rc<str>],
) -> Result<()> {
    let name = task
        .action
        .args
        .get("_raw_params")
        .map(|value| value.to_str())
        .unwrap_or_default();
    for host in hosts {
        if let Some(cursor) = batch.cursors.get_mut(host) {
            cursor.advance();
        }
    }
    // Those that are about one host have a heading for each; the others run for the first host.
    let per_host = matches!(
        name.trim(),
        "noop" | "reset_connection" | "end_host" | "end_role" | "flush_handlers"
    );
    let asked = if per_host {
        hosts
    } else {
        &hosts[..hosts.len().min(1)]
    };
    let mut on = Vec::new();
    for host in asked {
        let templar = runner.templar(host, Some(&batch.play.clone()), Some(task));
        if runner.level.tells_meta_tasks() {
            let title = runner.title(&batch.play.clone(), task, host);
            runner.report.task_start(task, &title, runner.options.check);
        }
        if super::judge::all(&templar, &task.settings.when).map_err(|error| error.at(task.span))? {
            on.push(host.clone());
        } else if runner.level.tells_meta_tasks() {
            runner.report.meta_skipped(task, host);
        }
    }
    if !per_host && !on.is_empty() {
        on = hosts.to_vec();
    }
    let Some(first) = on.first().cloned() else {
        return Ok(());
    };
    match name.trim() {
        "noop" => {}
        "flush_handlers" => handlers::flush(runner, batch)?,
        "clear_facts" => {
            for host in &on {
                runner.store.clear_facts(host);
            }
        }
        "clear_host_errors" => {
            batch.failed.clear();
            batch.unreachable.clear();
            runner.lost_hosts.clear();
            for cursor in batch.cursors.values_mut() {
                cursor.clear_failure();
            }
        }
        "end_host" => {
            for host in &on {
                batch.ended.insert(host.clone());
                runner.report.meta(&format!("ending play for {host}"), host);
            }
        }
        "end_play" => {
            runner.report.meta("ending play", &first);
            batch.over = true;
            batch.play_over = true;
        }
        "end_batch" => {
            runner.report.meta("ending batch", &first);
            batch.over = true;
        }
        "end_role" => {
            for host in &on {
                if let Some(cursor) = batch.cursors.get_mut(host) {
                    cursor.leave_role();
                }
                runner.report.meta(&format!("ending role for {host}"), host);
            }
        }
        "reset_connection" => {
            for host in &on {
                runner.pool.reset_host(host);
            }
        }
        "refresh_inventory" => {
            return Err(Error::new(
                Kind::Unsupported,
                "`meta: refresh_inventory` is not supported",
            )
            .at(task.span));
        }
        other => {
            return Err(Error::new(Kind::Parse, format!("invalid meta action requested: {other}"))
                .at(task.span)
                .help("known: clear_facts, clear_host_errors, end_batch, end_host, end_play, end_role, flush_handlers, noop, reset_connection"));
        }
    }
    Ok(())
}
