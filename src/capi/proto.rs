//! `proto.h`: policies, message types, fragments and data messages.

use core::ffi::{c_char, c_int, c_uchar, c_uint, c_ushort};
use core::ptr;

use super::context::ConnContext;
use super::gcrypt::gcry_error_t;
use super::guard::{guard, guard_error};
use super::open_enum::open_enum;
use super::text::Text;
use super::tlv::{self, OtrlTLV};
use super::{alloc, api_version, data, dh_numbers, wiping};
use crate::wire::fragment::{Accumulated, Cut, Format};
use crate::wire::message::{self, DataMessage, MessageType};
use crate::wire::{base64, query, whitespace};
use crate::{InstanceTag, Policy, Version};

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

/// Prepares the library for a program that was made for this version of it.
/// Must be called before everything else; may be called again.
///
/// Returns 0, or an error (and a line on the standard error stream) if the
/// program was made for a version that this library is not.
#[unsafe(no_mangle)]
pub extern "C" fn otrl_init(ver_major: c_uint, ver_minor: c_uint, ver_sub: c_uint) -> gcry_error_t {
    guard_error(|| {
        api_version::request(ver_major, ver_minor, ver_sub)?;
        // Keys that are shown to the program as libgcrypt's objects leave
        // nothing behind.
        wiping::install();
        Ok(())
    })
}

/// The version of the interface as a string that must not be released.
#[unsafe(no_mangle)]
pub extern "C" fn otrl_version() -> *const c_char {
    c"4.1.1".as_ptr()
}

/// Makes a message that asks for a private conversation, with an explanation
/// for correspondents without OTR. `ourname` is put into it as it is.
///
/// Returns a string from `malloc`, or NULL without memory or name.
///
/// # Safety
/// `ourname` is NULL or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_proto_default_query_msg(
    ourname: *const c_char,
    policy: OtrlPolicy,
) -> *mut c_char {
    guard(ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        let Some(name) = (unsafe { alloc::bytes(ourname) }) else {
            return ptr::null_mut();
        };
        alloc::c_string(&query::default_query(name, Policy::from_bits(policy)))
    })
}

/// The highest version that a query message offers and the policy allows; 0 if
/// there is none.
///
/// # Safety
/// `querymsg` is NULL or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_proto_query_bestversion(
    querymsg: *const c_char,
    policy: OtrlPolicy,
) -> c_uint {
    guard(0, || {
        // SAFETY: the caller's promise.
        unsafe { alloc::bytes(querymsg) }
            .and_then(|text| query::best_version(text, Policy::from_bits(policy)))
            .map_or(0, |version| version.number().into())
    })
}

/// The highest version that a message offers in white space and the policy
/// allows; 0 if there is none. `*starttagp` and `*endtagp` become the beginning
/// and the end of that white space in the message, or NULL.
///
/// # Safety
/// `msg` is NULL or NUL-terminated; the other pointers are NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_proto_whitespace_bestversion(
    msg: *const c_char,
    starttagp: *mut *const c_char,
    endtagp: *mut *const c_char,
    policy: OtrlPolicy,
) -> c_uint {
    guard(0, || {
        // SAFETY: the caller's promise; a tag lies within the message.
        unsafe {
            let found = alloc::bytes(msg).and_then(whitespace::find);
            let place =
                |offset: Option<usize>| offset.map_or(ptr::null(), |offset| msg.add(offset));
            if !starttagp.is_null() {
                *starttagp = place(found.as_ref().map(|tag| tag.range.start));
            }
            if !endtagp.is_null() {
                *endtagp = place(found.as_ref().map(|tag| tag.range.end));
            }
            found
                .and_then(|tag| tag.versions.best(Policy::from_bits(policy)))
                .map_or(0, |version| version.number().into())
        }
    })
}

/// What a text is to OTR.
///
/// # Safety
/// `message` is NULL or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_proto_message_type(message: *const c_char) -> OtrlMessageType {
    guard(OtrlMessageType::OTRL_MSGTYPE_UNKNOWN, || {
        // SAFETY: the caller's promise.
        let Some(text) = (unsafe { alloc::bytes(message) }) else {
            return OtrlMessageType::OTRL_MSGTYPE_NOTOTR;
        };
        match message::message_type(text) {
            MessageType::NotOtr => OtrlMessageType::OTRL_MSGTYPE_NOTOTR,
            MessageType::TaggedPlaintext => OtrlMessageType::OTRL_MSGTYPE_TAGGEDPLAINTEXT,
            MessageType::Query => OtrlMessageType::OTRL_MSGTYPE_QUERY,
            MessageType::DhCommit => OtrlMessageType::OTRL_MSGTYPE_DH_COMMIT,
            MessageType::DhKey => OtrlMessageType::OTRL_MSGTYPE_DH_KEY,
            MessageType::RevealSignature => OtrlMessageType::OTRL_MSGTYPE_REVEALSIG,
            MessageType::Signature => OtrlMessageType::OTRL_MSGTYPE_SIGNATURE,
            MessageType::V1KeyExchange => OtrlMessageType::OTRL_MSGTYPE_V1_KEYEXCH,
            MessageType::Data => OtrlMessageType::OTRL_MSGTYPE_DATA,
            MessageType::Error => OtrlMessageType::OTRL_MSGTYPE_ERROR,
            MessageType::Unknown => OtrlMessageType::OTRL_MSGTYPE_UNKNOWN,
        }
    })
}

/// The version of an encoded message: 1, 2 or 3; 0 for other texts.
///
/// # Safety
/// `message` is NULL or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_proto_message_version(message: *const c_char) -> c_int {
    guard(0, || {
        // SAFETY: the caller's promise.
        unsafe { alloc::bytes(message) }
            .and_then(message::message_version)
            .map_or(0, |version| version.number().into())
    })
}

/// Reads the instance tags of an encoded version 3 message, which must begin
/// the text. On an error nothing is written, except the sender's tag if only
/// the receiver's is missing.
///
/// # Safety
/// `otrmsg` is NULL or NUL-terminated; the other pointers are NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_proto_instance(
    otrmsg: *const c_char,
    instance_from: *mut c_uint,
    instance_to: *mut c_uint,
) -> gcry_error_t {
    guard_error(|| {
        // SAFETY: the caller's promise.
        unsafe {
            let text = alloc::bytes(otrmsg).ok_or(gcry_error_t::INV_VALUE)?;
            let sender = message::sender(text)?;
            if !instance_from.is_null() {
                *instance_from = sender.get();
            }
            // Compatibility: the first number is written even without the second.
            let (_, receiver) = message::instances(text)?;
            if !instance_to.is_null() {
                *instance_to = receiver.get();
            }
        }
        Ok(())
    })
}

/// Encrypts a text and a chain of records into a data message with `flags`.
/// `*encmessagep` becomes a string from `malloc`, or NULL on an error;
/// `extrakey`, if not NULL, receives the extra symmetric key of
/// `OTRL_EXTRAKEY_BYTES` bytes.
///
/// # Safety
/// `context` is NULL or a valid context, `msg` is NULL or NUL-terminated, `tlvs`
/// is NULL or a valid record, the others are NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_proto_create_data(
    encmessagep: *mut *mut c_char,
    context: *mut ConnContext,
    msg: *const c_char,
    tlvs: *const OtrlTLV,
    flags: c_uchar,
    extrakey: *mut c_uchar,
) -> gcry_error_t {
    guard_error(|| {
        if encmessagep.is_null() {
            return Err(gcry_error_t::INV_VALUE);
        }
        // SAFETY: the caller's promise.
        unsafe {
            *encmessagep = ptr::null_mut();
            let text = alloc::bytes(msg).ok_or(gcry_error_t::INV_VALUE)?;
            if context.is_null() {
                return Err(gcry_error_t::INV_VALUE);
            }
            let sealed = data::create(context, text, &tlv::copy_in(tlvs), flags)?;
            let text = Text::armoured(&sealed.encoded).ok_or(gcry_error_t::ENOMEM)?;
            *encmessagep = text.into_raw();
            alloc::copy_out(&*sealed.extra_key, extrakey);
        }
        Ok(())
    })
}

/// Decrypts a data message. `*plaintextp` becomes a string from `malloc`,
/// `*tlvsp` a chain of records, `*flagsp` the message's flags, even on an
/// error; `extrakey` receives the extra symmetric key of `OTRL_EXTRAKEY_BYTES`
/// bytes. Except for `plaintextp` all may be NULL.
///
/// # Safety
/// `context` is NULL or a valid context, `datamsg` is NULL or NUL-terminated,
/// the others are NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_proto_accept_data(
    plaintextp: *mut *mut c_char,
    tlvsp: *mut *mut OtrlTLV,
    context: *mut ConnContext,
    datamsg: *const c_char,
    flagsp: *mut c_uchar,
    extrakey: *mut c_uchar,
) -> gcry_error_t {
    guard_error(|| {
        if plaintextp.is_null() {
            return Err(gcry_error_t::INV_VALUE);
        }
        // SAFETY: the caller's promise.
        unsafe {
            *plaintextp = ptr::null_mut();
            dh_numbers::set(tlvsp, ptr::null_mut());
            dh_numbers::set(flagsp, 0);
            let text = alloc::bytes(datamsg).ok_or(gcry_error_t::INV_VALUE)?;
            let decoded = base64::dearmour_data(text)?;
            dh_numbers::set(flagsp, DataMessage::read_flags(&decoded)?);
            let message = DataMessage::parse(&decoded)?;
            if context.is_null() {
                return Err(gcry_error_t::INV_VALUE);
            }
            let opened = data::accept(context, &message, &decoded)?;
            let copy = alloc::c_string(&opened.text);
            if copy.is_null() {
                return Err(gcry_error_t::ENOMEM);
            }
            *plaintextp = copy;
            if !tlvsp.is_null() {
                *tlvsp = tlv::chain(&opened.tlvs);
            }
            alloc::copy_out(&*opened.extra_key, extrakey);
        }
        Ok(())
    })
}

/// Takes a text that may be a piece of a message. With the last piece,
/// `*unfragmessagep` becomes the whole message, a string from `malloc`.
///
/// # Safety
/// `context` is NULL or a valid context, `msg` is NULL or NUL-terminated,
/// `unfragmessagep` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_proto_fragment_accumulate(
    unfragmessagep: *mut *mut c_char,
    context: *mut ConnContext,
    msg: *const c_char,
) -> OtrlFragmentResult {
    guard(OtrlFragmentResult::OTRL_FRAGMENT_INCOMPLETE, || {
        // SAFETY: the caller's promise.
        unsafe {
            let Some(text) = alloc::bytes(msg) else {
                return OtrlFragmentResult::OTRL_FRAGMENT_UNFRAGMENTED;
            };
            if unfragmessagep.is_null() || context.is_null() || (*context).context_priv.is_null() {
                return OtrlFragmentResult::OTRL_FRAGMENT_UNFRAGMENTED;
            }
            match data::accumulate(context, text) {
                Accumulated::Unfragmented => OtrlFragmentResult::OTRL_FRAGMENT_UNFRAGMENTED,
                Accumulated::Incomplete => OtrlFragmentResult::OTRL_FRAGMENT_INCOMPLETE,
                Accumulated::Complete(message) => {
                    *unfragmessagep = alloc::c_string(&message);
                    OtrlFragmentResult::OTRL_FRAGMENT_COMPLETE
                }
            }
        }
    })
}

/// Reads the flags of a data message that cannot be read otherwise. On an
/// error they are 0.
///
/// # Safety
/// `datamsg` is NULL or NUL-terminated; `flagsp` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_proto_data_read_flags(
    datamsg: *const c_char,
    flagsp: *mut c_uchar,
) -> gcry_error_t {
    guard_error(|| {
        // SAFETY: the caller's promise.
        unsafe {
            if !flagsp.is_null() {
                *flagsp = 0;
            }
            let text = alloc::bytes(datamsg).ok_or(gcry_error_t::INV_VALUE)?;
            let flags = DataMessage::read_flags(&base64::dearmour_data(text)?)?;
            if !flagsp.is_null() {
                *flagsp = flags;
            }
        }
        Ok(())
    })
}

/// Cuts a message into `fragment_count` pieces of less than `mms` bytes, in the
/// form of the context's version. `*fragments` becomes an array from `malloc`
/// of strings from `malloc`.
///
/// Compatibility: the count is obeyed even if the message needs another. Too
/// few pieces leave off its end, surplus ones are empty.
///
/// Returns an error, and leaves `*fragments` alone, if the count is not from 1
/// to 65535, or if `mms` leaves no room for text.
///
/// # Safety
/// `fragments` is NULL or valid, `context` is NULL or a valid context,
/// `message` is NULL or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_proto_fragment_create(
    mms: c_int,
    fragment_count: c_int,
    fragments: *mut *mut *mut c_char,
    context: *mut ConnContext,
    message: *const c_char,
) -> gcry_error_t {
    guard_error(|| {
        // SAFETY: the caller's promise.
        unsafe {
            let text = alloc::bytes(message).ok_or(gcry_error_t::INV_VALUE)?;
            if fragments.is_null() || context.is_null() {
                return Err(gcry_error_t::INV_VALUE);
            }
            let limit = usize::try_from(mms).map_err(|_| gcry_error_t::INV_VALUE)?;
            let count = u16::try_from(fragment_count).map_err(|_| gcry_error_t::INV_VALUE)?;
            if count == 0 {
                return Err(gcry_error_t::INV_VALUE);
            }
            *fragments = array(Cut::into_exactly(count, text, limit, format_of(context))?)?;
        }
        Ok(())
    })
}

/// Releases `arraylen` pieces and their array.
///
/// # Safety
/// `fragments` is NULL or points to what `otrl_proto_fragment_create` has made
/// with `arraylen` pieces, which are not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_proto_fragment_free(
    fragments: *mut *mut *mut c_char,
    arraylen: c_ushort,
) {
    guard((), || {
        // SAFETY: the caller's promise.
        unsafe {
            if fragments.is_null() || (*fragments).is_null() {
                return;
            }
            for number in 0..usize::from(arraylen) {
                alloc::free(*(*fragments).add(number));
            }
            alloc::free(*fragments);
        }
    });
}

/// The form of the pieces of a message from this context: that of version 3
/// once a key exchange or a conversation has this version.
///
/// # Safety
/// `context` points to a context.
pub(crate) unsafe fn format_of(context: *mut ConnContext) -> Format {
    // SAFETY: the caller's promise.
    unsafe {
        let version = u32::from(Version::V3.number());
        if (*context).auth.protocol_version == version || (*context).protocol_version == version {
            Format::V3 {
                sender: InstanceTag::new((*context).our_instance),
                receiver: InstanceTag::new((*context).their_instance),
            }
        } else {
            Format::V2
        }
    }
}

/// An array from `malloc` of strings from `malloc`.
///
/// # Errors
/// [`gcry_error_t::ENOMEM`].
fn array(mut pieces: Cut<'_>) -> Result<*mut *mut c_char, gcry_error_t> {
    let size = size_of::<*mut c_char>().saturating_mul(usize::from(pieces.left()));
    // SAFETY: `malloc` may be called with any size; the array has room for all.
    unsafe {
        let array = libc::malloc(size).cast::<*mut c_char>();
        if array.is_null() {
            return Err(gcry_error_t::ENOMEM);
        }
        let mut made = 0;
        while let Some(parts) = pieces.next_piece() {
            let copy = alloc::c_string(&parts.concat());
            if copy.is_null() {
                (0..made).for_each(|number| alloc::free(*array.add(number)));
                alloc::free(array);
                return Err(gcry_error_t::ENOMEM);
            }
            array.add(made).write(copy);
            made = made.saturating_add(1);
        }
        Ok(array)
    }
}
