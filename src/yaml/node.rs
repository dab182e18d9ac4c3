//! What a YAML document is made of: resolved values that know where they stand.

use crate::diag::Span;
use crate::value::{Dict, Key, Origin, Value};

/// A value in a document and where it is written.
#[derive(Clone, Debug)]
pub struct Node {
    /// From the first byte of the value to one past its last.
    pub span: Span,
    /// What it is.
    pub data: Data,
}

/// The three kinds of YAML values.
#[derive(Clone, Debug)]
pub enum Data {
    /// A scalar, resolved by YAML 1.1's rules or its tag; strings are trusted unless `!unsafe`.
    Scalar(Value),
    /// A sequence.
    Sequence(Vec<Node>),
    /// A mapping with merge keys applied and duplicate keys resolved (last wins).
    Mapping(Vec<(Node, Node)>),
}

impl Node {
    /// Turns the node into a value; strings know where they were written.
    ///
    /// A key that can't be a key (a sequence) becomes its `repr()`; the composer refuses such
    /// documents before.
    pub fn to_value(&self) -> Value {
        match &self.data {
            Data::Scalar(Value::Str(text)) => Value::Str(text.clone().with_origin(Origin {
                source: self.span.source,
                offset: self.span.start,
            })),
            Data::Scalar(value) => value.clone(),
            Data::Sequence(items) => Value::list(items.iter().map(Node::to_value).collect()),
            Data::Mapping(pairs) => Value::Dict(
                pairs
                    .iter()
                    .map(|(key, value)| {
                        let key = key.to_value();
                        let text = key.repr();
                        (
                            Key::new(key).unwrap_or_else(|_| Key::str(text)),
                            value.to_value(),
                        )
                    })
                    .collect::<Dict>(),
            ),
        }
    }

    /// Returns the value of a string key in a mapping.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.data {
            Data::Mapping(pairs) => pairs
                .iter()
                .find(|(k, _)| k.as_str() == Some(key))
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// Returns the text of a string scalar.
    pub fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar(value) => value.as_str(),
            _ => None,
        }
    }

    /// Says whether the node is null.
    pub fn is_none(&self) -> bool {
        matches!(&self.data, Data::Scalar(Value::None))
    }
}
