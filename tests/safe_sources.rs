//! Where unsafe code may be: in the C interface and in the files named here,
//! and nowhere else.
//!
//! `#![forbid(unsafe_code)]` at the head of a file makes the compiler refuse
//! it in that file and in all modules below; this test sees that the line is
//! there.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The one outer layer with C's pointers.
const INTERFACE: [&str; 2] = ["capi.rs", "capi/"];

/// Arithmetic for detected processor features, with its comparisons, one
/// question to the system, and memory for secrets.
const NAMED: &[&str] = &[
    "crypto/adx.rs",
    "crypto/dsa/adx.rs",
    "crypto/dsa/ifma.rs",
    "crypto/environment.rs",
    "crypto/guarded.rs",
    "crypto/guarded/pages.rs",
    "crypto/modp/adx.rs",
    "crypto/modp/ifma.rs",
];

/// Files that cannot forbid what a module below them contains, and contain
/// nothing unsafe themselves.
const ABOVE: &[&str] = &[
    "lib.rs",
    "crypto.rs",
    "crypto/dsa.rs",
    "crypto/modp.rs",
    "crypto/mont_test.rs",
    "crypto/modp/comb_test.rs",
    "crypto/modp/kernel_test.rs",
];

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The sources outside of the C interface: name below `src`, and text.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let name = |path: &Path| path.strip_prefix(&root).unwrap().display().to_string();
    let sources: Vec<_> = files
        .iter()
        .map(|path| (name(path), fs::read_to_string(path).unwrap()))
        .filter(|(name, _)| !INTERFACE.iter().any(|start| name.starts_with(start)))
        .collect();
    assert!(sources.len() > 50, "only {} sources found", sources.len());
    sources
}

fn forbids(text: &str) -> bool {
    text.lines().any(|line| line == "#![forbid(unsafe_code)]")
}

/// Whether the text has the keyword outside of comments.
fn uses_unsafe(text: &str) -> bool {
    text.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .any(|line| {
            line.split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|word| word == "unsafe")
        })
}

#[test]
fn unsafe_code_is_forbidden_outside_of_the_named_files() {
    let known: BTreeSet<&str> = NAMED.iter().chain(ABOVE).copied().collect();
    let open: BTreeSet<String> = sources()
        .into_iter()
        .filter(|(_, text)| !forbids(text))
        .map(|(name, _)| name)
        .collect();
    let open: BTreeSet<&str> = open.iter().map(String::as_str).collect();
    assert_eq!(open, known, "files that do not forbid unsafe code");
}

#[test]
fn files_above_the_kernels_contain_nothing_unsafe() {
    for (name, text) in sources() {
        if ABOVE.contains(&name.as_str()) {
            assert!(!uses_unsafe(&text), "{name} contains unsafe code");
        }
    }
    assert!(uses_unsafe("    unsafe { f() } // why"));
    assert!(!uses_unsafe("#![allow(unsafe_code)] // unsafe"));
}

#[test]
fn the_compiler_refuses_unsafe_code_where_nothing_permits_it() {
    let manifest = include_str!("../Cargo.toml");
    assert!(manifest.contains("\nunsafe_code = \"deny\"\n"));
}
