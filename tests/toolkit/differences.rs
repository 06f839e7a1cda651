//! The deliberate differences that `docs/toolkit.md` lists: each is shown to
//! be one, so that the list stays true.

use std::fs;

use super::run::{Outcome, run_ours, run_stock, without_explanation};

/// Runs both, and demands that they differ where there is another to differ
/// from.
fn differ(program: &str, arguments: &[&[u8]], input: &[u8]) -> Outcome {
    let ours = run_ours(program, arguments, input);
    if let Some(stock) = run_stock(program, arguments, input) {
        assert_ne!(ours, stock, "{program} is the same as Debian's");
    }
    ours
}

/// Number 1: the explanation below the line that shows how to call a program.
#[test]
fn explanations_are_in_our_own_words() {
    for program in ["otr_sesskeys", "otr_mackey", "otr_remac"] {
        let ours = differ(program, &[], b"");
        assert_eq!(ours.status, Some(1));
        assert!(ours.err.len() > without_explanation(&ours.err).len());
    }
}

/// Number 2: options.
#[test]
fn options_are_understood_in_front_of_the_arguments() {
    for program in ["otr_parse", "otr_mackey", "otr_readforge"] {
        for option in ["--help", "-h"] {
            let ours = differ(program, &[option.as_bytes()], b"");
            assert_eq!(ours.status, Some(0));
            assert!(ours.text().starts_with(&format!("Usage: {program}")));
            assert!(ours.err.is_empty());
        }
        for option in ["--version", "-V"] {
            let ours = differ(program, &[option.as_bytes()], b"");
            let version = env!("CARGO_PKG_VERSION");
            assert_eq!(ours.text(), format!("{program} {version}\n"));
        }
    }
    for option in ["--nothing", "-x", "-jx"] {
        let ours = differ("otr_parse", &[option.as_bytes()], b"");
        assert_eq!(ours.status, Some(1));
        let complaint = ours.complaint();
        assert!(complaint.starts_with("invalid option "), "{complaint}");
        assert!(complaint.contains("\nUsage: otr_parse\n"), "{complaint}");
    }
    let aes = b"000102030405060708090a0b0c0d0e0f";
    let ours = differ("otr_mackey", &[b"--", aes], b"");
    assert_eq!(ours.status, Some(0));
}

/// Number 3: errors of reading and writing are reported.
#[test]
fn reading_and_writing_can_fail() {
    use std::process::{Command, Stdio};

    let full = fs::OpenOptions::new().write(true).open("/dev/full");
    if let Ok(full) = full {
        let done = Command::new(env!("CARGO_BIN_EXE_otr_mackey"))
            .arg("000102030405060708090a0b0c0d0e0f")
            .stdout(full)
            .output()
            .expect("the program runs");
        assert_eq!(done.status.code(), Some(1));
        let complaint = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(
            complaint.starts_with("otr_mackey: cannot write: "),
            "{complaint}"
        );
    }
    let folder = fs::File::open("/").expect("the root folder");
    let done = Command::new(env!("CARGO_BIN_EXE_otr_parse"))
        .stdin(Stdio::from(folder))
        .output()
        .expect("the program runs");
    assert_eq!(done.status.code(), Some(1));
    let complaint = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(
        complaint.starts_with("otr_parse: cannot read: "),
        "{complaint}"
    );
}

/// Number 4: memory is bounded.
#[test]
fn a_message_without_end_is_left_out() {
    let mut input = b"?OTR:AAMD".to_vec();
    input.resize(17 << 20, b'A');
    input.extend_from_slice(b".?OTR:AAMC.");
    let ours = differ("otr_parse", &[], &input);
    assert_eq!(
        ours.text(),
        "Message too long to be shown\n\nInvalid D-H Commit Message\n\n"
    );
    let aes = b"000102030405060708090a0b0c0d0e0f";
    let ours = differ("otr_readforge", &[aes], &input);
    assert_eq!(ours.complaint(), "OTR message on stdin is too long.\n");
    assert_eq!(ours.status, Some(1));
}
