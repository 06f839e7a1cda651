//! Every implementation of the group's arithmetic that this machine can run,
//! against num-bigint.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test"
)]

use num_bigint::BigUint;
use otr::crypto::modp::{
    Challenge, Element, Kernel, Residue, Scalar, SecretExponent, pow, pow_g, pow_g_public,
};
use otr::crypto::{Random, os_random};
use subtle::ConstantTimeEq;

fn p() -> BigUint {
    let hex = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22\
        514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9\
        A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05\
        98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E\
        4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF";
    BigUint::parse_bytes(hex.as_bytes(), 16).unwrap()
}

fn random(bytes: usize) -> BigUint {
    let mut buffer = vec![0; bytes];
    os_random().fill(&mut buffer).unwrap();
    BigUint::from_bytes_be(&buffer)
}

fn element(x: &BigUint) -> Element {
    Element::from_be_bytes(&x.to_bytes_be()).unwrap()
}

fn residue(x: &BigUint) -> Residue {
    Residue::from(&element(x))
}

fn value(x: &Residue) -> BigUint {
    BigUint::from_bytes_be(&x.minimal())
}

fn secret(x: &BigUint, bytes: usize) -> SecretExponent {
    let short = x.to_bytes_be();
    let mut padded = vec![0; bytes - short.len()];
    padded.extend_from_slice(&short);
    SecretExponent::from_be_bytes(&padded).unwrap()
}

/// Elements at the edges of the range and of limbs and digits.
fn bases() -> Vec<BigUint> {
    let one = BigUint::from(1u32);
    let mut bases = vec![
        BigUint::from(2u32),
        BigUint::from(3u32),
        p() - 2u32,
        p() - 3u32,
        &one << 1535u32,
        &one << 1472u32,
        (&one << 1472u32) - 1u32,
        (&one << 64u32) - 1u32,
        (&one << 52u32) - 1u32,
        &one << 52u32,
        (&one << 1536u32) - p(),
    ];
    bases.extend((0..6).map(|_| random(192) % p()));
    bases
}

/// Exponents of `bytes` bytes at the edges.
fn exponents(bytes: usize) -> Vec<BigUint> {
    let one = BigUint::from(1u32);
    let mut exponents = vec![
        BigUint::ZERO,
        one.clone(),
        BigUint::from(31u32),
        BigUint::from(32u32),
        (&one << (8 * bytes)) - 1u32,
        &one << (8 * bytes - 1),
    ];
    exponents.extend((0..3).map(|_| random(bytes)));
    exponents
}

#[test]
fn products() {
    for kernel in Kernel::available() {
        for a in bases() {
            for b in bases() {
                let product = kernel.multiply(&residue(&a), &residue(&b));
                assert_eq!(value(&product), &a * &b % p(), "{}", kernel.name());
            }
        }
    }
}

#[test]
fn powers() {
    for (bytes, few) in [(1, 17), (32, 17), (40, 17), (192, 5)] {
        for e in exponents(bytes) {
            for b in bases().iter().rev().take(few) {
                let wanted = b.modpow(&e, &p());
                for kernel in Kernel::available() {
                    let power = kernel.pow(&residue(b), &secret(&e, bytes));
                    assert_eq!(value(&power), wanted, "{}", kernel.name());
                }
            }
        }
    }
}

#[test]
fn powers_of_the_generator() {
    let two = BigUint::from(2u32);
    for bytes in [1, 32, 40, 41, 192] {
        for e in exponents(bytes) {
            let wanted = two.modpow(&e, &p());
            for kernel in Kernel::available() {
                let power = kernel.pow_g(&secret(&e, bytes));
                assert_eq!(value(&power), wanted, "{}", kernel.name());
            }
        }
    }
}

/// One bit at a time visits every entry that holds a single tooth.
#[test]
fn every_bit_of_an_exponent_of_the_generator() {
    let two = BigUint::from(2u32);
    for bit in 0..1536u32 {
        let e = BigUint::from(1u32) << bit;
        let wanted = two.modpow(&e, &p());
        for kernel in Kernel::available() {
            let long = kernel.pow_g(&secret(&e, 192));
            assert_eq!(value(&long), wanted, "{} {bit}", kernel.name());
            if bit < 320 {
                let short = kernel.pow_g(&secret(&e, 40));
                assert_eq!(value(&short), wanted, "{} {bit}", kernel.name());
            }
        }
    }
}

#[test]
fn powers_from_a_table() {
    let q = (p() - 1u32) >> 1u32;
    for b in bases().iter().rev().take(8) {
        let mut cases: Vec<_> = exponents(192).into_iter().map(|e| (e, 192)).collect();
        cases.push((random(32), 32));
        let d = random(192) % &q;
        let power_d = b.modpow(&d, &p());
        let d = Scalar::from_be_bytes(&d.to_bytes_be()).unwrap();
        let wanted: Vec<_> = cases.iter().map(|(e, _)| b.modpow(e, &p())).collect();
        for kernel in Kernel::available() {
            let table = kernel.table(&residue(b));
            for ((e, bytes), wanted) in cases.iter().zip(&wanted) {
                let power = table.pow(&secret(e, *bytes));
                assert_eq!(value(&power), *wanted, "{}", kernel.name());
            }
            assert_eq!(value(&table.pow_public(&d)), power_d, "{}", kernel.name());
        }
    }
}

#[test]
fn public_exponents() {
    let two = BigUint::from(2u32);
    let q = (p() - 1u32) >> 1u32;
    for kernel in Kernel::available() {
        for b in bases() {
            let c = random(32);
            let challenge = Challenge::from_be_bytes(&c.to_bytes_be()).unwrap();
            let power = kernel.pow_public(&residue(&b), &challenge);
            assert_eq!(value(&power), b.modpow(&c, &p()), "{}", kernel.name());
        }
        let d = random(192) % &q;
        let scalar = Scalar::from_be_bytes(&d.to_bytes_be()).unwrap();
        let power = kernel.pow_g_public(&scalar);
        assert_eq!(value(&power), two.modpow(&d, &p()), "{}", kernel.name());
    }
}

#[test]
fn division() {
    for a in bases() {
        for b in bases() {
            let quotient = residue(&a).divide(&element(&b));
            assert_eq!(value(&quotient) * &b % p(), a);
        }
    }
}

#[test]
fn responses() {
    let q = (p() - 1u32) >> 1u32;
    let one = BigUint::from(1u32);
    let largest = (&one << 1536u32) - 1u32;
    let mut cases = vec![
        (BigUint::ZERO, BigUint::ZERO, BigUint::ZERO),
        (BigUint::ZERO, one.clone(), one.clone()),
        (largest.clone(), largest.clone(), (&one << 256u32) - 1u32),
        (BigUint::ZERO, largest, (&one << 256u32) - 1u32),
        (q.clone(), one.clone(), BigUint::ZERO),
        (&q * 2u32, q.clone(), one.clone()),
        (&q - 1u32, &q - 1u32, one),
    ];
    cases.extend((0..20).map(|_| (random(192), random(192), random(32))));
    cases.extend((0..5).map(|_| (random(192), random(32), random(32))));
    for (r, s, c) in cases {
        let challenge = Challenge::from_be_bytes(&c.to_bytes_be()).unwrap();
        let d = Scalar::respond(&secret(&r, 192), &secret(&s, 192), &challenge);
        let wanted = (&r + &q - &s * &c % &q) % &q;
        assert_eq!(BigUint::from_bytes_be(&d.minimal()), wanted);
    }
}

/// The equation that SMP's simplest proof rests on.
#[test]
fn proof_holds() {
    let mut rng = os_random();
    let x = SecretExponent::random_1536(&mut rng).unwrap();
    let r = SecretExponent::random_1536(&mut rng).unwrap();
    let c = Challenge::new([0xa5; 32]);
    let d = Scalar::respond(&r, &x, &c);
    let check = pow_g_public(&d).multiply(&pow_g(&x).pow_public(&c));
    assert!(bool::from(check.ct_eq(&pow_g(&r))));
}

#[test]
fn both_sides_share_a_secret() {
    let mut rng = os_random();
    let x = SecretExponent::random_320(&mut rng).unwrap();
    let y = SecretExponent::random_320(&mut rng).unwrap();
    let gx = pow_g(&x).to_element().unwrap();
    let gy = pow_g(&y).to_element().unwrap();
    assert!(bool::from(pow(&gx, &y).ct_eq(&pow(&gy, &x))));
    assert!(!bool::from(pow(&gx, &x).ct_eq(&pow(&gy, &x))));
}
