//! `instag.h`: the instance tags of our accounts.

use core::ffi::{CStr, c_char, c_uint};
use core::ptr;
use std::path::Path;

use libc::FILE;

use super::gcrypt::gcry_error_t;
use super::guard::{guard, guard_error};
use super::userstate::OtrlUserState;
use super::{alloc, instag_file, list, stream};
use crate::crypto::os_random;
use crate::files::store::{self, Access, Durability};
use crate::{InstanceTag, limits};

/// Names a master context.
pub const OTRL_INSTAG_MASTER: u32 = 0;
/// Names the most secure conversation with a correspondent: by state, then
/// by trust, then by the time of the last message.
pub const OTRL_INSTAG_BEST: u32 = 1;
/// Names the conversation that was used last.
pub const OTRL_INSTAG_RECENT: u32 = 2;
/// Names the conversation in which something was received last.
pub const OTRL_INSTAG_RECENT_RECEIVED: u32 = 3;
/// Names the conversation in which something was sent last.
pub const OTRL_INSTAG_RECENT_SENT: u32 = 4;

/// The smallest number that is a real instance tag.
pub const OTRL_MIN_VALID_INSTAG: u32 = 0x100;

/// An instance tag, or one of the names above.
pub type otrl_instag_t = c_uint;

/// The instance tag of one of our accounts.
#[repr(C)]
pub struct s_OtrlInsTag {
    /// The next one in the list, or NULL.
    pub next: *mut s_OtrlInsTag,
    /// The pointer that points here.
    pub tous: *mut *mut s_OtrlInsTag,
    /// The account, from `malloc`.
    pub accountname: *mut c_char,
    /// Its chat protocol, from `malloc`.
    pub protocol: *mut c_char,
    /// The tag.
    pub instag: otrl_instag_t,
}

/// The instance tag of one of our accounts.
pub type OtrlInsTag = s_OtrlInsTag;

/// Forgets an instance tag.
///
/// # Safety
/// `instag` is NULL or a valid instance tag that is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_instag_forget(instag: *mut OtrlInsTag) {
    guard((), || {
        if instag.is_null() {
            return;
        }
        // SAFETY: the caller's promise.
        unsafe {
            list::unlink(instag);
            alloc::free((*instag).accountname);
            alloc::free((*instag).protocol);
            alloc::free(instag);
        }
    });
}

/// Forgets all instance tags of a user state.
///
/// # Safety
/// `us` is NULL or a valid user state; its instance tags are not used any
/// more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_instag_forget_all(us: OtrlUserState) {
    guard((), || {
        if us.is_null() {
            return;
        }
        // SAFETY: the caller's promise.
        unsafe {
            for instag in list::iter((*us).instag_root) {
                otrl_instag_forget(instag);
            }
            (*us).instag_root = ptr::null_mut();
        }
    });
}

/// The instance tag of an account, or NULL.
///
/// # Safety
/// `us` is NULL or a valid user state, the names are NULL or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_instag_find(
    us: OtrlUserState,
    accountname: *const c_char,
    protocol: *const c_char,
) -> *mut OtrlInsTag {
    guard(ptr::null_mut(), || {
        if us.is_null() || accountname.is_null() || protocol.is_null() {
            return ptr::null_mut();
        }
        // SAFETY: the caller's promise.
        unsafe { find(us, CStr::from_ptr(accountname), CStr::from_ptr(protocol)) }
    })
}

/// Adds the instance tags in a file to those of a user state. Lines that are
/// none are skipped.
///
/// # Safety
/// `us` is NULL or a valid user state, `filename` is NULL or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_instag_read(
    us: OtrlUserState,
    filename: *const c_char,
) -> gcry_error_t {
    guard_error(|| {
        if us.is_null() {
            return Err(gcry_error_t::INV_VALUE);
        }
        // SAFETY: the caller's promise.
        unsafe {
            let text = store::read(stream::path(filename)?, limits::MAX_LINES_FILE)
                .map_err(|error| gcry_error_t::from_io(&error))?;
            instag_file::load(us, &text)
        }
    })
}

/// The same from an open stream. Does nothing without one.
///
/// # Safety
/// `us` is NULL or a valid user state, `instf` is NULL or an open stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_instag_read_FILEp(
    us: OtrlUserState,
    instf: *mut FILE,
) -> gcry_error_t {
    guard_error(|| {
        if instf.is_null() {
            return Ok(());
        }
        if us.is_null() {
            return Err(gcry_error_t::INV_VALUE);
        }
        // SAFETY: the caller's promise.
        unsafe { instag_file::load(us, &stream::read(instf, limits::MAX_LINES_FILE)?) }
    })
}

/// A new random instance tag; 0 if the system's random source fails.
#[unsafe(no_mangle)]
pub extern "C" fn otrl_instag_get_new() -> otrl_instag_t {
    guard(0, || {
        InstanceTag::random(&mut os_random()).map_or(0, InstanceTag::get)
    })
}

/// Makes a new instance tag for an account and writes all of them to a file,
/// which only its owner can read.
///
/// # Safety
/// `us` is NULL or a valid user state, the others are NULL or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_instag_generate(
    us: OtrlUserState,
    filename: *const c_char,
    accountname: *const c_char,
    protocol: *const c_char,
) -> gcry_error_t {
    guard_error(|| {
        if us.is_null() {
            return Err(gcry_error_t::INV_VALUE);
        }
        // SAFETY: the caller's promise.
        unsafe {
            let path = stream::path(filename)?;
            if accountname.is_null() || protocol.is_null() {
                return Ok(());
            }
            let (account, network) = (CStr::from_ptr(accountname), CStr::from_ptr(protocol));
            instag_file::generate(us, account, network, |text| replace(path, text))
        }
    })
}

/// The same to an open stream. Does nothing without account or protocol.
///
/// # Safety
/// As for `otrl_instag_generate`; `instf` is NULL or an open stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_instag_generate_FILEp(
    us: OtrlUserState,
    instf: *mut FILE,
    accountname: *const c_char,
    protocol: *const c_char,
) -> gcry_error_t {
    guard_error(|| {
        if accountname.is_null() || protocol.is_null() {
            return Ok(());
        }
        if us.is_null() || instf.is_null() {
            return Err(gcry_error_t::INV_VALUE);
        }
        // SAFETY: the caller's promise.
        unsafe {
            let (account, network) = (CStr::from_ptr(accountname), CStr::from_ptr(protocol));
            instag_file::generate(us, account, network, |text| stream::write(instf, text))
        }
    })
}

/// Writes all instance tags of a user state to a file, which only its owner
/// can read.
///
/// # Safety
/// `us` is NULL or a valid user state, `filename` is NULL or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_instag_write(
    us: OtrlUserState,
    filename: *const c_char,
) -> gcry_error_t {
    guard_error(|| {
        if us.is_null() {
            return Err(gcry_error_t::INV_VALUE);
        }
        // SAFETY: the caller's promise.
        unsafe { replace(stream::path(filename)?, &instag_file::text(us)) }
    })
}

/// The same to an open stream.
///
/// # Safety
/// `us` is NULL or a valid user state, `instf` is NULL or an open stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_instag_write_FILEp(
    us: OtrlUserState,
    instf: *mut FILE,
) -> gcry_error_t {
    guard_error(|| {
        if us.is_null() || instf.is_null() {
            return Err(gcry_error_t::INV_VALUE);
        }
        // SAFETY: the caller's promise.
        unsafe { stream::write(instf, &instag_file::text(us)) }
    })
}

/// Replaces a file that only its owner can read, and whose tags can be made
/// anew.
fn replace(path: &Path, text: &[u8]) -> Result<(), gcry_error_t> {
    store::replace(path, text, Access::Private, Durability::Renewable)
        .map_err(|error| gcry_error_t::from_io(&error))
}

/// See [`otrl_instag_find`].
///
/// # Safety
/// `us` is a valid user state.
unsafe fn find(us: OtrlUserState, accountname: &CStr, protocol: &CStr) -> *mut OtrlInsTag {
    // SAFETY: the caller's promise; names in the list are NULL or
    // NUL-terminated.
    unsafe {
        list::iter((*us).instag_root)
            .find(|entry| {
                alloc::is_text((**entry).accountname, accountname)
                    && alloc::is_text((**entry).protocol, protocol)
            })
            .unwrap_or(ptr::null_mut())
    }
}

/// The tag of an account, or 0.
///
/// # Safety
/// `us` is a valid user state.
pub(crate) unsafe fn tag_of(
    us: OtrlUserState,
    accountname: &CStr,
    protocol: &CStr,
) -> otrl_instag_t {
    // SAFETY: the caller's promise.
    unsafe {
        let entry = find(us, accountname, protocol);
        if entry.is_null() { 0 } else { (*entry).instag }
    }
}
