//! The numbers 2 q k + 1, and those of them that no small prime divides.
#![forbid(unsafe_code)]
// Lengths are fixed by the types, and every sum is bounded as said beside it.
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use core::iter::repeat;

type Limbs<const N: usize> = [u64; N];

/// Limbs of p.
const P: usize = 16;
/// Limbs of 2 q.
const Q: usize = 3;

/// Steps looked at from one start. A prime is expected after 355, so that
/// this many without one are a matter of one start in 100,000.
const STEPS: usize = 4096;

/// first, first + step, first + 2 step, ...
pub(super) struct Progression {
    first: Limbs<P>,
    step: Limbs<Q>,
}

impl Progression {
    /// The numbers 2 q k + 1 from just below `start` (of 1024 bits) upwards.
    pub(super) fn new(start: &Limbs<P>, q: &Limbs<Q>) -> Self {
        // q has 160 bits, so doubling keeps within three limbs.
        let step = [q[0] << 1, q[1] << 1 | q[0] >> 63, q[2] << 1 | q[1] >> 63];
        let (_, rest) = divide(start, &step);
        let mut first = *start;
        let mut borrow = false;
        for (limb, rest) in first.iter_mut().zip(rest.into_iter().chain(repeat(0))) {
            let (d, b1) = limb.overflowing_sub(rest);
            let (d, b2) = d.overflowing_sub(u64::from(borrow));
            *limb = d;
            borrow = b1 | b2;
        }
        // A multiple of the even step.
        first[0] |= 1;
        Self { first, step }
    }

    /// The progression's numbers of exactly 1024 bits that none of the primes
    /// divides, in order.
    pub(super) fn candidates(&self, primes: &[u32]) -> impl Iterator<Item = Limbs<P>> {
        let mut divisible = vec![false; STEPS];
        // Two primes share one division of the long numbers.
        for pair in primes.chunks(2) {
            let product = pair.iter().product();
            let first = remainder(&self.first, product);
            let step = remainder(&self.step, product);
            for &prime in pair {
                // first + k step = 0 mod prime; a prime that divides the
                // step never divides an element (it would be q).
                if let Some(inverse) = invert(step % prime, prime) {
                    let negated = u64::from(prime - first % prime);
                    let k = negated * u64::from(inverse) % u64::from(prime);
                    let from = usize::try_from(k).unwrap_or(STEPS);
                    for mark in divisible.iter_mut().skip(from).step_by(prime as usize) {
                        *mark = true;
                    }
                }
            }
        }
        divisible
            .into_iter()
            .zip(0..)
            .filter(|&(divisible, _)| !divisible)
            .filter_map(|(_, k)| self.element(k))
            .filter(is_full)
    }

    /// first + k step, unless it is too long.
    fn element(&self, k: u64) -> Option<Limbs<P>> {
        let mut out = self.first;
        let mut carry = 0;
        for (limb, step) in out.iter_mut().zip(self.step.into_iter().chain(repeat(0))) {
            // At most (2^64 - 1)^2 + 2 (2^64 - 1) = 2^128 - 1.
            let t = u128::from(step) * u128::from(k) + u128::from(*limb) + carry;
            #[allow(clippy::cast_possible_truncation)]
            {
                *limb = t as u64;
            }
            carry = t >> 64;
        }
        (carry == 0).then_some(out)
    }
}

/// Whether the number has exactly 1024 bits.
fn is_full(number: &Limbs<P>) -> bool {
    number[P - 1] >> 63 == 1
}

/// Quotient and remainder by a divisor of less than 192 bits, bit by bit.
pub(super) fn divide(number: &Limbs<P>, divisor: &Limbs<Q>) -> (Limbs<P>, Limbs<Q>) {
    let mut quotient = [0; P];
    let mut rest = [0u64; Q];
    for bit in (0..64 * P).rev() {
        let next = number[bit / 64] >> (bit % 64) & 1;
        rest = [
            rest[0] << 1 | next,
            rest[1] << 1 | rest[0] >> 63,
            rest[2] << 1 | rest[1] >> 63,
        ];
        let (d0, b0) = rest[0].overflowing_sub(divisor[0]);
        let (d1, b1) = rest[1].overflowing_sub(divisor[1]);
        let (d1, b2) = d1.overflowing_sub(u64::from(b0));
        let (d2, b3) = rest[2].overflowing_sub(divisor[2]);
        let (d2, b4) = d2.overflowing_sub(u64::from(b1 | b2));
        if !(b3 | b4) {
            rest = [d0, d1, d2];
            quotient[bit / 64] |= 1 << (bit % 64);
        }
    }
    (quotient, rest)
}

/// number mod divisor, which is not zero.
pub(super) fn remainder<const N: usize>(number: &Limbs<N>, divisor: u32) -> u32 {
    let divisor = u64::from(divisor);
    let rest = number.iter().rev().fold(0, |rest, limb| {
        // rest < divisor < 2^32 throughout.
        let rest = (rest << 32 | limb >> 32) % divisor;
        (rest << 32 | limb & 0xffff_ffff) % divisor
    });
    u32::try_from(rest).unwrap_or(0)
}

/// 1 / a modulo a prime below 2^31; none for 0. By Euclid's algorithm.
fn invert(a: u32, prime: u32) -> Option<u32> {
    let (mut r0, mut r1) = (i64::from(prime), i64::from(a));
    let (mut t0, mut t1) = (0i64, 1i64);
    while r1 != 0 {
        let quotient = r0 / r1;
        (r0, r1) = (r1, r0 - quotient * r1);
        (t0, t1) = (t1, t0 - quotient * t1);
    }
    if r0 != 1 {
        return None;
    }
    u32::try_from(t0.rem_euclid(i64::from(prime))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigUint;

    fn big(limbs: &[u64]) -> BigUint {
        limbs
            .iter()
            .rev()
            .fold(BigUint::default(), |acc, &limb| (acc << 64u32) + limb)
    }

    /// Limbs that look random and are the same in every run.
    fn limbs<const N: usize>(seed: u64) -> Limbs<N> {
        let mut state = seed;
        core::array::from_fn(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state ^ state >> 29
        })
    }

    #[test]
    fn division_agrees_with_an_independent_one() {
        for seed in 0..20 {
            let number = limbs(seed);
            let mut divisor: Limbs<Q> = limbs(seed + 100);
            divisor[2] >>= 31;
            let (quotient, rest) = divide(&number, &divisor);
            assert_eq!(big(&quotient), big(&number) / big(&divisor));
            assert_eq!(big(&rest), big(&number) % big(&divisor));
            let small = u32::MAX - u32::try_from(seed).unwrap();
            let expected = big(&number) % small;
            assert_eq!(BigUint::from(remainder(&number, small)), expected);
        }
    }

    #[test]
    fn inverses_are_inverse() {
        for prime in [3, 5, 257, 32749] {
            assert_eq!(invert(0, prime), None);
            for a in 1..prime.min(300) {
                let inverse = u64::from(invert(a, prime).unwrap());
                assert_eq!(inverse * u64::from(a) % u64::from(prime), 1);
            }
        }
    }

    #[test]
    fn the_sieve_keeps_exactly_what_no_small_prime_divides() {
        let mut start: Limbs<P> = limbs(1);
        start[P - 1] |= 1 << 63;
        let mut q: Limbs<Q> = limbs(2);
        q[0] |= 1;
        q[2] = 0xffff_fff1;
        let progression = Progression::new(&start, &q);
        assert!(big(&progression.first) <= big(&start));
        assert!(big(&progression.first) + big(&progression.step) > big(&start));
        assert_eq!(big(&progression.step), big(&q) * 2u32);

        let primes = [3, 5, 7, 11, 13, 17, 19];
        let kept: Vec<_> = progression
            .candidates(&primes)
            .map(|number| big(&number))
            .collect();
        let expected: Vec<_> = (0..STEPS)
            .map(|k| big(&progression.first) + big(&progression.step) * k)
            .filter(|number| {
                assert_eq!(number % big(&q), BigUint::from(1u32));
                primes
                    .iter()
                    .all(|&prime| number % prime != BigUint::default())
            })
            .collect();
        assert_eq!(kept, expected);
    }

    #[test]
    fn numbers_of_another_length_are_left_out() {
        // 2^1024 - 1: the next element would have 1025 bits.
        let progression = Progression::new(&[u64::MAX; P], &[1, 0, 1 << 31]);
        assert!(progression.candidates(&[]).count() <= 1);
        // 2^1023 itself: the element below has 1023 bits.
        let mut start = [0; P];
        start[P - 1] = 1 << 63;
        let progression = Progression::new(&start, &[1, 0, 1 << 31]);
        let mut candidates = progression.candidates(&[]);
        assert!(!is_full(&progression.first));
        assert!(candidates.all(|number| is_full(&number)));
    }
}
