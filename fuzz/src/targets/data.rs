//! Two key rings and the data messages between them: in any order, lost,
//! repeated, spoilt, and with whatever an authenticated peer puts into them.

use std::sync::OnceLock;

use otr::ake::{Ake, Established, Local};
use otr::data::KeyRing;
use otr::wire::base64::dearmour;
use otr::wire::message::{DataMessage, DhCommit, DhKey, RevealSignature, Signature};
use otr::wire::tlv::{self, Tlv};
use otr::{InstanceTag, Version};

use crate::input::Input;
use crate::{Seeded, people};

const STEPS: usize = 40;

/// A message on its way.
#[derive(Clone)]
struct Sent {
    decoded: Vec<u8>,
    text: Vec<u8>,
    tlvs: Vec<Tlv>,
    extra_key: [u8; 32],
    /// Whether the receiver has read it.
    read: bool,
}

struct Side {
    ring: KeyRing,
    local: Local,
    /// Everything ever sent to this side, oldest first.
    inbox: Vec<Sent>,
}

pub fn run(input: &[u8]) {
    let mut input = Input::new(input);
    let mut rng = Seeded::new(3);
    let version = match input.byte() & 1 {
        0 => Version::V3,
        _ => Version::V2,
    };
    let mut sides = sides(version, &mut rng);
    for _ in 0..STEPS {
        let Some(operation) = input.next() else { break };
        let ours = usize::from(operation & 1);
        match operation >> 1 & 7 {
            0 | 1 => send(&mut sides, ours, operation, &mut input),
            2 => {
                // Any message, also an old one.
                let inbox = sides[ours].inbox.len();
                if inbox > 0 {
                    let which = input.below(inbox);
                    deliver(&mut sides[ours], which, &mut rng);
                }
            }
            3 => spoil(&mut sides[ours], operation, &mut input, &mut rng),
            4 => {
                // Bytes of a stranger, and one's own messages.
                let raw = input.long().to_vec();
                refuse(&mut sides[ours].ring, &raw, &mut rng);
                if let Some(own) = sides[1 - ours].inbox.last().cloned() {
                    refuse(&mut sides[ours].ring, &own.decoded, &mut rng);
                }
            }
            _ => {
                // The newest.
                if let Some(last) = sides[ours].inbox.len().checked_sub(1) {
                    deliver(&mut sides[ours], last, &mut rng);
                }
            }
        }
    }
    // Whatever happened, the two still understand each other.
    for ours in [0, 1, 0, 1] {
        let mut nothing = Input::new(&[]);
        send(&mut sides, ours, 0, &mut nothing);
        let last = sides[1 - ours].inbox.len() - 1;
        deliver(&mut sides[1 - ours], last, &mut rng);
        assert!(
            sides[1 - ours].inbox[last].read,
            "an honest message was refused"
        );
    }
}

fn send(sides: &mut [Side; 2], ours: usize, operation: u8, input: &mut Input<'_>) {
    let mut text = input.bytes().to_vec();
    let mut tlvs = Vec::new();
    for _ in 0..(operation >> 4 & 3) {
        let kind = u16::from(input.byte());
        tlvs.push(Tlv::new(kind, input.bytes().to_vec()));
    }
    let side = &mut sides[ours];
    let local = side.local;
    let flags = operation >> 6;
    if text.contains(&0) {
        assert!(side.ring.encrypt(&local, &text, &tlvs, flags).is_err());
        text.retain(|byte| *byte != 0);
    }
    let revealed = side.ring.saved_mac_keys();
    let sealed = side
        .ring
        .encrypt(&local, &text, &tlvs, flags)
        .expect("it fits");
    assert_eq!(side.ring.saved_mac_keys(), 0);
    let decoded = dearmour(&sealed.message()).expect("armoured");
    let message = DataMessage::parse(&decoded).expect("well-formed");
    assert_eq!(message.old_mac_keys.len(), 20 * revealed);
    assert_eq!(message.flags, flags);
    assert!(text.len() < 8 || !message.encrypted.starts_with(&text));
    let sent = Sent {
        text,
        tlvs,
        extra_key: *sealed.extra_key,
        read: false,
        decoded,
    };
    sides[1 - ours].inbox.push(sent);
}

fn deliver(side: &mut Side, which: usize, rng: &mut Seeded) {
    let sent = side.inbox[which].clone();
    let Ok(opened) = side.ring.decrypt_in_place(sent.decoded.clone(), rng) else {
        return;
    };
    assert!(!sent.read, "a message was read twice");
    assert_eq!(*opened.text, sent.text);
    assert_eq!(*opened.extra_key, sent.extra_key);
    let whole = tlv::serialize(&sent.tlvs).expect("short");
    assert_eq!(opened.tlvs, tlv::parse(&whole));
    side.inbox[which].read = true;
}

/// A message with some bytes changed.
fn spoil(side: &mut Side, operation: u8, input: &mut Input<'_>, rng: &mut Seeded) {
    let inbox = side.inbox.len();
    if inbox == 0 {
        return;
    }
    let sent = side.inbox[input.below(inbox)].clone();
    let mut decoded = sent.decoded.clone();
    for _ in 0..=(operation >> 6) {
        let at = input.below(decoded.len());
        let to = input.byte();
        match operation >> 4 & 3 {
            0 => decoded[at] = to,
            1 => decoded[at] ^= 1 << (to & 7),
            2 => decoded.insert(at, to),
            _ => {
                decoded.remove(at);
            }
        }
    }
    let genuine = DataMessage::parse(&sent.decoded).expect("well-formed");
    let authentic = DataMessage::parse(&decoded).is_ok_and(|message| {
        decoded[..message.authenticated_len] == sent.decoded[..genuine.authenticated_len]
            && message.mac == genuine.mac
    });
    // The keys revealed at the end are not authenticated.
    if !authentic {
        refuse(&mut side.ring, &decoded, rng);
    }
}

/// Bytes that nobody with the keys has made: refused, and nothing changes.
fn refuse(ring: &mut KeyRing, decoded: &[u8], rng: &mut Seeded) {
    let Ok(message) = DataMessage::parse(decoded) else {
        return;
    };
    let before = (ring.our_keyid(), ring.their_keyid(), ring.saved_mac_keys());
    assert!(
        ring.decrypt(&message, decoded, rng).is_err(),
        "a forgery was read"
    );
    let after = (ring.our_keyid(), ring.their_keyid(), ring.saved_mac_keys());
    assert_eq!(before, after);
}

/// Two sides that have just finished a handshake.
///
/// Handshakes take long; one for each version is kept.
fn sides(version: Version, rng: &mut Seeded) -> [Side; 2] {
    static DONE: [OnceLock<[Established; 2]>; 2] = [const { OnceLock::new() }; 2];
    let done = DONE[usize::from(version == Version::V2)].get_or_init(|| handshake(version));
    let locals = locals(version);
    [0, 1].map(|one: usize| Side {
        ring: KeyRing::new(&done[one], rng).expect("keys"),
        local: locals[one],
        inbox: Vec::new(),
    })
}

fn locals(version: Version) -> [Local; 2] {
    let tags = [InstanceTag::new(0x101), InstanceTag::new(0x202)];
    [0, 1].map(|one: usize| Local {
        version,
        ours: tags[one],
        theirs: tags[1 - one],
    })
}

fn handshake(version: Version) -> [Established; 2] {
    let mut rng = Seeded::new(4);
    let [alice, bob] = locals(version);
    let (mut first, mut second) = (Ake::new(), Ake::new());
    let bytes = |text: Vec<u8>| dearmour(&text).expect("armoured");
    let commit = bytes(first.start(&alice, &mut rng).expect("starts"));
    let commit = DhCommit::parse(&commit).expect("well-formed");
    let key = second
        .on_commit(&commit, &bob, None, &mut rng)
        .expect("good")
        .expect("an answer");
    let key = DhKey::parse(&bytes(key)).expect("well-formed");
    let reveal = first
        .on_dh_key(&key, &alice, None, &people::key(0), &mut rng)
        .expect("good")
        .expect("an answer");
    let reveal = RevealSignature::parse(&bytes(reveal)).expect("well-formed");
    let (signature, bobs) = second
        .on_reveal_signature(&reveal, &bob, &people::key(1), &mut rng)
        .expect("good")
        .expect("an answer");
    let signature = Signature::parse(&bytes(signature)).expect("well-formed");
    let alices = first
        .on_signature(&signature, &alice)
        .expect("good")
        .expect("the end");
    [alices, bobs]
}
