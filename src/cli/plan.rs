//! `plan`: the same run, dry, with a summary of what would change.

use std::cell::RefCell;
use std::rc::Rc;

use super::options::PlanArgs;
use super::run::{callback, execute, prepare};
use super::session::Session;
use crate::diag::{Error, Result};
use crate::executor::Reporter;
use crate::output::{Event, ResultKind, unified};
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

/// What a dry run found.
#[derive(Default)]
struct Summary {
    task: String,
    /// Host, task, item, difference.
    changes: Vec<(String, String, Option<String>, String)>,
    handlers: Vec<(String, String)>,
    /// Host, task: what a command would do is not known.
    unknown: Vec<(String, String)>,
}

impl Summary {
    fn take(&mut self, event: &Event) {
        match event {
            Event::TaskStart { name, .. } => self.task.clone_from(name),
            Event::Item(shown) => {
                if shown.kind == ResultKind::Changed {
                    let diff = shown
                        .result
                        .get("diff")
                        .map(|diff| unified(&diff))
                        .unwrap_or_default();
                    let item = shown.item.as_ref().map(Value::to_str);
                    self.changes
                        .push((shown.host.clone(), self.task.clone(), item, diff));
                }
                self.note_unknown(&shown.host, &shown.result);
            }
            Event::Result(shown) if !shown.is_loop => {
                if shown.kind == ResultKind::Changed {
                    let diff = shown
                        .result
                        .get("diff")
                        .map(|diff| unified(&diff))
                        .unwrap_or_default();
                    self.changes
                        .push((shown.host.clone(), self.task.clone(), None, diff));
                }
                self.note_unknown(&shown.host, &shown.result);
            }
            Event::Notified { handler, host } => {
                self.handlers.push((host.clone(), handler.clone()));
            }
            _ => {}
        }
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
        for (host, task, item, _) in &self.changes {
            let item = item
                .as_ref()
                .map(|item| format!(" (item={item})"))
                .unwrap_or_default();
            out.push_str(&format!("  would change  {host}: {task}{item}\n"));
        }
        for (host, handler) in &self.handlers {
            out.push_str(&format!("  would notify  {host}: {handler}\n"));
        }
        for (host, task) in &self.unknown {
            out.push_str(&format!(
                "  unknown       {host}: {task} (a command that a dry run doesn't run)\n"
            ));
        }
        if self.changes.is_empty() && self.unknown.is_empty() {
            out.push_str("  nothing would change\n");
        }
        out
    }

    fn json(&self) -> Result<String> {
        let changes = self
            .changes
            .iter()
            .map(|(host, task, item, diff)| {
                Value::dict([
                    ("host", Value::str(host)),
                    ("task", Value::str(task)),
                    ("item", Value::from(item.clone())),
                    ("diff", Value::str(diff)),
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
        ]);
        Ok(all.to_json(&JsonStyle::indented(2))? + "\n")
    }
}
