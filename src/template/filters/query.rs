//! Filters of `community.general` for collections of data.

use rand::RngExt;

use super::keys::{How, Keys};
use super::{failed, known, only};
use crate::diag::{Kind, Result};
use crate::jinja::Row;
use crate::template::twister::Twister;
use crate::template::version::Loose;
use crate::value::{Args, Dict, Key, Runtime, Value};

pub(super) static TABLE: &[Row] = &[
    Row::new(
        "json_query",
        json_query,
        "Picks from data by a JMESPath expression.",
        "[{'a': 1}] | community.general.json_query('[].a') => [1]",
    ),
    Row::new(
        "dict",
        dict,
        "Makes a dict of pairs.",
        "[['a', 1]] | community.general.dict => {'a': 1}",
    ),
    Row::new(
        "keep_keys",
        |_, a| choose(a, "keep_keys", true),
        "Keeps some keys of each dict.",
        "[{'a': 1, 'b': 2}] | community.general.keep_keys(target=['a']) => [{'a': 1}]",
    ),
    Row::new(
        "remove_keys",
        |_, a| choose(a, "remove_keys", false),
        "Drops some keys of each dict.",
        "[{'a': 1, 'b': 2}] | community.general.remove_keys(target=['a']) => [{'b': 2}]",
    ),
    Row::new(
        "counter",
        counter,
        "Counts equal items.",
        "['a', 'a', 'b'] | community.general.counter => {'a': 2, 'b': 1}",
    ),
    Row::new(
        "lists_mergeby",
        merge_by,
        "Merges lists of dicts by a key.",
        "[{'n': 1, 'x': 1}] | community.general.lists_mergeby([{'n': 1, 'y': 2}], 'n') => [{'n': 1, 'x': 1, 'y': 2}]",
    ),
    Row::new(
        "version_sort",
        |_, a| {
            let mut items: Vec<Value> = only(a)?.items()?.collect();
            items.sort_by_cached_key(|item| Loose::of(&item.to_str()));
            Ok(Value::list(items))
        },
        "Sorts versions.",
        "['1.10', '1.9'] | community.general.version_sort => ['1.9', '1.10']",
    ),
    Row::new(
        "random_mac",
        random_mac,
        "Completes a hardware address by chance.",
        "'52:54:00' | community.general.random_mac | length => 17",
    ),
];

/// How many brackets and negations an expression of `json_query` may have.
const MAX_OPENINGS: usize = 1000;

fn json_query(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [data, query] = args.bind("json_query", ["data", "expr"], 2)?;
    let (data, query) = (known(data)?, known(query)?);
    let Value::Str(query) = query else {
        return Err(failed(format!(
            "Error in jmespath.search in json_query filter plugin:\n'{}' object is not iterable",
            query.type_name()
        )));
    };
    let told = |said: String| {
        failed(format!(
            "JMESPathError in json_query filter plugin:\n{said}"
        ))
    };
    if query.is_empty() {
        return Err(told(
            "Invalid JMESPath expression: cannot be empty.".to_owned(),
        ));
    }
    // The parser goes down once for each of these.
    let openings = query.matches(['(', '[', '{', '!', '&']).count();
    if openings > MAX_OPENINGS {
        return Err(told(format!(
            "the expression has more than {MAX_OPENINGS} brackets and negations"
        )));
    }
    let parsed = jmespath::parse(&query).map_err(|error| match error.reason {
        jmespath::ErrorReason::Parse(reason) => {
            told(format!("{reason}: `{query}`, column {}", error.column + 1))
        }
        jmespath::ErrorReason::Runtime(reason) => told(reason.to_string()),
    })?;
    crate::template::jmespath::search(&parsed, &data).map_err(|error| match error.kind() {
        Kind::Filter => told(error.message().to_owned()),
        _ => error,
    })
}

fn dict(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let made = Dict::new();
    for pair in only(args)?.items()? {
        let parts: Vec<Value> = pair.items()?.collect();
        let [key, value] = &parts[..] else {
            return Err(failed(format!("expected a pair, found {}", pair.repr())));
        };
        made.set_key(Key::new(key.clone())?, value.clone());
    }
    Ok(Value::Dict(made))
}

fn choose(args: Args, name: &str, keep: bool) -> Result<Value> {
    let [data, target, how] = args.bind(name, ["data", "target", "matching_parameter"], 2)?;
    let target: Vec<String> = match known(target)? {
        one @ Value::Str(_) => vec![one.to_str()],
        list => list.items()?.map(|item| item.to_str()).collect(),
    };
    let how = how.and_then(|how| How::named(&how.to_str()));
    let keys = Keys::new(target, how.unwrap_or(How::Equal))?;
    let mut out = Vec::new();
    for item in known(data)?.items()? {
        let Value::Dict(dict) = &item else {
            return Err(failed(format!(
                "The elements of the data list must be dictionaries, found {}",
                item.type_name()
            )));
        };
        let made = Dict::new();
        for (key, value) in dict.to_vec() {
            if keys.find(key.value())?.is_some() == keep {
                made.set_key(key, value);
            }
        }
        out.push(Value::Dict(made));
    }
    Ok(Value::list(out))
}

fn counter(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let value = only(args)?;
    let made = Dict::new();
    for item in value.items()? {
        let key = Key::new(item)?;
        let count = made.get_key(&key).and_then(|c| c.as_i64()).unwrap_or(0);
        made.set_key(key, Value::Int(count + 1));
    }
    Ok(Value::Dict(made))
}

fn merge_by(_runtime: &mut dyn Runtime, mut args: Args) -> Result<Value> {
    let recursive = args.take("recursive").is_some_and(|r| r.truth());
    let lists = args
        .take("list_merge")
        .map_or_else(|| "replace".to_owned(), |l| l.to_str());
    let Some(index) = args.positional.pop() else {
        return Err(failed("lists_mergeby needs lists and a key"));
    };
    let index = known(Some(index))?.to_str();
    let mut made: Vec<(Key, Dict)> = Vec::new();
    for list in args.positional {
        for item in known(Some(list))?.items()? {
            let Value::Dict(dict) = &item else {
                return Err(failed(format!(
                    "Elements of list arguments for lists_mergeby must be dictionaries, found {}",
                    item.type_name()
                )));
            };
            let Some(value) = dict.get(&index) else {
                continue;
            };
            let key = Key::new(value)?;
            match made.iter_mut().find(|(known, _)| *known == key) {
                Some((_, low)) => *low = super::data::merged(low, dict, recursive, &lists, 0),
                None => made.push((key, dict.copy())),
            }
        }
    }
    let mut unlike = None;
    made.sort_by(|a, b| {
        let order = a.0.value().order(b.0.value(), "<").unwrap_or_else(|error| {
            unlike.get_or_insert(error);
            None
        });
        order.unwrap_or(std::cmp::Ordering::Equal)
    });
    match unlike {
        Some(error) => Err(error),
        None => Ok(Value::list(
            made.into_iter()
                .map(|(_, dict)| Value::Dict(dict))
                .collect(),
        )),
    }
}

fn random_mac(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, seed] = args.bind("random_mac", ["value", "seed"], 1)?;
    let value = known(value)?.to_str().to_lowercase();
    let mut parts: Vec<String> = value.split(':').map(str::to_owned).collect();
    let wrong = |part: &str| {
        failed(format!(
            "Invalid value ({value}) for random_mac: {part} not hexa byte"
        ))
    };
    if value.is_empty() || parts.len() > 5 {
        return Err(failed(format!(
            "Invalid value ({value}) for random_mac: 5 colon(:) separated items max"
        )));
    }
    for part in &parts {
        if part.len() != 2 || u8::from_str_radix(part, 16).is_err() {
            return Err(wrong(part));
        }
    }
    // Ten digits are drawn at once, of which the first are taken.
    const LEAST: u64 = 0x10_0000_0000;
    const MOST: u64 = 0xff_ffff_ffff;
    let drawn = match seed.filter(|seed| !seed.is_none()) {
        Some(seed) => Twister::seeded(&seed)?.below(MOST - LEAST + 1) + LEAST,
        None => rand::rng().random_range(LEAST..=MOST),
    };
    let digits = format!("{drawn:x}");
    for at in 0..6usize.saturating_sub(parts.len()) {
        parts.push(digits[2 * at..2 * at + 2].to_owned());
    }
    Ok(Value::str(parts.join(":")))
}
