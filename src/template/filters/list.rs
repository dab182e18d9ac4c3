//! Filters for lists: sets, flattening, zipping, choosing.

use super::{failed, flag, known, mistyped};
use crate::diag::Result;
use crate::jinja::Row;
use crate::value::{Args, NumberSet, Runtime, Value};

pub(super) static TABLE: &[Row] = &[
    Row::new(
        "union",
        |r, a| sets(r, a, "union"),
        "Items of either list, once.",
        "[1, 2] | union([2, 3]) => [1, 2, 3]",
    ),
    Row::new(
        "intersect",
        |r, a| sets(r, a, "intersect"),
        "Items of both lists, once.",
        "[1, 2] | intersect([2]) => [2]",
    ),
    Row::new(
        "difference",
        |r, a| sets(r, a, "difference"),
        "Items only of the first list.",
        "[1, 2] | difference([2]) => [1]",
    ),
    Row::new(
        "symmetric_difference",
        |r, a| sets(r, a, "symmetric_difference"),
        "Items of one list only.",
        "[1, 2] | symmetric_difference([2, 3]) => [1, 3]",
    ),
    Row::new(
        "flatten",
        flatten,
        "Takes inner lists apart.",
        "[1, [2, [3]]] | flatten => [1, 2, 3]",
    ),
    Row::new(
        "extract",
        extract,
        "Looks a key up in a container.",
        "'a' | extract({'a': 1}) => 1",
    ),
    Row::new(
        "zip",
        zip,
        "Pairs items up.",
        "[1, 2] | zip([3, 4]) | list => [(1, 3), (2, 4)]",
    ),
    Row::new(
        "zip_longest",
        zip_longest,
        "Pairs items up, to the longest.",
        "[1, 2] | zip_longest([3], fillvalue=0) | list => [(1, 3), (2, 0)]",
    ),
    Row::new(
        "product",
        product,
        "All combinations of items.",
        "[1, 2] | product([3]) | list => [(1, 3), (2, 3)]",
    ),
    Row::new(
        "combinations",
        combinations,
        "All subsets of a size.",
        "[1, 2, 3] | combinations(2) | list | length => 3",
    ),
    Row::new(
        "permutations",
        permutations,
        "All orders of items.",
        "[1, 2] | permutations | list => [(1, 2), (2, 1)]",
    ),
    Row::new(
        "subelements",
        subelements,
        "Pairs each item with each of an inner list.",
        "[{'a': [1, 2]}] | subelements('a') | length => 2",
    ),
];

fn items(value: Option<Value>) -> Result<Vec<Value>> {
    Ok(known(value)?.items()?.collect())
}

fn once(items: Vec<Value>) -> Vec<Value> {
    let mut out: Vec<Value> = Vec::new();
    for item in items {
        if !out.contains(&item) {
            out.push(item);
        }
    }
    out
}

fn sets(runtime: &mut dyn Runtime, args: Args, which: &str) -> Result<Value> {
    let [a, b] = args.bind("union", ["a", "b"], 2)?;
    let a = items(a)?;
    let b = items(b).map_err(|error| match error.kind() {
        crate::diag::Kind::Type => {
            let message = error.message().replace("' object is not", "' is not");
            let message = message.replacen('\'', "argument of type '", 1);
            error.message_as(message)
        }
        _ => error,
    })?;
    let level = crate::template::lookups::templar(runtime)?.level();
    if level.makes_sets_of_lists()
        && let (Some(a), Some(b)) = (NumberSet::of(&a), NumberSet::of(&b))
    {
        let numbers = match which {
            "union" => a.union(&b).numbers(),
            "intersect" => a.intersection(&b).numbers(),
            "difference" => a.difference(&b),
            _ => a.symmetric_difference(&b),
        };
        return Ok(Value::list(numbers.into_iter().map(Value::from).collect()));
    }
    let made = match which {
        "union" => a.into_iter().chain(b).collect(),
        "intersect" => a.into_iter().filter(|item| b.contains(item)).collect(),
        "difference" => a.into_iter().filter(|item| !b.contains(item)).collect(),
        _ => {
            let second: Vec<Value> = b.iter().filter(|item| !a.contains(item)).cloned().collect();
            a.into_iter()
                .filter(|item| !b.contains(item))
                .chain(second)
                .collect()
        }
    };
    Ok(Value::list(once(made)))
}

fn flatten(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, levels, skip] = args.bind("flatten", ["mylist", "levels", "skip_nulls"], 1)?;
    let levels = levels.and_then(|l| l.as_i64());
    let skip = skip.is_none_or(|s| s.truth());
    fn walk(
        value: &Value,
        levels: Option<i64>,
        skip: bool,
        out: &mut Vec<Value>,
        depth: usize,
    ) -> Result<()> {
        for item in value.items()? {
            let inner = matches!(item, Value::List(_) | Value::Tuple(_));
            if skip && (item.is_none() || matches!(item.as_str(), Some("None" | "null"))) {
                continue;
            }
            if inner && levels.is_none_or(|l| l > 0) && depth < crate::value::MAX_DEPTH {
                walk(&item, levels.map(|l| l - 1), skip, out, depth + 1)?;
            } else {
                out.push(item);
            }
        }
        Ok(())
    }
    let mut out = Vec::new();
    walk(&known(value)?, levels, skip, &mut out, 0)?;
    Ok(Value::list(out))
}

fn extract(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [item, container, more] = args.bind("extract", ["item", "container", "morekeys"], 2)?;
    let mut keys = vec![known(item)?];
    match more {
        Some(Value::List(list)) => keys.extend(list.to_vec()),
        Some(Value::None) | None => {}
        Some(one) => keys.push(one),
    }
    let mut value = known(container)?;
    for key in keys {
        value = runtime.item(&value, &key)?;
    }
    Ok(value)
}

fn columns(args: &Args) -> Result<Vec<Vec<Value>>> {
    args.positional
        .iter()
        .map(|value| items(Some(value.clone())))
        .collect()
}

fn zip(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let columns = columns(&args)?;
    let count = columns.iter().map(Vec::len).min().unwrap_or(0);
    Ok(Value::list(
        (0..count)
            .map(|at| Value::tuple(columns.iter().map(|column| column[at].clone()).collect()))
            .collect(),
    ))
}

fn zip_longest(_runtime: &mut dyn Runtime, mut args: Args) -> Result<Value> {
    let fill = args.take("fillvalue").unwrap_or(Value::None);
    let columns = columns(&args)?;
    let count = columns.iter().map(Vec::len).max().unwrap_or(0);
    let row = |at: usize| {
        columns
            .iter()
            .map(|c| c.get(at).cloned().unwrap_or_else(|| fill.clone()))
            .collect()
    };
    Ok(Value::list(
        (0..count).map(|at| Value::tuple(row(at))).collect(),
    ))
}

/// How many rows combinatorial filters may make.
const MAX_ROWS: usize = 1_000_000;

fn product(_runtime: &mut dyn Runtime, mut args: Args) -> Result<Value> {
    let repeat = args
        .take("repeat")
        .and_then(|r| r.as_i64())
        .unwrap_or(1)
        .clamp(0, 100) as usize;
    let own = columns(&args)?;
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for column in std::iter::repeat_n(own, repeat).flatten() {
        if rows.len().saturating_mul(column.len()) > MAX_ROWS {
            return Err(failed(format!("product makes more than {MAX_ROWS} rows")));
        }
        rows = rows
            .iter()
            .flat_map(|row| {
                column
                    .iter()
                    .map(move |item| row.iter().cloned().chain([item.clone()]).collect())
            })
            .collect();
    }
    Ok(Value::list(rows.into_iter().map(Value::tuple).collect()))
}

fn chosen(args: Args, default: Option<usize>, ordered: bool) -> Result<Value> {
    let [value, size] = args.bind("combinations", ["iterable", "r"], 1)?;
    let all = items(value)?;
    let size = match size.and_then(|s| s.as_i64()) {
        Some(size) => size.max(0) as usize,
        None => default.unwrap_or(all.len()),
    };
    let mut rows = Vec::new();
    fn walk(
        all: &[Value],
        size: usize,
        ordered: bool,
        picked: &mut Vec<usize>,
        rows: &mut Vec<Value>,
    ) -> Result<()> {
        if picked.len() == size {
            rows.push(Value::tuple(
                picked.iter().map(|at| all[*at].clone()).collect(),
            ));
            return if rows.len() > MAX_ROWS {
                Err(failed(format!("more than {MAX_ROWS} rows")))
            } else {
                Ok(())
            };
        }
        let from = if ordered {
            0
        } else {
            picked.last().map_or(0, |last| last + 1)
        };
        for at in from..all.len() {
            if !picked.contains(&at) {
                picked.push(at);
                walk(all, size, ordered, picked, rows)?;
                picked.pop();
            }
        }
        Ok(())
    }
    walk(&all, size, ordered, &mut Vec::new(), &mut rows)?;
    Ok(Value::list(rows))
}

fn combinations(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    chosen(args, None, false)
}

fn permutations(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    chosen(args, None, true)
}

fn subelements(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, path, skip] =
        args.bind("subelements", ["obj", "subelements", "skip_missing"], 2)?;
    let value = known(value)?;
    let skip = flag(skip);
    let keys: Vec<String> = match known(path)? {
        Value::Str(path) => path.split('.').map(str::to_owned).collect(),
        Value::List(list) => list.to_vec().iter().map(Value::to_str).collect(),
        _ => return Err(mistyped("subelements must be a list or a string")),
    };
    let elements: Vec<Value> = match &value {
        Value::Dict(dict) => dict.to_vec().into_iter().map(|(_, item)| item).collect(),
        Value::List(list) => list.to_vec(),
        _ => return Err(failed("obj must be a list of dicts or a nested dict")),
    };
    let mut out = Vec::new();
    for element in elements {
        let mut inner = element.clone();
        for key in &keys {
            inner = runtime.item(&inner, &Value::str(key))?;
        }
        match &inner {
            Value::Undefined(_) if skip => continue,
            Value::Undefined(_) => {
                return Err(failed(format!(
                    "could not find '{}' key in iterated item {}",
                    keys.join("."),
                    element.repr()
                )));
            }
            Value::List(_) => {}
            _ => {
                return Err(mistyped(format!(
                    "the key '{}' should point to a list, got {}",
                    keys.join("."),
                    inner.repr()
                )));
            }
        }
        for one in inner.items()? {
            out.push(Value::tuple(vec![element.clone(), one]));
        }
    }
    Ok(Value::list(out))
}
