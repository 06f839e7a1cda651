//! `userstate.h`: everything that belongs to one user.

use core::ffi::c_int;
use core::ptr;

use super::context::{ConnContext, otrl_context_forget_all};
use super::guard::guard;
use super::instag::{OtrlInsTag, otrl_instag_forget_all};
use super::privkey::{otrl_privkey_forget_all, otrl_privkey_pending_forget_all};
use super::privkey_t::{OtrlPendingPrivKey, OtrlPrivKey};
use super::{alloc, contacts, poll};

/// The conversations, keys and instance tags of one user.
#[repr(C)]
pub struct s_OtrlUserState {
    /// The conversations, sorted by correspondent, account, protocol and
    /// their instance tag.
    pub context_root: *mut ConnContext,
    /// Our private keys.
    pub privkey_root: *mut OtrlPrivKey,
    /// Our instance tags.
    pub instag_root: *mut OtrlInsTag,
    /// The keys that are being generated.
    pub pending_root: *mut OtrlPendingPrivKey,
    /// Whether the application was asked to run a timer.
    pub timer_running: c_int,
}

/// The conversations, keys and instance tags of one user.
pub type OtrlUserState = *mut s_OtrlUserState;

/// Makes a user state. NULL without memory.
#[unsafe(no_mangle)]
pub extern "C" fn otrl_userstate_create() -> OtrlUserState {
    guard(ptr::null_mut(), alloc::zeroed)
}

/// Releases a user state and everything that belongs to it. A timer that the
/// application runs for it must have been stopped.
///
/// # Safety
/// `us` is NULL or from `otrl_userstate_create`, and not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_userstate_free(us: OtrlUserState) {
    guard((), || {
        if us.is_null() {
            return;
        }
        // SAFETY: the caller's promise.
        unsafe {
            otrl_context_forget_all(us);
            otrl_privkey_forget_all(us);
            otrl_privkey_pending_forget_all(us);
            otrl_instag_forget_all(us);
            contacts::user_released(us);
            poll::forget(us);
            alloc::free(us);
        }
    });
}
