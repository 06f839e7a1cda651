//! Long-term keys and signatures inside the key exchange.

use super::MESSAGE_LIMIT_MS;
use crate::bytes::Writer;
use crate::cases::{Outcome, Runner, ensure, within};
use crate::party::{pair, query, still_works};
use crate::peer::crypt::{dsa_q, minimal, pair as signature_pair, public_key};
use crate::peer::{Authenticator, Peer};
use crate::rng::Rng;

/// A named way to be wrong.
type Wrong = (String, fn(&str) -> Authenticator);

pub fn run(runner: &mut Runner) {
    for (place, late) in [("reveal", false), ("signature", true)] {
        runner.case(&format!("identity/{place}/honest"), 10, || honest(late));
        for (name, make) in wrong() {
            let case = format!("identity/{place}/{name}");
            runner.case(&case, 30, || refused(late, make(&name)));
        }
    }
}

fn wrong() -> Vec<Wrong> {
    let signatures = ["r=0", "s=0", "r=s=0", "r=q", "s=q", "r=s=2^160-1", "r=s=1"];
    let fields = [
        "keyid=0",
        "type=1",
        "nothing",
        "cut-to-1",
        "cut-to-2",
        "cut-to-6",
        "cut-to-60",
        "cut-to-300",
        "5-bytes-more",
        "wrong-mac",
        "p-of-length-2^32-1",
    ];
    // Numbers of the public key, with a signature of ones: which of the
    // numbers, and what they are.
    let small = ["p", "q", "g", "y", "pq", "gy", "pqgy"]
        .into_iter()
        .flat_map(|which| (0..3).map(move |value| format!("{which}={value}")));
    let large = [
        "p-of-384-bytes-and-1",
        "p-of-2048-bytes",
        "p-of-65536-bytes",
        "p-of-16-MiB",
    ];
    let odd = [512, 1024, 2048, 4096, 16384].map(|n| format!("all-of-{n}-bytes"));
    let own = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    let table: [(Vec<String>, fn(&str) -> Authenticator); 6] = [
        (own(&signatures), signature),
        (own(&fields), field),
        (small.collect(), small_numbers),
        (own(&large), large_p),
        (odd.to_vec(), random_numbers),
        (own(&["q-even"]), even_q),
    ];
    table
        .into_iter()
        .flat_map(|(names, make)| names.into_iter().map(move |n| (n, make)))
        .collect()
}

fn ones() -> Option<[u8; 40]> {
    Some(signature_pair(&[1], &[1]))
}

fn signature(name: &str) -> Authenticator {
    let q = minimal(&dsa_q());
    let (r, s): (&[u8], &[u8]) = match name {
        "r=0" => (&[], &[1]),
        "s=0" => (&[1], &[]),
        "r=s=0" => (&[], &[]),
        "r=q" => (&q, &[1]),
        "s=q" => (&[1], &q),
        "r=s=1" => (&[1], &[1]),
        _ => (&[0xff; 20], &[0xff; 20]),
    };
    Authenticator {
        signature: Some(signature_pair(r, s)),
        ..Authenticator::default()
    }
}

fn field(name: &str) -> Authenticator {
    let mut fields = Authenticator::default();
    match name {
        "keyid=0" => fields.keyid = 0,
        "type=1" => fields.public_key[1] = 1,
        "nothing" => fields.keep = Some(0),
        "5-bytes-more" => fields.extra = 5,
        "wrong-mac" => fields.wrong_mac = true,
        "p-of-length-2^32-1" => {
            fields.public_key = Writer::default().short(0).int(u32::MAX).raw(&[0x80; 64]).0;
            fields.signature = ones();
        }
        cut => fields.keep = cut.strip_prefix("cut-to-").and_then(|n| n.parse().ok()),
    }
    fields
}

fn small_numbers(name: &str) -> Authenticator {
    let (which, value) = name.split_once('=').unwrap_or_default();
    let value: &[u8] = match value {
        "0" => &[],
        "1" => &[1],
        _ => &[2],
    };
    let replaced: Vec<(char, &[u8])> = which.chars().map(|c| (c, value)).collect();
    Authenticator {
        public_key: public_key(&replaced),
        signature: ones(),
        ..Authenticator::default()
    }
}

fn large_p(name: &str) -> Authenticator {
    let n = match name {
        "p-of-384-bytes-and-1" => 385,
        "p-of-2048-bytes" => 2048,
        "p-of-65536-bytes" => 65536,
        _ => (16 << 20) + 64,
    };
    let mut p = vec![0xff; n];
    p[0] = 0x80;
    Authenticator {
        public_key: public_key(&[('p', &p)]),
        signature: ones(),
        ..Authenticator::default()
    }
}

/// Large odd numbers all over: how long does one message keep the target busy?
fn random_numbers(name: &str) -> Authenticator {
    let n = name
        .split('-')
        .nth(2)
        .and_then(|n| n.parse().ok())
        .unwrap_or(512);
    let mut rng = Rng::new(n as u64);
    let mut number = |top: u8| {
        let mut bytes = rng.bytes(n);
        bytes[0] = bytes[0] & 0x7f | top;
        bytes[n - 1] |= 1;
        bytes
    };
    let (p, q, g, y) = (number(0x80), number(0x80), number(0), number(0));
    Authenticator {
        public_key: public_key(&[('p', &p), ('q', &q), ('g', &g), ('y', &y)]),
        // An s that has an inverse for any odd q, and a long one.
        signature: Some(signature_pair(&[1], &[1, 0, 0])),
        ..Authenticator::default()
    }
}

/// A signature whose s has no inverse.
fn even_q(_: &str) -> Authenticator {
    Authenticator {
        public_key: public_key(&[('q', &[8])]),
        signature: Some(signature_pair(&[1], &[2])),
        ..Authenticator::default()
    }
}

/// Runs a key exchange with these fields; how long the target took over them.
fn exchange(
    late: bool,
    target: &crate::party::Party,
    fields: &Authenticator,
) -> Result<f64, String> {
    let mut peer = Peer::new(3);
    if late {
        target.receive(&query(3));
        peer.take_commit(target)?;
        peer.send_dh_key(target, None);
        peer.take_reveal(target)?;
        Ok(within(MESSAGE_LIMIT_MS, "one message", || {
            peer.send_signature(target, fields)
        })?
        .1)
    } else {
        peer.send_commit(target, None, true);
        peer.take_dh_key(target)?;
        Ok(within(MESSAGE_LIMIT_MS, "one message", || {
            peer.send_reveal(target, None, fields)
        })?
        .1)
    }
}

fn refused(late: bool, fields: Authenticator) -> Outcome {
    let (alice, bob) = pair();
    let ms = exchange(late, &alice, &fields)?;
    ensure!(!alice.encrypted(), "accepted as a valid identity");
    still_works(&alice, &bob, 3)?;
    Ok(format!("{ms:.0} ms"))
}

/// The control: with honest fields the same exchange succeeds.
fn honest(late: bool) -> Outcome {
    let (alice, _) = pair();
    exchange(late, &alice, &Authenticator::default())?;
    ensure!(alice.encrypted(), "the hostile peer cannot even be honest");
    Ok(String::new())
}
