//! `context.h`: conversations and the fingerprints seen in them.

use core::ffi::{CStr, c_char, c_int, c_uchar, c_uint, c_void};
use core::mem::MaybeUninit;
use core::ptr;

use super::alloc;
use super::auth::OtrlAuthInfo;
use super::context_priv::ConnContextPriv;
use super::conversation::{
    self, AppData, Names, find, find_fingerprint, force, is_trusted, most_secure,
};
use super::dh::OtrlSessionIdHalf;
use super::forget::{forget, forget_all, forget_fingerprint};
use super::guard::guard;
use super::instag::{
    OTRL_INSTAG_RECENT, OTRL_INSTAG_RECENT_RECEIVED, OTRL_INSTAG_RECENT_SENT, otrl_instag_t,
};
use super::open_enum::open_enum;
use super::sm::OtrlSMState;
use super::userstate::OtrlUserState;

/// Whether messages to a correspondent are encrypted.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtrlMessageState {
    /// There is no private conversation.
    OTRL_MSGSTATE_PLAINTEXT,
    /// Messages are encrypted.
    OTRL_MSGSTATE_ENCRYPTED,
    /// The peer has ended the private conversation; nothing can be sent until
    /// this side ends it as well or begins a new one.
    OTRL_MSGSTATE_FINISHED,
}

open_enum!(OtrlMessageState:
    OTRL_MSGSTATE_PLAINTEXT,
    OTRL_MSGSTATE_ENCRYPTED,
    OTRL_MSGSTATE_FINISHED,
);

/// A public key that a correspondent has used.
#[repr(C)]
pub struct s_fingerprint {
    /// The next one in the list, or NULL.
    pub next: *mut s_fingerprint,
    /// The pointer that points here.
    pub tous: *mut *mut s_fingerprint,
    /// 20 bytes from `malloc`; NULL in the root of the list.
    pub fingerprint: *mut c_uchar,
    /// The master context to which the list belongs.
    pub context: *mut ConnContext,
    /// The level of trust, from `malloc`. NULL or empty means untrusted.
    pub trust: *mut c_char,
}

/// A public key that a correspondent has used.
pub type Fingerprint = s_fingerprint;

/// What became of the offer to speak OTR.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtrlOffer {
    /// None was made.
    OFFER_NOT,
    /// It was made and not answered yet.
    OFFER_SENT,
    /// The correspondent went on without OTR.
    OFFER_REJECTED,
    /// The correspondent speaks OTR.
    OFFER_ACCEPTED,
}

open_enum!(OtrlOffer: OFFER_NOT, OFFER_SENT, OFFER_REJECTED, OFFER_ACCEPTED);

/// One conversation: with a correspondent in general (a master context), or
/// with one of the places where the correspondent is logged in.
#[repr(C)]
pub struct s_context {
    /// The next context in the list, or NULL.
    pub next: *mut s_context,
    /// The pointer that points here.
    pub tous: *mut *mut s_context,
    /// What only the library should look at.
    pub context_priv: *mut ConnContextPriv,
    /// The correspondent, ...
    pub username: *mut c_char,
    /// ... as known to this account of ours ...
    pub accountname: *mut c_char,
    /// ... with this chat protocol.
    pub protocol: *mut c_char,
    /// The master context; a master points to itself.
    pub m_context: *mut s_context,
    /// In a master: the context of its group that received a message last, at
    /// first itself. NULL in other contexts.
    pub recent_rcvd_child: *mut s_context,
    /// In a master: the context of its group that sent a message last.
    pub recent_sent_child: *mut s_context,
    /// In a master: whichever of these two was used later.
    pub recent_child: *mut s_context,
    /// Our instance tag.
    pub our_instance: otrl_instag_t,
    /// Their instance tag; 0 in a master.
    pub their_instance: otrl_instag_t,
    /// Whether messages are encrypted.
    pub msgstate: MaybeUninit<OtrlMessageState>,
    /// The key exchange that is going on, if any.
    pub auth: OtrlAuthInfo,
    /// The root of the list of fingerprints, which only masters have. The
    /// root is no entry itself.
    pub fingerprint_root: Fingerprint,
    /// The fingerprint of the key in use, an entry of the master's list.
    pub active_fingerprint: *mut Fingerprint,
    /// The session id: 8 bytes, 20 in version 1.
    pub sessionid: [c_uchar; 20],
    /// How many bytes of `sessionid` count.
    pub sessionid_len: usize,
    /// Which half of the session id to show in bold type.
    pub sessionid_half: MaybeUninit<OtrlSessionIdHalf>,
    /// The protocol version in use.
    pub protocol_version: c_uint,
    /// What became of the offer to speak OTR.
    pub otr_offer: MaybeUninit<OtrlOffer>,
    /// Whatever the application keeps here.
    pub app_data: *mut c_void,
    /// Called with `app_data` when the context is forgotten.
    pub app_data_free: Option<unsafe extern "C" fn(app_data: *mut c_void)>,
    /// How far a comparison of secrets has come.
    pub smstate: *mut OtrlSMState,
}

/// One conversation.
pub type ConnContext = s_context;

/// Finds the context of a correspondent, and makes it if it is missing and
/// `add_if_missing` is not 0.
///
/// `their_instance` is a real instance tag, `OTRL_INSTAG_MASTER`, or the name
/// of a tag to choose. `*addedp`, if there is one, becomes 1 if a context was
/// made, otherwise 0. `add_app_data`, if not NULL, is called with `data` and
/// each context that was made.
///
/// Returns NULL if there is none, if a name is NULL, or without memory.
///
/// # Safety
/// `us` is NULL or a valid user state, names are NULL or NUL-terminated,
/// `addedp` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_context_find(
    us: OtrlUserState,
    user: *const c_char,
    accountname: *const c_char,
    protocol: *const c_char,
    their_instance: otrl_instag_t,
    add_if_missing: c_int,
    addedp: *mut c_int,
    add_app_data: Option<unsafe extern "C" fn(data: *mut c_void, context: *mut ConnContext)>,
    data: *mut c_void,
) -> *mut ConnContext {
    guard(ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        unsafe {
            if !addedp.is_null() {
                *addedp = 0;
            }
            if us.is_null() || user.is_null() || accountname.is_null() || protocol.is_null() {
                return ptr::null_mut();
            }
            let near = conversation::near(us, [user, accountname, protocol], their_instance);
            if let Some(context) = near {
                return context;
            }
            let names = Names {
                username: CStr::from_ptr(user),
                accountname,
                protocol,
            };
            let add = (add_if_missing != 0).then_some(AppData {
                function: add_app_data,
                data,
            });
            let found = find(us, names, their_instance, add);
            if !addedp.is_null() {
                *addedp = c_int::from(found.added);
            }
            found.context
        }
    })
}

/// Whether a fingerprint is trusted: 1 or 0.
///
/// # Safety
/// `fprint` is NULL or a valid fingerprint.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_context_is_fingerprint_trusted(fprint: *mut Fingerprint) -> c_int {
    // SAFETY: the caller's promise.
    guard(0, || c_int::from(unsafe { is_trusted(fprint) }))
}

/// Notes that a message was sent (`sent_msg` not 0) or received in a context,
/// for `OTRL_INSTAG_RECENT` and its like.
///
/// # Safety
/// `context` is NULL or a valid context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_context_update_recent_child(
    context: *mut ConnContext,
    sent_msg: c_uint,
) {
    guard((), || {
        // SAFETY: the caller's promise.
        unsafe {
            if context.is_null() || (*context).m_context.is_null() {
                return;
            }
            let master = (*context).m_context;
            if sent_msg != 0 {
                (*master).recent_sent_child = context;
            } else {
                (*master).recent_rcvd_child = context;
            }
            (*master).recent_child = context;
        }
    });
}

/// Finds a fingerprint of 20 bytes in the list of a context's master, and
/// adds it in front if it is missing and `add_if_missing` is not 0.
///
/// `*addedp`, if there is one, becomes 1 if it was added, otherwise 0.
/// Returns NULL if there is none, or without memory.
///
/// # Safety
/// `context` is NULL or a valid context, `fingerprint` is NULL or has 20
/// bytes, `addedp` is NULL or valid.
///
/// cbindgen:ptrs-as-arrays=[[fingerprint;20]]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_context_find_fingerprint(
    context: *mut ConnContext,
    fingerprint: *mut c_uchar,
    add_if_missing: c_int,
    addedp: *mut c_int,
) -> *mut Fingerprint {
    guard(ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        unsafe {
            if !addedp.is_null() {
                *addedp = 0;
            }
            if context.is_null() || fingerprint.is_null() {
                return ptr::null_mut();
            }
            let wanted = *fingerprint.cast::<[u8; 20]>();
            let (found, added) = find_fingerprint(context, &wanted, add_if_missing != 0);
            if !addedp.is_null() {
                *addedp = c_int::from(added);
            }
            found
        }
    })
}

/// Sets the level of trust of a fingerprint to a copy of `trust`, which may
/// be NULL.
///
/// # Safety
/// `fprint` is NULL or a valid fingerprint, `trust` is NULL or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_context_set_trust(fprint: *mut Fingerprint, trust: *const c_char) {
    guard((), || {
        if fprint.is_null() {
            return;
        }
        // SAFETY: the caller's promise.
        unsafe { alloc::replace_string(&raw mut (*fprint).trust, alloc::bytes(trust)) };
    });
}

/// Ends a private conversation as if the peer had ended it: all keys are
/// wiped, and nothing can be sent in the context.
///
/// # Safety
/// `context` is NULL or a valid context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_context_force_finished(context: *mut ConnContext) {
    // SAFETY: the caller's promise.
    guard((), || unsafe {
        force(context, OtrlMessageState::OTRL_MSGSTATE_FINISHED);
    });
}

/// Ends a private conversation: all keys are wiped. The peer is not told.
///
/// # Safety
/// `context` is NULL or a valid context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_context_force_plaintext(context: *mut ConnContext) {
    // SAFETY: the caller's promise.
    guard((), || unsafe {
        force(context, OtrlMessageState::OTRL_MSGSTATE_PLAINTEXT);
    });
}

/// Forgets a fingerprint, unless it is in use. If it was the last one, no
/// conversation is private and `and_maybe_context` is not 0, the context is
/// forgotten as well.
///
/// # Safety
/// `fprint` is NULL or a valid fingerprint; if it is forgotten, it is not used
/// any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_context_forget_fingerprint(
    fprint: *mut Fingerprint,
    and_maybe_context: c_int,
) {
    guard((), || {
        if fprint.is_null() {
            return;
        }
        // SAFETY: the caller's promise.
        unsafe { forget_fingerprint(fprint, and_maybe_context != 0) };
    });
}

/// Forgets a context, and all contexts of the same correspondent with it if it
/// is a master. Returns 0, or 1 if one of them is not plaintext and nothing
/// was done.
///
/// # Safety
/// `context` is NULL or a valid context; if it is forgotten, it is not used
/// any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_context_forget(context: *mut ConnContext) -> c_int {
    guard(1, || {
        // SAFETY: the caller's promise.
        c_int::from(!unsafe { forget(context) })
    })
}

/// Forgets all contexts of a user state, ending private conversations without
/// telling the peers.
///
/// # Safety
/// `us` is NULL or a valid user state; its contexts are not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_context_forget_all(us: OtrlUserState) {
    guard((), || {
        if us.is_null() {
            return;
        }
        // SAFETY: the caller's promise.
        unsafe { forget_all(us) };
    });
}

/// The context that one of the names from `OTRL_INSTAG_RECENT` to
/// `OTRL_INSTAG_RECENT_SENT` means for the correspondent of `context`, or NULL.
///
/// # Safety
/// `context` is NULL or a valid context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_context_find_recent_instance(
    context: *mut ConnContext,
    recent_instag: otrl_instag_t,
) -> *mut ConnContext {
    // SAFETY: the caller's promise.
    guard(ptr::null_mut(), || unsafe {
        if context.is_null() || (*context).m_context.is_null() {
            return ptr::null_mut();
        }
        let master = (*context).m_context;
        match recent_instag {
            OTRL_INSTAG_RECENT => (*master).recent_child,
            OTRL_INSTAG_RECENT_RECEIVED => (*master).recent_rcvd_child,
            OTRL_INSTAG_RECENT_SENT => (*master).recent_sent_child,
            _ => ptr::null_mut(),
        }
    })
}

/// The most secure context of the correspondent of `context`: by state, then
/// by trust, then by the time of the last message.
///
/// # Safety
/// `context` is NULL or a valid context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_context_find_recent_secure_instance(
    context: *mut ConnContext,
) -> *mut ConnContext {
    // SAFETY: the caller's promise.
    guard(ptr::null_mut(), || unsafe { most_secure(context) })
}
