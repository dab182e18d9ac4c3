//! Frames: how messages and raw bytes share one stream.
//!
//! A frame is a head (`RG`, a kind, the length of the JSON text, the number of blobs), the length of
//! each blob, the JSON text, the blobs. Numbers are big-endian. The first frame of each direction
//! comes behind a random marker, so that banners and noise of shells never reach the parser.

use std::io::{self, Read, Write};

use super::message::{Reply, Request};

/// The largest JSON text and the largest blob that are accepted, in bytes.
const MAX_PART: u64 = 4 << 30;
/// How many blobs one frame may carry.
const MAX_BLOBS: u32 = 1 << 20;

/// What travels.
#[derive(Debug)]
pub enum Message {
    /// A task for the host; bytes of files are already in their items.
    Request(Box<Request>),
    /// The answer.
    Reply(Box<Reply>),
    /// Still there.
    Alive,
}

const REQUEST: u8 = 1;
const REPLY: u8 = 2;
const ALIVE: u8 = 3;

/// Writes one message.
///
/// # Errors
/// What the stream says.
pub fn write(out: &mut dyn Write, message: &Message) -> io::Result<()> {
    let (kind, json, blobs) = match message {
        Message::Request(request) => {
            // The bytes themselves are not in the JSON, and are not copied.
            let blobs: Vec<&[u8]> = request
                .items
                .iter()
                .filter(|item| item.content.is_some())
                .map(|item| item.bytes.as_slice())
                .collect();
            let mut json = serde_json::to_value(request)?;
            let mut index = 0;
            for item in json["items"].as_array_mut().into_iter().flatten() {
                if !item["content"].is_null() {
                    item["content"] = index.into();
                    index += 1;
                }
            }
            (REQUEST, serde_json::to_vec(&json)?, blobs)
        }
        Message::Reply(reply) => (REPLY, serde_json::to_vec(reply)?, Vec::new()),
        Message::Alive => (ALIVE, Vec::new(), Vec::new()),
    };
    let mut head = vec![b'R', b'G', kind];
    head.extend((json.len() as u64).to_be_bytes());
    head.extend((blobs.len() as u32).to_be_bytes());
    for blob in &blobs {
        head.extend((blob.len() as u64).to_be_bytes());
    }
    head.extend(&json);
    out.write_all(&head)?;
    for blob in blobs {
        out.write_all(blob)?;
    }
    out.flush()
}

/// Reads one message; `None` at the end of the stream.
///
/// # Errors
/// What the stream says; `InvalidData` for what is no frame.
pub fn read(input: &mut dyn Read) -> io::Result<Option<Message>> {
    let mut head = [0; 15];
    match input.read(&mut head[..1])? {
        0 => return Ok(None),
        _ => input.read_exact(&mut head[1..])?,
    }
    let [b'R', b'G', kind, rest @ ..] = head else {
        return Err(invalid("no frame"));
    };
    let length = u64::from_be_bytes(rest[..8].try_into().map_err(|_| invalid("no length"))?);
    let count = u32::from_be_bytes(rest[8..12].try_into().map_err(|_| invalid("no count"))?);
    if length > MAX_PART || count > MAX_BLOBS {
        return Err(invalid("a frame larger than any is"));
    }
    let mut lengths = Vec::new();
    for _ in 0..count {
        let mut one = [0; 8];
        input.read_exact(&mut one)?;
        let one = u64::from_be_bytes(one);
        if one > MAX_PART {
            return Err(invalid("a blob larger than any is"));
        }
        lengths.push(one);
    }
    let json = part(input, length)?;
    let mut blobs = Vec::new();
    for length in lengths {
        blobs.push(part(input, length)?);
    }
    Ok(Some(match kind {
        ALIVE => Message::Alive,
        REPLY => Message::Reply(serde_json::from_slice(&json)?),
        REQUEST => {
            let mut request: Request = serde_json::from_slice(&json)?;
            for item in &mut request.items {
                if let Some(index) = item.content {
                    let blob = blobs
                        .get_mut(index)
                        .ok_or_else(|| invalid("a blob is missing"))?;
                    item.bytes = std::mem::take(blob);
                }
            }
            Message::Request(Box::new(request))
        }
        _ => return Err(invalid("an unknown kind of frame")),
    }))
}

/// Reads so many bytes without trusting the number: memory grows as bytes come.
fn part(input: &mut dyn Read, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let got = input.take(length).read_to_end(&mut bytes)?;
    if got as u64 == length {
        Ok(bytes)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// Reads until a marker has passed, and returns what came before it.
///
/// # Errors
/// `UnexpectedEof` where the stream ends first, with what came in the message; `InvalidData` after
/// a mebibyte of noise.
pub fn skip_to(input: &mut dyn Read, marker: &[u8]) -> io::Result<Vec<u8>> {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(marker) {
        if input.read(&mut byte)? == 0 {
            let text = String::from_utf8_lossy(&seen).trim().to_owned();
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
        }
        seen.push(byte[0]);
        if seen.len() > 1 << 20 {
            return Err(invalid("a mebibyte of noise before the marker"));
        }
    }
    seen.truncate(seen.len() - marker.len());
    Ok(seen)
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::message::Item;

    fn request() -> Request {
        Request {
            id: 7,
            module: "copy".into(),
            items: vec![
                Item {
                    args: serde_json::json!({"dest": "/a"}),
                    content: Some(0),
                    bytes: b"\0RG\x01x".to_vec(),
                },
                Item {
                    args: serde_json::json!({}),
                    content: None,
                    bytes: Vec::new(),
                },
            ],
            check: true,
            diff: false,
            level: crate::compat::Level::default(),
            environment: std::iter::once(("A".to_owned(), "b".to_owned())).collect(),
            r#become: None,
            become_password: Some(crate::value::Secret::new("hidden".to_owned())),
            timeout: 0,
            settings: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    fn a_request_comes_back_with_its_bytes() {
        let mut wire = Vec::new();
        write(&mut wire, &Message::Request(Box::new(request()))).expect("written");
        match read(&mut wire.as_slice()).expect("read") {
            Some(Message::Request(back)) => {
                assert_eq!(back.items[0].bytes, b"\0RG\x01x");
                assert_eq!(back.items[0].args["dest"], "/a");
                assert!(back.check && back.items[1].bytes.is_empty());
                let secret = back.become_password.as_ref().expect("it travelled");
                assert_eq!(secret.expose(), "hidden");
                assert!(!format!("{back:?}").contains("hidden"));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_no_frame_is_an_error_and_never_a_panic() {
        let mut wire = Vec::new();
        write(&mut wire, &Message::Request(Box::new(request()))).expect("written");
        for cut in 1..wire.len() {
            assert!(read(&mut &wire[..cut]).is_err(), "cut at {cut}");
        }
        for at in 0..wire.len() {
            let mut broken = wire.clone();
            broken[at] ^= 0xff;
            let _ = read(&mut broken.as_slice());
        }
    }

    #[test]
    fn noise_before_the_marker_is_passed_over() {
        let mut stream: &[u8] = b"Welcome!\nlast login\nMARKrest";
        assert_eq!(
            skip_to(&mut stream, b"MARK").expect("found"),
            b"Welcome!\nlast login\n"
        );
        assert_eq!(stream, b"rest");
        assert!(skip_to(&mut &b"nothing"[..], b"MARK").is_err());
    }
}
