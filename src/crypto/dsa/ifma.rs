//! Arithmetic modulo a p of 1024 bits with AVX-512 IFMA instructions.
//!
//! A number is 22 limbs of 52 bits in three vectors of eight 64-bit lanes; the
//! last two lanes are zero. The instructions multiply 52-bit limbs and add
//! the low or the high half of the product to a lane, whose spare twelve bits
//! take the carries of a whole multiplication: it receives at most eight halves
//! in each of eleven steps.
//!
//! Products are Montgomery's with R = 2^1144, two limbs a step. Instead of p
//! its multiple P = p * (-1/p mod 2^104) is the modulus. P = -1 mod 2^104, so
//! that W = P + 1 has zeros for its two lowest limbs, and the step that takes a
//! sum x to one of two limbs less,
//!
//! > (x + m P) / 2^104 with m = x mod 2^104
//!
//! becomes (x + m W - m) / 2^104: m is just the two lowest limbs, they are
//! dropped, and no product is computed only to vanish. As P < 2^1128, a product
//! of two numbers below 2^1135 is below 2^1129 (2^2270 / R + P), so nothing is
//! ever subtracted between the steps of a power.
//!
//! A row of limbs times one limb b contributes low halves to its own lanes and
//! high halves to the lanes above. With a copy of the row that is one lane up,
//! both go to one accumulator, which moves down only once for two limbs:
//!
//! ```text
//! before the move: low(a, b0)  high(a up, b0)  low(a up, b1)
//! after it:                                            high(a, b1)
//! ```
//!
//! No branch and no address depends on a number.
#![allow(unsafe_code)]
// Indices are bounded by the lengths of array types. Sums of limbs and
// products are bounded as said beside them.
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
// One index for the same vector of several numbers.
#![allow(clippy::needless_range_loop)]

use super::field::Field;
use crate::crypto::limbs::{from_be_bytes, mac, to_be_bytes};
use crate::crypto::mont::Modulus;
use core::arch::x86_64::*;

/// Limbs in use.
const USED: usize = 22;
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
    /// W = P + 1.
    row: Lanes,
    one: Lanes,
    r_squared: Lanes,
}

impl Ifma {
    /// Whether the processor has the instructions.
    pub(super) fn is_available() -> bool {
        is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512ifma")
            && is_x86_feature_detected!("avx512vl")
    }

    /// Prepares an odd number of up to 1024 bits; none if the processor lacks
    /// the instructions.
    pub(super) fn new(p: &[u64; 16]) -> Option<Self> {
        if !Self::is_available() {
            return None;
        }
        let portable = Modulus::new(*p)?;
        // One more step of Newton's iteration, for 128 bits.
        let factor = u128::from(portable.factor());
        let lowest = u128::from(p[1]) << 64 | u128::from(p[0]);
        let factor = factor.wrapping_mul(lowest.wrapping_mul(factor).wrapping_add(2));
        let factor = [low(factor), low(factor >> 64) & (u64::MAX >> 24)];
        // W = p * factor + 1.
        let mut multiple = [0; 18];
        multiple[0] = 1;
        for (shift, &factor) in factor.iter().enumerate() {
            let mut carry = 0;
            let limbs = p.iter().chain(&[0; 2]);
            for (out, &limb) in multiple[shift..].iter_mut().zip(limbs) {
                (*out, carry) = mac(*out, limb, factor, carry);
            }
        }

        let mut this = Self {
            portable,
            row: split(&multiple),
            one: Lanes([0; LANES]),
            r_squared: Lanes([0; LANES]),
        };
        // R^2 = 2^2288 from 2^2048: squared, 2^(4096 - 1144); times 2^480,
        // 2^(2952 + 480 - 1144).
        let start = split(this.portable.r_squared());
        let mut shift = Lanes([0; LANES]);
        shift.0[480 / WIDTH] = 1 << (480 % WIDTH);
        let square = this.multiply(&start, &start);
        this.r_squared = this.multiply(&square, &shift);
        let mut one = Lanes([0; LANES]);
        one.0[0] = 1;
        this.one = this.multiply(&this.r_squared, &one);
        Some(this)
    }

    fn multiply(&self, a: &Lanes, b: &Lanes) -> Lanes {
        // SAFETY: `new` has found the instructions.
        unsafe { multiply(a, b, &self.row) }
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

/// The inverse of [`split`], for up to 1144 bits.
fn join(lanes: &Lanes) -> [u64; 19] {
    let mut out = [0; 19];
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

/// Every limb two lanes down; the lowest two are dropped.
#[target_feature(enable = "avx512f")]
fn down_two(x: &Vectors) -> Vectors {
    [
        _mm512_alignr_epi64::<2>(x[1], x[0]),
        _mm512_alignr_epi64::<2>(x[2], x[1]),
        _mm512_alignr_epi64::<2>(_mm512_setzero_si512(), x[2]),
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

/// a * b / R mod P, for the row W of a modulus P.
#[target_feature(enable = "avx512f,avx512ifma,avx512vl")]
fn multiply(a: &Lanes, b: &Lanes, row: &Lanes) -> Lanes {
    let w = load(row);
    let w_up = up(&w);
    let a = load(a);
    let a_up = up(&a);
    // The sum is x + y + carry: x of multiples of a, y of multiples of W. They
    // are kept apart because only y has to wait for the lowest limbs.
    let mut x = [_mm512_setzero_si512(); 3];
    let mut y = x;
    let mut carry = _mm_setzero_si128();
    let (limbs, _) = b.0.as_chunks::<2>();
    for limbs in limbs.iter().take(USED / 2) {
        let [b0, b1] = limbs.map(|limb| _mm512_set1_epi64(limb.cast_signed()));
        add_low(&mut x, &a, b0);
        add_high(&mut x, &a_up, b0);
        add_low(&mut x, &a_up, b1);

        let lowest = _mm_add_epi64(_mm512_castsi512_si128(x[0]), _mm512_castsi512_si128(y[0]));
        let first = _mm_add_epi64(lowest, carry);
        let second = _mm_unpackhi_epi64(first, first);
        let second = _mm_add_epi64(second, _mm_srli_epi64::<52>(first));
        carry = _mm_move_epi64(_mm_srli_epi64::<52>(second));
        let m0 = _mm512_broadcastq_epi64(first);
        let m1 = _mm512_broadcastq_epi64(second);

        add_low(&mut y, &w, m0);
        add_high(&mut y, &w_up, m0);
        add_low(&mut y, &w_up, m1);
        x = down_two(&x);
        y = down_two(&y);
        add_high(&mut y, &w, m1);
        add_high(&mut x, &a, b1);
    }
    x[0] = _mm512_add_epi64(x[0], _mm512_zextsi128_si512(carry));
    for k in 0..3 {
        x[k] = _mm512_add_epi64(x[k], y[k]);
    }
    store(&normalize(x))
}

/// Adds the low halves of a row's products with one limb.
#[target_feature(enable = "avx512f,avx512ifma")]
fn add_low(sum: &mut Vectors, row: &Vectors, limb: __m512i) {
    for k in 0..3 {
        sum[k] = _mm512_madd52lo_epu64(sum[k], row[k], limb);
    }
}

/// Adds the high halves.
#[target_feature(enable = "avx512f,avx512ifma")]
fn add_high(sum: &mut Vectors, row: &Vectors, limb: __m512i) {
    for k in 0..3 {
        sum[k] = _mm512_madd52hi_epu64(sum[k], row[k], limb);
    }
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
        high[..3].copy_from_slice(&number[16..]);
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
            (&one << 1024u32) - (&one << 104u32) - 1u32,
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
                (n + &one) & ((&one << 1024u32) - 1u32),
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
