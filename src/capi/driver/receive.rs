//! `otrl_message_receiving`: a text arrives.

use core::ffi::{c_char, c_int};
use core::ptr;

use super::group::{Lending, Newcomers, Worked};
use super::perform::perform;
use super::{App, Names};
use crate::capi::clock::{self, now};
use crate::capi::contacts::Handle;
use crate::capi::context::{
    ConnContext, OtrlMessageState, OtrlOffer, otrl_context_find,
    otrl_context_find_recent_secure_instance, otrl_context_is_fingerprint_trusted,
    otrl_context_update_recent_child,
};
use crate::capi::gcrypt::gcry_error_t;
use crate::capi::message::{OtrlConvertType, OtrlMessageEvent};
use crate::capi::tlv::OtrlTLV;
use crate::capi::{alloc, contacts, open_enum, own, state};
use crate::crypto::os_random;
use crate::crypto::secret::SecretBytes;
use crate::session::{self, Best, Incoming, Received, Routing, Verdict, Which, needs_private_key};
use crate::wire::message::{MessageType, message_type};
use crate::{InstanceTag, Policy};

/// What `otrl_message_receiving` was called with.
#[derive(Clone, Copy)]
pub(in crate::capi) struct ReceiveArguments {
    pub(in crate::capi) account: *const c_char,
    pub(in crate::capi) protocol: *const c_char,
    pub(in crate::capi) sender: *const c_char,
    pub(in crate::capi) message: *const c_char,
    pub(in crate::capi) newcomers: Newcomers,
}

/// What goes back to the application.
pub(in crate::capi) struct Answer {
    /// Whether the text was a matter of the protocol.
    pub(in crate::capi) internal: bool,
    /// What to show instead of the text, if anything.
    pub(in crate::capi) text: Option<SecretBytes>,
    /// The records, from `malloc`.
    pub(in crate::capi) tlvs: *mut OtrlTLV,
    /// The context, or NULL.
    pub(in crate::capi) context: *mut ConnContext,
}

impl Answer {
    const fn new(internal: bool, context: *mut ConnContext) -> Self {
        Self {
            internal,
            text: None,
            tlvs: ptr::null_mut(),
            context,
        }
    }
}

/// Takes a text from the network.
///
/// # Safety
/// The promise made to [`App::new`] holds, and the arguments are strings.
pub(in crate::capi) unsafe fn receiving(app: App, arguments: ReceiveArguments) -> Answer {
    // SAFETY: the caller's promise; contexts are found anew after callbacks.
    unsafe {
        let Some(mut master) = find_master(app, arguments) else {
            return Answer::new(false, ptr::null_mut());
        };
        let epoch = contacts::epoch();
        let best = otrl_context_find_recent_secure_instance(master);
        own::ensure_instance_tag(app, master);
        if contacts::epoch() != epoch {
            let Some(found) = find_master(app, arguments) else {
                return Answer::new(false, ptr::null_mut());
            };
            master = found;
        }
        let policy = app.policy(master);
        if !policy.allows_any() {
            return Answer::new(false, ptr::null_mut());
        }
        if contacts::epoch() != epoch {
            // A callback has forgotten a context, perhaps one of these.
            let Some(master) = find_master(app, arguments) else {
                return Answer::new(false, ptr::null_mut());
            };
            let best = otrl_context_find_recent_secure_instance(master);
            return classify(app, arguments, policy, master, best);
        }
        classify(app, arguments, policy, master, best)
    }
}

/// # Safety
/// As for [`receiving`].
unsafe fn find_master(app: App, arguments: ReceiveArguments) -> Option<*mut ConnContext> {
    // SAFETY: the caller's promise.
    let find = |added: &mut c_int| unsafe {
        otrl_context_find(
            app.us,
            arguments.sender,
            arguments.account,
            arguments.protocol,
            0,
            1,
            added,
            arguments.newcomers.add,
            arguments.newcomers.data,
        )
    };
    let master = app.announced(find);
    (!master.is_null()).then_some(master)
}

/// # Safety
/// As for [`receiving`]; `master` and `best` are contexts.
unsafe fn classify(
    app: App,
    arguments: ReceiveArguments,
    policy: Policy,
    master: *mut ConnContext,
    best: *mut ConnContext,
) -> Answer {
    // SAFETY: the caller's promise.
    unsafe {
        let text = alloc::bytes(arguments.message).unwrap_or_default();
        let best = if best.is_null() { master } else { best };
        let best = (which(best), candidate(best));
        if message_type(text) == MessageType::NotOtr {
            return plaintext(app, policy, master, &best.1, text);
        }
        otr(app, arguments, policy, master, best, text)
    }
}

/// A text that has nothing to do with OTR; by far the most frequent case in
/// conversations that are not private, so it is handled with the public
/// fields alone.
///
/// # Safety
/// As for [`receiving`]; `master` is a context.
unsafe fn plaintext(
    app: App,
    policy: Policy,
    master: *mut ConnContext,
    best: &Best,
    text: &[u8],
) -> Answer {
    // SAFETY: the caller's promise; `context_priv` is NULL or valid.
    unsafe {
        let offer = open_enum::read_or((*master).otr_offer, OtrlOffer::OFFER_NOT);
        if policy.contains(Policy::SEND_WHITESPACE_TAG) && offer == OtrlOffer::OFFER_SENT {
            (*master).otr_offer.write(OtrlOffer::OFFER_REJECTED);
        }
        let private = (*master).context_priv;
        if !private.is_null() {
            (*private).lastrecv = clock::to_c(now());
        }
        otrl_context_update_recent_child(master, 0);
        let unexpected = session::expects_encryption(best.state, policy);
        if unexpected && app.takes_events() {
            let unencrypted = OtrlMessageEvent::OTRL_MSGEVENT_RCVDMSG_UNENCRYPTED;
            let handle = Handle::new(app.us, master);
            app.event(unencrypted, master, Some(text), gcry_error_t::OK);
            return Answer::new(true, handle.get().unwrap_or(ptr::null_mut()));
        }
        Answer::new(false, master)
    }
}

/// # Safety
/// As for [`receiving`]; `master` is a context.
unsafe fn otr(
    app: App,
    arguments: ReceiveArguments,
    policy: Policy,
    master: *mut ConnContext,
    best: (Which, Best),
    text: &[u8],
) -> Answer {
    // SAFETY: the caller's promise.
    unsafe {
        let incoming = Incoming {
            account: alloc::bytes(arguments.account).unwrap_or_default(),
            policy,
            now: now(),
            best,
        };
        let mut lending = Lending::new(app.us, master);
        let Routing { effects, message } = session::route(&mut lending, text, &incoming);
        // The application may release the names when it has control.
        let names = || Names::copy(arguments.account, arguments.protocol, arguments.sender);
        let Some(message) = message else {
            if effects.is_empty() && !lending.has_new() {
                // A piece of a message: nobody hears of it.
                lending.put_back();
            } else {
                let names = names();
                let worked = lending.give_back(&names, arguments.newcomers);
                perform(app, &names, &worked, effects);
            }
            return Answer::new(true, ptr::null_mut());
        };
        let which = message.which;
        if !needs_private_key(&message, policy) {
            let received =
                session::handle(&mut lending, message, &incoming, None, &mut os_random());
            let unheard = effects.is_empty() && received.effects.is_empty() && !lending.has_new();
            let names = if unheard { Names::none() } else { names() };
            let worked = lending.give_back(&names, arguments.newcomers);
            perform(app, &names, &worked, effects);
            note_arrival(&worked, which, incoming.now);
            return finish(app, &names, &worked, which, received, text);
        }
        let names = names();
        let worked = lending.give_back(&names, arguments.newcomers);
        perform(app, &names, &worked, effects);
        note_arrival(&worked, which, incoming.now);
        let key = own::ensure_private_key(app, &names);
        // The application may have forgotten the peer meanwhile.
        let Some(master) = worked.get(which).and_then(|context| master_of(context)) else {
            return Answer::new(true, ptr::null_mut());
        };
        let mut lending = Lending::new(app.us, master);
        let incoming = Incoming {
            account: names.account().to_bytes(),
            ..incoming
        };
        let key = key.as_deref();
        let received = session::handle(&mut lending, message, &incoming, key, &mut os_random());
        let worked = lending.give_back(&names, arguments.newcomers);
        finish(app, &names, &worked, which, received, text)
    }
}

/// Notes that a message has come from an instance.
fn note_arrival(worked: &Worked, which: Which, now: i64) {
    if let Some(context) = worked.get(which) {
        // SAFETY: the context exists; its private part is NULL or valid.
        unsafe {
            let private = (*context).context_priv;
            if !private.is_null() {
                (*private).lastrecv = clock::to_c(now);
            }
            otrl_context_update_recent_child(context, 0);
        }
    }
}

/// # Safety
/// `context` points to a context.
unsafe fn master_of(context: *mut ConnContext) -> Option<*mut ConnContext> {
    // SAFETY: the caller's promise.
    let master = unsafe { (*context).m_context };
    (!master.is_null()).then_some(master)
}

/// # Safety
/// `context` points to a context.
unsafe fn which(context: *mut ConnContext) -> Which {
    // SAFETY: the caller's promise.
    match unsafe { (*context).their_instance } {
        0 => Which::Master,
        tag => Which::Child(InstanceTag::new(tag)),
    }
}

/// What the choice of the best instance looks at.
///
/// # Safety
/// `context` points to a context.
unsafe fn candidate(context: *mut ConnContext) -> Best {
    let plaintext = OtrlMessageState::OTRL_MSGSTATE_PLAINTEXT;
    // SAFETY: the caller's promise; its fingerprint is NULL or valid.
    unsafe {
        let trusted = otrl_context_is_fingerprint_trusted((*context).active_fingerprint) != 0;
        Best {
            state: state::message_state(open_enum::read_or((*context).msgstate, plaintext)),
            trusted,
            last_received: 0,
        }
    }
}

/// Performs the effects of a step and hands the text over.
///
/// # Safety
/// As for [`receiving`].
unsafe fn finish(
    app: App,
    names: &Names,
    worked: &Worked,
    which: Which,
    received: Received,
    original: &[u8],
) -> Answer {
    let Received {
        verdict,
        tlvs,
        effects,
    } = received;
    // SAFETY: the caller's promise.
    unsafe {
        perform(app, names, worked, effects);
        let mut answer = Answer::new(true, ptr::null_mut());
        match verdict {
            Verdict::Internal => {}
            Verdict::ShowOriginal => answer.internal = false,
            Verdict::Show(text) => {
                answer.internal = false;
                answer.text = Some(text);
            }
            Verdict::Unencrypted { which, replaced } => {
                unencrypted(app, worked, which, replaced, original, &mut answer);
            }
            Verdict::PeerError { which, words } => match worked.get(which) {
                Some(context) if app.takes_events() => app.event(
                    OtrlMessageEvent::OTRL_MSGEVENT_RCVDMSG_GENERAL_ERR,
                    context,
                    Some(&words),
                    gcry_error_t::OK,
                ),
                _ => answer.internal = false,
            },
            Verdict::Decrypted(text) => {
                let converted = worked.get(which).and_then(|context| {
                    app.convert(context, OtrlConvertType::OTRL_CONVERT_RECEIVING, &text)
                });
                answer.internal = false;
                answer.text = Some(converted.unwrap_or(text));
            }
        }
        answer.tlvs = crate::capi::tlv::chain(&tlvs);
        answer.context = worked.get(which).unwrap_or(ptr::null_mut());
        answer
    }
}

/// A text that should have been encrypted is shown only with a warning; an
/// application that takes none shows it like any other.
fn unencrypted(
    app: App,
    worked: &Worked,
    which: Which,
    replaced: Option<SecretBytes>,
    original: &[u8],
    answer: &mut Answer,
) {
    match worked.get(which) {
        Some(context) if app.takes_events() => app.event(
            OtrlMessageEvent::OTRL_MSGEVENT_RCVDMSG_UNENCRYPTED,
            context,
            Some(replaced.as_ref().map_or(original, |text| text.as_slice())),
            gcry_error_t::OK,
        ),
        _ => {
            answer.internal = false;
            answer.text = replaced;
        }
    }
}
