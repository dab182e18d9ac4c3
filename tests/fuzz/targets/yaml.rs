//! YAML: whatever the text, reading ends with data or an error; what is written is read as it was.

#![no_main]

use libfuzzer_sys::fuzz_target;
use regrole::diag::Sources;
use regrole::yaml;

fuzz_target!(|text: &str| {
    let sources = Sources::default();
    let source = sources.add("fuzz.yml", text);
    let Ok(Some(node)) = yaml::load(&sources, source) else {
        return;
    };
    let value = node.to_value();
    let Ok(written) = yaml::emit(&value, &yaml::EmitStyle::default()) else {
        return;
    };
    // Known: the scanner reads these line breaks in folded quotes otherwise than PyYAML.
    if written.contains(['\u{85}', '\u{2028}', '\u{2029}']) {
        return;
    }
    let again = sources.add("again.yml", written.as_str());
    let read = yaml::load(&sources, again)
        .unwrap_or_else(|error| panic!("{written:?} can't be read: {error}"));
    let read = read.map_or(regrole::value::Value::None, |node| node.to_value());
    assert!(
        read == value || value.repr().contains("nan"),
        "{} was written as {written:?}",
        value.repr()
    );
});
