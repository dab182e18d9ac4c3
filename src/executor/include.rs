//! Dynamic includes: `include_tasks` and `include_role`.
//!
//! Hosts (and items) that include the same file with the same variables share its tasks, which
//! run right behind the include.

use std::path::PathBuf;
use std::rc::Rc;

use super::batch::Batch;
use super::job::Job;
use super::run::Runner;
use crate::diag::{Error, Kind, Result};
use crate::output::reason_text;
use crate::playbook::{IncludeRole, Item, Task};
use crate::value::{Dict, Value};

/// What a host wants included.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    host: Rc<str>,
    what: What,
    /// Loop variables that the included tasks see.
    vars: Dict,
    item: Option<Value>,
}

#[derive(Clone, Debug, PartialEq)]
enum What {
    Tasks(PathBuf),
    /// A file that isn't there, as it is named.
    Missing(String),
    Role(RoleCall),
}

#[derive(Clone, Debug, PartialEq)]
struct RoleCall {
    name: String,
    tasks_from: Option<String>,
    vars_from: Option<String>,
    defaults_from: Option<String>,
    handlers_from: Option<String>,
    public: bool,
    allow_duplicates: bool,
}

/// Reads what an include task's finished job wants included.
///
/// # Errors
/// A missing or wrong argument; a file that isn't there.
pub(super) fn wanted(runner: &Runner, task: &Rc<Task>, job: &Job) -> Result<Vec<Wanted>> {
    let mut out = Vec::new();
    for (index, (item, outcome)) in job.item_outcomes().into_iter().enumerate() {
        let Some(Value::Dict(args)) = outcome.result.get("_include_args") else {
            continue;
        };
        let vars = Dict::new();
        if let Some(item) = &item {
            job.enter_item(index)?;
            vars.set(job.loop_var()?, item.clone());
            vars.set("ansible_loop_var", job.loop_var()?);
            if let Some(index_var) = &task.loop_control.index_var {
                vars.set(index_var.to_str(), Value::from(index));
            }
            if let Some(extended) = outcome.result.get("ansible_loop") {
                vars.set("ansible_loop", extended);
            }
        }
        let what = if task.action.resolved == "include_role" {
            What::Role(role_call(&args)?)
        } else {
            tasks_file(runner, task, &args)?
        };
        let label = outcome.result.get("_ansible_item_label").or(item);
        out.push(Wanted {
            host: job.host.clone(),
            what,
            vars,
            item: label,
        });
    }
    Ok(out)
}

fn tasks_file(runner: &Runner, task: &Rc<Task>, args: &Dict) -> Result<What> {
    let named = args
        .get("file")
        .or_else(|| args.get("_raw_params"))
        .map(|v| v.to_str());
    let Some(named) = named
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
    else {
        return Err(Error::new(
            Kind::Argument,
            "No file specified for ansible.builtin.include_tasks",
        ));
    };
    Ok(
        match runner
            .loader
            .tasks_file(task, &named, &runner.task_dir(task))
        {
            Ok(path) => What::Tasks(path),
            Err(_) => What::Missing(named),
        },
    )
}

fn role_call(args: &Dict) -> Result<RoleCall> {
    let text = |name: &str| args.get(name).filter(|v| !v.is_none()).map(|v| v.to_str());
    let flag = |name: &str, default: bool| {
        args.get(name)
            .map_or(default, |v| crate::template::to_bool(&v).unwrap_or(default))
    };
    let Some(name) = text("name").or_else(|| text("role")) else {
        return Err(Error::new(
            Kind::Argument,
            "'name' is a required field for include_role.",
        ));
    };
    Ok(RoleCall {
        name,
        tasks_from: text("tasks_from"),
        vars_from: text("vars_from"),
        defaults_from: text("defaults_from"),
        handlers_from: text("handlers_from"),
        public: flag("public", false),
        allow_duplicates: flag("allow_duplicates", true),
    })
}

/// One file for all hosts that want it with the same variables.
struct Group {
    what: What,
    vars: Dict,
    item: Option<Value>,
    hosts: Vec<Rc<str>>,
}

fn grouped(wanted: Vec<Wanted>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for one in wanted {
        let known = groups.iter_mut().find(|group| {
            group.what == one.what
                && Value::Dict(group.vars.clone()) == Value::Dict(one.vars.clone())
                && !group.hosts.contains(&one.host)
        });
        match known {
            Some(group) => group.hosts.push(one.host),
            None => groups.push(Group {
                what: one.what,
                vars: one.vars,
                item: one.item,
                hosts: vec![one.host],
            }),
        }
    }
    groups
}

/// Loads what is included and puts it next for its hosts.
///
/// # Errors
/// A file that can't be read fails its hosts; nothing here ends the run but the tag filter's own.
pub(super) fn carry_out(
    runner: &mut Runner,
    batch: &mut Batch,
    task: &Rc<Task>,
    wanted: Vec<Wanted>,
) -> Result<()> {
    let mut per_host: Vec<(Rc<str>, Vec<Item>)> = Vec::new();
    let mut order = Vec::new();
    for group in grouped(wanted) {
        let Some(items) = load(runner, batch, task, &group)? else {
            continue;
        };
        for host in &group.hosts {
            match per_host.iter_mut().find(|(known, _)| known == host) {
                Some((_, all)) => all.extend(items.iter().cloned()),
                None => per_host.push((host.clone(), items.clone())),
            }
        }
        order.extend(items);
    }
    batch.order.include(&order);
    for (host, items) in per_host {
        if let Some(cursor) = batch.cursors.get_mut(&host) {
            cursor.enter(&items);
        }
    }
    Ok(())
}

/// Loads what a handler includes and runs it at once.
///
/// # Errors
/// As [`carry_out`].
pub(super) fn run_now(
    runner: &mut Runner,
    batch: &mut Batch,
    task: &Rc<Task>,
    wanted: Vec<Wanted>,
) -> Result<()> {
    for group in grouped(wanted) {
        let Some(items) = load(runner, batch, task, &group)? else {
            continue;
        };
        for item in items {
            let tasks = match &item {
                Item::Task(task) => vec![Item::Task(task.clone())],
                Item::Block(block) => block.body.clone(),
            };
            for item in tasks {
                if let Item::Task(task) = item {
                    let hosts: Vec<Rc<str>> = group
                        .hosts
                        .iter()
                        .filter(|host| batch.is_in(host))
                        .cloned()
                        .collect();
                    if !hosts.is_empty() {
                        runner.run_task(batch, &task, &hosts, &hosts)?;
                    }
                }
            }
        }
    }
    Ok(())
}

fn load(
    runner: &mut Runner,
    batch: &mut Batch,
    task: &Rc<Task>,
    group: &Group,
) -> Result<Option<Vec<Item>>> {
    let loaded = match &group.what {
        What::Tasks(path) => runner.loader.include_tasks(task, path, &group.vars),
        What::Missing(named) => runner
            .loader
            .tasks_file(task, named, &runner.task_dir(task))
            .and_then(|path| runner.loader.include_tasks(task, &path, &group.vars)),
        What::Role(call) => {
            let include = IncludeRole {
                name: call.name.clone(),
                place: crate::playbook::role_place(&task.action.args),
                tasks_from: call.tasks_from.clone(),
                vars_from: call.vars_from.clone(),
                defaults_from: call.defaults_from.clone(),
                handlers_from: call.handlers_from.clone(),
                public: call.public,
                allow_duplicates: call.allow_duplicates,
                apply: None,
            };
            runner
                .loader
                .include_role(task, &include, &group.vars)
                .map(|included| {
                    let is_listed = runner.level.lists_included_roles();
                    for role in &included.roles {
                        batch.play.add_role(role, is_listed);
                    }
                    batch.play.add_handlers(&included.handlers);
                    included.items
                })
        }
    };
    match loaded {
        Ok(items) => {
            told(runner, group);
            Ok(Some(runner.selected(&items)))
        }
        Err(error) => {
            not_loaded(runner, batch, task, group, &error);
            Ok(None)
        }
    }
}

/// Tells what was included for whom.
fn told(runner: &mut Runner, group: &Group) {
    let full = runner.level.tells_included_roles();
    let what = match &group.what {
        What::Tasks(path) => path.to_string_lossy().into_owned(),
        What::Missing(named) => named.clone(),
        What::Role(call) if full => call.name.clone(),
        What::Role(_) => return,
    };
    let item = group.item.as_ref().filter(|_| full);
    runner.report.included(&what, &group.hosts, item);
}

/// Fails the hosts that want something that can't be loaded.
fn not_loaded(
    runner: &mut Runner,
    batch: &mut Batch,
    task: &Rc<Task>,
    group: &Group,
    error: &Error,
) {
    let is_role = matches!(group.what, What::Role(_));
    if !runner.level.tells_included_roles() && is_role {
        // There the run goes on with the handlers, and no host is blamed.
        runner.report.error(error);
        for host in &group.hosts {
            if let Some(cursor) = batch.cursors.get_mut(host) {
                cursor.finish();
            }
        }
        batch.is_broken = true;
        return;
    }
    let result = Dict::new();
    result.set("failed", true);
    if runner.level.tells_included_roles() {
        runner.report.error(error);
        result.set("changed", false);
        if !is_role {
            let args = &task.action.args;
            let named = args.get("file").or_else(|| args.get("_raw_params"));
            result.set("include", named.unwrap_or(Value::None));
        }
    }
    result.set(
        "reason",
        reason_text(error, &runner.sources, runner.level).as_str(),
    );
    let outcome = super::judge::Outcome::of(result.clone());
    for host in &group.hosts {
        runner.report.include_failed(task, host, result.clone());
        runner.fail_host(batch, task, host, &outcome, true);
    }
}
