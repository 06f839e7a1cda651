//! The cryptography of the protocol, from its description: the group, the key
//! schedules, DSA with a fixed key.

use aes::Aes128;
use aes::cipher::{KeyIvInit, StreamCipher};
use hmac::{Hmac, KeyInit, Mac};
use num_bigint::BigUint;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::bytes::{Writer, unhex};
use crate::rng::Rng;

/// RFC 3526, group 5.
const P: &str = "
    FFFFFFFF FFFFFFFF C90FDAA2 2168C234 C4C6628B 80DC1CD1 29024E08 8A67CC74
    020BBEA6 3B139B22 514A0879 8E3404DD EF9519B3 CD3A431B 302B0A6D F25F1437
    4FE1356D 6D51C245 E485B576 625E7EC6 F44C42E9 A637ED6B 0BFF5CB6 F406B7ED
    EE386BFB 5A899FA5 AE9F2411 7C4B1FE6 49286651 ECE45B3D C2007CB8 A163BF05
    98DA4836 1C55D39A 69163FA8 FD24CF5F 83655D23 DCA3AD96 1C62F356 208552BB
    9ED52907 7096966D 670C354E 4ABC9804 F1746C08 CA237327 FFFFFFFF FFFFFFFF";

/// RFC 6979, A.2.1: a DSA key of 1024 bits, p, q, g, y and x.
const DSA: [&str; 5] = [
    "86F5CA03DCFEB225063FF830A0C769B9DD9D6153AD91D7CE27F787C43278B447
     E6533B86B18BED6E8A48B784A14C252C5BE0DBF60B86D6385BD2F12FB763ED88
     73ABFD3F5BA2E0A8C0A59082EAC056935E529DAF7C610467899C77ADEDFC846C
     881870B7B19B2B58F9BE0521A17002E3BDD6B86685EE90B3D9A1B02B782B1779",
    "996F967F6C8E388D9E28D01E205FBA957A5698B1",
    "07B0F92546150B62514BB771E2A0C0CE387F03BDA6C56B505209FF25FD3C133D
     89BBCD97E904E09114D9A7DEFDEADFC9078EA544D2E401AEECC40BB9FBBF78FD
     87995A10A1C27CB7789B594BA7EFB5C4326A9FE59A070E136DB77175464ADCA4
     17BE5DCE2F40D10A46A3A3943F26AB7FD9C0398FF8C76EE0A56826A8A88F1DBD",
    "5DF5E01DED31D0297E274E1691C192FE5868FEF9E19A84776454B100CF16F653
     92195A38B90523E2542EE61871C0440CB87C322FC4B4D2EC5E1E7EC766E1BE8D
     4CE935437DC11C3C8FD426338933EBFE739CB3465F4D3668C5E473508253B1E6
     82F65CBDC4FAE93C2EA212390E54905A86E2223170B44EAA7DA5DD9FFCFB7F3B",
    "411602CB19A6CCC34494D79D98EF1E7ED5AF25F7",
];

fn number(digits: &str) -> BigUint {
    BigUint::from_bytes_be(&unhex(digits))
}

/// The prime of the group.
pub fn p() -> BigUint {
    number(P)
}

/// The order of the squares, (p - 1) / 2.
pub fn order() -> BigUint {
    p() >> 1
}

/// The generator.
pub fn g() -> BigUint {
    BigUint::from(2u8)
}

/// A random number of at most so many bits.
pub fn random(rng: &mut Rng, bits: usize) -> BigUint {
    BigUint::from_bytes_be(&rng.bytes(bits / 8))
}

/// A number in as few bytes as possible; zero in none.
pub fn minimal(n: &BigUint) -> Vec<u8> {
    if *n == BigUint::ZERO {
        Vec::new()
    } else {
        n.to_bytes_be()
    }
}

/// A group element by name, most of them outside the permitted range.
pub fn element(name: &str) -> BigUint {
    match name {
        "p-1" => p() - 1u8,
        "p" => p(),
        "p+1" => p() + 1u8,
        "2^1536-1" => (BigUint::from(1u8) << 1536) - 1u8,
        small => small.parse().expect("a small number"),
    }
}

pub fn sha1(bytes: &[u8]) -> [u8; 20] {
    Sha1::digest(bytes).into()
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

pub fn hmac_sha1(key: &[u8], bytes: &[u8]) -> [u8; 20] {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("any length");
    mac.update(bytes);
    mac.finalize().into_bytes().into()
}

pub fn hmac_sha256(key: &[u8], bytes: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    mac.update(bytes);
    mac.finalize().into_bytes().into()
}

/// AES-128 in counter mode; `top` is the upper half of the first counter block.
pub fn ctr(key: &[u8; 16], top: &[u8; 8], bytes: &[u8]) -> Vec<u8> {
    let mut block = [0; 16];
    block[..8].copy_from_slice(top);
    let mut out = bytes.to_vec();
    ctr::Ctr128BE::<Aes128>::new(key.into(), &block.into()).apply_keystream(&mut out);
    out
}

/// The keys of the key exchange.
#[derive(Default)]
pub struct ExchangeKeys {
    pub ssid: [u8; 8],
    pub c: [u8; 16],
    pub c_prime: [u8; 16],
    pub m1: [u8; 32],
    pub m2: [u8; 32],
    pub m1_prime: [u8; 32],
    pub m2_prime: [u8; 32],
}

impl ExchangeKeys {
    pub fn derive(shared: &BigUint) -> Self {
        let hash = |label: u8| sha256(&Writer::default().byte(label).data(&minimal(shared)).0);
        let (ssid, c) = (hash(0), hash(1));
        Self {
            ssid: ssid[..8].try_into().expect("8 of 32"),
            c: c[..16].try_into().expect("16 of 32"),
            c_prime: c[16..].try_into().expect("16 of 32"),
            m1: hash(2),
            m2: hash(3),
            m1_prime: hash(4),
            m2_prime: hash(5),
        }
    }
}

/// The keys of data messages between one key of ours and one of the target's.
#[derive(Default)]
pub struct DataKeys {
    pub send_key: [u8; 16],
    pub send_mac: [u8; 20],
    pub receive_key: [u8; 16],
    pub receive_mac: [u8; 20],
    pub extra: [u8; 32],
}

impl DataKeys {
    /// `high`: our public key is the larger one.
    pub fn derive(shared: &BigUint, high: bool) -> Self {
        let input = |label: u8| Writer::default().byte(label).data(&minimal(shared)).0;
        let key =
            |label: u8| -> [u8; 16] { sha1(&input(label))[..16].try_into().expect("16 of 20") };
        let (send_key, receive_key) = if high {
            (key(1), key(2))
        } else {
            (key(2), key(1))
        };
        Self {
            send_mac: sha1(&send_key),
            receive_mac: sha1(&receive_key),
            extra: sha256(&input(0xff)),
            send_key,
            receive_key,
        }
    }
}

/// The public key as on the wire, with some of its numbers replaced: pairs of
/// a name (`p`, `q`, `g`, `y`) and the bytes to put there.
pub fn public_key(replaced: &[(char, &[u8])]) -> Vec<u8> {
    let mut out = Writer::default().short(0);
    for (name, digits) in ['p', 'q', 'g', 'y'].into_iter().zip(DSA) {
        let honest = minimal(&number(digits));
        let other = replaced.iter().find(|r| r.0 == name).map(|r| r.1);
        out = out.data(other.unwrap_or(&honest));
    }
    out.0
}

/// The fingerprint of the hostile peer's key.
pub fn fingerprint() -> [u8; 20] {
    sha1(&public_key(&[])[2..])
}

/// The order of the DSA key.
pub fn dsa_q() -> BigUint {
    number(DSA[1])
}

/// Signs a value, taken as a number modulo q.
pub fn sign(value: &[u8]) -> [u8; 40] {
    let [p, q, g, _, x] = DSA.map(number);
    // Not secret, only different for each value.
    let k = BigUint::from_bytes_be(&sha256(value)) % (&q - 1u8) + 1u8;
    let r = g.modpow(&k, &p) % &q;
    let inverse = k.modinv(&q).expect("q is prime");
    let s = inverse * (BigUint::from_bytes_be(value) + &x * &r) % &q;
    pair(&minimal(&r), &minimal(&s))
}

/// A signature of two numbers of at most 20 bytes.
pub fn pair(r: &[u8], s: &[u8]) -> [u8; 40] {
    let mut out = [0; 40];
    out[20 - r.len()..20].copy_from_slice(r);
    out[40 - s.len()..].copy_from_slice(s);
    out
}
