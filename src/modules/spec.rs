//! Parameters of modules: one table drives checks, conversions, messages and documentation.
//!
//! Messages are Ansible's, at the compatibility level of the run.

use crate::compat::Level;
use crate::value::{Dict, Value, from_json_text, to_bool};

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
    /// Text or a list of texts.
    StrOrList,
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
            Kind::StrOrList => "str_or_list_of_str",
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
    /// The oldest level that has it.
    pub since: Level,
    /// The newest level that has it.
    pub until: Level,
    /// The oldest level whose messages list it.
    pub listed: Level,
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
            since: Level::V2_9,
            until: Level::V2_19,
            listed: Level::V2_9,
        }
    }

    /// Says from which level on messages list it.
    #[must_use]
    pub const fn listed_since(mut self, level: Level) -> Param {
        self.listed = level;
        self
    }

    /// Says from which level on it exists.
    #[must_use]
    pub const fn since(mut self, level: Level) -> Param {
        self.since = level;
        self
    }

    /// Says up to which level it exists.
    #[must_use]
    pub const fn until(mut self, level: Level) -> Param {
        self.until = level;
        self
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
    // What 2.9 takes everywhere and no module looks at, unless it has it itself.
    Param::new("backup", Kind::Raw).until(Level::V2_9),
    Param::new("content", Kind::Raw).no_log().until(Level::V2_9),
    Param::new("delimiter", Kind::Raw).until(Level::V2_9),
    Param::new("directory_mode", Kind::Raw).until(Level::V2_9),
    Param::new("follow", Kind::Raw).until(Level::V2_9),
    Param::new("force", Kind::Raw).until(Level::V2_9),
    Param::new("regexp", Kind::Raw).until(Level::V2_9),
    Param::new("remote_src", Kind::Raw).until(Level::V2_9),
    Param::new("src", Kind::Raw).until(Level::V2_9),
];

impl Spec {
    /// Returns all parameters, those of [`FILE_PARAMS`] unless the module has its own.
    pub fn all(&self, level: Level) -> impl Iterator<Item = &'static Param> + use<> {
        let (params, file) = (self.params, self.file);
        params
            .iter()
            .chain(
                FILE_PARAMS
                    .iter()
                    .filter(move |p| file && !params.iter().any(|own| own.name == p.name)),
            )
            .filter(move |p| p.since <= level && level <= p.until)
    }

    /// Says which parameters are given under two of their names.
    pub fn doubled(&self, args: &Dict, level: Level) -> Vec<String> {
        self.all(level)
            .filter(|param| args.contains(param.name))
            .flat_map(|param| {
                param
                    .aliases
                    .iter()
                    .filter(|alias| args.contains(alias))
                    .map(|alias| {
                        format!("Both option {} and its alias {alias} are set.", param.name)
                    })
            })
            .collect()
    }

    /// Checks and converts arguments; every parameter is in the result. `expand` is what becomes
    /// of `~` and variables in a path.
    ///
    /// # Errors
    /// Ansible's message about the first thing that is wrong.
    pub fn bind(
        &self,
        module: &str,
        args: &Dict,
        expand: &dyn Fn(&str) -> String,
        level: Level,
    ) -> Result<Dict, String> {
        let bound = Dict::new();
        for param in self.all(level) {
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
        let unknown = self.refuse_unknown(module, args, level);
        if level.unknown_arguments_first() {
            unknown.clone()?;
        }
        for group in self.mutually_exclusive {
            if group.iter().filter(|n| given(&bound, n)).count() > 1 {
                return Err(format!(
                    "parameters are mutually exclusive: {}",
                    group.join("|")
                ));
            }
        }
        let missing: Vec<&str> = self
            .all(level)
            .filter(|p| p.required && !bound.contains(p.name))
            .map(|p| p.name)
            .collect();
        if !missing.is_empty() {
            return Err(format!(
                "missing required arguments: {}",
                missing.join(", ")
            ));
        }
        self.convert_all(&bound, expand, level)?;
        self.check_relations(&bound)?;
        unknown?;
        Ok(bound)
    }

    /// Converts the values given and fills in the defaults.
    fn convert_all(
        &self,
        bound: &Dict,
        expand: &dyn Fn(&str) -> String,
        level: Level,
    ) -> Result<(), String> {
        let refused = |(param, kind, value, why): Refused| {
            level.argument_refused(param.name, kind.name(), &value, &why)
        };
        for param in self.all(level) {
            let value = match bound.get(param.name) {
                Some(Value::None) if level.none_is_no_path() && param.kind == Kind::Path => {
                    let why = "'None' is not a string and conversion is not allowed".to_owned();
                    return Err(refused((param, param.kind, Value::None, why)));
                }
                Some(value) if !value.is_none() => {
                    let value =
                        convert(param, param.kind, &value, expand, level).map_err(refused)?;
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
        Ok(())
    }

    /// Checks which parameters go with which.
    fn check_relations(&self, bound: &Dict) -> Result<(), String> {
        for (name, wanted, needs) in self.required_if {
            if bound.get(name).is_some_and(|v| v.to_str() == *wanted) {
                let missing: Vec<&str> =
                    needs.iter().filter(|n| !given(bound, n)).copied().collect();
                if !missing.is_empty() {
                    return Err(format!(
                        "{name} is {wanted} but all of the following are missing: {}",
                        missing.join(", ")
                    ));
                }
            }
        }
        Ok(())
    }

    fn refuse_unknown(&self, module: &str, args: &Dict, level: Level) -> Result<(), String> {
        let mut unknown: Vec<String> = args
            .keys()
            .iter()
            .map(|k| k.value().to_str())
            .filter(|k| {
                !self
                    .all(level)
                    .any(|p| p.name == k || p.aliases.contains(&k.as_str()))
            })
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        unknown.sort();
        let mut supported: Vec<&str> = self
            .all(level)
            .filter(|p| p.listed <= level)
            .map(|p| p.name)
            .collect();
        supported.sort_unstable();
        let mut aliases: Vec<&str> = self.all(level).flat_map(|p| p.aliases).copied().collect();
        aliases.sort_unstable();
        Err(level.unknown_arguments(
            module,
            &unknown.join(", "),
            &supported.join(", "),
            &aliases.join(", "),
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

/// A value that could not be converted: whose, to what, the value, why.
type Refused = (&'static Param, Kind, Value, String);

fn convert(
    param: &'static Param,
    kind: Kind,
    value: &Value,
    expand: &dyn Fn(&str) -> String,
    level: Level,
) -> Result<Value, Refused> {
    let refused = |why: String| (param, kind, value.clone(), why);
    Ok(match kind {
        Kind::Raw => value.clone(),
        Kind::StrOrList => match value {
            Value::Str(_) | Value::List(_) => value.clone(),
            _ => {
                return Err(refused(
                    "a string or list of strings is required".to_owned(),
                ));
            }
        },
        Kind::Str => value.to_str().into(),
        Kind::Path => expand(&value.to_str()).into(),
        Kind::Bool => match (to_bool(value), value) {
            (Some(b), _) => b.into(),
            (None, Value::Str(_) | Value::Int(_) | Value::Big(_) | Value::Float(_)) => {
                let shown = value.to_str();
                return Err(refused(level.no_boolean(&shown)));
            }
            _ => {
                return Err(refused(format!(
                    "{} cannot be converted to a bool",
                    typed(value)
                )));
            }
        },
        Kind::Int => match value {
            Value::Int(_) | Value::Big(_) => value.clone(),
            Value::Bool(b) => i64::from(*b).into(),
            other => match other.to_str().trim().parse::<i64>() {
                Ok(i) => i.into(),
                Err(_) => {
                    return Err(refused(format!(
                        "\"{}\" cannot be converted to an int",
                        value.repr()
                    )));
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
                    return Err(refused(format!(
                        "{} cannot be converted to a list",
                        typed(other)
                    )));
                }
            };
            let items = items
                .iter()
                .map(|item| match param.elements {
                    Some(kind) => convert(param, kind, item, expand, level),
                    None => Ok(item.clone()),
                })
                .collect::<Result<Vec<_>, _>>()?;
            Value::list(items)
        }
        Kind::Dict => match value {
            Value::Dict(_) => value.clone(),
            Value::Str(text) if text.starts_with('{') => from_json_text(text)
                .map_err(|_| refused("unable to evaluate string as dictionary".to_owned()))?,
            _ => {
                return Err(refused(format!(
                    "{} cannot be converted to a dict",
                    typed(value)
                )));
            }
        },
    })
}

fn typed(value: &Value) -> String {
    format!("<class '{}'>", value.type_name())
}
