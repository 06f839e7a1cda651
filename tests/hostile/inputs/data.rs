//! Data messages: every field, in and out of range; replay; forgeries.

use num_bigint::BigUint;

use super::{MESSAGE_LIMIT_MS, OUTSIDE};
use crate::bytes::{Writer, armour, int_at, unwrap_armour};
use crate::cases::{Outcome, Runner, ensure, within};
use crate::ffi::{allocated, tlv};
use crate::party::{deliver, pair, private_pair, still_works};
use crate::peer::crypt::{element, minimal, p};
use crate::peer::{DataFields, Peer};

/// A message that is wrong in one field: name, plaintext, fields, whether the
/// text is nevertheless shown.
type Row = (&'static str, Vec<u8>, DataFields, bool);

pub fn run(runner: &mut Runner) {
    for version in [2, 3] {
        for name in OUTSIDE {
            runner.case(&format!("data/v{version}/next={name}"), 10, || {
                next_key(version, name)
            });
        }
        for (name, plain, fields, shown) in rows() {
            runner.case(&format!("data/v{version}/{name}"), 20, || {
                one_field(version, &plain, &fields, shown)
            });
        }
        runner.case(&format!("data/v{version}/replay"), 10, || replay(version));
        runner.case(
            &format!("data/v{version}/each-bit-group-flipped"),
            20,
            || flips(version),
        );
        runner.case(&format!("data/v{version}/memory-of-forgeries"), 60, || {
            forgeries(version)
        });
    }
}

fn rows() -> Vec<Row> {
    let fields = DataFields::default;
    let text = || b"a text".to_vec();
    let records = |kind: u16, values: &[&[u8]]| -> Vec<u8> {
        let plain = Writer::default().raw(b"a text").byte(0);
        values
            .iter()
            .fold(plain, |plain, value| plain.tlv(kind, value))
            .0
    };
    let with_tail = |tail: &[u8]| [b"a text\0", tail].concat();
    let number = |bytes: &[u8]| Some(Writer::default().data(bytes).0);
    vec![
        ("honest", text(), fields(), true),
        (
            "wrong-mac",
            text(),
            DataFields {
                wrong_mac: true,
                ..fields()
            },
            false,
        ),
        (
            "sender-keyid-0",
            text(),
            DataFields {
                sender_keyid: Some(0),
                ..fields()
            },
            false,
        ),
        (
            "sender-keyid-9",
            text(),
            DataFields {
                sender_keyid: Some(9),
                ..fields()
            },
            false,
        ),
        (
            "sender-keyid-max",
            text(),
            DataFields {
                sender_keyid: Some(u32::MAX),
                ..fields()
            },
            false,
        ),
        (
            "recipient-keyid-0",
            text(),
            DataFields {
                recipient_keyid: Some(0),
                ..fields()
            },
            false,
        ),
        (
            "recipient-keyid-9",
            text(),
            DataFields {
                recipient_keyid: Some(9),
                ..fields()
            },
            false,
        ),
        (
            "recipient-keyid-max",
            text(),
            DataFields {
                recipient_keyid: Some(u32::MAX),
                ..fields()
            },
            false,
        ),
        (
            "counter-0",
            text(),
            DataFields {
                counter: Some(0),
                ..fields()
            },
            false,
        ),
        (
            "counter-max",
            text(),
            DataFields {
                counter: Some(u64::MAX),
                ..fields()
            },
            true,
        ),
        (
            "length-max",
            text(),
            DataFields {
                length: Some(u32::MAX),
                ..fields()
            },
            false,
        ),
        (
            "length-max-1",
            text(),
            DataFields {
                length: Some(u32::MAX - 1),
                ..fields()
            },
            false,
        ),
        (
            "length-7",
            text(),
            DataFields {
                length: Some(7),
                ..fields()
            },
            false,
        ),
        (
            "revealed-length-max",
            text(),
            DataFields {
                revealed_length: Some(u32::MAX),
                ..fields()
            },
            false,
        ),
        (
            "revealed-length-1",
            text(),
            DataFields {
                revealed_length: Some(1),
                ..fields()
            },
            false,
        ),
        (
            "trailing-3",
            text(),
            DataFields {
                trailing: 3,
                ..fields()
            },
            false,
        ),
        (
            "next-length-max",
            text(),
            DataFields {
                next: Some(b"\xff\xff\xff\xffabcd".to_vec()),
                ..fields()
            },
            false,
        ),
        (
            "next-16-MiB",
            text(),
            DataFields {
                next: number(&vec![0xa5; (16 << 20) + 64]),
                ..fields()
            },
            false,
        ),
        (
            "next-16-KiB",
            text(),
            DataFields {
                next: number(&vec![0xa5; 16 << 10]),
                ..fields()
            },
            false,
        ),
        (
            "flags-all",
            text(),
            DataFields {
                flags: 0xff,
                ..fields()
            },
            true,
        ),
        ("empty", Vec::new(), fields(), false),
        (
            "not-utf-8",
            b"a text\xff\xc0\x80\xed\xa0\x80".to_vec(),
            fields(),
            true,
        ),
        ("1-MiB", vec![b'z'; 1 << 20], fields(), true),
        (
            "tlv-longer-than-message",
            with_tail(b"\0\x01\xff\xffx"),
            fields(),
            true,
        ),
        ("tlv-header-cut", with_tail(b"\0\x02\0"), fields(), true),
        (
            "tlv-16384-empty",
            records(0x100, &[&b""[..]; 16384]),
            fields(),
            true,
        ),
        (
            "tlv-symkey-short",
            records(tlv::SYMKEY, &[b"", b"a", b"ab", b"abc"]),
            fields(),
            true,
        ),
        (
            "tlv-disconnect-twice",
            records(tlv::DISCONNECTED, &[b"", b"again"]),
            fields(),
            true,
        ),
        (
            "tlv-unknown",
            records(0xffff, &[b"what is this?"]),
            fields(),
            true,
        ),
    ]
}

fn one_field(version: u8, plain: &[u8], fields: &DataFields, shown: bool) -> Outcome {
    let (alice, bob) = pair();
    let mut peer = Peer::converse(version, &alice)?;
    let message = peer.data_message(plain, fields);
    let limit = MESSAGE_LIMIT_MS;
    let (received, ms) = within(limit, "one message", || alice.receive(&message))?;
    ensure!(
        received.shown.is_some() == shown,
        "shown: {}, wanted: {shown}",
        !shown
    );
    alice.log().wire.clear();
    still_works(&alice, &bob, version)?;
    Ok(format!("{ms:.0} ms"))
}

/// A next key outside the group would make the answer readable by anyone.
fn next_key(version: u8, name: &str) -> Outcome {
    let (alice, bob) = pair();
    let mut peer = Peer::converse(version, &alice)?;
    let value = element(name);
    let next = Some(Writer::default().data(&minimal(&value)).0);
    peer.say(
        &alice,
        b"hi",
        &DataFields {
            next,
            ..DataFields::default()
        },
    );
    alice.log().wire.clear();
    alice.send(b"for your eyes only");
    for message in &alice.log().wire {
        for shared in [&value % p(), BigUint::from(1u8)] {
            ensure!(
                peer.read_with(message, &shared).is_none(),
                "the answer is readable by anyone"
            );
        }
    }
    alice.log().wire.clear();
    still_works(&alice, &bob, version)?;
    Ok(String::new())
}

fn replay(version: u8) -> Outcome {
    let (alice, bob) = private_pair(version)?;
    let mut old = Vec::new();
    for i in 0..20 {
        alice.send(format!("text {i}").as_bytes());
        let message = alice.take().ok_or("nothing sent")?;
        ensure!(bob.receive(&message).shown.is_some(), "text {i} is lost");
        old.push(message);
        if i % 3 == 0 {
            ensure!(deliver(&bob, &alice, b"answer"), "answer {i} is lost");
        }
    }
    for message in old.iter().chain(&old) {
        ensure!(
            bob.receive(message).shown.is_none(),
            "a replayed message is shown"
        );
        bob.log().wire.clear();
    }
    still_works(&alice, &bob, version)?;
    Ok(format!("{} replays", 2 * old.len()))
}

/// A bit of every byte flipped: nothing is shown, and the original still is.
fn flips(version: u8) -> Outcome {
    let (alice, bob) = private_pair(version)?;
    ensure!(
        deliver(&alice, &bob, b"one") && deliver(&bob, &alice, b"two"),
        "set-up failed"
    );
    alice.send(b"attack at dawn");
    let original = alice.take().ok_or("nothing sent")?;
    let mut raw = unwrap_armour(&original).ok_or("not a data message")?;
    for i in 0..raw.len() {
        raw[i] ^= 1 << (i % 8);
        ensure!(
            bob.receive(&armour(&raw)).shown.is_none(),
            "shown with byte {i} changed"
        );
        raw[i] ^= 1 << (i % 8);
        bob.log().wire.clear();
    }
    let shown = bob.receive(&original).shown;
    ensure!(
        shown.as_deref() == Some(b"attack at dawn"),
        "the original is lost"
    );
    still_works(&alice, &bob, version)?;
    Ok(format!("{} flips", raw.len()))
}

/// What forged data messages leave behind in memory.
fn forgeries(version: u8) -> Outcome {
    const MESSAGES: i64 = 40_000;
    let (alice, bob) = private_pair(version)?;
    alice.send(b"text");
    let mut raw = alice
        .take()
        .and_then(|m| unwrap_armour(&m))
        .ok_or("nothing sent")?;
    let at = raw.len() - 10;
    raw[at] ^= 1;
    ensure!(int_at(&raw, at).is_some(), "too short");
    let forged = armour(&raw);
    let hear = |n: i64| {
        for _ in 0..n {
            bob.receive(&forged);
            let log = bob.log();
            log.wire.clear();
            log.event_texts.clear();
        }
    };
    hear(1000);
    let before = allocated();
    hear(MESSAGES);
    let grown = allocated() - before;
    ensure!(
        grown < 4096,
        "{grown} bytes more in use after {MESSAGES} forgeries"
    );
    still_works(&alice, &bob, version)?;
    Ok(format!("{grown} bytes more in use"))
}
