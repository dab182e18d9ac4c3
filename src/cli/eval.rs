//! `eval`: an expression for one host, or with given variables; a line of JSON at a time with
//! `--json-lines`, where a request with `jinja` is Jinja2's alone (`plain.rs`).

use std::io::{BufRead, Write};
use std::rc::Rc;

use clap::Args;

use super::render::WithVars;
use super::session::Session;
use super::setup;
use crate::compat::Level;
use crate::config::Config;
use crate::diag::{Error, Kind, Result, Sources};
use crate::jinja::Extension;
use crate::template::{MapVariables, Shared, SharedOptions, Templar, omit};
use crate::value::{Dict, JsonStyle, Str, Value, from_json_text};

/// Flags of `eval`.
#[derive(Args)]
pub(super) struct EvalArgs {
    /// The expression, without braces.
    expression: Option<String>,
    /// Read requests and write answers, one JSON object a line.
    #[arg(long)]
    json_lines: bool,
    #[command(flatten)]
    with: WithVars,
}

/// Evaluates an expression, or a stream of them.
///
/// # Errors
/// What evaluating raises.
pub(super) fn run(args: &EvalArgs, session: &Session) -> Result<u8> {
    if args.json_lines {
        return lines();
    }
    let Some(text) = &args.expression else {
        return Err(Error::new(
            Kind::Usage,
            "an expression is needed, or --json-lines",
        ));
    };
    let (templar, _) = args.with.templar(session)?;
    let value = templar.expression(&Str::trusted(text))?;
    let style = JsonStyle {
        ascii: false,
        ..JsonStyle::indented(4)
    };
    let shown = value.to_json(&style).unwrap_or_else(|_| value.repr());
    super::print(&format!("{shown}\n"));
    Ok(0)
}

fn lines() -> Result<u8> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| Error::io("standard input", &error))?;
        let answer = match answer(&line) {
            Ok(answer) => answer,
            Err(error) => Value::dict([("err", Value::str(error.full_message()))]),
        };
        let text = answer
            .to_json(&JsonStyle::default())
            .unwrap_or_else(|_| "{\"err\": \"unprintable\"}".into());
        if writeln!(out, "{text}").and_then(|()| out.flush()).is_err() {
            return Ok(0);
        }
    }
    Ok(0)
}

fn answer(line: &str) -> Result<Value> {
    let request = from_json_text(line)?;
    if let Some(Value::Dict(options)) = request.get("jinja") {
        return super::plain::answer(&request, &options);
    }
    let text = |key: &str| {
        request
            .get(key)
            .and_then(|value| value.as_str().map(str::to_owned))
    };
    let level = match text("compat") {
        Some(name) => Level::parse(&name).ok_or_else(|| {
            Error::new(Kind::Usage, format!("unknown compatibility level `{name}`"))
        })?,
        None => Level::default(),
    };
    let vars = match request.get("vars") {
        Some(Value::Dict(dict)) => setup::trusted(&dict),
        _ => Dict::new(),
    };
    if vars.get("omit").is_none() {
        vars.set("omit", omit(level));
    }
    if text("mode").as_deref() != Some("native") && vars.get("ansible_managed").is_none() {
        vars.set("ansible_managed", "Ansible managed");
    }
    let scratch = match request.get("templates") {
        Some(Value::Dict(templates)) if !templates.is_empty() => {
            let dir =
                tempfile::tempdir().map_err(|error| Error::io("a temporary directory", &error))?;
            for (name, body) in templates.to_vec() {
                let path = dir.path().join(name.value().to_str());
                if let Some(parent) = path.parent() {
                    std::fs::create_dir_all(parent).map_err(|error| Error::io(parent, &error))?;
                }
                std::fs::write(&path, body.to_str()).map_err(|error| Error::io(&path, &error))?;
            }
            Some(dir)
        }
        _ => None,
    };
    let path: Vec<_> = scratch.iter().map(|dir| dir.path().to_path_buf()).collect();
    let environment = setup::environment();
    let shared = Shared::new(SharedOptions {
        level,
        config: Rc::new(Config::load(&Sources::default(), &environment)?),
        environment,
        base_dir: std::env::current_dir().unwrap_or_default(),
        extensions: Extension::statements(),
        ..SharedOptions::default()
    });
    let templar = Templar::new(shared, Rc::new(MapVariables::new(vars, path.clone())));
    if let Some(expression) = text("expr") {
        return native(&templar.expression(&Str::trusted(expression))?);
    }
    let Some(template) = text("template").or_else(|| text("t")) else {
        return Err(Error::new(Kind::Usage, "`template` or `expr` is needed"));
    };
    let options = match request.get("opts").or_else(|| request.get("options")) {
        Some(Value::Dict(options)) => options,
        _ => Dict::new(),
    };
    let rendered = templar.render_text(
        &Str::trusted(template),
        &options,
        &path,
        text("mode").as_deref() == Some("native"),
    )?;
    if text("mode").as_deref() == Some("native") {
        return native(&rendered);
    }
    Ok(Value::dict([("out", Value::str(rendered.to_str()))]))
}

fn native(value: &Value) -> Result<Value> {
    let data = value
        .to_json(&JsonStyle::default())
        .ok()
        .and_then(|json| from_json_text(&json).ok())
        .unwrap_or(Value::None);
    Ok(Value::dict([
        ("out", Value::str(value.repr())),
        ("value", data),
    ]))
}
