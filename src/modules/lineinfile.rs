//! `lineinfile`: makes sure that a line is in a file, or is not.

use std::path::Path;

use super::copy::check_with;
use super::outcome::errno_text;
use super::perms::{Wanted, backup, replace};
use super::{Default, Fail, Invocation, Kind, Module, Param, Ran, Spec};
use crate::compat::Level;
use crate::system::{System, WriteAs, canonical, errno};
use crate::value::{Dict, Replacement, Value};

/// The table's row.
pub(super) const MODULE: Module = Module {
    name: "lineinfile",
    spec: Spec {
        params: &[
            Param::new("path", Kind::Path)
                .required()
                .aliases(&["dest", "destfile", "name"]),
            Param::new("state", Kind::Str)
                .choices(&["absent", "present"])
                .default(Default::Str("present")),
            Param::new("regexp", Kind::Str).aliases(&["regex"]),
            Param::new("search_string", Kind::Str).since(Level::V2_18),
            Param::new("line", Kind::Str).aliases(&["value"]),
            Param::new("encoding", Kind::Str)
                .default(Default::Str("utf-8"))
                .since(Level::V2_19),
            Param::new("insertafter", Kind::Str),
            Param::new("insertbefore", Kind::Str),
            Param::new("backrefs", Kind::Bool).default(Default::Bool(false)),
            Param::new("create", Kind::Bool).default(Default::Bool(false)),
            Param::new("backup", Kind::Bool).default(Default::Bool(false)),
            Param::new("firstmatch", Kind::Bool).default(Default::Bool(false)),
            Param::new("validate", Kind::Str),
        ],
        file: true,
        mutually_exclusive: &[
            &["insertbefore", "insertafter"],
            &["regexp", "search_string"],
            &["backrefs", "search_string"],
        ],
        required_if: &[],
    },
    legacy: false,
    settle: None,
    doc: "Makes sure that a line is in a file, or is not.",
    example: "- lineinfile:\n    path: /etc/hosts\n    regexp: '^127\\.0\\.0\\.1'\n    line: 127.0.0.1 localhost",
    run,
};

/// The lines of a file, each with its newline.
type Lines = Vec<String>;

fn run(invocation: &Invocation<'_>, system: &dyn System) -> Ran {
    let path = invocation.path("path").unwrap_or_default();
    let shown = path.display().to_string();
    let warns = invocation.text("regexp").as_deref() == Some("");
    if system
        .stat(&path)
        .is_ok_and(|stat| stat.is(crate::system::FileType::Directory))
    {
        return Err(Fail::new(format!("Path {shown} is a directory !")).with("rc", 256));
    }
    let state = invocation.text("state").unwrap_or_default();
    if state == "present" {
        if invocation.is("backrefs") && invocation.text("regexp").is_none() {
            return Err(Fail::new("regexp is required with backrefs=true"));
        }
        if invocation.text("line").is_none() {
            return Err(Fail::new("line is required with state=present"));
        }
    } else if ["regexp", "search_string", "line"]
        .iter()
        .all(|name| invocation.text(name).is_none())
    {
        return Err(Fail::new(
            "one of line, search_string, or regexp is required with state=absent",
        ));
    }
    let before = match system.read(&path) {
        Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.raw_os_error() == Some(errno::ENOENT) => None,
        Err(error) => return Err(Fail::new(errno_text(&error))),
    };
    if before.is_none() && state == "absent" {
        let result = Dict::new();
        result.set("changed", false);
        result.set("msg", "file not present");
        return Ok(result);
    }
    if before.is_none() && !invocation.is("create") {
        return Err(Fail::new(format!("Destination {shown} does not exist !")).with("rc", 257));
    }
    let had = before.is_some();
    let before = before.unwrap_or_default();
    let lines: Lines = before.split_inclusive('\n').map(str::to_owned).collect();
    let decided = if state == "present" {
        present(invocation, lines)?
    } else {
        absent(invocation, lines)?
    };
    let result = finish(invocation, system, &path, &before, had, decided)?;
    if warns {
        result.set("warnings", Value::list(vec![EMPTY_REGEXP.into()]));
    }
    Ok(result)
}

const EMPTY_REGEXP: &str = "The regular expression is an empty string, which will match every line in the file. This may have unintended consequences, such as replacing the last line in the file rather than appending. If this is desired, use '^' to match every line in the file and avoid this warning.";

/// What the file is to hold, and what is said about it.
struct Decided {
    lines: Lines,
    changed: bool,
    message: String,
    found: Option<usize>,
}

fn regex(pattern: &str) -> Result<fancy_regex::Regex, Fail> {
    fancy_regex::Regex::new(pattern)
        .map_err(|error| Fail::crash(format!("the regular expression `{pattern}`: {error}")))
}

fn matches(regex: &fancy_regex::Regex, line: &str) -> bool {
    regex
        .is_match(line.trim_end_matches(['\r', '\n']))
        .unwrap_or(false)
}

/// Decides where the line goes: over the last match, else behind or before another, else at the end.
fn present(invocation: &Invocation<'_>, mut lines: Lines) -> Result<Decided, Fail> {
    let line = invocation.text("line").unwrap_or_default();
    let first = invocation.is("firstmatch");
    let wanted = match invocation.text("regexp") {
        Some(pattern) => Some(regex(&pattern)?),
        None => None,
    };
    let search = invocation.text("search_string");
    let before = invocation.text("insertbefore");
    let after = match (&before, invocation.text("insertafter")) {
        (None, None) => Some("EOF".to_owned()),
        (_, after) => after,
    };
    let beside = |text: &Option<String>, edge: &str| -> Result<Option<fancy_regex::Regex>, Fail> {
        text.as_deref()
            .filter(|t| *t != edge)
            .map(regex)
            .transpose()
    };
    let (after_regex, before_regex) = (beside(&after, "EOF")?, beside(&before, "BOF")?);
    let mut matched: Option<usize> = None;
    let mut exact: Option<usize> = None;
    let mut place: Option<usize> = None;
    for (index, text) in lines.iter().enumerate() {
        let is_match = match (&wanted, &search) {
            (Some(regex), _) => matches(regex, text),
            (None, Some(search)) => text.contains(search.as_str()),
            (None, None) => false,
        };
        let is_exact = text.trim_end_matches(['\r', '\n']) == line;
        if is_match {
            matched = Some(index);
            if first {
                break;
            }
        }
        if is_exact {
            exact = Some(index);
        }
        if !is_match && !is_exact {
            if let Some(regex) = &after_regex
                && matches(regex, text)
                && !(first && place.is_some())
            {
                place = Some(index + 1);
            }
            if let Some(regex) = &before_regex
                && matches(regex, text)
                && !(first && place.is_some())
            {
                place = Some(index);
            }
        }
    }
    let newline = "\n";
    let none = |lines| Decided {
        lines,
        changed: false,
        message: String::new(),
        found: None,
    };
    let back = invocation.is("backrefs");
    // A line that is there already only lacks its newline, if anything.
    let there = matched.or(exact.filter(|_| !back));
    if let Some(at) = there {
        let new = match (&wanted, invocation.is("backrefs")) {
            (Some(regex), true) => {
                let old = lines[at].trim_end_matches(['\r', '\n']).to_owned();
                match regex.captures(old.as_str()) {
                    Ok(Some(captures)) => Replacement::parse(&line, regex)
                        .map_err(Fail::crash)?
                        .expand(&captures),
                    _ => line.clone(),
                }
            }
            _ => line.clone(),
        };
        let new = if new.ends_with('\n') {
            new
        } else {
            new + newline
        };
        if lines[at] == new {
            return Ok(none(lines));
        }
        lines[at] = new;
        return Ok(Decided {
            lines,
            changed: true,
            message: "line replaced".into(),
            found: None,
        });
    }
    if back {
        return Ok(none(lines));
    }
    let text = line + newline;
    match (place, before.as_deref()) {
        (_, Some("BOF")) => lines.insert(0, text),
        (Some(at), _) => {
            // As observed: behind a last line without a newline, none is added.
            lines.insert(at, text);
        }
        (None, _) => {
            if let Some(last) = lines.last_mut()
                && !last.ends_with('\n')
            {
                last.push('\n');
            }
            lines.push(text);
        }
    }
    Ok(Decided {
        lines,
        changed: true,
        message: "line added".into(),
        found: None,
    })
}

fn absent(invocation: &Invocation<'_>, lines: Lines) -> Result<Decided, Fail> {
    let wanted = match invocation.text("regexp") {
        Some(pattern) => Some(regex(&pattern)?),
        None => None,
    };
    let search = invocation.text("search_string");
    let line = invocation.text("line");
    let count = lines.len();
    let kept: Lines = lines
        .into_iter()
        .filter(|text| !match (&wanted, &search) {
            (Some(regex), _) => matches(regex, text),
            (None, Some(search)) => text.contains(search.as_str()),
            (None, None) => line.as_deref() == Some(text.trim_end_matches(['\r', '\n'])),
        })
        .collect();
    let found = count - kept.len();
    let message = if found > 0 {
        format!("{found} line(s) removed")
    } else {
        String::new()
    };
    Ok(Decided {
        lines: kept,
        changed: found > 0,
        message,
        found: Some(found),
    })
}

fn finish(
    invocation: &Invocation<'_>,
    system: &dyn System,
    path: &Path,
    before: &str,
    had: bool,
    decided: Decided,
) -> Ran {
    let shown = path.display().to_string();
    let os = |error: &std::io::Error| Fail::new(errno_text(error));
    let after = decided.lines.concat();
    let result = Dict::new();
    result.set("backup", "");
    let target = canonical(system, path).map_err(|e| os(&e))?;
    if decided.changed {
        if had
            && invocation.is("backup")
            && let Some(name) = backup(system, &target)?
        {
            result.set("backup", name);
        }
        if let Some(validate) = invocation.text("validate") {
            if !validate.contains("%s") {
                return Err(Fail::new(format!("validate must contain %s: {validate}")));
            }
            if let Some(output) = check_with(invocation, system, &validate, after.as_bytes())? {
                return Err(Fail::new(format!(
                    "failed to validate: rc:{} error:{}",
                    output.rc,
                    String::from_utf8_lossy(&output.stderr)
                )));
            }
        }
        if !had
            && let Some(parent) = target.parent()
            && system.stat(parent).is_err()
        {
            make_parents(system, parent).map_err(|error| {
                Fail::new(format!(
                    "Error creating {} ({})",
                    parent.display(),
                    errno_text(&error)
                ))
            })?;
        }
        let mode = system.stat(&target).map(|stat| stat.mode & 0o7777);
        let umask = system.umask().map_err(|e| os(&e))?;
        let how = WriteAs {
            mode: mode.unwrap_or(0o666 & !umask),
            uid: system.stat(&target).ok().map(|stat| stat.uid),
            gid: system.stat(&target).ok().map(|stat| stat.gid),
        };
        replace(
            system,
            &target,
            after.as_bytes(),
            how,
            invocation.is("unsafe_writes"),
        )
        .map_err(|e| os(&e))?;
    }
    let (path_before, path_after) = (Dict::new(), Dict::new());
    let exists = system.lstat(&target).is_ok();
    let owned = exists
        && Wanted::of(invocation).apply(system, path, true, Some((&path_before, &path_after)))?;
    let mut message = decided.message;
    if owned {
        let more = "ownership, perms or SE linux context changed";
        message = if message.is_empty() {
            more.to_owned()
        } else {
            format!("{message} and {more}")
        };
    }
    result.set("changed", decided.changed || owned);
    result.set("msg", message);
    if let Some(found) = decided.found {
        result.set("found", found);
    }
    let content = Dict::new();
    content.set("before", before);
    content.set("after", after);
    content.set("before_header", format!("{shown} (content)"));
    content.set("after_header", format!("{shown} (content)"));
    let attributes = Dict::new();
    attributes.set("before_header", format!("{shown} (file attributes)"));
    attributes.set("after_header", format!("{shown} (file attributes)"));
    if !path_before.is_empty() || !path_after.is_empty() {
        attributes.set("before", path_before);
        attributes.set("after", path_after);
    }
    result.set("diff", vec![content.into(), attributes.into()]);
    Ok(result)
}

fn make_parents(system: &dyn System, dir: &Path) -> std::io::Result<()> {
    if system.stat(dir).is_ok() {
        return Ok(());
    }
    if let Some(parent) = dir.parent() {
        make_parents(system, parent)?;
    }
    system.mkdir(dir, 0o777)
}
