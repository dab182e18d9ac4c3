//! The screen, as Ansible's default callback has it, byte for byte.
//!
//! **Source:** the documented options of `ansible.builtin.default` and what ansible-core prints.

use std::collections::HashSet;
use std::io::Write;

use super::color::{Color, paint};
use super::event::{Callback, Event, ResultKind, Shown};
use super::stats::Counts;
use super::{Notices, Status, error_text, hints, unified};
use crate::compat::Level;
use crate::diag::{Notice, Sources};
use crate::value::{Dict, JsonStyle, Value};

/// How the screen looks.
#[derive(Clone, Debug)]
pub struct HumanOptions {
    /// Number of `-v`.
    pub verbosity: u8,
    /// Use colours.
    pub color: bool,
    /// Width that banners fill, less one.
    pub columns: usize,
    /// The level, for forms that differ.
    pub level: Level,
    /// `display_skipped_hosts`.
    pub skipped_hosts: bool,
    /// `display_ok_hosts`.
    pub ok_hosts: bool,
    /// `display_failed_stderr`.
    pub failed_stderr: bool,
    /// `check_mode_markers`.
    pub check_markers: bool,
    /// `show_task_path_on_failure`.
    pub path_on_failure: bool,
}

impl Default for HumanOptions {
    fn default() -> HumanOptions {
        HumanOptions {
            verbosity: 0,
            color: false,
            columns: 79,
            level: Level::default(),
            skipped_hosts: true,
            ok_hosts: true,
            failed_stderr: false,
            check_markers: false,
            path_on_failure: false,
        }
    }
}

/// Writes events for people.
pub struct Human {
    options: HumanOptions,
    sources: Sources,
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    notices: Notices,
    status: Status,
    /// The banner of the task that runs, not printed yet.
    banner: Option<(String, String)>,
    task_path: String,
    /// Dry runs are marked, and this is one.
    is_marked: bool,
    /// Errors told so far.
    told: HashSet<String>,
}

/// Keys that `debug` may show beside its message.
const WITH_MESSAGE: &[&str] = &["msg", "warnings", "deprecations"];

impl Human {
    /// Writes to two streams, usually standard output and error.
    pub fn new(
        options: HumanOptions,
        sources: Sources,
        out: Box<dyn Write>,
        err: Box<dyn Write>,
        notices: Notices,
    ) -> Human {
        Human {
            options,
            sources,
            out,
            err,
            notices,
            status: Status::new(),
            banner: None,
            task_path: String::new(),
            is_marked: false,
            told: HashSet::new(),
        }
    }

    fn paint(&self, text: &str, color: Color) -> String {
        if self.options.color {
            paint(text, color)
        } else {
            text.to_owned()
        }
    }

    fn line(&mut self, text: &str) {
        self.status.clear();
        // A reader that went away (`| head`) is not our failure.
        let _ = writeln!(self.out, "{text}");
        let _ = self.out.flush();
    }

    fn colored(&mut self, text: &str, color: Color) {
        let text = self.paint(text, color);
        self.line(&text);
    }

    fn to_err(&mut self, text: &str, color: Color) {
        self.status.clear();
        let text = self.paint(text, color);
        let _ = writeln!(self.err, "{text}");
        let _ = self.err.flush();
    }

    /// Prints a heading that stars fill up.
    fn heading(&mut self, text: &str) {
        let width = text.chars().count();
        let stars = self.options.columns.saturating_sub(width).max(3);
        self.line(&format!("\n{text} {}", "*".repeat(stars)));
    }

    fn task_banner(&mut self) {
        if let Some((banner, path)) = self.banner.take() {
            self.heading(&banner);
            if self.options.verbosity >= 2 {
                self.colored(&format!("task path: {path}"), Color::Skip);
            }
        }
    }

    fn label(&self, shown: &Shown) -> String {
        let itself = self.options.level.shows_delegation_to_itself();
        match &shown.delegated {
            Some((to, address)) if itself || *to != shown.host => match address {
                Some(address) if self.options.level.shows_delegated_addresses() => {
                    format!("{} -> {to}({address})", shown.host)
                }
                _ => format!("{} -> {to}", shown.host),
            },
            _ => shown.host.clone(),
        }
    }

    fn is_verbose(&self, shown: &Shown) -> bool {
        if shown.no_log {
            return self.options.verbosity > 0;
        }
        let result = &shown.result;
        let flag = |name: &str| result.get(name).is_some_and(|value| value.truth());
        (self.options.verbosity > 0 || flag("_ansible_verbose_always"))
            && !flag("_ansible_verbose_override")
    }

    /// Renders a result as JSON, the way it stands behind `=>`.
    fn dump(&self, shown: &Shown) -> String {
        let full = self.options.verbosity > 2;
        let pretty = full || is_shown_always(&shown.result);
        json(presentable(shown, full, self.options.level), pretty)
    }

    /// Prints what led to a failure, in the form of the level.
    fn error(&mut self, shown: &Shown) {
        if shown.no_log {
            return;
        }
        self.exception(shown);
        let Some(error) = &shown.error else { return };
        let in_blocks = self.options.level.shows_error_blocks();
        if in_blocks {
            let text = error_text(error, &self.sources, self.options.level);
            let text = text.strip_suffix('\n').unwrap_or(&text);
            // The same error is told once in a run.
            if self.told.insert(text.to_owned()) {
                self.failure(text);
            }
        }
        for hint in hints(error, &self.sources, !in_blocks) {
            self.notice(&Notice::hint(hint));
        }
    }

    /// Announces an error of code: its last line, or all of it where asked for.
    fn exception(&mut self, shown: &Shown) {
        let Some(exception) = shown.result.get("exception") else {
            return;
        };
        if !self.options.level.announces_exceptions(&shown.action) {
            return;
        }
        let text = exception.to_str();
        let text = if self.options.verbosity < 3 {
            let last = text.trim().rsplit('\n').next().unwrap_or_default();
            format!(
                "An exception occurred during task execution. To see the full traceback, use -vvv. The error was: {last}"
            )
        } else {
            format!("The full traceback is:\n{text}")
        };
        self.failure(&text);
    }

    fn warnings_of(&mut self, shown: &Shown) {
        if let Some(Value::List(list)) = shown.result.get("warnings") {
            for warning in list.to_vec() {
                self.notice(&Notice::warning(warning.to_str()));
            }
        }
    }

    fn notice(&mut self, notice: &Notice) {
        self.status.clear();
        self.notices.tell(notice);
    }

    fn failure(&mut self, text: &str) {
        if self.options.failed_stderr {
            self.to_err(text, Color::Error);
        } else {
            self.colored(text, Color::Error);
        }
    }

    fn item(&mut self, shown: &Shown) {
        if matches!(shown.action.as_str(), "include_tasks" | "include_role")
            && shown.kind != ResultKind::Failed
        {
            return;
        }
        let label = self.label(shown);
        let item = shown.item.as_ref().map(|item| {
            if shown.no_log && self.options.level.sums_up_censored_loops() {
                Value::None
            } else if shown.no_log {
                Value::str("(censored due to no_log)")
            } else {
                item.clone()
            }
        });
        let item = item.map(|item| item.to_str()).unwrap_or_default();
        let more = if self.is_verbose(shown) {
            format!(" => {}", self.dump(shown))
        } else {
            String::new()
        };
        self.differences(shown);
        match shown.kind {
            ResultKind::Failed => {
                self.task_banner();
                self.error(shown);
                self.warnings_of(shown);
                let dump = self.dump(shown);
                self.failure(&format!("failed: [{label}] (item={item}) => {dump}"));
            }
            ResultKind::Skipped => {
                if self.options.skipped_hosts {
                    self.task_banner();
                    self.colored(
                        &format!("skipping: [{label}] => (item={item}) {more}"),
                        Color::Skip,
                    );
                }
            }
            ResultKind::Changed => {
                self.task_banner();
                self.warnings_of(shown);
                self.colored(
                    &format!("changed: [{label}] => (item={item}){more}"),
                    Color::Changed,
                );
            }
            ResultKind::Ok => {
                if self.options.ok_hosts {
                    self.task_banner();
                    self.warnings_of(shown);
                    self.colored(&format!("ok: [{label}] => (item={item}){more}"), Color::Ok);
                }
            }
            ResultKind::Unreachable => {}
        }
    }

    fn retry(&mut self, host: &str, task: &str, left: i64, result: &Dict) {
        let mut text = if self.options.level.tells_host_of_retries() {
            format!("FAILED - RETRYING: [{host}]: {task} ({left} retries left).")
        } else {
            // `shell` is a form of `command` there.
            let task = if task == "shell" { "command" } else { task };
            format!("FAILED - RETRYING: {task} ({left} retries left).")
        };
        let always = is_shown_always(result);
        if self.options.verbosity > 2 || always {
            let full = self.options.verbosity > 2;
            let shown = without_hidden(result, full);
            text.push_str(&format!("Result was: {}", json(shown, always || full)));
        }
        self.colored(&text, Color::Skip);
    }

    fn result(&mut self, shown: &Shown) {
        let label = self.label(shown);
        let censored = shown.no_log && self.options.level.sums_up_censored_loops();
        let by_items = shown.is_loop && shown.result.contains("results") && !censored;
        if !by_items {
            self.differences(shown);
        }
        match shown.kind {
            ResultKind::Failed => {
                self.task_banner();
                // `debug` hides its results: its loops are told like any other task.
                if !by_items || shown.action == "debug" {
                    if !by_items {
                        self.error(shown);
                    }
                    self.warnings_of(shown);
                    if self.options.path_on_failure && self.options.verbosity < 2 {
                        let path = self.task_path.clone();
                        self.colored(&format!("task path: {path}"), Color::Skip);
                    }
                    let dump = self.dump(shown);
                    self.failure(&format!("fatal: [{label}]: FAILED! => {dump}"));
                }
                if shown.ignored {
                    self.colored("...ignoring", Color::Skip);
                }
            }
            ResultKind::Unreachable => {
                self.task_banner();
                self.error(shown);
                let dump = self.dump(shown);
                let text = format!("fatal: [{label}]: UNREACHABLE! => {dump}");
                if self.options.failed_stderr {
                    self.to_err(&text, Color::Unreachable);
                } else {
                    self.colored(&text, Color::Unreachable);
                }
                if shown.ignored {
                    self.colored("...ignoring", Color::Skip);
                }
            }
            ResultKind::Skipped => {
                let has_results = presentable(shown, false, self.options.level).contains("results");
                if shown.is_loop && has_results && !self.options.level.tells_skipped_loops() {
                    return;
                }
                if self.options.skipped_hosts {
                    self.task_banner();
                    let more = if self.is_verbose(shown) {
                        format!(" => {}", self.dump(shown))
                    } else {
                        String::new()
                    };
                    self.colored(&format!("skipping: [{label}]{more}"), Color::Skip);
                }
            }
            ResultKind::Ok | ResultKind::Changed => {
                if matches!(shown.action.as_str(), "include_tasks" | "include_role") {
                    return;
                }
                let changed = shown.kind == ResultKind::Changed;
                if by_items || (!changed && !self.options.ok_hosts) {
                    return;
                }
                self.task_banner();
                self.warnings_of(shown);
                let more = if self.is_verbose(shown) {
                    format!(" => {}", self.dump(shown))
                } else {
                    String::new()
                };
                let (word, color) = if changed {
                    ("changed", Color::Changed)
                } else {
                    ("ok", Color::Ok)
                };
                self.colored(&format!("{word}: [{label}]{more}"), color);
            }
        }
    }

    fn differences(&mut self, shown: &Shown) {
        if !shown.diff || shown.no_log {
            return;
        }
        let result = &shown.result;
        let changed = result.get("changed").is_some_and(|value| value.truth());
        let Some(diff) = result.get("diff").filter(|diff| changed && diff.truth()) else {
            return;
        };
        let text = unified(&diff);
        if text.is_empty() {
            return;
        }
        self.task_banner();
        let text = self.paint_diff(&text);
        self.line(&text);
    }

    fn paint_diff(&self, text: &str) -> String {
        if !self.options.color {
            return text.to_owned();
        }
        text.split_inclusive('\n')
            .map(|line| {
                let bare = line.trim_end_matches('\n');
                let color = match bare.as_bytes().first() {
                    Some(b'+') => Color::DiffAdd,
                    Some(b'-') => Color::DiffRemove,
                    Some(b'@') => Color::DiffLines,
                    _ => return line.to_owned(),
                };
                format!("{}\n", self.paint(bare, color))
            })
            .collect()
    }

    fn recap(&mut self, host: &str, counts: &Counts) {
        let color = if counts.failed + counts.unreachable > 0 {
            Some(Color::Error)
        } else if counts.changed > 0 {
            Some(Color::Changed)
        } else {
            Some(Color::Ok)
        };
        let name = match (self.options.color, color) {
            (true, Some(color)) => format!("{:<37}", self.paint(host, color)),
            _ => format!("{host:<26}"),
        };
        let mut text = format!("{name} :");
        for (word, count, color) in [
            ("ok", counts.ok, Color::Ok),
            ("changed", counts.changed, Color::Changed),
            ("unreachable", counts.unreachable, Color::Unreachable),
            ("failed", counts.failed, Color::Error),
            ("skipped", counts.skipped, Color::Skip),
            ("rescued", counts.rescued, Color::Ok),
            ("ignored", counts.ignored, Color::Warn),
        ] {
            let part = format!("{word}={count:<4}");
            text.push(' ');
            text.push_str(&if count > 0 {
                self.paint(&part, color)
            } else {
                part
            });
        }
        self.line(&text);
    }
}

/// Says whether a result is shown, and over several lines, however quiet the run is.
fn is_shown_always(result: &Dict) -> bool {
    result
        .get("_ansible_verbose_always")
        .is_some_and(|value| value.truth())
}

/// Renders a result as JSON, with sorted keys, on one line or on many.
fn json(result: Dict, pretty: bool) -> String {
    let style = JsonStyle {
        sort_keys: true,
        ascii: false,
        ..JsonStyle::default()
    };
    let style = if pretty {
        JsonStyle {
            indent: Some(4),
            item_separator: ",",
            ..style
        }
    } else {
        style
    };
    Value::Dict(result)
        .to_json(&style)
        .unwrap_or_else(|error| error.full_message())
}

/// Returns a result without the keys that are nobody's business.
pub(super) fn without_hidden(result: &Dict, full: bool) -> Dict {
    result
        .to_vec()
        .into_iter()
        .filter(|(key, _)| {
            key.as_str().is_none_or(|name| {
                !name.starts_with("_ansible_")
                    && !matches!(
                        name,
                        "failed" | "skipped" | "warnings" | "exception" | "_include_args"
                    )
                    && (full || !matches!(name, "invocation" | "diff"))
            })
        })
        .collect()
}

/// Returns a result as people may see it: without private keys, invocation, differences.
pub(super) fn presentable(shown: &Shown, full: bool, level: Level) -> Dict {
    if shown.no_log {
        let censored = Dict::new();
        censored.set(
            "censored",
            "the output has been hidden due to the fact that 'no_log: true' was specified for this result",
        );
        for key in ["attempts", "changed", "retries"] {
            if let Some(value) = shown.result.get(key) {
                censored.set(key, value);
            }
        }
        return censored;
    }
    let is_debug = shown.action == "debug";
    let visible = without_hidden(&shown.result, full);
    if !is_debug {
        return visible;
    }
    let alone = visible.contains("msg");
    let by_item = shown.item.is_some() && full;
    visible
        .to_vec()
        .into_iter()
        .filter(|(key, _)| {
            key.as_str().is_none_or(|name| {
                if alone {
                    return WITH_MESSAGE.contains(&name)
                        || matches!(name, "item" | "ansible_loop_var") && by_item;
                }
                let of_loop = matches!(
                    name,
                    "ansible_loop_var" | "ansible_index_var" | "ansible_loop"
                );
                !(matches!(name, "changed" | "invocation" | "skip_reason")
                    || of_loop && !level.debugs_loop_variables())
            })
        })
        .collect()
}

impl Callback for Human {
    fn event(&mut self, event: &Event) {
        match event {
            Event::PlaybookStart { path, check } => {
                self.is_marked = *check && self.options.check_markers;
                if self.options.verbosity > 1 {
                    let name = path.rsplit('/').next().unwrap_or(path).to_owned();
                    self.heading(&format!("PLAYBOOK: {name}"));
                }
                if self.is_marked {
                    self.heading("DRY RUN");
                }
            }
            Event::PlayStart { name, check } => {
                let marker = if *check && self.options.check_markers {
                    " [CHECK MODE]"
                } else {
                    ""
                };
                if name.trim().is_empty() {
                    self.heading(&format!("PLAY{marker}"));
                } else {
                    self.heading(&format!("PLAY [{}]{marker}", name.trim()));
                }
            }
            Event::NoHostsMatched => self.colored("skipping: no hosts matched", Color::Skip),
            Event::NoHostsRemaining => self.heading("NO MORE HOSTS LEFT"),
            Event::TaskStart {
                name,
                is_handler,
                path,
                check,
            } => {
                let marker = if *check && self.options.check_markers {
                    " [CHECK MODE]"
                } else {
                    ""
                };
                let what = if *is_handler {
                    "RUNNING HANDLER"
                } else {
                    "TASK"
                };
                self.banner = Some((format!("{what} [{}]{marker}", name.trim()), path.clone()));
                self.task_path.clone_from(path);
                self.status.task(name);
                if self.options.skipped_hosts && self.options.ok_hosts {
                    self.task_banner();
                }
            }
            Event::Item(shown) => self.item(shown),
            Event::Result(shown) => self.result(shown),
            Event::Retry {
                host,
                task,
                left,
                result,
            } => {
                self.task_banner();
                self.retry(host, task, *left, result);
            }
            Event::Included { what, hosts, item } => {
                self.task_banner();
                let item = item
                    .as_ref()
                    .map(|item| format!(" => (item={item})"))
                    .unwrap_or_default();
                self.colored(
                    &format!("included: {what} for {}{item}", hosts.join(", ")),
                    Color::Skip,
                );
            }
            Event::NotificationSaved { handler } => {
                if self.options.verbosity > 1 {
                    self.line(&format!(
                        "Notification for handler {handler} has been saved."
                    ));
                }
            }
            Event::Notified { handler, host } => {
                if self.options.verbosity > 1 {
                    self.line(&format!("NOTIFIED HANDLER {handler} for {host}"));
                }
            }
            Event::Meta { message, host } => {
                if self.options.verbosity > 0 {
                    self.line(&format!("META: {message} ({host})"));
                }
            }
            Event::Notice(notice) => self.notice(notice),
            Event::Error(error) => {
                let text = error_text(error, &self.sources, self.options.level);
                self.to_err(text.strip_suffix('\n').unwrap_or(&text), Color::Error);
                for hint in hints(error, &self.sources, false) {
                    self.notice(&Notice::hint(hint));
                }
            }
            Event::Recap(stats) => {
                self.heading("PLAY RECAP");
                for (host, counts) in &stats.hosts {
                    self.recap(host, counts);
                }
                self.line("");
                if self.is_marked {
                    self.heading("DRY RUN");
                }
            }
        }
    }

    fn tick(&mut self) {
        self.status.tick();
    }
}
