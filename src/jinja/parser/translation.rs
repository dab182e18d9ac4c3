//! Reads `{% trans %}`.
//!
//! **Source:** "i18n Extension" of Jinja2's documentation.

use std::rc::Rc;

use super::{Parsed, Parser};
use crate::jinja::ast::{Expr, ExprKind, NodeKind, Range, Trans};
use crate::jinja::lexer::Token;
use crate::jinja::name::Name;

/// A translatable text, with `%(name)s` for the variables in it.
struct Section {
    text: String,
    names: Vec<Name>,
}

/// What a `trans` tag says before its texts.
#[derive(Default)]
struct Head {
    context: Option<String>,
    trimmed: Option<bool>,
    variables: Vec<(Name, Expr)>,
    /// The name of the variable that chooses between singular and plural.
    counted: Option<Name>,
}

impl Parser<'_> {
    pub(super) fn translation(&mut self) -> Parsed<NodeKind> {
        let mut head = self.translation_head()?;
        let single = self.section(true)?;
        if head.counted.is_none() {
            head.counted = single.names.first().cloned();
        }
        let mut plural = None;
        if self.take_name("pluralize") {
            if !matches!(self.peek(), Token::BlockEnd) {
                let at = self.at;
                let name = self.expect_name()?;
                if !head.variables.iter().any(|(known, _)| *known == name) {
                    self.at = at;
                    return Err(self.fail(format!("unknown variable '{name}' for pluralization")));
                }
                head.counted = Some(name);
            }
            self.expect_block_end()?;
            plural = Some(self.section(false)?);
        }
        if plural.is_some() && head.counted.is_none() {
            return Err(self.fail("pluralize without variables"));
        }
        self.take_name("endtrans");
        self.expect_block_end()?;
        Ok(NodeKind::Trans(Rc::new(
            self.translated(head, single, plural),
        )))
    }

    fn translation_head(&mut self) -> Parsed<Head> {
        let mut head = Head::default();
        if let Token::Str(text) = self.peek().clone() {
            self.advance();
            head.context = Some(text);
        }
        while !matches!(self.peek(), Token::BlockEnd) {
            if !head.variables.is_empty() {
                self.expect_op(",")?;
            }
            if self.take_op(":") {
                break;
            }
            let at = self.at;
            let name = self.expect_name()?;
            if head.variables.iter().any(|(known, _)| *known == name) {
                self.at = at;
                return Err(self.fail(format!("translatable variable '{name}' defined twice.")));
            }
            let value = if self.take_op("=") {
                self.expression()?
            } else if head.trimmed.is_none() && matches!(&*name, "trimmed" | "notrimmed") {
                head.trimmed = Some(&*name == "trimmed");
                continue;
            } else {
                self.named(&name)
            };
            head.counted.get_or_insert_with(|| name.clone());
            head.variables.push((name, value));
        }
        self.expect_block_end()?;
        Ok(head)
    }

    /// Reads a text up to the tag that ends it, and stands at that tag's name then.
    fn section(&mut self, may_pluralize: bool) -> Parsed<Section> {
        let mut read = Section {
            text: String::new(),
            names: Vec::new(),
        };
        loop {
            match self.peek().clone() {
                Token::Data(text) => {
                    self.advance();
                    read.text.push_str(&text.replace('%', "%%"));
                }
                Token::VariableBegin => {
                    self.advance();
                    let name = self.expect_name()?;
                    if !matches!(self.peek(), Token::VariableEnd) {
                        let found = Self::describe(self.peek());
                        return Err(self.fail(format!(
                            "expected token 'end of print statement', got '{found}'"
                        )));
                    }
                    self.advance();
                    read.text.push_str(&format!("%({name})s"));
                    read.names.push(name);
                }
                Token::BlockBegin => {
                    self.advance();
                    let name = match self.peek() {
                        Token::Name(name) => &**name,
                        _ => "None",
                    };
                    let problem = match name {
                        "endtrans" => return Ok(read),
                        "pluralize" if may_pluralize => return Ok(read),
                        "pluralize" => {
                            "a translatable section can have only one pluralize section".to_owned()
                        }
                        "trans" => {
                            "trans blocks can't be nested; did you mean `endtrans`?".to_owned()
                        }
                        other => format!(
                            "control structures in translatable sections are not allowed; saw `{other}`"
                        ),
                    };
                    return Err(self.fail(problem));
                }
                Token::Eof => return Err(self.fail("unclosed translation block")),
                _ => return Err(self.unexpected()),
            }
        }
    }

    fn translated(&mut self, mut head: Head, single: Section, plural: Option<Section>) -> Trans {
        let newstyle = self.options.newstyle_gettext;
        let mut names = single.names;
        names.extend(plural.iter().flat_map(|section| section.names.clone()));
        for name in &names {
            if !head.variables.iter().any(|(known, _)| known == name) {
                head.variables.push((name.clone(), self.named(name)));
            }
        }
        let trims = head.trimmed.unwrap_or(self.options.trims_translations);
        let text = |text: String| {
            let text = if trims { on_one_line(&text) } else { text };
            // Without variables, nothing takes the doubled signs away.
            if names.is_empty() && !newstyle {
                text.replace("%%", "%")
            } else {
                text
            }
        };
        let function = match (&head.context, &plural) {
            (None, None) => "gettext",
            (None, Some(_)) => "ngettext",
            (Some(_), None) => "pgettext",
            (Some(_), Some(_)) => "npgettext",
        };
        let counted = head.counted.filter(|_| plural.is_some());
        Trans {
            function: {
                let name = self.names.of(function);
                self.named(&name)
            },
            context: head.context,
            single: text(single.text),
            plural: plural.map(|section| text(section.text)),
            counted: counted
                .and_then(|name| head.variables.iter().position(|(known, _)| *known == name)),
            variables: head.variables,
            newstyle,
        }
    }

    /// Makes the expression of a variable, which stands where the last token does.
    fn named(&mut self, name: &Name) -> Expr {
        self.reads.push(name.clone());
        let last = &self.tokens[self.at.saturating_sub(1)];
        Expr {
            kind: ExprKind::Name(name.clone()),
            range: Range {
                start: last.start as u32,
                end: last.end as u32,
            },
        }
    }
}

/// Takes blanks off both ends, and puts one in place of each line break with the blanks around it.
fn on_one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim);
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    lines.join(" ")
}
