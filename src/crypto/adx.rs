//! Multiplication with the x86-64 extensions BMI2 and ADX: a multiplication
//! that leaves the flags alone, and two additions that use one flag each, so
//! that two carry chains run side by side.
//!
//! The building block is eight limbs by eight, with the running sum in registers;
//! what is put together from it is plain Rust.
#![allow(unsafe_code, reason = "assembly for a detected processor feature")]

use crate::crypto::environment::assumed;
use core::arch::x86_64::{_addcarry_u64, _subborrow_u64};

/// A proof that the processor has BMI2 and ADX, and AVX2 for reading tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Adx(());

/// Limbs of a block.
pub(crate) const BLOCK: usize = 8;

/// Eight limbs.
pub(crate) type Block = [u64; BLOCK];

/// The seven products of a multiplier, in `rdx`, with limbs 1 to 7 of the number
/// at `$number`, and the end of a row: the register of the sum's lowest limb, which
/// `$keep` may save first, receives the new highest one. The low halves of the
/// products go along the carry flag's chain, the high halves along the overflow
/// flag's.
#[rustfmt::skip]
macro_rules! upper_products {
    ($number:literal, $keep:expr, $s0:literal, $s1:literal, $s2:literal, $s3:literal,
     $s4:literal, $s5:literal, $s6:literal, $s7:literal) => {
        concat!(
            "mulx {high}, {low}, [{", $number, "} + 8]\n  adcx ", $s1, ", {low}\n adox ", $s2, ", {high}\n",
            "mulx {high}, {low}, [{", $number, "} + 16]\n adcx ", $s2, ", {low}\n adox ", $s3, ", {high}\n",
            "mulx {high}, {low}, [{", $number, "} + 24]\n adcx ", $s3, ", {low}\n adox ", $s4, ", {high}\n",
            "mulx {high}, {low}, [{", $number, "} + 32]\n adcx ", $s4, ", {low}\n adox ", $s5, ", {high}\n",
            "mulx {high}, {low}, [{", $number, "} + 40]\n adcx ", $s5, ", {low}\n adox ", $s6, ", {high}\n",
            "mulx {high}, {low}, [{", $number, "} + 48]\n adcx ", $s6, ", {low}\n adox ", $s7, ", {high}\n",
            $keep,
            "mulx ", $s0, ", {low}, [{", $number, "} + 56]\n adcx ", $s7, ", {low}\n",
            "mov {low:e}, 0\n", // keeps the flags
            "adcx ", $s0, ", {low}\n adox ", $s0, ", {low}\n",
        )
    };
}
pub(crate) use upper_products;

/// Eight rows on a sum of eight limbs in registers, whose order turns by one with
/// each row. `$row!` gives a row its text from its byte and the registers; the
/// operands that it names beside `low` and `high` follow.
///
/// Expands to assembly: what it accesses is the caller's to vouch for.
#[rustfmt::skip]
macro_rules! eight_rows {
    ($row:ident, $sum:expr, $($operands:tt)*) => {{
        let [s0, s1, s2, s3, s4, s5, s6, s7] = $sum;
        core::arch::asm!(
            $row!("0", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"),
            $row!("8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "r8"),
            $row!("16", "r10", "r11", "r12", "r13", "r14", "r15", "r8", "r9"),
            $row!("24", "r11", "r12", "r13", "r14", "r15", "r8", "r9", "r10"),
            $row!("32", "r12", "r13", "r14", "r15", "r8", "r9", "r10", "r11"),
            $row!("40", "r13", "r14", "r15", "r8", "r9", "r10", "r11", "r12"),
            $row!("48", "r14", "r15", "r8", "r9", "r10", "r11", "r12", "r13"),
            $row!("56", "r15", "r8", "r9", "r10", "r11", "r12", "r13", "r14"),
            $($operands)*
            low = out(reg) _,
            high = out(reg) _,
            out("rdx") _,
            inout("r8") *s0,
            inout("r9") *s1,
            inout("r10") *s2,
            inout("r11") *s3,
            inout("r12") *s4,
            inout("r13") *s5,
            inout("r14") *s6,
            inout("r15") *s7,
            options(nostack),
        );
    }};
}
pub(crate) use eight_rows;

/// One row: a times the multiplier at byte `$i` is added to the sum, the lowest
/// limb of the sum is written, and its register receives the new highest limb.
macro_rules! row {
    ($i:literal, $s0:literal, $s1:literal, $($upper:literal),*) => {
        concat!(
            "mov rdx, [{row} + ", $i, "]\n",
            "xor {low:e}, {low:e}\n", // clears both flags
            "mulx {high}, {low}, [{a}]\n adcx ", $s0, ", {low}\n adox ", $s1, ", {high}\n",
            upper_products!(
                "a",
                concat!("mov [{row} + {out} + ", $i, "], ", $s0, "\n"),
                $s0, $s1, $($upper),*
            ),
        )
    };
}

impl Adx {
    /// The proof, if there is one.
    pub(crate) fn detect() -> Option<Self> {
        let runs = is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("avx2")
            && (is_x86_feature_detected!("adx") || assumed("adx"));
        runs.then_some(Self(()))
    }

    /// Eight rows with a multiplicand and eight multipliers among `blocks`, `a`
    /// and `from`: a times the first multiplier is added to the sum, whose lowest
    /// limb is then taken off and written to the block `OUT` blocks after
    /// `from`, and so on with the other multipliers.
    #[inline(always)]
    pub(crate) fn rows<const OUT: usize>(
        self,
        blocks: &mut [Block],
        sum: &mut Block,
        a: usize,
        from: usize,
    ) {
        assert!(a < blocks.len() && from.saturating_add(OUT) < blocks.len());
        let base = blocks.as_mut_ptr();
        // SAFETY: all three blocks lie within `blocks`.
        unsafe { self.rows_at::<OUT>(sum, base.add(a), base.add(from)) }
    }

    /// The same with a multiplicand elsewhere.
    #[inline(always)]
    pub(crate) fn rows_of<const OUT: usize>(
        self,
        blocks: &mut [Block],
        sum: &mut Block,
        a: &Block,
        from: usize,
    ) {
        assert!(from.saturating_add(OUT) < blocks.len());
        // SAFETY: the blocks of multipliers and of results lie within `blocks`.
        unsafe { self.rows_at::<OUT>(sum, a, blocks.as_mut_ptr().add(from)) }
    }

    /// # Safety
    /// `a` and `row` can be read, and the block `OUT` blocks after `row` be
    /// written. They may overlap.
    #[inline(always)]
    unsafe fn rows_at<const OUT: usize>(self, sum: &mut Block, a: *const Block, row: *mut Block) {
        // SAFETY: `self` exists, so the processor has the instructions; they
        // access the memory that the caller vouches for.
        unsafe {
            eight_rows!(
                row, sum,
                a = in(reg) a,
                row = in(reg) row,
                out = const OUT * size_of::<Block>(),
            );
        }
    }
}

/// a + b + carry, and the carry.
#[inline(always)]
pub(crate) fn add(a: &mut Block, b: &Block, mut carry: u8) -> u8 {
    for (a, &b) in a.iter_mut().zip(b) {
        carry = _addcarry_u64(carry, *a, b, a);
    }
    carry
}

/// a + (b where the mask is all ones), and the carry.
#[inline(always)]
pub(crate) fn add_masked(a: &mut Block, b: &Block, mask: u64) -> u8 {
    let mut carry = 0;
    for (a, &b) in a.iter_mut().zip(b) {
        carry = _addcarry_u64(carry, *a, b & mask, a);
    }
    carry
}

/// Sets `out` to a - (b where the mask is all ones) - borrow; the borrow.
#[inline(always)]
pub(crate) fn subtract_masked(
    out: &mut Block,
    a: &Block,
    b: &Block,
    mask: u64,
    mut borrow: u8,
) -> u8 {
    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
        borrow = _subborrow_u64(borrow, a, b & mask, out);
    }
    borrow
}

/// A number as the lowest limb of a block.
#[inline(always)]
pub(crate) fn single(limb: u8) -> Block {
    [limb.into(), 0, 0, 0, 0, 0, 0, 0]
}
