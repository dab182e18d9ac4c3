//! Wrong command lines of `ansible-playbook` in the words of Python's `argparse`, which scripts
//! know; the usage above them is this program's own.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Returns what is wrong, as `argparse` words it; `None` where the words don't matter.
pub(super) fn message(error: &clap::Error, command: &clap::Command) -> Option<String> {
    let text = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(" ")),
        _ => None,
    };
    let argument = text(ContextKind::InvalidArg);
    let value = text(ContextKind::InvalidValue).unwrap_or_default();
    Some(match error.kind() {
        ErrorKind::UnknownArgument => format!("unrecognized arguments: {}", argument?),
        ErrorKind::InvalidValue | ErrorKind::WrongNumberOfValues | ErrorKind::NoEquals
            if value.is_empty() =>
        {
            format!(
                "argument {}: expected one argument",
                names(&argument?, command)
            )
        }
        ErrorKind::ValueValidation => format!(
            "argument {}: invalid int value: '{value}'",
            names(&argument?, command)
        ),
        _ => return None,
    })
}

/// What is missing where no playbook is named.
pub(super) const NO_PLAYBOOK: &str = "the following arguments are required: playbook";

/// Returns all names of an option, given as `--long <VALUE>`.
fn names(shown: &str, command: &clap::Command) -> String {
    let long = shown
        .trim_start_matches('-')
        .split([' ', '='])
        .next()
        .unwrap_or_default();
    let Some(found) = command
        .get_arguments()
        .find(|one| one.get_long() == Some(long))
    else {
        return shown.to_owned();
    };
    let mut names: Vec<String> = found
        .get_short()
        .map(|c| format!("-{c}"))
        .into_iter()
        .collect();
    names.push(format!("--{long}"));
    let aliases = found.get_all_aliases().unwrap_or_default();
    names.extend(aliases.iter().map(|alias| format!("--{alias}")));
    names.join("/")
}
