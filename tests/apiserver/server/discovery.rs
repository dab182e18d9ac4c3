//! Which groups, versions and resources there are: the legacy documents and the aggregated ones.

use super::Version;
use super::http::{Request, Response};
use super::kinds::{self, Kind, TABLE};
use serde_json::{Value, json};

const VERBS: [&str; 7] = [
    "create", "delete", "get", "list", "patch", "update", "watch",
];

/// Answers a discovery path; `None` where the path is something else.
pub(crate) fn answer(request: &Request, version: &Version) -> Option<Response> {
    let path = request.path.trim_end_matches('/');
    if path == "/api" || path == "/apis" {
        if let Some(stage) = aggregated_stage(request, version) {
            let content_type = format!(
                "application/json;g=apidiscovery.k8s.io;v={stage};as=APIGroupDiscoveryList"
            );
            let mut response = Response::json(200, &aggregated(path == "/api", stage));
            response.content_type = content_type;
            return Some(response);
        }
        return Some(Response::json(
            200,
            &if path == "/api" {
                core_versions()
            } else {
                groups()
            },
        ));
    }
    let (group, rest) = match (path.strip_prefix("/api/"), path.strip_prefix("/apis/")) {
        (Some(rest), _) => ("", rest),
        (_, Some(rest)) => match rest.split_once('/') {
            Some(parts) => parts,
            None => {
                return TABLE
                    .iter()
                    .find(|kind| kind.group == rest)
                    .map(|kind| Response::json(200, &group_document(kind.group, true)));
            }
        },
        _ => return None,
    };
    kinds::group_versions()
        .contains(&(group, rest))
        .then(|| Response::json(200, &resources(group, rest)))
}

/// Returns the newest aggregated form that both sides know.
fn aggregated_stage(request: &Request, version: &Version) -> Option<&'static str> {
    let accept = request.header("accept");
    let wants = |stage: &str| accept.contains(&format!("v={stage};as=APIGroupDiscoveryList"));
    if version.minor >= 30 && wants("v2") {
        Some("v2")
    } else if version.minor >= 27 && wants("v2beta1") {
        Some("v2beta1")
    } else {
        None
    }
}

fn core_versions() -> Value {
    json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})
}

fn groups() -> Value {
    let mut names: Vec<&str> = kinds::group_versions()
        .iter()
        .map(|(group, _)| *group)
        .filter(|group| !group.is_empty())
        .collect();
    names.dedup();
    let groups: Vec<Value> = names
        .iter()
        .map(|name| group_document(name, false))
        .collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

fn group_document(name: &str, with_type: bool) -> Value {
    let versions: Vec<Value> = kinds::group_versions()
        .iter()
        .filter(|(group, _)| *group == name)
        .map(|(group, version)| json!({"groupVersion": format!("{group}/{version}"), "version": version}))
        .collect();
    let preferred = versions.first().cloned().unwrap_or_default();
    let mut document = json!({"name": name, "versions": versions, "preferredVersion": preferred});
    if with_type {
        document["kind"] = "APIGroup".into();
        document["apiVersion"] = "v1".into();
    }
    document
}

fn of_version(group: &str, version: &str) -> impl Iterator<Item = &'static Kind> {
    TABLE
        .iter()
        .filter(move |kind| kind.group == group && kind.version == version)
}

fn resources(group: &str, version: &str) -> Value {
    let group_version = if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    };
    let resources: Vec<Value> = of_version(group, version)
        .map(|kind| {
            let mut row = json!({
                "name": kind.plural, "singularName": "", "namespaced": kind.namespaced, "kind": kind.kind, "verbs": VERBS,
            });
            if !kind.short.is_empty() {
                row["shortNames"] = kind.short.into();
            }
            if kind.in_all {
                row["categories"] = json!(["all"]);
            }
            row
        })
        .collect();
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources})
}

fn aggregated(core: bool, stage: &str) -> Value {
    let mut items: Vec<Value> = Vec::new();
    for (group, version) in kinds::group_versions()
        .into_iter()
        .filter(|(group, _)| group.is_empty() == core)
    {
        let resources: Vec<Value> = of_version(group, version)
            .map(|kind| {
                let mut row = json!({
                    "resource": kind.plural,
                    "responseKind": {"group": "", "version": "", "kind": kind.kind},
                    "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
                    "singularResource": kind.kind.to_lowercase(),
                    "verbs": VERBS,
                });
                if !kind.short.is_empty() {
                    row["shortNames"] = kind.short.into();
                }
                if kind.in_all {
                    row["categories"] = json!(["all"]);
                }
                row
            })
            .collect();
        let mut metadata = json!({"creationTimestamp": null});
        if !group.is_empty() {
            metadata["name"] = group.into();
        }
        items.push(json!({
            "metadata": metadata,
            "versions": [{"version": version, "resources": resources, "freshness": "Current"}],
        }));
    }
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": format!("apidiscovery.k8s.io/{stage}"), "metadata": {}, "items": items})
}
