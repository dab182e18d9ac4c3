//! How the agent gets onto a host: a small shell script finds it there, or asks for it.
//!
//! The binary is cached under its build's identity (`binary.rs`), in a directory of mode 0700 of the
//! user who logs in. It gets its name there only when its SHA-256 is right and its bytes are on the
//! disk; only that user and root can change it later, and both can change all that the user runs.
//! So it is started at once where it is found: one exchange, and no program but the agent.

/// What the script says when it can't start the agent at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The agent's own word: it runs (see [`hello`]).
    Runs,
    /// It needs the compressed binary.
    WantsPacked,
    /// It needs the plain binary.
    WantsPlain,
    /// The agent can't run here; a shell reads commands now.
    Shell,
}

/// Returns what an agent says first: its marker, and that it runs.
pub(super) fn hello(marker: &str) -> String {
    format!("{marker}R")
}

/// Reads the script's answer: the byte behind the marker.
pub(super) fn answer(byte: u8) -> Option<Answer> {
    match byte {
        b'R' => Some(Answer::Runs),
        b'Z' => Some(Answer::WantsPacked),
        b'P' => Some(Answer::WantsPlain),
        b'S' => Some(Answer::Shell),
        _ => None,
    }
}

/// Returns the script that starts the agent on a host, for a shell that reads it from its input.
///
/// The agent says the marker and `R` ([`answer`]). Where it isn't found the script says the marker
/// and `Z` or `P`, reads a line with a number and a SHA-256 and so many bytes, compressed or plain,
/// and starts the agent; or it says `S` and a line that tells why the agent can't run, and becomes a
/// shell that reads commands. Directories are tried in order; one where nothing can be executed, or
/// where the binary doesn't arrive whole, is passed over. Whatever happens to the bytes of an
/// upload, all of them are read: none reaches a shell.
///
/// The script stays below the agent, because a file that can't be executed, or is damaged, would end
/// a shell that becomes it; so such a file is replaced.
pub(super) fn script(
    marker: &str,
    identity: &str,
    remote_tmp: Option<&str>,
    force_shell: bool,
) -> String {
    let tmp = remote_tmp.map_or_else(String::new, |dir| match dir.strip_prefix("~/") {
        Some(rest) => format!("\"$HOME\"/{} ", shlex::try_quote(rest).unwrap_or_default()),
        None => format!("{} ", shlex::try_quote(dir).unwrap_or_default()),
    });
    let arch = std::env::consts::ARCH;
    if force_shell {
        return format!("{{ printf '%sS%s\\n' {marker} 'it is told not to'; exec /bin/sh; }}\n");
    }
    format!(
        r#"{{ h={identity}; m={marker}; k=
sh() {{ umask "${{k:-$(umask)}}"; printf '%sS%s\n' $m "$1"; exec /bin/sh; }}
mine() {{ [ -O "$1" ] && [ ! -L "$1" ]; }}
go() {{
  [ -z "$k" ] || umask "$k"
  "$1" {agent} $m; case $? in 126|127|132|135|139) [ -z "$k" ] || umask 077;; *) exit;; esac
}}
found() {{ if mine "$1" && mine "$1/$h" && [ -f "$1/$h" ] && [ -x "$1/$h" ]; then go "$1/$h"; fi; }}
gone() {{ rm -f "$t"; rmdir "$d" 2>/dev/null; }}
whole() {{ s=$(sha256sum <"$1" 2>/dev/null) && [ "${{s%% *}}" = "$c" ]; }}
if {{ read -r a </proc/sys/kernel/arch; }} 2>/dev/null; then a="Linux $a"; else a="$(uname -s) $(uname -m)"; fi
case $a in "Linux {arch}"|"Linux {alias}") ;; *) sh "it has another processor or system: $a";; esac
d1="${{XDG_CACHE_HOME:-$HOME/.cache}}/regrole"; found "$d1"
k=$(umask); umask 077
for c in sha256sum head cat id mkdir chmod mv rm; do command -v $c >/dev/null 2>&1 || sh "it has no $c"; done
u=$(id -u); w="no directory of ours can be made"
set -- {tmp}/var/tmp/.regrole-$u /tmp/.regrole-$u /dev/shm/.regrole-$u
for d; do found "$d"; done
for d in "$d1" "$@"; do
  mkdir -p "$d" 2>/dev/null && mine "$d" && chmod 700 "$d" 2>/dev/null || continue
  t="$d/.probe$$"
  {{ printf '#!/bin/sh
exit 0
' >"$t" && chmod 700 "$t"; }} 2>/dev/null || {{ w="no directory of ours can be written"; gone; continue; }}
  "$t" 2>/dev/null || {{ w="nothing can be executed where we can write"; gone; continue; }}
  rm -f "$t"; t="$d/.new$$"
  if command -v gzip >/dev/null 2>&1; then printf '%sZ' $m; read -r n c; head -c "$n" | {{ gzip -dc >"$t"; cat >/dev/null; }} 2>/dev/null
  else printf '%sP' $m; read -r n c; head -c "$n" | {{ cat >"$t"; cat >/dev/null; }} 2>/dev/null; fi
  w="the agent did not arrive whole: is there no space left?"
  chmod 700 "$t" 2>/dev/null && whole "$t" && {{ sync "$t" || :; }} 2>/dev/null && mv -f "$t" "$d/$h" && {{ w="the agent can't run"; go "$d/$h"; }}
  gone
done
sh "$w"; }}
"#,
        alias = alias(arch),
        agent = super::AGENT_ARGUMENT,
    )
}

/// Returns how some systems call a processor that this binary runs on.
fn alias(arch: &str) -> &str {
    match arch {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::io::{Read, Write};
    use std::os::unix::fs::PermissionsExt;
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const MARKER: &str = "0123456789abcdef";
    const IDENTITY: &str = "0a1b2c";

    /// A host of its own: a home directory, a path, and what the shell does first.
    struct Host {
        home: tempfile::TempDir,
        before: &'static str,
        tools: Option<PathBuf>,
    }

    impl Host {
        fn new(before: &'static str) -> Host {
            Host {
                home: tempfile::tempdir().expect("a directory"),
                before,
                tools: None,
            }
        }

        /// Leaves only these programs.
        fn with_only(mut self, programs: &[&str]) -> Host {
            let dir = self.home.path().join("bin");
            std::fs::create_dir(&dir).expect("a directory");
            for name in programs {
                let from = ["/usr/bin", "/bin"].map(|dir| Path::new(dir).join(name));
                let from = from.iter().find(|path| path.exists()).expect(name);
                std::os::unix::fs::symlink(from, dir.join(name)).expect("a link");
            }
            self.tools = Some(dir);
            self
        }

        /// Runs the script, answers every request for the binary, and returns the letters that it
        /// said, the rest of its output, and its standard error.
        fn boot(&self, program: &[u8]) -> (String, String, String) {
            let packed = {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::new(1));
                encoder.write_all(program).expect("memory");
                encoder.finish().expect("memory")
            };
            let checksum = crate::system::digest(program, crate::system::Algorithm::Sha256);
            let own = self.home.path().join("own");
            let text = script(MARKER, IDENTITY, own.to_str(), false).replace(
                "/var/tmp/.regrole-$u /tmp/.regrole-$u /dev/shm/.regrole-$u",
                "",
            );
            let path = self.tools.clone().unwrap_or_else(|| "/usr/bin:/bin".into());
            let mut child = Command::new("/bin/sh")
                .env("HOME", self.home.path())
                .env_remove("XDG_CACHE_HOME")
                .env("PATH", path)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("a shell");
            let mut input = child.stdin.take().expect("a pipe");
            let mut output = child.stdout.take().expect("a pipe");
            let commands = format!("umask 027\n{}\n{text}", self.before);
            input.write_all(commands.as_bytes()).expect("it reads");
            let mut letters = String::new();
            loop {
                super::super::frame::skip_to(&mut output, MARKER.as_bytes()).expect("an answer");
                let mut letter = [0];
                output.read_exact(&mut letter).expect("a letter");
                letters.push(char::from(letter[0]));
                let bytes = match answer(letter[0]).expect("a known letter") {
                    Answer::WantsPacked => packed.as_slice(),
                    Answer::WantsPlain => program,
                    Answer::Runs | Answer::Shell => break,
                };
                let length = format!("{} {checksum}\n", bytes.len());
                input.write_all(length.as_bytes()).expect("it reads");
                input.write_all(bytes).expect("it reads");
            }
            drop(input);
            let (mut rest, mut errors) = (String::new(), String::new());
            output.read_to_string(&mut rest).expect("text");
            let mut stream = child.stderr.take().expect("a pipe");
            stream.read_to_string(&mut errors).expect("text");
            let _ = child.wait();
            (letters, rest, errors)
        }

        fn files(&self) -> Vec<PathBuf> {
            walkdir::WalkDir::new(self.home.path())
                .into_iter()
                .map(|entry| entry.expect("an entry").into_path())
                .filter(|path| path.is_file() && !path.is_symlink())
                .collect()
        }
    }

    /// A program in place of the agent that is large enough to need several writes.
    fn program() -> Vec<u8> {
        use rand::Rng;
        let mut noise = vec![0; 200_000];
        rand::rng().fill_bytes(&mut noise);
        // Read as commands, this noise would say so on standard error.
        let noise: String = noise.iter().map(|byte| format!("{byte:02x}\n")).collect();
        format!("#!/bin/sh\nprintf '%sR' \"$2\"; umask\nexit 0\n{noise}").into_bytes()
    }

    #[test]
    fn the_script_is_one_a_posix_shell_reads() {
        let text = script("0a", "ff", Some("~/.ansible/tmp"), false);
        let status = Command::new("sh")
            .args(["-n", "-c", &text])
            .status()
            .expect("a shell");
        assert!(status.success());
    }

    #[test]
    fn the_binary_is_sent_once_and_then_found() {
        for tools in [None, Some(())] {
            let mut host = Host::new("");
            if tools.is_some() {
                host = host.with_only(&[
                    "sh",
                    "uname",
                    "id",
                    "sha256sum",
                    "head",
                    "cat",
                    "mkdir",
                    "chmod",
                    "mv",
                    "rm",
                ]);
            }
            let program = program();
            let first = if tools.is_some() { "PR" } else { "ZR" };
            for letters in [first, "R"] {
                let said = host.boot(&program);
                let expected = (letters.to_owned(), "0027\n".to_owned(), String::new());
                assert_eq!(said, expected);
            }
            assert_eq!(host.files().len(), 1);
        }
    }

    #[test]
    fn an_agent_that_cannot_run_any_more_is_replaced() {
        let host = Host::new("");
        let program = program();
        assert_eq!(host.boot(&program).0, "ZR");
        let agent = host.home.path().join(".cache/regrole").join(IDENTITY);
        for (content, mode) in [
            ("#!/nowhere\n", 0o700),
            ("#!/bin/sh\nkill -BUS $$\n", 0o700),
            ("#!/bin/sh\n", 0o600),
        ] {
            std::fs::write(&agent, content).expect("written");
            std::fs::set_permissions(&agent, Permissions::from_mode(mode)).expect("a mode");
            let (letters, rest, _) = host.boot(&program);
            assert_eq!((letters.as_str(), rest.as_str()), ("ZR", "0027\n"));
            assert_eq!(std::fs::read(&agent).expect("readable"), program);
        }
    }

    #[test]
    fn what_does_not_arrive_whole_is_removed_and_never_read_as_commands() {
        let host = Host::new("ulimit -f 8");
        let (letters, rest, errors) = host.boot(&program());
        assert_eq!(letters, "ZZS", "{errors}");
        assert_eq!(
            rest,
            "the agent did not arrive whole: is there no space left?\n"
        );
        assert_eq!(errors, "");
        assert_eq!(host.files(), Vec::<PathBuf>::new());
    }

    #[test]
    fn a_host_without_a_needed_program_says_which() {
        let host = Host::new("").with_only(&["sh", "uname", "id", "head", "cat"]);
        let (letters, rest, _) = host.boot(&program());
        assert_eq!(
            (letters.as_str(), rest.as_str()),
            ("S", "it has no sha256sum\n")
        );
    }

    #[test]
    fn a_cache_that_is_a_link_is_not_used() {
        let host = Host::new("");
        let elsewhere = tempfile::tempdir().expect("a directory");
        let cache = host.home.path().join(".cache");
        std::fs::create_dir(&cache).expect("a directory");
        std::os::unix::fs::symlink(elsewhere.path(), cache.join("regrole")).expect("a link");
        let (letters, ..) = host.boot(&program());
        assert_eq!(letters, "ZR");
        assert_eq!(
            std::fs::read_dir(elsewhere.path()).expect("read").count(),
            0
        );
        assert!(host.home.path().join("own").is_dir());
    }
}
