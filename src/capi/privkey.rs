//! `privkey.h`: our keys, and the files of keys and fingerprints.

use core::ffi::{CStr, c_char, c_uchar, c_ushort, c_void};
use core::ptr;
use std::path::Path;

use libc::FILE;

use super::context::ConnContext;
use super::conversation::AppData;
use super::gcrypt::{gcry_error_t, gcry_sexp_t};
use super::guard::{guard, guard_error};
use super::pending::Generation;
use super::privkey_t::{OTRL_PUBKEY_TYPE_DSA, OtrlPrivKey};
use super::userstate::OtrlUserState;
use super::{alloc, fingerprint_file, key_file, keys, list, pending, stream};
use crate::crypto::dsa::Fingerprint;
use crate::crypto::os_random;
use crate::crypto::symmetric::sha1;
use crate::files::store::{self, Access, Durability};
use crate::limits;

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

/// Replaces the keys of a user state by those in a file. On an error, the keys
/// stay as they were.
///
/// # Safety
/// `us` is NULL or a valid user state, `filename` is NULL or NUL-terminated;
/// the user state's keys are not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_privkey_read(
    us: OtrlUserState,
    filename: *const c_char,
) -> gcry_error_t {
    guard_error(|| {
        if us.is_null() {
            return Err(gcry_error_t::INV_VALUE);
        }
        // SAFETY: the caller's promise.
        unsafe {
            let text = store::read(stream::path(filename)?, limits::MAX_KEY_FILE)
                .map_err(|error| gcry_error_t::from_io(&error))?;
            key_file::load(us, &text)
        }
    })
}

/// The same from an open stream. Does nothing without one.
///
/// # Safety
/// As for `otrl_privkey_read`; `privf` is NULL or an open stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_privkey_read_FILEp(
    us: OtrlUserState,
    privf: *mut FILE,
) -> gcry_error_t {
    guard_error(|| {
        if privf.is_null() {
            return Ok(());
        }
        if us.is_null() {
            return Err(gcry_error_t::INV_VALUE);
        }
        // SAFETY: the caller's promise.
        unsafe { key_file::load(us, &stream::read(privf, limits::MAX_KEY_FILE)?) }
    })
}

/// Begins to generate a key for an account. `*newkeyp` becomes a handle for the
/// functions below, or NULL; `otrl_privkey_generate_finish` or
/// `otrl_privkey_generate_cancelled` releases it.
///
/// Returns an error if a key for the account is being generated already.
///
/// # Safety
/// `us` is NULL or a valid user state, the names are NULL or NUL-terminated,
/// `newkeyp` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_privkey_generate_start(
    us: OtrlUserState,
    accountname: *const c_char,
    protocol: *const c_char,
    newkeyp: *mut *mut c_void,
) -> gcry_error_t {
    guard_error(|| {
        if newkeyp.is_null() {
            return Err(gcry_error_t::INV_VALUE);
        }
        // SAFETY: the caller's promise.
        unsafe {
            *newkeyp = ptr::null_mut();
            if us.is_null() || accountname.is_null() || protocol.is_null() {
                return Err(gcry_error_t::INV_VALUE);
            }
            let (account, network) = (CStr::from_ptr(accountname), CStr::from_ptr(protocol));
            if !pending::find(us, account, network).is_null() {
                return Err(gcry_error_t::EEXIST);
            }
            if !pending::add(us, account, network) {
                return Err(gcry_error_t::ENOMEM);
            }
            *newkeyp = Generation::begin(account, network);
        }
        Ok(())
    })
}

/// Generates the key. May be called in any thread, and takes some time.
///
/// # Safety
/// None; a handle that is not valid gives an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_privkey_generate_calculate(newkey: *mut c_void) -> gcry_error_t {
    guard_error(|| Generation::at(newkey)?.calculate())
}

/// Writes the keys of the user state and the new one to a file, which only its
/// owner can read; the new key is then one of the user state's. All keys of
/// the user state have new addresses. Must not be called while another thread
/// uses the user state.
///
/// On an error, nothing has changed and the handle remains valid; only without
/// a user state it is released.
///
/// # Safety
/// `us` is NULL or a valid user state, `filename` is NULL or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_privkey_generate_finish(
    us: OtrlUserState,
    newkey: *mut c_void,
    filename: *const c_char,
) -> gcry_error_t {
    guard_error(|| {
        // SAFETY: the caller's promise.
        unsafe {
            let path = stream::path(filename)?;
            finish(us, newkey, |text| replace(path, text))
        }
    })
}

/// The same to an open stream, at its present position. Without one the
/// handle is released.
///
/// # Safety
/// `us` is NULL or a valid user state, `privf` is NULL or an open stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_privkey_generate_finish_FILEp(
    us: OtrlUserState,
    newkey: *mut c_void,
    privf: *mut FILE,
) -> gcry_error_t {
    guard_error(|| {
        if privf.is_null() {
            if let Some(generation) = Generation::end(newkey)
                && !us.is_null()
            {
                // SAFETY: the caller's promise.
                unsafe { generation.forget_pending(us) };
            }
            return Err(gcry_error_t::INV_VALUE);
        }
        // SAFETY: the caller's promise.
        unsafe { finish(us, newkey, |text| stream::write(privf, text)) }
    })
}

/// Releases the handle of a key that is not wanted any more. The calculation
/// may still be going on.
///
/// # Safety
/// `us` is NULL or a valid user state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_privkey_generate_cancelled(us: OtrlUserState, newkey: *mut c_void) {
    guard((), || {
        if let Some(generation) = Generation::end(newkey)
            && !us.is_null()
        {
            // SAFETY: the caller's promise.
            unsafe { generation.forget_pending(us) };
        }
    });
}

/// Generates a key for an account, which takes some time, and writes the keys
/// of the user state and this one to a file, which only its owner can read.
/// All keys of the user state have new addresses.
///
/// # Safety
/// `us` is NULL or a valid user state, the others are NULL or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_privkey_generate(
    us: OtrlUserState,
    filename: *const c_char,
    accountname: *const c_char,
    protocol: *const c_char,
) -> gcry_error_t {
    guard_error(|| {
        if us.is_null() || accountname.is_null() || protocol.is_null() {
            return Err(gcry_error_t::INV_VALUE);
        }
        // SAFETY: the caller's promise.
        unsafe {
            let path = stream::path(filename)?;
            let (account, network) = (CStr::from_ptr(accountname), CStr::from_ptr(protocol));
            pending::generate(us, account, network, |text| replace(path, text))
        }
    })
}

/// The same to an open stream, at its present position.
///
/// # Safety
/// As for `otrl_privkey_generate`; `privf` is NULL or an open stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_privkey_generate_FILEp(
    us: OtrlUserState,
    privf: *mut FILE,
    accountname: *const c_char,
    protocol: *const c_char,
) -> gcry_error_t {
    guard_error(|| {
        if us.is_null() || privf.is_null() || accountname.is_null() || protocol.is_null() {
            return Err(gcry_error_t::INV_VALUE);
        }
        // SAFETY: the caller's promise.
        unsafe {
            let (account, network) = (CStr::from_ptr(accountname), CStr::from_ptr(protocol));
            pending::generate(us, account, network, |text| stream::write(privf, text))
        }
    })
}

/// Adds the fingerprints in a file to the contexts of a user state. Contexts
/// that are missing are made, and `add_app_data`, if not NULL, is called with
/// `data` and each of them. Lines that are no fingerprints are skipped.
///
/// # Safety
/// `us` is NULL or a valid user state, `filename` is NULL or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_privkey_read_fingerprints(
    us: OtrlUserState,
    filename: *const c_char,
    add_app_data: Option<unsafe extern "C" fn(data: *mut c_void, context: *mut ConnContext)>,
    data: *mut c_void,
) -> gcry_error_t {
    guard_error(|| {
        if us.is_null() {
            return Err(gcry_error_t::INV_VALUE);
        }
        let app_data = AppData {
            function: add_app_data,
            data,
        };
        // SAFETY: the caller's promise.
        unsafe {
            let text = store::read(stream::path(filename)?, limits::MAX_LINES_FILE)
                .map_err(|error| gcry_error_t::from_io(&error))?;
            fingerprint_file::load(us, &text, app_data)
        }
    })
}

/// The same from an open stream. Does nothing without one.
///
/// # Safety
/// `us` is NULL or a valid user state, `storef` is NULL or an open stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_privkey_read_fingerprints_FILEp(
    us: OtrlUserState,
    storef: *mut FILE,
    add_app_data: Option<unsafe extern "C" fn(data: *mut c_void, context: *mut ConnContext)>,
    data: *mut c_void,
) -> gcry_error_t {
    guard_error(|| {
        if storef.is_null() {
            return Ok(());
        }
        if us.is_null() {
            return Err(gcry_error_t::INV_VALUE);
        }
        let app_data = AppData {
            function: add_app_data,
            data,
        };
        // SAFETY: the caller's promise.
        unsafe {
            let text = stream::read(storef, limits::MAX_LINES_FILE)?;
            fingerprint_file::load(us, &text, app_data)
        }
    })
}

/// Writes the fingerprints of all contexts of a user state to a file, which
/// only its owner can read.
///
/// # Safety
/// `us` is NULL or a valid user state, `filename` is NULL or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_privkey_write_fingerprints(
    us: OtrlUserState,
    filename: *const c_char,
) -> gcry_error_t {
    guard_error(|| {
        if us.is_null() {
            return Err(gcry_error_t::INV_VALUE);
        }
        // SAFETY: the caller's promise.
        unsafe { replace(stream::path(filename)?, &fingerprint_file::text(us)) }
    })
}

/// The same to an open stream. Does nothing without one.
///
/// # Safety
/// `us` is NULL or a valid user state, `storef` is NULL or an open stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_privkey_write_fingerprints_FILEp(
    us: OtrlUserState,
    storef: *mut FILE,
) -> gcry_error_t {
    guard_error(|| {
        if storef.is_null() {
            return Ok(());
        }
        if us.is_null() {
            return Err(gcry_error_t::INV_VALUE);
        }
        // SAFETY: the caller's promise.
        unsafe { stream::write(storef, &fingerprint_file::text(us)) }
    })
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

/// Ends a generation. Without a user state the handle is released.
///
/// # Safety
/// `us` is NULL or a valid user state.
unsafe fn finish(
    us: OtrlUserState,
    newkey: *mut c_void,
    write: impl FnOnce(&[u8]) -> Result<(), gcry_error_t>,
) -> Result<(), gcry_error_t> {
    let generation = Generation::at(newkey)?;
    if us.is_null() {
        Generation::end(newkey);
        return Err(gcry_error_t::INV_VALUE);
    }
    // SAFETY: the caller's promise.
    unsafe {
        generation.finish(us, write)?;
        generation.forget_pending(us);
    }
    Generation::end(newkey);
    Ok(())
}

/// Replaces a file that only its owner can read.
fn replace(path: &Path, text: &[u8]) -> Result<(), gcry_error_t> {
    store::replace(path, text, Access::Private, Durability::Lasting)
        .map_err(|error| gcry_error_t::from_io(&error))
}
