//! A watch on file systems: what was made, written, renamed or removed, also what is gone again.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

/// A running `inotifywait` on directories and all below them.
pub(crate) struct Watch {
    child: Child,
    events: BufReader<ChildStdout>,
    mark: PathBuf,
}

impl Watch {
    /// Starts watching; returns when every directory is watched.
    pub(crate) fn start(directories: &[PathBuf]) -> Self {
        let mut child = Command::new("inotifywait")
            .args(["--monitor", "--recursive", "--format", "%e %w%f"])
            .args(["-e", "modify,attrib,move,create,delete"])
            .args(directories)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("inotifywait (tests/lab/install)");
        let errors = child.stderr.take().expect("piped");
        let watch = Self {
            events: BufReader::new(child.stdout.take().expect("piped")),
            mark: directories[0].join(".end-of-watch"),
            child,
        };
        let mut said = Vec::new();
        for line in BufReader::new(errors).lines() {
            let line = line.expect("inotifywait speaks");
            if line.starts_with("Watches established") {
                return watch;
            }
            said.push(line);
        }
        panic!("inotifywait does not watch: {said:?}");
    }

    /// Ends the watch and returns what happened.
    pub(crate) fn events(mut self) -> Vec<String> {
        // Events come in order: after this one there is none that is older.
        std::fs::write(&self.mark, "").expect("a file");
        std::fs::remove_file(&self.mark).expect("the file");
        let mut all = Vec::new();
        let mut line = String::new();
        while self
            .events
            .read_line(&mut line)
            .expect("inotifywait speaks")
            > 0
        {
            if line.trim_end().ends_with(".end-of-watch") {
                break;
            }
            all.push(line.trim_end().to_owned());
            line.clear();
        }
        all
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lists the directories of a host's root that files are kept in: all but the kernel's own.
pub(crate) fn kept(root: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = std::fs::read_dir(root)
        .expect("a root")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir() && !path.is_symlink())
        .filter(|path| {
            !["proc", "sys", "dev"]
                .iter()
                .any(|kernel| path.ends_with(kernel))
        })
        .collect();
    let memory = root.join("dev/shm");
    if memory.is_dir() {
        all.push(memory);
    }
    all
}
