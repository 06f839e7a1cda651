//! Powers of one base to secret 160-bit exponents, by a comb.
//!
//! The exponent's bits are written in four rows of 40 (the teeth), the rows cut
//! into four blocks of ten columns. A block's table holds the 16 products of
//! the powers of the base that belong to one column; the power is put
//! together column by column with nine squarings and 40 products (Lim and
//! Lee, "More flexible exponentiation with precomputation", 1994). Making the
//! tables costs about one plain power.
#![forbid(unsafe_code)]
// Bit indices are below 160, table indices below 16.
#![allow(clippy::arithmetic_side_effects)]

use super::field::Field;
use super::scalar::Scalar;

const TEETH: usize = 4;
const BLOCKS: usize = 4;
const COLUMNS: usize = 10;
const ROW: usize = BLOCKS * COLUMNS;
const ENTRIES: usize = 1 << TEETH;

/// A field with the tables of one base.
pub(super) struct Comb<F: Field> {
    field: F,
    tables: Vec<[F::Element; ENTRIES]>,
}

/// A [`Comb`] of any size.
pub(super) trait FixedBase: Send + Sync {
    /// The base to a secret exponent, as a big-endian number below p.
    fn power(&self, exponent: &Scalar) -> Vec<u8>;
}

impl<F: Field> Comb<F> {
    /// Makes the tables of a base below p.
    pub(super) fn new(field: F, base: &[u8]) -> Self {
        let mut tables = vec![[field.one(); ENTRIES]; BLOCKS];
        let mut power = field.enter(base);
        for bit in 0..TEETH * ROW {
            if bit % COLUMNS == 0
                && let Some(table) = tables.get_mut(bit / COLUMNS % BLOCKS)
            {
                add_tooth(&field, table, bit / ROW, &power);
            }
            power = field.square(&power);
        }
        Self { field, tables }
    }
}

/// Fills the table's entries whose highest set bit is that of the tooth.
fn add_tooth<F: Field>(
    field: &F,
    table: &mut [F::Element; ENTRIES],
    tooth: usize,
    power: &F::Element,
) {
    let (lower, upper) = table.split_at_mut(1 << tooth);
    for (index, (out, below)) in upper.iter_mut().zip(lower).enumerate() {
        *out = if index == 0 {
            *power
        } else {
            field.multiply(below, power)
        };
    }
}

impl<F: Field + Send + Sync> FixedBase for Comb<F>
where
    F::Element: Send + Sync,
{
    fn power(&self, exponent: &Scalar) -> Vec<u8> {
        let mut acc = self.field.one();
        for column in (0..COLUMNS).rev() {
            if column + 1 < COLUMNS {
                acc = self.field.square(&acc);
            }
            for (block, table) in self.tables.iter().enumerate() {
                let index = (0..TEETH).fold(0, |index, tooth| {
                    index | exponent.bit(tooth * ROW + block * COLUMNS + column) << tooth
                });
                acc = self.field.multiply(&acc, &self.field.select(table, index));
            }
        }
        self.field.leave(&acc)
    }
}
