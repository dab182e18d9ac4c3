//! What programs say when the system refuses something, as the system's own numbers.

use std::io;

use super::super::{errno, os_error};
use crate::diag::os_message;

/// Words that are not the C library's own.
///
/// **Source:** dash, busybox and musl.
const OTHER_WORDS: &[(&str, i32)] = &[
    ("no such file", errno::ENOENT),
    ("directory nonexistent", errno::ENOENT),
    ("nonexistent directory", errno::ENOENT),
    ("not found", errno::ENOENT),
    ("i/o error", 5),
    ("resource busy", 16),
    ("cannot overwrite existing file", errno::EEXIST),
    ("cross-device link", errno::EXDEV),
    ("filename too long", 36),
    ("symbolic link loop", errno::ELOOP),
    ("quota exceeded", 122),
];

/// The highest number that the system gives a description for.
const LAST: i32 = 133;

/// Reads the last part of the first line, behind the last colon.
pub(super) fn error(said: &str) -> io::Error {
    match number(last_part(said)) {
        Some(number) => os_error(number),
        None if said.is_empty() => io::Error::other("the host's programs failed without a word"),
        None => io::Error::other(said.lines().next().unwrap_or_default().to_owned()),
    }
}

/// Returns the number behind a description.
pub(super) fn number(words: &str) -> Option<i32> {
    let words = words.trim().to_ascii_lowercase();
    let other = OTHER_WORDS.iter().find(|(known, _)| *known == words);
    other.map(|(_, number)| *number).or_else(|| {
        (1..=LAST).find(|number| os_message(&os_error(*number)).eq_ignore_ascii_case(&words))
    })
}

fn last_part(said: &str) -> &str {
    let first = said.lines().next().unwrap_or_default();
    first.rsplit(": ").next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_say_becomes_the_system_s_number() {
        for (said, expected) in [
            ("cat: /x: No such file or directory", errno::ENOENT),
            (
                "sh: 1: cannot create /x/y: Directory nonexistent",
                errno::ENOENT,
            ),
            (
                "rm: cannot remove 'a: b': Permission denied\nrm: more",
                errno::EACCES,
            ),
            ("mv: can't rename '/a': Read-only file system", errno::EROFS),
        ] {
            assert_eq!(error(said).raw_os_error(), Some(expected), "{said}");
        }
        let other = error("touch: invalid date format 'x'");
        assert_eq!(other.raw_os_error(), None);
        assert_eq!(other.to_string(), "touch: invalid date format 'x'");
    }
}
