//! Powers to public exponents, in variable time.
#![forbid(unsafe_code)]

use super::field::Field;
use super::scalar::Scalar;

/// The bits of a big-endian number, highest first.
fn bits(number: &[u8]) -> impl Iterator<Item = bool> {
    number
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |shift| byte >> shift & 1 == 1))
        .skip_while(|bit| !bit)
}

/// 2^exponent, by squaring and doubling.
pub(super) fn power_of_two<F: Field>(field: &F, exponent: &[u8]) -> F::Element {
    bits(exponent).fold(field.one(), |acc, bit| {
        let acc = field.square(&acc);
        if bit { field.double(&acc) } else { acc }
    })
}

/// base^exponent for a public exponent, four bits at a time.
pub(super) fn power<F: Field>(field: &F, base: &F::Element, exponent: &[u8]) -> F::Element {
    let mut next = field.one();
    let table: [F::Element; 16] = core::array::from_fn(|_| {
        let entry = next;
        next = field.multiply(&next, base);
        entry
    });
    let mut acc = None;
    for digit in exponent.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
        if let Some(value) = acc {
            acc = Some((0..4).fold(value, |value, _| field.square(&value)));
        }
        if digit > 0
            && let Some(factor) = table.get(usize::from(digit))
        {
            acc = Some(acc.map_or(*factor, |value| field.multiply(&value, factor)));
        }
    }
    acc.unwrap_or_else(|| field.one())
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
                    acc = Some(acc.map_or(*factor, |value| field.multiply(&value, factor)));
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
            power = field.multiply(&power, &square);
        }
        power
    })
}
