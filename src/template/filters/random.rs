//! Filters that choose by chance; with a seed they choose what Python chooses.

use num_bigint::{BigInt, BigUint};
use num_integer::Integer;
use num_traits::FromPrimitive;
use rand::RngExt;

use super::{failed, known};
use crate::diag::{Error, Result};
use crate::jinja::Row;
use crate::template::twister::Twister;
use crate::value::{Args, Key, Runtime, Value};

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

    /// Returns a number below another, of any size.
    fn below_big(&mut self, end: &BigUint) -> BigUint {
        match (self, u64::try_from(end)) {
            (Source::Seeded(twister), _) => twister.below_big(end),
            (source, Ok(end)) => BigUint::from(source.below(end)),
            (Source::System, Err(_)) => {
                // So many more bits than are needed that all numbers are as likely.
                let words = end.bits() / 32 + 4;
                let digits = (0..words).map(|_| rand::random()).collect();
                BigUint::new(digits) % end
            }
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

/// Returns an argument of `randrange()`; what is false is the default.
fn integer(value: Option<Value>, default: i64, what: &str) -> Result<BigInt> {
    let wrong = || Error::value_error(format!("non-integer {what} for randrange()"));
    match value.filter(Value::truth) {
        None => Ok(BigInt::from(default)),
        Some(Value::Big(number)) => Ok(number.as_ref().clone()),
        Some(Value::Float(number)) if number.fract() == 0.0 && what != "step" => {
            BigInt::from_f64(number).ok_or_else(wrong)
        }
        Some(value) => value.as_i64().map(BigInt::from).ok_or_else(wrong),
    }
}

fn random(_runtime: &mut dyn Runtime, mut args: Args) -> Result<Value> {
    // Python's function has the environment as its first argument.
    args.positional.insert(0, Value::None);
    let [_, end, start, step, seed] =
        args.bind("rand", ["environment", "end", "start", "step", "seed"], 2)?;
    let end = known(end)?;
    for value in [&start, &step, &seed] {
        if let Some(Value::Undefined(undefined)) = value {
            return Err(undefined.error());
        }
    }
    let mut source = Source::of(seed)?;
    let whole = match &end {
        Value::Big(number) => Some(number.as_ref().clone()),
        other => other.as_i64().map(BigInt::from),
    };
    if let Some(end) = whole {
        return in_range(&mut source, &end, start, step);
    }
    if !matches!(
        end,
        Value::Str(_)
            | Value::List(_)
            | Value::Tuple(_)
            | Value::Range(..)
            | Value::Object(_)
            | Value::Dict(_)
    ) {
        return Err(failed("random can only be used on sequences and integers"));
    }
    if start.is_some_and(|s| s.truth()) || step.is_some_and(|s| s.truth()) {
        return Err(failed(
            "start and step can only be used with integer values",
        ));
    }
    if let Value::Dict(dict) = &end {
        // Python takes it for a sequence, and asks it for a key that is a number.
        if dict.is_empty() {
            return Err(failed("Cannot choose from an empty sequence"));
        }
        let at = Value::from(source.below(dict.len() as u64));
        let key = Key::new(at.clone())?;
        return dict.get_key(&key).ok_or_else(|| failed(at.to_str()));
    }
    let all: Vec<Value> = end.items()?.collect();
    if all.is_empty() {
        return Err(failed("Cannot choose from an empty sequence"));
    }
    let at = source.below(all.len() as u64) as usize;
    Ok(all[at].clone())
}

/// Picks a number as `randrange()` does.
fn in_range(
    source: &mut Source,
    end: &BigInt,
    start: Option<Value>,
    step: Option<Value>,
) -> Result<Value> {
    let start = integer(start, 0, "arg 1")?;
    let step = integer(step, 1, "step")?;
    let span = end - &start;
    let one = BigInt::from(1);
    if step == one && span < one {
        return Err(Error::value_error(format!(
            "empty range for randrange() ({start}, {end}, {span})"
        )));
    }
    let away = BigInt::from(if step > BigInt::from(0) { -1 } else { 1 });
    let count: BigInt = (&span + &step + away).div_floor(&step);
    if count < one {
        return Err(Error::value_error("empty range for randrange()"));
    }
    let at = source.below_big(count.magnitude());
    Ok(Value::from_big(start + step * BigInt::from(at)))
}

fn shuffle(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, seed] = args.bind("randomize_list", ["mylist", "seed"], 1)?;
    let value = known(value)?;
    let Ok(items) = value.items() else {
        return Ok(value);
    };
    let mut all: Vec<Value> = items.collect();
    let mut source = Source::of(seed.filter(Value::truth))?;
    for last in (1..all.len()).rev() {
        let other = source.below(last as u64 + 1) as usize;
        all.swap(last, other);
    }
    Ok(Value::list(all))
}

/// Refuses a seed of a type that Python doesn't take.
pub(in crate::template) fn bad_seed(seed: &Value) -> Error {
    let kind = seed.type_name();
    Error::type_error(
        "The only supported seed types are: None,\nint, float, str, bytes, and bytearray.",
    )
    .help(format!("the seed is of type `{kind}`"))
}
