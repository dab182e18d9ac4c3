//! Methods of Python's built-in types, as far as the sandbox lets templates call them.
//!
//! Each type has a file and a table, in the order of the alphabet. Adding a method is a function
//! and a row.

mod bytes;
mod dict;
mod list;
mod number;
mod set;
pub(super) mod special;
mod str;
mod view;

pub(super) use str::{capitalize, is_space, lines, replaced};

use crate::diag::{Error, Result};
use crate::value::{Args, Runtime, Value};

/// Which arguments a method takes, and so what Python says about wrong ones.
#[derive(Clone, Copy)]
pub(super) enum Takes {
    /// None.
    Nothing,
    /// Exactly one, by position.
    One,
    /// So many to so many, by position.
    Between(usize, usize),
    /// The same, of the methods that Python words otherwise.
    AtLeast(usize, usize),
    /// Any of these, by position or keyword; what isn't given is `None`.
    Named(&'static [&'static str]),
    /// Whatever comes.
    Anything,
}

/// A method of a type.
pub(super) struct Method<T: ?Sized + 'static> {
    name: &'static str,
    takes: Takes,
    call: fn(&mut dyn Runtime, &T, Args) -> Result<Value>,
    /// One line about it.
    #[cfg_attr(not(test), allow(dead_code, reason = "for readers and tests"))]
    doc: &'static str,
    /// An expression, `=>`, and the `repr()` of its value.
    #[cfg_attr(not(test), allow(dead_code, reason = "for readers and tests"))]
    example: &'static str,
}

const fn method<T: ?Sized>(
    name: &'static str,
    takes: Takes,
    call: fn(&mut dyn Runtime, &T, Args) -> Result<Value>,
    doc: &'static str,
    example: &'static str,
) -> Method<T> {
    Method {
        name,
        takes,
        call,
        doc,
        example,
    }
}

/// Says whether a name is a method of dicts, which stands in front of a key of that name.
pub fn is_dict_method(name: &str) -> bool {
    dict::is_method(name)
}

/// Says whether a name is a method that changes the list, dict or set itself, or whose result
/// depends on what the template did with it before.
pub fn changes_values(name: &str) -> bool {
    matches!(
        name,
        "append"
            | "extend"
            | "insert"
            | "remove"
            | "reverse"
            | "sort"
            | "clear"
            | "pop"
            | "popitem"
            | "setdefault"
            | "update"
            | "add"
            | "discard"
            | "count"
            | "__setitem__"
            | "__delitem__"
    )
}

/// Says whether a value has a method.
pub(super) fn exists(object: &Value, name: &str) -> bool {
    match object {
        Value::Str(_) => find(str::TABLE, name).is_some(),
        Value::List(_) => find(list::TABLE, name).is_some(),
        Value::Tuple(_) => find(list::TUPLE, name).is_some(),
        Value::Dict(_) => dict::is_method(name),
        Value::Set(_) => find(set::TABLE, name).is_some(),
        Value::Int(_) | Value::Big(_) | Value::Bool(_) => find(number::INT, name).is_some(),
        Value::Float(_) => find(number::FLOAT, name).is_some(),
        Value::Bytes(_) => find(bytes::TABLE, name).is_some(),
        Value::Range(..) => find(list::RANGE, name).is_some(),
        _ => false,
    }
}

/// Returns what a number has besides methods.
pub(super) fn attribute(object: &Value, name: &str) -> Option<Value> {
    let plain = match object {
        Value::Bool(b) => Value::Int(i64::from(*b)),
        Value::Int(_) | Value::Big(_) | Value::Float(_) => object.clone(),
        _ => return None,
    };
    match (name, &plain) {
        ("real", _) => Some(plain),
        ("imag", Value::Float(_)) => Some(Value::Float(0.0)),
        ("imag", _) => Some(Value::Int(0)),
        ("numerator", Value::Int(_) | Value::Big(_)) => Some(plain),
        ("denominator", Value::Int(_) | Value::Big(_)) => Some(Value::Int(1)),
        _ => None,
    }
}

/// Calls a method; `None` where the value has none of that name.
pub(super) fn call(
    runtime: &mut dyn Runtime,
    object: &Value,
    name: &str,
    args: Args,
) -> Result<Option<Value>> {
    match object {
        Value::Str(text) => run(str::TABLE, "str", runtime, text, name, args),
        Value::List(items) => run(list::TABLE, "list", runtime, items, name, args),
        Value::Tuple(items) => run(list::TUPLE, "tuple", runtime, &**items, name, args),
        Value::Dict(items) => run(dict::TABLE, "dict", runtime, items, name, args),
        Value::Set(items) => run(set::TABLE, "set", runtime, items, name, args),
        Value::Int(_) | Value::Big(_) | Value::Bool(_) => {
            run(number::INT, "int", runtime, object, name, args)
        }
        Value::Float(float) => run(number::FLOAT, "float", runtime, float, name, args),
        Value::Bytes(bytes) => run(bytes::TABLE, "bytes", runtime, &**bytes, name, args),
        Value::Range(..) => run(list::RANGE, "range", runtime, object, name, args),
        _ => Ok(None),
    }
}

fn find<'t, T: ?Sized>(table: &'t [Method<T>], name: &str) -> Option<&'t Method<T>> {
    let at = table.binary_search_by(|row| row.name.cmp(name)).ok()?;
    table.get(at)
}

fn run<T: ?Sized>(
    table: &[Method<T>],
    type_name: &str,
    runtime: &mut dyn Runtime,
    receiver: &T,
    name: &str,
    args: Args,
) -> Result<Option<Value>> {
    let Some(method) = find(table, name) else {
        return Ok(None);
    };
    let args = checked(method.takes, type_name, name, args)?;
    (method.call)(runtime, receiver, args).map(Some)
}

/// Checks a call's arguments, in the words of Python 3.11.
fn checked(takes: Takes, type_name: &str, name: &str, args: Args) -> Result<Args> {
    let given = args.positional.len();
    if let Takes::Named(parameters) = takes {
        return named(parameters, name, args);
    }
    if matches!(takes, Takes::Anything) {
        return Ok(args);
    }
    if !args.keyword.is_empty() {
        let who = match takes {
            Takes::AtLeast(..) => name.to_owned(),
            _ => format!("{type_name}.{name}"),
        };
        return Err(Error::type_error(format!(
            "{who}() takes no keyword arguments"
        )));
    }
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let problem = match takes {
        Takes::Nothing if given > 0 => {
            format!("{type_name}.{name}() takes no arguments ({given} given)")
        }
        Takes::One if given != 1 => {
            format!("{type_name}.{name}() takes exactly one argument ({given} given)")
        }
        Takes::Between(least, most) if given < least || given > most => {
            let (which, count) = if given < least {
                ("at least ", least)
            } else {
                ("at most ", most)
            };
            let which = if least == most { "" } else { which };
            format!(
                "{name} expected {which}{count} argument{}, got {given}",
                plural(count)
            )
        }
        Takes::AtLeast(least, most) if given < least || given > most => {
            let (which, count) = if given < least {
                ("least", least)
            } else {
                ("most", most)
            };
            format!(
                "{name}() takes at {which} {count} argument{} ({given} given)",
                plural(count)
            )
        }
        _ => return Ok(args),
    };
    Err(Error::type_error(problem))
}

fn named(parameters: &[&str], name: &str, args: Args) -> Result<Args> {
    let given = args.positional.len() + args.keyword.len();
    if given > parameters.len() {
        let count = parameters.len();
        return Err(Error::type_error(format!(
            "{name}() takes at most {count} argument{} ({given} given)",
            if count == 1 { "" } else { "s" }
        )));
    }
    let mut all = args.positional;
    let by_position = all.len();
    all.resize(parameters.len(), Value::None);
    for (keyword, value) in args.keyword {
        match parameters.iter().position(|known| *known == keyword) {
            Some(at) if at < by_position => {
                return Err(Error::type_error(format!(
                    "argument for {name}() given by name ('{keyword}') and position ({})",
                    at + 1
                )));
            }
            Some(at) => all[at] = value,
            None => {
                return Err(Error::type_error(format!(
                    "'{keyword}' is an invalid keyword argument for {name}()"
                )));
            }
        }
    }
    Ok(Args::positional(all))
}

/// Returns an integer argument; a default where it isn't given.
fn integer(value: Option<&Value>, default: i64) -> Result<i64> {
    match value {
        None | Some(Value::None) => Ok(default),
        Some(Value::Undefined(undefined)) => Err(undefined.error()),
        Some(Value::Big(_)) => Err(Error::new(
            crate::diag::Kind::Arithmetic,
            "Python int too large to convert to C ssize_t",
        )),
        Some(value) => value.as_i64().ok_or_else(|| {
            Error::type_error(format!(
                "'{}' object cannot be interpreted as an integer",
                value.type_name()
            ))
        }),
    }
}

/// Returns the part of `0..length` that two optional bounds, which may be negative, choose.
fn bounds(length: usize, start: Option<&Value>, end: Option<&Value>) -> Result<(usize, usize)> {
    let length = length as i64;
    let clamp = |at: i64| (if at < 0 { at + length } else { at }).clamp(0, length) as usize;
    let index = |value: Option<&Value>, default: i64| match value {
        Some(Value::Big(big)) => Ok(if big.sign() == num_bigint::Sign::Minus {
            0
        } else {
            length
        }),
        Some(value) if value.as_i64().is_none() && !value.is_none() && !value.is_undefined() => {
            Err(Error::type_error(
                "slice indices must be integers or None or have an __index__ method",
            ))
        }
        value => integer(value, default),
    };
    Ok((clamp(index(start, 0)?), clamp(index(end, length)?)))
}

#[cfg(test)]
mod tests {
    use super::super::{Environment, MapContext, Place};
    use super::*;

    fn rows() -> Vec<(&'static str, &'static str, &'static str, &'static str)> {
        fn add<T: ?Sized>(
            of: &'static str,
            table: &'static [Method<T>],
            out: &mut Vec<(&'static str, &'static str, &'static str, &'static str)>,
        ) {
            out.extend(table.iter().map(|row| (of, row.name, row.doc, row.example)));
        }
        let mut out = Vec::new();
        add("str", str::TABLE, &mut out);
        add("list", list::TABLE, &mut out);
        add("tuple", list::TUPLE, &mut out);
        add("range", list::RANGE, &mut out);
        add("dict", dict::TABLE, &mut out);
        add("set", set::TABLE, &mut out);
        add("int", number::INT, &mut out);
        add("float", number::FLOAT, &mut out);
        add("bytes", bytes::TABLE, &mut out);
        out
    }

    fn eval(text: &str) -> Result<Value> {
        let env = Environment::new();
        let set = [1, 2].map(|n| crate::value::Key::new(Value::from(n)).expect("a key"));
        let context = MapContext::new([("s", Value::Set(set.into_iter().collect()))]);
        let expression = env.compile_expression(text, Place::Nowhere, true)?;
        env.evaluate(&expression, &context)
    }

    #[test]
    fn every_example_of_methods_holds() {
        for (of, name, doc, example) in rows() {
            let (text, wanted) = example.rsplit_once(" => ").expect(name);
            assert_eq!(eval(text).expect(name).repr(), wanted, "{of}.{name}");
            assert!(doc.ends_with('.'), "{of}.{name}");
        }
    }

    #[test]
    fn tables_are_in_the_order_of_the_alphabet() {
        for pair in rows().windows(2) {
            assert!(pair[0].0 != pair[1].0 || pair[0].1 < pair[1].1, "{pair:?}");
        }
    }

    #[test]
    fn wrong_arguments_are_refused_in_pythons_words() {
        for (text, message) in [
            ("'a'.upper(1)", "str.upper() takes no arguments (1 given)"),
            (
                "'a'.join()",
                "str.join() takes exactly one argument (0 given)",
            ),
            ("'a'.center()", "center expected at least 1 argument, got 0"),
            ("'a'.find()", "find() takes at least 1 argument (0 given)"),
            (
                "'a'.split(x=1)",
                "'x' is an invalid keyword argument for split()",
            ),
            (
                "[].append(object=1)",
                "list.append() takes no keyword arguments",
            ),
        ] {
            assert_eq!(eval(text).expect_err(text).message(), message);
        }
    }

    #[test]
    fn results_without_end_are_refused_before_memory_is_asked_for() {
        for text in [
            "('a'*1000000).replace('a','b'*1000000)",
            "('a'*1000000)|replace('a','b'*1000000)",
            "('b'*1000000).join('a'*1000000)",
            "[1]|batch(10**12,0)",
            "[1]|slice(10**9)",
            "'a'.ljust(10**12)",
            "'a'.zfill(10**12)",
            "'\\t'.expandtabs(10**12)",
            "('\\t'*1000000).expandtabs(1000000)",
            "'a' * 10**12",
        ] {
            assert!(eval(text).is_err(), "{text}");
        }
    }
}
