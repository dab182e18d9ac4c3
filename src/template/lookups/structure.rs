//! Lookups of `ansible.utils`, which are its filters of the same names.

use super::Options;
use crate::diag::Result;
use crate::template::filters;
use crate::template::templar::Templar;
use crate::value::{Args, Function, Value};

pub(super) fn get_path(t: &Templar, terms: &[Value], options: Options) -> Result<Vec<Value>> {
    filtered(filters::get_path, t, terms, options)
}

pub(super) fn index_of(t: &Templar, terms: &[Value], options: Options) -> Result<Vec<Value>> {
    let found = filtered(filters::index_of, t, terms, options)?;
    // Several places are several results.
    Ok(match &found[..] {
        [Value::List(places)] => places.to_vec(),
        _ => found,
    })
}

pub(super) fn to_paths(t: &Templar, terms: &[Value], options: Options) -> Result<Vec<Value>> {
    filtered(filters::to_paths, t, terms, options)
}

/// Calls a filter with terms and options as its arguments.
fn filtered(
    filter: Function,
    templar: &Templar,
    terms: &[Value],
    options: Options,
) -> Result<Vec<Value>> {
    let args = Args {
        positional: terms.to_vec(),
        keyword: options
            .iter()
            .map(|(name, value)| (name.as_str().into(), value.clone()))
            .collect(),
    };
    Ok(vec![templar.with_runtime(|runtime| filter(runtime, args))?])
}
