//! Lookups that rearrange their terms.

use super::failed;
use crate::diag::Result;
use crate::template::templar::Templar;
use crate::value::{Undefined, Value};

type Options<'a> = &'a [(String, Value)];

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

fn lists(terms: &[Value]) -> Result<Vec<Vec<Value>>> {
    terms
        .iter()
        .map(|term| match term {
            Value::Str(_) => Ok(vec![term.clone()]),
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
                Value::None => {}
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
    let terms: Vec<Value> = match terms {
        // A list of dicts stands for them.
        [Value::List(list)] if list.borrow().iter().all(|t| matches!(t, Value::Dict(_))) => {
            list.to_vec()
        }
        terms => terms.to_vec(),
    };
    for term in &terms {
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

pub(super) fn nested(_templar: &Templar, terms: &[Value], _options: Options) -> Result<Vec<Value>> {
    if terms.is_empty() {
        return Err(failed(
            "with_nested requires at least one element in the nested list",
        ));
    }
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for column in lists(terms)? {
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
    _templar: &Templar,
    terms: &[Value],
    _options: Options,
) -> Result<Vec<Value>> {
    if terms.is_empty() {
        return Err(failed(
            "with_together requires at least one element in each list",
        ));
    }
    let columns = lists(terms)?;
    let count = columns.iter().map(Vec::len).max().unwrap_or(0);
    let row = |at: usize| {
        columns
            .iter()
            .map(|c| c.get(at).cloned().unwrap_or(Value::None))
            .collect()
    };
    Ok((0..count).map(|at| Value::list(row(at))).collect())
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

pub(super) fn sequence(
    _templar: &Templar,
    terms: &[Value],
    options: Options,
) -> Result<Vec<Value>> {
    let mut out = Vec::new();
    let given: Vec<String> = if terms.is_empty() {
        vec![String::new()]
    } else {
        terms.iter().map(Value::to_str).collect()
    };
    for term in given {
        let (mut start, mut end, mut count, mut stride, mut format) =
            (1i64, None, None, 1i64, "%d".to_owned());
        let number = |text: &str| -> Result<i64> {
            let text = text.trim();
            let parsed = match text.strip_prefix("0x") {
                Some(hex) => i64::from_str_radix(hex, 16).ok(),
                None => text.parse().ok(),
            };
            parsed.ok_or_else(|| failed(format!("can't parse {text} as integer")))
        };
        let mut pairs: Vec<(String, String)> = options
            .iter()
            .map(|(k, v)| (k.clone(), v.to_str()))
            .collect();
        if term.contains('=') {
            for word in term.split_whitespace() {
                if let Some((key, value)) = word.split_once('=') {
                    pairs.push((key.to_owned(), value.to_owned()));
                }
            }
        } else if !term.is_empty() {
            // Shorthand: `[start-]end[/stride][:format]`.
            let (range, shown) = term.split_once(':').unwrap_or((&term, ""));
            if !shown.is_empty() {
                shown.clone_into(&mut format);
            }
            let (range, step) = range.split_once('/').unwrap_or((range, ""));
            if !step.is_empty() {
                stride = number(step)?;
            }
            match range.split_once('-').filter(|(first, _)| !first.is_empty()) {
                Some((first, last)) => {
                    start = number(first)?;
                    end = Some(number(last)?);
                }
                None => end = Some(number(range)?),
            }
        }
        for (key, value) in pairs {
            match key.as_str() {
                "start" => start = number(&value)?,
                "end" => end = Some(number(&value)?),
                "count" => count = Some(number(&value)?),
                "stride" => stride = number(&value)?,
                "format" => format = value,
                other => {
                    return Err(failed(format!(
                        "unrecognized arguments to with_sequence: {other}"
                    )));
                }
            }
        }
        let end = match (end, count) {
            (Some(_), Some(_)) => {
                return Err(failed("can't specify both count and end in with_sequence"));
            }
            (Some(end), None) => end,
            (None, Some(0)) => continue,
            (None, Some(count)) => start + count * stride - stride.signum(),
            (None, None) => return Err(failed("must specify count or end in with_sequence")),
        };
        if stride == 0 {
            continue;
        }
        if stride > 0 && end < start {
            return Err(failed("to count backwards make stride negative"));
        }
        let mut at = start;
        while (stride > 0 && at <= end) || (stride < 0 && at >= end) {
            out.push(crate::value::format::percent(
                &format.as_str().into(),
                &Value::tuple(vec![Value::Int(at)]),
            )?);
            if out.len() > 1_000_000 {
                return Err(failed("a sequence of more than a million items"));
            }
            at += stride;
        }
    }
    Ok(out)
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
    let [elements, path, rest @ ..] = terms else {
        return Err(failed(
            "subelements lookup expects a list of two or three items",
        ));
    };
    let skip = rest
        .first()
        .and_then(|flags| flags.get("skip_missing"))
        .is_some_and(|v| v.truth());
    let path = path.to_str();
    let all: Vec<Value> = match elements {
        Value::Dict(dict) => dict.to_vec().into_iter().map(|(_, item)| item).collect(),
        other => other.items()?.collect(),
    };
    let mut out = Vec::new();
    for element in all {
        if element.get("skipped").is_some_and(|v| v.truth()) {
            continue;
        }
        let mut inner = element.clone();
        for key in path.split('.') {
            inner = inner
                .get(key)
                .unwrap_or_else(|| Value::undefined(Undefined::variable(key)));
        }
        match &inner {
            Value::Undefined(_) if skip => continue,
            Value::Undefined(_) => {
                return Err(failed(format!(
                    "could not find '{path}' key in iterated item '{}'",
                    element.repr()
                )));
            }
            _ => {}
        }
        let rest = without(&element, &path);
        for one in inner.items()? {
            out.push(pair(templar, rest.clone(), one));
        }
    }
    Ok(out)
}
