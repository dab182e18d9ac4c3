//! `fail`: fails with a message.

use super::{Context, Prepared, failed, unknown};
use crate::diag::{Error, Kind, Result};
use crate::value::{Dict, Value};

pub(super) fn run(_context: &Context, args: Dict) -> Result<Prepared> {
    let strange = unknown(&args, &["msg"]);
    if !strange.is_empty() {
        return Err(Error::new(
            Kind::Argument,
            format!("Invalid options for fail: {}", strange.join(",")),
        ));
    }
    let result = failed("Failed as requested from task");
    if let Some(message) = args.get("msg") {
        result.set("msg", message);
    }
    result.set("changed", Value::Bool(false));
    Ok(Prepared::Done(result))
}
