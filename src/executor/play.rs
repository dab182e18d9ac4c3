//! A play: its hosts, batches and phases.
//!
//! **Source:** "Controlling playbook execution: strategies and more" and "Error handling in
//! playbooks" of Ansible's documentation, and what `ansible-playbook` was seen to do.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::batch::Batch;
use super::cursor::Order;
use super::handlers;
use super::run::{Runner, Status};
use crate::diag::{Error, Kind, Result};
use crate::playbook::Play;
use crate::value::Value;
use crate::vars::PlayNames;

/// How a play ended.
pub(super) struct Ended {
    pub status: Status,
    /// Nothing may follow: all hosts of a batch failed.
    pub stop: bool,
}

impl Runner {
    /// Runs one play.
    ///
    /// # Errors
    /// What ends the run: a wrong pattern, a task that can't be loaded.
    pub(super) fn play(&mut self, play: &Rc<Play>) -> Result<Ended> {
        self.current = None;
        self.loader.enter(&play.dir);
        let names = Rc::new(PlayNames::new(play.clone(), Vec::new()));
        let base = self.templar("localhost", Some(&names), None);
        let pattern = pattern_text(
            &base
                .render(&play.hosts)
                .map_err(|error| place(error, play))?,
        )?;
        let matched = self.hosts_of(&pattern)?;
        let order = match &play.order {
            Some(order) => base.render(order)?.to_str(),
            None => "inventory".to_owned(),
        };
        let hosts: Vec<Rc<str>> = ordered(matched, &order)?
            .iter()
            .map(|host| host.as_str().into())
            .collect();
        let all: Vec<String> = hosts.iter().map(ToString::to_string).collect();
        let names = Rc::new(PlayNames::new(play.clone(), all));
        let title = match &play.name {
            Some(name) => base
                .render(name)
                .map_or_else(|_| name.to_str(), |name| name.to_str()),
            None => pattern.clone(),
        };
        self.check_keywords(play)?;
        self.check_vars_files(&names)?;
        self.report.play_start(play, &title, self.options.check);
        if hosts.is_empty() {
            self.report.no_hosts_matched();
            return Ok(Ended {
                status: Status::Ok,
                stop: false,
            });
        }
        let hosts: Vec<Rc<str>> = hosts
            .into_iter()
            .filter(|host| !self.lost_hosts.contains(host))
            .collect();
        let strategy = match &play.strategy {
            Some(strategy) => base.render(strategy)?.to_str(),
            None => "linear".to_owned(),
        };
        if !matches!(
            strategy.rsplit('.').next(),
            Some("linear" | "mitogen_linear")
        ) {
            return Err(Error::new(
                Kind::Unsupported,
                format!("the strategy `{strategy}` is not supported"),
            )
            .at(play.span)
            .help("`linear` is"));
        }
        self.current = Some(names.clone());
        let mut ended = Ended {
            status: Status::Ok,
            stop: false,
        };
        let batches = self.batches(play, &names, hosts)?;
        for (number, batch) in batches.into_iter().enumerate() {
            if number > 0 {
                self.report.play_start(play, &title, self.options.check);
            }
            let batch = self.batch(play, &names, batch)?;
            if !batch.unreachable.is_empty() {
                ended.status = Status::Unreachable;
            } else if !batch.failed.is_empty() && ended.status != Status::Unreachable {
                ended.status = Status::Failed;
            }
            if batch.is_broken && ended.status == Status::Ok {
                ended.status = Status::Failed;
            }
            let gone = batch.gone();
            if gone > 0 && gone == batch.hosts.len() {
                ended.stop = true;
                break;
            }
            if batch.play_over {
                break;
            }
        }
        Ok(ended)
    }

    /// Refuses a play whose own keywords have values of a wrong type.
    fn check_keywords(&self, play: &Play) -> Result<()> {
        let Some(Value::Str(written)) = &play.gather_facts else {
            return Ok(());
        };
        let is_fine = written.contains("{{")
            || crate::template::to_bool(&Value::Str(written.clone())).is_some();
        if is_fine || !self.level.checks_play_keywords() {
            return Ok(());
        }
        let (message, cause) =
            self.level
                .keyword_not_converted("gather_facts", "bool", written, written);
        let own = self.level.places_keywords();
        let error = Error::new(Kind::Parse, message);
        let error = match written.span().filter(|_| own) {
            Some(span) => error.at(span),
            None => error.at(play.span),
        };
        Err(match (cause, written.span()) {
            (Some(cause), Some(span)) => {
                error.caused_by(Error::new(Kind::Conversion, cause).at(span))
            }
            _ => error,
        })
    }

    fn hosts_of(&mut self, pattern: &str) -> Result<Vec<String>> {
        let inventory = self.store.inventory().clone();
        let matched = inventory.borrow_mut().select(pattern)?;
        for warning in matched.warnings {
            self.report.notice(warning);
        }
        Ok(matched.hosts)
    }

    /// Splits a play's hosts as `serial` says.
    fn batches(
        &self,
        play: &Play,
        names: &Rc<PlayNames>,
        hosts: Vec<Rc<str>>,
    ) -> Result<Vec<Vec<Rc<str>>>> {
        let Some(first) = hosts.first().cloned() else {
            return Ok(Vec::new());
        };
        let templar = self.templar(&first, Some(names), None);
        let mut sizes = Vec::new();
        for size in &play.serial {
            let rendered = templar.render(size)?;
            let parts = match &rendered {
                Value::List(list) => list.to_vec(),
                one => vec![one.clone()],
            };
            for part in parts.into_iter().filter(|part| !templar.is_omit(part)) {
                sizes.push(batch_size(&part, hosts.len())?);
            }
        }
        let mut rest = hosts.as_slice();
        let mut batches = Vec::new();
        let mut number = 0;
        while !rest.is_empty() {
            let size = match sizes.get(number).or(sizes.last()) {
                Some(0) | None => rest.len(),
                Some(size) => (*size).min(rest.len()),
            };
            let (now, later) = rest.split_at(size);
            batches.push(now.to_vec());
            rest = later;
            number += 1;
        }
        Ok(batches)
    }

    fn batch(
        &mut self,
        play: &Rc<Play>,
        names: &Rc<PlayNames>,
        hosts: Vec<Rc<str>>,
    ) -> Result<Batch> {
        let list: Vec<String> = hosts.iter().map(ToString::to_string).collect();
        names.start_batch(&list);
        let mut batch = Batch {
            play: names.clone(),
            hosts,
            failed: HashSet::new(),
            unreachable: HashSet::new(),
            failed_now: Vec::new(),
            ended: HashSet::new(),
            notified: HashMap::new(),
            saved: HashMap::new(),
            cursors: HashMap::new(),
            order: Order::default(),
            over: false,
            play_over: false,
            is_broken: false,
        };
        self.roles_done.clear();
        self.load_vars_files(names, &batch.hosts, false)?;
        let mut first = self.gathering(play, &batch)?;
        first.extend(play.pre_tasks.iter().cloned());
        let mut middle = play.roles.clone();
        middle.extend(play.tasks.iter().cloned());
        for items in [first, middle, play.post_tasks.clone()] {
            if batch.over {
                break;
            }
            let items = self.selected(&items);
            self.phase(&mut batch, &items)?;
            if !batch.over || self.forces_handlers(play) {
                handlers::flush(self, &mut batch)?;
            }
        }
        for host in batch.failed.iter().chain(batch.unreachable.iter()) {
            self.lost_hosts.insert(host.clone());
        }
        Ok(batch)
    }

    /// Says whether handlers run on hosts that failed.
    pub(super) fn forces_handlers(&self, play: &Play) -> bool {
        match &play.force_handlers {
            Some(Value::Bool(force)) => *force,
            Some(other) => crate::template::to_bool(other).unwrap_or(false),
            None => self.options.force_handlers,
        }
    }
}

fn pattern_text(value: &Value) -> Result<String> {
    match value {
        Value::List(list) => {
            let parts: Vec<String> = list.to_vec().iter().map(Value::to_str).collect();
            Ok(parts.join(","))
        }
        Value::Str(text) => Ok(text.as_str().to_owned()),
        other => Err(Error::type_error(format!(
            "Hosts list must be a sequence or string. Please check your playbook. (found {})",
            other.type_name()
        ))),
    }
}

fn place(error: Error, play: &Play) -> Error {
    error.at(play.span)
}

/// Puts hosts in the order a play asks for.
fn ordered(mut hosts: Vec<String>, order: &str) -> Result<Vec<String>> {
    match order {
        "inventory" => {}
        "reverse_inventory" => hosts.reverse(),
        "sorted" => hosts.sort(),
        "reverse_sorted" => {
            hosts.sort();
            hosts.reverse();
        }
        "shuffle" => {
            use rand::seq::SliceRandom;
            hosts.shuffle(&mut rand::rng());
        }
        other => {
            return Err(Error::new(
                Kind::Value,
                format!("Invalid 'order' specified for inventory hosts: {other}"),
            ));
        }
    }
    Ok(hosts)
}

/// Returns how many hosts a `serial` entry means; zero is all.
fn batch_size(value: &Value, hosts: usize) -> Result<usize> {
    let text = value.to_str();
    let wrong = || {
        Error::new(
            Kind::Value,
            format!("`serial` is a number or a percentage, found `{text}`"),
        )
    };
    if let Some(percent) = text.strip_suffix('%') {
        let percent: f64 = percent.trim().parse().map_err(|_| wrong())?;
        return Ok(((percent / 100.0 * hosts as f64) as usize).max(1));
    }
    let number: i64 = text.trim().parse().map_err(|_| wrong())?;
    Ok(number.max(0) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_of_hosts_is_at_least_one() {
        assert_eq!(batch_size(&Value::str("30%"), 10).expect("size"), 3);
        assert_eq!(batch_size(&Value::str("1%"), 3).expect("size"), 1);
        assert_eq!(batch_size(&Value::from(2), 3).expect("size"), 2);
        assert!(batch_size(&Value::str("many"), 3).is_err());
    }

    #[test]
    fn a_pattern_may_be_a_list() {
        let list = Value::list(vec![Value::str("a"), Value::str("b")]);
        assert_eq!(pattern_text(&list).expect("text"), "a,b");
        assert!(pattern_text(&Value::from(1)).is_err());
    }
}
