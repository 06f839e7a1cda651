//! Computes the tables of powers of the generator 2 that `crypto::modp` reads.
//!
//! All of them are powers of two modulo p, written as plain numbers; a test
//! in `src/crypto/modp/comb_test.rs` computes each again with another library.

#[allow(dead_code)]
#[path = "../src/crypto/modp/group.rs"]
mod group;

use group::{LIMBS, Limbs, P, Q};
use std::fmt::{Display, Write};

/// Bits of an exponent that are looked up at once.
const TEETH: usize = 5;
/// Tables per comb, each for a different stretch of every tooth.
const BLOCKS: usize = 4;

/// Binary logarithms of the numbers R that implementations divide by.
const RADICES: [usize; 3] = [1536, 1539, 1560];

/// Rust source with the constants of the generator's two combs.
pub(crate) fn source() -> String {
    let mut text = String::new();
    for radix in RADICES {
        let r = format!("R_{radix}");
        define(&mut text, &r, (radix, "p"), &power_of_two(radix, &P));
        let square = power_of_two(2 * radix, &P);
        define(
            &mut text,
            &format!("{r}_SQUARED"),
            (2 * radix, "p"),
            &square,
        );
    }
    define(
        &mut text,
        "R_1536_MOD_Q",
        (1536, "q"),
        &power_of_two(1536, &Q),
    );
    define(
        &mut text,
        "R_1536_SQUARED_MOD_Q",
        (3072, "q"),
        &power_of_two(3072, &Q),
    );
    for (name, bits) in [("SHORT", 320usize), ("LONG", 1536)] {
        let columns = bits.div_ceil(TEETH * BLOCKS);
        comb(&mut text, name, columns);
        // One division by the radix for each of the products of a comb,
        // doubled by every squaring that follows it.
        let divisions = (BLOCKS as u128) * ((1u128 << columns) - 1);
        for radix in RADICES {
            let exit = power(&to_form(&power_of_two(radix, &P)), divisions);
            let exponent = divisions * radix as u128;
            let name = format!("{name}_EXIT_{radix}");
            define(&mut text, &name, (exponent, "p"), &from_form(&exit));
        }
    }
    text
}

fn comb(text: &mut String, name: &str, columns: usize) {
    let stretch = columns * BLOCKS;
    // squares[i] is 2^(2^i) in Montgomery form.
    let mut squares = vec![to_form(&power_of_two(1, &P))];
    while squares.len() < stretch * TEETH {
        let last = squares[squares.len() - 1];
        squares.push(product(&last, &last));
    }
    let size = (1 << TEETH) - 1;
    writeln!(
        text,
        "pub(super) static {name}: [[Limbs; {size}]; {BLOCKS}] = ["
    )
    .unwrap();
    for block in 0..BLOCKS {
        writeln!(text, "[").unwrap();
        let mut entries = vec![to_form(&power_of_two(0, &P))];
        for index in 1..=size as usize {
            let tooth = index.ilog2() as usize;
            let rest = entries[index & !(1 << tooth)];
            let entry = product(&rest, &squares[tooth * stretch + block * columns]);
            writeln!(text, "{:?},", from_form(&entry)).unwrap();
            entries.push(entry);
        }
        writeln!(text, "],").unwrap();
    }
    writeln!(text, "];").unwrap();
}

/// A constant that is a power of two modulo p or q.
fn define(text: &mut String, name: &str, what: (impl Display, &str), value: &Limbs) {
    let (exponent, modulus) = what;
    writeln!(text, "/// 2^{exponent} mod {modulus}.").unwrap();
    writeln!(text, "pub(super) const {name}: Limbs = {value:?};").unwrap();
}

/// 2^`exponent` modulo n, for a modulus n above 2^1534.
fn power_of_two(exponent: usize, n: &Limbs) -> Limbs {
    let mut x = [0; LIMBS];
    x[0] = 1;
    for _ in 0..exponent {
        let mut carry = 0;
        for limb in &mut x {
            let next = *limb >> 63;
            *limb = (*limb << 1) | carry;
            carry = next;
        }
        x = reduce(&x, carry, n);
    }
    x
}

/// x * 2^1536.
fn to_form(x: &Limbs) -> Limbs {
    product(x, &power_of_two(2 * 1536, &P))
}

fn from_form(x: &Limbs) -> Limbs {
    product(x, &power_of_two(0, &P))
}

/// a * b / 2^1536 modulo p, by Montgomery's method; -1/p modulo 2^64 is 1.
fn product(a: &Limbs, b: &Limbs) -> Limbs {
    let mut t = [0u64; LIMBS + 2];
    for &b in b {
        accumulate(&mut t, a, b);
        let m = t[0];
        accumulate(&mut t, &P, m);
        t.copy_within(1.., 0);
        t[LIMBS + 1] = 0;
    }
    let mut low = [0; LIMBS];
    low.copy_from_slice(&t[..LIMBS]);
    reduce(&low, t[LIMBS], &P)
}

fn accumulate(t: &mut [u64; LIMBS + 2], a: &Limbs, b: u64) {
    let mut carry = 0;
    for (t, &a) in t.iter_mut().zip(a) {
        let wide = u128::from(a) * u128::from(b) + u128::from(*t) + carry;
        *t = wide as u64;
        carry = wide >> 64;
    }
    let wide = u128::from(t[LIMBS]) + carry;
    t[LIMBS] = wide as u64;
    t[LIMBS + 1] += (wide >> 64) as u64;
}

/// x + carry * 2^1536, less n if it is not below n.
fn reduce(x: &Limbs, carry: u64, n: &Limbs) -> Limbs {
    let mut out = [0; LIMBS];
    let mut borrow = false;
    for ((out, &x), &n) in out.iter_mut().zip(x).zip(n) {
        let (partial, first) = x.overflowing_sub(n);
        let (rest, second) = partial.overflowing_sub(borrow.into());
        (*out, borrow) = (rest, first || second);
    }
    if carry == 1 || !borrow { out } else { *x }
}

fn power(base: &Limbs, exponent: u128) -> Limbs {
    let mut result = to_form(&power_of_two(0, &P));
    for bit in (0..128).rev() {
        result = product(&result, &result);
        if exponent >> bit & 1 == 1 {
            result = product(&result, base);
        }
    }
    result
}
