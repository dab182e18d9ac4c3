//! Filters of sequences.

use std::cmp::Ordering;

use super::{first_arg, folded, known, read, sorted};
use crate::diag::{Error, Kind, Result};
use crate::jinja::Row;
use crate::value::{Args, Key, Runtime, Str, Undefined, Value, escape_html, ops};

/// The family.
pub(super) static TABLE: &[Row] = &[
    Row::new(
        "batch",
        batch,
        "Groups items into lists of a size.",
        "[1, 2, 3] | batch(2) | list => [[1, 2], [3]]",
    ),
    Row::new("count", length, "Counts items.", "[1, 2] | count => 2"),
    Row::new(
        "first",
        first,
        "Returns the first item.",
        "[1, 2] | first => 1",
    ),
    Row::new(
        "join",
        join,
        "Joins items into text.",
        "[1, 2] | join('-') => '1-2'",
    ),
    Row::new("last", last, "Returns the last item.", "[1, 2] | last => 2"),
    Row::new("length", length, "Counts items.", "'abc' | length => 3"),
    Row::new("list", list, "Makes a list.", "'ab' | list => ['a', 'b']"),
    Row::new(
        "max",
        |r, a| extreme(r, a, Ordering::Greater),
        "Returns the greatest item.",
        "[1, 3, 2] | max => 3",
    ),
    Row::new(
        "min",
        |r, a| extreme(r, a, Ordering::Less),
        "Returns the least item.",
        "[2, 1] | min => 1",
    ),
    Row::new("random", random, "Picks an item.", "[1] | random => 1"),
    Row::new(
        "reverse",
        reverse,
        "Reverses text or items.",
        "[1, 2] | reverse | list => [2, 1]",
    ),
    Row::new(
        "slice",
        slice,
        "Cuts items into so many lists.",
        "[1, 2, 3] | slice(2) | list => [[1, 2], [3]]",
    ),
    Row::new("sort", sort, "Sorts items.", "[2, 1] | sort => [1, 2]"),
    Row::new("sum", sum, "Adds items up.", "[1, 2] | sum => 3"),
    Row::new(
        "unique",
        unique,
        "Drops items seen before.",
        "[1, 1, 2] | unique | list => [1, 2]",
    ),
];

fn batch(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, count, fill] = args.bind("do_batch", ["value", "linecount", "fill_with"], 2)?;
    let count = known(count)?.as_i64().unwrap_or(0);
    let items: Vec<Value> = known(value)?.items()?.collect();
    let Some(count) = usize::try_from(count).ok().filter(|count| *count > 0) else {
        // No batch ever is full: an empty one, then all.
        return Ok(Value::list(if items.is_empty() {
            Vec::new()
        } else {
            vec![Value::list(Vec::new()), Value::list(items)]
        }));
    };
    ops::fits(count)?;
    let mut out: Vec<Value> = Vec::new();
    for chunk in items.chunks(count) {
        let mut chunk = chunk.to_vec();
        if let Some(fill) = fill.as_ref().filter(|fill| !fill.is_none()) {
            chunk.resize(count, fill.clone());
        }
        out.push(Value::list(chunk));
    }
    Ok(Value::list(out))
}

fn first(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    Ok(first_arg(args)?
        .items()?
        .next()
        .unwrap_or_else(|| Value::undefined(Undefined::hint("No first item, sequence was empty."))))
}

fn join(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, separator, attribute] = args.bind("do_join", ["value", "d", "attribute"], 1)?;
    let separator = separator.unwrap_or_else(|| Value::str(""));
    let mut items = Vec::new();
    for item in known(value)?.items()? {
        let item = match &attribute {
            Some(path) if !path.is_none() => read(runtime, &item, path, None)?,
            _ => item,
        };
        items.push(known(Some(item))?);
    }
    // Where anything is markup, all the rest is escaped.
    let is_markup = |value: &Value| matches!(value, Value::Str(text) if text.is_markup());
    let markup = runtime.autoescape() && items.iter().chain([&separator]).any(is_markup);
    let append = |out: &mut String, value: &Value| match value {
        Value::Str(text) if !markup || text.is_markup() => out.push_str(text),
        other if markup => out.push_str(&escape_html(&other.to_str())),
        other => out.push_str(&other.to_str()),
    };
    let mut joined = String::new();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            append(&mut joined, &separator);
        }
        append(&mut joined, item);
        ops::fits(joined.len())?;
    }
    Ok(Value::Str(Str::new(joined).with_markup(markup)))
}

fn last(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let value = first_arg(args)?;
    let items = value.items().map_err(|_| {
        Error::type_error(format!("'{}' object is not reversible", value.type_name()))
    })?;
    Ok(items
        .last()
        .unwrap_or_else(|| Value::undefined(Undefined::hint("No last item, sequence was empty."))))
}

fn length(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let value = first_arg(args)?;
    value.len().map(Value::from).ok_or_else(|| {
        Error::type_error(format!(
            "object of type '{}' has no len()",
            value.type_name()
        ))
    })
}

fn list(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    Ok(Value::list(first_arg(args)?.items()?.collect()))
}

fn extreme(runtime: &mut dyn Runtime, args: Args, wanted: Ordering) -> Result<Value> {
    let [value, case, attribute] =
        args.bind("do_max", ["value", "case_sensitive", "attribute"], 1)?;
    let case = case.is_some_and(|v| v.truth());
    let mut best: Option<(Value, Value)> = None;
    for item in known(value)?.items()? {
        let by = match &attribute {
            Some(path) if !path.is_none() => read(runtime, &item, path, None)?,
            _ => item.clone(),
        };
        let by = folded(&by, case);
        let better = match &best {
            Some((known, _)) => {
                by.order(known, if wanted == Ordering::Less { "<" } else { ">" })? == Some(wanted)
            }
            None => true,
        };
        if better {
            best = Some((by, item));
        }
    }
    Ok(best.map_or_else(
        || Value::undefined(Undefined::hint("No aggregated item, sequence was empty.")),
        |(_, item)| item,
    ))
}

fn random(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    use rand::seq::IndexedRandom;
    let items: Vec<Value> = first_arg(args)?.items()?.collect();
    Ok(items.choose(&mut rand::rng()).cloned().unwrap_or_else(|| {
        Value::undefined(Undefined::hint("No random item, sequence was empty."))
    }))
}

fn reverse(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    match first_arg(args)? {
        Value::Str(text) => Ok(Value::str(text.chars().rev().collect::<String>())),
        other => {
            let mut items: Vec<Value> = other
                .items()
                .map_err(|error| {
                    let cause = if runtime.reads_lazily() {
                        format!(": {}", error.message())
                    } else {
                        String::new()
                    };
                    Error::runtime(format!("argument must be iterable{cause}"))
                })?
                .collect();
            items.reverse();
            Ok(Value::list(items))
        }
    }
}

fn slice(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, count, fill] = args.bind("do_slice", ["value", "slices", "fill_with"], 2)?;
    let count = known(count)?.as_i64().unwrap_or(0);
    if count == 0 {
        return Err(Error::new(
            Kind::Arithmetic,
            "integer division or modulo by zero",
        ));
    }
    let count = usize::try_from(count).unwrap_or(0);
    ops::fits(count)?;
    let items: Vec<Value> = known(value)?.items()?.collect();
    if count == 0 {
        return Ok(Value::list(Vec::new()));
    }
    let (per, extra) = (items.len() / count, items.len() % count);
    let mut at = 0;
    let mut out = Vec::new();
    for number in 0..count {
        let size = per + usize::from(number < extra);
        let mut part = items[at..at + size].to_vec();
        at += size;
        if let Some(fill) = fill.as_ref().filter(|fill| !fill.is_none())
            && number >= extra
            && extra > 0
        {
            part.push(fill.clone());
        }
        out.push(Value::list(part));
    }
    Ok(Value::list(out))
}

fn sort(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, reverse, case, attribute] = args.bind(
        "do_sort",
        ["value", "reverse", "case_sensitive", "attribute"],
        1,
    )?;
    let case = case.is_some_and(|v| v.truth());
    let mut pairs = Vec::new();
    for item in known(value)?.items()? {
        let by = match &attribute {
            Some(Value::Str(paths)) => {
                let mut parts = Vec::new();
                for path in paths.split(',') {
                    let part = read(runtime, &item, &Value::str(path.trim()), None)?;
                    parts.push(folded(&part, case));
                }
                match &parts[..] {
                    [one] => one.clone(),
                    _ => Value::tuple(parts),
                }
            }
            Some(path) if !path.is_none() => folded(&read(runtime, &item, path, None)?, case),
            _ => folded(&item, case),
        };
        pairs.push((by, item));
    }
    sorted(pairs, reverse.is_some_and(|v| v.truth())).map(Value::list)
}

fn sum(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, attribute, start] = args.bind("do_sum", ["iterable", "attribute", "start"], 1)?;
    let mut total = start.unwrap_or(Value::Int(0));
    if matches!(total, Value::Str(_)) {
        return Err(Error::type_error(
            "sum() can't sum strings [use ''.join(seq) instead]",
        ));
    }
    for item in known(value)?.items()? {
        let item = match &attribute {
            Some(path) if !path.is_none() => read(runtime, &item, path, None)?,
            _ => item,
        };
        if runtime.reads_lazily()
            && let Some(error) = ops::no_lazy_sum(&total, &item)
        {
            return Err(error);
        }
        total = ops::apply(ops::Operator::Add, &total, &item)?;
    }
    Ok(total)
}

fn unique(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, case, attribute] =
        args.bind("do_unique", ["value", "case_sensitive", "attribute"], 1)?;
    let case = case.is_some_and(|v| v.truth());
    let mut seen: Vec<Value> = Vec::new();
    let mut keys = std::collections::HashSet::<_, foldhash::fast::RandomState>::default();
    let mut out = Vec::new();
    for item in known(value)?.items()? {
        let by = match &attribute {
            Some(path) if !path.is_none() => read(runtime, &item, path, None)?,
            _ => item.clone(),
        };
        let by = folded(&by, case);
        let fresh = match Key::new(by.clone()) {
            Ok(key) => keys.insert(key),
            Err(_) if seen.contains(&by) => false,
            Err(_) => {
                seen.push(by);
                true
            }
        };
        if fresh {
            out.push(item);
        }
    }
    Ok(Value::list(out))
}
