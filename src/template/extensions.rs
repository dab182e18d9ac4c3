//! The setting `jinja2_extensions`.

use std::collections::BTreeSet;

use crate::diag::{Error, Kind, Result};
use crate::jinja::Extension;

/// Reads names of Jinja2's extensions as Python has them.
///
/// # Errors
/// There is no such extension here.
pub fn extensions(names: &[String]) -> Result<BTreeSet<Extension>> {
    let extension = |name: &String| {
        let own = name.strip_prefix("jinja2.ext.");
        own.and_then(Extension::parse).ok_or_else(|| {
            let error = match own {
                Some(own) => format!("module 'jinja2.ext' has no attribute '{own}'"),
                None => format!("the extension `{name}` of Jinja2 isn't there"),
            };
            let near = own.and_then(|own| crate::diag::closest(own, Extension::names()));
            Error::new(Kind::Usage, error).help(match near {
                Some(near) => format!("did you mean `jinja2.ext.{near}` in `jinja2_extensions`?"),
                None => {
                    "`jinja2_extensions` may name jinja2.ext.do, .loopcontrols, .i18n and .debug; \
                         extensions that are written in Python aren't loaded"
                        .to_owned()
                }
            })
        })
    };
    names.iter().map(extension).collect()
}

#[cfg(test)]
mod tests {
    use super::extensions;

    #[test]
    fn extensions_that_are_not_there_are_refused_with_what_there_is() {
        let of = |name: &str| {
            extensions(&[name.to_owned()])
                .expect_err(name)
                .full_message()
        };
        assert!(extensions(&["jinja2.ext.do".into(), "jinja2.ext.I18n".into()]).is_err());
        assert_eq!(
            of("jinja2.ext.dp"),
            "module 'jinja2.ext' has no attribute 'dp'"
        );
        assert_eq!(
            of("jinja2_time.TimeExtension"),
            "the extension `jinja2_time.TimeExtension` of Jinja2 isn't there"
        );
    }
}
