//! What is found in a line of text: armour, pieces, records, tags.

use core::mem::MaybeUninit;

use otr::wire::base64::{self, armour_into, armoured_len, dearmour, dearmour_data};
use otr::wire::fragment::{Accumulated, Assembler, Format, Scanned, cut, read, route, scan};
use otr::wire::message::{MessageType, instances, message_type, message_version};
use otr::wire::{error_message, query, tlv, whitespace};
use otr::{InstanceTag, Policy, Version, limits};

use crate::input::Input;

/// Every reader gets every input, as it came over the network or as a stream
/// of operations.
pub fn run(input: &[u8]) {
    armour(input);
    fragments(input);
    tlvs(input);
    tags(input);
}

fn armour(input: &[u8]) {
    let decoded = base64::decode(input);
    assert!(decoded.len() <= input.len());
    let encoded = base64::encode(input);
    assert_eq!(encoded.len(), base64::encoded_len(input.len()));
    assert_eq!(base64::decode(&encoded), input);
    // Bytes outside the alphabet change nothing.
    let spread: Vec<u8> = encoded.iter().flat_map(|byte| [b'\n', *byte]).collect();
    assert_eq!(base64::decode(&spread), input);

    let armoured = base64::armour(input);
    assert_eq!(dearmour(&armoured).as_deref(), Ok(input));
    assert_eq!(dearmour_data(&armoured).as_deref(), Ok(input));
    let mut short = vec![MaybeUninit::uninit(); armoured_len(input.len()) - 1];
    assert_eq!(armour_into(input, &mut short), None);

    match (dearmour(input), dearmour_data(input)) {
        (Ok(strict), lenient) => assert_eq!(lenient, Ok(strict)),
        (Err(error), Err(lenient)) => assert_eq!(lenient, error),
        // Only the dot at the end may be missing.
        (Err(_), Ok(lenient)) => assert_eq!(dearmour(&[input, b"."].concat()), Ok(lenient)),
    }
}

/// Cuts a text at the input's will, joins what comes out, disturbs it.
fn fragments(input: &[u8]) {
    let mut input = Input::new(input);
    let format = match input.byte() % 2 {
        0 => Format::V2,
        _ => Format::V3 {
            sender: InstanceTag::new(0x100 + u32::from(input.byte())),
            receiver: InstanceTag::new(u32::from(input.byte()) << 24),
        },
    };
    let limit = usize::from(input.byte());
    let disturbed = input.byte();
    let text = input.bytes();
    let mut assembler = Assembler::new();
    // Whatever arrived before must not hinder a whole message.
    let raw = input.rest();
    for line in raw.split(|byte| *byte == b'\n') {
        let before = (assembler.stored(), assembler.position());
        let scanned = scan(line);
        assert_eq!(read(line), (route(line), scanned));
        let after = assembler.accumulate(line);
        match scanned {
            Scanned::Other => {
                assert_eq!(after, Accumulated::Unfragmented);
                assert_eq!(assembler, Assembler::new());
            }
            Scanned::Malformed => {
                assert_eq!(after, Accumulated::Incomplete);
                assert_eq!((assembler.stored(), assembler.position()), before);
            }
            Scanned::Piece {
                number,
                total,
                text,
            } => {
                assert!(number >= 1 && number <= total && !text.is_empty());
                if let Accumulated::Complete(whole) = after {
                    assert!(number == total && whole.ends_with(text));
                    assert_eq!(assembler, Assembler::new());
                }
            }
        }
        assert!(assembler.stored() <= limits::MAX_FRAGMENTED);
    }

    let Ok(pieces) = cut(text, limit, format) else {
        assert!(limit <= format.reserved());
        return;
    };
    // A text with a comma or a piece in it spoils its pieces.
    let spoils = text.contains(&b',') || text.contains(&b'?');
    // The pieces hold the text, each within the limit.
    let mut whole = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        assert!(piece.len() < limit);
        let Scanned::Piece {
            number,
            total,
            text,
        } = scan(piece)
        else {
            assert!(spoils);
            return;
        };
        if (usize::from(number), usize::from(total)) != (index + 1, pieces.len()) {
            assert!(spoils);
            return;
        }
        whole.extend_from_slice(text);
    }
    if whole != text {
        assert!(spoils);
        return;
    }
    let mut result = Accumulated::Unfragmented;
    for (index, piece) in pieces.iter().enumerate() {
        // A piece that comes twice, or is lost, drops the message.
        if index > 0 && index == usize::from(disturbed) {
            let mut disturbed = Assembler::new();
            for piece in &pieces[..index] {
                disturbed.accumulate(piece);
            }
            disturbed.accumulate(&pieces[index - 1]);
            for piece in &pieces[index..] {
                let got = disturbed.accumulate(piece);
                assert!(index == 1 || !matches!(got, Accumulated::Complete(_)));
            }
        }
        result = assembler.accumulate(piece);
    }
    if !pieces.is_empty() {
        assert_eq!(result, Accumulated::Complete(text.to_vec()));
    }
}

fn tlvs(input: &[u8]) {
    let records = tlv::parse(input);
    let written = tlv::serialize(&records).expect("what was read can be written");
    assert!(input.starts_with(&written));
    assert_eq!(written.len(), tlv::encoded_len(&records));
    assert_eq!(tlv::parse(&written), records);
    for record in &records {
        let found = tlv::find(&records, record.kind).expect("it is there");
        assert_eq!(found.kind, record.kind);
    }
    // What is left over is no whole record.
    if records.len() < limits::MAX_TLVS {
        let rest = &input[written.len()..];
        assert!(tlv::parse(rest).is_empty());
    }
}

fn tags(input: &[u8]) {
    let mut input = Input::new(input);
    let policy = Policy::from_bits(u32::from(input.byte()));
    let text = input.rest();

    let kind = message_type(text);
    let version = message_version(text);
    let marked = text.windows(4).any(|part| part == b"?OTR");
    assert_eq!(
        marked,
        !matches!(kind, MessageType::NotOtr | MessageType::TaggedPlaintext)
    );
    assert!(version.is_none() || marked);
    if instances(text).is_ok() {
        assert_eq!(version, Some(Version::V3));
    }
    assert_eq!(error_message::words(text).is_some(), {
        text.windows(11).any(|part| part == b"?OTR Error:")
    });

    if let Some(best) = query::best_version(text, policy) {
        assert!(policy.allows(best) && marked);
    }
    let own = query::default_query(text, policy);
    for version in [Version::V1, Version::V2, Version::V3] {
        let only = Policy::from_bits(match version {
            Version::V1 => 1,
            Version::V2 => 2,
            Version::V3 => 4,
        });
        assert_eq!(
            query::best_version(&own, only).is_some(),
            policy.allows(version)
        );
    }

    if let Some(tag) = whitespace::find(text) {
        assert!(
            text[tag.range.clone()]
                .iter()
                .all(|byte| matches!(byte, b' ' | b'\t'))
        );
        let stripped = whitespace::strip(text, &tag.range);
        assert_eq!(stripped.len() + tag.range.len(), text.len());
    } else {
        let tagged = [text, &whitespace::tag(policy)].concat();
        let found = whitespace::find(&tagged).expect("a tag was put there");
        // Blanks at the end of the text may be taken for the tag's beginning.
        if found.range.start == text.len() {
            assert_eq!(whitespace::strip(&tagged, &found.range), text);
            assert_eq!(found.versions.best(policy).is_some(), policy.allows_any());
        }
    }
}
