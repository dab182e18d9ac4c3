//! Where requests go: addresses taken apart, proxies, `~/.netrc`.
//!
//! **Source:** RFC 3986; Python's `urllib.request` and `netrc` for what is said and for proxies.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Fault;

/// An address, taken apart.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) scheme: String,
    pub(super) host: String,
    /// The port, where one is given.
    port: Option<u16>,
    /// Path and query.
    path: String,
    /// The name and the password before the host.
    pub(super) credentials: Option<(String, String)>,
}

impl Target {
    /// Reads an address.
    pub(super) fn read(url: &str) -> Result<Target, Fault> {
        let other = |said: String| Err(Fault::Other(said));
        let known = scheme(url);
        let Some((_, rest)) = url.split_once("://").filter(|_| !known.is_empty()) else {
            return other(format!("unknown url type: '{url}'"));
        };
        if !matches!(known.as_str(), "http" | "https") {
            return Err(Fault::Unreachable(format!("unknown url type: {known}")));
        }
        let rest = rest.split('#').next().unwrap_or("");
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(at);
        let path = match path {
            "" => "/".to_owned(),
            path if path.starts_with('?') => format!("/{path}"),
            path => path.to_owned(),
        };
        if let Some(bad) = path.chars().find(|c| *c <= ' ' || *c == '\u{7f}') {
            let shown = crate::value::Value::str(bad.to_string()).repr();
            return other(format!(
                "URL can't contain control characters. '{path}' (found at least {shown})"
            ));
        }
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (place, None),
        };
        if host.is_empty() {
            return Err(Fault::Unreachable("no host given".to_owned()));
        }
        let port = match port.filter(|port| !port.is_empty()) {
            None => None,
            Some(text) => match text.parse() {
                Ok(port) => Some(port),
                Err(_) => return other(format!("nonnumeric port: '{text}'")),
            },
        };
        let credentials = user.map(|user| {
            let (name, password) = user.split_once(':').unwrap_or((user, ""));
            (decoded(name), decoded(password))
        });
        Ok(Target {
            scheme: known,
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            path,
            credentials,
        })
    }

    /// Returns the port.
    pub(super) fn port(&self) -> u16 {
        let usual = if self.scheme == "https" { 443 } else { 80 };
        self.port.unwrap_or(usual)
    }

    /// Returns the scheme and the place, as they stand before a path.
    pub(super) fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.place())
    }

    /// Returns the address without credentials.
    pub(super) fn url(&self) -> String {
        format!("{}{}", self.origin(), self.path)
    }

    /// Returns the scheme and the place with what opens it.
    pub(super) fn with_credentials(&self) -> String {
        match &self.credentials {
            Some((user, password)) => {
                format!("{}://{user}:{password}@{}", self.scheme, self.place())
            }
            None => self.origin(),
        }
    }

    fn place(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        match self.port {
            Some(port) => format!("{host}:{port}"),
            None => host,
        }
    }
}

/// Returns the scheme of an address in small letters, or nothing.
pub(super) fn scheme(url: &str) -> String {
    let Some((scheme, _)) = url.split_once(':') else {
        return String::new();
    };
    let is_name = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    if is_name {
        scheme.to_lowercase()
    } else {
        String::new()
    }
}

/// Reads an address as it is meant where another one was read.
pub(super) fn joined(base: &str, place: &str) -> String {
    // What servers send unquoted is quoted, as Python does.
    let place: String = place
        .bytes()
        .map(|byte| match byte {
            b'!'..=b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect();
    if !scheme(&place).is_empty() {
        return place;
    }
    let Some((own, rest)) = base.split_once("://") else {
        return place;
    };
    if let Some(rest) = place.strip_prefix("//") {
        return format!("{own}://{rest}");
    }
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let path = path.split('?').next().unwrap_or("/");
    if place.starts_with('?') {
        return format!("{own}://{authority}{path}{place}");
    }
    let (place, query) = place.split_at(place.find(['?', '#']).unwrap_or(place.len()));
    let whole = if place.starts_with('/') {
        place.to_owned()
    } else {
        let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
        format!("{dir}/{place}")
    };
    let mut parts: Vec<&str> = Vec::new();
    let mut dir = false;
    for part in whole.split('/').skip(1) {
        dir = matches!(part, "" | "." | "..");
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    if dir && parts.last().is_some_and(|last| !last.is_empty()) {
        parts.push("");
    }
    format!("{own}://{authority}/{}{query}", parts.join("/"))
}

/// Puts bytes in place of `%xx`.
pub(super) fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

/// Returns the proxy that the environment has for a scheme.
pub(super) fn proxy_of(scheme: &str, environment: &BTreeMap<String, String>) -> Option<String> {
    let small = format!("{scheme}_proxy");
    let found = environment
        .get(&small)
        .or_else(|| environment.get(&small.to_uppercase()))
        .filter(|proxy| !proxy.is_empty())?;
    Some(if found.contains("://") {
        found.clone()
    } else {
        format!("http://{found}")
    })
}

/// Says whether the environment keeps a host away from proxies.
pub(super) fn bypasses(host: &str, environment: &BTreeMap<String, String>) -> bool {
    let list = environment
        .get("no_proxy")
        .or_else(|| environment.get("NO_PROXY"))
        .map_or("", String::as_str);
    let host = host.to_lowercase();
    list.split(',').map(str::trim).any(|name| {
        let name = name.trim_start_matches('.').to_lowercase();
        name == "*"
            || !name.is_empty()
                && host
                    .strip_suffix(&name)
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

/// Returns what `~/.netrc`, or the file that `NETRC` names, has for a host.
pub(super) fn netrc(
    host: &str,
    environment: &BTreeMap<String, String>,
) -> Option<(String, String)> {
    let path = match environment.get("NETRC") {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(environment.get("HOME")?).join(".netrc"),
    };
    let text = std::fs::read_to_string(path).ok()?;
    let mut words = text.split_whitespace();
    let (mut user, mut password, mut is_meant) = (None, None, false);
    while let Some(word) = words.next() {
        match word {
            "machine" | "default" => {
                if is_meant && password.is_some() {
                    break;
                }
                is_meant = word == "default" || words.next() == Some(host);
            }
            "login" if is_meant => user = words.next(),
            "password" if is_meant => password = words.next(),
            _ => {}
        }
    }
    Some((user.unwrap_or_default().to_owned(), password?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_beside_where_they_were_found() {
        let base = "http://h:1/a/b?q=1";
        for (place, wanted) in [
            ("c", "http://h:1/a/c"),
            ("/c d", "http://h:1/c%20d"),
            ("../c?x#y", "http://h:1/c?x#y"),
            ("//other/x", "http://other/x"),
            ("?z", "http://h:1/a/b?z"),
            ("https://k/", "https://k/"),
        ] {
            assert_eq!(joined(base, place), wanted, "{place}");
        }
    }

    #[test]
    fn hosts_and_the_domains_above_them_stay_away_from_proxies() {
        let environment =
            BTreeMap::from([("no_proxy".to_owned(), "localhost, .in.test".to_owned())]);
        assert!(bypasses("localhost", &environment));
        assert!(bypasses("a.in.test", &environment));
        assert!(!bypasses("ain.test", &environment));
    }
}
