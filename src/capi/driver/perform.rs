//! The effects of a step, performed in their order.

use super::group::Worked;
use super::{App, Names};
use crate::Error;
use crate::capi::clock::now;
use crate::capi::contacts::Handle;
use crate::capi::context::{
    ConnContext, OtrlMessageState, otrl_context_find_fingerprint, otrl_context_set_trust,
    otrl_context_update_recent_child,
};
use crate::capi::conversation::{find_fingerprint, state_of};
use crate::capi::gcrypt::gcry_error_t;
use crate::capi::message::{OtrlErrorCode, OtrlMessageEvent};
use crate::capi::{api_version, poll, state};
use crate::crypto::dsa;
use crate::crypto::secret::SecretBytes;
use crate::data::Sealed;
use crate::session::{Effect, ErrorCode, MessageEvent, POLL_INTERVAL, Resend, Which};
use crate::wire::fragment::{Cut, Format};

/// Does what a step asks for.
///
/// # Safety
/// The promise made to [`App::new`] holds.
pub(super) unsafe fn perform(app: App, names: &Names, worked: &Worked, effects: Vec<Effect>) {
    if effects.is_empty() {
        return;
    }
    let _performing = state::Performing::begin();
    for effect in effects {
        // SAFETY: the caller's promise; contexts are asked for again each time.
        unsafe { perform_one(app, names, worked, effect) };
    }
}

/// # Safety
/// As for [`perform`].
unsafe fn perform_one(app: App, names: &Names, worked: &Worked, effect: Effect) {
    match effect {
        // Texts go out even if the context has gone.
        Effect::Inject {
            which,
            text,
            format,
            while_private,
        } => {
            let context = worked.get(which);
            // SAFETY: the context exists if it is given.
            let private = context.is_some_and(|context| unsafe { is_encrypted(context) });
            if while_private && context.is_some() && !private {
                return;
            }
            inject_all(app, names, context, &text, format);
        }
        Effect::ContextListChanged(_) => app.update_context_list(),
        Effect::InstanceAdded(_) => {}
        Effect::Sent(which) => {
            if let Some(context) = worked.get(which) {
                // SAFETY: the context exists.
                unsafe { otrl_context_update_recent_child(context, 1) };
            }
        }
        Effect::ReplyError { which, code } => {
            if let Some(context) = worked.get(which) {
                reply_error(app, names, context, code);
            }
        }
        Effect::Event { which, event } => {
            if let Some(context) = worked.get(which) {
                tell(app, context, &event);
            }
        }
        Effect::Smp { which, event } => {
            if let Some(context) = worked.get(which) {
                app.smp_event(context, &event);
            }
        }
        Effect::SmpProgress { which, progress } => {
            if let Some(context) = worked.get(which) {
                // SAFETY: the context exists.
                unsafe { state::show_smp_progress(context, progress) };
            }
        }
        Effect::Authenticated { which, fingerprint } => {
            if let Some(context) = worked.get(which) {
                // SAFETY: the context exists.
                unsafe { authenticated(app, names, context, fingerprint) };
            }
        }
        Effect::Trust {
            which,
            fingerprint,
            verified,
        } => {
            if let Some(context) = worked.get(which) {
                let trust = if verified { c"smp" } else { c"" };
                // SAFETY: the context exists; NULL is fine for an entry.
                unsafe {
                    let (entry, _) = find_fingerprint(context, fingerprint.as_bytes(), false);
                    otrl_context_set_trust(entry, trust.as_ptr());
                }
                app.write_fingerprints();
            }
        }
        Effect::GoneSecure(which) => {
            if let Some(context) = worked.get(which) {
                app.gone_secure(context);
            }
        }
        Effect::StillSecure { which, initiated } => {
            if let Some(context) = worked.get(which) {
                app.still_secure(context, initiated);
            }
        }
        Effect::SymmetricKey {
            which,
            purpose,
            data,
            key,
        } => {
            if let Some(context) = worked.get(which)
                && api_version::knows_symmetric_key()
            {
                app.received_symkey(context, purpose, &data, &key);
            }
        }
        Effect::StartTimer => start_timer(app, worked),
        Effect::Publish(which, part) => {
            if let Some(context) = worked.get(which) {
                // SAFETY: the context exists.
                unsafe { state::publish(context, part) };
            }
        }
        Effect::Resend(which) => {
            while let Some(context) = worked.get(which)
                && resend_one(app, names, context)
            {}
        }
    }
}

/// Whether the session that a context shows is still there.
///
/// # Safety
/// `context` points to a context.
unsafe fn is_encrypted(context: *mut ConnContext) -> bool {
    // SAFETY: the caller's promise.
    unsafe { state_of(context) == OtrlMessageState::OTRL_MSGSTATE_ENCRYPTED }
}

/// Sends a text, in pieces where the transport is too narrow for it.
///
/// A transport that is too narrow even for a piece gets nothing.
fn inject_all(
    app: App,
    names: &Names,
    context: Option<*mut ConnContext>,
    text: &[u8],
    format: Option<Format>,
) {
    if !app.can_inject() {
        return;
    }
    let limit = match (context, format) {
        (Some(context), Some(format)) => app.max_message_size(context).map(|size| (size, format)),
        _ => None,
    };
    match limit {
        Some((size, format)) if text.len() > size => {
            if let Ok(cut) = Cut::new(text, size, format) {
                app.inject_pieces(names, cut, None);
            }
        }
        _ => app.inject(names, text),
    }
}

/// Sends a data message that a step has sealed for this context.
///
/// # Safety
/// The promise made to [`App::new`] holds; `context` is NULL or a context.
pub(in crate::capi) unsafe fn inject_sealed(
    app: App,
    names: &Names,
    context: *mut ConnContext,
    sealed: &Sealed,
    format: Option<Format>,
) {
    let context = (!context.is_null()).then_some(context);
    inject_all(app, names, context, &sealed.message(), format);
}

/// Tells the peer in the application's words what went wrong.
fn reply_error(app: App, names: &Names, context: *mut ConnContext, code: ErrorCode) {
    if !app.can_inject() {
        return;
    }
    let code = match code {
        ErrorCode::Encryption => OtrlErrorCode::OTRL_ERRCODE_ENCRYPTION_ERROR,
        ErrorCode::Unreadable => OtrlErrorCode::OTRL_ERRCODE_MSG_UNREADABLE,
        ErrorCode::Malformed => OtrlErrorCode::OTRL_ERRCODE_MSG_MALFORMED,
    };
    app.error_message(context, code, |text| app.inject(names, &text));
}

fn tell(app: App, context: *mut ConnContext, event: &MessageEvent) {
    use OtrlMessageEvent as C;
    let (number, error) = match event {
        MessageEvent::EncryptionRequired => (C::OTRL_MSGEVENT_ENCRYPTION_REQUIRED, None),
        MessageEvent::EncryptionError => (C::OTRL_MSGEVENT_ENCRYPTION_ERROR, None),
        MessageEvent::ConnectionEnded => (C::OTRL_MSGEVENT_CONNECTION_ENDED, None),
        MessageEvent::SetupError(error) => (C::OTRL_MSGEVENT_SETUP_ERROR, Some(*error)),
        MessageEvent::Reflected => (C::OTRL_MSGEVENT_MSG_REFLECTED, None),
        MessageEvent::Resent(_) => (C::OTRL_MSGEVENT_MSG_RESENT, None),
        MessageEvent::NotInPrivate => (C::OTRL_MSGEVENT_RCVDMSG_NOT_IN_PRIVATE, None),
        MessageEvent::Unreadable => (C::OTRL_MSGEVENT_RCVDMSG_UNREADABLE, None),
        MessageEvent::Malformed => (C::OTRL_MSGEVENT_RCVDMSG_MALFORMED, None),
        MessageEvent::HeartbeatReceived => (C::OTRL_MSGEVENT_LOG_HEARTBEAT_RCVD, None),
        MessageEvent::HeartbeatSent => (C::OTRL_MSGEVENT_LOG_HEARTBEAT_SENT, None),
        MessageEvent::Unrecognized => (C::OTRL_MSGEVENT_RCVDMSG_UNRECOGNIZED, None),
        MessageEvent::ForOtherInstance => (C::OTRL_MSGEVENT_RCVDMSG_FOR_OTHER_INSTANCE, None),
    };
    let error = error.map_or(gcry_error_t::OK, gcry_error_t::from);
    app.event(number, context, None, error);
}

/// Notes the key with which the peer signed; a new one is announced.
///
/// # Safety
/// `context` points to a context.
unsafe fn authenticated(
    app: App,
    names: &Names,
    context: *mut ConnContext,
    fingerprint: dsa::Fingerprint,
) {
    let mut bytes = *fingerprint.as_bytes();
    let mut added = 0;
    // SAFETY: the caller's promise.
    unsafe {
        otrl_context_find_fingerprint(context, bytes.as_mut_ptr(), 1, &raw mut added);
    }
    if added != 0 {
        app.new_fingerprint(names, &mut bytes);
        app.write_fingerprints();
    }
}

fn start_timer(app: App, worked: &Worked) {
    let Some(master) = worked.get(Which::Master) else {
        return;
    };
    poll::wait(app.us, master);
    // SAFETY: the promise made to `App::new`.
    let running = unsafe { (*app.us).timer_running } != 0;
    if !running && app.has_timer() {
        app.timer_control(POLL_INTERVAL);
        // SAFETY: the promise made to `App::new`.
        unsafe { (*app.us).timer_running = 1 };
    }
}

/// Sends one kept text in the new session; tells whether to ask for another.
fn resend_one(app: App, names: &Names, context: *mut ConnContext) -> bool {
    let handle = Handle::new(app.us, context);
    // SAFETY: the caller has just asked for the context.
    let taken = unsafe {
        state::step_quietly(context, |instance| {
            (instance.active, instance.take_resend())
        })
    };
    let Some((meant_for, Some((resend, text)))) = taken else {
        return false;
    };
    let mut sent = SecretBytes::new(Vec::new());
    if resend == Resend::Marked {
        sent.extend_from_slice(&app.resent_prefix(context));
        sent.push(b' ');
    }
    sent.extend_from_slice(&text);
    // SAFETY: the user state outlives the call.
    let Some(context) = (unsafe { handle.get() }) else {
        return false;
    };
    // SAFETY: the context exists.
    let sealed = unsafe {
        state::step_quietly(context, |instance| {
            // The application may have brought about another session.
            if instance.active != meant_for {
                return Err(Error::NotEncrypted);
            }
            let sealed = instance.encrypt_resend(resend, &sent, now())?;
            Ok::<_, Error>((sealed, instance.current_format()))
        })
    };
    let Some(Ok((sealed, format))) = sealed else {
        tell(app, context, &MessageEvent::EncryptionError);
        return false;
    };
    inject_all(app, names, Some(context), &sealed.message(), Some(format));
    if resend == Resend::Marked
        // SAFETY: as above.
        && let Some(context) = unsafe { handle.get() }
    {
        tell(app, context, &MessageEvent::Resent(text));
    }
    true
}
