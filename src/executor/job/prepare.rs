//! From a task to what the host is asked: condition, delegation, arguments, the controller's half.

use super::super::connection;
use super::super::failure::Step;
use super::super::judge::{self, Outcome};
use super::super::run::Runner;
use super::{Failing, Job};
use crate::actions::{self, Prepared, Remote};
use crate::diag::Result;
use crate::value::{Dict, Value};

impl Job {
    /// Returns the first condition of the task that doesn't hold.
    pub(super) fn first_false(&self) -> Result<Option<Value>> {
        for condition in &self.task.settings.when {
            if !self.templar.condition(condition)? {
                return Ok(Some(condition.clone()));
            }
        }
        Ok(None)
    }

    /// Prepares one invocation; what is wrong becomes its outcome.
    pub(super) fn prepare(&mut self, runner: &mut Runner, index: usize) {
        self.invocations[index].prepared = true;
        if let Err(failing) = self.prepare_item(runner, index) {
            let outcome = self.failed(failing);
            if self.is_loop && !self.level.loops_over_errors() {
                // The items before run; this one is the task's own failure.
                self.invocations.truncate(index);
                self.aborted = Some(outcome);
            } else {
                self.invocations[index].outcome = Some(outcome);
            }
        }
    }

    fn prepare_item(&mut self, runner: &mut Runner, index: usize) -> Result<(), Failing> {
        if let Some(item) = self.invocations[index].item.clone() {
            self.set_item(index, &item)
                .map_err(Failing::at(Step::Keyword))?;
        }
        let condition = self.first_false().map_err(Failing::at(Step::Condition))?;
        if let Some(condition) = condition {
            self.invocations[index].outcome = Some(judge::skipped(self.level, &condition));
            return Ok(());
        }
        self.keywords()
            .check()
            .map_err(Failing::at(Step::Keyword))?;
        self.delegate(index).map_err(Failing::at(Step::Keyword))?;
        let name = self.task.action.resolved.clone();
        if matches!(name.as_str(), "include_tasks" | "include_role") {
            return self
                .include_arguments(index)
                .map_err(Failing::at(Step::Arguments));
        }
        let action = actions::find(&name);
        let args = self
            .arguments(action.map_or(&[], |row| row.raw(self.level)))
            .map_err(Failing::at(Step::Arguments))?;
        let prepared = match action {
            Some(row) => self
                .act(runner, row, args)
                .map_err(Failing::at(Step::Action))?,
            None => Prepared::Remote(Remote {
                module: name,
                args,
                content: None,
            }),
        };
        if let Prepared::Done(result) = &prepared
            && matches!(self.task.action.resolved.as_str(), "add_host" | "group_by")
        {
            runner
                .grow_inventory(&self.host, result)
                .map_err(Failing::at(Step::Keyword))?;
            self.templar.forget();
        }
        if self.take_prepared(runner, index, prepared) {
            self.aim(runner, index)
                .map_err(Failing::at(Step::Keyword))?;
        }
        Ok(())
    }

    /// Works out which host an invocation is delegated to.
    fn delegate(&mut self, index: usize) -> Result<()> {
        if let Some(delegate) = &self.task.settings.delegate_to {
            self.templar.forget();
            let render = || self.templar.render(delegate);
            let name = match &self.reached {
                Some(reached) => reached.without(render),
                None => render(),
            };
            // What was rendered so far saw another host, or none.
            self.templar.forget();
            let name = name?;
            let name = (!self.templar.is_omit(&name)).then(|| name.to_str());
            let name = name.filter(|name| !name.is_empty());
            let address = self.reached.as_ref().and_then(|reached| {
                reached.delegate(name.as_deref());
                Some(reached.address()?.to_str())
            });
            self.invocations[index].delegated = name.map(|name| {
                let address = address.filter(|address| *address != name);
                (name, address)
            });
        }
        Ok(())
    }

    /// Answers an include with its arguments: the executor carries it out.
    fn include_arguments(&mut self, index: usize) -> Result<()> {
        let result = Dict::new();
        result.set("_include_args", self.arguments(&[])?);
        result.set("changed", false);
        self.invocations[index].outcome = Some(Outcome::of(result));
        Ok(())
    }

    /// Runs the controller's half of a module.
    fn act(&self, runner: &Runner, row: &actions::Row, args: Dict) -> Result<Prepared> {
        let context = actions::Context {
            templar: &self.templar,
            search_path: self.view.roles_and_play(),
            task_dir: runner.task_dir(&self.task),
            sources: &runner.sources,
            level: runner.level,
            diff: self.diff,
        };
        (row.function)(&context, args)
    }

    /// Takes what an action prepared; says whether the host has anything to do.
    fn take_prepared(&mut self, runner: &Runner, index: usize, prepared: Prepared) -> bool {
        match prepared {
            Prepared::Done(result) => {
                self.apply_facts(runner, index, &result);
                self.invocations[index].outcome = Some(Outcome::of(result));
            }
            Prepared::Remote(remote) => self.invocations[index].queue.push_back(remote),
            Prepared::Many(steps, sum) => {
                let one = &mut self.invocations[index];
                one.queue.extend(steps);
                if one.queue.is_empty() {
                    one.outcome = Some(Outcome::of(sum.clone()));
                }
                one.sum = Some(sum);
            }
        }
        self.invocations[index].outcome.is_none()
    }

    /// Works out where an invocation runs.
    fn aim(&mut self, runner: &Runner, index: usize) -> Result<()> {
        let one = &mut self.invocations[index];
        let to = one.delegated.as_ref().map(|(to, _)| to.as_str());
        let target = connection::target(runner, &self.view, &self.templar, &self.task, to)?;
        if let Some((to, address)) = &mut one.delegated {
            let known = target.spec.address.clone();
            *address = Some(known).filter(|known| known != to);
        }
        one.target = Some(target);
        Ok(())
    }
}
