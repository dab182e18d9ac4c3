//! From YAML nodes to plays, blocks and tasks; inheritance is worked out here.

use std::path::Path;
use std::rc::Rc;

use super::args;
use super::keywords::{self, Place};
use super::load::{Loader, Resolved, describe};
use super::model::{Action, Block, Item, Loop, LoopControl, Play, Role, Settings, Task, VarsFile};
use super::role;
use crate::diag::{Error, Kind, Notice, Result, Span, closest};
use crate::value::{Dict, Key, Origin, Str, Value};
use crate::yaml::{Data, Node};

/// The pairs of a mapping, each key with its place.
type Pairs<'a> = &'a [(Node, Node)];

fn pairs<'a>(node: &'a Node, what: &str) -> Result<Pairs<'a>> {
    match &node.data {
        Data::Mapping(pairs) => Ok(pairs),
        _ => Err(Error::new(
            Kind::Parse,
            format!("{what} should be a mapping, found {}", describe(node)),
        )
        .at(node.span)),
    }
}

fn list<'a>(node: &'a Node, what: &str) -> Result<&'a [Node]> {
    match &node.data {
        Data::Sequence(items) => Ok(items),
        Data::Scalar(Value::None) => Ok(&[]),
        _ => Err(Error::new(
            Kind::Parse,
            format!("{what} should be a list, found {}", describe(node)),
        )
        .at(node.span)),
    }
}

fn key_of(node: &Node) -> Result<&str> {
    node.as_str().ok_or_else(|| {
        Error::new(
            Kind::Parse,
            format!("expected a keyword, found {}", describe(node)),
        )
        .at(node.span)
    })
}

/// Refuses a keyword that doesn't belong, as Ansible words it; `whole` is what it stands in.
fn not_valid(loader: &Loader, whole: &Node, key: &Node, name: &str, place: Place) -> Error {
    let at_key = loader.0.options.level.places_keywords();
    let error = Error::new(
        Kind::Parse,
        format!("'{name}' is not a valid attribute for a {}", place.name()),
    )
    .at(if at_key { key.span } else { whole.span });
    match closest(name, keywords::names(place)) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error,
    }
}

fn check(loader: &Loader, whole: &Node, key: &Node, name: &str, place: Place) -> Result<()> {
    match keywords::find(name, place) {
        None => Err(not_valid(loader, whole, key, name, place)),
        Some(row) if !row.supported => Err(Error::new(
            Kind::Unsupported,
            format!(
                "the keyword `{name}` of a {} is not supported",
                place.name()
            ),
        )
        .at(key.span)),
        Some(_) => Ok(()),
    }
}

/// Returns a node's value as a list; one value is a list of one.
fn listed(node: &Node) -> Vec<Value> {
    match &node.data {
        Data::Sequence(items) => items.iter().map(Node::to_value).collect(),
        Data::Scalar(Value::None) => Vec::new(),
        _ => vec![node.to_value()],
    }
}

fn vars_files(node: &Node) -> Vec<VarsFile> {
    let entry = |node: &Node| VarsFile {
        span: node.span,
        names: node.to_value(),
    };
    match &node.data {
        Data::Sequence(items) => items.iter().map(entry).collect(),
        Data::Scalar(Value::None) => Vec::new(),
        _ => vec![entry(node)],
    }
}

/// Returns tags: a list, or names separated by commas.
fn tags(node: &Node) -> Result<Vec<String>> {
    let mut out = Vec::new();
    for value in listed(node) {
        match value {
            Value::Str(text) => out.extend(text.split(',').map(|tag| tag.trim().to_owned())),
            Value::Int(number) => out.push(number.to_string()),
            other => {
                return Err(Error::new(
                    Kind::Parse,
                    format!(
                        "tags must be specified as a list, found {}",
                        other.type_name()
                    ),
                )
                .at(node.span));
            }
        }
    }
    Ok(out)
}

fn dict(node: &Node, what: &str) -> Result<Dict> {
    match node.to_value() {
        Value::Dict(dict) => Ok(dict),
        Value::None => Ok(Dict::new()),
        // Several mappings in a list count as one.
        Value::List(items) => {
            let all = Dict::new();
            for item in items.to_vec() {
                let Value::Dict(part) = item else {
                    return Err(vars_error(node, what));
                };
                for (key, value) in part.to_vec() {
                    all.set_key(key, value);
                }
            }
            Ok(all)
        }
        _ => Err(vars_error(node, what)),
    }
}

fn vars_error(node: &Node, what: &str) -> Error {
    Error::new(
        Kind::Parse,
        format!(
            "Vars in a {what} must be specified as a dictionary, found {}",
            describe(node)
        ),
    )
    .at(node.span)
}

/// Puts one keyword that passes on to tasks into settings; says whether it was one.
pub(super) fn inheritable(
    loader: &Loader,
    settings: &mut Settings,
    name: &str,
    value: &Node,
    what: &str,
) -> Result<bool> {
    let slot = match name {
        "tags" => {
            for tag in tags(value)? {
                if !settings.tags.contains(&tag) {
                    settings.tags.push(tag);
                }
            }
            return Ok(true);
        }
        "when" => {
            settings.when.extend(listed(value));
            return Ok(true);
        }
        "vars" => {
            warn_of_reserved(loader, value);
            settings.vars.push(dict(value, what)?);
            return Ok(true);
        }
        "environment" => {
            settings.environment.extend(listed(value));
            return Ok(true);
        }
        "module_defaults" => {
            settings.module_defaults.extend(listed(value));
            return Ok(true);
        }
        "notify" => {
            settings.notify.extend(listed(value));
            return Ok(true);
        }
        "collections" => {
            settings.collections = listed(value).iter().map(Value::to_str).collect();
            return Ok(true);
        }
        "become" => &mut settings.r#become,
        "become_user" => &mut settings.become_user,
        "become_method" => &mut settings.become_method,
        "become_flags" => &mut settings.become_flags,
        "become_exe" => &mut settings.become_exe,
        "connection" => &mut settings.connection,
        "remote_user" => &mut settings.remote_user,
        "port" => &mut settings.port,
        "no_log" => &mut settings.no_log,
        "run_once" => &mut settings.run_once,
        "ignore_errors" => &mut settings.ignore_errors,
        "ignore_unreachable" => &mut settings.ignore_unreachable,
        "check_mode" => &mut settings.check_mode,
        "diff" => &mut settings.diff,
        "any_errors_fatal" => &mut settings.any_errors_fatal,
        "delegate_to" => &mut settings.delegate_to,
        "delegate_facts" => &mut settings.delegate_facts,
        "throttle" => &mut settings.throttle,
        "timeout" => &mut settings.timeout,
        _ => return Ok(false),
    };
    let _ = loader;
    *slot = Some(value.to_value());
    Ok(true)
}

/// Reads what an `import_playbook` passes on to the plays it imports.
pub(super) fn import_settings(loader: &Loader, entry: &Node, outer: &Settings) -> Result<Settings> {
    let mut settings = outer.clone();
    for (key, value) in pairs(entry, "an import_playbook")? {
        match key_of(key)? {
            "when" | "tags" | "vars" => {
                inheritable(
                    loader,
                    &mut settings,
                    key_of(key)?,
                    value,
                    "PlaybookInclude",
                )?;
            }
            "name"
            | "import_playbook"
            | "include"
            | "ansible.builtin.import_playbook"
            | "ansible.legacy.import_playbook" => {}
            other => {
                return Err(Error::new(
                    Kind::Parse,
                    format!("'{other}' is not a valid attribute for a PlaybookInclude"),
                )
                .at(key.span));
            }
        }
    }
    Ok(settings)
}

/// Reads a play. `outer` is what the imports that led here pass on.
pub(super) fn play(loader: &Loader, node: &Node, dir: &Path, outer: &Settings) -> Result<Play> {
    let Data::Mapping(entries) = &node.data else {
        return Err(Error::new(
            Kind::Parse,
            format!("playbook entries must be either valid plays or 'import_playbook' statements, found {}", describe(node)),
        )
        .at(node.span));
    };
    for (key, _) in entries {
        check(loader, node, key, key_of(key)?, Place::Play)?;
    }
    let get = |name: &str| node.get(name);
    let value = |name: &str| get(name).filter(|node| !node.is_none()).map(Node::to_value);
    let Some(hosts) = get("hosts") else {
        let level = loader.0.options.level;
        let error = Error::new(Kind::Parse, level.field_required("hosts")).at(node.span);
        return Err(if level.places_keywords() {
            error
        } else {
            error.nowhere().help(format!(
                "the play is at {}",
                loader.0.sources.locate(node.span)
            ))
        });
    };
    if hosts.is_none() || hosts.as_str() == Some("") {
        return Err(Error::new(
            Kind::Parse,
            "Hosts list cannot be empty. Please check your playbook",
        )
        .at(hosts.span));
    }
    let mut settings = outer.clone();
    settings.vars.clear();
    for (key, value) in entries {
        let name = key_of(key)?;
        if name != "vars" {
            inheritable(loader, &mut settings, name, value, "Play")?;
        }
    }
    let vars = Dict::new();
    for imported in &outer.vars {
        for (key, value) in imported.to_vec() {
            vars.set_key(key, value);
        }
    }
    if let Some(own) = get("vars") {
        warn_of_reserved(loader, own);
        for (key, value) in dict(own, "Play")?.to_vec() {
            vars.set_key(key, value);
        }
    }
    let settings = Rc::new(settings);
    let file = std::path::PathBuf::from(loader.0.sources.name(node.span.source).as_ref());
    let section = |name: &str, handlers: bool| -> Result<Vec<Item>> {
        match get(name) {
            Some(node) => items(loader, node, &settings, None, handlers, &file),
            None => Ok(Vec::new()),
        }
    };
    let mut role_list = Vec::new();
    let mut roles = Vec::new();
    let mut handlers = Vec::new();
    if let Some(entries) = get("roles") {
        for entry in list(entries, "roles")? {
            let used = role::entry(loader, entry, &settings)?;
            roles.push(used.block);
            handlers.extend(used.handlers);
            role_list.extend(used.roles);
        }
    }
    let collect = |items: &[Item], role_list: &mut Vec<Rc<Role>>| role::imported(items, role_list);
    let pre_tasks = section("pre_tasks", false)?;
    let tasks = section("tasks", false)?;
    let post_tasks = section("post_tasks", false)?;
    for items in [&pre_tasks, &tasks, &post_tasks] {
        let mut found = Vec::new();
        collect(items, &mut found);
        for role in found {
            handlers.extend(role::handlers(loader, &role, &settings)?);
            role_list.push(role);
        }
    }
    handlers.extend(section("handlers", true)?);
    Ok(Play {
        span: node.span,
        dir: dir.to_path_buf(),
        name: value("name").filter(|name| name.as_str() != Some("")),
        hosts: hosts.to_value(),
        gather_facts: value("gather_facts"),
        gather_subset: value("gather_subset"),
        gather_timeout: value("gather_timeout"),
        vars,
        vars_files: get("vars_files").map(vars_files).unwrap_or_default(),
        serial: get("serial").map(listed).unwrap_or_default(),
        strategy: value("strategy"),
        order: value("order"),
        max_fail_percentage: value("max_fail_percentage"),
        force_handlers: value("force_handlers"),
        pre_tasks,
        roles,
        tasks,
        post_tasks,
        handlers,
        role_list,
        settings,
    })
}

/// Reads a list of tasks and blocks.
pub(super) fn items(
    loader: &Loader,
    node: &Node,
    scope: &Settings,
    role: Option<&Rc<Role>>,
    handlers: bool,
    file: &Path,
) -> Result<Vec<Item>> {
    let Data::Sequence(entries) = &node.data else {
        if node.is_none() {
            return Ok(Vec::new());
        }
        return Err(Error::new(
            Kind::Parse,
            format!(
                "{} contained a {}, expected a list of tasks",
                file.display(),
                describe(node)
            ),
        )
        .at(node.span));
    };
    let shared = Rc::new(scope.clone());
    let mut out = Vec::new();
    for entry in entries {
        if entry.is_none() {
            continue;
        }
        let Data::Mapping(keys) = &entry.data else {
            return Err(Error::new(
                Kind::Parse,
                format!(
                    "The list of tasks contained a {}, expected a task or block",
                    describe(entry)
                ),
            )
            .at(entry.span));
        };
        if keys
            .iter()
            .any(|(key, _)| matches!(key.as_str(), Some("block" | "rescue" | "always")))
        {
            out.push(Item::Block(Rc::new(block(
                loader, entry, scope, role, handlers, file,
            )?)));
        } else {
            task(loader, entry, &shared, role, handlers, file, &mut out)?;
        }
    }
    Ok(out)
}

fn block(
    loader: &Loader,
    node: &Node,
    scope: &Settings,
    role: Option<&Rc<Role>>,
    handlers: bool,
    file: &Path,
) -> Result<Block> {
    let mut settings = scope.clone();
    for (key, value) in pairs(node, "a block")? {
        let name = key_of(key)?;
        check(loader, node, key, name, Place::Block)?;
        inheritable(loader, &mut settings, name, value, "Block")?;
    }
    let Some(body) = node.get("block") else {
        let which = if node.get("rescue").is_some() {
            "rescue"
        } else {
            "always"
        };
        return Err(Error::new(
            Kind::Parse,
            format!("'{which}' keyword cannot be used without 'block'"),
        )
        .at(node.span));
    };
    let section = |name: &str| match node.get(name) {
        Some(node) => items(loader, node, &settings, role, handlers, file),
        None => Ok(Vec::new()),
    };
    Ok(Block {
        span: node.span,
        name: node.get("name").map(Node::to_value),
        body: items(loader, body, &settings, role, handlers, file)?,
        rescue: section("rescue")?,
        always: section("always")?,
        role: None,
    })
}

/// What a task's mapping says, before static imports are carried out.
struct Parts {
    settings: Settings,
    action: Action,
    task: Task,
}

fn task(
    loader: &Loader,
    node: &Node,
    scope: &Rc<Settings>,
    role: Option<&Rc<Role>>,
    handlers: bool,
    file: &Path,
    out: &mut Vec<Item>,
) -> Result<()> {
    let parts = parts(loader, node, scope, role, handlers)?;
    let dir = file.parent().unwrap_or_else(|| Path::new("."));
    match parts.action.resolved.as_str() {
        "import_tasks" => {
            no_loop(&parts.task, "import_tasks")?;
            let named = static_name(loader, &parts, &["file", "_raw_params"], "import_tasks")?;
            let path = loader
                .find_tasks(named.trim(), role.map(Rc::as_ref), dir)
                .map_err(|(error, _)| {
                    error.also_help(format!(
                        "imported at {}",
                        loader.0.sources.locate(node.span)
                    ))
                })?;
            let body = loader.tasks_in(&path, &parts.settings, role, handlers)?;
            out.push(Item::Block(Rc::new(Block {
                span: node.span,
                name: None,
                body,
                rescue: Vec::new(),
                always: Vec::new(),
                role: None,
            })));
        }
        "import_role" => {
            no_loop(&parts.task, "import_role")?;
            let name = static_name(loader, &parts, &["name", "role"], "import_role")?;
            let from = |key: &str| parts.action.args.get(key).map(|value| value.to_str());
            let include =
                super::IncludeRole {
                    name,
                    place: super::load::role_place(&parts.action.args),
                    tasks_from: from("tasks_from"),
                    vars_from: from("vars_from"),
                    defaults_from: from("defaults_from"),
                    handlers_from: from("handlers_from"),
                    public: true,
                    allow_duplicates: parts.action.args.get("allow_duplicates").is_none_or(
                        |value| value.truth() && !matches!(value.as_str(), Some("no" | "false")),
                    ),
                    apply: None,
                };
            let used = role::import(loader, &include, &parts.settings, node.span, role)?;
            if loader.0.options.level.imports_share_variables()
                && let (Some(imported), Some(Value::Dict(own))) =
                    (used.roles.last(), node.get("vars").map(Node::to_value))
            {
                for (key, value) in own.to_vec() {
                    imported.vars.set_key(key, value);
                }
            }
            out.extend(used.items);
        }
        _ => {
            if handlers && parts.task.name.is_none() && parts.task.listen.is_empty() {
                loader.0.sources.note(Notice::hint(format!(
                    "{}: a handler without a name or `listen` is never notified",
                    loader.0.sources.locate(node.span)
                )));
            }
            out.push(Item::Task(Rc::new(Task {
                settings: parts.settings,
                action: parts.action,
                ..parts.task
            })));
        }
    }
    Ok(())
}

fn no_loop(task: &Task, name: &str) -> Result<()> {
    match &task.r#loop {
        Some(repeat) => Err(Error::new(
            Kind::Parse,
            format!(
                "You cannot use loops on '{name}' statements. You should use 'include_{}' instead.",
                &name[7..]
            ),
        )
        .at(repeat.span)),
        None => Ok(()),
    }
}

fn static_name(loader: &Loader, parts: &Parts, keys: &[&str], what: &str) -> Result<String> {
    let Some(named) = keys.iter().find_map(|key| parts.action.args.get(key)) else {
        return Err(Error::new(
            Kind::Parse,
            format!("'{}' is a required field for {what}.", keys[0]),
        )
        .at(parts.action.span));
    };
    (loader.0.options.render)(&named, &parts.settings.vars)
        .map(|name| name.to_str())
        .map_err(|error| {
            Error::new(
                Kind::Parse,
                format!(
                    "Error when evaluating the dynamic path of a static import: {}",
                    error.full_message()
                ),
            )
            .at(parts.action.span)
            .help(format!(
                "use `include_{}` where the name depends on a host's variables",
                &what[7..]
            ))
        })
}

fn parts(
    loader: &Loader,
    node: &Node,
    scope: &Rc<Settings>,
    role: Option<&Rc<Role>>,
    handlers: bool,
) -> Result<Parts> {
    let place = if handlers {
        Place::Handler
    } else {
        Place::Task
    };
    let mut settings = scope.as_ref().clone();
    let mut task = Task {
        id: loader.next_id(),
        span: node.span,
        name: None,
        action: Action {
            name: String::new(),
            span: node.span,
            resolved: String::new(),
            args: Dict::new(),
        },
        settings: Settings::default(),
        scope: scope.clone(),
        r#loop: None,
        loop_control: LoopControl::default(),
        register: None,
        changed_when: Vec::new(),
        failed_when: Vec::new(),
        until: Vec::new(),
        retries: None,
        delay: None,
        listen: Vec::new(),
        is_handler: handlers,
        role: role.cloned(),
        implicit: false,
    };
    let mut actions: Vec<(&Node, &Node, &str)> = Vec::new();
    let mut args: Option<&Node> = None;
    for (key, value) in pairs(node, "a task")? {
        let name = key_of(key)?;
        match name {
            "name" => task.name = Some(value.to_value()).filter(|v| !v.is_none()),
            "args" => args = Some(value),
            "action" | "local_action" => actions.push((key, value, name)),
            "loop" => set_loop(&mut task, None, key, value)?,
            "loop_control" => task.loop_control = loop_control(value)?,
            "register" => task.register = Some(register(value)?),
            "changed_when" => task.changed_when = conditions(value),
            "failed_when" => task.failed_when = conditions(value),
            "until" => task.until = conditions(value),
            "retries" => task.retries = Some(value.to_value()),
            "delay" => task.delay = Some(value.to_value()),
            "listen" if handlers => {
                task.listen = listed(value).iter().map(Value::to_str).collect();
            }
            _ if name.starts_with("with_") => set_loop(&mut task, Some(&name[5..]), key, value)?,
            _ => match keywords::find(name, place) {
                Some(row) if !row.supported => check(loader, node, key, name, place)?,
                Some(_) => {
                    if !inheritable(loader, &mut settings, name, value, place.name())? {
                        return Err(not_valid(loader, node, key, name, place));
                    }
                }
                None => actions.push((key, value, name)),
            },
        }
    }
    let mut action = action(loader, node, &actions, args, place)?;
    if action.name == "local_action" {
        settings.delegate_to = Some(Value::str("localhost"));
        action.name.clone_from(&action.resolved);
    }
    Ok(Parts {
        settings,
        action,
        task,
    })
}

fn conditions(node: &Node) -> Vec<Value> {
    listed(node)
}

fn register(node: &Node) -> Result<String> {
    let valid = node.as_str().filter(|name| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    });
    match valid {
        Some(name) => Ok(name.to_owned()),
        None => Err(Error::new(
            Kind::Parse,
            format!(
                "Invalid variable name in 'register' specified: '{}'",
                node.to_value().to_str()
            ),
        )
        .at(node.span)),
    }
}

fn set_loop(task: &mut Task, with: Option<&str>, key: &Node, value: &Node) -> Result<()> {
    if let Some(known) = &task.r#loop {
        let name = known
            .with
            .as_ref()
            .map_or_else(|| "loop".to_owned(), |with| format!("with_{with}"));
        return Err(
            Error::new(Kind::Parse, format!("duplicate loop in task: {name}")).at(key.span),
        );
    }
    if value.is_none() {
        let name = key.as_str().unwrap_or_default();
        return Err(Error::new(
            Kind::Parse,
            format!("you must specify a value when using {name}"),
        )
        .at(key.span));
    }
    task.r#loop = Some(Loop {
        with: with.map(str::to_owned),
        items: value.to_value(),
        span: value.span,
    });
    Ok(())
}

fn loop_control(node: &Node) -> Result<LoopControl> {
    let mut control = LoopControl::default();
    for (key, value) in pairs(node, "loop_control")? {
        let slot = match key_of(key)? {
            "loop_var" => &mut control.loop_var,
            "index_var" => &mut control.index_var,
            "label" => &mut control.label,
            "pause" => &mut control.pause,
            "extended" => &mut control.extended,
            "extended_allitems" => &mut control.extended_allitems,
            "break_when" => {
                control.break_when = conditions(value);
                continue;
            }
            other => {
                let known = [
                    "loop_var",
                    "index_var",
                    "label",
                    "pause",
                    "extended",
                    "extended_allitems",
                    "break_when",
                ];
                let error = Error::new(
                    Kind::Parse,
                    format!("'{other}' is not a valid attribute for a LoopControl"),
                )
                .at(key.span);
                return Err(match closest(other, known) {
                    Some(near) => error.help(format!("did you mean `{near}`?")),
                    None => error,
                });
            }
        };
        *slot = Some(value.to_value());
    }
    Ok(control)
}

/// Takes the prefixes off that mean Ansible's own collection.
fn short(name: &str) -> &str {
    name.strip_prefix("ansible.builtin.")
        .or_else(|| name.strip_prefix("ansible.legacy."))
        .unwrap_or(name)
}

/// Finds out what a task does.
fn action(
    loader: &Loader,
    node: &Node,
    found: &[(&Node, &Node, &str)],
    extra: Option<&Node>,
    place: Place,
) -> Result<Action> {
    let [(key, value, written)] = found else {
        if found.is_empty() {
            return Err(
                Error::new(Kind::Parse, "no module/action detected in task.").at(node.span),
            );
        }
        let names: Vec<&str> = found.iter().map(|(_, _, name)| *name).collect();
        let known = |name: &str| matches!((loader.0.options.resolve)(name), Resolved::Known(_));
        let error = Error::new(
            Kind::Parse,
            format!("conflicting action statements: {}", names.join(", ")),
        )
        .at(node.span);
        let near = names
            .iter()
            .filter(|name| !known(name))
            .find_map(|name| Some((*name, closest(name, keywords::names(place))?)));
        return Err(match near {
            Some((name, near)) => {
                error.help(format!("`{name}` is no keyword: did you mean `{near}`?"))
            }
            None => error,
        });
    };
    let (mut name, given) = match *written {
        "action" | "local_action" => {
            let (name, args) = action_of(value)?;
            (name, Some(args))
        }
        name => (name.to_owned(), None),
    };
    let lookup = name.clone();
    let resolved = match (loader.0.options.resolve)(&lookup) {
        Resolved::Known(resolved) => resolved,
        Resolved::Unsupported => {
            return Err(Error::new(
                Kind::Unsupported,
                format!("the module '{lookup}' is not supported"),
            )
            .at(key.span));
        }
        Resolved::Unknown(near) => {
            let error = Error::new(
                Kind::Parse,
                format!(
                    "couldn't resolve module/action '{lookup}'. This often indicates a misspelling, missing collection, or incorrect module path."
                ),
            )
            .at(node.span);
            let near = near.or_else(|| closest(&lookup, keywords::names(place)).map(str::to_owned));
            return Err(match near {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error,
            });
        }
    };
    let args = match given {
        Some(args) => args,
        None => free_args(value, short(&name))?,
    };
    if let Some(extra) = extra {
        match &extra.data {
            Data::Mapping(_) => {
                merges_pairs(loader, value, &args);
                if let Value::Dict(more) = extra.to_value() {
                    for (key, value) in more.to_vec() {
                        if args.get_key(&key).is_none() {
                            args.set_key(key, value);
                        }
                    }
                }
            }
            Data::Scalar(Value::Str(text)) if is_template(text) => {
                merges_pairs(loader, value, &args);
                args.set("_variable_params", extra.to_value());
            }
            Data::Scalar(Value::None) => {}
            _ => return Err(loader.0.options.level.no_task_args(node.span, extra.span)),
        }
    }
    if *written == "local_action" {
        "local_action".clone_into(&mut name);
    }
    Ok(Action {
        name,
        span: key.span,
        resolved,
        args,
    })
}

/// Tells of `key=value` arguments beside `args`.
fn merges_pairs(loader: &Loader, value: &Node, args: &Dict) {
    if !matches!(value.data, Data::Scalar(_))
        || !loader.0.options.level.deprecates_pairs_with_args()
    {
        return;
    }
    let names: Vec<String> = args
        .keys()
        .iter()
        .map(|key| key.value().repr())
        .filter(|name| !matches!(name.as_str(), "'_raw_params'" | "'_variable_params'"))
        .collect();
    if !names.is_empty() {
        let message = format!(
            "Merging legacy k=v args ({}) into task args.",
            names.join(", ")
        );
        loader.0.sources.note(
            Notice::deprecation(message, "2.23")
                .at(Some(value.span))
                .help("Include all task args in the task `args` mapping."),
        );
    }
}

/// Warns of variables whose names mean something else.
fn warn_of_reserved(loader: &Loader, vars: &Node) {
    let Data::Mapping(pairs) = &vars.data else {
        return;
    };
    for (key, _) in pairs {
        if let Some(name) = key.as_str()
            && keywords::is_reserved(name, loader.0.options.level)
        {
            let notice = keywords::reserved(name, Some(key.span));
            loader.0.sources.note(notice);
        }
    }
}

/// Reads `action: copy src=a dest=b` and `action: {module: copy, src: a}`.
fn action_of(value: &Node) -> Result<(String, Dict)> {
    match &value.data {
        Data::Scalar(Value::Str(text)) => {
            let trimmed = text.trim();
            let (name, rest) = trimmed
                .split_once(char::is_whitespace)
                .unwrap_or((trimmed, ""));
            let args = args::parse(&placed(text, value.span).like(rest.trim()), short(name))
                .map_err(|message| Error::new(Kind::Parse, message).at(value.span))?;
            Ok((name.to_owned(), args))
        }
        Data::Mapping(_) => {
            let Value::Dict(args) = value.to_value() else {
                return Err(no_action(value));
            };
            let Some(module) = args.remove("module") else {
                return Err(no_action(value));
            };
            if let Some(Value::Dict(more)) = args.get("args") {
                args.remove("args");
                for (key, value) in more.to_vec() {
                    args.set_key(key, value);
                }
            }
            let module = module.to_str();
            let (name, rest) = module
                .split_once(char::is_whitespace)
                .unwrap_or((&module, ""));
            if !rest.trim().is_empty() {
                let more = args::parse(&Str::trusted(rest.trim()), short(name))
                    .map_err(|message| Error::new(Kind::Parse, message).at(value.span))?;
                for (key, value) in more.to_vec() {
                    args.set_key(key, value);
                }
            }
            Ok((name.to_owned(), args))
        }
        _ => Err(no_action(value)),
    }
}

fn no_action(node: &Node) -> Error {
    Error::new(Kind::Parse, "no module/action detected in task.").at(node.span)
}

/// Says whether a text is a template, for all that is known when it is loaded.
fn is_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|open| text.contains(open))
}

/// Gives a scalar's text its origin.
fn placed(text: &Str, span: Span) -> Str {
    text.clone().with_origin(Origin {
        source: span.source,
        offset: span.start,
    })
}

/// Reads the arguments behind a module's name.
fn free_args(value: &Node, module: &str) -> Result<Dict> {
    match &value.data {
        Data::Mapping(pairs) => {
            for (key, _) in pairs {
                key_of(key)?;
            }
            match value.to_value() {
                Value::Dict(args) => Ok(args),
                _ => Ok(Dict::new()),
            }
        }
        Data::Scalar(Value::None) => Ok(Dict::new()),
        Data::Scalar(Value::Str(text)) => {
            args::parse(&placed(text, value.span), module)
                .map_err(|message| {
                    Error::new(Kind::Parse, message).at(value.span)
                })
                .and_then(|args| {
                    if args.contains("_raw_params") && !args::FREE_FORM.contains(&module) && !module.contains('.') {
                        let text = args.get("_raw_params").map(|v| v.to_str()).unwrap_or_default();
                        if is_template(&text) {
                            args.remove("_raw_params");
                            args.set("_variable_params", Value::Str(placed(&Str::trusted(text), value.span)));
                            return Ok(args);
                        }
                        return Err(Error::new(
                            Kind::Parse,
                            format!("this task '{module}' has extra params, which is only allowed in the following modules: command, import_role, import_tasks, include_role, include_tasks, include_vars, meta, raw, script, shell"),
                        )
                        .at(value.span));
                    }
                    Ok(args)
                })
        }
        Data::Scalar(other) if args::FREE_FORM.contains(&module) => {
            let args = Dict::new();
            args.set("_raw_params", other.to_str());
            Ok(args)
        }
        _ => Err(Error::new(
            Kind::Parse,
            format!("unexpected parameter type in action: {}", describe(value)),
        )
        .at(value.span)),
    }
}

/// Applies an include's `apply:` keywords to what its tasks inherit.
pub(super) fn apply(loader: &Loader, settings: &mut Settings, task: &Task) -> Result<()> {
    let Some(Value::Dict(keywords)) = task.action.args.get("apply") else {
        return Ok(());
    };
    for (key, value) in keywords.to_vec() {
        let name = key.as_str().unwrap_or_default().to_owned();
        let node = node_of(&value, task.span);
        if keywords::find(&name, Place::Block).is_none()
            || !inheritable(loader, settings, &name, &node, "Block")?
        {
            return Err(Error::new(
                Kind::Parse,
                format!("'{name}' is not a valid attribute for a Block"),
            )
            .at(task.span));
        }
    }
    Ok(())
}

/// Makes a node of a value, so that values that came as arguments are read as keywords are.
fn node_of(value: &Value, span: Span) -> Node {
    let data = match value {
        Value::List(items) => Data::Sequence(
            items
                .to_vec()
                .iter()
                .map(|item| node_of(item, span))
                .collect(),
        ),
        Value::Dict(dict) => Data::Mapping(
            dict.to_vec()
                .into_iter()
                .map(|(key, value): (Key, Value)| {
                    (node_of(key.value(), span), node_of(&value, span))
                })
                .collect(),
        ),
        leaf => Data::Scalar(leaf.clone()),
    };
    Node { span, data }
}
