//! Magic variables that are the same for the whole run.

use super::Options;
use crate::compat::Level;
use crate::template::omit;
use crate::value::{Dict, Value};

/// Returns the variables that flags and settings give every host.
///
/// `sources` are the inventory sources as given; `config` is the configuration file, if any.
pub fn fixed(options: &Options, level: Level, sources: &[String], config: Option<&str>) -> Dict {
    let list = |items: &[String]| Value::list(items.iter().map(Value::str).collect());
    let vars = Dict::new();
    vars.set("omit", omit(level));
    vars.set("ansible_version", level.ansible_version());
    vars.set("ansible_check_mode", options.check);
    vars.set("ansible_diff_mode", options.diff);
    vars.set(
        "ansible_forks",
        if options.forks == 0 { 5 } else { options.forks },
    );
    vars.set("ansible_verbosity", u32::from(options.verbosity));
    let all = ["all".to_owned()];
    vars.set(
        "ansible_run_tags",
        list(if options.tags.is_empty() {
            &all
        } else {
            &options.tags
        }),
    );
    vars.set("ansible_skip_tags", list(&options.skip_tags));
    let absolute: Vec<String> = sources
        .iter()
        .map(|source| match std::path::absolute(source) {
            Ok(path) if !source.contains(',') => path.to_string_lossy().into_owned(),
            _ => source.clone(),
        })
        .collect();
    vars.set("ansible_inventory_sources", list(&absolute));
    if config.is_some() || level.always_names_the_config_file() {
        vars.set("ansible_config_file", config.map(Value::str));
    }
    if let Some(limit) = &options.limit {
        vars.set("ansible_limit", limit.as_str());
    }
    vars
}
