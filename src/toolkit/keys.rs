//! The keys of a session, computed from one side's private D-H key.
//!
//! Implements "Computing AES keys, MAC keys, and the secure session id" of the
//! protocol text for any two numbers, also for public keys that a conversation
//! refuses: some programs accept them, and their sessions are worth a look.
#![forbid(unsafe_code)]

use zeroize::Zeroizing;

use crate::Error;
use crate::crypto::dh::mac_key;
use crate::crypto::modp::{self, Residue, SecretExponent};
use crate::crypto::symmetric::{AesKey, MacKey, sha1};
use crate::wire::{Writer, significant};

/// Longest private key in bytes: 320 bits.
pub const MAX_PRIVATE: usize = 40;

/// What one side of a session knows.
pub struct Keys {
    /// Whether our public key is the larger number.
    pub high: bool,
    /// Our public key, without leading zeros.
    pub our_public: Vec<u8>,
    /// The session id, as version 1 has it.
    pub session_id: [u8; 20],
    /// Encrypts what we send, and authenticates it.
    pub sending: (AesKey, MacKey),
    /// Decrypts what we receive, and verifies it.
    pub receiving: (AesKey, MacKey),
}

impl Keys {
    /// Computes the keys. Both numbers are big-endian; the private key has at
    /// most [`MAX_PRIVATE`] bytes, the public one any number of them.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if the private key is too long.
    pub fn compute(private: &[u8], their_public: &[u8]) -> Result<Self, Error> {
        if private.len() > MAX_PRIVATE {
            return Err(Error::OutOfRange);
        }
        let exponent = SecretExponent::from_be_bytes(private)?;
        let our_public = modp::pow_g(&exponent).minimal().to_vec();
        let theirs = significant(their_public);
        let high = (our_public.len(), our_public.as_slice()) > (theirs.len(), theirs);
        let mut secret = Writer::with_capacity(modp::ELEMENT_BYTES.saturating_add(4));
        match Residue::reduce_public(theirs) {
            Some(base) => secret.mpi(&base.pow(&exponent).minimal()),
            // A power of zero is zero, but for the zeroth.
            None if significant(private).is_empty() => secret.mpi(&[1]),
            None => secret.mpi(&[]),
        };
        let secret = Zeroizing::new(secret.finish()?);

        let direction = |byte: u8| {
            let hash = Zeroizing::new(sha1(&[&[byte], &secret]));
            let [key @ .., _, _, _, _] = *hash;
            let aes = Zeroizing::new(key);
            let mac = mac_key(&aes);
            (aes, mac)
        };
        let (sending, receiving) = if high { (0x01, 0x02) } else { (0x02, 0x01) };
        Ok(Self {
            high,
            our_public,
            session_id: sha1(&[&[0x00], &secret]),
            sending: direction(sending),
            receiving: direction(receiving),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::dh::{KeyPair, SessionKeys};
    use crate::crypto::os_random;

    #[test]
    fn keys_are_those_of_a_session() {
        let ours = SecretExponent::random_320(&mut os_random()).unwrap();
        let theirs = KeyPair::generate(&mut os_random()).unwrap();
        let computed = Keys::compute(&ours.to_be_bytes(), &theirs.public().minimal()).unwrap();
        let ours = KeyPair::from_secret(ours).unwrap();
        let expected = SessionKeys::between(&ours, theirs.public());
        assert_eq!(computed.our_public, ours.public().minimal().to_vec());
        assert_eq!(computed.high, ours.public() > theirs.public());
        assert_eq!(computed.sending.0, expected.sending_aes);
        assert_eq!(computed.sending.1, expected.sending_mac);
        assert_eq!(computed.receiving.0, expected.receiving_aes);
        assert_eq!(computed.receiving.1, expected.receiving_mac);
    }

    #[test]
    fn both_sides_compute_the_same() {
        let (ours, theirs) = ([5; 40], [6; 40]);
        let public = |private| Keys::compute(private, &[2]).unwrap().our_public;
        let we = Keys::compute(&ours, &public(&theirs)).unwrap();
        let they = Keys::compute(&theirs, &public(&ours)).unwrap();
        assert_ne!(we.high, they.high);
        assert_eq!(we.session_id, they.session_id);
        assert_eq!(we.sending, they.receiving);
        assert_eq!(we.receiving, they.sending);
    }

    /// Public keys count modulo p; the numbers are those around the group's p.
    #[test]
    fn public_keys_are_reduced() {
        let mut p = Writer::new();
        p.int(0xffff_ffff).int(0xffff_ffff);
        let numbers = "c90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22\
                       514a08798e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245\
                       e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7edee386bfb5a899fa5\
                       ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a\
                       69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb9ed529077096966d\
                       670c354e4abc9804f1746c08ca237327";
        let numbers = crate::toolkit::hex::decode(numbers.as_bytes()).unwrap();
        p.bytes(&numbers).int(0xffff_ffff).int(0xffff_ffff);
        let p = p.finish().unwrap();
        let id = |public: &[u8]| Keys::compute(&[3], public).unwrap().session_id;
        // 256p + 255.
        let beyond = [&p[..], &[0xff]].concat();
        assert_eq!(id(&beyond), id(&[0xff]));
        assert_eq!(id(&p), id(&[]));
        assert_eq!(id(&[1]), id(&[0, 1]));
        assert_ne!(id(&[1]), id(&[]));
    }

    #[test]
    fn a_private_key_is_bounded() {
        assert!(Keys::compute(&[0; 40], &[2]).is_ok());
        assert!(Keys::compute(&[0; 41], &[2]).is_err());
    }
}
