//! Diffie-Hellman key pairs and the keys that follow from a shared secret.
//!
//! Implements the section "Computing AES keys, MAC keys, and the secure
//! session id" of the protocol text.
#![forbid(unsafe_code)]

use core::fmt;

use zeroize::Zeroizing;

use super::Random;
use super::modp::{self, Element, MinimalBytes, Residue, SecretExponent};
use super::symmetric::{AesKey, MacKey, sha1, sha256};
use crate::Error;

/// A key pair: a secret exponent and 2 to its power.
///
/// Secret exponents have 320 bits. The exponent is wiped on drop.
#[derive(Clone)]
pub struct KeyPair {
    secret: SecretExponent,
    public: Element,
}

impl KeyPair {
    /// Draws a new key pair.
    ///
    /// # Errors
    /// [`Error::Randomness`] if the random source fails.
    pub fn generate(rng: &mut dyn Random) -> Result<Self, Error> {
        Self::from_secret(SecretExponent::random_320(rng)?)
    }

    /// The key pair of this secret exponent.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if the public key would not be in 2..=p-2, as
    /// with the exponent 0.
    pub fn from_secret(secret: SecretExponent) -> Result<Self, Error> {
        let public = modp::pow_g(&secret).to_element()?;
        Ok(Self { secret, public })
    }

    /// The public key.
    #[must_use]
    pub const fn public(&self) -> &Element {
        &self.public
    }

    /// The secret exponent.
    pub(crate) const fn secret(&self) -> &SecretExponent {
        &self.secret
    }

    /// What this side shares with the holder of the key pair to `theirs`:
    /// s in the protocol text.
    #[must_use]
    pub fn shared(&self, theirs: &Element) -> Residue {
        modp::pow(theirs, &self.secret)
    }
}

impl fmt::Debug for KeyPair {
    /// Without the secret exponent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

/// The keys for one direction of the encrypted signatures.
pub struct SignatureKeys {
    /// Encrypts the signature: c, or c' in the protocol text.
    pub c: AesKey,
    /// Makes the value that is signed: m1, m1'.
    pub m1: Zeroizing<[u8; 32]>,
    /// Authenticates the encrypted signature: m2, m2'.
    pub m2: Zeroizing<[u8; 32]>,
}

/// Everything that a key exchange of version 2 or 3 takes from its secret.
pub struct AkeKeys {
    /// The secure session id: 64 bits.
    pub session_id: [u8; 8],
    /// The keys of the Reveal Signature message: c, m1, m2.
    pub reveal: SignatureKeys,
    /// The keys of the Signature message: c', m1', m2'.
    pub signature: SignatureKeys,
}

impl AkeKeys {
    /// Derives the keys from the shared secret.
    #[must_use]
    pub fn derive(shared: &Residue) -> Self {
        let secret = SecretBytes::new(shared);
        let [
            id @ ..,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
        ] = *secret.h2(0x00);
        let [c, c_prime] = halves(&secret.h2(0x01));
        Self {
            session_id: id,
            reveal: SignatureKeys {
                c,
                m1: secret.h2(0x02),
                m2: secret.h2(0x03),
            },
            signature: SignatureKeys {
                c: c_prime,
                m1: secret.h2(0x04),
                m2: secret.h2(0x05),
            },
        }
    }
}

/// The session id of a version 1 key exchange: 160 bits.
#[must_use]
pub fn v1_session_id(shared: &Residue) -> [u8; 20] {
    *SecretBytes::new(shared).h1(0x00)
}

/// The keys for data messages between one of our and one of their D-H keys.
pub struct SessionKeys {
    /// Encrypts what we send.
    pub sending_aes: AesKey,
    /// Authenticates what we send.
    pub sending_mac: MacKey,
    /// Decrypts what we receive.
    pub receiving_aes: AesKey,
    /// Authenticates what we receive.
    pub receiving_mac: MacKey,
    /// The extra symmetric key, for the application's own use.
    pub extra: Zeroizing<[u8; 32]>,
}

impl SessionKeys {
    /// Derives the keys from the shared secret; `we_are_high` says whether
    /// our public key is the larger number.
    #[must_use]
    pub fn derive(shared: &Residue, we_are_high: bool) -> Self {
        let secret = SecretBytes::new(shared);
        let (sending, receiving) = if we_are_high {
            (0x01, 0x02)
        } else {
            (0x02, 0x01)
        };
        let sending_aes = secret.aes_key(sending);
        let receiving_aes = secret.aes_key(receiving);
        Self {
            sending_mac: mac_key(&sending_aes),
            sending_aes,
            receiving_mac: mac_key(&receiving_aes),
            receiving_aes,
            extra: secret.h2(0xff),
        }
    }

    /// Derives the keys between `ours` and `theirs`; costs one power.
    #[must_use]
    pub fn between(ours: &KeyPair, theirs: &Element) -> Self {
        Self::derive(&ours.shared(theirs), ours.public() > theirs)
    }
}

/// The MAC key that belongs to an AES key: its SHA-1.
#[must_use]
pub fn mac_key(aes: &[u8; 16]) -> MacKey {
    Zeroizing::new(sha1(&[aes]))
}

/// The shared secret as the protocol hashes it: "secbytes", an MPI.
struct SecretBytes {
    len: [u8; 4],
    number: MinimalBytes,
}

impl SecretBytes {
    fn new(shared: &Residue) -> Self {
        let number = shared.minimal();
        // At most 192 bytes.
        let len = u32::try_from(number.len()).unwrap_or_default();
        Self {
            len: len.to_be_bytes(),
            number,
        }
    }

    /// h1 in the protocol text.
    fn h1(&self, byte: u8) -> Zeroizing<[u8; 20]> {
        Zeroizing::new(sha1(&[&[byte], &self.len, &self.number]))
    }

    /// h2 in the protocol text.
    fn h2(&self, byte: u8) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(sha256(&[&[byte], &self.len, &self.number]))
    }

    fn aes_key(&self, byte: u8) -> AesKey {
        let [key @ .., _, _, _, _] = *self.h1(byte);
        Zeroizing::new(key)
    }
}

/// Two AES keys made of one hash.
fn halves(hash: &[u8; 32]) -> [AesKey; 2] {
    let mut halves = [Zeroizing::new([0; 16]), Zeroizing::new([0; 16])];
    for (to, from) in halves.iter_mut().zip(hash.chunks_exact(16)) {
        to.copy_from_slice(from);
    }
    halves
}
