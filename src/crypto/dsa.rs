//! DSA as the protocol uses it: long-term keys, signatures and fingerprints.
//!
//! A public key travels as four MPIs p, q, g, y; a signature is r and s, 20
//! bytes each, padded with zeros in front (protocol text, "Public keys,
//! signatures, and fingerprints"). Unlike in FIPS 186 the signed value is not
//! cut to the length of q: it is read as a big-endian number and reduced
//! modulo q as a whole.
//!
//! A key from the network is bounded before any arithmetic: q has exactly 160
//! bits, p has 1024 to 3072, and 1 < g, y < p. Keys that programs really use
//! have a p of 1024 bits.

#[cfg(target_arch = "x86_64")]
mod adx;
mod comb;
mod field;
mod fingerprint;
mod generate;
#[cfg(target_arch = "x86_64")]
mod ifma;
mod nonce;
mod power;
mod prime;
mod private;
mod progression;
mod public;
mod scalar;

pub use fingerprint::Fingerprint;
pub use private::PrivateKey;
pub use public::PublicKey;

/// Bytes of q, r and s.
pub const SCALAR_LEN: usize = 20;

/// Bytes of a signature: r, then s.
pub const SIGNATURE_LEN: usize = 2 * SCALAR_LEN;
