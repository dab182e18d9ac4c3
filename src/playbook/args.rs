//! Arguments in one line: `src=a dest="b c"`, and free-form text.
//!
//! **Source:** how ansible-core splits such text, as observed: quotes and template delimiters keep
//! blanks together; backslash-newline joins lines.

use std::borrow::Cow;

use crate::value::{Dict, Str};

/// Modules whose argument is free text; what they also take as `key=value`.
pub(super) const FREE_FORM: &[&str] = &[
    "command",
    "shell",
    "raw",
    "script",
    "include_vars",
    "include_tasks",
    "include_role",
    "import_tasks",
    "import_role",
    "import_playbook",
    "include",
    "meta",
    "expect",
];

/// Options that are taken out of the free text of `command` and its kin.
const COMMAND_OPTIONS: &[&str] = &[
    "creates",
    "removes",
    "chdir",
    "executable",
    "warn",
    "stdin",
    "stdin_add_newline",
    "strip_empty_ends",
    "cmd",
    "decrypt",
];

/// Splits text at blanks outside of quotes and template delimiters; quotes stay. A quote behind a
/// backslash is none.
pub(super) fn split(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote: Option<char> = None;
    let mut depth = 0usize;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                word.push(c);
                word.extend(chars.next());
            }
            // Quotes count within delimiters of templates too, and the other way round.
            '\'' | '"' => {
                quote = match quote {
                    None => Some(c),
                    Some(open) if open == c => None,
                    open => open,
                };
                word.push(c);
            }
            '{' if matches!(chars.peek(), Some('{' | '%' | '#')) => {
                depth += 1;
                word.push(c);
                word.extend(chars.next());
            }
            '}' | '%' | '#' if depth > 0 && chars.peek() == Some(&'}') => {
                depth -= 1;
                word.push(c);
                word.extend(chars.next());
            }
            c if c.is_whitespace() && depth == 0 && quote.is_none() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if quote.is_some() || depth > 0 {
        return Err("failed at splitting arguments, either an unbalanced jinja2 block or quotes");
    }
    if !word.is_empty() {
        words.push(word);
    }
    Ok(words)
}

/// Parses `key=value` text into arguments; what is no pair becomes `_raw_params`.
///
/// Every value has the trust and origin of the text. For commands only their own options are taken
/// out; the rest stays as it is written, blanks included.
pub(super) fn parse(text: &Str, module: &str) -> Result<Dict, &'static str> {
    let args = Dict::new();
    let is_command = matches!(module, "command" | "shell" | "raw" | "script" | "expect");
    let mut raw: Vec<String> = Vec::new();
    let words = if is_command {
        split_keeping_blanks(text)?
    } else {
        split(text)?
    };
    for word in words {
        let read = decoded(word.trim());
        match pair(&read) {
            Some((key, value)) if !is_command || COMMAND_OPTIONS.contains(&key) => {
                args.set(key.trim(), text.like(unquote(value.trim())));
            }
            _ => raw.push(word),
        }
    }
    if !raw.is_empty() {
        let joined = if is_command {
            commands_text(&raw.concat())
        } else {
            raw.join(" ")
        };
        if !joined.is_empty() {
            args.set("_raw_params", text.like(joined));
        }
    }
    Ok(args)
}

/// Takes off the blanks around a command; line breaks at its end stay.
fn commands_text(text: &str) -> String {
    let bare = text.trim();
    let end = text.trim_start()[bare.len()..].matches('\n').count();
    if bare.is_empty() {
        String::new()
    } else {
        format!("{bare}{}", "\n".repeat(end))
    }
}

/// Splits a word at its first `=` that is no escaped one and has something in front of it; the key
/// may be a template.
fn pair(word: &str) -> Option<(&str, &str)> {
    let at = word.match_indices('=').map(|(at, _)| at);
    let at = at
        .into_iter()
        .find(|at| *at > 0 && !word[..*at].ends_with('\\'))?;
    Some((&word[..at], &word[at + 1..]))
}

/// Splits as [`split`] does, each word with the blanks in front of it.
fn split_keeping_blanks(text: &str) -> Result<Vec<String>, &'static str> {
    let words = split(text)?;
    let mut out = Vec::with_capacity(words.len());
    let mut at = 0;
    for word in words {
        let found = text[at..].find(word.as_str()).map_or(at, |n| at + n);
        let end = found + word.len();
        out.push(text[at..end].to_owned());
        at = end;
    }
    if at < text.len() {
        out.push(text[at..].to_owned());
    }
    Ok(out)
}

/// Parses `key=value` pairs that belong to no module.
///
/// # Errors
/// Quotes or braces that don't close.
pub fn parse_pairs(text: &Str) -> Result<Dict, &'static str> {
    parse(text, "set_fact")
}

/// Puts characters in place of their escapes; a backslash before anything else stays.
fn decoded(word: &str) -> Cow<'_, str> {
    if !word.contains('\\') {
        return word.into();
    }
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (c, length) = escape(rest).unwrap_or(('\\', 1));
        out.push(c);
        rest = &rest[length..];
    }
    out.push_str(rest);
    out.into()
}

/// Reads the escape that a text begins with: its character, and how many bytes long it is.
fn escape(text: &str) -> Option<(char, usize)> {
    let kind = text[1..].chars().next()?;
    let digits = match kind {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => 0,
    };
    if digits > 0 {
        let digits = text.get(2..2 + digits)?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let code = u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
        return char::from_u32(code).map(|c| (c, 2 + digits.len()));
    }
    let c = match kind {
        '\\' | '\'' | '"' => kind,
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        _ => return None,
    };
    Some((c, 2))
}

/// Takes one pair of quotes off that encloses the whole text.
pub(super) fn unquote(text: &str) -> &str {
    let bytes = text.as_bytes();
    match bytes {
        [first @ (b'\'' | b'"'), .., last]
            if first == last && (bytes.len() < 3 || bytes[bytes.len() - 2] != b'\\') =>
        {
            &text[1..text.len() - 1]
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str, module: &str) -> String {
        crate::value::Value::Dict(parse(&Str::trusted(text), module).expect("args")).repr()
    }

    #[test]
    fn pairs_keep_quoted_blanks_and_templates_together() {
        assert_eq!(
            parsed("src=a dest=\"b c\"", "copy"),
            "{'src': 'a', 'dest': 'b c'}"
        );
        assert_eq!(
            parsed("msg={{ a | default('x y') }} b=1", "debug"),
            "{'msg': \"{{ a | default('x y') }}\", 'b': '1'}"
        );
    }

    #[test]
    fn quotes_behind_a_backslash_are_text() {
        assert_eq!(
            parsed(
                r#"msg="{{ v | replace(\"w\", \"W\") }}" b='it\'s'"#,
                "debug"
            ),
            r#"{'msg': '{{ v | replace("w", "W") }}', 'b': "it's"}"#
        );
        assert_eq!(
            parsed(r#"msg="{{ "a \"b\" c" }}""#, "debug"),
            r#"{'msg': '{{ "a "b" c" }}'}"#
        );
        assert_eq!(
            parsed(r"a=x\t\x41\u00e9\.\d\xg", "debug"),
            r"{'a': 'x\tAé\\.\\d\\xg'}"
        );
        assert!(parse(&Str::trusted("msg={{ it's }}"), "debug").is_err());
    }

    #[test]
    fn keys_may_be_templates_and_begin_values_at_the_first_sign() {
        assert_eq!(
            parsed("{{ 'x' + item }}={{ item }}", "set_fact"),
            "{\"{{ 'x' + item }}\": '{{ item }}'}"
        );
        assert_eq!(parsed("a/b=c=d", "set_fact"), "{'a/b': 'c=d'}");
        assert_eq!(
            parsed("=a b\\=c", "set_fact"),
            "{'_raw_params': '=a b\\\\=c'}"
        );
    }

    #[test]
    fn commands_keep_their_text() {
        assert_eq!(
            parsed("echo  'a  b' x=1 creates=/tmp/f", "command"),
            "{'creates': '/tmp/f', '_raw_params': \"echo  'a  b' x=1\"}"
        );
        assert_eq!(
            parsed("flush_handlers", "meta"),
            "{'_raw_params': 'flush_handlers'}"
        );
    }

    #[test]
    fn an_open_quote_is_an_error() {
        assert!(parse(&Str::trusted("msg='a"), "debug").is_err());
    }
}
