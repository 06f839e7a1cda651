//! Properties of everything that is read from the network: what is written is
//! read back, and no input makes a reader panic.
#![allow(clippy::arithmetic_side_effects, reason = "tests")]

use otr::wire::fragment::{Accumulated, Assembler, Format, cut, read, route, scan};
use otr::wire::message::{
    DataMessage, DhCommit, DhKey, Header, MessageType, RevealSignature, Signature, instances,
    is_query, message_type, message_version,
};
use otr::wire::tlv::{self, Tlv};
use otr::wire::v1::V1KeyExchange;
use otr::wire::{Reader, Writer, base64, query, significant, whitespace};
use otr::{Error, InstanceTag, Policy, Version};
use proptest::collection::vec;
use proptest::prelude::*;

fn bytes(max: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..max)
}

/// Text in which the protocol's marks and separators are frequent.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(
        &[
            "?OTR",
            "?OTR:AAM",
            "?OTR:AAI",
            "?OTR:AAED",
            "?OTR,1,2,",
            "?OTR|100|200,1,2,",
            "?",
            "v23",
            "0x",
            "-1",
            ",",
            "|",
            ".",
            "=",
            "AAAA",
            " \t  \t\t\t\t \t \t \t  ",
            "        ",
        ][..],
    );
    let word = prop_oneof![4 => words.prop_map(|word| word.as_bytes().to_vec()), 1 => bytes(4)];
    vec(word, 0..12).prop_map(|words| words.concat())
}

fn header() -> impl Strategy<Value = Header> {
    (any::<bool>(), any::<u32>(), any::<u32>()).prop_map(|(v3, sender, receiver)| {
        let tag = |number| InstanceTag::new(if v3 { number } else { 0 });
        Header {
            version: if v3 { Version::V3 } else { Version::V2 },
            sender: tag(sender),
            receiver: tag(receiver),
        }
    })
}

fn mpi() -> impl Strategy<Value = Vec<u8>> {
    bytes(200).prop_map(|number| significant(&number).to_vec())
}

proptest! {
    #[test]
    fn base64_comes_back(message in bytes(500)) {
        let text = base64::encode(&message);
        prop_assert_eq!(text.len(), base64::encoded_len(message.len()));
        prop_assert_eq!(base64::decode(&text), message.clone());
        let armoured = base64::armour(&message);
        prop_assert_eq!(base64::dearmour(&armoured), Ok(message));
    }

    /// Characters outside the alphabet count for nothing, wherever they stand,
    /// so the fast and the lenient decoder agree.
    #[test]
    fn garbage_in_base64_counts_for_nothing(
        message in bytes(100),
        garbage in vec((any::<prop::sample::Index>(), prop::sample::select(&b" \r\n!-_.\0\xff"[..])), 1..8),
    ) {
        let mut text = base64::encode(&message);
        for (at, byte) in garbage {
            text.insert(at.index(text.len() + 1), byte);
        }
        prop_assert_eq!(base64::decode(&text), message);
    }

    #[test]
    fn messages_come_back(
        header in header(),
        long in bytes(300),
        number in mpi(),
        hash in any::<[u8; 32]>(),
        key in any::<[u8; 16]>(),
        mac in any::<[u8; 20]>(),
    ) {
        let message = DhCommit { header, encrypted_gx: long.clone(), hashed_gx: hash };
        prop_assert_eq!(DhCommit::parse(&message.encode()?), Ok(message));
        let message = DhKey { header, gy: number };
        prop_assert_eq!(DhKey::parse(&message.encode()?), Ok(message));
        let message = RevealSignature {
            header,
            revealed_key: key,
            encrypted_signature: long.clone(),
            mac,
        };
        prop_assert_eq!(RevealSignature::parse(&message.encode()?), Ok(message));
        let message = Signature { header, encrypted_signature: long, mac };
        prop_assert_eq!(Signature::parse(&message.encode()?), Ok(message));
    }

    #[test]
    fn data_messages_come_back(
        header in header(),
        flags in any::<u8>(),
        keyids in any::<(u32, u32)>(),
        next_dh in mpi(),
        counter in any::<[u8; 8]>(),
        encrypted in bytes(300),
        mac in any::<[u8; 20]>(),
        old_mac_keys in bytes(60),
    ) {
        let mut message = DataMessage {
            header,
            flags,
            sender_keyid: keyids.0,
            recipient_keyid: keyids.1,
            next_dh: &next_dh,
            counter,
            encrypted: &encrypted,
            mac,
            old_mac_keys: &old_mac_keys,
            authenticated_len: 0,
        };
        let encoded = message.encode()?;
        message.authenticated_len = encoded.len() - 20 - 4 - old_mac_keys.len();
        prop_assert_eq!(DataMessage::parse(&encoded), Ok(message));
    }

    #[test]
    fn tlvs_come_back(records in vec((any::<u16>(), bytes(40)), 0..20)) {
        let tlvs: Vec<Tlv> = records
            .into_iter()
            .map(|(kind, value)| Tlv::new(kind, value))
            .collect();
        prop_assert_eq!(tlv::parse(&tlv::serialize(&tlvs)?), tlvs);
    }

    #[test]
    fn mpis_come_back_minimal(number in bytes(300)) {
        let mut writer = Writer::new();
        writer.mpi(&number);
        let mut reader = Reader::new(writer.as_slice());
        prop_assert_eq!(reader.mpi(), Ok(significant(&number)));
        prop_assert!(reader.is_empty());
    }

    #[test]
    fn what_is_cut_is_put_together(
        text in vec(prop::sample::select(&b"ABCxyz019+/=.:?"[..]), 1..2000),
        room in 1_usize..300,
        tags in proptest::option::of(any::<(u32, u32)>()),
    ) {
        let format = tags.map_or(Format::V2, |(sender, receiver)| Format::V3 {
            sender: InstanceTag::new(sender),
            receiver: InstanceTag::new(receiver),
        });
        let limit = room + format.reserved();
        let pieces = cut(&text, limit, format)?;
        let mut store = Assembler::new();
        let (last, others) = pieces.split_last().ok_or(Error::Truncated)?;
        for piece in others {
            prop_assert_eq!(piece.len(), limit - 1);
            prop_assert_eq!(store.accumulate(piece), Accumulated::Incomplete);
        }
        prop_assert_eq!(store.accumulate(last), Accumulated::Complete(text));
        prop_assert_eq!(
            route(last).map(|(sender, receiver)| (sender.get(), receiver.get())),
            tags
        );
    }

    #[test]
    fn a_tag_is_found_wherever_it_stands(
        before in "[a-z ]{0,20}",
        after in "[a-z]{0,20}",
        bits in 0_u32..8,
    ) {
        let policy = Policy::from_bits(bits);
        let tag = whitespace::tag(policy);
        let text = [before.as_bytes(), &tag, after.as_bytes()].concat();
        let found = whitespace::find(&text).ok_or(Error::Truncated)?;
        let best = [Version::V3, Version::V2, Version::V1]
            .into_iter()
            .find(|version| policy.allows(*version));
        prop_assert_eq!(found.versions.best(Policy::from_bits(7)), best);
        let plain = [before.as_bytes(), after.as_bytes()].concat();
        prop_assert_eq!(whitespace::strip(&text, &found.range), plain);
    }

    #[test]
    fn the_own_query_offers_what_the_policy_allows(name in bytes(30), bits in 0_u32..8) {
        let policy = Policy::from_bits(bits);
        let best = [Version::V3, Version::V2, Version::V1]
            .into_iter()
            .find(|version| policy.allows(*version));
        let text = query::default_query(&name, policy);
        prop_assert_eq!(query::best_version(&text, Policy::from_bits(7)), best);
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in text()) {
        let _ = (message_type(&text), message_version(&text), instances(&text));
        let _ = (base64::decode(&text), base64::dearmour(&text), base64::dearmour_data(&text));
        prop_assert_eq!(read(&text), (route(&text), scan(&text)));
        prop_assert_eq!(is_query(&text), message_type(&text) == MessageType::Query);
        let _ = query::best_version(&text, Policy::DEFAULT);
        if let Some(tag) = whitespace::find(&text) {
            let stripped = whitespace::strip(&text, &tag.range);
            prop_assert_eq!(stripped.len() + tag.range.len(), text.len());
        }
        Assembler::new().accumulate(&text);
    }

    /// What a parser takes, it takes entirely: encoding gives it back, save
    /// for leading zeros of numbers.
    #[test]
    fn no_bytes_make_a_parser_panic(
        kind in prop::sample::select(&[2_u8, 3, 0x0a, 0x11, 0x12][..]),
        version in 1_u8..4,
        rest in bytes(120),
    ) {
        let message = [&[0, version, kind], &rest[..]].concat();
        for input in [&message, &rest] {
            let _ = (DhCommit::parse(input), DhKey::parse(input), tlv::parse(input));
            let _ = (RevealSignature::parse(input), Signature::parse(input));
            let _ = (DataMessage::parse(input), DataMessage::read_flags(input));
            let _ = V1KeyExchange::parse(input);
        }
        if let Ok(parsed) = Signature::parse(&message) {
            prop_assert_eq!(parsed.encode()?, message);
        }
    }
}
