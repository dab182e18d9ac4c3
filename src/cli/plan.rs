//! `plan`: the same run, dry, with a summary of what would change.

use std::cell::RefCell;
use std::rc::Rc;

use super::options::PlanArgs;
use super::run::{callback, execute, prepare};
use super::session::Session;
use crate::diag::{Error, Result};
use crate::executor::Reporter;
use crate::output::{Event, ResultKind, Shown, unified};
use crate::value::{Dict, JsonStyle, Value};

/// Runs dry and sums up what would change.
///
/// # Errors
/// As [`super::run::run`].
pub(super) fn run(args: &PlanArgs, session: &Session) -> Result<u8> {
    let prepared = prepare(&args.run, session, true)?;
    let callback = callback(&args.run, &prepared, session);
    let mut reporter = Reporter::new(callback, session.sources.clone(), true);
    let seen = Rc::new(RefCell::new(Summary::default()));
    let watching = seen.clone();
    reporter.observe(Box::new(move |event| watching.borrow_mut().take(event)));
    let code = execute(prepared, reporter, session)?;
    let summary = seen.borrow();
    if !args.run.json {
        super::print(&summary.text());
    }
    if let Some(path) = &args.out {
        let text = summary.json()?;
        std::fs::write(path, text).map_err(|error| Error::io(path, &error))?;
    }
    Ok(match (args.detailed_exitcode, code) {
        (true, 0) if summary.changes.is_empty() && summary.unknown.is_empty() => 0,
        (true, 0) => 2,
        (true, _) => 1,
        (false, code) => code,
    })
}

/// One task, or item of a loop, that would change something.
struct Change {
    host: String,
    task: String,
    item: Option<String>,
    diff: String,
    /// What the module says of it, e.g. which objects.
    said: String,
}

/// What a dry run found.
#[derive(Default)]
struct Summary {
    task: String,
    changes: Vec<Change>,
    handlers: Vec<(String, String)>,
    /// Host, task: what a command would do is not known.
    unknown: Vec<(String, String)>,
    /// Host, task: where the dry run ended.
    failed: Vec<(String, String)>,
}

impl Summary {
    fn take(&mut self, event: &Event) {
        match event {
            Event::TaskStart { name, .. } => self.task.clone_from(name),
            Event::Item(shown) => {
                let item = shown.item.as_ref().map(Value::to_str);
                self.note(shown, item);
            }
            Event::Result(shown) if !shown.is_loop => self.note(shown, None),
            Event::Notified { handler, host } => {
                self.handlers.push((host.clone(), handler.clone()));
            }
            _ => {}
        }
    }

    fn note(&mut self, shown: &Shown, item: Option<String>) {
        let ended = matches!(shown.kind, ResultKind::Failed | ResultKind::Unreachable);
        if ended && !shown.ignored {
            self.failed.push((shown.host.clone(), self.task.clone()));
        }
        if shown.kind == ResultKind::Changed {
            let text = |key| shown.result.get(key);
            let said = text("msg").map(|m| m.to_str()).unwrap_or_default();
            self.changes.push(Change {
                host: shown.host.clone(),
                task: self.task.clone(),
                item,
                diff: text("diff").map(|diff| unified(&diff)).unwrap_or_default(),
                said: said.strip_prefix("would ").unwrap_or_default().to_owned(),
            });
        }
        self.note_unknown(&shown.host, &shown.result);
    }

    /// A command that a dry run left out has an unknown result.
    fn note_unknown(&mut self, host: &str, result: &Dict) {
        let skipped = result.get("skipped").is_some_and(|v| v.truth());
        let said = result.get("msg").map(|m| m.to_str()).unwrap_or_default();
        if skipped && said.contains("check mode") {
            self.unknown.push((host.to_owned(), self.task.clone()));
        }
    }

    fn text(&self) -> String {
        let mut out = String::from("\nPLAN\n");
        for change in &self.changes {
            let item = change.item.as_ref();
            let item = item.map(|item| format!(" (item={item})"));
            out.push_str(&format!(
                "  would change  {}: {}{}\n",
                change.host,
                change.task,
                item.unwrap_or_default()
            ));
            if !change.said.is_empty() {
                out.push_str(&format!("                  {}\n", change.said));
            }
        }
        for (host, handler) in &self.handlers {
            out.push_str(&format!("  would notify  {host}: {handler}\n"));
        }
        for (host, task) in &self.unknown {
            out.push_str(&format!(
                "  unknown       {host}: {task} (a command that a dry run doesn't run)\n"
            ));
        }
        for (host, task) in &self.failed {
            out.push_str(&format!(
                "  failed        {host}: {task} (what follows is not known)\n"
            ));
        }
        if self.changes.is_empty() && self.unknown.is_empty() && self.failed.is_empty() {
            out.push_str("  nothing would change\n");
        }
        out
    }

    fn json(&self) -> Result<String> {
        let changes = self
            .changes
            .iter()
            .map(|change| {
                Value::dict([
                    ("host", Value::str(&change.host)),
                    ("task", Value::str(&change.task)),
                    ("item", Value::from(change.item.clone())),
                    ("diff", Value::str(&change.diff)),
                    ("says", Value::str(&change.said)),
                ])
            })
            .collect();
        let pairs = |list: &[(String, String)], name: &str| {
            Value::list(
                list.iter()
                    .map(|(host, what)| {
                        Value::dict([("host", Value::str(host)), (name, Value::str(what))])
                    })
                    .collect(),
            )
        };
        let all = Value::dict([
            ("changes", Value::list(changes)),
            ("handlers", pairs(&self.handlers, "handler")),
            ("unknown", pairs(&self.unknown, "task")),
            ("failed", pairs(&self.failed, "task")),
        ]);
        Ok(all.to_json(&JsonStyle::indented(2))? + "\n")
    }
}
