//! Jinja2's own tests.

use super::Row;
use crate::diag::{Error, Result};
use crate::value::{Args, Runtime, Value, ops};

/// All tests.
pub static TABLE: &[Row] = &[
    Row::new(
        "boolean",
        |_, a| one(a, |v| matches!(v, Value::Bool(_))),
        "Is `true` or `false`.",
        "true is boolean => True",
    ),
    Row::new(
        "callable",
        |_, a| {
            one(a, |v| match v {
                Value::Object(object) => object.is_callable(),
                other => other.is_undefined(),
            })
        },
        "Can be called.",
        "range is callable => True",
    ),
    Row::new(
        "defined",
        |_, a| lenient(a, "test_defined", |v| !v.is_undefined()),
        "Exists.",
        "nope is defined => False",
    ),
    Row::new(
        "undefined",
        |_, a| lenient(a, "test_undefined", Value::is_undefined),
        "Doesn't exist.",
        "nope is undefined => True",
    ),
    Row::new(
        "divisibleby",
        divisible_by,
        "Divides without rest.",
        "9 is divisibleby 3 => True",
    ),
    Row::new(
        "eq",
        |_, a| compare(a, "=="),
        "Equals.",
        "1 is eq 1 => True",
    ),
    Row::new(
        "equalto",
        |_, a| compare(a, "=="),
        "Equals.",
        "1 is equalto 2 => False",
    ),
    Row::new(
        "==",
        |_, a| compare(a, "=="),
        "Equals.",
        "[1] | select('==', 1) | list => [1]",
    ),
    Row::new(
        "ne",
        |_, a| compare(a, "!="),
        "Differs.",
        "1 is ne 2 => True",
    ),
    Row::new(
        "!=",
        |_, a| compare(a, "!="),
        "Differs.",
        "[1] | select('!=', 1) | list => []",
    ),
    Row::new(
        "gt",
        |_, a| compare(a, ">"),
        "Is greater.",
        "2 is gt 1 => True",
    ),
    Row::new(
        "greaterthan",
        |_, a| compare(a, ">"),
        "Is greater.",
        "2 is greaterthan 1 => True",
    ),
    Row::new(
        ">",
        |_, a| compare(a, ">"),
        "Is greater.",
        "[1] | select('>', 0) | list => [1]",
    ),
    Row::new(
        "ge",
        |_, a| compare(a, ">="),
        "Is greater or equal.",
        "2 is ge 2 => True",
    ),
    Row::new(
        ">=",
        |_, a| compare(a, ">="),
        "Is greater or equal.",
        "[1] | select('>=', 1) | list => [1]",
    ),
    Row::new(
        "lt",
        |_, a| compare(a, "<"),
        "Is less.",
        "1 is lt 2 => True",
    ),
    Row::new(
        "lessthan",
        |_, a| compare(a, "<"),
        "Is less.",
        "1 is lessthan 2 => True",
    ),
    Row::new(
        "<",
        |_, a| compare(a, "<"),
        "Is less.",
        "[1] | select('<', 1) | list => []",
    ),
    Row::new(
        "le",
        |_, a| compare(a, "<="),
        "Is less or equal.",
        "1 is le 1 => True",
    ),
    Row::new(
        "<=",
        |_, a| compare(a, "<="),
        "Is less or equal.",
        "[1] | select('<=', 1) | list => [1]",
    ),
    Row::new(
        "escaped",
        |_, a| one(a, |v| matches!(v, Value::Str(s) if s.is_markup())),
        "Is markup.",
        "'a' is escaped => False",
    ),
    Row::new("even", |_, a| parity(a, 0), "Is even.", "2 is even => True"),
    Row::new("odd", |_, a| parity(a, 1), "Is odd.", "2 is odd => False"),
    Row::new(
        "false",
        |_, a| one(a, |v| matches!(v, Value::Bool(false))),
        "Is `false`.",
        "false is false => True",
    ),
    Row::new(
        "true",
        |_, a| one(a, |v| matches!(v, Value::Bool(true))),
        "Is `true`.",
        "1 is true => False",
    ),
    Row::new(
        "filter",
        filter_exists,
        "Names a filter.",
        "'upper' is filter => True",
    ),
    Row::new(
        "test",
        test_exists,
        "Names a test.",
        "'odd' is test => True",
    ),
    Row::new(
        "float",
        |_, a| one(a, |v| matches!(v, Value::Float(_))),
        "Is a float.",
        "1.0 is float => True",
    ),
    Row::new(
        "integer",
        |_, a| one(a, |v| matches!(v, Value::Int(_) | Value::Big(_))),
        "Is an integer.",
        "1 is integer => True",
    ),
    Row::new(
        "number",
        |_, a| one(a, Value::is_number),
        "Is a number.",
        "1.5 is number => True",
    ),
    Row::new("in", contained, "Is inside.", "1 is in [1, 2] => True"),
    Row::new(
        "iterable",
        |_, a| one(a, |v| v.items().is_ok()),
        "Can be iterated.",
        "[1] is iterable => True",
    ),
    Row::new(
        "lower",
        |_, a| one(a, |v| cased(v, char::is_lowercase, char::is_uppercase)),
        "Is lower case.",
        "'a' is lower => True",
    ),
    Row::new(
        "upper",
        |_, a| one(a, |v| cased(v, char::is_uppercase, char::is_lowercase)),
        "Is upper case.",
        "'a' is upper => False",
    ),
    Row::new(
        "mapping",
        |_, a| one(a, is_mapping),
        "Is a dict.",
        "{} is mapping => True",
    ),
    Row::new(
        "none",
        |_, a| one(a, Value::is_none),
        "Is `none`.",
        "none is none => True",
    ),
    Row::new(
        "sameas",
        same_as,
        "Is the same object.",
        "none is sameas none => True",
    ),
    Row::new(
        "sequence",
        |_, a| one(a, is_sequence),
        "Has a length and items.",
        "'ab' is sequence => True",
    ),
    Row::new(
        "string",
        |_, a| one(a, |v| matches!(v, Value::Str(_))),
        "Is text.",
        "'a' is string => True",
    ),
];

/// Applies a predicate to the tested value; an undefined one raises.
fn one(args: Args, test: fn(&Value) -> bool) -> Result<Value> {
    match args.positional.first() {
        Some(Value::Undefined(undefined)) if !undefined.is_testable() => Err(undefined.error()),
        Some(value) => Ok(Value::Bool(test(value))),
        None => Err(Error::type_error("a test needs a value")),
    }
}

/// Applies a predicate to the tested value, which may be undefined.
fn lenient(args: Args, name: &str, test: fn(&Value) -> bool) -> Result<Value> {
    let [value] = args.bind(name, ["value"], 1)?;
    match value {
        // A value whose rendering failed exists: what failed is said.
        Some(Value::Undefined(undefined)) if !undefined.is_missing() => Err(undefined.error()),
        Some(value) => Ok(Value::Bool(test(&value))),
        None => Err(Error::type_error("a test needs a value")),
    }
}

fn two(args: Args, name: &str) -> Result<[Value; 2]> {
    let [value, other] = args.bind(
        name,
        [
            "value",
            if name == "test_divisibleby" {
                "num"
            } else {
                "other"
            },
        ],
        2,
    )?;
    let pair = [value.unwrap_or(Value::None), other.unwrap_or(Value::None)];
    for one in &pair {
        if let Value::Undefined(undefined) = one
            && !undefined.is_lenient()
        {
            return Err(undefined.error());
        }
    }
    Ok(pair)
}

fn compare(args: Args, operator: &str) -> Result<Value> {
    let [left, right] = two(args, operator)?;
    let order = || left.order(&right, operator);
    Ok(Value::Bool(match operator {
        "==" => left == right,
        "!=" => left != right,
        ">" => order()?.is_some_and(std::cmp::Ordering::is_gt),
        ">=" => order()?.is_some_and(std::cmp::Ordering::is_ge),
        "<" => order()?.is_some_and(std::cmp::Ordering::is_lt),
        _ => order()?.is_some_and(std::cmp::Ordering::is_le),
    }))
}

fn divisible_by(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, number] = two(args, "test_divisibleby")?;
    let rest = ops::apply(ops::Operator::Mod, &value, &number)?;
    Ok(Value::Bool(rest == Value::Int(0)))
}

fn parity(args: Args, wanted: i64) -> Result<Value> {
    let value = args.positional.into_iter().next().unwrap_or(Value::None);
    let rest = ops::apply(ops::Operator::Mod, &value, &Value::Int(2))?;
    Ok(Value::Bool(rest == Value::Int(wanted)))
}

fn filter_exists(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let name = args
        .positional
        .first()
        .map(Value::to_str)
        .unwrap_or_default();
    let known = match runtime.filter(&name, Args::default()) {
        Err(error) => !error.message().starts_with("No filter named"),
        Ok(_) => true,
    };
    Ok(Value::Bool(known))
}

fn test_exists(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let name = args
        .positional
        .first()
        .map(Value::to_str)
        .unwrap_or_default();
    let known = match runtime.test(&name, Args::default()) {
        Err(error) => !error.message().starts_with("No test named"),
        Ok(_) => true,
    };
    Ok(Value::Bool(known))
}

fn contained(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, container] = two(args, "in")?;
    ops::contains(&container, &value).map(Value::Bool)
}

fn same_as(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    if matches!(args.positional.first(), Some(Value::Undefined(undefined)) if undefined.is_testable())
    {
        return Ok(Value::Bool(false));
    }
    let [left, right] = two(args, "sameas")?;
    Ok(Value::Bool(match (&left, &right) {
        (Value::List(a), Value::List(b)) => a.is(b),
        (Value::Dict(a), Value::Dict(b)) => a.is(b),
        (Value::Set(a), Value::Set(b)) => a.is(b),
        (Value::None, Value::None) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) => a == b && (-5..=256).contains(a),
        (Value::Str(a), Value::Str(b)) => a == b,
        (Value::Object(a), Value::Object(b)) => std::rc::Rc::ptr_eq(a, b),
        _ => false,
    }))
}

fn cased(value: &Value, wanted: fn(char) -> bool, other: fn(char) -> bool) -> bool {
    let text = value.to_str();
    text.chars().any(wanted) && !text.chars().any(other)
}

/// Says whether a value is a dict or stands for one.
fn is_mapping(value: &Value) -> bool {
    match value {
        Value::Dict(_) => true,
        Value::Object(object) => object.as_mapping().is_some(),
        _ => false,
    }
}

fn is_sequence(value: &Value) -> bool {
    value.len().is_some() && !matches!(value, Value::Set(_))
}
