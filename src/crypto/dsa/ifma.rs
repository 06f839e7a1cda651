//! Arithmetic modulo a p of 1024 bits with AVX-512 IFMA instructions.
//!
//! A number is 21 limbs of 52 bits in three vectors of eight 64-bit lanes; the
//! last three lanes are zero. The instructions multiply 52-bit limbs and add
//! the low or the high half of the product to a lane, whose spare twelve bits
//! take the carries of a whole multiplication.
//!
//! Products are Montgomery's with R = 2^1092, one limb a step. Instead of p
//! its multiple P = p * (-1/p mod 2^52) is the modulus. P = -1 mod 2^52, so
//! that P = 2^52 Q - 1, and the step that takes a sum x to one of a limb less,
//!
//! > (x + m P) / 2^52 with m = x mod 2^52
//!
//! becomes floor(x / 2^52) + m Q: the factor m is the lowest limb itself, and
//! no product is computed only to vanish. As P < 2^1076, a product of two
//! numbers below 2^1083 is below 2^1083 again (2^2166 / R + P), so nothing is
//! ever subtracted between the steps of a power.
//!
//! No branch and no address depends on a number.
#![allow(unsafe_code)]
// Indices are bounded by the lengths of array types. Sums of limbs and
// products are bounded as said beside them.
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
// One index for the same vector of several numbers.
#![allow(clippy::needless_range_loop)]

use super::field::Field;
use crate::crypto::limbs::{from_be_bytes, to_be_bytes};
use crate::crypto::mont::Modulus;
use core::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_alignr_epi64, _mm512_and_si512, _mm512_broadcastq_epi64,
    _mm512_castsi512_si128, _mm512_cmpeq_epu64_mask, _mm512_cmpgt_epu64_mask, _mm512_load_si512,
    _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_mask_mov_epi64, _mm512_mask_sub_epi64,
    _mm512_maskz_srli_epi64, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_srli_epi64,
    _mm512_store_si512,
};

/// Limbs in use.
const USED: usize = 21;
/// Lanes of three vectors.
const LANES: usize = 24;
/// Bits of a limb.
const WIDTH: usize = 52;
const LIMB_MASK: u64 = (1 << WIDTH) - 1;

/// A number as limbs of 52 bits.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Lanes([u64; LANES]);

type Vectors = [__m512i; 3];

/// A modulus of exactly 1024 bits. Its existence proves that the processor
/// has the instructions.
pub(super) struct Ifma {
    portable: Modulus<16>,
    /// Q = (P + 1) / 2^52.
    quotient: Lanes,
    one: Lanes,
    r_squared: Lanes,
}

impl Ifma {
    /// Whether the processor has the instructions.
    pub(super) fn is_available() -> bool {
        is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma")
    }

    /// Prepares an odd number of up to 1024 bits; none if the processor lacks
    /// the instructions.
    pub(super) fn new(p: &[u64; 16]) -> Option<Self> {
        if !Self::is_available() {
            return None;
        }
        let portable = Modulus::new(*p)?;
        // P = p * factor is -1 modulo 2^52; the lowest limb of P + 1 is zero.
        let factor = portable.factor() & LIMB_MASK;
        let mut multiple = [0; 17];
        let mut carry = 1;
        for (out, limb) in multiple.iter_mut().zip(p.iter().chain([&0])) {
            let wide = u128::from(*limb) * u128::from(factor) + carry;
            *out = low(wide);
            carry = wide >> 64;
        }
        let mut quotient = split(&multiple);
        quotient.0.rotate_left(1);

        let mut this = Self {
            portable,
            quotient,
            one: Lanes([0; LANES]),
            r_squared: Lanes([0; LANES]),
        };
        // R^2 = 2^2184 from 2^2048: squared, 2^(4096 - 1092); times 2^272,
        // 2^(3004 + 272 - 1092).
        let start = split(this.portable.r_squared());
        let mut shift = Lanes([0; LANES]);
        shift.0[272 / WIDTH] = 1 << (272 % WIDTH);
        let square = this.multiply(&start, &start);
        this.r_squared = this.multiply(&square, &shift);
        let mut one = Lanes([0; LANES]);
        one.0[0] = 1;
        this.one = this.multiply(&this.r_squared, &one);
        Some(this)
    }

    fn multiply(&self, a: &Lanes, b: &Lanes) -> Lanes {
        // SAFETY: `new` has found the instructions.
        unsafe { multiply(a, b, &self.quotient) }
    }
}

/// The low half.
#[allow(clippy::cast_possible_truncation)]
const fn low(wide: u128) -> u64 {
    wide as u64
}

/// A number of limbs of 64 bits cut into 52-bit ones.
fn split(number: &[u64]) -> Lanes {
    let mut out = [0; LANES];
    for (index, limb) in out.iter_mut().enumerate().take(USED) {
        let (word, shift) = (WIDTH * index / 64, WIDTH * index % 64);
        let lower = number.get(word).copied().unwrap_or(0);
        let upper = number.get(word + 1).copied().unwrap_or(0);
        let wide = u128::from(upper) << 64 | u128::from(lower);
        *limb = low(wide >> shift) & LIMB_MASK;
    }
    Lanes(out)
}

/// The inverse of [`split`], for up to 1152 bits.
fn join(lanes: &Lanes) -> [u64; 18] {
    let mut out = [0; 18];
    for (index, limb) in lanes.0.iter().enumerate().take(USED) {
        let (word, shift) = (WIDTH * index / 64, WIDTH * index % 64);
        let wide = u128::from(*limb) << shift;
        out[word] |= low(wide);
        out[word + 1] |= low(wide >> 64);
    }
    out
}

#[target_feature(enable = "avx512f")]
fn load(lanes: &Lanes) -> Vectors {
    let start = lanes.0.as_ptr();
    // SAFETY: three vectors fill the 24 lanes, whose type is aligned.
    unsafe {
        [
            _mm512_load_si512(start.cast()),
            _mm512_load_si512(start.add(8).cast()),
            _mm512_load_si512(start.add(16).cast()),
        ]
    }
}

#[target_feature(enable = "avx512f")]
fn store(vectors: &Vectors) -> Lanes {
    let mut lanes = Lanes([0; LANES]);
    let start = lanes.0.as_mut_ptr();
    // SAFETY: as in `load`.
    unsafe {
        _mm512_store_si512(start.cast(), vectors[0]);
        _mm512_store_si512(start.add(8).cast(), vectors[1]);
        _mm512_store_si512(start.add(16).cast(), vectors[2]);
    }
    lanes
}

/// Every limb one lane up.
#[target_feature(enable = "avx512f")]
fn up(x: &Vectors) -> Vectors {
    [
        _mm512_alignr_epi64::<7>(x[0], _mm512_setzero_si512()),
        _mm512_alignr_epi64::<7>(x[1], x[0]),
        _mm512_alignr_epi64::<7>(x[2], x[1]),
    ]
}

/// Every limb one lane down; the lowest is dropped.
#[target_feature(enable = "avx512f")]
fn down(x: &Vectors) -> Vectors {
    [
        _mm512_alignr_epi64::<1>(x[1], x[0]),
        _mm512_alignr_epi64::<1>(x[2], x[1]),
        _mm512_alignr_epi64::<1>(_mm512_setzero_si512(), x[2]),
    ]
}

/// Carries what exceeds 52 bits in a lane into the next.
#[target_feature(enable = "avx512f")]
fn normalize(mut x: Vectors) -> Vectors {
    let mask = _mm512_set1_epi64(LIMB_MASK.cast_signed());
    // First all carries at once; what they cause are carries of one, through
    // any number of lanes that are all ones.
    let mut carries = [_mm512_setzero_si512(); 3];
    for k in 0..3 {
        carries[k] = _mm512_srli_epi64::<52>(x[k]);
        x[k] = _mm512_and_si512(x[k], mask);
    }
    let carries = up(&carries);
    let (mut generate, mut propagate) = (0u32, 0u32);
    for k in 0..3 {
        x[k] = _mm512_add_epi64(x[k], carries[k]);
        generate |= u32::from(_mm512_cmpgt_epu64_mask(x[k], mask)) << (8 * k);
        propagate |= u32::from(_mm512_cmpeq_epu64_mask(x[k], mask)) << (8 * k);
    }
    // An addition of the masks runs through the lanes as the carries do.
    let carried = (generate << 1).wrapping_add(propagate) ^ propagate;
    let minus_one = _mm512_set1_epi64(-1);
    for k in 0..3 {
        let [lanes, ..] = (carried >> (8 * k)).to_le_bytes();
        x[k] = _mm512_mask_sub_epi64(x[k], lanes, x[k], minus_one);
        x[k] = _mm512_and_si512(x[k], mask);
    }
    x
}

/// a * b / R mod P, for the Q of a modulus P.
#[target_feature(enable = "avx512f,avx512ifma")]
fn multiply(a: &Lanes, b: &Lanes, quotient: &Lanes) -> Lanes {
    let q = load(quotient);
    let q_up = up(&q);
    let factor = load(a);
    let factor_up = up(&factor);
    // The sum is x + y + z: x of products a * b, y and z of those with Q. The
    // parts are kept apart because each step waits for the lowest limb only.
    let mut x = [_mm512_setzero_si512(); 3];
    let mut y = x;
    let mut z = x[0];
    for limb in b.0.iter().take(USED) {
        let limb = _mm512_set1_epi64(limb.cast_signed());
        for k in 0..3 {
            x[k] = _mm512_madd52lo_epu64(x[k], factor[k], limb);
            x[k] = _mm512_madd52hi_epu64(x[k], factor_up[k], limb);
        }
        // The lowest lane of z is zero.
        let lowest = _mm512_add_epi64(x[0], y[0]);
        let m = _mm512_broadcastq_epi64(_mm512_castsi512_si128(lowest));
        let carry = _mm512_maskz_srli_epi64::<52>(1, lowest);
        x = down(&x);
        y = down(&[_mm512_add_epi64(y[0], z), y[1], y[2]]);
        y[0] = _mm512_madd52lo_epu64(_mm512_add_epi64(y[0], carry), q[0], m);
        z = _mm512_madd52hi_epu64(_mm512_setzero_si512(), q_up[0], m);
        for k in 1..3 {
            y[k] = _mm512_madd52lo_epu64(y[k], q[k], m);
            y[k] = _mm512_madd52hi_epu64(y[k], q_up[k], m);
        }
    }
    y[0] = _mm512_add_epi64(y[0], z);
    for k in 0..3 {
        x[k] = _mm512_add_epi64(x[k], y[k]);
    }
    store(&normalize(x))
}

/// a + a.
#[target_feature(enable = "avx512f")]
fn double(a: &Lanes) -> Lanes {
    let a = load(a);
    store(&normalize([
        _mm512_add_epi64(a[0], a[0]),
        _mm512_add_epi64(a[1], a[1]),
        _mm512_add_epi64(a[2], a[2]),
    ]))
}

/// The entry number `index`, by reading all.
#[target_feature(enable = "avx512f")]
fn select(table: &[Lanes], index: u64) -> Lanes {
    let wanted = _mm512_set1_epi64(index.cast_signed());
    let mut out = [_mm512_setzero_si512(); 3];
    for (entry, number) in table.iter().zip(0..) {
        let mask = _mm512_cmpeq_epu64_mask(wanted, _mm512_set1_epi64(number));
        let entry = load(entry);
        for k in 0..3 {
            out[k] = _mm512_mask_mov_epi64(out[k], mask, entry[k]);
        }
    }
    store(&out)
}

impl Field for Ifma {
    type Element = Lanes;

    fn one(&self) -> Lanes {
        self.one
    }

    fn enter(&self, number: &[u8]) -> Lanes {
        let number = from_be_bytes::<16>(number).unwrap_or([0; 16]);
        self.multiply(&self.r_squared, &split(&number))
    }

    fn leave(&self, element: &Lanes) -> Vec<u8> {
        let mut one = Lanes([0; LANES]);
        one.0[0] = 1;
        // At most P; the part above 2^1024 is reduced apart.
        let number = join(&self.multiply(element, &one));
        let mut low = [0; 16];
        let mut high = [0; 16];
        low.copy_from_slice(&number[..16]);
        high[..2].copy_from_slice(&number[16..]);
        let portable = &self.portable;
        let low = portable.multiply(&low, &portable.one());
        let high = portable.multiply(&high, portable.r_squared());
        let mut out = vec![0; 128];
        to_be_bytes(&portable.add(&low, &high), &mut out);
        out
    }

    fn multiply(&self, a: &Lanes, b: &Lanes) -> Lanes {
        self.multiply(a, b)
    }

    fn square(&self, a: &Lanes) -> Lanes {
        self.multiply(a, a)
    }

    fn double(&self, a: &Lanes) -> Lanes {
        // SAFETY: `new` has found the instructions.
        unsafe { double(a) }
    }

    fn select(&self, table: &[Lanes], index: u64) -> Lanes {
        // SAFETY: `new` has found the instructions.
        unsafe { select(table, index) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{Random, os_random};
    use num_bigint::BigUint;

    fn random() -> BigUint {
        let mut bytes = [0; 128];
        os_random().fill(&mut bytes).unwrap();
        BigUint::from_bytes_be(&bytes)
    }

    /// The number, padded to 128 bytes.
    fn bytes(number: &BigUint) -> Vec<u8> {
        let bytes = number.to_bytes_be();
        [vec![0; 128 - bytes.len()], bytes].concat()
    }

    /// Moduli at the ends of the range, with carries, and at random.
    fn moduli() -> Vec<BigUint> {
        let one = BigUint::from(1u32);
        let mut moduli = vec![
            (&one << 1024u32) - 1u32,
            (&one << 1023u32) + 1u32,
            (&one << 1024u32) - (&one << 52u32) + 1u32,
            (&one << 1024u32) - (&one << 512u32) - 1u32,
        ];
        moduli.extend((0..8).map(|_| random() | &one | &one << 1023u32));
        moduli
    }

    fn with_fields(check: impl Fn(&Ifma, &BigUint)) {
        for n in moduli() {
            match Ifma::new(&from_be_bytes(&bytes(&n)).unwrap()) {
                Some(field) => check(&field, &n),
                None => assert!(!Ifma::is_available(), "the modulus is odd"),
            }
        }
    }

    #[test]
    fn single_operations_agree_with_num_bigint() {
        with_fields(|field, n| {
            let one = BigUint::from(1u32);
            let numbers = [
                BigUint::ZERO,
                one.clone(),
                n - &one,
                n.clone(),
                n + &one & ((&one << 1024u32) - 1u32),
                (&one << 1024u32) - 1u32,
                &one << 1023u32,
                random(),
                random(),
            ];
            assert_eq!(field.leave(&field.one()), bytes(&one));
            for a in &numbers {
                let element = field.enter(&a.to_bytes_be());
                assert_eq!(field.leave(&element), bytes(&(a % n)));
                assert_eq!(field.leave(&field.square(&element)), bytes(&(a * a % n)));
                assert_eq!(field.leave(&field.double(&element)), bytes(&(a * 2u32 % n)));
                for b in &numbers {
                    let product = field.multiply(&element, &field.enter(&b.to_bytes_be()));
                    assert_eq!(field.leave(&product), bytes(&(a * b % n)));
                }
            }
        });
    }

    #[test]
    fn long_chains_stay_within_bounds() {
        with_fields(|field, n| {
            let mut number = random();
            let mut element = field.enter(&number.to_bytes_be());
            let factor = number.clone();
            let multiplier = element;
            for _ in 0..200 {
                number = &number * &number * 2u32 % n * &factor % n;
                element = field.double(&field.square(&element));
                element = field.multiply(&element, &multiplier);
                assert!(element.0.iter().all(|&limb| limb <= LIMB_MASK));
                assert!(element.0[USED..].iter().all(|&limb| limb == 0));
            }
            assert_eq!(field.leave(&element), bytes(&number));
        });
    }

    #[test]
    fn carries_run_through_all_limbs() {
        if !Ifma::is_available() {
            return;
        }
        let mut lanes = Lanes([LIMB_MASK; LANES]);
        lanes.0[0] += 1;
        lanes.0[LANES - 1] = 0;
        // SAFETY: the instructions are available.
        let lanes = unsafe { store(&normalize(load(&lanes))) };
        let mut expected = [0; LANES];
        expected[LANES - 1] = 1;
        assert_eq!(lanes.0, expected);
    }

    #[test]
    fn selection_finds_each_entry() {
        with_fields(|field, _| {
            let table: [Lanes; 16] = core::array::from_fn(|k| Lanes([k as u64 + 7; LANES]));
            for (index, entry) in (0..).zip(&table) {
                assert_eq!(field.select(&table, index).0, entry.0);
            }
        });
    }
}
