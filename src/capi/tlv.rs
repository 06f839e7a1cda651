//! `tlv.h`: the records that travel inside data messages.

use core::ffi::{c_uchar, c_ushort};

/// A record of a type and a value.
#[repr(C)]
pub struct s_OtrlTLV {
    /// The type.
    pub r#type: c_ushort,
    /// The length of `data` in bytes.
    pub len: c_ushort,
    /// The value, from `malloc`. A NUL that does not count follows it.
    pub data: *mut c_uchar,
    /// The next record, or NULL.
    pub next: *mut s_OtrlTLV,
}

/// A record of a type and a value.
pub type OtrlTLV = s_OtrlTLV;

/// Means nothing.
pub const OTRL_TLV_PADDING: u32 = 0x0000;
/// The sender has forgotten the keys of the conversation.
pub const OTRL_TLV_DISCONNECTED: u32 = 0x0001;
/// First message of a comparison of secrets.
pub const OTRL_TLV_SMP1: u32 = 0x0002;
/// Second message of a comparison of secrets.
pub const OTRL_TLV_SMP2: u32 = 0x0003;
/// Third message of a comparison of secrets.
pub const OTRL_TLV_SMP3: u32 = 0x0004;
/// Fourth message of a comparison of secrets.
pub const OTRL_TLV_SMP4: u32 = 0x0005;
/// The comparison of secrets is off.
pub const OTRL_TLV_SMP_ABORT: u32 = 0x0006;
/// First message of a comparison of secrets, with a question: text, NUL, and
/// the value that the first message has without one.
pub const OTRL_TLV_SMP1Q: u32 = 0x0007;
/// The extra symmetric key is about to be used: four bytes that say for what,
/// and data that depend on it.
pub const OTRL_TLV_SYMKEY: u32 = 0x0008;
