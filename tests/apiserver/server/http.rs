//! HTTP/1.1 as far as kubectl uses it: keep-alive, bodies with a length or in chunks, streamed answers.

use std::fmt::Write as _;
use std::io::{self, BufRead, Read, Write};

const MAX_LINE: u64 = 64 * 1024;
const MAX_BODY: usize = 16 * 1024 * 1024;

/// One request, its path and query already decoded.
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query as they were sent.
    pub(crate) target: String,
    pub(crate) path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The bearer token, from the header or from a path that starts with `/token/TOKEN/`.
    pub(crate) token: Option<String>,
}

/// The sender of a streamed answer: writes parts until there are no more.
pub(crate) type Streamer =
    Box<dyn FnOnce(&mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> + Send>;

/// What an answer carries.
pub(crate) enum Body {
    Bytes(Vec<u8>),
    Stream(Streamer),
}

/// One answer.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    /// Sent as `Warning` headers, which kubectl prints.
    pub(crate) warnings: Vec<String>,
    pub(crate) body: Body,
}

impl Request {
    /// Reads the next request of a connection; `None` at its end.
    pub(crate) fn read(stream: &mut impl BufRead) -> io::Result<Option<Self>> {
        let Some(first) = read_line(stream)? else {
            return Ok(None);
        };
        let mut words = first.split(' ');
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Err(malformed("request line"));
        };
        let mut headers = Vec::new();
        loop {
            let line = read_line(stream)?.ok_or_else(|| malformed("headers"))?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or_else(|| malformed("header"))?;
            headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
        // kubectl sends no credentials over plain HTTP, so a kubeconfig's server URL may carry them.
        let in_path = target
            .strip_prefix("/token/")
            .map(|rest| rest.split_once('/').unwrap_or((rest, "")));
        let stripped = in_path.map(|(_, rest)| format!("/{rest}"));
        let target = stripped.as_deref().unwrap_or(target);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut request = Self {
            method: method.to_owned(),
            target: target.to_owned(),
            path: decode(path, false),
            query: query
                .split('&')
                .filter(|part| !part.is_empty())
                .map(|part| part.split_once('=').unwrap_or((part, "")))
                .map(|(name, value)| (decode(name, true), decode(value, true)))
                .collect(),
            headers,
            body: Vec::new(),
            token: in_path.map(|(token, _)| token.to_owned()),
        };
        if let Some((scheme, token)) = request.header("authorization").split_once(' ')
            && scheme.eq_ignore_ascii_case("bearer")
        {
            request.token = Some(token.trim().to_owned());
        }
        request.body = request.read_body(stream)?;
        Ok(Some(request))
    }

    fn read_body(&self, stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        if self
            .header("transfer-encoding")
            .eq_ignore_ascii_case("chunked")
        {
            loop {
                let line = read_line(stream)?.ok_or_else(|| malformed("chunk"))?;
                let size = line.split(';').next().unwrap_or_default().trim();
                let size = usize::from_str_radix(size, 16).map_err(|_| malformed("chunk size"))?;
                let at = body.len();
                if at.saturating_add(size) > MAX_BODY {
                    return Err(malformed("body: too long"));
                }
                body.resize(at + size, 0);
                stream.read_exact(&mut body[at..])?;
                read_line(stream)?;
                if size == 0 {
                    return Ok(body);
                }
            }
        }
        let length = match self.header("content-length") {
            "" => 0,
            text => text.parse().map_err(|_| malformed("content length"))?,
        };
        if length > MAX_BODY {
            return Err(malformed("body: too long"));
        }
        body.resize(length, 0);
        stream.read_exact(&mut body)?;
        Ok(body)
    }

    /// Returns a header's value, or an empty string. `name` is in lower case.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value)
    }

    /// Returns a query parameter's first value.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Says whether a boolean query parameter is set.
    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.query(name), Some("true" | "1"))
    }
}

impl Response {
    /// Makes an answer with a body of that type.
    pub(crate) fn new(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        Self {
            status,
            content_type: content_type.to_owned(),
            warnings: Vec::new(),
            body: Body::Bytes(body),
        }
    }

    /// Makes an answer with a JSON body.
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, "application/json", format!("{body}\n").into_bytes())
    }

    /// Makes an answer that is plain text.
    pub(crate) fn text(status: u16, body: &str) -> Self {
        Self::new(
            status,
            "text/plain; charset=utf-8",
            body.as_bytes().to_vec(),
        )
    }

    /// Sends the answer.
    pub(crate) fn write(self, stream: &mut impl Write) -> io::Result<()> {
        let mut head = format!(
            "HTTP/1.1 {} {}\r\nContent-Type: {}\r\n",
            self.status,
            reason(self.status),
            self.content_type
        );
        for warning in &self.warnings {
            head.push_str("Warning: 299 - \"");
            head.push_str(&warning.replace('\\', "\\\\").replace('"', "\\\""));
            head.push_str("\"\r\n");
        }
        match self.body {
            Body::Bytes(body) => {
                let _ = write!(head, "Content-Length: {}\r\n\r\n", body.len());
                let mut all = head.into_bytes();
                all.extend_from_slice(&body);
                stream.write_all(&all)?;
            }
            Body::Stream(send) => {
                head.push_str("Transfer-Encoding: chunked\r\n\r\n");
                stream.write_all(head.as_bytes())?;
                stream.flush()?;
                send(&mut |part| {
                    let mut chunk = format!("{:x}\r\n", part.len()).into_bytes();
                    chunk.extend_from_slice(part);
                    chunk.extend_from_slice(b"\r\n");
                    stream.write_all(&chunk)?;
                    stream.flush()
                })?;
                stream.write_all(b"0\r\n\r\n")?;
            }
        }
        stream.flush()
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        409 => "Conflict",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Entity",
        _ => "Status",
    }
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("malformed {what}"))
}

fn read_line(stream: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    stream
        .by_ref()
        .take(MAX_LINE)
        .read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.pop() != Some(b'\n') {
        return Err(malformed("line"));
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line)
        .map(Some)
        .map_err(|_| malformed("line"))
}

fn decode(text: &str, plus_is_space: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        if let Some(byte) = escaped {
            out.push(byte);
            at += 3;
        } else {
            out.push(if plus_is_space && bytes[at] == b'+' {
                b' '
            } else {
                bytes[at]
            });
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
