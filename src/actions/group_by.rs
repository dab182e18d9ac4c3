//! `group_by`: puts the host into a group whose name comes of its variables.

use super::{Context, Prepared, failed};
use crate::diag::Result;
use crate::value::{Dict, Value};

pub(super) fn run(_context: &Context, args: Dict) -> Result<Prepared> {
    let Some(key) = args.get("key") else {
        let result = failed("the 'key' param is required when using group_by");
        result.set("changed", false);
        return Ok(Prepared::Done(result));
    };
    let parents = match args.get("parents") {
        None => vec![Value::str("all")],
        Some(Value::List(list)) => list.to_vec(),
        Some(one) => vec![one],
    };
    let name = |value: &Value| Value::str(value.to_str().replace(' ', "-"));
    let result = Dict::new();
    result.set("changed", false);
    result.set("add_group", name(&key));
    result.set(
        "parent_groups",
        Value::list(parents.iter().map(name).collect()),
    );
    Ok(Prepared::Done(result))
}
