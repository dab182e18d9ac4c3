//! Splits what stands inside of tags.

use num_bigint::BigInt;

use super::{Lexer, Problem, Token};
use crate::value::Value;

const OPERATORS: &[&str] = &[
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}",
    ">", "<", "=", ".", ":", "|", ",", ";",
];

/// Says whether a name may begin with a character.
///
/// **Source:** Python's identifiers, with the characters that Unicode lists as `Other_ID_Start`.
fn starts_name(c: char) -> bool {
    c.is_alphabetic()
        || matches!(
            c,
            '_' | '\u{1885}' | '\u{1886}' | '\u{2118}' | '\u{212e}' | '\u{309b}' | '\u{309c}'
        )
}

/// Says whether a name may go on with a character.
///
/// **Source:** Python's identifiers, with the characters that Unicode lists as `Other_ID_Continue`.
fn continues_name(c: char) -> bool {
    starts_name(c)
        || c.is_alphanumeric()
        || matches!(
            c,
            '\u{b7}' | '\u{387}' | '\u{1369}'..='\u{1371}' | '\u{19da}'
        )
}

impl Lexer<'_> {
    /// Reads tokens up to a closing delimiter, up to an offset (line statements), or to the end.
    pub(super) fn tokens(
        &mut self,
        close: Option<(&str, usize)>,
        start: usize,
    ) -> Result<(), Problem> {
        let mut brackets: Vec<(char, usize)> = Vec::new();
        loop {
            let rest = &self.text[self.at..];
            let limit = match close {
                Some(("\n", end)) => Some(end),
                _ => None,
            };
            if limit.is_some_and(|end| self.at >= end) {
                return Ok(());
            }
            if let Some((close, 0)) = close
                && brackets.is_empty()
            {
                let (control, candidate) = match rest.strip_prefix(['-', '+']) {
                    Some(inner) if inner.starts_with(close) => (rest.chars().next(), inner),
                    _ => (None, rest),
                };
                if candidate.starts_with(close) {
                    let is_block = close == self.options.block_end;
                    let from = self.at;
                    self.at = self.text.len() - candidate.len() + close.len();
                    let in_block = self
                        .out
                        .iter()
                        .rev()
                        .find_map(|spanned| match spanned.token {
                            Token::BlockBegin => Some(true),
                            Token::VariableBegin => Some(false),
                            _ => None,
                        });
                    let is_block = is_block && in_block == Some(true);
                    let token = if is_block {
                        Token::BlockEnd
                    } else {
                        Token::VariableEnd
                    };
                    self.push(token, from, self.at);
                    self.closed(control, is_block);
                    return Ok(());
                }
            }
            let Some(c) = rest.chars().next() else {
                return match close {
                    None => Ok(()),
                    Some((end, _)) => Err(Self::problem(
                        format!(
                            "unexpected end of template, expected 'end of {}'.",
                            if end == self.options.variable_end {
                                "print statement"
                            } else {
                                "statement block"
                            }
                        ),
                        start,
                        start + 2,
                    )),
                };
            };
            let from = self.at;
            if c.is_whitespace() {
                self.at += c.len_utf8();
            } else if c == '"' || c == '\'' {
                self.string(c)?;
            } else if c.is_ascii_digit() {
                self.number();
            } else if starts_name(c) {
                let length = rest
                    .find(|c: char| !continues_name(c))
                    .unwrap_or(rest.len());
                self.at += length;
                let name = self.names.of(&rest[..length]);
                self.push(Token::Name(name), from, self.at);
            } else if let Some(operator) = OPERATORS
                .iter()
                .find(|operator| rest.starts_with(**operator))
            {
                match *operator {
                    "(" | "[" | "{" => brackets.push((c, from)),
                    ")" | "]" | "}" => {
                        let wanted = match c {
                            ')' => '(',
                            ']' => '[',
                            _ => '{',
                        };
                        match brackets.pop() {
                            Some((open, _)) if open == wanted => {}
                            Some((open, _)) => {
                                let expected = match open {
                                    '(' => ')',
                                    '[' => ']',
                                    _ => '}',
                                };
                                return Err(Self::problem(
                                    format!("unexpected '{c}', expected '{expected}'"),
                                    from,
                                    from + 1,
                                ));
                            }
                            None => {
                                return Err(Self::problem(
                                    format!("unexpected '{c}'"),
                                    from,
                                    from + 1,
                                ));
                            }
                        }
                    }
                    _ => {}
                }
                self.at += operator.len();
                self.push(Token::Op(operator), from, self.at);
            } else {
                let end = from + c.len_utf8();
                return Err(Self::problem(
                    format!(
                        "unexpected char {} at {from}",
                        crate::value::str_repr(&c.to_string())
                    ),
                    from,
                    end,
                ));
            }
        }
    }

    /// Says whether backslashes stand for themselves here: in output, where the options say so.
    fn literal_backslashes(&self) -> bool {
        self.options.literal_backslashes
            && self
                .out
                .iter()
                .rev()
                .find_map(|spanned| match spanned.token {
                    Token::VariableBegin => Some(true),
                    Token::BlockBegin => Some(false),
                    _ => None,
                })
                .unwrap_or(false)
    }

    pub(super) fn string(&mut self, quote: char) -> Result<(), Problem> {
        let start = self.at;
        let literal = self.literal_backslashes();
        let mut out = String::new();
        let mut chars = self.text[start + 1..].char_indices();
        while let Some((at, c)) = chars.next() {
            if c == quote {
                self.at = start + 1 + at + 1;
                self.push(Token::Str(out), start, self.at);
                return Ok(());
            }
            if c != '\\' {
                out.push(c);
                continue;
            }
            let Some((_, escape)) = chars.next() else {
                break;
            };
            if literal {
                out.push('\\');
                out.push(escape);
                continue;
            }
            let mut hex = |count: usize| {
                let mut code = 0u32;
                for _ in 0..count {
                    let (_, digit) = chars.next()?;
                    code = code * 16 + digit.to_digit(16)?;
                }
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
                '\n' => {}
                '\\' | '\'' | '"' => out.push(escape),
                'x' | 'u' | 'U' => {
                    let count = match escape {
                        'x' => 2,
                        'u' => 4,
                        _ => 8,
                    };
                    match hex(count) {
                        Some(c) => out.push(c),
                        None => {
                            let digits = match escape {
                                'x' => "\\xXX",
                                'u' => "\\uXXXX",
                                _ => "\\UXXXXXXXX",
                            };
                            return Err(Self::problem(
                                format!("truncated {digits} escape"),
                                start,
                                start + 1,
                            ));
                        }
                    }
                }
                '0'..='7' => {
                    let mut code = escape.to_digit(8).unwrap_or(0);
                    let mut look = chars.clone();
                    for _ in 0..2 {
                        match look.next() {
                            Some((_, digit)) if digit.is_digit(8) => {
                                code = code * 8 + digit.to_digit(8).unwrap_or(0);
                                chars = look.clone();
                            }
                            _ => break,
                        }
                    }
                    out.extend(char::from_u32(code));
                }
                other => {
                    out.push('\\');
                    out.push(other);
                }
            }
        }
        Err(Self::problem(
            format!(
                "unexpected char {} at {start}",
                crate::value::str_repr(&quote.to_string())
            ),
            start,
            start + 1,
        ))
    }

    /// Reads a number as Jinja2 does: a float where there is a fraction or an exponent, unless a
    /// dot in front makes it an index (`rows.0.1`); else an integer, which no digit but zero follows
    /// where it begins with zero.
    pub(super) fn number(&mut self) {
        let start = self.at;
        let rest = &self.text[start..];
        let float = if self.text[..start].ends_with('.') {
            None
        } else {
            float_length(rest)
        };
        let (length, value) = match float {
            Some(length) => {
                let text = rest[..length].replace('_', "");
                (length, Value::Float(text.parse().unwrap_or(f64::NAN)))
            }
            None => integer(rest),
        };
        self.at += length;
        self.push(Token::Number(value), start, self.at);
    }
}

/// Returns how long digits with single underscores between them are.
fn digits(text: &str, is_digit: impl Fn(char) -> bool) -> usize {
    let mut length = 0;
    for (at, c) in text.char_indices() {
        if is_digit(c) {
            length = at + 1;
        } else if c != '_' || length != at || at == 0 {
            break;
        }
    }
    length
}

/// Returns how long the float at the beginning is, if there is one.
fn float_length(text: &str) -> Option<usize> {
    let is_digit = |c: char| c.is_ascii_digit();
    let whole = digits(text, is_digit);
    let mut length = whole;
    if let Some(fraction) = text[length..].strip_prefix('.') {
        let fraction = digits(fraction, is_digit);
        if fraction > 0 {
            length += 1 + fraction;
        }
    }
    if let Some(exponent) = text[length..].strip_prefix(['e', 'E']) {
        let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let power = digits(unsigned, is_digit);
        if power > 0 {
            length += 1 + exponent.len() - unsigned.len() + power;
        }
    }
    (length > whole).then_some(length)
}

/// Reads the integer at the beginning: its length and value.
fn integer(text: &str) -> (usize, Value) {
    let prefix = text.get(..2).unwrap_or("").to_ascii_lowercase();
    let radix = match prefix.as_str() {
        "0b" => Some(2),
        "0o" => Some(8),
        "0x" => Some(16),
        _ => None,
    };
    if let Some(radix) = radix {
        // One underscore may follow the prefix.
        let body = text[2..].strip_prefix('_').unwrap_or(&text[2..]);
        let length = digits(body, |c| c.is_digit(radix));
        let number = body[..length].replace('_', "");
        if let Some(number) = BigInt::parse_bytes(number.as_bytes(), radix) {
            return (text.len() - body.len() + length, Value::from_big(number));
        }
    }
    let length = if text.starts_with('0') {
        digits(text, |c| c == '0')
    } else {
        digits(text, |c| c.is_ascii_digit())
    };
    let number = text[..length].replace('_', "");
    let value = crate::value::Number::integer(&number).unwrap_or(Value::Int(0));
    (length, value)
}
