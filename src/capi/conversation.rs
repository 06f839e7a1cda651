//! Making, finding and ending contexts: what the functions of
//! `context.h` do once their arguments are looked at.

use core::ffi::{CStr, c_char, c_void};
use core::mem::MaybeUninit;
use core::ptr;

use super::contacts::{self, Handle, Key, Place};
use super::context::{ConnContext, Fingerprint, OtrlMessageState};
use super::instag::{
    self, OTRL_INSTAG_BEST, OTRL_INSTAG_MASTER, OTRL_INSTAG_RECENT, OTRL_INSTAG_RECENT_SENT,
    OTRL_MIN_VALID_INSTAG, otrl_instag_t,
};
use super::list;
use super::open_enum::read_or;
use super::userstate::OtrlUserState;
use crate::limits;
use crate::session::Best;

use super::forget::{forget_recent, release};
use super::{alloc, auth, blank, clock, context, context_priv, sm, state};

/// Who talks to whom. All names are NUL-terminated and stay valid.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    /// The correspondent.
    pub(crate) username: &'a CStr,
    /// Our account.
    pub(crate) accountname: *const c_char,
    /// The chat protocol.
    pub(crate) protocol: *const c_char,
}

impl<'a> Names<'a> {
    fn key(self, their_instance: otrl_instag_t) -> Key<'a> {
        Key {
            username: self.username,
            accountname: self.accountname,
            protocol: self.protocol,
            their_instance,
        }
    }
}

/// The application's function for new contexts.
#[derive(Clone, Copy)]
pub(crate) struct AppData {
    pub(crate) function: Option<unsafe extern "C" fn(*mut c_void, *mut ConnContext)>,
    pub(crate) data: *mut c_void,
}

/// What [`find`] has found.
#[derive(Clone, Copy)]
pub(crate) struct Found {
    /// The context, or NULL.
    pub(crate) context: *mut ConnContext,
    /// Whether it was made.
    pub(crate) added: bool,
}

impl Found {
    const NOTHING: Self = Self {
        context: ptr::null_mut(),
        added: false,
    };

    fn existing(context: *mut ConnContext) -> Self {
        Self {
            context,
            added: false,
        }
    }
}

/// Finds a context in a short list without measuring the names, which are
/// those of the user, the account and the protocol.
///
/// # Safety
/// `us` is a valid user state, the names are NUL-terminated.
#[inline(always)] // Each nanosecond shows where nothing else is done.
pub(crate) unsafe fn near(
    us: OtrlUserState,
    names: [*const c_char; 3],
    tag: otrl_instag_t,
) -> Option<*mut ConnContext> {
    let is_real = tag >= OTRL_MIN_VALID_INSTAG;
    let wanted = if is_real { tag } else { OTRL_INSTAG_MASTER };
    // SAFETY: the caller's promise.
    unsafe {
        let context = contacts::near(us, names, wanted)?;
        Some(if is_real {
            context
        } else {
            chosen(context, tag)
        })
    }
}

/// The context of a master's group that a tag stands for; the master itself,
/// or NULL for a tag that means nothing.
///
/// # Safety
/// `master` points to a master context.
unsafe fn chosen(master: *mut ConnContext, tag: otrl_instag_t) -> *mut ConnContext {
    // SAFETY: the caller's promise.
    unsafe {
        match tag {
            OTRL_INSTAG_MASTER => master,
            OTRL_INSTAG_BEST => most_secure(master),
            OTRL_INSTAG_RECENT..=OTRL_INSTAG_RECENT_SENT => {
                context::otrl_context_find_recent_instance(master, tag)
            }
            _ => ptr::null_mut(),
        }
    }
}

/// Finds a context; with `add`, makes it if it is missing and calls the
/// application's function, which may call the library.
///
/// # Safety
/// `us` is a valid user state. The names stay valid whatever the application
/// does.
pub(crate) unsafe fn find(
    us: OtrlUserState,
    names: Names<'_>,
    tag: otrl_instag_t,
    add: Option<AppData>,
) -> Found {
    let is_real = tag >= OTRL_MIN_VALID_INSTAG;
    // SAFETY: the caller's promise.
    unsafe {
        if is_real {
            return find_exactly(us, names, tag, add);
        }
        let master = find_exactly(us, names, OTRL_INSTAG_MASTER, add);
        if tag == OTRL_INSTAG_MASTER || master.context.is_null() {
            return master;
        }
        if master.added {
            // Compatibility: even a tag that means nothing makes a master, and
            // such a master does not know itself for recently used.
            (*master.context).recent_child = ptr::null_mut();
            (*master.context).recent_rcvd_child = ptr::null_mut();
            (*master.context).recent_sent_child = ptr::null_mut();
            return master;
        }
        Found::existing(chosen(master.context, tag))
    }
}

/// The same for a real tag, or 0.
///
/// # Safety
/// As for [`find`].
unsafe fn find_exactly(
    us: OtrlUserState,
    names: Names<'_>,
    tag: otrl_instag_t,
    add: Option<AppData>,
) -> Found {
    // SAFETY: the caller's promise; contexts that are found are valid.
    unsafe {
        let mut gap = match contacts::locate(us, names.key(tag)) {
            Place::Found(context) => return Found::existing(context),
            Place::Missing(gap) => gap,
        };
        let Some(app_data) = add else {
            return Found::NOTHING;
        };
        // The master comes first: a child never stands in for it.
        let master = if tag == OTRL_INSTAG_MASTER {
            None
        } else {
            let master = find_exactly(us, names, OTRL_INSTAG_MASTER, add).context;
            if master.is_null() {
                return Found::NOTHING;
            }
            // The application may have had control meanwhile.
            gap = match contacts::locate(us, names.key(tag)) {
                Place::Found(context) => return Found::existing(context),
                Place::Missing(gap) => gap,
            };
            Some(Handle::new(us, master))
        };
        let context = new(names);
        if context.is_null() {
            return Found::NOTHING;
        }
        contacts::insert(us, names.key(tag), gap, context);
        if let Some(function) = app_data.function {
            let handle = Handle::new(us, context);
            // Compatibility: the function sees a context without tags.
            function(app_data.data, context);
            if handle.get().is_none() {
                return Found::NOTHING;
            }
        }
        (*context).our_instance = instag::tag_of(
            us,
            CStr::from_ptr(names.accountname),
            CStr::from_ptr(names.protocol),
        );
        (*context).their_instance = tag;
        match master.map(|master| master.get()) {
            None => {
                (*context).recent_child = context;
                (*context).recent_rcvd_child = context;
                (*context).recent_sent_child = context;
            }
            Some(Some(master)) => (*context).m_context = master,
            // The application has forgotten the master and its children.
            Some(None) => {}
        }
        Found {
            context,
            added: true,
        }
    }
}

/// A context outside of any list, or NULL without memory.
///
/// # Safety
/// The names are as [`Names`] says.
unsafe fn new(names: Names<'_>) -> *mut ConnContext {
    let context = alloc::zeroed::<ConnContext>();
    let parts = blank::take(context);
    if context.is_null() || parts.is_null() {
        // SAFETY: both were made above and hold nothing.
        unsafe {
            alloc::free(context);
            if !parts.is_null() {
                blank::release(&raw mut (*parts).private, &raw mut (*parts).smp);
            }
        }
        return ptr::null_mut();
    }
    // SAFETY: made above, and the caller's promise. Zero is a valid value of
    // every field, and the right one of those that are not set.
    unsafe {
        (*context).username = alloc::c_string(names.username.to_bytes());
        (*context).accountname = alloc::c_string(CStr::from_ptr(names.accountname).to_bytes());
        (*context).protocol = alloc::c_string(CStr::from_ptr(names.protocol).to_bytes());
        (*context).context_priv = &raw mut (*parts).private;
        (*context).smstate = &raw mut (*parts).smp;
        (*context).m_context = context;
        (*context).auth.context = context;
        (*context).fingerprint_root.context = context;
        let incomplete = (*context).username.is_null()
            || (*context).accountname.is_null()
            || (*context).protocol.is_null();
        if incomplete {
            release(context);
            return ptr::null_mut();
        }
    }
    context
}

/// The contexts of one correspondent, the master included.
///
/// # Safety
/// `master` points to a master context; while iterating, only the context
/// handed out last may be released.
pub(crate) unsafe fn group(master: *mut ConnContext) -> impl Iterator<Item = *mut ConnContext> {
    // SAFETY: the caller's promise.
    unsafe {
        list::iter(master).take_while(move |node| *node == master || (**node).m_context == master)
    }
}

/// Whether messages are encrypted in a context; a number that is no state
/// counts as finished, in which nothing can be sent.
///
/// # Safety
/// `context` points to a context.
pub(crate) unsafe fn state_of(context: *mut ConnContext) -> OtrlMessageState {
    // SAFETY: the caller's promise.
    let raw = unsafe { (*context).msgstate };
    read_or(raw, OtrlMessageState::OTRL_MSGSTATE_FINISHED)
}

/// Whether a fingerprint is trusted.
///
/// # Safety
/// `fingerprint` is NULL or points to a fingerprint.
pub(crate) unsafe fn is_trusted(fingerprint: *const Fingerprint) -> bool {
    // SAFETY: the caller's promise; the level of trust is NULL or
    // NUL-terminated.
    unsafe {
        !fingerprint.is_null() && !(*fingerprint).trust.is_null() && *(*fingerprint).trust != 0
    }
}

/// See `otrl_context_find_recent_secure_instance`.
///
/// # Safety
/// `context` is NULL or points to a context.
pub(crate) unsafe fn most_secure(context: *mut ConnContext) -> *mut ConnContext {
    // SAFETY: the caller's promise.
    unsafe {
        if context.is_null() || (*context).m_context.is_null() {
            return context;
        }
        if group((*context).m_context).all(|other| other == context) {
            return context;
        }
        let seen = |context: *mut ConnContext| Best {
            state: state::message_state(state_of(context)),
            trusted: is_trusted((*context).active_fingerprint),
            last_received: clock::from_c(last_received(context)),
        };
        // Among equals the one that was asked about comes first.
        let (mut chosen, mut best) = (context, seen(context));
        for other in group((*context).m_context) {
            let candidate = seen(other);
            if best.yields_to(&candidate) {
                (chosen, best) = (other, candidate);
            }
        }
        chosen
    }
}

/// Whether a context is in plaintext, or never had a session that could have
/// ended.
///
/// # Safety
/// `context` points to a context.
unsafe fn has_no_session(context: *mut ConnContext) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let private = (*context).context_priv;
        match state_of(context) {
            OtrlMessageState::OTRL_MSGSTATE_PLAINTEXT => true,
            OtrlMessageState::OTRL_MSGSTATE_FINISHED => {
                !private.is_null() && (*private).generation == 0
            }
            OtrlMessageState::OTRL_MSGSTATE_ENCRYPTED => false,
        }
    }
}

/// # Safety
/// `context` points to a context.
unsafe fn last_received(context: *mut ConnContext) -> libc::time_t {
    // SAFETY: the caller's promise.
    unsafe {
        let private = (*context).context_priv;
        if private.is_null() {
            0
        } else {
            (*private).lastrecv
        }
    }
}

/// Finds a fingerprint in the list of a context's master, and whether it was
/// added. NULL if there is none.
///
/// # Safety
/// `context` points to a context.
pub(crate) unsafe fn find_fingerprint(
    context: *mut ConnContext,
    wanted: &[u8; 20],
    add: bool,
) -> (*mut Fingerprint, bool) {
    // SAFETY: the caller's promise; fingerprints in a list have 20 bytes.
    unsafe {
        let master = (*context).m_context;
        if master.is_null() {
            return (ptr::null_mut(), false);
        }
        let root = &raw mut (*master).fingerprint_root.next;
        for entry in list::iter(*root) {
            let known = (*entry).fingerprint;
            if !known.is_null() && *known.cast::<[u8; 20]>() == *wanted {
                return (entry, false);
            }
        }
        if !add {
            return (ptr::null_mut(), false);
        }
        let entry = alloc::zeroed::<Fingerprint>();
        if entry.is_null() {
            return (entry, false);
        }
        (*entry).fingerprint = alloc::buffer(wanted);
        if (*entry).fingerprint.is_null() {
            alloc::free(entry);
            return (ptr::null_mut(), false);
        }
        (*entry).context = master;
        list::insert(root, entry);
        (entry, true)
    }
}

/// Wipes everything secret in a context and sets its state.
///
/// # Safety
/// `context` is NULL or points to a context.
pub(crate) unsafe fn force(context: *mut ConnContext, to: OtrlMessageState) {
    if context.is_null() {
        return;
    }
    // SAFETY: the caller's promise.
    unsafe {
        state::drop_secrets(context);
        (*context).msgstate = MaybeUninit::new(to);
        auth::otrl_auth_clear(&raw mut (*context).auth);
        (*context).active_fingerprint = ptr::null_mut();
        (*context).sessionid = [0; 20];
        (*context).sessionid_len = 0;
        (*context).protocol_version = 0;
        if !(*context).smstate.is_null() {
            sm::otrl_sm_state_free((*context).smstate);
        }
        context_priv::otrl_context_priv_force_finished((*context).context_priv);
    }
}

/// Makes one of a master's children that is of no use any more stand for
/// another instance, if there are as many children as there may be.
///
/// The context stays where it is in memory, since the application may hold
/// it. Of the children without a session the one that was silent longest is
/// taken. `None` if there is room for a new one, or no such child.
///
/// # Safety
/// `master` is a context in the list of `us`.
pub(crate) unsafe fn recycle(
    us: OtrlUserState,
    master: *mut ConnContext,
    tag: otrl_instag_t,
) -> Option<*mut ConnContext> {
    // SAFETY: the caller's promise; no callback runs here.
    unsafe {
        if group(master).skip(1).count() < limits::INSTANCES {
            return None;
        }
        let mut idle: Vec<_> = group(master)
            .skip(1)
            .filter(|child| has_no_session(*child))
            .collect();
        idle.sort_by_key(|child| last_received(*child));
        let is_ours = |child: &*mut ConnContext| contacts::born_of(*child).is_some();
        let idle = idle.into_iter().find(is_ours)?;
        forget_recent(idle);
        force(idle, OtrlMessageState::OTRL_MSGSTATE_PLAINTEXT);
        if !contacts::remove(idle) {
            return None;
        }
        contacts::released(idle);
        (*idle).their_instance = tag;
        let key = Key {
            username: CStr::from_ptr((*master).username),
            accountname: (*master).accountname,
            protocol: (*master).protocol,
            their_instance: tag,
        };
        match contacts::locate(us, key) {
            Place::Missing(gap) => contacts::insert(us, key, gap, idle),
            // Cannot be: the caller has looked. The child is in no list then.
            Place::Found(_) => return None,
        }
        Some(idle)
    }
}
