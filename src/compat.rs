//! The compatibility levels, and every point where they differ.
//!
//! Content is pinned to versions of Ansible, so one setting decides all differences. It comes from
//! `--compat`, `REGROLE_COMPAT` or `[regrole] compat`, else from what the project pins
//! ([`Level::pinned_by`]), else it is the newest.

mod words;

use std::path::Path;

pub use words::Shape;

use crate::value::Value;

/// The version of Ansible whose behaviour is reproduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Level {
    /// Ansible 2.9.
    V2_9,
    /// ansible-core 2.18.
    V2_18,
    /// ansible-core 2.19.
    #[default]
    V2_19,
}

impl Level {
    /// Reads a level as people write it: `2.9`, `2.18`, `2.19`.
    pub fn parse(text: &str) -> Option<Level> {
        match text.trim() {
            "2.9" => Some(Level::V2_9),
            "2.18" => Some(Level::V2_18),
            "2.19" => Some(Level::V2_19),
            _ => None,
        }
    }

    /// Returns the level as people write it.
    pub fn name(self) -> &'static str {
        match self {
            Level::V2_9 => "2.9",
            Level::V2_18 => "2.18",
            Level::V2_19 => "2.19",
        }
    }

    /// Returns the version that `ansible_version` reports: the newest of the level's line.
    pub fn full_version(self) -> (u32, u32, u32) {
        match self {
            Level::V2_9 => (2, 9, 27),
            Level::V2_18 => (2, 18, 19),
            Level::V2_19 => (2, 19, 14),
        }
    }

    /// Returns the variable `ansible_version`.
    pub fn ansible_version(self) -> Value {
        let (major, minor, revision) = self.full_version();
        let full = format!("{major}.{minor}.{revision}");
        Value::dict([
            ("full", Value::str(&full)),
            ("major", Value::from(major)),
            ("minor", Value::from(minor)),
            ("revision", Value::from(revision)),
            ("string", Value::str(&full)),
        ])
    }

    /// Says whether a template that is one expression gives its value, rather than text that is
    /// read back as data.
    pub fn native_results(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether a template without output gives `None`, rather than the empty string.
    pub fn empty_template_is_none(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether a condition must be a boolean, rather than anything with a truth.
    pub fn strict_conditions(self) -> bool {
        self >= Level::V2_19
    }

    /// Says whether a condition that is a bare variable holding text is evaluated once more.
    pub fn bare_conditions(self) -> bool {
        self == Level::V2_9
    }

    /// Says whether the bare `include` of tasks and playbooks exists.
    pub fn has_bare_include(self) -> bool {
        self < Level::V2_18
    }

    /// Says whether failures are printed as `[ERROR]` blocks with their origin.
    pub fn shows_error_blocks(self) -> bool {
        self >= Level::V2_19
    }

    /// Returns the message of a task that was stopped at its time limit.
    pub fn timed_out(self, action: &str, seconds: &Value) -> String {
        if self >= Level::V2_19 {
            format!("Timed out after {seconds} second(s).")
        } else {
            format!(
                "The {action} action failed to execute in the expected time frame ({seconds}) and was terminated"
            )
        }
    }

    /// Returns the level that a project pins, and where it does: `requirements.txt` in the
    /// directory or one above it, up to three levels.
    pub fn pinned_by(dir: &Path) -> Option<(Level, String)> {
        let start = std::path::absolute(dir).ok()?;
        for parent in start.ancestors().take(4) {
            let file = parent.join("requirements.txt");
            let Ok(text) = std::fs::read_to_string(&file) else {
                continue;
            };
            if let Some((level, line)) = text.lines().find_map(pin) {
                return Some((level, format!("`{line}` in {}", file.display())));
            }
        }
        None
    }
}

/// Reads one line of a requirements file: which level does it ask for?
fn pin(line: &str) -> Option<(Level, &str)> {
    let line = line.split('#').next().unwrap_or("").trim();
    let (name, version) = line.split_once(['=', '~', '>', '<'])?;
    let version = version.trim_start_matches(['=', '~', '>', '<', ' ']);
    let mut numbers = version
        .split(['.', ',', ' '])
        .map(|part| part.parse::<u32>().ok());
    let (major, minor) = (numbers.next().flatten()?, numbers.next().flatten());
    let level = match (name.trim(), major, minor) {
        ("ansible", 2, _) | ("ansible-base", ..) => Level::V2_9,
        // The community package's major version follows ansible-core's minor one.
        ("ansible", 3..=11, _) => Level::V2_18,
        ("ansible", 12.., _) => Level::V2_19,
        ("ansible-core", 2, Some(minor)) if minor <= 18 => Level::V2_18,
        ("ansible-core", ..) => Level::V2_19,
        _ => return None,
    };
    Some((level, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_pin_a_level() {
        for (line, level) in [
            ("ansible==2.9.18", Some(Level::V2_9)),
            ("ansible==11.13.0", Some(Level::V2_18)),
            ("ansible-core>=2.19,<2.20  # new", Some(Level::V2_19)),
            ("ansible~=12.0", Some(Level::V2_19)),
            ("jinja2==2.11.3", None),
            ("# ansible==2.9.18", None),
        ] {
            assert_eq!(pin(line).map(|(level, _)| level), level, "{line}");
        }
    }
}
