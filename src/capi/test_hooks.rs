//! Single computations on secrets, for the test of constant time in
//! `ctests/ct`. Compiled with the feature `test-hooks` only.
//!
//! The test marks the memory of a secret, calls one of these functions and
//! counts branches and addresses that depend on it. Numbers are big-endian;
//! results of group operations have 192 bytes. What is public comes in
//! unmarked, and what the library itself makes public is reported to the
//! function set by [`otr_test_on_disclosure`].

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "called by one test program with fixed arguments"
)]

use std::ffi::{c_char, c_int, c_void};
use std::sync::atomic::{AtomicPtr, Ordering};

use num_bigint::BigUint;
use zeroize::Zeroizing;

use crate::Error;
use crate::crypto::dh::{AkeKeys, SessionKeys};
use crate::crypto::dsa::PrivateKey;
use crate::crypto::modp::{
    self, Challenge, ELEMENT_BYTES, Element, Kernel, PowerTable, Residue, Scalar, SecretExponent,
};
use crate::crypto::symmetric::{aes128_ctr, constant_time_eq, hmac_sha1};
use crate::crypto::{Random, os_random};
use crate::smp::{Outcome, Secret, Smp};

/// Told of memory whose content is public from now on.
type OnDisclosure = unsafe extern "C" fn(*mut c_void, usize);
/// Fills memory with random bytes.
type Fill = unsafe extern "C" fn(*mut u8, usize);

static ON_DISCLOSURE: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

/// Reports memory whose content is public from now on.
pub(crate) fn disclosed<T: Copy>(values: &mut [T]) {
    let function = ON_DISCLOSURE.load(Ordering::Relaxed);
    if !function.is_null() {
        // SAFETY: only `otr_test_on_disclosure` stores here, functions of this type.
        let function: OnDisclosure = unsafe { std::mem::transmute(function) };
        // SAFETY: valid memory of that size; the function changes no content.
        unsafe { function(values.as_mut_ptr().cast(), size_of_val(values)) };
    }
}

/// Sets the function that is told of disclosures, or NULL.
#[unsafe(no_mangle)]
pub extern "C" fn otr_test_on_disclosure(function: Option<OnDisclosure>) {
    let pointer = function.map_or(std::ptr::null_mut(), |f| f as *mut c_void);
    ON_DISCLOSURE.store(pointer, Ordering::Relaxed);
}

/// The name of the arithmetic in use.
#[unsafe(no_mangle)]
pub extern "C" fn otr_test_kernel() -> *const c_char {
    match Kernel::active().name() {
        "adx" => c"adx",
        "ifma" => c"ifma",
        _ => c"portable",
    }
    .as_ptr()
}

/// # Safety
/// `pointer` is valid for reading `n` bytes for as long as the result is used.
unsafe fn input<'a>(pointer: *const u8, n: usize) -> &'a [u8] {
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(pointer, n) }
}

/// # Safety
/// `out` is valid for writing as many bytes as `bytes` has.
unsafe fn output(out: *mut u8, bytes: &[u8]) {
    // SAFETY: the caller's promise; both are distinct memory.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), out, bytes.len()) };
}

/// # Safety
/// `out` is valid for writing 192 bytes.
unsafe fn output_residue(out: *mut u8, residue: &Residue) {
    let bytes = residue.minimal();
    let zeros = ELEMENT_BYTES - bytes.len();
    // SAFETY: the caller's promise.
    unsafe {
        output(out, &[0; ELEMENT_BYTES][..zeros]);
        output(out.add(zeros), &bytes);
    }
}

/// base^exponent, the base being raised once.
///
/// # Safety
/// `base` and `out` have 192 bytes, `exponent` has `n`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otr_test_pow(
    base: *const u8,
    exponent: *const u8,
    n: usize,
    out: *mut u8,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let base = Element::from_be_bytes(input(base, ELEMENT_BYTES)).unwrap();
        let exponent = SecretExponent::from_be_bytes(input(exponent, n)).unwrap();
        output_residue(out, &modp::pow(&base, &exponent));
    }
}

/// base^exponent through the table of a base that is raised several times;
/// the base is secret, too.
///
/// # Safety
/// As for [`otr_test_pow`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otr_test_pow_table(
    base: *const u8,
    exponent: *const u8,
    n: usize,
    out: *mut u8,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let exponent = SecretExponent::from_be_bytes(input(exponent, n)).unwrap();
        // Twice the generator's power: a secret base that needs no check.
        let base = Element::from_be_bytes(input(base, ELEMENT_BYTES)).unwrap();
        let base = modp::pow_g(&exponent).multiply(&Residue::from(&base));
        output_residue(out, &PowerTable::new(&base).pow(&exponent));
    }
}

/// 2^exponent, from the tables in the program.
///
/// # Safety
/// `exponent` has `n` bytes, `out` has 192.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otr_test_pow_g(exponent: *const u8, n: usize, out: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe {
        let exponent = SecretExponent::from_be_bytes(input(exponent, n)).unwrap();
        output_residue(out, &modp::pow_g(&exponent));
    }
}

/// The response of a proof: r - secret * challenge modulo the group's order,
/// as a message carries it.
///
/// # Safety
/// `r` has 192 bytes, `secret` has `n`, `challenge` 32, `out` 196.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otr_test_respond(
    r: *const u8,
    secret: *const u8,
    n: usize,
    challenge: *const u8,
    out: *mut u8,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let r = SecretExponent::from_be_bytes(input(r, ELEMENT_BYTES)).unwrap();
        let secret = SecretExponent::from_be_bytes(input(secret, n)).unwrap();
        let challenge = Challenge::new(input(challenge, 32).try_into().unwrap());
        let mut mpi = Vec::new();
        Scalar::respond(&r, &secret, &challenge).write_mpi(&mut mpi);
        output(out, &mpi);
    }
}

/// The keys of data messages that follow from base^exponent: AES and MAC key
/// in both directions, extra key; 104 bytes.
///
/// # Safety
/// As for [`otr_test_pow`], but `out` has 104 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otr_test_session_keys(
    base: *const u8,
    exponent: *const u8,
    n: usize,
    out: *mut u8,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let base = Element::from_be_bytes(input(base, ELEMENT_BYTES)).unwrap();
        let exponent = SecretExponent::from_be_bytes(input(exponent, n)).unwrap();
        let keys = SessionKeys::derive(&modp::pow(&base, &exponent), true);
        output(out, &*keys.sending_aes);
        output(out.add(16), &*keys.sending_mac);
        output(out.add(36), &*keys.receiving_aes);
        output(out.add(52), &*keys.receiving_mac);
        output(out.add(72), &*keys.extra);
    }
}

/// The keys of the key exchange that follow from base^exponent: c, c', m1,
/// m2, m1', m2'; 160 bytes.
///
/// # Safety
/// As for [`otr_test_pow`], but `out` has 160 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otr_test_exchange_keys(
    base: *const u8,
    exponent: *const u8,
    n: usize,
    out: *mut u8,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let base = Element::from_be_bytes(input(base, ELEMENT_BYTES)).unwrap();
        let exponent = SecretExponent::from_be_bytes(input(exponent, n)).unwrap();
        let keys = AkeKeys::derive(&modp::pow(&base, &exponent));
        output(out, &*keys.reveal.c);
        output(out.add(16), &*keys.signature.c);
        output(out.add(32), &*keys.reveal.m1);
        output(out.add(64), &*keys.reveal.m2);
        output(out.add(96), &*keys.signature.m1);
        output(out.add(128), &*keys.signature.m2);
    }
}

/// Encrypts `data` in place and writes its MAC of 20 bytes.
///
/// # Safety
/// `key` has 16 bytes, `mac_key` and `mac` 20, `data` has `n`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otr_test_encrypt(
    key: *const u8,
    mac_key: *const u8,
    data: *mut u8,
    n: usize,
    mac: *mut u8,
) {
    // SAFETY: the caller's promise; the memory is not used otherwise meanwhile.
    unsafe {
        let key: &[u8; 16] = input(key, 16).try_into().unwrap();
        let mac_key: &[u8; 20] = input(mac_key, 20).try_into().unwrap();
        let data = std::slice::from_raw_parts_mut(data, n);
        aes128_ctr(key, [1; 8], data);
        output(mac, &hmac_sha1(mac_key, data));
    }
}

/// Whether two byte strings are equal.
///
/// # Safety
/// `a` and `b` have `n` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otr_test_equal(a: *const u8, b: *const u8, n: usize) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { constant_time_eq(input(a, n), input(b, n)).into() }
}

/// A random source that asks the test.
struct FromTest(Fill);

impl Random for FromTest {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), Error> {
        // SAFETY: valid memory of that size.
        unsafe { (self.0)(out.as_mut_ptr(), out.len()) };
        Ok(())
    }
}

/// A new private key; freed by [`otr_test_dsa_free`]. The numbers p, q, g, y,
/// x of 1024 and 160 bits are written to `out`, 424 bytes.
///
/// # Safety
/// `out` has 424 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otr_test_dsa_numbers(out: *mut u8) {
    let key = PrivateKey::generate(&mut os_random()).unwrap();
    let mut at = 0;
    let mut put = |number: &[u8], width: usize| {
        let mut padded = Zeroizing::new(vec![0; width]);
        padded[width - number.len()..].copy_from_slice(number);
        // SAFETY: the caller's promise; the widths add up to 424.
        unsafe { output(out.add(at), &padded) };
        at += width;
    };
    let public = key.public();
    put(public.p(), 128);
    put(public.q(), 20);
    put(public.g(), 128);
    put(public.y(), 128);
    put(&*key.x(), 20);
}

/// Signs a value of 32 bytes with the key of [`otr_test_dsa_numbers`]; 40 bytes.
///
/// # Safety
/// `numbers` has 424 bytes, `value` 32, `out` 40; `fill` fills memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otr_test_dsa_sign(
    numbers: *const u8,
    value: *const u8,
    fill: Fill,
    out: *mut u8,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let n = input(numbers, 424);
        let (p, q, g, y) = (&n[..128], &n[128..148], &n[148..276], &n[276..404]);
        let key = PrivateKey::from_components(p, q, g, y, &n[404..]).unwrap();
        let signature = key.sign(input(value, 32), &mut FromTest(fill)).unwrap();
        output(out, &signature);
    }
}

/// A whole comparison of two secrets of 32 bytes, both sides; whether they
/// are equal.
///
/// # Safety
/// `a` and `b` have 32 bytes; `fill` fills memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otr_test_smp(a: *const u8, b: *const u8, fill: Fill) -> c_int {
    // SAFETY: the caller's promise.
    let (a, b) = unsafe { (input(a, 32), input(b, 32)) };
    let random = &mut FromTest(fill);
    let (mut alice, mut bob) = (Smp::new(), Smp::new());
    let mut first = alice
        .begin(&Secret::from_be_bytes(a).unwrap(), None, random)
        .unwrap();
    // What is sent is public.
    disclosed(&mut first.value);
    assert!(matches!(
        bob.receive(&first, random),
        Ok(Outcome::Asked { .. })
    ));
    let mut second = bob
        .answer(&Secret::from_be_bytes(b).unwrap(), random)
        .unwrap();
    disclosed(&mut second.value);
    let Ok(Outcome::Reply(mut third)) = alice.receive(&second, random) else {
        return -1;
    };
    disclosed(&mut third.value);
    let Ok(Outcome::Compared {
        reply: Some(mut fourth),
        equal,
        ..
    }) = bob.receive(&third, random)
    else {
        return -1;
    };
    disclosed(&mut fourth.value);
    match alice.receive(&fourth, random) {
        Ok(Outcome::Compared { equal: also, .. }) if also == equal => equal.into(),
        _ => -1,
    }
}

/// base^exponent by a library whose time and addresses depend on both: the
/// test must notice.
///
/// # Safety
/// As for [`otr_test_pow`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otr_test_planted_power(
    base: *const u8,
    exponent: *const u8,
    n: usize,
    out: *mut u8,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let number = |p, n| BigUint::from_bytes_be(input(p, n));
        let p = (BigUint::from(1u8) << 1536) - 1u8;
        let power = number(base, ELEMENT_BYTES).modpow(&number(exponent, n), &p);
        let mut bytes = power.to_bytes_be();
        while bytes.len() < ELEMENT_BYTES {
            bytes.insert(0, 0);
        }
        output(out, &bytes);
    }
}

/// A branch on the lowest bit of a secret byte: the test must notice.
///
/// # Safety
/// `secret` has a byte.
#[unsafe(no_mangle)]
#[inline(never)]
pub unsafe extern "C" fn otr_test_planted_branch(secret: *const u8) -> c_int {
    // SAFETY: the caller's promise.
    if std::hint::black_box(unsafe { *secret } & 1) == 1 {
        std::hint::black_box(23)
    } else {
        std::hint::black_box(42) + 1
    }
}

/// A table read at a secret place: the test must notice.
///
/// # Safety
/// `secret` has a byte.
#[unsafe(no_mangle)]
#[inline(never)]
pub unsafe extern "C" fn otr_test_planted_lookup(secret: *const u8) -> c_int {
    static TABLE: [c_int; 256] = {
        let mut table = [0; 256];
        let mut i = 0;
        while i < 256 {
            table[i] = (i * i) as c_int;
            i += 1;
        }
        table
    };
    // SAFETY: the caller's promise.
    std::hint::black_box(&TABLE)[usize::from(unsafe { *secret })]
}
