//! Fixed-size unsigned integers as arrays of 64-bit limbs, least significant
//! first: the few primitives that the modular arithmetic is written with.
//!
//! Nothing here branches on a value or uses one as an address.
#![forbid(unsafe_code)]

use core::hint::black_box;

/// The low and high half of `a + b * c + carry`, which always fits in 128 bits.
#[inline(always)]
pub(crate) const fn mac(a: u64, b: u64, c: u64, carry: u64) -> (u64, u64) {
    let wide = (a as u128)
        .wrapping_add((b as u128).wrapping_mul(c as u128))
        .wrapping_add(carry as u128);
    (wide as u64, (wide >> 64) as u64)
}

/// The sum and carry of `a + b + carry`.
#[inline(always)]
pub(crate) const fn adc(a: u64, b: u64, carry: u64) -> (u64, u64) {
    let wide = (a as u128)
        .wrapping_add(b as u128)
        .wrapping_add(carry as u128);
    (wide as u64, (wide >> 64) as u64)
}

/// The difference and borrow (0 or 1) of `a - b - borrow`.
#[inline(always)]
pub(crate) const fn sbb(a: u64, b: u64, borrow: u64) -> (u64, u64) {
    let wide = (a as u128)
        .wrapping_sub(b as u128)
        .wrapping_sub(borrow as u128);
    (wide as u64, ((wide >> 64) as u64) & 1)
}

/// All ones if `bit` is 1, zero if it is 0.
///
/// The barrier keeps the compiler from turning the mask back into a branch.
#[inline(always)]
pub(crate) fn mask(bit: u64) -> u64 {
    black_box(0u64.wrapping_sub(bit))
}

/// All ones if `a` equals `b`, else zero.
#[inline(always)]
pub(crate) fn mask_equal(a: u64, b: u64) -> u64 {
    let difference = a ^ b;
    // The top bit of d | -d is set exactly when d is not zero.
    let unequal = (difference | difference.wrapping_neg()) >> 63;
    mask(unequal ^ 1)
}

/// `a - b`, and the borrow (0 or 1).
#[inline(always)]
pub(crate) fn subtract<const N: usize>(a: &[u64; N], b: &[u64; N]) -> ([u64; N], u64) {
    let mut difference = [0; N];
    let mut borrow = 0;
    for ((out, &a), &b) in difference.iter_mut().zip(a).zip(b) {
        (*out, borrow) = sbb(a, b, borrow);
    }
    (difference, borrow)
}

/// `a + b`, and the carry (0 or 1).
#[inline(always)]
pub(crate) fn add<const N: usize>(a: &[u64; N], b: &[u64; N]) -> ([u64; N], u64) {
    let mut sum = [0; N];
    let mut carry = 0;
    for ((out, &a), &b) in sum.iter_mut().zip(a).zip(b) {
        (*out, carry) = adc(a, b, carry);
    }
    (sum, carry)
}

/// `a` where `mask` is all ones, `b` where it is zero.
#[inline(always)]
pub(crate) fn choose<const N: usize>(mask: u64, a: &[u64; N], b: &[u64; N]) -> [u64; N] {
    let mut out = [0; N];
    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *out = (a & mask) | (b & !mask);
    }
    out
}

/// `a` reduced by one subtraction of `n` if it is not smaller.
#[inline(always)]
pub(crate) fn reduce_once<const N: usize>(a: &[u64; N], n: &[u64; N]) -> [u64; N] {
    let (difference, borrow) = subtract(a, n);
    choose(mask(borrow), a, &difference)
}

/// The number a big-endian byte string stands for; `None` if more than `8 * N`
/// bytes of it are significant. The time depends on the length alone, up to
/// the answer `None`.
pub(crate) fn from_be_bytes<const N: usize>(bytes: &[u8]) -> Option<[u64; N]> {
    let cut = bytes.len().saturating_sub(N.wrapping_mul(8));
    let (excess, bytes) = bytes.split_at_checked(cut)?;
    if excess.iter().fold(0, |all, byte| all | byte) != 0 {
        return None;
    }
    let mut limbs = [0; N];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.rchunks(8)) {
        *limb = chunk
            .iter()
            .fold(0, |value, &byte| (value << 8) | u64::from(byte));
    }
    Some(limbs)
}

/// Writes the number as big-endian bytes; `out` has exactly `8 * N` bytes.
pub(crate) fn to_be_bytes<const N: usize>(limbs: &[u64; N], out: &mut [u8]) {
    for (chunk, limb) in out.rchunks_exact_mut(8).zip(limbs) {
        chunk.copy_from_slice(&limb.to_be_bytes());
    }
}

/// The `width` bits (1 to 57) of a number from bit `position` on; bits beyond
/// the number's end are zero. Position and width are public.
#[inline(always)]
pub(crate) fn bits(number: &[u64], position: usize, width: usize) -> u64 {
    let (index, shift) = (position >> 6, position & 63);
    let low = number.get(index).copied().unwrap_or(0) >> shift;
    let high = match shift {
        0 => 0,
        _ => {
            number.get(index.wrapping_add(1)).copied().unwrap_or(0) << (64usize.wrapping_sub(shift))
        }
    };
    (low | high) & ((1u64 << width).wrapping_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_back() {
        let limbs: [u64; 2] = from_be_bytes(&[0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).unwrap();
        assert_eq!(limbs, [0x0203_0405_0607_0809, 1]);
        let mut out = [0xff; 16];
        to_be_bytes(&limbs, &mut out);
        assert_eq!(out, [0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(
            from_be_bytes::<1>(&[0, 0, 255, 0, 0, 0, 0, 0, 0, 0]).unwrap(),
            [255 << 56]
        );
        assert_eq!(from_be_bytes::<1>(&[1, 0, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(from_be_bytes::<1>(&[]), Some([0]));
    }

    #[test]
    fn bits_across_limbs() {
        let number = [0x8000_0000_0000_0000, 0b101];
        assert_eq!(bits(&number, 63, 4), 0b1011);
        assert_eq!(bits(&number, 64, 3), 0b101);
        assert_eq!(bits(&number, 126, 5), 0);
        assert_eq!(bits(&number, 500, 5), 0);
    }

    #[test]
    fn masks() {
        assert_eq!(mask_equal(3, 3), u64::MAX);
        assert_eq!(mask_equal(3, 1 << 63), 0);
        assert_eq!(reduce_once(&[7], &[7]), [0]);
        assert_eq!(reduce_once(&[6], &[7]), [6]);
    }
}
