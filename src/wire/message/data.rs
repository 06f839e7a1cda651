//! Data messages: the section "Data Message" of the protocol text.
#![forbid(unsafe_code)]

use super::{DATA, Header};
use crate::wire::{Reader, Writer};
use crate::{Error, Version};

/// The flag of a message that its receiver ignores quietly when it cannot be
/// read.
pub const IGNORE_UNREADABLE: u8 = 0x01;

/// A data message, as it lies in the decoded bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataMessage<'a> {
    /// Version and instances.
    pub header: Header,
    /// For instance [`IGNORE_UNREADABLE`]; 0 in version 1, which has none.
    pub flags: u8,
    /// Which of the sender's keys it is encrypted with.
    pub sender_keyid: u32,
    /// Which of the receiver's keys it is encrypted with.
    pub recipient_keyid: u32,
    /// The sender's next public key, big-endian without leading zeros; its
    /// range is not checked.
    pub next_dh: &'a [u8],
    /// The upper half of the initial counter.
    pub counter: [u8; 8],
    /// Text, NUL and TLV records, encrypted.
    pub encrypted: &'a [u8],
    /// HMAC-SHA1 over the message's first [`Self::authenticated_len`] bytes.
    pub mac: [u8; 20],
    /// MAC keys no longer in use, 20 bytes each, revealed.
    pub old_mac_keys: &'a [u8],
    /// How many of the message's first bytes the authenticator covers.
    pub authenticated_len: usize,
}

impl<'a> DataMessage<'a> {
    /// Reads the decoded message.
    ///
    /// Key ids may have any value, zero included.
    ///
    /// # Errors
    /// [`Error::WrongVersion`], [`Error::WrongType`], [`Error::Truncated`],
    /// [`Error::TrailingBytes`], and [`Error::TooLong`] for an MPI beyond
    /// [`crate::limits::MAX_MPI`].
    pub fn parse(message: &'a [u8]) -> Result<Self, Error> {
        Self::read(message, |reader| Header::read(reader, DATA), Reader::mpi)
    }

    /// Reads the decoded message with a reader's own way of taking the header
    /// and the next public key.
    ///
    /// # Errors
    /// Those of the two; [`Error::Truncated`] and [`Error::TrailingBytes`].
    pub(crate) fn read(
        message: &'a [u8],
        header: impl FnOnce(&mut Reader<'a>) -> Result<Header, Error>,
        next_dh: impl FnOnce(&mut Reader<'a>) -> Result<&'a [u8], Error>,
    ) -> Result<Self, Error> {
        let mut reader = Reader::new(message);
        let header = header(&mut reader)?;
        let flags = Self::take_flags(&header, &mut reader)?;
        let sender_keyid = reader.int()?;
        let recipient_keyid = reader.int()?;
        let next_dh = next_dh(&mut reader)?;
        let counter = reader.array()?;
        let encrypted = reader.data()?;
        let authenticated_len = message.len().saturating_sub(reader.rest().len());
        let mac = reader.array()?;
        let old_mac_keys = reader.data()?;
        reader.finish()?;
        Ok(Self {
            header,
            flags,
            sender_keyid,
            recipient_keyid,
            next_dh,
            counter,
            encrypted,
            mac,
            old_mac_keys,
            authenticated_len,
        })
    }

    /// The flags of a decoded message, even if the rest of it is damaged.
    ///
    /// # Errors
    /// [`Error::WrongVersion`], [`Error::WrongType`] or [`Error::Truncated`]
    /// if not even the flags can be read.
    pub fn read_flags(message: &[u8]) -> Result<u8, Error> {
        let mut reader = Reader::new(message);
        let header = Header::read(&mut reader, DATA)?;
        Self::take_flags(&header, &mut reader)
    }

    fn take_flags(header: &Header, reader: &mut Reader<'_>) -> Result<u8, Error> {
        match header.version {
            Version::V1 => Ok(0),
            Version::V2 | Version::V3 => reader.byte(),
        }
    }

    /// How many bytes [`Self::encode`] makes.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        let mac_and_keys = self.old_mac_keys.len().saturating_add(24);
        self.fixed_len()
            .saturating_add(self.encrypted.len())
            .saturating_add(mac_and_keys)
    }

    /// The message before it is armoured.
    ///
    /// # Errors
    /// [`Error::TooLong`] if a field does not fit its 32-bit length.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        let mut writer = Writer::with_capacity(self.encoded_len());
        self.write_head(&mut writer);
        writer
            .data(self.encrypted)
            .bytes(&self.mac)
            .data(self.old_mac_keys);
        writer.finish()
    }

    /// Writes everything in front of the encrypted DATA.
    ///
    /// With a [`Writer::length`], the text, [`Writer::tail_mut`] to encrypt it
    /// in place, the authenticator over [`Writer::as_slice`] and the old MAC
    /// keys behind it, a message is made in one buffer, once. A capacity of
    /// [`Self::encoded_len`] keeps that buffer where it is; for that,
    /// [`Self::encrypted`] must have its final length or a caller add it.
    pub fn write_head(&self, writer: &mut Writer) {
        self.header.write(DATA, writer);
        if self.header.version != Version::V1 {
            writer.byte(self.flags);
        }
        writer
            .int(self.sender_keyid)
            .int(self.recipient_keyid)
            .mpi(self.next_dh)
            .bytes(&self.counter);
    }

    /// Length of everything but text, authenticator and revealed keys.
    fn fixed_len(&self) -> usize {
        // flags, two key ids, two lengths, counter
        let fields = 1 + 4 + 4 + 4 + 8 + 4;
        self.header
            .encoded_len()
            .saturating_add(fields)
            .saturating_add(self.next_dh.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::InstanceTag;

    fn message(version: Version) -> DataMessage<'static> {
        let tag = |number| match version {
            Version::V3 => InstanceTag::new(number),
            _ => InstanceTag::NONE,
        };
        DataMessage {
            header: Header {
                version,
                sender: tag(0x0102_0304),
                receiver: tag(0x0506_0708),
            },
            flags: if version == Version::V1 { 0 } else { 1 },
            sender_keyid: 2,
            recipient_keyid: 3,
            next_dh: &[0xaa, 0xbb],
            counter: [0, 0, 0, 0, 0, 0, 0, 4],
            encrypted: b"text",
            mac: [5; 20],
            old_mac_keys: &[6; 20],
            authenticated_len: match version {
                Version::V1 => 3 + 8 + 6 + 8 + 8,
                Version::V2 => 4 + 8 + 6 + 8 + 8,
                Version::V3 => 12 + 8 + 6 + 8 + 8,
            },
        }
    }

    #[test]
    fn layout_is_that_of_the_protocol() {
        let expected = [
            &[0, 3, 3, 1, 2, 3, 4, 5, 6, 7, 8, 1][..],
            &[0, 0, 0, 2, 0, 0, 0, 3],
            &[0, 0, 0, 2, 0xaa, 0xbb],
            &[0, 0, 0, 0, 0, 0, 0, 4],
            b"\0\0\0\x04text",
            &[5; 20],
            &[0, 0, 0, 20],
            &[6; 20],
        ]
        .concat();
        assert_eq!(message(Version::V3).encode().unwrap(), expected);
    }

    #[test]
    fn every_version_is_read_back_and_consumed_exactly() {
        for version in [Version::V1, Version::V2, Version::V3] {
            let message = message(version);
            let bytes = message.encode().unwrap();
            assert_eq!(DataMessage::parse(&bytes), Ok(message));
            assert_eq!(DataMessage::read_flags(&bytes), Ok(message.flags));
            for len in 0..bytes.len() {
                assert_eq!(DataMessage::parse(&bytes[..len]), Err(Error::Truncated));
            }
            let longer = [&bytes[..], &[0]].concat();
            assert_eq!(DataMessage::parse(&longer), Err(Error::TrailingBytes));
        }
    }

    #[test]
    fn capacity_is_never_exceeded() {
        for version in [Version::V1, Version::V2, Version::V3] {
            let message = message(version);
            let len = message.encode().unwrap().len();
            assert!(message.encoded_len() >= len);
            assert!(message.encoded_len() <= len + 1);
        }
    }

    #[test]
    fn flags_are_read_from_a_damaged_message() {
        let bytes = message(Version::V3).encode().unwrap();
        assert_eq!(DataMessage::read_flags(&bytes[..12]), Ok(1));
        assert_eq!(DataMessage::read_flags(&bytes[..11]), Err(Error::Truncated));
        assert_eq!(DataMessage::read_flags(&[0, 1, 3]), Ok(0));
        assert_eq!(
            DataMessage::read_flags(&[0, 4, 3, 1]),
            Err(Error::WrongVersion)
        );
        assert_eq!(
            DataMessage::read_flags(&[0, 2, 2, 1]),
            Err(Error::WrongType)
        );
    }
}
