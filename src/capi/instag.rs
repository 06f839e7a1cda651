//! `instag.h`: the instance tags of our accounts.

use core::ffi::{c_char, c_uint};

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
