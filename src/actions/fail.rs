//! `fail`: fails with a message.

use super::{Context, Prepared, failed, only, text};
use crate::diag::Result;
use crate::value::Dict;

pub(super) fn run(_context: &Context, args: Dict) -> Result<Prepared> {
    only("fail", &args, &["msg"])?;
    let message = text(&args, "msg").unwrap_or_else(|| "Failed as requested from task".to_owned());
    let result = failed(message);
    result.set("changed", false);
    Ok(Prepared::Done(result))
}
