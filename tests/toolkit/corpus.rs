//! Messages to try the programs on: recorded from libotr (see
//! `tests/data/toolkit/record.c`) and made by our own core.

use std::collections::VecDeque;

use otr::crypto::dsa::PrivateKey;
use otr::crypto::os_random;
use otr::wire::base64::{armour, dearmour};
use otr::{Conversation, InstanceTag, Policy};

/// A conversation of each protocol version, recorded from libotr 4.1.1.
pub(crate) const RECORDED: [&[u8]; 3] = [
    include_bytes!("../data/toolkit/conversation-v1.txt"),
    include_bytes!("../data/toolkit/conversation-v2.txt"),
    include_bytes!("../data/toolkit/conversation-v3.txt"),
];

/// The encoded messages of a transcript, in its order.
pub(crate) fn encoded(transcript: &[u8]) -> Vec<Vec<u8>> {
    transcript
        .split(|byte| *byte == b'\n')
        .filter_map(|line| {
            let start = line.windows(5).position(|part| part == b"?OTR:")?;
            let text = &line[start..];
            text.ends_with(b".").then(|| text.to_vec())
        })
        .collect()
}

/// A data message of a recorded conversation with the keys it was made with.
pub(crate) struct Keyed {
    pub(crate) our_private: Vec<u8>,
    pub(crate) their_public: Vec<u8>,
    pub(crate) message: Vec<u8>,
}

/// The data messages of a recorded conversation whose keys were recorded.
pub(crate) fn keyed(transcript: &[u8]) -> Vec<Keyed> {
    let text = std::str::from_utf8(transcript).expect("recordings are text");
    let lines: Vec<_> = text.lines().collect();
    lines
        .windows(2)
        .filter_map(|pair| {
            let (ours, theirs) = pair[0].strip_prefix("# keys: ")?.split_once(' ')?;
            Some(Keyed {
                our_private: ours.into(),
                their_public: theirs.into(),
                message: pair[1].split_once(": ")?.1.into(),
            })
        })
        .collect()
}

/// A message's bytes.
pub(crate) fn decoded(text: &[u8]) -> Vec<u8> {
    dearmour(text).expect("an encoded message")
}

/// Every way to damage one message that is worth a try, in one input.
pub(crate) fn damaged(text: &[u8]) -> Vec<u8> {
    let bytes = decoded(text);
    let mut input = Vec::new();
    let mut add = |message: &[u8]| {
        input.extend_from_slice(message);
        input.push(b'\n');
    };
    // Too short, at every place where a field may begin.
    for len in (0..bytes.len()).filter(|len| *len < 64 || len % 13 == 0 || len + 48 > bytes.len()) {
        add(&armour(&bytes[..len]));
    }
    // Too long.
    add(&armour(&[&bytes[..], b"\0"].concat()));
    // Other bytes where version, type, tags, flags, key ids and lengths are.
    for place in 0..bytes.len().min(40) {
        for value in [0x00, 0x01, 0x7f, 0xff] {
            let mut other = bytes.clone();
            other[place] = value;
            add(&armour(&other));
        }
    }
    // Damaged armour.
    for place in [5, 7, 9, 12, 40, text.len() - 2] {
        for character in [b"", &b"="[..], b"\n", b"?OTR:", b"A", b"\0", b"\xff"] {
            add(&[&text[..place], character, &text[place..]].concat());
        }
    }
    input
}

/// A conversation of two of our own, with everything that went over the wire.
pub(crate) fn our_conversation(versions: Policy, query: &[u8]) -> Vec<Vec<u8>> {
    let mut rng = os_random();
    let mut party = |name: &str| {
        Conversation::new(
            name.into(),
            PrivateKey::generate(&mut rng).expect("a key"),
            InstanceTag::random(&mut rng).expect("a tag"),
            versions,
        )
    };
    let (mut alice, mut bob) = (party("alice"), party("bob"));
    let mut wire = Vec::new();
    let mut exchange = |texts: Vec<Vec<u8>>,
                        from_alice: bool,
                        alice: &mut Conversation,
                        bob: &mut Conversation| {
        let mut queue: VecDeque<_> = texts.into_iter().map(|text| (from_alice, text)).collect();
        while let Some((from_alice, text)) = queue.pop_front() {
            let to = if from_alice { &mut *bob } else { &mut *alice };
            let answers = to.receive(&text, 1_700_000_000, &mut os_random()).wire;
            queue.extend(answers.into_iter().map(|answer| (!from_alice, answer)));
            wire.push(text);
        }
    };
    let mut say = |from_alice: bool, text: &[u8]| {
        let from = if from_alice { &mut alice } else { &mut bob };
        let texts = from.send(text, 1_700_000_000).expect("sent").wire;
        exchange(texts, from_alice, &mut alice, &mut bob);
    };
    say(true, query);
    for _ in 0..3 {
        say(true, b"Shall we meet?");
        say(false, b"At nine.");
    }
    wire
}
