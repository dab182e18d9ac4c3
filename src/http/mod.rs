//! HTTP and HTTPS as Ansible's requests are: redirects, credentials, proxies, certificates.
//!
//! Knows neither lookups nor modules; the environment is passed in. What goes wrong is a [`Fault`], whose kinds
//! are those that Ansible words differently.

mod places;
mod reach;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ureq::http;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};

use crate::diag::os_message;
use places::{Target, bypasses, proxy_of};
use reach::{Anywhere, Reach};

/// How many redirects are followed.
const MAX_REDIRECTS: usize = 10;
/// How often one address may come up among them.
const MAX_REPEATS: usize = 4;
/// The longest body that is read, in bytes.
const MAX_BODY: u64 = 1 << 30;

/// Which redirects are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirects {
    /// As Python does by itself: those of requests without a body.
    Python,
    /// All.
    All,
    /// Those of GET and HEAD.
    Safe,
    /// None.
    None,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// Where to; names and passwords in it are credentials.
    pub url: String,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Names of headers that a redirected request doesn't have.
    pub unredirected: Vec<String>,
    /// What it sends.
    pub body: Option<Vec<u8>>,
    /// How long the server may say nothing.
    pub timeout: Duration,
    /// Whether certificates have to be right.
    pub validate_certs: bool,
    /// A file of certificates to trust, in place of the system's.
    pub ca_path: Option<PathBuf>,
    /// Which redirects are followed.
    pub redirects: Redirects,
    /// A name and a password.
    pub credentials: Option<(String, String)>,
    /// Whether they are sent before the server asks.
    pub force_basic_auth: bool,
    /// Whether `~/.netrc` may have some.
    pub use_netrc: bool,
    /// Whether the environment's proxies are used.
    pub use_proxy: bool,
    /// The socket of the server, in place of its address.
    pub unix_socket: Option<PathBuf>,
}

impl Request {
    /// Makes a request that gets an address, with Ansible's defaults.
    pub fn get(url: &str) -> Request {
        Request {
            method: "GET".to_owned(),
            url: url.to_owned(),
            headers: Vec::new(),
            unredirected: Vec::new(),
            body: None,
            timeout: Duration::from_secs(10),
            validate_certs: true,
            ca_path: None,
            redirects: Redirects::Python,
            credentials: None,
            force_basic_auth: false,
            use_netrc: true,
            use_proxy: true,
            unix_socket: None,
        }
    }
}

/// What a server answered.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Where it came from, after redirects.
    pub url: String,
    /// Its headers, names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body, unpacked where it was compressed.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    /// The server refused: `HTTP Error 404: Not Found`.
    Status(String),
    /// There was no talking to it: the reason of Python's `urlopen error`.
    Unreachable(String),
    /// Anything else, as it is said.
    Other(String),
}

impl Response {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Sends a request and follows redirects.
///
/// # Errors
/// No answer, or one that is no success.
pub fn send(request: &Request, environment: &BTreeMap<String, String>) -> Result<Response, Fault> {
    if let Some(path) = request.url.strip_prefix("file://") {
        return file(path, &request.url);
    }
    let mut request = request.clone();
    let mut visited: Vec<String> = Vec::new();
    loop {
        let response = answer(&request, environment)?;
        let refused = |more: &str| {
            let reason = reason(response.status);
            Fault::Status(format!("HTTP Error {}: {reason}{more}", response.status))
        };
        if (200..300).contains(&response.status) {
            return Ok(response);
        }
        let location = response.header("location").filter(|_| {
            matches!(response.status, 301 | 302 | 303 | 307 | 308)
                && follows(&request, response.status)
        });
        let Some(location) = location else {
            return Err(refused(""));
        };
        let next = places::joined(&response.url, location);
        if !["http", "https"].contains(&places::scheme(&next).as_str()) {
            return Err(refused(&format!(
                " - Redirection to url '{next}' is not allowed"
            )));
        }
        let repeats = visited.iter().filter(|url| **url == next).count();
        if repeats >= MAX_REPEATS || visited.len() >= MAX_REDIRECTS {
            return Err(Fault::Status(format!(
                "HTTP Error {}: The HTTP server returned a redirect error that would lead to an infinite loop.\nThe last 30x error message was:\n{}",
                response.status,
                reason(response.status)
            )));
        }
        visited.push(next.clone());
        redirect(&mut request, response.status, next);
    }
}

/// Reads a file that an address names, as Python does.
fn file(path: &str, url: &str) -> Result<Response, Fault> {
    let path = places::decoded(path);
    let body = std::fs::read(&path).map_err(|error| {
        let number = error.raw_os_error().unwrap_or_default();
        Fault::Unreachable(format!("[Errno {number}] {}: '{path}'", os_message(&error)))
    })?;
    Ok(Response {
        status: 200,
        url: url.to_owned(),
        headers: Vec::new(),
        body,
    })
}

/// Says whether a redirect of this status is followed.
fn follows(request: &Request, status: u16) -> bool {
    let reads = matches!(request.method.as_str(), "GET" | "HEAD");
    match request.redirects {
        Redirects::All => true,
        Redirects::Safe => reads,
        Redirects::None => false,
        Redirects::Python => reads || request.method == "POST" && matches!(status, 301..=303),
    }
}

/// Turns a request into the one that a redirect asks for.
fn redirect(request: &mut Request, status: u16, url: String) {
    let reads = request.method == "HEAD" || request.method == "GET";
    let becomes_get = match status {
        302 | 303 => !reads,
        301 => request.method == "POST",
        _ => false,
    };
    if becomes_get {
        "GET".clone_into(&mut request.method);
        request.body = None;
        request
            .headers
            .retain(|(name, _)| !name.to_lowercase().starts_with("content-"));
    }
    let unredirected = std::mem::take(&mut request.unredirected);
    request.headers.retain(|(name, _)| {
        !unredirected
            .iter()
            .any(|other| other.eq_ignore_ascii_case(name))
    });
    request.url = url;
}

/// Sends a request once, and once more with credentials where the server asks for them.
fn answer(request: &Request, environment: &BTreeMap<String, String>) -> Result<Response, Fault> {
    let target = Target::read(&request.url)?;
    let given = request
        .credentials
        .clone()
        .or_else(|| target.credentials.clone());
    let own = request
        .headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let first = match &given {
        _ if own => None,
        Some(_) if request.force_basic_auth => given.clone(),
        None if request.use_netrc => places::netrc(&target.host, environment),
        _ => None,
    };
    let response = exchange(request, &target, first.as_ref(), environment)?;
    let asks = response.status == 401
        && response
            .header("www-authenticate")
            .is_some_and(|how| how.to_lowercase().starts_with("basic"));
    match given {
        Some(given) if asks && first.is_none() && !own => {
            exchange(request, &target, Some(&given), environment)
        }
        _ => Ok(response),
    }
}

/// Writes a name and a password as the header `Authorization` has them.
fn basic((user, password): &(String, String)) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

fn exchange(
    request: &Request,
    target: &Target,
    credentials: Option<&(String, String)>,
    environment: &BTreeMap<String, String>,
) -> Result<Response, Fault> {
    let proxy = Some(&target.host)
        .filter(|host| {
            request.use_proxy && request.unix_socket.is_none() && !bypasses(host, environment)
        })
        .and_then(|_| proxy_of(&target.scheme, environment))
        .map(|proxy| Target::read(&proxy))
        .transpose()?;
    let secure = target.scheme == "https";
    let mut config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .max_redirects(0)
        .accept("")
        .accept_encoding("identity")
        .timeout_connect(Some(request.timeout))
        .timeout_per_read(Some(request.timeout))
        .timeout_per_write(Some(request.timeout))
        .user_agent("");
    if secure || request.ca_path.is_some() {
        config = config.tls_config(trust(request)?);
    }
    let mut reach = Reach::new(request.timeout, request.unix_socket.clone());
    let mut headers = request.headers.clone();
    if let Some(credentials) = credentials {
        headers.push(("Authorization".to_owned(), basic(credentials)));
    }
    match proxy {
        Some(proxy) if secure => {
            let made = ureq::Proxy::new(&proxy.with_credentials());
            config = config.proxy(Some(made.map_err(|error| Fault::Other(error.to_string()))?));
        }
        Some(proxy) => {
            if let Some(credentials) = &proxy.credentials {
                headers.push(("Proxy-Authorization".to_owned(), basic(credentials)));
            }
            reach = reach.through(proxy, target);
        }
        None => {}
    }
    let mut built = http::Request::builder()
        .method(request.method.as_str())
        .uri(target.url());
    headers.push(("Connection".to_owned(), "close".to_owned()));
    for (name, value) in &headers {
        built = built.header(name, value);
    }
    let agent = ureq::Agent::with_parts(config.build(), reach.connector(), Anywhere);
    let bad = |error: http::Error| Fault::Other(error.to_string());
    let answered = match &request.body {
        Some(body) => agent.run(built.body(body.clone()).map_err(bad)?),
        None => agent.run(built.body(()).map_err(bad)?),
    };
    let mut answered = answered.map_err(|error| fault(error, &target.host))?;
    let headers = answered
        .headers()
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect();
    let mut response = Response {
        status: answered.status().as_u16(),
        url: target.url(),
        headers,
        body: Vec::new(),
    };
    let mut reader = answered.body_mut().with_config().limit(MAX_BODY).reader();
    if let Err(error) = reader.read_to_end(&mut response.body) {
        let read = response.body.len();
        let length = response.header("content-length").map(str::parse::<usize>);
        return Err(match (error.kind(), length) {
            (std::io::ErrorKind::UnexpectedEof, Some(Ok(length))) => Fault::Other(format!(
                "IncompleteRead({read} bytes read, {} more expected)",
                length.saturating_sub(read)
            )),
            _ => fault(ureq::Error::from(error), &target.host),
        });
    }
    if response.header("content-encoding") == Some("gzip") {
        let mut out = Vec::new();
        flate2::read::MultiGzDecoder::new(&response.body[..])
            .take(MAX_BODY)
            .read_to_end(&mut out)
            .map_err(|error| Fault::Other(error.to_string()))?;
        response.body = out;
    }
    Ok(response)
}

/// Says whose certificates are trusted.
fn trust(request: &Request) -> Result<TlsConfig, Fault> {
    let certificates = match &request.ca_path {
        Some(path) => {
            let unreadable = |error: std::io::Error| {
                let number = error.raw_os_error().unwrap_or_default();
                Fault::Other(format!("[Errno {number}] {}", os_message(&error)))
            };
            let bytes = std::fs::read(path).map_err(unreadable)?;
            let found: Vec<_> = ureq::tls::parse_pem(&bytes)
                .filter_map(|item| match item {
                    Ok(PemItem::Certificate(certificate)) => Some(certificate),
                    _ => None,
                })
                .collect();
            if found.is_empty() {
                return Err(Fault::Other(
                    "[X509: NO_CERTIFICATE_OR_CRL_FOUND] no certificate or crl found".to_owned(),
                ));
            }
            found
        }
        None if request.validate_certs => rustls_native_certs::load_native_certs()
            .certs
            .iter()
            .map(|certificate| Certificate::from_der(certificate).to_owned())
            .collect(),
        None => Vec::new(),
    };
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(certificates)))
        .disable_verification(!request.validate_certs)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build())
}

/// Words why a request got no answer, as Python does.
fn fault(error: ureq::Error, host: &str) -> Fault {
    let closed = || Fault::Other("Remote end closed connection without response".to_owned());
    match error {
        ureq::Error::Io(error) => match error.downcast::<rustls::Error>() {
            Ok(error) => Fault::Unreachable(tls_message(&error, host)),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => closed(),
            Err(error) => match error.raw_os_error() {
                Some(number) => {
                    Fault::Unreachable(format!("[Errno {number}] {}", os_message(&error)))
                }
                None => Fault::Unreachable(error.to_string()),
            },
        },
        ureq::Error::Timeout(ureq::Timeout::Connect) => Fault::Unreachable("timed out".to_owned()),
        ureq::Error::Timeout(_) => Fault::Other("timed out".to_owned()),
        ureq::Error::HostNotFound => {
            Fault::Unreachable("[Errno -2] Name or service not known".to_owned())
        }
        ureq::Error::Rustls(error) => Fault::Unreachable(tls_message(&error, host)),
        ureq::Error::ConnectProxyFailed(said) => {
            Fault::Unreachable(format!("Tunnel connection failed: {said}"))
        }
        other => Fault::Other(other.to_string()),
    }
}

/// Words what TLS stopped at as OpenSSL does where it has words for it.
fn tls_message(error: &rustls::Error, host: &str) -> String {
    use rustls::CertificateError as Wrong;
    let said = match error {
        rustls::Error::InvalidCertificate(wrong) => match wrong {
            Wrong::UnknownIssuer => "unable to get local issuer certificate".to_owned(),
            Wrong::Expired | Wrong::ExpiredContext { .. } => "certificate has expired".to_owned(),
            Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => {
                "certificate is not yet valid".to_owned()
            }
            Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => {
                let what = match host.parse::<std::net::IpAddr>() {
                    Ok(_) => "IP address",
                    Err(_) => "Hostname",
                };
                format!("{what} mismatch, certificate is not valid for '{host}'.")
            }
            other => other.to_string(),
        },
        rustls::Error::InvalidMessage(_) => {
            return "[SSL: WRONG_VERSION_NUMBER] wrong version number".to_owned();
        }
        other => return format!("[SSL] {other}"),
    };
    format!("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {said}")
}

/// Returns the words that belong to a status.
fn reason(status: u16) -> &'static str {
    http::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("")
}

#[cfg(test)]
mod tests;
