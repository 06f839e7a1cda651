//! The secret number k of a signature.
//!
//! k comes from the generator of RFC 6979, fed with the key, the signed value
//! and fresh random bytes as additional input (its section 3.6): a broken
//! random source alone does not give away the key, and repeated or faulted
//! signatures of one value differ.
//!
//! Where the text draws candidates until one lies in 1..q, this draws a fixed
//! number and takes the first that fits without branching; if none does, k
//! is 320 further bits of the generator modulo q, whose bias is below 2^-159.
//! So the time does not depend on the key.
#![forbid(unsafe_code)]

use super::SCALAR_LEN;
use super::scalar::{Order, Scalar};
use hmac::digest::{Key, KeyInit, OutputSizeUser};
use hmac::{EagerHash, Hmac, Mac};
use zeroize::{Zeroize, Zeroizing};

/// Candidates drawn. At least every second one fits.
const CANDIDATES: usize = 3;

/// The generator's state: HMAC with the key K, and V, of RFC 6979, section 3.2.
struct Generator<D: EagerHash> {
    keyed: Hmac<D>,
    value: Zeroizing<Vec<u8>>,
}

impl<D: EagerHash> Generator<D> {
    fn new(seed: &[&[u8]]) -> Self {
        let length = <D as OutputSizeUser>::output_size();
        let mut this = Self {
            // A key of zeros is padded with zeros, too.
            keyed: Hmac::new(&Key::<Hmac<D>>::default()),
            value: Zeroizing::new(vec![1; length]),
        };
        this.update(0, seed);
        this.update(1, seed);
        this
    }

    /// K = HMAC_K(V, tag, seed), V = HMAC_K(V).
    fn update(&mut self, tag: u8, seed: &[&[u8]]) {
        let mut mac = self.keyed.clone();
        mac.update(&self.value);
        mac.update(&[tag]);
        for part in seed {
            mac.update(part);
        }
        // A key shorter than the hash function's block is padded with zeros.
        let mut block = Key::<Hmac<D>>::default();
        let mut key = mac.finalize().into_bytes();
        for (padded, byte) in block.iter_mut().zip(key.iter()) {
            *padded = *byte;
        }
        self.keyed = Hmac::new(&block);
        block.as_mut_slice().zeroize();
        key.as_mut_slice().zeroize();
        self.step();
    }

    /// V = HMAC_K(V).
    fn step(&mut self) {
        let mut mac = self.keyed.clone();
        mac.update(&self.value);
        let mut next = mac.finalize().into_bytes();
        self.value.copy_from_slice(&next);
        next.as_mut_slice().zeroize();
    }

    /// Fills `out` from successive values of V.
    fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(self.value.len()) {
            self.step();
            for (out, byte) in chunk.iter_mut().zip(self.value.iter()) {
                *out = *byte;
            }
        }
    }
}

/// A secret k in 1..q for the key `x` and the value `z`, in constant time.
/// With empty `extra` it is that of RFC 6979 for the hash function `D`.
pub(super) fn nonce<D: EagerHash>(order: &Order, x: &Scalar, z: &Scalar, extra: &[u8]) -> Scalar {
    let x = Zeroizing::new(x.to_be_bytes());
    let z = Zeroizing::new(z.to_be_bytes());
    let mut generator = Generator::<D>::new(&[&*x, &*z, extra]);

    let mut bytes = Zeroizing::new([0; SCALAR_LEN]);
    let mut chosen = order.reduce(&[]);
    let mut found = 0;
    for draw in 0..CANDIDATES {
        if draw > 0 {
            generator.update(0, &[]);
        }
        generator.fill(&mut *bytes);
        let (candidate, valid) = order.read(&bytes);
        chosen = candidate.select(&chosen, valid & !found);
        found |= valid;
    }
    let mut wide = Zeroizing::new([0; 2 * SCALAR_LEN]);
    generator.fill(&mut *wide);
    chosen.select(&order.reduce(&*wide), found)
}
