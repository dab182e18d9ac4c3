//! The `OpenAPI` documents, made from the schema: version 3 as JSON, version 2 as JSON and in protobuf.
//!
//! kubectl reads from them which parameters the server understands (`dryRun`, `fieldValidation`),
//! what fields and types a manifest may have, and how lists merge. kubectl 1.20 takes version 2 only,
//! as the protobuf message `openapi.v2.Document` of gnostic, which `Message` writes field by field.

use super::Version;
use super::kinds::{Kind, TABLE};
use super::schema::{Field, ListType, Schema, Type};
use serde_json::{Map, Value, json};

const PREFIX: &str = "io.k8s.";
const QUANTITY: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const INT_OR_STRING: &str = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
const TIME: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Time";
const RAW: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1";
const GVK: &str = "x-kubernetes-group-version-kind";

/// Returns the version 2 document.
pub(crate) fn v2(schema: &Schema, version: &Version) -> Value {
    json!({
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": version.text},
        "paths": paths(TABLE.iter(), version, |name| json!({"name": name, "in": "query", "type": "string"})),
        "definitions": definitions(schema, "#/definitions/", &json!({"type": "string", "format": "int-or-string"})),
    })
}

/// Returns the version 3 document of one group version.
pub(crate) fn v3(schema: &Schema, version: &Version, group: &str, group_version: &str) -> Value {
    let kinds = TABLE
        .iter()
        .filter(|kind| kind.group == group && kind.version == group_version);
    let int_or_string =
        json!({"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]});
    json!({
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": version.text},
        "paths": paths(kinds, version, |name| json!({"name": name, "in": "query", "schema": {"type": "string"}})),
        "components": {"schemas": definitions(schema, "#/components/schemas/", &int_or_string)},
    })
}

fn gvk(kind: &Kind) -> Value {
    json!({"group": kind.group, "version": kind.version, "kind": kind.kind})
}

fn paths<'a>(
    kinds: impl Iterator<Item = &'a Kind>,
    version: &Version,
    parameter: impl Fn(&str) -> Value,
) -> Value {
    // From 1.25 on the server checks fields itself, and kubectl then leaves that to it.
    let checks = version.minor >= 25;
    let mut paths = Map::new();
    for kind in kinds {
        let collection = if kind.namespaced {
            format!(
                "{}/namespaces/{{namespace}}/{}",
                kind.base_path(),
                kind.plural
            )
        } else {
            format!("{}/{}", kind.base_path(), kind.plural)
        };
        let operation = |names: &[&str]| {
            let parameters: Vec<Value> = names
                .iter()
                .filter(|name| checks || **name != "fieldValidation")
                .map(|name| parameter(name))
                .collect();
            json!({"parameters": parameters, "responses": {"200": {"description": "OK"}}, GVK: gvk(kind)})
        };
        let write = ["dryRun", "fieldManager", "fieldValidation"];
        paths.insert(
            collection.clone(),
            json!({"get": operation(&["limit"]), "post": operation(&write)}),
        );
        paths.insert(
            format!("{collection}/{{name}}"),
            json!({
                "get": operation(&[]),
                "put": operation(&write),
                "delete": operation(&["dryRun"]),
                "patch": operation(&["dryRun", "fieldManager", "fieldValidation", "force"]),
            }),
        );
    }
    Value::Object(paths)
}

fn definitions(schema: &Schema, refs: &str, int_or_string: &Value) -> Value {
    let mut all = Map::new();
    all.insert(QUANTITY.to_owned(), json!({"type": "string"}));
    all.insert(INT_OR_STRING.to_owned(), int_or_string.clone());
    all.insert(
        TIME.to_owned(),
        json!({"type": "string", "format": "date-time"}),
    );
    all.insert(RAW.to_owned(), json!({"type": "object"}));
    for (name, definition) in schema.iter() {
        let mut properties = Map::new();
        for field in &definition.fields {
            properties.insert(field.name.clone(), property(field, refs));
        }
        let mut entry = json!({"type": "object"});
        let required: Vec<&str> = definition
            .fields
            .iter()
            .filter(|field| field.required)
            .map(|field| field.name.as_str())
            .collect();
        if !required.is_empty() {
            entry["required"] = required.into();
        }
        if !properties.is_empty() {
            entry["properties"] = Value::Object(properties);
        }
        let kinds: Vec<Value> = TABLE
            .iter()
            .filter(|kind| kind.definition == name)
            .map(gvk)
            .collect();
        if !kinds.is_empty() {
            entry[GVK] = Value::Array(kinds);
        }
        all.insert(format!("{PREFIX}{name}"), entry);
    }
    Value::Object(all)
}

fn property(field: &Field, refs: &str) -> Value {
    let mut property = type_document(&field.ty, refs);
    let mut strategies = Vec::new();
    if let Some(key) = &field.merge {
        strategies.push("merge");
        if !key.is_empty() {
            property["x-kubernetes-patch-merge-key"] = key.as_str().into();
        }
    }
    if field.retain {
        strategies.push("retainKeys");
    }
    if !strategies.is_empty() {
        property["x-kubernetes-patch-strategy"] = strategies.join(",").into();
    }
    let list_type = match &field.list {
        ListType::Default => return property,
        ListType::Atomic => "atomic",
        ListType::Set => "set",
        ListType::Map(keys) => {
            property["x-kubernetes-list-map-keys"] = keys.as_slice().into();
            "map"
        }
    };
    let key = if matches!(field.ty, Type::List(_)) {
        "x-kubernetes-list-type"
    } else {
        "x-kubernetes-map-type"
    };
    property[key] = list_type.into();
    property
}

fn type_document(ty: &Type, refs: &str) -> Value {
    let reference = |name: &str| json!({"$ref": format!("{refs}{name}")});
    match ty {
        Type::String => json!({"type": "string"}),
        Type::Int32 => json!({"type": "integer", "format": "int32"}),
        Type::Int64 => json!({"type": "integer", "format": "int64"}),
        Type::Bool => json!({"type": "boolean"}),
        Type::Bytes => json!({"type": "string", "format": "byte"}),
        Type::Quantity => reference(QUANTITY),
        Type::IntOrString => reference(INT_OR_STRING),
        Type::Time => reference(TIME),
        Type::Raw => reference(RAW),
        Type::List(item) => json!({"type": "array", "items": type_document(item, refs)}),
        Type::Map(item) => {
            json!({"type": "object", "additionalProperties": type_document(item, refs)})
        }
        Type::Ref(name) => reference(&format!("{PREFIX}{name}")),
    }
}

/// A protobuf message being written.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    /// Adds a length-delimited field: a text or an inner message.
    fn field(mut self, number: u64, content: impl AsRef<[u8]>) -> Self {
        let content = content.as_ref();
        self.varint(number << 3 | 2);
        self.varint(content.len() as u64);
        self.0.extend_from_slice(content);
        self
    }

    fn optional(self, number: u64, text: &Value) -> Self {
        match text.as_str() {
            Some(text) => self.field(number, text),
            None => self,
        }
    }

    fn all<T: AsRef<[u8]>>(self, number: u64, contents: impl Iterator<Item = T>) -> Self {
        contents.fold(self, |message, content| message.field(number, content))
    }

    /// Adds `x-…` members as `NamedAny` fields.
    fn extensions(self, number: u64, object: &Map<String, Value>) -> Self {
        object.iter().filter(|(key, _)| key.starts_with("x-")).fold(
            self,
            |message, (key, value)| {
                let any = Message::default().field(2, value.to_string());
                message.field(number, Message::default().field(1, key).field(2, any))
            },
        )
    }
}

impl AsRef<[u8]> for Message {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Writes a version 2 document as gnostic's protobuf message.
pub(crate) fn v2_protobuf(document: &Value) -> Vec<u8> {
    let info = Message::default()
        .optional(1, &document["info"]["title"])
        .optional(2, &document["info"]["version"]);
    let paths = members(&document["paths"]).map(|(path, item)| named(path, &path_item(item)));
    let definitions = members(&document["definitions"])
        .map(|(name, schema)| named(name, &schema_message(schema)));
    Message::default()
        .optional(1, &document["swagger"])
        .field(2, info)
        .field(8, Message::default().all(2, paths))
        .field(9, Message::default().all(1, definitions))
        .0
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Map<String, Value>)> {
    value
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name, value.as_object()?)))
}

fn named(name: &str, value: &Message) -> Message {
    Message::default().field(1, name).field(2, value)
}

fn path_item(item: &Map<String, Value>) -> Message {
    members_of(item).fold(Message::default(), |message, (method, operation)| {
        let number = match method.as_str() {
            "get" => 2,
            "put" => 3,
            "post" => 4,
            "delete" => 5,
            "patch" => 8,
            _ => return message,
        };
        let parameters = operation
            .get("parameters")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|parameter| {
                let query = Message::default()
                    .field(2, "query")
                    .optional(4, &parameter["name"])
                    .optional(6, &parameter["type"]);
                // ParametersItem → Parameter → NonBodyParameter → QueryParameterSubSchema
                let inner = Message::default().field(2, Message::default().field(3, query));
                Message::default().field(1, inner)
            });
        message.field(
            number,
            Message::default()
                .all(8, parameters)
                .extensions(13, operation),
        )
    })
}

fn members_of(item: &Map<String, Value>) -> impl Iterator<Item = (&String, &Map<String, Value>)> {
    item.iter()
        .filter_map(|(name, value)| Some((name, value.as_object()?)))
}

fn schema_message(schema: &Map<String, Value>) -> Message {
    let get = |key: &str| schema.get(key).unwrap_or(&Value::Null);
    let mut message = Message::default()
        .optional(1, get("$ref"))
        .optional(2, get("format"));
    message = message.all(
        19,
        get("required")
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str),
    );
    if let Some(inner) = get("additionalProperties").as_object() {
        message = message.field(21, Message::default().field(1, schema_message(inner)));
    }
    if let Some(name) = get("type").as_str() {
        message = message.field(22, Message::default().field(1, name));
    }
    if let Some(items) = get("items").as_object() {
        message = message.field(23, Message::default().field(1, schema_message(items)));
    }
    if get("properties").is_object() {
        let properties =
            members(get("properties")).map(|(name, schema)| named(name, &schema_message(schema)));
        message = message.field(25, Message::default().all(1, properties));
    }
    message.extensions(31, schema)
}
