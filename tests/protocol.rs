//! Two parties on the protocol's own level: handshake, data messages and SMP, without sessions, policies or C.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly, in its helpers too"
)]

use otr::ake::{Ake, Established, Local};
use otr::crypto::{dsa, os_random};
use otr::data::{KeyRing, Opened};
use otr::smp::{Outcome, Progress, Secret, Smp};
use otr::wire::base64::{dearmour, dearmour_data};
use otr::wire::message::{DataMessage, DhCommit, DhKey, RevealSignature, Signature};
use otr::wire::tlv::Tlv;
use otr::{Error, InstanceTag, Version};

struct Party {
    key: dsa::PrivateKey,
    local: Local,
    ake: Ake,
    keys: Option<KeyRing>,
    session: Option<Established>,
    smp: Smp,
}

impl Party {
    fn new(version: Version, ours: u32, theirs: u32) -> Self {
        Self {
            key: dsa::PrivateKey::generate(&mut os_random()).unwrap(),
            local: Local {
                version,
                ours: InstanceTag::new(ours),
                theirs: InstanceTag::new(theirs),
            },
            ake: Ake::new(),
            keys: None,
            session: None,
            smp: Smp::new(),
        }
    }

    fn enter(&mut self, session: Established) {
        let mut keys = KeyRing::new(&session, &mut os_random()).unwrap();
        if let Some(earlier) = self.keys.take() {
            keys.succeed(earlier);
        }
        self.keys = Some(keys);
        self.session = Some(session);
    }

    fn send(&mut self, text: &str, records: &[Tlv]) -> Vec<u8> {
        let keys = self.keys.as_mut().unwrap();
        keys.encrypt(&self.local, text.as_bytes(), records, 0)
            .unwrap()
            .message()
    }

    fn receive(&mut self, text: &[u8]) -> Result<Opened, Error> {
        let bytes = dearmour_data(text)?;
        let message = DataMessage::parse(&bytes)?;
        let keys = self.keys.as_mut().unwrap();
        keys.decrypt(&message, &bytes, &mut os_random())
    }

    fn secret(&self, initiator: bool, typed: &str) -> Secret {
        let session = self.session.as_ref().unwrap();
        let (ours, theirs) = (
            self.key.public().fingerprint(),
            session.their_key.fingerprint(),
        );
        let (first, second) = if initiator {
            (ours, theirs)
        } else {
            (theirs, ours)
        };
        Secret::new(&first, &second, &session.session_id, typed.as_bytes()).unwrap()
    }
}

/// Bob starts, and both enter the session.
fn handshake(bob: &mut Party, alice: &mut Party) {
    let rng = &mut os_random();
    let commit = bob.ake.start(&bob.local, rng).unwrap();
    let commit = DhCommit::parse(&dearmour(&commit).unwrap()).unwrap();
    let key = alice
        .ake
        .on_commit(&commit, &alice.local, None, rng)
        .unwrap();
    let key = DhKey::parse(&dearmour(&key.unwrap()).unwrap()).unwrap();
    let reveal = bob
        .ake
        .on_dh_key(&key, &bob.local, None, &bob.key, rng)
        .unwrap();
    let reveal = RevealSignature::parse(&dearmour(&reveal.unwrap()).unwrap()).unwrap();
    let end = alice
        .ake
        .on_reveal_signature(&reveal, &alice.local, &alice.key, rng);
    let (signature, alices) = end.unwrap().unwrap();
    let signature = Signature::parse(&dearmour(&signature).unwrap()).unwrap();
    let bobs = bob
        .ake
        .on_signature(&signature, &bob.local)
        .unwrap()
        .unwrap();
    assert_eq!(alices.session_id, bobs.session_id);
    assert_eq!(alices.their_key, *bob.key.public());
    assert_eq!(bobs.their_key, *alice.key.public());
    alice.enter(alices);
    bob.enter(bobs);
}

/// A record travels in an empty text.
fn carry(from: &mut Party, to: &mut Party, record: Tlv) -> Outcome {
    let message = from.send("", &[record]);
    let opened = to.receive(&message).unwrap();
    assert!(opened.text.is_empty());
    let [record] = opened.tlvs.as_slice() else {
        panic!("one record");
    };
    to.smp.receive(record, &mut os_random()).unwrap()
}

/// Bob asks; tells whether the two found their secrets equal.
fn compare(bob: &mut Party, alice: &mut Party, bobs: &str, alices: &str) -> bool {
    let rng = &mut os_random();
    let secret = bob.secret(true, bobs);
    let first = bob.smp.begin(&secret, Some(b"where?"), rng).unwrap();
    let asked = carry(bob, alice, first);
    assert!(matches!(asked, Outcome::Asked { question: Some(question) } if question == b"where?"));
    let secret = alice.secret(false, alices);
    let second = alice.smp.answer(&secret, rng).unwrap();
    let Outcome::Reply(third) = carry(alice, bob, second) else {
        panic!("no SMP message 3");
    };
    let Outcome::Compared {
        reply: Some(fourth),
        equal,
        ..
    } = carry(bob, alice, third)
    else {
        panic!("not compared");
    };
    let Outcome::Compared {
        equal: bob_says, ..
    } = carry(alice, bob, fourth)
    else {
        panic!("not compared");
    };
    assert_eq!(equal, bob_says);
    let progress = if equal {
        Progress::Succeeded
    } else {
        Progress::Failed
    };
    assert_eq!([bob.smp.progress(), alice.smp.progress()], [progress; 2]);
    equal
}

#[test]
fn two_parties_in_both_versions() {
    for version in [Version::V2, Version::V3] {
        let mut bob = Party::new(version, 0x100, 0x200);
        let mut alice = Party::new(version, 0x200, 0x100);
        for session in 0..2 {
            handshake(&mut bob, &mut alice);
            for turn in 0..4 {
                let text = format!("session {session}, turn {turn}");
                let message = bob.send(&text, &[]);
                assert_eq!(*alice.receive(&message).unwrap().text, text.as_bytes());
                assert_eq!(alice.receive(&message).err(), Some(Error::Replayed));
                let message = alice.send(&text, &[]);
                assert_eq!(*bob.receive(&message).unwrap().text, text.as_bytes());
            }
            assert!(compare(&mut bob, &mut alice, "Bern", "Bern"));
            assert!(!compare(&mut alice, &mut bob, "Bern", "Basel"));
        }
    }
}
