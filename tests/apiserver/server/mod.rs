//! A stand-in for the Kubernetes API server, for fast tests and the demo: real kubectl talks to it.
//!
//! It keeps objects in memory and does what kubectl notices: discovery, `OpenAPI`, defaults,
//! validation, patches, server-side apply, dry runs, watches, resource versions, users. It runs no
//! controllers: no pods come from workloads, and nothing is scheduled. `tests/apiserver/README.md`
//! lists where it differs from the real server, `tests/kube/calibrate` compares the two.

mod auth;
mod conform;
mod defaults;
mod discovery;
mod fields;
mod http;
mod kinds;
mod openapi;
mod patch;
mod quantity;
mod resource;
mod schema;
mod status;
mod store;
mod table;
mod validate;
mod watch;

#[cfg(test)]
pub(crate) use quantity::canonical as canonical_quantity;

use auth::Auth;
use http::{Request, Response};
use schema::Schema;
use serde_json::{Value, json};
use std::io::{self, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use store::Store;

/// How a server is set up.
#[derive(Clone, Default)]
pub(crate) struct Options {
    /// The version it says it is, e.g. `1.32.0` (the default).
    pub(crate) version: Option<String>,
    /// Users and their tokens, as kube-apiserver's `--token-auth-file`; without it everybody may do everything.
    pub(crate) token_file: Option<PathBuf>,
    /// Gets one line a request: method, path with query, status.
    pub(crate) log: Option<PathBuf>,
}

/// A version such as `1.32.0`.
pub(crate) struct Version {
    text: String,
    minor: u32,
}

/// What all connections share.
struct Shared {
    version: Version,
    auth: Auth,
    schema: Schema,
    store: Store,
    /// The request lines so far, as in the log.
    requests: Mutex<Vec<String>>,
    log: Option<Mutex<std::fs::File>>,
    stopping: AtomicBool,
}

/// A running server; it ends when this is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Server {
    /// Starts serving on `listen`; port 0 takes any free one.
    pub(crate) fn start(listen: SocketAddr, options: &Options) -> io::Result<Self> {
        let text = options
            .version
            .clone()
            .unwrap_or_else(|| "1.32.0".to_owned());
        let minor = text.split('.').nth(1).and_then(|minor| minor.parse().ok());
        let minor = minor.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("not a version: {text}"),
            )
        })?;
        let log = options
            .log
            .as_ref()
            .map(|path| {
                std::fs::OpenOptions::new()
                    .create(true)
                    .append(true)
                    .open(path)
            })
            .transpose()?;
        let shared = Arc::new(Shared {
            version: Version { text, minor },
            auth: Auth::load(options.token_file.as_deref())?,
            schema: Schema::load(),
            store: Store::default(),
            requests: Mutex::default(),
            log: log.map(Mutex::new),
            stopping: AtomicBool::new(false),
        });
        resource::bootstrap(&shared);
        let listener = TcpListener::bind(listen)?;
        let address = listener.local_addr()?;
        let for_thread = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &for_thread));
        Ok(Self { address, shared })
    }

    /// Returns the address it listens on.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the requests so far, one line each: method, path with query, status.
    #[allow(
        dead_code,
        reason = "tests ask for it; the example program has its log file"
    )]
    pub(crate) fn requests(&self) -> Vec<String> {
        self.shared
            .requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.shared.store.close();
        // Wakes the accepting thread, which then sees the flag.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            // A connection that breaks concerns its client only.
            let _ = serve(stream, &shared);
        });
    }
}

fn serve(mut stream: TcpStream, shared: &Arc<Shared>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(request) = Request::read(&mut reader)? {
        if shared.stopping.load(Ordering::SeqCst) {
            return Ok(());
        }
        let response = answer(&request, shared);
        note(shared, &request, response.status);
        response.write(&mut stream)?;
    }
    Ok(())
}

fn note(shared: &Shared, request: &Request, status: u16) {
    let line = format!("{} {} {status}", request.method, request.target);
    if let Some(log) = &shared.log {
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        // A full disk must not end the server; the tests that count lines will notice.
        let _ = writeln!(log, "{line}");
    }
    shared
        .requests
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(line);
}

fn answer(request: &Request, shared: &Arc<Shared>) -> Response {
    let user = match shared.auth.authenticate(request) {
        Ok(user) => user,
        Err(failure) => return Response::json(failure.code, &failure.body()),
    };
    let path = request.path.trim_end_matches('/');
    if matches!(path, "/healthz" | "/livez" | "/readyz") {
        return Response::text(200, "ok");
    }
    let resources = path.starts_with("/api");
    if request.method == "GET" {
        let found = match path {
            "/version" => Some(Response::json(200, &version_document(&shared.version))),
            _ if path.starts_with("/openapi/") => openapi_document(request, shared),
            _ => discovery::answer(request, &shared.version),
        };
        if let Some(response) = found {
            return response;
        }
    }
    if !resources {
        return Response::text(404, "404 page not found\n");
    }
    resource::handle(request, &user, shared)
        .unwrap_or_else(|failure| Response::json(failure.code, &failure.body()))
}

fn version_document(version: &Version) -> Value {
    json!({
        "major": version.text.split('.').next(),
        "minor": version.minor.to_string(),
        "gitVersion": format!("v{}", version.text),
        "gitCommit": "", "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "", "compiler": "", "platform": "stand-in",
    })
}

/// Answers `/openapi/…`. Version 3 is there from 1.24 on, as with the real server.
fn openapi_document(request: &Request, shared: &Shared) -> Option<Response> {
    let (schema, version) = (&shared.schema, &shared.version);
    let path = request.path.trim_end_matches('/');
    if path == "/openapi/v2" {
        let document = openapi::v2(schema, version);
        // kubectl 1.20 parses the answer's content type, and an `@` in it is an error there.
        let protobuf = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
        let wants_protobuf = request.header("accept").contains("protobuf");
        return Some(if wants_protobuf {
            Response::new(200, protobuf, openapi::v2_protobuf(&document))
        } else {
            Response::json(200, &document)
        });
    }
    let rest = path
        .strip_prefix("/openapi/v3")
        .filter(|_| shared.version.minor >= 24)?;
    if rest.is_empty() {
        let paths: serde_json::Map<String, Value> = kinds::group_versions()
            .into_iter()
            .map(|(group, version)| {
                if group.is_empty() {
                    format!("api/{version}")
                } else {
                    format!("apis/{group}/{version}")
                }
            })
            .map(|path| {
                (
                    path.clone(),
                    json!({"serverRelativeURL": format!("/openapi/v3/{path}")}),
                )
            })
            .collect();
        return Some(Response::json(200, &json!({"paths": paths})));
    }
    let (group, group_version) = match (rest.strip_prefix("/api/"), rest.strip_prefix("/apis/")) {
        (Some(version), _) => ("", version),
        (_, Some(rest)) => rest.split_once('/')?,
        _ => return None,
    };
    kinds::group_versions()
        .contains(&(group, group_version))
        .then(|| Response::json(200, &openapi::v3(schema, version, group, group_version)))
}
