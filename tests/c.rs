//! The C programs of `ctests/`, each compiled against our headers and against the installed ones, and each run with our
//! library and with the installed one: a program cannot tell which it has. It must end with status 0 and print the same
//! in all four combinations.
//!
//! A program says by comment lines of its own what it needs beyond the library:
//!
//! ```c
//! //@ options: -lgcrypt -pthread      further compiler options
//! //@ ours only: REASON               it is not compiled or run with the installed library
//! ```
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail loudly, in its helpers too"
)]

mod support;

use std::fs;
use support::{Library, compile, ours, root, run, stock};

macro_rules! programs {
    ($($name:ident),* $(,)?) => {
        /// The programs below; the list has to be complete.
        const PROGRAMS: &[&str] = &[$(stringify!($name)),*];
        $(#[test] fn $name() { compare(stringify!($name)); })*
    };
}

programs! {
    absent,
    comparison,
    contexts,
    conversation,
    dh,
    files,
    keyexchange,
    late,
    memory,
    nulls,
    odd_numbers,
    values,
    wiping,
}

#[test]
fn every_program_is_run() {
    let mut found: Vec<String> = fs::read_dir(root().join("ctests"))
        .expect("ctests/")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
        .map(|path| {
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    found.sort();
    assert_eq!(
        found, PROGRAMS,
        "ctests/*.c and the list in this file, sorted by name"
    );
}

fn compare(name: &str) {
    let source = format!("ctests/{name}.c");
    let text = fs::read_to_string(root().join(&source)).expect("the program's source");
    let remark = |key: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(&format!("//@ {key}:")))
            .map(str::trim)
    };
    let options: Vec<&str> = remark("options")
        .unwrap_or_default()
        .split_whitespace()
        .collect();

    let mut libraries = vec![ours()];
    match (remark("ours only"), stock()) {
        (Some(reason), _) => println!("{name}: with our library only: {reason}"),
        (None, Some(stock)) => libraries.push(stock),
        (None, None) => println!("{name}: no libotr is installed, compared with nothing"),
    }
    let outputs: Vec<(&Library, &Library, String)> = libraries
        .iter()
        .map(|headers| (headers, compile(&source, headers, &options)))
        .flat_map(|(headers, program)| {
            libraries
                .iter()
                .map(move |library| (headers, library, run(&program, library, &[])))
                .collect::<Vec<_>>()
        })
        .collect();
    let (_, _, first) = outputs.first().expect("at least our own");
    assert!(!first.is_empty(), "{name} prints what it saw");
    for (headers, library, output) in &outputs {
        assert!(
            output == first,
            "{name} compiled with the headers of {} and run with {} prints something else than with ours:\n{}",
            headers.name,
            library.name,
            differences(first, output),
        );
    }
}

/// The first lines that differ, for a person to read.
fn differences(ours: &str, other: &str) -> String {
    let mut report = String::new();
    let length = ours.lines().count().max(other.lines().count());
    let at = |text: &str, index| text.lines().nth(index).unwrap_or("(nothing)").to_owned();
    for index in (0..length)
        .filter(|&index| at(ours, index) != at(other, index))
        .take(10)
    {
        report.push_str(&format!(
            "line {}\n  ours:  {}\n  other: {}\n",
            index + 1,
            at(ours, index),
            at(other, index)
        ));
    }
    report
}
