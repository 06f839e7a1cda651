//! Base64 and the `?OTR:`...`.` armour around encoded messages: the section
//! "Encoded messages" of the protocol text.
#![forbid(unsafe_code)]

use core::mem::MaybeUninit;
use std::borrow::Cow;

use base64_simd::{Out, STANDARD};
use memchr::memchr;

use super::message::behind;
use crate::Error;
use crate::limits;

/// What an encoded message begins with.
pub const PREFIX: &[u8] = b"?OTR:";

/// The base64 form of these bytes, padded with `=`, without line breaks.
#[must_use]
pub fn encode(bytes: &[u8]) -> Vec<u8> {
    STANDARD.encode_type(bytes)
}

/// How many characters [`encode`] makes of so many bytes.
#[must_use]
pub const fn encoded_len(bytes: usize) -> usize {
    bytes.div_ceil(3).saturating_mul(4)
}

/// The bytes that this base64 text stands for.
///
/// Compatibility: as lenient as every peer has come to expect. Bytes outside
/// the alphabet are skipped, the first `=` ends the text and completes the
/// group in front of it (one character gives no byte, two give one, three
/// two), and an incomplete group at an end without `=` is dropped.
#[must_use]
pub fn decode(text: &[u8]) -> Vec<u8> {
    // What the strict decoder takes, the lenient one would decode alike.
    STANDARD
        .decode_to_vec(text)
        .unwrap_or_else(|_| decode_lenient(text))
}

/// What [`decode`] gives, in `room` if the text is clean and fits.
pub(super) fn decode_into<'a>(text: &[u8], room: &'a mut [u8]) -> Cow<'a, [u8]> {
    let fits = STANDARD
        .decoded_length(text)
        .is_ok_and(|len| len <= room.len());
    if fits && let Ok(bytes) = STANDARD.decode(text, Out::from_slice(room)) {
        return Cow::Borrowed(bytes);
    }
    Cow::Owned(decode(text))
}

/// One byte at a time, for texts that are not clean.
fn decode_lenient(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len().div_ceil(4).saturating_mul(3));
    let mut group = 0_u32;
    let mut digits = 0_u8;
    for &character in text {
        if character == b'=' {
            let [_, first, second, _] = match digits {
                2 => group << 12,
                3 => group << 6,
                _ => break,
            }
            .to_be_bytes();
            bytes.push(first);
            if digits == 3 {
                bytes.push(second);
            }
            break;
        }
        let Some(value) = digit(character) else {
            continue;
        };
        group = group << 6 | u32::from(value);
        digits = match digits {
            3 => {
                let [_, tail @ ..] = group.to_be_bytes();
                bytes.extend_from_slice(&tail);
                group = 0;
                0
            }
            _ => digits.wrapping_add(1),
        };
    }
    bytes
}

/// The six bits that this character stands for.
const fn digit(character: u8) -> Option<u8> {
    match character {
        b'A'..=b'Z' => Some(character.wrapping_sub(b'A')),
        b'a'..=b'z' => Some(character.wrapping_sub(b'a').wrapping_add(26)),
        b'0'..=b'9' => Some(character.wrapping_sub(b'0').wrapping_add(52)),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// Wraps a message for sending: `?OTR:`, its base64 form, `.`
#[must_use]
pub fn armour(message: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(armoured_len(message.len()));
    text.extend_from_slice(PREFIX);
    STANDARD.encode_append(message, &mut text);
    text.push(b'.');
    text
}

/// How many characters [`armour`] makes of so many bytes.
#[must_use]
pub const fn armoured_len(bytes: usize) -> usize {
    encoded_len(bytes)
        .saturating_add(PREFIX.len())
        .saturating_add(1)
}

/// Writes what [`armour`] makes into memory that need not hold anything yet,
/// and returns its length: so many bytes at the beginning of `out` are
/// initialised then. `None` if `out` is shorter than [`armoured_len`].
pub fn armour_into(message: &[u8], out: &mut [MaybeUninit<u8>]) -> Option<usize> {
    let len = armoured_len(message.len());
    let (prefix, body) = out.get_mut(..len)?.split_at_mut_checked(PREFIX.len())?;
    for (to, from) in prefix.iter_mut().zip(PREFIX) {
        to.write(*from);
    }
    let (end, body) = body.split_last_mut()?;
    end.write(b'.');
    let _ = STANDARD.encode(message, Out::from_uninit_slice(body));
    Some(len)
}

/// The message inside the first armour of a text.
///
/// `?OTR:` may stand anywhere, and a `.` must follow somewhere.
///
/// # Errors
/// [`Error::Armour`] if either is missing, [`Error::TooLong`] beyond
/// [`limits::MAX_MESSAGE`] bytes of text.
pub fn dearmour(text: &[u8]) -> Result<Vec<u8>, Error> {
    let body = body(text)?;
    if let Some(bytes) = decode_clean(body) {
        return Ok(bytes);
    }
    let end = memchr(b'.', body).ok_or(Error::Armour)?;
    Ok(decode(body.get(..end).unwrap_or_default()))
}

/// The message inside the first armour of a text, whose `.` may be missing.
///
/// Compatibility: data messages, and only they, are read in this way.
///
/// # Errors
/// [`Error::Armour`] without `?OTR:`, [`Error::TooLong`] beyond
/// [`limits::MAX_MESSAGE`] bytes of text.
pub fn dearmour_data(text: &[u8]) -> Result<Vec<u8>, Error> {
    let body = body(text)?;
    if let Some(bytes) = decode_clean(body) {
        return Ok(bytes);
    }
    let end = memchr(b'.', body).unwrap_or(body.len());
    Ok(decode(body.get(..end).unwrap_or_default()))
}

/// Decodes what every program sends, base64 up to a dot at the end, without
/// searching for the dot first: were there another, this would fail.
fn decode_clean(body: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode_to_vec(body.strip_suffix(b".")?).ok()
}

/// What follows the first `?OTR:`.
fn body(text: &[u8]) -> Result<&[u8], Error> {
    if text.len() > limits::MAX_MESSAGE {
        return Err(Error::TooLong);
    }
    behind(text, PREFIX).ok_or(Error::Armour)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648, section 10.
    const VECTORS: [(&[u8], &[u8]); 7] = [
        (b"", b""),
        (b"f", b"Zg=="),
        (b"fo", b"Zm8="),
        (b"foo", b"Zm9v"),
        (b"foob", b"Zm9vYg=="),
        (b"fooba", b"Zm9vYmE="),
        (b"foobar", b"Zm9vYmFy"),
    ];

    #[test]
    fn rfc_4648_vectors() {
        for (bytes, text) in VECTORS {
            assert_eq!(encode(bytes), text);
            assert_eq!(encoded_len(bytes.len()), text.len());
            assert_eq!(decode(text), bytes);
            assert_eq!(decode_lenient(text), bytes);
        }
    }

    /// Compatibility: each answer is that of libotr 4.1.1.
    #[test]
    fn garbage_and_missing_padding() {
        let cases: [(&[u8], &[u8]); 12] = [
            (b"QUI", b""),
            (b"QUI=", b"AB"),
            (b"QUJDRA", b"ABC"),
            (b"=QUJD", b""),
            (b"Q=", b""),
            (b"QQ=", b"A"),
            (b"QU=JD", b"A"),
            (b"Q U\nJ\xffD", b"ABC"),
            (b"QUJD====QUJD", b"ABC"),
            (b"QR==", b"A"),
            (b"QUJ=", b"AB"),
            (b"-_-_", b""),
        ];
        for (text, bytes) in cases {
            assert_eq!(decode(text), bytes, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn armour_is_undone() {
        for len in 0..100 {
            let message: Vec<u8> = (0..len).collect();
            let text = armour(&message);
            assert!(text.starts_with(b"?OTR:") && text.ends_with(b"."));
            assert_eq!(text.len(), armoured_len(message.len()));
            let mut room = vec![MaybeUninit::uninit(); text.len() + 1];
            assert_eq!(armour_into(&message, &mut room[..text.len() - 1]), None);
            assert_eq!(armour_into(&message, &mut room), Some(text.len()));
            assert_eq!(dearmour(&text), Ok(message.clone()));
            assert_eq!(dearmour_data(&text), Ok(message));
        }
    }

    #[test]
    fn armour_may_stand_anywhere_and_the_first_counts() {
        assert_eq!(dearmour(b"x. ?OTR:QUJD. ?OTR:REVG."), Ok(b"ABC".to_vec()));
        assert_eq!(dearmour(b"?OTR:!!!."), Ok(Vec::new()));
    }

    #[test]
    fn missing_armour_is_an_error() {
        for text in [&b""[..], b"?OTR", b"?OTR?", b"?OTR QUJD.", b"hello."] {
            assert_eq!(dearmour(text), Err(Error::Armour));
            assert_eq!(dearmour_data(text), Err(Error::Armour));
        }
        assert_eq!(dearmour(b".?OTR:QUJD"), Err(Error::Armour));
    }

    /// Compatibility: the dot of a data message may be missing.
    #[test]
    fn a_data_message_needs_no_dot() {
        assert_eq!(dearmour_data(b"?OTR:QUJDREVG"), Ok(b"ABCDEF".to_vec()));
    }

    #[test]
    fn armour_is_bounded() {
        let text = vec![b'A'; limits::MAX_MESSAGE + 1];
        assert_eq!(dearmour(&text), Err(Error::TooLong));
        assert_eq!(dearmour_data(&text), Err(Error::TooLong));
    }
}
