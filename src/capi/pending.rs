//! Keys that are being generated, perhaps in another thread.

use super::privkey_t::OtrlPendingPrivKey;
use super::{alloc, list};

/// Releases an entry of the list of pending keys.
///
/// # Safety
/// `entry` points to an entry that is not used any more.
pub(crate) unsafe fn forget(entry: *mut OtrlPendingPrivKey) {
    // SAFETY: the caller's promise.
    unsafe {
        list::unlink(entry);
        alloc::free((*entry).accountname);
        alloc::free((*entry).protocol);
        alloc::free(entry);
    }
}
