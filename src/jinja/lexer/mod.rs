//! Splits template text into data and tokens, with Jinja2's rules for blanks around blocks.

mod tokens;

use std::rc::Rc;

use super::Options;
use super::name::{Name, Names};
use crate::value::Value;

/// What is wrong with the text, and where: byte range.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) start: usize,
    pub(super) end: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Data(Rc<str>),
    VariableBegin,
    VariableEnd,
    BlockBegin,
    BlockEnd,
    Name(Name),
    Str(String),
    Number(Value),
    Op(&'static str),
    /// What can't be read; what is wrong is said when the parser comes to it, as Jinja2 does.
    Bad(String),
    Eof,
}

#[derive(Clone, Debug)]
pub(super) struct Spanned {
    pub(super) token: Token,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What a tag at some place opens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opens {
    Variable,
    Block,
    Comment,
    LineStatement,
    LineComment,
}

pub(super) struct Lexer<'a> {
    text: &'a str,
    options: &'a Options,
    names: &'a Names,
    at: usize,
    out: Vec<Spanned>,
    /// The next data loses its leading blanks (`-%}`), or one newline (`trim_blocks`).
    strip_next: bool,
    trim_newline: bool,
    /// What tags begin with, the longest first, and where each comes next as far as it is known.
    tags: [(&'a str, Opens, Option<usize>); 3],
}

/// Splits a whole template. Offsets are bytes of the text given.
pub(super) fn template(text: &str, options: &Options, names: &Names) -> Vec<Spanned> {
    let mut lexer = Lexer::new(text, options, names);
    let result = lexer.run();
    lexer.finished(result)
}

/// Splits a bare expression.
pub(super) fn expression(text: &str, options: &Options, names: &Names) -> Vec<Spanned> {
    let mut lexer = Lexer::new(text, options, names);
    let result = lexer.tokens(None, 0);
    lexer.finished(result)
}

impl<'a> Lexer<'a> {
    fn new(text: &'a str, options: &'a Options, names: &'a Names) -> Lexer<'a> {
        let mut tags = [
            (options.variable_start.as_str(), Opens::Variable, None),
            (options.block_start.as_str(), Opens::Block, None),
            (options.comment_start.as_str(), Opens::Comment, None),
        ];
        tags.sort_by_key(|(text, ..)| std::cmp::Reverse(text.len()));
        Lexer {
            text,
            options,
            names,
            at: 0,
            out: Vec::new(),
            strip_next: false,
            trim_newline: false,
            tags,
        }
    }

    fn push(&mut self, token: Token, start: usize, end: usize) {
        self.out.push(Spanned { token, start, end });
    }

    fn finished(mut self, result: Result<(), Problem>) -> Vec<Spanned> {
        if let Err(problem) = result {
            self.push(Token::Bad(problem.message), problem.start, problem.end);
        }
        let end = self.text.len();
        self.push(Token::Eof, end, end);
        self.out
    }

    fn problem(message: impl Into<String>, start: usize, end: usize) -> Problem {
        Problem {
            message: message.into(),
            start,
            end,
        }
    }

    fn run(&mut self) -> Result<(), Problem> {
        while self.at < self.text.len() {
            let Some((start, opens, length)) = self.next_tag() else {
                self.data(self.text.len(), None);
                self.at = self.text.len();
                break;
            };
            let mark = self.text[start + length..].chars().next();
            let control = match (opens, mark) {
                (Opens::LineStatement | Opens::LineComment, _) => None,
                (_, Some(c @ ('-' | '+'))) => Some(c),
                _ => None,
            };
            self.data(start, Some((opens, control)));
            self.at = start + length + usize::from(control.is_some());
            match opens {
                Opens::Comment => self.comment(start)?,
                Opens::LineComment => {
                    self.at = self.text[self.at..]
                        .find('\n')
                        .map_or(self.text.len(), |n| self.at + n);
                }
                Opens::LineStatement => {
                    self.push(Token::BlockBegin, start, self.at);
                    let end = self.line_end();
                    self.tokens(Some(("\n", end)), start)?;
                    self.push(Token::BlockEnd, end, end);
                    self.at = end;
                    self.skip_blank_lines();
                }
                Opens::Variable => {
                    self.push(Token::VariableBegin, start, self.at);
                    let close = self.options.variable_end.clone();
                    self.tokens(Some((&close, 0)), start)?;
                }
                Opens::Block => {
                    if self.raw(start)? {
                        continue;
                    }
                    self.push(Token::BlockBegin, start, self.at);
                    let close = self.options.block_end.clone();
                    self.tokens(Some((&close, 0)), start)?;
                }
            }
        }
        Ok(())
    }

    /// Goes past the end of a line, and past blank lines behind it: a line statement has them all.
    fn skip_blank_lines(&mut self) {
        let rest = &self.text[self.at..];
        let blank = &rest[..rest.len() - rest.trim_start().len()];
        self.at += match blank.rfind('\n') {
            Some(last) if blank.len() < rest.len() => last + 1,
            _ => blank.len(),
        };
    }

    /// Finds where a line statement ends: at the newline outside of brackets.
    fn line_end(&self) -> usize {
        let mut depth = 0i32;
        for (at, c) in self.text[self.at..].char_indices() {
            match c {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth -= 1,
                '\n' if depth <= 0 => return self.at + at,
                _ => {}
            }
        }
        self.text.len()
    }

    /// Finds the next tag: its start, what it opens, its length. Longer delimiters win.
    fn next_tag(&mut self) -> Option<(usize, Opens, usize)> {
        let options = self.options;
        let mut best: Option<(usize, Opens, usize)> = None;
        for (text, opens, next) in &mut self.tags {
            let (text, opens) = (*text, *opens);
            // What isn't there is looked for once, not behind every tag.
            let at = match *next {
                Some(at) if at >= self.at => at,
                _ => self.text[self.at..]
                    .find(text)
                    .map_or(usize::MAX, |at| self.at + at),
            };
            *next = Some(at);
            if at != usize::MAX
                && best.is_none_or(|(known, _, length)| {
                    at < known || (at == known && text.len() > length)
                })
            {
                best = Some((at, opens, text.len()));
            }
        }
        let mut lines = [
            (&options.line_statement_prefix, Opens::LineStatement),
            (&options.line_comment_prefix, Opens::LineComment),
        ];
        lines.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.as_ref().map(String::len)));
        for (prefix, opens) in lines {
            let Some(prefix) = prefix else { continue };
            let mut from = self.at;
            while let Some(found) = self.text[from..].find(prefix.as_str()) {
                let at = from + found;
                let line = self.text[..at].rfind('\n').map_or(0, |n| n + 1);
                let before = self.text[line..at].trim_end_matches([' ', '\t']);
                // Where `-%}` takes the blanks in front away, it doesn't begin its line.
                let is_stripped = self.strip_next
                    && self.text[..at].ends_with([' ', '\t'])
                    && self.text[self.at..at].trim_start().is_empty();
                if !is_stripped && (before.is_empty() || opens == Opens::LineComment) {
                    let start = (line + before.len()).max(self.at);
                    if best.is_none_or(|(known, ..)| start < known) {
                        best = Some((start, opens, at + prefix.len() - start));
                    }
                    break;
                }
                from = at + prefix.len();
            }
        }
        best
    }

    /// Emits the text up to `end`, blanks stripped as the tags on both sides ask.
    fn data(&mut self, end: usize, next: Option<(Opens, Option<char>)>) {
        let start = self.at;
        let mut text = &self.text[start..end];
        let mut begin = start;
        if std::mem::take(&mut self.strip_next) {
            let trimmed = text.trim_start();
            begin += text.len() - trimmed.len();
            text = trimmed;
            self.trim_newline = false;
        } else if std::mem::take(&mut self.trim_newline) {
            if let Some(rest) = text.strip_prefix('\n') {
                text = rest;
                begin += 1;
            } else if let Some(rest) = text.strip_prefix("\r\n") {
                text = rest;
                begin += 2;
            }
        }
        match next {
            Some((_, Some('-'))) => text = text.trim_end(),
            Some((opens, control))
                if control != Some('+')
                    && self.options.lstrip_blocks
                    && matches!(opens, Opens::Block | Opens::Comment) =>
            {
                let line = text.rfind('\n').map(|n| n + 1);
                let (from, at_line_start) = match line {
                    Some(line) => (line, true),
                    None => (0, begin == 0 || self.text[..begin].ends_with('\n')),
                };
                if at_line_start && text[from..].chars().all(|c| c == ' ' || c == '\t') {
                    text = &text[..from];
                }
            }
            _ => {}
        }
        if !text.is_empty() {
            self.push(Token::Data(text.into()), begin, end);
        }
    }

    /// After a tag's closing delimiter: what happens to the blanks behind it.
    fn closed(&mut self, control: Option<char>, is_block: bool) {
        match control {
            Some('-') => self.strip_next = true,
            Some('+') => {}
            _ => self.trim_newline = is_block && self.options.trim_blocks,
        }
    }

    fn comment(&mut self, start: usize) -> Result<(), Problem> {
        let close = &self.options.comment_end;
        let Some(found) = self.text[self.at..].find(close.as_str()) else {
            return Err(Self::problem("Missing end of comment tag", start, self.at));
        };
        let end = self.at + found;
        let control = self.text[self.at..end]
            .chars()
            .next_back()
            .filter(|c| matches!(c, '-' | '+'));
        self.at = end + close.len();
        self.closed(control, true);
        Ok(())
    }

    /// Reads `{% raw %}…{% endraw %}` as data; says whether it was one.
    fn raw(&mut self, start: usize) -> Result<bool, Problem> {
        let rest = &self.text[self.at..];
        let Some(after) = rest.trim_start().strip_prefix("raw") else {
            return Ok(false);
        };
        let trimmed = after.trim_start();
        let (control, trimmed) = match trimmed.strip_prefix('-') {
            Some(inner) if inner.starts_with(self.options.block_end.as_str()) => (Some('-'), inner),
            _ => (None, trimmed),
        };
        let Some(body) = trimmed.strip_prefix(self.options.block_end.as_str()) else {
            return Ok(false);
        };
        let body_start = self.text.len() - body.len();
        // The newline behind `{% raw %}` is part of what is raw.
        self.closed(control, false);
        let mut from = body_start;
        loop {
            let Some(found) = self.text[from..].find(self.options.block_start.as_str()) else {
                return Err(Self::problem(
                    "Missing end of raw directive",
                    start,
                    body_start,
                ));
            };
            let open = from + found;
            let inner = &self.text[open + self.options.block_start.len()..];
            let (left, inner) = match inner.strip_prefix(['-', '+']) {
                Some(rest) => (inner.chars().next(), rest),
                None => (None, inner),
            };
            let word = inner.trim_start();
            if let Some(rest) = word.strip_prefix("endraw") {
                let rest = rest.trim_start();
                let (right, rest) = match rest.strip_prefix(['-', '+']) {
                    Some(inner) if inner.starts_with(self.options.block_end.as_str()) => {
                        (rest.chars().next(), inner)
                    }
                    _ => (None, rest),
                };
                if let Some(rest) = rest.strip_prefix(self.options.block_end.as_str()) {
                    self.at = body_start;
                    self.data(open, Some((Opens::Block, left)));
                    self.at = self.text.len() - rest.len();
                    self.strip_next = false;
                    self.trim_newline = false;
                    self.closed(right, true);
                    return Ok(true);
                }
            }
            from = open + self.options.block_start.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(text: &str, options: &Options) -> String {
        template(text, options, &Names::new())
            .into_iter()
            .filter_map(|spanned| match spanned.token {
                Token::Data(text) => Some(text.to_string()),
                _ => None,
            })
            .collect::<Vec<_>>()
            .join("|")
    }

    #[test]
    fn blanks_around_blocks_go_as_asked() {
        let trim = Options {
            trim_blocks: true,
            ..Options::default()
        };
        assert_eq!(data("a\n{% x %}\nb\n", &trim), "a\n|b\n");
        assert_eq!(data("a\n  {%- x -%}\n  b", &trim), "a|b");
        assert_eq!(data("a\n{% x +%}\nb", &trim), "a\n|\nb");
        let lstrip = Options {
            lstrip_blocks: true,
            ..Options::default()
        };
        assert_eq!(
            data("a\n  {% x %}b\n  {%+ x %}\n  {{ y }}", &lstrip),
            "a\n|b\n  |\n  "
        );
        assert_eq!(data("{# c #}\na", &trim), "a");
        assert_eq!(data("{% raw %}{{ x }}{% endraw %}y", &trim), "{{ x }}|y");
    }

    #[test]
    fn broken_text_is_a_problem_and_never_a_panic() {
        for text in [
            "{{ 'a",
            "{{ a",
            "{% raw %}",
            "{# a",
            "{{ ) }}",
            "{{ ` }}",
            "{{ '\\x1' }}",
        ] {
            let tokens = template(text, &Options::default(), &Names::new());
            let is_bad = |spanned: &Spanned| matches!(spanned.token, Token::Bad(_));
            assert!(tokens.iter().any(is_bad), "{text}");
        }
    }

    #[test]
    fn numbers_end_where_python_s_grammar_ends_them() {
        for (text, numbers) in [
            ("0777", "0 777"),
            ("1_000.5e-3", "1.0005"),
            ("1__0", "1"),
            ("0x_ff", "255"),
            ("0x", "0"),
            ("00_0", "0"),
            ("1.2.3", "1.2 3"),
        ] {
            let tokens = expression(text, &Options::default(), &Names::new());
            let found: Vec<String> = tokens
                .iter()
                .filter_map(|spanned| match &spanned.token {
                    Token::Number(value) => Some(value.repr()),
                    _ => None,
                })
                .collect();
            assert_eq!(found.join(" "), numbers, "{text}");
        }
    }
}
