//! Turns an error into text with source excerpts; the only caller of the excerpt printer.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Error, Sources, Span};

impl Error {
    /// Renders the error for a reader: message, `file:line:column`, excerpt with caret, help.
    ///
    /// A span that starts at the very end of its text is shown on the last line. Plain text; no
    /// colour codes.
    pub fn render(&self, sources: &Sources) -> String {
        let texts: Vec<(String, String, std::ops::Range<usize>, &str)> = self
            .labels()
            .iter()
            .map(|label| {
                let mut text = sources.text(label.span.source);
                if sources.is_secret(label.span.source) {
                    text = "".into();
                }
                let range = clip(&text, label.span);
                (
                    sources.name(label.span.source).to_string(),
                    text.to_string(),
                    range,
                    label.text.as_str(),
                )
            })
            .collect();
        let full = self.full_message();
        let mut first = Group::with_title(Level::ERROR.primary_title(full.as_str()));
        let mut rest = Vec::new();
        for (index, (name, text, range, said)) in texts.iter().enumerate() {
            let mut annotation = AnnotationKind::Primary.span(range.clone());
            if index == 0 && !said.is_empty() {
                annotation = annotation.label(*said);
            }
            let snippet = Snippet::source(text.as_str())
                .path(name.as_str())
                .annotation(annotation);
            if index == 0 {
                first = first.element(snippet);
            } else {
                let title = if said.is_empty() {
                    "reached from here"
                } else {
                    *said
                };
                rest.push(Level::NOTE.secondary_title(title).element(snippet));
            }
        }
        if let Some(help) = self.help_text() {
            first = first.element(Level::HELP.message(help));
        }
        let mut report = vec![first];
        report.extend(rest);
        Renderer::plain().render(&report)
    }
}

fn clip(text: &str, span: Span) -> std::ops::Range<usize> {
    let mut start = (span.start as usize).min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = (span.end as usize).clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

#[cfg(test)]
mod tests {
    use super::super::{Error, Kind, Sources};

    #[test]
    fn a_rendered_error_names_place_and_help() {
        let sources = Sources::default();
        let id = sources.add("t.j2", "a\n{{ nme }}\n");
        let text = Error::new(Kind::Undefined, "'nme' is undefined")
            .at(sources.span(id, 5, 8))
            .help("did you mean `name`?")
            .render(&sources);
        assert!(text.contains("t.j2:2:4"), "{text}");
        assert!(text.contains("^^^"), "{text}");
        assert!(text.contains("help: did you mean `name`?"), "{text}");
    }
}
