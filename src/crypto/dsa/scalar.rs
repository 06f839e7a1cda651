//! Numbers modulo the 160-bit order q, in constant time.
#![forbid(unsafe_code)]

use super::SCALAR_LEN;
use crate::Error;
use crate::crypto::limbs::{bits, choose, mask, mask_equal, subtract};
use crate::crypto::mont::Modulus;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Limbs of a scalar: 192 bits, of which 160 are used.
const LIMBS: usize = 3;

/// A number below q, least significant limb first; wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(super) struct Scalar([u64; LIMBS]);

impl Scalar {
    /// The limbs, least significant first.
    pub(super) const fn limbs(&self) -> &[u64; LIMBS] {
        &self.0
    }

    /// Bit `index`; `index` is public.
    #[inline(always)]
    pub(super) fn bit(&self, index: usize) -> u64 {
        self.0
            .get(index / 64)
            .map_or(0, |limb| (limb >> (index % 64)) & 1)
    }

    /// 20 bytes, big-endian.
    pub(super) fn to_be_bytes(&self) -> [u8; SCALAR_LEN] {
        let mut out = [0; SCALAR_LEN];
        for (chunk, limb) in out.rchunks_mut(8).zip(&self.0) {
            // The lowest bytes, as many as there is room for.
            for (byte, source) in chunk.iter_mut().rev().zip(limb.to_le_bytes()) {
                *byte = source;
            }
        }
        out
    }

    /// Reads 20 bytes, and tells by all ones or zero whether the number lies
    /// in 1..q; if not it is meaningless. In constant time.
    pub(super) fn read(bytes: &[u8; SCALAR_LEN], q: &[u8; SCALAR_LEN]) -> (Self, u64) {
        Self::read_below(bytes, &number(q))
    }

    fn read_below(bytes: &[u8; SCALAR_LEN], q: &[u64; LIMBS]) -> (Self, u64) {
        let scalar = Self(number(bytes));
        let (_, below) = subtract(&scalar.0, q);
        let valid = mask(below) & !scalar.zero_mask();
        (scalar, valid)
    }

    /// All ones if the scalar is zero, else zero; in constant time.
    pub(super) fn zero_mask(&self) -> u64 {
        mask_equal(self.0.iter().fold(0, |all, limb| all | limb), 0)
    }

    /// `self` where the mask is all ones, `other` where it is zero.
    pub(super) fn select(&self, other: &Self, mask: u64) -> Self {
        Self(choose(mask, &self.0, &other.0))
    }
}

/// The order q of a key's subgroup.
#[derive(Clone)]
pub(super) struct Order {
    modulus: Modulus<LIMBS>,
    /// 2^64 in Montgomery's form, for reducing long numbers.
    word: [u64; LIMBS],
    /// q - 2.
    inverting: [u64; LIMBS],
}

impl Order {
    /// Prepares q, which has 160 bits.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if q is even.
    pub(super) fn new(q: &[u8; SCALAR_LEN]) -> Result<Self, Error> {
        let modulus = Modulus::new(number(q)).ok_or(Error::OutOfRange)?;
        let word = modulus.enter(&[0, 1, 0]);
        let (inverting, _) = subtract(modulus.limbs(), &[2, 0, 0]);
        Ok(Self {
            modulus,
            word,
            inverting,
        })
    }

    /// A big-endian number of any length modulo q. Only the length decides
    /// about the time.
    pub(super) fn reduce(&self, bytes: &[u8]) -> Scalar {
        let mut sum = Scalar([0; LIMBS]);
        for chunk in bytes.rchunks(8).rev() {
            let shifted = Scalar(self.modulus.multiply(&sum.0, &self.word));
            sum.0 = self.modulus.add(&shifted.0, &[word(chunk), 0, 0]);
        }
        sum
    }

    /// See [`Scalar::read`].
    pub(super) fn read(&self, bytes: &[u8; SCALAR_LEN]) -> (Scalar, u64) {
        Scalar::read_below(bytes, self.modulus.limbs())
    }

    /// a + b mod q.
    pub(super) fn add(&self, a: &Scalar, b: &Scalar) -> Scalar {
        Scalar(self.modulus.add(&a.0, &b.0))
    }

    /// a * b mod q.
    pub(super) fn multiply(&self, a: &Scalar, b: &Scalar) -> Scalar {
        let form = Scalar(self.modulus.enter(&a.0));
        Scalar(self.modulus.multiply_plain(&form.0, &b.0))
    }

    /// 1 / a mod q as a^(q - 2), which is right if q is prime; 0 for 0. The
    /// time depends on q alone.
    pub(super) fn invert(&self, a: &Scalar) -> Scalar {
        let mut next = Scalar(self.modulus.one());
        let form = Scalar(self.modulus.enter(&a.0));
        let table: [Scalar; 1 << WINDOW] = core::array::from_fn(|_| {
            let entry = next.clone();
            next.0 = self.modulus.multiply(&next.0, &form.0);
            entry
        });
        let mut power = Scalar(self.modulus.one());
        for position in (0..160).step_by(WINDOW).rev() {
            for _ in 0..WINDOW {
                power.0 = self.modulus.square(&power.0);
            }
            // q is public, and so is the digit.
            let digit = bits(&self.inverting, position, WINDOW);
            if let Some(entry) = usize::try_from(digit)
                .ok()
                .and_then(|digit| table.get(digit))
            {
                power.0 = self.modulus.multiply(&power.0, &entry.0);
            }
        }
        Scalar(self.modulus.leave(&power.0))
    }
}

/// Bits of q - 2 taken at once.
const WINDOW: usize = 4;

/// A big-endian number of up to eight bytes.
fn word(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |value, &byte| (value << 8) | u64::from(byte))
}

/// A big-endian number of 20 bytes.
fn number(bytes: &[u8; SCALAR_LEN]) -> [u64; LIMBS] {
    let mut limbs = [0; LIMBS];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.rchunks(8)) {
        *limb = word(chunk);
    }
    limbs
}
