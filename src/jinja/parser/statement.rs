//! Reads text, output and tags.

use std::rc::Rc;

use super::{Parsed, Parser};
use crate::jinja::ast::{
    Block, CallArgs, Expr, ExprKind, For, Macro, Node, NodeKind, Range, Target,
};
use crate::jinja::extensions::Extension;
use crate::jinja::lexer::{Problem, Token};
use crate::jinja::name::Name;

impl Parser<'_> {
    fn statement(&mut self, name: &str) -> Parsed<Option<NodeKind>> {
        let is_there = |extension: Extension| self.options.extensions.contains(&extension);
        if !Extension::of_tag(name).is_none_or(is_there) {
            return Err(self.unknown_tag(name));
        }
        Ok(Some(match name {
            "for" => self.for_loop()?,
            "if" => self.condition()?,
            "set" => self.set()?,
            "macro" => {
                let name = self.expect_name()?;
                NodeKind::Macro(Rc::new(self.macro_rest(name)?))
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
                let mark = self.reads.len();
                let body = self.body("call", &["endcall"])?;
                let caller =
                    self.make_macro(self.names.caller.clone(), params, defaults, (mark, body));
                NodeKind::CallBlock(Rc::new(caller), call)
            }
            "filter" => {
                let filters = self.filter_chain()?;
                NodeKind::FilterBlock(filters, self.body("filter", &["endfilter"])?)
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
                NodeKind::With(pairs, self.body("with", &["endwith"])?)
            }
            "block" => {
                let name = self.expect_name()?;
                if self.blocks.contains(&name) {
                    return Err(self.fail(format!("block '{name}' defined twice")));
                }
                self.blocks.push(name.clone());
                let scoped = self.take_name("scoped");
                let required = self.take_name("required");
                if self.is_op("-") {
                    return Err(self.fail("Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use an underscore instead."));
                }
                self.expect_body()?;
                let body = self.nodes("block", &["endblock"])?;
                self.advance();
                self.take_name(&name);
                self.expect_block_end()?;
                if required && !body.iter().all(is_blank) {
                    return Err(
                        self.fail("Required blocks can only contain comments or whitespace")
                    );
                }
                NodeKind::Block(Rc::new(Block {
                    name: name.shared(),
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
                NodeKind::Autoescape(on, self.body("autoescape", &["endautoescape"])?)
            }
            "print" => {
                let mut values = Vec::new();
                while !matches!(self.peek(), Token::BlockEnd) {
                    if !values.is_empty() {
                        self.expect_op(",")?;
                    }
                    values.push(self.expression()?);
                }
                self.expect_block_end()?;
                NodeKind::Print(values)
            }
            "do" => {
                let expr = self.tuple(true)?;
                self.expect_block_end()?;
                NodeKind::Do(expr)
            }
            "break" | "continue" => {
                self.expect_block_end()?;
                // Macros and blocks are functions of their own in Jinja2, where no loop goes on.
                let inner = self.open.iter().rev().map(|(name, _)| *name);
                let around = inner
                    .take_while(|name| !matches!(*name, "macro" | "call" | "block"))
                    .any(|name| name == "for");
                match name {
                    "break" if around => NodeKind::Break,
                    "continue" if around => NodeKind::Continue,
                    "break" => return Err(self.fail("'break' outside loop")),
                    _ => return Err(self.fail("'continue' not properly in loop")),
                }
            }
            "trans" => self.translation()?,
            "debug" => {
                self.expect_block_end()?;
                NodeKind::Debug
            }
            other => return Err(self.unknown_tag(other)),
        }))
    }

    fn unknown_tag(&mut self, name: &str) -> Problem {
        self.at = self.at.saturating_sub(1);
        let looking = self.looking_for();
        self.fail(format!("Encountered unknown tag '{name}'.{looking}"))
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
        let with_context = loop {
            if (self.is_name("with") || self.is_name("without")) && self.next_is_name("context") {
                break self.context(false);
            }
            let what = self.expect_name()?;
            if what.starts_with('_') {
                return Err(self.fail("names starting with an underline can not be imported"));
            }
            let alias = if self.take_name("as") {
                self.expect_name()?
            } else {
                what.clone()
            };
            names.push((what, alias));
            if !self.take_op(",") {
                break self.context(false);
            }
        };
        self.expect_block_end()?;
        Ok(NodeKind::FromImport {
            name,
            names,
            with_context,
        })
    }

    pub(super) fn for_loop(&mut self) -> Parsed<NodeKind> {
        let target = self.target(true)?;
        if names(&target, "loop") {
            return Err(self.fail("Can't assign to special loop variable in for-loop target"));
        }
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
        self.expect_body()?;
        let (mark, blocks) = (self.reads.len(), self.blocks.len());
        let body = self.nodes("for", &["endfor", "else"])?;
        // What overrides a block is written elsewhere.
        let uses_loop = recursive || self.blocks.len() > blocks || self.reads_since(mark, "loop");
        let otherwise = if self.take_name("else") {
            self.expect_body()?;
            self.nodes("for", &["endfor"])?
        } else {
            Vec::new()
        };
        self.advance_end("endfor")?;
        Ok(NodeKind::For(Rc::new(For {
            target,
            iter,
            filter,
            recursive,
            uses_loop,
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
        self.expect_body()?;
        branches.push((test, self.nodes("if", &["elif", "else", "endif"])?));
        loop {
            if self.take_name("elif") {
                let test = self.tuple(false)?;
                self.expect_body()?;
                branches.push((test, self.nodes("if", &["elif", "else", "endif"])?));
            } else if self.take_name("else") {
                self.expect_body()?;
                otherwise = self.nodes("if", &["endif"])?;
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
        Ok(NodeKind::SetBlock(
            target,
            filters,
            self.body("set", &["endset"])?,
        ))
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
            return Err(self.fail("can't assign to 'const'"));
        }
        if self.take_op(".") {
            return Ok(Target::Attr(name, self.expect_name()?));
        }
        Ok(Target::Name(name))
    }

    pub(super) fn signature(&mut self) -> Parsed<(Vec<Name>, Vec<Expr>)> {
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

    pub(super) fn macro_rest(&mut self, name: Name) -> Parsed<Macro> {
        let (params, defaults) = self.signature()?;
        let mark = self.reads.len();
        let body = self.body("macro", &["endmacro"])?;
        let made = self.make_macro(name, params, defaults, (mark, body));
        let required = made.params.len() - made.defaults.len();
        if made.uses_caller
            && made.params[..required]
                .iter()
                .any(|name| &**name == "caller")
        {
            return Err(self.fail("When defining macros or call blocks the special \"caller\" argument must be omitted or be given a default."));
        }
        Ok(made)
    }

    /// Reads nodes up to a block whose name is in `ends`; stands behind its `{%` then.
    pub(super) fn nodes(
        &mut self,
        tag: &'static str,
        ends: &'static [&'static str],
    ) -> Parsed<Vec<Node>> {
        self.open.push((tag, ends));
        let nodes = self.nodes_until(ends);
        self.open.pop();
        nodes
    }

    fn nodes_until(&mut self, ends: &[&str]) -> Parsed<Vec<Node>> {
        let mut out = Vec::new();
        loop {
            let start = self.start();
            match self.peek().clone() {
                Token::Eof => {
                    if ends.is_empty() {
                        return Ok(out);
                    }
                    return Err(
                        self.fail(format!("Unexpected end of template.{}", self.looking_for()))
                    );
                }
                Token::Data(text) => {
                    self.advance();
                    out.push(self.node(NodeKind::Text(text), start));
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
                    if ends.contains(&&*name) {
                        return Ok(out);
                    }
                    self.advance();
                    let kind = self.nested(|parser| parser.statement(&name))?;
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

    /// Says which tags could stand here, and which block is open.
    fn looking_for(&self) -> String {
        let Some((tag, ends)) = self.open.last().filter(|(_, ends)| !ends.is_empty()) else {
            return String::new();
        };
        let wanted: Vec<String> = ends.iter().map(|end| format!("'{end}'")).collect();
        format!(
            " Jinja was looking for the following tags: {}. The innermost block that needs to be closed is '{tag}'.",
            wanted.join(" or ")
        )
    }

    /// Makes a macro of its parts; its body comes with how many variables had been read before it.
    fn make_macro(
        &self,
        name: Name,
        params: Vec<Name>,
        defaults: Vec<Expr>,
        (mark, body): (usize, Vec<Node>),
    ) -> Macro {
        Macro {
            uses_caller: self.reads_since(mark, "caller"),
            uses_varargs: self.reads_since(mark, "varargs"),
            uses_kwargs: self.reads_since(mark, "kwargs"),
            name,
            params,
            defaults,
            body,
        }
    }

    /// Reads the body of a block and its end tag.
    pub(super) fn body(
        &mut self,
        tag: &'static str,
        ends: &'static [&'static str; 1],
    ) -> Parsed<Vec<Node>> {
        self.expect_body()?;
        let nodes = self.nodes(tag, ends)?;
        self.advance();
        self.expect_block_end()?;
        Ok(nodes)
    }
}

/// Says whether a name is among those that are assigned to.
fn names(target: &Target, name: &str) -> bool {
    match target {
        Target::Name(known) => **known == *name,
        Target::Tuple(all) => all.iter().any(|one| names(one, name)),
        Target::Attr(..) => false,
    }
}

fn is_blank(node: &Node) -> bool {
    matches!(&node.kind, NodeKind::Text(text) if text.trim().is_empty())
}
