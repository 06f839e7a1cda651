//! `proto.h`: policies, message types, fragments and data messages.

use core::ffi::c_uint;

use super::open_enum::open_enum;

/// In a data message: no answer is expected if it cannot be read.
pub const OTRL_MSGFLAGS_IGNORE_UNREADABLE: u32 = 0x01;

/// A set of `OTRL_POLICY_` bits.
pub type OtrlPolicy = c_uint;

/// Speak version 1.
pub const OTRL_POLICY_ALLOW_V1: u32 = 0x01;
/// Speak version 2.
pub const OTRL_POLICY_ALLOW_V2: u32 = 0x02;
/// Speak version 3.
pub const OTRL_POLICY_ALLOW_V3: u32 = 0x04;
/// Send nothing that is not encrypted.
pub const OTRL_POLICY_REQUIRE_ENCRYPTION: u32 = 0x08;
/// Offer OTR by white space at the end of messages.
pub const OTRL_POLICY_SEND_WHITESPACE_TAG: u32 = 0x10;
/// Begin a private conversation on such an offer.
pub const OTRL_POLICY_WHITESPACE_START_AKE: u32 = 0x20;
/// Begin a private conversation on an OTR error message.
pub const OTRL_POLICY_ERROR_START_AKE: u32 = 0x40;

/// The bits that allow a version.
pub const OTRL_POLICY_VERSION_MASK: u32 =
    OTRL_POLICY_ALLOW_V1 | OTRL_POLICY_ALLOW_V2 | OTRL_POLICY_ALLOW_V3;

/// The length of the shortest message header.
pub const OTRL_HEADER_LEN: u32 = 3;
/// The length of that header in base64.
pub const OTRL_B64_HEADER_LEN: u32 = 4;

/// No OTR at all.
pub const OTRL_POLICY_NEVER: u32 = 0x00;
/// OTR whenever the correspondent can do it.
pub const OTRL_POLICY_OPPORTUNISTIC: u32 = OTRL_POLICY_ALLOW_V2
    | OTRL_POLICY_ALLOW_V3
    | OTRL_POLICY_SEND_WHITESPACE_TAG
    | OTRL_POLICY_WHITESPACE_START_AKE
    | OTRL_POLICY_ERROR_START_AKE;
/// OTR when one of the two asks for it.
pub const OTRL_POLICY_MANUAL: u32 = OTRL_POLICY_ALLOW_V2 | OTRL_POLICY_ALLOW_V3;
/// Nothing but OTR.
pub const OTRL_POLICY_ALWAYS: u32 = OTRL_POLICY_ALLOW_V2
    | OTRL_POLICY_ALLOW_V3
    | OTRL_POLICY_REQUIRE_ENCRYPTION
    | OTRL_POLICY_WHITESPACE_START_AKE
    | OTRL_POLICY_ERROR_START_AKE;
/// What applies where the application has no opinion.
pub const OTRL_POLICY_DEFAULT: u32 = OTRL_POLICY_OPPORTUNISTIC;

/// What a text is to OTR.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtrlMessageType {
    /// An ordinary message.
    OTRL_MSGTYPE_NOTOTR,
    /// An ordinary message with an offer in white space.
    OTRL_MSGTYPE_TAGGEDPLAINTEXT,
    /// A request for a private conversation.
    OTRL_MSGTYPE_QUERY,
    /// First message of the key exchange.
    OTRL_MSGTYPE_DH_COMMIT,
    /// Second message of the key exchange.
    OTRL_MSGTYPE_DH_KEY,
    /// Third message of the key exchange.
    OTRL_MSGTYPE_REVEALSIG,
    /// Fourth message of the key exchange.
    OTRL_MSGTYPE_SIGNATURE,
    /// Key exchange of version 1.
    OTRL_MSGTYPE_V1_KEYEXCH,
    /// An encrypted message.
    OTRL_MSGTYPE_DATA,
    /// An error that the other side reports.
    OTRL_MSGTYPE_ERROR,
    /// Something of OTR that is none of these.
    OTRL_MSGTYPE_UNKNOWN,
}

/// What became of a text that might be a piece of a message.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtrlFragmentResult {
    /// It is not a piece but a whole message.
    OTRL_FRAGMENT_UNFRAGMENTED,
    /// Pieces are still missing.
    OTRL_FRAGMENT_INCOMPLETE,
    /// It was the last piece.
    OTRL_FRAGMENT_COMPLETE,
}

/// What to do with a message that must be cut into pieces.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtrlFragmentPolicy {
    /// Hand it back as it is.
    OTRL_FRAGMENT_SEND_SKIP,
    /// Cut it and inject all pieces.
    OTRL_FRAGMENT_SEND_ALL,
    /// Cut it, hand back the first piece and inject the others.
    OTRL_FRAGMENT_SEND_ALL_BUT_FIRST,
    /// Cut it, hand back the last piece and inject the others.
    OTRL_FRAGMENT_SEND_ALL_BUT_LAST,
}

open_enum!(OtrlFragmentPolicy:
    OTRL_FRAGMENT_SEND_SKIP,
    OTRL_FRAGMENT_SEND_ALL,
    OTRL_FRAGMENT_SEND_ALL_BUT_FIRST,
    OTRL_FRAGMENT_SEND_ALL_BUT_LAST,
);
