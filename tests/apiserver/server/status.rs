//! Failures, worded as the real API server words them.

use super::kinds::Kind;
use serde_json::{Value, json};

/// A request that is refused: the HTTP status and what the body's `Status` object says.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u16,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    pub(crate) details: Value,
}

/// One complaint about one field of an object.
#[derive(Debug)]
pub(crate) struct FieldError {
    pub(crate) field: String,
    pub(crate) reason: &'static str,
    /// The message without the field's name in front.
    pub(crate) message: String,
}

impl FieldError {
    /// Says that a value is not acceptable; `shown` is the value in Go's `%#v` form.
    pub(crate) fn invalid(field: impl Into<String>, shown: &str, detail: &str) -> Self {
        Self {
            field: field.into(),
            reason: "FieldValueInvalid",
            message: format!("Invalid value: {shown}: {detail}"),
        }
    }

    /// Says that a value is missing.
    pub(crate) fn required(field: impl Into<String>, detail: &str) -> Self {
        let message = if detail.is_empty() {
            "Required value".to_owned()
        } else {
            format!("Required value: {detail}")
        };
        Self {
            field: field.into(),
            reason: "FieldValueRequired",
            message,
        }
    }

    /// Says that a value may not be given here.
    pub(crate) fn forbidden(field: impl Into<String>, detail: &str) -> Self {
        Self {
            field: field.into(),
            reason: "FieldValueForbidden",
            message: format!("Forbidden: {detail}"),
        }
    }

    /// Says that a value is none of the possible ones.
    pub(crate) fn unsupported(field: impl Into<String>, value: &str, supported: &[&str]) -> Self {
        let list: Vec<String> = supported.iter().map(|one| format!("{one:?}")).collect();
        let message = format!(
            "Unsupported value: {value:?}: supported values: {}",
            list.join(", ")
        );
        Self {
            field: field.into(),
            reason: "FieldValueNotSupported",
            message,
        }
    }

    /// Says that a value occurs twice.
    pub(crate) fn duplicate(field: impl Into<String>, value: &str) -> Self {
        Self {
            field: field.into(),
            reason: "FieldValueDuplicate",
            message: format!("Duplicate value: {value:?}"),
        }
    }
}

impl Failure {
    /// Makes a failure without details.
    pub(crate) fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: Value::Null,
        }
    }

    fn about(mut self, kind: &Kind, name: &str) -> Self {
        let mut details = json!({"name": name});
        if !kind.group.is_empty() {
            details["group"] = kind.group.into();
        }
        details["kind"] = kind.plural.into();
        self.details = details;
        self
    }

    /// 400: the request can't be understood.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 401: no such token.
    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    /// 403, with the sentence the authorizer's refusal has.
    pub(crate) fn forbidden(kind: &Kind, name: &str, sentence: &str) -> Self {
        let qualified = kind.qualified();
        let named = if name.is_empty() {
            qualified
        } else {
            format!("{qualified} {name:?}")
        };
        Self::new(
            403,
            "Forbidden",
            format!("{named} is forbidden: {sentence}"),
        )
        .about(kind, name)
    }

    /// 404: no object of that name.
    pub(crate) fn not_found(kind: &Kind, name: &str) -> Self {
        Self::new(
            404,
            "NotFound",
            format!("{} {name:?} not found", kind.qualified()),
        )
        .about(kind, name)
    }

    /// 404: no such path.
    pub(crate) fn no_such_resource() -> Self {
        Self::new(
            404,
            "NotFound",
            "the server could not find the requested resource",
        )
    }

    /// 405: the path exists, the verb doesn't apply to it.
    pub(crate) fn method_not_allowed() -> Self {
        Self::new(
            405,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        )
    }

    /// 409: an object of that name exists.
    pub(crate) fn already_exists(kind: &Kind, name: &str) -> Self {
        Self::new(
            409,
            "AlreadyExists",
            format!("{} {name:?} already exists", kind.qualified()),
        )
        .about(kind, name)
    }

    /// 409: the write doesn't fit the object's present state.
    pub(crate) fn conflict(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} {name:?}: {why}",
            kind.qualified()
        );
        Self::new(409, "Conflict", message).about(kind, name)
    }

    /// 409: the object changed since it was read.
    pub(crate) fn modified(kind: &Kind, name: &str) -> Self {
        Self::conflict(
            kind,
            name,
            "the object has been modified; please apply your changes to the latest version and try again",
        )
    }

    /// 415: a body in a format that isn't understood.
    pub(crate) fn unsupported_media_type(got: &str, accepted: &[&str]) -> Self {
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: {}",
            accepted.join(", ")
        );
        let _ = got;
        Self::new(415, "UnsupportedMediaType", message)
    }

    /// 422: the object's content is refused.
    pub(crate) fn invalid(kind: &Kind, name: &str, errors: &[FieldError]) -> Self {
        let all: Vec<String> = errors
            .iter()
            .map(|error| format!("{}: {}", error.field, error.message))
            .collect();
        let list = if let [one] = all.as_slice() {
            one.clone()
        } else {
            format!("[{}]", all.join(", "))
        };
        let mut failure = Self::new(
            422,
            "Invalid",
            format!("{} {name:?} is invalid: {list}", kind.qualified_kind()),
        )
        .about(kind, name);
        failure.details["kind"] = kind.kind.into();
        failure.details["causes"] = errors
            .iter()
            .map(|error| json!({"reason": error.reason, "message": error.message, "field": error.field}))
            .collect();
        failure
    }

    /// 422: a patch whose result is no object of the kind.
    pub(crate) fn bad_patch(patched: &Value, why: &str) -> Self {
        let shown = Value::from(patched.to_string());
        let message = format!("Invalid value: {shown}: {why}");
        let mut failure = Self::new(
            422,
            "Invalid",
            format!(" \"\" is invalid: patch: {message}"),
        );
        failure.details = json!({"causes": [{"reason": "FieldValueInvalid", "message": message, "field": "patch"}]});
        failure
    }

    /// Returns the `Status` object for the response's body.
    pub(crate) fn body(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason,
        });
        if !self.details.is_null() {
            status["details"] = self.details.clone();
        }
        status["code"] = self.code.into();
        status
    }
}
