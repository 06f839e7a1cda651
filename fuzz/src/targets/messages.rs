//! Encoded messages, and the keys and signatures in them: what is read is
//! written again as it was.

use otr::Error;
use otr::crypto::dsa::PublicKey;
use otr::wire::message::{DataMessage, DhCommit, DhKey, RevealSignature, Signature};
use otr::wire::v1::V1KeyExchange;
use otr::wire::{Reader, significant};

/// A message that can be read must read the same after it was written.
///
/// The bytes may differ: numbers with leading zeros are written without.
fn round_trip<T: PartialEq + std::fmt::Debug>(
    input: &[u8],
    parse: impl Fn(&[u8]) -> Result<T, Error>,
    encode: impl Fn(&T) -> Result<Vec<u8>, Error>,
) {
    let Ok(message) = parse(input) else { return };
    let written = encode(&message).expect("what was read can be written");
    assert!(written.len() <= input.len());
    assert_eq!(
        parse(&written).expect("what was written can be read"),
        message
    );
}

/// Every reader gets every input: what is one kind of message must be refused
/// by the readers of the others, and that costs next to nothing.
pub fn run(input: &[u8]) {
    dh_commit(input);
    dh_key(input);
    reveal_signature(input);
    signature(input);
    v1_key_exchange(input);
    data_message(input);
    public_key(input);
}

fn dh_commit(input: &[u8]) {
    round_trip(input, DhCommit::parse, DhCommit::encode);
}

fn dh_key(input: &[u8]) {
    round_trip(input, DhKey::parse, DhKey::encode);
}

fn reveal_signature(input: &[u8]) {
    round_trip(input, RevealSignature::parse, RevealSignature::encode);
}

fn signature(input: &[u8]) {
    round_trip(input, Signature::parse, Signature::encode);
}

fn v1_key_exchange(input: &[u8]) {
    let Ok(message) = V1KeyExchange::parse(input) else {
        return;
    };
    assert!(message.signed_len.checked_add(40) == Some(input.len()));
    let written = message.encode().expect("what was read can be written");
    let again = V1KeyExchange::parse(&written).expect("what was written can be read");
    assert!(again.signed_len <= message.signed_len);
    assert_eq!(
        V1KeyExchange {
            signed_len: message.signed_len,
            ..again
        },
        message
    );
}

fn data_message(input: &[u8]) {
    let flags = DataMessage::read_flags(input);
    let Ok(message) = DataMessage::parse(input) else {
        return;
    };
    assert_eq!(flags, Ok(message.flags));
    assert!(message.authenticated_len + 24 + message.old_mac_keys.len() == input.len());
    assert_eq!(significant(message.next_dh), message.next_dh);
    let written = message.encode().expect("what was read can be written");
    assert!(written.len() <= message.encoded_len());
    let again = DataMessage::parse(&written).expect("what was written can be read");
    let authenticated_len = message.authenticated_len;
    assert_eq!(
        DataMessage {
            authenticated_len,
            ..again
        },
        message
    );
}

/// A key, then a signature, then what is signed: as the two sides of a
/// handshake show them to each other, but without the encryption around them.
/// Numbers that are no primes, or of another group, must do no harm.
fn public_key(input: &[u8]) {
    let mut reader = Reader::new(input);
    let Ok(key) = PublicKey::parse(&mut reader) else {
        return;
    };
    let wire = key.to_wire();
    let again = PublicKey::parse(&mut Reader::new(&wire)).expect("what was written can be read");
    assert_eq!(again.fingerprint(), key.fingerprint());
    if let Ok(signature) = reader.array() {
        let verdict = key.verify(reader.rest(), &signature);
        assert_eq!(again.verify(reader.rest(), &signature), verdict);
    }
}
