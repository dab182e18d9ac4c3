//! Where inventories come from: files, directories, programs, lists of hosts.
//!
//! Each way of reading is tried in the order of Ansible's `enable_plugins`; what the failing ones
//! said is told only where none succeeded, and what they added before they failed stays.

use std::path::{Path, PathBuf};

use super::data::{HostSource, Inventory};
use super::reader::{GroupNames, Reader};
use super::{ini, pattern, range, script, yaml};
use crate::compat::Level;
use crate::config::{expand_home, normal_path};
use crate::diag::{Error, Exactness, Kind, Notice, Result, Sources};

/// How sources are read.
#[derive(Clone, Debug)]
pub struct SourceOptions {
    /// The level.
    pub level: Level,
    /// Endings of files that are left out of directories; none for the level's own.
    pub ignored_extensions: Option<Vec<String>>,
    /// Regular expressions of file names that are left out of directories.
    pub ignore_patterns: Vec<String>,
    /// What to do with odd group names.
    pub group_names: GroupNames,
    /// A source that can't be read is an error.
    pub any_unparsed_is_failed: bool,
    /// It is an error that no source can be read.
    pub unparsed_is_failed: bool,
    /// Warn where no source can be read.
    pub unparsed_warning: bool,
    /// `--limit`, as given.
    pub limit: Option<String>,
}

impl Default for SourceOptions {
    fn default() -> SourceOptions {
        SourceOptions {
            level: Level::default(),
            ignored_extensions: None,
            ignore_patterns: Vec::new(),
            group_names: GroupNames::default(),
            any_unparsed_is_failed: false,
            unparsed_is_failed: false,
            unparsed_warning: true,
            limit: None,
        }
    }
}

/// The inventory that is read where none is given.
pub const DEFAULT_SOURCE: &str = "/etc/ansible/hosts";

/// Reads sources in order; a later one adds to an earlier one.
///
/// A source that can't be read is a warning, as in Ansible, kept with the texts.
///
/// # Errors
/// A limit that can't be read; an unreadable source, where the options say so.
pub fn load(sources: &Sources, given: &[String], options: &SourceOptions) -> Result<Inventory> {
    let mut inventory = Inventory::default();
    let loading = Loading {
        sources,
        options,
        ignored: ignored(options)?,
    };
    for source in given.iter().filter(|source| !source.is_empty()) {
        let done = if source.contains(',') {
            host_list(&mut inventory, source);
            true
        } else {
            let path = expand_home(source);
            let path = normal_path(&std::path::absolute(&path).unwrap_or(path));
            inventory.sources.push(path.clone());
            loading.one(&mut inventory, &path)?
        };
        inventory.is_parsed |= done;
    }
    if inventory.is_parsed {
        inventory.reconcile();
        for name in inventory.hosts_named_as_groups() {
            sources.note(Notice::warning(format!(
                "Found both group and host with same name: {name}"
            )));
        }
    } else if options.unparsed_is_failed {
        return Err(Error::new(
            Kind::Inventory,
            "No inventory was parsed, please check your configuration and options.",
        ));
    } else if options.unparsed_warning || options.level.always_warns_of_no_inventory() {
        sources.note(Notice::warning(
            "No inventory was parsed, only implicit localhost is available",
        ));
    }
    if let Some(limit) = &options.limit {
        inventory.limit = Some(limit_of(limit)?);
    }
    Ok(inventory)
}

/// Reads `host,host:port,`.
fn host_list(inventory: &mut Inventory, source: &str) {
    inventory.host_sources.push(HostSource {
        file: source.to_owned(),
        dir: "None".to_owned(),
    });
    for name in source
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
    {
        let (host, port) = range::address(name, false).unwrap_or((name.to_owned(), None));
        if !inventory.has_host(&host) {
            inventory.add_host_at(&host, Some("ungrouped"), port);
        }
    }
}

/// Splits a limit; `@file` names a file with a pattern a line.
fn limit_of(limit: &str) -> Result<Vec<String>> {
    let mut parts = Vec::new();
    for part in pattern::split(limit) {
        let Some(file) = part.strip_prefix('@') else {
            parts.push(part);
            continue;
        };
        let path = Path::new(file);
        if !path.exists() {
            return Err(Error::new(
                Kind::Inventory,
                format!("Unable to find limit file b'{file}'"),
            ));
        }
        if !path.is_file() {
            return Err(Error::new(
                Kind::Inventory,
                format!("Limit starting with \"@\" must be a file, not a directory: b'{file}'"),
            ));
        }
        let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, &error))?;
        parts.extend(
            text.lines()
                .map(|line| line.trim().to_owned())
                .filter(|line| !line.is_empty()),
        );
    }
    Ok(parts)
}

/// Returns what names of files in directories are left out.
fn ignored(options: &SourceOptions) -> Result<Vec<fancy_regex::Regex>> {
    options
        .ignore_patterns
        .iter()
        .map(|pattern| {
            fancy_regex::Regex::new(&format!("^(?:{pattern})")).map_err(|error| {
                Error::new(
                    Kind::Usage,
                    format!("inventory_ignore_patterns: `{pattern}`: {error}"),
                )
            })
        })
        .collect()
}

struct Loading<'a> {
    sources: &'a Sources,
    options: &'a SourceOptions,
    ignored: Vec<fancy_regex::Regex>,
}

impl Loading<'_> {
    /// Reads one file or directory and says whether that worked.
    fn one(&self, inventory: &mut Inventory, path: &Path) -> Result<bool> {
        if path.is_dir() {
            let mut done = false;
            for entry in self.entries(path) {
                done |= self.one(inventory, &entry)?;
            }
            if !done {
                self.unparsed(path)?;
            }
            return Ok(done);
        }
        let shown = path.to_string_lossy();
        inventory.host_sources.push(HostSource {
            file: shown.clone().into_owned(),
            dir: path.parent().unwrap_or(path).to_string_lossy().into_owned(),
        });
        let mut failures = Vec::new();
        let done = path.exists() && {
            let mut reader = Reader::new(inventory, self.sources, self.options, &shown);
            read(&mut reader, path, &mut failures)
        };
        if done {
            return Ok(true);
        }
        for (plugin, error) in failures {
            self.sources.note(failure(
                self.options.level,
                plugin,
                &shown,
                error,
                self.sources,
            ));
        }
        self.unparsed(path)?;
        Ok(false)
    }

    /// Tells that a source can't be read.
    fn unparsed(&self, path: &Path) -> Result<()> {
        let shown = path.display();
        if path == Path::new(DEFAULT_SOURCE) && !path.exists() {
            return Ok(());
        }
        let counts = path.exists() || self.options.level.counts_missing_sources();
        if self.options.any_unparsed_is_failed && counts {
            return Err(Error::new(
                Kind::Inventory,
                format!("Completely failed to parse inventory source {shown}"),
            ));
        }
        self.sources.note(Notice::warning(format!(
            "Unable to parse {shown} as an inventory source"
        )));
        Ok(())
    }

    fn entries(&self, dir: &Path) -> Vec<PathBuf> {
        let mut names: Vec<String> = std::fs::read_dir(dir)
            .map(|entries| {
                entries
                    .flatten()
                    .map(|e| e.file_name().to_string_lossy().into_owned())
                    .collect()
            })
            .unwrap_or_default();
        names.sort();
        let extensions = match &self.options.ignored_extensions {
            Some(given) => given.iter().map(String::as_str).collect(),
            None => self.options.level.ignored_inventory_extensions(),
        };
        names
            .into_iter()
            .filter(|name| {
                !name.starts_with('.')
                    && !matches!(name.as_str(), "group_vars" | "host_vars" | "vars_plugins")
                    && !extensions.iter().any(|ending| name.ends_with(ending))
                    && !self
                        .ignored
                        .iter()
                        .any(|regex| regex.is_match(name).unwrap_or(false))
            })
            .map(|name| dir.join(name))
            .collect()
    }
}

/// Says how a way of reading a source failed.
fn failure(
    level: Level,
    plugin: &'static str,
    path: &str,
    error: Error,
    sources: &Sources,
) -> Notice {
    if !level.shows_error_blocks() {
        let older = Notice::warning(format!(" * Failed to parse {path} with {plugin} plugin"));
        // Lines are said by what reads INI; of YAML, the whole place is shown.
        return older.caused_by(match error.span().filter(|_| error.kind() != Kind::Yaml) {
            Some(span) => Error::new(
                error.kind(),
                format!("{path}:{}: {}", sources.locate(span).line, error.message()),
            ),
            None => error,
        });
    }
    let place = if plugin == "ini" {
        sources.add_name(path)
    } else {
        sources.add_name(format!(
            "<inventory plugin '{plugin}' with source '{path}'>"
        ))
    };
    let cause = match (plugin, error.kind()) {
        ("ini", Kind::Value) => Error::new(Kind::Inventory, "Failed to parse inventory")
            .at(place)
            .caused_by(Error::new(Kind::Value, error.message())),
        ("ini", _) => Error::new(
            Kind::Inventory,
            format!("Failed to parse inventory: {}", error.message()),
        )
        .at(place),
        ("auto", Kind::Yaml) => error,
        _ => {
            let cause = Error::new(error.kind(), error.message()).at(place);
            match error.help_text().filter(|_| plugin == "script") {
                Some(help) => cause.help(help),
                None => cause,
            }
        }
    };
    Notice::warning(format!("Failed to parse inventory with '{plugin}' plugin")).caused_by(cause)
}

type Failures = Vec<(&'static str, Error)>;

/// Tries all ways of reading a file in order; says whether one succeeded.
fn read(reader: &mut Reader, path: &Path, failures: &mut Failures) -> bool {
    let content = match reader.sources.read(path) {
        Ok(content) => content,
        Err(error) => {
            failures.push(("ini", error));
            return false;
        }
    };
    let bytes = content.bytes;
    let level = reader.options.level;
    let extension = path
        .extension()
        .map(|extension| extension.to_string_lossy().into_owned());
    let extension = extension.as_deref().unwrap_or_default();
    let mut attempt = |plugin: &'static str, done: Result<()>| match done {
        Ok(()) => true,
        Err(error) => {
            failures.push((plugin, error));
            false
        }
    };
    if level.runs_inventory(is_executable(path), bytes.starts_with(b"#!"))
        && attempt("script", script::read(reader))
    {
        return true;
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            return attempt("ini", Err(not_utf8(&error)));
        }
    };
    if matches!(extension, "" | "yml" | "yaml" | "json") {
        let source = reader.sources.add(reader.path, text.as_str());
        if content.is_secret {
            reader.sources.hide(source);
        }
        let document = crate::yaml::load(reader.sources, source);
        if matches!(extension, "yml" | "yaml") {
            let refused = match &document {
                Ok(document) => yaml::refuse_plugin(document.as_ref(), reader.path),
                Err(error) => error.clone(),
            };
            attempt("auto", Err(refused));
        }
        let done = document.and_then(|document| yaml::read(reader, document.as_ref()));
        if attempt("yaml", done) {
            return true;
        }
    }
    if extension == "toml" && level.has_toml_inventories() {
        let refused = Error::new(
            Kind::Unsupported,
            "inventories in TOML are not supported; write it in YAML or INI",
        );
        return attempt("toml", Err(refused));
    }
    let exactness = Exactness::Line;
    let source = reader
        .sources
        .add_exact(reader.path, text.as_str(), exactness);
    attempt("ini", ini::read(reader, &text, source))
}

fn is_executable(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

/// Says as Python does that bytes aren't UTF-8.
fn not_utf8(error: &std::string::FromUtf8Error) -> Error {
    let at = error.utf8_error().valid_up_to();
    let byte = error.as_bytes().get(at).copied().unwrap_or_default();
    let why = match (error.utf8_error().error_len(), byte) {
        (None, _) => "unexpected end of data",
        (Some(_), 0xc2..=0xf4) => "invalid continuation byte",
        (Some(_), _) => "invalid start byte",
    };
    Error::value_error(format!(
        "'utf-8' codec can't decode byte 0x{byte:02x} in position {at}: {why}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random and are the same in every run.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, bound: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 % bound as u64) as usize
        }
    }

    const PIECES: &[&str] = &[
        "[",
        "]",
        ":",
        "=",
        "\n",
        "\n",
        " ",
        "#",
        ";",
        "'",
        "\"",
        "\\",
        "{",
        "}",
        ",",
        "|",
        "-",
        "\t",
        "all",
        "web",
        "children",
        "vars",
        "hosts",
        "h1",
        "[1:3]",
        "[a:c]",
        "[9999999999999999999:1]",
        "[1:2:0]",
        "[-5:5:-1]",
        "x=1",
        "x={{ y }}",
        "ansible_group_priority=",
        "é",
        "\u{0}",
        "\r",
        "&a ",
        "*a",
        "!vault ",
        "<<: ",
        "? ",
        "- ",
        "---\n",
        "::1",
        "99999999999999999999",
        "plugin",
    ];

    fn garbage(dice: &mut Dice) -> Vec<u8> {
        let mut bytes = Vec::new();
        for _ in 0..dice.below(40) {
            if dice.below(12) == 0 {
                bytes.push(dice.below(256) as u8);
            } else {
                bytes.extend(PIECES[dice.below(PIECES.len())].bytes());
            }
        }
        bytes
    }

    #[test]
    fn no_bytes_make_reading_panic() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        for round in 0..600 {
            let name = ["hosts", "hosts.yml", "hosts.ini", "hosts.json"][round % 4];
            let path = dir.path().join(name);
            std::fs::write(&path, garbage(&mut dice)).expect("a file");
            let options = SourceOptions {
                level: [Level::V2_9, Level::V2_18, Level::V2_19][round % 3],
                ..SourceOptions::default()
            };
            let given = [path.to_string_lossy().into_owned(), "h1,web".to_owned()];
            let inventory = load(&Sources::default(), &given, &options).expect("warnings only");
            let pattern = String::from_utf8_lossy(&garbage(&mut dice)).into_owned();
            // A pattern may be refused, in words.
            let _ = inventory.select(&pattern);
            inventory.groups_with_hosts();
        }
    }

    #[test]
    fn many_hosts_in_ranges_and_groups_are_all_there() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("hosts.ini");
        let mut text = "[web]\nw[1:5000]\n[db]\nd[1:5000]\n[all:children]\nweb\ndb\n".to_owned();
        for group in 0..100 {
            text.push_str(&format!("[g{group}]\nw[1:50]\n"));
        }
        std::fs::write(&path, text).expect("a file");
        let given = [path.to_string_lossy().into_owned()];
        let inventory =
            load(&Sources::default(), &given, &SourceOptions::default()).expect("an inventory");
        assert_eq!(inventory.hosts().len(), 10_000);
        let matched = inventory.select("all:!web:&d*").expect("a pattern");
        assert_eq!(matched.hosts.len(), 5_000);
        assert_eq!(inventory.group_names("w7").len(), 101);
    }
}
