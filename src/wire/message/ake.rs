//! The four messages of the authenticated key exchange.
#![forbid(unsafe_code)]

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{DH_COMMIT, DH_KEY, Header, REVEAL_SIGNATURE, SIGNATURE};
use crate::wire::{Reader, Writer};
use crate::{Error, Version};

/// A D-H Commit message: the initiator commits to a key not yet shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DhCommit {
    /// Version and instances.
    pub header: Header,
    /// The initiator's public key as MPI, encrypted under a key not yet shown.
    pub encrypted_gx: Vec<u8>,
    /// SHA-256 of the same MPI, unencrypted.
    pub hashed_gx: [u8; 32],
}

impl DhCommit {
    /// Reads the decoded message.
    ///
    /// # Errors
    /// [`Error::WrongVersion`], [`Error::WrongType`], [`Error::Truncated`],
    /// [`Error::TrailingBytes`], and [`Error::InvalidValue`] if the hash is
    /// not 32 bytes long.
    pub fn parse(message: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(message);
        let header = read_header(&mut reader, DH_COMMIT)?;
        let encrypted_gx = reader.data()?.to_vec();
        let hashed_gx = fixed(reader.data()?)?;
        reader.finish()?;
        Ok(Self {
            header,
            encrypted_gx,
            hashed_gx,
        })
    }

    /// The message before it is armoured.
    ///
    /// # Errors
    /// [`Error::TooLong`] if a field does not fit its 32-bit length.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        let mut writer = Writer::with_capacity(self.encrypted_gx.len().saturating_add(64));
        self.header.write(DH_COMMIT, &mut writer);
        writer.data(&self.encrypted_gx).data(&self.hashed_gx);
        writer.finish()
    }
}

/// A D-H Key message: the responder's public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DhKey {
    /// Version and instances.
    pub header: Header,
    /// The key, big-endian without leading zeros; its range is not checked.
    pub gy: Vec<u8>,
}

impl DhKey {
    /// Reads the decoded message.
    ///
    /// # Errors
    /// [`Error::WrongVersion`], [`Error::WrongType`], [`Error::Truncated`],
    /// [`Error::TrailingBytes`], and [`Error::TooLong`] for an MPI beyond
    /// [`crate::limits::MAX_MPI`].
    pub fn parse(message: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(message);
        let header = read_header(&mut reader, DH_KEY)?;
        let gy = reader.mpi()?.to_vec();
        reader.finish()?;
        Ok(Self { header, gy })
    }

    /// The message before it is armoured.
    ///
    /// # Errors
    /// [`Error::TooLong`] if a field does not fit its 32-bit length.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        let mut writer = Writer::with_capacity(self.gy.len().saturating_add(16));
        self.header.write(DH_KEY, &mut writer);
        writer.mpi(&self.gy);
        writer.finish()
    }
}

/// A Reveal Signature message: the initiator opens the commitment and
/// authenticates itself.
#[derive(Clone, Debug, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct RevealSignature {
    /// Version and instances.
    #[zeroize(skip)]
    pub header: Header,
    /// The key that the commit's public key is encrypted under.
    pub revealed_key: [u8; 16],
    /// The initiator's DSA key, key id and signature, encrypted.
    pub encrypted_signature: Vec<u8>,
    /// The truncated HMAC over the encrypted signature.
    pub mac: [u8; 20],
}

impl RevealSignature {
    /// Reads the decoded message.
    ///
    /// # Errors
    /// [`Error::WrongVersion`], [`Error::WrongType`], [`Error::Truncated`],
    /// [`Error::TrailingBytes`], and [`Error::InvalidValue`] if the revealed
    /// key is not 16 bytes long.
    pub fn parse(message: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(message);
        let header = read_header(&mut reader, REVEAL_SIGNATURE)?;
        let revealed_key = fixed(reader.data()?)?;
        let encrypted_signature = reader.data()?.to_vec();
        let mac = reader.array()?;
        reader.finish()?;
        Ok(Self {
            header,
            revealed_key,
            encrypted_signature,
            mac,
        })
    }

    /// The message before it is armoured.
    ///
    /// # Errors
    /// [`Error::TooLong`] if a field does not fit its 32-bit length.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        let mut writer = Writer::with_capacity(self.encrypted_signature.len().saturating_add(64));
        self.header.write(REVEAL_SIGNATURE, &mut writer);
        writer
            .data(&self.revealed_key)
            .data(&self.encrypted_signature)
            .bytes(&self.mac);
        writer.finish()
    }
}

/// A Signature message: the responder authenticates itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Version and instances.
    pub header: Header,
    /// The responder's DSA key, key id and signature, encrypted.
    pub encrypted_signature: Vec<u8>,
    /// The truncated HMAC over the encrypted signature.
    pub mac: [u8; 20],
}

impl Signature {
    /// Reads the decoded message.
    ///
    /// # Errors
    /// [`Error::WrongVersion`], [`Error::WrongType`], [`Error::Truncated`] and
    /// [`Error::TrailingBytes`].
    pub fn parse(message: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(message);
        let header = read_header(&mut reader, SIGNATURE)?;
        let encrypted_signature = reader.data()?.to_vec();
        let mac = reader.array()?;
        reader.finish()?;
        Ok(Self {
            header,
            encrypted_signature,
            mac,
        })
    }

    /// The message before it is armoured.
    ///
    /// # Errors
    /// [`Error::TooLong`] if a field does not fit its 32-bit length.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        let mut writer = Writer::with_capacity(self.encrypted_signature.len().saturating_add(64));
        self.header.write(SIGNATURE, &mut writer);
        writer.data(&self.encrypted_signature).bytes(&self.mac);
        writer.finish()
    }
}

/// The header of a message that only versions 2 and 3 have.
fn read_header(reader: &mut Reader<'_>, kind: u8) -> Result<Header, Error> {
    let header = Header::read(reader, kind)?;
    match header.version {
        Version::V1 => Err(Error::WrongVersion),
        Version::V2 | Version::V3 => Ok(header),
    }
}

/// A DATA that must have exactly this length.
fn fixed<const N: usize>(data: &[u8]) -> Result<[u8; N], Error> {
    data.try_into().map_err(|_| Error::InvalidValue)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::InstanceTag;

    const V2: Header = Header {
        version: Version::V2,
        sender: InstanceTag::NONE,
        receiver: InstanceTag::NONE,
    };
    const V3: Header = Header {
        version: Version::V3,
        sender: InstanceTag::new(0x100),
        receiver: InstanceTag::new(0xffff_ffff),
    };

    /// Encodes, compares with the expected bytes, reads them back, and checks
    /// that no shorter or longer message is accepted.
    macro_rules! check {
        ($type:ident, $message:expr, $bytes:expr) => {{
            let message: $type = $message;
            let bytes: Vec<u8> = $bytes.concat();
            assert_eq!(message.encode().unwrap(), bytes);
            assert_eq!($type::parse(&bytes), Ok(message));
            for len in 0..bytes.len() {
                assert_eq!($type::parse(&bytes[..len]), Err(Error::Truncated));
            }
            let longer = [&bytes[..], &[0]].concat();
            assert_eq!($type::parse(&longer), Err(Error::TrailingBytes));
            let mut other = bytes.clone();
            other[2] ^= 1;
            assert_eq!($type::parse(&other), Err(Error::WrongType));
            for version in [0, 1, 4, 0x0102] {
                other = bytes.clone();
                other[..2].copy_from_slice(&u16::to_be_bytes(version));
                assert_eq!($type::parse(&other), Err(Error::WrongVersion));
            }
        }};
    }

    #[test]
    fn layouts_are_those_of_the_protocol() {
        check!(
            DhCommit,
            DhCommit {
                header: V2,
                encrypted_gx: vec![7, 8],
                hashed_gx: [9; 32]
            },
            [
                &[0, 2, 2][..],
                &[0, 0, 0, 2, 7, 8],
                &[0, 0, 0, 32],
                &[9; 32]
            ]
        );
        check!(
            DhKey,
            DhKey {
                header: V3,
                gy: vec![0x80, 0]
            },
            [
                &[0, 3, 10][..],
                &[0, 0, 1, 0],
                &[0xff; 4],
                &[0, 0, 0, 2, 0x80, 0]
            ]
        );
        check!(
            RevealSignature,
            RevealSignature {
                header: V3,
                revealed_key: [1; 16],
                encrypted_signature: vec![2],
                mac: [3; 20],
            },
            [
                &[0, 3, 17, 0, 0, 1, 0][..],
                &[0xff; 4],
                &[0, 0, 0, 16],
                &[1; 16],
                &[0, 0, 0, 1, 2],
                &[3; 20],
            ]
        );
        check!(
            Signature,
            Signature {
                header: V2,
                encrypted_signature: vec![2],
                mac: [3; 20]
            },
            [&[0, 2, 18][..], &[0, 0, 0, 1, 2], &[3; 20]]
        );
    }

    #[test]
    fn fixed_fields_have_exactly_their_length() {
        for len in [0_u8, 15, 17] {
            let message = [
                &[0, 2, 17, 0, 0, 0, len][..],
                &vec![1; len.into()],
                &[0; 24],
            ]
            .concat();
            assert_eq!(RevealSignature::parse(&message), Err(Error::InvalidValue));
        }
        for len in [0_u8, 31, 33] {
            let message = [
                &[0, 2, 2, 0, 0, 0, 0, 0, 0, 0, len][..],
                &vec![1; len.into()],
            ]
            .concat();
            assert_eq!(DhCommit::parse(&message), Err(Error::InvalidValue));
        }
    }
}
