//! Playbook cases recorded from real Ansible: `tests/parity/README.md` says how.
//!
//! Each case runs in a scratch directory and is compared in three parts: `out`, `err` (the two
//! streams, byte for byte) and `end` (exit code and every file left behind). What isn't equal yet
//! is listed in `tests/parity/open.LEVEL.txt`; the lists may only shrink.
//!
//! `REGROLE_PARITY_CASE=loop` runs the cases whose name contains `loop` and prints the differences;
//! `REGROLE_PARITY_LIVE=1` compares with an Ansible run now instead of the record;
//! `REGROLE_PARITY_UPDATE=1` rewrites the open lists.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const PARTS: [&str; 3] = ["out", "err", "end"];
/// The names that the binary answers to as Ansible's programs do.
const PROGRAMS: [&str; 4] = [
    "ansible",
    "ansible-inventory",
    "ansible-playbook",
    "ansible-vault",
];

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity")
}

/// Runs one case with the programs of a directory, and returns its three parts.
fn run_case(level: &str, programs: &Path, case: &Path) -> [String; 3] {
    let results = tempfile::tempdir().expect("a temporary directory");
    let output = Command::new(directory().join("run-case"))
        .arg(level)
        .args([programs, case, results.path()])
        .output()
        .expect("tests/parity/run-case can be run");
    assert!(output.status.success(), "{}: {output:?}", case.display());
    PARTS.map(|part| {
        String::from_utf8_lossy(
            &fs::read(results.path().join(part)).expect("run-case writes every part"),
        )
        .into_owned()
    })
}

/// Returns what a case is compared with: the record, or a real run.
fn expected(level: &str, oracle: Option<&Path>, case: &Path) -> [String; 3] {
    if let Some(programs) = oracle {
        return run_case(level, programs, case);
    }
    PARTS.map(|part| {
        let path = case.join(format!("expected.{level}.{part}"));
        fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error} (tests/parity/record)", path.display()))
    })
}

fn cases(level: &str, filter: &str) -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = fs::read_dir(directory().join("playbooks"))
        .expect("the cases are there")
        .map(|entry| entry.expect("a directory entry").path())
        .filter(|path| name(path).contains(filter))
        .filter(|path| {
            fs::read_to_string(path.join("levels"))
                .is_ok_and(|levels| levels.lines().any(|l| l == level))
                || !path.join("levels").exists()
        })
        .collect();
    cases.sort();
    assert!(!cases.is_empty(), "no case is named like `{filter}`");
    cases
}

fn name(case: &Path) -> String {
    case.file_name()
        .expect("cases are directories with names")
        .to_string_lossy()
        .into_owned()
}

fn difference(case: &str, part: &str, expected: &str, found: &str) -> String {
    similar::TextDiff::from_lines(expected, found)
        .unified_diff()
        .header(
            &format!("ansible: {case} {part}"),
            &format!("regrole: {case} {part}"),
        )
        .to_string()
}

#[test]
fn playbooks_do_and_print_what_ansible_2_19_does() {
    compare("2.19");
}

#[test]
fn playbooks_do_and_print_what_ansible_2_18_does() {
    compare("2.18");
}

#[test]
fn playbooks_do_and_print_what_ansible_2_9_does() {
    compare("2.9");
}

fn compare(level: &str) {
    let filter = std::env::var("REGROLE_PARITY_CASE").unwrap_or_default();
    let oracle = std::env::var_os("REGROLE_PARITY_LIVE").map(|_| {
        let output = Command::new(directory().join("oracle"))
            .arg(level)
            .output()
            .expect("tests/parity/oracle can be run");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
    });
    let programs = tempfile::tempdir().expect("a temporary directory");
    for program in PROGRAMS {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_regrole"), programs.path().join(program))
            .expect("a link can be made");
    }

    let cases = cases(level, &filter);
    let next = AtomicUsize::new(0);
    let differences = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let want = expected(level, oracle.as_deref(), case);
                    let have = run_case(level, programs.path(), case);
                    for ((part, want), have) in PARTS.into_iter().zip(want).zip(have) {
                        if want != have {
                            let text = difference(&name(case), part, &want, &have);
                            differences
                                .lock()
                                .expect("no thread panicked")
                                .push((format!("{} {part}", name(case)), text));
                        }
                    }
                }
            });
        }
    });

    let mut differences = differences.into_inner().expect("no thread panicked");
    differences.sort();
    let open_file = directory().join(format!("open.{level}.txt"));
    let open: BTreeSet<String> = fs::read_to_string(&open_file)
        .expect("the open list is there")
        .lines()
        .map(str::to_owned)
        .collect();
    let different: BTreeSet<String> = differences.iter().map(|(what, _)| what.clone()).collect();
    if std::env::var_os("REGROLE_PARITY_UPDATE").is_some() {
        assert!(
            filter.is_empty(),
            "the open list is rewritten from all cases, not from some"
        );
        let list = different.iter().fold(String::new(), |mut list, what| {
            let _ = writeln!(list, "{what}");
            list
        });
        fs::write(&open_file, list).expect("the open list can be written");
        return;
    }

    let report: String = differences
        .iter()
        .filter(|(what, _)| !filter.is_empty() || !open.contains(what))
        .map(|(_, text)| text.as_str())
        .collect();
    let ran: BTreeSet<String> = cases
        .iter()
        .flat_map(|case| PARTS.map(|part| format!("{} {part}", name(case))))
        .collect();
    let stale: Vec<&String> = open
        .iter()
        .filter(|what| ran.contains(*what) && !different.contains(*what))
        .collect();
    let total = ran.len();
    println!(
        "{} of {total} parts of {} cases are equal",
        total - different.len(),
        cases.len()
    );
    assert!(
        report.is_empty(),
        "{report}\n{} of {total} parts differ",
        different.len()
    );
    assert!(
        stale.is_empty(),
        "equal now, take them off {}: {stale:?}",
        open_file.display()
    );
}
