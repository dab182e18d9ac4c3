//! The live status line: what is running, on which hosts, for how long. Never on a pipe.

use std::io::IsTerminal;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

/// A line at the bottom of a terminal.
pub struct Status {
    bar: Option<ProgressBar>,
    started: Instant,
    task: String,
}

impl Status {
    /// Makes a status line; it stays silent where standard error is no terminal.
    pub fn new() -> Status {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
                bar.set_style(style);
            }
            bar
        });
        Status {
            bar,
            started: Instant::now(),
            task: String::new(),
        }
    }

    /// Says which task runs now.
    pub fn task(&mut self, name: &str) {
        name.clone_into(&mut self.task);
        self.started = Instant::now();
    }

    /// Draws the line anew, once a task has taken a second.
    pub fn tick(&self) {
        if let Some(bar) = &self.bar {
            let seconds = self.started.elapsed().as_secs();
            if seconds > 0 {
                bar.set_message(format!("{} {seconds}s", self.task));
                bar.tick();
            }
        }
    }

    /// Takes the line away, to print something.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.set_message("");
            bar.finish_and_clear();
            bar.reset();
        }
    }
}

impl Default for Status {
    fn default() -> Status {
        Status::new()
    }
}
