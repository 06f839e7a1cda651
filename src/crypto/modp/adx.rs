//! The group's arithmetic with BMI2 and ADX.
//!
//! A number is 24 limbs of 64 bits, R is 2^1536, and everything is below R: with
//! a, b < R Montgomery's sum before its division, a * b + M * p, is below
//! R * (R + p), so the quotient is below R + p, and if it does not fit in R, one
//! subtraction of p makes it fit.
//!
//! Work is done in blocks of eight limbs. A square a * a is put together from the
//! blocks A0, A1, A2 of a as
//!
//! ```text
//! A0 * (A0 + 2 * A1 + 2 * A2)  +  A1 * (A1 + 2 * A2)  +  A2 * A2
//! ```
//!
//! (each block at its place), which takes six block products instead of nine.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "indices are constants or bounded by the arrays' lengths"
)]

use super::generator::{LONG_EXIT_1536, R_1536, R_1536_SQUARED, SHORT_EXIT_1536};
use super::group::{LIMBS, Limbs, P};
use super::kernel::Arithmetic;
use super::portable;
use crate::crypto::adx::{
    Adx, BLOCK, Block, add, add_masked, eight_rows, single, subtract_masked, upper_products,
};
use crate::crypto::limbs::{mask, reduce_once};
use zeroize::Zeroize;

/// To the sum that multiple m * p is added which makes its lowest limb vanish;
/// the limb's register receives the new highest one.
///
/// As p = -1 modulo 2^64, m is the lowest limb itself, and limb 0 of p needs no
/// multiplication: m * p\[0\] + m = m * 2^64, so that m passes to the next limb.
macro_rules! cancelling_row {
    ($i:literal, $s0:literal, $s1:literal, $($upper:literal),*) => {
        concat!(
            "mov rdx, ", $s0, "\n",
            "mov [{row} + ", $i, "], rdx\n",
            "xor {low:e}, {low:e}\n", // clears both flags
            "adox ", $s1, ", rdx\n",
            upper_products!("p", "", $s0, $s1, $($upper),*),
        )
    };
}

impl Arithmetic for Adx {
    type Number = Limbs;

    const ONE: Limbs = R_1536;
    const R_SQUARED: Limbs = R_1536_SQUARED;
    const SHORT_EXIT: Limbs = SHORT_EXIT_1536;
    const LONG_EXIT: Limbs = LONG_EXIT_1536;

    fn plain(self, x: &Limbs) -> Limbs {
        *x
    }

    fn multiply(self, a: &mut Limbs, b: &Limbs) {
        let mut work = Work::new();
        work.put(FIRST, a);
        work.put(SECOND, b);
        self.multiply_wide(&mut work);
        self.reduce(&mut work);
        work.take(a);
    }

    fn square(self, a: &mut Limbs, times: usize) {
        let mut work = Work::new();
        work.put(FIRST, a);
        for _ in 0..times {
            self.square_wide(&mut work);
            self.reduce(&mut work);
        }
        work.take(a);
    }

    fn multiply_out(self, a: &Limbs, b: &Limbs) -> Limbs {
        let mut product = *a;
        self.multiply(&mut product, b);
        reduce_once(&product, &P)
    }

    fn select(self, table: &[Limbs], index: u64) -> Limbs {
        // SAFETY: `self` exists, so the processor has AVX2.
        unsafe { select(table, index) }
    }

    fn select_plain(self, table: &[Limbs], index: u64) -> Limbs {
        // SAFETY: `self` exists, so the processor has AVX2.
        unsafe { select_plain(table, index) }
    }
}

/// [`portable::select`], compiled for wider vectors.
#[target_feature(enable = "avx2")]
fn select(table: &[Limbs], index: u64) -> Limbs {
    portable::select(table, index)
}

/// [`portable::select_plain`], compiled for wider vectors.
#[target_feature(enable = "avx2")]
fn select_plain(table: &[Limbs], index: u64) -> Limbs {
    portable::select_plain(table, index)
}

/// The blocks of p.
static P_BLOCKS: [Block; 3] = {
    let mut out = [[0; BLOCK]; 3];
    let mut i = 0;
    while i < LIMBS {
        out[i / BLOCK][i % BLOCK] = P[i];
        i += 1;
    }
    out
};

/// The blocks of a computation: a factor, later the result, from [`FIRST`] on,
/// the other factor from [`SECOND`] on, and the product before its reduction
/// from [`PRODUCT`] on. They lie together because the processor's registers
/// suffice for one pointer to all of them.
#[derive(Zeroize)]
struct Work([Block; 12]);

const FIRST: usize = 0;
const SECOND: usize = 3;
const PRODUCT: usize = 6;

impl Work {
    fn new() -> Self {
        Self([[0; BLOCK]; 12])
    }

    fn put(&mut self, at: usize, number: &Limbs) {
        for (block, limbs) in self.0[at..].iter_mut().zip(number.chunks_exact(BLOCK)) {
            block.copy_from_slice(limbs);
        }
    }

    /// Moves the result out and wipes everything else.
    fn take(&mut self, out: &mut Limbs) {
        for (limbs, block) in out.chunks_exact_mut(BLOCK).zip(&self.0[FIRST..]) {
            limbs.copy_from_slice(block);
        }
        self.zeroize();
    }
}

impl Adx {
    /// The product of the two factors.
    #[inline(always)]
    fn multiply_wide(self, work: &mut Work) {
        const OUT: usize = PRODUCT - FIRST;
        let mut sum = [0; BLOCK];
        for i in 0..3 {
            self.rows::<OUT>(&mut work.0, &mut sum, SECOND, FIRST + i);
            let mut carry = 0;
            if i > 0 {
                carry = add(&mut sum, &work.0[PRODUCT + i + 1], carry);
            }
            self.rows::<{ OUT + 1 }>(&mut work.0, &mut sum, SECOND + 1, FIRST + i);
            if i > 0 {
                carry = add(&mut sum, &work.0[PRODUCT + i + 2], carry);
            }
            self.rows::<{ OUT + 2 }>(&mut work.0, &mut sum, SECOND + 2, FIRST + i);
            add(&mut sum, &[0; BLOCK], carry);
            work.0[PRODUCT + i + 3] = sum;
            sum = work.0[PRODUCT + i + 1];
        }
    }

    /// The square of the first factor; the second one is overwritten.
    #[inline(always)]
    fn square_wide(self, work: &mut Work) {
        const OUT: usize = PRODUCT - FIRST;
        // The two upper blocks as one number, doubled; `top` is the bit lost.
        let mut top = 0;
        for i in 0..2 * BLOCK {
            let limb = work.0[FIRST + 1 + i / BLOCK][i % BLOCK];
            work.0[SECOND + 1 + i / BLOCK][i % BLOCK] = (limb << 1) | top;
            top = limb >> 63;
        }
        let top = mask(top);

        let mut sum = [0; BLOCK];
        self.rows::<OUT>(&mut work.0, &mut sum, FIRST, FIRST);
        self.rows::<{ OUT + 1 }>(&mut work.0, &mut sum, SECOND + 1, FIRST);
        self.rows::<{ OUT + 2 }>(&mut work.0, &mut sum, SECOND + 2, FIRST);
        let lost = add_masked(&mut sum, &work.0[FIRST], top);
        work.0[PRODUCT + 3] = sum;

        // 2 * A2 alone does not receive the bit that 2 * A1 lost.
        work.0[SECOND + 2][0] &= !1;
        sum = work.0[PRODUCT + 2];
        self.rows::<{ OUT + 1 }>(&mut work.0, &mut sum, FIRST + 1, FIRST + 1);
        let carry = add(&mut sum, &work.0[PRODUCT + 3], 0);
        self.rows::<{ OUT + 2 }>(&mut work.0, &mut sum, SECOND + 2, FIRST + 1);
        let carry = add(&mut sum, &single(lost), carry);
        let lost = add_masked(&mut sum, &work.0[FIRST + 1], top);
        work.0[PRODUCT + 4] = sum;

        self.rows::<{ OUT + 2 }>(&mut work.0, &mut sum, FIRST + 2, FIRST + 2);
        add(&mut sum, &single(lost), carry);
        work.0[PRODUCT + 5] = sum;
    }

    /// The product divided by 2^1536 modulo p, below 2^1536, becomes the factor.
    #[inline(always)]
    fn reduce(self, work: &mut Work) {
        // What does not fit in the block after the sum's last one.
        let mut top = 0;
        for i in PRODUCT..PRODUCT + 3 {
            let mut sum = work.0[i];
            self.cancelling_rows(work, &mut sum, i);
            let carry = add(&mut sum, &work.0[i + 1], 0);
            self.rows_of::<1>(&mut work.0, &mut sum, &P_BLOCKS[1], i);
            let carry = add(&mut sum, &work.0[i + 2], carry);
            self.rows_of::<2>(&mut work.0, &mut sum, &P_BLOCKS[2], i);
            // The upper block of a product with a block of p that is not all
            // ones is not all ones either, so this carries nothing.
            add(&mut sum, &single(top), 0);
            top = add(&mut sum, &work.0[i + 3], carry);
            work.0[i + 3] = sum;
        }
        let keep = mask(top.into());
        let (result, sum) = work.0.split_at_mut(PRODUCT + 3);
        let mut borrow = 0;
        for ((out, sum), p) in result[FIRST..].iter_mut().zip(sum).zip(&P_BLOCKS) {
            borrow = subtract_masked(out, sum, p, keep, borrow);
        }
    }

    /// Eight rows with the lowest block of p: to the sum that multiple m * p is
    /// added which makes its lowest limb vanish, the limb is taken off and m
    /// written to the block. As p = -1 modulo 2^64, m is the lowest limb, and
    /// limb 0 of p only passes m on to the next limb.
    #[inline(always)]
    fn cancelling_rows(self, work: &mut Work, sum: &mut Block, block: usize) {
        let multiples = &mut work.0[block];
        // SAFETY: `self` exists, so the processor has the instructions. They
        // read the first 64 bytes of p and write those of `multiples`.
        unsafe {
            eight_rows!(
                cancelling_row, sum,
                p = in(reg) &P_BLOCKS[0],
                row = in(reg) multiples,
            );
        }
    }
}
