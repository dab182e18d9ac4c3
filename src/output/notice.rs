//! Warnings and deprecations in the form of the level.
//!
//! **Source:** as printed by ansible-core 2.19 and 2.18 and Ansible 2.9.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::io::Write;
use std::rc::Rc;

use super::color::{Color, paint};
use super::error::origin;
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
}

impl Default for NoticeOptions {
    fn default() -> NoticeOptions {
        NoticeOptions {
            level: Level::default(),
            columns: 79,
            color: false,
            deprecations: true,
            hints: true,
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
    if notice.weight == Weight::Hint {
        return format!("[HINT]: {}\n", notice.message);
    }
    if level.shows_error_blocks() {
        return blocks(notice, sources);
    }
    if let Some(older) = &notice.older {
        return notice_text(older, sources, level, columns);
    }
    let message = &notice.message;
    let lines = match notice.weight {
        Weight::Warning | Weight::Hint => wrap(&format!("[WARNING]: {message}"), columns, false),
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
        Weight::Warning | Weight::Hint => format!("[WARNING]: {message}\n"),
        Weight::Error => format!("[ERROR]: {message}\n"),
        Weight::Deprecation(version) => format!(
            "[DEPRECATION WARNING]: {message} This feature will be removed from ansible-core version {version}.\n"
        ),
    };
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
