//! Reads JSON as Python's `json` does: `NaN` and `Infinity` are numbers, and errors are worded as there.

use super::failed;
use crate::diag::Result;
use crate::value::{Dict, Key, MAX_DEPTH, Number, Value};

/// Reads text that plain JSON didn't take.
pub(super) fn read(text: &str) -> Result<Value> {
    let mut reader = Reader {
        chars: text.chars().collect(),
        at: 0,
    };
    reader.blanks();
    let value = reader.value(0)?;
    reader.blanks();
    if reader.at < reader.chars.len() {
        return Err(reader.wrong("Extra data", reader.at));
    }
    Ok(value)
}

struct Reader {
    chars: Vec<char>,
    at: usize,
}

impl Reader {
    fn wrong(&self, what: &str, at: usize) -> crate::diag::Error {
        let before = &self.chars[..at.min(self.chars.len())];
        let line = before.iter().filter(|c| **c == '\n').count() + 1;
        let column = before.iter().rev().take_while(|c| **c != '\n').count() + 1;
        failed(format!("{what}: line {line} column {column} (char {at})"))
    }

    fn blanks(&mut self) {
        while matches!(self.chars.get(self.at), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, c: char) -> bool {
        let is = self.chars.get(self.at) == Some(&c);
        self.at += usize::from(is);
        is
    }

    fn word(&mut self, word: &str) -> bool {
        let end = self.at + word.chars().count();
        let is = self
            .chars
            .get(self.at..end)
            .is_some_and(|part| part.iter().copied().eq(word.chars()));
        if is {
            self.at = end;
        }
        is
    }

    fn value(&mut self, depth: usize) -> Result<Value> {
        if depth > MAX_DEPTH {
            return Err(failed("the JSON is nested too deeply"));
        }
        let start = self.at;
        match self.chars.get(start) {
            Some('{') => self.object(depth),
            Some('[') => self.array(depth),
            Some('"') => self.string().map(Value::from),
            Some(c) if c.is_ascii_digit() || *c == '-' => {
                if self.word("-Infinity") {
                    return Ok(Value::Float(f64::NEG_INFINITY));
                }
                let end = self.number_end(start);
                let text: String = self.chars[start..end].iter().collect();
                self.at = end;
                Number::integer(&text)
                    .or_else(|| text.parse().ok().map(Value::Float))
                    .ok_or_else(|| self.wrong("Expecting value", start))
            }
            _ => {
                for (word, value) in [
                    ("true", Value::Bool(true)),
                    ("false", Value::Bool(false)),
                    ("null", Value::None),
                    ("NaN", Value::Float(f64::NAN)),
                    ("Infinity", Value::Float(f64::INFINITY)),
                ] {
                    if self.word(word) {
                        return Ok(value);
                    }
                }
                Err(self.wrong("Expecting value", start))
            }
        }
    }

    /// Returns where the number ends that begins here, as JSON has numbers: what follows is not its.
    fn number_end(&self, start: usize) -> usize {
        let digits = |from: usize| {
            let rest = self.chars.get(from..).unwrap_or_default();
            from + rest.iter().take_while(|c| c.is_ascii_digit()).count()
        };
        let whole = start + usize::from(self.chars[start] == '-');
        let mut end = match self.chars.get(whole) {
            Some('0') => whole + 1,
            _ => digits(whole),
        };
        if self.chars.get(end) == Some(&'.') && digits(end + 1) > end + 1 {
            end = digits(end + 1);
        }
        if matches!(self.chars.get(end), Some('e' | 'E')) {
            let sign = usize::from(matches!(self.chars.get(end + 1), Some('+' | '-')));
            let power = end + 1 + sign;
            if digits(power) > power {
                end = digits(power);
            }
        }
        end
    }

    fn array(&mut self, depth: usize) -> Result<Value> {
        self.at += 1;
        let mut items = Vec::new();
        self.blanks();
        if self.take(']') {
            return Ok(Value::list(items));
        }
        loop {
            self.blanks();
            items.push(self.value(depth + 1)?);
            self.blanks();
            if self.take(']') {
                return Ok(Value::list(items));
            }
            if !self.take(',') {
                return Err(self.wrong("Expecting ',' delimiter", self.at));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value> {
        self.at += 1;
        let dict = Dict::new();
        self.blanks();
        if self.take('}') {
            return Ok(Value::Dict(dict));
        }
        loop {
            self.blanks();
            if self.chars.get(self.at) != Some(&'"') {
                return Err(
                    self.wrong("Expecting property name enclosed in double quotes", self.at)
                );
            }
            let key = self.string()?;
            self.blanks();
            if !self.take(':') {
                return Err(self.wrong("Expecting ':' delimiter", self.at));
            }
            self.blanks();
            let value = self.value(depth + 1)?;
            dict.set_key(Key::str(key), value);
            self.blanks();
            if self.take('}') {
                return Ok(Value::Dict(dict));
            }
            if !self.take(',') {
                return Err(self.wrong("Expecting ',' delimiter", self.at));
            }
        }
    }

    fn string(&mut self) -> Result<String> {
        let start = self.at;
        self.at += 1;
        let mut raw = String::from('"');
        while let Some(c) = self.chars.get(self.at).copied() {
            self.at += 1;
            raw.push(c);
            match c {
                '"' => {
                    return serde_json::from_str(&raw)
                        .map_err(|_| self.wrong("Invalid \\escape", start));
                }
                '\\' => {
                    raw.extend(self.chars.get(self.at));
                    self.at += 1;
                }
                c if c < ' ' => return Err(self.wrong("Invalid control character at", self.at - 1)),
                _ => {}
            }
        }
        Err(self.wrong("Unterminated string starting at", start))
    }
}
