//! Ansible's default colours.

/// What a text is about.
#[derive(Clone, Copy)]
pub(super) enum Color {
    Ok,
    Changed,
    Skip,
    Error,
    Unreachable,
    Warn,
    Deprecate,
    DiffAdd,
    DiffRemove,
    DiffLines,
}

impl Color {
    /// Returns the code of Ansible's default colour for it.
    fn code(self) -> &'static str {
        match self {
            Color::Ok | Color::DiffAdd => "0;32",
            Color::Changed => "0;33",
            Color::Skip | Color::DiffLines => "0;36",
            Color::Error | Color::DiffRemove => "0;31",
            Color::Unreachable => "1;31",
            Color::Warn => "1;35",
            Color::Deprecate => "0;35",
        }
    }
}

/// Colours a text, each line by itself, as pagers want it.
pub(super) fn paint(text: &str, color: Color) -> String {
    if text.is_empty() {
        return String::new();
    }
    text.split('\n')
        .map(|line| format!("\x1b[{}m{line}\x1b[0m", color.code()))
        .collect::<Vec<_>>()
        .join("\n")
}
