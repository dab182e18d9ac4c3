//! An agent as those who ask it see it: requests go in, replies and signs of life come out.

use std::io::Write;
use std::process::{ChildStdin, ChildStdout};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use super::frame::{self, Message};
use super::message::{Reply, Request};

/// How long an agent may say nothing while it works.
const SILENCE: Duration = Duration::from_secs(15);

/// An agent that has said its marker.
pub(super) struct Peer {
    input: ChildStdin,
    messages: Receiver<Message>,
}

impl Peer {
    /// Begins the exchange of frames with an agent.
    ///
    /// # Errors
    /// What the stream to it says.
    pub(super) fn start(
        mut input: ChildStdin,
        mut output: ChildStdout,
        marker: &str,
    ) -> std::io::Result<Peer> {
        input.write_all(marker.as_bytes())?;
        input.flush()?;
        let (tx, messages) = channel();
        std::thread::spawn(move || {
            while let Ok(Some(message)) = frame::read(&mut output) {
                if tx.send(message).is_err() {
                    return;
                }
            }
        });
        Ok(Peer { input, messages })
    }

    /// Sends a request and waits for its answer, however long that takes, as long as the agent
    /// gives signs of life.
    ///
    /// # Errors
    /// That the agent is gone, or says nothing.
    pub(super) fn ask(&mut self, request: Request) -> Result<Reply, String> {
        let id = request.id;
        frame::write(&mut self.input, &Message::Request(Box::new(request)))
            .map_err(|error| crate::diag::os_message(&error))?;
        loop {
            match self.messages.recv_timeout(SILENCE) {
                Ok(Message::Reply(reply)) if reply.id == id => return Ok(*reply),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!("nothing heard for {} s", SILENCE.as_secs()));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err("the connection was closed".to_owned());
                }
            }
        }
    }
}
