//! Writes YAML as `PyYAML`'s `dump` does, byte for byte.
//!
//! **Source:** what `yaml.dump(…, allow_unicode=True)` prints: block style, or flow style for
//! collections of scalars where asked; plain where the text reads back as the same text, else
//! single quotes, else double quotes; lines folded at the width.

use std::collections::{HashMap, HashSet};

use super::resolve;
use crate::diag::{Error, Result};
use crate::value::{Dict, Key, MAX_DEPTH, Value, Vaulted, float_repr};

/// How YAML is written.
#[derive(Clone, Debug)]
pub struct EmitStyle {
    /// Blanks per level.
    pub indent: usize,
    /// Where lines are folded.
    pub width: usize,
    /// Sorts the keys of mappings.
    pub sort_keys: bool,
    /// `Some(false)` writes blocks, `Some(true)` flow, `None` flow for collections of scalars only.
    pub flow: Option<bool>,
    /// How all scalars are written: `|`, `>`, `"` or `'`; as each one needs where it is `None`.
    pub scalars: Option<char>,
    /// As `PyYAML` itself writes, not as libyaml does where Python has it: what ends a document, and how double
    /// quotes are folded.
    pub by_python: bool,
    /// Begins with `---`.
    pub explicit_start: bool,
    /// Ends with `...`.
    pub explicit_end: bool,
}

impl Default for EmitStyle {
    /// Blocks of two blanks a level, folded at 80 characters, keys in the order they have.
    fn default() -> EmitStyle {
        EmitStyle {
            indent: 2,
            width: 80,
            sort_keys: false,
            flow: Some(false),
            scalars: None,
            by_python: false,
            explicit_start: false,
            explicit_end: false,
        }
    }
}

/// Writes a value as a YAML document.
///
/// # Errors
/// What has no form in YAML; the undefined's own error.
pub fn emit(value: &Value, style: &EmitStyle) -> Result<String> {
    write(value, style, Anchors::default())
}

/// Writes a value as a YAML document; what occurs more than once is written once and then named.
///
/// # Errors
/// As [`emit`].
pub fn emit_with_anchors(value: &Value, style: &EmitStyle) -> Result<String> {
    let mut anchors = Anchors::default();
    anchors.visit(value, style, 0);
    write(value, style, anchors)
}

/// The names of collections that occur more than once.
#[derive(Default)]
struct Anchors {
    names: HashMap<usize, Option<String>>,
    count: usize,
    written: HashSet<usize>,
}

impl Anchors {
    /// Names what is met again, in the order in which that happens.
    fn visit(&mut self, value: &Value, style: &EmitStyle, depth: usize) {
        let Some(identity) = identity(value).filter(|_| depth <= MAX_DEPTH) else {
            return;
        };
        if let Some(name) = self.names.get_mut(&identity) {
            if name.is_none() {
                self.count += 1;
                *name = Some(format!("id{:03}", self.count));
            }
            return;
        }
        self.names.insert(identity, None);
        match value {
            Value::Dict(dict) => {
                for (_, value) in sorted_pairs(dict, style) {
                    self.visit(&value, style, depth + 1);
                }
            }
            other => {
                for item in other.items().into_iter().flatten() {
                    self.visit(&item, style, depth + 1);
                }
            }
        }
    }

    fn name(&self, value: &Value) -> Option<(usize, String)> {
        let identity = identity(value)?;
        Some((identity, self.names.get(&identity)?.clone()?))
    }
}

/// Returns what tells a collection from an equal one.
fn identity(value: &Value) -> Option<usize> {
    match value {
        Value::Dict(dict) => Some(dict.id()),
        Value::List(list) => Some(list.id()),
        Value::Tuple(items) if !items.is_empty() => Some(items.as_ptr() as usize),
        _ => None,
    }
}

fn sorted_pairs(dict: &Dict, style: &EmitStyle) -> Vec<(Key, Value)> {
    let mut pairs = dict.to_vec();
    if style.sort_keys {
        let mut unlike = false;
        pairs.sort_by(|a, b| match a.0.value().order(b.0.value(), "<") {
            Ok(order) => order.unwrap_or(std::cmp::Ordering::Equal),
            Err(_) => {
                unlike = true;
                std::cmp::Ordering::Equal
            }
        });
        if unlike {
            // Keys of unlike types keep their order, as in PyYAML.
            pairs = dict.to_vec();
        }
    }
    pairs
}

fn write(value: &Value, style: &EmitStyle, mut anchors: Anchors) -> Result<String> {
    let indent = if (2..10).contains(&style.indent) {
        style.indent
    } else {
        2
    };
    let width = if style.width > indent * 2 {
        style.width
    } else {
        80
    };
    let mut writer = Writer {
        style,
        indent,
        width,
        out: String::new(),
        column: 0,
        is_line_open: true,
        keeps_breaks: false,
    };
    let node = node(value, style, &mut anchors, 0)?;
    if style.explicit_start {
        writer.out.push_str(if matches!(&node, Node::Scalar(_)) {
            "--- "
        } else {
            "---\n"
        });
    }
    let level = if node.is_block() || matches!(node, Node::Anchored(..)) {
        0
    } else {
        indent
    };
    writer.node(&node, level, true, false, false)?;
    if !writer.out.ends_with('\n') {
        writer.out.push('\n');
    }
    let is_open = style.scalars.is_none()
        && style.by_python
        && matches!(&node, Node::Scalar(scalar) if scalar.is_open);
    if is_open || writer.keeps_breaks && !style.by_python {
        writer.out.push_str("...\n");
    }
    if style.explicit_end && !writer.out.ends_with("\n...\n") {
        writer.out.push_str("...\n");
    }
    Ok(writer.out)
}

/// A scalar ready to be written.
struct Scalar {
    text: String,
    /// It is a string: it may need quotes.
    is_text: bool,
    /// A plain scalar at the top ends its document by `...`.
    is_open: bool,
}

enum Node {
    Scalar(Scalar),
    Sequence(Vec<Node>, bool),
    Mapping(Vec<(Node, Node)>, bool),
    /// A collection that occurs again, under a name.
    Anchored(String, Box<Node>),
    /// It occurs again.
    Alias(String),
    /// A text that is encrypted, in a literal block of its own.
    Vault(String),
}

impl Node {
    /// Says whether the node is written in lines of its own.
    fn is_block(&self) -> bool {
        match self {
            Node::Sequence(items, false) => !items.is_empty(),
            Node::Mapping(pairs, false) => !pairs.is_empty(),
            _ => false,
        }
    }
}

fn node(value: &Value, style: &EmitStyle, anchors: &mut Anchors, depth: usize) -> Result<Node> {
    let Some((identity, name)) = anchors.name(value) else {
        return bare_node(value, style, anchors, depth);
    };
    if !anchors.written.insert(identity) {
        return Ok(Node::Alias(name));
    }
    let inner = bare_node(value, style, anchors, depth)?;
    Ok(Node::Anchored(name, Box::new(inner)))
}

fn bare_node(
    value: &Value,
    style: &EmitStyle,
    anchors: &mut Anchors,
    depth: usize,
) -> Result<Node> {
    if depth > MAX_DEPTH {
        return Err(Error::value_error(
            "the value is nested too deeply for YAML",
        ));
    }
    let plain = |text: String| {
        Node::Scalar(Scalar {
            text,
            is_text: false,
            is_open: true,
        })
    };
    Ok(match value {
        Value::None => plain("null".into()),
        Value::Bool(b) => plain(if *b { "true" } else { "false" }.into()),
        Value::Int(_) | Value::Big(_) => plain(value.repr()),
        Value::Float(f) => plain(float(*f)),
        Value::Str(text) => {
            let is_open = Form::of(text).plain_block;
            Node::Scalar(Scalar {
                text: text.to_string(),
                is_text: true,
                is_open,
            })
        }
        Value::List(_) | Value::Tuple(_) | Value::Set(_) | Value::Range(..) => {
            let mut items = Vec::new();
            for item in value.items()? {
                items.push(node(&item, style, anchors, depth + 1)?);
            }
            let simple = (style.scalars.is_none() || items.is_empty())
                && items.iter().all(|item| matches!(item, Node::Scalar(_)));
            Node::Sequence(items, style.flow.unwrap_or(simple))
        }
        Value::Dict(dict) => {
            let mut nodes = Vec::new();
            for (key, value) in sorted_pairs(dict, style) {
                nodes.push((
                    node(key.value(), style, anchors, depth + 1)?,
                    node(&value, style, anchors, depth + 1)?,
                ));
            }
            let simple = (style.scalars.is_none() || nodes.is_empty())
                && nodes.iter().all(|(key, value)| {
                    matches!(key, Node::Scalar(_)) && matches!(value, Node::Scalar(_))
                });
            Node::Mapping(nodes, style.flow.unwrap_or(simple))
        }
        Value::Undefined(undefined) => return Err(undefined.error()),
        Value::Object(_) if value.downcast::<Vaulted>().is_some() => {
            let envelope = value.downcast::<Vaulted>().map(|v| v.envelope.to_string());
            Node::Vault(envelope.unwrap_or_default())
        }
        Value::Object(object) => match object.as_mapping() {
            Some(dict) => return node(&Value::Dict(dict), style, anchors, depth),
            None => match object.json() {
                Some(Value::Str(text)) => plain(text.replacen('T', " ", 1)),
                _ => {
                    return Err(Error::value_error(format!(
                        "cannot represent an object: {}",
                        object.repr()
                    )));
                }
            },
        },
        Value::Bytes(bytes) => Node::Scalar(Scalar {
            text: String::from_utf8_lossy(bytes).into_owned(),
            is_text: true,
            is_open: false,
        }),
    })
}

fn float(number: f64) -> String {
    if number.is_nan() {
        return ".nan".into();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.into();
    }
    let text = float_repr(number);
    // YAML's floats need a dot.
    if text.contains('.') {
        text
    } else {
        text.replacen('e', ".0e", 1)
    }
}

/// Which forms a text may have.
struct Form {
    plain_block: bool,
    plain_flow: bool,
    single: bool,
    multiline: bool,
    /// It may be a block of lines.
    lines: bool,
}

impl Form {
    fn of(text: &str) -> Form {
        if text.is_empty() {
            return Form {
                plain_block: false,
                plain_flow: false,
                single: true,
                multiline: false,
                lines: false,
            };
        }
        let chars: Vec<char> = text.chars().collect();
        let (mut block, mut flow) = (false, false);
        let (mut breaks, mut special) = (false, false);
        let mut space_break = false;
        let mut break_space = false;
        let (mut leading_space, mut trailing_space) = (false, false);
        let (mut leading_break, mut trailing_break) = (false, false);
        if text.starts_with("---") || text.starts_with("...") {
            block = true;
            flow = true;
        }
        let is_gap = |c: Option<&char>| {
            c.is_none_or(|c| {
                matches!(
                    c,
                    '\0' | ' ' | '\t' | '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}'
                )
            })
        };
        let mut preceded = true;
        let mut previous_space = false;
        let mut previous_break = false;
        for (at, c) in chars.iter().enumerate() {
            let followed = is_gap(chars.get(at + 1));
            if at == 0 {
                if "#,[]{}&*!|>'\"%@`".contains(*c) {
                    block = true;
                    flow = true;
                }
                if "?:".contains(*c) {
                    flow = true;
                    block |= followed;
                }
                if *c == '-' && followed {
                    block = true;
                    flow = true;
                }
            } else {
                if ",?[]{}".contains(*c) {
                    flow = true;
                }
                if *c == ':' {
                    flow = true;
                    block |= followed;
                }
                if *c == '#' && preceded {
                    block = true;
                    flow = true;
                }
            }
            let is_break = matches!(c, '\n' | '\u{85}' | '\u{2028}' | '\u{2029}');
            breaks |= is_break;
            let printable = *c == '\n'
                || (' '..='~').contains(c)
                || (*c as u32 >= 0xa0 && *c != '\u{feff}' && !matches!(*c as u32, 0xd800..=0xdfff))
                || *c == '\u{85}';
            special |= !printable;
            if *c == ' ' {
                leading_space |= at == 0;
                trailing_space |= at == chars.len() - 1;
                break_space |= previous_break;
                previous_space = true;
                previous_break = false;
            } else if is_break {
                leading_break |= at == 0;
                trailing_break |= at == chars.len() - 1;
                space_break |= previous_space;
                previous_space = false;
                previous_break = true;
            } else {
                previous_space = false;
                previous_break = false;
            }
            preceded = matches!(
                c,
                '\0' | ' ' | '\t' | '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}'
            );
        }
        let mut plain_flow = true;
        let mut plain_block = true;
        let mut single = true;
        if leading_space || leading_break || trailing_space || trailing_break {
            plain_flow = false;
            plain_block = false;
        }
        if break_space {
            plain_flow = false;
            plain_block = false;
            single = false;
        }
        if space_break || special {
            plain_flow = false;
            plain_block = false;
            single = false;
        }
        if breaks {
            plain_flow = false;
            plain_block = false;
        }
        plain_flow &= !flow;
        plain_block &= !block;
        // Text that reads as something else needs quotes.
        let reads_as_text =
            matches!(resolve::plain(text), Value::Str(_)) && !matches!(text, "=" | "<<");
        Form {
            plain_block: plain_block && reads_as_text,
            plain_flow: plain_flow && reads_as_text,
            single,
            multiline: breaks,
            lines: !(space_break || special || trailing_space),
        }
    }
}

struct Writer<'a> {
    style: &'a EmitStyle,
    indent: usize,
    width: usize,
    out: String,
    column: usize,
    /// Nothing has ended the last line.
    is_line_open: bool,
    /// A block of lines has kept the breaks at its end.
    keeps_breaks: bool,
}

impl Writer<'_> {
    fn write(&mut self, text: &str) {
        for c in text.chars() {
            self.out.push(c);
            self.column = if c == '\n' { 0 } else { self.column + 1 };
        }
    }

    fn newline(&mut self, indent: usize) {
        while self.out.ends_with(' ') {
            self.out.pop();
        }
        if std::mem::replace(&mut self.is_line_open, true) {
            self.write("\n");
        }
        let blanks = " ".repeat(indent);
        self.write(&blanks);
    }

    /// Writes a node whose own level is `level` blanks deep.
    fn node(
        &mut self,
        node: &Node,
        level: usize,
        root: bool,
        in_flow: bool,
        is_key: bool,
    ) -> Result<()> {
        match node {
            Node::Scalar(scalar) => self.scalar(scalar, level, in_flow, is_key),
            Node::Alias(name) => self.write(&format!("*{name}")),
            Node::Vault(envelope) => {
                let kept = if envelope.ends_with('\n') { "" } else { "-" };
                self.write(&format!("!vault |{kept}"));
                for line in envelope.lines() {
                    self.newline(level.max(self.indent));
                    self.write(line);
                }
            }
            Node::Anchored(name, inner) => {
                self.write(&format!("&{name}"));
                if inner.is_block() && !in_flow {
                    self.newline(level);
                } else {
                    self.write(" ");
                }
                self.node(inner, level, root, in_flow, is_key)?;
            }
            Node::Sequence(items, flow) if *flow || in_flow || items.is_empty() => {
                self.write("[");
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        self.write(",");
                    }
                    if self.column > self.width {
                        self.newline(level);
                    } else if index > 0 {
                        self.write(" ");
                    }
                    self.node(item, level + self.indent, false, true, false)?;
                }
                self.write("]");
            }
            Node::Mapping(pairs, flow) if *flow || in_flow || pairs.is_empty() => {
                self.write("{");
                for (index, (key, value)) in pairs.iter().enumerate() {
                    if index > 0 {
                        self.write(",");
                    }
                    if self.column > self.width {
                        self.newline(level);
                    } else if index > 0 {
                        self.write(" ");
                    }
                    self.node(key, level + self.indent, false, true, true)?;
                    self.write(": ");
                    self.node(value, level + self.indent, false, true, false)?;
                }
                self.write("}");
            }
            Node::Sequence(items, _) => {
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        self.newline(level);
                    }
                    self.write("-");
                    // A collection inside begins where its next line will.
                    let blanks = if item.is_block() { self.indent - 1 } else { 1 };
                    self.write(&" ".repeat(blanks));
                    self.node(item, level + self.indent, false, false, false)?;
                    let _ = root;
                }
            }
            Node::Mapping(pairs, _) => {
                for (index, (key, value)) in pairs.iter().enumerate() {
                    if index > 0 {
                        self.newline(level);
                    }
                    self.node(key, level, false, false, true)?;
                    self.write(":");
                    self.value(value, level)?;
                }
            }
        }
        Ok(())
    }

    fn value(&mut self, value: &Node, level: usize) -> Result<()> {
        let (value, name) = match value {
            Node::Anchored(name, inner) => (&**inner, Some(name)),
            other => (other, None),
        };
        if let Some(name) = name {
            self.write(&format!(" &{name}"));
        }
        match value {
            // A block sequence stands at its key's own level.
            Node::Sequence(items, false) if !items.is_empty() => {
                self.newline(level);
                self.node(value, level, false, false, false)
            }
            Node::Mapping(pairs, false) if !pairs.is_empty() => {
                self.newline(level + self.indent);
                self.node(value, level + self.indent, false, false, false)
            }
            _ => {
                self.write(" ");
                self.node(value, level + self.indent, false, false, false)
            }
        }
    }

    fn scalar(&mut self, scalar: &Scalar, level: usize, in_flow: bool, is_key: bool) {
        if let Some(form) = self.style.scalars {
            if !scalar.is_text && self.style.by_python {
                let tag = match resolve::plain(&scalar.text) {
                    Value::None => "null",
                    Value::Bool(_) => "bool",
                    Value::Int(_) | Value::Big(_) => "int",
                    Value::Float(_) => "float",
                    _ => "timestamp",
                };
                self.write(&format!("!!{tag} "));
            } else if !scalar.is_text {
                self.write("! ");
            }
            let text = &scalar.text;
            let fits = Form::of(text);
            return match form {
                '|' | '>' if fits.lines && !in_flow && !is_key => {
                    self.lines(text, level.max(self.indent), form);
                }
                '\'' if fits.single && !(is_key && fits.multiline) => {
                    self.single(text, level, !is_key);
                }
                _ => self.double(text, level, !is_key),
            };
        }
        if !scalar.is_text {
            self.write(&scalar.text);
            return;
        }
        let form = Form::of(&scalar.text);
        let split = !is_key;
        let plain = if in_flow {
            form.plain_flow
        } else {
            form.plain_block
        };
        if plain && !(is_key && form.multiline) {
            self.plain(&scalar.text, level, split);
        } else if form.single && !(is_key && form.multiline) {
            self.single(&scalar.text, level, split);
        } else {
            self.double(&scalar.text, level, split);
        }
    }

    /// Writes a block of lines, as they are (`|`) or folded (`>`).
    fn lines(&mut self, text: &str, level: usize, form: char) {
        let chars: Vec<char> = text.chars().collect();
        let is_break = |at: usize| chars.get(at) == Some(&'\n');
        let is_blank = |at: usize| matches!(chars.get(at), None | Some(' ' | '\t' | '\n'));
        self.write(&form.to_string());
        if matches!(chars.first(), Some(' ' | '\n')) {
            self.write(&self.indent.to_string());
        }
        if !text.ends_with('\n') {
            self.write("-");
        } else if text == "\n" || text.ends_with("\n\n") {
            self.write("+");
            self.keeps_breaks = true;
        }
        self.write("\n");
        let mut after_break = true;
        let mut is_indented = true;
        for (at, c) in chars.iter().enumerate() {
            if *c == '\n' {
                if form == '>' && !after_break && !is_indented {
                    let next = (at..chars.len()).find(|at| !is_break(*at));
                    if next.is_some_and(|next| !is_blank(next)) {
                        self.write("\n");
                    }
                }
                self.write("\n");
                after_break = true;
                continue;
            }
            if after_break {
                let blanks = " ".repeat(level);
                self.write(&blanks);
                is_indented = matches!(c, ' ' | '\t');
            }
            let may_fold =
                form == '>' && !after_break && *c == ' ' && chars.get(at + 1) != Some(&' ');
            if may_fold && self.column > self.width {
                self.newline(level);
            } else {
                self.write(&c.to_string());
            }
            after_break = false;
        }
        self.is_line_open = !text.ends_with('\n');
    }

    /// Writes words with a fold wherever the line has passed the width.
    fn plain(&mut self, text: &str, level: usize, split: bool) {
        let chars: Vec<char> = text.chars().collect();
        let mut at = 0;
        while at < chars.len() {
            let start = at;
            if chars[at] == ' ' {
                while at < chars.len() && chars[at] == ' ' {
                    at += 1;
                }
                if at - start == 1 && self.column > self.width && split {
                    self.newline(level.max(self.indent));
                } else {
                    let blanks: String = chars[start..at].iter().collect();
                    self.write(&blanks);
                }
            } else {
                while at < chars.len() && chars[at] != ' ' {
                    at += 1;
                }
                let word: String = chars[start..at].iter().collect();
                self.write(&word);
            }
        }
    }

    fn single(&mut self, text: &str, level: usize, split: bool) {
        self.write("'");
        let chars: Vec<char> = text.chars().collect();
        let level = level.max(self.indent);
        let mut at = 0;
        while at < chars.len() {
            let start = at;
            let c = chars[at];
            if c == ' ' {
                while at < chars.len() && chars[at] == ' ' {
                    at += 1;
                }
                if at - start == 1
                    && self.column > self.width
                    && split
                    && start != 0
                    && at != chars.len()
                {
                    self.newline(level);
                } else {
                    let blanks: String = chars[start..at].iter().collect();
                    self.write(&blanks);
                }
            } else if c == '\n' {
                while at < chars.len() && chars[at] == '\n' {
                    at += 1;
                }
                self.write("\n");
                for _ in start..at {
                    self.write("\n");
                }
                let blanks = " ".repeat(level);
                self.write(&blanks);
            } else {
                while at < chars.len() && !matches!(chars[at], ' ' | '\n' | '\'') {
                    at += 1;
                }
                let word: String = chars[start..at].iter().collect();
                self.write(&word);
                if chars.get(at) == Some(&'\'') {
                    self.write("''");
                    at += 1;
                }
            }
        }
        self.write("'");
    }

    fn double(&mut self, text: &str, level: usize, split: bool) {
        if self.style.by_python {
            self.double_by_python(text, level, split);
        } else {
            self.double_by_libyaml(text, level, split);
        }
    }

    /// Writes double quotes; a blank beyond the width becomes the end of a line.
    fn double_by_libyaml(&mut self, text: &str, level: usize, split: bool) {
        self.write("\"");
        let chars: Vec<char> = text.chars().collect();
        let mut after_blank = false;
        for (at, c) in chars.iter().enumerate() {
            let is_inside = at > 0 && at + 1 < chars.len();
            if *c != ' ' {
                if is_quotable(*c) {
                    self.write(&c.to_string());
                } else {
                    self.write(&escape(*c));
                }
            } else if split && !after_blank && is_inside && self.column > self.width {
                self.newline(level.max(self.indent));
                if chars[at + 1] == ' ' {
                    self.write("\\");
                }
            } else {
                self.write(" ");
            }
            after_blank = *c == ' ';
        }
        self.write("\"");
    }

    fn double_by_python(&mut self, text: &str, level: usize, split: bool) {
        self.write("\"");
        let chars: Vec<char> = text.chars().collect();
        let level = level.max(self.indent);
        let mut start = 0;
        let mut end = 0;
        while end <= chars.len() {
            let c = chars.get(end).copied();
            let plain = c.is_some_and(is_quotable);
            if !plain {
                if start < end {
                    let part: String = chars[start..end].iter().collect();
                    self.write(&part);
                    start = end;
                }
                if let Some(c) = c {
                    self.write(&escape(c));
                    start = end + 1;
                }
            }
            if end > 0
                && end < chars.len().saturating_sub(1)
                && (c == Some(' ') || start >= end)
                && self.column + (end.saturating_sub(start)) > self.width
                && split
            {
                let part: String = if start < end {
                    chars[start..end].iter().collect()
                } else {
                    String::new()
                };
                self.write(&part);
                self.write("\\");
                if start < end {
                    start = end;
                }
                self.write("\n");
                let blanks = " ".repeat(level);
                self.write(&blanks);
                if chars.get(start) == Some(&' ') {
                    self.write("\\");
                }
            }
            end += 1;
        }
        self.write("\"");
    }
}

/// Says whether a character stands for itself between double quotes.
fn is_quotable(c: char) -> bool {
    let is_special = matches!(
        c,
        '"' | '\\' | '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}'
    );
    !is_special && ((' '..='~').contains(&c) || c as u32 >= 0xa0)
}

fn escape(c: char) -> String {
    match c {
        '\0' => "\\0".into(),
        '\u{7}' => "\\a".into(),
        '\u{8}' => "\\b".into(),
        '\t' => "\\t".into(),
        '\n' => "\\n".into(),
        '\u{b}' => "\\v".into(),
        '\u{c}' => "\\f".into(),
        '\r' => "\\r".into(),
        '\u{1b}' => "\\e".into(),
        '"' => "\\\"".into(),
        '\\' => "\\\\".into(),
        '\u{85}' => "\\N".into(),
        '\u{a0}' => "\\_".into(),
        '\u{2028}' => "\\L".into(),
        '\u{2029}' => "\\P".into(),
        c if c as u32 <= 0xff => format!("\\x{:02X}", c as u32),
        c if c as u32 <= 0xffff => format!("\\u{:04X}", c as u32),
        c => format!("\\U{:08X}", c as u32),
    }
}
