//! The three ways to patch an object: JSON merge patch, JSON patch, and strategic merge patch.
//!
//! **Source:** RFC 7396, RFC 6902, and the Kubernetes documentation "Strategic merge patch":
//! lists with a merge key are joined item by item, `$patch` and `$deleteFromPrimitiveList` and
//! `$retainKeys` steer it, `$setElementOrder` gives the items' order.

use super::schema::{Definition, Schema, Type};
use serde_json::{Map, Value};

/// Applies a JSON merge patch.
pub(crate) fn json_merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(target) = target.as_object_mut() else {
        return;
    };
    for (key, value) in patch {
        if value.is_null() {
            target.shift_remove(key);
        } else {
            json_merge(target.entry(key).or_insert(Value::Null), value);
        }
    }
}

/// Applies a JSON patch (a list of operations).
pub(crate) fn json_patch(target: &mut Value, patch: &Value) -> Result<(), String> {
    for operation in patch.as_array().ok_or("the patch is not a list")? {
        let at = operation["path"]
            .as_str()
            .ok_or("an operation has no path")?;
        let from = operation["from"].as_str().unwrap_or_default();
        match operation["op"].as_str().unwrap_or_default() {
            "add" => add(target, at, operation["value"].clone())?,
            "remove" => drop(remove(target, at)?),
            "replace" => {
                remove(target, at)?;
                add(target, at, operation["value"].clone())?;
            }
            "move" => {
                let value = remove(target, from)?;
                add(target, at, value)?;
            }
            "copy" => {
                let value = target.pointer(from).cloned().ok_or_else(|| missing(from))?;
                add(target, at, value)?;
            }
            "test" if target.pointer(at) == Some(&operation["value"]) => {}
            "test" => return Err(format!("testing value {at} failed")),
            other => return Err(format!("Unexpected kind: {other}")),
        }
    }
    Ok(())
}

fn missing(path: &str) -> String {
    format!("the path {path:?} does not exist")
}

fn split<'a>(target: &'a mut Value, path: &str) -> Result<(&'a mut Value, String), String> {
    let (parent, last) = path.rsplit_once('/').ok_or_else(|| missing(path))?;
    let parent = target.pointer_mut(parent).ok_or_else(|| missing(path))?;
    Ok((parent, last.replace("~1", "/").replace("~0", "~")))
}

fn add(target: &mut Value, path: &str, value: Value) -> Result<(), String> {
    let (parent, last) = split(target, path)?;
    match parent {
        Value::Object(map) => drop(map.insert(last, value)),
        Value::Array(items) => {
            let at = if last == "-" {
                items.len()
            } else {
                last.parse().map_err(|_| missing(path))?
            };
            if at > items.len() {
                return Err(missing(path));
            }
            items.insert(at, value);
        }
        _ => return Err(missing(path)),
    }
    Ok(())
}

fn remove(target: &mut Value, path: &str) -> Result<Value, String> {
    let (parent, last) = split(target, path)?;
    let removed = match parent {
        Value::Object(map) => map.shift_remove(&last),
        Value::Array(items) => last
            .parse()
            .ok()
            .filter(|at| *at < items.len())
            .map(|at: usize| items.remove(at)),
        _ => None,
    };
    removed.ok_or_else(|| missing(path))
}

/// Applies a strategic merge patch to an object of that definition.
pub(crate) fn strategic(
    schema: &Schema,
    definition: &str,
    target: &mut Value,
    patch: &Value,
) -> Result<(), String> {
    merge_object(schema, Some(schema.get(definition)), target, patch)
}

fn merge_object(
    schema: &Schema,
    definition: Option<&Definition>,
    target: &mut Value,
    patch: &Value,
) -> Result<(), String> {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return Ok(());
    };
    match patch.get("$patch").and_then(Value::as_str) {
        Some("replace") => {
            *target = Value::Object(
                patch
                    .iter()
                    .filter(|(key, _)| *key != "$patch")
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect(),
            );
            return Ok(());
        }
        Some("delete") => {
            *target = Value::Object(Map::new());
            return Ok(());
        }
        _ => {}
    }
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(object) = target.as_object_mut() else {
        return Ok(());
    };
    if let Some(Value::Array(retained)) = patch.get("$retainKeys") {
        object.retain(|key, _| retained.iter().any(|one| one == key));
    }
    for (key, value) in patch {
        if let Some(list) = key.strip_prefix("$deleteFromPrimitiveList/") {
            if let (Some(Value::Array(items)), Value::Array(gone)) = (object.get_mut(list), value) {
                items.retain(|item| !gone.contains(item));
            }
            continue;
        }
        if key.starts_with('$') {
            continue;
        }
        if value.is_null() {
            object.shift_remove(key);
            continue;
        }
        let field = definition.and_then(|definition| definition.field(key));
        let order = patch.get(&format!("$setElementOrder/{key}"));
        let slot = object.entry(key).or_insert(Value::Null);
        match (field.map(|field| (&field.ty, &field.merge)), value) {
            (Some((Type::List(item), Some(merge_key))), Value::Array(changes)) => {
                let inner = if let Type::Ref(name) = item.as_ref() {
                    Some(schema.get(name))
                } else {
                    None
                };
                merge_list(schema, inner, merge_key, slot, changes)?;
                if let Some(Value::Array(order)) = order {
                    sort_items(slot, merge_key, order);
                }
            }
            (Some((Type::Ref(name), _)), _) => {
                merge_object(schema, Some(schema.get(name)), slot, value)?;
            }
            (_, Value::Object(_)) => merge_object(schema, None, slot, value)?,
            _ => *slot = value.clone(),
        }
    }
    // An order may be given for a list that has no change of its own.
    for (key, order) in patch {
        if let (Some(list), Value::Array(order)) = (key.strip_prefix("$setElementOrder/"), order)
            && !patch.contains_key(list)
            && let Some(merge_key) =
                definition.and_then(|definition| definition.field(list)?.merge.as_deref())
            && let Some(items) = object.get_mut(list)
        {
            sort_items(items, merge_key, order);
        }
    }
    Ok(())
}

fn merge_list(
    schema: &Schema,
    item: Option<&Definition>,
    merge_key: &str,
    target: &mut Value,
    changes: &[Value],
) -> Result<(), String> {
    if changes.iter().any(|change| change["$patch"] == "replace") {
        *target = changes
            .iter()
            .filter(|change| change["$patch"] != "replace")
            .cloned()
            .collect();
        return Ok(());
    }
    let mut items = target.as_array().cloned().unwrap_or_default();
    for change in changes {
        if merge_key.is_empty() {
            if !items.contains(change) {
                items.push(change.clone());
            }
            continue;
        }
        let Some(id) = change.get(merge_key) else {
            return Err(format!(
                "map: {change} does not contain declared merge key: {merge_key}"
            ));
        };
        let at = items.iter().position(|one| one.get(merge_key) == Some(id));
        match (at, change["$patch"] == "delete") {
            (Some(at), true) => drop(items.remove(at)),
            (None, true) => {}
            (Some(at), false) => merge_object(schema, item, &mut items[at], change)?,
            (None, false) => {
                let mut new = Value::Null;
                merge_object(schema, item, &mut new, change)?;
                items.push(new);
            }
        }
    }
    *target = Value::Array(items);
    Ok(())
}

/// Puts items in the given order; those that it doesn't name keep their places behind their former neighbours.
fn sort_items(list: &mut Value, merge_key: &str, order: &[Value]) {
    let Some(items) = list.as_array_mut() else {
        return;
    };
    let place = |item: &Value| {
        let id = if merge_key.is_empty() {
            Some(item)
        } else {
            item.get(merge_key)
        };
        order.iter().position(|one| {
            if merge_key.is_empty() {
                Some(one) == id
            } else {
                one.get(merge_key) == id
            }
        })
    };
    let mut rank = 0;
    let mut ranked: Vec<(usize, Value)> = Vec::with_capacity(items.len());
    for item in items.drain(..) {
        rank = place(&item).unwrap_or(rank);
        ranked.push((rank, item));
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    items.extend(ranked.into_iter().map(|(_, item)| item));
}
