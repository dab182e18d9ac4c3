//! What controller and agent say to each other: one request is one task with all its items.
//!
//! Messages are JSON; bytes of files travel behind them as raw blobs, named by index.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::compat::Level;
use crate::value::Secret;

/// Runs a module once per item, in order, and answers with one [`Reply`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    /// Chosen by the controller; the reply carries it.
    pub id: u64,
    /// The module's short name, a row of the module table.
    pub module: String,
    /// The invocations, in loop order; one without a loop.
    pub items: Vec<Item>,
    /// Runs on the overlay: nothing is written.
    pub check: bool,
    /// Results carry `diff`.
    pub diff: bool,
    /// The compatibility level, for results and messages.
    #[serde(default)]
    pub level: Level,
    /// Environment variables of the task.
    pub environment: BTreeMap<String, String>,
    /// The user to run as; the connection's own where absent.
    pub r#become: Option<Become>,
    /// The password that becoming this user takes. It travels inside the connection only, and is
    /// in no argument list and no environment.
    #[serde(default, with = "exposed", skip_serializing_if = "Option::is_none")]
    pub become_password: Option<Secret<String>>,
    /// Seconds after which the task is stopped; zero is none.
    pub timeout: u64,
    /// Settings that modules read, such as `kube_force` or `remote_tmp`.
    pub settings: BTreeMap<String, String>,
}

/// One invocation of a module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Item {
    /// The module's arguments, rendered.
    pub args: serde_json::Value,
    /// Index of the blob that holds the file content to place (`copy`, `template`, `script`).
    pub content: Option<usize>,
    /// Raw bytes whose index is `content`; filled in by the receiving side.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

/// Privilege escalation of one task.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq, Hash)]
pub struct Become {
    /// `sudo`, `su` or `doas`.
    pub method: String,
    /// The user to become.
    pub user: String,
    /// Executable in place of the method's own.
    pub exe: Option<String>,
    /// Flags in place of the method's own.
    pub flags: Option<String>,
}

/// The answer to a [`Request`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reply {
    /// The request's id.
    pub id: u64,
    /// One result per item, as Ansible's modules return them (`changed`, `failed`, `msg`, `diff`, …).
    pub results: Vec<serde_json::Value>,
}

/// The one place where a secret is written: inside the connection.
mod exposed {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::value::Secret;

    #[expect(clippy::ref_option, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(
        secret: &Option<Secret<String>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        secret.as_ref().map(Secret::expose).serialize(to)
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(
        from: D,
    ) -> Result<Option<Secret<String>>, D::Error> {
        Ok(Option::<String>::deserialize(from)?.map(Secret::new))
    }
}
