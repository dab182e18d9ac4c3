//! Where a task runs: connection, user, privilege, environment, from variables and keywords.
//!
//! **Source:** "Controlling how Ansible behaves: precedence rules": variables win over keywords,
//! keywords over flags, flags over the configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use super::keywords::Keywords;
use super::run::Runner;
use crate::agent::message::Become;
use crate::agent::{ConnectionKind, ConnectionSpec};
use crate::diag::{Error, Kind, Result};
use crate::inventory::is_localhost;
use crate::playbook::Task;
use crate::template::Templar;
use crate::value::{Secret, Value};
use crate::vars::View;

/// A place where invocations run.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// Names the connection: one per host, user and way.
    pub key: String,
    /// How to connect.
    pub spec: Rc<ConnectionSpec>,
    /// The user to become, if any.
    pub r#become: Option<Become>,
    /// The password for that.
    pub become_password: Option<Secret<String>>,
    /// Environment variables of the task.
    pub environment: BTreeMap<String, String>,
}

impl Target {
    /// Says whether invocations for both can travel together.
    pub(super) fn same(&self, other: &Target) -> bool {
        self.key == other.key
            && self.r#become == other.r#become
            && self.environment == other.environment
    }
}

/// Works out where a task runs for a host, or for the host it is delegated to.
pub(super) fn target(
    runner: &Runner,
    view: &Rc<View>,
    templar: &Templar,
    task: &Task,
    delegated: Option<&str>,
) -> Result<Target> {
    let keywords = Keywords {
        level: runner.level,
        sources: &runner.sources,
        templar,
        task,
    };
    let environment = environment(&keywords)?;
    let options = &runner.options;
    // The delegated host's own variables say how to reach it; the task's say what to do.
    let other = delegated.map(|name| {
        let play = runner.current_play();
        let view = Rc::new(View::new(&runner.store, name, play.as_ref(), None));
        let templar = Templar::new(runner.templates.clone(), view.clone());
        (view, templar)
    });
    let (reach_view, reach) = match &other {
        Some((view, templar)) => (view, templar),
        None => (view, templar),
    };
    let host = delegated.unwrap_or_else(|| view.host());
    let variable = |names: &[&str]| -> Result<Option<String>> {
        for name in names {
            if reach_view.has(name)
                && let Some(value) = reach.variable(name)?
                && !value.is_none()
            {
                return Ok(Some(value.to_str()));
            }
        }
        Ok(None)
    };
    let known = runner.store.inventory().borrow().has_host(host);
    let is_local_name = is_localhost(host);
    let kind = match variable(&["ansible_connection"])? {
        Some(kind) => kind,
        None if is_local_name && !known => "local".to_owned(),
        None => match (keywords.text("connection")?, &options.connection) {
            (Some(kind), _) => kind,
            (None, Some(kind)) => kind.clone(),
            (None, None) => "ssh".to_owned(),
        },
    };
    let kind = match kind.as_str() {
        "local" | "ansible.builtin.local" => ConnectionKind::Local,
        "ssh" | "smart" | "ansible.builtin.ssh" | "paramiko" | "paramiko_ssh" => {
            ConnectionKind::Ssh
        }
        other => {
            return Err(Error::new(
                Kind::Unsupported,
                format!("the connection plugin '{other}' was not found"),
            )
            .help("`ssh` and `local` are supported"));
        }
    };
    let user = match variable(&["ansible_user", "ansible_ssh_user"])? {
        Some(user) => Some(user),
        None => keywords
            .text("remote_user")?
            .or_else(|| options.remote_user.clone()),
    };
    let port = match variable(&["ansible_port", "ansible_ssh_port"])? {
        Some(port) => Some(port),
        None => keywords.text("port")?,
    };
    let port = match port.filter(|port| !port.is_empty()) {
        Some(port) => Some(port.trim().parse::<u16>().map_err(|_| {
            Error::new(
                Kind::Argument,
                format!("`ansible_port` of {host} is no port number: found `{port}`"),
            )
        })?),
        None => None,
    };
    let password = variable(&[
        "ansible_password",
        "ansible_ssh_password",
        "ansible_ssh_pass",
    ])?
    .map(Secret::new)
    .or_else(|| options.connection_password.clone());
    let yes = |text: &str| crate::template::to_bool(&Value::str(text)).unwrap_or(false);
    let spec = ConnectionSpec {
        host: host.to_owned(),
        kind,
        address: variable(&["ansible_host", "ansible_ssh_host"])?
            .unwrap_or_else(|| host.to_owned()),
        port,
        user: user.clone(),
        password,
        private_key: variable(&["ansible_ssh_private_key_file", "ansible_private_key_file"])?
            .map(PathBuf::from)
            .or_else(|| options.private_key.clone()),
        ssh_executable: variable(&["ansible_ssh_executable"])?
            .or_else(|| options.ssh_executable.clone())
            .unwrap_or_else(|| "ssh".to_owned()),
        ssh_args: variable(&["ansible_ssh_args"])?.or_else(|| options.ssh_args.clone()),
        common_args: variable(&["ansible_ssh_common_args"])?
            .or_else(|| options.ssh_common_args.clone()),
        extra_args: variable(&["ansible_ssh_extra_args"])?
            .or_else(|| options.ssh_extra_args.clone()),
        control_path: variable(&["ansible_control_path"])?.or_else(|| options.control_path.clone()),
        control_path_dir: variable(&["ansible_control_path_dir"])?
            .or_else(|| options.control_path_dir.clone())
            .map(|path| crate::config::expand_home(&path)),
        host_key_checking: match variable(&[
            "ansible_ssh_host_key_checking",
            "ansible_host_key_checking",
        ])? {
            Some(text) => yes(&text),
            None => options.host_key_checking,
        },
        connect_timeout: match variable(&["ansible_ssh_timeout", "ansible_timeout"])? {
            Some(text) => text.trim().parse().unwrap_or(options.timeout),
            None => options.timeout,
        },
        remote_tmp: variable(&["ansible_remote_tmp"])?.or_else(|| options.remote_tmp.clone()),
        force_shell: variable(&["ansible_regrole_agent"])?.as_deref() == Some("shell"),
    };
    let (r#become, become_password) = become_of(runner, &keywords, &variable)?;
    let key = format!(
        "{host}\0{}\0{}",
        user.unwrap_or_default(),
        matches!(spec.kind, ConnectionKind::Local)
    );
    Ok(Target {
        key,
        spec: Rc::new(spec),
        r#become,
        become_password,
        environment,
    })
}

type Read<'a> = dyn Fn(&[&str]) -> Result<Option<String>> + 'a;

fn become_of(
    runner: &Runner,
    keywords: &Keywords,
    variable: &Read,
) -> Result<(Option<Become>, Option<Secret<String>>)> {
    let settings = &keywords.task.settings;
    let defaults = &runner.options.r#become;
    let on = match variable(&["ansible_become"])? {
        Some(text) => crate::template::to_bool(&Value::str(text)).unwrap_or(false),
        None => match &settings.r#become {
            Some(value) => keywords.bool("become", value)?.unwrap_or(defaults.on),
            None => defaults.on,
        },
    };
    if !on {
        return Ok((None, None));
    }
    let method = match variable(&["ansible_become_method"])? {
        Some(method) => method,
        None => keywords
            .text("become_method")?
            .or_else(|| defaults.method.clone())
            .unwrap_or_else(|| "sudo".to_owned()),
    };
    let short = method.rsplit('.').next().unwrap_or(&method).to_owned();
    if !matches!(short.as_str(), "sudo" | "su" | "doas") {
        return Err(Error::new(
            Kind::Unsupported,
            format!("Invalid become method specified, could not find matching plugin: '{method}'."),
        )
        .help("`sudo`, `su` and `doas` are supported"));
    }
    let of_method = |name: &str| format!("ansible_{short}_{name}");
    let user = match variable(&["ansible_become_user", &of_method("user")])? {
        Some(user) => user,
        None => keywords
            .text("become_user")?
            .or_else(|| defaults.user.clone())
            .unwrap_or_else(|| "root".to_owned()),
    };
    let exe = match variable(&["ansible_become_exe", &of_method("exe")])? {
        Some(exe) => Some(exe),
        None => keywords
            .text("become_exe")?
            .or_else(|| defaults.exe.clone()),
    };
    let flags = match variable(&["ansible_become_flags", &of_method("flags")])? {
        Some(flags) => Some(flags),
        None => keywords
            .text("become_flags")?
            .or_else(|| defaults.flags.clone()),
    };
    let password = variable(&[
        "ansible_become_password",
        "ansible_become_pass",
        &of_method("password"),
        &of_method("pass"),
    ])?
    .map(Secret::new)
    .or_else(|| defaults.password.clone());
    Ok((
        Some(Become {
            method: short,
            user,
            exe,
            flags,
        }),
        password,
    ))
}

/// Renders the task's environment: outer levels first, inner ones win.
fn environment(keywords: &Keywords) -> Result<BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    for level in &keywords.task.settings.environment {
        let rendered = keywords.environment(level)?;
        let parts = match &rendered {
            Value::List(list) => list.to_vec(),
            other => vec![other.clone()],
        };
        for part in parts {
            match part {
                Value::Dict(dict) => {
                    for (key, value) in dict.to_vec() {
                        if !keywords.templar.is_omit(&value) {
                            all.insert(key.value().to_str(), value.to_str());
                        }
                    }
                }
                other if !other.truth() || keywords.templar.is_omit(&other) => {}
                other => {
                    return Err(Error::type_error(format!(
                        "environment must be a dictionary, received {} ({})",
                        other.to_str(),
                        other.type_name()
                    )));
                }
            }
        }
    }
    Ok(all)
}
