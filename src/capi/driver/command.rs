//! What the application asks for of itself: to compare secrets, to have the
//! extra key, to end a conversation.

use core::ffi::c_char;
use core::ptr;

use super::app::{App, Names};
use super::perform::inject_sealed;
use crate::Error;
use crate::capi::clock::now;
use crate::capi::contacts::Handle;
use crate::capi::context::{ConnContext, otrl_context_find, otrl_context_force_plaintext};
use crate::capi::instag::otrl_instag_t;
use crate::capi::userstate::OtrlUserState;
use crate::capi::{own, state};
use crate::crypto::dsa::Fingerprint;
use crate::data::Sealed;
use crate::session::{Instance, MessageState, Part, SmpEvent};
use crate::smp::{Expected, Progress};

/// Finds a context without making one; NULL if there is none.
///
/// # Safety
/// `us` is a user state, the texts are NULL or strings.
pub(in crate::capi) unsafe fn find(
    us: OtrlUserState,
    account: *const c_char,
    protocol: *const c_char,
    user: *const c_char,
    instance: otrl_instag_t,
) -> *mut ConnContext {
    if us.is_null() {
        return ptr::null_mut();
    }
    let nobody = ptr::null_mut();
    // SAFETY: the caller's promise.
    unsafe {
        otrl_context_find(
            us,
            user,
            account,
            protocol,
            instance,
            0,
            nobody,
            None,
            ptr::null_mut(),
        )
    }
}

/// Ends the private conversation of a context and tells the peer, if that is there.
///
/// # Safety
/// The promise made to [`App::new`] holds; `context` is a context.
pub(in crate::capi) unsafe fn disconnect(app: App, context: *mut ConnContext) {
    // SAFETY: the caller's promise; the context is asked for again after
    // callbacks.
    unsafe {
        let encrypted = state::step_quietly(context, |instance| {
            instance.state == MessageState::Encrypted && instance.keys.is_some()
        });
        let names = Names::of(context);
        let handle = Handle::new(app.us, context);
        let online = encrypted == Some(true) && app.is_logged_in(&names);
        let Some(context) = handle.get() else {
            return;
        };
        let farewell = state::step(context, |instance| instance.disconnect(online, now()));
        if let Some(Some(text)) = farewell {
            app.inject(&names, &text);
        }
        if let Some(context) = handle.get() {
            otrl_context_force_plaintext(context);
        }
        app.update_context_list();
    }
}

/// Ends the private conversations with all instances of `user`.
///
/// # Safety
/// The promise made to [`App::new`] holds; the texts are NULL or strings.
pub(in crate::capi) unsafe fn disconnect_all(
    app: App,
    account: *const c_char,
    protocol: *const c_char,
    user: *const c_char,
) {
    // SAFETY: the caller's promise. Callbacks may change the list, so only the
    // tags are kept, and each context is found anew.
    unsafe {
        let master = find(app.us, account, protocol, user, 0);
        let mut tags = Vec::new();
        let mut at = master;
        while !at.is_null() && (*at).m_context == master {
            tags.push((*at).their_instance);
            at = (*at).next;
        }
        for tag in tags {
            let context = find(app.us, account, protocol, user, tag);
            if !context.is_null() {
                disconnect(app, context);
            }
        }
    }
}

/// Ends a comparison of secrets and tells the peer.
///
/// # Safety
/// As for [`smp`].
pub(in crate::capi) unsafe fn abort_smp(app: App, context: *mut ConnContext) {
    if context.is_null() {
        return;
    }
    // SAFETY: the caller's promise.
    unsafe {
        // The run has ended before the peer is told.
        state::step_quietly(context, |instance| instance.smp.clear());
        state::publish(context, Part::Smp);
        send(app, context, |instance| instance.smp_abort(now()));
    }
}

/// Does a step of a comparison of secrets that needs our fingerprint.
///
/// # Safety
/// The promise made to [`App::new`] holds; `context` is NULL or a context.
pub(in crate::capi) unsafe fn smp(
    app: App,
    context: *mut ConnContext,
    work: impl FnOnce(&mut Instance, &Fingerprint) -> Result<Sealed, Error>,
) {
    // SAFETY: the caller's promise.
    unsafe {
        if context.is_null() || app.us.is_null() {
            return;
        }
        let names = Names::of(context);
        // Without a key of ours there cannot be a private conversation.
        let Some(fingerprint) = own::fingerprint(app, &names) else {
            return;
        };
        send(app, context, |instance| work(instance, &fingerprint));
    }
}

/// Does a step of a comparison of secrets and sends the message that it gives;
/// a step that fails sends nothing.
///
/// # Safety
/// As for [`smp`].
unsafe fn send(
    app: App,
    context: *mut ConnContext,
    work: impl FnOnce(&mut Instance) -> Result<Sealed, Error>,
) {
    // SAFETY: the caller's promise.
    unsafe {
        if context.is_null() {
            return;
        }
        let names = Names::of(context);
        let sealed = state::step_quietly(context, |instance| {
            let sealed = work(instance)?;
            let run_is_on = instance.smp.expected() != Expected::Message1;
            Ok::<_, Error>((sealed, instance.current_format(), run_is_on))
        });
        let (sealed, format, run_is_on) = match sealed {
            Some(Ok(sealed)) => sealed,
            None | Some(Err(Error::NotEncrypted)) => return,
            Some(Err(_)) => {
                // A question that does not fit, for instance: there is no
                // other way of telling that nothing was sent.
                app.smp_event(context, &SmpEvent::Error);
                return;
            }
        };
        let handle = Handle::new(app.us, context);
        if run_is_on {
            state::show_smp_progress(context, Progress::Ok);
        }
        inject_sealed(app, &names, context, &sealed, Some(format));
        if let Some(context) = handle.get() {
            state::publish(context, Part::Smp);
        }
    }
}
