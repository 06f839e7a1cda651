//! What a conversation costs, both sides together: key exchange, data
//! messages, a round trip with new keys, a comparison of secrets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use otr::crypto::dsa::PrivateKey;
use otr::crypto::os_random;
use otr::{Conversation, InstanceTag, Policy};

const NOW: i64 = 1_700_000_000;

struct Pair {
    alice: Conversation,
    bob: Conversation,
}

impl Pair {
    fn new(keys: &[Arc<PrivateKey>; 2], policy: Policy) -> Self {
        let side = |name: &str, key: &Arc<PrivateKey>| {
            let tag = InstanceTag::random(&mut os_random()).expect("randomness");
            Conversation::new(name.into(), Arc::clone(key), tag, policy)
        };
        let [alice, bob] = keys;
        Self {
            alice: side("alice", alice),
            bob: side("bob", bob),
        }
    }

    /// Lets the two answer each other until nobody has anything to say.
    fn settle(&mut self, mut to_bob: Vec<Vec<u8>>) {
        let mut rng = os_random();
        while !to_bob.is_empty() {
            let mut to_alice = Vec::new();
            for text in to_bob.drain(..) {
                to_alice.extend(self.bob.receive(&text, NOW, &mut rng).wire);
            }
            for text in to_alice {
                to_bob.extend(self.alice.receive(&text, NOW, &mut rng).wire);
            }
        }
    }

    fn exchange_keys(&mut self) {
        let query = self.alice.send(b"?OTRv23?", NOW).expect("query");
        self.settle(query.wire);
    }

    fn private(keys: &[Arc<PrivateKey>; 2], policy: Policy) -> Self {
        let mut pair = Self::new(keys, policy);
        pair.exchange_keys();
        assert!(pair.alice.is_private() && pair.bob.is_private());
        pair
    }

    fn round_trip(&mut self) {
        let mut rng = os_random();
        for text in self.alice.send(b"hello", NOW).expect("send").wire {
            black_box(self.bob.receive(&text, NOW, &mut rng));
        }
        for text in self.bob.send(b"hello", NOW).expect("send").wire {
            black_box(self.alice.receive(&text, NOW, &mut rng));
        }
    }

    fn compare(&mut self) {
        let mut rng = os_random();
        let begun = self.alice.compare_secret(b"secret", None, NOW, &mut rng);
        self.settle(begun.expect("begin").wire);
        let answer = self.bob.answer_secret(b"secret", NOW, &mut rng);
        for text in answer.expect("answer").wire {
            let wire = self.alice.receive(&text, NOW, &mut rng).wire;
            self.settle(wire);
        }
    }
}

fn conversation(criterion: &mut Criterion) {
    let key = || Arc::new(PrivateKey::generate(&mut os_random()).expect("randomness"));
    let keys = [key(), key()];

    let mut group = criterion.benchmark_group("conversation");
    for (name, policy) in [("v2", Policy::ALLOW_V2), ("v3", Policy::ALLOW_V3)] {
        group.bench_function(format!("key exchange {name}"), |bencher| {
            bencher.iter_batched(
                || Pair::new(&keys, policy),
                |mut pair| pair.exchange_keys(),
                BatchSize::SmallInput,
            );
        });
    }
    let mut pair = Pair::private(&keys, Policy::ALLOW_V3);
    group.bench_function("round trip", |bencher| bencher.iter(|| pair.round_trip()));
    group.bench_function("comparison of secrets", |bencher| {
        bencher.iter(|| pair.compare());
    });
    group.finish();

    let mut group = criterion.benchmark_group("data message");
    for size in [64, 1024, 65536] {
        let text = vec![b'x'; size];
        let mut pair = Pair::private(&keys, Policy::ALLOW_V3);
        pair.round_trip();
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(format!("encrypt {size}"), |bencher| {
            bencher.iter(|| pair.alice.send(&text, NOW).expect("send"));
        });
        group.bench_function(format!("decrypt {size}"), |bencher| {
            bencher.iter_batched(
                || pair.alice.send(&text, NOW).expect("send").wire.remove(0),
                |sealed| pair.bob.receive(&sealed, NOW, &mut os_random()),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, conversation);
criterion_main!(benches);
