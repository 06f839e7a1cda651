//! What the fingerprint and the instance tag file have in common: lines of
//! fields with tabs between them.
#![forbid(unsafe_code)]

use memchr::{memchr, memchr_iter};

use crate::{Error, limits};

/// A text for a file, and how many entries could not be put into it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The text.
    pub text: Vec<u8>,
    /// How many entries were left out because a tab, a line break or a NUL in
    /// them would have made other entries of them.
    pub skipped: usize,
}

/// A line of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) text: &'a [u8],
    /// Whether a line break follows; the last line may have been cut off.
    pub(super) ended: bool,
}

/// The lines of a file.
pub(super) fn lines(text: &[u8]) -> Result<impl Iterator<Item = Line<'_>>, Error> {
    if text.len() > limits::MAX_LINES_FILE {
        return Err(Error::TooLong);
    }
    let mut start = 0;
    let mut ends = memchr_iter(b'\n', text);
    Ok(core::iter::from_fn(move || {
        let line = match ends.next() {
            Some(end) => Line {
                text: text.get(start..end)?,
                ended: true,
            },
            None => Line {
                text: text.get(start..).filter(|rest| !rest.is_empty())?,
                ended: false,
            },
        };
        start = start.checked_add(line.text.len())?.checked_add(1)?;
        Some(line)
    }))
}

/// What stands before and behind the first tab.
pub(super) fn field(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr(b'\t', text)?;
    let (field, rest) = text.split_at_checked(end)?;
    Some((field, rest.get(1..)?))
}

/// The part of a line's last field that counts: up to a carriage return.
pub(super) fn last_field(text: &[u8]) -> (&[u8], bool) {
    match memchr(b'\r', text) {
        Some(end) => (text.get(..end).unwrap_or(text), true),
        None => (text, false),
    }
}

/// Whether bytes can be a field without becoming more than one.
pub(super) fn fits_field(bytes: &[u8]) -> bool {
    !bytes
        .iter()
        .any(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | 0))
}

/// A byte string of fixed length from exactly twice as many hexadecimal digits.
pub(super) fn hexadecimal<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let (pairs, []) = text.as_chunks::<2>() else {
        return None;
    };
    if pairs.len() != N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

const fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(character.wrapping_sub(b'a').wrapping_add(10)),
        b'A'..=b'F' => Some(character.wrapping_sub(b'A').wrapping_add(10)),
        _ => None,
    }
}

/// Appends bytes as lower-case hexadecimal digits.
pub(super) fn write_hexadecimal(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        for half in [byte >> 4, byte & 0x0f] {
            out.extend(DIGITS.get(usize::from(half)));
        }
    }
}
