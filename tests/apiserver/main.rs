//! `standin-apiserver`: serves the stand-in Kubernetes API on one address until it is told to end.
//!
//! ```text
//! standin-apiserver [--listen 127.0.0.1:0] [--version 1.32.0] [--token-file FILE] [--log FILE] [--until-stdin-closes]
//! ```
//!
//! The first line on standard output is `listening on http://ADDRESS:PORT`. SIGTERM ends it, and
//! with `--until-stdin-closes` so does the end of standard input.

mod server;

use clap::Parser;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// A stand-in Kubernetes API server that keeps its objects in memory.
#[derive(Parser)]
struct Arguments {
    /// Address and port to listen on; port 0 takes any free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The version it says it is.
    #[arg(long, default_value = "1.32.0")]
    version: String,
    /// Users: `TOKEN,USER,UID[,"GROUP,GROUP"]` a line; `system:masters` may write, others read.
    #[arg(long)]
    token_file: Option<PathBuf>,
    /// Gets one line a request: method, path with query, status.
    #[arg(long)]
    log: Option<PathBuf>,
    /// Ends at the end of standard input.
    #[arg(long)]
    until_stdin_closes: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let options = server::Options {
        version: Some(arguments.version),
        token_file: arguments.token_file,
        log: arguments.log,
    };
    let server = match server::Server::start(arguments.listen, &options) {
        Ok(server) => server,
        Err(error) => {
            eprintln!("standin-apiserver: {}: {error}", arguments.listen);
            return ExitCode::FAILURE;
        }
    };
    println!("listening on http://{}", server.address());
    if std::io::stdout().flush().is_err() {
        return ExitCode::FAILURE;
    }
    if arguments.until_stdin_closes {
        let mut rest = Vec::new();
        // An unreadable standard input counts as a closed one.
        let _ = std::io::stdin().read_to_end(&mut rest);
        return ExitCode::SUCCESS;
    }
    loop {
        std::thread::park();
    }
}
