//! One task on all its hosts at once: the only place that waits.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::job::{Job, Wait};
use super::run::Runner;
use crate::agent::Event;
use crate::diag::{Error, Kind, Result};
use crate::playbook::Task;
use crate::vars::PlayNames;

/// Runs a task on hosts. `tell` is called in host order: with notes as they come for the first
/// host that is not done, and once per host when its outcome is there.
///
/// # Errors
/// When the connections' threads are gone.
pub(super) fn run(
    runner: &mut Runner,
    play: &Rc<PlayNames>,
    task: &Rc<Task>,
    hosts: &[Rc<str>],
    tell: &mut dyn FnMut(&mut Runner, &mut Job),
) -> Result<()> {
    runner.stop_if_interrupted()?;
    let bound = match throttle(runner, play, task, hosts)? {
        0 => hosts.len(),
        bound => bound,
    };
    let mut jobs: Vec<Job> = Vec::with_capacity(hosts.len());
    let mut told = 0;
    while told < hosts.len() {
        while jobs.len() < hosts.len()
            && jobs[told..].iter().filter(|job| !is_done(job)).count() < bound
        {
            let mut job = Job::new(runner, play, task, &hosts[jobs.len()]);
            job.step(runner);
            jobs.push(job);
        }
        let mut moment: Option<Instant> = None;
        for job in &mut jobs[told..] {
            if let Wait::Until(at) = job.step(runner) {
                moment = Some(moment.map_or(at, |known| known.min(at)));
            }
        }
        while told < jobs.len() {
            let done = is_done(&jobs[told]);
            tell(runner, &mut jobs[told]);
            if !done {
                break;
            }
            told += 1;
        }
        let open = jobs[told..].iter().any(|job| !is_done(job));
        if !open {
            continue;
        }
        if let Some(event) = runner.wait(moment)? {
            deliver(runner, &mut jobs[told..], &event);
        }
    }
    Ok(())
}

fn is_done(job: &Job) -> bool {
    job.outcome().is_some() || job.unreachable().is_some()
}

fn deliver(runner: &mut Runner, jobs: &mut [Job], event: &Event) {
    match event {
        Event::Reply(_, reply) => {
            if let Some(job) = jobs.iter_mut().find(|job| job.waits_for(reply.id)) {
                job.reply(runner, reply);
            }
        }
        Event::Unreachable(key, message) => {
            for job in jobs.iter_mut().filter(|job| job.waits_at(key)) {
                job.lost(message);
            }
        }
    }
}

/// Returns how many hosts may run the task at once: the smaller of `throttle` and `forks`; zero is
/// no bound.
fn throttle(
    runner: &Runner,
    play: &Rc<PlayNames>,
    task: &Task,
    hosts: &[Rc<str>],
) -> Result<usize> {
    let forks = runner.options.forks;
    let Some(value) = &task.settings.throttle else {
        return Ok(forks);
    };
    let Some(host) = hosts.first() else {
        return Ok(forks);
    };
    let templar = runner.templar(host, Some(play), Some(task));
    let rendered = templar.render(value)?;
    let number = rendered
        .as_i64()
        .or_else(|| rendered.to_str().trim().parse().ok())
        .ok_or_else(|| {
            Error::new(
                Kind::Value,
                format!("Failed to convert the throttle value to an integer: {rendered}"),
            )
        })?;
    let number = number.max(0) as usize;
    Ok(match (number, forks) {
        (0, forks) => forks,
        (number, 0) => number,
        (number, forks) => number.min(forks),
    })
}

/// How long to wait at most when nothing is due: events come through the channel.
pub(super) const IDLE: Duration = Duration::from_millis(250);
