//! A hostile network: it replays, changes, cuts, reorders, doubles, splices
//! and fragments whatever two parties say, while their users type, compare
//! secrets, ask for keys and leave.
//!
//! Every batch is a process of its own. Counted are, apart from crashes and
//! operations that take too long:
//!
//! - *clear*: a text typed in a private or ended conversation, or with
//!   encryption required, stands on the wire;
//! - *forged*: a user in a private conversation is shown a text that the peer
//!   never typed, without a warning;
//! - *twice*: a text is shown a second time, not marked as sent again;
//! - *stuck*: afterwards not even a disconnection on both sides and an honest
//!   key exchange lead to a conversation.
//!
//! At least 99 of 100 batches must recover at the first honest key exchange.

mod change;

use std::collections::HashMap;

use crate::bytes::{find, unwrap_armour};
use crate::cases::{Ended, Outcome, Runner, ensure, in_child, patience};
use crate::ffi::{
    ENCRYPTED, POLICY_ALWAYS, POLICY_DEFAULT, RECENT_RECEIVED, REQUIRE_ENCRYPTION,
    SEND_WHITESPACE_TAG, cpu_ms, now_ms,
};
use crate::party::{Party, deliver, handshake, pair, query};
use crate::rng::Rng;

/// Operations in a batch.
const STEPS: usize = 200;
/// Most processor time that one message may take.
const LIMIT_MS: f64 = 300.0;
/// What stands in every typed text.
const MARK: &[u8] = b"MARK-";
/// Length of a typed text.
const TEXT: usize = 5 + 2 + 16;

pub fn run(runner: &mut Runner) {
    let size = runner.size;
    runner.case("mutants/seeded-run", size.seconds + 120, || {
        let mut total = Totals::default();
        let start = now_ms();
        let mut batch = 0;
        while now_ms() - start < f64::from(size.seconds) * 1e3 {
            let seed = size.seed.wrapping_mul(1_000_003).wrapping_add(batch);
            total.add(seed, &in_child(60, false, || Batch::new(seed).run()));
            batch += 1;
        }
        total.verdict()
    });
}

/// The sums over all batches.
#[derive(Default)]
struct Totals {
    batches: u64,
    crashes: u64,
    hangs: u64,
    counts: HashMap<String, u64>,
    slowest: f64,
    first_reason: Option<String>,
}

impl Totals {
    fn add(&mut self, seed: u64, (ended, said): &(Ended, String)) {
        self.batches += 1;
        match ended {
            Ended::Normally => {}
            Ended::TimedOut => self.hangs += 1,
            Ended::Badly(_) => self.crashes += 1,
        }
        if let Ended::Badly(how) = ended {
            self.reason(format!("batch with seed {seed}: {how}"));
        }
        for line in said.lines() {
            match line.split_once(' ') {
                Some(("slowest", ms)) => self.slowest = self.slowest.max(ms.parse().unwrap_or(0.0)),
                Some(("why", reason)) => self.reason(format!("batch with seed {seed}: {reason}")),
                Some((name, n)) => {
                    *self.counts.entry(name.to_owned()).or_default() += n.parse().unwrap_or(0);
                }
                None => {}
            }
        }
    }

    fn reason(&mut self, reason: String) {
        self.first_reason.get_or_insert(reason);
    }

    fn count(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or(0)
    }

    fn verdict(&self) -> Outcome {
        let figures = format!(
            "{} batches, {} messages, {} of them changed, {} texts shown; crash {} hang {} clear {} \
             forged {} twice {} stuck {}; {} recover at once; slowest {:.0} ms",
            self.batches,
            self.count("fed"),
            self.count("changed"),
            self.count("shown"),
            self.crashes,
            self.hangs,
            self.count("clear"),
            self.count("forged"),
            self.count("twice"),
            self.count("stuck"),
            self.count("first"),
            self.slowest,
        );
        let bad = ["clear", "forged", "twice", "stuck", "panicked"];
        let bad = self.crashes + self.hangs + bad.iter().map(|name| self.count(name)).sum::<u64>();
        let why = self.first_reason.as_deref().unwrap_or("");
        ensure!(bad == 0, "{figures}; first: {why}");
        ensure!(self.slowest <= LIMIT_MS * patience(), "{figures}");
        ensure!(
            self.count("first") * 100 >= self.batches * 99,
            "{figures}; first: {why}"
        );
        ensure!(
            self.count("shown") > 0,
            "{figures}: nothing was shown at all"
        );
        Ok(figures)
    }
}

/// A text that a user typed.
#[derive(Default)]
struct Typed {
    /// How often the other user saw it.
    seen: u32,
    /// It must not be readable on the wire.
    protected: bool,
}

struct Batch {
    rng: Rng,
    parties: [Party; 2],
    version: u8,
    /// Everything that was ever on the wire, with the side it was meant for.
    heard: Vec<(usize, Vec<u8>)>,
    /// What each side's user typed.
    typed: [HashMap<Vec<u8>, Typed>; 2],
    counts: HashMap<&'static str, u64>,
    slowest: f64,
    why: Option<String>,
}

impl Batch {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let (alice, bob) = pair();
        let mut policy = if rng.one_in(3) {
            POLICY_DEFAULT
        } else {
            POLICY_ALWAYS
        };
        if rng.one_in(4) {
            policy |= SEND_WHITESPACE_TAG;
        }
        for party in [&alice, &bob] {
            party.log().policy = policy;
        }
        Self {
            version: *rng.pick(&[2, 3]),
            rng,
            parties: [alice, bob],
            heard: Vec::new(),
            typed: Default::default(),
            counts: HashMap::new(),
            slowest: 0.0,
            why: None,
        }
    }

    fn run(mut self) -> String {
        handshake(&self.parties[0], &self.parties[1], &query(self.version));
        for _ in 0..STEPS {
            self.step();
            self.network();
        }
        self.recover();
        let [alice, bob] = self.parties;
        alice.free();
        bob.free();
        let mut said = format!("slowest {}\n", self.slowest);
        for (name, n) in &self.counts {
            said += &format!("{name} {n}\n");
        }
        if let Some(why) = self.why {
            said += &format!("why {}\n", why.escape_debug());
        }
        said
    }

    fn count(&mut self, name: &'static str) {
        *self.counts.entry(name).or_default() += 1;
    }

    fn violation(&mut self, name: &'static str, what: &[u8]) {
        self.count(name);
        let what = String::from_utf8_lossy(&what[..what.len().min(300)]).into_owned();
        self.why.get_or_insert(format!("{name}: {what}"));
    }

    /// One thing that a user, a program or an attacker does.
    fn step(&mut self) {
        let side = self.rng.below(2);
        let party = &self.parties[side];
        match self.rng.below(20) {
            0..=4 => self.types(side),
            5 => {
                let question = self.rng.one_in(2).then_some(&b"who?"[..]);
                if self.has_session(side) {
                    party.smp_start(question, b"grandmother's name");
                }
            }
            6 | 7 => {
                // Answers, sometimes wrong ones, sometimes unasked.
                let secret: &[u8] = if self.rng.one_in(3) {
                    b"wrong"
                } else {
                    b"grandmother's name"
                };
                if self.has_session(side) {
                    party.smp_answer(secret);
                }
            }
            8 if self.rng.one_in(4) => party.smp_abort(),
            9 => drop(party.symkey(7, b"data")),
            10 if self.rng.one_in(40) => party.disconnect(),
            11 => party.poll(),
            12 if self.rng.one_in(6) => {
                let version = self.rng.below(5) as u8;
                party.put(&query(version));
            }
            13 => {
                let message = change::invented(&mut self.rng);
                self.feed(side, &message);
            }
            14 => {
                if let Some((to, message)) = self.old() {
                    self.feed(to, &message);
                }
            }
            15 | 16 => {
                if let Some((to, message)) = self.old() {
                    self.feed_changed(to, &message);
                }
            }
            17 => {
                if let Some((to, message)) = self.old() {
                    self.feed_pieces(to, &message);
                }
            }
            _ => {}
        }
    }

    /// A message from the past, sometimes for the wrong side.
    fn old(&mut self) -> Option<(usize, Vec<u8>)> {
        if self.heard.is_empty() {
            return None;
        }
        let (to, message) = self.rng.pick(&self.heard).clone();
        let to = if self.rng.one_in(8) { 1 - to } else { to };
        Some((to, message))
    }

    fn has_session(&self, side: usize) -> bool {
        let context = self.parties[side].context();
        // SAFETY: NULL or a live context.
        !context.is_null() && unsafe { !(*context).active_fingerprint.is_null() }
    }

    /// Whether what the user types now must not be readable on the wire.
    fn protected(&self, side: usize) -> bool {
        let party = &self.parties[side];
        party.state().is_some_and(|state| state >= ENCRYPTED)
            || party.log().policy & REQUIRE_ENCRYPTION != 0
    }

    fn types(&mut self, side: usize) {
        let text = format!("MARK-{side}-{:016x}", self.rng.next()).into_bytes();
        let protected = self.protected(side);
        self.typed[side].insert(text.clone(), Typed { seen: 0, protected });
        let log = self.parties[side].log();
        log.max_size = if self.rng.one_in(5) {
            60 + self.rng.below(200) as i32
        } else {
            0
        };
        self.parties[side].send(&text);
    }

    /// Looks for texts that should have been encrypted.
    fn inspect(&mut self, from: usize, message: &[u8]) {
        for seen in [message, &unwrap_armour(message).unwrap_or_default()] {
            let Some(at) = find(seen, MARK) else { continue };
            let text = &seen[at..(at + TEXT).min(seen.len())];
            // A text cut off counts as protected.
            if self.typed[from]
                .get(text)
                .is_none_or(|typed| typed.protected)
            {
                self.violation("clear", message);
            }
        }
    }

    /// Gives a message to a side and looks at what its user sees.
    fn feed(&mut self, to: usize, message: &[u8]) {
        let private = self.parties[to].state() == Some(ENCRYPTED)
            || self.parties[to].log().policy & REQUIRE_ENCRYPTION != 0;
        self.count("fed");
        let start = cpu_ms();
        let received = self.parties[to].receive(message);
        self.slowest = self.slowest.max(cpu_ms() - start);
        let Some(shown) = received.shown else { return };
        let (mut text, mut resent) = (shown.as_slice(), false);
        while let Some(rest) = text.strip_prefix(b"[resent] ") {
            (text, resent) = (rest, true);
        }
        match self.typed[1 - to].get_mut(text) {
            Some(typed) => {
                typed.seen += u32::from(!resent);
                let twice = typed.seen > 1 && !resent && private;
                self.count("shown");
                if twice {
                    self.violation("twice", text);
                }
            }
            None if private => self.violation("forged", &shown),
            None => {}
        }
    }

    fn feed_changed(&mut self, to: usize, message: &[u8]) {
        self.count("changed");
        let changed = change::mutant(&mut self.rng, message, &self.heard);
        self.feed(to, &changed);
    }

    fn feed_pieces(&mut self, to: usize, message: &[u8]) {
        let message = if self.rng.one_in(2) {
            change::mutant(&mut self.rng, message, &self.heard)
        } else {
            message.to_vec()
        };
        for piece in change::pieces(&mut self.rng, &message) {
            self.feed(to, &piece);
        }
    }

    /// Carries what is on the wire, or does not.
    fn network(&mut self) {
        for from in 0..2 {
            while !self.parties[from].log().wire.is_empty() {
                let wire = &mut self.parties[from].log().wire;
                let chance = self.rng.below(100);
                if chance < 10 {
                    break; // later
                }
                if chance < 16 && wire.len() > 1 {
                    wire.swap(0, 1);
                }
                let Some(message) = wire.pop_front() else {
                    break;
                };
                self.inspect(from, &message);
                self.remember(1 - from, &message);
                match chance {
                    16..20 => {} // lost
                    20..30 => {
                        self.feed_changed(1 - from, &message);
                        if self.rng.one_in(2) {
                            self.feed(1 - from, &message);
                        }
                    }
                    30..36 => {
                        self.feed(1 - from, &message);
                        self.feed(1 - from, &message);
                    }
                    36..39 => self.feed_pieces(1 - from, &message),
                    39..41 => self.feed(from, &message), // reflected
                    _ => self.feed(1 - from, &message),
                }
                if self.parties[from].log().wire.len() > 200 {
                    self.parties[from].log().wire.clear();
                }
            }
        }
    }

    fn remember(&mut self, to: usize, message: &[u8]) {
        const MOST: usize = 512;
        let entry = (to, message.to_vec());
        if self.heard.len() < MOST {
            self.heard.push(entry);
        } else {
            let at = self.rng.below(MOST);
            self.heard[at] = entry;
        }
    }

    /// An honest key exchange and a text each way; if that fails, another
    /// one; if that fails, one after both sides have left.
    fn recover(&mut self) {
        for attempt in 0..3 {
            let [alice, bob] = &self.parties;
            for party in [alice, bob] {
                let log = party.log();
                (log.instance, log.max_size) = (RECENT_RECEIVED, 0);
                if attempt == 2 {
                    party.disconnect();
                }
            }
            if handshake(alice, bob, &query(self.version))
                && deliver(alice, bob, b"an honest text")
                && deliver(bob, alice, b"an honest answer")
            {
                self.count(if attempt == 0 { "first" } else { "later" });
                if attempt > 0 {
                    self.why
                        .get_or_insert("needs more than one key exchange".to_owned());
                }
                return;
            }
        }
        self.violation("stuck", b"no recovery");
    }
}
