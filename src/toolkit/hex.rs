//! Numbers and bytes as they stand on the command line.
#![forbid(unsafe_code)]

use core::fmt::Write;

/// Why an argument is not a string of hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HexError {
    /// It has an odd number of characters.
    OddLength,
    /// It contains something else.
    IllegalCharacter,
}

/// The bytes in lower-case hexadecimal digits.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        // Writing into a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The bytes that these digits of either case stand for.
///
/// # Errors
/// [`HexError::OddLength`], checked first, or [`HexError::IllegalCharacter`].
pub fn decode(text: &[u8]) -> Result<Vec<u8>, HexError> {
    let (pairs, rest) = text.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(HexError::OddLength);
    }
    let digit = |character: u8| char::from(character).to_digit(16);
    pairs
        .iter()
        .map(|[high, low]| {
            let byte = digit(*high)? << 4 | digit(*low)?;
            u8::try_from(byte).ok()
        })
        .collect::<Option<_>>()
        .ok_or(HexError::IllegalCharacter)
}

/// The decimal number that a text begins with.
///
/// Compatibility: read as C's `%u` does where `long` has 64 bits. Blanks and a
/// sign may stand in front, what follows the digits is ignored, and of a
/// number that does not fit 32 bits the lower ones count.
#[must_use]
pub fn decimal(text: &[u8]) -> Option<u32> {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let start = text.iter().position(|byte| !blank(byte))?;
    let (sign, digits) = match text.get(start..)? {
        [sign @ (b'+' | b'-'), rest @ ..] => (*sign, rest),
        rest => (b'+', rest),
    };
    let end = digits
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(digits.len());
    let digits = digits.get(..end).filter(|digits| !digits.is_empty())?;
    let number = digits.iter().try_fold(0_u64, |number, digit| {
        let digit = u64::from(digit.wrapping_sub(b'0'));
        number.checked_mul(10)?.checked_add(digit)
    });
    let number = match (number, sign) {
        (None, _) => u64::MAX,
        (Some(number), b'-') => number.wrapping_neg(),
        (Some(number), _) => number,
    };
    let [.., a, b, c, d] = number.to_be_bytes();
    Some(u32::from_be_bytes([a, b, c, d]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_and_written() {
        assert_eq!(encode(&[0, 0x0a, 0xff]), "000aff");
        assert_eq!(decode(b"000aFF"), Ok(vec![0, 10, 255]));
        assert_eq!(decode(b""), Ok(Vec::new()));
        assert_eq!(decode(b"abc"), Err(HexError::OddLength));
        assert_eq!(decode(b"xyz"), Err(HexError::OddLength));
        for text in [&b"0g"[..], b"0x", b" 0", b"+1", b"\xc3\xa9"] {
            assert_eq!(decode(text), Err(HexError::IllegalCharacter));
        }
    }

    /// Compatibility: each answer is that of Debian's programs.
    #[test]
    fn numbers_are_read_as_c_reads_them() {
        for (text, number) in [
            (&b"5"[..], 5),
            (b"010", 10),
            (b" \t\x0b+5x", 5),
            (b"0x10", 0),
            (b"-1", u32::MAX),
            (b"4294967296", 0),
            (b"4294967301", 5),
            (b"99999999999999999999999", u32::MAX),
            (b"-99999999999999999999999", u32::MAX),
            (b"-18446744073709551610", 6),
        ] {
            assert_eq!(decimal(text), Some(number), "{}", text.escape_ascii());
        }
        for text in [&b""[..], b" ", b"x5", b"+", b"+-5", b"- 5"] {
            assert_eq!(decimal(text), None, "{}", text.escape_ascii());
        }
    }
}
