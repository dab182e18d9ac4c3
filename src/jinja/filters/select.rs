//! Filters that choose, read and group.

use super::{folded, known, read, sorted};
use crate::diag::{Error, Result};
use crate::jinja::Row;
use crate::jinja::methods;
use crate::value::{Args, Runtime, Undefined, Value};

/// The family.
pub(super) static TABLE: &[Row] = &[
    Row::new(
        "attr",
        attr,
        "Reads an attribute by name.",
        "{'a': 1} | attr('items') is callable => True",
    ),
    Row::new(
        "d",
        default,
        "Stands in for what doesn't exist.",
        "nope | d(1) => 1",
    ),
    Row::new(
        "default",
        default,
        "Stands in for what doesn't exist.",
        "'' | default(1, true) => 1",
    ),
    Row::new(
        "map",
        map,
        "Applies a filter, or reads an attribute, of each item.",
        "['a'] | map('upper') | list => ['A']",
    ),
    Row::new(
        "reject",
        |r, a| select(r, a, false, false),
        "Drops items that pass a test.",
        "[1, 2] | reject('odd') | list => [2]",
    ),
    Row::new(
        "rejectattr",
        |r, a| select(r, a, false, true),
        "Drops items whose attribute passes a test.",
        "[{'a': 0}] | rejectattr('a') | list => [{'a': 0}]",
    ),
    Row::new(
        "select",
        |r, a| select(r, a, true, false),
        "Keeps items that pass a test.",
        "[0, 1] | select | list => [1]",
    ),
    Row::new(
        "selectattr",
        |r, a| select(r, a, true, true),
        "Keeps items whose attribute passes a test.",
        "[{'a': 1}] | selectattr('a', 'eq', 1) | list => [{'a': 1}]",
    ),
    Row::new(
        "groupby",
        group_by,
        "Groups items by an attribute.",
        "[{'a': 1}] | groupby('a') | length => 1",
    ),
];

fn attr(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, name] = args.bind("do_attr", ["obj", "name"], 2)?;
    let (value, name) = (value.unwrap_or(Value::None), known(name)?.to_str());
    // Attributes only, never items.
    match &value {
        Value::Dict(_) if !methods::exists(&value, &name) => Ok(Value::undefined(Undefined::hint(
            format!("object of type 'dict' has no attribute '{name}'"),
        ))),
        _ => runtime.attribute(&value, &name),
    }
}

fn default(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, default, boolean] =
        args.bind("do_default", ["value", "default_value", "boolean"], 1)?;
    let default = default.unwrap_or_else(|| Value::str(""));
    let boolean = boolean.is_some_and(|value| value.truth());
    match value.unwrap_or(Value::None) {
        // What exists and can't be rendered is no case for a default.
        Value::Undefined(undefined) if !undefined.is_missing() => Err(undefined.error()),
        Value::Undefined(_) => Ok(default),
        value if boolean && !value.truth() => Ok(default),
        value => Ok(value),
    }
}

fn map(runtime: &mut dyn Runtime, mut args: Args) -> Result<Value> {
    if args.positional.is_empty() {
        return Err(Error::type_error("a filter needs a value"));
    }
    let value = known(Some(args.positional.remove(0)))?;
    let items = items_of(&value)?;
    let mut out = Vec::with_capacity(items.len());
    if args.positional.is_empty()
        && let Some(attribute) = args.take("attribute")
    {
        let default = args.take("default");
        if let Some((name, _)) = args.keyword.first() {
            return Err(Error::runtime(format!(
                "Unexpected keyword argument '{name}'"
            )));
        }
        for item in items {
            out.push(read(runtime, &item, &attribute, default.as_ref())?);
        }
        return Ok(Value::list(out));
    }
    if args.positional.is_empty() {
        return Err(Error::runtime("map requires a filter argument"));
    }
    let name = args.positional.remove(0).to_str();
    for item in items {
        out.push(runtime.filter(&name, args.after(item))?);
    }
    Ok(Value::list(out))
}

fn select(
    runtime: &mut dyn Runtime,
    mut args: Args,
    keep: bool,
    by_attribute: bool,
) -> Result<Value> {
    if args.positional.is_empty() {
        return Err(Error::type_error("a filter needs a value"));
    }
    let value = known(Some(args.positional.remove(0)))?;
    let attribute = if by_attribute {
        if args.positional.is_empty() {
            return Err(Error::runtime("Missing parameter for attribute name"));
        }
        Some(args.positional.remove(0))
    } else {
        None
    };
    let test = if args.positional.is_empty() {
        None
    } else {
        Some(args.positional.remove(0).to_str())
    };
    let mut out = Vec::new();
    for item in items_of(&value)? {
        let tested = match &attribute {
            Some(path) => read(runtime, &item, path, None)?,
            None => item.clone(),
        };
        let passes = match &test {
            Some(name) => runtime.test(name, args.after(tested))?,
            None => match tested {
                Value::Undefined(undefined) if !undefined.is_lenient() => {
                    return Err(undefined.error());
                }
                value => value.truth(),
            },
        };
        if passes == keep {
            out.push(item);
        }
    }
    Ok(Value::list(out))
}

/// Returns what `map` and `select` go through: nothing in all that is false, such as `None`.
fn items_of(value: &Value) -> Result<Vec<Value>> {
    if value.truth() {
        Ok(value.items()?.collect())
    } else {
        Ok(Vec::new())
    }
}

fn group_by(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, attribute, default, case] = args.bind(
        "do_groupby",
        ["value", "attribute", "default", "case_sensitive"],
        2,
    )?;
    let attribute = known(attribute)?;
    let case = case.is_some_and(|v| v.truth());
    let mut pairs = Vec::new();
    for item in known(value)?.items()? {
        let by = read(runtime, &item, &attribute, default.as_ref())?;
        if let Value::Undefined(undefined) = &by
            && !undefined.is_lenient()
        {
            return Err(undefined.error());
        }
        pairs.push((folded(&by, case), Value::tuple(vec![by, item])));
    }
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for pair in sorted(pairs, false)? {
        let Value::Tuple(pair) = pair else { continue };
        match groups.last_mut() {
            Some((by, items)) if folded(by, case) == folded(&pair[0], case) => {
                items.push(pair[1].clone());
            }
            _ => groups.push((pair[0].clone(), vec![pair[1].clone()])),
        }
    }
    Ok(Value::list(
        groups
            .into_iter()
            .map(|(by, items)| Value::Object(std::rc::Rc::new(Group { by, items })))
            .collect(),
    ))
}

/// A group of `groupby`: a pair with names.
struct Group {
    by: Value,
    items: Vec<Value>,
}

impl crate::value::Object for Group {
    fn type_name(&self) -> &'static str {
        "_GroupTuple"
    }

    fn repr(&self) -> String {
        Value::tuple(vec![self.by.clone(), Value::list(self.items.clone())]).repr()
    }

    fn len(&self) -> Option<usize> {
        Some(2)
    }

    fn attribute(&self, _runtime: &mut dyn Runtime, name: &str) -> Result<Option<Value>> {
        Ok(match name {
            "grouper" => Some(self.by.clone()),
            "list" => Some(Value::list(self.items.clone())),
            _ => None,
        })
    }

    fn item(&self, _runtime: &mut dyn Runtime, key: &Value) -> Result<Option<Value>> {
        Ok(match key.as_i64() {
            Some(0 | -2) => Some(self.by.clone()),
            Some(1 | -1) => Some(Value::list(self.items.clone())),
            _ => None,
        })
    }

    fn iterate(&self) -> Option<Vec<Value>> {
        Some(vec![self.by.clone(), Value::list(self.items.clone())])
    }
}
