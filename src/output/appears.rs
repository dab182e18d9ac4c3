//! Places in the words of Ansible before 2.19: the line, the one before it, and what is often wrong.

use crate::diag::{Sources, Span};

const MISSING_QUOTES: &str = "We could be wrong, but this one looks like it might be an issue with
missing quotes. Always quote template expression brackets when they
start a value. For instance:

    with_items:
      - {{ foo }}

Should be written as:

    with_items:
      - \"{{ foo }}\"
";

/// Returns what follows an error's message: where it is, in two paragraphs.
pub fn appears(sources: &Sources, span: Span) -> String {
    let at = sources.locate(span);
    let text = sources.text(span.source);
    let line = |number: usize| {
        number
            .checked_sub(1)
            .and_then(|index| text.lines().nth(index))
    };
    let mut out = format!(
        "\n\nThe error appears to be in '{}': line {}, column {}, but may\nbe elsewhere in the file depending on the exact syntax problem.\n",
        at.file, at.line, at.column
    );
    if sources.is_secret(span.source) {
        return out;
    }
    let Some(here) = line(at.line) else {
        return out;
    };
    let before = line(at.line - 1).unwrap_or_default();
    let blanks = " ".repeat(at.column - 1);
    out.push_str(&format!(
        "\nThe offending line appears to be:\n\n{before}\n{here}\n{blanks}^ here\n"
    ));
    let is_quoted = here.contains("\"{{") && here.contains("'{{");
    if here.contains("{{") && here.contains("}}") && !is_quoted {
        out.push_str(MISSING_QUOTES);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_the_line_with_the_one_before_it() {
        let sources = Sources::default();
        let id = sources.add("/p.yml", "a: 1\n- x: y\n");
        assert_eq!(
            appears(&sources, sources.span(id, 7, 8)),
            "\n\nThe error appears to be in '/p.yml': line 2, column 3, but may\nbe elsewhere in the file depending on the exact syntax problem.\n\nThe offending line appears to be:\n\na: 1\n- x: y\n  ^ here\n"
        );
    }
}
