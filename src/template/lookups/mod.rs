//! Lookups: what `lookup`, `query` and `with_…` give. What they give is data, never a template.

mod config;
mod files;
mod hosts;
mod lists;
mod password;
mod sequence;
mod structure;
mod tables;
mod url;
mod vars;

use super::templar::{Rendering, Templar, is_plain, is_template};
use crate::diag::{Error, Kind, Result, Span};
use crate::value::{Args, Origin, Runtime, Str, Value};

/// The signature of every lookup: terms and options in, results out.
pub(super) type Function = fn(&Templar, &[Value], &[(String, Value)]) -> Result<Vec<Value>>;

/// Options of a lookup.
type Options<'a> = &'a [(String, Value)];

/// A lookup.
pub struct Row {
    /// Its name.
    pub name: &'static str,
    pub(super) function: Function,
    /// What it gives.
    pub doc: &'static str,
}

/// All lookups.
pub static TABLE: &[Row] = &[
    Row {
        name: "ansible.utils.get_path",
        function: structure::get_path,
        doc: "What is at a path in nested data.",
    },
    Row {
        name: "ansible.utils.index_of",
        function: structure::index_of,
        doc: "The places of the items that pass a test.",
    },
    Row {
        name: "ansible.utils.to_paths",
        function: structure::to_paths,
        doc: "A flat dict of the paths of nested data.",
    },
    Row {
        name: "config",
        function: config::config,
        doc: "Settings of Ansible and of its plugins.",
    },
    Row {
        name: "csvfile",
        function: tables::csvfile,
        doc: "Cells of files of separated values, by another cell of their rows.",
    },
    Row {
        name: "dict",
        function: lists::dict,
        doc: "The items of dicts.",
    },
    Row {
        name: "env",
        function: vars::env,
        doc: "Environment variables of the controller.",
    },
    Row {
        name: "file",
        function: files::file,
        doc: "The content of files of the controller.",
    },
    Row {
        name: "fileglob",
        function: files::fileglob,
        doc: "Files of the controller that match a pattern.",
    },
    Row {
        name: "first_found",
        function: files::first_found,
        doc: "The first file of the controller that exists.",
    },
    Row {
        name: "flattened",
        function: lists::flattened,
        doc: "Lists taken apart.",
    },
    Row {
        name: "indexed_items",
        function: lists::indexed_items,
        doc: "Items with their index.",
    },
    Row {
        name: "ini",
        function: tables::ini,
        doc: "Values of INI and properties files.",
    },
    Row {
        name: "inventory_hostnames",
        function: hosts::inventory_hostnames,
        doc: "The hosts that a pattern chooses.",
    },
    Row {
        name: "items",
        function: lists::items,
        doc: "The items of lists, one level taken apart.",
    },
    Row {
        name: "lines",
        function: files::lines,
        doc: "The lines that a program prints on the controller.",
    },
    Row {
        name: "list",
        function: lists::list,
        doc: "The terms as they are.",
    },
    Row {
        name: "nested",
        function: lists::nested,
        doc: "All combinations of the items of lists.",
    },
    Row {
        name: "password",
        function: password::password,
        doc: "A password kept in a file of the controller.",
    },
    Row {
        name: "pipe",
        function: files::pipe,
        doc: "What a program prints on the controller.",
    },
    Row {
        name: "random_choice",
        function: lists::random_choice,
        doc: "One of the terms.",
    },
    Row {
        name: "sequence",
        function: sequence::sequence,
        doc: "Numbers, formatted.",
    },
    Row {
        name: "subelements",
        function: lists::subelements,
        doc: "Items paired with those of an inner list.",
    },
    Row {
        name: "template",
        function: files::template,
        doc: "Rendered template files of the controller.",
    },
    Row {
        name: "together",
        function: lists::together,
        doc: "The items of lists side by side.",
    },
    Row {
        name: "unvault",
        function: files::unvault,
        doc: "The content of files of the controller, as it is.",
    },
    Row {
        name: "url",
        function: url::url,
        doc: "What servers answer to HTTP and HTTPS requests.",
    },
    Row {
        name: "varnames",
        function: vars::varnames,
        doc: "Names of variables that match.",
    },
    Row {
        name: "vars",
        function: vars::vars,
        doc: "Variables by name.",
    },
];

/// Global functions of templates.
pub(super) static GLOBALS: &[(&str, crate::value::Function)] = &[
    ("lookup", lookup),
    ("query", query),
    ("q", query),
    ("now", vars::now),
    ("undef", vars::undef),
];

/// Returns the templar that an expression is evaluated by.
pub(super) fn templar(runtime: &mut dyn Runtime) -> Result<Templar> {
    runtime
        .embedder()
        .downcast_ref::<Rendering>()
        .map(|rendering| rendering.templar.clone())
        .ok_or_else(|| Error::new(Kind::Internal, "lookups need a templar"))
}

/// Takes the trust of templates in lookup results away, all the way down; other text may still be an
/// expression where it was one.
fn data(value: Value) -> Value {
    value.map_leaves(&mut |leaf| match leaf {
        Value::Str(text) if is_template(text) => Value::Str(text.clone().with_trust(false)),
        other => other.clone(),
    })
}

/// Who uses a lookup.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum User {
    Template,
    Loop,
}

fn run(
    templar: &Templar,
    name: &str,
    terms: &[Value],
    options: &[(String, Value)],
    user: User,
) -> Result<Vec<Value>> {
    let short = name
        .strip_prefix("ansible.builtin.")
        .or_else(|| name.strip_prefix("ansible.legacy."))
        .unwrap_or(name);
    let shared = &templar.0.shared;
    let own = shared.lookups.get(short);
    let may_be_replaced = !name.starts_with("ansible.builtin.");
    if (own.is_none() || may_be_replaced && shared.python.lookup_file(short).is_some())
        && let Some(found) = shared.python.lookup(
            templar,
            name,
            terms,
            &options_of(templar, options, user),
            user,
        )?
    {
        return Ok(found.into_iter().map(data).collect());
    }
    let missing = terms.iter().find_map(|term| match term {
        Value::Undefined(undefined) => Some(undefined),
        _ => None,
    });
    if let (Some(undefined), Some(_)) = (missing, own) {
        return Err(undefined.error());
    }
    let Some(function) = own else {
        let error = Error::new(Kind::NotFound, templar.level().no_such_lookup(name));
        return Err(
            match crate::diag::closest(short, templar.0.shared.lookups.keys().copied()) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error,
            },
        );
    };
    Ok(function(templar, terms, options)?
        .into_iter()
        .map(data)
        .collect())
}

/// Returns the options that a plugin is given.
fn options_of(templar: &Templar, options: &[(String, Value)], user: User) -> Vec<(String, Value)> {
    let mut given: Vec<_> = options.to_vec();
    given.retain(|(name, _)| name != SUBDIR);
    if user == User::Loop && templar.level().tells_loops_to_lookups() {
        given.push(("wantlist".to_owned(), Value::Bool(true)));
    }
    given
}

fn arguments(mut args: Args) -> Result<(String, Vec<Value>, Vec<(String, Value)>)> {
    if args.positional.is_empty() {
        return Err(Error::type_error(
            "_lookup() missing 1 required positional argument: 'plugin_name'",
        ));
    }
    let name = args.positional.remove(0).to_str();
    Ok((name, args.positional, args.keyword))
}

/// Places the texts in a value that stand nowhere.
fn placed(value: &Value, place: Option<Span>) -> Value {
    let origin = place.map(|span| Origin {
        source: span.source,
        offset: span.start,
    });
    value.map_leaves(&mut |leaf| match (leaf, origin) {
        (Value::Str(text), Some(origin)) if text.origin().is_none() => {
            Value::Str(text.clone().with_origin(origin))
        }
        (other, _) => other.clone(),
    })
}

fn lookup(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let place = runtime
        .embedder()
        .downcast_ref::<Rendering>()
        .and_then(|rendering| rendering.span);
    let templar = templar(runtime)?;
    let (name, mut terms, mut options) = arguments(args)?;
    // Literals may be templates.
    for term in terms.iter_mut().filter(|term| !is_plain(term)) {
        templar.warn_of_embedded(
            place,
            r#"`msg: "{{ lookup('env', '{{ a_var }}') }}"` becomes `msg: "{{ lookup('env', a_var) }}"`"#,
        );
        *term = templar.finish_lazily(&placed(term, place))?;
    }
    let missing = terms.iter().find(|term| term.is_undefined());
    if let Some(Value::Undefined(undefined)) = missing
        && !templar.level().renders_elements_lazily()
    {
        return Err(undefined.error());
    }
    let mut take = |wanted: &str| {
        options
            .iter()
            .position(|(key, _)| key == wanted)
            .map(|at| options.remove(at).1)
    };
    let wants_list = take("wantlist").is_some_and(|v| v.truth());
    let errors = take("errors").map_or_else(|| "strict".to_owned(), |v| v.to_str());
    let results = match run(&templar, &name, &terms, &options, User::Template) {
        Ok(results) => results,
        Err(error)
            if matches!(errors.as_str(), "ignore" | "warn") && error.kind() != Kind::NotFound =>
        {
            return Ok(if wants_list {
                Value::list(Vec::new())
            } else {
                Value::None
            });
        }
        // What is undefined can be asked for, and replaced.
        Err(_) if missing.is_some() => return Ok(missing.cloned().unwrap_or(Value::None)),
        Err(error) => return Err(failed_lookup(&templar, &name, error)),
    };
    if wants_list {
        return Ok(Value::list(results));
    }
    match &results[..] {
        [one] => Ok(one.clone()),
        [] => Ok(Value::list(Vec::new())),
        many if many.iter().all(|item| matches!(item, Value::Str(_))) => Ok(Value::str(
            many.iter().map(Value::to_str).collect::<Vec<_>>().join(","),
        )),
        _ => Ok(Value::list(results)),
    }
}

fn query(runtime: &mut dyn Runtime, mut args: Args) -> Result<Value> {
    args.keyword.retain(|(key, _)| key != "wantlist");
    args.keyword
        .push(("wantlist".to_owned(), Value::Bool(true)));
    lookup(runtime, args)
}

/// Returns the items of a task's loop.
pub(super) fn loop_items(
    templar: &Templar,
    action: &str,
    with: Option<&str>,
    items: &Value,
) -> Result<Vec<Value>> {
    let Some(name) = with else {
        let rendered = templar.finish(items, 0)?;
        let items = match rendered {
            Value::List(list) => list.to_vec(),
            Value::Tuple(items) => items.to_vec(),
            Value::Undefined(undefined) => return Err(undefined.error()),
            other => return Err(not_a_list(templar, &other)),
        };
        return all_defined(items);
    };
    if name == "dict" || name == "subelements" || name == "first_found" {
        let rendered = templar.render(items)?;
        let terms = match rendered {
            Value::List(list) => list.to_vec(),
            one => vec![one],
        };
        let options = [(SUBDIR.to_owned(), Value::str(subdir(action)))];
        return run(templar, name, &terms, &options, User::Loop)
            .map(|items| items.into_iter().map(listed).collect())
            .map_err(|error| failed_loop(templar, name, error));
    }
    let rendered = match bare(templar, items)? {
        Some(value) => value,
        None => templar.finish(items, 0)?,
    };
    let terms = match rendered {
        Value::List(list) => list.to_vec(),
        Value::Undefined(undefined) => return Err(undefined.error()),
        one => vec![one],
    };
    let made = run(templar, name, &terms, &[], User::Loop).map_err(|error| match error.kind() {
        Kind::NotFound => Error::new(
            Kind::Parse,
            format!("Unexpected failure in finding the lookup named '{name}' in the available lookup plugins"),
        ),
        _ => failed_loop(templar, name, error),
    })?;
    all_defined(made)
}

fn all_defined(items: Vec<Value>) -> Result<Vec<Value>> {
    for item in &items {
        if let Value::Undefined(undefined) = item {
            return Err(undefined.error());
        }
    }
    Ok(items.into_iter().map(listed).collect())
}

/// Makes a list of a loop's item that is a tuple, as all levels of Ansible do.
fn listed(item: Value) -> Value {
    match item {
        Value::Tuple(items) => Value::list(items.to_vec()),
        other => other,
    }
}

/// The option that says in which directory files of a loop are looked for.
const SUBDIR: &str = "_subdir";

/// Returns the directory that an action's files are in.
fn subdir(action: &str) -> &'static str {
    match action {
        "template" => "templates",
        "include_vars" => "vars",
        _ => "files",
    }
}

/// Says which lookup of a template failed.
fn failed_lookup(templar: &Templar, name: &str, error: Error) -> Error {
    if matches!(error.kind(), Kind::NotFound | Kind::Plugin) {
        return error.kind_as(Kind::Filter);
    }
    if error.kind() == Kind::Undefined && templar.level().names_failed_steps() {
        return error;
    }
    let level = templar.level();
    if error.kind() == Kind::Undefined {
        return error.kind_as(Kind::Filter);
    }
    if level.names_failed_steps() {
        if error.span().is_some() && error.kind() == Kind::Vault {
            let message = format!("The lookup plugin '{name}' failed");
            return Error::new(Kind::Filter, message).caused_by(error);
        }
        if let Some(cause) = error.cause() {
            let message = level.failed_lookup(name, None, error.message());
            return Error::new(Kind::Filter, message).caused_by(cause.clone());
        }
    }
    let message = level.failed_lookup(name, class(&error), error.full_message().trim());
    error.message_as(message).kind_as(Kind::Filter)
}

/// Returns the class that Python has for what a lookup raised; `None` for an error of lookups.
fn class(error: &Error) -> Option<&'static str> {
    match error.kind() {
        Kind::Argument | Kind::Undefined => None,
        Kind::Vault => Some("ansible.parsing.vault.AnsibleVaultError"),
        _ if error.message().contains("object has no attribute '") => Some("AttributeError"),
        _ if error.message().ends_with("index out of range") => Some("IndexError"),
        kind => Some(crate::template::error_class(kind)),
    }
}

/// Says which lookup of a loop failed.
fn failed_loop(templar: &Templar, name: &str, error: Error) -> Error {
    let level = templar.level();
    if error.kind() == Kind::Undefined || !level.names_failed_steps() {
        return error;
    }
    let message = level.failed_lookup(name, None, &error.full_message());
    // Ansible points at its own call.
    let nowhere = templar.0.shared.options.sources.add_whole("<unknown>", "");
    let error = Error::new(Kind::Argument, message).note("invoke_lookup()");
    error.at(Span::new(nowhere, 0, 0))
}

fn not_a_list(templar: &Templar, value: &Value) -> Error {
    if templar.0.shared.options.level.names_failed_steps() {
        let kind = value.type_name();
        return Error::new(
            Kind::Argument,
            format!("The `loop` value must resolve to a 'list', not '{kind}'."),
        )
        .note("Provide a list of items/templates, or a template resolving to a list.");
    }
    Error::new(
        Kind::Argument,
        format!(
            "Invalid data passed to 'loop', it requires a list, got this instead: {value}. Hint: If you passed a list/dict of just one element, try adding wantlist=True to your lookup invocation or use q/query instead of lookup."
        ),
    )
}

/// A bare word in `with_items` that names a variable means the variable, below 2.19.
fn bare(templar: &Templar, items: &Value) -> Result<Option<Value>> {
    let Value::Str(text) = items else {
        return Ok(None);
    };
    if templar.0.shared.options.level.native_results() || text.contains("{{") {
        return Ok(None);
    }
    let first = text.split(['.', '[', '|']).next().unwrap_or("").trim();
    if first.is_empty() || templar.0.vars.get(first).is_none() {
        return Ok(None);
    }
    templar
        .render(&Value::Str(Str::trusted(format!("{{{{ {text} }}}}"))))
        .map(Some)
}

use files::{find, flag};

/// Returns an option of a lookup.
fn option<'a>(options: &'a [(String, Value)], name: &str) -> Option<&'a Value> {
    options
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
}

/// An error that Ansible has as one of its own.
fn failed(message: impl Into<String>) -> Error {
    Error::new(Kind::Filter, message)
}

/// An error that Ansible has as one of lookups: nothing is said around it before 2.19.
fn refused(message: impl Into<String>) -> Error {
    Error::new(Kind::Argument, message)
}

/// Reads a file of the controller as text of some encoding.
fn read_text(templar: &Templar, path: &std::path::Path, encoding: &str) -> Result<String> {
    let bytes = templar.0.shared.options.sources.read(path)?.bytes;
    crate::template::decoded(&bytes, encoding)
}

/// Returns a term that has to be text; `method` is what Python would have called on it.
fn text_of<'a>(term: &'a Value, method: &str) -> Result<&'a str> {
    term.as_str().ok_or_else(|| {
        let kind = term.type_name();
        failed(format!("'{kind}' object has no attribute '{method}'"))
    })
}
