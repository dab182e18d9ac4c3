//! `run`, `playbook` and `plan`.

use std::cell::RefCell;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::channel;

use super::options::{PlanArgs, RunArgs};
use super::setup::{self, Setup};
use crate::agent::Pool;
use crate::config::Config;
use crate::diag::{Error, Kind, Result, Sources};
use crate::executor::{BecomeDefaults, Options, Reporter, Runner, Status};
use crate::output::{Callback, Event, Human, HumanOptions, Json, ResultKind, unified};
use crate::playbook::{Item, Playbook, Task};
use crate::value::{Dict, JsonStyle, Secret, Value};

/// Runs playbooks or roles.
///
/// # Errors
/// What is wrong before or outside of tasks.
pub(super) fn run(args: &RunArgs, sources: &Sources) -> Result<u8> {
    let prepared = prepare(args, sources, false)?;
    if args.syntax_check || args.list_hosts || args.list_tasks || args.list_tags {
        return list(args, &prepared);
    }
    let callback = callback(args, &prepared, sources);
    let reporter = Reporter::new(callback, sources.clone(), prepared.options.diff);
    execute(prepared, reporter, sources)
}

/// Runs dry and sums up what would change.
///
/// # Errors
/// As [`run`].
pub(super) fn plan(args: &PlanArgs, sources: &Sources) -> Result<u8> {
    let prepared = prepare(&args.run, sources, true)?;
    let callback = callback(&args.run, &prepared, sources);
    let mut reporter = Reporter::new(callback, sources.clone(), true);
    let seen = Rc::new(RefCell::new(Summary::default()));
    let watching = seen.clone();
    reporter.observe(Box::new(move |event| watching.borrow_mut().take(event)));
    let code = execute(prepared, reporter, sources)?;
    let summary = seen.borrow();
    if !args.run.json {
        super::print(&summary.text());
    }
    if let Some(path) = &args.out {
        let text = summary.json()?;
        std::fs::write(path, text).map_err(|error| Error::io(path, &error))?;
    }
    Ok(match (args.detailed_exitcode, code) {
        (true, 0) if summary.changes.is_empty() && summary.unknown.is_empty() => 0,
        (true, 0) => 2,
        (true, _) => 1,
        (false, code) => code,
    })
}

struct Prepared {
    setup: Setup,
    options: Options,
    playbooks: Vec<Playbook>,
}

fn prepare(args: &RunArgs, sources: &Sources, dry: bool) -> Result<Prepared> {
    let environment = setup::environment();
    let config = Config::load(sources, &environment)?;
    let targets = targets(&args.what)?;
    let dir = targets.dir();
    let mut options = options(args, &config)?;
    if dry {
        options.check = true;
        options.diff = true;
    }
    let extra = setup::extra_vars(sources, &args.extra_vars)?;
    let setup = setup::setup(
        sources,
        &options,
        args.compat.as_deref(),
        &args.inventory,
        extra,
        config,
        &dir,
    )?;
    let mut playbooks = Vec::new();
    match &targets {
        Targets::Playbooks(paths) => {
            for path in paths {
                if !path.exists() {
                    return Err(Error::new(
                        Kind::NotFound,
                        format!("the playbook: {} could not be found", path.display()),
                    ));
                }
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
        if matched.hosts.is_empty() {
            return Err(Error::new(
                Kind::Inventory,
                "Specified inventory, host pattern and/or --limit leaves us with no hosts to target.",
            ));
        }
    }
    Ok(Prepared {
        setup,
        options,
        playbooks,
    })
}

/// What is to be run.
enum Targets {
    Playbooks(Vec<PathBuf>),
    Roles(Vec<String>),
}

impl Targets {
    fn dir(&self) -> PathBuf {
        match self {
            Targets::Playbooks(paths) => paths
                .first()
                .and_then(|path| path.parent())
                .filter(|dir| !dir.as_os_str().is_empty())
                .map_or_else(|| PathBuf::from("."), Path::to_path_buf),
            Targets::Roles(_) => PathBuf::from("."),
        }
        .canonicalize()
        .unwrap_or_else(|_| PathBuf::from("."))
    }
}

/// Decides what the arguments mean: playbooks, roles, or what the directory holds.
fn targets(what: &[String]) -> Result<Targets> {
    if what.is_empty() {
        for name in ["site.yml", "site.yaml", "cluster.yml"] {
            if Path::new(name).is_file() {
                return Ok(Targets::Playbooks(vec![name.into()]));
            }
        }
        let mut roles: Vec<String> = std::fs::read_dir("roles")
            .map(|entries| {
                entries
                    .flatten()
                    .filter(|entry| entry.path().is_dir())
                    .map(|entry| entry.file_name().to_string_lossy().into_owned())
                    .collect()
            })
            .unwrap_or_default();
        roles.sort();
        if roles.is_empty() {
            return Err(Error::new(
                Kind::Usage,
                "nothing to run: no playbook, and no roles in `roles/`",
            )
            .help("name a playbook or a role"));
        }
        return Ok(Targets::Roles(roles));
    }
    let is_playbook = |name: &String| {
        name.ends_with(".yml") || name.ends_with(".yaml") || Path::new(name).is_file()
    };
    if what.iter().all(is_playbook) {
        return Ok(Targets::Playbooks(what.iter().map(PathBuf::from).collect()));
    }
    if what.iter().any(is_playbook) {
        return Err(Error::new(
            Kind::Usage,
            "playbooks and roles can't be mixed in one run",
        ));
    }
    Ok(Targets::Roles(
        what.iter()
            .map(|name| {
                let path = Path::new(name);
                if path.join("tasks").is_dir() {
                    path.canonicalize()
                        .map_or_else(|_| name.clone(), |p| p.to_string_lossy().into_owned())
                } else {
                    name.clone()
                }
            })
            .collect(),
    ))
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
    read.map_err(|error| Error::io("standard input", &error))?;
    Ok(Secret::new(line.trim_end_matches(['\n', '\r']).to_owned()))
}

fn callback(args: &RunArgs, prepared: &Prepared, sources: &Sources) -> Box<dyn Callback> {
    if args.json {
        return Box::new(Json::new(Box::new(std::io::stdout())));
    }
    let config = &prepared.setup.config;
    let terminal = std::io::stdout().is_terminal();
    let columns = rustix::termios::tcgetwinsize(std::io::stdout())
        .ok()
        .filter(|_| terminal)
        .map_or(79, |size| {
            usize::from(size.ws_col).saturating_sub(1).max(79)
        });
    let color = (terminal && !config.flag("nocolor")) || config.flag("force_color");
    let options = HumanOptions {
        verbosity: prepared.options.verbosity,
        color,
        columns,
        level: prepared.setup.level,
        skipped_hosts: config.flag("display_skipped_hosts"),
        ok_hosts: config.flag("display_ok_hosts"),
        failed_stderr: config.flag("display_failed_stderr"),
        check_markers: config.flag("check_mode_markers"),
        path_on_failure: config.flag("show_task_path_on_failure"),
    };
    Box::new(Human::new(
        options,
        sources.clone(),
        Box::new(std::io::stdout()),
        Box::new(std::io::stderr()),
    ))
}

fn execute(prepared: Prepared, mut reporter: Reporter, sources: &Sources) -> Result<u8> {
    let Prepared {
        setup,
        options,
        playbooks,
    } = prepared;
    let warnings = std::mem::take(&mut setup.store.inventory().borrow_mut().warnings);
    for warning in warnings.iter().chain(&setup.loader.take_warnings()) {
        reporter.warning(warning);
    }
    if setup.store.inventory().borrow().host_names().is_empty() {
        reporter.warning("provided hosts list is empty, only localhost is available. Note that the implicit localhost does not match 'all'");
    }
    if options.verbosity > 0 && setup.level_is_pinned {
        reporter.warning(&format!(
            "compatibility level {}: {}",
            setup.level.name(),
            setup.level_reason
        ));
    }
    let (tx, events) = channel();
    let pool = Pool::new(tx, Arc::new(crate::agent::serve_over_shell));
    let counters = setup.environment.get("REGROLE_COUNTERS").cloned();
    let mut runner = Runner::new(
        options,
        sources.clone(),
        setup.level,
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

/// Answers `--list-hosts`, `--list-tasks`, `--list-tags`, `--syntax-check`.
fn list(args: &RunArgs, prepared: &Prepared) -> Result<u8> {
    for playbook in &prepared.playbooks {
        super::print(&format!("\nplaybook: {}\n", playbook.path.display()));
        if args.syntax_check && !(args.list_hosts || args.list_tasks || args.list_tags) {
            continue;
        }
        for (number, play) in playbook.plays.iter().enumerate() {
            let pattern = match &play.hosts {
                Value::List(list) => list
                    .to_vec()
                    .iter()
                    .map(Value::to_str)
                    .collect::<Vec<_>>()
                    .join(","),
                other => other.to_str(),
            };
            let name = play
                .name
                .as_ref()
                .map_or_else(|| pattern.clone(), Value::to_str);
            let tags = play.settings.tags.join(",");
            super::print(&format!(
                "\n  play #{} ({pattern}): {name}\tTAGS: [{tags}]\n",
                number + 1
            ));
            if args.list_hosts {
                let matched = prepared
                    .setup
                    .store
                    .inventory()
                    .borrow_mut()
                    .select(&pattern)?;
                let shown: Vec<String> = matched
                    .hosts
                    .iter()
                    .map(|host| format!("      {host}\n"))
                    .collect();
                super::print(&format!(
                    "    pattern: ['{}']\n    hosts ({}):\n{}",
                    pattern.replace(',', "', '"),
                    matched.hosts.len(),
                    shown.concat()
                ));
            }
            let mut all = Vec::new();
            for items in [&play.pre_tasks, &play.roles, &play.tasks, &play.post_tasks] {
                tasks(items, &mut all);
            }
            let selected: Vec<&Rc<Task>> = all
                .iter()
                .filter(|task| {
                    crate::executor::tags_select(
                        &task.settings.tags,
                        &prepared.options.tags,
                        &prepared.options.skip_tags,
                    )
                })
                .filter(|task| task.action.resolved != "meta" || task.name.is_some())
                .collect();
            if args.list_tasks {
                super::print("    tasks:\n");
                for task in &selected {
                    let role = task
                        .role
                        .as_ref()
                        .map(|role| format!("{} : ", role.name))
                        .unwrap_or_default();
                    let mut tags = task.settings.tags.clone();
                    tags.sort();
                    super::print(&format!(
                        "      {role}{}\tTAGS: [{}]\n",
                        task.title(),
                        tags.join(", ")
                    ));
                }
            }
            if args.list_tags {
                let mut tags: Vec<String> = all
                    .iter()
                    .flat_map(|task| task.settings.tags.clone())
                    .collect();
                tags.sort();
                tags.dedup();
                super::print(&format!("      TASK TAGS: [{}]\n", tags.join(", ")));
            }
        }
    }
    Ok(0)
}

fn tasks(items: &[Item], out: &mut Vec<Rc<Task>>) {
    for item in items {
        match item {
            Item::Task(task) => out.push(task.clone()),
            Item::Block(block) => {
                tasks(&block.body, out);
                tasks(&block.rescue, out);
                tasks(&block.always, out);
            }
        }
    }
}

/// What a dry run found.
#[derive(Default)]
struct Summary {
    task: String,
    /// Host, task, item, difference.
    changes: Vec<(String, String, Option<String>, String)>,
    handlers: Vec<(String, String)>,
    /// Host, task: what a command would do is not known.
    unknown: Vec<(String, String)>,
}

impl Summary {
    fn take(&mut self, event: &Event) {
        match event {
            Event::TaskStart { name, .. } => self.task.clone_from(name),
            Event::Item(shown) => {
                if shown.kind == ResultKind::Changed {
                    let diff = shown
                        .result
                        .get("diff")
                        .map(|diff| unified(&diff))
                        .unwrap_or_default();
                    let item = shown.item.as_ref().map(Value::to_str);
                    self.changes
                        .push((shown.host.clone(), self.task.clone(), item, diff));
                }
                self.note_unknown(&shown.host, &shown.result);
            }
            Event::Result(shown) if !shown.is_loop => {
                if shown.kind == ResultKind::Changed {
                    let diff = shown
                        .result
                        .get("diff")
                        .map(|diff| unified(&diff))
                        .unwrap_or_default();
                    self.changes
                        .push((shown.host.clone(), self.task.clone(), None, diff));
                }
                self.note_unknown(&shown.host, &shown.result);
            }
            Event::Notified { handler, host } => {
                self.handlers.push((host.clone(), handler.clone()));
            }
            _ => {}
        }
    }

    /// A command that a dry run left out has an unknown result.
    fn note_unknown(&mut self, host: &str, result: &Dict) {
        let skipped = result.get("skipped").is_some_and(|v| v.truth());
        let said = result.get("msg").map(|m| m.to_str()).unwrap_or_default();
        if skipped && said.contains("check mode") {
            self.unknown.push((host.to_owned(), self.task.clone()));
        }
    }

    fn text(&self) -> String {
        let mut out = String::from("\nPLAN\n");
        for (host, task, item, _) in &self.changes {
            let item = item
                .as_ref()
                .map(|item| format!(" (item={item})"))
                .unwrap_or_default();
            out.push_str(&format!("  would change  {host}: {task}{item}\n"));
        }
        for (host, handler) in &self.handlers {
            out.push_str(&format!("  would notify  {host}: {handler}\n"));
        }
        for (host, task) in &self.unknown {
            out.push_str(&format!(
                "  unknown       {host}: {task} (a command that a dry run doesn't run)\n"
            ));
        }
        if self.changes.is_empty() && self.unknown.is_empty() {
            out.push_str("  nothing would change\n");
        }
        out
    }

    fn json(&self) -> Result<String> {
        let changes = self
            .changes
            .iter()
            .map(|(host, task, item, diff)| {
                Value::dict([
                    ("host", Value::str(host)),
                    ("task", Value::str(task)),
                    ("item", Value::from(item.clone())),
                    ("diff", Value::str(diff)),
                ])
            })
            .collect();
        let pairs = |list: &[(String, String)], name: &str| {
            Value::list(
                list.iter()
                    .map(|(host, what)| {
                        Value::dict([("host", Value::str(host)), (name, Value::str(what))])
                    })
                    .collect(),
            )
        };
        let all = Value::dict([
            ("changes", Value::list(changes)),
            ("handlers", pairs(&self.handlers, "handler")),
            ("unknown", pairs(&self.unknown, "task")),
        ]);
        Ok(all.to_json(&JsonStyle::indented(2))? + "\n")
    }
}
