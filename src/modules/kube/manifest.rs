//! Manifests as the system sees them, and the objects in them.

use std::path::Path;

use crate::diag::Sources;
use crate::system::{FileType, System};
use crate::value::Value;
use crate::yaml::{self, EmitStyle};

/// One object of a manifest.
pub(super) struct Object {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    /// The kind that it defines, where it is a `CustomResourceDefinition`.
    pub(super) defines: Option<String>,
    /// Its document.
    pub(super) text: String,
}

impl Object {
    /// Says whether objects of its kind have no namespace (Kubernetes' own kinds).
    pub(super) fn is_cluster_wide(&self) -> bool {
        matches!(
            self.kind.as_str(),
            "Namespace"
                | "Node"
                | "PersistentVolume"
                | "ClusterRole"
                | "ClusterRoleBinding"
                | "CustomResourceDefinition"
                | "StorageClass"
                | "PriorityClass"
                | "PodSecurityPolicy"
                | "IngressClass"
                | "RuntimeClass"
                | "CSIDriver"
                | "APIService"
                | "MutatingWebhookConfiguration"
                | "ValidatingWebhookConfiguration"
                | "VolumeSnapshotClass"
        )
    }

    /// Names it for people.
    pub(super) fn shown(&self) -> String {
        match &self.namespace {
            Some(space) => format!("{} {space}/{}", self.kind, self.name),
            None => format!("{} {}", self.kind, self.name),
        }
    }
}

/// Reads files and directories into one stream of documents; what is no path of the machine (a
/// URL) comes back as a name for kubectl.
///
/// # Errors
/// A sentence that names the file.
pub(super) fn read(
    system: &dyn System,
    files: &[String],
    recursive: bool,
) -> Result<(Vec<u8>, Vec<String>), String> {
    let (mut bytes, mut elsewhere) = (Vec::new(), Vec::new());
    for file in files {
        if file.starts_with("http://") || file.starts_with("https://") {
            elsewhere.push(file.clone());
        } else {
            add(system, Path::new(file), recursive, true, &mut bytes)?;
        }
    }
    Ok((bytes, elsewhere))
}

fn add(
    system: &dyn System,
    path: &Path,
    recursive: bool,
    top: bool,
    bytes: &mut Vec<u8>,
) -> Result<(), String> {
    let fail = |e: std::io::Error| {
        format!(
            "error: the path \"{}\" cannot be accessed: {}",
            path.display(),
            crate::diag::os_message(&e).to_lowercase()
        )
    };
    if system.stat(path).map_err(fail)?.is(FileType::Directory) {
        if top || recursive {
            for name in system.readdir(path).map_err(fail)? {
                let inner = path.join(&name);
                let known = inner
                    .extension()
                    .is_some_and(|e| e == "yaml" || e == "yml" || e == "json");
                let directory = system.stat(&inner).is_ok_and(|s| s.is(FileType::Directory));
                if known || directory {
                    add(system, &inner, recursive, false, bytes)?;
                }
            }
        }
        return Ok(());
    }
    if !bytes.is_empty() {
        if !bytes.ends_with(b"\n") {
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(b"---\n");
    }
    bytes.extend(system.read(path).map_err(fail)?);
    Ok(())
}

/// Splits a stream into its objects.
///
/// # Errors
/// What is wrong with the YAML.
pub(super) fn objects(bytes: &[u8], name: &str) -> Result<Vec<Object>, String> {
    let text = String::from_utf8_lossy(bytes);
    let mut found = Vec::new();
    for document in documents(&text) {
        let sources = Sources::default();
        let id = sources.add(name, document.as_str());
        let node = yaml::load(&sources, id)
            .map_err(|e| format!("error parsing {name}: {}", e.full_message()))?;
        let Some(value) = node.map(|n| n.to_value()) else {
            continue;
        };
        match (value.get("kind"), value.get("items")) {
            (Some(kind), Some(Value::List(items))) if kind.to_str() == "List" => {
                found.extend(items.to_vec().iter().filter_map(|item| object(item, None)));
            }
            _ => found.extend(object(&value, Some(document))),
        }
    }
    Ok(found)
}

/// Reads one object's document; none where it isn't YAML.
pub(super) fn value(text: &str) -> Value {
    let sources = Sources::default();
    let id = sources.add("manifest", text);
    let node = yaml::load(&sources, id).ok().flatten();
    node.map_or(Value::None, |node| node.to_value())
}

/// Writes an object as one document, its keys in order.
pub(super) fn emit(value: &Value) -> String {
    let style = EmitStyle {
        indent: 2,
        width: usize::MAX,
        sort_keys: true,
        flow: Some(false),
        scalars: None,
        by_python: false,
        explicit_start: false,
        explicit_end: false,
    };
    yaml::emit(value, &style).unwrap_or_default()
}

fn documents(text: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    for line in text.lines() {
        if line == "---" || line.starts_with("--- ") {
            all.push(String::new());
        } else if let Some(last) = all.last_mut() {
            last.push_str(line);
            last.push('\n');
        }
    }
    all.retain(|d| !d.trim().is_empty());
    all
}

fn object(value: &Value, document: Option<String>) -> Option<Object> {
    let part =
        |value: &Value, key: &str| value.get(key).filter(|v| !v.is_none()).map(|v| v.to_str());
    let kind = part(value, "kind")?;
    let meta = value.get("metadata")?;
    let defines = if kind == "CustomResourceDefinition" {
        let names = value.get("spec").and_then(|s| s.get("names"));
        names.and_then(|n| part(&n, "kind"))
    } else {
        None
    };
    Some(Object {
        name: part(&meta, "name").or_else(|| part(&meta, "generateName"))?,
        namespace: part(&meta, "namespace"),
        kind,
        defines,
        text: document.unwrap_or_else(|| emit(value)),
    })
}
