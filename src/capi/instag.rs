//! `instag.h`: the instance tags of our accounts.

use core::ffi::{CStr, c_char, c_uint};
use core::ptr;

use super::guard::guard;
use super::userstate::OtrlUserState;
use super::{alloc, list};
use crate::InstanceTag;
use crate::crypto::os_random;

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

/// A new random instance tag; 0 if the system's random source fails.
#[unsafe(no_mangle)]
pub extern "C" fn otrl_instag_get_new() -> otrl_instag_t {
    guard(0, || {
        InstanceTag::random(&mut os_random()).map_or(0, InstanceTag::get)
    })
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

/// Adds a tag in front of the list. False without memory.
///
/// # Safety
/// `us` is a valid user state.
pub(crate) unsafe fn add(
    us: OtrlUserState,
    accountname: &[u8],
    protocol: &[u8],
    tag: otrl_instag_t,
) -> bool {
    let entry = alloc::zeroed::<OtrlInsTag>();
    if entry.is_null() {
        return false;
    }
    // SAFETY: the caller's promise; the entry was made above.
    unsafe {
        (*entry).accountname = alloc::c_string(accountname);
        (*entry).protocol = alloc::c_string(protocol);
        (*entry).instag = tag;
        if (*entry).accountname.is_null() || (*entry).protocol.is_null() {
            otrl_instag_forget(entry);
            return false;
        }
        list::insert(&raw mut (*us).instag_root, entry);
    }
    true
}
