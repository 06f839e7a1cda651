//! Our library and the installed one as two processes that talk to each other, in every pairing, role and version.
//!
//! Both processes are the chat program of the demonstration, `demo/party.c`; this file is the network between them.
//! The pairing with the installed library on both sides shows that what is asked here is what libotr 4.1.1 does.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly, in its helpers too"
)]

mod support;

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;
use support::{Library, command, compile, ours, scratch, stock, wait};

/// How long one command may take; making a key is the slowest.
const PATIENCE: Duration = Duration::from_secs(60);

/// What one party reported: a kind and the text that belongs to it.
type Report = (String, String);

/// One running chat program.
struct Party {
    name: &'static str,
    process: Child,
    lines: Receiver<String>,
    greeting: Vec<Report>,
}

impl Party {
    fn start(
        name: &'static str,
        peer: &str,
        library: &Library,
        folder: &str,
        versions: &str,
    ) -> Self {
        let folder = scratch(folder).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder for the party");
        let program = compile("demo/party.c", library, &[]);
        let mut process = command(&program, library)
            .args([name, peer])
            .arg(&folder)
            .arg(versions)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the party starts");
        let output = BufReader::new(process.stdout.take().expect("standard output is piped"));
        let (sender, lines) = channel();
        thread::spawn(move || {
            output
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| sender.send(line))
        });
        let mut party = Self {
            name,
            process,
            lines,
            greeting: Vec::new(),
        };
        party.greeting = party.answer();
        party
    }

    /// The reports up to "ready".
    fn answer(&mut self) -> Vec<Report> {
        let mut reports = Vec::new();
        loop {
            let line = self
                .lines
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|error| panic!("{}: {error}", self.name));
            let (kind, text) = line.split_once(' ').unwrap_or((&line, ""));
            if kind == "ready" {
                return reports;
            }
            reports.push((kind.to_owned(), text.to_owned()));
        }
    }

    /// Carries out one command. Texts stay in the form that the program escapes them in.
    fn tell(&mut self, command: &str, text: &str) -> Vec<Report> {
        let input = self
            .process
            .stdin
            .as_mut()
            .expect("standard input is piped");
        writeln!(input, "{command} {text}").expect("the party listens");
        self.answer()
    }

    /// state, version, our fingerprint, their fingerprint, trust, session id
    fn status(&mut self) -> Vec<String> {
        let reports = self.tell("status", "");
        let (_, text) = reports
            .iter()
            .find(|(kind, _)| kind == "status")
            .expect("a status");
        text.split('|').map(str::to_owned).collect()
    }
}

impl Drop for Party {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let status = wait(&mut self.process);
        if !thread::panicking() {
            assert!(
                status.is_some_and(|status| status.success()),
                "{} ended with {status:?}",
                self.name
            );
        }
    }
}

/// Alice, Bob and everything that crossed the wire.
struct Conversation {
    parties: [Party; 2],
    wire: Vec<String>,
}

const ALICE: usize = 0;
const BOB: usize = 1;

impl Conversation {
    /// Carries out a command and delivers every message that follows from it; the reports of Alice and of Bob.
    fn command(&mut self, who: usize, command: &str, text: &str) -> [Vec<Report>; 2] {
        let mut seen = [Vec::new(), Vec::new()];
        let mut todo = VecDeque::from([(who, self.party(who).tell(command, text))]);
        while let Some((from, reports)) = todo.pop_front() {
            for (kind, text) in reports {
                if kind == "wire" {
                    let to = 1 - from;
                    let answer = self.party(to).tell("recv", &text);
                    self.wire.push(text);
                    todo.push_back((to, answer));
                } else if let Some(list) = seen.get_mut(from) {
                    list.push((kind, text));
                }
            }
        }
        seen
    }

    fn party(&mut self, who: usize) -> &mut Party {
        self.parties.get_mut(who).expect("Alice or Bob")
    }

    /// Says a text in private: it arrives as it was, and is not on the wire.
    fn say(&mut self, who: usize, text: &str) {
        let before = self.wire.len();
        let reports = self.command(who, "say", text);
        let arrived = texts(&reports, 1 - who, "typed");
        assert_eq!(
            arrived,
            [text],
            "what the other side sees; everything: {reports:?}"
        );
        let sent = self.wire.get(before..).unwrap_or_default();
        assert!(
            !sent.is_empty() && sent.iter().all(|message| message.starts_with("?OTR:")),
            "the wire: {sent:?}"
        );
    }

    /// SMP with a question from `who`; what both sides learn from it.
    fn prove(&mut self, who: usize, secret: &str, answer: &str) -> [Vec<String>; 2] {
        let asked = self.command(who, "askq", &format!("which bird|{secret}"));
        assert_eq!(texts(&asked, 1 - who, "smp"), ["asked which bird"]);
        let reports = self.command(1 - who, "reply", answer);
        [texts(&reports, ALICE, "smp"), texts(&reports, BOB, "smp")]
    }
}

fn texts(reports: &[Vec<Report>; 2], who: usize, kind: &str) -> Vec<String> {
    let list = reports.get(who).into_iter().flatten();
    list.filter(|(found, _)| found == kind)
        .map(|(_, text)| text.clone())
        .collect()
}

/// Everything two parties do with each other, with one library for Alice and one for Bob, in one protocol version.
fn converse(alice: &Library, bob: &Library, version: &str) {
    println!(
        "Alice: {}, Bob: {}, version {version}",
        alice.name, bob.name
    );
    let folder = format!("interop.{}.{}.{version}", alice.name, bob.name);
    let parties = [
        Party::start("alice", "bob", alice, &folder, version),
        Party::start("bob", "alice", bob, &folder, version),
    ];
    assert!(parties.iter().all(|party| {
        party
            .greeting
            .contains(&("event".into(), "key-made".into()))
    }));
    let mut talk = Conversation {
        parties,
        wire: Vec::new(),
    };

    let reports = talk.command(ALICE, "start", "");
    for who in [ALICE, BOB] {
        assert_eq!(
            texts(&reports, who, "secure").len(),
            1,
            "one session: {reports:?}"
        );
    }
    let (a, b) = (talk.party(ALICE).status(), talk.party(BOB).status());
    let [state, in_use, ours, theirs, trust, session] = a.as_slice() else {
        panic!("six words: {a:?}")
    };
    assert_eq!(
        (state.as_str(), in_use.as_str(), trust.as_str()),
        ("encrypted", version, "")
    );
    assert_eq!(
        b,
        [state, in_use, theirs, ours, trust, session].map(Clone::clone),
        "both sides see the same session"
    );

    for turn in 0..4 {
        talk.say(ALICE, &format!("turn {turn}: a text of Alice's"));
        talk.say(
            BOB,
            &format!("turn {turn}: a text of Bob's, then one more, äöü ✉"),
        );
        talk.say(BOB, "one more");
    }
    talk.say(ALICE, &"long ".repeat(4000));

    for who in [ALICE, BOB] {
        let wrong = talk.prove(who, "kingfisher", "heron");
        assert!(
            wrong.iter().all(|side| side == &["different-secret"]),
            "{wrong:?}"
        );
        assert_eq!(
            talk.party(who).status().get(4).map(String::as_str),
            Some(""),
            "not trusted"
        );
        let right = talk.prove(who, "kingfisher", "kingfisher");
        assert!(
            right.iter().all(|side| side == &["same-secret"]),
            "{right:?}"
        );
        assert_eq!(
            talk.party(who).status().get(4).map(String::as_str),
            Some("smp"),
            "trusted"
        );
    }
    let asked = talk.command(BOB, "ask", "a shared secret");
    assert_eq!(texts(&asked, ALICE, "smp"), ["asked"]);
    let reports = talk.command(ALICE, "reply", "a shared secret");
    assert_eq!(
        [texts(&reports, ALICE, "smp"), texts(&reports, BOB, "smp")],
        [["same-secret"], ["same-secret"]]
    );

    for who in [ALICE, BOB] {
        let reports = talk.command(who, "symkey", "7");
        let (a, b) = (
            texts(&reports, ALICE, "symkey"),
            texts(&reports, BOB, "symkey"),
        );
        assert!(
            a.len() == 1 && a == b,
            "the extra symmetric key: {a:?} {b:?}"
        );
    }

    let session = talk.party(ALICE).status().pop();
    let reports = talk.command(BOB, "start", "");
    let (refreshed, new_session) = (talk.party(ALICE).status(), talk.party(ALICE).status().pop());
    assert_eq!(new_session, talk.party(BOB).status().pop());
    // Compatibility: in version 1 a second key exchange leaves the running session as it is.
    assert_eq!(
        new_session == session,
        version == "1",
        "a new session: {reports:?}"
    );
    assert_eq!(refreshed.first().map(String::as_str), Some("encrypted"));
    talk.say(ALICE, "after the refresh");
    talk.say(BOB, "after the refresh, too");

    let reports = talk.command(BOB, "end", "");
    assert_eq!(
        texts(&reports, ALICE, "event").last().map(String::as_str),
        Some("peer-ended")
    );
    assert_eq!(
        talk.party(ALICE).status().first().map(String::as_str),
        Some("finished")
    );
    assert_eq!(
        talk.party(BOB).status().first().map(String::as_str),
        Some("plaintext")
    );
    let before = talk.wire.len();
    let reports = talk.command(ALICE, "say", "too late");
    assert_eq!(
        talk.wire.len(),
        before,
        "nothing is sent after the end: {reports:?}"
    );

    for secret in [
        "a text of",
        "one more",
        "long long",
        "kingfisher",
        "heron",
        "which bird",
        "a shared secret",
        "too late",
    ] {
        assert!(
            !talk.wire.iter().any(|message| message.contains(secret)),
            "{secret:?} is on the wire"
        );
    }
}

/// Both sides start at the same moment, again and again, and the network delivers what they send in a different order
/// each time. Tells how often both had one and the same new session afterwards, of how many times.
fn cross(alice: &Library, bob: &Library, version: &str) -> (usize, usize) {
    let folder = format!("crossing.{}.{}.{version}", alice.name, bob.name);
    let mut parties = [
        Party::start("alice", "bob", alice, &folder, version),
        Party::start("bob", "alice", bob, &folder, version),
    ];
    let wire = |reports: Vec<Report>| {
        let messages = reports.into_iter().filter(|(kind, _)| kind == "wire");
        messages.map(|(_, text)| text)
    };
    let mut sessions = Vec::new();
    const ORDERS: usize = 8;
    for order in 0..ORDERS {
        let query = format!("?OTRv{version}?");
        let mut sent = parties
            .each_mut()
            .map(|party| VecDeque::from_iter(wire(party.tell("recv", &query))));
        let mut turn = 0;
        while sent.iter().any(|queue| !queue.is_empty()) {
            // Whose message is next: the bits of the order say.
            let preferred = order >> (turn % 3) & 1;
            let from = if sent[preferred].is_empty() {
                1 - preferred
            } else {
                preferred
            };
            let text = sent[from]
                .pop_front()
                .expect("one of them has sent something");
            let reports = parties[1 - from].tell("recv", &text);
            sent[1 - from].extend(wire(reports));
            turn += 1;
            assert!(turn < 40, "the two never come to an end");
        }
        let [a, b] = parties.each_mut().map(Party::status);
        let encrypted = |status: &[String]| status.first().map(String::as_str) == Some("encrypted");
        let session = a.last().cloned();
        let agreed = encrypted(&a) && encrypted(&b) && session == b.last().cloned();
        if agreed && !sessions.contains(&session) {
            sessions.push(session);
        }
    }
    (sessions.len(), ORDERS)
}

macro_rules! crossings {
    ($($name:ident: $alice:expr, $bob:expr;)*) => {
        $(#[test] fn $name() {
            let (Some(alice), Some(bob)) = ($alice, $bob) else {
                println!("no libotr is installed to talk to");
                return;
            };
            for version in ["2", "3"] {
                let (agreed, times) = cross(&alice, &bob, version);
                assert_eq!(agreed, times, "version {version}");
            }
        })*
    };
}

crossings! {
    crossing_starts_of_ours_with_ours: Some(ours()), Some(ours());
    crossing_starts_of_ours_with_stock: Some(ours()), stock();
    crossing_starts_of_stock_with_ours: stock(), Some(ours());
}

macro_rules! pairings {
    ($($name:ident: $alice:expr, $bob:expr, $version:literal;)*) => {
        $(#[test] fn $name() {
            let (Some(alice), Some(bob)) = ($alice, $bob) else {
                println!("no libotr is installed to talk to");
                return;
            };
            converse(&alice, &bob, $version);
        })*
    };
}

pairings! {
    ours_with_ours_version_1: Some(ours()), Some(ours()), "1";
    ours_with_stock_version_1: Some(ours()), stock(), "1";
    stock_with_ours_version_1: stock(), Some(ours()), "1";
    stock_with_stock_version_1: stock(), stock(), "1";
    ours_with_ours_version_2: Some(ours()), Some(ours()), "2";
    ours_with_ours_version_3: Some(ours()), Some(ours()), "3";
    ours_with_stock_version_2: Some(ours()), stock(), "2";
    ours_with_stock_version_3: Some(ours()), stock(), "3";
    stock_with_ours_version_2: stock(), Some(ours()), "2";
    stock_with_ours_version_3: stock(), Some(ours()), "3";
    stock_with_stock_version_2: stock(), stock(), "2";
    stock_with_stock_version_3: stock(), stock(), "3";
}
