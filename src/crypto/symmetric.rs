//! Hashes, message authentication and AES-128 in counter mode, in the forms
//! the protocol uses them.
//!
//! Implements what the section "Data types" of the protocol text calls CTR
//! and MAC. Inputs to hashes come as a list of parts, so that callers need
//! not copy them together.
#![forbid(unsafe_code)]

use aes::cipher::BlockCipherEncrypt;
use aes::{Aes128Enc, Block};
use hmac::digest::{Digest, KeyInit, Update};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha1::block_api::compress as sha1_compress;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// An AES-128 key.
pub type AesKey = Zeroizing<[u8; 16]>;
/// A key for HMAC-SHA1.
pub type MacKey = Zeroizing<[u8; 20]>;

/// The block size of both hashes, and so the longest HMAC key taken here.
const BLOCK: usize = 64;

/// SHA-1 of the parts, one after the other.
#[must_use]
pub fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    let mut hash = Sha1::default();
    for part in parts {
        Update::update(&mut hash, part);
    }
    hash.finalize().into()
}

/// SHA-256 of the parts, one after the other.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::default();
    for part in parts {
        Update::update(&mut hash, part);
    }
    hash.finalize().into()
}

/// An HMAC-SHA1 key, made ready for many messages; wiped on drop.
///
/// HMAC hashes a block with the key in it before the message, and another
/// before the result: this is what SHA-1 has computed behind these two. Messages
/// are hashed where they lie, without the buffer of a hash that is fed bit by
/// bit.
///
/// Data messages begin alike, up to the sender's next D-H key, until the peer
/// answers: half of what is to be hashed for a line of text. What SHA-1 has
/// computed behind the beginning of one message serves for the next that begins
/// so.
#[derive(Clone, ZeroizeOnDrop)]
pub struct HmacSha1 {
    inner: [u32; 5],
    outer: [u32; 5],
    head: Head,
}

/// The beginning of the last message, and SHA-1's state behind it.
///
/// Messages are public, so their comparison may take a time that depends on
/// them. The state depends on the key.
#[derive(Clone, ZeroizeOnDrop)]
struct Head {
    bytes: [[u8; BLOCK]; HEAD],
    /// `None` before the first message.
    state: Option<[u32; 5]>,
}

/// How many blocks a [`Head`] has: data messages have 207 to 216 bytes in front
/// of their counter, unless a D-H key begins with zeros.
const HEAD: usize = 3;

impl HmacSha1 {
    /// Makes the key ready.
    #[must_use]
    pub fn new(key: &[u8; 20]) -> Self {
        let behind = |pad: u8| {
            let mut block = key_block(key);
            block.iter_mut().for_each(|byte| *byte ^= pad);
            let mut state = SHA1_START;
            sha1_compress(&mut state, &[*block]);
            state
        };
        Self {
            inner: behind(0x36),
            outer: behind(0x5c),
            head: Head {
                bytes: [[0; BLOCK]; HEAD],
                state: None,
            },
        }
    }

    /// The authenticator of `message`.
    #[must_use]
    pub fn authenticate(&mut self, message: &[u8]) -> [u8; 20] {
        let (blocks, end) = message.as_chunks();
        let mut state;
        let rest = match blocks.split_first_chunk() {
            Some((head, rest)) => {
                state = self.head.behind(head, &self.inner);
                rest
            }
            None => {
                state = self.inner;
                blocks
            }
        };
        sha1_compress(&mut state, rest);
        let len = BLOCK.wrapping_add(message.len());
        if end.len() < BLOCK - 8 {
            sha1_compress(&mut state, &padded::<1>(end, len));
        } else {
            sha1_compress(&mut state, &padded::<2>(end, len));
        }
        let mut inner = digest(&state);
        state = self.outer;
        sha1_compress(&mut state, &padded::<1>(&inner, const { BLOCK + 20 }));
        let outer = digest(&state);
        inner.zeroize();
        state.zeroize();
        outer
    }
}

impl Head {
    /// SHA-1's state behind `head`, which it takes in the state `before`:
    /// always the same one for one [`Head`].
    fn behind(&mut self, head: &[[u8; BLOCK]; HEAD], before: &[u32; 5]) -> [u32; 5] {
        if let Some(state) = self.state
            && self.bytes == *head
        {
            return state;
        }
        let mut state = *before;
        sha1_compress(&mut state, head);
        self.bytes = *head;
        self.state = Some(state);
        state
    }
}

/// The last blocks of a SHA-1 of `len` bytes, of which `end` has the last: a one
/// behind them, zeros, and the length in bits.
fn padded<const N: usize>(end: &[u8], len: usize) -> [[u8; BLOCK]; N] {
    let mut blocks = [[0; BLOCK]; N];
    let bytes = blocks.as_flattened_mut();
    if let Some((text, [mark, ..])) = bytes.split_at_mut_checked(end.len()) {
        text.copy_from_slice(end);
        *mark = 0x80;
    }
    if let Some(length) = bytes.last_chunk_mut() {
        *length = (len as u64).wrapping_mul(8).to_be_bytes();
    }
    blocks
}

/// What SHA-1 gives in this state, at its end.
fn digest(state: &[u32; 5]) -> [u8; 20] {
    let mut digest = [0; 20];
    for (to, word) in digest.as_chunks_mut().0.iter_mut().zip(state) {
        *to = word.to_be_bytes();
    }
    digest
}

/// What a SHA-1 begins with: FIPS 180-4, section 5.3.1.
const SHA1_START: [u32; 5] = [
    0x6745_2301,
    0xefcd_ab89,
    0x98ba_dcfe,
    0x1032_5476,
    0xc3d2_e1f0,
];

/// HMAC-SHA1 of a message, with a key that is used once.
#[must_use]
pub fn hmac_sha1(key: &[u8; 20], message: &[u8]) -> [u8; 20] {
    HmacSha1::new(key).authenticate(message)
}

/// HMAC-SHA256 of the parts, one after the other.
#[must_use]
pub fn hmac_sha256(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let block = key_block(key);
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    for part in parts {
        Mac::update(&mut mac, part);
    }
    mac.finalize().into_bytes().into()
}

/// The first 160 bits of HMAC-SHA256, which authenticate an encrypted
/// signature.
#[must_use]
pub fn hmac_sha256_160(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 20] {
    let [first @ .., _, _, _, _, _, _, _, _, _, _, _, _] = hmac_sha256(key, parts);
    first
}

/// An AES-128 key, made ready for many messages; wiped on drop.
#[derive(Clone)]
pub struct Aes128Ctr(Aes128Enc);

impl Aes128Ctr {
    /// Makes the key ready.
    #[must_use]
    pub fn new(key: &[u8; 16]) -> Self {
        Self(Aes128Enc::new(key.into()))
    }

    /// Encrypts or decrypts `data` in place in counter mode.
    ///
    /// The first counter block is `counter`, the "top half", followed by eight
    /// zero bytes.
    pub fn apply(&self, counter: [u8; 8], data: &mut [u8]) {
        // A line of text does not need the room that a long one does.
        if data.len() <= size_of::<[Block; LINE]>() {
            self.apply_by::<LINE>(counter, data);
        } else {
            self.apply_by::<BATCH>(counter, data);
        }
    }

    /// The same, N blocks at a time.
    fn apply_by<const N: usize>(&self, counter: [u8; 8], data: &mut [u8]) {
        let mut stream = [[0; 16]; N];
        let mut low = 0_u64;
        for batch in data.chunks_mut(size_of_val(&stream)) {
            let used = batch.len().div_ceil(size_of::<Block>());
            let stream = stream.get_mut(..used).unwrap_or_default();
            for block in &mut *stream {
                *block = counter_block(counter, low);
                low = low.wrapping_add(1);
            }
            self.0
                .encrypt_blocks(Block::cast_slice_from_core_mut(stream));
            // As one run of bytes, which the compiler takes many at a time.
            for (byte, key) in batch.iter_mut().zip(stream.as_flattened()) {
                *byte ^= key;
            }
        }
        stream.as_flattened_mut().zeroize();
    }
}

/// How many blocks are encrypted at a time: a line of text, and as many as any
/// processor's instructions take together.
const LINE: usize = 8;
const BATCH: usize = 64;

/// A counter block of these two halves.
fn counter_block(top: [u8; 8], low: u64) -> [u8; 16] {
    let top = u128::from(u64::from_be_bytes(top)) << 64;
    (top | u128::from(low)).to_be_bytes()
}

/// Encrypts or decrypts `data` in place with AES-128 in counter mode and a key
/// that is used once; see [`Aes128Ctr::apply`].
pub fn aes128_ctr(key: &[u8; 16], counter: [u8; 8], data: &mut [u8]) {
    Aes128Ctr::new(key).apply(counter, data);
}

/// Whether both are equal; takes a time that depends on the lengths only.
#[must_use]
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let difference = a.iter().zip(b).fold(0, |sum, (a, b)| sum | (a ^ b));
    difference.ct_eq(&0).into()
}

/// An HMAC key, padded with zeros to a whole block as HMAC defines it.
fn key_block<const N: usize>(key: &[u8; N]) -> Zeroizing<[u8; BLOCK]> {
    const { assert!(N <= BLOCK) };
    let mut block = Zeroizing::new([0; BLOCK]);
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        text.as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    /// FIPS 180-4 examples.
    #[test]
    fn hashes_match_the_standard() {
        assert_eq!(
            sha1(&[b"ab", b"c"]).as_slice(),
            hex("a9993e364706816aba3e25717850c26c9cd0d89d")
        );
        assert_eq!(
            sha256(&[b"a", b"bc"]).as_slice(),
            hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        );
    }

    /// RFC 2202, test case 1.
    #[test]
    fn hmac_sha1_matches_rfc_2202() {
        assert_eq!(
            hmac_sha1(&[0x0b; 20], b"Hi There").as_slice(),
            hex("b617318655057264e28bc0b6fb378c8ef146be00")
        );
    }

    /// Around the ends of blocks, where the padding changes its form.
    #[test]
    fn hmac_sha1_is_that_of_the_hmac_crate_at_every_length() {
        let key = [0xc5; 20];
        let mut ready = HmacSha1::new(&key);
        let message: Vec<u8> = (0..=255).cycle().take(300).collect();
        for len in 0..message.len() {
            let mut oracle = Hmac::<Sha1>::new_from_slice(&key).unwrap();
            Mac::update(&mut oracle, &message[..len]);
            let expected: [u8; 20] = oracle.finalize().into_bytes().into();
            assert_eq!(ready.authenticate(&message[..len]), expected, "{len}");
        }
    }

    /// Whether a message begins as the one before, and wherever it begins to
    /// differ.
    #[test]
    fn hmac_sha1_takes_a_known_beginning_for_what_it_is() {
        let key = [0x3a; 20];
        let mut ready = HmacSha1::new(&key);
        let mut message = vec![7; 260];
        for place in (0..message.len()).rev() {
            for _ in 0..2 {
                assert_eq!(ready.authenticate(&message), hmac_sha1(&key, &message));
            }
            message[place] ^= 0x80;
        }
        let state = ready.head.state;
        assert_eq!(
            ready.authenticate(&message[..200]),
            hmac_sha1(&key, &message[..200])
        );
        assert_ne!(ready.head.state, state, "the last change was in the head");
        // A wrong state would be seen.
        let known = ready.authenticate(&message);
        ready.head.state = Some([1; 5]);
        assert_ne!(ready.authenticate(&message), known);
    }

    /// RFC 4231, test case 3 with its 20-byte key; HMAC pads it with zeros.
    #[test]
    fn hmac_sha256_matches_rfc_4231() {
        let mut key = [0; 32];
        key[..20].fill(0xaa);
        let expected = hex("773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
        assert_eq!(hmac_sha256(&key, &[&[0xdd; 50]]).as_slice(), expected);
        assert_eq!(
            hmac_sha256_160(&key, &[&[0xdd; 50]]).as_slice(),
            &expected[..20]
        );
    }

    /// Key of NIST SP 800-38A; its encryption of the zero block is given in
    /// RFC 4493, section 4, as the value L.
    #[test]
    fn counter_mode_starts_at_the_top_half_and_counts_in_the_low_half() {
        let key = *b"\x2b\x7e\x15\x16\x28\xae\xd2\xa6\xab\xf7\x15\x88\x09\xcf\x4f\x3c";
        let mut stream = [0; 32];
        aes128_ctr(&key, [0; 8], &mut stream);
        assert_eq!(stream[..16], hex("7df76b0c1ab899b33e42f047b91b546f"));

        let mut second = [0; 16];
        second[15] = 1;
        let mut second = second.into();
        Aes128Enc::new(&key.into()).encrypt_block(&mut second);
        assert_eq!(stream[16..], second[..]);

        let mut first = [0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0].into();
        Aes128Enc::new(&key.into()).encrypt_block(&mut first);
        let mut stream = [0; 16];
        aes128_ctr(&key, 7_u64.to_be_bytes(), &mut stream);
        assert_eq!(stream[..], first[..]);
    }

    /// Short and long data take different ways to the same stream.
    #[test]
    fn the_stream_does_not_depend_on_the_length() {
        let key = Aes128Ctr::new(&[7; 16]);
        let mut stream = vec![0; 3 * BATCH * 16];
        key.apply([1, 2, 3, 4, 5, 6, 7, 8], &mut stream);
        for len in 0..stream.len() {
            let mut data = vec![0; len];
            key.apply([1, 2, 3, 4, 5, 6, 7, 8], &mut data);
            assert_eq!(data, stream[..len]);
        }
    }

    #[test]
    fn comparison_sees_every_difference() {
        assert!(constant_time_eq(b"same", b"same"));
        assert!(!constant_time_eq(b"same", b"samf"));
        assert!(!constant_time_eq(b"same", b"sam"));
    }
}
