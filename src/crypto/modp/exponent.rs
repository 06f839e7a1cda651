//! Exponents: secret ones, and the public numbers of SMP's proofs.
#![forbid(unsafe_code)]

use super::ELEMENT_BYTES;
use super::generator::{R_1536_MOD_Q, R_1536_SQUARED_MOD_Q};
use super::group::{LIMBS, Limbs, Q};
use super::number::MinimalBytes;
use crate::Error;
use crate::crypto::Random;
use crate::crypto::limbs::{add, choose, from_be_bytes, mask, reduce_once, subtract, to_be_bytes};
use crate::crypto::mont::Modulus;
use core::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A secret exponent of up to 1536 bits.
///
/// Its length in bytes is public: operations take a time that depends on the
/// length and on nothing else. It is wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretExponent {
    pub(super) limbs: Limbs,
    bytes: usize,
}

impl SecretExponent {
    /// 320 random bits: the private part of a D-H key.
    ///
    /// # Errors
    /// [`Error::Randomness`] if the source fails.
    pub fn random_320(random: &mut dyn Random) -> Result<Self, Error> {
        let mut bytes = Zeroizing::new([0; 40]);
        random.fill(&mut *bytes)?;
        Self::from_be_bytes(&*bytes)
    }

    /// 1536 random bits: an exponent of SMP.
    ///
    /// # Errors
    /// [`Error::Randomness`] if the source fails.
    pub fn random_1536(random: &mut dyn Random) -> Result<Self, Error> {
        let mut bytes = Zeroizing::new([0; ELEMENT_BYTES]);
        random.fill(&mut *bytes)?;
        Self::from_be_bytes(&*bytes)
    }

    /// Reads a number in big-endian bytes. Leading zeros are part of its
    /// (public) length.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if there are more than 192 bytes.
    pub fn from_be_bytes(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > ELEMENT_BYTES {
            return Err(Error::OutOfRange);
        }
        let limbs = from_be_bytes(bytes).ok_or(Error::OutOfRange)?;
        Ok(Self {
            limbs,
            bytes: bytes.len(),
        })
    }

    /// The number as big-endian bytes, as many as it was read from.
    #[must_use]
    pub fn to_be_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new([0; ELEMENT_BYTES]);
        to_be_bytes(&self.limbs, &mut *bytes);
        let start = ELEMENT_BYTES.saturating_sub(self.bytes);
        Zeroizing::new(bytes.get(start..).unwrap_or(&[]).to_vec())
    }

    /// The same number in less room, if it was read from 40 bytes.
    pub(crate) fn shortened(&self) -> Option<ShortExponent> {
        let limbs = self.limbs.first_chunk()?;
        (self.bytes == SHORT_BYTES).then(|| ShortExponent(*limbs))
    }

    /// The public bound on its length in bits.
    pub(super) fn bits(&self) -> usize {
        self.bytes.saturating_mul(8)
    }
}

/// How many bytes a short exponent has.
const SHORT_BYTES: usize = 40;

/// A secret exponent of 320 bits that is kept for later; wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct ShortExponent([u64; SHORT_BYTES / 8]);

impl From<&ShortExponent> for SecretExponent {
    fn from(short: &ShortExponent) -> Self {
        let mut limbs = [0; LIMBS];
        for (to, from) in limbs.iter_mut().zip(&short.0) {
            *to = *from;
        }
        Self {
            limbs,
            bytes: SHORT_BYTES,
        }
    }
}

impl fmt::Debug for SecretExponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretExponent(..)")
    }
}

/// An exponent that is public: a proof's challenge or its response.
pub trait PublicExponent: sealed::Sealed {}

pub(super) mod sealed {
    use super::super::group::LIMBS;

    pub trait Sealed {
        fn limbs(&self) -> [u64; LIMBS];
        fn bits(&self) -> usize;
    }
}

/// The challenge of an SMP proof, `c`: a SHA-256 value read as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge([u8; 32]);

impl Challenge {
    /// The challenge with the given hash.
    #[must_use]
    pub const fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// Reads a received challenge in big-endian bytes; leading zeros may be
    /// present or absent.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if more than 32 bytes are significant: no hash is
    /// that large, so the proof cannot hold.
    pub fn from_be_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let limbs = from_be_bytes::<4>(bytes).ok_or(Error::OutOfRange)?;
        let mut hash = [0; 32];
        to_be_bytes(&limbs, &mut hash);
        Ok(Self(hash))
    }

    /// The hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Big-endian bytes without leading zeros, as they stand in an MPI.
    #[must_use]
    pub fn minimal(&self) -> MinimalBytes {
        MinimalBytes::new(&sealed::Sealed::limbs(self))
    }

    /// Appends the number as an MPI.
    pub fn write_mpi(&self, out: &mut Vec<u8>) {
        self.minimal().write_mpi(out);
    }
}

impl PublicExponent for Challenge {}
impl sealed::Sealed for Challenge {
    fn limbs(&self) -> Limbs {
        from_be_bytes(&self.0).unwrap_or([0; LIMBS])
    }

    fn bits(&self) -> usize {
        256
    }
}

/// The response of an SMP proof, `D`: a public number below the group's order
/// q = (p - 1) / 2.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Scalar(Limbs);

impl Scalar {
    /// Reads a received response in big-endian bytes.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if the number is not within 1 to q - 1.
    pub fn from_be_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let limbs: Limbs = from_be_bytes(bytes).ok_or(Error::OutOfRange)?;
        let positive = limbs.iter().any(|&limb| limb != 0);
        if positive && subtract(&limbs, &Q).1 == 1 {
            Ok(Self(limbs))
        } else {
            Err(Error::OutOfRange)
        }
    }

    /// The response `r - secret * challenge` modulo q, in a time that depends
    /// on neither secret.
    #[must_use]
    pub fn respond(r: &SecretExponent, secret: &SecretExponent, challenge: &Challenge) -> Self {
        let q = Modulus::from_constants(Q, 1, R_1536_MOD_Q, R_1536_SQUARED_MOD_Q);
        // (s * R) * c / R is s * c; the first factor is what `enter` gives.
        let secret = Zeroizing::new(q.enter(&secret.limbs));
        let product = Zeroizing::new(q.multiply_plain(&secret, &sealed::Sealed::limbs(challenge)));
        // r is below 2^1536, which is below 2q + 2^1473, so below 3q.
        let r = Zeroizing::new(reduce_once(&reduce_once(&r.limbs, &Q), &Q));
        let (difference, borrow) = subtract(&r, &product);
        let difference = Zeroizing::new(difference);
        let wrapped = Zeroizing::new(add(&difference, &Q).0);
        Self(choose(mask(borrow), &wrapped, &difference))
    }

    /// Big-endian bytes without leading zeros, as they stand in an MPI.
    #[must_use]
    pub fn minimal(&self) -> MinimalBytes {
        MinimalBytes::new(&self.0)
    }

    /// Appends the number as an MPI.
    pub fn write_mpi(&self, out: &mut Vec<u8>) {
        self.minimal().write_mpi(out);
    }
}

impl PublicExponent for Scalar {}
impl sealed::Sealed for Scalar {
    fn limbs(&self) -> Limbs {
        self.0
    }

    fn bits(&self) -> usize {
        1536
    }
}

impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scalar(")?;
        for byte in self.minimal().iter() {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}
