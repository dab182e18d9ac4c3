//! A shell on a machine that serves one line of commands after the other, and how its answers are
//! framed.
//!
//! A line names a random marker of its own; the answer is raw bytes in parts, each with the marker
//! behind it. Bytes that a line takes follow it. Between all bytes a sign of life may stand, which
//! is a random text as well and taken out. Nothing is encoded, and nothing has a length limit.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use super::super::Identity;

/// How long the host may say nothing. It says that it is alive every 5 seconds.
const SILENCE: Duration = Duration::from_secs(15);

/// How much is read at once, and how many such pieces may wait, in bytes and pieces.
const PIECE: usize = 1 << 16;
const PIECES: usize = 16;

/// The commands that make a shell serve.
const PRELUDE: &str = include_str!("prelude.sh");

/// What a shell says about itself when it begins.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) environment: Vec<(String, String)>,
    /// Programs that are missed.
    pub(super) missing: String,
    /// Where the output of commands is kept; empty where nothing can be written.
    pub(super) scratch: String,
    pub(super) identity: Identity,
    pub(super) umask: u32,
    pub(super) directory: Vec<u8>,
}

/// A program that runs until it ends, as a user other than the one before.
struct Level {
    /// Marks the end of the program that the level runs in; the first level has none.
    ended: Vec<u8>,
    facts: Facts,
}

/// A shell that serves.
pub struct Session {
    stream: RefCell<Stream>,
    levels: RefCell<Vec<Level>>,
    clock: RefCell<Clock>,
    exchanges: RefCell<u64>,
}

/// The machine's local time, and when that was.
#[derive(Clone, Copy, Debug)]
struct Clock {
    local: jiff::civil::DateTime,
    at: Instant,
}

impl Session {
    /// Makes a POSIX shell serve that reads commands from `input`.
    ///
    /// # Errors
    /// What the shell lacks, or why it can't be reached.
    pub fn start(
        input: impl Write + 'static,
        output: impl Read + Send + 'static,
    ) -> Result<Session, String> {
        let session = Session {
            stream: RefCell::new(Stream::new(Box::new(input), output)),
            levels: RefCell::default(),
            clock: RefCell::new(Clock {
                local: jiff::civil::DateTime::default(),
                at: Instant::now(),
            }),
            exchanges: RefCell::default(),
        };
        session
            .begin(Vec::new())
            .map_err(|error| error.to_string())?;
        Ok(session)
    }

    /// Returns how many lines have been answered.
    pub fn exchanges(&self) -> u64 {
        *self.exchanges.borrow()
    }

    /// Returns why the shell is lost, if it is.
    pub fn lost(&self) -> Option<String> {
        self.stream.borrow().lost.clone()
    }

    /// Says whether another user's shell serves.
    pub fn is_entered(&self) -> bool {
        self.levels.borrow().len() > 1
    }

    /// Stops what runs at a moment, from now on; never where absent.
    pub fn stop_at(&self, moment: Option<Instant>) {
        self.stream.borrow_mut().stop = moment;
    }

    /// As [`Session::stop_at`] where that is sooner than what holds; returns what held before.
    pub(super) fn stop_before(&self, moment: Option<Instant>) -> Option<Instant> {
        let mut stream = self.stream.borrow_mut();
        let before = stream.stop;
        stream.stop = match (before, moment) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        before
    }

    pub(super) fn facts(&self) -> Facts {
        let levels = self.levels.borrow();
        // There is a level once the session has started.
        levels
            .last()
            .map_or_else(Facts::none, |level| level.facts.clone())
    }

    pub(super) fn local_now(&self) -> jiff::civil::DateTime {
        let clock = *self.clock.borrow();
        let passed = jiff::SignedDuration::try_from(clock.at.elapsed()).unwrap_or_default();
        clock.local.checked_add(passed).unwrap_or(clock.local)
    }

    pub(super) fn set_clock(&self, text: &str) {
        if let Some(local) = clock(text) {
            *self.clock.borrow_mut() = Clock {
                local,
                at: Instant::now(),
            };
        }
    }

    /// Sends a line that is made of its marker, and the bytes that it takes; returns the parts of
    /// the answer.
    pub(super) fn ask(
        &self,
        line: impl FnOnce(&str) -> String,
        bytes: &[u8],
        parts: usize,
    ) -> io::Result<Vec<Vec<u8>>> {
        let marker = marker();
        let mut stream = self.stream.borrow_mut();
        stream.send(&[line(&marker).as_bytes(), b"\n"].concat())?;
        stream.send(bytes)?;
        *self.exchanges.borrow_mut() += 1;
        let ends = self.ends();
        (0..parts)
            .map(|_| stream.until(marker.as_bytes(), &ends))
            .collect()
    }

    /// Runs a program that becomes another user and there a shell, which serves from then on.
    ///
    /// `program` gets the words that the shell is started with. `input` is sent at once, with a
    /// line break. `refused` sees all that the program has said and finds a refusal in it.
    ///
    /// # Errors
    /// What `refused` says; that nothing happened in time, after which the session is lost.
    pub fn enter(
        &self,
        program: impl FnOnce(&[String]) -> Vec<String>,
        input: Option<&[u8]>,
        refused: &dyn Fn(&str, Ended) -> Option<String>,
        patience: Duration,
    ) -> Result<(), String> {
        let (entered, ended) = (marker(), marker());
        let shell = [
            "/bin/sh".to_owned(),
            "-c".to_owned(),
            // What was meant for the program and not read must not be taken for commands.
            format!(
                "printf {entered}; while read -r l; do [ \"$l\" = {entered} ] && exec /bin/sh; done"
            ),
        ];
        let mut line = super::Line::default();
        let words: Vec<String> = program(&shell).iter().map(|word| line.word(word)).collect();
        let line = line.with(&format!("_rg_a {ended} {}\n", words.join(" ")));
        let said = {
            let mut stream = self.stream.borrow_mut();
            let sent = stream.send(line.as_bytes()).and_then(|()| match input {
                Some(input) => stream.send(&[input, b"\n"].concat()),
                None => Ok(()),
            });
            sent.map_err(|error| error.to_string())?;
            stream.watch(entered.as_bytes(), ended.as_bytes(), patience, &|said| {
                refused(said, Ended::No)
            })
        };
        match said {
            Watched::Passed => {}
            Watched::Ended(said) => {
                let _ = self.stream.borrow_mut().until(ended.as_bytes(), &[]);
                self.pass(&ended).map_err(|error| error.to_string())?;
                return Err(refused(&said, Ended::Yes).unwrap_or(said));
            }
            Watched::Refused(why) => {
                // The program may be asking again: only the end of its input ends it.
                self.lose(&why);
                return Err(why);
            }
            Watched::Silent(said) => {
                let why = refused(&said, Ended::Late).unwrap_or(said);
                self.lose(&why);
                return Err(why);
            }
            Watched::Lost(why) => return Err(why),
        }
        self.pass(&entered).map_err(|error| error.to_string())?;
        self.begin(ended.into_bytes())
            .map_err(|error| error.to_string())
    }

    /// Ends the shell of another user: the one before serves again.
    ///
    /// # Errors
    /// That the host is lost.
    pub fn leave(&self) -> io::Result<()> {
        let Some(level) = self.levels.borrow_mut().pop() else {
            return Ok(());
        };
        let mut stream = self.stream.borrow_mut();
        stream.send(b"exit 0\n")?;
        for _ in 0..2 {
            stream.until(&level.ended, &[])?;
        }
        drop(stream);
        self.pass(&String::from_utf8_lossy(&level.ended))
    }

    fn begin(&self, ended: Vec<u8>) -> io::Result<()> {
        let marker = marker();
        let first = self.levels.borrow().is_empty();
        let mut stream = self.stream.borrow_mut();
        let alive = String::from_utf8_lossy(&stream.alive).into_owned();
        let give = if first { "1" } else { "" };
        stream
            .send(format!("_rg_h='{alive}' _rg_m={marker} _rg_g={give}\n{PRELUDE}").as_bytes())?;
        let mut ends = self.ends();
        if !ended.is_empty() {
            ends.push(ended.clone());
        }
        let environment = stream.until(marker.as_bytes(), &ends)?;
        let about = stream.until(marker.as_bytes(), &ends)?;
        stream.until(marker.as_bytes(), &ends)?;
        drop(stream);
        let (facts, now) = facts(&environment, &about)
            .ok_or_else(|| io::Error::other("the host's shell answered something unknown"))?;
        if !facts.missing.is_empty() {
            return Err(io::Error::other(format!(
                "the shell commands that work in place of the agent need what this host does not have:{}",
                facts.missing
            )));
        }
        self.set_clock(&now);
        self.levels.borrow_mut().push(Level { ended, facts });
        Ok(())
    }

    fn ends(&self) -> Vec<Vec<u8>> {
        let levels = self.levels.borrow();
        let ends = levels.iter().map(|level| level.ended.clone());
        ends.filter(|end| !end.is_empty()).collect()
    }

    /// Sends a line that something waits for.
    fn pass(&self, line: &str) -> io::Result<()> {
        self.stream
            .borrow_mut()
            .send(format!("{line}\n").as_bytes())
    }

    fn lose(&self, why: &str) {
        self.stream.borrow_mut().lost = Some(why.to_owned());
    }
}

/// Whether a program that becomes another user has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It still runs.
    No,
    /// It has.
    Yes,
    /// It runs, and should have made a shell long ago.
    Late,
}

/// What came of watching.
enum Watched {
    Passed,
    Ended(String),
    Refused(String),
    Silent(String),
    Lost(String),
}

impl Facts {
    fn none() -> Facts {
        Facts {
            environment: Vec::new(),
            missing: String::new(),
            scratch: String::new(),
            identity: Identity::default(),
            umask: 0o022,
            directory: b"/".to_vec(),
        }
    }
}

/// Reads what the prelude says: the facts, and the local time.
fn facts(environment: &[u8], about: &[u8]) -> Option<(Facts, String)> {
    let mut lines = about.splitn(8, |byte| *byte == b'\n');
    let mut text = || {
        let line = lines.next()?;
        Some(String::from_utf8_lossy(line).into_owned())
    };
    let (missing, scratch) = (text()?, text()?);
    let (uid, gid, groups) = (text()?, text()?, text()?);
    let (umask, now) = (text()?, text()?);
    let directory = lines.next()?.strip_suffix(b"\n").unwrap_or(b"/").to_vec();
    let variables = environment
        .split(|byte| *byte == 0)
        .filter_map(|pair| {
            String::from_utf8_lossy(pair)
                .into_owned()
                .split_once('=')
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
        })
        .collect();
    let identity = if missing.is_empty() {
        Identity {
            uid: uid.parse().ok()?,
            gid: gid.parse().ok()?,
            groups: groups
                .split_whitespace()
                .filter_map(|group| group.parse().ok())
                .collect(),
        }
    } else {
        Identity::default()
    };
    let facts = Facts {
        environment: variables,
        missing,
        scratch,
        identity,
        umask: u32::from_str_radix(&umask, 8).ok()?,
        directory,
    };
    Some((facts, now))
}

/// Reads `YYYY-MM-DD HH:MM:SS NANOSECONDS`; busybox may have no nanoseconds.
fn clock(text: &str) -> Option<jiff::civil::DateTime> {
    let mut words = text.split_whitespace();
    let (date, time) = (words.next()?, words.next()?);
    let nanoseconds = words.next().and_then(|text| text.parse().ok()).unwrap_or(0);
    let whole: jiff::civil::DateTime = format!("{date}T{time}").parse().ok()?;
    whole.with().subsec_nanosecond(nanoseconds).build().ok()
}

/// Makes a random text that nothing else contains: 32 hex digits.
pub fn marker() -> String {
    use rand::Rng;
    let mut bytes = [0u8; 16];
    rand::rng().fill_bytes(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes to and from the shell.
struct Stream {
    input: Box<dyn Write>,
    output: Receiver<io::Result<Vec<u8>>>,
    /// The sign of life.
    alive: Vec<u8>,
    /// What was read and may begin a sign of life.
    raw: Vec<u8>,
    /// What was read, without signs of life.
    clean: Vec<u8>,
    /// When to stop what runs.
    stop: Option<Instant>,
    lost: Option<String>,
}

impl Stream {
    fn new(input: Box<dyn Write>, mut output: impl Read + Send + 'static) -> Stream {
        let (tx, rx) = sync_channel(PIECES);
        std::thread::spawn(move || {
            loop {
                let mut piece = vec![0; PIECE];
                let sent = match output.read(&mut piece) {
                    Ok(0) => return,
                    Ok(count) => {
                        piece.truncate(count);
                        tx.send(Ok(piece))
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => tx.send(Err(error)),
                };
                if sent.is_err() {
                    return;
                }
            }
        });
        Stream {
            input,
            output: rx,
            // Begins with what no marker holds: the end of an answer, which is a marker, can't be
            // taken for its beginning and wait for more.
            alive: format!("~{}", marker()).into_bytes(),
            raw: Vec::new(),
            clean: Vec::new(),
            stop: None,
            lost: None,
        }
    }

    fn fail(&mut self, why: String) -> io::Error {
        let why = self.lost.get_or_insert(why).clone();
        io::Error::new(io::ErrorKind::ConnectionAborted, why)
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(why) = self.lost.clone() {
            return Err(self.fail(why));
        }
        let sent = self
            .input
            .write_all(bytes)
            .and_then(|()| self.input.flush());
        sent.map_err(|error| self.fail(crate::diag::os_message(&error)))
    }

    /// Reads more; `false` when the time is up before anything came.
    fn more(&mut self, limit: Duration) -> io::Result<bool> {
        match self.output.recv_timeout(limit) {
            Ok(Ok(piece)) => {
                self.raw.extend(piece);
                self.clear();
                Ok(true)
            }
            Ok(Err(error)) => Err(self.fail(crate::diag::os_message(&error))),
            Err(RecvTimeoutError::Timeout) => Ok(false),
            Err(RecvTimeoutError::Disconnected) => {
                Err(self.fail("the connection was closed".to_owned()))
            }
        }
    }

    /// Moves what was read to where it is looked at, without signs of life; what may be the
    /// beginning of one waits.
    fn clear(&mut self) {
        while let Some(at) = find(&self.raw, &self.alive, 0) {
            self.clean.extend_from_slice(&self.raw[..at]);
            self.raw.drain(..at + self.alive.len());
        }
        let most = self.raw.len().min(self.alive.len() - 1);
        let waits = (1..=most)
            .rev()
            .find(|count| self.raw.ends_with(&self.alive[..*count]))
            .unwrap_or(0);
        let rest = self.raw.split_off(self.raw.len() - waits);
        self.clean.append(&mut self.raw);
        self.raw = rest;
    }

    /// Reads until a marker has passed, and returns what came before it. One of `ends` means that
    /// the shell that was asked is gone.
    fn until(&mut self, marker: &[u8], ends: &[Vec<u8>]) -> io::Result<Vec<u8>> {
        let mut looked = 0;
        let mut heard = Instant::now();
        let mut stopped = false;
        loop {
            if let Some(at) = find(&self.clean, marker, looked) {
                let rest = self.clean.split_off(at + marker.len());
                let mut part = std::mem::replace(&mut self.clean, rest);
                part.truncate(at);
                return Ok(part);
            }
            if ends
                .iter()
                .any(|end| find(&self.clean, end, looked).is_some())
            {
                return Err(self.fail("the shell of the other user has ended".to_owned()));
            }
            looked = self.clean.len().saturating_sub(marker.len());
            let silent = SILENCE.saturating_sub(heard.elapsed());
            let limit = match self.stop.filter(|_| !stopped) {
                Some(stop) => silent.min(stop.saturating_duration_since(Instant::now())),
                None => silent,
            };
            if self.more(limit)? {
                heard = Instant::now();
            } else if !stopped && self.stop.is_some_and(|stop| stop <= Instant::now()) {
                // Whatever runs is ended by any line; without it, this one does nothing.
                stopped = true;
                self.send(b":\n")?;
            } else {
                return Err(self.fail(format!("nothing heard for {} s", SILENCE.as_secs())));
            }
        }
    }

    /// Reads until one of two markers has passed, a refusal was said, or it is too late.
    fn watch(
        &mut self,
        passed: &[u8],
        ended: &[u8],
        patience: Duration,
        refused: &dyn Fn(&str) -> Option<String>,
    ) -> Watched {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(at) = find(&self.clean, passed, 0) {
                self.clean.drain(..at + passed.len());
                return Watched::Passed;
            }
            let end = find(&self.clean, ended, 0);
            let said = String::from_utf8_lossy(&self.clean[..end.unwrap_or(self.clean.len())])
                .into_owned();
            if let Some(at) = end {
                self.clean.drain(..at + ended.len());
                return Watched::Ended(said);
            }
            if let Some(why) = refused(&said) {
                return Watched::Refused(why);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Watched::Silent(said);
            }
            if let Err(error) = self.more(left) {
                return Watched::Lost(error.to_string());
            }
        }
    }
}

/// Finds bytes in others, from a place on.
fn find(all: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    let first = *wanted.first()?;
    let mut at = from;
    while at + wanted.len() <= all.len() {
        let last = all.len() - wanted.len() + 1;
        at += all[at..last].iter().position(|byte| *byte == first)?;
        if all[at..].starts_with(wanted) {
            return Some(at);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_life_are_taken_out_wherever_they_stand() {
        let mut stream = Stream::new(Box::new(io::sink()), io::empty());
        stream.alive = b"ALIVE".to_vec();
        for piece in ["oneAL", "IVEtwoALI", "x", "ALIVEALIV", "E", "MARKrest"] {
            stream.raw.extend(piece.as_bytes());
            stream.clear();
        }
        assert_eq!(stream.until(b"MARK", &[]).expect("a part"), b"onetwoALIx");
        assert_eq!(stream.clean, b"rest");
    }

    #[test]
    fn no_answer_waits_for_the_next_sign_of_life() {
        for digit in "0123456789abcdef".chars() {
            let marker = marker()[1..].to_owned() + &digit.to_string();
            let mut stream = Stream::new(Box::new(io::sink()), io::empty());
            stream.raw.extend(marker.as_bytes());
            stream.clear();
            assert_eq!(stream.clean, marker.as_bytes());
        }
    }

    #[test]
    fn a_shell_that_is_gone_is_an_error_that_says_so() {
        let mut stream = Stream::new(Box::new(io::sink()), io::empty());
        let error = stream.until(b"MARK", &[]).expect_err("nothing comes");
        assert_eq!(error.to_string(), "the connection was closed");
        assert_eq!(stream.lost.as_deref(), Some("the connection was closed"));
    }

    #[test]
    fn times_have_nanoseconds_where_the_host_knows_them() {
        let exact = clock("2024-05-06 07:08:09 101112000").expect("a time");
        assert_eq!(exact.to_string(), "2024-05-06T07:08:09.101112");
        let whole = clock("2024-05-06 07:08:09 %N").expect("a time");
        assert_eq!(whole.to_string(), "2024-05-06T07:08:09");
    }
}
