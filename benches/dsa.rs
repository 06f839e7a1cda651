//! What signatures and keys cost, with the arithmetic in use (`OTR_KERNEL`
//! chooses another one).
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use otr::crypto::dsa::{PrivateKey, PublicKey};
use otr::crypto::modp::Kernel;
use otr::crypto::os_random;
use std::hint::black_box;

fn dsa(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group(format!("dsa/{}", Kernel::active().name()));
    let key = PrivateKey::generate(&mut os_random()).unwrap();
    let value = [0x5a; 32];
    let signature = key.sign(&value, &mut os_random()).unwrap();

    group.bench_function("sign", |bencher| {
        bencher.iter(|| key.sign(black_box(&value), &mut os_random()).unwrap());
    });
    // The tables of powers are made when a key signs for the first time.
    group.bench_function("first signature", |bencher| {
        bencher.iter_batched_ref(
            || {
                let public = key.public();
                let (p, q) = (public.p(), public.q());
                PrivateKey::from_components(p, q, public.g(), public.y(), &*key.x()).unwrap()
            },
            |key| key.sign(black_box(&value), &mut os_random()).unwrap(),
            BatchSize::SmallInput,
        );
    });
    group.bench_function("verify", |bencher| {
        bencher.iter(|| key.public().verify(black_box(&value), &signature).unwrap());
    });
    // The dearest key that is let in: 3072 bits.
    let longest = [0xff; 384];
    let g = [&[0x7f], &longest[1..]].concat();
    let dearest = PublicKey::from_components(&longest, &[0xff; 20], &g, &g).unwrap();
    group.bench_function("refuse with the longest p", |bencher| {
        bencher.iter(|| dearest.verify(&value, &signature).unwrap_err());
    });

    group.sample_size(60);
    group.bench_function("generate", |bencher| {
        bencher.iter(|| PrivateKey::generate(&mut os_random()).unwrap());
    });
    group.finish();
}

criterion_group!(benches, dsa);
criterion_main!(benches);
