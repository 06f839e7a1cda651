//! The commitment in a D-H Commit message, and how it is opened.
#![forbid(unsafe_code)]

use zeroize::Zeroizing;

use super::{FIRST_KEYID, Local, Revealed, signature};
use crate::Error;
use crate::crypto::Random;
use crate::crypto::dh::{AkeKeys, KeyPair};
use crate::crypto::dsa;
use crate::crypto::modp::Element;
use crate::crypto::symmetric::{aes128_ctr, constant_time_eq, sha256};
use crate::wire::base64::armour;
use crate::wire::message::{DhCommit, RevealSignature};
use crate::wire::{Reader, Writer};

/// A D-H key we have committed to but not shown yet.
#[derive(Clone)]
pub(crate) struct Commitment {
    pub(super) key: Box<KeyPair>,
    /// Encrypts the public key until it is revealed: r in the protocol text.
    pub(super) r: Zeroizing<[u8; 16]>,
    pub(super) hashed_gx: [u8; 32],
}

impl Commitment {
    /// Commits to a new key.
    pub(super) fn generate(rng: &mut dyn Random) -> Result<Self, Error> {
        let mut r = Zeroizing::new([0; 16]);
        rng.fill(&mut *r)?;
        Ok(Self::new(KeyPair::generate(rng)?, r))
    }

    /// Commits to this key.
    pub(super) fn new(key: Box<KeyPair>, r: Zeroizing<[u8; 16]>) -> Self {
        let hashed_gx = sha256(&[mpi(key.public()).as_slice()]);
        Self { key, r, hashed_gx }
    }

    /// The public key, encrypted.
    pub(super) fn encrypted_gx(&self) -> Result<Vec<u8>, Error> {
        let mut encrypted = mpi(self.key.public()).finish()?;
        aes128_ctr(&self.r, [0; 8], &mut encrypted);
        Ok(encrypted)
    }

    /// The D-H Commit message, armoured.
    pub(super) fn message(&self, local: &Local) -> Result<Vec<u8>, Error> {
        let message = DhCommit {
            header: local.header(),
            encrypted_gx: self.encrypted_gx()?,
            hashed_gx: self.hashed_gx,
        };
        Ok(armour(&message.encode()?))
    }

    /// Reveals the key to the holder of `their_dh`; costs one power.
    pub(super) fn reveal(
        &self,
        their_dh: Element,
        local: &Local,
        signer: &dsa::PrivateKey,
        rng: &mut dyn Random,
    ) -> Result<Revealed, Error> {
        let shared = self.key.shared(&their_dh);
        let keys = AkeKeys::derive(&shared).reveal;
        let ours = self.key.public();
        let sealed = signature::seal(&keys, ours, &their_dh, signer, FIRST_KEYID, rng)?;
        let message = RevealSignature {
            header: local.header(),
            revealed_key: *self.r,
            encrypted_signature: sealed.encrypted,
            mac: sealed.mac,
        };
        Ok(Revealed {
            commitment: self.clone(),
            their_dh,
            shared: Box::new(shared),
            reveal_signature: armour(&message.encode()?),
        })
    }
}

/// Opens a peer's commitment with the key that was revealed.
///
/// `None` if the key does not fit the commitment.
pub(super) fn open(
    encrypted_gx: &[u8],
    hashed_gx: &[u8; 32],
    r: &[u8; 16],
) -> Result<Option<Element>, Error> {
    let mut gx = encrypted_gx.to_vec();
    aes128_ctr(r, [0; 8], &mut gx);
    if !constant_time_eq(&sha256(&[&gx]), hashed_gx) {
        return Ok(None);
    }
    let mut reader = Reader::new(&gx);
    let number = reader.mpi()?;
    reader.finish()?;
    Element::from_be_bytes(number).map(Some)
}

/// A public key as MPI.
fn mpi(key: &Element) -> Writer {
    let mut writer = Writer::with_capacity(4 + 192);
    writer.mpi(&key.minimal());
    writer
}
