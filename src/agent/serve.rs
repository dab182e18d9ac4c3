//! The agent: reads requests, runs modules, answers; ends when the controller is gone.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::boot;
use super::elevate::Elevated;
use super::frame::{self, Message};
use super::message::{Reply, Request};

/// How often the agent says that it is still there.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(5);

/// Runs the items of a request, in order.
pub type Handler = Box<dyn FnMut(&Request) -> Vec<serde_json::Value>>;

/// Serves requests from standard input until it ends.
///
/// `marker` is what the controller chose; it precedes the first frame in both directions. When the
/// controller goes away the agent ends, and everything that it started with it.
pub fn serve(marker: &str, mut handler: Handler) -> ExitCode {
    let out = Arc::new(Mutex::new(io::stdout()));
    if say(&out, |out| {
        out.write_all(boot::hello(marker).as_bytes())
            .and_then(|()| out.flush())
    })
    .is_err()
    {
        return ExitCode::FAILURE;
    }
    let (tx, rx) = mpsc::channel();
    let own = marker.as_bytes().to_vec();
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        if frame::skip_to(&mut input, &own).is_ok() {
            while let Ok(Some(message)) = frame::read(&mut input) {
                if tx.send(message).is_err() {
                    return;
                }
            }
        }
        drop(tx);
        // The controller is gone: whatever runs is stopped with this process.
        stop_children();
        std::process::exit(0);
    });
    let beating = out.clone();
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(HEARTBEAT);
            if say(&beating, |out| frame::write(out, &Message::Alive)).is_err() {
                stop_children();
                std::process::exit(0);
            }
        }
    });
    let mut elevated: Vec<(super::message::Become, Elevated)> = Vec::new();
    while let Ok(message) = rx.recv() {
        let Message::Request(request) = message else {
            continue;
        };
        let reply = match &request.r#become {
            Some(_) => relay(&mut elevated, &request),
            None => Reply {
                id: request.id,
                results: handler(&request),
            },
        };
        if say(&out, |out| {
            frame::write(out, &Message::Reply(Box::new(reply)))
        })
        .is_err()
        {
            break;
        }
    }
    ExitCode::SUCCESS
}

fn say(
    out: &Arc<Mutex<io::Stdout>>,
    f: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    match out.lock() {
        Ok(mut out) => f(&mut *out),
        Err(_) => Err(io::ErrorKind::Other.into()),
    }
}

/// Ends all commands that this process has started, with what they have started: each is the leader
/// of a process group of its own. Agents of other users are not; they end with their input.
pub(super) fn stop_children() {
    for child in children() {
        let _ = rustix::process::kill_process_group(child, rustix::process::Signal::KILL);
    }
}

/// Returns the direct children of this process, whichever thread has started them.
fn children() -> Vec<rustix::process::Pid> {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten();
    threads
        .flatten()
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|text| {
            text.split_whitespace()
                .filter_map(|pid| pid.parse().ok())
                .filter_map(rustix::process::Pid::from_raw)
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Passes a request on to the agent that runs as the user it asks for; starts it where needed.
fn relay(elevated: &mut Vec<(super::message::Become, Elevated)>, request: &Request) -> Reply {
    let Some(wanted) = &request.r#become else {
        return failure(request, "nobody to become");
    };
    let at = elevated.iter().position(|(known, _)| known == wanted);
    let index = match at {
        Some(index) => index,
        None => match Elevated::start(wanted, request.become_password.as_ref()) {
            Ok(agent) => {
                elevated.push((wanted.clone(), agent));
                elevated.len() - 1
            }
            Err(message) => return failure(request, &message),
        },
    };
    let mut plain = request.clone();
    plain.r#become = None;
    plain.become_password = None;
    match elevated[index].1.run(plain) {
        Ok(reply) => reply,
        Err(message) => {
            elevated.remove(index);
            failure(request, &message)
        }
    }
}

fn failure(request: &Request, message: &str) -> Reply {
    let one = serde_json::json!({"failed": true, "changed": false, "msg": message});
    Reply {
        id: request.id,
        results: vec![one; request.items.len()],
    }
}
