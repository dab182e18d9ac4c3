//! A directory of a project of its own, and the binary run in it with a clean environment.

use std::path::PathBuf;
use std::process::Command;

/// What a command printed and how it ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// Tells how a program ended.
    pub(crate) fn of(output: std::process::Output) -> Ended {
        Ended {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Returns everything that was printed.
    pub(crate) fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

/// A temporary project: an inventory with the local host `here`, and whatever files a test writes.
pub(crate) struct Sandbox {
    dir: tempfile::TempDir,
}

impl Sandbox {
    /// Makes a project whose inventory is `here ansible_connection=local`.
    pub(crate) fn new() -> Sandbox {
        let sandbox = Sandbox {
            dir: tempfile::tempdir().expect("a temporary directory"),
        };
        sandbox.write("inventory.ini", "here ansible_connection=local\n");
        sandbox
    }

    /// Writes a file; its directories are made.
    pub(crate) fn write(&self, name: &str, text: &str) -> &Sandbox {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(path, text).expect("a file");
        self
    }

    /// Returns the path of a file of the project.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Prepares the binary: its directory is the project, its environment holds the minimum.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_regrole"));
        command
            .args(args)
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.dir.path())
            .env("LANG", "C.UTF-8")
            .stdin(std::process::Stdio::null());
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        Ended::of(self.command(args).output().expect("the binary starts"))
    }

    /// Runs a playbook of this text on the project's inventory.
    pub(crate) fn play(&self, text: &str) -> Ended {
        self.write("site.yml", text);
        self.run(&["run", "-i", "inventory.ini", "site.yml"])
    }
}
