//! Errors in the form of ansible-core 2.19: the message, then each cause with its origin.
//!
//! **Source:** as printed by ansible-core 2.19.

use std::fmt::Write;

use crate::diag::{Error, Sources, Span};

/// Renders an error as the text behind `[ERROR]: `, with its origins and excerpts.
///
/// Causes without a place of their own belong to the one above them. One block is shown under the
/// message; several are listed with `<<< caused by >>>` between them.
pub fn blocks(error: &Error, sources: &Sources) -> String {
    let mut groups: Vec<(String, Option<Span>, Option<String>)> = Vec::new();
    let mut next = Some(error);
    while let Some(one) = next {
        let span = one.span();
        match groups.last_mut() {
            Some((text, place, help)) if span.is_none() || *place == span || place.is_none() => {
                let _ = write!(text, ": {}", one.message());
                *place = place.or(span);
                if help.is_none() {
                    *help = one.help_text().map(str::to_owned);
                }
            }
            _ => groups.push((
                one.message().to_owned(),
                span,
                one.help_text().map(str::to_owned),
            )),
        }
        next = one.cause();
    }
    let mut out = error.full_message();
    out.push('\n');
    let several = groups.len() > 1;
    let count = groups.len();
    for (index, (text, place, help)) in groups.iter().enumerate() {
        if several {
            let _ = write!(
                out,
                "\n{text}{}\n",
                if index + 1 < count { "." } else { "" }
            );
        }
        if let Some(place) = place {
            let _ = write!(
                out,
                "Origin: {}\n\n{}",
                sources.locate(*place),
                excerpt(sources, *place)
            );
        }
        // Further places say how the first was reached: includes, variables.
        let labels = nth_labels(error, *place);
        for (span, said) in labels {
            let _ = write!(
                out,
                "\n{said}: {}\n\n{}",
                sources.locate(span),
                excerpt(sources, span)
            );
        }
        if let Some(help) = help {
            let _ = write!(out, "\nHelp: {help}\n");
        }
        if index + 1 < count {
            out.push_str("\n<<< caused by >>>\n");
        }
    }
    out
}

/// Returns the further places of the cause whose own place is given.
fn nth_labels(error: &Error, place: Option<Span>) -> Vec<(Span, String)> {
    let mut next = Some(error);
    while let Some(one) = next {
        if one.span().is_some() && one.span() == place && one.labels().len() > 1 {
            return one.labels()[1..]
                .iter()
                .map(|label| (label.span, label.text.clone()))
                .collect();
        }
        next = one.cause();
    }
    Vec::new()
}

/// Shows the line of a place, two before it, and a caret.
fn excerpt(sources: &Sources, span: Span) -> String {
    let at = sources.locate(span);
    let text = sources.text(span.source);
    let lines: Vec<&str> = text.lines().collect();
    let first = at.line.saturating_sub(3);
    let width = at.line.to_string().len();
    let mut out = String::new();
    for (index, line) in lines
        .iter()
        .enumerate()
        .take(at.line.min(lines.len()))
        .skip(first)
    {
        let _ = writeln!(out, "{:>width$} {line}", index + 1);
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
            "Task failed: Finalization failed: 'nope' is undefined\n\nTask failed: Finalization failed.\nOrigin: /p.yml:2:3\n\n1 a\n2 - debug:\n    ^ column 3\n\n<<< caused by >>>\n\n'nope' is undefined\nOrigin: /p.yml:3:10\n\n1 a\n2 - debug:\n3     msg: x\n           ^ column 10\n"
        );
    }
}
