//! `command` and `shell`.

use std::path::Path;

use super::outcome::{Fail, errno_path, errno_text};
use super::{Default, Invocation, Kind, Module, Param, Ran, Spec};
use crate::system::{Command, Executed, FileType, System, errno};
use crate::value::{Dict, Value};

const PARAMS: &[Param] = &[
    Param::new("_raw_params", Kind::Str),
    Param::new("_uses_shell", Kind::Bool).default(Default::Bool(false)),
    Param::new("cmd", Kind::Str),
    Param::new("argv", Kind::List).elements(Kind::Str),
    Param::new("chdir", Kind::Path),
    Param::new("executable", Kind::Str),
    Param::new("expand_argument_vars", Kind::Bool).default(Default::Bool(true)),
    Param::new("creates", Kind::Path),
    Param::new("removes", Kind::Path),
    Param::new("stdin", Kind::Str),
    Param::new("stdin_add_newline", Kind::Bool).default(Default::Bool(true)),
    Param::new("strip_empty_ends", Kind::Bool).default(Default::Bool(true)),
];

const SPEC: Spec = Spec {
    params: PARAMS,
    file: false,
    mutually_exclusive: &[],
    required_if: &[],
};

/// The table's row of `command`.
pub(super) const COMMAND: Module = Module {
    name: "command",
    spec: SPEC,
    doc: "Runs a command without a shell.",
    example: "- command: /usr/bin/make install\n  args:\n    chdir: /opt/src\n    creates: /opt/bin/tool",
    run: |invocation, system| run(invocation, system, invocation.is("_uses_shell")),
};

/// The table's row of `shell`.
pub(super) const SHELL: Module = Module {
    name: "shell",
    spec: SPEC,
    doc: "Runs a command line through a shell.",
    example: "- shell: grep -c processor /proc/cpuinfo > /tmp/count",
    run: |invocation, system| run(invocation, system, true),
};

/// Splits output into lines as Python's `splitlines()`.
pub(super) fn lines(text: &str) -> Value {
    if text.is_empty() {
        return Value::list(vec![]);
    }
    let text = text.replace("\r\n", "\n").replace(
        [
            '\r', '\x0b', '\x0c', '\x1c', '\x1d', '\x1e', '\u{85}', '\u{2028}', '\u{2029}',
        ],
        "\n",
    );
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Value::list(text.split('\n').map(Value::from).collect())
}

fn run(invocation: &Invocation<'_>, system: &dyn System, shell: bool) -> Ran {
    let line = invocation
        .text("cmd")
        .or_else(|| invocation.text("_raw_params"));
    let argv = invocation.list("argv");
    let result = Dict::new();
    for key in ["stdout", "stderr", "msg"] {
        result.set(key, "");
    }
    for key in ["rc", "cmd", "start", "end", "delta"] {
        result.set(key, Value::None);
    }
    result.set("changed", false);
    let early = |message: String| {
        result.set("msg", message);
        result.set("rc", 256);
        result.set("failed", true);
        Ok(result.copy())
    };
    if !shell && line.as_deref().unwrap_or("").trim().is_empty() && argv.is_none()
        || shell && line.as_deref().unwrap_or("").trim().is_empty()
    {
        return early("no command given".into());
    }
    if line.is_some() && argv.is_some() {
        return early("only command or argv can be given, not both".into());
    }
    let text = line.unwrap_or_default();
    let (words, shown): (Vec<String>, Value) = if shell {
        let executable = invocation
            .text("executable")
            .unwrap_or_else(|| "/bin/sh".into());
        (
            vec![executable, "-c".into(), text.clone()],
            text.clone().into(),
        )
    } else {
        let words = match argv {
            Some(words) => words,
            None => shlex::split(&text).ok_or_else(|| Fail::new("No closing quotation"))?,
        };
        let words: Vec<String> = if invocation.is("expand_argument_vars") {
            words
                .iter()
                .map(|w| super::expand(system, invocation.context.environment, w))
                .collect()
        } else {
            words
        };
        let shown = words.iter().map(|w| Value::from(w.as_str())).collect();
        (words, Value::list(shown))
    };
    result.set("cmd", shown);
    let cwd = invocation.path("chdir");
    if let Some(cwd) = &cwd {
        let refused = match system.stat(cwd) {
            Ok(stat) if stat.is(FileType::Directory) => None,
            Ok(_) => Some(crate::system::os_error(errno::ENOTDIR)),
            Err(e) => Some(e),
        };
        if let Some(e) = refused {
            result.set("_ansible_cause", errno_path(&e, cwd));
            result.set("msg", "Unable to change directory before execution.");
            result.set("failed", true);
            return Ok(result);
        }
    }
    let there = |pattern: &str| matches(system, cwd.as_deref(), pattern);
    if let Some(creates) = invocation.text("creates")
        && there(&creates)
    {
        result.set(
            "msg",
            format!("Did not run command since '{creates}' exists"),
        );
        result.set("stdout", format!("skipped, since {creates} exists"));
        result.set("rc", 0);
        return Ok(finish(result));
    }
    if let Some(removes) = invocation.text("removes")
        && !there(&removes)
    {
        result.set(
            "msg",
            format!("Did not run command since '{removes}' does not exist"),
        );
        result.set("stdout", format!("skipped, since {removes} does not exist"));
        result.set("rc", 0);
        return Ok(finish(result));
    }
    result.set("changed", true);
    let mut command = Command::write(words.clone());
    command.cwd = cwd;
    if let Some(stdin) = invocation.text("stdin") {
        let newline = if invocation.is("stdin_add_newline") {
            "\n"
        } else {
            ""
        };
        command = command.stdin(format!("{stdin}{newline}"));
    }
    for (name, value) in invocation.context.environment {
        command = command.env(name, value);
    }
    let clock = |e: std::io::Error| Fail::new(errno_text(&e));
    let start = system.local_now().map_err(clock)?;
    let output = match system.exec(&command) {
        Ok(Executed::Ran(output)) => output,
        Ok(Executed::Unknown) => {
            result.set("msg", "Command would have run if not in check mode");
            if invocation.text("creates").is_none() && invocation.text("removes").is_none() {
                result.set("skipped", true);
                result.set("changed", false);
            }
            result.set("rc", 0);
            return Ok(finish(result));
        }
        Err(e) => {
            let name = words.first().cloned().unwrap_or_default();
            result.set("changed", false);
            result.set("msg", "Error executing command.");
            result.set("_ansible_cause", errno_path(&e, Path::new(&name)));
            result.set("rc", e.raw_os_error().unwrap_or(257));
            result.set("failed", true);
            return Ok(finish(result));
        }
    };
    let end = system.local_now().map_err(clock)?;
    let strip = invocation.is("strip_empty_ends");
    let decode = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        if strip {
            text.trim_end_matches(['\r', '\n']).to_owned()
        } else {
            text
        }
    };
    result.set("stdout", decode(&output.stdout));
    result.set("stderr", decode(&output.stderr));
    result.set("rc", output.rc);
    result.set("start", start.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string());
    result.set("end", end.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string());
    result.set("delta", delta(start, end));
    if output.rc != 0 {
        result.set("msg", "non-zero return code");
        result.set("failed", true);
    }
    Ok(finish(result))
}

fn finish(result: Dict) -> Dict {
    for stream in ["stdout", "stderr"] {
        let text = result.get(stream).map(|v| v.to_str()).unwrap_or_default();
        result.set(format!("{stream}_lines"), lines(&text));
    }
    result
}

/// Writes a duration as Python's `str(timedelta)`.
fn delta(start: jiff::civil::DateTime, end: jiff::civil::DateTime) -> String {
    let micros = end.duration_since(start).as_micros().max(0);
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    let mut text = String::new();
    let days = seconds / 86_400;
    if days > 0 {
        text = format!("{days} day{}, ", if days == 1 { "" } else { "s" });
    }
    let (hours, minutes) = (seconds / 3600 % 24, seconds / 60 % 60);
    text.push_str(&format!("{hours}:{minutes:02}:{:02}", seconds % 60));
    if micros > 0 {
        text.push_str(&format!(".{micros:06}"));
    }
    text
}

/// Says whether a path pattern (`*`, `?`, `[…]` in any part) matches something.
fn matches(system: &dyn System, cwd: Option<&Path>, pattern: &str) -> bool {
    let start = if pattern.starts_with('/') {
        Path::new("/")
    } else {
        cwd.unwrap_or(Path::new("."))
    };
    let mut found = vec![start.to_owned()];
    for part in pattern.split('/').filter(|p| !p.is_empty()) {
        if !part.contains(['*', '?', '[']) {
            found = found.iter().map(|p| p.join(part)).collect();
            continue;
        }
        let Ok(glob) = globset::Glob::new(part).map(|g| g.compile_matcher()) else {
            return false;
        };
        found = found
            .iter()
            .flat_map(|dir| {
                let names = system.readdir(dir).unwrap_or_default();
                names
                    .into_iter()
                    .filter(|name| {
                        glob.is_match(name)
                            && (part.starts_with('.') || !name.to_string_lossy().starts_with('.'))
                    })
                    .map(|name| dir.join(name))
                    .collect::<Vec<_>>()
            })
            .collect();
    }
    found.iter().any(|path| system.lstat(path).is_ok())
}
