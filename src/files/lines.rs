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

/// Whether there is a NUL, which C would take for the end.
pub(super) fn has_nul(text: &[u8]) -> bool {
    memchr(0, text).is_some()
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
    // Without a branch for each.
    let ends = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0);
    !bytes.iter().fold(false, |found, byte| found | ends(byte))
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
    let mut all = 0;
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        let [high, low] = pair.map(value);
        all |= high | low;
        *byte = high << 4 | low;
    }
    (all & NO_DIGIT == 0).then_some(bytes)
}

/// A bit that no digit's value has.
const NO_DIGIT: u8 = 0x80;

/// The value of a hexadecimal digit, or [`NO_DIGIT`].
fn value(character: u8) -> u8 {
    const VALUES: [u8; 256] = values();
    VALUES
        .get(usize::from(character))
        .copied()
        .unwrap_or(NO_DIGIT)
}

#[allow(clippy::indexing_slicing, reason = "runs when compiled")]
const fn values() -> [u8; 256] {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        let digit = DIGITS[value as usize];
        values[digit as usize] = value;
        values[digit.to_ascii_uppercase() as usize] = value;
        value = value.wrapping_add(1);
    }
    values
}

/// The digits in the order of their values.
const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Appends bytes as lower-case hexadecimal digits.
pub(super) fn write_hexadecimal(bytes: &[u8], out: &mut Vec<u8>) {
    let digit = |half: u8| DIGITS.get(usize::from(half)).copied().unwrap_or_default();
    let start = out.len();
    out.resize(start.saturating_add(bytes.len().saturating_mul(2)), 0);
    let (pairs, _) = out.get_mut(start..).unwrap_or_default().as_chunks_mut();
    for (pair, byte) in pairs.iter_mut().zip(bytes) {
        *pair = [digit(byte >> 4), digit(byte & 0x0f)];
    }
}
