//! How a host is reached, as variables: `ansible_host`, `ansible_user` and the like have a value in
//! a task where nothing sets them.
//!
//! **Source:** as printed by ansible-core 2.19 and 2.18 and Ansible 2.9: such variables are there
//! once a task's loop is known; neither `vars` nor `hostvars` has them.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use super::options::Options;
use super::run::Runner;
use crate::compat::Level;
use crate::inventory::is_localhost;
use crate::playbook::Task;
use crate::template::{Templar, Variables};
use crate::value::{Dict, Key, Value};
use crate::vars::{PlayNames, View};

/// What the run's options say of how hosts are reached.
pub(super) struct Defaults {
    connection: Option<String>,
    remote_user: Option<String>,
    private_key: Option<String>,
    timeout: u64,
    ssh_executable: Option<String>,
    ssh_common_args: Option<String>,
    ssh_extra_args: Option<String>,
}

impl Defaults {
    pub(super) fn of(options: &Options) -> Defaults {
        Defaults {
            connection: options.connection.clone(),
            remote_user: options.remote_user.clone(),
            private_key: options
                .private_key
                .as_ref()
                .map(|path| path.to_string_lossy().into_owned()),
            timeout: options.timeout,
            ssh_executable: options.ssh_executable.clone(),
            ssh_common_args: options.ssh_common_args.clone(),
            ssh_extra_args: options.ssh_extra_args.clone(),
        }
    }
}

/// How the host of one task is reached, or the one that it is delegated to.
pub(super) struct Reached {
    defaults: Rc<Defaults>,
    level: Level,
    task: Rc<Task>,
    play: Rc<PlayNames>,
    view: Weak<View>,
    delegated: RefCell<Option<Rc<str>>>,
    /// A variable is being worked out, or none is to be.
    is_silent: Cell<bool>,
}

impl Reached {
    /// Gives a task's view the variables.
    pub(super) fn install(
        runner: &Runner,
        play: &Rc<PlayNames>,
        task: &Rc<Task>,
        view: &Rc<View>,
    ) -> Rc<Reached> {
        let reached = Rc::new(Reached {
            defaults: runner.reach.clone(),
            level: runner.level,
            task: task.clone(),
            play: play.clone(),
            view: Rc::downgrade(view),
            delegated: RefCell::default(),
            is_silent: Cell::new(false),
        });
        let of_view = reached.clone();
        view.set_last_resort(Rc::new(move |name| of_view.get(name)));
        reached
    }

    /// Says which host the task is delegated to.
    pub(super) fn delegate(&self, host: Option<&str>) {
        *self.delegated.borrow_mut() = host.map(Into::into);
    }

    /// Returns the address of the host that the task is delegated to.
    pub(super) fn address(&self) -> Option<Value> {
        self.delegated.borrow().as_ref()?;
        self.without(|| self.value("ansible_host", "host"))
    }

    /// Does something in which the variables are not there.
    pub(super) fn without<T>(&self, f: impl FnOnce() -> T) -> T {
        let before = self.is_silent.replace(true);
        let done = f();
        self.is_silent.set(before);
        done
    }

    fn get(&self, name: &str) -> Option<Value> {
        if name == "ansible_delegated_vars" {
            return self.delegated_vars();
        }
        let short = name.strip_prefix("ansible_")?;
        let short = short.strip_prefix("ssh_").unwrap_or(short);
        if !KNOWN.contains(&short) || self.is_silent.get() {
            return None;
        }
        self.without(|| self.value(name, short))
    }

    /// Returns the variables of the host that the task is delegated to, by its name.
    fn delegated_vars(&self) -> Option<Value> {
        let own = self.view.upgrade()?;
        let host = self.delegated.borrow().clone()?;
        let view = View::new(own.store(), &host, Some(&self.play), None);
        let vars: Dict = view
            .names()
            .iter()
            .filter(|name| *name != "hostvars")
            .filter_map(|name| Some((Key::str(name), view.get(name)?)))
            .collect();
        for (name, default) in [
            ("ansible_host", Value::str(&*host)),
            ("ansible_port", Value::None),
            ("ansible_user", Value::None),
        ] {
            if !vars.contains(name) {
                vars.set(name, default);
            }
        }
        vars.set("inventory_hostname", own.host());
        let all = Dict::new();
        all.set(&*host, Value::Dict(vars));
        Some(Value::Dict(all))
    }

    fn value(&self, name: &str, short: &str) -> Option<Value> {
        let own = self.view.upgrade()?;
        let delegated = self.delegated.borrow().clone();
        let view = match &delegated {
            Some(host) => Rc::new(View::new(own.store(), host, Some(&self.play), None)),
            None => own.clone(),
        };
        let templates = own.store().run_names().templates.clone();
        let templar = Templar::new(templates, view.clone());
        let stored = |names: [&str; 2]| {
            let name = names.into_iter().find(|name| view.has(name))?;
            templar.variable(name).ok().flatten()
        };
        let text = |text: &Option<String>| text.as_deref().map(Value::str);
        let keyword = |value: &Option<Value>| {
            let rendered = Templar::new(own.store().run_names().templates.clone(), own.clone())
                .render(value.as_ref()?)
                .ok()?;
            Some(rendered).filter(|value| !value.is_none())
        };
        let settings = &self.task.settings;
        let defaults = &self.defaults;
        let is_old = self.level.shows_ssh_arguments();
        match (name, short) {
            (_, "host") => stored(["ansible_host", "ansible_ssh_host"])
                .or_else(|| Some(Value::str(view.host()))),
            (_, "user") => stored(["ansible_user", "ansible_ssh_user"])
                .or_else(|| keyword(&settings.remote_user))
                .or_else(|| text(&defaults.remote_user)),
            (_, "port") => stored(["ansible_port", "ansible_ssh_port"]),
            (_, "private_key_file") => {
                stored(["ansible_private_key_file", "ansible_ssh_private_key_file"])
                    .or_else(|| text(&defaults.private_key))
            }
            (_, "timeout") => stored(["ansible_timeout", "ansible_ssh_timeout"])
                .or_else(|| Some(Value::from(i64::try_from(defaults.timeout).ok()?))),
            (_, "pipelining") => stored(["ansible_pipelining", "ansible_ssh_pipelining"])
                .or(Some(Value::Bool(false))),
            ("ansible_connection", _) => stored(["ansible_connection", "ansible_connection"])
                .or_else(|| {
                    let is_local = is_localhost(view.host())
                        && !own.store().inventory().borrow().has_host(view.host());
                    is_local.then(|| Value::str("local"))
                })
                .or_else(|| keyword(&settings.connection))
                .or_else(|| text(&defaults.connection))
                .or_else(|| Some(Value::str("ssh"))),
            ("ansible_shell_executable", _) => Some(Value::str("/bin/sh")),
            ("ansible_module_compression", _) => Some(Value::str("ZIP_DEFLATED")),
            ("ansible_ssh_executable", _) if is_old => {
                text(&defaults.ssh_executable).or_else(|| Some(Value::str("ssh")))
            }
            ("ansible_ssh_common_args", _) if is_old => {
                text(&defaults.ssh_common_args).or_else(|| Some(Value::str("")))
            }
            ("ansible_ssh_extra_args", _) if is_old => {
                text(&defaults.ssh_extra_args).or_else(|| Some(Value::str("")))
            }
            ("ansible_sftp_extra_args" | "ansible_scp_extra_args", _) if is_old => {
                Some(Value::str(""))
            }
            _ => None,
        }
    }
}

/// The names without `ansible_` and `ssh_`.
const KNOWN: [&str; 14] = [
    "host",
    "user",
    "port",
    "private_key_file",
    "timeout",
    "pipelining",
    "connection",
    "shell_executable",
    "module_compression",
    "executable",
    "common_args",
    "extra_args",
    "sftp_extra_args",
    "scp_extra_args",
];
