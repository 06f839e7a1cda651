//! Every available implementation on numbers that need not be reduced, against
//! num-bigint.
#![allow(clippy::arithmetic_side_effects, reason = "test")]

use super::group::{Limbs, P};
use super::kernel::{Arithmetic, Kernel, with_arithmetic};
use crate::crypto::limbs::{from_be_bytes, to_be_bytes};
use crate::crypto::{Random, os_random};
use num_bigint::BigUint;

fn big(limbs: &Limbs) -> BigUint {
    let mut bytes = [0; 192];
    to_be_bytes(limbs, &mut bytes);
    BigUint::from_bytes_be(&bytes)
}

fn limbs(x: &BigUint) -> Limbs {
    from_be_bytes(&x.to_bytes_be()).unwrap()
}

/// Numbers below 2^1536 that provoke carries in limbs and digits, and others.
fn numbers() -> Vec<BigUint> {
    let one = BigUint::from(1u32);
    let p = big(&P);
    let all_ones = (&one << 1536u32) - 1u32;
    let mut numbers = vec![
        BigUint::ZERO,
        one.clone(),
        BigUint::from(2u32),
        &p - 1u32,
        p.clone(),
        &p + 1u32,
        (&p - 1u32) >> 1u32,
        all_ones.clone(),
        &all_ones - 1u32,
        &all_ones - &p,
        &one << 1535u32,
    ];
    for bits in [52u32, 64, 104, 128, 416, 512, 1024, 1472, 1508] {
        numbers.push(&one << bits);
        numbers.push((&one << bits) - 1u32);
        numbers.push(&all_ones - ((&one << bits) - 1u32));
    }
    for pattern in [[u64::MAX, 0], [0, u64::MAX], [1 << 63, 1]] {
        let limbs: Limbs = core::array::from_fn(|i| pattern[i % 2]);
        numbers.push(big(&limbs));
    }
    for _ in 0..8 {
        let mut bytes = [0; 192];
        os_random().fill(&mut bytes).unwrap();
        numbers.push(BigUint::from_bytes_be(&bytes));
    }
    numbers
}

fn check<A: Arithmetic>(arithmetic: A, name: &str) {
    let p = big(&P);
    let squared = arithmetic.plain(&A::R_SQUARED);
    assert_eq!(big(&arithmetic.leave(&A::ONE)), 1u32.into(), "{name}");
    for a in numbers() {
        let form = arithmetic.enter(&limbs(&a));
        assert_eq!(big(&arithmetic.leave(&form)), &a % &p, "{name}");
        for times in [0, 1, 2, 5] {
            let mut power = form;
            arithmetic.square(&mut power, times);
            let wanted = a.modpow(&(BigUint::from(1u32) << times), &p);
            assert_eq!(big(&arithmetic.leave(&power)), wanted, "{name}");
        }
        // Squaring numbers that are not forms: a^2 / R, then twice times R.
        let mut square = arithmetic.plain(&limbs(&a));
        arithmetic.square(&mut square, 1);
        arithmetic.multiply(&mut square, &squared);
        arithmetic.multiply(&mut square, &squared);
        assert_eq!(big(&arithmetic.leave(&square)), &a * &a % &p, "{name}");
        for b in numbers() {
            let wanted = &a * &b % &p;
            let out = arithmetic.multiply_out(&form, &limbs(&b));
            assert_eq!(big(&out), wanted, "{name}");
            let mut product = arithmetic.plain(&limbs(&a));
            arithmetic.multiply(&mut product, &arithmetic.plain(&limbs(&b)));
            arithmetic.multiply(&mut product, &squared);
            arithmetic.multiply(&mut product, &squared);
            assert_eq!(big(&arithmetic.leave(&product)), wanted, "{name}");
        }
    }
}

#[test]
fn unreduced_numbers() {
    for kernel in Kernel::available() {
        with_arithmetic!(kernel, arithmetic => check(arithmetic, kernel.name()));
    }
}

/// Long chains, so that intermediate results of every kind occur.
#[test]
fn chains() {
    let p = big(&P);
    for kernel in Kernel::available() {
        with_arithmetic!(kernel, arithmetic => {
            for a in numbers() {
                let mut power = arithmetic.enter(&limbs(&a));
                arithmetic.square(&mut power, 1000);
                let wanted = a.modpow(&(BigUint::from(1u32) << 1000u32), &p);
                assert_eq!(big(&arithmetic.leave(&power)), wanted, "{}", kernel.name());
            }
        });
    }
}

#[test]
fn selections() {
    fn check<A: Arithmetic>(arithmetic: A) {
        let numbers = numbers();
        let table: Vec<Limbs> = numbers.iter().map(limbs).collect();
        let forms: Vec<_> = table.iter().map(|x| arithmetic.enter(x)).collect();
        let plain = |chosen| {
            let mut form = chosen;
            arithmetic.multiply(&mut form, &arithmetic.plain(&A::R_SQUARED));
            big(&arithmetic.leave(&form))
        };
        for (index, wanted) in (0u64..).zip(&numbers) {
            let chosen = arithmetic.select(&forms, index);
            assert_eq!(big(&arithmetic.leave(&chosen)), wanted % big(&P));
            assert_eq!(
                plain(arithmetic.select_plain(&table, index + 1)),
                wanted % big(&P)
            );
        }
        assert_eq!(plain(arithmetic.select_plain(&table, 0)), 1u32.into());
    }
    for kernel in Kernel::available() {
        with_arithmetic!(kernel, arithmetic => check(arithmetic));
    }
}
