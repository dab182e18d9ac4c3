//! Filters of dicts.

use super::{folded, known, mapping, sorted};
use crate::diag::{Error, Result};
use crate::jinja::Row;
use crate::value::{Args, Runtime, UndefinedKind, Value};

/// The family.
pub(super) static TABLE: &[Row] = &[
    Row::new(
        "dictsort",
        dict_sort,
        "Sorts a dict's items.",
        "{'b': 1, 'a': 2} | dictsort => [('a', 2), ('b', 1)]",
    ),
    Row::new(
        "items",
        items,
        "Returns a dict's items.",
        "{'a': 1} | items | list => [('a', 1)]",
    ),
];

fn dict_sort(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, case, by, reverse] = args.bind(
        "do_dictsort",
        ["value", "case_sensitive", "by", "reverse"],
        1,
    )?;
    let case = case.is_some_and(|v| v.truth());
    let at = match by.map(|v| v.to_str()).as_deref() {
        None | Some("key") => 0,
        Some("value") => 1,
        _ => {
            return Err(Error::value_error(
                "You can only sort by either \"key\" or \"value\"",
            ));
        }
    };
    let dict = mapping(&known(value)?)?;
    let pairs = dict
        .to_vec()
        .into_iter()
        .map(|(key, value)| {
            let pair = [key.into_value(), value];
            (folded(&pair[at], case), Value::tuple(pair.to_vec()))
        })
        .collect();
    sorted(pairs, reverse.is_some_and(|v| v.truth())).map(Value::list)
}

fn items(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    match args.positional.into_iter().next() {
        Some(Value::Undefined(undefined)) => match undefined.kind() {
            UndefinedKind::Marker => Err(undefined.error()),
            _ => Ok(Value::list(Vec::new())),
        },
        Some(value) => match mapping(&value) {
            Ok(dict) => Ok(Value::list(
                dict.to_vec()
                    .into_iter()
                    .map(|(k, v)| Value::tuple(vec![k.into_value(), v]))
                    .collect(),
            )),
            Err(_) => Err(Error::type_error("Can only get item pairs from a mapping.")),
        },
        None => Err(Error::type_error("a filter needs a value")),
    }
}
