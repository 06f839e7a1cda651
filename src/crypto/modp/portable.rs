//! The group's arithmetic in safe Rust, for every architecture.
//!
//! Numbers are 24 limbs of 64 bits and R is 2^1536. A product is computed in
//! full and then reduced by Montgomery's method (Math. Comp. 44, 1985, p. 519):
//! to T, one limb at a time, that multiple m * p is added which makes the
//! lowest limb of the sum vanish. As p = -1 modulo 2^64, m is simply that
//! lowest limb, and m * p[0] + m = m * 2^64 means that limb 0 of p needs no
//! multiplication: it passes m on as the carry.
//!
//! Numbers below 2^1536 give a result below 2^1536, which is all that is
//! promised between operations: with a, b < R the sum before the division is
//! a * b + M * p < R * (R + p), so the quotient is below R + p, and if it does
//! not fit in R, one subtraction of p makes it fit.
#![forbid(unsafe_code)]

use super::generator::{LONG_EXIT_1536, R_1536_SQUARED, SHORT_EXIT_1536};
use super::group::{LIMBS, Limbs, ONE, P, R_1536};
use super::kernel::Arithmetic;
use crate::crypto::limbs::{adc, choose, mac, mask, mask_equal, reduce_once, subtract};

/// The implementation; every processor can run it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Portable;

/// A product before its reduction.
type Wide = [u64; 2 * LIMBS];

impl Arithmetic for Portable {
    type Number = Limbs;

    const ONE: Limbs = R_1536;
    const R_SQUARED: Limbs = R_1536_SQUARED;
    const SHORT_EXIT: Limbs = SHORT_EXIT_1536;
    const LONG_EXIT: Limbs = LONG_EXIT_1536;

    fn plain(self, x: &Limbs) -> Limbs {
        *x
    }

    fn multiply(self, a: &mut Limbs, b: &Limbs) {
        *a = reduce(multiply_wide(a, b));
    }

    fn square(self, a: &mut Limbs, times: usize) {
        for _ in 0..times {
            *a = reduce(square_wide(a));
        }
    }

    fn multiply_out(self, a: &Limbs, b: &Limbs) -> Limbs {
        reduce_once(&reduce(multiply_wide(a, b)), &P)
    }

    fn select(self, table: &[Limbs], index: u64) -> Limbs {
        select(table, index)
    }

    fn select_plain(self, table: &[Limbs], index: u64) -> Limbs {
        select_plain(table, index)
    }
}

/// Reads all entries and keeps the one with the given index.
pub(super) fn select(table: &[Limbs], index: u64) -> Limbs {
    let mut chosen = [0; LIMBS];
    for (entry, number) in table.iter().zip(0u64..) {
        let keep = mask_equal(number, index);
        for (out, &limb) in chosen.iter_mut().zip(entry) {
            *out |= limb & keep;
        }
    }
    chosen
}

/// Reads all entries and keeps the one before the index, or 1 for index zero.
pub(super) fn select_plain(table: &[Limbs], index: u64) -> Limbs {
    let mut chosen = ONE.map(|limb| limb & mask_equal(index, 0));
    for (entry, number) in table.iter().zip(1u64..) {
        let keep = mask_equal(number, index);
        for (out, &limb) in chosen.iter_mut().zip(entry) {
            *out |= limb & keep;
        }
    }
    chosen
}

/// a * b.
#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "indices below 2 * LIMBS"
)]
#[inline]
fn multiply_wide(a: &Limbs, b: &Limbs) -> Wide {
    let mut t = [0; 2 * LIMBS];
    for i in 0..LIMBS {
        let mut carry = 0;
        for j in 0..LIMBS {
            (t[i + j], carry) = mac(t[i + j], a[j], b[i], carry);
        }
        t[i + LIMBS] = carry;
    }
    t
}

/// a * a: the products of different limbs once, doubled, and the squares.
#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "indices below 2 * LIMBS"
)]
#[inline]
fn square_wide(a: &Limbs) -> Wide {
    let mut t = [0; 2 * LIMBS];
    for i in 0..LIMBS - 1 {
        let mut carry = 0;
        for j in i + 1..LIMBS {
            (t[i + j], carry) = mac(t[i + j], a[j], a[i], carry);
        }
        t[i + LIMBS] = carry;
    }
    let mut shifted = 0;
    let mut carry = 0;
    for i in 0..LIMBS {
        let (low, high) = mac(0, a[i], a[i], 0);
        let even = (t[2 * i] << 1) | shifted;
        let odd = (t[2 * i + 1] << 1) | (t[2 * i] >> 63);
        shifted = t[2 * i + 1] >> 63;
        (t[2 * i], carry) = adc(even, low, carry);
        (t[2 * i + 1], carry) = adc(odd, high, carry);
    }
    t
}

/// t / 2^1536 modulo p, below 2^1536.
#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "indices below 2 * LIMBS"
)]
#[inline]
fn reduce(mut t: Wide) -> Limbs {
    let mut top = 0;
    for i in 0..LIMBS {
        let m = t[i];
        let mut carry = m;
        for j in 1..LIMBS {
            (t[i + j], carry) = mac(t[i + j], P[j], m, carry);
        }
        (t[i + LIMBS], top) = adc(t[i + LIMBS], carry, top);
    }
    let mut high = [0; LIMBS];
    high.copy_from_slice(&t[LIMBS..]);
    let (less, _) = subtract(&high, &P);
    choose(mask(top), &less, &high)
}
