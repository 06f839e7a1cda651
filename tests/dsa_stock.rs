//! Keys and signatures of the stock library are understood, and the values it
//! signs are read as it reads them.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests"
)]

use otr::crypto::dsa::{PrivateKey, SIGNATURE_LEN};
use otr::crypto::os_random;
use otr::{Error, wire::Reader};

const VECTORS: &str = include_str!("vectors/dsa-stock.txt");

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

struct Key {
    key: PrivateKey,
    fingerprint: &'static str,
    signed: Vec<(Vec<u8>, [u8; SIGNATURE_LEN])>,
}

fn keys() -> Vec<Key> {
    let sections = VECTORS.split("\nkey\n").skip(1);
    let keys = sections.map(|section| {
        let field = |name: &str| {
            let mut lines = section.lines().filter_map(|line| line.split_once(' '));
            lines.find(|(key, _)| *key == name).unwrap().1
        };
        let [p, q, g, y, x] = ["p", "q", "g", "y", "x"].map(|name| hex(field(name)));
        let signed = section.lines().filter_map(|line| {
            let (value, signature) = line.strip_prefix("signed ")?.split_once(' ')?;
            let value = hex(value.trim_start_matches('-'));
            Some((value, hex(signature).try_into().unwrap()))
        });
        Key {
            key: PrivateKey::from_components(&p, &q, &g, &y, &x).unwrap(),
            fingerprint: field("fingerprint"),
            signed: signed.collect(),
        }
    });
    keys.collect()
}

#[test]
fn its_signatures_verify_and_nothing_near_them() {
    let keys = keys();
    assert_eq!(keys.len(), 3);
    for Key { key, signed, .. } in &keys {
        assert_eq!(signed.len(), 9);
        for (value, signature) in signed {
            let public = key.public();
            assert_eq!(public.verify(value, signature), Ok(()));
            for at in [0, 19, 20, 39] {
                let mut wrong = *signature;
                wrong[at] ^= 1;
                assert_eq!(public.verify(value, &wrong), Err(Error::BadSignature));
            }
            let longer = [&value[..], &[1]].concat();
            assert_eq!(public.verify(&longer, signature), Err(Error::BadSignature));
        }
    }
}

#[test]
fn its_keys_sign_here() {
    for Key { key, signed, .. } in keys() {
        for (value, _) in signed {
            let signature = key.sign(&value, &mut os_random()).unwrap();
            assert_eq!(key.public().verify(&value, &signature), Ok(()));
        }
    }
}

#[test]
fn its_fingerprints_are_ours() {
    for Key {
        key, fingerprint, ..
    } in keys()
    {
        let public = key.public();
        assert_eq!(public.fingerprint().to_human(), fingerprint);
        let wire = public.to_wire();
        let mut reader = Reader::new(&wire);
        let read = otr::crypto::dsa::PublicKey::parse(&mut reader).unwrap();
        assert!(reader.is_empty());
        assert_eq!(read, *public);
    }
}
