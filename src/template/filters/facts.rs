//! Filters of `ansible.utils` that bring facts of several sources together, and compare them.
//!
//! **Source:** as ansible.utils 6 does at ansible-core 2.19.

use std::cmp::Ordering;

use similar::TextDiff;

use super::structure::{checked, listed, truth_of};
use super::{failed, mistyped, regex};
use crate::diag::Result;
use crate::jinja::Row;
use crate::value::{Args, Dict, JsonStyle, Key, Runtime, Value};

pub(super) static TABLE: &[Row] = &[
    Row::new(
        "consolidate",
        consolidate,
        "Makes one dict of lists of dicts, by what they have under a key.",
        "[{'name': 'x', 'match_key': 'k', 'data': [{'k': 'a', 'v': 1}]}] | ansible.utils.consolidate => {'a': {'x': {'k': 'a', 'v': 1}}}",
    ),
    Row::new(
        "fact_diff",
        fact_diff,
        "Returns how two values differ: the written list of a unified difference's lines.",
        "[1] | ansible.utils.fact_diff([2]) => \"['--- before', '+++ after', '@@ -1 +1 @@', '-1', '+2', '']\"",
    ),
];

/// A list of dicts, and what they are known by.
struct Source {
    name: Key,
    match_key: Value,
    entries: Vec<Value>,
}

impl Source {
    fn read(value: &Value) -> Result<Source> {
        const NAMES: [&str; 3] = ["data", "match_key", "name"];
        let Value::Dict(dict) = value else {
            let kind = value.type_name();
            return Err(listed(format!(
                "Elements value for option 'data_sources' is of type {kind} and we were unable to convert to dict: dictionary requested, could not parse JSON or key=value"
            )));
        };
        let missing: Vec<&str> = NAMES
            .into_iter()
            .filter(|name| !dict.contains(name))
            .collect();
        if !missing.is_empty() {
            return Err(listed(format!(
                "missing required arguments: {} found in data_sources",
                missing.join(", ")
            )));
        }
        let all = dict.to_vec();
        let unknown = all.iter().find(|(key, _)| {
            let name = key.value().as_str().unwrap_or("");
            !NAMES.contains(&name)
        });
        if let Some((key, _)) = unknown {
            return Err(listed(format!(
                "data_sources.{}. Supported parameters include: {}.",
                key.value(),
                NAMES.join(", ")
            )));
        }
        let of = |name: &str| dict.get(name).unwrap_or(Value::None);
        Ok(Source {
            name: Key::new(of("name"))?,
            match_key: of("match_key"),
            entries: of("data").items()?.collect(),
        })
    }

    /// Returns the entries by their match values, the last one where there are several, and how many have one.
    fn matched(&self) -> Result<(Dict, usize, Vec<usize>)> {
        let (by_value, key) = (Dict::new(), Key::new(self.match_key.clone())?);
        let (mut count, mut without) = (0, Vec::new());
        for (at, entry) in self.entries.iter().enumerate() {
            let Value::Dict(dict) = entry else {
                return Err(mistyped(match entry {
                    Value::Str(_) => "string indices must be integers, not 'str'".to_owned(),
                    other => format!("'{}' object is not subscriptable", other.type_name()),
                }));
            };
            match dict.get_key(&key) {
                Some(value) => {
                    count += 1;
                    by_value.set_key(Key::new(value)?, entry.clone());
                }
                None => without.push(at + 1),
            }
        }
        Ok((by_value, count, without))
    }
}

fn consolidate(_runtime: &mut dyn Runtime, mut args: Args) -> Result<Value> {
    let names = [
        "data_sources",
        "fail_missing_match_key",
        "fail_missing_match_value",
        "fail_duplicate",
    ];
    // More of them are ignored.
    args.positional.truncate(names.len());
    let [data, key, value, duplicate] = checked(args, names, 1)?;
    let fails_without_key = truth_of(key, names[1], true)?;
    let fails_without_value = truth_of(value, names[2], true)?;
    let fails_twice = truth_of(duplicate, names[3], true)?;
    let given = match data.unwrap_or(Value::None) {
        Value::Dict(_) => {
            return Err(listed(
                "argument 'data_sources' is of type dict and we were unable to convert to list: <class 'dict'> cannot be converted to a list".to_owned(),
            ));
        }
        Value::List(list) => list.to_vec(),
        one => vec![one],
    };
    let sources: Vec<Source> = given.iter().map(Source::read).collect::<Result<_>>()?;
    let matched: Vec<_> = sources.iter().map(Source::matched).collect::<Result<_>>()?;

    let mut missing_keys = Vec::new();
    let mut duplicates = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    let seen = Dict::new();
    for (at, (source, (by_value, count, without))) in sources.iter().zip(&matched).enumerate() {
        let at = at + 1;
        for entry in without {
            let key = &source.match_key;
            missing_keys.push(format!(
                "missing match key '{key}' in data source {at} in list entry {entry}"
            ));
        }
        if *count > by_value.len() {
            duplicates.push(format!("duplicate values in data source {at}"));
        }
        for (key, _) in by_value.to_vec() {
            if seen.get_key(&key).is_none() {
                values.push(key.value().clone());
                seen.set_key(key, Value::None);
            }
        }
    }
    let mut faults = Vec::new();
    report(&mut faults, names[1], fails_without_key, &missing_keys);
    report(&mut faults, names[3], fails_twice, &duplicates);
    if !faults.is_empty() {
        return Err(failed(faults.join("; ")));
    }
    sort(&mut values)?;
    if fails_without_value {
        report(
            &mut faults,
            names[2],
            true,
            &missing_values(&matched, &values)?,
        );
    }
    if !faults.is_empty() {
        return Err(failed(faults.join("; ")));
    }
    let made = Dict::new();
    for value in values {
        let key = Key::new(value)?;
        let of_value = Dict::new();
        for (source, (by_value, ..)) in sources.iter().zip(&matched) {
            let entry = by_value.get_key(&key);
            let entry = entry.unwrap_or_else(|| Value::Dict(Dict::new()));
            of_value.set_key(source.name.clone(), entry);
        }
        made.set_key(key, Value::Dict(of_value));
    }
    Ok(Value::Dict(made))
}

/// Sorts values; unlike ones raise.
fn sort(values: &mut [Value]) -> Result<()> {
    let mut problem = None;
    values.sort_by(|a, b| match a.order(b, "<") {
        Ok(order) => order.unwrap_or(Ordering::Equal),
        Err(error) => {
            problem.get_or_insert(error);
            Ordering::Equal
        }
    });
    problem.map_or(Ok(()), Err)
}

/// Adds what a check found.
fn report(faults: &mut Vec<String>, check: &str, is_wanted: bool, found: &[String]) {
    if is_wanted && !found.is_empty() {
        faults.push(format!(
            "Error when using plugin 'consolidate': '{check}' reported {}",
            found.join(", ")
        ));
    }
}

/// Says which values some sources don't have.
fn missing_values(matched: &[(Dict, usize, Vec<usize>)], values: &[Value]) -> Result<Vec<String>> {
    let mut out = Vec::new();
    for (at, (by_value, ..)) in matched.iter().enumerate() {
        let mut missing = Vec::new();
        for value in values {
            if by_value.get_key(&Key::new(value.clone())?).is_some() {
                continue;
            }
            let Some(text) = value.as_str() else {
                return Err(mistyped(format!(
                    "sequence item {}: expected str instance, {} found",
                    missing.len(),
                    value.type_name()
                )));
            };
            missing.push(text.to_owned());
        }
        if !missing.is_empty() {
            out.push(format!(
                "missing match value {} in data source {}",
                missing.join(", "),
                at + 1
            ));
        }
    }
    Ok(out)
}

fn fact_diff(_runtime: &mut dyn Runtime, mut args: Args) -> Result<Value> {
    args.positional.truncate(4);
    let names = ["before", "after", "plugin", "common"];
    let [before, after, plugin, common] = checked(args, names, 2)?;
    let common = truth_of(common, "common", false)?;
    let skipped = skip_lines(plugin)?;
    let [before, after] = [before, after].map(|value| value.unwrap_or(Value::None));
    let (before, after) = match &skipped {
        Some(skipped) => (kept(&before, skipped)?, kept(&after, skipped)?),
        None => (before, after),
    };
    let (before, after) = (text(&before)?, text(&after)?);
    let compared = TextDiff::from_lines(&before, &after);
    let shown = compared
        .unified_diff()
        // All that is equal is around what isn't.
        .context_radius(before.len().max(after.len()))
        .header("before", "after")
        .missing_newline_hint(true)
        .to_string();
    let mut lines: Vec<&str> = shown.split('\n').collect();
    if shown.is_empty() {
        lines.clear();
    }
    if common {
        lines.retain(|line| !line.starts_with(['-', '+', '\\']));
    }
    let lines = lines.into_iter().map(Value::str).collect();
    Ok(Value::from(Value::list(lines).repr()))
}

/// Returns the regular expressions of lines to leave out.
fn skip_lines(plugin: Option<Value>) -> Result<Option<Vec<fancy_regex::Regex>>> {
    let Some(plugin) = plugin else {
        return Ok(None);
    };
    let Value::Dict(plugin) = plugin else {
        let kind = plugin.type_name();
        return Err(listed(format!(
            "argument 'plugin' is of type {kind} and we were unable to convert to dict: <class '{kind}'> cannot be converted to a dict"
        )));
    };
    only_knows(&plugin, "plugin", &["name", "vars"])?;
    let name = plugin.get("name").map(|name| name.to_str());
    if let Some(name) = name.filter(|name| name != "ansible.utils.native") {
        return Err(failed(format!(
            "the plugin `{name}` of `fact_diff` isn't there; `ansible.utils.native` is"
        )));
    }
    let Some(Value::Dict(vars)) = plugin.get("vars") else {
        return Ok(None);
    };
    only_knows(&vars, "plugin.vars", &["skip_lines"])?;
    let patterns = match vars.get("skip_lines") {
        None | Some(Value::None) => return Ok(None),
        Some(Value::Str(text)) => text.split(',').map(str::to_owned).collect(),
        Some(list) => list.items()?.map(|item| item.to_str()).collect::<Vec<_>>(),
    };
    if patterns.is_empty() {
        return Ok(None);
    }
    let read = |pattern: &String| {
        regex::translate(pattern, false, false, false).map_err(|error| {
            failed(format!(
                "Error when using filter plugin 'fact_diff': The regex '{pattern}', is not valid. The error was {}.",
                error.message()
            ))
        })
    };
    patterns.iter().map(read).collect::<Result<_>>().map(Some)
}

fn only_knows(dict: &Dict, place: &str, names: &[&str]) -> Result<()> {
    for (key, _) in dict.to_vec() {
        let name = key.value().to_str();
        if !names.contains(&name.as_str()) {
            return Err(listed(format!(
                "{place}.{name}. Supported parameters include: {}.",
                names.join(", ")
            )));
        }
    }
    Ok(())
}

/// Returns the lines, items or keys that no expression matches at the start.
fn kept(value: &Value, skipped: &[fancy_regex::Regex]) -> Result<Value> {
    let items: Vec<Value> = match value {
        Value::Str(text) => text.as_str().lines().map(Value::str).collect(),
        other => other.items()?.collect(),
    };
    let is_skipped = |item: &Value| {
        let text = item.to_str();
        skipped.iter().any(|regex| {
            let found = regex.find(&text).ok().flatten();
            found.is_some_and(|found| found.start() == 0)
        })
    };
    Ok(Value::list(
        items.into_iter().filter(|item| !is_skipped(item)).collect(),
    ))
}

/// Returns what is compared of a value: text as it is, items a line each, a dict as sorted JSON.
fn text(value: &Value) -> Result<String> {
    match value {
        Value::Str(text) => Ok(text.as_str().to_owned()),
        Value::None => Ok(String::new()),
        Value::List(list) => {
            let lines: Vec<String> = list.to_vec().iter().map(Value::to_str).collect();
            Ok(lines.join("\n") + "\n")
        }
        Value::Dict(_) => {
            let style = JsonStyle {
                sort_keys: true,
                ..JsonStyle::indented(4)
            };
            Ok(value.to_json(&style)? + "\n")
        }
        other => Err(failed(format!(
            "'{}' object has no attribute 'splitlines'",
            other.type_name()
        ))),
    }
}
