//! Conversations of two parties that use libotr 4.1.1, replayed.
//!
//! `tests/vectors/conversation-v*.txt` were recorded by `record.c` beside them
//! and hold the secrets of both sides. With the same secrets each side here
//! must understand what was recorded, and send the very same bytes wherever
//! these do not depend on the random numbers of signatures and proofs.
#![forbid(unsafe_code)]
#![allow(clippy::arithmetic_side_effects, reason = "tests")]

use std::collections::VecDeque;

use zeroize::Zeroizing;

use crate::ake::{Ake, Established, Local, SessionHalf};
use crate::crypto::{Random, dsa, os_random};
use crate::data::KeyRing;
use crate::smp::parts::Parts;
use crate::smp::{Outcome, Progress, Secret, Smp};
use crate::wire::base64::{dearmour, dearmour_data};
use crate::wire::message::{DataMessage, DhCommit, DhKey, RevealSignature, Signature};
use crate::wire::tlv::{self, Tlv};
use crate::wire::v1::V1KeyExchange;
use crate::wire::{Reader, significant};
use crate::{Error, InstanceTag, Version};

fn hex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// The lines of a recording: name and value.
struct Recording(Vec<(&'static str, &'static str)>);

impl Recording {
    fn new(text: &'static str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Self(lines.map(|line| line.split_once(' ').unwrap()).collect())
    }

    /// The first value of this name.
    fn text(&self, name: &str) -> &'static str {
        self.0.iter().find(|line| line.0 == name).unwrap().1
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        hex(self.text(name))
    }

    /// A number without the zero that the recording has in front of a set
    /// top bit.
    fn number(&self, name: &str) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(significant(&self.bytes(name)).to_vec())
    }

    /// A private D-H key with all its 40 bytes.
    fn dh(&self, owner: &str, keyid: u32) -> Vec<u8> {
        let number = self.bytes(&format!("{owner}.dh.{keyid}"));
        let mut padded = vec![0; 40];
        for (to, from) in padded.iter_mut().rev().zip(number.iter().rev()) {
            *to = *from;
        }
        padded
    }
}

/// Gives out what was drawn when the recording was made, then true randomness.
struct Replayed(VecDeque<Vec<u8>>);

impl Replayed {
    fn new<const N: usize>(draws: [Vec<u8>; N]) -> Self {
        Self(VecDeque::from(draws))
    }
}

impl Random for Replayed {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), Error> {
        match self.0.pop_front() {
            Some(draw) => out.copy_from_slice(&draw),
            None => os_random().fill(out)?,
        }
        Ok(())
    }
}

/// One party.
struct Side {
    name: &'static str,
    ake: Ake,
    key: dsa::PrivateKey,
    local: Local,
    ring: Option<KeyRing>,
}

impl Side {
    fn new(recording: &Recording, name: &'static str, version: Version) -> Self {
        let part = |part| recording.bytes(&format!("{name}.dsa.{part}"));
        let [p, q, g, y, x] = ["p", "q", "g", "y", "x"].map(part);
        let tag = recording.text(&format!("{name}.instance"));
        Self {
            name,
            ake: Ake::new(),
            key: dsa::PrivateKey::from_components(&p, &q, &g, &y, &x).unwrap(),
            local: Local {
                version,
                ours: InstanceTag::new(u32::from_str_radix(tag, 16).unwrap()),
                theirs: InstanceTag::NONE,
            },
            ring: None,
        }
    }

    fn enter(&mut self, recording: &Recording, established: &Established) {
        let next = recording.dh(self.name, established.our_keyid + 1);
        let ring = KeyRing::new(established, &mut Replayed::new([next]));
        self.ring = Some(ring.unwrap());
    }
}

fn assert_established(recording: &Recording, bobs: &Established, alices: &Established) {
    for end in [bobs, alices] {
        assert_eq!(end.session_id.as_bytes(), recording.bytes("bob.sessionid"));
    }
    let halves = match recording.text("bob.half") {
        "0" => (SessionHalf::First, SessionHalf::Second),
        _ => (SessionHalf::Second, SessionHalf::First),
    };
    assert_eq!((bobs.half, alices.half), halves);
}

/// Replays the handshake of version 2 or 3.
fn handshake(recording: &Recording, version: Version) -> (Side, Side) {
    let mut bob = Side::new(recording, "bob", version);
    let mut alice = Side::new(recording, "alice", version);
    let recorded = |name| dearmour(recording.text(name).as_bytes()).unwrap();

    let draws = [recording.bytes("bob.r"), recording.dh("bob", 1)];
    let commit = bob
        .ake
        .start(&bob.local, &mut Replayed::new(draws))
        .unwrap();
    assert_eq!(commit, recording.text("bob.commit").as_bytes());

    (bob.local.theirs, alice.local.theirs) = (alice.local.ours, bob.local.ours);
    let message = DhCommit::parse(&recorded("bob.commit")).unwrap();
    let rng = &mut Replayed::new([recording.dh("alice", 1)]);
    let key = alice
        .ake
        .on_commit(&message, &alice.local, None, rng)
        .unwrap();
    assert_eq!(key.unwrap(), recording.text("alice.key").as_bytes());

    let message = DhKey::parse(&recorded("alice.key")).unwrap();
    let rng = &mut os_random();
    let reveal = bob.ake.on_dh_key(&message, &bob.local, None, &bob.key, rng);
    let ours = RevealSignature::parse(&dearmour(&reveal.unwrap().unwrap()).unwrap()).unwrap();
    let message = RevealSignature::parse(&recorded("bob.reveal")).unwrap();
    assert_eq!(ours.header, message.header);
    assert_eq!(ours.revealed_key, message.revealed_key);
    // All but the signature, which comes last, is the same.
    let same = message.encrypted_signature.len() - dsa::SIGNATURE_LEN;
    assert_eq!(
        ours.encrypted_signature[..same],
        message.encrypted_signature[..same]
    );

    let end = alice
        .ake
        .on_reveal_signature(&message, &alice.local, &alice.key, rng);
    let (ours, alices) = end.unwrap().unwrap();
    let ours = Signature::parse(&dearmour(&ours).unwrap()).unwrap();
    let message = Signature::parse(&recorded("alice.signature")).unwrap();
    let same = message.encrypted_signature.len() - dsa::SIGNATURE_LEN;
    assert_eq!(ours.header, message.header);
    assert_eq!(
        ours.encrypted_signature[..same],
        message.encrypted_signature[..same]
    );
    let bobs = bob.ake.on_signature(&message, &bob.local).unwrap().unwrap();

    assert_established(recording, &bobs, &alices);
    assert_eq!(bobs.their_key, *alice.key.public());
    assert_eq!(alices.their_key, *bob.key.public());
    bob.enter(recording, &bobs);
    alice.enter(recording, &alices);
    (bob, alice)
}

/// Replays the exchange of version 1.
fn exchange(recording: &Recording) -> (Side, Side) {
    let mut bob = Side::new(recording, "bob", Version::V1);
    let mut alice = Side::new(recording, "alice", Version::V1);
    let recorded = |name| dearmour(recording.text(name).as_bytes()).unwrap();
    let assert_same = |ours: &[u8], recorded: &[u8]| {
        let same = recorded.len() - dsa::SIGNATURE_LEN;
        assert_eq!(dearmour(ours).unwrap()[..same], recorded[..same]);
    };

    let rng = &mut Replayed::new([recording.dh("bob", 1)]);
    let first = bob.ake.start_v1(None, &bob.key, rng).unwrap();
    let bytes = recorded("bob.exchange");
    assert_same(&first, &bytes);
    let message = V1KeyExchange::parse(&bytes).unwrap();
    let rng = &mut Replayed::new([recording.dh("alice", 1)]);
    let end = alice
        .ake
        .on_v1_key_exchange(&message, &bytes, None, &alice.key, rng);
    let alices = end.unwrap().unwrap();
    let bytes = recorded("alice.exchange");
    assert_same(&alices.reply.unwrap(), &bytes);
    let message = V1KeyExchange::parse(&bytes).unwrap();
    let rng = &mut os_random();
    let end = bob
        .ake
        .on_v1_key_exchange(&message, &bytes, None, &bob.key, rng);
    let bobs = end.unwrap().unwrap().established;

    assert_established(recording, &bobs, &alices.established);
    bob.enter(recording, &bobs);
    alice.enter(recording, &alices.established);
    (bob, alice)
}

/// Replays everything that was said, and returns the records of SMP.
fn talk(recording: &Recording, mut bob: Side, mut alice: Side) -> Vec<Tlv> {
    let mut records = Vec::new();
    let mut extra = Vec::new();
    let mut messages = 0;
    for (at, (name, value)) in recording.0.iter().enumerate() {
        let (from, to) = match *name {
            "bob.data" => (&mut bob, &mut alice),
            "alice.data" => (&mut alice, &mut bob),
            "bob.extra" | "alice.extra" => {
                extra = hex(value);
                continue;
            }
            _ => continue,
        };
        let (sender, receiver) = (from.ring.as_mut().unwrap(), to.ring.as_mut().unwrap());
        let bytes = dearmour_data(value.as_bytes()).unwrap();
        let message = DataMessage::parse(&bytes).unwrap();
        let next = recording.dh(
            to.name,
            receiver.our_keyid() + u32::from(message.recipient_keyid == receiver.our_keyid()),
        );
        let opened = receiver.decrypt(&message, &bytes, &mut Replayed::new([next]));
        let opened = opened.unwrap();
        if let Some((_, reads)) = recording.0[at..]
            .iter()
            .find(|line| line.0.ends_with(".reads"))
            && !opened.text.is_empty()
        {
            assert_eq!(*opened.text, hex(reads));
            assert_eq!(*opened.extra_key, *extra);
        }

        let sealed = sender.encrypt(&from.local, &opened.text, &opened.tlvs, message.flags);
        let sealed = sealed.unwrap();
        assert_eq!(sealed.message(), value.as_bytes(), "message {messages}");
        assert_eq!(sealed.extra_key, opened.extra_key);
        records.extend(opened.tlvs);
        messages += 1;
    }
    assert_eq!(messages, 11);
    records
}

/// Replays the run of SMP, each step from the numbers that its side had.
fn compare(recording: &Recording, bob: &Side, alice: &Side, records: &[Tlv]) {
    let [first, second, third, fourth] = records else {
        panic!("{} records", records.len());
    };
    let kinds = [first, second, third, fourth].map(|record| record.kind);
    assert_eq!(kinds, [tlv::SMP1, tlv::SMP2, tlv::SMP3, tlv::SMP4]);
    let number = |name: &str| recording.number(name);
    let rng = &mut os_random();
    let run = |parts| Smp::from_parts(&parts, Progress::Ok, false).unwrap();

    // The secret.
    let session_id = recording.bytes("bob.sessionid");
    let session_id = match session_id.as_slice().try_into() {
        Ok(id) => crate::ake::SessionId::new(id),
        Err(_) => crate::ake::SessionId::new_v1(session_id.try_into().unwrap()),
    };
    let [initiator, responder] = [bob, alice].map(|side| side.key.public().fingerprint());
    let secret = Secret::new(&initiator, &responder, &session_id, b"open sesame").unwrap();
    let mut smp = Smp::new();
    smp.begin(&secret, None, rng).unwrap();
    let Parts::Begun { x, .. } = smp.parts() else {
        panic!("not begun");
    };
    assert_eq!(*significant(&x), **number("bob.smp1.secret"));

    // Alice is asked.
    let mut smp = run(Parts::Idle);
    assert_eq!(
        smp.receive(first, rng),
        Ok(Outcome::Asked { question: None })
    );

    // Bob receives the answer.
    let mut smp = run(Parts::Begun {
        x: number("bob.smp1.secret"),
        a2: number("bob.smp1.x2"),
        a3: number("bob.smp1.x3"),
    });
    assert!(matches!(smp.receive(second, rng), Ok(Outcome::Reply(_))));
    let Parts::Committed { g3b, .. } = smp.parts() else {
        panic!("not committed");
    };
    assert_eq!(*g3b, *number("bob.smp3.g3o"));

    // Alice compares.
    let mut smp = run(Parts::Answered {
        b3: number("alice.smp2.x3"),
        g3a: number("alice.smp2.g3o"),
        g2: number("alice.smp2.g2"),
        g3: number("alice.smp2.g3"),
        pb: number("alice.smp2.p"),
        qb: number("alice.smp2.q"),
    });
    let Ok(Outcome::Compared {
        reply: Some(reply),
        equal: true,
        ..
    }) = smp.receive(third, rng)
    else {
        panic!("not equal");
    };
    // Rb, the first number, does not depend on chance any more.
    let rb = |record: &Tlv| Reader::new(&record.value[4..]).mpi().unwrap().to_vec();
    assert_eq!(rb(&reply), rb(fourth));

    // Bob compares.
    let mut smp = run(Parts::Committed {
        a3: number("bob.smp3.x3"),
        g3b: number("bob.smp3.g3o"),
        pab: number("bob.smp3.pab"),
        qab: number("bob.smp3.qab"),
    });
    let compared = smp.receive(fourth, rng).unwrap();
    assert!(matches!(compared, Outcome::Compared { equal: true, .. }));
    assert_eq!(recording.text("bob.progress"), "1");
}

#[test]
fn version_1() {
    let recording = Recording::new(include_str!("../tests/vectors/conversation-v1.txt"));
    let (bob, alice) = exchange(&recording);
    let [b, a] = ["bob", "alice"].map(|name| Side::new(&recording, name, Version::V1));
    let records = talk(&recording, bob, alice);
    compare(&recording, &b, &a, &records);
}

#[test]
fn version_2() {
    let recording = Recording::new(include_str!("../tests/vectors/conversation-v2.txt"));
    let (bob, alice) = handshake(&recording, Version::V2);
    let [b, a] = ["bob", "alice"].map(|name| Side::new(&recording, name, Version::V2));
    let records = talk(&recording, bob, alice);
    compare(&recording, &b, &a, &records);
}

#[test]
fn version_3() {
    let recording = Recording::new(include_str!("../tests/vectors/conversation-v3.txt"));
    let (bob, alice) = handshake(&recording, Version::V3);
    let [b, a] = ["bob", "alice"].map(|name| Side::new(&recording, name, Version::V3));
    let records = talk(&recording, bob, alice);
    compare(&recording, &b, &a, &records);
}
