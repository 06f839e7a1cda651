//! The parties, the network between them, and what must hold.

use std::collections::BTreeSet;

use otr::crypto::dsa::Fingerprint;
use otr::session::MessageState;
use otr::wire::base64::{armour, dearmour_data};
use otr::wire::fragment::{Scanned, scan};
use otr::wire::message::{DataMessage, MessageType, message_type};
use otr::{Event, Output, Policy};

use super::party::{Party, announces_change, warns};
use crate::Seeded;

/// Texts on their way to one party; the rest is lost.
const INBOX: usize = 200;

/// What somebody typed while it had to stay secret.
struct Typed {
    by: usize,
    text: Vec<u8>,
    /// Whom it was encrypted for; nobody yet, if it waits for a session.
    reader: Option<Fingerprint>,
    /// Whether it may leave at all.
    refused: bool,
}

pub struct World {
    /// Alice, then those who use the other account.
    parties: Vec<Party>,
    typed: Vec<Typed>,
    /// How many texts were typed, secret or not.
    texts: usize,
    /// Everything that was ever sent.
    history: Vec<Vec<u8>>,
    /// What was ever sent, as far as it is authenticated.
    genuine: BTreeSet<Vec<u8>>,
    rng: Seeded,
    now: i64,
    /// Whether both sides can always come to a session.
    compatible: bool,
}

impl World {
    pub fn new(who: u8, policies: u8, sizes: u8) -> Self {
        let policy = |choice: u8| match choice & 0x0f {
            0 => Policy::from_bits(0x02),
            1 => Policy::from_bits(0x04),
            2 => Policy::ALWAYS,
            3 => Policy::from_bits(0x77),
            4 => Policy::from_bits(0x0f),
            5 => Policy::from_bits(0x01),
            6 => Policy::NEVER,
            7 => Policy::from_bits(0x72),
            8 => Policy::from_bits(0x7e),
            9 => Policy::MANUAL,
            _ => Policy::DEFAULT,
        };
        let size = |choice: u8| [0, 0, 400, 120][usize::from(choice & 3)];
        let (ours, theirs) = (policy(policies), policy(policies >> 4));
        let mut parties = vec![
            Party::new(0, 0xa11ce, ours, size(sizes)),
            Party::new(1, 0xb0b01, theirs, size(sizes >> 2)),
        ];
        if who & 1 != 0 {
            parties.push(Party::new(1, 0xb0b02, theirs, size(sizes >> 4)));
        }
        if who & 2 != 0 {
            parties.push(Party::new(2, 0x3a110, theirs, 0));
        }
        let common = ours.bits() & theirs.bits();
        Self {
            compatible: parties.len() == 2 && common & 6 != 0,
            parties,
            typed: Vec::new(),
            texts: 0,
            history: Vec::new(),
            genuine: BTreeSet::new(),
            rng: Seeded::new(5),
            now: 1_700_000_000,
        }
    }

    pub fn somebody(&self, choice: u8) -> usize {
        usize::from(choice) % self.parties.len()
    }

    /// The user types a text that nobody has typed before.
    pub fn types(&mut self, who: usize, length: u8) {
        let mut text = format!("this is text {:06} ", self.texts).into_bytes();
        text.resize(text.len() + usize::from(length), b'.');
        self.texts += 1;
        let party = &mut self.parties[who];
        let (state, guarded) = (party.talk.state(), party.is_guarded());
        let reader = party.talk.active_fingerprint().copied();
        let sent = party.talk.send(&text, self.now);
        assert_eq!(sent.is_err(), state == MessageState::Finished);
        if guarded {
            self.typed.push(Typed {
                by: who,
                text,
                reader: reader.filter(|_| state == MessageState::Encrypted),
                refused: sent.is_err(),
            });
        }
        if let Ok(output) = sent {
            if state == MessageState::Encrypted {
                assert!(output.wire.iter().all(|text| {
                    message_type(text) == MessageType::Data || scan(text) != Scanned::Other
                }));
            }
            self.send(who, output);
        }
    }

    pub fn deliver(&mut self, who: usize) {
        if let Some(text) = self.parties[who].inbox.pop_front() {
            self.receive(who, &text);
        }
    }

    /// Everything on its way arrives, and what it leads to.
    pub fn deliver_all(&mut self, rounds: usize) {
        for _ in 0..rounds {
            for who in 0..self.parties.len() {
                self.deliver(who);
            }
        }
    }

    pub fn drop_text(&mut self, who: usize) {
        self.parties[who].inbox.pop_front();
    }

    pub fn repeat(&mut self, who: usize) {
        if let Some(text) = self.parties[who].inbox.front().cloned() {
            self.arrive(who, text);
        }
    }

    pub fn reorder(&mut self, who: usize, choice: u8) {
        let inbox = &mut self.parties[who].inbox;
        if !inbox.is_empty() {
            let other = usize::from(choice) % inbox.len();
            inbox.swap(0, other);
        }
    }

    /// The next text is changed: in its armour or in the bytes inside.
    pub fn spoil(&mut self, who: usize, how: u8, at: usize, to: u8) {
        let Some(text) = self.parties[who].inbox.front_mut() else {
            return;
        };
        match (how & 1, dearmour_data(text)) {
            (0, Ok(mut bytes)) => {
                change(&mut bytes, how >> 1, at, to);
                *text = armour(&bytes);
            }
            _ => change(text, how >> 1, at, to),
        }
    }

    pub fn inject(&mut self, who: usize, text: Vec<u8>) {
        self.parties[who].inbox.push_front(text);
        self.deliver(who);
    }

    /// Bytes of a stranger with a header that gets them far.
    pub fn inject_armoured(&mut self, who: usize, how: u8, body: &[u8]) {
        let kind = [0x02, 0x0a, 0x11, 0x12, 0x03][usize::from(how % 5)];
        let mut bytes = vec![0, 3, kind];
        if how & 0x80 == 0 {
            let sender: [u32; 4] = [0xb0b01, 0xa11ce, 0x3a110, 0x777];
            let sender = sender[usize::from(how >> 4 & 3)];
            let receiver: u32 = match (how & 0x40, who) {
                (0, _) => 0,
                (_, 0) => 0xa11ce,
                _ => 0xb0b01,
            };
            bytes.extend(sender.to_be_bytes());
            bytes.extend(receiver.to_be_bytes());
        } else {
            bytes = vec![0, 2, kind];
        }
        bytes.extend(body);
        self.inject(who, armour(&bytes));
    }

    pub fn inject_piece(&mut self, who: usize, number: u8, total: u8, text: &[u8]) {
        let mut piece = format!("?OTR|000b0b01|000a11ce,{number:05},{total:05},").into_bytes();
        piece.extend(text);
        piece.push(b',');
        self.inject(who, piece);
    }

    /// Something sent earlier, by anybody to anybody, arrives here.
    pub fn replay(&mut self, who: usize, which: usize) {
        if !self.history.is_empty() {
            let text = self.history[which % self.history.len()].clone();
            self.receive(who, &text);
        }
    }

    pub fn asks_for_privacy(&mut self, who: usize, how: u8) {
        let query: &[u8] =
            [&b"?OTRv23?"[..], b"?OTRv3?", b"?OTRv2?", b"?OTR?v23?"][usize::from(how & 3)];
        if let Ok(output) = self.parties[who].talk.send(query, self.now) {
            self.send(who, output);
        }
    }

    pub fn leaves(&mut self, who: usize) {
        let output = self.parties[who].talk.disconnect(self.now);
        self.send(who, output);
    }

    pub fn compares(&mut self, who: usize, how: u8) {
        let question = (how & 0x80 != 0).then_some(&b"where did we meet?"[..]);
        let secret = how & 3;
        let (now, party) = (self.now, &mut self.parties[who]);
        let private = party.talk.is_private();
        let begun = party
            .talk
            .compare_secret(&[secret], question, now, &mut self.rng);
        assert_eq!(begun.is_ok(), private);
        if let Ok(output) = begun {
            party.secrets.insert(secret);
            self.send(who, output);
        }
    }

    pub fn answers(&mut self, who: usize, how: u8) {
        let secret = how & 3;
        let (now, party) = (self.now, &mut self.parties[who]);
        let private = party.talk.is_private();
        if let Ok(output) = party.talk.answer_secret(&[secret], now, &mut self.rng) {
            assert!(private);
            party.secrets.insert(secret);
            self.send(who, output);
        }
    }

    pub fn aborts(&mut self, who: usize) {
        let party = &mut self.parties[who];
        let private = party.talk.is_private();
        let aborted = party.talk.abort_comparison(self.now);
        assert_eq!(aborted.is_ok(), private);
        if let Ok(output) = aborted {
            self.send(who, output);
        }
    }

    pub fn wants_key(&mut self, who: usize, data: &[u8]) {
        let party = &mut self.parties[who];
        let private = party.talk.is_private();
        let wanted = party.talk.request_symmetric_key(7, data, self.now);
        assert_eq!(wanted.is_ok(), private);
        if let Ok((output, _)) = wanted {
            self.send(who, output);
        }
    }

    pub fn waits(&mut self, seconds: u8) {
        self.now += i64::from(seconds);
        for party in &mut self.parties {
            party.talk.poll(self.now);
        }
    }

    /// Alice and one of the others ask at the same time.
    pub fn crosses(&mut self, how: u8) {
        self.asks_for_privacy(0, how);
        self.asks_for_privacy(1, how >> 2);
    }

    /// The attacker leaves. What has happened must not keep the two from
    /// talking in private.
    pub fn make_peace(&mut self) {
        if !self.compatible {
            return;
        }
        self.settle();
        self.waits(200);
        self.asks_for_privacy(0, 0);
        self.settle();
        let [alice, bob] = self.parties.as_slice() else {
            return;
        };
        assert!(
            alice.talk.is_private() && bob.talk.is_private(),
            "no session"
        );
        assert_eq!(alice.talk.session_id(), bob.talk.session_id());
        for who in [0, 1, 0] {
            let before: Vec<_> = self.parties.iter().map(|party| party.shown.len()).collect();
            self.types(who, 0);
            self.settle();
            let after: Vec<_> = self.parties.iter().map(|party| party.shown.len()).collect();
            assert_eq!(after[1 - who], before[1 - who] + 1, "a text was lost");
        }
    }

    fn settle(&mut self) {
        for _ in 0..1000 {
            if self.parties.iter().all(|party| party.inbox.is_empty()) {
                return;
            }
            self.deliver_all(1);
        }
        panic!("the parties never stop answering each other");
    }

    fn receive(&mut self, who: usize, text: &[u8]) {
        let party = &mut self.parties[who];
        let before = party.view();
        let was_private = party.talk.is_private();
        let output = party.talk.receive(text, self.now, &mut self.rng);
        let after = party.view();

        if before.which == after.which && !announces_change(&output) {
            assert_eq!(before, after, "a session changed without a word");
        }
        if self.is_forged(text) {
            assert!(!announces_change(&output), "a stranger changed a session");
        }
        if let Some(shown) = &output.text {
            // Whoever wants no OTR sees everything as it came.
            let takes_part = self.parties[who].policy.allows_any();
            let encrypted = takes_part && message_type(text) == MessageType::Data;
            if encrypted || (was_private && !warns(&output)) {
                self.check_shown(who, shown);
            }
        }
        for event in &output.events {
            if let Event::Trust(print, true) = event {
                self.check_trust(who, print);
            }
        }
        self.send(who, output);
    }

    /// Whether nobody ever sent what is authenticated in this text. Of a piece
    /// it cannot be said.
    fn is_forged(&self, text: &[u8]) -> bool {
        scan(text) == Scanned::Other
            && dearmour_data(text).map_or(true, |bytes| !self.genuine.contains(authentic(&bytes)))
    }

    /// A text that is shown as the peer's was typed by it, for this reader,
    /// and is shown once.
    fn check_shown(&mut self, who: usize, shown: &[u8]) {
        let resent = shown.strip_prefix(b"[resent] ");
        let text = resent.unwrap_or(shown);
        let number = self.typed.iter().position(|typed| typed.text == text);
        let Some(number) = number else {
            panic!(
                "a text that nobody typed was shown: {}",
                text.escape_ascii()
            );
        };
        let typed = &self.typed[number];
        assert_ne!(typed.by, who, "one's own text came back");
        assert!(!typed.refused, "a text that was refused arrived");
        let reader = self.parties[who].print;
        assert!(
            typed.reader.is_none_or(|meant| meant == reader),
            "a text for another was shown"
        );
        let first = self.parties[who].shown.insert(number);
        assert!(first || resent.is_some(), "a text was shown twice");
    }

    /// Trust comes from a peer with this key who typed the same secret.
    fn check_trust(&self, who: usize, print: &Fingerprint) {
        let ours = &self.parties[who].secrets;
        let known = self.parties.iter().enumerate().any(|(other, party)| {
            other != who && party.print == *print && !party.secrets.is_disjoint(ours)
        });
        assert!(known, "trust without a shared secret");
    }

    /// Puts what a party sends on the network.
    fn send(&mut self, who: usize, output: Output) {
        for text in output.wire {
            for typed in &self.typed {
                let leaked = text.windows(20).any(|part| typed.text.starts_with(part));
                assert!(!leaked, "a secret text left in clear");
            }
            if let Ok(bytes) = dearmour_data(&text) {
                self.genuine.insert(authentic(&bytes).to_vec());
            }
            self.history.push(text.clone());
            match who {
                0 => (1..self.parties.len()).for_each(|other| self.arrive(other, text.clone())),
                _ => self.arrive(0, text),
            }
        }
    }

    fn arrive(&mut self, who: usize, text: Vec<u8>) {
        let inbox = &mut self.parties[who].inbox;
        if inbox.len() < INBOX {
            inbox.push_back(text);
        }
    }
}

/// A message without the MAC keys it reveals: anybody may change those.
fn authentic(decoded: &[u8]) -> &[u8] {
    match DataMessage::parse(decoded) {
        Ok(message) => &decoded[..message.authenticated_len + message.mac.len()],
        Err(_) => decoded,
    }
}

fn change(bytes: &mut Vec<u8>, how: u8, at: usize, to: u8) {
    if bytes.is_empty() {
        return;
    }
    let at = at % bytes.len();
    match how & 3 {
        0 => bytes[at] ^= 1 << (to & 7),
        1 => bytes[at] = to,
        2 => bytes.truncate(at),
        _ => bytes.insert(at, to),
    }
}
