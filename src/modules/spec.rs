//! Parameters of modules: one table drives checks, conversions, messages and documentation.
//!
//! Messages are ansible-core 2.19's.

use crate::value::{Dict, JsonStyle, Value, from_json_text};

/// The types that a parameter can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text; other values become their text.
    Str,
    /// A path: `~` and variables are expanded.
    Path,
    /// A truth value in any of YAML 1.1's spellings.
    Bool,
    /// An integer.
    Int,
    /// A list; text is split at commas.
    List,
    /// A dictionary.
    Dict,
    /// Anything, unconverted.
    Raw,
}

impl Kind {
    /// Returns the name that documentation and messages use.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Str => "str",
            Kind::Path => "path",
            Kind::Bool => "bool",
            Kind::Int => "int",
            Kind::List => "list",
            Kind::Dict => "dict",
            Kind::Raw => "raw",
        }
    }
}

/// What a parameter is where it isn't given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Default {
    /// `None`.
    None,
    /// A truth value.
    Bool(bool),
    /// Text.
    Str(&'static str),
    /// A number.
    Int(i64),
    /// A list of texts.
    List(&'static [&'static str]),
}

/// One parameter.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Type of the items of a list.
    pub elements: Option<Kind>,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// The only values allowed, where not empty.
    pub choices: &'static [&'static str],
    /// Its value where it isn't given.
    pub default: Default,
    /// It must be given.
    pub required: bool,
    /// Its value is never shown.
    pub no_log: bool,
}

impl Param {
    /// Makes an optional parameter without a default.
    pub const fn new(name: &'static str, kind: Kind) -> Param {
        Param {
            name,
            kind,
            elements: None,
            aliases: &[],
            choices: &[],
            default: Default::None,
            required: false,
            no_log: false,
        }
    }

    /// Gives it other names.
    #[must_use]
    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Param {
        self.aliases = aliases;
        self
    }

    /// Limits its values.
    #[must_use]
    pub const fn choices(mut self, choices: &'static [&'static str]) -> Param {
        self.choices = choices;
        self
    }

    /// Gives it a default.
    #[must_use]
    pub const fn default(mut self, default: Default) -> Param {
        self.default = default;
        self
    }

    /// Makes it required.
    #[must_use]
    pub const fn required(mut self) -> Param {
        self.required = true;
        self
    }

    /// Hides its value.
    #[must_use]
    pub const fn no_log(mut self) -> Param {
        self.no_log = true;
        self
    }

    /// Sets the type of its items.
    #[must_use]
    pub const fn elements(mut self, kind: Kind) -> Param {
        self.elements = Some(kind);
        self
    }
}

/// The parameters of a module and what holds between them.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// The parameters.
    pub params: &'static [Param],
    /// The module takes [`FILE_PARAMS`] too.
    pub file: bool,
    /// Of each row, at most one may be given.
    pub mutually_exclusive: &'static [&'static [&'static str]],
    /// Where a parameter has a value, others must be given.
    pub required_if: &'static [(&'static str, &'static str, &'static [&'static str])],
}

/// The parameters that all modules take which place files.
pub const FILE_PARAMS: &[Param] = &[
    Param::new("mode", Kind::Raw),
    Param::new("owner", Kind::Str),
    Param::new("group", Kind::Str),
    Param::new("seuser", Kind::Str),
    Param::new("serole", Kind::Str),
    Param::new("selevel", Kind::Str),
    Param::new("setype", Kind::Str),
    Param::new("attributes", Kind::Str).aliases(&["attr"]),
    Param::new("unsafe_writes", Kind::Bool).default(Default::Bool(false)),
];

impl Spec {
    /// Returns all parameters, those of [`FILE_PARAMS`] unless the module has its own.
    pub fn all(&self) -> impl Iterator<Item = &'static Param> + use<> {
        let (params, file) = (self.params, self.file);
        params.iter().chain(
            FILE_PARAMS
                .iter()
                .filter(move |p| file && !params.iter().any(|own| own.name == p.name)),
        )
    }

    /// Checks and converts arguments; every parameter is in the result.
    ///
    /// # Errors
    /// Ansible's message about the first thing that is wrong. `home` is what `~` stands for.
    pub fn bind(
        &self,
        module: &str,
        args: &Dict,
        expand: &dyn Fn(&str) -> String,
    ) -> Result<Dict, String> {
        let bound = Dict::new();
        for param in self.all() {
            let mut value = args.get(param.name);
            for alias in param.aliases {
                if let Some(given) = args.get(alias) {
                    value = Some(given);
                }
            }
            if let Some(value) = value {
                bound.set(param.name, value);
            }
        }
        self.refuse_unknown(module, args)?;
        for group in self.mutually_exclusive {
            if group.iter().filter(|n| given(&bound, n)).count() > 1 {
                return Err(format!(
                    "parameters are mutually exclusive: {}",
                    group.join("|")
                ));
            }
        }
        let missing: Vec<&str> = self
            .all()
            .filter(|p| p.required && !bound.contains(p.name))
            .map(|p| p.name)
            .collect();
        if !missing.is_empty() {
            return Err(format!(
                "missing required arguments: {}",
                missing.join(", ")
            ));
        }
        for param in self.all() {
            let value = match bound.get(param.name) {
                Some(value) if !value.is_none() => {
                    let value = convert(param, param.kind, &value, expand)?;
                    check_choice(param, &value)?;
                    value
                }
                Some(_) | None => match param.default {
                    Default::None => Value::None,
                    Default::Bool(b) => b.into(),
                    Default::Int(i) => i.into(),
                    Default::List(items) => Value::list(items.iter().map(Value::str).collect()),
                    Default::Str(text) if param.kind == Kind::Path => expand(text).into(),
                    Default::Str(text) => text.into(),
                },
            };
            bound.set(param.name, value);
        }
        for (name, wanted, needs) in self.required_if {
            if bound.get(name).is_some_and(|v| v.to_str() == *wanted) {
                let missing: Vec<&str> = needs
                    .iter()
                    .filter(|n| !given(&bound, n))
                    .copied()
                    .collect();
                if !missing.is_empty() {
                    return Err(format!(
                        "{name} is {wanted} but all of the following are missing: {}",
                        missing.join(", ")
                    ));
                }
            }
        }
        Ok(bound)
    }

    fn refuse_unknown(&self, module: &str, args: &Dict) -> Result<(), String> {
        let mut unknown: Vec<String> = args
            .keys()
            .iter()
            .map(|k| k.value().to_str())
            .filter(|k| {
                !self
                    .all()
                    .any(|p| p.name == k || p.aliases.contains(&k.as_str()))
            })
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        unknown.sort();
        let mut supported: Vec<&str> = self.all().map(|p| p.name).collect();
        supported.sort_unstable();
        let mut aliases: Vec<&str> = self.all().flat_map(|p| p.aliases).copied().collect();
        aliases.sort_unstable();
        let aliases = if aliases.is_empty() {
            String::new()
        } else {
            format!(" ({})", aliases.join(", "))
        };
        Err(format!(
            "Unsupported parameters for ({module}) module: {}. Supported parameters include: {}{aliases}.",
            unknown.join(", "),
            supported.join(", ")
        ))
    }
}

fn given(args: &Dict, name: &str) -> bool {
    args.get(name).is_some_and(|v| !v.is_none())
}

fn check_choice(param: &Param, value: &Value) -> Result<(), String> {
    if param.choices.is_empty() {
        return Ok(());
    }
    let values = match value {
        Value::List(list) => list.to_vec(),
        one => vec![one.clone()],
    };
    if values
        .iter()
        .all(|v| param.choices.contains(&v.to_str().as_str()))
    {
        return Ok(());
    }
    Err(format!(
        "value of {} must be one of: {}, got: {}",
        param.name,
        param.choices.join(", "),
        value.to_str()
    ))
}

fn refused(param: &Param, kind: Kind, value: &Value, why: &str) -> String {
    format!(
        "argument '{}' is of type {} and we were unable to convert to {}: {why}",
        param.name,
        value.type_name(),
        kind.name()
    )
}

fn convert(
    param: &Param,
    kind: Kind,
    value: &Value,
    expand: &dyn Fn(&str) -> String,
) -> Result<Value, String> {
    Ok(match kind {
        Kind::Raw => value.clone(),
        Kind::Str => text(value).into(),
        Kind::Path => expand(&text(value)).into(),
        Kind::Bool => match truth(value) {
            Some(b) => b.into(),
            None => {
                let shown = value.repr();
                return Err(refused(
                    param,
                    kind,
                    value,
                    &format!(
                        "The value {shown} is not a valid boolean.  Valid booleans include: 0, 1, '0', '1', 'f', 'false', 'n', 'no', 'off', 'on', 't', 'true', 'y', 'yes'"
                    ),
                ));
            }
        },
        Kind::Int => match value {
            Value::Int(_) | Value::Big(_) => value.clone(),
            Value::Bool(b) => i64::from(*b).into(),
            other => match other.to_str().trim().parse::<i64>() {
                Ok(i) => i.into(),
                Err(_) => {
                    let why = format!("{} cannot be converted to an int", typed(value));
                    return Err(refused(param, kind, value, &why));
                }
            },
        },
        Kind::List => {
            let items = match value {
                Value::List(list) => list.to_vec(),
                Value::Tuple(items) => items.to_vec(),
                Value::Str(text) => text.split(',').map(|t| t.trim().into()).collect(),
                Value::Int(_) | Value::Float(_) | Value::Bool(_) => vec![value.to_str().into()],
                other => {
                    let why = format!("{} cannot be converted to a list", typed(other));
                    return Err(refused(param, kind, value, &why));
                }
            };
            let items = items
                .iter()
                .map(|item| match param.elements {
                    Some(kind) => convert(param, kind, item, expand),
                    None => Ok(item.clone()),
                })
                .collect::<Result<Vec<_>, _>>()?;
            Value::list(items)
        }
        Kind::Dict => match value {
            Value::Dict(_) => value.clone(),
            Value::Str(text) if text.starts_with('{') => from_json_text(text).map_err(|_| {
                refused(
                    param,
                    kind,
                    value,
                    "unable to evaluate string as dictionary",
                )
            })?,
            _ => {
                let why = format!("{} cannot be converted to a dict", typed(value));
                return Err(refused(param, kind, value, &why));
            }
        },
    })
}

fn typed(value: &Value) -> String {
    format!("<class '{}'>", value.type_name())
}

/// Returns the text that Ansible makes of a value for a `str` parameter.
fn text(value: &Value) -> String {
    match value {
        Value::Dict(_) | Value::List(_) => value
            .to_json(&JsonStyle::default())
            .map_or_else(|_| value.to_str(), |_| value.to_str()),
        other => other.to_str(),
    }
}

/// Reads a truth value as Ansible's `boolean()` does; `None` where it is none.
pub fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(b) => Some(*b),
        Value::Int(0) => Some(false),
        Value::Int(1) => Some(true),
        Value::Float(f) if *f == 0.0 => Some(false),
        Value::Float(f) if *f == 1.0 => Some(true),
        Value::Str(text) => match text.trim().to_lowercase().as_str() {
            "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Some(true),
            "n" | "no" | "off" | "0" | "false" | "f" | "0.0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}
