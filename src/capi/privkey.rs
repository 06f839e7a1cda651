//! `privkey.h`: our keys, and the files of keys and fingerprints.

use core::ffi::{CStr, c_char, c_uchar, c_ushort};
use core::ptr;

use super::gcrypt::{gcry_error_t, gcry_sexp_t};
use super::guard::{guard, guard_error};
use super::privkey_t::{OTRL_PUBKEY_TYPE_DSA, OtrlPrivKey};
use super::userstate::OtrlUserState;
use super::{alloc, keys, list, pending};
use crate::crypto::dsa::Fingerprint;
use crate::crypto::os_random;
use crate::crypto::symmetric::sha1;

/// The size of a buffer for a fingerprint in readable form: five groups of
/// eight hexadecimal digits, blanks between them, and a NUL.
pub const OTRL_PRIVKEY_FPRINT_HUMAN_LEN: usize = 45;

/// Writes 20 bytes in readable form.
///
/// # Safety
/// `human` is NULL or has room for `OTRL_PRIVKEY_FPRINT_HUMAN_LEN` bytes,
/// `hash` is NULL or has 20 bytes.
///
/// cbindgen:ptrs-as-arrays=[[human;OTRL_PRIVKEY_FPRINT_HUMAN_LEN], [hash;20]]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_privkey_hash_to_human(human: *mut c_char, hash: *const c_uchar) {
    guard((), || {
        if human.is_null() || hash.is_null() {
            return;
        }
        // SAFETY: the caller's promise.
        unsafe { write_human(human, Fingerprint(hash.cast::<[u8; 20]>().read())) };
    });
}

/// Writes the fingerprint of an account's key in readable form. Returns
/// `fingerprint`, or NULL if there is no key.
///
/// # Safety
/// `us` is NULL or a valid user state, `fingerprint` is NULL or has room for
/// `OTRL_PRIVKEY_FPRINT_HUMAN_LEN` bytes, the names are NULL or
/// NUL-terminated.
///
/// cbindgen:ptrs-as-arrays=[[fingerprint;OTRL_PRIVKEY_FPRINT_HUMAN_LEN]]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_privkey_fingerprint(
    us: OtrlUserState,
    fingerprint: *mut c_char,
    accountname: *const c_char,
    protocol: *const c_char,
) -> *mut c_char {
    guard(ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        unsafe {
            let Some(hash) = fingerprint_of(us, accountname, protocol) else {
                return ptr::null_mut();
            };
            if !fingerprint.is_null() {
                write_human(fingerprint, hash);
            }
            fingerprint
        }
    })
}

/// Writes the fingerprint of an account's key as 20 bytes. Returns `hash`, or
/// NULL if there is no key.
///
/// # Safety
/// `us` is NULL or a valid user state, `hash` is NULL or has room for 20
/// bytes, the names are NULL or NUL-terminated.
///
/// cbindgen:ptrs-as-arrays=[[hash;20]]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_privkey_fingerprint_raw(
    us: OtrlUserState,
    hash: *mut c_uchar,
    accountname: *const c_char,
    protocol: *const c_char,
) -> *mut c_uchar {
    guard(ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        unsafe {
            let Some(fingerprint) = fingerprint_of(us, accountname, protocol) else {
                return ptr::null_mut();
            };
            if !hash.is_null() {
                hash.cast::<[u8; 20]>().write(fingerprint.0);
            }
            hash
        }
    })
}

/// The key of an account, or NULL.
///
/// # Safety
/// `us` is NULL or a valid user state, the names are NULL or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_privkey_find(
    us: OtrlUserState,
    accountname: *const c_char,
    protocol: *const c_char,
) -> *mut OtrlPrivKey {
    guard(ptr::null_mut(), || {
        if us.is_null() || accountname.is_null() || protocol.is_null() {
            return ptr::null_mut();
        }
        // SAFETY: the caller's promise.
        unsafe { keys::find(us, CStr::from_ptr(accountname), CStr::from_ptr(protocol)) }
    })
}

/// Forgets a key.
///
/// # Safety
/// `privkey` is NULL or a valid key that is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_privkey_forget(privkey: *mut OtrlPrivKey) {
    guard((), || {
        if !privkey.is_null() {
            // SAFETY: the caller's promise.
            unsafe { keys::forget(privkey) };
        }
    });
}

/// Forgets all keys of a user state.
///
/// # Safety
/// `us` is NULL or a valid user state; its keys are not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_privkey_forget_all(us: OtrlUserState) {
    guard((), || {
        if us.is_null() {
            return;
        }
        // SAFETY: the caller's promise.
        unsafe {
            for key in list::iter((*us).privkey_root) {
                keys::forget(key);
            }
            (*us).privkey_root = ptr::null_mut();
        }
    });
}

/// Signs `len` bytes, read as a number and reduced modulo q. `*sigp` becomes
/// 40 bytes from `malloc`, `*siglenp` their number.
///
/// # Safety
/// `sigp` and `siglenp` are NULL or valid, `privkey` is NULL or a valid key,
/// `data` is NULL or has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_privkey_sign(
    sigp: *mut *mut c_uchar,
    siglenp: *mut usize,
    privkey: *mut OtrlPrivKey,
    data: *const c_uchar,
    len: usize,
) -> gcry_error_t {
    guard_error(|| {
        if sigp.is_null() || siglenp.is_null() || privkey.is_null() {
            return Err(gcry_error_t::INV_VALUE);
        }
        // SAFETY: the caller's promise.
        unsafe {
            let value = alloc::slice(data, len);
            let signature = keys::secret_of(privkey)?.sign(value, &mut os_random())?;
            let copy = alloc::buffer(&signature);
            if copy.is_null() {
                return Err(gcry_error_t::ENOMEM);
            }
            *sigp = copy;
            *siglenp = signature.len();
        }
        Ok(())
    })
}

/// Checks a signature of `len` bytes, read as a number and reduced modulo q.
///
/// `pubs` is the public key as an S-expression; a private key will do.
///
/// # Safety
/// `sigbuf` is NULL or has `siglen` bytes, `pubs` is NULL or an S-expression
/// of libgcrypt, `data` is NULL or has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_privkey_verify(
    sigbuf: *const c_uchar,
    siglen: usize,
    pubkey_type: c_ushort,
    pubs: gcry_sexp_t,
    data: *const c_uchar,
    len: usize,
) -> gcry_error_t {
    guard_error(|| {
        if u32::from(pubkey_type) != OTRL_PUBKEY_TYPE_DSA || sigbuf.is_null() {
            return Err(gcry_error_t::INV_VALUE);
        }
        // SAFETY: the caller's promise.
        unsafe {
            let signature = alloc::slice(sigbuf, siglen)
                .try_into()
                .map_err(|_| gcry_error_t::INV_VALUE)?;
            let key = keys::public_of(pubs)?;
            key.verify(alloc::slice(data, len), signature)?;
        }
        Ok(())
    })
}

/// Forgets which keys are being generated. The generations themselves go on.
///
/// # Safety
/// `us` is NULL or a valid user state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_privkey_pending_forget_all(us: OtrlUserState) {
    guard((), || {
        if us.is_null() {
            return;
        }
        // SAFETY: the caller's promise.
        unsafe {
            for entry in list::iter((*us).pending_root) {
                pending::forget(entry);
            }
            (*us).pending_root = ptr::null_mut();
        }
    });
}

/// The fingerprint of an account's key.
///
/// # Safety
/// As for [`otrl_privkey_fingerprint_raw`].
unsafe fn fingerprint_of(
    us: OtrlUserState,
    accountname: *const c_char,
    protocol: *const c_char,
) -> Option<Fingerprint> {
    // SAFETY: the caller's promise; a key's public part has the length that
    // it says.
    unsafe {
        let key = otrl_privkey_find(us, accountname, protocol);
        if key.is_null() {
            return None;
        }
        let wire = alloc::slice((*key).pubkey_data, (*key).pubkey_datalen);
        Some(Fingerprint(sha1(&[wire])))
    }
}

/// # Safety
/// `human` has room for `OTRL_PRIVKEY_FPRINT_HUMAN_LEN` bytes.
unsafe fn write_human(human: *mut c_char, fingerprint: Fingerprint) {
    let text = fingerprint.to_human();
    debug_assert!(text.len() < OTRL_PRIVKEY_FPRINT_HUMAN_LEN);
    // SAFETY: the caller's promise; the text is 44 characters long.
    unsafe {
        ptr::copy_nonoverlapping(text.as_ptr(), human.cast(), text.len());
        human.add(text.len()).write(0);
    }
}
