//! Errors in the form of the level: since 2.19 the message, then each cause with its origin; before,
//! the message and the line of one place.
//!
//! **Source:** as printed by ansible-core 2.19 and 2.18 and Ansible 2.9.

use std::fmt::Write;

use crate::compat::Level;
use crate::diag::{Error, Sources, Span, Syntax};

/// Renders an error for people, with the prefix of the level; ends in a line break.
pub fn error_text(error: &Error, sources: &Sources, level: Level) -> String {
    if level.shows_error_blocks() {
        return format!("[ERROR]: {}", blocks(error, sources));
    }
    let message = match error.syntax() {
        Some(syntax) => unreadable(syntax, sources, level),
        None => error.full_message(),
    };
    let mut out = format!("ERROR! {message}\n");
    if let Some(span) = innermost(error) {
        let at = sources.locate(span);
        let text = sources.text(span.source);
        let line = |number: usize| number.checked_sub(1).and_then(|n| text.lines().nth(n));
        let _ = write!(
            out,
            "\nThe error appears to be in '{}': line {}, column {}, but may\nbe elsewhere in the file depending on the exact syntax problem.\n",
            at.file, at.line, at.column
        );
        if let Some(here) = line(at.line) {
            let _ = write!(
                out,
                "\nThe offending line appears to be:\n\n{}\n{here}\n{}^ here\n",
                line(at.line - 1).unwrap_or_default(),
                " ".repeat(at.column - 1)
            );
        }
    }
    out
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
    let json = not_json(&sources.text(span.source));
    format!(
        "We were unable to read either as JSON nor YAML, these are the errors we got from each:\nJSON: {json}\n\nSyntax Error while loading YAML.\n{said}"
    )
}

/// Says why a YAML text is no JSON, in the words of Python's `json`.
fn not_json(text: &str) -> String {
    let start = text.len() - text.trim_start().len();
    let rest = &text[start..];
    let (message, at) = match rest.as_bytes() {
        [b'{', b'"' | b'}', ..] | [b'[', ..] => ("Expecting value", start + 1),
        [b'{', ..] => (
            "Expecting property name enclosed in double quotes",
            start + 1,
        ),
        [b'"', ..] => ("Unterminated string starting at", start),
        _ => ("Expecting value", start),
    };
    let line = text[..at].matches('\n').count() + 1;
    let column = at - text[..at].rfind('\n').map_or(0, |n| n + 1) + 1;
    format!("{message}: line {line} column {column} (char {at})")
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
        if places && let Some(span) = one.span() {
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

/// Renders an error as ansible-core 2.19 has it behind `[ERROR]: `, with origins and excerpts.
///
/// Causes without a place of their own belong to the one above them. One block is shown under the
/// message; several are listed with `<<< caused by >>>` between them.
fn blocks(error: &Error, sources: &Sources) -> String {
    let mut groups: Vec<(String, Option<Span>)> = Vec::new();
    let mut next = Some(error);
    while let Some(one) = next {
        let span = one.span();
        match groups.last_mut() {
            Some((text, place)) if span.is_none() || *place == span || place.is_none() => {
                let _ = write!(text, ": {}", one.message());
                *place = place.or(span);
            }
            _ => groups.push((one.message().to_owned(), span)),
        }
        next = one.cause();
    }
    let mut out = error.full_message();
    out.push('\n');
    let count = groups.len();
    for (index, (text, place)) in groups.iter().enumerate() {
        if count > 1 {
            let dot = if index + 1 < count { "." } else { "" };
            let _ = write!(out, "\n{text}{dot}\n");
        }
        if let Some(place) = place {
            out.push_str(&origin(sources, *place));
        }
        if index + 1 < count {
            out.push_str("\n<<< caused by >>>\n");
        }
    }
    if groups.iter().any(|(_, place)| place.is_some()) {
        out.push('\n');
    }
    out
}

/// Shows a place: its name, then the lines around it.
pub(super) fn origin(sources: &Sources, span: Span) -> String {
    format!(
        "Origin: {}\n\n{}",
        sources.locate(span),
        excerpt(sources, span)
    )
}

/// Shows the line of a place, two before it, and a caret.
fn excerpt(sources: &Sources, span: Span) -> String {
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
        let _ = writeln!(out, "{:>width$} {}", index + 1, line.replace('\t', " "));
    }
    let _ = writeln!(
        out,
        "{}^ column {}",
        " ".repeat(width + at.column),
        at.column
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Kind;

    #[test]
    fn causes_with_their_own_place_get_a_block_of_their_own() {
        let sources = Sources::default();
        let id = sources.add("/p.yml", "a\n- debug:\n    msg: x\n");
        let inner = Error::new(Kind::Undefined, "'nope' is undefined").at(sources.span(id, 20, 21));
        let middle = Error::new(Kind::Value, "Finalization failed").caused_by(inner);
        let outer = Error::new(Kind::Module, "Task failed")
            .at(sources.span(id, 4, 5))
            .caused_by(middle);
        assert_eq!(
            blocks(&outer, &sources),
            "Task failed: Finalization failed: 'nope' is undefined\n\nTask failed: Finalization failed.\nOrigin: /p.yml:2:3\n\n1 a\n2 - debug:\n    ^ column 3\n\n<<< caused by >>>\n\n'nope' is undefined\nOrigin: /p.yml:3:10\n\n1 a\n2 - debug:\n3     msg: x\n           ^ column 10\n\n"
        );
    }
}
