//! Arithmetic modulo a p of 1024 bits with BMI2 and ADX instructions.
//!
//! Numbers and their forms are those of [`Modulus`], and so are all operations
//! but the two that take time, multiplying and squaring. These work on two blocks
//! of eight limbs; see [`crate::crypto::adx`] for the rows they are made of.
//!
//! A square a * a is A0 * (A0 + 2 * A1) + A1 * A1, each block at its place.
//!
//! No branch and no address depends on a number.
#![allow(unsafe_code, reason = "assembly for a detected processor feature")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "indices are constants or bounded by the arrays' lengths"
)]

use super::field::Field;
use crate::crypto::adx::{Adx, BLOCK, Block, add, add_masked, eight_rows, single, upper_products};
use crate::crypto::limbs::{choose, mask, subtract};
use crate::crypto::mont::{Form, Modulus};
use zeroize::Zeroize;

/// Limbs of p.
const LIMBS: usize = 16;

/// The lowest block of p and, behind it, what a limb is multiplied by to find the
/// multiple of p that cancels it.
#[repr(C)]
struct Lowest {
    limbs: Block,
    /// -1/p modulo 2^64.
    factor: u64,
}

/// An odd modulus of up to 1024 bits on a processor with the instructions.
pub(super) struct AdxField {
    instructions: Adx,
    portable: Modulus<LIMBS>,
    lowest: Lowest,
    upper: Block,
}

/// The blocks of a computation: a factor from [`FIRST`] on, the other one from
/// [`SECOND`] on, and the product before its reduction from [`PRODUCT`] on.
struct Work([Block; 8]);

const FIRST: usize = 0;
const SECOND: usize = 2;
const PRODUCT: usize = 4;
/// From a block of the first factor to the same block of the product.
const OUT: usize = PRODUCT - FIRST;

impl Work {
    fn new(first: &Form<LIMBS>, second: &Form<LIMBS>) -> Self {
        let mut blocks = [[0; BLOCK]; 8];
        blocks[FIRST..SECOND].copy_from_slice(first.as_chunks().0);
        blocks[SECOND..PRODUCT].copy_from_slice(second.as_chunks().0);
        Self(blocks)
    }
}

/// The same as a row of a product, but the multiplier is the one that makes the
/// sum's lowest limb vanish.
macro_rules! cancelling_row {
    ($i:literal, $s0:literal, $s1:literal, $($upper:literal),*) => {
        concat!(
            "mov rdx, ", $s0, "\n",
            "imul rdx, [{p} + 64]\n",
            "mov [{row} + ", $i, "], rdx\n",
            "xor {low:e}, {low:e}\n", // clears both flags
            "mulx {high}, {low}, [{p}]\n adcx ", $s0, ", {low}\n adox ", $s1, ", {high}\n",
            upper_products!("p", "", $s0, $s1, $($upper),*),
        )
    };
}

impl AdxField {
    /// Prepares an odd number of up to 1024 bits.
    pub(super) fn new(instructions: Adx, p: &[u64; LIMBS]) -> Option<Self> {
        let portable = Modulus::new(*p)?;
        let [limbs, upper] = *p.as_chunks().0 else {
            return None;
        };
        let factor = portable.factor();
        Some(Self {
            instructions,
            portable,
            lowest: Lowest { limbs, factor },
            upper,
        })
    }

    /// The product of the two factors.
    #[inline(always)]
    fn multiply_wide(&self, work: &mut Work) {
        let blocks = &mut work.0;
        let adx = self.instructions;
        let mut sum = [0; BLOCK];
        adx.rows::<OUT>(blocks, &mut sum, SECOND, FIRST);
        adx.rows::<{ OUT + 1 }>(blocks, &mut sum, SECOND + 1, FIRST);
        blocks[PRODUCT + 2] = sum;

        sum = blocks[PRODUCT + 1];
        adx.rows::<OUT>(blocks, &mut sum, SECOND, FIRST + 1);
        let carry = add(&mut sum, &blocks[PRODUCT + 2], 0);
        adx.rows::<{ OUT + 1 }>(blocks, &mut sum, SECOND + 1, FIRST + 1);
        add(&mut sum, &single(carry), 0);
        blocks[PRODUCT + 3] = sum;
    }

    /// The square of the first factor; the second one is overwritten.
    #[inline(always)]
    fn square_wide(&self, work: &mut Work) {
        let blocks = &mut work.0;
        let adx = self.instructions;
        // 2 * A1; `top` is the bit lost.
        let mut top = 0;
        let upper = blocks[FIRST + 1];
        for (doubled, limb) in blocks[SECOND + 1].iter_mut().zip(upper) {
            *doubled = (limb << 1) | top;
            top = limb >> 63;
        }
        let mut sum = [0; BLOCK];
        adx.rows::<OUT>(blocks, &mut sum, FIRST, FIRST);
        adx.rows::<{ OUT + 1 }>(blocks, &mut sum, SECOND + 1, FIRST);
        let lost = add_masked(&mut sum, &blocks[FIRST], mask(top));

        adx.rows::<{ OUT + 1 }>(blocks, &mut sum, FIRST + 1, FIRST + 1);
        add(&mut sum, &single(lost), 0);
        blocks[PRODUCT + 3] = sum;
    }

    /// The product divided by R modulo p, below p.
    #[inline(always)]
    fn reduce(&self, work: &mut Work) -> Form<LIMBS> {
        let blocks = &mut work.0;
        // What does not fit in the block after the sum's last one.
        let mut top = 0;
        for i in PRODUCT..PRODUCT + 2 {
            let mut sum = blocks[i];
            self.cancelling_rows(&mut sum, &mut blocks[i]);
            let carry = add(&mut sum, &blocks[i + 1], 0);
            self.instructions
                .rows_of::<1>(blocks, &mut sum, &self.upper, i);
            let above = add(&mut sum, &single(top), 0);
            // The whole sum is below 2 * 2^2048, so that one bit suffices.
            top = above + add(&mut sum, &blocks[i + 2], carry);
            blocks[i + 2] = sum;
        }
        let mut high = [0; LIMBS];
        high.copy_from_slice(blocks[PRODUCT + 2..].as_flattened());
        let (less, borrow) = subtract(&high, self.portable.limbs());
        choose(mask(borrow & (u64::from(top) ^ 1)), &high, &less)
    }

    /// Eight rows with the lowest block of p: eight times that multiple of p is
    /// added to the sum which makes its lowest limb vanish, the limb is taken off,
    /// and the multiplier written to `multipliers`.
    #[inline(always)]
    fn cancelling_rows(&self, sum: &mut Block, multipliers: &mut Block) {
        // SAFETY: `self` holds the proof that the processor has the instructions.
        // They read `lowest` and write the 64 bytes of `multipliers`.
        unsafe {
            eight_rows!(
                cancelling_row, sum,
                p = in(reg) &raw const self.lowest,
                row = in(reg) multipliers,
            );
        }
    }
}

impl Field for AdxField {
    type Element = Form<LIMBS>;

    fn one(&self) -> Form<LIMBS> {
        self.portable.one()
    }

    fn enter(&self, number: &[u8]) -> Form<LIMBS> {
        Field::enter(&self.portable, number)
    }

    fn leave(&self, element: &Form<LIMBS>) -> Vec<u8> {
        Field::leave(&self.portable, element)
    }

    fn multiply(&self, a: &Form<LIMBS>, b: &Form<LIMBS>) -> Form<LIMBS> {
        let mut work = Work::new(a, b);
        self.multiply_wide(&mut work);
        let product = self.reduce(&mut work);
        work.0.zeroize();
        product
    }

    fn double(&self, a: &Form<LIMBS>) -> Form<LIMBS> {
        self.portable.double(a)
    }

    fn square(&self, a: &Form<LIMBS>) -> Form<LIMBS> {
        let mut work = Work::new(a, &[0; LIMBS]);
        self.square_wide(&mut work);
        let square = self.reduce(&mut work);
        work.0.zeroize();
        square
    }

    fn select(&self, table: &[Form<LIMBS>], index: u64) -> Form<LIMBS> {
        self.portable.select(table, index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::limbs::from_be_bytes;
    use crate::crypto::{Random, os_random};
    use num_bigint::BigUint;

    fn random() -> BigUint {
        let mut bytes = [0; 128];
        os_random().fill(&mut bytes).unwrap();
        BigUint::from_bytes_be(&bytes)
    }

    /// Numbers with many carries, and random ones.
    fn numbers() -> Vec<BigUint> {
        let one = BigUint::from(1u32);
        let all_ones = (&one << 1024u32) - 1u32;
        let mut numbers = vec![BigUint::ZERO, one.clone(), all_ones.clone()];
        for bits in [64u32, 512, 576, 1023] {
            numbers.push(&one << bits);
            numbers.push((&one << bits) - 1u32);
            numbers.push(&all_ones - ((&one << bits) - 1u32));
        }
        numbers.extend((0..6).map(|_| random()));
        numbers
    }

    #[test]
    fn products_and_squares() {
        let Some(instructions) = Adx::detect() else {
            eprintln!("no ADX here: nothing to test");
            return;
        };
        for n in numbers() {
            let n = n | BigUint::from(1u32);
            let limbs = from_be_bytes(&n.to_bytes_be()).unwrap();
            let field = AdxField::new(instructions, &limbs).unwrap();
            let value = |form: &_| BigUint::from_bytes_be(&Field::leave(&field, form));
            for a in numbers() {
                let a = a % &n;
                let form = field.enter(&a.to_bytes_be());
                assert_eq!(value(&field.square(&form)), &a * &a % &n, "{a} modulo {n}");
                for b in numbers() {
                    let b = b % &n;
                    let product = field.multiply(&form, &field.enter(&b.to_bytes_be()));
                    assert_eq!(value(&product), &a * &b % &n, "{a} * {b} modulo {n}");
                }
            }
        }
    }

    #[test]
    fn even_moduli_are_refused() {
        if let Some(instructions) = Adx::detect() {
            assert!(AdxField::new(instructions, &[2; LIMBS]).is_none());
        }
    }
}
