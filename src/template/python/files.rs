//! Which files hold plugins, and which names they may define.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::Sort;

/// The directories of plugins, and what their files mention.
#[derive(Default)]
pub(super) struct Files {
    directories: HashMap<Sort, Vec<PathBuf>>,
    known: HashMap<Sort, Vec<PathBuf>>,
    /// The names that a file may define: its quoted words and keyword arguments.
    words: HashMap<PathBuf, HashSet<String>>,
}

impl Files {
    /// Adds a directory behind those known; says whether it has plugins.
    pub(super) fn add(&mut self, sort: Sort, dir: &Path) -> bool {
        self.insert(sort, dir, usize::MAX)
    }

    /// Adds a directory in front of those of the settings, behind those added so before.
    pub(super) fn add_first(&mut self, sort: Sort, dir: &Path) -> bool {
        self.insert(sort, dir, 0)
    }

    fn insert(&mut self, sort: Sort, dir: &Path, at: usize) -> bool {
        let dirs = self.directories.entry(sort).or_default();
        if dirs.iter().any(|one| one == dir) {
            return false;
        }
        dirs.insert(at.min(dirs.len()), dir.to_path_buf());
        let found = python_files(dir);
        for file in &found {
            if sort != Sort::Lookup {
                let text = std::fs::read_to_string(file).unwrap_or_default();
                self.words.insert(file.clone(), words(&text));
            }
        }
        let any = !found.is_empty();
        let files = self.known.entry(sort).or_default();
        let at = at.min(files.len());
        files.splice(at..at, found);
        any
    }

    /// Returns all files of a sort.
    pub(super) fn of(&self, sort: Sort) -> Vec<PathBuf> {
        self.known.get(&sort).cloned().unwrap_or_default()
    }

    /// Returns the file that is named as a plugin is.
    pub(super) fn named(&self, sort: Sort, name: &str) -> Option<PathBuf> {
        let files = self.known.get(&sort)?;
        let stem = |file: &PathBuf| file.file_stem().is_some_and(|stem| stem == name);
        files.iter().find(|file| stem(file)).cloned()
    }

    /// Says whether a file may define a name. One that the program has itself must be mentioned.
    pub(super) fn may_have(&self, sort: Sort, name: &str, is_known: bool) -> bool {
        self.known.get(&sort).is_some_and(|files| {
            files
                .iter()
                .any(|file| !is_known || self.mentions(file, name))
        })
    }

    /// Says whether a file mentions a name.
    pub(super) fn mentions(&self, file: &Path, name: &str) -> bool {
        self.words
            .get(file)
            .is_some_and(|words| words.contains(name))
    }

    /// Returns a file that mentions a name.
    pub(super) fn mentioning(&self, sort: Sort, name: &str) -> Option<PathBuf> {
        let files = self.of(sort);
        files.into_iter().find(|file| self.mentions(file, name))
    }
}

fn python_files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension().is_some_and(|end| end == "py")
                && path.file_stem().is_some_and(|stem| stem != "__init__")
        })
        .collect();
    files.sort();
    files
}

/// Returns what a Python text quotes or gives as keyword argument, where it can be a name.
fn words(text: &str) -> HashSet<String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = HashSet::new();
    let mut rest = text;
    let mut before = ' ';
    while let Some(start) = rest.find(is_word) {
        before = rest[..start].chars().last().unwrap_or(before);
        let word = &rest[start..];
        let end = word.find(|c| !is_word(c)).unwrap_or(word.len());
        let (word, behind) = word.split_at(end);
        let is_quoted = matches!(before, '\'' | '"') && behind.starts_with(before);
        let is_keyword = behind.starts_with('=') && !behind.starts_with("==");
        if is_quoted || is_keyword {
            found.insert(word.to_owned());
        }
        rest = behind;
        before = ' ';
    }
    found
}

/// Returns the directory of a collection's plugins, where it is installed.
pub(super) fn in_collection(places: &[PathBuf], sort: Sort, name: &str) -> Option<PathBuf> {
    let mut parts = name.splitn(3, '.');
    let (space, collection) = (parts.next()?, parts.next()?);
    parts.next()?;
    places
        .iter()
        .map(|place| {
            place
                .join("ansible_collections")
                .join(space)
                .join(collection)
                .join("plugins")
                .join(sort.name())
        })
        .find(|dir| dir.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_is_quoted_or_given_by_keyword() {
        let found = words("return {'hello': f, \"to_x\": g}\ndict(boom=b) if a == 'it is' else c");
        for name in ["hello", "to_x", "boom"] {
            assert!(found.contains(name), "{name}");
        }
        assert!(!found.contains("f") && !found.contains("a") && !found.contains("it"));
    }

    #[test]
    fn what_is_added_later_for_playbooks_and_roles_comes_before_the_settings() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut files = Files::default();
        for name in ["settings", "play"] {
            std::fs::create_dir(dir.path().join(name)).expect("a directory");
            std::fs::write(dir.path().join(name).join("x.py"), "{'x': 1}").expect("a file");
        }
        assert!(files.add(Sort::Lookup, &dir.path().join("settings")));
        assert!(files.add_first(Sort::Lookup, &dir.path().join("play")));
        assert!(!files.add_first(Sort::Lookup, &dir.path().join("play")));
        assert!(!files.add_first(Sort::Filter, &dir.path().join("none")));
        let found = files.named(Sort::Lookup, "x");
        assert_eq!(found, Some(dir.path().join("play/x.py")));
    }
}
