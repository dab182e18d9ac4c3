//! Filters for dates and times.

use super::{failed, flag, known};
use crate::diag::Result;
use crate::jinja::Row;
use crate::value::{Args, Moment, Runtime, Value, strftime};

pub(super) static TABLE: &[Row] = &[
    Row::new(
        "to_datetime",
        to_datetime,
        "Reads a date and time.",
        "('2024-01-02 03:04:05' | to_datetime).year => 2024",
    ),
    Row::new(
        "strftime",
        format_time,
        "Writes a time, given in seconds since 1970, by a format.",
        "'%Y-%m-%d' | strftime(0, utc=true) => '1970-01-01'",
    ),
];

fn to_datetime(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, format] = args.bind("to_datetime", ["string", "format"], 1)?;
    let text = known(value)?.to_str();
    let format = format.map_or_else(|| "%Y-%m-%d %H:%M:%S".to_owned(), |f| f.to_str());
    let wrong = || {
        failed(format!(
            "time data {} does not match format {}",
            crate::value::str_repr(&text),
            crate::value::str_repr(&format)
        ))
    };
    // A fraction is `%f` in Python.
    let pattern = format.replace("%f", "%N");
    let parsed = jiff::fmt::strtime::BrokenDownTime::parse(&pattern, &text).map_err(|_| wrong())?;
    let offset = parsed.offset().map(jiff::tz::Offset::seconds);
    let date = match (parsed.year(), parsed.month(), parsed.day()) {
        (Some(_), Some(_), Some(_)) => parsed.to_date().map_err(|_| wrong())?,
        (year, month, day) => {
            jiff::civil::Date::new(year.unwrap_or(1900), month.unwrap_or(1), day.unwrap_or(1))
                .map_err(|_| wrong())?
        }
    };
    let time = parsed
        .to_time()
        .unwrap_or_else(|_| jiff::civil::Time::midnight());
    Ok(Moment::DateTime(date.to_datetime(time), offset).value())
}

fn format_time(_runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [format, second, utc] = args.bind("strftime", ["string_format", "second", "utc"], 1)?;
    let format = known(format)?.to_str();
    let utc = flag(utc);
    let stamp = match second.filter(|second| !second.is_none()) {
        None => jiff::Timestamp::now(),
        Some(second) => {
            let wrong = || failed(format!("Invalid value for epoch value ({second})"));
            let seconds = match &second {
                Value::Str(text) => text.trim().parse::<f64>().map_err(|_| wrong())?,
                other => other.as_f64().ok_or_else(wrong)?,
            };
            jiff::Timestamp::from_microsecond((seconds * 1e6) as i64).map_err(|_| wrong())?
        }
    };
    let zone = if utc {
        jiff::tz::TimeZone::UTC
    } else {
        jiff::tz::TimeZone::system()
    };
    let zoned = stamp.to_zoned(zone);
    strftime(&format, zoned.datetime(), Some(zoned.offset().seconds())).map(Value::from)
}
