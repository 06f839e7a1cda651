//! Numbers cut into digits of fewer than 64 bits, which leaves room for sums.
#![forbid(unsafe_code)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "indices are bounded by the sizes of the arrays"
)]

use super::group::{LIMBS, Limbs, P};
use crate::crypto::limbs::{choose, mask, subtract};

/// The `N` lowest digits of `BITS` bits each.
pub(super) const fn split<const BITS: usize, const N: usize>(x: &Limbs) -> [u64; N] {
    let mut out = [0; N];
    let mut i = 0;
    while i < N && BITS * i < 64 * LIMBS {
        let (index, shift) = (BITS * i / 64, BITS * i % 64);
        let mut digit = x[index] >> shift;
        if shift > 64 - BITS && index + 1 < LIMBS {
            digit |= x[index + 1] << (64 - shift);
        }
        out[i] = digit & ((1 << BITS) - 1);
        i += 1;
    }
    out
}

/// The number below p that digits stand for, from one below 2p.
pub(super) fn join<const BITS: usize, const N: usize>(digits: &[u64; N]) -> Limbs {
    let mut out = [0; LIMBS + 1];
    for (i, &digit) in digits.iter().enumerate() {
        let (index, shift) = (BITS * i / 64, BITS * i % 64);
        if index > LIMBS {
            break;
        }
        out[index] |= digit << shift;
        if shift > 64 - BITS && index < LIMBS {
            out[index + 1] |= digit >> (64 - shift);
        }
    }
    let mut low = [0; LIMBS];
    low.copy_from_slice(&out[..LIMBS]);
    let (less, borrow) = subtract(&low, &P);
    choose(mask(borrow & (out[LIMBS] ^ 1)), &low, &less)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_back() {
        let x: Limbs = core::array::from_fn(|i| (i as u64 + 1).wrapping_mul(0x0123_4567_89ab_cdef));
        assert_eq!(join::<57, 27>(&split::<57, 27>(&x)), x);
        assert_eq!(join::<52, 32>(&split::<52, 32>(&x)), x);
        assert_eq!(join::<57, 27>(&split::<57, 27>(&P)), [0; LIMBS]);
        assert_eq!(split::<52, 32>(&P)[29], (1 << 28) - 1);
        // 2^1536, which no limbs can hold.
        let mut digits = [0; 27];
        digits[26] = 1 << (1536 - 26 * 57);
        assert_eq!(join::<57, 27>(&digits), super::super::generator::R_1536);
    }
}
