//! The version 1 exchange in every order, and what it refuses.
#![forbid(unsafe_code)]

use super::*;
use crate::InstanceTag;
use crate::ake::testing::{long_term_key, out_of_range};
use crate::ake::{AuthState, Local};
use crate::crypto::os_random;
use crate::wire::base64::dearmour;
use crate::wire::message::DataMessage;

struct Side {
    ake: Ake,
    key: dsa::PrivateKey,
    ring: Option<KeyRing>,
}

impl Side {
    fn new(x: u32) -> Self {
        Self {
            ake: Ake::new(),
            key: long_term_key(x),
            ring: None,
        }
    }

    fn start(&mut self) -> Vec<u8> {
        let ring = self.ring.as_ref();
        self.ake
            .start_v1(ring, &self.key, &mut os_random())
            .unwrap()
    }

    fn receive(&mut self, text: &[u8]) -> Result<Option<Exchanged>, Error> {
        let bytes = dearmour(text)?;
        let message = V1KeyExchange::parse(&bytes)?;
        let (ring, rng) = (self.ring.as_ref(), &mut os_random());
        self.ake
            .on_v1_key_exchange(&message, &bytes, ring, &self.key, rng)
    }

    /// Enters the session.
    fn enter(&mut self, established: &Established) {
        self.ring = Some(KeyRing::new(established, &mut os_random()).unwrap());
    }
}

/// Message of a stranger with changes, signed afterwards.
fn forged(change: impl FnOnce(&mut V1KeyExchange)) -> Vec<u8> {
    let mut stranger = Side::new(9);
    let bytes = dearmour(&stranger.start()).unwrap();
    let mut message = V1KeyExchange::parse(&bytes).unwrap();
    change(&mut message);
    let signed = sha1(&[&message.encode_signed().unwrap()]);
    message.signature = stranger.key.sign(&signed, &mut os_random()).unwrap();
    armour(&message.encode().unwrap())
}

fn assert_agree(bobs: &Established, alices: &Established) {
    assert_eq!(bobs.session_id, alices.session_id);
    assert_eq!(bobs.session_id.as_bytes().len(), 20);
    assert_ne!(bobs.half, alices.half);
    let bobs_is_larger = *bobs.our_dh.public() > bobs.their_dh;
    assert_eq!(bobs.half == SessionHalf::Second, bobs_is_larger);
    assert_eq!(bobs.their_dh, *alices.our_dh.public());
    assert_eq!(alices.their_dh, *bobs.our_dh.public());
}

#[test]
fn a_first_message_is_replied_to() {
    let (mut bob, mut alice) = (Side::new(1), Side::new(2));
    let first = bob.start();
    assert_eq!(bob.ake.state(), AuthState::V1Setup);
    let alices = alice.receive(&first).unwrap().unwrap();
    let reply = alices.reply.unwrap();
    let bobs = bob.receive(&reply).unwrap().unwrap();
    assert!(bobs.reply.is_none());
    assert_agree(&bobs.established, &alices.established);
    assert!(bobs.established.initiated && !alices.established.initiated);
    assert_eq!(bobs.established.their_key, *alice.key.public());
    assert_eq!(bob.ake.state(), AuthState::None);
    assert_eq!(alice.ake.state(), AuthState::None);
}

#[test]
fn first_messages_may_cross() {
    let (mut bob, mut alice) = (Side::new(1), Side::new(2));
    let (bobs_first, alices_first) = (bob.start(), alice.start());
    let bobs = bob.receive(&alices_first).unwrap().unwrap();
    let alices = alice.receive(&bobs_first).unwrap().unwrap();
    assert_agree(&bobs.established, &alices.established);
    assert!(bob.receive(&alices.reply.unwrap()).unwrap().is_none());
    assert!(alice.receive(&bobs.reply.unwrap()).unwrap().is_none());
}

#[test]
fn a_reply_nobody_asked_for_is_ignored() {
    let (mut bob, mut alice) = (Side::new(1), Side::new(2));
    let first = bob.start();
    let reply = alice.receive(&first).unwrap().unwrap().reply.unwrap();
    let mut other = Side::new(3);
    assert!(other.receive(&reply).unwrap().is_none());
    assert_eq!(other.ake.version(), None);
}

#[test]
fn an_exchange_in_a_session_uses_its_key_again() {
    let (mut bob, mut alice) = (Side::new(1), Side::new(2));
    let first = bob.start();
    let alices = alice.receive(&first).unwrap().unwrap();
    let bobs = bob.receive(&alices.reply.unwrap()).unwrap().unwrap();
    bob.enter(&bobs.established);
    alice.enter(&alices.established);

    let first = bob.start();
    let alices = alice.receive(&first).unwrap().unwrap();
    let again = bob.receive(&alices.reply.unwrap()).unwrap().unwrap();
    assert_agree(&again.established, &alices.established);
    assert_eq!(again.established.session_id, bobs.established.session_id);
    assert!(bob.ring.as_ref().unwrap().continues(&again.established));
    assert!(alice.ring.as_ref().unwrap().continues(&alices.established));
}

#[test]
fn data_messages_have_neither_flags_nor_tags() {
    let (mut bob, mut alice) = (Side::new(1), Side::new(2));
    let first = bob.start();
    let alices = alice.receive(&first).unwrap().unwrap();
    let bobs = bob.receive(&alices.reply.unwrap()).unwrap().unwrap();
    bob.enter(&bobs.established);
    alice.enter(&alices.established);
    let local = Local {
        version: Version::V1,
        ours: InstanceTag::new(0x100),
        theirs: InstanceTag::NONE,
    };
    let sealed = bob.ring.unwrap().encrypt(&local, b"hello", &[], 1).unwrap();
    assert!(sealed.message().starts_with(b"?OTR:AAED"));
    let bytes = dearmour(&sealed.message()).unwrap();
    let message = DataMessage::parse(&bytes).unwrap();
    assert_eq!((message.flags, message.sender_keyid), (0, 1));
    let mut ring = alice.ring.unwrap();
    let opened = ring.decrypt(&message, &bytes, &mut os_random()).unwrap();
    assert_eq!(*opened.text, b"hello");
}

#[test]
fn refused_messages_leave_the_exchange_as_it_was() {
    let mut bob = Side::new(1);
    let first = bob.start();
    let mut refuse = |text: &[u8], error| {
        assert_eq!(bob.receive(text).err(), Some(error));
        assert_eq!(bob.ake.state(), AuthState::V1Setup);
        let local = Local {
            version: Version::V1,
            ours: InstanceTag::NONE,
            theirs: InstanceTag::NONE,
        };
        assert_eq!(bob.ake.last_message(&local), Ok(Some(first.clone())));
    };
    refuse(&forged(|message| message.reply = 2), Error::InvalidValue);
    refuse(&forged(|message| message.keyid = 0), Error::ZeroKeyId);
    for number in out_of_range() {
        let message = forged(|message| message.gy = number);
        refuse(&message, Error::OutOfRange);
    }
    let tiny = forged(|message| message.public_key[0] = vec![0xff; 64]);
    refuse(&tiny, Error::OutOfRange);
    let others = long_term_key(3).public().y().to_vec();
    let message = forged(|message| message.public_key[3] = others);
    refuse(&message, Error::BadSignature);

    let mut bytes = dearmour(&forged(|message| message.reply = 1)).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    refuse(&armour(&bytes), Error::BadSignature);
}

/// Versions 2 and 3 do not hear of it.
#[test]
fn a_commit_replaces_the_exchange() {
    let mut bob = Side::new(1);
    bob.start();
    let local = Local {
        version: Version::V3,
        ours: InstanceTag::new(0x100),
        theirs: InstanceTag::NONE,
    };
    bob.ake.start(&local, &mut os_random()).unwrap();
    assert_eq!(bob.ake.state(), AuthState::AwaitingDhKey);
    assert_eq!(bob.ake.version(), Some(Version::V3));
}
