//! Python's regular expressions: whatever the pattern, they end with a value or an error.

#![no_main]

use std::rc::Rc;

use libfuzzer_sys::fuzz_target;
use regrole::template::{MapVariables, Shared, SharedOptions, Templar};
use regrole::value::{Dict, Str};

const TEXTS: [&str; 4] = [
    "text | regex_search(pattern)",
    "text | regex_findall(pattern, multiline=true, ignorecase=true)",
    "text | regex_replace(pattern, replacement)",
    "text is match(pattern)",
];

thread_local! {
    /// Names of filters live as long as the program, so that there is one of these.
    static SHARED: Rc<Shared> = Shared::new(SharedOptions::default());
}

fuzz_target!(|input: (&str, &str, &str)| {
    let (pattern, text, replacement) = input;
    let vars = Dict::new();
    vars.set("pattern", pattern);
    vars.set("text", text);
    vars.set("replacement", replacement);
    let vars = Rc::new(MapVariables::new(vars, Vec::new()));
    let templar = SHARED.with(|shared| Templar::new(shared.clone(), vars));
    for text in TEXTS {
        let _ = templar.expression(&Str::trusted(text));
    }
});
