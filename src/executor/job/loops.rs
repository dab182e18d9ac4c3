//! The variables of a loop's item, its label, and what happens between two items.

use std::time::{Duration, Instant};

use super::super::judge::{self, Outcome};
use super::{Job, Wait};
use crate::diag::Result;
use crate::template::Variables;
use crate::value::{Dict, Value};

impl Job {
    /// Sets the loop variables of an item again, for an include that works per item.
    pub(in crate::executor) fn enter_item(&self, index: usize) -> Result<()> {
        match self.invocations.get(index).and_then(|one| one.item.clone()) {
            Some(item) => self.set_item(index, &item),
            None => Ok(()),
        }
    }

    /// Returns the name of the loop's variable.
    pub(in crate::executor) fn loop_var(&self) -> Result<String> {
        match &self.task.loop_control.loop_var {
            Some(name) => Ok(self.templar.render(name)?.to_str()),
            None => Ok("item".to_owned()),
        }
    }

    /// Sets the variables of a loop's item.
    pub(super) fn set_item(&self, index: usize, item: &Value) -> Result<()> {
        let name = self.loop_var()?;
        let control = &self.task.loop_control;
        self.set(&name, item.clone());
        self.set("ansible_loop_var", Value::str(&name));
        if let Some(index_var) = &control.index_var {
            let index_var = self.templar.render(index_var)?.to_str();
            self.set(&index_var, Value::from(index));
            self.set("ansible_index_var", Value::str(&index_var));
        }
        if let Some(extended) = &control.extended
            && self.keyword_bool("extended", extended)?
        {
            self.set("ansible_loop", self.extended(index)?);
        }
        Ok(())
    }

    fn set(&self, name: &str, value: Value) {
        self.view.set_local(name, value);
        self.templar.forget();
    }

    fn extended(&self, index: usize) -> Result<Value> {
        let count = self.invocations.len();
        let item = |at: usize| self.invocations.get(at).and_then(|one| one.item.clone());
        let facts = Dict::new();
        let all_items = match &self.task.loop_control.extended_allitems {
            Some(value) => self.keyword_bool("extended_allitems", value)?,
            None => true,
        };
        if all_items {
            let all = (0..count).filter_map(item).collect();
            facts.set("allitems", Value::list(all));
        }
        facts.set("index", index + 1);
        facts.set("index0", index);
        facts.set("first", index == 0);
        facts.set("last", index + 1 == count);
        facts.set("length", count);
        facts.set("revindex", count - index);
        facts.set("revindex0", count - index - 1);
        if let Some(next) = item(index + 1) {
            facts.set("nextitem", next);
        }
        if let Some(previous) = index.checked_sub(1).and_then(item) {
            facts.set("previtem", previous);
        }
        Ok(Value::Dict(facts))
    }

    /// Writes the item and its label into an item's result.
    pub(super) fn label(&self, item: &Value, outcome: &mut Outcome) {
        let name = self.loop_var().unwrap_or_else(|_| "item".to_owned());
        outcome.result.set(&name, item.clone());
        outcome.result.set("ansible_loop_var", name.as_str());
        if !outcome.result.contains("failed") && !outcome.is("skipped") {
            outcome.result.set("failed", false);
        }
        let control = &self.task.loop_control;
        if control.index_var.is_some()
            && let Some(index_var) = self.view.get("ansible_index_var")
        {
            let index_name = index_var.to_str();
            if let Some(index) = self.view.get(&index_name) {
                outcome.result.set(&index_name, index);
            }
            outcome.result.set("ansible_index_var", index_var);
        }
        if control.extended.is_some()
            && let Some(value) = self.view.get("ansible_loop")
        {
            outcome.result.set("ansible_loop", value);
        }
        let label = match &control.label {
            None => item.clone(),
            Some(label) => self.render_label(label).unwrap_or_else(|error| {
                let said = error.full_message();
                outcome.result.set("failed", true);
                outcome.result.set(
                    "msg",
                    format!("Failed to template loop_control.label: {said}"),
                );
                if outcome.is("skipped") {
                    item.clone()
                } else {
                    Value::None
                }
            }),
        };
        outcome.result.set("_ansible_item_label", label);
    }

    fn render_label(&self, label: &Value) -> Result<Value> {
        match &self.reached {
            Some(reached) if !self.level.labels_see_connections() => {
                self.templar.forget();
                let rendered = reached.without(|| self.templar.render(label));
                self.templar.forget();
                rendered
            }
            _ => self.templar.render(label),
        }
    }

    /// Between two items: waits for `pause`, or ends the loop for `break_when`.
    pub(super) fn pause_or_break(&mut self) -> bool {
        let control = self.task.loop_control.clone();
        if !control.break_when.is_empty()
            && judge::all(&self.templar, &control.break_when).unwrap_or(false)
        {
            self.invocations.truncate(self.at);
            return true;
        }
        if let Some(pause) = &control.pause
            && self.at < self.invocations.len()
            && let Ok(seconds) = self.templar.render(pause)
            && let Some(seconds) = seconds.as_f64().or_else(|| seconds.to_str().parse().ok())
            && seconds > 0.0
        {
            self.wait = Some(Wait::Until(
                Instant::now() + Duration::from_secs_f64(seconds),
            ));
        }
        true
    }
}
