//! Evaluates `JMESPath` expressions over Python's values: dicts keep their order, integers their size.
//!
//! The crate `jmespath` parses; its own values have neither.
//!
//! **Source:** <https://jmespath.org/specification.html>; the words are those of Python's jmespath 1.1.

use std::cmp::Ordering;

use jmespath::Variable;
use jmespath::ast::{Ast, Comparator};
use num_traits::ToPrimitive;

use crate::diag::{Error, Kind, Result};
use crate::value::ops::{Operator, apply};
use crate::value::{Dict, JsonStyle, Key, MAX_DEPTH, Value, from_json_text};

/// The key that a number has in the crate's values, where numbers may be of any size.
const NUMBER: &str = "$serde_json::private::Number";

/// Evaluates an expression.
pub(super) fn search(ast: &Ast, data: &Value) -> Result<Value> {
    eval(ast, data, 0)
}

fn failed(message: impl Into<String>) -> Error {
    Error::new(Kind::Filter, message)
}

fn eval(ast: &Ast, data: &Value, depth: usize) -> Result<Value> {
    if depth > MAX_DEPTH {
        return Err(failed("the expression is nested too deeply"));
    }
    let inner = |ast: &Ast, data: &Value| eval(ast, data, depth + 1);
    Ok(match ast {
        Ast::Identity { .. } => data.clone(),
        Ast::Field { name, .. } => data.get(name).unwrap_or(Value::None),
        Ast::Literal { value, .. } => literal(value),
        Ast::Index { idx, .. } => match data {
            Value::List(list) => at(&list.to_vec(), i64::from(*idx)),
            _ => Value::None,
        },
        Ast::Slice {
            start, stop, step, ..
        } => match data {
            Value::List(list) => Value::list(slice(&list.to_vec(), *start, *stop, *step)),
            _ => Value::None,
        },
        Ast::Subexpr { lhs, rhs, .. } => inner(rhs, &inner(lhs, data)?)?,
        Ast::Comparison {
            comparator,
            lhs,
            rhs,
            ..
        } => compare(comparator, &inner(lhs, data)?, &inner(rhs, data)?),
        Ast::Condition {
            predicate, then, ..
        } => {
            if truth(&inner(predicate, data)?) {
                inner(then, data)?
            } else {
                Value::None
            }
        }
        Ast::Expref { .. } => return Err(failed("an expression reference is no value")),
        Ast::Flatten { node, .. } => match inner(node, data)? {
            Value::List(list) => Value::list(
                list.to_vec()
                    .into_iter()
                    .flat_map(|item| match item {
                        Value::List(inner) => inner.to_vec(),
                        other => vec![other],
                    })
                    .collect(),
            ),
            _ => Value::None,
        },
        Ast::Function { name, args, .. } => function(name, args, data, depth + 1)?,
        Ast::MultiList { .. } | Ast::MultiHash { .. } if data.is_none() => Value::None,
        Ast::MultiList { elements, .. } => Value::list(
            elements
                .iter()
                .map(|element| inner(element, data))
                .collect::<Result<_>>()?,
        ),
        Ast::MultiHash { elements, .. } => {
            let made = Dict::new();
            for pair in elements {
                made.set(&pair.key, inner(&pair.value, data)?);
            }
            Value::Dict(made)
        }
        Ast::Not { node, .. } => Value::Bool(!truth(&inner(node, data)?)),
        Ast::Projection { lhs, rhs, .. } => match inner(lhs, data)? {
            Value::List(list) => {
                let mut out = Vec::new();
                for item in list.to_vec() {
                    let made = inner(rhs, &item)?;
                    if !made.is_none() {
                        out.push(made);
                    }
                }
                Value::list(out)
            }
            _ => Value::None,
        },
        Ast::ObjectValues { node, .. } => match inner(node, data)? {
            Value::Dict(dict) => {
                Value::list(dict.to_vec().into_iter().map(|(_, value)| value).collect())
            }
            _ => Value::None,
        },
        Ast::And { lhs, rhs, .. } => {
            let left = inner(lhs, data)?;
            if truth(&left) {
                inner(rhs, data)?
            } else {
                left
            }
        }
        Ast::Or { lhs, rhs, .. } => {
            let left = inner(lhs, data)?;
            if truth(&left) {
                left
            } else {
                inner(rhs, data)?
            }
        }
    })
}

/// Turns a literal of the crate into a value.
fn literal(value: &Variable) -> Value {
    match value {
        Variable::Null | Variable::Expref(_) => Value::None,
        Variable::Bool(flag) => Value::Bool(*flag),
        Variable::String(text) => Value::str(text),
        Variable::Number(number) => from_json_text(&number.to_string()).unwrap_or(Value::None),
        Variable::Array(items) => Value::list(items.iter().map(|item| literal(item)).collect()),
        Variable::Object(pairs) => {
            if let (1, Some(number)) = (pairs.len(), pairs.get(NUMBER))
                && let Variable::String(text) = &**number
            {
                return from_json_text(text).unwrap_or(Value::None);
            }
            Value::dict(pairs.iter().map(|(key, item)| (key, literal(item))))
        }
    }
}

/// What is nothing, empty or false is false; no number is.
fn truth(value: &Value) -> bool {
    match value {
        Value::Int(_) | Value::Big(_) | Value::Float(_) => true,
        other => other.truth(),
    }
}

fn is_number(value: &Value) -> bool {
    matches!(value, Value::Int(_) | Value::Big(_) | Value::Float(_))
}

fn compare(comparator: &Comparator, left: &Value, right: &Value) -> Value {
    // Booleans are no numbers here.
    let equal =
        || left == right && matches!(left, Value::Bool(_)) == matches!(right, Value::Bool(_));
    let order = match comparator {
        Comparator::Equal => return Value::Bool(equal()),
        Comparator::NotEqual => return Value::Bool(!equal()),
        _ if !is_number(left) || !is_number(right) => return Value::None,
        _ => left.order(right, "<").ok().flatten(),
    };
    let Some(order) = order else {
        return Value::Bool(false);
    };
    Value::Bool(match comparator {
        Comparator::LessThan => order == Ordering::Less,
        Comparator::LessThanEqual => order != Ordering::Greater,
        Comparator::GreaterThan => order == Ordering::Greater,
        _ => order != Ordering::Less,
    })
}

fn at(items: &[Value], index: i64) -> Value {
    let index = if index < 0 {
        index + items.len() as i64
    } else {
        index
    };
    usize::try_from(index)
        .ok()
        .and_then(|index| items.get(index).cloned())
        .unwrap_or(Value::None)
}

fn slice(items: &[Value], start: Option<i32>, stop: Option<i32>, step: i32) -> Vec<Value> {
    let count = items.len() as i64;
    let step = i64::from(step);
    if step == 0 {
        return Vec::new();
    }
    let (least, most) = if step > 0 {
        (0, count)
    } else {
        (-1, count - 1)
    };
    let bound = |given: Option<i32>, default: i64| match given {
        None => default,
        Some(given) if given < 0 => (i64::from(given) + count).clamp(least, most),
        Some(given) => i64::from(given).clamp(least, most),
    };
    let (first, last) = if step > 0 {
        (0, count)
    } else {
        (count - 1, -1)
    };
    let (mut index, stop) = (bound(start, first), bound(stop, last));
    let mut out = Vec::new();
    while (step > 0 && index < stop) || (step < 0 && index > stop) {
        out.push(at(items, index));
        index += step;
    }
    out
}

/// Returns `JMESPath`'s name of a value's type.
fn type_name(value: &Value) -> &'static str {
    match value {
        Value::None => "null",
        Value::Bool(_) => "boolean",
        Value::Str(_) => "string",
        Value::List(_) | Value::Tuple(_) => "array",
        Value::Dict(_) => "object",
        other if is_number(other) => "number",
        _ => "unknown",
    }
}

/// Says that an argument is of a wrong type.
fn wrong(function: &str, value: &Value, wanted: &[&str]) -> Error {
    let wanted = Value::list(wanted.iter().map(Value::str).collect());
    failed(format!(
        "In function {function}(), invalid type for value: {}, expected one of: {}, received: \"{}\"",
        value.to_str(),
        wanted.repr(),
        type_name(value)
    ))
}

/// The functions, with how few and how many arguments they take.
const FUNCTIONS: &[(&str, usize, usize)] = &[
    ("abs", 1, 1),
    ("avg", 1, 1),
    ("ceil", 1, 1),
    ("contains", 2, 2),
    ("ends_with", 2, 2),
    ("floor", 1, 1),
    ("join", 2, 2),
    ("keys", 1, 1),
    ("length", 1, 1),
    ("map", 2, 2),
    ("max", 1, 1),
    ("max_by", 2, 2),
    ("merge", 0, usize::MAX),
    ("min", 1, 1),
    ("min_by", 2, 2),
    ("not_null", 1, usize::MAX),
    ("reverse", 1, 1),
    ("sort", 1, 1),
    ("sort_by", 2, 2),
    ("starts_with", 2, 2),
    ("sum", 1, 1),
    ("to_array", 1, 1),
    ("to_number", 1, 1),
    ("to_string", 1, 1),
    ("type", 1, 1),
    ("values", 1, 1),
];

/// Calls of a function: its name, its arguments, what it is called on.
struct Call<'a> {
    name: &'a str,
    args: &'a [Ast],
    data: &'a Value,
    depth: usize,
}

fn function(name: &str, args: &[Ast], data: &Value, depth: usize) -> Result<Value> {
    let Some((_, least, most)) = FUNCTIONS.iter().find(|(known, ..)| *known == name) else {
        return Err(failed(format!("Unknown function: {name}()")));
    };
    if args.len() < *least || args.len() > *most {
        let at_least = if least == most { "" } else { "at least " };
        let plural = if *least == 1 { "" } else { "s" };
        return Err(failed(format!(
            "Expected {at_least}{least} argument{plural} for function {name}(), received {}",
            args.len()
        )));
    }
    let call = Call {
        name,
        args,
        data,
        depth,
    };
    match name {
        "map" | "sort_by" | "max_by" | "min_by" => call.by_expression(),
        "merge" => {
            let made = Dict::new();
            for index in 0..args.len() {
                let Value::Dict(dict) = call.of(index, &["object"])? else {
                    continue;
                };
                for (key, value) in dict.to_vec() {
                    made.set_key(key, value);
                }
            }
            Ok(Value::Dict(made))
        }
        "not_null" => {
            for index in 0..args.len() {
                let value = call.value(index)?;
                if !value.is_none() {
                    return Ok(value);
                }
            }
            Ok(Value::None)
        }
        "contains" | "starts_with" | "ends_with" | "join" => call.of_two(),
        "abs" | "ceil" | "floor" => call.of_number(),
        "avg" | "sum" | "max" | "min" | "sort" | "reverse" => call.of_array(),
        _ => call.of_any(),
    }
}

impl Call<'_> {
    fn value(&self, index: usize) -> Result<Value> {
        eval(&self.args[index], self.data, self.depth)
    }

    /// Returns an argument of one of some types.
    fn of(&self, index: usize, wanted: &[&str]) -> Result<Value> {
        let value = self.value(index)?;
        if wanted.contains(&type_name(&value)) {
            Ok(value)
        } else {
            Err(wrong(self.name, &value, wanted))
        }
    }

    fn items(&self, index: usize, wanted: &[&str]) -> Result<Vec<Value>> {
        match self.of(index, wanted)? {
            Value::List(list) => Ok(list.to_vec()),
            other => Ok(other.items()?.collect()),
        }
    }

    fn of_number(&self) -> Result<Value> {
        let value = self.of(0, &["number"])?;
        let whole = |number: f64| num_bigint::BigInt::from(number.to_i128().unwrap_or_default());
        Ok(match (self.name, &value) {
            ("abs", Value::Float(number)) => Value::Float(number.abs()),
            ("abs", number) => match number.order(&Value::Int(0), "<")? {
                Some(Ordering::Less) => crate::value::ops::negate(number)?,
                _ => number.clone(),
            },
            ("ceil", Value::Float(number)) => Value::from_big(whole(number.ceil())),
            (_, Value::Float(number)) => Value::from_big(whole(number.floor())),
            _ => value,
        })
    }

    fn of_array(&self) -> Result<Value> {
        if self.name == "reverse" {
            return Ok(match self.of(0, &["string", "array"])? {
                Value::Str(text) => Value::str(text.chars().rev().collect::<String>()),
                other => {
                    let mut items: Vec<Value> = other.items()?.collect();
                    items.reverse();
                    Value::list(items)
                }
            });
        }
        let items = self.items(0, &["array"])?;
        let wanted: &[&str] = match self.name {
            "avg" | "sum" => &["number"],
            _ => match items.first().map(type_name) {
                Some("string") => &["string"],
                Some("number") => &["number"],
                _ => &["number", "string"],
            },
        };
        if let Some(strange) = items.iter().find(|item| !wanted.contains(&type_name(item))) {
            return Err(wrong(self.name, strange, wanted));
        }
        let sum = |items: &[Value]| {
            items
                .iter()
                .try_fold(Value::Int(0), |sum, item| apply(Operator::Add, &sum, item))
        };
        match self.name {
            "sum" => sum(&items),
            "avg" if items.is_empty() => Ok(Value::None),
            "avg" => apply(Operator::Div, &sum(&items)?, &Value::from(items.len())),
            name => {
                let mut keyed: Vec<(Value, Value)> =
                    items.into_iter().map(|item| (item.clone(), item)).collect();
                ordered(&mut keyed);
                Ok(picked(name, keyed))
            }
        }
    }

    fn by_expression(&self) -> Result<Value> {
        let (at, over) = if self.name == "map" { (0, 1) } else { (1, 0) };
        let Ast::Expref { ast, .. } = &self.args[at] else {
            return Err(wrong(self.name, &self.value(at)?, &["expref"]));
        };
        let items = self.items(over, &["array"])?;
        let mut keyed = Vec::new();
        for item in items {
            keyed.push((eval(ast, &item, self.depth)?, item));
        }
        if self.name == "map" {
            return Ok(Value::list(keyed.into_iter().map(|(key, _)| key).collect()));
        }
        let wanted: &[&str] = match keyed.first().map(|(key, _)| type_name(key)) {
            Some("string") => &["string"],
            Some("number") => &["number"],
            _ => &["number", "string"],
        };
        if let Some((key, _)) = keyed
            .iter()
            .find(|(key, _)| !wanted.contains(&type_name(key)))
        {
            return Err(wrong(self.name, key, wanted));
        }
        ordered(&mut keyed);
        Ok(picked(self.name.trim_end_matches("_by"), keyed))
    }

    fn of_two(&self) -> Result<Value> {
        Ok(match self.name {
            "contains" => {
                let within = self.of(0, &["array", "string"])?;
                let wanted = self.value(1)?;
                Value::Bool(match &within {
                    Value::Str(text) => wanted.as_str().is_some_and(|part| text.contains(part)),
                    other => other.items()?.any(|item| item == wanted),
                })
            }
            "join" => {
                let glue = self.of(0, &["string"])?.to_str();
                let items = self.items(1, &["array"])?;
                if let Some(strange) = items.iter().find(|item| type_name(item) != "string") {
                    return Err(wrong("join", strange, &["string"]));
                }
                let items: Vec<String> = items.iter().map(Value::to_str).collect();
                Value::from(items.join(&glue))
            }
            name => {
                let text = self.of(0, &["string"])?.to_str();
                let part = self.of(1, &["string"])?.to_str();
                Value::Bool(if name == "starts_with" {
                    text.starts_with(&part)
                } else {
                    text.ends_with(&part)
                })
            }
        })
    }

    fn of_any(&self) -> Result<Value> {
        Ok(match self.name {
            "keys" | "values" => match self.of(0, &["object"])? {
                Value::Dict(dict) => {
                    let pairs = dict.to_vec().into_iter();
                    Value::list(if self.name == "keys" {
                        pairs
                            .map(|(key, _): (Key, Value)| key.into_value())
                            .collect()
                    } else {
                        pairs.map(|(_, value)| value).collect()
                    })
                }
                _ => Value::None,
            },
            "length" => {
                let value = self.of(0, &["string", "array", "object"])?;
                Value::from(value.len().unwrap_or(0))
            }
            "type" => Value::str(type_name(&self.value(0)?)),
            "to_array" => match self.value(0)? {
                list @ Value::List(_) => list,
                other => Value::list(vec![other]),
            },
            "to_number" => match self.value(0)? {
                Value::Str(text) => crate::value::ops::to_integer(&Value::Str(text.clone()), 10)
                    .or_else(|| text.trim().parse().ok().map(Value::Float))
                    .unwrap_or(Value::None),
                number if is_number(&number) => number,
                _ => Value::None,
            },
            _ => match self.value(0)? {
                text @ Value::Str(_) => text,
                other => Value::from(other.to_json(&JsonStyle {
                    item_separator: ",",
                    key_separator: ":",
                    ..JsonStyle::default()
                })?),
            },
        })
    }
}

/// Sorts by keys that are all numbers or all texts.
fn ordered(keyed: &mut [(Value, Value)]) {
    keyed.sort_by(|a, b| {
        let order = a.0.order(&b.0, "<").ok().flatten();
        order.unwrap_or(Ordering::Equal)
    });
}

/// Returns what `sort`, `min` and `max` give of sorted items; the first of equal ones.
fn picked(name: &str, keyed: Vec<(Value, Value)>) -> Value {
    match name {
        "min" => keyed
            .into_iter()
            .next()
            .map_or(Value::None, |(_, item)| item),
        "max" => {
            let most = keyed.last().map(|(key, _)| key.clone());
            keyed
                .into_iter()
                .find(|(key, _)| Some(key) == most.as_ref())
                .map_or(Value::None, |(_, item)| item)
        }
        _ => Value::list(keyed.into_iter().map(|(_, item)| item).collect()),
    }
}
