//! Forgetting contexts and fingerprints: what the functions of `context.h` do
//! once their arguments are looked at.

use core::ptr;

use super::blank;
use super::context::{ConnContext, Fingerprint, OtrlMessageState};
use super::conversation::{force, group, state_of};
use super::instag::OTRL_INSTAG_MASTER;
use super::userstate::OtrlUserState;
use super::{alloc, contacts, list};

/// See `otrl_context_forget_fingerprint`.
///
/// # Safety
/// As there; `fingerprint` is not NULL.
pub(crate) unsafe fn forget_fingerprint(fingerprint: *mut Fingerprint, and_maybe_context: bool) {
    // SAFETY: the caller's promise.
    unsafe {
        let context = (*fingerprint).context;
        if context.is_null() {
            return;
        }
        let is_root = fingerprint == &raw mut (*context).fingerprint_root;
        if !is_root {
            // While any conversation uses it, it stays.
            if group(context).any(|node| (*node).active_fingerprint == fingerprint) {
                return;
            }
            release_fingerprint(fingerprint);
        }
        let is_empty = is_root || (*context).fingerprint_root.next.is_null();
        let is_plaintext = state_of(context) == OtrlMessageState::OTRL_MSGSTATE_PLAINTEXT;
        if and_maybe_context && is_empty && is_plaintext {
            forget(context);
        }
    }
}

/// # Safety
/// `fingerprint` points to an entry of a list that is not used any more.
unsafe fn release_fingerprint(fingerprint: *mut Fingerprint) {
    // SAFETY: the caller's promise.
    unsafe {
        list::unlink(fingerprint);
        alloc::free((*fingerprint).fingerprint);
        alloc::free((*fingerprint).trust);
        alloc::free(fingerprint);
    }
}

/// Forgets a context and, with a master, its children. False if one of them
/// is not plaintext; then nothing was done.
///
/// # Safety
/// `context` is NULL or points to a context.
pub(crate) unsafe fn forget(context: *mut ConnContext) -> bool {
    if context.is_null() {
        return false;
    }
    // SAFETY: the caller's promise.
    unsafe {
        let is_master = (*context).their_instance == OTRL_INSTAG_MASTER;
        let is_plaintext = |node| state_of(node) == OtrlMessageState::OTRL_MSGSTATE_PLAINTEXT;
        if !is_plaintext(context) || is_master && !children(context).all(is_plaintext) {
            return false;
        }
        if is_master {
            if !forget_children(context) {
                // The application has forgotten the master itself meanwhile.
                return true;
            }
        } else {
            forget_recent(context);
        }
        forget_one(context);
        true
    }
}

/// Forgets the children of a master; false if the application has forgotten
/// the master itself meanwhile.
///
/// # Safety
/// `master` points to a context.
unsafe fn forget_children(master: *mut ConnContext) -> bool {
    // SAFETY: the caller's promise. The application may call the library
    // while a child is forgotten, so each round looks at the list anew.
    unsafe {
        let born = contacts::born_of(master);
        while let Some(child) = children(master).next() {
            let epoch = contacts::epoch();
            forget_one(child);
            // The child is one that was forgotten since.
            let others = contacts::epoch() != epoch.wrapping_add(1);
            if others && contacts::born(master) != born {
                return false;
            }
        }
        true
    }
}

/// The children of a master. One that the application is just being shown has
/// no master yet, but others may come behind it.
///
/// # Safety
/// As for [`group`].
unsafe fn children(master: *mut ConnContext) -> impl Iterator<Item = *mut ConnContext> {
    // SAFETY: the caller's promise; names are NULL or NUL-terminated.
    unsafe {
        let names = |node: *mut ConnContext| {
            let names = [(*node).username, (*node).accountname, (*node).protocol];
            names.map(|name| alloc::bytes(name))
        };
        let is_child = move |node: &*mut ConnContext| (**node).m_context == master;
        list::iter((*master).next)
            .take_while(move |node| is_child(node) || names(*node) == names(master))
            .filter(is_child)
    }
}

/// Makes a master forget that this child of it was used recently.
///
/// # Safety
/// `child` points to a context.
pub(super) unsafe fn forget_recent(child: *mut ConnContext) {
    // SAFETY: the caller's promise.
    unsafe {
        let master = (*child).m_context;
        if master.is_null() || master == child {
            return;
        }
        for recent in [
            &raw mut (*master).recent_child,
            &raw mut (*master).recent_rcvd_child,
            &raw mut (*master).recent_sent_child,
        ] {
            if *recent == child {
                *recent = master;
            }
        }
    }
}

/// Takes a context out of its list and releases it, unless that is going on
/// already further up the stack.
///
/// # Safety
/// `context` points to a context that is not used any more.
unsafe fn forget_one(context: *mut ConnContext) {
    // SAFETY: the caller's promise.
    unsafe {
        if !contacts::remove(context) {
            return;
        }
        let data = core::mem::replace(&mut (*context).app_data, ptr::null_mut());
        if let Some(function) = (*context).app_data_free
            && !data.is_null()
        {
            function(data);
        }
        contacts::released(context);
        release(context);
    }
}

/// Releases a context that is in no list, and nobody's business any more.
///
/// # Safety
/// `context` points to a context that is not used any more.
pub(super) unsafe fn release(context: *mut ConnContext) {
    // SAFETY: the caller's promise.
    unsafe {
        // Most contexts never had anything in there that would take a closer
        // look.
        let released = blank::release_blank((*context).context_priv, (*context).smstate);
        if released {
            (*context).context_priv = ptr::null_mut();
            (*context).smstate = ptr::null_mut();
        }
        force(context, OtrlMessageState::OTRL_MSGSTATE_PLAINTEXT);
        for fingerprint in list::iter((*context).fingerprint_root.next) {
            release_fingerprint(fingerprint);
        }
        alloc::free((*context).username);
        alloc::free((*context).accountname);
        alloc::free((*context).protocol);
        if !released {
            blank::release((*context).context_priv, (*context).smstate);
        }
        alloc::free(context);
    }
}

/// Whether the application wants to know when a context is forgotten.
///
/// # Safety
/// `context` points to a context.
unsafe fn calls_back(context: *mut ConnContext) -> bool {
    // SAFETY: the caller's promise.
    unsafe { (*context).app_data_free.is_some() && !(*context).app_data.is_null() }
}

/// See `otrl_context_forget_all`.
///
/// # Safety
/// `us` points to a user state.
pub(crate) unsafe fn forget_all(us: OtrlUserState) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut watched = false;
        for context in list::iter((*us).context_root) {
            if state_of(context) != OtrlMessageState::OTRL_MSGSTATE_PLAINTEXT {
                force(context, OtrlMessageState::OTRL_MSGSTATE_PLAINTEXT);
            }
            watched |= calls_back(context);
        }
        // Where the application has no say in between, all go at once.
        let removed = !watched && contacts::remove_all(us);
        if !removed {
            return forget_each(us);
        }
        let first = core::mem::replace(&mut (*us).context_root, ptr::null_mut());
        for context in list::iter(first) {
            release(context);
        }
    }
}

/// Forgets the contexts of a user state one after the other.
///
/// # Safety
/// `us` points to a user state.
unsafe fn forget_each(us: OtrlUserState) {
    // SAFETY: the caller's promise. The application may call the library
    // while a context is forgotten, so each round looks at the list anew.
    unsafe {
        while !(*us).context_root.is_null() {
            let context = (*us).context_root;
            // Children first: they point to their master.
            if (*context).m_context == context {
                forget_children(context);
                if (*us).context_root != context {
                    continue;
                }
            }
            forget_one(context);
            if (*us).context_root == context {
                // Not one of ours, and not to be taken out: leave the rest.
                return;
            }
        }
    }
}
