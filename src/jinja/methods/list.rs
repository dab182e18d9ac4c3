//! Methods of `list`, `tuple` and `range`.

use super::{Method, Takes, bounds, integer, method};
use crate::diag::{Error, Result};
use crate::value::{Args, List, Runtime, Value, ops};

/// The methods of lists.
pub(super) static TABLE: &[Method<List>] = &[
    method(
        "append",
        Takes::One,
        |_, list, args| {
            list.borrow_mut().extend(args.positional);
            Ok(Value::None)
        },
        "Puts an item at the end.",
        "[].append(1) => None",
    ),
    method(
        "clear",
        Takes::Nothing,
        |_, list, _| {
            list.borrow_mut().clear();
            Ok(Value::None)
        },
        "Takes all items out.",
        "[1].clear() => None",
    ),
    method(
        "copy",
        Takes::Nothing,
        |_, list, _| Ok(Value::list(list.to_vec())),
        "Copies the list, one level.",
        "[1].copy() => [1]",
    ),
    method(
        "count",
        Takes::One,
        |runtime, list, args| {
            if runtime.reads_lazily() {
                return Ok(count(&list.read_items(), &args));
            }
            Ok(count(&list.borrow(), &args))
        },
        "Counts items that equal one.",
        "[1, 2, 1].count(1) => 2",
    ),
    method(
        "extend",
        Takes::One,
        extend,
        "Puts items at the end.",
        "[].extend('ab') => None",
    ),
    method(
        "index",
        Takes::Between(1, 3),
        |_, list, args| index(&list.borrow(), &args, "list"),
        "Finds an item.",
        "['a', 'b'].index('b') => 1",
    ),
    method(
        "insert",
        Takes::Between(2, 2),
        insert,
        "Puts an item in front of another.",
        "[1].insert(0, 2) => None",
    ),
    method(
        "pop",
        Takes::Between(0, 1),
        pop,
        "Takes an item out and returns it.",
        "[1, 2].pop() => 2",
    ),
    method(
        "remove",
        Takes::One,
        remove,
        "Takes the first item out that equals one.",
        "[1].remove(1) => None",
    ),
    method(
        "reverse",
        Takes::Nothing,
        |_, list, _| {
            list.borrow_mut().reverse();
            Ok(Value::None)
        },
        "Turns the order around.",
        "[1].reverse() => None",
    ),
    method(
        "sort",
        Takes::Anything,
        sort,
        "Sorts the list itself.",
        "[2, 1].sort() => None",
    ),
];

/// The methods of tuples.
pub(super) static TUPLE: &[Method<[Value]>] = &[
    method(
        "count",
        Takes::One,
        |_, items, args| Ok(count(items, &args)),
        "Counts items that equal one.",
        "(1, 2, 1).count(1) => 2",
    ),
    method(
        "index",
        Takes::Between(1, 3),
        |_, items, args| index(items, &args, "tuple"),
        "Finds an item.",
        "('a', 'b').index('b') => 1",
    ),
];

/// The methods of ranges.
pub(super) static RANGE: &[Method<Value>] = &[
    method(
        "count",
        Takes::One,
        |_, range, args| {
            let wanted = args.positional.first().unwrap_or(&Value::None);
            ops::contains(range, wanted).map(|found| Value::from(i64::from(found)))
        },
        "Says whether a number is inside: 1 or 0.",
        "range(3).count(2) => 1",
    ),
    method(
        "index",
        Takes::One,
        |_, range, args| {
            let wanted = args.positional.first().unwrap_or(&Value::None);
            let found = range.items()?.position(|one| one == *wanted);
            found.map(Value::from).ok_or_else(|| {
                Error::value_error(if wanted.is_number() {
                    format!("{} is not in range", wanted.repr())
                } else {
                    "sequence.index(x): x not in sequence".to_owned()
                })
            })
        },
        "Finds a number.",
        "range(5, 9).index(7) => 2",
    ),
];

fn count(items: &[Value], args: &Args) -> Value {
    let wanted = args.positional.first().unwrap_or(&Value::None);
    Value::from(items.iter().filter(|one| *one == wanted).count())
}

fn index(items: &[Value], args: &Args, type_name: &str) -> Result<Value> {
    let given = &args.positional;
    let wanted = given.first().unwrap_or(&Value::None);
    let (from, to) = bounds(items.len(), given.get(1), given.get(2))?;
    let found = (from..to).find(|at| items[*at] == *wanted);
    found.map(Value::from).ok_or_else(|| {
        Error::value_error(match type_name {
            "list" => format!("{} is not in list", wanted.repr()),
            _ => "tuple.index(x): x not in tuple".to_owned(),
        })
    })
}

fn extend(_runtime: &mut dyn Runtime, list: &List, args: Args) -> Result<Value> {
    let more: Vec<Value> = args
        .positional
        .first()
        .unwrap_or(&Value::None)
        .items()?
        .collect();
    ops::fits(list.len() + more.len())?;
    list.borrow_mut().extend(more);
    Ok(Value::None)
}

fn insert(_runtime: &mut dyn Runtime, list: &List, args: Args) -> Result<Value> {
    let length = list.len() as i64;
    let at = integer(args.positional.first(), 0)?;
    let at = (if at < 0 { at + length } else { at }).clamp(0, length) as usize;
    let item = args.positional.into_iter().nth(1).unwrap_or(Value::None);
    list.borrow_mut().insert(at, item);
    Ok(Value::None)
}

fn pop(_runtime: &mut dyn Runtime, list: &List, args: Args) -> Result<Value> {
    let length = list.len() as i64;
    let at = integer(args.positional.first(), -1)?;
    if length == 0 {
        return Err(Error::value_error("pop from empty list"));
    }
    let at = if at < 0 { at + length } else { at };
    if !(0..length).contains(&at) {
        return Err(Error::value_error("pop index out of range"));
    }
    Ok(list.borrow_mut().remove(at as usize))
}

fn remove(_runtime: &mut dyn Runtime, list: &List, args: Args) -> Result<Value> {
    let wanted = args.positional.first().unwrap_or(&Value::None);
    let found = list.borrow().iter().position(|one| one == wanted);
    match found {
        Some(at) => {
            list.borrow_mut().remove(at);
            Ok(Value::None)
        }
        None => Err(Error::value_error("list.remove(x): x not in list")),
    }
}

fn sort(runtime: &mut dyn Runtime, list: &List, mut args: Args) -> Result<Value> {
    let reverse = args.take("reverse").is_some_and(|value| value.truth());
    let key = args.take("key").filter(|value| !value.is_none());
    if !args.positional.is_empty() {
        return Err(Error::type_error("sort() takes no positional arguments"));
    }
    if let Some((name, _)) = args.keyword.first() {
        return Err(Error::type_error(format!(
            "'{name}' is an invalid keyword argument for sort()"
        )));
    }
    let mut pairs = Vec::new();
    for item in list.to_vec() {
        let by = match &key {
            Some(key) => runtime.call(key, Args::positional(vec![item.clone()]))?,
            None => item.clone(),
        };
        pairs.push((by, item));
    }
    let sorted = crate::jinja::filters::sorted(pairs, reverse)?;
    *list.borrow_mut() = sorted;
    Ok(Value::None)
}
