//! The group's arithmetic with AVX-512 IFMA, which multiplies eight pairs of
//! 52-bit digits at once and adds the low or the high half of the products.
//!
//! A number is 30 digits of 52 bits, the lowest first, in the 32 lanes of four
//! vectors; R is 2^1560. Forms are below 2p, and as 4p < R, Montgomery's
//! reduction keeps them there without any comparison: for a, b < 2p it gives
//! (a * b + M * p) / R < (4p / R + 1) * p < 2p.
//!
//! # One product
//!
//! Lane j of a row stands for digit j, so a row times one digit b of the other
//! factor contributes the low halves of a\[j\] * b to lane j and the high halves
//! to lane j + 1. Keeping a second copy of the row, shifted by one lane, lets
//! both go to the same accumulator without shifting that. Two digits are
//! processed per step, and only then does the accumulator move down two lanes:
//!
//! ```text
//! before the move: low(a, b0)  high(a << 1, b0)  low(a << 1, b1)
//! after it:                                            high(a, b1)
//! ```
//!
//! The multiples of p are added in the same way, with digits m0 and m1 that make
//! the two lowest digits of the sum vanish. Let s0 and s1 be the two lowest
//! lanes, which may exceed 52 bits. As p = -1 modulo 2^52, m0 is s0 modulo 2^52,
//! and s0 + m0 * p\[0\] = s0 + m0 * 2^52 - m0 = (floor(s0 / 2^52) + m0) * 2^52. So
//! digit 0 of p needs no multiplication: digit 1 of the sum becomes
//!
//! ```text
//! d = s1 + floor(s0 / 2^52) + m0 + low(m0 * p[1])
//! ```
//!
//! m1 is d modulo 2^52, and by the same argument floor(d / 2^52) + m1 is what
//! moves on to the digit above. The row for p therefore has 0 as its digit 0,
//! and what the multiplications leave in the two lowest lanes is dropped.
//!
//! No lane overflows: it receives at most eight halves, each below 2^52, from each of
//! 15 steps, and a carry below 2^53, and it leaves for the next lane every step.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "indices are constants or bounded by the arrays' lengths; digits cannot overflow"
)]

use super::digits::{join, split};
use super::generator::{LONG_EXIT_1560, R_1560, R_1560_SQUARED, SHORT_EXIT_1560};
use super::group::{Limbs, P};
use super::kernel::Arithmetic;
use core::arch::x86_64::*;
use zeroize::Zeroize;

/// A proof that the processor has AVX-512 with IFMA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ifma(());

impl Ifma {
    /// The implementation, if this processor can run it.
    pub(super) fn detect() -> Option<Self> {
        let runs = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512ifma")
            && is_x86_feature_detected!("avx512vl");
        runs.then_some(Self(()))
    }
}

/// Bits of a digit.
const DIGIT: usize = 52;
/// Digits of a number.
const DIGITS: usize = 30;
/// The largest digit.
const DIGIT_MASK: u64 = (1 << DIGIT) - 1;

/// A number in 52-bit digits; the last two are zero.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Digits([u64; 32]);

impl Zeroize for Digits {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

/// The same in registers.
type Row = [__m512i; 4];

/// p with 0 for its digit 0.
const P_ROW: Digits = {
    let mut row = digits(&P);
    row.0[0] = 0;
    row
};

const fn digits(x: &Limbs) -> Digits {
    Digits(split::<DIGIT, 32>(x))
}

impl Arithmetic for Ifma {
    type Number = Digits;

    const ONE: Digits = digits(&R_1560);
    const R_SQUARED: Limbs = R_1560_SQUARED;
    const SHORT_EXIT: Limbs = SHORT_EXIT_1560;
    const LONG_EXIT: Limbs = LONG_EXIT_1560;

    fn plain(self, x: &Limbs) -> Digits {
        digits(x)
    }

    fn multiply(self, a: &mut Digits, b: &Digits) {
        // SAFETY: `self` exists, so the processor has the features.
        unsafe { multiply(a, b) }
    }

    fn square(self, a: &mut Digits, times: usize) {
        // SAFETY: `self` exists, so the processor has the features.
        unsafe { square(a, times) }
    }

    fn multiply_out(self, a: &Digits, b: &Limbs) -> Limbs {
        let mut product = *a;
        self.multiply(&mut product, &digits(b));
        let out = join::<DIGIT, 32>(&product.0);
        product.zeroize();
        out
    }

    fn select(self, table: &[Digits], index: u64) -> Digits {
        // SAFETY: `self` exists, so the processor has the features.
        unsafe { select(table, index) }
    }

    fn select_plain(self, table: &[Limbs], index: u64) -> Digits {
        // SAFETY: `self` exists, so the processor has the features.
        unsafe { select_plain(table, index) }
    }
}

#[target_feature(enable = "avx512f,avx512vl,avx512ifma")]
fn load(x: &Digits) -> Row {
    let lanes: *const __m512i = x.0.as_ptr().cast();
    // SAFETY: `Digits` are four aligned vectors long.
    unsafe {
        [
            _mm512_load_si512(lanes),
            _mm512_load_si512(lanes.add(1)),
            _mm512_load_si512(lanes.add(2)),
            _mm512_load_si512(lanes.add(3)),
        ]
    }
}

#[target_feature(enable = "avx512f,avx512vl,avx512ifma")]
fn store(x: &mut Digits, row: Row) {
    let lanes: *mut __m512i = x.0.as_mut_ptr().cast();
    // SAFETY: `Digits` are four aligned vectors long.
    unsafe {
        _mm512_store_si512(lanes, row[0]);
        _mm512_store_si512(lanes.add(1), row[1]);
        _mm512_store_si512(lanes.add(2), row[2]);
        _mm512_store_si512(lanes.add(3), row[3]);
    }
}

/// The row one lane up.
#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx512ifma")]
fn up(x: Row) -> Row {
    let zero = _mm512_setzero_si512();
    [
        _mm512_alignr_epi64::<7>(x[0], zero),
        _mm512_alignr_epi64::<7>(x[1], x[0]),
        _mm512_alignr_epi64::<7>(x[2], x[1]),
        _mm512_alignr_epi64::<7>(x[3], x[2]),
    ]
}

/// The row two lanes down.
#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx512ifma")]
fn down_two(x: Row) -> Row {
    let zero = _mm512_setzero_si512();
    [
        _mm512_alignr_epi64::<2>(x[1], x[0]),
        _mm512_alignr_epi64::<2>(x[2], x[1]),
        _mm512_alignr_epi64::<2>(x[3], x[2]),
        _mm512_alignr_epi64::<2>(zero, x[3]),
    ]
}

#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx512ifma")]
fn add_low(sum: &mut Row, row: &Row, digit: __m512i) {
    for (sum, &row) in sum.iter_mut().zip(row) {
        *sum = _mm512_madd52lo_epu64(*sum, row, digit);
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx512ifma")]
fn add_high(sum: &mut Row, row: &Row, digit: __m512i) {
    for (sum, &row) in sum.iter_mut().zip(row) {
        *sum = _mm512_madd52hi_epu64(*sum, row, digit);
    }
}

/// a * b / R; `b` is read from memory digit by digit.
#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx512ifma")]
fn product(a: Row, b: &Digits) -> Row {
    let p = load(&P_ROW);
    let (a_up, p_up) = (up(a), up(p));
    let p1 = _mm_set1_epi64x(P_ROW.0[1] as i64);
    let digit_mask = _mm_set1_epi64x(DIGIT_MASK as i64);
    // The multiples of a and those of p are summed apart, which lets the former
    // run ahead of the dependence of each m on the one before.
    let mut x = [_mm512_setzero_si512(); 4];
    let mut y = x;
    let mut carry = _mm_setzero_si128();
    for step in 0..DIGITS / 2 {
        let b0 = _mm512_set1_epi64(b.0[2 * step] as i64);
        let b1 = _mm512_set1_epi64(b.0[2 * step + 1] as i64);
        add_low(&mut x, &a, b0);
        add_high(&mut x, &a_up, b0);
        add_low(&mut x, &a_up, b1);

        let s = _mm_add_epi64(
            _mm_add_epi64(_mm512_castsi512_si128(x[0]), carry),
            _mm512_castsi512_si128(y[0]),
        );
        let s1 = _mm_unpackhi_epi64(s, s);
        let moved = _mm_add_epi64(_mm_srli_epi64::<52>(s), _mm_and_si128(s, digit_mask));
        let d = _mm_add_epi64(_mm_madd52lo_epu64(s1, s, p1), moved);
        let moved = _mm_add_epi64(_mm_srli_epi64::<52>(d), _mm_and_si128(d, digit_mask));
        let m0 = _mm512_broadcastq_epi64(s);
        let m1 = _mm512_broadcastq_epi64(d);

        add_low(&mut y, &p, m0);
        add_high(&mut y, &p_up, m0);
        add_low(&mut y, &p_up, m1);
        x = down_two(x);
        y = down_two(y);
        carry = _mm_move_epi64(moved);
        add_high(&mut x, &a, b1);
        add_high(&mut y, &p, m1);
    }
    x[0] = _mm512_add_epi64(x[0], _mm512_zextsi128_si512(carry));
    for (x, y) in x.iter_mut().zip(y) {
        *x = _mm512_add_epi64(*x, y);
    }
    normalize(x)
}

/// Carries what exceeds 52 bits into the next lane.
///
/// After one round of carries a lane is at most 2^52 + 2^12, so that it can
/// pass on 0 or 1 more: it does if it is larger than the mask, or equal to it
/// while the lane below passes on 1. Adding the two sets of lanes as integers
/// lets the processor's own carry run through the equal ones.
#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx512ifma")]
fn normalize(x: Row) -> Row {
    let digit_mask = _mm512_set1_epi64(DIGIT_MASK as i64);
    let carries = up(x.map(|x| _mm512_srli_epi64::<52>(x)));
    let mut sums = x;
    let (mut larger, mut equal) = (0u32, 0u32);
    for (k, (sum, carry)) in sums.iter_mut().zip(carries).enumerate() {
        *sum = _mm512_add_epi64(_mm512_and_si512(*sum, digit_mask), carry);
        larger |= u32::from(_mm512_cmpgt_epu64_mask(*sum, digit_mask)) << (8 * k);
        equal |= u32::from(_mm512_cmpeq_epu64_mask(*sum, digit_mask)) << (8 * k);
    }
    let receives = (larger << 1).wrapping_add(equal) ^ equal;
    let minus_one = _mm512_set1_epi64(-1);
    for (k, sum) in sums.iter_mut().enumerate() {
        let lanes = (receives >> (8 * k)) as u8;
        let plus = _mm512_mask_sub_epi64(*sum, lanes, *sum, minus_one);
        *sum = _mm512_and_si512(plus, digit_mask);
    }
    sums
}

#[target_feature(enable = "avx512f,avx512vl,avx512ifma")]
fn multiply(a: &mut Digits, b: &Digits) {
    let result = product(load(a), b);
    store(a, result);
}

#[target_feature(enable = "avx512f,avx512vl,avx512ifma")]
fn square(a: &mut Digits, times: usize) {
    for _ in 0..times {
        let result = product(load(a), a);
        store(a, result);
    }
}

/// Reads all entries and keeps the one with the given index.
#[target_feature(enable = "avx512f,avx512vl,avx512ifma")]
fn select(table: &[Digits], index: u64) -> Digits {
    let wanted = _mm512_set1_epi64(index as i64);
    let mut chosen = [_mm512_setzero_si512(); 4];
    for (entry, number) in table.iter().zip(0i64..) {
        let keep = _mm512_cmpeq_epi64_mask(wanted, _mm512_set1_epi64(number));
        for (chosen, entry) in chosen.iter_mut().zip(load(entry)) {
            *chosen = _mm512_mask_mov_epi64(*chosen, keep, entry);
        }
    }
    let mut out = Digits([0; 32]);
    store(&mut out, chosen);
    out
}

/// Reads all entries and keeps the one before the index, or 1 for index zero.
#[target_feature(enable = "avx512f,avx512vl,avx512ifma")]
fn select_plain(table: &[Limbs], index: u64) -> Digits {
    let wanted = _mm512_set1_epi64(index as i64);
    let mut chosen = [_mm512_setzero_si512(); 3];
    let keep = _mm512_cmpeq_epi64_mask(wanted, chosen[0]);
    chosen[0] = _mm512_maskz_set1_epi64(keep & 1, 1);
    for (entry, number) in table.iter().zip(1i64..) {
        let keep = _mm512_cmpeq_epi64_mask(wanted, _mm512_set1_epi64(number));
        for (chosen, lanes) in chosen.iter_mut().zip(entry.as_chunks::<8>().0) {
            // SAFETY: reads the eight limbs, which need no alignment.
            let lanes = unsafe { _mm512_loadu_si512(lanes.as_ptr().cast()) };
            *chosen = _mm512_mask_mov_epi64(*chosen, keep, lanes);
        }
    }
    cut(chosen)
}

/// Cuts a number in 64-bit lanes into 52-bit digits.
#[target_feature(enable = "avx512f,avx512vl,avx512ifma")]
fn cut(number: [__m512i; 3]) -> Digits {
    // Eight digits are 52 bytes. From the byte where they begin, digit j begins in
    // lane `lane[j]` at bit `bit[j]` and may end in the lane above.
    let lane = _mm512_setr_epi64(0, 0, 1, 2, 3, 4, 4, 5);
    let above = _mm512_add_epi64(lane, _mm512_set1_epi64(1));
    let bit = _mm512_setr_epi64(0, 52, 40, 28, 16, 4, 56, 44);
    let rest = _mm512_sub_epi64(_mm512_set1_epi64(64), bit);
    let digit_mask = _mm512_set1_epi64(DIGIT_MASK as i64);
    let mut limbs = [0u64; 28];
    for (place, lanes) in limbs.as_chunks_mut::<8>().0.iter_mut().zip(number) {
        // SAFETY: writes eight limbs, which need no alignment.
        unsafe { _mm512_storeu_si512(place.as_mut_ptr().cast(), lanes) };
    }
    let row = [0, 52, 2 * 52, 3 * 52].map(|start| {
        // SAFETY: reads 64 bytes, which need no alignment, within the 28 limbs.
        let lanes = unsafe { _mm512_loadu_si512(limbs.as_ptr().byte_add(start).cast()) };
        // Shifts by 64 give zero.
        let low = _mm512_srlv_epi64(_mm512_permutexvar_epi64(lane, lanes), bit);
        let high = _mm512_sllv_epi64(_mm512_permutexvar_epi64(above, lanes), rest);
        _mm512_and_si512(_mm512_or_si512(low, high), digit_mask)
    });
    limbs.zeroize();
    let mut out = Digits([0; 32]);
    store(&mut out, row);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lanes as one number in 52-bit digits, carried one lane at a time.
    fn carried(lanes: &Digits) -> Digits {
        let mut out = Digits([0; 32]);
        let mut carry = 0;
        for (out, lane) in out.0.iter_mut().zip(lanes.0) {
            let sum = lane + carry;
            *out = sum & DIGIT_MASK;
            carry = sum >> DIGIT;
        }
        out
    }

    /// Carries that run through many lanes hardly ever occur by chance.
    #[test]
    fn carries_run_through_all_lanes() {
        if Ifma::detect().is_none() {
            eprintln!("no AVX-512 IFMA here: nothing to test");
            return;
        }
        let lanes = [
            DIGIT_MASK,
            DIGIT_MASK + 1,
            DIGIT_MASK - 1,
            0,
            1,
            (DIGIT_MASK << 8) | 0xff,
            DIGIT_MASK << 1,
            (1 << 60) - 1,
        ];
        let mut state = 1u64;
        for round in 0..5000 {
            let mut x = Digits([0; 32]);
            for lane in &mut x.0[..31] {
                state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
                // Mostly full lanes in early rounds, any mixture later.
                let choice = (state >> 40) as usize % (2 + round / 100);
                *lane = lanes[choice % lanes.len()];
            }
            let mut out = Digits([0; 32]);
            // SAFETY: the features were detected.
            unsafe { store(&mut out, normalize(load(&x))) };
            assert_eq!(out.0, carried(&x).0);
        }
    }
}
