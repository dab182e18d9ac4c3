//! Tests of `community.general`: what type a value is of.

use crate::diag::{Error, Result};
use crate::jinja::Row;
use crate::template::filters::revealed;
use crate::value::{Args, Runtime, Value};

/// What has only its full name.
pub(super) static TABLE: &[Row] = &[Row::new(
    "ansible_type",
    ansible_type,
    "Is of a type, or of one of several.",
    "[1] is community.general.ansible_type('list[int]') => True",
)];

fn ansible_type(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let (rest, told) = revealed(args, "ansible_type")?;
    // Strings and numbers of the playbook have types of Ansible's own, which are called by their plain names here.
    let plain = |name: &str| match name.strip_prefix("_AnsibleTagged") {
        Some(kind) => kind.to_lowercase(),
        None => name.to_owned(),
    };
    match rest.first() {
        Some(Value::Str(name)) => Ok(Value::Bool(plain(name) == told)),
        Some(Value::List(names)) => {
            let mut names = names.to_vec().into_iter();
            Ok(Value::Bool(names.any(|name| plain(&name.to_str()) == told)))
        }
        _ => Err(Error::type_error(
            "not all arguments converted during string formatting",
        )),
    }
}
