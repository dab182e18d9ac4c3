//! Requests to a server of a few lines on the loopback address.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::sync::mpsc::{Receiver, channel};

use super::*;

type Heard = Receiver<String>;

/// Reads a request's first line and headers.
fn hear(stream: impl std::io::Read) -> String {
    let lines = BufReader::new(stream)
        .lines()
        .map_while(std::result::Result::ok);
    lines
        .take_while(|line| !line.is_empty())
        .map(|line| line + "\n")
        .collect()
}

/// Answers one connection after another with these texts; returns the port and what was asked.
fn serve(answers: &'static [&'static str]) -> (u16, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (told, heard) = channel();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().expect("a connection");
            told.send(hear(&stream)).expect("a listener");
            stream.write_all(answer.as_bytes()).expect("an answer");
        }
    });
    (port, heard)
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const ASKS: &str =
    "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"r\"\r\nContent-Length: 0\r\n\r\n";
const MOVED: &str = "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n";

fn get(port: u16) -> Request {
    Request::get(&format!("http://127.0.0.1:{port}/here"))
}

fn plain() -> BTreeMap<String, String> {
    BTreeMap::new()
}

#[test]
fn a_redirect_is_followed_without_the_headers_that_are_for_the_first_server_alone() {
    let (port, heard) = serve(&[MOVED, OK]);
    let mut request = get(port);
    request.headers = vec![("X-A".into(), "1".into()), ("X-B".into(), "2".into())];
    request.unredirected = vec!["x-a".into()];
    let response = send(&request, &plain()).expect("an answer");
    assert_eq!(response.body, b"ok");
    assert!(response.url.ends_with("/there"));
    let (first, second) = (heard.recv().expect("one"), heard.recv().expect("two"));
    assert!(
        first.starts_with("GET /here HTTP/1.1\n") && first.contains("x-a: 1\n"),
        "{first}"
    );
    assert!(
        !second.contains("x-a") && second.contains("x-b: 2\n"),
        "{second}"
    );
}

#[test]
fn redirects_that_are_not_wanted_are_refusals() {
    let (port, _heard) = serve(&[MOVED]);
    let mut request = get(port);
    request.redirects = Redirects::None;
    let fault = send(&request, &plain()).expect_err("a refusal");
    assert_eq!(fault, Fault::Status("HTTP Error 302: Found".into()));
}

#[test]
fn what_is_sent_goes_along_only_with_redirects_that_keep_the_method() {
    for (status, method) in [(303, "GET /there"), (307, "PUT /there")] {
        let mut request = get(1);
        request.method = "PUT".into();
        request.body = Some(b"x".to_vec());
        redirect(&mut request, status, "/there".into());
        assert_eq!(format!("{} {}", request.method, request.url), method);
        assert_eq!(request.body.is_some(), status == 307);
    }
}

#[test]
fn credentials_are_given_when_the_server_asks() {
    let (port, heard) = serve(&[ASKS, OK]);
    let mut request = get(port);
    request.credentials = Some(("bob".into(), "x".into()));
    send(&request, &plain()).expect("an answer");
    assert!(!heard.recv().expect("one").contains("authorization"));
    assert!(
        heard
            .recv()
            .expect("two")
            .contains("authorization: Basic Ym9iOng=\n")
    );
}

#[test]
fn credentials_of_netrc_are_for_their_host_alone() {
    let home = tempfile::tempdir().expect("a directory");
    let text = "machine other login a password b\nmachine 127.0.0.1 login bob password x\n";
    std::fs::write(home.path().join(".netrc"), text).expect("a file");
    let home = home.path().to_string_lossy().into_owned();
    let environment = BTreeMap::from([("HOME".to_owned(), home)]);
    let (port, heard) = serve(&[OK]);
    send(&get(port), &environment).expect("an answer");
    assert!(
        heard
            .recv()
            .expect("one")
            .contains("authorization: Basic Ym9iOng=\n")
    );
}

#[test]
fn a_proxy_is_told_the_whole_address() {
    let (port, heard) = serve(&[OK]);
    let proxy = format!("http://u:p@127.0.0.1:{port}");
    let environment = BTreeMap::from([("http_proxy".to_owned(), proxy)]);
    send(&Request::get("http://far.test/x"), &environment).expect("an answer");
    let asked = heard.recv().expect("one");
    assert!(
        asked.starts_with("GET http://far.test/x HTTP/1.1\n"),
        "{asked}"
    );
    assert!(
        asked.contains("host: far.test\n") && asked.contains("proxy-authorization: Basic dTpw\n")
    );
}

#[test]
fn a_server_may_be_a_socket_in_the_file_system() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("s");
    let listener = UnixListener::bind(&path).expect("a socket");
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        hear(&stream);
        stream.write_all(OK.as_bytes()).expect("an answer");
    });
    let mut request = Request::get("http://nowhere/x");
    request.unix_socket = Some(path);
    assert_eq!(send(&request, &plain()).expect("an answer").body, b"ok");
}

#[test]
fn faults_are_worded_as_python_words_them() {
    let (port, _heard) = serve(&[
        "HTTP/1.1 404 Not Found\r\n\r\n",
        "",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
    ]);
    let other = |said: &str| Fault::Other(said.to_owned());
    for wanted in [
        Fault::Status("HTTP Error 404: Not Found".to_owned()),
        other("Remote end closed connection without response"),
        other("IncompleteRead(3 bytes read, 6 more expected)"),
    ] {
        assert_eq!(send(&get(port), &plain()).expect_err("a fault"), wanted);
    }
    for (url, wanted) in [
        ("nonsense", other("unknown url type: 'nonsense'")),
        ("http://h:x/", other("nonnumeric port: 'x'")),
        ("http://", Fault::Unreachable("no host given".to_owned())),
        (
            "http://127.0.0.1:1/",
            Fault::Unreachable("[Errno 111] Connection refused".to_owned()),
        ),
    ] {
        assert_eq!(send(&Request::get(url), &plain()).expect_err(url), wanted);
    }
}
