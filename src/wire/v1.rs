//! The Key Exchange message of protocol version 1.
#![forbid(unsafe_code)]

use super::{Reader, Writer};
use crate::Error;

/// What a Key Exchange message begins with: version 1, type 0x0a.
const HEADER: [u8; 3] = [0, 1, 0x0a];

/// A Key Exchange message: D-H key, DSA key and a signature over both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct V1KeyExchange {
    /// 0 for a first message, 1 for the answer to one.
    pub reply: u8,
    /// The sender's DSA key: p, q, g, y, big-endian without leading zeros,
    /// not checked.
    pub public_key: [Vec<u8>; 4],
    /// The number of the D-H key.
    pub keyid: u32,
    /// The D-H key, big-endian without leading zeros; its range is not checked.
    pub gy: Vec<u8>,
    /// The DSA signature over SHA-1 of the message's first
    /// [`Self::signed_len`] bytes.
    pub signature: [u8; 40],
    /// How many of the message's first bytes are signed.
    pub signed_len: usize,
}

impl V1KeyExchange {
    /// Reads the decoded message.
    ///
    /// # Errors
    /// [`Error::WrongVersion`], [`Error::WrongType`], [`Error::Truncated`],
    /// [`Error::TrailingBytes`], [`Error::TooLong`] for an MPI beyond
    /// [`crate::limits::MAX_MPI`], and [`Error::ZeroKeyId`].
    pub fn parse(message: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(message);
        let [high, low, kind] = reader.array()?;
        if [high, low] != [0, 1] {
            return Err(Error::WrongVersion);
        }
        if [high, low, kind] != HEADER {
            return Err(Error::WrongType);
        }
        let reply = reader.byte()?;
        let public_key = [
            reader.mpi()?.to_vec(),
            reader.mpi()?.to_vec(),
            reader.mpi()?.to_vec(),
            reader.mpi()?.to_vec(),
        ];
        let keyid = reader.int()?;
        let gy = reader.mpi()?.to_vec();
        let signed_len = message.len().saturating_sub(reader.rest().len());
        let signature = reader.array()?;
        reader.finish()?;
        if keyid == 0 {
            return Err(Error::ZeroKeyId);
        }
        Ok(Self {
            reply,
            public_key,
            keyid,
            gy,
            signature,
            signed_len,
        })
    }

    /// The part of the message that is signed.
    ///
    /// # Errors
    /// [`Error::TooLong`] if a field does not fit its 32-bit length.
    pub fn encode_signed(&self) -> Result<Vec<u8>, Error> {
        self.write_signed().finish()
    }

    /// The message before it is armoured.
    ///
    /// # Errors
    /// [`Error::TooLong`] if a field does not fit its 32-bit length.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        let mut writer = self.write_signed();
        writer.bytes(&self.signature);
        writer.finish()
    }

    fn write_signed(&self) -> Writer {
        let mut writer = Writer::with_capacity(1024);
        writer.bytes(&HEADER).byte(self.reply);
        for number in &self.public_key {
            writer.mpi(number);
        }
        writer.int(self.keyid).mpi(&self.gy);
        writer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> V1KeyExchange {
        V1KeyExchange {
            reply: 1,
            public_key: [vec![9, 9], vec![8], vec![7], vec![6, 6, 6]],
            keyid: 5,
            gy: vec![4, 0],
            signature: [3; 40],
            signed_len: 4 + 4 * 4 + 7 + 4 + 6,
        }
    }

    #[test]
    fn is_read_back_and_consumed_exactly() {
        let message = message();
        let bytes = message.encode().unwrap();
        assert_eq!(V1KeyExchange::parse(&bytes), Ok(message.clone()));
        assert_eq!(
            message.encode_signed().unwrap(),
            bytes[..message.signed_len]
        );
        for len in 0..bytes.len() {
            assert_eq!(V1KeyExchange::parse(&bytes[..len]), Err(Error::Truncated));
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(V1KeyExchange::parse(&longer), Err(Error::TrailingBytes));
    }

    #[test]
    fn wrong_headers_and_key_ids_are_refused() {
        let mut bytes = message().encode().unwrap();
        bytes[1] = 2;
        assert_eq!(V1KeyExchange::parse(&bytes), Err(Error::WrongVersion));
        bytes[1] = 1;
        bytes[2] = 3;
        assert_eq!(V1KeyExchange::parse(&bytes), Err(Error::WrongType));
        let mut unnamed = message();
        unnamed.keyid = 0;
        let bytes = unnamed.encode().unwrap();
        assert_eq!(V1KeyExchange::parse(&bytes), Err(Error::ZeroKeyId));
    }
}
