//! Tests of data.

use super::{first, tested};
use crate::diag::Result;
use crate::jinja::Row;
use crate::value::{Args, Key, Runtime, Value};

pub(super) static TABLE: &[Row] = &[
    Row::new(
        "subset",
        |_, a| subset(a, false),
        "Is contained in a list.",
        "[1] is subset([1, 2]) => True",
    ),
    Row::new(
        "superset",
        |_, a| subset(a, true),
        "Contains a list.",
        "[1, 2] is superset([1]) => True",
    ),
    Row::new(
        "issubset",
        |_, a| subset(a, false),
        "Is contained in a list.",
        "[1] is issubset([1, 2]) => True",
    ),
    Row::new(
        "issuperset",
        |_, a| subset(a, true),
        "Contains a list.",
        "[1, 2] is issuperset([1]) => True",
    ),
    Row::new(
        "contains",
        contains,
        "Contains an item.",
        "[1, 2] is contains(1) => True",
    ),
    Row::new(
        "all",
        |_, a| quantified(a, true),
        "All items are true.",
        "[1, 0] is all => False",
    ),
    Row::new(
        "any",
        |_, a| quantified(a, false),
        "Some item is true.",
        "[1, 0] is any => True",
    ),
    Row::new(
        "truthy",
        truthy,
        "Is true in Python's sense.",
        "'a' is truthy => True",
    ),
    Row::new(
        "falsy",
        |r, a| truthy(r, a).map(|v| Value::Bool(!v.truth())),
        "Is false in Python's sense.",
        "'' is falsy => True",
    ),
    Row::new(
        "vault_encrypted",
        vault_encrypted,
        "Comes out of a value that is encrypted with vault.",
        "'a' is vault_encrypted => False",
    ),
    Row::new("nan", nan, "Is not a number.", "1 is nan => False"),
    Row::new("isnan", nan, "Is not a number.", "1 is isnan => False"),
    Row::new(
        "uri",
        |_, a| uri(a, false),
        "Is a URI.",
        "'mailto:a@b' is uri => True",
    ),
    Row::new(
        "url",
        |_, a| uri(a, true),
        "Is a URL: a URI with a host.",
        "'http://a/b' is url => True",
    ),
    Row::new(
        "urn",
        |_, a| {
            let text = tested(a)?.to_str();
            Ok(Value::Bool(text.to_lowercase().starts_with("urn:")))
        },
        "Is a URN.",
        "'urn:isbn:1' is urn => True",
    ),
];

fn vault_encrypted(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    // What can't be opened is encrypted, too.
    if let Some(Value::Undefined(undefined)) = args.positional.first()
        && undefined.error().kind() == crate::diag::Kind::Vault
    {
        return Ok(Value::Bool(true));
    }
    let value = first(args)?;
    let templar = crate::template::lookups::templar(runtime)?;
    Ok(Value::Bool(templar.envelope(&value).is_some()))
}

fn subset(args: Args, turned: bool) -> Result<Value> {
    let [a, b] = args.bind("subset", ["a", "b"], 2)?;
    let items = |value: Option<Value>| -> Result<Vec<Value>> {
        Ok(value.unwrap_or(Value::None).items()?.collect())
    };
    let (a, b) = (items(a)?, items(b)?);
    for item in a.iter().chain(&b) {
        Key::new(item.clone())?;
    }
    let (inner, outer) = if turned { (b, a) } else { (a, b) };
    Ok(Value::Bool(inner.iter().all(|item| outer.contains(item))))
}

fn contains(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [container, item] = args.bind("contains", ["a", "b"], 2)?;
    crate::value::ops::contains(
        &container.unwrap_or(Value::None),
        &item.unwrap_or(Value::None),
    )
    .map(Value::Bool)
}

fn quantified(args: Args, all: bool) -> Result<Value> {
    let value = first(args)?;
    let mut items = value.items()?;
    Ok(Value::Bool(if all {
        items.all(|item| item.truth())
    } else {
        items.any(|item| item.truth())
    }))
}

fn truthy(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, convert] = args.bind("truthy", ["value", "convert_bool"], 1)?;
    let value = match value {
        Some(Value::Undefined(undefined)) if !undefined.is_testable() => {
            return Err(undefined.error());
        }
        value => value.unwrap_or(Value::None),
    };
    if convert.is_some_and(|c| c.truth())
        && let Some(converted) = crate::template::to_bool(&value)
    {
        return Ok(Value::Bool(converted));
    }
    Ok(Value::Bool(value.truth()))
}

fn uri(args: Args, needs_host: bool) -> Result<Value> {
    let [value, schemes] = args.bind("uri", ["value", "schemes"], 1)?;
    let value = match value {
        Some(Value::Undefined(undefined)) => return Err(undefined.error()),
        value => value.unwrap_or(Value::None),
    };
    let Value::Str(text) = &value else {
        return Ok(Value::Bool(false));
    };
    let (scheme, rest) = match text.split_once(':') {
        Some((scheme, rest))
            if scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) =>
        {
            (scheme.to_lowercase(), rest)
        }
        _ => (String::new(), text.as_str()),
    };
    let wanted: Option<Vec<String>> = match schemes.filter(|s| !s.is_none()) {
        None => None,
        Some(list) => Some(list.items()?.map(|s| s.to_str()).collect()),
    };
    let known = wanted.is_none_or(|wanted| wanted.contains(&scheme));
    let host = rest
        .strip_prefix("//")
        .is_some_and(|rest| !rest.split(['/', '?', '#']).next().unwrap_or("").is_empty());
    let is = if needs_host {
        !scheme.is_empty() && host
    } else {
        !text.is_empty()
    };
    Ok(Value::Bool(known && is))
}

fn nan(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    Ok(Value::Bool(first(args)?.as_f64().is_some_and(f64::is_nan)))
}
