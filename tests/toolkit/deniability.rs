//! The demonstration: each of its claims, and that it can fail.

use std::path::PathBuf;
use std::process::Command;

use crate::forgery::{
    CHANGED, NEVER_SENT, Recording, WRITTEN, change, message_of, revealed, verified, write_anew,
};
use crate::programs::{Call, Programs};
use crate::story::{self, Listener};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_otr_parse"))
        .parent()
        .expect("a folder")
        .to_owned()
}

/// Collects what is told.
#[derive(Default)]
struct Notes {
    headings: Vec<String>,
    calls: Vec<String>,
    claims: Vec<(bool, String)>,
}

impl Listener for Notes {
    fn heading(&mut self, text: &str) {
        self.headings.push(text.into());
    }

    fn explanation(&mut self, text: &str) {
        assert!(text.len() > 40, "{text}");
    }

    fn call(&mut self, call: &Call) {
        self.calls.extend(call.typed.first().cloned());
    }

    fn claim(&mut self, holds: bool, text: &str) {
        self.claims.push((holds, text.into()));
    }
}

#[test]
fn every_claim_of_the_demonstration_holds() {
    let mut notes = Notes::default();
    story::tell(&Programs::new(folder()), &mut notes).expect("the whole story");
    for (holds, claim) in &notes.claims {
        assert!(holds, "{claim}");
    }
    assert_eq!(notes.claims.len(), 20);
    let last = notes.headings.last().expect("headings");
    assert_eq!(last, "What was forged, and why it verifies");
    for program in [
        "otr_parse",
        "otr_sesskeys",
        "otr_mackey",
        "otr_readforge",
        "otr_modify",
        "otr_remac",
    ] {
        let used = notes.calls.iter().any(|call| call == program);
        assert!(used, "{program} is not shown");
    }
}

/// What the demonstration rests on, without its words: the same attempts fail
/// with any key but the revealed one, and with that one they succeed.
#[test]
fn forgeries_need_exactly_the_revealed_key() {
    let programs = Programs::new(folder());
    let mut recording = Recording::begin().expect("a conversation");
    let message = recording.bob_begins(WRITTEN).expect("a message");
    let arrival = recording.alice.now();
    assert_eq!(
        recording.arrives(&message).as_deref(),
        Some(WRITTEN.as_bytes())
    );
    assert!(
        revealed(&programs, &recording.log())
            .expect("keys")
            .is_empty()
    );
    recording.alice_says("one").expect("sent");
    recording.bob_says("two").expect("sent");
    recording.alice_says("three").expect("sent");
    recording.bob_says("four").expect("sent");
    recording.alice_says("five").expect("sent");

    let keys = revealed(&programs, &recording.log()).expect("keys");
    let fits = |key: &String| {
        verified(&programs, key, "message", &message)
            .expect("run")
            .0
    };
    let (right, wrong): (Vec<_>, Vec<_>) = keys.into_iter().partition(fits);
    assert_eq!(right.len(), 1, "one revealed key verifies the message");
    assert!(!wrong.is_empty(), "other keys are revealed as well");

    let earlier = || {
        recording
            .alice
            .as_it_was(arrival)
            .expect("Alice as she was")
    };
    for key in &wrong {
        assert!(!change(&programs, key, &message).expect("run").succeeded);
        let invented = write_anew(&programs, key, &message, WRITTEN, NEVER_SENT).expect("run");
        assert_eq!(earlier().believes(&message_of(&invented)), None);
    }
    let changed = message_of(&change(&programs, &right[0], &message).expect("run"));
    assert_eq!(
        earlier().believes(&changed).as_deref(),
        Some(CHANGED.as_bytes())
    );
    let invented = write_anew(&programs, &right[0], &message, WRITTEN, NEVER_SENT).expect("run");
    let invented = message_of(&invented);
    assert_eq!(
        earlier().believes(&invented).as_deref(),
        Some(NEVER_SENT.as_bytes())
    );

    // A session takes one of them, since they share a counter.
    let mut alice = earlier();
    assert!(alice.believes(&changed).is_some());
    assert_eq!(alice.believes(&invented), None);
    assert_eq!(alice.believes(&message), None);
}

/// What `make demo-deniability` runs.
#[test]
fn the_demonstration_runs_and_ends_with_what_was_forged() {
    let program = folder().join("examples").join("deniability");
    if !program.exists() {
        // `cargo test --test toolkit` alone does not build it.
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--locked", "--quiet", "--example", "deniability"]);
        let built = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status();
        assert!(built.expect("cargo runs").success());
    }
    let done = Command::new(program)
        .output()
        .expect("the demonstration runs");
    let shown = String::from_utf8(done.stdout).expect("UTF-8");
    assert!(done.status.success(), "{shown}");
    assert_eq!(shown.matches("✓ ").count(), 20, "{shown}");
    assert!(!shown.contains("NOT TRUE"));
    let (_, end) = shown
        .split_once("What was forged, and why it verifies")
        .expect("an end");
    let end = end.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(end.contains(CHANGED) && end.contains(NEVER_SENT));
    for line in shown.lines() {
        assert!(line.chars().count() < 80, "{line}");
    }
}
