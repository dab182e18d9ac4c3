//! What the real server fills in where a manifest is silent.
//!
//! **Source:** the defaulting functions of Kubernetes 1.20 as seen through its API: each value here
//! was compared with what that server returns (`tests/kube/calibrate`).

use super::kinds::Kind;
use super::store::State;
use serde_json::{Map, Value, json};

type Object = Map<String, Value>;

/// Fills in an object that has passed `conform`. `old` is its stored predecessor on an update.
pub(crate) fn fill(kind: &Kind, object: &mut Value, old: Option<&Value>) {
    let Some(top) = object.as_object_mut() else {
        return;
    };
    match kind.kind {
        "Namespace" if old.is_none() => {
            put(child(top, "status"), "phase", "Active");
        }
        "Secret" => secret(top),
        "Service" => service(top),
        "PersistentVolumeClaim" => {
            set(child(top, "spec"), "volumeMode", json!("Filesystem"));
            set(child(top, "status"), "phase", json!("Pending"));
            requests(
                top.get_mut("spec")
                    .and_then(|spec| spec.get_mut("resources")),
            );
        }
        "Pod" => pod(top),
        "ReplicaSet" => {
            set(child(top, "spec"), "replicas", json!(1));
            template(child(top, "spec"));
        }
        "Deployment" => deployment(child(top, "spec")),
        "DaemonSet" => daemon_set(top, old),
        "PodSecurityPolicy" => set(child(top, "spec"), "allowPrivilegeEscalation", json!(true)),
        "ClusterRoleBinding" | "RoleBinding" => binding(top),
        _ => {}
    }
}

/// Returns the object below `key`, made where it is missing.
fn child<'a>(parent: &'a mut Object, key: &str) -> &'a mut Object {
    let slot = parent.entry(key).or_insert(Value::Null);
    if !slot.is_object() {
        *slot = json!({});
    }
    slot.as_object_mut().expect("an object was put there")
}

/// Sets a field that has no value.
fn set(object: &mut Object, key: &str, value: Value) {
    let slot = object.entry(key).or_insert(Value::Null);
    if slot.is_null() || slot == "" {
        *slot = value;
    }
}

/// Sets a field whatever it was.
fn put(object: &mut Object, key: &str, value: &str) {
    object.insert(key.to_owned(), value.into());
}

/// Iterates over the objects in a list field.
fn each<'a>(object: &'a mut Object, key: &str) -> impl Iterator<Item = &'a mut Object> {
    object
        .get_mut(key)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
}

fn secret(top: &mut Object) {
    use base64::Engine as _;
    set(top, "type", json!("Opaque"));
    if let Some(Value::Object(plain)) = top.remove("stringData") {
        let data = child(top, "data");
        for (key, value) in plain {
            let text = value.as_str().unwrap_or_default();
            data.insert(
                key,
                base64::engine::general_purpose::STANDARD
                    .encode(text)
                    .into(),
            );
        }
    }
}

fn service(top: &mut Object) {
    let spec = child(top, "spec");
    set(spec, "sessionAffinity", json!("None"));
    set(spec, "type", json!("ClusterIP"));
    if spec["sessionAffinity"] == "ClientIP" {
        set(
            spec,
            "sessionAffinityConfig",
            json!({"clientIP": {"timeoutSeconds": 10800}}),
        );
    }
    let ty = spec["type"].as_str().unwrap_or_default().to_owned();
    let exposed = matches!(ty.as_str(), "NodePort" | "LoadBalancer");
    if exposed {
        set(spec, "externalTrafficPolicy", json!("Cluster"));
    }
    for port in each(spec, "ports") {
        set(port, "protocol", json!("TCP"));
        let number = port.get("port").cloned().unwrap_or_default();
        if port
            .get("targetPort")
            .is_none_or(|target| target == 0 || target == "")
        {
            port.insert("targetPort".to_owned(), number);
        }
    }
}

/// Sets what the server assigns rather than defaults, and what therefore belongs to no field manager.
pub(crate) fn allocate(kind: &Kind, object: &mut Value, old: Option<&Value>, state: &mut State) {
    let Some(top) = object.as_object_mut() else {
        return;
    };
    match kind.kind {
        "Namespace" => set(child(top, "spec"), "finalizers", json!(["kubernetes"])),
        "Pod" => admit_pod(top),
        "Service" => service_addresses(
            child(top, "spec"),
            old.map_or(&Value::Null, |old| &old["spec"]),
            state,
        ),
        _ => {}
    }
}

fn service_addresses(spec: &mut Object, before: &Value, state: &mut State) {
    let ty = spec
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let exposed = matches!(ty.as_str(), "NodePort" | "LoadBalancer");
    if ty != "ExternalName" {
        let given = spec.get("clusterIPs").and_then(|all| all.get(0)).cloned();
        if !spec.contains_key("clusterIP") {
            let address = match &before["clusterIP"] {
                Value::String(address) => address.clone(),
                _ => given
                    .as_ref()
                    .and_then(Value::as_str)
                    .map_or_else(|| allocate_address(state), str::to_owned),
            };
            spec.insert("clusterIP".to_owned(), address.into());
        }
        let address = spec["clusterIP"].clone();
        // The list follows the single address, which older clients know alone.
        if before.is_null() || before["clusterIP"] != address {
            spec.insert("clusterIPs".to_owned(), json!([address]));
        }
        set(spec, "clusterIPs", json!([address]));
    }
    let used: Vec<Value> = before["ports"].as_array().cloned().unwrap_or_default();
    for port in each(spec, "ports") {
        let number = port.get("port").cloned().unwrap_or_default();
        if exposed && !port.contains_key("nodePort") {
            let same = used
                .iter()
                .find(|one| one["port"] == number && one["protocol"] == port["protocol"]);
            let node_port = same.and_then(|one| one.get("nodePort")).cloned();
            let node_port =
                node_port.unwrap_or_else(|| (30_000 + state.next_serial() % 2768).into());
            port.insert("nodePort".to_owned(), node_port);
        }
    }
}

fn allocate_address(state: &mut State) -> String {
    let taken: Vec<Value> = state
        .all()
        .map(|(_, object)| object["spec"]["clusterIP"].clone())
        .collect();
    loop {
        let number = state.next_serial() + 255;
        let address = format!("10.0.{}.{}", number / 256 % 256, number % 256);
        if !taken.iter().any(|one| *one == address.as_str()) {
            return address;
        }
    }
}

fn deployment(spec: &mut Object) {
    set(spec, "replicas", json!(1));
    set(spec, "revisionHistoryLimit", json!(10));
    set(spec, "progressDeadlineSeconds", json!(600));
    let strategy = child(spec, "strategy");
    set(strategy, "type", json!("RollingUpdate"));
    if strategy["type"] == "RollingUpdate" {
        let rolling = child(strategy, "rollingUpdate");
        set(rolling, "maxSurge", json!("25%"));
        set(rolling, "maxUnavailable", json!("25%"));
    }
    template(spec);
}

const ANNOTATION: &str = "deprecated.daemonset.template.generation";

fn daemon_set(top: &mut Object, old: Option<&Value>) {
    let spec = child(top, "spec");
    set(spec, "revisionHistoryLimit", json!(10));
    let strategy = child(spec, "updateStrategy");
    set(strategy, "type", json!("RollingUpdate"));
    if strategy["type"] == "RollingUpdate" {
        set(child(strategy, "rollingUpdate"), "maxUnavailable", json!(1));
    }
    template(spec);
    let changed = old.is_some_and(|old| Some(&old["spec"]["template"]) != spec.get("template"));
    let before = old.and_then(|old| {
        old["metadata"]["annotations"][ANNOTATION]
            .as_str()?
            .parse::<u64>()
            .ok()
    });
    let generation = before.unwrap_or(1) + u64::from(changed);
    put(
        child(child(top, "metadata"), "annotations"),
        ANNOTATION,
        &generation.to_string(),
    );
}

fn binding(top: &mut Object) {
    const GROUP: &str = "rbac.authorization.k8s.io";
    set(child(top, "roleRef"), "apiGroup", json!(GROUP));
    for subject in each(top, "subjects") {
        if matches!(
            subject.get("kind").and_then(Value::as_str),
            Some("User" | "Group")
        ) {
            set(subject, "apiGroup", json!(GROUP));
        }
    }
}

fn pod(top: &mut Object) {
    let spec = child(top, "spec");
    pod_spec(spec);
    for list in ["containers", "initContainers"] {
        for container in each(spec, list) {
            requests(container.get_mut("resources"));
        }
    }
    set(spec, "enableServiceLinks", json!(true));
}

/// Sets what admission and the registry of pods set: priority, tolerations, the first status.
fn admit_pod(top: &mut Object) {
    let spec = child(top, "spec");
    set(spec, "priority", json!(0));
    set(spec, "preemptionPolicy", json!("PreemptLowerPriority"));
    let tolerations = spec.entry("tolerations").or_insert_with(|| json!([]));
    for key in [
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    ] {
        if let Some(list) = tolerations
            .as_array_mut()
            .filter(|list| !list.iter().any(|one| one["key"] == key))
        {
            list.push(json!({"effect": "NoExecute", "key": key, "operator": "Exists", "tolerationSeconds": 300}));
        }
    }
    let status = child(top, "status");
    set(status, "phase", json!("Pending"));
    set(status, "qosClass", json!("BestEffort"));
}

fn template(spec: &mut Object) {
    pod_spec(child(child(spec, "template"), "spec"));
}

fn pod_spec(spec: &mut Object) {
    set(spec, "dnsPolicy", json!("ClusterFirst"));
    set(spec, "restartPolicy", json!("Always"));
    set(spec, "schedulerName", json!("default-scheduler"));
    set(spec, "securityContext", json!({}));
    set(spec, "terminationGracePeriodSeconds", json!(30));
    // Two names of one field: each follows the other.
    for (from, to) in [
        ("serviceAccountName", "serviceAccount"),
        ("serviceAccount", "serviceAccountName"),
    ] {
        if let Some(name) = spec.get(from).cloned() {
            spec.insert(to.to_owned(), name);
        }
    }
    let host_network = spec.get("hostNetwork") == Some(&Value::Bool(true));
    for list in ["containers", "initContainers"] {
        for container in each(spec, list) {
            container_defaults(container, host_network);
        }
    }
    for volume in each(spec, "volumes") {
        volume_defaults(volume);
    }
}

fn container_defaults(container: &mut Object, host_network: bool) {
    let image = container
        .get("image")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let name = image.rsplit('/').next().unwrap_or_default();
    let floating =
        !name.contains('@') && name.rsplit_once(':').is_none_or(|(_, tag)| tag == "latest");
    set(
        container,
        "imagePullPolicy",
        json!(if floating { "Always" } else { "IfNotPresent" }),
    );
    set(
        container,
        "terminationMessagePath",
        json!("/dev/termination-log"),
    );
    set(container, "terminationMessagePolicy", json!("File"));
    for port in each(container, "ports") {
        set(port, "protocol", json!("TCP"));
        if host_network && !port.contains_key("hostPort") {
            let number = port.get("containerPort").cloned().unwrap_or_default();
            port.insert("hostPort".to_owned(), number);
        }
    }
    for variable in each(container, "env") {
        if let Some(Value::Object(reference)) = variable
            .get_mut("valueFrom")
            .and_then(|from| from.get_mut("fieldRef"))
        {
            set(reference, "apiVersion", json!("v1"));
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(Value::Object(probe)) = container.get_mut(probe) {
            for (key, value) in [
                ("timeoutSeconds", 1),
                ("periodSeconds", 10),
                ("successThreshold", 1),
                ("failureThreshold", 3),
            ] {
                set(probe, key, json!(value));
            }
            http_get(probe);
        }
    }
    for hook in ["postStart", "preStop"] {
        if let Some(Value::Object(hook)) = container
            .get_mut("lifecycle")
            .and_then(|lifecycle| lifecycle.get_mut(hook))
        {
            http_get(hook);
        }
    }
}

fn http_get(handler: &mut Object) {
    if let Some(Value::Object(get)) = handler.get_mut("httpGet") {
        set(get, "path", json!("/"));
        set(get, "scheme", json!("HTTP"));
    }
}

/// Limits are requests where these aren't given; in pods only, not in templates.
fn requests(resources: Option<&mut Value>) {
    let Some(resources) = resources.and_then(Value::as_object_mut) else {
        return;
    };
    let Some(Value::Object(limits)) = resources.get("limits").cloned() else {
        return;
    };
    let requests = child(resources, "requests");
    for (name, limit) in limits {
        requests.entry(name).or_insert(limit);
    }
}

fn volume_defaults(volume: &mut Object) {
    if volume.keys().all(|key| key == "name") {
        volume.insert("emptyDir".to_owned(), json!({}));
    }
    for source in ["secret", "configMap", "downwardAPI", "projected"] {
        if let Some(Value::Object(source)) = volume.get_mut(source) {
            set(source, "defaultMode", json!(420));
        }
    }
    if let Some(Value::Object(path)) = volume.get_mut("hostPath") {
        path.entry("type").or_insert_with(|| "".into());
    }
    if let Some(Value::Object(projected)) = volume.get_mut("projected") {
        for source in each(projected, "sources") {
            if let Some(Value::Object(token)) = source.get_mut("serviceAccountToken") {
                set(token, "expirationSeconds", json!(3600));
            }
        }
    }
}
