//! Filters for paths and URLs.

use std::path::{Path, PathBuf};

use super::{failed, known, mistyped, only};
use crate::diag::Result;
use crate::jinja::Row;
use crate::value::{Args, Runtime, Value};

pub(super) static TABLE: &[Row] = &[
    Row::new(
        "basename",
        |_, a| on_path(a, |s| s.rsplit('/').next().unwrap_or(s).to_owned()),
        "Returns a path's last part.",
        "'/a/b' | basename => 'b'",
    ),
    Row::new(
        "dirname",
        |_, a| on_path(a, dirname),
        "Returns a path without its last part.",
        "'/a/b' | dirname => '/a'",
    ),
    Row::new(
        "expanduser",
        |_, a| on_text(a, expand_user),
        "Replaces `~`.",
        "'/a' | expanduser => '/a'",
    ),
    Row::new(
        "expandvars",
        |_, a| on_text(a, expand_vars),
        "Replaces environment variables.",
        "'/a' | expandvars => '/a'",
    ),
    Row::new(
        "realpath",
        |_, a| on_text(a, |s| absolute(s, true)),
        "Follows links.",
        "'/' | realpath => '/'",
    ),
    Row::new(
        "normpath",
        |_, a| on_text(a, normal),
        "Takes `.` and `..` out.",
        "'/a/../b' | normpath => '/b'",
    ),
    Row::new(
        "relpath",
        relpath,
        "Returns a path as seen from another.",
        "'/a/b' | relpath('/a') => 'b'",
    ),
    Row::new(
        "splitext",
        splitext,
        "Splits the extension off.",
        "'a.txt' | splitext => ('a', '.txt')",
    ),
    Row::new(
        "path_join",
        path_join,
        "Joins parts of a path.",
        "['/a', 'b'] | path_join => '/a/b'",
    ),
    Row::new(
        "commonpath",
        common_path,
        "Returns what paths have in common.",
        "['/a/b/c', '/a/b/d'] | commonpath => '/a/b'",
    ),
    Row::new(
        "fileglob",
        file_glob,
        "Lists files of the controller that match a pattern.",
        "'/nonexistent/*' | fileglob => []",
    ),
    Row::new(
        "win_basename",
        |_, a| on_text(a, |s| win_split(s).2),
        "Returns a Windows path's last part.",
        "'C:\\\\a\\\\b.txt' | win_basename => 'b.txt'",
    ),
    Row::new(
        "win_dirname",
        |_, a| {
            on_text(a, |s| {
                let (drive, head, _) = win_split(s);
                drive + &head
            })
        },
        "Returns a Windows path without its last part.",
        "'C:\\\\a\\\\b.txt' | win_dirname => 'C:\\\\a'",
    ),
    Row::new(
        "win_splitdrive",
        win_splitdrive,
        "Splits the drive off a Windows path.",
        "'C:\\\\a' | win_splitdrive => ('C:', '\\\\a')",
    ),
    Row::new(
        "urlsplit",
        urlsplit,
        "Takes a URL apart.",
        "'http://h:80/p' | urlsplit('port') => 80",
    ),
];

fn on_text(args: Args, f: fn(&str) -> String) -> Result<Value> {
    Ok(Value::str(f(&only(args)?.to_str())))
}

/// Returns a path's text.
fn path_of(value: &Value) -> Result<String> {
    match value {
        Value::Str(text) => Ok(text.to_string()),
        other => Err(crate::diag::Error::type_error(format!(
            "expected str, bytes or os.PathLike object, not {}",
            other.type_name()
        ))),
    }
}

fn on_path(args: Args, f: impl FnOnce(&str) -> String) -> Result<Value> {
    Ok(Value::str(f(&path_of(&only(args)?)?)))
}

fn dirname(path: &str) -> String {
    match path.rfind('/') {
        Some(at) => {
            let head = &path[..=at];
            let trimmed = head.trim_end_matches('/');
            if trimmed.is_empty() {
                head.to_owned()
            } else {
                trimmed.to_owned()
            }
        }
        None => String::new(),
    }
}

fn expand_user(path: &str) -> String {
    let Some(rest) = path.strip_prefix('~') else {
        return path.to_owned();
    };
    let end = rest.find('/').unwrap_or(rest.len());
    let (user, behind) = rest.split_at(end);
    let home = if user.is_empty() {
        std::env::home_dir().map(|home| home.to_string_lossy().into_owned())
    } else {
        std::fs::read_to_string("/etc/passwd")
            .unwrap_or_default()
            .lines()
            .find_map(|line| {
                let fields: Vec<&str> = line.split(':').collect();
                (fields.first() == Some(&user)).then(|| fields.get(5).map(|h| (*h).to_owned()))?
            })
    };
    match home {
        Some(home) => format!("{}{behind}", home.trim_end_matches('/')),
        None => path.to_owned(),
    }
}

fn common_path(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let value = only(args)?;
    if matches!(value, Value::Str(_)) || value.items().is_err() {
        let kind = value.type_name();
        return Err(failed(format!(
            "|commonpath expects sequence, got <class '{kind}'> instead."
        )));
    }
    let paths: Vec<String> = value.items()?.map(|path| path.to_str()).collect();
    let Some(first) = paths.first() else {
        return Err(failed("commonpath() arg is an empty sequence"));
    };
    let absolute = first.starts_with('/');
    if paths.iter().any(|path| path.starts_with('/') != absolute) {
        return Err(failed("Can't mix absolute and relative paths"));
    }
    let parts = |path: &str| -> Vec<String> {
        let all = path
            .split('/')
            .filter(|part| !part.is_empty() && *part != ".");
        all.map(str::to_owned).collect()
    };
    let mut common = parts(first);
    for path in &paths {
        let other = parts(path);
        let same = common
            .iter()
            .zip(&other)
            .take_while(|(a, b)| a == b)
            .count();
        common.truncate(same);
    }
    let joined = common.join("/");
    Ok(Value::str(if absolute {
        format!("/{joined}")
    } else {
        joined
    }))
}

fn file_glob(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let pattern = only(args)?.to_str();
    let (dir, name) = pattern.rsplit_once('/').unwrap_or((".", &pattern));
    let dir = if pattern.starts_with('/') && dir.is_empty() {
        "/"
    } else {
        dir
    };
    let matcher = globset::GlobBuilder::new(name)
        .literal_separator(true)
        .build()
        .map_err(|error| failed(format!("the pattern `{pattern}`: {error}")))?
        .compile_matcher();
    let mut found: Vec<String> = std::fs::read_dir(dir)
        .map(|entries| {
            entries
                .filter_map(std::result::Result::ok)
                .filter(|entry| entry.path().is_file())
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .filter(|file| {
                    matcher.is_match(file) && (name.starts_with('.') || !file.starts_with('.'))
                })
                .map(|file| match (pattern.contains('/'), dir) {
                    (false, _) => file,
                    (true, "/") => format!("/{file}"),
                    (true, dir) => format!("{dir}/{file}"),
                })
                .collect()
        })
        .unwrap_or_default();
    found.sort();
    Ok(Value::list(found.into_iter().map(Value::from).collect()))
}

/// Splits a Windows path into drive, directory and name.
fn win_split(path: &str) -> (String, String, String) {
    let (drive, rest) = match path.as_bytes() {
        [_, b':', ..] => path.split_at(2),
        _ => ("", path),
    };
    let at = rest.rfind(['\\', '/']).map_or(0, |at| at + 1);
    let (head, name) = rest.split_at(at);
    let trimmed = head.trim_end_matches(['\\', '/']);
    let head = if trimmed.is_empty() { head } else { trimmed };
    (drive.to_owned(), head.to_owned(), name.to_owned())
}

fn win_splitdrive(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let path = only(args)?.to_str();
    let (drive, rest) = match path.as_bytes() {
        [_, b':', ..] => path.split_at(2),
        _ => ("", path.as_str()),
    };
    Ok(Value::tuple(vec![Value::str(drive), Value::str(rest)]))
}

fn expand_vars(path: &str) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (name, next) = match after
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'))
        {
            Some((name, next)) => (name, next),
            None => {
                let end = after
                    .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                    .unwrap_or(after.len());
                after.split_at(end)
            }
        };
        match std::env::var(name) {
            Ok(value) => {
                out.push_str(&value);
                rest = next;
            }
            Err(_) => {
                out.push('$');
                rest = after;
            }
        }
    }
    out + rest
}

fn normal(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(last) if *last != ".." => {
                    parts.pop();
                }
                _ if absolute => {}
                _ => parts.push(".."),
            },
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (absolute, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        _ => joined,
    }
}

fn absolute(path: &str, follow: bool) -> String {
    let full = std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path));
    if follow && let Ok(real) = full.canonicalize() {
        return real.to_string_lossy().into_owned();
    }
    normal(&full.to_string_lossy())
}

fn relpath(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [path, start] = args.bind("relpath", ["path", "start"], 1)?;
    let path = absolute(&known(path)?.to_str(), false);
    let start = absolute(&start.map_or_else(|| ".".to_owned(), |s| s.to_str()), false);
    let parts = |text: &str| {
        text.split('/')
            .filter(|p| !p.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let (path, start) = (parts(&path), parts(&start));
    let common = path.iter().zip(&start).take_while(|(a, b)| a == b).count();
    let mut out = vec!["..".to_owned(); start.len() - common];
    out.extend(path[common..].iter().cloned());
    Ok(Value::str(if out.is_empty() {
        ".".to_owned()
    } else {
        out.join("/")
    }))
}

fn splitext(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let value = only(args)?;
    let text = path_of(&value)?;
    let name_at = text.rfind('/').map_or(0, |at| at + 1);
    let name = &text[name_at..];
    let leading = name.len() - name.trim_start_matches('.').len();
    let split = name[leading..].rfind('.').map(|at| name_at + leading + at);
    let (head, tail) = match split {
        Some(at) => text.split_at(at),
        None => (text.as_str(), ""),
    };
    Ok(Value::tuple(vec![Value::str(head), Value::str(tail)]))
}

fn path_join(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let parts: Vec<String> = match only(args)? {
        Value::Str(text) => vec![text.to_string()],
        list @ (Value::List(_) | Value::Tuple(_)) => {
            list.items()?.map(|part| part.to_str()).collect()
        }
        other => {
            return Err(mistyped(format!(
                "|path_join expects string or sequence, got <class '{}'> instead.",
                other.type_name()
            )));
        }
    };
    let mut path = PathBuf::new();
    for part in &parts {
        path.push(Path::new(part));
    }
    Ok(Value::str(path.to_string_lossy()))
}

fn urlsplit(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, query] = args.bind("urlsplit", ["value", "query"], 1)?;
    let url = known(value)?.to_str();
    let (rest, fragment) = url.split_once('#').unwrap_or((&url, ""));
    let (rest, query_text) = rest.split_once('?').unwrap_or((rest, ""));
    let (scheme, rest) = match rest.split_once("://") {
        Some((scheme, rest)) => (scheme.to_lowercase(), format!("//{rest}")),
        None => (String::new(), rest.to_owned()),
    };
    let (netloc, path) = match rest.strip_prefix("//") {
        Some(inner) => {
            let end = inner.find('/').unwrap_or(inner.len());
            (inner[..end].to_owned(), inner[end..].to_owned())
        }
        None => (String::new(), rest),
    };
    let (login, address) = netloc
        .rsplit_once('@')
        .map_or(("", netloc.as_str()), |(l, a)| (l, a));
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => {
            (host, port.parse::<i64>().ok())
        }
        _ => (address, None),
    };
    let text_or_none = |text: &str| {
        if text.is_empty() {
            Value::None
        } else {
            Value::str(text)
        }
    };
    let all = Value::dict([
        ("fragment", Value::str(fragment)),
        (
            "hostname",
            text_or_none(&host.trim_matches(['[', ']']).to_lowercase()),
        ),
        ("netloc", Value::str(&netloc)),
        ("password", text_or_none(password)),
        ("path", Value::str(&path)),
        ("port", Value::from(port)),
        ("query", Value::str(query_text)),
        ("scheme", Value::str(&scheme)),
        ("username", text_or_none(user)),
    ]);
    match query.map(|q| q.to_str()).filter(|q| !q.is_empty()) {
        None => Ok(all),
        Some(part) => all
            .get(&part)
            .ok_or_else(|| failed(format!("urlsplit: unknown URL component: {part}"))),
    }
}
