//! Reads text, output and tags.

use std::rc::Rc;

use super::{Parsed, Parser};
use crate::jinja::ast::{
    Block, CallArgs, Expr, ExprKind, For, Macro, Node, NodeKind, Range, Target,
};
use crate::jinja::lexer::Token;

impl Parser<'_> {
    pub(super) fn statement(&mut self, name: &str, ends: &[&str]) -> Parsed<Option<NodeKind>> {
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
                let message = format!("Encountered unknown tag '{other}'.{}", looking_for(ends));
                return Err(self.fail(message));
            }
        }))
    }

    pub(super) fn context(&mut self, default: bool) -> bool {
        for (word, value) in [("with", true), ("without", false)] {
            if self.is_name(word) && self.next_is_name("context") {
                self.advance();
                self.advance();
                return value;
            }
        }
        default
    }

    pub(super) fn from_import(&mut self) -> Parsed<NodeKind> {
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

    pub(super) fn for_loop(&mut self) -> Parsed<NodeKind> {
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

    pub(super) fn advance_end(&mut self, end: &str) -> Parsed<()> {
        self.take_name(end);
        self.expect_block_end()
    }

    pub(super) fn condition(&mut self) -> Parsed<NodeKind> {
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

    pub(super) fn set(&mut self) -> Parsed<NodeKind> {
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

    pub(super) fn filter_chain(&mut self) -> Parsed<Vec<(Rc<str>, CallArgs)>> {
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

    pub(super) fn target(&mut self, tuple: bool) -> Parsed<Target> {
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

    pub(super) fn single_target(&mut self) -> Parsed<Target> {
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

    pub(super) fn signature(&mut self) -> Parsed<(Vec<Rc<str>>, Vec<Expr>)> {
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

    pub(super) fn macro_rest(&mut self, name: Rc<str>, end: &'static str) -> Parsed<Macro> {
        let (params, defaults) = self.signature()?;
        let body = self.body(end)?;
        Ok(make_macro(name, params, defaults, body))
    }

    /// Reads nodes up to a block whose name is in `ends`; stands behind its `{%` then.
    pub(super) fn nodes(&mut self, ends: &[&str]) -> Parsed<Vec<Node>> {
        let mut out = Vec::new();
        loop {
            let start = self.start();
            match self.peek().clone() {
                Token::Eof => {
                    if ends.is_empty() {
                        return Ok(out);
                    }
                    let message = format!("Unexpected end of template.{}", looking_for(ends));
                    return Err(self.fail(message));
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

    pub(super) fn node(&self, kind: NodeKind, start: usize) -> Node {
        Node {
            kind,
            range: Range {
                start: start as u32,
                end: self.last_end() as u32,
            },
        }
    }

    /// Reads the body of a block and its end tag.
    pub(super) fn body(&mut self, end: &'static str) -> Parsed<Vec<Node>> {
        self.expect_block_end()?;
        let nodes = self.nodes(&[end])?;
        self.advance();
        self.expect_block_end()?;
        Ok(nodes)
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

/// Says which tags would end the block that is open, and which block that is.
fn looking_for(ends: &[&str]) -> String {
    let Some(last) = ends.last() else {
        return String::new();
    };
    let wanted: Vec<String> = ends.iter().map(|end| format!("'{end}'")).collect();
    format!(
        " Jinja was looking for the following tags: {}. The innermost block that needs to be closed is '{}'.",
        wanted.join(" or "),
        last.trim_start_matches("end")
    )
}
