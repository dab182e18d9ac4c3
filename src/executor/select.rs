//! Which tasks run: tags, fact gathering, variable files of the play.

use std::rc::Rc;

use super::batch::Batch;
use super::run::Runner;
use crate::diag::Result;
use crate::playbook::{Action, Block, Item, LoopControl, Play, Task};
use crate::value::{Dict, Value};

impl Runner {
    /// Returns the items that the tags of the run select; empty blocks vanish.
    pub(super) fn selected(&self, items: &[Item]) -> Vec<Item> {
        let mut out = Vec::new();
        for item in items {
            match item {
                Item::Task(task) => {
                    let always = task.implicit || is_flush(task);
                    if always
                        || wanted(
                            &task.settings.tags,
                            &self.options.tags,
                            &self.options.skip_tags,
                        )
                    {
                        out.push(item.clone());
                    }
                }
                Item::Block(block) => {
                    let body = self.selected(&block.body);
                    let rescue = self.selected(&block.rescue);
                    let always = self.selected(&block.always);
                    if !body.is_empty() || !always.is_empty() {
                        out.push(Item::Block(Rc::new(Block {
                            body,
                            rescue,
                            always,
                            ..block.as_ref().clone()
                        })));
                    }
                }
            }
        }
        out
    }

    /// Returns the task that gathers facts at the start of a play, where the play wants it.
    pub(super) fn gathering(&mut self, play: &Rc<Play>, batch: &Batch) -> Result<Vec<Item>> {
        let Some(host) = batch.hosts.first() else {
            return Ok(Vec::new());
        };
        let wanted = match &play.gather_facts {
            Some(value) => {
                let templar = self.templar(host, Some(&batch.play), None);
                crate::template::to_bool(&templar.render(value)?).unwrap_or(false)
            }
            None => self.options.gather_implicitly,
        };
        if !wanted {
            return Ok(Vec::new());
        }
        let args = Dict::new();
        if let Some(subset) = &play.gather_subset {
            args.set("gather_subset", subset.clone());
        }
        if let Some(timeout) = &play.gather_timeout {
            args.set("gather_timeout", timeout.clone());
        }
        let mut settings = play.settings.as_ref().clone();
        settings.tags = vec!["always".to_owned()];
        Ok(vec![Item::Task(Rc::new(Task {
            id: u64::MAX,
            span: play.span,
            name: Some(Value::str("Gathering Facts")),
            action: Action {
                name: "gather_facts".to_owned(),
                span: play.span,
                resolved: "gather_facts".to_owned(),
                args,
            },
            settings,
            scope: play.settings.clone(),
            r#loop: None,
            loop_control: LoopControl::default(),
            register: None,
            changed_when: Vec::new(),
            failed_when: Vec::new(),
            until: Vec::new(),
            retries: None,
            delay: None,
            listen: Vec::new(),
            is_handler: false,
            role: None,
            implicit: true,
        }))])
    }
}

fn is_flush(task: &Task) -> bool {
    task.action.resolved == "meta"
        && task
            .action
            .args
            .get("_raw_params")
            .is_some_and(|what| what.as_str() == Some("flush_handlers"))
}

/// Says whether tags select a task.
///
/// **Source:** "Tags" of Ansible's documentation: `always` runs unless skipped, `never` only when
/// asked for, `tagged`, `untagged` and `all` mean what they say.
pub fn wanted(tags: &[String], only: &[String], skip: &[String]) -> bool {
    let has = |list: &[String], tag: &str| list.iter().any(|known| known == tag);
    let untagged = ["untagged".to_owned()];
    let tags = if tags.is_empty() { &untagged[..] } else { tags };
    let common = |list: &[String]| tags.iter().any(|tag| has(list, tag));
    let is_tagged = !has(tags, "untagged");
    let all = only.is_empty() || has(only, "all");
    let mut run = has(tags, "always")
        || (all && !has(tags, "never"))
        || (!only.is_empty()
            && (common(only) || (is_tagged && has(only, "tagged") && !has(tags, "never"))));
    if run && !skip.is_empty() {
        if has(skip, "all") {
            run = has(tags, "always") && !has(skip, "always");
        } else if common(skip) || (has(skip, "tagged") && is_tagged) {
            run = false;
        }
    }
    run
}

#[cfg(test)]
mod tests {
    use super::wanted;

    fn list(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn tags_select_as_documented() {
        for (tags, only, skip, runs) in [
            ("", "", "", true),
            ("a", "", "", true),
            ("never", "", "", false),
            ("never a", "a", "", true),
            ("always", "b", "", true),
            ("always", "b", "always", false),
            ("a", "b", "", false),
            ("", "untagged", "", true),
            ("a", "untagged", "", false),
            ("a", "tagged", "", true),
            ("", "tagged", "", false),
            ("a", "", "a", false),
            ("a", "all", "tagged", false),
            ("", "", "untagged", false),
        ] {
            assert_eq!(
                wanted(&list(tags), &list(only), &list(skip)),
                runs,
                "{tags} -t {only} --skip {skip}"
            );
        }
    }
}
