//! What is known about hosts: inventory, facts, set facts, registered results.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;

use super::{Layer, RunNames};
use crate::inventory::Inventory;
use crate::value::{Dict, Value};

/// Connection variables that facts from a host may not set.
///
/// **Source:** Ansible's `clean_facts`, which keeps a host from redirecting its own connection.
const PROTECTED: &[&str] = &[
    "ansible_connection",
    "ansible_host",
    "ansible_port",
    "ansible_user",
    "ansible_password",
    "ansible_shell_type",
    "ansible_shell_executable",
];
const PROTECTED_PREFIXES: &[&str] = &["ansible_become", "ansible_ssh_"];

/// The variables of a run. Clones share the store.
#[derive(Clone)]
pub struct Store(Rc<Inner>);

struct Inner {
    names: RunNames,
    inventory: Rc<RefCell<Inventory>>,
    extra: Dict,
    layers: RefCell<HashMap<String, Rc<Vec<Layer>>>>,
    layers_of: Box<dyn Fn(&Inventory, &str) -> Vec<Layer>>,
    facts: RefCell<HashMap<String, Dict>>,
    set_facts: RefCell<HashMap<String, Dict>>,
    include_vars: RefCell<HashMap<String, Dict>>,
}

impl Store {
    /// Makes the store of a run.
    ///
    /// `layers_of` gives a host's inventory variables, lowest precedence first; it is asked once
    /// per host.
    pub fn new(
        names: RunNames,
        inventory: Rc<RefCell<Inventory>>,
        extra: Dict,
        layers_of: Box<dyn Fn(&Inventory, &str) -> Vec<Layer>>,
    ) -> Store {
        Store(Rc::new(Inner {
            names,
            inventory,
            extra,
            layers: RefCell::default(),
            layers_of,
            facts: RefCell::default(),
            set_facts: RefCell::default(),
            include_vars: RefCell::default(),
        }))
    }

    /// Returns the inventory.
    pub fn inventory(&self) -> &Rc<RefCell<Inventory>> {
        &self.0.inventory
    }

    /// Returns the names and settings of the run that magic variables show.
    pub fn run_names(&self) -> &RunNames {
        &self.0.names
    }

    /// Returns the directory that relative paths start from where there is no play.
    pub fn base_dir(&self) -> PathBuf {
        self.0.names.base_dir.clone()
    }

    /// Returns the variables given with `-e`.
    pub fn extra(&self) -> &Dict {
        &self.0.extra
    }

    /// Returns a host's inventory layers, lowest precedence first.
    pub fn host_layers(&self, host: &str) -> Rc<Vec<Layer>> {
        if let Some(known) = self.0.layers.borrow().get(host) {
            return known.clone();
        }
        let made = Rc::new((self.0.layers_of)(&self.0.inventory.borrow(), host));
        self.0
            .layers
            .borrow_mut()
            .insert(host.to_owned(), made.clone());
        made
    }

    /// Forgets the inventory layers: hosts or groups changed.
    pub fn inventory_changed(&self) {
        self.0.layers.borrow_mut().clear();
    }

    /// Adds facts that a module returned.
    pub fn add_facts(&self, host: &str, facts: &Dict) {
        let mut all = self.0.facts.borrow_mut();
        let known = all.entry(host.to_owned()).or_default();
        for (key, value) in facts.to_vec() {
            known.set_key(key, value);
        }
    }

    /// Returns a host's facts as modules returned them.
    pub fn facts(&self, host: &str) -> Dict {
        self.0
            .facts
            .borrow()
            .get(host)
            .map(Dict::copy)
            .unwrap_or_default()
    }

    /// Forgets a host's facts (`meta: clear_facts`).
    pub fn clear_facts(&self, host: &str) {
        self.0.facts.borrow_mut().remove(host);
    }

    /// Returns `ansible_facts`: the facts without their `ansible_` prefix.
    pub fn facts_namespace(&self, host: &str) -> Dict {
        self.facts(host)
            .to_vec()
            .into_iter()
            .map(
                |(key, value)| match key.as_str().and_then(|k| k.strip_prefix("ansible_")) {
                    Some(short) if short != "local" => (short.into(), value),
                    _ => (key, value),
                },
            )
            .collect()
    }

    /// Returns the facts as variables: what may redirect the connection is left out.
    pub fn injected_facts(&self, host: &str) -> Dict {
        self.0
            .facts
            .borrow()
            .get(host)
            .map(cleaned)
            .unwrap_or_default()
    }

    /// Sets a variable of a host at the level of `set_fact` and `register`.
    pub fn set_fact(&self, host: &str, name: &str, value: Value) {
        self.0
            .set_facts
            .borrow_mut()
            .entry(host.to_owned())
            .or_default()
            .set(name, value);
    }

    /// Returns a host's set facts and registered results; shared, not copied.
    pub fn set_facts(&self, host: &str) -> Dict {
        self.0
            .set_facts
            .borrow_mut()
            .entry(host.to_owned())
            .or_default()
            .clone()
    }

    /// Adds variables at the level of `include_vars`.
    pub fn add_include_vars(&self, host: &str, vars: &Dict) {
        let mut all = self.0.include_vars.borrow_mut();
        let known = all.entry(host.to_owned()).or_default();
        for (key, value) in vars.to_vec() {
            known.set_key(key, value);
        }
    }

    /// Returns a host's included variables.
    pub fn include_vars(&self, host: &str) -> Dict {
        self.0
            .include_vars
            .borrow_mut()
            .entry(host.to_owned())
            .or_default()
            .clone()
    }

    /// Returns a magic variable that depends on host and run only.
    pub fn magic(&self, host: &str, name: &str) -> Option<Value> {
        super::magic::of_host(&self.0.inventory.borrow(), host, name)
            .or_else(|| self.0.names.magic(name))
    }
}

fn cleaned(facts: &Dict) -> Dict {
    let interpreter = |key: &str| key.starts_with("ansible_") && key.ends_with("_interpreter");
    facts
        .to_vec()
        .into_iter()
        .filter(|(key, _)| {
            key.as_str().is_none_or(|key| {
                !PROTECTED.contains(&key)
                    && !PROTECTED_PREFIXES.iter().any(|prefix| {
                        key.starts_with(prefix) && !key.starts_with("ansible_ssh_host_key_")
                    })
                    && !interpreter(key)
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_of_a_host_do_not_redirect_its_connection() {
        let facts: Dict = [
            ("ansible_hostname", "n1"),
            ("ansible_host", "6.6.6.6"),
            ("ansible_become_password", "x"),
            ("ansible_python_interpreter", "/tmp/evil"),
            ("ansible_ssh_host_key_rsa_public", "AAAA"),
        ]
        .into_iter()
        .map(|(k, v)| (k.into(), Value::str(v)))
        .collect();
        let names: Vec<String> = cleaned(&facts)
            .keys()
            .iter()
            .filter_map(|k| k.as_str().map(str::to_owned))
            .collect();
        assert_eq!(
            names,
            ["ansible_hostname", "ansible_ssh_host_key_rsa_public"]
        );
    }
}
