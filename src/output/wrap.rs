//! Breaks long lines where Python's `textwrap` breaks them, as Ansible before 2.19 shows warnings.
//!
//! **Source:** the documentation of Python's `textwrap.wrap` and what it was seen to do.

/// Breaks a text into lines of at most `width` characters.
///
/// All blanks count as spaces; words are broken behind hyphens between letters, and anywhere where
/// they are longer than a line. With `keep_blanks`, blanks stay at the ends of lines.
pub(super) fn wrap(text: &str, width: usize, keep_blanks: bool) -> Vec<String> {
    let mut chunks: std::collections::VecDeque<Vec<char>> = chunks(text).into();
    let is_blank = |chunk: &Vec<char>| chunk.iter().all(|c| *c == ' ');
    let mut lines = Vec::new();
    while !chunks.is_empty() {
        if !keep_blanks && !lines.is_empty() && chunks.front().is_some_and(is_blank) {
            chunks.pop_front();
        }
        let mut line: Vec<Vec<char>> = Vec::new();
        let mut length = 0;
        while let Some(next) = chunks.front()
            && length + next.len() <= width
        {
            length += next.len();
            line.extend(chunks.pop_front());
        }
        if let Some(next) = chunks.front_mut()
            && next.len() > width
        {
            let room = (width - length).max(1);
            let rest = next.split_off(room);
            line.push(std::mem::replace(next, rest));
        }
        if !keep_blanks && line.last().is_some_and(is_blank) {
            line.pop();
        }
        if !line.is_empty() {
            lines.push(line.concat().into_iter().collect());
        }
    }
    lines
}

/// Splits a text into runs of blanks and unbreakable parts of words.
fn chunks(text: &str) -> Vec<Vec<char>> {
    let chars: Vec<char> = expanded(text).chars().collect();
    let mut out = Vec::new();
    let mut start = 0;
    for at in 1..=chars.len() {
        let ends = at == chars.len()
            || (chars[at - 1] == ' ') != (chars[at] == ' ')
            || breaks(&chars, start, at);
        if ends {
            out.push(chars[start..at].to_vec());
            start = at;
        }
    }
    out
}

/// Says whether a word may be broken before a character.
fn breaks(chars: &[char], start: usize, at: usize) -> bool {
    let letter = |index: usize| {
        chars
            .get(index)
            .is_some_and(|c| (c.is_alphanumeric() || *c == '_') && !c.is_ascii_digit())
    };
    if chars[at - 1] != '-' || at < start + 3 {
        return false;
    }
    let before = letter(at - 2)
        && (letter(at - 3) || (chars[at - 3] == '-' && at >= start + 4 && letter(at - 4)));
    let after =
        letter(at) && (letter(at + 1) || (chars.get(at + 1) == Some(&'-') && letter(at + 2)));
    before && after
}

/// Makes spaces of all blanks; tabs reach to the next multiple of eight.
fn expanded(text: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    for c in text.chars() {
        match c {
            '\t' => {
                let count = 8 - column % 8;
                out.extend(std::iter::repeat_n(' ', count));
                column += count;
            }
            '\n' | '\r' => {
                out.push(' ');
                column = 0;
            }
            '\u{b}' | '\u{c}' => {
                out.push(' ');
                column += 1;
            }
            c => {
                out.push(c);
                column += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn words_move_to_the_next_line_and_blanks_at_its_ends_vanish() {
        assert_eq!(
            wrap("one two  three\nfour", 8, false),
            ["one two", "three", "four"]
        );
        assert_eq!(wrap("one two three", 8, true), ["one two ", "three"]);
        assert_eq!(wrap(" lead", 8, false), [" lead"]);
    }

    #[test]
    fn words_break_behind_hyphens_between_letters_and_where_they_are_too_long() {
        assert_eq!(
            wrap("a non-existent one", 8, false),
            ["a non-", "existent", "one"]
        );
        assert_eq!(wrap("x --start-at", 8, false), ["x", "--start-", "at"]);
        assert_eq!(wrap("/tmp/a-1/b", 6, false), ["/tmp/a", "-1/b"]);
    }
}
