//! Warnings and deprecations in the form of the level.
//!
//! **Source:** as printed by ansible-core 2.19 and 2.18 and Ansible 2.9.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::io::Write;
use std::rc::Rc;

use super::color::{Color, paint};
use super::error::{older_text, origin};
use super::wrap::wrap;
use crate::compat::Level;
use crate::diag::{Notice, Place, Sources, Weight};

/// What the first deprecation of a run is preceded by, since 2.19.
const HOW_TO_DISABLE: &str = "[WARNING]: Deprecation warnings can be disabled by setting `deprecation_warnings=False` in ansible.cfg.\n";

/// How notices look, and which are told.
#[derive(Clone, Copy, Debug)]
pub struct NoticeOptions {
    /// The level, for forms that differ.
    pub level: Level,
    /// Width that lines fill.
    pub columns: usize,
    /// Use colours.
    pub color: bool,
    /// `deprecation_warnings`.
    pub deprecations: bool,
    /// Add hints to Ansible's words.
    pub hints: bool,
    /// Add what is for those who ask for more words.
    pub details: bool,
}

impl Default for NoticeOptions {
    fn default() -> NoticeOptions {
        NoticeOptions {
            level: Level::default(),
            columns: 79,
            color: false,
            deprecations: true,
            hints: true,
            details: false,
        }
    }
}

/// Tells notices on one stream, each once. Clones share everything.
#[derive(Clone)]
pub struct Notices(Rc<Inner>);

struct Inner {
    sources: Sources,
    options: Cell<NoticeOptions>,
    out: RefCell<Box<dyn Write>>,
    told: RefCell<HashSet<String>>,
}

impl Notices {
    /// Writes to a stream, usually standard error.
    pub fn new(sources: Sources, out: Box<dyn Write>) -> Notices {
        Notices(Rc::new(Inner {
            sources,
            options: Cell::default(),
            out: RefCell::new(out),
            told: RefCell::default(),
        }))
    }

    /// Says how notices look from now on.
    pub fn configure(&self, options: NoticeOptions) {
        self.0.options.set(options);
    }

    /// Returns how notices look.
    pub fn options(&self) -> NoticeOptions {
        self.0.options.get()
    }

    /// Tells a notice, unless it was told already or is of a kind that isn't wanted.
    pub fn tell(&self, notice: &Notice) {
        let options = self.options();
        let (color, wanted) = match notice.weight {
            Weight::Warning => (Color::Warn, true),
            Weight::Deprecation(_) => (Color::Deprecate, options.deprecations),
            Weight::Error => (Color::Error, true),
            Weight::Hint => (Color::Warn, options.hints),
            Weight::Detail => (Color::Warn, options.hints && options.details),
        };
        if !wanted {
            return;
        }
        let text = notice_text(notice, &self.0.sources, options.level, options.columns);
        if !self.0.told.borrow_mut().insert(text.clone()) {
            return;
        }
        if matches!(notice.weight, Weight::Deprecation(_))
            && options.level.shows_error_blocks()
            && self.0.told.borrow_mut().insert(HOW_TO_DISABLE.to_owned())
        {
            self.write(HOW_TO_DISABLE, Color::Warn);
        }
        self.write(&text, color);
    }

    fn write(&self, text: &str, color: Color) {
        let mut out = self.0.out.borrow_mut();
        let text = if self.options().color {
            format!("{}\n", paint(text.trim_end_matches('\n'), color))
        } else {
            text.to_owned()
        };
        // A reader that went away is not our failure.
        let _ = out.write_all(text.as_bytes());
        let _ = out.flush();
    }
}

/// Renders a notice for people; ends in a line break.
///
/// Before 2.19, lines are at most `columns` characters long.
fn notice_text(notice: &Notice, sources: &Sources, level: Level, columns: usize) -> String {
    if matches!(notice.weight, Weight::Hint | Weight::Detail) {
        return format!("[HINT]: {}\n", notice.message);
    }
    if level.shows_error_blocks() {
        return blocks(notice, sources);
    }
    if let Some(older) = &notice.older {
        return notice_text(older, sources, level, columns);
    }
    let mut message = notice.message.clone();
    if let Some(cause) = &notice.cause {
        message = format!("{message}: {}", older_text(cause, sources, level));
    }
    let lines = match notice.weight {
        Weight::Warning | Weight::Hint | Weight::Detail => {
            wrap(&format!("[WARNING]: {message}"), columns, false)
        }
        Weight::Error => wrap(&format!(" [ERROR]: {message}"), columns, false),
        Weight::Deprecation(version) => wrap(
            &format!(
                "[DEPRECATION WARNING]: {message}. This feature will be removed in version {version}. Deprecation warnings can be disabled by setting deprecation_warnings=False in ansible.cfg."
            ),
            columns,
            true,
        ),
    };
    lines.join("\n") + "\n"
}

fn blocks(notice: &Notice, sources: &Sources) -> String {
    let message = &notice.message;
    let mut out = match notice.weight {
        Weight::Warning | Weight::Hint | Weight::Detail => format!("[WARNING]: {message}\n"),
        Weight::Error => format!("[ERROR]: {message}\n"),
        Weight::Deprecation(version) => {
            let part = notice
                .part
                .map(|part| format!("{part} in "))
                .unwrap_or_default();
            format!(
                "[DEPRECATION WARNING]: {message} This feature will be removed from {part}ansible-core version {version}.\n"
            )
        }
    };
    if let Some(cause) = &notice.cause {
        out.truncate(out.len() - 1);
        out.push_str(&format!(": {}\n\n{message}.\n", cause.full_message()));
        let mut next = Some(cause);
        while let Some(error) = next {
            next = error.cause();
            let dot = if next.is_some() { "." } else { "" };
            out.push_str(&format!(
                "\n<<< caused by >>>\n\n{}{dot}\n",
                error.message()
            ));
            if let Some(span) = error.span() {
                out.push_str(&origin(sources, span));
            }
            if let Some(help) = error.help_text() {
                out.push_str(&format!("\n{help}\n"));
            }
        }
        out.push('\n');
        return out;
    }
    match &notice.place {
        Place::Nowhere => {}
        Place::At(span) => out.push_str(&origin(sources, *span)),
        Place::Text(text) => out.push_str(&format!("Origin: <unknown>\n\n{text}\n")),
    }
    if let Some(help) = &notice.help {
        out.push_str(&format!("\n{help}\n"));
    }
    if out.trim_end().contains('\n') {
        out.push('\n');
    }
    out
}
