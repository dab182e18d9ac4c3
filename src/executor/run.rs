//! A run: playbooks in order, and what all of its parts share.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;

use super::connection::Target;
use super::options::Options;
use super::report::Reporter;
use super::task::IDLE;
use crate::agent::message::Request;
use crate::agent::{Event, Pool};
use crate::compat::Level;
use crate::diag::{Error, Kind, Notice, Result, Sources};
use crate::playbook::{Loader, Playbook, Task};
use crate::template::{Shared, Templar};
use crate::vars::{PlayNames, Store, View};

/// How a run ended; the numbers are `ansible-playbook`'s exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// All went well.
    Ok = 0,
    /// Something failed before or outside of tasks.
    Error = 1,
    /// A host failed.
    Failed = 2,
    /// A host could not be reached.
    Unreachable = 4,
}

/// Everything that a run's parts share; owned by one thread.
pub struct Runner {
    /// What the run is asked to do.
    pub options: Options,
    /// All texts.
    pub sources: Sources,
    /// The compatibility level.
    pub level: Level,
    /// Variables.
    pub store: Store,
    /// What all templating shares.
    pub templates: Rc<Shared>,
    /// Loads what includes name.
    pub loader: Loader,
    /// Tells people and programs.
    pub(super) report: Reporter,
    pub(super) pool: Pool,
    pub(super) events: Receiver<Event>,
    /// Hosts that left: failed or not reachable; they take no part in later plays.
    pub(super) lost_hosts: HashSet<Rc<str>>,
    pub(super) current: Option<Rc<PlayNames>>,
    pub(super) next: u64,
    pub(super) started: bool,
    /// Host and role identity of roles that ran.
    pub(super) roles_done: HashMap<Rc<str>, HashSet<String>>,
    /// What the options say of how hosts are reached.
    pub(super) reach: Rc<super::reached::Defaults>,
    counted: Vec<serde_json::Value>,
}

impl Runner {
    /// Puts a run together.
    pub fn new(
        options: Options,
        sources: Sources,
        level: Level,
        store: Store,
        loader: Loader,
        report: Reporter,
        pool: Pool,
        events: Receiver<Event>,
    ) -> Runner {
        let templates = store.run_names().templates.clone();
        let started = options.start_at_task.is_none();
        let reach = Rc::new(super::reached::Defaults::of(&options));
        Runner {
            reach,
            options,
            sources,
            level,
            store,
            templates,
            loader,
            report,
            pool,
            events,
            lost_hosts: HashSet::new(),
            current: None,
            next: 0,
            started,
            roles_done: HashMap::new(),
            counted: Vec::new(),
        }
    }

    /// Runs playbooks in order and says how it went.
    ///
    /// # Errors
    /// What ends the run at once: errors outside of tasks.
    pub fn run(&mut self, playbooks: &[Playbook]) -> Result<Status> {
        let mut worst = Status::Ok;
        let mut outcome = Ok(());
        'all: for playbook in playbooks {
            self.report.playbook_start(playbook, self.options.check);
            for play in &playbook.plays {
                match self.play(play) {
                    Ok(ended) => {
                        worst = ended.status.max(worst);
                        if ended.stop {
                            break 'all;
                        }
                    }
                    Err(error) => {
                        outcome = Err(error);
                        break 'all;
                    }
                }
            }
        }
        for (host, counters) in self.pool.counters() {
            let mut one = counters.to_json();
            one["host"] = serde_json::Value::String(host);
            self.counted.push(one);
        }
        self.pool.close_all();
        outcome?;
        self.report.recap(&self.store);
        if let (false, Some(wanted)) = (self.started, &self.options.start_at_task) {
            self.report.notice(Notice::error(format!(
                "No matching task \"{wanted}\" found. Note: --start-at-task can only follow static includes."
            )));
        }
        Ok(worst)
    }

    /// Returns what crossed the wire, per connection, as JSON.
    pub fn counters(&self) -> String {
        serde_json::Value::Array(self.counted.clone()).to_string()
    }

    /// Returns a number that no other request of this run has.
    pub(super) fn next_id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Sends a request to where its task runs.
    pub(super) fn send(&mut self, target: &Target, request: Request, blobs: Vec<Vec<u8>>) {
        self.pool.ensure(&target.key, &target.spec);
        self.pool
            .send(&target.key, request, blobs, target.become_password.clone());
    }

    /// Waits for the next event, at most until a moment.
    ///
    /// # Errors
    /// When nothing can come any more.
    pub(super) fn wait(&mut self, moment: Option<Instant>) -> Result<Option<Event>> {
        let now = Instant::now();
        let left = moment.map_or(IDLE, |at| at.saturating_duration_since(now).min(IDLE));
        self.report.tick();
        self.stop_if_interrupted()?;
        match self.events.recv_timeout(left) {
            Ok(event) => Ok(Some(event)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => {
                Err(Error::new(Kind::Internal, "the connections are gone"))
            }
        }
    }

    /// Ends the run when the user has asked for that.
    ///
    /// # Errors
    /// Ansible's words for it.
    pub(super) fn stop_if_interrupted(&self) -> Result<()> {
        if self.options.interrupted.load(Ordering::Relaxed) {
            return Err(Error::new(Kind::Interrupted, "User interrupted execution"));
        }
        Ok(())
    }

    /// Returns a templar for a host's variables as a task sees them.
    pub(super) fn templar(
        &self,
        host: &str,
        play: Option<&Rc<PlayNames>>,
        task: Option<&Task>,
    ) -> Templar {
        let view = Rc::new(View::new(&self.store, host, play, task));
        Templar::new(self.templates.clone(), view)
    }

    /// Returns the play that is running.
    pub(super) fn current_play(&self) -> Option<Rc<PlayNames>> {
        self.current.clone()
    }

    /// Returns the directory of the file that a task is written in.
    pub(super) fn task_dir(&self, task: &Task) -> PathBuf {
        let file = PathBuf::from(self.sources.name(task.span.source).as_ref());
        file.parent().map(PathBuf::from).unwrap_or_default()
    }

    /// Returns the hosts that get a task's facts: all of the batch for `run_once`.
    pub(super) fn fact_hosts(&self, task: &Task, host: &str) -> Vec<String> {
        match (&self.current, self.is_run_once(task, host)) {
            (Some(play), true) => play.batch(),
            _ => vec![host.to_owned()],
        }
    }

    /// Says whether a task runs on one host for all.
    pub(super) fn is_run_once(&self, task: &Task, host: &str) -> bool {
        let Some(value) = &task.settings.run_once else {
            return false;
        };
        match value {
            crate::value::Value::Bool(on) => *on,
            other => {
                let play = self.current.clone();
                let templar = self.templar(host, play.as_ref(), Some(task));
                templar
                    .render(other)
                    .ok()
                    .and_then(|v| crate::template::to_bool(&v))
                    .unwrap_or(false)
            }
        }
    }
}

impl Status {
    fn max(self, other: Status) -> Status {
        if (self as u8) >= (other as u8) {
            self
        } else {
            other
        }
    }
}
