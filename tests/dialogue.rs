//! Two users talk through the Rust interface: handshakes, loss, repetition,
//! crossing messages, policies, comparison of secrets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use otr::crypto::dsa::PrivateKey;
use otr::crypto::os_random;
use otr::session::{MessageEvent, MessageState, SmpEvent};
use otr::wire::base64::armour;
use otr::wire::message::{DhKey, Header};
use otr::{Conversation, Event, InstanceTag, Output, Policy, Version};

const NOW: i64 = 1_700_000_000;

/// Keys take long to make; tests share them.
fn key(number: usize) -> Arc<PrivateKey> {
    static KEYS: OnceLock<Vec<Arc<PrivateKey>>> = OnceLock::new();
    let keys = KEYS.get_or_init(|| {
        (0..3)
            .map(|_| Arc::new(PrivateKey::generate(&mut os_random()).unwrap()))
            .collect()
    });
    Arc::clone(&keys[number])
}

/// One side, with the texts on their way to it.
struct Side {
    talk: Conversation,
    inbox: VecDeque<Vec<u8>>,
    shown: Vec<Vec<u8>>,
    events: Vec<Event>,
}

impl Side {
    fn new(name: &str, number: usize, policy: Policy) -> Self {
        let tag = InstanceTag::random(&mut os_random()).unwrap();
        Self {
            talk: Conversation::new(name.into(), key(number), tag, policy),
            inbox: VecDeque::new(),
            shown: Vec::new(),
            events: Vec::new(),
        }
    }

    fn take(&mut self, output: Output) -> Vec<Vec<u8>> {
        self.shown.extend(output.text.map(|text| text.to_vec()));
        self.events.extend(output.events);
        output.wire
    }

    fn has(&self, wanted: impl Fn(&Event) -> bool) -> bool {
        self.events.iter().any(wanted)
    }

    fn count(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|event| wanted(event)).count()
    }
}

struct Pair {
    alice: Side,
    bob: Side,
    now: i64,
    /// Every text that went over the network.
    wire: Vec<Vec<u8>>,
}

impl Pair {
    fn new(alice: Policy, bob: Policy) -> Self {
        Self {
            alice: Side::new("alice", 0, alice),
            bob: Side::new("bob", 1, bob),
            now: NOW,
            wire: Vec::new(),
        }
    }

    fn both(policy: Policy) -> Self {
        Self::new(policy, policy)
    }

    fn alice_sends(&mut self, text: &str) {
        let output = self.alice.talk.send(text.as_bytes(), self.now).unwrap();
        let wire = self.alice.take(output);
        self.wire.extend(wire.iter().cloned());
        self.bob.inbox.extend(wire);
    }

    fn bob_sends(&mut self, text: &str) {
        let output = self.bob.talk.send(text.as_bytes(), self.now).unwrap();
        let wire = self.bob.take(output);
        self.wire.extend(wire.iter().cloned());
        self.alice.inbox.extend(wire);
    }

    /// One text arrives at Bob; returns whether there was one.
    fn step_bob(&mut self) -> bool {
        let Some(text) = self.bob.inbox.pop_front() else {
            return false;
        };
        let output = self.bob.talk.receive(&text, self.now, &mut os_random());
        let wire = self.bob.take(output);
        self.wire.extend(wire.iter().cloned());
        self.alice.inbox.extend(wire);
        true
    }

    fn step_alice(&mut self) -> bool {
        let Some(text) = self.alice.inbox.pop_front() else {
            return false;
        };
        let output = self.alice.talk.receive(&text, self.now, &mut os_random());
        let wire = self.alice.take(output);
        self.wire.extend(wire.iter().cloned());
        self.bob.inbox.extend(wire);
        true
    }

    /// Everything that is on its way arrives.
    fn settle(&mut self) {
        for _ in 0..1000 {
            let moved = self.step_bob() | self.step_alice();
            if !moved {
                return;
            }
        }
        panic!("the two never stop answering each other");
    }

    fn secured(policy: Policy) -> Self {
        let mut pair = Self::both(policy);
        pair.alice_sends("?OTRv23?");
        pair.settle();
        assert!(pair.alice.talk.is_private() && pair.bob.talk.is_private());
        pair
    }

    fn chat(&mut self, rounds: usize) {
        for round in 0..rounds {
            self.alice_sends(&format!("to bob {round}"));
            self.settle();
            assert_eq!(
                self.bob.shown.pop().unwrap(),
                format!("to bob {round}").as_bytes()
            );
            self.bob_sends(&format!("to alice {round}"));
            self.settle();
            assert_eq!(
                self.alice.shown.pop().unwrap(),
                format!("to alice {round}").as_bytes()
            );
        }
    }

    /// No text that must stay secret was ever on the network.
    fn assert_never_on_wire(&self, secret: &str) {
        for text in &self.wire {
            assert!(
                !text
                    .windows(secret.len())
                    .any(|part| part == secret.as_bytes()),
                "on the network: {}",
                String::from_utf8_lossy(text)
            );
        }
    }
}

const V2: Policy = Policy::ALLOW_V2;
const V3: Policy = Policy::ALLOW_V3;

#[test]
fn a_query_leads_to_a_private_conversation() {
    for policy in [V2, V3, Policy::MANUAL, Policy::DEFAULT, Policy::ALWAYS] {
        let mut pair = Pair::secured(policy);
        assert_eq!(
            pair.alice.talk.session_id().unwrap().as_bytes(),
            pair.bob.talk.session_id().unwrap().as_bytes()
        );
        assert_eq!(
            pair.alice.talk.active_fingerprint(),
            Some(&key(1).public().fingerprint())
        );
        for side in [&pair.alice, &pair.bob] {
            assert_eq!(side.count(|event| matches!(event, Event::GoneSecure(_))), 1);
            assert_eq!(
                side.count(|event| matches!(event, Event::NewFingerprint(_))),
                1
            );
        }
        pair.chat(10);
        pair.assert_never_on_wire("to bob");
        pair.assert_never_on_wire("to alice");
    }
}

#[test]
fn many_texts_in_one_direction_arrive_in_order() {
    let mut pair = Pair::secured(Policy::DEFAULT);
    for number in 0..50 {
        pair.alice_sends(&format!("{number}"));
    }
    pair.settle();
    let expected: Vec<Vec<u8>> = (0..50).map(|n| format!("{n}").into_bytes()).collect();
    assert_eq!(pair.bob.shown, expected);
}

#[test]
fn texts_that_arrive_twice_or_late_are_not_shown_again() {
    let mut pair = Pair::secured(Policy::DEFAULT);
    pair.alice_sends("once");
    let copy = pair.bob.inbox.front().unwrap().clone();
    pair.settle();
    pair.bob.inbox.push_back(copy);
    pair.settle();
    assert_eq!(pair.bob.shown, [b"once".to_vec()]);
    assert!(
        pair.bob
            .has(|event| matches!(event, Event::Message(_, MessageEvent::Unreadable)))
    );
    assert!(pair.alice.has(|event| matches!(event, Event::PeerError(_))));
    // The error has not ended the conversation; a repetition is refused again.
    pair.bob.shown.clear();
    pair.chat(2);
}

#[test]
fn a_whitespace_tag_leads_to_a_private_conversation() {
    let mut pair = Pair::both(Policy::DEFAULT);
    pair.alice_sends("hello");
    pair.settle();
    assert_eq!(pair.bob.shown, [b"hello".to_vec()]);
    assert!(pair.alice.talk.is_private() && pair.bob.talk.is_private());
}

#[test]
fn a_rejected_offer_is_not_repeated() {
    let mut pair = Pair::new(Policy::DEFAULT, Policy::NEVER);
    pair.alice_sends("one");
    assert!(pair.wire[0].len() > 3);
    pair.settle();
    pair.bob_sends("no otr here");
    pair.settle();
    pair.alice_sends("two");
    assert_eq!(pair.wire.last().unwrap(), b"two");
}

#[test]
fn required_encryption_keeps_every_text_until_there_is_a_session() {
    let require = Policy::ALWAYS;
    for bob in [Policy::ALWAYS, Policy::DEFAULT, Policy::MANUAL] {
        let mut pair = Pair::new(require, bob);
        pair.alice_sends("first secret");
        pair.alice_sends("second secret");
        pair.alice_sends("third secret");
        pair.settle();
        let expected = ["first secret", "second secret", "third secret"];
        assert_eq!(
            pair.bob.shown,
            expected.map(|text| text.as_bytes().to_vec())
        );
        pair.assert_never_on_wire("secret");
    }
}

#[test]
fn texts_kept_by_the_side_that_starts_the_exchange_are_sent_as_well() {
    let mut pair = Pair::both(Policy::ALWAYS);
    pair.alice_sends("typed early");
    // The query is lost; then Bob asks.
    pair.bob.inbox.clear();
    pair.bob_sends("?OTRv23?");
    pair.settle();
    assert!(pair.bob.shown.contains(&b"typed early".to_vec()));
    pair.assert_never_on_wire("typed early");
}

#[test]
fn crossing_commits_converge() {
    for policy in [V2, V3, Policy::DEFAULT] {
        for _ in 0..8 {
            let mut pair = Pair::both(policy);
            pair.alice.inbox.push_back(b"?OTRv23?".to_vec());
            pair.bob.inbox.push_back(b"?OTRv23?".to_vec());
            // Both answer the query before they see the other's answer.
            assert!(pair.step_alice());
            assert!(pair.step_bob());
            pair.settle();
            assert!(pair.alice.talk.is_private() && pair.bob.talk.is_private());
            pair.chat(3);
        }
    }
}

#[test]
fn a_repeated_handshake_message_does_no_harm() {
    for policy in [V2, V3] {
        for repeated in 0..4 {
            let mut pair = Pair::both(policy);
            pair.alice.inbox.push_back(b"?OTRv23?".to_vec());
            let mut handled = 0;
            while pair.step_alice() | pair.step_bob() {
                if let Some(last) = pair.bob.inbox.back().cloned()
                    && handled == repeated
                {
                    pair.bob.inbox.push_back(last);
                } else if let Some(last) = pair.alice.inbox.back().cloned()
                    && handled == repeated
                {
                    pair.alice.inbox.push_back(last);
                }
                handled += 1;
                assert!(handled < 100);
            }
            assert!(pair.alice.talk.is_private() && pair.bob.talk.is_private());
            pair.alice.shown.clear();
            pair.bob.shown.clear();
            pair.chat(2);
        }
    }
}

#[test]
fn a_refresh_keeps_the_conversation_private_throughout() {
    for policy in [V2, V3] {
        let mut pair = Pair::secured(policy);
        pair.chat(2);
        pair.alice.inbox.push_back(b"?OTRv23?".to_vec());
        for _ in 0..20 {
            pair.step_alice();
            pair.step_bob();
            assert!(pair.alice.talk.is_private() && pair.bob.talk.is_private());
        }
        for side in [&pair.alice, &pair.bob] {
            assert_eq!(
                side.count(|event| matches!(event, Event::StillSecure(_))),
                1
            );
        }
        pair.chat(2);
    }
}

#[test]
fn a_disconnected_peer_is_not_sent_plaintext() {
    for policy in [V2, V3] {
        let mut pair = Pair::secured(policy);
        let output = pair.alice.talk.disconnect(NOW);
        let wire = pair.alice.take(output);
        pair.bob.inbox.extend(wire);
        pair.settle();
        assert_eq!(pair.alice.talk.state(), MessageState::Plaintext);
        assert_eq!(pair.bob.talk.state(), MessageState::Finished);
        assert!(pair.bob.has(|event| matches!(event, Event::Finished(_))));
        assert!(pair.bob.talk.send(b"secret", NOW).is_err());
        // A new key exchange opens the way again.
        pair.bob.inbox.push_back(b"?OTRv23?".to_vec());
        pair.settle();
        assert!(pair.bob.talk.is_private());
        pair.chat(1);
    }
}

fn compare(pair: &mut Pair, question: Option<&[u8]>, hers: &[u8], his: &[u8]) {
    let output = pair
        .alice
        .talk
        .compare_secret(hers, question, NOW, &mut os_random())
        .unwrap();
    let wire = pair.alice.take(output);
    pair.bob.inbox.extend(wire);
    pair.settle();
    let asked = pair.bob.has(|event| match event {
        Event::Smp(_, SmpEvent::AskForSecret) => question.is_none(),
        Event::Smp(_, SmpEvent::AskForAnswer(text)) => Some(text.as_slice()) == question,
        _ => false,
    });
    assert!(asked);
    let output = pair
        .bob
        .talk
        .answer_secret(his, NOW, &mut os_random())
        .unwrap();
    let wire = pair.bob.take(output);
    pair.alice.inbox.extend(wire);
    pair.settle();
}

#[test]
fn secrets_are_compared() {
    for policy in [V2, V3] {
        for question in [None, Some(&b"who?"[..])] {
            let mut pair = Pair::secured(policy);
            compare(&mut pair, question, b"same", b"same");
            let success = |event: &Event| matches!(event, Event::Smp(_, SmpEvent::Success));
            assert!(pair.alice.has(success) && pair.bob.has(success));
            assert!(pair.alice.talk.fingerprints().next().unwrap().1);
            // Who only answers a question has learnt nothing about the asker.
            assert_eq!(
                pair.bob.talk.fingerprints().next().unwrap().1,
                question.is_none()
            );

            pair.alice.events.clear();
            pair.bob.events.clear();
            compare(&mut pair, question, b"same", b"other");
            let failure = |event: &Event| matches!(event, Event::Smp(_, SmpEvent::Failure));
            assert!(pair.alice.has(failure) && pair.bob.has(failure));
            assert!(!pair.alice.talk.fingerprints().next().unwrap().1);
            pair.chat(1);
        }
    }
}

#[test]
fn an_answer_that_nobody_asked_for_is_refused() {
    let mut pair = Pair::secured(Policy::DEFAULT);
    assert!(
        pair.bob
            .talk
            .answer_secret(b"x", NOW, &mut os_random())
            .is_err()
    );
    pair.chat(1);
}

#[test]
fn the_extra_symmetric_key_is_the_same_on_both_sides() {
    let mut pair = Pair::secured(V3);
    let (output, key) = pair
        .alice
        .talk
        .request_symmetric_key(7, b"file.txt", NOW)
        .unwrap();
    let wire = pair.alice.take(output);
    pair.bob.inbox.extend(wire);
    pair.settle();
    assert!(pair.bob.has(|event| matches!(event,
        Event::SymmetricKey { purpose: 7, data, key: his } if **data == b"file.txt" && *his == key)));
}

#[test]
fn a_narrow_transport_gets_pieces() {
    for policy in [V2, V3] {
        let mut pair = Pair::both(policy);
        pair.alice.talk.set_max_message_size(100);
        pair.bob.talk.set_max_message_size(120);
        pair.alice_sends("?OTRv23?");
        pair.settle();
        assert!(pair.alice.talk.is_private() && pair.bob.talk.is_private());
        let long = "long ".repeat(400);
        pair.alice_sends(&long);
        pair.settle();
        assert_eq!(pair.bob.shown, [long.into_bytes()]);
        assert!(pair.wire.iter().skip(1).all(|text| text.len() <= 120));
    }
}

#[test]
fn plaintext_in_a_private_conversation_comes_with_a_warning() {
    let mut pair = Pair::secured(Policy::DEFAULT);
    pair.bob.inbox.push_back(b"I am alice, honestly".to_vec());
    pair.settle();
    assert!(pair.bob.has(|event| *event == Event::Unencrypted));
    assert!(pair.bob.talk.is_private());
}

#[test]
fn a_heartbeat_answers_a_long_silence() {
    let mut pair = Pair::secured(Policy::DEFAULT);
    pair.now += 61;
    pair.alice_sends("are you there?");
    pair.settle();
    let sent = |event: &Event| matches!(event, Event::Message(_, MessageEvent::HeartbeatSent));
    let received =
        |event: &Event| matches!(event, Event::Message(_, MessageEvent::HeartbeatReceived));
    assert!(pair.bob.has(sent) && pair.alice.has(received));
    assert_eq!(pair.bob.shown, [b"are you there?".to_vec()]);
}

#[test]
fn an_unreadable_text_is_sent_again_only_to_the_key_it_was_meant_for() {
    // The peer lost its session and says so: version 2 answers with a refresh.
    let mut pair = Pair::secured(V2 | Policy::ERROR_START_AKE);
    pair.alice_sends("repeat me");
    pair.bob.inbox.clear();
    pair.alice.inbox.push_back(b"?OTR Error: lost it".to_vec());
    pair.settle();
    assert!(pair.bob.shown.contains(&b"[resent] repeat me".to_vec()));

    // Mallory takes Bob's place and has a key of her own.
    let mut pair = Pair::secured(V2 | Policy::ERROR_START_AKE);
    pair.alice_sends("for bob alone");
    pair.bob = Side::new("mallory", 2, V2);
    pair.alice.inbox.push_back(b"?OTR Error: lost it".to_vec());
    pair.settle();
    assert!(pair.bob.talk.is_private());
    assert!(
        !pair
            .bob
            .shown
            .iter()
            .any(|text| text.windows(3).any(|part| part == b"for"))
    );
}

/// Fuzzing found the two driving each other on for ever: each repetition came
/// under keys that the exchange in between had overtaken, and led to an error,
/// which led to an exchange and a repetition.
#[test]
fn a_text_is_repeated_once_however_the_exchanges_cross() {
    let mut pair = Pair::secured(V2 | Policy::ERROR_START_AKE);
    pair.alice_sends("repeat me");
    pair.settle();
    pair.alice.inbox.push_back(b"?OTR Error: lost it".to_vec());
    // Query, D-H Commit, D-H Key, Reveal Signature.
    assert!(pair.step_alice() && pair.step_bob() && pair.step_alice() && pair.step_bob());
    pair.alice.inbox.push_front(b"?OTR Error: lost it".to_vec());
    pair.settle();
    pair.alice.events.clear();
    pair.chat(2);
    assert!(!pair.alice.has(|event| matches!(event, Event::PeerError(_))));
}

#[test]
fn several_instances_of_one_account_each_get_a_session() {
    let mut alice = Side::new("alice", 0, V3);
    let mut phone = Side::new("bob", 1, V3);
    let mut desk = Side::new("bob", 1, V3);
    let output = alice.talk.receive(b"?OTRv3?", NOW, &mut os_random());
    let mut to_bob = alice.take(output);
    for _ in 0..6 {
        let mut to_alice = Vec::new();
        for text in to_bob.drain(..) {
            for bob in [&mut phone, &mut desk] {
                let output = bob.talk.receive(&text, NOW, &mut os_random());
                to_alice.extend(bob.take(output));
            }
        }
        for text in to_alice {
            let output = alice.talk.receive(&text, NOW, &mut os_random());
            to_bob.extend(alice.take(output));
        }
    }
    assert!(phone.talk.is_private() && desk.talk.is_private());
    assert_eq!(
        alice.count(|event| matches!(event, Event::GoneSecure(_))),
        2
    );
}

#[test]
fn a_lost_reveal_signature_does_not_stand_in_the_way_of_a_new_start() {
    for _ in 0..8 {
        let mut pair = Pair::both(V3);
        // Alice's exchange gets as far as her Reveal Signature, which is lost.
        pair.alice.inbox.push_back(b"?OTRv3?".to_vec());
        assert!(pair.step_alice() && pair.step_bob() && pair.step_alice());
        pair.bob.inbox.clear();
        // Both start anew; the commits cross.
        pair.alice.inbox.push_back(b"?OTRv3?".to_vec());
        pair.bob.inbox.push_back(b"?OTRv3?".to_vec());
        assert!(pair.step_alice() && pair.step_bob());
        pair.settle();
        assert!(pair.alice.talk.is_private() && pair.bob.talk.is_private());
        pair.chat(2);
    }
}

/// Of both tags in a header the receiver's is looked at first, so that a
/// message for somebody else is not answered with an error.
#[test]
fn a_message_for_another_instance_is_not_answered_whoever_sent_it() {
    let policy = Policy::DEFAULT;
    let ours = InstanceTag::new(0x0b0b);
    let mut bob = Conversation::new(b"bob".to_vec(), key(1), ours, policy);
    let mut receive = |sender, receiver| {
        let [sender, receiver] = [sender, receiver].map(InstanceTag::new);
        let version = Version::V3;
        let header = Header {
            version,
            sender,
            receiver,
        };
        let gy = vec![4];
        let text = armour(&DhKey { header, gy }.encode().unwrap());
        let output = bob.receive(&text, NOW, &mut os_random());
        let [Event::Message(_, event)] = &output.events[..] else {
            panic!("{:?}", output.events);
        };
        (event.clone(), output.wire.len())
    };
    for sender in [0, 0xff, 0x100] {
        for receiver in [0, 0x0a11] {
            let expected = (MessageEvent::ForOtherInstance, 0);
            assert_eq!(receive(sender, receiver), expected);
        }
    }
    for sender in [0, 0xff] {
        let expected = (MessageEvent::Malformed, 1);
        assert_eq!(receive(sender, ours.get()), expected);
    }
}
