//! What is refused before any arithmetic, and what the rest may cost.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests"
)]

use num_bigint::BigUint;
use otr::Error;
use otr::crypto::dsa::{PrivateKey, PublicKey};
use otr::wire::{Reader, Writer};
use std::time::{Duration, Instant};

fn power_of_two(exponent: u32) -> BigUint {
    BigUint::from(1u32) << exponent
}

/// Numbers within the bounds: p = 2^1024 - 1, q = 2^160 - 1, g = 2, y = 3.
fn numbers() -> [BigUint; 4] {
    let p = power_of_two(1024) - 1u32;
    let q = power_of_two(160) - 1u32;
    [p, q, BigUint::from(2u32), BigUint::from(3u32)]
}

/// The numbers with one of them replaced.
fn with(index: usize, number: BigUint) -> Result<PublicKey, Error> {
    let mut numbers = numbers();
    numbers[index] = number;
    key(&numbers)
}

fn key(numbers: &[BigUint; 4]) -> Result<PublicKey, Error> {
    let [p, q, g, y] = numbers.each_ref().map(BigUint::to_bytes_be);
    PublicKey::from_components(&p, &q, &g, &y)
}

#[test]
fn keys_at_the_ends_of_the_range_are_taken() {
    key(&numbers()).unwrap();
    for p in [
        power_of_two(1023) + 1u32,
        power_of_two(3072) - 1u32,
        power_of_two(3071) + 1u32,
    ] {
        with(0, p).unwrap();
    }
    with(1, power_of_two(159) + 1u32).unwrap();
    let last = power_of_two(1024) - 2u32;
    with(2, last.clone()).unwrap();
    with(3, last).unwrap();
}

#[test]
fn p_outside_1024_to_3072_bits_or_even_is_refused() {
    for p in [
        BigUint::ZERO,
        BigUint::from(5u32),
        power_of_two(1023) - 1u32,
        power_of_two(1024) - 2u32,
        power_of_two(3072) + 1u32,
        power_of_two(100_000) + 1u32,
    ] {
        assert_eq!(with(0, p).err(), Some(Error::OutOfRange));
    }
}

#[test]
fn q_without_exactly_160_bits_or_even_is_refused() {
    for q in [
        BigUint::ZERO,
        BigUint::from(1u32),
        power_of_two(159) - 1u32,
        power_of_two(160) + 1u32,
        power_of_two(160) - 2u32,
        power_of_two(256) - 1u32,
        power_of_two(60_000) - 1u32,
    ] {
        assert_eq!(with(1, q).err(), Some(Error::OutOfRange));
    }
}

#[test]
fn g_and_y_outside_2_to_p_minus_1_are_refused() {
    let p = power_of_two(1024) - 1u32;
    for number in [
        BigUint::ZERO,
        BigUint::from(1u32),
        p.clone(),
        &p + 1u32,
        power_of_two(1025),
        power_of_two(90_000),
    ] {
        assert_eq!(with(2, number.clone()).err(), Some(Error::OutOfRange));
        assert_eq!(with(3, number).err(), Some(Error::OutOfRange));
    }
}

#[test]
fn x_outside_1_to_q_minus_1_is_refused() {
    let [p, q, g, y] = numbers().map(|number| number.to_bytes_be());
    let one = BigUint::from(1u32);
    let order = BigUint::from_bytes_be(&q);
    let make = |x: &[u8]| PrivateKey::from_components(&p, &q, &g, &y, x).map(|key| *key.x());
    for x in [BigUint::ZERO, order.clone(), &order + &one, &order << 8u32] {
        assert_eq!(make(&x.to_bytes_be()).err(), Some(Error::OutOfRange));
    }
    assert_eq!(make(&[]).err(), Some(Error::OutOfRange));
    for x in [one.clone(), order - one] {
        let padded = [vec![0; 7], x.to_bytes_be()].concat();
        let kept = make(&padded).unwrap();
        assert_eq!(BigUint::from_bytes_be(&kept), x, "leading zeros are taken");
    }
}

#[test]
fn a_wire_form_cut_short_or_too_long_is_refused_and_not_consumed() {
    let wire = key(&numbers()).unwrap().to_wire();
    for end in 0..wire.len() {
        let mut reader = Reader::new(&wire[..end]);
        assert_eq!(PublicKey::parse(&mut reader).err(), Some(Error::Truncated));
        assert_eq!(reader.rest().len(), end);
    }
    let mut long = Writer::new();
    long.mpi(&[0xff; 22_000]);
    long.bytes(&wire);
    let long = long.finish().unwrap();
    let refusal = PublicKey::parse(&mut Reader::new(&long)).err();
    assert_eq!(refusal, Some(Error::TooLong));

    let mut followed = wire.clone();
    followed.extend([1, 2, 3]);
    let mut reader = Reader::new(&followed);
    PublicKey::parse(&mut reader).unwrap();
    assert_eq!(reader.rest(), [1, 2, 3]);
}

#[test]
fn leading_zeros_do_not_change_a_key_or_its_fingerprint() {
    let plain = key(&numbers()).unwrap();
    let [p, q, g, y] = numbers().map(|number| {
        let bytes = number.to_bytes_be();
        [vec![0; 3], bytes].concat()
    });
    let padded = PublicKey::from_components(&p, &q, &g, &y).unwrap();
    assert_eq!(padded, plain);
    assert_eq!(padded.fingerprint(), plain.fingerprint());
}

/// The dearest key there is costs milliseconds, in a debug build too.
#[test]
fn no_key_makes_a_verification_expensive() {
    let all_ones = power_of_two(3072) - 1u32;
    let [_, q, ..] = numbers();
    let key = key(&[
        all_ones.clone(),
        q.clone(),
        &all_ones - 1u32,
        &all_ones - 2u32,
    ])
    .unwrap();
    let number: [u8; 20] = (q - 1u32).to_bytes_be().try_into().unwrap();
    let mut signature = [0; 40];
    signature[..20].copy_from_slice(&number);
    signature[20..].copy_from_slice(&number);
    let start = Instant::now();
    assert_eq!(
        key.verify(&[0xff; 32], &signature),
        Err(Error::BadSignature)
    );
    assert!(start.elapsed() < Duration::from_millis(300));
}
