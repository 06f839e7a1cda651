//! Our own side of a conversation: instance tag and private key, made by the
//! application when they are first needed.

use std::sync::Arc;

use super::contacts::Handle;
use super::context::ConnContext;
use super::driver::{App, Names};
use super::instag::{otrl_instag_find, otrl_instag_get_new};
use super::keys;
use super::privkey::otrl_privkey_find;
use crate::crypto::dsa::{Fingerprint, PrivateKey};

/// Sees to it that a context knows our instance tag.
///
/// # Safety
/// The promise made to [`App::new`] holds; `context` is a context.
pub(in crate::capi) unsafe fn ensure_instance_tag(app: App, context: *mut ConnContext) {
    // SAFETY: the caller's promise.
    unsafe {
        if (*context).our_instance != 0 {
            return;
        }
        let names = Names::of(context);
        let handle = Handle::new(app.us, context);
        let (account, protocol) = (names.account().as_ptr(), names.protocol().as_ptr());
        let mut entry = otrl_instag_find(app.us, account, protocol);
        if entry.is_null() {
            app.create_instag(account, protocol);
            entry = otrl_instag_find(app.us, account, protocol);
        }
        // The callback may have forgotten the context.
        if let Some(context) = handle.get() {
            (*context).our_instance = if entry.is_null() {
                otrl_instag_get_new()
            } else {
                (*entry).instag
            };
        }
    }
}

/// Our private key for the account; the application is asked to make one if
/// there is none.
///
/// # Safety
/// The promise made to [`App::new`] holds.
pub(in crate::capi) unsafe fn ensure_private_key(
    app: App,
    names: &Names,
) -> Option<Arc<PrivateKey>> {
    // SAFETY: the caller's promise.
    unsafe {
        private_key(app, names).or_else(|| {
            app.create_privkey(names.account().as_ptr(), names.protocol().as_ptr());
            private_key(app, names)
        })
    }
}

/// Our private key for the account, if there is one.
///
/// # Safety
/// The promise made to [`App::new`] holds.
pub(in crate::capi) unsafe fn private_key(app: App, names: &Names) -> Option<Arc<PrivateKey>> {
    let (account, protocol) = (names.account().as_ptr(), names.protocol().as_ptr());
    // SAFETY: the caller's promise.
    unsafe {
        let entry = otrl_privkey_find(app.us, account, protocol);
        if entry.is_null() {
            return None;
        }
        keys::secret_of(entry).ok()
    }
}

/// The fingerprint of our private key for the account, if there is one.
///
/// # Safety
/// The promise made to [`App::new`] holds.
pub(in crate::capi) unsafe fn fingerprint(app: App, names: &Names) -> Option<Fingerprint> {
    // SAFETY: the caller's promise.
    let key = unsafe { private_key(app, names) }?;
    Some(key.public().fingerprint())
}
