//! Lookups that rearrange their terms.

use super::{Options, failed};
use crate::diag::Result;
use crate::template::templar::Templar;
use crate::value::Value;

/// Takes lists apart, one level.
fn one_level(terms: &[Value]) -> Vec<Value> {
    terms
        .iter()
        .flat_map(|term| match term {
            Value::List(list) => list.to_vec(),
            Value::Tuple(items) => items.to_vec(),
            other => vec![other.clone()],
        })
        .collect()
}

fn lists(terms: &[Value], takes_items: bool) -> Result<Vec<Vec<Value>>> {
    terms
        .iter()
        .map(|term| match term {
            // A loop's own terms, and those before 2.19, may be items as well.
            Value::Str(_) | Value::Int(_) | Value::Bool(_) | Value::None if takes_items => {
                Ok(vec![term.clone()])
            }
            other => Ok(other.items()?.collect()),
        })
        .collect()
}

pub(super) fn items(_templar: &Templar, terms: &[Value], _options: Options) -> Result<Vec<Value>> {
    Ok(one_level(terms))
}

pub(super) fn list(_templar: &Templar, terms: &[Value], _options: Options) -> Result<Vec<Value>> {
    Ok(terms.to_vec())
}

pub(super) fn flattened(
    _templar: &Templar,
    terms: &[Value],
    _options: Options,
) -> Result<Vec<Value>> {
    fn walk(terms: &[Value], out: &mut Vec<Value>, depth: usize) {
        for term in terms {
            match term {
                Value::List(list) if depth < crate::value::MAX_DEPTH => {
                    walk(&list.to_vec(), out, depth + 1);
                }
                other => out.push(other.clone()),
            }
        }
    }
    let mut out = Vec::new();
    walk(terms, &mut out, 0);
    Ok(out)
}

pub(super) fn dict(templar: &Templar, terms: &[Value], _options: Options) -> Result<Vec<Value>> {
    let mut out = Vec::new();
    for term in terms {
        let dict = match term {
            Value::Dict(dict) => dict.clone(),
            Value::Object(object) if object.as_mapping().is_some() => {
                object.as_mapping().unwrap_or_default()
            }
            other => {
                return Err(failed(templar.level().not_a_dict(other)));
            }
        };
        for (key, value) in dict.to_vec() {
            out.push(Value::dict([("key", key.into_value()), ("value", value)]));
        }
    }
    Ok(out)
}

pub(super) fn nested(templar: &Templar, terms: &[Value], _options: Options) -> Result<Vec<Value>> {
    if terms.is_empty() {
        return Err(failed(
            "with_nested requires at least one element in the nested list",
        ));
    }
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for column in lists(terms, !templar.level().native_results())? {
        rows = rows
            .iter()
            .flat_map(|row| {
                column.iter().map(move |item| {
                    let mut row = row.clone();
                    row.push(item.clone());
                    row
                })
            })
            .collect();
    }
    Ok(rows
        .into_iter()
        .map(|row| Value::list(one_level(&row)))
        .collect())
}

pub(super) fn together(
    templar: &Templar,
    terms: &[Value],
    _options: Options,
) -> Result<Vec<Value>> {
    if terms.is_empty() {
        return Err(failed(
            "with_together requires at least one element in each list",
        ));
    }
    let columns = lists(terms, !templar.level().native_results())?;
    let count = columns.iter().map(Vec::len).max().unwrap_or(0);
    let row = |at: usize| -> Vec<Value> {
        columns
            .iter()
            .map(|c| c.get(at).cloned().unwrap_or(Value::None))
            .collect()
    };
    Ok((0..count)
        .map(|at| Value::list(one_level(&row(at))))
        .collect())
}

/// Makes a pair as the level has it: a tuple, which is a list where values are plain data.
fn pair(templar: &Templar, first: Value, second: Value) -> Value {
    let items = vec![first, second];
    if templar.level().native_results() {
        Value::list(items)
    } else {
        Value::tuple(items)
    }
}

pub(super) fn indexed_items(
    templar: &Templar,
    terms: &[Value],
    _options: Options,
) -> Result<Vec<Value>> {
    Ok(one_level(terms)
        .into_iter()
        .enumerate()
        .map(|(index, item)| pair(templar, Value::from(index), item))
        .collect())
}

pub(super) fn random_choice(
    _templar: &Templar,
    terms: &[Value],
    _options: Options,
) -> Result<Vec<Value>> {
    use rand::seq::IndexedRandom;
    Ok(terms
        .choose(&mut rand::rng())
        .cloned()
        .into_iter()
        .collect())
}

/// Returns a dict without what a dotted path leads to.
fn without(element: &Value, path: &str) -> Value {
    let Value::Dict(dict) = element else {
        return element.clone();
    };
    let rest = dict.copy();
    match path.split_once('.') {
        None => {
            rest.remove(path);
        }
        Some((key, path)) => {
            if let Some(inner) = dict.get(key) {
                rest.set(key, without(&inner, path));
            }
        }
    }
    Value::Dict(rest)
}

pub(super) fn subelements(
    templar: &Templar,
    terms: &[Value],
    _options: Options,
) -> Result<Vec<Value>> {
    let wrong = |what: &str| {
        Err(failed(format!(
            "subelements lookup expects a list of two or three items,{what}"
        )))
    };
    let [elements, path, rest @ ..] = terms else {
        return wrong("");
    };
    let is_container = matches!(
        elements,
        Value::List(_) | Value::Tuple(_) | Value::Dict(_) | Value::Object(_)
    );
    let Value::Str(path) = path else {
        return wrong(FIRST_TWO);
    };
    if !is_container {
        return wrong(FIRST_TWO);
    }
    if let [flags, ..] = rest
        && !matches!(flags, Value::Dict(_))
    {
        flags.items()?;
        return wrong(" the optional third item must be a dict with flags skip_missing");
    }
    if rest.len() > 1 {
        return wrong("");
    }
    let skip = rest
        .first()
        .and_then(|flags| flags.get("skip_missing"))
        .is_some_and(|value| crate::value::to_bool(&value).unwrap_or(false));
    if elements.get("skipped").is_some_and(|value| value.truth()) {
        return Ok(Vec::new());
    }
    let all: Vec<Value> = match elements {
        Value::Dict(dict) => dict.to_vec().into_iter().map(|(_, item)| item).collect(),
        other => other.items()?.collect(),
    };
    let mut out = Vec::new();
    for element in all {
        if !matches!(element, Value::Dict(_)) {
            return Err(failed(format!(
                "subelements lookup expects a dictionary, got '{element}'"
            )));
        }
        if element.get("skipped").is_some_and(|v| v.truth()) {
            continue;
        }
        let Some(inner) = inner_list(&element, path, skip)? else {
            continue;
        };
        let rest = without(&element, path);
        for one in inner {
            out.push(pair(templar, rest.clone(), one));
        }
    }
    Ok(out)
}

/// What the first two terms of `subelements` are.
const FIRST_TWO: &str = " first a dict or a list, second a string pointing to the subkey";

/// Follows a dotted path to a list; `None` where it ends early and that is skipped.
fn inner_list(element: &Value, path: &str, skip: bool) -> Result<Option<Vec<Value>>> {
    let mut inner = element.clone();
    let mut keys = path.split('.').peekable();
    while let Some(key) = keys.next() {
        let Some(next) = inner.get(key) else {
            if skip {
                return Ok(None);
            }
            let shown = inner.repr();
            return Err(failed(format!(
                "could not find '{key}' key in iterated item '{shown}'"
            )));
        };
        match (&next, keys.peek().is_some()) {
            (Value::Dict(_), true) | (Value::List(_), false) => {}
            (_, true) if skip => return Ok(None),
            (_, is_inner) => {
                let wanted = if is_inner { "dictionary" } else { "list" };
                return Err(failed(format!(
                    "the key {key} should point to a {wanted}, got '{next}'"
                )));
            }
        }
        inner = next;
    }
    Ok(inner.as_list().map(crate::value::List::to_vec))
}
