//! Handlers that make libgcrypt wipe all memory it gives back.

use core::ffi::{c_int, c_void};
use core::ptr;

use zeroize::Zeroize;

use super::bridge;

/// Installs the handlers, if there is a libgcrypt in the process and nothing
/// of it has been used.
///
/// Later it is too late: the program may have chosen libgcrypt's own protected
/// memory, and blocks from there would come back to a handler that does not
/// know them.
pub(crate) fn install() {
    if let Some(gcrypt) = bridge::unused() {
        // SAFETY: the handlers keep the promises of malloc, realloc and free.
        unsafe {
            (gcrypt.gcry_set_allocation_handler)(
                allocate,
                allocate,
                is_protected,
                reallocate,
                release,
            );
        }
    }
}

extern "C" fn allocate(size: usize) -> *mut c_void {
    // SAFETY: `malloc` may be called with any size.
    unsafe { libc::malloc(size) }
}

/// Compatibility: every block counts as protected.
extern "C" fn is_protected(_block: *const c_void) -> c_int {
    1
}

/// # Safety
/// `block` is NULL or from [`allocate`].
unsafe extern "C" fn reallocate(block: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: the caller's promise; a block has the size that is asked for.
    unsafe {
        if block.is_null() {
            return allocate(size);
        }
        let old = usable(block);
        if let Some(surplus) = old.checked_sub(size) {
            wipe(block.wrapping_byte_add(size), surplus);
            return block;
        }
        let new = allocate(size);
        if !new.is_null() {
            ptr::copy_nonoverlapping(block.cast::<u8>(), new.cast(), old);
            release(block);
        }
        new
    }
}

/// # Safety
/// `block` is NULL or from [`allocate`], and not used any more.
unsafe extern "C" fn release(block: *mut c_void) {
    // SAFETY: the caller's promise.
    unsafe {
        if !block.is_null() {
            wipe(block, usable(block));
            libc::free(block);
        }
    }
}

/// # Safety
/// `from` points to `len` bytes.
unsafe fn wipe(from: *mut c_void, len: usize) {
    // SAFETY: the caller's promise.
    unsafe { core::slice::from_raw_parts_mut(from.cast::<core::mem::MaybeUninit<u8>>(), len) }
        .zeroize();
}

/// How many bytes a block really has.
///
/// # Safety
/// `block` is from `malloc`.
unsafe fn usable(block: *mut c_void) -> usize {
    // SAFETY: the caller's promise.
    unsafe {
        #[cfg(target_vendor = "apple")]
        return libc::malloc_size(block);
        #[cfg(not(target_vendor = "apple"))]
        return libc::malloc_usable_size(block);
    }
}
