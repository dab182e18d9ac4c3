//! `--list-hosts`, `--list-tasks`, `--list-tags`, `--syntax-check`: what a run would be about.

use std::rc::Rc;

use super::options::RunArgs;
use super::run::Prepared;
use super::session::Session;
use crate::diag::Result;
use crate::playbook::{Item, Task};
use crate::value::Value;

/// Answers `--list-hosts`, `--list-tasks`, `--list-tags`, `--syntax-check`.
pub(super) fn run(args: &RunArgs, prepared: &Prepared, session: &Session) -> Result<u8> {
    for playbook in &prepared.playbooks {
        super::print(&format!("\nplaybook: {}\n", playbook.path.display()));
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
            let matched = prepared
                .setup
                .store
                .inventory()
                .borrow_mut()
                .select(&pattern)?;
            for warning in matched.warnings {
                session.sources.note(warning.into());
            }
            if args.syntax_check {
                continue;
            }
            let name = play.name.as_ref().map_or_else(
                || pattern.clone(),
                |name| prepared.setup.loader.shown(name, &play.vars),
            );
            let tags = play.settings.tags.join(",");
            super::print(&format!(
                "\n  play #{} ({pattern}): {name}\tTAGS: [{tags}]\n",
                number + 1
            ));
            if args.list_hosts {
                let shown: Vec<String> = matched
                    .hosts
                    .iter()
                    .map(|host| format!("      {host}\n"))
                    .collect();
                let patterns = match &play.hosts {
                    Value::List(_) => play.hosts.clone(),
                    one => Value::list(vec![one.clone()]),
                };
                super::print(&format!(
                    "    pattern: {}\n    hosts ({}):\n{}",
                    patterns.repr(),
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
                .filter(|task| {
                    prepared.setup.chosen.level.tells_meta_tasks() || task.action.resolved != "meta"
                })
                .collect();
            if args.list_tasks {
                super::print("    tasks:\n");
                for task in &selected {
                    let level = prepared.setup.chosen.level;
                    let role = task
                        .role
                        .as_ref()
                        .filter(|role| !level.role_is_implied(&role.name, &task.title()))
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
                let everything = prepared.options.tags.is_empty()
                    && prepared.options.skip_tags.is_empty()
                    && prepared.setup.chosen.level.lists_tags_of_never();
                let of = if everything {
                    all.iter().collect()
                } else {
                    selected
                };
                let mut tags: Vec<String> = of
                    .iter()
                    .flat_map(|task| task.settings.tags.clone())
                    .collect();
                tags.sort();
                tags.dedup();
                super::print(&format!("      TASK TAGS: [{}]\n", tags.join(", ")));
            }
        }
    }
    session.tell_notices();
    Ok(0)
}

fn tasks(items: &[Item], out: &mut Vec<Rc<Task>>) {
    for item in items {
        match item {
            Item::Task(task) => out.push(task.clone()),
            Item::Block(block) => {
                tasks(&block.body, out);
            }
        }
    }
}
