//! The notations of an atom.
#![forbid(unsafe_code)]

use super::token::is_blank;
use crate::Error;
use crate::crypto::secret::SecretBytes;

/// Bytes in one of the notations, checked and still in the text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Atom<'a> {
    /// A token or counted bytes: they stand for themselves.
    Verbatim(&'a [u8]),
    /// The inside of a quoted string.
    Quoted(&'a [u8]),
    /// The inside of `#...#`.
    Hexadecimal(&'a [u8]),
    /// The inside of `|...|`.
    Base64(&'a [u8]),
}

impl<'a> Atom<'a> {
    /// Whether the text is what the notation permits.
    pub(in crate::files) fn is_well_formed(self) -> bool {
        match self {
            Self::Verbatim(_) => true,
            Self::Quoted(text) => unescape(text, |_| {}).is_ok(),
            Self::Hexadecimal(text) if are_digits(text) => text.len().is_multiple_of(2),
            Self::Hexadecimal(text) => {
                let digits = text.iter().filter(|byte| !is_blank(**byte));
                digits.clone().all(u8::is_ascii_hexdigit) && digits.count().is_multiple_of(2)
            }
            Self::Base64(text) => text
                .iter()
                .all(|byte| *byte == b'=' || six_bits(*byte).is_some()),
        }
    }

    /// The bytes that the atom stands for.
    #[must_use]
    pub fn decode(self) -> SecretBytes {
        let (Self::Verbatim(text)
        | Self::Quoted(text)
        | Self::Hexadecimal(text)
        | Self::Base64(text)) = self;
        // Every notation takes at least one byte of text for each byte, so
        // that nothing is moved and left behind.
        let mut bytes = SecretBytes::new(Vec::with_capacity(text.len()));
        match self {
            Self::Verbatim(text) => bytes.extend_from_slice(text),
            Self::Quoted(text) => {
                // Checked when the atom was made.
                let _ = unescape(text, |byte| bytes.push(byte));
            }
            Self::Hexadecimal(text) if are_digits(text) => decode_pairs(text, &mut bytes),
            Self::Hexadecimal(text) => {
                let digits = text
                    .iter()
                    .filter_map(|byte| char::from(*byte).to_digit(16));
                gather(digits, 4, |byte| bytes.push(byte));
            }
            Self::Base64(text) => {
                let digits = text.iter().map_while(|byte| six_bits(*byte));
                gather(digits, 6, |byte| bytes.push(byte));
            }
        }
        bytes
    }

    /// The bytes of an even number of hexadecimal digits; none if anything else
    /// is among them.
    pub(in crate::files) fn decode_digits(digits: &[u8]) -> Option<SecretBytes> {
        if !digits.len().is_multiple_of(2) || !are_digits(digits) {
            return None;
        }
        let mut bytes = SecretBytes::new(Vec::with_capacity(digits.len() / 2));
        decode_pairs(digits, &mut bytes);
        Some(bytes)
    }

    /// Whether the atom stands for these bytes.
    #[must_use]
    pub fn is(self, bytes: &[u8]) -> bool {
        match self {
            Self::Verbatim(text) => text == bytes,
            _ => self.decode().as_slice() == bytes,
        }
    }
}

/// Appends the bytes of hexadecimal digits.
fn decode_pairs(digits: &[u8], bytes: &mut Vec<u8>) {
    let (pairs, _) = digits.as_chunks();
    bytes.extend(
        pairs
            .iter()
            .map(|[high, low]| four_bits(*high) << 4 | four_bits(*low)),
    );
}

/// Puts groups of bits together; an incomplete byte at the end is dropped.
fn gather(digits: impl Iterator<Item = u32>, width: u32, mut sink: impl FnMut(u8)) {
    let mut bits = 0_u32;
    let mut count = 0_u32;
    for digit in digits {
        bits = bits.wrapping_shl(width) | digit;
        count = count.wrapping_add(width);
        if count >= 8 {
            count = count.wrapping_sub(8);
            let [.., byte] = bits.wrapping_shr(count).to_be_bytes();
            sink(byte);
        }
    }
}

/// Whether all bytes are hexadecimal digits; goes through all of them, which
/// for the numbers of a key is quicker than to stop at the first that is none.
fn are_digits(text: &[u8]) -> bool {
    text.iter().fold(true, |digits, byte| {
        let decimal = byte.wrapping_sub(b'0') < 10;
        let letter = (byte | 0x20).wrapping_sub(b'a') < 6;
        digits & (decimal | letter)
    })
}

/// What a hexadecimal digit stands for.
const fn four_bits(digit: u8) -> u8 {
    // Letters come in columns 4 and 6 of ASCII and begin with 1.
    (digit & 0x0f).wrapping_add((digit >> 6).wrapping_mul(9))
}

/// What a base64 character stands for.
const fn six_bits(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte.wrapping_sub(b'A'),
        b'a'..=b'z' => byte.wrapping_sub(b'a').wrapping_add(26),
        b'0'..=b'9' => byte.wrapping_sub(b'0').wrapping_add(52),
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(value as u32)
}

/// Resolves the escapes of a quoted string.
fn unescape(mut text: &[u8], mut sink: impl FnMut(u8)) -> Result<(), Error> {
    while let Some((first, mut rest)) = text.split_first() {
        if *first != b'\\' {
            sink(*first);
            text = rest;
            continue;
        }
        let (escape, behind) = rest.split_first().ok_or(Error::Syntax)?;
        rest = behind;
        match escape {
            b'b' => sink(0x08),
            b't' => sink(b'\t'),
            b'v' => sink(0x0b),
            b'n' => sink(b'\n'),
            b'f' => sink(0x0c),
            b'r' => sink(b'\r'),
            b'"' | b'\'' | b'\\' => sink(*escape),
            // An escaped line break stands for nothing.
            b'\r' => rest = rest.strip_prefix(b"\n").unwrap_or(rest),
            b'\n' => rest = rest.strip_prefix(b"\r").unwrap_or(rest),
            b'x' => rest = number(rest, 2, 16, &mut sink)?,
            _ => {
                let digits = text.get(1..).ok_or(Error::Syntax)?;
                rest = number(digits, 3, 8, &mut sink)?;
            }
        }
        text = rest;
    }
    Ok(())
}

/// Takes a byte written as a fixed number of digits.
fn number<'a>(
    text: &'a [u8],
    len: usize,
    radix: u32,
    sink: &mut impl FnMut(u8),
) -> Result<&'a [u8], Error> {
    let (digits, rest) = text.split_at_checked(len).ok_or(Error::Syntax)?;
    let value = digits.iter().try_fold(0_u32, |value, digit| {
        let digit = char::from(*digit).to_digit(radix)?;
        value.checked_mul(radix)?.checked_add(digit)
    });
    let [.., byte] = value.ok_or(Error::Syntax)?.to_be_bytes();
    sink(byte);
    Ok(rest)
}
