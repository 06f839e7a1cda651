//! The group's arithmetic in safe Rust, for every architecture.
//!
//! A number is 27 digits of 57 bits, the lowest first, and R is 2^1539. Products
//! of digits are summed by columns in 128 bits: column k of a * b is the sum of
//! all a\[i\] * b\[k - i\]. Digits of 57 bits leave 14 bits for the number of terms,
//! so that no sum overflows and carries are looked at once per column only.
//!
//! The columns are reduced by Montgomery's method (Math. Comp. 44, 1985,
//! p. 519): beginning with the lowest one, that multiple m * p is added which
//! makes the column's lowest digit vanish, and the rest is carried into the next
//! column. As p = -1 modulo 2^57, m is simply that digit, and what
//! it does to its own column needs no multiplication: m * p\[0\] + m = m * 2^57
//! means that m itself is carried on.
//!
//! Numbers are below 2^1537, which is all that is promised between operations:
//! a * b / R + p < 2^1535 + 2^1536.
//!
//! To keep the code small enough for a processor's cache and yet free of loops
//! that are tested at run time, everything is done in blocks of nine digits.
#![forbid(unsafe_code)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "indices are bounded by the arrays' lengths; sums fit as explained"
)]

use super::digits::{join, split};
use super::generator::{LONG_EXIT_1539, R_1539, R_1539_SQUARED, SHORT_EXIT_1539};
use super::group::{Limbs, ONE, P};
use super::kernel::Arithmetic;
use crate::crypto::limbs::mask_equal;
use zeroize::{Zeroize, Zeroizing};

/// The implementation; every processor can run it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Portable;

/// Bits of a digit.
const DIGIT: usize = 57;
/// Digits of a number.
const DIGITS: usize = 27;
/// The largest digit.
const DIGIT_MASK: u64 = (1 << DIGIT) - 1;
/// Digits of a block.
const BLOCK: usize = 9;
/// Blocks of a number.
const BLOCKS: usize = DIGITS / BLOCK;

/// A number in digits of 57 bits.
type Digits = [u64; DIGITS];
type Block = [u64; BLOCK];
/// The columns of a product; the last one receives nothing but carries.
type Columns = [u128; 2 * DIGITS];
/// The columns of a product of two blocks, and one more.
type Window = [u128; 2 * BLOCK];

const P_DIGITS: Digits = split::<DIGIT, DIGITS>(&P);

impl Arithmetic for Portable {
    type Number = Digits;

    const ONE: Digits = split::<DIGIT, DIGITS>(&R_1539);
    const R_SQUARED: Limbs = R_1539_SQUARED;
    const SHORT_EXIT: Limbs = SHORT_EXIT_1539;
    const LONG_EXIT: Limbs = LONG_EXIT_1539;

    fn plain(self, x: &Limbs) -> Digits {
        split::<DIGIT, DIGITS>(x)
    }

    fn multiply(self, a: &mut Digits, b: &Digits) {
        let mut columns = [0; 2 * DIGITS];
        multiply(&mut columns, a, b);
        *a = reduce(&mut columns);
        columns.zeroize();
    }

    fn square(self, a: &mut Digits, times: usize) {
        let mut columns = [0; 2 * DIGITS];
        for _ in 0..times {
            columns = [0; 2 * DIGITS];
            square(&mut columns, a);
            *a = reduce(&mut columns);
        }
        columns.zeroize();
    }

    fn multiply_out(self, a: &Digits, b: &Limbs) -> Limbs {
        let mut product = Zeroizing::new(*a);
        self.multiply(&mut product, &split::<DIGIT, DIGITS>(b));
        join::<DIGIT, DIGITS>(&product)
    }

    fn select(self, table: &[Digits], index: u64) -> Digits {
        select(table, index)
    }

    fn select_plain(self, table: &[Limbs], index: u64) -> Digits {
        let mut chosen = select_plain(table, index);
        let digits = split::<DIGIT, DIGITS>(&chosen);
        chosen.zeroize();
        digits
    }
}

/// Reads all entries and keeps the one with the given index.
#[inline(always)]
pub(super) fn select<const N: usize>(table: &[[u64; N]], index: u64) -> [u64; N] {
    let mut chosen = [0; N];
    for (entry, number) in table.iter().zip(0u64..) {
        let keep = mask_equal(number, index);
        for (out, &limb) in chosen.iter_mut().zip(entry) {
            *out |= limb & keep;
        }
    }
    chosen
}

/// Reads all entries and keeps the one before the index, or 1 for index zero.
#[inline(always)]
pub(super) fn select_plain(table: &[Limbs], index: u64) -> Limbs {
    let one = mask_equal(index, 0);
    let mut chosen = ONE.map(|limb| limb & one);
    for (entry, number) in table.iter().zip(1u64..) {
        let keep = mask_equal(number, index);
        for (out, &limb) in chosen.iter_mut().zip(entry) {
            *out |= limb & keep;
        }
    }
    chosen
}

/// Adds the columns of a * b.
fn multiply(columns: &mut Columns, a: &Digits, b: &Digits) {
    for (i, a) in blocks(a).iter().enumerate() {
        for (j, b) in blocks(b).iter().enumerate() {
            add_product(window(columns, i + j), a, b);
        }
    }
}

/// Adds the columns of a * a: products of different blocks once, but with one
/// factor doubled.
fn square(columns: &mut Columns, a: &Digits) {
    let doubled = Zeroizing::new(a.map(|digit| digit << 1));
    for (i, block) in blocks(a).iter().enumerate() {
        add_square(window(columns, 2 * i), block);
        for (j, other) in blocks(&doubled).iter().enumerate().skip(i + 1) {
            add_product(window(columns, i + j), block, other);
        }
    }
}

/// The number the columns stand for, divided by R modulo p.
fn reduce(columns: &mut Columns) -> Digits {
    let p = blocks(&P_DIGITS);
    let mut carry = 0;
    for i in 0..BLOCKS {
        let mut multiples = [0; BLOCK];
        carry = cancel(window(columns, i), &p[0], &mut multiples, carry);
        for (j, p) in p.iter().enumerate().skip(1) {
            add_product(window(columns, i + j), &multiples, p);
        }
    }
    let mut digits = [0; DIGITS];
    for (digit, column) in digits.iter_mut().zip(&columns[DIGITS..]) {
        let sum = column + carry;
        *digit = low_digit(sum);
        carry = sum >> DIGIT;
    }
    digits
}

/// The digits as blocks.
fn blocks(digits: &Digits) -> &[Block] {
    digits.as_chunks().0
}

/// The columns that the product of two blocks falls into, if the sum of the
/// blocks' numbers is `at`.
fn window(columns: &mut Columns, at: usize) -> &mut Window {
    let (window, _) = columns[at * BLOCK..].as_chunks_mut();
    &mut window[0]
}

fn low_digit(sum: u128) -> u64 {
    sum as u64 & DIGIT_MASK
}

fn product(a: u64, b: u64) -> u128 {
    u128::from(a) * u128::from(b)
}

/// The digits of a block that column `k` of a product multiplies.
const fn terms(k: usize) -> core::ops::Range<usize> {
    if k < BLOCK {
        0..k + 1
    } else {
        k + 1 - BLOCK..BLOCK
    }
}

/// Writes an expression once for every column, so that the compiler sees each
/// column's number and unrolls the sum within it.
macro_rules! for_columns {
    ($k:ident in [$($column:literal)*] $body:block) => {
        $({
            const K: usize = $column;
            let $k = K;
            $body
        })*
    };
}

/// Adds the columns of a * b. Not inlined, as the code is large.
#[inline(never)]
fn add_product(columns: &mut Window, a: &Block, b: &Block) {
    for_columns!(k in [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16] {
        let mut sum = columns[k];
        for i in terms(k) {
            sum += product(a[i], b[k - i]);
        }
        columns[k] = sum;
    });
}

/// Adds the columns of a * a.
#[inline(never)]
fn add_square(columns: &mut Window, a: &Block) {
    let doubled = Zeroizing::new(a.map(|digit| digit << 1));
    for_columns!(k in [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16] {
        let mut sum = columns[k];
        for i in terms(k).start..k.div_ceil(2) {
            sum += product(doubled[i], a[k - i]);
        }
        if k.is_multiple_of(2) {
            sum += product(a[k / 2], a[k / 2]);
        }
        columns[k] = sum;
    });
}

/// Makes the lower nine columns vanish by adding multiples of `p`, the lowest
/// block of the prime; adds to the upper ones what the multiples contribute
/// there. Takes and returns the carry.
#[inline(never)]
fn cancel(columns: &mut Window, p: &Block, multiples: &mut Block, mut carry: u128) -> u128 {
    for_columns!(k in [0 1 2 3 4 5 6 7 8] {
        let mut sum = columns[k] + carry;
        for i in 0..k {
            sum += product(multiples[i], p[k - i]);
        }
        let m = low_digit(sum);
        multiples[k] = m;
        carry = (sum >> DIGIT) + u128::from(m);
    });
    for_columns!(k in [9 10 11 12 13 14 15 16] {
        let mut sum = columns[k];
        for i in terms(k) {
            sum += product(multiples[i], p[k - i]);
        }
        columns[k] = sum;
    });
    carry
}
