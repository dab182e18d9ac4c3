//! The tables that `kubectl get` prints: the server makes their columns, kubectl only aligns them.

use super::http::Request;
use super::kinds::Kind;
use serde_json::{Value, json};

type Cell = fn(&Value) -> Value;

/// Says which table version the client accepts, if it accepts tables.
pub(crate) fn wanted(request: &Request) -> Option<&'static str> {
    let accept = request.header("accept");
    ["v1", "v1beta1"]
        .into_iter()
        .find(|version| accept.contains(&format!("as=Table;v={version};g=meta.k8s.io")))
}

/// Returns the table of those objects.
pub(crate) fn render(
    kind: &Kind,
    objects: &[&Value],
    resource_version: Option<&str>,
    version: &str,
) -> Value {
    let columns = columns(kind);
    let definitions: Vec<Value> = columns
        .iter()
        .map(|(name, ty, priority, _)| {
            let format = if *name == "Name" { "name" } else { "" };
            json!({"name": name, "type": ty, "format": format, "description": "", "priority": priority})
        })
        .collect();
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| {
            let cells: Vec<Value> = columns.iter().map(|(_, _, _, cell)| cell(object)).collect();
            let partial = json!({"kind": "PartialObjectMetadata", "apiVersion": format!("meta.k8s.io/{version}"), "metadata": object["metadata"]});
            json!({"cells": cells, "object": partial})
        })
        .collect();
    json!({
        "kind": "Table", "apiVersion": format!("meta.k8s.io/{version}"),
        "metadata": {"resourceVersion": resource_version}, "columnDefinitions": definitions, "rows": rows,
    })
}

/// A column: heading, type, priority (above 0 with `-o wide` only), and how its cells are made.
type Column = (&'static str, &'static str, u8, Cell);

const NAME: Column = ("Name", "string", 0, |object| {
    object["metadata"]["name"].clone()
});
const AGE: Column = ("Age", "string", 0, |object| {
    age(object["metadata"]["creationTimestamp"]
        .as_str()
        .unwrap_or_default())
    .into()
});
const CREATED: Column = ("Created At", "string", 0, |object| {
    object["metadata"]["creationTimestamp"].clone()
});

#[rustfmt::skip]
fn columns(kind: &Kind) -> Vec<Column> {
    let mut all = vec![NAME];
    let own: &[Column] = match kind.kind {
        "ConfigMap" => &[("Data", "integer", 0, |object| (count(&object["data"]) + count(&object["binaryData"])).into())],
        "Namespace" => &[("Status", "string", 0, |object| object["status"]["phase"].clone())],
        "PersistentVolumeClaim" => &[
            ("Status", "string", 0, |object| object["status"]["phase"].clone()),
            ("Volume", "string", 0, |object| text(&object["spec"]["volumeName"])),
            ("Capacity", "string", 0, |object| text(&object["status"]["capacity"]["storage"])),
            ("Access Modes", "string", 0, |object| access_modes(&object["status"]["accessModes"])),
            ("StorageClass", "string", 0, |object| text(&object["spec"]["storageClassName"])),
        ],
        "Pod" => &[
            ("Ready", "string", 0, |object| format!("0/{}", count(&object["spec"]["containers"])).into()),
            ("Status", "string", 0, |object| object["status"]["phase"].clone()),
            ("Restarts", "integer", 0, |_| 0.into()),
        ],
        "Secret" => &[
            ("Type", "string", 0, |object| object["type"].clone()),
            ("Data", "integer", 0, |object| count(&object["data"]).into()),
        ],
        "ServiceAccount" => &[("Secrets", "string", 0, |object| count(&object["secrets"]).into())],
        "Service" => &[
            ("Type", "string", 0, |object| object["spec"]["type"].clone()),
            ("Cluster-IP", "string", 0, |object| or(&object["spec"]["clusterIP"], "<none>")),
            ("External-IP", "string", 0, external_ip),
            ("Port(s)", "string", 0, ports),
        ],
        "DaemonSet" => &[
            ("Desired", "integer", 0, |object| object["status"]["desiredNumberScheduled"].clone()),
            ("Current", "integer", 0, |object| object["status"]["currentNumberScheduled"].clone()),
            ("Ready", "integer", 0, |object| object["status"]["numberReady"].clone()),
            ("Up-to-date", "integer", 0, |object| number(&object["status"]["updatedNumberScheduled"])),
            ("Available", "integer", 0, |object| number(&object["status"]["numberAvailable"])),
            ("Node Selector", "string", 0, |object| selector(&object["spec"]["template"]["spec"]["nodeSelector"])),
        ],
        "Deployment" => &[
            ("Ready", "string", 0, |object| format!("{}/{}", number(&object["status"]["readyReplicas"]), number(&object["spec"]["replicas"])).into()),
            ("Up-to-date", "string", 0, |object| number(&object["status"]["updatedReplicas"])),
            ("Available", "string", 0, |object| number(&object["status"]["availableReplicas"])),
        ],
        "ReplicaSet" => &[
            ("Desired", "integer", 0, |object| number(&object["spec"]["replicas"])),
            ("Current", "integer", 0, |object| number(&object["status"]["replicas"])),
            ("Ready", "integer", 0, |object| number(&object["status"]["readyReplicas"])),
        ],
        "Ingress" => &[
            ("Class", "string", 0, |object| or(&object["spec"]["ingressClassName"], "<none>")),
            ("Hosts", "string", 0, hosts),
            ("Address", "string", 0, |_| "".into()),
            ("Ports", "string", 0, |object| if object["spec"]["tls"].is_null() { "80" } else { "80, 443" }.into()),
        ],
        "PodSecurityPolicy" => return vec![
            NAME,
            ("Priv", "string", 0, |object| (object["spec"]["privileged"] == true).to_string().into()),
            ("Caps", "string", 0, |object| joined(&object["spec"]["allowedCapabilities"]).into()),
            ("Selinux", "string", 0, |object| object["spec"]["seLinux"]["rule"].clone()),
            ("RunAsUser", "string", 0, |object| object["spec"]["runAsUser"]["rule"].clone()),
            ("FsGroup", "string", 0, |object| object["spec"]["fsGroup"]["rule"].clone()),
            ("SupGroup", "string", 0, |object| object["spec"]["supplementalGroups"]["rule"].clone()),
            ("ReadOnlyRootFs", "string", 0, |object| (object["spec"]["readOnlyRootFilesystem"] == true).to_string().into()),
            ("Volumes", "string", 0, |object| joined(&object["spec"]["volumes"]).into()),
        ],
        "ClusterRole" | "Role" => return vec![NAME, CREATED],
        "ClusterRoleBinding" | "RoleBinding" => &[("Role", "string", 0, |object| {
            format!("{}/{}", object["roleRef"]["kind"].as_str().unwrap_or_default(), object["roleRef"]["name"].as_str().unwrap_or_default()).into()
        })],
        _ => &[],
    };
    all.extend_from_slice(own);
    all.push(AGE);
    all
}

fn count(value: &Value) -> usize {
    value.as_object().map_or_else(
        || value.as_array().map_or(0, Vec::len),
        serde_json::Map::len,
    )
}

fn text(value: &Value) -> Value {
    value.as_str().unwrap_or_default().into()
}

fn number(value: &Value) -> Value {
    if value.is_null() {
        0.into()
    } else {
        value.clone()
    }
}

fn or(value: &Value, otherwise: &str) -> Value {
    value
        .as_str()
        .filter(|text| !text.is_empty())
        .unwrap_or(otherwise)
        .into()
}

fn joined(list: &Value) -> String {
    let items: Vec<&str> = list
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    items.join(",")
}

fn selector(labels: &Value) -> Value {
    let pairs: Vec<String> = labels
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    if pairs.is_empty() {
        "<none>".into()
    } else {
        pairs.join(",").into()
    }
}

fn access_modes(modes: &Value) -> Value {
    let short = |mode: &Value| match mode.as_str() {
        Some("ReadWriteOnce") => "RWO",
        Some("ReadOnlyMany") => "ROX",
        Some("ReadWriteMany") => "RWX",
        _ => "",
    };
    let all: Vec<&str> = modes.as_array().into_iter().flatten().map(short).collect();
    all.join(",").into()
}

fn external_ip(service: &Value) -> Value {
    match service["spec"]["type"].as_str() {
        Some("LoadBalancer") => "<pending>".into(),
        Some("ExternalName") => service["spec"]["externalName"].clone(),
        _ => "<none>".into(),
    }
}

fn ports(service: &Value) -> Value {
    let one = |port: &Value| {
        let protocol = port["protocol"].as_str().unwrap_or_default();
        if port["nodePort"].is_null() {
            format!("{}/{protocol}", port["port"])
        } else {
            format!("{}:{}/{protocol}", port["port"], port["nodePort"])
        }
    };
    let all: Vec<String> = service["spec"]["ports"]
        .as_array()
        .into_iter()
        .flatten()
        .map(one)
        .collect();
    if all.is_empty() {
        "<none>".into()
    } else {
        all.join(",").into()
    }
}

fn hosts(ingress: &Value) -> Value {
    let rules = ingress["spec"]["rules"].as_array();
    let all: Vec<&str> = rules
        .into_iter()
        .flatten()
        .filter_map(|rule| rule["host"].as_str())
        .filter(|host| !host.is_empty())
        .collect();
    if all.is_empty() {
        "*".into()
    } else {
        all.join(",").into()
    }
}

/// Returns a duration since then as kubectl shows it: `5s`, `3m10s`, `4h`, `12d`.
fn age(since: &str) -> String {
    let Ok(since) = since.parse::<jiff::Timestamp>() else {
        return "<unknown>".to_owned();
    };
    let seconds = (jiff::Timestamp::now().as_second() - since.as_second()).max(0);
    let pair = |large: i64, unit: &str, small: i64, rest: &str| {
        if small == 0 {
            format!("{large}{unit}")
        } else {
            format!("{large}{unit}{small}{rest}")
        }
    };
    match seconds {
        0..=119 => format!("{seconds}s"),
        120..=599 => pair(seconds / 60, "m", seconds % 60, "s"),
        600..=10_799 => format!("{}m", seconds / 60),
        10_800..=28_799 => pair(seconds / 3600, "h", seconds / 60 % 60, "m"),
        28_800..=172_799 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}
