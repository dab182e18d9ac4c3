//! Times compiling and rendering of the templates in `tests/bench/templates/` with regrole's engine
//! and with minijinja: `templates DIRECTORY VARIABLES.json MILLISECONDS`. Prints a JSON object a line;
//! `tests/bench/templating` makes the table, with Jinja2 beside it.

use std::time::{Duration, Instant};

use regrole::jinja::{Environment, MapContext, Options, Place};
use regrole::value::{Value, from_json_text};

/// Repeats something for a while; returns the nanoseconds of the fastest time.
fn fastest<T>(budget: Duration, mut f: impl FnMut() -> T) -> u128 {
    let begin = Instant::now();
    let mut best = u128::MAX;
    while begin.elapsed() < budget {
        let start = Instant::now();
        std::hint::black_box(f());
        best = best.min(start.elapsed().as_nanos());
    }
    best
}

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let mut next = || args.next().expect("DIRECTORY VARIABLES.json MILLISECONDS");
    let (directory, vars, budget) = (next(), next(), next());
    let budget = Duration::from_millis(budget.parse().expect("milliseconds"));
    let vars = std::fs::read_to_string(vars).expect("variables");

    let mut env = Environment::new();
    env.options = Options {
        trim_blocks: true,
        keep_trailing_newline: true,
        ..Options::default()
    };
    let Ok(Value::Dict(ours)) = from_json_text(&vars) else {
        panic!("the variables are an object");
    };
    let context = MapContext::new(
        ours.to_vec()
            .into_iter()
            .map(|(key, value)| (key.value().to_str(), value)),
    );
    let theirs = theirs(&Value::Dict(ours));
    let mut peer = minijinja::Environment::new();
    let mut syntax = peer.syntax().to_builder();
    syntax.trim_blocks(true).keep_trailing_newline(true);
    peer.set_syntax(syntax.build().expect("a syntax"));

    let mut paths: Vec<_> = std::fs::read_dir(directory)
        .expect("templates")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    for path in paths {
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let text = std::fs::read_to_string(&path).expect("a template");

        let compile = || {
            env.compile(&text, Place::Nowhere, true)
                .expect("a template")
        };
        let template = compile();
        let made = env.render(&template, &context).expect("rendered");
        let compiled = fastest(budget / 5, compile);
        let rendered = fastest(budget, || env.render(&template, &context));
        tell(&name, "regrole", compiled, rendered, &made);

        let compile = || peer.template_from_str(&text).expect("a template");
        let template = compile();
        let made = template.render(&theirs).expect("rendered");
        let compiled = fastest(budget / 5, compile);
        let rendered = fastest(budget, || template.render(&theirs));
        tell(&name, "minijinja", compiled, rendered, &made);
    }
}

/// Makes minijinja's value of one of ours.
fn theirs(value: &Value) -> minijinja::Value {
    match value {
        Value::Dict(dict) => {
            let items = dict.to_vec();
            let items = items
                .iter()
                .map(|(key, item)| (key.value().to_str(), theirs(item)));
            minijinja::Value::from(items.collect::<std::collections::BTreeMap<_, _>>())
        }
        Value::List(list) => list.to_vec().iter().map(theirs).collect(),
        Value::Bool(flag) => minijinja::Value::from(*flag),
        Value::Int(number) => minijinja::Value::from(*number),
        other => minijinja::Value::from(other.to_str()),
    }
}

fn tell(template: &str, engine: &str, compiled: u128, rendered: u128, made: &str) {
    println!(
        "{}",
        serde_json::json!({
            "template": template, "engine": engine, "compile": compiled, "render": rendered, "made": made,
        })
    );
}
