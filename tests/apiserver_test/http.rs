//! What the stand-in answers, request by request, without a kubectl.

use crate::support::kube::StandIn;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;

/// A client with one administrator's token.
struct Client {
    standin: StandIn,
    token: &'static str,
}

impl Client {
    fn new() -> Self {
        Self::of_version(None)
    }

    fn of_version(version: Option<&str>) -> Self {
        let client = Self {
            standin: StandIn::start_version("127.0.0.1:0", version),
            token: "admin-token",
        };
        let (status, _) = client.send(
            "POST",
            "/api/v1/namespaces",
            "application/json",
            &json!({"metadata": {"name": "shop"}}),
        );
        assert_eq!(status, 201);
        client
    }

    fn send(&self, method: &str, path: &str, content_type: &str, body: &Value) -> (u16, Value) {
        let (status, body) = self.raw(method, path, content_type, &body.to_string());
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    fn raw(&self, method: &str, path: &str, content_type: &str, body: &str) -> (u16, Vec<u8>) {
        let host = self.standin.url();
        let host = host.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).expect("the stand-in listens");
        stream
            .set_read_timeout(Some(std::time::Duration::from_secs(10)))
            .expect("a time limit");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        );
        stream
            .write_all(request.as_bytes())
            .expect("the request is sent");
        stream
            .shutdown(std::net::Shutdown::Write)
            .expect("the sending half closes");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let head = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .expect("a complete head");
        let status = String::from_utf8_lossy(&answer[9..12])
            .parse()
            .expect("a status");
        (status, answer[head + 4..].to_vec())
    }

    fn get(&self, path: &str) -> (u16, Value) {
        self.send("GET", path, "application/json", &Value::Null)
    }

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send("POST", path, "application/json", body)
    }
}

const SETS: &str = "/apis/apps/v1/namespaces/shop/replicasets";
const CLAIMS: &str = "/api/v1/namespaces/shop/persistentvolumeclaims";

fn replica_set() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "till"},
        "spec": {
            "selector": {"matchLabels": {"app": "till"}},
            "template": {"metadata": {"labels": {"app": "till"}}, "spec": {"containers": [{"name": "till", "image": "till:1"}]}},
        },
    })
}

fn claim(size: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "drawer"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}},
    })
}

#[test]
fn what_a_manifest_leaves_out_is_filled_in() {
    let client = Client::new();
    let (status, object) = client.post(SETS, &replica_set());
    assert_eq!(status, 201);
    let container = &object["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(object["spec"]["replicas"], 1);
    assert_eq!(object["metadata"]["generation"], 1);
    assert_eq!(container["imagePullPolicy"], "IfNotPresent");
    assert_eq!(container["resources"], json!({}));
    assert_eq!(
        object["spec"]["template"]["metadata"]["creationTimestamp"],
        Value::Null
    );
    assert_eq!(object["status"], json!({"replicas": 0}));
}

#[test]
fn a_patch_that_changes_nothing_keeps_the_resource_version() {
    let client = Client::new();
    let (_, before) = client.post(SETS, &replica_set());
    let path = format!("{SETS}/till");
    for ty in [
        "application/merge-patch+json",
        "application/strategic-merge-patch+json",
    ] {
        let (status, after) = client.send("PATCH", &path, ty, &json!({"spec": {"replicas": 1}}));
        assert_eq!(
            (status, &after["metadata"]["resourceVersion"]),
            (200, &before["metadata"]["resourceVersion"]),
            "{ty}"
        );
    }
    let (_, after) = client.send(
        "PATCH",
        &path,
        "application/merge-patch+json",
        &json!({"spec": {"replicas": 2}}),
    );
    assert_ne!(
        after["metadata"]["resourceVersion"],
        before["metadata"]["resourceVersion"]
    );
    assert_eq!(after["metadata"]["generation"], 2);
}

#[test]
fn a_dry_run_answers_as_the_write_would_and_writes_nothing() {
    let client = Client::new();
    let (status, object) = client.post(&format!("{SETS}?dryRun=All"), &replica_set());
    assert_eq!((status, &object["spec"]["replicas"]), (201, &json!(1)));
    assert_eq!(client.get(&format!("{SETS}/till")).0, 404);
    let (_, before) = client.post(SETS, &replica_set());
    let patch = json!({"spec": {"replicas": 3}});
    let (_, seen) = client.send(
        "PATCH",
        &format!("{SETS}/till?dryRun=All"),
        "application/merge-patch+json",
        &patch,
    );
    assert_eq!(seen["spec"]["replicas"], 3);
    assert_eq!(client.get(&format!("{SETS}/till")).1, before);
    client.send(
        "DELETE",
        &format!("{SETS}/till?dryRun=All"),
        "application/json",
        &Value::Null,
    );
    assert_eq!(client.get(&format!("{SETS}/till")).0, 200);
}

#[test]
fn strategic_merge_joins_containers_by_name_and_merge_patch_replaces_them() {
    let client = Client::new();
    client.post(SETS, &replica_set());
    let path = format!("{SETS}/till");
    let second = json!({"spec": {"template": {"spec": {"containers": [{"name": "drawer", "image": "drawer:1"}]}}}});
    let (_, joined) = client.send(
        "PATCH",
        &path,
        "application/strategic-merge-patch+json",
        &second,
    );
    assert_eq!(
        joined["spec"]["template"]["spec"]["containers"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    let (_, replaced) = client.send("PATCH", &path, "application/merge-patch+json", &second);
    assert_eq!(
        replaced["spec"]["template"]["spec"]["containers"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}

#[test]
fn a_changed_selector_is_refused_in_the_real_servers_words() {
    let client = Client::new();
    client.post(SETS, &replica_set());
    let labels = json!({"app": "other"});
    let patch = json!({"spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}});
    let (status, answer) = client.send(
        "PATCH",
        &format!("{SETS}/till"),
        "application/merge-patch+json",
        &patch,
    );
    assert_eq!((status, answer["reason"].as_str()), (422, Some("Invalid")));
    assert_eq!(
        answer["message"],
        "ReplicaSet.apps \"till\" is invalid: spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{\"app\":\"other\"}, \
         MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable"
    );
}

#[test]
fn a_claim_keeps_its_size_and_compares_sizes_by_value() {
    let client = Client::new();
    assert_eq!(
        client.post(CLAIMS, &claim("10240Mi")).1["spec"]["resources"]["requests"]["storage"],
        "10Gi"
    );
    let path = format!("{CLAIMS}/drawer");
    let size = |size: &str| json!({"spec": {"resources": {"requests": {"storage": size}}}});
    assert_eq!(
        client
            .send(
                "PATCH",
                &path,
                "application/merge-patch+json",
                &size("10Gi")
            )
            .0,
        200
    );
    let (status, answer) = client.send(
        "PATCH",
        &path,
        "application/merge-patch+json",
        &size("20Gi"),
    );
    assert_eq!(status, 422);
    let message = answer["message"].as_str().unwrap_or_default();
    assert!(message.contains("spec: Forbidden: spec is immutable after creation except resources.requests for bound claims"), "{message}");
}

#[test]
fn a_reader_may_look_but_not_write() {
    let mut client = Client::new();
    client.post(SETS, &replica_set());
    client.token = "reader-token";
    assert_eq!(client.get(SETS).0, 200);
    let (status, answer) = client.send(
        "PATCH",
        &format!("{SETS}/till?dryRun=All"),
        "application/merge-patch+json",
        &json!({}),
    );
    assert_eq!(status, 403);
    assert_eq!(
        answer["message"],
        "replicasets.apps \"till\" is forbidden: User \"reader\" cannot patch resource \"replicasets\" in API group \"apps\" in the namespace \"shop\""
    );
    let (_, answer) = client.post("/api/v1/namespaces", &json!({"metadata": {"name": "mine"}}));
    assert_eq!(
        answer["message"],
        "namespaces is forbidden: User \"reader\" cannot create resource \"namespaces\" in API group \"\" at the cluster scope"
    );
    client.token = "wrong";
    assert_eq!(client.get(SETS).0, 401);
}

#[test]
fn wrong_types_and_unknown_fields_are_named() {
    let client = Client::new();
    let mut wrong = replica_set();
    wrong["spec"]["replicas"] = "three".into();
    let (status, answer) = client.post(SETS, &wrong);
    assert_eq!(status, 400);
    let message = answer["message"].as_str().unwrap_or_default();
    assert!(message.contains("cannot unmarshal string into Go struct field ReplicaSetSpec.spec.replicas of type int32"), "{message}");
    let mut unknown = replica_set();
    unknown["spec"]["template"]["spec"]["containers"][0]["imagge"] = "x".into();
    let (status, answer) = client.post(&format!("{SETS}?fieldValidation=Strict"), &unknown);
    assert_eq!(status, 400);
    let message = answer["message"].as_str().unwrap_or_default();
    assert!(
        message.ends_with(
            "strict decoding error: unknown field \"spec.template.spec.containers[0].imagge\""
        ),
        "{message}"
    );
    let (status, object) = client.post(&format!("{SETS}?fieldValidation=Ignore"), &unknown);
    assert_eq!(
        (
            status,
            &object["spec"]["template"]["spec"]["containers"][0]["imagge"]
        ),
        (201, &Value::Null)
    );
}

#[test]
fn applying_over_somebody_elses_field_is_a_conflict_unless_forced() {
    let client = Client::new();
    let apply = |query: &str, body: &Value| {
        client.send(
            "PATCH",
            &format!("{SETS}/till?{query}"),
            "application/apply-patch+yaml",
            body,
        )
    };
    let mut three = replica_set();
    three["spec"]["replicas"] = 3.into();
    assert_eq!(apply("fieldManager=one", &three).0, 201);
    let mut four = replica_set();
    four["spec"]["replicas"] = 4.into();
    let (status, answer) = apply("fieldManager=two", &four);
    assert_eq!(
        (status, answer["message"].as_str()),
        (
            409,
            Some("Apply failed with 1 conflict: conflict with \"one\": .spec.replicas")
        )
    );
    let (status, object) = apply("fieldManager=two&force=true", &four);
    assert_eq!((status, &object["spec"]["replicas"]), (200, &json!(4)));
    // Who stops stating a field that nobody else states gives it up.
    let (_, object) = apply("fieldManager=two", &replica_set());
    assert_eq!(object["spec"]["replicas"], 1);
}

#[test]
fn a_deleted_namespace_takes_everything_with_it() {
    let client = Client::new();
    client.post(SETS, &replica_set());
    let (status, gone) = client.send(
        "DELETE",
        "/api/v1/namespaces/shop",
        "application/json",
        &Value::Null,
    );
    assert_eq!(
        (status, &gone["status"]["phase"]),
        (200, &json!("Terminating"))
    );
    let (status, answer) = client.post(CLAIMS, &claim("1Gi"));
    let message = answer["message"].as_str().unwrap_or_default();
    assert!(
        status == 403
            && message.ends_with(
                "unable to create new content in namespace shop because it is being terminated"
            ),
        "{message}"
    );
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while client.get("/api/v1/namespaces/shop").0 == 200 && std::time::Instant::now() < deadline {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(client.get("/api/v1/namespaces/shop").0, 404);
    assert_eq!(
        client.get("/apis/apps/v1/replicasets").1["items"],
        json!([])
    );
    let (status, answer) = client.post(SETS, &replica_set());
    assert_eq!(
        (status, answer["message"].as_str()),
        (404, Some("namespaces \"shop\" not found"))
    );
}

#[test]
fn a_watch_tells_of_changes_since_a_version_and_ends_in_time() {
    let client = Client::new();
    let (_, object) = client.post(SETS, &replica_set());
    let version = object["metadata"]["resourceVersion"]
        .as_str()
        .unwrap_or_default();
    client.send(
        "DELETE",
        &format!("{SETS}/till"),
        "application/json",
        &Value::Null,
    );
    let path = format!(
        "{SETS}?watch=true&timeoutSeconds=1&resourceVersion={version}&fieldSelector=metadata.name%3Dtill"
    );
    let (status, stream) = client.raw("GET", &path, "application/json", "");
    let stream = String::from_utf8_lossy(&stream);
    assert_eq!(status, 200);
    assert!(
        stream.contains("\"type\":\"DELETED\"") && !stream.contains("ADDED"),
        "{stream}"
    );
}

#[test]
fn openapi_version_three_is_there_from_1_24_on() {
    let new = Client::new();
    assert!(new.get("/openapi/v3/apis/apps/v1").1["components"]["schemas"]["io.k8s.api.apps.v1.ReplicaSet"].is_object());
    let old = Client::of_version(Some("1.20.2"));
    assert_eq!(old.get("/openapi/v3").0, 404);
    assert_eq!(old.get("/version").1["gitVersion"], "v1.20.2");
}

#[test]
fn quantities_take_their_canonical_form() {
    for (given, canonical) in [
        ("10Gi", "10Gi"),
        ("1024Mi", "1Gi"),
        ("1000m", "1"),
        ("0.5", "500m"),
        ("1.5Gi", "1536Mi"),
        ("1e3", "1e3"),
        ("2000", "2k"),
        ("0", "0"),
    ] {
        assert_eq!(
            crate::standin::canonical_quantity(given).as_deref(),
            Ok(canonical),
            "{given}"
        );
    }
    assert!(crate::standin::canonical_quantity("10 Gigs").is_err());
}
