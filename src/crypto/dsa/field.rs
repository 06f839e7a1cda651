//! What the powers need of arithmetic modulo p, and the sizes it comes in.
#![forbid(unsafe_code)]

use super::montgomery::{Limbs, Montgomery, from_be_bytes, to_be_bytes};
use super::scalar::Scalar;

/// Arithmetic modulo one odd number p. Elements are in the field's own form.
pub(super) trait Field {
    /// A number modulo p.
    type Element: Copy;

    /// The number one.
    fn one(&self) -> Self::Element;
    /// Takes a big-endian number below p.
    fn enter(&self, number: &[u8]) -> Self::Element;
    /// Gives a big-endian number below p, with leading zeros.
    fn leave(&self, element: &Self::Element) -> Vec<u8>;
    /// a * b mod p.
    fn mul(&self, a: &Self::Element, b: &Self::Element) -> Self::Element;
    /// a + b mod p.
    fn add(&self, a: &Self::Element, b: &Self::Element) -> Self::Element;
    /// 2 a mod p.
    fn double(&self, a: &Self::Element) -> Self::Element {
        self.add(a, a)
    }
    /// a^2 mod p.
    fn square(&self, a: &Self::Element) -> Self::Element;
    /// The table's entry number `index`, read in constant time.
    fn select(&self, table: &[Self::Element], index: u64) -> Self::Element;
}

impl<const N: usize> Field for Montgomery<N> {
    type Element = Limbs<N>;

    fn one(&self) -> Limbs<N> {
        *self.one()
    }

    fn enter(&self, number: &[u8]) -> Limbs<N> {
        self.enter(&from_be_bytes(number))
    }

    fn leave(&self, element: &Limbs<N>) -> Vec<u8> {
        let mut out = vec![0; size_of::<Limbs<N>>()];
        to_be_bytes(&self.leave(element), &mut out);
        out
    }

    fn mul(&self, a: &Limbs<N>, b: &Limbs<N>) -> Limbs<N> {
        self.mul(a, b)
    }

    fn add(&self, a: &Limbs<N>, b: &Limbs<N>) -> Limbs<N> {
        self.add(a, b)
    }

    fn square(&self, a: &Limbs<N>) -> Limbs<N> {
        self.square(a)
    }

    fn select(&self, table: &[Limbs<N>], index: u64) -> Limbs<N> {
        let mut out = [0; N];
        for (number, entry) in (0..).zip(table) {
            let difference: u64 = index ^ number;
            // All ones for no difference; differences are far below 2^63.
            let mask = (difference.wrapping_sub(1) >> 63).wrapping_neg();
            for (o, e) in out.iter_mut().zip(entry) {
                *o |= e & mask;
            }
        }
        out
    }
}

/// Something to be done in the field that fits a p.
pub(super) trait WithField {
    /// What comes out.
    type Output;
    /// Does it.
    fn run<F: Field + Send + Sync + 'static>(self, field: F) -> Self::Output
    where
        F::Element: Send + Sync;
}

/// Runs `action` with the arithmetic that fits `p`: an odd big-endian number
/// of 1024 to 3072 bits without leading zeros.
pub(super) fn with_field<A: WithField>(p: &[u8], action: A) -> A::Output {
    match p.len() {
        ..=128 => action.run(Montgomery::<16>::new(&from_be_bytes(p))),
        129..=256 => action.run(Montgomery::<32>::new(&from_be_bytes(p))),
        _ => action.run(Montgomery::<48>::new(&from_be_bytes(p))),
    }
}

/// Odd powers kept by [`joint_power`] for each base.
const ODD_POWERS: usize = 8;

/// a^x * b^y with both exponents public, in variable time: one chain of
/// squarings for both, windows of four bits that begin and end with a one.
pub(super) fn joint_power<F: Field>(
    field: &F,
    (a, x): (&F::Element, &Scalar),
    (b, y): (&F::Element, &Scalar),
) -> F::Element {
    let tables = [odd_powers(field, a), odd_powers(field, b)];
    let exponents = [x, y];
    // The window that ends at a bit: filled from the top, used at the bottom.
    let mut pending = [None, None];
    let mut acc: Option<F::Element> = None;
    for bit in (0..160).rev() {
        if let Some(value) = &mut acc {
            *value = field.square(value);
        }
        for ((exponent, table), pending) in exponents.iter().zip(&tables).zip(&mut pending) {
            if pending.is_none() && exponent.bit(bit) == 1 {
                *pending = Some(window(exponent, bit));
            }
            if let Some((low, digit)) = *pending
                && low == bit
            {
                *pending = None;
                if let Some(factor) = table.get(digit / 2) {
                    acc = Some(acc.map_or(*factor, |value| field.mul(&value, factor)));
                }
            }
        }
    }
    acc.unwrap_or_else(|| field.one())
}

/// The widest window of at most four bits from `high` down that ends with a
/// one: its lowest bit's index, and its odd value.
fn window(exponent: &Scalar, high: usize) -> (usize, usize) {
    let mut found = (high, 1);
    let mut value = 1;
    for bit in (high.saturating_sub(3)..high).rev() {
        value = (value << 1) | usize::from(exponent.bit(bit) == 1);
        if value % 2 == 1 {
            found = (bit, value);
        }
    }
    found
}

/// a, a^3, a^5, ... a^15.
fn odd_powers<F: Field>(field: &F, a: &F::Element) -> [F::Element; ODD_POWERS] {
    let square = field.square(a);
    let mut power = *a;
    core::array::from_fn(|index| {
        if index > 0 {
            power = field.mul(&power, &square);
        }
        power
    })
}
