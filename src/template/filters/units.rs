//! Filters of `community.general` that turn times into units, and tell types and forms of text.

use unicode_normalization::UnicodeNormalization;

use super::data::{to_nice_yaml, to_yaml};
use super::{failed, known, mistyped};
use crate::diag::{Error, Result};
use crate::jinja::Row;
use crate::value::ops::{Operator, apply};
use crate::value::{Args, Dict, Runtime, Value};

macro_rules! unit {
    ($name:literal, $unit:literal, $doc:literal, $example:literal) => {
        Row::new($name, |_, args| in_unit(args, $unit), $doc, $example)
    };
}

pub(super) static TABLE: &[Row] = &[
    Row::new(
        "reveal_ansible_type",
        |_, args| Ok(Value::from(revealed(args, "reveal_ansible_type")?.1)),
        "Says of what type a value is, and what is inside of it.",
        "{'a': [1]} | community.general.reveal_ansible_type => 'dict[str, list]'",
    ),
    unit!(
        "to_days",
        "day",
        "Returns how many days a time is.",
        "'1w 1d' | community.general.to_days => 8.0"
    ),
    unit!(
        "to_hours",
        "hour",
        "Returns how many hours a time is.",
        "'1d 2h' | community.general.to_hours => 26.0"
    ),
    unit!(
        "to_milliseconds",
        "ms",
        "Returns how many milliseconds a time is.",
        "'1s 5ms' | community.general.to_milliseconds => 1005.0"
    ),
    unit!(
        "to_minutes",
        "min",
        "Returns how many minutes a time is.",
        "'2h 30min' | community.general.to_minutes => 150.0"
    ),
    unit!(
        "to_months",
        "month",
        "Returns how many months a time is.",
        "'60d' | community.general.to_months => 2.0"
    ),
    Row::new(
        "to_nice_yaml",
        |runtime, args| to_nice_yaml(runtime, unredacted(args)?),
        "Writes YAML, one item a line.",
        "{'a': [1]} | community.general.to_nice_yaml => 'a:\\n- 1\\n'",
    ),
    unit!(
        "to_seconds",
        "sec",
        "Returns how many seconds a time is.",
        "'1h 5s' | community.general.to_seconds => 3605.0"
    ),
    Row::new(
        "to_time_unit",
        |_, mut args| {
            if args.positional.len() > 2 {
                let given = args.positional.len();
                return Err(Error::type_error(format!(
                    "to_time_unit() takes from 1 to 2 positional arguments but {given} were given"
                )));
            }
            let unit = match args.take("unit") {
                Some(unit) => Some(unit),
                None => (args.positional.len() > 1).then(|| args.positional.remove(1)),
            };
            let unit = unit.map_or_else(|| Ok(Value::str("ms")), |unit| known(Some(unit)))?;
            in_unit(args, &unit.to_str())
        },
        "Returns a time in some unit.",
        "'1h' | community.general.to_time_unit('minutes') => 60.0",
    ),
    unit!(
        "to_weeks",
        "week",
        "Returns how many weeks a time is.",
        "'14d' | community.general.to_weeks => 2.0"
    ),
    Row::new(
        "to_yaml",
        |runtime, args| to_yaml(runtime, unredacted(args)?),
        "Writes YAML.",
        "{'a': [1]} | community.general.to_yaml => 'a: [1]\\n'",
    ),
    unit!(
        "to_years",
        "year",
        "Returns how many years a time is.",
        "'730d' | community.general.to_years => 2.0"
    ),
    Row::new(
        "unicode_normalize",
        unicode_normalize,
        "Brings text into a normal form of Unicode.",
        "'ﬁ' | community.general.unicode_normalize(form='NFKC') => 'fi'",
    ),
];

/// Takes the option away that hides what is secret, which is not supported.
fn unredacted(mut args: Args) -> Result<Args> {
    match args.take("redact_sensitive_values") {
        Some(value) if value.truth() => Err(failed(
            "`redact_sensitive_values` is not supported by the YAML filters",
        )),
        _ => Ok(args),
    }
}

const UNITS: &str = "Available units (singular or plural): millisecond, msec, msecond, sec, second, hour, min, minute, day, week, month, year. Available short units: ms, s, m, h, d, w, mo, y";

/// A unit's length in milliseconds, where a year and a month are so many days long.
fn length(unit: &str, year: &Value, month: &Value) -> Result<Option<Value>> {
    const DAY: i64 = 86_400_000;
    let short = match unit {
        "ms" => "millisecond",
        "s" => "sec",
        "m" => "min",
        "h" => "hour",
        "d" => "day",
        "w" => "week",
        "mo" => "month",
        "y" => "year",
        other => other.strip_suffix('s').unwrap_or(other),
    };
    let days = |count: &Value| apply(Operator::Mul, count, &Value::Int(DAY)).map(Some);
    Ok(Some(Value::Int(match short {
        "millisecond" | "msec" | "msecond" => 1,
        "sec" | "second" => 1000,
        "min" | "minute" => 60_000,
        "hour" => 3_600_000,
        "day" => DAY,
        "week" => 7 * DAY,
        "month" => return days(month),
        "year" => return days(year),
        _ => return Ok(None),
    })))
}

fn in_unit(mut args: Args, unit: &str) -> Result<Value> {
    let mut days = |name: &str, usual: i64| match args.take(name) {
        Some(value) => known(Some(value)),
        None => Ok(Value::Int(usual)),
    };
    let (year, month) = (days("year", 365)?, days("month", 30)?);
    if !args.keyword.is_empty() {
        let mut names: Vec<&str> = args.keyword.iter().map(|(name, _)| &**name).collect();
        names.sort_unstable();
        return Err(failed(format!(
            "to_time_unit() got unknown keyword arguments: {}",
            names.join(", ")
        )));
    }
    let [text] = args.bind("to_time_unit", ["human_time"], 1)?;
    let text = known(text)?;
    let Value::Str(text) = &text else {
        let kind = text.type_name();
        return Err(failed(format!("'{kind}' object has no attribute 'split'")));
    };
    let Some(divisor) = length(unit, &year, &month)? else {
        return Err(failed(format!(
            "to_time_unit() can not convert to the following unit: {unit}. {UNITS}"
        )));
    };
    let mut sum = Value::Int(0);
    for part in text.split_whitespace() {
        let unclear = || {
            failed(format!(
                "to_time_unit() can not interpret following string: {}",
                text.as_str()
            ))
        };
        let digits = part.strip_prefix('-').unwrap_or(part);
        let end = digits
            .find(|c: char| !c.is_ascii_digit())
            .ok_or_else(unclear)?;
        let (number, name) = part.split_at(part.len() - digits.len() + end);
        let number: num_bigint::BigInt = number.parse().map_err(|_| unclear())?;
        let each = length(name, &year, &month)?.ok_or_else(unclear)?;
        let value = apply(Operator::Mul, &Value::from_big(number), &each)?;
        sum = apply(Operator::Add, &sum, &value)?;
    }
    let value = apply(Operator::Div, &sum, &divisor)?;
    // As Python's `round(…, 12)`.
    match value.as_f64().map(|value| format!("{value:.12}").parse()) {
        Some(Ok(rounded)) => Ok(Value::Float(rounded)),
        _ => Ok(value),
    }
}

fn unicode_normalize(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [text, form] = args.bind("unicode_normalize", ["data", "form"], 1)?;
    let text = known(text)?;
    let Value::Str(text) = &text else {
        return Err(mistyped(format!(
            "<class '{}'> is not a valid input type",
            text.type_name()
        )));
    };
    let form = form.map_or_else(|| Ok(Value::str("NFC")), |form| known(Some(form)))?;
    Ok(Value::from(match form.to_str().as_str() {
        "NFC" => text.nfc().collect::<String>(),
        "NFD" => text.nfd().collect(),
        "NFKC" => text.nfkc().collect(),
        "NFKD" => text.nfkd().collect(),
        other => return Err(failed(format!("{other} is not a valid form"))),
    }))
}

/// Returns the arguments after the value and the aliases, and what the value's type is called.
pub(in crate::template) fn revealed(args: Args, name: &str) -> Result<(Vec<Value>, String)> {
    let mut args = args;
    let alias = args.take("alias");
    let mut positional = args.positional.into_iter();
    let value = known(positional.next())?;
    let mut rest: Vec<Value> = positional.collect();
    rest.extend(args.keyword.into_iter().map(|(_, value)| value));
    let at = usize::from(name == "ansible_type");
    let alias = match alias {
        Some(alias) => Some(alias),
        None => (rest.len() > at).then(|| rest.remove(at)),
    };
    let aliases = match alias {
        Some(Value::Dict(aliases)) => aliases,
        _ => Dict::new(),
    };
    let called = |value: &Value| {
        let name = value.type_name();
        aliases
            .get(name)
            .map_or_else(|| name.to_owned(), |alias| alias.to_str())
    };
    let joined = |names: Vec<String>| {
        let mut names = names;
        names.sort();
        names.dedup();
        names.join("|")
    };
    let own = called(&value);
    let inside = match &value {
        Value::List(list) => joined(list.to_vec().iter().map(called).collect()),
        Value::Dict(dict) if !dict.is_empty() => {
            let items = dict.to_vec();
            let keys = joined(items.iter().map(|(key, _)| called(key.value())).collect());
            let values = joined(items.iter().map(|(_, value)| called(value)).collect());
            format!("{keys}, {values}")
        }
        _ => String::new(),
    };
    let told = if inside.is_empty() {
        own
    } else {
        format!("{own}[{inside}]")
    };
    Ok((rest, told))
}
