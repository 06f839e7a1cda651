//! What a power in the 1536-bit group costs with each implementation that
//! this machine can run.
//!
//! `cargo bench --bench modp` measures all; `cargo bench --bench modp -- adx`
//! one of them.
#![allow(missing_docs, reason = "the macros below define functions without")]
#![allow(clippy::unwrap_used, reason = "fixed inputs")]

use criterion::{Criterion, criterion_group, criterion_main};
use otr::crypto::modp::{Challenge, Kernel, Scalar, SecretExponent};
use std::hint::black_box;

fn powers(criterion: &mut Criterion) {
    let short = SecretExponent::from_be_bytes(&[0xa5; 40]).unwrap();
    let long = SecretExponent::from_be_bytes(&[0xa5; 192]).unwrap();
    let challenge = Challenge::new([0xa5; 32]);
    for kernel in Kernel::available() {
        let mut group = criterion.benchmark_group(kernel.name());
        let base = kernel.pow_g(&long);
        let table = kernel.table(&base);
        group.bench_function("product", |bench| {
            bench.iter(|| kernel.multiply(black_box(&base), black_box(&base)));
        });
        group.bench_function("2^x, 320 bits", |bench| {
            bench.iter(|| kernel.pow_g(black_box(&short)));
        });
        group.bench_function("2^x, 1536 bits", |bench| {
            bench.iter(|| kernel.pow_g(black_box(&long)));
        });
        group.bench_function("b^x, 320 bits", |bench| {
            bench.iter(|| kernel.pow(black_box(&base), black_box(&short)));
        });
        group.bench_function("b^x, 1536 bits", |bench| {
            bench.iter(|| kernel.pow(black_box(&base), black_box(&long)));
        });
        group.bench_function("b^c, 256 bits, public", |bench| {
            bench.iter(|| kernel.pow_public(black_box(&base), black_box(&challenge)));
        });
        group.bench_function("table of b", |bench| {
            bench.iter(|| kernel.table(black_box(&base)));
        });
        group.bench_function("b^x from the table, 1536 bits", |bench| {
            bench.iter(|| table.pow(black_box(&long)));
        });
        group.finish();
    }
}

fn other(criterion: &mut Criterion) {
    let kernel = Kernel::active();
    let exponent = SecretExponent::from_be_bytes(&[0xa5; 192]).unwrap();
    let challenge = Challenge::new([0xa5; 32]);
    let residue = kernel.pow_g(&exponent);
    let element = residue.to_element().unwrap();
    criterion.bench_function("division by an element", |bench| {
        bench.iter(|| residue.divide(black_box(&element)));
    });
    criterion.bench_function("response of a proof", |bench| {
        bench.iter(|| Scalar::respond(black_box(&exponent), &exponent, &challenge));
    });
}

criterion_group!(benches, powers, other);
criterion_main!(benches);
