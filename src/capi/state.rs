//! The Rust state of a conversation and the public fields that show it.
//!
//! Names, lists, tags, times and offers belong to the C structure: the
//! application reads and writes them, so they are read from there before each
//! step. Keys and the state of the exchanges belong to Rust; the public fields
//! that tell of them (`msgstate`, `authstate`, `nextExpected`, ...) are
//! written after a step, each at the moment at which the original shows it.
//! Where the application has written such a field itself, that wins: each
//! state remembers what it showed last.
//!
//! A context in which no key exchange was ever attempted has no entry here.

use core::ffi::c_uint;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::alloc;
use super::auth::OtrlAuthState;
use super::auth_numbers;
use super::clock;
use super::context::{ConnContext, Fingerprint, OtrlMessageState, OtrlOffer};
use super::dh::OtrlSessionIdHalf;
use super::list;
use super::open_enum;
use super::private_numbers;
use super::sm_numbers;
use super::vault::{Loan, Vault};
use crate::ake::{Ake, AuthState, SessionHalf};
use crate::crypto::dsa;
use crate::session::{Instance, MessageState, Offer, Part, Resend};
use crate::wire::fragment::Assembler;
use crate::{InstanceTag, Version, smp};

/// The conversations that have more to them than their public fields.
pub(crate) static STATES: Vault<ConnContext, State> = Vault::new();

/// A conversation, and what the application was last shown of it.
pub(crate) struct State {
    /// The conversation.
    pub(crate) instance: Instance,
    shown: Shown,
}

/// Values of public fields that the application may overwrite.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shown {
    message: OtrlMessageState,
    active: *mut Fingerprint,
    auth: OtrlAuthState,
    smp: Option<ShownSmp>,
}

/// The public fields of an `OtrlSMState` that tell of its run.
#[derive(Clone, Copy, PartialEq, Eq)]
struct ShownSmp {
    expected: i32,
    secret: bool,
}

// SAFETY: the pointer is compared, never followed.
unsafe impl Send for Shown {}

/// Drops all that a context has besides its public fields.
pub(crate) fn drop_secrets(context: *mut ConnContext) {
    STATES.remove(context);
}

impl State {
    /// The state of a context that has none yet: what its public fields say.
    ///
    /// # Safety
    /// `context` points to a context.
    unsafe fn fresh(context: *mut ConnContext) -> Self {
        // SAFETY: the caller's promise.
        let shown = unsafe { Shown::read(context) };
        let mut state = Self {
            instance: Instance::default(),
            shown,
        };
        state.instance.state = message_state(shown.message);
        // SAFETY: the caller's promise.
        unsafe { state.import(context) };
        state
    }

    /// Takes over what the application may have written.
    ///
    /// # Safety
    /// `context` points to a context.
    unsafe fn import(&mut self, context: *mut ConnContext) {
        let instance = &mut self.instance;
        // SAFETY: the caller's promise; `context_priv` is NULL or valid, and so
        // is the active fingerprint.
        unsafe {
            instance.ours = InstanceTag::new((*context).our_instance);
            instance.theirs = InstanceTag::new((*context).their_instance);
            instance.offer = offer(open_enum::read_or(
                (*context).otr_offer,
                OtrlOffer::OFFER_NOT,
            ));
            instance.commit_sent = clock::from_c((*context).auth.commit_sent_time);
            let private = (*context).context_priv;
            if !private.is_null() {
                instance.last_sent = clock::from_c((*private).lastsent);
                instance.last_received = clock::from_c((*private).lastrecv);
                instance.generation = (*private).generation;
            }
            let now = Shown::read(context);
            if now.message != self.shown.message {
                instance.state = message_state(now.message);
            }
            if now.active != self.shown.active {
                instance.active = fingerprint(now.active);
            }
            if now.auth != self.shown.auth && now.auth == OtrlAuthState::OTRL_AUTHSTATE_NONE {
                instance.ake.clear();
            }
            if now.smp != self.shown.smp && now.smp.is_none_or(|smp| !smp.secret) {
                instance.smp = smp::Smp::default();
            }
            if let Some(keys) = private_numbers::submerge_keys(private) {
                instance.keys = Some(Box::new(keys));
                instance.version = version((*context).protocol_version);
            }
            if let Some(fragments) = private_numbers::submerge_fragments(private) {
                instance.fragments = fragments;
            }
            if let Some(ake) = auth_numbers::submerge(&raw mut (*context).auth) {
                instance.ake = ake;
            }
            if let Some(run) = sm_numbers::submerge((*context).smstate) {
                instance.smp = run;
            }
            self.shown = now;
        }
    }

    /// Writes the fields that are not shown at a particular moment.
    ///
    /// # Safety
    /// `context` points to a context.
    unsafe fn show_general(&self, context: *mut ConnContext) {
        let instance = &self.instance;
        // SAFETY: the caller's promise; `context_priv` is NULL or valid.
        unsafe {
            (*context).our_instance = instance.ours.get();
            (*context).otr_offer.write(shown_offer(instance.offer));
            (*context).auth.commit_sent_time = clock::to_c(instance.commit_sent);
            let private = (*context).context_priv;
            if private.is_null() {
                return;
            }
            (*private).lastsent = clock::to_c(instance.last_sent);
            (*private).generation = instance.generation;
            (*private).may_retransmit = match instance.kept.pending() {
                Resend::No => 0,
                Resend::Marked => 1,
                Resend::Plain => 2,
            };
            let (arrived, pieces) = instance.fragments.position();
            (*private).fragment_k = arrived;
            (*private).fragment_n = pieces;
            let keys = instance.keys.as_deref();
            (*private).their_keyid = keys.map_or(0, |keys| keys.their_keyid());
            (*private).our_keyid = keys.map_or(0, |keys| keys.our_keyid());
            (*private).numsavedkeys = keys
                .and_then(|keys| c_uint::try_from(keys.saved_mac_keys()).ok())
                .unwrap_or(0);
        }
    }

    /// Writes the fields of one part.
    ///
    /// # Safety
    /// `context` points to a context.
    unsafe fn show(&mut self, context: *mut ConnContext, part: Part) {
        // SAFETY: the caller's promise.
        unsafe {
            match part {
                Part::Session => self.show_session(context),
                Part::Handshake => self.show_handshake(context),
                Part::Smp => self.show_smp(context),
            }
            self.shown = Shown::read(context);
        }
    }

    /// # Safety
    /// `context` points to a context.
    unsafe fn show_session(&self, context: *mut ConnContext) {
        let instance = &self.instance;
        // SAFETY: the caller's promise; lists of fingerprints are valid.
        unsafe {
            (*context).msgstate.write(match instance.state {
                MessageState::Plaintext => OtrlMessageState::OTRL_MSGSTATE_PLAINTEXT,
                MessageState::Encrypted => OtrlMessageState::OTRL_MSGSTATE_ENCRYPTED,
                MessageState::Finished => OtrlMessageState::OTRL_MSGSTATE_FINISHED,
            });
            (*context).active_fingerprint = match &instance.active {
                Some(active) => find_fingerprint(context, active),
                None => ptr::null_mut(),
            };
            let id = instance
                .session_id
                .as_ref()
                .map_or(&[][..], |id| id.as_bytes());
            let field = &mut (*context).sessionid;
            field.fill(0);
            for (to, from) in field.iter_mut().zip(id) {
                *to = *from;
            }
            (*context).sessionid_len = id.len();
            if let Some(which) = instance.half {
                (*context).sessionid_half.write(half(which));
            }
            (*context).protocol_version = instance
                .version
                .map_or(0, |version| version.number().into());
            let private = (*context).context_priv;
            if !private.is_null() {
                (*private).generation = instance.generation;
            }
        }
    }

    /// # Safety
    /// `context` points to a context.
    unsafe fn show_handshake(&self, context: *mut ConnContext) {
        let ake = &self.instance.ake;
        // SAFETY: the caller's promise; `lastauthmsg` is NULL or from `malloc`.
        unsafe {
            let auth = &raw mut (*context).auth;
            (*auth).authstate.write(match ake.state() {
                AuthState::None => OtrlAuthState::OTRL_AUTHSTATE_NONE,
                AuthState::AwaitingDhKey => OtrlAuthState::OTRL_AUTHSTATE_AWAITING_DHKEY,
                AuthState::AwaitingRevealSig => OtrlAuthState::OTRL_AUTHSTATE_AWAITING_REVEALSIG,
                AuthState::AwaitingSig => OtrlAuthState::OTRL_AUTHSTATE_AWAITING_SIG,
                AuthState::V1Setup => OtrlAuthState::OTRL_AUTHSTATE_V1_SETUP,
            });
            (*auth).initiated = ake.initiated().into();
            (*auth).our_keyid = ake.our_keyid();
            let private = self.instance.state == MessageState::Encrypted;
            let number = |version: Option<Version>| version.map_or(0, |v| v.number().into());
            // An instance that was just met has a version before its exchange.
            let met = self.instance.version;
            let met = met.filter(|_| !private && !self.instance.is_master());
            (*auth).protocol_version = number(ake.version().or(met));
            if !private && self.instance.version.is_some() {
                (*context).protocol_version = number(self.instance.version);
            }
            (*auth).commit_sent_time = clock::to_c(self.instance.commit_sent);
            // What the exchange says for itself: the fields of the session may
            // be about another version.
            let message = ake.version().and_then(|version| {
                let local = self.instance.local(version);
                ake.last_message(&local).ok().flatten()
            });
            alloc::replace_string(&raw mut (*auth).lastauthmsg, message.as_deref());
        }
    }

    /// # Safety
    /// `context` points to a context.
    unsafe fn show_smp(&self, context: *mut ConnContext) {
        // SAFETY: the caller's promise; `smstate` is NULL or valid.
        unsafe {
            let state = (*context).smstate;
            if state.is_null() {
                return;
            }
            if self.instance.state == MessageState::Encrypted {
                super::sm::show(state, &self.instance.smp);
            } else {
                // Programs take a blank state for "no comparison was begun".
                super::sm::otrl_sm_state_free(state);
            }
        }
    }
}

impl Shown {
    /// # Safety
    /// `context` points to a context.
    unsafe fn read(context: *mut ConnContext) -> Self {
        // SAFETY: the caller's promise; `smstate` is NULL or valid.
        unsafe {
            let state = (*context).smstate;
            Self {
                message: open_enum::read_or(
                    (*context).msgstate,
                    OtrlMessageState::OTRL_MSGSTATE_FINISHED,
                ),
                active: (*context).active_fingerprint,
                auth: open_enum::read_or(
                    (*context).auth.authstate,
                    OtrlAuthState::OTRL_AUTHSTATE_NONE,
                ),
                smp: (!state.is_null()).then(|| ShownSmp {
                    expected: open_enum::number((*state).nextExpected),
                    secret: !(*state).secret.is_null(),
                }),
            }
        }
    }
}

/// Lends the state of a context to one step; `None` if another step has it.
///
/// # Safety
/// `context` points to a context.
pub(crate) unsafe fn take(context: *mut ConnContext) -> Option<Loan<'static, ConnContext, State>> {
    // SAFETY: the caller's promise.
    let mut loan = STATES.take_or_make(context, || unsafe { State::fresh(context) })?;
    // SAFETY: the caller's promise.
    unsafe { loan.value().import(context) };
    Some(loan)
}

/// Ends a step: writes the fields that show at once and keeps the state.
///
/// # Safety
/// `context` points to the context whose state `loan` is.
pub(crate) unsafe fn give_back(
    context: *mut ConnContext,
    mut loan: Loan<'static, ConnContext, State>,
) {
    // SAFETY: the caller's promise.
    unsafe { loan.value().show_general(context) };
    loan.put_back();
}

/// Shows one part of a context's state.
///
/// # Safety
/// `context` points to a context.
pub(crate) unsafe fn publish(context: *mut ConnContext, part: Part) {
    STATES.step(context, |state| {
        // SAFETY: the caller's promise.
        unsafe {
            state.import(context);
            state.show(context, part);
        }
    });
}

/// Shows the result of a step of the comparison of secrets, before what
/// follows from it.
///
/// # Safety
/// `context` points to a context.
pub(crate) unsafe fn show_smp_progress(context: *mut ConnContext, progress: smp::Progress) {
    STATES.step(context, |state| {
        // SAFETY: the caller's promise; `smstate` is NULL or valid.
        unsafe {
            let shown = (*context).smstate;
            if !shown.is_null() && state.instance.state == MessageState::Encrypted {
                state.import(context);
                super::sm::show_progress(shown, progress);
                state.shown = Shown::read(context);
            }
        }
    });
}

/// Gives a context that was just made the state of an instance.
///
/// # Safety
/// `context` points to a context.
pub(crate) unsafe fn adopt(context: *mut ConnContext, instance: Instance) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut state = State::fresh(context);
        let tags = (state.instance.ours, state.instance.theirs);
        state.instance = instance;
        state.instance.theirs = tags.1;
        if state.instance.ours.is_none() {
            state.instance.ours = tags.0;
        }
        state.show_general(context);
        if state.instance.state == MessageState::Finished {
            let ended = OtrlMessageState::OTRL_MSGSTATE_FINISHED;
            (*context).msgstate.write(ended);
            state.shown = Shown::read(context);
        }
        if let Some(version) = state.instance.version {
            (*context).protocol_version = version.number().into();
            (*context).auth.protocol_version = version.number().into();
        }
        STATES.set(context, state);
    }
}

/// Works on one context and shows all of what becomes of it; for steps whose
/// order of events nobody can see. `None` if another step is at work.
///
/// # Safety
/// `context` points to a context.
pub(crate) unsafe fn step<R>(
    context: *mut ConnContext,
    work: impl FnOnce(&mut Instance) -> R,
) -> Option<R> {
    // SAFETY: the caller's promise.
    unsafe {
        let mut loan = take(context)?;
        let result = work(&mut loan.value().instance);
        for part in [Part::Session, Part::Handshake, Part::Smp] {
            loan.value().show(context, part);
        }
        give_back(context, loan);
        Some(result)
    }
}

/// Works on one context and shows only what shows at once; for steps that
/// change neither the session nor an exchange. `None` if another step is at
/// work.
///
/// # Safety
/// `context` points to a context.
pub(crate) unsafe fn step_quietly<R>(
    context: *mut ConnContext,
    work: impl FnOnce(&mut Instance) -> R,
) -> Option<R> {
    // SAFETY: the caller's promise.
    unsafe {
        let mut loan = take(context)?;
        let result = work(&mut loan.value().instance);
        give_back(context, loan);
        Some(result)
    }
}

/// Takes the unfinished message out of a context's state, if there is one.
pub(crate) fn take_fragments(context: *mut ConnContext) -> Option<Assembler> {
    STATES
        .step(context, |state| {
            core::mem::take(&mut state.instance.fragments)
        })
        .filter(|fragments| fragments.stored() != 0)
}

/// Takes the key exchange out of a context's state, if one is going on there.
pub(crate) fn take_handshake(context: *mut ConnContext) -> Option<Ake> {
    STATES
        .step(context, |state| core::mem::take(&mut state.instance.ake))
        .filter(|ake| ake.state() != AuthState::None)
}

/// Takes the comparison of secrets out of a context's state, if one is going
/// on there.
pub(crate) fn take_comparison(context: *mut ConnContext) -> Option<smp::Smp> {
    STATES
        .step(context, |state| core::mem::take(&mut state.instance.smp))
        .filter(|run| run.is_asked() || run.expected() != smp::Expected::Message1)
}

/// How many steps have effects that are still being performed: for so long,
/// public fields may be behind the states.
static UNFINISHED: AtomicUsize = AtomicUsize::new(0);

/// Says that effects are being performed, for as long as it lives.
pub(crate) struct Performing(());

impl Performing {
    pub(crate) fn begin() -> Self {
        UNFINISHED.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Performing {
    fn drop(&mut self) {
        UNFINISHED.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether the state itself says plaintext, where the public field does.
pub(crate) fn is_idle(context: *mut ConnContext) -> bool {
    UNFINISHED.load(Ordering::Relaxed) == 0
        || STATES.serial(context).is_none()
        || STATES.step(context, |state| state.instance.state) == Some(MessageState::Plaintext)
}

/// Whether a context shows that some pieces of a message have arrived.
///
/// # Safety
/// `context` points to a context.
pub(crate) unsafe fn has_pieces(context: *mut ConnContext) -> bool {
    // SAFETY: the caller's promise; `context_priv` is NULL or valid.
    unsafe {
        let private = (*context).context_priv;
        private.is_null() || (*private).fragment_n != 0 || !(*private).fragment.is_null()
    }
}

/// Notes what the peer has made of an offer, in a context whose state is not
/// taken out: offers live in the public field.
///
/// # Safety
/// `context` points to a context.
pub(crate) unsafe fn note_answer(context: *mut ConnContext, speaks_otr: bool) {
    // SAFETY: the caller's promise.
    let field = unsafe { &mut (*context).otr_offer };
    let made = offer(open_enum::read_or(*field, OtrlOffer::OFFER_NOT));
    field.write(shown_offer(made.answered(speaks_otr)));
}

/// The entry of a fingerprint in the master's list, or NULL.
///
/// # Safety
/// `context` points to a context.
unsafe fn find_fingerprint(
    context: *mut ConnContext,
    wanted: &dsa::Fingerprint,
) -> *mut Fingerprint {
    // SAFETY: the caller's promise; entries of the list are valid.
    unsafe {
        let master = (*context).m_context;
        if master.is_null() {
            return ptr::null_mut();
        }
        list::iter((*master).fingerprint_root.next)
            .find(|&entry| fingerprint(entry).as_ref() == Some(wanted))
            .unwrap_or(ptr::null_mut())
    }
}

/// The 20 bytes of a list entry.
///
/// # Safety
/// `entry` is NULL or points to an entry.
pub(crate) unsafe fn fingerprint(entry: *mut Fingerprint) -> Option<dsa::Fingerprint> {
    // SAFETY: the caller's promise; `fingerprint` is NULL or 20 bytes.
    unsafe {
        if entry.is_null() || (*entry).fingerprint.is_null() {
            return None;
        }
        Some(dsa::Fingerprint(*(*entry).fingerprint.cast::<[u8; 20]>()))
    }
}

pub(crate) const fn message_state(state: OtrlMessageState) -> MessageState {
    match state {
        OtrlMessageState::OTRL_MSGSTATE_PLAINTEXT => MessageState::Plaintext,
        OtrlMessageState::OTRL_MSGSTATE_ENCRYPTED => MessageState::Encrypted,
        OtrlMessageState::OTRL_MSGSTATE_FINISHED => MessageState::Finished,
    }
}

fn version(number: c_uint) -> Option<Version> {
    u8::try_from(number).ok().and_then(Version::from_number)
}

const fn offer(offer: OtrlOffer) -> Offer {
    match offer {
        OtrlOffer::OFFER_NOT => Offer::Not,
        OtrlOffer::OFFER_SENT => Offer::Sent,
        OtrlOffer::OFFER_REJECTED => Offer::Rejected,
        OtrlOffer::OFFER_ACCEPTED => Offer::Accepted,
    }
}

const fn shown_offer(offer: Offer) -> OtrlOffer {
    match offer {
        Offer::Not => OtrlOffer::OFFER_NOT,
        Offer::Sent => OtrlOffer::OFFER_SENT,
        Offer::Rejected => OtrlOffer::OFFER_REJECTED,
        Offer::Accepted => OtrlOffer::OFFER_ACCEPTED,
    }
}

const fn half(half: SessionHalf) -> OtrlSessionIdHalf {
    match half {
        SessionHalf::First => OtrlSessionIdHalf::OTRL_SESSIONID_FIRST_HALF_BOLD,
        SessionHalf::Second => OtrlSessionIdHalf::OTRL_SESSIONID_SECOND_HALF_BOLD,
    }
}
