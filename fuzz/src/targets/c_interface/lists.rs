//! The lists that programs walk: whole, in order, and pointing at what is
//! there.

use std::collections::BTreeSet;
use std::ffi::{CStr, c_char};

use crate::c::types::{Context, UserState};

/// Checks the contexts of a user state.
///
/// # Safety
/// `us` is live and not in use.
pub unsafe fn check(us: *mut UserState) {
    // SAFETY: the caller's promise; what is in the list is live.
    unsafe {
        let mut all = BTreeSet::new();
        let mut place = &raw mut (*us).context_root;
        let mut last = None;
        while !(*place).is_null() {
            let context = *place;
            assert_eq!((*context).tous, place, "a context that nothing points at");
            assert!(all.insert(context), "the list is a circle");
            let names = [
                (*context).username,
                (*context).accountname,
                (*context).protocol,
            ];
            let key = (names.map(|name| text(name)), (*context).their_instance);
            assert!(
                last.is_none_or(|last| last < key),
                "the list is out of order"
            );
            last = Some(key);
            place = &raw mut (*context).next;
        }
        for context in &all {
            check_context(*context, &all);
        }
    }
}

unsafe fn text(name: *const c_char) -> Vec<u8> {
    assert!(!name.is_null());
    // SAFETY: the names of a context are strings.
    unsafe { CStr::from_ptr(name) }.to_bytes().to_vec()
}

/// # Safety
/// `all` are the live contexts.
unsafe fn check_context(context: *mut Context, all: &BTreeSet<*mut Context>) {
    // SAFETY: the caller's promise.
    unsafe {
        let master = (*context).m_context;
        assert!(all.contains(&master), "a master that is gone");
        assert!((*context).msgstate <= 2 && (*context).otr_offer <= 3);
        assert!((*context).sessionid_len <= 20);
        assert!(!(*context).context_priv.is_null() && !(*context).smstate.is_null());
        let recent = [
            (*context).recent_child,
            (*context).recent_rcvd_child,
            (*context).recent_sent_child,
        ];
        for child in recent {
            assert!(
                child.is_null() || all.contains(&child),
                "a recent instance that is gone"
            );
        }
        let mut prints = BTreeSet::new();
        let mut place = &raw mut (*master).fingerprint_root.next;
        while !(*place).is_null() {
            let print = *place;
            assert_eq!((*print).tous, place, "a fingerprint that nothing points at");
            assert!(prints.insert(print), "the list is a circle");
            assert_eq!((*print).context, master);
            assert!(!(*print).fingerprint.is_null());
            place = &raw mut (*print).next;
        }
        let active = (*context).active_fingerprint;
        assert!(
            active.is_null() || prints.contains(&active),
            "a fingerprint that is gone"
        );
        assert!(
            (*context).msgstate != 1 || !active.is_null(),
            "private with nobody"
        );
    }
}
