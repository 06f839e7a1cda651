//! `otrl_message_sending`: the user wants to send a text.

use core::ffi::{c_char, c_int};

use super::group::Newcomers;
use super::{App, Names};
use crate::capi::clock::now;
use crate::capi::contacts::Handle;
use crate::capi::context::{
    ConnContext, OtrlMessageState, OtrlOffer, otrl_context_find, otrl_context_update_recent_child,
};
use crate::capi::gcrypt::gcry_error_t;
use crate::capi::instag::{
    OTRL_INSTAG_MASTER, OTRL_INSTAG_RECENT, OTRL_INSTAG_RECENT_SENT, otrl_instag_t,
};
use crate::capi::message::{OtrlConvertType, OtrlErrorCode, OtrlMessageEvent};
use crate::capi::proto::OtrlFragmentPolicy;
use crate::capi::text::Text;
use crate::capi::tlv::{self, OtrlTLV};
use crate::capi::{alloc, contacts, conversation, open_enum, own, state};
use crate::session::Prepared;
use crate::wire::fragment::{Cut, Format};
use crate::wire::message::is_query;
use crate::wire::tlv::Tlv;
use crate::{Error, Policy};

/// What `otrl_message_sending` was called with.
pub(in crate::capi) struct SendArguments<'a> {
    pub(in crate::capi) account: *const c_char,
    pub(in crate::capi) protocol: *const c_char,
    pub(in crate::capi) recipient: *const c_char,
    pub(in crate::capi) instance: u32,
    pub(in crate::capi) text: &'a [u8],
    pub(in crate::capi) tlvs: *mut OtrlTLV,
    pub(in crate::capi) fragments: OtrlFragmentPolicy,
    pub(in crate::capi) newcomers: Newcomers,
}

/// What goes back to the application.
pub(in crate::capi) struct Sending {
    /// What to send instead of the text, if anything.
    pub(in crate::capi) text: Option<Text>,
    /// The context, if it was found and still exists.
    pub(in crate::capi) context: Option<*mut ConnContext>,
    /// [`gcry_error_t::OK`] if the text may be sent.
    pub(in crate::capi) result: gcry_error_t,
}

impl Sending {
    const fn new(context: Option<*mut ConnContext>) -> Self {
        Self {
            text: None,
            context,
            result: gcry_error_t::OK,
        }
    }

    const fn failed(context: Option<*mut ConnContext>, error: gcry_error_t) -> Self {
        Self {
            text: None,
            context,
            result: error,
        }
    }
}

/// Takes a text from the user.
///
/// # Safety
/// The promise made to [`App::new`] holds, and the names are strings.
pub(in crate::capi) unsafe fn sending(app: App, arguments: &SendArguments<'_>) -> Sending {
    // SAFETY: the caller's promise.
    unsafe {
        let mut context = find(app, arguments);
        let epoch = contacts::epoch();
        if let Some(context) = context {
            own::ensure_instance_tag(app, context);
        }
        if contacts::epoch() != epoch {
            context = find(app, arguments);
        }
        let Some(found) = context else {
            // A tag that names nothing: there is nobody to send to.
            return Sending::failed(None, gcry_error_t::INV_VALUE);
        };
        let epoch = contacts::epoch();
        let policy = app.policy(found);
        if contacts::epoch() != epoch {
            context = find(app, arguments);
        }
        let Some(context) = context else {
            return Sending::failed(None, gcry_error_t::INV_VALUE);
        };
        // Compatibility: a policy that forbids all versions lets text out of a
        // session as it is.
        if !policy.allows_any() || passes_through(context, policy, arguments.text) {
            return Sending::new(Some(context));
        }
        prepared(app, arguments, context, policy)
    }
}

/// The context to send to, made if it is missing.
///
/// # Safety
/// As for [`sending`].
unsafe fn find(app: App, arguments: &SendArguments<'_>) -> Option<*mut ConnContext> {
    // SAFETY: the caller's promise.
    unsafe {
        let context = find_exactly(app, arguments, arguments.instance);
        match arguments.instance {
            // Nobody was heard of or written to yet: the peer as a whole.
            OTRL_INSTAG_RECENT..=OTRL_INSTAG_RECENT_SENT if context.is_none() => {
                find_exactly(app, arguments, OTRL_INSTAG_MASTER)
            }
            _ => context,
        }
    }
}

/// # Safety
/// As for [`sending`].
unsafe fn find_exactly(
    app: App,
    arguments: &SendArguments<'_>,
    instance: otrl_instag_t,
) -> Option<*mut ConnContext> {
    let names = [arguments.recipient, arguments.account, arguments.protocol];
    // SAFETY: the caller's promise.
    if let Some(near) = unsafe { conversation::near(app.us, names, instance) } {
        // The most frequent case: nothing is made, and nobody has to be told.
        return (!near.is_null()).then_some(near);
    }
    // SAFETY: the caller's promise.
    let find = |added: &mut c_int| unsafe {
        otrl_context_find(
            app.us,
            arguments.recipient,
            arguments.account,
            arguments.protocol,
            instance,
            1,
            added,
            arguments.newcomers.add,
            arguments.newcomers.data,
        )
    };
    let context = app.announced(find);
    (!context.is_null()).then_some(context)
}

/// Whether the text goes out as it is; by far the most frequent case in
/// conversations that are not private, so it is seen from public fields.
///
/// # Safety
/// `context` points to a context.
unsafe fn passes_through(context: *mut ConnContext, policy: Policy, text: &[u8]) -> bool {
    // SAFETY: the caller's promise.
    let (message, offer) = unsafe {
        (
            open_enum::read((*context).msgstate),
            open_enum::read((*context).otr_offer),
        )
    };
    message == Some(OtrlMessageState::OTRL_MSGSTATE_PLAINTEXT)
        && !policy.contains(Policy::REQUIRE_ENCRYPTION)
        && (!policy.contains(Policy::SEND_WHITESPACE_TAG)
            || offer == Some(OtrlOffer::OFFER_REJECTED))
        && !is_query(text)
        // Inside a callback the session may be ahead of what is shown.
        && state::is_idle(context)
}

/// # Safety
/// As for [`sending`]; `context` is a context.
unsafe fn prepared(
    app: App,
    arguments: &SendArguments<'_>,
    context: *mut ConnContext,
    policy: Policy,
) -> Sending {
    // SAFETY: the caller's promise.
    unsafe {
        let account = alloc::bytes(arguments.account).unwrap_or_default();
        let now = now();
        // Without a conversion by the application nothing comes between the
        // decision and the encryption.
        let at_once = !app.converts();
        let tlvs = tlv::copy_in(arguments.tlvs);
        let step = state::step_quietly(context, |instance| {
            let prepared = instance.prepare(arguments.text, account, policy);
            let sealed = (at_once && prepared == Prepared::Encrypt)
                .then(|| instance.encrypt(arguments.text, &tlvs, 0, now));
            (prepared, sealed, instance.current_format())
        });
        let Some((prepared, sealed, format)) = step else {
            return Sending::failed(Some(context), gcry_error_t::INTERNAL);
        };
        let names = Recipient::of(app, arguments);
        let handle = Handle::new(app.us, context);
        match prepared {
            Prepared::AsIs => Sending::new(Some(context)),
            Prepared::Instead(text) => {
                hand_over(app, &names, handle, Text::copy(&text), Some(format))
            }
            Prepared::Required(query) => {
                let event = OtrlMessageEvent::OTRL_MSGEVENT_ENCRYPTION_REQUIRED;
                app.event(event, context, None, gcry_error_t::OK);
                // Only now: the program may just have ended this conversation,
                // or sent something to another instance.
                if let Some(context) = handle.get() {
                    otrl_context_update_recent_child(context, 1);
                    state::step_quietly(context, |instance| {
                        instance.hold_back(arguments.text, now);
                    });
                }
                hand_over(app, &names, handle, Text::copy(&query), Some(format))
            }
            Prepared::Refused => {
                let event = OtrlMessageEvent::OTRL_MSGEVENT_CONNECTION_ENDED;
                app.event(event, context, None, gcry_error_t::OK);
                // Compatibility: an empty text, so that nothing is sent.
                hand_over(app, &names, handle, Text::copy(b""), None)
            }
            Prepared::Encrypt => {
                let sealed = match sealed {
                    Some(sealed) => sealed.map(|sealed| (sealed.encoded, format)),
                    None => converted(app, arguments.text, &tlvs, handle),
                };
                encrypted(app, &names, handle, sealed)
            }
        }
    }
}

/// Encrypts what the application makes of the text.
///
/// # Safety
/// As for [`sending`].
unsafe fn converted(
    app: App,
    text: &[u8],
    tlvs: &[Tlv],
    handle: Handle,
) -> Result<(Vec<u8>, Format), Error> {
    let context = alive(handle).ok_or(Error::NotEncrypted)?;
    let converted = app.convert(context, OtrlConvertType::OTRL_CONVERT_SENDING, text);
    let text = converted.as_ref().map_or(text, |text| text.as_slice());
    let context = alive(handle).ok_or(Error::NotEncrypted)?;
    // SAFETY: the context exists.
    let sealed = unsafe {
        state::step_quietly(context, |instance| {
            let sealed = instance.encrypt(text, tlvs, 0, now())?;
            Ok((sealed.encoded, instance.current_format()))
        })
    };
    sealed.unwrap_or(Err(Error::NotEncrypted))
}

/// Hands an encrypted message over, or tells that there is none.
fn encrypted(
    app: App,
    recipient: &Recipient,
    handle: Handle,
    sealed: Result<(Vec<u8>, Format), Error>,
) -> Sending {
    match (sealed, alive(handle)) {
        (Ok((message, format)), Some(context)) => {
            // SAFETY: the context exists.
            unsafe { otrl_context_update_recent_child(context, 1) };
            hand_over(
                app,
                recipient,
                handle,
                Text::armoured(&message),
                Some(format),
            )
        }
        (Err(error), Some(context)) => not_encrypted(app, recipient, context, handle, error),
        (_, None) => Sending::failed(None, gcry_error_t::INTERNAL),
    }
}

/// The text could not be encrypted: the peer gets an error message instead.
fn not_encrypted(
    app: App,
    recipient: &Recipient,
    context: *mut ConnContext,
    handle: Handle,
    error: Error,
) -> Sending {
    let event = OtrlMessageEvent::OTRL_MSGEVENT_ENCRYPTION_ERROR;
    app.event(event, context, None, gcry_error_t::OK);
    let code = OtrlErrorCode::OTRL_ERRCODE_ENCRYPTION_ERROR;
    let text = alive(handle).and_then(|context| app.error_message(context, code, |text| text));
    match text {
        // Compatibility: the call succeeds, as what is handed back is not the
        // user's text.
        Some(text) => hand_over(app, recipient, handle, Text::copy(&text), None),
        // Without words for the peer a successful call would say "send the
        // text as it is".
        None => Sending::failed(alive(handle), error.into()),
    }
}

/// To whom the library is to send a text itself, and how much of it.
enum Recipient {
    /// To nobody: the application sends it.
    None,
    /// The application keeps this piece, if there are pieces.
    Named(Names, OtrlFragmentPolicy),
}

impl Recipient {
    /// # Safety
    /// As for [`sending`].
    unsafe fn of(app: App, arguments: &SendArguments<'_>) -> Self {
        let policy = arguments.fragments;
        if policy == OtrlFragmentPolicy::OTRL_FRAGMENT_SEND_SKIP || !app.can_inject() {
            return Self::None;
        }
        // SAFETY: the caller's promise.
        let names =
            unsafe { Names::copy(arguments.account, arguments.protocol, arguments.recipient) };
        Self::Named(names, policy)
    }
}

/// Hands a text to the application in the way it asked for: whole, or cut
/// into pieces of which the library sends all or all but one.
fn hand_over(
    app: App,
    recipient: &Recipient,
    handle: Handle,
    text: Option<Text>,
    format: Option<Format>,
) -> Sending {
    let mut sending = Sending::new(alive(handle));
    let Some(text) = text else {
        sending.result = gcry_error_t::ENOMEM;
        return sending;
    };
    let (Some(context), Recipient::Named(names, policy)) = (sending.context, recipient) else {
        sending.text = Some(text);
        return sending;
    };
    let limit = app
        .max_message_size(context)
        .filter(|limit| text.as_bytes().len() > *limit);
    let Some(limit) = limit else {
        let all = *policy == OtrlFragmentPolicy::OTRL_FRAGMENT_SEND_ALL;
        if all && !text.as_bytes().is_empty() {
            // Compatibility: the text stays in the application's hands although
            // it was sent.
            app.inject_text(names, &text);
        }
        sending.text = Some(text);
        sending.context = alive(handle);
        return sending;
    };
    match Cut::new(text.as_bytes(), limit, format.unwrap_or(Format::V2)) {
        Ok(cut) => {
            let kept = match policy {
                OtrlFragmentPolicy::OTRL_FRAGMENT_SEND_ALL_BUT_FIRST => Some(1),
                OtrlFragmentPolicy::OTRL_FRAGMENT_SEND_ALL_BUT_LAST => Some(cut.left()),
                _ => None,
            };
            let kept = app.inject_pieces(names, cut, kept);
            // Compatibility: as above where all pieces were sent.
            sending.text = Some(kept.unwrap_or(text));
        }
        Err(error) => {
            sending.text = Some(text);
            sending.result = error.into();
        }
    }
    sending.context = alive(handle);
    sending
}

/// The context, if it still exists.
fn alive(handle: Handle) -> Option<*mut ConnContext> {
    // SAFETY: the user state outlives the call.
    unsafe { handle.get() }
}
