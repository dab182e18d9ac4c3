//! Hosts and groups that tasks add to the inventory: what `add_host` and `group_by` result in.

use super::run::Runner;
use crate::diag::Result;
use crate::inventory::Inventory;
use crate::value::{Dict, Value};

impl Runner {
    /// Adds what a result of `add_host` or `group_by` names, and says in it whether that changed
    /// anything.
    ///
    /// # Errors
    /// A group that would contain itself.
    pub(super) fn grow_inventory(&self, host: &str, result: &Dict) -> Result<()> {
        let mut inventory = self.store.inventory().borrow_mut();
        let safe = |name: &String| self.options.group_names.safe(name, &self.sources);
        let safe_names = |list| names(list).iter().map(safe).collect::<Vec<_>>();
        let changed = match (result.get("add_host"), result.get("add_group")) {
            (Some(added), _) => {
                let groups = safe_names(added.get("groups"));
                add_host(&mut inventory, &added, &groups) || self.level.always_adds_hosts()
            }
            (None, Some(group)) => {
                let parents = safe_names(result.get("parent_groups"));
                let group = safe(&group.to_str());
                group_host(&mut inventory, host, &group, &parents)?
            }
            (None, None) => return Ok(()),
        };
        inventory.reconcile();
        drop(inventory);
        self.store.inventory_changed();
        result.set("changed", changed);
        Ok(())
    }
}

fn names(list: Option<Value>) -> Vec<String> {
    match list {
        Some(Value::List(list)) => list.to_vec().iter().map(Value::to_str).collect(),
        _ => Vec::new(),
    }
}

fn add_host(inventory: &mut Inventory, added: &Value, groups: &[String]) -> bool {
    let Some(name) = added.get("host_name").map(|name| name.to_str()) else {
        return false;
    };
    let mut changed = !inventory.has_host(&name);
    let host = inventory.add_host(&name, Some("all"));
    for group in groups {
        changed |= puts_into(inventory, &name, group);
    }
    if let Some(Value::Dict(vars)) = added.get("host_vars") {
        for (key, value) in vars.to_vec() {
            changed |= inventory.hosts()[host].vars.get_key(&key).as_ref() != Some(&value);
            inventory.set_host_var(host, key, value);
        }
    }
    changed
}

fn group_host(
    inventory: &mut Inventory,
    host: &str,
    group: &str,
    parents: &[String],
) -> Result<bool> {
    let mut changed = !inventory.has_group(group);
    let inner = inventory.add_group(group);
    for parent in parents {
        changed |= !inventory.has_group(parent);
        let outer = inventory.add_group(parent);
        changed |= !inventory.groups()[outer].children.contains(&inner);
        inventory.add_child(outer, inner)?;
    }
    changed |= puts_into(inventory, host, group);
    Ok(changed)
}

/// Puts a host into a group, and says whether it wasn't in it.
fn puts_into(inventory: &mut Inventory, host: &str, group: &str) -> bool {
    let before = inventory.host(host).map(|host| host.groups.len());
    let index = inventory.add_host(host, Some(group));
    Some(inventory.hosts()[index].groups.len()) != before
}
