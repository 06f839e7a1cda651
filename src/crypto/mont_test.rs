//! The generic arithmetic against num-bigint.
#![allow(clippy::arithmetic_side_effects, reason = "test")]

use super::limbs::{from_be_bytes, to_be_bytes};
use super::mont::Modulus;
use super::{Random, os_random};
use num_bigint::BigUint;

fn random(bits: usize) -> BigUint {
    let mut buffer = vec![0; bits / 8];
    os_random().fill(&mut buffer).unwrap();
    BigUint::from_bytes_be(&buffer)
}

fn limbs<const N: usize>(x: &BigUint) -> [u64; N] {
    from_be_bytes(&x.to_bytes_be()).unwrap()
}

fn big<const N: usize>(x: &[u64; N]) -> BigUint {
    let mut bytes = vec![0; 8 * N];
    to_be_bytes(x, &mut bytes);
    BigUint::from_bytes_be(&bytes)
}

fn check<const N: usize>(n: &BigUint) {
    let modulus = Modulus::<N>::new(limbs(n)).unwrap();
    let all_ones = (BigUint::from(1u32) << (64 * N)) - 1u32;
    let numbers = [
        BigUint::ZERO,
        BigUint::from(1u32),
        n - 1u32,
        n.clone(),
        (n + 1u32) & &all_ones,
        all_ones.clone(),
        random(64 * N),
        random(64 * N),
    ];
    assert_eq!(big(&modulus.leave(&modulus.one())), BigUint::from(1u32) % n);
    for a in &numbers {
        let form = modulus.enter(&limbs(a));
        assert_eq!(big(&modulus.leave(&form)), a % n);
        assert_eq!(big(&modulus.leave(&modulus.square(&form))), a * a % n);
        for b in &numbers {
            let product = modulus.multiply_plain(&form, &limbs(b));
            assert_eq!(big(&product), a * b % n);
            let product = modulus.multiply(&form, &modulus.enter(&limbs(b)));
            assert_eq!(big(&modulus.leave(&product)), a * b % n);
        }
    }
    for (a, b) in numbers.iter().zip(numbers.iter().rev()) {
        let (a, b) = (a % n, b % n);
        assert_eq!(big(&modulus.add(&limbs(&a), &limbs(&b))), (&a + &b) % n);
        assert_eq!(big(&modulus.double(&limbs(&a))), &a * 2u32 % n);
    }
}

#[test]
fn any_odd_modulus() {
    let one = BigUint::from(1u32);
    for n in [one.clone(), 3u32.into(), (&one << 64u32) - 1u32] {
        check::<1>(&n);
    }
    for _ in 0..4 {
        check::<3>(&(random(160) | &one | (&one << 159u32)));
        check::<16>(&(random(1024) | &one | (&one << 1023u32)));
        check::<24>(&(random(1100) | &one));
    }
    check::<3>(&((&one << 192u32) - 1u32));
    check::<16>(&((&one << 1024u32) - 1u32));
    check::<16>(&((&one << 1023u32) + 1u32));
    check::<48>(&((&one << 3072u32) - 1u32));
}

#[test]
fn even_moduli_are_refused() {
    assert!(Modulus::new([0u64]).is_none());
    assert!(Modulus::new([4u64, 1]).is_none());
}
