//! `run` and `playbook`.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::channel;

use super::list;
use super::options::RunArgs;
use super::session::{Session, columns};
use super::setup::{self, Setup};
use super::targets::{Targets, targets};
use crate::agent::Pool;
use crate::config::Config;
use crate::diag::{Error, Kind, Notice, Result};
use crate::executor::{BecomeDefaults, Options, Reporter, Runner, Status};
use crate::output::{Callback, Human, HumanOptions, Json};
use crate::playbook::Playbook;
use crate::value::Secret;

/// Runs playbooks or roles.
///
/// # Errors
/// What is wrong before or outside of tasks.
pub(super) fn run(args: &RunArgs, session: &Session) -> Result<u8> {
    if args.version {
        return version(args, session);
    }
    let prepared = prepare(args, session, false)?;
    if args.syntax_check || args.list_hosts || args.list_tasks || args.list_tags {
        return list::run(args, &prepared, session);
    }
    let callback = callback(args, &prepared, session);
    let reporter = Reporter::new(callback, session.sources.clone(), prepared.options.diff);
    execute(prepared, reporter, session)
}

/// Prints the version of Ansible that is reproduced, in its own form, and this program's.
fn version(args: &RunArgs, session: &Session) -> Result<u8> {
    let dir = std::env::current_dir().unwrap_or_default();
    let (config, chosen) = session.configure(args.compat.as_deref(), &dir, args.verbose)?;
    let file = config
        .path()
        .map_or_else(|| "None".to_owned(), |path| path.display().to_string());
    super::print(&format!(
        "ansible-playbook {}\n  config file = {file}\n  regrole version = {}\n  compatibility level = {} ({})\n",
        chosen.level.version_shown(),
        env!("CARGO_PKG_VERSION"),
        chosen.level.name(),
        chosen.reason
    ));
    Ok(0)
}

/// Everything that a run is made of.
pub(super) struct Prepared {
    pub(super) setup: Setup,
    pub(super) options: Options,
    pub(super) playbooks: Vec<Playbook>,
}

/// Reads settings, inventory and content.
pub(super) fn prepare(args: &RunArgs, session: &Session, dry: bool) -> Result<Prepared> {
    let targets = targets(&args.what)?;
    let dir = targets.dir();
    let settings = session.configure(args.compat.as_deref(), &dir, args.verbose)?;
    if let Targets::Playbooks(paths) = &targets
        && let Some(missing) = paths.iter().find(|path| !path.exists())
    {
        return Err(Error::new(
            Kind::NotFound,
            format!("the playbook: {} could not be found", missing.display()),
        ));
    }
    args.refuse_unsupported()?;
    let keyring = session.unlock(&args.vault, &settings)?;
    let mut options = options(args, &settings.0)?;
    if dry {
        options.check = true;
        options.diff = true;
    }
    let extra = setup::extra_vars(&session.sources, &args.extra_vars, settings.1.level)?;
    let setup = setup::setup(
        session,
        &options,
        settings,
        keyring,
        &args.inventory,
        extra,
        &dir,
    )?;
    let is_empty = setup.store.inventory().borrow().host_names().is_empty();
    if is_empty && setup.config.flag("localhost_warning") {
        session.sources.note(Notice::warning("provided hosts list is empty, only localhost is available. Note that the implicit localhost does not match 'all'"));
    }
    session.tell_notices();
    if options.verbosity > 0 && !args.json {
        super::print(&match setup.config.path() {
            Some(path) => format!("Using {} as config file\n", path.display()),
            None => "No config file found; using defaults\n".to_owned(),
        });
    }
    let mut playbooks = Vec::new();
    match &targets {
        Targets::Playbooks(paths) => {
            for path in paths {
                playbooks.push(setup.loader.playbook(path)?);
            }
        }
        Targets::Roles(roles) => {
            let hosts = if setup
                .store
                .inventory()
                .borrow()
                .has_group("kube_control_plane")
            {
                "kube_control_plane"
            } else {
                "all"
            };
            let list: Vec<String> = roles
                .iter()
                .map(|role| format!("    - {{role: {role:?}}}\n"))
                .collect();
            let text = format!(
                "- hosts: {hosts}\n  gather_facts: false\n  roles:\n{}",
                list.concat()
            );
            playbooks.push(setup.loader.playbook_text(&dir, "<roles>", &text)?);
        }
    }
    if options.limit.is_some() {
        let matched = setup.store.inventory().borrow_mut().select("all")?;
        for warning in matched.warnings {
            session.sources.note(warning.into());
        }
        if matched.hosts.is_empty() {
            return Err(Error::new(
                Kind::Inventory,
                setup.chosen.level.no_hosts_to_target(),
            ));
        }
    }
    Ok(Prepared {
        setup,
        options,
        playbooks,
    })
}

fn options(args: &RunArgs, config: &Config) -> Result<Options> {
    let words = |list: &[String]| -> Vec<String> {
        list.iter()
            .flat_map(|text| text.split(','))
            .map(|word| word.trim().to_owned())
            .filter(|word| !word.is_empty())
            .collect()
    };
    let from_file = |path: &Option<String>| -> Result<Option<Secret<String>>> {
        match path {
            Some(path) => std::fs::read_to_string(path)
                .map(|text| Some(Secret::new(text.trim_end_matches(['\n', '\r']).to_owned())))
                .map_err(|error| Error::io(path, &error)),
            None => Ok(None),
        }
    };
    let connection_password = match from_file(&args.connection_password_file)? {
        Some(password) => Some(password),
        None if args.ask_pass => Some(ask("SSH password: ")?),
        None => None,
    };
    let become_password = match from_file(&args.become_password_file)? {
        Some(password) => Some(password),
        None if args.ask_become_pass => Some(ask("BECOME password: ")?),
        None => None,
    };
    Ok(Options {
        group_names: setup::group_names(config),
        check: args.check,
        diff: args.diff || config.flag("diff_always"),
        tags: words(&args.tags),
        skip_tags: words(&args.skip_tags),
        start_at_task: args.start_at_task.clone(),
        forks: args
            .forks
            .or(config.number("forks").map(|n| n as usize))
            .unwrap_or(0),
        limit: args.limit.clone(),
        interrupted: Arc::default(),
        verbosity: args
            .verbose
            .max(config.number("verbosity").unwrap_or(0) as u8),
        force_handlers: args.force_handlers || config.flag("force_handlers"),
        connection: args.connection.clone().or(config.text("transport")),
        remote_user: args.user.clone().or(config.text("remote_user")),
        private_key: args
            .private_key
            .clone()
            .or(config.text("private_key_file"))
            .map(PathBuf::from),
        connection_password,
        ssh_common_args: args
            .ssh_common_args
            .clone()
            .or(config.text("ssh_common_args")),
        ssh_extra_args: args
            .ssh_extra_args
            .clone()
            .or(config.text("ssh_extra_args")),
        ssh_args: config.text("ssh_args"),
        control_path: config.text("control_path"),
        control_path_dir: config.text("control_path_dir"),
        ssh_executable: config.text("ssh_executable"),
        host_key_checking: config.flag("host_key_checking"),
        timeout: args
            .timeout
            .or(config.number("timeout").map(|n| n as u64))
            .unwrap_or(10),
        remote_tmp: config.text("remote_tmp"),
        r#become: BecomeDefaults {
            on: args.r#become || config.flag("become"),
            user: args.become_user.clone().or(config.text("become_user")),
            method: args.become_method.clone().or(config.text("become_method")),
            flags: config.text("become_flags"),
            exe: config.text("become_exe"),
            password: become_password,
        },
        gather_implicitly: config.text("gathering").as_deref() != Some("explicit"),
        any_errors_fatal: config.flag("any_errors_fatal"),
        kube_force: config.text("kube_force"),
    })
}

/// Asks for a password without showing it.
fn ask(prompt: &str) -> Result<Secret<String>> {
    Ok(ask_for(prompt)?.unwrap_or_default())
}

/// Reads a line without showing it; `None` where there is no more input.
pub(super) fn ask_for(prompt: &str) -> Result<Option<Secret<String>>> {
    use std::io::{BufRead, Write};
    let stdin = std::io::stdin();
    let _ = write!(std::io::stderr(), "{prompt}");
    let _ = std::io::stderr().flush();
    let before = rustix::termios::tcgetattr(&stdin).ok();
    if let Some(before) = &before {
        let mut quiet = before.clone();
        quiet.local_modes.remove(rustix::termios::LocalModes::ECHO);
        let _ = rustix::termios::tcsetattr(&stdin, rustix::termios::OptionalActions::Now, &quiet);
    }
    let mut line = String::new();
    let read = stdin.lock().read_line(&mut line);
    if let Some(before) = &before {
        let _ = rustix::termios::tcsetattr(&stdin, rustix::termios::OptionalActions::Now, before);
        let _ = writeln!(std::io::stderr());
    }
    let count = read.map_err(|error| Error::io("standard input", &error))?;
    let line = line.trim_end_matches(['\n', '\r']).to_owned();
    Ok((count > 0).then(|| Secret::new(line)))
}

pub(super) fn callback(
    args: &RunArgs,
    prepared: &Prepared,
    session: &Session,
) -> Box<dyn Callback> {
    if args.json {
        return Box::new(Json::new(Box::new(std::io::stdout())));
    }
    let config = &prepared.setup.config;
    let terminal = std::io::stdout().is_terminal();
    let color = (terminal && !config.flag("nocolor")) || config.flag("force_color");
    let options = HumanOptions {
        verbosity: prepared.options.verbosity,
        color,
        columns: columns(),
        level: prepared.setup.chosen.level,
        skipped_hosts: config.flag("display_skipped_hosts"),
        ok_hosts: config.flag("display_ok_hosts"),
        failed_stderr: config.flag("display_failed_stderr"),
        check_markers: config.flag("check_mode_markers"),
        path_on_failure: config.flag("show_task_path_on_failure")
            && prepared.setup.chosen.level.shows_task_paths(),
    };
    Box::new(Human::new(
        options,
        session.sources.clone(),
        Box::new(std::io::stdout()),
        Box::new(std::io::stderr()),
        session.notices.clone(),
    ))
}

/// Lets the user stop the run: the first interrupt ends it in an orderly way, the second at once.
fn watch_interrupts(options: &Options) {
    use signal_hook::consts::SIGINT;
    use signal_hook::flag;
    // What can't be set stays as it was: an interrupt ends the program.
    let _ = flag::register_conditional_shutdown(SIGINT, 99, options.interrupted.clone());
    let _ = flag::register(SIGINT, options.interrupted.clone());
}

pub(super) fn execute(prepared: Prepared, reporter: Reporter, session: &Session) -> Result<u8> {
    let Prepared {
        setup,
        options,
        playbooks,
    } = prepared;
    if options.verbosity > 0 && setup.chosen.is_pinned {
        session.sources.note(Notice::hint(format!(
            "compatibility level {}: {}",
            setup.chosen.level.name(),
            setup.chosen.reason
        )));
    }
    watch_interrupts(&options);
    let (tx, events) = channel();
    let pool = Pool::new(tx);
    let counters = session.environment.get("REGROLE_COUNTERS").cloned();
    let mut runner = Runner::new(
        options,
        session.sources.clone(),
        setup.chosen.level,
        setup.store,
        setup.loader,
        reporter,
        pool,
        events,
    );
    let status = runner.run(&playbooks);
    if let Some(path) = counters {
        let text = runner.counters();
        std::fs::write(&path, text).map_err(|error| Error::io(&path, &error))?;
    }
    Ok(match status? {
        Status::Ok => 0,
        Status::Error => 1,
        Status::Failed => 2,
        Status::Unreachable => 4,
    })
}
