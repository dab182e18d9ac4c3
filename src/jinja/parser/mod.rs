//! From tokens to the syntax tree.

mod expression;
mod statement;
mod translation;

use super::ast::{Expr, Node};
use super::environment::Options;
use super::lexer::{Problem, Spanned, Token};
use super::name::{Name, Names};
use crate::value::Value;

/// How many operators one expression may have in a row.
const MAX_CHAIN: usize = 500;

/// How deep expressions and blocks may nest.
const MAX_NESTING: usize = 150;

type Parsed<T> = Result<T, Problem>;

pub(super) struct Parser<'a> {
    names: &'a Names,
    options: &'a Options,
    tokens: Vec<Spanned>,
    at: usize,
    trusted: bool,
    depth: usize,
    /// The blocks that are open, innermost last: their names and the tags that end them.
    open: Vec<(&'static str, &'static [&'static str])>,
    /// The names of the blocks so far.
    blocks: Vec<Name>,
    /// The variables that were read so far.
    reads: Vec<Name>,
}

/// Parses a template's tokens. Literals are trusted where the template is.
pub(super) fn template(
    tokens: Vec<Spanned>,
    trusted: bool,
    options: &Options,
    names: &Names,
) -> Parsed<Vec<Node>> {
    let mut parser = Parser {
        options,
        names,
        tokens,
        at: 0,
        trusted,
        depth: 0,
        open: Vec::new(),
        blocks: Vec::new(),
        reads: Vec::new(),
    };
    let nodes = parser.nodes("", &[])?;
    match parser.peek() {
        Token::Eof => Ok(nodes),
        _ => Err(parser.unexpected()),
    }
}

/// Parses an expression's tokens.
pub(super) fn expression(
    tokens: Vec<Spanned>,
    trusted: bool,
    options: &Options,
    names: &Names,
) -> Parsed<Expr> {
    let mut parser = Parser {
        options,
        names,
        tokens,
        at: 0,
        trusted,
        depth: 0,
        open: Vec::new(),
        blocks: Vec::new(),
        reads: Vec::new(),
    };
    let expr = parser.tuple(true)?;
    match parser.peek() {
        Token::Eof => Ok(expr),
        _ => Err(parser.unexpected()),
    }
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        &self.tokens[self.at.min(self.tokens.len() - 1)].token
    }

    fn spanned(&self) -> &Spanned {
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn start(&self) -> usize {
        self.spanned().start
    }

    fn last_end(&self) -> usize {
        self.tokens[self.at.saturating_sub(1).min(self.tokens.len() - 1)].end
    }

    fn advance(&mut self) {
        if self.at < self.tokens.len() - 1 {
            self.at += 1;
        }
    }

    fn is_op(&self, op: &str) -> bool {
        matches!(self.peek(), Token::Op(known) if *known == op)
    }

    fn is_name(&self, name: &str) -> bool {
        matches!(self.peek(), Token::Name(known) if **known == *name)
    }

    fn next_is_name(&self, name: &str) -> bool {
        matches!(self.tokens.get(self.at + 1).map(|s| &s.token), Some(Token::Name(known)) if **known == *name)
    }

    fn take_op(&mut self, op: &str) -> bool {
        let is = self.is_op(op);
        if is {
            self.advance();
        }
        is
    }

    fn take_name(&mut self, name: &str) -> bool {
        let is = self.is_name(name);
        if is {
            self.advance();
        }
        is
    }

    fn describe(token: &Token) -> String {
        match token {
            Token::Data(_) => "template data / text".to_owned(),
            Token::VariableBegin => "begin of print statement".to_owned(),
            Token::VariableEnd => "end of print statement".to_owned(),
            Token::BlockBegin => "begin of statement block".to_owned(),
            Token::BlockEnd => "end of statement block".to_owned(),
            Token::Name(name) => name.to_string(),
            Token::Str(_) => "string".to_owned(),
            Token::Number(Value::Float(_)) => "float".to_owned(),
            Token::Number(_) => "integer".to_owned(),
            Token::Op(op) => (*op).to_owned(),
            Token::Bad(problem) => problem.clone(),
            Token::Eof => "end of template".to_owned(),
        }
    }

    fn unexpected(&self) -> Problem {
        let found = Self::describe(self.peek());
        self.fail(match self.peek() {
            Token::Eof => "unexpected 'end of template'".to_owned(),
            _ => format!("unexpected '{found}'"),
        })
    }

    fn fail(&self, message: impl Into<String>) -> Problem {
        let spanned = self.spanned();
        Problem {
            message: match &spanned.token {
                Token::Bad(problem) => problem.clone(),
                _ => message.into(),
            },
            start: spanned.start,
            end: spanned.end,
        }
    }

    fn expect_op(&mut self, op: &str) -> Parsed<()> {
        if self.take_op(op) {
            return Ok(());
        }
        let found = Self::describe(self.peek());
        Err(self.fail(format!("expected token '{op}', got '{found}'")))
    }

    fn expect_name(&mut self) -> Parsed<Name> {
        match self.peek() {
            Token::Name(name) => {
                let name = name.clone();
                self.advance();
                Ok(name)
            }
            other => Err(self.fail(format!(
                "expected token 'name', got '{}'",
                Self::describe(other)
            ))),
        }
    }

    /// Says whether a variable was read since so many were.
    fn reads_since(&self, mark: usize, name: &str) -> bool {
        self.reads[mark..].iter().any(|read| **read == *name)
    }

    fn expect_block_end(&mut self) -> Parsed<()> {
        match self.peek() {
            Token::BlockEnd => {
                self.advance();
                Ok(())
            }
            other => {
                let found = Self::describe(other);
                Err(self.fail(format!(
                    "expected token 'end of statement block', got '{found}'"
                )))
            }
        }
    }

    /// Reads the end of a tag that has a body; a colon may stand there, as in Python.
    fn expect_body(&mut self) -> Parsed<()> {
        self.take_op(":");
        self.expect_block_end()
    }

    fn nested<T>(&mut self, f: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.depth += 1;
        let result = if self.depth > MAX_NESTING {
            Err(self.fail(format!("nested deeper than {MAX_NESTING} levels")))
        } else {
            f(self)
        };
        self.depth -= 1;
        result
    }
}
