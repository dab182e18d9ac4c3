//! Reading and writing objects: from a request's path to the answer.

use super::auth::{Attempt, Auth, User};
use super::conform::conform;
use super::fields::{self, Manager};
use super::http::{Request, Response};
use super::kinds::{self, Kind};
use super::schema::short_name;
use super::status::Failure;
use super::store::{State, key};
use super::{Shared, defaults, patch, table, validate, watch};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// How long a deleted namespace is still there, Terminating.
const NAMESPACE_LINGERS: Duration = Duration::from_millis(400);
const JSON: [&str; 1] = ["application/json"];
const PATCHES: [&str; 4] = [
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
];

/// What a path names: a kind's collection, or one object of it.
pub(crate) struct Target {
    pub(crate) kind: &'static Kind,
    /// Empty for cluster-wide kinds and for a collection over all namespaces.
    pub(crate) namespace: String,
    /// Empty for a collection.
    pub(crate) name: String,
    /// `status`, `finalize` or empty.
    subresource: String,
}

/// How a write is to be done.
struct Write<'a> {
    target: &'a Target,
    manager: Manager,
    dry: bool,
    shared: &'a Shared,
}

type Answer = Result<Response, Failure>;

/// Makes the namespaces that every cluster has.
pub(crate) fn bootstrap(shared: &Shared) {
    let kind = kinds::find("", "v1", "namespaces").expect("the table has namespaces");
    for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
        let target = Target {
            kind,
            namespace: String::new(),
            name: String::new(),
            subresource: String::new(),
        };
        let manager = Manager::update("kube-apiserver", kind);
        let write = Write {
            target: &target,
            manager,
            dry: false,
            shared,
        };
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let (object, _) = conform(&shared.schema, kind.definition, &object).expect("a namespace");
        write.create(object).expect("the store is empty");
    }
}

/// Answers a request for objects.
pub(crate) fn handle(request: &Request, user: &User, shared: &Arc<Shared>) -> Answer {
    let target = route(&request.path).ok_or_else(|| not_routed(&request.path))?;
    let collection = target.name.is_empty();
    let verb = match (request.method.as_str(), collection) {
        ("GET", false) => "get",
        ("GET", true) if request.flag("watch") => "watch",
        ("GET", true) => "list",
        ("POST", true) => "create",
        ("PUT", false) => "update",
        ("PATCH", false) => "patch",
        ("DELETE", false) => "delete",
        ("DELETE", true) => "deletecollection",
        _ => return Err(Failure::method_not_allowed()),
    };
    // A namespace counts as being inside itself.
    let namespace = if target.kind.plural == "namespaces" {
        &target.name
    } else {
        &target.namespace
    };
    Auth::authorize(
        user,
        &Attempt {
            verb,
            kind: target.kind,
            subresource: &target.subresource,
            namespace,
            name: &target.name,
        },
    )?;
    match verb {
        "get" => get(request, &target, shared),
        "list" => list(request, &target, shared),
        "watch" => Ok(watch::start(request, target, shared)),
        "create" | "update" | "patch" => write(verb, request, &target, shared),
        "deletecollection" if target.kind.kind == "Namespace" => Err(Failure::method_not_allowed()),
        _ => delete(request, &target, shared),
    }
}

/// Reads a path. `None` where there is no such kind.
fn route(path: &str) -> Option<Target> {
    let (group, version, rest) = if let Some(rest) = path.strip_prefix("/api/") {
        let (version, rest) = rest.split_once('/')?;
        ("", version, rest)
    } else {
        let mut parts = path.strip_prefix("/apis/")?.splitn(3, '/');
        (parts.next()?, parts.next()?, parts.next()?)
    };
    let parts: Vec<&str> = rest.trim_end_matches('/').split('/').collect();
    let (namespace, parts) = match parts.as_slice() {
        ["namespaces", namespace, plural, ..] if !matches!(*plural, "status" | "finalize") => {
            (*namespace, &parts[2..])
        }
        _ => ("", &parts[..]),
    };
    let kind = kinds::find(group, version, parts.first()?)?;
    let name = parts.get(1).copied().unwrap_or_default();
    let subresource = parts.get(2).copied().unwrap_or_default();
    let known = matches!(
        (subresource, kind.kind),
        ("" | "status", _) | ("finalize", "Namespace")
    );
    let placed = kind.namespaced != namespace.is_empty() || (kind.namespaced && name.is_empty());
    (known && placed && parts.len() <= 3).then(|| Target {
        kind,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        subresource: subresource.to_owned(),
    })
}

fn not_routed(path: &str) -> Failure {
    let mut failure = Failure::no_such_resource();
    if path.starts_with("/api") {
        failure.details = json!({});
    }
    failure
}

fn get(request: &Request, target: &Target, shared: &Shared) -> Answer {
    let state = shared.store.lock();
    let object = state.get(&key(target.kind, &target.namespace, &target.name));
    let object = object.ok_or_else(|| Failure::not_found(target.kind, &target.name))?;
    Ok(match table::wanted(request) {
        Some(version) => Response::json(
            200,
            &table::render(
                target.kind,
                std::slice::from_ref(&object),
                object["metadata"]["resourceVersion"].as_str(),
                version,
            ),
        ),
        None => Response::json(200, object),
    })
}

fn list(request: &Request, target: &Target, shared: &Shared) -> Answer {
    let state = shared.store.lock();
    let selection = watch::Selection::new(request, target).map_err(Failure::bad_request)?;
    let items: Vec<&Value> = state
        .list(target.kind, &target.namespace)
        .filter(|object| selection.takes(object))
        .collect();
    let version = state.version().to_string();
    if let Some(stage) = table::wanted(request) {
        return Ok(Response::json(
            200,
            &table::render(target.kind, &items, Some(&version), stage),
        ));
    }
    let items: Vec<Value> = items
        .into_iter()
        .map(|object| {
            let mut object = object.clone();
            if let Some(object) = object.as_object_mut() {
                object.shift_remove("kind");
                object.shift_remove("apiVersion");
            }
            object
        })
        .collect();
    let kind = target.kind;
    Ok(Response::json(
        200,
        &json!({"kind": format!("{}List", kind.kind), "apiVersion": kind.api_version(), "metadata": {"resourceVersion": version}, "items": items}),
    ))
}

fn write(verb: &str, request: &Request, target: &Target, shared: &Shared) -> Answer {
    let dry = match request.query("dryRun") {
        None | Some("") => false,
        Some("All") => true,
        Some(other) => {
            return Err(Failure::bad_request(format!(
                "dryRun: Unsupported value: {other:?}: supported values: \"All\""
            )));
        }
    };
    let content_type = request
        .header("content-type")
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    let accepted: &[&str] = if verb == "patch" { &PATCHES } else { &JSON };
    let unsaid = content_type.is_empty() && verb != "patch";
    if !unsaid && !accepted.contains(&content_type) {
        return Err(Failure::unsupported_media_type(content_type, accepted));
    }
    let body = read_body(&request.body, content_type)?;
    let operation = if content_type == PATCHES[3] {
        "Apply"
    } else {
        "Update"
    };
    let manager = Manager::new(manager_name(request), operation, target.kind);
    let write = Write {
        target,
        manager,
        dry,
        shared,
    };
    let mut warnings = Vec::new();
    let (status, object) = match verb {
        "patch" if operation == "Apply" => write.apply(request, &body, &mut warnings)?,
        "patch" => (
            200,
            write.patch(request, &body, content_type, &mut warnings)?,
        ),
        _ => {
            let object = write.read(request, &body, &mut warnings)?;
            if verb == "create" {
                (201, write.create(object)?)
            } else {
                write.update(object)?
            }
        }
    };
    let mut response = Response::json(status, &object);
    response.warnings = warnings;
    Ok(response)
}

fn read_body(body: &[u8], content_type: &str) -> Result<Value, Failure> {
    let yaml = content_type.ends_with("+yaml");
    match serde_json::from_slice(body) {
        Ok(value) => Ok(value),
        Err(_) if yaml => serde_yaml::from_slice(body)
            .map_err(|error| Failure::bad_request(format!("error decoding YAML: {error}"))),
        Err(error) => Err(Failure::bad_request(format!(
            "couldn't get version/kind; json parse error: {error}"
        ))),
    }
}

/// Returns the name under which the server notes who owns fields.
fn manager_name(request: &Request) -> String {
    match request.query("fieldManager") {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => match request.header("user-agent").split('/').next() {
            Some(agent) if !agent.is_empty() => agent.to_owned(),
            _ => "unknown".to_owned(),
        },
    }
}

impl Write<'_> {
    /// Reads an object from a body: type, fields, namespace.
    fn read(
        &self,
        request: &Request,
        body: &Value,
        warnings: &mut Vec<String>,
    ) -> Result<Value, Failure> {
        let Target {
            kind,
            namespace,
            name,
            ..
        } = self.target;
        let api_version = kind.api_version();
        let mut body = body.clone();
        let Some(top) = body.as_object_mut() else {
            return Err(Failure::bad_request(
                "couldn't get version/kind; json parse error: json: cannot unmarshal into Go value of type struct",
            ));
        };
        for (field, wanted) in [("kind", kind.kind), ("apiVersion", &api_version)] {
            let given = top.get(field).and_then(Value::as_str).unwrap_or_default();
            if given.is_empty() {
                top.insert(field.to_owned(), wanted.into());
            } else if given != wanted {
                let got_kind = top
                    .get("kind")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned();
                let got_version = top
                    .get("apiVersion")
                    .and_then(Value::as_str)
                    .unwrap_or(&api_version);
                let version = got_version.rsplit('/').next().unwrap_or_default();
                let message = if field == "kind" {
                    format!(
                        "{got_kind} in version {version:?} cannot be handled as a {}: no kind {got_kind:?} is registered for version {got_version:?}",
                        kind.kind
                    )
                } else {
                    format!(
                        "the API version in the data ({given}) does not match the expected API version ({wanted})"
                    )
                };
                return Err(Failure::bad_request(message));
            }
        }
        let mut object = self.conformed(request, &body, warnings)?;
        let metadata = &mut object["metadata"];
        if kind.namespaced {
            let given = metadata["namespace"].as_str().unwrap_or_default();
            if !given.is_empty() && given != namespace {
                return Err(Failure::bad_request(
                    "the namespace of the provided object does not match the namespace sent on the request",
                ));
            }
            metadata["namespace"] = namespace.as_str().into();
        } else if let Some(metadata) = metadata.as_object_mut() {
            metadata.shift_remove("namespace");
        }
        let given = object["metadata"]["name"].as_str().unwrap_or_default();
        if !name.is_empty() && !given.is_empty() && given != name {
            return Err(Failure::bad_request(format!(
                "the name of the object ({given}) does not match the name on the URL ({name})"
            )));
        }
        Ok(object)
    }

    /// Gives an object its normal form; refuses or reports unknown fields as the request wishes.
    fn conformed(
        &self,
        request: &Request,
        object: &Value,
        warnings: &mut Vec<String>,
    ) -> Result<Value, Failure> {
        let kind = self.target.kind;
        let patching = request.method == "PATCH" && self.manager.operation() == "Update";
        let context = format!(
            "{} in version {:?} cannot be handled as a {}: ",
            kind.kind,
            kind.version,
            short_name(kind.definition, 1)
        );
        let (object, unknown) =
            conform(&self.shared.schema, kind.definition, object).map_err(|why| {
                if patching {
                    Failure::bad_patch(object, &why)
                } else {
                    Failure::bad_request(format!("{context}{why}"))
                }
            })?;
        if unknown.is_empty() || self.shared.version.minor < 25 {
            return Ok(object);
        }
        let unknown: Vec<String> = unknown
            .iter()
            .map(|path| format!("unknown field {path:?}"))
            .collect();
        match request.query("fieldValidation").unwrap_or("Warn") {
            "Strict" => {
                let context = if patching { "" } else { &context };
                Err(Failure::bad_request(format!(
                    "{context}strict decoding error: {}",
                    unknown.join(", ")
                )))
            }
            "Ignore" => Ok(object),
            _ => {
                warnings.extend(unknown);
                Ok(object)
            }
        }
    }

    fn create(&self, mut object: Value) -> Result<Value, Failure> {
        let Target {
            kind, namespace, ..
        } = self.target;
        let mut state = self.shared.store.lock();
        if kind.namespaced {
            namespace_accepts(&state, kind, &object, namespace)?;
        }
        let metadata = &mut object["metadata"];
        if metadata["resourceVersion"]
            .as_str()
            .is_some_and(|version| !version.is_empty())
        {
            return Err(Failure::new(
                500,
                "InternalError",
                "resourceVersion should not be set on objects to be created",
            ));
        }
        if metadata["name"].as_str().unwrap_or_default().is_empty()
            && !metadata["generateName"].is_null()
        {
            let prefix = metadata["generateName"].as_str().unwrap_or_default();
            metadata["name"] = format!("{prefix}{:05x}", state.next_serial()).into();
        }
        let name = metadata["name"].as_str().unwrap_or_default().to_owned();
        let serial = state.next_serial();
        metadata["uid"] = format!("{serial:08x}-0000-4000-8000-{:012x}", std::process::id()).into();
        metadata["creationTimestamp"] = fields::now().into();
        if kind.generation {
            metadata["generation"] = 1.into();
        } else if let Some(metadata) = metadata.as_object_mut() {
            metadata.shift_remove("generation");
        }
        if kind.kind == "Namespace" && self.shared.version.minor >= 21 {
            metadata["labels"]["kubernetes.io/metadata.name"] = name.as_str().into();
        }
        self.reset_status(&mut object, None)?;
        defaults::fill(kind, &mut object, None);
        fields::track(&self.shared.schema, kind, None, &mut object, &self.manager);
        defaults::allocate(kind, &mut object, None, &mut state);
        let errors = validate::check(kind, &object, None);
        if !errors.is_empty() {
            return Err(Failure::invalid(kind, &name, &errors));
        }
        let key = key(kind, namespace, &name);
        if state.get(&key).is_some() {
            return Err(Failure::already_exists(kind, &name));
        }
        if self.dry {
            return Ok(tidy(object));
        }
        let stored = state.put(key, tidy(object));
        drop(state);
        self.shared.store.announce();
        Ok(stored)
    }

    fn update(&self, object: Value) -> Result<(u16, Value), Failure> {
        let Target {
            kind,
            namespace,
            name,
            ..
        } = self.target;
        let key = key(kind, namespace, name);
        let mut state = self.shared.store.lock();
        let old = state
            .get(&key)
            .cloned()
            .ok_or_else(|| Failure::not_found(kind, name))?;
        self.replace(&mut state, old, object)
            .map(|object| (200, object))
    }

    fn patch(
        &self,
        request: &Request,
        body: &Value,
        content_type: &str,
        warnings: &mut Vec<String>,
    ) -> Result<Value, Failure> {
        let Target {
            kind,
            namespace,
            name,
            ..
        } = self.target;
        let key = key(kind, namespace, name);
        let mut state = self.shared.store.lock();
        let old = state
            .get(&key)
            .cloned()
            .ok_or_else(|| Failure::not_found(kind, name))?;
        let mut patched = old.clone();
        let schema = &self.shared.schema;
        match content_type {
            "application/merge-patch+json" => patch::json_merge(&mut patched, body),
            "application/json-patch+json" => {
                patch::json_patch(&mut patched, body).map_err(|why| {
                    Failure::new(
                        422,
                        "Invalid",
                        format!(
                            "the server rejected our request due to an error in our request: {why}"
                        ),
                    )
                })?;
            }
            _ => patch::strategic(schema, kind.definition, &mut patched, body)
                .map_err(Failure::bad_request)?,
        }
        let patched = self.conformed(request, &patched, warnings)?;
        self.replace(&mut state, old, patched)
    }

    fn apply(
        &self,
        request: &Request,
        body: &Value,
        warnings: &mut Vec<String>,
    ) -> Result<(u16, Value), Failure> {
        let Target {
            kind,
            namespace,
            name,
            ..
        } = self.target;
        let key = key(kind, namespace, name);
        if request.query("fieldManager").unwrap_or_default().is_empty() {
            return Err(Failure::new(
                422,
                "Invalid",
                "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch",
            ));
        }
        if !body["metadata"]["managedFields"].is_null() {
            return Err(Failure::bad_request("metadata.managedFields must be nil"));
        }
        self.read(request, body, warnings)?;
        let old = self.shared.store.lock().get(&key).cloned();
        let force = request.flag("force");
        let schema = &self.shared.schema;
        let (merged, owned) =
            fields::apply(schema, kind, old.as_ref(), body, &self.manager, force)?;
        let (object, _) =
            conform(schema, kind.definition, &merged).map_err(Failure::bad_request)?;
        let mut object = object;
        object["metadata"]["managedFields"] = owned;
        if kind.namespaced {
            object["metadata"]["namespace"] = namespace.as_str().into();
        }
        match old {
            None => Ok((201, self.create(object)?)),
            Some(old) => {
                let mut state = self.shared.store.lock();
                self.replace(&mut state, old, object)
                    .map(|object| (200, object))
            }
        }
    }

    /// Stores `new` in `old`'s place unless nothing changed.
    fn replace(&self, state: &mut State, old: Value, mut new: Value) -> Result<Value, Failure> {
        let Target {
            kind,
            namespace,
            name,
            subresource,
        } = self.target;
        let (before, metadata) = (&old["metadata"], &mut new["metadata"]);
        let given = metadata["resourceVersion"].as_str().unwrap_or_default();
        if !given.is_empty() && before["resourceVersion"] != given {
            return Err(Failure::modified(kind, name));
        }
        if let Some(uid) = metadata["uid"]
            .as_str()
            .filter(|uid| !uid.is_empty() && before["uid"] != **uid)
        {
            let why = format!(
                "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
                before["uid"].as_str().unwrap_or_default()
            );
            return Err(Failure::conflict(kind, name, &why));
        }
        for field in [
            "name",
            "namespace",
            "uid",
            "creationTimestamp",
            "generation",
            "resourceVersion",
        ] {
            match &before[field] {
                Value::Null => drop(
                    metadata
                        .as_object_mut()
                        .and_then(|metadata| metadata.shift_remove(field)),
                ),
                value => metadata[field] = value.clone(),
            }
        }
        if metadata["managedFields"].is_null() && !before["managedFields"].is_null() {
            metadata["managedFields"] = before["managedFields"].clone();
        }
        self.reset_status(&mut new, Some(&old))?;
        if subresource.is_empty() {
            defaults::fill(kind, &mut new, Some(&old));
        } else {
            keep_all_but(subresource, &old, &mut new);
        }
        fields::track(
            &self.shared.schema,
            kind,
            Some(&old),
            &mut new,
            &self.manager,
        );
        if subresource.is_empty() {
            defaults::allocate(kind, &mut new, Some(&old), state);
        }
        let errors = validate::check(kind, &new, Some(&old));
        if !errors.is_empty() {
            return Err(Failure::invalid(kind, name, &errors));
        }
        if kind.generation && new["spec"] != old["spec"] {
            let generation = old["metadata"]["generation"].as_u64().unwrap_or(0) + 1;
            new["metadata"]["generation"] = generation.into();
        }
        let new = tidy(new);
        if fields::same(&old, &new) {
            return Ok(old);
        }
        if self.dry {
            return Ok(new);
        }
        let finalized = subresource == "finalize" && new["spec"]["finalizers"].is_null();
        let stored = state.put(key(kind, namespace, name), new);
        if finalized && !stored["metadata"]["deletionTimestamp"].is_null() {
            remove_namespace(state, name);
        }
        self.shared.store.announce();
        Ok(stored)
    }

    /// A status comes from controllers, by way of the status subresource only.
    fn reset_status(&self, object: &mut Value, old: Option<&Value>) -> Result<(), Failure> {
        let kind = self.target.kind;
        let definition = self.shared.schema.get(kind.definition);
        if self.target.subresource == "status" || definition.field("status").is_none() {
            return Ok(());
        }
        if let Some(top) = object.as_object_mut() {
            top.shift_remove("status");
        }
        *object = conform(&self.shared.schema, kind.definition, object)
            .map_err(Failure::bad_request)?
            .0;
        if let Some(status) = old
            .map(|old| &old["status"])
            .filter(|status| !status.is_null())
        {
            object["status"] = status.clone();
        }
        Ok(())
    }
}

/// Puts the object's members in the order in which the real server writes them.
fn tidy(object: Value) -> Value {
    let Value::Object(mut object) = object else {
        return object;
    };
    let mut ordered = serde_json::Map::new();
    for first in ["kind", "apiVersion", "metadata"] {
        if let Some(value) = object.shift_remove(first) {
            ordered.insert(first.to_owned(), value);
        }
    }
    ordered.extend(object);
    Value::Object(ordered)
}

/// Keeps everything of `old` that the subresource doesn't write.
fn keep_all_but(subresource: &str, old: &Value, new: &mut Value) {
    let (status, finalizers) = (new["status"].clone(), new["spec"]["finalizers"].clone());
    let managed = new["metadata"]["managedFields"].clone();
    *new = old.clone();
    new["metadata"]["managedFields"] = managed;
    if subresource == "finalize" {
        if let Some(spec) = new["spec"].as_object_mut() {
            spec.shift_remove("finalizers");
            if !finalizers.is_null() {
                spec.insert("finalizers".to_owned(), finalizers);
            }
        }
    } else {
        new["status"] = status;
    }
}

fn namespace_accepts(
    state: &State,
    kind: &Kind,
    object: &Value,
    namespace: &str,
) -> Result<(), Failure> {
    let namespaces = kinds::find("", "v1", "namespaces").expect("the table has namespaces");
    match state.get(&key(namespaces, "", namespace)) {
        None => Err(Failure::not_found(namespaces, namespace)),
        Some(home) if !home["metadata"]["deletionTimestamp"].is_null() => {
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            let why = format!(
                "unable to create new content in namespace {namespace} because it is being terminated"
            );
            Err(Failure::forbidden(kind, name, &why))
        }
        Some(_) => Ok(()),
    }
}

fn delete(request: &Request, target: &Target, shared: &Arc<Shared>) -> Answer {
    let options: Value = if request.body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&request.body).unwrap_or_default()
    };
    let dry = request.query("dryRun") == Some("All") || options["dryRun"][0] == "All";
    let mut state = shared.store.lock();
    let kind = target.kind;
    if target.name.is_empty() {
        let selection = watch::Selection::new(request, target).map_err(Failure::bad_request)?;
        let names: Vec<(String, String)> = state
            .list(kind, &target.namespace)
            .filter(|object| selection.takes(object))
            .map(|object| {
                let part = |field: &str| {
                    object["metadata"][field]
                        .as_str()
                        .unwrap_or_default()
                        .to_owned()
                };
                (part("namespace"), part("name"))
            })
            .collect();
        for (namespace, name) in names.iter().filter(|_| !dry) {
            state.remove(&key(kind, namespace, name));
        }
        drop(state);
        shared.store.announce();
        return Ok(Response::json(
            200,
            &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}),
        ));
    }
    let object = state
        .get(&key(kind, &target.namespace, &target.name))
        .cloned();
    let object = object.ok_or_else(|| Failure::not_found(kind, &target.name))?;
    for (field, label) in [("uid", "UID"), ("resourceVersion", "ResourceVersion")] {
        let wanted = &options["preconditions"][field];
        if !wanted.is_null() && *wanted != object["metadata"][field] {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let why = format!(
                "Precondition failed: {label} in precondition: {}, {label} in object meta: {}",
                text(wanted),
                text(&object["metadata"][field])
            );
            return Err(Failure::conflict(kind, &target.name, &why));
        }
    }
    if kind.kind == "Namespace"
        && ["default", "kube-public", "kube-system"].contains(&target.name.as_str())
    {
        return Err(Failure::forbidden(
            kind,
            &target.name,
            "this namespace may not be deleted",
        ));
    }
    let mut answer = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": {"name": target.name, "group": kind.group, "kind": kind.plural, "uid": object["metadata"]["uid"]},
    });
    if kind.group.is_empty()
        && let Some(details) = answer["details"].as_object_mut()
    {
        details.shift_remove("group");
    }
    if kind.kind == "Namespace" {
        answer = object;
        answer["metadata"]["deletionTimestamp"] = fields::now().into();
        answer["status"]["phase"] = "Terminating".into();
        if !dry {
            answer = state.put(key(kind, "", &target.name), answer);
            finish_later(Arc::clone(shared), target.name.clone());
        }
    } else if !dry {
        state.remove(&key(kind, &target.namespace, &target.name));
    }
    drop(state);
    shared.store.announce();
    Ok(Response::json(200, &answer))
}

/// Removes a namespace a moment later, as its controller would: `kubectl delete -f` of a file that has the
/// namespace first still finds the rest.
fn finish_later(shared: Arc<Shared>, name: String) {
    std::thread::spawn(move || {
        std::thread::sleep(NAMESPACE_LINGERS);
        remove_namespace(&mut shared.store.lock(), &name);
        shared.store.announce();
    });
}

/// Does the namespace controller's work: everything in the namespace goes with it.
fn remove_namespace(state: &mut State, name: &str) {
    let inside: Vec<_> = state
        .all()
        .map(|(key, _)| key)
        .filter(|key| key.2 == name)
        .cloned()
        .collect();
    for key in inside {
        state.remove(&key);
    }
    let namespaces = kinds::find("", "v1", "namespaces").expect("the table has namespaces");
    state.remove(&key(namespaces, "", name));
}
