//! Hostile input, damaged files, faults and leftovers, for any library with
//! the interface of libotr 4.1.
//!
//! ```text
//! cargo test --test hostile -- [SUITE...] [--lib PATH] [--only TEXT] [--verbose]
//!     [--seconds N] [--messages N] [--seed N]
//! ```
//!
//! Without a path the suites run against the shared library that was built
//! beside this program. Every case runs in a process of its own and prints a
//! row; the last line of a suite is `N passed, N failed`.
#![allow(
    unsafe_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::type_complexity
)]

mod bytes;
mod cases;
mod faults;
mod ffi;
mod files;
mod inputs;
mod memory;
mod mutants;
mod party;
mod peer;
mod rng;
mod soak;
mod trace;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use cases::{Runner, Size};

/// Suites by name, in the order in which they run.
const SUITES: &[(&str, fn(&mut Runner))] = &[
    ("inputs", inputs::run),
    ("files", files::run),
    ("mutants", mutants::run),
    ("soak", soak::run),
    ("memory", memory::run),
    ("faults", faults::run),
];

struct Options {
    suites: Vec<String>,
    library: PathBuf,
    only: Option<String>,
    verbose: bool,
    size: Size,
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        suites: Vec::new(),
        library: built_library(),
        only: None,
        verbose: false,
        size: Size {
            seconds: 20,
            messages: 2000,
            seed: 1,
        },
    };
    let number = |text: Option<String>| {
        text.and_then(|n| n.parse::<u64>().ok())
            .ok_or("a number is missing")
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--lib" => options.library = arguments.next().ok_or("--lib needs a path")?.into(),
            "--only" => options.only = Some(arguments.next().ok_or("--only needs a text")?),
            "--seconds" => options.size.seconds = number(arguments.next())? as u32,
            "--messages" => options.size.messages = number(arguments.next())? as u32,
            "--seed" => options.size.seed = number(arguments.next())?,
            "--verbose" => options.verbose = true,
            // What `cargo test` may hand to every test program.
            "--nocapture" | "--quiet" | "-q" => {}
            name if SUITES.iter().any(|(suite, _)| *suite == name) => {
                options.suites.push(name.to_owned());
            }
            other => return Err(format!("unknown suite or option: {other}")),
        }
    }
    Ok(options)
}

/// The shared library that cargo puts beside the folder of test programs.
fn built_library() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program
        .ancestors()
        .nth(2)
        .unwrap_or(Path::new("."))
        .join("libotr.so")
}

/// `--victim FD LIBRARY DIRECTORY LIBGCRYPT`: this process is the victim of the memory
/// suite.
fn victim() -> Option<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, flag, fd, library, directory, gcrypt] = arguments.as_slice() else {
        return None;
    };
    (flag == "--victim").then_some(())?;
    if !gcrypt.is_empty() {
        // SAFETY: a library that programs link with anyway.
        unsafe { libc::dlopen(ffi::c(gcrypt).as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
    }
    ffi::load(Path::new(library)).expect("the library loads");
    party::set_directory(Path::new(directory));
    memory::victim::live(fd.parse().expect("a descriptor"))
}

/// Set in the environment of the run that does the work.
const PREPARED: &str = "HOSTILE_PREPARED";

/// Runs this program again in the environment that the suites need.
fn run_prepared(options: &Options, directory: &Path) -> ExitCode {
    let chosen =
        |name| options.suites.is_empty() || options.suites.iter().any(|suite| suite == name);
    let mut program = Command::new("/proc/self/exe");
    program.args(std::env::args().skip(1)).env(PREPARED, "1");
    if chosen("faults")
        && let Some(shim) = faults::build_shim(directory)
    {
        program.env("LD_PRELOAD", shim);
    }
    if chosen("soak") || chosen("inputs") {
        // The C allocator counts what lies in its cache as in use.
        program.env("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0");
    }
    let status = program.status();
    let _ = std::fs::remove_dir_all(directory);
    if status.is_ok_and(|status| status.success()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn main() -> ExitCode {
    victim();
    let options = match options() {
        Ok(options) => options,
        Err(reason) => {
            eprintln!("{reason}");
            return ExitCode::from(2);
        }
    };
    if let Err(reason) = ffi::load(&options.library) {
        eprintln!("{}: {reason}", options.library.display());
        return ExitCode::from(2);
    }
    let directory = std::env::temp_dir().join(format!("hostile-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a temporary directory");
    if std::env::var_os(PREPARED).is_none() {
        return run_prepared(&options, &directory);
    }
    party::prepare(&directory);
    // SAFETY: a static string of the library.
    let version = unsafe { ffi::text((ffi::lib().otrl_version)()) };
    println!(
        "library {} (version {})",
        ffi::lib().path,
        version.unwrap_or_default()
    );

    let mut good = true;
    for (name, suite) in SUITES {
        if options.suites.is_empty() || options.suites.iter().any(|s| s == name) {
            println!("suite {name}");
            let mut runner = Runner::new(
                options.only.clone(),
                options.verbose,
                &directory,
                options.size,
            );
            suite(&mut runner);
            good &= runner.summary();
        }
    }
    let _ = std::fs::remove_dir_all(&directory);
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
