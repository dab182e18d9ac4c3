//! What a template is made of.

use std::rc::Rc;

use super::environment::PathKey;
use super::name::Name;
use crate::value::ops::Operator;
use crate::value::{Str, Value};

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
    Name(Name),
    Tuple(Vec<Expr>),
    List(Vec<Expr>),
    Dict(Vec<(Expr, Expr)>),
    Path(Box<Path>),
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

/// A value with the attributes and items that lead on from it: `a.b[c]`.
#[derive(Debug)]
pub(super) struct Path {
    pub(super) root: Expr,
    pub(super) steps: Vec<Step>,
    /// The keys of all steps, where none of them has to be evaluated.
    pub(super) keys: Option<Vec<PathKey>>,
}

/// One step of a path; its range begins with the root's.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) link: Link,
    pub(super) range: Range,
}

#[derive(Debug)]
pub(super) enum Link {
    Attr(Name),
    Item(Expr),
}

impl Link {
    /// Returns the key, unless it has to be evaluated.
    pub(super) fn key(&self) -> Option<PathKey> {
        match self {
            Link::Attr(name) => Some(PathKey {
                value: Value::Str(Str::from_shared(name.shared())),
                is_attribute: true,
            }),
            Link::Item(key) => match &key.kind {
                ExprKind::Const(Value::Str(text)) if text.is_trusted() => None,
                ExprKind::Const(value) => Some(PathKey {
                    value: value.clone(),
                    is_attribute: false,
                }),
                _ => None,
            },
        }
    }
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
    Name(Name),
    Attr(Name, Name),
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
        target: Name,
        with_context: bool,
    },
    FromImport {
        name: Expr,
        names: Vec<(Name, Name)>,
        with_context: bool,
    },
    Autoescape(Expr, Vec<Node>),
    Do(Expr),
    Break,
    Continue,
    Trans(Rc<Trans>),
    Debug,
}

#[derive(Debug)]
pub(super) struct For {
    pub(super) target: Target,
    pub(super) iter: Expr,
    pub(super) filter: Option<Expr>,
    pub(super) recursive: bool,
    /// Whether the body may look at `loop`.
    pub(super) uses_loop: bool,
    pub(super) body: Rc<Vec<Node>>,
    pub(super) otherwise: Vec<Node>,
}

#[derive(Debug)]
pub(super) struct Macro {
    pub(super) name: Name,
    pub(super) params: Vec<Name>,
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

impl Block {
    /// Returns the blocks of a template, outer ones before those inside of them.
    pub(super) fn all(nodes: &[Node]) -> Vec<Rc<Block>> {
        fn walk(nodes: &[Node], found: &mut Vec<Rc<Block>>) {
            for node in nodes {
                match &node.kind {
                    NodeKind::Block(block) => {
                        found.push(block.clone());
                        walk(&block.body, found);
                    }
                    NodeKind::If(branches, otherwise) => {
                        for (_, body) in branches {
                            walk(body, found);
                        }
                        walk(otherwise, found);
                    }
                    NodeKind::For(repeat) => {
                        walk(&repeat.body, found);
                        walk(&repeat.otherwise, found);
                    }
                    NodeKind::Macro(code) | NodeKind::CallBlock(code, _) => walk(&code.body, found),
                    NodeKind::With(_, body)
                    | NodeKind::Autoescape(_, body)
                    | NodeKind::FilterBlock(_, body)
                    | NodeKind::SetBlock(_, _, body) => walk(body, found),
                    _ => {}
                }
            }
        }
        let mut found = Vec::new();
        walk(nodes, &mut found);
        found
    }
}

/// A text that translations may replace.
#[derive(Debug)]
pub(super) struct Trans {
    /// The name of the function.
    pub(super) function: Expr,
    pub(super) context: Option<String>,
    pub(super) single: String,
    pub(super) plural: Option<String>,
    /// Which of the variables chooses between the texts.
    pub(super) counted: Option<usize>,
    pub(super) variables: Vec<(Name, Expr)>,
    /// The function of translations fills in the variables itself.
    pub(super) newstyle: bool,
}
