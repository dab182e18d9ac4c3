//! Roles: where they are, what their files say, what they depend on.
//!
//! **Source:** "Roles" of Ansible's documentation; search order as in the message for a missing one.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::keywords::{self, Place};
use super::load::{IncludeRole, Included, Loader};
use super::model::{Block, Item, Role, Settings, Task};
use super::parse;
use crate::diag::{Error, Kind, Result, Span, closest};
use crate::value::{Dict, Value};
use crate::yaml::{Data, Node};

/// What an entry of `roles:` brings.
pub(super) struct Used {
    pub(super) block: Item,
    pub(super) roles: Vec<Rc<Role>>,
    pub(super) handlers: Vec<Item>,
}

/// How a role is used: from which files, with which parameters, under which settings.
struct Use<'a> {
    name: String,
    span: Span,
    settings: Settings,
    params: Dict,
    from: IncludeRole,
    parents: Vec<Rc<Role>>,
    beside: Option<&'a Path>,
}

/// Reads an entry of `roles:`.
pub(super) fn entry(loader: &Loader, node: &Node, scope: &Settings) -> Result<Used> {
    let used = use_of(loader, node, scope, &[], None)?;
    let mut roles = Vec::new();
    let mut handlers = Vec::new();
    let mut open = Vec::new();
    let items = load(loader, &used, &mut roles, &mut handlers, &mut open)?;
    let block = Item::Block(Rc::new(Block {
        span: node.span,
        name: None,
        body: items,
        rescue: Vec::new(),
        always: Vec::new(),
        role: None,
    }));
    Ok(Used {
        block,
        roles,
        handlers,
    })
}

/// Reads a role that `import_role` names; its blocks carry it, so that [`imported`] finds it.
pub(super) fn import(
    loader: &Loader,
    include: &IncludeRole,
    settings: &Settings,
    span: Span,
    inside: Option<&Rc<Role>>,
) -> Result<Included> {
    collect(loader, include, settings, span, inside)
}

/// Reads a role that `include_role` names.
pub(super) fn include(
    loader: &Loader,
    include: &IncludeRole,
    settings: &Settings,
    task: &Task,
) -> Result<Included> {
    collect(loader, include, settings, task.span, task.role.as_ref())
}

fn collect(
    loader: &Loader,
    include: &IncludeRole,
    settings: &Settings,
    span: Span,
    inside: Option<&Rc<Role>>,
) -> Result<Included> {
    let parents: Vec<Rc<Role>> = inside
        .map(|role| role.parents.iter().cloned().chain([role.clone()]).collect())
        .unwrap_or_default();
    let used = Use {
        name: include.name.clone(),
        span: include.place.unwrap_or(span),
        settings: settings.clone(),
        params: Dict::new(),
        from: include.clone(),
        parents,
        beside: None,
    };
    let mut roles = Vec::new();
    let mut handlers = Vec::new();
    let mut open = Vec::new();
    let items = load(loader, &used, &mut roles, &mut handlers, &mut open)?;
    Ok(Included {
        items,
        roles,
        handlers,
    })
}

/// Returns the roles whose tasks stand in these items by `import_role`.
pub(super) fn imported(items: &[Item], out: &mut Vec<Rc<Role>>) {
    for item in items {
        if let Item::Block(block) = item {
            if let Some(role) = &block.role {
                out.push(role.clone());
            }
            imported(&block.body, out);
            imported(&block.rescue, out);
            imported(&block.always, out);
        }
    }
}

/// Reads a role's handlers.
pub(super) fn handlers(loader: &Loader, role: &Rc<Role>, scope: &Settings) -> Result<Vec<Item>> {
    match main_file(&role.path.join("handlers"), "main") {
        Some(path) => loader.tasks_in(&path, scope, Some(role), true),
        None => Ok(Vec::new()),
    }
}

/// Reads one way to use a role: a name, or a mapping with keywords and parameters.
fn use_of<'a>(
    loader: &Loader,
    node: &Node,
    scope: &Settings,
    parents: &[Rc<Role>],
    beside: Option<&'a Path>,
) -> Result<Use<'a>> {
    let mut settings = scope.clone();
    let params = Dict::new();
    let named = match &node.data {
        Data::Scalar(Value::Str(_)) => node,
        Data::Mapping(pairs) => {
            let Some(named) = node.get("role").or_else(|| node.get("name")) else {
                return Err(
                    Error::new(Kind::Parse, "role definitions must contain a role name")
                        .at(node.span),
                );
            };
            for (key, value) in pairs {
                let name = key.as_str().unwrap_or_default();
                if matches!(name, "role" | "name" | "src" | "scm" | "version") {
                    continue;
                }
                if keywords::find(name, Place::Role).is_some() {
                    if name == "vars" {
                        // Variables of a use rank as its parameters do.
                        if let Value::Dict(vars) = value.to_value() {
                            for (key, value) in vars.to_vec() {
                                params.set_key(key, value);
                            }
                        }
                    } else {
                        parse::inheritable(loader, &mut settings, name, value, "RoleInclude")?;
                    }
                } else {
                    params.set(name, value.to_value());
                }
            }
            named
        }
        _ => {
            return Err(
                Error::new(Kind::Parse, "role definitions must contain a role name").at(node.span),
            );
        }
    };
    let name = (loader.0.options.render)(&named.to_value(), &settings.vars)
        .map_err(|error| error.at(named.span))?
        .to_str();
    Ok(Use {
        name,
        span: named.span,
        settings,
        params,
        from: IncludeRole {
            public: true,
            ..IncludeRole::default()
        },
        parents: parents.to_vec(),
        beside,
    })
}

/// Reads a role with its dependencies; the outermost block of each carries its role.
fn load(
    loader: &Loader,
    used: &Use,
    roles: &mut Vec<Rc<Role>>,
    handlers: &mut Vec<Item>,
    open: &mut Vec<PathBuf>,
) -> Result<Vec<Item>> {
    let (path, shown, collection) = find(loader, used)?;
    if open.contains(&path) {
        return Err(Error::new(
            Kind::Recursion,
            format!("A recursion loop was detected with the roles specified. Make sure child roles do not have dependencies on parent roles: {shown}"),
        )
        .at(used.span));
    }
    open.push(path.clone());
    (loader.0.options.opened)(&path);
    let metadata = Metadata::read(loader, &path)?;
    let mut items = Vec::new();
    let stub = Rc::new(Role {
        name: shown.clone(),
        collection: collection.clone(),
        path: path.clone(),
        defaults: vars_of(
            loader,
            &path,
            "defaults",
            used.from.defaults_from.as_deref(),
            used.span,
        )?,
        vars: vars_of(
            loader,
            &path,
            "vars",
            used.from.vars_from.as_deref(),
            used.span,
        )?,
        params: used.params.clone(),
        dependencies: Vec::new(),
        parents: used.parents.clone(),
        allow_duplicates: metadata.allow_duplicates || used.from.allow_duplicates,
        public: used.from.public,
        identity: identity(&path, used),
    });
    let mut dependencies = Vec::new();
    let mut chain = used.parents.clone();
    chain.push(stub.clone());
    for dependency in &metadata.dependencies {
        let one = use_of(loader, dependency, &used.settings, &chain, path.parent())?;
        let before = roles.len();
        items.extend(load(loader, &one, roles, handlers, open)?);
        if let Some(direct) = roles[before..].last() {
            dependencies.push(direct.clone());
        }
    }
    open.pop();
    let role = Rc::new(Role {
        dependencies,
        ..stub.as_ref().clone()
    });
    roles.push(role.clone());
    let body = match tasks_of(&path, used)? {
        Some(file) => loader.tasks_in(&file, &used.settings, Some(&role), false)?,
        None => Vec::new(),
    };
    items.push(Item::Block(Rc::new(Block {
        span: used.span,
        name: None,
        body,
        rescue: Vec::new(),
        always: Vec::new(),
        role: Some(role.clone()),
    })));
    let named = used.from.handlers_from.as_deref().unwrap_or("main");
    if let Some(file) = main_file(&path.join("handlers"), named) {
        handlers.extend(loader.tasks_in(&file, &used.settings, Some(&role), true)?);
    }
    Ok(items)
}

fn identity(path: &Path, used: &Use) -> String {
    format!(
        "{}\0{}\0{:?}\0{:?}\0{:?}",
        path.display(),
        Value::Dict(used.params.clone()).repr(),
        used.settings
            .when
            .iter()
            .map(Value::repr)
            .collect::<Vec<_>>(),
        used.settings.tags,
        (
            &used.from.tasks_from,
            &used.from.vars_from,
            &used.from.defaults_from
        ),
    )
}

/// Finds a role's directory; returns it with the name shown to people and its collection.
fn find(loader: &Loader, used: &Use) -> Result<(PathBuf, String, String)> {
    let name = used.name.trim();
    let dir = loader.0.dir.borrow().clone();
    let mut places = vec![dir.join("roles")];
    places.extend(loader.0.options.roles_path.iter().cloned());
    if let Some(beside) = used.beside {
        places.push(beside.to_path_buf());
    }
    for parent in used.parents.iter().rev() {
        if let Some(beside) = parent.path.parent()
            && !places.contains(&beside.to_path_buf())
        {
            places.push(beside.to_path_buf());
        }
    }
    places.push(dir.clone());
    for place in &places {
        let path = place.join(name);
        if path.is_dir() {
            let shown = if Path::new(name).is_absolute() {
                base_name(&path)
            } else {
                name.to_owned()
            };
            return Ok((clean(&path), shown, String::new()));
        }
    }
    let direct = std::path::absolute(name).unwrap_or_else(|_| PathBuf::from(name));
    if name.contains('/') && direct.is_dir() {
        return Ok((clean(&direct), base_name(&direct), String::new()));
    }
    let searched: Vec<String> = places
        .iter()
        .map(|p| p.to_string_lossy().into_owned())
        .collect();
    let error = Error::new(
        Kind::NotFound,
        format!("the role '{name}' was not found in {}", searched.join(":")),
    )
    .at(used.span);
    let known: Vec<String> = places.iter().flat_map(|place| directories(place)).collect();
    Err(match closest(name, known.iter().map(String::as_str)) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error,
    })
}

fn directories(place: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(place) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

fn base_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Takes `.` and `..` out of a path without asking the file system.
fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

/// Returns `NAME.yml`, `NAME.yaml`, `NAME.json` or `NAME` of a directory.
fn main_file(dir: &Path, name: &str) -> Option<PathBuf> {
    let plain = dir.join(name);
    let mut candidates = vec![plain.clone()];
    if plain.extension().is_none() || !plain.is_file() {
        candidates = ["yml", "yaml", "json"]
            .iter()
            .map(|e| dir.join(format!("{name}.{e}")))
            .collect();
        candidates.push(plain);
    }
    candidates.into_iter().find(|path| path.is_file())
}

fn tasks_of(path: &Path, used: &Use) -> Result<Option<PathBuf>> {
    match &used.from.tasks_from {
        None => Ok(main_file(&path.join("tasks"), "main")),
        Some(name) => main_file(&path.join("tasks"), name)
            .map(Some)
            .ok_or_else(|| {
                Error::new(
                    Kind::NotFound,
                    format!(
                        "Could not find specified file in role: tasks/{name} (looked in {})",
                        path.join("tasks").display()
                    ),
                )
                .at(used.span)
            }),
    }
}

/// Reads `defaults/` or `vars/`: one main file, or all files of a directory `main`.
fn vars_of(
    loader: &Loader,
    path: &Path,
    kind: &str,
    from: Option<&str>,
    span: Span,
) -> Result<Dict> {
    let dir = path.join(kind);
    let name = from.unwrap_or("main");
    let mut files = Vec::new();
    if let Some(file) = main_file(&dir, name) {
        files.push(file);
    } else if dir.join(name).is_dir() {
        let mut all: Vec<PathBuf> = walkdir::WalkDir::new(dir.join(name))
            .sort_by_file_name()
            .into_iter()
            .flatten()
            .filter(|entry| entry.file_type().is_file())
            .map(walkdir::DirEntry::into_path)
            .filter(|path| {
                path.extension()
                    .is_none_or(|e| matches!(e.to_str(), Some("yml" | "yaml" | "json")))
            })
            .collect();
        all.sort();
        files = all;
    } else if from.is_some() {
        return Err(Error::new(
            Kind::NotFound,
            format!("Could not find specified file in role: {kind}/{name}"),
        )
        .at(span));
    }
    let vars = Dict::new();
    for file in files {
        let Some(node) = loader.read(&file)? else {
            continue;
        };
        if let Value::Dict(found) = node.to_value() {
            for (key, value) in found.to_vec() {
                vars.set_key(key, value);
            }
        } else {
            let what = if kind == "vars" {
                "vars/main.yml"
            } else {
                "defaults/main.yml"
            };
            return Err(Error::new(
                Kind::Parse,
                format!(
                    "The {what} file for role '{}' must contain a dictionary of variables",
                    base_name(path)
                ),
            )
            .at(node.span));
        }
    }
    Ok(vars)
}

/// `meta/main.yml`.
struct Metadata {
    dependencies: Vec<Node>,
    allow_duplicates: bool,
}

impl Metadata {
    fn read(loader: &Loader, path: &Path) -> Result<Metadata> {
        let mut metadata = Metadata {
            dependencies: Vec::new(),
            allow_duplicates: false,
        };
        let Some(file) = main_file(&path.join("meta"), "main") else {
            return Ok(metadata);
        };
        let Some(node) = loader.read(&file)? else {
            return Ok(metadata);
        };
        if !matches!(node.data, Data::Mapping(_)) {
            return Err(Error::new(
                Kind::Parse,
                format!(
                    "the 'meta/main.yml' for role {} is not a dictionary",
                    base_name(path)
                ),
            )
            .at(node.span));
        }
        if let Some(allow) = node.get("allow_duplicates") {
            metadata.allow_duplicates = allow.to_value().truth();
        }
        if let Some(dependencies) = node.get("dependencies") {
            match &dependencies.data {
                Data::Sequence(items) => metadata.dependencies = items.clone(),
                Data::Scalar(Value::None) => {}
                _ => {
                    return Err(Error::new(
                        Kind::Parse,
                        "Expected role dependencies to be a list.",
                    )
                    .at(dependencies.span));
                }
            }
        }
        Ok(metadata)
    }
}
