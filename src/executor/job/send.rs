//! Requests to the host, and what comes back.

use std::collections::BTreeMap;

use super::super::connection::Target;
use super::super::failure::Step;
use super::super::judge::Outcome;
use super::super::keywords::Type;
use super::super::run::Runner;
use super::{Failing, Job, Wait};
use crate::actions::{self, Remote};
use crate::agent::message::{Item, Reply, Request};
use crate::compat::Level;
use crate::diag::{Error, Kind, Result};
use crate::playbook::reserved_names;
use crate::value::{Dict, Value};

impl Job {
    /// Sends the next invocations that go to the same place in the same way.
    pub(super) fn send(&mut self, runner: &mut Runner, last: usize) {
        let mut batch: Vec<(usize, Remote)> = Vec::new();
        let mut place: Option<(Target, String)> = None;
        'items: for index in self.at..last {
            let one = &mut self.invocations[index];
            if one.outcome.is_some() {
                continue;
            }
            let Some(target) = one.target.clone() else {
                break;
            };
            while let Some(next) = one.queue.front() {
                let same = place
                    .as_ref()
                    .is_none_or(|(known, module)| *module == next.module && known.same(&target));
                if !same {
                    break 'items;
                }
                place.get_or_insert_with(|| (target.clone(), next.module.clone()));
                if let Some(remote) = one.queue.pop_front() {
                    batch.push((index, remote));
                }
            }
        }
        let Some((target, module)) = place else {
            self.finished = Some(Outcome::failed(Error::new(
                Kind::Internal,
                "nothing to send",
            )));
            return;
        };
        let request = self.request(runner, &target, module, &mut batch);
        match request {
            Ok((request, blobs)) => {
                self.sent = batch.iter().map(|(index, _)| *index).collect();
                self.wait = Some(Wait::Reply(request.id));
                runner.send(&target, request, blobs);
            }
            Err(error) => self.finished = Some(self.failed(Failing(Step::Keyword, error))),
        }
    }

    fn request(
        &mut self,
        runner: &mut Runner,
        target: &Target,
        module: String,
        batch: &mut [(usize, Remote)],
    ) -> Result<(Request, Vec<Vec<u8>>)> {
        let mut blobs = Vec::new();
        let mut items = Vec::with_capacity(batch.len());
        for (_, remote) in batch {
            let content = remote.content.take().map(|bytes| {
                blobs.push(bytes);
                blobs.len() - 1
            });
            let args = Value::Dict(remote.args.clone()).to_wire()?;
            items.push(Item {
                args,
                content,
                bytes: Vec::new(),
            });
        }
        let timeout = self.task.settings.timeout.as_ref();
        let timeout = self.keywords().number("timeout", timeout, Type::Int)?;
        let mut settings = BTreeMap::new();
        if let Some(force) = &runner.options.kube_force {
            settings.insert("kube_force".to_owned(), force.clone());
        }
        let request = Request {
            id: runner.next_id(),
            module,
            items,
            check: self.check,
            diff: self.diff,
            level: runner.level,
            environment: target.environment.clone(),
            r#become: target.r#become.clone(),
            become_password: None,
            timeout: timeout.unwrap_or(0.0).max(0.0) as u64,
            settings,
        };
        Ok((request, blobs))
    }

    /// Takes the answer to the request it waits for.
    pub(in crate::executor) fn reply(&mut self, runner: &mut Runner, reply: &Reply) {
        self.wait = None;
        let sent = std::mem::take(&mut self.sent);
        for (position, index) in sent.iter().enumerate() {
            let result = reply.results.get(position).map_or_else(
                || actions::failed("the host gave no result"),
                |wire| match Value::from_wire(wire) {
                    Value::Dict(dict) => dict,
                    other => {
                        actions::failed(format!("expected a result, found {}", other.type_name()))
                    }
                },
            );
            match result.get("timedout") {
                Some(limit) => self.stopped(runner.level, *index, limit),
                None => self.take_result(runner, *index, result),
            }
        }
    }

    /// Takes note that an invocation was stopped at the task's time limit: nothing is judged or
    /// tried again then.
    fn stopped(&mut self, level: Level, index: usize, limit: Value) {
        let seconds = match &limit {
            Value::Dict(limit) => limit.get("period").unwrap_or(Value::None),
            _ => Value::None,
        };
        let message = level.timed_out(&self.task.action.name, &seconds);
        let error = Error::new(Kind::Module, "Task failed")
            .at(self.task.span)
            .caused_by(Error::new(Kind::Module, message.clone()));
        let outcome = Outcome::failed(error);
        if !level.shows_error_blocks() {
            outcome.result.set("msg", message);
        }
        outcome.result.set("timedout", limit);
        let one = &mut self.invocations[index];
        one.queue.clear();
        one.outcome = Some(outcome);
    }

    fn take_result(&mut self, runner: &mut Runner, index: usize, result: Dict) {
        self.apply_facts(runner, index, &result);
        let one = &mut self.invocations[index];
        one.answered = true;
        let failed = result.get("failed").is_some_and(|value| value.truth());
        let Some(sum) = one.sum.clone() else {
            one.outcome = Some(Outcome::of(result));
            return;
        };
        if failed {
            one.queue.clear();
            one.outcome = Some(Outcome::of(result));
            return;
        }
        if result.get("changed").is_some_and(|value| value.truth()) {
            sum.set("changed", true);
        }
        if let Some(facts) = result.get("ansible_facts") {
            sum.set("ansible_facts", facts);
        }
        if let Some(Value::List(new)) = result.get("diff").map(listed) {
            let all = match sum.get("diff") {
                Some(Value::List(all)) => all,
                _ => crate::value::List::default(),
            };
            all.borrow_mut().extend(new.to_vec());
            sum.set("diff", all);
        }
        if one.queue.is_empty() {
            one.outcome = Some(Outcome::of(sum));
        }
    }

    /// Takes note that the host can't be reached.
    pub(in crate::executor) fn lost(&mut self, message: &str) {
        self.wait = None;
        self.unreachable = Some(message.to_owned());
        let error = Error::new(Kind::Unreachable, message).at(self.task.span);
        let outcome = self.failed(Failing(Step::Keyword, error));
        outcome.result.remove("failed");
        outcome.result.set("unreachable", true);
        outcome.result.set("changed", false);
        self.finished = Some(outcome);
    }

    /// Stores facts that a result carries.
    pub(super) fn apply_facts(&self, runner: &Runner, index: usize, result: &Dict) {
        let Some(Value::Dict(facts)) = result.get("ansible_facts") else {
            return;
        };
        let delegate_facts = self
            .task
            .settings
            .delegate_facts
            .as_ref()
            .is_some_and(|value| self.keyword_bool("delegate_facts", value).unwrap_or(false));
        let hosts = match (&self.invocations[index].delegated, delegate_facts) {
            (Some((delegated, _)), true) => vec![delegated.clone()],
            _ => runner.fact_hosts(&self.task, &self.host),
        };
        for host in hosts {
            let action = self.task.action.resolved.as_str();
            if matches!(action, "set_fact" | "include_vars") {
                for notice in reserved_names(&facts, self.level) {
                    self.templar.warn(notice);
                }
            }
            match action {
                "set_fact" => {
                    for (key, value) in facts.to_vec() {
                        if let Some(name) = key.as_str() {
                            runner.store.set_fact(&host, name, value);
                        }
                    }
                    let cacheable = result.get("_ansible_facts_cacheable");
                    if cacheable.is_some_and(|cacheable| cacheable.truth()) {
                        runner.store.add_facts(&host, &facts);
                    }
                }
                "include_vars" => runner.store.add_include_vars(&host, &facts),
                _ => runner.store.add_facts(&host, &facts),
            }
        }
        self.templar.forget();
    }
}

fn listed(value: Value) -> Value {
    match value {
        Value::List(_) => value,
        other => Value::list(vec![other]),
    }
}
