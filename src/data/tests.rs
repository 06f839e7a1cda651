//! Keys that come and go, messages that must be refused, and what the wire
//! shows.
#![forbid(unsafe_code)]

use super::*;
use crate::ake::testing::{out_of_range, session};
use crate::ake::{Local, SessionHalf, SessionId};
use crate::crypto::os_random;
use crate::crypto::symmetric::{aes128_ctr, hmac_sha1};
use crate::wire::message::{DataMessage, IGNORE_UNREADABLE};
use crate::wire::tlv::{self, Tlv};
use crate::{InstanceTag, Version};

const VERSIONS: [Version; 3] = [Version::V1, Version::V2, Version::V3];

/// One side of a session.
struct Side {
    ring: KeyRing,
    local: Local,
}

/// Two sides of a new session.
fn sides(version: Version) -> (Side, Side) {
    let (bob, alice) = session(Version::V3);
    let side = |end: &Established, ours, theirs| Side {
        ring: KeyRing::new(end, &mut os_random()).unwrap(),
        local: Local {
            version,
            ours: InstanceTag::new(ours),
            theirs: InstanceTag::new(theirs),
        },
    };
    (side(&bob, 0x100, 0x200), side(&alice, 0x200, 0x100))
}

impl Side {
    fn encrypt(&mut self, text: &str) -> Vec<u8> {
        let sealed = self.ring.encrypt(&self.local, text.as_bytes(), &[], 0);
        sealed.unwrap().encoded
    }

    fn decrypt(&mut self, bytes: &[u8]) -> Result<String, Error> {
        let decoded = bytes.to_vec();
        let opened = self.ring.decrypt_in_place(decoded, &mut os_random())?;
        Ok(String::from_utf8(opened.text.to_vec()).unwrap())
    }

    /// Everything that a refused message must leave alone, but for the pairs
    /// that were derived and the marks on MAC keys.
    fn snapshot(&self) -> impl PartialEq + core::fmt::Debug + use<> {
        let ring = &self.ring;
        let counters = [&ring.pairs.current, &ring.pairs.previous].map(|slots| {
            [&slots.current, &slots.previous].map(|pair| {
                pair.as_ref()
                    .map_or((0, 0), |pair| (pair.sent, pair.received))
            })
        });
        (
            (ring.our_keyid, ring.their_keyid),
            (*ring.our_current.public(), *ring.our_previous.public()),
            (ring.their_current, ring.their_previous),
            counters,
            ring.old_mac_keys.to_vec(),
        )
    }

    fn derived(&self) -> usize {
        let Pairs { current, previous } = &self.ring.pairs;
        [
            &current.current,
            &current.previous,
            &previous.current,
            &previous.previous,
        ]
        .into_iter()
        .filter(|pair| pair.is_some())
        .count()
    }
}

/// The message with a change, authenticated by its sender's key. The sender
/// must still have the pair that the message was made with.
fn forge<'a>(from: &Side, bytes: &'a [u8], change: impl FnOnce(&mut DataMessage<'a>)) -> Vec<u8> {
    let mut message = DataMessage::parse(bytes).unwrap();
    change(&mut message);
    let pair = from.ring.pairs.previous.current.as_ref().unwrap();
    let unsigned = message.encode().unwrap();
    let authenticated = DataMessage::parse(&unsigned).unwrap().authenticated_len;
    message.mac = hmac_sha1(&pair.keys.sending_mac, &unsigned[..authenticated]);
    message.encode().unwrap()
}

#[test]
fn messages_arrive_in_every_version() {
    for version in VERSIONS {
        let (mut bob, mut alice) = sides(version);
        for round in 0..5 {
            for text in ["", "hello", "\u{e4}\u{f6}\u{fc}"] {
                let message = bob.encrypt(text);
                assert_eq!(
                    DataMessage::parse(&message).unwrap().header,
                    bob.local.header()
                );
                assert_eq!(alice.decrypt(&message).unwrap(), text);
                let message = alice.encrypt(text);
                assert_eq!(bob.decrypt(&message).unwrap(), text, "round {round}");
            }
        }
    }
}

#[test]
fn records_flags_and_the_extra_key_arrive() {
    let (mut bob, mut alice) = sides(Version::V3);
    let tlvs = [Tlv::new(tlv::SMP1, vec![0, 1, 2]), Tlv::new(0xfffe, vec![])];
    let sealed = bob
        .ring
        .encrypt(&bob.local, b"text", &tlvs, IGNORE_UNREADABLE)
        .unwrap();
    let bytes = sealed.encoded.clone();
    let message = DataMessage::parse(&bytes).unwrap();
    assert_eq!(message.flags, IGNORE_UNREADABLE);
    let opened = alice
        .ring
        .decrypt(&message, &bytes, &mut os_random())
        .unwrap();
    assert_eq!(*opened.text, b"text");
    assert_eq!(opened.tlvs, tlvs);
    assert_eq!(opened.extra_key, sealed.extra_key);
    assert_ne!(*opened.extra_key, [0; 32]);
}

/// Compatibility: the NUL is there even if no record follows.
#[test]
fn the_text_always_ends_with_a_nul() {
    let (mut bob, _) = sides(Version::V3);
    for (text, tlvs, len) in [
        ("", vec![], 1),
        ("hello", vec![], 6),
        ("hello", vec![Tlv::new(0, vec![1, 2, 3])], 13),
    ] {
        let sealed = bob.ring.encrypt(&bob.local, text.as_bytes(), &tlvs, 0);
        let bytes = sealed.unwrap().encoded;
        assert_eq!(DataMessage::parse(&bytes).unwrap().encrypted.len(), len);
    }
}

#[test]
fn the_first_message_names_the_handshakes_keys_and_counts_from_one() {
    let (mut bob, _) = sides(Version::V3);
    for expected in 1..4_u64 {
        let bytes = bob.encrypt("x");
        let message = DataMessage::parse(&bytes).unwrap();
        assert_eq!((message.sender_keyid, message.recipient_keyid), (1, 1));
        assert_eq!(message.counter, expected.to_be_bytes());
        assert_eq!(*message.next_dh, *bob.ring.our_current.public().minimal());
    }
}

#[test]
fn key_ids_grow_by_one_a_round_and_reveals_begin_in_the_second() {
    let (mut bob, mut alice) = sides(Version::V2);
    for round in 1..6_u32 {
        let bytes = bob.encrypt("ping");
        let message = DataMessage::parse(&bytes).unwrap();
        assert_eq!(message.sender_keyid, round);
        assert_eq!(message.old_mac_keys.len(), if round > 2 { 20 } else { 0 });
        alice.decrypt(&bytes).unwrap();
        let bytes = alice.encrypt("pong");
        let message = DataMessage::parse(&bytes).unwrap();
        let keyids = (message.sender_keyid, message.recipient_keyid);
        assert_eq!(keyids, (round, round + 1));
        assert_eq!(message.old_mac_keys.len(), if round > 1 { 20 } else { 0 });
        bob.decrypt(&bytes).unwrap();
    }
    assert_eq!((bob.ring.our_keyid(), bob.ring.their_keyid()), (7, 6));
}

/// To and fro, each side derives one pair to read and one to write a round.
#[test]
fn only_pairs_in_use_are_derived() {
    let (mut bob, mut alice) = sides(Version::V3);
    assert_eq!((bob.derived(), alice.derived()), (1, 1));
    for _ in 0..4 {
        let message = bob.encrypt("ping");
        alice.decrypt(&message).unwrap();
        let message = alice.encrypt("pong");
        bob.decrypt(&message).unwrap();
        assert!(bob.derived() <= 2 && alice.derived() <= 2);
    }
}

/// A MAC key is revealed once its pair is gone, and only if it has verified
/// a message; both sides know the same.
#[test]
fn revealed_keys_are_those_that_verified_messages() {
    let (mut bob, mut alice) = sides(Version::V3);
    let mut verified = Vec::new();
    let mut revealed = Vec::new();
    for round in 0..6 {
        for text in ["a", "b"] {
            let bytes = bob.encrypt(text);
            let message = DataMessage::parse(&bytes).unwrap();
            revealed.extend(message.old_mac_keys.chunks(20).map(<[u8]>::to_vec));
            let ours = alice.ring.our_age(message.recipient_keyid).unwrap();
            let theirs = alice.ring.their_age(message.sender_keyid).unwrap();
            let key = alice
                .ring
                .pair(ours, theirs)
                .unwrap()
                .keys
                .receiving_mac
                .to_vec();
            if !verified.contains(&key) {
                verified.push(key);
            }
            alice.decrypt(&bytes).unwrap();
        }
        let bytes = alice.encrypt("c");
        let shown = DataMessage::parse(&bytes).unwrap().old_mac_keys.to_vec();
        for key in shown.chunks(20) {
            let place = verified.iter().position(|known| known == key);
            assert!(
                place.is_some_and(|place| place < verified.len() - 1),
                "round {round}"
            );
        }
        bob.decrypt(&bytes).unwrap();
    }
    let distinct: std::collections::HashSet<_> = revealed.iter().collect();
    assert_eq!(distinct.len(), revealed.len(), "no key is revealed twice");
    assert!(!revealed.is_empty());
}

/// When our keys are replaced, the pairs of the key that goes are revealed:
/// first that with the peer's current key, then that with the previous one.
#[test]
fn keys_are_revealed_in_their_order() {
    let (mut bob, _) = sides(Version::V3);
    let theirs = *KeyPair::generate(&mut os_random()).unwrap().public();
    bob.ring.rotate_theirs(theirs, 2);
    let mut expected = Vec::new();
    for their_age in [Age::Current, Age::Previous] {
        let pair = bob.ring.pair(Age::Previous, their_age).unwrap();
        pair.used = true;
        expected.extend_from_slice(&*pair.keys.receiving_mac);
    }
    let next = KeyPair::generate(&mut os_random()).unwrap();
    bob.ring.rotate_ours(next, 3);
    assert_eq!(*bob.ring.old_mac_keys, expected);

    // And for the peer's keys: first that with our current key.
    bob.ring.old_mac_keys = SecretBytes::default();
    let mut expected = Vec::new();
    for our_age in [Age::Current, Age::Previous] {
        let pair = bob.ring.pair(our_age, Age::Previous).unwrap();
        pair.used = true;
        expected.extend_from_slice(&*pair.keys.receiving_mac);
    }
    bob.ring.pair(Age::Current, Age::Current).unwrap().used = true;
    bob.ring.rotate_theirs(theirs, 3);
    assert_eq!(*bob.ring.old_mac_keys, expected);
    let bytes = bob.encrypt("x");
    assert_eq!(DataMessage::parse(&bytes).unwrap().old_mac_keys, expected);
    assert!(bob.ring.old_mac_keys.is_empty());
}

/// A message that is overtaken by one with newer keys comes too late.
#[test]
fn messages_are_read_as_long_as_their_keys_are_there() {
    let (mut bob, mut alice) = sides(Version::V3);
    let first = bob.encrypt("first");
    let overtaken = bob.encrypt("overtaken");
    let reply = alice.encrypt("reply");
    bob.decrypt(&reply).unwrap();
    assert_eq!(alice.decrypt(&first).unwrap(), "first");
    let second = bob.encrypt("second");
    assert_eq!(alice.decrypt(&second).unwrap(), "second");
    let before = alice.snapshot();
    assert_eq!(alice.decrypt(&overtaken).err(), Some(Error::UnknownKey));
    assert_eq!(alice.snapshot(), before);
}

#[test]
fn a_lost_message_does_no_harm() {
    let (mut bob, mut alice) = sides(Version::V3);
    for round in 0..10 {
        let _lost = bob.encrypt("lost");
        let message = bob.encrypt("kept");
        assert_eq!(alice.decrypt(&message).unwrap(), "kept");
        if round % 2 == 0 {
            let _lost = alice.encrypt("lost");
        }
        let message = alice.encrypt("kept");
        assert_eq!(bob.decrypt(&message).unwrap(), "kept");
    }
}

#[test]
fn a_replay_is_refused_and_changes_nothing() {
    let (mut bob, mut alice) = sides(Version::V3);
    let older = bob.encrypt("one");
    let newer = bob.encrypt("two");
    alice.decrypt(&newer).unwrap();
    let before = alice.snapshot();
    for replayed in [&newer, &older] {
        assert_eq!(alice.decrypt(replayed).err(), Some(Error::Replayed));
        assert_eq!(alice.snapshot(), before);
    }
    let next = bob.encrypt("three");
    assert_eq!(alice.decrypt(&next).unwrap(), "three");
}

#[test]
fn a_flipped_bit_anywhere_is_refused_and_changes_nothing() {
    let (mut bob, mut alice) = sides(Version::V3);
    let bytes = bob.encrypt("text");
    let authenticated = DataMessage::parse(&bytes).unwrap().authenticated_len;
    let before = alice.snapshot();
    for place in 0..authenticated + 20 {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x10;
        assert!(alice.decrypt(&damaged).is_err(), "byte {place}");
        assert_eq!(alice.snapshot(), before);
    }
    assert_eq!(alice.decrypt(&bytes).unwrap(), "text");
}

#[test]
fn unknown_keys_are_refused() {
    let (mut bob, mut alice) = sides(Version::V3);
    let bytes = bob.encrypt("text");
    let before = alice.snapshot();
    for (sender, recipient) in [(0, 1), (1, 0), (2, 1), (1, 3), (u32::MAX, 1), (1, u32::MAX)] {
        let forged = forge(&bob, &bytes, |message| {
            message.sender_keyid = sender;
            message.recipient_keyid = recipient;
        });
        assert_eq!(alice.decrypt(&forged).err(), Some(Error::UnknownKey));
        assert_eq!(alice.snapshot(), before);
    }
}

/// A peer that announced no second key has no previous one.
#[test]
fn a_previous_key_that_never_was_is_unknown() {
    let (mut bob, mut alice) = sides(Version::V3);
    alice.ring.their_keyid = 2;
    let bytes = bob.encrypt("text");
    assert_eq!(alice.decrypt(&bytes).err(), Some(Error::UnknownKey));
}

#[test]
fn a_next_key_out_of_range_is_refused_and_changes_nothing() {
    for version in VERSIONS {
        let (mut bob, mut alice) = sides(version);
        let bytes = bob.encrypt("text");
        let before = alice.snapshot();
        for next in out_of_range() {
            let forged = forge(&bob, &bytes, |message| message.next_dh = &next);
            assert_eq!(alice.decrypt(&forged).err(), Some(Error::OutOfRange));
            assert_eq!(alice.snapshot(), before);
        }
        assert_eq!(alice.decrypt(&bytes).unwrap(), "text");
        // The same once the peer's key is known already.
        let bytes = bob.encrypt("text");
        for next in out_of_range() {
            let forged = forge(&bob, &bytes, |message| message.next_dh = &next);
            assert_eq!(alice.decrypt(&forged).err(), Some(Error::OutOfRange));
        }
    }
}

/// The MAC key has verified a message, so it will be revealed, though the
/// counter was never used.
#[test]
fn a_message_with_counter_zero_is_refused_but_uses_the_key() {
    let (mut bob, mut alice) = sides(Version::V3);
    let bytes = bob.encrypt("text");
    let before = alice.snapshot();
    let forged = forge(&bob, &bytes, |message| message.counter = [0; 8]);
    assert_eq!(alice.decrypt(&forged).err(), Some(Error::Replayed));
    assert_eq!(alice.snapshot(), before);
    assert!(alice.ring.pair(Age::Previous, Age::Current).unwrap().used);
}

#[test]
fn exhausted_key_ids_and_counters_are_refused() {
    let (mut bob, mut alice) = sides(Version::V3);
    bob.ring.our_keyid = 0; // wraps to the largest number as sender key id
    alice.ring.their_keyid = u32::MAX;
    let bytes = bob.encrypt("text");
    let forged = forge(&bob, &bytes, |message| message.sender_keyid = u32::MAX);
    let before = alice.snapshot();
    assert_eq!(alice.decrypt(&forged).err(), Some(Error::TooLong));
    assert_eq!(alice.snapshot(), before);

    let (mut bob, _) = sides(Version::V3);
    bob.ring.pair(Age::Previous, Age::Current).unwrap().sent = u64::MAX;
    let refused = bob.ring.encrypt(&bob.local, b"text", &[], 0);
    assert_eq!(refused.err(), Some(Error::TooLong));
}

#[test]
fn what_cannot_be_sent_changes_nothing() {
    let (mut bob, _) = sides(Version::V3);
    let before = bob.snapshot();
    let long = [Tlv::new(0, vec![0; 0x1_0000])];
    let refused = bob.ring.encrypt(&bob.local, b"text", &long, 0);
    assert_eq!(refused.err(), Some(Error::TooLong));
    let refused = bob.ring.encrypt(&bob.local, b"te\0xt", &[], 0);
    assert_eq!(refused.err(), Some(Error::InvalidValue));
    assert_eq!(bob.snapshot(), before);
}

/// The text ends at the first NUL; what follows is read as records.
#[test]
fn records_begin_after_the_first_nul() {
    let (mut bob, mut alice) = sides(Version::V3);
    let bytes = bob.encrypt("....");
    let pair = bob.ring.pairs.previous.current.as_ref().unwrap();
    let mut plain = b"te\0\0\x01\0\0".to_vec();
    aes128_ctr(&pair.keys.sending_aes, [0, 0, 0, 0, 0, 0, 0, 1], &mut plain);
    let forged = forge(&bob, &bytes, |message| message.encrypted = &plain);
    let message = DataMessage::parse(&forged).unwrap();
    let opened = alice
        .ring
        .decrypt(&message, &forged, &mut os_random())
        .unwrap();
    assert_eq!(*opened.text, b"te");
    assert_eq!(opened.tlvs, [Tlv::new(tlv::DISCONNECTED, vec![])]);
}

#[test]
fn a_message_without_a_nul_is_all_text() {
    let (mut bob, mut alice) = sides(Version::V3);
    let bytes = bob.encrypt("....");
    let pair = bob.ring.pairs.previous.current.as_ref().unwrap();
    let mut plain = b"no end".to_vec();
    aes128_ctr(&pair.keys.sending_aes, [0, 0, 0, 0, 0, 0, 0, 1], &mut plain);
    let forged = forge(&bob, &bytes, |message| message.encrypted = &plain);
    assert_eq!(alice.decrypt(&forged).unwrap(), "no end");
}

#[test]
fn a_successor_reveals_what_is_due() {
    let (mut bob, mut alice) = sides(Version::V3);
    let message = bob.encrypt("text");
    alice.decrypt(&message).unwrap();
    let due = alice.ring.pair(Age::Previous, Age::Previous).unwrap();
    let due = due.keys.receiving_mac.to_vec();
    let (_, mut new) = sides(Version::V3);
    new.ring.succeed(alice.ring);
    let bytes = new.encrypt("text");
    assert_eq!(DataMessage::parse(&bytes).unwrap().old_mac_keys, due);
}

#[test]
fn a_session_continues_only_with_the_very_same_keys() {
    let (bob, _) = session(Version::V3);
    let mut ring = KeyRing::new(&bob, &mut os_random()).unwrap();
    assert!(ring.continues(&bob));
    let theirs = *KeyPair::generate(&mut os_random()).unwrap().public();
    ring.rotate_theirs(theirs, 2);
    assert!(ring.continues(&bob), "the peer's previous key will do");
    let next = KeyPair::generate(&mut os_random()).unwrap();
    ring.rotate_ours(next, 3);
    assert!(!ring.continues(&bob));
    let (other, _) = session(Version::V3);
    let ring = KeyRing::new(&bob, &mut os_random()).unwrap();
    assert!(!ring.continues(&other));
    assert_eq!(bob.half, SessionHalf::First);
    assert_eq!(
        bob.session_id,
        SessionId::new(bob.session_id.as_bytes().try_into().unwrap())
    );
}

/// All that a session keeps while nobody says anything, with a pair to read
/// and a pair to write.
#[test]
fn a_session_is_small() {
    let pairs = 2 * (size_of::<Pair>() + size_of::<pair::Direction>());
    let size = size_of::<KeyRing>() + pairs;
    assert!(size <= 3072, "{size}");
}

#[test]
fn debug_output_shows_no_secrets() {
    let (bob, _) = sides(Version::V3);
    assert_eq!(
        format!("{:?}", bob.ring),
        "KeyRing { our_keyid: 2, their_keyid: 1, .. }"
    );
}

#[test]
fn a_key_ring_taken_apart_and_put_together_goes_on() {
    let (mut bob, mut alice) = sides(Version::V3);
    for round in 0..5 {
        for side in [&mut bob, &mut alice] {
            let before = side.snapshot();
            side.ring = KeyRing::from_parts(side.ring.parts()).unwrap();
            assert_eq!(side.snapshot(), before, "round {round}");
        }
        let message = bob.encrypt("ping");
        assert_eq!(alice.decrypt(&message).unwrap(), "ping");
        assert_eq!(alice.decrypt(&message).err(), Some(Error::Replayed));
        let message = alice.encrypt("pong");
        assert_eq!(bob.decrypt(&message).unwrap(), "pong");
    }
    let pair = bob.ring.used_pair(1, 0).map(|pair| pair.used);
    assert_eq!(pair, bob.ring.parts().pairs[1][0].map(|pair| pair.used));
}

#[test]
fn impossible_parts_are_refused() {
    let refusal = |change: &dyn Fn(&mut parts::Parts)| {
        let (bob, _) = sides(Version::V3);
        let mut parts = bob.ring.parts();
        change(&mut parts);
        KeyRing::from_parts(parts).err()
    };
    assert_eq!(refusal(&|_| ()), None);
    assert_eq!(
        refusal(&|parts| parts.our_keyid = 1),
        Some(Error::ZeroKeyId)
    );
    assert_eq!(
        refusal(&|parts| parts.their_keyid = 0),
        Some(Error::ZeroKeyId)
    );
    let out_of_range = Some(Error::OutOfRange);
    assert_eq!(
        refusal(&|parts| parts.ours[1] = vec![].into()),
        out_of_range
    );
    assert_eq!(refusal(&|parts| parts.theirs.0 = vec![1]), out_of_range);
    assert_eq!(
        refusal(&|parts| parts.theirs.1 = Some(vec![1])),
        out_of_range
    );
    let used = parts::PairParts {
        sent: 1,
        received: 1,
        used: true,
    };
    assert_eq!(
        refusal(&|parts| parts.pairs[0][1] = Some(used)),
        Some(Error::UnknownKey)
    );
}
