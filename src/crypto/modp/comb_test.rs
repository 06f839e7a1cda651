//! The build script's tables against num-bigint.
#![allow(clippy::arithmetic_side_effects, reason = "test")]

use super::generator::{
    LONG, LONG_EXIT_1536, LONG_EXIT_1539, LONG_EXIT_1560, R_1536, R_1536_MOD_Q, R_1536_SQUARED,
    R_1536_SQUARED_MOD_Q, R_1539, R_1539_SQUARED, R_1560, R_1560_SQUARED, SHORT, SHORT_EXIT_1536,
    SHORT_EXIT_1539, SHORT_EXIT_1560,
};
use super::group::{Limbs, P, Q};
use num_bigint::BigUint;

fn big(limbs: &Limbs) -> BigUint {
    limbs
        .iter()
        .rev()
        .fold(BigUint::ZERO, |all, &limb| (all << 64) + limb)
}

fn power_of_two(exponent: &BigUint) -> BigUint {
    BigUint::from(2u32).modpow(exponent, &big(&P))
}

#[test]
fn tables() {
    for (tables, columns) in [(&SHORT, 16), (&LONG, 77)] {
        for (block, table) in tables.iter().enumerate() {
            for (number, entry) in (1u32..).zip(table) {
                let exponent = (0..5)
                    .filter(|tooth| number >> tooth & 1 == 1)
                    .map(|tooth| BigUint::from(1u32) << ((tooth * 4 + block) * columns))
                    .sum();
                assert_eq!(
                    big(entry),
                    power_of_two(&exponent),
                    "block {block} entry {number}"
                );
            }
        }
    }
}

#[test]
fn constants() {
    let two = BigUint::from(2u32);
    for (constant, exponent, modulus) in [
        (&R_1536, 1536u32, &P),
        (&R_1539, 1539, &P),
        (&R_1560, 1560, &P),
        (&R_1536_SQUARED, 3072, &P),
        (&R_1539_SQUARED, 3078, &P),
        (&R_1560_SQUARED, 3120, &P),
        (&R_1536_MOD_Q, 1536, &Q),
        (&R_1536_SQUARED_MOD_Q, 3072, &Q),
    ] {
        let wanted = two.modpow(&exponent.into(), &big(modulus));
        assert_eq!(big(constant), wanted, "2^{exponent}");
    }
    for (exit, radix, columns) in [
        (&SHORT_EXIT_1536, 1536u32, 16u32),
        (&SHORT_EXIT_1539, 1539, 16),
        (&SHORT_EXIT_1560, 1560, 16),
        (&LONG_EXIT_1536, 1536, 77),
        (&LONG_EXIT_1539, 1539, 77),
        (&LONG_EXIT_1560, 1560, 77),
    ] {
        // Four products per column, and every squaring doubles what is missing.
        let missing = (0..columns).fold(BigUint::ZERO, |missing, _| missing * 2u32 + 4u32);
        assert_eq!(big(exit), power_of_two(&(missing * radix)));
    }
}
