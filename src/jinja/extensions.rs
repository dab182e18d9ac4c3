//! Tags that a template may use only where the environment has their extension.
//!
//! **Source:** "Extensions" of Jinja2's documentation.

use std::collections::BTreeSet;

/// One of Jinja2's own extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Extension {
    /// `{% do %}`.
    Do,
    /// `{% break %}` and `{% continue %}`.
    LoopControls,
    /// `{% trans %}`.
    I18n,
    /// `{% debug %}`.
    Debug,
}

/// The names of the extensions in `jinja2.ext`: the short one, and that of the class.
const NAMES: &[(Extension, &str, &str)] = &[
    (Extension::Do, "do", "ExprStmtExtension"),
    (
        Extension::LoopControls,
        "loopcontrols",
        "LoopControlExtension",
    ),
    (Extension::I18n, "i18n", "InternationalizationExtension"),
    (Extension::Debug, "debug", "DebugExtension"),
];

impl Extension {
    /// Returns the extension that a name in `jinja2.ext` stands for.
    pub fn parse(name: &str) -> Option<Extension> {
        NAMES
            .iter()
            .find(|(_, short, class)| [*short, *class].contains(&name))
            .map(|(extension, ..)| *extension)
    }

    /// Returns the names that an extension may have in `jinja2.ext`.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().flat_map(|(_, short, class)| [*short, *class])
    }

    /// Returns the extension that a tag belongs to; those that Jinja2 always has belong to none.
    pub(super) fn of_tag(tag: &str) -> Option<Extension> {
        match tag {
            "do" => Some(Extension::Do),
            "break" | "continue" => Some(Extension::LoopControls),
            "trans" => Some(Extension::I18n),
            "debug" => Some(Extension::Debug),
            _ => None,
        }
    }

    /// Returns the extensions of tags alone, which need nothing else in the environment.
    pub fn statements() -> BTreeSet<Extension> {
        BTreeSet::from([Extension::Do, Extension::LoopControls])
    }
}
