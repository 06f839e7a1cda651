//! A long honest run: nothing is lost, and nothing stays allocated.
//!
//! Each mode repeats one kind of operation, so that a leak has a name. The
//! figure that counts is what the C allocator has not got back after
//! everything was freed.

use crate::bytes::{armour, unwrap_armour};
use crate::cases::{Outcome, Runner, ensure};
use crate::ffi::{allocated, resident_kb, smp_event};
use crate::party::{Party, handshake, pair, query};
use crate::rng::Rng;

/// Bytes that may stay allocated, whatever the length of the run.
const LIMIT: i64 = 4096;

const MODES: [&str; 8] = [
    "mixed",
    "chat",
    "rekey",
    "smp",
    "sessions",
    "pieces",
    "symkey",
    "unreadable",
];

pub fn run(runner: &mut Runner) {
    let size = runner.size;
    for mode in MODES {
        // Key exchanges cost far more than texts.
        let repeat = if mode == "mixed" || mode == "chat" {
            size.messages
        } else {
            size.messages / 10
        };
        runner.case(&format!("soak/{mode}"), 60 + size.messages / 10, || {
            Soak::new(size.seed).run(mode, repeat)
        });
    }
}

struct Soak {
    rng: Rng,
    sides: Option<(Party, Party)>,
    delivered: u64,
    lost: u64,
    wrong: u64,
}

impl Soak {
    fn new(seed: u64) -> Self {
        Self {
            rng: Rng::new(seed),
            sides: None,
            delivered: 0,
            lost: 0,
            wrong: 0,
        }
    }

    fn run(mut self, mode: &str, repeat: u32) -> Outcome {
        // Once through everything, so that what is made only once exists.
        self.begin();
        for i in 0..60 {
            self.step("mixed", i);
        }
        for mode in MODES {
            self.step(mode, 0);
        }
        self.end();
        (self.delivered, self.lost) = (0, 0);

        let before = allocated();
        self.begin();
        let (start, mut peak) = (allocated(), 0);
        for i in 0..repeat {
            self.step(mode, i);
            peak = peak.max(resident_kb());
        }
        let during = allocated() - start;
        self.end();
        let left = allocated() - before;
        let figures = format!(
            "{repeat} times: {} texts delivered, {} lost; {left} bytes not freed, {during} more in \
             use at the end of the run, at most {peak} kB resident",
            self.delivered, self.lost
        );
        ensure!(
            self.lost == 0 && self.wrong == 0,
            "{figures}; {} other failures",
            self.wrong
        );
        ensure!(left <= LIMIT, "{figures}");
        Ok(figures)
    }

    fn begin(&mut self) {
        let (alice, bob) = pair();
        self.wrong += u64::from(!handshake(&alice, &bob, &query(3)));
        self.sides = Some((alice, bob));
    }

    fn end(&mut self) {
        self.leave();
        if let Some((alice, bob)) = self.sides.take() {
            alice.free();
            bob.free();
        }
    }

    fn parties(&self) -> (&Party, &Party) {
        let (alice, bob) = self.sides.as_ref().expect("a conversation");
        (alice, bob)
    }

    fn step(&mut self, mode: &str, i: u32) {
        let what = self.rng.below(1000);
        let mixed = mode == "mixed";
        if mixed || mode == "chat" {
            self.chat(i);
        }
        match mode {
            "rekey" => self.rekey(),
            "smp" => self.smp(),
            "sessions" => {
                self.end();
                self.begin();
            }
            "pieces" => self.pieces(i),
            "symkey" => self.symkey(),
            "unreadable" => self.unreadable(),
            _ => {}
        }
        if mixed {
            match what {
                0..5 => self.rekey(),
                5..7 => self.smp(),
                7..9 => {
                    self.leave();
                    self.rekey();
                }
                9..40 => self.pieces(i),
                40..45 => self.symkey(),
                45..50 => self.unreadable(),
                _ => {}
            }
        }
    }

    /// Carries everything; counts the text if it arrives.
    fn carry(&mut self, text: Option<&[u8]>) {
        let (mut arrived, mut rounds) = (false, 0);
        loop {
            let (alice, bob) = self.parties();
            let messages = (alice.take(), bob.take());
            if messages == (None, None) || rounds > 1000 {
                break;
            }
            rounds += 1;
            for (message, to) in [(messages.0, bob), (messages.1, alice)] {
                let shown = message.and_then(|m| to.receive(&m).shown);
                arrived |= shown.is_some() && shown.as_deref() == text;
            }
            for party in [alice, bob] {
                party.log().event_texts.clear();
            }
        }
        if text.is_some() {
            *if arrived {
                &mut self.delivered
            } else {
                &mut self.lost
            } += 1;
        }
    }

    fn chat(&mut self, i: u32) {
        let long = if self.rng.one_in(20) { 2500 } else { 100 };
        let text = [
            format!("text {i} ").into_bytes(),
            vec![b'x'; self.rng.below(long)],
        ]
        .concat();
        let from = self.rng.one_in(2);
        let (alice, bob) = self.parties();
        if from { alice } else { bob }.send(&text);
        self.carry(Some(&text));
    }

    fn rekey(&mut self) {
        let version = *self.rng.pick(&[2, 3]);
        let (alice, bob) = self.parties();
        let good = handshake(alice, bob, &query(version));
        self.wrong += u64::from(!good);
    }

    fn smp(&mut self) {
        let (alice, _) = self.parties();
        let before = alice.smp_event(smp_event::SUCCESS);
        alice.smp_start(Some(b"which?"), b"the same");
        self.carry(None);
        self.parties().1.smp_answer(b"the same");
        self.carry(None);
        let good = self.parties().0.smp_event(smp_event::SUCCESS) > before;
        self.wrong += u64::from(!good);
    }

    fn leave(&mut self) {
        self.parties().0.disconnect();
        self.carry(None);
        self.parties().1.disconnect();
        self.carry(None);
    }

    fn pieces(&mut self, i: u32) {
        let limit = 100 + self.rng.below(300) as i32;
        let set = |soak: &Self, limit| {
            let (alice, bob) = soak.parties();
            (alice.log().max_size, bob.log().max_size) = (limit, limit);
        };
        set(self, limit);
        self.chat(i);
        set(self, 0);
    }

    fn symkey(&mut self) {
        let bad = self.parties().0.symkey(1, b"use").is_err();
        self.wrong += u64::from(bad);
        self.carry(None);
    }

    /// A message damaged on its way.
    fn unreadable(&mut self) {
        let (alice, bob) = self.parties();
        alice.send(b"x");
        if let Some(mut raw) = alice.take().and_then(|m| unwrap_armour(&m)) {
            let middle = raw.len() / 2;
            raw[middle] ^= 4;
            bob.receive(&armour(&raw));
        }
        for party in [alice, bob] {
            party.log().wire.clear();
            party.log().event_texts.clear();
        }
    }
}
