//! Arithmetic modulo an odd number of fixed size, in Montgomery form.
//!
//! A number a is held as a * R mod m with R = 2^(64 N), least significant
//! limb first. The product of two such numbers is divided by R limb by limb:
//! adding the multiple of m that clears the lowest limb, then dropping it
//! (Montgomery, "Modular multiplication without trial division", 1985).
//!
//! Nothing here branches on, or indexes by, the numbers themselves; only the
//! modulus, which is public, decides about time.
#![forbid(unsafe_code)]
// Every index is bounded by the length of an array type, and every sum of the
// products below fits the 128 bits it is computed in.
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

/// A number of `N` limbs, least significant first.
pub(super) type Limbs<const N: usize> = [u64; N];

/// An odd modulus with its constants.
#[derive(Clone)]
pub(super) struct Montgomery<const N: usize> {
    modulus: Limbs<N>,
    /// -1 / modulus mod 2^64.
    negated_inverse: u64,
    /// R mod modulus: one in Montgomery form.
    one: Limbs<N>,
    /// R^2 mod modulus: takes a number into Montgomery form.
    r_squared: Limbs<N>,
}

/// a + b * c + carry, as low and high limb. Cannot overflow.
#[inline(always)]
#[allow(clippy::cast_possible_truncation)]
fn multiply_add(a: u64, b: u64, c: u64, carry: u64) -> (u64, u64) {
    let t = u128::from(a) + u128::from(b) * u128::from(c) + u128::from(carry);
    (t as u64, (t >> 64) as u64)
}

/// a - b, and 1 if that went below zero.
#[inline(always)]
fn subtract<const N: usize>(a: &Limbs<N>, b: &Limbs<N>) -> (Limbs<N>, u64) {
    let mut out = [0; N];
    let mut borrow = 0;
    for j in 0..N {
        let (d, b1) = a[j].overflowing_sub(b[j]);
        let (d, b2) = d.overflowing_sub(borrow);
        out[j] = d;
        borrow = u64::from(b1) | u64::from(b2);
    }
    (out, borrow)
}

impl<const N: usize> Montgomery<N> {
    /// Prepares a modulus, which must be odd and above 1.
    pub(super) fn new(modulus: &Limbs<N>) -> Self {
        // Newton's iteration doubles the number of right bits; m is its own
        // inverse modulo 8.
        let m = modulus[0];
        let mut inverse = m;
        for _ in 0..5 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(m.wrapping_mul(inverse)));
        }
        let mut this = Self {
            modulus: *modulus,
            negated_inverse: inverse.wrapping_neg(),
            one: [0; N],
            r_squared: [0; N],
        };
        // From the highest power of two below m, doubled up to R.
        let bits = bit_length(modulus);
        this.one[(bits - 1) / 64] = 1 << ((bits - 1) % 64);
        for _ in bits - 1..64 * N {
            this.one = this.double(&this.one);
        }
        // R = 2^(64 N) with 64 N = odd * 2^twos: from 2^odd by squarings.
        let twos = (64 * N).trailing_zeros();
        this.r_squared = this.one;
        for _ in 0..(64 * N) >> twos {
            this.r_squared = this.double(&this.r_squared);
        }
        for _ in 0..twos {
            this.r_squared = this.square(&this.r_squared);
        }
        this
    }

    pub(super) const fn modulus(&self) -> &Limbs<N> {
        &self.modulus
    }

    /// One in Montgomery form.
    pub(super) const fn one(&self) -> &Limbs<N> {
        &self.one
    }

    /// Takes any `N`-limb number into Montgomery form, reducing it.
    pub(super) fn enter(&self, a: &Limbs<N>) -> Limbs<N> {
        self.mul(a, &self.r_squared)
    }

    /// Takes a number out of Montgomery form; the result is below the modulus.
    pub(super) fn leave(&self, a: &Limbs<N>) -> Limbs<N> {
        let mut one = [0; N];
        one[0] = 1;
        self.mul(a, &one)
    }

    /// a * b / R mod m; one of the factors must be below m, the other is any.
    pub(super) fn mul(&self, a: &Limbs<N>, b: &Limbs<N>) -> Limbs<N> {
        let mut t = [0; N];
        let mut top = 0;
        for &word in b {
            let mut carry = 0;
            for j in 0..N {
                (t[j], carry) = multiply_add(t[j], a[j], word, carry);
            }
            let (high, overflow) = carry.overflowing_add(top);
            let factor = t[0].wrapping_mul(self.negated_inverse);
            let (_, mut carry) = multiply_add(t[0], factor, self.modulus[0], 0);
            for j in 1..N {
                (t[j - 1], carry) = multiply_add(t[j], factor, self.modulus[j], carry);
            }
            let (high, overflow_again) = high.overflowing_add(carry);
            t[N - 1] = high;
            top = u64::from(overflow) + u64::from(overflow_again);
        }
        self.subtract_once(&t, top)
    }

    /// a^2 / R mod m.
    pub(super) fn square(&self, a: &Limbs<N>) -> Limbs<N> {
        self.mul(a, a)
    }

    /// a + b mod m, both below m.
    pub(super) fn add(&self, a: &Limbs<N>, b: &Limbs<N>) -> Limbs<N> {
        let mut sum = [0; N];
        let mut carry = 0;
        for j in 0..N {
            let (s, c1) = a[j].overflowing_add(b[j]);
            let (s, c2) = s.overflowing_add(carry);
            sum[j] = s;
            carry = u64::from(c1) | u64::from(c2);
        }
        self.subtract_once(&sum, carry)
    }

    /// 2 a mod m, a below m.
    pub(super) fn double(&self, a: &Limbs<N>) -> Limbs<N> {
        self.add(a, a)
    }

    /// All ones if a is below the modulus, else zero; in constant time.
    pub(super) fn below_modulus(&self, a: &Limbs<N>) -> u64 {
        subtract(a, &self.modulus).1.wrapping_neg()
    }

    /// Takes `top * R + t` below 2m (top 0 or 1) below m, in constant time.
    #[inline(always)]
    fn subtract_once(&self, t: &Limbs<N>, top: u64) -> Limbs<N> {
        let (mut out, borrow) = subtract(t, &self.modulus);
        let keep = ((top ^ 1) & borrow).wrapping_neg();
        for j in 0..N {
            out[j] = (t[j] & keep) | (out[j] & !keep);
        }
        out
    }
}

/// The position of the highest set bit, counted from 1; 0 for zero. The
/// number is public.
pub(super) fn bit_length<const N: usize>(a: &Limbs<N>) -> usize {
    for j in (0..N).rev() {
        if a[j] != 0 {
            return 64 * j + 64 - a[j].leading_zeros() as usize;
        }
    }
    0
}

/// Reads a big-endian number; bytes beyond `N` limbs are an error of the
/// caller and dropped.
pub(super) fn from_be_bytes<const N: usize>(bytes: &[u8]) -> Limbs<N> {
    let mut out = [0; N];
    for (limb, chunk) in out.iter_mut().zip(bytes.rchunks(8)) {
        *limb = chunk.iter().fold(0, |acc, &b| (acc << 8) | u64::from(b));
    }
    out
}

/// Writes a number big-endian into as many bytes as `out` has.
pub(super) fn to_be_bytes<const N: usize>(a: &Limbs<N>, out: &mut [u8]) {
    for (chunk, limb) in out
        .rchunks_mut(8)
        .zip(a.iter().chain(core::iter::repeat(&0)))
    {
        let bytes = limb.to_be_bytes();
        chunk.copy_from_slice(&bytes[8 - chunk.len()..]);
    }
}
