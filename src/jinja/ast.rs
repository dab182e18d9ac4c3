//! What a template is made of.

use std::rc::Rc;

use crate::value::Value;
use crate::value::ops::Operator;

/// A range of bytes in the template's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) start: u32,
    pub(super) end: u32,
}

/// An expression and where it stands.
#[derive(Debug)]
pub(super) struct Expr {
    pub(super) kind: ExprKind,
    pub(super) range: Range,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compare {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    NotIn,
}

#[derive(Debug)]
pub(super) enum ExprKind {
    Const(Value),
    Name(Rc<str>),
    Tuple(Vec<Expr>),
    List(Vec<Expr>),
    Dict(Vec<(Expr, Expr)>),
    Attr(Box<Expr>, Rc<str>),
    Item(Box<Expr>, Box<Expr>),
    Slice(Box<Expr>, Box<[Option<Expr>; 3]>),
    Call(Box<Expr>, CallArgs),
    Filter(Option<Box<Expr>>, Rc<str>, CallArgs),
    Test(Box<Expr>, Rc<str>, CallArgs),
    Not(Box<Expr>),
    Neg(Box<Expr>),
    Pos(Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    Concat(Vec<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Compare(Box<Expr>, Vec<(Compare, Expr)>),
    Cond(Box<Expr>, Box<Expr>, Option<Box<Expr>>),
}

#[derive(Debug, Default)]
pub(super) struct CallArgs {
    pub(super) positional: Vec<Expr>,
    pub(super) keyword: Vec<(Rc<str>, Expr)>,
    pub(super) star: Option<Box<Expr>>,
    pub(super) double_star: Option<Box<Expr>>,
}

/// What can be assigned to.
#[derive(Debug)]
pub(super) enum Target {
    Name(Rc<str>),
    Attr(Rc<str>, Rc<str>),
    Tuple(Vec<Target>),
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    pub(super) range: Range,
}

#[derive(Debug)]
pub(super) enum NodeKind {
    Text(Rc<str>),
    Output(Expr),
    Print(Vec<Expr>),
    For(Rc<For>),
    If(Vec<(Expr, Vec<Node>)>, Vec<Node>),
    Set(Target, Expr),
    SetBlock(Target, Vec<(Rc<str>, CallArgs)>, Vec<Node>),
    Macro(Rc<Macro>),
    CallBlock(Rc<Macro>, Expr),
    FilterBlock(Vec<(Rc<str>, CallArgs)>, Vec<Node>),
    With(Vec<(Target, Expr)>, Vec<Node>),
    Block(Rc<Block>),
    Extends(Expr),
    Include {
        names: Expr,
        ignore_missing: bool,
        with_context: bool,
    },
    Import {
        name: Expr,
        target: Rc<str>,
        with_context: bool,
    },
    FromImport {
        name: Expr,
        names: Vec<(Rc<str>, Rc<str>)>,
        with_context: bool,
    },
    Autoescape(Expr, Vec<Node>),
    Do(Expr),
    Break,
    Continue,
}

#[derive(Debug)]
pub(super) struct For {
    pub(super) target: Target,
    pub(super) iter: Expr,
    pub(super) filter: Option<Expr>,
    pub(super) recursive: bool,
    pub(super) body: Rc<Vec<Node>>,
    pub(super) otherwise: Vec<Node>,
}

#[derive(Debug)]
pub(super) struct Macro {
    pub(super) name: Rc<str>,
    pub(super) params: Vec<Rc<str>>,
    pub(super) defaults: Vec<Expr>,
    pub(super) body: Vec<Node>,
    pub(super) uses_caller: bool,
    pub(super) uses_varargs: bool,
    pub(super) uses_kwargs: bool,
}

#[derive(Debug)]
pub(super) struct Block {
    pub(super) name: Rc<str>,
    pub(super) body: Vec<Node>,
    pub(super) required: bool,
    pub(super) scoped: bool,
}
