//! Primality of numbers that we chose at random.
//!
//! The test is Miller and Rabin's: base 2 first, which removes practically
//! every composite, then random bases. It runs in variable time; p and q are
//! public.
#![forbid(unsafe_code)]

use super::field::{Field, WithField};
use super::power::{power, power_of_two};
use crate::Error;
use crate::crypto::Random;
use zeroize::Zeroizing;

/// The odd primes below 2^15.
pub(super) fn small_odd_primes() -> Vec<u32> {
    const LIMIT: usize = 1 << 15;
    let mut composite = vec![false; LIMIT];
    let mut primes = Vec::new();
    for number in (3..LIMIT).step_by(2) {
        if composite.get(number) == Some(&true) {
            continue;
        }
        primes.extend(u32::try_from(number));
        for multiple in composite
            .iter_mut()
            .skip(number.saturating_mul(number))
            .step_by(number)
        {
            *multiple = true;
        }
    }
    primes
}

/// Asks whether an odd number, big-endian without leading zeros, is a prime.
pub(super) struct IsPrime<'a> {
    /// The number, of at least two bytes.
    pub(super) number: &'a [u8],
    /// Tests with random bases, after the one with base 2.
    pub(super) rounds: usize,
    pub(super) random: &'a mut dyn Random,
}

impl WithField for IsPrime<'_> {
    type Output = Result<bool, Error>;

    fn run<F: Field>(self, field: F) -> Result<bool, Error> {
        let test = Test::new(&field, self.number);
        if !test.passes(&power_of_two(&field, &test.odd)) {
            return Ok(false);
        }
        let mut bytes = Zeroizing::new(vec![0; self.number.len()]);
        for _ in 0..self.rounds {
            self.random.fill(&mut bytes)?;
            let base = field.enter(&bytes);
            // A multiple of the number tells nothing and would fail.
            let trivial = field.leave(&base).iter().all(|&byte| byte == 0);
            if !trivial && !test.passes(&power(&field, &base, &test.odd)) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// n - 1 = odd * 2^twos.
struct Test<'a, F: Field> {
    field: &'a F,
    odd: Vec<u8>,
    twos: usize,
    one: Vec<u8>,
    minus_one: Vec<u8>,
}

impl<'a, F: Field> Test<'a, F> {
    fn new(field: &'a F, number: &[u8]) -> Self {
        let one = field.leave(&field.one());
        let mut minus_one = vec![0; one.len().saturating_sub(number.len())];
        minus_one.extend_from_slice(number);
        if let Some(last) = minus_one.last_mut() {
            *last &= !1;
        }
        let mut odd = minus_one.clone();
        let mut twos: usize = 0;
        while odd.last().is_some_and(|last| last & 1 == 0) {
            halve(&mut odd);
            twos = twos.saturating_add(1);
        }
        Self {
            field,
            odd,
            twos,
            one,
            minus_one,
        }
    }

    /// Whether a base's power to the odd part is as it would be for a prime.
    fn passes(&self, power: &F::Element) -> bool {
        let mut power = *power;
        for squarings in 0..self.twos {
            let value = self.field.leave(&power);
            if value == self.minus_one || squarings == 0 && value == self.one {
                return true;
            }
            power = self.field.square(&power);
        }
        false
    }
}

/// Half of a big-endian even number.
fn halve(number: &mut [u8]) {
    let mut carry = 0;
    for byte in number {
        let next = *byte << 7;
        *byte = *byte >> 1 | carry;
        carry = next;
    }
}
