//! What filters, functions and objects may ask of the machine that runs them.

use std::any::Any;
use std::rc::Rc;

use super::Machine;
use super::access::{element, unsafe_attribute};
use crate::diag::{Error, Kind, Result};
use crate::jinja::environment::{Found, Plugin};
use crate::jinja::methods;
use crate::jinja::objects::{BlockRef, Bound, MacroObject, Recursion};
use crate::value::{Args, Key, Runtime, Undefined, UndefinedKind, Value};

/// Filters that look at the values of a dict; others take it for its keys.
const SHOWS_DICTS: [&str; 14] = [
    "combine",
    "dict2items",
    "dictsort",
    "items",
    "mandatory",
    "pprint",
    "quote",
    "string",
    "to_json",
    "to_nice_json",
    "to_nice_yaml",
    "to_yaml",
    "tojson",
    "urlencode",
];

/// Filters that look at lists without looking at all that is in them.
const SELECTS: [&str; 16] = [
    "int",
    "float",
    "length",
    "count",
    "first",
    "last",
    "map",
    "select",
    "reject",
    "selectattr",
    "rejectattr",
    "batch",
    "slice",
    "reverse",
    "items",
    "random",
];

impl Machine<'_> {
    /// Takes a method off its object.
    fn bound(&self, object: &Value, name: Rc<str>) -> Value {
        Value::Object(Rc::new(Bound {
            object: object.clone(),
            name,
            lazy: self.options.plain_data,
        }))
    }

    /// Raises what is undefined inside a list or dict, where values are plain data.
    pub(super) fn all_defined(&self, value: &Value) -> Result<()> {
        match value {
            Value::List(_) | Value::Tuple(_) | Value::Dict(_) if self.options.plain_data => {
                match value.undefined_inside() {
                    Some(undefined) => Err(undefined.error()),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}

impl Machine<'_> {
    /// Returns the argument of a filter that is undefined, where the filter doesn't look at such.
    ///
    /// # Errors
    /// Something undefined inside of an argument that the filter looks into.
    fn not_ready(&self, name: &str, args: &Args) -> Result<Option<Value>> {
        let named = args.keyword.iter().map(|(_, value)| value);
        let given = args.positional.iter().chain(named);
        let is_looked_at = |value: &Value| match value {
            Value::Undefined(_) => true,
            Value::List(_) | Value::Tuple(_) | Value::Dict(_) => self.options.plain_data,
            _ => false,
        };
        // Most arguments are plain text and numbers.
        if !given.clone().any(is_looked_at) {
            return Ok(None);
        }
        let short = name.rsplit('.').next().unwrap_or(name);
        if let Some(Value::Undefined(undefined)) = args.positional.first()
            && !undefined.is_missing()
            && short != "type_debug"
        {
            return Ok(Some(args.positional[0].clone()));
        }
        if matches!(
            short,
            "default" | "d" | "mandatory" | "type_debug" | "ternary"
        ) {
            return Ok(None);
        }
        for value in given {
            let is_looked_into = match value {
                Value::Undefined(_) => return Ok(Some(value.clone())),
                Value::Dict(_) => SHOWS_DICTS.contains(&short),
                _ => !SELECTS.contains(&short),
            };
            if is_looked_into {
                self.all_defined(value)?;
            }
        }
        Ok(None)
    }

    fn run_found(&mut self, found: Found, args: Args) -> Result<Value> {
        match found {
            Found::Own(function) => function(self, args),
            Found::Plugin(plugin) => self.call(&plugin, args),
        }
    }
}

impl Runtime for Machine<'_> {
    fn call(&mut self, callee: &Value, args: Args) -> Result<Value> {
        let object = match callee {
            Value::Object(object) => object.clone(),
            Value::Undefined(undefined) => return Err(undefined.error()),
            other => {
                return Err(Error::type_error(format!(
                    "'{}' object is not callable",
                    other.type_name()
                )));
            }
        };
        if let Some(code) = callee.downcast::<MacroObject>() {
            return self.call_macro(code, args);
        }
        if let Some(recursion) = callee.downcast::<Recursion>() {
            let code = recursion.code.clone();
            let iterated = args.positional.into_iter().next().unwrap_or(Value::None);
            let depth = recursion.state.depth + 1;
            let text = self.captured(|machine| {
                machine.in_template(&code.template, code.scope.clone(), |machine| {
                    machine.for_loop(&code.node, &iterated, depth).map(|_| ())
                })
            })?;
            return Ok(text);
        }
        if let Some(block) = callee.downcast::<BlockRef>() {
            let exists = self
                .blocks
                .borrow()
                .get(&block.name)
                .is_some_and(|chain| chain.len() > block.level);
            if !exists {
                return Err(Error::new(
                    Kind::Undefined,
                    format!("there is no parent block called '{}'.", block.name),
                ));
            }
            let (name, level, scope) = (block.name.clone(), block.level, block.scope.clone());
            let outer = std::mem::replace(&mut self.scope, scope);
            let text = self.captured(|machine| machine.block(&name, level, true));
            self.scope = outer;
            return text;
        }
        if object.type_name() == "LoopContext" {
            return Err(Error::type_error(
                "The loop must have the 'recursive' marker to be called recursively.",
            ));
        }
        self.deeper(|machine| object.call(machine, args))
    }

    fn filter(&mut self, name: &str, args: Args) -> Result<Value> {
        let found = self.env.find(Plugin::Filter, name)?;
        // For Ansible, an undefined argument makes an undefined result; it is said when that is used.
        if self.options.undefined == UndefinedKind::Marker
            && let Some(undefined) = self.not_ready(name, &args)?
        {
            return Ok(undefined);
        }
        let mut args = args;
        if self.options.plain_data && name.ends_with("groupby") {
            // As observed: what is missing is told before the default is looked at.
            args.take("default");
        }
        let result = self.run_found(found, args);
        match (result, self.env.worded) {
            (Err(error), Some(worded)) => Err(worded(Plugin::Filter, name, error)),
            (result, _) => result.map(|value| match self.env.filtered {
                Some(filtered) => filtered(name, self.undefined(value)),
                None => self.undefined(value),
            }),
        }
    }

    fn test(&mut self, name: &str, args: Args) -> Result<bool> {
        let found = self.env.find(Plugin::Test, name)?;
        let named = args.keyword.iter().map(|(_, value)| value);
        for value in args.positional.iter().chain(named) {
            if let Value::Undefined(undefined) = value
                && !undefined.is_missing()
                && name.rsplit('.').next() != Some("vault_encrypted")
            {
                return Err(undefined.error());
            }
        }
        let result = self.run_found(found, args);
        match (result, self.env.worded) {
            (Err(error), Some(worded)) => Err(worded(Plugin::Test, name, error)),
            (result, _) => result.map(|value| value.truth()),
        }
    }

    fn resolve(&mut self, name: &str) -> Result<Option<Value>> {
        if let Some(value) = self
            .env
            .names
            .known(name)
            .and_then(|name| self.scope.get(&name))
        {
            return Ok(Some(value));
        }
        let context = self.context;
        self.deeper(|machine| context.resolve(machine, name))
    }

    fn attribute(&mut self, object: &Value, name: &str) -> Result<Value> {
        if let Value::Undefined(undefined) = object {
            return if undefined.is_chainable() {
                Ok(object.clone())
            } else {
                Err(undefined.error())
            };
        }
        if name.starts_with("__") && object.get(name).is_none() {
            return Err(unsafe_attribute(object, name));
        }
        match object {
            Value::Object(inner) => {
                if let Some(value) = inner.attribute(self, name)? {
                    return Ok(self.undefined(value));
                }
                if let Some(value) = inner.item(self, &Value::str(name))? {
                    return Ok(value);
                }
            }
            _ => {
                if let Some(value) = methods::attribute(object, name) {
                    return Ok(value);
                }
                if methods::exists(object, name) {
                    return Ok(self.bound(object, name.into()));
                }
                if let Some(value) = object.get(name) {
                    return Ok(value);
                }
            }
        }
        Ok(self.undefined(Value::undefined(Undefined::hint(format!(
            "object of type '{}' has no attribute '{name}'",
            object.type_name()
        )))))
    }

    fn item(&mut self, object: &Value, key: &Value) -> Result<Value> {
        if let Value::Undefined(undefined) = object {
            return if undefined.is_chainable() {
                Ok(object.clone())
            } else {
                Err(undefined.error())
            };
        }
        match (key, object) {
            (Value::Undefined(undefined), _) if undefined.kind() == UndefinedKind::Marker => {
                return Ok(key.clone());
            }
            (Value::Undefined(undefined), Value::Dict(_)) => return Err(undefined.error()),
            _ => {}
        }
        let found = match object {
            Value::Dict(dict) => match key {
                Value::Str(name) => dict.get(name),
                key => Key::new(key.clone())
                    .ok()
                    .and_then(|key| dict.get_key(&key)),
            },
            Value::List(_)
            | Value::Tuple(_)
            | Value::Str(_)
            | Value::Bytes(_)
            | Value::Range(..) => match key.as_i64() {
                Some(index) => element(object, index)?,
                None => None,
            },
            Value::Object(inner) => inner.item(self, key)?,
            _ => None,
        };
        if let Some(value) = found {
            return Ok(value);
        }
        if let Value::Str(name) = key {
            if name.starts_with("__") {
                return Err(unsafe_attribute(object, name));
            }
            if let Value::Object(inner) = object {
                if let Some(value) = inner.attribute(self, name)? {
                    return Ok(value);
                }
            } else if methods::exists(object, name) {
                return Ok(self.bound(object, name.shared()));
            }
            return Ok(self.undefined(Value::undefined(Undefined::hint(format!(
                "object of type '{}' has no attribute '{name}'",
                object.type_name()
            )))));
        }
        let missing = match object {
            // As observed: an index of nothing is no name there.
            _ if self.options.plain_data
                && matches!(key, Value::Int(_) | Value::Float(_))
                && !object.is_undefined() =>
            {
                let kind = object.type_name();
                if key.truth() {
                    format!("object of type '{kind}' has no attribute {}", key.repr())
                } else if object.is_none() {
                    format!("None has no element {}", key.repr())
                } else {
                    format!("{kind} object has no element {}", key.repr())
                }
            }
            Value::None => format!("None has no element {}", key.repr()),
            Value::Dict(_) => format!("object of type 'dict' has no attribute {}", key.repr()),
            _ if matches!(key, Value::Int(_) | Value::Float(_))
                && (object.len().is_some() || object.is_undefined()) =>
            {
                format!(
                    "object of type '{}' has no attribute {}",
                    object.type_name(),
                    key.repr()
                )
            }
            _ => format!(
                "{} object has no element {}",
                object.type_name(),
                key.repr()
            ),
        };
        Ok(self.undefined(Value::undefined(Undefined::hint(missing))))
    }

    fn autoescape(&self) -> bool {
        self.autoescape
    }

    fn reads_lazily(&self) -> bool {
        self.options.plain_data
    }

    fn lent(&self, value: Value) -> Value {
        if self.context.changes_values() {
            value.deep_copy()
        } else {
            value
        }
    }

    fn embedder(&self) -> Rc<dyn Any> {
        self.context.embedder()
    }
}
