//! What templates are compiled and rendered with.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use super::ast::{Block, Expr, Node, NodeKind};
use super::eval::Machine;
use super::extensions::Extension;
use super::lexer::Problem;
use super::name::Names;
use super::translations::{self, Catalog};
use super::{filters, globals, lexer, parser, tests};
use crate::diag::{Error, Kind, Result, SourceId, Span};
use crate::value::{Dict, Function, Runtime, Str, Undefined, UndefinedKind, Value};

/// Delimiters and what happens to blanks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Options {
    /// `{%`
    pub block_start: String,
    /// `%}`
    pub block_end: String,
    /// `{{`
    pub variable_start: String,
    /// `}}`
    pub variable_end: String,
    /// `{#`
    pub comment_start: String,
    /// `#}`
    pub comment_end: String,
    /// What begins a line that is a statement.
    pub line_statement_prefix: Option<String>,
    /// What begins a comment up to the end of its line.
    pub line_comment_prefix: Option<String>,
    /// Removes the newline behind a block.
    pub trim_blocks: bool,
    /// Removes blanks in front of a block that begins its line.
    pub lstrip_blocks: bool,
    /// Keeps the newline at the end of a template.
    pub keep_trailing_newline: bool,
    /// What newlines become.
    pub newline_sequence: String,
    /// Escapes output for HTML.
    pub autoescape: bool,
    /// Whether `autoescape` is for output too, rather than only for what is joined with markup; as in
    /// Jinja2's `NativeEnvironment`, whose output is values.
    pub escapes_output: bool,
    /// Writes nothing for `None`.
    pub none_is_empty: bool,
    /// Backslashes in strings between `{{` and `}}` stand for themselves.
    pub literal_backslashes: bool,
    /// Output is plain data: tuples become lists, markup becomes text, functions are refused.
    pub plain_data: bool,
    /// A list or dict with something undefined in it is refused as output.
    pub defined_output: bool,
    /// What may be done with undefined values.
    pub undefined: UndefinedKind,
    /// Joining with `~` escapes what isn't markup, where output is escaped.
    pub joins_markup: bool,
    /// Attributes that begin with two underscores are refused; else a few special methods are known.
    pub sandboxed: bool,
    /// What macros and blocks write stays text, whatever [`Environment::captured`] makes of it elsewhere.
    pub captures_text: bool,
    /// Views of dicts and ranges are lists in output, and bytes are text.
    pub lists_output: bool,
    /// The extensions whose tags are known.
    pub extensions: BTreeSet<Extension>,
    /// The functions of translations fill in variables (`newstyle_gettext`).
    pub newstyle_gettext: bool,
    /// Translatable texts are on one line where their tag says nothing else (`ext.i18n.trimmed`).
    pub trims_translations: bool,
}

impl Default for Options {
    fn default() -> Options {
        let text = str::to_owned;
        Options {
            block_start: text("{%"),
            block_end: text("%}"),
            variable_start: text("{{"),
            variable_end: text("}}"),
            comment_start: text("{#"),
            comment_end: text("#}"),
            line_statement_prefix: None,
            line_comment_prefix: None,
            trim_blocks: false,
            lstrip_blocks: false,
            keep_trailing_newline: false,
            newline_sequence: text("\n"),
            autoescape: false,
            escapes_output: true,
            none_is_empty: false,
            literal_backslashes: false,
            plain_data: false,
            defined_output: false,
            undefined: UndefinedKind::default(),
            joins_markup: true,
            sandboxed: true,
            captures_text: false,
            lists_output: false,
            extensions: BTreeSet::new(),
            newstyle_gettext: false,
            trims_translations: false,
        }
    }
}

/// Where a template's text is written, for errors.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// It is a source: offsets count from the number given (a header may come before).
    Source(SourceId, u32),
    /// It is a scalar of a source: errors point at the scalar.
    Scalar(Span),
    /// It is in no source.
    Nowhere,
}

/// A compiled template.
pub type Template = Compiled<Vec<Node2>>;
/// A compiled expression.
pub type Expression = Compiled<Expr2>;

/// A node of a template; opaque outside of the engine.
#[derive(Debug)]
pub struct Node2(pub(super) Node);
/// An expression; opaque outside of the engine.
#[derive(Debug)]
pub struct Expr2(pub(super) Expr);

/// Something compiled, with what its errors need.
#[derive(Debug)]
pub struct Compiled<T> {
    pub(super) code: T,
    pub(super) place: Place,
    /// The template's name, for `import` and messages.
    pub(super) name: Rc<str>,
    /// All blocks in it.
    pub(super) blocks: Vec<Rc<Block>>,
    /// How long its output was last, so that the next one has room from the beginning.
    pub(super) last_length: Cell<usize>,
}

impl Template {
    /// Says whether its output has text in any case, besides what it makes of values.
    pub fn writes_text(&self) -> bool {
        let is_text =
            |node: &Node2| matches!(&node.0.kind, NodeKind::Text(text) if !text.is_empty());
        let extends = |node: &Node2| matches!(node.0.kind, NodeKind::Extends(_));
        self.code.iter().any(is_text) && !self.code.iter().any(extends)
    }
}

fn span_of(place: Place, start: usize, end: usize) -> Option<Span> {
    match place {
        Place::Source(source, offset) => Some(Span::new(
            source,
            offset as usize + start,
            offset as usize + end.max(start + 1),
        )),
        Place::Scalar(span) => Some(span),
        Place::Nowhere => None,
    }
}

/// A template that a loader found.
pub struct Loaded {
    /// Its text.
    pub text: Rc<str>,
    /// Where the text is.
    pub place: Place,
    /// A name that no other template has.
    pub name: String,
    /// Whether its literals may be templates.
    pub trusted: bool,
}

/// Finds templates by name.
pub trait Loader {
    /// Finds a template; `parent` is the name of the one that asks.
    ///
    /// # Errors
    /// A template that is there and can't be read.
    fn load(&self, name: &str, parent: &str) -> Result<Option<Loaded>>;

    /// Says that a template isn't there.
    fn missing(&self, name: &str) -> String {
        name.to_owned()
    }
}

/// A key of a path such as `a.b[c]`.
#[derive(Clone, Debug)]
pub struct PathKey {
    /// The key.
    pub value: Value,
    /// Written with a dot.
    pub is_attribute: bool,
}

/// Where names that a template doesn't define itself come from.
pub trait Context {
    /// Returns a variable, ready for use.
    ///
    /// # Errors
    /// What keeps it from being ready.
    fn resolve(&self, runtime: &mut dyn Runtime, name: &str) -> Result<Option<Value>>;

    /// Returns what `name` and some of the keys behind it lead to; `done` is told how many of them,
    /// where it is any.
    ///
    /// # Errors
    /// As [`Context::resolve`].
    fn resolve_path(
        &self,
        runtime: &mut dyn Runtime,
        name: &str,
        _keys: &[PathKey],
        _done: &mut usize,
    ) -> Result<Option<Value>> {
        self.resolve(runtime, name)
    }

    /// Says whether the template may change lists and dicts, and so gets copies of them.
    fn changes_values(&self) -> bool {
        false
    }

    /// Returns the value of a literal that may be a template.
    ///
    /// # Errors
    /// What rendering it raises.
    fn literal(&self, text: &Str) -> Result<Value> {
        Ok(Value::Str(text.clone()))
    }

    /// Makes the undefined of a missing name.
    fn missing(&self, name: &str) -> Undefined {
        Undefined::variable(name)
    }

    /// Returns all variables, for `{% debug %}`.
    ///
    /// # Errors
    /// They can't be shown.
    fn all(&self) -> Result<Dict> {
        Ok(Dict::new())
    }

    /// Returns what the embedder's own functions need.
    fn embedder(&self) -> Rc<dyn Any> {
        Rc::new(())
    }
}

/// A context of given variables.
pub struct MapContext(Dict);

impl MapContext {
    /// Makes a context of names and values.
    pub fn new<K: AsRef<str>>(pairs: impl IntoIterator<Item = (K, Value)>) -> MapContext {
        let vars = Dict::new();
        for (name, value) in pairs {
            vars.set(name, value);
        }
        MapContext(vars)
    }
}

impl Context for MapContext {
    fn resolve(&self, _runtime: &mut dyn Runtime, name: &str) -> Result<Option<Value>> {
        Ok(self.0.get(name))
    }

    fn all(&self) -> Result<Dict> {
        Ok(self.0.copy())
    }
}

/// What raised an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plugin {
    /// A filter.
    Filter,
    /// A test.
    Test,
}

/// Filters and tests that are found by name when a template needs them.
pub trait Plugins {
    /// Returns the function of a name; where the environment has one of its own (`is_known`), one
    /// that is used in its place.
    ///
    /// # Errors
    /// A plugin that is there and can't be used.
    fn find(&self, plugin: Plugin, name: &str, is_known: bool) -> Result<Option<Value>>;
}

/// Makes the value of what a macro or a block wrote, where that is more than its text.
#[derive(Clone, Copy)]
pub struct Captured {
    /// Makes it of the pieces, in order.
    pub make: fn(Vec<Value>) -> Result<Value>,
    /// The pieces are as they are; else undefined ones raise, and are plain data where output is.
    pub is_raw: bool,
}

/// Makes another value of what the filter of some name returned.
pub type Filtered = fn(&str, Value) -> Value;

/// Words an error that a filter or test of some name raised.
pub type Worded = fn(Plugin, &str, Error) -> Error;

/// A filter or test that was found.
pub(super) enum Found {
    /// One of the environment's own.
    Own(Function),
    /// A plugin, which is called as a value.
    Plugin(Value),
}

/// Functions by name.
pub type Functions = HashMap<&'static str, Function, foldhash::fast::RandomState>;

/// Filters, tests, globals, options, loader. Shared by everything that is rendered.
pub struct Environment {
    /// Filters by name.
    pub filters: Functions,
    /// Tests by name.
    pub tests: Functions,
    /// Global variables by name.
    pub globals: HashMap<String, Value>,
    /// Options of templates that say nothing else.
    pub options: Options,
    /// Words what filters and tests raise.
    pub worded: Option<Worded>,
    /// Makes what macros, blocks, `set` blocks and recursive loops give; without it, that is text.
    pub captured: Option<Captured>,
    /// Goes over what filters return.
    pub filtered: Option<Filtered>,
    /// Finds filters and tests besides those above.
    pub plugins: Option<Rc<dyn Plugins>>,
    /// Finds included, imported and extended templates.
    pub loader: Option<Rc<dyn Loader>>,
    /// The names in its templates, which no other environment can render.
    pub(super) names: Names,
    cache: RefCell<HashMap<String, Rc<Template>>>,
}

impl Default for Environment {
    fn default() -> Environment {
        Environment::new()
    }
}

impl Environment {
    /// Makes an environment with all that Jinja2 itself has.
    pub fn new() -> Environment {
        let filters = filters::FAMILIES.iter().flat_map(|(_, rows)| *rows);
        Environment {
            filters: filters.map(|row| (row.name, row.function)).collect(),
            tests: tests::TABLE
                .iter()
                .map(|row| (row.name, row.function))
                .collect(),
            globals: globals::all(),
            options: Options::default(),
            worded: None,
            captured: None,
            filtered: None,
            plugins: None,
            loader: None,
            names: Names::new(),
            cache: RefCell::default(),
        }
    }

    /// Adds an extension, as a name in a list of extensions does.
    pub fn extend(&mut self, extension: Extension) {
        self.options.extensions.insert(extension);
        if extension == Extension::I18n {
            let alias = Value::function("_", translations::alias);
            self.globals.insert("_".to_owned(), alias);
        }
    }

    /// Adds the functions of translations; with an empty catalog, texts stay as they are, as
    /// `install_null_translations` has it.
    pub fn install_translations(&mut self, catalog: &Catalog, newstyle: bool) {
        self.options.newstyle_gettext = newstyle;
        self.globals
            .extend(translations::globals(catalog, newstyle));
    }

    /// Finds a filter or test by name, its own or a plugin.
    ///
    /// # Errors
    /// There is none, with a similar name where there is one; a plugin that can't be used.
    pub(super) fn find(&self, plugin: Plugin, name: &str) -> Result<Found> {
        let (own, kind) = match plugin {
            Plugin::Filter => (&self.filters, "filter"),
            Plugin::Test => (&self.tests, "test"),
        };
        let known = own.get(name).copied();
        if let Some(plugins) = &self.plugins
            && let Some(found) = plugins.find(plugin, name, known.is_some())?
        {
            return Ok(Found::Plugin(found));
        }
        known.map(Found::Own).ok_or_else(|| {
            let error = Error::new(Kind::TemplateSyntax, format!("No {kind} named '{name}'."));
            match crate::diag::closest(name, own.keys().copied()) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error,
            }
        })
    }

    /// Compiles a template.
    ///
    /// # Errors
    /// What is wrong with its syntax, with its place.
    pub fn compile(&self, text: &str, place: Place, trusted: bool) -> Result<Rc<Template>> {
        self.compile_named(text, place, trusted, "<template>", &self.options)
    }

    /// Compiles a template with a name and options of its own.
    ///
    /// # Errors
    /// As [`Environment::compile`].
    pub fn compile_named(
        &self,
        text: &str,
        place: Place,
        trusted: bool,
        name: &str,
        options: &Options,
    ) -> Result<Rc<Template>> {
        let normal;
        let mut text = text;
        if text.contains('\r') {
            normal = text.replace("\r\n", "\n").replace('\r', "\n");
            text = &normal;
        }
        if !options.keep_trailing_newline {
            text = text.strip_suffix('\n').unwrap_or(text);
        }
        let tokens = lexer::template(text, options, &self.names);
        let parsed = parser::template(tokens, trusted, options, &self.names)
            .map_err(|problem| syntax(&problem, place))?;
        Ok(Rc::new(Compiled {
            blocks: Block::all(&parsed),
            last_length: Cell::new(0),
            code: parsed.into_iter().map(Node2).collect(),
            place,
            name: name.into(),
        }))
    }

    /// Compiles an expression.
    ///
    /// # Errors
    /// What is wrong with its syntax, with its place.
    pub fn compile_expression(
        &self,
        text: &str,
        place: Place,
        trusted: bool,
    ) -> Result<Rc<Expression>> {
        let tokens = lexer::expression(text, &self.options, &self.names);
        let expr = parser::expression(tokens, trusted, &self.options, &self.names)
            .map_err(|problem| syntax(&problem, place))?;
        Ok(Rc::new(Compiled {
            code: Expr2(expr),
            place,
            name: "<expression>".into(),
            blocks: Vec::new(),
            last_length: Cell::new(0),
        }))
    }

    /// Renders a template to text.
    ///
    /// # Errors
    /// What rendering raises, with its place.
    pub fn render(&self, template: &Rc<Template>, context: &dyn Context) -> Result<String> {
        Machine::new(self, context, &self.options).render(template)
    }

    /// Renders a template with options of its own.
    ///
    /// # Errors
    /// As [`Environment::render`].
    pub fn render_with(
        &self,
        template: &Rc<Template>,
        context: &dyn Context,
        options: &Options,
    ) -> Result<String> {
        Machine::new(self, context, options).render(template)
    }

    /// As [`Environment::render_with`], but values become text when all of it is rendered, as they
    /// are then.
    ///
    /// # Errors
    /// As [`Environment::render`].
    pub fn render_late(
        &self,
        template: &Rc<Template>,
        context: &dyn Context,
        options: &Options,
    ) -> Result<String> {
        Machine::new(self, context, options).render_late(template)
    }

    /// Renders a template to its pieces: text and values in order, nothing turned into text yet.
    ///
    /// # Errors
    /// As [`Environment::render`].
    pub fn render_pieces(
        &self,
        template: &Rc<Template>,
        context: &dyn Context,
    ) -> Result<Vec<Value>> {
        self.render_pieces_with(template, context, &self.options)
    }

    /// As [`Environment::render_pieces`], with options of its own.
    ///
    /// # Errors
    /// As [`Environment::render`].
    pub fn render_pieces_with(
        &self,
        template: &Rc<Template>,
        context: &dyn Context,
        options: &Options,
    ) -> Result<Vec<Value>> {
        Machine::new(self, context, options).pieces(template)
    }

    /// Evaluates an expression.
    ///
    /// # Errors
    /// As [`Environment::render`].
    pub fn evaluate(&self, expression: &Rc<Expression>, context: &dyn Context) -> Result<Value> {
        Machine::new(self, context, &self.options).expression(expression)
    }

    /// Calls a function of the value model with a runtime at hand.
    ///
    /// # Errors
    /// What the function raises.
    pub fn with_runtime<T>(
        &self,
        context: &dyn Context,
        f: impl FnOnce(&mut dyn Runtime) -> Result<T>,
    ) -> Result<T> {
        f(&mut Machine::new(self, context, &self.options))
    }

    /// Returns a template that another one names.
    pub(super) fn load(
        &self,
        name: &str,
        parent: &str,
        options: &Options,
    ) -> Result<Option<Rc<Template>>> {
        let Some(loader) = &self.loader else {
            return Ok(None);
        };
        let Some(loaded) = loader.load(name, parent)? else {
            return Ok(None);
        };
        let key = format!("{}\0{}", loaded.name, options.trim_blocks);
        if let Some(known) = self.cache.borrow().get(&key) {
            return Ok(Some(known.clone()));
        }
        // What is included never keeps its last newline.
        let options = Options {
            keep_trailing_newline: false,
            ..options.clone()
        };
        let template = self.compile_named(
            &loaded.text,
            loaded.place,
            loaded.trusted,
            &loaded.name,
            &options,
        )?;
        self.cache.borrow_mut().insert(key, template.clone());
        Ok(Some(template))
    }
}

fn syntax(problem: &Problem, place: Place) -> Error {
    let error = Error::new(Kind::TemplateSyntax, problem.message.clone());
    match span_of(place, problem.start, problem.end) {
        Some(span) => error.at(span),
        None => error,
    }
}
