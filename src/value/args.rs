//! Arguments of calls, and their binding to parameters as Python does it.

use super::Value;
use crate::diag::{Error, Result};

/// The arguments of one call.
#[derive(Clone, Default)]
pub struct Args {
    /// By position.
    pub positional: Vec<Value>,
    /// By keyword, in the order written.
    pub keyword: Vec<(String, Value)>,
}

impl Args {
    /// Makes arguments of positional values.
    pub fn positional(positional: Vec<Value>) -> Args {
        Args {
            positional,
            keyword: Vec::new(),
        }
    }

    /// Binds the arguments to named parameters, of which the first `required` must be given.
    ///
    /// ```
    /// # use regrole::value::{Args, Value};
    /// let args = Args { positional: vec![Value::from("a")], keyword: vec![("width".into(), Value::from(4))] };
    /// let [text, width, first] = args.bind("indent", ["s", "width", "first"], 1).unwrap();
    /// assert!(text.is_some() && width == Some(Value::from(4)) && first.is_none());
    /// ```
    ///
    /// # Errors
    /// Python's `TypeError`s: missing, unexpected, twice given, too many.
    pub fn bind<const N: usize>(
        self,
        name: &str,
        parameters: [&str; N],
        required: usize,
    ) -> Result<[Option<Value>; N]> {
        let given = self.positional.len();
        if given > N {
            let counts = if required == N {
                format!("{N}")
            } else {
                format!("from {required} to {N}")
            };
            return Err(Error::type_error(format!(
                "{name}() takes {counts} positional argument{} but {given} {} given",
                if N == 1 { "" } else { "s" },
                if given == 1 { "was" } else { "were" },
            )));
        }
        let mut bound = [const { None }; N];
        for (slot, value) in bound.iter_mut().zip(self.positional) {
            *slot = Some(value);
        }
        for (keyword, value) in self.keyword {
            match parameters.iter().position(|p| *p == keyword) {
                None => {
                    return Err(Error::type_error(format!(
                        "{name}() got an unexpected keyword argument '{keyword}'"
                    )));
                }
                Some(at) if bound[at].is_some() => {
                    return Err(Error::type_error(format!(
                        "{name}() got multiple values for argument '{keyword}'"
                    )));
                }
                Some(at) => bound[at] = Some(value),
            }
        }
        let missing: Vec<String> = (0..required.min(N))
            .filter(|at| bound[*at].is_none())
            .map(|at| format!("'{}'", parameters[at]))
            .collect();
        if missing.is_empty() {
            return Ok(bound);
        }
        let list = match missing.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, [one])) => format!("{one} and {last}"),
            Some((last, rest)) => format!("{}, and {last}", rest.join(", ")),
            None => String::new(),
        };
        Err(Error::type_error(format!(
            "{name}() missing {} required positional argument{}: {list}",
            missing.len(),
            if missing.len() == 1 { "" } else { "s" },
        )))
    }

    /// Returns these arguments with another one before them.
    #[must_use]
    pub fn after(&self, first: Value) -> Args {
        let mut positional = Vec::with_capacity(1 + self.positional.len());
        positional.push(first);
        positional.extend_from_slice(&self.positional);
        Args {
            positional,
            keyword: self.keyword.clone(),
        }
    }

    /// Takes a keyword argument out.
    pub fn take(&mut self, keyword: &str) -> Option<Value> {
        let at = self.keyword.iter().position(|(k, _)| k == keyword)?;
        Some(self.keyword.remove(at).1)
    }
}
