//! otr_parse on messages of every kind, whole and damaged.

use otr::Policy;
use otr::wire::Writer;
use otr::wire::base64::armour;

use super::corpus::{RECORDED, damaged, encoded, our_conversation};
use super::run::compare;

/// How many messages of each title there are.
fn count(output: &str, title: &str) -> usize {
    output.lines().filter(|line| *line == title).count()
}

#[test]
fn recorded_conversations_with_the_text_around_them() {
    for (transcript, kinds) in RECORDED.into_iter().zip([
        &["Key Exchange Message:", "Data Message:"][..],
        &[
            "D-H Commit Message:",
            "D-H Key Message:",
            "Reveal Signature Message:",
            "Signature Message:",
            "Data Message:",
        ],
        &[
            "D-H Commit Message:",
            "D-H Key Message:",
            "Reveal Signature Message:",
            "Signature Message:",
            "Data Message:",
            "\tRevealed MAC keys:",
        ],
    ]) {
        let shown = compare("otr_parse", &[], transcript).text();
        for kind in kinds {
            assert!(count(&shown, kind) >= 2, "{kind}");
        }
        // The first piece of a fragmented message.
        assert_eq!(count(&shown, "Invalid Data Message"), 1);
    }
}

#[test]
fn conversations_of_our_own() {
    for (versions, query) in [
        (Policy::ALLOW_V1, &b"?OTR?"[..]),
        (Policy::ALLOW_V2, b"?OTRv2?"),
        (Policy::ALLOW_V3, b"?OTRv3?"),
    ] {
        let wire = our_conversation(versions, query);
        let shown = compare("otr_parse", &[], &wire.join(&b'\n')).text();
        assert_eq!(count(&shown, "Data Message:"), 6);
        assert!(count(&shown, "\tRevealed MAC keys:") >= 1);
    }
}

#[test]
fn one_message_of_every_kind_damaged_in_every_way() {
    for transcript in RECORDED {
        let mut seen = Vec::new();
        for message in encoded(transcript) {
            let kind = message[5..9].to_vec();
            if !seen.contains(&kind) {
                compare("otr_parse", &[], &damaged(&message));
                seen.push(kind);
            }
        }
    }
}

/// A small reproducible generator, for damage nobody has thought of.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }
}

#[test]
fn messages_damaged_at_random() {
    let mut numbers = Numbers(0x0123_4567_89ab_cdef);
    for transcript in RECORDED {
        let messages = encoded(transcript);
        let mut input = Vec::new();
        for _ in 0..400 {
            let mut text = messages[numbers.below(messages.len())].clone();
            for _ in 0..=numbers.below(3) {
                let place = numbers.below(text.len());
                match numbers.below(4) {
                    0 => text[place] = b"A/+=.?\0\n\xff"[numbers.below(9)],
                    1 => text.truncate(place.max(1)),
                    2 => drop(text.remove(place)),
                    _ => text.insert(place, b"AQgw/"[numbers.below(5)]),
                }
                if text.is_empty() {
                    break;
                }
            }
            input.extend(text);
            input.push(b' ');
        }
        compare("otr_parse", &[], &input);
    }
}

#[test]
fn what_is_between_messages() {
    let message = &encoded(RECORDED[2])[0];
    let with = |before: &[u8], after: &[u8]| [before, message, after].concat();
    for input in [
        Vec::new(),
        b"hello".to_vec(),
        b"?OTRv23? hello\n?OTR Error: no\n?OTR,1,2,x,\n \t  \t\t\t\t \t \t \t  ".to_vec(),
        b"?OTR:".to_vec(),
        b"?OTR:.".to_vec(),
        b"?OTR:hello world".to_vec(),
        b"?OTR:AAMX.?OTR:AAMC.?OTR:AAMD=.".to_vec(),
        b"?OTR:AAEC.?OTR:AAER.?OTR:AAQC.".to_vec(),
        b"?OTR:AA\0MD.?OTR:AAMD\0.?OTR:\0".to_vec(),
        with(b"??OTR", b""),
        with(b"?OT?OTR?OTR", b"."),
        with(b"\0\0?OTR\0", b"\0"),
        with(b"\xff\xfe", b"\xff"),
        with(b"before ", &with(b" between ", b" after")),
        with(b"", &message[..message.len() - 1]),
        with(b"", &message[..message.len() - 3]),
        // Broken into lines, as mail programs do.
        message.chunks(70).collect::<Vec<_>>().join(&b'\n'),
        message.chunks(70).collect::<Vec<_>>().join(&b"\r\n> "[..]),
    ] {
        compare("otr_parse", &[], &input);
    }
}

/// A message of this version and type with these fields.
fn made(version: u16, kind: u8, fields: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.short(version).byte(kind);
    if version == 3 {
        writer.int(0x100).int(0xffff_ffff);
    }
    fields(&mut writer);
    armour(&writer.finish().expect("a message"))
}

/// Lengths and numbers that no conversation would accept.
#[test]
fn sound_structure_with_strange_contents() {
    let mut input = Vec::new();
    let mut add = |message: Vec<u8>| input.extend(message);
    for version in [2, 3] {
        for hash in [0, 31, 33, 1000] {
            add(made(version, 0x02, |m| {
                m.data(b"").data(&vec![7; hash]);
            }));
        }
        for number in [
            &b""[..],
            b"\0",
            b"\0\0\x05",
            b"\xff",
            &[1; 600],
            &[0; 600],
            &[0xff; 3000],
        ] {
            add(made(version, 0x0a, |m| {
                m.data(number);
            }));
        }
        for key in [0, 15, 17] {
            add(made(version, 0x11, |m| {
                m.data(&vec![1; key]).data(b"").bytes(&[2; 20]);
            }));
        }
        add(made(version, 0x12, |m| {
            m.data(b"").bytes(&[0; 20]);
        }));
        for length in [0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff] {
            for kind in [0x02, 0x0a, 0x11, 0x12] {
                add(made(version, kind, |m| {
                    m.int(length).bytes(&[1; 40]);
                }));
            }
        }
    }
    for version in [1, 2, 3] {
        for revealed in [0, 1, 19, 20, 21, 59, 60, 400] {
            for number in [&b""[..], b"\0\0\x07", &[3; 700]] {
                add(made(version, 0x03, |m| {
                    if version > 1 {
                        m.byte(0xff);
                    }
                    m.int(0).int(0xffff_ffff).data(number).bytes(&[0; 8]);
                    m.data(b"").bytes(&[0xee; 20]).data(&vec![9; revealed]);
                }));
            }
        }
    }
    for (reply, keyid) in [(0, 0), (1, 1), (7, 0xffff_ffff)] {
        for signature in [[0; 40], [0xff; 40]] {
            add(made(1, 0x0a, |m| {
                m.byte(reply).data(b"").data(b"\0").data(b"\0\x01");
                m.data(&[5; 600]).int(keyid).data(b"y").bytes(&signature);
            }));
        }
    }
    let shown = compare("otr_parse", &[], &input).text();
    assert_eq!(count(&shown, "Data Message:"), 72);
    assert_eq!(count(&shown, "Key Exchange Message:"), 6);
}
