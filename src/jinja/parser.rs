//! From tokens to the syntax tree.

use std::rc::Rc;

use super::Options;
use super::ast::{
    Block, CallArgs, Compare, Expr, ExprKind, For, Macro, Node, NodeKind, Range, Target,
};
use super::lexer::{Problem, Spanned, Token};
use crate::value::ops::Operator;
use crate::value::{Str, Value};

/// How many operators one expression may have in a row.
const MAX_CHAIN: usize = 500;
/// How deep expressions and blocks may nest.
const MAX_NESTING: usize = 150;

type Parsed<T> = Result<T, Problem>;

pub(super) struct Parser<'a> {
    tokens: Vec<Spanned>,
    at: usize,
    options: &'a Options,
    trusted: bool,
    depth: usize,
}

/// Parses a template's tokens. Literals are trusted where the template is.
pub(super) fn template(
    tokens: Vec<Spanned>,
    options: &Options,
    trusted: bool,
) -> Parsed<Vec<Node>> {
    let mut parser = Parser {
        tokens,
        at: 0,
        options,
        trusted,
        depth: 0,
    };
    let nodes = parser.nodes(&[])?;
    match parser.peek() {
        Token::Eof => Ok(nodes),
        _ => Err(parser.unexpected()),
    }
}

/// Parses an expression's tokens.
pub(super) fn expression(tokens: Vec<Spanned>, options: &Options, trusted: bool) -> Parsed<Expr> {
    let mut parser = Parser {
        tokens,
        at: 0,
        options,
        trusted,
        depth: 0,
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

    fn advance(&mut self) -> Token {
        let token = self.peek().clone();
        if self.at < self.tokens.len() - 1 {
            self.at += 1;
        }
        token
    }

    fn is_op(&self, op: &str) -> bool {
        matches!(self.peek(), Token::Op(known) if *known == op)
    }

    fn is_name(&self, name: &str) -> bool {
        matches!(self.peek(), Token::Name(known) if known == name)
    }

    fn next_is_name(&self, name: &str) -> bool {
        matches!(self.tokens.get(self.at + 1).map(|s| &s.token), Some(Token::Name(known)) if known == name)
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
            Token::Name(name) => name.clone(),
            Token::Str(text) => text.clone(),
            Token::Number(value) => value.repr(),
            Token::Op(op) => (*op).to_owned(),
            Token::Eof => "end of template".to_owned(),
        }
    }

    fn unexpected(&self) -> Problem {
        let found = Self::describe(self.peek());
        self.fail(match self.peek() {
            Token::Eof => "unexpected end of template".to_owned(),
            Token::VariableEnd | Token::BlockEnd | Token::VariableBegin | Token::BlockBegin => {
                format!("unexpected '{found}'")
            }
            _ => format!("unexpected '{found}'"),
        })
    }

    /// Makes a node that stands on the one before it; too long a row is refused.
    fn linked(&mut self, links: &mut usize, kind: ExprKind, start: usize) -> Parsed<Expr> {
        *links += 1;
        if *links > MAX_CHAIN {
            return Err(self.fail(format!("more than {MAX_CHAIN} operators in one expression")));
        }
        Ok(self.expr(kind, start))
    }

    fn fail(&self, message: impl Into<String>) -> Problem {
        let spanned = self.spanned();
        Problem {
            message: message.into(),
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

    fn expect_name(&mut self) -> Parsed<Rc<str>> {
        match self.peek().clone() {
            Token::Name(name) => {
                self.advance();
                Ok(name.into())
            }
            other => Err(self.fail(format!(
                "expected token 'name', got '{}'",
                Self::describe(&other)
            ))),
        }
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

    /// Reads nodes up to a block whose name is in `ends`; stands behind its `{%` then.
    fn nodes(&mut self, ends: &[&str]) -> Parsed<Vec<Node>> {
        let mut out = Vec::new();
        loop {
            let start = self.start();
            match self.peek().clone() {
                Token::Eof => {
                    if ends.is_empty() {
                        return Ok(out);
                    }
                    let wanted: Vec<String> = ends.iter().map(|end| format!("'{end}'")).collect();
                    return Err(self.fail(format!(
                        "Unexpected end of template. Jinja was looking for the following tags: {}.",
                        wanted.join(" or ")
                    )));
                }
                Token::Data(text) => {
                    self.advance();
                    out.push(self.node(NodeKind::Text(text.into()), start));
                }
                Token::VariableBegin => {
                    self.advance();
                    let expr = self.tuple(true)?;
                    match self.peek() {
                        Token::VariableEnd => {
                            self.advance();
                        }
                        other => {
                            let found = Self::describe(other);
                            return Err(self.fail(format!(
                                "expected token 'end of print statement', got '{found}'"
                            )));
                        }
                    }
                    out.push(self.node(NodeKind::Output(expr), start));
                }
                Token::BlockBegin => {
                    self.advance();
                    let name = match self.peek() {
                        Token::Name(name) => name.clone(),
                        _ => return Err(self.fail("tag name expected")),
                    };
                    if ends.contains(&name.as_str()) {
                        return Ok(out);
                    }
                    self.advance();
                    let kind = self.nested(|parser| parser.statement(&name, ends))?;
                    if let Some(kind) = kind {
                        out.push(self.node(kind, start));
                    }
                }
                _ => return Err(self.unexpected()),
            }
        }
    }

    fn node(&self, kind: NodeKind, start: usize) -> Node {
        Node {
            kind,
            range: Range {
                start: start as u32,
                end: self.last_end() as u32,
            },
        }
    }

    /// Reads the body of a block and its end tag.
    fn body(&mut self, end: &'static str) -> Parsed<Vec<Node>> {
        self.expect_block_end()?;
        let nodes = self.nodes(&[end])?;
        self.advance();
        self.expect_block_end()?;
        Ok(nodes)
    }

    fn statement(&mut self, name: &str, ends: &[&str]) -> Parsed<Option<NodeKind>> {
        Ok(Some(match name {
            "for" => self.for_loop()?,
            "if" => self.condition()?,
            "set" => self.set()?,
            "macro" => {
                let name = self.expect_name()?;
                NodeKind::Macro(Rc::new(self.macro_rest(name, "endmacro")?))
            }
            "call" => {
                let (params, defaults) = if self.is_op("(") {
                    self.signature()?
                } else {
                    Default::default()
                };
                let call = self.expression()?;
                if !matches!(call.kind, ExprKind::Call(..)) {
                    return Err(self.fail("expected call"));
                }
                let body = self.body("endcall")?;
                let caller = make_macro("caller".into(), params, defaults, body);
                NodeKind::CallBlock(Rc::new(caller), call)
            }
            "filter" => {
                let filters = self.filter_chain()?;
                NodeKind::FilterBlock(filters, self.body("endfilter")?)
            }
            "with" => {
                let mut pairs = Vec::new();
                while !matches!(self.peek(), Token::BlockEnd) {
                    if !pairs.is_empty() {
                        self.expect_op(",")?;
                    }
                    let target = self.target(false)?;
                    self.expect_op("=")?;
                    pairs.push((target, self.expression()?));
                }
                NodeKind::With(pairs, self.body("endwith")?)
            }
            "block" => {
                let name = self.expect_name()?;
                let scoped = self.take_name("scoped");
                let required = self.take_name("required");
                self.expect_block_end()?;
                let body = self.nodes(&["endblock"])?;
                self.advance();
                if matches!(self.peek(), Token::Name(_)) {
                    self.advance();
                }
                self.expect_block_end()?;
                NodeKind::Block(Rc::new(Block {
                    name,
                    body,
                    required,
                    scoped,
                }))
            }
            "extends" => {
                let name = self.expression()?;
                self.expect_block_end()?;
                NodeKind::Extends(name)
            }
            "include" => {
                let names = self.expression()?;
                let ignore_missing = self.is_name("ignore") && self.next_is_name("missing");
                if ignore_missing {
                    self.advance();
                    self.advance();
                }
                let with_context = self.context(true);
                self.expect_block_end()?;
                NodeKind::Include {
                    names,
                    ignore_missing,
                    with_context,
                }
            }
            "import" => {
                let name = self.expression()?;
                if !self.take_name("as") {
                    return Err(self.fail("expected token 'as'"));
                }
                let target = self.expect_name()?;
                let with_context = self.context(false);
                self.expect_block_end()?;
                NodeKind::Import {
                    name,
                    target,
                    with_context,
                }
            }
            "from" => self.from_import()?,
            "autoescape" => {
                let on = self.expression()?;
                NodeKind::Autoescape(on, self.body("endautoescape")?)
            }
            "do" => {
                let expr = self.tuple(true)?;
                self.expect_block_end()?;
                NodeKind::Do(expr)
            }
            "break" | "continue" => {
                self.expect_block_end()?;
                if name == "break" {
                    NodeKind::Break
                } else {
                    NodeKind::Continue
                }
            }
            other => {
                self.at = self.at.saturating_sub(1);
                let looking = if ends.is_empty() {
                    String::new()
                } else {
                    let wanted: Vec<String> = ends.iter().map(|end| format!("'{end}'")).collect();
                    format!(
                        " Jinja was looking for the following tags: {}. The innermost block that needs to be closed is '{}'.",
                        wanted.join(" or "),
                        ends.last().map_or("", |end| end.trim_start_matches("end"))
                    )
                };
                return Err(self.fail(format!("Encountered unknown tag '{other}'.{looking}")));
            }
        }))
    }

    fn context(&mut self, default: bool) -> bool {
        for (word, value) in [("with", true), ("without", false)] {
            if self.is_name(word) && self.next_is_name("context") {
                self.advance();
                self.advance();
                return value;
            }
        }
        default
    }

    fn from_import(&mut self) -> Parsed<NodeKind> {
        let name = self.expression()?;
        if !self.take_name("import") {
            return Err(self.fail("expected token 'import'"));
        }
        let mut names = Vec::new();
        let mut with_context = false;
        loop {
            if (self.is_name("with") || self.is_name("without")) && self.next_is_name("context") {
                with_context = self.context(false);
                break;
            }
            let what = self.expect_name()?;
            if what.starts_with("__") {
                return Err(self.fail("names starting with an underline can not be imported"));
            }
            let alias = if self.take_name("as") {
                self.expect_name()?
            } else {
                what.clone()
            };
            names.push((what, alias));
            if !self.take_op(",") {
                with_context = self.context(false);
                break;
            }
            if matches!(self.peek(), Token::BlockEnd) {
                break;
            }
        }
        self.expect_block_end()?;
        Ok(NodeKind::FromImport {
            name,
            names,
            with_context,
        })
    }

    fn for_loop(&mut self) -> Parsed<NodeKind> {
        let target = self.target(true)?;
        if !self.take_name("in") {
            let found = Self::describe(self.peek());
            return Err(self.fail(format!("expected token 'in', got '{found}'")));
        }
        let iter = self.tuple(false)?;
        let filter = if self.take_name("if") {
            Some(self.expression()?)
        } else {
            None
        };
        let recursive = self.take_name("recursive");
        self.expect_block_end()?;
        let body = self.nodes(&["endfor", "else"])?;
        let otherwise = if self.take_name("else") {
            self.expect_block_end()?;
            self.nodes(&["endfor"])?
        } else {
            Vec::new()
        };
        self.advance_end("endfor")?;
        Ok(NodeKind::For(Rc::new(For {
            target,
            iter,
            filter,
            recursive,
            body: Rc::new(body),
            otherwise,
        })))
    }

    fn advance_end(&mut self, end: &str) -> Parsed<()> {
        self.take_name(end);
        self.expect_block_end()
    }

    fn condition(&mut self) -> Parsed<NodeKind> {
        let mut branches = Vec::new();
        let mut otherwise = Vec::new();
        let test = self.tuple(false)?;
        self.expect_block_end()?;
        branches.push((test, self.nodes(&["elif", "else", "endif"])?));
        loop {
            if self.take_name("elif") {
                let test = self.tuple(false)?;
                self.expect_block_end()?;
                branches.push((test, self.nodes(&["elif", "else", "endif"])?));
            } else if self.take_name("else") {
                self.expect_block_end()?;
                otherwise = self.nodes(&["endif"])?;
            } else {
                self.advance_end("endif")?;
                return Ok(NodeKind::If(branches, otherwise));
            }
        }
    }

    fn set(&mut self) -> Parsed<NodeKind> {
        let target = self.target(true)?;
        if self.take_op("=") {
            let value = self.tuple(true)?;
            self.expect_block_end()?;
            return Ok(NodeKind::Set(target, value));
        }
        let filters = if self.is_op("|") {
            self.advance();
            self.filter_chain()?
        } else {
            Vec::new()
        };
        Ok(NodeKind::SetBlock(target, filters, self.body("endset")?))
    }

    fn filter_chain(&mut self) -> Parsed<Vec<(Rc<str>, CallArgs)>> {
        let mut filters = Vec::new();
        loop {
            let name = self.dotted()?;
            let args = if self.is_op("(") {
                self.call_args()?
            } else {
                CallArgs::default()
            };
            filters.push((name, args));
            if !self.take_op("|") {
                return Ok(filters);
            }
        }
    }

    fn dotted(&mut self) -> Parsed<Rc<str>> {
        let mut name = self.expect_name()?.to_string();
        while self.is_op(".") {
            self.advance();
            name.push('.');
            name.push_str(&self.expect_name()?);
        }
        Ok(name.into())
    }

    fn target(&mut self, tuple: bool) -> Parsed<Target> {
        let first = self.single_target()?;
        if !tuple || !self.is_op(",") {
            return Ok(first);
        }
        let mut all = vec![first];
        while self.take_op(",") {
            if self.is_name("in") || self.is_op("=") {
                break;
            }
            all.push(self.single_target()?);
        }
        Ok(Target::Tuple(all))
    }

    fn single_target(&mut self) -> Parsed<Target> {
        if self.take_op("(") {
            let mut all = vec![self.single_target()?];
            while self.take_op(",") {
                if self.is_op(")") {
                    break;
                }
                all.push(self.single_target()?);
            }
            self.expect_op(")")?;
            return Ok(Target::Tuple(all));
        }
        let name = self.expect_name()?;
        if matches!(
            &*name,
            "true" | "false" | "none" | "True" | "False" | "None"
        ) {
            return Err(self.fail(format!("can't assign to '{name}'")));
        }
        if self.take_op(".") {
            return Ok(Target::Attr(name, self.expect_name()?));
        }
        Ok(Target::Name(name))
    }

    fn signature(&mut self) -> Parsed<(Vec<Rc<str>>, Vec<Expr>)> {
        let mut params = Vec::new();
        let mut defaults = Vec::new();
        self.expect_op("(")?;
        while !self.is_op(")") {
            if !params.is_empty() {
                self.expect_op(",")?;
                if self.is_op(")") {
                    break;
                }
            }
            params.push(self.expect_name()?);
            if self.take_op("=") {
                defaults.push(self.expression()?);
            } else if !defaults.is_empty() {
                return Err(self.fail("non-default argument follows default argument"));
            }
        }
        self.expect_op(")")?;
        Ok((params, defaults))
    }

    fn macro_rest(&mut self, name: Rc<str>, end: &'static str) -> Parsed<Macro> {
        let (params, defaults) = self.signature()?;
        let body = self.body(end)?;
        Ok(make_macro(name, params, defaults, body))
    }

    fn expr(&self, kind: ExprKind, start: usize) -> Expr {
        Expr {
            kind,
            range: Range {
                start: start as u32,
                end: self.last_end() as u32,
            },
        }
    }

    /// Reads an expression, or several with commas between: a tuple.
    fn tuple(&mut self, with_condition: bool) -> Parsed<Expr> {
        let start = self.start();
        let one = |parser: &mut Self| {
            if with_condition {
                parser.expression()
            } else {
                parser.or()
            }
        };
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

    fn expression(&mut self) -> Parsed<Expr> {
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

    fn or(&mut self) -> Parsed<Expr> {
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

    fn and(&mut self) -> Parsed<Expr> {
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

    fn not(&mut self) -> Parsed<Expr> {
        let start = self.start();
        if self.take_name("not") {
            let inner = self.nested(Self::not)?;
            return Ok(self.expr(ExprKind::Not(Box::new(inner)), start));
        }
        self.compare()
    }

    fn compare(&mut self) -> Parsed<Expr> {
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
                Token::Name(name) if name == "in" => Compare::In,
                Token::Name(name) if name == "not" && self.next_is_name("in") => {
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

    fn sum(&mut self) -> Parsed<Expr> {
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

    fn concat(&mut self) -> Parsed<Expr> {
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

    fn product(&mut self) -> Parsed<Expr> {
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
    fn power(&mut self) -> Parsed<Expr> {
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
    fn unary(&mut self, with_filter: bool) -> Parsed<Expr> {
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

    fn primary(&mut self) -> Parsed<Expr> {
        let start = self.start();
        let literal = |parser: &Self, text: &str| {
            Value::Str(if parser.trusted {
                Str::trusted(text)
            } else {
                Str::new(text)
            })
        };
        let kind = match self.peek().clone() {
            Token::Name(name) => {
                self.advance();
                match name.as_str() {
                    "true" | "True" => ExprKind::Const(Value::Bool(true)),
                    "false" | "False" => ExprKind::Const(Value::Bool(false)),
                    "none" | "None" => ExprKind::Const(Value::None),
                    _ => ExprKind::Name(name.into()),
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

    fn postfix(&mut self, mut node: Expr, start: usize) -> Parsed<Expr> {
        let mut links = 0;
        loop {
            if self.take_op(".") {
                match self.peek().clone() {
                    Token::Name(name) => {
                        self.advance();
                        node = self.linked(
                            &mut links,
                            ExprKind::Attr(Box::new(node), name.into()),
                            start,
                        )?;
                    }
                    Token::Number(value @ Value::Int(_)) => {
                        self.advance();
                        let index = self.expr(ExprKind::Const(value), start);
                        node = self.linked(
                            &mut links,
                            ExprKind::Item(Box::new(node), Box::new(index)),
                            start,
                        )?;
                    }
                    _ => return Err(self.fail("expected name or number")),
                }
            } else if self.take_op("[") {
                links += 1;
                if links > MAX_CHAIN {
                    return Err(
                        self.fail(format!("more than {MAX_CHAIN} operators in one expression"))
                    );
                }
                node = self.subscript(node, start)?;
            } else if self.is_op("(") {
                let args = self.call_args()?;
                node = self.linked(&mut links, ExprKind::Call(Box::new(node), args), start)?;
            } else {
                return Ok(node);
            }
        }
    }

    fn subscript(&mut self, node: Expr, start: usize) -> Parsed<Expr> {
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
                        return Err(self.fail("too many colons in a slice"));
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
                return Ok(self.expr(ExprKind::Item(Box::new(node), Box::new(index)), start));
            }
            self.expect_op(",")?;
        }
    }

    /// Reads filters and tests behind an expression.
    fn filters(&mut self, mut node: Expr, start: usize) -> Parsed<Expr> {
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
    fn test_args(&mut self) -> Parsed<CallArgs> {
        if self.is_op("(") {
            return self.call_args();
        }
        let has_one = match self.peek() {
            Token::Name(name) => !matches!(
                name.as_str(),
                "else" | "or" | "and" | "is" | "if" | "in" | "not" | "recursive"
            ),
            Token::Str(_) | Token::Number(_) | Token::Op("[" | "{") => true,
            _ => false,
        };
        let mut args = CallArgs::default();
        if has_one {
            let start = self.start();
            let primary = self.primary()?;
            args.positional.push(self.postfix(primary, start)?);
        }
        Ok(args)
    }

    fn call_args(&mut self) -> Parsed<CallArgs> {
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
                args.double_star = Some(Box::new(self.expression()?));
            } else if self.take_op("*") {
                args.star = Some(Box::new(self.expression()?));
            } else if let (Token::Name(name), Some(Token::Op("="))) = (
                self.peek().clone(),
                self.tokens.get(self.at + 1).map(|s| &s.token),
            ) {
                self.advance();
                self.advance();
                args.keyword.push((name.into(), self.expression()?));
            } else {
                if !args.keyword.is_empty() || args.double_star.is_some() {
                    return Err(self.fail("invalid syntax for function call expression"));
                }
                args.positional.push(self.expression()?);
            }
        }
        self.expect_op(")")?;
        let _ = self.options;
        Ok(args)
    }
}

fn make_macro(name: Rc<str>, params: Vec<Rc<str>>, defaults: Vec<Expr>, body: Vec<Node>) -> Macro {
    let text = format!("{body:?}");
    let uses = |name: &str| text.contains(&format!("Name(\"{name}\")"));
    Macro {
        uses_caller: uses("caller"),
        uses_varargs: uses("varargs"),
        uses_kwargs: uses("kwargs"),
        name,
        params,
        defaults,
        body,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Environment, Place};

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
