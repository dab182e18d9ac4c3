//! Jinja2's own global functions.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;

use super::objects::{Cycler, Joiner, Namespace};
use crate::diag::{Error, Kind, Result};
use crate::value::{Args, Dict, Function, Key, Runtime, Value};

/// How many items `range` may have; what makes them all has a limit of its own.
const MAX_RANGE: usize = 1 << 40;

pub(super) fn all() -> HashMap<String, Value> {
    let functions: [(&'static str, Function); 6] = [
        ("range", range),
        ("dict", dict),
        ("namespace", namespace),
        ("cycler", cycler),
        ("joiner", joiner),
        ("lipsum", lipsum),
    ];
    functions
        .into_iter()
        .map(|(name, function)| {
            let made = match name {
                "lipsum" => Value::function(name, function),
                class => Value::class(class, function),
            };
            (name.to_owned(), made)
        })
        .collect()
}

fn range(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let mut numbers = Vec::new();
    for value in &args.positional {
        if let Value::Undefined(undefined) = value {
            return Err(undefined.error());
        }
        numbers.push(value.as_i64().ok_or_else(|| {
            Error::type_error(format!(
                "'{}' object cannot be interpreted as an integer",
                value.type_name()
            ))
        })?);
    }
    let (start, stop, step) = match numbers[..] {
        [stop] => (0, stop, 1),
        [start, stop] => (start, stop, 1),
        [start, stop, step] => (start, stop, step),
        _ => {
            return Err(Error::type_error(match numbers.len() {
                0 => "range expected at least 1 argument, got 0".to_owned(),
                given => format!("range expected at most 3 arguments, got {given}"),
            }));
        }
    };
    if step == 0 {
        return Err(Error::value_error("range() arg 3 must not be zero"));
    }
    let made = Value::Range(start, stop, step);
    if made.len().unwrap_or(0) > MAX_RANGE {
        return Err(Error::new(
            Kind::Arithmetic,
            format!(
                "Range too big. The sandbox blocks ranges larger than MAX_RANGE ({MAX_RANGE})."
            ),
        ));
    }
    Ok(made)
}

fn dict(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let made = Dict::new();
    if let Some(first) = args.positional.first() {
        fill(&made, first)?;
    }
    for (key, value) in args.keyword {
        made.set(key, value);
    }
    Ok(Value::Dict(made))
}

/// Fills a dict from a mapping or from pairs.
pub(super) fn fill(made: &Dict, from: &Value) -> Result<()> {
    match from {
        Value::Dict(dict) => {
            for (key, value) in dict.to_vec() {
                made.set_key(key, value);
            }
        }
        other => {
            for (index, pair) in other.items()?.enumerate() {
                let items: Vec<Value> = pair
                    .items()
                    .map_err(|_| {
                        Error::type_error(format!(
                            "cannot convert dictionary update sequence element #{index} to a sequence"
                        ))
                    })?
                    .collect();
                let [key, value] = &items[..] else {
                    return Err(Error::value_error(format!(
                        "dictionary update sequence element #{index} has length {}; 2 is required",
                        items.len()
                    )));
                };
                made.set_key(Key::new(key.clone())?, value.clone());
            }
        }
    }
    Ok(())
}

fn namespace(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    match dict(runtime, args)? {
        Value::Dict(dict) => Ok(Value::Object(Rc::new(Namespace(dict)))),
        other => Ok(other),
    }
}

fn cycler(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    if args.positional.is_empty() {
        return Err(Error::runtime("at least one item has to be provided"));
    }
    Ok(Value::Object(Rc::new(Cycler {
        items: args.positional,
        at: Cell::new(0),
    })))
}

fn joiner(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [separator] = args.bind("joiner", ["sep"], 0)?;
    let separator = separator.unwrap_or_else(|| Value::str(", "));
    Ok(Value::Object(Rc::new(Joiner {
        separator,
        used: Cell::new(false),
    })))
}

/// Words of filler text.
const WORDS: [&str; 24] = [
    "ante", "arcu", "augue", "blandit", "congue", "cras", "diam", "donec", "elit", "erat", "felis",
    "fusce", "lacus", "lectus", "massa", "mauris", "nibh", "nulla", "odio", "purus", "sem",
    "tellus", "urna", "velit",
];

/// `lipsum(n=5, html=true, min=20, max=100)`: filler text of so many paragraphs.
fn lipsum(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    use rand::RngExt;
    let [n, html, min, max] = args.bind("generate_lorem_ipsum", ["n", "html", "min", "max"], 0)?;
    let number = |value: Option<Value>, default: i64| {
        value
            .and_then(|v| v.as_i64())
            .unwrap_or(default)
            .clamp(0, 10_000) as usize
    };
    let (paragraphs, min, max) = (number(n, 5), number(min, 20), number(max, 100));
    let html = html.is_none_or(|html| html.truth());
    let mut rng = rand::rng();
    let mut out = Vec::new();
    for _ in 0..paragraphs {
        let count = rng.random_range(min..max.max(min + 1));
        let mut text = String::new();
        for at in 0..count {
            let word = WORDS[rng.random_range(0..WORDS.len())];
            text.push_str(if at > 0 { " " } else { "" });
            if at == 0 {
                text.push_str(&super::methods::capitalize(word));
            } else {
                text.push_str(word);
            }
        }
        text.push('.');
        out.push(if html { format!("<p>{text}</p>") } else { text });
    }
    let text = out.join(if html { "\n" } else { "\n\n" });
    Ok(Value::Str(crate::value::Str::new(text).with_markup(html)))
}
