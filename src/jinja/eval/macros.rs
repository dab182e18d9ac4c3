//! Makes and calls macros.

use std::rc::Rc;

use super::{Machine, Scope};
use crate::diag::{Error, Result};
use crate::jinja::ast::Macro;
use crate::jinja::objects::MacroObject;
use crate::value::{Args, Undefined, Value};

impl Machine<'_> {
    pub(super) fn macro_object(&self, code: &Rc<Macro>, caller_block: bool) -> Value {
        match &self.template {
            Some(template) => Value::Object(Rc::new(MacroObject {
                code: code.clone(),
                template: template.clone(),
                scope: self.scope.clone(),
                caller_block,
                isolated: self.isolated,
            })),
            None => Value::None,
        }
    }

    pub(super) fn call_macro(&mut self, object: &MacroObject, args: Args) -> Result<Value> {
        let code = &object.code;
        let scope = Scope::new(Some(object.scope.clone()));
        let mut positional = args.positional.into_iter();
        let mut keyword = args.keyword;
        let missing_from = code.params.len() - code.defaults.len();
        let mut given: Vec<Option<Value>> = Vec::new();
        for name in &code.params {
            let mut value = positional.next();
            let at = keyword.iter().position(|(known, _)| **known == **name);
            if let (None, Some(at)) = (&value, at) {
                value = Some(keyword.remove(at).1);
            }
            given.push(value);
        }
        let rest: Vec<Value> = positional.collect();
        let caller = keyword.iter().position(|(known, _)| known == "caller");
        if code.uses_caller {
            let caller = match caller {
                Some(at) => Some(keyword.remove(at).1),
                None if object.caller_block => None,
                None => {
                    Some(self.undefined(Value::undefined(Undefined::hint("No caller defined"))))
                }
            };
            if let Some(caller) = caller {
                scope.set(&self.env.names.caller, caller);
            }
        }
        if code.uses_kwargs {
            scope.set(&self.env.names.kwargs, Value::dict(keyword));
        } else if let Some((name, _)) = keyword.first() {
            let name_of = &code.name;
            return Err(Error::type_error(
                if caller.is_some() && !code.uses_caller {
                    format!(
                        "macro '{name_of}' was invoked with two values for the special caller argument. This is most likely a bug."
                    )
                } else {
                    format!("macro '{name_of}' takes no keyword argument '{name}'")
                },
            ));
        }
        if code.uses_varargs {
            scope.set(&self.env.names.varargs, Value::tuple(rest));
        } else if !rest.is_empty() {
            return Err(Error::type_error(format!(
                "macro '{}' takes not more than {} argument(s)",
                code.name,
                code.params.len()
            )));
        }
        let template = object.template.clone();
        let code = code.clone();
        let isolated = std::mem::replace(&mut self.isolated, object.isolated);
        let text = self.captured(|machine| {
            machine.in_template(&template, scope, |machine| {
                // A default may name any parameter, and none of the names around the macro is it.
                for (name, value) in code.params.iter().zip(&given) {
                    machine.scope.set(
                        name,
                        value.clone().unwrap_or_else(|| {
                            machine.undefined(Value::undefined(Undefined::variable(name)))
                        }),
                    );
                }
                for (index, name) in code.params.iter().enumerate() {
                    let value = match given[index].take() {
                        Some(value) => value,
                        None if index >= missing_from => {
                            machine.eval(&code.defaults[index - missing_from])?
                        }
                        None => machine.undefined(Value::undefined(Undefined::hint(format!(
                            "parameter '{name}' was not provided"
                        )))),
                    };
                    machine.scope.set(name, value);
                }
                machine.nodes(&code.body).map(|_| ())
            })
        });
        self.isolated = isolated;
        text
    }
}
