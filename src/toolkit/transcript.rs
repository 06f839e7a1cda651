//! From what was found in a stream to what is said about it: messages are
//! decoded, pieces joined, and data messages opened with the keys at hand.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use memchr::memchr;
use zeroize::Zeroizing;

use super::cli::c_string;
use super::dissect::{self, Field};
use super::forge;
use super::input::{Finder, Found, Scope};
use crate::crypto::dh::mac_key;
use crate::wire::base64::dearmour_data;
use crate::wire::fragment::{self, Accumulated, Assembler, Scanned};
use crate::wire::message::{MessageType, message_type};
use crate::wire::query::{Versions, best_version};
use crate::wire::tlv::{self, Tlv};
use crate::wire::{error_message, whitespace};
use crate::{Error, InstanceTag, Policy, Version};

/// Something to tell.
#[derive(Debug, PartialEq, Eq)]
pub enum Record {
    /// An encoded message.
    Message {
        /// Its kind.
        kind: MessageType,
        /// Its fields.
        fields: Vec<Field>,
        /// What the keys at hand tell of a data message; `None` without keys.
        opened: Option<Opened>,
    },
    /// An encoded message of this kind that cannot be read.
    Invalid(MessageType, Error),
    /// A query that offers these versions.
    Query(Vec<Version>),
    /// A whitespace tag that offers these versions.
    Tag(Vec<Version>),
    /// An error message with these words.
    Error(Vec<u8>),
    /// A message of which only the first pieces came.
    Incomplete {
        /// How many pieces came.
        pieces: u16,
        /// How many it has.
        total: u16,
    },
    /// Something that begins like a message.
    Unrecognized(Vec<u8>),
    /// A message too long to be looked at.
    TooLong,
}

/// What a data message shows to somebody who has a key.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// Which of the keys verifies it, counted from 1.
    pub verified_by: Option<usize>,
    /// Its text, if that is an AES key.
    pub text: Option<Zeroizing<Vec<u8>>>,
    /// The records behind the text.
    pub tlvs: Vec<Tlv>,
}

/// A key that may open data messages.
#[derive(Clone, PartialEq, Eq)]
pub enum Key {
    /// Verifies and decrypts.
    Aes(Zeroizing<[u8; 16]>),
    /// Verifies.
    Mac([u8; 20]),
}

/// Most messages that are put together from pieces at the same time: more
/// than the logins of two people.
const UNFINISHED: usize = 64;

/// Reads a transcript.
#[derive(Default)]
pub struct Reader {
    keys: Vec<Key>,
    unfinished: BTreeMap<(InstanceTag, InstanceTag), Assembler>,
}

impl Reader {
    /// A reader that tries these keys on data messages.
    #[must_use]
    pub const fn new(keys: Vec<Key>) -> Self {
        Self {
            keys,
            unfinished: BTreeMap::new(),
        }
    }

    /// What there is to tell about something found, and from how many pieces
    /// it was joined, if it came in pieces.
    pub fn read(&mut self, found: &Found) -> Vec<(Record, Option<u16>)> {
        match found {
            Found::Encoded(text) => vec![(self.encoded(text), None)],
            Found::Piece(text) => self.piece(text),
            Found::Query(text) => vec![(Record::Query(query_versions(text)), None)],
            Found::Error(text) => {
                let words = error_message::words(text).unwrap_or_default();
                vec![(Record::Error(words.to_vec()), None)]
            }
            Found::Tag(text) => vec![(Record::Tag(tag_versions(text)), None)],
            Found::Other(text) => vec![(Record::Unrecognized(text.clone()), None)],
            Found::TooLong => vec![(Record::TooLong, None)],
        }
    }

    /// The messages whose last pieces never came.
    pub fn finish(&mut self) -> Vec<Record> {
        core::mem::take(&mut self.unfinished)
            .values()
            .filter_map(|message| unfinished(message.position()))
            .collect()
    }

    fn encoded(&self, text: &[u8]) -> Record {
        let text = c_string(text);
        let kind = message_type(text);
        if dissect::title(kind).is_none() {
            return Record::Unrecognized(text.to_vec());
        }
        let read = dearmour_data(text).and_then(|decoded| {
            let fields = dissect::fields(kind, &decoded)?;
            let opened = match kind {
                MessageType::Data if !self.keys.is_empty() => Some(self.open(&decoded)?),
                _ => None,
            };
            Ok(Record::Message {
                kind,
                fields,
                opened,
            })
        });
        read.unwrap_or_else(|error| Record::Invalid(kind, error))
    }

    fn open(&self, decoded: &[u8]) -> Result<Opened, Error> {
        let message = forge::parse(decoded)?;
        let verifying = self.keys.iter().position(|key| match key {
            Key::Aes(aes) => forge::verifies(&message, decoded, &mac_key(aes)),
            Key::Mac(mac) => forge::verifies(&message, decoded, mac),
        });
        let mut opened = Opened {
            verified_by: verifying.and_then(|position| position.checked_add(1)),
            ..Opened::default()
        };
        if let Some(Key::Aes(aes)) = verifying.and_then(|position| self.keys.get(position)) {
            let mut text = forge::decrypt(&message, aes);
            if let Some(end) = memchr(0, &text) {
                let records = end.saturating_add(1);
                opened.tlvs = tlv::parse(text.get(records..).unwrap_or_default());
                text.truncate(end);
            }
            opened.text = Some(text);
        }
        Ok(opened)
    }

    fn piece(&mut self, text: &[u8]) -> Vec<(Record, Option<u16>)> {
        let Scanned::Piece { number, total, .. } = fragment::scan(text) else {
            return vec![(Record::Unrecognized(text.to_vec()), None)];
        };
        let route = fragment::route(text).unwrap_or_default();
        if self.unfinished.len() >= UNFINISHED && !self.unfinished.contains_key(&route) {
            return vec![(Record::Unrecognized(text.to_vec()), None)];
        }
        let message = self.unfinished.entry(route).or_default();
        let before = message.position();
        let accumulated = message.accumulate(text);
        let mut records = Vec::new();
        let continues = number.checked_sub(1) == Some(before.0) && total == before.1;
        if !continues {
            records.extend(unfinished(before).map(|record| (record, None)));
        }
        match accumulated {
            Accumulated::Complete(joined) => {
                self.unfinished.remove(&route);
                records.extend(self.joined(&joined).map(|record| (record, Some(total))));
            }
            // Neither a beginning nor the next piece.
            Accumulated::Incomplete if message.position().0 == 0 => {
                self.unfinished.remove(&route);
                records.push((Record::Unrecognized(text.to_vec()), None));
            }
            Accumulated::Incomplete | Accumulated::Unfragmented => {}
        }
        records
    }

    /// What a message says that was put together from pieces.
    fn joined(&mut self, text: &[u8]) -> impl Iterator<Item = Record> {
        let mut finder = Finder::new(text, Scope::Everything);
        let mut records = Vec::new();
        // Reading from memory does not fail.
        while let Ok(Some(found)) = finder.find() {
            match found {
                // Pieces of pieces are nothing that the protocol knows.
                Found::Piece(text) => records.push(Record::Unrecognized(text)),
                other => records.extend(self.read(&other).into_iter().map(|(record, _)| record)),
            }
        }
        if records.is_empty() {
            records.push(Record::Unrecognized(text.to_vec()));
        }
        records.into_iter()
    }
}

fn unfinished((pieces, total): (u16, u16)) -> Option<Record> {
    (pieces > 0).then_some(Record::Incomplete { pieces, total })
}

const VERSIONS: [(Version, Policy); 3] = [
    (Version::V1, Policy::ALLOW_V1),
    (Version::V2, Policy::ALLOW_V2),
    (Version::V3, Policy::ALLOW_V3),
];

fn query_versions(text: &[u8]) -> Vec<Version> {
    offered(|policy| best_version(text, policy))
}

fn tag_versions(text: &[u8]) -> Vec<Version> {
    let versions = whitespace::find(text).map_or(Versions::NONE, |tag| tag.versions);
    offered(|policy| versions.best(policy))
}

fn offered(best: impl Fn(Policy) -> Option<Version>) -> Vec<Version> {
    VERSIONS
        .into_iter()
        .filter(|(version, policy)| best(*policy) == Some(*version))
        .map(|(version, _)| version)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8], keys: Vec<Key>) -> Vec<(Record, Option<u16>)> {
        let mut finder = Finder::new(text, Scope::Everything);
        let mut reader = Reader::new(keys);
        let mut records = Vec::new();
        while let Some(found) = finder.find().unwrap() {
            records.extend(reader.read(&found));
        }
        records.extend(reader.finish().into_iter().map(|record| (record, None)));
        records
    }

    #[test]
    fn offers_list_their_versions() {
        use Version::{V1, V2, V3};
        let tag = whitespace::tag(Policy::MANUAL);
        let text = [b"?OTR?v23? ?OTRv3? ?OTRv?x", &tag[..]].concat();
        assert_eq!(
            read(&text, Vec::new()),
            [
                (Record::Query(vec![V1, V2, V3]), None),
                (Record::Query(vec![V3]), None),
                (Record::Query(vec![]), None),
                (Record::Tag(vec![V2, V3]), None),
            ]
        );
    }

    #[test]
    fn pieces_of_several_messages_are_joined_and_gaps_noticed() {
        let text = b"\
            ?OTR|100|200,1,2,?OTR:A, ?OTR|200|100,1,2,?OTRv,\n\
            ?OTR|100|200,2,2,B., ?OTR|200|100,2,2,2?,\n\
            ?OTR,1,3,a,?OTR,2,3,b,?OTR,1,2,c,?OTR,3,3,d,?OTR,x,\n\
            ?OTR,1,2,e,";
        let incomplete = |pieces, total| (Record::Incomplete { pieces, total }, None);
        let other = |text: &[u8]| (Record::Unrecognized(text.to_vec()), None);
        assert_eq!(
            read(text, Vec::new()),
            [
                (Record::Unrecognized(b"?OTR:AB.".to_vec()), Some(2)),
                (Record::Query(vec![Version::V2]), Some(2)),
                incomplete(2, 3),
                incomplete(1, 2),
                other(b"?OTR,3,3,d,"),
                other(b"?OTR,x,"),
                incomplete(1, 2),
            ]
        );
    }

    #[test]
    fn pieces_of_pieces_and_of_nothing_are_not_recognised() {
        let text = b"?OTR,1,1,hello, ?OTR|1|2,1,1,?OTR|1|2,";
        assert_eq!(
            read(text, Vec::new()),
            [
                (Record::Unrecognized(b"hello".to_vec()), Some(1)),
                (Record::Unrecognized(b"?OTR|1|2".to_vec()), Some(1)),
            ]
        );
    }
}
