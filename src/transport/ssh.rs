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
    /// Name of the socket that shared connections meet at, as Ansible's `control_path`: with
    /// `%(directory)s`, and `%%` for what ssh reads.
    pub control_path: Option<String>,
    /// Directory of these sockets, which exists; connections aren't shared where absent.
    pub control_path_dir: Option<PathBuf>,
}

/// Builds the argument list that runs a command on the host.
///
/// The order is Ansible's, because of two values `ssh` takes the first: `ssh_args`, what
/// variables and flags say, `ssh_common_args`, `ssh_extra_args`; what nobody has said comes last.
///
/// # Errors
/// A host or user that would be read as an option; arguments whose quotes don't close.
pub fn argv(options: &Options, command: &str) -> Result<Vec<String>> {
    let mut argv = vec![options.executable.clone()];
    argv.extend(arguments(options)?);
    argv.extend([
        "-T".to_owned(),
        "--".to_owned(),
        options.address.clone(),
        command.to_owned(),
    ]);
    Ok(argv)
}

/// Builds the argument list that ends the connection which later ones share, if there is one.
///
/// # Errors
/// See [`argv`].
pub fn stop_argv(options: &Options) -> Result<Vec<String>> {
    let mut argv = vec![options.executable.clone()];
    argv.extend(arguments(options)?);
    argv.extend(["-O", "stop", "--"].map(str::to_owned));
    argv.push(options.address.clone());
    Ok(argv)
}

fn arguments(options: &Options) -> Result<Vec<String>> {
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
    let mut argv = words("ssh_args", options.ssh_args.as_ref())?;
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
    argv.extend(words("ssh_common_args", options.common_args.as_ref())?);
    argv.extend(words("ssh_extra_args", options.extra_args.as_ref())?);
    if let Some(path) = options.control_path(&argv) {
        argv.extend(["-o".to_owned(), format!("ControlPath=\"{path}\"")]);
    }
    for alive in ["ServerAliveInterval=5", "ServerAliveCountMax=3"] {
        argv.extend(["-o".to_owned(), alive.to_owned()]);
    }
    Ok(argv)
}

impl Options {
    /// Says whether connections with these arguments are shared in a directory that must exist.
    pub fn shares_connections(&self) -> bool {
        let texts = [&self.ssh_args, &self.common_args, &self.extra_args];
        let all: Vec<String> = texts.into_iter().flatten().cloned().collect();
        asks_to_share(&all)
    }

    /// Returns where connections meet that share one, if the arguments ask for sharing and don't
    /// say where. As with Ansible, that is `ControlPersist` without `ControlPath`; other than with
    /// Ansible, only connections with the very same arguments meet.
    fn control_path(&self, arguments: &[String]) -> Option<String> {
        if !asks_to_share(arguments) {
            return None;
        }
        let given = self.control_path.as_deref().filter(|path| !path.is_empty());
        let directory = self.control_path_dir.as_ref()?;
        let place = directory.display().to_string();
        if place.contains('"') {
            return None;
        }
        let name = match given {
            Some(given) => {
                return Some(given.replace("%(directory)s", &place).replace("%%", "%"));
            }
            None => {
                let mut all = arguments.join("\0");
                all.push('\0');
                all.push_str(&self.address);
                crate::system::digest(all.as_bytes(), crate::system::Algorithm::Sha1)
            }
        };
        // ssh reads `%` in the path.
        Some(format!("{}/{}", place.replace('%', "%%"), &name[..10]))
    }
}

fn asks_to_share(arguments: &[String]) -> bool {
    let says = |name: &str| {
        arguments
            .iter()
            .any(|word| word.to_ascii_lowercase().contains(name))
    };
    says("controlpersist") && !says("controlpath")
}

fn words(name: &str, text: Option<&String>) -> Result<Vec<String>> {
    let text = text.map_or("", String::as_str);
    shlex::split(text).ok_or_else(|| {
        Error::new(
            Kind::Unreachable,
            format!("`{name}`: quotes don't close in `{text}`"),
        )
    })
}

/// The questions of `ssh` that the password of one host answers; no other question gets it: not
/// one about a host key, a key's passphrase, or the password of a host on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PasswordPrompts {
    user: String,
    host: String,
    /// Whether the host is reached through others.
    jumps: bool,
}

impl PasswordPrompts {
    /// Names the user and the host that are reached directly.
    pub fn new(user: &str, host: &str) -> PasswordPrompts {
        PasswordPrompts {
            user: user.to_owned(),
            host: host.to_owned(),
            jumps: false,
        }
    }

    /// Asks `ssh` itself whom it will ask for, with the arguments that [`argv`] made.
    pub fn of(argv: &[String]) -> PasswordPrompts {
        let Some((program, arguments)) = argv.split_first() else {
            return PasswordPrompts::default();
        };
        let without_command = &arguments[..arguments.len().saturating_sub(1)];
        std::process::Command::new(program)
            .arg("-G")
            .args(without_command)
            .stdin(std::process::Stdio::null())
            .output()
            .map(|output| PasswordPrompts::read(&String::from_utf8_lossy(&output.stdout)))
            .unwrap_or_default()
    }

    /// Reads what `ssh -G` says.
    fn read(text: &str) -> PasswordPrompts {
        let mut prompts = PasswordPrompts::default();
        let mut alias = None;
        for (key, value) in text.lines().filter_map(|line| line.split_once(' ')) {
            match key {
                "user" => value.clone_into(&mut prompts.user),
                "hostname" => value.clone_into(&mut prompts.host),
                "hostkeyalias" => alias = Some(value.to_owned()),
                "proxyjump" | "proxycommand" => prompts.jumps |= value != "none",
                _ => {}
            }
        }
        if let Some(alias) = alias {
            prompts.host = alias;
        }
        prompts
    }

    /// Says whether a question is for the host's password.
    ///
    /// **Source:** `sshconnect2.c` of OpenSSH: the words, and how far names are shown.
    pub fn matches(&self, prompt: &str) -> bool {
        if self.host.is_empty() {
            return false;
        }
        let prompt = prompt.trim();
        let short = |text: &str, most: usize| text.chars().take(most).collect::<String>();
        if prompt
            == format!(
                "{}@{}'s password:",
                short(&self.user, 30),
                short(&self.host, 128)
            )
        {
            return true;
        }
        // What a host words itself: ssh puts the name in front, older ones nothing.
        let own = prompt.strip_prefix(&format!("({}@{}) ", self.user, self.host));
        let asks = |words: &str| {
            words
                .trim_end_matches([':', ' '])
                .eq_ignore_ascii_case("password")
        };
        own.is_some_and(asks) || (!self.jumps && asks(prompt))
    }
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

    #[test]
    fn what_the_user_says_comes_before_what_nobody_has_said() {
        let options = Options {
            executable: "ssh".into(),
            address: "h".into(),
            connect_timeout: 10,
            ssh_args: Some("-o ConnectTimeout=77".into()),
            extra_args: Some("-o ServerAliveInterval=88".into()),
            ..Options::default()
        };
        let line = argv(&options, "cmd").expect("arguments");
        let at = |text: &str| line.iter().position(|word| word == text).expect(text);
        assert!(at("ConnectTimeout=77") < at("ConnectTimeout=10"));
        assert!(at("ServerAliveInterval=88") < at("ServerAliveInterval=5"));
    }

    #[test]
    fn connections_are_shared_where_the_arguments_ask_for_it() {
        let shared = |args: &str, name: Option<&str>| {
            let options = Options {
                executable: "ssh".into(),
                address: "h".into(),
                ssh_args: Some(args.into()),
                control_path: name.map(str::to_owned),
                control_path_dir: Some("/c p".into()),
                ..Options::default()
            };
            let line = argv(&options, "cmd").expect("arguments");
            let mut found = line.iter().filter(|word| word.starts_with("ControlPath="));
            let (first, second) = (found.next().cloned(), found.next());
            assert_eq!(second, None);
            first
        };
        let own = shared("-o ControlPersist=60s", None).expect("a path");
        assert!(
            own.starts_with("ControlPath=\"/c p/") && own.len() == 29,
            "{own}"
        );
        assert_ne!(shared("-o ControlPersist=60s -J a", None), Some(own));
        assert_eq!(
            shared("-o ControlPersist=9", Some("%(directory)s/%%h")).as_deref(),
            Some("ControlPath=\"/c p/%h\"")
        );
        assert_eq!(
            shared("-o ControlPersist=9 -o ControlPath=x", None).as_deref(),
            Some("ControlPath=x")
        );
        assert_eq!(shared("-C", None), None);
    }

    #[test]
    fn the_password_answers_only_the_question_for_it() {
        let prompts = PasswordPrompts::read("host h\nuser ann\nhostname 10.0.0.1\nproxyjump j\n");
        for asked in ["ann@10.0.0.1's password: ", "(ann@10.0.0.1) Password: "] {
            assert!(prompts.matches(asked), "{asked}");
        }
        for other in [
            "ann@j's password: ",
            "Password: ",
            "Enter passphrase for key '/k': ",
            "The authenticity of host '10.0.0.1 (10.0.0.1)' can't be established.\nAre you sure you want to continue connecting (yes/no/[fingerprint])? ",
            "(ann@10.0.0.1) Verification code: ",
            "",
        ] {
            assert!(!prompts.matches(other), "{other}");
        }
        let direct = PasswordPrompts::read("user ann\nhostname h\nhostkeyalias alias\n");
        assert!(direct.matches("ann@alias's password:") && direct.matches("Password:"));
        assert!(!PasswordPrompts::default().matches("Password:"));
    }
}
