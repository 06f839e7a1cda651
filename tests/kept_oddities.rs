//! `docs/kept-oddities.md` lists every place that is marked `Compatibility:`,
//! each with tests that exist.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn collect(folder: &Path, extension: &str, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, extension, files);
        } else if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
}

/// Name below the root, and text, of the files in a folder.
fn texts(folder: &str, extension: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    collect(&root().join(folder), extension, &mut files);
    let name = |path: &Path| path.strip_prefix(root()).unwrap().display().to_string();
    files
        .iter()
        .map(|path| (name(path), fs::read_to_string(path).unwrap()))
        .collect()
}

/// The rows of the table: where, and the names of the tests.
fn listed() -> Vec<(String, Vec<String>)> {
    let quoted = |cell: &str| -> Vec<String> {
        cell.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    };
    fs::read_to_string(root().join("docs/kept-oddities.md"))
        .unwrap()
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells: Vec<&str> = line.split(" | ").collect();
            (quoted(cells[0])[0].clone(), quoted(cells[2]))
        })
        .collect()
}

/// How often each file outside of its tests is marked.
fn marked() -> BTreeMap<String, usize> {
    texts("src", "rs")
        .into_iter()
        .filter(|(name, _)| !name.ends_with("tests.rs"))
        .map(|(name, text)| {
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            (name, code.matches("Compatibility:").count())
        })
        .filter(|(_, count)| *count > 0)
        .collect()
}

/// The names of all tests in Rust, all cases of the laboratory, all programs in C.
fn tests() -> BTreeSet<String> {
    let mut names: BTreeSet<String> = texts("ctests", "c")
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    for (_, text) in texts("lab/scripts", "lab") {
        let cases = text.lines().filter_map(|line| line.strip_prefix("case "));
        names.extend(cases.filter_map(|case| Some(case.split_once(": ")?.0.to_owned())));
    }
    for (_, text) in [texts("src", "rs"), texts("tests", "rs")].concat() {
        let bodies = text.split("#[test]\n").skip(1);
        let names_in_text = bodies.filter_map(|body| {
            let (_, rest) = body.split_once("fn ")?;
            Some(rest.split_once('(')?.0.to_owned())
        });
        names.extend(names_in_text);
    }
    names
}

#[test]
fn every_mark_is_listed() {
    let mut rows = BTreeMap::new();
    for (place, _) in listed() {
        *rows.entry(place).or_insert(0_usize) += 1;
    }
    assert_eq!(rows, marked());
}

#[test]
fn every_listed_test_exists() {
    let existing = tests();
    let rows = listed();
    let missing: Vec<_> = rows
        .iter()
        .filter(|(_, tests)| tests.is_empty() || tests.iter().any(|name| !existing.contains(name)))
        .collect();
    assert!(missing.is_empty(), "no such test: {missing:?}");
}
