//! Watches: the stream of changes that kubectl waits on, and the selectors that lists share with them.

use super::Shared;
use super::http::{Body, Request, Response};
use super::resource::Target;
use super::store::{Event, key};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Which objects a list or a watch is about, besides kind and namespace.
pub(crate) struct Selection {
    fields: Vec<(String, String, bool)>,
    labels: Vec<LabelTest>,
}

enum LabelTest {
    Is(String, String),
    IsNot(String, String),
    Exists(String),
    Lacks(String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
}

impl Selection {
    /// Reads the `fieldSelector` and `labelSelector` parameters.
    pub(crate) fn new(request: &Request, _target: &Target) -> Result<Self, String> {
        let mut fields = Vec::new();
        for part in request
            .query("fieldSelector")
            .unwrap_or_default()
            .split(',')
            .filter(|part| !part.is_empty())
        {
            let (left, equal, right) = if let Some((left, right)) = part.split_once("!=") {
                (left, false, right)
            } else if let Some((left, right)) = part.split_once('=') {
                (left, true, right.trim_start_matches('='))
            } else {
                return Err(format!("invalid field selector: {part:?}"));
            };
            fields.push((left.to_owned(), right.to_owned(), equal));
        }
        Ok(Self {
            fields,
            labels: parse_labels(request.query("labelSelector").unwrap_or_default())?,
        })
    }

    /// Says whether an object is selected.
    pub(crate) fn takes(&self, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        let label = |key: &str| labels[key].as_str();
        self.fields.iter().all(|(path, wanted, equal)| {
            let pointer = format!("/{}", path.replace('.', "/"));
            (object
                .pointer(&pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                == wanted)
                == *equal
        }) && self.labels.iter().all(|test| match test {
            LabelTest::Is(key, value) => label(key) == Some(value),
            LabelTest::IsNot(key, value) => label(key) != Some(value),
            LabelTest::Exists(key) => label(key).is_some(),
            LabelTest::Lacks(key) => label(key).is_none(),
            LabelTest::In(key, values) => {
                label(key).is_some_and(|label| values.iter().any(|value| value == label))
            }
            LabelTest::NotIn(key, values) => {
                !label(key).is_some_and(|label| values.iter().any(|value| value == label))
            }
        })
    }
}

fn parse_labels(text: &str) -> Result<Vec<LabelTest>, String> {
    let mut parts: Vec<String> = Vec::new();
    let mut depth = 0;
    let mut part = String::new();
    for c in text.chars() {
        match c {
            ',' if depth == 0 => parts.push(std::mem::take(&mut part)),
            _ => {
                depth += i32::from(c == '(') - i32::from(c == ')');
                part.push(c);
            }
        }
    }
    parts.push(part);
    parts
        .iter()
        .map(|part| part.trim())
        .filter(|part| !part.is_empty())
        .map(parse_label)
        .collect()
}

fn parse_label(part: &str) -> Result<LabelTest, String> {
    let own = |text: &str| text.trim().to_owned();
    let set = |text: &str| {
        text.trim()
            .trim_start_matches('(')
            .trim_end_matches(')')
            .split(',')
            .map(own)
            .collect()
    };
    if let Some((key, values)) = part.split_once(" notin ") {
        return Ok(LabelTest::NotIn(own(key), set(values)));
    }
    if let Some((key, values)) = part.split_once(" in ") {
        return Ok(LabelTest::In(own(key), set(values)));
    }
    if let Some((key, value)) = part.split_once("!=") {
        return Ok(LabelTest::IsNot(own(key), own(value)));
    }
    if let Some((key, value)) = part.split_once('=') {
        return Ok(LabelTest::Is(own(key), own(value.trim_start_matches('='))));
    }
    match part.strip_prefix('!') {
        Some(key) => Ok(LabelTest::Lacks(own(key))),
        None if part.contains(char::is_whitespace) => {
            Err(format!("unable to parse requirement: {part}"))
        }
        None => Ok(LabelTest::Exists(own(part))),
    }
}

/// Answers a watch: first what is there (where asked for), then each change until the client's time is over.
pub(crate) fn start(request: &Request, target: Target, shared: &Arc<Shared>) -> Response {
    let selection = match Selection::new(request, &target) {
        Ok(selection) => selection,
        Err(why) => {
            let failure = super::status::Failure::bad_request(why);
            return Response::json(failure.code, &failure.body());
        }
    };
    let since = request
        .query("resourceVersion")
        .and_then(|version| version.parse::<u64>().ok())
        .unwrap_or(0);
    let with_initial = since == 0 || request.flag("sendInitialEvents");
    let bookmark = request.flag("sendInitialEvents");
    let seconds = request
        .query("timeoutSeconds")
        .and_then(|seconds| seconds.parse().ok())
        .unwrap_or(1800);
    let deadline = Instant::now() + Duration::from_secs(seconds);
    let shared = Arc::clone(shared);
    let stream = move |send: &mut dyn FnMut(&[u8]) -> std::io::Result<()>| {
        let mut line = |what: &str, object: &Value| {
            send(format!("{}\n", json!({"type": what, "object": object})).as_bytes())
        };
        let (mut position, initial, version) = {
            let state = shared.store.lock();
            let initial: Vec<Value> = state
                .list(target.kind, &target.namespace)
                .filter(|object| with_initial && selection.takes(object))
                .cloned()
                .collect();
            let position = if with_initial {
                state.event_count()
            } else {
                state.position_after(since)
            };
            (position, initial, state.version())
        };
        for object in &initial {
            line("ADDED", object)?;
        }
        if bookmark {
            let metadata = json!({"resourceVersion": version.to_string(), "creationTimestamp": null, "annotations": {"k8s.io/initial-events-end": "true"}});
            line(
                "BOOKMARK",
                &json!({"kind": target.kind.kind, "apiVersion": target.kind.api_version(), "metadata": metadata}),
            )?;
        }
        while let Some(patience) = deadline.checked_duration_since(Instant::now()) {
            let Some(events) = shared.store.events_after(position, patience) else {
                return Ok(());
            };
            position += events.len();
            for event in events
                .iter()
                .filter(|event| concerns(event, &target) && selection.takes(&event.object))
            {
                line(event.what, &event.object)?;
            }
        }
        Ok(())
    };
    let mut response = Response::new(200, "application/json", Vec::new());
    response.body = Body::Stream(Box::new(stream));
    response
}

fn concerns(event: &Event, target: &Target) -> bool {
    let all = key(target.kind, &target.namespace, "");
    event.key.0 == all.0
        && event.key.1 == all.1
        && (target.namespace.is_empty() || event.key.2 == target.namespace)
}
