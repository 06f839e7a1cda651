//! `userstate.h`: everything that belongs to one user.

use core::ffi::c_int;

use super::context::ConnContext;
use super::instag::OtrlInsTag;
use super::privkey_t::{OtrlPendingPrivKey, OtrlPrivKey};

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
