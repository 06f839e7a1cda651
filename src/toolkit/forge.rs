//! Reading, changing and making data messages with keys that are known.
#![forbid(unsafe_code)]

use zeroize::Zeroizing;

use crate::Error;
use crate::crypto::symmetric::{aes128_ctr, constant_time_eq, hmac_sha1};
use crate::wire::base64::armour;
use crate::wire::message::DataMessage;
use crate::wire::{Writer, significant};

/// Reads a decoded data message of any version.
///
/// Unlike [`DataMessage::parse`] it takes numbers of any length.
///
/// # Errors
/// [`Error::WrongVersion`], [`Error::WrongType`], [`Error::Truncated`] and
/// [`Error::TrailingBytes`].
pub fn parse(decoded: &[u8]) -> Result<DataMessage<'_>, Error> {
    DataMessage::read(decoded, super::dissect::header, |reader| {
        reader.data().map(significant)
    })
}

/// Whether this MAC key verifies a message; `decoded` are the bytes that
/// `message` was read from.
#[must_use]
pub fn verifies(message: &DataMessage<'_>, decoded: &[u8], mac_key: &[u8; 20]) -> bool {
    let Some(authenticated) = decoded.get(..message.authenticated_len) else {
        return false;
    };
    constant_time_eq(&hmac_sha1(mac_key, authenticated), &message.mac)
}

/// What this AES key makes of a message: its text, a NUL and its TLV records,
/// if it is the right key.
#[must_use]
pub fn decrypt(message: &DataMessage<'_>, aes_key: &[u8; 16]) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(message.encrypted.to_vec());
    aes128_ctr(aes_key, message.counter, &mut text);
    text
}

/// The message with another text, encrypted under `aes_key`: the bytes for
/// [`DataMessage::encrypted`].
#[must_use]
pub fn encrypt(message: &DataMessage<'_>, aes_key: &[u8; 16], text: &[u8]) -> Vec<u8> {
    let mut encrypted = text.to_vec();
    aes128_ctr(aes_key, message.counter, &mut encrypted);
    encrypted
}

/// Turns `old` into `new` in an encrypted text, of which `old` is known to
/// stand at `offset`, without knowing a key.
///
/// What would lie beyond the end of the text is left out.
pub fn substitute(encrypted: &mut [u8], offset: usize, old: &[u8], new: &[u8]) {
    let place = encrypted.get_mut(offset..).unwrap_or_default();
    for (byte, (old, new)) in place.iter_mut().zip(old.iter().zip(new)) {
        *byte ^= old ^ new;
    }
}

/// The message, authenticated anew with this MAC key and armoured.
///
/// # Errors
/// [`Error::TooLong`] if a field does not fit its 32-bit length.
pub fn seal(message: &DataMessage<'_>, mac_key: &[u8; 20]) -> Result<Vec<u8>, Error> {
    let mut writer = Writer::with_capacity(message.encoded_len());
    message.write_head(&mut writer);
    writer.data(message.encrypted);
    let mac = hmac_sha1(mac_key, writer.as_slice());
    writer.bytes(&mac).data(message.old_mac_keys);
    Ok(armour(&writer.finish()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::base64::dearmour;
    use crate::wire::message::Header;
    use crate::{InstanceTag, Version};

    const AES: [u8; 16] = [7; 16];
    const MAC: [u8; 20] = [9; 20];

    fn message(encrypted: &[u8]) -> DataMessage<'_> {
        DataMessage {
            header: Header {
                version: Version::V3,
                sender: InstanceTag::new(0x100),
                receiver: InstanceTag::new(0x200),
            },
            flags: 0,
            sender_keyid: 1,
            recipient_keyid: 2,
            next_dh: &[5],
            counter: [0, 0, 0, 0, 0, 0, 0, 1],
            encrypted,
            mac: [0; 20],
            old_mac_keys: &[],
            authenticated_len: 0,
        }
    }

    #[test]
    fn what_is_sealed_verifies_with_its_key_alone() {
        let encrypted = encrypt(&message(&[]), &AES, b"at nine");
        let text = seal(&message(&encrypted), &MAC).unwrap();
        let decoded = dearmour(&text).unwrap();
        let read = parse(&decoded).unwrap();
        assert!(verifies(&read, &decoded, &MAC));
        assert!(!verifies(&read, &decoded, &[8; 20]));
        assert!(!verifies(&read, &[], &MAC));
        assert_eq!(decrypt(&read, &AES).as_slice(), b"at nine");
        assert_eq!(Ok(read), DataMessage::parse(&decoded));
    }

    #[test]
    fn a_known_text_is_changed_without_a_key() {
        let mut encrypted = encrypt(&message(&[]), &AES, b"at nine");
        substitute(&mut encrypted, 3, b"nine", b"five");
        assert_eq!(decrypt(&message(&encrypted), &AES).as_slice(), b"at five");
        let before = encrypted.clone();
        substitute(&mut encrypted, 7, b"more", b"less");
        substitute(&mut encrypted, usize::MAX, b"more", b"less");
        assert_eq!(encrypted, before);
        substitute(&mut encrypted, 6, b"exyz", b"EXYZ");
        assert_eq!(decrypt(&message(&encrypted), &AES).as_slice(), b"at fivE");
    }

    #[test]
    fn numbers_may_be_longer_than_a_conversation_takes() {
        let long = [1; 600];
        let mut message = message(b"x");
        message.next_dh = &long;
        let decoded = dearmour(&seal(&message, &MAC).unwrap()).unwrap();
        assert_eq!(DataMessage::parse(&decoded), Err(Error::TooLong));
        assert_eq!(parse(&decoded).unwrap().next_dh, long);
    }
}
