//! `sequence`: numbers, formatted.

use super::failed;
use crate::compat::Level;
use crate::diag::Result;
use crate::template::templar::Templar;
use crate::value::{Value, format, str_repr};

/// How many numbers there may be.
const MOST: usize = 1_000_000;

/// Options that may be given by name.
const OPTIONS: &[&str] = &["start", "end", "count", "stride", "format"];

/// What to count, and how.
struct Numbers {
    level: Level,
    start: i64,
    end: Option<i64>,
    count: Option<i64>,
    stride: i64,
    format: String,
}

pub(super) fn sequence(
    templar: &Templar,
    terms: &[Value],
    options: &[(String, Value)],
) -> Result<Vec<Value>> {
    let mut out = Vec::new();
    let mut given: Vec<String> = terms.iter().map(Value::to_str).collect();
    if given.is_empty() && !options.is_empty() && templar.level().sequences_need_no_terms() {
        given.push(String::new());
    }
    for term in given {
        let mut numbers = Numbers {
            level: templar.level(),
            start: 1,
            end: None,
            count: None,
            stride: 1,
            format: "%d".to_owned(),
        };
        let taken = options.iter().filter(|(key, _)| {
            !numbers.level.sequences_take_any_base() && OPTIONS.contains(&key.as_str())
        });
        for (key, value) in taken.collect::<Vec<_>>() {
            numbers.set(key, &value.to_str(), &value.repr())?;
        }
        if !numbers.shorthand(&term)? {
            numbers.pairs(&term)?;
        }
        numbers.list(&mut out)?;
    }
    Ok(out)
}

impl Numbers {
    fn number(&self, key: &str, text: &str, repr: Option<&str>) -> Result<i64> {
        let text = text.trim();
        let parsed = if self.level.sequences_take_any_base() {
            let digits = text.trim_start_matches(['+', '-']);
            match digits.get(..2).map(str::to_ascii_lowercase).as_deref() {
                Some("0x") => i64::from_str_radix(&digits[2..], 16).ok(),
                Some("0o") => i64::from_str_radix(&digits[2..], 8).ok(),
                Some("0b") => i64::from_str_radix(&digits[2..], 2).ok(),
                Some(_) if digits.starts_with('0') => None,
                _ => text.parse().ok(),
            }
        } else {
            text.parse().ok()
        };
        parsed.ok_or_else(|| failed(self.level.no_number_of_sequence(key, text, repr)))
    }

    fn set(&mut self, key: &str, value: &str, repr: &str) -> Result<()> {
        match key {
            "start" => self.start = self.number(key, value, Some(repr))?,
            "end" => self.end = Some(self.number(key, value, Some(repr))?),
            "count" => self.count = Some(self.number(key, value, Some(repr))?),
            "stride" => self.stride = self.number(key, value, Some(repr))?,
            "format" => value.clone_into(&mut self.format),
            other => return Err(self.unknown(other)),
        }
        Ok(())
    }

    fn unknown(&self, key: &str) -> crate::diag::Error {
        let names = format!("[{}]", str_repr(key));
        let names = self.level.dict_keys(&names);
        failed(format!("unrecognized arguments to with_sequence: {names}"))
    }

    /// Reads `[start-]end[/stride][:format]`; says whether it is that.
    fn shorthand(&mut self, term: &str) -> Result<bool> {
        let (range, shown) = match term.split_once(':') {
            Some((range, shown)) => (range, Some(shown)),
            None => (term, None),
        };
        let (range, stride) = match range.split_once('/') {
            Some((range, stride)) => (range, Some(stride)),
            None => (range, None),
        };
        let (start, end) = match range.split_once('-') {
            Some((start, end)) => (Some(start), end),
            None => (None, range),
        };
        let is_number = |text: &str| {
            let digits = text.trim().strip_prefix("0x").unwrap_or(text.trim());
            !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit())
        };
        let is_all = start.is_none_or(is_number)
            && is_number(end)
            && stride.is_none_or(is_number)
            && shown.is_none_or(|shown| !shown.is_empty());
        if !is_all {
            return Ok(false);
        }
        if let Some(start) = start {
            self.start = self.number("start", start, None)?;
        }
        self.end = Some(self.number("end", end, None)?);
        if let Some(stride) = stride {
            self.stride = self.number("stride", stride, None)?;
        }
        if let Some(shown) = shown {
            shown.clone_into(&mut self.format);
        }
        Ok(true)
    }

    fn pairs(&mut self, term: &str) -> Result<()> {
        let mut strange = None;
        for word in term.split_whitespace() {
            match word.split_once('=') {
                Some((key, value)) => {
                    let value = value.trim_matches(['\'', '"']);
                    self.set(key, value, &str_repr(value))?;
                }
                None => strange = Some("_raw_params"),
            }
        }
        strange.map_or(Ok(()), |key| Err(self.unknown(key)))
    }

    fn list(&self, out: &mut Vec<Value>) -> Result<()> {
        let (start, stride) = (self.start, self.stride);
        let end = match (self.end, self.count) {
            (Some(_), Some(_)) => {
                return Err(failed("can't specify both count and end in with_sequence"));
            }
            (Some(end), None) => end,
            (None, Some(0)) => return Ok(()),
            (None, Some(count)) => {
                start.saturating_add(count.saturating_mul(stride).saturating_sub(1))
            }
            (None, None) => return Err(failed("must specify count or end in with_sequence")),
        };
        if stride > 0 && end < start {
            return Err(failed("to count backwards make stride negative"));
        }
        if stride < 0 && end > start {
            return Err(failed("to count forward don't make stride negative"));
        }
        let bad_format = || failed(format!("bad formatting string: {}", self.format));
        if self.format.matches('%').count() != 1 {
            return Err(bad_format());
        }
        let mut at = Some(start).filter(|_| stride != 0);
        while let Some(number) = at.filter(|at| if stride > 0 { *at <= end } else { *at >= end }) {
            let arguments = Value::tuple(vec![Value::Int(number)]);
            let text = format::percent(&self.format.as_str().into(), &arguments)
                .map_err(|_| bad_format())?;
            out.push(text);
            if out.len() > MOST {
                return Err(failed("a sequence of more than a million items"));
            }
            at = number.checked_add(stride);
        }
        Ok(())
    }
}
