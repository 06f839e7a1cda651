//! Messages in pieces: odd headers, disorder, and floods.

use crate::bytes::contains;
use crate::cases::{Outcome, Runner, ensure, within};
use crate::ffi::{now_ms, resident_kb};
use crate::party::{deliver, private_pair, still_works};

/// The most memory that pieces from one stranger may occupy.
const STORE_LIMIT_KB: i64 = 64 << 10;
/// The most contexts that one stranger may create.
const CONTEXT_LIMIT: usize = 1000;

pub fn run(runner: &mut Runner) {
    for version in [2, 3] {
        runner.case(&format!("fragment/v{version}/odd-headers"), 10, || {
            odd_headers(version)
        });
    }
    for (mode, name) in [
        "in-order",
        "one-dropped",
        "neighbours-swapped",
        "each-twice",
        "reversed",
    ]
    .into_iter()
    .enumerate()
    {
        for version in [2, 3] {
            runner.case(&format!("fragment/v{version}/{name}"), 20, || {
                disorder(version, mode)
            });
        }
    }
    runner.case("fragment/message-that-never-ends", 60, || {
        never_ending(b"?OTR,", 1 << 20, 300)
    });
    runner.case("fragment/message-that-never-ends-v3", 60, || {
        never_ending(b"?OTR|00000100|00000000,", 1 << 20, 300)
    });
    runner.case("fragment/65535-pieces", 60, || {
        let (alice, bob) = private_pair(3)?;
        let ((), ms) = within(3000.0, "65535 pieces", || {
            for k in 1..=65535 {
                alice.receive(format!("?OTR,{k},65535,x,").as_bytes());
            }
        })?;
        still_works(&alice, &bob, 3)?;
        Ok(format!("{ms:.0} ms"))
    });
    runner.case("flood/instances-made-by-pieces", 120, || {
        flood(20_000, |k| format!("?OTR|{:08x}|0,1,2,x,", 0x1000 + k * 97))
    });
    runner.case("flood/instances-made-by-commits", 120, || {
        use crate::bytes::{Writer, armour};
        flood(5_000, |k| {
            let commit = Writer::default()
                .raw(&[0, 3, 2])
                .int(0x1000 + k * 97)
                .int(0);
            let commit = commit.data(&[7; 196]).data(&[9; 32]);
            String::from_utf8_lossy(&armour(&commit.0)).into_owned()
        })
    });
    runner.case("flood/stores-of-many-instances", 120, many_stores);
}

fn odd_headers(version: u8) -> Outcome {
    const ODD: &[&[u8]] = &[
        b"?OTR,0,0,x,",
        b"?OTR,0,1,x,",
        b"?OTR,1,0,x,",
        b"?OTR,2,1,x,",
        b"?OTR,3,2,x,",
        b"?OTR,1,65535,x,",
        b"?OTR,65535,65535,x,",
        b"?OTR,65536,65536,x,",
        b"?OTR,65537,65537,x,",
        b"?OTR,-1,-1,x,",
        b"?OTR,-65535,-65535,x,",
        b"?OTR,4294967297,4294967297,x,",
        b"?OTR,18446744073709551617,18446744073709551617,x,",
        b"?OTR,1,2,",
        b"?OTR,1,2,,",
        b"?OTR,1,2,x",
        b"?OTR,,,,",
        b"?OTR,1,1,,",
        b"?OTR,a,b,x,",
        b"?OTR, 1, 1,x,",
        b"?OTR,+1,+1,x,",
        b"?OTR,0x1,0x1,x,",
        b"?OTR,1,1,\xff\xfe,",
        b"?OTR,1,1,?OTR,1,1,x,,",
        b"?OTR,1,2,?OTR:AAMD,?OTR,2,2,x.,",
        b"?OTR|",
        b"?OTR|100|",
        b"?OTR|0|0,1,1,x,",
        b"?OTR|ff|0,1,1,x,",
        b"?OTR|100|0,0,0,x,",
        b"?OTR|100|0,1,1,x,",
        b"?OTR|100|0,2,1,x,",
        b"?OTR|100|0,1,65535,x,",
        b"?OTR|ffffffff|0,1,1,x,",
        b"?OTR|100000000000|0,1,1,x,",
        b"?OTR|-1|-1,1,1,x,",
        b"?OTR|zz|zz,1,1,x,",
        b"?OTR|1 00|0,1,1,x,",
        b"?OTR||,1,1,x,",
        b"?OTR|100,1,1,x,",
        b"?OTR|100|0,1,1,?OTR|100|0,1,1,x,,",
    ];
    let (alice, bob) = private_pair(version)?;
    for text in ODD {
        let shown = alice.receive(text).shown.unwrap_or_default();
        alice.log().wire.clear();
        ensure!(
            !contains(&shown, b"x") || contains(&shown, b"?OTR"),
            "{:?} shows a text",
            String::from_utf8_lossy(text)
        );
    }
    still_works(&alice, &bob, version)?;
    Ok(format!("{} headers", ODD.len()))
}

/// Pieces dropped, swapped, doubled: the text arrives whole or not at all.
fn disorder(version: u8, mode: usize) -> Outcome {
    const TEXTS: usize = 10;
    let (alice, bob) = private_pair(version)?;
    alice.log().max_size = 120;
    let mut arrived = 0;
    for i in 0..TEXTS {
        let text = format!("text number {i} of those that go in pieces").into_bytes();
        alice.send(&text);
        let mut pieces: Vec<Vec<u8>> = alice.log().wire.drain(..).collect();
        ensure!(pieces.len() > 2, "not cut into pieces");
        match mode {
            1 => drop(pieces.remove(i % 3)),
            2 => pieces.swap(0, 1),
            3 => pieces = pieces.into_iter().flat_map(|p| [p.clone(), p]).collect(),
            4 => pieces.reverse(),
            _ => {}
        }
        for piece in pieces {
            if let Some(shown) = bob.receive(&piece).shown {
                ensure!(shown == text, "another text is shown");
                arrived += 1;
            }
        }
        bob.log().wire.clear();
    }
    let whole = mode == 0;
    ensure!(
        arrived == if whole { TEXTS } else { 0 } || mode == 3,
        "{arrived} texts arrived"
    );
    ensure!(arrived <= TEXTS, "texts shown twice");
    still_works(&alice, &bob, version)?;
    Ok(format!("{arrived} of {TEXTS} shown"))
}

/// Pieces of one unfinished message: how much is kept?
fn never_ending(header: &[u8], size: usize, pieces: usize) -> Outcome {
    let (alice, bob) = private_pair(3)?;
    let before = resident_kb();
    for k in 1..=pieces {
        let mut piece = [header, format!("{k},65535,").as_bytes()].concat();
        piece.resize(piece.len() + size, b'A');
        piece.push(b',');
        alice.receive(&piece);
    }
    let kept = resident_kb() - before;
    ensure!(
        kept < STORE_LIMIT_KB,
        "{} MB of {} MB kept",
        kept >> 10,
        (pieces * size) >> 20
    );
    still_works(&alice, &bob, 3)?;
    Ok(format!("{kept} kB of {} MB kept", (pieces * size) >> 20))
}

fn flood(messages: u32, message: impl Fn(u32) -> String) -> Outcome {
    let (alice, bob) = private_pair(3)?;
    let (start, before) = (now_ms(), resident_kb());
    for k in 0..messages {
        alice.receive(message(k).as_bytes());
        alice.log().wire.clear();
    }
    let (took, grown) = (now_ms() - start, resident_kb() - before);
    let contexts = alice.contexts();
    ensure!(
        contexts < CONTEXT_LIMIT,
        "{contexts} contexts after {messages} messages"
    );
    ensure!(
        deliver(&bob, &alice, b"still there?"),
        "the conversation is lost"
    );
    Ok(format!(
        "{contexts} contexts, {grown} kB, {took:.0} ms for {messages} messages"
    ))
}

/// Unfinished messages for many instances at once.
fn many_stores() -> Outcome {
    const SIZE: usize = 1 << 20;
    let (alice, bob) = private_pair(3)?;
    let before = resident_kb();
    for k in 0..300 {
        let mut piece = format!("?OTR|{:08x}|0,1,2,", 0x1000 + k).into_bytes();
        piece.resize(piece.len() + SIZE, b'A');
        piece.push(b',');
        alice.receive(&piece);
        alice.log().wire.clear();
    }
    let kept = resident_kb() - before;
    ensure!(kept < STORE_LIMIT_KB, "{} MB of 300 MB kept", kept >> 10);
    ensure!(
        deliver(&bob, &alice, b"still there?"),
        "the conversation is lost"
    );
    Ok(format!("{kept} kB of 300 MB kept"))
}
