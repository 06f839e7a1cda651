//! Running a program, ours or Debian's, and comparing the two.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What a program did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) status: Option<i32>,
    pub(crate) out: Vec<u8>,
    pub(crate) err: Vec<u8>,
}

impl Outcome {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.out.clone()).expect("UTF-8 on standard output")
    }

    pub(crate) fn complaint(&self) -> String {
        String::from_utf8_lossy(&self.err).into_owned()
    }
}

/// Our program of this name.
fn ours(program: &str) -> PathBuf {
    PathBuf::from(match program {
        "otr_parse" => env!("CARGO_BIN_EXE_otr_parse"),
        "otr_sesskeys" => env!("CARGO_BIN_EXE_otr_sesskeys"),
        "otr_mackey" => env!("CARGO_BIN_EXE_otr_mackey"),
        "otr_readforge" => env!("CARGO_BIN_EXE_otr_readforge"),
        "otr_modify" => env!("CARGO_BIN_EXE_otr_modify"),
        "otr_remac" => env!("CARGO_BIN_EXE_otr_remac"),
        other => panic!("no program is called {other}"),
    })
}

/// Debian's program of this name. `None`, and a word about it, where there is
/// none; with `CI=true` that is a failure instead.
fn stock(program: &str) -> Option<PathBuf> {
    let path = PathBuf::from("/usr/bin").join(program);
    if path.exists() {
        return Some(path);
    }
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "{program} is not installed (Debian: libotr5-bin)"
    );
    eprintln!("not compared: {program} is not installed (Debian: libotr5-bin)");
    None
}

fn run(path: &PathBuf, program: &str, arguments: &[&[u8]], input: &[u8]) -> Outcome {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let mut child = Command::new(path)
        .arg0(program)
        .args(arguments.iter().map(|argument| OsStr::from_bytes(argument)))
        .env_remove("NO_COLOR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    // A program may well end without reading everything.
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let done = child.wait_with_output().expect("the program ends");
    let _ = writer.join();
    Outcome {
        status: done.status.code(),
        out: done.stdout,
        err: done.stderr,
    }
}

/// Runs our program.
pub(crate) fn run_ours(program: &str, arguments: &[&[u8]], input: &[u8]) -> Outcome {
    run(&ours(program), program, arguments, input)
}

/// Runs Debian's program, if there is one.
pub(crate) fn run_stock(program: &str, arguments: &[&[u8]], input: &[u8]) -> Option<Outcome> {
    stock(program).map(|path| run(&path, program, arguments, input))
}

/// Runs both and demands the same output, error output and status; returns
/// what ours did.
///
/// Of the text that explains how to call a program, the line with its name and
/// arguments is compared; the explanation below it is in our own words.
pub(crate) fn compare(program: &str, arguments: &[&[u8]], input: &[u8]) -> Outcome {
    let ours = run_ours(program, arguments, input);
    if let Some(stock) = run_stock(program, arguments, input) {
        let call: Vec<_> = arguments
            .iter()
            .map(|one| one.escape_ascii().to_string())
            .collect();
        let call = format!(
            "{program} {call:?} < {:.400}",
            input.escape_ascii().to_string()
        );
        assert_eq!(ours.status, stock.status, "status of {call}");
        assert_eq!(
            ours.out.escape_ascii().to_string(),
            stock.out.escape_ascii().to_string(),
            "output of {call}"
        );
        assert_eq!(
            without_explanation(&ours.err).escape_ascii().to_string(),
            without_explanation(&stock.err).escape_ascii().to_string(),
            "error output of {call}"
        );
    }
    ours
}

/// Everything up to and including the line that shows how to call a program.
pub(crate) fn without_explanation(err: &[u8]) -> &[u8] {
    let mut end = 0;
    for line in err.split_inclusive(|byte| *byte == b'\n') {
        end += line.len();
        if line.starts_with(b"Usage: ") {
            break;
        }
    }
    &err[..end]
}
