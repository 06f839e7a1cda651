//! Each state, each refused message, and crossing commits.
#![forbid(unsafe_code)]

use super::testing::{Message, Side, long_term_key, out_of_range, parse, session};
use super::*;
use crate::crypto::os_random;
use crate::crypto::symmetric::{aes128_ctr, sha256};
use crate::wire::Writer;

const VERSIONS: [Version; 2] = [Version::V2, Version::V3];

/// Everything that a refused or ignored message must leave alone.
fn snapshot(ake: &Ake) -> impl PartialEq + core::fmt::Debug + use<> {
    let material = match &ake.state {
        State::None => vec![],
        State::AwaitingDhKey(commitment) => [
            &commitment.r[..],
            &commitment.hashed_gx,
            &commitment.key.secret().to_be_bytes(),
        ]
        .concat(),
        State::AwaitingRevealSig(answered) => [
            &answered.encrypted_gx[..],
            &answered.hashed_gx,
            &answered.key.secret().to_be_bytes(),
        ]
        .concat(),
        State::AwaitingSig(revealed) => [
            &revealed.reveal_signature[..],
            &revealed.their_dh.minimal(),
            &revealed.shared.minimal(),
            &revealed.commitment.key.secret().to_be_bytes(),
        ]
        .concat(),
        State::V1Setup(setup) => setup.message().to_vec(),
    };
    (ake.state(), ake.version, ake.initiated, ake.spent, material)
}

/// The message of each kind that a handshake of this version consists of,
/// with the two sides as they were before they received it.
fn messages(version: Version) -> [Vec<u8>; 4] {
    let (mut bob, mut alice) = (Side::new(1, version), Side::new(2, version));
    let commit = bob.start();
    let key = alice.reply(&commit);
    let reveal = bob.reply(&key);
    let signature = alice.reply(&reveal);
    [commit, key, reveal, signature]
}

/// Brings a side into each of the states.
fn in_state(state: AuthState, version: Version) -> Side {
    let (mut side, mut peer) = (Side::new(1, version), Side::new(3, version));
    match state {
        AuthState::None => {}
        AuthState::AwaitingDhKey => drop(side.start()),
        AuthState::AwaitingRevealSig => drop(side.reply(&peer.start())),
        AuthState::AwaitingSig => {
            let key = peer.reply(&side.start());
            side.reply(&key);
        }
        AuthState::V1Setup => {
            let key = &side.key;
            side.ake.start_v1(None, key, &mut os_random()).unwrap();
        }
    }
    assert_eq!(side.ake.state(), state);
    side
}

#[test]
fn both_sides_agree() {
    for version in VERSIONS {
        let (bobs, alices) = session(version);
        assert_eq!(bobs.session_id, alices.session_id);
        assert_eq!(bobs.session_id.as_bytes().len(), 8);
        assert_eq!(*bobs.shared.minimal(), *alices.shared.minimal());
        assert_eq!(
            (bobs.half, alices.half),
            (SessionHalf::First, SessionHalf::Second)
        );
        assert_eq!((bobs.initiated, alices.initiated), (true, false));
        assert_eq!(bobs.their_dh, *alices.our_dh.public());
        assert_eq!(alices.their_dh, *bobs.our_dh.public());
        assert_eq!(bobs.their_key, *long_term_key(2).public());
        assert_eq!(alices.their_key, *long_term_key(1).public());
        assert_eq!((bobs.our_keyid, bobs.their_keyid), (1, 1));
        assert_eq!(bobs.version, version);
    }
}

#[test]
fn headers_carry_the_instances_in_version_3_only() {
    let mut side = Side::new(1, Version::V3);
    side.local.theirs = InstanceTag::new(0x1234);
    let Message::Commit(commit) = parse(&side.start()) else {
        panic!("no commit");
    };
    assert_eq!(commit.header.sender, InstanceTag::new(0x100));
    assert_eq!(commit.header.receiver, InstanceTag::new(0x1234));
    side.local.version = Version::V2;
    let Message::Commit(commit) = parse(&side.start()) else {
        panic!("no commit");
    };
    assert_eq!(commit.header.sender, InstanceTag::NONE);
    assert_eq!(commit.header.receiver, InstanceTag::NONE);
}

#[test]
fn private_keys_have_320_bits() {
    let side = in_state(AuthState::AwaitingDhKey, Version::V3);
    let State::AwaitingDhKey(commitment) = &side.ake.state else {
        panic!("no commitment");
    };
    assert_eq!(commitment.key.secret().to_be_bytes().len(), 40);
}

#[test]
fn every_message_in_every_state() {
    use AuthState as S;
    for version in VERSIONS {
        let [_, key, reveal, signature] = messages(version);
        for state in [
            S::None,
            S::AwaitingDhKey,
            S::AwaitingRevealSig,
            S::AwaitingSig,
            S::V1Setup,
        ] {
            // A D-H key of somebody is the one that an initiator waits for.
            let mut side = in_state(state, version);
            let before = snapshot(&side.ake);
            let done = side.receive(&key, None).unwrap();
            assert_eq!(done.reply.is_some(), state == S::AwaitingDhKey);
            if state == S::AwaitingDhKey {
                assert_eq!(side.ake.state(), S::AwaitingSig);
            } else {
                assert_eq!(snapshot(&side.ake), before, "D-H Key in {state:?}");
            }

            // Nobody waits for another handshake's Reveal Signature: its key
            // does not open the commitment.
            let mut side = in_state(state, version);
            let before = snapshot(&side.ake);
            let done = side.receive(&reveal, None).unwrap();
            assert!(done.reply.is_none() && done.established.is_none());
            assert_eq!(snapshot(&side.ake), before, "Reveal Signature in {state:?}");

            // Another handshake's Signature is refused where one is due.
            let mut side = in_state(state, version);
            let before = snapshot(&side.ake);
            let refused = side.receive(&signature, None).err();
            let due = (state == S::AwaitingSig).then_some(Error::BadAuthenticator);
            assert_eq!(refused, due);
            assert_eq!(snapshot(&side.ake), before, "Signature in {state:?}");
        }
    }
}

#[test]
fn commits_are_answered_in_every_state() {
    use AuthState as S;
    for version in VERSIONS {
        for state in [S::None, S::AwaitingRevealSig, S::AwaitingSig, S::V1Setup] {
            let mut side = in_state(state, version);
            let mut peer = Side::new(2, version);
            let commit = peer.start();
            let key = side.reply(&commit);
            assert_eq!(side.ake.state(), S::AwaitingRevealSig);
            assert!(!side.ake.initiated());
            let reveal = peer.reply(&key);
            let end = side.receive(&reveal, None).unwrap();
            assert!(end.established.is_some(), "{state:?}");
            assert_eq!(side.ake.state(), S::None);
            let end = peer.receive(&end.reply.unwrap(), None).unwrap();
            assert!(end.established.is_some());
        }
    }
}

#[test]
fn a_repeated_commit_gets_the_same_key_and_replaces_the_first() {
    for version in VERSIONS {
        let mut side = Side::new(1, version);
        let (mut first, mut second) = (Side::new(2, version), Side::new(3, version));
        let key = side.reply(&first.start());
        assert_eq!(side.reply(&second.start()), key);
        let stale = first.reply(&key);
        let before = snapshot(&side.ake);
        assert!(side.receive(&stale, None).unwrap().established.is_none());
        assert_eq!(snapshot(&side.ake), before);
        let reveal = second.reply(&key);
        assert!(side.receive(&reveal, None).unwrap().established.is_some());
    }
}

#[test]
fn a_repeated_key_gets_the_same_reveal_signature() {
    for version in VERSIONS {
        let (mut bob, mut alice) = (Side::new(1, version), Side::new(2, version));
        let key = alice.reply(&bob.start());
        let reveal = bob.reply(&key);
        let before = snapshot(&bob.ake);
        assert_eq!(bob.reply(&key), reveal);
        assert_eq!(snapshot(&bob.ake), before);
        assert_eq!(bob.ake.last_message(&bob.local), Ok(Some(reveal)));
    }
}

#[test]
fn responders_keys_out_of_range_are_refused() {
    for version in VERSIONS {
        for gy in out_of_range() {
            let mut side = in_state(AuthState::AwaitingDhKey, version);
            let before = snapshot(&side.ake);
            let message = DhKey {
                header: side.local.header(),
                gy,
            };
            let text = armour(&message.encode().unwrap());
            assert_eq!(side.receive(&text, None).err(), Some(Error::OutOfRange));
            assert_eq!(snapshot(&side.ake), before);
        }
    }
}

#[test]
fn initiators_keys_out_of_range_are_refused() {
    let r = [7; 16];
    for gx in out_of_range() {
        let mut writer = Writer::new();
        writer.mpi(&gx);
        assert_opened(writer.as_slice(), r, Error::OutOfRange);
    }
}

#[test]
fn a_commitment_to_anything_but_one_number_is_refused() {
    assert_opened(b"", [1; 16], Error::Truncated);
    assert_opened(&[0, 0, 0, 2, 5], [1; 16], Error::Truncated);
    assert_opened(&[0, 0, 0, 1, 5, 0], [1; 16], Error::TrailingBytes);
}

/// Commits to `content`, reveals `r`, and expects the refusal.
fn assert_opened(content: &[u8], r: [u8; 16], error: Error) {
    let mut side = Side::new(1, Version::V3);
    let mut encrypted_gx = content.to_vec();
    aes128_ctr(&r, [0; 8], &mut encrypted_gx);
    let commit = DhCommit {
        header: side.local.header(),
        encrypted_gx,
        hashed_gx: sha256(&[content]),
    };
    side.reply(&armour(&commit.encode().unwrap()));
    let before = snapshot(&side.ake);
    let reveal = RevealSignature {
        header: side.local.header(),
        revealed_key: r,
        encrypted_signature: vec![],
        mac: [0; 20],
    };
    let reveal = armour(&reveal.encode().unwrap());
    assert_eq!(side.receive(&reveal, None).err(), Some(error));
    assert_eq!(snapshot(&side.ake), before);
}

#[test]
fn a_commit_that_is_far_too_long_is_refused() {
    let mut side = Side::new(1, Version::V3);
    let before = snapshot(&side.ake);
    let commit = DhCommit {
        header: side.local.header(),
        encrypted_gx: vec![0; 4 + limits::MAX_MPI + 1],
        hashed_gx: [0; 32],
    };
    let commit = armour(&commit.encode().unwrap());
    assert_eq!(side.receive(&commit, None).err(), Some(Error::TooLong));
    assert_eq!(snapshot(&side.ake), before);
}

#[test]
fn messages_of_another_version_are_refused() {
    for text in messages(Version::V2) {
        let mut side = in_state(AuthState::AwaitingDhKey, Version::V3);
        let before = snapshot(&side.ake);
        assert_eq!(side.receive(&text, None).err(), Some(Error::WrongVersion));
        assert_eq!(snapshot(&side.ake), before);
    }
}

#[test]
fn a_handshake_is_not_continued_in_another_version() {
    use AuthState as S;
    let [_, key, reveal, signature] = messages(Version::V2);
    for (state, text) in [
        (S::AwaitingDhKey, key),
        (S::AwaitingRevealSig, reveal),
        (S::AwaitingSig, signature),
    ] {
        let mut side = in_state(state, Version::V3);
        side.local.version = Version::V2;
        let before = snapshot(&side.ake);
        let done = side.receive(&text, None).unwrap();
        assert!(done.reply.is_none() && done.established.is_none());
        assert_eq!(snapshot(&side.ake), before);
    }
}

#[test]
fn version_1_has_no_commit() {
    let mut side = Side::new(1, Version::V1);
    let refused = side.ake.start(&side.local, &mut os_random());
    assert_eq!(refused, Err(Error::WrongVersion));
}

/// A Reveal Signature or Signature that fails in any part leaves the state, so
/// that the true one still works.
#[test]
fn damaged_signatures_are_refused_and_the_true_one_still_works() {
    for version in VERSIONS {
        let (mut bob, mut alice) = (Side::new(1, version), Side::new(2, version));
        let key = alice.reply(&bob.start());
        let reveal = bob.reply(&key);
        let Message::Reveal(genuine) = parse(&reveal) else {
            panic!("no Reveal Signature");
        };
        let before = snapshot(&alice.ake);
        // The answer to a damaged message; it never ends the handshake.
        let mut receive = |damage: &dyn Fn(&mut RevealSignature)| {
            let mut message = genuine.clone();
            damage(&mut message);
            let (local, key) = (&alice.local, &alice.key);
            let done = alice
                .ake
                .on_reveal_signature(&message, local, key, &mut os_random());
            assert_eq!(snapshot(&alice.ake), before);
            done.map(|done| assert!(done.is_none()))
        };
        assert_eq!(receive(&|m| m.revealed_key[0] ^= 1), Ok(()));
        let refused = Err(Error::BadAuthenticator);
        assert_eq!(receive(&|m| m.mac[19] ^= 1), refused);
        assert_eq!(receive(&|m| m.encrypted_signature[9] ^= 1), refused);
        assert_eq!(receive(&|m| m.encrypted_signature.truncate(20)), refused);

        let signature = alice.reply(&reveal);
        let Message::Signature(genuine) = parse(&signature) else {
            panic!("no Signature");
        };
        let before = snapshot(&bob.ake);
        let mut damaged = genuine.clone();
        damaged.mac[0] ^= 1;
        let refused = bob.ake.on_signature(&damaged, &bob.local).err();
        assert_eq!(refused, Some(Error::BadAuthenticator));
        assert_eq!(snapshot(&bob.ake), before);
        let end = bob.ake.on_signature(&genuine, &bob.local).unwrap();
        assert!(end.is_some());
    }
}

#[test]
fn a_failing_random_source_changes_nothing() {
    struct Broken;
    impl Random for Broken {
        fn fill(&mut self, _: &mut [u8]) -> Result<(), Error> {
            Err(Error::Randomness)
        }
    }
    let [commit, ..] = messages(Version::V3);
    let Message::Commit(commit) = parse(&commit) else {
        panic!("no commit");
    };
    for state in [AuthState::None, AuthState::AwaitingSig] {
        let mut side = in_state(state, Version::V3);
        let before = snapshot(&side.ake);
        let local = &side.local;
        assert_eq!(side.ake.start(local, &mut Broken), Err(Error::Randomness));
        let refused = side.ake.on_commit(&commit, local, None, &mut Broken);
        assert_eq!(refused, Err(Error::Randomness));
        assert_eq!(snapshot(&side.ake), before);
    }
}

#[test]
fn starting_again_uses_a_fresh_key() {
    let mut side = Side::new(1, Version::V3);
    side.start();
    let first = side.ake.commit_hash();
    side.start();
    assert!(first.is_some());
    assert_ne!(side.ake.commit_hash(), first);
}

#[test]
fn clearing_ends_the_handshake() {
    let mut side = in_state(AuthState::AwaitingSig, Version::V3);
    side.ake.clear();
    assert_eq!(side.ake.state(), AuthState::None);
    assert_eq!(side.ake.last_message(&side.local), Ok(None));
}

#[test]
fn an_idle_handshake_is_small() {
    assert!(size_of::<Ake>() <= 64);
}

#[test]
fn a_handshake_taken_apart_and_put_together_goes_on() {
    for version in VERSIONS {
        for state in [
            AuthState::None,
            AuthState::AwaitingDhKey,
            AuthState::AwaitingRevealSig,
            AuthState::AwaitingSig,
            AuthState::V1Setup,
        ] {
            let side = in_state(state, version);
            let again = Ake::from_parts(side.ake.parts()).unwrap();
            assert_eq!(snapshot(&again), snapshot(&side.ake));
        }
    }
    let again = |side: &mut Side| side.ake = Ake::from_parts(side.ake.parts()).unwrap();
    let (mut bob, mut alice) = (Side::new(1, Version::V3), Side::new(2, Version::V3));
    let commit = bob.start();
    again(&mut bob);
    let key = alice.reply(&commit);
    again(&mut alice);
    let reveal = bob.reply(&key);
    again(&mut bob);
    let signature = alice.reply(&reveal);
    let end = bob.receive(&signature, None).unwrap();
    assert!(end.established.is_some());
}

#[test]
fn impossible_parts_are_refused() {
    for key in [vec![], vec![0; 40], vec![1; 193]] {
        let parts = parts::Parts {
            version: Some(Version::V3),
            initiated: true,
            state: parts::StateParts::AwaitingDhKey {
                key: key.into(),
                r: [0; 16].into(),
            },
        };
        assert_eq!(Ake::from_parts(parts).err(), Some(Error::OutOfRange));
    }
}
