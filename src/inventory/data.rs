//! Hosts and groups, and what belongs to what.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use super::range;
use crate::diag::{Error, Kind, Result};
use crate::value::{Dict, Key, Value};

/// A host.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Variables of its own, from inventory sources.
    pub vars: Dict,
    /// The groups that name it directly, by index.
    pub groups: Vec<usize>,
    /// The source that named it first, as an index of [`Inventory::host_sources`].
    pub source: Option<usize>,
}

/// A group.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its variables, from inventory sources.
    pub vars: Dict,
    /// Hosts that it names directly, by index.
    pub hosts: Vec<usize>,
    /// Groups inside it, by index.
    pub children: Vec<usize>,
    /// Groups around it, by index.
    pub parents: Vec<usize>,
    /// `ansible_group_priority`: among groups of one depth the higher wins.
    pub priority: i64,
}

/// What a host's `inventory_file` and `inventory_dir` say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostSource {
    /// The file, or the list of hosts as given.
    pub file: String,
    /// The directory; `None` for a list of hosts, as Ansible has it.
    pub dir: String,
}

/// Hosts and groups of all sources. `all` and `ungrouped` always exist.
#[derive(Clone, Debug)]
pub struct Inventory {
    hosts: Vec<Host>,
    groups: Vec<Group>,
    host_index: HashMap<String, usize>,
    group_index: HashMap<String, usize>,
    /// How far each group is from `all`, by the longest way; settled by [`Inventory::reconcile`].
    depths: Vec<usize>,
    /// The files and lists that hosts came from.
    pub host_sources: Vec<HostSource>,
    /// The sources that were read, in order: files and directories.
    pub sources: Vec<PathBuf>,
    /// At least one source could be read.
    pub is_parsed: bool,
    /// `--limit`, already split.
    pub limit: Option<Vec<String>>,
}

const ALL: usize = 0;
const UNGROUPED: usize = 1;

impl Default for Inventory {
    fn default() -> Inventory {
        let mut inventory = Inventory {
            hosts: Vec::new(),
            groups: Vec::new(),
            host_index: HashMap::new(),
            group_index: HashMap::new(),
            depths: Vec::new(),
            host_sources: Vec::new(),
            sources: Vec::new(),
            is_parsed: false,
            limit: None,
        };
        inventory.add_group("all");
        inventory.add_group("ungrouped");
        inventory.groups[ALL].children.push(UNGROUPED);
        inventory.groups[UNGROUPED].parents.push(ALL);
        inventory
    }
}

impl Inventory {
    /// Returns all hosts, in the order in which they were named.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// Returns all groups: `all`, `ungrouped`, then those of the sources in order.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Says whether the host is known.
    pub fn has_host(&self, name: &str) -> bool {
        self.host_index.contains_key(name)
    }

    /// Says whether the group is known.
    pub fn has_group(&self, name: &str) -> bool {
        self.group_index.contains_key(name)
    }

    /// Returns a host.
    pub fn host(&self, name: &str) -> Option<&Host> {
        self.host_index.get(name).map(|index| &self.hosts[*index])
    }

    /// Returns a group.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.group_index.get(name).map(|index| &self.groups[*index])
    }

    /// Returns the names of all hosts.
    pub fn host_names(&self) -> Vec<String> {
        self.hosts.iter().map(|host| host.name.clone()).collect()
    }

    /// Adds a group, unless it is there.
    pub fn add_group(&mut self, name: &str) -> usize {
        if let Some(index) = self.group_index.get(name) {
            return *index;
        }
        let index = self.groups.len();
        self.groups.push(Group {
            name: name.to_owned(),
            vars: Dict::new(),
            hosts: Vec::new(),
            children: Vec::new(),
            parents: Vec::new(),
            priority: 1,
        });
        self.group_index.insert(name.to_owned(), index);
        index
    }

    /// Adds a host, unless it is there, and puts it in a group.
    ///
    /// Its source is the latest of [`Inventory::host_sources`].
    pub fn add_host(&mut self, name: &str, group: Option<&str>) -> usize {
        let index = if let Some(index) = self.host_index.get(name) {
            *index
        } else {
            let index = self.hosts.len();
            self.hosts.push(Host {
                name: name.to_owned(),
                vars: Dict::new(),
                groups: Vec::new(),
                source: self.host_sources.len().checked_sub(1),
            });
            self.host_index.insert(name.to_owned(), index);
            index
        };
        if let Some(group) = group {
            let group = self.add_group(group);
            if !self.hosts[index].groups.contains(&group) {
                self.groups[group].hosts.push(index);
                self.hosts[index].groups.push(group);
            }
        }
        index
    }

    /// Adds a host with the port that its pattern names; a host that is there keeps its own.
    pub fn add_host_at(&mut self, name: &str, group: Option<&str>, port: Option<i64>) -> usize {
        let is_new = !self.has_host(name);
        let host = self.add_host(name, group);
        if is_new && let Some(port) = port {
            self.hosts[host].vars.set("ansible_port", Value::Int(port));
        }
        host
    }

    /// Sets a variable of a host.
    pub fn set_host_var(&mut self, host: usize, name: Key, value: Value) {
        self.hosts[host].vars.set_key(name, value);
    }

    /// Sets a variable of a group.
    ///
    /// # Errors
    /// `ansible_group_priority` that is no number.
    pub fn set_group_var(&mut self, group: usize, name: Key, value: Value) -> Result<()> {
        if name.as_str() == Some("ansible_group_priority") {
            if !matches!(value, Value::None | Value::List(_) | Value::Dict(_)) {
                self.groups[group].priority = range::int(&value)?;
            }
            return Ok(());
        }
        self.groups[group].vars.set_key(name, value);
        Ok(())
    }

    /// Puts a group inside another.
    ///
    /// # Errors
    /// When the inner one contains the outer one already.
    pub fn add_child(&mut self, outer: usize, inner: usize) -> Result<()> {
        if outer == inner {
            return Err(Error::new(Kind::Inventory, "can't add group to itself"));
        }
        if self.groups[outer].children.contains(&inner) {
            return Ok(());
        }
        if !self.groups[inner].children.is_empty() && self.descendants(inner).contains(&outer) {
            return Err(Error::new(
                Kind::Inventory,
                format!(
                    "Adding group '{}' as child to '{}' creates a recursive dependency loop.",
                    self.groups[inner].name, self.groups[outer].name
                ),
            ));
        }
        self.groups[outer].children.push(inner);
        self.groups[inner].parents.push(outer);
        Ok(())
    }

    /// Settles what `all` and `ungrouped` contain; called when all sources are read.
    pub fn reconcile(&mut self) {
        for index in UNGROUPED..self.groups.len() {
            if self.groups[index].parents.is_empty() {
                self.groups[ALL].children.push(index);
                self.groups[index].parents.push(ALL);
            }
        }
        for host in &mut self.hosts {
            if host.groups.iter().any(|group| *group > UNGROUPED) {
                host.groups.retain(|group| *group != UNGROUPED);
            }
        }
        let hosts = &self.hosts;
        self.groups[UNGROUPED]
            .hosts
            .retain(|host| hosts[*host].groups.contains(&UNGROUPED));
        for index in 0..self.hosts.len() {
            if self.hosts[index].groups.iter().all(|group| *group == ALL) {
                self.hosts[index].groups.push(UNGROUPED);
                self.groups[UNGROUPED].hosts.push(index);
            }
        }
        self.settle_depths();
    }

    /// Returns the hosts that have the name of a group.
    pub fn hosts_named_as_groups(&self) -> impl Iterator<Item = &str> {
        self.hosts
            .iter()
            .map(|host| host.name.as_str())
            .filter(|name| self.has_group(name))
    }

    /// Works out each group's distance from `all`.
    fn settle_depths(&mut self) {
        let mut missing: Vec<usize> = self
            .groups
            .iter()
            .map(|group| group.parents.len())
            .collect();
        let mut open: Vec<usize> = (0..self.groups.len())
            .filter(|g| missing[*g] == 0)
            .collect();
        self.depths = vec![0; self.groups.len()];
        while let Some(group) = open.pop() {
            for child in &self.groups[group].children {
                self.depths[*child] = self.depths[*child].max(self.depths[group] + 1);
                missing[*child] -= 1;
                if missing[*child] == 0 {
                    open.push(*child);
                }
            }
        }
    }

    /// Returns a group and everything inside it, nearest level first.
    pub fn descendants(&self, group: usize) -> Vec<usize> {
        let mut out = vec![group];
        let mut seen: HashSet<usize> = HashSet::from([group]);
        let mut next = 0;
        while next < out.len() {
            for child in &self.groups[out[next]].children {
                if seen.insert(*child) {
                    out.push(*child);
                }
            }
            next += 1;
        }
        out
    }

    /// Returns the hosts of a group and of the groups inside it.
    pub fn hosts_of(&self, group: usize) -> Vec<usize> {
        let mut out = Vec::new();
        let mut seen = vec![false; self.hosts.len()];
        for one in self.descendants(group) {
            for host in &self.groups[one].hosts {
                if !std::mem::replace(&mut seen[*host], true) {
                    out.push(*host);
                }
            }
        }
        out
    }

    /// Returns how far a group is from `all`, by the longest way.
    pub fn depth(&self, group: usize) -> usize {
        self.depths.get(group).copied().unwrap_or_default()
    }

    /// Returns all groups of a host except `all`, in the order in which their variables apply:
    /// by depth, priority, name.
    pub fn groups_of(&self, host: &str) -> Vec<usize> {
        let Some(index) = self.host_index.get(host) else {
            return Vec::new();
        };
        let mut out: Vec<usize> = Vec::new();
        let mut open = self.hosts[*index].groups.clone();
        while let Some(group) = open.pop() {
            if group != ALL && !out.contains(&group) {
                out.push(group);
                open.extend(self.groups[group].parents.iter().copied());
            }
        }
        out.sort_by_key(|group| {
            (
                self.depth(*group),
                self.groups[*group].priority,
                self.groups[*group].name.clone(),
            )
        });
        out
    }

    /// Returns the names of a host's groups except `all`, sorted: `group_names`.
    pub fn group_names(&self, host: &str) -> Vec<String> {
        let mut names: Vec<String> = self
            .groups_of(host)
            .iter()
            .map(|group| self.groups[*group].name.clone())
            .collect();
        names.sort();
        names
    }

    /// Returns every group with the names of its hosts: `groups`.
    pub fn groups_with_hosts(&self) -> Vec<(String, Vec<String>)> {
        (0..self.groups.len())
            .map(|group| {
                let hosts = self
                    .hosts_of(group)
                    .iter()
                    .map(|host| self.hosts[*host].name.clone())
                    .collect();
                (self.groups[group].name.clone(), hosts)
            })
            .collect()
    }

    /// Returns where a host was first named.
    pub fn source_of(&self, host: &str) -> Option<&HostSource> {
        self.host_sources.get(self.host(host)?.source?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_come_by_depth_then_priority_then_name() {
        let mut inventory = Inventory::default();
        let (outer, inner) = (inventory.add_group("outer"), inventory.add_group("inner"));
        inventory.add_group("a");
        inventory.add_child(outer, inner).expect("no loop");
        for group in ["inner", "a"] {
            inventory.add_host("h", Some(group));
        }
        inventory.reconcile();
        let names: Vec<&str> = inventory
            .groups_of("h")
            .iter()
            .map(|g| inventory.groups()[*g].name.as_str())
            .collect();
        assert_eq!(names, ["a", "outer", "inner"]);
        assert!(inventory.add_child(inner, outer).is_err());
    }

    #[test]
    fn a_host_that_is_in_a_group_leaves_ungrouped() {
        let mut inventory = Inventory::default();
        inventory.add_host("h", Some("ungrouped"));
        inventory.add_host("h", Some("g"));
        inventory.add_host("alone", None);
        inventory.reconcile();
        assert_eq!(inventory.group_names("h"), ["g"]);
        assert_eq!(inventory.group_names("alone"), ["ungrouped"]);
    }
}
