//! What all ways of reading a source share: the inventory that is filled, names that are odd.

use super::Inventory;
use super::source::SourceOptions;
use crate::diag::{Notice, Result, Sources, Span};
use crate::value::{Key, Value};

/// What to do with group names that are no names of variables.
///
/// **Source:** `force_valid_group_names` of Ansible's documentation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupNames {
    /// Keep them, warn.
    #[default]
    Never,
    /// Keep them.
    Ignore,
    /// Put `_` in place of what doesn't fit, warn.
    Always,
    /// Put `_` in place of what doesn't fit.
    Silently,
}

impl GroupNames {
    /// Reads the setting.
    pub fn parse(text: &str) -> GroupNames {
        match text {
            "ignore" => GroupNames::Ignore,
            "always" => GroupNames::Always,
            "silently" => GroupNames::Silently,
            _ => GroupNames::Never,
        }
    }

    /// Returns the name that a group gets.
    pub fn safe(self, name: &str, sources: &Sources) -> String {
        let fits = |c: char| c.is_alphanumeric() || c == '_';
        if !name.starts_with(|c: char| c.is_numeric()) && name.chars().all(fits) {
            return name.to_owned();
        }
        match self {
            GroupNames::Never => sources.note(Notice::warning(
                "Invalid characters were found in group names but not replaced, use -vvvv to see details",
            )),
            GroupNames::Always => sources.note(Notice::warning(
                "Invalid characters were found in group names and automatically replaced, use -vvvv to see details",
            )),
            GroupNames::Ignore | GroupNames::Silently => {}
        }
        if matches!(self, GroupNames::Never | GroupNames::Ignore) {
            return name.to_owned();
        }
        let mut safe: String = name
            .chars()
            .map(|c| if fits(c) { c } else { '_' })
            .collect();
        if let Some(first) = safe.chars().next().filter(|c| c.is_numeric()) {
            safe.replace_range(..first.len_utf8(), "_");
        }
        safe
    }
}

/// The reading of one source.
pub(super) struct Reader<'a> {
    pub(super) inventory: &'a mut Inventory,
    pub(super) sources: &'a Sources,
    pub(super) options: &'a SourceOptions,
    /// The source as messages name it.
    pub(super) path: &'a str,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        inventory: &'a mut Inventory,
        sources: &'a Sources,
        options: &'a SourceOptions,
        path: &'a str,
    ) -> Reader<'a> {
        Reader {
            inventory,
            sources,
            options,
            path,
        }
    }

    pub(super) fn note(&self, notice: Notice) {
        self.sources.note(notice);
    }

    /// Returns the name that a group gets.
    pub(super) fn safe_group_name(&self, name: &str) -> String {
        self.options.group_names.safe(name, self.sources)
    }

    pub(super) fn set_host_var(&mut self, host: usize, name: &Value, value: Value, span: Span) {
        self.check_name(name, span);
        self.inventory.set_host_var(host, key_of(name), value);
    }

    pub(super) fn set_group_var(
        &mut self,
        group: usize,
        name: &Value,
        value: Value,
        span: Span,
    ) -> Result<()> {
        self.check_name(name, span);
        self.inventory.set_group_var(group, key_of(name), value)
    }

    /// Warns of variables that templates can't name.
    fn check_name(&self, name: &Value, span: Span) {
        let fits = name.as_str().is_some_and(is_variable_name);
        if self.options.level.deprecates_odd_variable_names() && !fits {
            self.note(
                Notice::deprecation(
                    format!("Accepting inventory variable with invalid name {}.", name.repr()),
                    "2.23",
                )
                .at(Some(span))
                .help("Variable names must be strings starting with a letter or underscore character, and contain only letters, numbers and underscores."),
            );
        }
    }
}

/// Returns the key of a variable; what can't be a key is one by its text.
fn key_of(name: &Value) -> Key {
    Key::new(name.clone()).unwrap_or_else(|_| Key::str(name.to_str()))
}

/// Constants of Python and Jinja.
const CONSTANTS: &[&str] = &["False", "None", "True", "false", "none", "true"];

/// Says whether a name can be a variable's.
pub(super) fn is_variable_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !CONSTANTS.contains(&name)
}
