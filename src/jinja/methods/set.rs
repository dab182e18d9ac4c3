//! Methods of `set`.

use super::{Method, Takes, method};
use crate::diag::{Error, Kind, Result};
use crate::value::{Args, Key, Runtime, Set, Value};

/// The methods.
pub(super) static TABLE: &[Method<Set>] = &[
    method(
        "add",
        Takes::One,
        |_, set, args| {
            let key = one(&args)?;
            set.borrow_mut().insert(key);
            Ok(Value::None)
        },
        "Puts an item in.",
        "s.add(3) => None",
    ),
    method(
        "clear",
        Takes::Nothing,
        |_, set, _| {
            set.borrow_mut().clear();
            Ok(Value::None)
        },
        "Takes all items out.",
        "s.clear() => None",
    ),
    method(
        "copy",
        Takes::Nothing,
        |_, set, _| Ok(made(set.to_vec())),
        "Copies the set.",
        "s.copy() => {1, 2}",
    ),
    method(
        "difference",
        Takes::Anything,
        difference,
        "Returns the items that are in no other.",
        "s.difference([1]) => {2}",
    ),
    method(
        "discard",
        Takes::One,
        |_, set, args| {
            let key = one(&args)?;
            set.borrow_mut().shift_remove(&key);
            Ok(Value::None)
        },
        "Takes an item out, if it is in.",
        "s.discard(9) => None",
    ),
    method(
        "intersection",
        Takes::Anything,
        intersection,
        "Returns the items that are in all others.",
        "s.intersection([1]) => {1}",
    ),
    method(
        "isdisjoint",
        Takes::One,
        |_, set, args| {
            let others = all(&args)?;
            Ok(Value::Bool(
                !others.iter().flatten().any(|key| set.contains(key)),
            ))
        },
        "Says whether no item is in both.",
        "s.isdisjoint([3]) => True",
    ),
    method(
        "issubset",
        Takes::One,
        |_, set, args| {
            let others = all(&args)?;
            let within = |key: &Key| others.iter().all(|other| other.contains(key));
            Ok(Value::Bool(set.to_vec().iter().all(within)))
        },
        "Says whether all items are in the other.",
        "s.issubset([1, 2, 3]) => True",
    ),
    method(
        "issuperset",
        Takes::One,
        |_, set, args| {
            let others = all(&args)?;
            Ok(Value::Bool(
                others.iter().flatten().all(|key| set.contains(key)),
            ))
        },
        "Says whether all items of the other are in.",
        "s.issuperset([1]) => True",
    ),
    method(
        "pop",
        Takes::Nothing,
        |_, set, _| {
            let last = set.borrow_mut().pop();
            last.map(Key::into_value)
                .ok_or_else(|| Error::new(Kind::Value, "'pop from an empty set'"))
        },
        "Takes an item out and returns it.",
        "s.pop() in [1, 2] => True",
    ),
    method(
        "remove",
        Takes::One,
        |_, set, args| {
            let key = one(&args)?;
            let was = set.borrow_mut().shift_remove(&key);
            if was {
                Ok(Value::None)
            } else {
                Err(Error::new(Kind::Value, key.value().repr()))
            }
        },
        "Takes an item out, which must be in.",
        "s.remove(1) => None",
    ),
    method(
        "symmetric_difference",
        Takes::One,
        symmetric_difference,
        "Returns the items that are in one of both.",
        "s.symmetric_difference([2, 3]) => {1, 3}",
    ),
    method(
        "union",
        Takes::Anything,
        |_, set, args| {
            let others = all(&args)?;
            Ok(made(
                set.to_vec().into_iter().chain(others.into_iter().flatten()),
            ))
        },
        "Returns the items of all.",
        "s.union([3]) => {1, 2, 3}",
    ),
    method(
        "update",
        Takes::Anything,
        |_, set, args| {
            let others = all(&args)?;
            set.borrow_mut().extend(others.into_iter().flatten());
            Ok(Value::None)
        },
        "Puts the items of others in.",
        "s.update([3]) => None",
    ),
];

fn made(keys: impl IntoIterator<Item = Key>) -> Value {
    Value::Set(keys.into_iter().collect())
}

fn one(args: &Args) -> Result<Key> {
    Key::new(args.positional.first().cloned().unwrap_or(Value::None))
}

fn all(args: &Args) -> Result<Vec<Vec<Key>>> {
    args.positional
        .iter()
        .map(|value| value.items()?.map(Key::new).collect())
        .collect()
}

fn difference(_runtime: &mut dyn Runtime, set: &Set, args: Args) -> Result<Value> {
    let others = all(&args)?;
    let own = set.to_vec().into_iter();
    Ok(made(own.filter(|key| {
        !others.iter().any(|other| other.contains(key))
    })))
}

fn intersection(_runtime: &mut dyn Runtime, set: &Set, args: Args) -> Result<Value> {
    let others = all(&args)?;
    let own = set.to_vec().into_iter();
    Ok(made(own.filter(|key| {
        others.iter().all(|other| other.contains(key))
    })))
}

fn symmetric_difference(_runtime: &mut dyn Runtime, set: &Set, args: Args) -> Result<Value> {
    let other: Vec<Key> = all(&args)?.into_iter().flatten().collect();
    let own = set.to_vec();
    let left = own.iter().filter(|key| !other.contains(key));
    let right = other.iter().filter(|key| !own.contains(key));
    Ok(made(left.chain(right).cloned()))
}
