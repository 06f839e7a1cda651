//! Generated keys keep the rules of DSA, by independent arithmetic.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, reason = "tests")]

use num_bigint::BigUint;
use otr::crypto::dsa::PrivateKey;
use otr::crypto::{Random, os_random};

/// Miller and Rabin's test with the first twelve primes as bases.
fn is_probable_prime(n: &BigUint) -> bool {
    let one = BigUint::from(1u32);
    let minus_one = n - &one;
    let twos = minus_one.trailing_zeros().unwrap();
    let odd = &minus_one >> twos;
    [2u32, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37]
        .iter()
        .all(|&base| {
            let mut power = BigUint::from(base).modpow(&odd, n);
            if power == one {
                return true;
            }
            for _ in 0..twos {
                if power == minus_one {
                    return true;
                }
                power = &power * &power % n;
            }
            false
        })
}

#[test]
fn a_generated_key_keeps_the_rules() {
    for _ in 0..3 {
        let key = PrivateKey::generate(&mut os_random()).unwrap();
        let public = key.public();
        let [p, q, g, y, x] =
            [public.p(), public.q(), public.g(), public.y(), &*key.x()].map(BigUint::from_bytes_be);
        let one = BigUint::from(1u32);
        assert_eq!((p.bits(), q.bits()), (1024, 160));
        assert!(is_probable_prime(&p) && is_probable_prime(&q));
        assert_eq!((&p - &one) % &q, BigUint::default());
        assert!(g > one && g.modpow(&q, &p) == one);
        assert!(x >= one && x < q);
        assert_eq!(y, g.modpow(&x, &p));

        let signature = key.sign(b"value", &mut os_random()).unwrap();
        public.verify(b"value", &signature).unwrap();
    }
}

#[test]
fn generated_keys_differ() {
    let first = PrivateKey::generate(&mut os_random()).unwrap();
    let second = PrivateKey::generate(&mut os_random()).unwrap();
    assert_ne!(first.public().p(), second.public().p());
    assert_ne!(first.public().q(), second.public().q());
    assert_ne!(first.x(), second.x());
}

/// Fails after some calls.
struct Failing(usize);

impl Random for Failing {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), otr::Error> {
        self.0 = self.0.checked_sub(1).ok_or(otr::Error::Randomness)?;
        os_random().fill(out)
    }
}

#[test]
fn a_failing_random_source_is_reported() {
    // 1 for q, 40 for its tests, 1 for p, 8 for its tests, 1 for x, 2 to sign.
    for calls in [0, 1, 20, 45, 52] {
        let result = PrivateKey::generate(&mut Failing(calls));
        assert_eq!(result.err(), Some(otr::Error::Randomness), "{calls} calls");
    }
}
