//! The binary interface, looked at from C: headers, layouts, macros, symbols.
//!
//! The same statements are checked against the headers of libotr5-dev where
//! they are installed, so that the committed lists cannot drift from what
//! programs were compiled with.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

const LAYOUT: &str = include_str!("data/abi64.txt");
const SYMBOLS: &str = include_str!("data/symbols.txt");

/// Where libotr5-dev puts its headers.
const SYSTEM: &str = "/usr/include";

fn ours() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("include")
}

/// The names of the installed headers, sorted.
fn headers(include: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(include.join("libotr"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn system_headers() -> Option<PathBuf> {
    let found = Path::new(SYSTEM).join("libotr/proto.h").exists();
    if !found {
        println!("not compared: libotr5-dev is not installed");
    }
    found.then(|| SYSTEM.into())
}

/// Whether there is a C compiler with libgcrypt's headers.
fn have_compiler() -> bool {
    let ready = compile("c", "gnu17", &ours(), "#include <gcrypt.h>\n").is_ok();
    if !ready {
        println!("not checked: no C compiler with libgcrypt's headers");
    }
    ready
}

/// Checks a program's syntax with all warnings as errors.
fn compile(language: &str, standard: &str, include: &Path, program: &str) -> Result<(), String> {
    let mut child = Command::new(env::var_os("CC").as_deref().unwrap_or(OsStr::new("cc")))
        .args(["-fsyntax-only", "-Wall", "-Wextra", "-Werror"])
        .args(["-x", language, &format!("-std={standard}")])
        .arg("-I")
        .arg(include)
        .arg("-")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    child
        .stdin
        .take()
        .unwrap()
        .write_all(program.as_bytes())
        .map_err(|error| error.to_string())?;
    let output = child
        .wait_with_output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

#[test]
fn every_header_compiles_alone() {
    if !have_compiler() {
        return;
    }
    let all = headers(&ours());
    assert_eq!(all.len(), 16);
    let standards = [
        ("c", "gnu89"),
        ("c", "c99"),
        ("c", "gnu11"),
        ("c", "c17"),
        ("c++", "c++11"),
        ("c++", "gnu++17"),
    ];
    for (language, standard) in standards {
        for header in &all {
            // Twice, as programs do by way of other headers.
            let program = format!("#include <libotr/{header}>\n").repeat(2);
            if let Err(problem) = compile(language, standard, &ours(), &program) {
                panic!("{header} as {standard}:\n{problem}");
            }
        }
    }
}

/// A C program that compiles only if every line of the committed list holds.
fn statements() -> String {
    // The message.h of libotr5-dev needs proto.h before it.
    let mut program = String::from("#include <stddef.h>\n#include <libotr/proto.h>\n");
    for header in headers(&ours()) {
        writeln!(program, "#include <libotr/{header}>").unwrap();
    }
    let named = |name: &str| match name {
        "s_OtrlUserState" => format!("struct {name}"),
        _ => name.to_owned(),
    };
    for line in LAYOUT.lines() {
        let words: Vec<_> = line.split(' ').collect();
        let statement = match words[..] {
            ["size", name, size, align] => {
                let name = named(name);
                format!("sizeof({name}) == {size} && _Alignof({name}) == {align}")
            }
            ["field", name, field, offset, size] => {
                let name = named(name);
                format!(
                    "offsetof({name}, {field}) == {offset} \
                     && sizeof((({name} *)0)->{field}) == {size}"
                )
            }
            ["value", name, number] => format!("({name}) == ({number})"),
            ["string", name, hex] => {
                let text: String = hex
                    .as_bytes()
                    .chunks(2)
                    .map(|digits| format!("\\x{}\" \"", std::str::from_utf8(digits).unwrap()))
                    .collect();
                format!("__builtin_strcmp({name}, \"{text}\") == 0")
            }
            _ => continue,
        };
        writeln!(program, "_Static_assert({statement}, \"{line}\");").unwrap();
    }
    program
}

#[test]
fn layouts_and_values_are_those_of_the_committed_list() {
    if !have_compiler() || cfg!(not(target_pointer_width = "64")) {
        return;
    }
    let program = statements();
    assert!(program.matches("_Static_assert").count() > 270);
    for include in [Some(ours()), system_headers()].into_iter().flatten() {
        if let Err(problem) = compile("c", "gnu17", &include, &program) {
            panic!("{}:\n{problem}", include.display());
        }
    }
}

/// The macros of a header and what they stand for, by name; without the
/// guards.
fn macros(include: &Path) -> BTreeSet<String> {
    headers(include)
        .iter()
        .flat_map(|header| {
            let text = fs::read_to_string(include.join("libotr").join(header)).unwrap();
            text.lines()
                .filter_map(|line| line.strip_prefix("#define "))
                .map(|rest| {
                    let end = rest
                        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                        .unwrap_or(rest.len());
                    rest[..end].to_owned()
                })
                .filter(|name| !name.starts_with("__"))
                .collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn macros_have_the_names_that_programs_use() {
    if let Some(system) = system_headers() {
        assert_eq!(macros(&ours()), macros(&system));
        assert_eq!(headers(&ours()), headers(&system));
    }
    for line in LAYOUT.lines() {
        if let Some(("string", name)) = line
            .split_once(' ')
            .map(|(kind, rest)| (kind, rest.split(' ').next().unwrap()))
        {
            assert!(macros(&ours()).contains(name), "{name}");
        }
    }
}

/// The shared library that was built together with this test: beside it.
fn library() -> PathBuf {
    let test = env::current_exe().unwrap();
    let built = test.with_file_name("libotr.so");
    assert!(built.exists(), "cargo has not built {}", built.display());
    built
}

#[test]
fn exported_symbols_are_those_of_the_committed_list() {
    let Ok(output) = Command::new("nm")
        .args(["-D", "--defined-only"])
        .arg(library())
        .output()
    else {
        println!("not checked: no nm");
        return;
    };
    let exported: BTreeSet<_> = std::str::from_utf8(&output.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| line.split(' ').nth(2))
        .collect();
    let expected: BTreeSet<_> = SYMBOLS
        .lines()
        .filter(|line| line.starts_with("otrl_"))
        .collect();
    assert_eq!(exported, expected);
}
