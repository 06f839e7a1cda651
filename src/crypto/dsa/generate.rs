//! Key generation: q, then p, then g, then the key itself.
//!
//! q is a random prime of 160 bits. p is the first prime of 1024 bits in the
//! progression 2 q k + 1 that starts at a random number, found with a sieve;
//! g is the smallest number above 1 of the form h^((p - 1) / q) with h = 2, 3,
//! and so on. All of these are public; x is uniform in 1..q.
#![forbid(unsafe_code)]

use super::SCALAR_LEN;
use super::field::{Field, WithField, with_field};
use super::power::power;
use super::prime::{IsPrime, small_odd_primes};
use super::progression::{Progression, divide, remainder};
use crate::Error;
use crate::crypto::Random;
use crate::crypto::limbs::{from_be_bytes, to_be_bytes};
use crate::crypto::mont::Modulus;

/// Bytes of p.
const P_LEN: usize = 128;

/// Tests with random bases for q. A composite passes one with a chance of at
/// most 1/4.
const Q_ROUNDS: usize = 40;

/// Tests with random bases for p. For random numbers of this size the chance
/// that a composite passes even five is below 2^-112 (FIPS 186-4, table C.3;
/// Damgard, Landrock and Pomerance, "Average case error estimates for the
/// strong probable prime test", 1993).
const P_ROUNDS: usize = 8;

/// A prime order, its prime modulus, and a generator of the subgroup.
pub(super) struct Domain {
    pub(super) p: [u8; P_LEN],
    pub(super) q: [u8; SCALAR_LEN],
    pub(super) g: Vec<u8>,
}

impl Domain {
    /// Chooses the numbers anew.
    pub(super) fn generate(random: &mut dyn Random) -> Result<Self, Error> {
        let primes = small_odd_primes();
        let q = generate_q(&primes, random)?;
        let p = generate_p(&primes, &q, random)?;
        let exponent = cofactor(&p, &q)?;
        let g = with_field(&p, Generator { exponent })?;
        Ok(Self { p, q, g })
    }
}

fn generate_q(primes: &[u32], random: &mut dyn Random) -> Result<[u8; SCALAR_LEN], Error> {
    loop {
        let mut q = [0; SCALAR_LEN];
        random.fill(&mut q)?;
        set_ends(&mut q);
        let number = limbs::<3>(&q)?;
        if primes.iter().any(|&prime| remainder(&number, prime) == 0) {
            continue;
        }
        let field = Modulus::new(number).ok_or(Error::OutOfRange)?;
        let test = IsPrime {
            number: &q,
            rounds: Q_ROUNDS,
            random,
        };
        if test.run(field)? {
            return Ok(q);
        }
    }
}

fn limbs<const N: usize>(number: &[u8]) -> Result<[u64; N], Error> {
    from_be_bytes(number).ok_or(Error::OutOfRange)
}

/// Sets the highest and the lowest bit.
fn set_ends(number: &mut [u8]) {
    if let Some(first) = number.first_mut() {
        *first |= 0x80;
    }
    if let Some(last) = number.last_mut() {
        *last |= 1;
    }
}

fn generate_p(
    primes: &[u32],
    q: &[u8; SCALAR_LEN],
    random: &mut dyn Random,
) -> Result<[u8; P_LEN], Error> {
    loop {
        let mut start = [0; P_LEN];
        random.fill(&mut start)?;
        set_ends(&mut start);
        let progression = Progression::new(&limbs(&start)?, &limbs(q)?);
        for candidate in progression.candidates(primes) {
            let mut p = [0; P_LEN];
            to_be_bytes(&candidate, &mut p);
            let test = IsPrime {
                number: &p,
                rounds: P_ROUNDS,
                random,
            };
            if with_field(&p, test)?? {
                return Ok(p);
            }
        }
    }
}

/// (p - 1) / q, big-endian.
fn cofactor(p: &[u8; P_LEN], q: &[u8; SCALAR_LEN]) -> Result<[u8; P_LEN], Error> {
    let (quotient, _) = divide(&limbs(p)?, &limbs(q)?);
    let mut out = [0; P_LEN];
    to_be_bytes(&quotient, &mut out);
    Ok(out)
}

/// Finds g.
struct Generator {
    exponent: [u8; P_LEN],
}

impl WithField for Generator {
    type Output = Vec<u8>;

    fn run<F: Field>(self, field: F) -> Vec<u8> {
        let one = field.leave(&field.one());
        // One base in q has the power one.
        (2u8..)
            .map(|base| power(&field, &field.enter(&[base]), &self.exponent))
            .map(|power| field.leave(&power))
            .find(|g| *g != one)
            .unwrap_or(one)
    }
}
