//! Ways to change a message.

use crate::bytes::{armour, int_at, unwrap_armour};
use crate::rng::Rng;

/// Longest message that is made.
const MOST: usize = 40_000;

/// Numbers that stand where lengths and counts are expected.
const ODD: [u32; 18] = [
    0,
    1,
    2,
    3,
    4,
    5,
    16,
    20,
    32,
    192,
    255,
    256,
    65_535,
    65_536,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fffe,
    0xffff_ffff,
];

/// A changed copy: of the bytes inside the armour, or of the text.
pub fn mutant(rng: &mut Rng, message: &[u8], others: &[(usize, Vec<u8>)]) -> Vec<u8> {
    match unwrap_armour(message) {
        Some(mut raw) if raw.len() > 3 && rng.below(10) < 7 => {
            for _ in 0..=rng.below(3) {
                change_bytes(rng, &mut raw, others);
            }
            raw.truncate(MOST);
            armour(&raw)
        }
        _ => {
            let mut text = message.to_vec();
            for _ in 0..=rng.below(3) {
                change_text(rng, &mut text);
            }
            text.truncate(MOST);
            text
        }
    }
}

fn put_int(raw: &mut [u8], at: usize, value: u32) {
    if let Some(place) = raw.get_mut(at..at + 4) {
        place.copy_from_slice(&value.to_be_bytes());
    }
}

fn change_bytes(rng: &mut Rng, raw: &mut Vec<u8>, others: &[(usize, Vec<u8>)]) {
    let n = raw.len();
    if n < 12 {
        raw.extend(rng.bytes(12));
        return;
    }
    let at = rng.below(n);
    match rng.below(13) {
        0 | 1 => raw[at] ^= 1 << rng.below(8),
        2 => raw[at] = rng.next() as u8,
        3 => {
            let odd = *rng.pick(&ODD);
            put_int(raw, at.min(n - 4), odd);
        }
        // A length that is off by one.
        4 => {
            let at = at.min(n - 4);
            let value = int_at(raw, at).unwrap_or(0);
            put_int(
                raw,
                at,
                if rng.one_in(2) {
                    value.wrapping_add(1)
                } else {
                    value.wrapping_sub(1)
                },
            );
        }
        5 => raw.truncate(1 + at),
        6 => {
            let more = rng.below(64);
            raw.extend(rng.bytes(more));
        }
        // The end of another message.
        7 => {
            let other = if others.is_empty() {
                None
            } else {
                unwrap_armour(&rng.pick(others).1)
            };
            if let Some(other) = other.filter(|o| !o.is_empty()) {
                raw.truncate(at);
                raw.extend(&other[rng.below(other.len())..]);
            }
        }
        8 => raw[2] = *rng.pick(&[0x02, 0x0a, 0x11, 0x12, 0x03, 0x00, 0xff]),
        9 => raw[1] = rng.below(5) as u8,
        // The instance tags.
        10 => {
            let value = if rng.one_in(3) {
                rng.next() as u32
            } else {
                *rng.pick(&ODD)
            };
            put_int(raw, 3 + 4 * rng.below(2), value);
        }
        11 => drop(raw.drain(at..(at + 1 + rng.below(16)).min(n))),
        _ => {
            let more = 1 + rng.below(16);
            let more = rng.bytes(more);
            drop(raw.splice(at..at, more));
        }
    }
}

fn change_text(rng: &mut Rng, text: &mut Vec<u8>) {
    let n = text.len();
    if n == 0 {
        text.extend(b"?OTR");
        return;
    }
    let at = rng.below(n);
    match rng.below(10) {
        0 => text[at] = 1 + rng.below(255) as u8,
        1 => text.truncate(at),
        2 => {
            if let Some(dot) = text.iter().position(|b| *b == b'.') {
                text[dot] = b',';
            }
        }
        3 => {
            let prefix: &[u8] = if rng.one_in(2) { b"?OT" } else { b"abc" };
            drop(text.splice(0..0, prefix.iter().copied()));
        }
        4 => drop(text.remove(at)),
        5 if n > 9 => text[8] = *rng.pick(b"CKRSDEX"),
        6 if n > 8 => text[7] = *rng.pick(b"MIEQ"),
        7 => {
            let end: &[u8] = if rng.one_in(2) {
                b"?OTRv23?"
            } else {
                b"?OTR Error: x"
            };
            text.extend(end);
        }
        8 => {
            let copy = text[at..].to_vec();
            text.extend(copy);
        }
        _ => text[at.min(30)] ^= 0x20,
    }
}

/// A message in pieces, rightly or wrongly numbered.
pub fn pieces(rng: &mut Rng, message: &[u8]) -> Vec<Vec<u8>> {
    let longest = if rng.one_in(4) { 20 } else { 400 };
    let size = 1 + rng.below(longest);
    let whole: Vec<&[u8]> = message.chunks(size).take(400).collect();
    let (mut count, wrong) = (whole.len(), rng.below(4));
    let raw = unwrap_armour(message).unwrap_or_default();
    let honest = int_at(&raw, 3)
        .zip(int_at(&raw, 7))
        .filter(|_| !rng.one_in(5));
    let (from, to) = honest.unwrap_or((0x100 + rng.below(1000) as u32, 0));
    let tagged = rng.one_in(2);
    let mut out = Vec::new();
    for (i, piece) in whole.iter().enumerate() {
        let mut number = i + 1;
        match wrong {
            1 if rng.one_in(6) => number = rng.below(count + 2),
            2 if rng.one_in(6) => count = (count + rng.below(3)).saturating_sub(1),
            3 if rng.one_in(8) => continue,
            _ => {}
        }
        let header = match (tagged, rng.one_in(2)) {
            (true, true) => format!("?OTR|{from:08x}|{to:08x},{number:05},{count:05},"),
            (true, false) => format!("?OTR|{from:x}|{to:x},{number},{count},"),
            (false, _) => format!("?OTR,{number:05},{count:05},"),
        };
        out.push([header.as_bytes(), piece, b","].concat());
        if rng.one_in(20) {
            out.extend(out.last().cloned());
        }
    }
    out
}

/// A message from nowhere.
pub fn invented(rng: &mut Rng) -> Vec<u8> {
    const STARTS: [&[u8]; 18] = [
        b"",
        b"hello",
        b"?OTR",
        b"?OTR?",
        b"?OTR:",
        b"?OTR|",
        b"?OTR,",
        b"?OTRv?",
        b"?OTRv2?",
        b"?OTRv3?",
        b"?OTRv23?",
        b"?OTR?v2?",
        b"?OTRv4?",
        b"?OTRvX3Y?",
        b"?OTR Error: no",
        b"?OTR Error:",
        b"?OTR:AAMD.",
        b"?OTR:AAEK.",
    ];
    let mut text = rng.pick(&STARTS).to_vec();
    if rng.one_in(4) {
        text.extend(b"text \t  \t\t\t\t \t \t \t  ");
        for _ in 0..rng.below(4) {
            let tags: [&[u8]; 4] = [b" \t \t  \t ", b"  \t\t  \t ", b"  \t\t  \t\t", b"        "];
            text.extend(*rng.pick(&tags));
        }
    }
    if rng.one_in(4) {
        let more = rng.below(60);
        text.extend(rng.bytes(more));
    }
    text
}
