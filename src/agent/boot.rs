//! How the agent gets onto a host: a small shell script finds it there, or asks for it.
//!
//! The binary is cached under the hash of its content, in a directory of mode 0700 of the user who
//! logs in, and its hash is checked before it runs. Cached, it is one exchange: the marker.

use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// The agent's binary: this program.
pub(super) struct Binary {
    pub(super) hash: String,
    bytes: Vec<u8>,
    packed: OnceLock<Vec<u8>>,
}

impl Binary {
    /// Reads this program.
    ///
    /// # Errors
    /// What the operating system says.
    pub(super) fn own() -> std::io::Result<Binary> {
        let bytes = std::fs::read("/proc/self/exe").or_else(|_| {
            std::env::current_exe().and_then(|path| std::fs::read(Path::new(&path)))
        })?;
        let hash = Sha256::digest(&bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(Binary {
            hash,
            bytes,
            packed: OnceLock::new(),
        })
    }

    /// Returns the program as it is, for hosts without `gzip`.
    pub(super) fn plain(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the program compressed; made once.
    pub(super) fn packed(&self) -> &[u8] {
        self.packed.get_or_init(|| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
            let _ = encoder.write_all(&self.bytes);
            encoder.finish().unwrap_or_default()
        })
    }
}

/// What the script says when it can't start the agent at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The agent's marker: it runs.
    Runs,
    /// It needs the compressed binary.
    WantsPacked,
    /// It needs the plain binary.
    WantsPlain,
    /// The agent can't run here; a shell reads commands now.
    Shell,
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

/// Returns the script that starts the agent on a host.
///
/// It prints the marker and a letter: `R` (and becomes the agent), `Z` or `P` (and reads a line with
/// a number and so many bytes, compressed or plain, then becomes the agent), `S` (and becomes a
/// shell that reads commands). Directories are tried in order; one where nothing can be executed is passed over.
pub(super) fn script(
    marker: &str,
    hash: &str,
    remote_tmp: Option<&str>,
    force_shell: bool,
) -> String {
    let tmp = remote_tmp.map_or_else(String::new, |dir| match dir.strip_prefix("~/") {
        Some(rest) => format!("\"$HOME\"/{} ", shlex::try_quote(rest).unwrap_or_default()),
        None => format!("{} ", shlex::try_quote(dir).unwrap_or_default()),
    });
    let arch = std::env::consts::ARCH;
    let shell = format!("[ -z \"$k\" ] || umask \"$k\"; printf '%sS' {marker}; exec sh");
    if force_shell {
        return shell;
    }
    format!(
        r#"h={hash}; m={marker}; k=$(umask); umask 077
ok() {{ [ -f "$1" ] && [ -O "$1" ] && {{ s=$(sha256sum <"$1" 2>/dev/null) && [ "${{s%% *}}" = $h ]; }}; }}
go() {{ umask "$k"; printf '%sR' $m; exec "$1" {agent} $m; }}
case "$(uname -s)-$(uname -m)" in Linux-{arch}|Linux-amd64) ;; *) {shell};; esac
u=$(id -u)
set -- "${{XDG_CACHE_HOME:-$HOME/.cache}}/regrole" {tmp}/var/tmp/.regrole-$u /tmp/.regrole-$u /dev/shm/.regrole-$u
for d; do ok "$d/$h" && "$d/$h" {probe} >/dev/null 2>&1 && go "$d/$h"; done
for d; do
  mkdir -p "$d" 2>/dev/null && [ -O "$d" ] && [ ! -L "$d" ] && chmod 700 "$d" 2>/dev/null || continue
  t="$d/.probe$$"; printf '#!/bin/sh\nexit 0\n' >"$t" 2>/dev/null && chmod 700 "$t" && "$t" 2>/dev/null || {{ rm -f "$t"; continue; }}
  rm -f "$t"; t="$d/.new$$"
  if command -v gzip >/dev/null 2>&1; then printf '%sZ' $m; read -r n; head -c "$n" | gzip -dc >"$t" 2>/dev/null
  else printf '%sP' $m; read -r n; head -c "$n" >"$t" 2>/dev/null; fi
  chmod 700 "$t" && ok "$t" && mv -f "$t" "$d/$h" && go "$d/$h"
  rm -f "$t"; break
done
{shell}"#,
        agent = super::AGENT_ARGUMENT,
        probe = super::PROBE_ARGUMENT,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_one_a_posix_shell_reads() {
        let text = script("0a", "ff", Some("~/.ansible/tmp"), false);
        let status = std::process::Command::new("sh")
            .args(["-n", "-c", &text])
            .status()
            .expect("a shell");
        assert!(status.success());
    }
}
