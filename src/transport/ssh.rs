//! The system's `ssh`, so that its configuration, jump hosts, agents and certificates all count.

use std::path::PathBuf;

use crate::diag::{Error, Kind, Result};

/// What to give `ssh` besides the user's own configuration.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The program.
    pub executable: String,
    /// Host name or address.
    pub address: String,
    /// Port; ssh's own choice where absent.
    pub port: Option<u16>,
    /// User; ssh's own choice where absent.
    pub user: Option<String>,
    /// Identity file.
    pub private_key: Option<PathBuf>,
    /// Whether host keys are checked.
    pub host_key_checking: bool,
    /// A password will be asked for through askpass.
    pub has_password: bool,
    /// Seconds to wait for the connection.
    pub connect_timeout: u64,
    /// Arguments in place of the default ones.
    pub ssh_args: Option<String>,
    /// Further arguments.
    pub common_args: Option<String>,
    /// Further arguments.
    pub extra_args: Option<String>,
}

/// Builds the argument list that runs a command on the host.
///
/// # Errors
/// A host or user that would be read as an option; arguments whose quotes don't close.
pub fn argv(options: &Options, command: &str) -> Result<Vec<String>> {
    let mut argv = vec![options.executable.clone()];
    for (what, value) in [
        ("host", Some(&options.address)),
        ("user", options.user.as_ref()),
    ] {
        if value.is_some_and(|value| value.starts_with('-') || value.is_empty()) {
            return Err(Error::new(
                Kind::Unreachable,
                format!(
                    "the {what} `{}` can't be used: it would be read as an option",
                    value.map_or("", |v| v)
                ),
            ));
        }
    }
    let mut option = |text: String| argv.extend(["-o".to_owned(), text]);
    if options.host_key_checking {
        // ssh's own default stays: it asks, and without a terminal that means no.
    } else {
        option("StrictHostKeyChecking=no".into());
    }
    if let Some(port) = options.port {
        option(format!("Port={port}"));
    }
    if let Some(key) = &options.private_key {
        option(format!("IdentityFile=\"{}\"", key.display()));
    }
    if options.has_password {
        option("NumberOfPasswordPrompts=1".into());
    } else {
        option("KbdInteractiveAuthentication=no".into());
        option("PreferredAuthentications=gssapi-with-mic,gssapi-keyex,hostbased,publickey".into());
        option("PasswordAuthentication=no".into());
    }
    if let Some(user) = &options.user {
        option(format!("User=\"{user}\""));
    }
    option(format!("ConnectTimeout={}", options.connect_timeout.max(1)));
    option("ServerAliveInterval=5".into());
    option("ServerAliveCountMax=3".into());
    for (name, text) in [
        ("ssh_args", &options.ssh_args),
        ("ssh_common_args", &options.common_args),
        ("ssh_extra_args", &options.extra_args),
    ] {
        if let Some(text) = text {
            let words = shlex::split(text).ok_or_else(|| {
                Error::new(
                    Kind::Unreachable,
                    format!("`{name}`: quotes don't close in `{text}`"),
                )
            })?;
            argv.extend(words);
        }
    }
    argv.extend([
        "-T".to_owned(),
        "--".to_owned(),
        options.address.clone(),
        command.to_owned(),
    ]);
    Ok(argv)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_never_become_options() {
        let options = Options {
            executable: "ssh".into(),
            address: "-oProxyCommand=x".into(),
            ..Options::default()
        };
        assert!(argv(&options, "true").is_err());
        let options = Options {
            executable: "ssh".into(),
            address: "h".into(),
            user: Some("-x".into()),
            ..Options::default()
        };
        assert!(argv(&options, "true").is_err());
    }

    #[test]
    fn the_host_stands_behind_the_end_of_options() {
        let options = Options {
            executable: "ssh".into(),
            address: "h".into(),
            port: Some(2222),
            common_args: Some("-o 'ProxyJump a b'".into()),
            ..Options::default()
        };
        let line = argv(&options, "cmd").expect("arguments");
        assert_eq!(line[line.len() - 3..], ["--", "h", "cmd"]);
        assert!(
            line.contains(&"Port=2222".to_owned()) && line.contains(&"ProxyJump a b".to_owned())
        );
    }
}
