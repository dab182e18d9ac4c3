//! Template files: header, options, search path, the variables that only they have.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::shared::Shared;
use super::templar::{MapVariables, Templar, TemplarContext, Variables};
use super::wording::{self, What};
use crate::compat::Level;
use crate::diag::{Error, Kind, Result, Sources};
use crate::jinja::{Options, Place, Template};
use crate::value::{Dict, Str, Value};

/// How a template file is rendered.
#[derive(Clone, Debug, Default)]
pub struct FileOptions {
    /// What newlines become.
    pub newline_sequence: Option<String>,
    /// In place of `{%`.
    pub block_start: Option<String>,
    /// In place of `%}`.
    pub block_end: Option<String>,
    /// In place of `{{`.
    pub variable_start: Option<String>,
    /// In place of `}}`.
    pub variable_end: Option<String>,
    /// In place of `{#`.
    pub comment_start: Option<String>,
    /// In place of `#}`.
    pub comment_end: Option<String>,
    /// Removes the newline behind a block.
    pub trim_blocks: bool,
    /// Removes blanks in front of a block.
    pub lstrip_blocks: bool,
    /// Variables above all others.
    pub vars: Option<Dict>,
    /// Where the result goes, for `template_destpath`.
    pub dest: Option<String>,
}

/// Reads a template file; says whether it is encrypted.
pub(super) fn read(sources: &Sources, path: &Path) -> Result<(String, bool)> {
    let content = sources.read(path)?;
    Ok((text(content.bytes, path)?, content.is_secret))
}

/// Returns a template file's bytes as text.
pub(super) fn text(bytes: Vec<u8>, path: &Path) -> Result<String> {
    String::from_utf8(bytes).map_err(|_| {
        Error::new(
            Kind::Value,
            format!(
                "Template source files must be utf-8 encoded: {}",
                path.display()
            ),
        )
    })
}

/// Renders a template file with the variables of a templar.
pub(super) fn render(
    templar: &Templar,
    path: &Path,
    search: &[PathBuf],
    given: &FileOptions,
) -> Result<String> {
    rendered(templar, path, search, given, &as_text)
}

/// Renders a template file to a value, as the level has it: native, or text that is read back.
pub(super) fn render_value(
    templar: &Templar,
    path: &Path,
    search: &[PathBuf],
    given: &FileOptions,
    reads_back: bool,
) -> Result<Value> {
    let level = templar.level();
    let native =
        |shared: &Shared, compiled: &Rc<Template>, context: &TemplarContext, options: &Options| {
            let pieces = shared.env.render_pieces_with(compiled, context, options)?;
            let value = super::results::native(pieces, level)?;
            super::templar::check(&value, 0)?;
            Ok(value)
        };
    let (written, _) = read(&templar.0.shared.options.sources, path)?;
    let is_template = given.variable_start.is_some()
        || given.block_start.is_some()
        || super::templar::is_template(&Str::trusted(written));
    if level.native_results() && is_template {
        return rendered(templar, path, search, given, &native);
    }
    let text = render(templar, path, search, given)?;
    let reads_back = reads_back && !level.native_results();
    Ok(if reads_back && is_template {
        super::results::from_text(&text)
    } else {
        Value::str(text)
    })
}

/// What a template file may become.
trait Rendered {
    /// Gives it as many newlines at its end as its template has.
    fn restored(self, source: &str, newline: &str) -> Self;
}

impl Rendered for String {
    fn restored(self, source: &str, newline: &str) -> String {
        restored(source, self, newline)
    }
}

impl Rendered for Value {
    fn restored(self, source: &str, newline: &str) -> Value {
        match self {
            Value::Str(text) => Value::Str(text.like(restored(source, text.to_string(), newline))),
            other => other,
        }
    }
}

/// How a compiled template file is rendered.
type Way<'a, T> = &'a dyn Fn(&Shared, &Rc<Template>, &TemplarContext, &Options) -> Result<T>;

fn rendered<T: Rendered>(
    templar: &Templar,
    path: &Path,
    search: &[PathBuf],
    given: &FileOptions,
    way: Way<T>,
) -> Result<T> {
    let shared = &templar.0.shared;
    let (text, is_secret) = read(&shared.options.sources, path)?;
    let shown = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let source = shared
        .options
        .sources
        .add_whole(shown.to_string_lossy().into_owned(), text.clone());
    if is_secret {
        shared.options.sources.hide(source);
    }
    let level = shared.options.level;
    let mut options = Options {
        trim_blocks: given.trim_blocks,
        lstrip_blocks: given.lstrip_blocks,

        ..shared.env.options.clone()
    };
    for (slot, value) in [
        (&mut options.block_start, &given.block_start),
        (&mut options.block_end, &given.block_end),
        (&mut options.variable_start, &given.variable_start),
        (&mut options.variable_end, &given.variable_end),
        (&mut options.comment_start, &given.comment_start),
        (&mut options.comment_end, &given.comment_end),
    ] {
        if let Some(value) = value {
            slot.clone_from(value);
        }
    }
    if let Some(newline) = &given.newline_sequence {
        options.newline_sequence = match newline.as_str() {
            "\\n" | "\n" => "\n".to_owned(),
            "\\r" | "\r" => "\r".to_owned(),
            "\\r\\n" | "\r\n" => "\r\n".to_owned(),
            other => {
                return Err(Error::new(
                    Kind::Argument,
                    format!(
                        "newline_sequence needs to be one of: \\n, \\r or \\r\\n, found `{other}`"
                    ),
                ));
            }
        };
    }
    let body = header(level, &text, &mut options)?;
    let offset = text.len() - body.len();
    let extra = own_variables(&shown, given.dest.as_deref());
    if !level.ansible_managed_is_a_variable() || templar.0.vars.get("ansible_managed").is_none() {
        extra.set("ansible_managed", "Ansible managed");
    }
    for (key, value) in given.vars.iter().flat_map(Dict::to_vec) {
        extra.set_key(key, value);
    }
    let vars = Rc::new(Layered {
        own: MapVariables::new(extra, Vec::new()),
        rest: templar.0.vars.clone(),
    });
    let inner = Templar::new(shared.clone(), vars);
    let compiled = shared
        .env
        .compile_named(
            body,
            Place::Source(source, offset as u32),
            true,
            &shown.to_string_lossy(),
            &options,
        )
        .map_err(|error| wording::of(level, What::Template, &text, error))?;
    let mut dirs: Vec<PathBuf> = shown.parent().map(Path::to_path_buf).into_iter().collect();
    for dir in search {
        dirs.push(dir.join("templates"));
        dirs.push(dir.clone());
    }
    let before = shared.files.path.replace(dirs);
    let context = TemplarContext::new(&inner, body, None);
    let rendered = way(shared, &compiled, &context, &options);
    shared.files.path.replace(before);
    rendered
        .map(|rendered| rendered.restored(body, &options.newline_sequence))
        .map_err(|error| wording::of(level, What::Template, &text, error))
}

/// Renders a template to text. Where results are native and the whole template may be one piece,
/// that has to be a value first.
fn as_text(
    shared: &Shared,
    compiled: &Rc<Template>,
    context: &TemplarContext,
    options: &Options,
) -> Result<String> {
    let level = shared.options.level;
    if level.native_results() && !compiled.writes_text() {
        let pieces = shared.env.render_pieces_with(compiled, context, options)?;
        let value = super::results::native(pieces, level)?;
        super::templar::check(&value, 0)?;
        return Ok(if value.is_none() {
            String::new()
        } else {
            value.to_str()
        });
    }
    if level.native_results() && context.changes_values() {
        return shared.env.render_late(compiled, context, options);
    }
    shared.env.render_with(compiled, context, options)
}

/// Gives a result as many newlines at its end as its template has.
pub(super) fn restored(source: &str, mut rendered: String, newline: &str) -> String {
    let count = |text: &str, newline: &str| {
        (text.len() - text.trim_end_matches(newline).len()) / newline.len().max(1)
    };
    let missing = count(source, "\n").saturating_sub(count(&rendered, newline));
    rendered.extend(std::iter::repeat_n(newline, missing));
    rendered
}

/// Renders text with options as a `#jinja2:` header has them.
pub(super) fn render_text(
    templar: &Templar,
    text: &Str,
    given: &Dict,
    search: &[PathBuf],
    native: bool,
) -> Result<Value> {
    let shared = &templar.0.shared;
    let level = shared.options.level;
    let mut options = shared.env.options.clone();
    options.captures_text &= !native;
    for (key, value) in given.to_vec() {
        set_option(&mut options, &key.value().to_str(), &value)?;
    }
    let body = if native {
        text.as_str()
    } else {
        header(level, text, &mut options)?
    };
    let worded = |error| wording::of(level, What::Template, body, error);
    let place = super::templar::place(text);
    let compiled = shared
        .env
        .compile_named(body, place, true, "<template>", &options)
        .map_err(&worded)?;
    if native
        && !level.native_results()
        && let Some(value) = templar.single_variable(body)?
    {
        return Ok(value);
    }
    let before = shared.files.path.replace(search.to_vec());
    let context = TemplarContext::new(templar, body, None);
    let rendered = if native && level.native_results() {
        shared
            .env
            .render_pieces(&compiled, &context)
            .and_then(|pieces| super::results::native(pieces, level))
    } else {
        as_text(shared, &compiled, &context, &options).map(|text| {
            if native && !super::results::stays_text(body, level) {
                super::results::from_text(&text)
            } else {
                Value::str(text)
            }
        })
    };
    shared.files.path.replace(before);
    let rendered = match rendered.map_err(&worded)? {
        Value::Str(made) => Value::Str(made.like(restored(body, made.to_string(), "\n"))),
        other => other,
    };
    super::templar::check(&rendered, 0).map_err(worded)?;
    Ok(rendered)
}

/// A template's own variables in front of all others.
struct Layered {
    own: MapVariables,
    rest: Rc<dyn Variables>,
}

impl Variables for Layered {
    fn get(&self, name: &str) -> Option<Value> {
        self.own.get(name).or_else(|| self.rest.get(name))
    }

    fn names(&self) -> Vec<String> {
        let mut names = self.own.names();
        names.extend(self.rest.names());
        names
    }

    fn search_path(&self) -> Vec<PathBuf> {
        self.rest.search_path()
    }
}

/// Reads `#jinja2: key: value, …` in the first line; returns the text behind it.
fn header<'a>(level: Level, text: &'a str, options: &mut Options) -> Result<&'a str> {
    let Some(rest) = text.strip_prefix("#jinja2:") else {
        return Ok(text);
    };
    let (line, body) = rest.split_once('\n').unwrap_or((rest, ""));
    for pair in line.split(',') {
        let Some((key, value)) = pair.split_once(':') else {
            return Err(level.malformed_override(pair));
        };
        let value = crate::value::literal(value.trim()).unwrap_or_else(|| Value::str(value.trim()));
        match set_option(options, key.trim(), &value) {
            Err(error) if level.refuses_unknown_overrides() => {
                let message = format!("Syntax error in template: {}", error.message());
                return Err(error.message_as(message));
            }
            // Older ones warn and go on.
            _ => {}
        }
    }
    Ok(body)
}

fn set_option(options: &mut Options, key: &str, value: &Value) -> Result<()> {
    let flag = super::to_bool(value);
    let text = value.to_str();
    match (key, flag) {
        ("trim_blocks", Some(flag)) => options.trim_blocks = flag,
        ("lstrip_blocks", Some(flag)) => options.lstrip_blocks = flag,
        ("keep_trailing_newline", Some(flag)) => options.keep_trailing_newline = flag,
        ("autoescape", Some(flag)) => options.autoescape = flag,
        ("block_start_string", _) => options.block_start = text,
        ("block_end_string", _) => options.block_end = text,
        ("variable_start_string", _) => options.variable_start = text,
        ("variable_end_string", _) => options.variable_end = text,
        ("comment_start_string", _) => options.comment_start = text,
        ("comment_end_string", _) => options.comment_end = text,
        ("newline_sequence", _) => options.newline_sequence = text,
        ("line_statement_prefix", _) => {
            options.line_statement_prefix = Some(text).filter(|t| t != "None");
        }
        ("line_comment_prefix", _) => {
            options.line_comment_prefix = Some(text).filter(|t| t != "None");
        }
        (other, _) => {
            return Err(Error::new(
                Kind::TemplateSyntax,
                format!("Invalid '#jinja2:' override key '{other}'."),
            ));
        }
    }
    Ok(())
}

fn own_variables(path: &Path, dest: Option<&str>) -> Dict {
    use std::os::unix::fs::MetadataExt;
    let vars = Dict::new();
    let shown = path.to_string_lossy().into_owned();
    vars.set("template_path", shown.as_str());
    vars.set("template_fullpath", shown.as_str());
    vars.set("template_destpath", dest.map(Value::str));
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    vars.set("template_host", name.trim());
    let meta = std::fs::metadata(path).ok();
    let uid = meta.as_ref().map_or(0, MetadataExt::uid);
    let owner = std::fs::read_to_string("/etc/passwd")
        .unwrap_or_default()
        .lines()
        .find_map(|line| {
            let mut parts = line.split(':');
            let name = parts.next()?;
            (parts.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
        });
    vars.set(
        "template_uid",
        owner.map_or_else(|| Value::from(uid), Value::from),
    );
    let time = |seconds: i64| {
        jiff::Timestamp::from_second(seconds)
            .map(|t| {
                t.to_zoned(jiff::tz::TimeZone::system())
                    .strftime("%Y-%m-%d %H:%M:%S")
                    .to_string()
            })
            .unwrap_or_default()
    };
    vars.set(
        "template_mtime",
        time(meta.as_ref().map_or(0, MetadataExt::mtime)),
    );
    vars.set(
        "template_run_date",
        jiff::Zoned::now()
            .strftime("%Y-%m-%d %H:%M:%S.%6f")
            .to_string(),
    );
    vars
}
