//! Python literals, as `ast.literal_eval` reads them.

use super::{Dict, Key, Number, Set, Value};

/// Reads a Python literal: numbers, strings, lists, tuples, dicts, sets, booleans, `None`.
///
/// A comment may follow. Strings are untrusted. `None` where the text is anything else.
///
/// **Source:** `ast.literal_eval`, which Ansible applies to values of INI inventories and, before
/// 2.19, to the results of templates.
pub fn literal(text: &str) -> Option<Value> {
    let mut reader = Reader {
        rest: text.trim(),
        depth: 0,
    };
    let first = reader.value()?;
    reader.blanks();
    if reader.rest.is_empty() {
        return Some(first);
    }
    // A bare `1, 2` is a tuple.
    let mut items = vec![first];
    while reader.take(",") {
        reader.blanks();
        if reader.rest.is_empty() {
            break;
        }
        items.push(reader.value()?);
        reader.blanks();
    }
    reader.rest.is_empty().then(|| Value::tuple(items))
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl Reader<'_> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start();
        while self.rest.starts_with('#') {
            self.rest = self
                .rest
                .find('\n')
                .map_or("", |end| &self.rest[end..])
                .trim_start();
        }
    }

    fn take(&mut self, text: &str) -> bool {
        self.blanks();
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self) -> Option<Value> {
        self.blanks();
        if self.depth > super::MAX_DEPTH {
            return None;
        }
        self.depth += 1;
        let value = self.value_inside();
        self.depth -= 1;
        value
    }

    fn value_inside(&mut self) -> Option<Value> {
        match self.rest.chars().next()? {
            '[' => self.list(),
            '(' => self.tuple(),
            '{' => self.dict_or_set(),
            '\'' | '"' => self.strings(),
            'u' | 'r' | 'b' if self.rest[1..].starts_with(['\'', '"']) => {
                let kind = self.rest.as_bytes()[0];
                self.rest = &self.rest[1..];
                match (kind, self.strings()?) {
                    (b'b', Value::Str(text)) => Some(Value::Bytes(text.as_bytes().into())),
                    (_, value) => Some(value),
                }
            }
            '0'..='9' | '-' | '+' | '.' => self.number(),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Option<Value> {
        let end = self
            .rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(self.rest.len());
        let value = match &self.rest[..end] {
            "True" => Value::Bool(true),
            "False" => Value::Bool(false),
            "None" => Value::None,
            _ => return None,
        };
        self.rest = &self.rest[end..];
        Some(value)
    }

    fn list(&mut self) -> Option<Value> {
        self.take("[");
        Some(Value::list(self.items("]")?.0))
    }

    fn tuple(&mut self) -> Option<Value> {
        self.take("(");
        let (items, comma) = self.items(")")?;
        // Parentheses alone group.
        match (&items[..], comma) {
            ([one], false) => Some(one.clone()),
            _ => Some(Value::tuple(items)),
        }
    }

    /// Reads items up to the closing bracket; says whether a comma was among them.
    fn items(&mut self, close: &str) -> Option<(Vec<Value>, bool)> {
        let mut items = Vec::new();
        let mut comma = false;
        loop {
            if self.take(close) {
                return Some((items, comma));
            }
            items.push(self.value()?);
            if self.take(",") {
                comma = true;
            } else {
                return self.take(close).then_some((items, comma));
            }
        }
    }

    fn dict_or_set(&mut self) -> Option<Value> {
        self.take("{");
        let dict = Dict::new();
        if self.take("}") {
            return Some(Value::Dict(dict));
        }
        let first = self.value()?;
        if !self.take(":") {
            let mut items = vec![Key::new(first).ok()?];
            while self.take(",") {
                if self.take("}") {
                    return Some(Value::Set(items.into_iter().collect::<Set>()));
                }
                items.push(Key::new(self.value()?).ok()?);
            }
            return self
                .take("}")
                .then(|| Value::Set(items.into_iter().collect::<Set>()));
        }
        let value = self.value()?;
        dict.set_key(Key::new(first).ok()?, value);
        while self.take(",") {
            if self.take("}") {
                return Some(Value::Dict(dict));
            }
            let key = self.value()?;
            if !self.take(":") {
                return None;
            }
            let value = self.value()?;
            dict.set_key(Key::new(key).ok()?, value);
        }
        self.take("}").then_some(Value::Dict(dict))
    }

    /// Reads adjacent strings as one.
    fn strings(&mut self) -> Option<Value> {
        let mut all = String::new();
        loop {
            all.push_str(&self.string()?);
            self.blanks();
            if !self.rest.starts_with(['\'', '"']) {
                return Some(Value::str(all));
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        let quote = self.rest.chars().next()?;
        let triple: String = std::iter::repeat_n(quote, 3).collect();
        let close = if self.rest.starts_with(&triple) {
            triple
        } else {
            quote.to_string()
        };
        let mut out = String::new();
        let mut rest = &self.rest[close.len()..];
        loop {
            if let Some(after) = rest.strip_prefix(close.as_str()) {
                self.rest = after;
                return Some(out);
            }
            let c = rest.chars().next()?;
            rest = &rest[c.len_utf8()..];
            if c == '\n' && close.len() == 1 {
                return None;
            }
            if c != '\\' {
                out.push(c);
                continue;
            }
            let escape = rest.chars().next()?;
            rest = &rest[escape.len_utf8()..];
            let hex = |digits: usize, rest: &mut &str| -> Option<char> {
                let code = u32::from_str_radix(rest.get(..digits)?, 16).ok()?;
                *rest = &rest[digits..];
                char::from_u32(code)
            };
            match escape {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                'a' => out.push('\u{7}'),
                'b' => out.push('\u{8}'),
                'f' => out.push('\u{c}'),
                'v' => out.push('\u{b}'),
                '0' => out.push('\0'),
                '\n' => {}
                '\\' | '\'' | '"' => out.push(escape),
                'x' => out.push(hex(2, &mut rest)?),
                'u' => out.push(hex(4, &mut rest)?),
                'U' => out.push(hex(8, &mut rest)?),
                other => {
                    out.push('\\');
                    out.push(other);
                }
            }
        }
    }

    fn number(&mut self) -> Option<Value> {
        let text = self.rest;
        let signed = text.trim_start_matches(['-', '+']);
        let negative = text[..text.len() - signed.len()].matches('-').count() % 2 == 1;
        let end = signed
            .char_indices()
            .find(|(at, c)| {
                let exponent = *at > 0
                    && matches!(c, '+' | '-')
                    && signed[..*at].ends_with(['e', 'E'])
                    && !signed.starts_with("0x");
                !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_') || exponent)
            })
            .map_or(signed.len(), |(at, _)| at);
        let digits = &signed[..end];
        if digits.starts_with('_') || digits.ends_with('_') || digits.contains("__") {
            return None;
        }
        let plain = digits.replace('_', "");
        let radix = |prefix: &str, radix: u32| {
            plain
                .strip_prefix(prefix)
                .or_else(|| plain.strip_prefix(&prefix.to_uppercase()))
                .and_then(|digits| num_bigint::BigInt::parse_bytes(digits.as_bytes(), radix))
        };
        let value = if let Some(number) = radix("0x", 16)
            .or_else(|| radix("0o", 8))
            .or_else(|| radix("0b", 2))
        {
            Value::from_big(if negative { -number } else { number })
        } else if plain.bytes().all(|b| b.is_ascii_digit()) {
            // `010` is no literal in Python 3, `00` is.
            if plain.len() > 1 && plain.starts_with('0') && plain.bytes().any(|b| b != b'0') {
                return None;
            }
            Number::integer(&format!("{}{plain}", if negative { "-" } else { "" }))?
        } else {
            if !plain.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
                return None;
            }
            let number: f64 = plain.parse().ok()?;
            Value::Float(if negative { -number } else { number })
        };
        self.rest = &signed[end..];
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn literals_read_as_in_python() {
        for (text, repr) in [
            ("5", Some("5")),
            ("-5.50", Some("-5.5")),
            ("'a b'", Some("'a b'")),
            ("[1, 'x', None,]", Some("[1, 'x', None]")),
            ("{'a': (1,), 2: True}", Some("{'a': (1,), 2: True}")),
            ("1, 2", Some("(1, 2)")),
            ("(1)", Some("1")),
            ("5 # five", Some("5")),
            ("0x10", Some("16")),
            ("010", None),
            ("true", None),
            ("a.b", None),
            ("1.2.3", None),
            ("2 + 2", None),
            ("[1, 2", None),
            ("'it''s'", Some("'its'")),
            ("1_000", Some("1000")),
            ("1e3", Some("1000.0")),
        ] {
            assert_eq!(literal(text).map(|v| v.repr()).as_deref(), repr, "{text}");
        }
    }
}
