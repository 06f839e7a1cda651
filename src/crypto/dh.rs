//! Diffie-Hellman key pairs and the keys that follow from a shared secret.
//!
//! Implements the section "Computing AES keys, MAC keys, and the secure
//! session id" of the protocol text.
#![forbid(unsafe_code)]

use core::fmt;

use zeroize::Zeroizing;

use super::Random;
use super::guarded::Guarded;
use super::modp::{self, Element, MinimalBytes, Residue, SecretExponent, ShortExponent};
use super::symmetric::{AesKey, MacKey, sha1, sha256};
use crate::Error;

/// A key pair: a secret exponent and 2 to its power.
///
/// Secret exponents have 320 bits. The exponent is wiped on drop; a pair is
/// handed about in a box, so that no copies of it are left where it was.
#[derive(Clone)]
pub struct KeyPair {
    secret: Kept,
    public: Element,
}

/// A secret exponent as it is kept: in as little room as it needs.
#[derive(Clone)]
enum Kept {
    /// With 320 bits, as nearly all are.
    Short(Guarded<ShortExponent>),
    /// Of another length: a program has brought it.
    Long(Guarded<SecretExponent>),
}

impl Kept {
    fn new(secret: SecretExponent) -> Self {
        match secret.shortened() {
            Some(short) => Self::Short(Guarded::new(short)),
            None => Self::Long(Guarded::new(secret)),
        }
    }
}

impl KeyPair {
    /// Draws a new key pair.
    ///
    /// # Errors
    /// [`Error::Randomness`] if the random source fails.
    pub fn generate(rng: &mut dyn Random) -> Result<Box<Self>, Error> {
        Self::from_secret(SecretExponent::random_320(rng)?)
    }

    /// The key pair of this secret exponent.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if the public key would not be in 2..=p-2, as
    /// with the exponent 0.
    pub fn from_secret(secret: SecretExponent) -> Result<Box<Self>, Error> {
        let public = modp::pow_g(&secret).to_element()?;
        Ok(Box::new(Self {
            secret: Kept::new(secret),
            public,
        }))
    }

    /// The public key.
    #[must_use]
    pub const fn public(&self) -> &Element {
        &self.public
    }

    /// The secret exponent.
    pub(crate) fn secret(&self) -> SecretExponent {
        match &self.secret {
            Kept::Short(secret) => SecretExponent::from(&**secret),
            Kept::Long(secret) => SecretExponent::clone(secret),
        }
    }

    /// What this side shares with the holder of the key pair to `theirs`:
    /// s in the protocol text.
    #[must_use]
    pub fn shared(&self, theirs: &Element) -> Residue {
        modp::pow(theirs, &self.secret())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::os_random;

    fn hex(text: &str) -> Vec<u8> {
        text.as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    fn pair(secret: &str) -> Box<KeyPair> {
        KeyPair::from_secret(SecretExponent::from_be_bytes(&hex(secret)).unwrap()).unwrap()
    }

    /// The lower and the higher key of the pair below.
    fn low_and_high() -> (Box<KeyPair>, Box<KeyPair>) {
        (
            pair(
                "5e6482a4e7ff3f3e688be76da428d739f2aefdfa2d3085b134b39d30d38c0dab\
                 1b87da25d578dd06",
            ),
            pair(
                "622a76d71c12c5dd3b8f5d6b58a6390956e6b4dd728902cc38826fe976f67d48\
                 c3ec74533d8361d3",
            ),
        )
    }

    /// What the program `otr_sesskeys` of libotr 4.1.1 prints for these keys.
    #[test]
    fn session_keys_of_both_ends() {
        let (low, high) = low_and_high();
        let public = hex(
            "2a4ebef14e0890af659889e07e75c94536e944fab0941999e9c844c7bf082186\
             2f4ce69f5997cba7a9b613475d651c3dfbf57d5f3abf8ce20b98f7dd53717a50\
             3f95cbabd8cd486749d2bfc043392568bb1ebf3734fef981fcaef4916d634c75\
             670d7457751185b959a542ba99e406194d1bf0c3a7872d494b8c79b4cb251302\
             cab991cccc66af5150d691f4d97f17f0681f9319bc389a74f8ee1044de72fce1\
             a52c7a83d8737ea471f6d01e449ec03728146fe0422a52c01d7d30d5fa323a60",
        );
        assert_eq!(low.public().to_be_bytes().as_slice(), public);
        let id = hex("2fc1ca556795916f4a84145ad183f1cac905c304");
        assert_eq!(v1_session_id(&low.shared(high.public())).as_slice(), id);
        assert_eq!(v1_session_id(&high.shared(low.public())).as_slice(), id);

        let first = (
            hex("0f4b46887b51fc9a41dbefd769325e78"),
            hex("7b67c8b0f33503868806b6386b142d4e3889a675"),
        );
        let second = (
            hex("038804a34fa508585e2a720fab10a4d7"),
            hex("46fa28991a1a8f90550c91a2ae780076d6bc76d3"),
        );
        let keys = SessionKeys::between(&low, high.public());
        assert_eq!(
            (keys.sending_aes.to_vec(), keys.sending_mac.to_vec()),
            first
        );
        assert_eq!(
            (keys.receiving_aes.to_vec(), keys.receiving_mac.to_vec()),
            second
        );
        let keys = SessionKeys::between(&high, low.public());
        assert_eq!(
            (keys.sending_aes.to_vec(), keys.sending_mac.to_vec()),
            second
        );
        assert_eq!(
            (keys.receiving_aes.to_vec(), keys.receiving_mac.to_vec()),
            first
        );
        // From a session of libotr 4.1.1 with these keys.
        let extra = hex("5814c20d65009e3bbd9e1f17951d9442dfbed5c2c17d4dade06fde93cacd4269");
        assert_eq!(keys.extra.as_slice(), extra);
    }

    /// Computed from the protocol text with Python's integers and hashlib.
    #[test]
    fn handshake_keys() {
        let (low, high) = low_and_high();
        let keys = AkeKeys::derive(&low.shared(high.public()));
        assert_eq!(keys.session_id.as_slice(), hex("2e0fe52c42b0471c"));
        for (key, expected) in [
            (&keys.reveal.c, "e5effb72bf2d8ca791df2ca274f78e7e"),
            (&keys.signature.c, "9c072079bb3d1004eb511cb1cd778bd4"),
        ] {
            assert_eq!(key.as_slice(), hex(expected));
        }
        for (key, expected) in [
            (
                &keys.reveal.m1,
                "63fec58d0a399811595496120838e8a212aff60680f2688099a36f3ea88a5ba6",
            ),
            (
                &keys.reveal.m2,
                "b8b8c6c1ebb25bfe94640e1d10bc78082a977d8c6c20033618bc6f9d8e560174",
            ),
            (
                &keys.signature.m1,
                "9ba67c48b9ea2ab3d875217159f688255203229186655082cb9ec55dba23e8af",
            ),
            (
                &keys.signature.m2,
                "4a9940fcc9419b86ff52e8e7fd647786f9821ea3d1278793deacbba612909a63",
            ),
        ] {
            assert_eq!(key.as_slice(), hex(expected));
        }
    }

    #[test]
    fn secret_exponents_have_320_bits_and_differ() {
        let [a, b] = [(); 2].map(|()| KeyPair::generate(&mut os_random()).unwrap());
        assert_eq!(a.secret().to_be_bytes().len(), 40);
        assert_ne!(a.public(), b.public());
    }

    #[test]
    fn an_exponent_without_a_public_key_is_refused() {
        for secret in [&[][..], &[0; 40]] {
            let secret = SecretExponent::from_be_bytes(secret).unwrap();
            assert_eq!(KeyPair::from_secret(secret).err(), Some(Error::OutOfRange));
        }
    }

    /// A shared secret with a zero byte in front is hashed without it.
    #[test]
    fn secrets_are_hashed_in_their_shortest_form() {
        let one = pair("01");
        let two = *one.public();
        let shared = one.shared(&two);
        let expected = sha1(&[&[0, 0, 0, 0, 1, 2]]);
        assert_eq!(v1_session_id(&shared), expected);
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let shown = format!("{:?}", pair("07"));
        assert_eq!(shown, "KeyPair { public: Element(80), .. }");
    }
}
