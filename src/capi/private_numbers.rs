//! Session keys and unfinished messages between the fields of
//! `ConnContextPriv` and the core.
//!
//! As with key exchanges and comparisons of secrets, they live in one of two
//! places: with the rest of the conversation, or in the structure if the
//! program has put them there or has called the functions of `proto.h` by
//! themselves.

use core::ptr;

use zeroize::Zeroizing;

use super::context_priv::ConnContextPriv;
use super::dh::{DH_keypair, DH_sesskeys, otrl_dh_keypair_free, otrl_dh_session_free};
use super::dh_numbers;
use super::gcrypt::{gcry_error_t, gcry_mpi_t};
use super::{alloc, bridge};
use crate::crypto::dh::KeyPair;
use crate::crypto::modp::SecretExponent;
use crate::data::KeyRing;
use crate::data::parts::{PairParts, Parts};
use crate::wire::fragment::Assembler;

/// Whether the keys of a session live in the structure.
///
/// # Safety
/// `private` is NULL or valid.
pub(crate) unsafe fn has_keys(private: *mut ConnContextPriv) -> bool {
    // SAFETY: the caller's promise.
    !private.is_null() && unsafe { !(*private).their_y.is_null() }
}

/// Reads session keys that live in the structure.
///
/// # Errors
/// [`gcry_error_t::INV_VALUE`] if a number is missing or out of range.
///
/// # Safety
/// `private` is valid, its pointers are as documented.
pub(crate) unsafe fn read_keys(private: *mut ConnContextPriv) -> Result<KeyRing, gcry_error_t> {
    // SAFETY: the caller's promise.
    unsafe {
        let secret = |pair: *const DH_keypair| dh_numbers::secret_bytes(pair);
        let previous = (*private).their_old_y;
        let has_previous = !previous.is_null();
        let theirs = (
            number((*private).their_y)?,
            has_previous.then(|| number(previous)).transpose()?,
        );
        let sessions = (&raw const (*private).sesskeys).cast::<DH_sesskeys>();
        let pair = |ours: usize, theirs: usize| {
            let session = sessions.add(ours.wrapping_mul(2).wrapping_add(theirs));
            let pair = left_behind(session);
            pair.filter(|_| theirs == 0 || has_previous)
        };
        let saved = ((*private).numsavedkeys as usize).saturating_mul(20);
        Ok(KeyRing::from_parts(Parts {
            our_keyid: (*private).our_keyid,
            ours: [
                secret(&raw const (*private).our_dh_key)?,
                secret(&raw const (*private).our_old_dh_key)?,
            ],
            their_keyid: (*private).their_keyid,
            theirs,
            pairs: [[pair(0, 0), pair(0, 1)], [pair(1, 0), pair(1, 1)]],
            old_mac_keys: alloc::slice((*private).saved_mac_keys, saved)
                .to_vec()
                .into(),
        })?)
    }
}

/// # Safety
/// `number` is NULL or a number of libgcrypt.
unsafe fn number(number: gcry_mpi_t) -> Result<Vec<u8>, gcry_error_t> {
    // SAFETY: the caller's promise.
    Ok(unsafe { bridge::mpi_bytes(number)? }.to_vec())
}

/// What the use of session keys has left behind, if they were used.
///
/// # Safety
/// `session` is valid.
unsafe fn left_behind(session: *const DH_sesskeys) -> Option<PairParts> {
    // SAFETY: the caller's promise; a counter has 16 bytes.
    unsafe {
        let counter = |field: *const [u8; 16]| u64::from_be_bytes(field.cast::<[u8; 8]>().read());
        let pair = PairParts {
            sent: counter(&raw const (*session).sendctr),
            received: counter(&raw const (*session).rcvctr),
            used: (*session).rcvmacused != 0,
        };
        (pair.sent != 0 || pair.received != 0 || pair.used).then_some(pair)
    }
}

/// Writes session keys into the structure, in place of those that are there.
///
/// # Errors
/// Without libgcrypt, and without memory. There are no keys then: keys without
/// the counters that belong to them would encrypt two texts alike.
///
/// # Safety
/// As for [`read_keys`].
pub(crate) unsafe fn write_keys(
    private: *mut ConnContextPriv,
    keys: &KeyRing,
) -> Result<(), gcry_error_t> {
    // SAFETY: the caller's promise.
    unsafe {
        let written = show_keys(private, keys);
        if written.is_err() {
            release_keys(private);
        }
        written
    }
}

/// Does the work of [`write_keys`]. With an error something may be written.
///
/// # Errors
/// As for [`write_keys`].
///
/// # Safety
/// As for [`read_keys`].
unsafe fn show_keys(private: *mut ConnContextPriv, keys: &KeyRing) -> Result<(), gcry_error_t> {
    let parts = keys.parts();
    let [current, previous] = &parts.ours;
    // SAFETY: the caller's promise.
    unsafe {
        release_keys(private);
        (*private).our_keyid = parts.our_keyid;
        (*private).their_keyid = parts.their_keyid;
        show_pair(&raw mut (*private).our_dh_key, current)?;
        show_pair(&raw mut (*private).our_old_dh_key, previous)?;
        (*private).their_y = bridge::mpi(&parts.theirs.0)?;
        if let Some(previous) = &parts.theirs.1 {
            (*private).their_old_y = bridge::mpi(previous)?;
        }
        let sessions = (&raw mut (*private).sesskeys).cast::<DH_sesskeys>();
        for place in 0..4 {
            let Some(pair) = keys.used_pair(place / 2, place % 2) else {
                continue;
            };
            let session = sessions.add(place);
            dh_numbers::show_session(session, &pair.keys)?;
            let set = |field: *mut [u8; 16], counter: u64| {
                field.cast::<[u8; 8]>().write(counter.to_be_bytes());
            };
            set(&raw mut (*session).sendctr, pair.sent);
            set(&raw mut (*session).rcvctr, pair.received);
            (*session).sendmacused = (pair.sent != 0).into();
            (*session).rcvmacused = pair.used.into();
        }
        if !parts.old_mac_keys.is_empty() {
            let copy = alloc::buffer(&parts.old_mac_keys);
            if copy.is_null() {
                return Err(gcry_error_t::ENOMEM);
            }
            (*private).saved_mac_keys = copy;
            let count = parts.old_mac_keys.len().checked_div(20).unwrap_or(0);
            (*private).numsavedkeys = u32::try_from(count).unwrap_or(0);
        }
    }
    Ok(())
}

/// # Safety
/// `pair` is valid and empty.
unsafe fn show_pair(
    pair: *mut DH_keypair,
    secret: &Zeroizing<Vec<u8>>,
) -> Result<(), gcry_error_t> {
    let ours = KeyPair::from_secret(SecretExponent::from_be_bytes(secret)?)?;
    // SAFETY: the caller's promise.
    unsafe { dh_numbers::show_pair(pair, &ours) }
}

/// Releases all that belongs to session keys; the key ids remain.
///
/// # Safety
/// As for [`read_keys`].
unsafe fn release_keys(private: *mut ConnContextPriv) {
    // SAFETY: the caller's promise.
    unsafe {
        bridge::release(&raw mut (*private).their_y);
        bridge::release(&raw mut (*private).their_old_y);
        otrl_dh_keypair_free(&raw mut (*private).our_dh_key);
        otrl_dh_keypair_free(&raw mut (*private).our_old_dh_key);
        let sessions = (&raw mut (*private).sesskeys).cast::<DH_sesskeys>();
        for place in 0..4 {
            otrl_dh_session_free(sessions.add(place));
        }
        let saved = ((*private).numsavedkeys as usize).saturating_mul(20);
        alloc::wipe_buffer((*private).saved_mac_keys, saved);
        (*private).saved_mac_keys = ptr::null_mut();
        (*private).numsavedkeys = 0;
    }
}

/// Moves session keys that live in the structure out of it, for the
/// conversation to keep.
///
/// # Safety
/// `private` is NULL, or as for [`read_keys`].
pub(crate) unsafe fn submerge_keys(private: *mut ConnContextPriv) -> Option<KeyRing> {
    // SAFETY: the caller's promise.
    unsafe {
        if !has_keys(private) {
            return None;
        }
        let keys = read_keys(private).ok();
        release_keys(private);
        keys
    }
}

/// Reads the unfinished message that lives in the structure.
///
/// # Safety
/// `private` is valid.
pub(crate) unsafe fn read_fragments(private: *mut ConnContextPriv) -> Assembler {
    // SAFETY: the caller's promise.
    unsafe {
        let text = alloc::slice((*private).fragment.cast(), (*private).fragment_len);
        Assembler::resume((*private).fragment_k, (*private).fragment_n, text.to_vec())
    }
}

/// Writes an unfinished message into the structure, in place of the one that
/// is there. Without memory there is none.
///
/// # Safety
/// `private` is valid.
pub(crate) unsafe fn write_fragments(private: *mut ConnContextPriv, fragments: &Assembler) {
    let (number, total) = fragments.position();
    // SAFETY: the caller's promise.
    unsafe {
        release_fragments(private);
        if total == 0 {
            return;
        }
        let copy = alloc::c_string(fragments.text());
        if copy.is_null() {
            return;
        }
        (*private).fragment = copy;
        (*private).fragment_len = fragments.text().len();
        (*private).fragment_k = number;
        (*private).fragment_n = total;
    }
}

/// # Safety
/// `private` is valid.
unsafe fn release_fragments(private: *mut ConnContextPriv) {
    // SAFETY: the caller's promise.
    unsafe {
        alloc::wipe_buffer((*private).fragment.cast(), (*private).fragment_len);
        (*private).fragment = ptr::null_mut();
        (*private).fragment_len = 0;
        (*private).fragment_k = 0;
        (*private).fragment_n = 0;
    }
}

/// Moves an unfinished message that lives in the structure out of it, for the
/// conversation to keep.
///
/// # Safety
/// `private` is NULL or valid.
pub(crate) unsafe fn submerge_fragments(private: *mut ConnContextPriv) -> Option<Assembler> {
    // SAFETY: the caller's promise.
    unsafe {
        if private.is_null() || (*private).fragment.is_null() {
            return None;
        }
        let fragments = read_fragments(private);
        release_fragments(private);
        Some(fragments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ake::{Local, testing::session};
    use crate::capi::context_priv::otrl_context_priv_new;
    use crate::crypto::os_random;
    use crate::{InstanceTag, Version};
    use core::cell::Cell;
    use core::ffi::{c_int, c_void};

    thread_local! {
        static NO_MEMORY: Cell<bool> = const { Cell::new(false) };
    }

    /// What libgcrypt allocates with: on demand, memory is there for numbers
    /// but not for a cipher.
    extern "C" fn allocate(size: usize) -> *mut c_void {
        if size >= 400 && NO_MEMORY.get() {
            return ptr::null_mut();
        }
        // SAFETY: `malloc` may be called with any size.
        unsafe { libc::malloc(size) }
    }

    extern "C" fn is_protected(_block: *const c_void) -> c_int {
        0
    }

    /// A ring with a pair in use and a MAC key to be revealed.
    fn ring() -> KeyRing {
        let (bob, alice) = session(Version::V3);
        let ring = |end| KeyRing::new(&end, &mut os_random()).unwrap();
        let mut rings = [ring(bob), ring(alice)];
        let local = Local {
            version: Version::V3,
            ours: InstanceTag::new(0x100),
            theirs: InstanceTag::new(0x200),
        };
        for round in 0..6 {
            rings.rotate_left(round % 2);
            let [from, to] = &mut rings;
            let sealed = from.encrypt(&local, b"text", &[], 0).unwrap();
            to.decrypt_in_place(sealed.encoded, &mut os_random())
                .unwrap();
        }
        let [_, ring] = rings;
        assert!(ring.saved_mac_keys() > 0);
        ring
    }

    fn told(keys: &KeyRing) -> impl PartialEq + use<> {
        let parts = keys.parts();
        let ids = (parts.our_keyid, parts.their_keyid);
        (ids, parts.ours, parts.theirs, parts.old_mac_keys)
    }

    #[test]
    fn keys_are_written_whole_or_not_at_all() {
        let Ok(gcrypt) = bridge::gcrypt() else {
            println!("skipped: no libgcrypt");
            return;
        };
        let keys = ring();
        // SAFETY: the handlers are those of libgcrypt, but for this thread;
        // the private part is made here, and valid throughout.
        unsafe {
            (gcrypt.gcry_set_allocation_handler)(
                allocate,
                allocate,
                is_protected,
                libc::realloc,
                libc::free,
            );
            let private = otrl_context_priv_new();
            assert_eq!(write_keys(private, &keys), Ok(()));
            let written = read_keys(private).unwrap();
            assert!(told(&written) == told(&keys));

            NO_MEMORY.set(true);
            let refused = write_keys(private, &keys);
            NO_MEMORY.set(false);
            assert!(refused.is_err());
            assert!(!has_keys(private));
            assert!((*private).our_dh_key.r#priv.is_null());
            assert!((*private).saved_mac_keys.is_null());
            assert_eq!((*private).numsavedkeys, 0);
            let parts = keys.parts();
            let ids = ((*private).our_keyid, (*private).their_keyid);
            assert_eq!(ids, (parts.our_keyid, parts.their_keyid));
            assert!(read_keys(private).is_err());

            assert_eq!(write_keys(private, &keys), Ok(()));
            release_keys(private);
            alloc::free(private);
        }
    }
}
