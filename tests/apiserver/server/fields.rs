//! Who owns which field: `metadata.managedFields`, and server-side apply with its conflicts.
//!
//! A field's place is a path of elements in the notation of `fieldsV1`: `f:NAME` for a member,
//! `k:{KEYS}` for a list's item, `v:VALUE` for a set's. A set of such paths is what a manager owns.
//!
//! **Source:** the Kubernetes documentation "Server-Side Apply", and the `managedFields` that
//! kube-apiserver 1.20 writes.

use super::conform::conform;
use super::kinds::Kind;
use super::schema::{Definition, Field, ListType, Schema, Type};
use super::status::Failure;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

type Path = Vec<String>;
type Set = BTreeSet<Path>;

/// Members of the metadata that nobody owns.
const UNOWNED: [&str; 9] = [
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "resourceVersion",
    "generation",
    "managedFields",
    "deletionTimestamp",
];

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Somebody who writes: the client's name for itself, and how it writes.
#[derive(Clone, PartialEq)]
pub(crate) struct Manager {
    name: String,
    /// `Update` or `Apply`.
    operation: String,
    api_version: String,
}

/// A manager with what it owns.
struct Owner {
    manager: Manager,
    time: String,
    owned: Set,
}

/// How two objects differ.
#[derive(Default)]
struct Changes {
    added: Set,
    modified: Set,
    removed: Set,
}

/// How ownership sees a value.
#[derive(Clone, Copy)]
enum Shape<'a> {
    /// One unit: a plain value, or an atomic list or map.
    Leaf,
    Object(&'a Definition),
    Map(&'a Type),
    /// A list whose items are told apart by those members.
    Keyed(&'a Type, &'a [String]),
    Set,
}

/// Returns the present time as the API writes it.
pub(crate) fn now() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}

/// Says whether two objects are equal but for the times in their `managedFields`.
pub(crate) fn same(old: &Value, new: &Value) -> bool {
    let plain = |object: &Value| {
        let mut object = object.clone();
        for entry in object["metadata"]["managedFields"]
            .as_array_mut()
            .into_iter()
            .flatten()
        {
            entry["time"] = Value::Null;
        }
        object
    };
    plain(old) == plain(new)
}

impl Manager {
    /// Makes the manager of an operation on objects of that kind.
    pub(crate) fn new(name: String, operation: &str, kind: &Kind) -> Self {
        Self {
            name,
            operation: operation.to_owned(),
            api_version: kind.api_version(),
        }
    }

    /// Returns `Update` or `Apply`.
    pub(crate) fn operation(&self) -> &str {
        &self.operation
    }

    /// Makes a manager that updates.
    pub(crate) fn update(name: &str, kind: &Kind) -> Self {
        Self::new(name.to_owned(), "Update", kind)
    }
}

impl<'a> Shape<'a> {
    fn of_field(schema: &'a Schema, field: &'a Field) -> Self {
        match (&field.ty, &field.list, &field.merge) {
            (_, ListType::Atomic, _) => Self::Leaf,
            (Type::List(item), ListType::Map(keys), _) => Self::Keyed(item, keys),
            (Type::List(item), ListType::Default, Some(key)) if !key.is_empty() => {
                Self::Keyed(item, std::slice::from_ref(key))
            }
            (Type::List(_), ListType::Set, _) | (Type::List(_), ListType::Default, Some(_)) => {
                Self::Set
            }
            (ty, _, _) => Self::of(schema, ty),
        }
    }

    fn of(schema: &'a Schema, ty: &'a Type) -> Self {
        match ty {
            Type::Ref(name) if !schema.get(name).atomic => Self::Object(schema.get(name)),
            Type::Map(item) => Self::Map(item),
            _ => Self::Leaf,
        }
    }

    /// Lists a value's parts by their path elements; `None` for a leaf.
    fn parts<'v>(
        self,
        schema: &'a Schema,
        value: &'v Value,
    ) -> Option<Vec<(String, Shape<'a>, &'v Value)>> {
        let members = || value.as_object().into_iter().flatten();
        let items = || value.as_array().into_iter().flatten();
        Some(match self {
            Self::Leaf => return None,
            Self::Object(definition) => members()
                .filter_map(|(name, value)| {
                    Some((
                        format!("f:{name}"),
                        Self::of_field(schema, definition.field(name)?),
                        value,
                    ))
                })
                .collect(),
            Self::Map(item) => members()
                .map(|(name, value)| (format!("f:{name}"), Self::of(schema, item), value))
                .collect(),
            Self::Keyed(item, keys) => items()
                .map(|value| (key_element(keys, value), Self::of(schema, item), value))
                .collect(),
            Self::Set => items()
                .map(|value| (format!("v:{value}"), Self::Leaf, value))
                .collect(),
        })
    }

    /// Says whether each part is owned as such, besides what is in it.
    fn owns_parts(self) -> bool {
        matches!(self, Self::Map(_) | Self::Keyed(..) | Self::Set)
    }
}

fn key_element(keys: &[String], item: &Value) -> String {
    let mut sorted: Vec<&String> = keys.iter().collect();
    sorted.sort();
    let mut members = Map::new();
    for key in sorted {
        let value = match &item[key.as_str()] {
            Value::Null if key == "protocol" => "TCP".into(),
            value => value.clone(),
        };
        members.insert(key.clone(), value);
    }
    format!("k:{}", Value::Object(members))
}

fn extended(path: &[String], element: String) -> Path {
    let mut path = path.to_vec();
    path.push(element);
    path
}

/// Removes what belongs to no one.
fn stripped(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(top) = object.as_object_mut() {
        top.shift_remove("apiVersion");
        top.shift_remove("kind");
        if let Some(metadata) = top.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.retain(|name, _| !UNOWNED.contains(&name.as_str()));
        }
    }
    object
}

/// Collects the fields that a value states.
fn stated(schema: &Schema, shape: Shape<'_>, value: &Value, path: &[String], out: &mut Set) {
    let Some(parts) = shape.parts(schema, value) else {
        out.insert(path.to_vec());
        return;
    };
    for (element, inner, part) in parts {
        let path = extended(path, element);
        let empty = part.is_null() || part.as_object().is_some_and(Map::is_empty);
        if empty || shape.owns_parts() {
            out.insert(path.clone());
        }
        if !part.is_null() {
            stated(schema, inner, part, &path, out);
        }
    }
}

fn compare(
    schema: &Schema,
    shape: Shape<'_>,
    old: Option<&Value>,
    new: Option<&Value>,
    path: &[String],
    out: &mut Changes,
) {
    match (old, new) {
        (None, Some(_)) => drop(out.added.insert(path.to_vec())),
        (Some(_), None) => drop(out.removed.insert(path.to_vec())),
        _ => {}
    }
    let parts = |value: Option<&'_ Value>| {
        value.and_then(|value| {
            shape.parts(schema, value).map(|parts| {
                parts
                    .into_iter()
                    .map(|(element, shape, value)| (element, (shape, value.clone())))
                    .collect::<BTreeMap<_, _>>()
            })
        })
    };
    if matches!(shape, Shape::Leaf) {
        if let (Some(old), Some(new)) = (old, new)
            && old != new
        {
            out.modified.insert(path.to_vec());
        }
        return;
    }
    let (before, after) = (
        parts(old).unwrap_or_default(),
        parts(new).unwrap_or_default(),
    );
    for (element, (inner, value)) in &after {
        let previous = before.get(element).map(|(_, value)| value);
        compare(
            schema,
            *inner,
            previous,
            Some(value),
            &extended(path, element.clone()),
            out,
        );
    }
    for (element, (inner, value)) in before
        .iter()
        .filter(|(element, _)| !after.contains_key(*element))
    {
        compare(
            schema,
            *inner,
            Some(value),
            None,
            &extended(path, element.clone()),
            out,
        );
    }
}

fn owners(object: &Value) -> Vec<Owner> {
    let text = |entry: &Value, field: &str| entry[field].as_str().unwrap_or_default().to_owned();
    let entries = object["metadata"]["managedFields"]
        .as_array()
        .into_iter()
        .flatten();
    entries
        .filter(|entry| entry["manager"].is_string())
        .map(|entry| {
            let mut owned = Set::new();
            read_fields(&entry["fieldsV1"], &[], &mut owned);
            let manager = Manager {
                name: text(entry, "manager"),
                operation: text(entry, "operation"),
                api_version: text(entry, "apiVersion"),
            };
            Owner {
                manager,
                time: text(entry, "time"),
                owned,
            }
        })
        .collect()
}

fn read_fields(fields: &Value, path: &[String], out: &mut Set) {
    let Some(fields) = fields.as_object() else {
        return;
    };
    if fields.is_empty() && !path.is_empty() {
        out.insert(path.to_vec());
    }
    for (element, inner) in fields {
        if element == "." {
            out.insert(path.to_vec());
        } else {
            read_fields(inner, &extended(path, element.clone()), out);
        }
    }
}

/// Writes a set as `fieldsV1`.
fn write_fields(set: &Set) -> Value {
    let mut root = json!({});
    for path in set {
        let mut node = &mut root;
        for element in path {
            if node.get(element).is_none() {
                node[element] = json!({});
            }
            node = &mut node[element];
        }
    }
    // A node that is owned and has parts says so with a dot.
    for path in set {
        let mut node = &mut root;
        for element in path {
            node = &mut node[element];
        }
        if let Some(map) = node.as_object_mut().filter(|map| !map.is_empty()) {
            map.shift_insert(0, ".".to_owned(), json!({}));
        }
    }
    root
}

fn write_owners(mut owners: Vec<Owner>) -> Value {
    owners.retain(|owner| !owner.owned.is_empty());
    owners.sort_by(|one, other| {
        let rank = |owner: &Owner| {
            (
                owner.manager.operation.clone(),
                owner.time.clone(),
                owner.manager.name.clone(),
            )
        };
        rank(one).cmp(&rank(other))
    });
    if owners.is_empty() {
        return Value::Null;
    }
    owners
        .iter()
        .map(|owner| {
            json!({
                "manager": owner.manager.name, "operation": owner.manager.operation, "apiVersion": owner.manager.api_version,
                "time": owner.time, "fieldsType": "FieldsV1", "fieldsV1": write_fields(&owner.owned),
            })
        })
        .collect()
}

/// Notes in `new` that `manager` wrote what differs from `old`. An apply has done so itself.
pub(crate) fn track(
    schema: &Schema,
    kind: &Kind,
    old: Option<&Value>,
    new: &mut Value,
    manager: &Manager,
) {
    if manager.operation == "Apply" {
        return;
    }
    let empty = conform(schema, kind.definition, &json!({}))
        .map(|(object, _)| object)
        .unwrap_or_default();
    let mut changes = Changes::default();
    let before = stripped(old.unwrap_or(&empty));
    compare(
        schema,
        Shape::Object(schema.get(kind.definition)),
        Some(&before),
        Some(&stripped(new)),
        &[],
        &mut changes,
    );
    let mut owners = owners(new);
    let written: Set = changes.added.union(&changes.modified).cloned().collect();
    for owner in owners.iter_mut().filter(|owner| owner.manager != *manager) {
        owner
            .owned
            .retain(|path| !written.contains(path) && !changes.removed.contains(path));
    }
    let own = if let Some(own) = owners.iter_mut().find(|owner| owner.manager == *manager) {
        own
    } else {
        owners.push(Owner {
            manager: manager.clone(),
            time: now(),
            owned: Set::new(),
        });
        owners.last_mut().expect("one was pushed")
    };
    if !written.is_empty() || !changes.removed.is_empty() {
        own.time = now();
    }
    own.owned.extend(written);
    own.owned.retain(|path| !changes.removed.contains(path));
    match write_owners(owners) {
        Value::Null => drop(
            new["metadata"]
                .as_object_mut()
                .and_then(|metadata| metadata.shift_remove("managedFields")),
        ),
        value => new["metadata"]["managedFields"] = value,
    }
}

/// Applies a configuration: returns the merged object and its `managedFields`, or the conflicts.
pub(crate) fn apply(
    schema: &Schema,
    kind: &Kind,
    old: Option<&Value>,
    applied: &Value,
    manager: &Manager,
    force: bool,
) -> Result<(Value, Value), Failure> {
    let shape = Shape::Object(schema.get(kind.definition));
    let mut mine = Set::new();
    stated(schema, shape, &stripped(applied), &[], &mut mine);
    // Metadata of which nothing is left but what nobody owns is nobody's either.
    mine.remove(&vec!["f:metadata".to_owned()]);
    let Some(old) = old else {
        let owner = Owner {
            manager: manager.clone(),
            time: now(),
            owned: mine,
        };
        return Ok((applied.clone(), write_owners(vec![owner])));
    };
    let mut merged = merge(schema, shape, old, applied);
    let mut owners = owners(old);
    let mut changes = Changes::default();
    let plain = |object: &Value| {
        conform(schema, kind.definition, object).map(|(object, _)| stripped(&object))
    };
    let (before, after) = (stripped(old), plain(&merged).map_err(Failure::bad_request)?);
    compare(
        schema,
        shape,
        Some(&before),
        Some(&after),
        &[],
        &mut changes,
    );
    let written: Set = changes.added.union(&changes.modified).cloned().collect();
    let mut conflicts: Vec<(String, &Path)> = Vec::new();
    for owner in owners.iter().filter(|owner| owner.manager != *manager) {
        conflicts.extend(
            owner
                .owned
                .intersection(&written)
                .map(|path| (describe(owner), path)),
        );
    }
    if manager.name == "kubectl" {
        let allowed = applied_on_the_clients_side(schema, kind, old);
        conflicts.retain(|(_, path)| !allowed.contains(*path));
    }
    if !conflicts.is_empty() && !force {
        return Err(conflict(&conflicts));
    }
    let previous = owners
        .iter()
        .find(|owner| owner.manager == *manager)
        .map(|owner| owner.owned.clone())
        .unwrap_or_default();
    owners.retain(|owner| owner.manager != *manager);
    for owner in &mut owners {
        owner.owned.retain(|path| !written.contains(path));
    }
    // What was applied before, isn't any more, and belongs to nobody else, goes.
    for gone in previous
        .difference(&mine)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
    {
        let needed = |set: &Set| set.iter().any(|path| path.starts_with(gone));
        if !needed(&mine) && !owners.iter().any(|owner| needed(&owner.owned)) {
            remove(schema, shape, &mut merged, gone);
        }
    }
    let time = if previous == mine && written.is_empty() {
        None
    } else {
        Some(now())
    };
    let former = self::owners(old)
        .into_iter()
        .find(|owner| owner.manager == *manager)
        .map(|owner| owner.time);
    owners.push(Owner {
        manager: manager.clone(),
        time: time.or(former).unwrap_or_else(now),
        owned: mine,
    });
    // kubectl's annotation follows, and stays its owner's.
    if manager.name == "kubectl" && old["metadata"]["annotations"][LAST_APPLIED].is_string() {
        merged["metadata"]["annotations"][LAST_APPLIED] = last_applied(applied).into();
    }
    Ok((merged, write_owners(owners)))
}

/// Lists the fields that kubectl's annotation says were applied and that still have those values. `kubectl apply
/// --server-side` may take them over without force.
fn applied_on_the_clients_side(schema: &Schema, kind: &Kind, live: &Value) -> Set {
    let annotation = live["metadata"]["annotations"][LAST_APPLIED]
        .as_str()
        .and_then(|text| serde_json::from_str(text).ok());
    let Some(last) = annotation.and_then(|last: Value| {
        conform(schema, kind.definition, &last)
            .ok()
            .map(|_| stripped(&last))
    }) else {
        return Set::new();
    };
    let shape = Shape::Object(schema.get(kind.definition));
    let (mut fields, mut changes) = (Set::new(), Changes::default());
    stated(schema, shape, &last, &[], &mut fields);
    compare(
        schema,
        shape,
        Some(&last),
        Some(&stripped(live)),
        &[],
        &mut changes,
    );
    fields.retain(|path| !changes.modified.contains(path) && !changes.removed.contains(path));
    fields.insert(
        ["f:metadata", "f:annotations", &format!("f:{LAST_APPLIED}")]
            .map(str::to_owned)
            .to_vec(),
    );
    fields
}

/// Writes the annotation that `kubectl apply` on the client's side would leave.
fn last_applied(applied: &Value) -> String {
    let mut applied = applied.clone();
    if let Some(metadata) = applied["metadata"].as_object_mut() {
        if let Some(annotations) = metadata
            .get_mut("annotations")
            .and_then(Value::as_object_mut)
        {
            annotations.shift_remove(LAST_APPLIED);
        }
        metadata.shift_remove("managedFields");
    }
    applied.sort_all_objects();
    format!("{applied}\n")
}

fn describe(owner: &Owner) -> String {
    let Manager {
        name,
        operation,
        api_version,
    } = &owner.manager;
    if operation == "Update" {
        format!("{name:?} using {api_version}")
    } else {
        format!("{name:?}")
    }
}

fn conflict(conflicts: &[(String, &Path)]) -> Failure {
    let dotted = |path: &Path| path.iter().map(|element| show(element)).collect::<String>();
    let message = if let [(manager, path)] = conflicts {
        format!(
            "Apply failed with 1 conflict: conflict with {manager}: {}",
            dotted(path)
        )
    } else {
        let mut by_manager: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (manager, path) in conflicts {
            by_manager
                .entry(manager)
                .or_default()
                .push(format!("- {}", dotted(path)));
        }
        let lines: Vec<String> = by_manager
            .iter()
            .map(|(manager, paths)| format!("conflicts with {manager}:\n{}", paths.join("\n")))
            .collect();
        format!(
            "Apply failed with {} conflicts: {}",
            conflicts.len(),
            lines.join("\n")
        )
    };
    let mut failure = Failure::new(409, "Conflict", message);
    let causes: Vec<Value> = conflicts
        .iter()
        .map(|(manager, path)| json!({"reason": "FieldManagerConflict", "message": format!("conflict with {manager}"), "field": dotted(path)}))
        .collect();
    failure.details = json!({"causes": causes});
    failure
}

/// Shows a path's element as messages do: `.name`, `[name="x"]`, `["x"]`.
fn show(element: &str) -> String {
    if let Some(name) = element.strip_prefix("f:") {
        return format!(".{name}");
    }
    if let Some(keys) = element.strip_prefix("k:") {
        let keys: Value = serde_json::from_str(keys).unwrap_or_default();
        let pairs: Vec<String> = keys
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        return format!("[{}]", pairs.join(","));
    }
    format!("[={}]", element.strip_prefix("v:").unwrap_or(element))
}

/// Lays an applied value over a live one.
fn merge(schema: &Schema, shape: Shape<'_>, live: &Value, applied: &Value) -> Value {
    if applied.is_null() || matches!(shape, Shape::Leaf) {
        return applied.clone();
    }
    let Some(parts) = shape.parts(schema, applied) else {
        return applied.clone();
    };
    let element_of = |live: &Value| -> Vec<String> {
        shape
            .parts(schema, live)
            .unwrap_or_default()
            .into_iter()
            .map(|(element, _, _)| element)
            .collect()
    };
    let at: Vec<String> = element_of(live);
    match live {
        Value::Array(items) => {
            let mut items = items.clone();
            for (element, inner, part) in parts {
                match at.iter().position(|one| *one == element) {
                    Some(index) => items[index] = merge(schema, inner, &items[index], part),
                    None => items.push(part.clone()),
                }
            }
            Value::Array(items)
        }
        Value::Object(members) => {
            let mut members = members.clone();
            for (element, inner, part) in parts {
                let name = element.trim_start_matches("f:");
                let value = members
                    .get(name)
                    .map_or_else(|| part.clone(), |live| merge(schema, inner, live, part));
                members.insert(name.to_owned(), value);
            }
            Value::Object(members)
        }
        _ => applied.clone(),
    }
}

/// Removes what is at a path.
fn remove(schema: &Schema, shape: Shape<'_>, value: &mut Value, path: &[String]) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    let found = shape
        .parts(schema, value)
        .unwrap_or_default()
        .into_iter()
        .enumerate()
        .find(|(_, (element, _, _))| element == first);
    let Some((index, inner)) = found.map(|(index, (_, inner, _))| (index, inner)) else {
        return;
    };
    match value {
        Value::Array(items) if rest.is_empty() => drop(items.remove(index)),
        Value::Array(items) => remove(schema, inner, &mut items[index], rest),
        Value::Object(members) => {
            let name = first.trim_start_matches("f:");
            if rest.is_empty() {
                members.shift_remove(name);
            } else if let Some(value) = members.get_mut(name) {
                remove(schema, inner, value, rest);
            }
        }
        _ => {}
    }
}
