//! D-H keys between the structures of `dh.h` and the core.

use core::ptr;

use zeroize::Zeroizing;

use super::bridge::{self, Hash};
use super::dh::{
    DH_keypair, DH_sesskeys, DH1536_GROUP_ID, otrl_dh_keypair_free, otrl_dh_session_free,
};
use super::gcrypt::{gcry_cipher_hd_t, gcry_error_t, gcry_md_hd_t, gcry_mpi_t};
use crate::crypto::dh::{KeyPair, SessionKeys, SignatureKeys};
use crate::crypto::modp::{self, Element, Residue, SecretExponent};

/// A key pair that C holds, as far as it is needed to use it.
pub(crate) struct Ours {
    secret: SecretExponent,
    pub(crate) public: Element,
}

impl Ours {
    /// Reads a key pair.
    ///
    /// # Errors
    /// [`gcry_error_t::INV_VALUE`] if it is empty, of another group, or out of
    /// range.
    ///
    /// # Safety
    /// `pair` is NULL or valid, its numbers are NULL or libgcrypt's.
    pub(crate) unsafe fn read(pair: *const DH_keypair) -> Result<Self, gcry_error_t> {
        // SAFETY: the caller's promise.
        unsafe {
            if pair.is_null() || (*pair).groupid != DH1536_GROUP_ID {
                return Err(gcry_error_t::INV_VALUE);
            }
            let secret = SecretExponent::from_be_bytes(&bridge::mpi_bytes((*pair).r#priv)?)?;
            let public = element((*pair).r#pub)?;
            Ok(Self { secret, public })
        }
    }

    /// What is shared with the holder of the key pair to `theirs`.
    pub(crate) fn shared(&self, theirs: &Element) -> Residue {
        modp::pow(theirs, &self.secret)
    }
}

/// The group element that a number is.
///
/// # Errors
/// [`gcry_error_t::INV_VALUE`] if it is not in 2..=p-2.
///
/// # Safety
/// `number` is NULL or a number of libgcrypt.
pub(crate) unsafe fn element(number: gcry_mpi_t) -> Result<Element, gcry_error_t> {
    // SAFETY: the caller's promise.
    let bytes = unsafe { bridge::mpi_bytes(number)? };
    Ok(Element::from_be_bytes(&bytes)?)
}

/// The number that a group element is.
///
/// # Errors
/// Without libgcrypt.
pub(crate) fn number(element: &Element) -> Result<gcry_mpi_t, gcry_error_t> {
    bridge::mpi(&element.minimal())
}

/// Writes a key pair. What was there is not released; on an error, the key
/// pair is empty.
///
/// # Errors
/// Without libgcrypt.
///
/// # Safety
/// `pair` is valid.
pub(crate) unsafe fn show_pair(pair: *mut DH_keypair, ours: &KeyPair) -> Result<(), gcry_error_t> {
    // SAFETY: the caller's promise.
    unsafe {
        (*pair).groupid = DH1536_GROUP_ID;
        (*pair).r#priv = ptr::null_mut();
        (*pair).r#pub = ptr::null_mut();
        let outcome = show_numbers(pair, ours);
        if outcome.is_err() {
            otrl_dh_keypair_free(pair);
            (*pair).groupid = 0;
        }
        outcome
    }
}

/// # Safety
/// `pair` is valid.
unsafe fn show_numbers(pair: *mut DH_keypair, ours: &KeyPair) -> Result<(), gcry_error_t> {
    // SAFETY: the caller's promise.
    unsafe {
        (*pair).r#priv = bridge::mpi(&ours.secret().to_be_bytes())?;
        (*pair).r#pub = number(ours.public())?;
    }
    Ok(())
}

/// Writes session keys into a blank structure. On an error it is blank again.
///
/// # Errors
/// Without libgcrypt.
///
/// # Safety
/// `session` is valid.
pub(crate) unsafe fn show_session(
    session: *mut DH_sesskeys,
    keys: &SessionKeys,
) -> Result<(), gcry_error_t> {
    // SAFETY: the caller's promise.
    unsafe {
        let outcome = show_handles(session, keys);
        if outcome.is_err() {
            otrl_dh_session_free(session);
        }
        outcome
    }
}

/// # Safety
/// `session` is valid.
unsafe fn show_handles(session: *mut DH_sesskeys, keys: &SessionKeys) -> Result<(), gcry_error_t> {
    // SAFETY: the caller's promise.
    unsafe {
        (*session).sendenc = bridge::cipher(&keys.sending_aes)?;
        (*session).rcvenc = bridge::cipher(&keys.receiving_aes)?;
        (*session).sendmac = bridge::hmac(Hash::Sha1, &*keys.sending_mac)?;
        (*session).rcvmac = bridge::hmac(Hash::Sha1, &*keys.receiving_mac)?;
        (*session).sendmackey = *keys.sending_mac;
        (*session).rcvmackey = *keys.receiving_mac;
        (*session).extrakey = *keys.extra;
    }
    Ok(())
}

/// Where the keys for one direction of the encrypted signatures go.
pub(crate) struct SignatureHandles {
    pub(crate) c: *mut gcry_cipher_hd_t,
    pub(crate) m1: *mut gcry_md_hd_t,
    pub(crate) m2: *mut gcry_md_hd_t,
}

impl SignatureHandles {
    /// Sets all to NULL, whatever they were.
    ///
    /// # Safety
    /// They are NULL or valid.
    pub(crate) unsafe fn blank(&self) {
        // SAFETY: the caller's promise.
        unsafe {
            set(self.c, ptr::null_mut());
            set(self.m1, ptr::null_mut());
            set(self.m2, ptr::null_mut());
        }
    }

    /// Releases all.
    ///
    /// # Safety
    /// They are NULL, or valid and NULL or made by [`Self::show`].
    pub(crate) unsafe fn release(&self) {
        // SAFETY: the caller's promise.
        unsafe {
            if !self.c.is_null() {
                bridge::release(self.c);
            }
            for handle in [self.m1, self.m2] {
                if !handle.is_null() {
                    bridge::release(handle);
                }
            }
        }
    }

    /// Makes all.
    ///
    /// # Errors
    /// Without libgcrypt.
    ///
    /// # Safety
    /// They are NULL, or valid and NULL.
    pub(crate) unsafe fn show(&self, keys: &SignatureKeys) -> Result<(), gcry_error_t> {
        // SAFETY: the caller's promise. What nobody wants is not made.
        unsafe {
            if !self.c.is_null() {
                *self.c = bridge::cipher(&keys.c)?;
            }
            for (handle, key) in [(self.m1, &keys.m1), (self.m2, &keys.m2)] {
                if !handle.is_null() {
                    *handle = bridge::hmac(Hash::Sha256, &**key)?;
                }
            }
        }
        Ok(())
    }
}

/// Sets `*place` if there is a place.
///
/// # Safety
/// `place` is NULL or valid.
pub(crate) unsafe fn set<T>(place: *mut T, value: T) {
    if !place.is_null() {
        // SAFETY: the caller's promise.
        unsafe { place.write(value) };
    }
}

/// A secret that was read from a key pair, big-endian.
///
/// # Errors
/// [`gcry_error_t::INV_VALUE`] if there is none.
///
/// # Safety
/// As for [`Ours::read`].
pub(crate) unsafe fn secret_bytes(
    pair: *const DH_keypair,
) -> Result<Zeroizing<Vec<u8>>, gcry_error_t> {
    // SAFETY: the caller's promise.
    unsafe { bridge::mpi_bytes((*pair).r#priv) }
}
