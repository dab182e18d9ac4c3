//! Filters for logarithms, powers and roots.

use super::{failed, known, mistyped};
use crate::diag::Result;
use crate::jinja::Row;
use crate::value::{Args, Runtime, Value};

pub(super) static TABLE: &[Row] = &[
    Row::new(
        "log",
        log,
        "Returns a logarithm, natural unless a base is given.",
        "8 | log(2) => 3.0",
    ),
    Row::new("pow", pow, "Raises to a power.", "2 | pow(3) => 8.0"),
    Row::new(
        "root",
        root,
        "Returns a root, the square root unless a base is given.",
        "27 | root(3) => 3.0",
    ),
];

fn number(value: Option<Value>, name: &str) -> Result<f64> {
    let value = known(value)?;
    value.as_f64().ok_or_else(|| {
        mistyped(format!(
            "{name}() can only be used on numbers: must be real number, not {}",
            value.type_name()
        ))
    })
}

fn log(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [x, base] = args.bind("logarithm", ["x", "base"], 1)?;
    let x = number(x, "log")?;
    let base = base.map(|base| number(Some(base), "log")).transpose()?;
    if x <= 0.0 || base.is_some_and(|base| base <= 0.0) {
        return Err(failed("math domain error"));
    }
    Ok(Value::Float(match base {
        None => x.ln(),
        Some(10.0) => x.log10(),
        Some(1.0) => {
            return Err(failed("float division by zero"));
        }
        Some(base) => x.ln() / base.ln(),
    }))
}

fn pow(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [x, y] = args.bind("power", ["x", "y"], 2)?;
    power(number(x, "pow")?, number(y, "pow")?, "pow")
}

fn power(x: f64, y: f64, name: &str) -> Result<Value> {
    let made = x.powf(y);
    if made.is_nan() && !x.is_nan() && !y.is_nan() || x == 0.0 && y < 0.0 {
        return Err(if name == "root" {
            mistyped("root() can only be used on numbers: math domain error")
        } else {
            failed("math domain error")
        });
    }
    if made.is_infinite() && x.is_finite() && y.is_finite() {
        return Err(failed(format!(
            "{name}() result is out of range: math range error"
        )));
    }
    Ok(Value::Float(made))
}

fn root(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [x, base] = args.bind("inversepower", ["x", "base"], 1)?;
    let x = number(x, "root")?;
    let base = base.map_or(Ok(2.0), |base| number(Some(base), "root"))?;
    if base == 2.0 {
        return if x < 0.0 {
            Err(mistyped(
                "root() can only be used on numbers: math domain error",
            ))
        } else {
            Ok(Value::Float(x.sqrt()))
        };
    }
    power(x, 1.0 / base, "root")
}
