//! `%` and `.format`: whatever the format, it ends with text or an error.

#![no_main]

use libfuzzer_sys::fuzz_target;
use regrole::jinja::{Environment, MapContext, Place};
use regrole::value::Value;

const TEXTS: [&str; 4] = [
    "f % (s, n, x, l)",
    "f % {'s': s, 'n': n, 'x': x}",
    "f % x",
    "f.format(s, n, x, l, s=s, n=n, x=x)",
];

fuzz_target!(|input: (&str, i64, f64, &str)| {
    let (format, number, float, text) = input;
    let env = Environment::new();
    let context = MapContext::new([
        ("f", Value::from(format)),
        ("n", Value::from(number)),
        ("x", Value::from(float)),
        ("s", Value::from(text)),
        ("l", Value::list(vec![Value::from(number)])),
    ]);
    for text in TEXTS {
        if let Ok(expression) = env.compile_expression(text, Place::Nowhere, true) {
            let _ = env.evaluate(&expression, &context);
        }
    }
});
