//! Bytes as words of a shell's command line: the one place that quotes them.

use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

/// One line of commands, in which words may hold any bytes but zero.
///
/// Printable ASCII stands in single quotes. Anything else is made by the shell's `printf` first and
/// kept in a variable, so that the line itself is ASCII and has no line breaks.
#[derive(Debug, Default)]
pub(super) struct Line {
    before: String,
    made: usize,
}

impl Line {
    /// Returns how a word is written in the commands that go into [`Line::with`].
    pub(super) fn word(&mut self, bytes: impl AsRef<OsStr>) -> String {
        let bytes = bytes.as_ref().as_bytes();
        if bytes.iter().all(|byte| (b' '..=b'~').contains(byte)) {
            let text = String::from_utf8_lossy(bytes);
            return format!("'{}'", text.replace('\'', "'\\''"));
        }
        let mut format = String::with_capacity(bytes.len() + 16);
        for byte in bytes {
            match byte {
                b'%' => format.push_str("%%"),
                b'\\' | b'\'' => {
                    let _ = write!(format, "\\{byte:03o}");
                }
                b' '..=b'~' => format.push(char::from(*byte)),
                _ => {
                    let _ = write!(format, "\\{byte:03o}");
                }
            }
        }
        self.made += 1;
        let name = format!("_rg_w{}", self.made);
        // A command substitution takes line breaks off the end; the `x` keeps them.
        let _ = write!(
            self.before,
            "{name}=$(printf -- '{format}x'); {name}=${{{name}%x}}; "
        );
        format!("\"${name}\"")
    }

    /// Returns the line: what makes the words, then the commands.
    pub(super) fn with(self, commands: &str) -> String {
        format!("{}{commands}", self.before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_but_zero_survives_each_shell() {
        let all: Vec<u8> = (1..=255).chain(*b"\n\n").collect();
        let word = OsStr::from_bytes(&all);
        for (shell, first) in crate::system::shell::tests::shells() {
            let mut line = Line::default();
            let words = [
                line.word(word),
                line.word("it's -- $HOME `x` \\"),
                line.word(""),
            ];
            let script = line.with(&format!("printf '%s|' {}", words.join(" ")));
            assert!(script.is_ascii() && !script.contains('\n'));
            let output = std::process::Command::new(&shell)
                .args(first)
                .args(["-c", "IFS= read -r line; eval \"$line\""])
                .stdin(crate::system::shell::tests::input(
                    format!("{script}\n").as_bytes(),
                ))
                .output()
                .expect("a shell");
            let expected = [all.as_slice(), b"|it's -- $HOME `x` \\||"].concat();
            assert_eq!(output.stdout, expected, "{shell}");
        }
    }
}
