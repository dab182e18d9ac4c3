//! What happens in a run, as plain data.

use super::Stats;
use crate::diag::{Error, Notice};
use crate::value::{Dict, Value};

/// How a task ended on a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultKind {
    /// Nothing changed.
    Ok,
    /// Something changed.
    Changed,
    /// A condition kept it from running.
    Skipped,
    /// It failed.
    Failed,
    /// The host could not be reached.
    Unreachable,
}

/// A result as it is shown: what belongs to a host, an item, a task.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The host.
    pub host: String,
    /// The host it was delegated to, and that host's address where it differs.
    pub delegated: Option<(String, Option<String>)>,
    /// How it ended.
    pub kind: ResultKind,
    /// The result, private keys included.
    pub result: Dict,
    /// The error behind a failure.
    pub error: Option<Error>,
    /// The item's label, for an item of a loop.
    pub item: Option<Value>,
    /// The task has a loop, over more than a list that is written without items.
    pub is_loop: bool,
    /// The module or action, short name.
    pub action: String,
    /// The failure is ignored.
    pub ignored: bool,
    /// Nothing of the result may be shown.
    pub no_log: bool,
    /// Differences are wanted.
    pub diff: bool,
    /// It was a dry run.
    pub check: bool,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A playbook begins.
    PlaybookStart {
        /// Its file.
        path: String,
        /// It runs dry.
        check: bool,
    },
    /// A play begins.
    PlayStart {
        /// Its name, rendered.
        name: String,
        /// It runs dry.
        check: bool,
    },
    /// A play's pattern matches no host.
    NoHostsMatched,
    /// All hosts of a play have left.
    NoHostsRemaining,
    /// A task begins.
    TaskStart {
        /// Its name, rendered, with its role.
        name: String,
        /// It is a handler.
        is_handler: bool,
        /// `file:line` of the task.
        path: String,
        /// It runs dry.
        check: bool,
    },
    /// An item of a loop ended.
    Item(Shown),
    /// A task ended on a host.
    Result(Shown),
    /// An attempt failed and another follows.
    Retry {
        /// The host.
        host: String,
        /// The task's name.
        task: String,
        /// Attempts left.
        left: i64,
        /// The attempt's result.
        result: Dict,
    },
    /// A file or role was included.
    Included {
        /// Its path or name.
        what: String,
        /// For which hosts.
        hosts: Vec<String>,
        /// For which item.
        item: Option<Value>,
    },
    /// A name was notified; its handlers are looked for later.
    NotificationSaved {
        /// The name.
        handler: String,
    },
    /// A handler was notified.
    Notified {
        /// Its name.
        handler: String,
        /// On which host.
        host: String,
    },
    /// `meta` did something worth telling.
    Meta {
        /// What it did.
        message: String,
        /// On which host.
        host: String,
    },
    /// Something is odd.
    Notice(Notice),
    /// Something went wrong that belongs to no result.
    Error(Error),
    /// Everything is done.
    Recap(Stats),
}

/// Shows events.
pub trait Callback {
    /// Shows one event.
    fn event(&mut self, event: &Event);
    /// Gets a chance to redraw what moves; called a few times a second while waiting.
    fn tick(&mut self) {}
}
