//! The encrypted signature inside Reveal Signature and Signature messages.
//!
//! Both messages carry the same structure, X in the protocol text: the
//! signer's DSA key, the number of its D-H key, and a signature over both
//! D-H keys, encrypted and authenticated under keys from the shared secret.
#![forbid(unsafe_code)]

use zeroize::Zeroizing;

use crate::Error;
use crate::crypto::Random;
use crate::crypto::dh::SignatureKeys;
use crate::crypto::dsa::{self, SIGNATURE_LEN};
use crate::crypto::modp::Element;
use crate::crypto::symmetric::{aes128_ctr, constant_time_eq, hmac_sha256, hmac_sha256_160};
use crate::wire::{Reader, Writer};

/// The type that marks a DSA key.
const KEY_TYPE_DSA: u16 = 0;

/// An encrypted signature with its authenticator.
pub(super) struct Sealed {
    pub(super) encrypted: Vec<u8>,
    pub(super) mac: [u8; 20],
}

/// Signs and encrypts: `ours` is the signer's D-H key and has number `keyid`.
pub(super) fn seal(
    keys: &SignatureKeys,
    ours: &Element,
    theirs: &Element,
    signer: &dsa::PrivateKey,
    keyid: u32,
    rng: &mut dyn Random,
) -> Result<Sealed, Error> {
    let mut identity = identity(signer.public(), keyid);
    let digest = digest(keys, ours, theirs, identity.as_slice());
    let signature = signer.sign(&*digest, rng)?;
    identity.bytes(&signature);
    aes128_ctr(&keys.c, [0; 8], identity.tail_mut(0));
    let encrypted = identity.finish()?;
    let mac = authenticate(keys, &encrypted)?;
    Ok(Sealed { encrypted, mac })
}

/// Checks and decrypts: `theirs` is the signer's D-H key. Returns the
/// signer's DSA key and the number of its D-H key.
pub(super) fn open(
    keys: &SignatureKeys,
    ours: &Element,
    theirs: &Element,
    encrypted: &[u8],
    mac: &[u8; 20],
) -> Result<(dsa::PublicKey, u32), Error> {
    if !constant_time_eq(&authenticate(keys, encrypted)?, mac) {
        return Err(Error::BadAuthenticator);
    }
    let mut plain = Zeroizing::new(encrypted.to_vec());
    aes128_ctr(&keys.c, [0; 8], &mut plain);

    let mut reader = Reader::new(&plain);
    if reader.short()? != KEY_TYPE_DSA {
        return Err(Error::InvalidValue);
    }
    let signer = dsa::PublicKey::parse(&mut reader)?;
    let keyid = reader.int()?;
    let signature: [u8; SIGNATURE_LEN] = reader.array()?;
    reader.finish()?;
    if keyid == 0 {
        return Err(Error::ZeroKeyId);
    }

    let identity = identity(&signer, keyid);
    let digest = digest(keys, theirs, ours, identity.as_slice());
    signer.verify(&*digest, &signature)?;
    Ok((signer, keyid))
}

/// The signer's key and key id, as they are encrypted and as they are signed.
fn identity(signer: &dsa::PublicKey, keyid: u32) -> Writer {
    // Room for the signature that follows, so that nothing is moved later.
    let public = signer.to_wire();
    let mut writer = Writer::with_capacity(public.len().saturating_add(SIGNATURE_LEN + 6));
    writer.short(KEY_TYPE_DSA).bytes(&public).int(keyid);
    writer
}

/// What is signed: M in the protocol text.
fn digest(
    keys: &SignatureKeys,
    signers: &Element,
    others: &Element,
    identity: &[u8],
) -> Zeroizing<[u8; 32]> {
    let mut dh = Writer::with_capacity(2 * (4 + 192));
    dh.mpi(&signers.minimal()).mpi(&others.minimal());
    Zeroizing::new(hmac_sha256(&keys.m1, &[dh.as_slice(), identity]))
}

/// The authenticator of an encrypted signature, its length included.
fn authenticate(keys: &SignatureKeys, encrypted: &[u8]) -> Result<[u8; 20], Error> {
    let len = u32::try_from(encrypted.len()).map_err(|_| Error::TooLong)?;
    Ok(hmac_sha256_160(&keys.m2, &[&len.to_be_bytes(), encrypted]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ake::testing::long_term_key;
    use crate::crypto::dh::{AkeKeys, KeyPair};
    use crate::crypto::os_random;

    struct Setting {
        keys: SignatureKeys,
        ours: Box<KeyPair>,
        theirs: Box<KeyPair>,
        signer: dsa::PrivateKey,
    }

    fn setting() -> Setting {
        let ours = KeyPair::generate(&mut os_random()).unwrap();
        let theirs = KeyPair::generate(&mut os_random()).unwrap();
        Setting {
            keys: AkeKeys::derive(&ours.shared(theirs.public())).reveal,
            ours,
            theirs,
            signer: long_term_key(1),
        }
    }

    impl Setting {
        fn seal(&self, keyid: u32) -> Sealed {
            let (ours, theirs) = (self.ours.public(), self.theirs.public());
            seal(
                &self.keys,
                ours,
                theirs,
                &self.signer,
                keyid,
                &mut os_random(),
            )
            .unwrap()
        }

        /// As the other side does it.
        fn open(&self, sealed: &Sealed) -> Result<(dsa::PublicKey, u32), Error> {
            let (ours, theirs) = (self.theirs.public(), self.ours.public());
            open(&self.keys, ours, theirs, &sealed.encrypted, &sealed.mac)
        }

        /// Changes what is encrypted, and authenticates that.
        fn changed(&self, change: impl FnOnce(&mut Vec<u8>)) -> Sealed {
            let mut encrypted = self.seal(1).encrypted;
            aes128_ctr(&self.keys.c, [0; 8], &mut encrypted);
            change(&mut encrypted);
            aes128_ctr(&self.keys.c, [0; 8], &mut encrypted);
            let mac = authenticate(&self.keys, &encrypted).unwrap();
            Sealed { encrypted, mac }
        }
    }

    #[test]
    fn what_is_sealed_opens() {
        let setting = setting();
        let (signer, keyid) = setting.open(&setting.seal(77)).unwrap();
        assert_eq!(signer, *setting.signer.public());
        assert_eq!(keyid, 77);
    }

    #[test]
    fn key_id_zero_is_refused_before_the_signature_is_looked_at() {
        let setting = setting();
        let refused = setting.open(&setting.seal(0)).err();
        assert_eq!(refused, Some(Error::ZeroKeyId));
    }

    #[test]
    fn a_signature_by_another_key_or_over_another_key_id_is_refused() {
        let setting = setting();
        let len = setting.seal(1).encrypted.len();
        type Change<'a> = &'a dyn Fn(&mut Vec<u8>);
        let changes: [Change<'_>; 3] = [
            &|plain| plain[len - 1] ^= 1,
            &|plain| plain[len - 41] ^= 2,
            &|plain| {
                let other = long_term_key(2).public().to_wire();
                plain.splice(2..len - 44, other);
            },
        ];
        for change in changes {
            let refused = setting.open(&setting.changed(change)).err();
            assert_eq!(refused, Some(Error::BadSignature));
        }
    }

    #[test]
    fn the_two_dh_keys_cannot_be_swapped() {
        let setting = setting();
        let sealed = setting.seal(1);
        let (ours, theirs) = (setting.ours.public(), setting.theirs.public());
        let refused = open(&setting.keys, ours, theirs, &sealed.encrypted, &sealed.mac);
        assert_eq!(refused.err(), Some(Error::BadSignature));
    }

    #[test]
    fn malformed_contents_are_refused() {
        let setting = setting();
        let refusal = |change: &dyn Fn(&mut Vec<u8>)| setting.open(&setting.changed(change)).err();
        assert_eq!(refusal(&|plain| plain[1] = 1), Some(Error::InvalidValue));
        assert_eq!(refusal(&|plain| plain.push(0)), Some(Error::TrailingBytes));
        assert_eq!(refusal(&|plain| plain.clear()), Some(Error::Truncated));
        assert_eq!(
            refusal(&|plain| plain.truncate(plain.len() - 1)),
            Some(Error::Truncated)
        );
        // The length of p.
        assert_eq!(refusal(&|plain| plain[2] = 0xff), Some(Error::Truncated));
    }
}
