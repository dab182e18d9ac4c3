//! Events as JSON, one object a line: `--json`.
//!
//! Every object has `event` (`play`, `task`, `item`, `result`, `retry`, `included`, `warning`,
//! `recap`, …); results carry `host`, `status` and `result`, recaps `hosts` with their counts.

use std::io::Write;

use super::event::{Callback, Event, ResultKind, Shown};
use super::human::{presentable, without_hidden};
use crate::compat::Level;
use crate::diag::Weight;
use crate::value::{Dict, JsonStyle, Value};

/// Writes events as JSON lines.
pub struct Json {
    out: Box<dyn Write>,
}

impl Json {
    /// Writes to standard output, or wherever told.
    pub fn new(out: Box<dyn Write>) -> Json {
        Json { out }
    }
}

impl Callback for Json {
    fn event(&mut self, event: &Event) {
        let object = Dict::new();
        match event {
            Event::PlaybookStart { path, .. } => {
                object.set("event", "playbook");
                object.set("path", path.as_str());
            }
            Event::PlayStart { name, check } => {
                object.set("event", "play");
                object.set("name", name.as_str());
                object.set("check", *check);
            }
            Event::NoHostsMatched => object.set("event", "no_hosts_matched"),
            Event::NoHostsRemaining => object.set("event", "no_hosts_remaining"),
            Event::TaskStart {
                name,
                is_handler,
                path,
                check,
            } => {
                object.set("event", "task");
                object.set("name", name.as_str());
                object.set("handler", *is_handler);
                object.set("path", path.as_str());
                object.set("check", *check);
            }
            Event::Item(shown) => result(&object, "item", shown),
            Event::Result(shown) => result(&object, "result", shown),
            Event::Retry {
                host,
                task,
                left,
                result,
            } => {
                object.set("event", "retry");
                object.set("host", host.as_str());
                object.set("task", task.as_str());
                object.set("left", *left);
                object.set("result", without_hidden(result, true));
            }
            Event::Included { what, hosts, item } => {
                object.set("event", "included");
                object.set("path", what.as_str());
                object.set("hosts", Value::list(hosts.iter().map(Value::str).collect()));
                if let Some(item) = item {
                    object.set("item", item.clone());
                }
            }
            Event::NotificationSaved { handler } => {
                object.set("event", "notification_saved");
                object.set("handler", handler.as_str());
            }
            Event::Notified { handler, host } => {
                object.set("event", "notified");
                object.set("handler", handler.as_str());
                object.set("host", host.as_str());
            }
            Event::Meta { message, host } => {
                object.set("event", "meta");
                object.set("message", message.as_str());
                object.set("host", host.as_str());
            }
            Event::Notice(notice) => {
                let name = match notice.weight {
                    Weight::Warning => "warning",
                    Weight::Deprecation(_) => "deprecation",
                    Weight::Error => "error",
                    Weight::Hint | Weight::Detail => "hint",
                };
                object.set("event", name);
                object.set("message", notice.message.as_str());
            }
            Event::Error(error) => {
                object.set("event", "error");
                object.set("message", error.full_message().as_str());
            }
            Event::Recap(stats) => {
                object.set("event", "recap");
                let hosts = Dict::new();
                for (host, counts) in &stats.hosts {
                    let one = Dict::new();
                    for (name, count) in [
                        ("ok", counts.ok),
                        ("changed", counts.changed),
                        ("unreachable", counts.unreachable),
                        ("failed", counts.failed),
                        ("skipped", counts.skipped),
                        ("rescued", counts.rescued),
                        ("ignored", counts.ignored),
                    ] {
                        one.set(name, count);
                    }
                    hosts.set(host, one);
                }
                object.set("hosts", hosts);
            }
        }
        let style = JsonStyle::default();
        let line = Value::Dict(object).to_json(&style).unwrap_or_else(|error| {
            format!(
                "{{\"event\": \"unprintable\", \"why\": {:?}}}",
                error.message()
            )
        });
        // A reader that went away is not our failure.
        let _ = writeln!(self.out, "{line}");
        let _ = self.out.flush();
    }
}

fn result(object: &Dict, event: &str, shown: &Shown) {
    object.set("event", event);
    object.set("host", shown.host.as_str());
    if let Some((delegated, _)) = &shown.delegated {
        object.set("delegated_to", delegated.as_str());
    }
    let status = match shown.kind {
        ResultKind::Ok => "ok",
        ResultKind::Changed => "changed",
        ResultKind::Skipped => "skipped",
        ResultKind::Failed => "failed",
        ResultKind::Unreachable => "unreachable",
    };
    object.set("status", status);
    object.set("action", shown.action.as_str());
    object.set("check", shown.check);
    object.set("ignored", shown.ignored);
    if let Some(item) = &shown.item {
        object.set("item", item.clone());
    }
    object.set("result", presentable(shown, true, Level::default()));
}
