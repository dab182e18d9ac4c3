//! The rows of the tables that filters, tests and functions stand in.

use crate::value::Function;

/// A filter, test or global function.
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub function: Function,
    /// One line about it.
    pub doc: &'static str,
    /// An expression, `=>`, and the `repr()` of its value.
    pub example: &'static str,
}

impl Row {
    /// Makes a row; `example` is an expression, ` => ` and the `repr()` of its value.
    pub const fn new(
        name: &'static str,
        function: Function,
        doc: &'static str,
        example: &'static str,
    ) -> Row {
        Row {
            name,
            function,
            doc,
            example,
        }
    }
}
