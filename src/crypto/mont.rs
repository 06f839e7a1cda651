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

use super::limbs::{adc, add, choose, mac, mask, subtract};
use zeroize::Zeroize;

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
    fn with_constant(n: [u64; N], factor: u64) -> Self {
        let mut modulus = Self {
            n,
            factor,
            one: [0; N],
            square: [0; N],
        };
        // R modulo n by doubling the highest power of two below n (or zero, for
        // n = 1).
        let mut x = [0; N];
        let top = n.iter().rposition(|&limb| limb != 0).unwrap_or(0);
        x[top] = (1 << 63) >> n[top].leading_zeros();
        if x == n {
            x = [0; N];
        }
        for _ in 0..64 * (N - top) - 63 + n[top].leading_zeros() as usize {
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

    /// An odd modulus n with known -1/n modulo 2^64, R modulo n and R^2 modulo n.
    pub(crate) const fn from_constants(
        n: [u64; N],
        factor: u64,
        one: [u64; N],
        square: [u64; N],
    ) -> Self {
        Self {
            n,
            factor,
            one,
            square,
        }
    }

    /// The modulus.
    #[must_use]
    pub fn limbs(&self) -> &[u64; N] {
        &self.n
    }

    /// -1/n modulo 2^64.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn factor(&self) -> u64 {
        self.factor
    }

    /// R^2 modulo n.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn r_squared(&self) -> &[u64; N] {
        &self.square
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
            let mut carry = 0;
            for (t, &a) in t.iter_mut().zip(a) {
                (*t, carry) = mac(*t, a, b, carry);
            }
            let (high, first) = adc(top, carry, 0);
            let m = t[0].wrapping_mul(self.factor);
            let (_, mut carry) = mac(t[0], m, self.n[0], 0);
            for j in 1..N {
                (t[j - 1], carry) = mac(t[j], m, self.n[j], carry);
            }
            let (high, second) = adc(high, carry, 0);
            t[N - 1] = high;
            top = first + second;
        }
        self.reduce(&t, top)
    }

    /// The square of a form.
    #[must_use]
    pub fn square(&self, a: &Form<N>) -> Form<N> {
        // Leaving out the products that occur twice gains nothing measurable.
        self.multiply(a, a)
    }

    /// a + b modulo n for a and b below n: numbers or forms.
    #[must_use]
    pub fn add(&self, a: &[u64; N], b: &[u64; N]) -> [u64; N] {
        let (sum, carry) = add(a, b);
        self.reduce(&sum, carry)
    }

    /// 2x modulo n for x below n: a number or a form.
    #[must_use]
    pub fn double(&self, x: &[u64; N]) -> [u64; N] {
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
