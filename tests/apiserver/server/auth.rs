//! Who asks, and what they may do: bearer tokens from a file, administrators and readers.

use super::http::Request;
use super::kinds::Kind;
use super::status::Failure;
use std::collections::HashMap;
use std::{fs, io, path::Path};

/// One user of the token file.
#[derive(Clone)]
pub(crate) struct User {
    name: String,
    groups: Vec<String>,
}

/// Knows the tokens; without a token file everybody is an administrator.
pub(crate) struct Auth {
    tokens: Option<HashMap<String, User>>,
}

/// One attempt to do something, in the authorizer's words.
pub(crate) struct Attempt<'a> {
    pub(crate) verb: &'a str,
    pub(crate) kind: &'a Kind,
    pub(crate) subresource: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
}

impl User {
    /// Says whether everything is allowed.
    pub(crate) fn is_admin(&self) -> bool {
        self.groups.iter().any(|group| group == "system:masters")
    }
}

impl Auth {
    /// Reads a file in the format of kube-apiserver's `--token-auth-file`: `TOKEN,USER,UID[,"GROUP,GROUP"]` a line.
    pub(crate) fn load(file: Option<&Path>) -> io::Result<Self> {
        let Some(file) = file else {
            return Ok(Self { tokens: None });
        };
        let text = fs::read_to_string(file)?;
        let mut tokens = HashMap::new();
        for line in text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let mut columns = line.splitn(4, ',');
            let (Some(token), Some(name), Some(_uid)) =
                (columns.next(), columns.next(), columns.next())
            else {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("{}: expected TOKEN,USER,UID[,\"GROUPS\"]", file.display()),
                ));
            };
            let groups = columns
                .next()
                .unwrap_or_default()
                .trim_matches('"')
                .split(',')
                .map(|group| group.trim().to_owned())
                .collect();
            tokens.insert(
                token.to_owned(),
                User {
                    name: name.to_owned(),
                    groups,
                },
            );
        }
        Ok(Self {
            tokens: Some(tokens),
        })
    }

    /// Finds out who sends a request; without a token that is `system:anonymous`.
    pub(crate) fn authenticate(&self, request: &Request) -> Result<User, Failure> {
        let Some(tokens) = &self.tokens else {
            return Ok(User {
                name: "admin".to_owned(),
                groups: vec!["system:masters".to_owned()],
            });
        };
        match &request.token {
            None => Ok(User {
                name: "system:anonymous".to_owned(),
                groups: vec!["system:unauthenticated".to_owned()],
            }),
            Some(token) => tokens.get(token).cloned().ok_or_else(Failure::unauthorized),
        }
    }

    /// Lets administrators do everything, other known users read everything, and strangers nothing.
    pub(crate) fn authorize(user: &User, attempt: &Attempt<'_>) -> Result<(), Failure> {
        let reads =
            matches!(attempt.verb, "get" | "list" | "watch") && user.name != "system:anonymous";
        if reads || user.is_admin() {
            return Ok(());
        }
        let Attempt {
            verb,
            kind,
            subresource,
            namespace,
            name,
        } = attempt;
        let resource = if subresource.is_empty() {
            kind.plural.to_owned()
        } else {
            format!("{}/{subresource}", kind.plural)
        };
        let place = if namespace.is_empty() {
            "at the cluster scope".to_owned()
        } else {
            format!("in the namespace {namespace:?}")
        };
        let sentence = format!(
            "User {:?} cannot {verb} resource {resource:?} in API group {:?} {place}",
            user.name, kind.group
        );
        Err(Failure::forbidden(kind, name, &sentence))
    }
}
