//! Filters that choose by chance; with a seed they choose what Python chooses.

use rand::RngExt;

use super::{failed, known};
use crate::diag::{Error, Kind, Result};
use crate::jinja::Row;
use crate::template::twister::Twister;
use crate::value::{Args, Runtime, Value};

pub(super) static TABLE: &[Row] = &[
    Row::new(
        "random",
        random,
        "Picks an item, or a number below one.",
        "[1] | random => 1",
    ),
    Row::new(
        "shuffle",
        shuffle,
        "Puts items in random order.",
        "[1] | shuffle => [1]",
    ),
];

/// Where numbers come from.
enum Source {
    Seeded(Box<Twister>),
    System,
}

impl Source {
    fn of(seed: Option<Value>) -> Result<Source> {
        match seed.filter(|seed| !seed.is_none()) {
            None => Ok(Source::System),
            Some(seed) => Twister::seeded(&seed).map(|twister| Source::Seeded(Box::new(twister))),
        }
    }

    /// Returns a number below another.
    fn below(&mut self, end: u64) -> u64 {
        match self {
            Source::Seeded(twister) => twister.below(end),
            Source::System => rand::rng().random_range(0..end.max(1)),
        }
    }
}

fn integer(value: Option<Value>, default: i64, what: &str) -> Result<i64> {
    match value.filter(|value| !value.is_none()) {
        None => Ok(default),
        Some(value) => value.as_i64().ok_or_else(|| {
            failed(format!(
                "random: `{what}` must be an integer, found {}",
                value.type_name()
            ))
        }),
    }
}

fn random(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [end, start, step, seed] = args.bind("rand", ["end", "start", "step", "seed"], 1)?;
    let end = known(end)?;
    let mut source = Source::of(seed)?;
    if let Some(end) = end.as_i64() {
        let start = integer(start, 0, "start")?;
        let step = integer(step, 1, "step")?;
        if step == 0 {
            return Err(failed("zero step for randrange()"));
        }
        let (span, step) = (i128::from(end) - i128::from(start), i128::from(step));
        let count = if step > 0 {
            (span + step - 1) / step
        } else {
            (span + step + 1) / step
        };
        if count <= 0 {
            return Err(failed(format!(
                "empty range for randrange() ({start}, {end}, {span})"
            )));
        }
        let at = source.below(u64::try_from(count).unwrap_or(u64::MAX));
        return Ok(Value::Int(
            i64::try_from(i128::from(start) + step * i128::from(at)).unwrap_or(start),
        ));
    }
    if !matches!(
        end,
        Value::Str(_) | Value::List(_) | Value::Tuple(_) | Value::Range(..) | Value::Object(_)
    ) {
        return Err(failed("random can only be used on sequences and integers"));
    }
    if start.is_some_and(|s| !s.is_none()) || step.is_some_and(|s| !s.is_none()) {
        return Err(failed(
            "start and step can only be used with integer values",
        ));
    }
    let all: Vec<Value> = end.items()?.collect();
    if all.is_empty() {
        return Err(failed("Cannot choose from an empty sequence"));
    }
    let at = source.below(all.len() as u64) as usize;
    Ok(all[at].clone())
}

fn shuffle(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, seed] = args.bind("randomize_list", ["mylist", "seed"], 1)?;
    let value = known(value)?;
    let Ok(items) = value.items() else {
        return Ok(value);
    };
    let mut all: Vec<Value> = items.collect();
    let mut source = Source::of(seed)?;
    for last in (1..all.len()).rev() {
        let other = source.below(last as u64 + 1) as usize;
        all.swap(last, other);
    }
    Ok(Value::list(all))
}

/// Refuses a seed of a type that Python doesn't take.
pub(in crate::template) fn bad_seed(seed: &Value) -> Error {
    Error::new(
        Kind::Type,
        format!(
            "The only supported seed types are: None,\nint, float, str, bytes, and bytearray; found {}",
            seed.type_name()
        ),
    )
}
