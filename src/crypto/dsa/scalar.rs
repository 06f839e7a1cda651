//! Numbers modulo the 160-bit order q, in constant time.
#![forbid(unsafe_code)]

use super::SCALAR_LEN;
use super::montgomery::{Montgomery, from_be_bytes, to_be_bytes};
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
        to_be_bytes(&self.0, &mut out);
        out
    }

    /// All ones if the scalar is zero, else zero; in constant time.
    pub(super) fn zero_mask(&self) -> u64 {
        let any = self.0.iter().fold(0, |acc, limb| acc | limb);
        ((any | any.wrapping_neg()) >> 63).wrapping_sub(1)
    }

    /// `self` where the mask is all ones, `other` where it is zero.
    pub(super) fn select(&self, other: &Self, mask: u64) -> Self {
        let mut out = Self([0; LIMBS]);
        for (o, (a, b)) in out.0.iter_mut().zip(self.0.iter().zip(&other.0)) {
            *o = (a & mask) | (b & !mask);
        }
        out
    }
}

/// The order q of a key's subgroup.
#[derive(Clone)]
pub(super) struct Order {
    montgomery: Montgomery<LIMBS>,
    /// 2^64 in Montgomery form, for reducing long numbers.
    word: [u64; LIMBS],
}

impl Order {
    /// Prepares q, which must be odd and have exactly 160 bits.
    pub(super) fn new(q: &[u8; SCALAR_LEN]) -> Self {
        let montgomery = Montgomery::new(&from_be_bytes(q));
        let word = montgomery.enter(&[0, 1, 0]);
        Self { montgomery, word }
    }

    /// A big-endian number of any length modulo q. Only the length decides
    /// about the time.
    pub(super) fn reduce(&self, bytes: &[u8]) -> Scalar {
        let mut acc = Scalar([0; LIMBS]);
        for chunk in bytes.rchunks(8).rev() {
            let word = chunk.iter().fold(0, |acc, &b| (acc << 8) | u64::from(b));
            let shifted = self.montgomery.mul(&acc.0, &self.word);
            acc.0 = self.montgomery.add(&shifted, &[word, 0, 0]);
        }
        acc
    }

    /// Reads 20 bytes, and tells by all ones or zero whether the number lies
    /// in 1..q; if not it is meaningless. In constant time.
    pub(super) fn read(&self, bytes: &[u8; SCALAR_LEN]) -> (Scalar, u64) {
        let scalar = Scalar(from_be_bytes(bytes));
        let valid = self.montgomery.below_modulus(&scalar.0) & !scalar.zero_mask();
        (scalar, valid)
    }

    /// a + b mod q.
    pub(super) fn add(&self, a: &Scalar, b: &Scalar) -> Scalar {
        Scalar(self.montgomery.add(&a.0, &b.0))
    }

    /// a * b mod q.
    pub(super) fn mul(&self, a: &Scalar, b: &Scalar) -> Scalar {
        Scalar(self.montgomery.mul(&self.montgomery.enter(&a.0), &b.0))
    }

    /// 1 / a mod q as a^(q - 2), which is right if q is prime; 0 for 0. The
    /// time depends on q alone.
    pub(super) fn invert(&self, a: &Scalar) -> Scalar {
        // q is odd, so its lowest limb can be lessened by 2 but for q = ...1,
        // where the borrow runs on.
        let mut exponent = *self.montgomery.modulus();
        let mut borrow = 2;
        for limb in &mut exponent {
            let (difference, under) = limb.overflowing_sub(borrow);
            *limb = difference;
            borrow = u64::from(under);
        }
        let mut base = Scalar(self.montgomery.enter(&a.0));
        let mut acc = Scalar(*self.montgomery.one());
        for mut limb in exponent {
            for _ in 0..64 {
                if limb & 1 == 1 {
                    acc.0 = self.montgomery.mul(&acc.0, &base.0);
                }
                base.0 = self.montgomery.square(&base.0);
                limb >>= 1;
            }
        }
        Scalar(self.montgomery.leave(&acc.0))
    }
}
