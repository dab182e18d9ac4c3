//! The shapes of the served kinds: which fields exist, their types and how their lists merge.
//!
//! `tests/apiserver/schema.txt` holds them, one definition after the other. An unindented line names
//! a definition; each indented line below it is a field: `name[!] TYPE [word…]`. `!` is required,
//! `*TYPE` a pointer (kept even when zero), `[]TYPE` a list, `{}TYPE` a map. The words: `zero`
//! (written even when empty), `merge=KEY` and `retain` (strategic merge patch), `map=KEYS`, `set`,
//! `atomic` (server-side apply). Everything else of this server is derived from that one text.

use std::collections::BTreeMap;

/// Holds every definition under its name without `io.k8s.`, e.g. `api.core.v1.Pod`.
pub(crate) struct Schema {
    definitions: BTreeMap<String, Definition>,
}

/// Describes one object type.
#[derive(Default)]
pub(crate) struct Definition {
    /// In the order of their names.
    pub(crate) fields: Vec<Field>,
    /// Whether server-side apply owns the whole object at once.
    pub(crate) atomic: bool,
}

/// Describes one field of an object type.
#[allow(
    clippy::struct_excessive_bools,
    reason = "they are the words of a line in schema.txt"
)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) required: bool,
    /// Whether a zero value differs from no value.
    pub(crate) pointer: bool,
    /// Whether the field is written even when it is empty.
    pub(crate) zero: bool,
    pub(crate) ty: Type,
    /// The key by which strategic merge joins list items; empty for a list of plain values.
    pub(crate) merge: Option<String>,
    /// Whether strategic merge drops the keys that the patch doesn't retain.
    pub(crate) retain: bool,
    pub(crate) list: ListType,
}

/// Says how server-side apply sees a list (or whether a map is one unit).
pub(crate) enum ListType {
    Default,
    Atomic,
    Set,
    Map(Vec<String>),
}

/// The type of a field.
#[derive(Clone, Debug)]
pub(crate) enum Type {
    String,
    Int32,
    Int64,
    Bool,
    Bytes,
    Quantity,
    IntOrString,
    Time,
    Raw,
    List(Box<Type>),
    Map(Box<Type>),
    Ref(String),
}

impl Schema {
    /// Reads the committed schema text.
    pub(crate) fn load() -> Self {
        Self::parse(include_str!("../schema.txt"))
    }

    fn parse(text: &str) -> Self {
        let mut definitions = BTreeMap::new();
        let mut current = String::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some(field) = line.strip_prefix("  ") else {
                line.clone_into(&mut current);
                definitions.insert(current.clone(), Definition::default());
                continue;
            };
            let definition: &mut Definition = definitions.entry(current.clone()).or_default();
            if field == "@atomic" {
                definition.atomic = true;
            } else {
                definition.fields.push(Field::parse(field));
            }
        }
        Self { definitions }
    }

    /// Returns the definition of that name; panics on a name that the schema text doesn't have.
    pub(crate) fn get(&self, name: &str) -> &Definition {
        self.definitions
            .get(name)
            .unwrap_or_else(|| panic!("schema.txt has no definition {name}"))
    }

    /// Iterates over all definitions in the order of their names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Definition)> {
        self.definitions.iter()
    }
}

impl Definition {
    /// Returns the field of that name.
    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl Field {
    fn parse(line: &str) -> Self {
        let mut words = line.split(' ');
        let name = words.next().unwrap_or_default();
        let ty = words.next().unwrap_or_default();
        let mut field = Self {
            name: name.trim_end_matches('!').to_owned(),
            required: name.ends_with('!'),
            pointer: ty.starts_with('*'),
            zero: false,
            ty: Type::parse(ty.trim_start_matches('*')),
            merge: None,
            retain: false,
            list: ListType::Default,
        };
        for word in words {
            match word.split_once('=') {
                Some(("merge", key)) => field.merge = Some(key.to_owned()),
                Some(("map", keys)) => {
                    field.list = ListType::Map(keys.split(',').map(str::to_owned).collect());
                }
                None if word == "zero" => field.zero = true,
                None if word == "retain" => field.retain = true,
                None if word == "set" => field.list = ListType::Set,
                None if word == "atomic" => field.list = ListType::Atomic,
                _ => panic!("schema.txt: what is `{word}` in `{line}`?"),
            }
        }
        field
    }
}

impl Type {
    fn parse(text: &str) -> Self {
        if let Some(item) = text.strip_prefix("[]") {
            return Self::List(Box::new(Self::parse(item)));
        }
        if let Some(item) = text.strip_prefix("{}") {
            return Self::Map(Box::new(Self::parse(item)));
        }
        match text {
            "string" => Self::String,
            "int32" => Self::Int32,
            "int64" => Self::Int64,
            "bool" => Self::Bool,
            "bytes" => Self::Bytes,
            "quantity" => Self::Quantity,
            "intorstring" => Self::IntOrString,
            "time" | "microtime" => Self::Time,
            "object" => Self::Raw,
            name => Self::Ref(name.to_owned()),
        }
    }

    /// Returns the Go type's name, as error messages show it.
    pub(crate) fn go(&self) -> String {
        match self {
            Self::String => "string".into(),
            Self::Int32 => "int32".into(),
            Self::Int64 => "int64".into(),
            Self::Bool => "bool".into(),
            Self::Bytes => "[]uint8".into(),
            Self::Quantity => "resource.Quantity".into(),
            Self::IntOrString => "intstr.IntOrString".into(),
            Self::Time => "v1.Time".into(),
            Self::Raw => "v1.FieldsV1".into(),
            Self::List(item) => format!("[]{}", item.go()),
            Self::Map(item) => format!("map[string]{}", item.go()),
            Self::Ref(name) => short_name(name, 2),
        }
    }
}

/// Returns the last `parts` dotted parts of a definition's name: 1 for `Pod`, 2 for `v1.Pod`.
pub(crate) fn short_name(name: &str, parts: usize) -> String {
    let all: Vec<&str> = name.split('.').collect();
    all[all.len().saturating_sub(parts)..].join(".")
}
