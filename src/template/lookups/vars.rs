//! Lookups and functions about variables, environment and time.

use super::{Options, failed, option, text_of};
use crate::diag::{Error, Kind, Result};
use crate::template::filters::translate;
use crate::template::templar::Templar;
use crate::value::{Args, Runtime, Undefined, Value};

pub(super) fn env(templar: &Templar, terms: &[Value], options: Options) -> Result<Vec<Value>> {
    let level = templar.level();
    let default = option(options, "default").filter(|default| !default.is_none());
    let mut out = Vec::new();
    for term in terms {
        let text = text_of(term, "split")?;
        let name = text.split_whitespace().next();
        let name = name.ok_or_else(|| failed("list index out of range"))?;
        out.push(
            match (templar.0.shared.options.environment.get(name), default) {
                (Some(value), _) => Value::str(value),
                (None, Some(Value::Undefined(_))) => {
                    return Err(Error::new(
                        Kind::Undefined,
                        level.no_environment_variable(name),
                    ));
                }
                (None, Some(default)) => default.clone(),
                (None, None) => Value::str(""),
            },
        );
    }
    Ok(out)
}

pub(super) fn vars(templar: &Templar, terms: &[Value], options: Options) -> Result<Vec<Value>> {
    let mut out = Vec::new();
    for term in terms {
        let Value::Str(name) = term else {
            return Err(failed(templar.level().no_variables_name(term)));
        };
        match templar.variable(name)? {
            Some(value) => out.push(value),
            None => match option(options, "default").filter(|default| !default.is_none()) {
                Some(default) => out.push(default.clone()),
                None => {
                    return Err(Error::new(
                        Kind::Undefined,
                        if templar.level().names_failed_steps() {
                            format!("No variable named '{name}' was found.")
                        } else {
                            format!("No variable found with this name: {name}")
                        },
                    ));
                }
            },
        }
    }
    Ok(out)
}

pub(super) fn varnames(
    templar: &Templar,
    terms: &[Value],
    _options: Options,
) -> Result<Vec<Value>> {
    let names = templar.0.vars.names();
    let mut out = Vec::new();
    for term in terms {
        let Value::Str(wanted) = term else {
            return Err(failed(format!(
                "Invalid setting identifier, \"{term}\" is not a string, it is a <class '{}'>",
                term.type_name()
            )));
        };
        let regex = translate(wanted, false, false, false).map_err(|error| {
            let said = format!("Unable to use \"{wanted}\" as a search parameter");
            if templar.level().names_failed_steps() {
                failed(said).caused_by(error)
            } else {
                failed(format!("{said}: {}", error.message()))
            }
        })?;
        for name in &names {
            if regex.is_match(name).unwrap_or(false) {
                out.push(Value::str(name));
            }
        }
    }
    Ok(out)
}

/// `now(utc=false, fmt=None)`.
pub(super) fn now(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [utc, format] = args.bind("now", ["utc", "fmt"], 0)?;
    let zone = if utc.is_some_and(|u| u.truth()) {
        jiff::tz::TimeZone::UTC
    } else {
        jiff::tz::TimeZone::system()
    };
    let now = jiff::Timestamp::now().to_zoned(zone);
    let time = now.datetime();
    // Python's times have no more than microseconds, and `now` leaves the zone out.
    let micros = time.subsec_nanosecond() / 1000 * 1000;
    let time = time
        .with()
        .subsec_nanosecond(micros)
        .build()
        .unwrap_or(time);
    match format.filter(|f| !f.is_none()) {
        Some(format) => {
            let offset = Some(now.offset().seconds());
            crate::value::strftime(&format.to_str(), time, offset).map(Value::from)
        }
        None => Ok(crate::value::Moment::DateTime(time, None).value()),
    }
}

/// `undef(hint=…)`.
pub(super) fn undef(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [hint] = args.bind("undef", ["hint"], 0)?;
    let hint = hint
        .filter(|h| !h.is_none())
        .map_or_else(|| "undef() function".to_owned(), |h| h.to_str());
    Ok(Value::undefined(Undefined::hint(hint)))
}
