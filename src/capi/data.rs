//! Single data messages and pieces of messages: what the functions of
//! `proto.h` for them do once their arguments are looked at.

use super::context::{ConnContext, OtrlMessageState};
use super::conversation::state_of;
use super::gcrypt::gcry_error_t;
use super::{alloc, private_numbers, state};
use crate::ake::Local;
use crate::crypto::os_random;
use crate::data::{Opened, Sealed};
use crate::wire::fragment::Accumulated;
use crate::wire::message::DataMessage;
use crate::wire::tlv::Tlv;
use crate::{Error, InstanceTag, Version};

/// Encrypts a text and records in a private conversation.
///
/// # Errors
/// [`gcry_error_t::CONFLICT`] if it is not private,
/// [`gcry_error_t::INV_VALUE`] if a record is too long.
///
/// # Safety
/// `context` points to a context.
pub(crate) unsafe fn create(
    context: *mut ConnContext,
    text: &[u8],
    tlvs: &[Tlv],
    flags: u8,
) -> Result<Sealed, gcry_error_t> {
    // SAFETY: the caller's promise.
    unsafe {
        if state_of(context) != OtrlMessageState::OTRL_MSGSTATE_ENCRYPTED {
            return Err(gcry_error_t::CONFLICT);
        }
        let private = (*context).context_priv;
        if !private_numbers::has_keys(private) {
            let sealed = state::step_quietly(context, |instance| {
                let unchanged = instance.last_sent;
                instance.encrypt(text, tlvs, flags, unchanged)
            });
            return Ok(sealed.ok_or(gcry_error_t::CONFLICT)??);
        }
        if (*private).their_keyid == 0 {
            return Err(gcry_error_t::CONFLICT);
        }
        let mut keys = private_numbers::read_keys(private)?;
        let sealed = keys.encrypt(&local(context), text, tlvs, flags)?;
        private_numbers::write_keys(private, &keys)?;
        alloc::replace_string(&raw mut (*private).lastmessage, Some(text));
        (*private).may_retransmit = 0;
        Ok(sealed)
    }
}

/// How the headers of data messages are written.
///
/// # Safety
/// `context` points to a context.
unsafe fn local(context: *mut ConnContext) -> Local {
    // SAFETY: the caller's promise.
    unsafe {
        Local {
            version: match (*context).protocol_version {
                1 => Version::V1,
                2 => Version::V2,
                // Compatibility: whatever else the field says.
                _ => Version::V3,
            },
            ours: InstanceTag::new((*context).our_instance),
            theirs: InstanceTag::new((*context).their_instance),
        }
    }
}

/// Decrypts a message, parsed and as it was decoded.
///
/// # Errors
/// [`gcry_error_t::CONFLICT`] if it does not belong to the conversation,
/// [`gcry_error_t::INV_VALUE`] if it is malformed.
///
/// # Safety
/// `context` points to a context.
pub(crate) unsafe fn accept(
    context: *mut ConnContext,
    message: &DataMessage<'_>,
    decoded: &[u8],
) -> Result<Opened, gcry_error_t> {
    let rng = &mut os_random();
    // SAFETY: the caller's promise.
    unsafe {
        let private = (*context).context_priv;
        if !private_numbers::has_keys(private) {
            let opened = state::step_quietly(context, |instance| {
                let keys = instance.keys.as_mut().ok_or(Error::UnknownKey)?;
                keys.decrypt(message, decoded, rng)
            });
            return Ok(opened.ok_or(gcry_error_t::CONFLICT)??);
        }
        let mut keys = private_numbers::read_keys(private)?;
        let opened = keys.decrypt(message, decoded, rng);
        // Also a message that is refused may have used a key.
        private_numbers::write_keys(private, &keys)?;
        Ok(opened?)
    }
}

/// Takes a text that may be a piece of a message.
///
/// # Safety
/// `context` points to a context whose private part is valid.
pub(crate) unsafe fn accumulate(context: *mut ConnContext, text: &[u8]) -> Accumulated {
    // SAFETY: the caller's promise.
    unsafe {
        let private = (*context).context_priv;
        if let Some(kept) = state::take_fragments(context) {
            private_numbers::write_fragments(private, &kept);
        }
        let mut fragments = private_numbers::read_fragments(private);
        let result = fragments.accumulate(text);
        private_numbers::write_fragments(private, &fragments);
        result
    }
}
