//! `command` and `shell`.

use std::path::Path;

use super::command_warnings;
use super::outcome::{Fail, errno_path, errno_text};
use super::{Default, Invocation, Kind, Module, Param, Ran, RunContext, Spec};
use crate::compat::Level;
use crate::system::{Command, Executed, FileType, System, errno};
use crate::value::{Dict, Value};

const PARAMS: &[Param] = &[
    Param::new("_raw_params", Kind::Str),
    Param::new("_uses_shell", Kind::Bool).default(Default::Bool(false)),
    Param::new("cmd", Kind::Str).listed_since(Level::V2_19),
    Param::new("warn", Kind::Bool)
        .default(Default::Bool(true))
        .until(Level::V2_9),
    Param::new("argv", Kind::List).elements(Kind::Str),
    Param::new("chdir", Kind::Path),
    Param::new("executable", Kind::Str),
    Param::new("expand_argument_vars", Kind::Bool)
        .default(Default::Bool(true))
        .since(Level::V2_18),
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
    legacy: true,
    settle: None,
    doc: "Runs a command without a shell.",
    example: "- command: /usr/bin/make install\n  args:\n    chdir: /opt/src\n    creates: /opt/bin/tool",
    run: |invocation, system| run(invocation, system, invocation.is("_uses_shell")),
};

/// The table's row of `shell`.
pub(super) const SHELL: Module = Module {
    name: "shell",
    spec: SPEC,
    legacy: true,
    settle: Some(refuse_expansion),
    doc: "Runs a command line through a shell.",
    example: "- shell: grep -c processor /proc/cpuinfo > /tmp/count",
    run: |invocation, system| run(invocation, system, true),
};

/// Refuses what only `command` has.
fn refuse_expansion(args: &Dict, context: &RunContext<'_>, _: &dyn System) -> Option<Ran> {
    let given = args.contains("expand_argument_vars");
    (given && context.level.shell_refuses_expansion()).then(|| {
        Err(
            Fail::new("Unsupported parameters for (shell) module: expand_argument_vars")
                .on_purpose(),
        )
    })
}

/// What a call is to run.
struct Wanted {
    words: Vec<String>,
    /// How the result shows it.
    shown: Value,
}

fn run(invocation: &Invocation<'_>, system: &dyn System, shell: bool) -> Ran {
    let level = invocation.context.level;
    let result = Dict::new();
    if level.reports_commands_fully() {
        for key in ["stdout", "stderr", "msg"] {
            result.set(key, "");
        }
        for key in ["rc", "cmd", "start", "end", "delta"] {
            result.set(key, Value::None);
        }
    }
    result.set("changed", false);
    if level.warns_of_commands()
        && invocation.is("warn")
        && let Some(warning) = command_warnings::of(&first_word(invocation))
    {
        result.set("warnings", Value::list(vec![warning.into()]));
    }
    let wanted = match wanted(invocation, system, shell) {
        Ok(wanted) => wanted,
        Err(Refused::Early(message)) if level.checks_command_before_it_runs() => {
            return Err(Fail::new(message));
        }
        Err(Refused::Early(message)) => {
            result.set("msg", message);
            result.set("rc", 256);
            result.set("failed", true);
            return Ok(result);
        }
        Err(Refused::Fail(fail)) => return Err(fail),
    };
    let words = wanted.words;
    result.set("cmd", wanted.shown);
    let cwd = invocation.path("chdir");
    if let Some(cwd) = &cwd {
        let refused = match system.stat(cwd) {
            Ok(stat) if stat.is(FileType::Directory) => None,
            Ok(_) => Some(crate::system::os_error(errno::ENOTDIR)),
            Err(e) => Some(e),
        };
        if let Some(e) = refused {
            return Ok(cannot_enter(level, result, &e, cwd));
        }
    }
    let there = |pattern: &str| matches(system, cwd.as_deref(), pattern);
    let skip = |why: String| {
        if level.reports_commands_fully() {
            result.set("msg", format!("Did not run command since {why}"));
        }
        result.set(
            "stdout",
            format!("skipped, since {}", why.replace('\'', "")),
        );
        result.set("rc", 0);
        Ok(result.copy())
    };
    if let Some(creates) = invocation.text("creates")
        && there(&creates)
    {
        return skip(format!("'{creates}' exists"));
    }
    if let Some(removes) = invocation.text("removes")
        && !there(&removes)
    {
        return skip(format!("'{removes}' does not exist"));
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
        Ok(Executed::Unknown) => return Ok(unknown(invocation, result)),
        Err(e) => return Err(not_started(invocation, &words, &e)),
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
    Ok(result)
}

/// Returns the program that a call names first.
fn first_word(invocation: &Invocation<'_>) -> String {
    let line = invocation
        .text("cmd")
        .or_else(|| invocation.text("_raw_params"))
        .unwrap_or_default();
    let words = invocation.list("argv").unwrap_or_default();
    words
        .first()
        .map_or_else(
            || line.split_whitespace().next(),
            |word| Some(word.as_str()),
        )
        .and_then(|word| word.rsplit('/').next())
        .unwrap_or_default()
        .to_owned()
}

/// Why a call has nothing to run.
enum Refused {
    /// The arguments don't say what.
    Early(&'static str),
    Fail(Fail),
}

/// Decides what to run.
fn wanted(
    invocation: &Invocation<'_>,
    system: &dyn System,
    shell: bool,
) -> Result<Wanted, Refused> {
    let level = invocation.context.level;
    let raw = invocation
        .text("_raw_params")
        .filter(|text| !text.is_empty());
    let line = invocation.text("cmd").or(raw);
    let argv = invocation.list("argv");
    if line.is_some() && argv.is_some() {
        return Err(Refused::Early(level.command_and_argv()));
    }
    let text = line.unwrap_or_default();
    if text.trim().is_empty() && argv.is_none() {
        return Err(Refused::Early(level.no_command()));
    }
    if shell {
        let executable = invocation
            .text("executable")
            .unwrap_or_else(|| "/bin/sh".into());
        let text = match &argv {
            Some(words) => shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default(),
            None => text,
        };
        let shown = match argv {
            Some(words) => Value::list(words.into_iter().map(Value::from).collect()),
            None => text.as_str().into(),
        };
        return Ok(Wanted {
            words: vec![executable, "-c".into(), text],
            shown,
        });
    }
    let words = match argv {
        Some(words) => words,
        None => {
            shlex::split(&text).ok_or_else(|| Refused::Fail(Fail::crash("No closing quotation")))?
        }
    };
    let shown = words.iter().map(|w| Value::from(w.as_str())).collect();
    let expands = invocation
        .params
        .get("expand_argument_vars")
        .is_none_or(|value| value.truth());
    let words: Vec<String> = if expands {
        words
            .iter()
            .map(|w| super::expand(system, invocation.context.environment, w))
            .collect()
    } else {
        words
    };
    if words.is_empty() {
        let fail = Fail::new("Error executing command.")
            .because("list index out of range")
            .with("cmd", "")
            .with("rc", 257)
            .with("stdout", "")
            .with("stderr", "");
        return Err(Refused::Fail(fail));
    }
    Ok(Wanted {
        words,
        shown: Value::list(shown),
    })
}

/// Returns the result of a command whose directory can't be entered.
fn cannot_enter(level: Level, result: Dict, error: &std::io::Error, cwd: &Path) -> Dict {
    let message = "Unable to change directory before execution";
    let said = errno_path(error, cwd);
    if level.checks_command_before_it_runs() {
        result.set(super::CAUSE, said);
        result.set("msg", format!("{message}."));
    } else {
        result.set("msg", format!("{message}: {said}"));
    }
    if !level.reports_commands_fully() {
        result.remove("cmd");
    }
    result.set("failed", true);
    result
}

/// Returns the result of a command that a dry run doesn't run.
fn unknown(invocation: &Invocation<'_>, result: Dict) -> Dict {
    result.set("msg", "Command would have run if not in check mode");
    if invocation.text("creates").is_none() && invocation.text("removes").is_none() {
        result.set("skipped", true);
        result.set("changed", false);
    }
    result.set("rc", 0);
    result
}

/// Fails because the program can't be started.
fn not_started(invocation: &Invocation<'_>, words: &[String], error: &std::io::Error) -> Fail {
    let level = invocation.context.level;
    let name = words.first().map(String::as_str).unwrap_or_default();
    let line = shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default();
    let said = errno_path(error, Path::new(name));
    let fail = if level.checks_command_before_it_runs() {
        Fail::new("Error executing command.").because(said)
    } else {
        Fail::new(said)
    };
    let fail = if level.reports_commands_fully() {
        fail.with("stdout", "").with("stderr", "")
    } else {
        fail
    };
    fail.with("cmd", line)
        .with("rc", error.raw_os_error().unwrap_or(257))
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
