//! Powers, written once for every implementation of the arithmetic.
//!
//! Two methods are used, both with a fixed sequence of operations that depends
//! on the length of the exponent alone:
//!
//! * *Fixed windows* for a base that is raised once: the exponent is read five
//!   bits at a time from the top; each step squares five times and multiplies
//!   by one of the 32 powers b^0 to b^31.
//! * A *comb* (Lim and Lee, CRYPTO '94) for a base raised several times: the
//!   exponent is cut into five teeth of equal length s, and each tooth into
//!   four blocks of w bits. Entry d of block j's table is the product of
//!   b^(2^(t * s + j * w)) over the bits t set in d, so that one product takes
//!   care of five exponent bits, one from each tooth, and the w columns need
//!   w - 1 squarings in all.
#![forbid(unsafe_code)]

use super::generator::{LONG, SHORT};
use super::group::Limbs;
use super::kernel::Arithmetic;
use crate::crypto::limbs::bits;
use zeroize::{Zeroize, Zeroizing};

/// Exponent bits per step of the fixed windows.
const WINDOW: usize = 5;
/// Exponent bits a comb takes care of at once.
const TEETH: usize = 5;
/// Tables of a comb.
const BLOCKS: usize = 4;
/// Entries of one table, the one for no bit set included.
const ENTRIES: usize = 1 << TEETH;
/// Squaring distance covered by one block, for exponents of 1536 bits.
const LONG_COLUMNS: usize = 1536usize.div_ceil(TEETH * BLOCKS);
/// The same for 320 bits.
const SHORT_COLUMNS: usize = 320usize.div_ceil(TEETH * BLOCKS);

/// How an exponent may be treated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Secrecy {
    /// Tables are scanned, so that memory accesses say nothing.
    Secret,
    /// Everybody may know the exponent (not the base).
    Public,
}

/// base^exponent by fixed windows, for an exponent below 2^`length`.
#[allow(clippy::arithmetic_side_effects, reason = "positions below 1536 + 5")]
pub(super) fn window<A: Arithmetic>(
    arithmetic: A,
    base: &Limbs,
    exponent: &[u64],
    length: usize,
    secrecy: Secrecy,
) -> Limbs {
    let base = Zeroizing::new(arithmetic.enter(base));
    let mut table = Zeroizing::new([A::ONE; 1 << WINDOW]);
    let mut entry = Zeroizing::new(A::ONE);
    for slot in table.iter_mut().skip(1) {
        arithmetic.multiply(&mut entry, &base);
        *slot = *entry;
    }
    let mut power = Zeroizing::new(A::ONE);
    for step in (0..length.div_ceil(WINDOW)).rev() {
        arithmetic.square(&mut power, WINDOW);
        let digit = bits(exponent, step * WINDOW, WINDOW);
        let entry = Zeroizing::new(pick(arithmetic, &*table, digit, secrecy));
        arithmetic.multiply(&mut power, &entry);
    }
    arithmetic.leave(&power)
}

fn pick<A: Arithmetic>(
    arithmetic: A,
    table: &[A::Number],
    digit: u64,
    secrecy: Secrecy,
) -> A::Number {
    let known = match secrecy {
        Secrecy::Secret => None,
        Secrecy::Public => usize::try_from(digit)
            .ok()
            .and_then(|digit| table.get(digit)),
    };
    match known {
        Some(entry) => *entry,
        None => arithmetic.select(table, digit),
    }
}

/// The generator's power, from a table in the program's read-only data.
///
/// The tables hold plain numbers, the same for every implementation. A product
/// of a form with a plain number lacks a factor R; what is missing after all
/// columns is known in advance and made up for by the last multiplication.
pub(super) fn generator<A: Arithmetic>(arithmetic: A, exponent: &[u64], length: usize) -> Limbs {
    let (tables, columns, exit) = if length <= 320 {
        (&SHORT, SHORT_COLUMNS, &A::SHORT_EXIT)
    } else {
        (&LONG, LONG_COLUMNS, &A::LONG_EXIT)
    };
    let power = comb(arithmetic, exponent, columns, |block, digit| {
        tables
            .get(block)
            .map_or(A::ONE, |table| arithmetic.select_plain(table, digit))
    });
    arithmetic.multiply_out(&power, exit)
}

/// The product over all columns; `entry` finds a block's entry for a digit.
#[allow(clippy::arithmetic_side_effects, reason = "positions below 1600")]
fn comb<A: Arithmetic>(
    arithmetic: A,
    exponent: &[u64],
    columns: usize,
    entry: impl Fn(usize, u64) -> A::Number,
) -> Zeroizing<A::Number> {
    let mut power = Zeroizing::new(A::ONE);
    for column in (0..columns).rev() {
        if column != columns - 1 {
            arithmetic.square(&mut power, 1);
        }
        for block in 0..BLOCKS {
            let mut digit = 0;
            for tooth in 0..TEETH {
                let position = (tooth * BLOCKS + block) * columns + column;
                digit |= bits(exponent, position, 1) << tooth;
            }
            let entry = Zeroizing::new(entry(block, digit));
            arithmetic.multiply(&mut power, &entry);
        }
    }
    power
}

/// The comb of a base that is raised several times, for 1536-bit exponents.
pub(super) struct Table<A: Arithmetic> {
    arithmetic: A,
    /// The blocks' tables one after the other, as forms.
    entries: Box<[A::Number]>,
}

impl<A: Arithmetic> Table<A> {
    #[allow(clippy::arithmetic_side_effects, reason = "sizes below 1600")]
    pub(super) fn new(arithmetic: A, base: &Limbs) -> Self {
        let mut entries = vec![A::ONE; BLOCKS * ENTRIES].into_boxed_slice();
        let mut square = Zeroizing::new(arithmetic.enter(base));
        for tooth in 0..TEETH {
            for (block, table) in entries.chunks_exact_mut(ENTRIES).enumerate() {
                if tooth + block > 0 {
                    arithmetic.square(&mut square, LONG_COLUMNS);
                }
                let (done, rest) = table.split_at_mut(1 << tooth);
                for (new, old) in rest.iter_mut().zip(done.iter()) {
                    *new = *old;
                    arithmetic.multiply(new, &square);
                }
            }
        }
        Self {
            arithmetic,
            entries,
        }
    }

    pub(super) fn power(&self, exponent: &[u64], secrecy: Secrecy) -> Limbs {
        let power = comb(self.arithmetic, exponent, LONG_COLUMNS, |block, digit| {
            self.entries
                .chunks_exact(ENTRIES)
                .nth(block)
                .map_or(A::ONE, |table| pick(self.arithmetic, table, digit, secrecy))
        });
        self.arithmetic.leave(&power)
    }
}

impl<A: Arithmetic> Drop for Table<A> {
    fn drop(&mut self) {
        self.entries.zeroize();
    }
}
