//! The functions of translated texts: `gettext`, `ngettext`, `pgettext`, `npgettext`, `_`.
//!
//! **Source:** "i18n Extension" of Jinja2's documentation (`install_null_translations`, new style gettext).

use std::rc::Rc;

use crate::diag::{Error, Result};
use crate::value::{Args, Dict, Key, Object, Runtime, Undefined, Value, ops};

/// What texts there are in place of others: text → text, or text → context → text.
pub type Catalog = Dict;

/// Makes the global functions of translations; where the catalog has no text, texts stay as they are.
pub(super) fn globals(catalog: &Catalog, newstyle: bool) -> Vec<(String, Value)> {
    let functions = [
        ("_", false, false),
        ("gettext", false, false),
        ("ngettext", false, true),
        ("pgettext", true, false),
        ("npgettext", true, true),
    ];
    functions
        .into_iter()
        .map(|(name, has_context, has_plural)| {
            let function = Gettext {
                name,
                has_context,
                has_plural,
                newstyle,
                catalog: catalog.clone(),
            };
            (name.to_owned(), Value::Object(Rc::new(function)))
        })
        .collect()
}

/// `_` of an environment with the extension and without translations: what `gettext` is there.
pub(super) fn alias(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    match runtime.resolve("gettext")? {
        Some(gettext) => runtime.call(&gettext, args),
        None => Err(Undefined::variable("gettext").error()),
    }
}

/// Marks a text as safe where output is escaped.
pub(super) fn safe(text: Value, escapes: bool) -> Value {
    match text {
        Value::Str(text) if escapes => Value::Str(text.with_markup(true)),
        text => text,
    }
}

/// One of the functions.
struct Gettext {
    name: &'static str,
    has_context: bool,
    has_plural: bool,
    /// Keywords fill the text's placeholders.
    newstyle: bool,
    catalog: Catalog,
}

impl Gettext {
    /// Returns the catalog's text in place of another.
    fn translated(&self, text: &Value, context: &Value) -> Value {
        let found = match text {
            Value::Str(_) => self.catalog.get(&text.to_str()),
            _ => None,
        };
        match found {
            Some(Value::Dict(contexts)) => Key::new(context.clone())
                .ok()
                .and_then(|context| contexts.get_key(&context))
                .unwrap_or_else(|| text.clone()),
            Some(found) => found,
            None => text.clone(),
        }
    }
}

impl Object for Gettext {
    fn type_name(&self) -> &'static str {
        "function"
    }

    fn repr(&self) -> String {
        format!("<function {}>", self.name)
    }

    fn is_callable(&self) -> bool {
        true
    }

    fn call(&self, runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
        let wanted = 1 + usize::from(self.has_context) + 2 * usize::from(self.has_plural);
        if args.positional.len() != wanted {
            return Err(Error::type_error(format!(
                "{}() takes {wanted} positional arguments but {} were given",
                self.name,
                args.positional.len()
            )));
        }
        if !self.newstyle
            && let Some((keyword, _)) = args.keyword.first()
        {
            return Err(Error::type_error(format!(
                "{}() got an unexpected keyword argument '{keyword}'",
                self.name
            )));
        }
        let mut given = args.positional.into_iter();
        let mut next = || given.next().unwrap_or(Value::None);
        let context = if self.has_context {
            next()
        } else {
            Value::None
        };
        let mut text = next();
        let mut variables = args.keyword;
        let mut filled = |name: &str, value: Value| {
            if !variables.iter().any(|(known, _)| known == name) {
                variables.push((name.to_owned(), value));
            }
        };
        if self.has_context {
            filled("context", context.clone());
        }
        if self.has_plural {
            let (plural, number) = (next(), next());
            if let Value::Undefined(undefined) = &number {
                return Err(undefined.error());
            }
            if number != Value::from(1) {
                text = plural;
            }
            filled("num", number);
        }
        let text = self.translated(&text, &context);
        if !self.newstyle {
            return Ok(text);
        }
        let text = safe(text, runtime.autoescape());
        ops::apply(ops::Operator::Mod, &text, &Value::dict(variables))
    }
}

#[cfg(test)]
mod tests {
    use crate::jinja::{Catalog, Environment, Extension, MapContext, Place};
    use crate::value::Value;

    fn rendered(newstyle: bool, text: &str) -> String {
        let mut environment = Environment::new();
        environment.extend(Extension::I18n);
        environment.install_translations(&Catalog::new(), newstyle);
        let context = MapContext::new([("n", Value::from(2)), ("who", Value::str("you"))]);
        let rendered = environment
            .compile(text, Place::Nowhere, true)
            .and_then(|template| environment.render(&template, &context));
        rendered.unwrap_or_else(|error| error.full_message())
    }

    #[test]
    fn texts_stay_as_they_are_without_translations() {
        for newstyle in [false, true] {
            let of = |text: &str| rendered(newstyle, text);
            assert_eq!(
                of("{% trans %}100% for {{ who }}{% endtrans %}"),
                "100% for you"
            );
            assert_eq!(
                of("{% trans 'c' n %}one{% pluralize %}{{ n }} of {{ who }}{% endtrans %}"),
                "2 of you"
            );
            assert_eq!(of("{% trans trimmed %} a\n  b {% endtrans %}"), "a b");
            assert_eq!(of("{{ _('x') }}{{ pgettext('c', 'y') }}"), "xy");
        }
        assert_eq!(
            rendered(true, "{{ ngettext('%(num)s', '%(num)s: %(a)s', 3, a=1) }}"),
            "3: 1"
        );
    }

    #[test]
    fn what_can_t_be_translated_is_refused() {
        let of = |text: &str| rendered(false, text);
        assert_eq!(
            of("{% trans %}{{ n + 1 }}{% endtrans %}"),
            "expected token 'end of print statement', got '+'"
        );
        assert_eq!(of("{% trans %}a"), "unclosed translation block");
        assert_eq!(
            of("{% trans a=1, a=2 %}{% endtrans %}"),
            "translatable variable 'a' defined twice."
        );
        assert_eq!(
            of("{{ gettext() }}"),
            "gettext() takes 1 positional arguments but 0 were given"
        );
    }
}
