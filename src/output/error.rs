//! Errors in the form of the level: since 2.19 the message, then each cause with its origin; before,
//! the message and the line of one place.
//!
//! **Source:** as printed by ansible-core 2.19 and 2.18 and Ansible 2.9.

use std::fmt::Write;

use super::appears;
use crate::compat::Level;
use crate::diag::{Error, Exactness, Kind, SourceId, Sources, Span, Syntax};
use crate::value::json_error;

/// Renders an error for people, with the prefix of the level; ends in a line break.
pub fn error_text(error: &Error, sources: &Sources, level: Level) -> String {
    if level.shows_error_blocks() {
        return format!("[ERROR]: {}", blocks(error, sources));
    }
    if error.kind() == Kind::Interrupted {
        return format!(" [ERROR]: {}\n", error.full_message());
    }
    format!("ERROR! {}", older_text(error, sources, level))
}

/// Renders an error as Ansible before 2.19 has it behind `ERROR! `; ends in a line break.
pub(super) fn older_text(error: &Error, sources: &Sources, level: Level) -> String {
    let message = match error.syntax() {
        Some(syntax) => unreadable(syntax, sources, level),
        None => error.full_message(),
    };
    match innermost(error) {
        Some(span) => format!("{message}{}", appears(sources, span)),
        None => format!("{message}\n"),
    }
}

/// Returns the reason of a result for an error that has no other place: its message, and where
/// the level has it in there, the line of its place.
pub fn reason_text(error: &Error, sources: &Sources, level: Level) -> String {
    if level.shows_error_blocks() {
        return error.full_message();
    }
    let text = error_text(error, sources, level);
    let text = text.strip_prefix("ERROR! ").unwrap_or(&text);
    match innermost(error) {
        Some(_) => text.to_owned(),
        None => text.trim_end_matches('\n').to_owned(),
    }
}

/// Says that a file can be read neither as JSON nor as YAML, as before 2.19.
fn unreadable(syntax: &Syntax, sources: &Sources, level: Level) -> String {
    let (problem, span) = &syntax.problem;
    let mut said = format!("  {problem}");
    if level.shows_scanner_context() {
        let place = |span: Span| {
            let at = sources.locate(span);
            format!(
                "  in \"<unicode string>\", line {}, column {}",
                at.line, at.column
            )
        };
        if let Some((context, begun)) = &syntax.context {
            let _ = write!(said, ". {context}\n{}\n{problem}", place(*begun));
        }
        let _ = write!(said, "\n{}", place(*span));
    }
    let json = json_error(&sources.text(span.source)).unwrap_or_default();
    format!(
        "We were unable to read either as JSON nor YAML, these are the errors we got from each:\nJSON: {json}\n\nSyntax Error while loading YAML.\n{said}"
    )
}

/// Returns the place of the first error of a chain that has one.
fn innermost(error: &Error) -> Option<Span> {
    let mut next = Some(error);
    while let Some(one) = next {
        if let Some(span) = one.span() {
            return Some(span);
        }
        next = one.cause();
    }
    None
}

/// Returns what this program adds to Ansible's words: places that they leave out, how an error
/// was reached, what to do about it.
pub fn hints(error: &Error, sources: &Sources, places: bool) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut add = |text: String| {
        if !out.contains(&text) {
            out.push(text);
        }
    };
    let mut next = Some(error);
    while let Some(one) = next {
        if let Some(span) = one.span()
            && (places || sources.exactness(span.source) == Exactness::Name)
            && !sources.text(span.source).is_empty()
        {
            add(format!("at {}", sources.locate(span)));
        }
        for label in one.labels().iter().skip(1) {
            add(format!("{}: {}", label.text, sources.locate(label.span)));
        }
        if let Some(help) = one.help_text() {
            add(help.to_owned());
        }
        next = one.cause();
    }
    out
}

/// One block: messages that share a place.
struct Group<'a> {
    text: String,
    place: Option<Span>,
    note: Option<&'a str>,
}

/// Renders an error as ansible-core 2.19 has it behind `[ERROR]: `, with origins and excerpts.
///
/// One block is shown under the message; several are listed with `<<< caused by >>>` between them.
fn blocks(error: &Error, sources: &Sources) -> String {
    let groups = grouped(error);
    let mut out = error.full_message();
    out.push('\n');
    let count = groups.len();
    for (index, group) in groups.iter().enumerate() {
        if count > 1 {
            let dot = if index + 1 < count { "." } else { "" };
            let _ = write!(out, "\n{}{dot}\n", group.text);
        }
        match (group.place, group.note) {
            (Some(place), note) => {
                out.push_str(&origin(sources, place));
                if let Some(note) = note {
                    let _ = writeln!(out, "\n{note}");
                }
            }
            (None, Some(note)) if note.starts_with("Origin: ") => {
                let _ = writeln!(out, "{note}");
            }
            // Without a place it goes on in the same line.
            (None, Some(note)) => {
                out.truncate(out.trim_end().len());
                let _ = writeln!(out, " {note}");
            }
            (None, None) => {}
        }
        if index + 1 < count {
            out.push_str("\n<<< caused by >>>\n");
        }
    }
    // As observed: what is longer than a line is set off from what follows.
    if out.trim_end().contains('\n') {
        out.push('\n');
    }
    out
}

/// Puts an error and its causes together where they share a place.
fn grouped(error: &Error) -> Vec<Group<'_>> {
    let mut groups: Vec<Group> = Vec::new();
    let mut next = Some(error);
    while let Some(one) = next {
        match groups.last_mut() {
            Some(group)
                if start(group.place) == start(one.span())
                    && one.note_text().is_none()
                    && one.kind() != Kind::Conversion =>
            {
                let _ = write!(group.text, ": {}", one.message());
            }
            _ => groups.push(Group {
                text: one.message().to_owned(),
                place: one.span(),
                note: one.note_text(),
            }),
        }
        next = one.cause();
    }
    groups
}

/// Returns where a place begins: where it ends makes no other place of it.
fn start(place: Option<Span>) -> Option<(SourceId, u32)> {
    place.map(|span| (span.source, span.start))
}

/// Shows a place: its name, then the lines around it where those are known.
pub(super) fn origin(sources: &Sources, span: Span) -> String {
    match sources.exactness(span.source) {
        Exactness::Name => return format!("Origin: {}\n", sources.name(span.source)),
        Exactness::Line => return line_origin(sources, span),
        Exactness::Column => {}
    }
    format!(
        "Origin: {}\n\n{}",
        sources.locate(span),
        excerpt(sources, span)
    )
}

/// Shows a line and two before it, all of it underlined.
fn line_origin(sources: &Sources, span: Span) -> String {
    let at = sources.locate(span);
    let text = sources.text(span.source);
    let lines: Vec<&str> = text.lines().collect();
    let width = at.line.to_string().len();
    let mut out = format!("Origin: {}:{}\n\n", at.file, at.line);
    let end = at.line.min(lines.len());
    for (index, line) in lines
        .iter()
        .enumerate()
        .take(end)
        .skip(at.line.saturating_sub(3))
    {
        let _ = writeln!(out, "{:>width$} {}", index + 1, line.replace('\t', " "));
    }
    let length = lines
        .get(end.saturating_sub(1))
        .map_or(0, |line| line.chars().count());
    let _ = writeln!(out, "{} {}", " ".repeat(width), "^".repeat(length));
    out
}

/// Shows the line of a place, two before it, and a caret.
fn excerpt(sources: &Sources, span: Span) -> String {
    if sources.is_secret(span.source) {
        return "(source not shown: content encrypted)\n".to_owned();
    }
    let at = sources.locate(span);
    let text = sources.text(span.source);
    let lines: Vec<&str> = text.lines().collect();
    let first = at.line.saturating_sub(3);
    let width = at.line.to_string().len();
    if at.line > lines.len() {
        return "(source not shown: file truncated)\n".to_owned();
    }
    let mut out = String::new();
    for (index, line) in lines
        .iter()
        .enumerate()
        .take(at.line.min(lines.len()))
        .skip(first)
    {
        let line = line.replace('\t', " ");
        out.push_str(&cut(format!("{:>width$} {line}", index + 1)));
        out.push('\n');
    }
    out.push_str(&marker(width + at.column, at.column));
    out
}

/// The longest line that an excerpt shows.
const WIDTH: usize = 120;

fn cut(line: String) -> String {
    if line.chars().count() <= WIDTH {
        return line;
    }
    let kept: String = line.chars().take(WIDTH - 3).collect();
    format!("{kept}...")
}

/// Returns the line with the caret; nothing where its line is cut off before it.
fn marker(blanks: usize, column: usize) -> String {
    let behind = format!("^ column {column}");
    if blanks + behind.len() <= WIDTH {
        return format!("{}{behind}\n", " ".repeat(blanks));
    }
    if blanks >= WIDTH {
        return String::new();
    }
    let before = format!("column {column} ^");
    format!("{before:>width$}\n", width = blanks + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Kind;

    #[test]
    fn a_caret_that_does_not_fit_has_its_column_in_front() {
        assert_eq!(marker(4, 3), "    ^ column 3\n");
        assert_eq!(marker(112, 111), format!("{:>113}\n", "column 111 ^"));
        assert_eq!(marker(136, 135), "");
    }

    #[test]
    fn causes_with_their_own_place_get_a_block_of_their_own() {
        let sources = Sources::default();
        let id = sources.add("/p.yml", "a\n- debug:\n    msg: x\n");
        let inner = Error::new(Kind::Undefined, "'nope' is undefined").at(sources.span(id, 20, 21));
        let place = sources.span(id, 4, 5);
        let middle = Error::new(Kind::Value, "Finalization failed")
            .at(place)
            .caused_by(inner);
        let outer = Error::new(Kind::Module, "Task failed")
            .at(place)
            .caused_by(middle);
        assert_eq!(
            blocks(&outer, &sources),
            "Task failed: Finalization failed: 'nope' is undefined\n\nTask failed: Finalization failed.\nOrigin: /p.yml:2:3\n\n1 a\n2 - debug:\n    ^ column 3\n\n<<< caused by >>>\n\n'nope' is undefined\nOrigin: /p.yml:3:10\n\n1 a\n2 - debug:\n3     msg: x\n           ^ column 10\n\n"
        );
    }
}
