//! Arithmetic modulo any odd number of a fixed size, by Montgomery's method.
//!
//! DSA needs it for its prime p of 1024 to 3072 bits and its 160-bit q, and
//! SMP for exponents modulo the group's order. The modulus is public; the
//! time taken depends on nothing else, except where a name says `public`.
//!
//! A number x is represented by its *form* x * R modulo n, R = 2^(64 * N).
//! The product of two forms, divided by R, is a form again. Forms are reduced
//! below n throughout.
#![forbid(unsafe_code)]
#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "loops over arrays of a constant size; limbs wrap by design"
)]

use super::limbs::{adc, bits, choose, mac, mask, mask_equal, subtract};
use zeroize::{Zeroize, Zeroizing};

/// An odd modulus of at most 64 * N bits, with its constants.
#[derive(Clone)]
pub struct Modulus<const N: usize> {
    n: [u64; N],
    /// -1/n modulo 2^64.
    factor: u64,
    /// R modulo n, the form of 1.
    one: [u64; N],
    /// R^2 modulo n.
    square: [u64; N],
}

/// A number modulo n in Montgomery's form.
pub type Form<const N: usize> = [u64; N];

/// Exponent bits per step of a power.
const WINDOW: usize = 4;

impl<const N: usize> Modulus<N> {
    /// A modulus given by its limbs, the lowest first; `None` if it is even.
    #[must_use]
    pub fn new(n: [u64; N]) -> Option<Self> {
        if n.first()? & 1 == 0 {
            return None;
        }
        // Newton's iteration for 1/n: each step doubles the number of correct
        // bits, and n itself is right in the lowest three.
        let mut inverse = n[0];
        for _ in 0..5 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(n[0].wrapping_mul(inverse)));
        }
        Some(Self::with_constant(n, inverse.wrapping_neg()))
    }

    /// The same for an odd modulus whose -1/n modulo 2^64 is known.
    pub(crate) fn with_constant(n: [u64; N], factor: u64) -> Self {
        let mut modulus = Self {
            n,
            factor,
            one: [0; N],
            square: [0; N],
        };
        // R modulo n by doubling the number 1 as often as R has bits.
        let mut x = [0; N];
        x[0] = u64::from(n[0] != 1 || n[1..].iter().any(|&limb| limb != 0));
        for _ in 0..64 * N {
            x = modulus.double(&x);
        }
        modulus.one = x;
        // The form of 2^N by N more doublings; each squaring then doubles the
        // exponent, and six of them give the form of 2^(64 * N), R^2.
        for _ in 0..N {
            x = modulus.double(&x);
        }
        for _ in 0..6 {
            x = modulus.square(&x);
        }
        modulus.square = x;
        modulus
    }

    /// The modulus.
    #[must_use]
    pub fn limbs(&self) -> &[u64; N] {
        &self.n
    }

    /// The form of 1.
    #[must_use]
    pub fn one(&self) -> Form<N> {
        self.one
    }

    /// The form of any number of N limbs, which need not be below n.
    #[must_use]
    pub fn enter(&self, x: &[u64; N]) -> Form<N> {
        self.multiply(x, &self.square)
    }

    /// The number below n that a form stands for.
    #[must_use]
    pub fn leave(&self, form: &Form<N>) -> [u64; N] {
        let mut one = [0; N];
        one[0] = 1;
        self.multiply(form, &one)
    }

    /// The product of a form and a plain number, as a plain number below n.
    #[must_use]
    pub fn multiply_plain(&self, form: &Form<N>, x: &[u64; N]) -> [u64; N] {
        self.multiply(form, x)
    }

    /// The product of two forms. One of the factors may be any N limbs.
    #[must_use]
    pub fn multiply(&self, a: &Form<N>, b: &Form<N>) -> Form<N> {
        // Row by row: t = (t + a * b[i] + m * n) / 2^64, where m makes the
        // division exact. t stays below 2n (or below n + a number of N limbs).
        let mut t = [0; N];
        let mut top = 0;
        for &b in b {
            let (low, mut carry) = mac(t[0], a[0], b, 0);
            let m = low.wrapping_mul(self.factor);
            let (_, mut borrowed) = mac(low, m, self.n[0], 0);
            for j in 1..N {
                let low;
                (low, carry) = mac(t[j], a[j], b, carry);
                (t[j - 1], borrowed) = mac(low, m, self.n[j], borrowed);
            }
            let (low, first) = adc(top, carry, 0);
            let (low, second) = adc(low, borrowed, 0);
            t[N - 1] = low;
            top = first + second;
        }
        self.reduce(&t, top)
    }

    /// The square of a form.
    #[must_use]
    pub fn square(&self, a: &Form<N>) -> Form<N> {
        self.multiply(a, a)
    }

    /// base^exponent for a secret exponent below 2^`length`.
    #[must_use]
    pub fn pow(&self, base: &Form<N>, exponent: &[u64], length: usize) -> Form<N> {
        let table = self.powers(base);
        let mut power = Zeroizing::new(self.one);
        for step in (0..length.div_ceil(WINDOW)).rev() {
            for _ in 0..WINDOW {
                *power = self.square(&power);
            }
            let digit = bits(exponent, step * WINDOW, WINDOW);
            let mut entry = Zeroizing::new([0; N]);
            for (candidate, number) in table.iter().zip(0u64..) {
                let keep = mask_equal(number, digit);
                for (out, &limb) in entry.iter_mut().zip(candidate) {
                    *out |= limb & keep;
                }
            }
            *power = self.multiply(&power, &entry);
        }
        *power
    }

    /// The product of base^exponent over two pairs of public numbers, in a
    /// time that depends on the exponents, which are below 2^`length`.
    #[must_use]
    pub fn pow_public(
        &self,
        first: (&Form<N>, &[u64]),
        second: (&Form<N>, &[u64]),
        length: usize,
    ) -> Form<N> {
        let tables = [self.powers(first.0), self.powers(second.0)];
        let mut power = self.one;
        for step in (0..length.div_ceil(WINDOW)).rev() {
            for _ in 0..WINDOW {
                power = self.square(&power);
            }
            for (table, exponent) in tables.iter().zip([first.1, second.1]) {
                let digit = bits(exponent, step * WINDOW, WINDOW) as usize;
                if digit != 0 {
                    power = self.multiply(&power, &table[digit]);
                }
            }
        }
        power
    }

    /// base^0 to base^15.
    fn powers(&self, base: &Form<N>) -> Zeroizing<[Form<N>; 1 << WINDOW]> {
        let mut table = Zeroizing::new([self.one; 1 << WINDOW]);
        for i in 1..1 << WINDOW {
            table[i] = self.multiply(&table[i - 1], base);
        }
        table
    }

    /// 2x modulo n for x below n.
    fn double(&self, x: &[u64; N]) -> [u64; N] {
        let mut twice = [0; N];
        let mut carry = 0;
        for (out, &limb) in twice.iter_mut().zip(x) {
            *out = (limb << 1) | carry;
            carry = limb >> 63;
        }
        self.reduce(&twice, carry)
    }

    /// t + top * R, less n if that is not below n.
    fn reduce(&self, t: &[u64; N], top: u64) -> [u64; N] {
        let (less, borrow) = subtract(t, &self.n);
        choose(mask(borrow & (top ^ 1)), t, &less)
    }
}

impl<const N: usize> Zeroize for Modulus<N> {
    fn zeroize(&mut self) {
        self.n.zeroize();
        self.one.zeroize();
        self.square.zeroize();
    }
}
