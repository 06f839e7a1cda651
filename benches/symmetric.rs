//! What a data message cannot do without: the authenticator, the cipher,
//! base64, and the wiping of the stack behind them; for texts of 64 bytes,
//! 1 KiB and 64 KiB.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::hint::black_box;
use std::mem::MaybeUninit;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use otr::crypto::secret::scrubbed_briefly;
use otr::crypto::symmetric::{Aes128Ctr, HmacSha1};
use otr::wire::base64;

/// What a message of version 3 has before its text: header, key ids, a D-H
/// key, counter and length.
const HEAD: usize = 228;
/// What it has behind it: the authenticator and the length of no old keys.
const TAIL: usize = 24;

fn symmetric(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("data message in parts");
    for size in [64, 1024, 65536] {
        // With its NUL.
        let mut text = vec![b'x'; size + 1];
        let message = vec![0xa5; HEAD + text.len() + TAIL];
        let armoured = base64::armour(&message);
        let mut out = vec![MaybeUninit::new(0); armoured.len()];
        group.throughput(Throughput::Bytes(size as u64));
        let id = |name| BenchmarkId::new(name, size);

        let mut mac = HmacSha1::new(&[7; 20]);
        let authenticated = &message[..HEAD + text.len()];
        group.bench_function(id("HMAC-SHA1"), |bencher| {
            bencher.iter(|| mac.authenticate(black_box(authenticated)));
        });
        let aes = Aes128Ctr::new(&[7; 16]);
        group.bench_function(id("AES-CTR"), |bencher| {
            bencher.iter(|| aes.apply([1; 8], black_box(&mut text)));
        });
        group.bench_function(id("armour"), |bencher| {
            bencher.iter(|| base64::armour_into(black_box(&message), &mut out));
        });
        group.bench_function(id("dearmour"), |bencher| {
            bencher.iter(|| base64::dearmour_data(black_box(&armoured)));
        });
        let mut copy = text.clone();
        group.bench_function(id("copy"), |bencher| {
            bencher.iter(|| copy.copy_from_slice(black_box(&text)));
        });
    }
    group.bench_function("wiped stack", |bencher| {
        bencher.iter(|| scrubbed_briefly(|| black_box(1)));
    });
    group.finish();
}

criterion_group!(benches, symmetric);
criterion_main!(benches);
