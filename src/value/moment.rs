//! Python's `datetime`, `date` and `timedelta`.

use std::rc::Rc;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::ops::Operator;
use super::{Args, Object, Runtime, Value};
use crate::diag::{Error, Kind, Result};

/// A point in time, a day, or the time between two points.
#[derive(Clone, Debug, PartialEq)]
pub enum Moment {
    /// `datetime.datetime`, with its offset from UTC in seconds where it has one.
    DateTime(DateTime, Option<i32>),
    /// `datetime.date`.
    Date(Date),
    /// `datetime.timedelta`, in microseconds.
    Span(i128),
}

const SECOND: i128 = 1_000_000;
const DAY: i128 = 86_400 * SECOND;

impl Moment {
    /// Makes a value of it.
    pub fn value(self) -> Value {
        Value::Object(Rc::new(self))
    }

    /// Returns microseconds since 1970, as if it were UTC where no offset is known.
    fn micros(&self) -> i128 {
        let of = |time: DateTime| {
            TimeZone::UTC
                .to_timestamp(time)
                .map_or(0, |stamp| i128::from(stamp.as_microsecond()))
        };
        match self {
            Moment::DateTime(time, offset) => of(*time) - i128::from(offset.unwrap_or(0)) * SECOND,
            Moment::Date(date) => of(date.to_datetime(jiff::civil::Time::midnight())),
            Moment::Span(span) => *span,
        }
    }

    fn moved(&self, by: i128) -> Result<Value> {
        let beyond = || Error::new(Kind::Arithmetic, "date value out of range");
        let by = i64::try_from(by).map_err(|_| beyond())?;
        let span = jiff::SignedDuration::from_micros(by);
        match self {
            Moment::DateTime(time, offset) => time
                .checked_add(span)
                .map(|time| Moment::DateTime(time, *offset).value())
                .map_err(|_| beyond()),
            Moment::Date(date) => {
                let days = jiff::Span::new().try_days(by.div_euclid(DAY as i64));
                days.and_then(|days| date.checked_add(days))
                    .map(|date| Moment::Date(date).value())
                    .map_err(|_| beyond())
            }
            Moment::Span(span) => Ok(Moment::Span(span + i128::from(by)).value()),
        }
    }

    /// Writes it by a format of `strftime`.
    ///
    /// # Errors
    /// A format that has no meaning.
    pub fn strftime(&self, format: &str) -> Result<String> {
        let time = match self {
            Moment::DateTime(time, _) => *time,
            Moment::Date(date) => date.to_datetime(jiff::civil::Time::midnight()),
            Moment::Span(_) => {
                return Err(Error::type_error(
                    "'datetime.timedelta' object has no attribute 'strftime'",
                ));
            }
        };
        let offset = match self {
            Moment::DateTime(_, offset) => *offset,
            _ => None,
        };
        strftime(format, time, offset)
    }

    fn isoformat(&self, separator: char) -> String {
        match self {
            Moment::Date(date) => {
                format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
            }
            Moment::DateTime(time, offset) => {
                let mut out = format!(
                    "{:04}-{:02}-{:02}{separator}{:02}:{:02}:{:02}",
                    time.year(),
                    time.month(),
                    time.day(),
                    time.hour(),
                    time.minute(),
                    time.second()
                );
                let micros = time.subsec_nanosecond() / 1000;
                if micros != 0 {
                    out.push_str(&format!(".{micros:06}"));
                }
                if let Some(offset) = offset {
                    out.push_str(&offset_text(*offset, ":"));
                }
                out
            }
            Moment::Span(_) => self.str(),
        }
    }

    fn field(&self, name: &str) -> Option<i64> {
        let (date, time) = match self {
            Moment::DateTime(time, _) => (time.date(), Some(time.time())),
            Moment::Date(date) => (*date, None),
            Moment::Span(span) => {
                let rest = span.rem_euclid(DAY);
                return match name {
                    "days" => i64::try_from(span.div_euclid(DAY)).ok(),
                    "seconds" => i64::try_from(rest / SECOND).ok(),
                    "microseconds" => i64::try_from(rest % SECOND).ok(),
                    _ => None,
                };
            }
        };
        Some(match (name, time) {
            ("year", _) => i64::from(date.year()),
            ("month", _) => i64::from(date.month()),
            ("day", _) => i64::from(date.day()),
            ("hour", Some(time)) => i64::from(time.hour()),
            ("minute", Some(time)) => i64::from(time.minute()),
            ("second", Some(time)) => i64::from(time.second()),
            ("microsecond", Some(time)) => i64::from(time.subsec_nanosecond() / 1000),
            _ => return None,
        })
    }
}

/// Writes an offset from UTC: `+0200` with the separator given.
fn offset_text(offset: i32, separator: &str) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    let minutes = offset.abs() / 60;
    format!("{sign}{:02}{separator}{:02}", minutes / 60, minutes % 60)
}

/// Writes a time by a format of Python's `strftime`.
///
/// # Errors
/// A format that has no meaning.
pub fn strftime(format: &str, time: DateTime, offset: Option<i32>) -> Result<String> {
    // Directives that Python has and jiff writes differently, or not without a zone.
    let mut plain = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            plain.push(c);
            continue;
        }
        match chars.next() {
            Some('f') => plain.push_str(&format!("{:06}", time.subsec_nanosecond() / 1000)),
            Some('z') => {
                plain.push_str(&offset.map(|o| offset_text(o, "")).unwrap_or_default());
            }
            Some('Z') => plain.push_str(match offset {
                Some(0) => "UTC",
                _ => "",
            }),
            Some('c') => plain.push_str("%a %b %e %H:%M:%S %Y"),
            Some('x') => plain.push_str("%m/%d/%y"),
            Some('X') => plain.push_str("%H:%M:%S"),
            Some('s') => {
                let zone = offset.map_or_else(TimeZone::system, |seconds| {
                    jiff::tz::Offset::from_seconds(seconds).map_or(TimeZone::UTC, TimeZone::fixed)
                });
                let stamp = zone
                    .to_timestamp(time)
                    .map_or(0, jiff::Timestamp::as_second);
                plain.push_str(&stamp.to_string());
            }
            Some(other) => {
                plain.push('%');
                plain.push(other);
            }
            None => plain.push_str("%%"),
        }
    }
    jiff::fmt::strtime::format(&plain, time)
        .map_err(|error| Error::value_error(format!("the time format `{format}`: {error}")))
}

impl Object for Moment {
    fn type_name(&self) -> &'static str {
        match self {
            Moment::DateTime(..) => "datetime",
            Moment::Date(_) => "date",
            Moment::Span(_) => "timedelta",
        }
    }

    fn str(&self) -> String {
        let Moment::Span(span) = self else {
            return self.isoformat(' ');
        };
        let (days, rest) = (span.div_euclid(DAY), span.rem_euclid(DAY));
        let seconds = rest / SECOND;
        let mut out = String::new();
        if days != 0 {
            let plural = if days.abs() == 1 { "" } else { "s" };
            out = format!("{days} day{plural}, ");
        }
        out.push_str(&format!(
            "{}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        ));
        if rest % SECOND != 0 {
            out.push_str(&format!(".{:06}", rest % SECOND));
        }
        out
    }

    fn repr(&self) -> String {
        let fields = |names: &[&str]| -> Vec<String> {
            names
                .iter()
                .map(|name| self.field(name).unwrap_or(0).to_string())
                .collect()
        };
        match self {
            Moment::Date(_) => format!(
                "datetime.date({})",
                fields(&["year", "month", "day"]).join(", ")
            ),
            Moment::DateTime(_, offset) => {
                let mut parts = fields(&[
                    "year",
                    "month",
                    "day",
                    "hour",
                    "minute",
                    "second",
                    "microsecond",
                ]);
                while parts.len() > 5 && parts.last().is_some_and(|last| last == "0") {
                    parts.pop();
                }
                match offset {
                    Some(0) => parts.push("tzinfo=datetime.timezone.utc".to_owned()),
                    Some(offset) => parts.push(format!(
                        "tzinfo=datetime.timezone({})",
                        Moment::Span(i128::from(*offset) * SECOND).repr()
                    )),
                    None => {}
                }
                format!("datetime.datetime({})", parts.join(", "))
            }
            Moment::Span(_) => {
                let parts: Vec<String> = ["days", "seconds", "microseconds"]
                    .iter()
                    .filter_map(|name| Some((name, self.field(name)?)))
                    .filter(|(_, value)| *value != 0)
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                if parts.is_empty() {
                    "datetime.timedelta(0)".to_owned()
                } else {
                    format!("datetime.timedelta({})", parts.join(", "))
                }
            }
        }
    }

    fn truth(&self) -> bool {
        !matches!(self, Moment::Span(0))
    }

    fn attribute(&self, _runtime: &mut dyn Runtime, name: &str) -> Result<Option<Value>> {
        Ok(self.field(name).map(Value::Int))
    }

    fn call_method(
        &self,
        _runtime: &mut dyn Runtime,
        name: &str,
        args: Args,
    ) -> Result<Option<Value>> {
        let date = match self {
            Moment::DateTime(time, _) => Some(time.date()),
            Moment::Date(date) => Some(*date),
            Moment::Span(_) => None,
        };
        Ok(Some(match (name, self, date) {
            ("total_seconds", Moment::Span(span), _) => Value::Float(*span as f64 / 1e6),
            ("strftime", _, Some(_)) => {
                let format = args
                    .positional
                    .first()
                    .map(Value::to_str)
                    .unwrap_or_default();
                Value::str(self.strftime(&format)?)
            }
            ("isoformat", _, Some(_)) => {
                let separator = args.positional.first().map(Value::to_str);
                let separator = separator.and_then(|text| text.chars().next());
                Value::str(self.isoformat(separator.unwrap_or('T')))
            }
            ("weekday", _, Some(date)) => {
                Value::from(i64::from(date.weekday().to_monday_zero_offset()))
            }
            ("isoweekday", _, Some(date)) => {
                Value::from(i64::from(date.weekday().to_monday_one_offset()))
            }
            ("date", Moment::DateTime(..), Some(date)) => Moment::Date(date).value(),
            ("timestamp", Moment::DateTime(time, offset), _) => {
                let micros = match offset {
                    Some(_) => self.micros(),
                    None => TimeZone::system()
                        .to_timestamp(*time)
                        .map_or(0, |stamp| i128::from(stamp.as_microsecond())),
                };
                Value::Float(micros as f64 / 1e6)
            }
            _ => return Ok(None),
        }))
    }

    fn equals(&self, other: &dyn Object) -> bool {
        self.compare(other) == Some(std::cmp::Ordering::Equal)
    }

    fn compare(&self, other: &dyn Object) -> Option<std::cmp::Ordering> {
        let any: &dyn std::any::Any = other;
        let other = any.downcast_ref::<Moment>()?;
        let aware = |moment: &Moment| matches!(moment, Moment::DateTime(_, Some(_)));
        let like = self.type_name() == other.type_name() && aware(self) == aware(other);
        like.then(|| self.micros().cmp(&other.micros()))
    }

    fn arithmetic(
        &self,
        operator: Operator,
        other: &Value,
        swapped: bool,
    ) -> Option<Result<Value>> {
        let moment = other.downcast::<Moment>();
        match (self, operator, moment) {
            (Moment::Span(a), Operator::Add, Some(Moment::Span(b))) => {
                Some(Ok(Moment::Span(a + b).value()))
            }
            (Moment::Span(a), Operator::Sub, Some(Moment::Span(b))) => {
                Some(Ok(Moment::Span(a - b).value()))
            }
            (Moment::Span(a), Operator::Div, Some(Moment::Span(b))) if *b != 0 => {
                Some(Ok(Value::Float(*a as f64 / *b as f64)))
            }
            (Moment::Span(by), Operator::Add, Some(point)) => Some(point.moved(*by)),
            (point, Operator::Add, Some(Moment::Span(by))) => Some(point.moved(*by)),
            (point, Operator::Sub, Some(Moment::Span(by))) if !swapped => Some(point.moved(-by)),
            (a, Operator::Sub, Some(b)) if !swapped && a.type_name() == b.type_name() => {
                Some(Ok(Moment::Span(a.micros() - b.micros()).value()))
            }
            (Moment::Span(a), Operator::Mul, None) => {
                let factor = other.as_i64()?;
                Some(Ok(
                    Moment::Span(a.saturating_mul(i128::from(factor))).value()
                ))
            }
            (Moment::Span(a), Operator::FloorDiv | Operator::Div, None) if !swapped => {
                let by = i128::from(other.as_i64()?);
                (by != 0).then(|| Ok(Moment::Span(a.div_euclid(by)).value()))
            }
            _ => None,
        }
    }

    fn json(&self) -> Option<Value> {
        match self {
            Moment::Span(_) => None,
            _ => Some(Value::str(self.isoformat('T'))),
        }
    }

    fn hash_text(&self) -> String {
        self.repr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Moment {
        Moment::DateTime(text.parse().expect("a time"), None)
    }

    #[test]
    fn moments_print_as_pythons() {
        assert_eq!(
            at("2024-01-02T00:00:00").repr(),
            "datetime.datetime(2024, 1, 2, 0, 0)"
        );
        assert_eq!(at("2024-01-02T03:04:05").str(), "2024-01-02 03:04:05");
        assert_eq!(Moment::Span(43_200 * SECOND).str(), "12:00:00");
        assert_eq!(Moment::Span(-SECOND).str(), "-1 day, 23:59:59");
        assert_eq!(
            Moment::Span(DAY + 1).repr(),
            "datetime.timedelta(days=1, microseconds=1)"
        );
    }

    #[test]
    fn the_time_between_moments_is_a_span() {
        let (a, b) = (at("2024-03-01T00:00:00"), at("2024-01-01T12:00:00"));
        let made = a
            .arithmetic(Operator::Sub, &b.value(), false)
            .expect("a result")
            .expect("a span");
        assert_eq!(made.to_str(), "59 days, 12:00:00");
    }

    #[test]
    fn times_beyond_the_calendar_are_an_error() {
        assert!(at("9999-12-31T00:00:00").moved(400 * DAY).is_err());
    }
}
