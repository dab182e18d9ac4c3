//! Reads expressions, with Python's precedence.

use std::rc::Rc;

use super::{MAX_CHAIN, Parsed, Parser};
use crate::jinja::ast::{CallArgs, Compare, Expr, ExprKind, Link, Path, Range, Step};
use crate::jinja::lexer::Token;
use crate::value::ops::Operator;
use crate::value::{Str, Value};

impl Parser<'_> {
    pub(super) fn expr(&self, kind: ExprKind, start: usize) -> Expr {
        Expr {
            kind,
            range: Range {
                start: start as u32,
                end: self.last_end() as u32,
            },
        }
    }

    /// Makes a node that stands on the one before it; too long a row is refused.
    pub(super) fn linked(
        &mut self,
        links: &mut usize,
        kind: ExprKind,
        start: usize,
    ) -> Parsed<Expr> {
        self.count(links)?;
        Ok(self.expr(kind, start))
    }

    /// Lets an attribute or item lead on from an expression.
    fn path(&self, node: Expr, link: Link, start: usize) -> Expr {
        let mut path = match node.kind {
            ExprKind::Path(path) => path,
            _ => Box::new(Path {
                root: node,
                steps: Vec::new(),
                keys: Some(Vec::new()),
            }),
        };
        match (&mut path.keys, link.key()) {
            (Some(keys), Some(key)) => keys.push(key),
            (keys, _) => *keys = None,
        }
        let range = Range {
            start: start as u32,
            end: self.last_end() as u32,
        };
        path.steps.push(Step { link, range });
        self.expr(ExprKind::Path(path), start)
    }

    /// As [`Self::path`]; too long a row is refused.
    fn led(&mut self, links: &mut usize, node: Expr, link: Link, start: usize) -> Parsed<Expr> {
        self.count(links)?;
        Ok(self.path(node, link, start))
    }

    fn count(&mut self, links: &mut usize) -> Parsed<()> {
        *links += 1;
        if *links > MAX_CHAIN {
            return Err(self.fail(format!("more than {MAX_CHAIN} operators in one expression")));
        }
        Ok(())
    }

    pub(super) fn dotted(&mut self) -> Parsed<Rc<str>> {
        let first = self.expect_name()?;
        if !self.is_op(".") {
            return Ok(first.shared());
        }
        let mut name = first.to_string();
        while self.take_op(".") {
            name.push('.');
            name.push_str(&self.expect_name()?);
        }
        Ok(name.into())
    }

    /// Reads an expression, or several with commas between: a tuple.
    pub(super) fn tuple(&mut self, with_condition: bool) -> Parsed<Expr> {
        let start = self.start();
        let one = |parser: &mut Self| {
            if with_condition {
                parser.expression()
            } else {
                parser.or()
            }
        };
        if matches!(self.peek(), Token::VariableEnd | Token::BlockEnd) {
            let found = Self::describe(self.peek());
            return Err(self.fail(format!("Expected an expression, got '{found}'")));
        }
        let first = one(self)?;
        if !self.is_op(",") {
            return Ok(first);
        }
        let mut all = vec![first];
        while self.take_op(",") {
            if matches!(
                self.peek(),
                Token::VariableEnd | Token::BlockEnd | Token::Eof
            ) || self.is_op(")")
                || self.is_name("if")
                || self.is_name("recursive")
            {
                break;
            }
            all.push(one(self)?);
        }
        Ok(self.expr(ExprKind::Tuple(all), start))
    }

    pub(super) fn expression(&mut self) -> Parsed<Expr> {
        let mut links = 0;
        self.nested(|parser| {
            let start = parser.start();
            let mut value = parser.or()?;
            while parser.take_name("if") {
                let test = parser.or()?;
                let otherwise = if parser.take_name("else") {
                    Some(Box::new(parser.expression()?))
                } else {
                    None
                };
                value = parser.linked(
                    &mut links,
                    ExprKind::Cond(Box::new(test), Box::new(value), otherwise),
                    start,
                )?;
            }
            Ok(value)
        })
    }

    pub(super) fn or(&mut self) -> Parsed<Expr> {
        let mut links = 0;
        let start = self.start();
        let mut left = self.and()?;
        while self.take_name("or") {
            let right = self.and()?;
            left = self.linked(
                &mut links,
                ExprKind::Or(Box::new(left), Box::new(right)),
                start,
            )?;
        }
        Ok(left)
    }

    pub(super) fn and(&mut self) -> Parsed<Expr> {
        let mut links = 0;
        let start = self.start();
        let mut left = self.not()?;
        while self.take_name("and") {
            let right = self.not()?;
            left = self.linked(
                &mut links,
                ExprKind::And(Box::new(left), Box::new(right)),
                start,
            )?;
        }
        Ok(left)
    }

    pub(super) fn not(&mut self) -> Parsed<Expr> {
        let start = self.start();
        if self.take_name("not") {
            let inner = self.nested(Self::not)?;
            return Ok(self.expr(ExprKind::Not(Box::new(inner)), start));
        }
        self.compare()
    }

    pub(super) fn compare(&mut self) -> Parsed<Expr> {
        let start = self.start();
        let first = self.sum()?;
        let mut rest = Vec::new();
        loop {
            let op = match self.peek() {
                Token::Op("==") => Compare::Eq,
                Token::Op("!=") => Compare::Ne,
                Token::Op("<") => Compare::Lt,
                Token::Op("<=") => Compare::Le,
                Token::Op(">") => Compare::Gt,
                Token::Op(">=") => Compare::Ge,
                Token::Name(name) if **name == *"in" => Compare::In,
                Token::Name(name) if **name == *"not" && self.next_is_name("in") => {
                    self.advance();
                    Compare::NotIn
                }
                _ => break,
            };
            self.advance();
            rest.push((op, self.sum()?));
        }
        if rest.is_empty() {
            return Ok(first);
        }
        Ok(self.expr(ExprKind::Compare(Box::new(first), rest), start))
    }

    pub(super) fn sum(&mut self) -> Parsed<Expr> {
        let mut links = 0;
        let start = self.start();
        let mut left = self.concat()?;
        loop {
            let op = match self.peek() {
                Token::Op("+") => Operator::Add,
                Token::Op("-") => Operator::Sub,
                _ => return Ok(left),
            };
            self.advance();
            let right = self.concat()?;
            left = self.linked(
                &mut links,
                ExprKind::Binary(op, Box::new(left), Box::new(right)),
                start,
            )?;
        }
    }

    pub(super) fn concat(&mut self) -> Parsed<Expr> {
        let start = self.start();
        let first = self.product()?;
        if !self.is_op("~") {
            return Ok(first);
        }
        let mut all = vec![first];
        while self.take_op("~") {
            all.push(self.product()?);
        }
        Ok(self.expr(ExprKind::Concat(all), start))
    }

    pub(super) fn product(&mut self) -> Parsed<Expr> {
        let mut links = 0;
        let start = self.start();
        let mut left = self.power()?;
        loop {
            let op = match self.peek() {
                Token::Op("*") => Operator::Mul,
                Token::Op("/") => Operator::Div,
                Token::Op("//") => Operator::FloorDiv,
                Token::Op("%") => Operator::Mod,
                _ => return Ok(left),
            };
            self.advance();
            let right = self.power()?;
            left = self.linked(
                &mut links,
                ExprKind::Binary(op, Box::new(left), Box::new(right)),
                start,
            )?;
        }
    }

    /// Reads powers, from the left; each operand is a signed one with its filters.
    pub(super) fn power(&mut self) -> Parsed<Expr> {
        let mut links = 0;
        let start = self.start();
        let mut left = self.unary(true)?;
        while self.take_op("**") {
            let right = self.unary(true)?;
            left = self.linked(
                &mut links,
                ExprKind::Binary(Operator::Pow, Box::new(left), Box::new(right)),
                start,
            )?;
        }
        Ok(left)
    }

    /// Reads signs. Filters bind to the whole: `-1|abs` filters minus one.
    pub(super) fn unary(&mut self, with_filter: bool) -> Parsed<Expr> {
        self.nested(|parser| {
            let start = parser.start();
            let node = if parser.take_op("-") {
                let inner = parser.unary(false)?;
                parser.expr(ExprKind::Neg(Box::new(inner)), start)
            } else if parser.take_op("+") {
                let inner = parser.unary(false)?;
                parser.expr(ExprKind::Pos(Box::new(inner)), start)
            } else {
                let primary = parser.primary()?;
                parser.postfix(primary, start)?
            };
            if with_filter {
                parser.filters(node, start)
            } else {
                Ok(node)
            }
        })
    }

    pub(super) fn primary(&mut self) -> Parsed<Expr> {
        let start = self.start();
        let literal = |parser: &Self, text: &str| {
            // Only what can be a template may be one.
            let is_template = ["{{", "{%", "{#"].iter().any(|start| text.contains(start));
            Value::Str(Str::new(text).with_trust(parser.trusted && is_template))
        };
        let kind = match self.peek().clone() {
            Token::Name(name) => {
                self.advance();
                match &*name {
                    "true" | "True" => ExprKind::Const(Value::Bool(true)),
                    "false" | "False" => ExprKind::Const(Value::Bool(false)),
                    "none" | "None" => ExprKind::Const(Value::None),
                    _ => {
                        self.reads.push(name.clone());
                        ExprKind::Name(name)
                    }
                }
            }
            Token::Str(mut text) => {
                self.advance();
                while let Token::Str(more) = self.peek().clone() {
                    text.push_str(&more);
                    self.advance();
                }
                ExprKind::Const(literal(self, &text))
            }
            Token::Number(value) => {
                self.advance();
                ExprKind::Const(value)
            }
            Token::Op("(") => {
                self.advance();
                if self.take_op(")") {
                    ExprKind::Tuple(Vec::new())
                } else {
                    let inner = self.tuple(true)?;
                    self.expect_op(")")?;
                    return Ok(inner);
                }
            }
            Token::Op("[") => {
                self.advance();
                let mut items = Vec::new();
                while !self.is_op("]") {
                    if !items.is_empty() {
                        self.expect_op(",")?;
                    }
                    if self.is_op("]") {
                        break;
                    }
                    items.push(self.expression()?);
                }
                self.expect_op("]")?;
                ExprKind::List(items)
            }
            Token::Op("{") => {
                self.advance();
                let mut pairs = Vec::new();
                while !self.is_op("}") {
                    if !pairs.is_empty() {
                        self.expect_op(",")?;
                    }
                    if self.is_op("}") {
                        break;
                    }
                    let key = self.expression()?;
                    self.expect_op(":")?;
                    pairs.push((key, self.expression()?));
                }
                self.expect_op("}")?;
                ExprKind::Dict(pairs)
            }
            _ => return Err(self.unexpected()),
        };
        Ok(self.expr(kind, start))
    }

    pub(super) fn postfix(&mut self, mut node: Expr, start: usize) -> Parsed<Expr> {
        let mut links = 0;
        loop {
            if self.take_op(".") {
                match self.peek().clone() {
                    Token::Name(name) => {
                        self.advance();
                        node = self.led(&mut links, node, Link::Attr(name), start)?;
                    }
                    Token::Number(value @ Value::Int(_)) => {
                        self.advance();
                        let index = self.expr(ExprKind::Const(value), start);
                        node = self.led(&mut links, node, Link::Item(index), start)?;
                    }
                    _ => return Err(self.fail("expected name or number")),
                }
            } else if self.take_op("[") {
                self.count(&mut links)?;
                node = self.subscript(node, start)?;
            } else if self.is_op("(") {
                let args = self.call_args()?;
                node = self.linked(&mut links, ExprKind::Call(Box::new(node), args), start)?;
            } else {
                return Ok(node);
            }
        }
    }

    pub(super) fn subscript(&mut self, node: Expr, start: usize) -> Parsed<Expr> {
        let mut parts: Vec<Expr> = Vec::new();
        loop {
            let from = self.start();
            let mut bounds = [None, None, None];
            let mut slot = 0;
            let mut is_slice = false;
            while !self.is_op("]") && !self.is_op(",") {
                if self.take_op(":") {
                    is_slice = true;
                    slot += 1;
                    if slot > 2 {
                        return Err(self.fail("expected token ',', got ':'"));
                    }
                } else {
                    if bounds[slot].is_some() {
                        return Err(self.unexpected());
                    }
                    bounds[slot] = Some(self.expression()?);
                }
            }
            if is_slice {
                if parts.is_empty() && self.is_op("]") {
                    self.advance();
                    return Ok(self.expr(ExprKind::Slice(Box::new(node), Box::new(bounds)), start));
                }
                return Err(self.fail("a slice can't be part of a tuple"));
            }
            let [Some(index), ..] = bounds else {
                if parts.is_empty() && self.take_op("]") {
                    let nothing = self.expr(ExprKind::Tuple(Vec::new()), from);
                    return Ok(self.path(node, Link::Item(nothing), start));
                }
                return Err(self.fail("expected subscript expression"));
            };
            parts.push(index);
            if self.take_op("]") {
                let index = match parts.pop() {
                    Some(only) if parts.is_empty() => only,
                    Some(last) => {
                        parts.push(last);
                        self.expr(ExprKind::Tuple(std::mem::take(&mut parts)), from)
                    }
                    None => return Err(self.fail("expected subscript expression")),
                };
                return Ok(self.path(node, Link::Item(index), start));
            }
            self.expect_op(",")?;
        }
    }

    /// Reads filters and tests behind an expression.
    pub(super) fn filters(&mut self, mut node: Expr, start: usize) -> Parsed<Expr> {
        let mut links = 0;
        loop {
            if self.take_op("|") {
                let name = self.dotted()?;
                let args = if self.is_op("(") {
                    self.call_args()?
                } else {
                    CallArgs::default()
                };
                node = self.linked(
                    &mut links,
                    ExprKind::Filter(Some(Box::new(node)), name, args),
                    start,
                )?;
            } else if self.take_name("is") {
                let negated = self.take_name("not");
                let name = self.dotted()?;
                let args = self.test_args()?;
                node = self.linked(
                    &mut links,
                    ExprKind::Test(Box::new(node), name, args),
                    start,
                )?;
                if negated {
                    node = self.linked(&mut links, ExprKind::Not(Box::new(node)), start)?;
                }
            } else if self.is_op("(") {
                let args = self.call_args()?;
                node = self.linked(&mut links, ExprKind::Call(Box::new(node), args), start)?;
            } else {
                return Ok(node);
            }
        }
    }

    /// Reads a test's arguments: in parentheses, or one primary behind it (`is divisibleby 3`).
    pub(super) fn test_args(&mut self) -> Parsed<CallArgs> {
        if self.is_op("(") {
            return self.call_args();
        }
        let has_one = match self.peek() {
            Token::Name(name) => !matches!(&**name, "else" | "or" | "and"),
            Token::Str(_) | Token::Number(_) | Token::Op("[" | "{") => true,
            _ => false,
        };
        let mut args = CallArgs::default();
        if has_one && self.is_name("is") {
            return Err(self.fail("You cannot chain multiple tests with is"));
        }
        if has_one {
            let start = self.start();
            let primary = self.primary()?;
            args.positional.push(self.postfix(primary, start)?);
        }
        Ok(args)
    }

    pub(super) fn call_args(&mut self) -> Parsed<CallArgs> {
        self.expect_op("(")?;
        let mut args = CallArgs::default();
        let mut first = true;
        while !self.is_op(")") {
            if !first {
                self.expect_op(",")?;
                if self.is_op(")") {
                    break;
                }
            }
            first = false;
            if self.take_op("**") {
                if args.double_star.is_some() {
                    return Err(self.fail("invalid syntax for function call expression"));
                }
                args.double_star = Some(Box::new(self.expression()?));
            } else if self.take_op("*") {
                if args.star.is_some() || args.double_star.is_some() {
                    return Err(self.fail("invalid syntax for function call expression"));
                }
                args.star = Some(Box::new(self.expression()?));
            } else if let (Token::Name(name), Some(Token::Op("="))) = (
                self.peek().clone(),
                self.tokens.get(self.at + 1).map(|s| &s.token),
            ) {
                if args.double_star.is_some() {
                    return Err(self.fail("invalid syntax for function call expression"));
                }
                self.advance();
                self.advance();
                args.keyword.push((name.shared(), self.expression()?));
            } else {
                if !args.keyword.is_empty() || args.star.is_some() || args.double_star.is_some() {
                    return Err(self.fail("invalid syntax for function call expression"));
                }
                args.positional.push(self.expression()?);
            }
        }
        self.expect_op(")")?;
        Ok(args)
    }
}

#[cfg(test)]
mod tests {
    use crate::jinja::{Environment, Place};

    #[test]
    fn long_rows_of_operators_are_refused_and_never_overflow_the_stack() {
        let env = Environment::new();
        for (first, next) in [
            ("1", "+1"),
            ("1", "|abs"),
            ("1", " and 1"),
            ("[1]", "[0:1]"),
            ("1", "**1"),
            ("a", "()"),
        ] {
            let text = format!("{first}{}", next.repeat(20_000));
            let error = env
                .compile_expression(&text, Place::Nowhere, true)
                .expect_err(next);
            assert!(
                error.message().contains("operators in one expression"),
                "{next}: {error}"
            );
        }
        let text = format!("[{}]", "1 + 1, ".repeat(2_000));
        assert!(env.compile_expression(&text, Place::Nowhere, true).is_ok());
    }
}
