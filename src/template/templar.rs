//! Renders values with a host's variables, each only when it is reached.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::lookups;
use super::results;
use super::shared::Shared;
use super::wording::{self, What};
use super::{FileOptions, condition};
use crate::compat::Level;
use crate::diag::{Error, Kind, Notice, Result, Span};
use crate::jinja::{Context, PathKey, Place, changes_values, is_dict_method};
use crate::value::{Dict, Key, MAX_DEPTH, Runtime, Str, Undefined, Value, Vaulted};
use crate::vault::Keyring;

/// Where raw variables come from.
pub trait Variables {
    /// Returns a variable as written.
    fn get(&self, name: &str) -> Option<Value>;
    /// Returns the names of all variables.
    fn names(&self) -> Vec<String>;
    /// Returns where relative files are looked for.
    fn search_path(&self) -> Vec<PathBuf>;
}

/// Variables of a dict.
pub struct MapVariables {
    vars: Dict,
    path: Vec<PathBuf>,
}

impl MapVariables {
    /// Makes variables of a dict and a search path.
    pub fn new(vars: Dict, path: Vec<PathBuf>) -> MapVariables {
        MapVariables { vars, path }
    }
}

impl Variables for MapVariables {
    fn get(&self, name: &str) -> Option<Value> {
        self.vars.get(name)
    }

    fn names(&self) -> Vec<String> {
        self.vars
            .keys()
            .iter()
            .filter_map(|key| key.as_str().map(str::to_owned))
            .collect()
    }

    fn search_path(&self) -> Vec<PathBuf> {
        self.path.clone()
    }
}

/// Renders values with some variables. Clones share what is rendered already.
#[derive(Clone)]
pub struct Templar(pub(super) Rc<Inner>);

pub(super) struct Inner {
    pub(super) shared: Rc<Shared>,
    pub(super) vars: Rc<dyn Variables>,
    /// Variables rendered so far.
    memo: RefCell<HashMap<String, Value>>,
    /// What is being rendered, to tell cycles.
    open: RefCell<Vec<Open>>,
    /// Where what fails becomes text in its place: the errors so far.
    marked: Option<RefCell<Vec<Error>>>,
}

/// A variable that is being rendered.
struct Open {
    name: String,
    /// The keys behind the name, as text.
    path: String,
    raw: Value,
}

impl Templar {
    /// Makes a templar for some variables.
    pub fn new(shared: Rc<Shared>, vars: Rc<dyn Variables>) -> Templar {
        Templar(Rc::new(Inner {
            shared,
            vars,
            memo: RefCell::default(),
            open: RefCell::default(),
            marked: None,
        }))
    }

    /// Makes a templar for the same variables that puts a text in the place of what fails.
    fn marking(&self) -> Templar {
        Templar(Rc::new(Inner {
            shared: self.0.shared.clone(),
            vars: self.0.vars.clone(),
            memo: RefCell::default(),
            open: RefCell::default(),
            marked: Some(RefCell::default()),
        }))
    }

    /// Puts a text in the place of an error, where that is wanted.
    fn mark(&self, error: Error) -> Result<Value> {
        let Some(marked) = &self.0.marked else {
            return Err(error);
        };
        let mut marked = marked.borrow_mut();
        let text = format!(
            "<< error {} - {} >>",
            marked.len() + 1,
            error.full_message()
        );
        marked.push(error);
        Ok(Value::str(text))
    }

    /// Returns the compatibility level.
    pub(crate) fn level(&self) -> Level {
        self.0.shared.options.level
    }

    /// Returns the number of `-v`.
    pub fn verbosity(&self) -> u8 {
        self.0.shared.options.verbosity
    }

    /// Tells of something odd.
    pub(crate) fn warn(&self, notice: Notice) {
        self.0.shared.options.sources.note(notice);
    }

    /// Forgets what was rendered: a variable changed.
    pub fn forget(&self) {
        self.0.memo.borrow_mut().clear();
    }

    /// Renders a value, all the way down; what stays undefined is an error.
    ///
    /// # Errors
    /// What rendering raises, with its place.
    pub fn render(&self, value: &Value) -> Result<Value> {
        let rendered = self.finish(value, 0)?;
        let level = self.level();
        check(&rendered, 0).map_err(|error| match value {
            Value::Str(text) => wording::of(level, What::Template, text, error),
            _ => error,
        })?;
        Ok(rendered)
    }

    /// Returns a variable, rendered; `None` where there is none.
    ///
    /// # Errors
    /// What rendering raises.
    pub fn variable(&self, name: &str) -> Result<Option<Value>> {
        let Some(value) = self.reach(name, &[])?.map(|(value, _)| value) else {
            return Ok(None);
        };
        match &value {
            Value::Undefined(undefined) => Err(undefined.error()),
            _ => Ok(Some(value)),
        }
    }

    /// Returns a variable as `hostvars` shows it: what is undefined inside raises when it is used,
    /// or stays as it is written, as the level has it. `None` where there is no such variable.
    ///
    /// # Errors
    /// What rendering raises otherwise.
    pub fn shown_variable(&self, name: &str) -> Result<Option<Value>> {
        if self.level().renders_elements_lazily() {
            return Ok(self.reach(name, &[])?.map(|(value, _)| value));
        }
        let Some(raw) = self.0.vars.get(name) else {
            return Ok(None);
        };
        self.finish_what_can_be(&raw, 0).map(Some)
    }

    /// Renders a value; texts that need something undefined stay as written.
    fn finish_what_can_be(&self, value: &Value, depth: usize) -> Result<Value> {
        if depth > MAX_DEPTH || is_plain(value) {
            return Ok(value.clone());
        }
        let inner = |item: &Value| self.finish_what_can_be(item, depth + 1);
        Ok(match value {
            Value::List(list) => {
                Value::list(list.to_vec().iter().map(inner).collect::<Result<_>>()?)
            }
            Value::Tuple(items) => Value::tuple(items.iter().map(inner).collect::<Result<_>>()?),
            Value::Dict(dict) => {
                let made = Dict::new();
                for (key, item) in dict.to_vec() {
                    made.set_key(key, inner(&item)?);
                }
                Value::Dict(made)
            }
            Value::Object(_) => self.decrypted(value)?,
            Value::Str(text) => {
                let as_written = Value::str(text.as_str());
                match self.finish(value, depth) {
                    Ok(Value::Undefined(_)) => as_written,
                    Err(error) if error.kind() == Kind::Undefined => as_written,
                    other => other?,
                }
            }
            other => other.clone(),
        })
    }

    /// Evaluates a condition.
    ///
    /// # Errors
    /// What evaluating raises; a result that is no boolean where the level wants one.
    pub fn condition(&self, condition: &Value) -> Result<bool> {
        condition::evaluate(self, condition)
    }

    /// Says whether a value is `omit`.
    pub fn is_omit(&self, value: &Value) -> bool {
        match value {
            Value::Object(object) => object.type_name() == "Omit",
            Value::Str(text) if text.starts_with(super::OMIT_TEXT) => {
                self.0.vars.get("omit").as_ref() == Some(value)
            }
            _ => false,
        }
    }

    /// Leaves out what is `omit` inside of lists and dicts.
    pub fn strip_omit(&self, value: &Value) -> Value {
        match value {
            Value::List(list) => Value::list(
                list.to_vec()
                    .iter()
                    .filter(|item| self.level().omits_by_text() || !self.is_omit(item))
                    .map(|item| self.strip_omit(item))
                    .collect(),
            ),
            Value::Dict(dict) => Value::Dict(
                dict.to_vec()
                    .into_iter()
                    .filter(|(_, item)| !self.is_omit(item))
                    .map(|(key, item)| (key, self.strip_omit(&item)))
                    .collect::<Dict>(),
            ),
            other => other.clone(),
        }
    }

    /// Returns what `debug: var=…` shows: the value of an expression; texts in the place of what is
    /// undefined.
    ///
    /// # Errors
    /// What evaluating raises, besides what is undefined.
    pub fn debug_var(&self, name: &Str) -> Result<Value> {
        let text = if name.contains("{{") && !self.level().renders_debug_var() {
            match self.render(&Value::Str(name.clone()))? {
                Value::Str(made) => name.like(made.as_str()).with_trust(made.is_trusted()),
                other => name.like(other.to_str()),
            }
        } else {
            name.clone()
        };
        if !self.0.shared.options.level.native_results() {
            let shown = name.like(format!("{{{{{text}}}}}"));
            return match self.template(&shown) {
                Err(error) if error.kind() == Kind::Undefined => {
                    Ok(Value::str("VARIABLE IS NOT DEFINED!"))
                }
                other => other,
            };
        }
        match self.expression(&text).and_then(|value| {
            check(&value, 0)?;
            Ok(value)
        }) {
            Ok(value) => Ok(value),
            Err(error) if error.kind() != Kind::Undefined => {
                let said = Error::new(error.kind(), "Error while resolving `var` expression");
                match name.span() {
                    _ if !self.level().names_failed_steps() => Err(error),
                    Some(span) => Err(said.at(span).caused_by(error)),
                    None => Err(said.caused_by(error)),
                }
            }
            Err(_) if self.level().marks_errors() => self.marking().marked_expression(&text),
            Err(_) => Ok(Value::str("VARIABLE IS NOT DEFINED!")),
        }
    }

    fn marked_expression(&self, text: &Str) -> Result<Value> {
        let value = match self.expression(text) {
            Err(error) if error.kind() == Kind::Undefined => self.mark(error)?,
            other => other?,
        };
        let value = value.map_leaves(&mut |leaf| match leaf {
            Value::Undefined(undefined) => self
                .mark(undefined.error())
                .unwrap_or_else(|_| leaf.clone()),
            other => other.clone(),
        });
        let marked = self.0.marked.as_ref();
        let errors = marked.map(RefCell::take).unwrap_or_default();
        let place = errors.first().and_then(Error::span).or(text.span());
        self.0
            .shared
            .options
            .sources
            .note(wording::marked(&errors, place));
        Ok(value)
    }

    /// Evaluates an expression.
    ///
    /// # Errors
    /// What evaluating raises.
    pub fn expression(&self, text: &Str) -> Result<Value> {
        self.expression_of(text, &format!("{{{{{text}}}}}"), false)
    }

    /// Evaluates an expression that errors show as part of a template.
    pub(super) fn expression_of(
        &self,
        text: &Str,
        template: &str,
        is_condition: bool,
    ) -> Result<Value> {
        let env = &self.0.shared.env;
        let level = self.0.shared.options.level;
        if level.strict_conditions() && !text.is_trusted() {
            return Err(condition::untrusted(text));
        }
        let compiled = env.compile_expression(text, place(text), text.is_trusted());
        let mut context = TemplarContext::new(self, text, text.span());
        context.renders_literals = is_condition && level.renders_literals_of_conditions();
        compiled
            .and_then(|compiled| match env.evaluate(&compiled, &context)? {
                Value::Undefined(undefined) => Err(undefined.error()),
                value => Ok(value),
            })
            .map_err(|error| {
                let error = wording::of(level, What::Expression, template, error);
                wording::of_vault(error, text.span())
            })
    }

    /// Warns of a template inside a text of a template.
    pub(super) fn warn_of_embedded(&self, span: Option<Span>, example: &str) {
        if self.level().warns_of_embedded_templates() {
            self.warn(
                Notice::warning("Jinja constant strings should not contain embedded templates. This feature will be disabled by default in ansible-core 2.23.")
                    .at(span)
                    .help(format!("Use inline expressions, for example: {example}")),
            );
        }
    }

    /// Warns where a variable is read that a later version takes away.
    fn warn_of(&self, name: &str, span: Option<Span>) {
        let options = &self.0.shared.options;
        if name == "play_hosts" && options.level.warns_of_play_hosts() {
            options.sources.note(
                Notice::deprecation("The `play_hosts` magic variable is deprecated.", "2.23")
                    .at(span)
                    .help("Use `ansible_play_batch` instead."),
            );
        }
    }

    /// Returns the items of a loop: `loop` without, `with_NAME` with a lookup's name.
    ///
    /// # Errors
    /// What rendering raises; a loop over something that is no list.
    pub fn loop_items(
        &self,
        action: &str,
        with: Option<&str>,
        items: &Value,
    ) -> Result<Vec<Value>> {
        lookups::loop_items(self, action, with, items)
    }

    /// Renders a template file.
    ///
    /// # Errors
    /// What reading or rendering raises, with its place.
    pub fn render_file(
        &self,
        path: &Path,
        search: &[PathBuf],
        options: &FileOptions,
    ) -> Result<String> {
        super::file::render(self, path, search, options)
    }

    /// Renders text with options of its own, as `eval --json-lines` does.
    ///
    /// # Errors
    /// What rendering raises; an option that there isn't.
    pub fn render_text(
        &self,
        text: &Str,
        options: &Dict,
        search: &[PathBuf],
        native: bool,
    ) -> Result<Value> {
        super::file::render_text(self, text, options, search, native)
    }

    /// Renders text as a template, whatever its trust.
    ///
    /// # Errors
    /// What rendering raises.
    pub(super) fn template(&self, text: &Str) -> Result<Value> {
        let level = self.0.shared.options.level;
        let made = match self.template_raw(text) {
            Ok(Value::Undefined(undefined)) if self.0.marked.is_some() => Err(undefined.error()),
            other => other,
        };
        made.or_else(|error| {
            let error = wording::of(level, What::Template, text, error);
            self.mark(wording::of_vault(error, text.span()))
        })
    }

    fn template_raw(&self, text: &Str) -> Result<Value> {
        let env = &self.0.shared.env;
        let level = self.0.shared.options.level;
        let options = &self.0.shared.value_options;
        let compiled = env.compile_named(text, place(text), true, "<template>", options)?;
        let context = TemplarContext::new(self, text, text.span());
        if level.native_results() {
            let pieces = env.render_pieces(&compiled, &context)?;
            let single = pieces.len() == 1 && !text.ends_with('\n');
            let made = match self.listed(results::native(pieces, level)?, text.span()) {
                Value::Str(made) if !single => {
                    Value::Str(made.like(super::file::restored(text, made.to_string(), "\n")))
                }
                value => value,
            };
            // What comes from nowhere comes from the template.
            return Ok(match (made, text.origin()) {
                (Value::Str(made), Some(origin)) if made.origin().is_none() => {
                    Value::Str(made.with_origin(origin))
                }
                (made, _) => made,
            });
        }
        if let Some(value) = self.single_variable(text)? {
            return Ok(value);
        }
        env.render_with(&compiled, &context, options)
            .map(|made| super::file::restored(text, made, "\n"))
            .map(|made| {
                if results::stays_text(text, level) {
                    Value::str(made)
                } else {
                    results::from_text(&made)
                }
            })
    }

    /// Makes lists of sets, which variables can't hold, and says so.
    fn listed(&self, value: Value, span: Option<Span>) -> Value {
        if !results::has_sets(&value, 0) {
            return value;
        }
        let made = value.map_leaves(&mut |leaf| match leaf {
            Value::Set(set) => {
                let items = set.to_vec();
                Value::list(items.iter().map(|key| key.value().clone()).collect())
            }
            other => other.clone(),
        });
        let warning = "Type 'set' is unsupported in variable storage, converting to 'list'.";
        let sources = &self.0.shared.options.sources;
        sources.note(Notice::warning(warning).at(span));
        made
    }

    /// Below 2.19, `{{ name }}` alone keeps a number's, a boolean's or `None`'s type.
    pub(super) fn single_variable(&self, text: &str) -> Result<Option<Value>> {
        let Some(name) = text
            .trim()
            .strip_prefix("{{")
            .and_then(|rest| rest.strip_suffix("}}"))
        else {
            return Ok(None);
        };
        let name = name.trim();
        let simple = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !simple {
            return Ok(None);
        }
        Ok(match self.0.vars.get(name) {
            Some(value @ (Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::None)) => {
                Some(value)
            }
            _ => None,
        })
    }

    /// Renders a value. Since 2.19, elements that fail become undefined values that raise when
    /// used; before, all of it fails.
    pub(super) fn finish(&self, value: &Value, depth: usize) -> Result<Value> {
        if depth > MAX_DEPTH {
            return Err(Error::new(
                Kind::Recursion,
                "maximum recursion depth exceeded",
            ));
        }
        let is_lazy = self.level().renders_elements_lazily();
        let lenient = |item: &Value| match self.finish(item, depth + 1) {
            Err(error) if is_lazy => Ok(Value::undefined(Undefined::failed(error))),
            Ok(Value::Undefined(undefined)) if !is_lazy => Err(undefined.error()),
            other => other,
        };
        Ok(match value {
            Value::Str(text) if is_template(text) => self.template(text)?,
            Value::Object(_) if is_vaulted(value) => self.decrypted(value)?,
            Value::List(list) => {
                let items = list.borrow();
                if items.iter().all(is_plain) {
                    return Ok(value.clone());
                }
                let items = items.clone();
                Value::list(items.iter().map(lenient).collect::<Result<_>>()?)
            }
            Value::Tuple(items) => Value::tuple(items.iter().map(lenient).collect::<Result<_>>()?),
            Value::Dict(dict) => {
                if dict
                    .borrow()
                    .iter()
                    .all(|(key, item)| is_plain(key.value()) && is_plain(item))
                {
                    return Ok(value.clone());
                }
                let made = Dict::new();
                for (key, item) in dict.to_vec() {
                    let key = match key.value() {
                        Value::Str(text) if is_template(text) => Key::new(self.template(text)?)?,
                        _ => key,
                    };
                    made.set_key(key, lenient(&item)?);
                }
                Value::Dict(made)
            }
            other => other.clone(),
        })
    }

    /// Decrypts a text of a vault. What comes out is data, never a template.
    fn decrypted(&self, value: &Value) -> Result<Value> {
        let Some(vaulted) = value.downcast::<Vaulted>() else {
            return Ok(value.clone());
        };
        let envelope = &vaulted.envelope;
        match self.keyring().text(&envelope.shared()) {
            Ok(text) => Ok(Value::Str(Str::from_shared(text))),
            Err(fault) => {
                let error = {
                    let unknown = self.0.shared.options.sources.add_name("<unknown>");
                    self.level().undecryptable(&fault, unknown)
                };
                let placed = self.level().places_vault_fault(&fault);
                Err(match envelope.span().filter(|_| placed) {
                    Some(span) => error.at(span),
                    None => error,
                })
            }
        }
    }

    /// Decrypts all texts of vaults in a value; one that can't be is an error where it is used.
    fn unlocked(&self, value: Value) -> Value {
        if !has_vaulted(&value) {
            return value;
        }
        value.map_leaves(&mut |leaf| {
            self.decrypted(leaf)
                .unwrap_or_else(|error| Value::undefined(Undefined::failed(error)))
        })
    }

    /// Returns what opens vaults.
    pub(super) fn keyring(&self) -> &Keyring {
        &self.0.shared.options.keyring
    }

    /// Returns the envelope of a text that came out of a vault, or still is in it.
    pub(super) fn envelope(&self, value: &Value) -> Option<Rc<str>> {
        match value {
            Value::Str(text) => self.keyring().envelope_of(&text.shared()),
            other => Some(other.downcast::<Vaulted>()?.envelope.shared()),
        }
    }

    /// Puts envelopes in the place of texts that came out of vaults.
    pub(super) fn revaulted(&self, value: &Value) -> Value {
        value.map_leaves(&mut |leaf| match self.envelope(leaf) {
            Some(envelope) => Value::Object(Rc::new(Vaulted {
                envelope: Str::from_shared(envelope),
            })),
            None => leaf.clone(),
        })
    }

    /// Renders a value; one that needs something undefined is undefined itself, where the level has
    /// such values.
    pub(super) fn finish_lazily(&self, value: &Value) -> Result<Value> {
        match self.finish(value, 0) {
            Err(error)
                if error.kind() == Kind::Undefined && self.level().renders_elements_lazily() =>
            {
                Ok(Value::undefined(Undefined::failed(error)))
            }
            other => other,
        }
    }

    /// Returns what a name and some of the keys behind it lead to, rendering only that.
    pub(super) fn reach(&self, name: &str, keys: &[PathKey]) -> Result<Option<(Value, usize)>> {
        let known = self.0.memo.borrow().get(name).cloned();
        if let Some(value) = known {
            return Ok(Some((value, 0)));
        }
        if let ("vars", Some(key)) = (name, keys.first())
            && self.level().renders_elements_lazily()
            && let Some(inner) = key.value.as_str()
            && !(key.is_attribute && is_dict_method(inner))
            && inner != "hostvars"
            && self.0.vars.names().iter().any(|known| known == inner)
        {
            let found = self.reach(inner, &keys[1..])?;
            return Ok(found.map(|(value, used)| (value, used + 1)));
        }
        if name == "vars" {
            return Ok(Some((self.all_vars(), 0)));
        }
        let Some(raw) = self.0.vars.get(name) else {
            return Ok(None);
        };
        let mut value = raw.clone();
        let mut used = 0;
        // Go down through what is not rendered yet.
        while let (Value::Dict(dict), Some(key)) = (&value, keys.get(used)) {
            if key.is_attribute && key.value.as_str().is_some_and(is_dict_method) {
                break;
            }
            let Ok(wanted) = Key::new(key.value.clone()) else {
                break;
            };
            let Some(inner) = dict.get_key(&wanted) else {
                break;
            };
            value = inner;
            used += 1;
        }
        if used == 0 && is_plain(&value) {
            return Ok(Some((value, 0)));
        }
        let opened = Open {
            name: name.to_owned(),
            path: path_text(&keys[..used]),
            raw,
        };
        if let Some(cycle) = self.cycle(&opened) {
            return Err(cycle);
        }
        let raw = opened.raw.clone();
        self.0.open.borrow_mut().push(opened);
        let finished = self.finish(&value, 0);
        self.0.open.borrow_mut().pop();
        let level = self.0.shared.options.level;
        // What needs an undefined name is undefined itself, and has a default.
        let finished = match finished.map_err(|error| wording::of_variable(level, &raw, error)) {
            Err(error)
                if error.kind() == Kind::Undefined && level.undefined_inside_has_default() =>
            {
                Value::undefined(Undefined::failed(error))
            }
            Ok(Value::Undefined(undefined)) if !level.undefined_inside_has_default() => {
                return Err(wording::of_variable(level, &raw, undefined.error()));
            }
            // What can't be decrypted can be asked whether it is encrypted.
            Err(error) if error.kind() == Kind::Vault => {
                return Ok(Some((Value::undefined(Undefined::failed(error)), used)));
            }
            finished => finished?,
        };
        if used == 0 {
            self.0
                .memo
                .borrow_mut()
                .insert(name.to_owned(), finished.clone());
        }
        Ok(Some((finished, used)))
    }

    /// Returns the error of a variable that is being rendered already.
    fn cycle(&self, opened: &Open) -> Option<Error> {
        let open = self.0.open.borrow();
        let from = open
            .iter()
            .position(|known| known.name == opened.name && known.path == opened.path)?;
        let raws: Vec<Value> = open.iter().map(|known| known.raw.clone()).collect();
        let names: Vec<&str> = open[from..]
            .iter()
            .chain([opened])
            .map(|known| known.name.as_str())
            .collect();
        let error = wording::of_cycle(self.0.shared.options.level, &raws, &raws[from..]);
        Some(error.help(format!(
            "the variables need each other: {}",
            names.join(" → ")
        )))
    }

    fn all_vars(&self) -> Value {
        let all = Dict::new();
        for name in self.0.vars.names() {
            if name != "hostvars"
                && let Some(value) = self.0.vars.get(&name)
            {
                all.set(name, self.unlocked(value));
            }
        }
        Value::Dict(all)
    }
}

fn path_text(keys: &[PathKey]) -> String {
    keys.iter()
        .map(|key| key.value.repr())
        .collect::<Vec<_>>()
        .join("\0")
}

/// Says whether text is a template that may be rendered.
pub(super) fn is_template(text: &Str) -> bool {
    text.is_trusted() && (text.contains("{{") || text.contains("{%") || text.contains("{#"))
}

/// Says whether a value is a text that is still encrypted.
fn is_vaulted(value: &Value) -> bool {
    value.downcast::<Vaulted>().is_some()
}

/// Says whether a text that is still encrypted is in a value.
fn has_vaulted(value: &Value) -> bool {
    match value {
        Value::List(list) => list.borrow().iter().any(has_vaulted),
        Value::Tuple(items) => items.iter().any(has_vaulted),
        Value::Dict(dict) => dict.borrow().values().any(has_vaulted),
        other => is_vaulted(other),
    }
}

/// Says whether rendering a value gives the value itself.
pub(super) fn is_plain(value: &Value) -> bool {
    match value {
        Value::Str(text) => !is_template(text),
        Value::List(list) => list.borrow().iter().all(is_plain),
        Value::Tuple(items) => items.iter().all(is_plain),
        Value::Dict(dict) => dict
            .borrow()
            .iter()
            .all(|(key, item)| is_plain(key.value()) && is_plain(item)),
        Value::Object(_) => !is_vaulted(value),
        _ => true,
    }
}

/// Raises what is undefined inside a value.
pub(super) fn check(value: &Value, depth: usize) -> Result<()> {
    if depth > MAX_DEPTH {
        return Ok(());
    }
    match value {
        Value::Undefined(undefined) => Err(undefined.error()),
        Value::List(list) => list
            .to_vec()
            .iter()
            .try_for_each(|item| check(item, depth + 1)),
        Value::Tuple(items) => items.iter().try_for_each(|item| check(item, depth + 1)),
        Value::Dict(dict) => dict
            .to_vec()
            .iter()
            .try_for_each(|(_, item)| check(item, depth + 1)),
        _ => Ok(()),
    }
}

/// Returns where a text is written, as the engine wants it.
pub(super) fn place(text: &Str) -> Place {
    match text.origin() {
        Some(origin) => Place::Scalar(Span {
            source: origin.source,
            start: origin.offset,
            end: origin.offset + 1,
        }),
        None => Place::Nowhere,
    }
}

/// What functions of a template may know: who renders it, and where it is written.
pub(super) struct Rendering {
    pub(super) templar: Templar,
    pub(super) span: Option<Span>,
}

/// The engine's view of a templar, for one template.
pub(super) struct TemplarContext {
    templar: Templar,
    span: Option<Span>,
    /// A template that may change lists and dicts gets its own, which are the same all through it.
    own: Option<RefCell<HashMap<String, Value>>>,
    /// Texts in it that are templates are rendered where they stand.
    renders_literals: bool,
}

impl TemplarContext {
    /// Makes the view for a template with this text.
    pub(super) fn new(templar: &Templar, text: &str, span: Option<Span>) -> TemplarContext {
        TemplarContext {
            templar: templar.clone(),
            span,
            own: may_change_values(text).then(RefCell::default),
            renders_literals: false,
        }
    }

    /// Says whether the template may change lists and dicts.
    pub(super) fn changes_values(&self) -> bool {
        self.own.is_some()
    }

    /// Returns this template's own copy of a variable.
    fn own(&self, own: &RefCell<HashMap<String, Value>>, name: &str) -> Result<Option<Value>> {
        let known = own.borrow().get(name).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let Some((value, _)) = self.templar.reach(name, &[])? else {
            return Ok(None);
        };
        let value = value.deep_copy();
        own.borrow_mut().insert(name.to_owned(), value.clone());
        Ok(Some(value))
    }
}

/// Says whether a template may call a method that changes a list or a dict; those that it loads
/// may as well.
fn may_change_values(text: &str) -> bool {
    let mut rest = text;
    let mut before = ' ';
    while let Some(start) = rest.find(|c: char| c.is_alphabetic() || c == '_') {
        before = rest[..start].trim_end().chars().last().unwrap_or(before);
        let word = &rest[start..];
        let end = word.find(|c: char| !(c.is_alphanumeric() || c == '_'));
        let word = &word[..end.unwrap_or(word.len())];
        let is_method = matches!(before, '.' | '\'' | '"') && changes_values(word);
        if is_method || matches!(word, "import" | "include" | "extends") {
            return true;
        }
        before = ' ';
        rest = &rest[start + word.len()..];
    }
    false
}

impl Context for TemplarContext {
    fn resolve(&self, _runtime: &mut dyn Runtime, name: &str) -> Result<Option<Value>> {
        self.templar.warn_of(name, self.span);
        match &self.own {
            Some(own) => self.own(own, name),
            None => Ok(self.templar.reach(name, &[])?.map(|(value, _)| value)),
        }
    }

    fn resolve_path(
        &self,
        _runtime: &mut dyn Runtime,
        name: &str,
        keys: &[PathKey],
        done: &mut usize,
    ) -> Result<Option<Value>> {
        self.templar.warn_of(name, self.span);
        match &self.own {
            Some(own) => self.own(own, name),
            None => Ok(self.templar.reach(name, keys)?.map(|(value, reached)| {
                *done = reached;
                value
            })),
        }
    }

    fn changes_values(&self) -> bool {
        TemplarContext::changes_values(self)
    }

    fn literal(&self, text: &Str) -> Result<Value> {
        let text = Value::Str(text.clone());
        if self.renders_literals {
            self.templar.warn_of_embedded(
                self.span,
                "`when: \"{{ a_var }}\" == 42` becomes `when: a_var == 42`",
            );
            self.templar.finish_lazily(&text)
        } else {
            Ok(text)
        }
    }

    fn missing(&self, name: &str) -> Undefined {
        let (vars, wanted) = (self.templar.0.vars.clone(), name.to_owned());
        Undefined::variable(name).advised(move || {
            let names = vars.names();
            let near = crate::diag::closest(&wanted, names.iter().map(String::as_str))?;
            Some(format!("did you mean `{near}`?"))
        })
    }

    fn all(&self) -> Result<Dict> {
        if self.templar.0.shared.options.level.fails_debug_tag() {
            return Err(Error::runtime("Error rendering template."));
        }
        let (all, vars) = (Dict::new(), &self.templar.0.vars);
        for name in vars.names() {
            if let Some(value) = vars.get(&name) {
                all.set(&name, value);
            }
        }
        Ok(all)
    }

    fn embedder(&self) -> Rc<dyn Any> {
        Rc::new(Rendering {
            templar: self.templar.clone(),
            span: self.span,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::may_change_values;

    #[test]
    fn templates_that_may_change_values_are_told() {
        for text in [
            "{{ l.append(1) }}",
            "{{ l . append(1) }}",
            "{{ l['append'](1) }}",
            "{{ l | attr(\"pop\") }}",
            "{% include 'x' %}",
            "{% from 'x' import y %}",
        ] {
            assert!(may_change_values(text), "{text}");
        }
        for text in ["{{ l | sort }}", "{{ a.appended.b }}", "append", "é.ä", ""] {
            assert!(!may_change_values(text), "{text}");
        }
    }
}
