//! How filters of collections choose keys of dicts.

use fancy_regex::Regex;

use super::{failed, translate};
use crate::diag::Result;
use crate::value::Value;

/// How a key is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Equal,
    StartsWith,
    EndsWith,
    /// As Python's `match`: at the start.
    Regex,
}

impl How {
    /// Returns the way that has this name; `equal` has none in `ansible.utils`.
    pub(super) fn named(name: &str) -> Option<How> {
        match name {
            "starts_with" => Some(How::StartsWith),
            "ends_with" => Some(How::EndsWith),
            "regex" => Some(How::Regex),
            _ => None,
        }
    }
}

/// Keys, or patterns of them.
pub(super) struct Keys {
    wanted: Vec<String>,
    regexes: Vec<Regex>,
    how: How,
}

impl Keys {
    pub(super) fn new(keys: Vec<String>, how: How) -> Result<Keys> {
        let mut regexes = Vec::new();
        if how == How::Regex {
            for key in &keys {
                regexes.push(translate(key, false, false, false)?);
            }
        }
        Ok(Keys {
            wanted: keys,
            regexes,
            how,
        })
    }

    /// Returns the number of the first one that fits a key.
    pub(super) fn find(&self, key: &Value) -> Result<Option<usize>> {
        let Value::Str(text) = key else {
            let kind = key.type_name();
            return match self.how {
                How::Equal => Ok(None),
                How::StartsWith | How::EndsWith => {
                    let method = if self.how == How::StartsWith {
                        "startswith"
                    } else {
                        "endswith"
                    };
                    Err(failed(format!(
                        "'{kind}' object has no attribute '{method}'"
                    )))
                }
                How::Regex => Err(crate::diag::Error::type_error(format!(
                    "expected string or bytes-like object, got '{kind}'"
                ))),
            };
        };
        let starts = |regex: &Regex| {
            let found = regex.find(text.as_str()).ok().flatten();
            found.is_some_and(|found| found.start() == 0)
        };
        Ok(match self.how {
            How::Equal => self.wanted.iter().position(|key| *key == **text),
            How::StartsWith => self
                .wanted
                .iter()
                .position(|key| text.starts_with(key.as_str())),
            How::EndsWith => self
                .wanted
                .iter()
                .position(|key| text.ends_with(key.as_str())),
            How::Regex => self.regexes.iter().position(starts),
        })
    }
}
