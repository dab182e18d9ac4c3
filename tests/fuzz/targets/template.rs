//! Lexer, parser and evaluator: whatever the text, rendering ends with text or an error.

#![no_main]

use libfuzzer_sys::fuzz_target;
use regrole::jinja::{Environment, MapContext, Options, Place};
use regrole::value::Value;

fuzz_target!(|input: (bool, bool, &str)| {
    let (trim_blocks, lstrip_blocks, text) = input;
    let mut env = Environment::new();
    env.options = Options {
        trim_blocks,
        lstrip_blocks,
        ..Options::default()
    };
    let list = Value::list(vec![Value::from(3), Value::from("x"), Value::None]);
    let context = MapContext::new([
        ("n", Value::from(7)),
        ("s", Value::from("Text äö")),
        ("l", list),
        ("d", Value::dict([("a", Value::from(1))])),
    ]);
    if let Ok(template) = env.compile(text, Place::Nowhere, true) {
        let _ = env.render(&template, &context);
    }
});
