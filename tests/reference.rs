//! The reference pages in `docs/`, made from the tables; stale ones fail.

use std::fmt::Write;
use std::path::Path;

use regrole::jinja::{self, Row};
use regrole::template;

/// Compares a page with the one in the repository; `REGROLE_DOCS_UPDATE=1` writes it.
fn check(name: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs")
        .join(name);
    if std::env::var_os("REGROLE_DOCS_UPDATE").is_some() {
        std::fs::write(&path, made).expect("the page is written");
        return;
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == made,
        "docs/{name} is stale: run REGROLE_DOCS_UPDATE=1 cargo test --test integration reference"
    );
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', "\\n")
}

/// Writes a section: a heading and a table of rows, in the order of the alphabet.
fn section(out: &mut String, title: &str, collections: &[&str], rows: &[Row]) {
    let _ = write!(out, "\n## {title}\n\n");
    if !collections.is_empty() {
        let names: Vec<String> = collections.iter().map(|c| format!("`{c}`")).collect();
        let _ = write!(out, "Also by their full names in {}.\n\n", names.join(", "));
    }
    out.push_str("| name | does | example |\n|---|---|---|\n");
    let mut rows: Vec<&Row> = rows.iter().collect();
    rows.sort_by_key(|row| row.name);
    for row in rows {
        let (example, result) = row.example.rsplit_once(" => ").expect(row.name);
        let _ = writeln!(
            out,
            "| `{}` | {} | `{}` gives `{}` |",
            cell(row.name),
            cell(row.doc),
            cell(example),
            cell(result)
        );
    }
}

#[test]
fn the_page_of_filters_is_what_the_tables_say() {
    let mut out = String::from(
        "# Filters\n\nEvery filter, by what it is about. The examples are run by the tests, and this page is \
         made from the tables.\n",
    );
    for (title, rows) in jinja::FILTERS {
        section(
            &mut out,
            &format!("Jinja2: {title}"),
            &["ansible.builtin"],
            rows,
        );
    }
    for family in template::FILTERS {
        section(&mut out, family.title, family.collections, family.rows);
    }
    check("filters.md", &out);
}

#[test]
fn the_page_of_tests_is_what_the_tables_say() {
    let mut out = String::from(
        "# Tests\n\nEvery test (`is …`), by what it is about. The examples are run by the tests of this \
         project, and this page is made from the tables.\n",
    );
    section(&mut out, "Jinja2", &["ansible.builtin"], jinja::TESTS);
    for (title, rows) in template::TESTS {
        section(&mut out, title, &["ansible.builtin"], rows);
    }
    out.push_str("\nThe following have only their full names.\n");
    for (collection, title, rows) in template::COLLECTION_TESTS {
        section(&mut out, title, &[collection], rows);
    }
    check("tests.md", &out);
}

#[test]
fn the_page_of_lookups_is_what_the_table_says() {
    let mut out = String::from(
        "# Lookups\n\nEvery lookup: `lookup('name', …)`, `query('name', …)`, `with_name`. This page is made \
         from the table.\n\n| name | gives |\n|---|---|\n",
    );
    let mut rows: Vec<_> = template::LOOKUPS.iter().collect();
    rows.sort_by_key(|row| row.name);
    for row in rows {
        let _ = writeln!(out, "| `{}` | {} |", row.name, cell(row.doc));
    }
    check("lookups.md", &out);
}
