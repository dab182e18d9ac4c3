//! Reads INI files as Python's `configparser` does, and says what is wrong with them as it does.
//!
//! **Source:** the documentation of Python's `configparser` (`ConfigParser`, basic interpolation).

use crate::diag::{Error, Kind, Result};
use crate::value::str_repr;

/// The section whose options all others have.
const DEFAULT: &str = "DEFAULT";

/// How deep values may refer to each other.
const MAX_DEPTH: usize = 10;

/// How a file is read.
#[derive(Clone, Copy, Default)]
pub(super) struct IniStyle {
    /// Names keep their case.
    pub(super) case_sensitive: bool,
    /// An option may stand without a value.
    pub(super) allow_none: bool,
    /// `%(name)s` in a value means that of another option.
    pub(super) interpolation: bool,
}

/// A file's sections, each with its options; the value of one without is `None`.
#[derive(Debug)]
pub(super) struct Ini {
    sections: Vec<(String, Options)>,
    defaults: Options,
}

type Options = Vec<(String, Option<String>)>;

/// Which of Python's errors it is: what is wrong with a file is told by what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// `DuplicateOptionError`.
    Duplicate(String),
    /// Any other.
    Other(String),
}

impl Ini {
    /// Reads a file's text.
    pub(super) fn read(text: &str, style: IniStyle) -> Result<Ini, Fault> {
        let mut ini = Ini {
            sections: Vec::new(),
            defaults: Vec::new(),
        };
        let mut section: Option<String> = None;
        let mut option: Option<usize> = None;
        let mut indent = 0;
        let mut broken: Vec<String> = Vec::new();
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let number = index + 1;
            let value = line.trim();
            let is_comment = value.starts_with(['#', ';']);
            if value.is_empty() || is_comment {
                // An empty line belongs to the value that it stands in; a comment doesn't.
                if !is_comment && let Some(at) = option {
                    ini.extend(section.as_deref(), at, "");
                }
                continue;
            }
            let depth = line.len() - line.trim_start().len();
            if let Some(at) = option.filter(|_| depth > indent) {
                ini.extend(section.as_deref(), at, value);
                continue;
            }
            indent = depth;
            if let Some(name) = value
                .strip_prefix('[')
                .and_then(|rest| rest.rsplit_once(']'))
            {
                let name = name.0.to_owned();
                if ini.sections.iter().any(|(known, _)| *known == name) {
                    return Err(Fault::Other(format!(
                        "While reading from '<???>' [line {number:>2}]: section '{name}' already exists"
                    )));
                }
                if name != DEFAULT {
                    ini.sections.push((name.clone(), Vec::new()));
                }
                section = Some(name);
                option = None;
                continue;
            }
            let Some(name) = &section else {
                return Err(Fault::Other(format!(
                    "File contains no section headers.\nfile: '<???>', line: {number}\n{}",
                    str_repr(line)
                )));
            };
            let (key, found) = match value.find(['=', ':']) {
                Some(at) => (value[..at].trim_end(), Some(value[at + 1..].trim())),
                None => (value, None),
            };
            if key.is_empty() || (found.is_none() && !style.allow_none) {
                broken.push(format!("\n\t[line {number:>2}]: {}", str_repr(line)));
                continue;
            }
            let key = style.key(key);
            let name = name.clone();
            let options = ini.options(&name);
            if options.iter().any(|(known, _)| *known == key) {
                return Err(Fault::Duplicate(format!(
                    "While reading from '<???>' [line {number:>2}]: option '{key}' in section '{name}' already exists"
                )));
            }
            options.push((key, found.map(str::to_owned)));
            option = Some(options.len() - 1);
        }
        if !broken.is_empty() {
            return Err(Fault::Other(format!(
                "Source contains parsing errors: '<???>'{}",
                broken.concat()
            )));
        }
        for (_, options) in &mut ini.sections {
            trim(options);
        }
        trim(&mut ini.defaults);
        Ok(ini)
    }

    fn options(&mut self, section: &str) -> &mut Options {
        match self.sections.iter().position(|(name, _)| name == section) {
            Some(at) => &mut self.sections[at].1,
            None => &mut self.defaults,
        }
    }

    fn extend(&mut self, section: Option<&str>, at: usize, line: &str) {
        let options = self.options(section.unwrap_or(DEFAULT));
        if let Some((_, Some(value))) = options.get_mut(at) {
            value.push('\n');
            value.push_str(line);
        }
    }

    /// Returns the names of the sections.
    pub(super) fn names(&self) -> Vec<&str> {
        let names = self.sections.iter();
        names.map(|(name, _)| name.as_str()).collect()
    }

    /// Says whether there is a section.
    pub(super) fn has(&self, section: &str) -> bool {
        self.sections.iter().any(|(name, _)| name == section)
    }

    /// Returns the options of a section and those that all sections have.
    pub(super) fn all(&self, section: &str) -> Vec<(&str, Option<&str>)> {
        let own = self.sections.iter().find(|(name, _)| name == section);
        let own = own.map_or(&[][..], |(_, options)| options.as_slice());
        let inherited = self
            .defaults
            .iter()
            .filter(|(name, _)| !own.iter().any(|(known, _)| known == name));
        own.iter()
            .chain(inherited)
            .map(|(name, value)| (name.as_str(), value.as_deref()))
            .collect()
    }

    /// Returns a value: `None` where there is no such option, `Some(None)` where it has no value.
    ///
    /// # Errors
    /// What it refers to isn't there.
    pub(super) fn get(
        &self,
        section: &str,
        name: &str,
        style: IniStyle,
    ) -> Result<Option<Option<String>>> {
        let key = style.key(name);
        let all = self.all(section);
        let Some((_, value)) = all.iter().find(|(known, _)| *known == key) else {
            return Ok(None);
        };
        match value {
            Some(value) if style.interpolation => {
                let made = interpolated(&all, section, &key, value, style, 0)?;
                Ok(Some(Some(made)))
            }
            value => Ok(Some(value.map(str::to_owned))),
        }
    }
}

impl IniStyle {
    fn key(self, name: &str) -> String {
        if self.case_sensitive {
            name.to_owned()
        } else {
            name.to_lowercase()
        }
    }
}

/// Takes empty lines from the end of values.
fn trim(options: &mut Options) {
    for (_, value) in options {
        if let Some(value) = value {
            value.truncate(value.trim_end().len());
        }
    }
}

fn interpolated(
    all: &[(&str, Option<&str>)],
    section: &str,
    option: &str,
    raw: &str,
    style: IniStyle,
    depth: usize,
) -> Result<String> {
    let failed = |message: String| Error::new(Kind::Filter, message);
    if depth > MAX_DEPTH {
        return Err(failed(format!(
            "Recursion limit exceeded in value substitution: option '{option}' in section '{section}' contains an interpolation key which cannot be substituted in {MAX_DEPTH} steps. Raw value: {}",
            str_repr(raw)
        )));
    }
    let mut out = String::new();
    let mut rest = raw;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(next) = after.strip_prefix('%') {
            out.push('%');
            rest = next;
            continue;
        }
        let Some(inside) = after.strip_prefix('(') else {
            return Err(failed(format!(
                "'%' must be followed by '%' or '(', found: {}",
                str_repr(&rest[at..])
            )));
        };
        let Some((name, next)) = inside
            .split_once(")s")
            .filter(|(name, _)| !name.contains(')'))
        else {
            return Err(failed(format!(
                "bad interpolation variable reference {}",
                str_repr(&rest[at..])
            )));
        };
        let key = style.key(name);
        let Some((_, value)) = all.iter().find(|(known, _)| *known == key) else {
            return Err(failed(format!(
                "Bad value substitution: option '{option}' in section '{section}' contains an interpolation key '{key}' which is not a valid option name. Raw value: {}",
                str_repr(raw)
            )));
        };
        let value = value.unwrap_or_default();
        out.push_str(&interpolated(
            all,
            section,
            option,
            value,
            style,
            depth + 1,
        )?);
        rest = next;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_run_over_lines_and_refer_to_each_other() {
        let style = IniStyle {
            interpolation: true,
            ..IniStyle::default()
        };
        let text = "[DEFAULT]\nd=1\n[s]\nA = x %(d)s\n  y\n\n  z\n\nb : %%\n";
        let ini = Ini::read(text, style).expect("a file");
        let get = |name| ini.get("s", name, style).expect("a value").flatten();
        assert_eq!(get("a").as_deref(), Some("x 1\ny\n\nz"));
        assert_eq!(get("B").as_deref(), Some("%"));
        assert_eq!(get("d").as_deref(), Some("1"));
        assert_eq!(get("c"), None);
    }
}
