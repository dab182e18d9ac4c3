//! Requests of `eval --json-lines` about Jinja2 alone, without anything of Ansible.
//!
//! `{"jinja": {"trim_blocks": true, "undefined": "strict"}, "template": "{{ x }}", "vars": "{'x': 1}"}`
//! is answered by `{"out": "1"}`. Variables are a Python literal, so that tuples and keys that are
//! no strings have a way in; `markup` names those that are safe text, `translations` has texts in place of others. `mode` is `text`, `value` (the
//! answer is a `repr()`), `native` or `check` (only compiled). An error has the name of its Python class.

use std::rc::Rc;

use crate::diag::{Error, Kind, Result};
use crate::jinja::{
    Captured, Environment, Extension, Loaded, Loader, MapContext, Options, Place, native_value,
};
use crate::value::{Dict, UndefinedKind, Value, literal};

/// Templates by name.
struct Templates(Dict);

impl Loader for Templates {
    fn load(&self, name: &str, _parent: &str) -> Result<Option<Loaded>> {
        Ok(self.0.get(name).map(|text| Loaded {
            text: text.to_str().into(),
            place: Place::Nowhere,
            name: name.to_owned(),
            trusted: true,
        }))
    }
}

/// Answers one request; what the template raises is an answer as well.
///
/// # Errors
/// A request that is none.
pub(super) fn answer(request: &Value, options: &Dict) -> Result<Value> {
    let mut environment = Environment::new();
    environment.options = read_options(options)?;
    environment.captured = options
        .get("native")
        .is_some_and(|on| on.truth())
        .then_some(Captured {
            make: |pieces| Ok(native_value(pieces)),
            is_raw: false,
        });
    let extensions = match options.get("extensions") {
        Some(names) => names.items()?.map(|name| extension(&name)).collect(),
        None => Ok(Extension::statements()),
    };
    for extension in extensions? {
        environment.extend(extension);
    }
    if request.get("translations").is_some() {
        let catalog = variables(request, "translations")?;
        let newstyle = options.get("newstyle_gettext").is_some_and(|on| on.truth());
        environment.install_translations(&catalog, newstyle);
    }
    for (name, value) in variables(request, "globals")?.to_vec() {
        environment.globals.insert(name.value().to_str(), value);
    }
    if let Some(Value::Dict(templates)) = request.get("templates") {
        environment.loader = Some(Rc::new(Templates(templates)));
    }
    let vars = variables(request, "vars")?;
    if let Some(names) = request.get("markup") {
        for name in names.items()? {
            let name = name.to_str();
            if let Some(Value::Str(text)) = vars.get(&name) {
                vars.set(&name, Value::Str(text.with_markup(true)));
            }
        }
    }
    let vars = vars.to_vec();
    let context = MapContext::new(
        vars.into_iter()
            .map(|(name, value)| (name.value().to_str(), value)),
    );
    Ok(match rendered(request, &environment, &context) {
        Ok(answer) => answer,
        Err(error) => Value::dict([
            ("err", Value::str(error.full_message())),
            ("class", Value::str(class(&error))),
        ]),
    })
}

fn rendered(request: &Value, environment: &Environment, context: &MapContext) -> Result<Value> {
    let text = |key: &str| request.get(key).map(|value| value.to_str());
    if let Some(expression) = text("expr") {
        let compiled = environment.compile_expression(&expression, Place::Nowhere, true)?;
        return Ok(match text("mode").as_deref() {
            Some("check") => shown(&Value::None),
            _ => shown(&environment.evaluate(&compiled, context)?),
        });
    }
    let Some(template) = text("template") else {
        return Err(Error::new(Kind::Usage, "`template` or `expr` is needed"));
    };
    let name = text("name").unwrap_or_else(|| "<template>".to_owned());
    let options = &environment.options;
    let compiled = environment.compile_named(&template, Place::Nowhere, true, &name, options)?;
    let pieces = || environment.render_pieces(&compiled, context);
    Ok(match text("mode").as_deref() {
        Some("check") => shown(&Value::None),
        Some("native") => shown(&native_value(pieces()?)),
        Some("value") => shown(&pieces()?.into_iter().next().unwrap_or(Value::None)),
        _ => Value::dict([("out", Value::str(environment.render(&compiled, context)?))]),
    })
}

/// Makes an answer of a value: its `repr()`, and whether it is undefined.
fn shown(value: &Value) -> Value {
    Value::dict([
        ("out", Value::str(value.repr())),
        ("undefined", Value::Bool(value.is_undefined())),
    ])
}

fn variables(request: &Value, key: &str) -> Result<Dict> {
    let Some(text) = request.get(key) else {
        return Ok(Dict::new());
    };
    match literal(&text.to_str()) {
        Some(Value::Dict(dict)) => Ok(dict),
        _ => Err(Error::new(
            Kind::Usage,
            format!("`{key}` has to be a Python literal of a dict"),
        )),
    }
}

fn read_options(given: &Dict) -> Result<Options> {
    let mut options = Options::default();
    for (key, value) in given.to_vec() {
        let (text, on) = (value.to_str(), value.truth());
        let prefix = on.then(|| text.clone());
        match key.value().to_str().as_str() {
            "block_start_string" => options.block_start = text,
            "block_end_string" => options.block_end = text,
            "variable_start_string" => options.variable_start = text,
            "variable_end_string" => options.variable_end = text,
            "comment_start_string" => options.comment_start = text,
            "comment_end_string" => options.comment_end = text,
            "line_statement_prefix" => options.line_statement_prefix = prefix,
            "line_comment_prefix" => options.line_comment_prefix = prefix,
            "trim_blocks" => options.trim_blocks = on,
            "lstrip_blocks" => options.lstrip_blocks = on,
            "newline_sequence" => options.newline_sequence = text,
            "keep_trailing_newline" => options.keep_trailing_newline = on,
            "autoescape" => options.autoescape = on,
            "trims_translations" => options.trims_translations = on,
            // What else they change is the environment's.
            "extensions" | "newstyle_gettext" => {}
            "native" => options.escapes_output = !on,
            "undefined" => {
                options.undefined = match text.as_str() {
                    "strict" => UndefinedKind::Strict,
                    "chainable" => UndefinedKind::Chainable,
                    _ => UndefinedKind::Lenient,
                };
            }
            other => {
                return Err(Error::new(
                    Kind::Usage,
                    format!("Jinja2 has no option `{other}`"),
                ));
            }
        }
    }
    Ok(options)
}

fn extension(name: &Value) -> Result<Extension> {
    let name = name.to_str();
    Extension::parse(&name)
        .ok_or_else(|| Error::new(Kind::Usage, format!("Jinja2 has no extension `{name}`")))
}

/// Names the class of exceptions that Jinja2 or Python has for an error.
fn class(error: &Error) -> &'static str {
    match error.kind() {
        Kind::TemplateSyntax => "TemplateSyntaxError",
        Kind::Undefined => "UndefinedError",
        Kind::NotFound => "TemplateNotFound",
        Kind::Type => "TypeError",
        Kind::Value => "ValueError",
        Kind::Arithmetic => "ArithmeticError",
        Kind::Recursion => "RecursionError",
        Kind::Runtime => "TemplateRuntimeError",
        _ => "FilterArgumentError",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::from_json_text;

    /// Returns the answer to a request, as JSON.
    fn answered(request: &str) -> String {
        let request = from_json_text(request).expect("JSON");
        let Some(Value::Dict(options)) = request.get("jinja") else {
            panic!("a request about Jinja2");
        };
        let answer = answer(&request, &options).expect("a request");
        answer
            .to_json(&crate::value::JsonStyle::default())
            .expect("an answer")
    }

    #[test]
    fn what_is_undefined_is_used_as_its_kind_allows() {
        let of = |kind: &str, template: &str| {
            answered(&format!(
                r#"{{"jinja": {{"undefined": "{kind}"}}, "template": "{template}", "mode": "text"}}"#
            ))
        };
        let text = "<{{ a }}|{{ a | upper }}|{{ a | join }}|{{ a == b }}|{{ 1 if a else 2 }}|{{ a | length }}>";
        assert_eq!(of("lenient", text), r#"{"out": "<|||True|2|0>"}"#);
        assert_eq!(of("chainable", "<{{ a.b['c'] }}>"), r#"{"out": "<>"}"#);
        assert_eq!(
            of("strict", "{{ a is defined }}{{ a | d(1) }}"),
            r#"{"out": "False1"}"#
        );
        let undefined = r#"{"err": "'a' is undefined", "class": "UndefinedError"}"#;
        assert_eq!(of("lenient", "{{ a.b }}"), undefined);
        assert_eq!(of("lenient", "{{ a + 1 }}"), undefined);
        assert_eq!(of("strict", "{{ a }}"), undefined);
        assert_eq!(of("strict", "{% if a %}{% endif %}"), undefined);
    }

    #[test]
    fn values_come_as_literals_and_go_as_their_repr() {
        let request = r#"{"jinja": {"native": true}, "template": "TEMPLATE", "mode": "native", "vars": "{'x': (1, 'a')}"}"#;
        let of = |template: &str| answered(&request.replace("TEMPLATE", template));
        assert_eq!(of("{{ x }}"), r#"{"out": "(1, 'a')", "undefined": false}"#);
        assert_eq!(
            of("{{ x[0] }}{{ x[0] }}"),
            r#"{"out": "11", "undefined": false}"#
        );
        assert_eq!(of(" {{ x[0] }}"), r#"{"out": "' 1'", "undefined": false}"#);
        assert_eq!(
            of("{% macro m() %}{{ x }}{% endmacro %}{{ m()[1] }}"),
            r#"{"out": "'a'", "undefined": false}"#
        );
    }

    #[test]
    fn templates_and_markup_are_named_in_the_request() {
        let request = r#"{"jinja": {"autoescape": true}, "template": "{% include 'a' %}{% include 'b' %}",
            "mode": "text", "templates": {"a": "{{ x }}{{ y }}"}, "vars": "{'x': '<', 'y': '<'}", "markup": ["y"]}"#;
        assert_eq!(
            answered(request),
            r#"{"err": "b", "class": "TemplateNotFound"}"#
        );
        assert_eq!(
            answered(&request.replace("{% include 'b' %}", "")),
            r#"{"out": "&lt;<"}"#
        );
    }
}
