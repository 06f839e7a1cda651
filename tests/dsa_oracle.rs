//! Signatures against independent arithmetic: num-bigint, and the dsa crate.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests"
)]

use dsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use dsa::{BoxedUint, Components, Signature, SigningKey, VerifyingKey};
use num_bigint::BigUint;
use otr::Error;
use otr::crypto::dsa::{PrivateKey, PublicKey, SIGNATURE_LEN};
use otr::crypto::{Random, os_random};

fn random(bits: usize) -> BigUint {
    let mut bytes = vec![0; bits / 8];
    os_random().fill(&mut bytes).unwrap();
    BigUint::from_bytes_be(&bytes)
}

/// `length` bytes, big-endian.
fn padded(number: &BigUint, length: usize) -> Vec<u8> {
    let bytes = number.to_bytes_be();
    [vec![0; length - bytes.len()], bytes].concat()
}

fn signature(r: &BigUint, s: &BigUint) -> [u8; SIGNATURE_LEN] {
    let bytes = [padded(r, 20), padded(s, 20)].concat();
    bytes.try_into().unwrap()
}

/// The prime order of RFC 6979, appendix A.2.1.
fn order() -> BigUint {
    BigUint::parse_bytes(b"996F967F6C8E388D9E28D01E205FBA957A5698B1", 16).unwrap()
}

/// A value and a signature of it that are valid for any p, g and y: from the
/// exponents u1 and u2 that verification will find.
fn forge(
    [p, q, g, y]: [&BigUint; 4],
    u1: &BigUint,
    u2: &BigUint,
) -> Option<(BigUint, BigUint, BigUint)> {
    let r = g.modpow(u1, p) * y.modpow(u2, p) % p % q;
    let s = &r * u2.modinv(q)? % q;
    let z = u1 * &s % q;
    (r != BigUint::ZERO).then_some((r, s, z))
}

/// Verification over numbers p of every size and form that is let in; for the
/// arithmetic they need not be primes.
#[test]
fn verification_agrees_with_num_bigint_for_every_size_of_p() {
    let one = BigUint::from(1u32);
    let q = order();
    let mut moduli: Vec<BigUint> = [1024usize, 1032, 1536, 2048, 2056, 3064, 3072]
        .iter()
        .flat_map(|&bits| {
            let top = &one << (bits - 1);
            [
                random(bits) | &one | &top,
                &top + &one,
                (top << 1u32) - &one,
            ]
        })
        .collect();
    moduli.push((&one << 1024u32) - (&one << 64u32) + 1u32);
    for p in &moduli {
        let last = &q - 1u32;
        for (u1, u2) in [
            (random(160) % &q, random(160) % &q),
            (BigUint::ZERO, random(160) % &q),
            (random(160) % &q, one.clone()),
            (one.clone(), last.clone()),
            (last.clone(), last.clone()),
        ] {
            let (g, y) = (random(3072) % p, p - 1u32);
            let (g, y) = if u1 == one { (y, g) } else { (g, y) };
            let Some((r, s, z)) = forge([p, &q, &g, &y], &u1, &u2) else {
                continue;
            };
            let [pb, qb, gb, yb] = [p, &q, &g, &y].map(BigUint::to_bytes_be);
            let key = PublicKey::from_components(&pb, &qb, &gb, &yb).unwrap();
            let signature = signature(&r, &s);
            assert_eq!(key.verify(&padded(&z, 32), &signature), Ok(()), "p = {p:x}");
            // The value counts modulo q, whatever its length.
            let value = (&z + &q * random(96)).to_bytes_be();
            assert_eq!(key.verify(&value, &signature), Ok(()));
            // p - 1 has order two: half of all values would do.
            if g != p - 1u32 {
                let value = (z + &one).to_bytes_be();
                assert_eq!(key.verify(&value, &signature), Err(Error::BadSignature));
            }
        }
    }
}

/// The textbook's verification.
fn textbook(key: &PublicKey, value: &[u8], signature: &[u8; SIGNATURE_LEN]) -> bool {
    let [p, q, g, y] = [key.p(), &key.q()[..], key.g(), key.y()].map(BigUint::from_bytes_be);
    let (r, s) = signature.split_at(20);
    let [r, s, z] = [r, s, value].map(BigUint::from_bytes_be);
    if r == BigUint::ZERO || s == BigUint::ZERO || r >= q || s >= q {
        return false;
    }
    let w = s.modinv(&q).unwrap();
    let (u1, u2) = (z * &w % &q, &r * w % &q);
    g.modpow(&u1, &p) * y.modpow(&u2, &p) % p % q == r
}

#[test]
fn signatures_verify_by_the_textbook_and_by_the_dsa_crate() {
    for _ in 0..3 {
        let key = PrivateKey::generate(&mut os_random()).unwrap();
        let public = key.public();
        let q = BigUint::from_bytes_be(public.q());
        let values = [
            vec![],
            vec![0; 32],
            q.to_bytes_be(),
            (&q - 1u32).to_bytes_be(),
            (&q + 1u32).to_bytes_be(),
            vec![0xff; 20],
            vec![0xff; 32],
            vec![0xff; 33],
            random(256).to_bytes_be(),
            random(8 * 999).to_bytes_be(),
        ];
        for value in values {
            let signature = key.sign(&value, &mut os_random()).unwrap();
            assert!(textbook(public, &value, &signature));
            public.verify(&value, &signature).unwrap();

            // The crate cuts what it signs to 20 bytes, so it gets the value
            // reduced modulo q.
            let reduced = padded(&(BigUint::from_bytes_be(&value) % &q), 20);
            let (r, s) = signature.split_at(20);
            let number = |bytes: &[u8]| BoxedUint::from_be_slice(bytes, 160).unwrap();
            let converted = Signature::from_components(number(r), number(s)).unwrap();
            let theirs = crate_key(&key);
            theirs
                .verifying_key()
                .verify_prehash(&reduced, &converted)
                .unwrap();

            let theirs = theirs.sign_prehash(&reduced).unwrap();
            let [r, s] = [theirs.r(), theirs.s()]
                .map(|number| BigUint::from_bytes_be(&number.to_be_bytes()));
            public.verify(&value, &self::signature(&r, &s)).unwrap();
        }
    }
}

fn crate_key(key: &PrivateKey) -> SigningKey {
    let number = |bytes: &[u8], bits: usize| {
        let bytes = padded(&BigUint::from_bytes_be(bytes), bits / 8);
        BoxedUint::from_be_slice(&bytes, u32::try_from(bits).unwrap()).unwrap()
    };
    let public = key.public();
    let components = Components::from_components(
        number(public.p(), 1024),
        number(public.q(), 160),
        number(public.g(), 1024),
    );
    let verifying =
        VerifyingKey::from_components(components.unwrap(), number(public.y(), 1024)).unwrap();
    SigningKey::from_components(verifying, number(&*key.x(), 160)).unwrap()
}

#[test]
fn r_and_s_outside_1_to_q_minus_1_are_refused() {
    let key = PrivateKey::generate(&mut os_random()).unwrap();
    let public = key.public();
    let q = BigUint::from_bytes_be(public.q());
    let value = [7; 32];
    let good = key.sign(&value, &mut os_random()).unwrap();
    let [r, s] = [&good[..20], &good[20..]].map(BigUint::from_bytes_be);
    let most = (BigUint::from(1u32) << 160u32) - 1u32;
    for bad in [BigUint::ZERO, q.clone(), most] {
        for (r, s) in [(&bad, &s), (&r, &bad), (&bad, &bad)] {
            let refused = public.verify(&value, &signature(r, s));
            assert_eq!(refused, Err(Error::BadSignature));
        }
    }
    // Swapped, and for another value.
    let refused = public.verify(&value, &signature(&s, &r));
    assert_eq!(refused, Err(Error::BadSignature));
    assert_eq!(public.verify(&[8; 32], &good), Err(Error::BadSignature));
    public.verify(&value, &good).unwrap();
}

#[test]
fn keys_at_the_ends_of_the_secret_range_work() {
    let key = PrivateKey::generate(&mut os_random()).unwrap();
    let public = key.public();
    let [p, q, g] = [public.p(), &public.q()[..], public.g()].map(BigUint::from_bytes_be);
    for x in [BigUint::from(1u32), BigUint::from(2u32), &q - 1u32] {
        let y = g.modpow(&x, &p).to_bytes_be();
        let key =
            PrivateKey::from_components(public.p(), public.q(), public.g(), &y, &x.to_bytes_be())
                .unwrap();
        let signature = key.sign(&[5; 32], &mut os_random()).unwrap();
        assert!(textbook(key.public(), &[5; 32], &signature));
        key.public().verify(&[5; 32], &signature).unwrap();
    }
}

/// Primes of 2048 and 3072 bits that are 1 modulo [`order`], made for this
/// test. Keys of this size are not generated here, but may stand in a file.
const LONG_PRIMES: [&str; 2] = [
    "8F6BFDD302A556C1969A7923F4097DD89658D0BEF9D12948A0EE19E6DCCF66EB\
     CDAF47F0D5B9BB6E7DF06364C3A602C3EA41A0839C0C550A2EB58AA07A472D4D\
     3B6979E2F2FF65B238B3A6ED2260E091AC78BE0D8AF49A0A081E8D12066E4332\
     CA64BC11C468EC19B4619EA1C2145B1F5E1E0608D224ACD5BEC7BEC2E84A275F\
     C649B15B839040DA7E8D074F91132144A68E8E04D7AE4B25A5E40C88C0DED821\
     2A24064A9FA5DC88DC030BD6F84FD8AE2DE96E8F2C8C8835B5E27F18CCAFA2A7\
     3B38D359401242B7C7CE92B8B1C73F5DADFF93C2B05F0E516EFB4D886D884800\
     4A09F25764FC78E81894F87F4519E000B806A9C9183F0A8BA2DA1A6B1C38B10B",
    "C1FD8343BC58678F98536A411581CD8C006C80F0DE886F0B9C04AB5EE8BE53AD\
     A5A0ACAC99C78873BD21F647BFA6F8C74165FF86D5DE1F2E721CBC339171D5F3\
     4D28869FFE27BFF71B4504D5453BF894B25AA127F682C8AA3D8B61B712B05CAD\
     39825862E9C1EE60581EF7B4168F9B7E5967C4E15374808D4A2A122DBE17F421\
     518BFFE7A96C3759FAC8D01433FDB6184698E2FFA3D56317DEF792D9C7F97C98\
     45038D3AE213746F3AF5987C93071CC204957D92EC1D093E381A973418563743\
     24D0FD9A39C1492336729C499819C50E54EDC5D11CF223D60A8B09A2DDBF6832\
     EFA6A8C8DB5B7C52B917CE39FFF1BCC66A41A8E653A2CFED691A91FEFCE6FE72\
     776079F44EBC697E949BA5E86CE9D059945CB48BD2A963F8D0AC12782324250C\
     774081C7A609F05B6B74550565517635B34E60403D76FC50593476BD43BA0AD2\
     F293DBCB309B28A114D7D16BA75887B9BC2FBD841F9BDD31564A04D9FCCB1810\
     4BF71D3311551D5C39B7B59C8EA548DF51343EF2A7A64B2A17795118D58D0301",
];

#[test]
fn keys_with_a_longer_p_sign_and_verify() {
    let q = order();
    for p in LONG_PRIMES {
        let p = BigUint::parse_bytes(p.as_bytes(), 16).unwrap();
        let g = BigUint::from(2u32).modpow(&((&p - 1u32) / &q), &p);
        let x = random(160) % (&q - 1u32) + 1u32;
        let y = g.modpow(&x, &p);
        let [pb, qb, gb, yb, xb] = [&p, &q, &g, &y, &x].map(BigUint::to_bytes_be);
        let key = PrivateKey::from_components(&pb, &qb, &gb, &yb, &xb).unwrap();
        let signature = key.sign(&[9; 32], &mut os_random()).unwrap();
        assert!(textbook(key.public(), &[9; 32], &signature));
        key.public().verify(&[9; 32], &signature).unwrap();
    }
}

/// The same numbers plus q mean the same modulo q, but are not a signature.
#[test]
fn numbers_beyond_q_are_refused() {
    let fits = |number: &BigUint| number.bits() <= 160;
    // A key for which such numbers have room, and signatures that have some.
    let key = loop {
        let key = PrivateKey::generate(&mut os_random()).unwrap();
        if fits(&(BigUint::from_bytes_be(key.public().q()) * 5u32 / 4u32)) {
            break key;
        }
    };
    let q = BigUint::from_bytes_be(key.public().q());
    let value = [7; 32];
    let mut refused = [false; 2];
    while refused != [true; 2] {
        let good = key.sign(&value, &mut os_random()).unwrap();
        let [r, s] = [&good[..20], &good[20..]].map(BigUint::from_bytes_be);
        for (which, (r, s)) in [(&r + &q, s.clone()), (r.clone(), &s + &q)]
            .into_iter()
            .enumerate()
        {
            if fits(&r) && fits(&s) {
                let answer = key.public().verify(&value, &signature(&r, &s));
                assert_eq!(answer, Err(Error::BadSignature));
                refused[which] = true;
            }
        }
    }
}
