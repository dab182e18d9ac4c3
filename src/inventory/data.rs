//! Hosts and groups, and what belongs to what.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::diag::{Error, Kind, Result};
use crate::value::{Dict, Value};

/// A host.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Variables of its own, from inventory sources.
    pub vars: Dict,
    /// The groups that name it directly, by index.
    pub groups: Vec<usize>,
    /// The source that named it last.
    pub source: Option<PathBuf>,
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

/// Hosts and groups of all sources. `all` and `ungrouped` always exist.
#[derive(Clone, Debug)]
pub struct Inventory {
    hosts: Vec<Host>,
    groups: Vec<Group>,
    host_index: HashMap<String, usize>,
    group_index: HashMap<String, usize>,
    /// The sources that were read, in order: files and directories.
    pub sources: Vec<PathBuf>,
    /// `--limit`, already split.
    pub limit: Option<Vec<String>>,
    /// What is odd about the sources.
    pub warnings: Vec<String>,
    /// At least one source could be read.
    pub is_parsed: bool,
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
            sources: Vec::new(),
            limit: None,
            warnings: Vec::new(),
            is_parsed: false,
        };
        inventory.add_group("all");
        inventory.add_group("ungrouped");
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
    pub fn add_host(&mut self, name: &str, group: Option<&str>, source: Option<&Path>) -> usize {
        let index = if let Some(index) = self.host_index.get(name) {
            *index
        } else {
            let index = self.hosts.len();
            self.hosts.push(Host {
                name: name.to_owned(),
                vars: Dict::new(),
                groups: Vec::new(),
                source: None,
            });
            self.host_index.insert(name.to_owned(), index);
            index
        };
        if let Some(source) = source {
            self.hosts[index].source = Some(source.to_path_buf());
        }
        if let Some(group) = group {
            let group = self.add_group(group);
            if !self.groups[group].hosts.contains(&index) {
                self.groups[group].hosts.push(index);
            }
            if !self.hosts[index].groups.contains(&group) {
                self.hosts[index].groups.push(group);
            }
        }
        index
    }

    /// Sets a variable of a host.
    pub fn set_host_var(&mut self, host: usize, name: &str, value: Value) {
        self.hosts[host].vars.set(name, value);
    }

    /// Sets a variable of a group.
    pub fn set_group_var(&mut self, group: usize, name: &str, value: Value) {
        if name == "ansible_group_priority" {
            if let Some(number) = value
                .as_i64()
                .or_else(|| value.to_str().trim().parse().ok())
            {
                self.groups[group].priority = number;
            }
            return;
        }
        self.groups[group].vars.set(name, value);
    }

    /// Puts a group inside another.
    ///
    /// # Errors
    /// When the inner one contains the outer one already.
    pub fn add_child(&mut self, outer: usize, inner: usize) -> Result<()> {
        if outer == inner || self.descendants(inner).contains(&outer) {
            return Err(Error::new(
                Kind::Inventory,
                format!(
                    "Adding group '{}' as child to '{}' creates a recursive dependency loop.",
                    self.groups[inner].name, self.groups[outer].name
                ),
            ));
        }
        if !self.groups[outer].children.contains(&inner) {
            self.groups[outer].children.push(inner);
            self.groups[inner].parents.push(outer);
        }
        Ok(())
    }

    /// Settles what `all` and `ungrouped` contain; called when all sources are read.
    pub fn reconcile(&mut self) {
        for index in 1..self.groups.len() {
            if self.groups[index].parents.is_empty() {
                self.groups[ALL].children.push(index);
                self.groups[index].parents.push(ALL);
            }
        }
        for host in 0..self.hosts.len() {
            let grouped = self.hosts[host]
                .groups
                .iter()
                .any(|group| *group > UNGROUPED);
            let ungrouped = self.hosts[host].groups.contains(&UNGROUPED);
            if grouped && ungrouped {
                self.hosts[host].groups.retain(|group| *group != UNGROUPED);
                self.groups[UNGROUPED].hosts.retain(|known| *known != host);
            } else if !grouped && !ungrouped {
                self.hosts[host].groups.push(UNGROUPED);
                self.groups[UNGROUPED].hosts.push(host);
            }
        }
    }

    /// Returns a group and everything inside it, nearest level first.
    pub fn descendants(&self, group: usize) -> Vec<usize> {
        let mut out = vec![group];
        let mut next = 0;
        while next < out.len() {
            for child in &self.groups[out[next]].children {
                if !out.contains(child) {
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
        fn walk(inventory: &Inventory, group: usize, left: usize) -> usize {
            if left == 0 {
                return 0;
            }
            inventory.groups[group]
                .parents
                .iter()
                .map(|parent| walk(inventory, *parent, left - 1) + 1)
                .max()
                .unwrap_or(0)
        }
        walk(self, group, self.groups.len())
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

    /// Returns the directory of the source that named a host: `inventory_dir`.
    pub fn source_dir(&self, host: &str) -> Option<String> {
        let source = self
            .host(host)
            .and_then(|host| host.source.clone())
            .or_else(|| self.sources.first().cloned())?;
        let dir = if source.is_dir() {
            source.as_path()
        } else {
            source.parent()?
        };
        Some(dir.to_string_lossy().into_owned())
    }

    /// Returns the source that named a host: `inventory_file`.
    pub fn source_file(&self, host: &str) -> Option<String> {
        Some(
            self.host(host)?
                .source
                .as_ref()?
                .to_string_lossy()
                .into_owned(),
        )
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
            inventory.add_host("h", Some(group), None);
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
        inventory.add_host("h", Some("ungrouped"), None);
        inventory.add_host("h", Some("g"), None);
        inventory.add_host("alone", None, None);
        inventory.reconcile();
        assert_eq!(inventory.group_names("h"), ["g"]);
        assert_eq!(inventory.group_names("alone"), ["ungrouped"]);
    }
}
