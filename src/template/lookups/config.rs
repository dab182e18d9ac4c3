//! `config`: Ansible's settings and those of its plugins.

use super::{Options, failed, flag, option, refused};
use crate::compat::Level;
use crate::config::{is_plugin, known};
use crate::diag::{Notice, Result};
use crate::template::templar::Templar;
use crate::value::Value;

/// The kinds of plugins that have settings.
const KINDS: &[&str] = &[
    "become",
    "cache",
    "callback",
    "cliconf",
    "connection",
    "httpapi",
    "inventory",
    "lookup",
    "netconf",
    "shell",
    "vars",
];

pub(super) fn config(templar: &Templar, terms: &[Value], options: Options) -> Result<Vec<Value>> {
    let level = templar.level();
    let text = |name: &str| {
        let found = option(options, name).filter(|value| !value.is_none());
        found.map(Value::to_str)
    };
    let choice = |name: &str, value: &str, choices: &[&str]| {
        if choices.contains(&value) {
            return Ok(());
        }
        Err(refused(
            level.no_choice_of_lookup("config", name, value, choices),
        ))
    };
    let missing = text("on_missing").unwrap_or_else(|| "error".to_owned());
    choice("on_missing", &missing, &["error", "warn", "skip"])?;
    let (kind, plugin) = (text("plugin_type"), text("plugin_name"));
    if let Some(kind) = &kind {
        choice("plugin_type", kind, KINDS)?;
    }
    let owner = match (kind, plugin) {
        (Some(kind), Some(plugin)) => Some((kind, plugin)),
        (None, None) => None,
        _ => return Err(refused(level.half_a_plugin())),
    };
    let path = match &owner {
        None => String::new(),
        Some((kind, plugin)) => {
            let short = plugin.strip_prefix("ansible.builtin.").unwrap_or(plugin);
            format!("{kind}/{short}")
        }
    };
    if let Some((kind, plugin)) = owner.as_ref().filter(|_| !is_plugin(&path)) {
        return Err(refused(level.no_plugin_of_lookup(kind, plugin)));
    }
    let mut out = Vec::new();
    for term in terms {
        let Value::Str(name) = term else {
            return Err(refused(level.no_setting_name(term)));
        };
        let settings = &templar.0.shared.options.config;
        let (value, origin) = if path.is_empty() && name.as_str() == "CONFIG_FILE" {
            let file = settings.path();
            let shown = file.map_or(Value::None, |path| Value::str(path.to_string_lossy()));
            (shown, String::new())
        } else {
            let Some(setting) = known(level, &path, name) else {
                let owner = owner.as_ref().map(|(k, p)| (k.as_str(), p.as_str()));
                let said = level.no_setting(name, owner);
                match missing.as_str() {
                    "error" => return Err(refused(said)),
                    "warn" => templar.warn(Notice::warning(format!("Skipping {name}: {said}"))),
                    _ => {}
                }
                continue;
            };
            setting.value(settings, &|name| templar.variable(name))?
        };
        out.push(if flag(options, "show_origin", false) {
            level.setting_and_origin(value, &origin, path.is_empty())
        } else {
            value
        });
    }
    Ok(out)
}

/// Returns an option of a lookup, or what variables, environment and ansible.cfg set in its place.
pub(super) fn configured(
    templar: &Templar,
    lookup: &str,
    options: Options,
    name: &str,
) -> Result<Value> {
    let level = templar.level();
    let settings = &templar.0.shared.options.config;
    // Options that came later work at every level.
    let Some(setting) = known(Level::V2_19, &format!("lookup/{lookup}"), name) else {
        return Err(failed(format!("`{lookup}` has no option `{name}`")));
    };
    match option(options, name).filter(|value| !value.is_none()) {
        Some(Value::Undefined(undefined)) => Err(undefined.error()),
        Some(value) => setting
            .typed(settings, value)
            .map_err(|_| level.wrong_lookup_setting(lookup, name, setting.kind(), value)),
        None => Ok(setting.value(settings, &|name| templar.variable(name))?.0),
    }
}
