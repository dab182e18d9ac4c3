//! Times rendering all of a host's variables once, and a condition on variables that are rendered:
//! `variables FACTS.json FILE.yml…`. Facts go before files, later files before earlier ones.
//! `tests/bench/defaults` calls it.

use std::rc::Rc;
use std::time::Instant;

use regrole::compat::Level;
use regrole::diag::Sources;
use regrole::template::{MapVariables, Shared, SharedOptions, Templar};
use regrole::value::{Dict, Str, Value};
use regrole::yaml;

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let facts = args.next().expect("FACTS.json FILE.yml…");
    let sources = Sources::default();
    let vars = Dict::new();
    for path in args.chain([facts]) {
        let text = std::fs::read_to_string(&path).expect("a file");
        let source = sources.add(path, text);
        if let Some(node) = yaml::load(&sources, source).expect("YAML")
            && let Value::Dict(dict) = node.to_value()
        {
            for (key, value) in dict.to_vec() {
                vars.set_key(key, value);
            }
        }
    }
    let shared = Shared::new(SharedOptions {
        level: Level::V2_18,
        sources,
        ..SharedOptions::default()
    });
    let names: Vec<String> = vars.keys().iter().map(|key| key.value().to_str()).collect();
    let variables = Rc::new(MapVariables::new(vars, Vec::new()));
    let mut best = f64::MAX;
    let mut with_value = 0;
    for _ in 0..20 {
        let templar = Templar::new(shared.clone(), variables.clone());
        let start = Instant::now();
        with_value = names
            .iter()
            .filter(
                |name| matches!(templar.variable(name), Ok(Some(value)) if !value.is_undefined()),
            )
            .count();
        best = best.min(start.elapsed().as_secs_f64());
    }
    println!(
        "{} variables, {with_value} with a value, rendered once in {:.2} ms",
        names.len(),
        best * 1e3
    );
    let templar = Templar::new(shared.clone(), variables.clone());
    let mut slowest: Vec<(f64, &String)> = names
        .iter()
        .map(|name| {
            let start = Instant::now();
            std::hint::black_box(templar.variable(name)).ok();
            (start.elapsed().as_secs_f64(), name)
        })
        .collect();
    slowest.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (seconds, name) in &slowest[..slowest.len().min(3)] {
        println!("  of which {name}: {:.2} ms", seconds * 1e3);
    }
    let templar = Templar::new(shared, variables);
    let condition = "kube_network_plugin == 'calico' and not is_kube_master | default(false) and bin_dir is defined";
    let condition = Value::Str(Str::trusted(condition));
    let answer = templar.condition(&condition).expect("a condition");
    let start = Instant::now();
    for _ in 0..10_000 {
        assert_eq!(templar.condition(&condition).expect("a condition"), answer);
    }
    println!(
        "a condition on three variables that are rendered: {:.2} µs",
        start.elapsed().as_secs_f64() * 1e6 / 1e4
    );
}
