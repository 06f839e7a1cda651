//! Reading one piece: its number, the total and its text.
#![forbid(unsafe_code)]

use memchr::{memchr, memchr_iter};

use crate::InstanceTag;
use crate::wire::message::from_mark;

/// What a received text is in the eyes of the fragment reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scanned<'a> {
    /// It does not claim to be a piece.
    Other,
    /// It claims to be a piece, but none that makes sense.
    Malformed,
    /// A piece.
    Piece {
        /// Its number, from 1 to the total.
        number: u16,
        /// How many pieces the message has.
        total: u16,
        /// Its part of the message; never empty.
        text: &'a [u8],
    },
}

/// Looks for a piece of version 3, else of version 2, anywhere in a text.
///
/// The instance tags are not looked at, see [`route`].
#[must_use]
pub fn scan(text: &[u8]) -> Scanned<'_> {
    let mut numbers = None;
    for at in memchr_iter(b'?', text) {
        match text.get(at..) {
            Some([b'?', b'O', b'T', b'R', b'|', tags @ ..]) => {
                let piece = tags_then_numbers(tags).and_then(piece);
                return piece.unwrap_or(Scanned::Malformed);
            }
            Some([b'?', b'O', b'T', b'R', b',', rest @ ..]) => {
                numbers.get_or_insert(rest);
            }
            _ => {}
        }
    }
    match numbers {
        Some(numbers) => piece(numbers).unwrap_or(Scanned::Malformed),
        None => Scanned::Other,
    }
}

/// The sender's and the receiver's tag of a version 3 piece; `None` if the
/// text's first `?OTR` does not begin one.
///
/// A tag that cannot be read is [`InstanceTag::NONE`].
#[must_use]
pub fn route(text: &[u8]) -> Option<(InstanceTag, InstanceTag)> {
    read(text).0
}

/// What [`route`] and [`scan`] find, in one go.
#[must_use]
pub fn read(text: &[u8]) -> (Option<(InstanceTag, InstanceTag)>, Scanned<'_>) {
    let Some(mut rest) = from_mark(text).and_then(|marked| marked.strip_prefix(b"|")) else {
        return (None, scan(text));
    };
    // The first mark is that of a version 3 piece, so it is the one that a
    // scan would find.
    let sender = hexadecimal(&mut rest);
    let receiver = sender.and_then(|_| {
        rest = rest.strip_prefix(b"|")?;
        hexadecimal(&mut rest)
    });
    let numbers = receiver.and_then(|_| rest.strip_prefix(b","));
    let found = numbers.and_then(piece).unwrap_or(Scanned::Malformed);
    let tag = |number: Option<u32>| InstanceTag::new(number.unwrap_or_default());
    (Some((tag(sender), tag(receiver))), found)
}

/// Skips two hexadecimal tags of any length: `sender|receiver,`.
fn tags_then_numbers(mut rest: &[u8]) -> Option<&[u8]> {
    hexadecimal(&mut rest)?;
    rest = rest.strip_prefix(b"|")?;
    hexadecimal(&mut rest)?;
    rest.strip_prefix(b",")
}

/// Reads `number,total,text,`; whatever follows is ignored.
fn piece(mut rest: &[u8]) -> Option<Scanned<'_>> {
    let number = decimal(&mut rest)?;
    rest = rest.strip_prefix(b",")?;
    let total = decimal(&mut rest)?;
    rest = rest.strip_prefix(b",")?;
    let end = memchr(b',', rest)?;
    let text = rest.get(..end)?;
    let sensible = number >= 1 && number <= total && !text.is_empty();
    sensible.then_some(Scanned::Piece {
        number,
        total,
        text,
    })
}

/// Compatibility: read as C's `%hu` does. Blanks and a sign may stand in
/// front, and what does not fit 16 bits loses its upper bits.
fn decimal(rest: &mut &[u8]) -> Option<u16> {
    let value = integer::<10>(rest)?;
    let [.., high, low] = value.to_be_bytes();
    Some(u16::from_be_bytes([high, low]))
}

/// Compatibility: read as C's `%x` does, with 32 bits instead of 16.
fn hexadecimal(rest: &mut &[u8]) -> Option<u32> {
    let mut ahead = *rest;
    let value = integer::<16>(&mut ahead)?;
    *rest = ahead;
    let [.., a, b, c, d] = value.to_be_bytes();
    Some(u32::from_be_bytes([a, b, c, d]))
}

/// Reads a whole number; one that needs more than 64 bits becomes the largest.
fn integer<const RADIX: u32>(rest: &mut &[u8]) -> Option<u64> {
    let mut ahead = *rest;
    let mut negative = false;
    let mut any = false;
    // Most begin with a digit, which may be that of "0x".
    let plain = match ahead.first() {
        Some(b'0') => RADIX == 10,
        Some(first) => first.is_ascii_hexdigit(),
        None => return None,
    };
    if !plain {
        ahead = ahead.trim_ascii_start();
        while let Some(trimmed) = ahead.strip_prefix(b"\x0b") {
            ahead = trimmed.trim_ascii_start();
        }
        if let Some((sign @ (b'+' | b'-'), tail)) = ahead.split_first() {
            ahead = tail;
            negative = *sign == b'-';
        }
        // "0x" without digits is zero.
        if let ([b'0', b'x' | b'X', tail @ ..], 16) = (ahead, RADIX) {
            ahead = tail;
            any = true;
        }
    }
    let mut value = 0_u64;
    let mut fits = true;
    while let Some((byte, tail)) = ahead.split_first()
        && let Some(digit) = char::from(*byte).to_digit(RADIX)
    {
        let next = value.checked_mul(RADIX.into());
        let next = next.and_then(|value| value.checked_add(digit.into()));
        fits &= next.is_some();
        value = next.unwrap_or(value);
        ahead = tail;
        any = true;
    }
    if !any {
        return None;
    }
    *rest = ahead;
    Some(match fits {
        true if negative => value.wrapping_neg(),
        true => value,
        false => u64::MAX,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(number: u16, total: u16, text: &[u8]) -> Scanned<'_> {
        Scanned::Piece {
            number,
            total,
            text,
        }
    }

    #[test]
    fn pieces_of_both_forms() {
        assert_eq!(scan(b"?OTR,00001,00003,abc,"), found(1, 3, b"abc"));
        assert_eq!(
            scan(b"?OTR|5a73a599|27e31597,00002,00003,abc,"),
            found(2, 3, b"abc")
        );
        assert_eq!(scan(b"junk ?OTR,1,2,abc,junk"), found(1, 2, b"abc"));
        assert_eq!(scan(b"?OTR,65535,65535,x,"), found(65535, 65535, b"x"));
    }

    #[test]
    fn other_texts_are_no_pieces() {
        for text in [&b""[..], b"hello", b"?OTR", b"?OTR:AAMC.", b"?OTR?"] {
            assert_eq!(scan(text), Scanned::Other);
        }
    }

    #[test]
    fn pieces_that_make_no_sense() {
        for text in [
            &b"?OTR,"[..],
            b"?OTR,0,1,x,",
            b"?OTR,1,0,x,",
            b"?OTR,2,1,x,",
            b"?OTR,1,2,",
            b"?OTR,1,2,,",
            b"?OTR,1,2,x",
            b"?OTR,a,b,x,",
            b"?OTR|1|2",
            b"?OTR|1|,1,1,x,",
            b"?OTR|1,1,1,x,",
            b"?OTR|zz|zz,1,1,x,",
            b"?OTR|1 00|0,1,1,x,",
        ] {
            assert_eq!(scan(text), Scanned::Malformed, "{}", text.escape_ascii());
            assert_eq!(read(text).1, Scanned::Malformed, "{}", text.escape_ascii());
        }
    }

    /// Compatibility: numbers are read like `%hu`.
    #[test]
    fn numbers_modulo_sixteen_bits() {
        assert_eq!(scan(b"?OTR,65537,65538,x,"), found(1, 2, b"x"));
        assert_eq!(scan(b"?OTR,-65535,-65534,x,"), found(1, 2, b"x"));
        assert_eq!(scan(b"?OTR, +1,\t\x0b 2,x,"), found(1, 2, b"x"));
        assert_eq!(scan(b"?OTR,4294967297,4294967297,x,"), found(1, 1, b"x"));
        assert_eq!(
            scan(b"?OTR,1,99999999999999999999999,x,"),
            found(1, 65535, b"x")
        );
        assert_eq!(scan(b"?OTR,65536,65536,x,"), Scanned::Malformed);
    }

    /// Compatibility: tags are read like `%x`.
    #[test]
    fn tags_modulo_thirty_two_bits() {
        let one = found(1, 1, b"x");
        assert_eq!(scan(b"?OTR|0x1|0X,1,1,x,"), one);
        assert_eq!(scan(b"?OTR| -1|\t+5,1,1,x,"), one);
        assert_eq!(scan(b"?OTR|123456789012345678901|0,1,1,x,"), one);
        assert_eq!(
            route(b"?OTR|-1|100000100,1,1,x,"),
            Some((InstanceTag::new(0xffff_ffff), InstanceTag::new(0x100)))
        );
    }

    #[test]
    fn a_piece_is_routed_by_its_tags() {
        let tags = |a, b| Some((InstanceTag::new(a), InstanceTag::new(b)));
        assert_eq!(
            route(b"?OTR|5a73a599|27e31597,1,3,x,"),
            tags(0x5a73_a599, 0x27e3_1597)
        );
        assert_eq!(route(b"x?OTR|100|0,1,3,x,"), tags(0x100, 0));
        assert_eq!(route(b"?OTR|100|"), tags(0x100, 0));
        assert_eq!(route(b"?OTR|zz|100,"), tags(0, 0));
        assert_eq!(route(b"?OTR|"), tags(0, 0));
        assert_eq!(route(b"?OTR,1,2,x,"), None);
        assert_eq!(route(b"?OTR? ?OTR|100|200,1,1,x,"), None);
        assert_eq!(route(b"hello"), None);
    }
}
