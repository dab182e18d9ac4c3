//! Ansible on top of the Jinja engine: lazy variables, native results, trust, lookups.

mod condition;
mod crypt;
mod extensions;
mod file;
mod filters;
mod ini;
mod jmespath;
mod lookups;
mod python;
mod regex_fault;
mod results;
mod shared;
mod templar;
mod tests;
mod twister;
mod version;
mod wording;

pub use extensions::extensions;
pub use file::FileOptions;
use filters::decoded;
pub use filters::{FAMILIES as FILTERS, Family, merge_dicts};
pub use lookups::TABLE as LOOKUPS;
pub use python::PythonOptions;
pub use shared::{Shared, SharedOptions};
pub use templar::{MapVariables, Templar, Variables};
pub use tests::{COLLECTIONS as COLLECTION_TESTS, FAMILIES as TESTS};
pub(crate) use wording::class as error_class;

use std::rc::Rc;

use crate::compat::Level;
use crate::diag::{Error, Kind, Result};
use crate::value::{Object, Value};

pub use crate::value::to_bool;

/// Reads rows of separated values, which need not be of one length.
fn csv_rows(text: &str, delimiter: u8) -> Result<Vec<Vec<String>>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let rows = reader.records().map(|record| {
        let record = record.map_err(|error| Error::new(Kind::Filter, error.to_string()))?;
        Ok(record.iter().map(str::to_owned).collect())
    });
    rows.collect()
}

/// The value of `omit`: an argument that has it is left out.
struct Omit;

impl Object for Omit {
    fn type_name(&self) -> &'static str {
        "Omit"
    }

    fn repr(&self) -> String {
        "<<Omit>>".to_owned()
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other.type_name() == "Omit"
    }
}

/// What `omit` begins with where it is text.
const OMIT_TEXT: &str = "__omit_place_holder__";

/// Returns the value of `omit`: a thing of its own, or text that nothing else is.
pub fn omit(level: Level) -> Value {
    if level.omits_by_text() {
        let bits: [u64; 3] = [rand::random(), rand::random(), rand::random()];
        let digits = format!("{:016x}{:016x}{:016x}", bits[0], bits[1], bits[2]);
        return Value::str(format!("{OMIT_TEXT}{}", &digits[..40]));
    }
    Value::Object(Rc::new(Omit))
}
