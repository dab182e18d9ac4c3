//! What Python's `json` says about text that is no JSON.
//!
//! **Source:** the documentation of `json.JSONDecodeError` and what `CPython` was seen to say.

use super::MAX_DEPTH;

/// Returns Python's message for text that isn't JSON, with line and column; none for JSON.
pub fn json_error(text: &str) -> Option<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut scan = Scan {
        chars: &chars,
        at: 0,
        depth: 0,
    };
    scan.blanks();
    let found = scan.value().and_then(|()| {
        scan.blanks();
        if scan.at < chars.len() {
            Err(("Extra data", scan.at))
        } else {
            Ok(())
        }
    });
    let (message, at) = found.err()?;
    let before = &chars[..at.min(chars.len())];
    let line = before.iter().filter(|c| **c == '\n').count() + 1;
    let column = before.iter().rev().take_while(|c| **c != '\n').count() + 1;
    Some(format!(
        "{message}: line {line} column {column} (char {at})"
    ))
}

type Found = Result<(), (&'static str, usize)>;

struct Scan<'a> {
    chars: &'a [char],
    at: usize,
    depth: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Found {
        let start = self.at;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(("nested too deeply", start));
        }
        let done = match self.peek() {
            Some('"') => self.string(),
            Some('{') => self.object(),
            Some('[') => self.array(),
            Some('-' | '0'..='9') => self.number(),
            _ => ["null", "true", "false", "NaN", "Infinity"]
                .iter()
                .find(|word| {
                    self.chars[start..]
                        .iter()
                        .copied()
                        .take(word.len())
                        .eq(word.chars())
                })
                .map(|word| self.at += word.len())
                .ok_or(("Expecting value", start)),
        };
        self.depth -= 1;
        done
    }

    fn number(&mut self) -> Found {
        let start = self.at;
        if self.peek() == Some('-') {
            self.at += 1;
            if self.chars[self.at..].starts_with(&['I', 'n', 'f', 'i', 'n', 'i', 't', 'y']) {
                self.at += 8;
                return Ok(());
            }
        }
        match self.peek() {
            Some('0') => self.at += 1,
            Some('1'..='9') => self.digits(),
            _ => {
                self.at = start;
                return Err(("Expecting value", start));
            }
        }
        if self.peek() == Some('.') && matches!(self.chars.get(self.at + 1), Some('0'..='9')) {
            self.at += 1;
            self.digits();
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            let sign = usize::from(matches!(self.chars.get(self.at + 1), Some('+' | '-')));
            if matches!(self.chars.get(self.at + 1 + sign), Some('0'..='9')) {
                self.at += 1 + sign;
                self.digits();
            }
        }
        Ok(())
    }

    fn digits(&mut self) {
        while matches!(self.peek(), Some('0'..='9')) {
            self.at += 1;
        }
    }

    fn string(&mut self) -> Found {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                None => return Err(("Unterminated string starting at", start)),
                Some('"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some('\\') => {
                    self.at += 1;
                    match self.peek() {
                        None => return Err(("Unterminated string starting at", start)),
                        Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => self.at += 1,
                        Some('u') => {
                            let digits = self.chars.iter().skip(self.at + 1).take(4);
                            if digits.clone().count() < 4
                                || !digits.clone().all(char::is_ascii_hexdigit)
                            {
                                return Err(("Invalid \\uXXXX escape", self.at));
                            }
                            self.at += 5;
                        }
                        Some(_) => return Err(("Invalid \\escape", self.at - 1)),
                    }
                }
                Some(c) if c < ' ' => return Err(("Invalid control character at", self.at)),
                Some(_) => self.at += 1,
            }
        }
    }

    fn object(&mut self) -> Found {
        const NAME: &str = "Expecting property name enclosed in double quotes";
        self.at += 1;
        self.blanks();
        if self.peek() == Some('}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.peek() != Some('"') {
                return Err((NAME, self.at));
            }
            self.string()?;
            self.blanks();
            if self.peek() != Some(':') {
                return Err(("Expecting ':' delimiter", self.at));
            }
            self.at += 1;
            self.blanks();
            self.value()?;
            self.blanks();
            match self.peek() {
                Some('}') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(',') => self.at += 1,
                _ => return Err(("Expecting ',' delimiter", self.at)),
            }
            self.blanks();
        }
    }

    fn array(&mut self) -> Found {
        self.at += 1;
        self.blanks();
        if self.peek() == Some(']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value()?;
            self.blanks();
            match self.peek() {
                Some(']') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(',') => self.at += 1,
                _ => return Err(("Expecting ',' delimiter", self.at)),
            }
            self.blanks();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::json_error;

    #[test]
    fn messages_are_those_of_python() {
        for (text, message) in [
            (
                "{not",
                "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
            ),
            ("", "Expecting value: line 1 column 1 (char 0)"),
            ("[1,\n x]", "Expecting value: line 2 column 2 (char 5)"),
            (
                "{\"a\" 1}",
                "Expecting ':' delimiter: line 1 column 6 (char 5)",
            ),
            ("[1 2]", "Expecting ',' delimiter: line 1 column 4 (char 3)"),
            ("[]\nh1", "Extra data: line 2 column 1 (char 3)"),
            (
                "\"ab",
                "Unterminated string starting at: line 1 column 1 (char 0)",
            ),
        ] {
            assert_eq!(json_error(text).as_deref(), Some(message), "{text}");
        }
        assert_eq!(json_error("{\"a\": [1, 2.5e3, null, \"x\\u00e4\"]}"), None);
    }
}
