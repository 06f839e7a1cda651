//! The socialist millionaires' protocol from its description, both roles, and
//! proofs for values outside the permitted range.

use num_bigint::BigUint;

use super::crypt::{element, g, minimal, order, p, random, sha256};
use crate::bytes::{Writer, data_at, int_at};
use crate::ffi::lib;
use crate::party::{PROTOCOL, Party};
use crate::rng::Rng;

/// A TLV value: the count of the numbers, then the numbers.
pub fn numbers(values: &[&BigUint]) -> Vec<u8> {
    counted(values.len() as u32, values)
}

/// The same with any count.
pub fn counted(count: u32, values: &[&BigUint]) -> Vec<u8> {
    let out = Writer::default().int(count);
    values.iter().fold(out, |out, n| out.data(&minimal(n))).0
}

/// The numbers in a TLV value.
pub fn parse(value: &[u8]) -> Option<Vec<BigUint>> {
    let mut at = 4;
    (0..int_at(value, 0)?)
        .map(|_| {
            let (number, end) = data_at(value, at)?;
            at = end;
            Some(BigUint::from_bytes_be(number))
        })
        .collect()
}

/// The challenge of a proof.
pub fn challenge(version: u8, parts: &[&BigUint]) -> BigUint {
    let out = Writer::default().byte(version);
    let out = parts.iter().fold(out, |out, n| out.data(&minimal(n)));
    BigUint::from_bytes_be(&sha256(&out.0))
}

/// The secret that is compared.
pub fn secret(initiator: &[u8; 20], responder: &[u8; 20], ssid: &[u8; 8], typed: &[u8]) -> BigUint {
    let input = Writer::default()
        .byte(1)
        .raw(initiator)
        .raw(responder)
        .raw(ssid)
        .raw(typed);
    BigUint::from_bytes_be(&sha256(&input.0))
}

/// The fingerprint of a party's own key.
pub fn fingerprint(party: &Party) -> [u8; 20] {
    let (log, mut out) = (party.log(), [0; 20]);
    // SAFETY: live user state, valid strings, 20 bytes of room.
    let found = unsafe {
        (lib().otrl_privkey_fingerprint_raw)(
            log.us,
            out.as_mut_ptr(),
            log.name.as_ptr(),
            PROTOCOL.as_ptr(),
        )
    };
    assert!(!found.is_null(), "no key");
    out
}

/// r - x * c modulo the group's order.
fn response(r: &BigUint, x: &BigUint, c: &BigUint) -> BigUint {
    let q = order();
    (r % &q + &q - x * c % &q) % &q
}

/// A group element and a proof of knowing its logarithm: value, c, d.
pub struct Log {
    pub value: BigUint,
    pub c: BigUint,
    pub d: BigUint,
    /// The logarithm, for an honest value.
    pub x: BigUint,
}

impl Log {
    pub fn honest(rng: &mut Rng, version: u8) -> Self {
        let (x, r) = (random(rng, 1536), random(rng, 1536));
        let c = challenge(version, &[&g().modpow(&r, &p())]);
        Self {
            value: g().modpow(&x, &p()),
            d: response(&r, &x, &c),
            c,
            x,
        }
    }

    /// A value outside the permitted range with a proof that a verifier
    /// accepts if it does not check the range.
    pub fn forged(rng: &mut Rng, version: u8, name: &str) -> Self {
        let value = element(name);
        if &value % p() == BigUint::ZERO {
            let c = challenge(version, &[&BigUint::ZERO]);
            return Self {
                value,
                c,
                d: BigUint::from(7u8),
                x: BigUint::ZERO,
            };
        }
        // The value is 1 or -1 modulo p: an even challenge makes it vanish.
        loop {
            let d = random(rng, 1528);
            let c = challenge(version, &[&g().modpow(&d, &p())]);
            if !c.bit(0) {
                return Self {
                    value,
                    c,
                    d,
                    x: BigUint::ZERO,
                };
            }
        }
    }

    pub fn new(rng: &mut Rng, version: u8, forged: Option<&str>) -> Self {
        match forged {
            Some(name) => Self::forged(rng, version, name),
            None => Self::honest(rng, version),
        }
    }
}

/// The first message: g2a and g3a with their proofs.
pub fn first(g2a: &Log, g3a: &Log) -> Vec<u8> {
    numbers(&[&g2a.value, &g2a.c, &g2a.d, &g3a.value, &g3a.c, &g3a.d])
}

/// What a responder computes for the second message.
pub struct Second {
    pub g2b: Log,
    pub g3b: Log,
    pub pb: BigUint,
    pub qb: BigUint,
    cp: BigUint,
    d5: BigUint,
    d6: BigUint,
}

impl Second {
    /// Answers a first message. `blinding`: the secret exponent of P and Q,
    /// random if `None`.
    pub fn answer(
        rng: &mut Rng,
        first: &[BigUint],
        secret: &BigUint,
        blinding: Option<BigUint>,
    ) -> Self {
        let (g2b, g3b) = (Log::honest(rng, 3), Log::honest(rng, 4));
        let (g2, g3) = (first[0].modpow(&g2b.x, &p()), first[3].modpow(&g3b.x, &p()));
        let r = blinding.unwrap_or_else(|| random(rng, 1536));
        let (r5, r6) = (random(rng, 1536), random(rng, 1536));
        let pb = g3.modpow(&r, &p());
        let qb = g().modpow(&r, &p()) * g2.modpow(secret, &p()) % p();
        let cp = challenge(
            5,
            &[
                &g3.modpow(&r5, &p()),
                &(g().modpow(&r5, &p()) * g2.modpow(&r6, &p()) % p()),
            ],
        );
        Self {
            d5: response(&r5, &r, &cp),
            d6: response(&r6, secret, &cp),
            g2b,
            g3b,
            pb,
            qb,
            cp,
        }
    }

    /// The message, with one of its values replaced.
    pub fn message(&self, replaced: Option<(&str, &BigUint)>) -> Vec<u8> {
        let or = |name: &str, honest| match replaced {
            Some((which, value)) if which == name => value,
            _ => honest,
        };
        numbers(&[
            or("g2b", &self.g2b.value),
            &self.g2b.c,
            &self.g2b.d,
            or("g3b", &self.g3b.value),
            &self.g3b.c,
            &self.g3b.d,
            or("pb", &self.pb),
            or("qb", &self.qb),
            &self.cp,
            &self.d5,
            &self.d6,
        ])
    }

    /// The fourth message, as an answer to the third.
    pub fn fourth(&self, rng: &mut Rng, third: &[BigUint]) -> Vec<BigUint> {
        let quotient = &third[1] * self.qb.modinv(&p()).expect("not zero") % p();
        let r7 = random(rng, 1536);
        let cr = challenge(8, &[&g().modpow(&r7, &p()), &quotient.modpow(&r7, &p())]);
        let d7 = response(&r7, &self.g3b.x, &cr);
        vec![quotient.modpow(&self.g3b.x, &p()), cr, d7]
    }
}

/// The third message: P, Q, c, d5, d6, R, c, d7.
pub fn third(
    rng: &mut Rng,
    a: (&Log, &Log),
    second: &[BigUint],
    secret: &BigUint,
    blinding: Option<BigUint>,
) -> Vec<BigUint> {
    let (g2, g3) = (
        second[0].modpow(&a.0.x, &p()),
        second[3].modpow(&a.1.x, &p()),
    );
    let s = blinding.unwrap_or_else(|| random(rng, 1536));
    let (r5, r6, r7) = (random(rng, 1536), random(rng, 1536), random(rng, 1536));
    let pa = g3.modpow(&s, &p());
    let qa = g().modpow(&s, &p()) * g2.modpow(secret, &p()) % p();
    let cp = challenge(
        6,
        &[
            &g3.modpow(&r5, &p()),
            &(g().modpow(&r5, &p()) * g2.modpow(&r6, &p()) % p()),
        ],
    );
    let (d5, d6) = (response(&r5, &s, &cp), response(&r6, secret, &cp));
    let quotient = &qa * second[7].modinv(&p()).expect("not zero") % p();
    let ra = quotient.modpow(&a.1.x, &p());
    let cr = challenge(7, &[&g().modpow(&r7, &p()), &quotient.modpow(&r7, &p())]);
    let d7 = response(&r7, &a.1.x, &cr);
    vec![pa, qa, cp, d5, d6, ra, cr, d7]
}
