//! What is known about hosts: inventory, facts, set facts, registered results.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;

use super::{Layer, RunNames};
use crate::inventory::Inventory;
use crate::value::{Dict, Key, Value};

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
    facts: RefCell<HashMap<String, Facts>>,
    set_facts: RefCell<HashMap<String, Dict>>,
    include_vars: RefCell<HashMap<String, Dict>>,
}

/// A host's facts, in the forms that they are asked for; each is shared, not copied.
#[derive(Default)]
struct Facts {
    /// As variables: what may redirect the connection is left out.
    injected: Dict,
    /// As `ansible_facts`: without their `ansible_` prefix.
    namespace: Dict,
}

impl Facts {
    fn add(&mut self, key: Key, value: Value) {
        let short = match key.as_str().and_then(|key| key.strip_prefix("ansible_")) {
            Some(short) if short != "local" => short.into(),
            _ => key.clone(),
        };
        self.namespace.set_key(short, value.clone());
        if !key.as_str().is_some_and(redirects) {
            self.injected.set_key(key, value);
        }
    }
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
        // A view that is in use keeps what it saw: its dicts are not the new ones.
        *known = Facts {
            injected: known.injected.copy(),
            namespace: known.namespace.copy(),
        };
        for (key, value) in facts.to_vec() {
            known.add(key, value);
        }
    }

    /// Forgets a host's facts (`meta: clear_facts`).
    pub fn clear_facts(&self, host: &str) {
        self.0.facts.borrow_mut().remove(host);
    }

    /// Returns `ansible_facts`: the facts without their `ansible_` prefix.
    pub fn facts_namespace(&self, host: &str) -> Dict {
        self.facts_as(host, |facts| &facts.namespace)
    }

    /// Returns the facts as variables: what may redirect the connection is left out.
    pub fn injected_facts(&self, host: &str) -> Dict {
        self.facts_as(host, |facts| &facts.injected)
    }

    fn facts_as(&self, host: &str, form: impl Fn(&Facts) -> &Dict) -> Dict {
        let facts = self.0.facts.borrow();
        facts
            .get(host)
            .map(|facts| form(facts).clone())
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
        super::magic::of_host(
            &self.0.inventory.borrow(),
            host,
            name,
            self.0.names.shortens_addresses,
        )
        .or_else(|| self.0.names.magic(name))
    }
}

/// Says whether a fact of this name could lead the connection elsewhere.
fn redirects(name: &str) -> bool {
    let interpreter = name.starts_with("ansible_") && name.ends_with("_interpreter");
    let prefixed = PROTECTED_PREFIXES
        .iter()
        .any(|prefix| name.starts_with(prefix));
    let host_key = name.starts_with("ansible_ssh_host_key_");
    interpreter || PROTECTED.contains(&name) || (prefixed && !host_key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_of_a_host_do_not_redirect_its_connection() {
        let mut facts = Facts::default();
        for (name, value) in [
            ("ansible_hostname", "n1"),
            ("ansible_host", "6.6.6.6"),
            ("ansible_become_password", "x"),
            ("ansible_python_interpreter", "/tmp/evil"),
            ("ansible_ssh_host_key_rsa_public", "AAAA"),
        ] {
            facts.add(name.into(), Value::str(value));
        }
        let names = |dict: &Dict| -> Vec<String> {
            dict.keys().iter().map(|key| key.value().to_str()).collect()
        };
        assert_eq!(
            names(&facts.injected),
            ["ansible_hostname", "ansible_ssh_host_key_rsa_public"]
        );
        assert_eq!(names(&facts.namespace)[1], "host");
    }
}
