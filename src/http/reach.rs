//! How a server is reached: by TCP, by a socket in the file system, or by a proxy that is told whole addresses.

use std::fmt;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use ureq::Error;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout,
    RustlsConnector, Transport,
};

use super::places::Target;

/// Leaves finding addresses to the connection.
#[derive(Debug)]
pub(super) struct Anywhere;

impl Resolver for Anywhere {
    fn resolve(
        &self,
        _: &Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let mut addresses = self.empty();
        addresses.push(([0, 0, 0, 0], 0).into());
        Ok(addresses)
    }
}

/// Opens connections.
#[derive(Debug)]
pub(super) struct Reach {
    timeout: Duration,
    socket: Option<PathBuf>,
    /// A proxy, and what it is told before the path.
    proxy: Option<(Target, String)>,
}

impl Reach {
    pub(super) fn new(timeout: Duration, socket: Option<PathBuf>) -> Reach {
        Reach {
            timeout,
            socket,
            proxy: None,
        }
    }

    /// Reaches a target through a proxy that fetches for others.
    pub(super) fn through(mut self, proxy: Target, target: &Target) -> Reach {
        self.proxy = Some((proxy, target.origin()));
        self
    }

    /// Returns what makes connections of all kinds.
    pub(super) fn connector(self) -> impl Connector {
        ().chain(ConnectProxyConnector::default())
            .chain(self)
            .chain(RustlsConnector::default())
    }

    fn open(&self, uri: &Uri) -> Result<Stream, Error> {
        if let Some(path) = &self.socket {
            let stream = UnixStream::connect(path).map_err(|error| {
                let number = error.raw_os_error().unwrap_or_default();
                let said = crate::diag::os_message(&error);
                let path = path.display();
                std::io::Error::other(format!(
                    "Invalid Socket File ({path}): [Errno {number}] {said}"
                ))
            })?;
            return Ok(Stream::Unix(stream));
        }
        let (host, port) = match &self.proxy {
            Some((proxy, _)) => (proxy.host.as_str(), proxy.port()),
            None => {
                let usual = if uri.scheme_str() == Some("https") {
                    443
                } else {
                    80
                };
                let host = uri.host().unwrap_or("").trim_matches(['[', ']']);
                (host, uri.port_u16().unwrap_or(usual))
            }
        };
        let addresses = (host, port)
            .to_socket_addrs()
            .map_err(|_| Error::HostNotFound)?;
        let mut last = Error::HostNotFound;
        for address in addresses {
            match TcpStream::connect_timeout(&address, self.timeout) {
                Ok(stream) => return Ok(Stream::Tcp(stream)),
                Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {
                    last = Error::Timeout(ureq::Timeout::Connect);
                }
                Err(error) => last = Error::Io(error),
            }
        }
        Err(last)
    }
}

impl<In: Transport> Connector<In> for Reach {
    type Out = Either<In, Connection>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        if let Some(chained) = chained {
            return Ok(Some(Either::A(chained)));
        }
        let sizes = (
            details.config.input_buffer_size(),
            details.config.output_buffer_size(),
        );
        Ok(Some(Either::B(Connection {
            stream: self.open(details.uri)?,
            buffers: LazyBuffers::new(sizes.0, sizes.1),
            prefix: self.proxy.as_ref().map(|(_, origin)| origin.clone()),
        })))
    }
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// An open connection.
pub(super) struct Connection {
    stream: Stream,
    buffers: LazyBuffers,
    /// What the first line has to say before its path.
    prefix: Option<String>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

/// Tells a wait that came to its end from other faults.
fn timed(error: std::io::Error, timeout: NextTimeout) -> Error {
    match error.kind() {
        std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock => {
            Error::Timeout(timeout.reason)
        }
        _ => Error::Io(error),
    }
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = timeout.for_write();
        let wait = timeout.not_zero().map(|wait| *wait);
        let output = &self.buffers.output()[..amount];
        let mut bytes = Vec::new();
        if let Some(prefix) = self.prefix.take() {
            let at = output
                .iter()
                .position(|byte| *byte == b' ')
                .map_or(0, |at| at + 1);
            bytes.extend_from_slice(&output[..at]);
            bytes.extend_from_slice(prefix.as_bytes());
            bytes.extend_from_slice(&output[at..]);
        } else {
            bytes.extend_from_slice(output);
        }
        match &mut self.stream {
            Stream::Tcp(stream) => {
                stream.set_write_timeout(wait)?;
                stream.write_all(&bytes)
            }
            Stream::Unix(stream) => {
                stream.set_write_timeout(wait)?;
                stream.write_all(&bytes)
            }
        }
        .map_err(|error| timed(error, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = timeout.for_read();
        let wait = timeout.not_zero().map(|wait| *wait);
        let input = self.buffers.input_append_buf();
        let amount = loop {
            let read = match &mut self.stream {
                Stream::Tcp(stream) => {
                    stream.set_read_timeout(wait)?;
                    stream.read(input)
                }
                Stream::Unix(stream) => {
                    stream.set_read_timeout(wait)?;
                    stream.read(input)
                }
            };
            match read {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                other => break other.map_err(|error| timed(error, timeout))?,
            }
        };
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        // Each connection serves one request.
        false
    }
}
