//! `fail`: fails with a message.

use super::{Context, Prepared, failed, only};
use crate::diag::Result;
use crate::value::Dict;

pub(super) fn run(_context: &Context, args: Dict) -> Result<Prepared> {
    only("fail", &args, &["msg"])?;
    let result = failed("Failed as requested from task");
    if let Some(message) = args.get("msg").filter(|message| !message.is_none()) {
        result.set("msg", message);
    }
    result.set("changed", false);
    Ok(Prepared::Done(result))
}
