//! `ini` and `csvfile`: values out of files that are tables.

use super::{Options, failed, find, flag, option, read_text, refused, text_of};
use crate::diag::Result;
use crate::template::filters::translate;
use crate::template::ini::{Fault, Ini, IniStyle};
use crate::template::templar::Templar;
use crate::value::Value;

/// The options that a term of `ini` may have behind its key.
const OF_INI: &[&str] = &[
    "type",
    "file",
    "section",
    "re",
    "default",
    "encoding",
    "case_sensitive",
    "interpolation",
    "allow_none",
];

/// The options that a term of `csvfile` may have behind its key.
const OF_CSV: &[&str] = &[
    "file",
    "keycol",
    "col",
    "delimiter",
    "default",
    "encoding",
    "quotechar",
];

fn text(options: Options, name: &str, default: &str) -> String {
    match option(options, name) {
        None | Some(Value::None) => default.to_owned(),
        Some(value) => value.to_str(),
    }
}

/// Splits a term at its options; a blank inside of a value belongs to it.
fn parts<'a>(term: &'a str, names: &[&str]) -> Vec<&'a str> {
    let mut starts = vec![0];
    for (at, _) in term.match_indices(' ') {
        let word = &term[at + 1..];
        if names.iter().any(|name| {
            word.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('='))
        }) {
            starts.push(at + 1);
        }
    }
    starts.push(term.len() + 1);
    starts
        .windows(2)
        .map(|pair| term[pair[0]..(pair[1] - 1).max(pair[0])].trim_end())
        .collect()
}

pub(super) fn ini(templar: &Templar, terms: &[Value], options: Options) -> Result<Vec<Value>> {
    let level = templar.level();
    let mut given = options.to_vec();
    let mut out = Vec::new();
    for term in terms {
        let term = text_of(term, "split")?;
        let mut key = term.to_owned();
        if term.contains('=') {
            for part in parts(term, OF_INI) {
                let Some((name, value)) = part.split_once('=') else {
                    part.clone_into(&mut key);
                    continue;
                };
                if !OF_INI.contains(&name) {
                    return Err(refused(level.no_ini_option(name)));
                }
                given.retain(|(known, _)| known != name);
                given.push((name.to_owned(), Value::str(value)));
            }
        }
        let kind = text(&given, "type", "ini");
        if kind != "ini" && kind != "properties" {
            return Err(refused(format!(
                "Invalid value '{kind}' for config 'type' for 'ini' lookup plugin."
            )));
        }
        let file = text(&given, "file", "ansible.ini");
        let path = find(templar, "files", &file).ok_or_else(|| failed("Invalid filename None."))?;
        let mut content = read_text(templar, &path, &text(&given, "encoding", "utf-8"))?;
        let mut section = text(&given, "section", "global");
        if kind == "properties" {
            content = format!("[java_properties]\n{content}");
            "java_properties".clone_into(&mut section);
        }
        let style = IniStyle {
            case_sensitive: flag(&given, "case_sensitive", false),
            allow_none: flag(&given, "allow_none", false),
            interpolation: flag(&given, "interpolation", true),
        };
        let shown = path.to_string_lossy();
        let ini = Ini::read(&content, style).map_err(|fault| match fault {
            Fault::Duplicate(said) => refused(level.duplicate_ini_option(&shown, &said)),
            Fault::Other(said) => failed(said),
        })?;
        if !ini.has(&section) {
            return Err(refused(level.no_ini_section(&section, &shown)));
        }
        if flag(&given, "re", false) {
            let regex = translate(&key, false, false, false)?;
            for (name, _) in ini.all(&section) {
                // As Python's `match`: at the start.
                if regex
                    .find(name)
                    .ok()
                    .flatten()
                    .is_some_and(|found| found.start() == 0)
                    && let Some(value) = ini.get(&section, name, style)?
                {
                    out.push(value.map_or(Value::None, Value::from));
                }
            }
            continue;
        }
        match ini.get(&section, &key, style)? {
            Some(Some(value)) => out.push(Value::from(value)),
            // A name that has no value gives nothing.
            Some(None) => {}
            None => out.push(
                option(&given, "default")
                    .cloned()
                    .unwrap_or_else(|| Value::str("")),
            ),
        }
    }
    Ok(out)
}

pub(super) fn csvfile(templar: &Templar, terms: &[Value], options: Options) -> Result<Vec<Value>> {
    let level = templar.level();
    if terms.is_empty() {
        return Err(failed("Search key is required but was not found"));
    }
    let mut out = Vec::new();
    for term in terms {
        let term = text_of(term, "split")?;
        let mut given = options.to_vec();
        let mut key: Vec<&str> = Vec::new();
        for word in term.split_whitespace() {
            match word.split_once('=') {
                Some((name, value)) if OF_CSV.contains(&name) => {
                    given.retain(|(known, _)| known != name);
                    given.push((name.to_owned(), Value::str(value)));
                }
                Some((name, _)) => {
                    return Err(failed(format!("'{name}' is not a valid option")));
                }
                None => key.push(word),
            }
        }
        if key.is_empty() {
            return Err(failed("Search key is required but was not found"));
        }
        let key = key.join(" ");
        let delimiter = match text(&given, "delimiter", "TAB").as_str() {
            "TAB" | "t" if text(&given, "delimiter", "TAB") == "TAB" => "\t".to_owned(),
            other => other.to_owned(),
        };
        let number = |name: &str, default: &str| -> Result<i64> {
            let found = option(&given, name);
            let read = text(&given, name, default).trim().parse();
            let shown = found.cloned().unwrap_or(Value::None);
            read.map_err(|_| level.wrong_lookup_setting("csvfile", name, "int", &shown))
        };
        let (column, key_column) = (number("col", "1")?, number("keycol", "0")?);
        let file = text(&given, "file", "ansible.csv");
        let path = find(templar, "files", &file)
            .ok_or_else(|| failed("expected str, bytes or os.PathLike object, not NoneType"))?;
        let [delimiter] = delimiter.as_bytes() else {
            return Err(failed("\"delimiter\" must be a 1-character string"));
        };
        let content = read_text(templar, &path, &text(&given, "encoding", "utf-8"))?;
        let mut found = None;
        for row in crate::template::csv_rows(&content, *delimiter)? {
            let cell = |column: i64| -> Result<&String> {
                let at = if column < 0 {
                    column + row.len() as i64
                } else {
                    column
                };
                usize::try_from(at)
                    .ok()
                    .and_then(|at| row.get(at))
                    .ok_or_else(|| failed("list index out of range"))
            };
            if !row.is_empty() && *cell(key_column)? == key {
                found = Some(Value::str(cell(column)?));
                break;
            }
        }
        if let Some(value) = found.or_else(|| option(&given, "default").cloned()) {
            out.push(value);
        }
    }
    Ok(out)
}
