//! Which contents are refused, in the real server's words: names, required fields, selectors, and what
//! may not change once it is set.
//!
//! **Source:** observed answers of kube-apiserver 1.20. The checks here are those that a registry-like
//! workload can run into; `tests/apiserver/README.md` says what is not checked.

use super::kinds::Kind;
use super::status::FieldError;
use serde_json::Value;

const IMMUTABLE: &str = "field is immutable";
const DNS_SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const DNS_LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const DNS_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const PORT_RANGE: &str = "must be between 1 and 65535, inclusive";

type Errors = Vec<FieldError>;

/// Checks a new or changed object; `old` is what it replaces.
pub(crate) fn check(kind: &Kind, object: &Value, old: Option<&Value>) -> Errors {
    let mut errors = Errors::new();
    metadata(kind, object, &mut errors);
    // The real server checks a changed service's address before, all else after the rest.
    let before = kind.kind == "Service";
    if let Some(old) = old.filter(|_| before) {
        immutable(kind, object, old, &mut errors);
    }
    let spec = &object["spec"];
    match kind.kind {
        "ReplicaSet" | "Deployment" | "DaemonSet" => workload(kind, spec, &mut errors),
        "Pod" => pod_spec(spec, "spec", &mut errors),
        "Service" => service(spec, &mut errors),
        "PersistentVolumeClaim" => claim(spec, &mut errors),
        "ClusterRoleBinding" | "RoleBinding" => binding(kind, object, &mut errors),
        "ClusterRole" | "Role" => rules(object, &mut errors),
        "ConfigMap" | "Secret" => data_keys(object, &mut errors),
        "Ingress" => ingress(spec, &mut errors),
        "PodSecurityPolicy" => pod_security_policy(spec, &mut errors),
        _ => {}
    }
    if let Some(old) = old.filter(|_| !before) {
        immutable(kind, object, old, &mut errors);
    }
    errors
}

/// Writes a text as Go's `%q` does.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn is_label(name: &str) -> bool {
    let ends = |byte: Option<u8>| {
        byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    ends(name.bytes().next())
        && ends(name.bytes().next_back())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn is_label_value(value: &str) -> bool {
    let ends = |byte: Option<u8>| byte.is_none_or(|byte| byte.is_ascii_alphanumeric());
    value.len() <= 63
        && ends(value.bytes().next())
        && ends(value.bytes().next_back())
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn metadata(kind: &Kind, object: &Value, errors: &mut Errors) {
    let metadata = &object["metadata"];
    let name = text(metadata, "name");
    let complaint = match kind.kind {
        _ if name.is_empty() => {
            return errors.push(FieldError::required(
                "metadata.name",
                "name or generateName is required",
            ));
        }
        "Namespace" => (!is_label(name)).then_some(DNS_LABEL),
        "Service" => (!is_label(name)
            || !name.starts_with(|first: char| first.is_ascii_lowercase()))
        .then_some(DNS_1035),
        _ if kind.group.starts_with("rbac.") => {
            let bad = if name.contains('/') {
                Some("may not contain '/'")
            } else if name.contains('%') {
                Some("may not contain '%'")
            } else {
                None
            };
            if matches!(name, "." | "..") {
                Some("may not be '.'")
            } else {
                bad
            }
        }
        _ => (!name.split('.').all(is_label) || name.len() > 253).then_some(DNS_SUBDOMAIN),
    };
    if let Some(complaint) = complaint {
        errors.push(FieldError::invalid(
            "metadata.name",
            &quoted(name),
            complaint,
        ));
    }
    labels(&metadata["labels"], "metadata.labels", errors);
}

fn labels(labels: &Value, field: &str, errors: &mut Errors) {
    for value in labels
        .as_object()
        .into_iter()
        .flat_map(|map| map.values())
        .filter_map(Value::as_str)
    {
        if value.len() > 63 {
            errors.push(FieldError::invalid(
                field,
                &quoted(value),
                "must be no more than 63 characters",
            ));
        } else if !is_label_value(value) {
            errors.push(FieldError::invalid(field, &quoted(value), LABEL_VALUE));
        }
    }
}

/// Writes a `map[string]string` as Go's `%#v` does.
fn go_map(map: &Value) -> String {
    let Some(map) = map.as_object() else {
        return "map[string]string(nil)".to_owned();
    };
    let mut pairs: Vec<String> = map
        .iter()
        .map(|(key, value)| format!("{}:{value}", quoted(key)))
        .collect();
    pairs.sort();
    format!("map[string]string{{{}}}", pairs.join(", "))
}

fn go_selector(selector: &Value) -> String {
    if selector.is_null() {
        return "null".to_owned();
    }
    let expressions: Vec<String> = list(&selector["matchExpressions"])
        .iter()
        .map(|one| {
            let values: Vec<String> = list(&one["values"]).iter().map(Value::to_string).collect();
            let values = if one["values"].is_null() {
                "[]string(nil)".to_owned()
            } else {
                format!("[]string{{{}}}", values.join(", "))
            };
            format!(
                "v1.LabelSelectorRequirement{{Key:{}, Operator:{}, Values:{values}}}",
                one["key"], one["operator"]
            )
        })
        .collect();
    let expressions = if selector["matchExpressions"].is_null() {
        "(nil)".to_owned()
    } else {
        format!("{{{}}}", expressions.join(", "))
    };
    format!(
        "v1.LabelSelector{{MatchLabels:{}, MatchExpressions:[]v1.LabelSelectorRequirement{expressions}}}",
        go_map(&selector["matchLabels"])
    )
}

fn immutable(kind: &Kind, object: &Value, old: &Value, errors: &mut Errors) {
    let (new_spec, old_spec) = (&object["spec"], &old["spec"]);
    match kind.kind {
        "ReplicaSet" | "Deployment" | "DaemonSet"
            if new_spec["selector"] != old_spec["selector"] =>
        {
            errors.push(FieldError::invalid(
                "spec.selector",
                &go_selector(&new_spec["selector"]),
                IMMUTABLE,
            ));
        }
        "PersistentVolumeClaim" => claim_change(new_spec, old_spec, old, errors),
        "Service" => {
            let external = |spec: &Value| text(spec, "type") == "ExternalName";
            if !external(new_spec)
                && !external(old_spec)
                && new_spec["clusterIPs"] != old_spec["clusterIPs"]
            {
                let shown: Vec<String> = list(&new_spec["clusterIPs"])
                    .iter()
                    .map(Value::to_string)
                    .collect();
                let shown = format!("[]string{{{}}}", shown.join(", "));
                errors.push(FieldError::invalid(
                    "spec.clusterIPs[0]",
                    &shown,
                    "may not change once set",
                ));
            }
        }
        "ClusterRoleBinding" | "RoleBinding" if object["roleRef"] != old["roleRef"] => {
            let role = &object["roleRef"];
            let shown = format!(
                "rbac.RoleRef{{APIGroup:{}, Kind:{}, Name:{}}}",
                role["apiGroup"], role["kind"], role["name"]
            );
            errors.push(FieldError::invalid(
                "roleRef",
                &shown,
                "cannot change roleRef",
            ));
        }
        "Secret" | "ConfigMap" => {
            if object["type"] != old["type"] {
                errors.push(FieldError::invalid(
                    "type",
                    &object["type"].to_string(),
                    IMMUTABLE,
                ));
            }
            if old["immutable"] == true {
                for field in ["immutable", "data", "binaryData"] {
                    if object[field] != old[field] {
                        errors.push(FieldError::forbidden(
                            field,
                            "field is immutable when `immutable` is set",
                        ));
                    }
                }
            }
        }
        "Pod" => pod_change(new_spec, old_spec, errors),
        _ => {}
    }
}

fn claim_change(new: &Value, old: &Value, old_object: &Value, errors: &mut Errors) {
    let mut expected = old.clone();
    if old["volumeName"].is_null() && !new["volumeName"].is_null() {
        expected["volumeName"] = new["volumeName"].clone();
    }
    if old_object["status"]["phase"] == "Bound" {
        expected["resources"]["requests"] = new["resources"]["requests"].clone();
    }
    if *new != expected {
        errors.push(FieldError::forbidden(
            "spec",
            "spec is immutable after creation except resources.requests for bound claims",
        ));
    }
}

fn pod_change(new: &Value, old: &Value, errors: &mut Errors) {
    let without_mutable = |spec: &Value| {
        let mut spec = spec.clone();
        for containers in ["containers", "initContainers"] {
            for container in spec[containers].as_array_mut().into_iter().flatten() {
                container["image"] = Value::Null;
            }
        }
        spec["activeDeadlineSeconds"] = Value::Null;
        spec["tolerations"] = Value::Null;
        spec
    };
    if without_mutable(new) != without_mutable(old) {
        let detail = "pod updates may not change fields other than `spec.containers[*].image`, `spec.initContainers[*].image`, `spec.activeDeadlineSeconds` or `spec.tolerations` (only additions to existing tolerations)";
        errors.push(FieldError::forbidden("spec", detail));
    }
}

fn workload(kind: &Kind, spec: &Value, errors: &mut Errors) {
    for field in [
        "replicas",
        "minReadySeconds",
        "revisionHistoryLimit",
        "progressDeadlineSeconds",
    ] {
        if let Some(number) = spec[field].as_i64().filter(|number| *number < 0) {
            errors.push(FieldError::invalid(
                format!("spec.{field}"),
                &number.to_string(),
                "must be greater than or equal to 0",
            ));
        }
    }
    let selector = &spec["selector"];
    let labels_of_template = &spec["template"]["metadata"]["labels"];
    let has = |key: &str| {
        selector[key].as_object().is_some_and(|map| !map.is_empty())
            || !list(&selector[key]).is_empty()
    };
    if selector.is_null() {
        if kind.kind != "DaemonSet" {
            errors.push(FieldError::required("spec.selector", ""));
        }
    } else if !has("matchLabels") && !has("matchExpressions") {
        let what = if kind.kind == "DaemonSet" {
            "daemonset"
        } else {
            "deployment"
        };
        errors.push(FieldError::invalid(
            "spec.selector",
            &go_selector(selector),
            &format!("empty selector is invalid for {what}"),
        ));
    }
    let matches_nothing = selector.is_null() && kind.kind == "DaemonSet";
    if matches_nothing || !selects(selector, labels_of_template) {
        let detail = "`selector` does not match template `labels`";
        errors.push(FieldError::invalid(
            "spec.template.metadata.labels",
            &go_map(labels_of_template),
            detail,
        ));
    }
    labels(labels_of_template, "spec.template.labels", errors);
    pod_spec(&spec["template"]["spec"], "spec.template.spec", errors);
    let policy = text(&spec["template"]["spec"], "restartPolicy");
    if policy != "Always" {
        errors.push(FieldError::unsupported(
            "spec.template.spec.restartPolicy",
            policy,
            &["Always"],
        ));
    }
}

/// Says whether a label selector selects an object with those labels.
fn selects(selector: &Value, labels: &Value) -> bool {
    let equal = selector["matchLabels"]
        .as_object()
        .into_iter()
        .flatten()
        .all(|(key, value)| labels[key] == *value);
    equal
        && list(&selector["matchExpressions"]).iter().all(|one| {
            let label = &labels[text(one, "key")];
            match text(one, "operator") {
                "In" => list(&one["values"]).contains(label),
                "NotIn" => !list(&one["values"]).contains(label),
                "Exists" => !label.is_null(),
                "DoesNotExist" => label.is_null(),
                _ => false,
            }
        })
}

fn pod_spec(spec: &Value, at: &str, errors: &mut Errors) {
    let volumes: Vec<&str> = list(&spec["volumes"])
        .iter()
        .map(|volume| text(volume, "name"))
        .collect();
    for (index, volume) in list(&spec["volumes"]).iter().enumerate() {
        let at = format!("{at}.volumes[{index}]");
        let name = text(volume, "name");
        if name.is_empty() {
            errors.push(FieldError::required(format!("{at}.name"), ""));
        } else if !is_label(name) {
            errors.push(FieldError::invalid(
                format!("{at}.name"),
                &quoted(name),
                DNS_LABEL,
            ));
        } else if volumes[..index].contains(&name) {
            errors.push(FieldError::duplicate(format!("{at}.name"), name));
        }
        let sources = volume.as_object().map_or(0, |volume| volume.len() - 1);
        if sources > 1 {
            errors.push(FieldError::forbidden(
                at,
                "may not specify more than 1 volume type",
            ));
        }
    }
    let containers = list(&spec["containers"]);
    if containers.is_empty() {
        errors.push(FieldError::required(format!("{at}.containers"), ""));
    }
    let names: Vec<&str> = containers
        .iter()
        .map(|container| text(container, "name"))
        .collect();
    for (index, one) in containers.iter().enumerate() {
        let at = format!("{at}.containers[{index}]");
        let name = names[index];
        if name.is_empty() {
            errors.push(FieldError::required(format!("{at}.name"), ""));
        } else if !is_label(name) {
            errors.push(FieldError::invalid(
                format!("{at}.name"),
                &quoted(name),
                DNS_LABEL,
            ));
        } else if names[..index].contains(&name) {
            errors.push(FieldError::duplicate(format!("{at}.name"), name));
        }
        container(one, &volumes, &at, spec["hostNetwork"] == true, errors);
    }
    let policy = text(spec, "restartPolicy");
    if !["Always", "OnFailure", "Never"].contains(&policy) {
        errors.push(FieldError::unsupported(
            format!("{at}.restartPolicy"),
            policy,
            &["Always", "OnFailure", "Never"],
        ));
    }
}

fn container(
    container: &Value,
    volumes: &[&str],
    at: &str,
    host_network: bool,
    errors: &mut Errors,
) {
    if text(container, "image").is_empty() {
        errors.push(FieldError::required(format!("{at}.image"), ""));
    }
    let policy = text(container, "imagePullPolicy");
    let policies = ["Always", "IfNotPresent", "Never"];
    let port_names: Vec<&str> = list(&container["ports"])
        .iter()
        .map(|port| text(port, "name"))
        .collect();
    for (index, port) in list(&container["ports"]).iter().enumerate() {
        let at = format!("{at}.ports[{index}]");
        let name = port_names[index];
        if !name.is_empty() && port_names[..index].contains(&name) {
            errors.push(FieldError::duplicate(format!("{at}.name"), name));
        }
        let number = port["containerPort"].as_i64().unwrap_or(0);
        if number == 0 {
            errors.push(FieldError::required(format!("{at}.containerPort"), ""));
        } else if !(1..=65535).contains(&number) {
            errors.push(FieldError::invalid(
                format!("{at}.containerPort"),
                &number.to_string(),
                PORT_RANGE,
            ));
        }
        if let Some(host) = port["hostPort"].as_i64() {
            if !(1..=65535).contains(&host) {
                errors.push(FieldError::invalid(
                    format!("{at}.hostPort"),
                    &host.to_string(),
                    PORT_RANGE,
                ));
            } else if host_network && host != number {
                let detail = "must match `containerPort` when `hostNetwork` is true";
                errors.push(FieldError::invalid(
                    format!("{at}.containerPort"),
                    &number.to_string(),
                    detail,
                ));
            }
        }
        let protocol = text(port, "protocol");
        if !["SCTP", "TCP", "UDP"].contains(&protocol) {
            errors.push(FieldError::unsupported(
                format!("{at}.protocol"),
                protocol,
                &["SCTP", "TCP", "UDP"],
            ));
        }
    }
    for (index, variable) in list(&container["env"]).iter().enumerate() {
        if text(variable, "name").is_empty() {
            errors.push(FieldError::required(format!("{at}.env[{index}].name"), ""));
        }
    }
    for (index, mount) in list(&container["volumeMounts"]).iter().enumerate() {
        let at = format!("{at}.volumeMounts[{index}]");
        let name = text(mount, "name");
        if name.is_empty() {
            errors.push(FieldError::required(format!("{at}.name"), ""));
        }
        if !volumes.contains(&name) {
            errors.push(FieldError {
                field: format!("{at}.name"),
                reason: "FieldValueNotFound",
                message: format!("Not found: {}", quoted(name)),
            });
        }
        if text(mount, "mountPath").is_empty() {
            errors.push(FieldError::required(format!("{at}.mountPath"), ""));
        }
    }
    if !policies.contains(&policy) {
        errors.push(FieldError::unsupported(
            format!("{at}.imagePullPolicy"),
            policy,
            &policies,
        ));
    }
}

fn service(spec: &Value, errors: &mut Errors) {
    let headless = spec["clusterIP"] == "None";
    let ports = list(&spec["ports"]);
    if ports.is_empty() && !headless && text(spec, "type") != "ExternalName" {
        errors.push(FieldError::required("spec.ports", ""));
    }
    let names: Vec<&str> = ports.iter().map(|port| text(port, "name")).collect();
    for (index, port) in ports.iter().enumerate() {
        let at = format!("spec.ports[{index}]");
        let name = names[index];
        if name.is_empty() {
            if ports.len() > 1 {
                errors.push(FieldError::required(format!("{at}.name"), ""));
            }
        } else if !is_label(name) {
            errors.push(FieldError::invalid(
                format!("{at}.name"),
                &quoted(name),
                DNS_LABEL,
            ));
        } else if names[..index].contains(&name) {
            errors.push(FieldError::duplicate(format!("{at}.name"), name));
        }
        let number = port["port"].as_i64().unwrap_or(0);
        if !(1..=65535).contains(&number) {
            errors.push(FieldError::invalid(
                format!("{at}.port"),
                &number.to_string(),
                PORT_RANGE,
            ));
        }
        let protocol = text(port, "protocol");
        if !["SCTP", "TCP", "UDP"].contains(&protocol) {
            errors.push(FieldError::unsupported(
                format!("{at}.protocol"),
                protocol,
                &["SCTP", "TCP", "UDP"],
            ));
        }
        if let Some(target) = port["targetPort"]
            .as_i64()
            .filter(|target| !(1..=65535).contains(target))
        {
            errors.push(FieldError::invalid(
                format!("{at}.targetPort"),
                &target.to_string(),
                PORT_RANGE,
            ));
        }
        if let Some(node) = port["nodePort"].as_i64() {
            if text(spec, "type") == "ClusterIP" {
                errors.push(FieldError::forbidden(
                    format!("{at}.nodePort"),
                    "may not be used when `type` is 'ClusterIP'",
                ));
            } else if !(30000..=32767).contains(&node) {
                let detail = "provided port is not in the valid range. The range of valid ports is 30000-32767";
                errors.push(FieldError::invalid(
                    format!("{at}.nodePort"),
                    &node.to_string(),
                    detail,
                ));
            }
        }
    }
    let ty = text(spec, "type");
    let types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
    if !types.contains(&ty) {
        errors.push(FieldError::unsupported("spec.type", ty, &types));
    }
    let affinity = text(spec, "sessionAffinity");
    if !["ClientIP", "None"].contains(&affinity) {
        errors.push(FieldError::unsupported(
            "spec.sessionAffinity",
            affinity,
            &["ClientIP", "None"],
        ));
    }
    if let Some(address) = spec["clusterIP"]
        .as_str()
        .filter(|address| !matches!(*address, "None" | ""))
        && address.parse::<std::net::IpAddr>().is_err()
    {
        let detail = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
        errors.push(FieldError::invalid(
            "spec.clusterIPs[0]",
            &quoted(address),
            detail,
        ));
    }
}

fn claim(spec: &Value, errors: &mut Errors) {
    let modes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce"];
    if list(&spec["accessModes"]).is_empty() {
        errors.push(FieldError::required(
            "spec.accessModes",
            "at least 1 access mode is required",
        ));
    }
    for mode in list(&spec["accessModes"])
        .iter()
        .filter_map(Value::as_str)
        .filter(|mode| !modes.contains(mode))
    {
        errors.push(FieldError::unsupported("spec.accessModes", mode, &modes));
    }
    match spec["resources"]["requests"]["storage"].as_str() {
        None => errors.push(FieldError::required("spec.resources[storage]", "")),
        Some(size) if size == "0" || size.starts_with('-') => {
            errors.push(FieldError::invalid(
                "spec.resources[storage]",
                &quoted(size),
                "must be greater than zero",
            ));
        }
        Some(_) => {}
    }
    if let Some(class) = spec["storageClassName"]
        .as_str()
        .filter(|class| !class.is_empty() && !class.split('.').all(is_label))
    {
        errors.push(FieldError::invalid(
            "spec.storageClassName",
            &quoted(class),
            DNS_SUBDOMAIN,
        ));
    }
}

fn binding(kind: &Kind, object: &Value, errors: &mut Errors) {
    let role = &object["roleRef"];
    let kinds: &[&str] = if kind.kind == "RoleBinding" {
        &["Role", "ClusterRole"]
    } else {
        &["ClusterRole"]
    };
    if text(role, "apiGroup") != "rbac.authorization.k8s.io" {
        errors.push(FieldError::unsupported(
            "roleRef.apiGroup",
            text(role, "apiGroup"),
            &["rbac.authorization.k8s.io"],
        ));
    }
    if !kinds.contains(&text(role, "kind")) {
        errors.push(FieldError::unsupported(
            "roleRef.kind",
            text(role, "kind"),
            kinds,
        ));
    }
    if text(role, "name").is_empty() {
        errors.push(FieldError::required("roleRef.name", ""));
    }
    for (index, subject) in list(&object["subjects"]).iter().enumerate() {
        let at = format!("subjects[{index}]");
        if text(subject, "name").is_empty() {
            errors.push(FieldError::required(format!("{at}.name"), ""));
        }
        match text(subject, "kind") {
            "ServiceAccount" => {
                if text(subject, "namespace").is_empty() && kind.kind == "ClusterRoleBinding" {
                    errors.push(FieldError::required(format!("{at}.namespace"), ""));
                }
                if !text(subject, "apiGroup").is_empty() {
                    errors.push(FieldError::unsupported(
                        format!("{at}.apiGroup"),
                        text(subject, "apiGroup"),
                        &[""],
                    ));
                }
            }
            "User" | "Group" => {
                if text(subject, "apiGroup") != "rbac.authorization.k8s.io" {
                    errors.push(FieldError::unsupported(
                        format!("{at}.apiGroup"),
                        text(subject, "apiGroup"),
                        &["rbac.authorization.k8s.io"],
                    ));
                }
            }
            other => errors.push(FieldError::unsupported(
                format!("{at}.kind"),
                other,
                &["ServiceAccount", "User", "Group"],
            )),
        }
    }
}

fn rules(object: &Value, errors: &mut Errors) {
    for (index, rule) in list(&object["rules"]).iter().enumerate() {
        let at = format!("rules[{index}]");
        if list(&rule["verbs"]).is_empty() {
            errors.push(FieldError::required(
                format!("{at}.verbs"),
                "verbs must contain at least one value",
            ));
        }
        if !list(&rule["nonResourceURLs"]).is_empty() {
            continue;
        }
        if list(&rule["apiGroups"]).is_empty() {
            errors.push(FieldError::required(
                format!("{at}.apiGroups"),
                "resource rules must supply at least one api group",
            ));
        }
        if list(&rule["resources"]).is_empty() {
            errors.push(FieldError::required(
                format!("{at}.resources"),
                "resource rules must supply at least one resource",
            ));
        }
    }
}

fn data_keys(object: &Value, errors: &mut Errors) {
    for field in ["data", "binaryData"] {
        for key in object[field]
            .as_object()
            .into_iter()
            .flat_map(|map| map.keys())
        {
            if key.is_empty()
                || key.len() > 253
                || !key
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
            {
                let detail = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
                errors.push(FieldError::invalid(
                    format!("{field}[{key}]"),
                    &quoted(key),
                    detail,
                ));
            }
        }
    }
}

fn ingress(spec: &Value, errors: &mut Errors) {
    if list(&spec["rules"]).is_empty() && spec["defaultBackend"].is_null() {
        errors.push(FieldError::invalid(
            "spec",
            "[]networking.IngressRule(nil)",
            "either `defaultBackend` or `rules` must be specified",
        ));
    }
    for (index, rule) in list(&spec["rules"]).iter().enumerate() {
        for (number, path) in list(&rule["http"]["paths"]).iter().enumerate() {
            let at = format!("spec.rules[{index}].http.paths[{number}]");
            let types = ["Exact", "ImplementationSpecific", "Prefix"];
            match path["pathType"].as_str() {
                None | Some("") => errors.push(FieldError::required(
                    format!("{at}.pathType"),
                    "pathType must be specified",
                )),
                Some(ty) if !types.contains(&ty) => errors.push(FieldError::unsupported(
                    format!("{at}.pathType"),
                    ty,
                    &types,
                )),
                Some(_) => {}
            }
            let service = &path["backend"]["service"];
            if service.is_object() && text(service, "name").is_empty() {
                errors.push(FieldError::required(
                    format!("{at}.backend.service.name"),
                    "",
                ));
            }
        }
    }
}

fn pod_security_policy(spec: &Value, errors: &mut Errors) {
    let rules: [(&str, &[&str]); 4] = [
        ("runAsUser", &["MustRunAs", "MustRunAsNonRoot", "RunAsAny"]),
        ("seLinux", &["MustRunAs", "RunAsAny"]),
        ("supplementalGroups", &["MayRunAs", "MustRunAs", "RunAsAny"]),
        ("fsGroup", &["MayRunAs", "MustRunAs", "RunAsAny"]),
    ];
    for (field, supported) in rules {
        let rule = text(&spec[field], "rule");
        if !supported.contains(&rule) {
            errors.push(FieldError::unsupported(
                format!("spec.{field}.rule"),
                rule,
                supported,
            ));
        }
    }
}
