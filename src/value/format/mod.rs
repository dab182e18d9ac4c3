//! Python's string formatting: `%`, `str.format`, `format()`.

mod braces;
mod float;
mod percent;
mod spec;

pub use braces::str_format;
pub use percent::percent;
pub use spec::format_value;

/// The widest field that is made, in characters.
const MAX_WIDTH: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Str, Value};

    #[test]
    fn percent_formats_as_python_does() {
        let one = |format: &str, value: Value| {
            percent(&Str::new(format), &value)
                .expect("formatted")
                .to_str()
        };
        assert_eq!(
            one(
                "%s-%05d",
                Value::tuple(vec![Value::str("a"), Value::from(42)])
            ),
            "a-00042"
        );
        assert_eq!(one("%x %%", Value::tuple(vec![Value::from(255)])), "ff %");
        assert_eq!(
            one(
                "%.2f|%-5s|",
                Value::tuple(vec![Value::from(2.71), Value::str("a")])
            ),
            "2.71|a    |"
        );
        assert_eq!(one("%(k)s", Value::dict([("k", Value::from(1))])), "1");
        assert_eq!(
            one(
                "%g %e",
                Value::tuple(vec![Value::from(0.00001), Value::from(12345.678)])
            ),
            "1e-05 1.234568e+04"
        );
        assert!(percent(&Str::new("%d"), &Value::str("x")).is_err());
        assert!(percent(&Str::new("%s %s"), &Value::str("x")).is_err());
    }

    #[test]
    fn format_specs_are_pythons() {
        for (value, spec, text) in [
            (Value::from(1_234_567), ",", "1,234,567"),
            (Value::from(42), "08.3f", "0042.000"),
            (Value::from(255), "#x", "0xff"),
            (Value::str("a"), "^5", "  a  "),
            (Value::str("abc"), "*>5.2", "***ab"),
            (Value::from(0.5), ".0%", "50%"),
            (Value::from(-3), "=+5", "-   3"),
        ] {
            assert_eq!(format_value(&value, spec).expect(spec), text, "{spec}");
        }
    }
}
