//! `hostvars`: every host's variables, rendered when they are read.

use std::rc::Rc;

use super::{PlayNames, Store, View};
use crate::diag::Result;
use crate::inventory::is_localhost;
use crate::template::{Templar, Variables};
use crate::value::{Args, Dict, Key, Object, Runtime, Undefined, Value};

/// `hostvars` itself: hosts by name.
pub struct HostVars {
    store: Store,
    play: Option<Rc<PlayNames>>,
}

impl HostVars {
    /// Makes `hostvars` as seen from a play.
    pub fn all(store: &Store, play: Option<&Rc<PlayNames>>) -> Value {
        Value::Object(Rc::new(HostVars {
            store: store.clone(),
            play: play.cloned(),
        }))
    }

    /// The controller has variables without being in the inventory.
    fn knows(&self, name: &str) -> bool {
        is_localhost(name) || self.store.inventory().borrow().has_host(name)
    }

    /// Returns the names that are listed.
    fn names(&self) -> Vec<String> {
        let mut names = self.store.inventory().borrow().host_names();
        let local = "localhost".to_owned();
        let level = self.store.run_names().templates.level();
        if level.hostvars_list_localhost() && !names.contains(&local) {
            names.push(local);
        }
        names
    }

    fn host(&self, name: &str) -> Option<Value> {
        self.knows(name).then(|| {
            // A play's own variables are not a host's.
            let view = View::new(&self.store, name, None, None).seen_from(self.play.as_ref());
            let view = Rc::new(view);
            Value::Object(Rc::new(OneHost {
                store: self.store.clone(),
                play: self.play.clone(),
                view,
            }))
        })
    }
}

impl Object for HostVars {
    fn type_name(&self) -> &'static str {
        "HostVars"
    }

    fn len(&self) -> Option<usize> {
        Some(self.names().len())
    }

    fn item(&self, _runtime: &mut dyn Runtime, key: &Value) -> Result<Option<Value>> {
        Ok(key.as_str().map(|name| {
            self.host(name)
                .unwrap_or_else(|| Value::undefined(Undefined::hint(format!("hostvars['{name}']"))))
        }))
    }

    fn attribute(&self, runtime: &mut dyn Runtime, name: &str) -> Result<Option<Value>> {
        self.item(runtime, &Value::str(name))
    }

    fn call_method(
        &self,
        runtime: &mut dyn Runtime,
        name: &str,
        args: Args,
    ) -> Result<Option<Value>> {
        method(self, runtime, name, args)
    }

    fn iterate(&self) -> Option<Vec<Value>> {
        Some(self.names().iter().map(Value::str).collect())
    }

    fn contains(&self, item: &Value) -> Option<bool> {
        Some(item.as_str().is_some_and(|name| self.knows(name)))
    }

    fn as_mapping(&self) -> Option<Dict> {
        Some(
            self.names()
                .iter()
                .filter_map(|name| Some((Key::str(name), self.host(name)?)))
                .collect(),
        )
    }
}

/// The variables of one host.
struct OneHost {
    store: Store,
    play: Option<Rc<PlayNames>>,
    view: Rc<View>,
}

impl OneHost {
    fn read(&self, name: &str) -> Result<Option<Value>> {
        if self.view.get(name).is_none() {
            let of_run = name == "playbook_dir";
            return Ok(match &self.play {
                Some(play) if of_run => play.magic(name),
                _ => None,
            });
        }
        let templar = Templar::new(self.store.run_names().templates.clone(), self.view.clone());
        templar.shown_variable(name)
    }
}

impl Object for OneHost {
    fn type_name(&self) -> &'static str {
        "HostVarsVars"
    }

    fn len(&self) -> Option<usize> {
        Some(self.view.names().len())
    }

    fn item(&self, runtime: &mut dyn Runtime, key: &Value) -> Result<Option<Value>> {
        let Some(name) = key.as_str() else {
            return Ok(None);
        };
        Ok(self.read(name)?.map(|value| runtime.lent(value)))
    }

    fn attribute(&self, runtime: &mut dyn Runtime, name: &str) -> Result<Option<Value>> {
        self.item(runtime, &Value::str(name))
    }

    fn call_method(
        &self,
        runtime: &mut dyn Runtime,
        name: &str,
        args: Args,
    ) -> Result<Option<Value>> {
        method(self, runtime, name, args)
    }

    fn iterate(&self) -> Option<Vec<Value>> {
        Some(self.view.names().iter().map(Value::str).collect())
    }

    fn contains(&self, item: &Value) -> Option<bool> {
        Some(
            item.as_str()
                .is_some_and(|name| self.view.get(name).is_some()),
        )
    }

    fn as_mapping(&self) -> Option<Dict> {
        // Names whose rendering fails are left as undefined: they raise when they are read.
        Some(
            self.view
                .names()
                .iter()
                .filter(|name| name.as_str() != "hostvars" && name.as_str() != "vars")
                .filter_map(|name| {
                    let value = self
                        .read(name)
                        .unwrap_or_else(|error| Some(Value::undefined(Undefined::failed(error))))?;
                    Some((Key::str(name), value))
                })
                .collect(),
        )
    }
}

/// The methods of a mapping.
fn method(
    object: &dyn Object,
    runtime: &mut dyn Runtime,
    name: &str,
    args: Args,
) -> Result<Option<Value>> {
    let keys = || object.iterate().unwrap_or_default();
    Ok(Some(match name {
        "get" => {
            let [key, default] = args.bind("get", ["key", "default"], 1)?;
            let found = match key {
                Some(key) => object
                    .item(runtime, &key)?
                    .filter(|found| !matches!(found, Value::Undefined(_))),
                None => None,
            };
            found.or(default).unwrap_or(Value::None)
        }
        "keys" => Value::list(keys()),
        "values" | "items" => {
            let mut out = Vec::new();
            for key in keys() {
                let value = object.item(runtime, &key)?.unwrap_or(Value::None);
                out.push(if name == "items" {
                    Value::tuple(vec![key, value])
                } else {
                    value
                });
            }
            Value::list(out)
        }
        _ => return Ok(None),
    }))
}
